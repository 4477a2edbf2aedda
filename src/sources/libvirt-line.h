/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-dial.h"
#include "sources/libvirt-hub.h"

/*
 * A pool of workers whose connections have callbacks for events, registered before the first call. There may
 * be several connections at a time (see base/virt-pool-private.h); what each of them tells are hints, so two
 * of the same do no harm.
 */
typedef struct LibvirtLine LibvirtLine;

typedef enum { LINE_DOMAINS = 1 << 0, LINE_NETWORKS = 1 << 1 } LineEvents;

/*
 * Nothing is dialled before the first batch. Events come to the hub as HUB_TOUCH; that the newest connection
 * was closed, by whomever but ourselves, as HUB_CLOSED; each with that serial. dial NULL: virt_dial.
 */
typedef virConnectPtr (*LineDial)(VirtDialled *dialled, GError **error);
LibvirtLine *libvirt_line_new(LibvirtHub *hub, const char *uri, gboolean readonly, LineEvents events,
                              guint serial, LineDial dial);
/* Never waits; what hangs is left to itself (virt_calls_hang). End its batches before. NULL is allowed. */
void libvirt_line_close(LibvirtLine *line);

VirtPool *libvirt_line_pool(LibvirtLine *line);
/* For virt_hello, on a worker; owned by the pool. */
VirtDialled *libvirt_line_dialled(LibvirtLine *line);
guint libvirt_line_serial(const LibvirtLine *line);

/* In words, for people: a virConnectCloseReason. */
const char *libvirt_close_reason(int reason);
