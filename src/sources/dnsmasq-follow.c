/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/dnsmasq-follow.h"

#include "sources/directory-follow.h"
#include "sources/processes.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Theory of operation.
 *
 * Everything that happens is a hint, and makes one reading of all a little later: by then what came with it
 * (the network's own reading, the pid file of a successor) has arrived too. The map is given a reading only
 * if it says something else than the one before, since it looks at every network again then.
 *
 * A follower that has just begun does not wait for that, or its first snapshot would know of no dnsmasq: the
 * second run after a touch reads too, for by then the first has put the network into the map.
 *
 * A process is watched from the reading on that found it. It may end, and its number be another's, before the
 * watch is there: so a reading that made a new watch is followed by another.
 */

#define SOON_MS 20
#define READ_SECONDS 1.0

/* A process that is watched. */
typedef struct {
    gint pid;
    int fd;
    guint source;
} Watch;

struct DnsmasqFollow {
    LiveMap *live;
    void (*changed)(gpointer data);
    gpointer data;
    DirectoryFollow *directory;
    guint soon;          /* of the main context; 0: no reading is due */
    guint runs;          /* of the follower, until a reading that does not wait for that; 0: none */
    GHashTable *watches; /* pid to Watch */
    GHashTable *seen;    /* network to the pid that was seen alive last */
    char *known;         /* the reading before, as text */
};

static void watch_free(gpointer data)
{
    Watch *watch = data;

    g_source_remove(watch->source);
    close(watch->fd);
    g_free(watch);
}

/* --------------------------------------------------------------------------------------- processes */

static gboolean on_exit_of(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data);

/* Returns whether it is a new one. */
static gboolean watch_process(DnsmasqFollow *follow, gint pid)
{
    Watch *watch;
    int fd;

    if (g_hash_table_contains(follow->watches, GINT_TO_POINTER(pid)))
        return FALSE;
    fd = (int)syscall(SYS_pidfd_open, pid, 0);
    /* It has gone already: the next reading will say so. Or the kernel is older than 5.3. */
    if (fd < 0)
        return FALSE;
    watch = g_new0(Watch, 1);
    watch->pid = pid;
    watch->fd = fd;
    watch->source = g_unix_fd_add(fd, G_IO_IN, on_exit_of, follow);
    g_hash_table_insert(follow->watches, GINT_TO_POINTER(pid), watch);
    return TRUE;
}

static gboolean watch_is_unneeded(gpointer pid, gpointer watch G_GNUC_UNUSED, gpointer dnsmasqs)
{
    const GPtrArray *array = dnsmasqs;

    for (guint i = 0; i < array->len; i++) {
        const Dnsmasq *dnsmasq = array->pdata[i];

        if (dnsmasq->alive && dnsmasq->pid == GPOINTER_TO_INT(pid))
            return FALSE;
    }
    return TRUE;
}

/* Returns whether there is a new one among them. */
static gboolean watch_all(DnsmasqFollow *follow, GPtrArray *dnsmasqs)
{
    gboolean any = FALSE;

    g_hash_table_foreach_remove(follow->watches, watch_is_unneeded, dnsmasqs);
    for (guint i = 0; i < dnsmasqs->len; i++) {
        const Dnsmasq *dnsmasq = dnsmasqs->pdata[i];

        if (dnsmasq->alive && dnsmasq->pid > 0)
            any = watch_process(follow, dnsmasq->pid) || any;
    }
    return any;
}

/* ----------------------------------------------------------------------------------------- reading */

/* What of a reading counts. */
static char *reading_text(const GPtrArray *dnsmasqs, SourceState state)
{
    GString *text = g_string_new(source_state_name(state));

    for (guint i = 0; i < dnsmasqs->len; i++) {
        const Dnsmasq *dnsmasq = dnsmasqs->pdata[i];

        g_string_append_printf(text, "\n%s %d %d %d %d %d %d", dnsmasq->network, dnsmasq->pid, dnsmasq->alive,
                               dnsmasq->lost, dnsmasq->unknown, dnsmasq->owner, dnsmasq->no_lease_file);
    }
    return g_string_free(text, FALSE);
}

/* The map's networks, borrowed. */
static Facts *networks_of(const LiveMap *live)
{
    g_autoptr(GHashTable) uuids = live_map_network_uuids(live);
    Facts *facts = facts_new();
    GHashTableIter iter;
    gpointer uuid;

    g_ptr_array_set_free_func(facts->networks, NULL);
    g_hash_table_iter_init(&iter, uuids);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_ptr_array_add(facts->networks, (gpointer)live_map_network(live, uuid));
    return facts;
}

static gint dnsmasq_compare(gconstpointer a, gconstpointer b)
{
    const Dnsmasq *const *x = a, *const *y = b;

    return strcmp((*x)->network, (*y)->network);
}

/*
 * With the daemon gone a pid file may be of another pid namespace, so that a process which is not there is
 * called unknown. One that was alive here is not: it has ended.
 */
static void judge(DnsmasqFollow *follow, GPtrArray *dnsmasqs)
{
    for (guint i = 0; i < dnsmasqs->len; i++) {
        Dnsmasq *dnsmasq = dnsmasqs->pdata[i];
        gint seen = GPOINTER_TO_INT(g_hash_table_lookup(follow->seen, dnsmasq->network));

        if (dnsmasq->alive)
            g_hash_table_insert(follow->seen, g_strdup(dnsmasq->network), GINT_TO_POINTER(dnsmasq->pid));
        else if (seen > 0 && seen == dnsmasq->pid)
            dnsmasq->unknown = FALSE;
    }
}

static void adopt(DnsmasqFollow *follow, Facts *facts)
{
    const SourceStatus *status = &facts->sources[SOURCE_PROCESSES];
    g_autofree char *text = reading_text(facts->dnsmasqs, status->state);

    if (g_strcmp0(text, follow->known) == 0)
        return;
    g_free(follow->known);
    follow->known = g_steal_pointer(&text);
    live_map_set_source(follow->live, SOURCE_PROCESSES, status->state, status->error);
    live_map_put_dnsmasqs(follow->live, g_ptr_array_ref(facts->dnsmasqs));
    follow->changed(follow->data);
}

static void read_all(DnsmasqFollow *follow)
{
    g_autoptr(Facts) facts = networks_of(follow->live);

    processes_read(facts, FALSE, deadline_in(READ_SECONDS), NULL);
    g_ptr_array_sort(facts->dnsmasqs, dnsmasq_compare);
    judge(follow, facts->dnsmasqs);
    if (watch_all(follow, facts->dnsmasqs))
        dnsmasq_follow_touch(follow);
    adopt(follow, facts);
}

static gboolean on_soon(gpointer data)
{
    DnsmasqFollow *follow = data;

    follow->soon = 0;
    follow->runs = 0;
    read_all(follow);
    return G_SOURCE_REMOVE;
}

void dnsmasq_follow_touch(DnsmasqFollow *follow)
{
    follow->runs = 2;
    if (follow->soon == 0)
        follow->soon = g_timeout_add(SOON_MS, on_soon, follow);
}

void dnsmasq_follow_run(DnsmasqFollow *follow)
{
    if (follow->runs > 0 && --follow->runs == 0)
        read_all(follow);
}

/* ------------------------------------------------------------------------------------------- hints */

/* It stays readable: the reading takes the watch away, but that is later. */
static gboolean on_exit_of(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    DnsmasqFollow *follow = data;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, follow->watches);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((Watch *)value)->fd == fd)
            g_hash_table_iter_remove(&iter);
    }
    dnsmasq_follow_touch(follow);
    return G_SOURCE_CONTINUE;
}

static gboolean on_file(gpointer data, const char *name)
{
    if (!g_str_has_suffix(name, ".pid"))
        return FALSE;
    dnsmasq_follow_touch(data);
    return FALSE;
}

static void on_directory(gpointer data, const char *why G_GNUC_UNUSED)
{
    dnsmasq_follow_touch(data);
}

static void on_missed(gpointer data)
{
    dnsmasq_follow_touch(data);
}

/* Told is who is told of a reading. */
static void on_news(gpointer data G_GNUC_UNUSED)
{
}

/* -------------------------------------------------------------------------------------------- life */

DnsmasqFollow *dnsmasq_follow_new(const char *run_directory, LiveMap *live, void (*changed)(gpointer data),
                                  gpointer data)
{
    static const DirectoryTell hear = {on_file, on_directory, on_missed, on_news};
    DnsmasqFollow *follow = g_new0(DnsmasqFollow, 1);

    follow->live = live;
    follow->changed = changed;
    follow->data = data;
    follow->watches = g_hash_table_new_full(NULL, NULL, NULL, watch_free);
    follow->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    follow->directory = directory_follow_new(run_directory, &hear, follow);
    return follow;
}

void dnsmasq_follow_free(DnsmasqFollow *follow)
{
    if (!follow)
        return;
    if (follow->soon)
        g_source_remove(follow->soon);
    directory_follow_free(follow->directory);
    g_hash_table_unref(follow->watches);
    g_hash_table_unref(follow->seen);
    g_free(follow->known);
    g_free(follow);
}
