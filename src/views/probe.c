/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/probe.h"

#include "views/json.h"
#include "views/mark.h"

#include <string.h>

#define LABEL_WIDTH 7

static const char *state_word(const ProbeStage *stage)
{
    switch (stage->ok) {
    case TRI_YES:
        return "ok";
    case TRI_NO:
        return "failed";
    case TRI_UNKNOWN:
        break;
    }
    return stage->ms < 0 ? "-" : "unknown";
}

static const char *state_color(const ProbeStage *stage)
{
    if (stage->ok == TRI_YES)
        return MARK_GREEN;
    return stage->ok == TRI_NO ? MARK_RED : MARK_PLAIN;
}

static const char *family_word(guint8 family)
{
    return family == 4 ? "ipv4" : family == 6 ? "ipv6" : "";
}

static void put_checks(FILE *out, const ProbeStage *stage)
{
    if (stage->checks->len == 0)
        return;
    fputs("    check:", out);
    for (guint i = 0; i < stage->checks->len; i++)
        fprintf(out, "%s %s", i ? "," : "", (const char *)stage->checks->pdata[i]);
    fputs("\n", out);
}

void probe_stage_write(FILE *out, const ProbeStage *stage, gboolean brief, const ViewContext *view)
{
    if (brief && stage->ok != TRI_NO)
        return;
    fprintf(out, "%-*s %-4s  ", LABEL_WIDTH, probe_stage_name(stage->id), family_word(stage->family));
    mark_colored(out, state_color(stage), state_word(stage), view);
    fprintf(out, "%*s", LABEL_WIDTH - (int)strlen(state_word(stage)), "");
    if (stage->ms >= 0)
        fprintf(out, "%6" G_GINT64_FORMAT " ms  ", stage->ms);
    else
        fprintf(out, "%11s", "");
    mark_escaped(out, stage->detail, view);
    fputs("\n", out);
    if (stage->ok != TRI_NO)
        return;
    if (stage->excludes)
        fprintf(out, "    excludes: %s\n", stage->excludes);
    put_checks(out, stage);
    if (!stage->remedy)
        return;
    fputs("    try: ", out);
    mark_escaped(out, stage->remedy, view);
    fputs("\n", out);
}

static const ProbeStage *last_passed(const GPtrArray *stages)
{
    const ProbeStage *last = NULL;

    for (guint i = 0; i < stages->len; i++) {
        const ProbeStage *stage = stages->pdata[i];

        if (stage->ok == TRI_YES)
            last = stage;
    }
    return last;
}

void probe_verdict_write(FILE *out, const GPtrArray *stages, const char *network, const ViewContext *view)
{
    const ProbeStage *failed = probe_failure(stages);
    const ProbeStage *late = probe_late(stages);
    const ProbeStage *last = last_passed(stages);
    g_autofree char *where = late ? probe_stage_text(late) : NULL;

    fputs("network ", out);
    mark_escaped(out, network, view);
    if (failed)
        fprintf(out, ": a guest's packets do not get past stage %s\n", probe_stage_name(failed->id));
    else if (late)
        fprintf(out, ": the deadline passed in %s, and nothing had failed\n", where);
    else if (last && last->id == PROBE_NAT)
        fputs(": a guest's packets get through\n", out);
    else if (last && last->id == PROBE_UPLINK)
        fputs(": all is well up to the uplink\n", out);
    else
        fputs(": nothing failed, and not everything could be told\n", out);
}

json_t *json_of_probe_stage(gconstpointer probe_stage)
{
    const ProbeStage *stage = probe_stage;
    json_t *obj = json_object();
    json_t *checks = json_array();

    for (guint i = 0; i < stage->checks->len; i++)
        json_array_append_new(checks, json_string(stage->checks->pdata[i]));
    json_object_set_new(obj, "stage", json_string(probe_stage_name(stage->id)));
    json_object_set_new(obj, "family", stage->family ? json_string(family_word(stage->family)) : json_null());
    json_object_set_new(obj, "ok", stage->ok == TRI_UNKNOWN ? json_null() : json_boolean(stage->ok));
    json_object_set_new(obj, "ms", stage->ms < 0 ? json_null() : json_integer(stage->ms));
    json_put_text(obj, "detail", stage->detail);
    json_object_set_new(obj, "excludes", stage->excludes ? json_string(stage->excludes) : json_null());
    json_put_text(obj, "remedy", stage->remedy);
    json_object_set_new(obj, "checks", checks);
    return obj;
}
