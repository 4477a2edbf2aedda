/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/sockets-parse.h"

#include "base/netlink.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define SOCKET_PREFIX "socket:["

static gboolean local_address(const struct inet_diag_msg *body, Ip *ip)
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    const guint8 *bytes = (const guint8 *)body->id.idiag_src;

    if (body->idiag_family == AF_INET)
        return ip_from_bytes(bytes, 4, ip);
    if (body->idiag_family != AF_INET6)
        return FALSE;
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return ip_from_bytes(bytes + sizeof(mapped), 4, ip);
    return ip_from_bytes(bytes, 16, ip);
}

Socket *socket_parse(const struct nlmsghdr *message, guint8 protocol)
{
    const struct nlattr *attrs[INET_DIAG_SKV6ONLY + 1];
    const struct inet_diag_msg *body = netlink_body(message, sizeof(*body));
    Socket *socket;
    Ip local;

    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || !body || !local_address(body, &local))
        return NULL;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    socket = g_new0(Socket, 1);
    socket->protocol = protocol;
    socket->local = local;
    socket->port = GUINT16_FROM_BE(body->id.idiag_sport);
    socket->ifindex = body->id.idiag_if;
    socket->v6only = netlink_attr_u8(attrs[INET_DIAG_SKV6ONLY], 0) != 0;
    socket->uid = body->idiag_uid;
    socket->inode = body->idiag_inode;
    return socket;
}

guint64 socket_link_inode(const char *target)
{
    const char *digits = target + strlen(SOCKET_PREFIX);
    char *end = NULL;
    guint64 inode;

    if (!g_str_has_prefix(target, SOCKET_PREFIX) || !g_ascii_isdigit(digits[0]))
        return 0;
    inode = g_ascii_strtoull(digits, &end, 10);
    return inode != G_MAXUINT64 && strcmp(end, "]") == 0 ? inode : 0;
}
