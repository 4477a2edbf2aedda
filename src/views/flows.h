/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/flow-row.h"
#include "views/watch.h"

#include <stdio.h>

/*
 * `vnat flows --follow`: flows that begin and end as lines, for programs (docs/schema/flows-follow.json) and
 * for people. Pure: the time is an argument.
 */

typedef enum { FLOW_HAS, FLOW_BEGAN, FLOW_ENDED } FlowEvent;

/* "192.168.122.6:80", "[fd00::6]:80", or the address alone. New string. */
char *flow_end_to_string(const Ip *ip, gboolean has_port, guint16 port);

/* The line "snapshot" or "resync": every flow (FlowRow), the sources' states. */
void flows_json_snapshot(FILE *out, WatchStamp *stamp, const Facts *facts, const GPtrArray *rows,
                         gboolean resync);
/* "flow.began" or "flow.ended". */
void flows_json_event(FILE *out, WatchStamp *stamp, FlowEvent event, const FlowRow *row);

/* "12:01:07 VM1 vnet0 began tcp 192.168.122.6:41234 to 203.0.113.1:80 as 203.0.113.2:41234". */
void flows_text_event(FILE *out, const WatchStamp *stamp, const ViewContext *context, FlowEvent event,
                      const FlowRow *row);
/* That something was missed, and that what follows was found by reading all again. */
void flows_text_resync(FILE *out, const WatchStamp *stamp, const ViewContext *context);
