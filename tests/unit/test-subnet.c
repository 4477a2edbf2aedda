/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "world.h"

#define OURS "192.168.122.0/24"
#define RTNH_LINKDOWN 16 /* linux/rtnetlink.h */

static Facts *host(void)
{
    Facts *facts = world_new();

    world_link(facts, 2, "eth0", NULL);
    return facts;
}

/* What overlaps a subnet of a network "ours" with bridge virbr0: "level text" a line. */
static char *overlaps_of(const Facts *facts, const char *subnet)
{
    g_autoptr(GArray) subnets = g_array_new(FALSE, FALSE, sizeof(IpNet));
    g_autoptr(GPtrArray) overlaps = NULL;
    GString *text = g_string_new(NULL);
    IpNet net = world_net_of(subnet);

    g_array_append_val(subnets, net);
    overlaps = network_overlaps(facts, subnets, "ours", "virbr0");
    for (guint i = 0; i < overlaps->len; i++) {
        const SubnetOverlap *overlap = overlaps->pdata[i];
        g_autofree char *sentence = network_overlap_text(overlap);

        g_string_append_printf(text, "%s %s\n", overlap->critical ? "critical" : "warning", sentence);
    }
    return g_string_free(text, FALSE);
}

static void assert_overlaps(const Facts *facts, const char *subnet, const char *expected)
{
    g_autofree char *text = overlaps_of(facts, subnet);

    g_assert_cmpstr(text, ==, expected);
}

typedef struct {
    const char *subnet, *route, *expected;
} RouteCase;

static const RouteCase route_cases[] = {
    {OURS, OURS, "critical subnet 192.168.122.0/24 equals the route 192.168.122.0/24 of device eth0\n"},
    {OURS, "192.168.122.128/25",
     "critical subnet 192.168.122.0/24 contains the route 192.168.122.128/25 of device eth0\n"},
    {OURS, "192.168.122.7/32",
     "critical subnet 192.168.122.0/24 contains the route 192.168.122.7/32 of device eth0\n"},
    {OURS, "192.168.0.0/16",
     "warning subnet 192.168.122.0/24 lies inside the route 192.168.0.0/16 of device eth0\n"},
    {OURS, "192.168.122.0/23",
     "warning subnet 192.168.122.0/24 lies inside the route 192.168.122.0/23 of device eth0\n"},
    {OURS, "128.0.0.0/2", NULL},
    {OURS, "192.0.0.0/2",
     "warning subnet 192.168.122.0/24 lies inside the route 192.0.0.0/2 of device eth0\n"},
    {OURS, "192.168.123.0/24", NULL},
    {OURS, "192.168.121.0/24", NULL},
    /* Default routes, also as two halves. */
    {OURS, "0.0.0.0/0", NULL},
    {OURS, "0.0.0.0/1", NULL},
    {OURS, "128.0.0.0/1", NULL},
    {OURS, "::/0", NULL},
    {"fd00::/64", "::/0", NULL},
    {"fd00::/64", "::/1", NULL},
    {"fd00::/64", "8000::/1", NULL},
    {"fd00::/64", "fd00::/64", "critical subnet fd00::/64 equals the route fd00::/64 of device eth0\n"},
    {"fd00::/64", "fd00::/48", "warning subnet fd00::/64 lies inside the route fd00::/48 of device eth0\n"},
    {"fd00::/64", "fd00::1/128", "critical subnet fd00::/64 contains the route fd00::1/128 of device eth0\n"},
    {"fd00::/64", "fd00:0:0:1::/64", NULL},
    /* Kinds of addresses that every device has for itself. */
    {"fe80::/10", "fe80::/64", NULL},
    {"169.254.0.0/16", "169.254.0.0/16", NULL},
    {"224.0.0.0/3", "224.0.0.0/4", NULL},
    {"127.0.0.0/8", "127.0.0.0/8", NULL},
    {"ff00::/8", "ff00::/8", NULL},
};

static void test_routes(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(route_cases); i++) {
        const RouteCase *c = &route_cases[i];
        g_autoptr(Facts) facts = host();

        g_test_message("%s and %s", c->subnet, c->route);
        world_route(facts, c->route, 2);
        assert_overlaps(facts, c->subnet, c->expected ? c->expected : "");
    }
}

static void test_route_types(void)
{
    static const guint8 others[] = {ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST, 6 /* blackhole */};

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(Facts) facts = host();

        world_route(facts, OURS, 2)->type = others[i];
        assert_overlaps(facts, OURS, "");
    }
}

/* No table and no state of the link is spared: the route comes back with the cable. */
static void test_route_tables(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(GArray) subnets = g_array_new(FALSE, FALSE, sizeof(IpNet));
    g_autoptr(GPtrArray) overlaps = NULL;
    IpNet ours = world_net_of(OURS);
    Route *route = world_route(facts, OURS, 2);

    route->table = 51820;
    route->flags = RTNH_LINKDOWN;
    g_array_append_val(subnets, ours);
    overlaps = network_overlaps(facts, subnets, "ours", "virbr0");
    g_assert_cmpuint(overlaps->len, ==, 1);
    g_assert_cmpuint(((const SubnetOverlap *)overlaps->pdata[0])->table, ==, 51820);
    g_assert_true(((const SubnetOverlap *)overlaps->pdata[0])->critical);
}

/* A device that is not known, or none at all. */
static void test_route_no_device(void)
{
    g_autoptr(Facts) facts = host();

    world_route(facts, OURS, 99);
    world_route(facts, OURS, 0);
    assert_overlaps(facts, OURS,
                    "critical subnet 192.168.122.0/24 equals the route 192.168.122.0/24\n"
                    "critical subnet 192.168.122.0/24 equals the route 192.168.122.0/24\n");
}

static void test_own_bridge(void)
{
    g_autoptr(Facts) facts = host();
    Network *ours = world_network(facts, "ours", "nat", "virbr0");

    world_ip(ours, "192.168.122.1/24", NULL, NULL);
    world_bridge(facts, ours, 10);
    /* One that was routed to a guest by hand is its own affair too. */
    world_route(facts, "192.168.122.128/25", 10);
    world_route(facts, "192.168.0.0/16", 10);
    assert_overlaps(facts, OURS, "");
    /* To a network to be, that has no bridge yet, they are others'. */
    g_assert_cmpuint(facts->routes->len, ==, 3);
    g_free(ours->name);
    ours->name = g_strdup("theirs");
    assert_overlaps(facts, OURS,
                    "critical subnet 192.168.122.0/24 equals 192.168.122.0/24 of network theirs\n");
}

/* The route of another network is told once, as that network; what else goes over its bridge is a route. */
static void test_other_bridge(void)
{
    g_autoptr(Facts) facts = host();
    Network *other = world_network(facts, "other", "nat", "virbr7");

    world_ip(other, "192.168.122.1/24", NULL, NULL);
    world_bridge(facts, other, 17);
    assert_overlaps(facts, OURS,
                    "critical subnet 192.168.122.0/24 equals 192.168.122.0/24 of network other\n");
    world_route(facts, "10.8.0.0/16", 17);
    assert_overlaps(facts, "10.8.1.0/24",
                    "warning subnet 10.8.1.0/24 lies inside the route 10.8.0.0/16 of device virbr7\n");
}

static void test_networks(void)
{
    g_autoptr(Facts) facts = host();
    Network *other = world_network(facts, "other", "isolated", "virbr7");
    Network *bridged = world_network(facts, "bridged", "bridge", "br0");

    g_assert_cmpuint(bridged->ips->len, ==, 0);
    other->active = FALSE; /* it may be started */
    world_ip(other, "192.168.1.1/24", NULL, NULL);
    world_ip(other, "192.168.122.129/25", NULL, NULL);
    world_ip(other, "fd00::1/64", NULL, NULL);
    assert_overlaps(facts, OURS,
                    "critical subnet 192.168.122.0/24 contains 192.168.122.128/25 of network other\n");
    /* Wider or not: two networks that share addresses are always wrong. */
    assert_overlaps(facts, "192.168.122.192/26",
                    "critical subnet 192.168.122.192/26 lies inside 192.168.122.128/25 of network other\n");
    assert_overlaps(facts, "fd00::/48", "critical subnet fd00::/48 contains fd00::/64 of network other\n");
    assert_overlaps(facts, "10.0.0.0/8", "");
}

/* The worst first, then by address, in whatever order the routes come. */
static void test_order(void)
{
    static const char *const routes[] = {"192.168.0.0/16", "192.168.122.64/26", "192.168.122.0/26"};
    static const guint orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
        g_autoptr(Facts) facts = host();

        for (gsize k = 0; k < G_N_ELEMENTS(routes); k++)
            world_route(facts, routes[orders[i][k]], 2);
        assert_overlaps(
            facts, OURS,
            "critical subnet 192.168.122.0/24 contains the route 192.168.122.0/26 of device eth0\n"
            "critical subnet 192.168.122.0/24 contains the route 192.168.122.64/26 of device eth0\n"
            "warning subnet 192.168.122.0/24 lies inside the route 192.168.0.0/16 of device eth0\n");
    }
}

static void test_subnets(void)
{
    g_autoptr(Facts) facts = host();
    Network *network = world_network(facts, "n", "nat", "virbr0");
    g_autoptr(GArray) subnets = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    world_ip(network, "192.168.122.1/24", NULL, NULL);
    world_ip(network, "fd00::1/64", NULL, NULL);
    subnets = network_subnets(network);
    g_assert_cmpuint(subnets->len, ==, 2);
    first = ipnet_to_string(&g_array_index(subnets, IpNet, 0));
    second = ipnet_to_string(&g_array_index(subnets, IpNet, 1));
    g_assert_cmpstr(first, ==, "192.168.122.0/24");
    g_assert_cmpstr(second, ==, "fd00::/64");
}

static void test_used(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(GArray) used = NULL;
    static const char *const expected[] = {"192.168.122.0/24", "10.0.0.0/24"};

    world_ip(world_network(facts, "n", "nat", "virbr0"), "192.168.122.1/24", NULL, NULL);
    world_route(facts, "10.0.0.0/24", 2);
    world_route(facts, "0.0.0.0/0", 2);
    world_route(facts, "10.0.0.255/32", 2)->type = ROUTE_BROADCAST;
    used = network_used_subnets(facts);
    g_assert_cmpuint(used->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < used->len; i++) {
        g_autofree char *text = ipnet_to_string(&g_array_index(used, IpNet, i));

        g_assert_cmpstr(text, ==, expected[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/subnet/routes", test_routes);
    g_test_add_func("/subnet/route-types", test_route_types);
    g_test_add_func("/subnet/route-tables", test_route_tables);
    g_test_add_func("/subnet/route-no-device", test_route_no_device);
    g_test_add_func("/subnet/own-bridge", test_own_bridge);
    g_test_add_func("/subnet/other-bridge", test_other_bridge);
    g_test_add_func("/subnet/networks", test_networks);
    g_test_add_func("/subnet/order", test_order);
    g_test_add_func("/subnet/subnets", test_subnets);
    g_test_add_func("/subnet/used", test_used);
    return g_test_run();
}
