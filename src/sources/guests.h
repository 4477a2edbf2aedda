/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/*
 * Since when the running domains of the system's QEMU daemon on this host run, into Domain.started: by the
 * pid file under /run/libvirt/qemu, and /proc. Whose process cannot be told, or is another's by now, has no
 * such time.
 */
void guests_read(Facts *facts);

/* ------------------------------------------------------------------------------------ pure parsers */

/* The 22nd field of /proc/PID/stat: the start of the process in clock ticks since the system was booted.
 * FALSE for what is no such line. */
gboolean guest_stat_start(const char *stat, gsize length, guint64 *ticks);

/* Whether /proc/PID/cmdline is that of QEMU running the domain with this UUID: its words "-uuid UUID". */
gboolean guest_cmdline_matches(const char *cmdline, gsize length, const char *uuid);
