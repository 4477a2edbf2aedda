/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/packet-guest.h"
#include "model/path-private.h"

#include <netinet/in.h>
#include <string.h>

#define CLIENT_PORT 40000 /* of those that clients choose from */
#define ICMP_ECHO 8
#define ICMP6_ECHO 128

/* ------------------------------------------------------------------------------------------------ names */

const char *path_kind_name(PathKind kind)
{
    static const char *const names[] = {
        [PATH_TAP] = "tap",     [PATH_BRIDGE] = "bridge", [PATH_ADDRESS] = "address",
        [PATH_ROUTE] = "route", [PATH_CHAIN] = "chain",   [PATH_NAT] = "nat",
    };

    return names[kind];
}

const char *path_verdict_name(PacketVerdict verdict)
{
    return verdict == PACKET_ACCEPT ? "pass" : packet_verdict_name(verdict);
}

const char *path_leg_name(PathLeg leg)
{
    static const char *const names[PATH_LEGS] = {
        [PATH_THERE] = "there",           [PATH_BACK] = "back",       [PATH_TO_GUEST] = "to-guest",
        [PATH_FROM_GUEST] = "from-guest", [PATH_TO_HOST] = "to-host",
    };

    return names[leg];
}

/* ------------------------------------------------------------------------------------------------- hops */

static void hop_free(gpointer data)
{
    PathHop *hop = data;

    g_free(hop->name);
    g_free(hop->rule);
    g_free(hop->detail);
    g_free(hop);
}

PathHop *path_add(PathWalk *walk, PathKind kind, PacketVerdict verdict, const char *name, const char *format,
                  ...)
{
    PathHop *hop = g_new0(PathHop, 1);
    va_list args;

    hop->kind = kind;
    hop->leg = walk->leg;
    hop->verdict = verdict;
    hop->name = g_strdup(name);
    va_start(args, format);
    hop->detail = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(walk->path->hops, hop);
    walk->over |= verdict == PACKET_DROP || verdict == PACKET_REJECT;
    return hop;
}

void path_free(Path *path)
{
    if (!path)
        return;
    g_ptr_array_unref(path->hops);
    g_ptr_array_unref(path->others);
    g_ptr_array_unref(path->forwards);
    g_free(path->summary);
    g_free(path->lesson);
    g_ptr_array_unref(path->checks);
    g_free(path->remedy);
    g_free(path);
}

/* -------------------------------------------------------------------------------------------- the guest */

/* Whether the row is the interface that was named. */
static gboolean row_is(const MapRow *row, const char *interface)
{
    Mac mac;

    return !interface || g_strcmp0(row->tap, interface) == 0 || g_strcmp0(row->alias, interface) == 0 ||
           (mac_parse(interface, &mac) && row->has_mac && mac_equal(&mac, &row->mac));
}

/* Whether the word is a running domain's id: then it is no name, as for virsh. */
static gboolean is_id(const Map *map, const char *domain)
{
    for (guint i = 0; i < map->rows->len; i++) {
        if (map_row_has_id(map->rows->pdata[i], domain))
            return TRUE;
    }
    return FALSE;
}

static gboolean row_is_of(const MapRow *row, const char *domain, gboolean by_id)
{
    if (by_id)
        return map_row_has_id(row, domain);
    return row->has_domain && (g_strcmp0(row->domain, domain) == 0 ||
                               (row->domain_uuid && g_ascii_strcasecmp(row->domain_uuid, domain) == 0));
}

static const Network *network_of(const Facts *facts, const MapRow *row)
{
    return row->network ? facts_network(facts, row->network) : NULL;
}

/* How well an interface leads to the peer: its own subnet, a network with a way out, any with a tap. */
static guint row_rank(const Facts *facts, const MapRow *row, const Ip *peer)
{
    const Network *network = network_of(facts, row);

    if (!row->tap)
        return 0;
    if (!network)
        return 1;
    if (peer->family && network_ip_of(network, peer))
        return 4;
    return network->forward && strcmp(network->forward, "isolated") != 0 ? 3 : 2;
}

static const MapRow *choose_row(const Facts *facts, const Map *map, const PathQuestion *question,
                                GError **error)
{
    const gboolean by_id = is_id(map, question->domain);
    const MapRow *best = NULL;
    gboolean found = FALSE;

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (!row_is_of(row, question->domain, by_id))
            continue;
        found = TRUE;
        if (row->interface_known && row_is(row, question->interface) &&
            (!best || row_rank(facts, row, &question->peer) > row_rank(facts, best, &question->peer)))
            best = row;
    }
    if (!found)
        vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "domain '%s' has no interface, or is not running",
                       question->domain);
    else if (!best && question->interface)
        vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "domain '%s' has no interface '%s'", question->domain,
                       question->interface);
    else if (!best)
        vnat_error_set(error, VNAT_ERROR_FAILED, "the interfaces of domain '%s' could not be read",
                       question->domain);
    return best;
}

/* The same domain's. New array, of rows that are the map's. */
static GPtrArray *other_rows(const Map *map, const MapRow *row)
{
    GPtrArray *others = g_ptr_array_new();

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *other = map->rows->pdata[i];

        if (other != row && other->has_domain && other->interface_known &&
            g_strcmp0(other->domain_uuid, row->domain_uuid) == 0)
            g_ptr_array_add(others, (gpointer)other);
    }
    return others;
}

static gboolean row_address(const MapRow *row, guint8 family, Ip *ip)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        if (address->ip.family == family && !ip_is_link_local(&address->ip)) {
            *ip = address->ip;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean network_has_family(const Network *network, guint8 family)
{
    for (guint i = 0; network && i < network->ips->len; i++) {
        if (((const NetworkIp *)network->ips->pdata[i])->net.ip.family == family)
            return TRUE;
    }
    return FALSE;
}

/* IPv4 unless the guest can only do the other. */
static guint8 choose_family(const Path *path, const PathQuestion *question)
{
    Ip ip;

    if (question->peer.family)
        return question->peer.family;
    if (row_address(path->row, 4, &ip) || network_has_family(path->network, 4))
        return 4;
    return row_address(path->row, 6, &ip) || network_has_family(path->network, 6) ? 6 : 4;
}

/* ------------------------------------------------------------------------------------------------- peer */

/* Where this host's packets to everywhere go first; without a gateway, a host of the internet. */
static Ip default_peer(const Facts *facts, guint8 family)
{
    Ip public = packet_public_address(family);
    Packet packet = {.family = family, .dst = public};
    RouteChoice choice = route_choose(facts, &packet);

    if (choice.way == ROUTE_WAY_OUT && choice.route->gateway.family == family &&
        !ip_is_link_local(&choice.route->gateway))
        return choice.route->gateway;
    return public;
}

static void set_probe(Packet *packet, const PathQuestion *question)
{
    if (question->protocol == 0) {
        packet->protocol = packet->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
        packet->icmp_type = packet->family == 4 ? ICMP_ECHO : ICMP6_ECHO;
        return;
    }
    packet->protocol = question->protocol;
    packet->sport = CLIENT_PORT;
    packet->dport = question->port;
}

/* ------------------------------------------------------------------------------------------------- legs */

/* Whether the guest asks for it by ARP itself, and sends no gateway anything. */
static gboolean is_neighbour(const Path *path, const Ip *ip)
{
    const NetworkIp *own = path->network ? network_ip_of(path->network, &path->guest) : NULL;

    return own && ipnet_contains(&own->net, ip) && !ip_equal(&own->net.ip, ip);
}

static void send_neighbour(PathWalk *walk)
{
    walk->path->bridged = TRUE;
    path_cross(walk);
    if (!walk->over)
        path_bridged(walk);
    if (walk->over)
        return;
    path_reach_guest(walk, walk->bridge, walk->path->row->tap);
    if (walk->over)
        return;
    path_turn(walk, PATH_BACK);
    walk->packet.in = walk->bridge->name;
    walk->packet.in_index = walk->bridge->ifindex;
    path_cross(walk);
    if (!walk->over)
        path_bridged(walk);
    if (!walk->over)
        path_reach_guest(walk, walk->bridge, NULL);
}

/* By its device, and to where its route leads. */
static void come_in(PathWalk *walk)
{
    path_enter(walk);
    if (!walk->over)
        path_hook(walk, "prerouting");
    if (!walk->over)
        path_route(walk);
}

/* A network of mode nat promises an address that the outside can answer; others leave that to whoever runs
 * them. */
static void tell_translation(PathWalk *walk)
{
    const Network *network = walk->path->network;
    const Link *out = facts_link(walk->facts, walk->packet.out_index);
    g_autofree char *guest = ip_to_string(&walk->path->guest);
    gboolean nat = g_strcmp0(network->forward, "nat") == 0 && (walk->packet.family == 4 || network->nat_ipv6);

    if (walk->translated != TRI_NO || !out || facts_network_of_bridge(walk->facts, out->name))
        return;
    walk->path->outside = walk->path->guest;
    if (nat)
        path_add(walk, PATH_NAT, PACKET_DROP, guest,
                 "no rule translates it: it leaves %s as it is, and nobody out there knows a way back to it",
                 out->name);
    else
        path_add(walk, PATH_NAT, PACKET_ACCEPT, guest,
                 "not translated (mode %s): an answer comes if %s's side has a route to it by this host",
                 network->forward, out->name);
}

static void answer_guest(PathWalk *walk)
{
    gboolean here = walk->packet.out == NULL;

    path_turn(walk, PATH_BACK);
    if (here) {
        walk->packet.in = NULL;
        walk->packet.in_index = 0;
        path_send(walk);
        return;
    }
    come_in(walk);
}

/* What is sent to everybody, or to a group: this host may listen, but sends it no further. */
static gboolean ends_on_bridge(PathWalk *walk)
{
    const gint type = packet_address_type(walk->facts, &walk->path->peer, 0);
    g_autofree char *name = ip_to_string(&walk->path->peer);

    if (type != ROUTE_BROADCAST && type != ROUTE_MULTICAST)
        return FALSE;
    path_add(walk, PATH_ROUTE, PACKET_DROP, name, "it is for %s on %s, and this host forwards no such packet",
             type == ROUTE_BROADCAST ? "everybody" : "a group", walk->bridge->name);
    return TRUE;
}

static void go_there(PathWalk *walk)
{
    path_leave_guest(walk);
    if (walk->over || !walk->bridge || ends_on_bridge(walk))
        return;
    if (is_neighbour(walk->path, &walk->path->peer)) {
        send_neighbour(walk);
        return;
    }
    path_ask_gateway(walk);
    if (!walk->over)
        come_in(walk);
    if (!walk->over && walk->packet.out)
        tell_translation(walk);
    if (!walk->over)
        answer_guest(walk);
}

/* The packet of a guest, at its bridge. */
static Packet packet_at_bridge(const PathWalk *walk, const PathQuestion *question)
{
    const Path *path = walk->path;
    Packet packet = {
        .family = path->guest.family,
        .in = walk->bridge ? walk->bridge->name : NULL,
        .in_index = walk->bridge ? walk->bridge->ifindex : 0,
        .src = path->guest,
        .dst = path->peer,
        .has_mac = path->row->has_mac,
        .mac = path->row->mac,
    };

    set_probe(&packet, question);
    return packet;
}

static PathWalk walk_new(const Facts *facts, const Map *map, Path *path)
{
    return (PathWalk){
        .facts = facts,
        .map = map,
        .path = path,
        .bridge = path->network && path->network->bridge && network_owns_bridge(path->network)
                      ? facts_link_named(facts, path->network->bridge)
                      : NULL,
    };
}

/* Whether there is a bridge of libvirt's to go by; adds a hop that says so where there is none. */
static gboolean has_bridge(PathWalk *walk)
{
    const Path *path = walk->path;

    if (walk->bridge || !path->row->tap)
        return TRUE;
    if (!facts_has(walk->facts, SOURCE_LINKS))
        path_add(walk, PATH_TAP, PACKET_UNKNOWN, path->row->tap, "the kernel's links were not read");
    else if (path->network)
        path_add(walk, PATH_BRIDGE, PACKET_UNKNOWN, path->network->name,
                 "the network has no bridge of its own that is there: what is behind it is not known");
    else
        path_add(walk, PATH_BRIDGE, PACKET_UNKNOWN, path->row->bridge ? path->row->bridge : path->row->tap,
                 "no network of libvirt's is known here, and so no way behind it");
    return FALSE;
}

static void walk_outbound(const Facts *facts, const Map *map, Path *path, const PathQuestion *question)
{
    PathWalk walk = walk_new(facts, map, path);
    g_autofree char *peer = ip_to_string(&path->peer);

    walk.packet = packet_at_bridge(&walk, question);
    path->packet = walk.packet;
    if (path->guest.family == 0)
        path_add(&walk, PATH_ADDRESS, PACKET_DROP, peer, "the guest's network has no IPv%u",
                 path->peer.family);
    else if (has_bridge(&walk))
        go_there(&walk);
}

/* What comes from the peer, at the device that leads there, or from this host. FALSE: no route leads there.
 */
static gboolean begin_inbound(PathWalk *walk, const PathQuestion *question, PathLeg leg)
{
    Path *path = walk->path;
    Packet there = {.family = path->peer.family, .dst = path->peer};
    RouteChoice choice = route_choose(walk->facts, &there);
    const Link *link = choice.way == ROUTE_WAY_OUT ? facts_link(walk->facts, choice.route->ifindex) : NULL;
    g_autofree char *name = ip_to_string(&path->peer);

    walk->leg = leg;
    walk->packet = (Packet){.family = path->peer.family, .src = path->peer, .dst = path->guest};
    set_probe(&walk->packet, question);
    path->packet = walk->packet;
    path->from_host = choice.way == ROUTE_WAY_HERE;
    if (path->from_host)
        return TRUE;
    if (!link) {
        path_add(walk, PATH_ROUTE, choice.way == ROUTE_WAY_UNKNOWN ? PACKET_UNKNOWN : PACKET_DROP, name,
                 "no device of this host leads to it: nothing comes from there");
        return FALSE;
    }
    walk->packet.in = link->name;
    walk->packet.in_index = link->ifindex;
    walk->next = choice.route->gateway.family ? choice.route->gateway : path->peer;
    path->packet = walk->packet;
    return TRUE;
}

/* From an interface that answers to the peer: the guest's bridge is where it came out. */
static void answer_peer(PathWalk *walk, PathLeg leg)
{
    path_turn(walk, leg);
    come_in(walk);
}

static void walk_inbound(const Facts *facts, const Map *map, Path *path, const PathQuestion *question)
{
    PathWalk to_guest = walk_new(facts, map, path);
    PathWalk to_host = walk_new(facts, map, path);
    Ip host;

    to_guest.leg = PATH_TO_GUEST;
    if (!has_bridge(&to_guest))
        return;
    if (begin_inbound(&to_guest, question, PATH_TO_GUEST)) {
        if (path->from_host)
            path_send(&to_guest);
        else
            come_in(&to_guest);
        if (!to_guest.over && to_guest.packet.out)
            answer_peer(&to_guest, PATH_FROM_GUEST);
    }
    if (path->from_host || !begin_inbound(&to_host, question, PATH_TO_HOST) ||
        !route_own_address(facts, to_host.packet.in_index, &to_host.next, &host))
        return;
    to_host.packet.dst = host;
    path->outside = host;
    come_in(&to_host);
    if (to_host.forwarded && ip_equal(&to_host.packet.dst, &path->guest)) {
        path->forwarded = TRUE;
        if (!to_host.over)
            answer_peer(&to_host, PATH_TO_HOST);
    }
    path_add_forwards(&to_host);
}

/* ----------------------------------------------------------------------------------------------- asking */

/* The guest as the question has it; guest.family stays 0 where its network has nothing of that family. */
static void set_guest(const Facts *facts, Path *path, guint8 family)
{
    path->address_known = row_address(path->row, family, &path->guest);
    if (path->address_known ||
        (path->network && packet_guest_address(facts, path->network, family, &path->guest)))
        return;
    path->guest = (Ip){.family = 0};
}

Path *path_find(const Facts *facts, const Map *map, const PathQuestion *question, GError **error)
{
    const MapRow *row = choose_row(facts, map, question, error);
    guint8 family;
    Path *path;

    if (!row)
        return NULL;
    path = g_new0(Path, 1);
    path->hops = g_ptr_array_new_with_free_func(hop_free);
    path->forwards = g_ptr_array_new_with_free_func(g_free);
    path->checks = g_ptr_array_new();
    path->row = row;
    path->others = question->interface ? g_ptr_array_new() : other_rows(map, row);
    path->network = network_of(facts, row);
    path->inbound = question->inbound;
    family = choose_family(path, question);
    path->peer = question->peer.family ? question->peer : default_peer(facts, family);
    set_guest(facts, path, family);
    if (ip_equal(&path->peer, &path->guest)) {
        vnat_error_set(error, VNAT_ERROR_FAILED, "that is an address of domain '%s' itself",
                       question->domain);
        path_free(path);
        return NULL;
    }
    if (question->inbound && path->guest.family)
        walk_inbound(facts, map, path, question);
    else
        walk_outbound(facts, map, path, question);
    path_tell(facts, map, path);
    return path;
}
