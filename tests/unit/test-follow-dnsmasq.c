/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "sources/dnsmasq-follow.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * With a process that is called as a network's dnsmasq is, in libvirt's own directory: in a mount namespace,
 * where that is the test's.
 */

#define RUN_NETWORK VNAT_LIBVIRT_RUN_DIR "/network"
#define PID_FILE RUN_NETWORK "/default.pid"
#define CONFIG_OPTION "--conf-file=" VNAT_LIBVIRT_STATE_DIR "/dnsmasq/default.conf"
#define UUID "6c3c5d1e-7b0e-4f5a-9a55-8f6b7e0c0d01"

/* TRUE only in a child with a /run of its own. */
static gboolean in_own_run(void)
{
    if (!g_test_subprocess()) {
        if (geteuid() != 0) {
            g_test_skip("needs a mount namespace");
            return FALSE;
        }
        g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return FALSE;
    }
    g_assert_cmpint(unshare(CLONE_NEWNS), ==, 0);
    g_assert_cmpint(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
    g_assert_cmpint(mount("none", "/run", "tmpfs", 0, NULL), ==, 0);
    return TRUE;
}

static void write_pid(const char *path, pid_t pid)
{
    g_autofree char *text = g_strdup_printf("%d\n", pid);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* This program again, under a name and with a configuration file that are dnsmasq's; its number is in the
 * file.
 */
static pid_t start_dnsmasq(void)
{
    int lock[2];
    pid_t pid;
    char byte;

    g_assert_cmpint(pipe2(lock, O_CLOEXEC), ==, 0);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        execl("/proc/self/exe", "/usr/sbin/dnsmasq", CONFIG_OPTION, (char *)NULL);
        _exit(1);
    }
    /* Its end closes when it has become the other program. */
    close(lock[1]);
    g_assert_cmpint(read(lock[0], &byte, 1), ==, 0);
    close(lock[0]);
    write_pid(PID_FILE, pid);
    return pid;
}

static Network *network_default(void)
{
    Network *network = network_new();
    NetworkIp *ip = network_ip_new();

    network->name = g_strdup("default");
    network->uuid = g_strdup(UUID);
    network->bridge = g_strdup("virbr0");
    network->forward = g_strdup("nat");
    network->active = TRUE;
    network->xml_read = TRUE;
    network->dns_enabled = TRUE;
    g_assert_true(ip_parse("192.168.122.1", &ip->net.ip));
    ip->net.prefix = 24;
    g_ptr_array_add(network->ips, ip);
    return network;
}

static void on_changed(gpointer data)
{
    ++*(guint *)data;
}

static gboolean on_timeout(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void await_count(const guint *count, guint wanted)
{
    gboolean late = FALSE;
    guint timeout = g_timeout_add_seconds(100, on_timeout, &late);

    while (*count < wanted && !late)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(*count, ==, wanted);
    if (!late)
        g_source_remove(timeout);
}

/* What the map has of it. */
static void assert_dnsmasq(LiveMap *live, pid_t pid, gboolean alive)
{
    g_autoptr(Facts) facts = live_map_facts(live);
    const Dnsmasq *dnsmasq;

    g_assert_cmpuint(facts->dnsmasqs->len, ==, 1);
    dnsmasq = facts->dnsmasqs->pdata[0];
    g_assert_cmpstr(dnsmasq->network, ==, "default");
    g_assert_cmpint(dnsmasq->pid, ==, pid);
    g_assert_cmpint(dnsmasq->alive, ==, alive);
    g_assert_false(dnsmasq->unknown);
    g_assert_cmpint(facts->sources[SOURCE_PROCESSES].state, ==, SOURCE_LIVE);
}

static void end_dnsmasq(pid_t pid)
{
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static void test_life(void)
{
    g_autoptr(LiveMap) live = NULL;
    g_autoptr(DnsmasqFollow) follow = NULL;
    guint changed = 0;
    pid_t pid;

    if (!in_own_run())
        return;
    g_assert_cmpint(g_mkdir_with_parents(RUN_NETWORK, 0755), ==, 0);
    pid = start_dnsmasq();
    live = live_map_new(NULL);
    follow = dnsmasq_follow_new(RUN_NETWORK, live, on_changed, &changed);
    live_map_put_network(live, network_default());
    dnsmasq_follow_touch(follow);
    await_count(&changed, 1);
    assert_dnsmasq(live, pid, TRUE);
    /* The same again says nothing. */
    dnsmasq_follow_touch(follow);
    dnsmasq_follow_run(follow);
    dnsmasq_follow_run(follow);
    g_assert_cmpuint(changed, ==, 1);
    /* Dead, and nobody said so. */
    end_dnsmasq(pid);
    await_count(&changed, 2);
    assert_dnsmasq(live, pid, FALSE);
    /* Its daemon too, which takes back nothing that is known. */
    write_pid(RUN_NETWORK "/driver.pid", pid);
    dnsmasq_follow_touch(follow);
    dnsmasq_follow_run(follow);
    dnsmasq_follow_run(follow);
    g_assert_cmpuint(changed, ==, 2);
    assert_dnsmasq(live, pid, FALSE);
    /* Another one, that nobody spoke of either. */
    pid = start_dnsmasq();
    await_count(&changed, 3);
    assert_dnsmasq(live, pid, TRUE);
    end_dnsmasq(pid);
    await_count(&changed, 4);
}

/* What was put before the last run is there when the follower looks, without waiting. */
static void test_run(void)
{
    g_autoptr(LiveMap) live = NULL;
    g_autoptr(DnsmasqFollow) follow = NULL;
    guint changed = 0;
    pid_t pid;

    if (!in_own_run())
        return;
    g_assert_cmpint(g_mkdir_with_parents(RUN_NETWORK, 0755), ==, 0);
    pid = start_dnsmasq();
    live = live_map_new(NULL);
    follow = dnsmasq_follow_new(RUN_NETWORK, live, on_changed, &changed);
    dnsmasq_follow_touch(follow);
    dnsmasq_follow_run(follow);
    live_map_put_network(live, network_default());
    g_assert_cmpuint(changed, ==, 0);
    dnsmasq_follow_run(follow);
    g_assert_cmpuint(changed, ==, 1);
    assert_dnsmasq(live, pid, TRUE);
    end_dnsmasq(pid);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], CONFIG_OPTION) == 0)
        return pause();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow-dnsmasq/life", test_life);
    g_test_add_func("/follow-dnsmasq/run", test_run);
    return g_test_run();
}
