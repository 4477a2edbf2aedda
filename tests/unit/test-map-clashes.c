/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <string.h>

/* Facts that contradict one another, or leave out what names them. */

#define MAC_A "52:54:00:00:00:0a"
#define MAC_B "52:54:00:00:00:0b"

/* A network "default" over virbr0, and a guest VM on it with MAC_A and tap vnet0. */
static Facts *small_new(Domain **domain)
{
    Facts *facts = world_new();
    Network *network = world_network(facts, "default", "nat", "virbr0");

    world_ip(network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    world_bridge(facts, network, 10);
    *domain = world_domain(facts, "VM", 1);
    world_nic(*domain, "default", "virbr0", MAC_A, "vnet0");
    world_tap(facts, 11, "vnet0", 10, MAC_A);
    return facts;
}

static void set_text(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* The only address of the row with this tap; NULL if it has none. */
static const Address *only_address(const Map *map, const char *tap)
{
    const MapRow *row = world_row(map, tap);

    g_assert_cmpuint(row->addresses->len, <=, 1);
    return row->addresses->len > 0 ? row->addresses->pdata[0] : NULL;
}

static void assert_ip(const Address *address, const char *expected)
{
    char ip[IP_TEXT];

    g_assert_nonnull(address);
    g_assert_cmpstr(ip_format(&address->ip, ip), ==, expected);
}

/* ---------------------------------------------------------------------------------------- networks */

/* The lease data gives no UUID for a network that has none in the facts: its name is enough. */
static void test_network_without_uuid(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    Network *network = facts->networks->pdata[0];
    Lease *lease = world_lease(facts, "default", MAC_A, "192.168.122.5", 60);
    g_autoptr(Map) map = NULL;

    g_clear_pointer(&network->uuid, g_free);
    g_clear_pointer(&lease->network_uuid, g_free);
    map = map_join(facts);
    assert_ip(only_address(map, "vnet0"), "192.168.122.5");
    g_assert_null(world_row(map, "vnet0")->network_uuid);
    g_assert_cmpstr(world_row(map, "vnet0")->network, ==, "default");
}

/* A lease that names no network at all is listed, and is nobody's. */
static void test_lease_without_network(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    Lease *lease = world_lease(facts, "default", MAC_A, "192.168.122.5", 60);
    g_autoptr(Map) map = NULL;

    g_clear_pointer(&lease->network, g_free);
    g_clear_pointer(&lease->network_uuid, g_free);
    map = map_join(facts);
    g_assert_null(only_address(map, "vnet0"));
    g_assert_cmpuint(map->leases->len, ==, 1);
    g_assert_null(((const MapLease *)map->leases->pdata[0])->row);
}

static const char *network_of_port(const Facts *facts, const char *tap, char **kept)
{
    g_autoptr(Map) map = map_join(facts);

    set_text(kept, world_row(map, tap)->network);
    return *kept;
}

/* Two active networks that claim one bridge: what sits on it is the first's by name, in any order. */
static void test_two_active(void)
{
    g_autoptr(Facts) facts = world_new();
    g_autofree char *name = NULL;
    gpointer first;

    world_network(facts, "b", "nat", "virbr0");
    world_bridge(facts, world_network(facts, "a", "nat", "virbr0"), 10);
    world_network(facts, "c", "nat", "virbr0");
    world_tap(facts, 11, "port", 10, MAC_A);
    g_assert_cmpstr(network_of_port(facts, "port", &name), ==, "a");
    first = facts->networks->pdata[0];
    facts->networks->pdata[0] = facts->networks->pdata[1];
    facts->networks->pdata[1] = first;
    g_assert_cmpstr(network_of_port(facts, "port", &name), ==, "a");
}

/* A network in mode bridge uses somebody's bridge and owns no port of it; one without a bridge has none. */
static void test_not_owner(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "lan", "bridge", "br0");
    g_autoptr(Map) map = NULL;

    world_bridge(facts, network, 10);
    world_tap(facts, 11, "port", 10, MAC_A);
    world_network(facts, "passthrough", "passthrough", NULL);
    world_network(facts, "unnamed", "nat", NULL);
    map = map_join(facts);
    g_assert_cmpuint(map->rows->len, ==, 0);
}

/* -------------------------------------------------------------------------------------------- MACs */

/* Two addresses that a hash of the kind "33 times the sum, plus the next byte" does not tell apart. */
#define MAC_COLLIDES_1 "52:54:00:00:00:21"
#define MAC_COLLIDES_2 "52:54:00:00:01:00"

static void test_collision(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    g_autoptr(Map) map = NULL;

    world_nic(domain, "default", "virbr0", MAC_COLLIDES_1, "vnet1");
    world_nic(domain, "default", "virbr0", MAC_COLLIDES_2, "vnet2");
    world_lease(facts, "default", MAC_COLLIDES_1, "192.168.122.21", 60);
    world_lease(facts, "default", MAC_COLLIDES_2, "192.168.122.22", 60);
    world_neighbour(facts, 10, "192.168.122.21", MAC_COLLIDES_1, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "192.168.122.22", MAC_COLLIDES_2, NEIGHBOUR_REACHABLE);
    map = map_join(facts);
    assert_ip(only_address(map, "vnet1"), "192.168.122.21");
    assert_ip(only_address(map, "vnet2"), "192.168.122.22");
    g_assert_null(only_address(map, "vnet0"));
}

/* ---------------------------------------------------------------------------------------- evidence */

/* Of two leases of one address, the one that never ends is the later, whichever comes first. */
static void test_infinite_wins(void)
{
    for (guint turn = 0; turn < 2; turn++) {
        Domain *domain;
        g_autoptr(Facts) facts = small_new(&domain);
        g_autoptr(Map) map = NULL;

        for (guint i = 0; i < 2; i++) {
            gboolean infinite = i == turn;
            Lease *lease = world_lease(facts, "default", MAC_A, "192.168.122.5", infinite ? 0 : 100);

            lease->hostname = g_strdup(infinite ? "infinite" : "ends");
        }
        map = map_join(facts);
        g_assert_false(only_address(map, "vnet0")->has_expiry);
        g_assert_cmpstr(only_address(map, "vnet0")->hostname, ==, "infinite");
    }
}

/* The agent may see another prefix than the network's; the better evidence is believed. */
static void test_prefix_of_lease(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    AgentAddress address = {.mac = world_mac_of(MAC_A), .net = world_net_of("192.168.122.5/16")};
    g_autoptr(Map) map = NULL;

    world_lease(facts, "default", MAC_A, "192.168.122.5", 60);
    g_array_append_val(domain->agent, address);
    map = map_join(facts);
    g_assert_cmpint(only_address(map, "vnet0")->prefix, ==, 24);
    g_assert_cmpuint(only_address(map, "vnet0")->sources, ==, 1U << ADDRESS_LEASE | 1U << ADDRESS_AGENT);
}

static gint compare(AddressSource left_source, gint64 left_expiry, AddressSource right_source,
                    gint64 right_expiry)
{
    Address left = {.source = left_source, .has_expiry = left_expiry > 0, .expiry = left_expiry};
    Address right = {.source = right_source, .has_expiry = right_expiry > 0, .expiry = right_expiry};
    const Address *a = &left, *b = &right;

    return address_compare_evidence(&a, &b);
}

static void test_evidence(void)
{
    g_assert_cmpint(compare(ADDRESS_LEASE, 100, ADDRESS_AGENT, 0), <, 0);
    g_assert_cmpint(compare(ADDRESS_AGENT, 0, ADDRESS_LEASE, 100), >, 0);
    g_assert_cmpint(compare(ADDRESS_AGENT, 0, ADDRESS_NEIGHBOUR, 0), <, 0);
    g_assert_cmpint(compare(ADDRESS_NEIGHBOUR, 0, ADDRESS_AGENT, 0), >, 0);
    g_assert_cmpint(compare(ADDRESS_LEASE, 200, ADDRESS_LEASE, 100), <, 0);
    g_assert_cmpint(compare(ADDRESS_LEASE, 100, ADDRESS_LEASE, 200), >, 0);
    g_assert_cmpint(compare(ADDRESS_LEASE, 0, ADDRESS_LEASE, 200), <, 0);
    g_assert_cmpint(compare(ADDRESS_LEASE, 100, ADDRESS_LEASE, 100), ==, 0);
}

/* --------------------------------------------------------------------------------- questions to it */

/* A port that no domain claims has neither name nor UUID; it is found by its tap and its own MAC. */
static void test_matches_port(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    g_autoptr(Map) map = NULL;
    const MapRow *port, *bare;

    world_tap(facts, 12, "stray", 10, MAC_B);
    world_tap(facts, 13, "bare", 10, NULL);
    map = map_join(facts);
    port = world_row(map, "stray");
    bare = world_row(map, "bare");
    g_assert_true(map_row_matches(port, "stray"));
    g_assert_true(map_row_matches(port, "fe:54:00:00:00:0b"));
    g_assert_false(map_row_matches(port, MAC_B));
    g_assert_false(map_row_matches(port, domain->uuid));
    g_assert_true(map_row_matches(bare, "bare"));
    g_assert_false(map_row_matches(bare, "00:00:00:00:00:00"));
}

/* No link has the tap's name: the row has the guest's MAC alone. */
static void test_matches_without_link(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    g_autoptr(Map) map = NULL;

    g_ptr_array_set_size(facts->links, 0);
    map = map_join(facts);
    g_assert_true(map_row_matches(world_row(map, "vnet0"), MAC_A));
    g_assert_false(map_row_matches(world_row(map, "vnet0"), "00:00:00:00:00:00"));
}

static void test_attach_nothing(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = small_new(&domain);
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);

    map_attach(map, findings);
    g_assert_cmpuint(world_row(map, "vnet0")->problems->len, ==, 0);
    /* One that names no object is about no row. */
    g_ptr_array_add(findings, finding_new("id", LEVEL_WARNING, OBJECT_INTERFACE, NULL));
    map_attach(map, findings);
    g_assert_cmpuint(world_row(map, "vnet0")->problems->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/map-clashes/network-without-uuid", test_network_without_uuid);
    g_test_add_func("/map-clashes/lease-without-network", test_lease_without_network);
    g_test_add_func("/map-clashes/two-active", test_two_active);
    g_test_add_func("/map-clashes/not-owner", test_not_owner);
    g_test_add_func("/map-clashes/collision", test_collision);
    g_test_add_func("/map-clashes/infinite-wins", test_infinite_wins);
    g_test_add_func("/map-clashes/prefix-of-lease", test_prefix_of_lease);
    g_test_add_func("/map-clashes/evidence", test_evidence);
    g_test_add_func("/map-clashes/matches/port", test_matches_port);
    g_test_add_func("/map-clashes/matches/without-link", test_matches_without_link);
    g_test_add_func("/map-clashes/attach-nothing", test_attach_nothing);
    return g_test_run();
}
