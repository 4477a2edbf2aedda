/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/map.h"

#include <string.h>

/* Questions to the rows of a finished map. */

/* What makes a row and a finding about it meet. The separator cannot stand in a UUID. */
static char *problem_key(const char *domain_uuid, const char *object)
{
    return g_strdup_printf("%s %s", domain_uuid ? domain_uuid : "-", object ? object : "");
}

void map_attach(Map *map, const GPtrArray *findings)
{
    g_autoptr(GHashTable) rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; findings->len > 0 && i < map->rows->len; i++) {
        MapRow *row = map->rows->pdata[i];
        g_autofree char *name = map_row_name(row);

        g_hash_table_insert(rows, problem_key(row->domain_uuid, name), row);
    }
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        g_autofree char *key = problem_key(finding->domain_uuid, finding->object);
        MapRow *row = g_hash_table_lookup(rows, key);

        if (row && finding->kind == OBJECT_INTERFACE && finding->level != LEVEL_OK &&
            !g_ptr_array_find(row->problems, finding->id, NULL))
            g_ptr_array_add(row->problems, (gpointer)finding->id);
    }
}

const DomainInterface *map_row_interface(const Facts *facts, const MapRow *row)
{
    for (guint i = 0; row->interface_known && i < facts->domains->len; i++) {
        const Domain *domain = facts->domains->pdata[i];

        if (g_strcmp0(domain->uuid, row->domain_uuid) == 0 && row->order < domain->interfaces->len)
            return domain->interfaces->pdata[row->order];
    }
    return NULL;
}

char *map_row_name(const MapRow *row)
{
    if (row->tap)
        return g_strdup(row->tap);
    if (row->has_mac)
        return mac_to_string(&row->mac);
    return g_strdup(row->alias ? row->alias : row->domain);
}

gboolean map_row_has_id(const MapRow *row, const char *text)
{
    guint64 id;

    return row->domain_id >= 0 && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &id, NULL) &&
           id == (guint64)row->domain_id;
}

gboolean map_row_matches(const MapRow *row, const char *text)
{
    Mac mac;
    Ip ip;

    if (map_row_has_id(row, text))
        return TRUE;
    if (g_strcmp0(row->tap, text) == 0 || g_strcmp0(row->domain, text) == 0 ||
        (row->domain_uuid && g_ascii_strcasecmp(row->domain_uuid, text) == 0))
        return TRUE;
    if (mac_parse(text, &mac) && ((row->has_mac && mac_equal(&mac, &row->mac)) ||
                                  (row->has_host_mac && mac_equal(&mac, &row->host_mac))))
        return TRUE;
    ip_parse(text, &ip);
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        if ((ip.family && ip_equal(&address->ip, &ip)) ||
            (address->hostname && g_ascii_strcasecmp(address->hostname, text) == 0))
            return TRUE;
    }
    return FALSE;
}

gboolean map_row_is_on(const MapRow *row, const char *network)
{
    return row->network && strcmp(row->network, network) == 0;
}

static GPtrArray *rows_where(const Map *map, gboolean (*keep)(const MapRow *row, const char *text),
                             const char *text)
{
    GPtrArray *rows = g_ptr_array_new();

    for (guint i = 0; i < map->rows->len; i++) {
        if (!text || keep(map->rows->pdata[i], text))
            g_ptr_array_add(rows, map->rows->pdata[i]);
    }
    return rows;
}

GPtrArray *map_rows_on(const Map *map, const char *network)
{
    return rows_where(map, map_row_is_on, network);
}

GPtrArray *map_rows_matching(const Map *map, const char *text)
{
    return rows_where(map, map_row_matches, text);
}

const Address *map_row_address(const MapRow *row)
{
    const Address *first = row->addresses->len > 0 ? row->addresses->pdata[0] : NULL;

    return first && !ip_is_link_local(&first->ip) ? first : NULL;
}
