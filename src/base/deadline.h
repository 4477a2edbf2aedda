/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * A deadline is a point on the monotonic clock in microseconds (g_get_monotonic_time), so that a clock that
 * is set neither shortens nor extends it. DEADLINE_NEVER is the far end.
 */
typedef gint64 Deadline;
#define DEADLINE_NEVER G_MAXINT64

/* A deadline this many seconds from now; saturates at DEADLINE_NEVER. */
Deadline deadline_in(double seconds);

/* The earlier of a deadline and the point this many seconds from now. */
Deadline deadline_within(Deadline deadline, double seconds);

/* The point this many seconds before the deadline; at most this share (0 to 1) of what is left now is kept.
 */
Deadline deadline_keeping(Deadline deadline, double seconds, double share);

/* Milliseconds left, for poll(2): 0 when it has passed, -1 for DEADLINE_NEVER, else rounded up. */
int deadline_poll_ms(Deadline deadline);

gboolean deadline_passed(Deadline deadline);
