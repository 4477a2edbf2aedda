/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/finding.h"

static void test_names(void)
{
    g_assert_cmpstr(level_name(LEVEL_OK), ==, "ok");
    g_assert_cmpstr(level_name(LEVEL_WARNING), ==, "warning");
    g_assert_cmpstr(level_name(LEVEL_CRITICAL), ==, "critical");
    g_assert_cmpstr(level_name(LEVEL_UNKNOWN), ==, "unknown");
    g_assert_cmpstr(object_kind_name(OBJECT_HOST), ==, "host");
    g_assert_cmpstr(object_kind_name(OBJECT_NETWORK), ==, "network");
    g_assert_cmpstr(object_kind_name(OBJECT_INTERFACE), ==, "interface");
    g_assert_cmpstr(object_kind_name(OBJECT_LEASE), ==, "lease");
    g_assert_cmpstr(repair_class_name(REPAIR_SAFE), ==, "safe");
    g_assert_cmpstr(repair_class_name(REPAIR_CONSENT), ==, "consent");
    g_assert_cmpstr(repair_class_name(REPAIR_NEVER), ==, "never");
}

/* A check that says nothing of repair allows none. */
static void test_new(void)
{
    Finding *finding = finding_new("id", LEVEL_WARNING, OBJECT_LEASE, "10.0.0.1");

    g_assert_cmpstr(finding->id, ==, "id");
    g_assert_cmpint(finding->level, ==, LEVEL_WARNING);
    g_assert_cmpint(finding->kind, ==, OBJECT_LEASE);
    g_assert_cmpstr(finding->object, ==, "10.0.0.1");
    g_assert_cmpint(finding->repair, ==, REPAIR_NEVER);
    g_assert_null(finding->message);
    g_assert_null(finding->remedy);
    g_assert_cmpuint(finding->evidence->len, ==, 0);
    finding_free(finding);
    finding_free(NULL);
}

static void test_texts(void)
{
    Finding *finding = finding_new("id", LEVEL_OK, OBJECT_HOST, "host");

    finding_message(finding_message(finding, "first"), "one and %d", 2);
    finding_remedy(finding_remedy(finding, "first"), "%s", "second");
    g_assert_true(finding_evidence(finding_evidence(finding, "a%d", 1), "b") == finding);
    g_assert_cmpstr(finding->message, ==, "one and 2");
    g_assert_cmpstr(finding->remedy, ==, "second");
    g_assert_cmpuint(finding->evidence->len, ==, 2);
    g_assert_cmpstr(finding->evidence->pdata[0], ==, "a1");
    g_assert_cmpstr(finding->evidence->pdata[1], ==, "b");
    finding_free(finding);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/finding/names", test_names);
    g_test_add_func("/finding/new", test_new);
    g_test_add_func("/finding/texts", test_texts);
    return g_test_run();
}
