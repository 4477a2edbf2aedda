/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"

/*
 * Which subnets collide. A route that is as wide as the subnet or narrower is shadowed by it (or shadows it):
 * hosts that were reachable no longer are. A wider route (a VPN's 10.0.0.0/8) loses only the subnet's own
 * addresses, which may be meant. Two networks that share addresses are always wrong. Default routes, also in
 * their /1 form that VPNs use, overlap everything and say nothing.
 */

static gboolean route_counts(const Route *route)
{
    return route->type == ROUTE_UNICAST && route->dst.prefix > 1 && !ip_is_multicast(&route->dst.ip) &&
           !ip_is_link_local(&route->dst.ip) && !ip_is_loopback(&route->dst.ip);
}

static void subnet_overlap_free(SubnetOverlap *overlap)
{
    g_free(overlap->device);
    g_free(overlap);
}

static SubnetOverlap *overlap_add(GPtrArray *overlaps, const IpNet *subnet, const IpNet *other)
{
    SubnetOverlap *overlap = g_new0(SubnetOverlap, 1);

    overlap->subnet = *subnet;
    overlap->other = *other;
    overlap->critical = TRUE;
    g_ptr_array_add(overlaps, overlap);
    return overlap;
}

static void overlaps_with_networks(GPtrArray *overlaps, const Facts *facts, const IpNet *subnet,
                                   const char *name)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autoptr(GArray) others = NULL;

        if (g_strcmp0(network->name, name) == 0)
            continue;
        others = network_subnets(network);
        for (guint j = 0; j < others->len; j++) {
            const IpNet *other = &g_array_index(others, IpNet, j);

            if (ipnet_overlaps(subnet, other))
                overlap_add(overlaps, subnet, other)->network = network;
        }
    }
}

/* A route over the bridge of a network is that network's, which is compared for itself. */
static gboolean route_is_of_network(const Facts *facts, const Route *route, const Link *link)
{
    const Network *network = link ? facts_network_of_bridge(facts, link->name) : NULL;
    g_autoptr(GArray) subnets = network ? network_subnets(network) : NULL;

    for (guint i = 0; subnets && i < subnets->len; i++) {
        if (ipnet_covers(&g_array_index(subnets, IpNet, i), &route->dst))
            return TRUE;
    }
    return FALSE;
}

/* A route that goes two ways by one device is one all the same. */
static gboolean is_known(const GPtrArray *overlaps, const IpNet *subnet, const Route *route,
                         const char *device)
{
    for (guint i = 0; i < overlaps->len; i++) {
        const SubnetOverlap *overlap = overlaps->pdata[i];

        if (!overlap->network && overlap->table == route->table &&
            ip_equal(&overlap->subnet.ip, &subnet->ip) && overlap->subnet.prefix == subnet->prefix &&
            ip_equal(&overlap->other.ip, &route->dst.ip) && overlap->other.prefix == route->dst.prefix &&
            g_strcmp0(overlap->device, device) == 0)
            return TRUE;
    }
    return FALSE;
}

static void overlaps_with_routes(GPtrArray *overlaps, const Facts *facts, const IpNet *subnet,
                                 const char *bridge)
{
    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);
        const Link *link = route->ifindex ? facts_link(facts, route->ifindex) : NULL;
        SubnetOverlap *overlap;

        if (!route_counts(route) || !ipnet_overlaps(subnet, &route->dst))
            continue;
        if ((link && g_strcmp0(link->name, bridge) == 0) || route_is_of_network(facts, route, link))
            continue;
        if (link && is_known(overlaps, subnet, route, link->name))
            continue;
        overlap = overlap_add(overlaps, subnet, &route->dst);
        overlap->device = g_strdup(link ? link->name : NULL);
        overlap->table = route->table;
        overlap->critical = route->dst.prefix >= subnet->prefix;
    }
}

static gint compare_overlaps(gconstpointer a, gconstpointer b)
{
    const SubnetOverlap *left = *(SubnetOverlap *const *)a;
    const SubnetOverlap *right = *(SubnetOverlap *const *)b;

    if (left->critical != right->critical)
        return left->critical ? -1 : 1;
    return ip_compare(&left->other.ip, &right->other.ip);
}

GPtrArray *network_overlaps(const Facts *facts, const GArray *subnets, const char *name, const char *bridge)
{
    GPtrArray *overlaps = g_ptr_array_new_with_free_func((GDestroyNotify)subnet_overlap_free);

    for (guint i = 0; i < subnets->len; i++) {
        const IpNet *subnet = &g_array_index(subnets, IpNet, i);

        overlaps_with_networks(overlaps, facts, subnet, name);
        overlaps_with_routes(overlaps, facts, subnet, bridge);
    }
    g_ptr_array_sort(overlaps, compare_overlaps);
    return overlaps;
}

GArray *network_subnets(const Network *network)
{
    GArray *subnets = g_array_new(FALSE, FALSE, sizeof(IpNet));

    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        IpNet subnet = ipnet_network(&ip->net);

        g_array_append_val(subnets, subnet);
    }
    return subnets;
}

GArray *network_used_subnets(const Facts *facts)
{
    GArray *used = g_array_new(FALSE, FALSE, sizeof(IpNet));

    for (guint i = 0; i < facts->networks->len; i++) {
        g_autoptr(GArray) subnets = network_subnets(facts->networks->pdata[i]);

        g_array_append_vals(used, subnets->data, subnets->len);
    }
    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (route_counts(route))
            g_array_append_val(used, route->dst);
    }
    return used;
}

char *network_overlap_text(const SubnetOverlap *overlap)
{
    g_autofree char *subnet = ipnet_to_string(&overlap->subnet);
    g_autofree char *other = ipnet_to_string(&overlap->other);
    const char *verb = overlap->subnet.prefix == overlap->other.prefix  ? "equals"
                       : overlap->subnet.prefix < overlap->other.prefix ? "contains"
                                                                        : "lies inside";

    if (overlap->network)
        return g_strdup_printf("subnet %s %s %s of network %s", subnet, verb, other, overlap->network->name);
    if (overlap->device)
        return g_strdup_printf("subnet %s %s the route %s of device %s", subnet, verb, other,
                               overlap->device);
    return g_strdup_printf("subnet %s %s the route %s", subnet, verb, other);
}
