/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <netinet/in.h>
#include <string.h>

typedef struct {
    const char *name;
    guint number;
} Word;

static const Word protocols[] = {
    {"icmp", IPPROTO_ICMP},
    {"igmp", 2},
    {"ipencap", 4},
    {"tcp", IPPROTO_TCP},
    {"udp", IPPROTO_UDP},
    {"dccp", 33},
    {"ipv6", 41},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"ipv6-icmp", 58},
    {"icmpv6", IPPROTO_ICMPV6},
    {"icmp6", IPPROTO_ICMPV6},
    {"ospf", 89},
    {"ipip", 94},
    {"pim", 103},
    {"comp", 108},
    {"ipcomp", 108},
    {"vrrp", 112},
    {"l2tp", 115},
    {"sctp", 132},
    {"mh", 135},
    {"udplite", 136},
    {"mobility-header", 135},
    {"ipv6-mh", 135},
    {"ipv6-route", 43},
    {"ipv6-frag", 44},
    {"ipv6-nonxt", 59},
    {"ipv6-opts", 60},
};

/* NFPROTO_* of linux/netfilter.h. */
static const Word families[] = {
    {"ipv4", PACKET_NFPROTO_IPV4},     {"arp", PACKET_NFPROTO_ARP},   {"netdev", PACKET_NFPROTO_NETDEV},
    {"bridge", PACKET_NFPROTO_BRIDGE}, {"ipv6", PACKET_NFPROTO_IPV6},
};

static const Word ethertypes[] = {
    {"ip", 0x0800},   {"ipv4", 0x0800}, {"ip6", 0x86dd},   {"ipv6", 0x86dd},   {"arp", 0x0806},
    {"rarp", 0x8035}, {"vlan", 0x8100}, {"8021q", 0x8100}, {"802_1q", 0x8100}, {"8021ad", 0x88a8},
};

/* ARPOP_* of linux/if_arp.h, in nft's and ebtables' spelling. */
static const Word arp_operations[] = {
    {"request", 1}, {"reply", 2}, {"rrequest", 3},        {"rreply", 4},        {"inrequest", 8},
    {"inreply", 9}, {"nak", 10},  {"request_reverse", 3}, {"reply_reverse", 4},
};

/* What nft and iptables call the states, as bits of NF_CT_STATE_BIT. */
static const Word states[] = {
    {"invalid", 1}, {"established", 2}, {"related", 4}, {"new", 8}, {"untracked", 64},
};

/* IPS_* of nf_conntrack_common.h, in nft's and iptables' spelling. */
static const Word statuses[] = {
    {"expected", 1},  {"seen-reply", 2}, {"seen_reply", 2}, {"assured", 4},
    {"confirmed", 8}, {"snat", 16},      {"dnat", 32},      {"dying", 512},
};

static const Word directions[] = {{"original", 0}, {"reply", 1}};

static const Word tcp_flags[] = {
    {"fin", 1},  {"syn", 2},  {"rst", 4},   {"psh", 8},  {"ack", 16},
    {"urg", 32}, {"ecn", 64}, {"cwr", 128}, {"none", 0}, {"all", 63},
};

static const Word icmp_types[] = {
    {"echo-reply", 0},           {"destination-unreachable", 3},
    {"source-quench", 4},        {"redirect", 5},
    {"echo-request", 8},         {"router-advertisement", 9},
    {"router-solicitation", 10}, {"time-exceeded", 11},
    {"parameter-problem", 12},   {"timestamp-request", 13},
    {"timestamp-reply", 14},     {"info-request", 15},
    {"info-reply", 16},          {"address-mask-request", 17},
    {"address-mask-reply", 18},
};

static const Word icmp6_types[] = {
    {"destination-unreachable", 1},  {"packet-too-big", 2},         {"time-exceeded", 3},
    {"parameter-problem", 4},        {"echo-request", 128},         {"echo-reply", 129},
    {"mld-listener-query", 130},     {"mld-listener-report", 131},  {"mld-listener-done", 132},
    {"mld-listener-reduction", 132}, {"nd-router-solicit", 133},    {"nd-router-advert", 134},
    {"nd-neighbor-solicit", 135},    {"nd-neighbor-advert", 136},   {"nd-redirect", 137},
    {"router-renumbering", 138},     {"ind-neighbor-solicit", 141}, {"ind-neighbor-advert", 142},
    {"mld2-listener-report", 143},
};

static const Word icmp_codes[] = {
    {"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2}, {"port-unreachable", 3},
    {"frag-needed", 4},     {"net-prohibited", 9},   {"host-prohibited", 10}, {"admin-prohibited", 13},
};

static const Word icmp6_codes[] = {
    {"no-route", 0},         {"admin-prohibited", 1}, {"addr-unreachable", 3},
    {"port-unreachable", 4}, {"policy-fail", 5},      {"reject-route", 6},
};

/* PACKET_* of linux/if_packet.h. */
static const Word casts[] = {
    {"host", 0}, {"unicast", 0}, {"broadcast", 1}, {"multicast", 2}, {"other", 3}, {"loopback", 5},
};

/* RTN_* of linux/rtnetlink.h. */
static const Word address_types[] = {
    {"unspec", 0},
    {"unicast", ROUTE_UNICAST},
    {"local", ROUTE_LOCAL},
    {"broadcast", ROUTE_BROADCAST},
    {"anycast", 4},
    {"multicast", ROUTE_MULTICAST},
    {"blackhole", 6},
    {"unreachable", 7},
    {"prohibit", 8},
    {"throw", 9},
    {"nat", 10},
    {"xresolve", 11},
};

#define WORDS(list)                                                                                          \
    {                                                                                                        \
        list, G_N_ELEMENTS(list)                                                                             \
    }

static const struct {
    const Word *list;
    gsize count;
} vocabulary[] = {
    [WORDS_NONE] = {NULL, 0},
    [WORDS_PROTOCOL] = WORDS(protocols),
    [WORDS_FAMILY] = WORDS(families),
    [WORDS_ETHERTYPE] = WORDS(ethertypes),
    [WORDS_ARP] = WORDS(arp_operations),
    [WORDS_STATE] = WORDS(states),
    [WORDS_STATUS] = WORDS(statuses),
    [WORDS_DIRECTION] = WORDS(directions),
    [WORDS_TCP_FLAGS] = WORDS(tcp_flags),
    [WORDS_ICMP] = WORDS(icmp_types),
    [WORDS_ICMP6] = WORDS(icmp6_types),
    [WORDS_ICMP_CODE] = WORDS(icmp_codes),
    [WORDS_ICMP6_CODE] = WORDS(icmp6_codes),
    [WORDS_CAST] = WORDS(casts),
    [WORDS_ADDRESS_TYPE] = WORDS(address_types),
};

gboolean words_digits(const char *text, guint64 *number)
{
    char *end = NULL;
    guint64 value;

    if (!text || !g_ascii_isdigit(*text))
        return FALSE;
    value = g_ascii_strtoull(text, &end, 0);
    if (*end != '\0')
        return FALSE;
    *number = value;
    return TRUE;
}

gboolean words_number(Words words, const char *name, guint64 *number)
{
    for (gsize i = 0; name && i < vocabulary[words].count; i++) {
        if (g_ascii_strcasecmp(vocabulary[words].list[i].name, name) != 0)
            continue;
        *number = vocabulary[words].list[i].number;
        return TRUE;
    }
    return words_digits(name, number);
}
