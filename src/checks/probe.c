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

    for (guint i = 0; i < stage->checks->len; i++)
        g_string_append_printf(ids, "%s%s", i ? ", " : "", (const char *)stage->checks->pdata[i]);
    finding_evidence(finding, "stage %s%s: %s", probe_stage_name(stage->id),
                     stage->family == 6 ? " of IPv6" : "", stage->detail);
    if (ids->len > 0)
        finding_evidence(finding, "look at: %s", ids->str);
}

static void report_failure(const ProbeReport *report, GPtrArray *findings)
{
    const Network *network = report->network;
    const ProbeStage *first = probe_failure(report->stages);
    g_autofree char *word = text_shell(network->name);
    Finding *finding;

    if (!first)
        return;
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

void scoped_probe_failed(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; scope->probes && i < scope->probes->len; i++) {
        const ProbeReport *report = scope->probes->pdata[i];

        if (report->stages)
            report_failure(report, findings);
        else
            check_unknown_of(findings, "probe-failed", report->network, "network %s was not probed: %s",
                             report->network->name, report->error);
    }
}
