/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-tools.h"
#include "packet-tools.h"

#include <stdlib.h>

/*
 * Frames from vnet0 to vnet1 of virbr0, and what rules of ebtables and of nftables' family bridge ask of
 * them; where chains of netdev are. Letters: for which frames a condition holds (FrameAsk), y, n, or ? where
 * it cannot be known. That the kernel thinks so too is tests/integration/99-frames.bats'.
 */

typedef enum { FRAME_WEB, FRAME_ECHO, FRAME_ARP, FRAME_WEB6, FRAME_COUNT } FrameAsk;

static Mac mac_of(const char *text)
{
    Mac mac;

    g_assert_true(mac_parse(text, &mac));
    return mac;
}

static Packet frame_of(FrameAsk ask)
{
    static const Ask packets[] = {
        [FRAME_WEB] = ASK_WEB, [FRAME_ECHO] = ASK_ECHO, [FRAME_ARP] = ASK_WEB, [FRAME_WEB6] = ASK_WEB6};
    Packet packet = packet_of(packets[ask]);

    packet.place = PACKET_AT_BRIDGE;
    packet.in = "vnet0";
    packet.out = "vnet1";
    packet.bridge = "virbr0";
    packet.has_mac = packet.has_mac_to = TRUE;
    packet.mac = mac_of("52:54:00:00:00:01");
    packet.mac_to = mac_of("52:54:00:00:00:02");
    if (ask != FRAME_ARP)
        return packet;
    packet.arp = TRUE;
    packet.operation = 1;
    packet.cast = PACKET_TO_ALL;
    packet.mac_to = mac_of("ff:ff:ff:ff:ff:ff");
    return packet;
}

/* The chain that is asked drops what its one rule holds for. */
static char letter_of(const Facts *facts, FrameAsk ask)
{
    Packet packet = frame_of(ask);
    g_autoptr(PacketResult) result = packet_evaluate(facts, "forward", &packet);

    switch (result->verdict) {
    case PACKET_DROP:
        return 'y';
    case PACKET_ACCEPT:
        return 'n';
    case PACKET_REJECT:
    case PACKET_UNKNOWN:
        break;
    }
    return '?';
}

static void assert_letters(const Facts *facts, const char *condition, const char *letters)
{
    char found[FRAME_COUNT + 1] = {0};

    for (FrameAsk ask = FRAME_WEB; ask < FRAME_COUNT; ask++)
        found[ask] = letter_of(facts, ask);
    g_test_message("%s", condition);
    g_assert_cmpstr(found, ==, letters);
}

/* In the order of FrameAsk. */
static const struct {
    const char *letters, *condition;
} ebtables_cases[] = {
    {"yynn", "-p IPv4"},
    {"nnyn", "-p ARP"},
    {"nnny", "-p IPv6"},
    {"nnnn", "-p 0x835"},
    {"nnnn", "-p LENGTH"},
    {"nnnn", "-p 802_1Q --vlan-id 5"},
    {"????", "-p nonsense"},
    {"yyyy", "-s 52:54:00:00:00:01"},
    {"nnnn", "-s ! 52:54:00:00:00:01"},
    {"yyyy", "! -s 52:54:00:00:00:03"},
    {"yyyy", "-s 52:54:00:00:00:ff/ff:ff:ff:ff:ff:00"},
    {"????", "-s nonsense"},
    {"yyyy", "-s Unicast"},
    {"yyny", "-d Unicast"},
    {"nnyn", "-d Multicast"},
    {"nnyn", "-d Broadcast"},
    {"nnnn", "-d BGA"},
    {"yyyy", "-i vnet+"},
    {"yyyy", "-o vnet1"},
    {"nnnn", "-o vnet0"},
    {"yyyy", "--logical-in virbr0"},
    {"nnnn", "--logical-out ! virbr0"},
    {"nnnn", "--mark 0x1/0x3"},
    {"??n?", "--pkttype-type multicast"},
    {"yyyy", "--limit 5/sec --limit-burst 5 --log-level notice --log-prefix \"a b\" --log-ip"},
    {"yynn", "-p IPv4 --ip-src 192.168.122.10"},
    {"nnnn", "-p IPv4 --ip-src ! 192.168.122.10"},
    {"yynn", "-p IPv4 --ip-dst ! 10.0.0.0/8"},
    {"ynnn", "-p IPv4 --ip-proto tcp --ip-dport 400:500"},
    {"ynnn", "-p IPv4 --ip-proto tcp --ip-sport 40000"},
    {"nynn", "-p IPv4 --ip-proto icmp --ip-icmp-type echo-request"},
    {"nnny", "-p IPv6 --ip6-src fd00:122::/64 --ip6-proto tcp --ip6-dport 443"},
    {"nnyn", "-p ARP --arp-op Request --arp-ip-src 192.168.122.10 --arp-mac-src 52:54:00:00:00:01"},
    {"nnyn", "-p ARP --arp-ip-dst 198.51.100.1 --arp-mac-dst 00:00:00:00:00:00"},
    {"nnnn", "-p ARP --arp-op Reply"},
    {"nn?n", "-p ARP --arp-gratuitous"},
    {"????", "--among-src 52:54:0:0:0:1=192.168.122.10"},
};

static void test_ebtables(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ebtables_cases); i++) {
        g_autoptr(Facts) facts = facts_new();
        g_autofree char *text =
            g_strdup_printf("*filter\n:FORWARD ACCEPT\n-A FORWARD %s -j DROP\n# Completed on a day\n",
                            ebtables_cases[i].condition);

        add_save(facts, FIREWALL_IPTABLES_NFT, "bridge", text);
        assert_letters(facts, ebtables_cases[i].condition, ebtables_cases[i].letters);
    }
}

#define PAYLOAD(protocol, field) "{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}}"
#define META(key) "{\"meta\":{\"key\":\"" key "\"}}"

static const struct {
    const char *letters, *left, *right;
} nft_cases[] = {
    {"yynn", PAYLOAD("ether", "type"), "\"ip\""},
    {"nnyn", PAYLOAD("ether", "type"), "\"arp\""},
    {"nnny", META("protocol"), "\"ip6\""},
    {"nnnn", META("nfproto"), "\"ipv4\""},
    {"yyyy", META("nfproto"), "7"},
    {"ynny", META("l4proto"), "\"tcp\""},
    {"yyyy", PAYLOAD("ether", "saddr"), "\"52:54:00:00:00:01\""},
    {"yyny", PAYLOAD("ether", "daddr"), "\"52:54:00:00:00:02\""},
    {"yyyy", META("ibrname"), "\"virbr0\""},
    {"nnnn", META("obrname"), "\"virbr1\""},
    {"yyyy", META("iifname"), "\"vnet0\""},
    {"??n?", META("pkttype"), "\"multicast\""},
    {"nnyn", PAYLOAD("arp", "operation"), "\"request\""},
    {"nnyn", PAYLOAD("arp", "saddr ip"), "\"192.168.122.10\""},
    {"nnnn", PAYLOAD("arp", "daddr ip"), "\"192.168.122.10\""},
    {"nnyn", PAYLOAD("arp", "saddr ether"), "\"52:54:00:00:00:01\""},
    {"nn?n", PAYLOAD("arp", "daddr ether"), "\"52:54:00:00:00:01\""},
    {"yynn", PAYLOAD("ip", "saddr"), "\"192.168.122.10\""},
    {"ynny", PAYLOAD("tcp", "dport"), "443"},
    {"yyyy", "{\"ct\":{\"key\":\"state\"}}", "\"new\""},
    {"????", "{\"fib\":{\"result\":\"type\",\"flags\":[\"daddr\"]}}", "\"local\""},
};

#define RULES(family, hook, more, rules)                                                                     \
    "{\"table\":{\"family\":\"" family "\",\"name\":\"t\",\"handle\":1}},"                                   \
    "{\"chain\":{\"family\":\"" family "\",\"table\":\"t\",\"name\":\"c\",\"handle\":1,"                     \
    "\"type\":\"filter\",\"hook\":\"" hook "\",\"prio\":0,\"policy\":\"accept\"" more "}},"                  \
    "{\"rule\":{\"family\":\"" family "\",\"table\":\"t\",\"chain\":\"c\",\"handle\":2,"                     \
    "\"expr\":[" rules "]}}"

static void test_nft(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(nft_cases); i++) {
        g_autoptr(Facts) facts = facts_new();
        g_autofree char *objects =
            g_strdup_printf(RULES("bridge", "forward", "",
                                  "{\"match\":{\"op\":\"==\",\"left\":%s,\"right\":%s}},{\"drop\":null}"),
                            nft_cases[i].left, nft_cases[i].right);

        add_nft(facts, objects);
        assert_letters(facts, nft_cases[i].left, nft_cases[i].letters);
    }
}

/* What is sent on by another device comes nowhere else; ICMP's answers are to no ARP. */
static void test_nft_verdicts(void)
{
    g_autoptr(Facts) forwards = facts_new();
    g_autoptr(Facts) rejects = facts_new();
    Packet arp = frame_of(FRAME_ARP);
    g_autoptr(PacketResult) rejected = NULL;

    add_nft(forwards, RULES("bridge", "forward", "", "{\"fwd\":{\"dev\":\"eth1\"}}"));
    assert_letters(forwards, "fwd", "????");
    add_nft(rejects,
            RULES("bridge", "forward", "", "{\"reject\":{\"type\":\"icmp\",\"expr\":\"port-unreachable\"}}"));
    rejected = packet_evaluate(rejects, "forward", &arp);
    g_assert_cmpint(rejected->verdict, ==, PACKET_ACCEPT);
}

/* Before connection tracking has seen a frame its state is not told; on a device it never is. */
static void test_tracking(void)
{
    static const struct {
        const char *priority;
        PacketVerdict verdict;
    } cases[] = {{"-300", PACKET_UNKNOWN}, {"-200", PACKET_UNKNOWN}, {"-199", PACKET_DROP}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = facts_new();
        Packet packet = frame_of(FRAME_WEB);
        g_autoptr(PacketResult) result = NULL;
        FirewallTable *table;

        add_nft(facts, RULES("bridge", "prerouting", "",
                             "{\"match\":{\"op\":\"==\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":"
                             "\"new\"}},{\"drop\":null}"));
        table = facts->firewall->pdata[0];
        ((FirewallChain *)table->chains->pdata[0])->priority = atoi(cases[i].priority);
        result = packet_evaluate(facts, "prerouting", &packet);
        g_assert_cmpint(result->verdict, ==, cases[i].verdict);
    }
}

/* Where chains of a device are; "": nft did not say. */
static void test_devices(void)
{
    static const struct {
        const char *family, *dev;
        PacketVerdict verdict;
    } cases[] = {
        {"netdev", ",\"dev\":\"vnet0\"", PACKET_DROP},
        {"netdev", ",\"dev\":\"vnet1\"", PACKET_ACCEPT},
        {"netdev", ",\"dev\":[\"eth0\",\"vnet0\"]", PACKET_DROP},
        {"netdev", ",\"dev\":[]", PACKET_ACCEPT},
        {"netdev", ",\"dev\":\"vnet*\"", PACKET_DROP},
        {"netdev", "", PACKET_UNKNOWN},
        {"inet", ",\"dev\":\"vnet0\"", PACKET_DROP},
        {"bridge", ",\"dev\":\"vnet0\"", PACKET_ACCEPT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = facts_new();
        g_autofree char *objects =
            g_strdup_printf(RULES("%s", "ingress", "%s", "{\"drop\":null}"), cases[i].family, cases[i].family,
                            cases[i].dev, cases[i].family);
        Packet packet = frame_of(FRAME_WEB);
        g_autoptr(PacketResult) result = NULL;

        packet.place = PACKET_AT_DEVICE;
        packet.out = NULL;
        add_nft(facts, objects);
        result = packet_evaluate(facts, "ingress", &packet);
        g_test_message("%s", objects);
        g_assert_cmpint(result->verdict, ==, cases[i].verdict);
    }
}

/* nft's word alone, of a chain that has "xt", is not enough. With ebtables' the filter is understood. */
static void test_nwfilter(void)
{
    static const struct {
        FrameAsk ask;
        const char *address, *nft, *both;
    } cases[] = {
        {FRAME_WEB, "192.168.122.10", "unknown", "accept"}, {FRAME_WEB, "192.168.122.11", "unknown", "drop"},
        {FRAME_ARP, "192.168.122.10", "unknown", "accept"}, {FRAME_ARP, "192.168.122.11", "unknown", "drop"},
        {FRAME_WEB6, "fd00:122::10", "drop", "drop"},
    };
    g_autoptr(Facts) nft = facts_new();
    g_autoptr(Facts) both = facts_new();
    GPtrArray *tables = nft_of("nwfilter-nft.json");
    g_autoptr(GPtrArray) saved = save_of("nwfilter-ebtables.txt", FIREWALL_IPTABLES_NFT, "bridge");

    add_tables(nft, nft_of("nwfilter-nft.json"));
    g_assert_true(firewall_merge_save(tables, saved));
    add_tables(both, tables);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Packet packet = frame_of(cases[i].ask);
        g_autoptr(PacketResult) one = NULL;
        g_autoptr(PacketResult) two = NULL;

        packet.src = ip_of(cases[i].address);
        packet.out = NULL;
        one = packet_evaluate(nft, "prerouting", &packet);
        two = packet_evaluate(both, "prerouting", &packet);
        g_test_message("%s", cases[i].address);
        g_assert_cmpstr(packet_verdict_name(one->verdict), ==, cases[i].nft);
        g_assert_cmpstr(packet_verdict_name(two->verdict), ==, cases[i].both);
        if (two->verdict == PACKET_DROP)
            g_assert_cmpstr(packet_cause(two)->owner, ==, "libvirt nwfilter");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ebtables", test_ebtables);
    g_test_add_func("/nft", test_nft);
    g_test_add_func("/nft/verdicts", test_nft_verdicts);
    g_test_add_func("/tracking", test_tracking);
    g_test_add_func("/devices", test_devices);
    g_test_add_func("/nwfilter", test_nwfilter);
    return g_test_run();
}
