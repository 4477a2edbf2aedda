/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt.h"

#include <libvirt/libvirt.h>

/* Calls over a VirtConn; for the rooms that may see libvirt's own types: sources/libvirt*, actions/,
 * base/virt. */

/* A call: runs on a worker with the connection to use. Returns FALSE with *error set (virt_error_take helps).
 */
typedef gboolean (*VirtFunc)(virConnectPtr conn, gpointer data, GError **error);

/*
 * Runs one call and waits for it. what names it for messages ("virDomainGetXMLDesc"). On TRUE data is the
 * caller's again. On FALSE it is not to be touched: it has been freed by free_data, or, with
 * VNAT_ERROR_DEADLINE, will be when the abandoned call returns.
 */
gboolean virt_call(VirtConn *conn, const char *what, VirtFunc func, gpointer data, GDestroyNotify free_data,
                   Deadline deadline, GError **error);

/*
 * Many calls of one kind, in parallel, each for one item. func runs on workers, once per item; done (on the
 * calling thread, in any order) gets each item when its call has returned, with its error or NULL, and takes
 * out of it what it wants to keep: free_item frees it afterwards. Items whose call had not returned at the
 * deadline, or 2 s after all others had, are given to done with VNAT_ERROR_DEADLINE: of such an item only
 * what func does not write may be read; it is freed when the abandoned call returns. Calls that hang do not
 * hold up the others: when three calls are outstanding over 1 s, the next ones use a fresh connection. So an
 * object of libvirt that is in an item may belong to another connection than conn, and must be looked up
 * again then. items: array of pointers, without a free function; the items in it are consumed. parallel: at
 * most so many at once. VIRT_BULK: as many as is good for reads that wait for nothing but libvirt;
 * VIRT_GUESTS: for calls that may wait for a guest, one less than libvirtd executes at once for a client.
 */
#define VIRT_BULK 0
#define VIRT_GUESTS 4
typedef void (*VirtDone)(gpointer item, const GError *error, gpointer user_data);
void virt_call_each(VirtConn *conn, const char *what, VirtFunc func, GPtrArray *items,
                    GDestroyNotify free_item, guint parallel, VirtDone done, gpointer user_data,
                    Deadline deadline);

/*
 * libvirt's last error of this thread as a GError: VIR_ERR_NO_NETWORK, _NO_DOMAIN… give NOT_FOUND, what
 * exists already EXISTS, rights give DENIED, a lost connection UNREACHABLE, NO_SUPPORT UNSUPPORTED, the rest
 * FAILED. Message: libvirt's, "class: detail", as virsh prints it. Always returns FALSE.
 */
gboolean virt_error_take(GError **error);

/*
 * The same for a failed virConnectOpenAuth: always UNREACHABLE, with the lines "failed to connect to 'URI'"
 * and a hint that fits the reason (no such socket, refused, rights, nonsense URI). *rights (may be NULL) says
 * whether it is the rights that were missing. Always returns FALSE.
 */
gboolean virt_error_take_open(const char *uri, gboolean *rights, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetwork, virNetworkFree)
