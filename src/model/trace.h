/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/path.h"

/*
 * What the kernel itself said of a packet's way through nftables (nftrace), and whether it is what the
 * evaluator says of the same way. Pure.
 */

/* NFT_TRACETYPE_* (linux/netfilter/nf_tables.h). */
typedef enum { TRACE_POLICY = 1, TRACE_RETURN = 2, TRACE_RULE = 3 } TraceKind;

/*
 * What a traced packet is told from every other by, whatever is translated of it: IPv4's identification or
 * IPv6's flow label, and TCP's sequence number, else the first bytes of what UDP or an echo carry.
 */
typedef struct {
    guint32 label, token;
} TraceKey;

/* One report of the kernel: a rule that matched, the end of a chain, a base chain's policy. */
typedef struct {
    guint32 id; /* the same for all reports about a packet in one base chain; the next may have another */
    gboolean has_key; /* the report shows the packet: the first of a base chain does */
    TraceKey key;
    guint8 family; /* of the table: the kernel's NFPROTO_* */
    char *table, *chain;
    guint64 handle; /* of the rule; 0: none */
    TraceKind kind;
    gint32 verdict; /* the kernel's: 0 drop, 1 accept, -1 continue, -3 jump, … ; of a policy, that */
} TraceEvent;

void trace_event_clear(TraceEvent *event);

/* What decided in a base chain. Texts are the events'. */
typedef struct {
    const char *family; /* "ip", "ip6", "inet"; NULL for another */
    const char *table, *chain;
    guint64 handle; /* 0: the policy */
    PacketVerdict verdict;
} TraceDecision;

/* The table whose rules have the kernel report: its own reports are no decisions. */
#define TRACE_TABLE "vnat_trace"
/* Its chain that takes the packet away when everything else let it through. */
#define TRACE_END "end"

typedef struct {
    GPtrArray *lines;       /* char *: each decision, "ip filter LIBVIRT_FWO, handle 14: accept" */
    GPtrArray *differences; /* char *: where evaluation and kernel are not of one mind; empty: nowhere */
    gboolean complete;      /* the packet's end was seen: it was refused, or came to TRACE_END */
    PacketVerdict verdict;  /* what became of it in the kernel; PACKET_UNKNOWN: it got lost between chains */
} Trace;

/*
 * events: TraceEvent, as they came; key: of the packet that is meant. path: the same packet's, of which the
 * leg there is compared, as far as nftables has its chains: rules of legacy iptables are not reported. Where
 * the evaluator was not certain the kernel's word is no difference.
 */
Trace *trace_compare(const GArray *events, const TraceKey *key, const Path *path);
void trace_free(Trace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trace, trace_free)

/* Whether the end of the packet is among the events: it was refused, or came to TRACE_END.
 */
gboolean trace_is_over(const GArray *events, const TraceKey *key);

/* The decisions in a packet's events: TraceDecision, one for each base chain. Free with g_array_unref. */
GArray *trace_decisions(const GArray *events, const TraceKey *key);
