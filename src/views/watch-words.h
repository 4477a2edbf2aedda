/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"
#include "views/mark.h"
#include "views/watch.h"

#include <glib.h>
#include <stdio.h>

/* A line in words, part by part. Everything that came from elsewhere is escaped here. */

typedef struct {
    FILE *out;
    const ViewContext *view;
    gint64 now;    /* epoch seconds */
    guint lines;   /* ended */
    gboolean news; /* the snapshot's lines are no news, and have no colours */
} Words;

Words words_new(FILE *out, const WatchStamp *stamp, const ViewContext *context);

/* The local time, and a blank. */
void words_begin(const Words *words);
void words_end(Words *words);

/* Text of our own. */
void words_put(const Words *words, const char *text);
/* code: a MARK_* colour; NULL: none. */
void words_colored(const Words *words, const char *code, const char *text);
/* A name that others chose, cut to a table cell's width; NULL is "-". */
void words_name(const Words *words, const char *name);
/* A message, of whatever length. */
void words_text(const Words *words, const char *text);
void words_ip(const Words *words, const Ip *ip);
/*
 * A span as people write it, "1 h 30 min": two units at most. Of a lease that is told a moment after it was
 * given, that moment is not missing.
 */
void words_span(const Words *words, gint64 seconds);
