/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

#include <net/if.h>
#include <string.h>

/*
 * Whether two readings say the same. Left out is what changes without anybody telling, which the next reading
 * just takes over: whether a network starts with the host and its subnets, the link state of an interface,
 * what a guest agent says; in the kernel ages, a bridge's id, addresses that are tentative, neighbours that
 * nobody answered for.
 */

/* ----------------------------------------------------------------------------------------- libvirt */

static gboolean same_interface(const DomainInterface *a, const DomainInterface *b)
{
    return g_strcmp0(a->alias, b->alias) == 0 && g_strcmp0(a->type, b->type) == 0 &&
           g_strcmp0(a->source, b->source) == 0 && g_strcmp0(a->network, b->network) == 0 &&
           g_strcmp0(a->bridge, b->bridge) == 0 && g_strcmp0(a->target, b->target) == 0 &&
           g_strcmp0(a->model, b->model) == 0 && a->has_mac == b->has_mac && mac_equal(&a->mac, &b->mac);
}

gboolean follow_same_domain(const Domain *a, const Domain *b)
{
    if (!a || !b)
        return a == b;
    if (g_strcmp0(a->name, b->name) != 0 || a->id != b->id || a->state != b->state ||
        a->interfaces->len != b->interfaces->len)
        return FALSE;
    for (guint i = 0; i < a->interfaces->len; i++) {
        if (!same_interface(a->interfaces->pdata[i], b->interfaces->pdata[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean follow_network_is(const Network *network)
{
    return network->active || network->persistent;
}

gboolean follow_same_network(const Network *a, const Network *b)
{
    if (!a || !b)
        return a == b;
    return g_strcmp0(a->name, b->name) == 0 && a->active == b->active && a->persistent == b->persistent &&
           g_strcmp0(a->bridge, b->bridge) == 0;
}

static char *lease_text(const Lease *lease)
{
    char ip[IP_TEXT], mac[MAC_TEXT];

    return g_strdup_printf("%s %s %" G_GINT64_FORMAT " %s %s", ip_format(&lease->ip, ip),
                           lease->has_mac ? mac_format(&lease->mac, mac) : "-", lease->expiry,
                           lease->hostname ? lease->hostname : "-",
                           lease->client_id ? lease->client_id : "-");
}

static GHashTable *leases_texts(const GPtrArray *leases, gint64 now)
{
    GHashTable *texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; leases && i < leases->len; i++) {
        if (lease_is_live(leases->pdata[i], now))
            g_hash_table_add(texts, lease_text(leases->pdata[i]));
    }
    return texts;
}

gboolean follow_same_leases(const GPtrArray *a, const GPtrArray *b, gint64 now)
{
    g_autoptr(GHashTable) left = leases_texts(a, now);
    g_autoptr(GHashTable) right = leases_texts(b, now);
    GHashTableIter iter;
    gpointer text;

    if (g_hash_table_size(left) != g_hash_table_size(right))
        return FALSE;
    g_hash_table_iter_init(&iter, left);
    while (g_hash_table_iter_next(&iter, &text, NULL)) {
        if (!g_hash_table_contains(right, text))
            return FALSE;
    }
    return TRUE;
}

gboolean follow_listed_differs(const LiveMap *live, FollowKind kind, const FollowListed *listed)
{
    const Domain *domain = kind == FOLLOW_DOMAIN ? live_map_domain(live, listed->uuid) : NULL;
    const Network *network = kind == FOLLOW_NETWORK ? live_map_network(live, listed->uuid) : NULL;

    if (domain)
        return g_strcmp0(domain->name, listed->name) != 0 || domain->id != listed->id ||
               domain->state != listed->state;
    if (network)
        return g_strcmp0(network->name, listed->name) != 0 || network->active != listed->active ||
               network->persistent != listed->persistent || network->autostart != listed->autostart;
    return TRUE;
}

/* ------------------------------------------------------------------------------------------ kernel */

char *follow_name_link(guint ifindex)
{
    return g_strdup_printf("link %u", ifindex);
}

char *follow_name_address(const LinkAddress *address)
{
    g_autofree char *net = ipnet_to_string(&address->net);

    return g_strdup_printf("address %s on %u", net, address->ifindex);
}

char *follow_name_neighbour(const Neighbour *neighbour)
{
    char ip[IP_TEXT];

    return g_strdup_printf("neighbour %s on %u", ip_format(&neighbour->ip, ip), neighbour->ifindex);
}

char *follow_name_fdb(const FdbEntry *entry)
{
    char mac[MAC_TEXT];

    return g_strdup_printf("MAC %s (vlan %u) on %u", mac_format(&entry->mac, mac), entry->vlan,
                           entry->ifindex);
}

static gboolean same_link(const Link *a, const Link *b)
{
    return g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->kind, b->kind) == 0 &&
           (a->flags & IFF_UP) == (b->flags & IFF_UP) && a->mtu == b->mtu && a->has_mac == b->has_mac &&
           mac_equal(&a->mac, &b->mac) && a->master == b->master && a->carrier == b->carrier &&
           a->is_bridge == b->is_bridge && a->is_port == b->is_port;
}

/* Entries that nobody answered for come and go in silence. */
static gboolean neighbour_counts(const Neighbour *neighbour)
{
    return neighbour->has_mac &&
           !(neighbour->state & (NEIGHBOUR_FAILED | NEIGHBOUR_INCOMPLETE | NEIGHBOUR_NOARP));
}

static gboolean fdb_counts(const FdbEntry *entry)
{
    return !entry->permanent && entry->master != 0;
}

/* The differences so far, by name; what is only known so far counts as gone until it is met among the fresh.
 */
static void differ_known(GHashTable *table, DifferKind kind, char *name, gconstpointer known)
{
    FollowDifference *difference = g_new0(FollowDifference, 1);

    difference->kind = kind;
    difference->known = known;
    g_hash_table_replace(table, name, difference);
}

/* Takes the name. same: whether the two say the same; NULL: that they are there is all. */
static void differ_fresh(GHashTable *table, DifferKind kind, char *name, gconstpointer fresh,
                         gboolean (*same)(gconstpointer known, gconstpointer fresh))
{
    FollowDifference *difference = g_hash_table_lookup(table, name);

    if (!difference) {
        difference = g_new0(FollowDifference, 1);
        difference->kind = kind;
        difference->fresh = fresh;
        g_hash_table_insert(table, name, difference);
        return;
    }
    difference->fresh = fresh;
    if (!same || (difference->known && same(difference->known, fresh)))
        g_hash_table_remove(table, name);
    g_free(name);
}

static gboolean links_equal(gconstpointer known, gconstpointer fresh)
{
    return same_link(known, fresh);
}

static gboolean neighbours_equal(gconstpointer known, gconstpointer fresh)
{
    const Neighbour *a = known, *b = fresh;

    return mac_equal(&a->mac, &b->mac);
}

static void differ_links(GHashTable *table, const Facts *known, const Facts *fresh)
{
    for (guint i = 0; i < known->links->len; i++) {
        const Link *link = known->links->pdata[i];

        differ_known(table, DIFFER_LINK, follow_name_link(link->ifindex), link);
    }
    for (guint i = 0; i < fresh->links->len; i++) {
        const Link *link = fresh->links->pdata[i];

        differ_fresh(table, DIFFER_LINK, follow_name_link(link->ifindex), link, links_equal);
    }
}

static gboolean address_is_tentative(const LinkAddress *address)
{
    return (address->flags & LINK_ADDRESS_TENTATIVE) != 0;
}

/*
 * A reading lists an IPv6 address while it is tentative, and again whenever the link comes up; the kernel
 * tells of it when it is not any more.
 */
static void differ_not_tentative(GHashTable *table, const Facts *known)
{
    for (guint i = 0; i < known->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(known->addresses, LinkAddress, i);
        g_autofree char *name = address_is_tentative(address) ? follow_name_address(address) : NULL;

        if (name)
            g_hash_table_remove(table, name);
    }
}

static void differ_addresses(GHashTable *table, const Facts *known, const Facts *fresh)
{
    for (guint i = 0; i < known->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(known->addresses, LinkAddress, i);

        differ_known(table, DIFFER_ADDRESS, follow_name_address(address), address);
    }
    for (guint i = 0; i < fresh->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(fresh->addresses, LinkAddress, i);

        differ_fresh(table, DIFFER_ADDRESS, follow_name_address(address), address, NULL);
    }
    differ_not_tentative(table, known);
    differ_not_tentative(table, fresh);
}

static void differ_neighbours(GHashTable *table, const Facts *known, const Facts *fresh)
{
    for (guint i = 0; i < known->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(known->neighbours, Neighbour, i);

        if (neighbour_counts(neighbour))
            differ_known(table, DIFFER_NEIGHBOUR, follow_name_neighbour(neighbour), neighbour);
    }
    for (guint i = 0; i < fresh->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(fresh->neighbours, Neighbour, i);

        if (neighbour_counts(neighbour))
            differ_fresh(table, DIFFER_NEIGHBOUR, follow_name_neighbour(neighbour), neighbour,
                         neighbours_equal);
    }
}

static void differ_fdb(GHashTable *table, const Facts *known, const Facts *fresh)
{
    for (guint i = 0; i < known->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(known->fdb, FdbEntry, i);

        if (fdb_counts(entry))
            differ_known(table, DIFFER_FDB, follow_name_fdb(entry), entry);
    }
    for (guint i = 0; i < fresh->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(fresh->fdb, FdbEntry, i);

        if (fdb_counts(entry))
            differ_fresh(table, DIFFER_FDB, follow_name_fdb(entry), entry, NULL);
    }
}

GHashTable *follow_kernel_differences(const Facts *known, const Facts *fresh)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    differ_links(table, known, fresh);
    differ_addresses(table, known, fresh);
    differ_neighbours(table, known, fresh);
    differ_fdb(table, known, fresh);
    return table;
}

/* ------------------------------------------------------------------------------------------ in words */

static const char *device_name(guint ifindex, const Facts *known, const Facts *fresh)
{
    const Link *link = facts_link(fresh, ifindex);

    if (!link)
        link = facts_link(known, ifindex);
    return link && link->name ? link->name : "a device that is gone";
}

static char *object_text(const FollowDifference *difference, const Facts *known, const Facts *fresh)
{
    gconstpointer record = difference->fresh ? difference->fresh : difference->known;
    char ip[IP_TEXT], mac[MAC_TEXT];

    switch (difference->kind) {
    case DIFFER_LINK:
        return g_strdup_printf("link %s", ((const Link *)record)->name);
    case DIFFER_ADDRESS: {
        const LinkAddress *address = record;

        return g_strdup_printf("address %s on %s", ip_format(&address->net.ip, ip),
                               device_name(address->ifindex, known, fresh));
    }
    case DIFFER_NEIGHBOUR: {
        const Neighbour *neighbour = record;

        return g_strdup_printf("neighbour %s on %s", ip_format(&neighbour->ip, ip),
                               device_name(neighbour->ifindex, known, fresh));
    }
    case DIFFER_FDB: {
        const FdbEntry *entry = record;

        return g_strdup_printf("MAC %s on %s", mac_format(&entry->mac, mac),
                               device_name(entry->ifindex, known, fresh));
    }
    }
    return NULL;
}

char *follow_difference_text(const FollowDifference *difference, const Facts *known, const Facts *fresh)
{
    g_autofree char *object = object_text(difference, known, fresh);
    const char *what = "changed";

    if (!difference->fresh)
        what = "went";
    else if (!difference->known)
        what = "came";
    return g_strdup_printf("%s %s without an event", object, what);
}
