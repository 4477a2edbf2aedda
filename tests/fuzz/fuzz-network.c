/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "fuzz.h"
#include "sources/libvirt.h"

#include <string.h>

/* A network's XML: refused, or a network of sane numbers and UTF-8, which is the same again when the document
 * is written and read once more. */

static void require_text(const char *text)
{
    require(!text || g_utf8_validate(text, -1, NULL));
}

static void require_ip(const NetworkIp *ip, const NetworkIp *again)
{
    require(ip->net.ip.family == 4 || ip->net.ip.family == 6);
    require(ip->net.prefix <= ip_bits(&ip->net.ip));
    require(ip_equal(&ip->net.ip, &again->net.ip) && ip->net.prefix == again->net.prefix);
    require(ip->dhcp == again->dhcp && ip->has_host == again->has_host);
    require(ip->dhcp || (ip->ranges->len == 0 && !ip->has_host));
    require(ip->ranges->len == again->ranges->len);
    for (guint i = 0; i < ip->ranges->len; i++) {
        const DhcpRange *range = &g_array_index(ip->ranges, DhcpRange, i);
        const DhcpRange *other = &g_array_index(again->ranges, DhcpRange, i);

        require(ip_equal(&range->first, &other->first) && ip_equal(&range->last, &other->last));
        ip_range_size(&range->first, &range->last);
    }
}

static void require_template(const Network *network, const Network *again)
{
    require(fuzz_equal(network->template_name, again->template_name));
    require(network->template_values->len == again->template_values->len);
    for (guint i = 0; i < network->template_values->len; i++) {
        const TemplateValue *value = network->template_values->pdata[i];
        const TemplateValue *other = again->template_values->pdata[i];

        require(fuzz_equal(value->name, other->name) && fuzz_equal(value->value, other->value));
        require_text(value->name);
        require_text(value->value);
    }
}

static void require_same(const Network *network, const Network *again)
{
    require(fuzz_equal(network->bridge, again->bridge) && fuzz_equal(network->forward, again->forward));
    require(fuzz_equal(network->nat_start, again->nat_start) && network->nat_ipv6 == again->nat_ipv6);
    require(fuzz_equal(network->zone, again->zone) && fuzz_equal(network->domain_name, again->domain_name));
    require(network->stp == again->stp && network->mtu == again->mtu && network->tftp == again->tftp);
    require(memcmp(&network->delay, &again->delay, sizeof(network->delay)) == 0);
    require(network->dns_enabled == again->dns_enabled && network->port_isolated == again->port_isolated);
    require(network->ips->len == again->ips->len);
    for (guint i = 0; i < network->ips->len; i++)
        require_ip(network->ips->pdata[i], again->ips->pdata[i]);
    require_template(network, again);
}

static void require_network(const Network *network)
{
    require(network->name && network->forward && network->mtu <= G_MAXUINT16);
    require(network->delay >= 0 && network->delay <= G_MAXINT32);
    require(!network->active && !network->persistent && !network->autostart);
    require_text(network->name);
    require_text(network->uuid);
    require_text(network->forward);
    require_text(network->bridge);
    require_text(network->nat_start);
    require_text(network->zone);
    require_text(network->domain_name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Network) network = libvirt_parse_network((const char *)data, size, &error);
    g_autoptr(xmlDoc) doc = NULL;
    g_autoptr(Network) again = NULL;
    g_autofree char *text = NULL;

    require((network == NULL) == (error != NULL));
    require(!error || g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID));
    if (!network)
        return 0;
    require_network(network);
    doc = xml_parse((const char *)data, size, &XML_LIMITS_LIBVIRT, NULL);
    require(doc);
    text = xml_node_string(doc, xmlDocGetRootElement(doc));
    again = libvirt_parse_network(text, strlen(text), NULL);
    require(again);
    require_same(network, again);
    return 0;
}
