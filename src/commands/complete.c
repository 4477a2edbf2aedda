/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/globals.h"
#include "commands/world.h"

#include "checks/check.h"
#include "sources/capture.h"
#include "sources/templates.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * `vnat complete WORD...`: what may stand for the last word, one a line, for the shells' completion. It must
 * neither disturb nor delay the person who types: at most 300 ms, nothing on standard error, nothing at all
 * where something is wrong. A name that a shell would have to quote is left out rather than offered wrongly.
 * The line FILE_MARK, which no candidate can be, asks the shell to add names of files.
 */
#define LIMIT_SECONDS 0.3
#define FILE_MARK "<file>"

/* The word being typed: --OPTION= in front of a value stays as it is. */
typedef struct {
    const char *before;
    const char *text;
} Typed;

/* Names of domains and networks are data: those with spaces, control characters or a shell's letters are no
 * candidates. */
static gboolean is_plain(const char *word)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-:+,@%/=";

    return *word && *word != '-' && strspn(word, allowed) == strlen(word);
}

static gboolean offer(const char *candidate, const Typed *typed)
{
    if (!g_str_has_prefix(candidate, typed->text))
        return FALSE;
    printf("%s%s\n", typed->before, candidate);
    return TRUE;
}

static void offer_names(char **names, const Typed *typed)
{
    for (guint i = 0; names && names[i]; i++) {
        if (is_plain(names[i]))
            offer(names[i], typed);
    }
    g_strfreev(names);
}

static void offer_of_reader(Context *ctx, Reader *reader, const char *kind, const Typed *typed)
{
    if (strcmp(kind, COMPLETE_NETWORK) != 0)
        offer_names(reader->ops->domain_names(reader, ctx->deadline, NULL), typed);
    if (strcmp(kind, COMPLETE_NETWORK) == 0 || strcmp(kind, COMPLETE_DOMAIN_OR_NETWORK) == 0)
        offer_names(reader->ops->network_names(reader, ctx->deadline, NULL), typed);
}

static void offer_of_host(Context *ctx, const char *kind, const Typed *typed)
{
    Capture *capture = ctx->replay ? capture_read(ctx->replay, NULL) : NULL;
    g_autoptr(VirtConn) conn = ctx->replay ? NULL : virt_open(globals_uri(ctx), TRUE, ctx->deadline, NULL);
    Reader *reader = capture ? reader_replay(capture) : conn ? reader_live(conn) : NULL;

    if (reader)
        offer_of_reader(ctx, reader, kind, typed);
    reader_free(reader);
}

/* Returns whether there was one. */
static gboolean offer_templates(const Typed *typed)
{
    g_autoptr(GPtrArray) files = templates_list(NULL);
    gboolean found = FALSE;

    for (guint i = 0; i < files->len; i++) {
        const TemplateFile *file = files->pdata[i];

        if (!file->shadowed && file->tmpl)
            found = offer(file->name, typed) || found;
    }
    return found;
}

/* Columns come as a list: only the last of "A,B" is being typed. */
static void offer_columns(const ColumnSet *set, const Typed *typed)
{
    const char *text = typed->text;
    const char *comma = strrchr(text, ',');
    const char *last = comma ? comma + 1 : *text == '+' ? text + 1 : text;

    for (guint i = 0; set && i < set->count; i++) {
        if (g_str_has_prefix(set->columns[i].id, last))
            printf("%s%.*s%s\n", typed->before, (int)(last - text), text, set->columns[i].id);
    }
}

static void offer_commands(const Typed *typed)
{
    for (guint i = 0; commands[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(commands[i]->name, " ", 2);
        gboolean repeated = parts[1] && i > 0 && g_str_has_prefix(commands[i - 1]->name, parts[0]);

        if (!(commands[i]->flags & COMMAND_HIDDEN) && !repeated)
            offer(parts[0], typed);
    }
}

/* Second words of a family, "template list". */
static void offer_subcommands(const char *family, const Typed *typed)
{
    for (guint i = 0; commands[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(commands[i]->name, " ", 2);

        if (parts[1] && strcmp(parts[0], family) == 0)
            offer(parts[1], typed);
    }
}

static void offer_checks(const Typed *typed)
{
    guint count;
    const Check *table = check_table(&count);

    for (guint i = 0; i < count; i++)
        offer(table[i].id, typed);
}

static void offer_options(const Option *options, const Typed *typed)
{
    for (; options && options->name; options++) {
        g_autofree char *full = g_strconcat("--", options->name, NULL);

        offer(full, typed);
    }
}

static void offer_kind(Context *ctx, const Command *command, const char *kind, const Typed *typed)
{
    if (!kind)
        return;
    if (strcmp(kind, COMPLETE_FILE) == 0) {
        puts(FILE_MARK);
    } else if (strcmp(kind, COMPLETE_NETWORK) == 0 || strcmp(kind, COMPLETE_DOMAIN) == 0 ||
               strcmp(kind, COMPLETE_DOMAIN_OR_NETWORK) == 0 || strcmp(kind, COMPLETE_WHO) == 0) {
        offer_of_host(ctx, kind, typed);
    } else if (strcmp(kind, COMPLETE_NETWORK_OR_TEMPLATE) == 0) {
        offer_of_host(ctx, COMPLETE_NETWORK, typed);
        offer_templates(typed);
    } else if (strcmp(kind, COMPLETE_TEMPLATE) == 0) {
        offer_templates(typed);
    } else if (strcmp(kind, COMPLETE_TEMPLATE_OR_FILE) == 0) {
        if (!offer_templates(typed))
            puts(FILE_MARK);
    } else if (strcmp(kind, COMPLETE_COLUMNS) == 0) {
        offer_columns(command ? command->columns : NULL, typed);
    } else if (strcmp(kind, COMPLETE_CHECK) == 0) {
        offer_checks(typed);
    } else if (strcmp(kind, COMPLETE_COMMAND) == 0) {
        offer_commands(typed);
    } else {
        g_auto(GStrv) words = g_strsplit(kind, "|", -1);

        for (guint i = 0; words[i]; i++)
            offer(words[i], typed);
    }
}

static const Option *find_option(const Option *options, const char *word)
{
    for (; options && options->name; options++) {
        gboolean is_long = g_str_has_prefix(word, "--") && strcmp(word + 2, options->name) == 0;

        if (is_long || (options->letter && word[0] == '-' && word[1] == options->letter && !word[2]))
            return options;
    }
    return NULL;
}

/* command NULL: the options before it. */
static const Option *command_option(const Command *command, const char *word)
{
    const Option *option = command ? find_option(command->options, word) : find_option(options_global, word);

    if (!command)
        return option;
    if (!option && command->columns)
        option = find_option(options_table, word);
    return option ? option : find_option(options_common, word);
}

/* How many positional arguments stand before the last word. */
static guint count_arguments(const Command *command, char **words, guint last)
{
    guint count = 0;

    for (guint i = 0; i < last; i++) {
        const Option *option = words[i][0] == '-' ? command_option(command, words[i]) : NULL;

        if (words[i][0] != '-')
            count++;
        else if (option && option->kind != OPTION_FLAG)
            i++;
    }
    return count;
}

static gboolean takes_value(const Option *option)
{
    return option && option->kind != OPTION_FLAG;
}

/* "--name=val": the option and what is typed of its value. */
static const Option *split_value(const Command *command, const char *word, Typed *typed, char **before)
{
    const char *equals = g_str_has_prefix(word, "--") ? strchr(word, '=') : NULL;
    g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : NULL;

    if (!equals)
        return NULL;
    *before = g_strndup(word, (gsize)(equals + 1 - word));
    *typed = (Typed){*before, equals + 1};
    return command_option(command, name);
}

static void offer_all_options(const Command *command, const Typed *typed)
{
    offer_options(command->options, typed);
    if (command->columns)
        offer_options(options_table, typed);
    if (command->flags & COMMAND_JSON)
        offer_options(options_json, typed);
    offer_options(options_common, typed);
}

/* FALSE: the last word is no option's value. */
static gboolean offer_value(Context *ctx, const Command *command, char **words, guint last)
{
    const Option *option = last > 0 ? command_option(command, words[last - 1]) : NULL;
    Typed typed = {"", words[last]};
    g_autofree char *before = NULL;

    if (!takes_value(option))
        option = split_value(command, words[last], &typed, &before);
    if (!takes_value(option))
        return FALSE;
    offer_kind(ctx, command, option->complete, &typed);
    return TRUE;
}

static void complete_command(Context *ctx, const Command *command, char **words, guint last)
{
    const Argument *arguments = command->arguments;
    const Typed typed = {"", words[last]};
    guint position;

    if (offer_value(ctx, command, words, last))
        return;
    if (typed.text[0] == '-') {
        offer_all_options(command, &typed);
        return;
    }
    position = count_arguments(command, words, last);
    for (guint i = 0; arguments && arguments[i].name; i++) {
        if (i == position || (i < position && argument_is_many(command, &arguments[i])))
            offer_kind(ctx, command, arguments[i].complete, &typed);
    }
}

/* The value that a word before the command gives to this option, in whatever way it is written; NULL. next:
 * the word after. */
static const char *global_value(const char *name, char letter, const char *word, const char *next)
{
    const Option *option = find_option(options_global, word);
    g_autofree char *glued = g_strdup_printf("--%s=", name);

    if (option && strcmp(option->name, name) == 0)
        return next;
    if (g_str_has_prefix(word, glued))
        return word + strlen(glued);
    return letter && word[0] == '-' && word[1] == letter && word[2] ? word + 2 : NULL;
}

/* Skips the global options that stand before the command; takes from them which host to ask for names.
 * Returns the index of the command, which is past the last word where that is an option's value. */
static guint skip_globals(Context *ctx, char **words, guint last)
{
    guint i = 0;

    while (i < last && words[i] && words[i][0] == '-') {
        const char *next = i + 1 < last ? words[i + 1] : NULL;
        const char *uri = global_value("connect", 'c', words[i], next);
        const char *replay = global_value("replay", 0, words[i], next);

        ctx->uri = uri ? uri : ctx->uri;
        ctx->replay = replay ? replay : ctx->replay;
        i += takes_value(find_option(options_global, words[i])) ? 2 : 1;
    }
    return i;
}

static void offer_first(const Typed *typed)
{
    if (typed->text[0] == '-')
        offer_options(options_global, typed);
    else
        offer_commands(typed);
}

static void complete(Context *ctx, char **words, guint count)
{
    guint last = count - 1;
    guint first = skip_globals(ctx, words, last);
    const Command *command;
    guint used;

    if ((first >= last && offer_value(ctx, NULL, words, last)) || first > last)
        return;
    words += first;
    last -= first;
    if (last == 0) {
        offer_first(&(Typed){"", words[0]});
        return;
    }
    command = command_find(words, &used);
    if (command && used <= last)
        complete_command(ctx, command, words + used, last - used);
    else if (last == 1)
        offer_subcommands(words[0], &(Typed){"", words[1]});
}

static int run_complete(Context *ctx)
{
    guint count = ctx->words->len;

    ctx->deadline = deadline_within(ctx->deadline, LIMIT_SECONDS);
    if (count == 0)
        return EXIT_OK;
    g_ptr_array_add(ctx->words, NULL);
    complete(ctx, (char **)ctx->words->pdata, count);
    return EXIT_OK;
}

const Command command_complete = {
    .name = "complete",
    .group = "Help",
    .summary = "print candidates for the last word, for the shells' completion",
    .flags = COMMAND_HIDDEN | COMMAND_RAW,
    .run = run_complete,
};
