/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/trace-frame.h"

#include <netinet/in.h>
#include <string.h>

#define TTL 64
#define TCP_HEADER 20
#define WINDOW 1024
#define TCP_SYN 0x02
#define LABEL4 0xffff
#define LABEL6 0xfffff

/* Before and behind everything that others hook in; connection tracking confirms at the very end, which no
 * chain can be behind. */
#define FIRST "-2147483000"
#define LAST "2147483000"

TraceKey trace_key_new(guint8 family)
{
    return (TraceKey){.label = g_random_int() & (family == 4 ? LABEL4 : LABEL6), .token = g_random_int()};
}

static void put_u8(GByteArray *bytes, guint8 value)
{
    g_byte_array_append(bytes, &value, sizeof(value));
}

static void put_u16(GByteArray *bytes, guint16 value)
{
    const guint16 wire = GUINT16_TO_BE(value);

    g_byte_array_append(bytes, (const guint8 *)&wire, sizeof(wire));
}

static void put_u32(GByteArray *bytes, guint32 value)
{
    const guint32 wire = GUINT32_TO_BE(value);

    g_byte_array_append(bytes, (const guint8 *)&wire, sizeof(wire));
}

static void put_ip(GByteArray *bytes, const Ip *ip)
{
    g_byte_array_append(bytes, ip->bytes, ip_bits(ip) / 8);
}

/* RFC 1071, of an even number of bytes. */
static guint32 sum_of(const GByteArray *bytes, guint32 sum)
{
    for (guint i = 0; i + 1 < bytes->len; i += 2)
        sum += (guint32)bytes->data[i] << 8 | bytes->data[i + 1];
    return sum;
}

static guint16 folded(guint32 sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (guint16)~sum;
}

static void set_u16(GByteArray *bytes, guint at, guint16 value)
{
    bytes->data[at] = (guint8)(value >> 8);
    bytes->data[at + 1] = (guint8)value;
}

static void add_checksum(const Packet *packet, GByteArray *body, guint at)
{
    g_autoptr(GByteArray) pseudo = g_byte_array_new();

    if (packet->protocol != IPPROTO_ICMP) {
        put_ip(pseudo, &packet->src);
        put_ip(pseudo, &packet->dst);
        put_u32(pseudo, body->len);
        put_u32(pseudo, packet->protocol);
    }
    set_u16(body, at, folded(sum_of(body, sum_of(pseudo, 0))));
}

/* What stands behind the IP header. */
static GByteArray *transport(const TraceFrame *frame)
{
    const Packet *packet = frame->packet;
    GByteArray *body = g_byte_array_new();

    if (packet->protocol == IPPROTO_TCP) {
        put_u16(body, packet->sport);
        put_u16(body, packet->dport);
        put_u32(body, frame->key.token);
        put_u32(body, 0);
        put_u8(body, TCP_HEADER / 4 << 4);
        put_u8(body, TCP_SYN);
        put_u16(body, WINDOW);
        put_u32(body, 0);
        add_checksum(packet, body, 16);
        return body;
    }
    if (packet->protocol == IPPROTO_UDP) {
        put_u16(body, packet->sport);
        put_u16(body, packet->dport);
        put_u16(body, 12);
    } else {
        put_u8(body, packet->icmp_type);
        put_u8(body, packet->icmp_code);
        put_u16(body, 0);
        put_u16(body, (guint16)frame->key.label);
    }
    put_u16(body, 0);
    put_u32(body, frame->key.token);
    add_checksum(packet, body, packet->protocol == IPPROTO_UDP ? 6 : 2);
    return body;
}

static GByteArray *header4(const TraceFrame *frame, guint length)
{
    GByteArray *header = g_byte_array_new();

    put_u16(header, 0x4500);
    put_u16(header, (guint16)(20 + length));
    put_u16(header, (guint16)frame->key.label);
    put_u16(header, 0);
    put_u8(header, TTL);
    put_u8(header, frame->packet->protocol);
    put_u16(header, 0);
    put_ip(header, &frame->packet->src);
    put_ip(header, &frame->packet->dst);
    set_u16(header, 10, folded(sum_of(header, 0)));
    return header;
}

static GByteArray *header6(const TraceFrame *frame, guint length)
{
    GByteArray *header = g_byte_array_new();

    put_u32(header, 0x60000000 | frame->key.label);
    put_u16(header, (guint16)length);
    put_u8(header, frame->packet->protocol);
    put_u8(header, TTL);
    put_ip(header, &frame->packet->src);
    put_ip(header, &frame->packet->dst);
    return header;
}

GByteArray *trace_frame(const TraceFrame *frame)
{
    const gboolean four = frame->packet->family == 4;
    g_autoptr(GByteArray) body = transport(frame);
    g_autoptr(GByteArray) header = four ? header4(frame, body->len) : header6(frame, body->len);
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_append(bytes, frame->to.bytes, sizeof(frame->to.bytes));
    g_byte_array_append(bytes, frame->from.bytes, sizeof(frame->from.bytes));
    put_u16(bytes, four ? 0x0800 : 0x86dd);
    g_byte_array_append(bytes, header->data, header->len);
    g_byte_array_append(bytes, body->data, body->len);
    return bytes;
}

/* ----------------------------------------------------------------------------------------------- rules */

/* The conditions that the frame alone fulfils, also when its addresses and ports are others by then. */
static char *condition(const TraceFrame *frame)
{
    const Packet *packet = frame->packet;
    g_autofree char *id = packet->family == 4 ? g_strdup_printf("ip id %u", frame->key.label)
                                              : g_strdup_printf("ip6 flowlabel %u", frame->key.label);

    if (packet->protocol == IPPROTO_TCP)
        return g_strdup_printf("%s tcp sequence %u", id, frame->key.token);
    return g_strdup_printf("%s meta l4proto %u @th,64,32 %u", id, packet->protocol, frame->key.token);
}

/* What a rule that rejects the frame answers. */
static char *answer(const TraceFrame *frame)
{
    const Packet *packet = frame->packet;
    const char *family = packet->family == 4 ? "ip" : "ip6";
    g_autofree char *guest = ip_to_string(&packet->src);
    g_autoptr(GString) rules = g_string_new(NULL);

    /* The header that an error quotes: its identification, or its first word. */
    if (packet->family == 4)
        g_string_append_printf(rules,
                               "add rule inet " TRACE_TABLE
                               " mute ip daddr %s icmp type destination-unreachable @th,96,16 %u drop; ",
                               guest, frame->key.label);
    else
        g_string_append_printf(rules,
                               "add rule inet " TRACE_TABLE
                               " mute ip6 daddr %s icmpv6 type destination-unreachable @th,64,32 %u drop; ",
                               guest, 0x60000000 | frame->key.label);
    if (packet->protocol == IPPROTO_TCP)
        g_string_append_printf(rules,
                               "add rule inet " TRACE_TABLE
                               " mute %s daddr %s tcp flags & rst == rst tcp ackseq %u drop; ",
                               family, guest, frame->key.token + 1);
    return g_string_free(g_steal_pointer(&rules), FALSE);
}

char *trace_commands(const TraceFrame *frame)
{
    g_autofree char *known = condition(frame);
    g_autofree char *muted = answer(frame);

    return g_strdup_printf(
        "add table inet " TRACE_TABLE "; delete table inet " TRACE_TABLE "; add table inet " TRACE_TABLE "; "
        "add chain inet " TRACE_TABLE " begin { type filter hook prerouting priority " FIRST "; }; "
        "add chain inet " TRACE_TABLE " " TRACE_END "_input { type filter hook input priority " LAST "; }; "
        "add chain inet " TRACE_TABLE " " TRACE_END
        "_postrouting { type filter hook postrouting priority " LAST "; }; "
        "add chain inet " TRACE_TABLE " mute { type filter hook output priority " FIRST "; }; "
        "%s"
        "add rule inet " TRACE_TABLE " " TRACE_END "_input %s drop; "
        "add rule inet " TRACE_TABLE " " TRACE_END "_postrouting %s drop; "
        "add rule inet " TRACE_TABLE " begin %s meta nftrace set 1",
        muted, known, known, known);
}
