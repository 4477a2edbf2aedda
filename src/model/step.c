/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/step.h"

#include <string.h>

const char *step_state_name(StepState state)
{
    switch (state) {
    case STEP_PLANNED:
        return "planned";
    case STEP_DONE:
        return "done";
    case STEP_SKIPPED:
        return "skipped";
    case STEP_FAILED:
        return "failed";
    }
    return "failed";
}

Step *step_new(const Finding *finding)
{
    Step *step = g_new0(Step, 1);

    step->id = finding->id;
    step->kind = finding->kind;
    step->object = g_strdup(finding->object);
    step->network = g_strdup(finding->network);
    step->domain_uuid = g_strdup(finding->domain_uuid);
    step->repair = finding->repair;
    step->state = STEP_PLANNED;
    return step;
}

void step_free(Step *step)
{
    if (!step)
        return;
    g_free(step->object);
    g_free(step->network);
    g_free(step->domain_uuid);
    g_free(step->action);
    g_free(step->detail);
    g_free(step->command);
    g_free(step);
}

gboolean step_is_about(const Step *step, const Finding *finding)
{
    return step->kind == finding->kind && strcmp(step->id, finding->id) == 0 &&
           g_strcmp0(step->object, finding->object) == 0 && g_strcmp0(step->network, finding->network) == 0 &&
           g_strcmp0(step->domain_uuid, finding->domain_uuid) == 0;
}

void step_end(Step *step, StepState state, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    step->state = state;
    g_free(step->detail);
    step->detail = format ? g_strdup_vprintf(format, args) : NULL;
    va_end(args);
}

void step_add(Step *step, const char *format, ...)
{
    g_autofree char *before = g_steal_pointer(&step->detail);
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    step->detail = before ? g_strconcat(before, "; ", text, NULL) : g_steal_pointer(&text);
}
