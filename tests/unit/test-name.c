/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/name.h"

static void test_letters(void)
{
    static const char *const good[] = {"virbr0", "a", "0", "A_b.c-d", NULL};
    static const char *const bad[] = {"",    "-rf",    ".",     "..",    "_a",  "a b",  "a/b",
                                      "a\n", "a\tb",   "a'b",   "a%d",   "a:b", "a\\b", "caf\xc3\xa9",
                                      "a$b", "--help", "a\x7f", "a\xff", NULL};

    for (gsize i = 0; good[i]; i++)
        g_assert_true(name_is_ifname(good[i]) && name_is_network(good[i]));
    for (gsize i = 0; bad[i]; i++) {
        if (name_is_ifname(bad[i]) || name_is_network(bad[i]))
            g_error("'%s' was taken", bad[i]);
    }
    g_assert_false(name_is_ifname(NULL));
    g_assert_false(name_is_network(NULL));
    g_assert_false(name_is_uuid(NULL));
}

static void test_lengths(void)
{
    for (gsize length = 1; length < 60; length++) {
        g_autofree char *name = g_strnfill(length, 'a');

        g_assert_cmpint(name_is_ifname(name), ==, length <= 15);
        g_assert_cmpint(name_is_network(name), ==, length <= 50);
    }
}

static void test_uuid(void)
{
    g_assert_true(name_is_uuid("6f7a1c2e-0000-4000-8000-0123456789aB"));
    g_assert_false(name_is_uuid("6f7a1c2e-0000-4000-8000-0123456789a"));
    g_assert_false(name_is_uuid("6f7a1c2e-0000-4000-8000-0123456789abc"));
    g_assert_false(name_is_uuid("6f7a1c2e00004000-8000-0123456789ab--"));
    g_assert_false(name_is_uuid("6f7a1c2e-0000-4000-8000-0123456789ag"));
}

static void test_pid_file(void)
{
    g_autofree char *plain = name_pid_file("VM 1\\n\xc3\xa4;#$");
    g_autofree char *escaped = name_pid_file("<it's> \"&");
    g_autofree char *empty = name_pid_file("");

    g_assert_cmpstr(plain, ==, "VM 1\\n\xc3\xa4;#$.pid");
    g_assert_cmpstr(escaped, ==, "&lt;it&apos;s&gt; &quot;&amp;.pid");
    g_assert_cmpstr(empty, ==, ".pid");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/name/letters", test_letters);
    g_test_add_func("/name/lengths", test_lengths);
    g_test_add_func("/name/uuid", test_uuid);
    g_test_add_func("/name/pid-file", test_pid_file);
    return g_test_run();
}
