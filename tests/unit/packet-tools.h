/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/packet.h"
#include "sources/firewall.h"

#include <netinet/in.h>
#include <string.h>

/*
 * Rules from text, and the packets that they are asked about: of a guest 192.168.122.10 (fd00:122::10) behind
 * virbr0 (index 10), on a host whose way out is eth0 (2).
 */

typedef enum { ASK_WEB, ASK_NAMES, ASK_REPLY, ASK_ECHO, ASK_WEB6, ASK_ECHO6, ASK_COUNT } Ask;

static inline Ip ip_of(const char *text)
{
    Ip ip;

    g_assert_true(ip_parse(text, &ip));
    return ip;
}

static inline Packet packet_of(Ask ask)
{
    gboolean six = ask == ASK_WEB6 || ask == ASK_ECHO6;
    Packet packet = {
        .family = six ? 6 : 4,
        .in = "virbr0",
        .in_index = 10,
        .out = "eth0",
        .out_index = 2,
        .src = ip_of(six ? "fd00:122::10" : "192.168.122.10"),
        .dst = ip_of(six ? "2001:db8::1" : "198.51.100.1"),
        .protocol = IPPROTO_TCP,
        .sport = 40000,
        .dport = 443,
    };

    if (ask == ASK_NAMES || ask == ASK_REPLY) {
        packet.protocol = IPPROTO_UDP;
        packet.dport = 53;
    }
    if (ask == ASK_ECHO || ask == ASK_ECHO6) {
        packet.protocol = six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
        packet.sport = packet.dport = 0;
        packet.icmp_type = six ? 128 : 8;
    }
    if (ask == ASK_REPLY) {
        packet.state = PACKET_ESTABLISHED;
        packet.reply = TRUE;
        packet.snat = TRI_YES;
        packet.in = "eth0";
        packet.in_index = 2;
        packet.out = "virbr0";
        packet.out_index = 10;
        packet.src = ip_of("198.51.100.1");
        packet.dst = ip_of("192.168.122.10");
        packet.sport = 53;
        packet.dport = 40000;
    }
    return packet;
}

/* Adds tables to what was read. */
static inline void add_tables(Facts *facts, GPtrArray *tables)
{
    g_ptr_array_extend_and_steal(facts->firewall, tables);
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_LIVE, NULL);
}

/* objects: of nft's list, without the brackets. */
static inline void add_nft(Facts *facts, const char *objects)
{
    g_autofree char *json =
        g_strdup_printf("{\"nftables\":[{\"metainfo\":{\"json_schema_version\":1}},%s]}", objects);
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_nft(json, strlen(json), &error);

    g_assert_no_error(error);
    add_tables(facts, tables);
}

static inline void add_save(Facts *facts, FirewallShape shape, const char *family, const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_save(text, strlen(text), shape, family, &error);

    g_assert_no_error(error);
    add_tables(facts, tables);
}

static inline PacketResult *asked(const Facts *facts, const char *hook, Ask ask)
{
    Packet packet = packet_of(ask);

    return packet_evaluate(facts, hook, &packet);
}

/* "drop table ip filter, chain c: policy drop": the verdict and its cause. */
static inline char *answer_of(const PacketResult *result)
{
    const PacketStep *cause = packet_cause(result);
    g_autofree char *text = cause ? packet_step_text(cause) : NULL;

    if (text)
        return g_strdup_printf("%s %s", packet_verdict_name(result->verdict), text);
    return g_strdup_printf("%s%s%s", packet_verdict_name(result->verdict), result->why ? " " : "",
                           result->why ? result->why : "");
}

#define assert_answer(facts, ask, expected)                                                                  \
    G_STMT_START                                                                                             \
    {                                                                                                        \
        g_autoptr(PacketResult) result_ = asked(facts, "forward", ask);                                      \
        g_autofree char *answer_ = answer_of(result_);                                                       \
                                                                                                             \
        g_assert_cmpstr(answer_, ==, expected);                                                              \
    }                                                                                                        \
    G_STMT_END
