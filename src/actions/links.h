/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * Changes of the kernel's links, for what libvirt lost sight of. Each may be asked for again, and returns
 * only when a fresh reading shows the change. A link is given as the facts have it: before it is touched, its
 * index must still have its name, so that a number which the kernel gave to another device meanwhile is not
 * changed instead.
 *
 * All need CAP_NET_ADMIN. Errors: NOT_FOUND (the link is gone, or is another), DENIED, DEADLINE, FAILED.
 */

typedef struct {
    guint mtu;         /* the network's <mtu>, or the bridge's; 0: leave it */
    gboolean isolated; /* <port isolated='yes'/>: this port reaches no other isolated one */
} LinkAttachment;

/*
 * Puts a tap back on a bridge and sets it up, as libvirt does when it starts a guest. Only for plain taps: a
 * static forwarding table (macTableManager), VLANs, virtual ports and bandwidth classes are not made here.
 */
gboolean link_reattach(const Link *tap, const Link *bridge, const LinkAttachment *how, Deadline deadline,
                       GError **error);

/* Sets IFF_UP. */
gboolean link_set_up(const Link *link, Deadline deadline, GError **error);

/* Adds an address with its prefix (and IPv4's broadcast address); one that is there already is success. */
gboolean link_add_address(const Link *link, const IpNet *net, Deadline deadline, GError **error);

/* Sets its MTU. */
gboolean link_set_mtu(const Link *link, guint mtu, Deadline deadline, GError **error);

/* Deletes a bridge that has no ports. Errors: also EXISTS, naming a port. One that is gone already is
 * success.
 */
gboolean link_delete_bridge(const Link *bridge, Deadline deadline, GError **error);

/*
 * Deletes the neighbour entry of an address on a device, if it is that of a MAC that is_own says yes to, or
 * of nobody (the kernel looked for it in vain). None there is success; one of another MAC stays, and sets
 * *others.
 */
gboolean link_forget_neighbour(guint ifindex, const Ip *ip, gboolean (*is_own)(const Mac *mac),
                               gboolean *others, Deadline deadline, GError **error);
