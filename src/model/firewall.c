/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/firewall.h"

#include "model/firewall-rule.h"

#include <string.h>

/*
 * A question is a kind of packets (Traffic) and a verdict: is there a rule with that verdict that every such
 * packet matches, in a chain that it reaches from the hook by jumps that it matches too? Rules that stand
 * before it are not weighed: what they would drop is another question, and libvirt's own returns are for
 * other destinations.
 */

/* The kernel follows no longer chain of jumps (NFT_JUMP_STACK_SIZE). */
#define JUMPS_MAX 16

/* Packets; what is not set may be anything outside of the network. */
typedef struct {
    guint8 family;
    const char *bridge;
    const IpNet *src, *dst;
    const char *in, *out;
    gboolean replies; /* of connections that were begun from inside */
} Traffic;

/* ---------------------------------------------------------------------------------------- matching */

/* net NULL: any address outside of the network, and a rule that excepts some subnet means the network's own.
 */
static gboolean address_covers(const RuleAddress *address, const IpNet *net)
{
    if (!address->set)
        return TRUE;
    if (!net)
        return address->negated;
    if (address->negated)
        return !ipnet_overlaps(&address->net, net);
    return ipnet_covers(&address->net, net);
}

/* name NULL: the device towards the outside, which <forward dev=> may fix; never the bridge itself. */
static gboolean device_covers(const RuleDevice *device, const char *name, const char *bridge)
{
    if (name)
        return rule_device_is(device, name);
    return !device->name || !rule_device_is(device, bridge);
}

static gboolean view_covers(const RuleView *view, const Traffic *traffic)
{
    return view->exact && (traffic->replies || !view->replies) && address_covers(&view->src, traffic->src) &&
           address_covers(&view->dst, traffic->dst) &&
           device_covers(&view->in, traffic->in, traffic->bridge) &&
           device_covers(&view->out, traffic->out, traffic->bridge);
}

typedef struct {
    const FirewallTable *table;
    const Traffic *traffic;
    RuleVerdict verdict;
    GHashTable *visited; /* chains that were entered: a second look finds nothing new, and a loop ends */
} Walk;

static gboolean walk_chain(const Walk *walk, const FirewallChain *chain, guint jumps);

/* jumps: how many may still follow. */
static gboolean walk_rule(const Walk *walk, const FirewallRule *rule, guint jumps)
{
    const FirewallChain *next;
    RuleView view;

    firewall_rule_view(walk->table, rule, &view);
    if (!view_covers(&view, walk->traffic))
        return FALSE;
    if (view.verdict == walk->verdict)
        return TRUE;
    if (view.verdict != RULE_JUMP || jumps == 0)
        return FALSE;
    next = firewall_table_chain(walk->table, view.target);
    return next && walk_chain(walk, next, jumps - 1);
}

static gboolean walk_chain(const Walk *walk, const FirewallChain *chain, guint jumps)
{
    if (!g_hash_table_add(walk->visited, (gpointer)chain))
        return FALSE;
    for (guint i = 0; i < chain->rules->len; i++) {
        if (walk_rule(walk, chain->rules->pdata[i], jumps))
            return TRUE;
    }
    return FALSE;
}

static gboolean table_has(const FirewallTable *table, const char *hook, const Traffic *traffic,
                          RuleVerdict verdict)
{
    g_autoptr(GHashTable) visited = g_hash_table_new(NULL, NULL);
    const Walk walk = {.table = table, .traffic = traffic, .verdict = verdict, .visited = visited};

    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        if (g_strcmp0(chain->hook, hook) == 0 && walk_chain(&walk, chain, JUMPS_MAX))
            return TRUE;
    }
    return FALSE;
}

static gboolean table_is_of(const FirewallTable *table, guint8 family)
{
    return strcmp(table->family, "inet") == 0 || strcmp(table->family, family == 4 ? "ip" : "ip6") == 0;
}

static gboolean firewall_has(const Facts *facts, const char *hook, const Traffic *traffic,
                             RuleVerdict verdict)
{
    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];

        if (table_is_of(table, traffic->family) && table_has(table, hook, traffic, verdict))
            return TRUE;
    }
    return FALSE;
}

/* --------------------------------------------------------------------------------------- questions */

/* What is not found in facts that are old or partial may be there all the same. */
static Tri firewall_answer(const Facts *facts, gboolean found)
{
    if (found)
        return TRI_YES;
    return facts->sources[SOURCE_FIREWALL].state == SOURCE_STALE ? TRI_UNKNOWN : TRI_NO;
}

static gboolean ip_is_translated(const Network *network, const IpNet *net)
{
    return g_strcmp0(network->forward, "nat") == 0 && (net->ip.family == 4 || network->nat_ipv6);
}

Tri firewall_nat_present(const Facts *facts, const Network *network)
{
    gboolean found = TRUE;

    if (!facts_has(facts, SOURCE_FIREWALL))
        return TRI_UNKNOWN;
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        IpNet subnet = ipnet_network(&ip->net);
        Traffic out = {
            .family = subnet.ip.family, .bridge = network->bridge ? network->bridge : "", .src = &subnet};

        if (ip_is_translated(network, &subnet))
            found &= firewall_has(facts, "postrouting", &out, RULE_SNAT);
    }
    return firewall_answer(facts, found);
}

/* Out from the subnet, and back in: only replies where the outside cannot begin. */
static gboolean subnet_is_forwarded(const Facts *facts, const Network *network, const IpNet *subnet)
{
    Traffic out = {
        .family = subnet->ip.family, .bridge = network->bridge, .src = subnet, .in = network->bridge};
    Traffic in = {
        .family = subnet->ip.family, .bridge = network->bridge, .dst = subnet, .out = network->bridge};

    in.replies = ip_is_translated(network, subnet);
    return firewall_has(facts, "forward", &out, RULE_ACCEPT) &&
           firewall_has(facts, "forward", &in, RULE_ACCEPT);
}

static gboolean bridge_is_crossed(const Facts *facts, const Network *network)
{
    Traffic cross = {.family = 4, .bridge = network->bridge, .in = network->bridge, .out = network->bridge};

    return firewall_has(facts, "forward", &cross, RULE_ACCEPT);
}

Tri firewall_forward_present(const Facts *facts, const Network *network)
{
    gboolean found = TRUE;

    if (!facts_has(facts, SOURCE_FIREWALL) || !network->bridge)
        return TRI_UNKNOWN;
    if (g_strcmp0(network->forward, "isolated") == 0)
        return firewall_answer(facts, bridge_is_crossed(facts, network));
    if (g_strcmp0(network->forward, "nat") != 0 && g_strcmp0(network->forward, "route") != 0)
        return TRI_YES;
    for (guint i = 0; i < network->ips->len && found; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        IpNet subnet = ipnet_network(&ip->net);

        found = subnet_is_forwarded(facts, network, &subnet);
    }
    return firewall_answer(facts, found);
}

/* ----------------------------------------------------------------------------------------- backend */

/* The chains that libvirt makes in iptables' tables begin so; its own nftables table has this name. */
#define LIBVIRT_CHAIN "LIBVIRT_"
#define LIBVIRT_TABLE "libvirt_network"

typedef struct {
    gboolean chains, rules;
} Traces;

static void traces_of_table(const FirewallTable *table, Traces *iptables, Traces *nftables)
{
    gboolean own = table->shape == FIREWALL_NFT && strcmp(table->name, LIBVIRT_TABLE) == 0;
    Traces *traces = own ? nftables : iptables;

    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        /* The base chain's jumps stand there also without any network. */
        if (own ? chain->hook && strcmp(chain->hook, "forward") == 0
                : !g_str_has_prefix(chain->name, LIBVIRT_CHAIN))
            continue;
        traces->chains = TRUE;
        traces->rules |= chain->rules->len > 0;
    }
}

const char *firewall_backend(const Facts *facts)
{
    Traces iptables = {0};
    Traces nftables = {0};

    if (!facts_has(facts, SOURCE_FIREWALL))
        return NULL;
    for (guint i = 0; i < facts->firewall->len; i++)
        traces_of_table(facts->firewall->pdata[i], &iptables, &nftables);
    if (nftables.rules || (nftables.chains && !iptables.rules))
        return "nftables";
    return iptables.chains ? "iptables" : NULL;
}

/* ------------------------------------------------------------------------------------------- frame */

static gboolean chain_jumps_to(const FirewallTable *table, const FirewallChain *chain, const char *target)
{
    for (guint i = 0; i < chain->rules->len; i++) {
        RuleView view;

        firewall_rule_view(table, chain->rules->pdata[i], &view);
        if (view.exact && view.verdict == RULE_JUMP && g_strcmp0(view.target, target) == 0)
            return TRUE;
    }
    return FALSE;
}

/* target NULL: any chain at that hook that holds a rule. */
static gboolean hook_leads_to(const FirewallTable *table, const char *hook, const char *target)
{
    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        if (g_strcmp0(chain->hook, hook) != 0)
            continue;
        if (target ? firewall_table_chain(table, target) && chain_jumps_to(table, chain, target)
                   : chain->rules->len > 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean family_leads_to(const Facts *facts, const char *name, const char *hook, const char *target)
{
    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];

        if (table_is_of(table, 4) && strcmp(table->name, name) == 0 && hook_leads_to(table, hook, target))
            return TRUE;
    }
    return FALSE;
}

gboolean firewall_frame_stands(const Facts *facts)
{
    static const char *const forward[] = {"LIBVIRT_FWX", "LIBVIRT_FWI", "LIBVIRT_FWO"};
    gboolean iptables = family_leads_to(facts, "nat", "postrouting", "LIBVIRT_PRT");

    for (guint i = 0; i < G_N_ELEMENTS(forward); i++)
        iptables = iptables && family_leads_to(facts, "filter", "forward", forward[i]);
    return iptables || family_leads_to(facts, LIBVIRT_TABLE, "forward", NULL);
}
