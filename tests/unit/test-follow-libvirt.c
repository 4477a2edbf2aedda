/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follow-ear.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* What a connection tells and answers, and calls that hang. */

/* -------------------------------------------------------------------------------------- the driver */

static void test_read(void)
{
    const FollowListed *domain, *network;
    Ear ear;

    ear_init(&ear, "test:///default", NULL, NULL);
    ear_connect(&ear);
    g_assert_cmpstr(ear.uri, ==, "test:///default");
    g_assert_false(ear.local);
    list_both(&ear);
    g_assert_cmpuint(ear.domains->len, ==, 1);
    g_assert_cmpuint(ear.networks->len, ==, 1);
    domain = ear.domains->pdata[0];
    network = ear.networks->pdata[0];
    g_assert_cmpstr(domain->name, ==, "test");
    g_assert_cmpint(domain->state, ==, DOMAIN_RUNNING);
    g_assert_cmpint(domain->id, >, 0);
    g_assert_cmpstr(network->name, ==, "default");
    g_assert_true(network->active && network->persistent);
    read_one(&ear, FOLLOW_DOMAIN, domain->uuid);
    g_assert_cmpstr(ear.domain->name, ==, "test");
    g_assert_cmpint(ear.domain->id, ==, domain->id);
    g_assert_true(ear.domain->xml_read);
    read_one(&ear, FOLLOW_NETWORK, network->uuid);
    g_assert_cmpstr(ear.network->bridge, ==, "virbr0");
    g_assert_true(ear.network->active && ear.network->persistent);
    read_one(&ear, FOLLOW_LEASES, network->uuid);
    g_assert_error(ear.error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED);
    for (FollowKind kind = FOLLOW_DOMAIN; kind < FOLLOW_KINDS; kind++) {
        read_one(&ear, kind, "00000000-0000-0000-0000-000000000001");
        g_assert_error(ear.error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    }
    g_assert_null(libvirt_follow_failure(ear.follow));
    g_assert_cmpuint(ear.lost, ==, 0);
    ear_clear(&ear);
}

/* Two connections to test:///default have one state. */
static void test_events(void)
{
    virConnectPtr conn;
    virDomainPtr domain;
    virNetworkPtr network;
    char uuid[VIR_UUID_STRING_BUFLEN], network_uuid[VIR_UUID_STRING_BUFLEN];
    g_autofree char *touch = NULL;
    g_autofree char *network_touch = NULL;
    Ear ear;

    ear_init(&ear, "test:///default", NULL, NULL);
    ear_connect(&ear);
    conn = virConnectOpen("test:///default");
    domain = virDomainLookupByName(conn, "test");
    network = virNetworkLookupByName(conn, "default");
    virDomainGetUUIDString(domain, uuid);
    virNetworkGetUUIDString(network, network_uuid);
    touch = g_strdup_printf("touch:%d:%s", FOLLOW_DOMAIN, uuid);
    network_touch = g_strdup_printf("touch:%d:%s", FOLLOW_NETWORK, network_uuid);
    g_assert_cmpint(virDomainDestroy(domain), ==, 0);
    until(heard(&ear, touch));
    read_one(&ear, FOLLOW_DOMAIN, uuid);
    g_assert_cmpint(ear.domain->id, ==, -1);
    g_assert_cmpint(ear.domain->state, ==, DOMAIN_SHUTOFF);
    g_assert_cmpint(virDomainCreate(domain), ==, 0);
    until(heard(&ear, touch));
    g_string_truncate(ear.log, 0);
    g_assert_cmpint(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_TITLE, "t", NULL, NULL, 0), ==, 0);
    until(heard(&ear, touch));
    g_assert_cmpint(virNetworkDestroy(network), ==, 0);
    until(heard(&ear, network_touch));
    read_one(&ear, FOLLOW_NETWORK, network_uuid);
    g_assert_false(ear.network->active);
    g_assert_cmpint(virNetworkCreate(network), ==, 0);
    until(heard(&ear, network_touch));
    /* Not after it was given up. */
    settle();
    g_clear_pointer(&ear.follow, libvirt_follow_free);
    g_string_truncate(ear.log, 0);
    g_assert_cmpint(virDomainSuspend(domain), ==, 0);
    g_assert_cmpint(virDomainResume(domain), ==, 0);
    settle();
    g_assert_cmpstr(ear.log->str, ==, "");
    virDomainFree(domain);
    virNetworkFree(network);
    virConnectClose(conn);
    ear_clear(&ear);
}

/* A driver's state of its own, from a file: paused, and not running. */
static void test_states(void)
{
    static const char xml[] =
        "<node>"
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>p</name>"
        "<memory>1</memory><os><type>hvm</type></os><test:runstate>3</test:runstate></domain>"
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>off</name>"
        "<memory>1</memory><os><type>hvm</type></os><test:runstate>5</test:runstate></domain>"
        "<network><name>idle</name><bridge name='br9'/></network>"
        "</node>";
    g_autofree char *path = NULL;
    g_autofree char *uri = NULL;
    int fd = g_file_open_tmp("vnat-follow-XXXXXX", &path, NULL);
    const FollowListed *listed;
    Ear ear;

    g_assert_cmpint(write(fd, xml, strlen(xml)), ==, (ssize_t)strlen(xml));
    close(fd);
    uri = g_strdup_printf("test://%s", path);
    ear_init(&ear, uri, NULL, NULL);
    ear_connect(&ear);
    list_both(&ear);
    g_assert_cmpuint(ear.domains->len, ==, 1);
    listed = ear.domains->pdata[0];
    g_assert_cmpstr(listed->name, ==, "p");
    g_assert_cmpint(listed->state, ==, DOMAIN_PAUSED);
    read_one(&ear, FOLLOW_DOMAIN, listed->uuid);
    g_assert_cmpint(ear.domain->state, ==, DOMAIN_PAUSED);
    ear_clear(&ear);
    g_unlink(path);
}

/* ---------------------------------------------------------------------------------------- hanging */

static void test_slow(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    /* In one batch with others, which it does not hold back. */
    libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, "hang1");
    for (guint i = 0; i < 50; i++) {
        g_autofree char *uuid = g_strdup_printf("vm%u", i);

        libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, uuid);
    }
    libvirt_follow_flush(ear.follow);
    until(heard(&ear, "+vm49"));
    g_assert_false(heard(&ear, "slow:hang1"));
    until(heard(&ear, "slow:hang1"));
    ask(&ear, "later");
    until(heard(&ear, "+later"));
    g_assert_false(heard(&ear, "+hang1"));
    gate_set(TRUE);
    until(heard(&ear, "+hang1"));
    g_assert_cmpuint(times_heard(&ear, "slow:hang1"), ==, 1);
    g_assert_cmpuint(times_heard(&ear, "+hang1"), ==, 1);
    g_assert_null(strstr(ear.log->str, "slow:vm"));
    ear_clear(&ear);
    g_assert_true(virt_pools_closed(deadline_in(60)));
}

/* Five silence a connection: the next go over another. */
static void test_slow_five(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *uuid = g_strdup_printf("hang%u", i);

        libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, uuid);
    }
    libvirt_follow_flush(ear.follow);
    until(heard(&ear, "slow:hang0") && heard(&ear, "slow:hang4"));
    ask(&ear, "later");
    until(heard(&ear, "+later"));
    g_assert_cmpint(g_atomic_int_get(&dials), ==, 2);
    g_assert_cmpuint(ear.lost, ==, 0);
    gate_set(TRUE);
    until(heard(&ear, "+hang0") && heard(&ear, "+hang4"));
    ear_clear(&ear);
    g_assert_true(virt_pools_closed(deadline_in(60)));
}

/* So many that nothing is begun any more: what waits behind them is slow too, and comes when it can. */
static void test_slow_all(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *uuid = g_strdup_printf("hang%u", i);

        libvirt_follow_read(ear.follow, FOLLOW_DOMAIN, uuid);
    }
    libvirt_follow_flush(ear.follow);
    until(heard(&ear, "slow:hang19"));
    until(gate_inside() == 16);
    ask(&ear, "behind");
    until(heard(&ear, "slow:behind"));
    g_assert_false(heard(&ear, "+behind"));
    gate_set(TRUE);
    until(heard(&ear, "+behind") && heard(&ear, "+hang0") && heard(&ear, "+hang19"));
    ear_clear(&ear);
    g_assert_true(virt_pools_closed(deadline_in(60)));
}

/* Given up with a call that hangs until the gate opens: it is not answered, and nobody waits for it. */
static void test_give_up(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    ask(&ear, "hang1");
    until(gate_inside() == 1);
    ear_follow(&ear, "test:///default", &fake_calls, NULL);
    g_assert_true(virt_calls_hang());
    ear_connect(&ear);
    ask(&ear, "vm1");
    until(heard(&ear, "+vm1"));
    gate_set(TRUE);
    g_assert_true(virt_pools_closed(deadline_in(60)));
    settle();
    g_assert_cmpstr(ear.log->str, ==, "+vm1 ");
    g_assert_cmpuint(ear.lost, ==, 0);
    g_assert_false(virt_calls_hang());
    ear_clear(&ear);
}

/* At the end, too. */
static void test_free_hanging(void)
{
    Ear ear;

    fakes_reset();
    ear_init(&ear, "test:///default", &fake_calls, NULL);
    ear_connect(&ear);
    ask(&ear, "hang1");
    until(gate_inside() == 1);
    ear_clear(&ear);
    g_assert_true(virt_calls_hang());
    gate_set(TRUE);
    g_assert_true(virt_pools_closed(deadline_in(60)));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow-libvirt/read", test_read);
    g_test_add_func("/follow-libvirt/events", test_events);
    g_test_add_func("/follow-libvirt/states", test_states);
    g_test_add_func("/follow-libvirt/slow/one", test_slow);
    g_test_add_func("/follow-libvirt/slow/five", test_slow_five);
    g_test_add_func("/follow-libvirt/slow/all", test_slow_all);
    g_test_add_func("/follow-libvirt/give-up", test_give_up);
    g_test_add_func("/follow-libvirt/free-hanging", test_free_hanging);
    return g_test_run();
}
