/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"
#include "model/probe.h"

#include <glib.h>

/*
 * Goes the way of a guest of a network, from an endpoint on its bridge (actions/endpoint.h), and tells of
 * each stage how it went. What is sent: DHCP DISCOVER (with request, REQUEST and RELEASE too), ARP and
 * neighbour solicitations, questions to the gateway's name server, and a connection or echoes to the target.
 * Each is sent a few times at most, and waited for a few seconds at most. Nothing is sent to anybody but the
 * gateway and the target; what DHCP and ARP send to everybody is for the gateway, and so is the one question
 * whether somebody has the address already that was offered.
 *
 * What it leaves in the host (neighbours, tracked connections, with request a lease) is undone at the end,
 * and what a run that was killed left by the next run: of neighbours and connections by the next of any
 * network, of a lease by the next of its network.
 */

typedef struct {
    const ProbeTarget *target; /* NULL: up to the uplink */
    const char *name;          /* to be asked of the gateway's name server; NULL */
    gboolean request;          /* take a lease, and give it back */
    guint timeout;             /* what is told to who gave it too little time, in seconds; 0: nothing */
    int cancel;                /* a descriptor: the run ends early when it is readable; -1 */
    const GPtrArray *findings; /* Finding: what checks say of the host; may be NULL */
    const char *directory;     /* of the endpoints' slots; NULL: the usual one */
    /* Called for each stage when it is done; NULL. */
    void (*done)(const ProbeStage *stage, gpointer data);
    gpointer data;
} ProbeAsked;

/*
 * facts: networks, leases, links with routes and neighbours, firewall and proc of this host. network: an
 * active one of them that owns its bridge. Returns the stages (ProbeStage), new array; cancelled or out of
 * time, the one under way then and those that were not reached are unknown. May run on any thread, several at
 * once. NULL: no endpoint could be made: DENIED (naming the capability), EXISTS, FAILED, DEADLINE.
 */
GPtrArray *probe_run(const Facts *facts, const Network *network, const ProbeAsked *asked, Deadline deadline,
                     GError **error);

/* Whether it can be asked about the network; else *error says why not: FAILED (not active), UNSUPPORTED. */
gboolean probe_can(const Network *network, GError **error);
