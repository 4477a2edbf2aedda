/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>

/*
 * The daemon that runs libvirt's network driver on this host: virtnetworkd where the daemons are modular,
 * else libvirtd. It is found by its pid file and held by a pidfd, so that a number which another process gets
 * meanwhile is never signalled.
 */
typedef struct {
    gint pid;
    int pidfd;
    char *program; /* "virtnetworkd" or "libvirtd": also the name of its unit */
} NetworkDaemon;

/* Errors: NOT_FOUND (none runs here), UNSUPPORTED (no pidfds). */
NetworkDaemon *network_daemon_find(GError **error);
void network_daemon_free(NetworkDaemon *daemon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkDaemon, network_daemon_free)

/*
 * Has it read its configuration again, by SIGHUP: it puts missing rules back into the chains that stand,
 * starts dnsmasqs that are gone, and networks with autostart that do not run. Returns when the signal is
 * sent; a daemon that is reloading already drops it. Errors: DENIED, NOT_FOUND (it ended).
 */
gboolean network_daemon_reload(const NetworkDaemon *daemon, GError **error);

/*
 * Restarts it through systemd; guests go on, connections to it end. Errors: UNSUPPORTED where systemd does
 * not run, or the process is not its unit's: the hint is the command to try. DENIED, DEADLINE, FAILED.
 */
gboolean network_daemon_restart(const NetworkDaemon *daemon, Deadline deadline, GError **error);

/* The command that restarts it by hand. New string. */
char *network_daemon_restart_command(const NetworkDaemon *daemon);

/*
 * Ends the dnsmasq with that pid, whose command line must name that configuration file, and waits for its
 * end. Errors: NOT_FOUND (it is none, or gone), DENIED, DEADLINE.
 */
gboolean dnsmasq_end(gint pid, const char *config, Deadline deadline, GError **error);

/* Whether that number is a live process, no zombie. */
gboolean process_lives(gint pid);

/* ------------------------------------------------------------------------------------ pure parsers */

/* The program that a link /proc/PID/exe names, as long as it is a network daemon: static, or NULL. One that
 * was replaced on the disk is still it. */
const char *network_daemon_program(const char *exe);
