/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt-gate.h"

#include <libvirt/virterror.h>

/* The pool by itself, on a clock of the test's own. */

typedef struct {
    guint dials, fail_from; /* fail_from: this dial and later ones fail; 0: none */
} Dialled;

static virConnectPtr dial(gpointer data, GError **error)
{
    Dialled *dialled = data;

    dialled->dials++;
    if (dialled->fail_from && dialled->dials >= dialled->fail_from) {
        vnat_error_set(error, VNAT_ERROR_UNREACHABLE, "dial %u", dialled->dials);
        return NULL;
    }
    return virConnectOpen("test:///default");
}

static void collect(gpointer item, const GError *error, gboolean returned, gpointer user_data)
{
    tally_done(item, error, user_data);
    if (returned)
        item_free(item);
}

/* A clock of the test's own: three calls are slow at once, so the next goes over a fresh line. */
static void test_pool_fresh_line(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(20, 3);
    VirtBatch *batch;
    gboolean stuck = TRUE;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 3);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 1)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    /* All workers: twenty items get them only after 20 ms, and that clock is the test's. */
    virt_batch_tick(batch, g_get_monotonic_time() + 30 * G_TIME_SPAN_MILLISECOND, &stuck);
    g_assert_false(stuck);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 3)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    g_assert_false(virt_batch_collect(batch, collect, &tally));
    virt_batch_tick(batch, g_get_monotonic_time() + G_TIME_SPAN_SECOND, &stuck);
    g_assert_false(stuck);
    while (tally.ok < 17)
        g_assert_false(virt_batch_wait(batch, collect, &tally, deadline_in(0.05)));
    g_assert_cmpuint(tally.ok, ==, 17);
    g_assert_cmpuint(dialled.dials, ==, 2);
    /* Only the three are left, and two seconds have passed. */
    virt_batch_tick(batch, g_get_monotonic_time() + 2 * G_TIME_SPAN_SECOND, &stuck);
    g_assert_true(stuck);
    gate_open();
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(60)));
    virt_batch_end(batch, collect, &tally);
    g_assert_cmpuint(tally.ok, ==, 20);
    g_assert_cmpuint(g_hash_table_size(tally.conns), ==, 2);
    g_assert_true(virt_pool_close(pool));
    tally_clear(&tally);
}

static void test_pool_no_line(void)
{
    Dialled dialled = {0, 1};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(20, 0);
    VirtBatch *batch;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 8);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(60)));
    virt_batch_end(batch, collect, &tally);
    g_assert_cmpuint(tally.failed, ==, 20);
    g_assert_cmpuint(dialled.dials, ==, 1);
    g_assert_true(virt_pool_close(pool));
    tally_clear(&tally);
}

/* However many calls hang, libvirtd is left workers for others. */
static void test_pool_clogged(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(40, 40);
    VirtBatch *batch;
    gboolean stuck;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 8);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    for (guint begun = 8; begun <= 16; begun += 8) {
        virt_batch_tick(batch, g_get_monotonic_time() + 30 * G_TIME_SPAN_MILLISECOND, &stuck);
        g_mutex_lock(&gate.lock);
        while (gate.begun < begun)
            g_cond_wait(&gate.cond, &gate.lock);
        g_mutex_unlock(&gate.lock);
        virt_batch_tick(batch, g_get_monotonic_time() + G_TIME_SPAN_SECOND, &stuck);
    }
    g_assert_false(virt_batch_wait(batch, collect, &tally, deadline_in(0.2)));
    g_assert_cmpuint(gate.begun, ==, 16);
    virt_batch_end(batch, collect, &tally);
    g_assert_cmpuint(tally.late, ==, 40);
    g_assert_cmpuint(gate.freed, ==, 24);
    gate_open();
    gate_wait_freed(40);
    virt_pool_close(pool);
    tally_clear(&tally);
}

/*
 * Lets the hung call return while done looks at its item. The pool has one worker: when another batch is
 * through, that call has been dealt with.
 */
static void collect_late(gpointer item, const GError *error, gboolean returned, gpointer user_data)
{
    VirtPool *pool = user_data;
    gpointer other = item_new(1, FALSE);
    VirtBatch *batch;

    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_false(returned);
    gate_open();
    batch = virt_batch_submit(pool, "f", item_call, &other, 1, NULL, 0, NULL, NULL);
    g_assert_true(virt_batch_wait(batch, NULL, NULL, deadline_in(60)));
    virt_batch_end(batch, NULL, NULL);
    g_free(other);
    g_assert_cmpuint(gate.freed, ==, 0);
    g_assert_cmpuint(((Item *)item)->number, ==, 0);
}

static void test_pool_late(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    gpointer item = item_new(0, TRUE);
    VirtBatch *batch;

    gate_reset();
    batch = virt_batch_submit(pool, "f", item_call, &item, 1, item_free, 0, NULL, NULL);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 1)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    virt_batch_end(batch, collect_late, pool);
    g_assert_cmpuint(gate.freed, ==, 1);
    g_assert_true(virt_pool_close(pool));
}

static void count_notice(gpointer data)
{
    (*(guint *)data)++;
}

static void test_pool_notify(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(20, 0);
    guint notices = 0;
    VirtBatch *batch;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 4);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, count_notice,
                              &notices);
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(60)));
    virt_batch_end(batch, collect, &tally);
    /* Of each, so that one that hangs holds back none. */
    g_assert_cmpuint(notices, ==, 20);
    g_assert_true(virt_pool_close(pool));
    tally_clear(&tally);
}

/* What was poked; a poke of the test's returns at once, or when pokes_hang is no more. */
static gint pokes, pokes_hang;

static void poke(virConnectPtr conn)
{
    g_assert_cmpint(virConnectIsAlive(conn), ==, 1);
    g_mutex_lock(&gate.lock);
    g_atomic_int_inc(&pokes);
    g_cond_broadcast(&gate.cond);
    while (pokes_hang)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

static void await_pokes(gint count)
{
    g_mutex_lock(&gate.lock);
    while (g_atomic_int_get(&pokes) < count)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

static VirtBatch *begin_hanging(VirtPool *pool, GPtrArray *items)
{
    VirtBatch *batch;
    gboolean stuck;

    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    virt_batch_tick(batch, g_get_monotonic_time() + 30 * G_TIME_SPAN_MILLISECOND, &stuck);
    g_mutex_lock(&gate.lock);
    while (gate.begun < items->len)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    return batch;
}

/* A call beside another may have stayed unsent: the line is poked, not too often, also when it is known as
 * slow, and not for ever. */
static void test_pool_poke(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(2, 2);
    gint64 now, next;
    VirtBatch *batch;
    gboolean stuck;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    pokes = pokes_hang = 0;
    virt_pool_set_width(pool, 2);
    virt_pool_set_poke(pool, poke);
    batch = begin_hanging(pool, items);
    now = g_get_monotonic_time();
    next = virt_batch_tick(batch, now, &stuck);
    g_assert_cmpint(next, <=, now + 50 * G_TIME_SPAN_MILLISECOND);
    virt_batch_tick(batch, now + 60 * G_TIME_SPAN_MILLISECOND, &stuck);
    await_pokes(1);
    virt_batch_tick(batch, now + 200 * G_TIME_SPAN_MILLISECOND, &stuck);
    /* One at a time: a second is begun when the first has returned, which is soon. */
    while (g_atomic_int_get(&pokes) < 2)
        virt_batch_tick(batch, now + 300 * G_TIME_SPAN_MILLISECOND, &stuck);
    virt_batch_tick(batch, now + 320 * G_TIME_SPAN_MILLISECOND, &stuck);
    while (g_atomic_int_get(&pokes) < 3) {
        next = virt_batch_tick(batch, now + 2 * G_TIME_SPAN_SECOND, &stuck);
        /* Also in a look that poked and found all to be slow: another call may begin. */
        g_assert_cmpint(next, <=, now + 3 * G_TIME_SPAN_SECOND);
    }
    for (gint64 later = 3; later < 100; later++)
        virt_batch_tick(batch, now + later * G_TIME_SPAN_SECOND, &stuck);
    gate_open();
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(60)));
    virt_batch_end(batch, NULL, NULL);
    g_assert_true(virt_pool_close(pool));
    g_assert_cmpint(pokes, ==, 3);
    tally_clear(&tally);
}

static void test_pool_poke_alone(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(1, 1);
    VirtBatch *batch;
    gboolean stuck;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    pokes = 0;
    virt_pool_set_poke(pool, poke);
    batch = begin_hanging(pool, items);
    virt_batch_tick(batch, g_get_monotonic_time() + 500 * G_TIME_SPAN_MILLISECOND, &stuck);
    gate_open();
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(60)));
    virt_batch_end(batch, NULL, NULL);
    g_assert_true(virt_pool_close(pool));
    g_assert_cmpint(pokes, ==, 0);
    tally_clear(&tally);
}

/* A server that reads no more does not answer a poke either: that is waited for aside, as any call. */
static void test_pool_poke_hangs(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(2, 2);
    VirtBatch *batch;
    gboolean stuck;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    pokes = 0;
    pokes_hang = 1;
    virt_pool_set_width(pool, 2);
    virt_pool_set_poke(pool, poke);
    batch = begin_hanging(pool, items);
    virt_batch_tick(batch, g_get_monotonic_time() + 60 * G_TIME_SPAN_MILLISECOND, &stuck);
    await_pokes(1);
    virt_batch_tick(batch, g_get_monotonic_time() + 900 * G_TIME_SPAN_MILLISECOND, &stuck);
    /* The calls come back, the poke does not. */
    gate_open();
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(60)));
    virt_batch_end(batch, NULL, NULL);
    virt_pool_close_aside(pool);
    g_assert_false(virt_pools_closed(deadline_in(0.05)));
    g_mutex_lock(&gate.lock);
    pokes_hang = 0;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.lock);
    g_assert_true(virt_pools_closed(deadline_in(60)));
    g_assert_cmpint(pokes, ==, 1);
    tally_clear(&tally);
}

static gint hangups;

static void hangup(virConnectPtr conn, gpointer dial_data)
{
    Dialled *dialled = dial_data;

    g_assert_cmpint(virConnectIsAlive(conn), ==, 1);
    g_assert_cmpuint(dialled->dials, ==, 1);
    g_atomic_int_inc(&hangups);
}

/* Whoever closes does not wait for a call that hangs; it is waited for all the same. */
static void test_pool_aside(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    gpointer item = item_new(0, TRUE);
    VirtBatch *batch;

    gate_reset();
    g_assert_true(virt_pools_closed(0));
    virt_pool_set_hangup(pool, hangup);
    batch = virt_batch_submit(pool, "f", item_call, &item, 1, item_free, 0, NULL, NULL);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 1)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    virt_batch_end(batch, NULL, NULL);
    virt_pool_close_aside(pool);
    g_assert_false(virt_pools_closed(deadline_in(0.05)));
    g_assert_true(virt_calls_hang());
    g_assert_cmpint(g_atomic_int_get(&hangups), ==, 0);
    gate_open();
    g_assert_true(virt_pools_closed(deadline_in(60)));
    g_assert_cmpuint(gate.freed, ==, 1);
    g_assert_cmpint(g_atomic_int_get(&hangups), ==, 1);
}

/* One that was never used, and one that could not be. */
static void test_pool_aside_unused(void)
{
    Dialled dialled = {0, 1};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    gpointer item = item_new(0, FALSE);
    VirtBatch *batch;

    hangups = 0;
    virt_pool_set_hangup(pool, hangup);
    batch = virt_batch_submit(pool, "f", item_call, &item, 1, NULL, 0, NULL, NULL);
    g_assert_true(virt_batch_wait(batch, NULL, NULL, deadline_in(60)));
    virt_batch_end(batch, NULL, NULL);
    virt_pool_close_aside(pool);
    virt_pool_close_aside(virt_pool_new(dial, &dialled, NULL));
    g_assert_true(virt_pools_closed(deadline_in(60)));
    g_assert_cmpint(hangups, ==, 0);
    g_free(item);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, NULL);
    g_test_add_func("/virt/pool/fresh-line", test_pool_fresh_line);
    g_test_add_func("/virt/pool/no-line", test_pool_no_line);
    g_test_add_func("/virt/pool/clogged", test_pool_clogged);
    g_test_add_func("/virt/pool/late", test_pool_late);
    g_test_add_func("/virt/pool/notify", test_pool_notify);
    g_test_add_func("/virt/pool/poke", test_pool_poke);
    g_test_add_func("/virt/pool/poke/alone", test_pool_poke_alone);
    g_test_add_func("/virt/pool/poke/hangs", test_pool_poke_hangs);
    g_test_add_func("/virt/pool/aside", test_pool_aside);
    g_test_add_func("/virt/pool/aside/unused", test_pool_aside_unused);
    return g_test_run();
}
