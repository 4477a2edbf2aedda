/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/progress.h"

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Standard error is a terminal of the test's own, so that what is written can be read. */

#define WIPE "\r\033[K"
#define LONG_AGO (10 * G_USEC_PER_SEC)

typedef struct {
    int terminal, kept; /* the terminal's other end; the standard error of before */
    Context ctx;
    Progress progress;
} Desk;

static void desk_set_up(Desk *desk, gconstpointer data)
{
    struct termios raw;
    int inner;

    memset(&raw, 0, sizeof(raw));
    cfmakeraw(&raw);
    g_assert_cmpint(openpty(&desk->terminal, &inner, NULL, &raw, NULL), ==, 0);
    g_assert_cmpint(fcntl(desk->terminal, F_SETFL, O_NONBLOCK), ==, 0);
    desk->kept = dup(STDERR_FILENO);
    g_assert_cmpint(dup2(inner, STDERR_FILENO), ==, STDERR_FILENO);
    close(inner);
}

static void desk_tear_down(Desk *desk, gconstpointer data)
{
    dup2(desk->kept, STDERR_FILENO);
    close(desk->kept);
    close(desk->terminal);
}

/* Everything that came since the last look. */
static void assert_written(const Desk *desk, const char *expected)
{
    char bytes[512];
    ssize_t length;

    fflush(stderr);
    length = read(desk->terminal, bytes, sizeof(bytes));
    g_assert_cmpmem(bytes, (gsize)MAX(length, 0), expected, strlen(expected));
}

/* As if it had begun long ago. */
static void begin_long_ago(Desk *desk)
{
    progress_begin(&desk->progress, &desk->ctx);
    desk->progress.begun -= LONG_AGO;
}

static void test_shown(Desk *desk, gconstpointer data)
{
    begin_long_ago(desk);
    progress_show(&desk->progress, "waiting for %s", "dnsmasq");
    assert_written(desk, WIPE "waiting for dnsmasq");
    progress_show(&desk->progress, "waiting for %s", "rules");
    assert_written(desk, WIPE "waiting for rules");
    progress_end(&desk->progress);
    assert_written(desk, WIPE);
    progress_end(&desk->progress);
    assert_written(desk, "");
}

/* What is quick leaves no trace. */
static void test_quick(Desk *desk, gconstpointer data)
{
    progress_begin(&desk->progress, &desk->ctx);
    progress_show(&desk->progress, "waiting");
    progress_end(&desk->progress);
    assert_written(desk, "");
}

static void test_quiet(Desk *desk, gconstpointer data)
{
    desk->ctx.quiet = TRUE;
    begin_long_ago(desk);
    progress_show(&desk->progress, "waiting");
    progress_end(&desk->progress);
    assert_written(desk, "");
}

/* A name may hold what moves the cursor, and be longer than the line. */
static void test_hostile(Desk *desk, gconstpointer data)
{
    g_autofree char *name = g_strnfill(200, 'n');
    g_autofree char *cut = g_strdup_printf(WIPE "%.61s...", name);

    begin_long_ago(desk);
    progress_show(&desk->progress, "%s", "a\033[2J\nb\xff");
    assert_written(desk, WIPE "a\\x1b[2J\\x0ab\\xff");
    progress_show(&desk->progress, "%s", name);
    assert_written(desk, cut);
}

/* In a file or a pipe it would be noise. */
static void test_no_terminal(Desk *desk, gconstpointer data)
{
    int ends[2];
    char byte;

    g_assert_cmpint(pipe2(ends, O_NONBLOCK), ==, 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    begin_long_ago(desk);
    progress_show(&desk->progress, "waiting");
    progress_end(&desk->progress);
    fflush(stderr);
    g_assert_cmpint(read(ends[0], &byte, 1), <, 0);
    close(ends[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/progress/" name, Desk, NULL, desk_set_up, function, desk_tear_down)
    ADD("shown", test_shown);
    ADD("quick", test_quick);
    ADD("quiet", test_quiet);
    ADD("hostile", test_hostile);
    ADD("no-terminal", test_no_terminal);
#undef ADD
    return g_test_run();
}
