/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/dnsmasq-search.h"
#include "sources/processes.h"

/*
 * The dnsmasq of one network, by its pid file under run_dir (/run/libvirt) and /proc, or by the search; apart
 * from processes_read so that tests can give directories of their own. helps: as dnsmasq_search has it. A
 * name that cannot be one file name leads to no path: unknown, and config is NULL. Free with dnsmasq_free.
 */
Dnsmasq *dnsmasq_look(const char *run_dir, const char *state_dir, const char *network, gboolean helps,
                      DnsmasqSearch *search);
