/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/network.h"
#include "redact-leaks.h"
#include "sources/capture.h"
#include "sources/redact-sources.h"
#include "world.h"

#include <glib/gstdio.h>
#include <net/if.h>
#include <netinet/in.h>

/* Whole hosts: every question has the same answer afterwards, and nothing of anybody is left. */

static const guint8 fixed_key[REDACT_KEY_BYTES + 1] = "a key that is the same each time";

/* --------------------------------------------------------------------------- texts behind a world */

static void put_attr(GString *xml, const char *name, const char *value)
{
    g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

    if (value)
        g_string_append_printf(xml, " %s='%s'", name, escaped);
}

static void put_ip(GString *xml, const NetworkIp *ip)
{
    char text[IP_TEXT], last[IP_TEXT];

    g_string_append_printf(xml, "<ip family='%s' address='%s' prefix='%u'>",
                           ip->net.ip.family == 4 ? "ipv4" : "ipv6", ip_format(&ip->net.ip, text),
                           ip->net.prefix);
    if (ip->dhcp)
        g_string_append(xml, "<dhcp>");
    for (guint i = 0; i < ip->ranges->len; i++) {
        const DhcpRange *range = &g_array_index(ip->ranges, DhcpRange, i);

        g_string_append_printf(xml, "<range start='%s' end='%s'/>", ip_format(&range->first, text),
                               ip_format(&range->last, last));
    }
    g_string_append_printf(xml, "%s</ip>", ip->dhcp ? "</dhcp>" : "");
}

static char *xml_of_network(const Network *network)
{
    GString *xml = g_string_new("<network>");
    g_autofree char *name = g_markup_escape_text(network->name, -1);

    g_string_append_printf(xml, "<name>%s</name><uuid>%s</uuid>", name, network->uuid);
    if (g_strcmp0(network->forward, "isolated") != 0)
        g_string_append_printf(xml, "<forward mode='%s'><nat ipv6='%s'/></forward>", network->forward,
                               network->nat_ipv6 ? "yes" : "no");
    g_string_append(xml, "<bridge");
    put_attr(xml, "name", network->bridge);
    g_string_append(xml, "/>");
    for (guint i = 0; i < network->ips->len; i++)
        put_ip(xml, network->ips->pdata[i]);
    g_string_append(xml, "</network>");
    return g_string_free(xml, FALSE);
}

static void put_interface(GString *xml, const DomainInterface *iface)
{
    char mac[MAC_TEXT];

    g_string_append_printf(xml, "<interface type='%s'><source", iface->type);
    put_attr(xml, "network", iface->network);
    put_attr(xml, "bridge", iface->bridge);
    g_string_append(xml, "/>");
    if (iface->has_mac)
        g_string_append_printf(xml, "<mac address='%s'/>", mac_format(&iface->mac, mac));
    if (iface->target) {
        g_string_append(xml, "<target");
        put_attr(xml, "dev", iface->target);
        g_string_append(xml, "/>");
    }
    if (iface->alias)
        g_string_append_printf(xml, "<alias name='%s'/>", iface->alias);
    if (iface->link == LINK_DOWN)
        g_string_append(xml, "<link state='down'/>");
    g_string_append(xml, "<model type='virtio'/></interface>");
}

static char *xml_of_domain(const Domain *domain)
{
    GString *xml = g_string_new(NULL);
    g_autofree char *name = g_markup_escape_text(domain->name, -1);
    g_autofree char *id = domain->id >= 0 ? g_strdup_printf(" id='%d'", domain->id) : g_strdup("");

    g_string_printf(xml, "<domain type='qemu'%s><name>%s</name><uuid>%s</uuid><devices>", id, name,
                    domain->uuid);
    for (guint i = 0; i < domain->interfaces->len; i++)
        put_interface(xml, domain->interfaces->pdata[i]);
    g_string_append(xml, "</devices></domain>");
    return g_string_free(xml, FALSE);
}

static char *save_of_tables(const GPtrArray *tables)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < tables->len; i++) {
        const FirewallTable *table = tables->pdata[i];

        g_string_append_printf(text, "*%s\n", table->name);
        for (guint j = 0; j < table->chains->len; j++) {
            const FirewallChain *chain = table->chains->pdata[j];

            g_string_append_printf(text, ":%s %s [0:0]\n", chain->name, chain->hook ? "ACCEPT" : "-");
        }
        for (guint j = 0; j < table->chains->len; j++) {
            const FirewallChain *chain = table->chains->pdata[j];

            for (guint k = 0; k < chain->rules->len; k++) {
                const FirewallRule *rule = chain->rules->pdata[k];
                g_autofree char *words = g_strjoinv(" ", rule->argv);

                g_string_append_printf(text, "-A %s %s\n", chain->name, words);
            }
        }
        g_string_append(text, "COMMIT\n");
    }
    return g_string_free(text, FALSE);
}

/* Gives the facts the texts that they would have been made of. */
static Facts *kept(Facts *facts)
{
    g_autofree char *save = save_of_tables(facts->firewall);

    facts->keep = TRUE;
    for (guint i = 0; i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        network->xml = xml_of_network(network);
    }
    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];

        if (domain->xml_read)
            domain->xml = xml_of_domain(domain);
    }
    g_ptr_array_add(facts->firewall_texts, firewall_text_new("iptables-nft-save", save));
    return facts;
}

/* ----------------------------------------------------------------------------------------- the same */

static void assert_renamed(Redactor *redactor, RedactKind kind, const char *before, const char *after)
{
    g_autofree char *token = redact_name(redactor, kind, before);

    g_assert_cmpstr(token, ==, after);
}

static void assert_addresses(Redactor *redactor, const MapRow *before, const MapRow *after)
{
    g_assert_cmpuint(before->addresses->len, ==, after->addresses->len);
    for (guint i = 0; i < before->addresses->len; i++) {
        const Address *address = before->addresses->pdata[i];
        const Address *other = after->addresses->pdata[i];
        Ip ip = address->ip;

        redact_ip(redactor, &ip);
        g_assert_true(ip_equal(&ip, &other->ip));
        g_assert_cmpint(address->prefix, ==, other->prefix);
        g_assert_cmpint(address->source, ==, other->source);
        g_assert_cmpuint(address->sources, ==, other->sources);
        g_assert_cmpint(address->has_expiry, ==, other->has_expiry);
        g_assert_cmpint(address->expiry, ==, other->expiry);
        assert_renamed(redactor, REDACT_HOST, address->hostname, other->hostname);
    }
}

static void assert_mac(Redactor *redactor, gboolean has, Mac before, const Mac *after)
{
    redact_mac(redactor, &before);
    g_assert_true(!has || mac_equal(&before, after));
}

static void assert_row(Redactor *redactor, const MapRow *before, const MapRow *after)
{
    g_autofree char *uuid = redact_uuid(redactor, before->domain_uuid);

    assert_renamed(redactor, REDACT_DOMAIN, before->domain, after->domain);
    g_assert_cmpstr(uuid, ==, after->domain_uuid);
    assert_renamed(redactor, REDACT_NETWORK, before->network, after->network);
    assert_renamed(redactor, REDACT_IFNAME, before->tap, after->tap);
    assert_renamed(redactor, REDACT_IFNAME, before->bridge, after->bridge);
    assert_renamed(redactor, REDACT_IFNAME, before->network_bridge, after->network_bridge);
    g_assert_cmpint(before->domain_id, ==, after->domain_id);
    g_assert_cmpint(before->domain_state, ==, after->domain_state);
    g_assert_cmpint(before->interface_known, ==, after->interface_known);
    g_assert_cmpuint(before->ifindex, ==, after->ifindex);
    g_assert_cmpint(before->has_mac, ==, after->has_mac);
    g_assert_cmpint(before->has_host_mac, ==, after->has_host_mac);
    assert_mac(redactor, before->has_mac, before->mac, &after->mac);
    assert_mac(redactor, before->has_host_mac, before->host_mac, &after->host_mac);
    g_assert_cmpstr(before->alias, ==, after->alias);
    g_assert_cmpstr(before->type, ==, after->type);
    g_assert_cmpstr(before->model, ==, after->model);
    g_assert_cmpint(before->link, ==, after->link);
    g_assert_cmpint(before->carrier, ==, after->carrier);
    g_assert_cmpuint(before->problems->len, ==, after->problems->len);
    assert_addresses(redactor, before, after);
}

/* Who has each lease, by its address and expiry. */
static void assert_leases(Redactor *redactor, const Map *before, const Map *after)
{
    g_assert_cmpuint(before->leases->len, ==, after->leases->len);
    for (guint i = 0; i < before->leases->len; i++) {
        const MapLease *lease = before->leases->pdata[i];
        Ip ip = lease->lease->ip;
        const MapLease *other = NULL;

        redact_ip(redactor, &ip);
        for (guint j = 0; j < after->leases->len && !other; j++) {
            const MapLease *candidate = after->leases->pdata[j];

            if (ip_equal(&candidate->lease->ip, &ip) && candidate->lease->expiry == lease->lease->expiry)
                other = candidate;
        }
        g_assert_nonnull(other);
        assert_renamed(redactor, REDACT_DOMAIN, lease->row ? lease->row->domain : NULL,
                       other->row ? other->row->domain : NULL);
    }
}

static void assert_network_row(Redactor *redactor, const NetworkRow *before, const NetworkRow *after)
{
    assert_renamed(redactor, REDACT_NETWORK, before->network->name, after->network->name);
    g_assert_cmpint(before->link != NULL, ==, after->link != NULL);
    g_assert_cmpuint(before->interfaces ? before->interfaces->len : 0, ==,
                     after->interfaces ? after->interfaces->len : 0);
    g_assert_cmpint(before->leases, ==, after->leases);
    g_assert_cmpint(before->dnsmasq_running, ==, after->dnsmasq_running);
    g_assert_cmpint(before->dnsmasq_listening, ==, after->dnsmasq_listening);
    g_assert_cmpint(before->nat, ==, after->nat);
    g_assert_cmpstr(before->backend, ==, after->backend);
    for (guint i = 0; i < before->pools->len; i++) {
        const NetworkPool *pool = before->pools->pdata[i];
        const NetworkPool *other = after->pools->pdata[i];

        g_assert_cmpuint(pool->size, ==, other->size);
        g_assert_cmpint(pool->leases, ==, other->leases);
    }
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    qsort(lines, g_strv_length(lines), sizeof(*lines), compare_lines);
    return g_strjoinv("\n", lines);
}

static void assert_findings(Redactor *redactor, Facts *before, Facts *after)
{
    g_autofree char *findings = world_findings(before);
    g_autofree char *others = world_findings(after);
    g_autofree char *expected = redact_text(redactor, findings);
    g_autofree char *expected_lines = sorted_lines(expected);
    g_autofree char *lines = sorted_lines(others);

    g_assert_cmpstr(lines, ==, expected_lines);
}

static void assert_same(Redactor *redactor, Facts *before, Facts *after)
{
    g_autoptr(Map) map = map_join(before);
    g_autoptr(Map) other = map_join(after);
    g_autoptr(GPtrArray) rows = network_rows(before);
    g_autoptr(GPtrArray) other_rows = network_rows(after);

    g_assert_cmpuint(map->rows->len, ==, other->rows->len);
    for (guint i = 0; i < map->rows->len; i++)
        assert_row(redactor, map->rows->pdata[i], other->rows->pdata[i]);
    assert_leases(redactor, map, other);
    g_assert_cmpuint(rows->len, ==, other_rows->len);
    for (guint i = 0; i < rows->len; i++)
        assert_network_row(redactor, rows->pdata[i], other_rows->pdata[i]);
    assert_findings(redactor, before, after);
}

/* -------------------------------------------------------------------------------------------- hosts */

static Network *network_of(Facts *facts, guint i)
{
    return facts->networks->pdata[i];
}

static void nothing(Facts *facts)
{
}

static void no_rules(Facts *facts)
{
    g_ptr_array_set_size(facts->firewall, 0);
}

static void tap_elsewhere(Facts *facts)
{
    facts_link_named(facts, "vnet0")->master = 30;
}

static void tap_missing(Facts *facts)
{
    g_ptr_array_remove(facts->links, facts_link_named(facts, "vnet1"));
}

static void route_overlaps(Facts *facts)
{
    world_route(facts, "192.168.122.128/25", 2);
    world_route(facts, "10.0.0.0/8", 3);
}

static void networks_overlap(Facts *facts)
{
    world_ip(network_of(facts, 1), "192.168.0.1/16", NULL, NULL);
}

static void one_bridge(Facts *facts)
{
    Network *network = world_network(facts, "zz", "nat", "virbr0");

    network->active = FALSE;
    world_ip(network, "10.77.0.1/24", "10.77.0.2", "10.77.0.9");
}

static void mac_twice(Facts *facts)
{
    Domain *domain = world_domain(facts, "VM9", 9);

    world_nic(domain, "default", "virbr0", "52:54:00:00:00:01", "vnet9");
    world_tap(facts, 19, "vnet9", 10, "52:54:00:00:00:01");
    world_learn(facts, 19, 10, "52:54:00:00:00:02");
}

static void strange_mac(Facts *facts)
{
    world_learn(facts, 12, 10, "aa:bb:cc:dd:ee:ff");
    facts_link_named(facts, "vnet0")->mac.bytes[5] = 0x77;
}

static void address_twice(Facts *facts)
{
    world_neighbour(facts, 10, "192.168.122.21", "52:54:00:00:00:88", NEIGHBOUR_REACHABLE)->confirmed = 1;
}

static void dnsmasq_gone(Facts *facts)
{
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];

    dnsmasq->alive = FALSE;
    world_socket(facts, IPPROTO_UDP, "192.168.122.1", PORT_DNS, 0, 4711)->program[0] = 'x';
}

static void pool_full(Facts *facts)
{
    for (guint i = 100; i < 200; i++) {
        g_autofree char *ip = g_strdup_printf("10.20.30.%u", i);

        world_lease(facts, "lab", NULL, ip, 100);
    }
}

static void domain_unread(Facts *facts)
{
    Domain *domain = world_domain(facts, "VM8", 8);

    domain->xml_read = FALSE;
    domain->xml_error = g_strdup("the domain 'VM8' did not answer");
    facts->domains_complete = FALSE;
}

static void link_down(Facts *facts)
{
    Domain *domain = facts->domains->pdata[0];
    DomainInterface *iface = domain->interfaces->pdata[0];

    iface->link = LINK_DOWN;
    facts_link_named(facts, "virbr0")->flags &= ~(guint)IFF_UP;
}

/* More than nine of each: the order by name is that of the numbers. */
static void many(Facts *facts)
{
    for (guint i = 0; i < 12; i++) {
        g_autofree char *name = g_strdup_printf("n%u", 30 - i);
        g_autofree char *bridge = g_strdup_printf("virbr%u", 100 + i);
        g_autofree char *cidr = g_strdup_printf("10.%u.0.1/24", 100 + i);
        g_autofree char *tap = g_strdup_printf("vnet%u", 100 + i);
        g_autofree char *mac = g_strdup_printf("52:54:00:01:00:%02x", i);
        Network *network = world_network(facts, name, "nat", bridge);
        Domain *domain = world_domain(facts, name, (gint)(100 + i));

        world_ip(network, cidr, NULL, NULL);
        world_bridge(facts, network, 200 + i);
        world_nic(domain, name, bridge, mac, tap);
        world_nic(domain, "default", "virbr0", mac, NULL);
        world_tap(facts, 300 + i, tap, 200 + i, mac);
    }
}

static void odd_names(Facts *facts)
{
    Network *network = world_network(facts, "my net & \"yours\"", "nat", "br-secret");
    Domain *domain = world_domain(facts, "default", 50);

    world_ip(network, "172.31.0.1/20", "172.31.1.2", "172.31.15.9");
    world_bridge(facts, network, 400);
    world_nic(domain, "my net & \"yours\"", "br-secret", "52:54:00:ab:cd:ef", "secret-tap");
    world_tap(facts, 401, "secret-tap", 400, "52:54:00:ab:cd:ef");
    world_lease(facts, "my net & \"yours\"", "52:54:00:ab:cd:ef", "172.31.2.2", 50)->hostname =
        g_strdup("\x1b[31m\xff");
    world_masquerade(facts, "172.31.0.0/20");
    world_forward(facts, network);
}

/* The rules speak of all bridges whose names begin so. */
static void rules_of_pattern(Facts *facts)
{
    Network *network = world_network(facts, "own", "isolated", "acme");
    Network *pattern = network_new();

    world_ip(network, "172.16.5.1/24", NULL, NULL);
    world_bridge(facts, network, 60);
    pattern->forward = g_strdup("isolated");
    pattern->bridge = g_strdup("acme+");
    world_ip(pattern, "172.16.5.1/24", NULL, NULL);
    world_forward(facts, pattern);
    network_free(pattern);
    g_assert_cmpint(firewall_forward_present(facts, network, NULL), ==, TRI_YES);
}

/* Wider than the bits that stay. */
static void wide_network(Facts *facts)
{
    Network *network = world_network(facts, "wide", "nat", "virbr8");
    Domain *domain = world_domain(facts, "VM5", 5);

    world_ip(network, "10.64.0.1/10", "10.64.7.2", "10.64.9.254");
    world_bridge(facts, network, 50);
    world_dnsmasq(facts, network, 5000);
    world_nic(domain, "wide", "virbr8", "52:54:00:00:00:05", "vnet5");
    world_tap(facts, 51, "vnet5", 50, "52:54:00:00:00:05");
    world_lease(facts, "wide", "52:54:00:00:00:05", "10.64.8.77", 100);
    world_lease(facts, "wide", "52:54:00:00:00:05", "10.127.8.77", 50);
    world_route(facts, "10.100.0.0/16", 2);
    world_masquerade(facts, "10.64.0.0/10");
}

/* Its IPv6 address is made of its MAC, and of several nets. */
static void ipv6_guest(Facts *facts)
{
    world_neighbour(facts, 20, "fd00:20::5054:ff:fe00:12", "52:54:00:00:00:12", NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "2001:db8::1:2:3:4", "52:54:00:00:00:01", NEIGHBOUR_REACHABLE);
}

static void (*const faults[])(Facts *facts) = {
    nothing,   no_rules,    tap_elsewhere, tap_missing,  route_overlaps,   networks_overlap, one_bridge,
    mac_twice, strange_mac, address_twice, dnsmasq_gone, pool_full,        domain_unread,    link_down,
    many,      odd_names,   ipv6_guest,    wide_network, rules_of_pattern,
};

static gint compare_networks(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Network *const *)a)->name, (*(Network *const *)b)->name);
}

static gint compare_domains(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Domain *const *)a)->name, (*(Domain *const *)b)->name);
}

/* As sources hand them out: by name. */
static Facts *host_with(void (*fault)(Facts *facts))
{
    Facts *facts = world_host();

    fault(facts);
    g_ptr_array_sort(facts->networks, compare_networks);
    g_ptr_array_sort(facts->domains, compare_domains);
    return kept(facts);
}

static void test_same_answers(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(Redactor) redactor = redactor_new(NULL);
        g_autoptr(Facts) before = host_with(faults[i]);
        g_autoptr(Facts) after = host_with(faults[i]);

        redact_facts(after, redactor);
        assert_same(redactor, before, after);
    }
}

/* ------------------------------------------------------------------------------------- what is left */

static char *file_text(const char *path)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    char *bytes = NULL;

    if (!directory) {
        g_assert_true(g_file_get_contents(path, &bytes, NULL, NULL));
        g_assert_cmpint(g_unlink(path), ==, 0);
        return bytes;
    }
    for (const char *name = g_dir_read_name(directory); name; name = g_dir_read_name(directory)) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        g_autofree char *inner_text = file_text(inner);

        g_string_append_printf(text, "=== %s\n%s\n", name, inner_text);
    }
    g_assert_cmpint(g_rmdir(path), ==, 0);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* All files of the capture, after it was written and read again. */
static char *written(const Capture *capture)
{
    g_autofree char *top = g_dir_make_tmp("vnat-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(top, "capture", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(NewDirectory) directory = new_directory_begin(path, &error);
    g_autoptr(Capture) again = NULL;
    char *text;

    g_assert_no_error(error);
    g_assert_true(capture_write(capture, directory, &error) && new_directory_commit(directory, &error));
    again = capture_read(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(again->redacted, ==, capture->redacted);
    text = file_text(path);
    g_assert_cmpint(g_rmdir(top), ==, 0);
    return text;
}

static void set(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

/* A host on which everything is named after its owner. */
static void secret_texts(Facts *facts)
{
    Network *network = network_of(facts, 0);
    Domain *domain = facts->domains->pdata[0];
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];
    Socket *socket = facts->sockets->pdata[0];

    set(&facts->host, "hv1.acme.example");
    set(&facts->uri, "qemu+ssh://acmeroot@hv1.acme.example/system?keyfile=/home/acme/key");
    set(&facts_link_named(facts, "eth0")->alias, "uplink of Acme");
    set(&dnsmasq->user, "acmeuser");
    set(&socket->program, "acmed");
    dnsmasq->argv = g_strsplit("/opt/acme sons/dnsmasq|--conf-file=/var/lib/libvirt/dnsmasq/acme-net.conf|"
                               "--leasefile-ro|--user=acme|acme|-a=acme",
                               "|", -1);
    dnsmasq->options =
        g_strdup("# acme\ninterface=acmebr0\ndomain=acme.example\nlisten-address=192.168.200.1\n"
                 "dhcp-range=192.168.200.2,192.168.200.99,255.255.255.0\ntxt-record=acme\n"
                 "pid-file=/run/libvirt/network/acme-net.pid\n");
    network->xml_inactive = g_strdup(network->xml);
    domain->xml_inactive = g_strdup(domain->xml);
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_STALE,
                      "network 'acme-net': cannot read '/srv/acme/x' on hv1 (and 3 more)");
    g_ptr_array_add(facts->proc, proc_value_new("sys/net/ipv4/conf/acmebr0/forwarding", "1"));
    g_ptr_array_add(facts->proc, proc_value_new("net/ip_tables_names", "filter\nnat"));
}

static Facts *secret_host(void)
{
    static const char mac[] = "52:54:00:7a:7b:7c";
    Facts *facts = world_new();
    Network *network = world_network(facts, "acme-net", "nat", "acmebr0");
    Domain *domain = world_domain(facts, "Acme-VM1", 1);
    AgentAddress agent = {.mac = world_mac_of(mac), .net = world_net_of("192.168.200.77/24")};
    Lease *lease;

    world_ip(network, "192.168.200.1/24", "192.168.200.2", "192.168.200.99");
    memcpy(world_bridge(facts, network, 10)->bridge_info.id, "\x80\x00\x52\x54\x00\x7a\x7b\x7c", 8);
    world_dnsmasq(facts, network, 1000);
    world_link(facts, 3, "acmelink", NULL);
    world_masquerade(facts, "192.168.200.0/24");
    world_forward(facts, network);
    world_nic(domain, "acme-net", "acmebr0", mac, "acmetap0");
    world_tap(facts, 11, "acmetap0", 10, mac);
    g_array_append_val(domain->agent, agent);
    world_link(facts, 2, "eth0", NULL);
    world_route(facts, "0.0.0.0/0", 2)->gateway = world_ip_of("203.0.113.1");
    world_learn(facts, 11, 10, mac);
    world_neighbour(facts, 10, "192.168.200.77", mac, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "fe80::5054:ff:fe7a:7b7c", mac, NEIGHBOUR_STALE);
    domain = world_domain(facts, "acme-unread", 2);
    domain->xml_read = FALSE;
    domain->xml_error = g_strdup("acmelink of acme-unread is busy");
    lease = world_lease(facts, "acme-net", mac, "192.168.200.77", 100);
    lease->hostname = g_strdup("vm1.acme.example");
    lease->client_id = g_strdup("01:52:54:00:7a:7b:7c");
    lease->iaid = g_strdup("7830396");
    kept(facts);
    secret_texts(facts);
    return facts;
}

static Capture *capture_of(Facts *facts)
{
    Capture *capture = capture_new();

    facts_free(capture->facts);
    capture->facts = facts;
    json_object_set_new(capture->versions, "kernel", json_string("6.1.0-41-amd64"));
    vnat_error_set(&capture->failed[CAPTURE_LEASES], VNAT_ERROR_FAILED,
                   "no leases of 'Acme-VM1' at 192.168.200.77");
    vnat_error_what(&capture->failed[CAPTURE_LEASES], "failed to read the leases of network 'acme-net'");
    vnat_error_hint(&capture->failed[CAPTURE_LEASES], "vnat net-start acme-net");
    return capture;
}

static void test_nothing_left(void)
{
    static const char *const secrets[] = {"acme", "7a:7b:7c", "7a7b",    "7830396", "vm1",
                                          "hv1",  "srv",      "keyfile", NULL};
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autoptr(Capture) capture = capture_of(secret_host());
    g_autofree char *before = written(capture);
    g_autofree char *after = NULL;

    redact_capture(capture, redactor);
    after = written(capture);
    assert_none_of(secrets, after);
    assert_no_leaks(before, after);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("'%s' is not in:\n%s", part, text);
}

/* And what is there instead. */
static void test_what_is_there(void)
{
    static const char *const parts[] = {
        "\"redacted\": true",
        "\"host\": \"host-1\"",
        "\"uri\": \"qemu+ssh://user-2@host-1/system?(redacted)\"",
        "\"kernel\": \"6.1.0-41-amd64\"",
        "network 'network-1': cannot read '/(redacted)' on host-1 (and 3 more)",
        "no leases of 'domain-1' at 201.47.200.77",
        "failed to read the leases of network 'network-1'",
        "vnat net-start network-1",
        "if2 of domain-2 is busy",
        "\"agent\":[{\"mac\":\"52:54:00:84:d5:aa\",\"address\":\"201.47.200.77/24\"}]",
        "=== network-1.xml",
        "=== domain-1.xml",
        "\"alias\":\"comment-1\"",
        "\"program\":\"program-1\"",
        "\"user\":\"user-1\"",
        "\"argv\":[\"/(redacted)\",\"--conf-file=/var/lib/libvirt/dnsmasq/network-1.conf\",",
        ",\"--leasefile-ro\",\"--user=(redacted)\",\"(redacted)\",\"(redacted)\"]",
        "interface=if1\ndomain=dns-1.example\nlisten-address=201.47.200.1\n",
        "dhcp-range=201.47.200.2,201.47.200.99,255.255.255.0\ntxt-record=(redacted)\n",
        "pid-file=/run/libvirt/network/network-1.pid\n",
        "sys/net/ipv4/conf/if1/forwarding",
        "\"value\":\"filter\\\\x0anat\"",
        "-A LIBVIRT_FWO -s 201.47.200.0/24 -i if1 -j ACCEPT",
        "\"hostname\":\"host-2\"",
    };
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autoptr(Capture) capture = capture_of(secret_host());
    g_autofree char *text = NULL;

    redact_capture(capture, redactor);
    text = written(capture);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_has(text, parts[i]);
}

/* A text that no longer can be read: it goes, and the object says why. */
static void test_unreadable(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autoptr(Facts) facts = secret_host();
    Network *network = network_of(facts, 0);
    Domain *domain = facts->domains->pdata[0];

    set(&network->xml, "<network><acme");
    set(&network->xml_inactive, "<network><acme");
    set(&domain->xml, "acme");
    g_ptr_array_add(facts->firewall_texts, firewall_text_new("nft", "acme"));
    redact_facts(facts, redactor);
    network = network_of(facts, 0);
    domain = facts->domains->pdata[0];
    g_assert_null(network->xml);
    g_assert_null(network->xml_inactive);
    g_assert_false(network->xml_read);
    g_assert_true(g_str_has_prefix(network->xml_error, "not redacted: syntax"));
    g_assert_null(domain->xml);
    g_assert_nonnull(domain->xml_inactive);
    g_assert_false(domain->xml_read);
    g_assert_true(g_str_has_prefix(domain->xml_error, "not redacted: syntax"));
    g_assert_cmpuint(facts->firewall_texts->len, ==, 1);
    g_assert_cmpuint(facts->firewall->len, ==, 2);
}

/* Facts of a host of which nothing could be read. */
static void test_empty(void)
{
    g_autoptr(Redactor) redactor = redactor_new(NULL);
    g_autoptr(Capture) capture = capture_new();
    g_autofree char *text = NULL;

    capture->facts->host = g_strdup("acme");
    capture->facts->uri = g_strdup("acme-alias");
    redact_capture(capture, redactor);
    text = written(capture);
    assert_has(text, "\"host\": \"host-1\"");
    assert_has(text, "\"uri\": \"(redacted)\"");
}

/* ----------------------------------------------------------------------------------------- dnsmasq */

static void test_dnsmasq_conf(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"##WARNING:  THIS IS AN AUTO-GENERATED FILE\n\nstrict-order\n", "strict-order\n"},
        {"pid-file=/run/libvirt/network/default.pid\n", "pid-file=/run/libvirt/network/network-1.pid\n"},
        {"except-interface=lo\nbind-dynamic\ninterface=secret0\n",
         "except-interface=lo\nbind-dynamic\ninterface=if1\n"},
        {"dhcp-range=192.168.122.2,192.168.122.254,255.255.255.0,60m\n",
         "dhcp-range=201.47.122.2,201.47.122.254,255.255.255.0,(redacted)\n"},
        {"dhcp-range=::1,constructor:virbr0,ra-only,infinite\n",
         "dhcp-range=::1,constructor:virbr0,ra-only,infinite\n"},
        {"dhcp-option=3\ndhcp-option=option:router,192.168.122.1\ndhcp-option=26,1400\n",
         "dhcp-option=3\ndhcp-option=option:router,201.47.122.1\ndhcp-option=26,1400\n"},
        {"dhcp-host=52:54:00:12:34:56,id:01:52:54:00:12:34:56,secret,192.168.122.7\n",
         "dhcp-host=52:54:00:ec:ef:de,id:01:52:54:00:ec:ef:de,(redacted),201.47.122.7\n"},
        {"domain=secret.test\nlocal=/secret.test/\nexpand-hosts\n",
         "domain=dns-1.example\nlocal=/dns-1.example/\nexpand-hosts\n"},
        {"domain=secret.test,192.168.122.0/24,local\n", "domain=dns-1.example,201.47.122.0/24,local\n"},
        {"local=/122.168.192.in-addr.arpa/\nlocal=//\n", "local=/122.47.201.in-addr.arpa/\nlocal=//\n"},
        {"server=/a.test/b.test/192.168.122.9#5353@secret0\nserver=192.168.122.9\nserver=secret\nserver=/#/"
         "\n",
         "server=/dns-1.example/dns-2.example/"
         "201.47.122.9#5353\nserver=201.47.122.9\nserver=(redacted)\nserver=/#/\n"},
        {"dhcp-hostsfile=/srv/a secret/x\nresolv-file=/etc/resolv.conf secret\n",
         "dhcp-hostsfile=/(redacted)\nresolv-file=/etc/(redacted)\n"},
        {"dhcp-lease-max=253\naddn-hosts=secret\ndhcp-hostsfile=/srv/secret\nport=secret\n",
         "dhcp-lease-max=253\naddn-hosts=(redacted)\ndhcp-hostsfile=/(redacted)\nport=(redacted)\n"},
        {"txt-record=secret,x\nno-resolv=secret\nSecret word\n secret line = secret\nsecret\x1b\n",
         "txt-record=(redacted)\nno-resolv=(redacted)\n(redacted)\n(redacted)=(redacted)\n(redacted)\n"},
        {"", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Redactor) redactor = redactor_new(fixed_key);
        g_autofree char *network = redact_name(redactor, REDACT_NETWORK, "default");
        g_autofree char *text = redact_dnsmasq_conf(redactor, cases[i].before);

        g_assert_cmpstr(network, ==, "network-1");
        g_assert_cmpstr(text, ==, cases[i].after);
    }
}

/* Rules that had to go are not rules that are missing: a check would cry. */
static void test_rules_that_go(void)
{
    g_autoptr(Facts) facts = kept(world_host());
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    g_ptr_array_add(facts->firewall_texts, firewall_text_new("nft", "no JSON"));
    redact_facts(facts, redactor);
    g_assert_cmpuint(facts->firewall_texts->len, ==, 1);
    g_assert_cmpint(facts->sources[SOURCE_FIREWALL].state, ==, SOURCE_STALE);
    g_assert_true(g_str_has_prefix(facts->sources[SOURCE_FIREWALL].error, "not redacted: "));
    g_ptr_array_remove_index(facts->firewall_texts, 0);
    g_ptr_array_add(facts->firewall_texts, firewall_text_new("nft", "no JSON"));
    redact_facts(facts, redactor);
    g_assert_cmpuint(facts->firewall_texts->len, ==, 0);
    g_assert_cmpint(facts->sources[SOURCE_FIREWALL].state, ==, SOURCE_DOWN);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redact-facts/same-answers", test_same_answers);
    g_test_add_func("/redact-facts/nothing-left", test_nothing_left);
    g_test_add_func("/redact-facts/what-is-there", test_what_is_there);
    g_test_add_func("/redact-facts/unreadable", test_unreadable);
    g_test_add_func("/redact-facts/empty", test_empty);
    g_test_add_func("/redact-facts/dnsmasq-conf", test_dnsmasq_conf);
    g_test_add_func("/redact-facts/rules-that-go", test_rules_that_go);
    return g_test_run();
}
