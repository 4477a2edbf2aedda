/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "world.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#define PID 1000

typedef struct {
    Facts *facts;
    Network *network;
    Link *bridge;
} Small;

/* One network with DNS and DHCP, its bridge at index 10. */
static Facts *small_new(Small *small)
{
    Facts *facts = world_new();

    small->facts = facts;
    small->network = world_network(facts, "default", "nat", "virbr0");
    world_ip(small->network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    small->bridge = world_bridge(facts, small->network, 10);
    return facts;
}

/* The strings, one a line. */
static char *joined(const GPtrArray *strings)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < strings->len; i++)
        g_string_append_printf(text, "%s\n", (const char *)strings->pdata[i]);
    return g_string_free(text, FALSE);
}

typedef Tri (*Question)(const Facts *facts, const Network *network, GPtrArray *missing);

static void assert_tri(Question question, const Small *small, Tri expected, const char *expected_missing)
{
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
    Tri answer = question(small->facts, small->network, missing);
    g_autofree char *text = joined(missing);

    g_assert_cmpint(answer, ==, expected);
    g_assert_cmpstr(text, ==, expected_missing);
    g_assert_cmpint(question(small->facts, small->network, NULL), ==, expected);
}

/* ------------------------------------------------------------------------------------------ bridge */

static void test_bridge_present(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    g_assert_cmpint(network_bridge_present(facts, small.network), ==, TRI_YES);
    small.bridge->is_bridge = FALSE;
    g_assert_cmpint(network_bridge_present(facts, small.network), ==, TRI_NO);
    g_ptr_array_set_size(facts->links, 0);
    g_assert_cmpint(network_bridge_present(facts, small.network), ==, TRI_NO);
}

/* Facts are facts also when older or recorded; without any, nothing is known. */
static void test_bridge_sources(void)
{
    for (guint state = SOURCE_UNREAD; state <= SOURCE_ABSENT; state++) {
        Small small;
        g_autoptr(Facts) facts = small_new(&small);
        gboolean has = state == SOURCE_LIVE || state == SOURCE_STALE || state == SOURCE_REPLAYED;

        source_status_set(&facts->sources[SOURCE_LINKS], state, NULL);
        g_assert_cmpint(network_bridge_present(facts, small.network), ==, has ? TRI_YES : TRI_UNKNOWN);
        assert_tri(network_bridge_up, &small, has ? TRI_YES : TRI_UNKNOWN, "");
    }
}

static void test_bridge_up(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    LinkAddress tentative = {.ifindex = 10, .flags = LINK_ADDRESS_TENTATIVE};

    /* No carrier before the first guest: neither that nor a tentative address is a fault. */
    small.bridge->carrier = 0;
    tentative.net = world_ip(small.network, "fd00::1/64", NULL, NULL)->net;
    g_array_append_val(facts->addresses, tentative);
    assert_tri(network_bridge_up, &small, TRI_YES, "");

    small.bridge->flags &= ~(guint32)IFF_UP;
    assert_tri(network_bridge_up, &small, TRI_NO, "virbr0 is not up\n");
    g_array_index(facts->addresses, LinkAddress, 0).ifindex = 2; /* on another device */
    assert_tri(network_bridge_up, &small, TRI_NO, "virbr0 is not up\naddress 192.168.122.1/24 on virbr0\n");
    g_ptr_array_set_size(facts->links, 0);
    assert_tri(network_bridge_up, &small, TRI_NO, "device virbr0\n");
}

static void test_bridge_id(void)
{
    Link link = {.bridge_info.id = {0x80, 0x00, 0x52, 0x54, 0x00, 0xa1, 0xb2, 0xc3}};
    g_autofree char *text = network_bridge_id(&link);

    g_assert_cmpstr(text, ==, "8000.525400a1b2c3");
}

/* --------------------------------------------------------------------------------------- listening */

static void test_listening(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    assert_tri(network_dnsmasq_listening, &small, TRI_UNKNOWN, ""); /* processes were not read */
    world_dnsmasq(facts, small.network, PID);
    assert_tri(network_dnsmasq_listening, &small, TRI_YES, "");
    g_assert_nonnull(network_dnsmasq(facts, small.network));
    facts->sockets_read = FALSE;
    assert_tri(network_dnsmasq_listening, &small, TRI_UNKNOWN, "");
}

static void test_listening_missing(void)
{
    static const char *const texts[] = {"udp 192.168.122.1:53\n", "tcp 192.168.122.1:53\n",
                                        "udp 0.0.0.0%virbr0:67\n"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        Small small;
        g_autoptr(Facts) facts = small_new(&small);

        world_dnsmasq(facts, small.network, PID);
        g_ptr_array_remove_index(facts->sockets, i);
        assert_tri(network_dnsmasq_listening, &small, TRI_NO, texts[i]);
    }
}

static void test_listening_dead(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    Dnsmasq *dnsmasq = world_dnsmasq(facts, small.network, PID);

    dnsmasq->alive = FALSE;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "");
    dnsmasq->unknown = TRUE;
    assert_tri(network_dnsmasq_listening, &small, TRI_UNKNOWN, "");
    dnsmasq->unknown = FALSE;
    dnsmasq->alive = TRUE;
    small.bridge->is_bridge = FALSE;
    assert_tri(network_dnsmasq_listening, &small, TRI_UNKNOWN, "");
}

/* What others hold is not its own; who holds it may be hidden from this user. */
static void test_listening_owner(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_dnsmasq(facts, small.network, PID);
    ((Socket *)facts->sockets->pdata[0])->pid = PID + 1;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp 192.168.122.1:53\n");
    ((Socket *)facts->sockets->pdata[0])->pid = 0;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp 192.168.122.1:53\n");
    facts->socket_owners_known = FALSE;
    assert_tri(network_dnsmasq_listening, &small, TRI_UNKNOWN, "");
    /* What is surely missing is missing, whatever else is hidden, before it or behind. */
    ((Socket *)facts->sockets->pdata[2])->pid = 0;
    ((Socket *)facts->sockets->pdata[1])->pid = PID + 1;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "tcp 192.168.122.1:53\n");
}

static void test_listening_device(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    world_dnsmasq(facts, small.network, PID);
    /* The bridge was made anew behind libvirt: the socket is bound to an index that is gone. */
    ((Socket *)facts->sockets->pdata[2])->ifindex = 9;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp 0.0.0.0%virbr0:67\n");
}

static void test_listening_ipv6(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    LinkAddress address = {.ifindex = 10, .flags = 0};

    address.net = world_ip(small.network, "fd00::1/64", "fd00::100", "fd00::1ff")->net;
    g_array_append_val(facts->addresses, address);
    world_dnsmasq(facts, small.network, PID);
    assert_tri(network_dnsmasq_listening, &small, TRI_YES, "");
    for (guint i = 0; i < 3; i++)
        g_ptr_array_remove_index(facts->sockets, facts->sockets->len - 1);
    assert_tri(network_dnsmasq_listening, &small, TRI_NO,
               "udp [fd00::1]:53\ntcp [fd00::1]:53\nudp [::]%virbr0:547\n");
    /* The DNS sockets need a usable address, the DHCP one does not. */
    small.bridge->carrier = 0;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp [::]%virbr0:547\n");
    small.bridge->carrier = 1;
    g_array_index(facts->addresses, LinkAddress, 1).flags = LINK_ADDRESS_TENTATIVE;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp [::]%virbr0:547\n");
    /* Nor can it be had where the bridge has it no more. */
    g_array_set_size(facts->addresses, 1);
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp [::]%virbr0:547\n");
}

static void test_listening_unwanted(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    NetworkIp *ip = small.network->ips->pdata[0];

    world_dnsmasq(facts, small.network, PID);
    g_ptr_array_set_size(facts->sockets, 0);
    small.network->dns_enabled = FALSE;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp 0.0.0.0%virbr0:67\n");
    g_array_set_size(ip->ranges, 0);
    assert_tri(network_dnsmasq_listening, &small, TRI_YES, "");
    ip->has_host = TRUE;
    assert_tri(network_dnsmasq_listening, &small, TRI_NO, "udp 0.0.0.0%virbr0:67\n");
}

/* ------------------------------------------------------------------------------------------ rivals */

static void assert_rivals(const Small *small, guint expected)
{
    g_autoptr(GPtrArray) rivals = network_port_rivals(small->facts, small->network);

    g_assert_cmpuint(rivals->len, ==, expected);
}

typedef struct {
    guint8 protocol;
    const char *ip;
    guint16 port;
    guint ifindex;
    gboolean v6only, rival;
} RivalCase;

static const RivalCase rival_cases[] = {
    {IPPROTO_UDP, "192.168.122.1", PORT_DNS, 0, FALSE, TRUE},
    {IPPROTO_TCP, "192.168.122.1", PORT_DNS, 0, FALSE, TRUE},
    {IPPROTO_UDP, "0.0.0.0", PORT_DNS, 0, FALSE, TRUE},
    {IPPROTO_UDP, "0.0.0.0", PORT_DNS, 10, FALSE, TRUE},
    {IPPROTO_UDP, "0.0.0.0", PORT_DNS, 2, FALSE, FALSE},
    {IPPROTO_UDP, "::", PORT_DNS, 0, FALSE, TRUE},
    {IPPROTO_UDP, "::", PORT_DNS, 0, TRUE, FALSE},
    {IPPROTO_UDP, "0.0.0.0", PORT_DHCP4, 0, FALSE, TRUE},
    {IPPROTO_UDP, "0.0.0.0", PORT_DHCP4, 2, FALSE, FALSE},
    {IPPROTO_TCP, "0.0.0.0", PORT_DHCP4, 0, FALSE, FALSE},
    {IPPROTO_UDP, "192.168.122.2", PORT_DNS, 0, FALSE, FALSE},
    {IPPROTO_UDP, "127.0.0.53", PORT_DNS, 1, FALSE, FALSE},
    {IPPROTO_UDP, "fd00::1", PORT_DNS, 0, FALSE, FALSE},
    {IPPROTO_UDP, "0.0.0.0", PORT_DHCP6, 0, FALSE, FALSE},
};

static void test_rivals(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rival_cases); i++) {
        const RivalCase *c = &rival_cases[i];
        Small small;
        g_autoptr(Facts) facts = small_new(&small);

        g_test_message("case %zu", i);
        world_dnsmasq(facts, small.network, PID);
        world_socket(facts, c->protocol, c->ip, c->port, c->ifindex, 7)->v6only = c->v6only;
        assert_rivals(&small, c->rival);
    }
}

/* An IPv4 wildcard takes nothing from an IPv6 address, and DHCP over IPv6 has a port of its own. */
static void test_rivals_ipv6(void)
{
    Small small;
    g_autoptr(Facts) facts = world_new();

    small = (Small){.facts = facts, .network = world_network(facts, "six", "nat", "virbr6")};
    world_ip(small.network, "fd00::1/64", "fd00::100", "fd00::1ff");
    small.bridge = world_bridge(facts, small.network, 10);
    world_dnsmasq(facts, small.network, PID);
    world_socket(facts, IPPROTO_UDP, "0.0.0.0", PORT_DNS, 0, 7);
    world_socket(facts, IPPROTO_UDP, "::", PORT_DHCP4, 0, 7);
    assert_rivals(&small, 0);
    world_socket(facts, IPPROTO_UDP, "::", PORT_DNS, 0, 7)->v6only = TRUE;
    assert_rivals(&small, 1);
}

/* Its own sockets are rivals to nobody, as far as they can be told. */
static void test_rivals_own(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    Dnsmasq *dnsmasq = world_dnsmasq(facts, small.network, PID);

    assert_rivals(&small, 0);
    for (guint i = 0; i < facts->sockets->len; i++)
        ((Socket *)facts->sockets->pdata[i])->pid = 0;
    facts->socket_owners_known = FALSE;
    assert_rivals(&small, 0);
    facts->socket_owners_known = TRUE;
    assert_rivals(&small, 3);
    /* Which process it is could not be read: then any of these may be its own. */
    dnsmasq->alive = FALSE;
    dnsmasq->unknown = TRUE;
    assert_rivals(&small, 0);
    dnsmasq->unknown = FALSE;
    assert_rivals(&small, 3);
}

/* One that just ends is not alive any more, and holds its sockets for a moment yet. */
static void test_rivals_ending(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    Dnsmasq *dnsmasq = world_dnsmasq(facts, small.network, PID);

    dnsmasq->alive = FALSE;
    for (guint i = 0; i < facts->sockets->len; i++)
        g_assert_cmpstr(((Socket *)facts->sockets->pdata[i])->program, ==, "dnsmasq");
    assert_rivals(&small, 0);
    /* Another's, which got the number. */
    for (guint i = 0; i < facts->sockets->len; i++) {
        Socket *socket = facts->sockets->pdata[i];

        g_free(socket->program);
        socket->program = g_strdup("named");
    }
    assert_rivals(&small, 3);
}

/* What the network had when it was active is in its way when it is not. */
static void test_rivals_left_behind(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    const Dnsmasq *dnsmasq = world_dnsmasq(facts, small.network, PID);

    g_assert_null(network_left_behind(facts, small.network));
    small.network->active = FALSE;
    g_assert_true(network_left_behind(facts, small.network) == dnsmasq);
    assert_rivals(&small, 3);
}

static void test_rivals_inactive(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    g_ptr_array_set_size(facts->links, 0);
    world_socket(facts, IPPROTO_UDP, "0.0.0.0", PORT_DHCP4, 2, 7);
    assert_rivals(&small, 0);
    world_socket(facts, IPPROTO_UDP, "0.0.0.0", PORT_DHCP4, 0, 7);
    assert_rivals(&small, 1);
    ((NetworkIp *)small.network->ips->pdata[0])->dhcp = FALSE;
    assert_rivals(&small, 0);
    world_socket(facts, IPPROTO_TCP, "0.0.0.0", PORT_DNS, 0, 7);
    assert_rivals(&small, 1);
    small.network->dns_enabled = FALSE;
    assert_rivals(&small, 0);
}

static void test_socket_text(void)
{
    g_autoptr(Facts) facts = world_new();
    Socket *socket = world_socket(facts, IPPROTO_UDP, "0.0.0.0", 53, 0, 812);
    g_autofree char *four = NULL;
    g_autofree char *six = NULL;
    g_autofree char *nameless = NULL;

    g_free(socket->program);
    socket->program = g_strdup("named");
    four = network_socket_text(socket);
    g_assert_cmpstr(four, ==, "udp 0.0.0.0:53 (pid 812, named)");
    socket = world_socket(facts, IPPROTO_TCP, "::1", 53, 0, 0);
    socket->uid = 33;
    six = network_socket_text(socket);
    g_assert_cmpstr(six, ==, "tcp [::1]:53 (uid 33)");
    /* A process whose name could not be read any more. */
    socket->pid = 814;
    nameless = network_socket_text(socket);
    g_assert_cmpstr(nameless, ==, "tcp [::1]:53 (uid 33)");
}

/* -------------------------------------------------------------------------------------------- rows */

static void test_rows(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(GPtrArray) rows = network_rows(facts);
    const NetworkRow *row = rows->pdata[0];
    g_autofree char *ports = joined(row->interfaces);

    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpstr(row->network->name, ==, "default");
    g_assert_cmpuint(row->link->ifindex, ==, 10);
    g_assert_cmpstr(ports, ==, "vnatp0\nvnet0\nvnet1\nvnet3\n");
    g_assert_cmpint(row->leases, ==, 3);
    g_assert_true(row->wants_dnsmasq);
    g_assert_cmpint(row->dnsmasq->pid, ==, 1000);
    g_assert_cmpint(row->dnsmasq_listening, ==, TRI_YES);
    g_assert_cmpint(row->nat, ==, TRI_YES);
    g_assert_cmpstr(row->backend, ==, "iptables");
    row = rows->pdata[1];
    g_assert_cmpint(row->leases, ==, 1);
    g_assert_cmpint(row->nat, ==, TRI_UNKNOWN);
    g_assert_cmpuint(row->pools->len, ==, 2);
    g_assert_cmpuint(((const NetworkPool *)row->pools->pdata[0])->size, ==, 100);
    g_assert_cmpint(((const NetworkPool *)row->pools->pdata[0])->leases, ==, 1);
    g_assert_cmpuint(((const NetworkPool *)row->pools->pdata[1])->size, ==, 0);
    g_assert_cmpint(((const NetworkPool *)row->pools->pdata[1])->leases, ==, 0);
}

/* What was not read is unknown, not none. */
static void test_rows_unread(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(GPtrArray) rows = NULL;
    const NetworkRow *row;

    source_status_set(&facts->sources[SOURCE_LINKS], SOURCE_UNREAD, NULL);
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_DOWN, NULL);
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, NULL);
    g_ptr_array_set_size(facts->dnsmasqs, 0);
    rows = network_rows(facts);
    row = rows->pdata[0];
    g_assert_null(row->interfaces);
    g_assert_cmpint(row->leases, ==, -1);
    g_assert_cmpint(((const NetworkPool *)row->pools->pdata[0])->leases, ==, -1);
    g_assert_null(row->dnsmasq);
    g_assert_cmpint(row->dnsmasq_listening, ==, TRI_UNKNOWN);
    g_assert_cmpint(row->nat, ==, TRI_UNKNOWN);
    g_assert_null(row->backend);
}

static void test_pool(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(GPtrArray) rows = NULL;
    NetworkIp *ip = small.network->ips->pdata[0];
    DhcpRange more = {.first = world_ip_of("192.168.122.1"), .last = world_ip_of("192.168.122.1")};
    const NetworkPool *pool;

    g_array_append_val(ip->ranges, more);
    world_lease(facts, "default", NULL, "192.168.122.5", 10);
    world_lease(facts, "default", NULL, "192.168.122.6", -10);
    world_lease(facts, "default", NULL, "192.168.122.7", 0);
    world_lease(facts, "default", NULL, "10.0.0.1", 10); /* of a subnet it had before */
    world_lease(facts, "other", NULL, "192.168.122.8", 10);
    rows = network_rows(facts);
    pool = ((const NetworkRow *)rows->pdata[0])->pools->pdata[0];
    g_assert_cmpuint(pool->size, ==, 254);
    g_assert_cmpint(pool->leases, ==, 2);
    g_assert_cmpint(((const NetworkRow *)rows->pdata[0])->leases, ==, 3);
}

/* Whose a lease is, where there is no UUID to tell: the network's of its name. */
static void test_pool_without_uuid(void)
{
    for (guint i = 0; i < 2; i++) {
        Small small;
        g_autoptr(Facts) facts = small_new(&small);
        g_autoptr(GPtrArray) rows = NULL;
        Lease *lease = world_lease(facts, "default", NULL, "192.168.122.5", 10);

        g_clear_pointer(i ? &lease->network_uuid : &small.network->uuid, g_free);
        world_lease(facts, "other", NULL, "192.168.122.6", 10);
        rows = network_rows(facts);
        g_assert_cmpint(((const NetworkRow *)rows->pdata[0])->leases, ==, 1);
    }
}

/* To have read none where not all could be read is not to know that there is none. */
static void test_pool_unread(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);

    for (gint leases = 0; leases < 2; leases++) {
        g_autoptr(GPtrArray) rows = NULL;

        small.network->leases_unread = TRUE;
        rows = network_rows(facts);
        g_assert_cmpint(((const NetworkRow *)rows->pdata[0])->leases, ==, leases ? leases : -1);
        g_ptr_array_unref(rows);
        small.network->leases_unread = FALSE;
        rows = network_rows(facts);
        g_assert_cmpint(((const NetworkRow *)rows->pdata[0])->leases, ==, leases);
        world_lease(facts, "default", NULL, "192.168.122.5", 10);
    }
}

/* A host reserved outside of the range has a lease that takes nothing from it. */
static void test_pool_outside(void)
{
    Small small;
    g_autoptr(Facts) facts = small_new(&small);
    g_autoptr(GPtrArray) rows = NULL;
    NetworkIp *ip = small.network->ips->pdata[0];
    DhcpRange *range = &g_array_index(ip->ranges, DhcpRange, 0);

    range->first = world_ip_of("192.168.122.100");
    range->last = world_ip_of("192.168.122.101");
    world_lease(facts, "default", NULL, "192.168.122.99", 10);
    world_lease(facts, "default", NULL, "192.168.122.100", 10);
    world_lease(facts, "default", NULL, "192.168.122.101", 10);
    world_lease(facts, "default", NULL, "192.168.122.102", 10);
    rows = network_rows(facts);
    g_assert_cmpint(((const NetworkPool *)((const NetworkRow *)rows->pdata[0])->pools->pdata[0])->leases, ==,
                    2);
    g_assert_cmpint(((const NetworkRow *)rows->pdata[0])->leases, ==, 4);
}

static void test_pool_saturates(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", "nat", "virbr0");
    NetworkIp *ip = world_ip(network, "fd00::1/64", "fd00::", "fd00::ffff:ffff:ffff:ffff");
    DhcpRange again = g_array_index(ip->ranges, DhcpRange, 0);
    g_autoptr(GPtrArray) rows = NULL;

    g_array_append_val(ip->ranges, again);
    rows = network_rows(facts);
    g_assert_cmpuint(((const NetworkPool *)((const NetworkRow *)rows->pdata[0])->pools->pdata[0])->size, ==,
                     G_MAXUINT64);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/network/bridge/present", test_bridge_present);
    g_test_add_func("/network/bridge/sources", test_bridge_sources);
    g_test_add_func("/network/bridge/up", test_bridge_up);
    g_test_add_func("/network/bridge/id", test_bridge_id);
    g_test_add_func("/network/listening", test_listening);
    g_test_add_func("/network/listening/missing", test_listening_missing);
    g_test_add_func("/network/listening/dead", test_listening_dead);
    g_test_add_func("/network/listening/owner", test_listening_owner);
    g_test_add_func("/network/listening/device", test_listening_device);
    g_test_add_func("/network/listening/ipv6", test_listening_ipv6);
    g_test_add_func("/network/listening/unwanted", test_listening_unwanted);
    g_test_add_func("/network/rivals", test_rivals);
    g_test_add_func("/network/rivals/ipv6", test_rivals_ipv6);
    g_test_add_func("/network/rivals/own", test_rivals_own);
    g_test_add_func("/network/rivals/ending", test_rivals_ending);
    g_test_add_func("/network/rivals/left-behind", test_rivals_left_behind);
    g_test_add_func("/network/rivals/inactive", test_rivals_inactive);
    g_test_add_func("/network/socket-text", test_socket_text);
    g_test_add_func("/network/rows", test_rows);
    g_test_add_func("/network/rows/unread", test_rows_unread);
    g_test_add_func("/network/pool", test_pool);
    g_test_add_func("/network/pool/without-uuid", test_pool_without_uuid);
    g_test_add_func("/network/pool/unread", test_pool_unread);
    g_test_add_func("/network/pool/outside", test_pool_outside);
    g_test_add_func("/network/pool/saturates", test_pool_saturates);
    return g_test_run();
}
