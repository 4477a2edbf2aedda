/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-tools.h"

/* world_host: VM1 has 192.168.122.11 (lease) on vnet0, VM2 192.168.122.22; the host 192.168.122.1. */

static char *text_of(Facts *facts, const Flow *flow, const FlowScope *scope)
{
    g_autoptr(FlowNames) names = flow_tools_names(facts);
    g_autoptr(FlowRow) row = flow_row_new(names, flow, scope, facts->now);

    return row ? flow_tools_text(row) : g_strdup("nobody's");
}

static void assert_text(Facts *facts, const char *original, const char *reply, const char *expected)
{
    const Flow flow = flow_tools_make(original, reply);
    g_autofree char *text = text_of(facts, &flow, NULL);

    g_assert_cmpstr(text, ==, expected);
}

static void test_ends(void)
{
    g_autoptr(Facts) facts = world_host();
    const LinkAddress uplink = {.ifindex = 2, .net = world_net_of("203.0.113.2/24")};

    g_array_append_val(facts->addresses, uplink);
    /* Source NAT, with and without another port; none. */
    assert_text(facts, "192.168.122.11:4000 203.0.113.1:80", "203.0.113.1:80 203.0.113.2:1024",
                "VM1 vnet0 default: 192.168.122.11:4000 > 203.0.113.1:80 as 203.0.113.2:1024");
    assert_text(facts, "192.168.122.11:4000 203.0.113.1:80", "203.0.113.1:80 192.168.122.11:4000",
                "VM1 vnet0 default: 192.168.122.11:4000 > 203.0.113.1:80");
    /* The port alone. */
    assert_text(facts, "192.168.122.11:4000 203.0.113.1:80", "203.0.113.1:80 192.168.122.11:4001",
                "VM1 vnet0 default: 192.168.122.11:4000 > 203.0.113.1:80 as 192.168.122.11:4001");
    /* To the host itself, and from it. */
    assert_text(facts, "192.168.122.11:4000 192.168.122.1:53", "192.168.122.1:53 192.168.122.11:4000",
                "VM1 vnet0 default: 192.168.122.11:4000 > 192.168.122.1:53");
    assert_text(facts, "192.168.122.1:4000 192.168.122.11:22", "192.168.122.11:22 192.168.122.1:4000",
                "VM1 vnet0 default: 192.168.122.11:22 < 192.168.122.1:4000");
    /* A port of the host's that leads to a guest, which sees the caller; or the host in its stead. */
    assert_text(facts, "198.51.100.9:5000 203.0.113.2:8080", "192.168.122.11:80 198.51.100.9:5000",
                "VM1 vnet0 default: 192.168.122.11:80 < 198.51.100.9:5000 as 203.0.113.2:8080");
    assert_text(facts, "198.51.100.9:5000 203.0.113.2:8080", "192.168.122.11:80 192.168.122.1:5000",
                "VM1 vnet0 default: 192.168.122.11:80 < 198.51.100.9:5000 as 203.0.113.2:8080");
    /* Redirected on its way: the remote end is the one that it asked for. */
    assert_text(facts, "192.168.122.11:4000 203.0.113.1:80", "192.168.122.1:3128 192.168.122.11:4000",
                "VM1 vnet0 default: 192.168.122.11:4000 > 203.0.113.1:80");
    /* Without ports. */
    assert_text(facts, "192.168.122.11 203.0.113.1", "203.0.113.1 203.0.113.2",
                "VM1 vnet0 default: 192.168.122.11 > 203.0.113.1 as 203.0.113.2");
}

static void test_nobodys(void)
{
    g_autoptr(Facts) facts = world_host();

    assert_text(facts, "203.0.113.2:1 203.0.113.1:2", "203.0.113.1:2 203.0.113.2:1", "nobody's");
    assert_text(facts, "192.168.122.1:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.1:1", "nobody's");
    /* What is sent to all, and the subnet's own number. */
    assert_text(facts, "192.168.122.1:1 192.168.122.255:2", "192.168.122.255:2 192.168.122.1:1", "nobody's");
    assert_text(facts, "192.168.122.1:1 192.168.122.0:2", "192.168.122.0:2 192.168.122.1:1", "nobody's");
    assert_text(facts, "0.0.0.0:68 255.255.255.255:67", "255.255.255.255:67 0.0.0.0:68", "nobody's");
    /* In the subnet, and nobody is known by it. */
    assert_text(facts, "192.168.122.99:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.99:1",
                "- - default: 192.168.122.99:1 > 203.0.113.1:2");
    /* That of a network that is not active is no one's. */
    facts_network(facts, "default")->active = FALSE;
    assert_text(facts, "192.168.122.99:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.99:1", "nobody's");
}

/* A claim of the host's own address is none; of two claims the better evidence counts. */
static void test_claims(void)
{
    g_autoptr(Facts) facts = world_host();

    world_neighbour(facts, 10, "192.168.122.1", "52:54:00:00:00:01", NEIGHBOUR_REACHABLE);
    assert_text(facts, "192.168.122.1:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.1:1", "nobody's");
    world_neighbour(facts, 10, "192.168.122.11", "52:54:00:00:00:02", NEIGHBOUR_REACHABLE);
    assert_text(facts, "192.168.122.11:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.11:1",
                "VM1 vnet0 default: 192.168.122.11:1 > 203.0.113.1:2");
    world_neighbour(facts, 10, "192.168.122.200", "52:54:00:00:00:02", NEIGHBOUR_REACHABLE);
    assert_text(facts, "192.168.122.200:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.200:1",
                "VM2 vnet1 default: 192.168.122.200:1 > 203.0.113.1:2");
}

/* Between two guests one row, told from the side that is asked for. */
static void test_scope(void)
{
    g_autoptr(Facts) facts = world_host();
    const Flow flow =
        flow_tools_make("192.168.122.11:1 192.168.122.22:2", "192.168.122.22:2 192.168.122.11:1");
    const FlowScope first = {.domain = "VM1"}, second = {.domain = "VM2"}, third = {.domain = "VM3"};
    const FlowScope network = {.network = "default"}, other = {.network = "lab"};
    g_autofree char *all = text_of(facts, &flow, NULL);
    g_autofree char *of_first = text_of(facts, &flow, &first);
    g_autofree char *of_second = text_of(facts, &flow, &second);
    g_autofree char *of_third = text_of(facts, &flow, &third);
    g_autofree char *on_network = text_of(facts, &flow, &network);
    g_autofree char *on_other = text_of(facts, &flow, &other);

    g_assert_cmpstr(all, ==, "VM1 vnet0 default: 192.168.122.11:1 > 192.168.122.22:2 (VM2)");
    g_assert_cmpstr(of_first, ==, all);
    g_assert_cmpstr(of_second, ==, "VM2 vnet1 default: 192.168.122.22:2 < 192.168.122.11:1 (VM1)");
    g_assert_cmpstr(of_third, ==, "nobody's");
    g_assert_cmpstr(on_network, ==, all);
    g_assert_cmpstr(on_other, ==, "nobody's");
}

/* IPv6 has no address for all; of the two of a /127 neither is spare. */
static void test_edges(void)
{
    g_autoptr(Facts) facts = world_host();

    world_ip(facts_network(facts, "default"), "fd00:7::1/64", NULL, NULL);
    world_ip(facts_network(facts, "default"), "fd00:8::1/127", NULL, NULL);
    assert_text(facts, "[fd00:7::ffff:ffff:ffff:ffff]:1 [2001:db8::1]:2",
                "[2001:db8::1]:2 [fd00:7::ffff:ffff:ffff:ffff]:1",
                "- - default: fd00:7::ffff:ffff:ffff:ffff:1 > 2001:db8::1:2");
    assert_text(facts, "[fd00:7::]:1 [2001:db8::1]:2", "[2001:db8::1]:2 [fd00:7::]:1", "nobody's");
    assert_text(facts, "[fd00:8::]:1 [2001:db8::1]:2", "[2001:db8::1]:2 [fd00:8::]:1",
                "- - default: fd00:8:::1 > 2001:db8::1:2");
}

static void test_figures(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(FlowNames) names = flow_tools_names(facts);
    Flow flow = flow_tools_make("192.168.122.1:1 192.168.122.11:22", "192.168.122.11:22 192.168.122.1:1");
    g_autoptr(FlowRow) row = NULL;

    flow.sent_bytes = 100;
    flow.reply_bytes = 7;
    flow.sent_packets = 3;
    flow.started = (WORLD_NOW - 5) * G_USEC_PER_SEC;
    row = flow_row_new(names, &flow, NULL, facts->now);
    g_assert_cmpint(flow_row_bytes(row), ==, 107);
    g_assert_cmpint(flow_row_packets(row), ==, 3);
    /* The host began it: what it sent the guest received. */
    g_assert_cmpint(flow_row_sent(row), ==, 7);
    g_assert_cmpint(flow_row_received(row), ==, 100);
    g_assert_cmpint(row->age, ==, 5);
    row->flow.stopped = (WORLD_NOW - 3) * G_USEC_PER_SEC;
    flow_row_set_age(row, WORLD_NOW);
    g_assert_cmpint(row->age, ==, 2);
    /* A clock that was set back. */
    row->flow.stopped = 0;
    flow_row_set_age(row, WORLD_NOW - 60);
    g_assert_cmpint(row->age, ==, 0);
    row->flow.sent_bytes = row->flow.reply_bytes = -1;
    row->flow.started = 0;
    flow_row_set_age(row, WORLD_NOW);
    g_assert_cmpint(row->age, ==, -1);
    g_assert_cmpint(flow_row_bytes(row), ==, -1);
    row->flow.sent_bytes = row->flow.reply_bytes = G_MAXINT64;
    g_assert_cmpint(flow_row_bytes(row), ==, G_MAXINT64);
}

static void add(Facts *facts, const char *original, const char *reply, gint64 bytes, gint64 started)
{
    Flow flow = flow_tools_make(original, reply);

    flow.sent_bytes = bytes;
    flow.reply_bytes = bytes < 0 ? -1 : 0;
    flow.started = started;
    g_array_append_val(facts->flows, flow);
}

static void test_order(void)
{
    static const char *const expected[] = {"5", "4", "3", "2", "1", "0"};
    g_autoptr(Facts) facts = world_host();
    g_autoptr(FlowNames) names = flow_tools_names(facts);
    g_autoptr(GPtrArray) rows = NULL;

    add(facts, "192.168.122.11:1 203.0.113.1:0", "203.0.113.1:0 192.168.122.11:1", -1, 0);
    add(facts, "192.168.122.11:1 203.0.113.1:1", "203.0.113.1:1 192.168.122.11:1", -1, 9);
    add(facts, "192.168.122.22:1 203.0.113.1:2", "203.0.113.1:2 192.168.122.22:1", 0, 5);
    add(facts, "192.168.122.11:1 203.0.113.1:3", "203.0.113.1:3 192.168.122.11:1", 0, 5);
    add(facts, "192.168.122.22:1 203.0.113.1:4", "203.0.113.1:4 192.168.122.22:1", 0, 4);
    add(facts, "192.168.122.22:1 203.0.113.1:5", "203.0.113.1:5 192.168.122.22:1", 1, 0);
    add(facts, "203.0.113.7:1 203.0.113.1:6", "203.0.113.1:6 203.0.113.7:1", 1000, 1);
    rows = flow_rows(facts, names, NULL);
    g_assert_cmpuint(rows->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < rows->len; i++)
        g_assert_cmpuint(((const FlowRow *)rows->pdata[i])->remote_port, ==, (guint)atoi(expected[i]));
    /* A capture keeps the guests', and not too many. */
    g_assert_true(flows_keep_guests(facts, names, 2));
    g_assert_cmpuint(facts->flows->len, ==, 2);
    g_assert_false(flows_keep_guests(facts, names, 2));
}

static void test_names(void)
{
    Flow flow = flow_tools_make("10.0.0.1:1 10.0.0.2:2", "10.0.0.2:2 10.0.0.1:1");
    char buffer[FLOW_PROTOCOL_TEXT];

    g_assert_cmpstr(flow_protocol_name(6, buffer), ==, "tcp");
    g_assert_cmpstr(flow_protocol_name(17, buffer), ==, "udp");
    g_assert_cmpstr(flow_protocol_name(58, buffer), ==, "icmpv6");
    g_assert_cmpstr(flow_protocol_name(253, buffer), ==, "253");
    flow.state = 3;
    g_assert_cmpstr(flow_state_name(&flow), ==, "ESTABLISHED");
    flow.state = 10;
    g_assert_null(flow_state_name(&flow));
    flow.protocol = 132;
    flow.state = 4;
    g_assert_cmpstr(flow_state_name(&flow), ==, "ESTABLISHED");
    flow.protocol = 17;
    g_assert_null(flow_state_name(&flow));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flow-row/ends", test_ends);
    g_test_add_func("/flow-row/nobodys", test_nobodys);
    g_test_add_func("/flow-row/claims", test_claims);
    g_test_add_func("/flow-row/scope", test_scope);
    g_test_add_func("/flow-row/edges", test_edges);
    g_test_add_func("/flow-row/figures", test_figures);
    g_test_add_func("/flow-row/order", test_order);
    g_test_add_func("/flow-row/names", test_names);
    return g_test_run();
}
