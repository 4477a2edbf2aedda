/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-call.h"

/* Objects of libvirt by the words that people use; for calls on workers (VirtFunc), in sources/libvirt* and
 * actions/. */

/* By UUID or name, in virsh's order. Errors: as virt_error_take, NOT_FOUND among them. */
virNetworkPtr libvirt_lookup_network(virConnectPtr conn, const char *name_or_uuid, GError **error);

/* By id, UUID or name, in virsh's order. Errors: as virt_error_take, NOT_FOUND among them. */
virDomainPtr libvirt_lookup_domain(virConnectPtr conn, const char *which, GError **error);
