/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/links.h"

#include "base/error.h"
#include "base/netlink.h"
#include "sources/links-parse.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Theory of operation.
 *
 * What is wanted is read dump by dump into a Reading, and moved into the facts when all of its source was
 * read: whoever looks at the facts never sees half of a table. A dump that was torn by a change is thrown
 * away and read again; only its own part of the reading is lost.
 *
 * Links, addresses, routes and the forwarding table make up SOURCE_LINKS, the neighbours SOURCE_NEIGHBOURS.
 * The two are read and fail one without the other.
 */

#define LINKS_OF_SOURCE_LINKS (LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB | LINKS_ROUTES | LINKS_RULES)

typedef struct {
    GPtrArray *links, *rules;
    GArray *addresses, *fdb, *routes, *neighbours;
    int family; /* of the dump that is being read */
} Reading;

static Reading reading_new(void)
{
    return (Reading){
        .links = g_ptr_array_new_with_free_func((GDestroyNotify)link_free),
        .rules = g_ptr_array_new_with_free_func((GDestroyNotify)route_rule_free),
        .addresses = g_array_new(FALSE, FALSE, sizeof(LinkAddress)),
        .fdb = g_array_new(FALSE, FALSE, sizeof(FdbEntry)),
        .routes = g_array_new(FALSE, FALSE, sizeof(Route)),
        .neighbours = g_array_new(FALSE, FALSE, sizeof(Neighbour)),
    };
}

static void reading_clear(Reading *reading)
{
    g_ptr_array_unref(reading->links);
    g_ptr_array_unref(reading->rules);
    g_array_unref(reading->addresses);
    g_array_unref(reading->fdb);
    g_array_unref(reading->routes);
    g_array_unref(reading->neighbours);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

/* Throws away what one kind of dump has brought. */
static void reading_forget(Reading *reading, LinksWanted kind)
{
    switch (kind) {
    case LINKS_LINKS:
        g_ptr_array_set_size(reading->links, 0);
        return;
    case LINKS_ADDRESSES:
        g_array_set_size(reading->addresses, 0);
        return;
    case LINKS_FDB:
        g_array_set_size(reading->fdb, 0);
        return;
    case LINKS_ROUTES:
        g_array_set_size(reading->routes, 0);
        return;
    case LINKS_NEIGHBOURS:
        g_array_set_size(reading->neighbours, 0);
        return;
    case LINKS_RULES:
        g_ptr_array_set_size(reading->rules, 0);
        return;
    }
}

static void swap_arrays(GArray **a, GArray **b)
{
    GArray *old = *a;

    *a = *b;
    *b = old;
}

static void swap_records(GPtrArray **a, GPtrArray **b)
{
    GPtrArray *old = *a;

    *a = *b;
    *b = old;
}

static void publish_links(Reading *reading, Facts *facts)
{
    swap_records(&reading->links, &facts->links);
    facts_sort_links(facts);
}

/* Moves what is wanted into the facts; the old arrays go with the reading. */
static void reading_publish(Reading *reading, LinksWanted wanted, Facts *facts)
{
    if (wanted & LINKS_LINKS)
        publish_links(reading, facts);
    if (wanted & LINKS_ADDRESSES)
        swap_arrays(&reading->addresses, &facts->addresses);
    if (wanted & LINKS_FDB)
        swap_arrays(&reading->fdb, &facts->fdb);
    if (wanted & LINKS_ROUTES)
        swap_arrays(&reading->routes, &facts->routes);
    if (wanted & LINKS_RULES)
        swap_records(&reading->rules, &facts->route_rules);
    if (wanted & LINKS_NEIGHBOURS)
        swap_arrays(&reading->neighbours, &facts->neighbours);
}

/* ------------------------------------------------------------------------------------------- dumps */

static void take_link(const struct nlmsghdr *message, gpointer data)
{
    Reading *reading = data;
    Link *link = link_parse(message);

    if (link)
        g_ptr_array_add(reading->links, link);
}

static void take_address(const struct nlmsghdr *message, gpointer data)
{
    Reading *reading = data;
    LinkAddress address;

    if (link_address_parse(message, &address))
        g_array_append_val(reading->addresses, address);
}

static void take_fdb(const struct nlmsghdr *message, gpointer data)
{
    Reading *reading = data;
    FdbEntry entry;

    if (fdb_entry_parse(message, &entry))
        g_array_append_val(reading->fdb, entry);
}

static void take_neighbour(const struct nlmsghdr *message, gpointer data)
{
    Reading *reading = data;
    Neighbour neighbour;

    if (neighbour_parse(message, &neighbour))
        g_array_append_val(reading->neighbours, neighbour);
}

static void take_route(const struct nlmsghdr *message, gpointer data)
{
    Reading *reading = data;

    route_parse(message, reading->family, reading->routes);
}

static void take_rule(const struct nlmsghdr *message, gpointer data)
{
    Reading *reading = data;
    RouteRule *rule = route_rule_parse(message, reading->family);

    if (rule)
        g_ptr_array_add(reading->rules, rule);
}

/* A kind of facts, and the dumps it is made of. body: size of the request's header, which begins with the
 * family. */
typedef struct {
    LinksWanted kind;
    const char *what;
    guint16 type;
    gsize body;
    NetlinkTake take;
    guint count;
    guint8 families[2];
} DumpPlan;

/*
 * A kernel without IPv6 answers a route dump of that family with those of all families: hence the family in
 * Reading.
 */
static const DumpPlan dump_plans[] = {
    {LINKS_LINKS, "links", RTM_GETLINK, sizeof(struct ifinfomsg), take_link, 1, {AF_UNSPEC}},
    {LINKS_ADDRESSES, "addresses", RTM_GETADDR, sizeof(struct ifaddrmsg), take_address, 1, {AF_UNSPEC}},
    {LINKS_FDB, "forwarding tables", RTM_GETNEIGH, sizeof(struct ndmsg), take_fdb, 1, {AF_BRIDGE}},
    {LINKS_ROUTES, "routes", RTM_GETROUTE, sizeof(struct rtmsg), take_route, 2, {AF_INET, AF_INET6}},
    {LINKS_RULES,
     "rules of routing",
     RTM_GETRULE,
     sizeof(struct fib_rule_hdr),
     take_rule,
     2,
     {AF_INET, AF_INET6}},
    {LINKS_NEIGHBOURS, "neighbours", RTM_GETNEIGH, sizeof(struct ndmsg), take_neighbour, 1, {AF_UNSPEC}},
};

static void dump_request(const DumpPlan *plan, guint8 family, NetlinkRequest *request)
{
    guint8 body[MAX(sizeof(struct ifinfomsg), sizeof(struct rtmsg))] = {family};

    G_STATIC_ASSERT(G_STRUCT_OFFSET(struct ifinfomsg, ifi_family) == 0);
    G_STATIC_ASSERT(G_STRUCT_OFFSET(struct ifaddrmsg, ifa_family) == 0);
    G_STATIC_ASSERT(G_STRUCT_OFFSET(struct ndmsg, ndm_family) == 0);
    G_STATIC_ASSERT(G_STRUCT_OFFSET(struct rtmsg, rtm_family) == 0);
    G_STATIC_ASSERT(G_STRUCT_OFFSET(struct fib_rule_hdr, family) == 0);
    G_STATIC_ASSERT(sizeof(struct fib_rule_hdr) <= sizeof(body));
    G_STATIC_ASSERT(sizeof(struct ndmsg) <= sizeof(body) && sizeof(struct ifaddrmsg) <= sizeof(body));
    netlink_request_init(request, plan->type, body, plan->body);
    /* Counters are a third of a link's message, and nobody asked for them. */
    if (plan->type == RTM_GETLINK)
        netlink_request_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static NetlinkDump dump_once(Netlink *netlink, const DumpPlan *plan, Reading *reading, Deadline deadline,
                             GError **error)
{
    NetlinkDump whole = NETLINK_WHOLE;

    for (guint i = 0; i < plan->count && whole == NETLINK_WHOLE; i++) {
        NetlinkRequest request;

        dump_request(plan, plan->families[i], &request);
        reading->family = plan->families[i];
        whole = netlink_dump(netlink, &request, plan->take, reading, deadline, error);
    }
    return whole;
}

/* Until it is whole. netlink_dump fails by itself once the deadline has passed. */
static gboolean dump_read(Netlink *netlink, const DumpPlan *plan, Reading *reading, Deadline deadline,
                          GError **error)
{
    GError *local = NULL;
    NetlinkDump whole;

    do {
        reading_forget(reading, plan->kind);
        whole = dump_once(netlink, plan, reading, deadline, &local);
    } while (whole == NETLINK_TORN);
    if (plan->kind == LINKS_RULES && g_error_matches(local, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED)) {
        g_error_free(local);
        return TRUE;
    }
    if (local)
        g_propagate_error(error, local);
    if (whole == NETLINK_FAILED)
        g_prefix_error(error, "reading %s: ", plan->what);
    return whole == NETLINK_WHOLE;
}

static gboolean reading_fill(Reading *reading, LinksWanted wanted, Deadline deadline, GError **error)
{
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);

    for (guint i = 0; netlink && i < G_N_ELEMENTS(dump_plans); i++) {
        if ((wanted & dump_plans[i].kind) && !dump_read(netlink, &dump_plans[i], reading, deadline, error))
            return FALSE;
    }
    return netlink != NULL;
}

/* -------------------------------------------------------------------------------------- the source */

/* One source. What was read before stays when it cannot be read again. */
static gboolean source_read(Facts *facts, SourceId id, LinksWanted wanted, Deadline deadline, GError **error)
{
    SourceStatus *status = &facts->sources[id];
    g_autoptr(GError) cause = NULL;
    g_auto(Reading) reading = reading_new();

    if (wanted == 0)
        return TRUE;
    if (!reading_fill(&reading, wanted, deadline, &cause)) {
        source_status_set(status, status->generation ? SOURCE_STALE : SOURCE_DOWN, cause->message);
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    reading_publish(&reading, wanted, facts);
    source_status_set(status, SOURCE_LIVE, NULL);
    status->generation++;
    status->time = facts->now;
    return TRUE;
}

gboolean links_read(Facts *facts, LinksWanted wanted, Deadline deadline, GError **error)
{
    gboolean links = source_read(facts, SOURCE_LINKS, wanted & LINKS_OF_SOURCE_LINKS, deadline, error);

    return source_read(facts, SOURCE_NEIGHBOURS, wanted & LINKS_NEIGHBOURS, deadline, links ? error : NULL) &&
           links;
}

/* ------------------------------------------------------------------------------------- the monitor */

struct LinksMonitor {
    Netlink *netlink;
};

LinksMonitor *links_monitor_new(GError **error)
{
    static const guint groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    LinksMonitor *monitor;

    if (!netlink)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (!netlink_join(netlink, groups[i], error))
            return NULL;
    }
    monitor = g_new0(LinksMonitor, 1);
    monitor->netlink = g_steal_pointer(&netlink);
    return monitor;
}

void links_monitor_free(LinksMonitor *monitor)
{
    if (!monitor)
        return;
    netlink_close(monitor->netlink);
    g_free(monitor);
}

gboolean links_monitor_wait(LinksMonitor *monitor, Deadline deadline)
{
    /* A datagram that was not the kernel's wakes the poll and is no news. */
    while (netlink_wait(monitor->netlink, deadline)) {
        if (netlink_drain(monitor->netlink, NULL, NULL) != NETLINK_QUIET)
            return TRUE;
        if (deadline_passed(deadline))
            return FALSE;
    }
    return FALSE;
}
