/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/flow.h"
#include "model/map.h"

/*
 * Flows of guests: which of a flow's ends is a guest, by the map's word of who has which address. The rules:
 *
 *  - an address is a guest's if a row of the map has it, whatever the evidence; of several rows the one with
 *    the best. One in the subnet of an active network that no row has is somebody's whom nobody knows: the
 *    row names the network and no domain;
 *  - an address of this host, or a subnet's first or last one, is nobody's;
 *  - a row tells of the guest that began the flow, else of the one that it leads to. Between two guests it is
 *    one row; the other one is remote_domain. Asked for one of them, its row tells of that one.
 */

typedef struct {
    Flow flow;
    gboolean inbound; /* the other side began it */
    Ip guest, remote; /* as the flow's first packet had them; the guest's own where it was translated */
    gboolean translated;
    Ip host; /* what stands for the guest outside; family 0: not translated */
    guint16 guest_port, host_port, remote_port;
    char *domain, *tap, *network; /* GRefString; NULL: unknown */
    char *remote_domain;          /* GRefString; NULL: the other end is no guest */
    gint64 age;                   /* seconds since it began, or that it took if it has ended; -1: not known */
} FlowRow;

void flow_row_free(FlowRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FlowRow, flow_row_free)

/* Totals of both directions; -1: not counted. */
gint64 flow_row_bytes(const FlowRow *row);
gint64 flow_row_packets(const FlowRow *row);
/* Of these what the guest sent, and what came to it; -1: not counted. */
gint64 flow_row_sent(const FlowRow *row);
gint64 flow_row_received(const FlowRow *row);
/* Its age anew. now: epoch seconds. */
void flow_row_set_age(FlowRow *row, gint64 now);

/*
 * The order of rows: bytes (most first, what is not counted last), age (oldest first, unknown last), then the
 * guest's address and port, protocol, remote, number. Compares elements (FlowRow *) for g_ptr_array_sort.
 */
gint flow_row_compare(gconstpointer a, gconstpointer b);

/* What is shown: all (both NULL), a domain's, or a network's flows. By name; borrowed. */
typedef struct {
    const char *domain, *network;
} FlowScope;

/* Who has which address: an index that is its own, so that the map may go. */
typedef struct FlowNames FlowNames;

/* rows: MapRow. Of facts it needs networks and addresses. */
FlowNames *flow_names_new(const Facts *facts, const GPtrArray *rows);
/* NULL is allowed. */
void flow_names_free(FlowNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FlowNames, flow_names_free)

/* The row of a flow; NULL if it is no guest's, or not in the scope (NULL: all). now: epoch seconds, for its
 * age. */
FlowRow *flow_row_new(const FlowNames *names, const Flow *flow, const FlowScope *scope, gint64 now);

/* The rows (FlowRow) of facts->flows in the scope, in their order. */
GPtrArray *flow_rows(const Facts *facts, const FlowNames *names, const FlowScope *scope);

/*
 * Drops from facts->flows all that is no guest's, and of the rest what is more than max; TRUE if there was
 * more. What a capture keeps: the host's own connections are nothing of a virtual network's.
 */
gboolean flows_keep_guests(Facts *facts, const FlowNames *names, guint max);
