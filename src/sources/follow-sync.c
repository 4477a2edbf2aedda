/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

#include "base/error.h"

#include <string.h>

/*
 * The connection, and reading everything over it.
 *
 *   OFF ──connect──> COMING ──connected──> ON: syncing ──all answered──> ON
 *    ^                  │                       │                         │
 *    └──────lost────────┴─────────lost──────────┴──────────lost───────────┘
 *
 * The world registers its callbacks before it says "connected"; only then the lists are asked for. So
 * whatever changes after a list is told, and what a list has not is gone. Each key of the lists is read, then
 * the leases of each network that was. A key that does not answer within a second holds nothing back: it is
 * in trouble, and the snapshot goes without it.
 */

#define CONNECT_FIRST (500 * FOLLOW_MS)
#define CONNECT_MOST (10 * FOLLOW_SECOND)
#define CONNECT_LASTED (30 * FOLLOW_SECOND)
#define LIST_APART (500 * FOLLOW_MS)
#define LIST_FIRST (1 * FOLLOW_SECOND)
#define LIST_MOST (10 * FOLLOW_SECOND)

static const char *list_noun(FollowKind kind)
{
    return kind == FOLLOW_DOMAIN ? "domains" : "networks";
}

/* --------------------------------------------------------------------------------------- connection */

void follow_sync_connected(Follower *follower, const FollowHost *host)
{
    if (follower->connection == CONNECTION_ON)
        return;
    follower->connection = CONNECTION_ON;
    follower->connected_at = follower->now;
    follower->synced = FALSE;
    g_clear_pointer(&follower->lost, g_free);
    follower->stats.connects++;
    live_map_set_host(follower->live, host->host, host->uri, host->local);
    follower_leases_evented(follower, host->leases_evented, host->leases_why);
    follow_kernel_local(follower, host->local);
    follow_sync_begin(follower);
}

/* A connection that served is no reason to wait longer; one that lasted is one to begin anew. */
static void connection_retry(Follower *follower)
{
    gboolean served = follower->connection == CONNECTION_ON && follower->synced;
    gint64 delay;

    if (follower->connection == CONNECTION_ON && follower->now - follower->connected_at >= CONNECT_LASTED)
        follower->attempts = 0;
    delay = follow_backoff(&follower->attempts, CONNECT_FIRST, CONNECT_MOST);
    if (served)
        follower->attempts--;
    delay = (gint64)((double)delay * (0.5 + 0.5 * follower->world->ops->random(follower->world)));
    follower->connect_at = follower->now + delay;
}

static void list_reset(FollowList *list)
{
    list->asked = list->slow = list->sync = list->sync_next = list->audit = list->ports = FALSE;
    list->due = FOLLOW_NEVER;
    list->failures = 0;
    g_clear_pointer(&list->trouble, g_free);
}

void follow_sync_lost(Follower *follower, const char *why)
{
    g_free(follower->lost);
    follower->lost = g_strdup(why);
    if (follower->connection == CONNECTION_OFF)
        return;
    connection_retry(follower);
    follower->connection = CONNECTION_OFF;
    follower->syncing = FALSE;
    follower->resync = TRUE;
    follow_keys_lost(follower);
    follow_audit_lost(follower);
    list_reset(&follower->lists[FOLLOW_DOMAIN]);
    list_reset(&follower->lists[FOLLOW_NETWORK]);
    follower->leases_due = follower->nameless_due = FOLLOW_NEVER;
}

/* -------------------------------------------------------------------------------------------- lists */

static void list_plan(FollowList *list, gint64 due)
{
    list->due = MIN(list->due, due);
}

void follow_list_want(Follower *follower, FollowKind kind, gboolean audit)
{
    FollowList *list = &follower->lists[kind];

    list->audit = list->audit || audit;
    list_plan(list, list->asked_at + LIST_APART);
}

void follow_sync_begin(Follower *follower)
{
    if (follower->connection != CONNECTION_ON)
        return;
    follower->syncing = TRUE;
    follower->resync = TRUE;
    follower->sync_run = follower->stats.runs;
    for (FollowKind kind = FOLLOW_DOMAIN; kind <= FOLLOW_NETWORK; kind++) {
        follower->lists[kind].sync_next = TRUE;
        list_plan(&follower->lists[kind], follower->now);
    }
}

static void list_ask(Follower *follower, FollowKind kind)
{
    FollowList *list = &follower->lists[kind];

    list->asked = TRUE;
    list->asked_at = follower->now;
    list->generation = live_map_generation(follower->live);
    list->due = FOLLOW_NEVER;
    list->sync = list->sync || list->sync_next;
    list->sync_next = FALSE;
    follower->stats.lists++;
    follower->asked_something = TRUE;
    follower->world->ops->list(follower->world, kind);
}

static void list_trouble(FollowList *list, FollowKind kind, const char *why)
{
    g_free(list->trouble);
    list->trouble = why ? g_strdup_printf("the list of %s: %s", list_noun(kind), why) : NULL;
}

static void list_late(const Follower *follower, FollowList *list, FollowKind kind)
{
    if (!list->asked || list->slow || follower->now - list->asked_at < FOLLOW_SLOW)
        return;
    list->slow = TRUE;
    list_trouble(list, kind, "no answer for a second");
}

static void list_run(Follower *follower, FollowKind kind)
{
    const FollowList *list = &follower->lists[kind];

    if (!list->asked && list->due <= follower->now)
        list_ask(follower, kind);
}

static gint64 list_due(const FollowList *list)
{
    if (!list->asked)
        return list->due;
    return list->slow ? FOLLOW_NEVER : list->asked_at + FOLLOW_SLOW;
}

/* ------------------------------------------------------------------------------------- a list's word */

/* Its reading, if there is one, was asked for after the list: it knows better. */
static gboolean key_is_newer(const FollowKey *key, const FollowList *list)
{
    return key->asked_at >= list->asked_at || (key->waiting && key->suspicion == SUSPICION_NONE);
}

/* The list may be from before an event that was acted on since: its own reading tells. */
static void key_suspect(Follower *follower, FollowKey *key)
{
    if (follow_key_is_idle(key))
        follow_audit_look(follower, key);
}

static void key_take_listed(Follower *follower, FollowKey *key, const FollowListed *listed)
{
    follow_key_name(follower, key, listed->name);
    key->listed = TRUE;
    key->id = listed->id;
    key->state = listed->state;
    key->active = listed->active;
    key->persistent = listed->persistent;
    key->autostart = listed->autostart;
}

static void list_has(Follower *follower, const FollowList *list, FollowKind kind, const FollowListed *listed)
{
    FollowKey *key = follow_key(follower, kind, listed->uuid);

    key_take_listed(follower, key, listed);
    if (list->sync) {
        follow_key_sync(follower, key, follower->sync_run);
        key->suspicion = SUSPICION_NONE;
        follow_key_plan(follower, key, follower->now);
        if (kind == FOLLOW_NETWORK)
            follow_leases_sync(follower, key->uuid);
    }
    if (key->slow)
        follow_answer_slow(follower, key);
    else if (list->ports && !follow_key_known(follower, key))
        follow_key_touch(follower, key); /* it starts: nothing was missed */
    else if (!list->sync && !list->sync_next && follow_listed_differs(follower->live, kind, listed))
        key_suspect(follower, key);
}

static void list_lacks(Follower *follower, const FollowList *list, FollowKey *key)
{
    /* What was lost is no mismatch. */
    if (list->sync)
        key->suspicion = SUSPICION_NONE;
    if (key->asked && !key->slow)
        return;
    if (key_is_newer(key, list))
        return;
    if (list->sync || key->slow)
        follow_object_gone(follower, key);
    else if (list->audit && !list->sync_next && follow_key_known(follower, key))
        key_suspect(follower, key);
}

/* A list's word about every key. */
static void list_take(Follower *follower, FollowKind kind, const GPtrArray *listed)
{
    FollowList *list = &follower->lists[kind];
    g_autoptr(GPtrArray) keys = follow_keys_of(follower, kind);

    for (guint i = 0; i < keys->len; i++)
        ((FollowKey *)keys->pdata[i])->listed = FALSE;
    for (guint i = 0; i < listed->len; i++)
        list_has(follower, list, kind, listed->pdata[i]);
    for (guint i = 0; i < keys->len; i++) {
        FollowKey *key = keys->pdata[i];

        if (!key->listed)
            list_lacks(follower, list, key);
    }
}

static void list_failed(Follower *follower, FollowKind kind, const GError *error)
{
    FollowList *list = &follower->lists[kind];

    list_trouble(list, kind, error->message);
    list_plan(list, follower->now + follow_backoff(&list->failures, LIST_FIRST, LIST_MOST));
}

void follow_list_answered(Follower *follower, FollowKind kind, const GPtrArray *listed, const GError *error)
{
    FollowList *list = &follower->lists[kind];
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    if (!list->asked)
        return;
    if (!listed && g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE)) {
        list->slow = TRUE;
        list_trouble(list, kind, error->message);
        return;
    }
    list->asked = list->slow = FALSE;
    if (!listed && !g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED)) {
        list_failed(follower, kind, error);
        return;
    }
    list_trouble(list, kind, NULL);
    list->failures = 0;
    list_take(follower, kind, listed ? listed : none);
    list->sync = list->audit = list->ports = FALSE;
    list->known = TRUE;
    follower->vouching = follower->vouching || kind == FOLLOW_DOMAIN;
}

/* -------------------------------------------------------------------------------------------- ports */

/* Whether each domain of the last list is in the map. */
static gboolean listed_are_known(const Follower *follower)
{
    g_autoptr(GPtrArray) keys = follow_keys_of(follower, FOLLOW_DOMAIN);

    for (guint i = 0; i < keys->len; i++) {
        const FollowKey *key = keys->pdata[i];

        if (key->listed && !follow_key_known(follower, key))
            return FALSE;
    }
    return TRUE;
}

/*
 * A guest is active, and its XML has its taps, from before they are made; libvirt tells of it when it runs.
 * So whoever lists domains after a tap came by its name learns whose it is, however long the start takes.
 */
void follow_ports_run(Follower *follower)
{
    FollowList *list = &follower->lists[FOLLOW_DOMAIN];

    if (follower->connection != CONNECTION_ON)
        return;
    if (follower->vouching && !list->asked && listed_are_known(follower)) {
        follower->vouching = FALSE;
        live_map_set_domains_vouched(follower->live, list->generation);
    }
    if (live_map_awaits_domains(follower->live) > list->generation && !list->ports) {
        list->ports = TRUE;
        follow_list_want(follower, FOLLOW_DOMAIN, FALSE);
    }
}

/* ---------------------------------------------------------------------------------------------- run */

void follow_sync_late(Follower *follower)
{
    list_late(follower, &follower->lists[FOLLOW_DOMAIN], FOLLOW_DOMAIN);
    list_late(follower, &follower->lists[FOLLOW_NETWORK], FOLLOW_NETWORK);
}

void follow_sync_run(Follower *follower)
{
    if (follower->connection == CONNECTION_OFF && follower->now >= follower->connect_at) {
        follower->connection = CONNECTION_COMING;
        follower->world->ops->connect(follower->world);
    }
    if (follower->connection != CONNECTION_ON)
        return;
    list_run(follower, FOLLOW_DOMAIN);
    list_run(follower, FOLLOW_NETWORK);
}

static gboolean list_is_awaited(const FollowList *list)
{
    return (list->sync || list->sync_next) && !list->trouble;
}

gboolean follow_sync_settled(const Follower *follower)
{
    const FollowList *domains = &follower->lists[FOLLOW_DOMAIN], *networks = &follower->lists[FOLLOW_NETWORK];

    return follower->connection == CONNECTION_ON && !follower->syncing && follower->sync_pending == 0 &&
           !domains->sync && !domains->sync_next && !networks->sync && !networks->sync_next;
}

gboolean follow_sync_complete(const Follower *follower)
{
    return follower->connection == CONNECTION_ON && follower->sync_pending == 0 &&
           !list_is_awaited(&follower->lists[FOLLOW_DOMAIN]) &&
           !list_is_awaited(&follower->lists[FOLLOW_NETWORK]);
}

gint64 follow_sync_due(const Follower *follower)
{
    switch (follower->connection) {
    case CONNECTION_OFF:
        return follower->connect_at;
    case CONNECTION_COMING:
        return FOLLOW_NEVER;
    case CONNECTION_ON:
        break;
    }
    return MIN(list_due(&follower->lists[FOLLOW_DOMAIN]), list_due(&follower->lists[FOLLOW_NETWORK]));
}
