/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "consumer.h"

#include "base/error.h"
#include "sources/follow.h"

#include <glib.h>

/*
 * A host in virtual time, and a follower on it. The host has a true state, which operations change; what the
 * follower is told of it comes as it does on a real host:
 *  - the kernel's messages in their order, all that were sent by the time they are drained, unless some were
 *    lost, which it is told;
 *  - libvirt's events each after its own delay, so in any order, or twice, while there is a connection;
 *  - an answer some time after the question, and true of some moment in between; late, or never.
 * Everything random comes from one seed, so a run can be repeated; and each thing that may not be is noted as
 * a failure (check.c says what may not be), not asserted, so that a sequence can be shrunk.
 */

#define SIM_GUESTS 4
#define SIM_NETWORKS 4 /* the last has the bridge of the first */
#define SIM_EPOCH G_GINT64_CONSTANT(1790000000)
#define SIM_MS G_GINT64_CONSTANT(1000)
#define SIM_SECOND G_GINT64_CONSTANT(1000000)
#define SIM_FOREVER G_MAXINT64

typedef struct {
    char *name, *uuid;
    Domain *running;   /* in truth; NULL */
    GArray *nics;      /* guint: the networks that it is defined with */
    gint64 hangs;      /* calls about it are answered no sooner */
    gint64 fails;      /* until then they fail */
    gint64 read_asked; /* when the last reading that was answered was asked for */
} SimGuest;

typedef struct {
    char *name, *uuid, *bridge;
    Network *network;         /* in truth; NULL: not defined */
    gint64 hangs, unreadable; /* its lease file cannot be read until then */
} SimNetwork;

typedef struct {
    guint guest;
    guint ifindex;
    gint64 to; /* SIM_FOREVER: still so */
} SimPair;

typedef struct Sim Sim;

struct Sim {
    FollowWorld world; /* first */
    Follower *follower;
    FollowSink sink;
    gint64 now, wall_offset;
    GRand *random;  /* how things are told */
    GRand *pace;    /* how long they take on the host: not of the seed */
    gboolean early; /* an answer is the truth of when it was asked for, however late it comes */
    gboolean calm;  /* no delay, nothing twice: for scenarios */

    Facts *truth;
    SimGuest guests[SIM_GUESTS];
    SimNetwork networks[SIM_NETWORKS];
    guint next_ifindex, reuse_ifindex; /* the latter is taken first; 0: none */
    gint next_id;
    guint next_mac;
    gint64 kernel_fails;
    gint64 kernel_takes; /* to read all of it: so much time passes within a run */

    GSequence *agenda; /* SimEvent */
    guint64 serial;
    GQueue kernel; /* SimMessage: sent, and not drained */
    guint losing;  /* so many messages of the kernel are lost next */
    gboolean overrun;
    gboolean losing_events; /* libvirt's are lost */
    gint64 run_at;          /* the follower wants to be run */
    gint64 woken;           /* it will be, for it was told something */

    gboolean connected, connecting;
    gboolean losing_connection; /* it is gone, and the follower does not know yet */
    guint session;
    gboolean away;      /* libvirtd is */
    gboolean remote;    /* libvirt's host is another one: no kernel, no events of leases */
    gboolean no_leases; /* the driver has none */
    gint64 list_hangs;
    GPtrArray *calls; /* SimCall: asked, not answered */
    guint refused;    /* attempts to connect that failed in a row */
    gint64 list_asked[2];

    /* Checking. */
    GArray *pairs;     /* SimPair: of a guest and a link that bore a name of its XML */
    Consumer consumer; /* who is told */
    guint snapshots, resyncs, lines;
    char *mismatch;     /* the last, in words */
    GString *log;       /* types of changes told, a word each; NULL: not kept */
    guint64 told;       /* events, messages and answers that reached the follower */
    guint64 timer_runs; /* runs without any of them */
    guint64 generations[SOURCE_COUNT], generation;
    guint spinning; /* runs in a row at one moment */
    char *failure;  /* the first */
};

/* seed: of everything random that is not the operations'. */
Sim *sim_new(guint32 seed, gboolean calm);
void sim_free(Sim *sim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sim, sim_free)

/* Time passes. */
void sim_advance(Sim *sim, gint64 usec);
/* At most so long, until nothing is on its way and the follower is quiet, but for what hangs for ever; then
 * two seconds more. FALSE, and a failure, where it does not get quiet. */
gboolean sim_quiesce(Sim *sim, gint64 most);
gint64 sim_wall(const Sim *sim);
G_GNUC_PRINTF(2, 3) void sim_fail(Sim *sim, const char *format, ...);

/* ------------------------------------------------------------------- what happens on the host (host.c) */

void host_init(Sim *sim);
void host_clear(Sim *sim);

Link *host_link_named(const Sim *sim, const char *name);
/* The kernel says what it is like now. */
void host_link_tell(Sim *sim, const Link *link);
Link *host_tap_add(Sim *sim, const char *name, guint master, const Mac *guest);
void host_link_remove(Sim *sim, Link *link);
void host_link_master(Sim *sim, Link *link, guint master);
void host_link_rename(Sim *sim, Link *link, const char *name);
void host_learn(Sim *sim, const Link *port, const Mac *mac);
void host_forget(Sim *sim, guint ifindex);
void host_neighbour(Sim *sim, const Link *bridge, const Ip *ip, const Mac *mac, guint16 state);

/* FALSE: not as things are. Taps and messages come at once, events after. */
gboolean host_start(Sim *sim, guint guest);
/* The same without libvirt's events: qemu takes long to come up. */
gboolean host_launch(Sim *sim, guint guest);
gboolean host_destroy(Sim *sim, guint guest);
gboolean host_plug(Sim *sim, guint guest, guint network);
gboolean host_unplug(Sim *sim, guint guest);
gboolean host_connect(Sim *sim, guint guest, guint network);
gboolean host_pause(Sim *sim, guint guest);
gboolean host_set_link(Sim *sim, guint guest);
gboolean host_net_start(Sim *sim, guint network);
gboolean host_net_stop(Sim *sim, guint network);
gboolean host_net_define(Sim *sim, guint network);
gboolean host_net_undefine(Sim *sim, guint network);
gboolean host_net_autostart(Sim *sim, guint network);
/* A lease of the guest's first interface, for so many seconds (0: for ever); of one it has, a renewal. */
gboolean host_lease(Sim *sim, guint guest, gint64 seconds);
gboolean host_release(Sim *sim, guint guest);
/* The first interface's tap, or NULL. */
Link *host_tap(const Sim *sim, guint guest);
Link *host_bridge(const Sim *sim, guint network);

Domain *host_copy_domain(const Domain *domain);
Network *host_copy_network(const Network *network);
Lease *host_copy_lease(const Lease *lease);
Link *host_copy_link(const Link *link);

/* ----------------------------------------------------------------------- what the follower is told (sim.c)
 */

typedef struct {
    enum { MESSAGE_LINK, MESSAGE_LINK_GONE, MESSAGE_ADDRESS, MESSAGE_NEIGHBOUR, MESSAGE_FDB } type;
    gboolean gone;
    Link *link;
    guint ifindex;
    LinkAddress address;
    Neighbour neighbour;
    FdbEntry fdb;
} SimMessage;

typedef struct {
    guint64 serial;
    FollowKind kind;
    char *uuid; /* NULL: a list */
    gint64 asked;
    gboolean slow;
    gpointer record;
    GPtrArray *listed;
    GError *error;
} SimCall;

/* Fills in the answer, as things are now (sample.c). */
void sim_sample(Sim *sim, SimCall *call);
void sim_refuse(SimCall *call, VnatError code, const char *why);
/* NULL: there never was such a one. */
SimGuest *sim_guest(Sim *sim, const char *uuid);
SimNetwork *sim_network(Sim *sim, const char *uuid);

/* The kernel says so; takes the link. */
void sim_message(Sim *sim, const SimMessage *message);
/* Hands one out; frees it. */
void sim_tell(Sim *sim, SimMessage *message);
/* libvirt says that something happened to it, once or twice. */
void sim_event(Sim *sim, FollowKind kind, const char *uuid);
/* libvirt has written down the domain or network of this name, of which it tells nothing. */
void sim_written(Sim *sim, FollowKind kind, const char *name);
/* A status file changed. */
void sim_lease_event(Sim *sim, const char *bridge);
/* libvirtd goes; it comes back when it is told. */
void sim_kill(Sim *sim);
void sim_revive(Sim *sim);
void sim_doubt(Sim *sim, SourceId source);
void sim_clock(Sim *sim, gint64 seconds);
/* Between 0 and most, or 0 where it is calm. */
gint64 sim_delay(Sim *sim, gint64 most);

/* ------------------------------------------------------------------------------------ checking (check.c) */

void check_init(Sim *sim);
void check_clear(Sim *sim);
/* Which guest has which link, after something changed. */
void check_pairs(Sim *sim);
void check_run(Sim *sim);
/* After sim_quiesce: the map is the true host's, the consumer has it, the sources are live. */
void check_settled(Sim *sim);
/* The rows as text, a row a line. New string. */
char *check_rows(Sim *sim);
void check_snapshot(LiveMap *live, gboolean resync, gpointer data);
void check_changes(LiveMap *live, const GPtrArray *changes, gpointer data);

/* -------------------------------------------------------------------------------- sequences (operations.c)
 */

typedef struct {
    guint type;
    guint a, b;
    gint64 gap; /* before it */
} SimOperation;

/* At most most of them. */
GArray *operations_new(guint32 seed, guint most);
char *operation_text(const SimOperation *operation);
/* Runs them on a new host, then lets it come to rest. NULL, or what was wrong; *rows (may be NULL) gets the
 * rows at the end. */
char *operations_run(const GArray *operations, guint32 seed, char **rows);
/* Leaves out what can be left out so that it still fails. */
GArray *operations_shrink(const GArray *operations, guint32 seed);
