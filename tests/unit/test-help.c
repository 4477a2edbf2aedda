/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/globals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *help_of(const Command *command)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (command)
        help_command(out, command);
    else
        help_overview(out);
    fclose(out);
    return text;
}

static void assert_contains(const char *text, const char *part, const char *of)
{
    if (!strstr(text, part))
        g_error("the help of %s lacks '%s':\n%s", of, part, text);
}

/* Every option by its long name, with its letter, its value and what it is for. */
static void assert_options(const char *text, const Option *options, const char *of)
{
    for (; options && options->name; options++) {
        g_autofree char *name = g_strdup_printf("--%s%s%s", options->name, options->value ? " " : "",
                                                options->value ? options->value : "");
        g_autofree char *letter =
            options->letter ? g_strdup_printf("-%c, --%s", options->letter, options->name) : NULL;

        assert_contains(text, name, of);
        assert_contains(text, options->help, of);
        if (letter)
            assert_contains(text, letter, of);
        g_assert_cmpint(options->value != NULL, ==, options->kind != OPTION_FLAG);
    }
}

static void assert_arguments(const char *text, const Command *command)
{
    const Argument *argument = command->arguments;
    gboolean optional = FALSE;

    for (; argument && argument->name; argument++) {
        g_autofree char *name = g_strdup_printf(argument->optional ? " [%s]%s" : " %s%s", argument->name,
                                                argument_is_many(command, argument) ? "..." : "");

        assert_contains(text, name, command->name);
        /* Which word is missing is told by its place: required ones come first. */
        g_assert_true(argument->optional || !optional);
        optional = argument->optional;
    }
}

static void test_commands(void)
{
    for (guint i = 0; commands[i]; i++) {
        const Command *command = commands[i];
        char *text = help_of(command);

        if (!(command->flags & COMMAND_HIDDEN)) {
            g_assert_nonnull(command->group);
            g_assert_true(g_ascii_islower(command->summary[0]));
            g_assert_false(g_str_has_suffix(command->summary, "."));
            g_assert_null(strchr(command->summary, '\n'));
            g_assert_nonnull(command->examples);
            assert_contains(command->examples, command->name, command->name);
            assert_contains(text, command->examples, command->name);
        }
        g_assert_nonnull(command->run);
        assert_options(text, command->options, command->name);
        assert_options(text, options_common, command->name);
        if (command->flags & COMMAND_JSON)
            assert_options(text, options_json, command->name);
        if (command->columns)
            assert_options(text, options_table, command->name);
        assert_arguments(text, command);
        if (command->description)
            assert_contains(text, command->description, command->name);
        free(text);
    }
}

static void take(GHashTable *taken, const Option *options, const char *of)
{
    for (; options && options->name; options++) {
        g_autofree char *letter = g_strdup_printf("-%c", options->letter);

        if (!g_hash_table_add(taken, g_strdup(options->name)) ||
            (options->letter && !g_hash_table_add(taken, g_steal_pointer(&letter))))
            g_error("%s has --%s, or its letter, twice", of, options->name);
    }
}

/* getopt takes the first of two options with one name. */
static void test_no_option_twice(void)
{
    for (guint i = 0; commands[i]; i++) {
        g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        take(taken, options_common, commands[i]->name);
        if (commands[i]->flags & COMMAND_JSON)
            take(taken, options_json, commands[i]->name);
        if (commands[i]->columns)
            take(taken, options_table, commands[i]->name);
        take(taken, commands[i]->options, commands[i]->name);
    }
}

/* A command with a table shows some of its columns. */
static void test_columns(void)
{
    for (guint i = 0; commands[i]; i++) {
        g_autoptr(GPtrArray) columns = NULL;

        g_assert_cmpint(commands[i]->columns != NULL, ==, commands[i]->standard != NULL);
        if (commands[i]->columns)
            columns = columns_select(commands[i]->columns, commands[i]->standard, NULL, NULL);
        g_assert_cmpint(columns != NULL, ==, commands[i]->columns != NULL);
    }
}

/* No command hides another: none is the beginning of a longer one. */
static void test_names(void)
{
    for (guint i = 0; commands[i]; i++) {
        g_auto(GStrv) words = g_strsplit(commands[i]->name, " ", -1);
        guint used;

        g_assert_true(command_find(words, &used) == commands[i]);
        g_assert_cmpuint(used, ==, g_strv_length(words));
    }
}

static void test_overview(void)
{
    char *text = help_of(NULL);

    for (guint i = 0; commands[i]; i++) {
        g_autofree char *line = g_strdup_printf("\n  %-18s %s\n", commands[i]->name, commands[i]->summary);

        if (commands[i]->flags & COMMAND_HIDDEN)
            g_assert_null(strstr(text, line));
        else
            assert_contains(text, line, "vnat");
    }
    assert_options(text, options_global, "vnat");
    free(text);
}

/* Groups stay together: each is a heading once. */
static void test_groups(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const char *group = NULL;

    for (guint i = 0; commands[i]; i++) {
        if ((commands[i]->flags & COMMAND_HIDDEN) || g_strcmp0(commands[i]->group, group) == 0)
            continue;
        group = commands[i]->group;
        g_assert_true(g_hash_table_add(seen, (gpointer)group));
    }
}

/* ------------------------------------------------------------------------------------------- what is said */

/* What a command line without a command leads to, in a process of its own. */
typedef struct {
    const char *path;
    const char *words[3];
    int code;
    const char *out, *err; /* patterns; NULL: nothing */
} Said;

static const Said said[] = {
    {"/help/unknown/subprocess/close",
     {"mpa"},
     EXIT_USAGE,
     NULL,
     "error: there is no command 'mpa'\nhint: did you mean 'vnat map'? 'vnat help' shows them all\n"},
    {"/help/unknown/subprocess/far",
     {"xyzzy"},
     EXIT_USAGE,
     NULL,
     "error: there is no command 'xyzzy'\nhint: 'vnat help' shows the commands\n"},
    {"/help/unknown/subprocess/hostile",
     {"\033[2J\n"},
     EXIT_USAGE,
     NULL,
     "error: there is no command '\\x1b[2J\\x0a'\nhint: *\n"},
    {"/help/unknown/subprocess/family",
     {"template"},
     EXIT_USAGE,
     NULL,
     "error: 'template' needs a command after it\n"
     "hint: 'vnat template list', 'vnat template show', 'vnat template render'\n"},
    {"/help/unknown/subprocess/of-family",
     {"template", "lst"},
     EXIT_USAGE,
     NULL,
     "error: 'lst' is no command of 'template'\nhint: *'vnat template list'*\n"},
    {"/help/run/subprocess/all", {"help"}, EXIT_OK, "Usage: vnat *COMMAND*\n", NULL},
    {"/help/run/subprocess/one", {"help", "map"}, EXIT_OK, "Usage: vnat * map *", NULL},
    {"/help/run/subprocess/two",
     {"help", "template", "list"},
     EXIT_OK,
     "Usage: vnat * template list *",
     NULL},
    {"/help/run/subprocess/family", {"help", "template"}, EXIT_OK, "Usage: vnat * template COMMAND *", NULL},
    {"/help/run/subprocess/no-family",
     {"help", "temp"},
     EXIT_USAGE,
     NULL,
     "error: there is no command 'temp'\n*"},
    {"/help/run/subprocess/extra",
     {"help", "map", "x"},
     EXIT_USAGE,
     NULL,
     "error: 'x' is one argument too many\n*"},
    {"/help/run/subprocess/none", {"help", "mpa"}, EXIT_USAGE, NULL, "error: there is no command 'mpa'\n*"},
};

static void run_said(gconstpointer data)
{
    const Said *one = data;
    Context ctx = {0};
    int code;

    if (strcmp(one->words[0], "help") == 0) {
        ctx.words = g_ptr_array_new();
        for (guint i = 1; i < G_N_ELEMENTS(one->words) && one->words[i]; i++)
            g_ptr_array_add(ctx.words, (gpointer)one->words[i]);
        code = command_help.run(&ctx);
        g_ptr_array_unref(ctx.words);
    } else {
        char *words[] = {(char *)(gpointer)one->words[0], (char *)(gpointer)one->words[1], NULL};

        code = unknown_command(&ctx, words);
    }
    exit(code == one->code ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Commands to paste mean the host that was asked, also those within a sentence. */
static void test_for_host(void)
{
    static const struct {
        const char *text, *uri, *replay;
    } cases[] = {
        {"vnat map", "vnat -c test:///a map", "vnat --replay d map"},
        {"virsh start VM1", "virsh -c test:///a start VM1", NULL},
        {"vnat -c test:///b map", NULL, NULL},
        {"virsh -c test:///b version", NULL, NULL},
        {"ip link set vnet0 master virbr0", NULL, NULL},
        {"'vnat map' shows the active ones, 'virsh list --all' all of them",
         "'vnat -c test:///a map' shows the active ones, 'virsh -c test:///a list --all' all of them", NULL},
        {"try 'vnat map'", "try 'vnat -c test:///a map'", NULL},
        {"did you mean 'vnat map'? 'vnat help' shows them all",
         "did you mean 'vnat -c test:///a map'? 'vnat help' shows them all", NULL},
        /* Names, and what only looks like a command. */
        {"vnat domiflist 'vnat map'", "vnat -c test:///a domiflist 'vnat map'",
         "vnat --replay d domiflist 'vnat map'"},
        {"the vnat map is the guest's own: 'vnatx map', it's vnat 'vnat'", NULL, NULL},
        {"it'vnat map", NULL, NULL},
        {"", NULL, NULL},
        {"'", NULL, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *text = cases[i].text;
        g_autofree char *here = command_for_host(&(Context){0}, text);
        g_autofree char *there = command_for_host(&(Context){.uri = "test:///a"}, text);
        g_autofree char *replayed = command_for_host(&(Context){.replay = "d"}, text);

        g_assert_cmpstr(here, ==, text);
        g_assert_cmpstr(there, ==, cases[i].uri ? cases[i].uri : text);
        g_assert_cmpstr(replayed, ==, cases[i].replay ? cases[i].replay : text);
    }
}

static void test_said(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        g_test_trap_subprocess(said[i].path, 0, 0);
        g_test_trap_assert_passed();
        if (said[i].out)
            g_test_trap_assert_stdout(said[i].out);
        g_test_trap_assert_stderr(said[i].err ? said[i].err : "");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
        g_test_add_data_func(said[i].path, &said[i], run_said);
    g_test_add_func("/help/said", test_said);
    g_test_add_func("/help/for-host", test_for_host);
    g_test_add_func("/help/commands", test_commands);
    g_test_add_func("/help/no-option-twice", test_no_option_twice);
    g_test_add_func("/help/columns", test_columns);
    g_test_add_func("/help/names", test_names);
    g_test_add_func("/help/overview", test_overview);
    g_test_add_func("/help/groups", test_groups);
    return g_test_run();
}
