/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/change.h"

#include <glib.h>

/*
 * Words that wait a moment, since what they say is mostly half of something. When a guest starts, its tap is
 * on the bridge before libvirt says whose it is, and the guest is paused at first; when one ends, its tap
 * loses its carrier and is gone before libvirt says that the guest is; when one gets a lease, the kernel has
 * a neighbour before the lease is written down; when one is plugged into another network, its tap leaves one
 * bridge and is on another before libvirt's XML says so. So of a port that no domain claims, a guest without
 * its tap or paused, a tap that went or is not on its network's bridge, and a neighbour, is told a second
 * later, or at once with the rest, or not at all. Only for people: JSON is never held back. Pure: time is an
 * argument.
 */
typedef struct WatchHold WatchHold;

/* Less than a finding's grace: what is wrong with it comes after it. */
#define WATCH_HOLD_USEC (900 * G_TIME_SPAN_MILLISECOND)

WatchHold *watch_hold_new(void);
/* NULL is allowed. */
void watch_hold_free(WatchHold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchHold, watch_hold_free)

/*
 * Whether what waits of this row is that it is there. Then a change of it is no news, but makes that more
 * complete: let the lines be those of CHANGE_INTERFACE_ADDED.
 */
gboolean watch_hold_has_new(const WatchHold *hold, const Change *change);

/*
 * Whether what waits of this row is that it left its bridge, and now it is on another. Then the lines are to
 * be those of the whole way: with *before, which borrows from the hold and the change, as the row before.
 */
gboolean watch_hold_has_moved(const WatchHold *hold, const Change *change, MapRow *before);

/* The lines of a change, each with its line feed: takes them. Returns those to print now, NULL for none. */
char *watch_hold_pass(WatchHold *hold, const Change *change, char *lines, gint64 monotonic);

/* What has waited long enough, or (monotonic G_MAXINT64) everything; NULL for nothing. New string. */
char *watch_hold_release(WatchHold *hold, gint64 monotonic);

/* When there is something to release; G_MAXINT64: nothing waits. */
gint64 watch_hold_due(const WatchHold *hold);

/* Forgets everything: the whole map is told. */
void watch_hold_drop(WatchHold *hold);
