/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

/*
 * Networks: few, seldom changed, and looked at by many. A change of one makes all dirty that refers to it.
 * Its row is made again when it, its bridge or its dnsmasq changed; ports that come and go, and leases, have
 * lines of their own.
 *
 * What is found about networks is looked at for those of one name at a time (a group), at most once a second:
 * such a check may look at all leases of the network. Routes are not followed, so an overlap with a route is
 * not found here.
 */

#define GROUP_PAUSE (1 * G_TIME_SPAN_SECOND)

/* ------------------------------------------------------------------------------------------ groups */

void group_free(gpointer data)
{
    Group *group = data;

    g_clear_pointer(&group->standings, g_ptr_array_unref);
    g_free(group->name);
    g_free(group);
}

static void group_touch(LiveMap *live, const char *name)
{
    Group *group = g_hash_table_lookup(live->groups, name);
    gint64 due;

    if (!group) {
        group = g_new0(Group, 1);
        group->name = g_strdup(name);
        group->last = G_MININT64;
        group->timer.owner = group;
        group->timer.is_group = TRUE;
        g_hash_table_insert(live->groups, group->name, group);
    }
    due = group->last == G_MININT64 ? G_MININT64 : group->last + GROUP_PAUSE;
    if (!group->timer.set || group->timer.due > due)
        timer_set(live, &group->timer, due);
}

static void row_touch(LiveMap *live, NetworkNode *node)
{
    if (node->touched)
        return;
    node->touched = TRUE;
    g_ptr_array_add(live->dirty_networks, node);
}

void networks_touch(LiveMap *live, const char *bridge, gboolean row, gboolean inactive)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_BRIDGE, bridge));

    for (guint i = 0; hub && i < hub->len; i++) {
        NetworkNode *node = (NetworkNode *)hub->edges[i]->node;

        if (inactive && node->network->active)
            continue;
        group_touch(live, node->network->name);
        if (row)
            row_touch(live, node);
    }
}

void networks_touch_all(LiveMap *live, gboolean row)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, live->nodes[NODE_NETWORK]);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        NetworkNode *node = value;

        if (node->node.gone)
            continue;
        group_touch(live, node->network->name);
        if (row)
            row_touch(live, node);
    }
}

void network_touch_leases(LiveMap *live, const char *uuid)
{
    const NetworkNode *node = node_find(live, NODE_NETWORK, uuid);

    if (node)
        group_touch(live, node->network->name);
}

/* ---------------------------------------------------------------------------------------- referrers */

/* The ports and neighbours of the devices with the bridge's name. */
static void bridge_mark(LiveMap *live, const char *bridge)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_NAME, bridge));

    hub_mark(live, hub_find(live, key_text(live, HUB_TO_BRIDGE, bridge)), NODE_DOMAIN);
    for (guint i = 0; hub && i < hub->len; i++) {
        guint ifindex;

        if (hub->edges[i]->node->kind != NODE_LINK)
            continue;
        ifindex = ((const LinkNode *)hub->edges[i]->node)->link->ifindex;
        hub_mark(live, hub_find(live, key_index(live, HUB_MASTER, ifindex)), NODE_LINK);
        hub_mark(live, hub_find(live, key_index(live, HUB_DEVICE, ifindex)), NODE_NEIGHBOUR);
    }
}

/*
 * By its name, UUID or bridge; by name also what is on the bridge of another that bears it. A lease is
 * somebody's through a guest on its network, whose component has it; but one of a network that is gone may
 * belong to another of the name that it bears.
 */
static void referrers_mark(LiveMap *live, const Network *network)
{
    const Hub *named = hub_find(live, key_text(live, HUB_NETWORK, network->name));

    hub_mark(live, hub_find(live, key_text(live, HUB_TO_NETWORK, network->name)), NODE_DOMAIN);
    hub_mark(live, hub_find(live, key_text(live, HUB_TO_NETWORK, network->uuid)), NODE_DOMAIN);
    hub_mark(live, hub_find(live, key_text(live, HUB_LEASES, network->uuid)), NODE_LEASE);
    if (network->bridge)
        bridge_mark(live, network->bridge);
    for (guint i = 0; named && i < named->len; i++) {
        const Network *other = ((const NetworkNode *)named->edges[i]->node)->network;

        if (other->bridge)
            bridge_mark(live, other->bridge);
    }
}

void network_changed(LiveMap *live, NetworkNode *node, const Network *before, const Network *now)
{
    if (before) {
        referrers_mark(live, before);
        group_touch(live, before->name);
    }
    if (now)
        referrers_mark(live, now);
    row_touch(live, node);
    /* Whom it clashes or overlaps with is known to the checks alone. */
    networks_touch_all(live, FALSE);
}

/* -------------------------------------------------------------------------------------------- rows */

void told_network_free(gpointer data)
{
    ToldNetwork *told = data;

    if (!told)
        return;
    g_ptr_array_unref(told->rows);
    held_unref(told->network);
    held_unref(told->link);
    if (told->dnsmasqs)
        g_ptr_array_unref(told->dnsmasqs);
    g_free(told);
}

static void take_hub(LiveMap *live, const Hub *hub, NodeKind kind)
{
    for (guint i = 0; hub && i < hub->len; i++) {
        if (hub->edges[i]->node->kind == kind)
            facts_take_node(live, live->small, hub->edges[i]->node);
    }
}

/* The devices of the bridge's name, each with what is on it: addresses, and ports if asked for. */
static void take_bridge(LiveMap *live, const char *bridge, gboolean ports)
{
    const Hub *hub = bridge ? hub_find(live, key_text(live, HUB_NAME, bridge)) : NULL;

    for (guint i = 0; hub && i < hub->len; i++) {
        const Node *node = hub->edges[i]->node;
        guint ifindex;

        if (node->kind != NODE_LINK)
            continue;
        ifindex = ((const LinkNode *)node)->link->ifindex;
        facts_take_node(live, live->small, node);
        take_hub(live, hub_find(live, key_index(live, HUB_DEVICE, ifindex)), NODE_ADDRESS);
        if (ports)
            take_hub(live, hub_find(live, key_index(live, HUB_MASTER, ifindex)), NODE_LINK);
    }
}

static void take_leases(LiveMap *live, const char *uuid)
{
    take_hub(live, hub_find(live, key_text(live, HUB_LEASES, uuid)), NODE_LEASE);
}

static void take_dnsmasqs(LiveMap *live)
{
    for (guint i = 0; live->dnsmasqs && i < live->dnsmasqs->len; i++)
        g_ptr_array_add(live->small->dnsmasqs, live->dnsmasqs->pdata[i]);
}

static ToldNetwork *network_look(LiveMap *live, const NetworkNode *node)
{
    ToldNetwork *told = g_new0(ToldNetwork, 1);
    const NetworkRow *row;

    facts_empty(live->small);
    facts_take_node(live, live->small, &node->node);
    take_bridge(live, node->network->bridge, TRUE);
    take_leases(live, node->network->uuid);
    take_dnsmasqs(live);
    facts_order(live->small);
    told->rows = network_rows(live->small);
    told->network = held_ref(node->held);
    row = told->rows->pdata[0];
    if (row->link)
        told->link = held_ref(((LinkNode *)node_link(live, row->link->ifindex))->held);
    told->dnsmasqs = live->dnsmasqs ? g_ptr_array_ref(live->dnsmasqs) : NULL;
    return told;
}

static const NetworkRow *told_row(const ToldNetwork *told)
{
    return told ? told->rows->pdata[0] : NULL;
}

static void tell_network(LiveMap *live, ChangeType type, const NetworkRow *row, const NetworkRow *before)
{
    const Change change = {.type = type, .network = row, .network_before = before};

    change_add(live, &change);
}

/* What it went through, in an order in which it can have: stopped, undefined, defined, started. */
static void network_tell(LiveMap *live, const NetworkRow *before, const NetworkRow *now)
{
    gboolean was_active = before && before->network->active;
    gboolean was_defined = before && before->network->persistent;
    gboolean is_active = now && now->network->active;
    gboolean is_defined = now && now->network->persistent;
    const NetworkRow *row = now ? now : before;

    if (was_active && !is_active)
        tell_network(live, CHANGE_NETWORK_STOPPED, row, NULL);
    if (was_defined && !is_defined)
        tell_network(live, CHANGE_NETWORK_UNDEFINED, row, NULL);
    if (is_defined && !was_defined)
        tell_network(live, CHANGE_NETWORK_DEFINED, row, NULL);
    if (is_active && !was_active)
        tell_network(live, CHANGE_NETWORK_STARTED, row, NULL);
    if (before && now && was_active == is_active && was_defined == is_defined &&
        !network_row_equal(before, now))
        tell_network(live, CHANGE_NETWORK_CHANGED, now, before);
}

void networks_settle(LiveMap *live)
{
    for (guint i = 0; i < live->dirty_networks->len; i++) {
        NetworkNode *node = live->dirty_networks->pdata[i];
        ToldNetwork *now = node->node.gone ? NULL : network_look(live, node);

        network_tell(live, told_row(node->told), told_row(now));
        bury(live, node->told, told_network_free);
        node->told = now;
        node->touched = FALSE;
    }
    g_ptr_array_set_size(live->dirty_networks, 0);
}

/* ------------------------------------------------------------------------------------------ checks */

static gboolean networks_overlap(const Network *a, const Network *b)
{
    for (guint i = 0; i < a->ips->len; i++) {
        for (guint j = 0; j < b->ips->len; j++) {
            const NetworkIp *left = a->ips->pdata[i];
            const NetworkIp *right = b->ips->pdata[j];

            if (ipnet_overlaps(&left->net, &right->net))
                return TRUE;
        }
    }
    return FALSE;
}

/* Whether a check of networks of this name can look at that one. */
static gboolean network_concerns(const Hub *hub, const Network *network)
{
    for (guint i = 0; i < hub->len; i++) {
        const Network *own = ((const NetworkNode *)hub->edges[i]->node)->network;

        if (own == network || (own->bridge && g_strcmp0(own->bridge, network->bridge) == 0) ||
            networks_overlap(own, network))
            return TRUE;
    }
    return FALSE;
}

/* With all that bear the name of one of them, for a name is looked up among all. */
static void take_concerned(LiveMap *live, const Hub *hub)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, live->nodes[NODE_NETWORK]);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const NetworkNode *node = value;

        if (!node->node.gone && network_concerns(hub, node->network) &&
            g_hash_table_add(names, node->network->name))
            take_hub(live, hub_find(live, key_text(live, HUB_NETWORK, node->network->name)), NODE_NETWORK);
    }
}

/* The guests that are to be on a bridge: by its name, or by that of a network that has it. */
static void take_guests(LiveMap *live, const char *bridge)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) hubs = g_ptr_array_new();
    const Hub *networks = hub_find(live, key_text(live, HUB_BRIDGE, bridge));

    g_ptr_array_add(hubs, hub_find(live, key_text(live, HUB_TO_BRIDGE, bridge)));
    for (guint i = 0; networks && i < networks->len; i++) {
        const Network *network = ((const NetworkNode *)networks->edges[i]->node)->network;

        g_ptr_array_add(hubs, hub_find(live, key_text(live, HUB_TO_NETWORK, network->name)));
    }
    for (guint i = 0; i < hubs->len; i++) {
        const Hub *hub = hubs->pdata[i];

        for (guint j = 0; hub && j < hub->len; j++) {
            if (g_hash_table_add(taken, hub->edges[j]->node))
                facts_take_node(live, live->small, hub->edges[j]->node);
        }
    }
}

static gboolean hub_has_inactive(const Hub *hub)
{
    for (guint i = 0; i < hub->len; i++) {
        if (!((const NetworkNode *)hub->edges[i]->node)->network->active)
            return TRUE;
    }
    return FALSE;
}

/* Bridges; ports and guests where a network is not active: then it matters who uses its bridge. */
static void take_bridges(LiveMap *live, const Hub *hub)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
    gboolean users = hub_has_inactive(hub);

    for (guint i = 0; i < hub->len; i++) {
        const Network *network = ((const NetworkNode *)hub->edges[i]->node)->network;

        if (!network->bridge || !g_hash_table_add(taken, network->bridge))
            continue;
        take_bridge(live, network->bridge, users);
        if (users)
            take_guests(live, network->bridge);
    }
}

/* Those of the group; the rest is not to be told by it, for it has not all their facts. */
static GPtrArray *findings_of(GPtrArray *findings, const char *name)
{
    GPtrArray *own = g_ptr_array_new();

    g_ptr_array_set_free_func(findings, NULL);
    for (guint i = 0; i < findings->len; i++) {
        Finding *finding = findings->pdata[i];

        if (g_strcmp0(finding->object, name) == 0)
            g_ptr_array_add(own, finding);
        else
            finding_free(finding);
    }
    return own;
}

static GPtrArray *group_check(LiveMap *live, const Group *group, const Hub *hub)
{
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) findings = NULL;

    if (!live->checks || !hub)
        return NULL;
    facts_empty(live->small);
    take_concerned(live, hub);
    take_bridges(live, hub);
    take_dnsmasqs(live);
    facts_order(live->small);
    /* No check of networks asks whose a lease is. */
    map = map_join(live->small);
    for (guint i = 0; i < hub->len; i++)
        take_leases(live, ((const NetworkNode *)hub->edges[i]->node)->network->uuid);
    g_ptr_array_sort(live->small->leases, lease_order);
    findings = live->checks(live->small, map, 1U << OBJECT_NETWORK);
    return findings_of(findings, group->name);
}

static void group_settle(LiveMap *live, Group *group)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_NETWORK, group->name));
    gint64 due = standings_update(live, &group->standings, group_check(live, group, hub));

    group->last = live->monotonic;
    timer_set(live, &group->timer, due);
    if (!hub)
        g_hash_table_remove(live->groups, group->name);
}

void groups_settle(LiveMap *live)
{
    for (guint i = 0; i < live->due_groups->len; i++)
        group_settle(live, live->due_groups->pdata[i]);
    g_ptr_array_set_size(live->due_groups, 0);
}
