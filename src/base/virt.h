/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>

/*
 * One libvirt connection and the workers that call it. See "Threads" in docs/architecture.md: a call can
 * block for ever, so none is made on the main thread, each has a deadline, and a call that outlives its
 * deadline is abandoned with its data (the process leaves by _exit, or goes on over another connection);
 * nobody joins it.
 */
typedef struct VirtConn VirtConn;

/*
 * Opens uri. Read-write unless readonly; where read-write is refused for want of rights, read-only instead
 * (see virt_conn_readonly). Switches libvirt's own printing off. Errors: VNAT_ERROR_UNREACHABLE with the
 * reason told apart (no such socket, refused, rights, nonsense URI) and a hint; VNAT_ERROR_DEADLINE.
 * The process must ignore SIGPIPE: the daemon may go away while libvirt writes to it.
 */
VirtConn *virt_open(const char *uri, gboolean readonly, Deadline deadline, GError **error);

/* Closes if no call is outstanding; otherwise leaves the connection to the kernel. NULL is allowed. */
void virt_close(VirtConn *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtConn, virt_close)

gboolean virt_conn_readonly(const VirtConn *conn);
/* The URI that libvirt reports for it. */
const char *virt_conn_uri(const VirtConn *conn);
/* Whether the daemons behind it run on this host and in its kernel: qemu, lxc, network, xen…, not test or
 * remote ones. */
gboolean virt_conn_local(const VirtConn *conn);
/* The same of a URI alone: no host in it, and a driver that works on the kernel of the machine it runs on. */
gboolean virt_uri_is_local(const char *uri);
/* libvirt's version at the other end, as virConnectGetLibVersion gives it; 0 if unknown. */
unsigned long virt_conn_libversion(const VirtConn *conn);

/* Whether a call of this process was left hanging (by virt_close or at a deadline), or a connection is still
 * being closed: then leave by _exit. */
gboolean virt_calls_hang(void);
