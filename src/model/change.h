/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"
#include "model/map.h"
#include "model/network.h"

#include <glib.h>

/*
 * What differs between two moments of one host: the records that `vnat watch` prints, a line each. Made by
 * model/live.h, written by views/watch.h.
 */

typedef enum {
    CHANGE_INTERFACE_ADDED,
    CHANGE_INTERFACE_CHANGED,
    CHANGE_INTERFACE_REMOVED,
    CHANGE_LEASE_ADDED,
    CHANGE_LEASE_RENEWED,
    CHANGE_LEASE_REMOVED,
    CHANGE_NETWORK_DEFINED,
    CHANGE_NETWORK_UNDEFINED,
    CHANGE_NETWORK_STARTED,
    CHANGE_NETWORK_STOPPED,
    CHANGE_NETWORK_CHANGED,
    CHANGE_SOURCE_LIVE,
    CHANGE_SOURCE_STALE,
    CHANGE_SOURCE_DOWN,
    CHANGE_AUDIT_MISMATCH,
    CHANGE_CHECK_RAISED,
    CHANGE_CHECK_CLEARED,
    CHANGE_COUNT
} ChangeType;

/* As in JSON: "interface.added", …. */
const char *change_name(ChangeType type);

/* What is not of the change's type is NULL or 0. Everything in it is borrowed: see live_map_settle. */
typedef struct {
    ChangeType type;
    const MapRow *row;    /* interface.*: as it is now, of a removed one as it was; lease.*: whose it is */
    const MapRow *before; /* interface.changed */
    const Lease *lease;   /* lease.* */
    const Lease *lease_before;        /* lease.renewed */
    const NetworkRow *network;        /* network.*: as it is now, of one that is gone as it was */
    const NetworkRow *network_before; /* network.changed */
    const Finding *finding;           /* check.* */
    SourceId source;                  /* source.*, audit.mismatch */
    const char *text;                 /* source.*: why; audit.mismatch: what differed, in words */
} Change;

/*
 * Whether two rows say the same, in every field that a view shows. The order of addresses counts, that of
 * problems too.
 */
gboolean map_row_equal(const MapRow *a, const MapRow *b);

/* The same of networks. The interfaces on it and the number of leases do not count: they have lines of their
 * own. */
gboolean network_row_equal(const NetworkRow *a, const NetworkRow *b);

gboolean lease_equal(const Lease *a, const Lease *b);
