/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/firewall.h"
#include "sources/firewall-text.h"
#include "sources/firewall.h"

#include <string.h>

/*
 * The recordings under data/firewall are of nft 1.0.6 and iptables 1.8.9 with libvirt 9.0: "default" with one
 * NAT network; "many" with six networks (default, six with NAT for IPv6, snat, routed, iso, six4 with IPv6
 * that is not translated), rules as Docker and ufw make them, and native tables; "stopped" the same after the
 * networks were stopped; "mixed" an iptables table into which nft put rules of its own; "libvirt-nft" the
 * tables of libvirt's nftables backend, "recreated" after virbr0 was deleted and made again; "legacy" of
 * iptables-legacy.
 */

static char *data(const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(TEST_DATA, "firewall", name, NULL);
    char *bytes = NULL;

    g_assert_true(g_file_get_contents(path, &bytes, length, NULL));
    return bytes;
}

static GPtrArray *nft_of(const char *name)
{
    gsize length = 0;
    g_autofree char *bytes = data(name, &length);
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_nft(bytes, length, &error);

    g_assert_no_error(error);
    return tables;
}

static GPtrArray *save_of(const char *name, FirewallShape shape, const char *family)
{
    gsize length = 0;
    g_autofree char *bytes = data(name, &length);
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_save(bytes, length, shape, family, &error);

    g_assert_no_error(error);
    return tables;
}

static FirewallTable *table_of(GPtrArray *tables, const char *family, const char *name)
{
    FirewallTable *found = NULL;

    for (guint i = 0; i < tables->len; i++) {
        FirewallTable *table = tables->pdata[i];

        if (strcmp(table->family, family) != 0 || strcmp(table->name, name) != 0)
            continue;
        g_assert_null(found);
        found = table;
    }
    g_assert_nonnull(found);
    return found;
}

static FirewallChain *chain_of(GPtrArray *tables, const char *family, const char *table, const char *name)
{
    FirewallChain *chain = firewall_table_chain(table_of(tables, family, table), name);

    g_assert_nonnull(chain);
    return chain;
}

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
    assert_rule(input, 2, "ct mark & 255 1 meta mark set 16");
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
    assert_nft_refused("{\"nftables\":[{\"set\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"s\"}}]}");
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
    assert_save_refused("iptables: cannot\n", "line 1: not a line");
    g_assert_null(firewall_parse_save("# a\0b\n", 6, FIREWALL_IPTABLES_NFT, "ip", &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
}

/* ------------------------------------------------------------------------------------------- merge */

static GPtrArray *merged(const char *name)
{
    g_autofree char *nft = g_strdup_printf("%s-nft.json", name);
    g_autofree char *save = g_strdup_printf("%s-save4.txt", name);
    g_autofree char *save6 = g_strdup_printf("%s-save6.txt", name);
    g_autofree char *path6 = g_build_filename(TEST_DATA, "firewall", save6, NULL);
    GPtrArray *tables = nft_of(nft);
    g_autoptr(GPtrArray) saved = save_of(save, FIREWALL_IPTABLES_NFT, "ip");

    g_assert_true(firewall_merge_save(tables, saved));
    if (g_file_test(path6, G_FILE_TEST_EXISTS)) {
        g_autoptr(GPtrArray) saved6 = save_of(save6, FIREWALL_IPTABLES_NFT, "ip6");

        g_assert_true(firewall_merge_save(tables, saved6));
    }
    return tables;
}

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

/* ------------------------------------------------------------------------------ questions of model */

typedef struct {
    const char *forward, *bridge;
    gboolean nat_ipv6;
    const char *ips[3];
} Net;

static const Net net_default = {"nat", "virbr0", FALSE, {"192.168.122.1/24"}};
static const Net net_six = {"nat", "virbr6", TRUE, {"10.6.0.1/24", "fd00:6::1/64"}};
static const Net net_six4 = {"nat", "virbr5", FALSE, {"10.5.0.1/24", "fd00:5::1/64"}};
static const Net net_snat = {"nat", "virbr7", FALSE, {"10.7.0.1/24"}};
static const Net net_routed = {"route", "virbr8", FALSE, {"10.8.0.1/24"}};
static const Net net_isolated = {"isolated", "virbr9", FALSE, {"10.9.0.1/24"}};

static Network *network_of(const Net *net)
{
    Network *network = network_new();

    g_free(network->forward);
    network->forward = g_strdup(net->forward);
    network->bridge = g_strdup(net->bridge);
    network->nat_ipv6 = net->nat_ipv6;
    for (gsize i = 0; net->ips[i]; i++) {
        NetworkIp *ip = network_ip_new();

        g_assert_true(ipnet_parse(net->ips[i], &ip->net));
        g_ptr_array_add(network->ips, ip);
    }
    return network;
}

/* Facts with these tables; takes them. */
static Facts *facts_of(GPtrArray *tables, SourceState state)
{
    Facts *facts = facts_new();

    g_ptr_array_unref(facts->firewall);
    facts->firewall = tables;
    source_status_set(&facts->sources[SOURCE_FIREWALL], state, NULL);
    return facts;
}

static void assert_answers(const Facts *facts, const Net *net, Tri nat, Tri forward)
{
    g_autoptr(Network) network = network_of(net);

    if (strcmp(net->forward, "nat") == 0)
        g_assert_cmpint(firewall_nat_present(facts, network), ==, nat);
    g_assert_cmpint(firewall_forward_present(facts, network), ==, forward);
}

static void test_present_iptables(void)
{
    g_autoptr(Facts) facts = facts_of(merged("many"), SOURCE_LIVE);
    const Net other = {"nat", "virbr0", FALSE, {"192.168.123.1/24"}};
    const Net wider = {"nat", "virbr0", FALSE, {"192.168.122.1/16"}};
    const Net narrower = {"nat", "virbr0", FALSE, {"192.168.122.129/25"}};
    const Net elsewhere = {"nat", "virbr1", FALSE, {"192.168.122.1/24"}};
    const Net six = {"nat", "virbr5", TRUE, {"10.5.0.1/24", "fd00:5::1/64"}};
    const Net open = {"open", "virbr99", FALSE, {"10.99.0.1/24"}};

    assert_answers(facts, &net_default, TRI_YES, TRI_YES);
    assert_answers(facts, &net_six, TRI_YES, TRI_YES);
    assert_answers(facts, &net_six4, TRI_YES, TRI_YES);
    assert_answers(facts, &net_snat, TRI_YES, TRI_YES);
    assert_answers(facts, &net_routed, TRI_NO, TRI_YES);
    assert_answers(facts, &net_isolated, TRI_NO, TRI_YES);
    assert_answers(facts, &other, TRI_NO, TRI_NO);
    assert_answers(facts, &wider, TRI_NO, TRI_NO);
    assert_answers(facts, &narrower, TRI_YES, TRI_YES);
    assert_answers(facts, &elsewhere, TRI_YES, TRI_NO);
    assert_answers(facts, &six, TRI_NO, TRI_YES);
    assert_answers(facts, &open, TRI_NO, TRI_YES);
    g_assert_cmpstr(firewall_backend(facts), ==, "iptables");
}

static void test_present_stopped(void)
{
    g_autoptr(Facts) facts = facts_of(merged("stopped"), SOURCE_LIVE);
    g_autoptr(Facts) none = facts_of(nft_of("libvirt-nft.json"), SOURCE_DOWN);

    assert_answers(facts, &net_default, TRI_NO, TRI_NO);
    assert_answers(facts, &net_isolated, TRI_NO, TRI_NO);
    g_assert_cmpstr(firewall_backend(facts), ==, "iptables");
    assert_answers(none, &net_default, TRI_UNKNOWN, TRI_UNKNOWN);
    g_assert_null(firewall_backend(none));
}

/* Facts that may be partial prove that a rule is there, not that it is missing. */
static void test_present_stale(void)
{
    g_autoptr(Facts) facts = facts_of(nft_of("default-nft.json"), SOURCE_STALE);
    g_autoptr(Facts) merged_facts = facts_of(merged("default"), SOURCE_STALE);

    /* xt: MASQUERADE is known by its name, the state of a connection is not. */
    assert_answers(facts, &net_default, TRI_YES, TRI_UNKNOWN);
    assert_answers(facts, &net_six, TRI_UNKNOWN, TRI_UNKNOWN);
    assert_answers(merged_facts, &net_default, TRI_YES, TRI_YES);
}

static void test_present_nftables(void)
{
    g_autoptr(Facts) facts = facts_of(nft_of("libvirt-nft.json"), SOURCE_LIVE);
    g_autoptr(Facts) recreated = facts_of(nft_of("libvirt-nft-recreated.json"), SOURCE_LIVE);
    const Net crossing = {"isolated", "virbr0", FALSE, {"192.168.122.1/24"}};

    assert_answers(facts, &net_default, TRI_YES, TRI_YES);
    assert_answers(facts, &net_six, TRI_YES, TRI_YES);
    assert_answers(facts, &net_snat, TRI_NO, TRI_NO);
    assert_answers(facts, &crossing, TRI_NO, TRI_YES);
    g_assert_cmpstr(firewall_backend(facts), ==, "nftables");
    /* The rules name the index of a bridge that is no more; translation knows only the subnet. */
    assert_answers(recreated, &net_default, TRI_YES, TRI_NO);
    assert_answers(recreated, &net_six, TRI_YES, TRI_YES);
    assert_answers(recreated, &crossing, TRI_NO, TRI_NO);
}

static void test_backend_legacy(void)
{
    const Net net = {"nat", "virbr1", FALSE, {"10.1.0.1/24"}};
    g_autoptr(Facts) facts =
        facts_of(save_of("legacy-save4.txt", FIREWALL_IPTABLES_LEGACY, "ip"), SOURCE_LIVE);

    assert_answers(facts, &net, TRI_YES, TRI_NO);
    g_assert_null(firewall_backend(facts));
}

/* Rules of the nat table after ":LIBVIRT_PRT", and whether 192.168.122.0/24 counts as translated. */
static const struct {
    const char *rules;
    Tri nat;
} nat_cases[] = {
    {"-A POSTROUTING -j LIBVIRT_PRT\n-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j "
     "MASQUERADE\n",
     TRI_YES},
    {"-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE\n", TRI_NO},
    {"-A PREROUTING -j LIBVIRT_PRT\n-A LIBVIRT_PRT -s 192.168.122.0/24 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -p udp -j LIBVIRT_PRT\n-A LIBVIRT_PRT -s 192.168.122.0/24 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -g LIBVIRT_PRT\n-A LIBVIRT_PRT -s 192.168.0.0/16 -o eth0 -j SNAT --to-source "
     "203.0.113.2\n",
     TRI_YES},
    {"-A POSTROUTING -j MASQUERADE\n", TRI_YES},
    {"-A POSTROUTING -m comment --comment \"-j DROP\" -o eth0 -j MASQUERADE\n", TRI_YES},
    {"-A POSTROUTING -o virbr0 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING ! -o virbr0 -j MASQUERADE\n", TRI_YES},
    {"-A POSTROUTING -o virbr+ -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -s 192.168.122.0/24 -p tcp -j MASQUERADE --to-ports 1024-65535\n", TRI_NO},
    {"-A POSTROUTING -s 192.168.122.0/24 -d 10.0.0.0/8 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -s 192.168.122.0/25 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -s 192.168.122.0/255.255.0.255 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING ! -s 10.0.0.0/8 -j MASQUERADE\n", TRI_YES},
    {"-A POSTROUTING ! -s 192.168.122.7/32 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -m mark --mark 0x1 -j MASQUERADE\n", TRI_NO},
    {"-A POSTROUTING -s 192.168.122.0/24 -j ACCEPT\n", TRI_NO},
    {"-A POSTROUTING -s 192.168.122.0/24 -j NETMAP\n", TRI_NO},
    {"-A POSTROUTING -j LIBVIRT_PRT\n-A LIBVIRT_PRT -j LIBVIRT_PRT\n", TRI_NO},
    {"-A POSTROUTING -s\n", TRI_NO},
    {"-A POSTROUTING -j\n", TRI_NO},
    {"-A POSTROUTING !\n", TRI_NO},
};

static void test_nat_rules(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(nat_cases); i++) {
        g_autofree char *text = g_strdup_printf("*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
                                                ":LIBVIRT_PRT - [0:0]\n%sCOMMIT\n",
                                                nat_cases[i].rules);
        GPtrArray *tables = firewall_parse_save(text, strlen(text), FIREWALL_IPTABLES_LEGACY, "ip", NULL);
        g_autoptr(Facts) facts = facts_of(tables, SOURCE_LIVE);
        g_autoptr(Network) network = network_of(&net_default);

        g_test_message("%s", nat_cases[i].rules);
        g_assert_cmpint(firewall_nat_present(facts, network), ==, nat_cases[i].nat);
    }
}

/* The same of the filter table, and whether the network's packets are let through. */
#define OUT "-A FORWARD -s 192.168.122.0/24 -i virbr0 -j ACCEPT\n"
#define IN "-A FORWARD -d 192.168.122.0/24 -o virbr0 "
static const struct {
    const char *rules;
    Tri forward;
} forward_cases[] = {
    {OUT IN "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", TRI_YES},
    {OUT IN "-m state --state NEW,ESTABLISHED -j ACCEPT\n", TRI_YES},
    {OUT IN "-j ACCEPT\n", TRI_YES},
    {OUT IN "-m conntrack --ctstate RELATED -j ACCEPT\n", TRI_NO},
    {OUT IN "-m conntrack ! --ctstate ESTABLISHED -j ACCEPT\n", TRI_NO},
    {OUT IN "-j DROP\n", TRI_NO},
    {OUT, TRI_NO},
    {IN "-j ACCEPT\n", TRI_NO},
    {"-A FORWARD -m conntrack --ctstate ESTABLISHED -s 192.168.122.0/24 -i virbr0 -j ACCEPT\n" IN
     "-j ACCEPT\n",
     TRI_NO},
    {"-A FORWARD -i virbr0 -o virbr0 -j ACCEPT\n" IN "-j ACCEPT\n", TRI_NO},
    {"-A FORWARD -i virbr0 -o eth0 -j ACCEPT\n" IN "-i eth0 -j ACCEPT\n", TRI_YES},
    {"-A FORWARD ! -i eth0 -j ACCEPT\n" IN "-j ACCEPT\n", TRI_YES},
    {"-A FORWARD -i virbr+ -j ACCEPT\n" IN "-j ACCEPT\n", TRI_YES},
    {"-A FORWARD -i virbr01 -j ACCEPT\n" IN "-j ACCEPT\n", TRI_NO},
    {"-A INPUT -j ACCEPT\n", TRI_NO},
};

static void test_forward_rules(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(forward_cases); i++) {
        g_autofree char *text = g_strdup_printf(
            "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n%sCOMMIT\n", forward_cases[i].rules);
        GPtrArray *tables = firewall_parse_save(text, strlen(text), FIREWALL_IPTABLES_NFT, "ip", NULL);
        g_autoptr(Facts) facts = facts_of(tables, SOURCE_LIVE);
        g_autoptr(Network) network = network_of(&net_default);

        g_test_message("%s", forward_cases[i].rules);
        g_assert_cmpint(firewall_forward_present(facts, network), ==, forward_cases[i].forward);
    }
}

/* A web of jumps, each chain twice to the next: must not take 2^n steps. */
static void test_many_jumps(void)
{
    g_autoptr(GString) text = g_string_new("*nat\n:POSTROUTING ACCEPT [0:0]\n");
    g_autoptr(Network) network = network_of(&net_default);
    g_autoptr(Facts) facts = NULL;

    for (guint i = 0; i < 60; i++)
        g_string_append_printf(text, ":c%u - [0:0]\n", i);
    g_string_append(text, "-A POSTROUTING -j c0\n");
    for (guint i = 0; i < 59; i++) {
        for (guint k = 0; k < 50; k++)
            g_string_append_printf(text, "-A c%u -j c%u\n", i, i + 1);
    }
    g_string_append(text, "COMMIT\n");
    facts = facts_of(firewall_parse_save(text->str, text->len, FIREWALL_IPTABLES_LEGACY, "ip", NULL),
                     SOURCE_LIVE);
    g_assert_cmpint(firewall_nat_present(facts, network), ==, TRI_NO);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall/nft", test_nft);
    g_test_add_func("/firewall/nft/is-iptables", test_nft_is_iptables);
    g_test_add_func("/firewall/nft/text", test_nft_text);
    g_test_add_func("/firewall/nft/refused", test_nft_refused);
    g_test_add_func("/firewall/nft/truncated", test_nft_truncated);
    g_test_add_func("/firewall/save", test_save);
    g_test_add_func("/firewall/save/words", test_save_words);
    g_test_add_func("/firewall/save/refused", test_save_refused);
    g_test_add_func("/firewall/merge", test_merge);
    g_test_add_func("/firewall/merge/keeps-what-save-cannot-say", test_merge_keeps_what_save_cannot_say);
    g_test_add_func("/firewall/merge/torn", test_merge_torn);
    g_test_add_func("/firewall/merge/alone", test_merge_alone);
    g_test_add_func("/firewall/present/iptables", test_present_iptables);
    g_test_add_func("/firewall/present/stopped", test_present_stopped);
    g_test_add_func("/firewall/present/stale", test_present_stale);
    g_test_add_func("/firewall/present/nftables", test_present_nftables);
    g_test_add_func("/firewall/backend/legacy", test_backend_legacy);
    g_test_add_func("/firewall/nat-rules", test_nat_rules);
    g_test_add_func("/firewall/forward-rules", test_forward_rules);
    g_test_add_func("/firewall/many-jumps", test_many_jumps);
    return g_test_run();
}
