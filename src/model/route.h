/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/packet.h"

/*
 * Which route this host's kernel takes for a packet: its rules in the order of their priorities, the longest
 * prefix in each table that they name, the best metric among equal ones; as ip-rule(8) and ip-route(8)
 * describe it. Without facts of the rules (an older capture) they are the three that every host begins with.
 */

#define ROUTE_TABLE_LOCAL 255
#define ROUTE_TABLE_MAIN 254
#define ROUTE_TABLE_DEFAULT 253

typedef enum {
    ROUTE_WAY_OUT,     /* by the route's device */
    ROUTE_WAY_HERE,    /* it is for this host */
    ROUTE_WAY_NONE,    /* there is no route */
    ROUTE_WAY_REFUSED, /* a route or rule of type blackhole, unreachable, prohibit */
    ROUTE_WAY_UNKNOWN, /* facts are missing, or a rule asks for what is not known here */
} RouteWay;

typedef struct {
    RouteWay way;
    const Route *route; /* in facts; NULL where none was found, or a rule refuses */
    const RouteRule
        *rule;  /* that led to the route's table, or refuses, or is not understood; NULL: one of the three */
    guint hops; /* of several next hops the first is taken; 1: there is no other */
} RouteChoice;

/*
 * Asked for: family, dst, src, in (NULL: this host itself sends it), protocol, ports and mark of the packet.
 * Facts that are used: routes, route_rules.
 */
RouteChoice route_choose(const Facts *facts, const Packet *packet);

/* "default via 203.0.113.1 dev eth0", with the table's number where it is not the main one. New string. */
char *route_text(const Facts *facts, const Route *route);

/* "main", "local", "default", or the table's number. New string. */
char *route_table_name(guint32 table);

/* "rule 100: from 10.0.0.0/8 lookup 7", as ip-rule(8) shows it. New string. */
char *route_rule_text(const RouteRule *rule);

/*
 * The address that masquerading gives a packet which leaves by this device to that next hop: the device's
 * own, of the next hop's subnet where there is such, else its first; none of it: any other of this host that
 * is of global scope (inet_select_addr). FALSE: no such address is known.
 */
gboolean route_own_address(const Facts *facts, guint ifindex, const Ip *next, Ip *address);
