/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/finding.h"
#include "model/range.h"

/* A host's health: what all checks together say, as `vnat check` shows it. Made by checks/, shown by views/.
 */

/* Values of some checks, which monitoring draws and sets limits to. */
typedef struct {
    const char *id; /* the check's */
    char *label;    /* whose: "default ipv4"; NULL: the host's */
    gint percent;   /* -1: unknown */
    Range warning, critical;
} HealthValue;

HealthValue *health_value_new(const char *id, const char *label, gint percent);
void health_value_free(HealthValue *value);

#define LEVEL_COUNT (LEVEL_UNKNOWN + 1)

typedef struct {
    GPtrArray *findings;       /* Finding: worst first */
    GPtrArray *values;         /* HealthValue */
    guint counts[LEVEL_COUNT]; /* findings of each level; LEVEL_OK: checks that ran and found nothing */
    Level level;               /* the worst: critical, warning, unknown, ok */
    double seconds;            /* how long it took to find out; 0: of a capture */
} Health;

Health *health_new(void);
void health_free(Health *health);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Health, health_free)

/* Sorts the findings, and counts them into counts (LEVEL_OK stays) and level. */
void health_finish(Health *health);

/*
 * A second look: of the faults (critical, warning) only those stay that the first look saw too. What came or
 * went between two readings of a host looks like a fault, and is none.
 */
void health_confirm(Health *second, const Health *first);

/* Whether a finding is unsettled: another look is worth its time. */
gboolean health_is_unsettled(const Health *health);
/* There will be no other look: leaves these out, and counts anew. */
void health_settle(Health *health);
