/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * A range of values as the Monitoring Plugins' guidelines write it: "10" alerts outside of 0 to 10, "10:"
 * below 10, "~:10" above 10, "10:20" outside of these, "@10:20" inside. The ends belong to the range.
 */
typedef struct {
    double start, end; /* -INFINITY, INFINITY: open */
    gboolean inside;   /* '@': alerts inside */
} Range;

/* Errors: USAGE ("'x:' is no range"). */
gboolean range_parse(const char *text, Range *range, GError **error);

gboolean range_alerts(const Range *range, double value);

/* In the shortest form that range_parse takes. New string. */
char *range_text(const Range *range);
