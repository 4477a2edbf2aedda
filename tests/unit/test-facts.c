/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"
#include "world.h"

static void test_names(void)
{
    static const char *const sources[] = {"libvirt",   "links", "neighbours", "leases",   "firewall",
                                          "processes", "agent", "firewalld",  "conntrack"};
    static const char *const states[] = {"unread", "live", "stale", "down", "replayed", "absent"};
    static const char *const domains[] = {"no state",    "running",  "idle",    "paused",
                                          "in shutdown", "shut off", "crashed", "pmsuspended"};

    g_assert_cmpuint(SOURCE_COUNT, ==, G_N_ELEMENTS(sources));
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
        g_assert_cmpstr(source_name(i), ==, sources[i]);
    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        g_assert_cmpstr(source_state_name(i), ==, states[i]);
    /* virDomainState's numbers come from libvirt, newer ones too. */
    for (guint i = 0; i < G_N_ELEMENTS(domains); i++)
        g_assert_cmpstr(domain_state_name(i), ==, domains[i]);
    g_assert_cmpstr(domain_state_name(99), ==, "no state");
}

static void test_status(void)
{
    g_autoptr(Facts) facts = facts_new();
    SourceStatus *status = &facts->sources[SOURCE_LEASES];

    g_assert_cmpint(status->state, ==, SOURCE_UNREAD);
    source_status_set(status, SOURCE_STALE, "first");
    /* The new text may be the old one itself. */
    source_status_set(status, SOURCE_DOWN, status->error);
    g_assert_cmpint(status->state, ==, SOURCE_DOWN);
    g_assert_cmpstr(status->error, ==, "first");
    source_status_set(status, SOURCE_LIVE, NULL);
    g_assert_null(status->error);
}

static void test_has(void)
{
    for (guint state = SOURCE_UNREAD; state <= SOURCE_ABSENT; state++) {
        g_autoptr(Facts) facts = world_new();

        source_status_set(&facts->sources[SOURCE_AGENT], state, NULL);
        g_assert_cmpint(facts_has(facts, SOURCE_AGENT), ==,
                        state == SOURCE_LIVE || state == SOURCE_STALE || state == SOURCE_REPLAYED);
        g_assert_true(facts_has(facts, SOURCE_LINKS));
    }
}

static void test_modes(void)
{
    static const struct {
        const char *forward;
        gboolean owns;
    } modes[] = {{"nat", TRUE},      {"route", TRUE}, {"open", TRUE},         {"isolated", TRUE},
                 {"bridge", FALSE},  {"vepa", FALSE}, {"passthrough", FALSE}, {"hostdev", FALSE},
                 {"private", FALSE}, {NULL, FALSE}};

    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(Facts) facts = world_new();
        Network *network = world_network(facts, "n", modes[i].forward, "virbr0");

        world_ip(network, "10.0.0.1/24", NULL, NULL);
        g_assert_cmpint(network_owns_bridge(network), ==, modes[i].owns);
        g_assert_cmpint(network_wants_dnsmasq(network), ==, modes[i].owns);
    }
}

static void test_dhcp(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", "nat", "virbr0");
    NetworkIp *ip;

    g_assert_false(network_has_dhcp(network, 0));
    ip = world_ip(network, "10.0.0.1/24", NULL, NULL);
    ip->dhcp = TRUE; /* an empty <dhcp> serves nobody */
    g_assert_false(network_has_dhcp(network, 0));
    ip->has_host = TRUE;
    g_assert_true(network_has_dhcp(network, 0));
    g_assert_true(network_has_dhcp(network, 4));
    g_assert_false(network_has_dhcp(network, 6));
    world_ip(network, "fd00::1/64", "fd00::2", "fd00::ff");
    g_assert_true(network_has_dhcp(network, 6));
}

static void test_wants_dnsmasq(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", "nat", "virbr0");

    g_assert_false(network_wants_dnsmasq(network)); /* no address to serve on */
    world_ip(network, "10.0.0.1/24", NULL, NULL);
    g_assert_true(network_wants_dnsmasq(network)); /* DNS */
    network->dns_enabled = FALSE;
    g_assert_false(network_wants_dnsmasq(network));
    network->tftp = TRUE;
    g_assert_true(network_wants_dnsmasq(network));
    network->tftp = FALSE;
    world_ip(network, "10.1.0.1/24", "10.1.0.2", "10.1.0.9");
    g_assert_true(network_wants_dnsmasq(network));
}

static void test_ip_of(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", "nat", "virbr0");
    NetworkIp *four = world_ip(network, "10.0.0.1/24", NULL, NULL);
    NetworkIp *six = world_ip(network, "fd00::1/64", NULL, NULL);
    Ip ip;

    ip = world_ip_of("10.0.0.255");
    g_assert_true(network_ip_of(network, &ip) == four);
    ip = world_ip_of("10.0.1.0");
    g_assert_null(network_ip_of(network, &ip));
    ip = world_ip_of("fd00::ffff:0:0:1");
    g_assert_true(network_ip_of(network, &ip) == six);
    ip = world_ip_of("fd00:0:0:1::1");
    g_assert_null(network_ip_of(network, &ip));
}

static void test_lease_live(void)
{
    Lease lease = {.expiry = 100};

    g_assert_true(lease_is_live(&lease, 99));
    g_assert_false(lease_is_live(&lease, 100));
    lease.expiry = 0;
    g_assert_true(lease_is_live(&lease, G_MAXINT64));
}

static void test_networks(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *one = world_network(facts, "one", "nat", "virbr0");
    Network *two = world_network(facts, "two", "route", "virbr0");
    Network *three = world_network(facts, "three", "bridge", "br0");
    g_autofree char *upper = NULL;

    three->uuid[0] = 'a';
    upper = g_ascii_strup(three->uuid, -1);
    g_assert_true(facts_network(facts, "two") == two);
    g_assert_true(facts_network(facts, three->uuid) == three);
    g_assert_true(facts_network(facts, upper) == three);
    g_assert_null(facts_network(facts, "TWO"));
    g_assert_null(facts_network(facts, "four"));
    g_assert_null(facts_network(facts, NULL));

    g_assert_null(facts_network_of_bridge(facts, NULL));
    g_assert_null(facts_network_of_bridge(facts, "br0")); /* not made by libvirt */
    g_assert_true(facts_network_of_bridge(facts, "virbr0") == one);
    one->active = FALSE;
    g_assert_true(facts_network_of_bridge(facts, "virbr0") == two);
    two->active = FALSE;
    g_assert_true(facts_network_of_bridge(facts, "virbr0") == one);
}

static void test_links(void)
{
    g_autoptr(Facts) facts = world_new();
    static const guint order[] = {9, 2, 40, 1, 7};

    g_assert_null(facts_link(facts, 1));
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autofree char *name = g_strdup_printf("link%u", order[i]);

        world_link(facts, order[i], name, NULL);
    }
    for (guint ifindex = 0; ifindex < 50; ifindex++) {
        g_autofree char *name = g_strdup_printf("link%u", ifindex);
        const Link *link = facts_link(facts, ifindex);

        g_assert_true(link == facts_link_named(facts, name));
        g_assert_cmpint(link != NULL, ==,
                        ifindex == 1 || ifindex == 2 || ifindex == 7 || ifindex == 9 || ifindex == 40);
    }
    g_assert_null(facts_link_named(facts, NULL));
}

static void test_free_nothing(void)
{
    facts_free(NULL);
    network_free(NULL);
    domain_free(NULL);
    domain_interface_free(NULL);
    lease_free(NULL);
    link_free(NULL);
    firewall_table_free(NULL);
    dnsmasq_free(NULL);
    socket_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/facts/names", test_names);
    g_test_add_func("/facts/status", test_status);
    g_test_add_func("/facts/has", test_has);
    g_test_add_func("/facts/network/modes", test_modes);
    g_test_add_func("/facts/network/dhcp", test_dhcp);
    g_test_add_func("/facts/network/wants-dnsmasq", test_wants_dnsmasq);
    g_test_add_func("/facts/network/ip-of", test_ip_of);
    g_test_add_func("/facts/lease-live", test_lease_live);
    g_test_add_func("/facts/networks", test_networks);
    g_test_add_func("/facts/links", test_links);
    g_test_add_func("/facts/free-nothing", test_free_nothing);
    return g_test_run();
}
