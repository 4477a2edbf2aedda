/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/trace.h"

#include <linux/netlink.h>

/*
 * The kernel's reports about packets that nftables traces, over nfnetlink's group NFNLGRP_NFTRACE. Needs
 * CAP_NET_ADMIN.
 */

/*
 * NFT_MSG_TRACE (linux/netfilter/nf_tables.h: NFTA_TRACE_*). message as in sources/links-parse.h. FALSE, and
 * nothing to be cleared, for another message, or one without table, chain, id or kind; event's texts are the
 * caller's to clear.
 */
gboolean trace_event_parse(const struct nlmsghdr *message, TraceEvent *event);

typedef struct TraceReader TraceReader;

/* Subscribes; before the packet is sent. Errors: DENIED, UNSUPPORTED, FAILED. */
TraceReader *trace_reader_new(GError **error);
void trace_reader_free(TraceReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TraceReader, trace_reader_free)

/*
 * Waits for reports until the packet's end is among them, or the deadline. The result, TraceEvents in their
 * order, is the reader's. *lost: reports were lost (overrun).
 */
const GArray *trace_reader_wait(TraceReader *reader, const TraceKey *key, Deadline deadline, gboolean *lost);
