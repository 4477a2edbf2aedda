/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/path.h"
#include "model/trace.h"
#include "views/view.h"

#include <jansson.h>
#include <stdio.h>

/*
 * A way through the host, for people: its legs, a line each hop, the deciding rule below; then the verdict in
 * one sentence, and what is to be learned from it. brief: the sentence alone.
 */
void path_write(FILE *out, const Path *path, gboolean brief, const ViewContext *view);

/* What the kernel said of the same way: its decisions, and whether they are those. brief: the sentence alone.
 */
void trace_write(FILE *out, const Trace *trace, gboolean brief, const ViewContext *view);

/* For JSON: a hop; and what stands beside the hops: verdict, summary, lesson, and which packet. New
 * references. */
json_t *json_of_hop(gconstpointer path_hop);
json_t *json_of_path(const Path *path, const Trace *trace);
