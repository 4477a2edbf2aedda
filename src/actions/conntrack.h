/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

#include <glib.h>

/*
 * Connection tracking decides once for a flow whether it is translated. A flow that a guest began while the
 * NAT rules were missing stays untranslated as long as it talks; its entry has to go, so that the next packet
 * meets the rules.
 */

/*
 * Deletes the entries of flows from the network's translated subnets to the outside that are not translated.
 * *deleted: how many, also where it fails. Ask only when the rules are back. Errors: UNSUPPORTED (no such
 * kernel), DENIED, DEADLINE, FAILED; the hint is a command that does it.
 */
gboolean conntrack_forget_untranslated(const Facts *facts, const Network *network, guint *deleted,
                                       Deadline deadline, GError **error);

/*
 * Deletes the entries of flows from or to one of the addresses (Ip): of somebody who is gone. With dhcp also
 * those of a DHCP client's broadcasts, which end by themselves in seconds. Errors as above.
 */
gboolean conntrack_forget_addresses(const GArray *addresses, gboolean dhcp, Deadline deadline,
                                    GError **error);

/* A flow as its originator knows it. */
typedef struct {
    guint8 protocol; /* IPPROTO_TCP, IPPROTO_ICMP, IPPROTO_ICMPV6 */
    Ip source, destination;
    guint16 source_port, destination_port; /* of TCP; an echo has none */
} ConntrackFlow;

/*
 * As whom the other side knows it: the address and port (0 of an echo) that answers come back to.
 * Errors: NOT_FOUND (there is no such entry), and as above.
 */
gboolean conntrack_translation(const ConntrackFlow *flow, Ip *address, guint16 *port, Deadline deadline,
                               GError **error);

/*
 * Whether a flow between these should be translated: from a subnet that the network translates, to somewhere
 * else than that subnet, this host, and what libvirt's rules leave out (broadcast, local multicast). Pure.
 */
gboolean flow_wants_nat(const Facts *facts, const Network *network, const Ip *source, const Ip *destination);
