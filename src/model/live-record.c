/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

#include <net/if.h>
#include <string.h>

/*
 * When two readings of one thing are one: what neither a row nor a check looks at does not count. A bridge is
 * told of whenever a port joins it, and a port whenever its state in the spanning tree moves.
 */

static gboolean same_mac(gboolean has_a, const Mac *a, gboolean has_b, const Mac *b)
{
    return has_a == has_b && (!has_a || mac_equal(a, b));
}

static gboolean same_net(const IpNet *a, const IpNet *b)
{
    return a->prefix == b->prefix && ip_equal(&a->ip, &b->ip);
}

/* ---------------------------------------------------------------------------------------- domains */

static gboolean interface_same(const DomainInterface *a, const DomainInterface *b)
{
    return g_strcmp0(a->alias, b->alias) == 0 && g_strcmp0(a->type, b->type) == 0 &&
           g_strcmp0(a->source, b->source) == 0 && g_strcmp0(a->network, b->network) == 0 &&
           g_strcmp0(a->bridge, b->bridge) == 0 && g_strcmp0(a->portid, b->portid) == 0 &&
           g_strcmp0(a->model, b->model) == 0 && g_strcmp0(a->target, b->target) == 0 &&
           same_mac(a->has_mac, &a->mac, b->has_mac, &b->mac) && a->mtu == b->mtu &&
           a->isolated == b->isolated && a->has_vlan == b->has_vlan &&
           a->has_virtualport == b->has_virtualport && a->link == b->link;
}

static gboolean agent_same(const GArray *a, const GArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        const AgentAddress *left = &g_array_index(a, AgentAddress, i);
        const AgentAddress *right = &g_array_index(b, AgentAddress, i);

        if (!mac_equal(&left->mac, &right->mac) || !same_net(&left->net, &right->net))
            return FALSE;
    }
    return TRUE;
}

gboolean domain_same(const Domain *a, const Domain *b)
{
    if (g_strcmp0(a->name, b->name) != 0 || g_strcmp0(a->uuid, b->uuid) != 0 || a->id != b->id ||
        a->state != b->state || a->persistent != b->persistent || a->xml_read != b->xml_read ||
        g_strcmp0(a->xml_error, b->xml_error) != 0 || a->agent_connected != b->agent_connected ||
        a->interfaces->len != b->interfaces->len || !agent_same(a->agent, b->agent))
        return FALSE;
    for (guint i = 0; i < a->interfaces->len; i++) {
        if (!interface_same(a->interfaces->pdata[i], b->interfaces->pdata[i]))
            return FALSE;
    }
    return TRUE;
}

gint domain_order(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Domain *const *)a)->uuid, (*(Domain *const *)b)->uuid);
}

/* --------------------------------------------------------------------------------------- networks */

static gboolean network_ip_same(const NetworkIp *a, const NetworkIp *b)
{
    if (!same_net(&a->net, &b->net) || a->dhcp != b->dhcp || a->has_host != b->has_host ||
        a->ranges->len != b->ranges->len)
        return FALSE;
    for (guint i = 0; i < a->ranges->len; i++) {
        const DhcpRange *left = &g_array_index(a->ranges, DhcpRange, i);
        const DhcpRange *right = &g_array_index(b->ranges, DhcpRange, i);

        if (!ip_equal(&left->first, &right->first) || !ip_equal(&left->last, &right->last))
            return FALSE;
    }
    return TRUE;
}

static gboolean network_texts_same(const Network *a, const Network *b)
{
    return g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->uuid, b->uuid) == 0 &&
           g_strcmp0(a->xml_error, b->xml_error) == 0 && g_strcmp0(a->forward, b->forward) == 0 &&
           g_strcmp0(a->forward_dev, b->forward_dev) == 0 && g_strcmp0(a->nat_start, b->nat_start) == 0 &&
           g_strcmp0(a->bridge, b->bridge) == 0 && g_strcmp0(a->zone, b->zone) == 0 &&
           g_strcmp0(a->domain_name, b->domain_name) == 0 &&
           g_strcmp0(a->template_name, b->template_name) == 0;
}

static gboolean network_flags_same(const Network *a, const Network *b)
{
    return a->active == b->active && a->persistent == b->persistent && a->autostart == b->autostart &&
           a->xml_read == b->xml_read && a->nat_ipv6 == b->nat_ipv6 && a->stp == b->stp &&
           !(a->delay < b->delay) && !(a->delay > b->delay) && a->mac_table_libvirt == b->mac_table_libvirt &&
           a->mtu == b->mtu && a->dns_enabled == b->dns_enabled && a->tftp == b->tftp &&
           a->port_isolated == b->port_isolated;
}

static gboolean template_values_same(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        const TemplateValue *left = a->pdata[i];
        const TemplateValue *right = b->pdata[i];

        if (g_strcmp0(left->name, right->name) != 0 || g_strcmp0(left->value, right->value) != 0)
            return FALSE;
    }
    return TRUE;
}

gboolean network_same(const Network *a, const Network *b)
{
    if (!network_texts_same(a, b) || !network_flags_same(a, b) || a->ips->len != b->ips->len ||
        !template_values_same(a->template_values, b->template_values))
        return FALSE;
    for (guint i = 0; i < a->ips->len; i++) {
        if (!network_ip_same(a->ips->pdata[i], b->ips->pdata[i]))
            return FALSE;
    }
    return TRUE;
}

gint network_order(gconstpointer a, gconstpointer b)
{
    const Network *left = *(Network *const *)a;
    const Network *right = *(Network *const *)b;
    gint order = g_strcmp0(left->name, right->name);

    return order ? order : g_strcmp0(left->uuid, right->uuid);
}

/* ----------------------------------------------------------------------------------------- leases */

gint lease_order(gconstpointer a, gconstpointer b)
{
    const Lease *left = *(Lease *const *)a;
    const Lease *right = *(Lease *const *)b;
    gint order = g_strcmp0(left->network_uuid, right->network_uuid);

    if (order == 0)
        order = ip_compare(&left->ip, &right->ip);
    if (order == 0)
        order = left->has_mac - right->has_mac;
    if (order == 0 && left->has_mac)
        order = mac_compare(&left->mac, &right->mac);
    if (order == 0)
        order = left->expiry < right->expiry ? -1 : left->expiry > right->expiry;
    if (order == 0)
        order = g_strcmp0(left->client_id, right->client_id);
    if (order == 0)
        order = g_strcmp0(left->hostname, right->hostname);
    if (order == 0)
        order = g_strcmp0(left->iaid, right->iaid);
    if (order == 0)
        order = (gint)left->prefix - (gint)right->prefix;
    if (order == 0)
        order = g_strcmp0(left->network, right->network);
    return order ? order : g_strcmp0(left->bridge, right->bridge);
}

/* ------------------------------------------------------------------------------------------ kernel */

gboolean link_same(const Link *a, const Link *b)
{
    return g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->kind, b->kind) == 0 &&
           (a->flags & IFF_UP) == (b->flags & IFF_UP) && a->mtu == b->mtu &&
           same_mac(a->has_mac, &a->mac, b->has_mac, &b->mac) && a->master == b->master &&
           a->carrier == b->carrier && a->is_bridge == b->is_bridge;
}

gboolean link_same_context(const Link *a, const Link *b)
{
    return g_strcmp0(a->name, b->name) == 0 && a->mtu == b->mtu && a->is_bridge == b->is_bridge;
}

gboolean link_same_bridge(const Link *a, const Link *b)
{
    return link_same_context(a, b) && (a->flags & IFF_UP) == (b->flags & IFF_UP) &&
           memcmp(a->bridge_info.id, b->bridge_info.id, sizeof(a->bridge_info.id)) == 0 &&
           a->bridge_info.stp == b->bridge_info.stp &&
           a->bridge_info.forward_delay == b->bridge_info.forward_delay;
}

#define NEIGHBOUR_UNUSED (NEIGHBOUR_FAILED | NEIGHBOUR_INCOMPLETE | NEIGHBOUR_NOARP)
#define NEIGHBOUR_BY_STATE (NEIGHBOUR_REACHABLE | NEIGHBOUR_DELAY | NEIGHBOUR_PROBE | NEIGHBOUR_PERMANENT)

/* Age alone is no difference, but whether it is fresh is, and whether that will pass with its age. */
gboolean neighbour_same(const Neighbour *a, const Neighbour *b)
{
    return same_mac(a->has_mac, &a->mac, b->has_mac, &b->mac) &&
           (a->state & NEIGHBOUR_UNUSED) == (b->state & NEIGHBOUR_UNUSED) &&
           !(a->state & NEIGHBOUR_BY_STATE) == !(b->state & NEIGHBOUR_BY_STATE) &&
           neighbour_is_fresh(a) == neighbour_is_fresh(b);
}

gint neighbour_order(gconstpointer a, gconstpointer b)
{
    const Neighbour *left = a;
    const Neighbour *right = b;

    if (left->ifindex != right->ifindex)
        return left->ifindex < right->ifindex ? -1 : 1;
    return ip_compare(&left->ip, &right->ip);
}

gint fdb_order(gconstpointer a, gconstpointer b)
{
    const FdbEntry *left = a;
    const FdbEntry *right = b;

    if (left->master != right->master)
        return left->master < right->master ? -1 : 1;
    if (left->vlan != right->vlan)
        return left->vlan < right->vlan ? -1 : 1;
    return mac_compare(&left->mac, &right->mac);
}

gint address_order(gconstpointer a, gconstpointer b)
{
    const LinkAddress *left = a;
    const LinkAddress *right = b;

    if (left->ifindex != right->ifindex)
        return left->ifindex < right->ifindex ? -1 : 1;
    if (!ip_equal(&left->net.ip, &right->net.ip))
        return ip_compare(&left->net.ip, &right->net.ip);
    return (gint)left->net.prefix - (gint)right->net.prefix;
}
