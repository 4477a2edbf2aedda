/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/world.h"

#include "checks/check.h"
#include "views/screen.h"

/* What is read of the others serves to see overlaps and doubles; what is shown is the one that was asked for.
 */
static void keep_one_network(const Network *network, GPtrArray *rows, GPtrArray *findings)
{
    for (guint i = rows->len; i-- > 0;) {
        if (((const NetworkRow *)rows->pdata[i])->network != network)
            g_ptr_array_remove_index(rows, i);
    }
    for (guint i = findings->len; i-- > 0;) {
        const Finding *finding = findings->pdata[i];

        if ((finding->kind != OBJECT_HOST || finding->network) &&
            g_strcmp0(finding->network, network->name) != 0)
            g_ptr_array_remove_index(findings, i);
    }
}

static int run_status(Context *ctx)
{
    const char *name = argument(ctx, 0);
    Wants wants = WANT_MAP | WANT_ALL_NETWORKS | WANT_ROUTES | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL |
                  WANT_PROC;
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    const Network *network = NULL;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    if (name && !world_read_network(world, name, FALSE, 0, &error))
        return report(ctx, error);
    map = world_map(world, wants, &error);
    if (!map)
        return report(ctx, error);
    network = name ? facts_network(world->facts, name) : NULL;
    findings = checks_run(world->facts, map, G_MAXUINT);
    remedies_for_host(ctx, findings);
    rows = network_rows(world->facts);
    if (network)
        keep_one_network(network, rows, findings);
    if (ctx->json) {
        g_autoptr(GPtrArray) on = map_rows_on(map, network ? network->name : NULL);
        const JsonCollection collections[] = {{"networks", rows, json_of_network},
                                              {"interfaces", on, json_of_interface},
                                              {"findings", findings, json_of_finding},
                                              {0}};

        return write_json(world, collections);
    }
    screen_status(stdout, world->facts, rows, map, findings, &ctx->view);
    return world_code(world);
}

static const Argument arguments_status[] = {{"NETWORK", TRUE, COMPLETE_NETWORK}, {0}};

const Command command_status = {
    .name = "status",
    .group = "Who is behind what",
    .summary = "show networks on one screen: bridge, dnsmasq, pool, NAT, guests, problems",
    .description =
        "Without NETWORK all of them, inactive ones too. Problems do not change the exit code; what could\n"
        "not be read does: it is 6 then.",
    .examples = "  vnat status\n  vnat status default",
    .arguments = arguments_status,
    .flags = COMMAND_JSON,
    .run = run_status,
};
