/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In a process of its own, whose standard output is a pipe of the test's. */

#define LINES 3000

typedef struct {
    int fd;
    GString *text;
} Reader;

/* Begins when the pipe is full. */
static gpointer read_slowly(gpointer data)
{
    Reader *reader = data;
    char piece[512];
    ssize_t got;

    g_usleep(G_USEC_PER_SEC / 10);
    while ((got = read(reader->fd, piece, sizeof piece)) > 0)
        g_string_append_len(reader->text, piece, got);
    return NULL;
}

static void pipe_as_output(int ends[2])
{
    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_assert_cmpint(fcntl(ends[1], F_SETFL, O_NONBLOCK), ==, 0);
    g_assert_cmpint(dup2(ends[1], STDOUT_FILENO), ==, STDOUT_FILENO);
    close(ends[1]);
}

/* In the child only. */
static gboolean in_child(void)
{
    if (g_test_subprocess())
        return TRUE;
    g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed();
    return FALSE;
}

static void test_nonblocking(void)
{
    g_autoptr(GString) wanted = g_string_new("before\n");
    Reader reader = {.text = g_string_new(NULL)};
    GThread *thread;
    int ends[2];

    if (!in_child())
        return;
    pipe_as_output(ends);
    printf("before\n");
    patient_output();
    reader.fd = ends[0];
    thread = g_thread_new("reader", read_slowly, &reader);
    for (guint i = 0; i < LINES; i++) {
        g_string_append_printf(wanted, "%u: a line that is about as long as one of these is, now and then\n",
                               i);
        printf("%u: a line that is about as long as one of these is, now and then\n", i);
        g_assert_cmpint(fflush(stdout), ==, 0);
    }
    close(STDOUT_FILENO);
    g_thread_join(thread);
    g_assert_cmpstr(reader.text->str, ==, wanted->str);
    g_string_free(reader.text, TRUE);
    _exit(0);
}

/* As with any other stream. */
static void test_broken(void)
{
    int ends[2], full;

    if (!in_child())
        return;
    signal(SIGPIPE, SIG_IGN);
    pipe_as_output(ends);
    patient_output();
    close(ends[0]);
    printf("nobody reads this\n");
    errno = 0;
    g_assert_cmpint(fflush(stdout), !=, 0);
    g_assert_cmpint(errno, ==, EPIPE);
    g_assert_true(ferror(stdout));
    clearerr(stdout);
    full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(dup2(full, STDOUT_FILENO), ==, STDOUT_FILENO);
    printf("nor this\n");
    errno = 0;
    g_assert_cmpint(fflush(stdout), !=, 0);
    g_assert_cmpint(errno, ==, ENOSPC);
    _exit(0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patient/nonblocking", test_nonblocking);
    g_test_add_func("/patient/broken", test_broken);
    return g_test_run();
}
