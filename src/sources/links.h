/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/* The kernel's side of the facts, by rtnetlink dumps; needs no rights. */
typedef enum {
    LINKS_LINKS = 1 << 0,      /* facts->links, with bridge and port details */
    LINKS_ADDRESSES = 1 << 1,  /* facts->addresses */
    LINKS_FDB = 1 << 2,        /* facts->fdb: bridges' forwarding tables */
    LINKS_ROUTES = 1 << 3,     /* facts->routes: every table, IPv4 and IPv6, unicast and special types */
    LINKS_NEIGHBOURS = 1 << 4, /* facts->neighbours: IPv4 and IPv6 */
    LINKS_RULES = 1 << 5, /* facts->route_rules: which table is asked; none of a kernel that has only one */
} LinksWanted;

/*
 * Reads what is wanted and sets SOURCE_LINKS and, where neighbours are wanted, SOURCE_NEIGHBOURS. A dump that
 * the kernel marks inconsistent (NLM_F_DUMP_INTR) is read again, up to the deadline. The two sources are read
 * one without the other: FALSE if one of them failed; its data is unchanged, and its status is down, or stale
 * where it was read before. Errors: DEADLINE, DENIED, FAILED.
 */
gboolean links_read(Facts *facts, LinksWanted wanted, Deadline deadline, GError **error);

/*
 * Waits until the kernel tells of a change of links or addresses (RTNLGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR),
 * without polling. Open before reading, so that no change between is missed.
 */
typedef struct LinksMonitor LinksMonitor;
LinksMonitor *links_monitor_new(GError **error);
void links_monitor_free(LinksMonitor *monitor);
/* TRUE when something changed (or may have: overrun), FALSE at the deadline. */
gboolean links_monitor_wait(LinksMonitor *monitor, Deadline deadline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LinksMonitor, links_monitor_free)
