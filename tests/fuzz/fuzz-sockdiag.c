/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/netlink.h"
#include "frames.h"
#include "fuzz.h"
#include "sources/sockets-parse.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

/* The input as a datagram of sock_diag, and as a well-formed answer of it. */

static void parse_socket(const struct nlmsghdr *message, gpointer data)
{
    g_autofree struct nlmsghdr *copy = fuzz_message_copy(message);
    Socket *socket = socket_parse(copy, IPPROTO_UDP);

    if (socket) {
        require(copy->nlmsg_type == SOCK_DIAG_BY_FAMILY && socket->protocol == IPPROTO_UDP);
        require(socket->local.family == 4 || socket->local.family == 6);
        require(socket->pid == 0 && !socket->program);
    }
    socket_free(socket);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree void *datagram = g_memdup2(data, size);
    FuzzBytes bytes = {data, size};
    g_autofree struct nlmsghdr *message =
        fuzz_message(SOCK_DIAG_BY_FAMILY, sizeof(struct inet_diag_msg), &bytes);

    netlink_each(datagram, size, parse_socket, NULL);
    parse_socket(message, NULL);
    return 0;
}
