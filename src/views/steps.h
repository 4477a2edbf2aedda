/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/step.h"
#include "views/view.h"

#include <jansson.h>
#include <stdio.h>

/*
 * The steps of a repair, for people: each with what came of it and what else may be tried, and a line with
 * their numbers at the end. applied: they were taken, else they are a plan. brief: without those that were
 * skipped and without that line.
 */
void steps_write(FILE *out, const GPtrArray *steps, gboolean applied, gboolean brief,
                 const ViewContext *view);

/* For JSON: a new reference. */
json_t *json_of_step(gconstpointer step_record);
