/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/links-route.h"

#include "base/error.h"
#include "base/netlink.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static void take_route(const struct nlmsghdr *message, gpointer data)
{
    const struct nlattr *attrs[RTA_MAX + 1];
    guint *out = data;

    netlink_attrs(message, sizeof(struct rtmsg), attrs, G_N_ELEMENTS(attrs));
    *out = netlink_attr_u32(attrs[RTA_OIF], 0);
}

static gsize ip_length(const Ip *ip)
{
    return ip->family == 4 ? 4 : 16;
}

gboolean links_route(const Ip *to, const Ip *from, guint in, guint *out, Deadline deadline, GError **error)
{
    const struct rtmsg body = {.rtm_family = to->family == 4 ? AF_INET : AF_INET6,
                               .rtm_dst_len = (guint8)ip_bits(to),
                               .rtm_src_len = from->family ? (guint8)ip_bits(from) : 0};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    NetlinkRequest request;

    *out = 0;
    netlink_request_init(&request, RTM_GETROUTE, &body, sizeof(body));
    netlink_request_put(&request, RTA_DST, to->bytes, ip_length(to));
    if (from->family)
        netlink_request_put(&request, RTA_SRC, from->bytes, ip_length(from));
    if (in)
        netlink_request_put_u32(&request, RTA_IIF, in);
    if (!netlink || !netlink_get(netlink, &request, take_route, out, deadline, error))
        return FALSE;
    return *out || vnat_error_set(error, VNAT_ERROR_FAILED, "the route has no device");
}
