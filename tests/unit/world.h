/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checks/check.h"
#include "model/facts.h"
#include "model/map.h"

/*
 * Worlds of facts for tests: a host is put together by a few calls, and a test changes what it is about in
 * the records that they return. Records of arrays (Neighbour, FdbEntry, Route) stay valid until the next one
 * of their kind is added.
 */

#define WORLD_NOW G_GINT64_CONSTANT(1790000000) /* 2026-09-21T14:13:20Z */

/* An empty host: every source live (but firewalld, which few ask), nothing in it. */
Facts *world_new(void);

/* An active, persistent network that starts with the host. bridge may be NULL. */
Network *world_network(Facts *facts, const char *name, const char *forward, const char *bridge);
/* An <ip> "192.168.122.1/24"; with first and last it has a DHCP range. */
NetworkIp *world_ip(Network *network, const char *cidr, const char *first, const char *last);
/* The kernel's side of it: the bridge, up and with carrier, its addresses, and their routes. */
Link *world_bridge(Facts *facts, const Network *network, guint ifindex);
/* Its dnsmasq with every socket that it must hold. */
Dnsmasq *world_dnsmasq(Facts *facts, const Network *network, gint pid);
/* Masquerading of a subnet, as libvirt's iptables backend does it. */
void world_masquerade(Facts *facts, const char *subnet);
/* The rules that let the network's packets through, as that backend makes them. */
void world_forward(Facts *facts, const Network *network);

/* A domain that runs under this id; -1: shut off. */
Domain *world_domain(Facts *facts, const char *name, gint id);
/* Its next interface: of a network, or (network NULL) of type bridge. bridge, tap may be NULL. */
DomainInterface *world_nic(Domain *domain, const char *network, const char *bridge, const char *mac,
                           const char *tap);

/* Links may come in any order. The MAC of a tap is its guest's with fe in front, mac NULL: none. */
Link *world_link(Facts *facts, guint ifindex, const char *name, const char *kind);
Link *world_tap(Facts *facts, guint ifindex, const char *name, guint master, const char *mac);
Route *world_route(Facts *facts, const char *cidr, guint ifindex);
/* mac NULL: none. */
Neighbour *world_neighbour(Facts *facts, guint ifindex, const char *ip, const char *mac, guint16 state);
/* Learned on a port. */
FdbEntry *world_learn(Facts *facts, guint port, guint bridge, const char *mac);

/* seconds: what is left of it; 0: infinite, negative: expired. */
Lease *world_lease(Facts *facts, const char *network, const char *mac, const char *ip, gint64 seconds);
Socket *world_socket(Facts *facts, guint8 protocol, const char *ip, guint16 port, guint ifindex, gint pid);

Ip world_ip_of(const char *text);
IpNet world_net_of(const char *text);
Mac world_mac_of(const char *text);

/*
 * A host on which everything works, with all that a careless check would take for a fault: networks "default"
 * (virbr0, index 10) and "lab" (virbr1, index 20, isolated, IPv6 without carrier); guests VM1 (vnet0, index
 * 11; lease), VM2 (vnet1, 12; two leases, then vnet2, 21, on lab), VM3 (paused; vnet3, 13, of type bridge)
 * and VM4 (shut off); an uplink eth0 (2) with default routes and those of a VPN, another bridge with its own
 * ports, other programs on ports 53 and 67, an endpoint of a probe, old neighbours.
 */
Facts *world_host(void);

/* The findings of all checks, "level id object" a line, in their order. */
char *world_findings(Facts *facts);
/* The only finding with this id; fails where there is none or more than one. */
const Finding *world_finding(const GPtrArray *findings, const char *id);
/* Rows and leases as JSON, one a line: equal texts are equal maps. */
char *world_map_text(const Map *map);
/* The row with this tap, or NULL. */
MapRow *world_row(const Map *map, const char *tap);
