/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

#include <string.h>

/* libvirt's facts: domains, networks, leases. */

/* ---------------------------------------------------------------------------------------- domains */

gboolean claim_is_doubtful(LiveMap *live, const DomainNode *node, const char *name)
{
    const Hub *hub = name ? hub_find(live, key_text(live, HUB_NAME, name)) : NULL;

    return hub && hub->generation > node->asked;
}

static gboolean domain_is_doubtful(LiveMap *live, const DomainNode *node)
{
    for (guint i = 0; i < node->domain->interfaces->len; i++) {
        const DomainInterface *iface = node->domain->interfaces->pdata[i];

        if (claim_is_doubtful(live, node, iface->target))
            return TRUE;
    }
    return FALSE;
}

void doubt_name(LiveMap *live, const Hub *hub)
{
    for (guint i = 0; i < hub->len; i++) {
        Node *node = hub->edges[i]->node;

        if (node->kind != NODE_DOMAIN)
            continue;
        node_mark(live, node);
        g_hash_table_add(live->doubtful, g_strdup(node->key));
    }
}

gboolean live_complete(const LiveMap *live)
{
    return live->domains_listed && live->unread == 0;
}

/* Whether a running guest is to be on it matters for the bridge of a network that is not active. */
static void domain_touch_bridges(LiveMap *live, const Domain *domain)
{
    for (guint i = 0; domain && i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        const Hub *networks =
            iface->network ? hub_find(live, key_text(live, HUB_NETWORK, iface->network)) : NULL;

        if (iface->bridge)
            networks_touch(live, iface->bridge, FALSE, TRUE);
        for (guint j = 0; networks && j < networks->len; j++) {
            const Network *network = ((const NetworkNode *)networks->edges[j]->node)->network;

            if (network->bridge)
                networks_touch(live, network->bridge, FALSE, TRUE);
        }
    }
}

static GPtrArray *domain_keys(LiveMap *live, const Domain *domain)
{
    GPtrArray *keys = keys_new();

    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];

        if (iface->target)
            keys_add(keys, key_text(live, HUB_NAME, iface->target));
        if (iface->has_mac)
            keys_add(keys, key_mac(live, &iface->mac));
        if (iface->network)
            keys_add(keys, key_text(live, HUB_TO_NETWORK, iface->network));
        if (iface->bridge)
            keys_add(keys, key_text(live, HUB_TO_BRIDGE, iface->bridge));
    }
    return keys;
}

static void domain_replace(LiveMap *live, DomainNode *node, Domain *domain)
{
    live->unread += domain && !domain->xml_read;
    live->unread -= node->domain && !node->domain->xml_read;
    domain_touch_bridges(live, node->domain);
    domain_touch_bridges(live, domain);
    domain_free(node->domain);
    node->domain = domain;
}

void live_map_put_domain(LiveMap *live, Domain *domain, guint64 asked)
{
    DomainNode *node = node_any(live, NODE_DOMAIN, domain->uuid);
    gboolean same, was_doubtful;

    live->news |= 1U << SOURCE_LIBVIRT;
    if (domain->id < 0) {
        live_map_remove_domain(live, domain->uuid);
        domain_free(domain);
        return;
    }
    if (!node)
        node = node_add(live, NODE_DOMAIN, sizeof(*node), domain->uuid);
    node_revive(live, &node->node);
    was_doubtful = node->domain && domain_is_doubtful(live, node);
    same = node->domain && domain_same(node->domain, domain);
    node->asked = asked;
    if (same) {
        domain_free(domain);
    } else {
        domain_replace(live, node, domain);
        node_set_hubs(live, &node->node, domain_keys(live, domain));
    }
    if (!same || was_doubtful)
        node_mark(live, &node->node);
    if (domain_is_doubtful(live, node))
        g_hash_table_add(live->doubtful, g_strdup(node->node.key));
    else
        g_hash_table_remove(live->doubtful, node->node.key);
}

void live_map_remove_domain(LiveMap *live, const char *uuid)
{
    DomainNode *node = node_find(live, NODE_DOMAIN, uuid);

    live->news |= 1U << SOURCE_LIBVIRT;
    if (!node)
        return;
    g_hash_table_remove(live->doubtful, uuid);
    node_remove(live, &node->node);
    domain_replace(live, node, NULL);
}

void live_map_set_domains_listed(LiveMap *live, gboolean listed)
{
    live->domains_listed = listed;
}

void live_map_set_domains_vouched(LiveMap *live, guint64 asked)
{
    GHashTableIter iter;
    gpointer index;

    live->vouched = asked;
    g_hash_table_iter_init(&iter, live->awaiting);
    while (g_hash_table_iter_next(&iter, &index, NULL)) {
        LinkNode *port = node_link(live, GPOINTER_TO_UINT(index));

        if (port)
            node_mark(live, &port->node);
    }
    g_hash_table_remove_all(live->awaiting);
    live->awaits = 0;
}

guint64 live_map_awaits_domains(const LiveMap *live)
{
    return live->awaits;
}

GPtrArray *live_map_doubtful(LiveMap *live)
{
    GPtrArray *uuids;
    GHashTableIter iter;
    gpointer uuid;

    if (g_hash_table_size(live->doubtful) == 0)
        return NULL;
    uuids = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iter, live->doubtful);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        g_hash_table_iter_steal(&iter);
        g_ptr_array_add(uuids, uuid);
    }
    return uuids;
}

/* --------------------------------------------------------------------------------------- networks */

static GPtrArray *network_keys(LiveMap *live, const Network *network)
{
    GPtrArray *keys = keys_new();

    keys_add(keys, key_text(live, HUB_NETWORK, network->name));
    if (network->bridge)
        keys_add(keys, key_text(live, HUB_BRIDGE, network->bridge));
    return keys;
}

static void network_replace(LiveMap *live, NetworkNode *node, Network *network)
{
    Held *before = node->held;

    node->held = network ? held_new(network, (GDestroyNotify)network_free) : NULL;
    node->network = network;
    if (network)
        node_set_hubs(live, &node->node, network_keys(live, network));
    network_changed(live, node, before ? before->record : NULL, network);
    bury(live, before, held_unref);
}

/* Returns whether that is new. */
static gboolean leases_state(Network *network, const LeaseSet *set)
{
    gboolean changed = network->leases_unread != set->unread || network->leases_late != set->late;

    network->leases_unread = set->unread;
    network->leases_late = set->late;
    return changed;
}

void live_map_put_network(LiveMap *live, Network *network)
{
    NetworkNode *node = node_any(live, NODE_NETWORK, network->uuid);
    const LeaseSet *set = g_hash_table_lookup(live->lease_sets, network->uuid);

    live->news |= 1U << SOURCE_LIBVIRT;
    if (!node)
        node = node_add(live, NODE_NETWORK, sizeof(*node), network->uuid);
    node_revive(live, &node->node);
    if (set)
        leases_state(network, set);
    if (node->network && network_same(node->network, network)) {
        node->network->leases_unread = network->leases_unread;
        node->network->leases_late = network->leases_late;
        network_free(network);
    } else {
        network_replace(live, node, network);
    }
}

/* ------------------------------------------------------------------------------------------ leases */

void lease_set_free(gpointer data)
{
    LeaseSet *set = data;

    for (guint i = 0; i < set->leases->len; i++)
        lease_free(set->leases->pdata[i]);
    g_ptr_array_unref(set->leases);
    g_free(set);
}

static void lease_set_drop_empty(LiveMap *live, const char *uuid)
{
    const LeaseSet *set = g_hash_table_lookup(live->lease_sets, uuid);

    if (set && set->leases->len == 0 && !node_find(live, NODE_NETWORK, uuid))
        g_hash_table_remove(live->lease_sets, uuid);
}

void live_map_remove_network(LiveMap *live, const char *uuid)
{
    NetworkNode *node = node_find(live, NODE_NETWORK, uuid);

    live->news |= 1U << SOURCE_LIBVIRT;
    if (!node)
        return;
    node_remove(live, &node->node);
    network_replace(live, node, NULL);
    lease_set_drop_empty(live, uuid);
}

static GPtrArray *lease_keys(LiveMap *live, const Lease *lease)
{
    GPtrArray *keys = keys_new();

    keys_add(keys, key_text(live, HUB_LEASES, lease->network_uuid));
    keys_add(keys, key_ip(live, &lease->ip));
    if (lease->has_mac)
        keys_add(keys, key_mac(live, &lease->mac));
    if (lease->client_id && lease->ip.family == 4) {
        g_autofree char *client =
            g_strconcat(lease->network ? lease->network : "", "\n", lease->client_id, NULL);

        keys_add(keys, key_text(live, HUB_CLIENT, client));
    }
    return keys;
}

static void lease_wait(LiveMap *live, LeaseNode *node, const Lease *lease)
{
    if (node->expiry.lease)
        g_tree_remove(live->expiries, &node->expiry);
    node->expiry.lease = NULL;
    if (!lease || lease->expiry == 0)
        return;
    node->expiry.lease = node;
    node->expiry.at = lease->expiry;
    g_tree_insert(live->expiries, &node->expiry, node);
}

static void lease_replace(LiveMap *live, LeaseNode *node, Lease *lease)
{
    bury(live, (gpointer)node->lease, (GDestroyNotify)lease_free);
    node->lease = lease;
    lease_wait(live, node, lease);
    if (lease)
        node_set_hubs(live, &node->node, lease_keys(live, lease));
    node_mark(live, &node->node);
}

static gboolean lease_same_key(const Lease *a, const Lease *b)
{
    return ip_equal(&a->ip, &b->ip) && a->has_mac == b->has_mac &&
           (!a->has_mac || mac_equal(&a->mac, &b->mac));
}

/* Its node: of several with one address and MAC, the one at this place. */
static LeaseNode *lease_node(LiveMap *live, const char *uuid, const Lease *lease, guint nth)
{
    char ip[IP_TEXT], mac[MAC_TEXT] = "";
    g_autofree char *key = NULL;
    LeaseNode *node;

    if (lease->has_mac)
        mac_format(&lease->mac, mac);
    key = g_strdup_printf("%s %s %s %u", uuid, ip_format(&lease->ip, ip), mac, nth);
    node = node_any(live, NODE_LEASE, key);
    if (!node) {
        node = node_add(live, NODE_LEASE, sizeof(*node), key);
        node->network_uuid = g_strdup(uuid);
    }
    node_revive(live, &node->node);
    node->node.seen = live->sweep;
    return node;
}

/* TRUE if anything is different. Of equal records the older stays. */
static gboolean leases_take(LiveMap *live, const char *uuid, GPtrArray *leases)
{
    gboolean changed = FALSE;
    guint nth = 0;

    for (guint i = 0; i < leases->len; i++) {
        Lease *lease = leases->pdata[i];
        LeaseNode *node;

        nth = i > 0 && lease_same_key(leases->pdata[i - 1], lease) ? nth + 1 : 0;
        node = lease_node(live, uuid, lease, nth);
        if (node->lease && lease_equal(node->lease, lease)) {
            leases->pdata[i] = (gpointer)node->lease;
            lease_free(lease);
        } else {
            lease_replace(live, node, lease);
            changed = TRUE;
        }
    }
    return changed;
}

static gboolean leases_drop_unseen(LiveMap *live, const char *uuid)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_LEASES, uuid));
    g_autoptr(GPtrArray) unseen = g_ptr_array_new();

    for (guint i = 0; hub && i < hub->len; i++) {
        if (hub->edges[i]->node->seen != live->sweep)
            g_ptr_array_add(unseen, hub->edges[i]->node);
    }
    for (guint i = 0; i < unseen->len; i++) {
        lease_replace(live, unseen->pdata[i], NULL);
        node_remove(live, unseen->pdata[i]);
    }
    return unseen->len > 0;
}

static void put_leases(LiveMap *live, const char *network_uuid, GPtrArray *leases, gboolean unread,
                       gboolean late)
{
    LeaseSet *set = g_hash_table_lookup(live->lease_sets, network_uuid);
    NetworkNode *network = node_find(live, NODE_NETWORK, network_uuid);
    gboolean changed;

    live->news |= 1U << SOURCE_LEASES;
    if (!set) {
        set = g_new0(LeaseSet, 1);
        g_hash_table_insert(live->lease_sets, g_strdup(network_uuid), set);
    }
    g_ptr_array_set_free_func(leases, NULL);
    for (guint i = 0; i < leases->len; i++) {
        Lease *lease = leases->pdata[i];

        g_free(lease->network_uuid);
        lease->network_uuid = g_strdup(network_uuid);
    }
    g_ptr_array_sort(leases, lease_order);
    live->sweep++;
    changed = leases_take(live, network_uuid, leases);
    changed = leases_drop_unseen(live, network_uuid) || changed;
    if (set->leases)
        g_ptr_array_unref(set->leases);
    set->leases = leases;
    set->unread = unread;
    set->late = late;
    if (network && leases_state(network->network, set)) {
        /* Who has no lease may have one that was not read: that is said of guests too. */
        network_changed(live, network, network->network, network->network);
        changed = TRUE;
    }
    if (changed)
        network_touch_leases(live, network_uuid);
    lease_set_drop_empty(live, network_uuid);
}

void live_map_put_leases(LiveMap *live, const char *network_uuid, GPtrArray *leases, gboolean unread)
{
    put_leases(live, network_uuid, leases, unread, FALSE);
}

void live_map_put_leases_late(LiveMap *live, const char *network_uuid)
{
    put_leases(live, network_uuid, g_ptr_array_new_with_free_func((GDestroyNotify)lease_free), TRUE, TRUE);
}

const GPtrArray *live_map_leases(const LiveMap *live, const char *network_uuid)
{
    const LeaseSet *set = g_hash_table_lookup(live->lease_sets, network_uuid);

    return set ? set->leases : NULL;
}

/* A lease lives while it ends after now. */
void leases_pass(LiveMap *live, gint64 before, gint64 now)
{
    Expiry after = {.at = MIN(before, now), .lease = (gconstpointer)G_MAXSIZE};

    for (GTreeNode *at = g_tree_upper_bound(live->expiries, &after); at; at = g_tree_node_next(at)) {
        LeaseNode *node = g_tree_node_value(at);

        if (node->expiry.at > MAX(before, now))
            break;
        node_mark(live, &node->node);
        network_touch_leases(live, node->network_uuid);
    }
}
