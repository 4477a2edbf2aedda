/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

#include "base/error.h"

#include <string.h>

/*
 * The audit: every 30 s what the map says is compared with fresh readings of the kernel, of the lists, of the
 * leases, and of some domains' XML, round after round. Nothing else wakes up while nothing happens; a round's
 * part goes out a few readings at a time, so that an event's reading never queues behind it.
 *
 * A difference is believed when it stands a second later and no event came (Suspicion); then it is a
 * mismatch: counted, told, and adopted.
 */

#define ROUND_SHARE 100            /* at most one part in so many of the time goes into reading domains */
#define ROUND_ASKED 8              /* at once */
#define ROUND_TOOK_FIRST FOLLOW_MS /* what a reading may take, before one was measured */

void follow_audit_mismatch(Follower *follower, SourceId source, guint count, const char *text)
{
    g_autofree char *all = count > 1 ? g_strdup_printf("%s (and %u more)", text, count - 1) : g_strdup(text);

    follower->stats.mismatches += count;
    live_map_report_mismatch(follower->live, source, all);
}

/* ------------------------------------------------------------------------------------------ domains */

static gint compare_uuids(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

/* The last is taken first. */
static GPtrArray *round_new(const Follower *follower)
{
    g_autoptr(GHashTable) uuids = live_map_domain_uuids(follower->live);
    GPtrArray *round = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, uuids);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_ptr_array_add(round, g_strdup(uuid));
    g_ptr_array_sort(round, compare_uuids);
    return round;
}

static void round_begin(Follower *follower)
{
    gint64 took = follower->round_took > 0 ? follower->round_took : ROUND_TOOK_FIRST;
    gint64 quota = FOLLOW_AUDIT_EVERY / ROUND_SHARE / took;

    if (follower->round->len == 0) {
        g_ptr_array_unref(follower->round);
        follower->round = round_new(follower);
    }
    follower->round_quota = (guint)CLAMP(quota, 1, (gint64)follower->round->len);
}

void follow_audit_look(Follower *follower, FollowKey *key)
{
    key->suspicion = SUSPICION_LOOK;
    follow_key_plan(follower, key, follower->now);
}

static void round_run(Follower *follower)
{
    while (follower->round_quota > 0 && follower->round_asked < ROUND_ASKED && follower->round->len > 0) {
        g_autofree char *uuid = g_ptr_array_steal_index(follower->round, follower->round->len - 1);
        FollowKey *key = follow_key_find(follower, FOLLOW_DOMAIN, uuid);

        follower->round_quota--;
        if (!key || !follow_key_is_idle(key))
            continue;
        key->audited = TRUE;
        follower->round_asked++;
        follow_audit_look(follower, key);
    }
}

void follow_audit_done(Follower *follower, FollowKey *key, gboolean answered)
{
    if (!key->audited)
        return;
    key->audited = FALSE;
    follower->round_asked--;
    if (answered)
        follower->round_took =
            follower->round_took > 0 ? (7 * follower->round_took + key->took) / 8 : key->took;
}

void follow_audit_lost(Follower *follower)
{
    follower->round_quota = follower->round_asked = 0;
}

/* ------------------------------------------------------------------------------------------ leases */

static void audit_leases(Follower *follower)
{
    g_autoptr(GPtrArray) keys = follow_keys_of(follower, FOLLOW_LEASES);

    if (!follower->leases_evented) {
        follow_leases_touch_all(follower);
        return;
    }
    for (guint i = 0; i < keys->len; i++) {
        if (follow_key_is_idle(keys->pdata[i]))
            follow_audit_look(follower, keys->pdata[i]);
    }
}

/* --------------------------------------------------------------------------------------------- doubt */

static gboolean record_is_same(const Follower *follower, const FollowKey *key, gconstpointer record)
{
    const Domain *domain = record;
    const Network *network = record;

    switch (key->kind) {
    case FOLLOW_DOMAIN:
        return follow_same_domain(live_map_domain(follower->live, key->uuid),
                                  domain && domain->id >= 0 ? domain : NULL);
    case FOLLOW_NETWORK:
        return follow_same_network(live_map_network(follower->live, key->uuid),
                                   network && follow_network_is(network) ? network : NULL);
    case FOLLOW_LEASES:
        return follow_same_leases(live_map_leases(follower->live, key->uuid), record,
                                  follower->wall / FOLLOW_SECOND);
    case FOLLOW_KINDS:
        break;
    }
    return TRUE;
}

static void key_mismatch(Follower *follower, const FollowKey *key, gconstpointer record)
{
    const char *noun = key->kind == FOLLOW_DOMAIN ? "domain" : "network";
    const char *what = record ? "changed" : "went";
    const Domain *domain = record;
    g_autofree char *text = NULL;

    if (record && key->kind != FOLLOW_LEASES && !follow_key_known(follower, key))
        what = "came";
    else if (key->kind == FOLLOW_DOMAIN && record && domain->id < 0)
        what = "went";
    text = g_strdup_printf("%s%s '%s' %s without an event", key->kind == FOLLOW_LEASES ? "leases of " : "",
                           noun, key->name ? key->name : key->uuid, what);
    follow_audit_mismatch(follower, key->kind == FOLLOW_LEASES ? SOURCE_LEASES : SOURCE_LIBVIRT, 1, text);
}

gboolean follow_audit_doubts(Follower *follower, FollowKey *key, gconstpointer record, const GError *error)
{
    Suspicion suspicion = key->suspicion;

    if (suspicion == SUSPICION_NONE || suspicion == SUSPICION_WAITING)
        return FALSE;
    key->suspicion = SUSPICION_NONE;
    /* What was lost while there was no connection is no mismatch. */
    if (!follow_sync_settled(follower))
        return FALSE;
    /* That it could not be read says nothing about it. */
    if (!record && !g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return FALSE;
    if (record_is_same(follower, key, record))
        return FALSE;
    if (suspicion == SUSPICION_CONFIRM) {
        key_mismatch(follower, key, record);
        return FALSE;
    }
    key->suspicion = SUSPICION_WAITING;
    follow_key_plan(follower, key, follower->now + FOLLOW_DOUBT);
    return TRUE;
}

static void audit_libvirt(Follower *follower)
{
    follow_list_want(follower, FOLLOW_DOMAIN, TRUE);
    follow_list_want(follower, FOLLOW_NETWORK, TRUE);
    audit_leases(follower);
    round_begin(follower);
}

/* The kernel first, in a run of its own: what reading it takes would count as what libvirt took. */
void follow_audit_run(Follower *follower)
{
    gboolean serves = follower->told && follow_sync_settled(follower);

    if (follower->now >= follower->audit_at) {
        follower->audit_at = follower->now + FOLLOW_AUDIT_EVERY;
        follower->audit_libvirt_at = follower->now;
        follower->stats.audits++;
        follow_kernel_audit(follower);
        return;
    }
    if (serves && follower->now >= follower->audit_libvirt_at)
        audit_libvirt(follower);
    if (follower->now >= follower->audit_libvirt_at)
        follower->audit_libvirt_at = FOLLOW_NEVER;
    if (serves)
        round_run(follower);
}
