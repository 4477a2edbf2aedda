/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

/*
 * Theory of operation. Every record is a node. Nodes meet in hubs: a MAC, an address, a name that several
 * records have. What hangs together over hubs is a component (live-join.c): a guest with its tap, its leases,
 * neighbours and forwarding entries; seldom more, where guests share a MAC or claim one name.
 *
 * A put compares the record with the one before. Where a row or a check could see a difference, the node is
 * dirty, and so is one of each hub that it leaves. What is shown of many at once (a network, a bridge) is no
 * part of components; when it changes, all that refer to it are dirty, which hubs of the other kind find.
 *
 * live_map_settle() takes each dirty node, collects its component, joins and checks it as if it were the
 * whole host, and compares the rows with those told before. Its cost is that of the components.
 *
 * Time makes nodes dirty too: the tree of expiries has the leases by their ends, the tree of timers the
 * moments at which a grace ends or a neighbour ceases to be fresh, and when a network may be checked again.
 *
 * Invariants between two settles: a node that is not gone is in the table of its kind and in the hubs of its
 * present record; a hub has at least one node; told rows and findings are those of the last settle, and
 * whatever the last settle handed out is alive (bury).
 */

/* The sources that gave facts, as bits. */
static guint bits_of_sources(const SourceState *states)
{
    Facts probe = {0};
    guint bits = 0;

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        probe.sources[id].state = states[id];
        bits |= facts_has(&probe, id) ? 1U << id : 0;
    }
    return bits;
}

LiveMap *live_map_new(LiveChecks checks)
{
    LiveMap *live = g_new0(LiveMap, 1);

    live->checks = checks;
    for (guint kind = 0; kind < NODE_KINDS; kind++)
        live->nodes[kind] = node_table();
    live->hubs = g_hash_table_new(g_str_hash, g_str_equal);
    live->lease_sets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lease_set_free);
    live->groups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, group_free);
    live->expiries = g_tree_new_with_data(expiry_compare, NULL);
    live->timers = g_tree_new_with_data(timer_compare, NULL);
    live->renamed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    live->doubtful = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    live->vouched = G_MAXUINT64;
    live->awaiting = g_hash_table_new(NULL, NULL);
    live->dirty = g_ptr_array_new();
    live->dirty_networks = g_ptr_array_new();
    live->unstamped = g_ptr_array_new();
    live->due_groups = g_ptr_array_new();
    live->mismatches = g_ptr_array_new_with_free_func(g_free);
    live->text = g_string_new(NULL);
    live->small = facts_new();
    facts_borrow(live->small);
    live->changes = g_ptr_array_new_with_free_func(g_free);
    live->pending = g_array_new(FALSE, FALSE, sizeof(Buried));
    live->dead = g_array_new(FALSE, FALSE, sizeof(Buried));
    return live;
}

/* Those that are gone and in no table. */
static void free_gone(LiveMap *live)
{
    for (guint i = 0; i < live->dirty->len; i++) {
        Node *node = live->dirty->pdata[i];

        node->dirty = FALSE;
        if (!node->gone)
            continue;
        if (node_any(live, node->kind, node->key) == node)
            g_hash_table_remove(live->nodes[node->kind], node->key);
        node_free(node);
    }
    g_ptr_array_set_size(live->dirty, 0);
}

static void unbury(GArray *buried)
{
    for (guint i = 0; i < buried->len; i++) {
        Buried *one = &g_array_index(buried, Buried, i);

        one->free(one->record);
    }
    g_array_set_size(buried, 0);
}

static void free_nodes(LiveMap *live)
{
    free_gone(live);
    for (guint kind = 0; kind < NODE_KINDS; kind++) {
        GHashTableIter iter;
        gpointer node;

        g_hash_table_iter_init(&iter, live->nodes[kind]);
        while (g_hash_table_iter_next(&iter, NULL, &node))
            node_free(node);
        g_hash_table_unref(live->nodes[kind]);
    }
}

static void free_hubs(LiveMap *live)
{
    GHashTableIter iter;
    gpointer hub;

    g_hash_table_iter_init(&iter, live->hubs);
    while (g_hash_table_iter_next(&iter, NULL, &hub)) {
        g_free(((Hub *)hub)->edges);
        g_free(hub);
    }
    g_hash_table_unref(live->hubs);
}

void live_map_free(LiveMap *live)
{
    if (!live)
        return;
    g_tree_unref(live->timers);
    g_tree_unref(live->expiries);
    free_nodes(live);
    free_hubs(live);
    g_hash_table_unref(live->lease_sets);
    g_hash_table_unref(live->groups);
    g_hash_table_unref(live->renamed);
    g_hash_table_unref(live->doubtful);
    g_hash_table_unref(live->awaiting);
    unbury(live->dead);
    unbury(live->pending);
    g_array_unref(live->dead);
    g_array_unref(live->pending);
    if (live->dnsmasqs)
        g_ptr_array_unref(live->dnsmasqs);
    for (guint i = 0; i < live->mismatches->len; i++)
        g_free((gpointer)((Change *)live->mismatches->pdata[i])->text);
    g_ptr_array_unref(live->mismatches);
    g_ptr_array_unref(live->changes);
    g_ptr_array_unref(live->dirty);
    g_ptr_array_unref(live->dirty_networks);
    g_ptr_array_unref(live->unstamped);
    g_ptr_array_unref(live->due_groups);
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        g_free(live->sources[id].error);
        live->small->sources[id].error = NULL;
        g_free(live->told_notes[id]);
    }
    facts_free(live->small);
    g_string_free(live->text, TRUE);
    g_free(live->host);
    g_free(live->uri);
    g_free(live);
}

/* ---------------------------------------------------------------------------------------- facts in */

void live_map_set_host(LiveMap *live, const char *host, const char *uri, gboolean local)
{
    g_free(live->host);
    g_free(live->uri);
    live->host = g_strdup(host);
    live->uri = g_strdup(uri);
    live->local = local;
}

void live_map_set_source(LiveMap *live, SourceId id, SourceState state, const char *error)
{
    char *before = live->sources[id].error;

    live->sources[id].error = NULL;
    bury(live, before, g_free);
    source_status_set(&live->sources[id], state, error);
    live->news |= 1U << id;
}

const SourceStatus *live_map_source(const LiveMap *live, SourceId id)
{
    return &live->sources[id];
}

guint64 live_map_generation(const LiveMap *live)
{
    return live->generation;
}

void live_map_put_dnsmasqs(LiveMap *live, GPtrArray *dnsmasqs)
{
    bury(live, live->dnsmasqs, (GDestroyNotify)g_ptr_array_unref);
    live->dnsmasqs = dnsmasqs;
    live->news |= 1U << SOURCE_PROCESSES;
    networks_touch_all(live, TRUE);
}

void live_map_report_mismatch(LiveMap *live, SourceId id, const char *text)
{
    Change *change = g_new0(Change, 1);

    change->type = CHANGE_AUDIT_MISMATCH;
    change->source = id;
    change->text = g_strdup(text);
    g_ptr_array_add(live->mismatches, change);
}

/* --------------------------------------------------------------------------------------- facts out */

const Domain *live_map_domain(const LiveMap *live, const char *uuid)
{
    const DomainNode *node = node_find(live, NODE_DOMAIN, uuid);

    return node ? node->domain : NULL;
}

const Network *live_map_network(const LiveMap *live, const char *uuid)
{
    const NetworkNode *node = node_find(live, NODE_NETWORK, uuid);

    return node ? node->network : NULL;
}

static GHashTable *keys_of(const LiveMap *live, NodeKind kind)
{
    GHashTable *keys = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, live->nodes[kind]);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Node *node = value;

        if (!node->gone)
            g_hash_table_add(keys, node->key);
    }
    return keys;
}

GHashTable *live_map_domain_uuids(const LiveMap *live)
{
    return keys_of(live, NODE_DOMAIN);
}

GHashTable *live_map_network_uuids(const LiveMap *live)
{
    return keys_of(live, NODE_NETWORK);
}

const Network *live_map_network_of_bridge(const LiveMap *live, const char *bridge)
{
    g_autofree char *key = g_strdup_printf("%c%s", HUB_BRIDGE, bridge);
    const Hub *hub = g_hash_table_lookup(live->hubs, key);
    const Network *found = NULL;

    for (guint i = 0; hub && i < hub->len; i++) {
        const Network *network = ((const NetworkNode *)hub->edges[i]->node)->network;

        if (network_owns_bridge(network) && network_outranks(network, found))
            found = network;
    }
    return found;
}

static void facts_take_kind(LiveMap *live, Facts *facts, NodeKind kind)
{
    GHashTableIter iter;
    gpointer node;

    g_hash_table_iter_init(&iter, live->nodes[kind]);
    while (g_hash_table_iter_next(&iter, NULL, &node)) {
        if (!((const Node *)node)->gone)
            facts_take_node(live, facts, node);
    }
}

Facts *live_map_facts(const LiveMap *live)
{
    Facts *facts = facts_new();

    facts_borrow(facts);
    facts->host = g_strdup(live->host);
    facts->uri = g_strdup(live->uri);
    facts->local = live->local;
    facts->now = live->now;
    facts->domains_complete = live_complete(live);
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        facts->sources[id] = live->sources[id];
        facts->sources[id].error = g_strdup(live->sources[id].error);
    }
    for (guint kind = 0; kind < NODE_KINDS; kind++)
        facts_take_kind((LiveMap *)live, facts, kind);
    for (guint i = 0; live->dnsmasqs && i < live->dnsmasqs->len; i++)
        g_ptr_array_add(facts->dnsmasqs, live->dnsmasqs->pdata[i]);
    facts_order(facts);
    return facts;
}

/* Ports of one name are in the order of their links. */
static gint compare_rows(gconstpointer a, gconstpointer b)
{
    gint order = map_row_compare(a, b);
    guint left = (*(MapRow *const *)a)->ifindex;
    guint right = (*(MapRow *const *)b)->ifindex;

    return order ? order : left < right ? -1 : left > right;
}

static void told_take(const Told *told, GPtrArray *rows, GPtrArray *findings)
{
    for (guint i = 0; rows && told->rows && i < told->rows->len; i++)
        g_ptr_array_add(rows, told->rows->pdata[i]);
    if (findings)
        standings_raised(told->standings, findings);
}

static void told_take_all(const LiveMap *live, GPtrArray *rows, GPtrArray *findings)
{
    GHashTableIter iter;
    gpointer node;

    g_hash_table_iter_init(&iter, live->nodes[NODE_DOMAIN]);
    while (g_hash_table_iter_next(&iter, NULL, &node))
        told_take(&((const DomainNode *)node)->told, rows, findings);
    g_hash_table_iter_init(&iter, live->nodes[NODE_LINK]);
    while (g_hash_table_iter_next(&iter, NULL, &node))
        told_take(&((const LinkNode *)node)->told, rows, findings);
}

GPtrArray *live_map_rows(const LiveMap *live)
{
    GPtrArray *rows = g_ptr_array_new();

    told_take_all(live, rows, NULL);
    g_ptr_array_sort(rows, compare_rows);
    return rows;
}

static gint compare_order(gconstpointer a, gconstpointer b)
{
    guint left = (*(MapRow *const *)a)->order;
    guint right = (*(MapRow *const *)b)->order;

    return left < right ? -1 : left > right;
}

GPtrArray *live_map_rows_of(const LiveMap *live, const char *domain_uuid)
{
    GPtrArray *rows = g_ptr_array_new();
    const DomainNode *node = node_any(live, NODE_DOMAIN, domain_uuid);

    if (node)
        told_take(&node->told, rows, NULL);
    g_ptr_array_sort(rows, compare_order);
    return rows;
}

GPtrArray *live_map_findings(const LiveMap *live)
{
    GPtrArray *findings = g_ptr_array_new();
    GHashTableIter iter;
    gpointer group;

    told_take_all(live, NULL, findings);
    g_hash_table_iter_init(&iter, live->groups);
    while (g_hash_table_iter_next(&iter, NULL, &group))
        standings_raised(((const Group *)group)->standings, findings);
    g_ptr_array_sort(findings, finding_compare);
    return findings;
}

guint live_map_size(const LiveMap *live)
{
    return live->count;
}

/* ------------------------------------------------------------------------------------------ settle */

static gboolean source_change(SourceState state, ChangeType *type)
{
    switch (state) {
    case SOURCE_LIVE:
        *type = CHANGE_SOURCE_LIVE;
        return TRUE;
    case SOURCE_STALE:
        *type = CHANGE_SOURCE_STALE;
        return TRUE;
    case SOURCE_DOWN:
        *type = CHANGE_SOURCE_DOWN;
        return TRUE;
    case SOURCE_UNREAD:
    case SOURCE_REPLAYED:
    case SOURCE_ABSENT:
        break;
    }
    return FALSE;
}

static void mark_all(LiveMap *live)
{
    static const NodeKind kinds[] = {NODE_DOMAIN, NODE_LINK, NODE_LEASE};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        GHashTableIter iter;
        gpointer node;

        g_hash_table_iter_init(&iter, live->nodes[kinds[i]]);
        while (g_hash_table_iter_next(&iter, NULL, &node))
            node_mark(live, node);
    }
}

/* Of a live source the text is no reason, which may change as it likes, but what it cannot do. */
static const char *source_note(const LiveMap *live, SourceId id)
{
    return live->sources[id].state == SOURCE_LIVE ? live->sources[id].error : NULL;
}

static gboolean source_differs(const LiveMap *live, SourceId id)
{
    return live->told_sources[id] != live->sources[id].state ||
           g_strcmp0(live->told_notes[id], source_note(live, id)) != 0;
}

static gboolean sources_differ(const LiveMap *live)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        if (source_differs(live, id))
            return TRUE;
    }
    return FALSE;
}

static void source_told(LiveMap *live, SourceId id)
{
    live->told_sources[id] = live->sources[id].state;
    g_free(live->told_notes[id]);
    live->told_notes[id] = g_strdup(source_note(live, id));
}

void live_map_notes_told(LiveMap *live)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        if (live->told_sources[id] == live->sources[id].state)
            source_told(live, id);
    }
}

static void sources_settle(LiveMap *live)
{
    guint before = bits_of_sources(live->told_sources);
    gboolean differ = sources_differ(live);

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        Change change = {.source = id, .text = live->sources[id].error};

        if (live->news & (1U << id)) {
            live->sources[id].generation++;
            live->sources[id].time = live->now;
        }
        if (source_differs(live, id) && source_change(live->sources[id].state, &change.type))
            change_add(live, &change);
        source_told(live, id);
        live->small->sources[id] = live->sources[id];
    }
    live->news = 0;
    /* Which checks run depends on it; what is said of a network also on whether a source is stale. */
    if (bits_of_sources(live->told_sources) != before)
        mark_all(live);
    if (differ)
        networks_touch_all(live, TRUE);
    for (guint i = 0; i < live->mismatches->len; i++) {
        const Change *change = live->mismatches->pdata[i];

        change_add(live, change);
        bury(live, (gpointer)change->text, g_free);
    }
    g_ptr_array_set_size(live->mismatches, 0);
}

/* Every port, for what no domain claims can be told only of a whole set of domains. */
static void completeness_settle(LiveMap *live)
{
    GHashTableIter iter;
    gpointer node;

    if (live->complete == live_complete(live))
        return;
    live->complete = live_complete(live);
    g_hash_table_iter_init(&iter, live->nodes[NODE_LINK]);
    while (g_hash_table_iter_next(&iter, NULL, &node)) {
        const LinkNode *link = node;

        if (link->link && link->link->master)
            node_mark(live, node);
    }
    networks_touch_all(live, FALSE);
}

static void time_settle(LiveMap *live, gint64 monotonic, gint64 now)
{
    gint64 before = live->now;

    live->monotonic = monotonic;
    live->now = now;
    live->small->now = now;
    if (before != now)
        leases_pass(live, before, now);
    for (guint i = 0; i < live->unstamped->len; i++)
        ((NeighbourNode *)live->unstamped->pdata[i])->stamp = monotonic;
    g_ptr_array_set_size(live->unstamped, 0);
}

static void timers_settle(LiveMap *live)
{
    GTreeNode *first;

    while ((first = g_tree_node_first(live->timers)) != NULL) {
        Timer *timer = g_tree_node_value(first);

        if (timer->due > live->monotonic)
            break;
        timer_clear(live, timer);
        if (timer->is_group)
            g_ptr_array_add(live->due_groups, timer->owner);
        else
            node_mark(live, timer->owner);
    }
}

static guint change_rank(ChangeType type)
{
    static const ChangeType order[] = {
        CHANGE_SOURCE_LIVE,       CHANGE_SOURCE_STALE,      CHANGE_SOURCE_DOWN,     CHANGE_AUDIT_MISMATCH,
        CHANGE_NETWORK_STOPPED,   CHANGE_NETWORK_UNDEFINED, CHANGE_NETWORK_DEFINED, CHANGE_NETWORK_STARTED,
        CHANGE_NETWORK_CHANGED,   CHANGE_LEASE_REMOVED,     CHANGE_LEASE_RENEWED,   CHANGE_LEASE_ADDED,
        CHANGE_INTERFACE_REMOVED, CHANGE_INTERFACE_CHANGED, CHANGE_INTERFACE_ADDED, CHANGE_CHECK_CLEARED,
        CHANGE_CHECK_RAISED,
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(order) == CHANGE_COUNT);

    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        if (order[i] == type)
            return i;
    }
    return CHANGE_COUNT;
}

/* Removals first: who keeps rows by the tap's name needs it. */
static gint compare_changes(gconstpointer a, gconstpointer b)
{
    const Change *left = *(Change *const *)a;
    const Change *right = *(Change *const *)b;
    gint order = (gint)change_rank(left->type) - (gint)change_rank(right->type);

    if (order)
        return order;
    if (left->lease) {
        order = g_strcmp0(left->lease->network, right->lease->network);
        return order ? order : lease_order(&left->lease, &right->lease);
    }
    if (left->network)
        return network_order(&left->network->network, &right->network->network);
    if (left->finding)
        return finding_compare(&left->finding, &right->finding);
    return left->row ? compare_rows(&left->row, &right->row) : (gint)left->source - (gint)right->source;
}

static void changes_finish(LiveMap *live)
{
    for (guint i = 0; i < live->changes->len; i++) {
        Change *change = live->changes->pdata[i];

        if (change->lease)
            change->row = row_now(live, change->row);
    }
    g_ptr_array_sort(live->changes, compare_changes);
}

const GPtrArray *live_map_settle(LiveMap *live, gint64 monotonic, gint64 now)
{
    GArray *dead = live->dead;

    unbury(dead);
    live->dead = live->pending;
    live->pending = dead;
    g_ptr_array_set_size(live->changes, 0);
    time_settle(live, monotonic, now);
    sources_settle(live);
    completeness_settle(live);
    live->small->domains_complete = live->complete;
    live->small->local = live->local;
    timers_settle(live);
    networks_settle(live);
    components_settle(live);
    groups_settle(live);
    changes_finish(live);
    free_gone(live);
    return live->changes;
}

gboolean live_map_is_dirty(const LiveMap *live)
{
    gint64 monotonic, epoch;

    live_map_due(live, &monotonic, &epoch);
    return live->dirty->len > 0 || live->dirty_networks->len > 0 || live->unstamped->len > 0 ||
           live->mismatches->len > 0 || sources_differ(live) || live->complete != live_complete(live) ||
           monotonic <= live->monotonic;
}

void live_map_due(const LiveMap *live, gint64 *monotonic, gint64 *epoch)
{
    const Expiry living = {.at = live->now, .lease = (gconstpointer)G_MAXSIZE};
    GTreeNode *timer = g_tree_node_first(live->timers);
    GTreeNode *expiry = g_tree_upper_bound(live->expiries, &living);

    *monotonic = timer ? ((const Timer *)g_tree_node_key(timer))->due : G_MAXINT64;
    *epoch = expiry ? ((const Expiry *)g_tree_node_key(expiry))->at : G_MAXINT64;
}
