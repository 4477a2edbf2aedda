/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow.h"

/*
 * The FollowWorld that is this host: libvirt's events and calls (libvirt-follow.c), rtnetlink's groups
 * (links-follow.c), the lease directory (leases-follow.c), the wall clock. Everything arrives on the default
 * GMainContext, whose owner runs the follower; see docs/architecture.md, Threads.
 */
typedef struct FollowLive FollowLive;

/* Told on the main context: the follower has something to do, run it. */
typedef void (*FollowWake)(gpointer data);

/*
 * Registers libvirt's event loop: once in a process, before any connection. Nothing is opened yet but the
 * kernel's socket, where it can be: without rights to it the source is down and says so. Errors: FAILED.
 */
FollowLive *follow_live_new(const char *uri, gboolean readonly, FollowWake wake, gpointer wake_data,
                            GError **error);
FollowWorld *follow_live_world(FollowLive *live);
/* Whom it tells; before the first follower_run. */
void follow_live_attach(FollowLive *live, Follower *follower);
/* Why connecting failed last, for a command that gives up: a VnatError with a hint. NULL: it did not. */
const GError *follow_live_failure(const FollowLive *live);
/* Waits at most 0.2 s for what closes at once; what hangs is left to itself (virt_calls_hang). NULL is
 * allowed. */
void follow_live_free(FollowLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FollowLive, follow_live_free)
