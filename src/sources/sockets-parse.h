/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

#include <linux/netlink.h>

/*
 * An answer of sock_diag(7), struct inet_diag_msg, as a Socket without its process; NULL for what is not of
 * the form. protocol: that of the request (IPPROTO_UDP, IPPROTO_TCP), which old kernels do not repeat. An
 * IPv4-mapped IPv6 address is told as the IPv4 address that it is. message->nlmsg_len bytes must be readable
 * and aligned. Free with socket_free.
 */
Socket *socket_parse(const struct nlmsghdr *message, guint8 protocol);

/* The inode of a link "socket:[12345]" in /proc/PID/fd; 0 if it is another. */
guint64 socket_link_inode(const char *target);
