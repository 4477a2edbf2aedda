/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack.h"
#include "actions/guard.h"
#include "base/error.h"
#include "own-netns.h"
#include "world.h"

#include <string.h>

static gboolean wants(const Facts *facts, const char *from, const char *to)
{
    const Ip source = world_ip_of(from), destination = world_ip_of(to);

    return flow_wants_nat(facts, facts_network(facts, "default"), &source, &destination);
}

static void test_wants(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = facts_network(facts, "default");

    g_assert_true(wants(facts, "192.168.122.10", "203.0.113.1"));
    g_assert_true(wants(facts, "192.168.122.10", "192.168.121.1"));
    /* Another subnet's, and what stays on this one or this host. */
    g_assert_false(wants(facts, "192.168.121.10", "203.0.113.1"));
    g_assert_false(wants(facts, "203.0.113.1", "192.168.122.10"));
    g_assert_false(wants(facts, "192.168.122.10", "192.168.122.11"));
    g_assert_false(wants(facts, "192.168.122.10", "192.168.122.1"));
    g_assert_false(wants(facts, "192.168.122.10", "127.0.0.1"));
    g_assert_false(wants(facts, "192.168.122.10", "224.0.0.251"));
    g_assert_false(wants(facts, "192.168.122.10", "255.255.255.255"));
    /* IPv6 where it is translated. */
    world_ip(network, "fd00:122::1/64", NULL, NULL);
    g_assert_false(wants(facts, "fd00:122::7", "2001:db8::1"));
    network->nat_ipv6 = TRUE;
    g_assert_true(wants(facts, "fd00:122::7", "2001:db8::1"));
    g_assert_false(wants(facts, "fd00:122::7", "fe80::1"));
    g_free(network->forward);
    network->forward = g_strdup("route");
    g_assert_false(wants(facts, "192.168.122.10", "203.0.113.1"));
}

/* An own address of this host, of whatever device. */
static void test_own(void)
{
    g_autoptr(Facts) facts = world_host();
    const LinkAddress uplink = {.ifindex = 2, .net = world_net_of("198.51.100.7/24")};

    g_assert_true(wants(facts, "192.168.122.10", "198.51.100.7"));
    g_array_append_val(facts->addresses, uplink);
    g_assert_false(wants(facts, "192.168.122.10", "198.51.100.7"));
    g_assert_true(wants(facts, "192.168.122.10", "198.51.100.8"));
}

/* A kernel's table without entries; or, of a build without the library, the command instead. */
static void test_none(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Facts) facts = world_host();
    guint deleted = 99;

    if (!in_own_netns())
        return;
    if (conntrack_forget_untranslated(facts, facts_network(facts, "default"), &deleted, deadline_in(5),
                                      &error))
        g_assert_no_error(error);
    else if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED))
        g_assert_nonnull(error->message);
    else
        g_assert_not_reached();
    g_assert_cmpuint(deleted, ==, 0);
}

/* Devices of active networks that libvirt made, whose names are plain; each is forgotten by itself. */
static void test_guard(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autofree char *commands = guard_commands(facts);
    g_autofree char *one = NULL;
    g_autofree char *none = NULL;

    g_assert_nonnull(strstr(commands, "{ \"virbr0\" timeout 10s, \"virbr1\" timeout 10s }"));
    g_assert_nonnull(strstr(commands, "hook forward priority -10"));
    facts_network(facts, "lab")->active = FALSE;
    one = guard_commands(facts);
    g_assert_nonnull(strstr(one, "{ \"virbr0\" timeout 10s }"));
    g_free(facts_network(facts, "default")->bridge);
    facts_network(facts, "default")->bridge = g_strdup("\" }; x");
    none = guard_commands(facts);
    g_assert_null(none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conntrack/wants", test_wants);
    g_test_add_func("/conntrack/own", test_own);
    g_test_add_func("/conntrack/none", test_none);
    g_test_add_func("/conntrack/guard", test_guard);
    return g_test_run();
}
