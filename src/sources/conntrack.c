/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/conntrack.h"

#include "base/error.h"
#include "base/netlink.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

static void read_failed(SourceStatus *status, const GError *error)
{
    SourceState state = status->generation ? SOURCE_STALE : SOURCE_DOWN;

    source_status_set(status,
                      g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED) ? SOURCE_ABSENT : state,
                      error->message);
}

void conntrack_read(Facts *facts, Deadline deadline)
{
    SourceStatus *status = &facts->sources[SOURCE_CONNTRACK];
    g_autoptr(GArray) flows = g_array_new(FALSE, FALSE, sizeof(Flow));
    g_autoptr(GError) error = NULL;

    if (!conntrack_dump(flows, deadline, &error)) {
        read_failed(status, error);
        return;
    }
    g_array_unref(facts->flows);
    facts->flows = g_steal_pointer(&flows);
    status->generation++;
    status->time = facts->now;
    source_status_set(status, SOURCE_LIVE, NULL);
}

/* ------------------------------------------------------------------------------------- the entries */

/* linux/netfilter/nf_conntrack_common.h: a packet of the reply's direction was seen. */
#define STATUS_SEEN_REPLY 0x2

/* The kernel's numbers are in network order. */
static guint16 attr_be16(const struct nlattr *attr)
{
    return g_ntohs(netlink_attr_u16(attr, 0));
}

static guint32 attr_be32(const struct nlattr *attr)
{
    return g_ntohl(netlink_attr_u32(attr, 0));
}

/* At most G_MAXINT64; missing where there is none. */
static gint64 attr_be64(const struct nlattr *attr, gint64 missing)
{
    guint64 number;

    if (!netlink_attr_copy(attr, &number, sizeof(number)))
        return missing;
    return (gint64)MIN(GUINT64_FROM_BE(number), (guint64)G_MAXINT64);
}

static gboolean attr_ip(const struct nlattr *v4, const struct nlattr *v6, Ip *ip)
{
    gsize length;
    const void *bytes = netlink_attr_bytes(v4 ? v4 : v6, &length);

    return bytes && length == (v4 ? 4 : 16) && ip_from_bytes(bytes, length, ip);
}

/* One direction. */
typedef struct {
    Ip source, destination;
    guint8 protocol;
    gboolean has_ports;
    guint16 source_port, destination_port;
    guint16 zone;
} Tuple;

static gboolean tuple_parse(const struct nlattr *nest, Tuple *tuple)
{
    const struct nlattr *attrs[CTA_TUPLE_MAX + 1], *ips[CTA_IP_MAX + 1], *protos[CTA_PROTO_MAX + 1];

    netlink_attrs_nested(nest, attrs, G_N_ELEMENTS(attrs));
    netlink_attrs_nested(attrs[CTA_TUPLE_IP], ips, G_N_ELEMENTS(ips));
    netlink_attrs_nested(attrs[CTA_TUPLE_PROTO], protos, G_N_ELEMENTS(protos));
    tuple->protocol = netlink_attr_u8(protos[CTA_PROTO_NUM], 0);
    tuple->has_ports = protos[CTA_PROTO_SRC_PORT] && protos[CTA_PROTO_DST_PORT];
    if (tuple->has_ports) {
        tuple->source_port = attr_be16(protos[CTA_PROTO_SRC_PORT]);
        tuple->destination_port = attr_be16(protos[CTA_PROTO_DST_PORT]);
    }
    tuple->zone = attr_be16(attrs[CTA_TUPLE_ZONE]);
    return attr_ip(ips[CTA_IP_V4_SRC], ips[CTA_IP_V6_SRC], &tuple->source) &&
           attr_ip(ips[CTA_IP_V4_DST], ips[CTA_IP_V6_DST], &tuple->destination);
}

static gboolean fill_ends(const struct nlattr *original, const struct nlattr *reply, Flow *flow)
{
    Tuple there = {0}, back = {0};

    if (!tuple_parse(original, &there) || !tuple_parse(reply, &back))
        return FALSE;
    flow->protocol = there.protocol;
    flow->zone = there.zone;
    flow->source = there.source;
    flow->destination = there.destination;
    flow->reply_source = back.source;
    flow->reply_destination = back.destination;
    flow->has_ports = there.has_ports && back.has_ports;
    if (!flow->has_ports)
        return TRUE;
    flow->source_port = there.source_port;
    flow->destination_port = there.destination_port;
    flow->reply_source_port = back.source_port;
    flow->reply_destination_port = back.destination_port;
    return TRUE;
}

static guint8 parse_state(const struct nlattr *nest)
{
    const struct nlattr *protos[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];
    const struct nlattr *sctp[CTA_PROTOINFO_SCTP_MAX + 1], *dccp[CTA_PROTOINFO_DCCP_MAX + 1];
    guint8 state;

    netlink_attrs_nested(nest, protos, G_N_ELEMENTS(protos));
    netlink_attrs_nested(protos[CTA_PROTOINFO_TCP], tcp, G_N_ELEMENTS(tcp));
    netlink_attrs_nested(protos[CTA_PROTOINFO_SCTP], sctp, G_N_ELEMENTS(sctp));
    netlink_attrs_nested(protos[CTA_PROTOINFO_DCCP], dccp, G_N_ELEMENTS(dccp));
    state = netlink_attr_u8(dccp[CTA_PROTOINFO_DCCP_STATE], FLOW_NO_STATE);
    state = netlink_attr_u8(sctp[CTA_PROTOINFO_SCTP_STATE], state);
    return netlink_attr_u8(tcp[CTA_PROTOINFO_TCP_STATE], state);
}

static void parse_counters(const struct nlattr *nest, gint64 *packets, gint64 *bytes)
{
    const struct nlattr *attrs[CTA_COUNTERS_MAX + 1];

    netlink_attrs_nested(nest, attrs, G_N_ELEMENTS(attrs));
    *packets = attr_be64(attrs[CTA_COUNTERS_PACKETS], -1);
    *bytes = attr_be64(attrs[CTA_COUNTERS_BYTES], -1);
}

/* The kernel's are nanoseconds of the wall clock. */
static void parse_times(const struct nlattr *nest, Flow *flow)
{
    const struct nlattr *attrs[CTA_TIMESTAMP_MAX + 1];

    netlink_attrs_nested(nest, attrs, G_N_ELEMENTS(attrs));
    flow->started = attr_be64(attrs[CTA_TIMESTAMP_START], 0) / 1000;
    flow->stopped = attr_be64(attrs[CTA_TIMESTAMP_STOP], 0) / 1000;
}

gboolean conntrack_parse(const struct nlmsghdr *message, Flow *flow)
{
    const guint type = NFNL_MSG_TYPE(message->nlmsg_type);
    const struct nlattr *attrs[CTA_MAX + 1];

    if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_CTNETLINK ||
        (type != IPCTNL_MSG_CT_NEW && type != IPCTNL_MSG_CT_DELETE) ||
        !netlink_body(message, sizeof(struct nfgenmsg)))
        return FALSE;
    netlink_attrs(message, sizeof(struct nfgenmsg), attrs, G_N_ELEMENTS(attrs));
    flow_init(flow);
    if (!fill_ends(attrs[CTA_TUPLE_ORIG], attrs[CTA_TUPLE_REPLY], flow))
        return FALSE;
    flow->id = attr_be32(attrs[CTA_ID]);
    if (attrs[CTA_ZONE])
        flow->zone = attr_be16(attrs[CTA_ZONE]);
    flow->replied = (attr_be32(attrs[CTA_STATUS]) & STATUS_SEEN_REPLY) != 0;
    flow->state = parse_state(attrs[CTA_PROTOINFO]);
    parse_counters(attrs[CTA_COUNTERS_ORIG], &flow->sent_packets, &flow->sent_bytes);
    parse_counters(attrs[CTA_COUNTERS_REPLY], &flow->reply_packets, &flow->reply_bytes);
    parse_times(attrs[CTA_TIMESTAMP], flow);
    return flow_is_sound(flow);
}

/* ------------------------------------------------------------------------------------- the reading */

void conntrack_explain(GError **error)
{
    if (g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_DENIED)) {
        g_clear_error(error);
        vnat_error_set(error, VNAT_ERROR_DENIED,
                       "the kernel shows its connections only to those with the capability CAP_NET_ADMIN");
        vnat_error_hint(error, "sudo vnat flows");
    }
}

/* again: what was taken is not a state of the table; all of it comes once more. */
static gboolean read_table(NetlinkTake take, void (*again)(gpointer data), gpointer data, Deadline deadline,
                           GError **error)
{
    const struct nfgenmsg body = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, error);
    NetlinkRequest request;
    NetlinkDump whole = netlink ? NETLINK_TORN : NETLINK_FAILED;

    while (whole == NETLINK_TORN) {
        again(data);
        netlink_request_init(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, &body, sizeof(body));
        whole = netlink_dump(netlink, &request, take, data, deadline, error);
    }
    return whole == NETLINK_WHOLE;
}

typedef struct {
    GArray *flows;
    guint before; /* so many were there */
} Dump;

static void dump_again(gpointer data)
{
    const Dump *dump = data;

    g_array_set_size(dump->flows, dump->before);
}

static void dump_take(const struct nlmsghdr *message, gpointer data)
{
    const Dump *dump = data;
    Flow flow;

    if (conntrack_parse(message, &flow))
        g_array_append_val(dump->flows, flow);
}

gboolean conntrack_dump(GArray *flows, Deadline deadline, GError **error)
{
    Dump dump = {flows, flows->len};
    GError *cause = NULL;

    if (read_table(dump_take, dump_again, &dump, deadline, &cause))
        return TRUE;
    conntrack_explain(&cause);
    g_propagate_error(error, cause);
    return FALSE;
}

typedef struct {
    ConntrackWanted wanted;
    gconstpointer data;
    GPtrArray *entries; /* struct nlmsghdr */
} Search;

static void search_again(gpointer data)
{
    const Search *search = data;

    g_ptr_array_set_size(search->entries, 0);
}

static void search_take(const struct nlmsghdr *message, gpointer data)
{
    const Search *search = data;
    Flow flow;

    if (conntrack_parse(message, &flow) && search->wanted(&flow, search->data))
        g_ptr_array_add(search->entries, g_memdup2(message, message->nlmsg_len));
}

GPtrArray *conntrack_find(ConntrackWanted wanted, gconstpointer data, Deadline deadline, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);
    Search search = {wanted, data, entries};

    return read_table(search_take, search_again, &search, deadline, error) ? g_steal_pointer(&entries) : NULL;
}
