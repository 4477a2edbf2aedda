/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "base/error.h"
#include "base/text.h"
#include "base/virt.h"
#include "commands/command.h"
#include "commands/commands.h"
#include "commands/globals.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A descriptor of the three that the caller closed would go to the next file that is opened, and messages
 * into it. The stand-in can be read and written the wrong way round only, so that writing to a closed
 * standard output is an error.
 */
static void open_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    }
}

static void prepare_process(Context *ctx)
{
    open_standard_descriptors();
    umask(S_IRWXG | S_IRWXO);
    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_CTYPE, "");
    ctx->view.utf8 = text_locale_is_utf8();
    ctx->view.now = g_get_real_time() / G_USEC_PER_SEC;
}

/* Behind the first word of commands that have two; a whole command's own --help is among its options. */
static gboolean is_help(const char *word)
{
    return g_strcmp0(word, "--help") == 0 || g_strcmp0(word, "-h") == 0;
}

static int run_command(Context *ctx, int argc, char **argv)
{
    const Command *command;
    GError *error = NULL;
    guint used;

    if (argc < 2) {
        help_overview(stderr);
        return EXIT_USAGE;
    }
    command = command_find(argv + 1, &used);
    if (!command && is_help(argv[2]) && help_family(stdout, argv[1]))
        return EXIT_OK;
    if (!command)
        return unknown_command(ctx, argv + 1);
    /* getopt takes the word before the command's own words for the program's name */
    if (!command_parse(ctx, command, argc - (int)used, argv + used, &error))
        return report(ctx, error);
    if (option_flag(ctx, "help")) {
        help_command(stdout, command);
        return EXIT_OK;
    }
    if (option_flag(ctx, "list-columns")) {
        columns_list(stdout, command->columns);
        return EXIT_OK;
    }
    if (ctx->replay && (command->flags & COMMAND_CHANGES)) {
        vnat_error_set(&error, VNAT_ERROR_USAGE,
                       "%s changes something, and a captured host cannot be changed", command->name);
        return report(ctx, error);
    }
    return command->run(ctx);
}

/* What is wrong before the command is read: to monitoring a wrong option is unknown, not critical. */
static const Command *check_among(char *const *words)
{
    for (; *words; words++) {
        if (strcmp(*words, command_check.name) == 0)
            return &command_check;
    }
    return NULL;
}

static int run(Context *ctx, int argc, char **argv)
{
    char *const *words = argv;
    gboolean show_help = FALSE;
    gboolean show_version = FALSE;
    GError *error = NULL;

    if (!globals_parse(ctx, &argc, &argv, &show_help, &show_version, &error)) {
        if (!ctx->command)
            ctx->command = check_among(words);
        return report(ctx, error);
    }
    if (show_version) {
        printf("vnat %s\n", VNAT_VERSION);
        return EXIT_OK;
    }
    if (show_help) {
        help_overview(stdout);
        return EXIT_OK;
    }
    return run_command(ctx, argc, argv);
}

/* What monitoring sets of the global options, as the guidelines for plugins name it too. -c is check's own.
 */
static const struct {
    const char *word, *global;
    gboolean has_value;
} plugin_globals[] = {
    {"--timeout", "--timeout", TRUE}, {"-t", "--timeout", TRUE},         {"--connect", "--connect", TRUE},
    {"--replay", "--replay", TRUE},   {"--version", "--version", FALSE}, {"-V", "--version", FALSE},
};

/* The global option that the word is; *has_value: the next word is its value. NULL: it is none. */
static const char *plugin_global(const char *word, gboolean *has_value)
{
    *has_value = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(plugin_globals); i++) {
        const gsize length = strlen(plugin_globals[i].word);

        if (strcmp(word, plugin_globals[i].word) == 0) {
            *has_value = plugin_globals[i].has_value;
            return plugin_globals[i].global;
        }
        if (plugin_globals[i].has_value && length > 2 && strncmp(word, plugin_globals[i].word, length) == 0 &&
            word[length] == '=')
            return word;
    }
    return NULL;
}

/* The name that Nagios knows it by: all words are then those of check, but for the global options that
 * monitoring sets, which come before it. New array; the words stay argv's. */
static char **plugin_words(int *argc, char **argv)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new();
    g_autoptr(GPtrArray) after = g_ptr_array_new();
    gboolean options = TRUE;

    g_ptr_array_add(before, (gpointer) "vnat");
    g_ptr_array_add(after, (gpointer) "check");
    g_ptr_array_add(after, (gpointer) "--format");
    g_ptr_array_add(after, (gpointer) "nagios");
    for (int i = 1; i < *argc; i++) {
        gboolean has_value;
        const char *global = options ? plugin_global(argv[i], &has_value) : NULL;

        if (global && has_value && i + 1 == *argc)
            global = NULL; /* its value is missing: then check does not know it */
        options = options && strcmp(argv[i], "--") != 0;
        g_ptr_array_add(global ? before : after, global ? (gpointer)global : argv[i]);
        if (global && has_value && i + 1 < *argc)
            g_ptr_array_add(before, argv[++i]);
    }
    g_ptr_array_extend(before, after, NULL, NULL);
    *argc = (int)before->len;
    g_ptr_array_add(before, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&before), FALSE);
}

static gboolean is_plugin(const char *program)
{
    g_autofree char *name = program ? g_path_get_basename(program) : NULL;

    return g_strcmp0(name, "check_vnat") == 0;
}

/* Output that did not reach its file is a failure of the command, unless the reader had enough of it. */
static int finish_output(const Context *ctx, int code)
{
    const int reason = output_finish();

    if (reason == 0)
        return code;
    if (reason == EPIPE)
        return EXIT_PIPE;
    fprintf(stderr, "error: failed to write the output\nerror: %s\n", strerror(reason));
    return ctx->command && (ctx->command->flags & COMMAND_LEVELS) ? EXIT_UNKNOWN : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    Context ctx = {0};
    char **words = NULL;
    int code;

    prepare_process(&ctx);
    if (is_plugin(argv[0])) {
        words = plugin_words(&argc, argv);
        ctx.command = &command_check; /* also for what is wrong before it is reached: unknown, not critical */
    }
    code = finish_output(&ctx, run(&ctx, argc, words ? words : argv));
    /* A call that hangs would hang the libraries' own clean-up too. */
    if (virt_calls_hang())
        _exit(code);
    if (ctx.options)
        g_hash_table_unref(ctx.options);
    if (ctx.columns)
        g_ptr_array_unref(ctx.columns);
    if (ctx.words)
        g_ptr_array_unref(ctx.words);
    g_free(words);
    return code;
}
