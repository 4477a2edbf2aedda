/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

#include <string.h>

/*
 * The kernel's facts. A name that goes from one link to another, or to none, makes the claims of domains
 * doubtful that were read before: live->generation counts such changes, and the name's hub remembers its
 * last.
 */

/* ------------------------------------------------------------------------------------------- names */

/* The link that the join takes for the name: of several (one of them renamed, and not told yet), the last. */
static guint name_owner(LiveMap *live, const char *name)
{
    const Hub *hub = hub_find(live, key_text(live, HUB_NAME, name));
    guint owner = 0;

    for (guint i = 0; hub && i < hub->len; i++) {
        if (hub->edges[i]->node->kind == NODE_LINK)
            owner = MAX(owner, ((LinkNode *)hub->edges[i]->node)->link->ifindex);
    }
    return owner;
}

/* Before links of this name change. */
static void name_watch(LiveMap *live, const char *name)
{
    if (!g_hash_table_contains(live->renamed, name))
        g_hash_table_insert(live->renamed, g_strdup(name), GUINT_TO_POINTER(name_owner(live, name)));
}

/* After they did. */
static void names_settle(LiveMap *live)
{
    GHashTableIter iter;
    gpointer name, owner;

    g_hash_table_iter_init(&iter, live->renamed);
    while (g_hash_table_iter_next(&iter, &name, &owner)) {
        Hub *hub;

        if (name_owner(live, name) == GPOINTER_TO_UINT(owner))
            continue;
        live->generation++;
        hub = hub_find(live, key_text(live, HUB_NAME, name));
        if (!hub)
            continue;
        hub->generation = live->generation;
        doubt_name(live, hub);
    }
    g_hash_table_remove_all(live->renamed);
}

/* ------------------------------------------------------------------------------------------- links */

/* What is shown of others, because this link is their bridge. */
static void link_touch_dependants(LiveMap *live, const Link *link)
{
    const Hub *networks;

    hub_mark(live, hub_find(live, key_index(live, HUB_MASTER, link->ifindex)), NODE_LINK);
    hub_mark(live, hub_find(live, key_index(live, HUB_DEVICE, link->ifindex)), NODE_NEIGHBOUR);
    hub_mark(live, hub_find(live, key_text(live, HUB_TO_BRIDGE, link->name)), NODE_DOMAIN);
    networks = hub_find(live, key_text(live, HUB_BRIDGE, link->name));
    for (guint i = 0; networks && i < networks->len; i++) {
        const NetworkNode *network = (const NetworkNode *)networks->edges[i]->node;

        hub_mark(live, hub_find(live, key_text(live, HUB_TO_NETWORK, network->network->name)), NODE_DOMAIN);
    }
}

/* Whether an inactive network's bridge has ports decides how it is put right. */
static void link_touch_master(LiveMap *live, const Link *link)
{
    const LinkNode *master = link && link->master ? node_link(live, link->master) : NULL;

    if (master)
        networks_touch(live, master->link->name, FALSE, TRUE);
}

/* One of them may be NULL. */
static void link_changed(LiveMap *live, LinkNode *node, const Link *before, const Link *now)
{
    const Link *states[] = {before, now};

    if (before && now && link_same(before, now) && link_same_bridge(before, now))
        return;
    if (!before || !now || !link_same(before, now))
        node_mark(live, &node->node);
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (!states[i])
            continue;
        if (!before || !now || !link_same_context(before, now))
            link_touch_dependants(live, states[i]);
        if (!before || !now || !link_same_bridge(before, now))
            networks_touch(live, states[i]->name, TRUE, FALSE);
        if (!before || !now || before->master != now->master)
            link_touch_master(live, states[i]);
    }
}

static GPtrArray *link_keys(LiveMap *live, const Link *link)
{
    GPtrArray *keys = keys_new();

    keys_add(keys, key_text(live, HUB_NAME, link->name));
    if (link->master)
        keys_add(keys, key_index(live, HUB_MASTER, link->master));
    return keys;
}

static void link_replace(LiveMap *live, LinkNode *node, Link *link)
{
    Held *before = node->held;

    node->held = link ? held_new(link, (GDestroyNotify)link_free) : NULL;
    node->link = link;
    if (link)
        node_set_hubs(live, &node->node, link_keys(live, link));
    link_changed(live, node, before ? before->record : NULL, link);
    bury(live, before, held_unref);
}

static void link_put(LiveMap *live, Link *link)
{
    LinkNode *node;
    const char *key = key_index(live, 'l', link->ifindex);

    live->news |= 1U << SOURCE_LINKS;
    node = node_any(live, NODE_LINK, key);
    if (!node)
        node = node_add(live, NODE_LINK, sizeof(*node), key);
    node_revive(live, &node->node);
    node->node.seen = live->sweep;
    if (node->link && g_strcmp0(node->link->name, link->name) != 0)
        name_watch(live, node->link->name);
    if (!node->link || g_strcmp0(node->link->name, link->name) != 0)
        name_watch(live, link->name);
    link_replace(live, node, link);
}

/* What is learned on a port hangs together with it over no hub. */
static void port_mark(LiveMap *live, guint ifindex)
{
    LinkNode *port = node_link(live, ifindex);

    if (port)
        node_mark(live, &port->node);
}

static void fdb_drop(LiveMap *live, FdbNode *node)
{
    port_mark(live, node->entry.ifindex);
    node_remove(live, &node->node);
}

/* Those of a hub that nothing is told of, which are in it no more. */
static void hub_remove_nodes(LiveMap *live, char kind, guint ifindex)
{
    const Hub *hub;

    while ((hub = hub_find(live, key_index(live, kind, ifindex))) != NULL) {
        Node *node = hub->edges[0]->node;

        if (node->kind == NODE_FDB)
            fdb_drop(live, (FdbNode *)node);
        else
            node_remove(live, node);
    }
}

static void link_drop(LiveMap *live, LinkNode *node)
{
    guint ifindex = node->link->ifindex;

    live->news |= 1U << SOURCE_LINKS;
    name_watch(live, node->link->name);
    hub_remove_nodes(live, HUB_DEVICE, ifindex);
    hub_remove_nodes(live, HUB_PORT, ifindex);
    node_remove(live, &node->node);
    link_replace(live, node, NULL);
}

void live_map_put_link(LiveMap *live, Link *link)
{
    link_put(live, link);
    names_settle(live);
}

void live_map_remove_link(LiveMap *live, guint ifindex)
{
    LinkNode *node = node_link(live, ifindex);

    if (!node)
        return;
    link_drop(live, node);
    names_settle(live);
}

/* ---------------------------------------------------------------------------------------- addresses */

static const char *address_key(LiveMap *live, const LinkAddress *address)
{
    guint8 bytes[sizeof(address->net.ip.bytes) + 2];

    memcpy(bytes, address->net.ip.bytes, sizeof(address->net.ip.bytes));
    bytes[sizeof(bytes) - 2] = address->net.ip.family;
    bytes[sizeof(bytes) - 1] = address->net.prefix;
    return key_bytes(live, 'a', address->ifindex, bytes, sizeof(bytes));
}

static void address_touch(LiveMap *live, guint ifindex)
{
    const LinkNode *link = node_link(live, ifindex);

    if (link)
        networks_touch(live, link->link->name, FALSE, FALSE);
}

void live_map_put_address(LiveMap *live, const LinkAddress *address)
{
    const char *key = address_key(live, address);
    AddressNode *node = node_find(live, NODE_ADDRESS, key);

    live->news |= 1U << SOURCE_LINKS;
    if (!node) {
        GPtrArray *keys = keys_new();

        node = node_add(live, NODE_ADDRESS, sizeof(*node), key);
        keys_add(keys, key_index(live, HUB_DEVICE, address->ifindex));
        node_set_hubs(live, &node->node, keys);
        address_touch(live, address->ifindex);
    }
    node->address = *address;
    node->node.seen = live->sweep;
}

void live_map_remove_address(LiveMap *live, const LinkAddress *address)
{
    Node *node = node_find(live, NODE_ADDRESS, address_key(live, address));

    live->news |= 1U << SOURCE_LINKS;
    if (!node)
        return;
    node_remove(live, node);
    address_touch(live, address->ifindex);
}

/* --------------------------------------------------------------------------------------- neighbours */

static const char *neighbour_key(LiveMap *live, guint ifindex, const Ip *ip)
{
    return key_bytes(live, 'h', ifindex, ip->bytes, ip->family == 4 ? 4 : sizeof(ip->bytes));
}

/* Every device has entries of the same groups: nobody's addresses, which would make one of all. */
static gboolean mac_is_group(const Mac *mac)
{
    return mac->bytes[0] & 1;
}

static GPtrArray *neighbour_keys(LiveMap *live, const Neighbour *neighbour)
{
    GPtrArray *keys = keys_new();

    keys_add(keys, key_index(live, HUB_DEVICE, neighbour->ifindex));
    if (neighbour->has_mac && !mac_is_group(&neighbour->mac))
        keys_add(keys, key_mac(live, &neighbour->mac));
    if (!ip_is_multicast(&neighbour->ip))
        keys_add(keys, key_ip(live, &neighbour->ip));
    return keys;
}

void live_map_put_neighbour(LiveMap *live, const Neighbour *neighbour)
{
    const char *key = neighbour_key(live, neighbour->ifindex, &neighbour->ip);
    NeighbourNode *node = node_find(live, NODE_NEIGHBOUR, key);
    Neighbour before = {0};
    gboolean known = node != NULL;

    live->news |= 1U << SOURCE_NEIGHBOURS;
    if (known)
        before = neighbour_now(live, node);
    else
        node = node_add(live, NODE_NEIGHBOUR, sizeof(*node), key);
    if (!known || node->stamp != G_MAXINT64)
        g_ptr_array_add(live->unstamped, node);
    node->neighbour = *neighbour;
    node->stamp = G_MAXINT64;
    node->node.seen = live->sweep;
    if (known && neighbour_same(&before, neighbour))
        return;
    node_set_hubs(live, &node->node, neighbour_keys(live, neighbour));
    node_mark(live, &node->node);
}

void live_map_remove_neighbour(LiveMap *live, guint ifindex, const Ip *ip)
{
    Node *node = node_find(live, NODE_NEIGHBOUR, neighbour_key(live, ifindex, ip));

    live->news |= 1U << SOURCE_NEIGHBOURS;
    if (node)
        node_remove(live, node);
}

/* --------------------------------------------------------------------------------- forwarding table */

/* A bridge has one entry for an address: when the guest is seen on another port, the entry moves, and of the
 * old port nothing is told. */
static const char *fdb_key(LiveMap *live, const FdbEntry *entry)
{
    guint8 bytes[2 + sizeof(entry->mac.bytes)] = {entry->vlan >> 8, entry->vlan & 0xff};
    const LinkNode *port = entry->master ? NULL : node_link(live, entry->ifindex);

    memcpy(bytes + 2, entry->mac.bytes, sizeof(entry->mac.bytes));
    return key_bytes(live, 'f', port ? port->link->master : entry->master, bytes, sizeof(bytes));
}

static GPtrArray *fdb_keys(LiveMap *live, const FdbEntry *entry)
{
    GPtrArray *keys = keys_new();

    keys_add(keys, key_index(live, HUB_PORT, entry->ifindex));
    keys_add(keys, key_index(live, HUB_DEVICE, entry->master));
    if (!mac_is_group(&entry->mac))
        keys_add(keys, key_mac(live, &entry->mac));
    return keys;
}

void live_map_put_fdb(LiveMap *live, const FdbEntry *entry)
{
    g_autofree char *key = g_strdup(fdb_key(live, entry));
    FdbNode *node = node_find(live, NODE_FDB, key);
    const LinkNode *port = entry->master ? NULL : node_link(live, entry->ifindex);
    gboolean moved = node && node->entry.ifindex != entry->ifindex;

    live->news |= 1U << SOURCE_LINKS;
    if (entry->permanent) {
        if (node)
            fdb_drop(live, node);
        return;
    }
    if (moved)
        port_mark(live, node->entry.ifindex);
    if (!node || moved) {
        node = node ? node : node_add(live, NODE_FDB, sizeof(*node), key);
        node_mark(live, &node->node);
    }
    node->entry = *entry;
    if (port)
        node->entry.master = port->link->master;
    node->node.seen = live->sweep;
    node_set_hubs(live, &node->node, fdb_keys(live, &node->entry));
}

void live_map_remove_fdb(LiveMap *live, const FdbEntry *entry)
{
    FdbNode *node = node_find(live, NODE_FDB, fdb_key(live, entry));

    live->news |= 1U << SOURCE_LINKS;
    if (node && node->entry.ifindex == entry->ifindex)
        fdb_drop(live, node);
}

/* -------------------------------------------------------------------------------------- all at once */

static GPtrArray *nodes_unseen(LiveMap *live, NodeKind kind)
{
    GPtrArray *unseen = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, live->nodes[kind]);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Node *node = value;

        if (!node->gone && node->seen != live->sweep)
            g_ptr_array_add(unseen, value);
    }
    return unseen;
}

static void drop_unseen(LiveMap *live)
{
    static const NodeKind kinds[] = {NODE_ADDRESS, NODE_NEIGHBOUR, NODE_FDB, NODE_LINK};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GPtrArray) unseen = nodes_unseen(live, kinds[i]);

        for (guint j = 0; j < unseen->len; j++) {
            Node *node = unseen->pdata[j];

            if (kinds[i] == NODE_LINK)
                link_drop(live, (LinkNode *)node);
            else if (kinds[i] == NODE_FDB)
                fdb_drop(live, (FdbNode *)node);
            else
                node_remove(live, node);
            if (kinds[i] == NODE_ADDRESS)
                address_touch(live, ((AddressNode *)node)->address.ifindex);
        }
    }
}

void live_map_put_kernel(LiveMap *live, Facts *facts)
{
    g_autofree gpointer *links = NULL;
    gsize count;

    live->sweep++;
    links = g_ptr_array_steal(facts->links, &count);
    for (gsize i = 0; i < count; i++)
        link_put(live, links[i]);
    for (guint i = 0; i < facts->addresses->len; i++)
        live_map_put_address(live, &g_array_index(facts->addresses, LinkAddress, i));
    for (guint i = 0; i < facts->neighbours->len; i++)
        live_map_put_neighbour(live, &g_array_index(facts->neighbours, Neighbour, i));
    for (guint i = 0; i < facts->fdb->len; i++)
        live_map_put_fdb(live, &g_array_index(facts->fdb, FdbEntry, i));
    drop_unseen(live);
    names_settle(live);
    live->news |= 1U << SOURCE_LINKS | 1U << SOURCE_NEIGHBOURS;
}
