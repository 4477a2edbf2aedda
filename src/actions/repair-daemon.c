/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/repair-private.h"

#include "actions/conntrack.h"
#include "actions/daemon.h"
#include "actions/guard.h"
#include "actions/jobs.h"
#include "base/error.h"
#include "model/network.h"

#include <string.h>

/*
 * Rules and dnsmasqs that are missing are the network daemon's to put back: one reload does it for all
 * networks, and touches no guest. It is verified finding by finding.
 *
 * What a reload does not do, and what it would do wrong (seen with libvirt 9.0):
 *  - Chains and jumps it makes once, when it starts: where they are gone only a restart helps. libvirtd's
 * restart ends migrations and block jobs, so it is refused while there are any; virtnetworkd has none.
 *  - It takes the rules away and adds them one by one, which resets connections that talk then. Hence the
 * guard (actions/guard.h).
 *  - A signal that comes while it reloads is dropped: half of the time having passed, it is sent once more.
 *  - A dnsmasq that lives is only told to read its files again. One that lacks a socket keeps lacking it; so
 * where the reload did not help it is ended, and a second reload starts it anew. Not while another program
 * holds its port: then the new one would not start at all.
 *  - Whether a dnsmasq lives it judges by kill(pid, 0), and signals that number. Where another process has
 * got it, the reload would signal that process: refused, a restart looks closer.
 *  - It starts every network with autostart that does not run: refused where nobody asked for that.
 */

#define VERIFY_SECONDS 5.0
#define FIRST_PAUSE 0.05

/* ------------------------------------------------------------------------------------------ verdicts */

static void fail_all(const GPtrArray *steps, GError *error)
{
    for (guint i = 0; i < steps->len; i++)
        repair_failed(steps->pdata[i], g_error_copy(error));
    g_error_free(error);
}

/* Those of the steps that have not come to an end. Owned by the caller of the steps. */
static GPtrArray *still_planned(const GPtrArray *steps)
{
    GPtrArray *planned = g_ptr_array_new();

    for (guint i = 0; i < steps->len; i++) {
        if (((const Step *)steps->pdata[i])->state == STEP_PLANNED)
            g_ptr_array_add(planned, steps->pdata[i]);
    }
    return planned;
}

/* Those of the steps whose fault still stands, as last looked. Owned by the caller of the steps. */
static GPtrArray *standing(const Repair *repair, const GPtrArray *steps)
{
    GPtrArray *left = g_ptr_array_new();

    for (guint i = 0; i < steps->len; i++) {
        RepairCase about;

        if (repair_case(repair, steps->pdata[i], &about, NULL) != CASE_CLEARED)
            g_ptr_array_add(left, steps->pdata[i]);
    }
    return left;
}

/* Looks until all have cleared or that point. FALSE: nothing could be looked at, also not by a daemon that
 * was restarted and took its time. */
static gboolean await_all(Repair *repair, const GPtrArray *steps, Deadline until, GError **error)
{
    double pause = FIRST_PAUSE;

    for (;;) {
        g_autoptr(GError) failed = NULL;
        gboolean looked = repair_look(repair, &failed);
        gboolean over = deadline_passed(until);

        if (looked) {
            g_autoptr(GPtrArray) left = standing(repair, steps);

            if (left->len == 0 || over)
                return TRUE;
        } else if (over || !g_error_matches(failed, VNAT_ERROR, VNAT_ERROR_UNREACHABLE)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return FALSE;
        }
        repair_wait(repair, until, &pause);
    }
}

/* ------------------------------------------------------------------------------------------ refusals */

/* The number in a pid file that is another process's now; 0: it is not. */
static gint misleading_number(const Dnsmasq *dnsmasq)
{
    const gint number = dnsmasq->alive ? dnsmasq->claimed : dnsmasq->pid;

    return number && process_lives(number) ? number : 0;
}

/* The dnsmasq whose pid file names another process. NULL: none. */
static const Dnsmasq *misleading_dnsmasq(const Facts *facts)
{
    for (guint i = 0; i < facts->dnsmasqs->len; i++) {
        const Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[i];
        const Network *network = facts_network(facts, dnsmasq->network);

        if (network && network->active && misleading_number(dnsmasq))
            return dnsmasq;
    }
    return NULL;
}

static gboolean may_reload(const Repair *repair, const NetworkDaemon *daemon, GError **error)
{
    const Dnsmasq *misleading = misleading_dnsmasq(repair->view->facts);
    g_autofree char *command = network_daemon_restart_command(daemon);

    if (!misleading)
        return TRUE;
    vnat_error_set(error, VNAT_ERROR_FAILED,
                   "the pid file of network %s's dnsmasq names %d, another process now, which a reload would "
                   "send SIGHUP; a restart of %s looks closer",
                   misleading->network, misleading_number(misleading), daemon->program);
    vnat_error_hint(error, "%s", command);
    return FALSE;
}

static gboolean may_restart(const Repair *repair, const NetworkDaemon *daemon, GError **error)
{
    g_autofree char *busy = NULL;
    g_autofree char *command = network_daemon_restart_command(daemon);

    /* virtnetworkd has no guests. */
    if (strcmp(daemon->program, "libvirtd") != 0)
        return TRUE;
    if (!jobs_running(repair->view->conn, &busy, repair->deadline, error)) {
        g_prefix_error(error, "whether a restart would end a migration or block job cannot be told: ");
        return FALSE;
    }
    if (!busy)
        return TRUE;
    vnat_error_set(error, VNAT_ERROR_FAILED, "a restart of libvirtd would end what runs now: %s", busy);
    vnat_error_hint(error, "when that has ended: %s", command);
    return FALSE;
}

/* -------------------------------------------------------------------------------------------- doing */

static void tell_all(const GPtrArray *steps, const char *what, const NetworkDaemon *daemon)
{
    for (guint i = 0; i < steps->len; i++)
        step_add(steps->pdata[i], "%s %s (pid %d)", what, daemon->program, daemon->pid);
}

typedef gboolean (*DaemonAction)(const NetworkDaemon *daemon, Deadline deadline, GError **error);

static gboolean send_reload(const NetworkDaemon *daemon, Deadline deadline, GError **error)
{
    return network_daemon_reload(daemon, error);
}

/* Without the guard (no nft) it is done all the same, and told: the fault weighs more. */
static gboolean act_guarded(const Repair *repair, DaemonAction act, const NetworkDaemon *daemon,
                            const GPtrArray *steps, GError **error)
{
    g_autoptr(GError) unguarded = NULL;
    Guard *guard = guard_raise(repair->view->facts, repair->deadline, &unguarded);
    gboolean done = act(daemon, repair->deadline, error);

    guard_lower(guard, done, repair->deadline);
    for (guint i = 0; done && unguarded && i < steps->len; i++)
        step_add(steps->pdata[i], "connections that talked meanwhile may have been reset: %s",
                 unguarded->message);
    return done;
}

static gboolean reload_until(Repair *repair, const NetworkDaemon *daemon, const GPtrArray *steps,
                             Deadline until, GError **error)
{
    if (!may_reload(repair, daemon, error) || !act_guarded(repair, send_reload, daemon, steps, error))
        return FALSE;
    return await_all(repair, steps, until, error);
}

/* The live dnsmasq that lacks sockets though nobody else has them; NULL. */
static const Dnsmasq *deaf_dnsmasq(const Repair *repair, const Step *step)
{
    const Facts *facts = repair->view->facts;
    const Network *network = facts_network(facts, step->network);
    const Dnsmasq *dnsmasq = network ? network_dnsmasq(facts, network) : NULL;
    g_autoptr(GPtrArray) rivals = network ? network_port_rivals(facts, network) : NULL;

    return strcmp(step->id, "dnsmasq-not-listening") == 0 && dnsmasq && dnsmasq->alive && rivals->len == 0
               ? dnsmasq
               : NULL;
}

/* TRUE if one was ended. */
static gboolean end_deaf(const Repair *repair, const GPtrArray *steps)
{
    gboolean ended = FALSE;

    for (guint i = 0; i < steps->len; i++) {
        const Dnsmasq *dnsmasq = deaf_dnsmasq(repair, steps->pdata[i]);
        g_autoptr(GError) failed = NULL;

        if (!dnsmasq)
            continue;
        if (dnsmasq_end(dnsmasq->pid, dnsmasq->config, repair->deadline, &failed)) {
            step_add(steps->pdata[i], "ended its dnsmasq (pid %d), which the reload left as it was",
                     dnsmasq->pid);
            ended = TRUE;
        } else {
            step_add(steps->pdata[i], "%s", failed->message);
        }
    }
    return ended;
}

static gboolean reload(Repair *repair, const NetworkDaemon *daemon, const GPtrArray *steps, GError **error)
{
    const Deadline until = deadline_within(repair->deadline, VERIFY_SECONDS);
    g_autoptr(GPtrArray) left = NULL;

    if (!reload_until(repair, daemon, steps, deadline_within(until, VERIFY_SECONDS / 2), error))
        return FALSE;
    tell_all(steps, "sent SIGHUP to", daemon);
    left = standing(repair, steps);
    if (left->len == 0)
        return TRUE;
    /* It was reloading before and dropped the signal, or a dnsmasq has to begin anew. */
    return reload_until(repair, daemon, left,
                        end_deaf(repair, left) ? deadline_within(repair->deadline, VERIFY_SECONDS) : until,
                        error);
}

static gboolean restart(Repair *repair, const NetworkDaemon *daemon, const GPtrArray *steps, GError **error)
{
    if (!may_restart(repair, daemon, error) ||
        !act_guarded(repair, network_daemon_restart, daemon, steps, error))
        return FALSE;
    tell_all(steps, "restarted", daemon);
    return await_all(repair, steps, deadline_within(repair->deadline, VERIFY_SECONDS), error);
}

/* Those of the steps that only a restart mends. Owned by the caller of the steps. */
static GPtrArray *needing_restart(const Repair *repair, const GPtrArray *steps)
{
    GPtrArray *needing = g_ptr_array_new();

    for (guint i = 0; i < steps->len; i++) {
        if (repair_needs_restart(repair->view->facts, ((const Step *)steps->pdata[i])->id))
            g_ptr_array_add(needing, steps->pdata[i]);
    }
    return needing;
}

/* One restart mends them all. Where there may be none, a reload still mends some. */
static void mend(Repair *repair, const GPtrArray *steps)
{
    GError *error = NULL;
    g_autoptr(NetworkDaemon) daemon = network_daemon_find(&error);
    g_autoptr(GPtrArray) needing = NULL;
    g_autoptr(GPtrArray) others = NULL;

    if (!daemon) {
        fail_all(steps, error);
        return;
    }
    needing = needing_restart(repair, steps);
    if (needing->len > 0 && restart(repair, daemon, steps, &error))
        return;
    if (needing->len > 0)
        fail_all(needing, g_steal_pointer(&error));
    others = still_planned(steps);
    if (others->len > 0 && !reload(repair, daemon, others, &error))
        fail_all(others, error);
}

/* ---------------------------------------------------------------------------------------- afterwards */

/* Flows that began without translation would keep on without it. */
static void forget_flows(const Repair *repair, Step *step)
{
    const Network *network = facts_network(repair->view->facts, step->network);
    g_autoptr(GError) failed = NULL;
    guint deleted = 0;

    if (!network || strcmp(step->id, "nat-rules-missing") != 0)
        return;
    if (conntrack_forget_untranslated(repair->view->facts, network, &deleted, repair->deadline, &failed)) {
        step_add(step, "%u connection%s that had begun without translation forgotten", deleted,
                 deleted == 1 ? "" : "s");
        return;
    }
    step_add(step, "connections that began meanwhile stay untranslated as long as they talk: %s",
             failed->message);
    step->command = g_strdup(vnat_error_get_hint(failed));
}

static void conclude(const Repair *repair, Step *step)
{
    g_autofree char *why = NULL;
    RepairCase about;

    switch (repair_case(repair, step, &about, &why)) {
    case CASE_CLEARED:
        step->state = STEP_DONE;
        forget_flows(repair, step);
        break;
    case CASE_STANDS:
        step_add(step, "it did not help: %s", about.finding->message);
        step->state = STEP_FAILED;
        step->command = g_strdup(about.finding->remedy);
        break;
    case CASE_UNKNOWN:
        step_add(step, "whether it helped cannot be seen: %s", why);
        step->state = STEP_FAILED;
        break;
    }
}

/* Drops from the steps those whose fault went by itself while it was looked at. */
static gboolean settle(Repair *repair, GPtrArray *steps, GError **error)
{
    if (!await_all(repair, steps, repair->settled, error))
        return FALSE;
    for (guint i = steps->len; i-- > 0;) {
        Step *step = steps->pdata[i];
        g_autofree char *why = NULL;
        g_autofree char *refusal = NULL;
        RepairCase about;

        switch (repair_case(repair, step, &about, &why)) {
        case CASE_CLEARED:
            step_end(step, STEP_SKIPPED, "it has gone meanwhile");
            break;
        case CASE_UNKNOWN:
            step_end(step, STEP_FAILED, "it cannot be looked at: %s", why);
            break;
        case CASE_STANDS:
            g_free(step->action);
            step->action = repair_describe_daemon(&about, &refusal);
            if (refusal)
                step_end(step, STEP_FAILED, "%s", refusal);
            break;
        }
        if (step->state != STEP_PLANNED)
            g_ptr_array_remove_index(steps, i);
    }
    return TRUE;
}

void repair_daemon(Repair *repair, GPtrArray *steps)
{
    g_autoptr(GPtrArray) planned = NULL;
    GError *error = NULL;

    if (!settle(repair, steps, &error)) {
        fail_all(steps, error);
        return;
    }
    if (steps->len == 0)
        return;
    mend(repair, steps);
    planned = still_planned(steps);
    for (guint i = 0; i < planned->len; i++)
        conclude(repair, planned->pdata[i]);
}
