/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The dnsmasqs among all processes of this host, for a network whose pid file leads to none. They are listed
 * when the first is looked for; a search is for one reading, and by one thread.
 */
typedef struct DnsmasqSearch DnsmasqSearch;

DnsmasqSearch *dnsmasq_search_new(void);
void dnsmasq_search_free(DnsmasqSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsmasqSearch, dnsmasq_search_free)

/*
 * The live dnsmasq of this host (not one of a container) that has the configuration file; 0: none. helps:
 * that one has a helper, which runs its lease script. *all: every process could be looked at, so that 0 means
 * that there is none.
 */
gint dnsmasq_search(DnsmasqSearch *search, const char *config, gboolean helps, gboolean *all);

/* ------------------------------------------------------------------------------------ pure parts */

/* A process whose name is dnsmasq. */
typedef struct {
    gint pid, parent;
    guint uid;       /* effective */
    gboolean usable; /* lives, and is of this host */
    char *cmdline;   /* /proc/PID/cmdline, and */
    gsize length;    /* its bytes */
} DnsmasqProcess;

/* The one that serves by the configuration file; NULL: none. processes: DnsmasqProcess. */
const DnsmasqProcess *dnsmasq_processes_pick(const GPtrArray *processes, const char *config, gboolean helps);

/* Whether the text of /proc/PID/status tells of a process of the reader's own pid namespace, not of one below
 * it. TRUE where it does not say (Linux before 4.1). */
gboolean proc_status_is_here(const char *status);
