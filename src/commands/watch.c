/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/following.h"
#include "commands/watch-hold.h"

#include "model/network.h"
#include "views/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * `vnat watch`. Every line is flushed by itself. Standard output blocks: a reader that stops stops the loop,
 * and when it goes on, what the kernel had no room for meanwhile is read again (a resync).
 */
typedef struct {
    Context *ctx;
    Following *following;
    WatchStamp stamp;
    WatchHold *hold;
    gboolean silent;     /* --no-snapshot, until the first one has passed */
    gboolean begun;      /* the first snapshot has passed: lines count */
    gboolean has_count;  /* --count */
    guint64 left;        /* lines to go, with has_count */
    double seconds;      /* --for; 0: for ever */
    guint timer, waking; /* sources: --for, and the hold's; 0: none */
} Watch;

static void watch_stamp(Watch *watch)
{
    watch->stamp.wall_usec = g_get_real_time();
}

/* A line went out: FALSE if it was the last one. */
static gboolean watch_line_done(Watch *watch)
{
    if (!following_flush(watch->following))
        return FALSE;
    if (!watch->begun || !watch->has_count || --watch->left > 0)
        return TRUE;
    following_end(watch->following, EXIT_OK);
    return FALSE;
}

/* Lines that end in a line feed, each by itself; takes them. */
static void watch_print(Watch *watch, char *lines)
{
    const char *line = lines;

    while (line && *line && !following_ended(watch->following)) {
        const char *end = strchr(line, '\n') + 1;

        fwrite(line, 1, (gsize)(end - line), stdout);
        watch_line_done(watch);
        line = end;
    }
    g_free(lines);
}

/* ------------------------------------------------------------------------------------------- words */

static void watch_arm_hold(Watch *watch);

static gboolean on_hold_due(gpointer data)
{
    Watch *watch = data;

    watch->waking = 0;
    watch_print(watch, watch_hold_release(watch->hold, g_get_monotonic_time()));
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
    if (watch->ctx->json) {
        watch_json_change(stdout, &watch->stamp, change);
        watch_line_done(watch);
    } else {
        watch_print(watch, watch_hold_pass(watch->hold, change, words_of_change(watch, change),
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

static gboolean on_time(gpointer data)
{
    Watch *watch = data;

    watch->timer = 0;
    watch_print(watch, watch_hold_release(watch->hold, G_MAXINT64));
    following_end(watch->following, EXIT_OK);
    return G_SOURCE_REMOVE;
}

/* From the first snapshot on, lines are counted and the time runs. */
static void watch_begin(Watch *watch)
{
    watch->begun = TRUE;
    watch->silent = FALSE;
    if (watch->seconds > 0)
        watch->timer = g_timeout_add((guint)MIN(watch->seconds * 1000, G_MAXUINT), on_time, watch);
    if (watch->has_count && watch->left == 0)
        following_end(watch->following, EXIT_OK);
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
        watch_line_done(watch);
        return;
    }
    out = open_memstream(&text, &size);
    watch_text_snapshot(out, &watch->stamp, &watch->ctx->view, facts, rows, networks, resync);
    fclose(out);
    watch_print(watch, g_strdup(text));
    free(text);
}

static void on_snapshot(LiveMap *live, gboolean resync, gpointer data)
{
    Watch *watch = data;

    watch_stamp(watch);
    watch_hold_drop(watch->hold);
    if (!watch->silent)
        watch_print_snapshot(watch, live, resync);
    if (!watch->begun && !following_ended(watch->following))
        watch_begin(watch);
}

/* ------------------------------------------------------------------------------------- the command */

static const FollowingOps ops = {.sink = {.snapshot = on_snapshot, .changes = on_changes}};

static int watch_follow(Watch *watch)
{
    int code = EXIT_OK;

    watch->following = following_new(watch->ctx, &ops, watch, &code);
    if (!watch->following)
        return code;
    watch->hold = watch_hold_new();
    code = following_run(watch->following);
    if (watch->timer)
        g_source_remove(watch->timer);
    if (watch->waking)
        g_source_remove(watch->waking);
    watch_hold_free(watch->hold);
    following_free(watch->following);
    return code;
}

static int run_watch(Context *ctx)
{
    Watch watch = {.ctx = ctx, .stamp = {.seq = 1}, .silent = option_flag(ctx, "no-snapshot")};
    const char *count = option_value(ctx, "count");
    GError *error = NULL;

    if (!following_seconds(ctx, "for", &watch.seconds, &error))
        return report(ctx, error);
    watch.has_count = count != NULL;
    watch.left = count ? g_ascii_strtoull(count, NULL, 10) : 0;
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
