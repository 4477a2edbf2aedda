/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follow-ear.h"

/* Connections that are made, lost and given up; those of the network's own daemon; guests' agents. */

/* ------------------------------------------------------------------------------------ connections */

static void test_refused(void)
{
    Ear ear;

    ear_init(&ear, "nonsense", NULL, NULL);
    libvirt_follow_connect(ear.follow);
    until(ear.lost == 1);
    g_assert_error(ear.why, VNAT_ERROR, VNAT_ERROR_UNREACHABLE);
    g_assert_cmpstr(vnat_error_get_hint(libvirt_follow_failure(ear.follow)), ==, "vnat -c qemu:///system");
    g_assert_cmpuint(ear.connected, ==, 0);
    /* Asked of nobody: nothing. */
    libvirt_follow_list(ear.follow, FOLLOW_DOMAIN);
    libvirt_follow_flush(ear.follow);
    settle();
    ear_clear(&ear);
}

/* The words of a dead connection from one that is alive: another daemon's. */
static void test_not_dead(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    ask(&ear, "dead1");
    until(heard(&ear, "-dead1"));
    g_assert_error(ear.error, VNAT_ERROR, VNAT_ERROR_FAILED);
    ask(&ear, "vm1");
    until(heard(&ear, "+vm1"));
    g_assert_cmpuint(ear.lost, ==, 0);
    ear_clear(&ear);
}

/* A line that is needed anew cannot be had: that is the end of the connection, told once. */
static void test_dead(void)
{
    Ear ear;

    fakes_reset();
    g_atomic_int_set(&dial_fails_from, 2);
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    for (guint i = 0; i < 3; i++) {
        g_autofree char *uuid = g_strdup_printf("hang%u", i);

        libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, uuid);
    }
    libvirt_follow_flush(ear.follow);
    until(heard(&ear, "slow:hang0") && heard(&ear, "slow:hang1") && heard(&ear, "slow:hang2"));
    ask(&ear, "vm1");
    libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, "vm2");
    libvirt_follow_flush(ear.follow);
    until(ear.lost > 0);
    settle();
    g_assert_cmpuint(ear.lost, ==, 1);
    g_assert_error(ear.why, VNAT_ERROR, VNAT_ERROR_UNREACHABLE);
    g_assert_null(libvirt_follow_failure(ear.follow));
    g_atomic_int_set(&dial_fails_from, 0);
    ear_connect(&ear);
    gate_set(TRUE);
    g_assert_true(virt_pools_closed(deadline_in(60)));
    settle();
    g_assert_false(heard(&ear, "+hang0"));
    ask(&ear, "vm3");
    until(heard(&ear, "+vm3"));
    ear_clear(&ear);
}

/* A daemon that is stopped: one attempt, however often it is wanted. */
static void test_dial_hangs(void)
{
    Ear ear;

    fakes_reset();
    g_atomic_int_set(&dial_hangs, 1);
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    libvirt_follow_connect(ear.follow);
    until(ear.lost == 1);
    g_assert_error(ear.why, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_error(libvirt_follow_failure(ear.follow), VNAT_ERROR, VNAT_ERROR_DEADLINE);
    /* A hint at this host's services is for its own daemons. */
    g_assert_null(vnat_error_get_hint(libvirt_follow_failure(ear.follow)));
    libvirt_follow_connect(ear.follow);
    settle();
    gate_set(TRUE);
    until(ear.connected == 1);
    g_assert_cmpint(g_atomic_int_get(&dials), ==, 1);
    g_assert_cmpuint(ear.lost, ==, 1);
    g_assert_null(libvirt_follow_failure(ear.follow));
    ear_clear(&ear);
}

/* It comes up while nobody waits: kept for whoever asks next. */
static void test_dial_early(void)
{
    Ear ear;

    fakes_reset();
    g_atomic_int_set(&dial_hangs, 1);
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    libvirt_follow_connect(ear.follow);
    until(gate_inside() == 1);
    until(ear.lost == 1);
    gate_set(TRUE);
    until(gate_inside() == 0);
    settle();
    g_assert_cmpuint(ear.connected, ==, 0);
    ear_connect(&ear);
    g_assert_cmpint(g_atomic_int_get(&dials), ==, 1);
    ear_clear(&ear);
}

static guint count_fds(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void test_descriptors(void)
{
    guint before = 0;
    Ear ear;

    for (guint i = 0; i < 100; i++) {
        ear_init(&ear, "test:///default", NULL, NULL);
        ear_connect(&ear);
        list_both(&ear);
        ear_clear(&ear);
        g_assert_true(virt_pools_closed(deadline_in(60)));
        settle();
        if (i == 0)
            before = count_fds();
    }
    g_assert_cmpuint(count_fds(), ==, before);
}

/* A callback holds its connection: nothing of ours does when it is given up. */
static void test_hang_up(void)
{
    Ear ear;

    fakes_reset();
    g_atomic_int_set(&keep, 1);
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    ear_clear(&ear);
    g_assert_true(virt_pools_closed(deadline_in(60)));
    settle();
    g_atomic_int_set(&keep, 0);
    /* How many references are left. */
    g_assert_cmpint(virConnectClose(kept), ==, 0);
}

/* ----------------------------------------------------------------------------------------- agents */

static void test_agent(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    /* Answered at once, asked after it, and read again for what it says. */
    ask(&ear, "agent1");
    until(heard(&ear, "touch:0:agent1"));
    g_assert_cmpuint(ear.domain->agent->len, ==, 0);
    g_string_truncate(ear.log, 0);
    ask(&ear, "agent1");
    until(heard(&ear, "+agent1"));
    g_assert_cmpuint(ear.domain->agent->len, ==, 1);
    /* Not asked again for that: another one is, which would be behind it. */
    ask(&ear, "agent2");
    until(heard(&ear, "touch:0:agent2"));
    g_assert_cmpint(g_atomic_int_get(&agents_asked), ==, 2);
    /* The same again is nothing. */
    ask(&ear, "agent1");
    until(g_atomic_int_get(&agents_asked) == 3);
    read_one(&ear, FOLLOW_DOMAIN, "vm1");
    g_assert_false(heard(&ear, "touch:0:agent1"));
    /* Silence takes back nothing. */
    g_atomic_int_set(&agent_last, 0);
    ask(&ear, "agent1");
    until(g_atomic_int_get(&agents_asked) == 4);
    read_one(&ear, FOLLOW_DOMAIN, "agent1");
    g_assert_cmpuint(ear.domain->agent->len, ==, 1);
    ear_clear(&ear);
}

/* Agents that hang hold back nobody, and are not asked twice. */
static void test_agent_hangs(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    for (guint i = 0; i < 3; i++) {
        read_one(&ear, FOLLOW_DOMAIN, "agent-hangs");
        g_assert_true(heard(&ear, "+agent-hangs"));
    }
    until(gate_inside() == 1);
    g_assert_cmpint(g_atomic_int_get(&agents_asked), ==, 1);
    gate_set(TRUE);
    until(heard(&ear, "touch:0:agent-hangs"));
    g_assert_null(strstr(ear.log->str, "slow"));
    ear_clear(&ear);
}

/* Many that hang leave the places to others: four are asked, and the rest wait. */
static void test_agent_many_hang(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    for (guint i = 0; i < 30; i++) {
        g_autofree char *uuid = g_strdup_printf("agent-hangs%u", i);

        libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, uuid);
    }
    libvirt_follow_flush(ear.follow);
    until(heard(&ear, "+agent-hangs29"));
    until(gate_inside() == 4);
    read_one(&ear, FOLLOW_DOMAIN, "vm1");
    g_assert_cmpint(g_atomic_int_get(&agents_asked), ==, 4);
    gate_set(TRUE);
    until(g_atomic_int_get(&agents_asked) == 30);
    ear_clear(&ear);
    g_assert_true(virt_pools_closed(deadline_in(60)));
}

/* ------------------------------------------------------------------------- the network's own daemon */

static void test_network_daemon(void)
{
    virConnectPtr conn;
    virNetworkPtr network;
    Ear ear;

    fakes_reset();
    ear_init(&ear, "qemu:///system", &fake_calls, "/proc/self/exe");
    ear_connect(&ear);
    g_assert_cmpint(g_atomic_int_get(&network_dials), ==, 1);
    settle();
    /* Nothing was missed: it was there before the first list. */
    g_assert_cmpuint(ear.doubts, ==, 0);
    conn = virConnectOpen("test:///default");
    network = virNetworkLookupByName(conn, "default");
    g_assert_cmpint(virNetworkDestroy(network), ==, 0);
    g_assert_cmpint(virNetworkCreate(network), ==, 0);
    until(strstr(ear.log->str, "touch:1:"));
    virNetworkFree(network);
    virConnectClose(conn);
    ear_clear(&ear);
}

static void test_network_daemon_late(void)
{
    Ear ear;

    fakes_reset();
    g_atomic_int_set(&network_dial_fails, 1);
    ear_init(&ear, "qemu:///system", &fake_calls, "/proc/self/exe");
    ear_connect(&ear);
    until(g_atomic_int_get(&network_dials) >= 2);
    g_assert_cmpuint(ear.doubts, ==, 0);
    g_atomic_int_set(&network_dial_fails, 0);
    until(ear.doubts == 1);
    g_assert_cmpuint(ear.lost, ==, 0);
    ear_clear(&ear);
}

static void test_network_daemon_none(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "qemu:///system", &fake_calls, "/nonexistent");
    ear_connect(&ear);
    g_assert_cmpint(g_atomic_int_get(&network_dials), ==, 0);
    ear_clear(&ear);
    ear_init(&ear, "test:///default", &fake_calls, "/proc/self/exe");
    ear_connect(&ear);
    g_assert_cmpint(g_atomic_int_get(&network_dials), ==, 0);
    ear_clear(&ear);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow-connect/refused", test_refused);
    g_test_add_func("/follow-connect/not-dead", test_not_dead);
    g_test_add_func("/follow-connect/dead", test_dead);
    g_test_add_func("/follow-connect/dial/hangs", test_dial_hangs);
    g_test_add_func("/follow-connect/dial/early", test_dial_early);
    g_test_add_func("/follow-connect/descriptors", test_descriptors);
    g_test_add_func("/follow-connect/hang-up", test_hang_up);
    g_test_add_func("/follow-connect/agent", test_agent);
    g_test_add_func("/follow-connect/agent/many-hang", test_agent_many_hang);
    g_test_add_func("/follow-connect/agent/hangs", test_agent_hangs);
    g_test_add_func("/follow-connect/network-daemon", test_network_daemon);
    g_test_add_func("/follow-connect/network-daemon/late", test_network_daemon_late);
    g_test_add_func("/follow-connect/network-daemon/none", test_network_daemon_none);
    return g_test_run();
}
