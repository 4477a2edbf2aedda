/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "firewall-tools.h"

static void assert_base(const FirewallChain *chain, const char *hook, const char *type, gint priority,
                        const char *policy)
{
    g_assert_cmpstr(chain->hook, ==, hook);
    g_assert_cmpstr(chain->type, ==, type);
    g_assert_cmpint(chain->priority, ==, priority);
    g_assert_cmpstr(chain->policy, ==, policy);
}

static void assert_rule(const FirewallChain *chain, guint i, const char *text)
{
    const FirewallRule *rule;

    g_assert_cmpuint(i, <, chain->rules->len);
    rule = chain->rules->pdata[i];
    g_assert_cmpstr(rule->text, ==, text);
    /* One shape, never both. */
    g_assert_true((rule->argv == NULL) != (rule->expr == NULL));
}

/* --------------------------------------------------------------------------------------------- nft */

static void test_nft(void)
{
    g_autoptr(GPtrArray) tables = nft_of("many-nft.json");
    const FirewallChain *forward = chain_of(tables, "inet", "guard", "forward");
    const FirewallChain *nat = chain_of(tables, "ip", "nat", "LIBVIRT_PRT");
    const FirewallTable *guard = table_of(tables, "inet", "guard");

    g_assert_cmpuint(tables->len, ==, 10);
    g_assert_cmpint(guard->shape, ==, FIREWALL_NFT);
    assert_base(forward, "forward", "filter", 10, "drop");
    assert_base(chain_of(tables, "inet", "guard", "input"), "input", "filter", -5, "accept");
    assert_base(chain_of(tables, "inet", "guard", "web"), NULL, NULL, 0, NULL);
    assert_base(chain_of(tables, "ip", "filter", "FORWARD"), "forward", "filter", 0, "drop");
    assert_base(chain_of(tables, "netdev", "edge", "in"), "ingress", "filter", -500, "accept");
    g_assert_cmpuint(json_array_size(guard->sets), ==, 2);
    g_assert_null(table_of(tables, "ip", "nat")->sets);
    g_assert_true(nat->rules->len > 3);
    g_assert_cmpint(((FirewallRule *)forward->rules->pdata[0])->handle, ==, 8);
}

static void test_nft_is_iptables(void)
{
    g_autoptr(GPtrArray) tables = nft_of("many-nft.json");
    g_autoptr(GPtrArray) plain = nft_of("default-nft.json");
    FirewallTable *filter = table_of(plain, "ip6", "filter");

    g_assert_true(firewall_table_is_iptables(table_of(tables, "ip", "nat")));
    g_assert_true(firewall_table_is_iptables(table_of(tables, "ip6", "filter")));
    g_assert_true(firewall_table_is_iptables(table_of(tables, "ip", "raw")));
    g_assert_false(firewall_table_is_iptables(table_of(tables, "inet", "guard")));
    g_assert_false(firewall_table_is_iptables(table_of(tables, "ip", "nat2")));
    /* Nothing but jumps: known by its names alone, if they are all iptables'. */
    g_assert_true(firewall_table_is_iptables(filter));
    firewall_table_chain(filter, "FORWARD")->name[0] = 'f';
    g_assert_false(firewall_table_is_iptables(filter));
}

static void test_nft_text(void)
{
    g_autoptr(GPtrArray) tables = nft_of("many-nft.json");
    const FirewallChain *forward = chain_of(tables, "inet", "guard", "forward");
    const FirewallChain *input = chain_of(tables, "inet", "guard", "input");
    const FirewallChain *post = chain_of(tables, "ip", "nat2", "post");

    assert_rule(forward, 0, "ct state established,related accept");
    assert_rule(forward, 1, "ip saddr @blocked drop");
    assert_rule(forward, 2, "iifname \"docker0\" oifname != \"docker0\" accept");
    assert_rule(forward, 3, "tcp dport vmap @ports");
    assert_rule(forward, 4,
                "iifname { \"virbr0\", \"virbr6\" } oifname \"uplink\" limit rate 10/second accept");
    assert_rule(forward, 5,
                "ip saddr . tcp dport { 192.168.122.0/24 . 80-90, 10.0.0.1 . 443 } counter name \"seen\" "
                "log prefix \"guard \" level info drop");
    assert_rule(input, 0, "udp dport { 53, 67 } accept");
    assert_rule(input, 1, "tcp dport 1-1024 reject with tcp reset");
    assert_rule(input, 2, "ct mark & 255 == 1 meta mark set 16");
    assert_rule(input, 3, "{\"fib\":{\"flags\":[\"daddr\"],\"result\":\"type\"}} local goto web");
    assert_rule(post, 0, "ip saddr 10.20.0.0/16 oifname \"uplink\" masquerade");
    assert_rule(post, 1, "meta l4proto tcp ip saddr 10.21.0.1-10.21.0.9 snat to 203.0.113.2:1000-2000");
    assert_rule(chain_of(tables, "inet", "guard", "web"), 0, "counter accept comment \"web rules\"");
    assert_rule(chain_of(tables, "ip", "raw", "PREROUTING"), 0, "iifname \"nosuch\" counter xt target CT");
}

static void assert_nft_refused(const char *json)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(firewall_parse_nft(json, strlen(json), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
}

#define META "{\"metainfo\":{\"json_schema_version\":1}},"
#define TABLE "{\"table\":{\"family\":\"ip\",\"name\":\"t\"}},"
#define CHAIN "{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"c\"}},"

static void test_nft_refused(void)
{
    g_autoptr(GPtrArray) empty = firewall_parse_nft("{\"nftables\":[]}", 15, NULL);

    g_assert_cmpuint(empty->len, ==, 0);
    assert_nft_refused("");
    assert_nft_refused("[]");
    assert_nft_refused("{}");
    assert_nft_refused("{\"nftables\":{}}");
    assert_nft_refused("{\"nftables\":[1]}");
    assert_nft_refused("{\"nftables\":[{\"metainfo\":{\"json_schema_version\":2}}]}");
    assert_nft_refused("{\"nftables\":[{\"metainfo\":{}}]}");
    assert_nft_refused("{\"nftables\":[" META "{\"table\":{\"family\":\"ip\"}}]}");
    assert_nft_refused("{\"nftables\":[" META "{\"table\":{\"name\":\"t\"}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE TABLE "{}]}");
    assert_nft_refused("{\"nftables\":[" CHAIN "{}]}");
    assert_nft_refused("{\"nftables\":[" TABLE CHAIN CHAIN "{}]}");
    assert_nft_refused("{\"nftables\":[" TABLE "{\"chain\":{\"family\":\"ip\",\"table\":\"t\"}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE
                       "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"expr\":[]}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE CHAIN
                       "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\"}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE CHAIN
                       "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"expr\":[]}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE CHAIN
                       "{\"rule\":{\"table\":\"t\",\"chain\":\"c\",\"expr\":[]}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE CHAIN
                       "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"expr\":{}}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE "{\"chain\":{\"table\":\"t\",\"name\":\"c\"}}]}");
    assert_nft_refused("{\"nftables\":[{\"set\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"s\"}}]}");
    assert_nft_refused("{\"nftables\":[" TABLE "{\"set\":{\"family\":\"ip\",\"table\":\"t\"}}]}");
}

/* The kernel takes any byte in a name: what joins two names for one thing must not make one of them. */
static void test_nft_names(void)
{
    const char *json = "{\"nftables\":[" TABLE CHAIN "{\"table\":{\"family\":\"ip\",\"name\":\"a\\nb\"}},"
                       "{\"table\":{\"family\":\"ip\",\"name\":\"t c\"}}]}";
    g_autoptr(GPtrArray) tables = firewall_parse_nft(json, strlen(json), NULL);

    g_assert_cmpuint(tables->len, ==, 3);
    g_assert_cmpuint(table_of(tables, "ip", "t")->chains->len, ==, 1);
    g_assert_cmpuint(table_of(tables, "ip", "a\nb")->chains->len, ==, 0);
    assert_nft_refused("{\"nftables\":[{\"table\":{\"family\":\"ip\",\"name\":\"a\\nb\"}},"
                       "{\"rule\":{\"family\":\"ip\",\"table\":\"a\",\"chain\":\"b\",\"expr\":[]}}]}");
    assert_nft_refused("{\"nftables\":[{\"table\":{\"family\":\"ip\",\"name\":\"a b\"}},"
                       "{\"rule\":{\"family\":\"ip\",\"table\":\"a\",\"chain\":\"b\",\"expr\":[]}}]}");
}

/* Every cut of the document is refused. */
static void test_nft_truncated(void)
{
    gsize length = 0;
    g_autofree char *bytes = data("mixed-nft.json", &length);

    while (length > 0 && bytes[length - 1] == '\n')
        length--;
    for (gsize cut = 0; cut < length; cut++) {
        g_autofree char *copy = g_memdup2(bytes, cut + 1);

        g_assert_null(firewall_parse_nft(copy, cut, NULL));
    }
}

/* -------------------------------------------------------------------------------------------- save */

static void test_save(void)
{
    g_autoptr(GPtrArray) tables = save_of("many-save4.txt", FIREWALL_IPTABLES_NFT, "ip");
    const FirewallChain *forward = chain_of(tables, "ip", "filter", "FORWARD");
    const FirewallRule *rule = forward->rules->pdata[4];
    const char *const expected[] = {"-m", "comment",   "--comment", "a \"b\" c\\d",
                                    "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED",
                                    "-j", "ACCEPT",    NULL};

    g_assert_cmpuint(tables->len, ==, 4);
    g_assert_cmpint(table_of(tables, "ip", "nat")->shape, ==, FIREWALL_IPTABLES_NFT);
    assert_base(forward, "forward", "filter", 0, "drop");
    assert_base(chain_of(tables, "ip", "nat", "POSTROUTING"), "postrouting", "nat", 100, "accept");
    assert_base(chain_of(tables, "ip", "nat", "PREROUTING"), "prerouting", "nat", -100, "accept");
    assert_base(chain_of(tables, "ip", "mangle", "OUTPUT"), "output", "route", -150, "accept");
    assert_base(chain_of(tables, "ip", "raw", "PREROUTING"), "prerouting", "filter", -300, "accept");
    assert_base(chain_of(tables, "ip", "filter", "DOCKER-USER"), NULL, NULL, 0, NULL);
    assert_rule(forward, 3, "-A FORWARD -j DOCKER-USER");
    g_assert_cmpstrv(rule->argv, expected);
    assert_rule(forward, 4,
                "-A FORWARD -m comment --comment \"a \\\"b\\\" c\\\\d\" -m conntrack --ctstate "
                "RELATED,ESTABLISHED -j ACCEPT");
}

static GPtrArray *save_text(const char *text, GError **error)
{
    g_autofree char *copy = g_memdup2(text, strlen(text) + 1);

    return firewall_parse_save(copy, strlen(text), FIREWALL_IPTABLES_LEGACY, "ip6", error);
}

static void test_save_words(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) tables =
        save_text("# c\n\n*filter\n:FORWARD DROP [1:2]\n:own - [0:0]\n[3:4] -A own  -m\tcomment "
                  "--comment \"two\nlines\" x\"y z\"w \"\" \\q\n-A own\nCOMMIT\n*x\nCOMMIT",
                  &error);
    const char *const words[] = {"-m", "comment", "--comment", "two\nlines", "xy zw", "", "\\q", NULL};
    const FirewallChain *own;

    g_assert_no_error(error);
    own = chain_of(tables, "ip6", "filter", "own");
    g_assert_cmpuint(own->rules->len, ==, 2);
    g_assert_cmpstrv(((FirewallRule *)own->rules->pdata[0])->argv, words);
    assert_rule(own, 0, "-A own  -m\tcomment --comment \"two\nlines\" x\"y z\"w \"\" \\q");
    assert_rule(own, 1, "-A own");
    g_assert_cmpuint(table_of(tables, "ip6", "x")->chains->len, ==, 0);
}

static void assert_save_refused(const char *text, const char *where)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(save_text(text, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    g_assert_true(g_str_has_prefix(error->message, where));
}

static void test_save_refused(void)
{
    g_autoptr(GPtrArray) empty = save_text("", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(empty->len, ==, 0);
    assert_save_refused("*filter\n:A - [0:0]\n-A A\n", "line 4: the text ends");
    assert_save_refused("*filter", "line 1: the text ends");
    assert_save_refused("*filter\n*nat\n", "line 2: a table begins");
    assert_save_refused("*filter\nCOMMIT\n*filter\nCOMMIT\n", "line 3: a table for");
    assert_save_refused("COMMIT\n", "line 1: COMMIT");
    assert_save_refused(":A - [0:0]\n", "line 1: a chain without");
    assert_save_refused("*filter\n:A\nCOMMIT\n", "line 2: a chain without");
    assert_save_refused("*filter\n: - [0:0]\nCOMMIT\n", "line 2: a chain without");
    assert_save_refused("*filter\n:A - [0:0]\n:A - [0:0]\nCOMMIT\n", "line 3: a chain for");
    assert_save_refused("*filter\n-A A\nCOMMIT\n", "line 2: a rule");
    assert_save_refused("*filter\n-A\nCOMMIT\n", "line 2: a rule");
    assert_save_refused("*filter\n:A - [0:0]\nCOMMIT\n-A A\n", "line 4: a rule");
    assert_save_refused("*filter\n:A - [0:0]\n-A A \"x\n\nCOMMIT\n", "line 6: a quote");
    assert_save_refused("*filter\n-I A\nCOMMIT\n", "line 2: not a line");
    assert_save_refused("*filter\n:A - [0:0]\n-A A \"x\\", "line 3: a quote");
    assert_save_refused("iptables: cannot\n", "line 1: not a line");
    assert_save_refused("*\n", "line 1: not a line");
    assert_save_refused("[0:0]\n", "line 1: not a line");
    assert_save_refused("*filter\n:A - [0:0]\n[0:0] -I A\nCOMMIT\n", "line 3: not a line");
    assert_save_refused("*filter\n:A - [0:0]\n0 -A A\nCOMMIT\n", "line 3: not a line");
    g_assert_null(firewall_parse_save("# a\0b\n", 6, FIREWALL_IPTABLES_NFT, "ip", &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
}

/* ------------------------------------------------------------------------------------------- merge */

static void test_merge(void)
{
    g_autoptr(GPtrArray) tables = merged("many");

    g_assert_cmpuint(tables->len, ==, 10);
    g_assert_cmpint(table_of(tables, "ip", "filter")->shape, ==, FIREWALL_IPTABLES_NFT);
    g_assert_cmpint(table_of(tables, "ip6", "nat")->shape, ==, FIREWALL_IPTABLES_NFT);
    g_assert_cmpint(table_of(tables, "ip", "nat2")->shape, ==, FIREWALL_NFT);
    /* The save text has built-in chains that are not there. */
    g_assert_null(firewall_table_chain(table_of(tables, "ip", "nat"), "OUTPUT"));
    assert_rule(chain_of(tables, "ip", "nat", "LIBVIRT_PRT"), 2,
                "-A LIBVIRT_PRT -s 10.5.0.0/24 ! -d 10.5.0.0/24 -p tcp -j MASQUERADE --to-ports "
                "1024-65535");
    assert_rule(chain_of(tables, "ip", "filter", "FORWARD"), 0, "-A FORWARD -j LIBVIRT_FWX");
    assert_rule(chain_of(tables, "inet", "guard", "forward"), 1, "ip saddr @blocked drop");
}

/* iptables-nft-save said "-A FORWARD -j DROP" of the rule with a set, and left the chain of another priority
 * out. */
static void test_merge_keeps_what_save_cannot_say(void)
{
    g_autoptr(GPtrArray) tables = merged("mixed");
    const FirewallChain *forward = chain_of(tables, "ip", "filter", "FORWARD");
    const FirewallChain *own = chain_of(tables, "ip", "filter", "own");

    g_assert_cmpuint(forward->rules->len, ==, 5);
    assert_rule(forward, 0, "-A FORWARD -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT");
    assert_rule(forward, 1, "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT");
    assert_rule(forward, 2, "ip saddr @blocked drop");
    assert_rule(forward, 3, "iifname { \"a\", \"b\" } accept");
    assert_rule(forward, 4, "-A FORWARD -i virbr0 -j ACCEPT");
    assert_base(own, "forward", "filter", 5, "drop");
    assert_rule(own, 0, "ip saddr 10.0.0.0/8 accept");
}

/* What ebtables says of rules that nft only names; of its users' chains the policy is nft's rule more. */
static void test_merge_ebtables(void)
{
    g_autoptr(GPtrArray) tables = nft_of("nwfilter-nft.json");
    g_autoptr(GPtrArray) saved = save_of("nwfilter-ebtables.txt", FIREWALL_IPTABLES_NFT, "bridge");
    const FirewallChain *chain;

    g_assert_true(firewall_table_is_iptables(table_of(tables, "bridge", "nat")));
    g_assert_true(firewall_merge_save(tables, saved));
    chain = chain_of(tables, "bridge", "nat", "I-vnet0-ipv4-ip");
    g_assert_cmpuint(chain->rules->len, ==, 4);
    assert_rule(chain, 1, "-A I-vnet0-ipv4-ip -p IPv4 --ip-src 192.168.122.10 -j RETURN");
    assert_rule(chain, 3, "counter accept");
    chain = chain_of(tables, "bridge", "filter", "own");
    g_assert_cmpuint(chain->rules->len, ==, 1);
    assert_base(chain_of(tables, "bridge", "nat", "PREROUTING"), "prerouting", "filter", -300, "accept");
}

/* Torn: ebtables saw another chain than nft, by more than a policy. */
static void test_merge_ebtables_torn(void)
{
    g_autoptr(GPtrArray) tables = nft_of("nwfilter-nft.json");
    g_autoptr(GPtrArray) saved = save_of("nwfilter-ebtables.txt", FIREWALL_IPTABLES_NFT, "bridge");

    g_ptr_array_set_size(chain_of(saved, "bridge", "nat", "I-vnet0-ipv4-ip")->rules, 2);
    g_assert_false(firewall_merge_save(tables, saved));
}

static void test_ebtables_refused(void)
{
    static const char *const texts[] = {"*nat\n:A ACCEPT\n", "*nat\n:A ACCEPT\n*filter\n# Completed on\n",
                                        "*nat\n# completed\n"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(
            firewall_parse_save(texts[i], strlen(texts[i]), FIREWALL_IPTABLES_NFT, "bridge", &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

/* One rule's match in a table of iptables, and whether the save text can say all of it. */
static const struct {
    const char *left, *right;
    gboolean plain;
} plain_cases[] = {
    {"{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}", "\"10.0.0.1\"", TRUE},
    {"{\"payload\":{\"protocol\":\"ip6\",\"field\":\"daddr\"}}", "{\"prefix\":{\"addr\":\"::\",\"len\":8}}",
     TRUE},
    {"{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}}", "22", TRUE},
    {"{\"meta\":{\"key\":\"iifname\"}}", "\"virbr0\"", TRUE},
    {"{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}", "\"@blocked\"", FALSE},
    {"{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}", "{\"set\":[\"10.0.0.1\"]}", FALSE},
    {"{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}}", "{\"range\":[1,2]}", FALSE},
    {"{\"payload\":{\"protocol\":\"tcp\",\"field\":\"flags\"}}", "\"syn\"", FALSE},
    {"{\"payload\":{\"protocol\":\"icmp\",\"field\":\"saddr\"}}", "1", FALSE},
    {"{\"payload\":{\"field\":\"saddr\"}}", "1", FALSE},
    {"{\"payload\":{\"protocol\":\"ip\"}}", "1", FALSE},
    {"{\"meta\":{\"key\":\"mark\"}}", "1", FALSE},
    {"{\"fib\":{}}", "1", FALSE},
    {"1", "1", FALSE},
};

static void test_merge_plain(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plain_cases); i++) {
        const char *save = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n";
        g_autofree char *json = g_strdup_printf(
            "{\"nftables\":[{\"table\":{\"family\":\"ip6\",\"name\":\"filter\"}},{\"chain\":{\"family\":"
            "\"ip6\","
            "\"table\":\"filter\",\"name\":\"FORWARD\"}},{\"rule\":{\"family\":\"ip6\",\"table\":\"filter\","
            "\"chain\":\"FORWARD\",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":%s,\"right\":%s}},"
            "{\"drop\":null}]}}]}",
            plain_cases[i].left, plain_cases[i].right);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) tables = firewall_parse_nft(json, strlen(json), &error);
        g_autoptr(GPtrArray) saved = save_text(save, NULL);
        const FirewallRule *rule;

        g_test_message("%s %s", plain_cases[i].left, plain_cases[i].right);
        g_assert_no_error(error);
        g_assert_true(firewall_merge_save(tables, saved));
        rule = chain_of(tables, "ip6", "filter", "FORWARD")->rules->pdata[0];
        g_assert_cmpint(rule->argv != NULL, ==, plain_cases[i].plain);
    }
}

static void test_merge_torn(void)
{
    g_autoptr(GPtrArray) tables = nft_of("mixed-nft.json");
    g_autoptr(GPtrArray) saved =
        save_text("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n", NULL);
    g_autoptr(GPtrArray) plain = nft_of("mixed-nft.json");
    g_autoptr(GPtrArray) other = NULL;

    g_free(((FirewallTable *)saved->pdata[0])->family);
    ((FirewallTable *)saved->pdata[0])->family = g_strdup("ip");
    g_assert_false(firewall_merge_save(tables, saved));
    assert_rule(chain_of(tables, "ip", "filter", "FORWARD"), 0, "-A FORWARD -j DROP");
    /* Without xt expressions nft's reading is whole by itself. */
    other = save_text("*filter\n:own - [0:0]\nCOMMIT\n", NULL);
    g_free(((FirewallTable *)other->pdata[0])->family);
    ((FirewallTable *)other->pdata[0])->family = g_strdup("ip");
    g_assert_false(firewall_merge_save(plain, other));
    assert_rule(chain_of(plain, "ip", "filter", "own"), 0, "ip saddr 10.0.0.0/8 accept");
}

/* Without nft the save text is all there is. */
static void test_merge_alone(void)
{
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_table_free);
    g_autoptr(GPtrArray) saved = save_of("default-save4.txt", FIREWALL_IPTABLES_NFT, "ip");

    g_assert_true(firewall_merge_save(tables, saved));
    g_assert_cmpuint(tables->len, ==, 3);
    g_assert_cmpuint(saved->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall/nft", test_nft);
    g_test_add_func("/firewall/nft/is-iptables", test_nft_is_iptables);
    g_test_add_func("/firewall/nft/text", test_nft_text);
    g_test_add_func("/firewall/nft/refused", test_nft_refused);
    g_test_add_func("/firewall/nft/names", test_nft_names);
    g_test_add_func("/firewall/nft/truncated", test_nft_truncated);
    g_test_add_func("/firewall/save", test_save);
    g_test_add_func("/firewall/save/words", test_save_words);
    g_test_add_func("/firewall/save/refused", test_save_refused);
    g_test_add_func("/firewall/merge", test_merge);
    g_test_add_func("/firewall/merge/keeps-what-save-cannot-say", test_merge_keeps_what_save_cannot_say);
    g_test_add_func("/firewall/merge/ebtables", test_merge_ebtables);
    g_test_add_func("/firewall/merge/ebtables-torn", test_merge_ebtables_torn);
    g_test_add_func("/firewall/save/ebtables-refused", test_ebtables_refused);
    g_test_add_func("/firewall/merge/plain", test_merge_plain);
    g_test_add_func("/firewall/merge/torn", test_merge_torn);
    g_test_add_func("/firewall/merge/alone", test_merge_alone);
    return g_test_run();
}
