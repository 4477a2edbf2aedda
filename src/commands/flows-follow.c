/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "commands/flows.h"
#include "commands/lines.h"
#include "model/flow-live.h"
#include "sources/conntrack-follow.h"
#include "sources/conntrack.h"
#include "views/flows.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * `vnat flows --follow`. Two follow beside each other in one loop: the follower of `vnat watch` keeps the map
 * true, and says who has which address; the kernel tells of connections. Both are subscribed to before the
 * table is read first, when the map is there. The table is read again when the kernel's queue ran over, and
 * every AUDIT_SECONDS anyway: of what was there before somebody listened the kernel does not tell the end.
 */
#define AUDIT_SECONDS 30
#define READ_SECONDS 2.0
/* When a reading failed, or ran into the next overrun. */
#define RETRY_MSEC 200

typedef struct {
    Context *ctx;
    Following *following;
    WatchStamp stamp;
    Lines lines;
    FlowsTarget target;
    ConntrackFollow *conntrack;
    FlowLive *flows;
    gboolean silent;            /* --no-snapshot */
    gboolean known;             /* there is a map, and the table was read */
    gboolean moved;             /* the map is another one than that of flows' names */
    gboolean doubt;             /* messages were lost */
    guint audit, waking, retry; /* sources; 0: none */
} Follow;

static FlowMoment now(void)
{
    return (FlowMoment){g_get_monotonic_time(), g_get_real_time()};
}

/* ------------------------------------------------------------------------------------------- lines */

static void tell(Follow *follow, FlowEvent event, const FlowRow *row)
{
    if (following_ended(follow->following))
        return;
    follow->stamp.wall_usec = g_get_real_time();
    if (follow->ctx->json)
        flows_json_event(stdout, &follow->stamp, event, row);
    else
        flows_text_event(stdout, &follow->stamp, &follow->ctx->view, event, row);
    lines_done(&follow->lines);
}

static void on_told_begin(gpointer data, const FlowRow *row)
{
    tell(data, FLOW_BEGAN, row);
}

static void on_told_end(gpointer data, const FlowRow *row)
{
    tell(data, FLOW_ENDED, row);
}

static const FlowSink sink = {on_told_begin, on_told_end};

/* All that is known, as one line. */
static void tell_all(Follow *follow, gboolean resync)
{
    g_autoptr(Facts) facts = live_map_facts(following_live(follow->following));
    g_autoptr(GPtrArray) rows = flow_live_rows(follow->flows, g_get_real_time() / G_USEC_PER_SEC);

    if (following_ended(follow->following))
        return;
    follow->stamp.wall_usec = g_get_real_time();
    source_status_set(&facts->sources[SOURCE_CONNTRACK], SOURCE_LIVE,
                      conntrack_is_silent() ? "the kernel tells of none: they are read every 30 s" : NULL);
    flows_json_snapshot(stdout, &follow->stamp, facts, rows, resync);
    lines_done(&follow->lines);
}

static void tell_snapshot(Follow *follow)
{
    g_autoptr(GPtrArray) rows = NULL;

    if (follow->ctx->json) {
        tell_all(follow, FALSE);
        return;
    }
    rows = flow_live_rows(follow->flows, g_get_real_time() / G_USEC_PER_SEC);
    for (guint i = 0; i < rows->len && !following_ended(follow->following); i++)
        tell(follow, FLOW_HAS, rows->pdata[i]);
}

/* ------------------------------------------------------------------------------------- what waits */

static void arm(Follow *follow);
static void read_again(Follow *follow);

static gboolean on_retry(gpointer data)
{
    Follow *follow = data;

    follow->retry = 0;
    read_again(follow);
    return G_SOURCE_REMOVE;
}

static gboolean on_due(gpointer data)
{
    Follow *follow = data;
    const FlowMoment moment = now();

    follow->waking = 0;
    flow_live_settle(follow->flows, &moment);
    arm(follow);
    return G_SOURCE_REMOVE;
}

static void arm(Follow *follow)
{
    const gint64 due = flow_live_due(follow->flows);
    const gint64 left = due - g_get_monotonic_time();

    if (!follow->waking && due != G_MAXINT64)
        follow->waking = g_timeout_add((guint)(MAX(left, 0) / 1000 + 1), on_due, follow);
    if (!follow->retry && follow->doubt)
        follow->retry = g_timeout_add(RETRY_MSEC, on_retry, follow);
}

static void on_ending(gpointer data)
{
    const Follow *follow = data;
    const FlowMoment moment = {G_MAXINT64, g_get_real_time()};

    if (follow->known)
        flow_live_settle(follow->flows, &moment);
}

/* -------------------------------------------------------------------------------------- who is who */

static void take_names(Follow *follow)
{
    LiveMap *live = following_live(follow->following);
    g_autoptr(Facts) facts = live_map_facts(live);
    g_autoptr(GPtrArray) rows = live_map_rows(live);
    const FlowMoment moment = now();

    follow->moved = FALSE;
    flow_live_set_names(follow->flows, flow_names_new(facts, rows), &moment);
}

/* ---------------------------------------------------------------------------------------- readings */

/* FALSE: it could not be read, and nothing is different. quiet: who asks tells. */
static gboolean read_table(Follow *follow, gboolean quiet, GError **error)
{
    g_autoptr(GArray) read = g_array_new(FALSE, FALSE, sizeof(Flow));
    FlowMoment moment;

    flow_live_read_begin(follow->flows);
    if (!conntrack_dump(read, deadline_in(READ_SECONDS), error))
        return FALSE;
    moment = now();
    flow_live_read(follow->flows, read, &moment, quiet);
    conntrack_follow_drain(follow->conntrack);
    moment = now();
    flow_live_read_end(follow->flows, &moment, quiet);
    return TRUE;
}

/* After a loss: programs get everything anew, people what became different. */
static void read_again(Follow *follow)
{
    const gboolean json = follow->ctx->json;

    follow->doubt = FALSE;
    if (!json && !following_ended(follow->following)) {
        follow->stamp.wall_usec = g_get_real_time();
        flows_text_resync(stdout, &follow->stamp, &follow->ctx->view);
        lines_done(&follow->lines);
    }
    if (!read_table(follow, json, NULL))
        follow->doubt = TRUE;
    else if (json)
        tell_all(follow, TRUE);
    arm(follow);
}

static gboolean on_audit(gpointer data)
{
    Follow *follow = data;

    if (!follow->doubt)
        read_table(follow, FALSE, NULL);
    arm(follow);
    return G_SOURCE_CONTINUE;
}

/* --------------------------------------------------------------------------------- the kernel's word */

static void on_began(gpointer data, const Flow *flow)
{
    Follow *follow = data;
    const FlowMoment moment = now();

    if (follow->known)
        flow_live_began(follow->flows, flow, &moment);
}

static void on_ended(gpointer data, const Flow *flow)
{
    Follow *follow = data;
    const FlowMoment moment = now();

    if (follow->known)
        flow_live_ended(follow->flows, flow, &moment);
}

static void on_lost(gpointer data)
{
    ((Follow *)data)->doubt = TRUE;
}

static void on_news(gpointer data)
{
    Follow *follow = data;

    if (!follow->known)
        return;
    if (follow->doubt && !follow->retry)
        read_again(follow);
    arm(follow);
}

static const ConntrackTell conntrack_tell = {on_began, on_ended, on_lost, on_news};

/* ---------------------------------------------------------------------------------------- the map's */

/* The first map: now flows can be named. What the kernel told before is in the table. */
static void begin(Follow *follow)
{
    GError *error = NULL;

    conntrack_follow_drain(follow->conntrack);
    follow->doubt = FALSE;
    follow->known = TRUE;
    if (!read_table(follow, TRUE, &error)) {
        vnat_error_what(&error, "failed to read the kernel's connections");
        following_end(follow->following, report(follow->ctx, error));
        return;
    }
    if (!follow->silent)
        tell_snapshot(follow);
    if (!following_ended(follow->following))
        lines_begin(&follow->lines);
    follow->audit = g_timeout_add_seconds(AUDIT_SECONDS, on_audit, follow);
    arm(follow);
}

static void on_snapshot(LiveMap *live G_GNUC_UNUSED, gboolean resync G_GNUC_UNUSED, gpointer data)
{
    Follow *follow = data;

    take_names(follow);
    if (!follow->known)
        begin(follow);
}

/* Of the map's changes those are told that say how far its names can be trusted. */
static void tell_source(Follow *follow, const Change *change)
{
    if (change->type != CHANGE_SOURCE_LIVE && change->type != CHANGE_SOURCE_STALE &&
        change->type != CHANGE_SOURCE_DOWN)
        return;
    follow->stamp.wall_usec = g_get_real_time();
    if (follow->ctx->json)
        watch_json_change(stdout, &follow->stamp, change);
    else
        watch_text_change(stdout, &follow->stamp, &follow->ctx->view, change);
    lines_done(&follow->lines);
}

static void on_changes(LiveMap *live G_GNUC_UNUSED, const GPtrArray *changes, gpointer data)
{
    Follow *follow = data;

    follow->moved = TRUE;
    for (guint i = 0; follow->known && i < changes->len && !following_ended(follow->following); i++)
        tell_source(follow, changes->pdata[i]);
}

static void on_ran(LiveMap *live G_GNUC_UNUSED, gpointer data)
{
    Follow *follow = data;

    if (follow->moved)
        take_names(follow);
    arm(follow);
}

/* ------------------------------------------------------------------------------------- the command */

static const FollowingOps ops = {.sink = {.snapshot = on_snapshot, .changes = on_changes}, .ran = on_ran};

/* Once it is looked who is meant: the domain may still be shut off. */
static gboolean find_target(Follow *follow, int *code)
{
    g_autoptr(World) world = NULL;
    GError *error = NULL;

    if (!argument(follow->ctx, 0))
        return TRUE;
    world = world_open(follow->ctx, code);
    if (!world)
        return FALSE;
    if (flows_find_target(world, argument(follow->ctx, 0), &follow->target, &error))
        return TRUE;
    *code = report(follow->ctx, error);
    return FALSE;
}

static int run(Follow *follow)
{
    GError *error = NULL;
    int code = EXIT_OK;
    FlowScope scope;

    follow->following = following_new(follow->ctx, &ops, follow, &code);
    if (!follow->following)
        return code;
    follow->conntrack = conntrack_follow_new(&conntrack_tell, follow, &error);
    if (!follow->conntrack) {
        vnat_error_what(&error, "failed to follow the kernel's connections");
        return report(follow->ctx, error);
    }
    if (!find_target(follow, &code))
        return code;
    if (conntrack_is_silent())
        hint(follow->ctx,
             "sysctl -w net.netfilter.nf_conntrack_events=2 (the kernel tells of no connections: "
             "they are looked for every 30 s)");
    scope = flows_scope(&follow->target);
    follow->flows = flow_live_new(&scope, &sink, follow);
    follow->lines.following = follow->following;
    follow->lines.ending = on_ending;
    follow->lines.data = follow;
    return following_run(follow->following);
}

static void follow_clear(Follow *follow)
{
    guint *const sources[] = {&follow->audit, &follow->waking, &follow->retry};

    for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (*sources[i])
            g_source_remove(*sources[i]);
    }
    lines_clear(&follow->lines);
    conntrack_follow_free(follow->conntrack);
    flow_live_free(follow->flows);
    following_free(follow->following);
    flows_target_clear(&follow->target);
}

int flows_follow(Context *ctx)
{
    Follow follow = {.ctx = ctx, .stamp = {.seq = 1}, .silent = option_flag(ctx, "no-snapshot")};
    GError *error = NULL;
    int code;

    if (!lines_options(&follow.lines, ctx, &error))
        return report(ctx, error);
    code = run(&follow);
    follow_clear(&follow);
    return code;
}
