/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow-feed.h"

/*
 * libvirt as a follower's world has it: one connection at a time, its events as hints, its answers whenever
 * they come. Of FollowTell: connected, lost, listed, answered, slow, touch, doubt, news.
 */
typedef struct LibvirtFollow LibvirtFollow;

/* The calls behind it (sources/libvirt-session.h). */
typedef struct LibvirtCalls LibvirtCalls;

/*
 * Registers libvirt's event loop on the default main context, once in a process; no connection may have been
 * opened before. calls NULL: libvirt's own. network_socket: where there is one, the network's daemon is one
 * of its own, and its events come over a connection of their own. tell stays the caller's.
 */
LibvirtFollow *libvirt_follow_new(const char *uri, gboolean readonly, const LibvirtCalls *calls,
                                  const char *network_socket, const FollowTell *tell, gpointer data);
/* Not from within a FollowTell function. Waits for connections that close at once, at most 0.2 s; the others
 * are left to themselves (virt_calls_hang). NULL is allowed. */
void libvirt_follow_free(LibvirtFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LibvirtFollow, libvirt_follow_free)

/* As in FollowWorldOps. */
void libvirt_follow_connect(LibvirtFollow *follow);
void libvirt_follow_list(LibvirtFollow *follow, FollowKind kind);
void libvirt_follow_read(LibvirtFollow *follow, FollowKind kind, const char *uuid);
void libvirt_follow_flush(LibvirtFollow *follow);

/* Why connecting failed last, with a hint; NULL: it did not. Until the next attempt. */
const GError *libvirt_follow_failure(const LibvirtFollow *follow);
/* Whether the daemon's lease files are in this host's system directory: of a URI as libvirt reports it. */
gboolean libvirt_follow_files_here(const char *uri);
