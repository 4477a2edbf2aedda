/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/netlink.h"
#include "fuzz.h"
#include "sources/sockets-parse.h"

#include <netinet/in.h>

/* The input as a datagram of sock_diag. */

static void parse_socket(const struct nlmsghdr *message, gpointer data)
{
    Socket *socket = socket_parse(message, IPPROTO_UDP);

    if (socket)
        g_assert(socket->local.family == 4 || socket->local.family == 6);
    socket_free(socket);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree void *bytes = g_memdup2(data, size);

    netlink_each(bytes, size, parse_socket, NULL);
    return 0;
}
