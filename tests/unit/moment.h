/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/map.h"
#include "model/network.h"

/* A moment of a host: what is in a Change is borrowed from two of them. */
typedef struct {
    Facts *facts;
    Map *map;
    GPtrArray *networks;
} Moment;

/* Takes facts. */
static inline Moment moment_of(Facts *facts)
{
    return (Moment){.facts = facts, .map = map_join(facts), .networks = network_rows(facts)};
}

static inline void moment_clear(Moment *moment)
{
    g_ptr_array_unref(moment->networks);
    map_free(moment->map);
    facts_free(moment->facts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Moment, moment_clear)
