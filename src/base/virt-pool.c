/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/virt-pool-private.h"

#include <libvirt/virterror.h>

/* Workers and lines; the rules are in virt-pool-private.h. */

#define SLOW_AFTER G_TIME_SPAN_SECOND
#define CLOSE_WITHIN G_TIME_SPAN_SECOND
#define LINE_CALLS_BESIDE_SLOW 5
#define LINE_SLOW_MAX 2
#define POOL_CALLS_MAX 16
#define POKE_AFTER (50 * G_TIME_SPAN_MILLISECOND)
#define POKE_AGAIN (200 * G_TIME_SPAN_MILLISECOND)

/* -------------------------------------------------------------------------------------------- life */

static void poke_version(virConnectPtr conn)
{
    unsigned long version;

    if (virConnectGetLibVersion(conn, &version) < 0)
        virResetLastError();
}

VirtPool *virt_pool_new(VirtDial dial, gpointer dial_data, GDestroyNotify free_dial)
{
    VirtPool *pool = g_new0(VirtPool, 1);

    /*
     * GLib makes its C locale at the first use, and a second thread that comes meanwhile waits, which leaves
     * an errno that g_ascii_string_to_unsigned takes for its own (gstrfuncs.c, 2.74): "1" is no number then.
     * So it is used once while there is one thread.
     */
    g_ascii_strtoull("0", NULL, 10);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->work);
    g_cond_init(&pool->answered);
    g_queue_init(&pool->batches);
    pool->refs = 1;
    pool->width = 1;
    pool->workers = g_ptr_array_new();
    pool->left = g_ptr_array_new();
    pool->dial = dial;
    pool->dial_data = dial_data;
    pool->free_dial = free_dial;
    pool->poke = poke_version;
    return pool;
}

void virt_pool_set_poke(VirtPool *pool, VirtPoke poke)
{
    pool->poke = poke;
}

void virt_pool_set_hangup(VirtPool *pool, VirtHangup hangup)
{
    pool->hangup = hangup;
}

void virt_pool_set_width(VirtPool *pool, guint width)
{
    g_mutex_lock(&pool->lock);
    pool->width = MAX(width, 1);
    g_mutex_unlock(&pool->lock);
}

static void pool_free(VirtPool *pool)
{
    if (pool->free_dial)
        pool->free_dial(pool->dial_data);
    for (guint i = 0; i < pool->left->len; i++)
        g_thread_unref(pool->left->pdata[i]);
    g_ptr_array_unref(pool->workers);
    g_ptr_array_unref(pool->left);
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->work);
    g_cond_clear(&pool->answered);
    g_free(pool);
}

/* Unlocks too. */
static void pool_unref_unlock(VirtPool *pool)
{
    gboolean last = --pool->refs == 0;

    g_mutex_unlock(&pool->lock);
    if (last)
        pool_free(pool);
}

void virt_batch_unref(VirtBatch *batch)
{
    if (--batch->refs > 0)
        return;
    g_free(batch->finished);
    g_free(batch->what);
    g_free(batch);
}

/* ----------------------------------------------------------------------------------------- workers */

static gboolean batch_may_begin(const VirtPool *pool, const VirtBatch *batch)
{
    guint width = batch->width ? MIN(batch->width, pool->width) : pool->width;

    if (batch->begun == batch->count || virt_pool_clogged(pool))
        return FALSE;
    if (pool->line && pool->line->slow > 0 && pool->line->running >= LINE_CALLS_BESIDE_SLOW)
        return FALSE;
    return batch->running - batch->slow < width && pool->running - pool->slow < pool->width;
}

static VirtBatch *pool_pick(VirtPool *pool)
{
    if (!pool->line && pool->dialling)
        return NULL;
    for (GList *l = pool->batches.head; l; l = l->next) {
        if (batch_may_begin(pool, l->data))
            return l->data;
    }
    return NULL;
}

static void batch_finish(VirtBatch *batch, guint index, gint64 now)
{
    batch->calls[index].state = CALL_RETURNED;
    batch->finished[batch->n_finished++] = index;
    batch->returned++;
    batch->last_return = now;
    if (batch->notify)
        batch->notify(batch->notify_data);
    /* Who waits wants all of them, not each: waking him for every call would cost more than the calls. */
    if (batch->returned == batch->count)
        g_cond_broadcast(&batch->pool->answered);
}

/* No connection: everything that waits for one fails alike. */
static void pool_fail_waiting(VirtPool *pool, const GError *error)
{
    gint64 now = g_get_monotonic_time();
    VirtBatch *batch;

    while ((batch = g_queue_pop_head(&pool->batches))) {
        while (batch->begun < batch->count) {
            batch->calls[batch->begun].error = g_error_copy(error);
            batch_finish(batch, batch->begun++, now);
        }
    }
}

static void pool_dial(VirtPool *pool)
{
    g_autoptr(GError) error = NULL;
    virConnectPtr conn;

    pool->dialling = TRUE;
    g_mutex_unlock(&pool->lock);
    conn = pool->dial(pool->dial_data, &error);
    g_mutex_lock(&pool->lock);
    pool->dialling = FALSE;
    if (conn) {
        pool->line = g_new0(Line, 1);
        pool->line->conn = conn;
    } else {
        pool_fail_waiting(pool, error);
    }
    g_cond_broadcast(&pool->work);
}

/* Closing is a call to the daemon like any other: it may hang, and takes its worker with it then. */
static void line_close_unlocked(VirtPool *pool, Line *line)
{
    g_mutex_unlock(&pool->lock);
    if (pool->hangup)
        pool->hangup(line->conn, pool->dial_data);
    virConnectClose(line->conn);
    g_free(line);
    g_mutex_lock(&pool->lock);
}

/* A line that is used no more: for new calls there is another, or there are none. */
static void line_close_if_done(VirtPool *pool, Line *line)
{
    if (line->retired && line->running == 0 && !line->poking)
        line_close_unlocked(pool, line);
}

static void worker_begin(Worker *self, VirtBatch *batch, guint index)
{
    VirtPool *pool = self->pool;

    batch->calls[index].state = CALL_RUNNING;
    batch->refs++;
    batch->running++;
    if (batch->begun == batch->count)
        g_queue_remove(&pool->batches, batch);
    self->batch = batch;
    self->line = pool->line;
    self->line->running++;
    self->since = g_get_monotonic_time();
    self->slow = FALSE;
    pool->running++;
}

/* Undoes what worker_begin and a tick counted. */
static void worker_uncount(Worker *self)
{
    VirtPool *pool = self->pool;

    pool->running--;
    self->batch->running--;
    self->line->running--;
    if (self->slow) {
        pool->slow--;
        self->batch->slow--;
        self->line->slow--;
        /* What was held back because of it may go on. */
        g_cond_broadcast(&pool->work);
    }
}

/* The call came back: leaves its result where its state says. Returns an item that nobody waits for any more,
 * or NULL. */
static gpointer call_return(VirtBatch *batch, guint index, GError *error)
{
    Call *call = &batch->calls[index];

    if (call->state == CALL_RUNNING) {
        call->error = error;
        batch_finish(batch, index, g_get_monotonic_time());
        return NULL;
    }
    g_clear_error(&error);
    if (call->state == CALL_REPORTING) {
        call->state = CALL_LATE;
        return NULL;
    }
    return call->item;
}

static void worker_run(Worker *self, VirtBatch *batch)
{
    VirtPool *pool = self->pool;
    guint index = batch->begun++;
    GDestroyNotify free_item = batch->free_item;
    gpointer orphan;
    GError *error = NULL;
    Line *line;

    worker_begin(self, batch, index);
    line = self->line;
    g_mutex_unlock(&pool->lock);

    if (!batch->func(line->conn, batch->calls[index].item, &error) && !error)
        vnat_error_set(&error, VNAT_ERROR_FAILED, "%s failed without a reason", batch->what);

    g_mutex_lock(&pool->lock);
    worker_uncount(self);
    orphan = call_return(batch, index, error);
    virt_batch_unref(batch);
    self->batch = NULL;
    self->line = NULL;
    line_close_if_done(pool, line);
    if (orphan && free_item) {
        g_mutex_unlock(&pool->lock);
        free_item(orphan);
        g_mutex_lock(&pool->lock);
    }
}

/* Forgets the worker; the last one out closes the line. It counts as a worker until that is done: who closes
 * the pool must wait for the thread, which otherwise would end beside the process, both cleaning up what the
 * libraries keep for a thread. */
static void worker_leave(Worker *self)
{
    VirtPool *pool = self->pool;
    Line *line = pool->line;

    if (line && line->running == 0 && pool->workers->len == 1) {
        pool->line = NULL;
        line->retired = TRUE;
        line_close_if_done(pool, line);
    }
    g_ptr_array_remove_fast(pool->workers, self);
    g_ptr_array_add(pool->left, self->thread);
    g_free(self);
    g_cond_broadcast(&pool->answered);
    pool_unref_unlock(pool);
}

static gpointer worker_main(gpointer data)
{
    Worker *self = data;
    VirtPool *pool = self->pool;

    g_mutex_lock(&pool->lock);
    while (!pool->closing) {
        VirtBatch *batch = pool_pick(pool);

        if (!batch) {
            pool->idle++;
            g_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
        } else if (!pool->line) {
            pool_dial(pool);
        } else {
            worker_run(self, batch);
        }
    }
    worker_leave(self);
    return NULL;
}

static gboolean pool_start_worker(VirtPool *pool, GError **error)
{
    Worker *worker = g_new0(Worker, 1);

    worker->pool = pool;
    worker->thread = g_thread_try_new("libvirt", worker_main, worker, error);
    if (!worker->thread) {
        g_free(worker);
        return FALSE;
    }
    pool->refs++;
    g_ptr_array_add(pool->workers, worker);
    return TRUE;
}

void virt_pool_staff(VirtPool *pool, guint wanted)
{
    g_autoptr(GError) error = NULL;
    guint woken = MIN(wanted, pool->idle);

    for (guint i = 0; i < woken; i++)
        g_cond_signal(&pool->work);
    for (guint i = woken; i < wanted && pool->workers->len < pool->width + pool->slow; i++) {
        if (!pool_start_worker(pool, &error))
            break;
    }
    if (error && pool->workers->len == pool->slow)
        pool_fail_waiting(pool, error);
}

/* -------------------------------------------------------------------------------------------- pokes */

typedef struct {
    VirtPool *pool;
    Line *line;
    GThread *thread;
} Poke;

static gpointer poke_main(gpointer data)
{
    Poke *poke = data;
    VirtPool *pool = poke->pool;

    pool->poke(poke->line->conn);
    g_mutex_lock(&pool->lock);
    poke->line->poking = FALSE;
    line_close_if_done(pool, poke->line);
    pool->pokes--;
    g_ptr_array_add(pool->left, poke->thread);
    g_free(poke);
    g_cond_broadcast(&pool->answered);
    pool_unref_unlock(pool);
    return NULL;
}

/* Those of earlier pokes: they have dropped the lock, and are past their last use of it. */
static void pokes_join(VirtPool *pool)
{
    for (guint i = 0; i < pool->left->len; i++)
        g_thread_join(pool->left->pdata[i]);
    g_ptr_array_set_size(pool->left, 0);
}

/* With the lock held, which the new thread waits for before it looks at its own handle. */
static void line_poke(VirtPool *pool, Line *line, gint64 now)
{
    Poke *poke = g_new0(Poke, 1);

    pokes_join(pool);
    line->poked = now;
    poke->pool = pool;
    poke->line = line;
    poke->thread = g_thread_try_new("libvirt-poke", poke_main, poke, NULL);
    if (!poke->thread) {
        g_free(poke);
        return;
    }
    line->poking = TRUE;
    pool->pokes++;
    pool->refs++;
}

/* Of a call that runs beside others. Returns when to poke its line next, unless it has returned by then. */
static gint64 worker_poke(Worker *worker, gint64 now)
{
    Line *line = worker->line;
    gint64 when = MAX(worker->since + POKE_AFTER, line->poked + POKE_AGAIN);

    if (line->running < 2 || line->poking || MAX(now, when) >= worker->since + VIRT_POKED_FOR)
        return G_MAXINT64;
    if (now < when)
        return when;
    line_poke(worker->pool, line, now);
    return now + POKE_AGAIN;
}

gint64 virt_pool_mark_slow(VirtPool *pool, gint64 now)
{
    /* What waits may begin at any moment, and be poked soon after. */
    gint64 next = now + (pool_pick(pool) ? POKE_AFTER : SLOW_AFTER);

    for (guint i = 0; i < pool->workers->len; i++) {
        Worker *worker = pool->workers->pdata[i];
        gint64 poke;

        if (!worker->batch)
            continue;
        poke = worker_poke(worker, now);
        next = MIN(next, poke);
        if (worker->slow)
            continue;
        if (now - worker->since < SLOW_AFTER) {
            next = MIN(next, worker->since + SLOW_AFTER);
            continue;
        }
        worker->slow = TRUE;
        worker->batch->slow++;
        pool->slow++;
        if (++worker->line->slow > LINE_SLOW_MAX && worker->line == pool->line) {
            worker->line->retired = TRUE;
            pool->line = NULL;
        }
    }
    return next;
}

gboolean virt_pool_clogged(const VirtPool *pool)
{
    return pool->running >= POOL_CALLS_MAX;
}

/* With the lock held: nothing is begun any more, and workers that wait leave. */
static void pool_end(VirtPool *pool)
{
    pool->closing = TRUE;
    g_cond_broadcast(&pool->work);
}

/* Drops the owner's reference, and the lock. */
static void pool_join_unlock(VirtPool *pool)
{
    for (guint i = 0; i < pool->left->len; i++) {
        /* Past its last use of the lock, or about to drop it: joining cannot block for long. */
        GThread *thread = pool->left->pdata[i];

        g_mutex_unlock(&pool->lock);
        g_thread_join(thread);
        g_mutex_lock(&pool->lock);
    }
    g_ptr_array_set_size(pool->left, 0);
    pool_unref_unlock(pool);
}

gboolean virt_pool_close(VirtPool *pool)
{
    gint64 until = g_get_monotonic_time() + CLOSE_WITHIN;
    gboolean quiet = TRUE;

    g_mutex_lock(&pool->lock);
    pool_end(pool);
    while (quiet && pool->workers->len + pool->pokes > 0 && pool->running == 0 && !pool->dialling)
        quiet = g_cond_wait_until(&pool->answered, &pool->lock, until);
    quiet = quiet && pool->workers->len + pool->pokes == 0;
    pool_join_unlock(pool);
    return quiet;
}

void virt_pool_drain(VirtPool *pool)
{
    g_mutex_lock(&pool->lock);
    pool_end(pool);
    while (pool->workers->len + pool->pokes > 0)
        g_cond_wait(&pool->answered, &pool->lock);
    pool_join_unlock(pool);
}
