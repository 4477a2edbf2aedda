/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/ip.h"

/*
 * Asks the kernel which way it would send a packet, with all its tables, rules and settings: what would
 * happen, not what the tables look like.
 *
 * from, in: of a packet that came in by that device from that address; family and 0: one of this host's own.
 * *out: the device's index (of what is for this host itself, its loopback's). FALSE: it would be refused,
 * with the kernel's reason ("Network is unreachable"). Needs no rights. Errors: FAILED, DEADLINE.
 */
gboolean links_route(const Ip *to, const Ip *from, guint in, guint *out, Deadline deadline, GError **error);
