/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/trace.h"

#include <string.h>

/* Verdicts of the kernel (NF_DROP, NF_ACCEPT); below zero are those of nftables that end no base chain. */
enum { KERNEL_DROP = 0, KERNEL_ACCEPT = 1 };

void trace_event_clear(TraceEvent *event)
{
    g_free(event->table);
    g_free(event->chain);
}

/* ------------------------------------------------------------------------------------------- decisions */

/* NFPROTO_* */
static const char *family_name(guint8 family)
{
    switch (family) {
    case 1:
        return "inet";
    case 2:
        return "ip";
    case 10:
        return "ip6";
    default:
        return NULL;
    }
}

static gboolean is_ours(const TraceEvent *event)
{
    return strcmp(event->table, TRACE_TABLE) == 0;
}

static PacketVerdict verdict_of(gint32 verdict)
{
    switch (verdict) {
    case KERNEL_DROP:
        return PACKET_DROP;
    case KERNEL_ACCEPT:
        return PACKET_ACCEPT;
    default:
        return PACKET_UNKNOWN;
    }
}

/* Whether a report is about the packet: shows it, or has the number of the report before it that did. */
static gboolean is_about(const GArray *events, guint index, const TraceKey *key)
{
    const guint32 id = g_array_index(events, TraceEvent, index).id;

    for (guint i = index + 1; i-- > 0;) {
        const TraceEvent *event = &g_array_index(events, TraceEvent, i);

        if (event->id == id && event->has_key)
            return event->key.label == key->label && event->key.token == key->token;
    }
    return FALSE;
}

GArray *trace_decisions(const GArray *events, const TraceKey *key)
{
    GArray *decisions = g_array_new(FALSE, FALSE, sizeof(TraceDecision));

    for (guint i = 0; i < events->len; i++) {
        const TraceEvent *event = &g_array_index(events, TraceEvent, i);
        TraceDecision decision = {
            .family = family_name(event->family),
            .table = event->table,
            .chain = event->chain,
            .handle = event->kind == TRACE_POLICY ? 0 : event->handle,
            .verdict = verdict_of(event->verdict),
        };

        if (!is_ours(event) && decision.family && event->verdict >= 0 && is_about(events, i, key))
            g_array_append_val(decisions, decision);
    }
    return decisions;
}

/* Whether it came through to the chain that waits for it there. */
static gboolean reached_end(const GArray *events, const TraceKey *key)
{
    for (guint i = 0; i < events->len; i++) {
        const TraceEvent *event = &g_array_index(events, TraceEvent, i);

        if (is_ours(event) && g_str_has_prefix(event->chain, TRACE_END) && event->kind == TRACE_RULE &&
            event->verdict == KERNEL_DROP && is_about(events, i, key))
            return TRUE;
    }
    return FALSE;
}

static const TraceDecision *last_of(const GArray *decisions)
{
    return decisions->len > 0 ? &g_array_index(decisions, TraceDecision, decisions->len - 1) : NULL;
}

static PacketVerdict end_of(const GArray *events, const TraceKey *key, const GArray *decisions)
{
    const TraceDecision *last = last_of(decisions);

    if (reached_end(events, key))
        return PACKET_ACCEPT;
    return last && last->verdict == PACKET_DROP ? PACKET_DROP : PACKET_UNKNOWN;
}

gboolean trace_is_over(const GArray *events, const TraceKey *key)
{
    g_autoptr(GArray) decisions = trace_decisions(events, key);

    return end_of(events, key, decisions) != PACKET_UNKNOWN;
}

/* ------------------------------------------------------------------------------------------ comparison */

static const char *verdict_word(PacketVerdict verdict)
{
    return verdict == PACKET_REJECT ? "drop" : packet_verdict_name(verdict);
}

static char *decision_text(const TraceDecision *decision)
{
    if (decision->handle)
        return g_strdup_printf("%s %s %s, handle %" G_GUINT64_FORMAT ": %s", decision->family,
                               decision->table, decision->chain, decision->handle,
                               verdict_word(decision->verdict));
    return g_strdup_printf("%s %s %s, policy %s", decision->family, decision->table, decision->chain,
                           verdict_word(decision->verdict));
}

/* What the evaluator says, in the same words. */
static char *hop_text(const PathHop *hop)
{
    const PacketStep *step = &hop->step;
    const TraceDecision same = {
        .family = step->table->family,
        .table = step->table->name,
        .chain = step->chain->name,
        .handle = step->rule ? (guint64)step->rule->handle : 0,
        .verdict = hop->verdict,
    };

    return decision_text(&same);
}

/* To the kernel a reject is a drop after an answer. */
static gboolean same_verdict(PacketVerdict evaluated, PacketVerdict kernel)
{
    return evaluated == kernel || (evaluated == PACKET_REJECT && kernel == PACKET_DROP);
}

/* An evaluator that was not certain agrees with whatever came of it in that table. */
static gboolean agrees(const PathHop *hop, const TraceDecision *decision)
{
    const PacketStep *step = &hop->step;
    const guint64 handle = step->rule ? (guint64)step->rule->handle : 0;

    if (strcmp(step->table->family, decision->family) != 0 || strcmp(step->table->name, decision->table) != 0)
        return FALSE;
    if (step->verdict == PACKET_UNKNOWN)
        return TRUE;
    if (step->unsure)
        return same_verdict(step->verdict, decision->verdict);
    return strcmp(step->chain->name, decision->chain) == 0 && handle == decision->handle &&
           same_verdict(step->verdict, decision->verdict);
}

/* Hops that the kernel reports too. */
static GPtrArray *reported_hops(const Path *path)
{
    GPtrArray *hops = g_ptr_array_new();

    for (guint i = 0; i < path->hops->len; i++) {
        PathHop *hop = path->hops->pdata[i];

        if ((hop->leg == PATH_THERE || hop->leg == PATH_TO_GUEST) && hop->step.table && hop->step.base &&
            hop->step.table->shape != FIREWALL_IPTABLES_LEGACY && !hop->frame)
            g_ptr_array_add(hops, hop);
    }
    return hops;
}

static void add_difference(Trace *trace, const PathHop *hop, const TraceDecision *decision)
{
    g_autofree char *evaluated = hop ? hop_text(hop) : g_strdup("nothing more");
    g_autofree char *kernel = decision ? decision_text(decision) : g_strdup("nothing more");

    g_ptr_array_add(trace->differences, g_strdup_printf("evaluated %s; the kernel: %s", evaluated, kernel));
}

static void compare(Trace *trace, const GArray *decisions, const GPtrArray *hops)
{
    for (guint i = 0; i < MAX(decisions->len, hops->len); i++) {
        const PathHop *hop = i < hops->len ? hops->pdata[i] : NULL;
        const TraceDecision *decision =
            i < decisions->len ? &g_array_index(decisions, TraceDecision, i) : NULL;

        if (hop && decision && agrees(hop, decision))
            continue;
        /* What follows the first is not comparable. */
        add_difference(trace, hop, decision);
        return;
    }
}

Trace *trace_compare(const GArray *events, const TraceKey *key, const Path *path)
{
    Trace *trace = g_new0(Trace, 1);
    g_autoptr(GArray) decisions = trace_decisions(events, key);
    g_autoptr(GPtrArray) hops = reported_hops(path);

    trace->lines = g_ptr_array_new_with_free_func(g_free);
    trace->differences = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < decisions->len; i++)
        g_ptr_array_add(trace->lines, decision_text(&g_array_index(decisions, TraceDecision, i)));
    trace->verdict = end_of(events, key, decisions);
    trace->complete = trace->verdict != PACKET_UNKNOWN;
    compare(trace, decisions, hops);
    return trace;
}

void trace_free(Trace *trace)
{
    if (!trace)
        return;
    g_ptr_array_unref(trace->lines);
    g_ptr_array_unref(trace->differences);
    g_free(trace);
}
