/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/command.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Of the first writing that failed: the stream itself keeps only that one did. */
static int output_errno;

void output_flush(void)
{
    if (fflush(stdout) != 0 && output_errno == 0)
        output_errno = errno;
}

/* A buffer that ran full wrote by itself, and nobody saw why that failed: of a pipe it can still be seen. */
static int reason_unknown(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) ? EPIPE : EIO;
}

int output_finish(void)
{
    output_flush();
    if (output_errno == 0 && ferror(stdout))
        output_errno = reason_unknown();
    return output_errno;
}

static void print_line(const Context *ctx, FILE *out, const char *prefix, const char *text)
{
    g_autofree char *escaped = text_escape(text, -1, ctx->view.utf8);

    fprintf(out, "%s%s\n", prefix, escaped);
}

/* The options that a hint's command needs to mean the same host; NULL: none. New string. */
static char *host_options(const Context *ctx)
{
    g_autofree char *value = NULL;

    if (!ctx->replay && !ctx->uri)
        return NULL;
    value = text_shell(ctx->replay ? ctx->replay : ctx->uri);
    return g_strconcat(ctx->replay ? "--replay " : "-c ", value, NULL);
}

/* The length of the program's name that options go behind, where these words are a command that asks a host;
 * else 0. virsh knows no captured hosts. */
static gsize program_length(const Context *ctx, const char *words)
{
    static const char *const programs[] = {"vnat ", "virsh "};

    for (guint i = 0; i < (ctx->replay ? 1 : G_N_ELEMENTS(programs)); i++) {
        gsize length = strlen(programs[i]);

        if (g_str_has_prefix(words, programs[i]) && !g_str_has_prefix(words + length, "-c ") &&
            !g_str_has_prefix(words + length, "help"))
            return length;
    }
    return 0;
}

/* Whether a quotation begins behind this place. */
static gboolean opens_quote(const char *text, const char *at)
{
    return at > text && at[-1] == '\'' && (at - 1 == text || at[-2] == ' ');
}

/*
 * It is there to be pasted: where another host was asked it must not act on this one. In a text that is a
 * command what is in quotes is a name; else commands are.
 */
char *command_for_host(const Context *ctx, const char *command)
{
    g_autofree char *options = host_options(ctx);
    gsize first = program_length(ctx, command);
    GString *text;

    if (!options || (ctx->replay && !first))
        return g_strdup(command);
    if (first)
        return g_strdup_printf("%.*s%s %s", (int)first, command, options, command + first);
    text = g_string_new(NULL);
    for (const char *c = command; *c;) {
        gsize length = opens_quote(command, c) ? program_length(ctx, c) : 0;

        g_string_append_len(text, c, length > 0 ? (gssize)length : 1);
        if (length > 0)
            g_string_append_printf(text, "%s ", options);
        c += MAX(length, 1);
    }
    return g_string_free(text, FALSE);
}

static void print_hint(const Context *ctx, const char *text)
{
    g_autofree char *full = command_for_host(ctx, text);

    print_line(ctx, stderr, "hint: ", full);
}

static int exit_code(const Context *ctx, const GError *error)
{
    if (ctx->command && (ctx->command->flags & COMMAND_LEVELS))
        return EXIT_UNKNOWN;
    if (error->domain != VNAT_ERROR)
        return EXIT_FAILED;
    switch ((VnatError)error->code) {
    case VNAT_ERROR_FAILED:
    case VNAT_ERROR_NOT_FOUND:
    case VNAT_ERROR_EXISTS:
    case VNAT_ERROR_DENIED:
    case VNAT_ERROR_UNSUPPORTED:
        return EXIT_FAILED;
    case VNAT_ERROR_USAGE:
    case VNAT_ERROR_INVALID:
        return EXIT_USAGE;
    case VNAT_ERROR_UNREACHABLE:
    case VNAT_ERROR_DEADLINE:
        return EXIT_UNREACHABLE;
    }
    return EXIT_FAILED;
}

int report(Context *ctx, GError *error)
{
    const char *what = vnat_error_get_what(error);
    const char *next = vnat_error_get_hint(error);
    int code = exit_code(ctx, error);

    output_flush(); /* so that what was printed before stands before, where both streams are one */
    if (what)
        print_line(ctx, stderr, "error: ", what);
    print_line(ctx, stderr, "error: ", error->message);
    if (next)
        print_hint(ctx, next);
    else if (ctx->downgraded && code == EXIT_FAILED)
        fputs("hint: changes need root, or a new login as a member of group libvirt\n", stderr);
    else if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_USAGE) && ctx->command)
        fprintf(stderr, "hint: vnat help %s\n", ctx->command->name);
    g_error_free(error);
    return code;
}

void print_text(const Context *ctx, const char *text)
{
    /* Away from a terminal, letters pass in every locale: a loop of a cron job has to find the name again. */
    g_autofree char *escaped = text_escape(text, -1, ctx->view.utf8 || !isatty(STDOUT_FILENO));

    puts(escaped);
}

static void print_format(const Context *ctx, FILE *out, const char *prefix, const char *format, va_list args)
    G_GNUC_PRINTF(4, 0);

static void print_format(const Context *ctx, FILE *out, const char *prefix, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);

    print_line(ctx, out, prefix, text);
}

void say(const Context *ctx, const char *format, ...)
{
    va_list args;

    if (ctx->quiet || ctx->json)
        return;
    va_start(args, format);
    print_format(ctx, stdout, "", format, args);
    va_end(args);
}

void warn(const Context *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_format(ctx, stderr, "error: ", format, args);
    va_end(args);
}

void hint(const Context *ctx, const char *format, ...)
{
    va_list args;

    g_autofree char *text = NULL;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    print_hint(ctx, text);
}

int write_table(Context *ctx, const GPtrArray *records)
{
    table_write(stdout, ctx->columns, records, &ctx->view);
    return EXIT_OK;
}
