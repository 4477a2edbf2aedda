/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/firewall-text.h"

#include <string.h>

/*
 * nft's JSON is a tree of objects with one key each, {"match": {…}}, {"prefix": {…}}: the key names the form.
 * Two tables say how each is written, one of values and one of statements. The tree is no deeper than the
 * document was allowed to be.
 */

typedef void (*Writer)(GString *text, const char *key, const json_t *body);

typedef struct {
    const char *key;
    Writer write;
} Form;

static void put_value(GString *text, const json_t *value);

static void put_json(GString *text, const json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

    g_string_append(text, dump ? dump : "?");
    free(dump);
}

/* Words of nft's language as they are, anything else in quotes. */
static void put_string(GString *text, const char *string)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@*-";

    if (*string && string[strspn(string, plain)] == '\0')
        g_string_append(text, string);
    else
        g_string_append_printf(text, "\"%s\"", string);
}

static void put_list(GString *text, const json_t *list, const char *between)
{
    for (gsize i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            g_string_append(text, between);
        put_value(text, json_array_get(list, i));
    }
}

/* ------------------------------------------------------------------------------------------ values */

static void put_prefix(GString *text, const char *key, const json_t *body)
{
    put_value(text, json_object_get(body, "addr"));
    g_string_append_c(text, '/');
    put_value(text, json_object_get(body, "len"));
}

static void put_range(GString *text, const char *key, const json_t *body)
{
    put_list(text, body, "-");
}

static void put_concat(GString *text, const char *key, const json_t *body)
{
    put_list(text, body, " . ");
}

/* Elements, or pairs of element and value in a map. */
static void put_set(GString *text, const char *key, const json_t *body)
{
    if (!json_is_array(body)) {
        put_value(text, body);
        return;
    }
    g_string_append(text, "{ ");
    for (gsize i = 0; i < json_array_size(body); i++) {
        const json_t *element = json_array_get(body, i);

        if (i > 0)
            g_string_append(text, ", ");
        if (json_is_array(element))
            put_list(text, element, " : ");
        else
            put_value(text, element);
    }
    g_string_append(text, " }");
}

static void put_payload(GString *text, const char *key, const json_t *body)
{
    if (json_object_get(body, "field")) {
        put_value(text, json_object_get(body, "protocol"));
        g_string_append_c(text, ' ');
        put_value(text, json_object_get(body, "field"));
        return;
    }
    g_string_append_c(text, '@');
    put_value(text, json_object_get(body, "base"));
    g_string_append_c(text, ',');
    put_value(text, json_object_get(body, "offset"));
    g_string_append_c(text, ',');
    put_value(text, json_object_get(body, "len"));
}

static void put_meta(GString *text, const char *key, const json_t *body)
{
    static const char *const bare[] = {"iif", "oif", "iifname", "oifname", "iiftype", "oiftype", NULL};
    const char *name = json_string_value(json_object_get(body, "key"));

    if (!name || !g_strv_contains(bare, name))
        g_string_append(text, "meta ");
    put_value(text, json_object_get(body, "key"));
}

/* The key may be of two words: "ip saddr". */
static void put_ct(GString *text, const char *key, const json_t *body)
{
    const json_t *dir = json_object_get(body, "dir");
    const char *name = json_string_value(json_object_get(body, "key"));

    g_string_append(text, "ct ");
    if (dir) {
        put_value(text, dir);
        g_string_append_c(text, ' ');
    }
    g_string_append(text, name ? name : "");
}

static void put_elem(GString *text, const char *key, const json_t *body)
{
    put_value(text, json_object_get(body, "val"));
}

static void put_binary(GString *text, const char *key, const json_t *body)
{
    g_autofree char *op = g_strdup_printf(" %s ", key);

    put_list(text, body, op);
}

static void put_word(GString *text, const char *key, const json_t *body)
{
    g_string_append(text, key);
}

static void put_target(GString *text, const char *key, const json_t *body)
{
    g_string_append_printf(text, "%s ", key);
    put_value(text, json_object_get(body, "target"));
}

static const Form values[] = {
    {"prefix", put_prefix},   {"range", put_range}, {"concat", put_concat}, {"set", put_set},
    {"payload", put_payload}, {"meta", put_meta},   {"ct", put_ct},         {"elem", put_elem},
    {"&", put_binary},        {"|", put_binary},    {"^", put_binary},      {"<<", put_binary},
    {">>", put_binary},       {"accept", put_word}, {"drop", put_word},     {"return", put_word},
    {"continue", put_word},   {"jump", put_target}, {"goto", put_target},
};

static Writer form_writer(const Form *forms, gsize count, const char *key)
{
    for (gsize i = 0; i < count; i++) {
        if (strcmp(forms[i].key, key) == 0)
            return forms[i].write;
    }
    return NULL;
}

/* The only key of an object, or NULL. */
static const char *only_key(const json_t *object)
{
    /* jansson's iterator takes no const, but changes nothing. */
    json_t *readable = (json_t *)(gpointer)object;

    return json_object_size(object) == 1 ? json_object_iter_key(json_object_iter(readable)) : NULL;
}

static void put_value(GString *text, const json_t *value)
{
    const char *key = only_key(value);
    Writer write = key ? form_writer(values, G_N_ELEMENTS(values), key) : NULL;

    if (write)
        write(text, key, json_object_get(value, key));
    else if (json_is_string(value))
        put_string(text, json_string_value(value));
    else if (json_is_array(value))
        put_list(text, value, ",");
    else if (value)
        put_json(text, value);
}

/* -------------------------------------------------------------------------------------- statements */

/* Whether a value is the name of a device, which nft writes in quotes. */
static gboolean is_device(const json_t *value)
{
    static const char *const keys[] = {"iif", "oif", "iifname", "oifname", NULL};
    const char *key = json_string_value(json_object_get(json_object_get(value, "meta"), "key"));

    return key && g_strv_contains(keys, key);
}

/* A device's name, or a set of them. */
static void put_device(GString *text, const json_t *value)
{
    const json_t *set = json_object_get(value, "set");

    if (json_is_string(value) && *json_string_value(value) != '@') {
        g_string_append_printf(text, "\"%s\"", json_string_value(value));
        return;
    }
    if (!json_is_array(set)) {
        put_value(text, value);
        return;
    }
    for (gsize i = 0; i < json_array_size(set); i++) {
        g_string_append(text, i ? ", " : "{ ");
        put_device(text, json_array_get(set, i));
    }
    g_string_append(text, " }");
}

/* Whether nft writes "==" behind a value: not behind a plain one. */
static gboolean is_computed(const json_t *value)
{
    const char *key = only_key(value);

    return key && form_writer(values, G_N_ELEMENTS(values), key) == put_binary;
}

static void put_match(GString *text, const char *key, const json_t *body)
{
    const char *op = json_string_value(json_object_get(body, "op"));
    const json_t *left = json_object_get(body, "left");
    const json_t *right = json_object_get(body, "right");

    put_value(text, left);
    if (op && (is_computed(left) || (strcmp(op, "==") != 0 && strcmp(op, "in") != 0)))
        g_string_append_printf(text, " %s", op);
    g_string_append_c(text, ' ');
    if (is_device(left))
        put_device(text, right);
    else
        put_value(text, right);
}

static void put_counter(GString *text, const char *key, const json_t *body)
{
    g_string_append(text, key);
    if (json_is_string(body))
        g_string_append_printf(text, " name \"%s\"", json_string_value(body));
}

/* masquerade, snat, dnat, redirect: "to ADDRESS:PORT" where they have one. */
static void put_nat(GString *text, const char *key, const json_t *body)
{
    const json_t *addr = json_object_get(body, "addr");
    const json_t *port = json_object_get(body, "port");

    g_string_append(text, key);
    if (addr || port)
        g_string_append(text, " to ");
    put_value(text, addr);
    if (port)
        g_string_append_c(text, ':');
    put_value(text, port);
}

static void put_reject(GString *text, const char *key, const json_t *body)
{
    const char *type = json_string_value(json_object_get(body, "type"));
    const json_t *expr = json_object_get(body, "expr");

    g_string_append(text, key);
    if (type)
        g_string_append_printf(text, " with %s", type);
    if (expr)
        g_string_append_c(text, ' ');
    put_value(text, expr);
}

static void put_log(GString *text, const char *key, const json_t *body)
{
    const char *prefix = json_string_value(json_object_get(body, "prefix"));
    const json_t *level = json_object_get(body, "level");

    g_string_append(text, key);
    if (prefix)
        g_string_append_printf(text, " prefix \"%s\"", prefix);
    if (level)
        g_string_append(text, " level ");
    put_value(text, level);
}

/* A limit of the rule's own; else one that has a name, or a map of such. */
static void put_limit(GString *text, const char *key, const json_t *body)
{
    const json_t *unit = json_object_get(body, "rate_unit");

    if (!json_object_get(body, "rate")) {
        g_string_append(text, "limit name ");
        put_json(text, body);
        return;
    }
    g_string_append(text, "limit rate ");
    if (json_is_true(json_object_get(body, "inv")))
        g_string_append(text, "over ");
    put_value(text, json_object_get(body, "rate"));
    if (unit)
        g_string_append_c(text, ' ');
    put_value(text, unit);
    g_string_append_c(text, '/');
    put_value(text, json_object_get(body, "per"));
}

static void put_vmap(GString *text, const char *key, const json_t *body)
{
    put_value(text, json_object_get(body, "key"));
    g_string_append(text, " vmap ");
    put_value(text, json_object_get(body, "data"));
}

static void put_mangle(GString *text, const char *key, const json_t *body)
{
    put_value(text, json_object_get(body, "key"));
    g_string_append(text, " set ");
    put_value(text, json_object_get(body, "value"));
}

static void put_xt(GString *text, const char *key, const json_t *body)
{
    g_string_append_printf(text, "%s ", key);
    put_value(text, json_object_get(body, "type"));
    g_string_append_c(text, ' ');
    put_value(text, json_object_get(body, "name"));
}

static const Form statements[] = {
    {"match", put_match},  {"counter", put_counter}, {"accept", put_word},  {"drop", put_word},
    {"return", put_word},  {"continue", put_word},   {"notrack", put_word}, {"jump", put_target},
    {"goto", put_target},  {"masquerade", put_nat},  {"snat", put_nat},     {"dnat", put_nat},
    {"redirect", put_nat}, {"reject", put_reject},   {"log", put_log},      {"limit", put_limit},
    {"vmap", put_vmap},    {"mangle", put_mangle},   {"xt", put_xt},
};

char *firewall_nft_text(const json_t *expr, const char *comment)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < json_array_size(expr); i++) {
        const json_t *statement = json_array_get(expr, i);
        const char *key = only_key(statement);
        Writer write = key ? form_writer(statements, G_N_ELEMENTS(statements), key) : NULL;

        if (i > 0)
            g_string_append_c(text, ' ');
        if (write)
            write(text, key, json_object_get(statement, key));
        else
            put_json(text, statement);
    }
    if (comment)
        g_string_append_printf(text, " comment \"%s\"", comment);
    return g_string_free(text, FALSE);
}
