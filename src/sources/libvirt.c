/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt.h"

#include "base/error.h"
#include "sources/follow.h"
#include "sources/libvirt-fetch.h"
#include "sources/libvirt-lookup.h"
#include "sources/libvirt-private.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------ status */

void libvirt_source_read(Facts *facts, SourceId id, const char *cause)
{
    SourceStatus *status = &facts->sources[id];

    status->generation++;
    status->time = facts->now;
    if (cause)
        source_status_set(status, SOURCE_STALE, cause);
    else if (status->state != SOURCE_STALE)
        source_status_set(status, SOURCE_LIVE, NULL);
}

gboolean libvirt_source_failed(Facts *facts, SourceId id, GError *cause, GError **error)
{
    SourceStatus *status = &facts->sources[id];

    source_status_set(status, status->generation ? SOURCE_STALE : SOURCE_DOWN, cause->message);
    g_propagate_error(error, cause);
    return FALSE;
}

void libvirt_xml_refused(GError **error)
{
    if (!error || !g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_INVALID))
        return;
    (*error)->code = VNAT_ERROR_FAILED;
    g_prefix_error(error, "unreadable XML from libvirt: ");
}

char *libvirt_xml_kept(char *xml)
{
    char *kept = g_strdup(xml);

    if (!xml)
        virResetLastError();
    free(xml);
    return kept;
}

guint libvirt_attr_uint(xmlNodePtr node, const char *name, guint max)
{
    g_autofree char *text = xml_attr(node, name);
    guint64 value = 0;

    return text && g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL) ? (guint)value : 0;
}

/* ------------------------------------------------------------------------------------------- lists */

typedef struct {
    virNetworkPtr *networks;
    int count;
} NetworkArray;

static void network_array_clear(NetworkArray *array)
{
    for (int i = 0; i < array->count; i++)
        virNetworkFree(array->networks[i]);
    free(array->networks);
}

static gboolean network_array_list(NetworkArray *array, virConnectPtr conn, unsigned int flags,
                                   GError **error)
{
    array->count = virConnectListAllNetworks(conn, &array->networks, flags);
    if (array->count >= 0)
        return TRUE;
    array->count = 0;
    return virt_error_take(error);
}

/*
 * Networks with what is not in their XML. Whether one is active, persistent or started at boot is told by
 * lists with that filter: four calls, however many networks there are.
 */
typedef struct {
    unsigned int which;
    gboolean keep;
    NetworkArray all;
    GPtrArray *items; /* NetworkItem */
} NetworkList;

typedef struct {
    virNetworkPtr network;
    char uuid[VIR_UUID_STRING_BUFLEN];
    gboolean keep; /* Facts.keep */
    gboolean active, persistent, autostart;
    Network *read; /* the answer */
} NetworkItem;

static void network_item_free(gpointer data)
{
    NetworkItem *item = data;

    virNetworkFree(item->network);
    network_free(item->read);
    g_free(item);
}

static void network_list_free(gpointer data)
{
    NetworkList *list = data;

    network_array_clear(&list->all);
    g_ptr_array_unref(list->items);
    g_free(list);
}

static NetworkList *network_list_new(unsigned int which)
{
    NetworkList *list = g_new0(NetworkList, 1);

    list->which = which;
    list->items = g_ptr_array_new_with_free_func(network_item_free);
    return list;
}

static void network_list_mark(NetworkList *list, const NetworkArray *some, gsize flag_offset)
{
    for (int i = 0; i < some->count; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        virNetworkGetUUIDString(some->networks[i], uuid);
        for (guint k = 0; k < list->items->len; k++) {
            NetworkItem *item = list->items->pdata[k];

            if (strcmp(item->uuid, uuid) == 0)
                G_STRUCT_MEMBER(gboolean, item, flag_offset) = TRUE;
        }
    }
}

static gboolean network_list_filter(NetworkList *list, virConnectPtr conn, unsigned int flag,
                                    gsize flag_offset, GError **error)
{
    NetworkArray some = {NULL, 0};
    gboolean ok = network_array_list(&some, conn, list->which | flag, error);

    if (ok)
        network_list_mark(list, &some, flag_offset);
    network_array_clear(&some);
    return ok;
}

static gboolean network_list_call(virConnectPtr conn, gpointer data, GError **error)
{
    NetworkList *list = data;

    if (!network_array_list(&list->all, conn, list->which, error))
        return FALSE;
    for (int i = 0; i < list->all.count; i++) {
        NetworkItem *item = g_new0(NetworkItem, 1);

        item->network = g_steal_pointer(&list->all.networks[i]);
        item->keep = list->keep;
        virNetworkGetUUIDString(item->network, item->uuid);
        g_ptr_array_add(list->items, item);
    }
    list->all.count = 0;
    return network_list_filter(list, conn, VIR_CONNECT_LIST_NETWORKS_ACTIVE,
                               G_STRUCT_OFFSET(NetworkItem, active), error) &&
           network_list_filter(list, conn, VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
                               G_STRUCT_OFFSET(NetworkItem, persistent), error) &&
           network_list_filter(list, conn, VIR_CONNECT_LIST_NETWORKS_AUTOSTART,
                               G_STRUCT_OFFSET(NetworkItem, autostart), error);
}

gboolean libvirt_list_networks(virConnectPtr conn, GPtrArray *listed, GError **error)
{
    NetworkList *list = network_list_new(0);
    gboolean ok = network_list_call(conn, list, error);

    for (guint i = 0; ok && i < list->items->len; i++) {
        const NetworkItem *item = list->items->pdata[i];
        FollowListed *entry = follow_listed_new(item->uuid, virNetworkGetName(item->network));

        entry->active = item->active;
        entry->persistent = item->persistent;
        entry->autostart = item->autostart;
        g_ptr_array_add(listed, entry);
    }
    network_list_free(list);
    return ok;
}

/* ---------------------------------------------------------------------------------------- networks */

static Network *network_fetch(virNetworkPtr network, unsigned int flags, gboolean keep, GError **error)
{
    char *xml = virNetworkGetXMLDesc(network, flags);
    Network *read;

    if (!xml) {
        virt_error_take(error);
        return NULL;
    }
    read = libvirt_parse_network(xml, strlen(xml), error);
    if (read && keep)
        read->xml = g_strdup(xml);
    free(xml);
    if (!read)
        libvirt_xml_refused(error);
    return read;
}

/* The same network over another connection: see virt_call_each. */
static virNetworkPtr network_on(virConnectPtr conn, virNetworkPtr network)
{
    unsigned char uuid[VIR_UUID_BUFLEN];

    if (virNetworkGetConnect(network) == conn) {
        virNetworkRef(network);
        return network;
    }
    virNetworkGetUUID(network, uuid);
    return virNetworkLookupByUUID(conn, uuid);
}

static gboolean network_xml_call(virConnectPtr conn, gpointer data, GError **error)
{
    NetworkItem *item = data;
    g_autoptr(virNetwork) network = network_on(conn, item->network);

    if (!network)
        return virt_error_take(error);
    item->read = network_fetch(network, 0, item->keep, error);
    if (item->read && item->keep && item->active)
        item->read->xml_inactive = libvirt_xml_kept(virNetworkGetXMLDesc(network, VIR_NETWORK_XML_INACTIVE));
    return item->read != NULL;
}

static void network_take(GPtrArray *networks, const NetworkItem *item, Network *network)
{
    network->active = item->active;
    network->persistent = item->persistent;
    network->autostart = item->autostart;
    if (!network->uuid)
        network->uuid = g_strdup(item->uuid);
    g_ptr_array_add(networks, network);
}

/* A network without its XML: its name is known, and that it is there. */
static Network *network_bare(const NetworkItem *item, const GError *error)
{
    Network *network = network_new();

    network->name = g_strdup(virNetworkGetName(item->network));
    network->uuid = g_strdup(item->uuid);
    network->xml_read = FALSE;
    network->xml_error = g_strdup(error->message);
    return network;
}

static void network_done(gpointer data, const GError *error, gpointer networks)
{
    NetworkItem *item = data;

    if (!error)
        network_take(networks, item, g_steal_pointer(&item->read));
    else if (!g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        network_take(networks, item, network_bare(item, error));
}

static gint network_compare(gconstpointer a, gconstpointer b)
{
    const Network *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* A driver without networks is not one that fails: what is read of its domains is all there is. */
static gboolean networks_failed(Facts *facts, GError *cause, GError **error)
{
    gboolean none = g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED);

    libvirt_source_failed(facts, SOURCE_LIBVIRT, cause, error);
    if (none)
        facts->sources[SOURCE_LIBVIRT].state = SOURCE_ABSENT;
    return FALSE;
}

static Network *network_known(const Facts *facts, const char *uuid)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        if (g_strcmp0(network->uuid, uuid) == 0)
            return network;
    }
    return NULL;
}

/* Leases that were read before stay, and with them that there may be more. */
static void networks_keep_leases(const Facts *facts, GPtrArray *networks)
{
    for (guint i = 0; i < networks->len; i++) {
        Network *network = networks->pdata[i];
        const Network *before = network_known(facts, network->uuid);

        network->leases_unread = before && before->leases_unread;
        network->leases_late = before && before->leases_late;
    }
}

gboolean libvirt_read_networks(VirtConn *conn, Facts *facts, LibvirtNetworks which, Deadline deadline,
                               GError **error)
{
    NetworkList *list =
        network_list_new(which == LIBVIRT_NETWORKS_ALL ? 0 : VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    g_autofree char *cause = NULL;
    GError *failure = NULL;
    GPtrArray *networks;

    list->keep = facts->keep;
    if (!virt_call(conn, "virConnectListAllNetworks", network_list_call, list, network_list_free, deadline,
                   &failure))
        return networks_failed(facts, failure, error);
    networks = g_ptr_array_new_with_free_func((GDestroyNotify)network_free);
    /* The items are the calls' from here. */
    g_ptr_array_set_free_func(list->items, NULL);
    virt_call_each(conn, "virNetworkGetXMLDesc", network_xml_call, list->items, network_item_free, VIRT_BULK,
                   network_done, networks, deadline);
    network_list_free(list);
    g_ptr_array_sort(networks, network_compare);
    networks_keep_leases(facts, networks);
    g_ptr_array_unref(facts->networks);
    facts->networks = networks;
    source_status_set(&facts->sources[SOURCE_LIBVIRT], SOURCE_UNREAD, NULL);
    cause = networks_unread(networks);
    libvirt_source_read(facts, SOURCE_LIBVIRT, cause);
    return TRUE;
}

/* ------------------------------------------------------------------------------------- one of them */

typedef struct {
    char *which;
    unsigned int flags; /* of virNetworkGetXMLDesc */
    gboolean parse;
    Network *network; /* the answer, with parse */
    char *xml;        /* the answer, without */
} NetworkQuery;

static void network_query_free(gpointer data)
{
    NetworkQuery *query = data;

    g_free(query->which);
    network_free(query->network);
    free(query->xml);
    g_free(query);
}

static gboolean network_query_states(virNetworkPtr network, Network *read, GError **error)
{
    int active = virNetworkIsActive(network);
    int persistent = virNetworkIsPersistent(network);
    int autostart = 0;

    if (active < 0 || persistent < 0)
        return virt_error_take(error);
    /* A transient network has no such setting, and some drivers refuse to answer for it. */
    if (persistent && virNetworkGetAutostart(network, &autostart) < 0)
        return virt_error_take(error);
    read->active = active;
    read->persistent = persistent;
    read->autostart = autostart;
    return TRUE;
}

Network *libvirt_fetch_network(virConnectPtr conn, const char *uuid, GError **error)
{
    g_autoptr(virNetwork) network = virNetworkLookupByUUIDString(conn, uuid);
    g_autoptr(Network) read = NULL;

    if (!network) {
        virt_error_take(error);
        return NULL;
    }
    read = network_fetch(network, 0, FALSE, error);
    if (!read || !network_query_states(network, read, error))
        return NULL;
    return g_steal_pointer(&read);
}

static gboolean network_query_call(virConnectPtr conn, gpointer data, GError **error)
{
    NetworkQuery *query = data;
    g_autoptr(virNetwork) network = libvirt_lookup_network(conn, query->which, error);

    if (!network)
        return FALSE;
    if (query->parse) {
        query->network = network_fetch(network, query->flags, FALSE, error);
        return query->network && network_query_states(network, query->network, error);
    }
    query->xml = virNetworkGetXMLDesc(network, query->flags);
    return query->xml ? TRUE : virt_error_take(error);
}

static NetworkQuery *network_query(VirtConn *conn, const char *which, gboolean inactive, gboolean parse,
                                   Deadline deadline, GError **error)
{
    NetworkQuery *query = g_new0(NetworkQuery, 1);

    query->which = g_strdup(which);
    query->flags = inactive ? VIR_NETWORK_XML_INACTIVE : 0;
    query->parse = parse;
    if (virt_call(conn, "virNetworkGetXMLDesc", network_query_call, query, network_query_free, deadline,
                  error))
        return query;
    vnat_error_what(error, "failed to get network '%s'", which);
    return NULL;
}

Network *libvirt_read_network(VirtConn *conn, Facts *facts, const char *name_or_uuid, gboolean inactive,
                              Deadline deadline, GError **error)
{
    GError *cause = NULL;
    NetworkQuery *query = network_query(conn, name_or_uuid, inactive, TRUE, deadline, &cause);
    Network *network;

    if (!query && g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
        /* That is an answer. */
        libvirt_source_read(facts, SOURCE_LIBVIRT, NULL);
        g_propagate_error(error, cause);
        return NULL;
    }
    if (!query) {
        libvirt_source_failed(facts, SOURCE_LIBVIRT, cause, error);
        return NULL;
    }
    network = network_known(facts, query->network->uuid);
    if (!network) {
        network = g_steal_pointer(&query->network);
        g_ptr_array_add(facts->networks, network);
    }
    network_query_free(query);
    libvirt_source_read(facts, SOURCE_LIBVIRT, NULL);
    return network;
}

char *libvirt_network_xml(VirtConn *conn, const char *name_or_uuid, gboolean inactive, Deadline deadline,
                          GError **error)
{
    NetworkQuery *query = network_query(conn, name_or_uuid, inactive, FALSE, deadline, error);
    char *xml = query ? g_strdup(query->xml) : NULL;

    if (query)
        network_query_free(query);
    return xml;
}

/* ------------------------------------------------------------------------------------------- names */

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(gpointer data)
{
    g_ptr_array_unref(data);
}

static gboolean network_names_call(virConnectPtr conn, gpointer data, GError **error)
{
    GPtrArray *names = data;
    NetworkArray all = {NULL, 0};

    if (!network_array_list(&all, conn, 0, error))
        return FALSE;
    for (int i = 0; i < all.count; i++)
        g_ptr_array_add(names, g_strdup(virNetworkGetName(all.networks[i])));
    network_array_clear(&all);
    return TRUE;
}

char **libvirt_names(VirtConn *conn, const char *what, VirtFunc func, Deadline deadline, GError **error)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    if (!virt_call(conn, what, func, names, names_free, deadline, error))
        return NULL;
    g_ptr_array_sort(names, names_compare);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

char **libvirt_network_names(VirtConn *conn, Deadline deadline, GError **error)
{
    return libvirt_names(conn, "virConnectListAllNetworks", network_names_call, deadline, error);
}
