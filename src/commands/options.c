/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/globals.h"

#include "base/error.h"
#include "base/text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/*
 * The command line: getopt_long over the tables, once for the global options, which end at the first word,
 * and once for the command's own, where options and arguments may mix. getopt_long also takes abbreviations
 * of long options, which would let every new option break a script: those are refused.
 */

const Option options_common[] = {
    {"help", 'h', OPTION_FLAG, NULL, "show this help", NULL},
    {"quiet", 'q', OPTION_FLAG, NULL, "print no messages, only what was asked for", NULL},
    {0},
};

const Option options_json[] = {
    {"json", 'j', OPTION_FLAG, NULL, "print JSON", NULL},
    {0},
};

const Option options_table[] = {
    {"columns", 'o', OPTION_VALUE, "A,B", "show these columns; +C adds to the usual ones", COMPLETE_COLUMNS},
    {"noheadings", 'n', OPTION_FLAG, NULL, "no title row", NULL},
    {"list-columns", 0, OPTION_FLAG, NULL, "list the columns there are", NULL},
    {"csv", 0, OPTION_FLAG, NULL, "print CSV", NULL},
    {0},
};

typedef struct {
    GPtrArray *options; /* const Option *; index is getopt's value less FIRST_VALUE */
    GArray *longs;      /* struct option */
    GString *letters;
    GPtrArray *named; /* Option *: arguments that may be given by name */
} Parser;

#define FIRST_VALUE 256

static void parser_add(Parser *parser, const Option *table)
{
    for (; table && table->name; table++) {
        struct option item = {
            .name = table->name,
            .has_arg = table->kind == OPTION_FLAG ? no_argument : required_argument,
            .val = FIRST_VALUE + (int)parser->options->len,
        };

        g_ptr_array_add(parser->options, (gpointer)table);
        g_array_append_val(parser->longs, item);
        if (table->letter)
            g_string_append_printf(parser->letters, "%c%s", table->letter, item.has_arg ? ":" : "");
    }
}

static const Option *parser_option(const Parser *parser, int value)
{
    for (guint i = 0; i < parser->options->len; i++) {
        const Option *option = parser->options->pdata[i];

        if (value == FIRST_VALUE + (int)i ||
            (value < FIRST_VALUE && option->letter && option->letter == value))
            return option;
    }
    return NULL;
}

/* The word of the option that getopt just took; its value may be the word behind. */
static const char *option_word(char **argv)
{
    return argv[optind - (optarg && optarg == argv[optind - 1] ? 2 : 1)];
}

static gboolean is_written_out(const Option *option, const char *word)
{
    const char *name = word + strlen("--");
    gsize length = strcspn(name, "=");

    return strlen(option->name) == length && strncmp(name, option->name, length) == 0;
}

static void store(Context *ctx, const Option *option, const char *value)
{
    GPtrArray *values = g_hash_table_lookup(ctx->options, option->name);

    if (!values) {
        values = g_ptr_array_new();
        g_hash_table_insert(ctx->options, (gpointer)option->name, values);
    }
    g_ptr_array_add(values, (gpointer)(value ? value : ""));
}

/* An option that helps before the command alone; --json there would find out that the command has none. */
static gboolean is_global(const char *word)
{
    for (const Option *option = options_global; option->name; option++) {
        const char letter[] = {'-', option->letter, '\0'};

        if (strcmp(option->name, options_json->name) == 0)
            continue;
        if ((option->letter && strcmp(word, letter) == 0) ||
            (g_str_has_prefix(word, "--") && strcmp(word + strlen("--"), option->name) == 0))
            return TRUE;
    }
    return FALSE;
}

static gboolean unknown_option(const Parser *parser, const char *word, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *name = g_strndup(word, strcspn(word, "="));
    const char *close;

    for (guint i = 0; i < parser->options->len; i++)
        g_ptr_array_add(names, g_strconcat("--", ((const Option *)parser->options->pdata[i])->name, NULL));
    g_ptr_array_add(names, NULL);
    vnat_error_set(error, VNAT_ERROR_USAGE, "there is no option '%s'", name);
    if (is_global(name)) {
        vnat_error_hint(error, "'%s' is a global option and stands before the command: vnat %s ...", name,
                        name);
        return FALSE;
    }
    close = g_str_has_prefix(name, "--") ? text_suggest(name, (const char *const *)names->pdata) : NULL;
    if (close)
        vnat_error_hint(error, "did you mean '%s'?", close);
    return FALSE;
}

/* What getopt stumbled over: optopt is a long option's number where it has a value too many or too few, a
 * letter, or 0 for a long option that there is not. */
static gboolean wrong_option(const Parser *parser, gboolean lacks_value, char **argv, GError **error)
{
    const Option *option = optopt >= FIRST_VALUE ? parser->options->pdata[optopt - FIRST_VALUE] : NULL;
    char letter[] = {'-', (char)optopt, '\0'};

    if (optopt < FIRST_VALUE && !lacks_value)
        return unknown_option(parser, optopt ? letter : argv[optind - 1], error);
    return vnat_error_set(error, VNAT_ERROR_USAGE, "option '%s%s' %s", option ? "--" : letter,
                          option ? option->name : "", lacks_value ? "needs a value" : "takes no value");
}

static gboolean check_value(const Option *option, const char *value, GError **error)
{
    guint64 number;

    if (option->kind == OPTION_NUMBER && !g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT, &number, NULL))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "--%s takes a number, not '%s'", option->name, value);
    return TRUE;
}

static gboolean parse_one(Context *ctx, Parser *parser, int value, char **argv, GError **error)
{
    const Option *option;

    if (value == ':' || value == '?')
        return wrong_option(parser, value == ':', argv, error);
    option = parser_option(parser, value);
    g_assert(option); /* getopt was given no others */
    if (value >= FIRST_VALUE && !is_written_out(option, option_word(argv)))
        return unknown_option(parser, option_word(argv), error);
    if (option->kind != OPTION_FLAG && !check_value(option, optarg, error))
        return FALSE;
    store(ctx, option, optarg);
    return TRUE;
}

/*
 * As with virsh, an argument may also be given by its name: --domain VM1. The name is the argument's in the
 * usage, or its first part ("FILE|TEMPLATE": --file). An option of that name that the command has itself
 * (--mac) is the same thing, unless it takes no value.
 */
static const char *argument_option(const Argument *argument)
{
    g_auto(GStrv) parts = g_strsplit(argument->name, "|", 2);
    g_autofree char *lower = g_ascii_strdown(parts[0], -1);

    return g_intern_string(lower);
}

static const Option *parser_named(const Parser *parser, const char *name)
{
    for (guint i = 0; i < parser->options->len; i++) {
        const Option *option = parser->options->pdata[i];

        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

static void parser_add_arguments(Parser *parser, const Argument *argument)
{
    for (; argument && argument->name; argument++) {
        const char *name = argument_option(argument);
        Option *named;

        if (parser_named(parser, name))
            continue;
        named = g_new0(Option, 2); /* ends as a table does */
        named->name = name;
        named->kind = OPTION_VALUE;
        g_ptr_array_add(parser->named, named);
        parser_add(parser, named);
    }
}

gboolean argument_is_many(const Command *command, const Argument *argument)
{
    return (command->flags & COMMAND_MANY) && !argument[1].name;
}

/* The values that an argument was given by its name; NULL: none. */
static const GPtrArray *values_by_name(const Context *ctx, const Parser *parser, const Argument *argument)
{
    const Option *option = parser_named(parser, argument_option(argument));

    return option->kind == OPTION_VALUE ? option_list(ctx, option->name) : NULL;
}

/* An argument that is given by its name has no place among the words any more, and but one value, if it may
 * not be given several times: of two none is chosen. */
static gboolean check_names(const Context *ctx, const Parser *parser, GError **error)
{
    const Argument *argument = ctx->command->arguments;
    const Argument *last = NULL;
    guint places = 0;

    for (; argument && argument->name; argument++) {
        const GPtrArray *named = values_by_name(ctx, parser, argument);

        if (argument_is_many(ctx->command, argument))
            return TRUE;
        if (!named) {
            places++;
            continue;
        }
        last = argument;
        if (named->len > 1)
            return vnat_error_set(error, VNAT_ERROR_USAGE, "--%s is given twice", argument_option(argument));
    }
    if (last && ctx->words->len > places)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is one argument too many: %s is given by --%s",
                              (const char *)ctx->words->pdata[places], last->name, argument_option(last));
    return TRUE;
}

/* Moves arguments that were given by name from the options to the words, to their places. */
static void settle_words(Context *ctx, const Parser *parser)
{
    const Argument *arguments = ctx->command->arguments;
    GPtrArray *words = g_ptr_array_new();
    guint next = 0;

    for (guint i = 0; arguments && arguments[i].name; i++) {
        const GPtrArray *named = values_by_name(ctx, parser, &arguments[i]);

        /* Without a required one, those after it would stand in its place. */
        if (!named && next >= ctx->words->len)
            break;
        if (!named)
            g_ptr_array_add(words, ctx->words->pdata[next++]);
        for (guint k = 0; named && k < named->len; k++)
            g_ptr_array_add(words, named->pdata[k]);
        if (named)
            g_hash_table_remove(ctx->options, argument_option(&arguments[i]));
    }
    for (; next < ctx->words->len; next++)
        g_ptr_array_add(words, ctx->words->pdata[next]);
    g_ptr_array_unref(ctx->words);
    ctx->words = words;
}

static gboolean check_words(const Context *ctx, GError **error)
{
    const Argument *arguments = ctx->command->arguments;
    guint most = 0;
    guint least = 0;

    for (; arguments && arguments[most].name; most++)
        least += !arguments[most].optional;
    if (ctx->words->len < least)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "%s is missing", arguments[ctx->words->len].name);
    if (ctx->words->len > most && !(ctx->command->flags & COMMAND_MANY))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is one argument too many",
                              (const char *)ctx->words->pdata[most]);
    return TRUE;
}

static void parser_init(Parser *parser, const char *mode)
{
    unsetenv("POSIXLY_CORRECT"); /* options may stand after arguments, whatever the caller's shell likes */
    parser->options = g_ptr_array_new();
    parser->longs = g_array_new(FALSE, FALSE, sizeof(struct option));
    parser->letters = g_string_new(mode);
    parser->named = g_ptr_array_new_with_free_func(g_free);
}

static void parser_clear(Parser *parser)
{
    g_ptr_array_unref(parser->options);
    g_array_unref(parser->longs);
    g_string_free(parser->letters, TRUE);
    g_ptr_array_unref(parser->named);
}

/* Leaves optind at the first word that is no option. */
static gboolean parse_options(Context *ctx, Parser *parser, int argc, char **argv, GError **error)
{
    struct option end = {0};

    g_array_append_val(parser->longs, end);
    optind = 0; /* glibc's way to start anew */
    for (;;) {
        int value = getopt_long(argc, argv, parser->letters->str,
                                (const struct option *)(void *)parser->longs->data, NULL);

        if (value == -1)
            return TRUE;
        if (!parse_one(ctx, parser, value, argv, error))
            return FALSE;
    }
}

gboolean globals_read(Context *ctx, const Option *table, int argc, char **argv, int *used, GError **error)
{
    Parser parser;
    gboolean ok;

    ctx->options = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    parser_init(&parser, "+:"); /* '+': the first word that is no option ends them */
    parser_add(&parser, table);
    ok = parse_options(ctx, &parser, argc, argv, error);
    *used = optind;
    parser_clear(&parser);
    return ok;
}

static gboolean command_settle(Context *ctx, const Parser *parser, GError **error)
{
    ctx->quiet = ctx->quiet || option_flag(ctx, "quiet");
    ctx->json = ctx->json || option_flag(ctx, "json");
    ctx->view.noheadings = option_flag(ctx, "noheadings") || ctx->quiet; /* as virsh -q */
    ctx->view.csv = option_flag(ctx, "csv");
    if (option_flag(ctx, "help") || option_flag(ctx, "list-columns"))
        return TRUE;
    if (ctx->json && !(ctx->command->flags & COMMAND_JSON))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "%s has no JSON form", ctx->command->name);
    if (ctx->command->columns) {
        ctx->columns = columns_select(ctx->command->columns, ctx->command->standard,
                                      option_value(ctx, "columns"), error);
        if (!ctx->columns)
            return FALSE;
    }
    if (!check_names(ctx, parser, error))
        return FALSE;
    settle_words(ctx, parser);
    return check_words(ctx, error);
}

gboolean command_parse(Context *ctx, const Command *command, int argc, char **argv, GError **error)
{
    Parser parser;
    gboolean ok;

    ctx->command = command;
    ctx->words = g_ptr_array_new();
    g_hash_table_remove_all(ctx->options);
    if (command->flags & COMMAND_RAW) {
        for (int i = 1; i < argc; i++)
            g_ptr_array_add(ctx->words, argv[i]);
        return TRUE;
    }
    parser_init(&parser, ":");
    parser_add(&parser, options_common);
    if (command->flags & COMMAND_JSON)
        parser_add(&parser, options_json);
    if (command->columns)
        parser_add(&parser, options_table);
    parser_add(&parser, command->options);
    parser_add_arguments(&parser, command->arguments);
    ok = parse_options(ctx, &parser, argc, argv, error);
    for (int i = optind; ok && i < argc; i++)
        g_ptr_array_add(ctx->words, argv[i]);
    ok = ok && command_settle(ctx, &parser, error);
    parser_clear(&parser);
    return ok;
}

gboolean option_flag(const Context *ctx, const char *name)
{
    return g_hash_table_contains(ctx->options, name);
}

const GPtrArray *option_list(const Context *ctx, const char *name)
{
    return g_hash_table_lookup(ctx->options, name);
}

const char *option_value(const Context *ctx, const char *name)
{
    const GPtrArray *values = option_list(ctx, name);

    return values ? values->pdata[values->len - 1] : NULL;
}

const char *argument(const Context *ctx, guint index)
{
    return index < ctx->words->len ? ctx->words->pdata[index] : NULL;
}

static gboolean words_match(const char *name, char **words, guint *used)
{
    g_auto(GStrv) parts = g_strsplit(name, " ", -1);

    for (*used = 0; parts[*used]; (*used)++) {
        if (g_strcmp0(parts[*used], words[*used]) != 0)
            return FALSE;
    }
    return TRUE;
}

const Command *command_find(char **words, guint *used)
{
    for (guint i = 0; commands[i]; i++) {
        if (words_match(commands[i]->name, words, used))
            return commands[i];
    }
    return NULL;
}
