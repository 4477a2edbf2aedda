/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"
#include "model/health.h"
#include "model/map.h"
#include "model/probe.h"

#include <glib.h>

/*
 * The checks: pure functions of (facts, map, now) that add findings. Each is one entry of the table; what it
 * needs stands beside it, and it runs only where those sources gave facts. A healthy host gives no finding.
 * Where the facts do not tell, a check says so by check_unknown(): `vnat check` shows that, others do not.
 */

/* What a run of the checks is told beside the facts; all zero is the usual. */
typedef struct {
    const char *const *networks;  /* names or UUIDs from the command line: only they matter; NULL: all do */
    const char *const *ids;       /* only these checks; NULL: all */
    gboolean all;                 /* also the checks that only list, of level ok */
    gint64 grace;                 /* seconds that a guest may run without an address */
    GHashTable *warning;          /* id -> Range *, where it is not the check's own; may be NULL */
    GHashTable *critical;         /* likewise */
    const GError *unreachable;    /* why there is no connection to libvirt, or no answer; else NULL */
    const char *socket;           /* that was tried for it; NULL: not known */
    const GPtrArray *probes;      /* ProbeReport: of networks that were probed; NULL: none was to be */
    const char *const *templates; /* names of templates that networks can be made from; may be NULL */
} CheckScope;

#define CHECK_GRACE 60 /* seconds */

typedef struct {
    Range warning, critical;
    const CheckScope *scope; /* NULL: all networks matter */
} CheckLimits;

typedef struct {
    const char *id;
    ObjectKind kind;
    RepairClass repair;
    guint needs; /* bits 1 << SourceId */
    const char *summary;
    void (*run)(const Facts *facts, const Map *map, GPtrArray *findings);
} Check;

/* What some checks have beside. */
typedef struct {
    const char *id;
    /* In place of run, where the scope is known; NULL: run. */
    void (*scoped)(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings);
    /* In place of run, of a check with values that have limits: adds them (HealthValue) too. */
    void (*judge)(const CheckLimits *limits, const Facts *facts, GPtrArray *findings, GPtrArray *values);
    const char *warning, *critical; /* the limits, as ranges; NULL: it has no values */
    gboolean lists;                 /* lists what is no fault: runs only where it is asked for */
    gboolean probed;                /* is about probes: runs only where some were wanted */
    gboolean named;                 /* is about networks that were named: runs only where some were */
} CheckSpecial;

/* All checks, in the catalogue's order; *count gets their number. */
const Check *check_table(guint *count);
const Check *check_find(const char *id);
/* NULL: it has nothing beside. */
const CheckSpecial *check_special(const char *id);

/*
 * Runs the checks of these kinds (bits 1 << ObjectKind). Returns Findings: worst first, then by network and
 * object; none is unknown or unsettled. Free with g_ptr_array_unref.
 */
GPtrArray *checks_run(const Facts *facts, const Map *map, guint kinds);

/*
 * Everything that can be said of the host: runs the checks of the scope, and of each that could not tell, or
 * whose sources were not read or only in part, says so once, as a finding of LEVEL_UNKNOWN about the host.
 */
Health *checks_examine(const CheckScope *scope, const Facts *facts, const Map *map);

/* The limits of a check with values, by the scope (may be NULL) or its own. */
void check_limits(const CheckScope *scope, const CheckSpecial *special, CheckLimits *limits);

/* Gives a finding of the check its class: the check's, unless the check decided on this one's itself. */
void check_classify(const Check *check, Finding *finding);

/* Says that the check could not tell, and why: one sentence's part, "sockets were not read". */
void check_unknown(GPtrArray *findings, const char *id, const char *why, ...) G_GNUC_PRINTF(3, 4);
/* The same of one network: who asks about others is not told. Owned by findings. */
Finding *check_unknown_of(GPtrArray *findings, const char *id, const Network *network, const char *why, ...)
    G_GNUC_PRINTF(4, 5);

/* What to try where libvirt cannot be reached, which the error tells of. New string. */
char *check_unreachable_remedy(const Facts *facts, const GError *error);

/* Adds a finding about a network; the caller fills it. */
Finding *check_of_network(GPtrArray *findings, const char *id, Level level, const Network *network);
/* The same about a row of the map. */
Finding *check_of_row(GPtrArray *findings, const char *id, Level level, const MapRow *row);
/* Whether it is an interface of a domain that runs, whose other end is a device of this host that libvirt
 * names. */
gboolean check_row_has_tap(const MapRow *row);
/* Whether the scope names the network; FALSE where it names none. */
gboolean check_scope_names(const CheckScope *scope, const Network *network);
/* Whether the network matters: it is named, or none is. scope NULL: all do. */
gboolean check_scope_covers(const CheckScope *scope, const Network *network);

/*
 * A device's name in a command of ip: a word of a shell, without the "--" that ip does not know (nor does it
 * look for options there). New string.
 */
char *check_device(const char *name);

/* The functions of the table, one file a family. */
void check_tap_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_tap_orphaned(const Facts *facts, const Map *map, GPtrArray *findings);
void check_tap_down(const Facts *facts, const Map *map, GPtrArray *findings);
void check_tap_unclaimed(const Facts *facts, const Map *map, GPtrArray *findings);
void check_duplicate_mac(const Facts *facts, const Map *map, GPtrArray *findings);
void check_duplicate_address(const Facts *facts, const Map *map, GPtrArray *findings);
void check_mac_mismatch(const Facts *facts, const Map *map, GPtrArray *findings);
void check_address_unleased(const Facts *facts, const Map *map, GPtrArray *findings);
void check_mtu_mismatch(const Facts *facts, const Map *map, GPtrArray *findings);

void check_ip_forward_off(const Facts *facts, const Map *map, GPtrArray *findings);
void check_forward_blocked(const Facts *facts, const Map *map, GPtrArray *findings);
void check_input_blocked(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_netfilter(const Facts *facts, const Map *map, GPtrArray *findings);
void check_iptables_mixed(const Facts *facts, const Map *map, GPtrArray *findings);

void check_network_inactive(const Facts *facts, const Map *map, GPtrArray *findings);
void check_network_no_autostart(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_down(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_stale(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_stp_delay(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dnsmasq_dead(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dnsmasq_lost(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dnsmasq_not_listening(const Facts *facts, const Map *map, GPtrArray *findings);
void check_port_conflict(const Facts *facts, const Map *map, GPtrArray *findings);
void check_nat_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_forward_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_subnet_overlap(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_name_clash(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dhcp_pool_low(const Facts *facts, const Map *map, GPtrArray *findings);
void check_leases_unreadable(const Facts *facts, const Map *map, GPtrArray *findings);
void check_firewalld_zone(const Facts *facts, const Map *map, GPtrArray *findings);
void check_conntrack_full(const Facts *facts, const Map *map, GPtrArray *findings);
void check_no_address(const Facts *facts, const Map *map, GPtrArray *findings);
void check_lease_orphaned(const Facts *facts, const Map *map, GPtrArray *findings);
void check_nothing(const Facts *facts, const Map *map, GPtrArray *findings);

void scoped_libvirt_unreachable(const CheckScope *scope, const Facts *facts, const Map *map,
                                GPtrArray *findings);
void scoped_ip_forward_off(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings);
void scoped_network_missing(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings);
void scoped_network_inactive(const CheckScope *scope, const Facts *facts, const Map *map,
                             GPtrArray *findings);
void scoped_probe_failed(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings);
void scoped_no_address(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings);

void judge_dhcp_pool_low(const CheckLimits *limits, const Facts *facts, GPtrArray *findings,
                         GPtrArray *values);
void judge_conntrack_full(const CheckLimits *limits, const Facts *facts, GPtrArray *findings,
                          GPtrArray *values);
