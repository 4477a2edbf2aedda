/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/translation.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *nft, *target; /* nft's statement, iptables' target */
    const char *option;       /* where that has addresses or ports */
    TranslateKind kind;
} kinds[] = {
    {"masquerade", "MASQUERADE", "--to-ports", TRANSLATE_MASQUERADE},
    {"snat", "SNAT", "--to-source", TRANSLATE_SOURCE},
    {"dnat", "DNAT", "--to-destination", TRANSLATE_TARGET},
    {"redirect", "REDIRECT", "--to-ports", TRANSLATE_HERE},
};

const char *translation_name(TranslateKind kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].kind == kind)
            return kinds[i].nft;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------- iptables */

/* "1024-65535" */
static gboolean take_ports(const char *text, Translation *translation)
{
    char *end = NULL;
    guint64 first = g_ascii_strtoull(text, &end, 10);
    guint64 last = *end == '-' ? g_ascii_strtoull(end + 1, &end, 10) : first;

    /* "/random" and the like may stand behind. */
    if (first == 0 || last < first || last > G_MAXUINT16 || (*end && *end != '/'))
        return FALSE;
    translation->port = (guint16)first;
    translation->port_last = (guint16)last;
    return TRUE;
}

/* "10.0.0.1-10.0.0.9" */
static void take_addresses(const char *text, Translation *translation)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", 2);
    Ip first, last;

    if (!*text)
        return;
    translation->untold =
        !parts[0] || !ip_parse(parts[0], &first) || !ip_parse(parts[1] ? parts[1] : parts[0], &last);
    if (translation->untold)
        return;
    translation->first = first;
    translation->last = last;
}

/* "10.0.0.1-10.0.0.9:80-90", "[fd00::1]:80", "fd00::1" */
static void take_target(const char *text, Translation *translation)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *address = NULL;

    if (*text == '[') {
        const char *end = strchr(text, ']');

        if (!end)
            return;
        address = g_strndup(text + 1, (gsize)(end - text - 1));
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon && strchr(text, ':') == colon) {
        address = g_strndup(text, (gsize)(colon - text));
    } else {
        address = g_strdup(text);
        colon = NULL;
    }
    take_addresses(address, translation);
    if (colon)
        take_ports(colon + 1, translation);
}

static Translation translation_of_words(char **argv)
{
    Translation translation = {.kind = TRANSLATE_NONE};
    const char *option = NULL;

    for (guint i = 0; argv[i] && argv[i + 1]; i++) {
        if (strcmp(argv[i], "-j") == 0) {
            for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++) {
                if (strcmp(kinds[k].target, argv[i + 1]) == 0) {
                    translation.kind = kinds[k].kind;
                    option = kinds[k].option;
                }
            }
        } else if (option && strcmp(argv[i], option) == 0) {
            if (strcmp(option, "--to-ports") == 0)
                take_ports(argv[i + 1], &translation);
            else
                take_target(argv[i + 1], &translation);
        }
    }
    return translation;
}

/* -------------------------------------------------------------------------------------------- nftables */

static void take_address_value(const json_t *value, Translation *translation)
{
    const json_t *range = json_object_get(value, "range");
    const char *first = json_string_value(range ? json_array_get(range, 0) : value);
    const char *last = range ? json_string_value(json_array_get(range, 1)) : first;
    Ip ips[2];

    if (!value)
        return;
    translation->untold = !first || !last || !ip_parse(first, &ips[0]) || !ip_parse(last, &ips[1]);
    if (translation->untold)
        return;
    translation->first = ips[0];
    translation->last = ips[1];
}

static void take_port_value(const json_t *value, Translation *translation)
{
    const json_t *range = json_object_get(value, "range");
    json_int_t first = json_integer_value(range ? json_array_get(range, 0) : value);
    json_int_t last = range ? json_integer_value(json_array_get(range, 1)) : first;

    if (first <= 0 || last < first || last > G_MAXUINT16)
        return;
    translation->port = (guint16)first;
    translation->port_last = (guint16)last;
}

static gboolean take_statement(const json_t *statement, Translation *translation)
{
    const json_t *xt = json_object_get(statement, "xt");
    const char *target = json_string_value(json_object_get(xt, "name"));

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const json_t *body = json_object_get(statement, kinds[i].nft);

        if (!body && g_strcmp0(target, kinds[i].target) != 0)
            continue;
        translation->kind = kinds[i].kind;
        /* nft's JSON has no options of iptables' targets. */
        translation->untold = target != NULL;
        take_address_value(json_object_get(body, "addr"), translation);
        take_port_value(json_object_get(body, "port"), translation);
        return TRUE;
    }
    return FALSE;
}

Translation translation_of(const FirewallRule *rule)
{
    Translation translation = {.kind = TRANSLATE_NONE};

    if (rule->argv)
        return translation_of_words(rule->argv);
    for (gsize i = 0; i < json_array_size(rule->expr); i++) {
        if (take_statement(json_array_get(rule->expr, i), &translation))
            break;
    }
    return translation;
}
