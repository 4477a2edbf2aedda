/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-consumer.h"

#include "views/json.h"

#include <stdlib.h>
#include <string.h>

void consumer_init(Consumer *consumer)
{
    memset(consumer, 0, sizeof(*consumer));
    consumer->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    consumer->leases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    consumer->findings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    consumer->networks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void consumer_clear(Consumer *consumer)
{
    g_hash_table_unref(consumer->rows);
    g_hash_table_unref(consumer->leases);
    g_hash_table_unref(consumer->findings);
    g_hash_table_unref(consumer->networks);
    g_free(consumer->wrong);
}

void wrong(Consumer *consumer, char *text)
{
    if (consumer->wrong)
        g_free(text);
    else
        consumer->wrong = text;
}

void bag_add(GHashTable *bag, char *text)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bag, text));

    g_hash_table_insert(bag, text, GUINT_TO_POINTER(count + 1));
}

static void bag_take(Consumer *consumer, GHashTable *bag, char *text)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bag, text));

    if (count == 0)
        wrong(consumer, g_strdup_printf("told the end of what is not known: %s", text));
    if (count <= 1) {
        g_hash_table_remove(bag, text);
        g_free(text);
    } else {
        g_hash_table_insert(bag, text, GUINT_TO_POINTER(count - 1));
    }
}

char *bag_text(GHashTable *bag)
{
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(bag), (GCompareFunc)strcmp);
    GString *text = g_string_new(NULL);

    for (GList *key = keys; key; key = key->next)
        g_string_append_printf(text, "%u %s\n", GPOINTER_TO_UINT(g_hash_table_lookup(bag, key->data)),
                               (char *)key->data);
    return g_string_free(text, FALSE);
}

char *text_of(json_t *json)
{
    char *dump = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    char *text = g_strdup(dump);

    free(dump);
    json_decref(json);
    return text;
}

char *row_text(const MapRow *row)
{
    return text_of(json_of_interface(row));
}

char *lease_text(const Lease *lease)
{
    MapLease record = {.lease = lease};

    return text_of(json_of_lease(&record));
}

/* What makes it raised or cleared; evidence may change meanwhile. */
char *finding_text(const Finding *finding)
{
    return g_strdup_printf("%s %s %s %s %s", finding->id, level_name(finding->level), finding->object,
                           finding->domain_uuid ? finding->domain_uuid : "-", finding->message);
}

char *network_text(const NetworkRow *row)
{
    json_t *json = json_of_network(row);
    json_t *ips_of = json_object_get(json, "ips");

    json_object_del(json, "interfaces");
    for (gsize i = 0; i < json_array_size(ips_of); i++) {
        json_t *dhcp = json_object_get(json_array_get(ips_of, i), "dhcp");

        if (json_is_object(dhcp))
            json_object_del(dhcp, "leases");
    }
    return text_of(json);
}

static void consume_network(Consumer *consumer, const Change *change)
{
    const Network *network = change->network->network;
    char *text = network_text(change->network);
    const char *known = g_hash_table_lookup(consumer->networks, network->uuid);
    gboolean was = change->type == CHANGE_NETWORK_STOPPED || change->type == CHANGE_NETWORK_UNDEFINED ||
                   change->type == CHANGE_NETWORK_CHANGED;

    if (was && !known)
        wrong(consumer, g_strdup_printf("%s of a network that is not known", change_name(change->type)));
    if (change->type == CHANGE_NETWORK_CHANGED && network_row_equal(change->network, change->network_before))
        wrong(consumer, g_strdup("network.changed without a change"));
    g_hash_table_insert(consumer->networks, g_strdup(network->uuid), text);
}

void consume(Consumer *consumer, const Change *change)
{
    switch (change->type) {
    case CHANGE_INTERFACE_ADDED:
        bag_add(consumer->rows, row_text(change->row));
        break;
    case CHANGE_INTERFACE_CHANGED:
        bag_take(consumer, consumer->rows, row_text(change->before));
        bag_add(consumer->rows, row_text(change->row));
        break;
    case CHANGE_INTERFACE_REMOVED:
        bag_take(consumer, consumer->rows, row_text(change->row));
        break;
    case CHANGE_LEASE_ADDED:
        bag_add(consumer->leases, lease_text(change->lease));
        break;
    case CHANGE_LEASE_RENEWED:
        bag_take(consumer, consumer->leases, lease_text(change->lease_before));
        bag_add(consumer->leases, lease_text(change->lease));
        break;
    case CHANGE_LEASE_REMOVED:
        bag_take(consumer, consumer->leases, lease_text(change->lease));
        break;
    case CHANGE_NETWORK_DEFINED:
    case CHANGE_NETWORK_UNDEFINED:
    case CHANGE_NETWORK_STARTED:
    case CHANGE_NETWORK_STOPPED:
    case CHANGE_NETWORK_CHANGED:
        consume_network(consumer, change);
        break;
    case CHANGE_CHECK_RAISED:
        bag_add(consumer->findings, finding_text(change->finding));
        break;
    case CHANGE_CHECK_CLEARED:
        bag_take(consumer, consumer->findings, finding_text(change->finding));
        break;
    case CHANGE_SOURCE_LIVE:
    case CHANGE_SOURCE_STALE:
    case CHANGE_SOURCE_DOWN:
    case CHANGE_AUDIT_MISMATCH:
    case CHANGE_COUNT:
        break;
    }
}
