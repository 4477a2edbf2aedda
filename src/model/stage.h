/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"
#include "model/map.h"

#include <glib.h>

/*
 * How far a domain has come on its way to be reached: what `vnat wait` waits for, and what it says when that
 * does not come. Pure.
 */

typedef enum {
    STAGE_RUNNING, /* libvirt has it active */
    STAGE_LINK,    /* a tap of it is on its bridge; where the kernel cannot be read, libvirt's word counts */
    STAGE_FRAME,   /* something of it was heard: its MAC was learned on the tap, or an address is known; only
                      where a bridge of this host's kernel could have heard it */
    STAGE_ADDRESS, /* an address is known by lease, agent or neighbour, and not only a link-local one */
    STAGE_PORT,    /* a connection to its port was accepted */
    STAGE_COUNT
} Stage;

/* For progress: "it to run", "its tap on the bridge", "its first frame", "an address", "its port". */
const char *stage_name(Stage stage);

typedef struct {
    const char *name;          /* of the domain */
    const Domain *domain;      /* NULL: it is not active */
    const GPtrArray *rows;     /* MapRow: its interfaces, in the order of its XML */
    const Facts *facts;        /* networks, links, forwarding tables; NULL: these were not looked at */
    const GPtrArray *findings; /* Finding, worst first: of everybody */
    gboolean tap_wanted;       /* an interface counts by its tap alone, and not if it cannot have one */
    guint port;                /* 0: none is waited for */
    gboolean port_open;
    const Ip *port_tried;   /* where it was tried last; NULL: nowhere yet */
    const char *port_error; /* and what came of it */
} StageView;

/* The first stage that it has not reached; STAGE_COUNT: none. Of several interfaces the one that has come
 * farthest counts, which *row (may be NULL) gets: NULL where there is none. */
Stage stage_stuck(const StageView *view, const MapRow **row);

/* The stage to show to people: that it runs, of a guest whose being paused keeps it from what is behind its
 * link; else the one in which it is stuck. */
Stage stage_shown(const StageView *view);

/* Of a domain that runs: it has interfaces, and none of a type that gets a tap, so that waiting for one is in
 * vain. */
gboolean stage_lacks_taps(const StageView *view);

/* The addresses of the interfaces that have reached STAGE_ADDRESS, best evidence first, without link-local
 * ones: Address, borrowed from the rows. Free with g_ptr_array_unref. */
GPtrArray *stage_addresses(const StageView *view);

/* Why it is stuck there, in one sentence, and the next thing to look at: a command, or a step in words. */
typedef struct {
    char *what, *next;
} StageAdvice;

StageAdvice stage_advice(const StageView *view);
void stage_advice_clear(StageAdvice *advice);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StageAdvice, stage_advice_clear)
