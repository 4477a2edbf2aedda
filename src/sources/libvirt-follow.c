/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-follow.h"

#include "base/error.h"
#include "sources/libvirt-fetch.h"
#include "sources/libvirt-network-events.h"

#include <libvirt-glib/libvirt-glib.h>

/*
 * Theory of operation.
 *
 * libvirt's sockets and timers are sources of the default main context (gvir_event_register), which is all
 * the loop there is. A session is one connection; its life:
 *
 *     NONE ──connect──> DIALLING ──hello──> READY ──told──> UP
 *       ^                   │ (fails)                       │ (closed, dead)
 *       └───────────────────┴───────────────────────────────┘
 *
 * DIALLING may last for ever, where the daemon is stopped. After HELLO_WITHIN the follower is told that
 * connecting failed, but the attempt goes on: the next connect() only waits for it again, so that a daemon
 * that stays stopped costs one socket and not one for each attempt. If it comes to READY while nobody waits,
 * it stays so until the next connect().
 *
 * A session that ends is closed aside, and a new one has nothing of it: what was asked is not answered. The
 * line's serial tells its last words from those of its successor.
 *
 * Addresses of guests' agents are kept here, by domain: a domain is answered at once with those that were
 * known, and its agent asked after that, if it is connected. Where it says something else the domain is
 * touched, so that it is read again, which then takes the agent's word as it is and does not ask.
 */

#define HELLO_WITHIN (5 * G_TIME_SPAN_SECOND)
/* So long the first list waits for the connection to the network's daemon. */
#define EVENTS_WITHIN G_TIME_SPAN_SECOND
#define CLOSE_WITHIN 0.2

typedef enum { STATE_NONE, STATE_DIALLING, STATE_READY, STATE_UP } State;

typedef struct {
    GArray *addresses; /* AgentAddress; never changed, only replaced */
    gboolean fresh;    /* not asked again at the next reading */
    gboolean asked;
} Agent;

struct LibvirtFollow {
    const FollowTell *tell;
    gpointer data;
    char *uri;
    gboolean readonly;
    const LibvirtCalls *calls;
    char *network_socket;
    LibvirtHub *hub;
    guint serial; /* of the newest line */

    State state;
    LibvirtSession *session; /* not with STATE_NONE */
    gboolean wanted;         /* the follower waits for connected or lost */
    gint64 ready_by;         /* DIALLING: when it is told that this failed; READY: when it is told whatever */
    char *reported;          /* READY, UP: URI */
    gboolean agents_may;     /* READY, UP: agents may be asked */
    GError *failure;         /* of the last attempt to connect */
    GError *dead;            /* why the session is at its end */
    NetworkEvents *events;
    GHashTable *agents; /* uuid to Agent */
    gboolean told;      /* something, in this run */
};

/* ------------------------------------------------------------------------------------------- agents */

static void agent_free(gpointer data)
{
    Agent *agent = data;

    g_array_unref(agent->addresses);
    g_free(agent);
}

static Agent *agent_of(LibvirtFollow *follow, const char *uuid)
{
    Agent *agent = g_hash_table_lookup(follow->agents, uuid);

    if (!agent) {
        agent = g_new0(Agent, 1);
        agent->addresses = g_array_new(FALSE, FALSE, sizeof(AgentAddress));
        g_hash_table_insert(follow->agents, g_strdup(uuid), agent);
    }
    return agent;
}

static gboolean addresses_equal(const GArray *a, const GArray *b)
{
    gboolean equal = a->len == b->len;

    for (guint i = 0; equal && i < a->len; i++) {
        const AgentAddress *x = &g_array_index(a, AgentAddress, i);
        const AgentAddress *y = &g_array_index(b, AgentAddress, i);

        equal =
            mac_equal(&x->mac, &y->mac) && ip_equal(&x->net.ip, &y->net.ip) && x->net.prefix == y->net.prefix;
    }
    return equal;
}

/* Gives a domain that was read what its agent said last, and asks it anew. */
static void agent_apply(LibvirtFollow *follow, Domain *domain)
{
    Agent *agent;

    if (domain->id < 0 || !domain->agent_connected) {
        g_hash_table_remove(follow->agents, domain->uuid);
        return;
    }
    agent = agent_of(follow, domain->uuid);
    g_array_unref(domain->agent);
    domain->agent = g_array_ref(agent->addresses);
    if (!agent->fresh && !agent->asked && follow->agents_may && domain->state == DOMAIN_RUNNING) {
        agent->asked = TRUE;
        libvirt_session_ask(follow->session, ASK_AGENT, FOLLOW_DOMAIN, domain->uuid);
    }
    agent->fresh = FALSE;
}

/* One that does not answer keeps what it said. */
static void agent_answered(LibvirtFollow *follow, LibvirtAsk *ask)
{
    Agent *agent = g_hash_table_lookup(follow->agents, ask->uuid);

    if (!agent)
        return;
    agent->asked = FALSE;
    if (!ask->record || addresses_equal(agent->addresses, ask->record))
        return;
    g_array_unref(agent->addresses);
    agent->addresses = g_steal_pointer(&ask->record);
    agent->fresh = TRUE;
    follow->told = TRUE;
    follow->tell->touch(follow->data, FOLLOW_DOMAIN, ask->uuid);
}

static void agents_forget_unlisted(LibvirtFollow *follow, const GPtrArray *listed)
{
    g_autoptr(GHashTable) uuids = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer uuid;

    for (guint i = 0; i < listed->len; i++)
        g_hash_table_add(uuids, ((FollowListed *)listed->pdata[i])->uuid);
    g_hash_table_iter_init(&iter, follow->agents);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        if (!g_hash_table_contains(uuids, uuid))
            g_hash_table_iter_remove(&iter);
    }
}

/* ------------------------------------------------------------------------------------------ session */

static void session_begin(LibvirtFollow *follow)
{
    follow->session = libvirt_session_new(follow->hub, follow->uri, follow->readonly,
                                          LINE_DOMAINS | LINE_NETWORKS, ++follow->serial, follow->calls);
    follow->state = STATE_DIALLING;
    libvirt_session_ask(follow->session, ASK_HELLO, FOLLOW_KINDS, NULL);
    libvirt_session_flush(follow->session);
}

/* With it goes that agents were asked over it. */
static void session_end(LibvirtFollow *follow)
{
    GHashTableIter iter;
    gpointer agent;

    g_clear_pointer(&follow->session, libvirt_session_close);
    g_clear_pointer(&follow->reported, g_free);
    g_clear_error(&follow->dead);
    follow->state = STATE_NONE;
    g_hash_table_iter_init(&iter, follow->agents);
    while (g_hash_table_iter_next(&iter, NULL, &agent))
        ((Agent *)agent)->asked = FALSE;
}

static void tell_lost(LibvirtFollow *follow, const GError *why)
{
    follow->wanted = FALSE;
    follow->told = TRUE;
    follow->tell->lost(follow->data, why);
}

/* It failed to come up, or is dead. Whoever waits for it, or had it, is told. */
static void session_fail(LibvirtFollow *follow)
{
    g_autoptr(GError) why = g_steal_pointer(&follow->dead);
    gboolean was_up = follow->state == STATE_UP;

    if (!was_up) {
        g_clear_error(&follow->failure);
        follow->failure = g_error_copy(why);
    }
    session_end(follow);
    if (was_up || follow->wanted)
        tell_lost(follow, why);
}

static void session_ready(LibvirtFollow *follow)
{
    LibvirtLine *line = libvirt_session_line(follow->session);
    const VirtDialled *dialled = libvirt_line_dialled(line);

    follow->state = STATE_READY;
    follow->ready_by = g_get_monotonic_time() + EVENTS_WITHIN;
    follow->reported = g_strdup(dialled->reported);
    follow->agents_may = !dialled->readonly;
    virt_pool_set_width(libvirt_line_pool(line), virt_bulk_width(dialled->libversion));
    libvirt_session_set_files(follow->session, libvirt_files_here(follow->reported));
}

/* Only the system's qemu and lxc daemons share a network daemon. */
static void events_begin(LibvirtFollow *follow)
{
    static const char *const system[] = {"qemu:///system", "lxc:///system", NULL};

    if (follow->events || !g_strv_contains(system, follow->uri) || !follow->network_socket ||
        !g_file_test(follow->network_socket, G_FILE_TEST_EXISTS))
        return;
    follow->events = network_events_new(follow->hub, "network:///system", follow->calls, &follow->serial,
                                        follow->tell, follow->data);
}

/* ------------------------------------------------------------------------------------------ answers */

static void set_dead(LibvirtFollow *follow, const GError *why)
{
    if (!follow->dead)
        follow->dead = g_error_copy(why);
}

static void listed(LibvirtFollow *follow, LibvirtAsk *ask, const GError *error)
{
    if (!error && ask->kind == FOLLOW_DOMAIN)
        agents_forget_unlisted(follow, ask->record);
    follow->told = TRUE;
    follow->tell->listed(follow->data, ask->kind, error ? NULL : g_steal_pointer(&ask->record), error);
}

static void answered(LibvirtFollow *follow, LibvirtAsk *ask, const GError *error)
{
    if (ask->kind == FOLLOW_DOMAIN && !error)
        agent_apply(follow, ask->record);
    else if (ask->kind == FOLLOW_DOMAIN && g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        g_hash_table_remove(follow->agents, ask->uuid);
    follow->told = TRUE;
    follow->tell->answered(follow->data, ask->kind, ask->uuid, g_steal_pointer(&ask->record), ask->partial,
                           error);
}

static void on_answer(LibvirtAsk *ask, const GError *error, gpointer data)
{
    LibvirtFollow *follow = data;

    switch (ask->type) {
    case ASK_HELLO:
        if (!error)
            session_ready(follow);
        else
            set_dead(follow, error);
        return;
    case ASK_LIST:
        listed(follow, ask, error);
        break;
    case ASK_READ:
        answered(follow, ask, error);
        break;
    case ASK_AGENT:
        agent_answered(follow, ask);
        break;
    }
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_UNREACHABLE))
        set_dead(follow, error);
}

static void on_slow(const LibvirtAsk *ask, gpointer data)
{
    LibvirtFollow *follow = data;

    if (ask->type != ASK_READ)
        return;
    follow->told = TRUE;
    follow->tell->slow(follow->data, ask->kind, ask->uuid);
}

/* -------------------------------------------------------------------------------------------- notes */

static void note_closed(LibvirtFollow *follow, const HubNote *note)
{
    g_autoptr(GError) why = NULL;

    if (follow->session && note->serial == libvirt_line_serial(libvirt_session_line(follow->session))) {
        vnat_error_set(&why, VNAT_ERROR_UNREACHABLE, "%s", libvirt_close_reason(note->reason));
        set_dead(follow, why);
    } else if (follow->events) {
        network_events_closed(follow->events, note);
    }
}

static void notes_take(LibvirtFollow *follow)
{
    HubNote *note;

    while ((note = libvirt_hub_take(follow->hub))) {
        if (note->type == HUB_CLOSED) {
            note_closed(follow, note);
        } else if (follow->state == STATE_UP) {
            follow->told = TRUE;
            follow->tell->touch(follow->data, note->kind, note->uuid);
        }
        g_free(note);
    }
}

/* ---------------------------------------------------------------------------------------------- run */

static void session_up(LibvirtFollow *follow)
{
    follow->state = STATE_UP;
    follow->wanted = FALSE;
    follow->told = TRUE;
    g_clear_error(&follow->failure);
    follow->tell->connected(follow->data, follow->reported, virt_uri_is_local(follow->reported));
}

static void hello_late(LibvirtFollow *follow)
{
    g_clear_error(&follow->failure);
    virt_error_no_answer(follow->uri, &follow->failure);
    tell_lost(follow, follow->failure);
}

/* What the state and the time ask for. Returns when to look again. */
static gint64 session_step(LibvirtFollow *follow, gint64 now)
{
    gboolean in_time = now < follow->ready_by;

    if (!follow->wanted)
        return G_MAXINT64;
    if (follow->state == STATE_DIALLING && in_time)
        return follow->ready_by;
    if (follow->state == STATE_DIALLING) {
        hello_late(follow);
    } else if (follow->state == STATE_READY) {
        if (follow->events && !network_events_settled(follow->events) && in_time)
            return follow->ready_by;
        session_up(follow);
    }
    return G_MAXINT64;
}

/* Everything that happens comes through here, on the main context. */
static void follow_run(gpointer data)
{
    static const LibvirtHear hear = {on_answer, on_slow};
    LibvirtFollow *follow = data;
    gint64 now = g_get_monotonic_time();
    gint64 next = G_MAXINT64;
    gint64 events, step;

    follow->told = FALSE;
    notes_take(follow);
    if (follow->session)
        next = libvirt_session_run(follow->session, now, &hear, follow);
    if (follow->dead) {
        session_fail(follow);
        next = G_MAXINT64;
    }
    events = follow->events ? network_events_run(follow->events, now, &follow->told) : G_MAXINT64;
    next = MIN(next, events);
    step = session_step(follow, now);
    libvirt_hub_run_at(follow->hub, MIN(next, step));
    if (follow->told)
        follow->tell->news(follow->data);
}

/* ------------------------------------------------------------------------------------------- outside */

LibvirtFollow *libvirt_follow_new(const char *uri, gboolean readonly, const LibvirtCalls *calls,
                                  const char *network_socket, const FollowTell *tell, gpointer data)
{
    static gsize registered;
    LibvirtFollow *follow = g_new0(LibvirtFollow, 1);

    if (g_once_init_enter(&registered)) {
        virt_silence();
        gvir_event_register();
        g_once_init_leave(&registered, 1);
    }
    follow->tell = tell;
    follow->data = data;
    follow->uri = g_strdup(uri);
    follow->readonly = readonly;
    follow->calls = calls ? calls : &libvirt_calls;
    follow->network_socket = g_strdup(network_socket);
    follow->hub = libvirt_hub_new(follow_run, follow);
    follow->agents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, agent_free);
    return follow;
}

void libvirt_follow_free(LibvirtFollow *follow)
{
    if (!follow)
        return;
    libvirt_hub_close(follow->hub);
    session_end(follow);
    network_events_free(follow->events);
    g_hash_table_unref(follow->agents);
    g_clear_error(&follow->failure);
    g_free(follow->network_socket);
    g_free(follow->uri);
    g_free(follow);
    virt_pools_closed(deadline_in(CLOSE_WITHIN));
}

void libvirt_follow_connect(LibvirtFollow *follow)
{
    follow->wanted = TRUE;
    if (follow->state != STATE_READY)
        follow->ready_by = g_get_monotonic_time() + HELLO_WITHIN;
    events_begin(follow);
    if (follow->state == STATE_NONE)
        session_begin(follow);
    libvirt_hub_signal(follow->hub);
}

void libvirt_follow_list(LibvirtFollow *follow, FollowKind kind)
{
    if (follow->state == STATE_UP)
        libvirt_session_ask(follow->session, ASK_LIST, kind, NULL);
}

void libvirt_follow_read(LibvirtFollow *follow, FollowKind kind, const char *uuid)
{
    if (follow->state == STATE_UP)
        libvirt_session_ask(follow->session, ASK_READ, kind, uuid);
}

void libvirt_follow_flush(LibvirtFollow *follow)
{
    if (follow->state == STATE_UP)
        libvirt_hub_run_by(follow->hub, libvirt_session_flush(follow->session));
}

const GError *libvirt_follow_failure(const LibvirtFollow *follow)
{
    return follow->failure;
}

gboolean libvirt_follow_files_here(const char *uri)
{
    return libvirt_files_here(uri);
}
