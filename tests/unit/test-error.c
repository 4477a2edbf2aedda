/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <gio/gio.h>

static void test_set(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(vnat_error_set(NULL, VNAT_ERROR_USAGE, "ignored"));
    g_assert_false(vnat_error_set(&error, VNAT_ERROR_USAGE, "no %s, %d", "such", 7));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "no such, 7");
    g_assert_null(vnat_error_get_what(error));
    g_assert_null(vnat_error_get_hint(error));
}

/* The outermost line stays in front; those within move before the cause. */
static void test_what(void)
{
    g_autoptr(GError) error = NULL;

    vnat_error_set(&error, VNAT_ERROR_EXISTS, "bridge exists");
    vnat_error_what(&error, "failed to make %s", "virbr0");
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to make virbr0");
    g_assert_cmpstr(error->message, ==, "bridge exists");
    vnat_error_what(&error, "failed to start network");
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to start network");
    g_assert_cmpstr(error->message, ==, "failed to make virbr0: bridge exists");
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
}

static void test_hint(void)
{
    g_autoptr(GError) error = NULL;

    vnat_error_set(&error, VNAT_ERROR_FAILED, "cause");
    vnat_error_hint(&error, "the %s one", "innermost");
    vnat_error_hint(&error, "another");
    g_assert_cmpstr(vnat_error_get_hint(error), ==, "the innermost one");
}

static void test_unset(void)
{
    GError *error = NULL;

    vnat_error_what(NULL, "x");
    vnat_error_hint(NULL, "x");
    vnat_error_what(&error, "x");
    vnat_error_hint(&error, "x");
    g_assert_null(error);
    g_assert_null(vnat_error_get_what(NULL));
    g_assert_null(vnat_error_get_hint(NULL));
}

static void test_foreign(void)
{
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no such file");

    g_assert_null(vnat_error_get_what(error));
    g_assert_null(vnat_error_get_hint(error));
    vnat_error_what(&error, "failed to read");
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, "no such file");
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to read");
}

static void test_copy(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) copy = NULL;

    vnat_error_set(&error, VNAT_ERROR_DENIED, "cause");
    vnat_error_what(&error, "what");
    vnat_error_hint(&error, "hint");
    copy = g_error_copy(error);
    g_clear_error(&error);
    g_assert_error(copy, VNAT_ERROR, VNAT_ERROR_DENIED);
    g_assert_cmpstr(vnat_error_get_what(copy), ==, "what");
    g_assert_cmpstr(vnat_error_get_hint(copy), ==, "hint");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/set", test_set);
    g_test_add_func("/error/what", test_what);
    g_test_add_func("/error/hint", test_hint);
    g_test_add_func("/error/unset", test_unset);
    g_test_add_func("/error/foreign", test_foreign);
    g_test_add_func("/error/copy", test_copy);
    return g_test_run();
}
