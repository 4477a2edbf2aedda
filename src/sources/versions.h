/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>
#include <jansson.h>

/*
 * What a reader of a bug report asks first, as texts by name: the operating system, the kernel, and what
 * dnsmasq and nft say of themselves; what does not answer is left out. libvirt: as virt_conn_libversion gives
 * it; 0 is left out. New object.
 */
json_t *versions_read(unsigned long libvirt, Deadline deadline);
