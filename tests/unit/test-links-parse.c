/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"
#include "netlink-frames.h"
#include "sources/links-parse.h"

#include <jansson.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

/* The recorded host (data/links/record) against what ip and bridge said of it. */

static void take_link(const struct nlmsghdr *message, gpointer data)
{
    Link *link = link_parse(message);

    g_assert_nonnull(link);
    g_ptr_array_add(data, link);
}

static void take_address(const struct nlmsghdr *message, gpointer data)
{
    LinkAddress address;

    g_assert_true(link_address_parse(message, &address));
    g_array_append_val((GArray *)data, address);
}

static void take_neighbour(const struct nlmsghdr *message, gpointer data)
{
    Neighbour neighbour;

    g_assert_true(neighbour_parse(message, &neighbour));
    g_array_append_val((GArray *)data, neighbour);
}

static void take_fdb(const struct nlmsghdr *message, gpointer data)
{
    FdbEntry entry;

    if (fdb_entry_parse(message, &entry))
        g_array_append_val((GArray *)data, entry);
}

static void take_route4(const struct nlmsghdr *message, gpointer data)
{
    g_assert_true(route_parse(message, AF_INET, data));
}

static void take_route6(const struct nlmsghdr *message, gpointer data)
{
    g_assert_true(route_parse(message, AF_INET6, data));
}

static GPtrArray *read_links(void)
{
    GPtrArray *links = g_ptr_array_new_with_free_func((GDestroyNotify)link_free);

    frames_each("links/links.bin", take_link, links);
    return links;
}

static const Link *link_named(const GPtrArray *links, const char *name)
{
    for (guint i = 0; i < links->len; i++) {
        const Link *link = links->pdata[i];

        if (g_strcmp0(link->name, name) == 0)
            return link;
    }
    return NULL;
}

static json_t *load_json(const char *name)
{
    g_autofree char *path = g_build_filename(TEST_DATA, "links", name, NULL);
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);

    g_assert_nonnull(json);
    return json;
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static gint64 number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static gboolean has_word(const json_t *object, const char *key, const char *word)
{
    const json_t *words = json_object_get(object, key);

    for (gsize i = 0; i < json_array_size(words); i++) {
        if (strcmp(json_string_value(json_array_get(words, i)), word) == 0)
            return TRUE;
    }
    return FALSE;
}

/* "1000.52:54:0:aa:bb:cc": ip's way of a bridge id. */
static char *bridge_id_text(const guint8 id[8])
{
    return g_strdup_printf("%02x%02x.%x:%x:%x:%x:%x:%x", id[0], id[1], id[2], id[3], id[4], id[5], id[6],
                           id[7]);
}

static void compare_bridge(const Link *link, const json_t *data)
{
    g_autofree char *id = bridge_id_text(link->bridge_info.id);

    g_assert_true(link->is_bridge);
    g_assert_cmpstr(id, ==, text(data, "bridge_id"));
    g_assert_cmpint(link->bridge_info.forward_delay, ==, number(data, "forward_delay"));
    g_assert_cmpint(link->bridge_info.stp, ==, number(data, "stp_state"));
    g_assert_cmpint(link->bridge_info.nf_call_iptables, ==, number(data, "nf_call_iptables"));
    g_assert_cmpint(link->bridge_info.nf_call_ip6tables, ==, number(data, "nf_call_ip6tables"));
    g_assert_cmpint(link->bridge_info.vlan_filtering, ==, number(data, "vlan_filtering"));
}

static void compare_port(const Link *link, const json_t *data)
{
    static const char *const states[] = {"disabled", "listening", "learning", "forwarding", "blocking"};
    g_autofree char *port = g_strdup_printf("0x%x", link->port_info.port_no);

    g_assert_true(link->is_port);
    g_assert_cmpuint(link->port_info.state, <, G_N_ELEMENTS(states));
    g_assert_cmpstr(states[link->port_info.state], ==, text(data, "state"));
    g_assert_cmpstr(port, ==, text(data, "no"));
    g_assert_cmpint(link->port_info.isolated, ==, json_is_true(json_object_get(data, "isolated")));
    g_assert_cmpint(link->port_info.learning, ==, json_is_true(json_object_get(data, "learning")));
    g_assert_cmpint(link->port_info.unicast_flood, ==, json_is_true(json_object_get(data, "flood")));
}

static const char *operstate_name(gint state)
{
    static const char *const names[] = {"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN",
                                        "TESTING", "DORMANT",    "UP"};

    g_assert_cmpint(state, >=, 0);
    g_assert_cmpint(state, <, G_N_ELEMENTS(names));
    return names[state];
}

static void compare_link(const GPtrArray *links, const json_t *json)
{
    const Link *link = link_named(links, text(json, "ifname"));
    const Link *master = text(json, "master") ? link_named(links, text(json, "master")) : NULL;
    const json_t *info = json_object_get(json, "linkinfo");
    char mac[MAC_TEXT];

    g_assert_nonnull(link);
    g_assert_cmpint(link->ifindex, ==, number(json, "ifindex"));
    g_assert_cmpint(link->mtu, ==, number(json, "mtu"));
    g_assert_cmpstr(operstate_name(link->operstate), ==, text(json, "operstate"));
    g_assert_cmpint((link->flags & IFF_UP) != 0, ==, has_word(json, "flags", "UP"));
    /* A link that is down has no carrier either; ip says NO-CARRIER of those that are up. */
    if (link->flags & IFF_UP)
        g_assert_cmpint(link->carrier, ==, !has_word(json, "flags", "NO-CARRIER"));
    g_assert_cmpint(link->master, ==, master ? master->ifindex : 0);
    g_assert_cmpstr(link->kind, ==, text(info, "info_kind"));
    g_assert_cmpint(link->has_mac, ==, strcmp(text(json, "link_type"), "ether") == 0);
    if (link->has_mac)
        g_assert_cmpstr(mac_format(&link->mac, mac), ==, text(json, "address"));
    if (g_strcmp0(text(info, "info_kind"), "bridge") == 0)
        compare_bridge(link, json_object_get(info, "info_data"));
    else
        g_assert_false(link->is_bridge);
    if (g_strcmp0(text(info, "info_slave_kind"), "bridge") == 0)
        compare_port(link, json_object_get(info, "info_slave_data"));
    else
        g_assert_false(link->is_port);
}

static void test_links_as_ip(void)
{
    g_autoptr(GPtrArray) links = read_links();
    json_t *json = load_json("links.json");

    g_assert_cmpuint(links->len, ==, json_array_size(json));
    for (gsize i = 0; i < json_array_size(json); i++)
        compare_link(links, json_array_get(json, i));
    json_decref(json);
}

/* What the other test would not notice if ip's words and ours went wrong together. */
static void test_links_known(void)
{
    g_autoptr(GPtrArray) links = read_links();
    const Link *bridge = link_named(links, "virbr0"), *tap = link_named(links, "vnet0");
    const Link *isolated = link_named(links, "vnet2"), *port = link_named(links, "vnet1");

    g_assert_cmpuint(bridge->ifindex, ==, 10);
    g_assert_true(bridge->bridge_info.stp && bridge->bridge_info.nf_call_iptables);
    g_assert_cmpuint(bridge->bridge_info.forward_delay, ==, 200);
    g_assert_false(link_named(links, "br1")->bridge_info.stp);
    g_assert_cmpstr(tap->kind, ==, "tun");
    g_assert_cmpstr(tap->alias, ==, "of \"VM1\"\n\033[31m");
    g_assert_cmpint(tap->carrier, ==, 0);
    g_assert_cmpuint(tap->master, ==, 10);
    g_assert_cmpuint(tap->mtu, ==, 1400);
    g_assert_true(isolated->port_info.isolated);
    g_assert_false(isolated->port_info.learning || isolated->port_info.unicast_flood);
    g_assert_cmpuint(port->port_info.state, ==, 3);
    g_assert_cmpint(port->carrier, ==, 1);
    g_assert_null(bridge->alias);
    g_assert_null(link_named(links, "lo")->kind);
}

static guint count_address(const GArray *addresses, guint ifindex, const json_t *info)
{
    guint found = 0;

    for (guint i = 0; i < addresses->len; i++) {
        const LinkAddress *address = &g_array_index(addresses, LinkAddress, i);
        char ip[IP_TEXT];

        found += address->ifindex == ifindex &&
                 strcmp(ip_format(&address->net.ip, ip), text(info, "local")) == 0 &&
                 address->net.prefix == number(info, "prefixlen") &&
                 (address->scope == RT_SCOPE_LINK) == (strcmp(text(info, "scope"), "link") == 0);
    }
    return found;
}

static void test_addresses_as_ip(void)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(LinkAddress));
    json_t *json = load_json("addresses.json");
    guint expected = 0;

    frames_each("links/addresses.bin", take_address, addresses);
    for (gsize i = 0; i < json_array_size(json); i++) {
        const json_t *link = json_array_get(json, i), *infos = json_object_get(link, "addr_info");

        for (gsize k = 0; k < json_array_size(infos); k++) {
            g_assert_cmpuint(
                count_address(addresses, (guint)number(link, "ifindex"), json_array_get(infos, k)), ==, 1);
            expected++;
        }
    }
    g_assert_cmpuint(addresses->len, ==, expected);
    json_decref(json);
}

static const char *neighbour_state_name(guint16 state)
{
    switch (state) {
    case NUD_INCOMPLETE:
        return "INCOMPLETE";
    case NUD_REACHABLE:
        return "REACHABLE";
    case NUD_NOARP:
        return "NOARP";
    case NUD_PERMANENT:
        return "PERMANENT";
    default:
        return "?";
    }
}

static const Neighbour *neighbour_of(const GArray *neighbours, guint ifindex, const char *address)
{
    for (guint i = 0; i < neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(neighbours, Neighbour, i);
        char ip[IP_TEXT];

        if (neighbour->ifindex == ifindex && strcmp(ip_format(&neighbour->ip, ip), address) == 0)
            return neighbour;
    }
    return NULL;
}

static void test_neighbours_as_ip(void)
{
    g_autoptr(GArray) neighbours = g_array_new(FALSE, FALSE, sizeof(Neighbour));
    g_autoptr(GPtrArray) links = read_links();
    json_t *json = load_json("neighbours.json");

    frames_each("links/neighbours.bin", take_neighbour, neighbours);
    g_assert_cmpuint(neighbours->len, ==, json_array_size(json));
    for (gsize i = 0; i < json_array_size(json); i++) {
        const json_t *row = json_array_get(json, i);
        const Neighbour *neighbour =
            neighbour_of(neighbours, link_named(links, text(row, "dev"))->ifindex, text(row, "dst"));
        char mac[MAC_TEXT];

        g_assert_nonnull(neighbour);
        g_assert_true(has_word(row, "state", neighbour_state_name(neighbour->state)));
        g_assert_cmpint(neighbour->has_mac, ==, text(row, "lladdr") != NULL);
        if (neighbour->has_mac)
            g_assert_cmpstr(mac_format(&neighbour->mac, mac), ==, text(row, "lladdr"));
    }
    /* It answered a ping three seconds before: ticks would be hundreds. */
    g_assert_cmpuint(neighbour_of(neighbours, 10, "192.168.122.50")->confirmed, <, 10);
    json_decref(json);
}

static void test_fdb_as_bridge(void)
{
    g_autoptr(GArray) fdb = g_array_new(FALSE, FALSE, sizeof(FdbEntry));
    g_autoptr(GPtrArray) links = read_links();
    json_t *json = load_json("fdb.json");
    guint expected = 0, found = 0, learned = 0;

    frames_each("links/fdb.bin", take_fdb, fdb);
    for (gsize i = 0; i < json_array_size(json); i++) {
        const json_t *row = json_array_get(json, i);

        if (!text(row, "master"))
            continue;
        expected++;
        for (guint k = 0; k < fdb->len; k++) {
            const FdbEntry *entry = &g_array_index(fdb, FdbEntry, k);
            char mac[MAC_TEXT];

            found += strcmp(mac_format(&entry->mac, mac), text(row, "mac")) == 0 &&
                     entry->ifindex == link_named(links, text(row, "ifname"))->ifindex &&
                     entry->master == link_named(links, text(row, "master"))->ifindex &&
                     entry->permanent == (text(row, "state")[0] != '\0');
        }
    }
    g_assert_cmpuint(expected, >, 0);
    g_assert_cmpuint(found, ==, expected);
    g_assert_cmpuint(fdb->len, ==, expected);
    for (guint k = 0; k < fdb->len; k++) {
        const FdbEntry *entry = &g_array_index(fdb, FdbEntry, k);

        learned += !entry->permanent;
        if (!entry->permanent)
            g_assert_cmpuint(entry->updated, <, 10);
    }
    g_assert_cmpuint(learned, ==, 1);
    json_decref(json);
}

static guint32 table_number(const char *name)
{
    if (!name)
        return RT_TABLE_MAIN;
    return strcmp(name, "local") == 0 ? RT_TABLE_LOCAL : (guint32)g_ascii_strtoull(name, NULL, 10);
}

static guint8 type_number(const char *name)
{
    static const char *const names[] = {
        [RTN_UNICAST] = "unicast",     [RTN_LOCAL] = "local",         [RTN_BROADCAST] = "broadcast",
        [RTN_MULTICAST] = "multicast", [RTN_BLACKHOLE] = "blackhole", [RTN_UNREACHABLE] = "unreachable",
        [RTN_PROHIBIT] = "prohibit"};

    for (guint8 i = RTN_UNICAST; name && i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(names[i], name) == 0)
            return i;
    }
    g_assert_null(name);
    return RTN_UNICAST;
}

/* ip leaves the prefix of a single address away, and calls 0/0 "default". */
static gboolean destination_is(const Route *route, const char *expected)
{
    g_autofree char *net = ipnet_to_string(&route->dst), *ip = ip_to_string(&route->dst.ip);

    if (strcmp(expected, "default") == 0)
        return route->dst.prefix == 0;
    return strcmp(net, expected) == 0 ||
           (strcmp(ip, expected) == 0 && route->dst.prefix == ip_bits(&route->dst.ip));
}

static gboolean gateway_is(const Route *route, const json_t *row)
{
    const char *expected =
        text(row, "gateway") ? text(row, "gateway") : text(json_object_get(row, "via"), "host");
    char ip[IP_TEXT];

    if (!expected)
        return route->gateway.family == 0;
    return strcmp(ip_format(&route->gateway, ip), expected) == 0;
}

/* row: the route; hop: the route again, or one of its next hops. */
static guint count_route(const GArray *routes, const GPtrArray *links, const json_t *row, const json_t *hop)
{
    const json_t *metrics = json_array_get(json_object_get(row, "metrics"), 0);
    guint found = 0;

    for (guint i = 0; i < routes->len; i++) {
        const Route *route = &g_array_index(routes, Route, i);
        guint ifindex = text(hop, "dev") ? link_named(links, text(hop, "dev"))->ifindex : 0;

        found += destination_is(route, text(row, "dst")) && gateway_is(route, hop) &&
                 route->ifindex == ifindex && route->table == table_number(text(row, "table")) &&
                 route->type == type_number(text(row, "type")) && route->priority == number(row, "metric") &&
                 route->mtu == number(metrics, "mtu") &&
                 (route->scope == RT_SCOPE_LINK) == (g_strcmp0(text(row, "scope"), "link") == 0) &&
                 (route->protocol == RTPROT_KERNEL) == (g_strcmp0(text(row, "protocol"), "kernel") == 0);
    }
    return found;
}

static void compare_routes(const char *frames, const char *json_name, NetlinkTake take)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    g_autoptr(GPtrArray) links = read_links();
    json_t *json = load_json(json_name);
    guint expected = 0;

    frames_each(frames, take, routes);
    for (gsize i = 0; i < json_array_size(json); i++) {
        const json_t *row = json_array_get(json, i), *hops = json_object_get(row, "nexthops");

        for (gsize k = 0; k < MAX(1, json_array_size(hops)); k++) {
            const json_t *hop = hops ? json_array_get(hops, k) : row;

            g_assert_cmpuint(count_route(routes, links, row, hop), ==, 1);
            expected++;
        }
    }
    g_assert_cmpuint(routes->len, ==, expected);
    json_decref(json);
}

static void test_routes4_as_ip(void)
{
    compare_routes("links/routes4.bin", "routes4.json", take_route4);
}

static void test_routes6_as_ip(void)
{
    compare_routes("links/routes6.bin", "routes6.json", take_route6);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/links/as-ip", test_links_as_ip);
    g_test_add_func("/links/known", test_links_known);
    g_test_add_func("/addresses/as-ip", test_addresses_as_ip);
    g_test_add_func("/neighbours/as-ip", test_neighbours_as_ip);
    g_test_add_func("/fdb/as-bridge", test_fdb_as_bridge);
    g_test_add_func("/routes/ipv4-as-ip", test_routes4_as_ip);
    g_test_add_func("/routes/ipv6-as-ip", test_routes6_as_ip);
    return g_test_run();
}
