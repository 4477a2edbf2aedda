/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/* The kernel's settings: how people name them, and which of them lets packets through this host. */

/*
 * A setting as sysctl(8) takes and people know it: "net.ipv4.ip_forward". path: below / or /proc, as
 * "proc/sys/net/ipv4/ip_forward" or "sys/net/ipv4/ip_forward". Where a part of it holds a dot itself (of the
 * bridge "br.1") dots would not tell which is which: "net/ipv4/conf/br.1/forwarding", which sysctl(8) takes
 * too. Any other path is returned as it is. New string.
 */
char *setting_name(const char *path);

/*
 * The setting that says whether this host forwards packets of that family (4 or 6) that come in by device: of
 * IPv4 the device's own, or where that was not read the host's; of IPv6 the host's, for there a device's own
 * only says whether it behaves as a router's. New string: a path of facts->proc.
 */
char *setting_forwards(const Facts *facts, const char *device, guint8 family);

/*
 * The setting that keeps this host from forwarding what the network's guests send, or are answered: the
 * host's, for answers come in by another device; else the bridge's. host (may be NULL): whether it is the
 * host's. NULL: none is off, as far as they were read. New string: a path of facts->proc.
 */
char *setting_forwards_not(const Facts *facts, const Network *network, guint8 family, gboolean *host);
