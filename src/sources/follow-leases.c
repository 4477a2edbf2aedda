/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

/*
 * Leases have no event of libvirt's. Where the directory of their files is watched, a file's name says the
 * bridge, and thereby the network. Where it is not, all are read a second after something happened to a
 * domain, and with every audit.
 *
 * A network's leases have a key while they can be read: see network_leases().
 */

#define LEASES_AFTER (1 * FOLLOW_SECOND)

static void leases_put_none(Follower *follower, const char *uuid, gboolean unread)
{
    const GPtrArray *known = live_map_leases(follower->live, uuid);

    if (known || unread)
        live_map_put_leases(follower->live, uuid, g_ptr_array_new_with_free_func((GDestroyNotify)lease_free),
                            unread);
}

static void leases_drop(Follower *follower, const char *uuid, gboolean unread)
{
    FollowKey *key = follow_key_find(follower, FOLLOW_LEASES, uuid);

    if (key)
        follow_key_drop(follower, key);
    leases_put_none(follower, uuid, unread);
}

static NetworkLeases leases_of(const Follower *follower, const char *uuid)
{
    const Network *network = live_map_network(follower->live, uuid);
    const Network *owner;

    if (!network)
        return LEASES_NONE;
    owner = network->bridge ? live_map_network_of_bridge(follower->live, network->bridge) : NULL;
    return network_leases(network, owner);
}

static void leases_touch(Follower *follower, const char *uuid, const char *name, gboolean sync)
{
    FollowKey *key = follow_key(follower, FOLLOW_LEASES, uuid);

    if (key->name != name)
        follow_key_name(follower, key, name);
    if (sync && !key->slow)
        follow_key_sync(follower, key, follower->sync_run);
    follow_key_touch(follower, key);
}

gboolean follow_leases_wanted(const Follower *follower, const char *uuid)
{
    return leases_of(follower, uuid) == LEASES_OWN;
}

/* Whether this network's leases are its own may have changed, for another took or left its bridge. */
static void leases_review(Follower *follower, const char *uuid, gboolean touch)
{
    const Network *network = live_map_network(follower->live, uuid);
    gboolean had = follow_key_find(follower, FOLLOW_LEASES, uuid) != NULL;

    switch (leases_of(follower, uuid)) {
    case LEASES_OWN:
        if (touch || !had)
            leases_touch(follower, uuid, network->name, follower->syncing);
        break;
    case LEASES_OTHERS:
        if (had || touch)
            leases_drop(follower, uuid, TRUE);
        break;
    case LEASES_NONE:
        if (had || touch)
            leases_drop(follower, uuid, FALSE);
        break;
    }
}

static void leases_review_all(Follower *follower)
{
    g_autoptr(GPtrArray) networks = follow_keys_of(follower, FOLLOW_NETWORK);

    for (guint i = 0; i < networks->len; i++) {
        const FollowKey *key = networks->pdata[i];

        leases_review(follower, key->uuid, FALSE);
    }
}

void follow_leases_network(Follower *follower, const char *uuid, gboolean changed)
{
    leases_review(follower, uuid, changed);
    if (changed)
        leases_review_all(follower);
}

void follow_leases_sync(Follower *follower, const char *uuid)
{
    const FollowKey *key = follow_key_find(follower, FOLLOW_LEASES, uuid);

    if (key)
        leases_touch(follower, uuid, key->name, TRUE);
}

void follow_leases_network_gone(Follower *follower, const char *uuid)
{
    leases_drop(follower, uuid, FALSE);
    leases_review_all(follower);
}

static void leases_read_all(Follower *follower, gboolean sync)
{
    g_autoptr(GPtrArray) keys = follow_keys_of(follower, FOLLOW_LEASES);

    for (guint i = 0; i < keys->len; i++) {
        FollowKey *key = keys->pdata[i];

        if (sync && !key->slow)
            follow_key_sync(follower, key, follower->stats.runs);
        follow_key_touch(follower, key);
    }
}

void follow_leases_touch_all(Follower *follower)
{
    leases_read_all(follower, FALSE);
}

void follow_leases_doubt(Follower *follower)
{
    follower->syncing = TRUE;
    follower->resync = TRUE;
    leases_read_all(follower, TRUE);
}

void follower_touch_bridge(Follower *follower, const char *bridge)
{
    const Network *network = live_map_network_of_bridge(follower->live, bridge);
    FollowKey *key = network ? follow_key_find(follower, FOLLOW_LEASES, network->uuid) : NULL;

    if (key)
        follow_key_touch(follower, key);
}

void follower_leases_evented(Follower *follower, gboolean evented, const char *why)
{
    char *copy = g_strdup(why);

    g_free(follower->leases_why);
    follower->leases_why = copy;
    follower->leases_came = evented && !follower->leases_evented;
    follower->leases_evented = evented;
}

void follow_leases_run(Follower *follower)
{
    if (follower->clock_set)
        follow_leases_touch_all(follower);
    follower->clock_set = FALSE;
    if (follower->leases_hint && !follower->leases_evented && follower->leases_due == FOLLOW_NEVER)
        follower->leases_due = follower->now + LEASES_AFTER;
    follower->leases_hint = FALSE;
    if (follower->now < follower->leases_due)
        return;
    follower->leases_due = FOLLOW_NEVER;
    follow_leases_touch_all(follower);
}
