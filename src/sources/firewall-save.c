/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/firewall.h"

#include <string.h>

/*
 * The text that iptables-save writes and iptables-restore reads:
 *
 *     # comment
 *     *filter                                     a table begins
 *     :FORWARD DROP [0:0]                         a chain; "-" for the policy of one of the user's
 *     [0:0] -A FORWARD -m comment --comment "a \"b\"" -j ACCEPT
 *     COMMIT                                      the table ends
 *
 * A word with anything but plain letters stands in double quotes, where a backslash takes the next byte as it
 * is; a quoted word may hold a line feed. Text that ends inside a table was cut off, and says less than the
 * truth: refused.
 *
 * ebtables-nft-save (1.8.9) writes the same, but no COMMIT: a table ends at the comment "# Completed on …".
 */

#define SAVE_COMPLETED "# Completed"

typedef struct {
    const char *at, *end;
    guint line;
    FirewallShape shape;
    const char *family;
    GPtrArray *tables;     /* FirewallTable */
    FirewallTable *table;  /* the one that is open; NULL between tables */
    GHashTable *chains;    /* its chains by name */
    GPtrArray *words;      /* of the line that was read */
    const char *rule_text; /* where its "-A" began */
    gboolean ebtables;     /* it is ebtables' text */
} SaveReader;

/* What iptables' built-in chains are: iptables(8), and the priorities of linux/netfilter_ipv4.h. */
static const struct {
    const char *table, *chain, *hook, *type;
    gint priority;
} save_builtins[] = {
    {"raw", "PREROUTING", "prerouting", "filter", -300},
    {"raw", "OUTPUT", "output", "filter", -300},
    {"mangle", "PREROUTING", "prerouting", "filter", -150},
    {"mangle", "INPUT", "input", "filter", -150},
    {"mangle", "FORWARD", "forward", "filter", -150},
    {"mangle", "OUTPUT", "output", "route", -150},
    {"mangle", "POSTROUTING", "postrouting", "filter", -150},
    {"nat", "PREROUTING", "prerouting", "nat", -100},
    {"nat", "INPUT", "input", "nat", 100},
    {"nat", "OUTPUT", "output", "nat", -100},
    {"nat", "POSTROUTING", "postrouting", "nat", 100},
    {"filter", "INPUT", "input", "filter", 0},
    {"filter", "FORWARD", "forward", "filter", 0},
    {"filter", "OUTPUT", "output", "filter", 0},
    {"security", "INPUT", "input", "filter", 50},
    {"security", "FORWARD", "forward", "filter", 50},
    {"security", "OUTPUT", "output", "filter", 50},
};

static gboolean save_error(const SaveReader *reader, const char *what, GError **error)
{
    return vnat_error_set(error, VNAT_ERROR_INVALID, "line %u: %s", reader->line, what);
}

/* ------------------------------------------------------------------------------------------- words */

/* The rest of a quoted word, up to its closing quote. FALSE if there is none. */
static gboolean save_quoted(SaveReader *reader, GString *word)
{
    for (; reader->at < reader->end; reader->at++) {
        if (*reader->at == '"')
            return TRUE;
        if (*reader->at == '\\' && reader->at + 1 < reader->end)
            reader->at++;
        if (*reader->at == '\n')
            reader->line++;
        g_string_append_c(word, *reader->at);
    }
    return FALSE;
}

/* One word; the reader stands on its first byte, and then on the blank, line feed or end behind it. */
static gboolean save_word(SaveReader *reader, GError **error)
{
    g_autoptr(GString) word = g_string_new(NULL);

    for (; reader->at < reader->end && !strchr(" \t\n", *reader->at); reader->at++) {
        if (*reader->at != '"') {
            g_string_append_c(word, *reader->at);
            continue;
        }
        reader->at++;
        if (!save_quoted(reader, word))
            return save_error(reader, "a quote is not closed", error);
    }
    g_ptr_array_add(reader->words, g_string_free(g_steal_pointer(&word), FALSE));
    return TRUE;
}

static gboolean save_stands_at(const SaveReader *reader, const char *text)
{
    gsize length = strlen(text);

    return (gsize)(reader->end - reader->at) >= length && memcmp(reader->at, text, length) == 0;
}

/* The words of the next line, none of an empty one or a comment; the reader stands on its line feed or the
 * end. */
static gboolean save_line(SaveReader *reader, GError **error)
{
    gboolean comment = *reader->at == '#';

    if (reader->ebtables && save_stands_at(reader, SAVE_COMPLETED))
        reader->table = NULL;
    g_ptr_array_set_size(reader->words, 0);
    reader->rule_text = reader->at;
    while (reader->at < reader->end && *reader->at != '\n') {
        if (comment || strchr(" \t", *reader->at)) {
            reader->at++;
            continue;
        }
        /* Counters may stand in front of a rule. */
        if (reader->words->len == 1 && *(const char *)reader->words->pdata[0] == '[')
            reader->rule_text = reader->at;
        if (!save_word(reader, error))
            return FALSE;
    }
    return TRUE;
}

static const char *save_get(const SaveReader *reader, guint i)
{
    return i < reader->words->len ? reader->words->pdata[i] : NULL;
}

/* ------------------------------------------------------------------------------------------- lines */

static gboolean save_begin(SaveReader *reader, const char *name, GError **error)
{
    if (reader->table)
        return save_error(reader, "a table begins inside another", error);
    for (guint i = 0; i < reader->tables->len; i++) {
        const FirewallTable *table = reader->tables->pdata[i];

        if (strcmp(table->name, name) == 0)
            return save_error(reader, "a table for the second time", error);
    }
    reader->table = firewall_table_new(reader->shape, reader->family, name);
    g_ptr_array_add(reader->tables, reader->table);
    g_hash_table_remove_all(reader->chains);
    return TRUE;
}

static void save_builtin(const FirewallTable *table, FirewallChain *chain, const char *policy)
{
    chain->policy = g_ascii_strdown(policy, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(save_builtins); i++) {
        if (strcmp(save_builtins[i].table, table->name) != 0 ||
            strcmp(save_builtins[i].chain, chain->name) != 0)
            continue;
        chain->hook = g_strdup(save_builtins[i].hook);
        chain->type = g_strdup(save_builtins[i].type);
        chain->priority = save_builtins[i].priority;
    }
}

static gboolean save_chain(SaveReader *reader, const char *name, GError **error)
{
    const char *policy = save_get(reader, 1);
    FirewallChain *chain;

    if (!reader->table || !policy || !*name)
        return save_error(reader, "a chain without a table, a name or a policy", error);
    if (g_hash_table_contains(reader->chains, name))
        return save_error(reader, "a chain for the second time", error);
    chain = firewall_chain_new(name);
    if (strcmp(policy, "-") != 0)
        save_builtin(reader->table, chain, policy);
    g_ptr_array_add(reader->table->chains, chain);
    g_hash_table_insert(reader->chains, chain->name, chain);
    return TRUE;
}

/* first: the number of the word "-A". */
static gboolean save_rule(SaveReader *reader, guint first, GError **error)
{
    const char *name = save_get(reader, first + 1);
    FirewallChain *chain = name && reader->table ? g_hash_table_lookup(reader->chains, name) : NULL;
    guint words = reader->words->len;
    FirewallRule *rule;

    if (!chain)
        return save_error(reader, "a rule of no chain", error);
    rule = firewall_rule_new();
    g_ptr_array_add(chain->rules, rule);
    rule->text = g_strndup(reader->rule_text, (gsize)(reader->at - reader->rule_text));
    rule->argv = g_new0(char *, words - first - 1);
    for (guint i = first + 2; i < words; i++)
        rule->argv[i - first - 2] = g_strdup(save_get(reader, i));
    return TRUE;
}

static gboolean save_commit(SaveReader *reader, GError **error)
{
    if (!reader->table)
        return save_error(reader, "COMMIT without a table", error);
    reader->table = NULL;
    return TRUE;
}

static gboolean save_take(SaveReader *reader, GError **error)
{
    const char *first = save_get(reader, 0);
    const char *second = save_get(reader, 1);

    if (!first)
        return TRUE;
    if (first[0] == '*' && first[1])
        return save_begin(reader, first + 1, error);
    if (first[0] == ':')
        return save_chain(reader, first + 1, error);
    if (strcmp(first, "-A") == 0)
        return save_rule(reader, 0, error);
    if (first[0] == '[' && second && strcmp(second, "-A") == 0)
        return save_rule(reader, 1, error);
    if (strcmp(first, "COMMIT") == 0)
        return save_commit(reader, error);
    return save_error(reader, "not a line of iptables-save", error);
}

static gboolean save_read(SaveReader *reader, GError **error)
{
    for (; reader->at < reader->end; reader->at++, reader->line++) {
        if (!save_line(reader, error) || !save_take(reader, error))
            return FALSE;
        if (reader->at == reader->end)
            break;
    }
    return !reader->table || save_error(reader, "the text ends inside a table", error);
}

GPtrArray *firewall_parse_save(const char *text, gsize length, FirewallShape shape, const char *family,
                               GError **error)
{
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_table_free);
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) chains = g_hash_table_new(g_str_hash, g_str_equal);
    SaveReader reader = {.at = text,
                         .end = text + length,
                         .line = 1,
                         .shape = shape,
                         .family = family,
                         .ebtables = strcmp(family, "bridge") == 0,
                         .tables = tables,
                         .chains = chains,
                         .words = words};

    if (memchr(text, '\0', length)) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "a NUL byte in the text");
        return NULL;
    }
    return save_read(&reader, error) ? g_steal_pointer(&tables) : NULL;
}
