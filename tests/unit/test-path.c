/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/path.h"
#include "model/translation.h"
#include "packet-tools.h"
#include "views/path.h"
#include "world.h"

#include <net/if.h>

/* The ways of packets of the guests of world_host(), and what each fault makes of them. */

#define OUTSIDE "10.0.0.5" /* behind eth0 */

static void set_proc(Facts *facts, const char *path, const char *value)
{
    for (guint i = 0; i < facts->proc->len; i++) {
        ProcValue *known = facts->proc->pdata[i];

        if (strcmp(known->path, path) == 0) {
            g_free(known->value);
            known->value = g_strdup(value);
            return;
        }
    }
    g_ptr_array_add(facts->proc, proc_value_new(path, value));
}

static gint compare_values(gconstpointer a, gconstpointer b)
{
    return strcmp((*(ProcValue *const *)a)->path, (*(ProcValue *const *)b)->path);
}

/* What world_masquerade() leaves out, as few ask: that the chain translates. */
static void set_types(Facts *facts)
{
    for (guint i = 0; i < facts->firewall->len; i++) {
        FirewallTable *table = facts->firewall->pdata[i];

        for (guint k = 0; strcmp(table->name, "nat") == 0 && k < table->chains->len; k++) {
            FirewallChain *chain = table->chains->pdata[k];

            if (chain->hook) {
                chain->type = g_strdup("nat");
                chain->priority = 100;
            }
        }
    }
}

static Facts *host(void)
{
    Facts *facts = world_host();
    LinkAddress address = {.ifindex = 2, .net = world_net_of("10.0.0.7/24")};

    g_array_append_val(facts->addresses, address);
    world_route(facts, "10.0.0.7/32", 2)->table = 255;
    g_array_index(facts->routes, Route, facts->routes->len - 1).type = ROUTE_LOCAL;
    g_array_index(facts->routes, Route, facts->routes->len - 2).table = 255;
    set_proc(facts, "sys/net/ipv4/ip_forward", "1");
    set_proc(facts, "sys/net/ipv4/conf/all/rp_filter", "0");
    set_proc(facts, "sys/net/ipv4/conf/virbr0/rp_filter", "0");
    set_proc(facts, "sys/net/bridge/bridge-nf-call-iptables", "0");
    for (guint i = 0; i < facts->links->len; i++) {
        Link *link = facts->links->pdata[i];

        if (link->is_port)
            link->port_info.state = 3;
    }
    for (guint i = 0; i < facts->routes->len; i++) {
        Route *route = &g_array_index(facts->routes, Route, i);

        if (route->type != ROUTE_UNICAST)
            route->table = 255;
    }
    g_ptr_array_sort(facts->proc, compare_values);
    set_types(facts);
    return facts;
}

static Path *way_of(const Facts *facts, const char *domain, const char *peer, guint16 port, gboolean inbound)
{
    g_autoptr(Map) map = map_join(facts);
    const PathQuestion question = {
        .domain = domain,
        .peer = peer ? world_ip_of(peer) : (Ip){.family = 0},
        .protocol = port ? IPPROTO_TCP : 0,
        .port = port,
        .inbound = inbound,
    };
    g_autoptr(GError) error = NULL;
    Path *path = path_find(facts, map, &question, &error);

    g_assert_no_error(error);
    /* The row is the map's, which goes. */
    path->row = NULL;
    return path;
}

static void assert_way(const Facts *facts, PacketVerdict verdict, const char *sentence)
{
    g_autoptr(Path) path = way_of(facts, "VM1", OUTSIDE, 443, FALSE);

    if (path->verdict != verdict || !strstr(path->summary, sentence))
        g_test_message("%s: %s", path_verdict_name(path->verdict), path->summary);
    g_assert_cmpint(path->verdict, ==, verdict);
    g_assert_nonnull(strstr(path->summary, sentence));
}

static void test_healthy(void)
{
    g_autoptr(Facts) facts = host();

    assert_way(facts, PACKET_ACCEPT,
               "a TCP connection to port 443 from VM1 (192.168.122.11) to 10.0.0.5 gets through, as "
               "10.0.0.7, and its answer "
               "comes back");
}

/* Every hop of a way that works, in its order. */
static void test_hops(void)
{
    static const char *const expected[] = {
        "there pass tap vnet0",
        "there pass bridge virbr0",
        "there pass address 192.168.122.11",
        "there pass route forwarding",
        "there pass route 10.0.0.5",
        "there pass chain ip filter FORWARD",
        "there pass nat 192.168.122.11",
        "back pass route forwarding",
        "back pass route 192.168.122.11",
        "back pass chain ip filter FORWARD",
        "back pass bridge virbr0",
        "back pass tap vnet0",
    };
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) path = way_of(facts, "VM1", OUTSIDE, 443, FALSE);

    for (guint i = 0; i < path->hops->len; i++) {
        const PathHop *hop = path->hops->pdata[i];
        g_autofree char *text =
            g_strdup_printf("%s %s %s %s", path_leg_name(hop->leg), path_verdict_name(hop->verdict),
                            path_kind_name(hop->kind), hop->name);

        g_assert_cmpuint(i, <, G_N_ELEMENTS(expected));
        g_assert_cmpstr(text, ==, expected[i]);
    }
    g_assert_cmpuint(path->hops->len, ==, G_N_ELEMENTS(expected));
}

/* ---------------------------------------------------------------------------------------------- the tap */

static void test_tap(void)
{
    g_autoptr(Facts) facts = host();
    Link *tap = facts_link_named(facts, "vnet0");
    Link *bridge = facts_link_named(facts, "virbr0");

    tap->flags &= ~(guint32)IFF_UP;
    assert_way(facts, PACKET_DROP, "vnet0: it is down");
    tap->flags |= IFF_UP;
    tap->carrier = 0;
    assert_way(facts, PACKET_DROP, "vnet0: it has no carrier");
    tap->carrier = 1;
    tap->port_info.state = 1;
    assert_way(facts, PACKET_DROP, "vnet0: its port on virbr0 is listening");
    tap->port_info.state = 3;
    tap->master = 20;
    assert_way(facts, PACKET_DROP, "vnet0: it is on bridge virbr1, not on virbr0");
    tap->master = 0;
    assert_way(facts, PACKET_DROP, "vnet0: it is on no bridge");
    tap->master = 10;
    bridge->flags &= ~(guint32)IFF_UP;
    assert_way(facts, PACKET_DROP, "virbr0: it is down");
    bridge->flags |= IFF_UP;
    bridge->bridge_info.vlan_filtering = TRUE;
    assert_way(facts, PACKET_UNKNOWN, "virbr0: it filters VLANs");
    bridge->bridge_info.vlan_filtering = FALSE;
    g_array_set_size(facts->addresses, 0);
    assert_way(facts, PACKET_DROP, "virbr0: the guests' gateway is not whole");
}

static void test_address_unknown(void)
{
    g_autoptr(Facts) facts = host();

    g_ptr_array_set_size(facts->leases, 0);
    g_array_set_size(facts->neighbours, 0);
    assert_way(facts, PACKET_UNKNOWN, "no address of the guest is known");
}

/* --------------------------------------------------------------------------------------------- routes */

static void test_routes(void)
{
    g_autoptr(Facts) facts = host();
    Route *route;

    set_proc(facts, "sys/net/ipv4/ip_forward", "0");
    assert_way(facts, PACKET_DROP, "net.ipv4.ip_forward is 0");
    set_proc(facts, "sys/net/ipv4/ip_forward", NULL);
    assert_way(facts, PACKET_UNKNOWN, "net.ipv4.ip_forward was not read");
    set_proc(facts, "sys/net/ipv4/ip_forward", "1");
    route = world_route(facts, "10.0.0.5/32", 0);
    route->type = ROUTE_BLACKHOLE;
    assert_way(facts, PACKET_DROP, "10.0.0.5: refused by its route: blackhole 10.0.0.5");
    route->type = ROUTE_PROHIBIT;
    assert_way(facts, PACKET_REJECT, "refused by its route: prohibit");
    g_array_set_size(facts->routes, facts->routes->len - 1);
    facts_link_named(facts, "eth0")->carrier = 0;
    assert_way(facts, PACKET_DROP, "eth0 has no carrier");
    facts_link_named(facts, "eth0")->carrier = 1;
    world_neighbour(facts, 2, OUTSIDE, NULL, NEIGHBOUR_FAILED);
    assert_way(facts, PACKET_UNKNOWN, "10.0.0.5 did not answer");
    g_array_set_size(facts->neighbours, 0);
    g_array_set_size(facts->routes, 0);
    assert_way(facts, PACKET_DROP, "10.0.0.5: there is no route to it");
}

/* Another device has a route to the guest: nothing comes back, and where sources are checked nothing goes
 * out. */
static void test_overlap(void)
{
    g_autoptr(Facts) facts = host();

    world_route(facts, "192.168.122.8/29", 3);
    assert_way(facts, PACKET_DROP,
               "gets out, as 10.0.0.7, but its answer does not come back: 192.168.122.11: its route does not "
               "lead to virbr0");
    set_proc(facts, "sys/net/ipv4/conf/virbr0/rp_filter", "2");
    assert_way(facts, PACKET_DROP, "its answer does not come back");
    set_proc(facts, "sys/net/ipv4/conf/virbr0/rp_filter", "1");
    assert_way(facts, PACKET_DROP, "rp_filter of virbr0 refuses it");
    set_proc(facts, "sys/net/ipv4/conf/virbr0/rp_filter", "0");
    set_proc(facts, "sys/net/ipv4/conf/all/rp_filter", "1");
    assert_way(facts, PACKET_DROP, "rp_filter of virbr0 refuses it");
}

/* ---------------------------------------------------------------------------------------------- chains */

/* Both ways of a rule that nobody can evaluate lead to a drop; which rule it is remains open. */
static void assert_unsure(Facts *facts)
{
    g_autoptr(Path) path = NULL;
    const PathHop *last;

    add_nft(
        facts,
        "{\"table\":{\"family\":\"inet\",\"name\":\"g\",\"handle\":1}},"
        "{\"chain\":{\"family\":\"inet\",\"table\":\"g\",\"name\":\"c\",\"handle\":2,\"type\":\"filter\","
        "\"hook\":"
        "\"forward\",\"prio\":-5,\"policy\":\"drop\"}},"
        "{\"rule\":{\"family\":\"inet\",\"table\":\"g\",\"chain\":\"c\",\"handle\":3,\"expr\":["
        "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"cpu\"}},\"right\":0}},{\"drop\":null}]}}");
    path = way_of(facts, "VM1", OUTSIDE, 443, FALSE);
    last = path->hops->pdata[path->hops->len - 1];
    g_assert_cmpint(last->verdict, ==, PACKET_DROP);
    g_assert_cmpstr(last->detail, ==, "policy drop, or by an earlier rule that cannot be evaluated");
}

static void test_rules(void)
{
    g_autoptr(Facts) facts = host();

    add_nft(facts, "{\"table\":{\"family\":\"inet\",\"name\":\"f\",\"handle\":1}},"
                   "{\"chain\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"c\",\"handle\":2,\"type\":"
                   "\"filter\",\"hook\":\"forward\","
                   "\"prio\":5,\"policy\":\"drop\"}}");
    assert_way(facts, PACKET_DROP, "dropped by table inet f, chain c: policy drop");
    assert_unsure(facts);
    g_ptr_array_set_size(facts->firewall, 0);
    assert_way(facts, PACKET_DROP, "192.168.122.11: no rule translates it");
    g_free(facts_network(facts, "default")->forward);
    facts_network(facts, "default")->forward = g_strdup("route");
    assert_way(facts, PACKET_ACCEPT, "gets through, and its answer comes back");
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, "no rights");
    assert_way(facts, PACKET_UNKNOWN, "the rules were not read");
}

/* Rules without rights: what they translate is not known either, and an untranslated packet no fault. */
static void test_no_rights(void)
{
    g_autoptr(Facts) facts = host();

    g_ptr_array_set_size(facts->firewall, 0);
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, "no rights");
    assert_way(facts, PACKET_UNKNOWN, "prerouting: the rules were not read");
}

static void test_bridge_rules(void)
{
    g_autoptr(Facts) facts = host();

    add_nft(facts, "{\"table\":{\"family\":\"bridge\",\"name\":\"f\",\"handle\":1}},"
                   "{\"chain\":{\"family\":\"bridge\",\"table\":\"f\",\"name\":\"c\",\"handle\":2,\"type\":"
                   "\"filter\",\"hook\":\"forward\","
                   "\"prio\":5,\"policy\":\"drop\"}}");
    assert_way(facts, PACKET_ACCEPT, "gets through");
}

#define FRAMES(family, hook, more)                                                                           \
    "{\"table\":{\"family\":\"" family "\",\"name\":\"f\",\"handle\":1}},"                                   \
    "{\"chain\":{\"family\":\"" family "\",\"table\":\"f\",\"name\":\"c\",\"handle\":2,\"type\":\"filter\"," \
    "\"hook\":\"" hook "\",\"prio\":5,\"policy\":\"accept\"" more "}}"
#define FRAME_RULE(family, expr)                                                                             \
    ",{\"rule\":{\"family\":\"" family "\",\"table\":\"f\",\"chain\":\"c\",\"handle\":3,\"expr\":[" expr "]" \
    "}"                                                                                                      \
    "}"
#define FRAME_MATCH(left, right) "{\"match\":{\"op\":\"==\",\"left\":" left ",\"right\":" right "}},"
#define ETHER(type) FRAME_MATCH("{\"payload\":{\"protocol\":\"ether\",\"field\":\"type\"}}", "\"" type "\"")
#define DEVICE(key, name) FRAME_MATCH("{\"meta\":{\"key\":\"" key "\"}}", "\"" name "\"")
#define AT(device) ",\"dev\":\"" device "\""
#define BRIDGE(hook, matches) FRAMES("bridge", hook, "") FRAME_RULE("bridge", matches "{\"drop\":null}")
#define NETDEV(hook, device, matches)                                                                        \
    FRAMES("netdev", hook, AT(device)) FRAME_RULE("netdev", matches "{\"drop\":null}")
#define ARP(hook) FRAMES("arp", hook, "") FRAME_RULE("arp", "{\"drop\":null}")

/* A rule for frames that drops, and the sentence of VM1's way out, back, and to its neighbour VM2. */
static const struct {
    const char *rules, *outside, *neighbour;
} frame_cases[] = {
    {BRIDGE("prerouting", ETHER("ip") DEVICE("iifname", "vnet0")), "through: dropped by table bridge f",
     "through: dropped by table bridge f"},
    {BRIDGE("prerouting", ETHER("ip") DEVICE("iifname", "vnet1")), "gets through",
     "answer does not come back: dropped by table bridge f"},
    {BRIDGE("prerouting", ETHER("arp")), "through: the guest's ARP request is dropped by table bridge f",
     "through: the guest's ARP request is dropped by table bridge f"},
    {BRIDGE("input", ""), "through: the guest's ARP request is dropped", "gets through"},
    {BRIDGE("input", ETHER("ip")), "through: dropped by table bridge f", "gets through"},
    {BRIDGE("output", ETHER("arp")), "through: the answer to the guest's ARP request is dropped",
     "gets through"},
    {BRIDGE("output", ETHER("ip") DEVICE("oifname", "vnet0")), "answer does not come back: dropped by",
     "gets through"},
    {BRIDGE("forward", ""), "gets through", "through: the guest's ARP request is dropped"},
    {BRIDGE("forward", ETHER("ip") DEVICE("oifname", "vnet0")), "gets through",
     "answer does not come back: dropped by"},
    {BRIDGE("postrouting", ETHER("ip") DEVICE("oifname", "vnet1")), "gets through", "through: dropped by"},
    {NETDEV("ingress", "vnet0", ETHER("ip")), "through: dropped by table netdev f", "through: dropped by"},
    {NETDEV("ingress", "virbr0", ETHER("ip")), "through: dropped by table netdev f", "gets through"},
    {NETDEV("egress", "virbr0", ETHER("ip")), "answer does not come back: dropped by", "gets through"},
    {NETDEV("egress", "vnet1", ETHER("ip")), "gets through", "through: dropped by table netdev f"},
    {NETDEV("egress", "eth0", ""), "through: dropped by table netdev f", "gets through"},
    {NETDEV("ingress", "eth0", ""), "answer does not come back: dropped by table netdev f", "gets through"},
    {NETDEV("ingress", "eth9", ""), "gets through", "gets through"},
    {FRAMES("netdev", "ingress", "") FRAME_RULE("netdev", ETHER("ip") "{\"drop\":null}"),
     "is not known: vnet0: at which device a chain is could not be read: table netdev f, chain c",
     "is not known"},
    {ARP("input"), "through: the guest's ARP request is dropped by table arp f", "gets through"},
    {ARP("output"), "through: the answer to the guest's ARP request is dropped by table arp f",
     "gets through"},
};

static void test_frames(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(frame_cases); i++) {
        g_autoptr(Facts) facts = host();
        g_autoptr(Path) outside = NULL;
        g_autoptr(Path) neighbour = NULL;

        add_nft(facts, frame_cases[i].rules);
        outside = way_of(facts, "VM1", OUTSIDE, 443, FALSE);
        neighbour = way_of(facts, "VM1", "192.168.122.22", 22, FALSE);
        g_test_message("%s\n%s\n%s", frame_cases[i].rules, outside->summary, neighbour->summary);
        g_assert_nonnull(strstr(outside->summary, frame_cases[i].outside));
        g_assert_nonnull(strstr(neighbour->summary, frame_cases[i].neighbour));
    }
}

#define SOLICITATION FRAME_MATCH("{\"payload\":{\"protocol\":\"icmpv6\",\"field\":\"type\"}}", "135")
#define GROUP                                                                                                \
    FRAME_MATCH("{\"payload\":{\"protocol\":\"ether\",\"field\":\"daddr\"}}", "\"33:33:ff:00:00:01\"")       \
    FRAME_MATCH("{\"payload\":{\"protocol\":\"ip6\",\"field\":\"daddr\"}}", "\"ff02::1:ff00:1\"")

/* IPv6 asks by packets of its own, which the IP stack's rules see too. */
static void test_frames_ipv6(void)
{
    static const struct {
        const char *rules, *sentence;
    } cases[] = {
        {"", "gets through"},
        {BRIDGE("input", SOLICITATION GROUP),
         "the guest's neighbour solicitation is dropped by table bridge"},
        {FRAMES("ip6", "input", "") FRAME_RULE("ip6", SOLICITATION GROUP "{\"drop\":null}"),
         "the guest's neighbour solicitation is dropped by table ip6 f"},
        {BRIDGE("input", ETHER("arp")), "gets through"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = host();
        Network *network = facts_network(facts, "default");
        g_autoptr(Path) path = NULL;

        g_array_append_vals(
            facts->addresses,
            &(LinkAddress){.ifindex = 10, .net = world_ip(network, "fd00:122::1/64", NULL, NULL)->net}, 1);
        world_lease(facts, "default", "52:54:00:00:00:01", "fd00:122::11", 3000);
        world_route(facts, "fd00:122::/64", 10);
        world_route(facts, "fd00:122::1/128", 10)->type = ROUTE_LOCAL;
        g_array_index(facts->routes, Route, facts->routes->len - 1).table = 255;
        if (*cases[i].rules)
            add_nft(facts, cases[i].rules);
        path = way_of(facts, "VM1", "fd00:122::1", 80, FALSE);
        g_test_message("%s\n%s", cases[i].rules, path->summary);
        g_assert_nonnull(strstr(path->summary, cases[i].sentence));
    }
}

/* From outside this host asks for the guest, which need not have said a word. */
static void test_frames_inbound(void)
{
    static const struct {
        const char *rules, *sentence;
    } cases[] = {
        {ARP("output"), "through: the ARP request for the guest is dropped by table arp f"},
        {BRIDGE("input", ETHER("arp")), "through: the guest's answer to an ARP request is dropped by"},
        {NETDEV("egress", "vnet0", ETHER("ip")), "through: dropped by table netdev f"},
        {NETDEV("ingress", "vnet0", ETHER("ip")), "through: dropped by table netdev f"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = host();
        g_autoptr(Path) path = NULL;

        g_ptr_array_set_size(facts->firewall, 0);
        add_nft(facts, cases[i].rules);
        path = way_of(facts, "VM1", OUTSIDE, 22, TRUE);
        g_test_message("%s\n%s", cases[i].rules, path->summary);
        g_assert_nonnull(strstr(path->summary, cases[i].sentence));
    }
}

/* By which port of a bridge the uplink's frames go is not told; that a rule at one may refuse them is. */
static void test_frames_below(void)
{
    static const struct {
        const char *rules;
        PacketVerdict verdict;
    } cases[] = {
        {NETDEV("ingress", "eth1", ""), PACKET_UNKNOWN},
        {NETDEV("egress", "eth1", ""), PACKET_UNKNOWN},
        {NETDEV("ingress", "eth2", ""), PACKET_ACCEPT},
        {BRIDGE("prerouting", DEVICE("iifname", "eth1")), PACKET_UNKNOWN},
        {BRIDGE("input", DEVICE("iifname", "eth1")), PACKET_UNKNOWN},
        {BRIDGE("output", DEVICE("oifname", "eth1")), PACKET_UNKNOWN},
        {BRIDGE("postrouting", DEVICE("oifname", "eth1")), PACKET_UNKNOWN},
        {BRIDGE("forward", ""), PACKET_ACCEPT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = host();

        facts_link(facts, 2)->is_bridge = TRUE;
        world_link(facts, 60, "eth1", NULL)->master = 2;
        world_link(facts, 61, "eth2", NULL);
        add_nft(facts, cases[i].rules);
        g_test_message("%s", cases[i].rules);
        assert_way(facts, cases[i].verdict,
                   cases[i].verdict == PACKET_UNKNOWN ? "eth1: it may go by this device, and be refused there"
                                                      : "gets through");
    }
}

/* Of the question for a MAC only what does not pass is shown, of the packet every chain with a rule. */
static void test_frames_shown(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) path = NULL;
    guint shown = 0;

    add_nft(facts, FRAMES("bridge", "prerouting", "") FRAME_RULE("bridge", ETHER("vlan") "{\"drop\":null}"));
    path = way_of(facts, "VM1", OUTSIDE, 443, FALSE);
    for (guint i = 0; i < path->hops->len; i++) {
        const PathHop *hop = path->hops->pdata[i];

        shown += hop->frame;
        g_assert_null(hop->of);
    }
    g_assert_cmpuint(shown, ==, 1);
}

/* Without rights nobody knows what a bridge's rules do with a frame from guest to guest. */
static void test_frames_unread(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) path = NULL;

    g_ptr_array_set_size(facts->firewall, 0);
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, "no rights");
    path = way_of(facts, "VM1", "192.168.122.22", 22, FALSE);
    g_assert_nonnull(strstr(path->summary, "is not known: virbr0: the rules for its frames were not read"));
}

/* --------------------------------------------------------------------------------------------- neighbours */

static void test_neighbour(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) open = way_of(facts, "VM1", "192.168.122.22", 22, FALSE);
    g_autoptr(Path) isolated = NULL;
    g_autoptr(Path) nobody = NULL;

    g_assert_cmpint(open->verdict, ==, PACKET_ACCEPT);
    facts_link_named(facts, "vnet0")->port_info.isolated = TRUE;
    facts_link_named(facts, "vnet1")->port_info.isolated = TRUE;
    isolated = way_of(facts, "VM1", "192.168.122.22", 22, FALSE);
    g_assert_cmpint(isolated->verdict, ==, PACKET_DROP);
    g_assert_nonnull(strstr(isolated->summary, "the ports vnet0 and vnet1 are isolated from each other"));
    nobody = way_of(facts, "VM1", "192.168.122.99", 22, FALSE);
    g_assert_cmpint(nobody->verdict, ==, PACKET_UNKNOWN);
}

static void test_gateway(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) path = way_of(facts, "VM1", "192.168.122.1", 53, FALSE);

    g_assert_cmpint(path->verdict, ==, PACKET_ACCEPT);
    g_assert_cmpint(((const PathHop *)path->hops->pdata[3])->kind, ==, PATH_ROUTE);
    g_assert_cmpstr(((const PathHop *)path->hops->pdata[3])->detail, ==,
                    "this host's own: local 192.168.122.1/32 dev virbr0 table local");
}

/* The isolated network's own rules refuse what leaves it; the peer is the default one. */
static void test_isolated(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Map) map = map_join(facts);
    const PathQuestion question = {.domain = "VM2", .interface = "vnet2", .peer = world_ip_of(OUTSIDE)};
    g_autoptr(Path) path = path_find(facts, map, &question, NULL);

    g_assert_cmpint(path->verdict, ==, PACKET_DROP);
    g_assert_nonnull(strstr(path->summary, "vnet2: it has no carrier"));
}

/* What this host forwards for nobody. */
static void test_everybody(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) all = way_of(facts, "VM1", "192.168.122.255", 443, FALSE);
    g_autoptr(Path) group = way_of(facts, "VM1", "239.1.1.1", 443, FALSE);

    g_assert_cmpint(all->verdict, ==, PACKET_DROP);
    g_assert_nonnull(strstr(all->summary, "it is for everybody on virbr0"));
    g_assert_cmpint(group->verdict, ==, PACKET_DROP);
    g_assert_nonnull(strstr(group->summary, "it is for a group on virbr0"));
}

/* --------------------------------------------------------------------------------------------- inbound */

/* This host to its guest: by its own rules, and nothing stands in for anybody. */
static void test_from_host(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) open = way_of(facts, "VM1", "192.168.122.1", 22, TRUE);
    g_autoptr(Path) shut = NULL;

    g_assert_cmpint(open->verdict, ==, PACKET_ACCEPT);
    g_assert_true(open->from_host);
    g_assert_null(open->lesson);
    add_nft(facts, FRAMES("ip", "output", "") FRAME_RULE("ip", "{\"drop\":null}"));
    shut = way_of(facts, "VM1", "192.168.122.1", 22, TRUE);
    g_assert_nonnull(strstr(shut->summary, "a TCP connection to port 22 of VM1"));
    g_assert_nonnull(strstr(shut->summary, "dropped by table ip f"));
}

#define DNAT                                                                                                 \
    "{\"table\":{\"family\":\"ip\",\"name\":\"own\",\"handle\":1}},"                                         \
    "{\"chain\":{\"family\":\"ip\",\"table\":\"own\",\"name\":\"pre\",\"handle\":2,\"type\":\"nat\","        \
    "\"hook\":\"prerouting\","                                                                               \
    "\"prio\":-100,\"policy\":\"accept\"}},"                                                                 \
    "{\"rule\":{\"family\":\"ip\",\"table\":\"own\",\"chain\":\"pre\",\"handle\":3,\"expr\":["               \
    "{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}},\"right\":" \
    "2222}},"                                                                                                \
    "{\"dnat\":{\"addr\":\"192.168.122.11\",\"port\":22}}]}}"

static void test_inbound(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Path) path = way_of(facts, "VM1", OUTSIDE, 22, TRUE);
    g_autoptr(Path) closed = NULL;
    g_autoptr(Path) forwarded = NULL;
    g_autoptr(Path) other = NULL;

    /* world_forward() has no reject at the end of libvirt's chains. */
    g_assert_cmpint(path->verdict, ==, PACKET_ACCEPT);
    add_nft(facts, "{\"table\":{\"family\":\"inet\",\"name\":\"f\",\"handle\":1}},"
                   "{\"chain\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"c\",\"handle\":2,\"type\":"
                   "\"filter\",\"hook\":\"forward\","
                   "\"prio\":5,\"policy\":\"accept\"}},"
                   "{\"rule\":{\"family\":\"inet\",\"table\":\"f\",\"chain\":\"c\",\"handle\":3,\"expr\":["
                   "{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"status\"}},\"right\":\"dnat\"}},{"
                   "\"accept\":null}]}},"
                   "{\"rule\":{\"family\":\"inet\",\"table\":\"f\",\"chain\":\"c\",\"handle\":4,\"expr\":["
                   "{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":\"new\"}},"
                   "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":\"eth0\"}},"
                   "{\"reject\":null}]}}");
    closed = way_of(facts, "VM1", OUTSIDE, 22, TRUE);
    g_assert_cmpint(closed->verdict, ==, PACKET_REJECT);
    g_assert_nonnull(strstr(closed->lesson, "10.0.0.7 stands in for 192.168.122.11"));
    g_assert_cmpuint(closed->forwards->len, ==, 0);
    add_nft(facts, DNAT);
    forwarded = way_of(facts, "VM1", OUTSIDE, 2222, TRUE);
    g_assert_cmpint(forwarded->verdict, ==, PACKET_ACCEPT);
    g_assert_true(forwarded->forwarded);
    g_assert_cmpstr(forwarded->lesson, ==,
                    "a rule of this host leads what comes for 10.0.0.7 on to 192.168.122.11");
    /* Of another port it is only named. */
    other = way_of(facts, "VM1", OUTSIDE, 22, TRUE);
    g_assert_cmpint(other->verdict, ==, PACKET_REJECT);
    g_assert_cmpuint(other->forwards->len, ==, 1);
    g_assert_nonnull(strstr(other->forwards->pdata[0], "table ip own, chain pre"));
}

/* The rules of tables that were added, one translation a line: kind, addresses, ports. */
static char *translations_of(const Facts *facts)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];

        for (guint k = 0; k < table->chains->len; k++) {
            const FirewallChain *chain = table->chains->pdata[k];

            for (guint n = 0; n < chain->rules->len; n++) {
                Translation translation = translation_of(chain->rules->pdata[n]);
                const char *name = translation_name(translation.kind);
                char first[IP_TEXT] = "-";
                char last[IP_TEXT] = "-";

                if (translation.first.family) {
                    ip_format(&translation.first, first);
                    ip_format(&translation.last, last);
                }
                g_string_append_printf(text, "%s %s %s %u-%u%s\n", name ? name : "none", first, last,
                                       translation.port, translation.port_last,
                                       translation.untold ? " untold" : "");
            }
        }
    }
    return g_string_free(text, FALSE);
}

static void test_translations(void)
{
    g_autoptr(Facts) facts = world_new();
    g_autofree char *text = NULL;

    add_save(facts, FIREWALL_IPTABLES_NFT, "ip",
             "*nat\n:PREROUTING ACCEPT [0:0]\n"
             "-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90\n"
             "-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1\n"
             "-A PREROUTING -p tcp -j DNAT --to-destination :8080\n"
             "-A PREROUTING -p tcp -j REDIRECT --to-ports 81\n"
             "-A PREROUTING -p tcp -j MASQUERADE --to-ports 1024-65535\n"
             "-A PREROUTING -j SNAT --to-source 192.0.2.1 --random\n"
             "-A PREROUTING -j ACCEPT\nCOMMIT\n");
    add_save(facts, FIREWALL_IPTABLES_NFT, "ip6",
             "*nat\n:PREROUTING ACCEPT [0:0]\n"
             "-A PREROUTING -p tcp -j DNAT --to-destination [fd00::1]:80\n"
             "-A PREROUTING -j DNAT --to-destination fd00::1\nCOMMIT\n");
    add_nft(facts,
            "{\"table\":{\"family\":\"ip\",\"name\":\"t\",\"handle\":1}},"
            "{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"c\",\"handle\":2}},"
            "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"handle\":3,\"expr\":["
            "{\"snat\":{\"addr\":{\"range\":[\"192.0.2.1\",\"192.0.2.9\"]},\"port\":{\"range\":[1,2]}}}]}},"
            "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"handle\":4,\"expr\":["
            "{\"masquerade\":null}]}},"
            "{\"rule\":{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"handle\":5,\"expr\":["
            "{\"dnat\":{\"addr\":{\"map\":{\"key\":1,\"data\":2}}}}]}}");
    text = translations_of(facts);
    g_assert_cmpstr(text, ==,
                    "dnat 10.0.0.1 10.0.0.9 80-90\n"
                    "dnat 10.0.0.1 10.0.0.1 0-0\n"
                    "dnat - - 8080-8080\n"
                    "redirect - - 81-81\n"
                    "masquerade - - 1024-65535\n"
                    "snat 192.0.2.1 192.0.2.1 0-0\n"
                    "none - - 0-0\n"
                    "dnat fd00::1 fd00::1 80-80\n"
                    "dnat fd00::1 fd00::1 0-0\n"
                    "snat 192.0.2.1 192.0.2.9 1-2\n"
                    "masquerade - - 0-0\n"
                    "dnat - - 0-0 untold\n");
}

static void test_errors(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Map) map = map_join(facts);
    static const PathQuestion questions[] = {{.domain = "nobody"}, {.domain = "VM1", .interface = "vnet1"}};
    static const char *const messages[] = {"has no interface, or is not running", "has no interface 'vnet1'"};

    for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(path_find(facts, map, &questions[i], &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, messages[i]));
    }
}

/* An id goes before a name that looks like one, as for virsh. */
static void test_domain_id(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Map) map = NULL;
    Domain *first = facts->domains->pdata[0], *second = facts->domains->pdata[1];
    PathQuestion question = {.domain = "7"};

    first->id = 7;
    second->id = 8;
    for (guint i = 0; i < 2; i++) {
        g_autoptr(Path) path = NULL;

        map = map_join(facts);
        path = path_find(facts, map, &question, NULL);
        g_assert_cmpint(path->row->domain_id, ==, 7);
        g_clear_pointer(&map, map_free);
        g_free(second->name);
        second->name = g_strdup("7");
    }
}

/* No byte of others reaches the terminal as it is. */
static void test_text_is_escaped(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Map) map = NULL;
    const PathQuestion question = {.domain = "V\033[31m\n", .peer = world_ip_of(OUTSIDE)};
    const ViewContext view = {.now = WORLD_NOW};
    g_autoptr(Path) path = NULL;
    g_autofree char *text = NULL;
    gsize length;
    FILE *out;

    g_free(((Domain *)facts->domains->pdata[0])->name);
    ((Domain *)facts->domains->pdata[0])->name = g_strdup("V\033[31m\n");
    map = map_join(facts);
    path = path_find(facts, map, &question, NULL);
    g_assert_nonnull(path);
    out = open_memstream(&text, &length);
    path_write(out, path, FALSE, &view);
    fclose(out);
    g_assert_null(strchr(text, '\033'));
    g_assert_nonnull(strstr(text, "From V\\x1b[31m\\x0a to 10.0.0.5:\n"));
}

/* What nobody takes is refused, and by no rule. */
static void test_name_server(void)
{
    for (guint pass = 0; pass < 3; pass++) {
        g_autoptr(Facts) facts = host();
        g_autoptr(Path) path = NULL;

        if (pass > 0)
            g_ptr_array_set_size(facts->sockets, 0);
        facts->sockets_read = pass < 2;
        path = way_of(facts, "VM1", "192.168.122.1", 53, FALSE);
        g_assert_cmpint(path->verdict, ==, pass == 1 ? PACKET_REJECT : PACKET_ACCEPT);
        if (pass == 1)
            g_assert_nonnull(strstr(path->summary, "nobody listens on its TCP port 53"));
        g_clear_pointer(&path, path_free);
        /* Of another port it is not known. */
        path = way_of(facts, "VM1", "192.168.122.1", 80, FALSE);
        g_assert_cmpint(path->verdict, ==, PACKET_ACCEPT);
    }
}

/* ---------------------------------------------------------------------------------------------- checks */

static void add_finding(GPtrArray *findings, const char *id, ObjectKind kind, const char *object,
                        const char *uuid)
{
    Finding *finding = finding_new(id, LEVEL_CRITICAL, kind, object);

    finding->domain_uuid = g_strdup(uuid);
    if (kind == OBJECT_NETWORK)
        finding->network = g_strdup(object);
    finding_remedy(finding, "mend %s of %s", id, object);
    g_ptr_array_add(findings, finding);
}

static void assert_blamed(const Facts *facts, gboolean inbound, const char *checks, const char *remedy)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    g_autoptr(GString) named = g_string_new(NULL);
    g_autoptr(Map) map = map_join(facts);
    const PathQuestion question = {.domain = "VM1",
                                   .peer = world_ip_of(OUTSIDE),
                                   .protocol = IPPROTO_TCP,
                                   .port = 443,
                                   .inbound = inbound};
    g_autoptr(Path) path = path_find(facts, map, &question, NULL);
    const char *uuid;

    uuid = path->row->domain_uuid;
    add_finding(findings, "forward-blocked", OBJECT_NETWORK, "lab", NULL);
    add_finding(findings, "nat-rules-missing", OBJECT_NETWORK, "default", NULL);
    add_finding(findings, "tap-down", OBJECT_INTERFACE, "vnet7", uuid);
    add_finding(findings, "tap-missing", OBJECT_INTERFACE, "vnet0", "another's");
    add_finding(findings, "tap-down", OBJECT_INTERFACE, "vnet0", uuid);
    add_finding(findings, "tap-orphaned", OBJECT_INTERFACE, "vnet0", uuid);
    add_finding(findings, "ip-forward-off", OBJECT_HOST, "host", NULL);
    add_finding(findings, "conntrack-full", OBJECT_HOST, "host", NULL);
    path_blame(path, findings);
    for (guint i = 0; i < path->checks->len; i++)
        g_string_append_printf(named, "%s ", (const char *)path->checks->pdata[i]);
    g_assert_cmpstr(named->str, ==, checks);
    g_assert_cmpstr(path->remedy, ==, remedy);
}

/* Of what was found, that which is about the hop that refuses, and about this guest. */
static void test_blame(void)
{
    g_autoptr(Facts) facts = host();

    assert_blamed(facts, FALSE, "", NULL);
    facts_link_named(facts, "vnet0")->flags &= ~(guint32)IFF_UP;
    assert_blamed(facts, FALSE, "tap-down tap-orphaned ", "mend tap-down of vnet0");
    assert_blamed(facts, TRUE, "", NULL);
    facts_link_named(facts, "vnet0")->flags |= IFF_UP;
    set_proc(facts, "sys/net/ipv4/ip_forward", "0");
    assert_blamed(facts, FALSE, "ip-forward-off ", "mend ip-forward-off of host");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/healthy", test_healthy);
    g_test_add_func("/hops", test_hops);
    g_test_add_func("/tap", test_tap);
    g_test_add_func("/address-unknown", test_address_unknown);
    g_test_add_func("/routes", test_routes);
    g_test_add_func("/overlap", test_overlap);
    g_test_add_func("/rules", test_rules);
    g_test_add_func("/no-rights", test_no_rights);
    g_test_add_func("/bridge-rules", test_bridge_rules);
    g_test_add_func("/everybody", test_everybody);
    g_test_add_func("/from-host", test_from_host);
    g_test_add_func("/frames", test_frames);
    g_test_add_func("/frames/ipv6", test_frames_ipv6);
    g_test_add_func("/frames/inbound", test_frames_inbound);
    g_test_add_func("/frames/below", test_frames_below);
    g_test_add_func("/frames/shown", test_frames_shown);
    g_test_add_func("/frames/unread", test_frames_unread);
    g_test_add_func("/neighbour", test_neighbour);
    g_test_add_func("/gateway", test_gateway);
    g_test_add_func("/isolated", test_isolated);
    g_test_add_func("/inbound", test_inbound);
    g_test_add_func("/translations", test_translations);
    g_test_add_func("/errors", test_errors);
    g_test_add_func("/domain-id", test_domain_id);
    g_test_add_func("/name-server", test_name_server);
    g_test_add_func("/blame", test_blame);
    g_test_add_func("/text-is-escaped", test_text_is_escaped);
    return g_test_run();
}
