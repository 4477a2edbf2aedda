/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"
#include "base/virt-call.h"
#include "base/virt-pool.h"

#include <string.h>

/*
 * Calls that hang are functions that wait for a gate which the test opens at its end: nothing here sleeps.
 * What passes is a clock, where slowness is what is tested.
 */
typedef struct {
    GMutex lock;
    GCond cond;
    gboolean open;
    guint begun, freed; /* calls inside, items freed */
} Gate;

static G_GNUC_UNUSED Gate gate;

static inline void gate_reset(void)
{
    g_mutex_lock(&gate.lock);
    gate.open = FALSE;
    gate.begun = 0;
    gate.freed = 0;
    g_mutex_unlock(&gate.lock);
}

static inline void gate_enter(void)
{
    g_mutex_lock(&gate.lock);
    gate.begun++;
    g_cond_broadcast(&gate.cond);
    while (!gate.open)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

static inline void gate_open(void)
{
    g_mutex_lock(&gate.lock);
    gate.open = TRUE;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.lock);
}

static inline void gate_wait_freed(guint count)
{
    gint64 until = g_get_monotonic_time() + 100 * G_TIME_SPAN_SECOND;

    g_mutex_lock(&gate.lock);
    while (gate.freed < count && g_cond_wait_until(&gate.cond, &gate.lock, until))
        ;
    g_assert_cmpuint(gate.freed, ==, count);
    g_mutex_unlock(&gate.lock);
}

typedef struct {
    guint number;
    gboolean hangs;
    virConnectPtr conn; /* that it was called with */
    guint done;         /* by done: how often */
} Item;

static inline Item *item_new(guint number, gboolean hangs)
{
    Item *item = g_new0(Item, 1);

    item->number = number;
    item->hangs = hangs;
    return item;
}

static inline void item_free(gpointer item)
{
    g_free(item);
    g_mutex_lock(&gate.lock);
    gate.freed++;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.lock);
}

static inline gboolean item_call(virConnectPtr conn, gpointer data, GError **error)
{
    Item *item = data;

    if (item->hangs)
        gate_enter();
    item->conn = conn;
    if (item->number % 100 == 99)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "item %u", item->number);
    return TRUE;
}

typedef struct {
    guint ok, failed, late;
    GHashTable *conns;
    gboolean seen[1000]; /* by number */
} Tally;

static inline void tally_done(gpointer data, const GError *error, gpointer user_data)
{
    Item *item = data;
    Tally *tally = user_data;

    g_assert_false(tally->seen[item->number]);
    tally->seen[item->number] = TRUE;
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE)) {
        tally->late++;
        return;
    }
    if (error)
        tally->failed++;
    else
        tally->ok++;
    g_hash_table_add(tally->conns, item->conn);
}

static inline void tally_init(Tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->conns = g_hash_table_new(NULL, NULL);
}

static inline void tally_clear(Tally *tally)
{
    g_hash_table_unref(tally->conns);
}

static inline GPtrArray *items_new(guint count, guint hang)
{
    GPtrArray *items = g_ptr_array_new();

    for (guint i = 0; i < count; i++)
        g_ptr_array_add(items, item_new(i, i < hang));
    return items;
}
