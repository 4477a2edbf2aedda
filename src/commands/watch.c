/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/following.h"
#include "commands/lines.h"
#include "commands/output.h"
#include "commands/watch-hold.h"

#include "model/network.h"
#include "views/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `vnat watch`. */
typedef struct {
    Context *ctx;
    Following *following;
    WatchStamp stamp;
    WatchHold *hold;
    Lines lines;
    gboolean silent; /* --no-snapshot, until the first one has passed */
    guint waking;    /* source: the hold's; 0: none */
} Watch;

static void watch_stamp(Watch *watch)
{
    watch->stamp.wall_usec = g_get_real_time();
}

/* ------------------------------------------------------------------------------------------- words */

static void watch_arm_hold(Watch *watch);

static gboolean on_hold_due(gpointer data)
{
    Watch *watch = data;

    watch->waking = 0;
    lines_print(&watch->lines, watch_hold_release(watch->hold, g_get_monotonic_time()));
    watch_arm_hold(watch);
    return G_SOURCE_REMOVE;
}

static void watch_arm_hold(Watch *watch)
{
    gint64 due = watch_hold_due(watch->hold);
    gint64 left = due - g_get_monotonic_time();

    if (watch->waking || due == G_MAXINT64)
        return;
    watch->waking = g_timeout_add((guint)(MAX(left, 0) / 1000 + 1), on_hold_due, watch);
}

static char *words_of_change(Watch *watch, const Change *change)
{
    char *text = NULL;
    char *lines;
    Change told = *change;
    MapRow before;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (watch_hold_has_new(watch->hold, change))
        told.type = CHANGE_INTERFACE_ADDED;
    if (watch_hold_has_moved(watch->hold, change, &before))
        told.before = &before;
    watch_text_change(out, &watch->stamp, &watch->ctx->view, &told);
    fclose(out);
    lines = g_strdup(text);
    free(text);
    return lines;
}

static void watch_tell(Watch *watch, const Change *change)
{
    g_autofree char *remedy = change->finding ? remedy_for_host(watch->ctx, change->finding->remedy) : NULL;
    Finding finding = change->finding ? *change->finding : (Finding){0};
    Change told = *change;

    finding.remedy = remedy;
    if (change->finding)
        told.finding = &finding;
    if (watch->ctx->json) {
        watch_json_change(stdout, &watch->stamp, &told);
        lines_done(&watch->lines);
    } else {
        lines_print(&watch->lines, watch_hold_pass(watch->hold, &told, words_of_change(watch, &told),
                                                   g_get_monotonic_time()));
    }
}

static void on_changes(LiveMap *live, const GPtrArray *changes, gpointer data)
{
    Watch *watch = data;

    watch_stamp(watch);
    for (guint i = 0; i < changes->len && !following_ended(watch->following); i++)
        watch_tell(watch, changes->pdata[i]);
    watch_arm_hold(watch);
}

/* ---------------------------------------------------------------------------------------- snapshots */

static void on_ending(gpointer data)
{
    Watch *watch = data;

    lines_print(&watch->lines, watch_hold_release(watch->hold, G_MAXINT64));
}

static void watch_print_snapshot(Watch *watch, LiveMap *live, gboolean resync)
{
    g_autoptr(Facts) facts = live_map_facts(live);
    g_autoptr(GPtrArray) rows = live_map_rows(live);
    g_autoptr(GPtrArray) networks = network_rows(facts);
    char *text = NULL;
    size_t size;
    FILE *out;

    if (watch->ctx->json) {
        watch_json_snapshot(stdout, &watch->stamp, facts, rows, networks, resync);
        lines_done(&watch->lines);
        return;
    }
    out = open_memstream(&text, &size);
    watch_text_snapshot(out, &watch->stamp, &watch->ctx->view, facts, rows, networks, resync);
    fclose(out);
    lines_print(&watch->lines, g_strdup(text));
    free(text);
}

static void on_snapshot(LiveMap *live, gboolean resync, gpointer data)
{
    Watch *watch = data;

    watch_stamp(watch);
    watch_hold_drop(watch->hold);
    if (!watch->silent)
        watch_print_snapshot(watch, live, resync);
    watch->silent = FALSE;
    if (!watch->lines.begun && !following_ended(watch->following))
        lines_begin(&watch->lines);
}

/* ------------------------------------------------------------------------------------- the command */

static const FollowingOps ops = {.sink = {.snapshot = on_snapshot, .changes = on_changes}};

static int watch_follow(Watch *watch)
{
    int code = EXIT_OK;

    watch->following = following_new(watch->ctx, &ops, watch, &code);
    if (!watch->following)
        return code;
    watch->lines.following = watch->following;
    watch->lines.ending = on_ending;
    watch->lines.data = watch;
    watch->hold = watch_hold_new();
    code = following_run(watch->following);
    lines_clear(&watch->lines);
    if (watch->waking)
        g_source_remove(watch->waking);
    watch_hold_free(watch->hold);
    following_free(watch->following);
    return code;
}

static int run_watch(Context *ctx)
{
    Watch watch = {.ctx = ctx, .stamp = {.seq = 1}, .silent = option_flag(ctx, "no-snapshot")};
    GError *error = NULL;

    if (!lines_options(&watch.lines, ctx, &error))
        return report(ctx, error);
    return watch_follow(&watch);
}

static const Option options_watch[] = {
    {"no-snapshot", 0, OPTION_FLAG, NULL, "begin with the first change", NULL},
    {"count", 0, OPTION_NUMBER, "N", "end after N lines, those of the snapshot at the beginning not counted",
     NULL},
    {"for", 0, OPTION_VALUE, "SECONDS", "end after so much time", NULL},
    {0},
};

const Command command_watch = {
    .name = "watch",
    .group = "Following",
    .summary = "tell what happens to networks, interfaces, leases and addresses, as it happens",
    .description =
        "Begins with what there is; then a line for each change, until it is interrupted. With --json each\n"
        "line is an object, the first one the whole map: see CONSUMING WATCH --JSON in vnat(1). When\n"
        "libvirt goes away, what is known of it is stale until it is back.",
    .examples = "  vnat watch\n  vnat watch --for 60\n"
                "  vnat watch --json | jq --unbuffered -r 'select(.type == \"lease.added\").lease.address'",
    .options = options_watch,
    .flags = COMMAND_JSON,
    .run = run_watch,
};
