/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/*
 * The kernel's settings and counters that decide whether a NAT network works, into facts->proc: forwarding,
 * what of bridged frames goes through the packet filter, connection tracking, which legacy iptables tables
 * there are; of each bridge of facts->networks its own forwarding and filter settings, and of
 * the other devices with an address, as far as facts->links and addresses tell, those for IPv4
 * (ip-sysctl.rst, nf_conntrack-sysctl.rst in the kernel's documentation). What cannot be read, or is not
 * there, has no value.
 */
void proc_read(Facts *facts);

/* The value at that path below /proc, or NULL. Owned by facts. */
const char *proc_value(const Facts *facts, const char *path);
