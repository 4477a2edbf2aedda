/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/file.h"
#include "base/name.h"
#include "config.h"
#include "sources/libvirt-fetch.h"
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

static LeaseItem *lease_item_named(const char *name, const char *uuid, gint64 now)
{
    LeaseItem *item = g_new0(LeaseItem, 1);

    item->name = g_strdup(name);
    item->uuid = g_strdup(uuid);
    item->now = now;
    item->leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    return item;
}

static LeaseItem *lease_item_new(const Network *network, gint64 now)
{
    LeaseItem *item = lease_item_named(network->name, network->uuid, now);

    item->bridge = g_strdup(network->bridge);
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

static gboolean lease_item_ask(LeaseItem *item, virNetworkPtr network, GError **error)
{
    virNetworkDHCPLeasePtr *leases = NULL;
    int count = virNetworkGetDHCPLeases(network, NULL, &leases, 0);

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

static gboolean lease_call(virConnectPtr conn, gpointer data, GError **error)
{
    LeaseItem *item = data;
    g_autoptr(virNetwork) network = libvirt_lookup_network(conn, item->uuid, error);

    return network && lease_item_ask(item, network, error);
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

gboolean libvirt_files_here(const char *uri)
{
    return virt_uri_is_local(uri) && g_str_has_suffix(uri, ":///system");
}

/* Why there may be more leases than were read, or NULL. New string. */
static char *lease_item_partial(const LeaseItem *item)
{
    if (item->bad == 0)
        return NULL;
    return g_strdup_printf("network '%s': %u of the file's entries are no lease", item->name, item->bad);
}

/* --------------------------------------------------------------------------------------- one of them */

/* The file instead, of a network that is known by its UUID alone. */
static gboolean lease_item_instead(LeaseItem *item, virConnectPtr conn)
{
    g_autoptr(Network) network = libvirt_fetch_network(conn, item->uuid, NULL);

    if (!network)
        return FALSE;
    item->bridge = g_strdup(network->bridge);
    return lease_item_read_file(item, network, NULL);
}

GPtrArray *libvirt_fetch_leases(virConnectPtr conn, const char *uuid, gboolean files, char **partial,
                                GError **error)
{
    g_autoptr(virNetwork) found = virNetworkLookupByUUIDString(conn, uuid);
    GPtrArray *leases = NULL;
    GError *cause = NULL;
    LeaseItem *item;

    if (!found) {
        virt_error_take(error);
        return NULL;
    }
    item = lease_item_named(virNetworkGetName(found), uuid, g_get_real_time() / G_USEC_PER_SEC);
    if (lease_item_ask(item, found, &cause) ||
        (files && g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_FAILED) && lease_item_instead(item, conn))) {
        g_clear_error(&cause);
        leases = g_ptr_array_ref(item->leases);
        *partial = lease_item_partial(item);
    } else {
        g_propagate_error(error, cause);
    }
    lease_item_free(item);
    return leases;
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

static void lease_mark(const LeaseReading *reading, const LeaseItem *item, gboolean unread, gboolean late)
{
    Network *network = lease_network(reading, item);

    if (!network)
        return;
    network->leases_unread = unread;
    network->leases_late = late;
}

static void lease_take(LeaseReading *reading, LeaseItem *item)
{
    reading->answered++;
    lease_mark(reading, item, item->bad > 0, FALSE);
    for (guint i = 0; i < item->leases->len; i++)
        g_ptr_array_add(reading->leases, item->leases->pdata[i]);
    g_ptr_array_set_free_func(item->leases, NULL);
    if (!reading->partial)
        reading->partial = lease_item_partial(item);
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
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_FAILED) &&
        libvirt_files_here(virt_conn_uri(reading->conn)) && network &&
        lease_item_read_file(item, network, NULL)) {
        lease_take(reading, item);
        return;
    }
    lease_mark(reading, item, TRUE, g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE));
    g_hash_table_add(reading->failed, g_strdup(item->uuid));
    if (!reading->cause)
        g_set_error(&reading->cause, error->domain, error->code, "network '%s': %s", item->name,
                    error->message);
}

static GPtrArray *lease_items(const Facts *facts)
{
    GPtrArray *items = g_ptr_array_new();

    for (guint i = 0; i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        switch (network_leases(network, facts_network_of_bridge(facts, network->bridge))) {
        case LEASES_OWN:
            g_ptr_array_add(items, lease_item_new(network, facts->now));
            break;
        case LEASES_OTHERS:
            network->leases_unread = TRUE;
            break;
        case LEASES_NONE:
            break;
        }
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
