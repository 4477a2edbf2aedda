/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/ip.h"
#include "base/netlink.h"

/*
 * The single changes of rtnetlink(7) that an endpoint is made of (actions/endpoint.c says in which order).
 * netlink is a socket of NETLINK_ROUTE, and its namespace the one that is changed. Errors as netlink_change.
 */

typedef struct {
    const char *outer, *inner; /* names */
    Mac outer_mac, inner_mac;
    guint mtu; /* 0: the kernel's */
    int ns;    /* where the inner end is made: a descriptor of a namespace */
} EndpointPair;

/* A veth pair, its inner end in the other namespace from the beginning; both ends down. */
gboolean endpoint_link_make(Netlink *netlink, const EndpointPair *pair, Deadline deadline, GError **error);
/* Either end takes the other with it. */
gboolean endpoint_link_delete(Netlink *netlink, guint ifindex, Deadline deadline, GError **error);

gboolean endpoint_link_up(Netlink *netlink, guint ifindex, Deadline deadline, GError **error);
gboolean endpoint_link_alias(Netlink *netlink, guint ifindex, const char *alias, Deadline deadline,
                             GError **error);
gboolean endpoint_link_master(Netlink *netlink, guint ifindex, guint bridge, Deadline deadline,
                              GError **error);
/* A port of a bridge that reaches no other isolated one. */
gboolean endpoint_link_isolate(Netlink *netlink, guint ifindex, Deadline deadline, GError **error);
/* A port of a bridge whose forwarding table takes nothing from it. */
gboolean endpoint_link_unlearn(Netlink *netlink, guint ifindex, Deadline deadline, GError **error);
/* No address of IPv6 by itself. */
gboolean endpoint_link_quiet(Netlink *netlink, guint ifindex, Deadline deadline, GError **error);

/* An address that is good at once: of IPv6, without duplicate detection. There already is success. */
gboolean endpoint_link_address(Netlink *netlink, guint ifindex, const IpNet *net, Deadline deadline,
                               GError **error);
gboolean endpoint_link_default_route(Netlink *netlink, guint ifindex, const Ip *gateway, Deadline deadline,
                                     GError **error);
