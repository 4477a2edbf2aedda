/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/flow-live.h"

/*
 * Theory of operation. An entry is in one of three states:
 *
 *  told    in the scope, and its beginning was told (or read, quietly)
 *  held    in the scope, its guest is not known: in the queue until its time is over
 *  aside   not in the scope, but its guest is not known, so it may prove to be: waits for a name alone
 *
 * Entries whose guest is not known are also in the set unnamed, told ones too: they are looked at again when
 * names change. All wait equally long, so the queue is in the order of its times.
 */
typedef struct {
    Flow flow;    /* first: the key */
    FlowRow *row; /* in the scope; NULL: aside */
    gboolean told;
    gboolean named;
    guint64 seen; /* the reading that had it, or in which it was told */
    gint64 due;   /* held until */
    GList *held;  /* its place in the queue; NULL: it is not held */
} Entry;

struct FlowLive {
    char *domain, *network; /* the scope */
    const FlowSink *sink;
    gpointer data;
    FlowNames *names;
    GHashTable *entries; /* set of Entry */
    GHashTable *unnamed; /* set of Entry, borrowed */
    GQueue held;         /* Entry, borrowed */
    guint64 reading;
};

static void entry_free(gpointer data)
{
    Entry *entry = data;

    flow_row_free(entry->row);
    g_free(entry);
}

FlowLive *flow_live_new(const FlowScope *scope, const FlowSink *sink, gpointer data)
{
    FlowLive *live = g_new0(FlowLive, 1);

    live->domain = g_strdup(scope->domain);
    live->network = g_strdup(scope->network);
    live->sink = sink;
    live->data = data;
    live->entries = g_hash_table_new_full(flow_hash, flow_equal, NULL, entry_free);
    live->unnamed = g_hash_table_new(NULL, NULL);
    g_queue_init(&live->held);
    return live;
}

void flow_live_free(FlowLive *live)
{
    if (!live)
        return;
    g_queue_clear(&live->held);
    g_hash_table_unref(live->unnamed);
    g_hash_table_unref(live->entries);
    flow_names_free(live->names);
    g_free(live->domain);
    g_free(live->network);
    g_free(live);
}

/* ----------------------------------------------------------------------------------------- entries */

static void entry_unhold(FlowLive *live, Entry *entry)
{
    if (entry->held)
        g_queue_delete_link(&live->held, entry->held);
    entry->held = NULL;
}

static void entry_tell(FlowLive *live, Entry *entry, const FlowMoment *moment, gboolean quiet)
{
    entry_unhold(live, entry);
    entry->told = TRUE;
    flow_row_set_age(entry->row, moment->wall / G_USEC_PER_SEC);
    if (!quiet)
        live->sink->began(live->data, entry->row);
}

static void entry_hold(FlowLive *live, Entry *entry, const FlowMoment *moment)
{
    if (entry->held)
        return;
    entry->due = moment->monotonic + FLOW_HOLD;
    g_queue_push_tail(&live->held, entry);
    entry->held = live->held.tail;
}

/* Looks who it is. FALSE: nobody's, or somebody's who is not asked for. What was told stays what it was, but
 * for a name that it gets. */
static gboolean entry_name(const FlowLive *live, Entry *entry, gint64 wall)
{
    const FlowScope scope = {live->domain, live->network};
    g_autoptr(FlowRow) any = NULL;
    FlowRow *row;

    if (!live->names)
        return FALSE;
    row = flow_row_new(live->names, &entry->flow, &scope, wall / G_USEC_PER_SEC);
    if (row || !entry->told) {
        flow_row_free(entry->row);
        entry->row = row;
    }
    if (entry->row) {
        entry->named = entry->row->domain != NULL;
        return TRUE;
    }
    any = flow_row_new(live->names, &entry->flow, NULL, wall / G_USEC_PER_SEC);
    entry->named = any && any->domain != NULL;
    return any && !entry->named;
}

static void entry_settle(FlowLive *live, Entry *entry, const FlowMoment *moment, gboolean quiet)
{
    if (entry->named)
        g_hash_table_remove(live->unnamed, entry);
    else
        g_hash_table_add(live->unnamed, entry);
    if (!entry->row || entry->told)
        return;
    if (entry->named || quiet)
        entry_tell(live, entry, moment, quiet);
    else
        entry_hold(live, entry, moment);
}

static void entry_remove(FlowLive *live, Entry *entry)
{
    entry_unhold(live, entry);
    g_hash_table_remove(live->unnamed, entry);
    g_hash_table_remove(live->entries, entry);
}

/* Figures and times that are newer, where there are any. */
static void entry_update(Entry *entry, const Flow *flow)
{
    const gint64 started = flow->started ? flow->started : entry->flow.started;
    const guint8 state = flow->state == FLOW_NO_STATE ? entry->flow.state : flow->state;

    entry->flow = *flow;
    entry->flow.started = started;
    entry->flow.state = state;
    if (entry->row)
        entry->row->flow = entry->flow;
}

static void entry_add(FlowLive *live, const Flow *flow, const FlowMoment *moment, gboolean quiet)
{
    Entry *entry = g_new0(Entry, 1);

    entry->flow = *flow;
    entry->seen = live->reading;
    if (!entry_name(live, entry, moment->wall)) {
        entry_free(entry);
        return;
    }
    g_hash_table_add(live->entries, entry);
    entry_settle(live, entry, moment, quiet);
}

/* ------------------------------------------------------------------------------------------ events */

void flow_live_began(FlowLive *live, const Flow *flow, const FlowMoment *moment)
{
    Entry *entry = g_hash_table_lookup(live->entries, flow);
    Flow timed = *flow;

    if (entry) {
        entry->seen = live->reading;
        return;
    }
    if (!timed.started)
        timed.started = moment->wall;
    entry_add(live, &timed, moment, FALSE);
}

/* Takes it out. */
static void entry_end(FlowLive *live, Entry *entry, const FlowMoment *moment, gboolean quiet)
{
    if (entry->row && !quiet) {
        if (!entry->told)
            entry_tell(live, entry, moment, FALSE);
        flow_row_set_age(entry->row, moment->wall / G_USEC_PER_SEC);
        live->sink->ended(live->data, entry->row);
    }
    entry_remove(live, entry);
}

void flow_live_ended(FlowLive *live, const Flow *flow, const FlowMoment *moment)
{
    Entry *entry = g_hash_table_lookup(live->entries, flow);

    if (!entry)
        return;
    entry_update(entry, flow);
    if (!entry->flow.stopped && entry->row)
        entry->row->flow.stopped = moment->wall;
    entry_end(live, entry, moment, FALSE);
}

void flow_live_set_names(FlowLive *live, FlowNames *names, const FlowMoment *moment)
{
    g_autoptr(GPtrArray) unnamed = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key;

    flow_names_free(live->names);
    live->names = names;
    g_hash_table_iter_init(&iter, live->unnamed);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(unnamed, key);
    for (guint i = 0; i < unnamed->len; i++) {
        Entry *entry = unnamed->pdata[i];

        if (entry_name(live, entry, moment->wall))
            entry_settle(live, entry, moment, FALSE);
        else
            entry_remove(live, entry);
    }
}

/* ---------------------------------------------------------------------------------------- readings */

void flow_live_read_begin(FlowLive *live)
{
    live->reading++;
}

void flow_live_read(FlowLive *live, const GArray *flows, const FlowMoment *moment, gboolean quiet)
{
    for (guint i = 0; i < flows->len; i++) {
        const Flow *flow = &g_array_index(flows, Flow, i);
        Entry *entry = g_hash_table_lookup(live->entries, flow);

        if (!entry) {
            entry_add(live, flow, moment, quiet);
            continue;
        }
        entry->seen = live->reading;
        entry_update(entry, flow);
        entry_settle(live, entry, moment, quiet);
    }
}

void flow_live_read_end(FlowLive *live, const FlowMoment *moment, gboolean quiet)
{
    g_autoptr(GPtrArray) ended = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, live->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (((Entry *)key)->seen != live->reading)
            g_ptr_array_add(ended, key);
    }
    for (guint i = 0; i < ended->len; i++)
        entry_end(live, ended->pdata[i], moment, quiet);
}

/* ---------------------------------------------------------------------------------------- the rest */

void flow_live_settle(FlowLive *live, const FlowMoment *moment)
{
    Entry *entry;

    while ((entry = g_queue_peek_head(&live->held)) && entry->due <= moment->monotonic)
        entry_tell(live, entry, moment, FALSE);
}

gint64 flow_live_due(const FlowLive *live)
{
    const Entry *entry = g_queue_peek_head((GQueue *)&live->held);

    return entry ? entry->due : G_MAXINT64;
}

GPtrArray *flow_live_rows(const FlowLive *live, gint64 now)
{
    GPtrArray *rows = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, live->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        FlowRow *row = ((Entry *)key)->row;

        if (!((Entry *)key)->told)
            continue;
        flow_row_set_age(row, now);
        g_ptr_array_add(rows, row);
    }
    g_ptr_array_sort(rows, flow_row_compare);
    return rows;
}

guint flow_live_size(const FlowLive *live)
{
    return g_hash_table_size(live->entries);
}
