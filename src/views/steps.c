/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/steps.h"

#include "base/text.h"
#include "views/json.h"

static void put_escaped(FILE *out, const char *text, const ViewContext *view)
{
    g_autofree char *escaped = text_escape(text, -1, view->utf8);

    fputs(escaped, out);
}

static const char *state_color(StepState state)
{
    switch (state) {
    case STEP_PLANNED:
        return "33";
    case STEP_DONE:
        return "32";
    case STEP_SKIPPED:
        return "0";
    case STEP_FAILED:
        return "31";
    }
    return "0";
}

static void put_state(FILE *out, StepState state, const ViewContext *view)
{
    if (view->color)
        fprintf(out, "\033[%sm%s\033[0m", state_color(state), step_state_name(state));
    else
        fputs(step_state_name(state), out);
}

static void put_line(FILE *out, const char *label, const char *text, const ViewContext *view)
{
    if (!text)
        return;
    fprintf(out, "    %s", label);
    put_escaped(out, text, view);
    fputs("\n", out);
}

static void put_step(FILE *out, const Step *step, const ViewContext *view)
{
    put_state(out, step->state, view);
    fprintf(out, ": %s (", step->id);
    put_escaped(out, step->object, view);
    fputs("): ", out);
    put_escaped(out, step->action, view);
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
