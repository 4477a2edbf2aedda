/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/repair.h"

#include "actions/repair-private.h"
#include "base/error.h"

#include <string.h>

/*
 * Taking the steps. Between the plan and a step's turn the world goes on, and earlier steps change it: so
 * before each one everything is read again, the finding looked for, and the step described anew. What has
 * gone is not touched; what may pass by itself is given until two seconds after the beginning to do so, once
 * for all steps together. After it the same check has to clear; a check that cannot look clears nothing.
 *
 * Mending shows what was hidden: a network that was started has guests whose taps are not on its bridge. So
 * when all steps are taken there is another plan, of what is found now and was not tried yet, until there is
 * nothing new. What is found again though it was mended counts as failed.
 *
 * Until repair_apply returns each step is planned, or has ended with the reason in its detail.
 */

#define SETTLE_SECONDS 2.0
#define VERIFY_SECONDS 2.0
#define FIRST_PAUSE 0.05
#define LONGEST_PAUSE 0.4
#define ROUNDS 4

/* ----------------------------------------------------------------------------------------- looking */

gboolean repair_look(Repair *repair, GError **error)
{
    return repair->host->look(repair->view, repair->host->data, error);
}

CaseState repair_case(const Repair *repair, const Step *step, RepairCase *about, char **why)
{
    const RepairHost *host = repair->host;

    *about = (RepairCase){.view = repair->view, .asked = repair->asked};
    for (guint i = 0; i < repair->view->findings->len; i++) {
        about->finding = repair->view->findings->pdata[i];
        if (step_is_about(step, about->finding))
            return CASE_STANDS;
    }
    about->finding = NULL;
    return host->looked(step->id, why, host->data) ? CASE_CLEARED : CASE_UNKNOWN;
}

void repair_wait(Repair *repair, Deadline until, double *pause)
{
    const Deadline next = deadline_within(until, *pause);
    gint64 left = next - g_get_monotonic_time();

    if (repair->monitor)
        links_monitor_wait(repair->monitor, next);
    else if (left > 0)
        g_usleep((gulong)left);
    *pause = MIN(*pause * 2, LONGEST_PAUSE);
}

/* Looks until the fault has gone, cannot be seen any more, or that point has passed. FALSE: *error. */
static gboolean await(Repair *repair, const Step *step, Deadline until, RepairCase *about, CaseState *state,
                      char **why, GError **error)
{
    double pause = FIRST_PAUSE;

    for (;;) {
        g_clear_pointer(why, g_free);
        if (!repair_look(repair, error))
            return FALSE;
        *state = repair_case(repair, step, about, why);
        if (*state == CASE_CLEARED || deadline_passed(until))
            return TRUE;
        repair_wait(repair, until, &pause);
    }
}

/* ------------------------------------------------------------------------------------------ one step */

void repair_failed(Step *step, GError *error)
{
    const char *next = vnat_error_get_hint(error);

    step_add(step, "%s%s", error->message,
             g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DENIED) ? " (this needs root)" : "");
    step->state = STEP_FAILED;
    if (next) {
        g_free(step->command);
        step->command = g_strdup(next);
    }
    g_error_free(error);
}

/* Whether it is to be done still; else it has ended. */
static gboolean step_prepare(Repair *repair, const RepairKind *kind, Step *step, RepairCase *about)
{
    const Deadline until = kind->transient ? repair->settled : 0;
    g_autofree char *why = NULL;
    g_autofree char *refusal = NULL;
    GError *error = NULL;
    CaseState state;

    if (!await(repair, step, until, about, &state, &why, &error)) {
        repair_failed(step, error);
        return FALSE;
    }
    if (state == CASE_CLEARED)
        step_end(step, STEP_SKIPPED, "it has gone meanwhile");
    if (state == CASE_UNKNOWN)
        step_end(step, STEP_FAILED, "it cannot be looked at: %s", why);
    if (state != CASE_STANDS)
        return FALSE;
    g_free(step->action);
    step->action = kind->describe(about, &refusal);
    if (!refusal)
        return TRUE;
    step_end(step, STEP_FAILED, "%s", refusal);
    step->command = g_strdup(about->finding->remedy);
    return FALSE;
}

static void step_verify(Repair *repair, Step *step)
{
    g_autofree char *why = NULL;
    GError *error = NULL;
    RepairCase about;
    CaseState state;

    if (!await(repair, step, deadline_within(repair->deadline, VERIFY_SECONDS), &about, &state, &why,
               &error)) {
        g_prefix_error(&error, "it was done, but whether it helped cannot be seen: ");
        repair_failed(step, error);
        return;
    }
    if (state == CASE_CLEARED) {
        step->state = STEP_DONE;
        return;
    }
    if (state == CASE_STANDS)
        step_add(step, "it was done, but did not help: %s", about.finding->message);
    else
        step_add(step, "it was done, but whether it helped cannot be seen: %s", why);
    step->state = STEP_FAILED;
}

static void step_take(Repair *repair, const RepairKind *kind, Step *step)
{
    GError *error = NULL;
    RepairCase about;

    if (!step_prepare(repair, kind, step, &about))
        return;
    if (repair->host->waiting)
        repair->host->waiting(step->action, repair->host->data);
    if (kind->run(repair, &about, step, &error))
        step_verify(repair, step);
    else
        repair_failed(step, error);
}

/* ------------------------------------------------------------------------------------------- rounds */

static gboolean was_tried(const GPtrArray *steps, const Step *step)
{
    for (guint i = 0; i < steps->len; i++) {
        const Step *known = steps->pdata[i];

        if (strcmp(known->id, step->id) == 0 && known->kind == step->kind &&
            g_strcmp0(known->object, step->object) == 0 && g_strcmp0(known->network, step->network) == 0 &&
            g_strcmp0(known->domain_uuid, step->domain_uuid) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Of what is found now, what is new; it joins the steps. Owned by them. */
static GPtrArray *new_steps(Repair *repair)
{
    GPtrArray *plan = repair_plan(repair->view, repair->asked);
    GPtrArray *fresh = g_ptr_array_new();

    for (guint i = 0; i < plan->len; i++) {
        if (was_tried(repair->steps, plan->pdata[i]))
            step_free(plan->pdata[i]);
        else
            g_ptr_array_add(fresh, plan->pdata[i]);
    }
    g_ptr_array_set_free_func(plan, NULL);
    g_ptr_array_unref(plan);
    for (guint i = 0; i < fresh->len; i++)
        g_ptr_array_add(repair->steps, fresh->pdata[i]);
    return fresh;
}

/* The daemon's steps are one action, taken when the first of them has its turn. */
static void take_daemon_steps(Repair *repair, const GPtrArray *steps)
{
    g_autoptr(GPtrArray) group = g_ptr_array_new();

    for (guint i = 0; i < steps->len; i++) {
        Step *step = steps->pdata[i];

        if (step->state == STEP_PLANNED && !repair_kind(step->id)->run)
            g_ptr_array_add(group, step);
    }
    repair_daemon(repair, group);
}

static gboolean take_steps(Repair *repair, const GPtrArray *steps)
{
    gboolean taken = FALSE;

    for (guint i = 0; i < steps->len; i++) {
        Step *step = steps->pdata[i];
        const RepairKind *kind = step->state == STEP_PLANNED ? repair_kind(step->id) : NULL;

        if (!kind)
            continue;
        taken = TRUE;
        if (kind->run)
            step_take(repair, kind, step);
        else
            take_daemon_steps(repair, steps);
    }
    return taken;
}

/* What was mended, or had gone, and stands again at the end. */
static void look_back(const Repair *repair)
{
    for (guint i = 0; i < repair->steps->len; i++) {
        Step *step = repair->steps->pdata[i];
        RepairCase about;

        /* What was skipped for want of consent, or is a person's, stands of course. */
        if (step->state == STEP_FAILED || step->repair == REPAIR_NEVER ||
            (step->repair == REPAIR_CONSENT && !repair_consented(repair->asked, step->id)) ||
            repair_case(repair, step, &about, NULL) != CASE_STANDS)
            continue;
        step_add(step, "but it is there again: %s", about.finding->message);
        step->state = STEP_FAILED;
    }
}

static void end_the_rest(const Repair *repair)
{
    for (guint i = 0; i < repair->steps->len; i++) {
        Step *step = repair->steps->pdata[i];

        if (step->state == STEP_PLANNED)
            step_end(step, STEP_FAILED, "not tried: too much came to light while others were mended");
    }
}

GPtrArray *repair_apply(const RepairHost *host, RepairView *view, const RepairAsked *asked, Deadline deadline)
{
    Repair repair = {.host = host, .asked = asked, .view = view, .deadline = deadline};

    repair.settled = deadline_within(deadline, SETTLE_SECONDS);
    repair.monitor = links_monitor_new(NULL);
    repair.steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) fresh = new_steps(&repair);

        if (!take_steps(&repair, fresh) || !repair_look(&repair, NULL))
            break;
        look_back(&repair);
    }
    end_the_rest(&repair);
    links_monitor_free(repair.monitor);
    return repair.steps;
}
