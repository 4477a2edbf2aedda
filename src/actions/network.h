/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt.h"

#include <glib.h>

/* Single steps on networks, as thin as virsh's; each idempotent where it can be. Errors as virt_error_take's. */

/* Defines (VIR_NETWORK_DEFINE_VALIDATE). *name gets the network's name (may be NULL). */
gboolean network_define(VirtConn *conn, const char *xml, char **name, Deadline deadline, GError **error);
/* Creates a transient network (VIR_NETWORK_CREATE_VALIDATE). */
gboolean network_create_xml(VirtConn *conn, const char *xml, char **name, Deadline deadline, GError **error);
/* Starts; "already active" is success. *was_active says so (may be NULL). */
gboolean network_start(VirtConn *conn, const char *name, gboolean *was_active, Deadline deadline, GError **error);
gboolean network_destroy(VirtConn *conn, const char *name, Deadline deadline, GError **error);
gboolean network_undefine(VirtConn *conn, const char *name, Deadline deadline, GError **error);
gboolean network_autostart(VirtConn *conn, const char *name, gboolean on, Deadline deadline, GError **error);
