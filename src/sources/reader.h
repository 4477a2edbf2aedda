/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/capture.h"
#include "sources/libvirt.h"
#include "sources/links.h"

/*
 * Where facts come from: this host, or a captured one. Each function fills its part of facts and sets its
 * source's status; what it says of itself is said where the live host's is described: sources/libvirt.h,
 * links.h, processes.h, firewall.h, proc.h, firewalld.h, conntrack.h, guests.h. A captured host answers as it
 * did when it was captured: what was live then is replayed, what was stale or down is so again, for the same
 * reason.
 *
 * The kernel's facts (links, processes, firewall, proc, firewalld, conntrack, guests) are asked for only
 * where facts->local says that they are of the same host.
 */
typedef struct Reader Reader;

typedef struct {
    gboolean (*networks)(Reader *reader, Facts *facts, LibvirtNetworks which, Deadline deadline,
                         GError **error);
    Network *(*network)(Reader *reader, Facts *facts, const char *name_or_uuid, gboolean inactive,
                        Deadline deadline, GError **error);
    gboolean (*domains)(Reader *reader, Facts *facts, gboolean all, Deadline deadline, GError **error);
    Domain *(*domain)(Reader *reader, Facts *facts, const char *which, gboolean inactive, Deadline deadline,
                      GError **error);
    gboolean (*leases)(Reader *reader, Facts *facts, Deadline deadline, GError **error);
    /* required: the status of SOURCE_AGENT tells how it went; without, what they say is a bonus. */
    void (*agents)(Reader *reader, Facts *facts, gboolean required, Deadline deadline);
    void (*links)(Reader *reader, Facts *facts, LinksWanted wanted, Deadline deadline);
    void (*processes)(Reader *reader, Facts *facts, gboolean sockets, Deadline deadline);
    void (*firewall)(Reader *reader, Facts *facts, Deadline deadline);
    void (*proc)(Reader *reader, Facts *facts);
    void (*firewalld)(Reader *reader, Facts *facts, Deadline deadline);
    /* The kernel's connections. */
    void (*conntrack)(Reader *reader, Facts *facts, Deadline deadline);
    /* Since when each domain of facts runs. */
    void (*guests)(Reader *reader, Facts *facts);
    /* Not into facts: new strings, and NULL-terminated arrays of them, sorted; NULL with *error set. */
    char *(*network_xml)(Reader *reader, const char *name_or_uuid, gboolean inactive, Deadline deadline,
                         GError **error);
    char **(*network_names)(Reader *reader, Deadline deadline, GError **error);
    char **(*domain_names)(Reader *reader, Deadline deadline, GError **error);
    void (*free)(Reader *reader);
} ReaderOps;

struct Reader {
    const ReaderOps *ops;
};

/* This host, over a connection that stays the caller's. */
Reader *reader_live(VirtConn *conn);

/* A captured one; takes the capture. */
Reader *reader_replay(Capture *capture);

/* NULL is allowed. */
void reader_free(Reader *reader);
