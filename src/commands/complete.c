/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/globals.h"
#include "commands/world.h"

#include "base/virt.h"
#include "sources/libvirt.h"
#include "sources/templates.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * `vnat complete WORD...`: what may stand for the last word, one a line, for the shells' completion. It must
 * neither disturb nor delay the person who types: at most 300 ms, nothing on standard error, nothing at all
 * where something is wrong. A name that a shell would have to quote is left out rather than offered wrongly.
 */
#define LIMIT_SECONDS 0.3

/* Names of domains and networks are data: those with spaces, control characters or a shell's letters are no
 * candidates. */
static gboolean is_plain(const char *word)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-:+,@%/=";

    return *word && *word != '-' && strspn(word, allowed) == strlen(word);
}

static void offer(const char *candidate, const char *typed)
{
    if (candidate && g_str_has_prefix(candidate, typed))
        puts(candidate);
}

static void offer_names(char **names, const char *typed)
{
    for (guint i = 0; names && names[i]; i++) {
        if (is_plain(names[i]))
            offer(names[i], typed);
    }
    g_strfreev(names);
}

static void offer_of_libvirt(Context *ctx, const char *kind, const char *typed)
{
    g_autoptr(VirtConn) conn = virt_open(globals_uri(ctx), TRUE, ctx->deadline, NULL);

    if (!conn)
        return;
    if (strcmp(kind, COMPLETE_NETWORK) != 0)
        offer_names(libvirt_domain_names(conn, ctx->deadline, NULL), typed);
    else
        offer_names(libvirt_network_names(conn, ctx->deadline, NULL), typed);
}

static void offer_templates(const char *typed)
{
    g_autoptr(GPtrArray) files = templates_list(NULL);

    for (guint i = 0; i < files->len; i++) {
        const TemplateFile *file = files->pdata[i];

        if (!file->shadowed && file->tmpl)
            offer(file->name, typed);
    }
}

/* Columns come as a list: only the last of "A,B" is being typed. */
static void offer_columns(const ColumnSet *set, const char *typed)
{
    const char *comma = strrchr(typed, ',');
    const char *last = comma ? comma + 1 : *typed == '+' ? typed + 1 : typed;

    for (guint i = 0; set && i < set->count; i++) {
        if (g_str_has_prefix(set->columns[i].id, last))
            printf("%.*s%s\n", (int)(last - typed), typed, set->columns[i].id);
    }
}

static void offer_commands(const char *typed)
{
    for (guint i = 0; commands[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(commands[i]->name, " ", 2);
        gboolean repeated = parts[1] && i > 0 && g_str_has_prefix(commands[i - 1]->name, parts[0]);

        if (!(commands[i]->flags & COMMAND_HIDDEN) && !repeated)
            offer(parts[0], typed);
    }
}

/* Second words of a family, "template list". */
static void offer_subcommands(const char *family, const char *typed)
{
    for (guint i = 0; commands[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(commands[i]->name, " ", 2);

        if (parts[1] && strcmp(parts[0], family) == 0)
            offer(parts[1], typed);
    }
}

static void offer_options(const Option *options, const char *typed)
{
    for (; options && options->name; options++) {
        g_autofree char *full = g_strconcat("--", options->name, NULL);

        offer(full, typed);
    }
}

static void offer_kind(Context *ctx, const Command *command, const char *kind, const char *typed)
{
    if (!kind || strcmp(kind, COMPLETE_FILE) == 0)
        return;
    if (strcmp(kind, COMPLETE_NETWORK) == 0 || strcmp(kind, COMPLETE_DOMAIN) == 0 ||
        strcmp(kind, COMPLETE_WHO) == 0) {
        offer_of_libvirt(ctx, kind, typed);
    } else if (strcmp(kind, COMPLETE_TEMPLATE) == 0 || strcmp(kind, COMPLETE_TEMPLATE_OR_FILE) == 0) {
        offer_templates(typed);
    } else if (strcmp(kind, COMPLETE_COLUMNS) == 0) {
        offer_columns(command ? command->columns : NULL, typed);
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

static const Option *command_option(const Command *command, const char *word)
{
    const Option *option = find_option(command->options, word);

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

static void complete_command(Context *ctx, const Command *command, char **words, guint last)
{
    const char *typed = words[last];
    const Option *before = last > 0 ? command_option(command, words[last - 1]) : NULL;
    const Argument *arguments = command->arguments;
    guint position;

    if (before && before->kind != OPTION_FLAG) {
        offer_kind(ctx, command, before->complete, typed);
        return;
    }
    if (typed[0] == '-') {
        offer_options(command->options, typed);
        if (command->columns)
            offer_options(options_table, typed);
        if (command->flags & COMMAND_JSON)
            offer_options(options_json, typed);
        offer_options(options_common, typed);
        return;
    }
    position = count_arguments(command, words, last);
    for (guint i = 0; arguments && arguments[i].name; i++) {
        if (i == position)
            offer_kind(ctx, command, arguments[i].complete, typed);
    }
}

/* Skips the global options that stand before the command; takes a URI to ask for names. Returns the index of
 * the command. */
static guint skip_globals(Context *ctx, char **words, guint last)
{
    guint i = 0;

    while (i < last && words[i][0] == '-') {
        const Option *option = find_option(options_global, words[i]);

        if (option && option->kind != OPTION_FLAG) {
            if (strcmp(option->name, "connect") == 0 && i + 1 < last)
                ctx->uri = words[i + 1];
            i++;
        }
        i++;
    }
    return i;
}

static void complete(Context *ctx, char **words, guint count)
{
    guint last = count - 1;
    guint first = skip_globals(ctx, words, last);
    const Command *command;
    guint used;

    if (first > last)
        return;
    words += first;
    last -= first;
    if (last == 0) {
        if (words[0][0] == '-')
            offer_options(options_global, words[0]);
        else
            offer_commands(words[0]);
        return;
    }
    command = command_find(words, &used);
    if (!command) {
        if (last == 1)
            offer_subcommands(words[0], words[1]);
        return;
    }
    if (used <= last)
        complete_command(ctx, command, words + used, last - used);
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
