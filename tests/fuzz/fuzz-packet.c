/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/packet-guest.h"
#include "sources/firewall.h"

#include <string.h>

/*
 * Rules as fuzz-firewall reads them: nft's JSON, an iptables-save text from the first line that begins with
 * "#" on (ebtables' if it says so there), or both, merged. What the evaluator says of packets that are
 * typical holds together: it ends, a verdict has its cause, and rules that were read in part can only make it
 * less certain, on the same way.
 */

static const char *const hooks[] = {"prerouting", "input", "forward", "output", "postrouting"};

static Network *network_of(void)
{
    Network *network = network_new();

    g_free(network->forward);
    network->forward = g_strdup("nat");
    network->bridge = g_strdup("virbr0");
    return network;
}

static void add_route(Facts *facts, const char *net, guint8 type)
{
    Route route = {.ifindex = 1, .table = 254, .type = type};

    ipnet_parse(net, &route.dst);
    route.family = route.dst.ip.family;
    g_array_append_val(facts->routes, route);
}

static void require_cause(const PacketResult *result)
{
    const PacketStep *cause = packet_cause(result);
    g_autofree char *text = cause ? packet_step_text(cause) : NULL;

    switch (result->verdict) {
    case PACKET_ACCEPT:
        require(!cause && result->blocked == TRI_NO);
        break;
    case PACKET_DROP:
    case PACKET_REJECT:
        require(cause && cause->verdict == result->verdict && result->blocked == TRI_YES);
        break;
    case PACKET_UNKNOWN:
        require(cause || result->why);
        require(result->blocked != TRI_NO);
        break;
    }
    require(!text || strlen(text) > 0);
    require(result->verdict == PACKET_UNKNOWN || result->doubts->len == 0);
}

static void ask(Facts *facts, const char *hook, const Packet *packet)
{
    g_autoptr(PacketResult) live = NULL;
    g_autoptr(PacketResult) stale = NULL;

    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_LIVE, NULL);
    live = packet_evaluate(facts, hook, packet);
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_STALE, NULL);
    stale = packet_evaluate(facts, hook, packet);
    require_cause(live);
    require_cause(stale);
    require(stale->steps->len == live->steps->len);
    require(stale->verdict == live->verdict || stale->verdict == PACKET_UNKNOWN);
    require(stale->verdict != PACKET_ACCEPT);
}

/* On a bridge and a device, and a request of ARP. */
static void ask_frames(Facts *facts, const Packet *packet)
{
    Packet frame = *packet;
    Packet arp;

    frame.place = PACKET_AT_BRIDGE;
    frame.in = "vnet0";
    frame.bridge = "virbr0";
    arp = frame;
    arp.arp = TRUE;
    arp.family = 4;
    arp.operation = 1;
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        ask(facts, hooks[i], &frame);
        ask(facts, hooks[i], &arp);
    }
    arp.place = PACKET_AT_ARP;
    ask(facts, "input", &arp);
    frame.place = PACKET_AT_DEVICE;
    ask(facts, "ingress", &frame);
}

static void ask_all(Facts *facts)
{
    g_autoptr(Network) network = network_of();
    Outside outside = {.device = "eth0", .ifindex = 2};
    const char *const guests[] = {"192.168.122.10", "fd00:122::10"};

    for (gsize i = 0; i < G_N_ELEMENTS(guests); i++) {
        Ip guest;
        Packet web, reply, near;

        ip_parse(guests[i], &guest);
        web = packet_from_guest(facts, network, &guest, &outside, i ? GUEST_ECHO : GUEST_WEB);
        reply = packet_reply(&web);
        near = packet_to_neighbour(facts, network, &guest, GUEST_NAMES);
        for (gsize k = 0; k < G_N_ELEMENTS(hooks); k++)
            ask(facts, hooks[k], &web);
        ask(facts, "forward", &reply);
        ask(facts, "forward", &near);
        ask_frames(facts, &web);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *split = size ? memmem(bytes, size, "\n#", 2) : NULL;
    gsize first = split ? (gsize)(split - bytes) : size;
    g_autoptr(Facts) facts = facts_new();
    const char *family = memmem(bytes + first, size - first, "ebtables", 8) ? "bridge" : "ip";
    GPtrArray *saved = firewall_parse_save(bytes + first, size - first, FIREWALL_IPTABLES_NFT, family, NULL);
    GPtrArray *tables = firewall_parse_nft(bytes, first, NULL);

    if (tables && saved)
        firewall_merge_save(tables, saved);
    if (tables)
        g_ptr_array_extend_and_steal(facts->firewall, tables);
    if (saved && !tables)
        g_ptr_array_extend_and_steal(facts->firewall, saved);
    else if (saved)
        g_ptr_array_unref(saved);
    add_route(facts, "0.0.0.0/0", ROUTE_UNICAST);
    add_route(facts, "192.168.122.1/32", ROUTE_LOCAL);
    ask_all(facts);
    return 0;
}
