/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

#include <linux/netlink.h>

/*
 * rtnetlink(7) messages into facts, without a socket: used on dumps and on events alike. message->nlmsg_len
 * bytes must be readable and aligned (netlink_each sees to that); everything inside is distrusted. What the
 * message does not say is the field's "none"; a message that is not of the form, or of another family, is
 * refused and leaves nothing behind.
 */

/*
 * RTM_NEWLINK of family AF_UNSPEC, a whole reading of its link; NULL for another, so for the AF_BRIDGE
 * messages of a bridge, which tell of the port alone. Free with link_free.
 */
Link *link_parse(const struct nlmsghdr *message);

/* RTM_NEWADDR, IPv4 and IPv6: the host's own address, not the peer's of a point-to-point link. */
gboolean link_address_parse(const struct nlmsghdr *message, LinkAddress *address);

/* RTM_NEWNEIGH, IPv4 and IPv6, all states (FAILED and NOARP too); not proxy entries. */
gboolean neighbour_parse(const struct nlmsghdr *message, Neighbour *neighbour);

/* RTM_NEWNEIGH of family AF_BRIDGE: an entry of a bridge's table, not of a device's own filter list ("self").
 */
gboolean fdb_entry_parse(const struct nlmsghdr *message, FdbEntry *entry);

/*
 * RTM_NEWROUTE of family AF_INET or AF_INET6: appends a Route to routes, and of a route over several next
 * hops one for each, with its device, gateway and flags. Not cache entries (RTM_F_CLONED).
 */
gboolean route_parse(const struct nlmsghdr *message, int family, GArray *routes);

/*
 * RTM_NEWRULE of family AF_INET or AF_INET6 (linux/fib_rules.h); NULL for another. A condition that RouteRule
 * has no field for makes it strange; so do one that is cut short, and an action that is not known. Free with
 * route_rule_free.
 */
RouteRule *route_rule_parse(const struct nlmsghdr *message, int family);
