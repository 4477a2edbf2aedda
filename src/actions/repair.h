/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt.h"
#include "model/facts.h"
#include "model/map.h"
#include "model/step.h"

/*
 * Mending what the checks found, without cutting off a guest. What is done about which finding, in which
 * order and under which conditions is a pure function of what was read, the plan; taking its steps is apart
 * from it. Whoever calls brings the reading and the checks (they are other layers'), as functions.
 */

/* What was read and found. Whoever read it owns it. */
typedef struct {
    VirtConn *conn; /* NULL: nothing can be changed through libvirt */
    const Facts *facts;
    const Map *map;
    const GPtrArray *findings; /* Finding */
} RepairView;

/* What was asked for. */
typedef struct {
    const char *const *networks; /* names; NULL or empty: all, and the host. Else what belongs to others is
                                    left out */
    const char *const *ids;      /* checks whose repair was consented to; may be NULL */
} RepairAsked;

/* Whether anything can be done about findings of this check. */
gboolean repair_exists(const char *id);

/*
 * The steps, in the order in which they would be taken. planned: of the safe class, or consented to. skipped:
 * lacks consent, or is a person's to mend; detail and command say so. failed: must not be done as things
 * stand, detail says why. Pure. Free with g_ptr_array_unref.
 */
GPtrArray *repair_plan(const RepairView *view, const RepairAsked *asked);

typedef struct {
    /* Reads everything again, checks it, and puts it into *view; what was there before is gone. On FALSE
     * *view is as it was. Errors: as the sources have them. */
    gboolean (*look)(RepairView *view, gpointer data, GError **error);
    /* Whether the check of that id could look at all: every source that it needs is live. Of what was read
     * last. why: gets the reason, new string. */
    gboolean (*looked)(const char *id, char **why, gpointer data);
    /* Defines that network from the template of its name. */
    gboolean (*define)(const char *network, gpointer data, GError **error);
    /* Told what is waited for; may be NULL. */
    void (*waiting)(const char *what, gpointer data);
    gpointer data;
} RepairHost;

/*
 * Takes the steps. view: as read a moment ago. Each finding is looked at again before anything is done about
 * it, for up to two seconds where it may pass by itself, and afterwards the same check has to clear. What the
 * steps themselves bring to light (a network that was started has taps to put back) is mended too. Returns
 * the steps, none of them planned any more. The caller holds the lock of those who change something.
 */
GPtrArray *repair_apply(const RepairHost *host, RepairView *view, const RepairAsked *asked,
                        Deadline deadline);
