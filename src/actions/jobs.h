/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt.h"

#include <glib.h>

/*
 * What a restart of libvirtd would cut short: a job of an active domain (migration, save, dump, backup), or a
 * job on one of its disks (copy, commit, pull). *busy gets "VM1 (migration or save), VM2 (block job on vda)",
 * new string, or NULL if there is none. A domain that does not answer may have one: that is an error. Errors:
 * DEADLINE, UNREACHABLE, FAILED.
 */
gboolean jobs_running(VirtConn *conn, char **busy, Deadline deadline, GError **error);
