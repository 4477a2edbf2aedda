/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-host.h"

#include "model/live-private.h"

/* What the live map says, step by step: leases, neighbours, findings, sources, networks. */

/* ------------------------------------------------------------------------------------------- leases */

static void test_leases(void)
{
    Host host;
    gint64 monotonic, epoch;
    const Leased first[] = {{MAC_A, "192.168.122.6", WORLD_NOW + 60, "ubuntu", NULL}, {0}};
    const Leased renewed[] = {{MAC_A, "192.168.122.6", WORLD_NOW + 90, "ubuntu", NULL}, {0}};
    const Leased other[] = {{MAC_B, "192.168.122.6", WORLD_NOW + 90, "ubuntu", NULL}, {0}};

    host_init(&host);
    host.now = WORLD_NOW;
    put_leases(&host, "default", first);
    assert_told(&host, "lease.added 192.168.122.6 VM/vnet0\n"
                       "interface.changed VM/vnet0\n");
    put_leases(&host, "default", first);
    assert_told(&host, "");
    put_leases(&host, "default", renewed);
    assert_told(&host, "lease.renewed 192.168.122.6 VM/vnet0\n"
                       "interface.changed VM/vnet0\n");
    put_leases(&host, "default", other);
    assert_told(&host, "lease.removed 192.168.122.6 VM/vnet0\n"
                       "lease.added 192.168.122.6\n"
                       "interface.changed VM/vnet0\n");
    put_leases(&host, "default", first);
    settle(&host);
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(epoch, ==, WORLD_NOW + 60);
    host.now = WORLD_NOW + 59;
    assert_told(&host, "");
    host.now = WORLD_NOW + 60;
    assert_told(&host, "lease.removed 192.168.122.6 VM/vnet0\n"
                       "interface.changed VM/vnet0\n");
    assert_rows(&host, "VM/vnet0/11/virbr0");
    /* An expired one is a fact still: the clock may be set back. */
    host.now = WORLD_NOW + 10;
    assert_told(&host, "lease.added 192.168.122.6 VM/vnet0\n"
                       "interface.changed VM/vnet0\n");
    host.now = WORLD_NOW + 86400;
    settle(&host);
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(epoch, ==, G_MAXINT64);
    put_leases(&host, "default", NULL);
    assert_told(&host, "");
    host_clear(&host);
}

static void test_lease_of_a_guest_that_comes_and_goes(void)
{
    Host host;
    const Leased leases[] = {{MAC_B, "192.168.122.7", 0, NULL, NULL}, {0}};
    Network *without;

    host_init(&host);
    put_leases(&host, "default", leases);
    assert_told(&host, "lease.added 192.168.122.7\n");
    put_guest(&host, "VM2", MAC_B, NULL);
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/-/0/- 192.168.122.7");
    /* Another guest with its MAC: whose it is nobody can tell. */
    put_guest(&host, "VM3", MAC_B, NULL);
    put_leases(&host, "default", NULL);
    assert_told(&host, "lease.removed 192.168.122.7 VM2/-\n"
                       "interface.changed VM2/-\n"
                       "interface.added VM3/-\n");
    put_leases(&host, "default", leases);
    assert_told(&host, "lease.added 192.168.122.7\n"
                       "interface.changed VM2/-\n"
                       "interface.changed VM3/-\n");
    remove_guest(&host, "VM3");
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/-/0/- 192.168.122.7");
    /* The network is another: the address is none of it. */
    without = world_network(host.parts, "default", "nat", "virbr0");
    world_ip(without, "10.0.0.1/24", NULL, NULL);
    live_map_put_network(host.live, last_of(host.parts->networks));
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/-/0/-");
    host_clear(&host);
}

static void test_leases_wait_for_their_network(void)
{
    Host host;
    const Leased leases[] = {{MAC_B, "192.168.122.7", 0, NULL, NULL}, {0}};
    g_autofree char *uuid = NULL;

    host_init(&host);
    uuid = network_uuid(&host, "late");
    live_map_put_domain(host.live, make_guest(&host, "VM2", "late", MAC_B, NULL), 0);
    put_leases(&host, "late", leases);
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/-/0/-");
    g_assert_cmpuint(live_map_leases(host.live, uuid)->len, ==, 1);
    put_network_of(&host, "late", "virbr5", TRUE);
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0; VM2/-/0/- 192.168.122.7");
    put_leases(&host, "late", NULL);
    g_assert_cmpuint(live_map_leases(host.live, uuid)->len, ==, 0);
    live_map_remove_network(host.live, uuid);
    settle(&host);
    g_assert_null(live_map_leases(host.live, uuid));
    g_assert_null(live_map_network(host.live, uuid));
    host_clear(&host);
}

static void test_leases_unread(void)
{
    Host host;
    g_autofree char *uuid = NULL;

    host_init(&host);
    uuid = network_uuid(&host, "default");
    live_map_put_leases(host.live, uuid, g_ptr_array_new(), TRUE);
    g_assert_true(live_map_network(host.live, uuid)->leases_unread);
    put_network_of(&host, "default", "virbr0", TRUE);
    g_assert_true(live_map_network(host.live, uuid)->leases_unread);
    g_assert_false(live_map_network(host.live, uuid)->leases_late);
    live_map_put_leases_late(host.live, uuid);
    g_assert_true(live_map_network(host.live, uuid)->leases_late);
    put_network_of(&host, "default", "virbr0", TRUE);
    g_assert_true(live_map_network(host.live, uuid)->leases_late);
    live_map_put_leases(host.live, uuid, g_ptr_array_new(), FALSE);
    g_assert_false(live_map_network(host.live, uuid)->leases_unread);
    g_assert_false(live_map_network(host.live, uuid)->leases_late);
    /* Where none were put, the network's own word counts. */
    for (guint i = 0; i < 2; i++) {
        g_autofree char *other = network_uuid(&host, "other");

        world_network(host.parts, "other", "nat", NULL)->leases_unread = i == 0;
        live_map_put_network(host.live, last_of(host.parts->networks));
        g_assert_cmpint(live_map_network(host.live, other)->leases_unread, ==, i == 0);
    }
    host_clear(&host);
}

/* The row of a lease that ended is the one without its address, whatever ended first. */
static void test_lease_row_is_as_it_is_now(void)
{
    Host host;
    const Leased leases[] = {{MAC_A, "192.168.122.6", 0, NULL, NULL}, {0}};
    const GPtrArray *changes;

    host_init(&host);
    put_leases(&host, "default", leases);
    settle(&host);
    put_leases(&host, "default", NULL);
    changes = live_map_settle(host.live, host.monotonic, host.now);
    g_assert_cmpuint(changes->len, ==, 2);
    g_assert_cmpint(((const Change *)changes->pdata[0])->type, ==, CHANGE_LEASE_REMOVED);
    g_assert_cmpuint(((const Change *)changes->pdata[0])->row->addresses->len, ==, 0);
    host_clear(&host);
}

/* --------------------------------------------------------------------------------------- neighbours */

static void test_neighbours(void)
{
    Host host;
    const Ip ip = world_ip_of("192.168.122.9");

    host_init(&host);
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_REACHABLE, 0);
    assert_told(&host, "interface.changed VM/vnet0\n");
    assert_rows(&host, "VM/vnet0/11/virbr0 192.168.122.9");
    /* Its age alone is no change. */
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_REACHABLE, 5);
    assert_told(&host, "");
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_FAILED, 5);
    assert_told(&host, "interface.changed VM/vnet0\n");
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_STALE, 5);
    settle(&host);
    live_map_remove_neighbour(host.live, 10, &ip);
    assert_told(&host, "interface.changed VM/vnet0\n");
    assert_rows(&host, "VM/vnet0/11/virbr0");
    host_clear(&host);
}

static void test_neighbour_grows_old(void)
{
    Host host;
    gint64 monotonic, epoch;

    host_init(&host);
    put_learned(&host, 11, MAC_A);
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_STALE, 50);
    settle(&host);
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed VM/vnet0\n"
                      "check.raised address-unleased vnet0\n");
    /* Fresh until it was confirmed a minute ago: 10 s from when it was put. */
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(monotonic, ==, host.monotonic + 9 * SECOND);
    assert_told_after(&host, 8 * SECOND, "");
    assert_told_after(&host, 1 * SECOND,
                      "interface.changed VM/vnet0\n"
                      "check.cleared address-unleased vnet0\n");
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_STALE, 1);
    settle(&host);
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed VM/vnet0\n"
                      "check.raised address-unleased vnet0\n");
    host_clear(&host);
}

static void test_groups_join_nobody(void)
{
    Host host;
    Mac mac;
    Ip ip;

    host_init(&host);
    for (guint i = 0; i < 100; i++) {
        Neighbour neighbour = neighbour_of(100 + i, "224.0.0.22", "01:00:5e:00:00:16", NEIGHBOUR_NOARP, 0);

        live_map_put_neighbour(host.live, &neighbour);
    }
    assert_told(&host, "");
    /* A hundred devices, and no word that they have in common. */
    mac = world_mac_of("01:00:5e:00:00:16");
    ip = world_ip_of("224.0.0.22");
    g_assert_null(hub_find(host.live, key_mac(host.live, &mac)));
    g_assert_null(hub_find(host.live, key_ip(host.live, &ip)));
    host_clear(&host);
}

/* ----------------------------------------------------------------------------------------- findings */

static void test_grace(void)
{
    Host host;
    gint64 monotonic, epoch;
    g_autoptr(GPtrArray) findings = NULL;

    host_init(&host);
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(monotonic, ==, G_MAXINT64);
    world_tap(host.parts, 11, "vnet0", 10, MAC_A)->flags = 0;
    live_map_put_link(host.live, last_of(host.parts->links));
    assert_told(&host, "");
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(monotonic, ==, host.monotonic + LIVE_GRACE);
    assert_told_after(&host, LIVE_GRACE - 1, "");
    assert_told_after(&host, 1,
                      "interface.changed VM/vnet0\n"
                      "check.raised tap-down vnet0\n");
    assert_rows(&host, "VM/vnet0/11/virbr0 !tap-down");
    findings = live_map_findings(host.live);
    g_assert_cmpuint(findings->len, ==, 1);
    put_tap(&host, 11, "vnet0", 10);
    assert_told(&host, "interface.changed VM/vnet0\n"
                       "check.cleared tap-down vnet0\n");
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(monotonic, ==, G_MAXINT64);
    host_clear(&host);
}

static void test_what_passes_is_not_told(void)
{
    Host host;

    host_init(&host);
    put_tap(&host, 11, "vnet0", 0);
    assert_told(&host, "interface.changed VM/vnet0\n");
    put_tap(&host, 11, "vnet0", 10);
    assert_told_after(&host, LIVE_GRACE / 2, "interface.changed VM/vnet0\n");
    assert_told_after(&host, 5 * LIVE_GRACE, "");
    host_clear(&host);
}

static void test_same_fault_in_other_words(void)
{
    Host host;
    Domain *domain;

    host_init(&host);
    world_tap(host.parts, 11, "vnet0", 10, MAC_A)->flags = 0;
    live_map_put_link(host.live, last_of(host.parts->links));
    rest(&host);
    domain = make_guest(&host, "VM", "default", MAC_A, "vnet0");
    ((DomainInterface *)domain->interfaces->pdata[0])->link = LINK_DOWN;
    live_map_put_domain(host.live, domain, live_map_generation(host.live));
    settle(&host);
    put_tap(&host, 11, "vnet0", 10);
    assert_told(&host, "check.cleared tap-down vnet0\n"
                       "check.raised tap-down vnet0\n");
    assert_rows(&host, "VM/vnet0/11/virbr0 !tap-down");
    host_clear(&host);
}

static void test_duplicate_mac(void)
{
    Host host;

    host_init(&host);
    put_tap(&host, 12, "vnet1", 10);
    put_guest(&host, "VM2", MAC_A, "vnet1");
    assert_told(&host, "interface.added VM2/vnet1\n");
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed VM/vnet0\n"
                      "interface.changed VM2/vnet1\n"
                      "check.raised duplicate-mac vnet0\n"
                      "check.raised duplicate-mac vnet1\n");
    put_guest(&host, "VM2", MAC_B, "vnet1");
    assert_told(&host, "interface.removed VM2/vnet1\n"
                       "interface.changed VM/vnet0\n"
                       "interface.added VM2/vnet1\n"
                       "check.cleared duplicate-mac vnet0\n"
                       "check.cleared duplicate-mac vnet1\n");
    host_clear(&host);
}

static void test_guest_seen_elsewhere(void)
{
    Host host;
    FdbEntry entry = {.ifindex = 11, .master = 10, .mac = world_mac_of(MAC_B)};

    host_init(&host);
    put_tap(&host, 12, "vnet1", 10);
    put_guest(&host, "VM2", MAC_B, "vnet1");
    put_learned(&host, 11, MAC_B);
    settle(&host);
    assert_told_after(&host, LIVE_GRACE,
                      "interface.changed VM/vnet0\n"
                      "check.raised mac-mismatch vnet0\n");
    /* The bridge's entry moves to the port on which the guest was seen last; nothing is told of the other. */
    put_learned(&host, 12, MAC_B);
    live_map_remove_fdb(host.live, &entry);
    assert_told(&host, "interface.changed VM/vnet0\n"
                       "check.cleared mac-mismatch vnet0\n");
    entry.ifindex = 12;
    entry.permanent = TRUE;
    live_map_put_fdb(host.live, &entry);
    {
        g_autoptr(Facts) facts = live_map_facts(host.live);

        g_assert_cmpuint(facts->fdb->len, ==, 0);
    }
    host_clear(&host);
}

/* With a bridge its forwarding table goes, and what was found in that, also of a port that left it before. */
static void test_bridge_goes_with_what_it_learned(void)
{
    Host host;
    FdbEntry entry = {.ifindex = 11, .master = 20, .mac = world_mac_of(MAC_B)};

    host_init(&host);
    live_map_put_link(host.live, make_bridge(&host, 20, "br0"));
    live_map_put_fdb(host.live, &entry);
    rest(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0 !mac-mismatch");
    live_map_remove_link(host.live, 20);
    assert_told(&host, "interface.changed VM/vnet0\n"
                       "check.cleared mac-mismatch vnet0\n");
    host_clear(&host);
}

static void test_source_without_facts(void)
{
    Host host;

    host_init(&host);
    put_tap(&host, 11, "vnet0", 0);
    rest(&host);
    assert_rows(&host, "VM/vnet0/11/- !tap-orphaned");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_STALE, "late");
    assert_told(&host, "source.stale links: late\n");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_STALE, "later");
    assert_told(&host, "");
    g_assert_cmpstr(live_map_source(host.live, SOURCE_LINKS)->error, ==, "later");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_DOWN, "no rights");
    assert_told(&host, "source.down links: no rights\n"
                       "interface.changed VM/vnet0\n"
                       "check.cleared tap-orphaned vnet0\n");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_LIVE, NULL);
    assert_told(&host, "source.live links: (null)\n");
    /* That it cannot do all is told, and that it can again. */
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_LIVE, "at intervals");
    assert_told(&host, "source.live links: at intervals\n");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_LIVE, "at intervals");
    assert_told(&host, "");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_LIVE, NULL);
    live_map_set_source(host.live, SOURCE_LEASES, SOURCE_LIVE, NULL);
    assert_told(&host, "source.live links: (null)\n");
    /* A snapshot's notes are told with it, a state that changed is not. */
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_LIVE, "in a snapshot");
    live_map_set_source(host.live, SOURCE_LEASES, SOURCE_STALE, "late");
    live_map_notes_told(host.live);
    assert_told(&host, "source.stale leases: late\n");
    live_map_set_source(host.live, SOURCE_LINKS, SOURCE_ABSENT, "remote");
    assert_told(&host, "");
    host_clear(&host);
}

/* ----------------------------------------------------------------------------------------- networks */

static void test_network_lives(void)
{
    Host host;
    g_autofree char *uuid = NULL;
    Network *network;

    host_init(&host);
    uuid = network_uuid(&host, "default");
    put_network_of(&host, "default", "virbr0", FALSE);
    live_map_remove_link(host.live, 10);
    settle(&host);
    put_network_of(&host, "default", "virbr0", TRUE);
    /* With it the bridge that the guest is to be on is known. */
    assert_told(&host, "network.started default\n"
                       "interface.changed VM/vnet0\n");
    put_network_of(&host, "default", "virbr0", FALSE);
    assert_told(&host, "network.stopped default\n"
                       "interface.changed VM/vnet0\n");
    live_map_remove_network(host.live, uuid);
    assert_told(&host, "network.undefined default\n");
    put_network_of(&host, "default", "virbr0", TRUE);
    settle(&host);
    live_map_remove_network(host.live, uuid);
    assert_told(&host, "network.stopped default\n"
                       "network.undefined default\n"
                       "interface.changed VM/vnet0\n");
    network = world_network(host.parts, "default", "nat", "virbr0");
    network->persistent = FALSE;
    live_map_put_network(host.live, last_of(host.parts->networks));
    settle(&host);
    network = world_network(host.parts, "default", "nat", "virbr0");
    network->autostart = FALSE;
    live_map_put_network(host.live, last_of(host.parts->networks));
    assert_told(&host, "network.defined default\n");
    world_network(host.parts, "default", "nat", "virbr0");
    live_map_put_network(host.live, last_of(host.parts->networks));
    assert_told(&host, "network.changed default\n");
    g_assert_cmpstr(live_map_network_of_bridge(host.live, "virbr0")->uuid, ==, uuid);
    g_assert_null(live_map_network_of_bridge(host.live, "virbr7"));
    host_clear(&host);
}

static void test_network_stops_under_its_guests(void)
{
    Host host;
    const Leased leases[] = {{MAC_A, "192.168.122.6", 0, NULL, NULL}, {0}};

    host_init(&host);
    put_leases(&host, "default", leases);
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/virbr0 192.168.122.6");
    put_network_of(&host, "default", "virbr0", FALSE);
    put_tap(&host, 11, "vnet0", 0);
    live_map_remove_link(host.live, 10);
    assert_told(&host, "network.stopped default\n"
                       "interface.changed VM/vnet0\n");
    assert_rows(&host, "VM/vnet0/11/-");
    put_network_of(&host, "default", "virbr0", TRUE);
    live_map_put_link(host.live, make_bridge(&host, 14, "virbr0"));
    settle(&host);
    assert_rows(&host, "VM/vnet0/11/- 192.168.122.6");
    rest(&host);
    assert_rows(&host, "VM/vnet0/11/- 192.168.122.6 !tap-orphaned");
    host_clear(&host);
}

static void test_network_before(void)
{
    Host host;
    const GPtrArray *changes;
    const Change *change;
    Link *bridge;

    host_init(&host);
    bridge = make_bridge(&host, 10, "virbr0");
    bridge->bridge_info.stp = TRUE;
    live_map_put_link(host.live, bridge);
    changes = live_map_settle(host.live, host.monotonic, host.now);
    g_assert_cmpuint(changes->len, ==, 1);
    change = changes->pdata[0];
    /* What was handed out is alive though everything of it is gone by now. */
    live_map_remove_link(host.live, 10);
    live_map_remove_network(host.live, change->network->network->uuid);
    g_assert_false(change->network_before->link->bridge_info.stp);
    g_assert_true(change->network->link->bridge_info.stp);
    g_assert_cmpuint(change->network->interfaces->len, ==, 1);
    g_assert_cmpstr(change->network_before->network->name, ==, "default");
    host_clear(&host);
}

static void test_network_checks_pause(void)
{
    Host host;
    gint64 monotonic, epoch;
    Leased leases[3] = {{MAC_A, "192.168.122.6", 0, NULL, NULL}};
    GPtrArray *dnsmasqs = g_ptr_array_new_with_free_func((GDestroyNotify)dnsmasq_free);
    Dnsmasq *dnsmasq = dnsmasq_new();

    host_init(&host);
    put_leases(&host, "default", leases);
    settle(&host);
    /* Looked at a moment ago; so not before a second has passed. */
    leases[1] = (Leased){MAC_B, "192.168.122.7", 0, NULL, NULL};
    put_leases(&host, "default", leases);
    assert_told_after(&host, SECOND / 10, "lease.added 192.168.122.7\n");
    g_assert_false(live_map_is_dirty(host.live));
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(monotonic, ==, host.monotonic + SECOND - SECOND / 10);
    rest(&host);
    dnsmasq->network = g_strdup("default");
    dnsmasq->config = g_strdup("conf");
    g_ptr_array_add(dnsmasqs, dnsmasq);
    live_map_set_source(host.live, SOURCE_PROCESSES, SOURCE_LIVE, NULL);
    live_map_put_dnsmasqs(host.live, dnsmasqs);
    assert_told(&host, "source.live processes: (null)\nnetwork.changed default\n");
    assert_told_after(&host, LIVE_GRACE, "check.raised dnsmasq-dead default\n");
    live_map_put_dnsmasqs(host.live, g_ptr_array_new());
    assert_told_after(&host, SECOND, "network.changed default\ncheck.cleared dnsmasq-dead default\n");
    host_clear(&host);
}

static void test_network_inactive_bridge(void)
{
    Host host;
    g_autofree char *told = NULL;

    host_init(&host);
    remove_guest(&host, "VM");
    live_map_remove_link(host.live, 11);
    put_network_of(&host, "default", "virbr0", FALSE);
    rest(&host);
    {
        g_autoptr(GPtrArray) findings = live_map_findings(host.live);

        g_assert_cmpstr(world_finding(findings, "bridge-stale")->remedy, ==, "ip link delete virbr0");
    }
    /* In use, by a guest's word alone: it is not to be deleted. */
    live_map_put_domain(host.live, make_guest(&host, "VM2", NULL, MAC_B, NULL), 0);
    rest(&host);
    {
        g_autoptr(GPtrArray) findings = live_map_findings(host.live);

        g_assert_cmpstr(world_finding(findings, "bridge-stale")->remedy, !=, "ip link delete virbr0");
    }
    live_map_remove_link(host.live, 10);
    told = told_after(&host, SECOND);
    g_assert_cmpuint(count_lines(told, "check.cleared bridge-stale default\n"), ==, 1);
    host_clear(&host);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live/leases", test_leases);
    g_test_add_func("/live/leases/guest", test_lease_of_a_guest_that_comes_and_goes);
    g_test_add_func("/live/leases/network-later", test_leases_wait_for_their_network);
    g_test_add_func("/live/leases/unread", test_leases_unread);
    g_test_add_func("/live/leases/row", test_lease_row_is_as_it_is_now);
    g_test_add_func("/live/neighbours", test_neighbours);
    g_test_add_func("/live/neighbours/age", test_neighbour_grows_old);
    g_test_add_func("/live/neighbours/groups", test_groups_join_nobody);
    g_test_add_func("/live/findings/grace", test_grace);
    g_test_add_func("/live/findings/passes", test_what_passes_is_not_told);
    g_test_add_func("/live/findings/other-words", test_same_fault_in_other_words);
    g_test_add_func("/live/findings/duplicate-mac", test_duplicate_mac);
    g_test_add_func("/live/findings/fdb-moved", test_guest_seen_elsewhere);
    g_test_add_func("/live/findings/bridge-gone", test_bridge_goes_with_what_it_learned);
    g_test_add_func("/live/sources", test_source_without_facts);
    g_test_add_func("/live/network/lives", test_network_lives);
    g_test_add_func("/live/network/stops", test_network_stops_under_its_guests);
    g_test_add_func("/live/network/before", test_network_before);
    g_test_add_func("/live/network/checks", test_network_checks_pause);
    g_test_add_func("/live/network/inactive", test_network_inactive_bridge);
    return g_test_run();
}
