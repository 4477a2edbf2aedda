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
 * Whether a flow between these should be translated: from a subnet that the network translates, to somewhere
 * else than that subnet, this host, and what libvirt's rules leave out (broadcast, local multicast). Pure.
 */
gboolean flow_wants_nat(const Facts *facts, const Network *network, const Ip *source, const Ip *destination);
