/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/probing.h"
#include "commands/progress.h"
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "checks/check.h"
#include "views/json.h"
#include "views/probe.h"

#include <string.h>

#define WANT_PROBE                                                                                           \
    (WANT_NETWORKS | WANT_LEASES | WANT_LINKS | WANT_ROUTES | WANT_NEIGHBOURS | WANT_PROCESSES |             \
     WANT_SOCKETS | WANT_FIREWALL | WANT_PROC | WANT_FIREWALLD)

#define SIGNAL_BASE 128

/* ------------------------------------------------------------------------------------- command line */

static gboolean ask(const Context *ctx, ProbeTarget *target, ProbeAsked *asked, GError **error)
{
    const char *text = option_value(ctx, "target");

    if (ctx->replay)
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "probe sends packets, and a captured host has nothing to send them by");
    if (text && !probe_target_parse(text, target, error))
        return FALSE;
    asked->target = text ? target : NULL;
    asked->name = option_value(ctx, "dns");
    asked->request = option_flag(ctx, "request");
    if (!asked->name || probe_name_is_askable(asked->name))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is not a name that could be asked for", asked->name);
}

/* -------------------------------------------------------------------------------------------- doing */

typedef struct {
    const Context *ctx;
    Progress progress;
} Showing;

static void show(const ProbeStage *stage, gpointer data)
{
    Showing *showing = data;
    const Context *ctx = showing->ctx;

    progress_end(&showing->progress);
    if (!ctx->json) {
        probe_stage_write(stdout, stage, ctx->quiet, &ctx->view);
        output_flush();
    }
    progress_begin(&showing->progress, ctx);
    progress_show(&showing->progress, "what comes after %s", probe_stage_name(stage->id));
}

static Health *examine(World *world, const Network *network)
{
    const char *const names[] = {network->name, NULL};
    const CheckScope scope = {.networks = names, .grace = CHECK_GRACE};
    g_autoptr(Map) map = map_join(world->facts);

    return checks_examine(&scope, world->facts, map);
}

/* A stage that failed says enough; else the deadline is why there is no answer. */
static gboolean was_in_time(const GPtrArray *stages, GError **error)
{
    const ProbeStage *late = probe_failure(stages) ? NULL : probe_late(stages);
    g_autofree char *where = late ? probe_stage_text(late) : NULL;

    return !late || vnat_error_set(error, VNAT_ERROR_DEADLINE, "the deadline passed in %s", where);
}

static int report_probe(Context *ctx, GError *error)
{
    g_autofree char *word = text_shell(argument(ctx, 0));

    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        vnat_error_hint(&error, "vnat --timeout %u probe %s", probing_timeout(ctx), word);
    vnat_error_what(&error, "failed to probe network '%s'", argument(ctx, 0));
    return report(ctx, error);
}

static int code_of(World *world, const GPtrArray *stages, const ProbeAsked *asked)
{
    const Tri verdict = probe_verdict(stages);
    const int whole = world_code(world);

    if (verdict == TRI_NO)
        return EXIT_FAILED;
    return verdict == TRI_YES && asked->target ? EXIT_OK : whole;
}

static int answer(World *world, const Network *network, const GPtrArray *stages, const ProbeAsked *asked)
{
    Context *ctx = world->ctx;
    GError *error = NULL;

    if (ctx->json) {
        const JsonCollection collections[] = {{"stages", stages, json_of_probe_stage}, {0}};

        json_write(stdout, world->facts, collections);
    } else if (!ctx->quiet) {
        probe_verdict_write(stdout, stages, network->name, &ctx->view);
    }
    output_flush();
    return was_in_time(stages, &error) ? code_of(world, stages, asked) : report_probe(ctx, error);
}

static GPtrArray *probe(World *world, const Network *network, const ProbeAsked *asked, int *signal_number,
                        GError **error)
{
    Showing showing = {.ctx = world->ctx};
    g_autoptr(Health) health = examine(world, network);
    ProbeAsked whole = *asked;
    GPtrArray *stages;

    whole.findings = health->findings;
    whole.cancel = probing_begin();
    whole.done = show;
    whole.data = &showing;
    progress_begin(&showing.progress, world->ctx);
    progress_show(&showing.progress, "the bridge to forward");
    stages = probe_run(world->facts, network, &whole, world->ctx->deadline, error);
    progress_end(&showing.progress);
    *signal_number = probing_end();
    return stages;
}

static gboolean is_local(const World *world, GError **error)
{
    return world->facts->local || vnat_error_set(error, VNAT_ERROR_UNSUPPORTED,
                                                 "the networks of %s are not this host's", world->facts->uri);
}

static int run_probe(Context *ctx)
{
    g_auto(ProbeTarget) target = {0};
    ProbeAsked asked = {.cancel = -1};
    g_autoptr(World) world = NULL;
    g_autoptr(GPtrArray) stages = NULL;
    GError *error = NULL;
    int signal_number = 0;
    Network *network;
    int code;

    if (!ask(ctx, &target, &asked, &error))
        return report(ctx, error);
    if (!ctx->timed)
        ctx->deadline = deadline_in(PROBE_SECONDS);
    asked.timeout = probing_timeout(ctx);
    world = world_open(ctx, &code);
    if (!world)
        return code;
    network = world_read_network(world, argument(ctx, 0), FALSE, WANT_PROBE, &error);
    if (network && is_local(world, &error) && probe_can(network, &error))
        stages = probe(world, network, &asked, &signal_number, &error);
    if (!stages)
        return report_probe(ctx, error);
    return signal_number ? SIGNAL_BASE + signal_number : answer(world, network, stages, &asked);
}

static const Argument arguments_probe[] = {{"NETWORK", FALSE, COMPLETE_NETWORK}, {0}};

static const Option options_probe[] = {
    {"target", 0, OPTION_VALUE, "HOST[:PORT]", "connect to it through the network; without PORT, an echo",
     NULL},
    {"dns", 0, OPTION_VALUE, "NAME", "also ask the gateway's name server for NAME", NULL},
    {"request", 0, OPTION_FLAG, NULL, "take a lease and give it back, instead of an offer alone", NULL},
    {0},
};

const Command command_probe = {
    .name = "probe",
    .group = "Proof",
    .summary = "go a guest's way through a network, and say where it ends",
    .description =
        "Makes an endpoint on the network's bridge, as a guest would have it, and tries from there: the\n"
        "bridge forwards, DHCP offers an address, the gateway and its name server answer; this host's "
        "rules\n"
        "and routes let packets out; with --target, that one answers, and as whom it knows the guest.\n"
        "Nothing is sent to anybody but the gateway and the target, and nothing is left behind. Exit code "
        "0:\n"
        "packets get through, 1: they do not. Needs CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW.",
    .examples = "  sudo vnat probe default\n  sudo vnat probe default --target 9.9.9.9:53\n"
                "  sudo vnat probe default --dns example.org --target example.org:443",
    .arguments = arguments_probe,
    .options = options_probe,
    .flags = COMMAND_JSON,
    .run = run_probe,
};
