/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/netlink-private.h"
#include "frames.h"
#include "fuzz.h"
#include "sources/links-parse.h"
#include "sources/trace.h"

#include <linux/fib_rules.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/*
 * The input as a datagram of the kernel, and as a well-formed message of each kind: to each parser, and to
 * the end of an exchange. What is understood is sane: a name has a name's length, a prefix fits its family.
 */

static void require_net(const IpNet *net)
{
    require(net->ip.family == 4 || net->ip.family == 6);
    require(net->prefix <= ip_bits(&net->ip));
}

static void links(const struct nlmsghdr *message)
{
    g_autoptr(Link) link = link_parse(message);
    LinkAddress address;

    if (link) {
        require(message->nlmsg_type == RTM_NEWLINK && link->ifindex > 0);
        require(link->name && link->name[0] && strlen(link->name) < IFNAMSIZ);
        require(link->carrier >= -1 && link->carrier <= G_MAXUINT8);
        require(link->is_bridge == fuzz_equal(link->kind, "bridge"));
    }
    if (link_address_parse(message, &address)) {
        require(message->nlmsg_type == RTM_NEWADDR && address.ifindex > 0);
        require_net(&address.net);
    }
}

static void neighbours(const struct nlmsghdr *message)
{
    Neighbour neighbour;
    FdbEntry entry;
    gboolean is_neighbour = neighbour_parse(message, &neighbour);
    gboolean is_entry = fdb_entry_parse(message, &entry);

    require(!is_neighbour || !is_entry);
    require(!is_neighbour ||
            (neighbour.ifindex > 0 && (neighbour.ip.family == 4 || neighbour.ip.family == 6)));
    require(!is_entry || (entry.ifindex > 0 && entry.master > 0));
}

/* Returns how many were added. */
static guint routes_of(const struct nlmsghdr *message, int family, guint8 number, GArray *routes)
{
    guint before = routes->len;
    gboolean parsed = route_parse(message, family, routes);

    require(parsed == (routes->len > before));
    for (guint i = before; i < routes->len; i++) {
        const Route *route = &g_array_index(routes, Route, i);

        require(message->nlmsg_type == RTM_NEWROUTE && route->family == number);
        require(route->dst.ip.family == number);
        require_net(&route->dst);
        require(route->gateway.family == 0 || route->gateway.family == 4 || route->gateway.family == 6);
    }
    return routes->len - before;
}

static void routes(const struct nlmsghdr *message)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    guint v4 = routes_of(message, AF_INET, 4, routes);
    guint v6 = routes_of(message, AF_INET6, 6, routes);

    require(v4 == 0 || v6 == 0);
}

static void rules(const struct nlmsghdr *message)
{
    RouteRule *v4 = route_rule_parse(message, AF_INET);
    RouteRule *v6 = route_rule_parse(message, AF_INET6);
    RouteRule *rule = v4 ? v4 : v6;

    require(!v4 || !v6);
    if (rule) {
        require(message->nlmsg_type == RTM_NEWRULE && rule->family == (v4 ? 4 : 6));
        require(rule->strange || rule->src.ip.family == 0 || rule->src.ip.family == rule->family);
        require(rule->strange || rule->src.prefix <= (v4 ? 32 : 128));
        require(rule->strange || rule->dst.prefix <= (v4 ? 32 : 128));
        require(!rule->iif || (rule->iif[0] && strlen(rule->iif) < IFNAMSIZ));
    }
    route_rule_free(rule);
}

static void traces(const struct nlmsghdr *message)
{
    TraceEvent event;

    if (!trace_event_parse(message, &event))
        return;
    require(message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE));
    require(event.table && event.chain && event.kind >= TRACE_POLICY && event.kind <= TRACE_RULE);
    require(!event.has_key || event.key.label <= 0xfffff);
    trace_event_clear(&event);
}

static void count_message(const struct nlmsghdr *message, gpointer data)
{
    (*(guint *)data)++;
}

static void exchange(const struct nlmsghdr *message)
{
    guint taken = 0;
    g_auto(NetlinkExchange) ours = {.sequence = message->nlmsg_seq, .take = count_message, .data = &taken};
    g_auto(NetlinkExchange) other = {.sequence = message->nlmsg_seq + 1};

    netlink_exchange_take(message, &ours);
    require(ours.error >= 0 && (ours.finished || !ours.error));
    require(taken == (message->nlmsg_type >= NLMSG_MIN_TYPE));
    netlink_exchange_take(message, &other);
    require(!other.finished && !other.torn && !other.error && !other.cause);
}

static void parse_all(const struct nlmsghdr *message)
{
    links(message);
    neighbours(message);
    routes(message);
    rules(message);
    traces(message);
    exchange(message);
}

/* In a datagram a byte too far would be the next message's. */
static void parse_apart(const struct nlmsghdr *message, gpointer data)
{
    g_autofree struct nlmsghdr *copy = fuzz_message_copy(message);

    parse_all(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        guint16 type;
        gsize fixed;
    } kinds[] = {
        {RTM_NEWLINK, sizeof(struct ifinfomsg)},
        {RTM_NEWADDR, sizeof(struct ifaddrmsg)},
        {RTM_NEWNEIGH, sizeof(struct ndmsg)},
        {RTM_NEWROUTE, sizeof(struct rtmsg)},
        {NLMSG_ERROR, sizeof(struct nlmsgerr)},
        {NLMSG_DONE, sizeof(int)},
        {RTM_NEWRULE, sizeof(struct fib_rule_hdr)},
        {NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE, sizeof(struct nfgenmsg)},
    };
    /* Aligned as a receive buffer is. */
    g_autofree void *datagram = g_memdup2(data, size);
    FuzzBytes bytes = {data, size};
    gsize kind = fuzz_byte(&bytes) % G_N_ELEMENTS(kinds);
    g_autofree struct nlmsghdr *message = fuzz_message(kinds[kind].type, kinds[kind].fixed, &bytes);

    netlink_each(datagram, size, parse_apart, NULL);
    parse_all(message);
    return 0;
}
