/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/processes.h"

/*
 * The dnsmasq of one network, by its pid file under run_dir (/run/libvirt) and /proc; apart from
 * processes_read so that tests can give directories of their own. A name that cannot be one file name leads
 * to no path: unknown, and config is NULL. Free with dnsmasq_free.
 */
Dnsmasq *dnsmasq_look(const char *run_dir, const char *state_dir, const char *network);
