/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/frame.h"

#include "model/wire.h"

#include <string.h>

#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define HARDWARE_ETHERNET 1
#define PROTOCOL_UDP 17
#define TIME_TO_LIVE 64
#define IPV4_HEADER 20
#define UDP_HEADER 8

enum { ICMP_ECHO_ANSWER = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO = 8 };
enum {
    ICMP6_UNREACHABLE = 1,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_ANSWER = 129,
    ICMP6_ROUTER_SOLICIT = 133,
    ICMP6_ROUTER_ADVERT = 134,
    ICMP6_NEIGHBOUR_SOLICIT = 135,
    ICMP6_NEIGHBOUR_ADVERT = 136,
};
enum { OPTION_SOURCE_MAC = 1, OPTION_TARGET_MAC = 2, OPTION_PREFIX = 3 };
#define PREFIX_AUTONOMOUS 0x40
#define ROUTER_MANAGED 0x80

const Mac mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* RFC 1071: the sum of all 16 bits, folded; right for bytes that hold their own checksum if 0xffff. */
static guint32 sum_of(const guint8 *bytes, gsize length, guint32 sum)
{
    for (gsize i = 0; i < length; i++)
        sum += (guint32)bytes[i] << (i % 2 ? 0 : 8);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void put_checksum(GByteArray *bytes, gsize at, guint32 sum)
{
    bytes->data[at] = (guint8)(~sum >> 8);
    bytes->data[at + 1] = (guint8)~sum;
}

static void put_ethernet(GByteArray *bytes, const Mac *to, const Mac *from, guint16 type)
{
    wire_put_mac(bytes, to);
    wire_put_mac(bytes, from);
    wire_put_u16(bytes, type);
}

/* --------------------------------------------------------------------------------------------- ARP */

GByteArray *arp_request(const Mac *mac, const Ip *from, const Ip *to)
{
    GByteArray *bytes = g_byte_array_new();

    put_ethernet(bytes, &mac_broadcast, mac, TYPE_ARP);
    wire_put_u16(bytes, HARDWARE_ETHERNET);
    wire_put_u16(bytes, TYPE_IPV4);
    wire_put_u8(bytes, sizeof(Mac));
    wire_put_u8(bytes, 4);
    wire_put_u16(bytes, 1);
    wire_put_mac(bytes, mac);
    wire_put_ip(bytes, from);
    wire_put_zeros(bytes, sizeof(Mac));
    wire_put_ip(bytes, to);
    return bytes;
}

gboolean arp_parse(const void *bytes, gsize length, ArpMessage *message)
{
    Wire wire = {bytes, length, FALSE};
    gboolean kind;

    (void)wire_take(&wire, 2 * sizeof(Mac));
    kind = wire_u16(&wire) == TYPE_ARP && wire_u16(&wire) == HARDWARE_ETHERNET &&
           wire_u16(&wire) == TYPE_IPV4 && wire_u8(&wire) == sizeof(Mac) && wire_u8(&wire) == 4;
    message->operation = wire_u16(&wire);
    message->from_mac = wire_mac(&wire);
    message->from = wire_ip(&wire, 4);
    message->to_mac = wire_mac(&wire);
    message->to = wire_ip(&wire, 4);
    return kind && !wire.bad;
}

/* --------------------------------------------------------------------------------------------- UDP */

/* Of the header that UDP's checksum counts in: addresses, protocol, length. */
static guint32 pseudo_sum(const Ip *from, const Ip *to, gsize length)
{
    return sum_of(to->bytes, 4, sum_of(from->bytes, 4, PROTOCOL_UDP + (guint32)length));
}

GByteArray *udp_frame(const UdpFrame *frame)
{
    const gsize ethernet = 2 * sizeof(Mac) + 2;
    const gsize udp = UDP_HEADER + frame->length;
    GByteArray *bytes = g_byte_array_new();
    guint32 sum;

    put_ethernet(bytes, &frame->to_mac, &frame->from_mac, TYPE_IPV4);
    wire_put_u16(bytes, 0x4500);
    wire_put_u16(bytes, (guint16)(IPV4_HEADER + udp));
    wire_put_u32(bytes, 0);
    wire_put_u8(bytes, TIME_TO_LIVE);
    wire_put_u8(bytes, PROTOCOL_UDP);
    wire_put_u16(bytes, 0);
    wire_put_ip(bytes, &frame->from);
    wire_put_ip(bytes, &frame->to);
    put_checksum(bytes, ethernet + 10, sum_of(bytes->data + ethernet, IPV4_HEADER, 0));
    wire_put_u16(bytes, frame->from_port);
    wire_put_u16(bytes, frame->to_port);
    wire_put_u16(bytes, (guint16)udp);
    wire_put_u16(bytes, 0);
    g_byte_array_append(bytes, frame->payload, (guint)frame->length);
    sum = sum_of(bytes->data + ethernet + IPV4_HEADER, udp, pseudo_sum(&frame->from, &frame->to, udp));
    /* 0 would mean that there is none; its other form is all ones. */
    put_checksum(bytes, ethernet + IPV4_HEADER + 6, sum == 0xffff ? 0 : sum);
    return bytes;
}

static gboolean udp_parse(Wire *wire, UdpFrame *frame)
{
    const guint8 *begin = wire->at;
    const gsize have = wire->left;
    gsize length;
    guint16 checksum;

    frame->from_port = wire_u16(wire);
    frame->to_port = wire_u16(wire);
    length = wire_u16(wire);
    checksum = wire_u16(wire);
    if (wire->bad || length < UDP_HEADER || length > have)
        return FALSE;
    frame->payload = wire->at;
    frame->length = length - UDP_HEADER;
    return checksum == 0 || sum_of(begin, length, pseudo_sum(&frame->from, &frame->to, length)) == 0xffff;
}

gboolean udp_frame_parse(const void *bytes, gsize length, UdpFrame *frame)
{
    Wire wire = {bytes, length, FALSE};
    Wire packet;
    const guint8 *begin;
    gsize header, total;
    guint8 first, protocol;
    guint16 fragment;

    frame->to_mac = wire_mac(&wire);
    frame->from_mac = wire_mac(&wire);
    if (wire_u16(&wire) != TYPE_IPV4 || wire.bad)
        return FALSE;
    begin = wire.at;
    first = wire_u8(&wire);
    (void)wire_u8(&wire);
    total = wire_u16(&wire);
    (void)wire_u16(&wire);
    fragment = wire_u16(&wire);
    (void)wire_u8(&wire);
    protocol = wire_u8(&wire);
    (void)wire_u16(&wire);
    frame->from = wire_ip(&wire, 4);
    frame->to = wire_ip(&wire, 4);
    header = (gsize)(first & 0x0f) * 4;
    if (wire.bad || first >> 4 != 4 || header < IPV4_HEADER || total < header ||
        total > length - 2 * sizeof(Mac) - 2 || protocol != PROTOCOL_UDP || (fragment & 0x3fff) ||
        sum_of(begin, header, 0) != 0xffff)
        return FALSE;
    packet = (Wire){begin + header, total - header, FALSE};
    return udp_parse(&packet, frame);
}

/* ------------------------------------------------------------------------------------------ echoes */

GByteArray *echo_request(guint8 family, guint16 id, guint16 sequence)
{
    static const char text[] = "vnat probe";
    GByteArray *bytes = g_byte_array_new();

    wire_put_u8(bytes, family == 4 ? ICMP_ECHO : ICMP6_ECHO);
    wire_put_u8(bytes, 0);
    wire_put_u16(bytes, 0);
    wire_put_u16(bytes, id);
    wire_put_u16(bytes, sequence);
    g_byte_array_append(bytes, (const guint8 *)text, sizeof(text) - 1);
    if (family == 4)
        put_checksum(bytes, 2, sum_of(bytes->data, bytes->len, 0));
    return bytes;
}

/* Leaves an IPv4 header behind; FALSE if it is none. */
static gboolean skip_ipv4(Wire *wire)
{
    const gsize header = wire->left > 0 ? (gsize)(wire->at[0] & 0x0f) * 4 : 0;

    return header >= IPV4_HEADER && wire->at[0] >> 4 == 4 && wire_take(wire, header) != NULL;
}

/* The message that an error is about, which it quotes from its IP header on. */
static gboolean is_quoted(guint8 family, Wire *wire, guint16 id)
{
    (void)wire_u32(wire);
    if (family == 4 ? !skip_ipv4(wire) : !wire_take(wire, 40))
        return FALSE;
    return wire_u8(wire) == (family == 4 ? ICMP_ECHO : ICMP6_ECHO) && wire_take(wire, 3) &&
           wire_u16(wire) == id && !wire->bad;
}

EchoKind echo_parse(guint8 family, const void *bytes, gsize length, guint16 id, guint8 *code)
{
    Wire wire = {bytes, length, FALSE};
    guint8 type;

    if (family == 4 && !skip_ipv4(&wire))
        return ECHO_NOTHING;
    type = wire_u8(&wire);
    *code = wire_u8(&wire);
    (void)wire_u16(&wire);
    if (wire.bad)
        return ECHO_NOTHING;
    if (type == (family == 4 ? ICMP_ECHO_ANSWER : ICMP6_ECHO_ANSWER))
        return wire_u16(&wire) == id && !wire.bad ? ECHO_ANSWER : ECHO_NOTHING;
    if (type == (family == 4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE) && is_quoted(family, &wire, id))
        return ECHO_UNREACHABLE;
    return ECHO_NOTHING;
}

/* --------------------------------------------------------------------------------------- discovery */

static void put_mac_option(GByteArray *bytes, guint8 type, const Mac *mac)
{
    wire_put_u8(bytes, type);
    wire_put_u8(bytes, 1);
    wire_put_mac(bytes, mac);
}

GByteArray *router_solicitation(const Mac *mac)
{
    GByteArray *bytes = g_byte_array_new();

    wire_put_u8(bytes, ICMP6_ROUTER_SOLICIT);
    wire_put_zeros(bytes, 7);
    put_mac_option(bytes, OPTION_SOURCE_MAC, mac);
    return bytes;
}

GByteArray *neighbour_solicitation(const Mac *mac, const Ip *target)
{
    GByteArray *bytes = g_byte_array_new();

    wire_put_u8(bytes, ICMP6_NEIGHBOUR_SOLICIT);
    wire_put_zeros(bytes, 7);
    wire_put_ip(bytes, target);
    put_mac_option(bytes, OPTION_SOURCE_MAC, mac);
    return bytes;
}

/* The next option: its length is in units of eight bytes, and none has none. */
static gboolean next_option(Wire *wire, guint8 *type, Wire *option)
{
    gsize length;

    if (wire->left == 0 || wire->bad)
        return FALSE;
    *type = wire_u8(wire);
    length = (gsize)wire_u8(wire) * 8;
    if (length == 0) {
        wire->bad = TRUE;
        return FALSE;
    }
    *option = wire_part(wire, length - 2);
    return !wire->bad;
}

static void take_prefix(Wire *option, RouterAdvertisement *message)
{
    const guint8 prefix = wire_u8(option);
    const guint8 flags = wire_u8(option);
    Ip ip;

    (void)wire_take(option, 12);
    ip = wire_ip(option, 16);
    if (option->bad || prefix > 128 || !(flags & PREFIX_AUTONOMOUS) || message->has_prefix)
        return;
    message->has_prefix = TRUE;
    message->prefix = (IpNet){ip, prefix};
}

gboolean router_advertisement_parse(const void *bytes, gsize length, RouterAdvertisement *message)
{
    Wire wire = {bytes, length, FALSE};
    const guint8 type = wire_u8(&wire);
    Wire option;
    guint8 kind;

    *message = (RouterAdvertisement){0};
    (void)wire_take(&wire, 4);
    message->managed = (wire_u8(&wire) & ROUTER_MANAGED) != 0;
    message->lifetime = wire_u16(&wire);
    (void)wire_take(&wire, 8);
    while (next_option(&wire, &kind, &option)) {
        if (kind == OPTION_PREFIX)
            take_prefix(&option, message);
    }
    return type == ICMP6_ROUTER_ADVERT && !wire.bad;
}

gboolean neighbour_advertisement_parse(const void *bytes, gsize length, Ip *target, Mac *mac)
{
    Wire wire = {bytes, length, FALSE};
    const guint8 type = wire_u8(&wire);
    gboolean has_mac = FALSE;
    Wire option;
    guint8 kind;

    (void)wire_take(&wire, 7);
    *target = wire_ip(&wire, 16);
    while (next_option(&wire, &kind, &option)) {
        if (kind != OPTION_TARGET_MAC || option.left != sizeof(Mac))
            continue;
        *mac = wire_mac(&option);
        has_mac = TRUE;
    }
    return type == ICMP6_NEIGHBOUR_ADVERT && has_mac && !wire.bad;
}

Ip solicited_group(const Ip *target)
{
    Ip group = {.family = 6, .bytes = {0xff, 0x02, [11] = 0x01, [12] = 0xff}};

    memcpy(group.bytes + 13, target->bytes + 13, 3);
    return group;
}

Ip interface_address(const Ip *prefix, const Mac *mac)
{
    Ip ip = *prefix;

    memcpy(ip.bytes + 8, mac->bytes, 3);
    ip.bytes[8] ^= 0x02;
    ip.bytes[11] = 0xff;
    ip.bytes[12] = 0xfe;
    memcpy(ip.bytes + 13, mac->bytes + 3, 3);
    return ip;
}
