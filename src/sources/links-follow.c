/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/links-follow.h"

#include "base/error.h"
#include "base/netlink.h"
#include "sources/links-parse.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

/*
 * Theory of operation.
 *
 * A message of family AF_UNSPEC is a whole reading of its link, and there is one for every change. Two kinds
 * of RTM_NEWLINK are not: those of AF_BRIDGE, by which a bridge tells of a port (its state, its flags) and
 * which alone tell of that; and those of a wireless device, which hold its name and an event. They make the
 * link one to be read by a request of its own, when what is queued has been told. What is read then is newer
 * than all that was told, and if it is older than what is still queued, that has a message behind it.
 *
 * RTM_DELLINK of AF_BRIDGE says that a port has left its bridge. The link is still there.
 *
 * When the socket's buffer runs over, messages are lost and the kernel says so once (ENOBUFS): what is left
 * in the queue is told, and doubt after it.
 */

#define READ_SECONDS 1.0

struct LinksFollow {
    const FollowTell *tell;
    gpointer data;
    Netlink *netlink;
    Netlink *asking;    /* for links that are read by themselves; NULL until needed */
    guint source;       /* of the main context */
    GHashTable *unread; /* ifindexes of those, in a drain */
    gboolean told;      /* something, in this drain */
};

/* ---------------------------------------------------------------------------------------- messages */

/* The parsers read what is there: what is gone comes in the same form, under another type. */
static struct nlmsghdr *message_as(const struct nlmsghdr *message, guint16 type)
{
    struct nlmsghdr *copy = g_memdup2(message, message->nlmsg_len);

    copy->nlmsg_type = type;
    return copy;
}

static gboolean message_is_wireless(const struct nlmsghdr *message)
{
    const struct nlattr *attrs[IFLA_WIRELESS + 1];

    netlink_attrs(message, sizeof(struct ifinfomsg), attrs, G_N_ELEMENTS(attrs));
    return attrs[IFLA_WIRELESS] != NULL;
}

static void tell_link(LinksFollow *follow, Link *link)
{
    follow->told = TRUE;
    follow->tell->link(follow->data, link);
}

static void take_link(LinksFollow *follow, const struct nlmsghdr *message)
{
    const struct ifinfomsg *body = netlink_body(message, sizeof(*body));
    Link *link;

    if (!body || body->ifi_index <= 0)
        return;
    if (body->ifi_family == AF_BRIDGE || message_is_wireless(message)) {
        g_hash_table_add(follow->unread, GINT_TO_POINTER(body->ifi_index));
        return;
    }
    link = link_parse(message);
    if (link)
        tell_link(follow, link);
}

static void take_link_gone(LinksFollow *follow, const struct nlmsghdr *message)
{
    const struct ifinfomsg *body = netlink_body(message, sizeof(*body));

    if (!body || body->ifi_index <= 0)
        return;
    if (body->ifi_family == AF_BRIDGE) {
        g_hash_table_add(follow->unread, GINT_TO_POINTER(body->ifi_index));
        return;
    }
    if (body->ifi_family != AF_UNSPEC)
        return;
    g_hash_table_remove(follow->unread, GINT_TO_POINTER(body->ifi_index));
    follow->told = TRUE;
    follow->tell->link_gone(follow->data, (guint)body->ifi_index);
}

static void take_address(LinksFollow *follow, const struct nlmsghdr *message, gboolean gone)
{
    LinkAddress address;

    if (!link_address_parse(message, &address))
        return;
    follow->told = TRUE;
    follow->tell->address(follow->data, &address, gone);
}

/* Of the forwarding table of a bridge, or a neighbour. */
static void take_neighbour(LinksFollow *follow, const struct nlmsghdr *message, gboolean gone)
{
    Neighbour neighbour;
    FdbEntry entry;

    if (fdb_entry_parse(message, &entry)) {
        follow->told = TRUE;
        follow->tell->fdb(follow->data, &entry, gone);
    } else if (neighbour_parse(message, &neighbour)) {
        follow->told = TRUE;
        follow->tell->neighbour(follow->data, &neighbour, gone);
    }
}

static void take(const struct nlmsghdr *message, gpointer data)
{
    LinksFollow *follow = data;
    g_autofree struct nlmsghdr *gone = NULL;

    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
        take_link(follow, message);
        return;
    case RTM_DELLINK:
        take_link_gone(follow, message);
        return;
    case RTM_NEWADDR:
        take_address(follow, message, FALSE);
        return;
    case RTM_DELADDR:
        gone = message_as(message, RTM_NEWADDR);
        take_address(follow, gone, TRUE);
        return;
    case RTM_NEWNEIGH:
        take_neighbour(follow, message, FALSE);
        return;
    case RTM_DELNEIGH:
        gone = message_as(message, RTM_NEWNEIGH);
        take_neighbour(follow, gone, TRUE);
        return;
    default:
        return;
    }
}

/* ----------------------------------------------------------------------------- links by themselves */

static void take_answer(const struct nlmsghdr *message, gpointer data)
{
    Link *link = link_parse(message);

    if (link)
        tell_link(data, link);
}

static void tell_doubt(LinksFollow *follow)
{
    follow->told = TRUE;
    follow->tell->doubt(follow->data, SOURCE_LINKS);
}

/* FALSE: it could not be read, and is not gone either. */
static gboolean read_link(LinksFollow *follow, int ifindex)
{
    const struct ifinfomsg body = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    g_autoptr(GError) error = NULL;
    NetlinkRequest request;

    if (!follow->asking)
        follow->asking = netlink_open(NETLINK_ROUTE, NULL);
    if (!follow->asking)
        return FALSE;
    netlink_request_init(&request, RTM_GETLINK, &body, sizeof(body));
    netlink_request_put_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if (netlink_get(follow->asking, &request, take_answer, follow, deadline_in(READ_SECONDS), &error) ||
        g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return TRUE;
    /* The socket may hold the rest of an answer. */
    g_clear_pointer(&follow->asking, netlink_close);
    return FALSE;
}

static void read_unread(LinksFollow *follow)
{
    GHashTableIter iter;
    gpointer ifindex;
    gboolean read = TRUE;

    g_hash_table_iter_init(&iter, follow->unread);
    while (read && g_hash_table_iter_next(&iter, &ifindex, NULL))
        read = read_link(follow, GPOINTER_TO_INT(ifindex));
    g_hash_table_remove_all(follow->unread);
    if (!read)
        tell_doubt(follow);
}

/* -------------------------------------------------------------------------------------------- life */

void links_follow_drain(LinksFollow *follow)
{
    if (netlink_drain(follow->netlink, take, follow) == NETLINK_OVERRUN)
        tell_doubt(follow);
    read_unread(follow);
}

static gboolean on_queued(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    LinksFollow *follow = data;

    follow->told = FALSE;
    links_follow_drain(follow);
    if (follow->told)
        follow->tell->news(follow->data);
    return G_SOURCE_CONTINUE;
}

static gboolean socket_shrink(const Netlink *netlink, guint receive, GError **error)
{
    int bytes = (int)receive;

    if (receive == 0 || setsockopt(netlink_fd(netlink), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0)
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_FAILED, "netlink: %s", g_strerror(errno));
}

LinksFollow *links_follow_new(guint receive, const FollowTell *tell, gpointer data, GError **error)
{
    static const guint groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEIGH};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    LinksFollow *follow;

    if (!netlink || !socket_shrink(netlink, receive, error))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (!netlink_join(netlink, groups[i], error))
            return NULL;
    }
    follow = g_new0(LinksFollow, 1);
    follow->tell = tell;
    follow->data = data;
    follow->netlink = g_steal_pointer(&netlink);
    follow->unread = g_hash_table_new(NULL, NULL);
    follow->source = g_unix_fd_add(netlink_fd(follow->netlink), G_IO_IN, on_queued, follow);
    return follow;
}

void links_follow_free(LinksFollow *follow)
{
    if (!follow)
        return;
    g_source_remove(follow->source);
    netlink_close(follow->netlink);
    g_clear_pointer(&follow->asking, netlink_close);
    g_hash_table_unref(follow->unread);
    g_free(follow);
}
