/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"
#include "model/trace.h"

#include <string.h>

/*
 * The kernel keeps the base chains of a hook in one list, by priority; of equal ones it puts the younger
 * first (nf_hook_entries_grow). How old a chain is we know only from the order in which tables are listed,
 * and of chains in one table.
 */

/*
 * Elements of sets and rules (eight times an element) that are looked at for one packet, all together: what a
 * host with a few hundred thousand of either has, and less than a second.
 */
#define BUDGET 2000000

const char *packet_verdict_name(PacketVerdict verdict)
{
    switch (verdict) {
    case PACKET_ACCEPT:
        return "accept";
    case PACKET_DROP:
        return "drop";
    case PACKET_REJECT:
        return "reject";
    case PACKET_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

/* ---------------------------------------------------------------------------------- address types */

static gboolean is_own_type(guint8 type)
{
    return type == ROUTE_LOCAL || type == ROUTE_BROADCAST || type == ROUTE_MULTICAST;
}

/* The most special of the routes that the kernel made for this host's own addresses. */
static const Route *own_route(const Facts *facts, const Ip *ip)
{
    const Route *found = NULL;

    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (is_own_type(route->type) && ipnet_contains(&route->dst, ip) &&
            (!found || route->dst.prefix > found->dst.prefix))
            found = route;
    }
    return found;
}

/* Whether some route leads there; of IPv6 an address without one is of no type that is told here. */
static gboolean is_routed(const Facts *facts, const Ip *ip)
{
    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (route->type == ROUTE_UNICAST && ipnet_contains(&route->dst, ip))
            return TRUE;
    }
    return FALSE;
}

gint packet_address_type(const Facts *facts, const Ip *ip, guint device)
{
    gboolean zero = ip->family == 4 && ip->bytes[0] == 0;
    gboolean ones = ip->family == 4 && (ip->bytes[0] & ip->bytes[1] & ip->bytes[2] & ip->bytes[3]) == 0xff;
    const Route *route;

    if (ip->family == 0)
        return -1;
    if (zero || ones)
        return ROUTE_BROADCAST;
    if (ip_is_multicast(ip))
        return ROUTE_MULTICAST;
    if (facts->routes->len == 0)
        return -1;
    route = own_route(facts, ip);
    if (route && (device == 0 || route->ifindex == device))
        return route->type;
    return ip->family == 4 || is_routed(facts, ip) ? ROUTE_UNICAST : -1;
}

/* --------------------------------------------------------------------------------------- base chains */

typedef struct {
    const FirewallTable *table;
    const FirewallChain *chain;
    guint age; /* the higher the younger */
    Match at;  /* whether it is at the packet's device */
} Hooked;

static gboolean table_sees(const FirewallTable *table, const Packet *packet)
{
    gboolean inet = strcmp(table->family, "inet") == 0 && !packet->arp;

    switch (packet->place) {
    case PACKET_AT_IP:
        return inet || strcmp(table->family, packet->family == 4 ? "ip" : "ip6") == 0;
    case PACKET_AT_ARP:
        return strcmp(table->family, "arp") == 0;
    case PACKET_AT_BRIDGE:
        return strcmp(table->family, "bridge") == 0;
    case PACKET_AT_DEVICE:
        return inet || strcmp(table->family, "netdev") == 0;
    }
    return FALSE;
}

/*
 * Whether a chain of ingress or egress is at the packet's device. nft 1.0.6 does not say in JSON where it is;
 * newer ones know names with an asterisk.
 */
static Match chain_is_at(const FirewallChain *chain, const char *hook, const Packet *packet)
{
    const char *device = strcmp(hook, "ingress") == 0 ? packet->in : packet->out;

    if (packet->place != PACKET_AT_DEVICE)
        return MATCH_YES;
    if (!chain->devices)
        return MATCH_MAYBE;
    for (guint i = 0; chain->devices[i]; i++) {
        if (packet_device_is(device, chain->devices[i], '*') == MATCH_YES)
            return MATCH_YES;
    }
    return MATCH_NO;
}

/* Where the kernel translates: NF_IP_PRI_NAT_DST, and NF_IP_PRI_NAT_SRC (netfilter_ipv4.h). */
static gint nat_priority(const char *hook)
{
    return strcmp(hook, "prerouting") == 0 || strcmp(hook, "output") == 0 ? -100 : 100;
}

static gboolean chain_is_of(const FirewallChain *chain, PacketPart part)
{
    gboolean nat = g_strcmp0(chain->type, "nat") == 0;

    switch (part) {
    case PACKET_BEFORE_NAT:
        return !nat && chain->priority < nat_priority(chain->hook);
    case PACKET_NAT:
        return nat;
    case PACKET_BEHIND_NAT:
        return !nat && chain->priority >= nat_priority(chain->hook);
    case PACKET_WHOLE:
        return TRUE;
    }
    return TRUE;
}

/* Only the first packet of a connection comes to chains that translate. */
static gboolean chain_sees(const FirewallChain *chain, const char *hook, const Packet *packet,
                           PacketPart part)
{
    if (g_strcmp0(chain->hook, hook) != 0 || !chain_is_of(chain, part))
        return FALSE;
    return g_strcmp0(chain->type, "nat") != 0 || packet->state == PACKET_NEW ||
           packet->state == PACKET_RELATED;
}

static gint compare_hooked(gconstpointer a, gconstpointer b)
{
    const Hooked *left = a;
    const Hooked *right = b;

    if (left->chain->priority != right->chain->priority)
        return left->chain->priority < right->chain->priority ? -1 : 1;
    return left->age > right->age ? -1 : left->age < right->age;
}

/* Our own table of a trace means one packet of ours; one that was left behind means none. */
static GArray *hooked_chains(const Facts *facts, const char *hook, const Packet *packet, PacketPart part)
{
    GArray *hooked = g_array_new(FALSE, FALSE, sizeof(Hooked));

    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];

        for (guint j = 0; table_sees(table, packet) && j < table->chains->len; j++) {
            Hooked entry = {.table = table, .chain = table->chains->pdata[j], .age = hooked->len};

            if (table->dormant == 1 || strcmp(table->name, TRACE_TABLE) == 0 ||
                !chain_sees(entry.chain, hook, packet, part))
                continue;
            entry.at = chain_is_at(entry.chain, hook, packet);
            if (entry.at != MATCH_NO)
                g_array_append_val(hooked, entry);
        }
    }
    g_array_sort(hooked, compare_hooked);
    return hooked;
}

/* ------------------------------------------------------------------------------------------- the walk */

static PacketVerdict verdict_of(guint may)
{
    switch (may) {
    case MAY_ACCEPT:
        return PACKET_ACCEPT;
    case MAY_DROP:
        return PACKET_DROP;
    case MAY_REJECT:
        return PACKET_REJECT;
    default:
        return PACKET_UNKNOWN;
    }
}

/* The rules of this base chain that could not be evaluated, and without which its verdict were certain. */
static void take_doubts(const Walk *walk, const Outcome *outcome, PacketResult *result)
{
    for (guint i = 0; i < walk->doubts->len; i++) {
        Doubt *doubt = &g_array_index(walk->doubts, Doubt, i);

        doubt->step.owner = packet_owner(&doubt->step);
        if (verdict_of(outcome->may) == PACKET_UNKNOWN)
            g_array_append_val(result->doubts, doubt->step);
    }
}

/* One base chain. Returns what may become of the packet there. */
static guint walk_hooked(Walk *walk, const Hooked *hooked, PacketResult *result)
{
    PacketStep step = {.table = hooked->table, .base = hooked->chain};
    Outcome outcome;

    walk->table = hooked->table;
    walk->base = hooked->chain;
    g_array_set_size(walk->doubts, 0);
    outcome = walk_base(walk, hooked->chain);
    if (hooked->table->dormant != 0 && outcome.may != MAY_ACCEPT) {
        outcome.may |= MAY_ACCEPT;
        result->why = "whether a table is dormant could not be read";
    }
    if (hooked->at != MATCH_YES && outcome.may != MAY_ACCEPT) {
        outcome.may |= MAY_ACCEPT;
        result->why = "at which device a chain is could not be read";
    }
    step.verdict = verdict_of(outcome.may);
    step.unsure = step.verdict != PACKET_UNKNOWN && walk->doubts->len > 0;
    step.chain = outcome.chain ? outcome.chain : hooked->chain;
    step.rule = outcome.rule;
    step.owner = packet_owner(&step);
    g_array_append_val(result->steps, step);
    take_doubts(walk, &outcome, result);
    return outcome.may;
}

static void walk_hook(Walk *walk, const GArray *hooked, PacketResult *result)
{
    guint may = 0;
    gboolean goes_on = TRUE;

    for (guint i = 0; i < hooked->len && goes_on; i++) {
        guint here = walk_hooked(walk, &g_array_index(hooked, Hooked, i), result);

        may |= here & ~(guint)MAY_ACCEPT;
        goes_on = (here & MAY_ACCEPT) != 0;
    }
    if (goes_on)
        may |= MAY_ACCEPT;
    if (walk->facts->sources[SOURCE_FIREWALL].state == SOURCE_STALE && (may & MAY_ACCEPT)) {
        may |= MAY_DROP;
        result->why = "the rules could not be read in full";
    }
    if (walk->budget < 0) {
        may = MAY_END;
        result->why = "there are too many rules and elements of sets";
        g_array_set_size(result->doubts, 0);
    }
    result->verdict = verdict_of(may);
    result->blocked = !(may & MAY_ACCEPT) ? TRI_YES : may == MAY_ACCEPT ? TRI_NO : TRI_UNKNOWN;
    if (result->verdict != PACKET_UNKNOWN) {
        result->why = NULL;
        g_array_set_size(result->doubts, 0);
    }
}

static PacketResult *result_new(const Packet *packet)
{
    PacketResult *result = g_new0(PacketResult, 1);

    result->verdict = PACKET_UNKNOWN;
    result->blocked = TRI_UNKNOWN;
    result->steps = g_array_new(FALSE, FALSE, sizeof(PacketStep));
    result->doubts = g_array_new(FALSE, FALSE, sizeof(PacketStep));
    result->mark = packet->mark;
    result->mark_unknown = packet->mark_unknown;
    result->state = packet->state;
    return result;
}

PacketResult *packet_evaluate_part(const Facts *facts, const char *hook, const Packet *packet,
                                   PacketPart part)
{
    PacketResult *result = result_new(packet);
    g_autoptr(GHashTable) touched = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) doubts = g_array_new(FALSE, FALSE, sizeof(Doubt));
    g_autoptr(GArray) hooked = NULL;
    Walk walk = {
        .facts = facts,
        .packet = packet,
        .hook = hook,
        .now = {.mark = packet->mark,
                .mark_known = ~packet->mark_unknown,
                .ct_mark_known = packet->state == PACKET_NEW ? G_MAXUINT32 : 0,
                .state = packet->state},
        .touched = touched,
        .doubts = doubts,
        .budget = BUDGET,
    };

    if (!facts_has(facts, SOURCE_FIREWALL)) {
        result->why = "the rules were not read";
        return result;
    }
    hooked = hooked_chains(facts, hook, packet, part);
    walk_hook(&walk, hooked, result);
    result->mark = walk.now.mark;
    result->mark_unknown = ~walk.now.mark_known;
    result->state = walk.now.state;
    return result;
}

PacketResult *packet_evaluate(const Facts *facts, const char *hook, const Packet *packet)
{
    return packet_evaluate_part(facts, hook, packet, PACKET_WHOLE);
}

void packet_result_free(PacketResult *result)
{
    if (!result)
        return;
    g_array_unref(result->steps);
    g_array_unref(result->doubts);
    g_free(result);
}

/* --------------------------------------------------------------------------------------------- telling */

const PacketStep *packet_cause(const PacketResult *result)
{
    const PacketStep *last;

    if (result->doubts->len > 0)
        return &g_array_index(result->doubts, PacketStep, 0);
    if (result->steps->len == 0)
        return NULL;
    last = &g_array_index(result->steps, PacketStep, result->steps->len - 1);
    return last->verdict == PACKET_DROP || last->verdict == PACKET_REJECT || result->blocked == TRI_YES
               ? last
               : NULL;
}

char *packet_step_text(const PacketStep *step)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "table %s %s, chain %s: ", step->table->family, step->table->name,
                           step->chain->name);
    if (step->rule)
        g_string_append(text, step->rule->text);
    else
        g_string_append_printf(text, "policy %s", step->chain->policy ? step->chain->policy : "accept");
    if (step->table->shape == FIREWALL_IPTABLES_LEGACY)
        g_string_append(text, " (legacy)");
    if (step->owner)
        g_string_append_printf(text, " (%s)", step->owner);
    return g_string_free(text, FALSE);
}
