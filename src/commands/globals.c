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
    {"replay", 0, OPTION_VALUE, "DIR", "read a captured host instead of this one; see 'vnat help capture'",
     COMPLETE_FILE},
    {"readonly", 'r', OPTION_FLAG, NULL, "read-only connection", NULL},
    {"timeout", 0, OPTION_VALUE, "SECONDS", "deadline of the whole command; default 10", NULL},
    {"debug", 'd', OPTION_NUMBER, "N", "1: tell on stderr what is read and how long it took", NULL},
    {"color", 0, OPTION_VALUE, "WHEN", "auto, always or never", "auto|always|never"},
    {"quiet", 'q', OPTION_FLAG, NULL, "print no messages, only what was asked for", NULL},
    {"json", 'j', OPTION_FLAG, NULL, "print JSON", NULL},
    {"help", 'h', OPTION_FLAG, NULL, "show this help", NULL},
    {"version", 'v', OPTION_FLAG, NULL, "show the version", NULL},
    {0},
};

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

static gboolean globals_apply(Context *ctx, GError **error)
{
    const char *debug = option_value(ctx, "debug");
    double seconds;

    if (!parse_timeout(option_value(ctx, "timeout"), &seconds, error) ||
        !parse_color(option_value(ctx, "color"), &ctx->view.color, error))
        return FALSE;
    ctx->uri = option_value(ctx, "connect");
    ctx->replay = option_value(ctx, "replay");
    ctx->readonly = option_flag(ctx, "readonly");
    ctx->quiet = option_flag(ctx, "quiet");
    ctx->json = option_flag(ctx, "json");
    ctx->debug = debug ? (int)g_ascii_strtoll(debug, NULL, 10) : 0;
    ctx->deadline = deadline_in(seconds);
    ctx->timeout = seconds;
    ctx->timed = option_value(ctx, "timeout") != NULL;
    return TRUE;
}

gboolean globals_parse(Context *ctx, int *argc, char ***argv, gboolean *show_help, gboolean *show_version,
                       GError **error)
{
    int used;

    if (!globals_read(ctx, options_global, *argc, *argv, &used, error) || !globals_apply(ctx, error)) {
        vnat_error_hint(error, "vnat --help");
        return FALSE;
    }
    *show_help = option_flag(ctx, "help");
    *show_version = option_flag(ctx, "version");
    *argv += used - 1;
    *argc -= used - 1;
    return TRUE;
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
