/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/* Questions about libvirt's own rules; one place for status, net-start and the checks. */

typedef enum { TRI_UNKNOWN = -1, TRI_NO = 0, TRI_YES = 1 } Tri;

/*
 * Whether every NAT'ed subnet of the network (IPv4; IPv6 too with <nat ipv6='yes'>) has a masquerade or SNAT
 * rule, whichever backend. TRI_UNKNOWN without facts of the firewall; TRI_YES for a network without NAT never
 * arises: ask only for mode nat.
 */
Tri firewall_nat_present(const Facts *facts, const Network *network);

/* "iptables" or "nftables": where libvirt's rules are now, NULL if none or unknown. Static. */
const char *firewall_backend(const Facts *facts);
