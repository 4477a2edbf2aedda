/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/netlink.h"

#include <linux/fib_rules.h>
#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

/*
 * Records what the kernel answers, for the tests of the parsers: the messages of one dump, one behind the
 * other as they came, on standard output. See tests/unit/data/links/README.md for the host that was recorded.
 *
 *     record-netlink
 * links|addresses|neighbours|fdb|routes4|routes6|rules4|rules6|udp4|udp6|tcp4|tcp6|conntrack >FILE
 *
 * Or what it tells of connections that begin and end, until it has told nothing for two seconds:
 *
 *     record-netlink conntrack-events >FILE
 *
 * Or what nftables reports about traced packets, likewise:
 *
 *     record-netlink trace >FILE
 */

typedef struct {
    const char *name;
    int protocol;
    guint16 type;
    guint8 body[sizeof(struct inet_diag_req_v2)];
    gsize length;
} Recording;

static const Recording recordings[] = {
    {"links", NETLINK_ROUTE, RTM_GETLINK, {AF_UNSPEC}, sizeof(struct ifinfomsg)},
    {"addresses", NETLINK_ROUTE, RTM_GETADDR, {AF_UNSPEC}, sizeof(struct ifaddrmsg)},
    {"neighbours", NETLINK_ROUTE, RTM_GETNEIGH, {AF_UNSPEC}, sizeof(struct ndmsg)},
    {"fdb", NETLINK_ROUTE, RTM_GETNEIGH, {AF_BRIDGE}, sizeof(struct ndmsg)},
    {"routes4", NETLINK_ROUTE, RTM_GETROUTE, {AF_INET}, sizeof(struct rtmsg)},
    {"routes6", NETLINK_ROUTE, RTM_GETROUTE, {AF_INET6}, sizeof(struct rtmsg)},
    {"rules4", NETLINK_ROUTE, RTM_GETRULE, {AF_INET}, sizeof(struct fib_rule_hdr)},
    {"rules6", NETLINK_ROUTE, RTM_GETRULE, {AF_INET6}, sizeof(struct fib_rule_hdr)},
    /* family, protocol, extensions, padding, states */
    {"udp4", NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, {AF_INET, IPPROTO_UDP, 0, 0, 255, 255, 255, 255}, 56},
    {"udp6", NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, {AF_INET6, IPPROTO_UDP, 0, 0, 255, 255, 255, 255}, 56},
    {"tcp4", NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, {AF_INET, IPPROTO_TCP, 0, 0, 255, 255, 255, 255}, 56},
    {"tcp6", NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, {AF_INET6, IPPROTO_TCP, 0, 0, 255, 255, 255, 255}, 56},
    {"conntrack",
     NETLINK_NETFILTER,
     NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
     {0},
     sizeof(struct nfgenmsg)},
};

static void write_message(const struct nlmsghdr *message, gpointer data)
{
    static const guint8 padding[NLMSG_ALIGNTO];

    fwrite(message, 1, message->nlmsg_len, stdout);
    fwrite(padding, 1, NLMSG_ALIGN(message->nlmsg_len) - message->nlmsg_len, stdout);
}

static int record(const Recording *recording)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) netlink = netlink_open(recording->protocol, &error);
    NetlinkRequest request;

    netlink_request_init(&request, recording->type, recording->body, recording->length);
    if (recording->type == RTM_GETLINK)
        netlink_request_put_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if (netlink &&
        netlink_dump(netlink, &request, write_message, NULL, deadline_in(60), &error) == NETLINK_WHOLE)
        return 0;
    fprintf(stderr, "%s: %s\n", recording->name, error ? error->message : "changed meanwhile");
    return 1;
}

/* What comes by these groups, until nothing has for two seconds. */
static int record_events(const char *name, const guint *groups, gsize count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, &error);

    for (gsize i = 0; netlink && i < count; i++) {
        if (!netlink_join(netlink, groups[i], &error))
            g_clear_pointer(&netlink, netlink_close);
    }
    if (!netlink) {
        fprintf(stderr, "%s: %s\n", name, error->message);
        return 1;
    }
    while (netlink_wait(netlink, deadline_in(2)))
        netlink_drain(netlink, write_message, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    static const guint connections[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY};
    static const guint traces[] = {NFNLGRP_NFTRACE};

    if (argc == 2 && strcmp(argv[1], "conntrack-events") == 0)
        return record_events(argv[1], connections, G_N_ELEMENTS(connections));
    if (argc == 2 && strcmp(argv[1], "trace") == 0)
        return record_events(argv[1], traces, G_N_ELEMENTS(traces));
    for (gsize i = 0; argc == 2 && i < G_N_ELEMENTS(recordings); i++) {
        if (strcmp(argv[1], recordings[i].name) == 0)
            return record(&recordings[i]);
    }
    fprintf(stderr, "usage: record-netlink DUMP >FILE\n");
    return 2;
}
