/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <string.h>

#define MAC_A "52:54:00:00:00:0a"
#define MAC_B "52:54:00:00:00:0b"

/* One network, one guest VM on it with MAC_A and tap vnet0. */
typedef struct {
    Facts *facts;
    Network *network;
    Link *bridge;
    Domain *domain;
    DomainInterface *nic;
    Link *tap;
} Small;

static Facts *small_new(Small *small)
{
    Facts *facts = world_new();

    small->facts = facts;
    small->network = world_network(facts, "default", "nat", "virbr0");
    world_ip(small->network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    small->bridge = world_bridge(facts, small->network, 10);
    small->domain = world_domain(facts, "VM", 1);
    small->nic = world_nic(small->domain, "default", "virbr0", MAC_A, "vnet0");
    small->tap = world_tap(facts, 11, "vnet0", 10, MAC_A);
    return facts;
}

static void set_text(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* The row's addresses as "ip/prefix evidence[+evidence…]", separated by spaces. */
static char *addresses_of(const MapRow *row)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];
        char ip[IP_TEXT];

        g_string_append_printf(text, "%s%s/%d %s", i > 0 ? " " : "", ip_format(&address->ip, ip),
                               address->prefix, address_source_name(address->source));
        for (guint source = 0; source < ADDRESS_SOURCE_COUNT; source++) {
            if (source != address->source && (address->sources & (1U << source)))
                g_string_append_printf(text, "+%s", address_source_name(source));
        }
    }
    return g_string_free(text, FALSE);
}

static void assert_addresses(const Facts *facts, const char *tap, const char *expected)
{
    g_autoptr(Map) map = map_join(facts);
    g_autofree char *text = addresses_of(world_row(map, tap));

    g_assert_cmpstr(text, ==, expected);
}

/* ------------------------------------------------------------------------------------------ leases */

static void test_lease(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;
    const MapLease *record;
    const Address *address;
    Lease *lease = world_lease(facts, "default", MAC_A, "192.168.122.50", 60);

    lease->hostname = g_strdup("guest");
    lease->client_id = g_strdup("01:02");
    map = map_join(facts);
    g_assert_cmpuint(map->rows->len, ==, 1);
    address = map_row_address(map->rows->pdata[0]);
    g_assert_cmpstr(address->hostname, ==, "guest");
    g_assert_cmpstr(address->client_id, ==, "01:02");
    g_assert_true(address->has_expiry);
    g_assert_cmpint(address->expiry, ==, WORLD_NOW + 60);
    g_assert_cmpint(address->prefix, ==, 24);
    g_assert_cmpuint(map->leases->len, ==, 1);
    record = map->leases->pdata[0];
    g_assert_true(record->lease == lease);
    g_assert_true(record->row == map->rows->pdata[0]);
}

/* A lease that names nobody is still listed, without an owner. */
static void assert_unattributed(const Facts *facts)
{
    g_autoptr(Map) map = map_join(facts);
    g_autofree char *text = addresses_of(world_row(map, "vnet0"));

    g_assert_cmpstr(text, ==, "");
    g_assert_cmpuint(map->leases->len, ==, 1);
    g_assert_null(((const MapLease *)map->leases->pdata[0])->row);
}

static void test_lease_other_mac(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "default", MAC_B, "192.168.122.50", 60);
    assert_unattributed(facts);
}

/* The MAC is right, but in the XML it stands on another network. */
static void test_lease_other_network(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_ip(world_network(facts, "other", "nat", "virbr9"), "10.9.9.1/24", "10.9.9.2", "10.9.9.9");
    world_lease(facts, "other", MAC_A, "10.9.9.5", 60);
    assert_unattributed(facts);
}

static void test_lease_outside(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "default", MAC_A, "192.168.123.50", 60);
    assert_unattributed(facts);
}

static void test_lease_without_mac(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    memset(&small.nic->mac, 0, sizeof(Mac));
    world_lease(facts, "default", NULL, "192.168.122.50", 60);
    assert_unattributed(facts);
}

static void test_lease_unknown_network(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "gone", MAC_A, "192.168.122.50", 60);
    assert_unattributed(facts);
}

/* By UUID first: the network may have been renamed since. */
static void test_lease_by_uuid(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    Lease *lease = world_lease(facts, "default", MAC_A, "192.168.122.50", 60);

    set_text(&lease->network, "formerly");
    assert_addresses(facts, "vnet0", "192.168.122.50/24 lease");
    g_clear_pointer(&lease->network_uuid, g_free);
    assert_unattributed(facts);
    set_text(&lease->network, "default");
    assert_addresses(facts, "vnet0", "192.168.122.50/24 lease");
}

static void test_lease_expired(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;

    world_lease(facts, "default", MAC_A, "192.168.122.50", -1);
    world_lease(facts, "default", MAC_A, "192.168.122.51", 0)->expiry = WORLD_NOW;
    map = map_join(facts);
    g_assert_cmpuint(((const MapRow *)map->rows->pdata[0])->addresses->len, ==, 0);
    g_assert_cmpuint(map->leases->len, ==, 0);
}

static void test_lease_infinite(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;
    const Address *address;

    world_lease(facts, "default", MAC_A, "192.168.122.50", 0);
    map = map_join(facts);
    address = map_row_address(map->rows->pdata[0]);
    g_assert_false(address->has_expiry);
    g_assert_cmpint(address->source, ==, ADDRESS_LEASE);
}

/* iPXE, then the OS, with two client-ids: two leases of one MAC. An infinite one ends last. */
static void test_lease_several(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "default", MAC_A, "192.168.122.50", 100);
    world_lease(facts, "default", MAC_A, "192.168.122.9", 300);
    world_lease(facts, "default", MAC_A, "192.168.122.70", 200);
    world_lease(facts, "default", MAC_A, "192.168.122.60", 200);
    world_lease(facts, "default", MAC_A, "192.168.122.80", 0);
    assert_addresses(facts, "vnet0",
                     "192.168.122.80/24 lease 192.168.122.9/24 lease 192.168.122.60/24 lease "
                     "192.168.122.70/24 lease 192.168.122.50/24 lease");
}

static const MapRow *owner_of_lease(const Facts *facts, Map **map)
{
    *map = map_join(facts);
    g_assert_cmpuint((*map)->leases->len, ==, 1);
    return ((const MapLease *)(*map)->leases->pdata[0])->row;
}

static void assert_owner(const Facts *facts, const char *domain)
{
    g_autoptr(Map) map = NULL;
    const MapRow *row = owner_of_lease(facts, &map);

    g_assert_cmpstr(row ? row->domain : NULL, ==, domain);
}

/* A clone that is shut off has its MAC too; the guest that runs is the one that asked. */
static void test_lease_owners(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    Domain *first = world_domain(facts, "A", -1);
    Domain *last = world_domain(facts, "Z", -1);

    world_lease(facts, "default", MAC_A, "192.168.122.50", 60);
    world_nic(first, "default", NULL, MAC_A, NULL);
    world_nic(last, "default", NULL, MAC_A, NULL);
    assert_owner(facts, "VM");
    last->id = 9;
    assert_owner(facts, NULL);
    small.domain->id = -1;
    assert_owner(facts, "Z");
    last->id = -1;
    assert_owner(facts, NULL);
}

/* A lease outlives the guest that had it; it is its lease yet, but nobody's address. */
static void test_lease_shut_off(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "default", MAC_A, "192.168.122.50", 60);
    assert_addresses(facts, "vnet0", "192.168.122.50/24 lease");
    small.network->active = FALSE;
    assert_addresses(facts, "vnet0", "");
    assert_owner(facts, "VM");
    small.network->active = TRUE;
    small.domain->id = -1;
    world_neighbour(facts, 10, "192.168.122.51", MAC_A, NEIGHBOUR_REACHABLE);
    assert_addresses(facts, "vnet0", "");
    assert_owner(facts, "VM");
}

/* The same address twice (a file under way): the later one counts, whichever comes first. */
static void test_lease_twice(void)
{
    for (guint turn = 0; turn < 2; turn++) {
        Small small;
        g_autoptr(Facts) facts = small_new(&small);
        g_autoptr(Map) map = NULL;
        const Address *address;

        for (guint i = 0; i < 2; i++) {
            gboolean late = i == turn;
            Lease *lease = world_lease(facts, "default", MAC_A, "192.168.122.50", late ? 200 : 100);

            lease->hostname = g_strdup(late ? "late" : "early");
        }
        map = map_join(facts);
        address = map_row_address(map->rows->pdata[0]);
        g_assert_cmpstr(address->hostname, ==, "late");
        g_assert_cmpint(address->expiry, ==, WORLD_NOW + 200);
        g_assert_cmpuint(((const MapRow *)map->rows->pdata[0])->addresses->len, ==, 1);
    }
}

static void test_lease_prefix_unknown(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "default", MAC_A, "192.168.122.50", 60)->prefix = 0;
    assert_addresses(facts, "vnet0", "192.168.122.50/-1 lease");
}

static void test_lease_order(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;
    static const char *const expected[] = {"192.168.122.9", "192.168.122.50", "192.168.122.4", "10.9.9.5"};

    world_ip(world_network(facts, "other", "nat", "virbr9"), "10.9.9.1/24", NULL, NULL);
    world_lease(facts, "other", MAC_A, "10.9.9.5", 60);
    world_lease(facts, "default", MAC_B, "192.168.122.4", 60);
    world_lease(facts, "default", MAC_A, "192.168.122.50", 60);
    world_lease(facts, "default", MAC_A, "192.168.122.9", 60);
    map = map_join(facts);
    g_assert_cmpuint(map->leases->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < map->leases->len; i++) {
        char ip[IP_TEXT];

        g_assert_cmpstr(ip_format(&((const MapLease *)map->leases->pdata[i])->lease->ip, ip), ==,
                        expected[i]);
    }
}

/* -------------------------------------------------------------------------------------- neighbours */

static void test_neighbour(void)
{
    static const struct {
        guint16 state;
        gboolean counts;
    } states[] = {{NEIGHBOUR_REACHABLE, TRUE}, {NEIGHBOUR_STALE, TRUE},      {NEIGHBOUR_DELAY, TRUE},
                  {NEIGHBOUR_PROBE, TRUE},     {NEIGHBOUR_NOARP, FALSE},     {NEIGHBOUR_PERMANENT, TRUE},
                  {NEIGHBOUR_FAILED, FALSE},   {NEIGHBOUR_INCOMPLETE, FALSE}};

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        Small small;
        g_autoptr(Facts) facts = small_new(&small);

        world_neighbour(facts, 10, "192.168.122.50", MAC_A, states[i].state);
        assert_addresses(facts, "vnet0", states[i].counts ? "192.168.122.50/-1 neighbour" : "");
    }
}

static void test_neighbour_elsewhere(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_link(facts, 2, "eth0", NULL);
    world_neighbour(facts, 2, "192.168.122.50", MAC_A, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "192.168.122.51", MAC_B, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "192.168.122.52", NULL, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 99, "192.168.122.53", MAC_A, NEIGHBOUR_REACHABLE);
    assert_addresses(facts, "vnet0", "");
}

/* ---------------------------------------------------------------------------------------- evidence */

static void agent_says(Domain *domain, const char *mac, const char *cidr)
{
    AgentAddress address = {.mac = world_mac_of(mac), .net = world_net_of(cidr)};

    g_array_append_val(domain->agent, address);
}

static void test_agent(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    agent_says(small.domain, MAC_B, "10.0.0.1/8"); /* of another interface */
    agent_says(small.domain, MAC_A, "172.16.0.5/12");
    assert_addresses(facts, "vnet0", "172.16.0.5/12 agent");
}

static void test_evidence_order(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_neighbour(facts, 10, "fe80::5054:ff:fe00:a", MAC_A, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "169.254.7.7", MAC_A, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "192.168.122.3", MAC_A, NEIGHBOUR_REACHABLE);
    agent_says(small.domain, MAC_A, "fe80::a/64");
    agent_says(small.domain, MAC_A, "192.168.122.4/24");
    world_lease(facts, "default", MAC_A, "192.168.122.5", 60);
    assert_addresses(facts, "vnet0",
                     "192.168.122.5/24 lease 192.168.122.4/24 agent 192.168.122.3/-1 neighbour "
                     "fe80::a/64 agent 169.254.7.7/-1 neighbour fe80::5054:ff:fe00:a/-1 neighbour");
}

/* One address, three witnesses: one entry, the best named first, the prefix of whoever knows it. */
static void test_evidence_merged(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_lease(facts, "default", MAC_A, "192.168.122.5", 60)->prefix = 0;
    agent_says(small.domain, MAC_A, "192.168.122.5/24");
    world_neighbour(facts, 10, "192.168.122.5", MAC_A, NEIGHBOUR_STALE);
    assert_addresses(facts, "vnet0", "192.168.122.5/24 lease+agent+neighbour");
}

static void test_no_mac(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    small.nic->has_mac = FALSE;
    world_lease(facts, "default", MAC_A, "192.168.122.5", 60);
    world_neighbour(facts, 10, "192.168.122.5", MAC_A, NEIGHBOUR_STALE);
    agent_says(small.domain, MAC_A, "192.168.122.5/24");
    assert_addresses(facts, "vnet0", "");
}

/* --------------------------------------------------------------------------------------- row's use */

static void test_matches(void)
{
    static const char *const good[] = {"vnet0",
                                       "VM",
                                       MAC_A,
                                       "52:54:00:00:00:0A",
                                       "fe:54:00:00:00:0a",
                                       "192.168.122.5",
                                       "fd00::5",
                                       "FD00:0::5",
                                       "guest",
                                       "GUEST",
                                       NULL};
    static const char *const bad[] = {"vnet1",          "vm",   "V",       "",       MAC_B,  "192.168.122.50",
                                      "192.168.122.05", "gues", "default", "virbr0", "net0", NULL};
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;
    g_autofree char *upper = NULL;
    const MapRow *row;

    world_lease(facts, "default", MAC_A, "192.168.122.5", 60)->hostname = g_strdup("guest");
    world_neighbour(facts, 10, "fd00::5", MAC_A, NEIGHBOUR_REACHABLE);
    map = map_join(facts);
    row = map->rows->pdata[0];
    for (gsize i = 0; good[i]; i++) {
        if (!map_row_matches(row, good[i]))
            g_error("'%s' does not match", good[i]);
    }
    for (gsize i = 0; bad[i]; i++) {
        if (map_row_matches(row, bad[i]))
            g_error("'%s' matches", bad[i]);
    }
    upper = g_ascii_strup(row->domain_uuid, -1);
    g_assert_true(map_row_matches(row, upper));
}

static void test_name(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    static const char *const expected[] = {"vnet0", MAC_A, "net0", "VM"};

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(Map) map = NULL;
        g_autofree char *name = NULL;

        if (i == 1)
            g_clear_pointer(&small.nic->target, g_free);
        if (i == 2)
            small.nic->has_mac = FALSE;
        if (i == 3)
            g_clear_pointer(&small.nic->alias, g_free);
        map = map_join(facts);
        /* The tap that nobody names any more has a row of its own, behind. */
        name = map_row_name(map->rows->pdata[0]);
        g_assert_cmpstr(name, ==, expected[i]);
    }
}

static void test_address(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;

    map = map_join(facts);
    g_assert_null(map_row_address(map->rows->pdata[0]));
    map_free(map);
    world_neighbour(facts, 10, "fe80::1", MAC_A, NEIGHBOUR_REACHABLE);
    map = map_join(facts);
    g_assert_null(map_row_address(map->rows->pdata[0]));
    map_free(map);
    world_neighbour(facts, 10, "fd00::1", MAC_A, NEIGHBOUR_REACHABLE);
    map = map_join(facts);
    g_assert_nonnull(map_row_address(map->rows->pdata[0]));
}

static void attach(Map *map, const char *id, Level level, ObjectKind kind, const char *object,
                   const char *uuid)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    Finding *finding = finding_new(id, level, kind, object);

    finding->domain_uuid = g_strdup(uuid);
    g_ptr_array_add(findings, finding);
    map_attach(map, findings);
}

static void test_attach(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(Map) map = NULL;
    const char *uuid = small.domain->uuid;
    const MapRow *row, *port;

    world_tap(facts, 12, "vnet7", 10, MAC_B);
    map = map_join(facts);
    row = world_row(map, "vnet0");
    port = world_row(map, "vnet7");

    attach(map, "ok", LEVEL_OK, OBJECT_INTERFACE, "vnet0", uuid);
    attach(map, "network", LEVEL_WARNING, OBJECT_NETWORK, "vnet0", uuid);
    attach(map, "other-tap", LEVEL_WARNING, OBJECT_INTERFACE, "vnet1", uuid);
    attach(map, "other-domain", LEVEL_WARNING, OBJECT_INTERFACE, "vnet0", "another");
    attach(map, "no-domain", LEVEL_WARNING, OBJECT_INTERFACE, "vnet0", NULL);
    g_assert_cmpuint(row->problems->len, ==, 0);

    attach(map, "first", LEVEL_CRITICAL, OBJECT_INTERFACE, "vnet0", uuid);
    attach(map, "first", LEVEL_WARNING, OBJECT_INTERFACE, "vnet0", uuid);
    attach(map, "second", LEVEL_UNKNOWN, OBJECT_INTERFACE, "vnet0", uuid);
    attach(map, "port", LEVEL_WARNING, OBJECT_INTERFACE, "vnet7", NULL);
    g_assert_cmpuint(row->problems->len, ==, 2);
    g_assert_cmpstr(row->problems->pdata[0], ==, "first");
    g_assert_cmpstr(row->problems->pdata[1], ==, "second");
    g_assert_cmpuint(port->problems->len, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/map/lease", test_lease);
    g_test_add_func("/map/lease/other-mac", test_lease_other_mac);
    g_test_add_func("/map/lease/other-network", test_lease_other_network);
    g_test_add_func("/map/lease/outside", test_lease_outside);
    g_test_add_func("/map/lease/without-mac", test_lease_without_mac);
    g_test_add_func("/map/lease/unknown-network", test_lease_unknown_network);
    g_test_add_func("/map/lease/by-uuid", test_lease_by_uuid);
    g_test_add_func("/map/lease/expired", test_lease_expired);
    g_test_add_func("/map/lease/infinite", test_lease_infinite);
    g_test_add_func("/map/lease/several", test_lease_several);
    g_test_add_func("/map/lease/twice", test_lease_twice);
    g_test_add_func("/map/lease/owners", test_lease_owners);
    g_test_add_func("/map/lease/shut-off", test_lease_shut_off);
    g_test_add_func("/map/lease/prefix-unknown", test_lease_prefix_unknown);
    g_test_add_func("/map/lease/order", test_lease_order);
    g_test_add_func("/map/neighbour", test_neighbour);
    g_test_add_func("/map/neighbour/elsewhere", test_neighbour_elsewhere);
    g_test_add_func("/map/agent", test_agent);
    g_test_add_func("/map/evidence/order", test_evidence_order);
    g_test_add_func("/map/evidence/merged", test_evidence_merged);
    g_test_add_func("/map/no-mac", test_no_mac);
    g_test_add_func("/map/row/matches", test_matches);
    g_test_add_func("/map/row/name", test_name);
    g_test_add_func("/map/row/address", test_address);
    g_test_add_func("/map/attach", test_attach);
    return g_test_run();
}
