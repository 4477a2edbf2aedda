/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IPV4_BYTES 4
#define IPV6_BYTES 16

static gsize ip_length(const Ip *ip)
{
    return ip->family == 4 ? IPV4_BYTES : ip->family == 6 ? IPV6_BYTES : 0;
}

gboolean ip_from_bytes(const void *bytes, gsize length, Ip *ip)
{
    memset(ip, 0, sizeof(*ip));
    if (length != IPV4_BYTES && length != IPV6_BYTES)
        return FALSE;
    ip->family = length == IPV4_BYTES ? 4 : 6;
    memcpy(ip->bytes, bytes, length);
    return TRUE;
}

gboolean ip_parse(const char *text, Ip *ip)
{
    guint8 bytes[IPV6_BYTES];

    memset(ip, 0, sizeof(*ip));
    if (!text)
        return FALSE;
    if (inet_pton(AF_INET, text, bytes) == 1)
        return ip_from_bytes(bytes, IPV4_BYTES, ip);
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return ip_from_bytes(bytes, IPV6_BYTES, ip);
    return FALSE;
}

const char *ip_format(const Ip *ip, char buffer[static IP_TEXT])
{
    buffer[0] = '\0';
    if (ip->family)
        inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, buffer, IP_TEXT);
    return buffer;
}

char *ip_to_string(const Ip *ip)
{
    char buffer[IP_TEXT];

    return g_strdup(ip_format(ip, buffer));
}

int ip_compare(const Ip *a, const Ip *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, ip_length(a));
}

guint ip_bits(const Ip *ip)
{
    return (guint)ip_length(ip) * 8;
}

gboolean ip_is_link_local(const Ip *ip)
{
    if (ip->family == 4)
        return ip->bytes[0] == 169 && ip->bytes[1] == 254;
    return ip->family == 6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

gboolean ip_is_multicast(const Ip *ip)
{
    if (ip->family == 4)
        return (ip->bytes[0] & 0xf0) == 0xe0;
    return ip->family == 6 && ip->bytes[0] == 0xff;
}

gboolean ip_is_unspecified(const Ip *ip)
{
    static const guint8 zero[IPV6_BYTES];

    return memcmp(ip->bytes, zero, ip_length(ip)) == 0;
}

gboolean ip_is_loopback(const Ip *ip)
{
    static const guint8 one[IPV6_BYTES] = {[IPV6_BYTES - 1] = 1};

    if (ip->family == 4)
        return ip->bytes[0] == 127;
    return ip->family == 6 && memcmp(ip->bytes, one, sizeof(one)) == 0;
}

gboolean ip_add(const Ip *ip, gint64 n, Ip *result)
{
    gsize length = ip_length(ip);
    guint64 magnitude = n < 0 ? -(guint64)n : (guint64)n;
    gint carry = 0;

    *result = *ip;
    for (gsize i = length; i-- > 0;) {
        gint digit = (gint)(magnitude & 0xff);
        gint sum = n < 0 ? ip->bytes[i] - digit + carry : ip->bytes[i] + digit + carry;

        magnitude >>= 8;
        result->bytes[i] = (guint8)(sum & 0xff);
        carry = sum < 0 ? -1 : sum > 0xff ? 1 : 0;
    }
    return length > 0 && carry == 0 && magnitude == 0;
}

/* bytes[i] of the mask of a prefix. */
static guint8 mask_byte(guint prefix, gsize i)
{
    if (prefix >= (i + 1) * 8)
        return 0xff;
    if (prefix <= i * 8)
        return 0;
    return (guint8)(0xff << (8 - (prefix - i * 8)));
}

static gboolean prefix_parse(const char *text, guint most, guint8 *prefix)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 0, most, &value, NULL))
        return FALSE;
    *prefix = (guint8)value;
    return TRUE;
}

gboolean ipnet_parse(const char *text, IpNet *net)
{
    const char *slash = text ? strchr(text, '/') : NULL;
    g_autofree char *address = slash ? g_strndup(text, (gsize)(slash - text)) : NULL;

    memset(net, 0, sizeof(*net));
    return address && ip_parse(address, &net->ip) && prefix_parse(slash + 1, ip_bits(&net->ip), &net->prefix);
}

static gboolean prefix_from_netmask(const char *netmask, guint8 *prefix)
{
    guint bits = 0;
    Ip mask;

    if (!ip_parse(netmask, &mask) || mask.family != 4)
        return FALSE;
    while (bits < 32 && (mask.bytes[bits / 8] & (0x80 >> (bits % 8))))
        bits++;
    for (guint i = bits; i < 32; i++) {
        if (mask.bytes[i / 8] & (0x80 >> (i % 8)))
            return FALSE;
    }
    *prefix = (guint8)bits;
    return TRUE;
}

static guint8 prefix_default(const Ip *ip)
{
    if (ip->family == 6)
        return 64;
    return ip->bytes[0] < 128 ? 8 : ip->bytes[0] < 192 ? 16 : 24;
}

gboolean ipnet_from_xml(const char *address, const char *netmask, const char *prefix, IpNet *net)
{
    memset(net, 0, sizeof(*net));
    if (!ip_parse(address, &net->ip))
        return FALSE;
    if (prefix)
        return prefix_parse(prefix, ip_bits(&net->ip), &net->prefix);
    if (netmask)
        return net->ip.family == 4 && prefix_from_netmask(netmask, &net->prefix);
    net->prefix = prefix_default(&net->ip);
    return TRUE;
}

char *ipnet_to_string(const IpNet *net)
{
    char buffer[IP_TEXT];

    return g_strdup_printf("%s/%u", ip_format(&net->ip, buffer), net->prefix);
}

IpNet ipnet_network(const IpNet *net)
{
    IpNet result = *net;

    for (gsize i = 0; i < ip_length(&net->ip); i++)
        result.ip.bytes[i] &= mask_byte(net->prefix, i);
    return result;
}

Ip ipnet_last(const IpNet *net)
{
    Ip result = net->ip;

    for (gsize i = 0; i < ip_length(&net->ip); i++)
        result.bytes[i] |= (guint8)~mask_byte(net->prefix, i);
    return result;
}

Ip ipnet_mask(const IpNet *net)
{
    Ip result = {.family = net->ip.family};

    for (gsize i = 0; i < ip_length(&net->ip); i++)
        result.bytes[i] = mask_byte(net->prefix, i);
    return result;
}

gboolean ipnet_contains(const IpNet *net, const Ip *ip)
{
    if (net->ip.family != ip->family || ip->family == 0)
        return FALSE;
    for (gsize i = 0; i < ip_length(ip); i++) {
        if ((net->ip.bytes[i] ^ ip->bytes[i]) & mask_byte(net->prefix, i))
            return FALSE;
    }
    return TRUE;
}

gboolean ipnet_covers(const IpNet *outer, const IpNet *inner)
{
    return outer->prefix <= inner->prefix && ipnet_contains(outer, &inner->ip);
}

gboolean ipnet_overlaps(const IpNet *a, const IpNet *b)
{
    return ipnet_covers(a, b) || ipnet_covers(b, a);
}

guint64 ip_range_size(const Ip *first, const Ip *last)
{
    guint64 size = 0;

    if (first->family != last->family || ip_compare(first, last) > 0)
        return 0;
    for (gsize i = 0; i < ip_length(first); i++) {
        /* The difference so far is non-negative, because first <= last; a negative digit borrows from it. */
        gint digit = last->bytes[i] - first->bytes[i];

        if (size > (G_MAXUINT64 >> 8) + (digit < 0))
            return G_MAXUINT64;
        size = size * 256 + (guint64)digit;
    }
    return size == G_MAXUINT64 ? size : size + 1;
}

gboolean mac_parse(const char *text, Mac *mac)
{
    memset(mac, 0, sizeof(*mac));
    if (!text || strlen(text) != MAC_TEXT - 1)
        return FALSE;
    for (gsize i = 0; i < sizeof(mac->bytes); i++) {
        gint high = g_ascii_xdigit_value(text[i * 3]);
        gint low = g_ascii_xdigit_value(text[i * 3 + 1]);

        if (high < 0 || low < 0 || (i < sizeof(mac->bytes) - 1 && text[i * 3 + 2] != ':'))
            return FALSE;
        mac->bytes[i] = (guint8)(high * 16 + low);
    }
    return TRUE;
}

const char *mac_format(const Mac *mac, char buffer[static MAC_TEXT])
{
    const guint8 *b = mac->bytes;

    g_snprintf(buffer, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    return buffer;
}

char *mac_to_string(const Mac *mac)
{
    char buffer[MAC_TEXT];

    return g_strdup(mac_format(mac, buffer));
}

int mac_compare(const Mac *a, const Mac *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}
