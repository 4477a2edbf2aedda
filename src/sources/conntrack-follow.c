/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/conntrack-follow.h"

#include "base/error.h"
#include "base/file.h"
#include "base/netlink.h"
#include "sources/conntrack.h"

#include <glib-unix.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define EVENTS_BYTES 16

gboolean conntrack_is_silent(void)
{
    gsize length = 0;
    g_autofree char *value =
        file_read_proc("/proc/sys/net/netfilter/nf_conntrack_events", EVENTS_BYTES, &length);

    return value && value[0] == '0';
}

struct ConntrackFollow {
    const ConntrackTell *tell;
    gpointer data;
    Netlink *netlink;
    guint source; /* of the main context */
};

static void take(const struct nlmsghdr *message, gpointer data)
{
    const ConntrackFollow *follow = data;
    Flow flow;

    if (!conntrack_parse(message, &flow))
        return;
    if (NFNL_MSG_TYPE(message->nlmsg_type) == IPCTNL_MSG_CT_DELETE)
        follow->tell->ended(follow->data, &flow);
    else
        follow->tell->began(follow->data, &flow);
}

void conntrack_follow_drain(ConntrackFollow *follow)
{
    if (netlink_drain(follow->netlink, take, follow) == NETLINK_OVERRUN)
        follow->tell->lost(follow->data);
}

static gboolean on_queued(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    ConntrackFollow *follow = data;

    conntrack_follow_drain(follow);
    follow->tell->news(follow->data);
    return G_SOURCE_CONTINUE;
}

ConntrackFollow *conntrack_follow_new(const ConntrackTell *tell, gpointer data, GError **error)
{
    GError *cause = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, &cause);
    ConntrackFollow *follow;

    if (!netlink || !netlink_join(netlink, NFNLGRP_CONNTRACK_NEW, &cause) ||
        !netlink_join(netlink, NFNLGRP_CONNTRACK_DESTROY, &cause)) {
        conntrack_explain(&cause);
        g_propagate_error(error, cause);
        return NULL;
    }
    follow = g_new0(ConntrackFollow, 1);
    follow->tell = tell;
    follow->data = data;
    follow->netlink = g_steal_pointer(&netlink);
    follow->source = g_unix_fd_add(netlink_fd(follow->netlink), G_IO_IN, on_queued, follow);
    return follow;
}

void conntrack_follow_free(ConntrackFollow *follow)
{
    if (!follow)
        return;
    g_source_remove(follow->source);
    netlink_close(follow->netlink);
    g_free(follow);
}
