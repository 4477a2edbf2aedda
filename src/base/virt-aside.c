/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/virt-pool-private.h"
#include "base/virt.h"

/*
 * Pools that nobody needs any more. Closing one is waiting: for calls that have not returned, for the
 * daemon's word to a hang-up, for threads to end. A follower cannot wait, so a thread of the pool's own does,
 * for as long as it takes; if that is for ever, the process counts as one that leaves by _exit.
 *
 * The lock guards the list. A thread that is done is joined by the next one who comes by.
 */

typedef struct {
    VirtPool *pool;
    GThread *thread;
    gboolean done;
} Aside;

static GMutex lock;
static GCond changed;
static GPtrArray *asides; /* Aside */

static gpointer aside_main(gpointer data)
{
    Aside *aside = data;

    virt_pool_drain(aside->pool);
    g_mutex_lock(&lock);
    aside->done = TRUE;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
    return NULL;
}

/* With the lock held, which a thread that is done does not want again. Returns whether none is left. */
static gboolean asides_join(void)
{
    for (guint i = asides ? asides->len : 0; i > 0; i--) {
        Aside *aside = asides->pdata[i - 1];

        if (!aside->done)
            continue;
        if (aside->thread)
            g_thread_join(aside->thread);
        g_ptr_array_remove_index_fast(asides, i - 1);
        g_free(aside);
    }
    return !asides || asides->len == 0;
}

void virt_pool_close_aside(VirtPool *pool)
{
    Aside *aside = g_new0(Aside, 1);

    aside->pool = pool;
    g_mutex_lock(&lock);
    if (!asides)
        asides = g_ptr_array_new();
    asides_join();
    g_ptr_array_add(asides, aside);
    /* Without a thread it stays as it is, and counts as one that hangs. */
    aside->thread = g_thread_try_new("libvirt-close", aside_main, aside, NULL);
    g_mutex_unlock(&lock);
}

gboolean virt_pools_closed(Deadline deadline)
{
    gboolean all;

    g_mutex_lock(&lock);
    while (!(all = asides_join()) && g_cond_wait_until(&changed, &lock, deadline))
        ;
    if (all && asides)
        g_clear_pointer(&asides, g_ptr_array_unref);
    g_mutex_unlock(&lock);
    return all;
}
