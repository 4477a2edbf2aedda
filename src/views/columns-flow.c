/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/columns.h"

#include "base/text.h"
#include "views/flows.h"

static char *address(const Ip *ip)
{
    return ip->family ? ip_to_string(ip) : NULL;
}

static char *port(const FlowRow *row, guint16 number)
{
    return row->flow.has_ports ? g_strdup_printf("%u", number) : NULL;
}

static char *figure(gint64 number)
{
    return number >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT, number) : NULL;
}

static char *get_protocol(gconstpointer record, const ViewContext *view)
{
    char buffer[FLOW_PROTOCOL_TEXT];

    return g_strdup(flow_protocol_name(((const FlowRow *)record)->flow.protocol, buffer));
}

static char *get_guest(gconstpointer record, const ViewContext *view)
{
    const FlowRow *row = record;

    return flow_end_to_string(&row->guest, row->flow.has_ports, row->guest_port);
}

static char *get_host(gconstpointer record, const ViewContext *view)
{
    const FlowRow *row = record;

    return row->translated ? flow_end_to_string(&row->host, row->flow.has_ports, row->host_port) : NULL;
}

static char *get_remote(gconstpointer record, const ViewContext *view)
{
    const FlowRow *row = record;

    return flow_end_to_string(&row->remote, row->flow.has_ports, row->remote_port);
}

/* Of what has no states one thing is worth a word: that nobody answered. */
static char *get_state(gconstpointer record, const ViewContext *view)
{
    const FlowRow *row = record;
    const char *name = flow_state_name(&row->flow);

    return g_strdup(name ? name : row->flow.replied ? NULL : "UNREPLIED");
}

static char *get_bytes(gconstpointer record, const ViewContext *view)
{
    return figure(flow_row_bytes(record));
}

static char *get_packets(gconstpointer record, const ViewContext *view)
{
    return figure(flow_row_packets(record));
}

static char *get_sent(gconstpointer record, const ViewContext *view)
{
    return figure(flow_row_sent(record));
}

static char *get_received(gconstpointer record, const ViewContext *view)
{
    return figure(flow_row_received(record));
}

static char *get_age(gconstpointer record, const ViewContext *view)
{
    const gint64 age = ((const FlowRow *)record)->age;

    return age >= 0 ? text_span(age) : NULL;
}

static char *get_started(gconstpointer record, const ViewContext *view)
{
    const FlowRow *row = record;

    return row->flow.started ? text_time_local(row->flow.started / G_USEC_PER_SEC) : NULL;
}

static char *get_began(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const FlowRow *)record)->inbound ? "remote" : "guest");
}

static char *get_domain(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const FlowRow *)record)->domain);
}

static char *get_tap(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const FlowRow *)record)->tap);
}

static char *get_network(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const FlowRow *)record)->network);
}

static char *get_remote_domain(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const FlowRow *)record)->remote_domain);
}

static char *get_guest_address(gconstpointer record, const ViewContext *view)
{
    return address(&((const FlowRow *)record)->guest);
}

static char *get_guest_port(gconstpointer record, const ViewContext *view)
{
    return port(record, ((const FlowRow *)record)->guest_port);
}

static char *get_host_address(gconstpointer record, const ViewContext *view)
{
    return address(&((const FlowRow *)record)->host);
}

static char *get_host_port(gconstpointer record, const ViewContext *view)
{
    const FlowRow *row = record;

    return row->translated ? port(row, row->host_port) : NULL;
}

static char *get_remote_address(gconstpointer record, const ViewContext *view)
{
    return address(&((const FlowRow *)record)->remote);
}

static char *get_remote_port(gconstpointer record, const ViewContext *view)
{
    return port(record, ((const FlowRow *)record)->remote_port);
}

static char *get_id(gconstpointer record, const ViewContext *view)
{
    return g_strdup_printf("%u", ((const FlowRow *)record)->flow.id);
}

static const Column flow_table[] = {
    {"network", "Network", "network that the guest's address belongs to", get_network, NULL},
    {"domain", "Domain", "domain that has the guest's address", get_domain, NULL},
    {"protocol", "Protocol", "tcp, udp, icmp, …", get_protocol, NULL},
    {"guest", "Guest", "the guest's address and port", get_guest, NULL},
    {"host", "Host", "address and port that stand for it outside; missing: not translated", get_host, NULL},
    {"remote", "Remote", "the other end", get_remote, NULL},
    {"state", "State", "state of the connection, or UNREPLIED", get_state, NULL},
    {"bytes", "Bytes", "of both directions, where they are counted", get_bytes, NULL},
    {"packets", "Packets", "likewise", get_packets, NULL},
    {"age", "Age", "time since it began, where that is kept", get_age, NULL},
    {"tap", "Tap", "that interface's tap", get_tap, NULL},
    {"sent", "Sent", "bytes that the guest sent", get_sent, NULL},
    {"received", "Received", "bytes that came to the guest", get_received, NULL},
    {"began", "Began", "who sent the first packet: guest or remote", get_began, NULL},
    {"started", "Started", "when it began, local time", get_started, NULL},
    {"remote-domain", "Remote Domain", "domain at the other end, if it is a guest too", get_remote_domain,
     NULL},
    {"guest-address", "Guest Address", "address alone", get_guest_address, NULL},
    {"guest-port", "Guest Port", "port alone", get_guest_port, NULL},
    {"host-address", "Host Address", "address alone", get_host_address, NULL},
    {"host-port", "Host Port", "port alone", get_host_port, NULL},
    {"remote-address", "Remote Address", "address alone", get_remote_address, NULL},
    {"remote-port", "Remote Port", "port alone", get_remote_port, NULL},
    {"id", "ID", "the kernel's number of the entry", get_id, NULL},
};

const ColumnSet flow_columns = {flow_table, G_N_ELEMENTS(flow_table)};
