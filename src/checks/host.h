/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checks/check.h"

/* What the checks of the host share. */

/* A new finding about the host, owned by findings. network: whose packets it is about; NULL: everybody's. */
Finding *host_finding(const Facts *facts, const char *id, Level level, const Network *network,
                      GPtrArray *findings);

/* The network's first address of that family, or NULL. */
const NetworkIp *host_network_ip(const Network *network, guint8 family);

/* Whether this host is to forward the network's packets of that family: modes nat and route, while it is
 * active. (In mode open the rules are the administrator's own.) */
gboolean host_forwards_for(const Network *network, guint8 family);
