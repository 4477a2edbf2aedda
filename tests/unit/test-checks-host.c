/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "model/packet-guest.h"
#include "sources/firewall.h"
#include "world.h"

#include <netinet/in.h>
#include <string.h>

/* Each test changes one thing of a host on which everything works: tests/unit/world.h. */

#define assert_findings(facts, expected)                                                                     \
    G_STMT_START                                                                                             \
    {                                                                                                        \
        g_autofree char *text_ = world_findings(facts);                                                      \
                                                                                                             \
        g_assert_cmpstr(text_, ==, expected);                                                                \
    }                                                                                                        \
    G_STMT_END

static void set_proc(Facts *facts, const char *path, const char *value)
{
    for (guint i = 0; i < facts->proc->len; i++) {
        ProcValue *entry = facts->proc->pdata[i];

        if (strcmp(entry->path, path) == 0) {
            g_ptr_array_remove_index(facts->proc, i);
            break;
        }
    }
    g_ptr_array_add(facts->proc, proc_value_new(path, value));
}

#define BRIDGE_NF "sys/net/bridge/bridge-nf-call-iptables"

/* The host with the kernel's settings as libvirt leaves them, bridges asking the filter. */
static Facts *host(void)
{
    Facts *facts = world_host();

    set_proc(facts, "sys/net/ipv4/ip_forward", "1");
    set_proc(facts, "sys/net/ipv4/conf/virbr0/forwarding", "1");
    set_proc(facts, "sys/net/ipv6/conf/all/forwarding", "0");
    set_proc(facts, BRIDGE_NF, "1");
    set_proc(facts, "sys/net/bridge/bridge-nf-call-ip6tables", "1");
    set_proc(facts, "sys/net/netfilter/nf_conntrack_count", "70");
    set_proc(facts, "sys/net/netfilter/nf_conntrack_max", "100");
    return facts;
}

/* Adds a table of iptables, which the world has none of: mangle comes before filter. */
static void add_save(Facts *facts, FirewallShape shape, const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_save(text, strlen(text), shape, "ip", &error);

    g_assert_no_error(error);
    g_ptr_array_extend_and_steal(facts->firewall, tables);
}

static void add_nft(Facts *facts, const char *objects)
{
    g_autofree char *json =
        g_strdup_printf("{\"nftables\":[{\"metainfo\":{\"json_schema_version\":1}},%s]}", objects);
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_nft(json, strlen(json), &error);

    g_assert_no_error(error);
    g_ptr_array_extend_and_steal(facts->firewall, tables);
}

#define NFT_BASE(hook, rules)                                                                                \
    "{\"table\":{\"family\":\"inet\",\"name\":\"own\"}},"                                                    \
    "{\"chain\":{\"family\":\"inet\",\"table\":\"own\",\"name\":\"c\",\"type\":\"filter\",\"prio\":5,"       \
    "\"hook\":\"" hook "\",\"policy\":\"drop\"}}" rules
#define NFT_RULE(expr)                                                                                       \
    ",{\"rule\":{\"family\":\"inet\",\"table\":\"own\",\"chain\":\"c\",\"expr\":[" expr                      \
    ",{\"accept\":null}]}}"
#define NFT_MATCH(left, right) "{\"match\":{\"op\":\"==\",\"left\":{" left "},\"right\":" right "}}"
#define NFT_DPORT(protocol, port)                                                                            \
    NFT_RULE(NFT_MATCH("\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"dport\"}", port))
#define NFT_META(key, value) NFT_RULE(NFT_MATCH("\"meta\":{\"key\":\"" key "\"}", value))

/* Everything that a finding says, line by line. */
static char *finding_text(Facts *facts, const char *id)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, G_MAXUINT);
    const Finding *finding = world_finding(findings, id);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s %s %s/%s\n%s\n", level_name(finding->level),
                           repair_class_name(finding->repair), finding->object,
                           finding->network ? finding->network : "-", finding->message);
    for (guint i = 0; i < finding->evidence->len; i++)
        g_string_append_printf(text, "  %s\n", (const char *)finding->evidence->pdata[i]);
    g_string_append_printf(text, "%s\n", finding->remedy);
    return g_string_free(text, FALSE);
}

#define assert_finding(facts, id, expected)                                                                  \
    G_STMT_START                                                                                             \
    {                                                                                                        \
        g_autofree char *text_ = finding_text(facts, id);                                                    \
                                                                                                             \
        g_assert_cmpstr(text_, ==, expected);                                                                \
    }                                                                                                        \
    G_STMT_END

static void test_healthy(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Facts) unread = world_host();

    assert_findings(facts, "");
    assert_findings(unread, "");
}

/* The network, and with it its dnsmasq. */
static void stop(Facts *facts, const char *name)
{
    Network *network = facts_network(facts, name);
    const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);

    network->active = FALSE;
    for (guint i = facts->sockets->len; i-- > 0;) {
        if (((const Socket *)facts->sockets->pdata[i])->pid == dnsmasq->pid)
            g_ptr_array_remove_index(facts->sockets, i);
    }
    g_ptr_array_remove(facts->dnsmasqs, (gpointer)dnsmasq);
}

/* ---------------------------------------------------------------------------------------- forwarding */

static void test_forward_off(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Facts) bridge = host();
    g_autoptr(Facts) isolated = host();
    g_autoptr(Facts) inactive = host();

    set_proc(facts, "sys/net/ipv4/ip_forward", "0");
    set_proc(facts, "sys/net/ipv4/conf/virbr0/forwarding", "0");
    assert_finding(facts, "ip-forward-off",
                   "critical consent host/-\n"
                   "this host forwards no IPv4 packets: guests of default reach no other host\n"
                   "  net.ipv4.ip_forward is 0\n"
                   "sysctl -w net.ipv4.ip_forward=1\n");
    set_proc(bridge, "sys/net/ipv4/conf/virbr0/forwarding", "0");
    assert_finding(bridge, "ip-forward-off",
                   "critical consent host/default\n"
                   "this host forwards no IPv4 packets that come from bridge virbr0 of network default\n"
                   "  net.ipv4.conf.virbr0.forwarding is 0\n"
                   "sysctl -w net.ipv4.conf.virbr0.forwarding=1\n");
    {
        /* Dots as the separator would not tell what is the bridge's name. */
        g_autoptr(Facts) dotted = host();
        Network *network = facts_network(dotted, "default");

        g_free(network->bridge);
        network->bridge = g_strdup("br.1");
        set_proc(dotted, "sys/net/ipv4/conf/br.1/forwarding", "0");
        assert_finding(dotted, "ip-forward-off",
                       "critical consent host/default\n"
                       "this host forwards no IPv4 packets that come from bridge br.1 of network default\n"
                       "  net/ipv4/conf/br.1/forwarding is 0\n"
                       "sysctl -w net/ipv4/conf/br.1/forwarding=1\n");
    }
    /* Network lab is isolated, and nobody else needs it. */
    set_proc(isolated, "sys/net/ipv4/conf/virbr1/forwarding", "0");
    assert_findings(isolated, "");
    set_proc(inactive, "sys/net/ipv4/ip_forward", "0");
    stop(inactive, "default");
    assert_findings(inactive, "critical network-inactive default\nwarning bridge-stale default\n");
}

static void test_forward_off_ipv6(void)
{
    g_autoptr(Facts) facts = host();
    Network *network = facts_network(facts, "default");
    LinkAddress address = {.ifindex = 10};

    address.net = world_ip(network, "fd00:122::1/64", NULL, NULL)->net;
    g_array_append_val(facts->addresses, address);
    world_route(facts, "fd00:122::/64", 10);
    world_forward(facts, network);
    assert_finding(facts, "ip-forward-off",
                   "critical consent host/-\n"
                   "this host forwards no IPv6 packets: guests of default reach no other host\n"
                   "  net.ipv6.conf.all.forwarding is 0\n"
                   "sysctl -w net.ipv6.conf.all.forwarding=1\n");
}

/* ------------------------------------------------------------------------------------- forward-blocked */

static const char docker[] = "*mangle\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n"
                             "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
                             "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\nCOMMIT\n";

static void test_forward_policy(void)
{
    g_autoptr(Facts) facts = host();

    add_save(facts, FIREWALL_IPTABLES_NFT, docker);
    assert_findings(
        facts,
        "critical forward-blocked host\nwarning bridge-netfilter host\nwarning bridge-netfilter host\n");
    set_proc(facts, BRIDGE_NF, "0");
    assert_finding(
        facts, "forward-blocked",
        "critical never host/default\n"
        "guests of network default do not reach the outside by IPv4: chain FORWARD of table ip mangle "
        "refuses their packets\n"
        "  new connections to the outside: table ip mangle, chain FORWARD: policy drop\n"
        "  replies from the outside: table ip mangle, chain FORWARD: policy drop\n"
        "iptables -I FORWARD -i virbr0 -j ACCEPT && iptables -I FORWARD -o virbr0 -m conntrack --ctstate "
        "RELATED,ESTABLISHED -j ACCEPT\n");
}

/* Who made the chain tells what to do. */
static void test_forward_owner(void)
{
    static const struct {
        const char *text, *remedy;
    } cases[] = {
        {"*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n",
         "iptables -I DOCKER-USER -i virbr0 -j ACCEPT && iptables -I DOCKER-USER -o virbr0 -m conntrack "
         "--ctstate "
         "RELATED,ESTABLISHED -j ACCEPT"},
        {"*filter\n:FORWARD DROP [0:0]\n:ufw-before-forward - [0:0]\n-A FORWARD -j "
         "ufw-before-forward\nCOMMIT\n",
         "ufw route allow in on virbr0 && ufw route allow out on virbr0"},
        {"*filter\n:FORWARD ACCEPT [0:0]\n:FWDI_public - [0:0]\n-A FORWARD -j FWDI_public\n-A FWDI_public -j "
         "REJECT\n"
         "COMMIT\n",
         "firewall-cmd --zone=libvirt --change-interface=virbr0"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = host();
        g_autofree char *text = NULL;

        set_proc(facts, BRIDGE_NF, NULL);
        add_save(facts, FIREWALL_IPTABLES_NFT, cases[i].text);
        text = finding_text(facts, "forward-blocked");
        g_assert_nonnull(strstr(text, cases[i].remedy));
    }
}

static void test_forward_nft(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Facts) replies = host();

    set_proc(facts, BRIDGE_NF, NULL);
    add_nft(facts, NFT_BASE("forward", ""));
    assert_finding(
        facts, "forward-blocked",
        "critical never host/default\n"
        "guests of network default do not reach the outside by IPv4: chain c of table inet own refuses their "
        "packets\n"
        "  new connections to the outside: table inet own, chain c: policy drop\n"
        "  replies from the outside: table inet own, chain c: policy drop\n"
        "nft insert rule inet own c iifname virbr0 accept && nft insert rule inet own c oifname virbr0 ct "
        "state established,related accept\n");
    /* The way out alone is not enough. */
    set_proc(replies, BRIDGE_NF, NULL);
    add_nft(replies, NFT_BASE("forward", NFT_META("iifname", "\"virbr0\"")));
    assert_finding(
        replies, "forward-blocked",
        "critical never host/default\n"
        "guests of network default do not reach the outside by IPv4: chain c of table inet own refuses their "
        "packets\n"
        "  replies from the outside: table inet own, chain c: policy drop\n"
        "nft insert rule inet own c iifname virbr0 accept && nft insert rule inet own c oifname virbr0 ct "
        "state established,related accept\n");
}

static void bridges_ask_nobody(Facts *facts)
{
    set_proc(facts, BRIDGE_NF, NULL);
    set_proc(facts, "sys/net/bridge/bridge-nf-call-ip6tables", NULL);
}

/* What gets through in part, what is not certain, and what cannot be known is no finding. */
/* As ufw does it: echoes pass, and what belongs to a connection. */
static void test_forward_echo(void)
{
    g_autoptr(Facts) facts = host();

    bridges_ask_nobody(facts);
    add_save(facts, FIREWALL_IPTABLES_NFT,
             "*mangle\n:FORWARD DROP [0:0]\n"
             "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
             "-A FORWARD -p icmp -m icmp --icmp-type 8 -j ACCEPT\nCOMMIT\n");
    assert_findings(facts, "critical forward-blocked host\n");
}

static void test_forward_silence(void)
{
    static const char *const rules[] = {
        NFT_BASE("forward", NFT_META("iifname", "\"virbr0\"") NFT_META("oifname", "\"virbr0\"")),
        NFT_BASE("forward", NFT_META("l4proto", "\"tcp\"")),
        NFT_BASE("forward", NFT_META("cpu", "1")),
        NFT_BASE("output", ""),
    };
    g_autoptr(Facts) nowhere = host();

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(Facts) facts = host();

        bridges_ask_nobody(facts);
        add_nft(facts, rules[i]);
        g_test_message("%s", rules[i]);
        assert_findings(facts, "");
    }
    bridges_ask_nobody(nowhere);
    add_nft(nowhere, NFT_BASE("forward", ""));
    g_array_set_size(nowhere->routes, 0);
    assert_findings(nowhere, "");
}

/* Who asks for all that can be said hears of it. */
static void test_doubt(void)
{
    static const char *const ids[] = {"forward-blocked", "input-blocked", NULL};
    const CheckScope scope = {.ids = ids};
    g_autoptr(Facts) facts = host();
    g_autoptr(Map) map = map_join(facts);
    Health *health;

    add_nft(facts, NFT_BASE("forward", NFT_META("cpu", "1")));
    add_nft(facts, "{\"table\":{\"family\":\"inet\",\"name\":\"two\"}},{\"chain\":{\"family\":\"inet\","
                   "\"table\":\"two\",\"name\":\"i\",\"type\":\"filter\",\"prio\":5,\"hook\":\"input\","
                   "\"policy\":\"accept\"}},{\"rule\":{\"family\":\"inet\",\"table\":\"two\",\"chain\":\"i\","
                   "\"expr\":[" NFT_MATCH("\"meta\":{\"key\":\"cpu\"}", "1") ",{\"drop\":null}]}}");
    health = checks_examine(&scope, facts, map);
    for (guint i = 0; ids[i]; i++) {
        const Finding *finding = world_finding(health->findings, ids[i]);

        g_assert_cmpint(finding->level, ==, LEVEL_UNKNOWN);
        g_assert_nonnull(strstr(finding->message, "meta cpu 1"));
    }
    health_free(health);
}

#define NFT_IF(key, value) NFT_MATCH("\"meta\":{\"key\":\"" key "\"}", value)

/* One direction that is refused is enough, whatever becomes of the other. */
static void test_forward_half(void)
{
    static const char *const rules[] = {
        NFT_BASE("forward", NFT_RULE(NFT_IF("oifname", "\"virbr0\"") "," NFT_IF("cpu", "1"))),
        NFT_BASE("forward", NFT_RULE(NFT_IF("iifname", "\"virbr0\"") "," NFT_IF("cpu", "1"))),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(Facts) facts = host();

        bridges_ask_nobody(facts);
        add_nft(facts, rules[i]);
        assert_findings(facts, "critical forward-blocked host\n");
    }
}

/* Libvirt's own reject rules are told by forward-rules-missing. */
static void test_forward_own(void)
{
    g_autoptr(Facts) facts = host();

    set_proc(facts, BRIDGE_NF, NULL);
    add_save(facts, FIREWALL_IPTABLES_NFT,
             "*mangle\n:FORWARD ACCEPT [0:0]\n:LIBVIRT_FWO - [0:0]\n-A FORWARD -j LIBVIRT_FWO\n"
             "-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n");
    assert_findings(facts, "");
}

/* ---------------------------------------------------------------------------------------------- outside */

static void test_outside(void)
{
    g_autoptr(Facts) facts = host();
    Network *network = facts_network(facts, "default");
    Outside outside;

    /* A VPN's two halves take everything from the default route. */
    g_assert_true(packet_outside(facts, network, 4, &outside));
    g_assert_cmpstr(outside.device, ==, "wg0");
    g_assert_cmpuint(outside.peer.family, ==, 0);
    network->forward_dev = g_strdup("eth0");
    g_assert_true(packet_outside(facts, network, 4, &outside));
    g_assert_cmpstr(outside.device, ==, "eth0");
    g_free(network->forward_dev);
    network->forward_dev = g_strdup("eth9");
    g_assert_false(packet_outside(facts, network, 4, &outside));
    g_clear_pointer(&network->forward_dev, g_free);
    g_assert_false(packet_outside(facts, network, 6, &outside));
    g_array_set_size(facts->routes, 0);
    world_route(facts, "172.17.0.0/16", 30);
    world_route(facts, "192.168.122.0/24", 10);
    g_assert_false(packet_outside(facts, network, 4, &outside));
    world_route(facts, "10.9.0.0/24", 2);
    g_assert_true(packet_outside(facts, network, 4, &outside));
    g_assert_cmpstr(outside.device, ==, "eth0");
    {
        g_autofree char *peer = ip_to_string(&outside.peer);

        g_assert_cmpstr(peer, ==, "10.9.0.1");
    }
}

static void test_guest_address(void)
{
    g_autoptr(Facts) facts = host();
    const Network *network = facts_network(facts, "default");
    Ip ip;
    static const char *const wanted[] = {"192.168.122.2", "192.168.122.3", "192.168.122.2",
                                         "192.168.122.254"};

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        NetworkIp *own = network->ips->pdata[0];
        g_autofree char *text = NULL;

        if (i == 1)
            ((Lease *)facts->leases->pdata[0])->ip = world_ip_of("192.168.122.2");
        if (i == 2)
            g_array_set_size(own->ranges, 0);
        if (i == 3)
            own->net.ip = world_ip_of("192.168.122.255");
        g_assert_true(packet_guest_address(facts, network, 4, &ip));
        text = ip_to_string(&ip);
        g_assert_cmpstr(text, ==, wanted[i]);
    }
    g_assert_false(packet_guest_address(facts, network, 6, &ip));
}

/* Whether such a check finds something about network default, by IPv4. */
static gboolean is_found(Facts *facts, const char *id)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, G_MAXUINT);

    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];

        if (strcmp(finding->id, id) == 0 && g_strcmp0(finding->network, "default") == 0)
            return TRUE;
    }
    return FALSE;
}

/* What is refused to one guest, here the one that has a lease, or to all but one is somebody's intention. */
static void test_some_guests(void)
{
    static const struct {
        const char *hook, *op;
        gboolean input;
    } cases[] = {
        {"forward", "==", FALSE},
        {"forward", "!=", FALSE},
        {"input", "==", FALSE},
        /* A question for an address has none yet: it is refused to all. */
        {"input", "!=", TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = host();
        g_autofree char *rules = g_strdup_printf(
            "{\"table\":{\"family\":\"inet\",\"name\":\"own\"}},{\"chain\":{\"family\":\"inet\","
            "\"table\":\"own\",\"name\":\"c\",\"type\":\"filter\",\"prio\":5,\"hook\":\"%s\","
            "\"policy\":\"accept\"}},{\"rule\":{\"family\":\"inet\",\"table\":\"own\",\"chain\":\"c\","
            "\"expr\":[{\"match\":{\"op\":\"%s\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field\":"
            "\"saddr\"}},\"right\":\"192.168.122.11\"}}," NFT_IF("iifname",
                                                                 "\"virbr0\"") ","
                                                                               "{\"drop\":null}]}}",
            cases[i].hook, cases[i].op);

        bridges_ask_nobody(facts);
        add_nft(facts, rules);
        g_test_message("%s", rules);
        g_assert_false(is_found(facts, "forward-blocked"));
        g_assert_true(is_found(facts, "input-blocked") == cases[i].input);
    }
}

/* Without TCP nothing works, whatever becomes of questions for names. */
static void test_forward_tcp(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Facts) web = host();

    bridges_ask_nobody(facts);
    bridges_ask_nobody(web);
    add_nft(facts, NFT_BASE("forward", NFT_META("l4proto", "\"udp\"")));
    g_assert_true(is_found(facts, "forward-blocked"));
    add_nft(web, NFT_BASE("forward", NFT_DPORT("tcp", "443") NFT_RULE(NFT_IF("oifname", "\"virbr*\""))));
    g_assert_false(is_found(web, "forward-blocked"));
}

/* ---------------------------------------------------------------------------------------- input-blocked */

static void test_input(void)
{
    g_autoptr(Facts) facts = host();

    stop(facts, "lab");
    add_nft(facts, NFT_BASE("input", NFT_DPORT("udp", "67")));
    assert_finding(
        facts, "input-blocked",
        "critical never host/default\n"
        "what guests of network default ask this host for by IPv4 does not reach its dnsmasq: chain c of "
        "table inet own refuses it\n"
        "  DNS, UDP port 53: table inet own, chain c: policy drop\n"
        "nft insert rule inet own c iifname virbr0 meta l4proto '{ tcp, udp }' th dport '{ 53, 67, 547 }' "
        "accept\n");
}

static void test_input_all(void)
{
    g_autoptr(Facts) facts = host();

    add_nft(facts, NFT_BASE("input", ""));
    assert_findings(facts, "critical input-blocked host\n"   /* default */
                           "critical input-blocked host\n"   /* lab, IPv4 */
                           "critical input-blocked host\n"); /* lab, IPv6: DNS */
}

static void test_input_silence(void)
{
    static const char *const rules[] = {
        NFT_BASE("input", NFT_DPORT("udp", "67") NFT_DPORT("udp", "53")),
        NFT_BASE("input", NFT_META("iifname", "\"virbr*\"")),
        NFT_BASE("input", NFT_META("cpu", "1")),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(Facts) facts = host();

        add_nft(facts, rules[i]);
        assert_findings(facts, "");
    }
}

static void test_input_owner(void)
{
    g_autoptr(Facts) facts = host();
    g_autofree char *text = NULL;

    stop(facts, "lab");
    add_save(facts, FIREWALL_IPTABLES_NFT,
             "*filter\n:INPUT DROP [0:0]\n:ufw-user-input - [0:0]\n-A INPUT -j ufw-user-input\n"
             "-A ufw-user-input -p udp -m udp --dport 53 -j ACCEPT\nCOMMIT\n");
    text = finding_text(facts, "input-blocked");
    g_assert_nonnull(strstr(text, "  DHCP, UDP port 67: table ip filter, chain INPUT: policy drop (ufw)\n"
                                  "ufw allow in on virbr0\n"));
}

#define BRIDGE_BASE(hook, policy, rules)                                                                     \
    "{\"table\":{\"family\":\"bridge\",\"name\":\"own\"}},"                                                  \
    "{\"chain\":{\"family\":\"bridge\",\"table\":\"own\",\"name\":\"c\",\"type\":\"filter\",\"prio\":5,"     \
    "\"hook\":\"" hook "\",\"policy\":\"" policy "\"}}" rules
#define BRIDGE_DROP(matches)                                                                                 \
    ",{\"rule\":{\"family\":\"bridge\",\"table\":\"own\",\"chain\":\"c\",\"expr\":[" matches                 \
    "{\"drop\":null}]}}"

/* A packet to this host is a frame first. */
static void test_input_frames(void)
{
    static const char *const hooks[] = {
        BRIDGE_BASE("input", "accept", BRIDGE_DROP(NFT_IF("ibrname", "\"virbr0\"") ",")),
        BRIDGE_BASE("prerouting", "accept", BRIDGE_DROP(NFT_IF("iifname", "\"vnet*\"") ",")),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        g_autoptr(Facts) facts = host();
        g_autofree char *text = NULL;

        stop(facts, "lab");
        add_nft(facts, hooks[i]);
        text = finding_text(facts, "input-blocked");
        g_assert_nonnull(strstr(text,
                                "chain c of table bridge own refuses it\n  DHCP, UDP port 67: table bridge "
                                "own, chain c: "));
        g_assert_true(g_str_has_suffix(text, "\nnft insert rule bridge own c meta ibrname virbr0 accept\n"));
    }
}

/* Rules for the port of one guest, for other frames, for those that go elsewhere. */
static void test_input_frames_silence(void)
{
    static const char *const rules[] = {
        BRIDGE_BASE("input", "accept", BRIDGE_DROP(NFT_IF("iifname", "\"vnet0\"") ",")),
        BRIDGE_BASE("input", "accept", BRIDGE_DROP(NFT_IF("iif", "\"vnet0\"") ",")),
        BRIDGE_BASE("input", "accept", BRIDGE_DROP(NFT_IF("ibrname", "\"br0\"") ",")),
        BRIDGE_BASE("prerouting", "accept", BRIDGE_DROP(NFT_IF("protocol", "\"arp\"") ",")),
        BRIDGE_BASE("forward", "drop", ""),
        BRIDGE_BASE("output", "drop", ""),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(Facts) facts = host();

        add_nft(facts, rules[i]);
        g_test_message("%s", rules[i]);
        assert_findings(facts, "");
    }
}

/* ebtables' tables are not to be mixed with rules of nft. */
static void test_input_ebtables(void)
{
    g_autoptr(Facts) facts = host();
    g_autofree char *text = NULL;

    stop(facts, "lab");
    add_nft(facts, "{\"table\":{\"family\":\"bridge\",\"name\":\"filter\"}},"
                   "{\"chain\":{\"family\":\"bridge\",\"table\":\"filter\",\"name\":\"INPUT\","
                   "\"type\":\"filter\",\"prio\":-200,\"hook\":\"input\",\"policy\":\"drop\"}}");
    text = finding_text(facts, "input-blocked");
    g_assert_true(g_str_has_suffix(text, "\nebtables -t filter -I INPUT --logical-in virbr0 -j ACCEPT\n"));
}

/* ------------------------------------------------------------------------------------- bridge-netfilter */

static void test_bridged(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Facts) flag = host();
    g_autoptr(Facts) isolated = host();

    stop(facts, "lab");
    add_nft(facts, NFT_BASE("forward", NFT_META("oifname", "\"wg0\"") NFT_META("iifname", "\"wg0\"")));
    assert_finding(
        facts, "bridge-netfilter",
        "warning consent host/default\n"
        "guests of network default do not reach one another by IPv4: chain c of table inet own refuses their "
        "packets\n"
        "  net.bridge.bridge-nf-call-iptables is 1\n"
        "  from guest to guest: table inet own, chain c: policy drop\n"
        "sysctl -w net.bridge.bridge-nf-call-iptables=0\n");
    set_proc(facts, BRIDGE_NF, "0");
    assert_findings(facts, "critical network-inactive lab\nwarning bridge-stale lab\n");

    stop(flag, "lab");
    set_proc(flag, BRIDGE_NF, "0");
    facts_link(flag, 10)->bridge_info.nf_call_iptables = TRUE;
    add_nft(flag, NFT_BASE("forward", NFT_META("oifname", "\"wg0\"") NFT_META("iifname", "\"wg0\"")));
    assert_finding(
        flag, "bridge-netfilter",
        "warning consent host/default\n"
        "guests of network default do not reach one another by IPv4: chain c of table inet own refuses their "
        "packets\n"
        "  nf_call_iptables of the bridge is 1\n"
        "  from guest to guest: table inet own, chain c: policy drop\n"
        "ip link set virbr0 type bridge nf_call_iptables 0\n");
    /* Without the kernel's module the flag is nothing. */
    set_proc(flag, BRIDGE_NF, NULL);
    assert_findings(flag, "critical network-inactive lab\nwarning bridge-stale lab\n");

    stop(isolated, "lab");
    facts_network(isolated, "default")->port_isolated = TRUE;
    add_nft(isolated, NFT_BASE("forward", NFT_META("oifname", "\"wg0\"") NFT_META("iifname", "\"wg0\"")));
    assert_findings(isolated, "critical network-inactive lab\nwarning bridge-stale lab\n");
}

/* ----------------------------------------------------------------------------------------- the others */

static void test_mixed(void)
{
    g_autoptr(Facts) facts = host();
    g_autoptr(Facts) empty = host();

    add_save(facts, FIREWALL_IPTABLES_LEGACY,
             "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j LOG\nCOMMIT\n");
    assert_finding(
        facts, "iptables-mixed",
        "warning never host/-\n"
        "rules of legacy iptables and of nftables are both in force, and each packet meets both\n"
        "  legacy: ip nat\n"
        "  nftables: ip nat, ip filter\n"
        "see iptables-legacy-save; then choose one for every program: update-alternatives --config "
        "iptables\n");
    add_save(empty, FIREWALL_IPTABLES_LEGACY,
             "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\nCOMMIT\n");
    assert_findings(empty, "");
}

/* Without facts there is no verdict. */
static void test_unread(void)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        g_autoptr(Facts) facts = host();
        g_autofree char *text = NULL;
        guint needed = 1U << SOURCE_LIBVIRT | 1U << SOURCE_LINKS | 1U << SOURCE_FIREWALL;

        add_nft(facts,
                NFT_BASE("forward",
                         "") ",{\"chain\":{\"family\":\"inet\",\"table\":\"own\",\"name\":\"i\","
                             "\"type\":\"filter\",\"prio\":5,\"hook\":\"input\",\"policy\":\"drop\"}}");
        source_status_set(&facts->sources[id], SOURCE_DOWN, NULL);
        text = world_findings(facts);
        g_assert_true((strstr(text, "forward-blocked") != NULL) == !(needed & 1U << id));
        g_assert_true((strstr(text, "input-blocked") != NULL) == !(needed & 1U << id));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checks-host/healthy", test_healthy);
    g_test_add_func("/checks-host/forward-off", test_forward_off);
    g_test_add_func("/checks-host/forward-off-ipv6", test_forward_off_ipv6);
    g_test_add_func("/checks-host/forward-policy", test_forward_policy);
    g_test_add_func("/checks-host/forward-owner", test_forward_owner);
    g_test_add_func("/checks-host/forward-nft", test_forward_nft);
    g_test_add_func("/checks-host/forward-echo", test_forward_echo);
    g_test_add_func("/checks-host/forward-silence", test_forward_silence);
    g_test_add_func("/checks-host/doubt", test_doubt);
    g_test_add_func("/checks-host/forward-half", test_forward_half);
    g_test_add_func("/checks-host/forward-own", test_forward_own);
    g_test_add_func("/checks-host/outside", test_outside);
    g_test_add_func("/checks-host/guest-address", test_guest_address);
    g_test_add_func("/checks-host/input", test_input);
    g_test_add_func("/checks-host/input-all", test_input_all);
    g_test_add_func("/checks-host/input-silence", test_input_silence);
    g_test_add_func("/checks-host/some-guests", test_some_guests);
    g_test_add_func("/checks-host/forward-tcp", test_forward_tcp);
    g_test_add_func("/checks-host/input-owner", test_input_owner);
    g_test_add_func("/checks-host/input-frames", test_input_frames);
    g_test_add_func("/checks-host/input-frames-silence", test_input_frames_silence);
    g_test_add_func("/checks-host/input-ebtables", test_input_ebtables);
    g_test_add_func("/checks-host/bridged", test_bridged);
    g_test_add_func("/checks-host/mixed", test_mixed);
    g_test_add_func("/checks-host/unread", test_unread);
    return g_test_run();
}
