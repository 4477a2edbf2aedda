/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/map.h"
#include "model/network.h"
#include "views/view.h"

#include <stdio.h>

/* Screens: answers for people that are no table. */

/* net-info: virsh's lines, then ours. */
void screen_net_info(FILE *out, const NetworkRow *row, const ViewContext *view);

/*
 * status: for each network a block (bridge, dnsmasq, pool, NAT, guests), then the problems, worst first.
 * networks: NetworkRow; findings: Finding, about these networks and their interfaces.
 */
void screen_status(FILE *out, const Facts *facts, const GPtrArray *networks, const Map *map,
                   const GPtrArray *findings, const ViewContext *view);
