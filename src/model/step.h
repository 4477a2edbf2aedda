/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/finding.h"

/*
 * A step of a repair: what is, or would be, done about one finding. Made and taken by actions/repair, shown
 * by views/.
 */

/*
 * planned: would be done, or is next. done: it was done, and the finding's own check has seen it mended.
 * skipped: not touched, because the fault had gone, because nobody consented, or because it is a person's to
 * mend. failed: could not be done, or was done and the check still finds the fault.
 */
typedef enum { STEP_PLANNED, STEP_DONE, STEP_SKIPPED, STEP_FAILED } StepState;

const char *step_state_name(StepState state);

typedef struct {
    const char *id; /* of the check; static */
    ObjectKind kind;
    char *object;      /* as the finding's, */
    char *network;     /* or NULL */
    char *domain_uuid; /* or NULL */
    RepairClass repair;
    StepState state;
    char *action;  /* what is done about it: "put vnet3 of VM1 back on virbr0" */
    char *detail;  /* what came of it, or why it was not done; NULL */
    char *command; /* what a person may try; NULL */
} Step;

/* For a finding: planned, its action and command not set yet. */
Step *step_new(const Finding *finding);
void step_free(Step *step);

/* Whether the finding is what the step is about. */
gboolean step_is_about(const Step *step, const Finding *finding);

/* Sets state and detail, which takes a printf format; NULL leaves no detail. */
void step_end(Step *step, StepState state, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Puts more behind the detail, with "; " between. */
void step_add(Step *step, const char *format, ...) G_GNUC_PRINTF(2, 3);
