/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-session.h"

#include "base/error.h"
#include "sources/libvirt-fetch.h"

/*
 * Theory of operation.
 *
 * What is asked between two flushes is one batch of the pool. Each call that returns signals the hub, whose
 * run collects it here: in whatever order they return, and however many of the same batch hang.
 *
 * Slow is a call that runs for over a second. One that still waits for a worker is slow too if meanwhile
 * nothing at all came back for a second: so calls that hang hold back no sync, and a thousand that take their
 * turns are not called slow for standing in line.
 *
 * Agents answer from within guests, or do not. At most so many are asked at once, those that hang among them,
 * that the pool (which begins nothing more with sixteen calls outstanding) keeps most of its places for
 * libvirt itself. The others wait their turn here, with nobody waiting for them.
 */

#define SLOW_AFTER G_TIME_SPAN_SECOND
/* The first look at the clock after something was asked: by then a batch may use more workers. */
#define LOOK_AFTER (20 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    LibvirtAsk ask; /* first: what others see */
    const LibvirtCalls *calls;
    VirtDialled *dialled;
    gboolean files;
    gint64 began; /* written by the worker, under began_lock; 0: waits */
    gint64 asked; /* these are the main context's */
    gboolean slow;
    GList link; /* in LibvirtSession.outstanding */
} Call;

struct LibvirtSession {
    LibvirtHub *hub;
    LibvirtLine *line;
    const LibvirtCalls *calls;
    gboolean files;
    GPtrArray *asked;   /* Call: since the last flush */
    GQueue guests;      /* Call: agents that wait for their turn */
    guint guests_asked; /* outstanding ones */
    GQueue outstanding; /* Call: in batches */
    GPtrArray *batches; /* VirtBatch */
    gint64 progress;    /* when something came back last */
    gint64 look;        /* when to look at the clock: at each call, which would be too dear for each answer */
};

/* Of all calls: it is held for an assignment. */
static GMutex began_lock;

const LibvirtCalls libvirt_calls = {
    .dial = virt_dial,
    .list_domains = libvirt_list_domains,
    .list_networks = libvirt_list_networks,
    .fetch_domain = libvirt_fetch_domain,
    .fetch_network = libvirt_fetch_network,
    .fetch_leases = libvirt_fetch_leases,
    .fetch_agent = libvirt_fetch_agent,
};

/* ----------------------------------------------------------------------------------------- the call */

static void read_free(FollowKind kind, gpointer record)
{
    switch (kind) {
    case FOLLOW_DOMAIN:
        domain_free(record);
        return;
    case FOLLOW_NETWORK:
        network_free(record);
        return;
    case FOLLOW_LEASES:
        g_ptr_array_unref(record);
        return;
    case FOLLOW_KINDS:
        return;
    }
}

static void record_free(const LibvirtAsk *ask)
{
    if (!ask->record)
        return;
    if (ask->type == ASK_LIST)
        g_ptr_array_unref(ask->record);
    else if (ask->type == ASK_AGENT)
        g_array_unref(ask->record);
    else if (ask->type == ASK_READ)
        read_free(ask->kind, ask->record);
}

static void call_free(gpointer data)
{
    Call *call = data;

    record_free(&call->ask);
    g_free(call->ask.uuid);
    g_free(call->ask.partial);
    g_free(call);
}

static gboolean call_list(Call *call, virConnectPtr conn, GError **error)
{
    GPtrArray *listed = g_ptr_array_new_with_free_func((GDestroyNotify)follow_listed_free);

    call->ask.record = listed;
    return call->ask.kind == FOLLOW_DOMAIN ? call->calls->list_domains(conn, listed, error)
                                           : call->calls->list_networks(conn, listed, error);
}

static gpointer call_read(Call *call, virConnectPtr conn, GError **error)
{
    LibvirtAsk *ask = &call->ask;

    switch (ask->kind) {
    case FOLLOW_DOMAIN:
        return call->calls->fetch_domain(conn, ask->uuid, error);
    case FOLLOW_NETWORK:
        return call->calls->fetch_network(conn, ask->uuid, error);
    case FOLLOW_LEASES:
        return call->calls->fetch_leases(conn, ask->uuid, call->files, &ask->partial, error);
    case FOLLOW_KINDS:
        break;
    }
    g_assert_not_reached();
}

static gboolean call_ask(Call *call, virConnectPtr conn, GError **error)
{
    switch (call->ask.type) {
    case ASK_HELLO:
        return virt_hello(conn, call->dialled, error);
    case ASK_LIST:
        return call_list(call, conn, error);
    case ASK_READ:
        call->ask.record = call_read(call, conn, error);
        return call->ask.record != NULL;
    case ASK_AGENT:
        call->ask.record = call->calls->fetch_agent(conn, call->ask.uuid, error);
        return call->ask.record != NULL;
    }
    g_assert_not_reached();
}

/*
 * On a worker. With modular daemons a call may fail because another daemon cannot be reached, in the words of
 * a connection that is dead: this one is asked whether it is.
 */
static gboolean call_run(virConnectPtr conn, gpointer data, GError **error)
{
    Call *call = data;
    GError *cause = NULL;

    g_mutex_lock(&began_lock);
    call->began = g_get_monotonic_time();
    g_mutex_unlock(&began_lock);
    if (call_ask(call, conn, &cause))
        return TRUE;
    if (g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_UNREACHABLE) && virConnectIsAlive(conn) == 1)
        cause->code = VNAT_ERROR_FAILED;
    g_propagate_error(error, cause);
    return FALSE;
}

static gint64 call_began(const Call *call)
{
    gint64 began;

    g_mutex_lock(&began_lock);
    began = call->began;
    g_mutex_unlock(&began_lock);
    return began;
}

/* ------------------------------------------------------------------------------------------- asking */

LibvirtSession *libvirt_session_new(LibvirtHub *hub, const char *uri, gboolean readonly, LineEvents events,
                                    guint serial, const LibvirtCalls *calls)
{
    LibvirtSession *session = g_new0(LibvirtSession, 1);

    session->hub = libvirt_hub_ref(hub);
    session->line = libvirt_line_new(hub, uri, readonly, events, serial, calls->dial);
    session->calls = calls;
    session->asked = g_ptr_array_new();
    g_queue_init(&session->guests);
    g_queue_init(&session->outstanding);
    session->batches = g_ptr_array_new();
    session->look = G_MAXINT64;
    return session;
}

LibvirtLine *libvirt_session_line(LibvirtSession *session)
{
    return session->line;
}

void libvirt_session_set_files(LibvirtSession *session, gboolean files)
{
    session->files = files;
}

void libvirt_session_ask(LibvirtSession *session, AskType type, FollowKind kind, const char *uuid)
{
    Call *call = g_new0(Call, 1);

    call->ask = (LibvirtAsk){.type = type, .kind = kind, .uuid = g_strdup(uuid)};
    call->calls = session->calls;
    call->dialled = libvirt_line_dialled(session->line);
    call->files = session->files;
    call->link.data = call;
    if (type == ASK_AGENT)
        g_queue_push_tail(&session->guests, call);
    else
        g_ptr_array_add(session->asked, call);
}

static void wake(gpointer hub)
{
    libvirt_hub_signal(hub);
}

/* The hub lives as long as the batch notifies: the session ends its batches first. */
static void session_submit(LibvirtSession *session, GPtrArray *calls)
{
    gint64 now = g_get_monotonic_time();

    if (calls->len == 0)
        return;
    for (guint i = 0; i < calls->len; i++) {
        Call *call = calls->pdata[i];

        call->asked = now;
        g_queue_push_tail_link(&session->outstanding, &call->link);
    }
    g_ptr_array_add(session->batches,
                    virt_batch_submit(libvirt_line_pool(session->line), "libvirt", call_run, calls->pdata,
                                      calls->len, call_free, VIRT_BULK, wake, session->hub));
    g_ptr_array_set_size(calls, 0);
    session->look = MIN(session->look, now + LOOK_AFTER);
}

gint64 libvirt_session_flush(LibvirtSession *session)
{
    g_autoptr(GPtrArray) guests = g_ptr_array_new();

    session_submit(session, session->asked);
    for (; session->guests_asked < VIRT_GUESTS && session->guests.length > 0; session->guests_asked++)
        g_ptr_array_add(guests, g_queue_pop_head(&session->guests));
    session_submit(session, guests);
    return session->look;
}

/* ------------------------------------------------------------------------------------------ hearing */

typedef struct {
    LibvirtSession *session;
    const LibvirtHear *hear;
    gpointer data;
} Hearing;

static void session_take(gpointer item, const GError *error, gboolean returned G_GNUC_UNUSED, gpointer data)
{
    const Hearing *hearing = data;
    LibvirtSession *session = hearing->session;
    Call *call = item;

    g_queue_unlink(&session->outstanding, &call->link);
    session->progress = g_get_monotonic_time();
    if (call->ask.type == ASK_AGENT)
        session->guests_asked--;
    hearing->hear->answered(&call->ask, error, hearing->data);
    call_free(call);
}

static void session_collect(Hearing *hearing)
{
    GPtrArray *batches = hearing->session->batches;

    for (guint i = batches->len; i > 0; i--) {
        VirtBatch *batch = batches->pdata[i - 1];

        if (!virt_batch_collect(batch, session_take, hearing))
            continue;
        virt_batch_end(batch, NULL, NULL);
        g_ptr_array_remove_index(batches, i - 1);
    }
}

/* When it is slow unless it returns. */
static gint64 call_slow_at(const LibvirtSession *session, const Call *call)
{
    gint64 began = call_began(call);

    return (began ? began : MAX(call->asked, session->progress)) + SLOW_AFTER;
}

/* Returns when the next one turns slow. */
static gint64 session_tell_slow(const Hearing *hearing, gint64 now)
{
    gint64 next = G_MAXINT64;

    for (GList *l = hearing->session->outstanding.head; l; l = l->next) {
        Call *call = l->data;
        gint64 when = call_slow_at(hearing->session, call);

        if (call->slow)
            continue;
        if (now < when) {
            next = MIN(next, when);
            continue;
        }
        call->slow = TRUE;
        hearing->hear->slow(&call->ask, hearing->data);
    }
    return next;
}

/* Whether the pool's clock matters: not while all that is outstanding runs, is known to be slow, and was
 * poked as long as that helps. */
static gboolean session_is_stuck(const LibvirtSession *session, gint64 now)
{
    for (const GList *l = session->outstanding.head; l; l = l->next) {
        const Call *call = l->data;
        gint64 began = call_began(call);

        if (!call->slow || began == 0 || now < began + VIRT_POKED_FOR)
            return FALSE;
    }
    return TRUE;
}

static gint64 session_tick(const LibvirtSession *session, gint64 now)
{
    gint64 next = G_MAXINT64;
    gboolean stuck;

    for (guint i = 0; i < session->batches->len; i++) {
        gint64 tick = virt_batch_tick(session->batches->pdata[i], now, &stuck);

        next = MIN(next, tick);
    }
    return session_is_stuck(session, now) ? G_MAXINT64 : next;
}

gint64 libvirt_session_run(LibvirtSession *session, gint64 now, const LibvirtHear *hear, gpointer data)
{
    Hearing hearing = {session, hear, data};
    gint64 slow, tick;

    session_collect(&hearing);
    libvirt_session_flush(session);
    if (session->outstanding.length == 0)
        session->look = G_MAXINT64;
    if (now < session->look)
        return session->look;
    slow = session_tell_slow(&hearing, now);
    tick = session_tick(session, now);
    session->look = MIN(slow, tick);
    return session->look;
}

/* --------------------------------------------------------------------------------------------- end */

static void free_returned(gpointer item, const GError *error G_GNUC_UNUSED, gboolean returned,
                          gpointer data G_GNUC_UNUSED)
{
    if (returned)
        call_free(item);
}

void libvirt_session_close(LibvirtSession *session)
{
    if (!session)
        return;
    for (guint i = 0; i < session->batches->len; i++)
        virt_batch_end(session->batches->pdata[i], free_returned, NULL);
    libvirt_line_close(session->line);
    g_ptr_array_set_free_func(session->asked, call_free);
    g_ptr_array_unref(session->asked);
    g_queue_clear_full(&session->guests, call_free);
    g_ptr_array_unref(session->batches);
    libvirt_hub_unref(session->hub);
    g_free(session);
}
