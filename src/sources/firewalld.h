/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * Which zone of firewalld an interface is in, into facts->zones, by `firewall-cmd --get-active-zones`. Sets
 * SOURCE_FIREWALLD: live; absent, with the reason, where firewalld does not run (no such program, no system
 * bus, or it says so); stale or down where it could not be asked.
 */
void firewalld_read(Facts *facts, Deadline deadline);

/*
 * What that program prints (firewall-cmd(1)): a line with a zone's name, perhaps with more behind it
 * ("public (default)"), and below it, indented, "interfaces: NAME..." and others. New array of FirewalldZone;
 * NULL with INVALID for interfaces of no zone.
 */
GPtrArray *firewalld_parse_zones(const char *text, gsize length, GError **error);

/* Whether what the program complained of means that no firewalld runs. */
gboolean firewalld_is_off(const char *complaint);
