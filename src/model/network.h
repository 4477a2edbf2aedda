/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/firewall.h"

#include <glib.h>

/*
 * A network as the commands show it: libvirt's definition beside what the kernel, the process table and the
 * firewall say of it. Every question that a check asks too is answered by a function here, so that status and
 * check agree.
 */

typedef struct {
    const NetworkIp *ip; /* in facts */
    guint64 size;        /* addresses in its DHCP ranges */
    gint64 leases;       /* live ones in these ranges (hosts reserved outside fill none); -1: unknown */
} NetworkPool;

typedef struct {
    const Network *network; /* in facts, which must outlive the record */
    const Link *link;       /* the bridge device; NULL: none, or links were not read */
    GPtrArray *interfaces;  /* char *: names of the bridge's ports, by name; NULL: not known */
    GPtrArray *pools;       /* NetworkPool, one for each <ip> */
    gint64 leases;          /* live ones; -1: unknown */
    gboolean wants_dnsmasq;
    const Dnsmasq *dnsmasq; /* in facts; NULL: processes were not read, or none is wanted */
    Tri dnsmasq_running;
    Tri dnsmasq_listening;
    Tri nat;             /* masquerade present; TRI_UNKNOWN also where mode is not nat, or it is not active */
    const char *backend; /* "iptables", "nftables", NULL */
} NetworkRow;

/* A row for every network in facts, in their order. Free with g_ptr_array_unref. */
GPtrArray *network_rows(const Facts *facts);

/* The bridge's state, from links and addresses. TRI_UNKNOWN where links were not read. */
Tri network_bridge_present(const Facts *facts, const Network *network);
/*
 * IFF_UP and every <ip> on it with its prefix (a tentative IPv6 address counts: there is no carrier before
 * the first guest). missing (may be NULL) gets new strings saying what is not so.
 */
Tri network_bridge_up(const Facts *facts, const Network *network, GPtrArray *missing);

/* The Dnsmasq of the network in facts; NULL where processes were not read. */
const Dnsmasq *network_dnsmasq(const Facts *facts, const Network *network);

/*
 * Whether the network's live dnsmasq holds the sockets that it must: where DNS is on, UDP and TCP 53 on each
 * IPv4 address (an IPv6 one only while the bridge has carrier and the address is not tentative); with DHCP,
 * UDP 67 (IPv6: 547) bound to the bridge's device. Sockets are its own if their pid is. missing (may be NULL)
 * gets new strings like "udp 192.168.122.1:53". TRI_UNKNOWN where the facts do not tell.
 */
Tri network_dnsmasq_listening(const Facts *facts, const Network *network, GPtrArray *missing);

/*
 * Whether a socket takes what comes for the port of this host's address by the device, whoever's it is; of
 * the ports that are read (53, 67, 547). TRI_UNKNOWN where sockets were not read.
 */
Tri network_port_served(const Facts *facts, guint8 protocol, guint16 port, const Ip *ip, guint ifindex);

/*
 * The network's own dnsmasq that lives though the network is not active: libvirt has forgotten it (its daemon
 * was restarted while the bridge was gone). The next one cannot start beside it: it gave its DNS sockets up
 * with the address, and takes them again as soon as a bridge of that name has it. In facts; NULL: none.
 */
const Dnsmasq *network_left_behind(const Facts *facts, const Network *network);

/*
 * Sockets of other processes on what the network's dnsmasq needs: port 53 or 67 on the gateway address, or on
 * a wildcard that is not bound to another device. One that was left behind is another process; one that just
 * ends is not. Returns Sockets in facts. Empty where sockets were not read, or its own process could not be
 * told; free with g_ptr_array_unref.
 */
GPtrArray *network_port_rivals(const Facts *facts, const Network *network);
/* Whether one of them is known to be of another process than dnsmasq. */
gboolean network_others_rival(const GPtrArray *rivals, const Dnsmasq *dnsmasq);

/*
 * What overlaps a subnet: unicast routes of devices other than the network's bridge, in every table (linkdown
 * too; not /0, the /1 pair, local, multicast, link-local), and the subnets of other networks.
 */
typedef struct {
    IpNet subnet;           /* ours */
    IpNet other;            /* the route's destination or the other network's subnet */
    const Network *network; /* the other network, or NULL */
    char *device;           /* the route's device, or NULL */
    guint32 table;          /* the route's table */
    gboolean critical;      /* FALSE: the route is wider than the subnet, which then wins */
} SubnetOverlap;

/*
 * subnets: IpNet, of a network to be (or of network itself). name, bridge: its own, left out of the
 * comparison; may be NULL. Returns SubnetOverlaps, critical ones first.
 */
GPtrArray *network_overlaps(const Facts *facts, const GArray *subnets, const char *name, const char *bridge);

/* The subnets (host bits zero) of a network's <ip>s and, as libvirt adds routes for them, nothing else. */
GArray *network_subnets(const Network *network);

/* Every subnet and route in use on this host, for the choice of a free one: IpNet. */
GArray *network_used_subnets(const Facts *facts);

/* One sentence that names both sides: "192.168.122.0/24 equals the route 192.168.122.0/24 of eth1". New
 * string. */
char *network_overlap_text(const SubnetOverlap *overlap);

/* "udp 0.0.0.0:53 (pid 812, named)"; what is not known is left out. New string. */
char *network_socket_text(const Socket *socket);

/* A bridge's id as brctl and the kernel's sysfs write it: "8000.525400a1b2c3". New string. */
char *network_bridge_id(const Link *link);

/*
 * Whether a tap of the interface is a plain port, which anybody may put back on its bridge: of a NAT, routed
 * or isolated network, without a VLAN or a virtual port. Others libvirt alone can make, or they are on a
 * bridge that is not libvirt's. network: that the interface names, or NULL. TRI_UNKNOWN: it was not read.
 */
Tri network_port_plain(const Network *network, const DomainInterface *iface);

/* The zone of firewalld that the network's bridge belongs into. Static, or the network's. */
const char *network_zone(const Facts *facts, const Network *network);
