/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "actions/repair.h"
#include "sources/links.h"

#include <glib.h>

/* The rooms of the repair: the plan (repair-plan.c), its single steps (repair-steps.c), the network daemon's
 * (repair-daemon.c), and who takes them (repair.c). */

typedef struct Repair Repair;
typedef struct RepairKind RepairKind;

/* What a step is about, found again in what was read last. */
typedef struct {
    const RepairView *view;
    const RepairAsked *asked;
    const Finding *finding;
} RepairCase;

/*
 * One kind of repair. describe is pure: it says what would be done (new string), and, in *refusal (new
 * string), why it must not be done as things stand. run does it; the step's detail gets what is worth
 * telling. Steps of kinds without run are the network daemon's, and are taken together.
 */
struct RepairKind {
    const char *id;
    guint order;        /* lower ones first */
    gboolean transient; /* may be seen for a moment while libvirt or a firewall works */
    char *(*describe)(const RepairCase *about, char **refusal);
    gboolean (*run)(const Repair *repair, const RepairCase *about, Step *step, GError **error);
};

struct Repair {
    const RepairHost *host;
    const RepairAsked *asked;
    RepairView *view;
    Deadline deadline;
    Deadline settled;      /* what may pass by itself has passed by then */
    LinksMonitor *monitor; /* tells of changes while something is awaited; NULL where it cannot be had */
    GPtrArray *steps;      /* Step */
};

/* NULL: nothing can be done about such findings. */
const RepairKind *repair_kind(const char *id);

/* ------------------------------------------------------------------------------------ the plan */

char *repair_describe_tap(const RepairCase *about, char **refusal);
char *repair_describe_bridge(const RepairCase *about, char **refusal);
char *repair_describe_stale(const RepairCase *about, char **refusal);
char *repair_describe_forwarding(const RepairCase *about, char **refusal);
char *repair_describe_filter(const RepairCase *about, char **refusal);
char *repair_describe_daemon(const RepairCase *about, char **refusal);
char *repair_describe_start(const RepairCase *about, char **refusal);
char *repair_describe_remake(const RepairCase *about, char **refusal);
char *repair_describe_define(const RepairCase *about, char **refusal);
char *repair_describe_up(const RepairCase *about, char **refusal);
char *repair_describe_mtu(const RepairCase *about, char **refusal);
char *repair_describe_autostart(const RepairCase *about, char **refusal);
char *repair_describe_leases(const RepairCase *about, char **refusal);
char *repair_describe_zone(const RepairCase *about, char **refusal);

/* What the describe and the run of a kind both need. */

/* The interface of an interface's finding: its row, the domain's XML of it, the tap; NULL where there is
 * none. */
typedef struct {
    const MapRow *row;
    const DomainInterface *iface;
    const Network *network;
    const Link *tap;
    const Link *bridge; /* that libvirt names; NULL: there is no such device */
} RepairTap;

gboolean repair_tap_of(const RepairCase *about, RepairTap *tap);
/* Whether all that the tap lacks is its bridge. */
gboolean repair_tap_waits(const RepairCase *about);
/* The MTU that the tap has to have: the network's, the interface's, or the bridge's. */
guint repair_tap_mtu(const RepairTap *tap);
gboolean repair_tap_isolated(const RepairTap *tap);
/* Settings of the kernel, as paths below /proc, that are not value. Strings; free with g_ptr_array_unref. */
GPtrArray *repair_forwarding_off(const Facts *facts);
/* Paths of the settings that send bridged frames through the packet filter: below /, new strings. */
GPtrArray *repair_filter_on(const RepairCase *about);
/* The addresses of its <ip>s that the bridge lacks: NetworkIp in facts. */
GPtrArray *repair_addresses_missing(const Facts *facts, const Network *network, const Link *bridge);

/* Whether a reload does not mend this finding: rules whose chains, or the jumps to them, are gone. */
gboolean repair_needs_restart(const Facts *facts, const char *id);
/* Whether the network is among those asked for. */
gboolean repair_covers(const RepairAsked *asked, const char *network);
gboolean repair_consented(const RepairAsked *asked, const char *id);

/* ------------------------------------------------------------------------------------ the steps */

typedef gboolean RepairRun(const Repair *repair, const RepairCase *about, Step *step, GError **error);
RepairRun repair_run_tap, repair_run_bridge, repair_run_stale, repair_run_forwarding, repair_run_filter,
    repair_run_start, repair_run_remake, repair_run_define, repair_run_up, repair_run_mtu,
    repair_run_autostart, repair_run_leases, repair_run_zone;

/* ------------------------------------------------------------------------------------ taking them */

typedef enum { CASE_STANDS, CASE_CLEARED, CASE_UNKNOWN } CaseState;

/* Reads everything again. FALSE with *error. */
gboolean repair_look(Repair *repair, GError **error);
/* What the last look says of the step's finding; why: for CASE_UNKNOWN, new string. */
CaseState repair_case(const Repair *repair, const Step *step, RepairCase *about, char **why);
/* Waits for news, at most *pause seconds, which grows. */
void repair_wait(Repair *repair, Deadline until, double *pause);
void repair_failed(Step *step, GError *error);

/* Takes these steps, all of them the network daemon's. */
void repair_daemon(Repair *repair, GPtrArray *steps);
