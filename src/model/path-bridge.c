/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "model/packet-guest.h"
#include "model/path-private.h"

#include <net/if.h>
#include <string.h>

/* Kernel states of a bridge's port (linux/if_bridge.h). */
enum { PORT_DISABLED, PORT_LISTENING, PORT_LEARNING, PORT_FORWARDING, PORT_BLOCKING };

static const char *port_state_name(guint8 state)
{
    static const char *const names[] = {"disabled", "listening", "learning", "forwarding", "blocking"};

    return state < G_N_ELEMENTS(names) ? names[state] : "in no state that is known";
}

/* -------------------------------------------------------------------------------------------------- tap */

/* What keeps a tap from taking frames; NULL: nothing does. New string. */
static char *tap_fault(const MapRow *row, const Link *tap, const Network *network, const Link *bridge)
{
    const char *wanted = network ? network->bridge : row->network_bridge;

    if (!tap)
        return g_strdup("libvirt names it, and this host has no such device");
    if (row->link == LINK_DOWN)
        return g_strdup("libvirt has the guest's link down");
    if (!(tap->flags & IFF_UP))
        return g_strdup("it is down");
    if (tap->carrier == 0)
        return g_strdup("it has no carrier: nobody has the guest's end open");
    if (!bridge || tap->master != bridge->ifindex)
        return row->bridge ? g_strdup_printf("it is on bridge %s, not on %s", row->bridge,
                                             wanted ? wanted : "its own")
                           : g_strdup_printf("it is on no bridge; its network's is %s",
                                             wanted ? wanted : "not known");
    if (tap->is_port && tap->port_info.state != PORT_FORWARDING)
        return g_strdup_printf("its port on %s is %s: nothing goes through until it is forwarding",
                               bridge->name, port_state_name(tap->port_info.state));
    return NULL;
}

static void tap_hop(PathWalk *walk, const MapRow *row, const Network *network, const Link *bridge)
{
    const Link *tap = facts_link_named(walk->facts, row->tap);
    g_autofree char *name = map_row_name(row);
    g_autofree char *fault = NULL;

    if (!row->tap) {
        path_add(walk, PATH_TAP, PACKET_UNKNOWN, name,
                 "an interface of type %s has no tap on a bridge of this host",
                 row->type ? row->type : "unknown");
        return;
    }
    if (!facts_has(walk->facts, SOURCE_LINKS)) {
        path_add(walk, PATH_TAP, PACKET_UNKNOWN, name, "the kernel's links were not read");
        return;
    }
    fault = tap_fault(row, tap, network, bridge);
    if (fault)
        path_add(walk, PATH_TAP, PACKET_DROP, name, "%s", fault);
    else
        path_add(walk, PATH_TAP, PACKET_ACCEPT, name, "up, port %u of %s, %s%s", tap->port_info.port_no,
                 bridge->name, port_state_name(tap->port_info.state),
                 row->domain_state == DOMAIN_PAUSED ? "; the domain is paused, and sends nothing now" : "");
}

/* ----------------------------------------------------------------------------------------------- bridge */

/* Where the bridge learned the MAC; NULL: nowhere. */
static const FdbEntry *learned(const Facts *facts, const Link *bridge, const Mac *mac)
{
    const FdbEntry *found = NULL;

    for (guint i = 0; i < facts->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(facts->fdb, FdbEntry, i);

        if (entry->master == bridge->ifindex && !entry->permanent && mac_equal(&entry->mac, mac) &&
            (!found || entry->updated < found->updated))
            found = entry;
    }
    return found;
}

/* What the forwarding table has of the row's MAC. sends: the guest speaks first, and is learned by that. */
static void learned_hop(PathWalk *walk, const MapRow *row, const Link *bridge, gboolean sends)
{
    const FdbEntry *entry = row->has_mac ? learned(walk->facts, bridge, &row->mac) : NULL;
    const Link *port = entry ? facts_link(walk->facts, entry->ifindex) : NULL;
    char mac[MAC_TEXT];

    mac_format(&row->mac, mac);
    if (bridge->bridge_info.vlan_filtering)
        path_add(walk, PATH_BRIDGE, PACKET_UNKNOWN, bridge->name, "it filters VLANs, which is not looked at");
    else if (!row->has_mac)
        path_add(walk, PATH_BRIDGE, PACKET_UNKNOWN, bridge->name, "the guest's MAC is not known");
    else if (!entry)
        path_add(walk, PATH_BRIDGE, PACKET_ACCEPT, bridge->name,
                 "%s was not heard lately: frames to it go to every port", mac);
    else if (port && g_strcmp0(port->name, row->tap) == 0)
        path_add(walk, PATH_BRIDGE, PACKET_ACCEPT, bridge->name, "%s was learned on %s", mac, port->name);
    else if (sends)
        path_add(walk, PATH_BRIDGE, PACKET_ACCEPT, bridge->name,
                 "%s was learned on %s; its next frame moves it to %s", mac,
                 port ? port->name : "another port", row->tap);
    else
        path_add(walk, PATH_BRIDGE, PACKET_DROP, bridge->name,
                 "%s was learned on %s, not on %s: frames to it go there", mac,
                 port ? port->name : "another port", row->tap);
}

/* The bridge as such, and as the guest's gateway where the packet goes that way. */
static gboolean bridge_serves(PathWalk *walk, const Link *bridge)
{
    const Network *network = walk->path->network;
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

    if (!(bridge->flags & IFF_UP)) {
        path_add(walk, PATH_BRIDGE, PACKET_DROP, bridge->name, "it is down");
        return FALSE;
    }
    if (network && network->active && network_owns_bridge(network) &&
        network_bridge_up(walk->facts, network, missing) == TRI_NO && missing->len > 0) {
        path_add(walk, PATH_BRIDGE, PACKET_DROP, bridge->name, "the guests' gateway is not whole: %s",
                 (const char *)missing->pdata[0]);
        return FALSE;
    }
    return TRUE;
}

/* ---------------------------------------------------------------------------------------------- address */

static void address_hop(PathWalk *walk)
{
    const MapRow *row = walk->path->row;
    const Ip *guest = &walk->path->guest;
    g_autofree char *name = ip_to_string(guest);
    guint others = 0;

    if (!walk->path->address_known) {
        path_add(
            walk, PATH_ADDRESS, PACKET_UNKNOWN, name,
            "no address of the guest is known, neither by lease nor neighbour entry nor agent; one that its "
            "network would give it stands in");
        return;
    }
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        others += address->ip.family == guest->family && !ip_is_link_local(&address->ip) &&
                  !ip_equal(&address->ip, guest);
    }
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        if (!ip_equal(&address->ip, guest))
            continue;
        if (others > 0)
            path_add(walk, PATH_ADDRESS, PACKET_ACCEPT, name, "known by %s; the best of %u",
                     address_source_name(address->source), others + 1);
        else
            path_add(walk, PATH_ADDRESS, PACKET_ACCEPT, name, "known by %s",
                     address_source_name(address->source));
        return;
    }
}

/* ------------------------------------------------------------------------------------------------- ways */

void path_leave_guest(PathWalk *walk)
{
    const MapRow *row = walk->path->row;

    tap_hop(walk, row, walk->path->network, walk->bridge);
    if (walk->over || !walk->bridge)
        return;
    if (bridge_serves(walk, walk->bridge))
        learned_hop(walk, row, walk->bridge, TRUE);
    if (walk->over)
        return;
    address_hop(walk);
}

const MapRow *path_row_of(const Map *map, const char *bridge, const Ip *ip)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (g_strcmp0(row->bridge ? row->bridge : row->network_bridge, bridge) != 0)
            continue;
        for (guint k = 0; k < row->addresses->len; k++) {
            if (ip_equal(&((const Address *)row->addresses->pdata[k])->ip, ip))
                return row;
        }
    }
    return NULL;
}

gboolean path_is_silent(const Facts *facts, const Link *link, const Ip *ip)
{
    for (guint i = 0; i < facts->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(facts->neighbours, Neighbour, i);

        if (neighbour->ifindex == link->ifindex && ip_equal(&neighbour->ip, ip))
            return (neighbour->state & NEIGHBOUR_FAILED) != 0;
    }
    return FALSE;
}

static gboolean both_isolated(const Facts *facts, const char *from, const char *to)
{
    const Link *one = facts_link_named(facts, from);
    const Link *other = facts_link_named(facts, to);

    return one && other && one->is_port && other->is_port && one->port_info.isolated &&
           other->port_info.isolated;
}

void path_reach_guest(PathWalk *walk, const Link *bridge, const char *from_port)
{
    const Ip *target = &walk->packet.dst;
    const MapRow *row = path_row_of(walk->map, bridge->name, target);
    const Network *network = facts_network_of_bridge(walk->facts, bridge->name);
    g_autofree char *name = ip_to_string(target);

    if (!row && ip_equal(target, &walk->path->guest) && network == walk->path->network)
        row = walk->path->row;
    if (!row) {
        path_add(walk, PATH_ADDRESS, PACKET_UNKNOWN, name,
                 path_is_silent(walk->facts, bridge, target) ? "nobody on %s answers for it"
                                                             : "no guest on %s is known to have it",
                 bridge->name);
        return;
    }
    if (from_port && both_isolated(walk->facts, from_port, row->tap)) {
        path_add(walk, PATH_BRIDGE, PACKET_DROP, bridge->name,
                 "the ports %s and %s are isolated from each other", from_port, row->tap);
        return;
    }
    learned_hop(walk, row, bridge, walk->leg == PATH_BACK && row == walk->path->row);
    if (!walk->over)
        tap_hop(walk, row, network, bridge);
}
