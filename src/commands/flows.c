/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/flows.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/output.h"
#include "views/columns.h"

#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- who is meant */

void flows_target_clear(FlowsTarget *target)
{
    g_free(target->domain);
    g_free(target->network);
}

FlowScope flows_scope(const FlowsTarget *target)
{
    return (FlowScope){target->domain, target->network};
}

/* That there is none of that kind is no failure yet: a driver may have none at all. */
static gboolean is_missing(GError **local, GError **error)
{
    if (g_error_matches(*local, VNAT_ERROR, VNAT_ERROR_NOT_FOUND) ||
        g_error_matches(*local, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED)) {
        g_clear_error(local);
        return TRUE;
    }
    g_propagate_error(error, *local);
    return FALSE;
}

static gboolean find_domain(World *world, const char *which, const Domain **domain, GError **error)
{
    GError *local = NULL;

    *domain =
        world->reader->ops->domain(world->reader, world->facts, which, FALSE, world->ctx->deadline, &local);
    return *domain || is_missing(&local, error);
}

static gboolean find_network(World *world, const char *which, const Network **network, GError **error)
{
    GError *local = NULL;

    *network =
        world->reader->ops->network(world->reader, world->facts, which, FALSE, world->ctx->deadline, &local);
    return *network || is_missing(&local, error);
}

static void add_names(GPtrArray *all, char **names)
{
    for (guint i = 0; names && names[i]; i++)
        g_ptr_array_add(all, names[i]);
    g_free(names);
}

static gboolean nobody(World *world, const char *which, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *close;

    add_names(names, world->reader->ops->domain_names(world->reader, world->ctx->deadline, NULL));
    add_names(names, world->reader->ops->network_names(world->reader, world->ctx->deadline, NULL));
    g_ptr_array_add(names, NULL);
    close = text_suggest(which, (const char *const *)names->pdata);
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "there is no domain and no network '%s'", which);
    if (close)
        vnat_error_hint(error, "did you mean '%s'?", close);
    else
        vnat_error_hint(error, "'vnat map' shows domains, 'vnat net-list --all' networks");
    return FALSE;
}

static gboolean ambiguous(const char *which, const Domain *domain, const Network *network, GError **error)
{
    vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is a domain and a network", which);
    vnat_error_hint(error, "vnat flows %s (the domain), vnat flows %s (the network)", domain->uuid,
                    network->uuid);
    return FALSE;
}

gboolean flows_find_target(World *world, const char *which, FlowsTarget *target, GError **error)
{
    const Domain *domain = NULL;
    const Network *network = NULL;

    if (!which)
        return TRUE;
    if (!find_domain(world, which, &domain, error) || !find_network(world, which, &network, error))
        return FALSE;
    if (domain && network)
        return ambiguous(which, domain, network, error);
    if (!domain && !network)
        return nobody(world, which, error);
    target->domain = domain ? g_strdup(domain->name) : NULL;
    target->network = network ? g_strdup(network->name) : NULL;
    target->running = domain && domain->id >= 0;
    return TRUE;
}

/* -------------------------------------------------------------------------------------- the command */

#define PROC_ACCT "sys/net/netfilter/nf_conntrack_acct"
#define PROC_TIMESTAMP "sys/net/netfilter/nf_conntrack_timestamp"

static gboolean shows(const Context *ctx, const char *const *columns)
{
    for (guint i = 0; i < ctx->columns->len; i++) {
        const Column *column = ctx->columns->pdata[i];

        if (g_strv_contains(columns, column->id))
            return TRUE;
    }
    return FALSE;
}

/* Once, and only where a column that is shown lacks something for it. */
static void hint_at_settings(Context *ctx, const World *world, const GPtrArray *rows)
{
    static const char *const of_counts[] = {"bytes", "packets", "sent", "received", NULL};
    static const char *const of_times[] = {"age", "started", NULL};
    const gboolean counts =
        g_strcmp0(facts_proc(world->facts, PROC_ACCT), "0") != 0 || !shows(ctx, of_counts);
    const gboolean times =
        g_strcmp0(facts_proc(world->facts, PROC_TIMESTAMP), "0") != 0 || !shows(ctx, of_times);

    if (ctx->quiet || rows->len == 0 || (counts && times))
        return;
    hint(ctx, "sysctl -w%s%s (%s%s%s of flows that begin after it; the kernel keeps none now)",
         counts ? "" : " net.netfilter.nf_conntrack_acct=1",
         times ? "" : " net.netfilter.nf_conntrack_timestamp=1", counts ? "" : "bytes and packets",
         counts || times ? "" : ", and ", times ? "" : "the age");
}

static int write_flows(Context *ctx, World *world, const GPtrArray *rows)
{
    const JsonCollection collections[] = {{"flows", rows, json_of_flow}, {0}};
    const SourceStatus *status = &world->facts->sources[SOURCE_CONNTRACK];
    const gboolean missing = !facts_has(world->facts, SOURCE_CONNTRACK);
    int code;

    if (ctx->json) {
        code = write_json(world, collections);
    } else {
        /* An empty table says that there are none. */
        if (status->state != SOURCE_DOWN)
            write_table(ctx, rows);
        output_flush();
        code = world_code(world);
        hint_at_settings(ctx, world, rows);
    }
    if (missing && status->state == SOURCE_ABSENT)
        warn(ctx, "connections cannot be read from here: %s", status->error);
    else if (missing && !ctx->replay && geteuid() != 0)
        hint(ctx, "sudo vnat flows");
    return code;
}

/* A vnat or a kernel that cannot read connections at all. */
static gboolean is_unsupported(const World *world, GError **error)
{
    const SourceStatus *status = &world->facts->sources[SOURCE_CONNTRACK];

    if (status->state != SOURCE_ABSENT || !world->facts->local)
        return FALSE;
    vnat_error_set(error, VNAT_ERROR_UNSUPPORTED, "%s", status->error);
    vnat_error_what(error, "failed to read the kernel's connections");
    vnat_error_hint(error, "conntrack -L");
    return TRUE;
}

static gboolean is_running(const FlowsTarget *target, GError **error)
{
    return !target->domain || target->running ||
           vnat_error_set(error, VNAT_ERROR_FAILED, "domain '%s' is not running", target->domain);
}

static int show_flows(Context *ctx)
{
    g_auto(FlowsTarget) target = {0};
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(FlowNames) names = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    FlowScope scope;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    if (!flows_find_target(world, argument(ctx, 0), &target, &error) || !is_running(&target, &error))
        return report(ctx, error);
    map = world_map(world, WANT_MAP | WANT_CONNTRACK | WANT_PROC, &error);
    if (!map || is_unsupported(world, &error))
        return report(ctx, error);
    names = flow_names_new(world->facts, map->rows);
    scope = flows_scope(&target);
    rows = flow_rows(world->facts, names, &scope);
    return write_flows(ctx, world, rows);
}

/* Options of the one form are a mistake with the other. */
static gboolean check_form(const Context *ctx, gboolean follow, GError **error)
{
    static const char *const of_table[] = {"columns", "noheadings", "csv"};
    static const char *const of_lines[] = {"no-snapshot", "count", "for"};

    for (guint i = 0; i < G_N_ELEMENTS(of_table); i++) {
        if (follow && option_list(ctx, of_table[i]))
            return vnat_error_set(error, VNAT_ERROR_USAGE, "--%s is about the table, and --follow has none",
                                  of_table[i]);
        if (!follow && option_list(ctx, of_lines[i]))
            return vnat_error_set(error, VNAT_ERROR_USAGE, "--%s goes with --follow", of_lines[i]);
    }
    return TRUE;
}

static int run_flows(Context *ctx)
{
    const gboolean follow = option_flag(ctx, "follow");
    GError *error = NULL;

    if (!check_form(ctx, follow, &error))
        return report(ctx, error);
    return follow ? flows_follow(ctx) : show_flows(ctx);
}

static const Argument arguments_flows[] = {{"DOMAIN|NETWORK", TRUE, COMPLETE_DOMAIN_OR_NETWORK}, {0}};

static const Option options_flows[] = {
    {"follow", 0, OPTION_FLAG, NULL, "tell what there is, then of flows that begin and end, as it happens",
     NULL},
    {"no-snapshot", 0, OPTION_FLAG, NULL, "with --follow: begin with the first flow that begins or ends",
     NULL},
    {"count", 0, OPTION_NUMBER, "N",
     "with --follow: end after N lines, those of the snapshot at the beginning not counted", NULL},
    {"for", 0, OPTION_VALUE, "SECONDS", "with --follow: end after so much time", NULL},
    {0},
};

const Command command_flows = {
    .name = "flows",
    .group = "Proof",
    .summary = "show the connections of guests, and the address that each became outside",
    .description =
        "Every entry of the kernel's connection tracking that has a guest's address: of all guests, of a\n"
        "domain, or of a network; most bytes first. 'Host' is what stands for the guest outside, where its\n"
        "address was translated. An address of a network's subnet that no domain is known by is shown\n"
        "without one. Bytes, packets and age are the kernel's, where it keeps them. Needs CAP_NET_ADMIN.",
    .examples = "  sudo vnat flows\n  sudo vnat flows VM1 -o protocol,guest,host,remote,bytes\n"
                "  sudo vnat flows default --follow\n"
                "  sudo vnat flows --json | jq '[.flows[] | {domain, bytes}] | group_by(.domain)'",
    .arguments = arguments_flows,
    .options = options_flows,
    .flags = COMMAND_JSON,
    .columns = &flow_columns,
    .standard = COLUMNS_FLOWS,
    .run = run_flows,
};
