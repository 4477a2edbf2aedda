/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * The kernel's table of connections (nf_conntrack, over NETLINK_NETFILTER; the messages are those of
 * linux/netfilter/nfnetlink_conntrack.h). Reading it takes CAP_NET_ADMIN. docs/decisions/0009 says why
 * libnetfilter_conntrack does not do this.
 */

struct nlmsghdr;

/*
 * All entries, of both families, into facts->flows, and the status of SOURCE_CONNTRACK: live; absent, with
 * the reason, where the kernel has no such thing; else stale or down.
 */
void conntrack_read(Facts *facts, Deadline deadline);

/*
 * Appends all entries (Flow) to flows. Errors: DENIED (the message names the capability), UNSUPPORTED (no
 * such kernel), DEADLINE, FAILED; what was appended by then stays.
 */
gboolean conntrack_dump(GArray *flows, Deadline deadline, GError **error);

typedef gboolean (*ConntrackWanted)(const Flow *flow, gconstpointer data);

/*
 * The wanted entries as the kernel wrote them (struct nlmsghdr, from g_malloc), by which it can be told of
 * them again. A new array that owns them; NULL on error. Errors as above, in the words of netlink_dump.
 */
GPtrArray *conntrack_find(ConntrackWanted wanted, gconstpointer data, Deadline deadline, GError **error);

/*
 * One message of the kernel's: an entry of a dump, or an event. FALSE: it is none, or not one of IPv4 or
 * IPv6. Pure.
 */
gboolean conntrack_parse(const struct nlmsghdr *message, Flow *flow);

/* Why nothing can be read: in the words of an error of netlink_dump or netlink_join, which it takes over. */
void conntrack_explain(GError **error);
