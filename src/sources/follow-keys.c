/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

#include <string.h>

/*
 * Keys, and when each is read.
 *
 *            touch                 due                  answer
 *   idle ───────────> waiting ───────────> asked ─────────────────> idle
 *                        ^                   │  touch: again           │
 *                        └───────────────────┴── answer, and again ────┘
 *
 * The first event of a quiet key is due at once. The next reading for an event begins no sooner than
 * WINDOW_LEAST after the one before, which makes one of a burst. In a storm a tenth of the time goes into
 * reading one key: what a reading took is owed tenfold, and paid by time that passes. Up to WINDOW_MOST may
 * be owed, and no reading is owed more, so that one that was slow by chance delays no later event, and a
 * steady storm is never more than WINDOW_MOST behind. What an audit reads is owed nothing: it is no event. A
 * key that is asked is not asked again before its answer, however long that takes.
 */

#define WINDOW_LEAST (50 * FOLLOW_MS)
#define WINDOW_MOST (500 * FOLLOW_MS)
#define OWED_FOLD 10
#define LONG_AGO (-FOLLOW_NEVER / 2) /* what is added to it overflows nothing */

static gint compare_due(gconstpointer a, gconstpointer b, gpointer data)
{
    const FollowKey *left = a, *right = b;

    return left->due < right->due ? -1 : left->due > right->due;
}

/* When an event may have it read. */
static gint64 key_event_due(const FollowKey *key)
{
    const FollowPace *pace = &key->pace;

    return CLAMP(pace->paid_at - WINDOW_MOST, pace->event_at + WINDOW_LEAST, pace->event_at + WINDOW_MOST);
}

/* The reading that was asked for ends. */
static void key_owe(FollowKey *key)
{
    FollowPace *pace = &key->pace;

    if (key->asked_at == pace->event_at)
        pace->paid_at = MAX(pace->paid_at, key->asked_at) + MIN(key->took * OWED_FOLD, WINDOW_MOST);
}

FollowKey *follow_key_find(const Follower *follower, FollowKind kind, const char *uuid)
{
    return g_hash_table_lookup(follower->keys[kind], uuid);
}

FollowKey *follow_key(Follower *follower, FollowKind kind, const char *uuid)
{
    FollowKey *key = follow_key_find(follower, kind, uuid);

    if (key)
        return key;
    key = g_new0(FollowKey, 1);
    key->kind = kind;
    key->uuid = g_strdup(uuid);
    key->id = -1;
    key->asked_at = -FOLLOW_NEVER;
    key->pace = (FollowPace){LONG_AGO, LONG_AGO};
    g_hash_table_insert(follower->keys[kind], key->uuid, key);
    if (kind != FOLLOW_LEASES)
        g_hash_table_add(follower->nameless[kind], key);
    return key;
}

void follow_key_free(FollowKey *key)
{
    g_free(key->uuid);
    g_free(key->name);
    g_free(key->trouble);
    g_free(key->unsupported);
    g_clear_pointer(&key->taps, g_ptr_array_unref);
    g_free(key);
}

/* Two may have one name for a moment, until the one before is known to be gone. Leases have the name of their
 * network, which is not theirs. */
static void key_unname(Follower *follower, FollowKey *key)
{
    if (key->kind == FOLLOW_LEASES)
        return;
    g_hash_table_remove(follower->nameless[key->kind], key);
    if (key->name && g_hash_table_lookup(follower->names[key->kind], key->name) == key)
        g_hash_table_remove(follower->names[key->kind], key->name);
}

void follow_key_name(Follower *follower, FollowKey *key, const char *name)
{
    char *copy = g_strdup(name);

    key_unname(follower, key);
    g_free(key->name);
    key->name = copy;
    if (key->kind != FOLLOW_LEASES && copy)
        g_hash_table_replace(follower->names[key->kind], copy, key);
}

GPtrArray *follow_keys_named(const Follower *follower, FollowKind kind, const char *name)
{
    FollowKey *key = g_hash_table_lookup(follower->names[kind], name);
    GPtrArray *keys = g_ptr_array_new();
    GHashTableIter iter;
    gpointer nameless;

    if (key) {
        g_ptr_array_add(keys, key);
        return keys;
    }
    g_hash_table_iter_init(&iter, follower->nameless[kind]);
    while (g_hash_table_iter_next(&iter, &nameless, NULL))
        g_ptr_array_add(keys, nameless);
    return keys;
}

gboolean follow_key_known(const Follower *follower, const FollowKey *key)
{
    if (key->kind == FOLLOW_DOMAIN)
        return live_map_domain(follower->live, key->uuid) != NULL;
    return live_map_network(follower->live, key->uuid) != NULL;
}

gboolean follow_key_is_idle(const FollowKey *key)
{
    return !key->asked && !key->waiting && key->suspicion == SUSPICION_NONE;
}

/* ------------------------------------------------------------------------------------------ waiting */

static void key_unplan(FollowKey *key)
{
    if (key->waiting)
        g_sequence_remove(g_steal_pointer(&key->waiting));
}

void follow_key_plan(Follower *follower, FollowKey *key, gint64 due)
{
    if (key->asked || (key->waiting && key->due <= due))
        return;
    key_unplan(key);
    key->due = due;
    key->waiting = g_sequence_insert_sorted(follower->waiting, key, compare_due, NULL);
}

void follow_key_touch(Follower *follower, FollowKey *key)
{
    if (follower->connection != CONNECTION_ON)
        return; /* all is read when there is one */
    key->suspicion = SUSPICION_NONE;
    if (!key->asked) {
        follow_key_plan(follower, key, key_event_due(key));
        return;
    }
    key->again = TRUE;
    /* Its own answer may never come; that it is gone, a list can tell. */
    if (key->slow && key->kind != FOLLOW_LEASES)
        follow_list_want(follower, key->kind, FALSE);
}

void follow_key_sync(Follower *follower, FollowKey *key, guint64 run)
{
    if (!key->sync)
        follower->sync_pending++;
    key->sync = TRUE;
    key->sync_run = run;
    key->again = key->again || (key->asked && key->asked_run < run);
}

void follow_key_synced(Follower *follower, FollowKey *key)
{
    if (key->sync)
        follower->sync_pending--;
    key->sync = FALSE;
}

static void key_ask(Follower *follower, FollowKey *key)
{
    key_unplan(key);
    key->asked = TRUE;
    key->again = FALSE;
    key->asked_at = follower->now;
    if (key->suspicion == SUSPICION_NONE)
        key->pace.event_at = follower->now;
    key->asked_run = follower->stats.runs;
    key->generation = live_map_generation(follower->live);
    if (key->suspicion == SUSPICION_WAITING)
        key->suspicion = SUSPICION_CONFIRM;
    follower->stats.reads++;
    follower->stats.reading++;
    follower->asked_something = TRUE;
    follower->world->ops->read(follower->world, key->kind, key->uuid);
}

void follow_keys_ask(Follower *follower)
{
    while (follower->connection == CONNECTION_ON && !g_sequence_is_empty(follower->waiting)) {
        FollowKey *first = g_sequence_get(g_sequence_get_begin_iter(follower->waiting));

        if (first->due > follower->now)
            return;
        key_ask(follower, first);
    }
}

gint64 follow_keys_due(const Follower *follower)
{
    const FollowKey *first;

    if (follower->connection != CONNECTION_ON || g_sequence_is_empty(follower->waiting))
        return FOLLOW_NEVER;
    first = g_sequence_get(g_sequence_get_begin_iter(follower->waiting));
    return first->due;
}

void follow_key_answered(Follower *follower, FollowKey *key)
{
    if (!key->asked)
        return;
    key->asked = FALSE;
    key->slow = FALSE;
    key->took = follower->now - key->asked_at;
    key_owe(key);
    follower->stats.reading--;
}

/* ------------------------------------------------------------------------------------------ trouble */

static const char *kind_noun(FollowKind kind)
{
    return kind == FOLLOW_DOMAIN ? "domain" : "network";
}

void follow_key_trouble(Follower *follower, FollowKey *key, const char *why)
{
    if (why && !key->trouble)
        g_queue_push_tail(&follower->troubles[key->kind], key);
    else if (!why && key->trouble)
        g_queue_remove(&follower->troubles[key->kind], key);
    g_clear_pointer(&key->trouble, g_free);
    if (why)
        key->trouble =
            g_strdup_printf("%s '%s': %s", kind_noun(key->kind), key->name ? key->name : key->uuid, why);
}

gint64 follow_backoff(guint *failures, gint64 first, gint64 most)
{
    gint64 delay = *failures < 16 ? first << *failures : most;

    ++*failures;
    return MIN(delay, most);
}

/* ------------------------------------------------------------------------------------------- the end */

static void key_rest(Follower *follower, FollowKey *key)
{
    key_unplan(key);
    key->again = FALSE;
    key->suspicion = SUSPICION_NONE;
    key->failures = 0;
    follow_key_synced(follower, key);
    follow_key_trouble(follower, key, NULL);
}

void follow_key_drop(Follower *follower, FollowKey *key)
{
    key_rest(follower, key);
    key_unname(follower, key);
    follow_taps_set(follower, key, NULL);
    follow_audit_done(follower, key, FALSE);
    g_clear_pointer(&key->unsupported, g_free);
    if (key->asked)
        key->discard = TRUE;
    else
        g_hash_table_remove(follower->keys[key->kind], key->uuid);
}

GPtrArray *follow_keys_of(const Follower *follower, FollowKind kind)
{
    GPtrArray *keys = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, follower->keys[kind]);
    while (g_hash_table_iter_next(&iter, NULL, &key))
        g_ptr_array_add(keys, key);
    return keys;
}

void follow_keys_lost(Follower *follower)
{
    for (FollowKind kind = 0; kind < FOLLOW_KINDS; kind++) {
        g_autoptr(GPtrArray) keys = follow_keys_of(follower, kind);

        for (guint i = 0; i < keys->len; i++) {
            FollowKey *key = keys->pdata[i];

            follow_key_answered(follower, key);
            key_rest(follower, key);
            key->discard = FALSE;
            key->pace.paid_at = LONG_AGO;
            key->audited = FALSE;
            if (!follow_key_known(follower, key))
                follow_key_drop(follower, key);
        }
    }
}

/* -------------------------------------------------------------------------------------------- taps */

static void taps_leave(Follower *follower, FollowKey *key, const char *name)
{
    GPtrArray *keys = g_hash_table_lookup(follower->taps, name);

    g_ptr_array_remove(keys, key);
    if (keys->len == 0)
        g_hash_table_remove(follower->taps, name);
}

static void taps_enter(Follower *follower, FollowKey *key, const char *name)
{
    GPtrArray *keys = g_hash_table_lookup(follower->taps, name);

    if (!keys) {
        keys = g_ptr_array_new();
        g_hash_table_insert(follower->taps, g_strdup(name), keys);
    }
    g_ptr_array_add(keys, key);
}

static gboolean taps_have(const GPtrArray *taps, const char *name)
{
    for (guint i = 0; taps && i < taps->len; i++) {
        if (strcmp(taps->pdata[i], name) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean follow_taps_set(Follower *follower, FollowKey *key, const Domain *domain)
{
    g_autoptr(GPtrArray) before = g_steal_pointer(&key->taps);
    gboolean more = FALSE;

    for (guint i = 0; before && i < before->len; i++)
        taps_leave(follower, key, before->pdata[i]);
    for (guint i = 0; domain && i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];

        if (!iface->target)
            continue;
        if (!key->taps)
            key->taps = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(key->taps, g_strdup(iface->target));
        taps_enter(follower, key, iface->target);
        more = more || !taps_have(before, iface->target);
    }
    return more;
}

void follow_taps_touch(Follower *follower, const char *name)
{
    const GPtrArray *keys = name ? g_hash_table_lookup(follower->taps, name) : NULL;

    for (guint i = 0; keys && i < keys->len; i++) {
        FollowKey *key = keys->pdata[i];

        key->look_again = follower->now + FOLLOW_LOOK_AGAIN;
        follow_key_touch(follower, key);
    }
}
