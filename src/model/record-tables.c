/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/facts.h"
#include "model/record.h"

/* A field of STRUCT whose name in JSON is the member's own. */
#define NAMED(STRUCT, NAME, MEMBER, KIND, ...)                                                               \
    {                                                                                                        \
        .name = (NAME), .kind = RECORD_##KIND, .offset = G_STRUCT_OFFSET(STRUCT, MEMBER), __VA_ARGS__        \
    }
#define FIELD(STRUCT, MEMBER, KIND, ...) NAMED(STRUCT, #MEMBER, MEMBER, KIND, __VA_ARGS__)
#define MEANS(WHAT) .meaning = MEANS_##WHAT
#define TYPE(NAME) .number = NUMBER_##NAME
#define REQUIRED .required = TRUE
#define NONE(NUMBER) .none = (NUMBER)
#define MAC_FIELD(STRUCT) FIELD(STRUCT, mac, MAC, .flag = G_STRUCT_OFFSET(STRUCT, has_mac))
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

const RecordField facts_fields[] = {
    FIELD(Facts, host, TEXT, MEANS(HOST), REQUIRED),
    FIELD(Facts, uri, TEXT, MEANS(TEXT)),
    NAMED(Facts, "time_epoch", now, NUMBER, TYPE(I64)),
    FIELD(Facts, local, BOOL),
    FIELD(Facts, domains_complete, BOOL),
    FIELD(Facts, sockets_read, BOOL),
    FIELD(Facts, socket_owners_known, BOOL),
    END,
};

const RecordField source_status_fields[] = {
    NAMED(SourceStatus, "time_epoch", time, NUMBER, TYPE(I64)),
    FIELD(SourceStatus, error, TEXT, MEANS(TEXT)),
    END,
};

const RecordField network_fields[] = {
    FIELD(Network, name, TEXT, MEANS(NETWORK), REQUIRED),
    FIELD(Network, uuid, TEXT, MEANS(UUID), REQUIRED),
    FIELD(Network, active, BOOL),
    FIELD(Network, persistent, BOOL),
    FIELD(Network, autostart, BOOL),
    FIELD(Network, leases_unread, BOOL),
    NAMED(Network, "error", xml_error, TEXT, MEANS(TEXT)),
    END,
};

const RecordField domain_fields[] = {
    FIELD(Domain, name, TEXT, MEANS(DOMAIN), REQUIRED),
    FIELD(Domain, uuid, TEXT, MEANS(UUID), REQUIRED),
    FIELD(Domain, id, NUMBER, TYPE(I32), NONE(-1)),
    FIELD(Domain, state, NUMBER, TYPE(I32)),
    FIELD(Domain, persistent, BOOL),
    FIELD(Domain, started, NUMBER, TYPE(I64)),
    NAMED(Domain, "error", xml_error, TEXT, MEANS(TEXT)),
    END,
};

const RecordField agent_address_fields[] = {
    FIELD(AgentAddress, mac, MAC, REQUIRED),
    NAMED(AgentAddress, "address", net, NET, REQUIRED),
    END,
};

const RecordField lease_fields[] = {
    FIELD(Lease, network, TEXT, MEANS(NETWORK), REQUIRED),
    FIELD(Lease, network_uuid, TEXT, MEANS(UUID), REQUIRED),
    FIELD(Lease, bridge, TEXT, MEANS(IFNAME)),
    NAMED(Lease, "address", ip, IP, REQUIRED),
    FIELD(Lease, prefix, NUMBER, TYPE(U8)),
    MAC_FIELD(Lease),
    FIELD(Lease, hostname, TEXT, MEANS(HOST)),
    FIELD(Lease, client_id, TEXT, MEANS(CLIENT_ID)),
    FIELD(Lease, iaid, TEXT, MEANS(CLIENT_ID)),
    FIELD(Lease, expiry, NUMBER, TYPE(I64)),
    END,
};

const RecordField link_fields[] = {
    FIELD(Link, ifindex, NUMBER, TYPE(U32)),
    FIELD(Link, name, TEXT, MEANS(IFNAME), REQUIRED),
    FIELD(Link, kind, TEXT),
    FIELD(Link, alias, TEXT, MEANS(COMMENT)),
    FIELD(Link, flags, NUMBER, TYPE(U32)),
    FIELD(Link, mtu, NUMBER, TYPE(U32)),
    MAC_FIELD(Link),
    FIELD(Link, master, NUMBER, TYPE(U32)),
    FIELD(Link, carrier, NUMBER, TYPE(I32), NONE(-1)),
    FIELD(Link, operstate, NUMBER, TYPE(I32), NONE(-1)),
    FIELD(Link, is_bridge, BOOL),
    NAMED(Link, "bridge_id", bridge_info.id, BRIDGE_ID),
    NAMED(Link, "stp", bridge_info.stp, BOOL),
    NAMED(Link, "forward_delay", bridge_info.forward_delay, NUMBER, TYPE(U32)),
    NAMED(Link, "nf_call_iptables", bridge_info.nf_call_iptables, BOOL),
    NAMED(Link, "nf_call_ip6tables", bridge_info.nf_call_ip6tables, BOOL),
    NAMED(Link, "vlan_filtering", bridge_info.vlan_filtering, BOOL),
    FIELD(Link, is_port, BOOL),
    NAMED(Link, "port_state", port_info.state, NUMBER, TYPE(U8)),
    NAMED(Link, "port_no", port_info.port_no, NUMBER, TYPE(U16)),
    NAMED(Link, "isolated", port_info.isolated, BOOL),
    NAMED(Link, "learning", port_info.learning, BOOL),
    NAMED(Link, "unicast_flood", port_info.unicast_flood, BOOL),
    END,
};

const RecordField link_address_fields[] = {
    FIELD(LinkAddress, ifindex, NUMBER, TYPE(U32)),
    NAMED(LinkAddress, "address", net, NET, REQUIRED),
    FIELD(LinkAddress, scope, NUMBER, TYPE(U8)),
    FIELD(LinkAddress, flags, NUMBER, TYPE(U32)),
    END,
};

const RecordField neighbour_fields[] = {
    FIELD(Neighbour, ifindex, NUMBER, TYPE(U32)),
    NAMED(Neighbour, "address", ip, IP, REQUIRED),
    MAC_FIELD(Neighbour),
    FIELD(Neighbour, state, NUMBER, TYPE(U16)),
    FIELD(Neighbour, confirmed, NUMBER, TYPE(U32), NONE(G_MAXUINT32)),
    END,
};

const RecordField fdb_entry_fields[] = {
    FIELD(FdbEntry, ifindex, NUMBER, TYPE(U32)),
    FIELD(FdbEntry, master, NUMBER, TYPE(U32)),
    FIELD(FdbEntry, mac, MAC, REQUIRED),
    FIELD(FdbEntry, vlan, NUMBER, TYPE(U16)),
    FIELD(FdbEntry, permanent, BOOL),
    FIELD(FdbEntry, updated, NUMBER, TYPE(U32), NONE(G_MAXUINT32)),
    END,
};

const RecordField route_fields[] = {
    FIELD(Route, family, NUMBER, TYPE(U8)),   FIELD(Route, dst, NET, REQUIRED),
    FIELD(Route, ifindex, NUMBER, TYPE(U32)), FIELD(Route, gateway, IP),
    FIELD(Route, table, NUMBER, TYPE(U32)),   FIELD(Route, type, NUMBER, TYPE(U8)),
    FIELD(Route, scope, NUMBER, TYPE(U8)),    FIELD(Route, protocol, NUMBER, TYPE(U8)),
    FIELD(Route, flags, NUMBER, TYPE(U32)),   FIELD(Route, priority, NUMBER, TYPE(U32)),
    FIELD(Route, mtu, NUMBER, TYPE(U32)),     END,
};

const RecordField route_rule_fields[] = {
    FIELD(RouteRule, family, NUMBER, TYPE(U8)),
    FIELD(RouteRule, priority, NUMBER, TYPE(U32)),
    FIELD(RouteRule, src, NET),
    FIELD(RouteRule, dst, NET),
    FIELD(RouteRule, iif, TEXT, MEANS(IFNAME)),
    FIELD(RouteRule, oif, TEXT, MEANS(IFNAME)),
    FIELD(RouteRule, mark, NUMBER, TYPE(U32)),
    FIELD(RouteRule, mark_mask, NUMBER, TYPE(U32)),
    FIELD(RouteRule, protocol, NUMBER, TYPE(U8)),
    FIELD(RouteRule, sport, NUMBER, TYPE(U16)),
    FIELD(RouteRule, sport_last, NUMBER, TYPE(U16)),
    FIELD(RouteRule, dport, NUMBER, TYPE(U16)),
    FIELD(RouteRule, dport_last, NUMBER, TYPE(U16)),
    FIELD(RouteRule, action, NUMBER, TYPE(U8)),
    FIELD(RouteRule, table, NUMBER, TYPE(U32)),
    FIELD(RouteRule, target, NUMBER, TYPE(U32)),
    FIELD(RouteRule, suppress_prefix, NUMBER, TYPE(I32), NONE(-1)),
    FIELD(RouteRule, invert, BOOL),
    FIELD(RouteRule, strange, BOOL),
    END,
};

const RecordField dnsmasq_fields[] = {
    FIELD(Dnsmasq, network, TEXT, MEANS(NETWORK), REQUIRED),
    FIELD(Dnsmasq, config, TEXT, MEANS(TEXT)),
    FIELD(Dnsmasq, pid, NUMBER, TYPE(I32)),
    FIELD(Dnsmasq, alive, BOOL),
    FIELD(Dnsmasq, lost, BOOL),
    FIELD(Dnsmasq, claimed, NUMBER, TYPE(I32)),
    FIELD(Dnsmasq, unknown, BOOL),
    FIELD(Dnsmasq, no_lease_file, BOOL),
    FIELD(Dnsmasq, owner, NUMBER, TYPE(I32), NONE(-1)),
    FIELD(Dnsmasq, user, TEXT, MEANS(USER)),
    FIELD(Dnsmasq, argv, WORDS, MEANS(ARGUMENT)),
    END,
};

const RecordField socket_fields[] = {
    FIELD(Socket, protocol, NUMBER, TYPE(U8)),
    FIELD(Socket, local, IP, REQUIRED),
    FIELD(Socket, port, NUMBER, TYPE(U16)),
    FIELD(Socket, ifindex, NUMBER, TYPE(U32)),
    FIELD(Socket, v6only, BOOL),
    FIELD(Socket, uid, NUMBER, TYPE(U32)),
    FIELD(Socket, inode, NUMBER, TYPE(U64)),
    FIELD(Socket, pid, NUMBER, TYPE(I32)),
    FIELD(Socket, program, TEXT, MEANS(PROGRAM)),
    END,
};

const RecordField proc_value_fields[] = {
    FIELD(ProcValue, path, TEXT, MEANS(PROC_PATH), REQUIRED),
    FIELD(ProcValue, value, TEXT, MEANS(PROC_VALUE)),
    END,
};

const RecordField firewalld_zone_fields[] = {
    FIELD(FirewalldZone, interface, TEXT, MEANS(IFNAME), REQUIRED),
    FIELD(FirewalldZone, zone, TEXT, MEANS(ZONE), REQUIRED),
    END,
};

const RecordField flow_fields[] = {
    FIELD(Flow, source, IP, REQUIRED),
    FIELD(Flow, destination, IP, REQUIRED),
    FIELD(Flow, reply_source, IP, REQUIRED),
    FIELD(Flow, reply_destination, IP, REQUIRED),
    FIELD(Flow, has_ports, BOOL),
    FIELD(Flow, source_port, NUMBER, TYPE(U16)),
    FIELD(Flow, destination_port, NUMBER, TYPE(U16)),
    FIELD(Flow, reply_source_port, NUMBER, TYPE(U16)),
    FIELD(Flow, reply_destination_port, NUMBER, TYPE(U16)),
    FIELD(Flow, protocol, NUMBER, TYPE(U8)),
    FIELD(Flow, state, NUMBER, TYPE(U8), NONE(FLOW_NO_STATE)),
    FIELD(Flow, replied, BOOL),
    FIELD(Flow, id, NUMBER, TYPE(U32)),
    FIELD(Flow, zone, NUMBER, TYPE(U16)),
    FIELD(Flow, sent_bytes, NUMBER, TYPE(I64), NONE(-1)),
    FIELD(Flow, reply_bytes, NUMBER, TYPE(I64), NONE(-1)),
    FIELD(Flow, sent_packets, NUMBER, TYPE(I64), NONE(-1)),
    FIELD(Flow, reply_packets, NUMBER, TYPE(I64), NONE(-1)),
    NAMED(Flow, "started_usec", started, NUMBER, TYPE(I64)),
    NAMED(Flow, "stopped_usec", stopped, NUMBER, TYPE(I64)),
    END,
};
