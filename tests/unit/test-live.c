/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-host.h"

/* What the live map says of interfaces, step by step: guests, ports, names of taps. */

/* --------------------------------------------------------------------------------------- interfaces */

static void test_first(void)
{
    Host host;

    memset(&host, 0, sizeof(host));
    host.live = live_map_new(NULL);
    host.parts = world_new();
    live_map_set_source(host.live, SOURCE_LIBVIRT, SOURCE_LIVE, NULL);
    live_map_set_source(host.live, SOURCE_LEASES, SOURCE_STALE, "why");
    put_network_of(&host, "default", "virbr0", TRUE);
    put_tap(&host, 11, "vnet0", 0);
    put_guest(&host, "VM", MAC_A, "vnet0");
    live_map_report_mismatch(host.live, SOURCE_LINKS, "vnet1 was missing");
    g_assert_true(live_map_is_dirty(host.live));
    assert_told(&host, "source.live libvirt: (null)\n"
                       "source.stale leases: why\n"
                       "audit.mismatch links: vnet1 was missing\n"
                       "network.defined default\n"
                       "network.started default\n"
                       "interface.added VM/vnet0\n");
    g_assert_false(live_map_is_dirty(host.live));
    assert_told(&host, "");
    host_clear(&host);
}

static void test_guest_stops_and_starts(void)
{
    Host host;

    host_init(&host);
    remove_guest(&host, "VM");
    live_map_remove_link(host.live, 11);
    assert_told(&host, "interface.removed VM/vnet0\n");
    assert_rows(&host, "");
    put_tap(&host, 12, "vnet0", 10);
    put_guest(&host, "VM", MAC_A, "vnet0");
    assert_told(&host, "interface.added VM/vnet0\n");
    /* Within one settle it is the same interface, with another tap. */
    remove_guest(&host, "VM");
    live_map_remove_link(host.live, 12);
    put_tap(&host, 13, "vnet1", 10);
    put_guest(&host, "VM", MAC_A, "vnet1");
    assert_told(&host, "interface.changed VM/vnet1\n");
    assert_rows(&host, "VM/vnet1/13/virbr0");
    host_clear(&host);
}

static void test_nothing_changed(void)
{
    Host host;
    Link *bridge;

    host_init(&host);
    put_guest(&host, "VM", MAC_A, "vnet0");
    put_tap(&host, 11, "vnet0", 10);
    put_address(&host, 10);
    put_network_of(&host, "default", "virbr0", TRUE);
    g_assert_false(live_map_is_dirty(host.live));
    /* A bridge is told of with every port that joins, and its carrier comes with the first. */
    bridge = make_bridge(&host, 10, "virbr0");
    bridge->carrier = 0;
    bridge->operstate = 2;
    live_map_put_link(host.live, bridge);
    assert_told(&host, "");
    host_clear(&host);
}

static void test_bridge_dirties_its_ports_for_cause(void)
{
    Host host;
    Link *bridge;

    host_init(&host);
    bridge = make_bridge(&host, 10, "virbr0");
    bridge->mtu = 1400;
    live_map_put_link(host.live, bridge);
    assert_told(&host, "network.changed default\n");
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed VM/vnet0\n"
                      "check.raised mtu-mismatch vnet0\n");
    live_map_remove_link(host.live, 10);
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/-");
    host_clear(&host);
}

static void test_unclaimed(void)
{
    Host host;

    host_init(&host);
    put_tap(&host, 15, "vnet9", 10);
    assert_told(&host, "interface.added -/vnet9\n");
    /* Who keeps ports by name or by index can follow a new name. */
    put_tap(&host, 15, "vnet8", 10);
    assert_told(&host, "interface.removed -/vnet9\n"
                       "interface.added -/vnet8\n");
    put_guest(&host, "VM2", MAC_B, "vnet8");
    assert_told(&host, "interface.removed -/vnet8\n"
                       "interface.added VM2/vnet8\n");
    live_map_set_domains_listed(host.live, FALSE);
    remove_guest(&host, "VM2");
    assert_told(&host, "interface.removed VM2/vnet8\n");
    /* Only the whole set of domains can tell. */
    live_map_set_domains_listed(host.live, TRUE);
    g_assert_true(live_map_is_dirty(host.live));
    assert_told(&host, "interface.added -/vnet8\n");
    host_clear(&host);
}

static void test_unread_domain(void)
{
    Host host;
    Domain *unread;

    host_init(&host);
    put_tap(&host, 15, "vnet9", 10);
    settle(&host);
    unread = make_guest(&host, "VM2", NULL, NULL, NULL);
    unread->xml_read = FALSE;
    live_map_put_domain(host.live, unread, live_map_generation(host.live));
    assert_told(&host, "interface.removed -/vnet9\n"
                       "interface.added VM2/-\n");
    put_guest(&host, "VM2", MAC_B, "vnet9");
    assert_told(&host, "interface.removed VM2/-\n"
                       "interface.added VM2/vnet9\n");
    host_clear(&host);
}

static void test_moved_to_another_bridge(void)
{
    Host host;

    host_init(&host);
    live_map_put_link(host.live, make_bridge(&host, 20, "br0"));
    settle(&host);
    put_tap(&host, 11, "vnet0", 20);
    assert_told(&host, "interface.changed VM/vnet0\n");
    assert_rows(&host, "VM/vnet0/11/br0");
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed VM/vnet0\n"
                      "check.raised tap-orphaned vnet0\n");
    put_tap(&host, 11, "vnet0", 10);
    assert_told(&host, "interface.changed VM/vnet0\n"
                       "check.cleared tap-orphaned vnet0\n");
    host_clear(&host);
}

static void test_same_mac_twice(void)
{
    Host host;
    Domain *domain;
    g_autoptr(GPtrArray) rows = NULL;
    g_autofree char *uuid = NULL;

    host_init(&host);
    domain = world_domain(host.parts, "TWIN", 3);
    for (guint i = 0; i < 2; i++) {
        DomainInterface *nic = world_nic(domain, "default", NULL, MAC_B, i ? "vnet6" : "vnet5");

        g_clear_pointer(&nic->alias, g_free);
    }
    uuid = g_strdup(domain->uuid);
    live_map_put_domain(host.live, last_of(host.parts->domains), live_map_generation(host.live));
    assert_told(&host, "interface.added TWIN/vnet5\ninterface.added TWIN/vnet6\n");
    rows = live_map_rows_of(host.live, uuid);
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpstr(((MapRow *)rows->pdata[0])->tap, ==, "vnet5");
    live_map_put_domain(host.live, make_guest(&host, "TWIN", "default", MAC_B, "vnet5"),
                        live_map_generation(host.live));
    settle(&host);
    assert_rows(&host, "TWIN/vnet5/0/-; VM/vnet0/11/virbr0");
    remove_guest(&host, "TWIN");
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0");
    host_clear(&host);
}

/* ------------------------------------------------------------------------------------- names of taps */

static GPtrArray *assert_doubtful(Host *host, guint count)
{
    GPtrArray *doubtful = live_map_doubtful(host->live);

    g_assert_cmpuint(doubtful ? doubtful->len : 0, ==, count);
    return doubtful;
}

static void test_tap_reused(void)
{
    Host host;
    guint64 before;

    host_init(&host);
    before = live_map_generation(host.live);
    /* VM is gone and its tap's name another guest's, but of VM nothing was heard yet. */
    live_map_remove_link(host.live, 11);
    put_tap(&host, 12, "vnet0", 10);
    settle(&host);
    assert_rows(&host, "VM/vnet0/0/-");
    g_ptr_array_unref(assert_doubtful(&host, 1));
    assert_doubtful(&host, 0);
    put_guest(&host, "NEW", MAC_B, "vnet0");
    settle(&host);
    assert_rows(&host, "NEW/vnet0/12/virbr0; VM/vnet0/0/-");
    /* An answer that was asked for before says nothing new. */
    live_map_put_domain(host.live, make_guest(&host, "VM", "default", MAC_A, "vnet0"), before);
    settle(&host);
    assert_rows(&host, "NEW/vnet0/12/virbr0; VM/vnet0/0/-");
    g_ptr_array_unref(assert_doubtful(&host, 1));
    remove_guest(&host, "VM");
    assert_told(&host, "interface.removed VM/vnet0\n");
    assert_rows(&host, "NEW/vnet0/12/virbr0");
    host_clear(&host);
}

static void test_doubt_ends_when_read_again(void)
{
    Host host;

    host_init(&host);
    live_map_remove_link(host.live, 11);
    put_tap(&host, 12, "vnet0", 10);
    settle(&host);
    put_guest(&host, "VM", MAC_A, "vnet0");
    assert_doubtful(&host, 0);
    assert_told(&host, "interface.changed VM/vnet0\n");
    assert_rows(&host, "VM/vnet0/12/virbr0");
    host_clear(&host);
}

static void test_doubtful_port_is_nobodys(void)
{
    Host host;

    host_init(&host);
    live_map_remove_link(host.live, 11);
    put_tap(&host, 12, "vnet0", 10);
    rest(&host);
    assert_rows(&host, "VM/vnet0/0/-");
    host_clear(&host);
}

static void test_ifindex_reused(void)
{
    Host host;

    host_init(&host);
    live_map_remove_link(host.live, 11);
    put_tap(&host, 11, "vnet7", 10);
    settle(&host);
    assert_rows(&host, "VM/vnet0/0/-; -/vnet7/11/virbr0");
    host_clear(&host);
}

static void test_name_comes_later(void)
{
    Host host;

    host_init(&host);
    put_guest(&host, "VM2", MAC_B, "vnet1");
    settle(&host);
    put_tap(&host, 12, "vnet1", 10);
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/vnet1/0/-");
    g_ptr_array_unref(assert_doubtful(&host, 1));
    put_guest(&host, "VM2", MAC_B, "vnet1");
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/vnet1/12/virbr0");
    host_clear(&host);
}

static void test_renamed(void)
{
    Host host;

    host_init(&host);
    put_tap(&host, 11, "mine", 10);
    settle(&host);
    assert_rows(&host, "VM/vnet0/0/-; -/mine/11/virbr0");
    put_guest(&host, "VM", MAC_A, "vnet0");
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed -/mine\n"
                      "check.raised tap-unclaimed mine\n");
    host_clear(&host);
}

/* A guest's tap is there before libvirt tells of the guest: whose it is has to be asked first. */
static void test_unclaimed_waits(void)
{
    Host host;
    guint64 asked;

    host_init(&host);
    live_map_set_domains_vouched(host.live, live_map_generation(host.live));
    asked = live_map_generation(host.live);
    put_tap(&host, 15, "vnet9", 10);
    assert_told(&host, "interface.added -/vnet9\n");
    assert_told_after(&host, 60 * LIVE_GRACE, "");
    g_assert_cmpuint(live_map_awaits_domains(host.live), ==, live_map_generation(host.live));
    /* A list from before says nothing of it. */
    live_map_set_domains_vouched(host.live, asked);
    assert_told_after(&host, 60 * LIVE_GRACE, "");
    g_assert_cmpuint(live_map_awaits_domains(host.live), >, asked);
    live_map_set_domains_vouched(host.live, live_map_generation(host.live));
    g_assert_true(live_map_is_dirty(host.live));
    settle(&host);
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed -/vnet9\n"
                      "check.raised tap-unclaimed vnet9\n");
    g_assert_cmpuint(live_map_awaits_domains(host.live), ==, 0);
    host_clear(&host);
}

static Facts *kernel_of(Host *host, guint tap)
{
    Facts *facts = facts_new();
    FdbEntry entry = {.ifindex = tap, .master = 10, .mac = world_mac_of(MAC_A)};
    LinkAddress address = {.ifindex = 10, .net = world_net_of("192.168.122.1/24")};

    g_ptr_array_add(facts->links, make_bridge(host, 10, "virbr0"));
    world_tap(facts, tap, "vnet0", 10, MAC_A);
    g_array_append_val(facts->fdb, entry);
    g_array_append_val(facts->addresses, address);
    return facts;
}

static void test_whole_reading(void)
{
    Host host;
    g_autoptr(Facts) same = NULL;
    g_autoptr(Facts) other = NULL;
    guint64 generation;

    host_init(&host);
    put_tap(&host, 15, "vnet9", 10);
    put_learned(&host, 15, MAC_B);
    put_neighbour(&host, "192.168.122.9", MAC_B, NEIGHBOUR_REACHABLE, 0);
    settle(&host);
    generation = live_map_generation(host.live);
    same = kernel_of(&host, 11);
    live_map_put_kernel(host.live, same);
    g_assert_cmpuint(same->links->len, ==, 0);
    assert_told(&host, "interface.removed -/vnet9\n");
    assert_rows(&host, "VM/vnet0/11/virbr0");
    g_assert_cmpuint(live_map_generation(host.live), ==, generation + 1);
    assert_doubtful(&host, 0);
    /* 2 links, an address, an entry, a domain, a network. */
    g_assert_cmpuint(live_map_size(host.live), ==, 6);
    other = kernel_of(&host, 12);
    live_map_put_kernel(host.live, other);
    settle(&host);
    g_ptr_array_unref(assert_doubtful(&host, 1));
    assert_rows(&host, "VM/vnet0/0/-");
    host_clear(&host);
}

static void test_link_takes_its_own_with_it(void)
{
    Host host;
    guint size;

    host_init(&host);
    size = live_map_size(host.live);
    put_tap(&host, 15, "vnet9", 10);
    put_learned(&host, 15, MAC_B);
    settle(&host);
    live_map_remove_link(host.live, 15);
    g_assert_cmpuint(live_map_size(host.live), ==, size);
    put_neighbour(&host, "192.168.122.9", MAC_B, NEIGHBOUR_REACHABLE, 0);
    put_learned(&host, 11, MAC_A);
    live_map_remove_link(host.live, 10);
    /* The bridge, its address; neighbour and entry came and went. */
    g_assert_cmpuint(live_map_size(host.live), ==, size - 2);
    host_clear(&host);
}

/* -------------------------------------------------------------------------------------------- lists */

static void test_lists(void)
{
    Host host;
    g_autoptr(GHashTable) domains = NULL;
    g_autoptr(GHashTable) networks = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *network = NULL;
    g_autoptr(Facts) facts = NULL;
    Domain *off;

    host_init(&host);
    uuid = uuid_of(&host, "VM");
    network = network_uuid(&host, "default");
    domains = live_map_domain_uuids(host.live);
    networks = live_map_network_uuids(host.live);
    g_assert_cmpuint(g_hash_table_size(domains), ==, 1);
    g_assert_true(g_hash_table_contains(domains, uuid));
    g_assert_true(g_hash_table_contains(networks, network));
    g_assert_cmpstr(live_map_domain(host.live, uuid)->name, ==, "VM");
    live_map_set_host(host.live, "h", "test:///default", FALSE);
    facts = live_map_facts(host.live);
    g_assert_cmpstr(facts->host, ==, "h");
    g_assert_cmpstr(facts->uri, ==, "test:///default");
    g_assert_false(facts->local);
    g_assert_cmpint(facts->now, ==, host.now);
    g_assert_true(facts->domains_complete);
    g_assert_cmpuint(facts->links->len, ==, 2);
    g_assert_cmpuint(facts->addresses->len, ==, 1);
    /* One that does not run is not on the map. */
    off = make_guest(&host, "VM", "default", MAC_A, NULL);
    off->id = -1;
    live_map_put_domain(host.live, off, 0);
    g_assert_null(live_map_domain(host.live, uuid));
    settle(&host);
    assert_rows(&host, "-/vnet0/11/virbr0");
    host_clear(&host);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live/first", test_first);
    g_test_add_func("/live/guest/stops-and-starts", test_guest_stops_and_starts);
    g_test_add_func("/live/guest/nothing-changed", test_nothing_changed);
    g_test_add_func("/live/guest/unread", test_unread_domain);
    g_test_add_func("/live/guest/same-mac-twice", test_same_mac_twice);
    g_test_add_func("/live/port/unclaimed", test_unclaimed);
    g_test_add_func("/live/port/unclaimed/waits", test_unclaimed_waits);
    g_test_add_func("/live/port/moved", test_moved_to_another_bridge);
    g_test_add_func("/live/port/bridge", test_bridge_dirties_its_ports_for_cause);
    g_test_add_func("/live/tap/reused", test_tap_reused);
    g_test_add_func("/live/tap/read-again", test_doubt_ends_when_read_again);
    g_test_add_func("/live/tap/nobodys", test_doubtful_port_is_nobodys);
    g_test_add_func("/live/tap/ifindex-reused", test_ifindex_reused);
    g_test_add_func("/live/tap/comes-later", test_name_comes_later);
    g_test_add_func("/live/tap/renamed", test_renamed);
    g_test_add_func("/live/kernel/whole", test_whole_reading);
    g_test_add_func("/live/kernel/link-removed", test_link_takes_its_own_with_it);
    g_test_add_func("/live/lists", test_lists);
    return g_test_run();
}
