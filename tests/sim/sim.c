/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include "base/error.h"
#include "checks/check.h"

#include <string.h>

/*
 * Virtual time: an agenda of what is on its way, and the follower's own timer. The clock jumps to whatever is
 * next. What was told wakes the follower a little later, as a main loop does; by then more may have come.
 */

#define EVENT_DELAY (300 * SIM_MS)
#define ANSWER_DELAY (60 * SIM_MS)
#define WAKE_DELAY (3 * SIM_MS)
#define SPINNING 50 /* runs at one moment */

typedef enum {
    SIM_TOUCH,
    SIM_WRITTEN,
    SIM_BRIDGE,
    SIM_DOUBT,
    SIM_ATTEMPT,
    SIM_LOST,
    SIM_SAMPLE,
    SIM_ANSWER,
    SIM_SLOW,
    SIM_CLOCK
} SimType;

typedef struct {
    SimType type;
    gint64 at;
    guint64 serial;
    guint session;
    FollowKind kind;
    char *name;
    SourceId source;
    guint64 call; /* its serial */
} SimEvent;

void sim_fail(Sim *sim, const char *format, ...)
{
    va_list args;

    if (sim->failure)
        return;
    va_start(args, format);
    sim->failure = g_strdup_vprintf(format, args);
    va_end(args);
}

gint64 sim_wall(const Sim *sim)
{
    return SIM_EPOCH * SIM_SECOND + sim->now + sim->wall_offset;
}

gint64 sim_delay(Sim *sim, gint64 most)
{
    if (sim->calm)
        return 0;
    /* Mostly short. */
    return (gint64)((double)most * g_rand_double(sim->random) * g_rand_double(sim->random));
}

static gboolean chance(Sim *sim, double of)
{
    return !sim->calm && g_rand_double(sim->random) < of;
}

/* ------------------------------------------------------------------------------------------- agenda */

static void event_free(gpointer data)
{
    SimEvent *event = data;

    g_free(event->name);
    g_free(event);
}

static gint compare_events(gconstpointer a, gconstpointer b, gpointer data)
{
    const SimEvent *left = a, *right = b;

    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->serial < right->serial ? -1 : left->serial > right->serial;
}

static SimEvent *agenda_add(Sim *sim, SimType type, gint64 delay)
{
    SimEvent *event = g_new0(SimEvent, 1);

    event->type = type;
    event->at = sim->now + delay;
    event->serial = sim->serial++;
    event->session = sim->session;
    g_sequence_insert_sorted(sim->agenda, event, compare_events, NULL);
    return event;
}

static void wake(Sim *sim)
{
    gint64 at = sim->now + sim_delay(sim, WAKE_DELAY);

    sim->told++;
    if (sim->woken > at)
        sim->woken = at;
}

/* ------------------------------------------------------------------------------------ the host speaks */

void sim_message(Sim *sim, const SimMessage *message)
{
    if (sim->losing > 0) {
        sim->losing--;
        sim->overrun = TRUE;
        link_free(message->link);
    } else {
        g_queue_push_tail(&sim->kernel, g_memdup2(message, sizeof(*message)));
    }
    if (sim->follower)
        wake(sim);
}

void sim_event(Sim *sim, FollowKind kind, const char *uuid)
{
    guint times = chance(sim, 0.1) ? 2 : 1;

    if (!sim->follower || sim->away)
        return;
    if (sim->losing_events) {
        sim->losing_events = FALSE;
        sim_doubt(sim, SOURCE_LIBVIRT);
        return;
    }
    for (guint i = 0; i < times; i++) {
        SimEvent *event = agenda_add(sim, SIM_TOUCH, sim_delay(sim, EVENT_DELAY));

        event->kind = kind;
        event->name = g_strdup(uuid);
    }
}

void sim_written(Sim *sim, FollowKind kind, const char *name)
{
    SimEvent *event;

    if (!sim->follower)
        return;
    event = agenda_add(sim, SIM_WRITTEN, sim_delay(sim, EVENT_DELAY));
    event->kind = kind;
    if (!sim->losing_events)
        event->name = g_strdup(name);
    sim->losing_events = FALSE;
}

void sim_lease_event(Sim *sim, const char *bridge)
{
    if (sim->follower)
        agenda_add(sim, SIM_BRIDGE, sim_delay(sim, EVENT_DELAY))->name = g_strdup(bridge);
}

void sim_doubt(Sim *sim, SourceId source)
{
    agenda_add(sim, SIM_DOUBT, sim_delay(sim, EVENT_DELAY))->source = source;
}

void sim_clock(Sim *sim, gint64 seconds)
{
    sim->wall_offset += seconds * SIM_SECOND;
    agenda_add(sim, SIM_CLOCK, sim_delay(sim, WAKE_DELAY));
}

static void call_free(SimCall *call)
{
    g_free(call->uuid);
    if (call->record && call->kind == FOLLOW_DOMAIN)
        domain_free(call->record);
    else if (call->record && call->kind == FOLLOW_NETWORK)
        network_free(call->record);
    else if (call->record)
        g_ptr_array_unref(call->record);
    g_clear_pointer(&call->listed, g_ptr_array_unref);
    g_clear_error(&call->error);
    g_free(call);
}

/* Whatever goes over the connection is gone with it: what was asked, and the events. */
static void connection_drop(Sim *sim)
{
    sim->session++;
    sim->connected = FALSE;
    g_ptr_array_set_size(sim->calls, 0);
}

void sim_kill(Sim *sim)
{
    gboolean tell = sim->connected || sim->connecting;

    sim->away = TRUE;
    connection_drop(sim);
    sim->losing_connection = sim->losing_connection || tell;
    if (tell)
        agenda_add(sim, SIM_LOST, sim_delay(sim, 20 * SIM_MS));
}

void sim_revive(Sim *sim)
{
    sim->away = FALSE;
}

/* --------------------------------------------------------------------------------------- the answers */

static void call_answer(Sim *sim, SimCall *call)
{
    SimGuest *guest = call->uuid && call->kind == FOLLOW_DOMAIN ? sim_guest(sim, call->uuid) : NULL;

    if (!call->uuid)
        follower_listed(sim->follower, call->kind, g_steal_pointer(&call->listed), call->error);
    else
        follower_answered(sim->follower, call->kind, call->uuid, g_steal_pointer(&call->record), NULL,
                          call->error);
    if (guest && !call->error)
        guest->read_asked = call->asked;
    g_ptr_array_remove(sim->calls, call);
}

/* ----------------------------------------------------------------------------------- the world's functions
 */

static Sim *sim_of(FollowWorld *world)
{
    return (Sim *)world;
}

static void world_connect(FollowWorld *world)
{
    Sim *sim = sim_of(world);

    if (sim->connected || sim->connecting)
        sim_fail(sim, "connect while connected");
    sim->connecting = TRUE;
    agenda_add(sim, SIM_ATTEMPT, sim_delay(sim, ANSWER_DELAY));
}

/* Till when a call about this is not answered. */
static gint64 call_hangs(Sim *sim, const SimCall *call)
{
    const SimNetwork *network;

    if (!call->uuid)
        return sim->list_hangs;
    if (call->kind == FOLLOW_DOMAIN)
        return sim_guest(sim, call->uuid) ? sim_guest(sim, call->uuid)->hangs : 0;
    network = sim_network(sim, call->uuid);
    return network ? network->hangs : 0;
}

/* The connection is closed, and the follower does not know yet. */
static void call_unreachable(Sim *sim, SimCall *call)
{
    if (!sim->losing_connection)
        sim_fail(sim, "asked without a connection");
    if (chance(sim, 0.5))
        return;
    sim_refuse(call, VNAT_ERROR_UNREACHABLE, "client socket is closed");
    agenda_add(sim, SIM_ANSWER, sim_delay(sim, 5 * SIM_MS))->call = call->serial;
}

/* How long after it was asked an answer that takes so long is true. */
static gint64 sample_after(Sim *sim, gint64 takes)
{
    if (sim->early)
        return 0;
    return sim->calm ? takes : (gint64)((double)takes * g_rand_double(sim->random));
}

static void call_begin(Sim *sim, FollowKind kind, const char *uuid)
{
    SimCall *call = g_new0(SimCall, 1);
    gint64 takes = sim_delay(sim, ANSWER_DELAY), hangs;

    call->kind = kind;
    call->uuid = g_strdup(uuid);
    call->serial = sim->serial++;
    call->asked = sim->now;
    for (guint i = 0; i < sim->calls->len; i++) {
        const SimCall *other = sim->calls->pdata[i];

        if (other->kind == kind && g_strcmp0(other->uuid, uuid) == 0)
            sim_fail(sim, "asked twice: %d %s", (int)kind, uuid ? uuid : "(list)");
    }
    g_ptr_array_add(sim->calls, call);
    if (!sim->connected) {
        call_unreachable(sim, call);
        return;
    }
    hangs = call_hangs(sim, call);
    if (hangs == SIM_FOREVER) {
        agenda_add(sim, SIM_SLOW, SIM_SECOND)->call = call->serial;
        return;
    }
    takes = MAX(takes, hangs - sim->now);
    agenda_add(sim, SIM_SAMPLE, sample_after(sim, takes))->call = call->serial;
    if (takes > SIM_SECOND && uuid)
        agenda_add(sim, SIM_SLOW, SIM_SECOND)->call = call->serial;
    agenda_add(sim, SIM_ANSWER, takes)->call = call->serial;
}

static void world_list(FollowWorld *world, FollowKind kind)
{
    call_begin(sim_of(world), kind, NULL);
}

static void world_read(FollowWorld *world, FollowKind kind, const char *uuid)
{
    call_begin(sim_of(world), kind, uuid);
}

static void world_flush(FollowWorld *world)
{
}

static void world_drain(FollowWorld *world)
{
    Sim *sim = sim_of(world);

    while (!g_queue_is_empty(&sim->kernel))
        sim_tell(sim, g_queue_pop_head(&sim->kernel));
    if (sim->overrun)
        follower_doubt(sim->follower, SOURCE_LINKS);
    sim->overrun = FALSE;
}

static gboolean world_read_kernel(FollowWorld *world, Facts *facts, gint64 within, GError **error)
{
    Sim *sim = sim_of(world);

    if (sim->now < sim->kernel_fails)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "the kernel does not answer");
    sim->now += MIN(sim->kernel_takes, within);
    if (sim->kernel_takes > within)
        return vnat_error_set(error, VNAT_ERROR_DEADLINE, "the kernel does not come to an end");
    for (guint i = 0; i < sim->truth->links->len; i++)
        g_ptr_array_add(facts->links, host_copy_link(sim->truth->links->pdata[i]));
    g_array_append_vals(facts->addresses, sim->truth->addresses->data, sim->truth->addresses->len);
    g_array_append_vals(facts->neighbours, sim->truth->neighbours->data, sim->truth->neighbours->len);
    g_array_append_vals(facts->fdb, sim->truth->fdb->data, sim->truth->fdb->len);
    return TRUE;
}

static double world_random(FollowWorld *world)
{
    return g_rand_double(sim_of(world)->random);
}

static const FollowWorldOps world_ops = {
    .connect = world_connect,
    .list = world_list,
    .read = world_read,
    .flush = world_flush,
    .drain = world_drain,
    .read_kernel = world_read_kernel,
    .random = world_random,
};

/* --------------------------------------------------------------------------------------------- time */

static void attempt_end(Sim *sim)
{
    FollowHost host = {.host = "host", .uri = "sim:///system", .local = TRUE, .leases_evented = TRUE};
    g_autoptr(GError) error = NULL;

    sim->connecting = FALSE;
    if (sim->away) {
        vnat_error_set(&error, VNAT_ERROR_UNREACHABLE, "nobody listens");
        follower_lost(sim->follower, error);
        sim->refused++;
        return;
    }
    if (sim->remote) {
        host.local = host.leases_evented = FALSE;
        host.leases_why = "of another host";
    }
    sim->connected = TRUE;
    follower_connected(sim->follower, &host);
}

static void event_lost(Sim *sim)
{
    g_autoptr(GError) error = NULL;

    vnat_error_set(&error, VNAT_ERROR_UNREACHABLE, "the connection was closed");
    sim->connecting = sim->losing_connection = FALSE;
    g_ptr_array_set_size(sim->calls, 0);
    follower_lost(sim->follower, error);
}

static gboolean event_is_of_call(const SimEvent *event)
{
    return event->type == SIM_SAMPLE || event->type == SIM_ANSWER || event->type == SIM_SLOW;
}

/* NULL: it was answered, or went with its connection. */
static SimCall *event_call(const Sim *sim, const SimEvent *event)
{
    for (guint i = 0; i < sim->calls->len; i++) {
        SimCall *call = sim->calls->pdata[i];

        if (call->serial == event->call)
            return call;
    }
    return NULL;
}

static gboolean event_is_void(const Sim *sim, const SimEvent *event)
{
    if (event->type == SIM_TOUCH || event->type == SIM_ATTEMPT)
        return event->session != sim->session;
    return event_is_of_call(event) && !event_call(sim, event);
}

static void event_slow(Sim *sim, SimCall *call)
{
    call->slow = TRUE;
    if (call->uuid)
        follower_slow(sim->follower, call->kind, call->uuid);
}

static void event_happen(Sim *sim, const SimEvent *event)
{
    switch (event->type) {
    case SIM_TOUCH:
        follower_touch(sim->follower, event->kind, event->name);
        break;
    case SIM_WRITTEN:
        follower_touch_named(sim->follower, event->kind, event->name);
        break;
    case SIM_BRIDGE:
        follower_touch_bridge(sim->follower, event->name);
        break;
    case SIM_DOUBT:
        follower_doubt(sim->follower, event->source);
        break;
    case SIM_ATTEMPT:
        attempt_end(sim);
        break;
    case SIM_LOST:
        event_lost(sim);
        break;
    case SIM_SAMPLE:
        sim_sample(sim, event_call(sim, event));
        return;
    case SIM_ANSWER:
        call_answer(sim, event_call(sim, event));
        break;
    case SIM_SLOW:
        event_slow(sim, event_call(sim, event));
        break;
    case SIM_CLOCK:
        follower_clock_set(sim->follower);
        break;
    }
    wake(sim);
}

static SimEvent *agenda_first(const Sim *sim)
{
    GSequenceIter *begin = g_sequence_get_begin_iter(sim->agenda);

    return g_sequence_iter_is_end(begin) ? NULL : g_sequence_get(begin);
}

static void run(Sim *sim)
{
    gint64 due;

    if (sim->woken > sim->now)
        sim->timer_runs++;
    sim->woken = SIM_FOREVER;
    due = follower_run(sim->follower, sim->now, sim_wall(sim));
    check_run(sim);
    sim->spinning = due <= sim->now ? sim->spinning + 1 : 0;
    if (sim->spinning > SPINNING)
        sim_fail(sim, "runs without end");
    sim->run_at = due;
}

static void step(Sim *sim, SimEvent *event, gint64 run_at)
{
    if (!event || run_at < event->at) {
        sim->now = run_at;
        run(sim);
        return;
    }
    sim->now = MAX(sim->now, event->at);
    if (!event_is_void(sim, event))
        event_happen(sim, event);
    g_sequence_remove(g_sequence_get_begin_iter(sim->agenda));
}

void sim_advance(Sim *sim, gint64 usec)
{
    gint64 until = sim->now + usec;

    while (!sim->failure) {
        SimEvent *event = agenda_first(sim);
        gint64 run_at = MAX(sim->now, MIN(sim->run_at, sim->woken));

        if (MIN(run_at, event ? event->at : SIM_FOREVER) > until)
            break;
        step(sim, event, run_at);
    }
    sim->now = MAX(sim->now, until);
}

static gboolean call_is_hung(Sim *sim, const SimCall *call)
{
    return call_hangs(sim, call) == SIM_FOREVER;
}

/* Nothing is on its way but what will never come. */
static gboolean sim_is_quiet(Sim *sim)
{
    FollowStats stats;
    guint hung = 0;

    for (guint i = 0; i < sim->calls->len; i++) {
        if (!call_is_hung(sim, sim->calls->pdata[i]) || !((SimCall *)sim->calls->pdata[i])->slow)
            return FALSE;
        hung++;
    }
    if (agenda_first(sim) || !g_queue_is_empty(&sim->kernel) || !sim->connected ||
        live_map_source(follower_live(sim->follower), SOURCE_LINKS)->state != SOURCE_LIVE)
        return FALSE;
    follower_stats(sim->follower, &stats);
    return stats.quiet || (hung > 0 && stats.reading == hung && stats.waiting == 0);
}

gboolean sim_quiesce(Sim *sim, gint64 most)
{
    gint64 until = sim->now + most;

    while (!sim_is_quiet(sim) && !sim->failure) {
        if (sim->now >= until) {
            sim_fail(sim, "not quiet after %" G_GINT64_FORMAT " s", most / SIM_SECOND);
            return FALSE;
        }
        sim_advance(sim, 10 * SIM_MS);
    }
    sim_advance(sim, 2 * SIM_SECOND);
    return sim->failure == NULL;
}

/* -------------------------------------------------------------------------------------------- life */

Sim *sim_new(guint32 seed, gboolean calm)
{
    Sim *sim = g_new0(Sim, 1);

    sim->world.ops = &world_ops;
    sim->random = g_rand_new_with_seed(seed);
    sim->calm = calm;
    sim->agenda = g_sequence_new(event_free);
    sim->calls = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);
    sim->woken = SIM_FOREVER;
    check_init(sim);
    host_init(sim);
    while (!g_queue_is_empty(&sim->kernel)) {
        SimMessage *message = g_queue_pop_head(&sim->kernel);

        link_free(message->link);
        g_free(message);
    }
    sim->sink.snapshot = check_snapshot;
    sim->sink.changes = check_changes;
    sim->follower = follower_new(&sim->world, &sim->sink, sim, checks_run);
    return sim;
}

void sim_free(Sim *sim)
{
    if (!sim)
        return;
    follower_free(sim->follower);
    sim->follower = NULL;
    while (!g_queue_is_empty(&sim->kernel)) {
        SimMessage *message = g_queue_pop_head(&sim->kernel);

        link_free(message->link);
        g_free(message);
    }
    g_sequence_free(sim->agenda);
    g_ptr_array_unref(sim->calls);
    g_rand_free(sim->random);
    host_clear(sim);
    check_clear(sim);
    g_free(sim->failure);
    g_free(sim);
}
