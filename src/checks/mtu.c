/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"

#include "model/firewall.h"
#include "model/network.h"

#include <string.h>

/* Packets that are too large for where they have to pass. */

static void check_taps(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        const Link *link = row->ifindex ? facts_link(facts, row->ifindex) : NULL;
        const Link *bridge = link && link->master ? facts_link(facts, link->master) : NULL;
        g_autofree char *tap = NULL;

        if (!check_row_has_tap(row) || !bridge || !bridge->is_bridge || !row->mtu || bridge->mtu == row->mtu)
            continue;
        tap = check_device(row->tap);
        finding_remedy(finding_message(check_of_row(findings, "mtu-mismatch", LEVEL_WARNING, row),
                                       "MTU of %s is %u, of its bridge %s %u", row->tap, row->mtu,
                                       bridge->name, bridge->mtu),
                       "ip link set %s mtu %u", tap, bridge->mtu);
    }
}

/* ------------------------------------------------------------------------------------- on the way out */

#define TABLE_MAIN 254

/* Where packets to the rest of the world go: the default route, or the halves of it that a VPN puts before.
 */
static const Route *egress_route(const Facts *facts)
{
    const Route *best = NULL;

    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (route->family != 4 || route->table != TABLE_MAIN || route->type != ROUTE_UNICAST ||
            route->dst.prefix > 1 || !route->ifindex)
            continue;
        if (!best || route->dst.prefix > best->dst.prefix ||
            (route->dst.prefix == best->dst.prefix && route->priority < best->priority))
            best = route;
    }
    return best;
}

/* iptables: -j TCPMSS; nft: "tcp option maxseg size set …". */
static gboolean rule_clamps(const FirewallRule *rule)
{
    for (guint i = 0; rule->argv && rule->argv[i]; i++) {
        if (strcmp(rule->argv[i], "TCPMSS") == 0)
            return TRUE;
    }
    for (gsize i = 0; i < json_array_size(rule->expr); i++) {
        const json_t *item = json_array_get(rule->expr, i);
        const json_t *key =
            json_object_get(json_object_get(json_object_get(item, "mangle"), "key"), "tcp option");
        const char *option = json_string_value(json_object_get(key, "name"));
        const char *target = json_string_value(json_object_get(json_object_get(item, "xt"), "name"));

        if (g_strcmp0(option, "maxseg") == 0 || g_strcmp0(target, "TCPMSS") == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean some_rule_clamps(const Facts *facts)
{
    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];

        for (guint j = 0; j < table->chains->len; j++) {
            const FirewallChain *chain = table->chains->pdata[j];

            for (guint k = 0; k < chain->rules->len; k++) {
                if (rule_clamps(chain->rules->pdata[k]))
                    return TRUE;
            }
        }
    }
    return FALSE;
}

static gboolean leaves_host(const Network *network)
{
    return network->active &&
           (g_strcmp0(network->forward, "nat") == 0 || g_strcmp0(network->forward, "route") == 0);
}

static void report_egress(const Network *network, const Link *bridge, const Link *egress, guint mtu,
                          GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "mtu-mismatch", LEVEL_WARNING, network);
    g_autofree char *device = check_device(egress->name);

    /* A rule of the host's or another MTU in the network's XML mends it: neither is vnat's to choose. */
    finding->by_hand = TRUE;
    finding_message(finding,
                    "packets of network %s may have %u bytes, but those that leave this host only %u",
                    network->name, bridge->mtu, mtu);
    finding_evidence(finding, "MTU of %s is %u, of the default route by %s %u", bridge->name, bridge->mtu,
                     egress->name, mtu);
    finding_evidence(finding, "no rule clamps the MSS of TCP connections");
    finding_remedy(finding,
                   "iptables -t mangle -A FORWARD -o %s -p tcp --tcp-flags SYN,RST SYN -j TCPMSS "
                   "--clamp-mss-to-pmtu, or set <mtu size='%u'/> in the network's XML",
                   device, mtu);
}

static void check_egress(const Facts *facts, GPtrArray *findings)
{
    const Route *route = egress_route(facts);
    const Link *egress = route ? facts_link(facts, route->ifindex) : NULL;
    guint mtu = route && route->mtu ? route->mtu : egress ? egress->mtu : 0;

    if (!egress || !mtu)
        return;
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Link *bridge = leaves_host(network) ? facts_link_named(facts, network->bridge) : NULL;

        if (!bridge || bridge == egress || bridge->mtu <= mtu)
            continue;
        if (!facts_has(facts, SOURCE_FIREWALL))
            check_unknown_of(findings, "mtu-mismatch", network,
                             "whether a rule clamps the MSS of what leaves by %s is not known: it needs "
                             "CAP_NET_ADMIN",
                             egress->name);
        else if (!some_rule_clamps(facts))
            report_egress(network, bridge, egress, mtu, findings);
    }
}

void check_mtu_mismatch(const Facts *facts, const Map *map, GPtrArray *findings)
{
    check_taps(facts, map, findings);
    check_egress(facts, findings);
}
