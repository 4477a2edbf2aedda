/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt.h"
#include "model/facts.h"

#include <glib.h>

/*
 * Single steps on networks, as thin as virsh's. A name may be a UUID. Errors as virt_error_take's, without a
 * line "what failed", and VNAT_ERROR_DEADLINE: then libvirt may still do it.
 */

/*
 * Defines (VIR_NETWORK_DEFINE_VALIDATE). *name gets the network's name, new string (may be NULL). Errors:
 * INVALID for XML that libvirt does not accept; EXISTS for a name that a network of another UUID has, or the
 * reverse.
 */
gboolean network_define(VirtConn *conn, const char *xml, char **name, Deadline deadline, GError **error);
/* Creates a transient network (VIR_NETWORK_CREATE_VALIDATE). Errors as network_define's. */
gboolean network_create_xml(VirtConn *conn, const char *xml, char **name, Deadline deadline, GError **error);
/* Starts; "already active" is success. *was_active says so (may be NULL). */
gboolean network_start(VirtConn *conn, const char *name, gboolean *was_active, Deadline deadline,
                       GError **error);
/*
 * Adds to the error of a start that failed who holds what its dnsmasq needs, and as hint what to do: another
 * program, or the network's own dnsmasq that was left behind. facts: the network, processes and sockets, read
 * before or after. Nobody does: nothing.
 */
void network_start_explain(const Facts *facts, const Network *network, GError **error);
/* Stops an active network; an inactive one is an error, as with virsh. A transient one is gone then. */
gboolean network_destroy(VirtConn *conn, const char *name, Deadline deadline, GError **error);
/* Removes the persistent definition; an active network becomes transient. */
gboolean network_undefine(VirtConn *conn, const char *name, Deadline deadline, GError **error);
/* Sets whether it is started with its daemon; no error if that was so before. */
gboolean network_autostart(VirtConn *conn, const char *name, gboolean on, Deadline deadline, GError **error);
/* How many ports libvirt has recorded on an active network. Errors: UNSUPPORTED where the driver has none. */
gboolean network_count_ports(VirtConn *conn, const char *name, guint *count, Deadline deadline,
                             GError **error);
