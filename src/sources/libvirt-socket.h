/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The socket that libvirt connects to for the URI of a system daemon on this host ("qemu:///system"): the
 * driver's own where it is there (modular daemons), else libvirtd's. NULL for other URIs. New string.
 */
char *libvirt_socket(const char *uri, gboolean readonly);
