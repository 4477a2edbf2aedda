/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ip.h"
#include "base/name.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <string.h>

/* The input's lines as addresses, subnets, MAC addresses and names: what is understood is the same again when
 * it is written out, and others agree with it. */

static void address(const char *text)
{
    Ip ip, again, next;
    char buffer[IP_TEXT];
    guint8 bytes[16];
    gboolean v4 = inet_pton(AF_INET, text, bytes) == 1;
    gboolean parsed = ip_parse(text, &ip);

    require(parsed == (v4 || inet_pton(AF_INET6, text, bytes) == 1));
    if (!parsed)
        return;
    require(ip.family == (v4 ? 4 : 6) && memcmp(ip.bytes, bytes, ip_bits(&ip) / 8) == 0);
    require(ip_parse(ip_format(&ip, buffer), &again) && ip_equal(&ip, &again));
    for (gint64 step = 1; step < G_MAXINT64 / 256; step *= 251) {
        if (!ip_add(&ip, step, &next))
            continue;
        require(ip_compare(&ip, &next) < 0);
        require(ip_range_size(&ip, &next) == (guint64)step + 1 && ip_range_size(&next, &ip) == 0);
        require(ip_add(&next, -step, &again) && ip_equal(&ip, &again));
    }
}

static void subnet(const char *text)
{
    IpNet net, again, whole;
    Ip last;
    g_autofree char *written = NULL;

    if (!ipnet_parse(text, &net))
        return;
    require(net.prefix <= ip_bits(&net.ip));
    written = ipnet_to_string(&net);
    require(ipnet_parse(written, &again) && ip_equal(&net.ip, &again.ip) && net.prefix == again.prefix);
    whole = ipnet_network(&net);
    last = ipnet_last(&net);
    require(ipnet_contains(&net, &net.ip) && ipnet_contains(&net, &whole.ip) && ipnet_contains(&net, &last));
    require(ipnet_covers(&net, &whole) && ipnet_covers(&whole, &net) && ipnet_overlaps(&net, &whole));
    require(ip_compare(&whole.ip, &net.ip) <= 0 && ip_compare(&net.ip, &last) <= 0);
}

/* As libvirt's <ip> has them. */
static void element(const char *address, const char *netmask, const char *prefix)
{
    IpNet net, again;

    if (!ipnet_from_xml(address, netmask, prefix, &net))
        return;
    require(net.prefix <= ip_bits(&net.ip));
    if (net.ip.family == 4) {
        Ip mask = ipnet_mask(&net);
        g_autofree char *text = ip_to_string(&mask);

        require(ipnet_from_xml(address, text, NULL, &again) && again.prefix == net.prefix);
    }
}

static void mac(const char *text)
{
    Mac mac, again;
    char buffer[MAC_TEXT];

    if (!mac_parse(text, &mac))
        return;
    require(strlen(text) < sizeof(buffer));
    require(mac_parse(mac_format(&mac, buffer), &again) && mac_equal(&mac, &again));
    require(g_ascii_strcasecmp(text, buffer) == 0 || strlen(text) != strlen(buffer));
}

static void name(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    gboolean network = name_is_network(text);

    require(!network ||
            (text[strspn(text, plain)] == '\0' && g_ascii_isalnum(text[0]) && strlen(text) <= 50));
    require(name_is_ifname(text) == (network && strlen(text) <= 15));
    require(!name_is_uuid(text) || strlen(text) == 36);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 4);
    guint count = g_strv_length(lines);

    for (guint i = 0; i < count; i++) {
        address(lines[i]);
        subnet(lines[i]);
        mac(lines[i]);
        name(lines[i]);
    }
    element(lines[0], count > 1 && *lines[1] ? lines[1] : NULL, count > 2 ? lines[2] : NULL);
    return 0;
}
