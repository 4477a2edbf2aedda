/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "change-tools.h"
#include "world.h"

#include "model/change.h"

/* When two rows or two leases are one; change-tools.h says how that is tried. */

/* -------------------------------------------------------------------------------------------- rows */

static Address *first_address(MapRow *row)
{
    return row->addresses->pdata[0];
}

static void row_domain(MapRow *row)
{
    set_text(&row->domain, "other");
}

static void row_uuid(MapRow *row)
{
    set_text(&row->domain_uuid, "other");
}

static void row_id(MapRow *row)
{
    row->domain_id = 77;
}

static void row_state(MapRow *row)
{
    row->domain_state = DOMAIN_PAUSED;
}

static void row_alias(MapRow *row)
{
    set_text(&row->alias, NULL);
}

static void row_type(MapRow *row)
{
    set_text(&row->type, "bridge");
}

static void row_source(MapRow *row)
{
    set_text(&row->source, "elsewhere");
}

static void row_network(MapRow *row)
{
    set_text(&row->network, "other");
}

static void row_model(MapRow *row)
{
    set_text(&row->model, "e1000");
}

static void row_mac(MapRow *row)
{
    row->mac.bytes[5] ^= 1;
}

static void row_no_mac(MapRow *row)
{
    row->has_mac = FALSE;
}

static void row_tap(MapRow *row)
{
    set_text(&row->tap, "vnet99");
}

static void row_ifindex(MapRow *row)
{
    row->ifindex++;
}

static void row_host_mac(MapRow *row)
{
    row->host_mac.bytes[5] ^= 1;
}

static void row_no_host_mac(MapRow *row)
{
    row->has_host_mac = FALSE;
}

static void row_bridge(MapRow *row)
{
    set_text(&row->bridge, NULL);
}

static void row_network_bridge(MapRow *row)
{
    set_text(&row->network_bridge, "virbr9");
}

static void row_mtu(MapRow *row)
{
    row->mtu = 1400;
}

static void row_link(MapRow *row)
{
    row->link = LINK_DOWN;
}

static void row_unknown(MapRow *row)
{
    row->interface_known = FALSE;
}

static void row_carrier(MapRow *row)
{
    row->carrier = 0;
}

static void row_carrier_unknown(MapRow *row)
{
    row->carrier = -1;
}

static void row_problem(MapRow *row)
{
    g_ptr_array_add(row->problems, (gpointer) "tap-down");
}

static void row_one_less(MapRow *row)
{
    g_ptr_array_set_size(row->addresses, 0);
}

static void row_ip(MapRow *row)
{
    first_address(row)->ip = world_ip_of("192.168.122.99");
}

static void row_prefix(MapRow *row)
{
    first_address(row)->prefix = -1;
}

static void row_evidence(MapRow *row)
{
    first_address(row)->source = ADDRESS_AGENT;
}

static void row_evidences(MapRow *row)
{
    first_address(row)->sources ^= 1U << ADDRESS_AGENT;
}

static void row_hostname(MapRow *row)
{
    set_text(&first_address(row)->hostname, "h");
}

static void row_client(MapRow *row)
{
    set_text(&first_address(row)->client_id, "c");
}

static void row_expiry(MapRow *row)
{
    first_address(row)->expiry += 60;
}

static void row_infinite(MapRow *row)
{
    first_address(row)->has_expiry = FALSE;
}

static void row_unset_is_up(MapRow *row)
{
    row->link = LINK_UP;
}

static void row_place(MapRow *row)
{
    row->order++;
}

typedef struct {
    void (*change)(MapRow *row);
    const char *members; /* "": none */
} RowCase;

static const RowCase row_cases[] = {
    {row_domain, "domain"},
    {row_uuid, "domain_uuid"},
    {row_id, "domain_id"},
    {row_state, "domain_state"},
    {row_alias, "alias"},
    {row_type, "type"},
    {row_source, "source"},
    {row_network, "network"},
    {row_model, "model"},
    {row_mac, "mac"},
    {row_no_mac, "mac"},
    {row_tap, "tap"},
    {row_ifindex, "ifindex"},
    {row_host_mac, "host_mac"},
    {row_no_host_mac, "host_mac"},
    {row_bridge, "bridge"},
    {row_network_bridge, "network_bridge"},
    {row_mtu, "mtu"},
    {row_link, "link"},
    {row_unknown, "link"},
    {row_carrier, "carrier"},
    {row_carrier_unknown, "carrier"},
    {row_problem, "problems"},
    {row_one_less, "addresses"},
    {row_ip, "addresses"},
    {row_prefix, "addresses"},
    {row_evidence, "addresses"},
    {row_evidences, "addresses"},
    {row_hostname, "addresses"},
    {row_client, "addresses"},
    {row_expiry, "addresses"},
    {row_infinite, "addresses"},
    {row_unset_is_up, ""},
    {row_place, ""},
};

static void test_rows(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    const MapRow *row = world_row(map, "vnet0");
    g_autoptr(GHashTable) members = members_of(json_of_interface(row));

    for (guint i = 0; i < G_N_ELEMENTS(row_cases); i++) {
        g_autoptr(Map) other = map_join(facts);
        MapRow *changed = world_row(other, "vnet0");
        g_autofree char *names = NULL;

        g_assert_true(map_row_equal(row, changed));
        row_cases[i].change(changed);
        names = differences(json_of_interface(row), json_of_interface(changed));
        g_assert_cmpstr(names, ==, row_cases[i].members);
        g_assert_cmpint(map_row_equal(row, changed), ==, names[0] == '\0');
        g_assert_cmpint(map_row_equal(changed, row), ==, names[0] == '\0');
        forget(members, names);
    }
    assert_none_left(members);
}

static void test_rows_order(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(Map) other = map_join(facts);
    const MapRow *row = world_row(map, "vnet1");
    MapRow *turned = world_row(other, "vnet1");
    gpointer first = turned->addresses->pdata[0];

    g_assert_cmpuint(turned->addresses->len, >, 1);
    turned->addresses->pdata[0] = turned->addresses->pdata[1];
    turned->addresses->pdata[1] = first;
    g_assert_false(map_row_equal(row, turned));
}

/* ------------------------------------------------------------------------------------------ leases */

static void lease_network(Lease *lease)
{
    set_text(&lease->network, "other");
}

static void lease_bridge(Lease *lease)
{
    set_text(&lease->bridge, "other");
}

static void lease_mac(Lease *lease)
{
    lease->mac.bytes[5] ^= 1;
}

static void lease_no_mac(Lease *lease)
{
    lease->has_mac = FALSE;
}

static void lease_ip(Lease *lease)
{
    lease->ip.bytes[3] ^= 1;
}

static void lease_family(Lease *lease)
{
    lease->ip = world_ip_of("fd00::1");
}

static void lease_prefix(Lease *lease)
{
    lease->prefix = 0;
}

static void lease_hostname(Lease *lease)
{
    set_text(&lease->hostname, "other");
}

static void lease_client(Lease *lease)
{
    set_text(&lease->client_id, "other");
}

static void lease_iaid(Lease *lease)
{
    set_text(&lease->iaid, "7");
}

static void lease_expiry(Lease *lease)
{
    lease->expiry++;
}

typedef struct {
    void (*change)(Lease *lease);
    const char *members;
} LeaseCase;

static const LeaseCase lease_cases[] = {
    {lease_network, "network"},
    {lease_bridge, "bridge"},
    {lease_mac, "mac"},
    {lease_no_mac, "mac"},
    {lease_ip, "address"},
    {lease_family, "address family"},
    {lease_prefix, "prefix"},
    {lease_hostname, "hostname"},
    {lease_client, "client_id"},
    {lease_iaid, "iaid"},
    {lease_expiry, "expires expires_epoch"},
};

static void test_leases(void)
{
    g_autoptr(Facts) facts = world_host();
    const Lease *lease = facts->leases->pdata[0];
    MapLease record = {.lease = lease};
    g_autoptr(GHashTable) members = members_of(json_of_lease(&record));

    /* Whose it is stands in the row. */
    forget(members, "domain tap attributed");
    for (guint i = 0; i < G_N_ELEMENTS(lease_cases); i++) {
        g_autoptr(Facts) others = world_host();
        Lease *other = others->leases->pdata[0];
        MapLease changed = {.lease = other};
        g_autofree char *names = NULL;

        g_assert_true(lease_equal(lease, other));
        lease_cases[i].change(other);
        names = differences(json_of_lease(&record), json_of_lease(&changed));
        g_assert_cmpstr(names, ==, lease_cases[i].members);
        g_assert_false(lease_equal(lease, other));
        forget(members, names);
    }
    assert_none_left(members);
}

/* ------------------------------------------------------------------------------------------- names */

static void test_names(void)
{
    g_assert_cmpstr(change_name(CHANGE_INTERFACE_ADDED), ==, "interface.added");
    g_assert_cmpstr(change_name(CHANGE_LEASE_RENEWED), ==, "lease.renewed");
    g_assert_cmpstr(change_name(CHANGE_NETWORK_UNDEFINED), ==, "network.undefined");
    g_assert_cmpstr(change_name(CHANGE_SOURCE_STALE), ==, "source.stale");
    g_assert_cmpstr(change_name(CHANGE_AUDIT_MISMATCH), ==, "audit.mismatch");
    g_assert_cmpstr(change_name(CHANGE_CHECK_CLEARED), ==, "check.cleared");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/change/names", test_names);
    g_test_add_func("/change/rows", test_rows);
    g_test_add_func("/change/rows/order", test_rows_order);
    g_test_add_func("/change/leases", test_leases);
    return g_test_run();
}
