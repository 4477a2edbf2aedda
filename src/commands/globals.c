/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/globals.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_URI "qemu:///system" /* a session has no NAT networks */
#define DEFAULT_TIMEOUT 10.0
#define LONGEST_TIMEOUT 86400.0

const Option options_global[] = {
    {"connect", 'c', OPTION_VALUE, "URI", "connect to this hypervisor; default qemu:///system", NULL},
    {"readonly", 'r', OPTION_FLAG, NULL, "read-only connection", NULL},
    {"timeout", 0, OPTION_VALUE, "SECONDS", "deadline of the whole command; default 10", NULL},
    {"debug", 'd', OPTION_NUMBER, "N", "tell on stderr what is read and how long it took (1 or 2)", NULL},
    {"color", 0, OPTION_VALUE, "WHEN", "auto, always or never", "auto|always|never"},
    {"quiet", 'q', OPTION_FLAG, NULL, "print no messages, only what was asked for", NULL},
    {"json", 'j', OPTION_FLAG, NULL, "print JSON", NULL},
    {"help", 'h', OPTION_FLAG, NULL, "show this help", NULL},
    {"version", 'v', OPTION_FLAG, NULL, "show the version", NULL},
    {NULL},
};

/* Where each global option's value goes, for GOption. */
typedef struct {
    char *uri, *color, *timeout;
    gboolean readonly, quiet, json, help, version;
    gint debug;
} Globals;

static GOptionEntry *globals_entries(Globals *globals)
{
    const struct {
        const char *name;
        GOptionArg kind;
        gpointer target;
    } targets[] = {
        {"connect", G_OPTION_ARG_FILENAME, &globals->uri}, /* FILENAME: bytes as they are, whatever the locale
                                                            */
        {"readonly", G_OPTION_ARG_NONE, &globals->readonly},
        {"timeout", G_OPTION_ARG_FILENAME, &globals->timeout},
        {"debug", G_OPTION_ARG_INT, &globals->debug},
        {"color", G_OPTION_ARG_FILENAME, &globals->color},
        {"quiet", G_OPTION_ARG_NONE, &globals->quiet},
        {"json", G_OPTION_ARG_NONE, &globals->json},
        {"help", G_OPTION_ARG_NONE, &globals->help},
        {"version", G_OPTION_ARG_NONE, &globals->version},
    };
    GOptionEntry *entries = g_new0(GOptionEntry, G_N_ELEMENTS(targets) + 1);

    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        entries[i].long_name = options_global[i].name;
        entries[i].short_name = options_global[i].letter;
        entries[i].arg = targets[i].kind;
        entries[i].arg_data = targets[i].target;
    }
    return entries;
}

static gboolean parse_timeout(const char *text, double *seconds, GError **error)
{
    char *end;

    *seconds = text ? g_ascii_strtod(text, &end) : DEFAULT_TIMEOUT;
    if (text && (end == text || *end || !(*seconds > 0 && *seconds <= LONGEST_TIMEOUT)))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "--timeout takes seconds, not '%s'", text);
    return TRUE;
}

/* auto: on a terminal that is not dumb, unless NO_COLOR is set (no-color.org). */
static gboolean parse_color(const char *when, gboolean *color, GError **error)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (!when || strcmp(when, "auto") == 0)
        *color = isatty(STDOUT_FILENO) && !(no_color && *no_color) && g_strcmp0(term, "dumb") != 0;
    else if (strcmp(when, "always") == 0)
        *color = TRUE;
    else if (strcmp(when, "never") == 0)
        *color = FALSE;
    else
        return vnat_error_set(error, VNAT_ERROR_USAGE, "--color takes auto, always or never, not '%s'", when);
    return TRUE;
}

static gboolean globals_apply(Context *ctx, Globals *globals, GError **error)
{
    double seconds;

    if (!parse_timeout(globals->timeout, &seconds, error) ||
        !parse_color(globals->color, &ctx->view.color, error))
        return FALSE;
    ctx->uri = globals->uri;
    ctx->readonly = globals->readonly;
    ctx->quiet = globals->quiet;
    ctx->json = globals->json;
    ctx->debug = globals->debug;
    ctx->deadline = deadline_in(seconds);
    return TRUE;
}

gboolean globals_parse(Context *ctx, int *argc, char ***argv, gboolean *show_help, gboolean *show_version,
                       GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    Globals globals = {0};
    g_autofree GOptionEntry *entries = globals_entries(&globals);
    GError *local = NULL;
    gboolean ok;

    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    ok = g_option_context_parse(context, argc, argv, &local);
    if (!ok) {
        vnat_error_set(error, VNAT_ERROR_USAGE, "%s", local->message);
        vnat_error_hint(error, "vnat --help");
        g_error_free(local);
        return FALSE;
    }
    /* strict posix leaves "--" in front of what it ended */
    if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
        (*argv)++;
        (*argc)--;
    }
    *show_help = globals.help;
    *show_version = globals.version;
    ok = globals_apply(ctx, &globals, error);
    g_free(globals.timeout);
    g_free(globals.color);
    return ok;
}

const char *globals_uri(const Context *ctx)
{
    static const char *const variables[] = {"VNAT_CONNECT", "VIRSH_DEFAULT_CONNECT_URI",
                                            "LIBVIRT_DEFAULT_URI"};

    if (ctx->uri)
        return ctx->uri;
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *value = getenv(variables[i]);

        if (value && *value)
            return value;
    }
    return DEFAULT_URI;
}

int unknown_command(Context *ctx, char **words)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *two = words[0] && words[1] ? g_strdup_printf("%s %s", words[0], words[1]) : NULL;
    g_autoptr(GPtrArray) family = g_ptr_array_new();
    g_autofree char *prefix = g_strdup_printf("%s ", words[0]);
    const char *close;

    for (guint i = 0; commands[i]; i++) {
        if (!(commands[i]->flags & COMMAND_HIDDEN))
            g_ptr_array_add(names, (gpointer)commands[i]->name);
        if (g_str_has_prefix(commands[i]->name, prefix))
            g_ptr_array_add(family, (gpointer)commands[i]->name);
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(family, NULL);
    if (family->len > 1) {
        g_autofree char *list = g_strjoinv("', 'vnat ", (char **)family->pdata);

        warn(ctx, words[1] ? "'%s' is no command of '%s'" : "%s'%s' needs a command after it",
             words[1] ? words[1] : "", words[0]);
        hint(ctx, "'vnat %s'", list);
        return EXIT_USAGE;
    }
    close = text_suggest(words[0], (const char *const *)names->pdata);
    if (!close && two)
        close = text_suggest(two, (const char *const *)names->pdata);
    warn(ctx, "there is no command '%s'", words[0]);
    if (close)
        hint(ctx, "did you mean 'vnat %s'? 'vnat help' shows them all", close);
    else
        hint(ctx, "'vnat help' shows the commands");
    return EXIT_USAGE;
}
