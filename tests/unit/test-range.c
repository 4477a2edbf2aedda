/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/range.h"

#include "base/error.h"

/* The table of the Monitoring Plugins' guidelines, "Threshold and ranges", and what is none. */

static void test_alerts(void)
{
    static const struct {
        const char *text;
        double value;
        gboolean alerts;
    } cases[] = {
        {"10", -1, TRUE},      {"10", 0, FALSE},       {"10", 10, FALSE},    {"10", 10.5, TRUE},
        {"10:", 9, TRUE},      {"10:", 10, FALSE},     {"10:", 1e9, FALSE},  {"~:10", -1e9, FALSE},
        {"~:10", 10, FALSE},   {"~:10", 11, TRUE},     {"10:20", 9, TRUE},   {"10:20", 10, FALSE},
        {"10:20", 20, FALSE},  {"10:20", 21, TRUE},    {"@10:20", 9, FALSE}, {"@10:20", 10, TRUE},
        {"@10:20", 20, TRUE},  {"@10:20", 21, FALSE},  {"@80:", 79, FALSE},  {"@80:", 80, TRUE},
        {"79", 79, FALSE},     {"79", 80, TRUE},       {"-5:-1", -3, FALSE}, {"-5:-1", 0, TRUE},
        {"0.5:1.5", 1, FALSE}, {"0.5:1.5", 0.4, TRUE}, {"0", 0, FALSE},      {"0", 1, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        Range range;

        g_test_message("%s: %g", cases[i].text, cases[i].value);
        range_parse(cases[i].text, &range, &error);
        g_assert_no_error(error);
        g_assert_cmpint(range_alerts(&range, cases[i].value), ==, cases[i].alerts);
    }
}

static void test_none(void)
{
    static const char *const texts[] = {"",     ":",   "@",   "~",        "x",   "10:x", "20:10", "1e3",
                                        "0x10", "nan", "inf", "10:20:30", " 10", "10 ",  "1.",    ".5",
                                        "--1",  "@~",  "+1",  "1,5",      "10%", "@@1",  "~10",   ":10"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        Range range;

        g_test_message("'%s'", texts[i]);
        g_assert_false(range_parse(texts[i], &range, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_USAGE);
    }
}

/* What is written means the same when it is read. */
static void test_text(void)
{
    static const struct {
        const char *text, *again;
    } cases[] = {
        {"10", "10"},     {"10:", "10:"}, {"~:10", "~:10"}, {"10:20", "10:20"}, {"@10:20", "@10:20"},
        {"0:10", "10"},   {"0:", "0:"},   {"@0:79", "@79"}, {"-5:-1", "-5:-1"}, {"0.5:1.50", "0.5:1.5"},
        {"@80:", "@80:"}, {"~:", "~:"},   {"00010", "10"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL, *twice = NULL;
        Range range;

        g_assert_true(range_parse(cases[i].text, &range, NULL));
        text = range_text(&range);
        g_assert_cmpstr(text, ==, cases[i].again);
        g_assert_true(range_parse(text, &range, NULL));
        twice = range_text(&range);
        g_assert_cmpstr(twice, ==, text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/range/alerts", test_alerts);
    g_test_add_func("/range/none", test_none);
    g_test_add_func("/range/text", test_text);
    return g_test_run();
}
