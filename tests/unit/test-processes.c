/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"
#include "sources/processes-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Started again with this first word, the program only waits to be killed; its command line is the test's
 * choice. */
#define SLEEPER "--sleep-as-dnsmasq"
#define READY "sleeper" /* its name in the kernel from when it can be told to change it */

static const char *program_path;

/* ----------------------------------------------------------------------------------------- parsers */

static void test_cmdline(void)
{
    static const struct {
        const char *bytes;
        gsize length;
        gboolean matches;
    } cases[] = {
#define CASE(text, expected) {text, sizeof(text) - 1, expected}
        CASE("/usr/sbin/dnsmasq\0--conf-file=/d/net.conf\0--leasefile-ro\0", TRUE),
        CASE("dnsmasq\0--leasefile-ro\0--conf-file=/d/net.conf\0", TRUE),
        CASE("/usr/sbin/dnsmasq\0--conf-file=/d/net.conf", TRUE),
        CASE("/usr/sbin/dnsmasq\0--conf-file=/d/net.conf2\0", FALSE),
        CASE("/usr/sbin/dnsmasq\0--conf-file=/d/net.con", FALSE),
        CASE("/usr/sbin/dnsmasq\0--conf-file=/e/net.conf\0", FALSE),
        CASE("/usr/sbin/dnsmasq\0/d/net.conf\0", FALSE),
        CASE("/usr/sbin/dnsmasq\0x--conf-file=/d/net.conf\0", FALSE),
        CASE("/usr/sbin/dnsmasq2\0--conf-file=/d/net.conf\0", FALSE),
        CASE("/usr/sbin/xdnsmasq\0--conf-file=/d/net.conf\0", FALSE),
        CASE("/dnsmasq/sh\0--conf-file=/d/net.conf\0", FALSE),
        CASE("/usr/sbin/dnsmask\0--conf-file=/d/net.conf\0", FALSE),
        CASE("/usr/sbin/dnsmasq\0--conf-fils=/d/net.conf\0", FALSE),
        CASE("vim\0dnsmasq\0--conf-file=/d/net.conf\0", FALSE),
        CASE("--conf-file=/d/net.conf\0", FALSE),
        CASE("/usr/sbin/dnsmasq --conf-file=/d/net.conf\0", FALSE),
        CASE("\0/usr/sbin/dnsmasq\0--conf-file=/d/net.conf\0", FALSE),
        CASE("\0", FALSE),
        CASE("", FALSE),
#undef CASE
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bytes = g_memdup2(cases[i].bytes, cases[i].length);

        g_test_message("case %zu", i);
        g_assert_cmpint(dnsmasq_cmdline_matches(bytes, cases[i].length, "/d/net.conf"), ==, cases[i].matches);
    }
}

static void test_stat(void)
{
    static const struct {
        const char *text;
        char state;
    } cases[] = {
        {"123 (dnsmasq) S 1 123 123 0 -1", 'S'},
        {"123 (dnsmasq) Z 1 123", 'Z'},
        {"1 (a) R", 'R'},
        {"1 (a) R\n", 'R'},
        {"1 (x) S 1) Z 1 123", 'Z'},
        {"1 (ev) il (\n) D 4", 'D'},
        {"1 () S 4", 'S'},
        {"1 (a) ", 0},
        {"1 (a) 4 4", 0},
        {"1 (a) Sx 4", 0},
        {"1 (a)S 4", 0},
        {"1 (a", 0},
        {"1 a) S 4", 0},
        {"1) S (a", 0},
        {")", 0},
        {"", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize length = strlen(cases[i].text);
        g_autofree char *bytes = g_memdup2(cases[i].text, length);

        g_test_message("case %zu", i);
        g_assert_true(proc_stat_state(bytes, length) == cases[i].state);
    }
}

/* --------------------------------------------------------------------------------------- processes */

typedef struct {
    char *run;   /* its network/NAME.pid are the pid files */
    char *state; /* configuration files need not exist */
    GPid child;  /* 0: none */
} Host;

static void host_set_up(Host *host, gconstpointer data)
{
    g_autofree char *pid_files = NULL;

    host->run = g_dir_make_tmp("vnat-processes-XXXXXX", NULL);
    g_assert_nonnull(host->run);
    host->state = g_strdup("/state");
    pid_files = g_build_filename(host->run, "network", NULL);
    g_assert_cmpint(g_mkdir(pid_files, 0755), ==, 0);
}

static void host_stop_child(Host *host)
{
    if (!host->child)
        return;
    kill(host->child, SIGKILL);
    waitpid(host->child, NULL, 0);
    host->child = 0;
}

static char *pid_path(const Host *host, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".pid", NULL);

    return g_build_filename(host->run, "network", file, NULL);
}

static void host_tear_down(Host *host, gconstpointer data)
{
    static const char *const names[] = {"net", "my net", "driver", "it&apos;s &lt;&quot;&amp;"};
    g_autofree char *pid_files = g_build_filename(host->run, "network", NULL);

    host_stop_child(host);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = pid_path(host, names[i]);

        (void)g_remove(path);
    }
    (void)g_rmdir(pid_files);
    (void)g_rmdir(host->run);
    g_free(host->run);
    g_free(host->state);
}

static void write_pid(const Host *host, const char *name, const char *content)
{
    g_autofree char *path = pid_path(host, name);

    g_assert_true(g_file_set_contents(path, content, -1, NULL));
}

static void write_child_pid(const Host *host, const char *name)
{
    g_autofree char *content = g_strdup_printf("%d\n", host->child);

    write_pid(host, name, content);
}

static Dnsmasq *look(const Host *host, const char *name)
{
    g_autoptr(DnsmasqSearch) search = dnsmasq_search_new();

    /* A child of this test has no helper, and may run as root. */
    return dnsmasq_look(host->run, host->state, name, FALSE, search);
}

/* As the kernel calls a process after its program. */
static void await_comm(const Host *host, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", host->child);
    g_autofree char *comm = NULL;

    do {
        g_usleep(1000);
        g_clear_pointer(&comm, g_free);
        g_assert_true(g_file_get_contents(path, &comm, NULL, NULL));
    } while (strcmp(g_strchomp(comm), name) != 0);
}

/* Runs this program with a command line that begins with program and the option; waits until it is there. */
static void start_child(Host *host, const char *program, const char *option)
{
    const char *const argv[] = {program_path, program, SLEEPER, option, NULL};

    g_assert_true(g_spawn_async(NULL, (char **)(gpointer)argv, NULL,
                                G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                &host->child, NULL));
    await_comm(host, READY);
}

static void call_child_dnsmasq(const Host *host)
{
    kill(host->child, SIGUSR1);
    await_comm(host, "dnsmasq");
}

static void check(const Host *host, const char *name, gboolean alive, gboolean unknown)
{
    Dnsmasq *dnsmasq = look(host, name);

    g_assert_cmpstr(dnsmasq->network, ==, name);
    g_assert_cmpint(dnsmasq->alive, ==, alive);
    g_assert_cmpint(dnsmasq->unknown, ==, unknown);
    g_assert_cmpint(dnsmasq->owner, ==, alive ? (gint)geteuid() : -1);
    g_assert_true((dnsmasq->user != NULL) == alive);
    if (alive && geteuid() == 0)
        g_assert_cmpstr(dnsmasq->user, ==, "root");
    dnsmasq_free(dnsmasq);
}

static void test_alive(Host *host, gconstpointer data)
{
    Dnsmasq *dnsmasq;

    start_child(host, "/usr/sbin/dnsmasq", "--conf-file=/state/dnsmasq/my net.conf");
    write_child_pid(host, "my net");
    check(host, "my net", TRUE, FALSE);
    dnsmasq = look(host, "my net");
    g_assert_cmpint(dnsmasq->pid, ==, host->child);
    g_assert_cmpstr(dnsmasq->config, ==, "/state/dnsmasq/my net.conf");
    dnsmasq_free(dnsmasq);
}

static void test_gone(Host *host, gconstpointer data)
{
    /* Never started. */
    check(host, "net", FALSE, FALSE);
    start_child(host, "/usr/sbin/dnsmasq", "--conf-file=/state/dnsmasq/net.conf");
    write_child_pid(host, "net");
    check(host, "net", TRUE, FALSE);
    /* Dead, its pid file stays. */
    host_stop_child(host);
    check(host, "net", FALSE, FALSE);
}

static void test_zombie(Host *host, gconstpointer data)
{
    siginfo_t info;

    start_child(host, "/usr/sbin/dnsmasq", "--conf-file=/state/dnsmasq/net.conf");
    write_child_pid(host, "net");
    kill(host->child, SIGKILL);
    g_assert_cmpint(waitid(P_PID, (id_t)host->child, &info, WEXITED | WNOWAIT), ==, 0);
    check(host, "net", FALSE, FALSE);
}

static void test_reused_pid(Host *host, gconstpointer data)
{
    /* Another network's dnsmasq got the number. */
    start_child(host, "/usr/sbin/dnsmasq", "--conf-file=/state/dnsmasq/other.conf");
    write_child_pid(host, "net");
    check(host, "net", FALSE, FALSE);
    host_stop_child(host);
    start_child(host, "/usr/bin/vim", "--conf-file=/state/dnsmasq/net.conf");
    write_child_pid(host, "net");
    check(host, "net", FALSE, FALSE);
}

/* With what XML escapes in the name of its pid file, as libvirt writes it; not in that of the other. */
static void test_escaped_name(Host *host, gconstpointer data)
{
    start_child(host, "/usr/sbin/dnsmasq", "--conf-file=/state/dnsmasq/it's <\"&.conf");
    write_child_pid(host, "it&apos;s &lt;&quot;&amp;");
    check(host, "it's <\"&", TRUE, FALSE);
}

static void check_lost(const Host *host, gboolean lost, gint claimed)
{
    Dnsmasq *dnsmasq = look(host, "net");

    g_assert_true(dnsmasq->alive && !dnsmasq->unknown);
    g_assert_cmpint(dnsmasq->pid, ==, host->child);
    g_assert_cmpint(dnsmasq->lost, ==, lost);
    g_assert_cmpint(dnsmasq->claimed, ==, claimed);
    g_assert_cmpint(dnsmasq->owner, ==, (gint)geteuid());
    dnsmasq_free(dnsmasq);
}

/* Its pid file gone, or overwritten, it is found by what it is. */
static void test_lost(Host *host, gconstpointer data)
{
    g_autofree char *path = pid_path(host, "net");
    g_autofree char *option = NULL;

    /* Nobody else's, also not that of another run of this test. */
    g_free(host->state);
    host->state = g_strdup(host->run);
    option = g_strdup_printf("--conf-file=%s/dnsmasq/net.conf", host->state);
    start_child(host, "/usr/sbin/dnsmasq", option);
    check(host, "net", FALSE, FALSE); /* the kernel calls it otherwise */
    call_child_dnsmasq(host);
    check_lost(host, TRUE, 0);
    write_pid(host, "net", "abc\n");
    check_lost(host, TRUE, 0);
    write_pid(host, "net", "1\n");
    check_lost(host, TRUE, 1);
    write_child_pid(host, "net");
    check_lost(host, FALSE, 0);
    g_assert_cmpint(g_remove(path), ==, 0);
    check(host, "other", FALSE, FALSE);
    host_stop_child(host);
    check(host, "net", FALSE, FALSE);
}

static void add_process(GPtrArray *processes, gint pid, gint parent, guint uid, const char *config)
{
    DnsmasqProcess *process = g_new0(DnsmasqProcess, 1);
    g_autofree char *cmdline = g_strdup_printf("/usr/sbin/dnsmasq%c--conf-file=%s", '\1', config);

    process->pid = pid;
    process->parent = parent;
    process->uid = uid;
    process->usable = TRUE;
    process->length = strlen(cmdline);
    *strchr(cmdline, '\1') = '\0';
    process->cmdline = g_steal_pointer(&cmdline);
    g_ptr_array_add(processes, process);
}

static void assert_pick(const GPtrArray *processes, const char *config, gboolean helps, gint pid)
{
    const DnsmasqProcess *picked = dnsmasq_processes_pick(processes, config, helps);

    g_assert_cmpint(picked ? picked->pid : 0, ==, pid);
}

static void free_process(gpointer data)
{
    g_free(((DnsmasqProcess *)data)->cmdline);
    g_free(data);
}

/* Which of those that look the same it is. */
static void test_pick(void)
{
    g_autoptr(GPtrArray) processes = g_ptr_array_new_with_free_func(free_process);

    add_process(processes, 12, 11, 0, "/d/a.conf"); /* helps 11 */
    add_process(processes, 11, 1, 65534, "/d/a.conf");
    add_process(processes, 20, 1, 0, "/d/b.conf");  /* helped one that has ended */
    add_process(processes, 31, 30, 0, "/d/c.conf"); /* helps 30, which runs as root */
    add_process(processes, 30, 1, 0, "/d/c.conf");
    add_process(processes, 40, 1, 65534, "/d/d.conf");
    add_process(processes, 51, 50, 7, "/d/f.conf"); /* helps 50, as another user */
    add_process(processes, 50, 1, 65534, "/d/f.conf");
    assert_pick(processes, "/d/a.conf", TRUE, 11);
    assert_pick(processes, "/d/b.conf", TRUE, 0);
    assert_pick(processes, "/d/b.conf", FALSE, 20);
    assert_pick(processes, "/d/c.conf", TRUE, 30);
    assert_pick(processes, "/d/d.conf", TRUE, 40);
    assert_pick(processes, "/d/e.conf", FALSE, 0);
    assert_pick(processes, "/d/f.conf", TRUE, 50);
    ((DnsmasqProcess *)processes->pdata[5])->usable = FALSE;
    assert_pick(processes, "/d/d.conf", TRUE, 0);
}

static void test_status(void)
{
    g_assert_true(proc_status_is_here("Name:\tdnsmasq\nNSpid:\t12\nNSpgid:\t12\t1\n"));
    g_assert_false(proc_status_is_here("Name:\tdnsmasq\nNSpid:\t12\t7\nNSpgid:\t12\t1\n"));
    g_assert_true(proc_status_is_here("Name:\tdnsmasq\nPid:\t12\n"));
    g_assert_true(proc_status_is_here(""));
}

static void test_pid_file_unreadable(Host *host, gconstpointer data)
{
    static const char *const contents[] = {"", "\n", "abc\n", "0\n", "-1\n", "1 2\n", "99999999999\n"};
    g_autofree char *path = pid_path(host, "net");
    g_autofree char *large = g_strnfill(1000, '1');

    /* No number, and no process: with /proc to be seen that is enough to say that it is gone. */
    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        write_pid(host, "net", contents[i]);
        check(host, "net", FALSE, FALSE);
    }
    write_pid(host, "net", large);
    check(host, "net", FALSE, FALSE);
    /* A number is not taken from in front of a NUL. */
    g_assert_true(g_file_set_contents(path, "1\0002\n", 4, NULL));
    check(host, "net", FALSE, FALSE);
    /* Neither waited for nor followed into a directory. */
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    check(host, "net", FALSE, FALSE);
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(symlink("/nonexistent/pid", path), ==, 0);
    check(host, "net", FALSE, FALSE);
}

/* The numbers are of another pid namespace if the daemon's own names nobody here. */
static void test_foreign_pids(Host *host, gconstpointer data)
{
    g_autofree char *own = g_strdup_printf("%d", getpid());

    start_child(host, "/usr/sbin/dnsmasq", "--conf-file=/state/dnsmasq/net.conf");
    write_child_pid(host, "driver");
    write_child_pid(host, "net");
    host_stop_child(host);
    check(host, "net", FALSE, TRUE);
    write_pid(host, "driver", own);
    check(host, "net", FALSE, FALSE);
}

static void test_names(Host *host, gconstpointer data)
{
    g_autofree char *longest = g_strnfill(247, 'n'), *longer = g_strnfill(248, 'n');
    const char *const names[] = {"", ".", "..", "a/b", "../net", "/etc/passwd", longer};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        Dnsmasq *dnsmasq = look(host, names[i]);

        g_assert_true(dnsmasq->unknown);
        g_assert_null(dnsmasq->config);
        g_assert_cmpint(dnsmasq->pid, ==, 0);
        dnsmasq_free(dnsmasq);
    }
    check(host, longest, FALSE, FALSE);
    check(host, "..net", FALSE, FALSE);
    check(host, "line\nfeed", FALSE, FALSE);
}

static Network *make_network(const char *name, gboolean active, gboolean with_ip)
{
    Network *network = network_new();

    network->name = g_strdup(name);
    network->active = active;
    network->forward = g_strdup("nat");
    network->bridge = g_strdup("virbr0");
    network->dns_enabled = TRUE;
    if (with_ip) {
        NetworkIp *ip = g_new0(NetworkIp, 1);

        ip->ranges = g_array_new(FALSE, FALSE, sizeof(DhcpRange));
        g_ptr_array_add(network->ips, ip);
    }
    return network;
}

/* Only networks that should have one are looked at, active or not; the directories are the system's, where
 * these names do not exist. */
static void test_which_networks(void)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    facts->now = 5;
    g_ptr_array_add(facts->networks, make_network("vnat-test-wanted", TRUE, TRUE));
    g_ptr_array_add(facts->networks, make_network("vnat-test-inactive", FALSE, TRUE));
    g_ptr_array_add(facts->networks, make_network("vnat-test-no-address", TRUE, FALSE));
    g_assert_true(processes_read(facts, FALSE, deadline_in(60), &error));
    g_assert_no_error(error);
    g_assert_cmpuint(facts->dnsmasqs->len, ==, 2);
    g_assert_cmpstr(((Dnsmasq *)facts->dnsmasqs->pdata[0])->network, ==, "vnat-test-wanted");
    g_assert_cmpstr(((Dnsmasq *)facts->dnsmasqs->pdata[1])->network, ==, "vnat-test-inactive");
    g_assert_cmpint(facts->sources[SOURCE_PROCESSES].state, ==, SOURCE_LIVE);
    g_assert_cmpint(facts->sources[SOURCE_PROCESSES].time, ==, 5);
    g_assert_cmpuint(facts->sources[SOURCE_PROCESSES].generation, ==, 1);
}

static void on_usr1(int number)
{
    (void)prctl(PR_SET_NAME, "dnsmasq");
}

static int sleep_until_killed(void)
{
    signal(SIGUSR1, on_usr1);
    (void)prctl(PR_SET_NAME, READY);
    for (guint i = 0; i < 600; i++)
        sleep(1);
    return 0;
}

int main(int argc, char **argv)
{
    g_autofree char *self = NULL;

    if (argc > 1 && strcmp(argv[1], SLEEPER) == 0)
        return sleep_until_killed();
    self = g_file_read_link("/proc/self/exe", NULL);
    program_path = self;
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/processes/cmdline", test_cmdline);
    g_test_add_func("/processes/stat", test_stat);
#define ADD(name, function) g_test_add("/processes/" name, Host, NULL, host_set_up, function, host_tear_down)
    ADD("alive", test_alive);
    ADD("gone", test_gone);
    ADD("zombie", test_zombie);
    ADD("reused-pid", test_reused_pid);
    ADD("escaped-name", test_escaped_name);
    ADD("lost", test_lost);
    ADD("pid-file-unreadable", test_pid_file_unreadable);
    ADD("foreign-pids", test_foreign_pids);
    ADD("names", test_names);
#undef ADD
    g_test_add_func("/processes/pick", test_pick);
    g_test_add_func("/processes/status", test_status);
    g_test_add_func("/processes/which-networks", test_which_networks);
    return g_test_run();
}
