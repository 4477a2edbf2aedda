/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/links.h"
#include "base/error.h"
#include "base/netlink.h"
#include "own-netns.h"
#include "sources/links-parse.h"
#include "sources/links.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* Real changes, in a namespace of its own: bridge br0 (index 10), and veth pairs in place of taps. */

#define BRIDGE 10
#define TAP 20

static void change(NetlinkRequest *request, guint16 flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, &error);

    g_assert_no_error(error);
    netlink_change(netlink, request, flags, deadline_in(60), &error);
    g_assert_no_error(error);
}

static void add_link(const char *name, int ifindex, const char *kind, guint mtu)
{
    const struct ifinfomsg body = {.ifi_index = ifindex};
    NetlinkRequest request;
    struct nlattr *info;

    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    netlink_request_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
    netlink_request_put_u32(&request, IFLA_MTU, mtu);
    info = netlink_request_nest(&request, IFLA_LINKINFO);
    netlink_request_put(&request, IFLA_INFO_KIND, kind, strlen(kind) + 1);
    netlink_request_nest_end(&request, info);
    change(&request, NLM_F_CREATE | NLM_F_EXCL);
}

static Facts *make_host(void)
{
    Facts *facts = facts_new();

    add_link("br0", BRIDGE, "bridge", 1500);
    add_link("vnet0", TAP, "veth", 1500);
    g_assert_true(links_read(facts, LINKS_LINKS | LINKS_ADDRESSES, deadline_in(60), NULL));
    return facts;
}

static void read_again(Facts *facts)
{
    g_assert_true(links_read(facts, LINKS_LINKS | LINKS_ADDRESSES, deadline_in(60), NULL));
}

static void reattach(Facts *facts, const LinkAttachment *how)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(
        link_reattach(facts_link(facts, TAP), facts_link(facts, BRIDGE), how, deadline_in(60), &error));
    g_assert_no_error(error);
    read_again(facts);
    g_assert_cmpuint(facts_link(facts, TAP)->master, ==, BRIDGE);
    g_assert_true(facts_link(facts, TAP)->flags & IFF_UP);
    g_assert_cmpint(facts_link(facts, TAP)->port_info.isolated, ==, how->isolated);
}

static void test_reattach(void)
{
    const LinkAttachment plain = {.mtu = 1400}, isolated = {.mtu = 1400, .isolated = TRUE}, keep = {0};
    g_autoptr(Facts) facts = NULL;

    if (!in_own_netns())
        return;
    facts = make_host();
    reattach(facts, &plain);
    g_assert_cmpuint(facts_link(facts, TAP)->mtu, ==, 1400);
    /* Again, and with another wish for a port that is there already. */
    reattach(facts, &plain);
    reattach(facts, &isolated);
    reattach(facts, &keep);
    g_assert_cmpuint(facts_link(facts, TAP)->mtu, ==, 1400);
}

/* What the kernel told while a tap came back: the end alone would not show a wrong order. */
typedef struct {
    guint bridge_mtu;   /* the smallest */
    gboolean open_port; /* the tap was seen on the bridge, up, and not isolated */
} Course;

static void take_course(const struct nlmsghdr *message, gpointer data)
{
    Course *course = data;
    g_autoptr(Link) link = link_parse(message);

    if (link && link->ifindex == BRIDGE)
        course->bridge_mtu = MIN(course->bridge_mtu, link->mtu);
    if (link && link->ifindex == TAP && link->is_port && (link->flags & IFF_UP))
        course->open_port |= !link->port_info.isolated;
}

static Course watch_reattach(Facts *facts, const LinkAttachment *how)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) watcher = netlink_open(NETLINK_ROUTE, &error);
    Course course = {.bridge_mtu = G_MAXUINT};

    g_assert_true(netlink_join(watcher, RTNLGRP_LINK, &error));
    reattach(facts, how);
    g_assert_cmpint(netlink_drain(watcher, take_course, &course), ==, NETLINK_NEWS);
    return course;
}

static void set_tap_up(Facts *facts)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(link_set_up(facts_link(facts, TAP), deadline_in(60), &error));
    read_again(facts);
}

static void detach_tap(Facts *facts)
{
    const struct ifinfomsg body = {.ifi_index = TAP};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    netlink_request_put_u32(&request, IFLA_MASTER, 0);
    change(&request, 0);
    read_again(facts);
}

/* A tap that lost its bridge is still up. */
static void test_isolated(void)
{
    const LinkAttachment isolated = {.isolated = TRUE}, open = {0};
    g_autoptr(Facts) facts = NULL;

    if (!in_own_netns())
        return;
    facts = make_host();
    set_tap_up(facts);
    g_assert_false(watch_reattach(facts, &isolated).open_port);
    /* The watcher does see open ports. */
    detach_tap(facts);
    g_assert_true(watch_reattach(facts, &open).open_port);
}

/* The bridge has no MTU of its own: a port that came with a smaller one would shrink it for all. */
static void test_mtu_first(void)
{
    const LinkAttachment large = {.mtu = 9000};
    g_autoptr(Facts) facts = NULL;

    if (!in_own_netns())
        return;
    facts = facts_new();
    add_link("br0", BRIDGE, "bridge", 9000);
    add_link("vnet0", TAP, "veth", 1500);
    read_again(facts);
    g_assert_cmpuint(watch_reattach(facts, &large).bridge_mtu, ==, 9000);
}

static void test_other_device(void)
{
    const LinkAttachment plain = {0};
    g_autoptr(Facts) facts = NULL;
    g_autoptr(GError) error = NULL;
    Link *tap;

    if (!in_own_netns())
        return;
    facts = make_host();
    tap = facts_link(facts, TAP);
    g_free(tap->name);
    tap->name = g_strdup("vnet7");
    g_assert_false(link_reattach(tap, facts_link(facts, BRIDGE), &plain, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(link_set_up(tap, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    /* What is no bridge gets no port. */
    read_again(facts);
    g_assert_false(
        link_reattach(facts_link(facts, BRIDGE), facts_link(facts, TAP), &plain, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    read_again(facts);
    g_assert_cmpuint(facts_link(facts, BRIDGE)->master, ==, 0);
    g_assert_cmpuint(facts_link(facts, TAP)->master, ==, 0);
}

static gboolean has_address(const Facts *facts, guint ifindex, const IpNet *net)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(facts->addresses, LinkAddress, i);

        if (address->ifindex == ifindex && ip_equal(&address->net.ip, &net->ip) &&
            address->net.prefix == net->prefix)
            return TRUE;
    }
    return FALSE;
}

static void test_addresses(void)
{
    static const char *const texts[] = {"192.168.122.1/24", "10.0.0.1/31", "2001:db8::1/64"};
    g_autoptr(Facts) facts = NULL;
    g_autoptr(GError) error = NULL;

    if (!in_own_netns())
        return;
    facts = make_host();
    g_assert_true(link_set_up(facts_link(facts, BRIDGE), deadline_in(60), &error));
    g_assert_true(link_set_up(facts_link(facts, BRIDGE), deadline_in(60), &error));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        IpNet net;

        g_assert_true(ipnet_parse(texts[i], &net));
        for (guint again = 0; again < 2; again++) {
            g_assert_true(link_add_address(facts_link(facts, BRIDGE), &net, deadline_in(60), &error));
            g_assert_no_error(error);
        }
        read_again(facts);
        g_assert_true(facts_link(facts, BRIDGE)->flags & IFF_UP);
        g_assert_true(has_address(facts, BRIDGE, &net));
    }
    g_assert_false(link_set_up(facts_link(facts, BRIDGE), deadline_in(0), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
}

static void test_mtu(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Facts) facts = NULL;

    if (!in_own_netns())
        return;
    facts = make_host();
    g_assert_true(link_set_mtu(facts_link(facts, TAP), 1400, deadline_in(60), &error));
    read_again(facts);
    g_assert_cmpuint(facts_link(facts, TAP)->mtu, ==, 1400);
    g_assert_cmpuint(facts_link(facts, BRIDGE)->mtu, ==, 1500);
    g_assert_false(link_set_mtu(facts_link(facts, TAP), 1, deadline_in(60), &error));
    g_assert_nonnull(error);
}

/* Only one without ports, and only while the number is still that bridge's. */
static void test_delete(void)
{
    const LinkAttachment plain = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(Facts) facts = NULL;

    if (!in_own_netns())
        return;
    facts = make_host();
    reattach(facts, &plain);
    g_assert_false(link_delete_bridge(facts_link(facts, BRIDGE), deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
    g_assert_cmpstr(error->message, ==, "vnet0 is on br0");
    g_clear_error(&error);
    add_link("br1", 30, "bridge", 1500);
    read_again(facts);
    g_free(facts_link(facts, 30)->name);
    facts_link(facts, 30)->name = g_strdup("br9");
    g_assert_false(link_delete_bridge(facts_link(facts, 30), deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_free(facts_link(facts, 30)->name);
    facts_link(facts, 30)->name = g_strdup("br1");
    for (guint again = 0; again < 2; again++) {
        g_assert_true(link_delete_bridge(facts_link(facts, 30), deadline_in(60), &error));
        g_assert_no_error(error);
    }
    read_again(facts);
    g_assert_null(facts_link(facts, 30));
    g_assert_nonnull(facts_link(facts, BRIDGE));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/links-actions/reattach", test_reattach);
    g_test_add_func("/links-actions/isolated", test_isolated);
    g_test_add_func("/links-actions/mtu-first", test_mtu_first);
    g_test_add_func("/links-actions/other-device", test_other_device);
    g_test_add_func("/links-actions/addresses", test_addresses);
    g_test_add_func("/links-actions/mtu", test_mtu);
    g_test_add_func("/links-actions/delete", test_delete);
    return g_test_run();
}
