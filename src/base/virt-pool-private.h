/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-pool.h"

/*
 * Workers for calls that may never return.
 *
 * A libvirt call can block for ever: the daemon is stopped, or a guest holds the job that the call waits for.
 * There is no way to interrupt one, so a call runs on a worker and its caller waits with a deadline. What has
 * not returned by then is abandoned: the worker keeps the item and frees it whenever the call returns, and
 * nobody joins the worker.
 *
 * Calls share one connection, a Line: its protocol multiplexes. But libvirtd executes five calls of a client
 * at once and does not read a sixth, so five that hang silence the whole connection. Hence:
 *
 * A call that is outstanding over a second is slow. It stops counting against the width, so that another
 * worker takes its place. A line with a slow call has at most five calls in all, so that none waits unread
 * behind the slow ones. When a third call of a line turns slow the line is retired: its calls may still
 * return, new ones go over a fresh line. With sixteen calls outstanding in all none is begun: libvirtd has
 * twenty workers for all of its clients. No call is issued a second time while the first is outstanding,
 * because an item is in one batch once.
 *
 * The lock guards everything here. It is not held while a call, a dial or a close is under way, nor while
 * done or free_item run. Life of a call:
 *
 *     WAITING ──> RUNNING ──> RETURNED ──> COLLECTED       the caller's again
 *        │           └──────> REPORTING ──> ABANDONED      the worker frees the item
 *        └──────────────────────> └───────> LATE           virt_batch_end frees it
 *
 * A call may also stay unsent. In libvirt's client the thread that waits for an answer does the sending for
 * all; it is told of a message to send by g_main_loop_quit, which is lost if it comes while that thread is on
 * its way into g_main_loop_run (virnetclient.c, 9.0 to 11). Then nothing is sent until something else moves
 * the connection: with a call that hangs beside it, that is the server's next ping, up to 5 s later. So while
 * one of several calls on a line has run for 50 ms, and not for three seconds, the line is poked: a call that
 * asks nothing (of the version) is made, which makes that thread look again.
 *
 * REPORTING is the time that done has to look at an item whose call still runs: a call that returns meanwhile
 * leaves the freeing to virt_batch_end.
 */

typedef enum {
    CALL_WAITING,
    CALL_RUNNING,
    CALL_RETURNED,
    CALL_COLLECTED,
    CALL_REPORTING,
    CALL_ABANDONED,
    CALL_LATE,
} CallState;

typedef struct {
    gpointer item;
    GError *error;
    CallState state;
} Call;

/* A connection. Freed when it is retired and nothing runs on it. */
typedef struct {
    virConnectPtr conn;
    guint running; /* calls under way, slow ones too */
    guint slow;
    gboolean retired;
    gboolean poking; /* a poke is under way */
    gint64 poked;    /* when the last one began */
} Line;

/* A thread. line and batch are set while it calls. */
typedef struct {
    VirtPool *pool;
    GThread *thread;
    Line *line;
    VirtBatch *batch;
    gint64 since;
    gboolean slow;
} Worker;

struct VirtPool {
    GMutex lock;
    GCond work;     /* to workers: there may be something to do */
    GCond answered; /* to those who wait: a batch has something to collect, or a worker left */
    guint refs;     /* the owner's, each worker's and each poke's */
    guint width;
    GPtrArray *workers; /* Worker, those that have not left */
    guint idle;         /* workers waiting for work */
    guint running, slow;
    guint pokes;    /* threads that poke */
    GQueue batches; /* VirtBatch with calls that wait, oldest first */
    Line *line;     /* for new calls; NULL: to be dialled */
    gboolean dialling, closing;
    GPtrArray *left; /* GThread, of workers and pokes that left: to be joined */
    VirtDial dial;
    gpointer dial_data;
    GDestroyNotify free_dial;
    VirtHangup hangup; /* may be NULL */
    VirtPoke poke;
};

struct VirtBatch {
    VirtPool *pool;
    guint refs; /* the owner's and each running call's */
    char *what;
    VirtFunc func;
    GDestroyNotify free_item;
    VirtNotify notify;
    gpointer notify_data;
    guint width;
    guint count, begun, returned, running, slow;
    guint n_finished, n_collected; /* of the list below */
    guint *finished;               /* numbers of calls that returned, in that order */
    gint64 began, last_return;     /* last_return 0: none yet */
    Call calls[];
};

/*
 * A batch lends and takes from here; the lock is held for all of these.
 */

/* Workers for so many more calls: woken, or started. Fewer than wanted do as well; none at all fails what
 * waits. */
void virt_pool_staff(VirtPool *pool, guint wanted);
/* Marks calls that turned slow. Returns when the next would; one that begins later than now turns slow later.
 */
gint64 virt_pool_mark_slow(VirtPool *pool, gint64 now);
/* Whether so many calls are outstanding that none is begun. */
gboolean virt_pool_clogged(const VirtPool *pool);
/* Ends the pool, and waits until all has ended; without the lock. */
void virt_pool_drain(VirtPool *pool);
/* Drops a reference to a batch. */
void virt_batch_unref(VirtBatch *batch);
