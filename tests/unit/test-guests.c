/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/guests-private.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Started again with this first word, the program only waits to be killed. */
#define SLEEPER "--sleep-as-qemu"
#define UUID "6b1f7b0e-7c5e-4f36-8a55-0d4a8b7e2c11"

static const char *program_path;

static void test_stat(void)
{
    static const struct {
        const char *line;
        gboolean good;
        guint64 ticks;
    } cases[] = {
        /* proc(5): the state is the third field, starttime the 22nd. */
        {"7 (qemu-system-x86) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0 812345 6 7 8\n", TRUE, 812345},
        {"7 (a) b) c) R 1 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0 99 6", TRUE, 99},
        {"7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0 99", TRUE, 99},
        {"7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0 99\n", TRUE, 99},
        {"7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0\n", FALSE, 0},
        {"7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0 -9 6", FALSE, 0},
        {"7 (x)S 1 7", FALSE, 0},
        {"7 x S 1", FALSE, 0},
        {"", FALSE, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint64 ticks = 0;

        g_test_message("case %zu", i);
        g_assert_cmpint(guest_stat_start(cases[i].line, strlen(cases[i].line), &ticks), ==, cases[i].good);
        g_assert_cmpuint(ticks, ==, cases[i].ticks);
    }
}

static void test_cmdline(void)
{
    static const struct {
        const char *bytes;
        gsize length;
        gboolean matches;
    } cases[] = {
#define CASE(text, expected) {text, sizeof(text) - 1, expected}
        CASE("qemu\0-name\0guest=VM1\0-uuid\0" UUID "\0-S\0", TRUE),
        CASE("qemu\0-uuid\0" UUID, TRUE),
        CASE("qemu\0-uuid\0"
             "6B1F7B0E-7C5E-4F36-8A55-0D4A8B7E2C11\0",
             TRUE),
        CASE("qemu\0-uuid\0"
             "6b1f7b0e-7c5e-4f36-8a55-0d4a8b7e2c12\0",
             FALSE),
        CASE("qemu\0-uuid\0" UUID "1\0", FALSE),
        CASE("qemu\0-uuid\0", FALSE),
        CASE("qemu\0-uuid=" UUID "\0", FALSE),
        CASE("qemu\0" UUID "\0", FALSE),
        CASE("", FALSE),
#undef CASE
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bytes = g_memdup2(cases[i].bytes, cases[i].length);

        g_test_message("case %zu", i);
        g_assert_cmpint(guest_cmdline_matches(bytes, cases[i].length, UUID), ==, cases[i].matches);
    }
}

/* ---------------------------------------------------------------------------------- a real process */

typedef struct {
    char *run, *pid_file;
    GPid child;
    Domain *domain;
} Host;

static void host_set_up(Host *host, gconstpointer data)
{
    g_autofree char *folder = NULL;

    host->run = g_dir_make_tmp("vnat-guests-XXXXXX", NULL);
    folder = g_build_filename(host->run, "qemu", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    host->pid_file = g_build_filename(folder, "VM 1&apos;s.pid", NULL);
    host->domain = domain_new();
    host->domain->name = g_strdup("VM 1's");
    host->domain->uuid = g_strdup(UUID);
}

static void host_stop_child(Host *host)
{
    if (!host->child)
        return;
    kill(host->child, SIGKILL);
    g_assert_cmpint(waitpid(host->child, NULL, 0), ==, host->child);
    host->child = 0;
}

static void host_tear_down(Host *host, gconstpointer data)
{
    g_autofree char *folder = g_path_get_dirname(host->pid_file);

    host_stop_child(host);
    (void)g_remove(host->pid_file);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_cmpint(g_rmdir(host->run), ==, 0);
    domain_free(host->domain);
    g_free(host->run);
    g_free(host->pid_file);
}

static void start_child(Host *host, const char *uuid)
{
    const char *const argv[] = {program_path, "qemu-system-x86_64", SLEEPER, "-uuid", uuid, NULL};
    g_autofree char *path = NULL, *cmdline = NULL, *pid = NULL;

    g_assert_true(g_spawn_async(NULL, (char **)(gpointer)argv, NULL,
                                G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                &host->child, NULL));
    path = g_strdup_printf("/proc/%d/cmdline", host->child);
    do {
        g_usleep(1000);
        g_clear_pointer(&cmdline, g_free);
        g_assert_true(g_file_get_contents(path, &cmdline, NULL, NULL));
    } while (strcmp(cmdline, argv[1]) != 0);
    pid = g_strdup_printf("%d\n", host->child);
    g_assert_true(g_file_set_contents(host->pid_file, pid, -1, NULL));
}

/* Between the time before and the time after; the kernel counts in hundredths of a second. */
static void test_start(Host *host, gconstpointer data)
{
    struct timespec before, after;
    double start;

    g_assert_cmpint(clock_gettime(CLOCK_BOOTTIME, &before), ==, 0);
    start_child(host, UUID);
    g_assert_cmpint(clock_gettime(CLOCK_BOOTTIME, &after), ==, 0);
    start = guest_start(host->run, host->domain);
    g_assert_cmpfloat(start, >=, (double)before.tv_sec + (double)before.tv_nsec / 1e9 - 0.1);
    g_assert_cmpfloat(start, <=, (double)after.tv_sec + (double)after.tv_nsec / 1e9 + 0.1);
}

static void test_unknown(Host *host, gconstpointer data)
{
    /* No pid file. */
    g_assert_cmpfloat(guest_start(host->run, host->domain), <, 0);
    /* The number is another guest's by now. */
    start_child(host, "6b1f7b0e-7c5e-4f36-8a55-0d4a8b7e2c12");
    g_assert_cmpfloat(guest_start(host->run, host->domain), <, 0);
    /* Nobody's. */
    host_stop_child(host);
    g_assert_cmpfloat(guest_start(host->run, host->domain), <, 0);
    g_assert_true(g_file_set_contents(host->pid_file, "none\n", -1, NULL));
    g_assert_cmpfloat(guest_start(host->run, host->domain), <, 0);
    /* A name leads to no other folder. */
    g_free(host->domain->name);
    host->domain->name = g_strdup("../qemu/VM 1's");
    start_child(host, UUID);
    g_assert_cmpfloat(guest_start(host->run, host->domain), <, 0);
}

/* Only QEMU of the system writes there. */
static void test_which(void)
{
    static const char *const uris[] = {"qemu:///session", "lxc:///system", "test:///default", NULL};

    for (guint i = 0; i < G_N_ELEMENTS(uris); i++) {
        g_autoptr(Facts) facts = facts_new();
        Domain *domain = domain_new();

        facts->uri = g_strdup(uris[i]);
        domain->state = DOMAIN_RUNNING;
        domain->started = 77;
        g_ptr_array_add(facts->domains, domain);
        guests_read(facts);
        g_assert_cmpint(domain->started, ==, 77);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], SLEEPER) == 0) {
        for (;;)
            pause();
    }
    program_path = argv[0];
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guests/stat", test_stat);
    g_test_add_func("/guests/cmdline", test_cmdline);
    g_test_add("/guests/start", Host, NULL, host_set_up, test_start, host_tear_down);
    g_test_add("/guests/unknown", Host, NULL, host_set_up, test_unknown, host_tear_down);
    g_test_add_func("/guests/which", test_which);
    return g_test_run();
}
