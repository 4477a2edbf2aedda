/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/live.h"

#include <glib.h>

/*
 * The follower keeps a LiveMap true. It decides what is read, when and again; it reads nothing itself, knows
 * no clock and never blocks: the outside is a FollowWorld, and time is an argument. So the same follower runs
 * on a host (sources/follow-live.h) and in a simulation. docs/following.md is its theory.
 *
 * The world tells hints, facts and answers (follower_* below, at any time, on the thread that runs the
 * follower, also from within a FollowWorldOps function); follower_run() then acts on them, and asks the
 * world.
 */
typedef struct Follower Follower;

/* What is read of libvirt by a key, its UUID. */
typedef enum {
    FOLLOW_DOMAIN,
    FOLLOW_NETWORK,
    FOLLOW_LEASES /* of the network with this UUID */,
    FOLLOW_KINDS
} FollowKind;

/* What a list says; of the domains only the active ones are listed. */
typedef struct {
    char *uuid, *name;
    gboolean active, persistent, autostart; /* networks alone: all three may change without an event */
    DomainState state;                      /* domains alone */
    gint id;                                /* domains alone */
} FollowListed;

FollowListed *follow_listed_new(const char *uuid, const char *name);
void follow_listed_free(FollowListed *listed);

typedef struct FollowWorld FollowWorld;

typedef struct {
    /*
     * Begins to connect, with callbacks registered before the answer is given: follower_connected() or
     * follower_lost(). Not called while connected or connecting.
     */
    void (*connect)(FollowWorld *world);
    /* Asks for the list of domains or networks; answer: follower_listed(). One a kind at a time. */
    void (*list)(FollowWorld *world, FollowKind kind);
    /* Asks for one key; answer: follower_answered(). Not called again for it before that. */
    void (*read)(FollowWorld *world, FollowKind kind, const char *uuid);
    /* All that was asked in this run was asked: a world may have waited to ask for it at once. */
    void (*flush)(FollowWorld *world);
    /* Hands out what the kernel has told and was not handed out yet (follower_link() and its like). */
    void (*drain)(FollowWorld *world);
    /*
     * A whole reading of the kernel: links, addresses, neighbours, forwarding tables. FALSE with *error set:
     * VNAT_ERROR_DEADLINE, if that many microseconds were not enough, as where devices come and go all the
     * time. A host that is not this one: not called (follower_connected says so).
     */
    gboolean (*read_kernel)(FollowWorld *world, Facts *facts, gint64 within, GError **error);
    /* Uniform in [0, 1), for jitter. */
    double (*random)(FollowWorld *world);
} FollowWorldOps;

struct FollowWorld {
    const FollowWorldOps *ops;
};

/* Gets what became different. Borrowed until the function returns. */
typedef struct {
    /* Everything is known, first or again after facts were lost (resync): what changed since the last line is
     * in the map, and in no change. live_map_rows() and live_map_facts() have it. */
    void (*snapshot)(LiveMap *live, gboolean resync, gpointer data);
    /* Not before the first snapshot. */
    void (*changes)(LiveMap *live, const GPtrArray *changes, gpointer data);
    /* libvirt, asked for this domain, said that there is none; of one that is shut off it does not. It may be
     * back by now. Also before the first snapshot, and more than once. May be NULL. */
    void (*domain_gone)(const char *uuid, gpointer data);
} FollowSink;

/* world and sink stay the caller's and must live as long; checks: see live_map_new. */
Follower *follower_new(FollowWorld *world, const FollowSink *sink, gpointer sink_data, LiveChecks checks);
/* NULL is allowed. */
void follower_free(Follower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Follower, follower_free)

LiveMap *follower_live(Follower *follower);

/*
 * Acts on everything that was told and is due, asks the world for what must be read, settles the map and
 * tells the sink. monotonic in microseconds, wall in epoch microseconds. Returns the monotonic time at which
 * it wants to be run again; earlier if something is told. G_MAXINT64: only then.
 */
gint64 follower_run(Follower *follower, gint64 monotonic, gint64 wall);

/* ----------------------------------------------------------------------------------- what the world tells */

typedef struct {
    const char *host, *uri;
    gboolean local;          /* its kernel is this one's: links can be followed */
    gboolean leases_evented; /* its lease files are watched: no slow reading of them */
    const char *leases_why;  /* why not, for people; NULL */
} FollowHost;

void follower_connected(Follower *follower, const FollowHost *host);
/* Connecting failed, or the connection was closed. */
void follower_lost(Follower *follower, const GError *why);
/* Takes the array of FollowListed; NULL: error says why (VNAT_ERROR_UNSUPPORTED: the driver has none). */
void follower_listed(Follower *follower, FollowKind kind, GPtrArray *listed, const GError *error);
/*
 * record: Domain *, Network *, or GPtrArray * of Lease: taken. NULL: error says why; VNAT_ERROR_NOT_FOUND
 * means that there is none (any more), VNAT_ERROR_DEADLINE that it hangs: the world answers once more when
 * the call comes back after all. partial (may be NULL): why there may be more leases than these.
 * A second answer to one reading (a guest agent's word came later) is taken for it; it must not come while a
 * newer reading of the key is asked for, whose answer it would be taken for.
 */
void follower_answered(Follower *follower, FollowKind kind, const char *uuid, gpointer record,
                       const char *partial, const GError *error);
/* A call has not returned in a second: the key is stale, and why. It is answered later, or never. */
void follower_slow(Follower *follower, FollowKind kind, const char *uuid);

/* Hints: something about it may have changed. Which one is not known: follower_doubt. */
void follower_touch(Follower *follower, FollowKind kind, const char *uuid);
/* The same of the domain or network of this name; NULL: of every one. */
void follower_touch_named(Follower *follower, FollowKind kind, const char *name);
/* The leases on this bridge may have changed (a status file's name says the bridge). */
void follower_touch_bridge(Follower *follower, const char *bridge);
/* Something may have been missed: everything of that source is read again. SOURCE_LIBVIRT, _LINKS (with
 * neighbours), _LEASES. */
void follower_doubt(Follower *follower, SourceId source);
/* The wall clock was set. */
void follower_clock_set(Follower *follower);
/* Whether the lease files can be watched changed: the directory went away or came back. */
void follower_leases_evented(Follower *follower, gboolean evented, const char *why);

/* The kernel's word, which is a whole reading of its object. Takes the link. */
void follower_link(Follower *follower, Link *link);
void follower_link_gone(Follower *follower, guint ifindex);
void follower_address(Follower *follower, const LinkAddress *address, gboolean gone);
void follower_neighbour(Follower *follower, const Neighbour *neighbour, gboolean gone);
void follower_fdb(Follower *follower, const FdbEntry *entry, gboolean gone);

/* --------------------------------------------------------------------------------------------- for tests */

typedef struct {
    guint64 runs, reads, lists, kernel_reads, audits, mismatches;
    guint64 connects; /* that succeeded */
    guint reading;    /* asked and not answered */
    guint waiting;    /* dirty, not asked yet */
    gboolean quiet;   /* connected, nothing dirty, asked or in doubt, first snapshot given */
} FollowStats;

void follower_stats(const Follower *follower, FollowStats *stats);
