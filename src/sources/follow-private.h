/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow.h"

#include <glib.h>

/*
 * The inside of the follower. Its files, each with its part of the state:
 *
 *   follow.c          what the world tells, as a queue; the order of things in a run; what the sink is told
 *   follow-keys.c     keys: dirty, asked, again; when each is read; which are in trouble
 *   follow-sync.c     the connection, the lists, what a first or repeated reading of everything waits for
 *   follow-answers.c  what a reading said goes into the map
 *   follow-leases.c   which networks' leases are read, and when
 *   follow-kernel.c   the kernel's word; reading all of it after doubt, and for the audit
 *   follow-audit.c    is the map still true? lists, leases and domains, read again without an event
 *   follow-compare.c  whether two readings say the same (pure)
 *   follow-sources.c  the states of the sources
 */

#define FOLLOW_NEVER G_MAXINT64
#define FOLLOW_SECOND ((gint64)G_TIME_SPAN_SECOND)
#define FOLLOW_MS ((gint64)G_TIME_SPAN_MILLISECOND)

#define FOLLOW_SLOW (1 * FOLLOW_SECOND)         /* a list that takes longer holds nothing back */
#define FOLLOW_LOOK_AGAIN (1 * FOLLOW_SECOND)   /* libvirt moves a tap first, and writes its XML after */
#define FOLLOW_AUDIT_EVERY (30 * FOLLOW_SECOND) /* also the slow reading of leases that have no events */
#define FOLLOW_DOUBT (1 * FOLLOW_SECOND)        /* a difference that no event explains in that time is one */

/*
 * Why a key is read. A difference that an audit's reading shows is not believed at once, for its event may be
 * on the way: it is read again after FOLLOW_DOUBT, if no event touched it before.
 */
typedef enum {
    SUSPICION_NONE,
    SUSPICION_LOOK,    /* read by an audit */
    SUSPICION_WAITING, /* something differed: to be read once more */
    SUSPICION_CONFIRM, /* is being read once more */
} Suspicion;

/* How often events have a key read: see follow-keys.c. */
typedef struct {
    gint64 event_at; /* when it was asked last because of an event */
    gint64 paid_at;  /* when what these readings took will have been paid for */
} FollowPace;

/*
 * A key: one object of libvirt that is known, or is to become known. It lives as long as it is in the map,
 * waits, or is asked; a call that hangs keeps its key, so that it is never made twice.
 *
 * waiting is set while it is dirty and not asked: its place in Follower.waiting, by due. again: an event came
 * while it was asked, so the answer may be older than the event.
 */
typedef struct {
    FollowKind kind;
    char *uuid;
    char *name; /* NULL: not known yet */
    GSequenceIter *waiting;
    gint64 due;
    gboolean asked, again;
    gboolean slow;    /* asked, and no answer for a second */
    gboolean sync;    /* a snapshot waits for it; counted in Follower.sync_pending */
    gboolean audited; /* asked by the round of the audit; counted in Follower.round_asked */
    Suspicion suspicion;
    gint64 asked_at;   /* of the last asking; -FOLLOW_NEVER: never */
    gint64 look_again; /* a reading that was asked for before this may be too early: one more */
    gint64 took;       /* how long the last reading took */
    FollowPace pace;
    guint64 generation; /* live_map_generation() at the last asking */
    guint64 asked_run;  /* the run of the last asking */
    guint64 sync_run;   /* sync: what was asked before that run does not count */
    gboolean discard;   /* asked, and gone since: the answer may be from before */
    guint failures;     /* in a row */
    char *trouble;      /* why what is known of it may be old; NULL: it is not. Then also in troubles */
    gboolean listed;    /* the last list had it, and said: */
    gint id;            /* of a domain */
    DomainState state;
    gboolean active, persistent, autostart; /* of a network */
    GPtrArray *taps;                        /* domains: the names that its interfaces claim; NULL */
    char *unsupported;                      /* leases: the driver has none */
} FollowKey;

typedef struct {
    gboolean asked, slow;
    gboolean sync;      /* the answer begins the reading of everything */
    gboolean sync_next; /* not that of what is asked now, but of the next */
    gboolean audit;     /* the answer is compared with the map */
    gboolean ports;     /* ports wait for the answer, to know whose they are */
    gint64 asked_at;
    guint64 generation; /* live_map_generation() at the last asking */
    gint64 due;         /* to be asked; FOLLOW_NEVER: not wanted */
    guint failures;
    gboolean known; /* it was read at least once */
    char *trouble;
} FollowList;

typedef enum { CONNECTION_OFF, CONNECTION_COMING, CONNECTION_ON } ConnectionState;

typedef struct {
    gboolean followed; /* the host is this one */
    gboolean read;     /* once, at least */
    gboolean doubted;  /* something was missed: to be read whole */
    gboolean lost;     /* something was missed, or not read: when it is, that is a resync */
    gboolean failed;   /* it could not be: why; not held back for it any more */
    char *why;
    gint64 due; /* of the next reading of all, while doubted */
    guint failures;
    guint64 events;       /* told so far */
    guint64 resolved_run; /* the run of the last reading of all after something was missed */
    gint64 moved_at;      /* when a link last came or changed its master */
    GHashTable *masters;  /* ifindex -> ifindex of its master */
    GHashTable *told;     /* names of what was told while everything is read for the audit; else NULL */
    gboolean told_gone;   /* a link went meanwhile, and what hung on it */
    GHashTable *suspects; /* set of what differed in an audit and was not told of since; see follow-compare */
    gint64 recheck;       /* when it is compared once more; FOLLOW_NEVER */
} FollowKernel;

struct Follower {
    FollowWorld *world;
    const FollowSink *sink;
    gpointer sink_data;
    LiveMap *live;
    gint64 now, wall; /* of this run */
    gboolean started;
    GQueue events; /* FollowEvent: told, and not acted on */

    ConnectionState connection;
    gint64 connect_at, connected_at;
    guint attempts;  /* that led to nothing, in a row */
    char *lost;      /* why there is no connection */
    gboolean synced; /* everything was read over this connection */

    gboolean syncing; /* everything is being read: nothing is told until it is */
    guint64 sync_run; /* since that run */
    guint sync_pending;
    gboolean listed; /* every domain of a list was read, or could not be: the map knows them all */
    gboolean told;   /* the first snapshot was given */
    gboolean resync; /* facts were lost since the last one */

    GHashTable *keys[FOLLOW_KINDS]; /* UUID -> FollowKey */
    /* FOLLOW_DOMAIN, FOLLOW_NETWORK: name -> FollowKey, the last called so; and those without, as a set. */
    GHashTable *names[2], *nameless[2];
    GSequence *waiting;            /* FollowKey, by due */
    GQueue troubles[FOLLOW_KINDS]; /* FollowKey, the first to have trouble first */
    GHashTable *taps;              /* name -> GPtrArray of FollowKey of domains that claim it */
    FollowList lists[2];           /* FOLLOW_DOMAIN, FOLLOW_NETWORK */
    gboolean vouching;             /* the list of domains came, and not all of them are read yet */
    gint64 nameless_due;           /* keys that are slow and have no name are told of without; FOLLOW_NEVER */
    gboolean asked_something;      /* flush */

    gboolean leases_evented;
    gboolean leases_came; /* their events, since the last run: what was not told before is not lost */
    char *leases_why;
    gboolean leases_hint; /* where they have no events: something of a domain changed */
    gint64 leases_due;    /* all are read; FOLLOW_NEVER */
    gboolean clock_set;
    gboolean doubt_libvirt, doubt_leases; /* told, and not acted on */

    FollowKernel kernel;

    gint64 audit_at;
    gint64 audit_libvirt_at; /* its second part; FOLLOW_NEVER */
    GPtrArray *round;        /* UUIDs (char *) of domains that this round of the audit has not read yet */
    guint round_quota, round_asked;
    gint64 round_took; /* how long reading a domain takes, on average; 0: not known */

    FollowStats stats;
};

/* ------------------------------------------------------------------------------------------- keys */

FollowKey *follow_key_find(const Follower *follower, FollowKind kind, const char *uuid);
/* Made, if there is none. */
FollowKey *follow_key(Follower *follower, FollowKind kind, const char *uuid);
void follow_key_free(FollowKey *key);
void follow_key_name(Follower *follower, FollowKey *key, const char *name);
/* The domain or network that was called so last; if there is none, those whose first answer, and name, is
 * awaited. Free with g_ptr_array_unref. */
GPtrArray *follow_keys_named(const Follower *follower, FollowKind kind, const char *name);
/* An event: it is read, at once unless that was done just now. */
void follow_key_touch(Follower *follower, FollowKey *key);
/* It is read at that time, or earlier if that is planned already. Nothing if it is asked. */
void follow_key_plan(Follower *follower, FollowKey *key, gint64 due);
/* No event, no plan and no suspicion. */
gboolean follow_key_is_idle(const FollowKey *key);
/* A snapshot waits for a reading of it that is asked for in this run (that of its number) or later. */
void follow_key_sync(Follower *follower, FollowKey *key, guint64 run);
/* It does not wait any more. */
void follow_key_synced(Follower *follower, FollowKey *key);
/* Asks for those that are due. */
void follow_keys_ask(Follower *follower);
/* It was answered: it may be asked again. */
void follow_key_answered(Follower *follower, FollowKey *key);
/* What is known of it may be old: "domain 'VM1': <why>"; why NULL: it is not. */
void follow_key_trouble(Follower *follower, FollowKey *key, const char *why);
/* There is no such thing any more: the key goes, unless an answer is awaited. Not to be used after. */
void follow_key_drop(Follower *follower, FollowKey *key);
/* Nothing that was asked will be answered: all are idle; those that the map does not know go. */
void follow_keys_lost(Follower *follower);
/* When the first of the waiting is due. */
gint64 follow_keys_due(const Follower *follower);
/* All of a kind; they may be dropped while the array is walked once. Free with g_ptr_array_unref. */
GPtrArray *follow_keys_of(const Follower *follower, FollowKind kind);
/* Whether the map has it. */
gboolean follow_key_known(const Follower *follower, const FollowKey *key);
/* From first, doubling, at most most; counts. */
gint64 follow_backoff(guint *failures, gint64 first, gint64 most);

/* The names that a domain's interfaces claim now; NULL: none. TRUE: there are new ones. */
gboolean follow_taps_set(Follower *follower, FollowKey *key, const Domain *domain);
/* The device of that name changed in a way that a domain's XML may have changed too. */
void follow_taps_touch(Follower *follower, const char *name);

/* ------------------------------------------------------------------------------------ connection, lists */

void follow_sync_connected(Follower *follower, const FollowHost *host);
void follow_sync_lost(Follower *follower, const char *why);
/* Ports that no domain claims wait for libvirt's word: asks for it, and passes it on when all is read. */
void follow_ports_run(Follower *follower);
/* Everything of libvirt is read again. */
void follow_sync_begin(Follower *follower);
/* Notices lists that are slow. */
void follow_sync_late(Follower *follower);
/* Connects, asks for lists. */
void follow_sync_run(Follower *follower);
/* Whether all that a snapshot waits for is there, or slow, or failed. */
gboolean follow_sync_complete(const Follower *follower);
/* Nothing that was lost is still to be read, not even over a list that is late. */
gboolean follow_sync_settled(const Follower *follower);
gint64 follow_sync_due(const Follower *follower);
/* A list is wanted now. */
void follow_list_want(Follower *follower, FollowKind kind, gboolean audit);
void follow_list_answered(Follower *follower, FollowKind kind, const GPtrArray *listed, const GError *error);

/* -------------------------------------------------------------------------------------- answers */

/* Takes the record. */
void follow_answer(Follower *follower, FollowKey *key, gpointer record, const char *partial,
                   const GError *error);
void follow_record_free(FollowKind kind, gpointer record);
void follow_answer_slow(Follower *follower, FollowKey *key);
/* Tells of those whose name no list gave in time. */
void follow_nameless_run(Follower *follower);
/* It is not there (any more). The key may be gone after. */
void follow_object_gone(Follower *follower, FollowKey *key);

/* --------------------------------------------------------------------------------------- leases */

/* A network was read; changed: in what its leases depend on. */
void follow_leases_network(Follower *follower, const char *uuid, gboolean changed);
/* Everything is read again, and the network is there: so are its leases, if any of it are known. */
void follow_leases_sync(Follower *follower, const char *uuid);
/* It is in the map no more. */
void follow_leases_network_gone(Follower *follower, const char *uuid);
/* They can be read, and are its. */
gboolean follow_leases_wanted(const Follower *follower, const char *uuid);
void follow_leases_touch_all(Follower *follower);
/* All are read again, and a snapshot waits for them. */
void follow_leases_doubt(Follower *follower);
void follow_leases_run(Follower *follower);

/* --------------------------------------------------------------------------------------- kernel */

void follow_kernel_init(FollowKernel *kernel);
void follow_kernel_clear(FollowKernel *kernel);
/* Whether the host is this one became known. */
void follow_kernel_local(Follower *follower, gboolean local);
void follow_kernel_doubt(Follower *follower);
/* Reads all, if that is due; compares once more, if that is due. */
void follow_kernel_run(Follower *follower);
void follow_kernel_audit(Follower *follower);
gint64 follow_kernel_due(const Follower *follower);
/* Nothing is told until it was read. */
gboolean follow_kernel_holds(const Follower *follower);
/* Something that was missed may have come after that run: a name may be another link's without a trace. */
gboolean follow_kernel_missed(const Follower *follower, guint64 run);

/* ---------------------------------------------------------------------------------------- audit */

void follow_audit_run(Follower *follower);
/* An idle key is read, and what it says compared with the map. */
void follow_audit_look(Follower *follower, FollowKey *key);
/* The answer to a key that an audit asked for: TRUE if it is not to be believed yet. */
gboolean follow_audit_doubts(Follower *follower, FollowKey *key, gconstpointer record, const GError *error);
/* It is not asked by the round any more. */
void follow_audit_done(Follower *follower, FollowKey *key, gboolean answered);
void follow_audit_lost(Follower *follower);
/* count objects differ, the first as text says. */
void follow_audit_mismatch(Follower *follower, SourceId source, guint count, const char *text);

/* -------------------------------------------------------------------------------------- compare */

/* Whether two readings say the same, as far as libvirt tells of changes; NULL: there is none. */
gboolean follow_same_domain(const Domain *a, const Domain *b);
gboolean follow_same_network(const Network *a, const Network *b);
/* FALSE: it is being stopped and was not defined, so that libvirt answers for it for the last time. */
gboolean follow_network_is(const Network *network);
/* Those that live at now, in any order. */
gboolean follow_same_leases(const GPtrArray *a, const GPtrArray *b, gint64 now);
/* A list's word against the map's. */
gboolean follow_listed_differs(const LiveMap *live, FollowKind kind, const FollowListed *listed);

/* A link, address, neighbour or entry of the forwarding table that two readings disagree about. */
typedef enum { DIFFER_LINK, DIFFER_ADDRESS, DIFFER_NEIGHBOUR, DIFFER_FDB } DifferKind;

typedef struct {
    DifferKind kind;
    gconstpointer known, fresh; /* in the two facts; NULL: it is not there */
} FollowDifference;

/* By name ("link 7"), as the follow_name_* make them. Borrows from both. */
GHashTable *follow_kernel_differences(const Facts *known, const Facts *fresh);
char *follow_name_link(guint ifindex);
char *follow_name_address(const LinkAddress *address);
char *follow_name_neighbour(const Neighbour *neighbour);
char *follow_name_fdb(const FdbEntry *entry);
/* "link vnet3: gone without an event". links: for names of devices. New string. */
char *follow_difference_text(const FollowDifference *difference, const Facts *known, const Facts *fresh);

/* -------------------------------------------------------------------------------------- sources */

/* Sets the states that changed. */
void follow_sources_update(Follower *follower);
