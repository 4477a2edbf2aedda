/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/* Questions about libvirt's own rules; one place for status, net-start and the checks. */

typedef enum { TRI_UNKNOWN = -1, TRI_NO = 0, TRI_YES = 1 } Tri;

/*
 * Whether every NAT'ed subnet of the network (IPv4; IPv6 too with <nat ipv6='yes'>) has a masquerade or SNAT
 * rule, whichever backend: for any protocol, and in a chain that the postrouting hook leads to. TRI_UNKNOWN
 * without facts of the firewall, and where they are partial (stale) and the rule is not among them. Ask only
 * for mode nat. missing (may be NULL) gets new strings: each rule that was looked for in vain, and where; and
 * one that would be it, were it not for another device.
 */
Tri firewall_nat_present(const Facts *facts, const Network *network, GPtrArray *missing);

/*
 * Whether the rules that let the network's packets through the host are there, in chains that the forward
 * hook leads to, for the bridge as it is now (libvirt's nftables rules hold its ifindex): from
 * the bridge to itself, and in modes nat and route from each subnet out and back in. TRI_UNKNOWN as above;
 * TRI_YES for the other modes, which have none. Whether other rules drop these packets all the same is not
 * looked at. missing: as above.
 */
Tri firewall_forward_present(const Facts *facts, const Network *network, GPtrArray *missing);

/*
 * "iptables" or "nftables": where libvirt's rules are now; empty chains count where neither has rules. NULL
 * if none or unknown. Static.
 */
const char *firewall_backend(const Facts *facts);

/*
 * Whether libvirt's chains for IPv4 stand and are jumped to, of one backend. Where they do, a reload of its
 * daemon puts missing rules back; chains and jumps it makes only when it starts (seen with libvirt 9.0: after
 * a flush of the ruleset a reload restored nothing).
 */
gboolean firewall_frame_stands(const Facts *facts);
