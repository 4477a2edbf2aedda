/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sim.h"

/* A simulated host whose follower tests ask, and what they ask it. */

static inline Sim *calm_new(void)
{
    Sim *sim = sim_new(1, TRUE);

    sim->log = g_string_new(NULL);
    return sim;
}

/* A calm host with guests VM1 to VMn, followed. */
static inline Sim *guests_new(guint count)
{
    Sim *sim = calm_new();

    for (guint i = 0; i < count; i++)
        g_assert_true(host_start(sim, i));
    sim_advance(sim, 2 * SIM_SECOND);
    g_assert_cmpuint(sim->snapshots, ==, 1);
    g_string_truncate(sim->log, 0);
    return sim;
}

static inline void assert_fine(Sim *sim)
{
    g_assert_cmpstr(sim->failure, ==, NULL);
}

static inline void assert_settled(Sim *sim)
{
    sim_quiesce(sim, 60 * SIM_SECOND);
    check_settled(sim);
    assert_fine(sim);
}

/* The words of the log are these, and it is empty after. */
static inline void assert_log(Sim *sim, const char *words)
{
    g_assert_cmpstr(g_strstrip(sim->log->str), ==, words);
    g_string_truncate(sim->log, 0);
}

static inline void assert_source(Sim *sim, SourceId id, SourceState state, const char *why)
{
    const SourceStatus *status = live_map_source(follower_live(sim->follower), id);

    g_assert_cmpstr(source_state_name(status->state), ==, source_state_name(state));
    g_assert_cmpstr(status->error, ==, why);
}

static inline FollowStats stats_of(Sim *sim)
{
    FollowStats stats;

    follower_stats(sim->follower, &stats);
    return stats;
}

static inline guint rows_count(Sim *sim)
{
    g_autoptr(GPtrArray) rows = live_map_rows(follower_live(sim->follower));

    return rows->len;
}

/* The first row of a guest, by value but for its text. */
static inline MapRow row_of(Sim *sim, guint guest)
{
    g_autoptr(GPtrArray) rows = live_map_rows_of(follower_live(sim->follower), sim->guests[guest].uuid);

    g_assert_cmpuint(rows->len, >, 0);
    return *(MapRow *)rows->pdata[0];
}
