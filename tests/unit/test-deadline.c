/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/deadline.h"

#include <math.h>

/* Readings of the clock go before and after, so that the tests hold however slow the machine is. */
static void assert_in(double seconds, gint64 expected)
{
    gint64 before = g_get_monotonic_time();
    Deadline deadline = deadline_in(seconds);
    gint64 after = g_get_monotonic_time();

    g_assert_cmpint(deadline, >=, before + expected);
    g_assert_cmpint(deadline, <=, after + expected);
}

static void test_in(void)
{
    assert_in(0, 0);
    assert_in(-5, 0);
    assert_in(0.25, 250000);
    assert_in(10, 10 * G_USEC_PER_SEC);
    g_assert_true(deadline_in(1e300) == DEADLINE_NEVER);
    g_assert_true(deadline_in(INFINITY) == DEADLINE_NEVER);
}

static void test_within(void)
{
    Deadline soon = deadline_in(1);
    Deadline late = deadline_in(1000);

    g_assert_cmpint(deadline_within(soon, 100), ==, soon);
    g_assert_cmpint(deadline_within(late, 1), <, late);
    g_assert_cmpint(deadline_within(DEADLINE_NEVER, 1), <, late);
}

static void test_keeping(void)
{
    Deadline deadline = deadline_in(1000);
    Deadline passed = g_get_monotonic_time() - 1;

    g_assert_cmpint(deadline_keeping(deadline, 2, 0.4), ==, deadline - 2 * G_USEC_PER_SEC);
    /* Less than 400 of at most 1,000. */
    g_assert_cmpint(deadline_keeping(deadline, 900, 0.4), >=, deadline - 400 * G_USEC_PER_SEC);
    g_assert_cmpint(deadline_keeping(deadline, 900, 0.4), <, deadline);
    g_assert_cmpint(deadline_keeping(passed, 2, 0.4), ==, passed);
    g_assert_true(deadline_keeping(DEADLINE_NEVER, 2, 0.4) == DEADLINE_NEVER);
}

static void test_poll(void)
{
    gint64 now = g_get_monotonic_time();
    int left;

    g_assert_cmpint(deadline_poll_ms(DEADLINE_NEVER), ==, -1);
    g_assert_cmpint(deadline_poll_ms(now), ==, 0);
    g_assert_cmpint(deadline_poll_ms(now - 5000), ==, 0);
    g_assert_cmpint(deadline_poll_ms(DEADLINE_NEVER - 1), ==, G_MAXINT);
    left = deadline_poll_ms(now + 100 * G_USEC_PER_SEC);
    g_assert_cmpint(left, >, 0);
    g_assert_cmpint(left, <=, 100000);
}

/* A poll that ends a little early must not find itself before a deadline with no time left: it would spin. */
static void test_poll_rounds_up(void)
{
    for (guint i = 0; i < 1000; i++) {
        Deadline deadline = g_get_monotonic_time() + 500;
        int left = deadline_poll_ms(deadline);

        g_assert_true(left == 1 || deadline_passed(deadline));
    }
}

static void test_passed(void)
{
    gint64 now = g_get_monotonic_time();

    g_assert_true(deadline_passed(now));
    g_assert_false(deadline_passed(now + 1000 * G_USEC_PER_SEC));
    g_assert_false(deadline_passed(DEADLINE_NEVER));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/deadline/in", test_in);
    g_test_add_func("/deadline/within", test_within);
    g_test_add_func("/deadline/keeping", test_keeping);
    g_test_add_func("/deadline/poll", test_poll);
    g_test_add_func("/deadline/poll-rounds-up", test_poll_rounds_up);
    g_test_add_func("/deadline/passed", test_passed);
    return g_test_run();
}
