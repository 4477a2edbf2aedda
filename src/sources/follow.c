/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

/*
 * The follower: level-triggered, snapshot first. An event carries no truth, it marks a key; a reading of the
 * key is the truth of some moment after. What was told by libvirt waits in a queue for the next run, so that
 * within a run everything happens in one order:
 *
 *   1. The kernel's messages go into the map: whatever an answer says of a tap, the map knows what the kernel
 *      said before that answer was given.
 *   2. What was told is acted on: connections, lists, answers.
 *   3. Doubts and the audit: readings of all, where they are due.
 *   4. What changed is told, unless facts are missing: then nothing is told until they are there, and that
 *      is a resync.
 *   5. What is due is asked for.
 */

typedef enum { EVENT_CONNECTED, EVENT_LOST, EVENT_LISTED, EVENT_ANSWERED, EVENT_SLOW } EventType;

typedef struct {
    EventType type;
    FollowKind kind;
    char *uuid;
    gpointer record;   /* answered */
    GPtrArray *listed; /* listed */
    char *partial;
    GError *error;
    FollowHost host; /* connected; its strings are the event's */
} FollowEvent;

static void event_free(FollowEvent *event)
{
    g_free(event->uuid);
    follow_record_free(event->kind, event->record);
    g_clear_pointer(&event->listed, g_ptr_array_unref);
    g_free(event->partial);
    g_clear_error(&event->error);
    g_free((char *)event->host.host);
    g_free((char *)event->host.uri);
    g_free((char *)event->host.leases_why);
    g_free(event);
}

FollowListed *follow_listed_new(const char *uuid, const char *name)
{
    FollowListed *listed = g_new0(FollowListed, 1);

    listed->uuid = g_strdup(uuid);
    listed->name = g_strdup(name);
    listed->id = -1;
    return listed;
}

void follow_listed_free(FollowListed *listed)
{
    if (!listed)
        return;
    g_free(listed->uuid);
    g_free(listed->name);
    g_free(listed);
}

/* ------------------------------------------------------------------------------------- beginning, end */

Follower *follower_new(FollowWorld *world, const FollowSink *sink, gpointer sink_data, LiveChecks checks)
{
    Follower *follower = g_new0(Follower, 1);

    follower->world = world;
    follower->sink = sink;
    follower->sink_data = sink_data;
    follower->live = live_map_new(checks);
    for (FollowKind kind = 0; kind < FOLLOW_KINDS; kind++)
        follower->keys[kind] =
            g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)follow_key_free);
    for (FollowKind kind = FOLLOW_DOMAIN; kind <= FOLLOW_NETWORK; kind++) {
        follower->names[kind] = g_hash_table_new(g_str_hash, g_str_equal);
        follower->nameless[kind] = g_hash_table_new(NULL, NULL);
    }
    follower->waiting = g_sequence_new(NULL);
    follower->taps =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (FollowKind kind = FOLLOW_DOMAIN; kind <= FOLLOW_NETWORK; kind++) {
        follower->lists[kind].due = FOLLOW_NEVER;
        follower->lists[kind].asked_at = -FOLLOW_NEVER;
    }
    follower->leases_due = follower->nameless_due = FOLLOW_NEVER;
    follower->audit_libvirt_at = FOLLOW_NEVER;
    follow_kernel_init(&follower->kernel);
    follower->round = g_ptr_array_new_with_free_func(g_free);
    return follower;
}

void follower_free(Follower *follower)
{
    if (!follower)
        return;
    g_queue_clear_full(&follower->events, (GDestroyNotify)event_free);
    for (FollowKind kind = 0; kind < FOLLOW_KINDS; kind++) {
        g_queue_clear(&follower->troubles[kind]);
        g_hash_table_unref(follower->keys[kind]);
    }
    for (FollowKind kind = FOLLOW_DOMAIN; kind <= FOLLOW_NETWORK; kind++) {
        g_hash_table_unref(follower->names[kind]);
        g_hash_table_unref(follower->nameless[kind]);
    }
    g_sequence_free(follower->waiting);
    g_hash_table_unref(follower->taps);
    g_free(follower->lists[FOLLOW_DOMAIN].trouble);
    g_free(follower->lists[FOLLOW_NETWORK].trouble);
    g_free(follower->lost);
    g_free(follower->leases_why);
    follow_kernel_clear(&follower->kernel);
    g_ptr_array_unref(follower->round);
    live_map_free(follower->live);
    g_free(follower);
}

LiveMap *follower_live(Follower *follower)
{
    return follower->live;
}

/* ------------------------------------------------------------------------------- what the world tells */

static FollowEvent *event_push(Follower *follower, EventType type)
{
    FollowEvent *event = g_new0(FollowEvent, 1);

    event->type = type;
    g_queue_push_tail(&follower->events, event);
    return event;
}

void follower_connected(Follower *follower, const FollowHost *host)
{
    FollowEvent *event = event_push(follower, EVENT_CONNECTED);

    event->host = *host;
    event->host.host = g_strdup(host->host);
    event->host.uri = g_strdup(host->uri);
    event->host.leases_why = g_strdup(host->leases_why);
}

void follower_lost(Follower *follower, const GError *why)
{
    event_push(follower, EVENT_LOST)->error = why ? g_error_copy(why) : NULL;
}

void follower_listed(Follower *follower, FollowKind kind, GPtrArray *listed, const GError *error)
{
    FollowEvent *event = event_push(follower, EVENT_LISTED);

    event->kind = kind;
    event->listed = listed;
    event->error = error ? g_error_copy(error) : NULL;
}

void follower_answered(Follower *follower, FollowKind kind, const char *uuid, gpointer record,
                       const char *partial, const GError *error)
{
    FollowEvent *event = event_push(follower, EVENT_ANSWERED);

    event->kind = kind;
    event->uuid = g_strdup(uuid);
    event->record = record;
    event->partial = g_strdup(partial);
    event->error = error ? g_error_copy(error) : NULL;
}

void follower_slow(Follower *follower, FollowKind kind, const char *uuid)
{
    FollowEvent *event = event_push(follower, EVENT_SLOW);

    event->kind = kind;
    event->uuid = g_strdup(uuid);
}

void follower_touch(Follower *follower, FollowKind kind, const char *uuid)
{
    FollowKey *key;

    if (follower->connection != CONNECTION_ON)
        return; /* all is read when there is one */
    key = kind == FOLLOW_LEASES ? follow_key_find(follower, kind, uuid) : follow_key(follower, kind, uuid);
    if (key)
        follow_key_touch(follower, key);
    if (kind == FOLLOW_DOMAIN)
        follower->leases_hint = TRUE;
}

void follower_touch_named(Follower *follower, FollowKind kind, const char *name)
{
    g_autoptr(GPtrArray) keys =
        name ? follow_keys_named(follower, kind, name) : follow_keys_of(follower, kind);

    for (guint i = 0; i < keys->len; i++)
        follow_key_touch(follower, keys->pdata[i]);
}

void follower_doubt(Follower *follower, SourceId source)
{
    if (source == SOURCE_LIBVIRT)
        follower->doubt_libvirt = TRUE;
    else if (source == SOURCE_LEASES)
        follower->doubt_leases = TRUE;
    else if (source == SOURCE_LINKS || source == SOURCE_NEIGHBOURS)
        follow_kernel_doubt(follower);
}

void follower_clock_set(Follower *follower)
{
    follower->clock_set = TRUE;
}

/* ------------------------------------------------------------------------------------ acting on it */

static void event_answered(Follower *follower, FollowEvent *event)
{
    FollowKey *key = follow_key_find(follower, event->kind, event->uuid);

    if (key)
        follow_answer(follower, key, g_steal_pointer(&event->record), event->partial, event->error);
}

static void event_slow(Follower *follower, const FollowEvent *event)
{
    FollowKey *key = follow_key_find(follower, event->kind, event->uuid);

    if (key)
        follow_answer_slow(follower, key);
}

static void event_act(Follower *follower, FollowEvent *event)
{
    switch (event->type) {
    case EVENT_CONNECTED:
        follow_sync_connected(follower, &event->host);
        break;
    case EVENT_LOST:
        follow_sync_lost(follower, event->error ? event->error->message : "the connection was closed");
        break;
    case EVENT_LISTED:
        follow_list_answered(follower, event->kind, event->listed, event->error);
        break;
    case EVENT_ANSWERED:
        event_answered(follower, event);
        break;
    case EVENT_SLOW:
        event_slow(follower, event);
        break;
    }
}

static void events_act(Follower *follower)
{
    guint count = follower->events.length;

    for (guint i = 0; i < count; i++) {
        FollowEvent *event = g_queue_pop_head(&follower->events);

        event_act(follower, event);
        event_free(event);
    }
}

/* Without a connection there is nothing to read, and everything is read when there is one. */
static void doubts_act(Follower *follower)
{
    gboolean serves = follower->connection == CONNECTION_ON;

    if (serves && follower->doubt_libvirt)
        follow_sync_begin(follower);
    else if (serves && follower->doubt_leases && follower->leases_came)
        follow_leases_touch_all(follower);
    else if (serves && follower->doubt_leases)
        follow_leases_doubt(follower);
    follower->doubt_libvirt = follower->doubt_leases = follower->leases_came = FALSE;
}

/* A name in a domain's XML is another link's now: what the domain says of it is old. */
static void doubtful_touch(Follower *follower)
{
    g_autoptr(GPtrArray) uuids = live_map_doubtful(follower->live);

    for (guint i = 0; uuids && i < uuids->len; i++) {
        FollowKey *key = follow_key_find(follower, FOLLOW_DOMAIN, uuids->pdata[i]);

        if (key)
            follow_key_touch(follower, key);
    }
}

/* -------------------------------------------------------------------------------------------- telling */

static const GPtrArray *settle(Follower *follower)
{
    return live_map_settle(follower->live, follower->now, follower->wall / FOLLOW_SECOND);
}

/* A new array of them; they are the changes' own. */
static GPtrArray *of_findings(const GPtrArray *changes)
{
    GPtrArray *some = g_ptr_array_new();

    for (guint i = 0; i < changes->len; i++) {
        const Change *change = changes->pdata[i];

        if (change->type == CHANGE_CHECK_RAISED || change->type == CHANGE_CHECK_CLEARED)
            g_ptr_array_add(some, changes->pdata[i]);
    }
    return some;
}

/* What changed so far is in the snapshot, but for findings, which stand until they are cleared; these, and
 * that sources are live again, are told after it. */
static void tell_snapshot(Follower *follower)
{
    g_autoptr(GPtrArray) findings = NULL;
    gboolean resync = follower->told;

    if (!resync)
        follow_sources_update(follower);
    findings = of_findings(settle(follower));
    follow_sources_update(follower);
    follower->told = TRUE;
    follower->resync = FALSE;
    follower->sink->snapshot(follower->live, resync, follower->sink_data);
    live_map_notes_told(follower->live);
    if (findings->len > 0)
        follower->sink->changes(follower->live, findings, follower->sink_data);
}

static gboolean must_hold(const Follower *follower)
{
    if (follower->syncing || follow_kernel_holds(follower))
        return TRUE;
    return !follower->told && !follower->synced;
}

static void tell(Follower *follower)
{
    const GPtrArray *changes;

    if (follower->syncing && follow_sync_complete(follower)) {
        follower->syncing = FALSE;
        follower->synced = TRUE;
    }
    /* Also after a list that came late. */
    if (!follower->listed && follower->lists[FOLLOW_DOMAIN].known && follower->sync_pending == 0) {
        follower->listed = TRUE;
        live_map_set_domains_listed(follower->live, TRUE);
    }
    if (must_hold(follower))
        return;
    follow_ports_run(follower);
    /* Over a lost connection nothing can be made good: that waits. */
    if (!follower->told || (follower->resync && follower->connection == CONNECTION_ON))
        tell_snapshot(follower);
    follow_sources_update(follower);
    changes = settle(follower);
    follow_ports_run(follower);
    if (changes->len > 0)
        follower->sink->changes(follower->live, changes, follower->sink_data);
}

/* ----------------------------------------------------------------------------------------------- run */

/* When the map itself has something to do. */
static gint64 live_due(const Follower *follower)
{
    gint64 monotonic, epoch;

    if (must_hold(follower))
        return FOLLOW_NEVER;
    live_map_due(follower->live, &monotonic, &epoch);
    if (epoch < FOLLOW_NEVER / FOLLOW_SECOND)
        monotonic = MIN(monotonic, follower->now + epoch * FOLLOW_SECOND - follower->wall);
    return monotonic;
}

/* Never at once, for what is due was done: a source of time that stands would be a loop. */
static gint64 run_due(const Follower *follower)
{
    gint64 due = MIN(follow_keys_due(follower), follow_sync_due(follower));

    due = MIN(due, follow_kernel_due(follower));
    due = MIN(due, MIN(follower->audit_at, follower->audit_libvirt_at));
    due = MIN(due, MIN(follower->leases_due, follower->nameless_due));
    due = MIN(due, live_due(follower));
    if (follower->events.length > 0)
        return follower->now;
    return MAX(due, follower->now + FOLLOW_MS);
}

gint64 follower_run(Follower *follower, gint64 monotonic, gint64 wall)
{
    follower->now = monotonic;
    follower->wall = wall;
    follower->stats.runs++;
    if (!follower->started) {
        follower->started = TRUE;
        follower->connect_at = monotonic;
        follower->audit_at = monotonic + FOLLOW_AUDIT_EVERY;
        follower->kernel.due = monotonic;
    }
    follower->world->ops->drain(follower->world);
    events_act(follower);
    doubts_act(follower);
    follow_sync_late(follower);
    follow_nameless_run(follower);
    follow_kernel_run(follower);
    follow_audit_run(follower);
    follow_leases_run(follower);
    doubtful_touch(follower);
    tell(follower);
    follow_sync_run(follower);
    follow_keys_ask(follower);
    if (follower->asked_something)
        follower->world->ops->flush(follower->world);
    follower->asked_something = FALSE;
    return run_due(follower);
}

void follower_stats(const Follower *follower, FollowStats *stats)
{
    *stats = follower->stats;
    stats->waiting = (guint)g_sequence_get_length(follower->waiting);
    stats->quiet = follower->connection == CONNECTION_ON && follower->told && !must_hold(follower) &&
                   !follower->resync && stats->waiting == 0 && stats->reading == 0 &&
                   !follower->lists[FOLLOW_DOMAIN].asked && !follower->lists[FOLLOW_NETWORK].asked &&
                   follower->kernel.recheck == FOLLOW_NEVER && follower->events.length == 0;
}
