/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "model/packet-guest.h"
#include "model/path-private.h"
#include "model/setting.h"

#include <netinet/in.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------- chains */

/* "ip filter FORWARD": the base chain. New string. */
static char *chain_name(const PacketStep *step)
{
    return g_strdup_printf("%s %s %s%s", step->table->family, step->table->name, step->base->name,
                           step->table->shape == FIREWALL_IPTABLES_LEGACY ? " (legacy)" : "");
}

/* The rules that could not be evaluated, of the step's base chain; NULL: none. */
static const PacketStep *doubt_of(const PacketResult *result, const PacketStep *step)
{
    for (guint i = 0; i < result->doubts->len; i++) {
        const PacketStep *doubt = &g_array_index(result->doubts, PacketStep, i);

        if (doubt->base == step->base)
            return doubt;
    }
    return NULL;
}

static void hop_takes_step(PathHop *hop, const char *hook, const PacketStep *step)
{
    hop->hook = hook;
    hop->step = *step;
    hop->owner = step->owner;
    hop->rule = step->rule ? g_strdup(step->rule->text) : NULL;
}

PathHop *path_step_hop(PathWalk *walk, const char *hook, const PacketResult *result, const PacketStep *step)
{
    const PacketStep *doubt = step->verdict == PACKET_UNKNOWN ? doubt_of(result, step) : NULL;
    const PacketStep *told = doubt ? doubt : step;
    g_autofree char *name = chain_name(step);
    PathHop *hop;

    if (doubt)
        hop = path_add(walk, PATH_CHAIN, step->verdict, name, "a rule of chain %s cannot be evaluated",
                       told->chain->name);
    else if (step->verdict == PACKET_UNKNOWN)
        hop = path_add(walk, PATH_CHAIN, step->verdict, name, "%s",
                       result->why ? result->why : "its verdict is not certain");
    else if (!told->rule)
        hop = path_add(walk, PATH_CHAIN, step->verdict, name, "policy %s",
                       step->chain->policy ? step->chain->policy : "accept");
    else
        hop = path_add(walk, PATH_CHAIN, step->verdict, name, "decided in chain %s", told->chain->name);
    hop_takes_step(hop, hook, told);
    if (step->unsure) {
        char *decided = hop->detail;

        hop->detail = g_strconcat(decided, ", or by an earlier rule that cannot be evaluated", NULL);
        g_free(decided);
    }
    hop->step.verdict = step->verdict;
    return hop;
}

/* ------------------------------------------------------------------------------------------ translation */

static void new_source(PathWalk *walk, const Translation *translation)
{
    Packet *packet = &walk->packet;

    walk->translated = TRI_YES;
    walk->source = packet->src;
    packet->snat = TRI_YES;
    if (translation->kind == TRANSLATE_MASQUERADE) {
        if (!route_own_address(walk->facts, packet->out_index, &walk->next, &packet->src))
            packet->src.family = 0;
    } else if (translation->first.family || translation->untold) {
        packet->src = translation->first;
    }
    if (walk->leg == PATH_THERE)
        walk->path->outside = packet->src;
}

static void new_target(PathWalk *walk, const Translation *translation)
{
    Packet *packet = &walk->packet;

    walk->forwarded = TRUE;
    walk->target = packet->dst;
    packet->dnat = TRI_YES;
    if (translation->kind == TRANSLATE_HERE) {
        if (!route_own_address(walk->facts, packet->in_index, &packet->src, &packet->dst))
            packet->dst.family = 0;
    } else if (translation->first.family || translation->untold) {
        packet->dst = translation->first;
    }
    if (translation->port)
        packet->dport = translation->port;
}

static char *address_or_unknown(const Ip *ip)
{
    return ip->family ? ip_to_string(ip) : g_strdup("an address that is not known");
}

static char *ports_text(const Translation *translation)
{
    return translation->port && translation->port == translation->port_last
               ? g_strdup_printf(" port %u", translation->port)
               : g_strdup("");
}

static void translation_hop(PathWalk *walk, const char *hook, const PacketStep *step,
                            const Translation *translation)
{
    gboolean source = translation->kind == TRANSLATE_MASQUERADE || translation->kind == TRANSLATE_SOURCE;
    Ip *changed = source ? &walk->packet.src : &walk->packet.dst;
    g_autofree char *before = ip_to_string(changed);
    g_autofree char *ports = source ? g_strdup("") : ports_text(translation);
    g_autofree char *after = NULL;
    gboolean several = translation->first.family && !ip_equal(&translation->first, &translation->last);
    PathHop *hop;

    if (source)
        new_source(walk, translation);
    else
        new_target(walk, translation);
    after = address_or_unknown(changed);
    hop = path_add(walk, PATH_NAT, changed->family ? PACKET_ACCEPT : PACKET_UNKNOWN, before,
                   "becomes %s%s%s, by %s in chain %s", after, several ? " or another of a range" : "", ports,
                   translation_name(translation->kind), step->chain->name);
    hop_takes_step(hop, hook, step);
}

/* An answer gets the addresses back that its connection was begun with, in the place where chains translate.
 */
static void translate_back(PathWalk *walk, const char *hook)
{
    Packet *packet = &walk->packet;

    if (!packet->reply)
        return;
    if (strcmp(hook, "prerouting") == 0 && walk->translated == TRI_YES)
        packet->dst = walk->source;
    if (strcmp(hook, "postrouting") == 0 && walk->forwarded)
        packet->src = walk->target;
}

/* ------------------------------------------------------------------------------------------------ hooks */

/* A step of a chain that translates, and does. */
static gboolean step_translates(const PacketStep *step, PacketPart part, Translation *translation)
{
    if (part != PACKET_NAT || step->verdict != PACKET_ACCEPT || !step->rule)
        return FALSE;
    *translation = translation_of(step->rule);
    return translation->kind != TRANSLATE_NONE;
}

/* Of a hook: what cannot be told by any of its chains. */
static void untold_hop(PathWalk *walk, const char *hook, const PacketResult *result)
{
    PathHop *hop = path_add(walk, PATH_CHAIN, PACKET_UNKNOWN, hook, "%s",
                            result->why ? result->why : "its verdict is not certain");

    hop->hook = hook;
}

static void hook_part(PathWalk *walk, const char *hook, PacketPart part)
{
    g_autoptr(PacketResult) result = packet_evaluate_part(walk->facts, hook, &walk->packet, part);
    gboolean told = result->verdict != PACKET_UNKNOWN;
    Translation translation;

    walk->packet.mark = result->mark;
    walk->packet.mark_unknown = result->mark_unknown;
    if (result->state == PACKET_UNTRACKED)
        walk->packet.state = PACKET_UNTRACKED;
    for (guint i = 0; i < result->steps->len && !walk->over; i++) {
        const PacketStep *step = &g_array_index(result->steps, PacketStep, i);

        if (step_translates(step, part, &translation)) {
            /* The first that translates is the only one: those behind it are not asked. */
            translation_hop(walk, hook, step, &translation);
            return;
        }
        path_step_hop(walk, hook, result, step);
        told |= step->verdict == PACKET_UNKNOWN;
    }
    if (part == PACKET_NAT && result->verdict == PACKET_UNKNOWN && strcmp(hook, "postrouting") == 0)
        walk->translated = TRI_UNKNOWN;
    if (!told && part == PACKET_BEFORE_NAT)
        untold_hop(walk, hook, result);
}

void path_hook(PathWalk *walk, const char *hook)
{
    if (!walk->over)
        hook_part(walk, hook, PACKET_BEFORE_NAT);
    if (!walk->over)
        hook_part(walk, hook, PACKET_NAT);
    if (walk->over)
        return;
    translate_back(walk, hook);
    hook_part(walk, hook, PACKET_BEHIND_NAT);
}

void path_bridged(PathWalk *walk)
{
    const char *setting;
    Tri asks = packet_bridge_asks(walk->facts, walk->bridge, walk->packet.family, &setting);
    g_autofree char *name = setting ? setting_name(setting) : g_strdup("the bridge's own setting");

    if (asks == TRI_UNKNOWN) {
        path_add(walk, PATH_CHAIN, PACKET_UNKNOWN, walk->bridge->name,
                 "whether the bridge asks the packet filter about its frames was not read");
        return;
    }
    if (asks == TRI_NO)
        return;
    path_add(walk, PATH_BRIDGE, PACKET_ACCEPT, walk->bridge->name,
             "its frames go through the packet filter: %s is 1", name);
    walk->packet.bridged = TRUE;
    path_hook(walk, "prerouting");
    walk->packet.out = walk->bridge->name;
    walk->packet.out_index = walk->bridge->ifindex;
    path_hook(walk, "forward");
    path_hook(walk, "postrouting");
}

/* ----------------------------------------------------------------------------------------------- routes */

/* Whether it is one of the three that every host begins with. */
static gboolean is_usual_rule(const RouteRule *rule)
{
    return !rule || ((rule->priority == 0 || rule->priority == 32766 || rule->priority == 32767) &&
                     !rule->src.ip.family && !rule->dst.ip.family && !rule->iif && !rule->mark_mask);
}

/* "default via 203.0.113.1 dev eth0 (rule 100: …)". New string. */
static char *choice_text(const Facts *facts, const RouteChoice *choice)
{
    g_autofree char *route = choice->route ? route_text(facts, choice->route) : g_strdup("");
    g_autofree char *rule = is_usual_rule(choice->rule) ? NULL : route_rule_text(choice->rule);

    if (!rule)
        return g_steal_pointer(&route);
    return *route ? g_strdup_printf("%s (%s)", route, rule) : g_steal_pointer(&rule);
}

/* The setting of IPv4 that a device has; NULL: it was not read. */
static const char *setting_of(const Facts *facts, const char *device, const char *setting)
{
    g_autofree char *path = g_strdup_printf("sys/net/ipv4/conf/%s/%s", device, setting);

    return facts_proc(facts, path);
}

/* Of rp_filter the stricter holds, of all and the device's own; -1: not read. */
static gint source_check(const Facts *facts, const char *device)
{
    const char *all = setting_of(facts, "all", "rp_filter");
    const char *own = setting_of(facts, device, "rp_filter");
    gint64 values[] = {all ? g_ascii_strtoll(all, NULL, 10) : -1, own ? g_ascii_strtoll(own, NULL, 10) : -1};

    return (gint)MAX(values[0], values[1]);
}

/*
 * What the kernel asks of a source address of IPv4 (fib_validate_source): it is none of this host's, and,
 * where rp_filter says so, answers would go out where the packet came in. FALSE: refused.
 */
static gboolean source_is_valid(PathWalk *walk, const char *out)
{
    const Packet *packet = &walk->packet;
    Packet back = {.family = packet->family, .in = out, .src = packet->dst, .dst = packet->src};
    g_autofree char *source = ip_to_string(&packet->src);
    g_autofree char *text = NULL;
    RouteChoice choice;
    gint check;

    if (packet->family != 4 || packet->src.family == 0)
        return TRUE;
    choice = route_choose(walk->facts, &back);
    text = choice_text(walk->facts, &choice);
    if (choice.way == ROUTE_WAY_HERE) {
        path_add(walk, PATH_ROUTE, PACKET_DROP, source, "it is an address of this host itself: %s", text);
        return FALSE;
    }
    if (choice.way == ROUTE_WAY_OUT && (choice.route->ifindex == packet->in_index || choice.hops > 1))
        return TRUE;
    check = source_check(walk->facts, packet->in);
    if (check < 0) {
        path_add(walk, PATH_ROUTE, PACKET_UNKNOWN, source,
                 "its route is not by %s, and rp_filter was not read: %s", packet->in, text);
        return TRUE;
    }
    if (check == 0 || (check == 2 && choice.way == ROUTE_WAY_OUT))
        return TRUE;
    path_add(walk, PATH_ROUTE, PACKET_DROP, source,
             "rp_filter of %s refuses it, for answers would not go out there: %s", packet->in,
             *text ? text : "there is no route");
    return FALSE;
}

static gboolean forwards(PathWalk *walk)
{
    g_autofree char *setting = setting_forwards(walk->facts, walk->packet.in, walk->packet.family);
    g_autofree char *path = setting_name(setting);
    const char *value = facts_proc(walk->facts, setting);

    if (!value) {
        path_add(walk, PATH_ROUTE, PACKET_UNKNOWN, "forwarding", "%s was not read", path);
        return TRUE;
    }
    if (strcmp(value, "0") == 0) {
        path_add(walk, PATH_ROUTE, PACKET_DROP, "forwarding",
                 "%s is 0: this host forwards nothing that comes in there", path);
        return FALSE;
    }
    path_add(walk, PATH_ROUTE, PACKET_ACCEPT, "forwarding", "%s is %s", path, value);
    return TRUE;
}

static void way_refused(PathWalk *walk, const char *name, const RouteChoice *choice)
{
    g_autofree char *text = choice_text(walk->facts, choice);
    guint8 type = choice->route ? choice->route->type : choice->rule->action;

    path_add(walk, PATH_ROUTE, type == ROUTE_BLACKHOLE ? PACKET_DROP : PACKET_REJECT, name,
             "refused by its route: %s", text);
}

/* The route's device. FALSE: nothing goes out by it. */
static gboolean way_out(PathWalk *walk, const char *name, const RouteChoice *choice)
{
    const Link *link = facts_link(walk->facts, choice->route->ifindex);
    g_autofree char *text = choice_text(walk->facts, choice);
    char next[IP_TEXT];

    walk->next = choice->route->gateway.family ? choice->route->gateway : walk->packet.dst;
    if (!link) {
        path_add(walk, PATH_ROUTE, PACKET_UNKNOWN, name, "its device is not known: %s", text);
        return FALSE;
    }
    walk->packet.out = link->name;
    walk->packet.out_index = link->ifindex;
    if (!link->is_bridge && link->carrier == 0)
        path_add(walk, PATH_ROUTE, PACKET_DROP, name, "%s has no carrier: %s", link->name, text);
    else if (!link->is_bridge && path_is_silent(walk->facts, link, &walk->next))
        path_add(walk, PATH_ROUTE, PACKET_UNKNOWN, name,
                 "%s, but %s did not answer when this host asked for its MAC", text,
                 ip_format(&walk->next, next));
    else if (choice->hops > 1)
        path_add(walk, PATH_ROUTE, PACKET_ACCEPT, name, "%s, the first of %u next hops", text, choice->hops);
    else
        path_add(walk, PATH_ROUTE, PACKET_ACCEPT, name, "%s", text);
    return !walk->over;
}

/* The guest behind its bridge: where other routes take the packet away, it never comes there. */
static gboolean leads_astray(PathWalk *walk, const char *name, const RouteChoice *choice)
{
    g_autofree char *text = NULL;

    if (!walk->bridge || !ip_equal(&walk->packet.dst, &walk->path->guest) ||
        choice->route->ifindex == walk->bridge->ifindex)
        return FALSE;
    text = choice_text(walk->facts, choice);
    path_add(walk, PATH_ROUTE, PACKET_DROP, name, "its route does not lead to %s: %s", walk->bridge->name,
             text);
    return TRUE;
}

/* Of the gateway's name server it is known whether it is there; of other ports nothing is. */
static void to_a_socket(PathWalk *walk, const char *name)
{
    const Packet *packet = &walk->packet;
    const char *protocol = packet->protocol == IPPROTO_TCP ? "TCP" : "UDP";

    if (!walk->bridge || !facts_link_address(walk->facts, walk->bridge, &packet->dst) ||
        (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP) || packet->dport != PORT_DNS ||
        network_port_served(walk->facts, packet->protocol, PORT_DNS, &packet->dst, packet->in_index) !=
            TRI_NO)
        return;
    path_add(walk, PATH_ADDRESS, PACKET_REJECT, name, "nobody listens on its %s port %d", protocol, PORT_DNS);
}

/* One of the host's own chains for what it is asked itself. */
static void to_this_host(PathWalk *walk, const char *name, const RouteChoice *choice)
{
    g_autofree char *text = choice_text(walk->facts, choice);

    if (!source_is_valid(walk, NULL))
        return;
    path_add(walk, PATH_ROUTE, PACKET_ACCEPT, name, "this host's own: %s", text);
    path_hook(walk, "input");
    if (!walk->over)
        to_a_socket(walk, name);
}

/* By its device, and to the guest there, if it is a bridge of guests. */
static void go_out(PathWalk *walk)
{
    const Link *link = facts_link(walk->facts, walk->packet.out_index);

    path_hook(walk, "postrouting");
    path_leave(walk);
    if (!walk->over && link && link->is_bridge && facts_network_of_bridge(walk->facts, link->name))
        path_reach_guest(walk, link, NULL);
}

void path_route(PathWalk *walk)
{
    RouteChoice choice = route_choose(walk->facts, &walk->packet);
    g_autofree char *name = address_or_unknown(&walk->packet.dst);
    const Link *out;

    switch (choice.way) {
    case ROUTE_WAY_HERE:
        to_this_host(walk, name, &choice);
        return;
    case ROUTE_WAY_NONE:
        path_add(walk, PATH_ROUTE, PACKET_DROP, name, "there is no route to it");
        return;
    case ROUTE_WAY_REFUSED:
        way_refused(walk, name, &choice);
        return;
    case ROUTE_WAY_UNKNOWN: {
        g_autofree char *text = choice_text(walk->facts, &choice);

        path_add(walk, PATH_ROUTE, PACKET_UNKNOWN, name, "its route cannot be told%s%s", *text ? ": " : "",
                 text);
        return;
    }
    case ROUTE_WAY_OUT:
        break;
    }
    out = facts_link(walk->facts, choice.route->ifindex);
    if (leads_astray(walk, name, &choice) || !forwards(walk) ||
        !source_is_valid(walk, out ? out->name : NULL) || !way_out(walk, name, &choice))
        return;
    path_hook(walk, "forward");
    if (!walk->over)
        go_out(walk);
}

void path_send(PathWalk *walk)
{
    RouteChoice choice = route_choose(walk->facts, &walk->packet);
    g_autofree char *name = address_or_unknown(&walk->packet.dst);

    if (choice.way != ROUTE_WAY_OUT) {
        path_add(walk, PATH_ROUTE, choice.way == ROUTE_WAY_UNKNOWN ? PACKET_UNKNOWN : PACKET_DROP, name,
                 choice.way == ROUTE_WAY_UNKNOWN ? "its route cannot be told"
                                                 : "this host has no route to it");
        return;
    }
    if (leads_astray(walk, name, &choice) || !way_out(walk, name, &choice))
        return;
    path_hook(walk, "output");
    if (!walk->over)
        go_out(walk);
}

void path_turn(PathWalk *walk, PathLeg leg)
{
    Packet reply = packet_reply(&walk->packet);

    reply.out = NULL;
    reply.out_index = 0;
    reply.bridged = FALSE;
    reply.has_mac_to = FALSE;
    reply.mark = 0;
    reply.mark_unknown = 0;
    reply.snat = walk->translated;
    reply.dnat = walk->forwarded ? TRI_YES : TRI_NO;
    if (walk->packet.state == PACKET_UNTRACKED)
        reply.state = PACKET_UNTRACKED;
    walk->packet = reply;
    walk->leg = leg;
}
