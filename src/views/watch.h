/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/change.h"
#include "views/view.h"

#include <stdio.h>

/*
 * `vnat watch`: changes as lines, for programs (JSON Lines) and for people (words). Pure: the time is an
 * argument. docs/schema/watch.json describes the JSON.
 */

typedef struct {
    guint64 seq;      /* of the next line; starts at 1 */
    gint64 wall_usec; /* the moment, epoch microseconds */
} WatchStamp;

/* The line "snapshot" or "resync": every interface (MapRow) and network (NetworkRow), the sources' states. */
void watch_json_snapshot(FILE *out, WatchStamp *stamp, const Facts *facts, const GPtrArray *rows,
                         const GPtrArray *networks, gboolean resync);
void watch_json_change(FILE *out, WatchStamp *stamp, const Change *change);

/* The same in words, local time in front: "12:01:07 VM1 vnet0 got 192.168.122.6 (ubuntu), lease 1 h". A
 * change of several facts is several lines; one that says nothing to people is none. Returns the number of
 * lines. */
guint watch_text_snapshot(FILE *out, const WatchStamp *stamp, const ViewContext *context, const Facts *facts,
                          const GPtrArray *rows, const GPtrArray *networks, gboolean resync);
guint watch_text_change(FILE *out, const WatchStamp *stamp, const ViewContext *context, const Change *change);
