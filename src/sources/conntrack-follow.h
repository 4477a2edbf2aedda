/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/flow.h"

/*
 * The kernel's word of connections that begin and end, by the groups of ctnetlink; takes CAP_NET_ADMIN.
 * Entries that were there before somebody listened end without a word (nf_conntrack_events 2, the kernel's
 * own choice since 5.19): who has to know reads the table again (conntrack_dump).
 */
typedef struct ConntrackFollow ConntrackFollow;

typedef struct {
    void (*began)(gpointer data, const Flow *flow);
    /* With its last figures and, where they are kept, its times. */
    void (*ended)(gpointer data, const Flow *flow);
    /* Messages were lost: what is known may be wrong until the table has been read again. */
    void (*lost)(gpointer data);
    /* After what was queued has been told. */
    void (*news)(gpointer data);
} ConntrackTell;

/*
 * Subscribes on the default GMainContext; from here on nothing is missed without lost. Errors: DENIED (the
 * message names the capability), UNSUPPORTED (no such kernel), FAILED.
 */
ConntrackFollow *conntrack_follow_new(const ConntrackTell *tell, gpointer data, GError **error);
/* Whether the kernel was told to tell of no connection at all (nf_conntrack_events 0). */
gboolean conntrack_is_silent(void);
/* NULL is allowed. */
void conntrack_follow_free(ConntrackFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConntrackFollow, conntrack_follow_free)

/* Tells what is queued, in its order; at most 4,096 datagrams of it. Without news. */
void conntrack_follow_drain(ConntrackFollow *follow);
