/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

#include <string.h>

/*
 * Findings in time. One that is new has to stand for LIVE_GRACE before it is raised: most faults that are
 * seen in the middle of a change are none. One whose message alone is another ("9 of 10 addresses", then "10
 * of 10") is the same fault as before and waits no more.
 */

static void standing_free(gpointer data)
{
    Standing *standing = data;

    finding_free(standing->finding);
    g_free(standing);
}

static gboolean same_object(const Finding *a, const Finding *b)
{
    return strcmp(a->id, b->id) == 0 && g_strcmp0(a->object, b->object) == 0 &&
           g_strcmp0(a->domain_uuid, b->domain_uuid) == 0 && g_strcmp0(a->network, b->network) == 0;
}

static gboolean same_finding(const Finding *a, const Finding *b)
{
    return a->level == b->level && same_object(a, b) && g_strcmp0(a->message, b->message) == 0;
}

/* The first that is left over and fits; it is taken out. Both lists have one order, so it stands near their
 * begin. */
static Standing *take(GPtrArray *standings, guint *first, const Finding *finding,
                      gboolean (*fits)(const Finding *a, const Finding *b))
{
    while (*first < standings->len && !standings->pdata[*first])
        (*first)++;
    for (guint i = *first; i < standings->len; i++) {
        Standing *standing = standings->pdata[i];

        if (standing && fits(standing->finding, finding)) {
            standings->pdata[i] = NULL;
            return standing;
        }
    }
    return NULL;
}

static void tell(LiveMap *live, ChangeType type, const Finding *finding)
{
    const Change change = {.type = type, .finding = finding};

    change_add(live, &change);
}

static void end(LiveMap *live, Standing *standing)
{
    if (standing->raised)
        tell(live, CHANGE_CHECK_CLEARED, standing->finding);
    bury(live, standing, standing_free);
}

/* The newer record in place of the older; with the same words it is no news. */
static void go_on(LiveMap *live, Standing *standing, Finding *finding)
{
    bury(live, standing->finding, (GDestroyNotify)finding_free);
    standing->finding = finding;
}

static GPtrArray *match(LiveMap *live, GPtrArray *before, GPtrArray *found)
{
    GPtrArray *now = g_ptr_array_new_with_free_func(standing_free);
    guint first = 0;

    g_ptr_array_set_size(now, (gint)found->len);
    for (guint i = 0; i < found->len; i++) {
        now->pdata[i] = take(before, &first, found->pdata[i], same_finding);
        if (now->pdata[i])
            go_on(live, now->pdata[i], found->pdata[i]);
    }
    for (guint i = 0; i < found->len; i++) {
        Standing *standing = now->pdata[i];
        Standing *was;

        if (standing)
            continue;
        was = take(before, &first, found->pdata[i], same_object);
        standing = g_new0(Standing, 1);
        standing->finding = found->pdata[i];
        standing->since = was ? was->since : live->monotonic;
        now->pdata[i] = standing;
        if (was)
            end(live, was);
    }
    return now;
}

gint64 standings_update(LiveMap *live, GPtrArray **standings, GPtrArray *found)
{
    g_autoptr(GPtrArray) before = *standings ? *standings : g_ptr_array_new();
    gint64 due = G_MAXINT64;

    *standings = NULL;
    g_ptr_array_set_free_func(before, NULL);
    if (found && found->len > 0)
        *standings = match(live, before, found);
    for (guint i = 0; i < before->len; i++) {
        if (before->pdata[i])
            end(live, before->pdata[i]);
    }
    for (guint i = 0; *standings && i < (*standings)->len; i++) {
        Standing *standing = (*standings)->pdata[i];

        if (standing->raised)
            continue;
        if (standing->since + LIVE_GRACE > live->monotonic) {
            due = MIN(due, standing->since + LIVE_GRACE);
            continue;
        }
        standing->raised = TRUE;
        tell(live, CHANGE_CHECK_RAISED, standing->finding);
    }
    if (found)
        g_ptr_array_unref(found);
    return due;
}

void standings_raised(const GPtrArray *standings, GPtrArray *findings)
{
    for (guint i = 0; standings && i < standings->len; i++) {
        const Standing *standing = standings->pdata[i];

        if (standing->raised)
            g_ptr_array_add(findings, standing->finding);
    }
}
