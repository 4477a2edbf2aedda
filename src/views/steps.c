/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/steps.h"

#include "views/json.h"
#include "views/mark.h"

static const char *state_color(StepState state)
{
    switch (state) {
    case STEP_PLANNED:
        return MARK_YELLOW;
    case STEP_DONE:
        return MARK_GREEN;
    case STEP_SKIPPED:
        return MARK_PLAIN;
    case STEP_FAILED:
        return MARK_RED;
    }
    return MARK_PLAIN;
}

static void put_line(FILE *out, const char *label, const char *text, const ViewContext *view)
{
    if (!text)
        return;
    fprintf(out, "    %s", label);
    mark_escaped(out, text, view);
    fputs("\n", out);
}

static void put_step(FILE *out, const Step *step, const ViewContext *view)
{
    mark_colored(out, state_color(step->state), step_state_name(step->state), view);
    fprintf(out, ": %s (", step->id);
    mark_escaped(out, step->object, view);
    fputs("): ", out);
    mark_escaped(out, step->action, view);
    fputs("\n", out);
    put_line(out, "", step->detail, view);
    put_line(out, "try: ", step->command, view);
}

static void put_numbers(FILE *out, const GPtrArray *steps, gboolean applied)
{
    static const StepState order[] = {STEP_PLANNED, STEP_DONE, STEP_FAILED, STEP_SKIPPED};
    const char *between = "";

    for (guint k = 0; k < G_N_ELEMENTS(order); k++) {
        guint count = 0;

        for (guint i = 0; i < steps->len; i++)
            count += ((const Step *)steps->pdata[i])->state == order[k];
        if (count == 0)
            continue;
        fprintf(out, "%s%u %s", between, count, step_state_name(order[k]));
        between = ", ";
    }
    if (steps->len == 0)
        fputs("nothing to repair", out);
    else if (!applied)
        fputs("; nothing was changed", out);
    fputs("\n", out);
}

void steps_write(FILE *out, const GPtrArray *steps, gboolean applied, gboolean brief, const ViewContext *view)
{
    for (guint i = 0; i < steps->len; i++) {
        const Step *step = steps->pdata[i];

        if (!brief || step->state != STEP_SKIPPED)
            put_step(out, step, view);
    }
    if (!brief)
        put_numbers(out, steps, applied);
}

json_t *json_of_step(gconstpointer step_record)
{
    const Step *step = step_record;
    json_t *obj = json_object();
    json_t *object = json_object();

    json_object_set_new(obj, "id", json_string(step->id));
    json_object_set_new(object, "kind", json_string(object_kind_name(step->kind)));
    json_put_text(object, "name", step->object);
    json_object_set_new(obj, "object", object);
    json_put_text(obj, "action", step->action);
    json_object_set_new(obj, "class", json_string(repair_class_name(step->repair)));
    json_object_set_new(obj, "state", json_string(step_state_name(step->state)));
    json_put_text(obj, "detail", step->detail);
    json_put_text(obj, "command", step->command);
    return obj;
}
