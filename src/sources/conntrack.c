/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/conntrack.h"

#include "base/error.h"
#include "config.h"

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

#ifdef HAVE_CONNTRACK

#include "base/netlink.h"

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <sys/socket.h>

/* ------------------------------------------------------------------------------------- the entries */

static gboolean address_of(const struct nf_conntrack *entry, enum nf_conntrack_attr v4,
                           enum nf_conntrack_attr v6, Ip *ip)
{
    const void *bytes = nfct_get_attr(entry, v4);

    if (bytes)
        return ip_from_bytes(bytes, 4, ip);
    bytes = nfct_get_attr(entry, v6);
    return bytes && ip_from_bytes(bytes, 16, ip);
}

static guint16 port_of(const struct nf_conntrack *entry, enum nf_conntrack_attr port)
{
    return g_ntohs(nfct_get_attr_u16(entry, port));
}

static void fill_ports(const struct nf_conntrack *entry, Flow *flow)
{
    /* Of ICMP the library keeps type, code and number in the same place. */
    flow->has_ports = nfct_attr_is_set(entry, ATTR_ORIG_PORT_SRC) == 1;
    if (!flow->has_ports)
        return;
    flow->source_port = port_of(entry, ATTR_ORIG_PORT_SRC);
    flow->destination_port = port_of(entry, ATTR_ORIG_PORT_DST);
    flow->reply_source_port = port_of(entry, ATTR_REPL_PORT_SRC);
    flow->reply_destination_port = port_of(entry, ATTR_REPL_PORT_DST);
}

static void fill_state(const struct nf_conntrack *entry, Flow *flow)
{
    static const enum nf_conntrack_attr states[] = {ATTR_TCP_STATE, ATTR_SCTP_STATE, ATTR_DCCP_STATE};

    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (nfct_attr_is_set(entry, states[i]) == 1)
            flow->state = nfct_get_attr_u8(entry, states[i]);
    }
    flow->replied = (nfct_get_attr_u32(entry, ATTR_STATUS) & IPS_SEEN_REPLY) != 0;
}

static gint64 counter_of(const struct nf_conntrack *entry, enum nf_conntrack_attr counter)
{
    if (nfct_attr_is_set(entry, counter) != 1)
        return -1;
    return (gint64)MIN(nfct_get_attr_u64(entry, counter), (guint64)G_MAXINT64);
}

/* The kernel's are nanoseconds of the wall clock. */
static gint64 time_of(const struct nf_conntrack *entry, enum nf_conntrack_attr moment)
{
    return (gint64)(nfct_get_attr_u64(entry, moment) / 1000);
}

gboolean conntrack_flow(const struct nf_conntrack *entry, Flow *flow)
{
    flow_init(flow);
    if (!address_of(entry, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, &flow->source) ||
        !address_of(entry, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, &flow->destination) ||
        !address_of(entry, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, &flow->reply_source) ||
        !address_of(entry, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST, &flow->reply_destination))
        return FALSE;
    flow->protocol = nfct_get_attr_u8(entry, ATTR_ORIG_L4PROTO);
    flow->id = nfct_get_attr_u32(entry, ATTR_ID);
    flow->zone = nfct_get_attr_u16(entry, ATTR_ZONE);
    fill_ports(entry, flow);
    fill_state(entry, flow);
    flow->sent_bytes = counter_of(entry, ATTR_ORIG_COUNTER_BYTES);
    flow->reply_bytes = counter_of(entry, ATTR_REPL_COUNTER_BYTES);
    flow->sent_packets = counter_of(entry, ATTR_ORIG_COUNTER_PACKETS);
    flow->reply_packets = counter_of(entry, ATTR_REPL_COUNTER_PACKETS);
    flow->started = time_of(entry, ATTR_TIMESTAMP_START);
    flow->stopped = time_of(entry, ATTR_TIMESTAMP_STOP);
    return flow_is_sound(flow);
}

/* ------------------------------------------------------------------------------------ the messages */

gboolean conntrack_parse(const struct nlmsghdr *message, Flow *flow)
{
    const guint type = NFNL_MSG_TYPE(message->nlmsg_type);
    struct nf_conntrack *entry;
    gboolean ok;

    /* The library takes it for granted that the header is there. */
    if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_CTNETLINK ||
        (type != IPCTNL_MSG_CT_NEW && type != IPCTNL_MSG_CT_DELETE) ||
        !netlink_body(message, sizeof(struct nfgenmsg)))
        return FALSE;
    entry = nfct_new();
    if (!entry)
        g_error("out of memory");
    ok = nfct_nlmsg_parse(message, entry) == 0 && conntrack_flow(entry, flow);
    nfct_destroy(entry);
    return ok;
}

void conntrack_explain(GError **error)
{
    if (g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_DENIED)) {
        g_clear_error(error);
        vnat_error_set(error, VNAT_ERROR_DENIED,
                       "the kernel shows its connections only to those with the capability CAP_NET_ADMIN");
        vnat_error_hint(error, "sudo vnat flows");
    }
}

static void take_entry(const struct nlmsghdr *message, gpointer data)
{
    Flow flow;

    if (conntrack_parse(message, &flow))
        g_array_append_val((GArray *)data, flow);
}

gboolean conntrack_dump(GArray *flows, Deadline deadline, GError **error)
{
    const struct nfgenmsg body = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
    GError *cause = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, &cause);
    const guint before = flows->len;
    NetlinkRequest request;
    NetlinkDump whole = netlink ? NETLINK_TORN : NETLINK_FAILED;

    while (whole == NETLINK_TORN) {
        g_array_set_size(flows, before);
        netlink_request_init(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, &body, sizeof(body));
        whole = netlink_dump(netlink, &request, take_entry, flows, deadline, &cause);
    }
    if (whole == NETLINK_WHOLE)
        return TRUE;
    conntrack_explain(&cause);
    g_propagate_error(error, cause);
    return FALSE;
}

#else

gboolean conntrack_parse(const struct nlmsghdr *message G_GNUC_UNUSED, Flow *flow G_GNUC_UNUSED)
{
    return FALSE;
}

gboolean conntrack_flow(const struct nf_conntrack *entry G_GNUC_UNUSED, Flow *flow G_GNUC_UNUSED)
{
    return FALSE;
}

void conntrack_explain(GError **error)
{
    g_clear_error(error);
    vnat_error_set(error, VNAT_ERROR_UNSUPPORTED, "this vnat was built without libnetfilter_conntrack");
    vnat_error_hint(error, "conntrack -L");
}

gboolean conntrack_dump(GArray *flows G_GNUC_UNUSED, Deadline deadline G_GNUC_UNUSED, GError **error)
{
    GError *cause = NULL;

    conntrack_explain(&cause);
    g_propagate_error(error, cause);
    return FALSE;
}

#endif
