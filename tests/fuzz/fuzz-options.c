/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "commands/globals.h"
#include "fuzz.h"

#include <string.h>

/*
 * A command line: the first byte names a command, the lines behind it are the words. Whatever they are,
 * parsing ends in a usage error or in an understanding, which is the same again when it is written out in
 * full; and behind "--" every word is an argument. Both with that command, and as a whole line that names its
 * own.
 */

#define WORDS_MAX 64

static char **words_new(const uint8_t *data, size_t size, int *count)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *line = g_strconcat("vnat\n", text, NULL);
    char **words = g_strsplit(line, "\n", WORDS_MAX);

    *count = (int)g_strv_length(words);
    return words;
}

static void context_clear(Context *ctx)
{
    g_clear_pointer(&ctx->options, g_hash_table_unref);
    g_clear_pointer(&ctx->words, g_ptr_array_unref);
    g_clear_pointer(&ctx->columns, g_ptr_array_unref);
}

/* Every word and every value is one of the words given, or the end of one. */
static void require_from(const GPtrArray *texts, char **words)
{
    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        gboolean found = *text == '\0';

        for (guint j = 0; words[j] && !found; j++)
            found = text >= words[j] && text <= words[j] + strlen(words[j]);
        require(found);
    }
}

static void require_understood(const Context *ctx, char **words)
{
    GHashTableIter iter;
    gpointer values;

    require_from(ctx->words, words);
    g_hash_table_iter_init(&iter, ctx->options);
    while (g_hash_table_iter_next(&iter, NULL, &values)) {
        require(((GPtrArray *)values)->len > 0);
        require_from(values, words);
    }
}

static gboolean texts_equal(const GPtrArray *a, const GPtrArray *b)
{
    for (guint i = 0; a->len == b->len && i < a->len; i++) {
        if (strcmp(a->pdata[i], b->pdata[i]) != 0)
            return FALSE;
    }
    return a->len == b->len;
}

/* NULL for an argument that was given by its name: it has its place among the words. */
static const Option *find_option(const Command *command, const char *name)
{
    const Option *const tables[] = {options_common, options_json, options_table, command->options};

    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (const Option *option = tables[i]; option && option->name; option++) {
            if (strcmp(option->name, name) == 0)
                return option;
        }
    }
    return NULL;
}

/* The same, written out in full. */
static GPtrArray *written_out(const Context *ctx, const Command *command)
{
    GPtrArray *line = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer name, values;

    g_ptr_array_add(line, g_strdup("vnat"));
    g_hash_table_iter_init(&iter, ctx->options);
    while (g_hash_table_iter_next(&iter, &name, &values)) {
        const Option *option = find_option(command, name);

        for (guint i = 0; option && i < ((GPtrArray *)values)->len; i++)
            g_ptr_array_add(line, g_strconcat("--", name, option->kind == OPTION_FLAG ? NULL : "=",
                                              ((GPtrArray *)values)->pdata[i], NULL));
    }
    g_ptr_array_add(line, g_strdup("--"));
    for (guint i = 0; i < ctx->words->len; i++)
        g_ptr_array_add(line, g_strdup(ctx->words->pdata[i]));
    g_ptr_array_add(line, NULL);
    return line;
}

/* Written out in full, it is understood as before. */
static void require_same(const Context *ctx, const Command *command)
{
    g_autoptr(GPtrArray) line = written_out(ctx, command);
    g_autofree char **argv = g_memdup2(line->pdata, line->len * sizeof(char *));
    Context again = {.json = ctx->json};
    GHashTableIter iter;
    gpointer name, values;

    again.options = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    require(command_parse(&again, command, (int)line->len - 1, argv, NULL));
    require(texts_equal(ctx->words, again.words));
    require(g_hash_table_size(ctx->options) >= g_hash_table_size(again.options));
    g_hash_table_iter_init(&iter, ctx->options);
    while (g_hash_table_iter_next(&iter, &name, &values)) {
        if (find_option(command, name))
            require(option_list(&again, name) && texts_equal(values, option_list(&again, name)));
    }
    context_clear(&again);
}

static void parse_command(Context *ctx, const Command *command, int count, char **argv, char **words)
{
    g_autoptr(GError) error = NULL;

    if (command_parse(ctx, command, count, argv, &error))
        require(error == NULL);
    else
        require(g_error_matches(error, VNAT_ERROR, VNAT_ERROR_USAGE) && *error->message);
    if (!error)
        require_understood(ctx, words);
    if (!error && !(command->flags & COMMAND_RAW))
        require_same(ctx, command);
}

static void whole_line(char **words, int count)
{
    g_autofree char **argv = g_memdup2(words, ((gsize)count + 1) * sizeof(char *));
    char **rest = argv;
    g_autoptr(GError) error = NULL;
    gboolean show_help, show_version;
    Context ctx = {0};
    const Command *command = NULL;
    guint used;

    if (!globals_parse(&ctx, &count, &rest, &show_help, &show_version, &error))
        require(g_error_matches(error, VNAT_ERROR, VNAT_ERROR_USAGE));
    else if (count > 1)
        command = command_find(rest + 1, &used);
    if (command)
        parse_command(&ctx, command, count - (int)used, rest + used, words);
    context_clear(&ctx);
}

/* The lines as a command's own part; then behind "--", where all of them are arguments. */
static void own_part(const Command *command, char **words, int count)
{
    g_autofree char **argv = g_new0(char *, (gsize)count + 2);
    char end[] = "--";
    Context ctx = {0};

    memcpy(argv, words, (gsize)count * sizeof(char *));
    ctx.options = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    parse_command(&ctx, command, count, argv, words);
    g_clear_pointer(&ctx.words, g_ptr_array_unref);
    g_clear_pointer(&ctx.columns, g_ptr_array_unref);

    argv[0] = words[0];
    argv[1] = end;
    memcpy(argv + 2, words + 1, ((gsize)count - 1) * sizeof(char *));
    ctx.json = FALSE;
    command_parse(&ctx, command, count + 1, argv, NULL);
    require(ctx.words->len == (guint)count - 1 || (command->flags & COMMAND_RAW));
    context_clear(&ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    guint count_commands = 0;
    int count;
    g_auto(GStrv) words = NULL;

    if (size == 0)
        return 0;
    words = words_new(data + 1, size - 1, &count);
    while (commands[count_commands])
        count_commands++;
    whole_line(words, count);
    own_part(commands[data[0] % count_commands], words, count);
    return 0;
}
