/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/netlink-private.h"
#include "fuzz.h"
#include "sources/links-parse.h"

#include <sys/socket.h>

/* The input as a datagram of the kernel: each message to each parser, and to the end of an exchange. */

static void parse_all(const struct nlmsghdr *message, gpointer data)
{
    g_auto(NetlinkExchange) exchange = {.sequence = message->nlmsg_seq};
    LinkAddress address;
    Neighbour neighbour;
    FdbEntry entry;

    link_free(link_parse(message));
    link_address_parse(message, &address);
    neighbour_parse(message, &neighbour);
    fdb_entry_parse(message, &entry);
    route_parse(message, AF_INET, data);
    route_parse(message, AF_INET6, data);
    netlink_exchange_take(message, &exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(Route));
    /* Aligned as a receive buffer is. */
    g_autofree void *bytes = g_memdup2(data, size);

    netlink_each(bytes, size, parse_all, routes);
    return 0;
}
