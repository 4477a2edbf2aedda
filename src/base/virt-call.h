/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt.h"

#include <libvirt/libvirt.h>

/* Calls over a VirtConn; for the rooms that may see libvirt's own types: sources/libvirt*, actions/, base/virt. */

/*
 * A call: runs on a worker with the connection to use. Returns FALSE with *error set (virt_error_take helps).
 * data belongs to the call until it returned; an abandoned call frees it by the free function given with it.
 */
typedef gboolean (*VirtFunc)(virConnectPtr conn, gpointer data, GError **error);

/*
 * Runs one call and waits for it. what names it for messages ("virDomainGetXMLDesc of VM1"). On FALSE with
 * VNAT_ERROR_DEADLINE the call still runs: the caller must have handed data over with a free function, and must not
 * touch it again. Otherwise data is the caller's again (free_data is not called).
 */
gboolean virt_call(VirtConn *conn, const char *what, VirtFunc func, gpointer data, GDestroyNotify free_data,
                   Deadline deadline, GError **error);

/*
 * Many calls of one kind, in parallel, each for one item. func runs on workers, once per item; done (on the calling
 * thread, in any order) gets each item when its call has returned, with its error or NULL. Items whose call had not
 * returned at the deadline, or 2 s after all others had, are reported by done with VNAT_ERROR_DEADLINE and stay owned
 * by the abandoned call. Calls that hang do not hold up the others: when two calls are outstanding over 1 s, the next
 * ones use a fresh connection.
 * items: array of pointers, not freed; free_item frees an item of an abandoned call.
 */
typedef void (*VirtDone)(gpointer item, const GError *error, gpointer user_data);
void virt_call_each(VirtConn *conn, const char *what, VirtFunc func, GPtrArray *items, GDestroyNotify free_item,
                    VirtDone done, gpointer user_data, Deadline deadline);

/*
 * libvirt's last error of this thread as a GError: VIR_ERR_NO_NETWORK, _NO_DOMAIN… give NOT_FOUND, rights give DENIED,
 * a lost connection UNREACHABLE, NO_SUPPORT UNSUPPORTED, the rest FAILED. Message: libvirt's, "class: detail", as virsh
 * prints it. Always returns FALSE.
 */
gboolean virt_error_take(GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetwork, virNetworkFree)
