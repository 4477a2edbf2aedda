/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"
#include "views/watch.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAC1 "52:54:00:00:00:01"

static const WatchStamp noon = {.seq = 1, .wall_usec = WORLD_NOW * G_USEC_PER_SEC};

/* The lines; how many they are is what the function says. */
static char *words_of(const Change *change, const ViewContext *view)
{
    g_autofree char *copy = NULL;
    char *text = NULL;
    guint lines = 0;
    guint told;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    told = watch_text_change(out, &noon, view, change);
    fclose(out);
    copy = g_strdup(text);
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    g_assert_cmpuint(told, ==, lines);
    free(text);
    return g_steal_pointer(&copy);
}

static void assert_words(const Change *change, const char *expected)
{
    ViewContext view = {.now = WORLD_NOW};
    g_autofree char *text = words_of(change, &view);

    g_assert_cmpstr(text, ==, expected);
}

/* What is told of a tap between a whole host and the same after a change of its facts: takes now. */
static void assert_changed(Facts *now_facts, const char *tap, const char *tap_now, const char *expected)
{
    g_auto(Moment) before = moment_of(world_host());
    g_auto(Moment) now = moment_of(now_facts);
    Change change = {.type = CHANGE_INTERFACE_CHANGED,
                     .before = world_row(before.map, tap),
                     .row = world_row(now.map, tap_now)};

    g_assert_nonnull(change.before);
    g_assert_nonnull(change.row);
    assert_words(&change, expected);
}

/* And the way back. */
static void assert_restored(Facts *before_facts, const char *tap, const char *expected)
{
    g_auto(Moment) before = moment_of(before_facts);
    g_auto(Moment) now = moment_of(world_host());
    Change change = {.type = CHANGE_INTERFACE_CHANGED,
                     .before = world_row(before.map, tap),
                     .row = world_row(now.map, tap)};

    assert_words(&change, expected);
}

/* ------------------------------------------------------------------------------------ an interface */

static void test_added(void)
{
    Facts *facts = world_host();
    g_auto(Moment) moment = {0};
    Change change = {.type = CHANGE_INTERFACE_ADDED};

    world_domain(facts, "ether", 9);
    world_nic(facts->domains->pdata[4], NULL, NULL, "52:54:00:00:00:09", NULL)->source = g_strdup("eth0");
    world_domain(facts, "hung", 10)->xml_read = FALSE;
    world_tap(facts, 40, "stray", 10, NULL);
    facts_link(facts, 13)->master = 0;
    moment = moment_of(facts);
    change.row = world_row(moment.map, "vnet0");
    assert_words(&change, "14:13:20 VM1 vnet0 is on virbr0 (default), " MAC1 ", 192.168.122.11 (vm1)\n");
    change.row = world_row(moment.map, "vnet1");
    assert_words(&change, "14:13:20 VM2 vnet1 is on virbr0 (default), 52:54:00:00:00:02, "
                          "192.168.122.22 (vm2), 192.168.122.21\n");
    change.row = world_row(moment.map, "vnet3");
    assert_words(&change,
                 "14:13:20 VM3 vnet3 is on no bridge, should be on virbr0, 52:54:00:00:00:03, paused\n");
    change.row = world_row(moment.map, "stray");
    assert_words(&change, "14:13:20 stray is on virbr0 (default), no domain claims it\n");
    for (guint i = 0; i < moment.map->rows->len; i++) {
        change.row = moment.map->rows->pdata[i];
        if (g_strcmp0(change.row->domain, "ether") == 0)
            assert_words(&change, "14:13:20 ether 52:54:00:00:00:09 is plugged into eth0, "
                                  "52:54:00:00:00:09\n");
        if (g_strcmp0(change.row->domain, "hung") == 0)
            assert_words(&change, "14:13:20 hung runs; its interfaces could not be read\n");
    }
}

static void test_removed(void)
{
    Facts *facts = world_host();
    g_auto(Moment) moment = {0};
    Change change = {.type = CHANGE_INTERFACE_REMOVED};

    world_tap(facts, 40, "stray", 10, NULL);
    moment = moment_of(facts);
    change.row = world_row(moment.map, "vnet0");
    assert_words(&change, "14:13:20 VM1 vnet0 is gone\n");
    change.row = world_row(moment.map, "stray");
    assert_words(&change, "14:13:20 stray left virbr0 (default)\n");
}

static void test_bridge(void)
{
    Facts *facts = world_host();

    facts_link(facts, 11)->master = 20;
    assert_changed(facts, "vnet0", "vnet0", "14:13:20 VM1 vnet0 moved from virbr0 (default) to virbr1\n");
    facts = world_host();
    facts_link(facts, 11)->master = 0;
    assert_changed(facts, "vnet0", "vnet0", "14:13:20 VM1 vnet0 left virbr0 (default)\n");
    facts = world_host();
    facts_link(facts, 11)->master = 0;
    assert_restored(facts, "vnet0", "14:13:20 VM1 vnet0 is on virbr0 (default)\n");
}

/* Plugged in elsewhere: the kernel's word for it is the one that counts, and one line is enough. */
static void test_connect(void)
{
    Facts *facts = world_host();
    DomainInterface *nic = ((Domain *)facts->domains->pdata[0])->interfaces->pdata[0];

    g_free(nic->network);
    g_free(nic->source);
    g_free(nic->bridge);
    nic->network = g_strdup("lab");
    nic->source = g_strdup("lab");
    nic->bridge = g_strdup("virbr1");
    facts_link(facts, 11)->master = 20;
    assert_changed(facts, "vnet0", "vnet0",
                   "14:13:20 VM1 vnet0 moved from virbr0 (default) to virbr1 (lab)\n");
    facts = world_host();
    nic = ((Domain *)facts->domains->pdata[0])->interfaces->pdata[0];
    g_free(nic->source);
    nic->source = g_strdup("lab");
    assert_changed(facts, "vnet0", "vnet0", "14:13:20 VM1 vnet0 is plugged into lab, was into default\n");
}

/* With a tap, all that the kernel knows of it goes and comes: one line. */
static void test_tap(void)
{
    Facts *facts = world_host();

    g_free(facts_link(facts, 11)->name);
    facts_link(facts, 11)->name = g_strdup("other");
    assert_changed(facts, "vnet0", "vnet0", "14:13:20 VM1 vnet0 has no tap any more\n");
    facts = world_host();
    g_free(facts_link(facts, 11)->name);
    facts_link(facts, 11)->name = g_strdup("other");
    assert_restored(facts, "vnet0", "14:13:20 VM1 vnet0 has its tap, is on virbr0 (default)\n");
}

static void test_renamed(void)
{
    Facts *facts = world_host();
    g_auto(Moment) before = {0};
    g_auto(Moment) now = {0};
    Change change = {.type = CHANGE_INTERFACE_CHANGED};

    world_tap(facts, 40, "stray", 10, NULL);
    before = moment_of(facts);
    facts = world_host();
    world_tap(facts, 40, "strange", 10, NULL);
    now = moment_of(facts);
    change.before = world_row(before.map, "stray");
    change.row = world_row(now.map, "strange");
    assert_words(&change, "14:13:20 strange was renamed, it was stray\n");
}

static void test_wire(void)
{
    Facts *facts = world_host();

    facts_link(facts, 11)->carrier = 0;
    facts_link(facts, 11)->mtu = 1400;
    ((DomainInterface *)((Domain *)facts->domains->pdata[0])->interfaces->pdata[0])->link = LINK_DOWN;
    assert_changed(facts, "vnet0", "vnet0",
                   "14:13:20 VM1 vnet0 has no carrier\n"
                   "14:13:20 VM1 vnet0 is down in libvirt\n"
                   "14:13:20 VM1 vnet0 has MTU 1400, had 1500\n");
    facts = world_host();
    facts_link(facts, 11)->carrier = 0;
    assert_restored(facts, "vnet0", "14:13:20 VM1 vnet0 has carrier\n");
    /* What is not known did not change. */
    facts = world_host();
    facts_link(facts, 11)->carrier = -1;
    facts_link(facts, 11)->mtu = 0;
    assert_restored(facts, "vnet0", "");
}

static void test_state(void)
{
    Facts *facts = world_host();
    Domain *domain = facts->domains->pdata[0];

    domain->state = DOMAIN_PAUSED;
    assert_changed(facts, "vnet0", "vnet0", "14:13:20 VM1 vnet0 is paused\n");
    facts = world_host();
    ((Domain *)facts->domains->pdata[0])->state = DOMAIN_PAUSED;
    assert_restored(facts, "vnet0", "14:13:20 VM1 vnet0 is running\n");
    facts = world_host();
    ((Domain *)facts->domains->pdata[0])->state = DOMAIN_BLOCKED;
    assert_changed(facts, "vnet0", "vnet0", "");
    facts = world_host();
    domain = facts->domains->pdata[0];
    g_free(domain->name);
    domain->name = g_strdup("web");
    assert_changed(facts, "vnet0", "vnet0", "14:13:20 web vnet0 has a new domain name, it was VM1\n");
}

/* Addresses by lease have the lease's line; link-local ones have none. */
static void test_addresses(void)
{
    Facts *facts = world_host();
    AgentAddress agent = {.mac = world_mac_of(MAC1), .net = world_net_of("10.9.9.9/24")};

    world_neighbour(facts, 10, "192.168.122.50", MAC1, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "fe80::99", MAC1, NEIGHBOUR_REACHABLE);
    world_lease(facts, "default", MAC1, "192.168.122.51", 60);
    g_array_append_val(((Domain *)facts->domains->pdata[0])->agent, agent);
    assert_changed(facts, "vnet0", "vnet0",
                   "14:13:20 VM1 vnet0 has 10.9.9.9 (agent)\n"
                   "14:13:20 VM1 vnet0 answers at 192.168.122.50 (neighbour)\n");
    facts = world_host();
    world_neighbour(facts, 10, "192.168.122.50", MAC1, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "fe80::99", MAC1, NEIGHBOUR_REACHABLE);
    world_lease(facts, "default", MAC1, "192.168.122.51", 60);
    assert_restored(facts, "vnet0",
                    "14:13:20 VM1 vnet0 does not answer any more at 192.168.122.50 (neighbour)\n");
}

/* ----------------------------------------------------------------------------------------- a lease */

static void assert_lease(ChangeType type, gint64 seconds, const char *expected)
{
    g_auto(Moment) moment = moment_of(world_host());
    Lease *lease = moment.facts->leases->pdata[0];
    Change change = {
        .type = type, .row = world_row(moment.map, "vnet0"), .lease = lease, .lease_before = lease};

    lease->expiry = seconds ? WORLD_NOW + seconds : 0;
    assert_words(&change, expected);
}

static void test_lease(void)
{
    assert_lease(CHANGE_LEASE_ADDED, 3600, "14:13:20 VM1 vnet0 got 192.168.122.11 (vm1), lease 1 h\n");
    assert_lease(CHANGE_LEASE_ADDED, 3599, "14:13:20 VM1 vnet0 got 192.168.122.11 (vm1), lease 1 h\n");
    assert_lease(CHANGE_LEASE_ADDED, 3590,
                 "14:13:20 VM1 vnet0 got 192.168.122.11 (vm1), lease 59 min 50 s\n");
    assert_lease(CHANGE_LEASE_ADDED, 0, "14:13:20 VM1 vnet0 got 192.168.122.11 (vm1), lease without end\n");
    assert_lease(CHANGE_LEASE_ADDED, 5, "14:13:20 VM1 vnet0 got 192.168.122.11 (vm1), lease 5 s\n");
    assert_lease(CHANGE_LEASE_RENEWED, 90061, "14:13:20 VM1 vnet0 renewed 192.168.122.11, lease 1 d 1 h\n");
    assert_lease(CHANGE_LEASE_RENEWED, 86460, "14:13:20 VM1 vnet0 renewed 192.168.122.11, lease 1 d\n");
    assert_lease(CHANGE_LEASE_REMOVED, 60, "14:13:20 VM1 vnet0 lost 192.168.122.11, its lease is gone\n");
    assert_lease(CHANGE_LEASE_REMOVED, -1, "14:13:20 VM1 vnet0 lost 192.168.122.11, its lease ended\n");
}

static void test_lease_of_nobody(void)
{
    g_auto(Moment) moment = moment_of(world_host());
    Lease *lease = moment.facts->leases->pdata[0];
    g_autoptr(Lease) before = lease_new();
    Change change = {.type = CHANGE_LEASE_ADDED, .lease = lease};

    assert_words(&change, "14:13:20 default " MAC1 " got 192.168.122.11 (vm1), lease 50 min\n");
    lease->has_mac = FALSE;
    assert_words(&change, "14:13:20 default somebody got 192.168.122.11 (vm1), lease 50 min\n");
    before->hostname = g_strdup("old");
    change.type = CHANGE_LEASE_RENEWED;
    change.lease_before = before;
    assert_words(&change, "14:13:20 default somebody renewed 192.168.122.11 (vm1), lease 50 min\n");
}

/* --------------------------------------------------------------------------------------- a network */

static void test_network(void)
{
    g_auto(Moment) moment = moment_of(world_host());
    Change change = {.type = CHANGE_NETWORK_STARTED, .network = moment.networks->pdata[0]};

    assert_words(&change, "14:13:20 default started: virbr0, 192.168.122.1/24\n");
    change.type = CHANGE_NETWORK_STOPPED;
    assert_words(&change, "14:13:20 default stopped\n");
    change.type = CHANGE_NETWORK_DEFINED;
    assert_words(&change, "14:13:20 default defined\n");
    change.type = CHANGE_NETWORK_UNDEFINED;
    assert_words(&change, "14:13:20 default undefined\n");
}

static void test_network_changed(void)
{
    Facts *facts = world_host();
    Network *network = facts->networks->pdata[0];
    g_auto(Moment) before = moment_of(world_host());
    g_auto(Moment) now = moment_of(facts);
    Change change = {.type = CHANGE_NETWORK_CHANGED,
                     .network_before = before.networks->pdata[0],
                     .network = now.networks->pdata[0]};

    assert_words(&change, "");
    network->autostart = FALSE;
    facts_link(facts, 10)->bridge_info.forward_delay = 1500;
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->pid = 12;
    assert_words(&change, "14:13:20 default changed: autostart no, was yes; forward delay 15, was 2; "
                          "dnsmasq pid 12, was 1000\n");
    network->autostart = TRUE;
    network->active = FALSE; /* its bridge is being set up */
    assert_words(&change, "14:13:20 default changed: active no, was yes; dnsmasq pid 12, was 1000\n");
    network->active = TRUE;
    facts_link(facts, 10)->bridge_info.forward_delay = 200;
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->alive = FALSE;
    network->domain_name = g_strdup("example.org"); /* not known before */
    assert_words(&change, "");
    ((NetworkRow *)now.networks->pdata[0])->link = NULL; /* its word before was the kernel's */
    network->delay = 4;
    assert_words(&change, "");
    ((NetworkIp *)network->ips->pdata[0])->net = world_net_of("10.0.0.1/8");
    assert_words(&change, "14:13:20 default changed: virbr0, 10.0.0.1/8\n");
}

/* ------------------------------------------------------------------------------- sources, findings */

static void test_source(void)
{
    Change change = {.type = CHANGE_SOURCE_STALE, .source = SOURCE_LIBVIRT, .text = "connection lost"};

    assert_words(&change, "14:13:20 libvirt: stale: connection lost\n");
    change = (Change){.type = CHANGE_SOURCE_LIVE, .source = SOURCE_LEASES};
    assert_words(&change, "14:13:20 leases: live\n");
    change = (Change){.type = CHANGE_SOURCE_DOWN, .source = SOURCE_LINKS, .text = "a\nb"};
    assert_words(&change, "14:13:20 links: down: a\\x0ab\n");
    change = (Change){.type = CHANGE_AUDIT_MISMATCH, .source = SOURCE_LINKS, .text = "vnet0 was gone"};
    assert_words(&change, "14:13:20 audit: links: vnet0 was gone\n");
}

static void test_finding(void)
{
    Finding *finding = finding_new("tap-orphaned", LEVEL_CRITICAL, OBJECT_INTERFACE, "vnet1");
    Change change = {.type = CHANGE_CHECK_RAISED, .finding = finding};

    finding_remedy(finding_message(finding, "VM2's tap is off"), "ip link set vnet1 master virbr0");
    assert_words(&change, "14:13:20 critical: tap-orphaned: VM2's tap is off; try: ip link set vnet1 master "
                          "virbr0\n");
    change.type = CHANGE_CHECK_CLEARED;
    assert_words(&change, "14:13:20 cleared: tap-orphaned: VM2's tap is off\n");
    finding_free(finding);
}

/* --------------------------------------------------------------------------------------- snapshots */

static void assert_snapshot(const Moment *moment, gboolean resync, const ViewContext *view,
                            const char *expected)
{
    char *text = NULL;
    guint lines = 0;
    size_t size;
    guint told;
    FILE *out = open_memstream(&text, &size);

    told = watch_text_snapshot(out, &noon, view, moment->facts, moment->map->rows, moment->networks, resync);
    fclose(out);
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    g_assert_cmpuint(told, ==, lines);
    g_assert_cmpstr(text, ==, expected);
    free(text);
}

#define SNAPSHOT                                                                                             \
    "14:13:20 links: absent: the host is another one\n"                                                      \
    "14:13:20 leases: live, read at intervals: no such folder\n"                                             \
    "14:13:20 default is active: virbr0, 192.168.122.1/24\n"                                                 \
    "14:13:20 lab is inactive\n"                                                                             \
    "14:13:20 VM1 vnet0 is plugged into default, " MAC1 ", 192.168.122.11 (vm1)\n"

static void test_snapshot(void)
{
    ViewContext view = {.now = WORLD_NOW};
    Facts *facts = world_host();
    g_auto(Moment) moment = {0};

    ((Network *)facts->networks->pdata[1])->active = FALSE;
    g_ptr_array_set_size(facts->domains, 1);
    g_ptr_array_set_size(facts->links, 0);
    facts->domains_complete = FALSE;
    source_status_set(&facts->sources[SOURCE_LINKS], SOURCE_ABSENT, "the host is another one");
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_LIVE, "no such folder");
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_UNREAD, "x");
    moment = moment_of(facts);
    assert_snapshot(&moment, FALSE, &view, SNAPSHOT);
    assert_snapshot(&moment, TRUE, &view,
                    "14:13:20 read again, for something was missed: networks 2, interfaces 1\n" SNAPSHOT);
}

/* ------------------------------------------------------------------------------- bytes and colours */

#define EVIL "\033[2J\xe2\x80\xae\n\x9b\\"
#define EVIL_TOLD "\\x1b[2J\\xe2\\x80\\xae\\x0a\\x9b\\\\"

static void test_hostile(void)
{
    Facts *facts = world_host();
    Domain *domain = facts->domains->pdata[0];
    Lease *lease = facts->leases->pdata[0];
    ViewContext view = {.now = WORLD_NOW, .utf8 = TRUE};
    g_auto(Moment) moment = {0};
    Change change = {.type = CHANGE_LEASE_ADDED, .lease = lease};
    g_autofree char *text = NULL;
    g_autofree char *long_name = g_strnfill(60000, 'x');
    g_autofree char *cut = NULL;

    g_free(domain->name);
    domain->name = g_strdup(EVIL);
    g_free(lease->hostname);
    lease->hostname = g_strdup(EVIL);
    moment = moment_of(facts);
    change.row = world_row(moment.map, "vnet0");
    text = words_of(&change, &view);
    g_assert_cmpstr(text, ==,
                    "14:13:20 " EVIL_TOLD " vnet0 got 192.168.122.11 (" EVIL_TOLD "), lease 50 min\n");
    g_free(lease->hostname);
    lease->hostname = g_strdup(long_name);
    cut = words_of(&change, &view);
    g_assert_cmpuint(strlen(cut), <, 200);
}

/* Every text of others in every kind of line, with every byte there is. */
static void test_hostile_everywhere(void)
{
    g_autofree char *all = g_malloc0(256);
    Facts *facts = world_host();
    Network *network = facts->networks->pdata[0];
    g_auto(Moment) before = {0};
    g_auto(Moment) now = {0};
    Finding *finding = finding_new("tap-down", LEVEL_WARNING, OBJECT_INTERFACE, "x");
    ViewContext view = {.now = WORLD_NOW, .utf8 = TRUE};

    for (guint i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    finding_remedy(finding_message(finding, "%s", all), "%s", all);
    before = moment_of(world_host());
    g_free(network->name);
    g_free(network->bridge);
    network->name = g_strdup(all);
    network->bridge = g_strdup(all);
    g_free(facts_link(facts, 10)->name);
    facts_link(facts, 10)->name = g_strdup(all);
    g_free(((Domain *)facts->domains->pdata[0])->name);
    ((Domain *)facts->domains->pdata[0])->name = g_strdup(all);
    now = moment_of(facts);
    for (guint type = 0; type < CHANGE_COUNT; type++) {
        Change change = {.type = type,
                         .row = world_row(now.map, "vnet0"),
                         .before = world_row(before.map, "vnet0"),
                         .lease = facts->leases->pdata[0],
                         .lease_before = facts->leases->pdata[1],
                         .network = now.networks->pdata[0],
                         .network_before = before.networks->pdata[0],
                         .finding = finding,
                         .text = all};
        g_autofree char *text = words_of(&change, &view);
        guint lines = 0;

        for (const guchar *p = (const guchar *)text; *p; p++) {
            lines += *p == '\n';
            g_assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
        }
        g_assert_cmpuint(lines, >, 0);
    }
    finding_free(finding);
}

static void test_color(void)
{
    ViewContext view = {.now = WORLD_NOW, .color = TRUE};
    g_auto(Moment) moment = moment_of(world_host());
    Change change = {.type = CHANGE_INTERFACE_REMOVED, .row = world_row(moment.map, "vnet0")};
    g_autofree char *removed = words_of(&change, &view);
    g_autofree char *added = NULL;

    g_assert_cmpstr(removed, ==, "\033[2m14:13:20\033[0m VM1 vnet0 \033[31mis gone\033[0m\n");
    change.type = CHANGE_INTERFACE_ADDED;
    added = words_of(&change, &view);
    g_assert_cmpstr(added, ==,
                    "\033[2m14:13:20\033[0m VM1 vnet0 \033[32mis on \033[0mvirbr0 (default), " MAC1
                    ", 192.168.122.11 (vm1)\n");
    /* What was there already is no news. */
    g_ptr_array_set_size(moment.networks, 0);
    g_ptr_array_remove_range(moment.map->rows, 1, moment.map->rows->len - 1);
    assert_snapshot(&moment, FALSE, &view,
                    "\033[2m14:13:20\033[0m VM1 vnet0 is on virbr0 (default), " MAC1
                    ", 192.168.122.11 (vm1)\n");
}

/* The local time. */
static void test_time(void)
{
    Change change = {.type = CHANGE_SOURCE_LIVE, .source = SOURCE_LINKS};

    g_setenv("TZ", "UTC-2", TRUE);
    tzset();
    assert_words(&change, "16:13:20 links: live\n");
    g_setenv("TZ", "UTC", TRUE);
    tzset();
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watch-text/added", test_added);
    g_test_add_func("/watch-text/removed", test_removed);
    g_test_add_func("/watch-text/bridge", test_bridge);
    g_test_add_func("/watch-text/connect", test_connect);
    g_test_add_func("/watch-text/tap", test_tap);
    g_test_add_func("/watch-text/renamed", test_renamed);
    g_test_add_func("/watch-text/wire", test_wire);
    g_test_add_func("/watch-text/state", test_state);
    g_test_add_func("/watch-text/addresses", test_addresses);
    g_test_add_func("/watch-text/lease", test_lease);
    g_test_add_func("/watch-text/lease/nobody", test_lease_of_nobody);
    g_test_add_func("/watch-text/network", test_network);
    g_test_add_func("/watch-text/network/changed", test_network_changed);
    g_test_add_func("/watch-text/source", test_source);
    g_test_add_func("/watch-text/finding", test_finding);
    g_test_add_func("/watch-text/snapshot", test_snapshot);
    g_test_add_func("/watch-text/hostile", test_hostile);
    g_test_add_func("/watch-text/hostile/everywhere", test_hostile_everywhere);
    g_test_add_func("/watch-text/color", test_color);
    g_test_add_func("/watch-text/time", test_time);
    return g_test_run();
}
