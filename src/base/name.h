/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Identifiers. What vnat itself defines must be of the narrow form; what exists under other names stays
 * addressable, but no path is built from a name that is not of it.
 */

/* A bridge or tap: [A-Za-z0-9][A-Za-z0-9_.-]{0,14} (the kernel's IFNAMSIZ less the NUL). */
gboolean name_is_ifname(const char *name);

/* A network or template that we define: the same letters, up to 50. */
gboolean name_is_network(const char *name);

/* 8-4-4-4-12 hexadecimal digits. */
gboolean name_is_uuid(const char *name);

/*
 * The name of the file that libvirt keeps the number of an object's process in: "NAME.pid", but with what XML
 * escapes escaped ("it&apos;s.pid"), as its virPidFileBuildPath writes it. New string.
 */
char *name_pid_file(const char *name);
