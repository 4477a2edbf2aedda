/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "actions/endpoint.h"
#include "actions/probe.h"
#include "model/dhcp.h"

#include <sys/socket.h>

/* A run of a probe. What of one family stands in here is that of the family under way. */
typedef struct {
    const Facts *facts;
    const Network *network;
    const ProbeAsked *asked;
    const Link *bridge;
    Deadline deadline;
    Endpoint *endpoint;
    GPtrArray *stages;
    const ProbeStage *late; /* the stage that the deadline passed in; NULL: not yet */
    gboolean cancelled;
    gboolean speaks_ipv6;     /* it has a link-local address */
    gboolean has_dhcp_traces; /* DISCOVER was sent */
    gboolean offered;         /* and answered */
    GArray *used;             /* addresses that were used (probe-undo.c) */

    guint8 family;
    const NetworkIp *ip;  /* the host's */
    gboolean has_address; /* own may be used as a source */
    gboolean configured;  /* and is that of the inner end */
    IpNet own;
    Ip router;              /* the default one that was offered; family 0: none */
    gboolean more_families; /* another one is to come */
    Tri passes;             /* what the uplink's stage says of the packet to the target */
    Ip resolved;            /* of the target's name; family 0: not yet */
    DhcpMessage lease;      /* taken with request; type 0: none */
    Dhcp6Message lease6;    /* likewise */
} Probe;

/* ------------------------------------------------------------------------------------------ waiting */

/* Waits for something to read or write (events as poll's) up to seconds; FALSE too when cancelled. */
gboolean probe_wait(Probe *probe, int fd, short events, Deadline until);
/* The point this many seconds from now, or the run's own deadline. */
Deadline probe_until(const Probe *probe, double seconds);

/*
 * Sends and waits, a few times. send is called at the beginning of each try; take for each datagram that
 * comes in and says whether it is the answer. FALSE: none came in tries times seconds, or it was cancelled.
 */
typedef gboolean (*ProbeSend)(Probe *probe, int fd, gpointer data);
typedef gboolean (*ProbeTake)(Probe *probe, const guint8 *bytes, gsize length, gpointer data);
gboolean probe_exchange(Probe *probe, int fd, guint tries, double seconds, ProbeSend send, ProbeTake take,
                        gpointer data);

/* The socket address of an address and port as seen from inside; returns its length. */
socklen_t probe_sockaddr(const Probe *probe, const Ip *ip, guint16 port, struct sockaddr_storage *address);

/* ------------------------------------------------------------------------------------------- traces */

/* Before an address is used: notes it, so that what the host remembers of it can be undone. */
gboolean probe_will_use(Probe *probe, const Ip *ip, GError **error);
gboolean probe_will_lease(Probe *probe, const DhcpMessage *lease, GError **error);
gboolean probe_will_lease6(Probe *probe, const Dhcp6Message *lease, GError **error);
/* A run's list of what it used; free with g_array_unref. */
GArray *probe_used_new(void);
/* Gives back what killed runs leased of this network; while the port forwards. Nothing answers it. */
void probe_release_left(Probe *probe);
/* Gives back what this run leased. */
void probe_release(Probe *probe);
/* Removes the endpoint, then what the host remembers of this run and of killed ones. */
void probe_undo(Probe *probe);

/* ------------------------------------------------------------------------------------------- stages */

/* Each ends its stage. */
void probe_dhcp4(Probe *probe, ProbeStage *stage);
void probe_gateway4(Probe *probe, ProbeStage *stage);
void probe_dhcp6(Probe *probe, ProbeStage *stage);
void probe_gateway6(Probe *probe, ProbeStage *stage);
void probe_dns(Probe *probe, ProbeStage *stage);
void probe_nat(Probe *probe, ProbeStage *stage);

/* Sends a release, with the MAC that leased. */
void probe_send_release4(Probe *probe, const DhcpMessage *lease);
void probe_send_release6(Probe *probe, const Dhcp6Message *lease);

/* Where answers to the address would go: ends the stage, if that is not the bridge, and returns FALSE. */
gboolean probe_answers_return(Probe *probe, ProbeStage *stage);
