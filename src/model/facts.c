/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"

#include <string.h>

static const char *const source_names[] = {
    [SOURCE_LIBVIRT] = "libvirt", [SOURCE_LINKS] = "links",         [SOURCE_NEIGHBOURS] = "neighbours",
    [SOURCE_LEASES] = "leases",   [SOURCE_FIREWALL] = "firewall",   [SOURCE_PROCESSES] = "processes",
    [SOURCE_AGENT] = "agent",     [SOURCE_FIREWALLD] = "firewalld", [SOURCE_CONNTRACK] = "conntrack",
};
G_STATIC_ASSERT(G_N_ELEMENTS(source_names) == SOURCE_COUNT);

const char *source_name(SourceId id)
{
    return source_names[id];
}

const char *source_state_name(SourceState state)
{
    switch (state) {
    case SOURCE_UNREAD:
        return "unread";
    case SOURCE_LIVE:
        return "live";
    case SOURCE_STALE:
        return "stale";
    case SOURCE_DOWN:
        return "down";
    case SOURCE_REPLAYED:
        return "replayed";
    case SOURCE_ABSENT:
        return "absent";
    }
    return "unread";
}

void source_status_set(SourceStatus *status, SourceState state, const char *error)
{
    char *copy = g_strdup(error);

    g_free(status->error);
    status->error = copy;
    status->state = state;
}

/* ----------------------------------------------------------------------------------------- domains */

static const char *const domain_states[] = {
    [DOMAIN_NOSTATE] = "no state", [DOMAIN_RUNNING] = "running",         [DOMAIN_BLOCKED] = "idle",
    [DOMAIN_PAUSED] = "paused",    [DOMAIN_SHUTDOWN] = "in shutdown",    [DOMAIN_SHUTOFF] = "shut off",
    [DOMAIN_CRASHED] = "crashed",  [DOMAIN_PMSUSPENDED] = "pmsuspended",
};
G_STATIC_ASSERT(G_N_ELEMENTS(domain_states) == DOMAIN_STATE_COUNT);

const char *domain_state_name(DomainState state)
{
    return (guint)state < DOMAIN_STATE_COUNT ? domain_states[state] : "no state";
}

DomainInterface *domain_interface_new(void)
{
    return g_new0(DomainInterface, 1);
}

void domain_interface_free(DomainInterface *iface)
{
    if (!iface)
        return;
    g_free(iface->alias);
    g_free(iface->type);
    g_free(iface->source);
    g_free(iface->network);
    g_free(iface->bridge);
    g_free(iface->portid);
    g_free(iface->model);
    g_free(iface->target);
    g_free(iface);
}

Domain *domain_new(void)
{
    Domain *domain = g_new0(Domain, 1);

    domain->id = -1;
    domain->interfaces = g_ptr_array_new_with_free_func((GDestroyNotify)domain_interface_free);
    domain->agent = g_array_new(FALSE, FALSE, sizeof(AgentAddress));
    return domain;
}

void domain_free(Domain *domain)
{
    if (!domain)
        return;
    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->xml_error);
    g_free(domain->xml);
    g_free(domain->xml_inactive);
    g_ptr_array_unref(domain->interfaces);
    g_array_unref(domain->agent);
    g_free(domain);
}

/* ------------------------------------------------------------------------------------------ leases */

Lease *lease_new(void)
{
    return g_new0(Lease, 1);
}

void lease_free(Lease *lease)
{
    if (!lease)
        return;
    g_free(lease->network);
    g_free(lease->network_uuid);
    g_free(lease->bridge);
    g_free(lease->hostname);
    g_free(lease->client_id);
    g_free(lease->iaid);
    g_free(lease);
}

gboolean lease_is_live(const Lease *lease, gint64 now)
{
    return lease->expiry == 0 || lease->expiry > now;
}

/* ------------------------------------------------------------------------------------------- links */

Link *link_new(void)
{
    Link *link = g_new0(Link, 1);

    link->carrier = -1;
    link->operstate = -1;
    return link;
}

void link_free(Link *link)
{
    if (!link)
        return;
    g_free(link->name);
    g_free(link->kind);
    g_free(link->alias);
    g_free(link);
}

static gboolean is_claim(const Neighbour *neighbour)
{
    return neighbour->has_mac &&
           !(neighbour->state & (NEIGHBOUR_FAILED | NEIGHBOUR_INCOMPLETE | NEIGHBOUR_PERMANENT));
}

gboolean neighbour_is_fresh(const Neighbour *neighbour)
{
    return is_claim(neighbour) &&
           ((neighbour->state & NEIGHBOUR_REACHABLE) || neighbour->confirmed < NEIGHBOUR_FRESH);
}

gboolean neighbour_is_asked(const Neighbour *neighbour)
{
    return is_claim(neighbour) && (neighbour->state & (NEIGHBOUR_DELAY | NEIGHBOUR_PROBE)) &&
           !neighbour_is_fresh(neighbour);
}

/* ---------------------------------------------------------------------------------------- firewall */

static void firewall_rule_free(FirewallRule *rule)
{
    g_strfreev(rule->argv);
    json_decref(rule->expr);
    g_free(rule->text);
    g_free(rule);
}

FirewallRule *firewall_rule_new(void)
{
    return g_new0(FirewallRule, 1);
}

static void firewall_chain_free(FirewallChain *chain)
{
    g_free(chain->name);
    g_free(chain->hook);
    g_strfreev(chain->devices);
    g_free(chain->type);
    g_free(chain->policy);
    g_ptr_array_unref(chain->rules);
    g_free(chain);
}

FirewallChain *firewall_chain_new(const char *name)
{
    FirewallChain *chain = g_new0(FirewallChain, 1);

    chain->name = g_strdup(name);
    chain->rules = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_rule_free);
    return chain;
}

FirewallTable *firewall_table_new(FirewallShape shape, const char *family, const char *name)
{
    FirewallTable *table = g_new0(FirewallTable, 1);

    table->shape = shape;
    table->family = g_strdup(family);
    table->name = g_strdup(name);
    table->chains = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_chain_free);
    return table;
}

void firewall_table_free(FirewallTable *table)
{
    if (!table)
        return;
    g_free(table->family);
    g_free(table->name);
    g_ptr_array_unref(table->chains);
    json_decref(table->sets);
    g_free(table);
}

FirewallChain *firewall_table_chain(const FirewallTable *table, const char *name)
{
    for (guint i = 0; i < table->chains->len; i++) {
        FirewallChain *chain = table->chains->pdata[i];

        if (strcmp(chain->name, name) == 0)
            return chain;
    }
    return NULL;
}

FirewallText *firewall_text_new(const char *program, const char *text)
{
    FirewallText *kept = g_new0(FirewallText, 1);

    kept->program = g_strdup(program);
    kept->text = g_strdup(text);
    return kept;
}

void firewall_text_free(FirewallText *text)
{
    g_free(text->program);
    g_free(text->text);
    g_free(text);
}

/* --------------------------------------------------------------------------------------- processes */

Dnsmasq *dnsmasq_new(void)
{
    Dnsmasq *dnsmasq = g_new0(Dnsmasq, 1);

    dnsmasq->owner = -1;
    return dnsmasq;
}

void dnsmasq_free(Dnsmasq *dnsmasq)
{
    if (!dnsmasq)
        return;
    g_free(dnsmasq->network);
    g_free(dnsmasq->config);
    g_free(dnsmasq->user);
    g_strfreev(dnsmasq->argv);
    g_free(dnsmasq->options);
    g_free(dnsmasq);
}

void socket_free(Socket *socket)
{
    if (!socket)
        return;
    g_free(socket->program);
    g_free(socket);
}

ProcValue *proc_value_new(const char *path, const char *value)
{
    ProcValue *entry = g_new0(ProcValue, 1);

    entry->path = g_strdup(path);
    entry->value = g_strdup(value);
    return entry;
}

void proc_value_free(ProcValue *value)
{
    g_free(value->path);
    g_free(value->value);
    g_free(value);
}

FirewalldZone *firewalld_zone_new(const char *interface, const char *zone)
{
    FirewalldZone *record = g_new0(FirewalldZone, 1);

    record->interface = g_strdup(interface);
    record->zone = g_strdup(zone);
    return record;
}

void firewalld_zone_free(FirewalldZone *zone)
{
    g_free(zone->interface);
    g_free(zone->zone);
    g_free(zone);
}

RouteRule *route_rule_new(void)
{
    RouteRule *rule = g_new0(RouteRule, 1);

    rule->suppress_prefix = -1;
    return rule;
}

void route_rule_free(RouteRule *rule)
{
    if (!rule)
        return;
    g_free(rule->iif);
    g_free(rule->oif);
    g_free(rule);
}

/* ------------------------------------------------------------------------------------------- facts */

Facts *facts_new(void)
{
    Facts *facts = g_new0(Facts, 1);

    facts->networks = g_ptr_array_new_with_free_func((GDestroyNotify)network_free);
    facts->domains = g_ptr_array_new_with_free_func((GDestroyNotify)domain_free);
    facts->leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    facts->links = g_ptr_array_new_with_free_func((GDestroyNotify)link_free);
    facts->addresses = g_array_new(FALSE, FALSE, sizeof(LinkAddress));
    facts->neighbours = g_array_new(FALSE, FALSE, sizeof(Neighbour));
    facts->fdb = g_array_new(FALSE, FALSE, sizeof(FdbEntry));
    facts->routes = g_array_new(FALSE, FALSE, sizeof(Route));
    facts->route_rules = g_ptr_array_new_with_free_func((GDestroyNotify)route_rule_free);
    facts->firewall = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_table_free);
    facts->dnsmasqs = g_ptr_array_new_with_free_func((GDestroyNotify)dnsmasq_free);
    facts->sockets = g_ptr_array_new_with_free_func((GDestroyNotify)socket_free);
    facts->firewall_texts = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_text_free);
    facts->proc = g_ptr_array_new_with_free_func((GDestroyNotify)proc_value_free);
    facts->zones = g_ptr_array_new_with_free_func((GDestroyNotify)firewalld_zone_free);
    facts->flows = g_array_new(FALSE, FALSE, sizeof(Flow));
    return facts;
}

void facts_free(Facts *facts)
{
    if (!facts)
        return;
    g_free(facts->host);
    g_free(facts->uri);
    for (guint i = 0; i < SOURCE_COUNT; i++)
        g_free(facts->sources[i].error);
    g_ptr_array_unref(facts->networks);
    g_ptr_array_unref(facts->domains);
    g_ptr_array_unref(facts->leases);
    g_ptr_array_unref(facts->links);
    g_array_unref(facts->addresses);
    g_array_unref(facts->neighbours);
    g_array_unref(facts->fdb);
    g_array_unref(facts->routes);
    g_ptr_array_unref(facts->route_rules);
    g_ptr_array_unref(facts->firewall);
    g_ptr_array_unref(facts->dnsmasqs);
    g_ptr_array_unref(facts->sockets);
    g_ptr_array_unref(facts->firewall_texts);
    g_ptr_array_unref(facts->proc);
    g_ptr_array_unref(facts->zones);
    g_array_unref(facts->flows);
    g_free(facts);
}

/* Takes first. */
static char *unread_text(char *first, guint others)
{
    g_autofree char *own = first;

    return own && others > 0 ? g_strdup_printf("%s (and %u more)", own, others) : g_steal_pointer(&own);
}

char *networks_unread(const GPtrArray *networks)
{
    char *first = NULL;
    guint others = 0;

    for (guint i = 0; i < networks->len; i++) {
        const Network *network = networks->pdata[i];

        if (network->xml_read)
            continue;
        others += first != NULL;
        if (!first)
            first = g_strdup_printf("network '%s': %s", network->name, network->xml_error);
    }
    return unread_text(first, others);
}

char *domains_unread(const GPtrArray *domains)
{
    char *first = NULL;
    guint others = 0;

    for (guint i = 0; i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        if (domain->xml_read)
            continue;
        others += first != NULL;
        if (!first)
            first = g_strdup_printf("domain '%s': %s", domain->name, domain->xml_error);
    }
    return unread_text(first, others);
}

gboolean domains_are_complete(const GPtrArray *domains)
{
    for (guint i = 0; i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        if (!domain->xml_read && domain->id >= 0)
            return FALSE;
    }
    return TRUE;
}

gboolean facts_has(const Facts *facts, SourceId id)
{
    switch (facts->sources[id].state) {
    case SOURCE_LIVE:
    case SOURCE_STALE:
    case SOURCE_REPLAYED:
        return TRUE;
    case SOURCE_UNREAD:
    case SOURCE_DOWN:
    case SOURCE_ABSENT:
        return FALSE;
    }
    return FALSE;
}

Network *facts_network(const Facts *facts, const char *name_or_uuid)
{
    for (guint i = 0; name_or_uuid && i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        if (g_strcmp0(network->name, name_or_uuid) == 0 ||
            (network->uuid && g_ascii_strcasecmp(network->uuid, name_or_uuid) == 0))
            return network;
    }
    return NULL;
}

Network *facts_network_of_bridge(const Facts *facts, const char *bridge)
{
    Network *found = NULL;

    for (guint i = 0; bridge && i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        if (network_owns_bridge(network) && g_strcmp0(network->bridge, bridge) == 0 &&
            network_outranks(network, found))
            found = network;
    }
    return found;
}

static gint compare_links(gconstpointer a, gconstpointer b)
{
    guint left = (*(Link *const *)a)->ifindex;
    guint right = (*(Link *const *)b)->ifindex;

    return left < right ? -1 : left > right;
}

void facts_sort_links(Facts *facts)
{
    g_ptr_array_sort(facts->links, compare_links);
}

Link *facts_link(const Facts *facts, guint ifindex)
{
    guint low = 0;
    guint high = facts->links->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        Link *link = facts->links->pdata[middle];

        if (link->ifindex == ifindex)
            return link;
        if (link->ifindex < ifindex)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const LinkAddress *facts_link_address(const Facts *facts, const Link *link, const Ip *ip)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(facts->addresses, LinkAddress, i);

        if (address->ifindex == link->ifindex && ip_equal(&address->net.ip, ip))
            return address;
    }
    return NULL;
}

gboolean facts_link_has(const Facts *facts, const Link *link, const IpNet *net)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(facts->addresses, LinkAddress, i);

        if (address->ifindex == link->ifindex && address->net.prefix == net->prefix &&
            ip_equal(&address->net.ip, &net->ip))
            return TRUE;
    }
    return FALSE;
}

Link *facts_link_named(const Facts *facts, const char *name)
{
    for (guint i = 0; name && i < facts->links->len; i++) {
        Link *link = facts->links->pdata[i];

        if (g_strcmp0(link->name, name) == 0)
            return link;
    }
    return NULL;
}

const char *facts_proc(const Facts *facts, const char *path)
{
    for (guint i = 0; i < facts->proc->len; i++) {
        const ProcValue *value = facts->proc->pdata[i];

        if (strcmp(value->path, path) == 0)
            return value->value;
    }
    return NULL;
}

const char *facts_zone(const Facts *facts, const char *interface)
{
    for (guint i = 0; i < facts->zones->len; i++) {
        const FirewalldZone *record = facts->zones->pdata[i];

        if (g_strcmp0(record->interface, interface) == 0)
            return record->zone;
    }
    return NULL;
}
