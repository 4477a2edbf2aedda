/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/file.h"
#include "base/name.h"
#include "config.h"
#include "sources/libvirt-lookup.h"
#include "sources/libvirt-private.h"

#include <stdlib.h>
#include <string.h>

/*
 * Leases, network by network through libvirt's API, which reads the status file that its leases helper
 * writes. One bad entry makes it refuse the whole file: then the file itself is read, if it is on this host,
 * and what is good in it taken. A network whose leases could not be read at all keeps those known before.
 */

#define LEASE_FILE_MAX ((gsize)32 * 1024 * 1024)

typedef struct {
    char *name, *uuid, *bridge; /* the network's */
    gint64 now;
    guint bad;         /* entries that are no lease */
    GPtrArray *leases; /* the answer: Lease */
} LeaseItem;

static void lease_item_free(gpointer data)
{
    LeaseItem *item = data;

    g_free(item->name);
    g_free(item->uuid);
    g_free(item->bridge);
    g_ptr_array_unref(item->leases);
    g_free(item);
}

static LeaseItem *lease_item_new(const Network *network, gint64 now)
{
    LeaseItem *item = g_new0(LeaseItem, 1);

    item->name = g_strdup(network->name);
    item->uuid = g_strdup(network->uuid);
    item->bridge = g_strdup(network->bridge);
    item->now = now;
    item->leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    return item;
}

static Lease *lease_convert(const virNetworkDHCPLease *from)
{
    g_autoptr(Lease) lease = lease_new();

    if (!from->ipaddr || !ip_parse(from->ipaddr, &lease->ip) || from->expirytime < 0)
        return NULL;
    lease->has_mac = from->mac && mac_parse(from->mac, &lease->mac);
    lease->prefix = from->prefix <= ip_bits(&lease->ip) ? (guint8)from->prefix : 0;
    lease->expiry = from->expirytime;
    lease->bridge = g_strdup(from->iface);
    lease->hostname = g_strdup(from->hostname);
    lease->client_id = g_strdup(from->clientid);
    lease->iaid = g_strdup(from->iaid);
    return g_steal_pointer(&lease);
}

/* Takes the lease; what has expired is no fact any more. */
static void lease_item_add(LeaseItem *item, Lease *lease)
{
    if (!lease_is_live(lease, item->now)) {
        lease_free(lease);
        return;
    }
    lease->network = g_strdup(item->name);
    lease->network_uuid = g_strdup(item->uuid);
    if (!lease->bridge)
        lease->bridge = g_strdup(item->bridge);
    g_ptr_array_add(item->leases, lease);
}

static gboolean lease_call(virConnectPtr conn, gpointer data, GError **error)
{
    LeaseItem *item = data;
    g_autoptr(virNetwork) network = libvirt_lookup_network(conn, item->uuid, error);
    virNetworkDHCPLeasePtr *leases = NULL;
    int count;

    if (!network)
        return FALSE;
    count = virNetworkGetDHCPLeases(network, NULL, &leases, 0);
    if (count < 0)
        return virt_error_take(error);
    for (int i = 0; i < count; i++) {
        Lease *lease = lease_convert(leases[i]);

        if (lease)
            lease_item_add(item, lease);
        else
            item->bad++;
        virNetworkDHCPLeaseFree(leases[i]);
    }
    free(leases);
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- fallback */

static void lease_complete(Lease *lease, const Network *network)
{
    const NetworkIp *ip = network_ip_of(network, &lease->ip);

    lease->prefix = ip ? ip->net.prefix : 0;
}

/*
 * Reads the status file of a network of this host's system daemon. The path is built from a bridge name of
 * the narrow form only.
 */
static gboolean lease_item_read_file(LeaseItem *item, const Network *network, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *bytes = NULL;
    g_autoptr(GPtrArray) leases = NULL;
    gsize length = 0;

    if (!item->bridge || !name_is_ifname(item->bridge))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "no status file is known for it");
    path = g_strdup_printf("%s/dnsmasq/%s.status", VNAT_LIBVIRT_STATE_DIR, item->bridge);
    if (!file_read(path, LEASE_FILE_MAX, FALSE, &bytes, &length, error))
        return FALSE;
    leases = lease_file_parse(bytes, length, &item->bad, error);
    if (!leases)
        return FALSE;
    g_ptr_array_set_free_func(leases, NULL);
    for (guint i = 0; i < leases->len; i++) {
        lease_complete(leases->pdata[i], network);
        lease_item_add(item, leases->pdata[i]);
    }
    return TRUE;
}

/* -------------------------------------------------------------------------------------------- read */

typedef struct {
    VirtConn *conn;
    Facts *facts;
    GPtrArray *leases;
    guint answered, unsupported;
    GHashTable *failed; /* UUIDs of networks whose leases could not be read */
    GError *cause;      /* of the first of them */
    char *absent;       /* why the driver has none */
    char *partial;      /* of the first network that was read in part */
} LeaseReading;

static Network *lease_network(const LeaseReading *reading, const LeaseItem *item)
{
    return facts_network(reading->facts, item->uuid);
}

/* The daemon whose files are in the system's directory: SCHEME:///system. */
static gboolean lease_files_here(VirtConn *conn)
{
    return virt_conn_local(conn) && g_str_has_suffix(virt_conn_uri(conn), ":///system");
}

static void lease_mark(const LeaseReading *reading, const LeaseItem *item, gboolean unread)
{
    Network *network = lease_network(reading, item);

    if (network)
        network->leases_unread = unread;
}

static void lease_take(LeaseReading *reading, LeaseItem *item)
{
    reading->answered++;
    lease_mark(reading, item, item->bad > 0);
    for (guint i = 0; i < item->leases->len; i++)
        g_ptr_array_add(reading->leases, item->leases->pdata[i]);
    g_ptr_array_set_free_func(item->leases, NULL);
    if (!reading->partial && item->bad > 0)
        reading->partial =
            g_strdup_printf("network '%s': %u of the file's entries are no lease", item->name, item->bad);
}

static void lease_done(gpointer data, const GError *error, gpointer user_data)
{
    LeaseItem *item = data;
    LeaseReading *reading = user_data;
    const Network *network;

    if (!error) {
        lease_take(reading, item);
        return;
    }
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return;
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED)) {
        if (reading->unsupported++ == 0)
            reading->absent = g_strdup(error->message);
        return;
    }
    /* libvirt gives up on bytes that are no UTF-8, and on the first bad entry. The file may be good to read
     * yet. */
    network = lease_network(reading, item);
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_FAILED) && lease_files_here(reading->conn) && network &&
        lease_item_read_file(item, network, NULL)) {
        lease_take(reading, item);
        return;
    }
    lease_mark(reading, item, TRUE);
    g_hash_table_add(reading->failed, g_strdup(item->uuid));
    if (!reading->cause)
        g_set_error(&reading->cause, error->domain, error->code, "network '%s': %s", item->name,
                    error->message);
}

/* The file bears the bridge's name: where another network has that bridge now, the leases are the other's. */
static gboolean leases_are_others(const Facts *facts, const Network *network)
{
    return network->xml_read && facts_network_of_bridge(facts, network->bridge) != network;
}

/* Leases outlive the network's bridge, as they outlive a guest: what is not active may have them. */
static GPtrArray *lease_items(const Facts *facts)
{
    GPtrArray *items = g_ptr_array_new();

    for (guint i = 0; i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        /* One whose XML was not read may have them too. */
        if (!network->uuid || (network->ips->len == 0 && network->xml_read))
            continue;
        if (network->active || !leases_are_others(facts, network))
            g_ptr_array_add(items, lease_item_new(network, facts->now));
        else
            network->leases_unread = TRUE;
    }
    return items;
}

/* Leases of before stay, as long as they live, where no newer ones could be read. */
static void leases_keep_old(const LeaseReading *reading)
{
    GPtrArray *old = reading->facts->leases;

    for (guint i = old->len; i > 0; i--) {
        const Lease *lease = old->pdata[i - 1];

        if (lease->network_uuid && g_hash_table_contains(reading->failed, lease->network_uuid) &&
            lease_is_live(lease, reading->facts->now))
            g_ptr_array_add(reading->leases, g_ptr_array_steal_index_fast(old, i - 1));
    }
}

static gint lease_compare(gconstpointer a, gconstpointer b)
{
    const Lease *const *x = a, *const *y = b;
    int order = g_strcmp0((*x)->network, (*y)->network);

    return order != 0 ? order : ip_compare(&(*x)->ip, &(*y)->ip);
}

static void leases_adopt(LeaseReading *reading)
{
    Facts *facts = reading->facts;
    SourceStatus *status = &facts->sources[SOURCE_LEASES];

    leases_keep_old(reading);
    g_ptr_array_sort(reading->leases, lease_compare);
    g_ptr_array_unref(facts->leases);
    facts->leases = g_ptr_array_ref(reading->leases);
    status->generation++;
    status->time = facts->now;
    if (reading->cause)
        source_status_set(status, SOURCE_STALE, reading->cause->message);
    else if (reading->partial)
        source_status_set(status, SOURCE_STALE, reading->partial);
    else if (reading->absent && reading->answered == 0)
        source_status_set(status, SOURCE_ABSENT, reading->absent);
    else
        source_status_set(status, SOURCE_LIVE, NULL);
}

static void lease_reading_clear(LeaseReading *reading)
{
    g_ptr_array_unref(reading->leases);
    g_hash_table_unref(reading->failed);
    g_clear_error(&reading->cause);
    g_free(reading->absent);
    g_free(reading->partial);
}

gboolean libvirt_read_leases(VirtConn *conn, Facts *facts, Deadline deadline, GError **error)
{
    LeaseReading reading = {.conn = conn, .facts = facts};
    g_autoptr(GPtrArray) items = lease_items(facts);
    gboolean ok;

    reading.leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    reading.failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    virt_call_each(conn, "virNetworkGetDHCPLeases", lease_call, items, lease_item_free, VIRT_BULK, lease_done,
                   &reading, deadline);
    ok = !reading.cause || reading.answered > 0;
    if (ok)
        leases_adopt(&reading);
    else
        libvirt_source_failed(facts, SOURCE_LEASES, g_steal_pointer(&reading.cause), error);
    lease_reading_clear(&reading);
    return ok;
}
