/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/following.h"

/*
 * The output of a command that follows, line by line: each is flushed by itself, and --count and --for end
 * it. Standard output blocks: a reader that stops stops the loop, and when it goes on, what the kernel had no
 * room for meanwhile is read again (a resync).
 */
typedef struct {
    Following *following;
    void (*ending)(gpointer data); /* before --for ends it: what was held back goes out; NULL: nothing is */
    gpointer data;
    gboolean begun;     /* the first snapshot has passed: lines count */
    gboolean has_count; /* --count */
    guint64 left;       /* lines to go, with has_count */
    double seconds;     /* --for; 0: for ever */
    guint timer;        /* source of --for; 0: none */
} Lines;

/* --count and --for. The rest stays as it is. Errors: USAGE. */
gboolean lines_options(Lines *lines, const Context *ctx, GError **error);
void lines_clear(Lines *lines);

/* From the first snapshot on, lines are counted and the time runs. */
void lines_begin(Lines *lines);
/* A line went out: FALSE if it was the last one. */
gboolean lines_done(Lines *lines);
/* Lines that end in a line feed, each by itself, until one is the last; takes them. NULL is none. */
void lines_print(Lines *lines, char *text);
