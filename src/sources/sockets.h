/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * The host's UDP sockets and TCP listeners on ports 53, 67 and 547, both families (GPtrArray of Socket),
 * without processes; NULL on error. Needs no rights. Errors: as netlink_dump's; UNSUPPORTED where the kernel
 * has no sock_diag.
 */
GPtrArray *sockets_read(Deadline deadline, GError **error);

/*
 * Finds the process of each socket, by the descriptors of /proc/PID/fd. first: pids to look at before all
 * others (may be empty; GArray of gint): most often they are the owners, and then no other process is looked
 * at. Returns whether every socket has its process: FALSE where rights or time were missing, or a socket is
 * of another pid namespace.
 */
gboolean sockets_find_owners(GPtrArray *sockets, const GArray *first, Deadline deadline);

/*
 * Drops those without a process that are closed by now: theirs ended while it was looked for. Returns whether
 * all that are left have a process; FALSE, and all are left, where sockets could not be read again.
 */
gboolean sockets_drop_closed(GPtrArray *sockets, Deadline deadline);
