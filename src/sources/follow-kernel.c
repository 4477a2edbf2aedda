/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-private.h"

#include "base/error.h"

#include <string.h>

/*
 * The kernel's word. Its messages are whole readings, in the order in which things happened, so they go into
 * the map as they come. After doubt (its socket's buffer ran over) everything is read at once, which replaces
 * what is known; messages that came while it was read are applied after it, and may say once more what it
 * said already. Until it was read nothing is told: a name could have changed its owner unseen.
 *
 * The audit reads everything too, but believes a difference only if it stands a second later, and nothing was
 * told of that object in between: a message may be on its way. One that it cannot read, because devices come
 * and go faster than they are listed, is left out: of what the messages told nothing is lost by that.
 */

#define DOUBT_APART (100 * FOLLOW_MS) /* between two readings of all while its messages overrun us */
#define READ_WITHIN (2 * FOLLOW_SECOND)
/* The reading holds up all else: of the time as much as what the audit reads of libvirt. */
#define AUDIT_WITHIN (FOLLOW_AUDIT_EVERY / 100)
#define RETRY_FIRST (1 * FOLLOW_SECOND)
#define RETRY_MOST FOLLOW_AUDIT_EVERY

void follow_kernel_init(FollowKernel *kernel)
{
    kernel->masters = g_hash_table_new(NULL, NULL);
    kernel->suspects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    kernel->recheck = FOLLOW_NEVER;
    kernel->moved_at = -FOLLOW_NEVER / 2;
}

void follow_kernel_clear(FollowKernel *kernel)
{
    g_hash_table_unref(kernel->masters);
    g_hash_table_unref(kernel->suspects);
    g_free(kernel->why);
}

void follow_kernel_local(Follower *follower, gboolean local)
{
    FollowKernel *kernel = &follower->kernel;

    if (local && !kernel->followed)
        kernel->doubted = TRUE;
    kernel->followed = local;
}

void follow_kernel_doubt(Follower *follower)
{
    FollowKernel *kernel = &follower->kernel;

    if (!kernel->followed || !kernel->read)
        return; /* it will be read whole anyway, or not at all */
    kernel->doubted = TRUE;
    kernel->lost = TRUE;
}

gboolean follow_kernel_holds(const Follower *follower)
{
    const FollowKernel *kernel = &follower->kernel;

    return kernel->followed && kernel->doubted && !kernel->failed;
}

gboolean follow_kernel_missed(const Follower *follower, guint64 run)
{
    return follow_kernel_holds(follower) || run < follower->kernel.resolved_run;
}

gint64 follow_kernel_due(const Follower *follower)
{
    const FollowKernel *kernel = &follower->kernel;

    return kernel->followed && kernel->doubted ? kernel->due : kernel->recheck;
}

/* -------------------------------------------------------------------------------------- what it tells */

static gboolean kernel_suspects(const Follower *follower)
{
    return g_hash_table_size(follower->kernel.suspects) > 0;
}

/* An audit wants to know what was told of. */
static gboolean kernel_notes(const Follower *follower)
{
    return follower->kernel.told || kernel_suspects(follower);
}

/* It was told of: what an audit suspects of it may just be that. name: taken. */
static void kernel_told(Follower *follower, char *name)
{
    g_autofree char *own = name;

    g_hash_table_remove(follower->kernel.suspects, own);
    if (follower->kernel.told)
        g_hash_table_add(follower->kernel.told, g_steal_pointer(&own));
}

/*
 * A device that came, or changed its master: a domain that claims its name may have been connected to another
 * network, of which libvirt tells nothing.
 */
static void master_seen(Follower *follower, const Link *link)
{
    GHashTable *masters = follower->kernel.masters;
    gpointer index = GUINT_TO_POINTER(link->ifindex);
    gpointer before = NULL;
    gboolean known = g_hash_table_lookup_extended(masters, index, NULL, &before);

    if (known && GPOINTER_TO_UINT(before) == link->master)
        return;
    g_hash_table_insert(masters, index, GUINT_TO_POINTER(link->master));
    follower->kernel.moved_at = follower->now;
    follow_taps_touch(follower, link->name);
}

/* Until everything was read once, what it tells is in that reading. */
static gboolean kernel_listens(Follower *follower)
{
    follower->kernel.events++;
    return follower->kernel.read;
}

void follower_link(Follower *follower, Link *link)
{
    if (!kernel_listens(follower)) {
        follower->kernel.moved_at = follower->now;
        link_free(link);
        return;
    }
    if (kernel_notes(follower))
        kernel_told(follower, follow_name_link(link->ifindex));
    master_seen(follower, link);
    live_map_put_link(follower->live, link);
}

void follower_link_gone(Follower *follower, guint ifindex)
{
    if (!kernel_listens(follower))
        return;
    /* Its addresses and neighbours go with it. */
    g_hash_table_remove_all(follower->kernel.suspects);
    follower->kernel.told_gone = TRUE;
    g_hash_table_remove(follower->kernel.masters, GUINT_TO_POINTER(ifindex));
    live_map_remove_link(follower->live, ifindex);
}

void follower_address(Follower *follower, const LinkAddress *address, gboolean gone)
{
    if (!kernel_listens(follower))
        return;
    if (kernel_notes(follower))
        kernel_told(follower, follow_name_address(address));
    if (gone)
        live_map_remove_address(follower->live, address);
    else
        live_map_put_address(follower->live, address);
}

void follower_neighbour(Follower *follower, const Neighbour *neighbour, gboolean gone)
{
    if (!kernel_listens(follower))
        return;
    if (kernel_notes(follower))
        kernel_told(follower, follow_name_neighbour(neighbour));
    if (gone)
        live_map_remove_neighbour(follower->live, neighbour->ifindex, &neighbour->ip);
    else
        live_map_put_neighbour(follower->live, neighbour);
}

void follower_fdb(Follower *follower, const FdbEntry *entry, gboolean gone)
{
    if (!kernel_listens(follower))
        return;
    if (kernel_notes(follower))
        kernel_told(follower, follow_name_fdb(entry));
    if (gone)
        live_map_remove_fdb(follower->live, entry);
    else
        live_map_put_fdb(follower->live, entry);
}

/* ------------------------------------------------------------------------------------- reading it all */

static Facts *kernel_read(Follower *follower, gint64 within, GError **error)
{
    g_autoptr(Facts) facts = facts_new();

    follower->stats.kernel_reads++;
    if (!follower->world->ops->read_kernel(follower->world, facts, within, error))
        return NULL;
    return g_steal_pointer(&facts);
}

/* What could not be read may be anything by the time it can. Devices that come and go cease to at any time.
 */
static void kernel_unread(Follower *follower, const GError *error)
{
    FollowKernel *kernel = &follower->kernel;

    kernel->why = g_strdup(error->message);
    kernel->lost = TRUE;
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        kernel->due = follower->now + READ_WITHIN + RETRY_FIRST;
    else
        kernel->due = follower->now + follow_backoff(&kernel->failures, RETRY_FIRST, RETRY_MOST);
}

static void masters_adopt(Follower *follower, const Facts *facts)
{
    GHashTable *masters = follower->kernel.masters;
    g_autoptr(GHashTable) gone = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer index;

    g_hash_table_iter_init(&iter, masters);
    while (g_hash_table_iter_next(&iter, &index, NULL))
        g_hash_table_add(gone, index);
    for (guint i = 0; i < facts->links->len; i++) {
        const Link *link = facts->links->pdata[i];

        g_hash_table_remove(gone, GUINT_TO_POINTER(link->ifindex));
        master_seen(follower, link);
    }
    g_hash_table_iter_init(&iter, gone);
    while (g_hash_table_iter_next(&iter, &index, NULL))
        g_hash_table_remove(masters, index);
}

/* Everything known of the kernel is replaced. */
static void kernel_adopt(Follower *follower, Facts *facts)
{
    masters_adopt(follower, facts);
    live_map_put_kernel(follower->live, facts);
    g_hash_table_remove_all(follower->kernel.suspects);
    follower->kernel.recheck = FOLLOW_NEVER;
}

/*
 * What was lost may have been the only hint that a domain's XML changed. Where its tap is there, master_seen
 * told; where it is not, nobody can.
 */
static void missing_touch(Follower *follower, GHashTable *names)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, follower->taps);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_hash_table_contains(names, name))
            follow_taps_touch(follower, name);
    }
}

static GHashTable *link_names(const Facts *facts)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < facts->links->len; i++)
        g_hash_table_add(names, g_strdup(((const Link *)facts->links->pdata[i])->name));
    return names;
}

static void kernel_resolve(Follower *follower)
{
    FollowKernel *kernel = &follower->kernel;
    g_autoptr(GError) error = NULL;
    g_autoptr(Facts) facts = kernel_read(follower, READ_WITHIN, &error);
    g_autoptr(GHashTable) names = NULL;
    gint64 moved_at = kernel->moved_at;
    gboolean first = !kernel->read;

    kernel->failed = facts == NULL;
    g_clear_pointer(&kernel->why, g_free);
    if (!facts) {
        kernel_unread(follower, error);
        return;
    }
    kernel->failures = 0;
    names = link_names(facts);
    missing_touch(follower, names);
    follower->resync = follower->resync || kernel->lost;
    if (kernel->lost)
        kernel->resolved_run = follower->stats.runs;
    kernel->doubted = kernel->lost = FALSE;
    kernel->read = TRUE;
    kernel->due = follower->now + DOUBT_APART;
    kernel_adopt(follower, facts);
    if (first)
        kernel->moved_at = moved_at; /* all were new */
    /* It may have been overrun again: then everything is read once more, and nothing told before. */
    follower->world->ops->drain(follower->world);
}

/* ------------------------------------------------------------------------------------------- audit */

typedef struct {
    Facts *fresh, *known;
    GHashTable *differences;
    gboolean changed; /* something was told meanwhile */
} KernelLook;

static void kernel_look_clear(KernelLook *look)
{
    facts_free(look->known);
    facts_free(look->fresh);
    g_clear_pointer(&look->differences, g_hash_table_unref);
}

/* Without what was told of while it was read: of that the map may know more than the reading. */
static void kernel_look_compare(Follower *follower, KernelLook *look)
{
    FollowKernel *kernel = &follower->kernel;
    GHashTableIter iter;
    gpointer name;

    look->known = live_map_facts(follower->live);
    look->differences = follow_kernel_differences(look->known, look->fresh);
    g_hash_table_iter_init(&iter, kernel->told);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_hash_table_remove(look->differences, name);
}

/* Compares the map with what the kernel says now. FALSE: that is in doubt, or could not be read. */
static gboolean kernel_look(Follower *follower, KernelLook *look)
{
    FollowKernel *kernel = &follower->kernel;
    guint64 before = kernel->events;
    gboolean ok;

    kernel->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    kernel->told_gone = FALSE;
    look->fresh = kernel_read(follower, AUDIT_WITHIN, NULL);
    if (look->fresh)
        follower->world->ops->drain(follower->world);
    ok = look->fresh && !kernel->doubted && !kernel->told_gone;
    look->changed = kernel->events != before;
    if (ok)
        kernel_look_compare(follower, look);
    g_clear_pointer(&kernel->told, g_hash_table_unref);
    return ok;
}

static void kernel_suspect(Follower *follower, GHashTable *differences)
{
    FollowKernel *kernel = &follower->kernel;
    GHashTableIter iter;
    gpointer name;

    g_hash_table_remove_all(kernel->suspects);
    g_hash_table_iter_init(&iter, differences);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_hash_table_add(kernel->suspects, g_strdup(name));
    kernel->recheck = follower->now + FOLLOW_DOUBT;
}

void follow_kernel_audit(Follower *follower)
{
    KernelLook look = {0};

    if (!follower->kernel.read || follower->kernel.doubted)
        return;
    if (kernel_look(follower, &look)) {
        if (g_hash_table_size(look.differences) > 0)
            kernel_suspect(follower, look.differences);
        else if (!look.changed)
            kernel_adopt(follower, look.fresh); /* ages, and what no rule looks at, are told by nobody */
    }
    kernel_look_clear(&look);
}

static Link *link_copy(const Link *link)
{
    Link *copy = link_new();

    *copy = *link;
    copy->name = g_strdup(link->name);
    copy->kind = g_strdup(link->kind);
    copy->alias = g_strdup(link->alias);
    return copy;
}

static void adopt_link(Follower *follower, const Link *known, const Link *fresh)
{
    if (!fresh) {
        g_hash_table_remove(follower->kernel.masters, GUINT_TO_POINTER(known->ifindex));
        live_map_remove_link(follower->live, known->ifindex);
        return;
    }
    master_seen(follower, fresh);
    live_map_put_link(follower->live, link_copy(fresh));
}

static void adopt_neighbour(Follower *follower, const Neighbour *known, const Neighbour *fresh)
{
    if (fresh)
        live_map_put_neighbour(follower->live, fresh);
    else
        live_map_remove_neighbour(follower->live, known->ifindex, &known->ip);
}

/* known dies with the map's record: copies of what is asked for after. */
static void difference_adopt(Follower *follower, const FollowDifference *difference)
{
    switch (difference->kind) {
    case DIFFER_LINK:
        adopt_link(follower, difference->known, difference->fresh);
        break;
    case DIFFER_ADDRESS:
        if (difference->fresh)
            live_map_put_address(follower->live, difference->fresh);
        else
            live_map_remove_address(follower->live, difference->known);
        break;
    case DIFFER_NEIGHBOUR:
        adopt_neighbour(follower, difference->known, difference->fresh);
        break;
    case DIFFER_FDB:
        if (difference->fresh)
            live_map_put_fdb(follower->live, difference->fresh);
        else
            live_map_remove_fdb(follower->live, difference->known);
        break;
    }
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of what differed then, was told of by nobody, and still differs; in an order. */
static GPtrArray *kernel_confirmed(const Follower *follower, GHashTable *differences)
{
    GPtrArray *names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, differences);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (g_hash_table_contains(follower->kernel.suspects, name))
            g_ptr_array_add(names, name);
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

static SourceId difference_source(const FollowDifference *difference)
{
    return difference->kind == DIFFER_NEIGHBOUR ? SOURCE_NEIGHBOURS : SOURCE_LINKS;
}

/* One line a source, in the words of the first. */
static void kernel_report(Follower *follower, const KernelLook *look, const GPtrArray *names, SourceId source)
{
    g_autofree char *text = NULL;
    guint count = 0;

    for (guint i = 0; i < names->len; i++) {
        const FollowDifference *difference = g_hash_table_lookup(look->differences, names->pdata[i]);

        if (difference_source(difference) != source)
            continue;
        if (count++ == 0)
            text = follow_difference_text(difference, look->known, look->fresh);
    }
    if (count > 0)
        follow_audit_mismatch(follower, source, count, text);
}

static void kernel_believe(Follower *follower, const KernelLook *look)
{
    g_autoptr(GPtrArray) names = kernel_confirmed(follower, look->differences);

    kernel_report(follower, look, names, SOURCE_LINKS);
    kernel_report(follower, look, names, SOURCE_NEIGHBOURS);
    for (guint i = 0; i < names->len; i++)
        difference_adopt(follower, g_hash_table_lookup(look->differences, names->pdata[i]));
}

static void kernel_recheck(Follower *follower)
{
    KernelLook look = {0};

    follower->kernel.recheck = FOLLOW_NEVER;
    if (kernel_suspects(follower) && kernel_look(follower, &look))
        kernel_believe(follower, &look);
    g_hash_table_remove_all(follower->kernel.suspects);
    kernel_look_clear(&look);
}

void follow_kernel_run(Follower *follower)
{
    FollowKernel *kernel = &follower->kernel;

    if (!kernel->followed)
        return;
    if (kernel->doubted) {
        if (follower->now >= kernel->due)
            kernel_resolve(follower);
        return;
    }
    if (follower->now >= kernel->recheck)
        kernel_recheck(follower);
}
