/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

#include "base/error.h"

/*
 * An answer is a fact of some moment between question and answer. If an event came in between, it is applied
 * all the same and the key is asked again: what is applied last was asked for last. Names of taps are dated:
 * the map binds a name only to the link that bore it when the domain's XML was asked for.
 */

#define NO_ANSWER "no answer for a second"
#define RETRY_FIRST (1 * FOLLOW_SECOND)
#define RETRY_MOST (10 * FOLLOW_SECOND)
#define NAME_WITHIN (250 * FOLLOW_MS) /* a list that says the name of what is slow is waited for so long */

void follow_record_free(FollowKind kind, gpointer record)
{
    if (!record)
        return;
    switch (kind) {
    case FOLLOW_DOMAIN:
        domain_free(record);
        break;
    case FOLLOW_NETWORK:
        network_free(record);
        break;
    case FOLLOW_LEASES:
        g_ptr_array_unref(record);
        break;
    case FOLLOW_KINDS:
        break;
    }
}

/* -------------------------------------------------------------------------------------------- gone */

void follow_object_gone(Follower *follower, FollowKey *key)
{
    switch (key->kind) {
    case FOLLOW_DOMAIN:
        live_map_remove_domain(follower->live, key->uuid);
        break;
    case FOLLOW_NETWORK:
        live_map_remove_network(follower->live, key->uuid);
        follow_leases_network_gone(follower, key->uuid);
        break;
    case FOLLOW_LEASES:
        /* The network's own reading says so too, and takes them with it. */
    case FOLLOW_KINDS:
        break;
    }
    follow_key_drop(follower, key);
}

/* ----------------------------------------------------------------------------------------- trouble */

/* That it is there is known, and what the list said. */
static void domain_put_unread(Follower *follower, const FollowKey *key, const char *why)
{
    Domain *domain = domain_new();

    domain->uuid = g_strdup(key->uuid);
    domain->name = g_strdup(key->name);
    domain->id = key->id;
    domain->state = key->state;
    domain->xml_read = FALSE;
    domain->xml_error = g_strdup(why);
    live_map_put_domain(follower->live, domain, key->generation);
}

static void network_put_unread(Follower *follower, const FollowKey *key, const char *why)
{
    Network *network = network_new();

    network->uuid = g_strdup(key->uuid);
    network->name = g_strdup(key->name);
    network->active = key->active;
    network->persistent = key->persistent;
    network->autostart = key->autostart;
    network->xml_read = FALSE;
    network->xml_error = g_strdup(why);
    live_map_put_network(follower->live, network);
    follow_leases_network(follower, key->uuid, TRUE);
}

static void leases_put_unread(Follower *follower, const FollowKey *key)
{
    if (live_map_leases(follower->live, key->uuid))
        return;
    if (key->slow)
        live_map_put_leases_late(follower->live, key->uuid);
    else
        live_map_put_leases(follower->live, key->uuid,
                            g_ptr_array_new_with_free_func((GDestroyNotify)lease_free), TRUE);
}

/* Nothing is taken from what was read before. */
static void key_put_unread(Follower *follower, const FollowKey *key, const char *why)
{
    if (key->kind == FOLLOW_LEASES)
        leases_put_unread(follower, key);
    else if (!key->listed || follow_key_known(follower, key))
        return;
    else if (key->kind == FOLLOW_DOMAIN)
        domain_put_unread(follower, key, why);
    else
        network_put_unread(follower, key, why);
}

static void key_in_trouble(Follower *follower, FollowKey *key, const char *why)
{
    follow_key_trouble(follower, key, why);
    follow_key_synced(follower, key);
    follow_audit_done(follower, key, FALSE);
    key_put_unread(follower, key, why);
}

static void answer_late(Follower *follower, FollowKey *key, const char *why)
{
    if (!key->asked)
        return;
    key->slow = TRUE;
    /* A list knows name and state of what was never read, and whether it is still there. */
    if (key->kind != FOLLOW_LEASES && !key->listed)
        follow_list_want(follower, key->kind, FALSE);
    if (key->name)
        key_in_trouble(follower, key, why);
    else
        follower->nameless_due = MIN(follower->nameless_due, follower->now + NAME_WITHIN);
}

void follow_nameless_run(Follower *follower)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (follower->now < follower->nameless_due)
        return;
    follower->nameless_due = FOLLOW_NEVER;
    keys = follow_keys_of(follower, FOLLOW_DOMAIN);
    g_ptr_array_extend_and_steal(keys, follow_keys_of(follower, FOLLOW_NETWORK));
    for (guint i = 0; i < keys->len; i++) {
        FollowKey *key = keys->pdata[i];

        if (key->slow && !key->name)
            key_in_trouble(follower, key, NO_ANSWER);
    }
}

void follow_answer_slow(Follower *follower, FollowKey *key)
{
    answer_late(follower, key, NO_ANSWER);
}

static void answer_failed(Follower *follower, FollowKey *key, const GError *error)
{
    gint64 delay = follow_backoff(&key->failures, RETRY_FIRST, RETRY_MOST);

    /* The connection is about to be reported lost: its trouble is no domain's, and no snapshot goes before.
     */
    if (!g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNREACHABLE))
        key_in_trouble(follower, key, error->message);
    key->suspicion = SUSPICION_NONE;
    follow_key_plan(follower, key, follower->now + delay);
}

static void answer_error(Follower *follower, FollowKey *key, const GError *error)
{
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
        if (key->kind == FOLLOW_DOMAIN && follower->sink->domain_gone)
            follower->sink->domain_gone(key->uuid, follower->sink_data);
        follow_object_gone(follower, key);
        return;
    }
    if (key->kind == FOLLOW_LEASES && g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED)) {
        g_free(key->unsupported);
        key->unsupported = g_strdup(error->message);
        follow_key_trouble(follower, key, NULL);
        follow_key_synced(follower, key);
        return;
    }
    answer_failed(follower, key, error);
}

/* ------------------------------------------------------------------------------------------- apply */

/* The last good reading is better than one that says only that it is there. */
static gboolean record_is_worse(gboolean xml_read, gboolean known_read)
{
    return !xml_read && known_read;
}

static void apply_domain(Follower *follower, FollowKey *key, Domain *domain)
{
    const Domain *known = live_map_domain(follower->live, key->uuid);

    if (domain->id < 0) {
        domain_free(domain);
        follow_object_gone(follower, key);
        return;
    }
    follow_key_name(follower, key, domain->name);
    follow_key_trouble(follower, key, domain->xml_read ? NULL : domain->xml_error);
    if (record_is_worse(domain->xml_read, known && known->xml_read)) {
        domain_free(domain);
        return;
    }
    /* Until now nobody knew whose tap it was that moved. */
    if (follow_taps_set(follower, key, domain) &&
        key->asked_at - follower->kernel.moved_at < FOLLOW_LOOK_AGAIN)
        key->look_again = follower->now + FOLLOW_LOOK_AGAIN;
    live_map_put_domain(follower->live, domain, key->generation);
}

/* What its leases depend on. */
static gboolean network_changed(const Network *known, const Network *network)
{
    return !known || known->active != network->active || known->xml_read != network->xml_read ||
           (known->ips->len == 0) != (network->ips->len == 0) ||
           g_strcmp0(known->bridge, network->bridge) != 0;
}

static void apply_network(Follower *follower, FollowKey *key, Network *network)
{
    const Network *known = live_map_network(follower->live, key->uuid);
    gboolean changed = network_changed(known, network);

    if (!follow_network_is(network)) {
        network_free(network);
        follow_object_gone(follower, key);
        return;
    }
    follow_key_name(follower, key, network->name);
    follow_key_trouble(follower, key, network->xml_read ? NULL : network->xml_error);
    if (record_is_worse(network->xml_read, known && known->xml_read)) {
        network_free(network);
        return;
    }
    live_map_put_network(follower->live, network);
    follow_leases_network(follower, key->uuid, changed);
}

static void apply_leases(Follower *follower, FollowKey *key, GPtrArray *leases, const char *partial)
{
    g_clear_pointer(&key->unsupported, g_free);
    follow_key_trouble(follower, key, partial);
    live_map_put_leases(follower->live, key->uuid, leases, partial != NULL);
}

static void answer_apply(Follower *follower, FollowKey *key, gpointer record, const char *partial)
{
    key->failures = 0;
    switch (key->kind) {
    case FOLLOW_DOMAIN:
        apply_domain(follower, key, record);
        break;
    case FOLLOW_NETWORK:
        apply_network(follower, key, record);
        break;
    case FOLLOW_LEASES:
        apply_leases(follower, key, record, partial);
        break;
    case FOLLOW_KINDS:
        break;
    }
}

/* The key may be gone after. */
static void answer_take(Follower *follower, FollowKey *key, gpointer record, const char *partial,
                        const GError *error)
{
    if (follow_audit_doubts(follower, key, record, error))
        follow_record_free(key->kind, record);
    else if (record)
        answer_apply(follower, key, record, partial);
    else
        answer_error(follower, key, error);
}

/* It went while it was asked, and may be back by now. */
static void answer_discard(Follower *follower, FollowKey *key)
{
    key->discard = FALSE;
    if (key->kind == FOLLOW_LEASES && !follow_leases_wanted(follower, key->uuid))
        follow_key_drop(follower, key);
    else
        follow_key_touch(follower, key);
}

/*
 * Names in XML that was asked for before messages of the kernel were lost: a tap that went, and came back as
 * another's with the same name and index, left no trace. It is asked for once more, and the resync waits for
 * it.
 */
static gboolean answer_is_undated(const Follower *follower, const FollowKey *key, gconstpointer record)
{
    const Domain *domain = record;

    return key->kind == FOLLOW_DOMAIN && domain && domain->id >= 0 &&
           follow_kernel_missed(follower, key->asked_run);
}

static void answer_look_again(Follower *follower, FollowKind kind, const char *uuid)
{
    FollowKey *key = follow_key_find(follower, kind, uuid);

    if (key && key->asked_at < key->look_again)
        follow_key_plan(follower, key, key->look_again);
}

void follow_answer(Follower *follower, FollowKey *key, gpointer record, const char *partial,
                   const GError *error)
{
    FollowKind kind = key->kind;
    g_autofree char *uuid = g_strdup(key->uuid);
    gboolean again = key->again;
    FollowPace pace;

    if (!record && g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE)) {
        answer_late(follower, key, error->message);
        return;
    }
    /* Nobody asked, and it is not known: of something that went meanwhile. */
    if (!key->asked && (!record || !follow_key_known(follower, key))) {
        follow_record_free(kind, record);
        return;
    }
    follow_key_answered(follower, key);
    follow_audit_done(follower, key, TRUE);
    pace = key->pace;
    key->again = FALSE;
    if (key->discard) {
        follow_record_free(kind, record);
        answer_discard(follower, key);
        return;
    }
    if (answer_is_undated(follower, key, record)) {
        follow_record_free(kind, record);
        follower->syncing = TRUE;
        follow_key_sync(follower, key, follower->stats.runs);
        follow_key_touch(follower, key);
        return;
    }
    if (record && key->asked_run >= key->sync_run)
        follow_key_synced(follower, key);
    answer_take(follower, key, record, partial, error);
    if (!again) {
        answer_look_again(follower, kind, uuid);
        return;
    }
    /* It may have been dropped, and is no reason to ask sooner then. */
    key = follow_key(follower, kind, uuid);
    key->pace = pace;
    follow_key_touch(follower, key);
}
