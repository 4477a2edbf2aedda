/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * For every network of facts->networks that should have a dnsmasq: a Dnsmasq, from the pid file in libvirt's
 * run directory (/run/libvirt/network/NAME.pid) and /proc/PID. A pid whose command line does not name
 * NAME.conf is another process that got the number: not alive. A zombie is not alive. Where the pid file
 * leads to none, it is looked for among all processes.
 *
 * With sockets: all UDP sockets and TCP listeners on ports 53, 67 and 547 of this host, by NETLINK_SOCK_DIAG,
 * with the device they are bound to and, as far as rights allow, their process.
 *
 * Sets SOURCE_PROCESSES. Where only the sockets could not be read it returns TRUE with the source stale, and
 * facts->sockets and facts->sockets_read stay as they were. Errors: FAILED (no /proc); the source is then
 * down (stale if it was read before) and the data unchanged.
 */
gboolean processes_read(Facts *facts, gboolean sockets, Deadline deadline, GError **error);

/* ------------------------------------------------------------------------------------ pure parsers */

/* Whether a /proc/PID/cmdline (NUL-separated words) is a dnsmasq with this configuration file. */
gboolean dnsmasq_cmdline_matches(const char *cmdline, gsize length, const char *config);
/* State letter of /proc/PID/stat ('Z', 'S', …; 0 if malformed); the command name in it may hold any byte. */
char proc_stat_state(const char *stat, gsize length);
/* Whether that is the state of a process that has not ended. */
gboolean proc_state_lives(char state);
/* A field of /proc/PID/stat by its number in proc(5), from the fourth on: 4 is the parent, 22 the start.
 * FALSE: there is none, or it is no number. */
gboolean proc_stat_number(const char *stat, gsize length, guint field, guint64 *number);
