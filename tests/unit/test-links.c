/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/netlink.h"
#include "own-netns.h"
#include "sources/links.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

/* The source against a kernel: in a namespace of its own where something changes. What frames mean is
 * test-links-parse's. */

#define EVERYTHING (LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB | LINKS_ROUTES | LINKS_NEIGHBOURS)

static void change(NetlinkRequest *request, guint16 flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, &error);

    g_assert_no_error(error);
    netlink_change(netlink, request, flags, deadline_in(60), &error);
    g_assert_no_error(error);
}

static void set_loopback_up(void)
{
    const struct ifinfomsg body = {.ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    change(&request, 0);
}

static void add_bridge(const char *name, int ifindex)
{
    const struct ifinfomsg body = {.ifi_index = ifindex};
    NetlinkRequest request;
    struct nlattr *info;

    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    netlink_request_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
    info = netlink_request_nest(&request, IFLA_LINKINFO);
    netlink_request_put(&request, IFLA_INFO_KIND, "bridge", strlen("bridge") + 1);
    netlink_request_nest_end(&request, info);
    change(&request, NLM_F_CREATE | NLM_F_EXCL);
}

static void delete_link(int ifindex)
{
    const struct ifinfomsg body = {.ifi_index = ifindex};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_DELLINK, &body, sizeof(body));
    change(&request, 0);
}

static void read_all(Facts *facts)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(links_read(facts, EVERYTHING, deadline_in(60), &error));
    g_assert_no_error(error);
}

static void test_own_namespace(void)
{
    g_autoptr(Facts) facts = NULL;

    if (!in_own_netns())
        return;
    facts = facts_new();
    facts->now = 1000;
    set_loopback_up();
    add_bridge("late", 9);
    add_bridge("early", 4);
    read_all(facts);
    g_assert_cmpuint(facts->links->len, ==, 3);
    g_assert_cmpstr(((Link *)facts->links->pdata[0])->name, ==, "lo");
    g_assert_cmpstr(((Link *)facts->links->pdata[1])->name, ==, "early");
    g_assert_cmpstr(facts_link(facts, 9)->name, ==, "late");
    g_assert_true(facts_link(facts, 9)->is_bridge);
    /* 127.0.0.1 and, where there is IPv6, ::1; its routes likewise. */
    g_assert_cmpuint(facts->addresses->len, >=, 1);
    g_assert_cmpuint(facts->routes->len, >=, 2);
    g_assert_cmpint(facts->sources[SOURCE_LINKS].state, ==, SOURCE_LIVE);
    g_assert_cmpint(facts->sources[SOURCE_LINKS].time, ==, 1000);
    g_assert_cmpuint(facts->sources[SOURCE_LINKS].generation, ==, 1);
    g_assert_cmpuint(facts->sources[SOURCE_NEIGHBOURS].generation, ==, 1);
    /* Read again, what is gone is gone. */
    delete_link(9);
    read_all(facts);
    g_assert_null(facts_link(facts, 9));
    g_assert_cmpuint(facts->links->len, ==, 2);
    g_assert_cmpuint(facts->sources[SOURCE_LINKS].generation, ==, 2);
}

static void test_only_what_is_wanted(void)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(links_read(facts, LINKS_LINKS, deadline_in(60), &error));
    g_assert_no_error(error);
    g_assert_cmpuint(facts->links->len, >, 0);
    g_assert_cmpuint(facts->addresses->len, ==, 0);
    g_assert_cmpuint(facts->routes->len, ==, 0);
    g_assert_cmpint(facts->sources[SOURCE_NEIGHBOURS].state, ==, SOURCE_UNREAD);
    g_assert_true(links_read(facts, LINKS_NEIGHBOURS, deadline_in(60), &error));
    g_assert_cmpint(facts->sources[SOURCE_NEIGHBOURS].state, ==, SOURCE_LIVE);
    g_assert_cmpuint(facts->sources[SOURCE_LINKS].generation, ==, 1);
}

static void test_failure_keeps_facts(void)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;
    guint links;

    g_assert_false(links_read(facts, EVERYTHING, deadline_in(0), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpint(facts->sources[SOURCE_LINKS].state, ==, SOURCE_DOWN);
    g_assert_cmpint(facts->sources[SOURCE_NEIGHBOURS].state, ==, SOURCE_DOWN);
    g_assert_cmpuint(facts->sources[SOURCE_LINKS].generation, ==, 0);
    g_assert_nonnull(facts->sources[SOURCE_LINKS].error);
    read_all(facts);
    g_assert_null(facts->sources[SOURCE_LINKS].error);
    links = facts->links->len;
    g_assert_false(links_read(facts, EVERYTHING, deadline_in(0), NULL));
    g_assert_cmpint(facts->sources[SOURCE_LINKS].state, ==, SOURCE_STALE);
    g_assert_cmpuint(facts->links->len, ==, links);
}

static gpointer add_bridge_soon(gpointer data)
{
    g_usleep((gulong)50 * 1000);
    add_bridge("br0", 7);
    return NULL;
}

static void test_monitor(void)
{
    g_autoptr(LinksMonitor) monitor = NULL;
    g_autoptr(GError) error = NULL;
    GThread *thread;

    if (!in_own_netns())
        return;
    monitor = links_monitor_new(&error);
    g_assert_no_error(error);
    g_assert_false(links_monitor_wait(monitor, deadline_in(0.02)));
    set_loopback_up();
    g_assert_true(links_monitor_wait(monitor, deadline_in(60)));
    while (links_monitor_wait(monitor, deadline_in(0.1)))
        continue;
    thread = g_thread_new("change", add_bridge_soon, NULL);
    g_assert_true(links_monitor_wait(monitor, deadline_in(60)));
    g_thread_join(thread);
    links_monitor_free(NULL);
}

/* Links come and go while they are read: what is published is never a mixture, and it ends. */
static gpointer churn(gpointer data)
{
    const gint *stop = data;

    while (!g_atomic_int_get(stop)) {
        add_bridge("churn", 500);
        delete_link(500);
    }
    return NULL;
}

static void test_churn(void)
{
    g_autoptr(Facts) facts = NULL;
    GThread *thread;
    gint stop = 0;

    if (!in_own_netns())
        return;
    facts = facts_new();
    for (int i = 10; i < 110; i++) {
        g_autofree char *name = g_strdup_printf("br%d", i);

        add_bridge(name, i);
    }
    thread = g_thread_new("churn", churn, &stop);
    for (guint i = 0; i < 20; i++) {
        read_all(facts);
        g_assert_cmpuint(facts->links->len, >=, 101);
        g_assert_cmpuint(facts->links->len, <=, 102);
        for (guint k = 1; k < facts->links->len; k++)
            g_assert_cmpuint(((Link *)facts->links->pdata[k - 1])->ifindex, <,
                             ((Link *)facts->links->pdata[k])->ifindex);
    }
    g_atomic_int_set(&stop, 1);
    g_thread_join(thread);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/links/own-namespace", test_own_namespace);
    g_test_add_func("/links/only-what-is-wanted", test_only_what_is_wanted);
    g_test_add_func("/links/failure-keeps-facts", test_failure_keeps_facts);
    g_test_add_func("/links/monitor", test_monitor);
    g_test_add_func("/links/churn", test_churn);
    return g_test_run();
}
