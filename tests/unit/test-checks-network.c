/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <net/if.h>
#include <netinet/in.h>

/* Each test changes one thing of a host on which everything works. */

static void assert_findings(Facts *facts, const char *expected)
{
    g_autofree char *text = world_findings(facts);

    g_assert_cmpstr(text, ==, expected);
}

typedef struct {
    Facts *facts;
    Map *map;
    GPtrArray *findings;
} Result;

static void result_clear(Result *result)
{
    g_ptr_array_unref(result->findings);
    map_free(result->map);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

static Result run(Facts *facts)
{
    Result result = {.facts = facts, .map = map_join(facts)};

    result.findings = checks_run(facts, result.map, G_MAXUINT);
    return result;
}

static void assert_evidence(const Finding *finding, const char *expected)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < finding->evidence->len; i++)
        g_string_append_printf(text, "%s\n", (const char *)finding->evidence->pdata[i]);
    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, TRUE);
}

static void assert_has_evidence(const Finding *finding, const char *line)
{
    g_assert_true(g_ptr_array_find_with_equal_func(finding->evidence, line, g_str_equal, NULL));
}

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static Network *default_of(Facts *facts)
{
    return facts_network(facts, "default");
}

/* --------------------------------------------------------------------------------------- the whole */

static void test_healthy(void)
{
    g_autoptr(Facts) facts = world_host();

    assert_findings(facts, "");
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_REPLAYED, NULL);
    assert_findings(facts, "");
}

static void test_empty(void)
{
    g_autoptr(Facts) facts = world_new();

    assert_findings(facts, "");
}

/* Without facts there is no verdict: nothing that was not read may look like a fault. */
static void test_unread(void)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        g_autoptr(Facts) facts = world_host();

        source_status_set(&facts->sources[id], SOURCE_DOWN, NULL);
        if (id == SOURCE_LINKS)
            g_ptr_array_set_size(facts->links, 0);
        if (id == SOURCE_LEASES)
            g_ptr_array_set_size(facts->leases, 0);
        if (id == SOURCE_FIREWALL)
            g_ptr_array_set_size(facts->firewall, 0);
        if (id == SOURCE_PROCESSES)
            g_ptr_array_set_size(facts->dnsmasqs, 0);
        if (id == SOURCE_NEIGHBOURS)
            g_array_set_size(facts->neighbours, 0);
        assert_findings(facts, "");
    }
}

static void test_kinds(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) networks = NULL;
    g_autoptr(GPtrArray) interfaces = NULL;

    default_of(facts)->autostart = FALSE;
    facts_link(facts, 11)->flags = 0;
    networks = checks_run(facts, map, 1U << OBJECT_NETWORK);
    interfaces = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    g_assert_cmpuint(networks->len, ==, 1);
    g_assert_cmpstr(world_finding(networks, "network-no-autostart")->object, ==, "default");
    g_assert_cmpuint(interfaces->len, ==, 1);
    g_assert_cmpstr(world_finding(interfaces, "tap-down")->object, ==, "vnet0");
}

/* Worst first, then by network, object and id. */
static void test_order(void)
{
    g_autoptr(Facts) facts = world_host();

    facts_network(facts, "lab")->autostart = FALSE;
    default_of(facts)->autostart = FALSE;
    facts_link(facts, 20)->flags = 0;
    facts_link(facts, 12)->master = 0;
    facts_link(facts, 11)->mtu = 1400;
    facts_link(facts, 11)->flags = 0;
    assert_findings(facts, "critical tap-orphaned vnet1\n"
                           "critical bridge-down lab\n"
                           "warning network-no-autostart default\n"
                           "warning mtu-mismatch vnet0\n"
                           "warning tap-down vnet0\n"
                           "warning network-no-autostart lab\n");
}

static void test_table(void)
{
    guint count;
    const Check *table = check_table(&count);

    g_assert_cmpuint(count, >, 20);
    for (guint i = 0; i < count; i++) {
        g_assert_true(check_find(table[i].id) == &table[i]);
        g_assert_nonnull(table[i].run);
        g_assert_true((table[i].needs & (1U << SOURCE_LIBVIRT)) || table[i].kind == OBJECT_HOST);
        g_assert_true(g_ascii_islower(table[i].summary[0]));
    }
    g_assert_null(check_find("no-such-check"));
}

/* ---------------------------------------------------------------------------------------- networks */

static void test_inactive(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "one", "nat", "virbr0");

    network->active = FALSE;
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "network-inactive");

        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_cmpint(finding->kind, ==, OBJECT_NETWORK);
        g_assert_cmpstr(finding->object, ==, "one");
        g_assert_cmpstr(finding->network, ==, "one");
        g_assert_cmpstr(finding->message, ==, "network one is not active");
        g_assert_cmpstr(finding->remedy, ==, "vnat net-start one");
        g_assert_cmpint(finding->repair, ==, REPAIR_SAFE);
    }
    network->autostart = FALSE;
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "network-inactive");

        g_assert_cmpint(finding->level, ==, LEVEL_WARNING);
        g_assert_cmpint(finding->repair, ==, REPAIR_CONSENT);
    }
}

static void test_no_autostart(void)
{
    g_autoptr(Facts) facts = world_host();

    default_of(facts)->autostart = FALSE;
    assert_findings(facts, "warning network-no-autostart default\n");
    default_of(facts)->persistent = FALSE; /* transient: it cannot have it */
    assert_findings(facts, "");
}

static void test_bridge_missing(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "one", "nat", "virbr0");

    assert_findings(facts, "critical bridge-missing one\n");
    for (guint persistent = 0; persistent < 2; persistent++) {
        network->persistent = persistent;
        {
            g_auto(Result) result = run(facts);

            g_assert_cmpstr(world_finding(result.findings, "bridge-missing")->remedy, ==,
                            persistent ? "vnat net-destroy one && vnat net-start one"
                                       : "vnat net-dumpxml one >network.xml && vnat net-destroy one && "
                                         "virsh net-create network.xml");
        }
    }
    g_free(network->forward);
    network->forward = g_strdup("bridge"); /* then it is another's device */
    assert_findings(facts, "");
}

static void test_bridge_down(void)
{
    g_autoptr(Facts) facts = world_host();

    facts_link(facts, 10)->carrier = 0;
    assert_findings(facts, "");
    facts_link(facts, 10)->flags = 0;
    g_array_remove_index(facts->addresses, 0);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "bridge-down");

        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_cmpstr(finding->object, ==, "default");
        assert_evidence(finding, "missing: virbr0 is not up\n"
                                 "missing: address 192.168.122.1/24 on virbr0\n");
        g_assert_cmpint(finding->repair, ==, REPAIR_SAFE);
    }
}

/* The address, but with a prefix that leads others' packets there. */
static void test_bridge_prefix(void)
{
    g_autoptr(Facts) facts = world_host();

    g_array_index(facts->addresses, LinkAddress, 0).net.prefix = 16;
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "bridge-down");

        assert_evidence(finding, "missing: address 192.168.122.1/24 on virbr0\n");
        g_assert_cmpstr(finding->remedy, ==, "ip address add 192.168.122.1/24 dev virbr0");
    }
}

static void test_bridge_stale(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "one", "nat", "virbr0");
    Network *other = world_network(facts, "two", "nat", "virbr0");

    network->active = other->active = FALSE;
    network->autostart = other->autostart = FALSE;
    world_link(facts, 10, "virbr0", "bridge")->is_bridge = TRUE;
    assert_findings(facts, "critical bridge-name-clash one\n"
                           "critical bridge-name-clash two\n"
                           "warning bridge-stale one\n"
                           "warning network-inactive one\n"
                           "warning network-inactive two\n");
    /* The bridge is that of the one which is active. */
    other->active = TRUE;
    other->persistent = FALSE;
    assert_findings(facts, "critical bridge-name-clash one\n"
                           "critical bridge-name-clash two\n"
                           "warning network-inactive one\n");
}

static void test_stp_delay(void)
{
    g_autoptr(Facts) facts = world_host();
    Link *bridge = facts_link(facts, 10);

    bridge->bridge_info.forward_delay = 201;
    assert_findings(facts, "warning bridge-stp-delay default\n");
    bridge->bridge_info.stp = FALSE;
    assert_findings(facts, "");
}

/* ----------------------------------------------------------------------------------------- dnsmasq */

static void test_dnsmasq_dead(void)
{
    g_autoptr(Facts) facts = world_host();
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];

    /* With the process go its sockets. */
    dnsmasq->alive = FALSE;
    g_ptr_array_remove_range(facts->sockets, 0, 3);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "dnsmasq-dead");

        g_assert_cmpuint(result.findings->len, ==, 1);
        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_cmpstr(finding->object, ==, "default");
        assert_evidence(finding, "pid file says 1000, which is no dnsmasq of "
                                 "/var/lib/libvirt/dnsmasq/default.conf\n");
    }
    dnsmasq->pid = 0;
    {
        g_auto(Result) result = run(facts);

        assert_evidence(world_finding(result.findings, "dnsmasq-dead"),
                        "no pid file that names one, and no process with "
                        "/var/lib/libvirt/dnsmasq/default.conf\n");
    }
    dnsmasq->unknown = TRUE;
    assert_findings(facts, "");
    dnsmasq->unknown = FALSE;
    ((NetworkIp *)default_of(facts)->ips->pdata[0])->dhcp = FALSE;
    default_of(facts)->dns_enabled = FALSE; /* it needs none */
    assert_findings(facts, "");
}

static void test_dnsmasq_lost(void)
{
    g_autoptr(Facts) facts = world_host();
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];

    dnsmasq->lost = TRUE;
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "dnsmasq-lost");

        g_assert_cmpuint(result.findings->len, ==, 1);
        g_assert_cmpint(finding->level, ==, LEVEL_WARNING);
        g_assert_cmpint(finding->repair, ==, REPAIR_NEVER);
        assert_evidence(finding,
                        "pid 1000 has --conf-file=/var/lib/libvirt/dnsmasq/default.conf\n"
                        "/run/libvirt/network/default.pid is missing, or holds no number\n"
                        "a network daemon that is restarted does not find it, and so does not end it with "
                        "the network\n");
        g_assert_true(g_str_has_prefix(finding->remedy, "echo 1000 >/run/libvirt/network/default.pid; "));
    }
    dnsmasq->claimed = 7;
    {
        g_auto(Result) result = run(facts);

        assert_has_evidence(world_finding(result.findings, "dnsmasq-lost"),
                            "/run/libvirt/network/default.pid says 7");
    }
    dnsmasq->claimed = 0;
    replace(&default_of(facts)->name, "it's");
    replace(&dnsmasq->network, "it's");
    {
        g_auto(Result) result = run(facts);

        assert_has_evidence(world_finding(result.findings, "dnsmasq-lost"),
                            "/run/libvirt/network/it&apos;s.pid is missing, or holds no number");
    }
}

static void test_dnsmasq_not_listening(void)
{
    g_autoptr(Facts) facts = world_host();

    g_ptr_array_remove_index(facts->sockets, 2);
    g_ptr_array_remove_index(facts->sockets, 0);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "dnsmasq-not-listening");

        g_assert_cmpuint(result.findings->len, ==, 1);
        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        assert_evidence(finding, "missing: udp 192.168.122.1:53\nmissing: udp 0.0.0.0%virbr0:67\n");
        g_assert_cmpint(finding->repair, ==, REPAIR_SAFE);
    }
    facts->sockets_read = FALSE;
    assert_findings(facts, "");
}

static void test_port_conflict(void)
{
    g_autoptr(Facts) facts = world_host();
    Socket *socket = world_socket(facts, IPPROTO_UDP, "0.0.0.0", PORT_DNS, 0, 812);
    Network *network = default_of(facts);

    g_free(socket->program);
    socket->program = g_strdup("named");
    assert_findings(facts, "warning port-conflict default\nwarning port-conflict lab\n");
    g_ptr_array_remove_index(facts->networks, 1);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "port-conflict");

        assert_evidence(finding, "udp 0.0.0.0:53 (pid 812, named)\n");
        g_assert_cmpint(finding->repair, ==, REPAIR_NEVER);
    }
    /* Before it is started, the same is in its way. */
    network->active = FALSE;
    network->autostart = FALSE;
    g_ptr_array_set_size(facts->dnsmasqs, 0);
    g_ptr_array_remove_range(facts->sockets, 0, 3);
    g_ptr_array_set_size(facts->links, 0);
    g_array_set_size(facts->routes, 0);
    g_ptr_array_set_size(facts->domains, 0);
    assert_findings(facts, "critical port-conflict default\nwarning network-inactive default\n");
}

/* The daemon was restarted while the bridge was gone. */
static void test_port_conflict_left_behind(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = default_of(facts);
    Socket *socket;

    network->active = FALSE;
    network->autostart = FALSE;
    g_ptr_array_remove_index(facts->networks, 1);
    g_ptr_array_set_size(facts->links, 0);
    g_array_set_size(facts->routes, 0);
    g_ptr_array_set_size(facts->domains, 0);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "port-conflict");

        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_true(strstr(finding->message, "default itself was left behind") != NULL);
        assert_has_evidence(finding, "udp 192.168.122.1:53 (pid 1000, dnsmasq)");
        assert_has_evidence(finding,
                            "pid 1000 has --conf-file=/var/lib/libvirt/dnsmasq/default.conf: libvirt "
                            "has forgotten it");
        g_assert_cmpstr(finding->remedy, ==, "kill 1000 && vnat net-start default");
    }
    /* With the bridge gone it holds no socket, and takes it when there is one. */
    g_ptr_array_set_size(facts->sockets, 0);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "port-conflict");

        assert_evidence(finding,
                        "pid 1000 has --conf-file=/var/lib/libvirt/dnsmasq/default.conf: libvirt has "
                        "forgotten it\n");
        g_assert_cmpstr(finding->remedy, ==, "kill 1000 && vnat net-start default");
    }
    /* To end that one would not be enough. */
    socket = world_socket(facts, IPPROTO_UDP, "0.0.0.0", PORT_DNS, 0, 812);
    replace(&socket->program, "named");
    {
        g_auto(Result) result = run(facts);

        g_assert_true(g_str_has_prefix(world_finding(result.findings, "port-conflict")->remedy, "bind that"));
    }
}

static void test_nat_rules_missing(void)
{
    g_autoptr(Facts) facts = world_host();

    g_ptr_array_set_size(facts->firewall, 0);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "nat-rules-missing");

        g_assert_cmpuint(result.findings->len, ==, 3); /* and nothing lets packets through */
        /* A reload makes no chains. */
        g_assert_nonnull(strstr(finding->remedy, "systemctl restart"));
        assert_evidence(finding, "no rule to masquerade packets from 192.168.122.0/24, at hook "
                                 "postrouting of any table: none has rules there\n");
        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_cmpstr(finding->object, ==, "default");
    }
    /* Partial facts prove no absence. */
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_STALE, NULL);
    assert_findings(facts, "");
}

static FirewallTable *filter_of(Facts *facts)
{
    for (guint i = 0; i < facts->firewall->len; i++) {
        FirewallTable *table = facts->firewall->pdata[i];

        if (g_strcmp0(table->name, "filter") == 0)
            return table;
    }
    g_assert_not_reached();
}

static void test_forward_rules_missing(void)
{
    g_autoptr(Facts) facts = world_host();

    /* Back in to default; then all. */
    g_ptr_array_set_size(firewall_table_chain(filter_of(facts), "LIBVIRT_FWI")->rules, 0);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "forward-rules-missing");

        g_assert_cmpuint(result.findings->len, ==, 1);
        g_assert_nonnull(strstr(finding->remedy, "systemctl reload"));
        assert_evidence(finding,
                        "no rule to accept replies to 192.168.122.0/24 that go out by virbr0, at hook "
                        "forward of ip filter\n");
        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_cmpint(finding->repair, ==, REPAIR_SAFE);
        g_assert_cmpstr(finding->object, ==, "default");
    }
    g_ptr_array_set_size(firewall_table_chain(filter_of(facts), "FORWARD")->rules, 0);
    assert_findings(facts, "critical forward-rules-missing default\n"
                           "critical forward-rules-missing lab\n");
    default_of(facts)->active = FALSE;
    replace(&facts_network(facts, "lab")->forward, "open"); /* has none of libvirt's */
    {
        g_auto(Result) result = run(facts);

        for (guint i = 0; i < result.findings->len; i++)
            g_assert_cmpstr(((const Finding *)result.findings->pdata[i])->id, !=, "forward-rules-missing");
    }
    default_of(facts)->active = TRUE;
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_STALE, NULL);
    assert_findings(facts, "");
}

/* Of a network whose XML could not be read the list tells its states, and nothing else is known. */
static void test_xml_unread(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = world_network(facts, "bare", NULL, NULL);

    network->xml_read = FALSE;
    assert_findings(facts, "");
    network->active = FALSE;
    assert_findings(facts, "critical network-inactive bare\n");
}

/* ---------------------------------------------------------------------------------------- remedies */

static void assert_remedy(Facts *facts, const char *id, const char *expected)
{
    g_auto(Result) result = run(facts);

    g_assert_cmpstr(world_finding(result.findings, id)->remedy, ==, expected);
}

/* Pasted into a shell a name is one word, whatever is in it. */
static void test_remedy_names(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "my net; reboot", "nat", "virbr0");

    network->active = FALSE;
    assert_remedy(facts, "network-inactive", "vnat net-start 'my net; reboot'");
    replace(&network->name, "--help");
    assert_remedy(facts, "network-inactive", "vnat net-start -- --help");
    network->active = TRUE;
    network->autostart = FALSE;
    assert_remedy(facts, "network-no-autostart", "vnat net-autostart -- --help");
    assert_remedy(facts, "bridge-missing", "vnat net-destroy -- --help && vnat net-start -- --help");
}

static void test_remedy_bridge(void)
{
    g_autoptr(Facts) facts = world_host();

    facts_link(facts, 10)->flags = 0;
    assert_remedy(facts, "bridge-down", "ip link set virbr0 up");
    g_array_remove_index(facts->addresses, 0);
    assert_remedy(facts, "bridge-down",
                  "ip link set virbr0 up && ip address add 192.168.122.1/24 dev virbr0");
}

/* What is in use is not to be deleted. */
static void test_remedy_stale(void)
{
    static const char in_use[] = "give network one another bridge name: virbr0 is in use";
    g_autoptr(Facts) facts = world_new();
    Link *bridge;
    Domain *domain;

    world_network(facts, "one", "nat", "virbr0")->active = FALSE;
    bridge = world_link(facts, 10, "virbr0", "bridge");
    assert_remedy(facts, "bridge-stale", in_use); /* somebody's card of that name */
    bridge->is_bridge = TRUE;
    assert_remedy(facts, "bridge-stale", "ip link delete virbr0");
    facts->domains_complete = FALSE;
    assert_remedy(facts, "bridge-stale", in_use);
    facts->domains_complete = TRUE;
    domain = world_domain(facts, "VM", 1);
    world_nic(domain, NULL, "virbr0", "52:54:00:00:00:01", NULL);
    assert_remedy(facts, "bridge-stale", in_use);
    domain->id = -1;
    assert_remedy(facts, "bridge-stale", "ip link delete virbr0");
    world_tap(facts, 11, "vnet0", 10, NULL);
    assert_remedy(facts, "bridge-stale", in_use);
}

static void test_remedy_overlap(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = default_of(facts);

    world_route(facts, "192.168.122.0/24", 2);
    assert_remedy(facts, "subnet-overlap",
                  "vnat net-destroy default && vnat net-undefine default && "
                  "vnat net-start --template TEMPLATE -D subnet=auto default");
    network->template_name = g_strdup("nat");
    network->persistent = FALSE;
    assert_remedy(facts, "subnet-overlap",
                  "vnat net-destroy default && vnat net-start --template nat -D subnet=auto default");
    network->active = FALSE;
    network->persistent = TRUE;
    assert_remedy(facts, "subnet-overlap",
                  "vnat net-undefine default && vnat net-start --template nat -D subnet=auto default");
}

/* ----------------------------------------------------------------------------------------- subnets */

static void test_subnet_overlap(void)
{
    g_autoptr(Facts) facts = world_host();

    world_route(facts, "192.168.0.0/16", 3);
    {
        g_auto(Result) result = run(facts);
        const Finding *finding = world_finding(result.findings, "subnet-overlap");

        g_assert_cmpint(finding->level, ==, LEVEL_WARNING);
        g_assert_cmpstr(finding->message, ==,
                        "subnet 192.168.122.0/24 lies inside the route 192.168.0.0/16 of device wg0");
        assert_evidence(finding, "route 192.168.0.0/16 dev wg0 table main\n");
    }
    g_array_index(facts->routes, Route, facts->routes->len - 1).table = 51820;
    {
        g_auto(Result) result = run(facts);

        assert_evidence(world_finding(result.findings, "subnet-overlap"),
                        "route 192.168.0.0/16 dev wg0 table 51820\n");
    }
    /* Two ways by one device. */
    world_route(facts, "192.168.122.0/24", 2);
    world_route(facts, "192.168.122.0/24", 2);
    assert_findings(facts, "critical subnet-overlap default\nwarning subnet-overlap default\n");
}

static void test_subnet_of_networks(void)
{
    g_autoptr(Facts) facts = world_host();

    world_ip(facts_network(facts, "lab"), "192.168.122.129/25", NULL, NULL);
    assert_findings(facts, "critical subnet-overlap default\n"
                           "critical bridge-down lab\n" /* which lacks that address, so dnsmasq too */
                           "critical dnsmasq-not-listening lab\n"
                           "critical subnet-overlap lab\n");
}

static void test_bridge_name_clash(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *rival = world_network(facts, "rival", "route", "virbr0");
    Network *user = world_network(facts, "user", "bridge", "virbr1");

    rival->active = rival->autostart = FALSE;
    user->persistent = FALSE;
    assert_findings(facts, "critical bridge-name-clash default\n"
                           "critical bridge-name-clash rival\n"
                           "warning network-inactive rival\n");
    {
        g_auto(Result) result = run(facts);

        g_assert_cmpstr(((const Finding *)result.findings->pdata[0])->message, ==,
                        "networks default and rival both name bridge virbr0");
    }
}

/* -------------------------------------------------------------------------------------------- pool */

/* A range of a hundred addresses, so many of them leased. */
static Facts *pool_of(guint leases)
{
    Facts *facts = world_new();
    Network *network = world_network(facts, "default", "nat", "virbr0");

    world_ip(network, "192.168.122.1/24", "192.168.122.10", "192.168.122.109");
    world_bridge(facts, network, 10);
    world_dnsmasq(facts, network, 1000);
    world_masquerade(facts, "192.168.122.0/24");
    world_forward(facts, network);
    for (guint i = 0; i < leases; i++) {
        g_autofree char *ip = g_strdup_printf("192.168.122.%u", 10 + i);
        g_autofree char *mac = g_strdup_printf("52:54:00:00:00:%02x", i);

        world_lease(facts, "default", mac, ip, 60);
    }
    return facts;
}

static void test_pool(void)
{
    static const struct {
        guint leases;
        const char *expected;
    } cases[] = {{0, ""},
                 {79, ""},
                 {80, "warning dhcp-pool-low default\n"},
                 {94, "warning dhcp-pool-low default\n"},
                 {95, "critical dhcp-pool-low default\n"},
                 {100, "critical dhcp-pool-low default\n"}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = pool_of(cases[i].leases);

        assert_findings(facts, cases[i].expected);
    }
}

/* Of hosts that are reserved outside the range: they take what dnsmasq gives, and no address of the range. */
static void test_pool_reserved(void)
{
    g_autoptr(Facts) facts = pool_of(50);

    for (guint i = 0; i < 45; i++) {
        g_autofree char *ip = g_strdup_printf("192.168.122.%u", 150 + i);
        g_autofree char *mac = g_strdup_printf("52:54:00:00:01:%02x", i);

        if (i == 44)
            assert_findings(facts, "warning dhcp-pool-low default\n");
        world_lease(facts, "default", mac, ip, 60);
    }
    assert_findings(facts, "critical dhcp-pool-low default\n");
    {
        g_auto(Result) result = run(facts);

        g_assert_cmpstr(world_finding(result.findings, "dhcp-pool-low")->message, ==,
                        "DHCP of network default: 95 of the 100 leases that its dnsmasq gives are taken, "
                        "some outside the range");
    }
}

static void test_pool_expired(void)
{
    g_autoptr(Facts) facts = pool_of(100);

    for (guint i = 0; i < 21; i++)
        ((Lease *)facts->leases->pdata[i])->expiry = WORLD_NOW;
    assert_findings(facts, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checks/healthy", test_healthy);
    g_test_add_func("/checks/empty", test_empty);
    g_test_add_func("/checks/unread", test_unread);
    g_test_add_func("/checks/kinds", test_kinds);
    g_test_add_func("/checks/order", test_order);
    g_test_add_func("/checks/table", test_table);
    g_test_add_func("/checks/network-inactive", test_inactive);
    g_test_add_func("/checks/network-no-autostart", test_no_autostart);
    g_test_add_func("/checks/bridge-missing", test_bridge_missing);
    g_test_add_func("/checks/bridge-down", test_bridge_down);
    g_test_add_func("/checks/bridge-prefix", test_bridge_prefix);
    g_test_add_func("/checks/bridge-stale", test_bridge_stale);
    g_test_add_func("/checks/bridge-stp-delay", test_stp_delay);
    g_test_add_func("/checks/dnsmasq-dead", test_dnsmasq_dead);
    g_test_add_func("/checks/dnsmasq-lost", test_dnsmasq_lost);
    g_test_add_func("/checks/dnsmasq-not-listening", test_dnsmasq_not_listening);
    g_test_add_func("/checks/port-conflict", test_port_conflict);
    g_test_add_func("/checks/port-conflict/left-behind", test_port_conflict_left_behind);
    g_test_add_func("/checks/nat-rules-missing", test_nat_rules_missing);
    g_test_add_func("/checks/forward-rules-missing", test_forward_rules_missing);
    g_test_add_func("/checks/xml-unread", test_xml_unread);
    g_test_add_func("/checks/remedy/names", test_remedy_names);
    g_test_add_func("/checks/remedy/bridge-down", test_remedy_bridge);
    g_test_add_func("/checks/remedy/bridge-stale", test_remedy_stale);
    g_test_add_func("/checks/remedy/subnet-overlap", test_remedy_overlap);
    g_test_add_func("/checks/subnet-overlap", test_subnet_overlap);
    g_test_add_func("/checks/subnet-overlap/networks", test_subnet_of_networks);
    g_test_add_func("/checks/bridge-name-clash", test_bridge_name_clash);
    g_test_add_func("/checks/dhcp-pool-low", test_pool);
    g_test_add_func("/checks/dhcp-pool-low/expired", test_pool_expired);
    g_test_add_func("/checks/dhcp-pool-low/reserved", test_pool_reserved);
    return g_test_run();
}
