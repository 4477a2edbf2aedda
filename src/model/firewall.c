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
    gboolean replies;    /* of connections that were begun from inside */
    gboolean any_device; /* by whatever device, but only rules about the addresses: for what stands instead */
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
           (traffic->any_device || (device_covers(&view->in, traffic->in, traffic->bridge) &&
                                    device_covers(&view->out, traffic->out, traffic->bridge)));
}

/* Without its device a rule is this traffic's only if it names the address. */
static gboolean view_decides(const RuleView *view, const Traffic *traffic)
{
    return !traffic->any_device || (traffic->src && view->src.set) || (traffic->dst && view->dst.set);
}

typedef struct {
    const FirewallTable *table;
    const Traffic *traffic;
    RuleVerdict verdict;
    GHashTable *visited; /* chains that were entered: a second look finds nothing new, and a loop ends */
    GString *found;      /* gets where it was found, for people; NULL: that it was is enough */
} Walk;

static gboolean walk_chain(const Walk *walk, const FirewallChain *chain, guint jumps);

/* jumps: how many may still follow. */
static gboolean walk_rule(const Walk *walk, const FirewallChain *chain, const FirewallRule *rule, guint jumps)
{
    const FirewallChain *next;
    RuleView view;

    firewall_rule_view(walk->table, rule, &view);
    if (!view_covers(&view, walk->traffic))
        return FALSE;
    if (view.verdict == walk->verdict && view_decides(&view, walk->traffic)) {
        if (walk->found)
            g_string_append_printf(walk->found, "table %s %s, chain %s: %s", walk->table->family,
                                   walk->table->name, chain->name, rule->text);
        return TRUE;
    }
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
        if (walk_rule(walk, chain, chain->rules->pdata[i], jumps))
            return TRUE;
    }
    return FALSE;
}

static gboolean table_has(const FirewallTable *table, const char *hook, const Traffic *traffic,
                          RuleVerdict verdict, GString *found)
{
    g_autoptr(GHashTable) visited = g_hash_table_new(NULL, NULL);
    const Walk walk = {
        .table = table, .traffic = traffic, .verdict = verdict, .visited = visited, .found = found};

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
                             RuleVerdict verdict, GString *found)
{
    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];

        if (table_is_of(table, traffic->family) && table_has(table, hook, traffic, verdict, found))
            return TRUE;
    }
    return FALSE;
}

/* ------------------------------------------------------------------------------- what is missing, in words
 */

/* "accept packets from 192.168.122.0/24 that come in by virbr0". New string. */
static char *traffic_text(const Traffic *traffic, RuleVerdict verdict)
{
    GString *text = g_string_new(verdict == RULE_SNAT ? "masquerade packets" : "accept ");
    g_autofree char *src = traffic->src ? ipnet_to_string(traffic->src) : NULL;
    g_autofree char *dst = traffic->dst ? ipnet_to_string(traffic->dst) : NULL;

    if (verdict != RULE_SNAT)
        g_string_append(text, traffic->replies ? "replies" : "packets");
    if (src)
        g_string_append_printf(text, " from %s", src);
    if (dst)
        g_string_append_printf(text, " to %s", dst);
    if (traffic->in)
        g_string_append_printf(text, " that come in by %s", traffic->in);
    if (traffic->out)
        g_string_append_printf(text, "%s go out by %s", traffic->in ? " and" : " that", traffic->out);
    return g_string_free(text, FALSE);
}

/* The tables of that family in which the hook leads to any rule: "ip filter, inet own". New string. */
static char *tables_at(const Facts *facts, const char *hook, guint8 family)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];
        gboolean rules = FALSE;

        for (guint j = 0; j < table->chains->len && table_is_of(table, family); j++) {
            const FirewallChain *chain = table->chains->pdata[j];

            rules |= g_strcmp0(chain->hook, hook) == 0 && chain->rules->len > 0;
        }
        if (rules)
            g_string_append_printf(names, "%s%s %s", names->len > 0 ? ", " : "", table->family, table->name);
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

/* Takes the text. Two subnets may lack one rule. */
static void add_once(GPtrArray *texts, char *text)
{
    if (g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
        g_free(text);
    else
        g_ptr_array_add(texts, text);
}

static void add_missing(GPtrArray *missing, const Facts *facts, const char *hook, const Traffic *traffic,
                        RuleVerdict verdict)
{
    g_autofree char *what = traffic_text(traffic, verdict);
    g_autofree char *tables = tables_at(facts, hook, traffic->family);
    g_autoptr(GString) instead = g_string_new(NULL);
    Traffic elsewhere = *traffic;

    add_once(missing, g_strdup_printf("no rule to %s, at hook %s of %s", what, hook,
                                      *tables ? tables : "any table: none has rules there"));
    elsewhere.any_device = TRUE;
    if (firewall_has(facts, hook, &elsewhere, verdict, instead))
        add_once(missing, g_strdup_printf("for another device: %s", instead->str));
}

/* --------------------------------------------------------------------------------------- questions */

/* What is not found in facts that are old or partial may be there all the same. */
static Tri firewall_answer(const Facts *facts, gboolean found)
{
    if (found)
        return TRI_YES;
    return facts->sources[SOURCE_FIREWALL].state == SOURCE_STALE ? TRI_UNKNOWN : TRI_NO;
}

/* missing may be NULL. */
static gboolean asked(const Facts *facts, const char *hook, const Traffic *traffic, RuleVerdict verdict,
                      GPtrArray *missing)
{
    const gboolean found = firewall_has(facts, hook, traffic, verdict, NULL);

    if (!found && missing)
        add_missing(missing, facts, hook, traffic, verdict);
    return found;
}

static gboolean ip_is_translated(const Network *network, const IpNet *net)
{
    return g_strcmp0(network->forward, "nat") == 0 && (net->ip.family == 4 || network->nat_ipv6);
}

Tri firewall_nat_present(const Facts *facts, const Network *network, GPtrArray *missing)
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
            found &= asked(facts, "postrouting", &out, RULE_SNAT, missing);
    }
    return firewall_answer(facts, found);
}

/* Out from the subnet, and back in: only replies where the outside cannot begin. */
static gboolean subnet_is_forwarded(const Facts *facts, const Network *network, const IpNet *subnet,
                                    GPtrArray *missing)
{
    Traffic out = {
        .family = subnet->ip.family, .bridge = network->bridge, .src = subnet, .in = network->bridge};
    Traffic in = {
        .family = subnet->ip.family, .bridge = network->bridge, .dst = subnet, .out = network->bridge};
    gboolean found;

    in.replies = ip_is_translated(network, subnet);
    found = asked(facts, "forward", &out, RULE_ACCEPT, missing);
    return asked(facts, "forward", &in, RULE_ACCEPT, missing) && found;
}

/* From guest to guest, where the kernel asks for what a bridge forwards too. */
static gboolean bridge_is_crossed(const Facts *facts, const Network *network, guint8 family,
                                  GPtrArray *missing)
{
    Traffic cross = {
        .family = family, .bridge = network->bridge, .in = network->bridge, .out = network->bridge};

    return asked(facts, "forward", &cross, RULE_ACCEPT, missing);
}

Tri firewall_forward_present(const Facts *facts, const Network *network, GPtrArray *missing)
{
    gboolean found = TRUE;

    if (!facts_has(facts, SOURCE_FIREWALL) || !network->bridge)
        return TRI_UNKNOWN;
    if (g_strcmp0(network->forward, "isolated") == 0)
        return firewall_answer(facts, bridge_is_crossed(facts, network, 4, missing));
    if (g_strcmp0(network->forward, "nat") != 0 && g_strcmp0(network->forward, "route") != 0)
        return TRI_YES;
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        IpNet subnet = ipnet_network(&ip->net);

        found &= subnet_is_forwarded(facts, network, &subnet, missing);
        found &= bridge_is_crossed(facts, network, subnet.ip.family, missing);
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
