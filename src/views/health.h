/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/health.h"
#include "views/view.h"

#include <jansson.h>
#include <stdio.h>

/* A host's health, in the forms of `vnat check`. */

/* For people: findings worst first, evidence indented, remedy last; checks that could not tell for one reason
 * stand together; a summary at the end. */
void health_text(FILE *out, const Health *health, const ViewContext *view);

/* One line for cron: the worst finding, and how many others there are. Nothing where all is well. */
void health_line(FILE *out, const Health *health, const ViewContext *view);

/* For Nagios and its kin (Monitoring Plugins' guidelines): one status line with performance data, the
 * findings below it. */
void health_nagios(FILE *out, const Health *health, const ViewContext *view);

/* The document: findings and their summary. */
void health_json(FILE *out, const Facts *facts, const Health *health);
