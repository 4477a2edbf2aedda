/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/virt-pool-private.h"

/* The owner's side of a batch: in, out and the clock; the rules are in virt-pool-private.h. */

#define STUCK_AFTER (2 * G_TIME_SPAN_SECOND)
/* A batch that is not through by then gets all the workers it may have. */
#define EXPAND_AFTER (20 * G_TIME_SPAN_MILLISECOND)
/* Before that, a worker for so many items: starting a thread costs about as much as a call. */
#define ITEMS_A_WORKER 4

/* Workers that a batch may use now. */
static guint batch_workers(const VirtBatch *batch, gboolean all)
{
    guint waiting = batch->count - batch->begun;

    if (!all)
        waiting = (waiting + ITEMS_A_WORKER - 1) / ITEMS_A_WORKER;
    return MIN(waiting, batch->width ? MIN(batch->width, batch->pool->width) : batch->pool->width);
}

VirtBatch *virt_batch_submit(VirtPool *pool, const char *what, VirtFunc func, gpointer *items, guint count,
                             GDestroyNotify free_item, guint width, VirtNotify notify, gpointer notify_data)
{
    VirtBatch *batch = g_malloc0(sizeof *batch + count * sizeof batch->calls[0]);

    batch->pool = pool;
    batch->refs = 1;
    batch->what = g_strdup(what);
    batch->func = func;
    batch->free_item = free_item;
    batch->notify = notify;
    batch->notify_data = notify_data;
    batch->width = width;
    batch->count = count;
    batch->finished = g_new(guint, count);
    batch->began = g_get_monotonic_time();
    for (guint i = 0; i < count; i++)
        batch->calls[i].item = items[i];
    if (count == 0)
        return batch;
    g_mutex_lock(&pool->lock);
    g_queue_push_tail(&pool->batches, batch);
    virt_pool_staff(pool, batch_workers(batch, FALSE));
    g_mutex_unlock(&pool->lock);
    return batch;
}

/* The lock is taken once for all that returned, so that a collector does not stand in the workers' way. */
gboolean virt_batch_collect(VirtBatch *batch, VirtCollect done, gpointer user_data)
{
    VirtPool *pool = batch->pool;
    guint until;

    g_mutex_lock(&pool->lock);
    until = batch->n_finished;
    g_mutex_unlock(&pool->lock);
    while (batch->n_collected < until) {
        Call *call = &batch->calls[batch->finished[batch->n_collected++]];

        /* Only the collector's thread touches a call that has returned. */
        call->state = CALL_COLLECTED;
        if (done)
            done(call->item, call->error, TRUE, user_data);
        g_clear_error(&call->error);
    }
    return batch->n_collected == batch->count;
}

gint64 virt_batch_tick(VirtBatch *batch, gint64 now, gboolean *stuck)
{
    VirtPool *pool = batch->pool;
    guint slow_before;
    gint64 next;

    g_mutex_lock(&pool->lock);
    slow_before = pool->slow;
    next = virt_pool_mark_slow(pool, now);
    *stuck = FALSE;
    if (batch->begun < batch->count && now >= batch->began + EXPAND_AFTER) {
        virt_pool_staff(pool, batch_workers(batch, TRUE));
    } else if (batch->begun < batch->count) {
        next = MIN(next, batch->began + EXPAND_AFTER);
    }
    if (pool->slow > slow_before)
        g_cond_broadcast(&pool->work);
    if (batch->last_return && batch->running == batch->slow && batch->slow > 0 &&
        (batch->begun == batch->count || virt_pool_clogged(pool))) {
        *stuck = now >= batch->last_return + STUCK_AFTER;
        next = MIN(next, batch->last_return + STUCK_AFTER);
    }
    g_mutex_unlock(&pool->lock);
    return next;
}

gboolean virt_batch_wait(VirtBatch *batch, VirtCollect done, gpointer user_data, Deadline deadline)
{
    VirtPool *pool = batch->pool;
    gboolean stuck = FALSE;

    while (!virt_batch_collect(batch, done, user_data)) {
        gint64 now = g_get_monotonic_time();
        gint64 next = virt_batch_tick(batch, now, &stuck);

        if (stuck || now >= deadline)
            return FALSE;
        g_mutex_lock(&pool->lock);
        if (batch->returned < batch->count)
            g_cond_wait_until(&pool->answered, &pool->lock, MIN(next, deadline));
        g_mutex_unlock(&pool->lock);
    }
    return TRUE;
}

/* What has not returned is not collected any more. */
static void call_give_up(Call *call)
{
    if (call->state == CALL_WAITING)
        call->state = CALL_LATE;
    else if (call->state == CALL_RUNNING)
        call->state = CALL_REPORTING;
}

static void call_abandon(VirtBatch *batch, Call *call, const GError *error, VirtCollect done,
                         gpointer user_data)
{
    VirtPool *pool = batch->pool;
    gboolean ours;

    g_mutex_lock(&pool->lock);
    ours = call->state != CALL_COLLECTED;
    g_mutex_unlock(&pool->lock);
    if (!ours)
        return;
    if (done)
        done(call->item, error, FALSE, user_data);
    g_mutex_lock(&pool->lock);
    ours = call->state == CALL_LATE;
    if (!ours)
        call->state = CALL_ABANDONED;
    g_mutex_unlock(&pool->lock);
    if (ours && batch->free_item)
        batch->free_item(call->item);
}

void virt_batch_end(VirtBatch *batch, VirtCollect done, gpointer user_data)
{
    VirtPool *pool = batch->pool;
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&pool->lock);
    /* None of it begins from here on. */
    g_queue_remove(&pool->batches, batch);
    for (guint i = 0; i < batch->count; i++)
        call_give_up(&batch->calls[i]);
    g_mutex_unlock(&pool->lock);

    virt_batch_collect(batch, done, user_data);
    vnat_error_set(&error, VNAT_ERROR_DEADLINE, "%s: no answer from libvirt in time", batch->what);
    for (guint i = 0; i < batch->count && batch->n_collected < batch->count; i++)
        call_abandon(batch, &batch->calls[i], error, done, user_data);
    g_mutex_lock(&pool->lock);
    virt_batch_unref(batch);
    g_mutex_unlock(&pool->lock);
}
