/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

#include <string.h>

/*
 * From what is dirty to changes. A component is a dirty record with all that hangs together with it over
 * hubs: no row and no finding of it depends on a record outside, but for the bridges and networks it is on,
 * which are looked up as context. So the join of the component and its context makes the rows that the join
 * of everything would make of these records; rows of the context (they lack what hangs together with them)
 * are thrown away. Several components are joined at once where there are many: a union of components is one.
 *
 * A port and what was learned on it hang together only where a rule can look at it: where a domain claims the
 * port, or its master is a network's bridge. Else the uplink of a bridge would make one component of a LAN.
 */

#define TOGETHER 64 /* records joined at once, unless one component has more */

typedef struct {
    GPtrArray *nodes;   /* Node: the component */
    GPtrArray *context; /* Node */
    GPtrArray *copies;  /* Domain without their doubtful claims */
    GPtrArray *doubted; /* DomainNode, of each copy */
} Component;

/* ----------------------------------------------------------------------------------------- closure */

static gboolean hub_has(const Hub *hub, NodeKind kind)
{
    for (guint i = 0; hub && i < hub->len; i++) {
        if (hub->edges[i]->node->kind == kind)
            return TRUE;
    }
    return FALSE;
}

/* Whether what is learned on it can matter to a row. */
static gboolean link_matters(LiveMap *live, const Link *link)
{
    const LinkNode *master = link->master ? node_link(live, link->master) : NULL;

    return hub_has(hub_find(live, key_text(live, HUB_NAME, link->name)), NODE_DOMAIN) ||
           (master && hub_find(live, key_text(live, HUB_BRIDGE, master->link->name)));
}

static void component_add(LiveMap *live, Component *component, Node *node)
{
    if (node->mark == live->mark)
        return;
    node->mark = live->mark;
    g_ptr_array_add(component->nodes, node);
}

static void component_add_hub(LiveMap *live, Component *component, Hub *hub)
{
    if (!hub || hub->mark == live->mark)
        return;
    hub->mark = live->mark;
    for (guint i = 0; i < hub->len; i++)
        component_add(live, component, hub->edges[i]->node);
}

static void component_grow(LiveMap *live, Component *component, Node *node)
{
    LinkNode *port;

    for (guint i = 0; i < node->edge_count; i++) {
        if (hub_propagates(node->edges[i].hub))
            component_add_hub(live, component, node->edges[i].hub);
    }
    if (node->kind == NODE_LINK) {
        const Link *link = ((LinkNode *)node)->link;

        if (link_matters(live, link))
            component_add_hub(live, component, hub_find(live, key_index(live, HUB_PORT, link->ifindex)));
    }
    if (node->kind == NODE_FDB) {
        port = node_link(live, ((FdbNode *)node)->entry.ifindex);
        if (port && link_matters(live, port->link))
            component_add(live, component, &port->node);
    }
}

/* ----------------------------------------------------------------------------------------- context */

static void context_add(LiveMap *live, Component *component, Node *node)
{
    if (!node || node->mark == live->mark || node->context == live->mark)
        return;
    node->context = live->mark;
    g_ptr_array_add(component->context, node);
}

static void context_add_hub(LiveMap *live, Component *component, const Hub *hub, NodeKind kind)
{
    for (guint i = 0; hub && i < hub->len; i++) {
        if (hub->edges[i]->node->kind == kind)
            context_add(live, component, hub->edges[i]->node);
    }
}

/* The networks that name a bridge, and the devices of that name. */
static void context_bridge(LiveMap *live, Component *component, const char *bridge)
{
    if (!bridge)
        return;
    context_add_hub(live, component, hub_find(live, key_text(live, HUB_BRIDGE, bridge)), NODE_NETWORK);
    context_add_hub(live, component, hub_find(live, key_text(live, HUB_NAME, bridge)), NODE_LINK);
}

static void context_link(LiveMap *live, Component *component, guint ifindex)
{
    LinkNode *link = ifindex ? node_link(live, ifindex) : NULL;

    if (!link)
        return;
    context_add(live, component, &link->node);
    context_bridge(live, component, link->link->name);
}

/* By name as the join looks it up, and by UUID as facts_network does. */
static void context_network(LiveMap *live, Component *component, const char *name)
{
    g_autofree char *uuid = name ? g_ascii_strdown(name, -1) : NULL;

    if (!name)
        return;
    context_add_hub(live, component, hub_find(live, key_text(live, HUB_NETWORK, name)), NODE_NETWORK);
    context_add(live, component, node_find(live, NODE_NETWORK, uuid));
}

static void context_of(LiveMap *live, Component *component, const Node *node)
{
    const Domain *domain;

    switch (node->kind) {
    case NODE_DOMAIN:
        domain = ((const DomainNode *)node)->domain;
        for (guint i = 0; i < domain->interfaces->len; i++) {
            const DomainInterface *iface = domain->interfaces->pdata[i];

            context_network(live, component, iface->network);
            context_bridge(live, component, iface->bridge);
        }
        break;
    case NODE_LINK:
        context_link(live, component, ((const LinkNode *)node)->link->master);
        break;
    case NODE_NEIGHBOUR:
        context_link(live, component, ((const NeighbourNode *)node)->neighbour.ifindex);
        break;
    case NODE_LEASE:
        context_add(live, component, node_find(live, NODE_NETWORK, ((const LeaseNode *)node)->network_uuid));
        context_network(live, component, ((const LeaseNode *)node)->lease->network);
        break;
    case NODE_NETWORK:
    case NODE_ADDRESS:
    case NODE_FDB:
    case NODE_KINDS:
        break;
    }
}

/* -------------------------------------------------------------------------------- doubtful claims */

/*
 * A domain whose word about a name is older than what the name stands for: in the join its interface has no
 * tap, so that it is no link's; the row gets the name back.
 */
static Domain *domain_without_doubtful(LiveMap *live, const DomainNode *node)
{
    const GPtrArray *interfaces = node->domain->interfaces;
    Domain *copy = NULL;

    for (guint i = 0; i < interfaces->len; i++) {
        DomainInterface *iface = interfaces->pdata[i];

        if (!claim_is_doubtful(live, node, iface->target))
            continue;
        if (!copy) {
            copy = g_memdup2(node->domain, sizeof(*copy));
            copy->interfaces = g_ptr_array_copy(node->domain->interfaces, NULL, NULL);
            g_ptr_array_set_free_func(copy->interfaces, NULL);
        }
        iface = g_memdup2(iface, sizeof(*iface));
        iface->target = NULL;
        copy->interfaces->pdata[i] = iface;
    }
    return copy;
}

static void component_domain(LiveMap *live, Component *component, DomainNode *node)
{
    Domain *copy = domain_without_doubtful(live, node);

    g_ptr_array_add(live->small->domains, copy ? copy : node->domain);
    if (!copy)
        return;
    g_ptr_array_add(component->copies, copy);
    g_ptr_array_add(component->doubted, node);
}

static void copy_free(Domain *copy, const Domain *original)
{
    for (guint i = 0; i < copy->interfaces->len; i++) {
        if (copy->interfaces->pdata[i] != original->interfaces->pdata[i])
            g_free(copy->interfaces->pdata[i]);
    }
    g_ptr_array_unref(copy->interfaces);
    g_free(copy);
}

static void restore_taps(Component *component, Map *map)
{
    for (guint i = 0; i < component->doubted->len; i++) {
        const DomainNode *node = component->doubted->pdata[i];

        for (guint j = 0; j < map->rows->len; j++) {
            MapRow *row = map->rows->pdata[j];

            if (g_strcmp0(row->domain_uuid, node->domain->uuid) == 0 && row->interface_known && !row->tap)
                row->tap =
                    g_strdup(((const DomainInterface *)node->domain->interfaces->pdata[row->order])->target);
        }
        copy_free(component->copies->pdata[i], node->domain);
    }
}

/* A port whose domain is not sure of it is neither claimed nor unclaimed. */
static gboolean port_is_doubtful(LiveMap *live, const char *name)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_NAME, name));

    for (guint i = 0; hub && i < hub->len; i++) {
        const Node *node = hub->edges[i]->node;

        if (node->kind == NODE_DOMAIN && hub->generation > ((const DomainNode *)node)->asked)
            return TRUE;
    }
    return FALSE;
}

/* -------------------------------------------------------------------------------------------- told */

void told_clear(Told *told)
{
    g_clear_pointer(&told->rows, g_ptr_array_unref);
    g_clear_pointer(&told->standings, g_ptr_array_unref);
}

static Told *node_told(Node *node)
{
    if (node->kind == NODE_DOMAIN)
        return &((DomainNode *)node)->told;
    return node->kind == NODE_LINK ? &((LinkNode *)node)->told : NULL;
}

/* What a consumer knows it by. */
static gboolean row_is(const MapRow *a, const MapRow *b)
{
    if (!a->has_domain)
        return !b->has_domain && a->ifindex == b->ifindex && g_strcmp0(a->tap, b->tap) == 0;
    return b->has_domain && strcmp(a->domain_uuid, b->domain_uuid) == 0 && a->has_mac == b->has_mac &&
           (!a->has_mac || mac_equal(&a->mac, &b->mac)) && g_strcmp0(a->alias, b->alias) == 0;
}

static const MapRow *rows_take(GPtrArray *rows, const MapRow *row)
{
    for (guint i = 0; rows && i < rows->len; i++) {
        const MapRow *other = rows->pdata[i];

        if (other && row_is(other, row)) {
            rows->pdata[i] = NULL;
            return other;
        }
    }
    return NULL;
}

static void tell_row(LiveMap *live, ChangeType type, const MapRow *row, const MapRow *before)
{
    const Change change = {.type = type, .row = row, .before = before};

    change_add(live, &change);
}

static void rows_tell(LiveMap *live, Told *told)
{
    g_autoptr(GPtrArray) before = told->rows ? g_ptr_array_copy(told->rows, NULL, NULL) : g_ptr_array_new();

    g_ptr_array_set_free_func(before, NULL);
    for (guint i = 0; told->fresh && i < told->fresh->len; i++) {
        const MapRow *row = told->fresh->pdata[i];
        const MapRow *was = rows_take(before, row);

        if (!was)
            tell_row(live, CHANGE_INTERFACE_ADDED, row, NULL);
        else if (!map_row_equal(was, row))
            tell_row(live, CHANGE_INTERFACE_CHANGED, row, was);
    }
    for (guint i = 0; i < before->len; i++) {
        if (before->pdata[i])
            tell_row(live, CHANGE_INTERFACE_REMOVED, before->pdata[i], NULL);
    }
    bury(live, told->rows, (GDestroyNotify)g_ptr_array_unref);
    told->rows = g_steal_pointer(&told->fresh);
}

const MapRow *row_now(LiveMap *live, const MapRow *row)
{
    const DomainNode *node = row && row->domain_uuid ? node_find(live, NODE_DOMAIN, row->domain_uuid) : NULL;

    for (guint i = 0; node && node->told.rows && i < node->told.rows->len; i++) {
        if (row_is(node->told.rows->pdata[i], row))
            return node->told.rows->pdata[i];
    }
    return row;
}

/* ------------------------------------------------------------------------------------------- leases */

static void tell_lease(LiveMap *live, ChangeType type, const LeaseNode *node, const Lease *lease,
                       const Lease *before)
{
    const Change change = {.type = type, .row = node->row, .lease = lease, .lease_before = before};

    change_add(live, &change);
}

/* row: whose it is now. */
static void lease_tell(LiveMap *live, LeaseNode *node, const MapRow *row)
{
    const Lease *told = node->told;
    const Lease *now = node->lease && lease_is_live(node->lease, live->now) ? node->lease : NULL;

    if (told && !now)
        tell_lease(live, CHANGE_LEASE_REMOVED, node, told, NULL);
    node->told = now;
    node->row = row;
    if (now && !told)
        tell_lease(live, CHANGE_LEASE_ADDED, node, now, NULL);
    else if (now && told != now && !lease_equal(told, now))
        tell_lease(live, CHANGE_LEASE_RENEWED, node, now, told);
}

static void leases_tell(LiveMap *live, const Component *component, const Map *map)
{
    g_autoptr(GHashTable) rows = NULL;

    if (live->small->leases->len == 0)
        return;
    rows = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < map->leases->len; i++) {
        const MapLease *record = map->leases->pdata[i];

        g_hash_table_insert(rows, (gpointer)record->lease, (gpointer)record->row);
    }
    for (guint i = 0; i < component->nodes->len; i++) {
        LeaseNode *node = component->nodes->pdata[i];

        if (node->node.kind == NODE_LEASE)
            lease_tell(live, node, g_hash_table_lookup(rows, node->lease));
    }
}

/* ---------------------------------------------------------------------------------------- component */

static Told *told_of_row(LiveMap *live, const MapRow *row)
{
    Node *node = row->has_domain ? node_find(live, NODE_DOMAIN, row->domain_uuid)
                                 : (Node *)node_link(live, row->ifindex);

    if (!node || node->mark != live->mark || (!row->has_domain && port_is_doubtful(live, row->tap)))
        return NULL;
    return node_told(node);
}

/* Takes the rows. */
static void deal_rows(LiveMap *live, Map *map)
{
    g_ptr_array_set_free_func(map->rows, NULL);
    for (guint i = 0; i < map->rows->len; i++) {
        MapRow *row = map->rows->pdata[i];
        Told *told = told_of_row(live, row);

        if (!told) {
            /* A lease may refer to it up to the end of this. */
            bury(live, row, (GDestroyNotify)map_row_free);
            continue;
        }
        if (!told->fresh)
            told->fresh = g_ptr_array_new_with_free_func((GDestroyNotify)map_row_free);
        g_ptr_array_add(told->fresh, row);
    }
}

/* Whether libvirt has to be asked first whose the port is: it is told of nothing then. */
static gboolean port_awaits(LiveMap *live, const MapRow *row)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_NAME, row->tap));

    if (!hub || hub->generation <= live->vouched)
        return FALSE;
    g_hash_table_add(live->awaiting, GUINT_TO_POINTER(row->ifindex));
    live->awaits = MAX(live->awaits, hub->generation);
    return TRUE;
}

/* The findings of a port that no domain claims name it; of links of one name, the first has them. */
static Told *told_of_finding(LiveMap *live, const Map *map, const Finding *finding)
{
    Node *node = finding->domain_uuid ? node_find(live, NODE_DOMAIN, finding->domain_uuid) : NULL;

    if (node)
        return node->mark == live->mark ? node_told(node) : NULL;
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (!row->has_domain && g_strcmp0(row->tap, finding->object) == 0)
            return port_awaits(live, row) ? NULL : told_of_row(live, row);
    }
    return NULL;
}

/* Takes the findings. */
static void deal_findings(LiveMap *live, const Map *map, GPtrArray *findings)
{
    g_ptr_array_set_free_func(findings, NULL);
    for (guint i = 0; i < findings->len; i++) {
        Finding *finding = findings->pdata[i];
        Told *told = told_of_finding(live, map, finding);

        if (!told) {
            finding_free(finding);
            continue;
        }
        if (!told->found)
            told->found = g_ptr_array_new();
        g_ptr_array_add(told->found, finding);
    }
}

/* When the next entry that is fresh by its age ceases to be. */
static gint64 component_ages(const LiveMap *live, const Component *component)
{
    gint64 next = G_MAXINT64;

    for (guint i = 0; i < component->nodes->len; i++) {
        const NeighbourNode *node = component->nodes->pdata[i];
        gint64 due;

        if (node->node.kind != NODE_NEIGHBOUR || node->neighbour.confirmed >= NEIGHBOUR_FRESH)
            continue;
        due = node->stamp + (NEIGHBOUR_FRESH - (gint64)node->neighbour.confirmed) * G_TIME_SPAN_SECOND;
        if (due > live->monotonic)
            next = MIN(next, due);
    }
    return next;
}

static void component_findings(LiveMap *live, Component *component, Map *map)
{
    g_autoptr(GPtrArray) findings =
        live->checks ? live->checks(live->small, map, 1U << OBJECT_INTERFACE) : NULL;
    g_autoptr(GPtrArray) raised = g_ptr_array_new();
    gint64 ages = G_MAXINT64;

    if (findings && findings->len > 0) {
        deal_findings(live, map, findings);
        ages = component_ages(live, component);
    }
    for (guint i = 0; i < component->nodes->len; i++) {
        Told *told = node_told(component->nodes->pdata[i]);
        gint64 due;

        if (!told || (!told->standings && !told->found))
            continue;
        due = standings_update(live, &told->standings, g_steal_pointer(&told->found));
        told->timer.owner = component->nodes->pdata[i];
        if (told->standings)
            due = MIN(due, ages);
        timer_set(live, &told->timer, due);
        standings_raised(told->standings, raised);
    }
    if (raised->len > 0)
        map_attach(map, raised);
}

static void component_join(LiveMap *live, Component *component)
{
    Facts *small = live->small;
    g_autoptr(Map) map = NULL;

    facts_empty(small);
    for (guint i = 0; i < component->nodes->len; i++) {
        Node *node = component->nodes->pdata[i];

        if (node->kind == NODE_DOMAIN)
            component_domain(live, component, (DomainNode *)node);
        else
            facts_take_node(live, small, node);
        context_of(live, component, node);
    }
    for (guint i = 0; i < component->context->len; i++) {
        const Node *node = component->context->pdata[i];

        facts_take_node(live, small, node);
        if (node->kind == NODE_NETWORK) {
            const Network *network = ((const NetworkNode *)node)->network;

            context_bridge(live, component, network->bridge);
            context_network(live, component, network->name);
        }
    }
    facts_order(small);
    map = map_join(small);
    component_findings(live, component, map);
    restore_taps(component, map);
    leases_tell(live, component, map);
    deal_rows(live, map);
    for (guint i = 0; i < component->nodes->len; i++) {
        Told *told = node_told(component->nodes->pdata[i]);

        if (told && (told->rows || told->fresh))
            rows_tell(live, told);
    }
}

static void node_end(LiveMap *live, Node *node)
{
    Told *told = node_told(node);

    if (told) {
        standings_update(live, &told->standings, NULL);
        timer_clear(live, &told->timer);
        if (told->rows)
            rows_tell(live, told);
    } else if (node->kind == NODE_LEASE) {
        lease_tell(live, (LeaseNode *)node, NULL);
    }
}

static void component_reset(LiveMap *live, Component *component)
{
    g_ptr_array_set_size(component->nodes, 0);
    g_ptr_array_set_size(component->context, 0);
    g_ptr_array_set_size(component->copies, 0);
    g_ptr_array_set_size(component->doubted, 0);
    live->mark++;
}

/* Nodes that only others look at make no component. */
static gboolean node_is_joined(const Node *node)
{
    return !node->gone && node->kind != NODE_NETWORK && node->kind != NODE_ADDRESS;
}

void components_settle(LiveMap *live)
{
    Component component = {g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new()};
    guint64 first;

    component_reset(live, &component);
    first = live->mark;
    for (guint i = 0; i < live->dirty->len; i++) {
        Node *node = live->dirty->pdata[i];

        if (node->gone)
            node_end(live, node);
        if (!node_is_joined(node) || node->mark >= first)
            continue;
        component_add(live, &component, node);
        for (guint j = component.nodes->len - 1; j < component.nodes->len; j++)
            component_grow(live, &component, component.nodes->pdata[j]);
        if (component.nodes->len >= TOGETHER) {
            component_join(live, &component);
            component_reset(live, &component);
        }
    }
    if (component.nodes->len > 0)
        component_join(live, &component);
    g_ptr_array_unref(component.nodes);
    g_ptr_array_unref(component.context);
    g_ptr_array_unref(component.copies);
    g_ptr_array_unref(component.doubted);
}
