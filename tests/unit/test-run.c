/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/run.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((gsize)1024)
#define SECONDS ((gint64)G_USEC_PER_SEC)

/* A program of our own: an executable script in a temporary directory, removed at the end of the test. */
typedef struct {
    char *dir, *path;
} Script;

static void script_init(Script *script, const char *body)
{
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", body);

    script->dir = g_dir_make_tmp("vnat-run-XXXXXX", NULL);
    g_assert_nonnull(script->dir);
    script->path = g_build_filename(script->dir, "program", NULL);
    g_assert_true(g_file_set_contents_full(script->path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
}

static void script_clear(Script *script)
{
    g_unlink(script->path);
    g_rmdir(script->dir);
    g_free(script->path);
    g_free(script->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Script, script_clear)

static char *run_ok(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    char *output = NULL;
    gsize length = 0;

    g_assert_true(run_program(argv, 64 * KIB, deadline_in(60), &output, &length, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(length, ==, strlen(output));
    return output;
}

/* Runs what must fail with this code, long before the programs would end; *message may be NULL. */
static void assert_fails(const char *const *argv, gsize max_bytes, double seconds, VnatError code,
                         const char *message)
{
    g_autoptr(GError) error = NULL;
    char *output = (char *)"untouched";
    gint64 start = g_get_monotonic_time();

    g_assert_false(run_program(argv, max_bytes, deadline_in(seconds), &output, NULL, &error));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 100 * SECONDS);
    g_assert_error(error, VNAT_ERROR, (gint)code);
    g_assert_cmpstr(output, ==, "untouched");
    if (message)
        g_assert_cmpstr(error->message, ==, message);
}

static void test_output(void)
{
    g_autofree char *words = run_ok((const char *const[]){"printf", "%s|", "a b", "$HOME", "*", "", NULL});
    g_autofree char *nothing = run_ok((const char *const[]){"true", NULL});
    g_autofree char *input = run_ok((const char *const[]){"cat", NULL});

    g_assert_cmpstr(words, ==, "a b|$HOME|*||");
    g_assert_cmpstr(nothing, ==, "");
    g_assert_cmpstr(input, ==, "");
}

/* More than a pipe holds, on both pipes at once. */
static void test_large(void)
{
    g_auto(Script) script = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *output = NULL;
    gsize length = 0;

    script_init(&script,
                "head -c 300000 /dev/zero >&2; head -c 1000000 /dev/zero; head -c 300000 /dev/zero >&2");
    g_assert_true(run_program((const char *const[]){script.path, NULL}, 1000000, deadline_in(60), &output,
                              &length, &error));
    g_assert_cmpuint(length, ==, 1000000);
    assert_fails((const char *const[]){script.path, NULL}, 999999, 10, VNAT_ERROR_FAILED, NULL);
    assert_fails((const char *const[]){"yes", NULL}, 100 * KIB, 10, VNAT_ERROR_FAILED,
                 "yes: printed more than 102400 bytes");
}

static void test_environment(void)
{
    g_autofree char *env = NULL;

    g_setenv("VNAT_TEST_SECRET", "1", TRUE);
    env = run_ok((const char *const[]){"env", NULL});
    g_assert_cmpstr(env, ==, "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin\nLC_ALL=C\n");
}

/* Nothing but 0 to 2 is passed on, and 3 is what ls itself opened; signals are as the system has them. */
static void test_inherits_nothing(void)
{
    int fd = dup2(STDERR_FILENO, 50);
    g_autofree char *fds = NULL;
    g_autofree char *status = NULL;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fds = run_ok((const char *const[]){"ls", "/proc/self/fd", NULL});
    status = run_ok((const char *const[]){"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL});
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    close(fd);
    g_assert_cmpstr(fds, ==, "0\n1\n2\n3\n");
    /* Bits of signals 1 to 31; 32 and 33 are the C library's own. */
    g_assert_true(g_regex_match_simple("^SigBlk:\\t0{16}\nSigIgn:\\t[0-9a-f]{8}[08]0{7}\n$", status, 0, 0));
}

static void test_search(void)
{
    g_auto(Script) script = {0};
    g_autofree char *old = g_strdup(g_getenv("PATH"));

    script_init(&script, "echo mine");
    g_setenv("PATH", script.dir, TRUE);
    assert_fails((const char *const[]){"program", NULL}, KIB, 10, VNAT_ERROR_NOT_FOUND,
                 "program: no such program is installed");
    g_assert_cmpint(chdir(script.dir), ==, 0);
    assert_fails((const char *const[]){"./program", NULL}, KIB, 10, VNAT_ERROR_NOT_FOUND, NULL);
    assert_fails((const char *const[]){"/nonexistent", NULL}, KIB, 10, VNAT_ERROR_NOT_FOUND, NULL);
    assert_fails((const char *const[]){"/etc/passwd", NULL}, KIB, 10, VNAT_ERROR_DENIED, NULL);
    g_assert_cmpint(chdir("/"), ==, 0);
    g_setenv("PATH", old, TRUE);
}

static void test_failures(void)
{
    g_auto(Script) spoken = {0};
    g_auto(Script) denied = {0};
    g_auto(Script) killed = {0};
    g_autofree char *message = NULL;

    script_init(&spoken, "echo half; echo first >&2; echo ' the cause ' >&2; echo >&2; exit 3");
    message = g_strdup_printf("%s: the cause", spoken.path);
    assert_fails((const char *const[]){spoken.path, NULL}, KIB, 10, VNAT_ERROR_FAILED, message);
    script_init(&denied, "echo 'Error: Operation not permitted (you must be root)' >&2; echo >&2; exit 1");
    assert_fails((const char *const[]){denied.path, NULL}, KIB, 10, VNAT_ERROR_DENIED, NULL);
    script_init(&killed, "kill -SEGV $$");
    assert_fails((const char *const[]){killed.path, NULL}, KIB, 10, VNAT_ERROR_FAILED, NULL);
    assert_fails((const char *const[]){"false", NULL}, KIB, 10, VNAT_ERROR_FAILED, "false: exit status 1");
}

/* What a program says about rights counts only if it failed. */
static void test_warning_is_no_failure(void)
{
    g_auto(Script) script = {0};
    g_autofree char *output = NULL;

    script_init(&script, "echo 'Operation not permitted' >&2; echo done");
    output = run_ok((const char *const[]){script.path, NULL});
    g_assert_cmpstr(output, ==, "done\n");
}

static void test_deadline(void)
{
    g_auto(Script) script = {0};

    assert_fails((const char *const[]){"sleep", "300", NULL}, KIB, 0.1, VNAT_ERROR_DEADLINE,
                 "sleep: did not end in time");
    /* The pipes are closed, the program is not done; one that catches what it can. */
    script_init(&script, "trap '' TERM INT HUP; exec >&- 2>&-; sleep 300 & sleep 300");
    assert_fails((const char *const[]){script.path, NULL}, KIB, 0.1, VNAT_ERROR_DEADLINE, NULL);
    assert_fails((const char *const[]){"true", NULL}, KIB, -1, VNAT_ERROR_DEADLINE, NULL);
    assert_fails((const char *const[]){"yes", NULL}, G_MAXSIZE, 0.05, VNAT_ERROR_DEADLINE, NULL);
}

/* The end of the program is the end of the run, though its child keeps the pipes; all that it wrote is there.
 */
static void test_grandchild(void)
{
    g_auto(Script) script = {0};
    g_autofree char *output = NULL;
    gint64 start = g_get_monotonic_time();

    script_init(&script, "sleep 60 & echo kept");
    output = run_ok((const char *const[]){script.path, NULL});
    g_assert_cmpstr(output, ==, "kept\n");
    g_assert_cmpint(g_get_monotonic_time() - start, <, 50 * SECONDS);
}

/* What the program started is killed with it: nobody is left who holds the pipe open. */
static void test_kills_group(void)
{
    g_auto(Script) script = {0};
    g_autofree char *held = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Run) run = NULL;
    struct pollfd held_by = {.events = POLLIN};
    char *output = NULL;
    char byte;
    int fd;

    script_init(&script, "sleep 300 3>\"$1\" & sleep 300");
    held = g_build_filename(script.dir, "held", NULL);
    g_assert_cmpint(mkfifo(held, 0600), ==, 0);
    run = run_start((const char *const[]){script.path, held, NULL}, &error);
    g_assert_no_error(error);
    fd = open(held, O_RDONLY | O_CLOEXEC); /* when the other end is open, too */
    g_assert_cmpint(fd, >=, 0);
    g_assert_false(run_finish(run, KIB, deadline_in(0), &output, NULL, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    held_by.fd = fd;
    g_assert_cmpint(poll(&held_by, 1, 100000), ==, 1);
    g_assert_cmpint(read(fd, &byte, 1), ==, 0);
    close(fd);
    g_unlink(held);
}

/* The first has something to say only when the second speaks. */
static void test_side_by_side(void)
{
    g_auto(Script) script = {0};
    g_autofree char *between = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Run) first = NULL;
    g_autoptr(Run) second = NULL;
    g_autoptr(Run) unfinished = run_start((const char *const[]){"sleep", "300", NULL}, &error);
    g_autofree char *one = NULL;
    g_autofree char *two = NULL;

    script_init(&script, "case $1 in hear) cat \"$2\" ;; say) echo heard >\"$2\"; echo said ;; esac");
    between = g_build_filename(script.dir, "between", NULL);
    g_assert_cmpint(mkfifo(between, 0600), ==, 0);
    first = run_start((const char *const[]){script.path, "hear", between, NULL}, &error);
    second = run_start((const char *const[]){script.path, "say", between, NULL}, &error);
    g_assert_true(run_finish(first, KIB, deadline_in(60), &one, NULL, &error));
    g_assert_true(run_finish(second, KIB, deadline_in(60), &two, NULL, &error));
    g_assert_cmpstr(one, ==, "heard\n");
    g_assert_cmpstr(two, ==, "said\n");
    g_assert_nonnull(unfinished);
    g_unlink(between);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/output", test_output);
    g_test_add_func("/run/large", test_large);
    g_test_add_func("/run/environment", test_environment);
    g_test_add_func("/run/inherits-nothing", test_inherits_nothing);
    g_test_add_func("/run/search", test_search);
    g_test_add_func("/run/failures", test_failures);
    g_test_add_func("/run/warning-is-no-failure", test_warning_is_no_failure);
    g_test_add_func("/run/deadline", test_deadline);
    g_test_add_func("/run/grandchild", test_grandchild);
    g_test_add_func("/run/kills-group", test_kills_group);
    g_test_add_func("/run/side-by-side", test_side_by_side);
    return g_test_run();
}
