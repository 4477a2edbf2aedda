/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/globals.h"

#include "base/error.h"

#include <string.h>

#define HELP_COLUMN 28

static void help_options(FILE *out, const Option *options)
{
    for (; options && options->name; options++) {
        g_autofree char *value =
            options->kind == OPTION_FLAG ? g_strdup("") : g_strdup_printf(" %s", options->value);
        g_autofree char *letter =
            options->letter ? g_strdup_printf("-%c, ", options->letter) : g_strdup("    ");
        g_autofree char *left = g_strdup_printf("  %s--%s%s", letter, options->name, value);

        fprintf(out, "%-*s %s\n", HELP_COLUMN, left, options->help);
    }
}

static void help_usage(FILE *out, const Command *command)
{
    const Argument *argument = command->arguments;

    fprintf(out, "Usage: vnat [GLOBAL OPTION]... %s [OPTION]...", command->name);
    for (; argument && argument->name; argument++)
        fprintf(out, argument->optional ? " [%s]%s" : " %s%s", argument->name,
                argument_is_many(command, argument) ? "..." : "");
    fputs("\n", out);
}

void help_command(FILE *out, const Command *command)
{
    help_usage(out, command);
    fprintf(out, "\n%c%s.\n", g_ascii_toupper(command->summary[0]), command->summary + 1);
    if (command->description)
        fprintf(out, "\n%s\n", command->description);
    fputs("\nOptions:\n", out);
    help_options(out, command->options);
    if (command->columns)
        help_options(out, options_table);
    if (command->flags & COMMAND_JSON)
        help_options(out, options_json);
    help_options(out, options_common);
    if (command->examples)
        fprintf(out, "\nExamples:\n%s\n", command->examples);
    fputs("\nManual page: vnat(1)\n", out);
}

static void help_line(FILE *out, const Command *command)
{
    fprintf(out, "  %-18s %s\n", command->name, command->summary);
}

void help_overview(FILE *out)
{
    const char *group = NULL;

    fputs("Usage: vnat [GLOBAL OPTION]... COMMAND [OPTION]... [ARGUMENT]...\n\n"
          "NAT networks of a libvirt host: define and start them, and see who is behind which tap.\n",
          out);
    for (guint i = 0; commands[i]; i++) {
        if (commands[i]->flags & COMMAND_HIDDEN)
            continue;
        if (g_strcmp0(group, commands[i]->group) != 0)
            fprintf(out, "\n%s:\n", commands[i]->group);
        group = commands[i]->group;
        help_line(out, commands[i]);
    }
    fputs("\nGlobal options (before the command):\n", out);
    help_options(out, options_global);
    fputs("\n'vnat help COMMAND' shows the options of a command and examples.\n", out);
}

gboolean help_family(FILE *out, const char *word)
{
    g_autofree char *prefix = g_strdup_printf("%s ", word);
    gboolean found = FALSE;

    for (guint i = 0; commands[i]; i++) {
        if ((commands[i]->flags & COMMAND_HIDDEN) || !g_str_has_prefix(commands[i]->name, prefix))
            continue;
        if (!found)
            fprintf(out, "Usage: vnat [GLOBAL OPTION]... %s COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n",
                    word);
        help_line(out, commands[i]);
        found = TRUE;
    }
    if (found)
        fprintf(out, "\n'vnat help %s COMMAND' shows the options of one and examples.\n", word);
    return found;
}

/* The command that the words after "help" name, the family that one word names, or the whole list. */
static int run_help(Context *ctx)
{
    guint given = ctx->words->len;
    guint used;
    const Command *command;

    if (given == 0) {
        help_overview(stdout);
        return EXIT_OK;
    }
    g_ptr_array_add(ctx->words, NULL);
    command = command_find((char **)ctx->words->pdata, &used);
    if (command && used < given) {
        GError *error = NULL;

        vnat_error_set(&error, VNAT_ERROR_USAGE, "'%s' is one argument too many",
                       (const char *)ctx->words->pdata[used]);
        return report(ctx, error);
    }
    if (command)
        help_command(stdout, command);
    else if (given > 1 || !help_family(stdout, ctx->words->pdata[0]))
        return unknown_command(ctx, (char **)ctx->words->pdata);
    return EXIT_OK;
}

static const Argument arguments_help[] = {
    {"COMMAND", TRUE, COMPLETE_COMMAND},
    {"SUBCOMMAND", TRUE, NULL},
    {0},
};

const Command command_help = {
    .name = "help",
    .group = "Help",
    .summary = "show the commands, or one command's options and examples",
    .examples = "  vnat help\n  vnat help net-start\n  vnat help template list",
    .arguments = arguments_help,
    .run = run_help,
};
