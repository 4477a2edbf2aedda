/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "checks/check.h"

/*
 * What a probe of a network says that facts do not: that packets do not get through. Which fault it is the
 * other checks tell; where none of them has found one, the stage says where to look.
 */

static void add_stage(Finding *finding, const ProbeStage *stage)
{
    g_autoptr(GString) ids = g_string_new(NULL);
    g_autofree char *where = probe_stage_text(stage);

    for (guint i = 0; i < stage->checks->len; i++)
        g_string_append_printf(ids, "%s%s", i ? ", " : "", (const char *)stage->checks->pdata[i]);
    finding_evidence(finding, "%s: %s", where, stage->detail);
    if (ids->len > 0)
        finding_evidence(finding, "look at: %s", ids->str);
}

static void report_failure(const ProbeReport *report, const ProbeStage *first, GPtrArray *findings)
{
    const Network *network = report->network;
    g_autofree char *word = text_shell(network->name);
    Finding *finding;

    finding = check_of_network(findings, "probe-failed", LEVEL_CRITICAL, network);
    finding_message(finding, "a guest's packets do not get past stage %s of network %s",
                    probe_stage_name(first->id), network->name);
    for (guint i = 0; i < report->stages->len; i++) {
        const ProbeStage *stage = report->stages->pdata[i];

        if (stage->ok == TRI_NO)
            add_stage(finding, stage);
    }
    if (first->remedy)
        finding_remedy(finding, "%s", first->remedy);
    else
        finding_remedy(finding, "vnat probe %s", word);
}

static void report_unknown(const ProbeReport *report, GPtrArray *findings)
{
    const ProbeStage *late = report->stages ? probe_late(report->stages) : NULL;
    g_autofree char *where = late ? probe_stage_text(late) : NULL;
    Finding *finding;

    if (late)
        finding = check_unknown_of(findings, "probe-failed", report->network,
                                   "network %s was not probed to its end: the deadline passed in %s",
                                   report->network->name, where);
    else
        finding = check_unknown_of(findings, "probe-failed", report->network, "network %s was not probed: %s",
                                   report->network->name, report->error);
    if (report->timeout > 0)
        finding_remedy(finding, "vnat --timeout %u check --probe", report->timeout);
}

void scoped_probe_failed(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; scope->probes && i < scope->probes->len; i++) {
        const ProbeReport *report = scope->probes->pdata[i];
        const ProbeStage *first = report->stages ? probe_failure(report->stages) : NULL;

        if (first)
            report_failure(report, first, findings);
        else if (!report->stages || probe_late(report->stages))
            report_unknown(report, findings);
    }
}
