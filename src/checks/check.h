/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"
#include "model/map.h"

#include <glib.h>

/*
 * The checks: pure functions of (facts, map, now) that add findings. Each is one entry of the table; what it
 * needs stands beside it, and it runs only where those sources gave facts. A healthy host gives no finding.
 */

typedef struct {
    const char *id;
    ObjectKind kind;
    RepairClass repair;
    guint needs; /* bits 1 << SourceId */
    const char *summary;
    void (*run)(const Facts *facts, const Map *map, GPtrArray *findings);
} Check;

/* All checks, in the catalogue's order; *count gets their number. */
const Check *check_table(guint *count);
const Check *check_find(const char *id);

/*
 * Runs the checks of these kinds (bits 1 << ObjectKind). Returns Findings: worst first, then by network and
 * object. Free with g_ptr_array_unref.
 */
GPtrArray *checks_run(const Facts *facts, const Map *map, guint kinds);

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

void check_network_inactive(const Facts *facts, const Map *map, GPtrArray *findings);
void check_network_no_autostart(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_down(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_stale(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_stp_delay(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dnsmasq_dead(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dnsmasq_not_listening(const Facts *facts, const Map *map, GPtrArray *findings);
void check_port_conflict(const Facts *facts, const Map *map, GPtrArray *findings);
void check_nat_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_forward_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings);
void check_subnet_overlap(const Facts *facts, const Map *map, GPtrArray *findings);
void check_bridge_name_clash(const Facts *facts, const Map *map, GPtrArray *findings);
void check_dhcp_pool_low(const Facts *facts, const Map *map, GPtrArray *findings);
