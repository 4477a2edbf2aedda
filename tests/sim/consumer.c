/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "consumer.h"

#include "views/json.h"

#include <stdlib.h>
#include <string.h>

GHashTable *bag_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void consumer_init(Consumer *consumer)
{
    memset(consumer, 0, sizeof(*consumer));
    consumer->rows = bag_new();
    consumer->leases = bag_new();
    consumer->findings = bag_new();
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

void consumer_wrong(Consumer *consumer, char *text)
{
    if (consumer->wrong)
        g_free(text);
    else
        consumer->wrong = text;
}

/* -------------------------------------------------------------------------------------------- bags */

void bag_add(GHashTable *bag, char *text)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bag, text));

    g_hash_table_replace(bag, text, GUINT_TO_POINTER(count + 1));
}

/* Takes the text. */
static void bag_take(Consumer *consumer, GHashTable *bag, char *text)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bag, text));

    if (count == 0)
        consumer_wrong(consumer, g_strdup_printf("told the end of what is not known: %s", text));
    if (count > 1) {
        g_hash_table_replace(bag, text, GUINT_TO_POINTER(count - 1));
        return;
    }
    g_hash_table_remove(bag, text);
    g_free(text);
}

static gint texts_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *bag_text(GHashTable *bag, BagShow show, gpointer data)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    GString *all = g_string_new(NULL);
    GHashTableIter iter;
    gpointer text, count;

    g_hash_table_iter_init(&iter, bag);
    while (g_hash_table_iter_next(&iter, &text, &count)) {
        g_autofree char *shown = show ? show(text, data) : g_strdup(text);

        for (guint i = 0; shown && i < GPOINTER_TO_UINT(count); i++)
            g_ptr_array_add(texts, g_strdup(shown));
    }
    g_ptr_array_sort(texts, texts_compare);
    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(all, "%s\n", (const char *)texts->pdata[i]);
    return g_string_free(all, FALSE);
}

/* ------------------------------------------------------------------------------------------- texts */

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

/* ------------------------------------------------------------------------------------ what is told */

void consumer_snapshot(Consumer *consumer, LiveMap *live)
{
    g_autoptr(GPtrArray) rows = live_map_rows(live);
    g_autoptr(Facts) facts = live_map_facts(live);
    g_autoptr(GPtrArray) networks = network_rows(facts);

    g_hash_table_remove_all(consumer->rows);
    for (guint i = 0; i < rows->len; i++)
        bag_add(consumer->rows, row_text(rows->pdata[i]));
    g_hash_table_remove_all(consumer->leases);
    for (guint i = 0; i < facts->leases->len; i++) {
        if (lease_is_live(facts->leases->pdata[i], facts->now))
            bag_add(consumer->leases, lease_text(facts->leases->pdata[i]));
    }
    g_hash_table_remove_all(consumer->networks);
    for (guint i = 0; i < networks->len; i++) {
        const NetworkRow *row = networks->pdata[i];

        g_hash_table_insert(consumer->networks, g_strdup(row->network->uuid), network_text(row));
    }
}

static void consume_network(Consumer *consumer, const Change *change)
{
    const Network *network = change->network->network;
    char *text = network_text(change->network);
    const char *known = g_hash_table_lookup(consumer->networks, network->uuid);
    gboolean was = change->type == CHANGE_NETWORK_STOPPED || change->type == CHANGE_NETWORK_UNDEFINED ||
                   change->type == CHANGE_NETWORK_CHANGED;

    if (was && !known)
        consumer_wrong(consumer,
                       g_strdup_printf("%s of a network that is not known", change_name(change->type)));
    if (change->type == CHANGE_NETWORK_CHANGED && network_row_equal(change->network, change->network_before))
        consumer_wrong(consumer, g_strdup("network.changed without a change"));
    g_hash_table_insert(consumer->networks, g_strdup(network->uuid), text);
}

void consumer_change(Consumer *consumer, const Change *change)
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
