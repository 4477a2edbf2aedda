/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/path-private.h"

#include <netinet/in.h>
#include <string.h>

/*
 * A packet is a frame before and behind the IP stack, and there other rules ask for it, of nftables' families
 * bridge (libvirt's nwfilter makes such, by ebtables) and netdev:
 *
 *     from a guest    ingress of its tap; prerouting and input of the bridge; ingress of the bridge's device
 *     to a guest      egress of the bridge's device; output and postrouting of the bridge; egress of its tap
 *     guest to guest  ingress of the tap; prerouting, forward, postrouting of the bridge; egress of the tap
 *     by an uplink    ingress or egress of its device
 *
 * Before the first packet one end asks for the other's MAC, by ARP (and its family of rules) or neighbour
 * discovery, on the same way. What passes there is not shown; what does not ends the packet's way, for it is
 * never sent.
 */

enum { ARP_REQUEST = 1, ARP_ANSWER = 2, SOLICITATION = 135, ADVERTISEMENT = 136 };

/* --------------------------------------------------------------------------------------------- one hook */

/* Who asks whom for a MAC, in the words of the hops. */
typedef struct {
    const char *request, *answer;
} Asking;

static const Asking guest_asks[] = {
    {"the guest's ARP request", "the answer to the guest's ARP request"},
    {"the guest's neighbour solicitation", "the answer to the guest's neighbour solicitation"},
};
static const Asking guest_is_asked[] = {
    {"the ARP request for the guest", "the guest's answer to an ARP request"},
    {"the neighbour solicitation for the guest", "the guest's answer to a neighbour solicitation"},
};

static const Asking *asking_of(const Asking *families, guint8 family)
{
    return &families[family == 6];
}

/* Takes what; "what: " comes in front of the text, which is replaced. */
static void put_in_front(char **text, char *what)
{
    char *before = *text;

    *text = g_strdup_printf("%s: %s", what, before);
    g_free(before);
    g_free(what);
}

/* of: what of the packet hangs on this frame; NULL: it is the packet. */
static void frame_hops(PathWalk *walk, const char *hook, const Packet *frame, const PacketResult *result,
                       const char *of)
{
    for (guint i = 0; i < result->steps->len && !walk->over; i++) {
        const PacketStep *step = &g_array_index(result->steps, PacketStep, i);
        PathHop *hop;

        if (step->verdict == PACKET_ACCEPT && (of || step->base->rules->len == 0))
            continue;
        hop = path_step_hop(walk, hook, result, step);
        hop->frame = TRUE;
        hop->of = of;
        if (frame->place == PACKET_AT_DEVICE)
            put_in_front(&hop->detail, g_strdup(frame->in ? frame->in : frame->out));
        if (of)
            put_in_front(&hop->detail, g_strdup(of));
    }
}

static void frame_hook(PathWalk *walk, const char *hook, const Packet *frame, const char *of)
{
    g_autoptr(PacketResult) result = NULL;

    if (walk->over || !facts_has(walk->facts, SOURCE_FIREWALL))
        return;
    result = packet_evaluate(walk->facts, hook, frame);
    frame_hops(walk, hook, frame, result, of);
    if (!of) {
        walk->packet.mark = result->mark;
        walk->packet.mark_unknown = result->mark_unknown;
    }
}

/* The packet as a frame: in and out may be NULL. */
static Packet frame_at(const Packet *packet, PacketPlace place, const Link *in, const Link *out)
{
    Packet frame = *packet;

    frame.place = place;
    frame.in = in ? in->name : NULL;
    frame.in_index = in ? in->ifindex : 0;
    frame.out = out ? out->name : NULL;
    frame.out_index = out ? out->ifindex : 0;
    frame.in_port = NULL;
    frame.bridged = FALSE;
    return frame;
}

static void device_hook(PathWalk *walk, const char *hook, const Packet *packet, const Link *link,
                        const char *of)
{
    const gboolean in = strcmp(hook, "ingress") == 0;
    Packet frame = frame_at(packet, PACKET_AT_DEVICE, in ? link : NULL, in ? NULL : link);

    frame_hook(walk, hook, &frame, of);
}

static void bridge_hook(PathWalk *walk, const char *hook, const Packet *packet, const Link *bridge,
                        const Link *in, const Link *out, const char *of)
{
    Packet frame = frame_at(packet, PACKET_AT_BRIDGE, in, out);

    frame.bridge = bridge->name;
    frame_hook(walk, hook, &frame, of);
}

/* ----------------------------------------------------------------------------------------- three ways */

static void to_host(PathWalk *walk, const Packet *packet, const Link *port, const Link *bridge,
                    const char *of)
{
    device_hook(walk, "ingress", packet, port, of);
    bridge_hook(walk, "prerouting", packet, bridge, port, NULL, of);
    bridge_hook(walk, "input", packet, bridge, port, NULL, of);
    device_hook(walk, "ingress", packet, bridge, of);
}

static void from_host(PathWalk *walk, const Packet *packet, const Link *bridge, const Link *port,
                      const char *of)
{
    device_hook(walk, "egress", packet, bridge, of);
    bridge_hook(walk, "output", packet, bridge, NULL, port, of);
    bridge_hook(walk, "postrouting", packet, bridge, NULL, port, of);
    device_hook(walk, "egress", packet, port, of);
}

static void across(PathWalk *walk, const Packet *packet, const Link *bridge, const Link *from, const Link *to,
                   const char *of)
{
    device_hook(walk, "ingress", packet, from, of);
    bridge_hook(walk, "prerouting", packet, bridge, from, NULL, of);
    bridge_hook(walk, "forward", packet, bridge, from, to, of);
    bridge_hook(walk, "postrouting", packet, bridge, from, to, of);
    device_hook(walk, "egress", packet, to, of);
}

/* -------------------------------------------------------------------------------------- asking for a MAC */

/* An end of a frame. */
typedef struct {
    const Link *port; /* the bridge itself for this host */
    Ip ip;
    gboolean has_mac;
    Mac mac;
} End;

static End end_of_row(const PathWalk *walk, const MapRow *row, const Ip *ip)
{
    return (End){
        .port = row->tap ? facts_link_named(walk->facts, row->tap) : NULL,
        .ip = *ip,
        .has_mac = row->has_mac,
        .mac = row->mac,
    };
}

/* This host on a bridge of guests: its address in the subnet of one of them. */
static End end_of_host(const PathWalk *walk, const Link *bridge, const Ip *guest)
{
    const Network *network = facts_network_of_bridge(walk->facts, bridge->name);
    const NetworkIp *own = network ? network_ip_of(network, guest) : NULL;

    return (End){
        .port = bridge, .ip = own ? own->net.ip : (Ip){0}, .has_mac = bridge->has_mac, .mac = bridge->mac};
}

/* Whom a request is sent to: all, or those who have the last three bytes of the address (RFC 4291, 2.7.1). */
static void address_to_all(Packet *packet)
{
    static const guint8 group[] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

    packet->has_mac_to = TRUE;
    packet->cast = PACKET_TO_ALL;
    memset(packet->mac_to.bytes, 0xff, sizeof(packet->mac_to.bytes));
    if (packet->family == 4)
        return;
    packet->cast = PACKET_TO_GROUP;
    memcpy(packet->dst.bytes, group, sizeof(group));
    packet->mac_to.bytes[0] = packet->mac_to.bytes[1] = 0x33;
    memcpy(packet->mac_to.bytes + 2, packet->dst.bytes + 12, 4);
}

/* A request, or the answer to one. host: this host sends it. */
static Packet resolution(const End *from, const End *to, gboolean request, gboolean host)
{
    Packet packet = {
        .arp = from->ip.family == 4,
        .family = from->ip.family,
        .operation = request ? ARP_REQUEST : ARP_ANSWER,
        .src = from->ip,
        .dst = to->ip,
        .has_mac = from->has_mac,
        .mac = from->mac,
        .has_mac_to = to->has_mac,
        .mac_to = to->mac,
        /* Connection tracking looks at neither; of ARP the host's own is not even marked so. */
        .state = host && from->ip.family == 4 ? PACKET_INVALID : PACKET_UNTRACKED,
    };

    if (packet.family == 6) {
        packet.protocol = IPPROTO_ICMPV6;
        packet.icmp_type = request ? SOLICITATION : ADVERTISEMENT;
    }
    if (request)
        address_to_all(&packet);
    return packet;
}

/* What this host itself does with the question or the answer: ARP has rules of its own, IPv6's are IP. */
static void host_hooks(PathWalk *walk, const Packet *packet, const Link *in, const Link *out, const char *of)
{
    const char *const *hook;
    static const char *const hooks[][4] = {
        {"input", NULL}, {"output", NULL}, {"prerouting", "input", NULL}, {"output", "postrouting", NULL}};

    for (hook = hooks[(packet->arp ? 0 : 2) + (out ? 1 : 0)]; *hook; hook++) {
        Packet frame = frame_at(packet, packet->arp ? PACKET_AT_ARP : PACKET_AT_IP, in, out);

        frame_hook(walk, *hook, &frame, of);
    }
}

static void guest_tells_host(PathWalk *walk, const Link *bridge, const End *guest, const End *host,
                             gboolean request, const char *of)
{
    Packet packet = resolution(guest, host, request, FALSE);

    to_host(walk, &packet, guest->port, bridge, of);
    host_hooks(walk, &packet, bridge, NULL, of);
}

static void host_tells_guest(PathWalk *walk, const Link *bridge, const End *host, const End *guest,
                             gboolean request, const char *of)
{
    Packet packet = resolution(host, guest, request, TRUE);

    host_hooks(walk, &packet, NULL, bridge, of);
    from_host(walk, &packet, bridge, guest->port, of);
}

void path_ask_gateway(PathWalk *walk)
{
    const Asking *asking = asking_of(guest_asks, walk->packet.family);
    End guest = end_of_row(walk, walk->path->row, &walk->path->guest);
    End host = end_of_host(walk, walk->bridge, &walk->path->guest);

    if (!guest.port || !host.ip.family)
        return;
    guest_tells_host(walk, walk->bridge, &guest, &host, TRUE, asking->request);
    host_tells_guest(walk, walk->bridge, &host, &guest, FALSE, asking->answer);
}

/* What is begun from outside: the guest need not have said a word yet. */
static void ask_guest(PathWalk *walk, const Link *bridge)
{
    const Asking *asking = asking_of(guest_is_asked, walk->packet.family);
    End guest = end_of_row(walk, walk->path->row, &walk->path->guest);
    End host = end_of_host(walk, bridge, &walk->path->guest);

    if (!guest.port || !host.ip.family)
        return;
    host_tells_guest(walk, bridge, &host, &guest, TRUE, asking->request);
    guest_tells_host(walk, bridge, &guest, &host, FALSE, asking->answer);
}

static void ask_neighbour(PathWalk *walk, const End *guest, const End *neighbour)
{
    const Asking *asking = asking_of(guest_asks, walk->packet.family);
    Packet request = resolution(guest, neighbour, TRUE, FALSE);
    Packet answer = resolution(neighbour, guest, FALSE, FALSE);

    across(walk, &request, walk->bridge, guest->port, neighbour->port, asking->request);
    across(walk, &answer, walk->bridge, neighbour->port, guest->port, asking->answer);
}

/* --------------------------------------------------------------------------------------- an uplink's way */

/* Devices that stand on others: which one, the facts do not say. */
static gboolean is_stacked(const Link *link)
{
    static const char *const kinds[] = {"vlan", "macvlan", "ipvlan", "macsec", NULL};

    return link->kind && g_strv_contains(kinds, link->kind);
}

/* Whether the packet may pass below the uplink by this device. */
static gboolean is_below(const Link *uplink, const Link *link)
{
    if (link == uplink)
        return FALSE;
    return link->master == uplink->ifindex ||
           (is_stacked(uplink) && (!link->kind || strcmp(link->kind, "bond") == 0));
}

/* What a hook below the uplink says of the packet; FALSE, with a hop: perhaps not that it passes. */
static gboolean below_passes(PathWalk *walk, const char *hook, const Packet *frame, const Link *link)
{
    g_autoptr(PacketResult) result = packet_evaluate(walk->facts, hook, frame);
    const PacketStep *cause = packet_cause(result);
    g_autofree char *text = cause ? packet_step_text(cause) : g_strdup(result->why ? result->why : "");
    PathHop *hop;

    if (result->verdict == PACKET_ACCEPT)
        return TRUE;
    hop = path_add(walk, PATH_CHAIN, PACKET_UNKNOWN, link->name,
                   "it may go by this device, and be refused there: %s", text);
    hop->hook = hook;
    hop->frame = TRUE;
    return FALSE;
}

/* Ports of a bridge or bond, what a VLAN stands on: by which of them it goes is not told. */
static void below_uplink(PathWalk *walk, const Link *uplink, gboolean in)
{
    for (guint i = 0; i < walk->facts->links->len; i++) {
        const Link *link = walk->facts->links->pdata[i];
        Packet device = frame_at(&walk->packet, PACKET_AT_DEVICE, in ? link : NULL, in ? NULL : link);
        Packet bridge = frame_at(&walk->packet, PACKET_AT_BRIDGE, in ? link : NULL, in ? NULL : link);

        bridge.bridge = uplink->name;
        if (!is_below(uplink, link))
            continue;
        if (!below_passes(walk, in ? "ingress" : "egress", &device, link))
            return;
        if (uplink->is_bridge && (!below_passes(walk, in ? "prerouting" : "output", &bridge, link) ||
                                  !below_passes(walk, in ? "input" : "postrouting", &bridge, link)))
            return;
    }
}

static void by_uplink(PathWalk *walk, const Link *uplink, gboolean in)
{
    if (!facts_has(walk->facts, SOURCE_FIREWALL))
        return;
    if (in)
        below_uplink(walk, uplink, TRUE);
    device_hook(walk, in ? "ingress" : "egress", &walk->packet, uplink, NULL);
    if (!in && !walk->over)
        below_uplink(walk, uplink, FALSE);
}

/* ------------------------------------------------------------------------------------------- the packet */

static gboolean is_of_guests(const PathWalk *walk, const Link *link)
{
    return link->is_bridge && facts_network_of_bridge(walk->facts, link->name);
}

/* The guest on a bridge that has the address; NULL: not known. */
static const MapRow *guest_with(const PathWalk *walk, const Link *bridge, const Ip *ip)
{
    if (bridge == walk->bridge && ip_equal(ip, &walk->path->guest))
        return walk->path->row;
    return path_row_of(walk->map, bridge->name, ip);
}

static void set_macs(Packet *packet, const End *from, const End *to)
{
    packet->has_mac = from->has_mac;
    packet->mac = from->mac;
    packet->has_mac_to = to->has_mac;
    packet->mac_to = to->mac;
}

void path_enter(PathWalk *walk)
{
    const Link *link = facts_link(walk->facts, walk->packet.in_index);
    const MapRow *row = link ? guest_with(walk, link, &walk->packet.src) : NULL;
    Packet packet = walk->packet;

    if (walk->over || !link)
        return;
    if (!is_of_guests(walk, link)) {
        by_uplink(walk, link, TRUE);
    } else if (row) {
        End guest = end_of_row(walk, row, &packet.src);
        End host = end_of_host(walk, link, &packet.src);

        set_macs(&packet, &guest, &host);
        if (guest.port)
            to_host(walk, &packet, guest.port, link, NULL);
    }
}

void path_leave(PathWalk *walk)
{
    const Link *link = facts_link(walk->facts, walk->packet.out_index);
    const MapRow *row = link ? guest_with(walk, link, &walk->packet.dst) : NULL;
    Packet packet = walk->packet;

    if (walk->over || !link)
        return;
    if (!is_of_guests(walk, link)) {
        by_uplink(walk, link, FALSE);
    } else if (row) {
        End guest = end_of_row(walk, row, &packet.dst);
        End host = end_of_host(walk, link, &packet.dst);

        if (row == walk->path->row && (walk->leg == PATH_TO_GUEST || walk->leg == PATH_TO_HOST))
            ask_guest(walk, link);
        set_macs(&packet, &host, &guest);
        if (guest.port)
            from_host(walk, &packet, link, guest.port, NULL);
    }
}

void path_cross(PathWalk *walk)
{
    const MapRow *from_row = guest_with(walk, walk->bridge, &walk->packet.src);
    const MapRow *to_row = guest_with(walk, walk->bridge, &walk->packet.dst);
    Packet packet = walk->packet;
    End from, to;

    if (!from_row || !to_row)
        return;
    from = end_of_row(walk, from_row, &packet.src);
    to = end_of_row(walk, to_row, &packet.dst);
    if (!from.port || !to.port)
        return;
    if (!facts_has(walk->facts, SOURCE_FIREWALL)) {
        path_add(walk, PATH_CHAIN, PACKET_UNKNOWN, walk->bridge->name,
                 "the rules for its frames were not read");
        return;
    }
    if (walk->leg == PATH_THERE)
        ask_neighbour(walk, &from, &to);
    set_macs(&packet, &from, &to);
    across(walk, &packet, walk->bridge, from.port, to.port, NULL);
}
