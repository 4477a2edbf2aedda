/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

/*
 * The states of the sources, from the state of the follower. One object's trouble makes its source stale and
 * says which; a lost connection makes stale what came over it, and leaves the kernel's facts live.
 */

static void source_set(Follower *follower, SourceId id, SourceState state, const char *why)
{
    const SourceStatus *status = live_map_source(follower->live, id);

    if (status->state != state || g_strcmp0(status->error, why) != 0)
        live_map_set_source(follower->live, id, state, why);
}

/* Older facts are there, or none at all. */
static SourceState state_without(gboolean known)
{
    return known ? SOURCE_STALE : SOURCE_DOWN;
}

/* Of all that have trouble the first, and how many more. NULL: there is none. */
static char *trouble_text(const char *first, guint count)
{
    if (!first || count <= 1)
        return g_strdup(first);
    return g_strdup_printf("%s (and %u more)", first, count - 1);
}

static const char *queue_text(const GQueue *troubles)
{
    const FollowKey *key = troubles->head ? troubles->head->data : NULL;

    return key ? key->trouble : NULL;
}

static void update_libvirt(Follower *follower)
{
    const FollowList *domains = &follower->lists[FOLLOW_DOMAIN], *networks = &follower->lists[FOLLOW_NETWORK];
    const GQueue *of_domains = &follower->troubles[FOLLOW_DOMAIN];
    const GQueue *of_networks = &follower->troubles[FOLLOW_NETWORK];
    guint count =
        of_domains->length + of_networks->length + (domains->trouble != NULL) + (networks->trouble != NULL);
    const char *first = domains->trouble ? domains->trouble : networks->trouble;
    g_autofree char *text = NULL;

    if (!first)
        first = of_domains->head ? queue_text(of_domains) : queue_text(of_networks);
    text = trouble_text(first, count);
    if (text)
        source_set(follower, SOURCE_LIBVIRT, state_without(domains->known || networks->known), text);
    else
        source_set(follower, SOURCE_LIBVIRT, SOURCE_LIVE, NULL);
}

/* Why the driver has no leases; NULL: it has some, or nobody asked it. */
static const char *leases_unsupported(const Follower *follower)
{
    const char *why = NULL;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, follower->keys[FOLLOW_LEASES]);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const FollowKey *key = value;

        if (!key->unsupported)
            return NULL;
        why = key->unsupported;
    }
    return why;
}

static void update_leases(Follower *follower)
{
    const GQueue *troubles = &follower->troubles[FOLLOW_LEASES];
    g_autofree char *text = trouble_text(queue_text(troubles), troubles->length);
    const char *absent = leases_unsupported(follower);

    if (text)
        source_set(follower, SOURCE_LEASES, SOURCE_STALE, text);
    else if (absent)
        source_set(follower, SOURCE_LEASES, SOURCE_ABSENT, absent);
    else
        source_set(follower, SOURCE_LEASES, SOURCE_LIVE,
                   follower->leases_evented ? NULL : follower->leases_why);
}

static void update_kernel(Follower *follower)
{
    const FollowKernel *kernel = &follower->kernel;
    SourceState state = SOURCE_LIVE;
    const char *why = NULL;

    if (!kernel->followed) {
        state = SOURCE_ABSENT;
        why = "the host is another one";
    } else if (kernel->failed) {
        state = state_without(kernel->read);
        why = kernel->why;
    }
    source_set(follower, SOURCE_LINKS, state, why);
    source_set(follower, SOURCE_NEIGHBOURS, state, why);
}

void follow_sources_update(Follower *follower)
{
    if (follower->connection != CONNECTION_ON) {
        source_set(follower, SOURCE_LIBVIRT, state_without(follower->told), follower->lost);
        if (live_map_source(follower->live, SOURCE_LEASES)->state != SOURCE_ABSENT)
            source_set(follower, SOURCE_LEASES, state_without(follower->told), follower->lost);
    } else if (!follower->syncing) {
        update_libvirt(follower);
        update_leases(follower);
    }
    if (follower->told || follower->connection == CONNECTION_ON)
        update_kernel(follower);
}
