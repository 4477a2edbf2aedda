/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include "views/json.h"

#include <net/if.h>
#include <netinet/in.h>

#define MTU 1500

Ip world_ip_of(const char *text)
{
    Ip ip;

    g_assert_true(ip_parse(text, &ip));
    return ip;
}

IpNet world_net_of(const char *text)
{
    IpNet net;

    g_assert_true(ipnet_parse(text, &net));
    return net;
}

Mac world_mac_of(const char *text)
{
    Mac mac;

    g_assert_true(mac_parse(text, &mac));
    return mac;
}

/* The same name has the same UUID in every world. */
static char *uuid_of(const char *name)
{
    return g_strdup_printf("%08x-0000-4000-8000-000000000000", g_str_hash(name));
}

Facts *world_new(void)
{
    Facts *facts = facts_new();

    facts->host = g_strdup("host");
    facts->uri = g_strdup("qemu:///system");
    facts->now = WORLD_NOW;
    facts->local = TRUE;
    facts->domains_complete = TRUE;
    facts->sockets_read = TRUE;
    facts->socket_owners_known = TRUE;
    for (guint id = 0; id < SOURCE_FIREWALLD; id++)
        source_status_set(&facts->sources[id], SOURCE_LIVE, NULL);
    return facts;
}

/* ---------------------------------------------------------------------------------------- networks */

Network *world_network(Facts *facts, const char *name, const char *forward, const char *bridge)
{
    Network *network = network_new();

    network->name = g_strdup(name);
    network->uuid = uuid_of(name);
    network->forward = g_strdup(forward);
    network->bridge = g_strdup(bridge);
    network->active = network->persistent = network->autostart = TRUE;
    g_ptr_array_add(facts->networks, network);
    return network;
}

NetworkIp *world_ip(Network *network, const char *cidr, const char *first, const char *last)
{
    NetworkIp *ip = network_ip_new();

    ip->net = world_net_of(cidr);
    if (first) {
        DhcpRange range = {.first = world_ip_of(first), .last = world_ip_of(last)};

        ip->dhcp = TRUE;
        g_array_append_val(ip->ranges, range);
    }
    g_ptr_array_add(network->ips, ip);
    return ip;
}

Link *world_bridge(Facts *facts, const Network *network, guint ifindex)
{
    Link *link = world_link(facts, ifindex, network->bridge, "bridge");

    link->is_bridge = TRUE;
    link->bridge_info.stp = TRUE;
    link->bridge_info.forward_delay = 200;
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        IpNet subnet = ipnet_network(&ip->net);
        LinkAddress address = {.ifindex = ifindex, .net = ip->net};
        g_autofree char *text = ipnet_to_string(&subnet);

        g_array_append_val(facts->addresses, address);
        world_route(facts, text, ifindex);
    }
    return link;
}

static guint link_index(const Facts *facts, const char *name)
{
    const Link *link = facts_link_named(facts, name);

    return link ? link->ifindex : 0;
}

Dnsmasq *world_dnsmasq(Facts *facts, const Network *network, gint pid)
{
    Dnsmasq *dnsmasq = g_new0(Dnsmasq, 1);
    guint ifindex = link_index(facts, network->bridge);

    dnsmasq->network = g_strdup(network->name);
    dnsmasq->config = g_strdup_printf("/var/lib/libvirt/dnsmasq/%s.conf", network->name);
    dnsmasq->pid = pid;
    dnsmasq->alive = TRUE;
    dnsmasq->owner = 1;
    dnsmasq->user = g_strdup("nobody");
    g_ptr_array_add(facts->dnsmasqs, dnsmasq);
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        char text[IP_TEXT];

        ip_format(&ip->net.ip, text);
        world_socket(facts, IPPROTO_UDP, text, PORT_DNS, 0, pid);
        world_socket(facts, IPPROTO_TCP, text, PORT_DNS, 0, pid);
        if (ip->dhcp)
            world_socket(facts, IPPROTO_UDP, ip->net.ip.family == 4 ? "0.0.0.0" : "::",
                         ip->net.ip.family == 4 ? PORT_DHCP4 : PORT_DHCP6, ifindex, pid);
    }
    return dnsmasq;
}

Socket *world_socket(Facts *facts, guint8 protocol, const char *ip, guint16 port, guint ifindex, gint pid)
{
    Socket *socket = g_new0(Socket, 1);

    socket->protocol = protocol;
    socket->local = world_ip_of(ip);
    socket->port = port;
    socket->ifindex = ifindex;
    socket->pid = pid;
    socket->program = g_strdup(pid ? "dnsmasq" : NULL);
    g_ptr_array_add(facts->sockets, socket);
    return socket;
}

static FirewallChain *chain_of(FirewallTable *table, const char *name, const char *hook)
{
    FirewallChain *chain = firewall_table_chain(table, name);

    if (!chain) {
        chain = firewall_chain_new(name);
        chain->hook = g_strdup(hook);
        g_ptr_array_add(table->chains, chain);
    }
    return chain;
}

static void rule_add(FirewallChain *chain, const char *text)
{
    FirewallRule *rule = firewall_rule_new();

    rule->text = g_strdup(text);
    rule->argv = g_strsplit(text, " ", -1);
    g_ptr_array_add(chain->rules, rule);
}

static FirewallTable *table_of(Facts *facts, const char *name)
{
    FirewallTable *table;

    for (guint i = 0; i < facts->firewall->len; i++) {
        table = facts->firewall->pdata[i];
        if (g_strcmp0(table->name, name) == 0)
            return table;
    }
    table = firewall_table_new(FIREWALL_IPTABLES_NFT, "ip", name);
    g_ptr_array_add(facts->firewall, table);
    return table;
}

void world_masquerade(Facts *facts, const char *subnet)
{
    g_autofree char *rule = g_strdup_printf("-s %s ! -d %s -j MASQUERADE", subnet, subnet);
    FirewallTable *table = table_of(facts, "nat");
    FirewallChain *postrouting = chain_of(table, "POSTROUTING", "postrouting");

    if (postrouting->rules->len == 0)
        rule_add(postrouting, "-j LIBVIRT_PRT");
    rule_add(chain_of(table, "LIBVIRT_PRT", NULL), rule);
}

void world_forward(Facts *facts, const Network *network)
{
    FirewallTable *table = table_of(facts, "filter");
    FirewallChain *forward = chain_of(table, "FORWARD", "forward");
    g_autofree char *cross = g_strdup_printf("-i %s -o %s -j ACCEPT", network->bridge, network->bridge);

    if (forward->rules->len == 0) {
        rule_add(forward, "-j LIBVIRT_FWX");
        rule_add(forward, "-j LIBVIRT_FWI");
        rule_add(forward, "-j LIBVIRT_FWO");
    }
    rule_add(chain_of(table, "LIBVIRT_FWX", NULL), cross);
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        IpNet net = ipnet_network(&ip->net);
        g_autofree char *subnet = ipnet_to_string(&net);
        g_autofree char *in = g_strdup_printf(
            "-d %s -o %s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", subnet, network->bridge);
        g_autofree char *out = g_strdup_printf("-s %s -i %s -j ACCEPT", subnet, network->bridge);

        if (ip->net.ip.family != 4 || g_strcmp0(network->forward, "isolated") == 0)
            continue;
        rule_add(chain_of(table, "LIBVIRT_FWI", NULL), in);
        rule_add(chain_of(table, "LIBVIRT_FWO", NULL), out);
    }
}

/* ----------------------------------------------------------------------------------------- domains */

Domain *world_domain(Facts *facts, const char *name, gint id)
{
    Domain *domain = domain_new();

    domain->name = g_strdup(name);
    domain->uuid = uuid_of(name);
    domain->id = id;
    domain->persistent = TRUE;
    domain->state = id < 0 ? DOMAIN_SHUTOFF : DOMAIN_RUNNING;
    domain->xml_read = TRUE;
    g_ptr_array_add(facts->domains, domain);
    return domain;
}

DomainInterface *world_nic(Domain *domain, const char *network, const char *bridge, const char *mac,
                           const char *tap)
{
    DomainInterface *nic = domain_interface_new();

    nic->type = g_strdup(network ? "network" : "bridge");
    nic->source = g_strdup(network ? network : bridge);
    nic->network = g_strdup(network);
    nic->bridge = g_strdup(bridge);
    nic->model = g_strdup("virtio");
    nic->has_mac = mac != NULL;
    if (mac)
        nic->mac = world_mac_of(mac);
    nic->target = g_strdup(tap);
    if (domain->id >= 0)
        nic->alias = g_strdup_printf("net%u", domain->interfaces->len);
    g_ptr_array_add(domain->interfaces, nic);
    return nic;
}

/* ------------------------------------------------------------------------------------------ kernel */

Link *world_link(Facts *facts, guint ifindex, const char *name, const char *kind)
{
    Link *link = link_new();

    link->ifindex = ifindex;
    link->name = g_strdup(name);
    link->kind = g_strdup(kind);
    link->flags = IFF_UP;
    link->mtu = MTU;
    link->carrier = 1;
    g_ptr_array_add(facts->links, link);
    facts_sort_links(facts);
    return link;
}

Link *world_tap(Facts *facts, guint ifindex, const char *name, guint master, const char *mac)
{
    Link *link = world_link(facts, ifindex, name, "tun");

    link->master = master;
    link->is_port = master != 0;
    link->has_mac = mac != NULL;
    if (mac) {
        link->mac = world_mac_of(mac);
        link->mac.bytes[0] = 0xfe;
    }
    return link;
}

Route *world_route(Facts *facts, const char *cidr, guint ifindex)
{
    Route route = {.dst = world_net_of(cidr), .ifindex = ifindex, .table = 254, .type = ROUTE_UNICAST};

    route.family = route.dst.ip.family;
    g_array_append_val(facts->routes, route);
    return &g_array_index(facts->routes, Route, facts->routes->len - 1);
}

Neighbour *world_neighbour(Facts *facts, guint ifindex, const char *ip, const char *mac, guint16 state)
{
    Neighbour neighbour = {
        .ifindex = ifindex, .ip = world_ip_of(ip), .state = state, .confirmed = G_MAXUINT32};

    neighbour.has_mac = mac != NULL;
    if (mac)
        neighbour.mac = world_mac_of(mac);
    g_array_append_val(facts->neighbours, neighbour);
    return &g_array_index(facts->neighbours, Neighbour, facts->neighbours->len - 1);
}

FdbEntry *world_learn(Facts *facts, guint port, guint bridge, const char *mac)
{
    FdbEntry entry = {.ifindex = port, .master = bridge, .mac = world_mac_of(mac)};

    g_array_append_val(facts->fdb, entry);
    return &g_array_index(facts->fdb, FdbEntry, facts->fdb->len - 1);
}

Lease *world_lease(Facts *facts, const char *network, const char *mac, const char *ip, gint64 seconds)
{
    const Network *owner = facts_network(facts, network);
    const NetworkIp *subnet;
    Lease *lease = lease_new();

    lease->network = g_strdup(network);
    lease->network_uuid = uuid_of(network);
    lease->bridge = g_strdup(owner ? owner->bridge : NULL);
    lease->ip = world_ip_of(ip);
    subnet = owner ? network_ip_of(owner, &lease->ip) : NULL;
    lease->prefix = subnet ? subnet->net.prefix : 0;
    lease->has_mac = mac != NULL;
    if (mac)
        lease->mac = world_mac_of(mac);
    lease->expiry = seconds == 0 ? 0 : WORLD_NOW + seconds;
    g_ptr_array_add(facts->leases, lease);
    return lease;
}

/* ------------------------------------------------------------------------------------ a whole host */

#define MAC1 "52:54:00:00:00:01"
#define MAC2 "52:54:00:00:00:02"
#define MAC2_LAB "52:54:00:00:00:22"
#define MAC3 "52:54:00:00:00:03"
#define MAC4 "52:54:00:00:00:04"

static void host_networks(Facts *facts)
{
    Network *network = world_network(facts, "default", "nat", "virbr0");
    LinkAddress address = {.ifindex = 20, .flags = LINK_ADDRESS_TENTATIVE};

    world_ip(network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    world_bridge(facts, network, 10);
    world_dnsmasq(facts, network, 1000);
    world_masquerade(facts, "192.168.122.0/24");
    world_forward(facts, network);

    network = world_network(facts, "lab", "isolated", "virbr1");
    world_ip(network, "10.20.30.1/24", "10.20.30.100", "10.20.30.199");
    world_bridge(facts, network, 20)->carrier = 0;
    world_forward(facts, network);
    world_dnsmasq(facts, network, 2000);
    /* No DNS socket for the IPv6 address: it is tentative until a guest gives the bridge its carrier. */
    address.net = world_ip(network, "fd00:20::1/64", NULL, NULL)->net;
    g_array_append_val(facts->addresses, address);
    world_route(facts, "fd00:20::/64", 20);
}

static void host_guests(Facts *facts)
{
    Domain *domain = world_domain(facts, "VM1", 1);
    Lease *lease;

    world_nic(domain, "default", "virbr0", MAC1, "vnet0");
    world_tap(facts, 11, "vnet0", 10, MAC1);
    lease = world_lease(facts, "default", MAC1, "192.168.122.11", 3000);
    lease->hostname = g_strdup("vm1");
    lease->client_id = g_strdup("01:52:54:00:00:00:01");

    domain = world_domain(facts, "VM2", 2);
    world_nic(domain, "default", "virbr0", MAC2, "vnet1");
    world_nic(domain, "lab", "virbr1", MAC2_LAB, "vnet2");
    world_tap(facts, 12, "vnet1", 10, MAC2);
    world_tap(facts, 21, "vnet2", 20, MAC2_LAB)->carrier = 0;
    world_lease(facts, "default", MAC2, "192.168.122.21", 100);
    world_lease(facts, "default", MAC2, "192.168.122.22", 3500)->hostname = g_strdup("vm2");
    world_lease(facts, "lab", MAC2_LAB, "10.20.30.122", 0);

    domain = world_domain(facts, "VM3", 3);
    domain->state = DOMAIN_PAUSED;
    world_nic(domain, NULL, "virbr0", MAC3, "vnet3");
    world_tap(facts, 13, "vnet3", 10, MAC3);

    domain = world_domain(facts, "VM4", -1);
    world_nic(domain, "default", NULL, MAC4, NULL);
}

static void host_kernel(Facts *facts)
{
    world_link(facts, 1, "lo", NULL);
    world_link(facts, 2, "eth0", NULL);
    world_link(facts, 3, "wg0", "wireguard");
    world_link(facts, 30, "docker0", "bridge")->is_bridge = TRUE;
    world_link(facts, 31, "veth5", "veth")->master = 30;
    world_link(facts, 14, "vnatp0", "veth")->master = 10;

    world_route(facts, "0.0.0.0/0", 2);
    world_route(facts, "0.0.0.0/1", 3);
    world_route(facts, "128.0.0.0/1", 3);
    world_route(facts, "10.0.0.0/24", 2);
    world_route(facts, "172.17.0.0/16", 30);
    world_route(facts, "fe80::/64", 2);
    world_route(facts, "ff00::/8", 10)->type = ROUTE_MULTICAST;
    world_route(facts, "192.168.122.1/32", 10)->type = ROUTE_LOCAL;
    world_route(facts, "192.168.122.255/32", 10)->type = ROUTE_BROADCAST;
}

static void host_traffic(Facts *facts)
{
    world_learn(facts, 11, 10, MAC1);
    world_learn(facts, 12, 10, MAC2);
    world_learn(facts, 11, 10, "fe:54:00:00:00:01")->permanent = TRUE;
    world_learn(facts, 31, 30, "02:42:ac:11:00:02");
    world_neighbour(facts, 10, "192.168.122.11", MAC1, NEIGHBOUR_REACHABLE);
    world_neighbour(facts, 10, "fe80::5054:ff:fe00:1", MAC1, NEIGHBOUR_STALE);
    /* The one that had VM1's address before, and one that never answered. */
    world_neighbour(facts, 10, "192.168.122.12", MAC1, NEIGHBOUR_FAILED);
    world_neighbour(facts, 10, "192.168.122.22", "52:54:00:00:00:99", NEIGHBOUR_STALE)->confirmed = 86400;
    world_neighbour(facts, 10, "192.168.122.99", NULL, NEIGHBOUR_INCOMPLETE);
    world_neighbour(facts, 2, "10.0.0.1", "00:00:5e:00:01:01", NEIGHBOUR_REACHABLE);

    world_socket(facts, IPPROTO_UDP, "127.0.0.53", PORT_DNS, 1, 700);
    world_socket(facts, IPPROTO_UDP, "0.0.0.0", PORT_DHCP4, 2, 800);
    world_socket(facts, IPPROTO_UDP, "10.0.0.5", PORT_DNS, 0, 800);
}

Facts *world_host(void)
{
    Facts *facts = world_new();

    host_networks(facts);
    host_guests(facts);
    host_kernel(facts);
    host_traffic(facts);
    for (guint i = 0; i < facts->domains->len; i++)
        ((Domain *)facts->domains->pdata[i])->started = WORLD_NOW - 3600;
    return facts;
}

/* ----------------------------------------------------------------------------------------- results */

char *world_findings(Facts *facts)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, G_MAXUINT);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];

        g_assert_nonnull(finding->message);
        g_assert_nonnull(finding->remedy);
        g_string_append_printf(text, "%s %s %s\n", level_name(finding->level), finding->id, finding->object);
    }
    return g_string_free(text, FALSE);
}

const Finding *world_finding(const GPtrArray *findings, const char *id)
{
    const Finding *found = NULL;

    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];

        if (g_strcmp0(finding->id, id) != 0)
            continue;
        g_assert_null(found);
        found = finding;
    }
    g_assert_nonnull(found);
    return found;
}

static void map_text_add(GString *text, json_t *record)
{
    char *line = json_dumps(record, JSON_COMPACT);

    g_string_append_printf(text, "%s\n", line);
    free(line);
    json_decref(record);
}

char *world_map_text(const Map *map)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < map->rows->len; i++)
        map_text_add(text, json_of_interface(map->rows->pdata[i]));
    for (guint i = 0; i < map->leases->len; i++)
        map_text_add(text, json_of_lease(map->leases->pdata[i]));
    return g_string_free(text, FALSE);
}

MapRow *world_row(const Map *map, const char *tap)
{
    for (guint i = 0; i < map->rows->len; i++) {
        MapRow *row = map->rows->pdata[i];

        if (g_strcmp0(row->tap, tap) == 0)
            return row;
    }
    return NULL;
}
