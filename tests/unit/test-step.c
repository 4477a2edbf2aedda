/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "model/step.h"
#include "views/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A finding and the step of it. */
static Finding *tap_finding(void)
{
    Finding *finding = finding_new("tap-orphaned", LEVEL_CRITICAL, OBJECT_INTERFACE, "vnet3");

    finding->network = g_strdup("default");
    finding->domain_uuid = g_strdup("4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
    finding->repair = REPAIR_SAFE;
    return finding;
}

static void test_about(void)
{
    Finding *finding = tap_finding(), *other = tap_finding();
    Step *step = step_new(finding);

    g_assert_true(step_is_about(step, finding));
    g_assert_cmpint(step->state, ==, STEP_PLANNED);
    g_assert_cmpint(step->repair, ==, REPAIR_SAFE);
    other->id = "tap-down";
    g_assert_false(step_is_about(step, other));
    other->id = "tap-orphaned";
    g_free(other->domain_uuid);
    other->domain_uuid = NULL;
    g_assert_false(step_is_about(step, other));
    step_add(step, "one");
    step_add(step, "%s", "two");
    g_assert_cmpstr(step->detail, ==, "one; two");
    step_end(step, STEP_FAILED, "three");
    g_assert_cmpstr(step->detail, ==, "three");
    step_end(step, STEP_PLANNED, NULL);
    g_assert_null(step->detail);
    step_free(step);
    finding_free(finding);
    finding_free(other);
}

/* One step of each state, with a name that bites. */
static GPtrArray *some_steps(void)
{
    static const StepState states[] = {STEP_PLANNED, STEP_DONE, STEP_SKIPPED, STEP_FAILED};
    GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
    Finding *finding = tap_finding();

    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        Step *step = step_new(finding);

        step->action = g_strdup("put vnet3 of a\033[31m back on virbr0");
        step_end(step, states[i], i > 0 ? "because\xff" : NULL);
        if (i > 1)
            step->command = g_strdup("vnat status");
        g_ptr_array_add(steps, step);
    }
    finding_free(finding);
    return steps;
}

static char *text_of(const GPtrArray *steps, gboolean applied, gboolean brief, gboolean color)
{
    const ViewContext view = {.color = color};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    steps_write(out, steps, applied, brief, &view);
    fclose(out);
    return text;
}

static void assert_text(const GPtrArray *steps, gboolean applied, gboolean brief, gboolean color,
                        const char *expected)
{
    char *text = text_of(steps, applied, brief, color);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

#define ACTION "tap-orphaned (vnet3): put vnet3 of a\\x1b[31m back on virbr0\n"

static void test_text(void)
{
    g_autoptr(GPtrArray) steps = some_steps();
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    assert_text(steps, FALSE, FALSE, FALSE,
                "planned: " ACTION "done: " ACTION "    because\\xff\n"
                "skipped: " ACTION "    because\\xff\n    try: vnat status\n"
                "failed: " ACTION "    because\\xff\n    try: vnat status\n"
                "1 planned, 1 done, 1 failed, 1 skipped; nothing was changed\n");
    assert_text(steps, TRUE, TRUE, TRUE,
                "\033[33mplanned\033[0m: " ACTION "\033[32mdone\033[0m: " ACTION "    because\\xff\n"
                "\033[31mfailed\033[0m: " ACTION "    because\\xff\n    try: vnat status\n");
    assert_text(none, TRUE, FALSE, FALSE, "nothing to repair\n");
    assert_text(none, FALSE, FALSE, FALSE, "nothing to repair\n");
    assert_text(none, TRUE, TRUE, FALSE, "");
}

static void test_json(void)
{
    g_autoptr(GPtrArray) steps = some_steps();
    json_t *obj = json_of_step(steps->pdata[3]);
    char *text = json_dumps(obj, JSON_COMPACT | JSON_ENSURE_ASCII);

    g_assert_cmpstr(text, ==,
                    "{\"id\":\"tap-orphaned\",\"object\":{\"kind\":\"interface\",\"name\":\"vnet3\"},"
                    "\"action\":\"put vnet3 of a\\u001B[31m back on virbr0\",\"class\":\"safe\","
                    "\"state\":\"failed\",\"detail\":\"because\\uFFFD\",\"detail_hex\":\"62656361757365ff\","
                    "\"command\":\"vnat status\"}");
    free(text);
    json_decref(obj);
    obj = json_of_step(steps->pdata[0]);
    g_assert_true(json_is_null(json_object_get(obj, "detail")));
    g_assert_true(json_is_null(json_object_get(obj, "command")));
    json_decref(obj);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/step/about", test_about);
    g_test_add_func("/step/text", test_text);
    g_test_add_func("/step/json", test_json);
    return g_test_run();
}
