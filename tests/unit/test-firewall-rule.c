/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-tools.h"
#include "model/firewall-rule.h"

/* What one rule says: conditions that are understood, a verdict, and whether that is all of it. */

static const char *verdict_name(RuleVerdict verdict)
{
    static const char *const names[] = {"none", "accept", "refuse", "return", "jump", "snat"};

    return names[verdict];
}

static void put_address(GString *text, const char *name, const RuleAddress *address)
{
    g_autofree char *net = address->set ? ipnet_to_string(&address->net) : NULL;

    if (net)
        g_string_append_printf(text, "%s%s=%s ", name, address->negated ? "!" : "", net);
}

static void put_device(GString *text, const char *name, const RuleDevice *device)
{
    if (device->name)
        g_string_append_printf(text, "%s%s=%s%s ", name, device->negated ? "!" : "", device->name,
                               device->wildcard ? "(wild)" : "");
}

/* A table of this shape with one chain, "c". */
static FirewallTable *table_new(FirewallShape shape)
{
    FirewallTable *table = firewall_table_new(shape, "ip", "t");

    g_ptr_array_add(table->chains, firewall_chain_new("c"));
    return table;
}

/* A new rule in the chain. */
static FirewallRule *rule_in(const FirewallTable *table)
{
    FirewallRule *rule = firewall_rule_new();

    g_ptr_array_add(firewall_table_chain(table, "c")->rules, rule);
    return rule;
}

/* The view as "src=… dst=… in=… out=… replies VERDICT [TARGET]", with "~" in front if it is not exact. */
static char *view_text(const FirewallTable *table, const FirewallRule *rule)
{
    GString *text = g_string_new(NULL);
    RuleView view;

    firewall_rule_view(table, rule, &view);
    if (!view.exact)
        g_string_append(text, "~ ");
    put_address(text, "src", &view.src);
    put_address(text, "dst", &view.dst);
    put_device(text, "in", &view.in);
    put_device(text, "out", &view.out);
    if (view.replies)
        g_string_append(text, "replies ");
    g_string_append(text, verdict_name(view.verdict));
    if (view.target)
        g_string_append_printf(text, " %s", view.target);
    return g_string_free(text, FALSE);
}

#define MATCH(left, op, right) "{\"match\":{\"op\":\"" op "\",\"left\":{" left "},\"right\":" right "}}"
#define FIELD(protocol, field) "\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}"
#define SADDR FIELD("ip", "saddr")
#define META(key) "\"meta\":{\"key\":\"" key "\"}"
#define STATE "\"ct\":{\"key\":\"state\"}"
#define NET(addr, len) "{\"prefix\":{\"addr\":\"" addr "\",\"len\":" len "}}"

static const struct {
    const char *expr, *text;
} nft_cases[] = {
    {"", "none"},
    {"{\"accept\":null}", "accept"},
    {"{\"drop\":null}", "refuse"},
    {"{\"reject\":{\"type\":\"tcp reset\"}}", "refuse"},
    {"{\"return\":null}", "return"},
    {"{\"counter\":null},{\"log\":{\"prefix\":\"x\"}},{\"masquerade\":null}", "snat"},
    {"{\"snat\":{\"addr\":\"203.0.113.1\"}}", "snat"},
    {"{\"jump\":{\"target\":\"c\"}}", "jump c"},
    {"{\"goto\":{\"target\":\"c\"}}", "jump c"},
    {"{\"jump\":{}}", "~ none"},
    /* The first verdict is the rule's. */
    {"{\"jump\":{\"target\":\"c\"}},{\"accept\":null}", "jump c"},
    {"{\"drop\":null},{\"counter\":null},{\"fib\":{}}", "refuse"},
    {"{\"dnat\":{\"addr\":\"10.0.0.1\"}}", "~ none"},
    {"1", "~ none"},
    /* Addresses. */
    {MATCH(SADDR, "==", "\"10.0.0.1\"") ",{\"drop\":null}", "src=10.0.0.1/32 refuse"},
    {MATCH(SADDR, "!=", NET("10.0.0.0", "8")), "src!=10.0.0.0/8 none"},
    {MATCH(FIELD("ip6", "daddr"), "==", NET("fd00::", "64")), "dst=fd00::/64 none"},
    {MATCH(SADDR, "==", NET("10.0.0.0", "33")), "~ none"},
    {MATCH(SADDR, "==", "{\"prefix\":{\"len\":8}}"), "~ none"},
    {MATCH(SADDR, "==", "\"@set\""), "~ none"},
    {MATCH(SADDR, "==", "{\"range\":[\"10.0.0.1\",\"10.0.0.9\"]}"), "~ none"},
    {MATCH(SADDR, "==", "\"10.0.0.1\"") "," MATCH(SADDR, "==", "\"10.0.0.2\""), "~ src=10.0.0.1/32 none"},
    {MATCH(FIELD("ip", "daddr"), "==", "\"@set\""), "~ none"},
    {MATCH(SADDR, "<", "\"10.0.0.1\""), "~ none"},
    {MATCH(FIELD("ip", "ttl"), "==", "\"10.0.0.1\""), "~ none"},
    {MATCH(FIELD("arp", "saddr"), "==", "\"10.0.0.1\""), "~ none"},
    {MATCH("\"payload\":{\"protocol\":\"ip\"}", "==", "\"10.0.0.1\""), "~ none"},
    {MATCH("\"payload\":{\"base\":\"nh\",\"offset\":96,\"len\":32}", "==", "1"), "~ none"},
    /* Devices. */
    {MATCH(META("iifname"), "==", "\"virbr0\"") "," MATCH(META("oifname"), "!=", "\"virbr*\""),
     "in=virbr0 out!=virbr*(wild) none"},
    {MATCH(META("iif"), "==", "\"virbr*\"") "," MATCH(META("oif"), "==", "\"lo\""), "in=virbr* out=lo none"},
    {MATCH(META("iifname"), "==", "\"a\"") "," MATCH(META("iif"), "==", "\"b\""), "~ in=a none"},
    {MATCH(META("iifname"), "==", "\"\""), "~ none"},
    {MATCH(META("oifname"), "==", "\"\""), "~ none"},
    {MATCH(META("iif"), "==", "7"), "~ none"},
    {MATCH(META("mark"), "==", "\"a\""), "~ none"},
    {MATCH("\"meta\":{}", "==", "\"a\""), "~ none"},
    {MATCH("\"fib\":{}", "==", "\"a\""), "~ none"},
    /* Connections: what lets in every reply. */
    {MATCH(STATE, "in", "[\"established\",\"related\"]") ",{\"accept\":null}", "replies accept"},
    {MATCH(STATE, "in", "\"established\""), "replies none"},
    {MATCH(STATE, "in", "[\"related\",7]"), "~ none"},
    {MATCH(STATE, "in", "\"new\""), "~ none"},
    {"{\"match\":{\"op\":\"in\",\"left\":{" STATE "}}}", "~ none"},
    {MATCH(STATE, "==", "[\"established\"]"), "~ none"},
    {MATCH(STATE, "!=", "[\"established\"]"), "~ none"},
    {MATCH("\"ct\":{\"key\":\"mark\"}", "==", "1"), "~ none"},
    /* Of iptables' own only a target says by its name what it does. */
    {"{\"xt\":{\"type\":\"target\",\"name\":\"MASQUERADE\"}}", "snat"},
    {"{\"xt\":{\"type\":\"target\",\"name\":\"c\"}}", "jump c"},
    {"{\"xt\":{\"type\":\"target\",\"name\":\"CHECKSUM\"}}", "none"},
    {"{\"xt\":{\"type\":\"match\",\"name\":\"c\"}}", "~ none"},
    {"{\"xt\":{\"type\":\"target\"}}", "~ none"},
    {"{\"xt\":null}", "~ none"},
};

static void test_nft(void)
{
    g_autoptr(FirewallTable) table = table_new(FIREWALL_NFT);

    for (gsize i = 0; i < G_N_ELEMENTS(nft_cases); i++) {
        g_autofree char *json = g_strdup_printf("[%s]", nft_cases[i].expr);
        g_autofree char *text = NULL;
        FirewallRule *rule = rule_in(table);

        g_test_message("%s", json);
        rule->expr = json_loads(json, 0, NULL);
        g_assert_nonnull(rule->expr);
        text = view_text(table, rule);
        g_assert_cmpstr(text, ==, nft_cases[i].text);
    }
}

static const struct {
    const char *argv, *text;
} save_cases[] = {
    {"-j ACCEPT", "accept"},
    {"-j REJECT --reject-with icmp-port-unreachable", "refuse"},
    {"-j RETURN", "return"},
    {"-g c", "jump c"},
    {"-j elsewhere", "none"},
    {"-s 10.0.0.0/8 ! -d 10.0.0.1 -j SNAT --to-source 203.0.113.1", "src=10.0.0.0/8 dst!=10.0.0.1/32 snat"},
    {"-s 10.0.0.0/8 -s 10.1.0.0/16 -j DROP", "~ src=10.0.0.0/8 refuse"},
    {"-i virbr0 ! -o virbr+ -j DROP", "in=virbr0 out!=virbr+(wild) refuse"},
    {"-i virbr0 -i virbr1 -j DROP", "~ in=virbr0 refuse"},
    {"-m comment --comment x -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "replies accept"},
    {"-m state ! --state ESTABLISHED -j ACCEPT", "~ accept"},
    {"-m limit --limit 5/sec -j ACCEPT", "~ accept"},
    {"-p tcp -j ACCEPT", "~ accept"},
    {"stray -j ACCEPT", "~ accept"},
    {"! stray -s 10.0.0.1 -j ACCEPT", "~ src=10.0.0.1/32 accept"},
    {"-s", "~ none"},
    {"-j", "~ none"},
};

static void test_save(void)
{
    g_autoptr(FirewallTable) table = table_new(FIREWALL_IPTABLES_LEGACY);

    for (gsize i = 0; i < G_N_ELEMENTS(save_cases); i++) {
        FirewallRule *rule = rule_in(table);
        g_autofree char *text = NULL;

        g_test_message("%s", save_cases[i].argv);
        rule->argv = g_strsplit(save_cases[i].argv, " ", -1);
        text = view_text(table, rule);
        g_assert_cmpstr(text, ==, save_cases[i].text);
    }
}

/* An empty name of a device is no condition that anybody writes. */
static void test_save_empty(void)
{
    g_autoptr(FirewallTable) table = table_new(FIREWALL_IPTABLES_LEGACY);
    const char *const argv[] = {"-i", "", "-j", "ACCEPT", NULL};
    FirewallRule *rule = rule_in(table);
    g_autofree char *text = NULL;

    rule->argv = g_strdupv((char **)(gpointer)argv);
    text = view_text(table, rule);
    g_assert_cmpstr(text, ==, "~ accept");
}

static void test_device(void)
{
    static const struct {
        RuleDevice device;
        const char *name;
        gboolean is;
    } cases[] = {
        {{NULL, FALSE, FALSE}, "virbr0", TRUE},     {{"virbr0", FALSE, FALSE}, "virbr0", TRUE},
        {{"virbr0", FALSE, FALSE}, "virbr", FALSE}, {{"virbr0", TRUE, FALSE}, "virbr0", FALSE},
        {{"virbr0", TRUE, FALSE}, "virbr1", TRUE},  {{"virbr+", FALSE, TRUE}, "virbr12", TRUE},
        {{"virbr+", FALSE, TRUE}, "virb", FALSE},   {{"+", FALSE, TRUE}, "any", TRUE},
        {{"virbr+", TRUE, TRUE}, "virbr12", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(rule_device_is(&cases[i].device, cases[i].name), ==, cases[i].is);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall-rule/nft", test_nft);
    g_test_add_func("/firewall-rule/save", test_save);
    g_test_add_func("/firewall-rule/save/empty", test_save_empty);
    g_test_add_func("/firewall-rule/device", test_device);
    return g_test_run();
}
