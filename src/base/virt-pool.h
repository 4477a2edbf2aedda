/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt-call.h"

#include <glib.h>
#include <libvirt/libvirt.h>

/*
 * The workers behind a VirtConn (virt.c) and behind a follower's connections (sources/libvirt-line.c).
 * Batches of calls go in on one side, finished calls come out on the other, so that whoever collects them may
 * wait on a condition (a command) or be woken in its main loop (a follower): see VirtNotify.
 */
typedef struct VirtPool VirtPool;
typedef struct VirtBatch VirtBatch;

/*
 * Gets a call that was collected. returned: the item is the collector's again. Otherwise the call still runs
 * and frees the item when it returns (error is VNAT_ERROR_DEADLINE then): what func does not write may be
 * read meanwhile.
 */
typedef void (*VirtCollect)(gpointer item, const GError *error, gboolean returned, gpointer user_data);

/* Makes a connection; runs on a worker, one at a time. Returns NULL with *error set. */
typedef virConnectPtr (*VirtDial)(gpointer dial_data, GError **error);

/* Ends what was begun at the dial, before the connection is closed; on a worker. It may hang as any call. */
typedef void (*VirtHangup)(virConnectPtr conn, gpointer dial_data);

/* Any call that the server answers at once; on a thread of its own. See virt-pool-private.h. */
typedef void (*VirtPoke)(virConnectPtr conn);

/* Called with the pool's lock held, on a worker, for each call of a batch that has returned: may only wake
 * its owner. Not any more once virt_batch_end has begun. */
typedef void (*VirtNotify)(gpointer notify_data);

/* free_dial frees dial_data when the last worker has left, which may be never. Nothing is dialled before the
 * first batch. */
VirtPool *virt_pool_new(VirtDial dial, gpointer dial_data, GDestroyNotify free_dial);

/* Before the first batch. */
void virt_pool_set_hangup(VirtPool *pool, VirtHangup hangup);

/* How long after a call began its connection is poked, while others run beside it: see virt-pool-private.h.
 */
#define VIRT_POKED_FOR (3 * G_TIME_SPAN_SECOND)

/* Another one than virConnectGetLibVersion, for tests. Before the first batch. */
void virt_pool_set_poke(VirtPool *pool, VirtPoke poke);

/* How many calls run at once unless a batch wants fewer; 1 until set. */
void virt_pool_set_width(VirtPool *pool, guint width);

/*
 * Ends the pool. With no call outstanding its connections are closed and its threads joined, for at most one
 * second; otherwise, and after that second, what still runs is left to itself. Returns whether all ended.
 */
gboolean virt_pool_close(VirtPool *pool);

/*
 * Ends the pool without waiting: a thread of its own waits for what still runs, however long. End its batches
 * before.
 */
void virt_pool_close_aside(VirtPool *pool);

/* Waits until all pools that were put aside have ended, at most until the deadline. Returns whether all have.
 */
gboolean virt_pools_closed(Deadline deadline);

/*
 * Queues func for each item. width: at most so many at once (0: as many as the pool has). notify may be NULL.
 * The items array is copied, the items are lent until they are collected. End it with virt_batch_end.
 */
VirtBatch *virt_batch_submit(VirtPool *pool, const char *what, VirtFunc func, gpointer *items, guint count,
                             GDestroyNotify free_item, guint width, VirtNotify notify, gpointer notify_data);

/* Hands every call that has returned since the last time to done. Returns whether all have. */
gboolean virt_batch_collect(VirtBatch *batch, VirtCollect done, gpointer user_data);

/*
 * Looks after the clock: marks calls that turned slow, and with them the connection; adds workers to a batch
 * that takes long. Returns when to look again. *stuck tells that all that is left of the batch are slow calls
 * (or calls which must not be begun because of them), and that 2 s have passed since another one was
 * answered.
 */
gint64 virt_batch_tick(VirtBatch *batch, gint64 now, gboolean *stuck);

/* Collects, ticks and waits until all calls returned, the deadline passed or the rest is stuck. Returns
 * whether all returned. */
gboolean virt_batch_wait(VirtBatch *batch, VirtCollect done, gpointer user_data, Deadline deadline);

/*
 * Gives the batch up. What was not collected goes to done (may be NULL); the item of a call that never began
 * is freed right after, that of a running one when it returns.
 */
void virt_batch_end(VirtBatch *batch, VirtCollect done, gpointer user_data);
