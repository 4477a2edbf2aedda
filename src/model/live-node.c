/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------- keys */

const char *key_text(LiveMap *live, char kind, const char *text)
{
    g_string_truncate(live->text, 0);
    g_string_append_c(live->text, kind);
    return g_string_append(live->text, text)->str;
}

static void append_hex(GString *text, const guint8 *bytes, gsize count)
{
    static const char digits[] = "0123456789abcdef";

    for (gsize i = 0; i < count; i++) {
        g_string_append_c(text, digits[bytes[i] >> 4]);
        g_string_append_c(text, digits[bytes[i] & 15]);
    }
}

const char *key_index(LiveMap *live, char kind, guint index)
{
    g_string_truncate(live->text, 0);
    g_string_append_c(live->text, kind);
    for (; index > 0; index >>= 6)
        g_string_append_c(live->text, (char)('0' + (index & 63)));
    return live->text->str;
}

const char *key_mac(LiveMap *live, const Mac *mac)
{
    g_string_assign(live->text, (char[]){HUB_MAC, '\0'});
    append_hex(live->text, mac->bytes, sizeof(mac->bytes));
    return live->text->str;
}

const char *key_ip(LiveMap *live, const Ip *ip)
{
    g_string_assign(live->text, (char[]){HUB_IP, '\0'});
    append_hex(live->text, ip->bytes, ip->family == 4 ? 4 : sizeof(ip->bytes));
    return live->text->str;
}

const char *key_bytes(LiveMap *live, char kind, guint index, const guint8 *bytes, gsize count)
{
    key_index(live, kind, index);
    g_string_append_c(live->text, '-');
    append_hex(live->text, bytes, count);
    return live->text->str;
}

GPtrArray *keys_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

void keys_add(GPtrArray *keys, const char *key)
{
    g_ptr_array_add(keys, g_strdup(key));
}

/* ------------------------------------------------------------------------------------------- hubs */

Hub *hub_find(LiveMap *live, const char *key)
{
    return g_hash_table_lookup(live->hubs, key);
}

gboolean hub_propagates(const Hub *hub)
{
    return g_ascii_islower(hub->key[0]);
}

void hub_mark(LiveMap *live, const Hub *hub, NodeKind kind)
{
    for (guint i = 0; hub && i < hub->len; i++) {
        if (hub->edges[i]->node->kind == kind)
            node_mark(live, hub->edges[i]->node);
    }
}

static Hub *hub_get(LiveMap *live, const char *key)
{
    Hub *hub = hub_find(live, key);
    gsize length = strlen(key) + 1;

    if (!hub) {
        hub = g_malloc0(sizeof(*hub) + length);
        memcpy(hub->key, key, length);
        g_hash_table_insert(live->hubs, hub->key, hub);
    }
    return hub;
}

static void hub_add(Hub *hub, Edge *edge)
{
    if (hub->len == hub->size) {
        hub->size = hub->size ? hub->size * 2 : 2;
        hub->edges = g_renew(Edge *, hub->edges, hub->size);
    }
    edge->at = hub->len;
    hub->edges[hub->len++] = edge;
}

/* The hub goes with its last node; else what is left of it may hang together no more, and one of it is enough
 * to find that out. */
static void hub_leave(LiveMap *live, Edge *edge)
{
    Hub *hub = edge->hub;
    Edge *last = hub->edges[--hub->len];

    hub->edges[edge->at] = last;
    last->at = edge->at;
    if (hub->len == 0) {
        g_hash_table_remove(live->hubs, hub->key);
        g_free(hub->edges);
        g_free(hub);
    } else if (hub_propagates(hub)) {
        node_mark(live, hub->edges[0]->node);
    }
}

/* ------------------------------------------------------------------------------------------ nodes */

GHashTable *node_table(void)
{
    return g_hash_table_new(g_str_hash, g_str_equal);
}

gpointer node_add(LiveMap *live, NodeKind kind, gsize size, const char *key)
{
    Node *node = g_malloc0(size);

    node->kind = kind;
    node->key = g_strdup(key);
    g_hash_table_insert(live->nodes[kind], node->key, node);
    live->count++;
    return node;
}

gpointer node_any(const LiveMap *live, NodeKind kind, const char *key)
{
    return g_hash_table_lookup(live->nodes[kind], key);
}

gpointer node_find(const LiveMap *live, NodeKind kind, const char *key)
{
    Node *node = node_any(live, kind, key);

    return node && !node->gone ? node : NULL;
}

gpointer node_link(LiveMap *live, guint ifindex)
{
    return node_find(live, NODE_LINK, key_index(live, 'l', ifindex));
}

void node_revive(LiveMap *live, Node *node)
{
    live->count += node->gone ? 1 : 0;
    node->gone = FALSE;
}

/* Those that nothing is told of need not be found again. */
static gboolean node_is_told(const Node *node)
{
    return node->kind == NODE_DOMAIN || node->kind == NODE_NETWORK || node->kind == NODE_LINK ||
           node->kind == NODE_LEASE;
}

void node_remove(LiveMap *live, Node *node)
{
    node_set_hubs(live, node, NULL);
    if (!node_is_told(node))
        g_hash_table_remove(live->nodes[node->kind], node->key);
    node->gone = TRUE;
    live->count--;
    node_mark(live, node);
}

void node_mark(LiveMap *live, Node *node)
{
    if (node->dirty)
        return;
    node->dirty = TRUE;
    g_ptr_array_add(live->dirty, node);
}

static gboolean edges_are(const Node *node, const GPtrArray *keys)
{
    if (node->edge_count != keys->len)
        return FALSE;
    for (guint i = 0; i < keys->len; i++) {
        if (strcmp(node->edges[i].hub->key, keys->pdata[i]) != 0)
            return FALSE;
    }
    return TRUE;
}

static void keys_unique(GPtrArray *keys)
{
    for (guint i = keys->len; i-- > 0;) {
        for (guint j = 0; j < i; j++) {
            if (strcmp(keys->pdata[i], keys->pdata[j]) == 0) {
                g_ptr_array_remove_index(keys, i);
                break;
            }
        }
    }
}

void node_set_hubs(LiveMap *live, Node *node, GPtrArray *keys)
{
    g_autoptr(GPtrArray) own = keys ? keys : g_ptr_array_new();
    Edge *before = node->edges;
    guint count = node->edge_count;

    keys_unique(own);
    if (edges_are(node, own))
        return;
    node->edge_count = own->len;
    node->edges = own->len > 0 ? g_new0(Edge, own->len) : NULL;
    /* In first, out then: a hub that stays keeps its generation. */
    for (guint i = 0; i < own->len; i++) {
        node->edges[i].node = node;
        node->edges[i].hub = hub_get(live, own->pdata[i]);
        hub_add(node->edges[i].hub, &node->edges[i]);
    }
    for (guint i = 0; i < count; i++)
        hub_leave(live, &before[i]);
    g_free(before);
}

void node_free(gpointer data)
{
    Node *node = data;

    switch (node->kind) {
    case NODE_DOMAIN:
        told_clear(&((DomainNode *)data)->told);
        domain_free(((DomainNode *)data)->domain);
        break;
    case NODE_LINK:
        told_clear(&((LinkNode *)data)->told);
        held_unref(((LinkNode *)data)->held);
        break;
    case NODE_NETWORK:
        told_network_free(((NetworkNode *)data)->told);
        held_unref(((NetworkNode *)data)->held);
        break;
    case NODE_LEASE:
        g_free(((LeaseNode *)data)->network_uuid);
        break;
    case NODE_ADDRESS:
    case NODE_NEIGHBOUR:
    case NODE_FDB:
    case NODE_KINDS:
        break;
    }
    g_free(node->edges);
    g_free(node->key);
    g_free(node);
}

/* ----------------------------------------------------------------------------------------- timers */

static gint compare_moments(gint64 a, gint64 b, gconstpointer left, gconstpointer right)
{
    if (a != b)
        return a < b ? -1 : 1;
    return (guintptr)left < (guintptr)right ? -1 : left != right;
}

gint timer_compare(gconstpointer a, gconstpointer b, gpointer data)
{
    return compare_moments(((const Timer *)a)->due, ((const Timer *)b)->due, a, b);
}

gint expiry_compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const Expiry *left = a;
    const Expiry *right = b;

    return compare_moments(left->at, right->at, left->lease, right->lease);
}

void timer_clear(LiveMap *live, Timer *timer)
{
    if (timer->set)
        g_tree_remove(live->timers, timer);
    timer->set = FALSE;
}

void timer_set(LiveMap *live, Timer *timer, gint64 due)
{
    timer_clear(live, timer);
    if (due == G_MAXINT64)
        return;
    timer->due = due;
    timer->set = TRUE;
    g_tree_insert(live->timers, timer, timer);
}

/* --------------------------------------------------------------------------------------- lifetimes */

Held *held_new(gpointer record, GDestroyNotify record_free)
{
    Held *held = g_new0(Held, 1);

    held->refs = 1;
    held->record = record;
    held->free = record_free;
    return held;
}

Held *held_ref(Held *held)
{
    if (held)
        held->refs++;
    return held;
}

void held_unref(gpointer data)
{
    Held *held = data;

    if (!held || --held->refs > 0)
        return;
    held->free(held->record);
    g_free(held);
}

void bury(LiveMap *live, gpointer record, GDestroyNotify record_free)
{
    Buried buried = {.record = record, .free = record_free};

    if (record)
        g_array_append_val(live->pending, buried);
}

void change_add(LiveMap *live, const Change *change)
{
    g_ptr_array_add(live->changes, g_memdup2(change, sizeof(*change)));
}
