/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What every view is told. Views write finished records to a stream as bytes and fetch nothing: not the time,
 * not the locale.
 */
typedef struct {
    gint64 now;          /* epoch seconds, for ages and time left */
    gboolean utf8;       /* the reader's terminal or locale is UTF-8 */
    gboolean color;      /* escape sequences for colours may be written */
    gboolean noheadings; /* -n: tables without title row and rule, CSV without its first line */
    gboolean csv;        /* --csv */
} ViewContext;
