/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "sources/firewall-text.h"
#include "sources/firewall.h"

#include <string.h>

/*
 * `nft -j list ruleset` prints {"nftables": [OBJECT…]}: a table before its chains, and a chain before its
 * rules, which stand in their order. An object that does not fit makes the whole reading void: a ruleset with
 * a rule left out may say the contrary of the truth.
 */

/* A vmap of concatenations of ranges takes 16 levels. */
#define NFT_JSON_DEPTH 32

typedef struct {
    GPtrArray *tables;  /* FirewallTable */
    GHashTable *places; /* nft_place() -> FirewallTable or FirewallChain, not owned */
} NftReader;

static const char *nft_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The key of places for a table (chain NULL) or a chain, with the lengths of its parts, since names may hold
 * any byte: a table must never be found where a chain is looked for. NULL if the object lacks a name. */
static char *nft_place(const char *family, const char *table, const char *chain)
{
    if (!family || !table)
        return NULL;
    return g_strdup_printf("%" G_GSIZE_FORMAT " %" G_GSIZE_FORMAT " %s%s%s%s", strlen(family), strlen(table),
                           family, table, chain ? " " : "", chain ? chain : "");
}

static FirewallTable *nft_find_table(const NftReader *reader, const json_t *body)
{
    g_autofree char *place = nft_place(nft_string(body, "family"), nft_string(body, "table"), NULL);

    return place ? g_hash_table_lookup(reader->places, place) : NULL;
}

/* "dormant", or a list with that word. What is no word of nft's is not told: 1.0.6 prints bytes of somewhere
 * else for any flag (seen: "ip", "q"). */
static gint table_dormant(const json_t *flags)
{
    static const char *const others[] = {"owner", "persist", NULL};
    const char *flag = json_string_value(flags);
    gint dormant = 0;

    for (gsize i = 0; i < json_array_size(flags) && dormant == 0; i++)
        dormant = table_dormant(json_array_get(flags, i));
    if (!flag)
        return dormant;
    if (strcmp(flag, "dormant") == 0)
        return 1;
    return g_strv_contains(others, flag) ? 0 : -1;
}

static gboolean nft_table(NftReader *reader, const json_t *body)
{
    const char *family = nft_string(body, "family");
    const char *name = nft_string(body, "name");
    g_autofree char *place = nft_place(family, name, NULL);
    FirewallTable *table;

    if (!place || g_hash_table_contains(reader->places, place))
        return FALSE;
    table = firewall_table_new(FIREWALL_NFT, family, name);
    table->dormant = table_dormant(json_object_get(body, "flags"));
    g_ptr_array_add(reader->tables, table);
    g_hash_table_insert(reader->places, g_steal_pointer(&place), table);
    return TRUE;
}

/* "dev": a name, or a list of some. NULL: none. */
static char **chain_devices(const json_t *dev)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    const char *name = json_string_value(dev);

    if (!dev)
        return NULL;
    if (name)
        g_strv_builder_add(names, name);
    for (gsize i = 0; i < json_array_size(dev); i++) {
        name = json_string_value(json_array_get(dev, i));
        if (name)
            g_strv_builder_add(names, name);
    }
    return g_strv_builder_end(names);
}

static gboolean nft_chain(NftReader *reader, const json_t *body)
{
    FirewallTable *table = nft_find_table(reader, body);
    const char *name = nft_string(body, "name");
    g_autofree char *place = NULL;
    FirewallChain *chain;
    gint64 priority = 0;

    if (!table || !name)
        return FALSE;
    place = nft_place(table->family, table->name, name);
    if (g_hash_table_contains(reader->places, place))
        return FALSE;
    chain = firewall_chain_new(name);
    chain->hook = g_strdup(nft_string(body, "hook"));
    chain->devices = chain_devices(json_object_get(body, "dev"));
    chain->type = g_strdup(nft_string(body, "type"));
    chain->policy = g_strdup(nft_string(body, "policy"));
    if (json_get_int(body, "prio", G_MININT, G_MAXINT, &priority))
        chain->priority = (gint)priority;
    g_ptr_array_add(table->chains, chain);
    g_hash_table_insert(reader->places, g_steal_pointer(&place), chain);
    return TRUE;
}

static gboolean nft_rule(NftReader *reader, const json_t *body)
{
    const char *name = nft_string(body, "chain");
    g_autofree char *place =
        name ? nft_place(nft_string(body, "family"), nft_string(body, "table"), name) : NULL;
    FirewallChain *chain = place ? g_hash_table_lookup(reader->places, place) : NULL;
    json_t *expr = json_object_get(body, "expr");
    FirewallRule *rule;

    if (!chain || !json_is_array(expr))
        return FALSE;
    rule = firewall_rule_new();
    rule->expr = json_incref(expr);
    json_get_int(body, "handle", 1, G_MAXINT64, &rule->handle);
    rule->text = firewall_nft_text(expr, nft_string(body, "comment"));
    g_ptr_array_add(chain->rules, rule);
    return TRUE;
}

static gboolean nft_set(NftReader *reader, const json_t *body)
{
    FirewallTable *table = nft_find_table(reader, body);

    if (!table || !nft_string(body, "name"))
        return FALSE;
    if (!table->sets)
        table->sets = json_array();
    return json_array_append(table->sets, (json_t *)(gpointer)body) == 0;
}

/* A new version of the schema may mean something else by the same words. */
static gboolean nft_metainfo(NftReader *reader, const json_t *body)
{
    gint64 version;

    return json_get_int(body, "json_schema_version", 1, 1, &version);
}

static const struct {
    const char *key;
    gboolean (*take)(NftReader *reader, const json_t *body);
} nft_objects[] = {
    {"metainfo", nft_metainfo}, {"table", nft_table}, {"chain", nft_chain},
    {"rule", nft_rule},         {"set", nft_set},     {"map", nft_set},
};

/* Objects of other kinds (counters, flow tables, helpers) decide nothing by themselves and are passed over.
 */
static gboolean nft_object(NftReader *reader, gsize number, const json_t *object, GError **error)
{
    if (!json_is_object(object))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "object %" G_GSIZE_FORMAT " is no object", number);
    for (gsize i = 0; i < G_N_ELEMENTS(nft_objects); i++) {
        const json_t *body = json_object_get(object, nft_objects[i].key);

        if (body && !nft_objects[i].take(reader, body))
            return vnat_error_set(error, VNAT_ERROR_INVALID,
                                  "object %" G_GSIZE_FORMAT " is not a %s as nft writes it", number,
                                  nft_objects[i].key);
    }
    return TRUE;
}

GPtrArray *firewall_parse_nft(const char *json, gsize length, GError **error)
{
    g_autoptr(json_t) root = json_parse(json, length, NFT_JSON_DEPTH, FALSE, error);
    g_autoptr(GPtrArray) tables = NULL;
    g_autoptr(GHashTable) places = NULL;
    const json_t *list = json_object_get(root, "nftables");
    NftReader reader;

    if (!root)
        return NULL;
    if (!json_is_array(list)) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "no list of nftables");
        return NULL;
    }
    tables = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_table_free);
    places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader = (NftReader){.tables = tables, .places = places};
    for (gsize i = 0; i < json_array_size(list); i++) {
        if (!nft_object(&reader, i, json_array_get(list, i), error))
            return NULL;
    }
    return g_steal_pointer(&tables);
}
