/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/probe.h"
#include "views/view.h"

#include <jansson.h>
#include <stdio.h>

/* A stage of a probe for people, as soon as it is done: a line, and below a failed one what it excludes, the
 * checks to look at, and what to try. brief: failed ones only. */
void probe_stage_write(FILE *out, const ProbeStage *stage, gboolean brief, const ViewContext *view);

/* The line at the end: how far guests of the network get. */
void probe_verdict_write(FILE *out, const GPtrArray *stages, const char *network, const ViewContext *view);

/* For JSON: a new reference. */
json_t *json_of_probe_stage(gconstpointer probe_stage);
