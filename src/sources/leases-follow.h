/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow-feed.h"

/*
 * The directory in which libvirt's leases helper replaces BRIDGE.status files, by inotify(7). Of FollowTell:
 * touch_bridge, doubt, evented, news.
 */
typedef struct LeasesFollow LeasesFollow;

/*
 * directory: absolute; need not exist, and may come, go and be replaced later. Tells evented when that
 * changes, not here: see leases_follow_evented.
 */
LeasesFollow *leases_follow_new(const char *directory, const FollowTell *tell, gpointer data);
/* NULL is allowed. */
void leases_follow_free(LeasesFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeasesFollow, leases_follow_free)

/* Whether replacements are seen now; else *why (may be NULL) says why not, borrowed until the next event. */
gboolean leases_follow_evented(const LeasesFollow *follow, const char **why);
