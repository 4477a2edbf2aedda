/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow-feed.h"
#include "sources/libvirt-session.h"

/*
 * A second connection, to the network's own daemon (virtnetworkd), for its events alone: over a connection to
 * virtqemud they may end, unnoticed, when virtnetworkd is restarted. It is made again by itself, at first
 * after 0.5 s, at last every 10 s. Of FollowTell: doubt, when it breaks and when it is there again.
 */
typedef struct NetworkEvents NetworkEvents;

/* Begins to connect. serial: of its lines, from one to the next. */
NetworkEvents *network_events_new(LibvirtHub *hub, const char *uri, const LibvirtCalls *calls, guint *serial,
                                  const FollowTell *tell, gpointer data);
/* NULL is allowed. */
void network_events_free(NetworkEvents *events);

/* A HUB_CLOSED: whether it was this connection's. */
gboolean network_events_closed(NetworkEvents *events, const HubNote *note);
/* Returns when to be called again. *told: set if something was told, else left. */
gint64 network_events_run(NetworkEvents *events, gint64 now, gboolean *told);
/* Whether the first attempt has come to an end: what is listed now misses no event. */
gboolean network_events_settled(const NetworkEvents *events);
