/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/route.h"
#include "netlink-frames.h"
#include "sources/links-parse.h"
#include "world.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Which route a packet takes: against rules that were recorded (data/links/record), and ip-rule(8)'s
 * description. */

#define TABLE 1000

static void take_rule4(const struct nlmsghdr *message, gpointer data)
{
    RouteRule *rule = route_rule_parse(message, AF_INET);

    g_assert_nonnull(rule);
    g_assert_null(route_rule_parse(message, AF_INET6));
    g_ptr_array_add(data, rule);
}

static void take_rule6(const struct nlmsghdr *message, gpointer data)
{
    RouteRule *rule = route_rule_parse(message, AF_INET6);

    g_assert_nonnull(rule);
    g_ptr_array_add(data, rule);
}

static void assert_texts(const GPtrArray *rules, const char *const *texts)
{
    for (guint i = 0; i < rules->len; i++) {
        g_autofree char *text = route_rule_text(rules->pdata[i]);

        g_assert_cmpstr(text, ==, texts[i]);
    }
    g_assert_null(texts[rules->len]);
}

static void test_recorded(void)
{
    static const char *const rules4[] = {
        "rule 0: from all lookup local",
        "rule 100: from 10.1.0.0/16 to 10.2.0.0/24 iif virbr0 lookup 1000",
        "rule 101: not from all fwmark 0x10/0xf0 lookup main",
        "rule 102: from all ipproto 6 sport 1000 dport 22-25 unreachable",
        "rule 103: from all oif uplink goto 32766",
        "rule 104: from all … lookup 7",
        "rule 105: from all … blackhole",
        "rule 32766: from all lookup main",
        "rule 32767: from all lookup default",
        NULL,
    };
    static const char *const rules6[] = {
        "rule 0: from all lookup local",
        "rule 100: from 2001:db8:122::/64 prohibit",
        "rule 32766: from all lookup main",
        NULL,
    };
    g_autoptr(GPtrArray) read4 = g_ptr_array_new_with_free_func((GDestroyNotify)route_rule_free);
    g_autoptr(GPtrArray) read6 = g_ptr_array_new_with_free_func((GDestroyNotify)route_rule_free);
    const RouteRule *rule;

    frames_each("links/rules4.bin", take_rule4, read4);
    frames_each("links/rules6.bin", take_rule6, read6);
    assert_texts(read4, rules4);
    assert_texts(read6, rules6);
    rule = read4->pdata[2];
    g_assert_true(rule->invert && !rule->strange);
    g_assert_cmpint(rule->suppress_prefix, ==, 0);
    g_assert_cmpint(((const RouteRule *)read4->pdata[1])->suppress_prefix, ==, -1);
    g_assert_true(((const RouteRule *)read4->pdata[5])->strange);
    g_assert_true(((const RouteRule *)read4->pdata[6])->strange);
}

/* A rule's prefix is longer than its address, or missing: it may hold for anything. */
static void test_hostile(void)
{
    struct fib_rule_hdr body = {.family = AF_INET, .src_len = 33, .action = ROUTE_RULE_TABLE};
    const guint8 address[4] = {10, 1, 2, 3};
    NetlinkRequest request;
    RouteRule *rule;

    netlink_request_init(&request, RTM_NEWRULE, &body, sizeof(body));
    netlink_request_put(&request, FRA_SRC, address, sizeof(address));
    rule = route_rule_parse((const struct nlmsghdr *)request.words, AF_INET);
    g_assert_true(rule->strange);
    route_rule_free(rule);
    body.src_len = 8;
    netlink_request_init(&request, RTM_NEWRULE, &body, sizeof(body));
    rule = route_rule_parse((const struct nlmsghdr *)request.words, AF_INET);
    g_assert_true(rule->strange);
    route_rule_free(rule);
    body.src_len = 0;
    netlink_request_init(&request, RTM_NEWRULE, &body, sizeof(body));
    netlink_request_put(&request, FRA_IIFNAME, "longer-than-a-name-is", sizeof("longer-than-a-name-is"));
    rule = route_rule_parse((const struct nlmsghdr *)request.words, AF_INET);
    g_assert_true(rule->strange && !rule->iif);
    route_rule_free(rule);
    netlink_request_init(&request, RTM_NEWRULE, &body, sizeof(body) - 4);
    g_assert_null(route_rule_parse((const struct nlmsghdr *)request.words, AF_INET));
}

/* ---------------------------------------------------------------------------------------------- choosing */

static RouteRule *add_rule(Facts *facts, guint32 priority, guint32 table)
{
    RouteRule *rule = route_rule_new();

    rule->family = 4;
    rule->priority = priority;
    rule->action = ROUTE_RULE_TABLE;
    rule->table = table;
    g_ptr_array_add(facts->route_rules, rule);
    return rule;
}

static Route *add_route(Facts *facts, const char *cidr, guint ifindex, guint32 table)
{
    Route *route = world_route(facts, cidr, ifindex);

    route->table = table;
    return route;
}

/* A host with a default route by eth0 (2), and a table of its own by wg0 (3). */
static Facts *host_with_tables(void)
{
    Facts *facts = world_new();

    world_link(facts, 2, "eth0", NULL);
    world_link(facts, 3, "wg0", "wireguard");
    add_route(facts, "0.0.0.0/0", 2, ROUTE_TABLE_MAIN);
    add_route(facts, "192.0.2.1/32", 2, ROUTE_TABLE_LOCAL)->type = ROUTE_LOCAL;
    add_route(facts, "0.0.0.0/0", 3, TABLE);
    return facts;
}

static Packet packet_to(const char *dst)
{
    return (Packet){.family = 4,
                    .in = "virbr0",
                    .src = world_ip_of("10.1.0.9"),
                    .dst = world_ip_of(dst),
                    .protocol = IPPROTO_TCP,
                    .sport = 40000,
                    .dport = 22};
}

static void assert_way(const Facts *facts, const Packet *packet, RouteWay way, guint ifindex)
{
    RouteChoice choice = route_choose(facts, packet);

    g_assert_cmpint(choice.way, ==, way);
    g_assert_cmpuint(choice.route ? choice.route->ifindex : 0, ==, ifindex);
}

static void test_tables_without_rules(void)
{
    g_autoptr(Facts) facts = host_with_tables();
    Packet packet = packet_to("9.9.9.9");

    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    packet.dst = world_ip_of("192.0.2.1");
    assert_way(facts, &packet, ROUTE_WAY_HERE, 2);
    add_route(facts, "9.9.0.0/16", 3, ROUTE_TABLE_MAIN);
    packet.dst = world_ip_of("9.9.9.9");
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    facts->sources[SOURCE_LINKS].state = SOURCE_DOWN;
    assert_way(facts, &packet, ROUTE_WAY_UNKNOWN, 0);
}

static void test_metrics(void)
{
    g_autoptr(Facts) facts = world_new();
    Packet packet = packet_to("9.9.9.9");

    add_route(facts, "0.0.0.0/0", 2, ROUTE_TABLE_MAIN)->priority = 100;
    add_route(facts, "0.0.0.0/0", 3, ROUTE_TABLE_MAIN)->priority = 50;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    g_array_index(facts->routes, Route, 1).flags = ROUTE_DEAD;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    g_array_index(facts->routes, Route, 1).flags = 0;
    g_array_index(facts->routes, Route, 1).priority = 100;
    g_assert_cmpuint(route_choose(facts, &packet).hops, ==, 2);
}

static void test_refusals(void)
{
    static const guint8 types[] = {ROUTE_BLACKHOLE, ROUTE_UNREACHABLE, ROUTE_PROHIBIT};
    g_autoptr(Facts) facts = host_with_tables();
    Packet packet = packet_to("9.9.9.9");

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        add_route(facts, "9.9.9.0/24", 0, ROUTE_TABLE_MAIN)->type = types[i];
        assert_way(facts, &packet, ROUTE_WAY_REFUSED, 0);
        g_array_set_size(facts->routes, facts->routes->len - 1);
    }
    g_array_set_size(facts->routes, 0);
    assert_way(facts, &packet, ROUTE_WAY_NONE, 0);
}

static void test_rules(void)
{
    g_autoptr(Facts) facts = host_with_tables();
    Packet packet = packet_to("9.9.9.9");
    RouteRule *rule = add_rule(facts, 100, TABLE);

    add_rule(facts, 32766, ROUTE_TABLE_MAIN);
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    rule->iif = g_strdup("lo");
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    packet.in = NULL;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    rule->invert = TRUE;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    rule->invert = FALSE;
    rule->src = world_net_of("10.1.0.0/16");
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    rule->src = world_net_of("10.2.0.0/16");
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    rule->src.ip.family = 0;
    rule->dst = world_net_of("9.9.9.0/24");
    rule->protocol = IPPROTO_TCP;
    rule->dport = 20;
    rule->dport_last = 22;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    packet.dport = 23;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    packet.dport = 22;
    rule->protocol = IPPROTO_UDP;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    rule->protocol = 0;
    rule->oif = g_strdup("eth0");
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
}

static void test_rules_of_marks(void)
{
    g_autoptr(Facts) facts = host_with_tables();
    Packet packet = packet_to("9.9.9.9");
    RouteRule *rule = add_rule(facts, 100, TABLE);

    add_rule(facts, 32766, ROUTE_TABLE_MAIN);
    rule->mark = 0x10;
    rule->mark_mask = 0xf0;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    packet.mark = 0x1f;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    packet.mark_unknown = 0x10;
    assert_way(facts, &packet, ROUTE_WAY_UNKNOWN, 0);
    packet.mark_unknown = 0x01;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    rule->strange = TRUE;
    assert_way(facts, &packet, ROUTE_WAY_UNKNOWN, 0);
}

/* A default route by wg0 that main's own longer ones come before: as wg-quick(8) sets it up. */
static void test_suppressed(void)
{
    g_autoptr(Facts) facts = host_with_tables();
    Packet packet = packet_to("9.9.9.9");

    add_route(facts, "10.7.0.0/16", 2, ROUTE_TABLE_MAIN);
    add_rule(facts, 100, ROUTE_TABLE_MAIN)->suppress_prefix = 0;
    add_rule(facts, 101, TABLE);
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    packet.dst = world_ip_of("10.7.1.1");
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
}

static void test_goto(void)
{
    g_autoptr(Facts) facts = host_with_tables();
    Packet packet = packet_to("9.9.9.9");
    RouteRule *rule = add_rule(facts, 100, 0);

    rule->action = ROUTE_RULE_GOTO;
    rule->target = 200;
    add_rule(facts, 150, TABLE);
    add_rule(facts, 200, ROUTE_TABLE_MAIN);
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
    rule->action = ROUTE_RULE_NOP;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 3);
    rule->action = ROUTE_RULE_PROHIBIT;
    assert_way(facts, &packet, ROUTE_WAY_REFUSED, 0);
    add_route(facts, "9.9.9.0/24", 0, TABLE)->type = ROUTE_THROW;
    rule->action = ROUTE_RULE_NOP;
    assert_way(facts, &packet, ROUTE_WAY_OUT, 2);
}

/* ------------------------------------------------------------------------------------------ own addresses */

static void add_address(Facts *facts, guint ifindex, const char *cidr, guint8 scope, guint32 flags)
{
    LinkAddress address = {.ifindex = ifindex, .net = world_net_of(cidr), .scope = scope, .flags = flags};

    g_array_append_val(facts->addresses, address);
}

static void assert_own(const Facts *facts, guint ifindex, const char *next, const char *expected)
{
    Ip hop = world_ip_of(next);
    Ip own = {.family = 0};
    char text[IP_TEXT];

    g_assert_cmpint(route_own_address(facts, ifindex, &hop, &own), ==, expected != NULL);
    if (expected)
        g_assert_cmpstr(ip_format(&own, text), ==, expected);
}

static void test_own_address(void)
{
    g_autoptr(Facts) facts = world_new();

    assert_own(facts, 2, "192.0.2.254", NULL);
    add_address(facts, 5, "198.51.100.7/24", 0, 0);
    assert_own(facts, 2, "192.0.2.254", "198.51.100.7");
    add_address(facts, 2, "10.0.0.5/24", 0, 1);
    add_address(facts, 2, "10.0.0.2/24", 0, 0);
    add_address(facts, 2, "192.0.2.9/24", 0, 0);
    assert_own(facts, 2, "192.0.2.254", "192.0.2.9");
    assert_own(facts, 2, "10.0.0.1", "10.0.0.2");
    assert_own(facts, 2, "203.0.113.1", "10.0.0.2");
    add_address(facts, 2, "fe80::1/64", 253, 0);
    add_address(facts, 2, "2001:db8::9/64", 0, 0);
    assert_own(facts, 2, "2001:db8:1::1", "2001:db8::9");
}

static void test_text(void)
{
    g_autoptr(Facts) facts = host_with_tables();
    Route *route = world_route(facts, "10.9.0.0/16", 3);
    g_autofree char *plain = route_text(facts, route);
    g_autofree char *special = NULL;

    g_assert_cmpstr(plain, ==, "10.9.0.0/16 dev wg0");
    route->type = ROUTE_PROHIBIT;
    route->ifindex = 0;
    route->table = 7;
    special = route_text(facts, route);
    g_assert_cmpstr(special, ==, "prohibit 10.9.0.0/16 table 7");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rules/recorded", test_recorded);
    g_test_add_func("/rules/hostile", test_hostile);
    g_test_add_func("/choose/tables", test_tables_without_rules);
    g_test_add_func("/choose/metrics", test_metrics);
    g_test_add_func("/choose/refusals", test_refusals);
    g_test_add_func("/choose/rules", test_rules);
    g_test_add_func("/choose/marks", test_rules_of_marks);
    g_test_add_func("/choose/suppressed", test_suppressed);
    g_test_add_func("/choose/goto", test_goto);
    g_test_add_func("/own-address", test_own_address);
    g_test_add_func("/text", test_text);
    return g_test_run();
}
