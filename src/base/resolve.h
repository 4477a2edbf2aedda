/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/ip.h"

/*
 * The first address of a host's name, as this host's programs find it (GResolver: nsswitch.conf, /etc/hosts,
 * DNS); IPv4 before IPv6. What has no answer at the deadline is abandoned. Errors: NOT_FOUND, DEADLINE,
 * FAILED.
 */
gboolean resolve_host(const char *name, Deadline deadline, Ip *ip, GError **error);
