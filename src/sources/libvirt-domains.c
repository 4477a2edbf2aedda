/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/follow.h"
#include "sources/libvirt-fetch.h"
#include "sources/libvirt-lookup.h"
#include "sources/libvirt-private.h"

#include <stdlib.h>
#include <string.h>

/*
 * Domains: one list, then each one's XML, read and parsed on the worker that fetched it, so that at no time
 * more documents are in memory than there are workers. The state is not in the XML: it comes from two more
 * lists, of the paused domains and of those neither running, paused nor shut off, which are asked one by one,
 * being few.
 */

typedef struct {
    virDomainPtr *domains;
    int count;
} DomainArray;

static void domain_array_clear(DomainArray *array)
{
    for (int i = 0; i < array->count; i++) {
        if (array->domains[i])
            virDomainFree(array->domains[i]);
    }
    free(array->domains);
}

static gboolean domain_array_list(DomainArray *array, virConnectPtr conn, unsigned int flags, GError **error)
{
    array->count = virConnectListAllDomains(conn, &array->domains, flags);
    if (array->count >= 0)
        return TRUE;
    array->count = 0;
    return virt_error_take(error);
}

/* -------------------------------------------------------------------------------------------- list */

typedef struct {
    virDomainPtr domain;
    virConnectPtr conn; /* that listed it, and that domain keeps alive */
    gboolean active;
    gboolean keep; /* Facts.keep */
    gboolean ask_state;
    DomainState state;
    Domain *read; /* the answer */
} DomainItem;

typedef struct {
    gboolean all;
    gboolean keep;
    GPtrArray *items; /* DomainItem */
} DomainList;

static void domain_item_free(gpointer data)
{
    DomainItem *item = data;

    virDomainFree(item->domain);
    domain_free(item->read);
    g_free(item);
}

static DomainList *domain_list_new(gboolean all)
{
    DomainList *list = g_new0(DomainList, 1);

    list->all = all;
    list->items = g_ptr_array_new_with_free_func(domain_item_free);
    return list;
}

static void domain_list_free(gpointer data)
{
    DomainList *list = data;

    g_ptr_array_unref(list->items);
    g_free(list);
}

static guint uuid_hash(gconstpointer key)
{
    guint hash;

    memcpy(&hash, key, sizeof hash);
    return hash;
}

static gboolean uuid_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, VIR_UUID_BUFLEN) == 0;
}

/* The UUIDs of the domains that the filter leaves, as a set. NULL with *error set. */
static GHashTable *uuids_list(virConnectPtr conn, unsigned int flags, GError **error)
{
    GHashTable *uuids = NULL;
    DomainArray some = {NULL, 0};

    if (domain_array_list(&some, conn, flags, error)) {
        uuids = g_hash_table_new_full(uuid_hash, uuid_equal, g_free, NULL);
        for (int i = 0; i < some.count; i++) {
            unsigned char *uuid = g_malloc(VIR_UUID_BUFLEN);

            virDomainGetUUID(some.domains[i], uuid);
            g_hash_table_add(uuids, uuid);
        }
    }
    domain_array_clear(&some);
    return uuids;
}

/*
 * Every question to a virDomainPtr, also one that it answers from memory, costs about 3 us: libvirt formats
 * the UUID for its debug log first, whether it logs or not. Of 10,000 domains only what must be asked is.
 */
static DomainItem *domain_item_new(const DomainList *list, virConnectPtr conn, virDomainPtr domain,
                                   GHashTable *paused, GHashTable *other)
{
    DomainItem *item = g_new0(DomainItem, 1);
    unsigned char uuid[VIR_UUID_BUFLEN] = {0};

    item->domain = domain;
    item->conn = conn;
    item->keep = list->keep;
    item->active = !list->all || virDomainGetID(domain) != (unsigned int)-1;
    item->state = item->active ? DOMAIN_RUNNING : DOMAIN_SHUTOFF;
    if (g_hash_table_size(paused) == 0 && g_hash_table_size(other) == 0)
        return item;
    virDomainGetUUID(domain, uuid);
    item->ask_state = g_hash_table_contains(other, uuid);
    if (g_hash_table_contains(paused, uuid))
        item->state = DOMAIN_PAUSED;
    return item;
}

static gboolean domain_list_call(virConnectPtr conn, gpointer data, GError **error)
{
    DomainList *list = data;
    unsigned int which = list->all ? 0 : VIR_CONNECT_LIST_DOMAINS_ACTIVE;
    g_autoptr(GHashTable) paused = NULL;
    g_autoptr(GHashTable) other = NULL;
    DomainArray all = {NULL, 0};

    if (!domain_array_list(&all, conn, which, error))
        return FALSE;
    paused = uuids_list(conn, which | VIR_CONNECT_LIST_DOMAINS_PAUSED, error);
    other = paused ? uuids_list(conn, which | VIR_CONNECT_LIST_DOMAINS_OTHER, error) : NULL;
    for (int i = 0; other && i < all.count; i++)
        g_ptr_array_add(list->items,
                        domain_item_new(list, conn, g_steal_pointer(&all.domains[i]), paused, other));
    domain_array_clear(&all);
    return other != NULL;
}

/* -------------------------------------------------------------------------------------------- read */

static Domain *domain_fetch(virDomainPtr domain, unsigned int flags, gboolean keep, GError **error)
{
    char *xml = virDomainGetXMLDesc(domain, flags);
    Domain *read;

    if (!xml) {
        virt_error_take(error);
        return NULL;
    }
    read = libvirt_parse_domain(xml, strlen(xml), error);
    if (read && keep)
        read->xml = g_strdup(xml);
    free(xml);
    if (!read)
        libvirt_xml_refused(error);
    return read;
}

/* What a capture holds beside the live XML: what domiflist --inactive reads, which a transient domain has
 * too. Of an active domain alone: the XML of another is that. */
static void domain_keep_definition(virDomainPtr domain, Domain *read)
{
    read->persistent = virDomainIsPersistent(domain) == 1;
    if (read->id >= 0)
        read->xml_inactive = libvirt_xml_kept(virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE));
}

static gboolean domain_state(virDomainPtr domain, DomainState *state, GError **error)
{
    int number = 0;

    if (virDomainGetState(domain, &number, NULL, 0) < 0)
        return virt_error_take(error);
    *state = number >= 0 && number < DOMAIN_STATE_COUNT ? (DomainState)number : DOMAIN_NOSTATE;
    return TRUE;
}

/* The same domain over another connection: see virt_call_each. */
static virDomainPtr domain_over(virConnectPtr conn, virDomainPtr domain)
{
    unsigned char uuid[VIR_UUID_BUFLEN] = {0};

    virDomainGetUUID(domain, uuid);
    return virDomainLookupByUUID(conn, uuid);
}

static gboolean domain_xml_call(virConnectPtr conn, gpointer data, GError **error)
{
    DomainItem *item = data;
    g_autoptr(virDomain) other = conn == item->conn ? NULL : domain_over(conn, item->domain);
    virDomainPtr domain = conn == item->conn ? item->domain : other;
    g_autoptr(Domain) read = NULL;

    if (!domain)
        return virt_error_take(error);
    read = domain_fetch(domain, 0, item->keep, error);
    if (!read)
        return FALSE;
    if (item->keep)
        domain_keep_definition(domain, read);
    read->state = item->state;
    if (item->ask_state && !domain_state(domain, &read->state, error))
        return FALSE;
    item->read = g_steal_pointer(&read);
    return TRUE;
}

/* Returns FALSE where the domain went away meanwhile. Any other trouble is for its own reading to tell. */
static gboolean item_ask_state(DomainItem *item)
{
    g_autoptr(GError) error = NULL;

    if (!item->ask_state || domain_state(item->domain, &item->state, &error))
        return TRUE;
    item->state = DOMAIN_NOSTATE;
    return !g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
}

gboolean libvirt_list_domains(virConnectPtr conn, GPtrArray *listed, GError **error)
{
    DomainList *list = domain_list_new(FALSE);
    gboolean ok = domain_list_call(conn, list, error);

    for (guint i = 0; ok && i < list->items->len; i++) {
        DomainItem *item = list->items->pdata[i];
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        FollowListed *entry;

        if (!item_ask_state(item))
            continue;
        virDomainGetUUIDString(item->domain, uuid);
        entry = follow_listed_new(uuid, virDomainGetName(item->domain));
        entry->active = TRUE;
        entry->state = item->state;
        entry->id = (gint)virDomainGetID(item->domain);
        g_ptr_array_add(listed, entry);
    }
    domain_list_free(list);
    return ok;
}

typedef struct {
    gboolean all;
    GPtrArray *domains;
} DomainReading;

/* A domain without its XML: that it is there is known, and what the list said. */
static Domain *domain_unread(const DomainItem *item, const GError *error)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    Domain *domain = domain_new();

    virDomainGetUUIDString(item->domain, uuid);
    domain->name = g_strdup(virDomainGetName(item->domain));
    domain->uuid = g_strdup(uuid);
    domain->id = item->active ? (gint)virDomainGetID(item->domain) : -1;
    domain->state = item->state;
    domain->xml_error = g_strdup(error->message);
    return domain;
}

static void domain_done(gpointer data, const GError *error, gpointer user_data)
{
    DomainItem *item = data;
    DomainReading *reading = user_data;

    if (!error) {
        /* It may have been stopped since the list: its XML is the persistent one then, without an id. */
        if (item->read->id < 0 && item->active)
            item->read->state = DOMAIN_SHUTOFF;
        if (item->read->id >= 0 || reading->all)
            g_ptr_array_add(reading->domains, g_steal_pointer(&item->read));
        return;
    }
    if (!g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        g_ptr_array_add(reading->domains, domain_unread(item, error));
}

static gint domain_compare(gconstpointer a, gconstpointer b)
{
    const Domain *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* Takes the domains. */
static void domains_adopt(Facts *facts, GPtrArray *domains)
{
    g_autofree char *cause = NULL;

    g_ptr_array_sort(domains, domain_compare);
    cause = domains_unread(domains);
    g_ptr_array_unref(facts->domains);
    facts->domains = domains;
    facts->domains_complete = domains_are_complete(domains);
    libvirt_source_read(facts, SOURCE_LIBVIRT, cause);
}

gboolean libvirt_read_domains(VirtConn *conn, Facts *facts, gboolean all, Deadline deadline, GError **error)
{
    DomainList *list = domain_list_new(all);
    DomainReading reading = {.all = all};
    GError *cause = NULL;

    list->keep = facts->keep;
    if (!virt_call(conn, "virConnectListAllDomains", domain_list_call, list, domain_list_free, deadline,
                   &cause))
        return libvirt_source_failed(facts, SOURCE_LIBVIRT, cause, error);
    reading.domains = g_ptr_array_new_with_free_func((GDestroyNotify)domain_free);
    /* The items are the calls' from here. */
    g_ptr_array_set_free_func(list->items, NULL);
    virt_call_each(conn, "virDomainGetXMLDesc", domain_xml_call, list->items, domain_item_free, VIRT_BULK,
                   domain_done, &reading, deadline);
    domain_list_free(list);
    domains_adopt(facts, reading.domains);
    return TRUE;
}

/* ------------------------------------------------------------------------------------- one of them */

typedef struct {
    char *which;
    gboolean inactive;
    Domain *read; /* the answer */
} DomainQuery;

static void domain_query_free(gpointer data)
{
    DomainQuery *query = data;

    g_free(query->which);
    domain_free(query->read);
    g_free(query);
}

/* Its XML says whether it is active: the id of the look-up may be of a moment before. Whether it is
 * persistent is not asked: nothing that follows shows it, and it would be a fourth call for each of 10,000.
 */
Domain *libvirt_fetch_domain(virConnectPtr conn, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(conn, uuid);
    g_autoptr(Domain) read = NULL;

    if (!domain) {
        virt_error_take(error);
        return NULL;
    }
    read = domain_fetch(domain, 0, FALSE, error);
    if (!read || !domain_state(domain, &read->state, error))
        return NULL;
    return g_steal_pointer(&read);
}

static gboolean domain_query_call(virConnectPtr conn, gpointer data, GError **error)
{
    DomainQuery *query = data;
    g_autoptr(virDomain) domain = libvirt_lookup_domain(conn, query->which, error);
    unsigned int id;

    if (!domain)
        return FALSE;
    query->read = domain_fetch(domain, query->inactive ? VIR_DOMAIN_XML_INACTIVE : 0, FALSE, error);
    if (!query->read)
        return FALSE;
    id = virDomainGetID(domain);
    query->read->id = id == (unsigned int)-1 ? -1 : (gint)id;
    query->read->persistent = virDomainIsPersistent(domain) == 1;
    return domain_state(domain, &query->read->state, error);
}

static void domain_add(Facts *facts, Domain *domain)
{
    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *known = facts->domains->pdata[i];

        if (strcmp(known->uuid, domain->uuid) == 0) {
            facts->domains->pdata[i] = domain;
            domain_free(known);
            return;
        }
    }
    g_ptr_array_add(facts->domains, domain);
}

Domain *libvirt_read_domain(VirtConn *conn, Facts *facts, const char *which, gboolean inactive,
                            Deadline deadline, GError **error)
{
    DomainQuery *query = g_new0(DomainQuery, 1);
    GError *cause = NULL;
    Domain *domain;

    query->which = g_strdup(which);
    query->inactive = inactive;
    if (!virt_call(conn, "virDomainGetXMLDesc", domain_query_call, query, domain_query_free, deadline,
                   &cause)) {
        vnat_error_what(&cause, "failed to get domain '%s'", which);
        if (!g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
            libvirt_source_failed(facts, SOURCE_LIBVIRT, cause, error);
            return NULL;
        }
        /* That is an answer. */
        libvirt_source_read(facts, SOURCE_LIBVIRT, NULL);
        g_propagate_error(error, cause);
        return NULL;
    }
    domain = g_steal_pointer(&query->read);
    domain_query_free(query);
    domain_add(facts, domain);
    libvirt_source_read(facts, SOURCE_LIBVIRT, NULL);
    return domain;
}

static gboolean domain_names_call(virConnectPtr conn, gpointer data, GError **error)
{
    GPtrArray *names = data;
    DomainArray all = {NULL, 0};

    if (!domain_array_list(&all, conn, 0, error))
        return FALSE;
    for (int i = 0; i < all.count; i++)
        g_ptr_array_add(names, g_strdup(virDomainGetName(all.domains[i])));
    domain_array_clear(&all);
    return TRUE;
}

char **libvirt_domain_names(VirtConn *conn, Deadline deadline, GError **error)
{
    return libvirt_names(conn, "virConnectListAllDomains", domain_names_call, deadline, error);
}
