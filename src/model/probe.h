/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"
#include "model/firewall.h"

#include <glib.h>

/*
 * What came of going a guest's way: a list of stages in the order in which a packet passes them, of IPv4 and
 * then of IPv6. Made by actions/probe, shown by views/. Pure.
 */

typedef enum {
    PROBE_LINK,    /* the bridge forwards what comes in by the endpoint's port */
    PROBE_DHCP,    /* an address is offered, or advertised */
    PROBE_GATEWAY, /* this host answers for the gateway's address, and answers come back this way */
    PROBE_DNS,     /* the gateway's dnsmasq answers */
    PROBE_UPLINK,  /* this host would let a packet out: its own facts, nothing is sent */
    PROBE_NAT,     /* the target answers, and what it saw */
    PROBE_STAGES
} ProbeStageId;

/* "link", "dhcp", …. */
const char *probe_stage_name(ProbeStageId id);

typedef struct {
    ProbeStageId id;
    guint8 family;     /* 4 or 6; 0: both */
    Tri ok;            /* TRI_UNKNOWN: not reached, or nothing that could be proved; detail says which */
    gint64 ms;         /* that it took; -1: it was not tried */
    gboolean late;     /* the run's deadline passed in it: it proves nothing */
    char *detail;      /* what was seen, or why not; never NULL once it is done */
    gboolean settled;  /* of a failed one: detail and remedy say all, as where nothing could be sent */
    char *excludes;    /* of a failed one, what it shows to be well, one sentence; NULL */
    char *remedy;      /* of a failed one, what to try; NULL */
    GPtrArray *checks; /* of a failed one: ids to look at, those that found something first; static */
} ProbeStage;

ProbeStage *probe_stage_new(ProbeStageId id, guint8 family);
void probe_stage_free(ProbeStage *stage);

/* How it ended, and detail, a printf format. */
void probe_stage_end(ProbeStage *stage, Tri ok, const char *format, ...) G_GNUC_PRINTF(3, 4);

/*
 * Ends a stage that the run's deadline passed in (late) or before: it proves nothing, and names nothing to
 * look at. before: NULL, or the stage that it passed in, behind which this one was not reached. timeout: the
 * seconds that would do; 0: not known.
 */
void probe_stage_end_late(ProbeStage *stage, const ProbeStage *before, guint timeout);
/* "stage dhcp of IPv6", "stage link", new text. */
char *probe_stage_text(const ProbeStage *stage);

/*
 * Says what a stage that failed excludes, and names its checks: those of its kind that found something about
 * the network or the host (their message and remedy go into the stage), or where none did all that look at
 * such things. No check looks at what a stage says by remedy already: none is named then, unless one has
 * found something. A settled one excludes nothing, and names none. before: the stages before it. Where one of
 * those failed, that is the likely cause: this one excludes nothing more, and what it knows no check of its
 * own for goes back to those of that one.
 */
void probe_stage_blame(ProbeStage *stage, const GPtrArray *before, const GPtrArray *findings,
                       const Network *network);

/* TRI_NO: a stage failed. TRI_YES: none did, there was time for all, and the last that was tried passed. */
Tri probe_verdict(const GPtrArray *stages);
/* The first that failed; NULL: none. */
const ProbeStage *probe_failure(const GPtrArray *stages);
/* The one that the deadline passed in; NULL: there was time for all. */
const ProbeStage *probe_late(const GPtrArray *stages);

/* What a probe of one network said. */
typedef struct {
    const Network *network; /* in the facts */
    GPtrArray *stages;      /* ProbeStage; NULL: there was no probe, */
    char *error;            /* and this is why */
    guint timeout;          /* the deadline passed: the seconds that would do; 0: it did not */
} ProbeReport;

void probe_report_free(ProbeReport *report);

/* ---------------------------------------------------------------------------------------- the uplink */

/* The packet that is asked about. */
typedef struct {
    guint8 family;
    Ip guest;
    Ip to;               /* family 0: any host of the public internet */
    guint16 port;        /* TCP; 0: an echo */
    guint out;           /* index of the device that the kernel would send it by; 0: it would not */
    const char *refusal; /* why not, in the kernel's words; NULL: it was not asked */
} ProbePacket;

/*
 * Whether this host would let the packet out and its answer in, by its settings, routes and rules: ends the
 * stage. An isolated network's must be refused, and is well if it is.
 */
void probe_uplink(const Facts *facts, const Network *network, const ProbePacket *asked, ProbeStage *stage);

/* Whether what is sent there does not leave this host: an address of its own, or of the network. Nothing
 * translates such a packet. */
gboolean probe_stays_here(const Facts *facts, const Network *network, const Ip *to);

/* ----------------------------------------------------------------------------------------- the target */

typedef struct {
    char *host;   /* a name or an address, without brackets */
    Ip ip;        /* family 0: host is a name */
    guint16 port; /* 0: an echo is asked for */
} ProbeTarget;

/* Whether it is a name that a name server can be asked for. */
gboolean probe_name_is_askable(const char *name);

/* "HOST", "HOST:PORT", "[IPV6]:PORT", "IPV6". Errors: USAGE. */
gboolean probe_target_parse(const char *text, ProbeTarget *target, GError **error);
void probe_target_clear(ProbeTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProbeTarget, probe_target_clear)
