/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/deadline.h"

Deadline deadline_in(double seconds)
{
    gint64 now = g_get_monotonic_time();

    if (seconds <= 0)
        return now;
    if (seconds >= (double)(DEADLINE_NEVER - now) / G_USEC_PER_SEC)
        return DEADLINE_NEVER;
    return now + (gint64)(seconds * G_USEC_PER_SEC);
}

Deadline deadline_within(Deadline deadline, double seconds)
{
    return MIN(deadline, deadline_in(seconds));
}

Deadline deadline_keeping(Deadline deadline, double seconds, double share)
{
    gint64 now = g_get_monotonic_time();

    if (deadline == DEADLINE_NEVER || deadline <= now)
        return deadline;
    return deadline - (gint64)MIN(seconds * G_USEC_PER_SEC, (double)(deadline - now) * share);
}

int deadline_poll_ms(Deadline deadline)
{
    gint64 left;

    if (deadline == DEADLINE_NEVER)
        return -1;
    left = deadline - g_get_monotonic_time();
    if (left <= 0)
        return 0;
    return (int)MIN((left + 999) / 1000, G_MAXINT);
}

gboolean deadline_passed(Deadline deadline)
{
    return deadline != DEADLINE_NEVER && g_get_monotonic_time() >= deadline;
}
