/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <string.h>

/* Which rows there are, what the kernel says in them, and their order. */

#define MAC_A "52:54:00:00:00:0a"
#define MAC_B "52:54:00:00:00:0b"

static Network *network_add(Facts *facts, const char *name, const char *bridge, guint ifindex,
                            const char *cidr)
{
    Network *network = world_network(facts, name, "nat", bridge);

    world_ip(network, cidr, NULL, NULL);
    world_bridge(facts, network, ifindex);
    return network;
}

/* Rows as "network domain tap bridge network_bridge ifindex", a line each. */
static char *rows_of(const Facts *facts)
{
    g_autoptr(Map) map = map_join(facts);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        g_string_append_printf(text, "%s %s %s %s %s %u\n", row->network ? row->network : "-",
                               row->domain ? row->domain : "-", row->tap ? row->tap : "-",
                               row->bridge ? row->bridge : "-",
                               row->network_bridge ? row->network_bridge : "-", row->ifindex);
    }
    return g_string_free(text, FALSE);
}

static void assert_rows(const Facts *facts, const char *expected)
{
    g_autofree char *text = rows_of(facts);

    g_assert_cmpstr(text, ==, expected);
}

static Facts *one_guest(Domain **domain)
{
    Facts *facts = world_new();

    network_add(facts, "default", "virbr0", 10, "192.168.122.1/24");
    *domain = world_domain(facts, "VM", 1);
    world_nic(*domain, "default", "virbr0", MAC_A, "vnet0");
    return facts;
}

static void test_kernel(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    g_autoptr(Map) map = NULL;
    Link *tap = world_tap(facts, 11, "vnet0", 10, MAC_A);
    const MapRow *row;
    char mac[MAC_TEXT];

    tap->mtu = 1400;
    tap->carrier = 0;
    map = map_join(facts);
    row = map->rows->pdata[0];
    g_assert_cmpstr(row->bridge, ==, "virbr0");
    g_assert_cmpuint(row->ifindex, ==, 11);
    g_assert_cmpuint(row->mtu, ==, 1400);
    g_assert_cmpint(row->carrier, ==, 0);
    g_assert_true(row->has_host_mac);
    g_assert_cmpstr(mac_format(&row->host_mac, mac), ==, "fe:54:00:00:00:0a");
    g_assert_cmpstr(mac_format(&row->mac, mac), ==, MAC_A);
    g_assert_cmpstr(row->type, ==, "network");
    g_assert_cmpstr(row->source, ==, "default");
    g_assert_cmpstr(row->model, ==, "virtio");
    g_assert_cmpstr(row->alias, ==, "net0");
    g_assert_cmpstr(row->domain_uuid, ==, domain->uuid);
    g_assert_cmpint(row->domain_id, ==, 1);
    g_assert_cmpint(row->domain_state, ==, DOMAIN_RUNNING);
    g_assert_true(row->has_domain && row->interface_known);
}

/* Nothing of the kernel is guessed where links were not read, or the tap is not there. */
static void test_no_links(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    g_autoptr(Map) map = map_join(facts);
    const MapRow *row = map->rows->pdata[0];

    assert_rows(facts, "default VM vnet0 - virbr0 0\n");
    g_assert_false(row->has_host_mac);
    g_assert_cmpuint(row->mtu, ==, 0);
    g_assert_cmpint(row->carrier, ==, -1);
}

static void test_tap_without_master(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);

    world_tap(facts, 11, "vnet0", 0, MAC_A);
    assert_rows(facts, "default VM vnet0 - virbr0 11\n");
}

static void test_tap_on_other_bridge(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);

    world_link(facts, 30, "br0", "bridge")->is_bridge = TRUE;
    world_tap(facts, 11, "vnet0", 30, MAC_A);
    assert_rows(facts, "default VM vnet0 br0 virbr0 11\n");
}

/* The master is in another namespace or was not read: the kernel's word is missing, not libvirt's. */
static void test_tap_master_unknown(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);

    world_tap(facts, 11, "vnet0", 77, MAC_A);
    assert_rows(facts, "default VM vnet0 - virbr0 11\n");
}

/* The guest's row loses its device; the device is a port that nobody claims. */
static void test_tap_renamed(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);

    world_tap(facts, 11, "renamed", 10, MAC_A);
    assert_rows(facts, "default VM vnet0 - virbr0 0\n"
                       "default - renamed virbr0 virbr0 11\n");
}

/* Another device has the index that vnet0 had. */
static void test_ifindex_reused(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    Domain *other = world_domain(facts, "new", 2);

    world_nic(other, "default", "virbr0", MAC_B, "vnet1");
    world_tap(facts, 11, "vnet1", 10, MAC_B);
    assert_rows(facts, "default VM vnet0 - virbr0 0\n"
                       "default new vnet1 virbr0 virbr0 11\n");
}

static void test_unclaimed(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    g_autoptr(Map) map = NULL;
    Network *stopped = network_add(facts, "stopped", "virbr5", 50, "10.5.5.1/24");
    const MapRow *row;

    stopped->active = FALSE;
    world_link(facts, 30, "br0", "bridge")->is_bridge = TRUE;
    world_tap(facts, 11, "vnet0", 10, MAC_A);
    world_tap(facts, 12, "stray", 10, MAC_B);
    world_tap(facts, 31, "foreign", 30, MAC_B);
    world_tap(facts, 51, "left", 50, MAC_B);
    world_tap(facts, 60, "free", 0, MAC_B);
    assert_rows(facts, "default VM vnet0 virbr0 virbr0 11\n"
                       "default - stray virbr0 virbr0 12\n");
    map = map_join(facts);
    row = world_row(map, "stray");
    g_assert_false(row->has_domain || row->has_mac || row->interface_known);
    g_assert_cmpint(row->domain_id, ==, -1);
    g_assert_cmpuint(row->addresses->len, ==, 0);
    /* With some of the domains only, a port without one says nothing. */
    facts->domains_complete = FALSE;
    assert_rows(facts, "default VM vnet0 virbr0 virbr0 11\n");
}

/* A device of the bridge's name that is no bridge has no ports of the network. */
static void test_unclaimed_no_bridge(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);

    facts_link(facts, 10)->is_bridge = FALSE;
    world_tap(facts, 12, "stray", 10, MAC_B);
    assert_rows(facts, "default VM vnet0 - virbr0 0\n");
}

static void test_type_bridge(void)
{
    g_autoptr(Facts) facts = world_new();
    Domain *domain = world_domain(facts, "VM", 1);
    g_autoptr(Map) map = NULL;
    const MapRow *row;

    network_add(facts, "default", "virbr0", 10, "192.168.122.1/24");
    world_link(facts, 30, "br0", "bridge")->is_bridge = TRUE;
    world_nic(domain, NULL, "virbr0", MAC_A, "vnet0");
    world_nic(domain, NULL, "br0", MAC_B, "vnet1");
    world_tap(facts, 11, "vnet0", 10, MAC_A);
    world_tap(facts, 31, "vnet1", 30, MAC_B);
    world_lease(facts, "default", MAC_A, "192.168.122.5", 60);
    world_neighbour(facts, 30, "10.0.0.5", MAC_B, NEIGHBOUR_REACHABLE);
    assert_rows(facts, "default VM vnet0 virbr0 virbr0 11\n"
                       "- VM vnet1 br0 br0 31\n");
    map = map_join(facts);
    row = world_row(map, "vnet0");
    g_assert_nonnull(row->network_uuid);
    g_assert_cmpint(map_row_address(row)->source, ==, ADDRESS_LEASE);
    row = world_row(map, "vnet1");
    g_assert_null(row->network_uuid);
    g_assert_cmpint(map_row_address(row)->source, ==, ADDRESS_NEIGHBOUR);
}

/* What reads only active networks and what reads all must say the same of a bridge. */
static void test_type_bridge_inactive(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    Network *network = facts->networks->pdata[0];
    Domain *other = world_domain(facts, "other", 2);
    g_autofree char *all = NULL;
    g_autofree char *active = NULL;

    g_ptr_array_set_size(domain->interfaces, 0);
    world_nic(other, NULL, "virbr0", MAC_B, "vnet1");
    world_tap(facts, 12, "vnet1", 10, MAC_B);
    world_lease(facts, "default", MAC_B, "192.168.122.5", 60);
    network->active = FALSE;
    all = rows_of(facts);
    g_ptr_array_set_size(facts->networks, 0);
    active = rows_of(facts);
    g_assert_cmpstr(all, ==, "- other vnet1 virbr0 virbr0 12\n");
    g_assert_cmpstr(active, ==, all);
}

/* What the kernel cannot know of a domain: its XML was not read in time. */
static void test_xml_unknown(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    g_autoptr(Map) map = NULL;
    const MapRow *row;

    world_tap(facts, 11, "vnet0", 10, MAC_A);
    domain->xml_read = FALSE;
    assert_rows(facts, "default - vnet0 virbr0 virbr0 11\n"
                       "- VM - - - 0\n");
    map = map_join(facts);
    row = map->rows->pdata[1];
    g_assert_true(row->has_domain);
    g_assert_false(row->interface_known);
    g_assert_cmpint(row->domain_id, ==, 1);
}

/* An inactive domain's XML names a tap of its own choice, which may be another one's now. */
static void test_inactive(void)
{
    Domain *domain;
    g_autoptr(Facts) facts = one_guest(&domain);
    Domain *off = world_domain(facts, "off", -1);

    world_tap(facts, 11, "vnet0", 10, MAC_A);
    world_nic(off, "default", NULL, MAC_B, "vnet0");
    assert_rows(facts, "default VM vnet0 virbr0 virbr0 11\n"
                       "default off vnet0 - virbr0 0\n");
    /* And its claim does not hide a port from those that nobody claims. */
    g_ptr_array_set_size(domain->interfaces, 0);
    assert_rows(facts, "default off vnet0 - virbr0 0\n"
                       "default - vnet0 virbr0 virbr0 11\n");
}

/* The network's bridge is no claim while the network is not active, or not known. */
static void test_network_gone(void)
{
    g_autoptr(Facts) facts = world_new();
    Domain *domain = world_domain(facts, "VM", 1);
    Network *network = network_add(facts, "default", "virbr0", 10, "192.168.122.1/24");

    world_nic(domain, "default", NULL, MAC_A, NULL);
    assert_rows(facts, "default VM - - virbr0 0\n");
    network->active = FALSE;
    assert_rows(facts, "default VM - - - 0\n");
    g_ptr_array_set_size(facts->networks, 0);
    assert_rows(facts, "default VM - - - 0\n");
}

static void test_other_types(void)
{
    g_autoptr(Facts) facts = world_new();
    Domain *domain = world_domain(facts, "VM", 1);
    DomainInterface *nic = world_nic(domain, NULL, NULL, MAC_A, "macvtap0");

    g_free(nic->type);
    nic->type = g_strdup("direct");
    nic->link = LINK_DOWN;
    assert_rows(facts, "- VM macvtap0 - - 0\n");
}

static void test_sort(void)
{
    g_autoptr(Facts) facts = world_new();
    Domain *a, *b;

    network_add(facts, "beta", "virbr1", 20, "10.1.0.1/24");
    network_add(facts, "alpha", "virbr0", 10, "10.0.0.1/24");
    b = world_domain(facts, "b", 1);
    a = world_domain(facts, "a", 2);
    world_domain(facts, "unread", 3)->xml_read = FALSE;
    world_nic(b, "beta", "virbr1", NULL, "t1");
    world_nic(b, "alpha", "virbr0", NULL, "t9");
    world_nic(b, "alpha", "virbr0", NULL, "t3");
    world_nic(a, "beta", "virbr1", NULL, "t4");
    world_nic(a, "alpha", "virbr0", NULL, "t5");
    world_tap(facts, 12, "z", 10, NULL);
    world_tap(facts, 13, "p", 10, NULL);
    assert_rows(facts, "alpha a t5 - virbr0 0\n"
                       "alpha b t9 - virbr0 0\n"
                       "alpha b t3 - virbr0 0\n"
                       "alpha - p virbr0 virbr0 13\n"
                       "alpha - z virbr0 virbr0 12\n"
                       "beta a t4 - virbr1 0\n"
                       "beta b t1 - virbr1 0\n"
                       "- unread - - - 0\n");
}

/* ----------------------------------------------------------------------------------------- choices */

static char *names_of(GPtrArray *rows)
{
    g_autoptr(GPtrArray) owned = rows;
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < owned->len; i++) {
        g_autofree char *name = map_row_name(owned->pdata[i]);

        g_string_append_printf(text, "%s ", name);
    }
    return g_string_free(text, FALSE);
}

static void assert_names(GPtrArray *rows, const char *expected)
{
    g_autofree char *text = names_of(rows);

    g_assert_cmpstr(text, ==, expected);
}

static void test_choices(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = NULL;

    world_nic(facts->domains->pdata[0], NULL, "br9", MAC_A, "elsewhere");
    map = map_join(facts);
    assert_names(map_rows_on(map, "lab"), "vnet2 ");
    assert_names(map_rows_on(map, "default"), "vnet0 vnet1 vnet3 52:54:00:00:00:04 vnatp0 ");
    assert_names(map_rows_on(map, "Default"), "");
    assert_names(map_rows_on(map, ""), "");
    assert_names(map_rows_on(map, NULL), "vnet0 vnet1 vnet3 52:54:00:00:00:04 vnatp0 vnet2 elsewhere ");
    assert_names(map_rows_matching(map, "VM2"), "vnet1 vnet2 ");
    assert_names(map_rows_matching(map, "10.20.30.122"), "vnet2 ");
    assert_names(map_rows_matching(map, "2"), "vnet1 vnet2 ");
    assert_names(map_rows_matching(map, "02x"), "");
    assert_names(map_rows_matching(map, "-1"), "");
    assert_names(map_rows_matching(map, "nobody"), "");
    /* Of a network that was not read a row knows the name yet. */
    g_ptr_array_set_size(facts->networks, 0);
    map_free(map);
    map = map_join(facts);
    assert_names(map_rows_on(map, "lab"), "vnet2 ");
}

/* --------------------------------------------------------------------------------------- any order */

static void shuffle_pointers(GPtrArray *array, GRand *rand)
{
    for (guint i = array->len; i > 1; i--) {
        guint other = (guint)g_rand_int_range(rand, 0, (gint32)i);
        gpointer kept = array->pdata[i - 1];

        array->pdata[i - 1] = array->pdata[other];
        array->pdata[other] = kept;
    }
}

static void shuffle_values(GArray *array, GRand *rand)
{
    gsize size = g_array_get_element_size(array);
    g_autofree char *kept = g_malloc(size);

    for (guint i = array->len; i > 1; i--) {
        char *last = array->data + (i - 1) * size;
        char *other = array->data + (gsize)g_rand_int_range(rand, 0, (gint32)i) * size;

        memcpy(kept, last, size);
        memmove(last, other, size);
        memcpy(other, kept, size);
    }
}

static void shuffle_facts(Facts *facts, GRand *rand)
{
    shuffle_pointers(facts->networks, rand);
    shuffle_pointers(facts->domains, rand);
    shuffle_pointers(facts->leases, rand);
    shuffle_pointers(facts->links, rand);
    facts_sort_links(facts);
    shuffle_values(facts->neighbours, rand);
    shuffle_values(facts->addresses, rand);
    shuffle_values(facts->fdb, rand);
    shuffle_values(facts->routes, rand);
    for (guint i = 0; i < facts->domains->len; i++)
        shuffle_values(((Domain *)facts->domains->pdata[i])->agent, rand);
}

/* Networks that clash over a bridge, and clones of a guest: what a join could decide by who comes first. */
static void add_rivals(Facts *facts)
{
    static const char *const names[] = {"rival-c", "rival-a", "rival-b"};
    Domain *domain = world_domain(facts, "clone", 9);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        Network *network = world_network(facts, names[i], "nat", "virbr7");

        network->active = FALSE;
        world_ip(network, "10.77.0.1/24", NULL, NULL);
        network = world_network(facts, names[i] + 1, "nat", "virbr0");
        network->active = FALSE;
    }
    world_nic(domain, NULL, "virbr7", MAC_A, "rival0");
    world_nic(domain, "default", "virbr0", "52:54:00:00:00:01", "rival1");
    world_lease(facts, "rival-a", MAC_A, "10.77.0.5", 10);
    world_lease(facts, "rival-b", MAC_A, "10.77.0.6", 10);
}

static void test_any_order(void)
{
    guint32 seed = (guint32)g_test_rand_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autoptr(Facts) facts = world_host();
    g_autofree char *expected = NULL;

    g_test_message("seed %u", seed);
    add_rivals(facts);
    for (guint round = 0; round < 300; round++) {
        g_autoptr(Map) map = map_join(facts);
        g_autofree char *text = world_map_text(map);

        if (!expected)
            expected = g_strdup(text);
        g_assert_cmpstr(text, ==, expected);
        shuffle_facts(facts, rand);
    }
}

/* -------------------------------------------------------------------------- attribution, at random */

#define NETWORKS 3
#define MACS 4

static Facts *random_facts(GRand *rand)
{
    Facts *facts = world_new();

    for (guint n = 0; n < NETWORKS; n++) {
        g_autofree char *name = g_strdup_printf("n%u", n);
        g_autofree char *bridge = g_strdup_printf("virbr%u", n);
        g_autofree char *cidr = g_strdup_printf("10.0.%u.1/24", n);

        network_add(facts, name, bridge, 10 + n, cidr);
    }
    for (guint d = 0; d < 5; d++) {
        g_autofree char *name = g_strdup_printf("d%u", d);
        Domain *domain = world_domain(facts, name, g_rand_boolean(rand) ? (gint)d : -1);

        for (gint nics = g_rand_int_range(rand, 0, 3); nics > 0; nics--) {
            g_autofree char *network = g_strdup_printf("n%d", g_rand_int_range(rand, 0, NETWORKS));
            g_autofree char *mac = g_strdup_printf("52:54:00:00:00:%02d", g_rand_int_range(rand, 0, MACS));

            world_nic(domain, network, NULL, mac, NULL);
        }
    }
    for (guint l = 0; l < 12; l++) {
        g_autofree char *network = g_strdup_printf("n%d", g_rand_int_range(rand, 0, NETWORKS));
        g_autofree char *mac = g_strdup_printf("52:54:00:00:00:%02d", g_rand_int_range(rand, 0, MACS));
        g_autofree char *ip = g_strdup_printf("10.0.%d.%u", g_rand_int_range(rand, 0, NETWORKS), l + 2);

        world_lease(facts, network, mac, ip, g_rand_int_range(rand, -5, 50));
    }
    return facts;
}

static gboolean row_has(const MapRow *row, const Ip *ip)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        if (ip_equal(&((const Address *)row->addresses->pdata[i])->ip, ip))
            return TRUE;
    }
    return FALSE;
}

/* The rule, said plainly: live, its MAC in the XML on that network, its address in that network, a guest that
 * runs. */
static void assert_attribution(const Facts *facts, const Map *map, const Lease *lease)
{
    const Network *network = facts_network(facts, lease->network);
    gboolean inside = network_ip_of(network, &lease->ip) != NULL;

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        gboolean owns = lease_is_live(lease, facts->now) && inside && mac_equal(&row->mac, &lease->mac) &&
                        strcmp(row->network, lease->network) == 0 && row->domain_id >= 0;

        g_assert_cmpint(row_has(row, &lease->ip), ==, owns);
    }
}

/* Of those with its MAC on its network: the only one that runs, else the only one. */
static const MapRow *sole_owner(const Map *map, const Facts *facts, const Lease *lease)
{
    const Network *network = facts_network(facts, lease->network);
    const MapRow *last[2] = {NULL, NULL};
    guint count[2] = {0, 0};

    for (guint i = 0; network_ip_of(network, &lease->ip) && i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (!mac_equal(&row->mac, &lease->mac) || strcmp(row->network, lease->network) != 0)
            continue;
        last[row->domain_id >= 0] = row;
        count[row->domain_id >= 0]++;
    }
    if (count[TRUE] > 0)
        return count[TRUE] == 1 ? last[TRUE] : NULL;
    return count[FALSE] == 1 ? last[FALSE] : NULL;
}

static void test_attribution_random(void)
{
    guint32 seed = (guint32)g_test_rand_int();

    g_test_message("seed %u", seed);
    for (guint round = 0; round < 300; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed + round);
        g_autoptr(Facts) facts = random_facts(rand);
        g_autoptr(Map) map = map_join(facts);

        for (guint i = 0; i < facts->leases->len; i++)
            assert_attribution(facts, map, facts->leases->pdata[i]);
        for (guint i = 0; i < map->leases->len; i++) {
            const MapLease *record = map->leases->pdata[i];

            if (record->row)
                g_assert_cmpint(row_has(record->row, &record->lease->ip), ==, record->row->domain_id >= 0);
            g_assert_true(record->row == sole_owner(map, facts, record->lease));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/map-rows/kernel", test_kernel);
    g_test_add_func("/map-rows/no-links", test_no_links);
    g_test_add_func("/map-rows/tap/without-master", test_tap_without_master);
    g_test_add_func("/map-rows/tap/on-other-bridge", test_tap_on_other_bridge);
    g_test_add_func("/map-rows/tap/master-unknown", test_tap_master_unknown);
    g_test_add_func("/map-rows/tap/renamed", test_tap_renamed);
    g_test_add_func("/map-rows/tap/ifindex-reused", test_ifindex_reused);
    g_test_add_func("/map-rows/unclaimed", test_unclaimed);
    g_test_add_func("/map-rows/unclaimed/no-bridge", test_unclaimed_no_bridge);
    g_test_add_func("/map-rows/type-bridge", test_type_bridge);
    g_test_add_func("/map-rows/type-bridge/inactive", test_type_bridge_inactive);
    g_test_add_func("/map-rows/xml-unknown", test_xml_unknown);
    g_test_add_func("/map-rows/inactive", test_inactive);
    g_test_add_func("/map-rows/network-gone", test_network_gone);
    g_test_add_func("/map-rows/other-types", test_other_types);
    g_test_add_func("/map-rows/sort", test_sort);
    g_test_add_func("/map-rows/choices", test_choices);
    g_test_add_func("/map-rows/any-order", test_any_order);
    g_test_add_func("/map-rows/attribution-random", test_attribution_random);
    return g_test_run();
}
