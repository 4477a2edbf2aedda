/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"

#include <string.h>

/* Networks as facts, and what follows from one definition alone. */

static void network_ip_free(NetworkIp *ip)
{
    g_array_unref(ip->ranges);
    g_free(ip);
}

void template_value_free(TemplateValue *value)
{
    g_free(value->name);
    g_free(value->value);
    g_free(value);
}

Network *network_new(void)
{
    Network *network = g_new0(Network, 1);

    network->xml_read = TRUE;
    network->dns_enabled = TRUE;
    network->stp = TRUE;
    network->ips = g_ptr_array_new_with_free_func((GDestroyNotify)network_ip_free);
    network->template_values = g_ptr_array_new_with_free_func((GDestroyNotify)template_value_free);
    return network;
}

NetworkIp *network_ip_new(void)
{
    NetworkIp *ip = g_new0(NetworkIp, 1);

    ip->ranges = g_array_new(FALSE, FALSE, sizeof(DhcpRange));
    return ip;
}

void network_free(Network *network)
{
    if (!network)
        return;
    g_free(network->name);
    g_free(network->uuid);
    g_free(network->xml_error);
    g_free(network->forward);
    g_free(network->forward_dev);
    g_free(network->nat_start);
    g_free(network->bridge);
    g_free(network->zone);
    g_free(network->domain_name);
    g_free(network->template_name);
    g_free(network->xml);
    g_free(network->xml_inactive);
    g_ptr_array_unref(network->ips);
    g_ptr_array_unref(network->template_values);
    g_free(network);
}

gboolean network_owns_bridge(const Network *network)
{
    static const char *const modes[] = {"nat", "route", "open", "isolated", NULL};

    return network->forward && g_strv_contains(modes, network->forward);
}

gboolean network_outranks(const Network *network, const Network *other)
{
    if (!other || network->active != other->active)
        return !other || network->active;
    return g_strcmp0(network->name, other->name) < 0;
}

gboolean network_has_dhcp(const Network *network, guint8 family)
{
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if ((family == 0 || ip->net.ip.family == family) && ip->dhcp && (ip->ranges->len > 0 || ip->has_host))
            return TRUE;
    }
    return FALSE;
}

NetworkLeases network_leases(const Network *network, const Network *owner)
{
    if (!network->uuid || (network->ips->len == 0 && network->xml_read))
        return LEASES_NONE;
    if (network->active || !network->xml_read || owner == network)
        return LEASES_OWN;
    return LEASES_OTHERS;
}

gboolean network_wants_dnsmasq(const Network *network)
{
    return network_owns_bridge(network) && network->ips->len > 0 &&
           (network->dns_enabled || network->tftp || network_has_dhcp(network, 0));
}

const NetworkIp *network_ip_of(const Network *network, const Ip *ip)
{
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *own = network->ips->pdata[i];

        if (ipnet_contains(&own->net, ip))
            return own;
    }
    return NULL;
}

gboolean network_ip_offers(const NetworkIp *own, const Ip *ip)
{
    for (guint i = 0; own->dhcp && i < own->ranges->len; i++) {
        const DhcpRange *range = &g_array_index(own->ranges, DhcpRange, i);

        if (range->first.family == ip->family && ip_compare(ip, &range->first) >= 0 &&
            ip_compare(ip, &range->last) <= 0)
            return TRUE;
    }
    return FALSE;
}
