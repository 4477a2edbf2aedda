/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/netlink.h"

/*
 * A request that was sent, and what became of it; apart from the socket, so that the answers of a kernel can
 * be tested without one. cause is freed by its owner's g_auto.
 */
typedef struct {
    guint32 sequence; /* of the request; messages of another are passed over */
    NetlinkTake take; /* may be NULL */
    gpointer data;
    gboolean finished; /* DONE or ERROR came */
    gboolean torn;
    int error;   /* positive errno; 0: none */
    char *cause; /* the kernel's text for it, or NULL */
} NetlinkExchange;

static inline void netlink_exchange_clear(NetlinkExchange *exchange)
{
    g_free(exchange->cause);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NetlinkExchange, netlink_exchange_clear)

/* One message of the answer; data is the NetlinkExchange. */
void netlink_exchange_take(const struct nlmsghdr *message, gpointer data);
