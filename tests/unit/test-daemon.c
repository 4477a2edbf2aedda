/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/daemon.h"
#include "base/error.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_program(void)
{
    g_assert_cmpstr(network_daemon_program("/usr/sbin/libvirtd"), ==, "libvirtd");
    g_assert_cmpstr(network_daemon_program("/usr/sbin/virtnetworkd"), ==, "virtnetworkd");
    g_assert_cmpstr(network_daemon_program("libvirtd"), ==, "libvirtd");
    /* An update replaced its file. */
    g_assert_cmpstr(network_daemon_program("/usr/sbin/libvirtd (deleted)"), ==, "libvirtd");
    g_assert_null(network_daemon_program("/usr/sbin/virtqemud"));
    g_assert_null(network_daemon_program("/tmp/libvirtd/evil"));
    g_assert_null(network_daemon_program("/usr/bin/libvirtd-helper"));
    g_assert_null(network_daemon_program(" (deleted)"));
    g_assert_null(network_daemon_program(""));
}

#define CONFIG "/var/lib/libvirt/dnsmasq/default.conf"

/* This program again, under the name and with the option of a dnsmasq; it waits. Returns when it runs. */
static pid_t start_dnsmasq(const char *self, gboolean stubborn)
{
    char *const argv[] = {(char *)"dnsmasq", (char *)"--conf-file=" CONFIG, NULL};
    g_autofree char *cmdline = NULL;
    g_autofree char *path = NULL;
    pid_t child = fork();

    if (child == 0) {
        if (stubborn)
            signal(SIGTERM, SIG_IGN); /* stays so */
        execv(self, argv);
        _exit(1);
    }
    path = g_strdup_printf("/proc/%d/cmdline", (int)child);
    while (!cmdline || strcmp(cmdline, "dnsmasq") != 0) {
        g_clear_pointer(&cmdline, g_free);
        g_assert_true(g_file_get_contents(path, &cmdline, NULL, NULL));
    }
    return child;
}

static void test_end(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autoptr(GError) error = NULL;
    pid_t child = start_dnsmasq(self, FALSE);
    int status;

    /* Another network's, or another program's: not touched. */
    g_assert_false(dnsmasq_end(child, "/var/lib/libvirt/dnsmasq/lab.conf", deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(dnsmasq_end(getpid(), CONFIG, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(process_lives(child));
    g_assert_true(dnsmasq_end(child, CONFIG, deadline_in(60), &error));
    g_assert_no_error(error);
    /* Ended and not waited for: a zombie, which does not live. */
    g_assert_false(process_lives(child));
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    g_assert_false(process_lives(child));
    g_assert_false(dnsmasq_end(child, CONFIG, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
}

/* One that does not end on request is not waited for beyond the deadline. */
static void test_stubborn(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autoptr(GError) error = NULL;
    pid_t child = start_dnsmasq(self, TRUE);

    g_assert_false(dnsmasq_end(child, CONFIG, deadline_in(0.05), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void test_lives(void)
{
    g_assert_true(process_lives(getpid()));
    g_assert_false(process_lives(0));
    g_assert_false(process_lives(-1));
}

int main(int argc, char **argv)
{
    if (strcmp(argv[0], "dnsmasq") == 0) {
        for (;;)
            pause();
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/daemon/program", test_program);
    g_test_add_func("/daemon/end", test_end);
    g_test_add_func("/daemon/stubborn", test_stubborn);
    g_test_add_func("/daemon/lives", test_lives);
    return g_test_run();
}
