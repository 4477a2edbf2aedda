/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/probe.h"
#include "views/probe.h"
#include "world.h"

#include <string.h>

static char *ids(const ProbeStage *stage)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < stage->checks->len; i++)
        g_string_append_printf(text, "%s ", (const char *)stage->checks->pdata[i]);
    return g_string_free(text, FALSE);
}

static Finding *found(GPtrArray *findings, const char *id, Level level, const char *network)
{
    Finding *finding = finding_new(id, level, OBJECT_NETWORK, network);

    finding->network = g_strdup(network);
    finding_message(finding, "something about %s", id);
    finding_remedy(finding, "mend %s", id);
    g_ptr_array_add(findings, finding);
    return finding;
}

static void test_blame(void)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    g_autoptr(GPtrArray) before = g_ptr_array_new();
    g_autoptr(Network) network = network_new();
    ProbeStage *stage = probe_stage_new(PROBE_DHCP, 4);
    g_autofree char *all = NULL;
    g_autofree char *own = NULL;

    network->name = g_strdup("default");
    probe_stage_end(stage, TRI_NO, "nothing");
    probe_stage_blame(stage, before, findings, network);
    all = ids(stage);
    g_assert_cmpstr(all, ==,
                    "dnsmasq-dead dnsmasq-not-listening input-blocked port-conflict firewalld-zone "
                    "dhcp-pool-low ");
    g_assert_cmpstr(stage->excludes, ==, "the bridge and its ports: they forward");
    probe_stage_free(stage);
    found(findings, "dnsmasq-dead", LEVEL_CRITICAL, "other");
    found(findings, "nat-rules-missing", LEVEL_CRITICAL, "default");
    found(findings, "input-blocked", LEVEL_UNKNOWN, "default");
    found(findings, "port-conflict", LEVEL_WARNING, "default");
    stage = probe_stage_new(PROBE_DHCP, 4);
    probe_stage_end(stage, TRI_NO, "nothing");
    probe_stage_blame(stage, before, findings, network);
    own = ids(stage);
    g_assert_cmpstr(own, ==, "port-conflict ");
    g_assert_cmpstr(stage->detail, ==, "nothing; something about port-conflict");
    g_assert_cmpstr(stage->remedy, ==, "mend port-conflict");
    probe_stage_free(stage);
    /* One that says itself what to try is about nothing that a check looks at. */
    stage = probe_stage_new(PROBE_DNS, 4);
    stage->remedy = g_strdup("ask others");
    probe_stage_end(stage, TRI_NO, "nothing");
    probe_stage_blame(stage, before, NULL, network);
    g_assert_cmpuint(stage->checks->len, ==, 0);
    probe_stage_free(stage);
}

/* Packets that do not leave this host prove nothing about what is beyond. */
static void test_blame_goes_back(void)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func((GDestroyNotify)probe_stage_free);
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    g_autoptr(Network) network = network_new();
    ProbeStage *uplink = probe_stage_new(PROBE_UPLINK, 4);

    network->name = g_strdup("default");
    probe_stage_end(uplink, TRI_NO, "refused");
    g_ptr_array_add(uplink->checks, (gpointer) "ip-forward-off");
    g_ptr_array_add(before, probe_stage_new(PROBE_LINK, 0));
    g_ptr_array_add(before, uplink);
    for (guint pass = 0; pass < 3; pass++) {
        static const char *const excludes[] = {
            "nothing more: stage uplink failed before it",
            "all up to this host's uplink: look at the translation, and at what is beyond",
            "nothing more: stage uplink failed before it"};
        static const char *const checks[] = {"ip-forward-off ",
                                             "nat-rules-missing forward-blocked conntrack-full mtu-mismatch ",
                                             "conntrack-full "};
        /* Of the other family nothing has failed. */
        ProbeStage *nat = probe_stage_new(PROBE_NAT, pass == 1 ? 6 : 4);
        g_autofree char *named = NULL;

        if (pass == 2)
            found(findings, "conntrack-full", LEVEL_CRITICAL, "default");
        probe_stage_end(nat, TRI_NO, "no answer");
        probe_stage_blame(nat, before, findings, network);
        named = ids(nat);
        g_assert_cmpstr(nat->excludes, ==, excludes[pass]);
        g_assert_cmpstr(named, ==, checks[pass]);
        probe_stage_free(nat);
    }
}

/* Where nothing could be sent nothing is proved, and what checks found is beside the point. */
static void test_blame_settled(void)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func((GDestroyNotify)probe_stage_free);
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    g_autoptr(Network) network = network_new();

    network->name = g_strdup("default");
    found(findings, "nat-rules-missing", LEVEL_CRITICAL, "default");
    for (guint pass = 0; pass < 2; pass++) {
        static const char *const excludes[] = {NULL, "nothing more: stage uplink failed before it"};
        ProbeStage *nat = probe_stage_new(PROBE_NAT, 4);

        nat->settled = TRUE;
        probe_stage_end(nat, TRI_NO, "nothing was sent");
        probe_stage_blame(nat, before, findings, network);
        g_assert_cmpstr(nat->excludes, ==, excludes[pass]);
        g_assert_cmpuint(nat->checks->len, ==, 0);
        g_assert_cmpstr(nat->detail, ==, "nothing was sent");
        probe_stage_free(nat);
        g_ptr_array_add(before, probe_stage_new(PROBE_UPLINK, 4));
        probe_stage_end(before->pdata[0], TRI_NO, "refused");
    }
}

static void test_target(void)
{
    static const struct {
        const char *text, *host;
        guint8 family;
        guint16 port;
    } good[] = {
        {"192.0.2.1", "192.0.2.1", 4, 0},           {"192.0.2.1:80", "192.0.2.1", 4, 80},
        {"example.org:443", "example.org", 0, 443}, {"example.org", "example.org", 0, 0},
        {"2001:db8::1", "2001:db8::1", 6, 0},       {"[2001:db8::1]:22", "2001:db8::1", 6, 22},
        {"[2001:db8::1]", "2001:db8::1", 6, 0},
    };
    static const char *const bad[] = {"",          ":80",          "a:",      "a:0",        "a:65536",
                                      "a:80x",     "[::1",         "[]:80",   "a b/c",      "a..b:80",
                                      "224.0.0.1", "127.0.0.1:80", "0.0.0.0", "1.2.3.4]:5", "[1.2.3.4"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_auto(ProbeTarget) target = {0};
        g_autoptr(GError) error = NULL;

        g_assert_true(probe_target_parse(good[i].text, &target, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(target.host, ==, good[i].host);
        g_assert_cmpuint(target.ip.family, ==, good[i].family);
        g_assert_cmpuint(target.port, ==, good[i].port);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(ProbeTarget) target = {0};
        g_autoptr(GError) error = NULL;

        g_assert_false(probe_target_parse(bad[i], &target, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_USAGE);
        g_assert_null(target.host);
    }
}

static GPtrArray *list_of(const Tri *oks, guint count)
{
    GPtrArray *stages = g_ptr_array_new_with_free_func((GDestroyNotify)probe_stage_free);

    for (guint i = 0; i < count; i++) {
        ProbeStage *stage = probe_stage_new((ProbeStageId)i, i ? 4 : 0);

        probe_stage_end(stage, oks[i], "what was seen\n");
        stage->ms = oks[i] == TRI_UNKNOWN ? -1 : (gint64)i;
        g_ptr_array_add(stages, stage);
    }
    return stages;
}

static void test_verdict(void)
{
    static const Tri failed[] = {TRI_YES, TRI_NO, TRI_YES}, passed[] = {TRI_YES, TRI_YES, TRI_UNKNOWN},
                     none[] = {TRI_UNKNOWN};
    g_autoptr(GPtrArray) a = list_of(failed, 3);
    g_autoptr(GPtrArray) b = list_of(passed, 3);
    g_autoptr(GPtrArray) c = list_of(none, 1);

    g_assert_cmpint(probe_verdict(a), ==, TRI_NO);
    g_assert_cmpint(probe_failure(a)->id, ==, PROBE_DHCP);
    g_assert_cmpint(probe_verdict(b), ==, TRI_YES);
    g_assert_null(probe_failure(b));
    g_assert_cmpint(probe_verdict(c), ==, TRI_UNKNOWN);
}

static void test_text(void)
{
    static const Tri oks[] = {TRI_YES, TRI_NO, TRI_UNKNOWN};
    const ViewContext view = {.utf8 = TRUE};
    g_autoptr(GPtrArray) stages = list_of(oks, 3);
    g_autofree char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ProbeStage *failed = stages->pdata[1];

    g_ptr_array_add(failed->checks, (gpointer) "dnsmasq-dead");
    failed->excludes = g_strdup("the bridge");
    failed->remedy = g_strdup("mend\x1b it");
    for (guint i = 0; i < stages->len; i++)
        probe_stage_write(out, stages->pdata[i], FALSE, &view);
    probe_verdict_write(out, stages, "b\nd", &view);
    fclose(out);
    g_assert_cmpstr(text, ==,
                    "link          ok          0 ms  what was seen\\x0a\n"
                    "dhcp    ipv4  failed      1 ms  what was seen\\x0a\n"
                    "    excludes: the bridge\n"
                    "    check: dnsmasq-dead\n"
                    "    try: mend\\x1b it\n"
                    "gateway ipv4  -                 what was seen\\x0a\n"
                    "network b\\x0ad: a guest's packets do not get past stage dhcp\n");
}

/* Who gave it too little time learns nothing of the network but what was seen by then. */
static void test_late(void)
{
    static const Tri oks[] = {TRI_YES, TRI_NO, TRI_UNKNOWN};
    const ViewContext view = {.utf8 = TRUE};
    g_autoptr(GPtrArray) stages = list_of(oks, 3);
    ProbeStage *late = stages->pdata[1], *behind = stages->pdata[2];
    g_autofree char *named = NULL;
    g_autofree char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    g_assert_null(probe_late(stages));
    g_ptr_array_add(late->checks, (gpointer) "bridge-down");
    late->remedy = g_strdup("mend it");
    late->family = behind->family = 6;
    probe_stage_end_late(late, NULL, 40);
    probe_stage_end_late(behind, late, 40);
    named = ids(late);
    g_assert_cmpint(late->ok, ==, TRI_UNKNOWN);
    g_assert_cmpstr(named, ==, "");
    g_assert_null(late->remedy);
    g_assert_true(probe_late(stages) == late);
    g_assert_null(probe_failure(stages));
    g_assert_cmpint(probe_verdict(stages), ==, TRI_UNKNOWN);
    /* It may have passed before the stage was tried at all: what was proved up to there is no end. */
    late->ms = -1;
    g_assert_cmpint(probe_verdict(stages), ==, TRI_UNKNOWN);
    late->ms = 1;
    for (guint i = 0; i < stages->len; i++)
        probe_stage_write(out, stages->pdata[i], FALSE, &view);
    probe_verdict_write(out, stages, "default", &view);
    fclose(out);
    g_assert_cmpstr(
        text, ==,
        "link          ok          0 ms  what was seen\\x0a\n"
        "dhcp    ipv6  unknown     1 ms  the deadline passed before it was done: --timeout 40 gives "
        "it time\n"
        "gateway ipv6  -                 not reached: the deadline passed in stage dhcp of IPv6\n"
        "network default: the deadline passed in stage dhcp of IPv6, and nothing had failed\n");
    /* What failed before it failed. */
    ((ProbeStage *)stages->pdata[0])->ok = TRI_NO;
    g_assert_cmpint(probe_verdict(stages), ==, TRI_NO);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/probe/blame", test_blame);
    g_test_add_func("/probe/blame/back", test_blame_goes_back);
    g_test_add_func("/probe/blame/settled", test_blame_settled);
    g_test_add_func("/probe/target", test_target);
    g_test_add_func("/probe/verdict", test_verdict);
    g_test_add_func("/probe/text", test_text);
    g_test_add_func("/probe/late", test_late);
    return g_test_run();
}
