/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"
#include "netlink-frames.h"
#include "sources/links-parse.h"

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Frames bent by hand: cut at every byte, with wrong types, families, flags and lengths. */

static struct nlmsghdr *frame(const char *file, gsize number_in_file)
{
    g_auto(Frames) frames = frames_load(file);

    return frames_copy(&frames, number_in_file);
}

/* The attribute of that type in a recorded frame, to be changed in place. */
static struct nlattr *attr_in(struct nlmsghdr *message, gsize body, guint16 type)
{
    guint8 *at = (guint8 *)message + NLMSG_HDRLEN + NLMSG_ALIGN(body);
    guint8 *past = (guint8 *)message + message->nlmsg_len;

    while (at < past) {
        struct nlattr *attr = (struct nlattr *)(void *)at;

        if ((attr->nla_type & NLA_TYPE_MASK) == type)
            return attr;
        at += NLA_ALIGN(attr->nla_len);
    }
    g_assert_not_reached();
}

static void test_link_refused(void)
{
    g_autofree struct nlmsghdr *message = frame("links/links.bin", 1);
    struct ifinfomsg *body = NLMSG_DATA(message);
    const int ifindex = body->ifi_index;
    Link *link = link_parse(message);

    g_assert_nonnull(link);
    link_free(link);
    body->ifi_family = AF_BRIDGE;
    g_assert_null(link_parse(message));
    body->ifi_family = AF_UNSPEC;
    body->ifi_index = -1;
    g_assert_null(link_parse(message));
    body->ifi_index = ifindex;
    message->nlmsg_type = RTM_DELLINK;
    g_assert_null(link_parse(message));
    message->nlmsg_type = RTM_NEWLINK;
    /* Without its end the name is not a name. */
    memset(attr_in(message, sizeof(*body), IFLA_IFNAME) + 1, 'x',
           attr_in(message, sizeof(*body), IFLA_IFNAME)->nla_len - sizeof(struct nlattr));
    g_assert_null(link_parse(message));
}

static void test_link_names(void)
{
    const struct ifinfomsg body = {.ifi_index = 5};
    static const struct {
        const char *name;
        gboolean sane;
    } cases[] = {{"", FALSE}, {"a", TRUE}, {"fifteen-letters", TRUE}, {"sixteen--letters", FALSE}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        NetlinkRequest request;
        Link *link;

        netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
        netlink_request_put(&request, IFLA_IFNAME, cases[i].name, strlen(cases[i].name) + 1);
        link = link_parse((const struct nlmsghdr *)request.words);
        g_assert_cmpint(link != NULL, ==, cases[i].sane);
        link_free(link);
    }
}

/* Nothing said is nothing known. */
static void test_link_bare(void)
{
    const struct ifinfomsg body = {.ifi_index = 5};
    NetlinkRequest request;
    g_autoptr(Link) link = NULL;

    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    netlink_request_put(&request, IFLA_IFNAME, "eth0", 5);
    netlink_request_put(&request, IFLA_CARRIER, "\0\0", 2);
    link = link_parse((const struct nlmsghdr *)request.words);
    g_assert_nonnull(link);
    g_assert_cmpint(link->carrier, ==, -1);
    g_assert_cmpint(link->operstate, ==, -1);
    g_assert_false(link->has_mac || link->is_bridge || link->is_port);
    g_assert_null(link->kind);
}

static void test_address_refused(void)
{
    g_autofree struct nlmsghdr *message = frame("links/addresses.bin", 0);
    struct ifaddrmsg *body = NLMSG_DATA(message);
    LinkAddress address;

    g_assert_true(link_address_parse(message, &address));
    body->ifa_prefixlen = 33;
    g_assert_false(link_address_parse(message, &address));
    body->ifa_prefixlen = 32;
    g_assert_true(link_address_parse(message, &address));
    /* Four bytes are no IPv6 address. */
    body->ifa_family = AF_INET6;
    g_assert_false(link_address_parse(message, &address));
    body->ifa_family = AF_APPLETALK;
    g_assert_false(link_address_parse(message, &address));
    body->ifa_family = AF_INET;
    body->ifa_index = 0;
    g_assert_false(link_address_parse(message, &address));
    body->ifa_index = 1;
    message->nlmsg_type = RTM_DELADDR;
    g_assert_false(link_address_parse(message, &address));
}

static void test_address_flags(void)
{
    const struct ifaddrmsg body = {
        .ifa_family = AF_INET, .ifa_flags = 0x80, .ifa_prefixlen = 24, .ifa_index = 3};
    NetlinkRequest request;
    LinkAddress address;

    netlink_request_init(&request, RTM_NEWADDR, &body, sizeof(body));
    netlink_request_put(&request, IFA_ADDRESS, "\x0a\0\0\x01", 4);
    g_assert_true(link_address_parse((const struct nlmsghdr *)request.words, &address));
    g_assert_cmphex(address.flags, ==, 0x80);
    netlink_request_put_u32(&request, IFA_FLAGS, 0x280);
    g_assert_true(link_address_parse((const struct nlmsghdr *)request.words, &address));
    g_assert_cmphex(address.flags, ==, 0x280);
}

static void test_neighbour_refused(void)
{
    g_autofree struct nlmsghdr *message = frame("links/neighbours.bin", 0);
    struct ndmsg *body = NLMSG_DATA(message);
    struct nlattr *mac = attr_in(message, sizeof(*body), NDA_LLADDR);
    Neighbour neighbour;
    FdbEntry entry;

    g_assert_true(neighbour_parse(message, &neighbour));
    g_assert_true(neighbour.has_mac);
    g_assert_false(fdb_entry_parse(message, &entry));
    mac->nla_type = NDA_VLAN;
    g_assert_true(neighbour_parse(message, &neighbour));
    g_assert_false(neighbour.has_mac);
    body->ndm_flags |= NTF_PROXY;
    g_assert_false(neighbour_parse(message, &neighbour));
    body->ndm_flags = 0;
    body->ndm_ifindex = -body->ndm_ifindex;
    g_assert_false(neighbour_parse(message, &neighbour));
    body->ndm_ifindex = -body->ndm_ifindex;
    g_assert_true(neighbour_parse(message, &neighbour));
    attr_in(message, sizeof(*body), NDA_DST)->nla_type = NDA_VNI;
    g_assert_false(neighbour_parse(message, &neighbour));
}

static void test_fdb_vlan(void)
{
    const struct ndmsg body = {.ndm_family = AF_BRIDGE, .ndm_ifindex = 3, .ndm_state = NUD_REACHABLE};
    const struct nlmsghdr *message;
    const guint16 vlan = 42;
    NetlinkRequest request;
    FdbEntry entry;

    netlink_request_init(&request, RTM_NEWNEIGH, &body, sizeof(body));
    message = (const struct nlmsghdr *)request.words;
    netlink_request_put(&request, NDA_LLADDR, "\x52\x54\0\0\0\x01", 6);
    /* Without a bridge it is a device's own list, whatever its flags say. */
    g_assert_false(fdb_entry_parse(message, &entry));
    netlink_request_put_u32(&request, NDA_MASTER, 10);
    netlink_request_put(&request, NDA_VLAN, &vlan, sizeof(vlan));
    g_assert_true(fdb_entry_parse(message, &entry));
    g_assert_cmpuint(entry.vlan, ==, 42);
    g_assert_cmpuint(entry.master, ==, 10);
    g_assert_cmpuint(entry.updated, ==, G_MAXUINT32);
    ((struct ndmsg *)NLMSG_DATA((struct nlmsghdr *)request.words))->ndm_flags = NTF_SELF;
    g_assert_false(fdb_entry_parse(message, &entry));
}

/* Without a port or an address there is nothing that could have been learned. */
static void test_fdb_refused(void)
{
    static const gint ifindexes[] = {3, 0, -3};

    for (gsize i = 0; i < G_N_ELEMENTS(ifindexes); i++) {
        const struct ndmsg body = {.ndm_family = AF_BRIDGE, .ndm_ifindex = ifindexes[i]};
        NetlinkRequest request;
        FdbEntry entry;

        netlink_request_init(&request, RTM_NEWNEIGH, &body, sizeof(body));
        netlink_request_put_u32(&request, NDA_MASTER, 10);
        g_assert_false(fdb_entry_parse((const struct nlmsghdr *)request.words, &entry));
        netlink_request_put(&request, NDA_LLADDR, "\x52\x54\0\0\0\x01", 6);
        g_assert_cmpint(fdb_entry_parse((const struct nlmsghdr *)request.words, &entry), ==, i == 0);
    }
}

/* Starts a route with this header; the caller adds attributes. */
static const struct nlmsghdr *start_route(NetlinkRequest *request, guint8 prefix, guint32 flags)
{
    const struct rtmsg body = {.rtm_family = AF_INET,
                               .rtm_dst_len = prefix,
                               .rtm_table = RT_TABLE_COMPAT,
                               .rtm_type = RTN_UNICAST,
                               .rtm_flags = flags};

    netlink_request_init(request, RTM_NEWROUTE, &body, sizeof(body));
    return (const struct nlmsghdr *)request->words;
}

static void test_route_refused(void)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    NetlinkRequest request;
    const struct nlmsghdr *message = start_route(&request, 24, 0);

    /* A prefix without an address. */
    g_assert_false(route_parse(message, AF_INET, routes));
    netlink_request_put(&request, RTA_DST, "\x0a\0\0\0", 4);
    netlink_request_put_u32(&request, RTA_TABLE, 100000);
    g_assert_true(route_parse(message, AF_INET, routes));
    g_assert_cmpuint(g_array_index(routes, Route, 0).table, ==, 100000);
    /* A kernel without IPv6 answers with all families. */
    g_assert_false(route_parse(message, AF_INET6, routes));
    g_assert_false(route_parse(message, AF_MPLS, routes));
    message = start_route(&request, 24, RTM_F_CLONED);
    netlink_request_put(&request, RTA_DST, "\x0a\0\0\0", 4);
    g_assert_false(route_parse(message, AF_INET, routes));
    message = start_route(&request, 33, 0);
    netlink_request_put(&request, RTA_DST, "\x0a\0\0\0", 4);
    g_assert_false(route_parse(message, AF_INET, routes));
    message = start_route(&request, 0, 0);
    netlink_request_put(&request, RTA_GATEWAY, "\x0a\0\0", 3);
    g_assert_false(route_parse(message, AF_INET, routes));
    g_assert_cmpuint(routes->len, ==, 1);
}

/* Of a family that has no addresses here, even if it was asked for. */
static void test_route_family(void)
{
    const struct rtmsg body = {.rtm_family = AF_MPLS, .rtm_type = RTN_UNICAST};
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    NetlinkRequest request;

    netlink_request_init(&request, RTM_NEWROUTE, &body, sizeof(body));
    g_assert_false(route_parse((const struct nlmsghdr *)request.words, AF_MPLS, routes));
}

/* Six bytes are no IPv4 destination, and not the default one either. */
static void test_route_destination(void)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    NetlinkRequest request;
    const struct nlmsghdr *message = start_route(&request, 0, 0);

    netlink_request_put(&request, RTA_DST, "\x0a\0\0\0\0\0", 6);
    g_assert_false(route_parse(message, AF_INET, routes));
}

/* A gateway of another family tells its own: its number and its length must agree. */
static void test_route_via(void)
{
    static const struct {
        guint16 family;
        gsize length; /* of the address behind it */
        gboolean good;
    } cases[] = {{AF_INET6, 16, TRUE}, {AF_INET, 4, TRUE},    {AF_INET6, 4, FALSE}, {AF_INET, 16, FALSE},
                 {AF_INET6, 0, FALSE}, {AF_INET6, 15, FALSE}, {AF_MPLS, 4, FALSE}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 via[sizeof(struct rtvia) + 16] = {0};
        g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
        NetlinkRequest request;
        const struct nlmsghdr *message = start_route(&request, 0, 0);

        memcpy(via, &cases[i].family, sizeof(cases[i].family));
        via[sizeof(struct rtvia)] = 0xfd;
        netlink_request_put(&request, RTA_VIA, via, sizeof(struct rtvia) + cases[i].length);
        g_assert_cmpint(route_parse(message, AF_INET, routes), ==, cases[i].good);
        g_assert_cmpuint(routes->len, ==, cases[i].good ? 1 : 0);
        if (cases[i].good)
            g_assert_cmpuint(g_array_index(routes, Route, 0).gateway.bytes[0], ==, 0xfd);
    }
}

/* Too short to tell even a family. */
static void test_route_via_short(void)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    NetlinkRequest request;
    const struct nlmsghdr *message = start_route(&request, 0, 0);

    netlink_request_put(&request, RTA_VIA, "\x02", 1);
    g_assert_false(route_parse(message, AF_INET, routes));
}

/* A hop's gateway that is none takes the whole route along. */
static void test_route_hop_gateway(void)
{
    struct {
        struct rtnexthop hop;
        struct nlattr attr;
        guint8 address[4];
    } hops[2] = {0};

    for (gsize bad = 0; bad < 2; bad++) {
        g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
        NetlinkRequest request;
        const struct nlmsghdr *message = start_route(&request, 0, 0);

        for (gsize i = 0; i < G_N_ELEMENTS(hops); i++) {
            hops[i].hop = (struct rtnexthop){.rtnh_len = sizeof(hops[i]), .rtnh_ifindex = (int)i + 3};
            hops[i].attr = (struct nlattr){.nla_len = sizeof(struct nlattr) + 4, .nla_type = RTA_GATEWAY};
        }
        if (bad)
            hops[1].attr.nla_len--;
        netlink_request_put(&request, RTA_MULTIPATH, hops, sizeof(hops));
        g_assert_cmpint(route_parse(message, AF_INET, routes), ==, !bad);
        g_assert_cmpuint(routes->len, ==, bad ? 0 : 2);
    }
}

static void test_route_hops_hostile(void)
{
    static const guint16 lengths[] = {0, 7, 9, 17, 0xffff};
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    NetlinkRequest request;

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        struct rtnexthop hops[2] = {{.rtnh_len = 8, .rtnh_ifindex = 3}, {.rtnh_len = lengths[i]}};
        const struct nlmsghdr *message = start_route(&request, 0, 0);

        netlink_request_put(&request, RTA_MULTIPATH, hops, sizeof(hops));
        g_assert_false(route_parse(message, AF_INET, routes));
        /* Not even the good one is left. */
        g_assert_cmpuint(routes->len, ==, 0);
    }
    netlink_request_put(&request, RTA_MULTIPATH, "", 0);
    g_assert_false(route_parse((const struct nlmsghdr *)request.words, AF_INET, routes));
}

static void test_route_hop_flags(void)
{
    const struct rtnexthop hops[2] = {{.rtnh_len = 8, .rtnh_ifindex = 3, .rtnh_flags = RTNH_F_LINKDOWN},
                                      {.rtnh_len = 8, .rtnh_ifindex = 4}};
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    NetlinkRequest request;
    const struct nlmsghdr *message = start_route(&request, 0, RTM_F_OFFLOAD);

    netlink_request_put(&request, RTA_MULTIPATH, hops, sizeof(hops));
    g_assert_true(route_parse(message, AF_INET, routes));
    g_assert_cmpuint(routes->len, ==, 2);
    g_assert_cmphex(g_array_index(routes, Route, 0).flags, ==, RTM_F_OFFLOAD | RTNH_F_LINKDOWN);
    g_assert_cmphex(g_array_index(routes, Route, 1).flags, ==, RTM_F_OFFLOAD);
    g_assert_cmpuint(g_array_index(routes, Route, 1).ifindex, ==, 4);
}

/* Every recorded frame cut at every byte: no parser may read behind the end (the sanitizers watch). */
static void cut_everywhere(const struct nlmsghdr *message, gpointer data)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));

    for (gsize length = NLMSG_HDRLEN; length <= message->nlmsg_len; length++) {
        g_autofree struct nlmsghdr *cut = frame_cut(message, length);
        LinkAddress address;
        Neighbour neighbour;
        FdbEntry entry;

        link_free(link_parse(cut));
        link_address_parse(cut, &address);
        neighbour_parse(cut, &neighbour);
        fdb_entry_parse(cut, &entry);
        route_parse(cut, AF_INET, routes);
        route_parse(cut, AF_INET6, routes);
    }
    (*(guint *)data)++;
}

static void test_cut(void)
{
    static const char *const files[] = {"links/links.bin", "links/addresses.bin", "links/neighbours.bin",
                                        "links/fdb.bin",   "links/routes4.bin",   "links/routes6.bin"};
    guint frames = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        frames_each(files[i], cut_everywhere, &frames);
    g_assert_cmpuint(frames, >, 50);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/links/refused", test_link_refused);
    g_test_add_func("/links/names", test_link_names);
    g_test_add_func("/links/bare", test_link_bare);
    g_test_add_func("/addresses/refused", test_address_refused);
    g_test_add_func("/addresses/flags", test_address_flags);
    g_test_add_func("/neighbours/refused", test_neighbour_refused);
    g_test_add_func("/fdb/vlan", test_fdb_vlan);
    g_test_add_func("/fdb/refused", test_fdb_refused);
    g_test_add_func("/routes/refused", test_route_refused);
    g_test_add_func("/routes/family", test_route_family);
    g_test_add_func("/routes/destination", test_route_destination);
    g_test_add_func("/routes/via", test_route_via);
    g_test_add_func("/routes/via/short", test_route_via_short);
    g_test_add_func("/routes/hop-gateway", test_route_hop_gateway);
    g_test_add_func("/routes/hops-hostile", test_route_hops_hostile);
    g_test_add_func("/routes/hop-flags", test_route_hop_flags);
    g_test_add_func("/cut", test_cut);
    return g_test_run();
}
