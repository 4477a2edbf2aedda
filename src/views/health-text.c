/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/health.h"

#include "views/json.h"
#include "views/mark.h"

#include <string.h>

static void put_level(FILE *out, Level level, const ViewContext *view)
{
    mark_colored(out, mark_level_code(level), level_name(level), view);
}

static gboolean is_same_reason(const Finding *a, const Finding *b)
{
    return a->level == LEVEL_UNKNOWN && b->level == LEVEL_UNKNOWN && g_strcmp0(a->message, b->message) == 0;
}

/* The first of those with its reason speaks for all. */
static gboolean was_said(const GPtrArray *findings, guint index)
{
    for (guint i = 0; i < index; i++) {
        if (is_same_reason(findings->pdata[i], findings->pdata[index]))
            return TRUE;
    }
    return FALSE;
}

static void put_finding(FILE *out, const GPtrArray *findings, guint index, const ViewContext *view)
{
    const Finding *finding = findings->pdata[index];

    if (was_said(findings, index))
        return;
    put_level(out, finding->level, view);
    fprintf(out, ": %s", finding->id);
    for (guint i = index + 1; i < findings->len; i++) {
        if (is_same_reason(finding, findings->pdata[i]))
            fprintf(out, ", %s", ((const Finding *)findings->pdata[i])->id);
    }
    fputs(": ", out);
    mark_escaped(out, finding->message, view);
    fputs("\n", out);
    mark_finding_details(out, 2, finding, view);
}

void health_text(FILE *out, const Health *health, const ViewContext *view)
{
    for (guint i = 0; i < health->findings->len; i++)
        put_finding(out, health->findings, i, view);
    put_level(out, health->level, view);
    if (health->level == LEVEL_OK)
        fprintf(out, ": %u check%s found nothing\n", health->counts[LEVEL_OK],
                health->counts[LEVEL_OK] == 1 ? "" : "s");
    else
        fprintf(out, ": %u critical, %u warning, %u unknown, %u ok\n", health->counts[LEVEL_CRITICAL],
                health->counts[LEVEL_WARNING], health->counts[LEVEL_UNKNOWN], health->counts[LEVEL_OK]);
}

void health_line(FILE *out, const Health *health, const ViewContext *view)
{
    guint others =
        health->counts[LEVEL_CRITICAL] + health->counts[LEVEL_WARNING] + health->counts[LEVEL_UNKNOWN] - 1;
    const Finding *worst;

    if (health->level == LEVEL_OK)
        return;
    worst = health->findings->pdata[0];
    fprintf(out, "vnat: %s: %s: ", level_name(worst->level), worst->id);
    mark_escaped(out, worst->message, view);
    if (others > 0)
        fprintf(out, " (and %u more)", others);
    fputs("\n", out);
}

/* -------------------------------------------------------------------------------------------------- JSON */

void health_json(FILE *out, const Facts *facts, const Health *health)
{
    const JsonCollection collections[] = {{"findings", health->findings, json_of_finding}, {0}};
    json_t *summary = json_object();

    for (guint level = 0; level < LEVEL_COUNT; level++)
        json_object_set_new(summary, level_name(level), json_integer(health->counts[level]));
    json_object_set_new(summary, "level", json_string(level_name(health->level)));
    json_write_with(out, facts, collections, "summary", summary);
}
