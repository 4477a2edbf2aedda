/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-tools.h"
#include "model/firewall.h"

/* What the rules say of a network: whether it is translated, whether its packets are let through. */

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
        g_assert_cmpint(firewall_nat_present(facts, network, NULL), ==, nat);
    g_assert_cmpint(firewall_forward_present(facts, network, NULL), ==, forward);
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
    g_assert_true(firewall_frame_stands(facts));
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
    g_assert_false(firewall_frame_stands(facts));
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
        g_assert_cmpint(firewall_nat_present(facts, network, NULL), ==, nat_cases[i].nat);
    }
}

/* The same of the filter table, and whether the network's packets are let through. */
#define CROSS "-A FORWARD -i virbr0 -o virbr0 -j ACCEPT\n"
#define OUT "-A FORWARD -s 192.168.122.0/24 -i virbr0 -j ACCEPT\n"
#define IN "-A FORWARD -d 192.168.122.0/24 -o virbr0 "
static const struct {
    const char *rules;
    Tri forward;
} forward_cases[] = {
    {CROSS OUT IN "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", TRI_YES},
    {CROSS OUT IN "-m state --state NEW,ESTABLISHED -j ACCEPT\n", TRI_YES},
    {CROSS OUT IN "-j ACCEPT\n", TRI_YES},
    {CROSS OUT IN "-m conntrack --ctstate RELATED -j ACCEPT\n", TRI_NO},
    {CROSS OUT IN "-m conntrack ! --ctstate ESTABLISHED -j ACCEPT\n", TRI_NO},
    {CROSS OUT IN "-j DROP\n", TRI_NO},
    {CROSS OUT, TRI_NO},
    {CROSS IN "-j ACCEPT\n", TRI_NO},
    {CROSS "-A FORWARD -m conntrack --ctstate ESTABLISHED -s 192.168.122.0/24 -i virbr0 -j ACCEPT\n" IN
           "-j ACCEPT\n",
     TRI_NO},
    {OUT IN "-j ACCEPT\n", TRI_NO},
    {CROSS "-A FORWARD -i virbr0 -o eth0 -j ACCEPT\n" IN "-i eth0 -j ACCEPT\n", TRI_YES},
    {CROSS "-A FORWARD ! -i eth0 -j ACCEPT\n" IN "-j ACCEPT\n", TRI_YES},
    {CROSS "-A FORWARD -i virbr+ -j ACCEPT\n" IN "-j ACCEPT\n", TRI_YES},
    {CROSS "-A FORWARD -i virbr01 -j ACCEPT\n" IN "-j ACCEPT\n", TRI_NO},
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
        g_assert_cmpint(firewall_forward_present(facts, network, NULL), ==, forward_cases[i].forward);
    }
}

/* A chain that nobody jumps to, and a jump from elsewhere, are as good as none. */
static void test_frame(void)
{
#define CHAINS ":LIBVIRT_FWX - [0:0]\n:LIBVIRT_FWI - [0:0]\n:LIBVIRT_FWO - [0:0]\n"
#define FILTER "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
#define JUMPS "-A FORWARD -j LIBVIRT_FWX\n-A FORWARD -j LIBVIRT_FWI\n"
#define NAT "*nat\n:POSTROUTING ACCEPT [0:0]\n:LIBVIRT_PRT - [0:0]\n"
#define PRT "-A POSTROUTING -j LIBVIRT_PRT\n"
    static const struct {
        const char *rules;
        gboolean stands;
    } cases[] = {
        {FILTER CHAINS JUMPS "-A FORWARD -j LIBVIRT_FWO\nCOMMIT\n" NAT PRT "COMMIT\n", TRUE},
        {FILTER CHAINS JUMPS "-A FORWARD -j LIBVIRT_FWO\nCOMMIT\n" NAT "COMMIT\n", FALSE},
        {FILTER CHAINS JUMPS "-A INPUT -j LIBVIRT_FWO\nCOMMIT\n" NAT PRT "COMMIT\n", FALSE},
        {FILTER CHAINS JUMPS "-A FORWARD -i eth0 -m set --match-set x src -j LIBVIRT_FWO\nCOMMIT\n" NAT PRT
                             "COMMIT\n",
         FALSE},
        {FILTER CHAINS JUMPS "COMMIT\n" NAT PRT "COMMIT\n", FALSE},
        {NAT PRT "COMMIT\n", FALSE},
        {FILTER "COMMIT\n", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPtrArray *tables =
            firewall_parse_save(cases[i].rules, strlen(cases[i].rules), FIREWALL_IPTABLES_NFT, "ip", NULL);
        g_autoptr(Facts) facts = facts_of(tables, SOURCE_LIVE);

        g_test_message("%s", cases[i].rules);
        g_assert_cmpint(firewall_frame_stands(facts), ==, cases[i].stands);
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
    g_assert_cmpint(firewall_nat_present(facts, network, NULL), ==, TRI_NO);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall-present/iptables", test_present_iptables);
    g_test_add_func("/firewall-present/stopped", test_present_stopped);
    g_test_add_func("/firewall-present/stale", test_present_stale);
    g_test_add_func("/firewall-present/nftables", test_present_nftables);
    g_test_add_func("/firewall-present/backend/legacy", test_backend_legacy);
    g_test_add_func("/firewall-present/nat-rules", test_nat_rules);
    g_test_add_func("/firewall-present/forward-rules", test_forward_rules);
    g_test_add_func("/firewall-present/frame", test_frame);
    g_test_add_func("/firewall-present/many-jumps", test_many_jumps);
    return g_test_run();
}
