/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/flow-row.h"

/*
 * The flows of guests, kept true: what the kernel tells of connections that begin and end, what a reading of
 * its table says, and who has which address by now. Pure: time is an argument, monotonic in microseconds.
 *
 *  - What is told twice counts once, and an end of what never began for us is none.
 *  - A flow of an address that nobody is known by yet waits for up to FLOW_HOLD for its domain to be known:
 *    a guest's first flow comes while its lease is still being read. It is told with the name, or without at
 *    the end of that time; its end is never told before its beginning.
 *  - Once told, a flow keeps its name: at its end the guest may be gone.
 *  - A flow whose kernel keeps no times gets those of the moments in which it was told to begin and end.
 *
 * It holds the flows in the scope, and those of addresses that may yet prove to be in it; nothing else.
 */
typedef struct FlowLive FlowLive;

#define FLOW_HOLD (1 * G_TIME_SPAN_SECOND)

typedef struct {
    void (*began)(gpointer data, const FlowRow *row);
    void (*ended)(gpointer data, const FlowRow *row);
} FlowSink;

/* The moment of what is told. */
typedef struct {
    gint64 monotonic;
    gint64 wall; /* epoch microseconds */
} FlowMoment;

/* scope: its texts are copied. Nobody has an address until flow_live_set_names. */
FlowLive *flow_live_new(const FlowScope *scope, const FlowSink *sink, gpointer data);
/* NULL is allowed. */
void flow_live_free(FlowLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FlowLive, flow_live_free)

/* Who has which address now; takes it. */
void flow_live_set_names(FlowLive *live, FlowNames *names, const FlowMoment *moment);

void flow_live_began(FlowLive *live, const Flow *flow, const FlowMoment *moment);
void flow_live_ended(FlowLive *live, const Flow *flow, const FlowMoment *moment);

/*
 * A whole reading of the table. flow_live_read_begin before it is asked for, flow_live_read with what it
 * says, then whatever was told meanwhile (began, ended), then flow_live_read_end: what is neither in the
 * reading nor was told since has ended. quiet: nobody is told of the differences, for who reads
 * flow_live_rows.
 */
void flow_live_read_begin(FlowLive *live);
void flow_live_read(FlowLive *live, const GArray *flows, const FlowMoment *moment, gboolean quiet);
void flow_live_read_end(FlowLive *live, const FlowMoment *moment, gboolean quiet);

/* Tells what has waited long enough; all of it, where monotonic is G_MAXINT64. */
void flow_live_settle(FlowLive *live, const FlowMoment *moment);
/* When there will be something to settle, monotonic; G_MAXINT64: nothing waits. */
gint64 flow_live_due(const FlowLive *live);

/* What was told to have begun and not to have ended (FlowRow), in the order of rows; borrowed until the next
 * call of another function here. Free with g_ptr_array_unref. */
GPtrArray *flow_live_rows(const FlowLive *live, gint64 now);
/* How many flows it holds. */
guint flow_live_size(const FlowLive *live);
