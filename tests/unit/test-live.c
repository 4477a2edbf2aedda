/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include "model/live.h"

#include <net/if.h>
#include <string.h>

/* What the live map says, step by step. A host with one network and one guest, and what happens to it. */

#define MAC_A "52:54:00:00:00:0a"
#define MAC_B "52:54:00:00:00:0b"
#define SECOND G_TIME_SPAN_SECOND

typedef struct {
    LiveMap *live;
    Facts *parts; /* where records are made, before they are put */
    gint64 monotonic, now;
} Host;

static gpointer last_of(GPtrArray *array)
{
    return g_ptr_array_steal_index(array, array->len - 1);
}

/* ------------------------------------------------------------------------------------------ the host */

static void put_network_of(Host *host, const char *name, const char *bridge, gboolean active)
{
    Network *network = world_network(host->parts, name, "nat", bridge);

    world_ip(network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    network->active = active;
    live_map_put_network(host->live, last_of(host->parts->networks));
}

static Link *make_bridge(Host *host, guint ifindex, const char *name)
{
    Link *link = world_link(host->parts, ifindex, name, "bridge");

    link->is_bridge = TRUE;
    return last_of(host->parts->links);
}

static void put_tap(Host *host, guint ifindex, const char *name, guint master)
{
    world_tap(host->parts, ifindex, name, master, MAC_A);
    live_map_put_link(host->live, last_of(host->parts->links));
}

static void put_address(Host *host, guint ifindex)
{
    LinkAddress address = {.ifindex = ifindex, .net = world_net_of("192.168.122.1/24")};

    live_map_put_address(host->live, &address);
}

static Domain *make_guest(Host *host, const char *name, const char *network, const char *mac, const char *tap)
{
    Domain *domain = world_domain(host->parts, name, 1);

    if (mac)
        world_nic(domain, network, network ? NULL : "virbr0", mac, tap);
    return last_of(host->parts->domains);
}

static void put_guest(Host *host, const char *name, const char *mac, const char *tap)
{
    live_map_put_domain(host->live, make_guest(host, name, "default", mac, tap),
                        live_map_generation(host->live));
}

static char *uuid_of(Host *host, const char *name)
{
    g_autoptr(Domain) domain = make_guest(host, name, NULL, NULL, NULL);

    return g_strdup(domain->uuid);
}

static void remove_guest(Host *host, const char *name)
{
    g_autofree char *uuid = uuid_of(host, name);

    live_map_remove_domain(host->live, uuid);
}

static char *network_uuid(Host *host, const char *name)
{
    g_autoptr(Network) network = NULL;

    world_network(host->parts, name, "nat", NULL);
    network = last_of(host->parts->networks);
    return g_strdup(network->uuid);
}

/* seconds from now each; an ip NULL ends the list. */
typedef struct {
    const char *mac, *ip;
    gint64 expiry;
    const char *hostname, *client;
} Leased;

static void put_leases(Host *host, const char *network, const Leased *leased)
{
    GPtrArray *leases = g_ptr_array_new();
    g_autofree char *uuid = network_uuid(host, network);

    for (; leased && leased->ip; leased++) {
        Lease *lease = lease_new();

        lease->network = g_strdup(network);
        lease->ip = world_ip_of(leased->ip);
        lease->has_mac = TRUE;
        lease->mac = world_mac_of(leased->mac);
        lease->expiry = leased->expiry;
        lease->hostname = g_strdup(leased->hostname);
        lease->client_id = g_strdup(leased->client);
        g_ptr_array_add(leases, lease);
    }
    live_map_put_leases(host->live, uuid, leases, FALSE);
}

static void put_learned(Host *host, guint port, const char *mac)
{
    FdbEntry entry = {.ifindex = port, .master = 10, .mac = world_mac_of(mac)};

    live_map_put_fdb(host->live, &entry);
}

static Neighbour neighbour_of(guint ifindex, const char *ip, const char *mac, guint16 state,
                              guint32 confirmed)
{
    Neighbour neighbour = {.ifindex = ifindex, .ip = world_ip_of(ip), .state = state, .confirmed = confirmed};

    neighbour.has_mac = TRUE;
    neighbour.mac = world_mac_of(mac);
    return neighbour;
}

static void put_neighbour(Host *host, const char *ip, const char *mac, guint16 state, guint32 confirmed)
{
    Neighbour neighbour = neighbour_of(10, ip, mac, state, confirmed);

    live_map_put_neighbour(host->live, &neighbour);
}

/* ------------------------------------------------------------------------------------------- changes */

static void change_text(GString *text, const Change *change)
{
    char ip[IP_TEXT];

    g_string_append_printf(text, "%s", change_name(change->type));
    if (change->lease)
        g_string_append_printf(text, " %s", ip_format(&change->lease->ip, ip));
    if (change->row)
        g_string_append_printf(text, " %s/%s", change->row->domain ? change->row->domain : "-",
                               change->row->tap ? change->row->tap : "-");
    if (change->network)
        g_string_append_printf(text, " %s", change->network->network->name);
    if (change->finding)
        g_string_append_printf(text, " %s %s", change->finding->id, change->finding->object);
    if (change->type == CHANGE_SOURCE_LIVE || change->type == CHANGE_SOURCE_STALE ||
        change->type == CHANGE_SOURCE_DOWN || change->type == CHANGE_AUDIT_MISMATCH)
        g_string_append_printf(text, " %s: %s", source_name(change->source), change->text);
    g_string_append(text, "\n");
}

/* What is told after these microseconds, a line each. */
static char *told_after(Host *host, gint64 passed)
{
    GString *text = g_string_new(NULL);
    const GPtrArray *changes;

    host->monotonic += passed;
    host->now += passed / SECOND;
    changes = live_map_settle(host->live, host->monotonic, host->now);
    for (guint i = 0; i < changes->len; i++)
        change_text(text, changes->pdata[i]);
    return g_string_free(text, FALSE);
}

#define assert_told(host, expected)                                                                          \
    do {                                                                                                     \
        g_autofree char *told_ = told_after(host, 0);                                                        \
        g_assert_cmpstr(told_, ==, expected);                                                                \
    } while (0)
#define assert_told_after(host, passed, expected)                                                            \
    do {                                                                                                     \
        g_autofree char *told_ = told_after(host, passed);                                                   \
        g_assert_cmpstr(told_, ==, expected);                                                                \
    } while (0)

static void settle(Host *host)
{
    g_free(told_after(host, 0));
}

/* Until every grace is over. */
static void rest(Host *host)
{
    for (guint i = 0; i < 4; i++)
        g_free(told_after(host, LIVE_GRACE));
}

/* "VM/vnet0/11/virbr0 ip…", sorted as the map. */
static char *rows_text(Host *host)
{
    g_autoptr(GPtrArray) rows = live_map_rows(host->live);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const MapRow *row = rows->pdata[i];
        char ip[IP_TEXT];

        g_string_append_printf(text, "%s%s/%s/%u/%s", i > 0 ? "; " : "", row->domain ? row->domain : "-",
                               row->tap ? row->tap : "-", row->ifindex, row->bridge ? row->bridge : "-");
        for (guint j = 0; j < row->addresses->len; j++)
            g_string_append_printf(text, " %s", ip_format(&((Address *)row->addresses->pdata[j])->ip, ip));
        for (guint j = 0; j < row->problems->len; j++)
            g_string_append_printf(text, " !%s", (const char *)row->problems->pdata[j]);
    }
    return g_string_free(text, FALSE);
}

#define assert_rows(host, expected)                                                                          \
    do {                                                                                                     \
        g_autofree char *rows_ = rows_text(host);                                                            \
        g_assert_cmpstr(rows_, ==, expected);                                                                \
    } while (0)

static guint count_lines(const char *text, const char *line)
{
    guint count = 0;

    for (const char *at = text; (at = strstr(at, line)) != NULL; at += strlen(line))
        count++;
    return count;
}

/* A network "default" on virbr0 (10), VM with vnet0 (11), everything told. */
static void host_init(Host *host)
{
    memset(host, 0, sizeof(*host));
    host->live = live_map_new(checks_run);
    host->parts = world_new();
    host->monotonic = 100 * SECOND;
    host->now = WORLD_NOW;
    for (guint id = 0; id < SOURCE_FIREWALLD; id++) /* which is not followed */
        live_map_set_source(host->live, id,
                            id == SOURCE_FIREWALL || id == SOURCE_PROCESSES ? SOURCE_UNREAD : SOURCE_LIVE,
                            NULL);
    live_map_set_domains_listed(host->live, TRUE);
    put_network_of(host, "default", "virbr0", TRUE);
    live_map_put_link(host->live, make_bridge(host, 10, "virbr0"));
    put_address(host, 10);
    put_tap(host, 11, "vnet0", 10);
    put_guest(host, "VM", MAC_A, "vnet0");
    rest(host);
}

static void host_clear(Host *host)
{
    live_map_free(host->live);
    facts_free(host->parts);
}

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
    live_map_put_leases(host.live, uuid, g_ptr_array_new(), FALSE);
    g_assert_false(live_map_network(host.live, uuid)->leases_unread);
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
    /* Fresh until it was confirmed more than a minute ago: 10 s from when it was put. */
    live_map_due(host.live, &monotonic, &epoch);
    g_assert_cmpint(monotonic, ==, host.monotonic + 10 * SECOND);
    assert_told_after(&host, 9 * SECOND, "");
    assert_told_after(&host, 1 * SECOND,
                      "interface.changed VM/vnet0\n"
                      "check.cleared address-unleased vnet0\n");
    put_neighbour(&host, "192.168.122.9", MAC_A, NEIGHBOUR_STALE, 1);
    g_assert_true(live_map_is_dirty(host.live));
    host_clear(&host);
}

static void test_groups_join_nobody(void)
{
    Host host;

    host_init(&host);
    for (guint i = 0; i < 100; i++) {
        Neighbour neighbour = neighbour_of(100 + i, "224.0.0.22", "01:00:5e:00:00:16", NEIGHBOUR_NOARP, 0);

        live_map_put_neighbour(host.live, &neighbour);
    }
    assert_told(&host, "");
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
    g_test_add_func("/live/leases", test_leases);
    g_test_add_func("/live/leases/guest", test_lease_of_a_guest_that_comes_and_goes);
    g_test_add_func("/live/leases/network-later", test_leases_wait_for_their_network);
    g_test_add_func("/live/leases/unread", test_leases_unread);
    g_test_add_func("/live/neighbours", test_neighbours);
    g_test_add_func("/live/neighbours/age", test_neighbour_grows_old);
    g_test_add_func("/live/neighbours/groups", test_groups_join_nobody);
    g_test_add_func("/live/findings/grace", test_grace);
    g_test_add_func("/live/findings/passes", test_what_passes_is_not_told);
    g_test_add_func("/live/findings/other-words", test_same_fault_in_other_words);
    g_test_add_func("/live/findings/duplicate-mac", test_duplicate_mac);
    g_test_add_func("/live/findings/fdb-moved", test_guest_seen_elsewhere);
    g_test_add_func("/live/sources", test_source_without_facts);
    g_test_add_func("/live/network/lives", test_network_lives);
    g_test_add_func("/live/network/stops", test_network_stops_under_its_guests);
    g_test_add_func("/live/network/before", test_network_before);
    g_test_add_func("/live/network/checks", test_network_checks_pause);
    g_test_add_func("/live/network/inactive", test_network_inactive_bridge);
    g_test_add_func("/live/lists", test_lists);
    return g_test_run();
}
