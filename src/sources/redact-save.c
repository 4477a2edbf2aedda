/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/firewall.h"
#include "sources/redact-private.h"
#include "sources/redact-sources.h"

#include <string.h>

/*
 * The text is parsed, what its rules say is replaced word by word, and it is written again: so what cannot be
 * understood is not there afterwards. An option tells what the words behind it are.
 */

typedef enum {
    WORDS_UNKNOWN, /* each is looked at for itself */
    WORDS_ADDRESS,
    WORDS_DEVICE,
    WORDS_CHAIN, /* a chain, a target, a set */
    WORDS_KEPT,  /* the name of a module or a protocol */
    WORDS_COMMENT,
    WORDS_NAME,   /* of a list that a module keeps */
    WORDS_HIDDEN, /* a program, or what a packet holds */
} WordsHold;

static const struct {
    const char *option;
    WordsHold hold;
} options[] = {
    {"-s", WORDS_ADDRESS},
    {"-d", WORDS_ADDRESS},
    {"-i", WORDS_DEVICE},
    {"-o", WORDS_DEVICE},
    {"-j", WORDS_CHAIN},
    {"-g", WORDS_CHAIN},
    {"-m", WORDS_KEPT},
    {"-p", WORDS_KEPT},
    {"--logical-in", WORDS_DEVICE},
    {"--logical-out", WORDS_DEVICE},
    {"--physdev-in", WORDS_DEVICE},
    {"--physdev-out", WORDS_DEVICE},
    {"--oif", WORDS_DEVICE},
    {"--iif", WORDS_DEVICE},
    {"--match-set", WORDS_CHAIN},
    {"--add-set", WORDS_CHAIN},
    {"--del-set", WORDS_CHAIN},
    {"--map-set", WORDS_CHAIN},
    {"--comment", WORDS_COMMENT},
    {"--log-prefix", WORDS_COMMENT},
    {"--nflog-prefix", WORDS_COMMENT},
    {"--ulog-prefix", WORDS_COMMENT},
    {"--prefix", WORDS_COMMENT},
    {"--name", WORDS_NAME},
    {"--hashlimit-name", WORDS_NAME},
    {"--rateest", WORDS_NAME},
    {"--rateest-name", WORDS_NAME},
    {"--nfacct-name", WORDS_NAME},
    {"--timeout", WORDS_NAME},
    {"--led-trigger-id", WORDS_NAME},
    {"--label", WORDS_NAME},
    {"--string", WORDS_HIDDEN},
    {"--hex-string", WORDS_HIDDEN},
    {"--bytecode", WORDS_HIDDEN},
    {"--object-pinned", WORDS_HIDDEN},
    {"--u32", WORDS_HIDDEN},
    {"--path", WORDS_HIDDEN},
};

static WordsHold option_holds(const char *option)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].option, option) == 0)
            return options[i].hold;
    }
    return WORDS_UNKNOWN;
}

/* "-A", "--to-source". */
static gboolean is_option(const char *word)
{
    gsize dashes = strspn(word, "-");

    return (dashes == 1 || dashes == 2) && g_ascii_isalpha(word[dashes]) &&
           word[strspn(word, "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0';
}

static char *redact_unknown(Redactor *redactor, const char *word)
{
    char *address = redact_address(redactor, word);

    if (address || strcmp(word, "!") == 0 || redact_is_harmless(word))
        return address ? address : g_strdup(word);
    return redact_name(redactor, REDACT_VALUE, word);
}

/* The word behind an option. New string. */
static char *redact_word(Redactor *redactor, WordsHold hold, const char *word)
{
    switch (hold) {
    case WORDS_UNKNOWN:
    case WORDS_ADDRESS:
        return redact_unknown(redactor, word);
    case WORDS_DEVICE:
        return redact_device(redactor, word, '+');
    case WORDS_CHAIN:
        return redact_name(redactor, REDACT_CHAIN, word);
    case WORDS_KEPT:
        return g_strdup(word);
    case WORDS_COMMENT:
        return redact_name(redactor, REDACT_COMMENT, word);
    case WORDS_NAME:
        return redact_name(redactor, REDACT_VALUE, word);
    case WORDS_HIDDEN:
        return g_strdup(REDACTED);
    }
    return g_strdup(REDACTED);
}

/* The word behind an option is its value whatever it looks like, those behind that are if they look like one.
 */
static void redact_words(Redactor *redactor, char **words)
{
    WordsHold hold = WORDS_UNKNOWN;

    for (guint i = 0; words[i]; i++) {
        char *word = words[i];

        if (hold == WORDS_UNKNOWN && is_option(word)) {
            hold = option_holds(word);
            continue;
        }
        words[i] = redact_word(redactor, hold, word);
        hold = WORDS_UNKNOWN;
        g_free(word);
    }
}

/* ----------------------------------------------------------------------------------------- writing */

/* As iptables-save quotes: whatever is more than a plain word. */
static void put_word(GString *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@*+!,=-";

    if (*word && word[strspn(word, plain)] == '\0') {
        g_string_append(out, word);
        return;
    }
    g_string_append_c(out, '"');
    for (; *word; word++) {
        if (strchr("\"\\", *word))
            g_string_append_c(out, '\\');
        g_string_append_c(out, *word);
    }
    g_string_append_c(out, '"');
}

/* The name of a table or a chain, behind what the line begins with. */
static void put_name(Redactor *redactor, const char *begin, const char *name, GString *out)
{
    g_autofree char *token = redact_name(redactor, REDACT_CHAIN, name);

    g_string_append(out, begin);
    put_word(out, token);
}

/* What happens to a packet at the end of a built-in chain; NULL for one of the user's. New string. */
static char *redact_policy(const char *policy)
{
    if (!policy)
        return g_strdup("-");
    return redact_is_harmless(policy) ? g_ascii_strup(policy, -1) : g_strdup(REDACTED);
}

static void put_chain(Redactor *redactor, const FirewallChain *chain, GString *out)
{
    g_autofree char *policy = redact_policy(chain->policy);

    put_name(redactor, ":", chain->name, out);
    g_string_append_c(out, ' ');
    put_word(out, policy);
    g_string_append(out, " [0:0]\n");
}

static void put_rules(Redactor *redactor, const FirewallChain *chain, GString *out)
{
    for (guint i = 0; i < chain->rules->len; i++) {
        const FirewallRule *rule = chain->rules->pdata[i];

        redact_words(redactor, rule->argv);
        put_name(redactor, "-A ", chain->name, out);
        for (guint word = 0; rule->argv[word]; word++) {
            g_string_append_c(out, ' ');
            put_word(out, rule->argv[word]);
        }
        g_string_append_c(out, '\n');
    }
}

static void put_table(Redactor *redactor, const FirewallTable *table, GString *out)
{
    put_name(redactor, "*", table->name, out);
    g_string_append_c(out, '\n');
    for (guint i = 0; i < table->chains->len; i++)
        put_chain(redactor, table->chains->pdata[i], out);
    for (guint i = 0; i < table->chains->len; i++)
        put_rules(redactor, table->chains->pdata[i], out);
    g_string_append(out, strcmp(table->family, "bridge") == 0 ? "# Completed\n" : "COMMIT\n");
}

/* "# Generated by iptables-nft-save v1.8.9 (nf_tables) on …": up to the date. */
static void put_version(const char *text, GString *out)
{
    static const char begin[] = "# Generated by ";
    gsize length = strcspn(text, "\n");
    const char *date = g_strstr_len(text, (gssize)length, " on ");

    if (g_str_has_prefix(text, begin) && date)
        g_string_append_printf(out, "%.*s\n", (int)(date - text), text);
}

/* Of which generation the rules are does not matter here, and of ip and ip6 not which of both. */
static char *redact_tables(Redactor *redactor, const char *text, const char *family, GError **error)
{
    const char *const texts[] = {text, NULL};
    g_autoptr(GPtrArray) tables =
        firewall_parse_save(text, strlen(text), FIREWALL_IPTABLES_NFT, family, error);
    GString *out;

    if (!tables)
        return NULL;
    redact_device_patterns(redactor, texts);
    out = g_string_new(NULL);
    put_version(text, out);
    for (guint i = 0; i < tables->len; i++)
        put_table(redactor, tables->pdata[i], out);
    return g_string_free(out, FALSE);
}

char *redact_save(Redactor *redactor, const char *text, GError **error)
{
    return redact_tables(redactor, text, "ip", error);
}

char *redact_ebtables(Redactor *redactor, const char *text, GError **error)
{
    return redact_tables(redactor, text, "bridge", error);
}
