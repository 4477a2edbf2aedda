/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/command.h"
#include "sources/follow.h"

/*
 * What `watch` and `wait` have in common: the main loop, in which a follower runs on this host. Everything
 * happens on the main thread, in the default GMainContext.
 */
typedef struct Following Following;

typedef struct {
    FollowSink sink;
    /* After each run of the follower, once the first snapshot was given: what the sink is not told of may
     * have changed too (a MAC was learned). May be NULL. */
    void (*ran)(LiveMap *live, gpointer data);
} FollowingOps;

/*
 * Opens the connection and the kernel's socket. NULL: *code is the exit code, the error has been printed. To
 * be called before any other connection is opened: libvirt's event loop is registered here.
 */
Following *following_new(Context *ctx, const FollowingOps *ops, gpointer data, int *code);
/* NULL is allowed. */
void following_free(Following *following);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Following, following_free)

/*
 * Follows until somebody ends it: following_end, SIGINT or SIGTERM (128 + n), a reader of standard output
 * that has gone (EXIT_PIPE), or, before the first snapshot, a connection that cannot be had, or that did not
 * answer by the deadline. Returns the exit code; errors were printed.
 */
int following_run(Following *following);

/*
 * Calls the function once, at that time: a GSource, whose id is returned. DEADLINE_NEVER: 0, and never. The
 * timeouts of GLib have 32 bits of milliseconds, which a command that runs for months may outlive.
 */
guint following_at(Deadline when, GSourceFunc function, gpointer data);

/* Ends it, with this exit code; what came first counts. */
void following_end(Following *following, int code);
gboolean following_ended(const Following *following);

/* Flushes standard output. FALSE: it cannot be written, which was told, and ends it. */
gboolean following_flush(Following *following);

LiveMap *following_live(const Following *following);

/* Has this domain read, whether it is active or not: where there is none, the sink is told that it is gone.
 */
void following_ask(Following *following, const char *domain_uuid);

/* A number of seconds from the command line, above 0; without a value it stays as it is. Errors: USAGE. */
gboolean following_seconds(const Context *ctx, const char *option, double *seconds, GError **error);
