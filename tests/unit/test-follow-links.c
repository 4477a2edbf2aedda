/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/netlink.h"
#include "own-netns.h"
#include "sources/links-follow.h"
#include "sources/links.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/*
 * The kernel's word against its dump, in a namespace of its own: whoever takes every message as it comes has
 * in the end what a reading has. Two bridges, and veth pairs in place of taps.
 */

#define BRIDGES 2
#define PAIRS 8
#define ROUNDS 100
#define LINKS 64 /* indexes that are used are below */
#define EVERYTHING (LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB | LINKS_NEIGHBOURS)

/* ---------------------------------------------------------------------------------------- changes */

static Netlink *hand;

/* Whether it worked: in a storm many do not. */
static gboolean change(NetlinkRequest *request, guint16 flags)
{
    return netlink_change(hand, request, flags, deadline_in(60), NULL);
}

static void put_string(NetlinkRequest *request, guint16 type, const char *text)
{
    netlink_request_put(request, type, text, strlen(text) + 1);
}

/* A pair's other end stays down, and on no bridge: two bridges joined twice are a loop, in which one frame
 * makes a storm of the forwarding tables that never ends. */
static gboolean add_link(int ifindex, const char *name, const char *kind)
{
    const struct ifinfomsg body = {.ifi_index = ifindex}, peer = {.ifi_index = LINKS + ifindex};
    NetlinkRequest request;
    struct nlattr *info, *data;

    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    put_string(&request, IFLA_IFNAME, name);
    info = netlink_request_nest(&request, IFLA_LINKINFO);
    put_string(&request, IFLA_INFO_KIND, kind);
    data = netlink_request_nest(&request, IFLA_INFO_DATA);
    if (strcmp(kind, "veth") == 0)
        netlink_request_put(&request, VETH_INFO_PEER, &peer, sizeof(peer));
    netlink_request_nest_end(&request, data);
    netlink_request_nest_end(&request, info);
    return change(&request, NLM_F_CREATE | NLM_F_EXCL);
}

static gboolean delete_link(int ifindex)
{
    const struct ifinfomsg body = {.ifi_index = ifindex};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_DELLINK, &body, sizeof(body));
    return change(&request, 0);
}

static void set_begin(NetlinkRequest *request, int ifindex, gboolean up)
{
    const struct ifinfomsg body = {
        .ifi_index = ifindex, .ifi_flags = up ? IFF_UP : 0, .ifi_change = up ? IFF_UP : 0};

    netlink_request_init(request, RTM_NEWLINK, &body, sizeof(body));
}

static gboolean set_up(int ifindex)
{
    NetlinkRequest request;

    set_begin(&request, ifindex, TRUE);
    return change(&request, 0);
}

static gboolean set_down(int ifindex)
{
    const struct ifinfomsg body = {.ifi_index = ifindex, .ifi_change = IFF_UP};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    return change(&request, 0);
}

static gboolean set_number(int ifindex, guint16 type, guint32 value)
{
    NetlinkRequest request;

    set_begin(&request, ifindex, FALSE);
    netlink_request_put_u32(&request, type, value);
    return change(&request, 0);
}

static gboolean set_name(int ifindex, const char *name)
{
    NetlinkRequest request;

    set_begin(&request, ifindex, FALSE);
    put_string(&request, IFLA_IFNAME, name);
    return change(&request, 0);
}

static gboolean set_mac(int ifindex, guint8 last)
{
    const guint8 mac[] = {0xfe, 0x54, 0, 0, 0, last};
    NetlinkRequest request;

    set_begin(&request, ifindex, FALSE);
    netlink_request_put(&request, IFLA_ADDRESS, mac, sizeof(mac));
    return change(&request, 0);
}

static gboolean set_isolated(int ifindex, gboolean isolated)
{
    const struct ifinfomsg body = {.ifi_family = AF_BRIDGE, .ifi_index = ifindex};
    NetlinkRequest request;
    struct nlattr *nest;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    nest = netlink_request_nest(&request, IFLA_PROTINFO | NLA_F_NESTED);
    netlink_request_put_u8(&request, IFLA_BRPORT_ISOLATED, isolated != FALSE);
    netlink_request_nest_end(&request, nest);
    return change(&request, 0);
}

static gboolean change_address(guint16 type, int ifindex, guint8 last)
{
    const struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = (guint)ifindex};
    const guint8 address[] = {192, 0, 2, last};
    NetlinkRequest request;

    netlink_request_init(&request, type, &body, sizeof(body));
    netlink_request_put(&request, IFA_LOCAL, address, sizeof(address));
    netlink_request_put(&request, IFA_ADDRESS, address, sizeof(address));
    return change(&request, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0);
}

static gboolean change_neighbour(guint16 type, int ifindex, guint8 last, guint8 mac_last)
{
    const struct ndmsg body = {.ndm_family = AF_INET, .ndm_ifindex = ifindex, .ndm_state = NUD_PERMANENT};
    const guint8 address[] = {198, 51, 100, last};
    const guint8 mac[] = {0x52, 0x54, 0, 1, 0, mac_last};
    NetlinkRequest request;

    netlink_request_init(&request, type, &body, sizeof(body));
    netlink_request_put(&request, NDA_DST, address, sizeof(address));
    if (type == RTM_NEWNEIGH)
        netlink_request_put(&request, NDA_LLADDR, mac, sizeof(mac));
    return change(&request, type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0);
}

static gboolean change_fdb(guint16 type, int port, guint8 mac_last)
{
    const struct ndmsg body = {
        .ndm_family = AF_BRIDGE, .ndm_ifindex = port, .ndm_state = NUD_NOARP, .ndm_flags = NTF_MASTER};
    const guint8 mac[] = {0x52, 0x54, 0, 2, 0, mac_last};
    NetlinkRequest request;

    netlink_request_init(&request, type, &body, sizeof(body));
    netlink_request_put(&request, NDA_LLADDR, mac, sizeof(mac));
    return change(&request, type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0);
}

/* ---------------------------------------------------------------------------------------- listener */

/* Everything as text, by its key: so that two of them are compared and a difference can be read. */
typedef struct {
    GHashTable *links, *rest;
    guint told_links, gone, doubts, news;
    gboolean doubtful; /* to be read whole */
} World;

static void world_init(World *world)
{
    memset(world, 0, sizeof *world);
    world->links = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    world->rest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void world_clear(World *world)
{
    g_hash_table_unref(world->links);
    g_hash_table_unref(world->rest);
}

static char *link_text(const Link *link)
{
    g_autofree char *mac = mac_to_string(&link->mac);

    return g_strdup_printf("%s kind %s flags %x mtu %u %s master %u carrier %d operstate %d port %d state %d "
                           "isolated %d learning %d",
                           link->name, link->kind, link->flags, link->mtu, mac, link->master, link->carrier,
                           link->operstate, link->is_port, link->is_port ? link->port_info.state : 0,
                           link->port_info.isolated, link->port_info.learning);
}

static void put_rest(World *world, char *key, char *value, gboolean gone)
{
    if (!gone) {
        g_hash_table_replace(world->rest, key, value);
        return;
    }
    g_hash_table_remove(world->rest, key);
    g_free(key);
    g_free(value);
}

static void put_address(World *world, const LinkAddress *address, gboolean gone)
{
    g_autofree char *net = ip_to_string(&address->net.ip);

    put_rest(world, g_strdup_printf("address %u %s/%u", address->ifindex, net, address->net.prefix),
             g_strdup_printf("scope %u", address->scope), gone);
}

static void put_neighbour(World *world, const Neighbour *neighbour, gboolean gone)
{
    g_autofree char *ip = ip_to_string(&neighbour->ip);
    g_autofree char *mac = mac_to_string(&neighbour->mac);

    /* Multicast ones, and those that nobody has answered for yet, are made without a word. */
    if (!gone && (!neighbour->has_mac || (neighbour->state & (NUD_NOARP | NUD_INCOMPLETE | NUD_FAILED))))
        return;
    put_rest(world, g_strdup_printf("neighbour %u %s", neighbour->ifindex, ip), g_strdup(mac), gone);
}

/* A bridge has an address once, at one port. */
static void put_fdb(World *world, const FdbEntry *entry, gboolean gone)
{
    g_autofree char *mac = mac_to_string(&entry->mac);

    put_rest(world, g_strdup_printf("fdb %u %s %u", entry->master, mac, entry->vlan),
             g_strdup_printf("port %u permanent %d", entry->ifindex, entry->permanent), gone);
}

static void on_link(gpointer data, Link *link)
{
    World *world = data;

    world->told_links++;
    g_hash_table_replace(world->links, GUINT_TO_POINTER(link->ifindex), link_text(link));
    link_free(link);
}

static void on_link_gone(gpointer data, guint ifindex)
{
    World *world = data;

    world->gone++;
    g_hash_table_remove(world->links, GUINT_TO_POINTER(ifindex));
}

static void on_address(gpointer data, const LinkAddress *address, gboolean gone)
{
    put_address(data, address, gone);
}

static void on_neighbour(gpointer data, const Neighbour *neighbour, gboolean gone)
{
    put_neighbour(data, neighbour, gone);
}

static void on_fdb(gpointer data, const FdbEntry *entry, gboolean gone)
{
    put_fdb(data, entry, gone);
}

static void on_doubt(gpointer data, SourceId source)
{
    World *world = data;

    g_assert_cmpint(source, ==, SOURCE_LINKS);
    world->doubts++;
    world->doubtful = TRUE;
}

static void on_news(gpointer data)
{
    ((World *)data)->news++;
}

static const FollowTell tell = {
    .link = on_link,
    .link_gone = on_link_gone,
    .address = on_address,
    .neighbour = on_neighbour,
    .fdb = on_fdb,
    .doubt = on_doubt,
    .news = on_news,
};

static void world_read(World *world)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    links_read(facts, EVERYTHING, deadline_in(60), &error);
    g_assert_no_error(error);
    g_hash_table_remove_all(world->links);
    g_hash_table_remove_all(world->rest);
    for (guint i = 0; i < facts->links->len; i++) {
        const Link *link = facts->links->pdata[i];

        g_hash_table_replace(world->links, GUINT_TO_POINTER(link->ifindex), link_text(link));
    }
    for (guint i = 0; i < facts->addresses->len; i++)
        put_address(world, &g_array_index(facts->addresses, LinkAddress, i), FALSE);
    for (guint i = 0; i < facts->neighbours->len; i++)
        put_neighbour(world, &g_array_index(facts->neighbours, Neighbour, i), FALSE);
    for (guint i = 0; i < facts->fdb->len; i++)
        put_fdb(world, &g_array_index(facts->fdb, FdbEntry, i), FALSE);
}

/* What one has and the other has not, or otherwise. print: say which. Returns how many. */
static guint differences(GHashTable *a, GHashTable *b, gboolean numbers, gboolean print)
{
    GHashTableIter iter;
    gpointer key, value;
    guint count = 0;

    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *other = g_hash_table_lookup(b, key);

        if (g_strcmp0(value, other) == 0)
            continue;
        count++;
        if (print && numbers)
            g_printerr("%u: %s, not %s\n", GPOINTER_TO_UINT(key), (char *)value, other);
        else if (print)
            g_printerr("%s: %s, not %s\n", (char *)key, (char *)value, other);
    }
    return count;
}

static guint worlds_differ(const World *a, const World *b, gboolean print)
{
    return differences(a->links, b->links, TRUE, print) + differences(a->rest, b->rest, FALSE, print) +
           differences(b->links, a->links, TRUE, FALSE) + differences(b->rest, a->rest, FALSE, FALSE);
}

static gboolean on_timeout(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* Listens until what was told is what is; after doubt, and only then, it is read as a follower would. */
static void listen_until_true(World *told)
{
    g_autoptr(GMainContext) context = g_main_context_ref(g_main_context_default());
    gboolean late = FALSE;
    guint timeout = g_timeout_add_seconds(100, on_timeout, &late);
    World fresh;

    world_init(&fresh);
    do {
        while (g_main_context_iteration(context, FALSE))
            ;
        if (told->doubtful)
            world_read(told);
        told->doubtful = FALSE;
        world_read(&fresh);
        if (worlds_differ(told, &fresh, FALSE) == 0)
            break;
        g_main_context_iteration(context, TRUE);
    } while (!late);
    g_assert_cmpuint(worlds_differ(told, &fresh, TRUE), ==, 0);
    if (!late)
        g_source_remove(timeout);
    world_clear(&fresh);
}

/* -------------------------------------------------------------------------------------------- host */

static void make_host(void)
{
    g_autoptr(GError) error = NULL;

    hand = netlink_open(NETLINK_ROUTE, &error);
    g_assert_no_error(error);
    g_assert_true(set_up(1));
    g_assert_true(add_link(2, "br0", "bridge"));
    g_assert_true(add_link(3, "br1", "bridge"));
    g_assert_true(set_up(2));
    g_assert_true(set_up(3));
}

static LinksFollow *start_listening(World *told, guint receive)
{
    g_autoptr(GError) error = NULL;
    LinksFollow *follow;

    world_init(told);
    follow = links_follow_new(receive, &tell, told, &error);
    g_assert_no_error(error);
    g_assert_nonnull(follow);
    world_read(told);
    return follow;
}

static void drop_hand(void)
{
    g_clear_pointer(&hand, netlink_close);
}

/* One change, of anything. Some have no effect, and some are of links that are not there. */
static void change_something(GRand *rand)
{
    g_autofree char *name = g_strdup_printf("vnet%d", g_rand_int_range(rand, 0, 2 * PAIRS));
    int ifindex = g_rand_int_range(rand, 2, LINKS);
    guint8 last = (guint8)g_rand_int_range(rand, 1, 20);
    guint8 mac = (guint8)g_rand_int_range(rand, 1, 20);

    switch (g_rand_int_range(rand, 0, 18)) {
    case 0:
    case 1:
    case 2:
        add_link(ifindex, name, "veth");
        break;
    case 3:
        if (ifindex > 1 + BRIDGES)
            delete_link(ifindex);
        break;
    case 4:
        set_name(ifindex, name);
        break;
    case 5:
    case 6:
    case 7:
        set_number(ifindex, IFLA_MASTER, (guint32)g_rand_int_range(rand, 2, 2 + BRIDGES));
        break;
    case 8:
        set_number(ifindex, IFLA_MASTER, 0);
        break;
    case 9:
    case 10:
        set_up(ifindex);
        break;
    case 11:
        set_down(ifindex);
        break;
    case 12:
        /* Its own: a bridge is silent of two ports that share one. */
        set_mac(ifindex, (guint8)(ifindex + LINKS * g_rand_int_range(rand, 0, 2)));
        break;
    case 13:
        set_number(ifindex, IFLA_MTU, 1400 + (guint32)last);
        break;
    case 14:
        change_address(g_rand_boolean(rand) ? RTM_NEWADDR : RTM_DELADDR, ifindex, last);
        break;
    case 15:
        change_neighbour(g_rand_int_range(rand, 0, 3) ? RTM_NEWNEIGH : RTM_DELNEIGH, ifindex, last, mac);
        break;
    case 16:
        change_fdb(g_rand_int_range(rand, 0, 3) ? RTM_NEWNEIGH : RTM_DELNEIGH, ifindex, mac);
        break;
    default:
        set_isolated(ifindex, g_rand_boolean(rand));
    }
}

/* ------------------------------------------------------------------------------------------- tests */

static void test_storm(void)
{
    g_autoptr(LinksFollow) follow = NULL;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20);
    World told;

    if (!in_own_netns())
        return;
    make_host();
    follow = start_listening(&told, 0);
    /* So few at a time that they fit into the buffer of an ordinary user, too. */
    for (guint round = 0; round < ROUNDS; round++) {
        guint count = (guint)g_rand_int_range(rand, 1, 30);

        for (guint i = 0; i < count; i++)
            change_something(rand);
        listen_until_true(&told);
    }
    g_assert_cmpuint(told.doubts, <, ROUNDS / 50);
    g_assert_cmpuint(told.told_links, >, 500);
    g_assert_cmpuint(told.gone, >, 20);
    g_assert_cmpuint(told.news, >, 0);
    world_clear(&told);
    drop_hand();
}

/* The buffer is as small as the kernel makes it. What is lost is said, and after a reading all is well. */
static void test_overrun(void)
{
    g_autoptr(LinksFollow) follow = NULL;
    g_autoptr(GRand) rand = g_rand_new_with_seed(21);
    World told;

    if (!in_own_netns())
        return;
    make_host();
    follow = start_listening(&told, 1);
    for (guint i = 0; i < 500; i++)
        change_something(rand);
    while (told.doubts == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(told.told_links, <, 400);
    listen_until_true(&told);
    world_clear(&told);
    drop_hand();
}

/* A port that leaves is not gone; its flags are told by the bridge alone. */
static void test_port(void)
{
    g_autoptr(LinksFollow) follow = NULL;
    World told;

    if (!in_own_netns())
        return;
    make_host();
    g_assert_true(add_link(10, "vnet0", "veth"));
    follow = start_listening(&told, 0);
    g_assert_true(set_number(10, IFLA_MASTER, 2));
    g_assert_true(set_isolated(10, TRUE));
    listen_until_true(&told);
    g_assert_nonnull(strstr(g_hash_table_lookup(told.links, GUINT_TO_POINTER(10)), "isolated 1"));
    g_assert_true(set_isolated(10, FALSE));
    listen_until_true(&told);
    g_assert_true(set_number(10, IFLA_MASTER, 0));
    listen_until_true(&told);
    g_assert_cmpuint(told.gone, ==, 0);
    g_assert_true(delete_link(10));
    listen_until_true(&told);
    g_assert_cmpuint(told.gone, ==, 2);
    world_clear(&told);
    drop_hand();
}

/* Drained by hand nothing wakes, and nothing is told twice. */
static void test_drain(void)
{
    g_autoptr(LinksFollow) follow = NULL;
    World told;

    if (!in_own_netns())
        return;
    make_host();
    follow = start_listening(&told, 0);
    g_assert_true(add_link(10, "vnet0", "veth"));
    links_follow_drain(follow);
    g_assert_nonnull(g_hash_table_lookup(told.links, GUINT_TO_POINTER(10)));
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(told.news, ==, 0);
    world_clear(&told);
    drop_hand();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow-links/storm", test_storm);
    g_test_add_func("/follow-links/overrun", test_overrun);
    g_test_add_func("/follow-links/port", test_port);
    g_test_add_func("/follow-links/drain", test_drain);
    return g_test_run();
}
