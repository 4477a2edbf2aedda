/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "views/json.h"
#include "views/watch.h"

/* What the two forms of `vnat watch` share. */

/*
 * {field: [old, new]} of every member that differs between two records of one kind; a member that one of them
 * lacks is null there. The references stay the caller's; a new one is returned.
 */
json_t *watch_changes(json_t *before, json_t *now);

/*
 * The same of a network, without what has lines of its own: the ports of its bridge and the number of its
 * leases.
 */
json_t *watch_network_changes(const NetworkRow *before, const NetworkRow *now);
