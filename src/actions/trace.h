/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/path.h"
#include "model/trace.h"

/*
 * Asks the kernel itself which rules a packet of a guest meets: a probe is sent from an endpoint on the
 * guest's bridge (actions/endpoint.h), and nftables reports about it.
 *
 * The probe is what the guest's packet would be: its source address and MAC are the guest's, so that every
 * rule about either means it too. What an address of the endpoint's own would spare, this costs nothing: the
 * endpoint's port learns no MAC, so the bridge's table keeps the guest where it is; nothing is asked or
 * announced by ARP; and a rule of our own behind all others takes the packet away at the end, before it
 * leaves the host or reaches a socket, and before connection tracking would keep it. What a rule that rejects
 * it answers is dropped too, or the guest would get it. So nobody hears of the probe, and nothing is left of
 * it.
 *
 * That rule, and the one that has the kernel report, stand in a table inet vnat_trace, which lives for the
 * moment of the probe and means this one packet only. While it is there signals wait. One that a killed
 * process left does nothing, and the next trace replaces it.
 */

typedef struct {
    const Facts *facts;
    const Path *path; /* outbound, and not to a guest of the same network */
} TraceWanted;

/*
 * NULL: it could not be asked. Errors: DENIED, NOT_FOUND (no program nft, no bridge any more), UNSUPPORTED,
 * DEADLINE, FAILED.
 */
Trace *trace_ask(const TraceWanted *wanted, Deadline deadline, GError **error);
