/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/trace.h"

#include "base/netlink.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <string.h>

#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define IPV6_LABEL 0xfffff

struct TraceReader {
    Netlink *netlink;
    GArray *events;
};

/* ---------------------------------------------------------------------------------------------- parsing */

/* nfnetlink's numbers are in network order. */
static guint32 attr_be32(const struct nlattr *attr, guint32 missing)
{
    guint32 value;

    return netlink_attr_copy(attr, &value, sizeof(value)) ? GUINT32_FROM_BE(value) : missing;
}

static guint64 attr_be64(const struct nlattr *attr)
{
    guint64 value;

    return netlink_attr_copy(attr, &value, sizeof(value)) ? GUINT64_FROM_BE(value) : 0;
}

static gint32 verdict_code(const struct nlattr *verdict)
{
    const struct nlattr *attrs[NFTA_VERDICT_MAX + 1];

    netlink_attrs_nested(verdict, attrs, G_N_ELEMENTS(attrs));
    return (gint32)attr_be32(attrs[NFTA_VERDICT_CODE], (guint32)NFT_CONTINUE);
}

static guint32 number_at(const guint8 *bytes, gsize at, gsize length)
{
    guint32 number = 0;

    for (gsize i = 0; i < length; i++)
        number = number << 8 | bytes[at + i];
    return number;
}

/* Of the headers that a report shows. FALSE: it shows none, or too little of them. */
static gboolean take_key(const struct nlattr *network, const struct nlattr *transport, TraceKey *key)
{
    gsize length, rest;
    const guint8 *header = netlink_attr_bytes(network, &length);
    const guint8 *body = netlink_attr_bytes(transport, &rest);
    gboolean four;
    guint8 protocol;
    gsize at;

    if (!header || !body || length < IPV4_BYTES || (header[0] >> 4 != 4 && length < IPV6_BYTES))
        return FALSE;
    four = header[0] >> 4 == 4;
    protocol = four ? header[9] : header[6];
    at = protocol == IPPROTO_TCP ? 4 : 8;
    if (rest < at + sizeof(key->token))
        return FALSE;
    key->label = four ? number_at(header, 4, 2) : number_at(header, 0, 4) & IPV6_LABEL;
    key->token = number_at(body, at, sizeof(key->token));
    return TRUE;
}

gboolean trace_event_parse(const struct nlmsghdr *message, TraceEvent *event)
{
    const struct nlattr *attrs[NFTA_TRACE_MAX + 1];
    const struct nfgenmsg *body = netlink_body(message, sizeof(*body));
    const char *table, *chain;
    guint32 kind;

    if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) || !body)
        return FALSE;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    table = netlink_attr_string(attrs[NFTA_TRACE_TABLE]);
    chain = netlink_attr_string(attrs[NFTA_TRACE_CHAIN]);
    kind = attr_be32(attrs[NFTA_TRACE_TYPE], 0);
    if (!table || !chain || !attrs[NFTA_TRACE_ID] || kind < TRACE_POLICY || kind > TRACE_RULE)
        return FALSE;
    *event = (TraceEvent){
        .id = attr_be32(attrs[NFTA_TRACE_ID], 0),
        .family = body->nfgen_family,
        .table = g_strdup(table),
        .chain = g_strdup(chain),
        .handle = attr_be64(attrs[NFTA_TRACE_RULE_HANDLE]),
        .kind = (TraceKind)kind,
        .verdict = kind == TRACE_POLICY ? (gint32)attr_be32(attrs[NFTA_TRACE_POLICY], 0)
                                        : verdict_code(attrs[NFTA_TRACE_VERDICT]),
    };
    event->has_key =
        take_key(attrs[NFTA_TRACE_NETWORK_HEADER], attrs[NFTA_TRACE_TRANSPORT_HEADER], &event->key);
    return TRUE;
}

/* ---------------------------------------------------------------------------------------------- reading */

static void clear_event(gpointer event)
{
    trace_event_clear(event);
}

TraceReader *trace_reader_new(GError **error)
{
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, error);
    TraceReader *reader;

    if (!netlink || !netlink_join(netlink, NFNLGRP_NFTRACE, error))
        return NULL;
    reader = g_new0(TraceReader, 1);
    reader->netlink = g_steal_pointer(&netlink);
    reader->events = g_array_new(FALSE, FALSE, sizeof(TraceEvent));
    g_array_set_clear_func(reader->events, clear_event);
    return reader;
}

void trace_reader_free(TraceReader *reader)
{
    if (!reader)
        return;
    netlink_close(reader->netlink);
    g_array_unref(reader->events);
    g_free(reader);
}

static void take_event(const struct nlmsghdr *message, gpointer data)
{
    TraceReader *reader = data;
    TraceEvent event;

    if (trace_event_parse(message, &event))
        g_array_append_val(reader->events, event);
}

const GArray *trace_reader_wait(TraceReader *reader, const TraceKey *key, Deadline deadline, gboolean *lost)
{
    *lost = FALSE;
    while (!trace_is_over(reader->events, key) && netlink_wait(reader->netlink, deadline))
        *lost |= netlink_drain(reader->netlink, take_event, reader) == NETLINK_OVERRUN;
    return reader->events;
}
