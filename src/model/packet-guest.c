/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-guest.h"

#include <netinet/in.h>
#include <string.h>

#define MAIN_TABLE 254 /* RT_TABLE_MAIN */

/* Of the ports that clients choose from; where rules ask for the client's port it is for such ranges. */
#define CLIENT_PORT 40000

/* dnsmasq spreads its leases over a range: among so many there is one that is free, unless it is full. */
#define ADDRESSES_TRIED 256
/* Guests whose packets are asked about, where those of one to come are refused. */
#define LEASED_ASKED 16

#define ICMP_ECHO_REQUEST 8
#define ICMP_ECHO_ANSWER 0
#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_ANSWER 129

/* ----------------------------------------------------------------------------------------- the outside */

/* Well-known hosts of the internet, a different one for each probe, so that no rule about one of them speaks
 * for all. Nothing is ever sent there. */
static Ip public_address(guint8 family, GuestProbe probe)
{
    static const char *const peers[2][GUEST_PROBES] = {
        {[GUEST_WEB] = "193.0.6.139",
         [GUEST_SHELL] = "151.101.2.132",
         [GUEST_NAMES] = "198.41.0.4",
         [GUEST_ECHO] = "9.9.9.9"},
        {[GUEST_WEB] = "2001:67c:2e8:22::c100:68b",
         [GUEST_SHELL] = "2a04:4e42::644",
         [GUEST_NAMES] = "2001:503:ba3e::2:30",
         [GUEST_ECHO] = "2620:fe::fe"},
    };
    Ip ip = {0};

    ip_parse(peers[family == 6][probe], &ip);
    return ip;
}

Ip packet_public_address(guint8 family)
{
    return public_address(family, GUEST_ECHO);
}

/* The device of a route that leads away from the network. */
static const Link *route_link(const Facts *facts, const Network *network, const Route *route, guint8 family)
{
    const Link *link;

    if (route->family != family || route->table != MAIN_TABLE || route->type != ROUTE_UNICAST ||
        ip_is_multicast(&route->dst.ip) || ip_is_link_local(&route->dst.ip))
        return NULL;
    link = facts_link(facts, route->ifindex);
    return link && g_strcmp0(link->name, network->bridge) != 0 ? link : NULL;
}

/* The route that the kernel takes to an address; NULL: none of the main table. */
static const Route *route_to(const Facts *facts, const Network *network, const Ip *ip)
{
    const Route *best = NULL;

    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (!route_link(facts, network, route, ip->family) || !ipnet_contains(&route->dst, ip))
            continue;
        if (!best || route->dst.prefix > best->dst.prefix ||
            (route->dst.prefix == best->dst.prefix && route->priority < best->priority))
            best = route;
    }
    return best;
}

static const Route *widest_route(const Facts *facts, const Network *network, guint8 family)
{
    const Route *best = NULL;

    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);
        const Link *link = route_link(facts, network, route, family);

        if (link && !link->is_bridge && (!best || route->dst.prefix < best->dst.prefix))
            best = route;
    }
    return best;
}

static gboolean outside_is(const Link *link, Outside *outside)
{
    if (!link)
        return FALSE;
    *outside = (Outside){.device = link->name, .ifindex = link->ifindex};
    return TRUE;
}

gboolean packet_outside(const Facts *facts, const Network *network, guint8 family, Outside *outside)
{
    Ip public = public_address(family, GUEST_WEB);
    const Route *route;

    if (network->forward_dev)
        return outside_is(facts_link_named(facts, network->forward_dev), outside);
    route = route_to(facts, network, &public);
    if (route)
        return outside_is(facts_link(facts, route->ifindex), outside);
    route = widest_route(facts, network, family);
    if (!route || !outside_is(facts_link(facts, route->ifindex), outside))
        return FALSE;
    if (!ip_add(&route->dst.ip, 1, &outside->peer))
        outside->peer = route->dst.ip;
    return TRUE;
}

/* ------------------------------------------------------------------------------------------- addresses */

/* Leases and neighbours: whoever has it, libvirt's guest or not. */
static gboolean is_taken(const Facts *facts, const Network *network, const Ip *ip)
{
    if (network_ip_of(network, ip) && ip_equal(ip, &network_ip_of(network, ip)->net.ip))
        return TRUE;
    for (guint i = 0; i < facts->leases->len; i++) {
        const Lease *lease = facts->leases->pdata[i];

        if (ip_equal(&lease->ip, ip) && g_strcmp0(lease->network, network->name) == 0)
            return TRUE;
    }
    for (guint i = 0; i < facts->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(facts->neighbours, Neighbour, i);

        if (neighbour->has_mac && ip_equal(&neighbour->ip, ip))
            return TRUE;
    }
    return FALSE;
}

/* The first that nobody has of those from first to last (NULL: without end). */
static gboolean first_free(const Facts *facts, const Network *network, Ip first, const Ip *last, Ip *address)
{
    for (guint i = 0; i < ADDRESSES_TRIED; i++) {
        if (!is_taken(facts, network, &first)) {
            *address = first;
            return TRUE;
        }
        if ((last && ip_equal(&first, last)) || !ip_add(&first, 1, &first))
            return FALSE;
    }
    return FALSE;
}

/* Of a subnet: a free one, or else whatever is in it. */
static gboolean subnet_address(const Facts *facts, const Network *network, const NetworkIp *ip, Ip *address)
{
    const DhcpRange *range;

    for (guint i = 0; i < ip->ranges->len; i++) {
        range = &g_array_index(ip->ranges, DhcpRange, i);
        if (first_free(facts, network, range->first, &range->last, address))
            return TRUE;
    }
    if (ip->ranges->len > 0)
        *address = g_array_index(ip->ranges, DhcpRange, 0).first;
    else if (!ip_add(&ip->net.ip, 1, address) || !ipnet_contains(&ip->net, address))
        return ip_add(&ip->net.ip, -1, address);
    return TRUE;
}

gboolean packet_guest_address(const Facts *facts, const Network *network, guint8 family, Ip *address)
{
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if (ip->net.ip.family == family)
            return subnet_address(facts, network, ip, address);
    }
    return FALSE;
}

GArray *packet_guest_addresses(const Facts *facts, const Network *network, guint8 family)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(Ip));
    Ip address;

    if (!packet_guest_address(facts, network, family, &address))
        return addresses;
    g_array_append_val(addresses, address);
    for (guint i = 0; i < facts->leases->len && addresses->len <= LEASED_ASKED; i++) {
        const Lease *lease = facts->leases->pdata[i];

        if (lease->ip.family == family && g_strcmp0(lease->network, network->name) == 0 &&
            network_ip_of(network, &lease->ip))
            g_array_append_val(addresses, lease->ip);
    }
    return addresses;
}

/* --------------------------------------------------------------------------------------------- packets */

/* The bridge is libvirt's word; its index is known where links were read. */
static guint bridge_index(const Facts *facts, const Network *network)
{
    const Link *link = facts_link_named(facts, network->bridge);

    return link ? link->ifindex : 0;
}

Tri packet_bridge_asks(const Facts *facts, const Link *bridge, guint8 family, const char **setting)
{
    const char *path =
        family == 4 ? "sys/net/bridge/bridge-nf-call-iptables" : "sys/net/bridge/bridge-nf-call-ip6tables";
    const char *value = facts_proc(facts, path);
    gboolean all = g_strcmp0(value, "1") == 0;

    if (setting)
        *setting = all ? path : NULL;
    /* It is there while the kernel's module is. */
    if (!value)
        return facts->proc->len > 0 ? TRI_NO : TRI_UNKNOWN;
    return all || (family == 4 ? bridge->bridge_info.nf_call_iptables : bridge->bridge_info.nf_call_ip6tables)
               ? TRI_YES
               : TRI_NO;
}

static void set_probe(Packet *packet, GuestProbe probe)
{
    switch (probe) {
    case GUEST_WEB:
        packet->protocol = IPPROTO_TCP;
        packet->dport = 443;
        break;
    case GUEST_SHELL:
        packet->protocol = IPPROTO_TCP;
        packet->dport = 22;
        break;
    case GUEST_NAMES:
        packet->protocol = IPPROTO_UDP;
        packet->dport = PORT_DNS;
        break;
    case GUEST_ECHO:
    case GUEST_PROBES:
        packet->protocol = packet->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
        packet->icmp_type = packet->family == 4 ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
        return;
    }
    packet->sport = CLIENT_PORT;
}

Packet packet_from_guest(const Facts *facts, const Network *network, const Ip *guest, const Outside *outside,
                         GuestProbe probe)
{
    Packet packet = {
        .family = guest->family,
        .in = network->bridge,
        .in_index = bridge_index(facts, network),
        .out = outside->device,
        .out_index = outside->ifindex,
        .src = *guest,
        .dst = outside->peer.family ? outside->peer : public_address(guest->family, probe),
    };

    set_probe(&packet, probe);
    return packet;
}

Packet packet_to_neighbour(const Facts *facts, const Network *network, const Ip *guest, GuestProbe probe)
{
    const NetworkIp *own = network_ip_of(network, guest);
    Ip free;
    Packet packet = {
        .family = guest->family,
        .in = network->bridge,
        .in_index = bridge_index(facts, network),
        .out = network->bridge,
        .out_index = bridge_index(facts, network),
        .bridged = TRUE,
        .src = *guest,
    };

    if (!ip_add(guest, 1, &packet.dst))
        packet.dst = *guest;
    else if (own && first_free(facts, network, packet.dst, NULL, &free) && ipnet_contains(&own->net, &free))
        packet.dst = free;
    set_probe(&packet, probe);
    return packet;
}

Packet packet_reply(const Packet *packet)
{
    Packet reply = *packet;

    reply.in = packet->out;
    reply.in_index = packet->out_index;
    reply.out = packet->in;
    reply.out_index = packet->in_index;
    reply.in_port = NULL;
    reply.has_mac = FALSE;
    reply.src = packet->dst;
    reply.dst = packet->src;
    reply.sport = packet->dport;
    reply.dport = packet->sport;
    reply.state = PACKET_ESTABLISHED;
    reply.reply = !packet->reply;
    if (packet->protocol == IPPROTO_ICMP)
        reply.icmp_type = ICMP_ECHO_ANSWER;
    else if (packet->protocol == IPPROTO_ICMPV6)
        reply.icmp_type = ICMP6_ECHO_ANSWER;
    return reply;
}

Packet packet_for_dhcp(const Facts *facts, const Network *network, guint8 family)
{
    Packet packet = {
        .family = family,
        .in = network->bridge,
        .in_index = bridge_index(facts, network),
        .protocol = IPPROTO_UDP,
        .sport = family == 4 ? 68 : 546,
        .dport = family == 4 ? PORT_DHCP4 : PORT_DHCP6,
        .cast = family == 4 ? PACKET_TO_ALL : PACKET_TO_GROUP,
    };

    ip_parse(family == 4 ? "0.0.0.0" : "fe80::5054:ff:fe00:1", &packet.src);
    ip_parse(family == 4 ? "255.255.255.255" : "ff02::1:2", &packet.dst);
    return packet;
}

Packet packet_for_dns(const Facts *facts, const Network *network, const Ip *guest, const Ip *gateway)
{
    return (Packet){
        .family = guest->family,
        .in = network->bridge,
        .in_index = bridge_index(facts, network),
        .src = *guest,
        .dst = *gateway,
        .protocol = IPPROTO_UDP,
        .sport = CLIENT_PORT,
        .dport = PORT_DNS,
    };
}

/* To whom the frame goes: this host's bridge, all, or a group (RFC 2464, section 7). */
static void set_mac_to(const Facts *facts, Packet *frame)
{
    const Link *bridge = facts_link_named(facts, frame->bridge);

    frame->has_mac_to = TRUE;
    switch (frame->cast) {
    case PACKET_TO_HOST:
        frame->has_mac_to = bridge && bridge->has_mac;
        if (frame->has_mac_to)
            frame->mac_to = bridge->mac;
        break;
    case PACKET_TO_ALL:
        memset(frame->mac_to.bytes, 0xff, sizeof(frame->mac_to.bytes));
        break;
    case PACKET_TO_GROUP:
        frame->mac_to.bytes[0] = frame->mac_to.bytes[1] = 0x33;
        memcpy(frame->mac_to.bytes + 2, frame->dst.bytes + 12, 4);
        break;
    }
}

Packet packet_as_frame(const Facts *facts, const Network *network, const Packet *packet)
{
    Packet frame = *packet;

    frame.place = PACKET_AT_BRIDGE;
    frame.bridge = network->bridge;
    /* As libvirt names taps, but for the number, and an index that no device has. */
    frame.in = "vnet";
    frame.in_index = G_MAXINT32;
    frame.in_port = NULL;
    set_mac_to(facts, &frame);
    return frame;
}
