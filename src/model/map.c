/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/map.h"

#include <string.h>

/*
 * Theory of operation. The join makes indexes over the facts first (links by name, networks by name and
 * bridge, leases by network and MAC, neighbours by bridge and MAC), so that its cost is that of its input;
 * then it makes a row for each interface, then one for each bridge port that no row named, then sorts.
 * Indexes hold pointers into facts and die with the call; rows hold copies.
 */

typedef struct {
    gconstpointer owner; /* Network, or Link of a bridge */
    Mac mac;
} OwnerMac;

typedef struct {
    const Facts *facts;
    GHashTable *links;              /* name -> Link */
    GHashTable *networks_by_name;   /* name -> Network */
    GHashTable *networks_by_uuid;   /* uuid -> Network */
    GHashTable *networks_by_bridge; /* bridge -> the active Network that owns it */
    GHashTable *leases;             /* (Network, MAC) -> GPtrArray of Lease */
    GHashTable *neighbours;         /* (Link of bridge, MAC) -> GPtrArray of Neighbour */
    GHashTable *claimed;            /* set of tap names */
} Join;

const char *address_source_name(AddressSource source)
{
    switch (source) {
    case ADDRESS_LEASE:
        return "lease";
    case ADDRESS_AGENT:
        return "agent";
    case ADDRESS_NEIGHBOUR:
        return "neighbour";
    case ADDRESS_SOURCE_COUNT:
        break;
    }
    return "unknown";
}

static guint owner_mac_hash(gconstpointer key)
{
    const OwnerMac *k = key;
    guint hash = g_direct_hash(k->owner);

    for (gsize i = 0; i < sizeof(k->mac.bytes); i++)
        hash = hash * 33 + k->mac.bytes[i];
    return hash;
}

static gboolean owner_mac_equal(gconstpointer a, gconstpointer b)
{
    const OwnerMac *left = a;
    const OwnerMac *right = b;

    return left->owner == right->owner && mac_equal(&left->mac, &right->mac);
}

static GHashTable *owner_mac_table(void)
{
    return g_hash_table_new_full(owner_mac_hash, owner_mac_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

static void owner_mac_add(GHashTable *table, gconstpointer owner, const Mac *mac, gpointer item)
{
    OwnerMac key = {.owner = owner, .mac = *mac};
    GPtrArray *items = g_hash_table_lookup(table, &key);

    if (!items) {
        items = g_ptr_array_new();
        g_hash_table_insert(table, g_memdup2(&key, sizeof(key)), items);
    }
    g_ptr_array_add(items, item);
}

static const GPtrArray *owner_mac_find(GHashTable *table, gconstpointer owner, const Mac *mac)
{
    OwnerMac key = {.owner = owner, .mac = *mac};

    return owner ? g_hash_table_lookup(table, &key) : NULL;
}

/* ----------------------------------------------------------------------------------------- indexes */

static void join_index_networks(Join *join)
{
    for (guint i = 0; i < join->facts->networks->len; i++) {
        Network *network = join->facts->networks->pdata[i];

        g_hash_table_insert(join->networks_by_name, network->name, network);
        if (network->uuid)
            g_hash_table_insert(join->networks_by_uuid, network->uuid, network);
        /* An inactive one owns nothing: so views that read active ones alone say the same of a bridge. */
        if (network->active && network->bridge && network_owns_bridge(network) &&
            network_outranks(network, g_hash_table_lookup(join->networks_by_bridge, network->bridge)))
            g_hash_table_insert(join->networks_by_bridge, network->bridge, network);
    }
}

static Network *join_lease_network(const Join *join, const Lease *lease)
{
    Network *network =
        lease->network_uuid ? g_hash_table_lookup(join->networks_by_uuid, lease->network_uuid) : NULL;

    if (!network && lease->network)
        network = g_hash_table_lookup(join->networks_by_name, lease->network);
    return network;
}

/* A lease whose address lies outside its network is a lie or a leftover of another subnet; it names nobody.
 */
static gboolean lease_is_credible(const Network *network, const Lease *lease, gint64 now)
{
    return network && lease->has_mac && lease_is_live(lease, now) && network_ip_of(network, &lease->ip);
}

static void join_index_leases(Join *join)
{
    for (guint i = 0; i < join->facts->leases->len; i++) {
        Lease *lease = join->facts->leases->pdata[i];
        Network *network = join_lease_network(join, lease);

        if (lease_is_credible(network, lease, join->facts->now))
            owner_mac_add(join->leases, network, &lease->mac, lease);
    }
}

static void join_index_neighbours(Join *join)
{
    for (guint i = 0; i < join->facts->neighbours->len; i++) {
        Neighbour *neighbour = &g_array_index(join->facts->neighbours, Neighbour, i);
        Link *link = facts_link(join->facts, neighbour->ifindex);

        if (link && neighbour->has_mac &&
            !(neighbour->state & (NEIGHBOUR_FAILED | NEIGHBOUR_INCOMPLETE | NEIGHBOUR_NOARP)))
            owner_mac_add(join->neighbours, link, &neighbour->mac, neighbour);
    }
}

static void join_init(Join *join, const Facts *facts)
{
    join->facts = facts;
    join->links = g_hash_table_new(g_str_hash, g_str_equal);
    join->networks_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    join->networks_by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
    join->networks_by_bridge = g_hash_table_new(g_str_hash, g_str_equal);
    join->leases = owner_mac_table();
    join->neighbours = owner_mac_table();
    join->claimed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < facts->links->len; i++) {
        Link *link = facts->links->pdata[i];

        g_hash_table_insert(join->links, link->name, link);
    }
    join_index_networks(join);
    join_index_leases(join);
    join_index_neighbours(join);
}

static void join_clear(Join *join)
{
    g_hash_table_unref(join->links);
    g_hash_table_unref(join->networks_by_name);
    g_hash_table_unref(join->networks_by_uuid);
    g_hash_table_unref(join->networks_by_bridge);
    g_hash_table_unref(join->leases);
    g_hash_table_unref(join->neighbours);
    g_hash_table_unref(join->claimed);
}

/* --------------------------------------------------------------------------------------- addresses */

static void address_free(Address *address)
{
    g_free(address->hostname);
    g_free(address->client_id);
    g_free(address);
}

/* The entry of this address, made if it is new. The first evidence to come is the best: callers go in that
 * order. */
static Address *row_address(MapRow *row, const Ip *ip, AddressSource source, gboolean *is_new)
{
    Address *address;

    for (guint i = 0; i < row->addresses->len; i++) {
        address = row->addresses->pdata[i];
        if (ip_equal(&address->ip, ip)) {
            address->sources |= 1U << source;
            *is_new = FALSE;
            return address;
        }
    }
    address = g_new0(Address, 1);
    address->ip = *ip;
    address->prefix = -1;
    address->source = source;
    address->sources = 1U << source;
    g_ptr_array_add(row->addresses, address);
    *is_new = TRUE;
    return address;
}

static gint64 lease_rank(const Lease *lease)
{
    return lease->expiry == 0 ? G_MAXINT64 : lease->expiry;
}

static void row_add_leases(MapRow *row, const GPtrArray *leases)
{
    for (guint i = 0; leases && i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];
        gboolean is_new;
        Address *address = row_address(row, &lease->ip, ADDRESS_LEASE, &is_new);
        gint64 known = address->has_expiry ? address->expiry : G_MAXINT64;

        if (!is_new && known >= lease_rank(lease))
            continue;
        g_free(address->hostname);
        g_free(address->client_id);
        address->hostname = g_strdup(lease->hostname);
        address->client_id = g_strdup(lease->client_id);
        address->prefix = lease->prefix ? lease->prefix : -1;
        address->has_expiry = lease->expiry != 0;
        address->expiry = lease->expiry;
    }
}

/* The row has a MAC. */
static void row_add_agent(MapRow *row, const Domain *domain)
{
    for (guint i = 0; i < domain->agent->len; i++) {
        const AgentAddress *reported = &g_array_index(domain->agent, AgentAddress, i);
        gboolean is_new;
        Address *address;

        if (!mac_equal(&reported->mac, &row->mac))
            continue;
        address = row_address(row, &reported->net.ip, ADDRESS_AGENT, &is_new);
        if (address->prefix < 0)
            address->prefix = reported->net.prefix;
    }
}

static void row_add_neighbours(MapRow *row, const GPtrArray *neighbours)
{
    for (guint i = 0; neighbours && i < neighbours->len; i++) {
        const Neighbour *neighbour = neighbours->pdata[i];
        gboolean is_new;

        row_address(row, &neighbour->ip, ADDRESS_NEIGHBOUR, &is_new);
    }
}

gint address_compare_evidence(gconstpointer a, gconstpointer b)
{
    const Address *left = *(Address *const *)a;
    const Address *right = *(Address *const *)b;
    gint64 left_expiry = left->has_expiry ? left->expiry : G_MAXINT64;
    gint64 right_expiry = right->has_expiry ? right->expiry : G_MAXINT64;

    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    if (left->source == ADDRESS_LEASE && left_expiry != right_expiry)
        return left_expiry > right_expiry ? -1 : 1;
    return 0;
}

static gint compare_addresses(gconstpointer a, gconstpointer b)
{
    const Address *left = *(Address *const *)a;
    const Address *right = *(Address *const *)b;
    gboolean left_local = ip_is_link_local(&left->ip);
    gboolean right_local = ip_is_link_local(&right->ip);
    gint order = address_compare_evidence(a, b);

    if (left_local != right_local)
        return left_local ? 1 : -1;
    return order ? order : ip_compare(&left->ip, &right->ip);
}

/* -------------------------------------------------------------------------------------------- rows */

void map_row_free(MapRow *row)
{
    if (!row)
        return;
    g_free(row->domain);
    g_free(row->domain_uuid);
    g_free(row->alias);
    g_free(row->type);
    g_free(row->source);
    g_free(row->network);
    g_free(row->network_uuid);
    g_free(row->model);
    g_free(row->tap);
    g_free(row->bridge);
    g_free(row->network_bridge);
    g_ptr_array_unref(row->addresses);
    g_ptr_array_unref(row->problems);
    g_free(row);
}

static MapRow *map_row_new(void)
{
    MapRow *row = g_new0(MapRow, 1);

    row->domain_id = -1;
    row->carrier = -1;
    row->addresses = g_ptr_array_new_with_free_func((GDestroyNotify)address_free);
    row->problems = g_ptr_array_new();
    return row;
}

static MapRow *row_of_domain(const Domain *domain)
{
    MapRow *row = map_row_new();

    row->has_domain = TRUE;
    row->domain = g_strdup(domain->name);
    row->domain_uuid = g_strdup(domain->uuid);
    row->domain_id = domain->id;
    row->domain_state = domain->state;
    return row;
}

static void row_take_link(const Join *join, MapRow *row, const Link *link)
{
    const Link *master = link->master ? facts_link(join->facts, link->master) : NULL;

    row->ifindex = link->ifindex;
    row->has_host_mac = link->has_mac;
    row->host_mac = link->mac;
    row->mtu = link->mtu;
    row->carrier = link->carrier;
    row->bridge = g_strdup(master ? master->name : NULL);
}

static void row_take_network(MapRow *row, const Network *network)
{
    if (!network)
        return;
    g_free(row->network);
    row->network = g_strdup(network->name);
    row->network_uuid = g_strdup(network->uuid);
    if (!row->network_bridge && network->active)
        row->network_bridge = g_strdup(network->bridge);
}

static const Network *join_interface_network(const Join *join, const DomainInterface *iface)
{
    if (iface->network)
        return g_hash_table_lookup(join->networks_by_name, iface->network);
    if (iface->bridge)
        return g_hash_table_lookup(join->networks_by_bridge, iface->bridge);
    return NULL;
}

/*
 * A guest that does not run has no address, whatever it was leased before; nor is there one to be had from a
 * network that is not active.
 */
static void row_take_addresses(const Join *join, MapRow *row, const Domain *domain, const Network *network,
                               const char *bridge)
{
    if (!row->has_mac || domain->id < 0)
        return;
    if (network && network->active)
        row_add_leases(row, owner_mac_find(join->leases, network, &row->mac));
    row_add_agent(row, domain);
    row_add_neighbours(row,
                       owner_mac_find(join->neighbours,
                                      bridge ? g_hash_table_lookup(join->links, bridge) : NULL, &row->mac));
    g_ptr_array_sort(row->addresses, compare_addresses);
}

static MapRow *join_interface(Join *join, const Domain *domain, guint order)
{
    const DomainInterface *iface = domain->interfaces->pdata[order];
    const Network *network = join_interface_network(join, iface);
    const Link *link =
        domain->id >= 0 && iface->target ? g_hash_table_lookup(join->links, iface->target) : NULL;
    MapRow *row = row_of_domain(domain);

    row->interface_known = TRUE;
    row->order = order;
    row->alias = g_strdup(iface->alias);
    row->type = g_strdup(iface->type);
    row->source = g_strdup(iface->source);
    row->network = g_strdup(iface->network);
    row->network_bridge = g_strdup(iface->bridge);
    row->model = g_strdup(iface->model);
    row->has_mac = iface->has_mac;
    row->mac = iface->mac;
    row->tap = g_strdup(iface->target);
    row->link = iface->link;
    row_take_network(row, network);
    if (link) {
        row_take_link(join, row, link);
        g_hash_table_add(join->claimed, g_strdup(link->name));
    }
    row_take_addresses(join, row, domain, network, row->network_bridge);
    return row;
}

static void join_domain(Join *join, const Domain *domain, GPtrArray *rows)
{
    if (!domain->xml_read) {
        g_ptr_array_add(rows, row_of_domain(domain));
        return;
    }
    for (guint i = 0; i < domain->interfaces->len; i++)
        g_ptr_array_add(rows, join_interface(join, domain, i));
}

/* Ports of libvirt's bridges that no interface named. Only the whole set of active domains can tell. */
static void join_unclaimed(Join *join, GPtrArray *rows)
{
    for (guint i = 0; join->facts->domains_complete && i < join->facts->links->len; i++) {
        const Link *link = join->facts->links->pdata[i];
        const Link *master = link->master ? facts_link(join->facts, link->master) : NULL;
        const Network *network =
            master && master->is_bridge ? g_hash_table_lookup(join->networks_by_bridge, master->name) : NULL;
        MapRow *row;

        if (!network || g_hash_table_contains(join->claimed, link->name))
            continue;
        row = map_row_new();
        row->tap = g_strdup(link->name);
        row_take_link(join, row, link);
        row_take_network(row, network);
        g_ptr_array_add(rows, row);
    }
}

/* NULL sorts last. */
static gint compare_names(const char *a, const char *b)
{
    if (!a || !b)
        return (a == NULL) - (b == NULL);
    return strcmp(a, b);
}

gint map_row_compare(gconstpointer a, gconstpointer b)
{
    const MapRow *left = *(MapRow *const *)a;
    const MapRow *right = *(MapRow *const *)b;
    gint order = compare_names(left->network, right->network);

    if (order == 0)
        order = compare_names(left->domain, right->domain);
    if (order == 0)
        order = compare_names(left->domain_uuid, right->domain_uuid);
    if (order == 0)
        order = left->order < right->order ? -1 : left->order > right->order;
    if (order == 0)
        order = compare_names(left->tap, right->tap);
    return order;
}

/* ------------------------------------------------------------------------------------------ leases */

static gint compare_leases(gconstpointer a, gconstpointer b)
{
    const Lease *left = (*(MapLease *const *)a)->lease;
    const Lease *right = (*(MapLease *const *)b)->lease;
    gint order = compare_names(left->network, right->network);

    if (order == 0)
        order = mac_compare(&left->mac, &right->mac);
    return order ? order : ip_compare(&left->ip, &right->ip);
}

/*
 * Whose a lease is, of all rows with its MAC on its network: the one of a domain that runs, else the only one
 * there is. Where several could have asked for it, nobody can tell.
 */
static const MapRow *lease_owner(const GPtrArray *rows)
{
    const MapRow *owner = NULL;
    guint running = 0;

    for (guint i = 0; rows && i < rows->len; i++) {
        const MapRow *row = rows->pdata[i];

        if (row->domain_id < 0)
            continue;
        owner = row;
        running++;
    }
    if (running > 0)
        return running == 1 ? owner : NULL;
    return rows && rows->len == 1 ? rows->pdata[0] : NULL;
}

static void join_leases(Join *join, Map *map)
{
    g_autoptr(GHashTable) rows = owner_mac_table();

    for (guint i = 0; i < map->rows->len; i++) {
        MapRow *row = map->rows->pdata[i];
        Network *network = row->network ? g_hash_table_lookup(join->networks_by_name, row->network) : NULL;

        if (network && row->has_mac)
            owner_mac_add(rows, network, &row->mac, row);
    }
    for (guint i = 0; i < join->facts->leases->len; i++) {
        const Lease *lease = join->facts->leases->pdata[i];
        const Network *network = join_lease_network(join, lease);
        const GPtrArray *owners = NULL;
        MapLease *record;

        if (!lease_is_live(lease, join->facts->now))
            continue;
        if (lease_is_credible(network, lease, join->facts->now))
            owners = owner_mac_find(rows, network, &lease->mac);
        record = g_new0(MapLease, 1);
        record->lease = lease;
        record->row = lease_owner(owners);
        g_ptr_array_add(map->leases, record);
    }
    g_ptr_array_sort(map->leases, compare_leases);
}

/* --------------------------------------------------------------------------------------------- map */

Map *map_join(const Facts *facts)
{
    Map *map = g_new0(Map, 1);
    Join join;

    map->rows = g_ptr_array_new_with_free_func((GDestroyNotify)map_row_free);
    map->leases = g_ptr_array_new_with_free_func(g_free);
    join_init(&join, facts);
    for (guint i = 0; i < facts->domains->len; i++)
        join_domain(&join, facts->domains->pdata[i], map->rows);
    join_unclaimed(&join, map->rows);
    g_ptr_array_sort(map->rows, map_row_compare);
    join_leases(&join, map);
    join_clear(&join);
    return map;
}

void map_free(Map *map)
{
    if (!map)
        return;
    g_ptr_array_unref(map->leases);
    g_ptr_array_unref(map->rows);
    g_free(map);
}
