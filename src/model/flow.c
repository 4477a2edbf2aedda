/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/flow.h"

#include <netinet/in.h>
#include <string.h>

void flow_init(Flow *flow)
{
    memset(flow, 0, sizeof(*flow));
    flow->state = FLOW_NO_STATE;
    flow->sent_bytes = flow->reply_bytes = -1;
    flow->sent_packets = flow->reply_packets = -1;
}

gboolean flow_is_sound(const Flow *flow)
{
    const gboolean any_port = flow->source_port || flow->destination_port || flow->reply_source_port ||
                              flow->reply_destination_port;

    return flow->source.family && flow->destination.family == flow->source.family &&
           flow->reply_source.family == flow->source.family &&
           flow->reply_destination.family == flow->source.family && (flow->has_ports || !any_port) &&
           flow->sent_bytes >= -1 && flow->reply_bytes >= -1 && flow->sent_packets >= -1 &&
           flow->reply_packets >= -1 && flow->started >= 0 && flow->stopped >= 0;
}

/* ------------------------------------------------------------------------------------------- names */

static const struct {
    guint8 protocol;
    const char *name;
} protocols[] = {
    {IPPROTO_ICMP, "icmp"}, {IPPROTO_IGMP, "igmp"},       {IPPROTO_IPIP, "ipip"},     {IPPROTO_TCP, "tcp"},
    {IPPROTO_UDP, "udp"},   {IPPROTO_DCCP, "dccp"},       {IPPROTO_IPV6, "ipv6"},     {IPPROTO_GRE, "gre"},
    {IPPROTO_ESP, "esp"},   {IPPROTO_AH, "ah"},           {IPPROTO_ICMPV6, "icmpv6"}, {IPPROTO_SCTP, "sctp"},
    {IPPROTO_PIM, "pim"},   {IPPROTO_UDPLITE, "udplite"},
};

const char *flow_protocol_name(guint8 protocol, char buffer[static FLOW_PROTOCOL_TEXT])
{
    for (guint i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (protocols[i].protocol == protocol)
            return protocols[i].name;
    }
    g_snprintf(buffer, FLOW_PROTOCOL_TEXT, "%u", protocol);
    return buffer;
}

/* linux/netfilter/nf_conntrack_tcp.h, _sctp.h and _dccp.h: enums in the order of their numbers. */
static const char *const tcp_states[] = {
    "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
    "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2",
};
static const char *const sctp_states[] = {
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
};
static const char *const dccp_states[] = {
    "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT",
};

static const char *name_of(const char *const *names, gsize count, guint8 state)
{
    return state < count ? names[state] : NULL;
}

const char *flow_state_name(const Flow *flow)
{
    switch (flow->protocol) {
    case IPPROTO_TCP:
        return name_of(tcp_states, G_N_ELEMENTS(tcp_states), flow->state);
    case IPPROTO_SCTP:
        return name_of(sctp_states, G_N_ELEMENTS(sctp_states), flow->state);
    case IPPROTO_DCCP:
        return name_of(dccp_states, G_N_ELEMENTS(dccp_states), flow->state);
    default:
        return NULL;
    }
}

/* ---------------------------------------------------------------------------------------- identity */

guint flow_hash(gconstpointer flow)
{
    const Flow *f = flow;

    /* The kernel's number is a hash of all the rest. */
    return f->id ^ ((guint)f->source_port << 16 | f->destination_port);
}

gboolean flow_equal(gconstpointer a, gconstpointer b)
{
    const Flow *left = a;
    const Flow *right = b;

    return left->id == right->id && left->zone == right->zone && left->protocol == right->protocol &&
           left->source_port == right->source_port && left->destination_port == right->destination_port &&
           ip_equal(&left->source, &right->source) && ip_equal(&left->destination, &right->destination);
}
