/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "views/json.h"
#include "views/watch.h"

#include <stdio.h>

/* What the two forms of `vnat watch` share, and the lines of other commands that follow. */

/* A line with its number, moment and type; a new reference. */
json_t *watch_line_new(WatchStamp *stamp, const char *type);
/* Writes it; takes the reference. */
void watch_line_write(FILE *out, json_t *line);

/*
 * The same of one with everything: host, connection, states of sources (from facts), then records one by one,
 * so that the map of 10,000 interfaces needs the memory of one; the brace ends it.
 */
void watch_line_open(FILE *out, json_t *line, const Facts *facts);
void watch_line_records(FILE *out, const char *name, const GPtrArray *records,
                        json_t *(*make)(gconstpointer record));
void watch_line_close(FILE *out);

/*
 * {field: [old, new]} of every member that differs between two records of one kind; a member that one of them
 * lacks is null there. The references stay the caller's; a new one is returned.
 */
json_t *watch_changes(json_t *before, json_t *now);

/*
 * The same of a network, without what has lines of its own: the ports of its bridge and the number of its
 * leases.
 */
json_t *watch_network_changes(const NetworkRow *before, const NetworkRow *now);
