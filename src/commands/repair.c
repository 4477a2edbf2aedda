/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/progress.h"
#include "commands/values.h"
#include "commands/world.h"

#include "actions/network.h"
#include "actions/repair.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "checks/check.h"
#include "sources/templates.h"
#include "views/steps.h"

#include <string.h>

/* Steps wait for what they did to be seen, and there may be many. */
#define APPLY_SECONDS 60

#define WANT_REPAIR                                                                                          \
    (WANT_MAP | WANT_ALL_NETWORKS | WANT_ROUTES | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL |            \
     WANT_PROC | WANT_FIREWALLD | WANT_GUESTS)

typedef struct {
    Context *ctx;
    Progress progress;
    World *world; /* with what was read of it last */
    Map *map;
    Health *health;
} Mending;

static void mending_clear(Mending *mending)
{
    if (mending->health)
        health_free(mending->health);
    if (mending->map)
        map_free(mending->map);
    world_free(mending->world);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mending, mending_clear)

/* ----------------------------------------------------------------------------------------- looking */

static gboolean has_template(const char *name)
{
    g_autoptr(Template) tmpl = templates_find(NULL, name, NULL);

    return tmpl != NULL;
}

static void add_missing_network(GPtrArray *findings, const char *name)
{
    Finding *finding = finding_new("network-missing", LEVEL_CRITICAL, OBJECT_NETWORK, name);
    g_autofree char *word = text_shell(name);

    finding->network = g_strdup(name);
    finding_message(finding, "there is no network %s", name);
    if (has_template(name)) {
        finding->repair = REPAIR_CONSENT;
        finding_remedy(finding, "vnat net-start %s", word);
    } else {
        finding_remedy(finding, "define it: vnat net-start --template nat %s", word);
    }
    g_ptr_array_add(findings, finding);
}

/* Networks that were named and are not there, as repair can define them; a session's are not those of the
 * system. */
static void add_missing_networks(const Context *ctx, const Facts *facts, GPtrArray *findings)
{
    for (guint i = findings->len; i-- > 0;) {
        if (strcmp(((const Finding *)findings->pdata[i])->id, "network-missing") == 0)
            g_ptr_array_remove_index(findings, i);
    }
    for (guint i = 0; i < ctx->words->len; i++) {
        if (!facts_network(facts, ctx->words->pdata[i]))
            add_missing_network(findings, ctx->words->pdata[i]);
    }
}

/* The words of the command line, borrowed; ends in a NULL. */
static GPtrArray *words_of(const Context *ctx)
{
    GPtrArray *words = g_ptr_array_new();

    for (guint i = 0; i < ctx->words->len; i++)
        g_ptr_array_add(words, ctx->words->pdata[i]);
    g_ptr_array_add(words, NULL);
    return words;
}

/* A connection of its own each time: the daemon may have been restarted. */
static gboolean look(RepairView *view, gpointer data, GError **error)
{
    Mending *mending = data;
    g_autoptr(GPtrArray) names = words_of(mending->ctx);
    /* What concerns a network that is named, `vnat check` tells. */
    const CheckScope scope = {
        .grace = CHECK_GRACE,
        .networks = names->len > 1 ? (const char *const *)names->pdata : NULL,
    };
    Mending now = {.ctx = mending->ctx, .progress = mending->progress};

    now.world = world_open_again(mending->ctx, error);
    now.map = now.world ? world_map(now.world, WANT_REPAIR, error) : NULL;
    if (!now.map) {
        mending_clear(&now);
        return FALSE;
    }
    now.health = checks_examine(&scope, now.world->facts, now.map);
    add_missing_networks(mending->ctx, now.world->facts, now.health->findings);
    mending_clear(mending);
    *mending = now;
    *view = (RepairView){now.world->conn, now.world->facts, now.map, now.health->findings};
    return TRUE;
}

/* Whether every source that the check needs is whole. A guest that hangs makes libvirt's word stale; what
 * that says of networks is whole all the same. */
static gboolean sources_are_whole(const Facts *facts, const Check *check)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const SourceState state = facts->sources[id].state;
        g_autofree char *unread = id == SOURCE_LIBVIRT ? networks_unread(facts->networks) : NULL;

        if (!(check->needs & (1U << id)) || state == SOURCE_LIVE || state == SOURCE_REPLAYED ||
            (id == SOURCE_LIBVIRT && state == SOURCE_STALE && check->kind != OBJECT_INTERFACE && !unread))
            continue;
        return FALSE;
    }
    return TRUE;
}

static gboolean looked(const char *id, char **why, gpointer data)
{
    const Mending *mending = data;
    const Facts *facts = mending->world->facts;
    const GPtrArray *findings = mending->health->findings;

    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];

        if (finding->level != LEVEL_UNKNOWN || strcmp(finding->id, id) != 0)
            continue;
        /* That it is stale is said of every check that needs it. */
        if (facts->sources[SOURCE_LIBVIRT].state == SOURCE_STALE && sources_are_whole(facts, check_find(id)))
            return TRUE;
        if (why)
            *why = g_strdup(finding->message);
        return FALSE;
    }
    return TRUE;
}

/* ------------------------------------------------------------------------------------------- doing */

static gboolean define(const char *network, gpointer data, GError **error)
{
    Mending *mending = data;
    g_autoptr(Template) tmpl = templates_find(NULL, network, error);
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *xml = NULL;

    if (!tmpl)
        return FALSE;
    if (template_param(tmpl, "name"))
        g_hash_table_insert(values, g_strdup("name"), g_strdup(network));
    xml = values_render(mending->world, tmpl, network, values, NULL, error);
    return xml && network_define(mending->world->conn, xml, NULL, mending->ctx->deadline, error);
}

static void waiting(const char *what, gpointer data)
{
    Mending *mending = data;

    progress_show(&mending->progress, "%s", what);
}

/* ------------------------------------------------------------------------------------------ answers */

static gboolean check_ids(const Context *ctx, GError **error)
{
    const GPtrArray *ids = option_list(ctx, "id");

    if (ids && !option_flag(ctx, "apply"))
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "--id consents to what --apply does, which was not given");
    for (guint i = 0; ids && i < ids->len; i++) {
        const char *id = ids->pdata[i];

        if (!repair_exists(id) && check_find(id))
            return vnat_error_set(error, VNAT_ERROR_USAGE, "%s is nothing that vnat mends", id);
        if (!repair_exists(id))
            return vnat_error_set(error, VNAT_ERROR_USAGE, "there is no check '%s'", id);
    }
    if (option_flag(ctx, "apply") && (ctx->readonly || ctx->replay))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "--apply changes something, and %s was given",
                              ctx->readonly ? "--readonly" : "--replay");
    return TRUE;
}

/* Whether something that would have been mended may not have been seen: what is safe, or consented to. */
static gboolean was_blind(const Mending *mending)
{
    const GPtrArray *ids = option_list(mending->ctx, "id");
    guint count;
    const Check *checks = check_table(&count);

    for (guint i = 0; i < count; i++) {
        gboolean asked = checks[i].repair == REPAIR_SAFE;

        for (guint k = 0; ids && k < ids->len; k++)
            asked |= strcmp(ids->pdata[k], checks[i].id) == 0;
        if (asked && !sources_are_whole(mending->world->facts, &checks[i]))
            return TRUE;
    }
    return FALSE;
}

static int code_of(const Mending *mending, const GPtrArray *steps)
{
    if (!option_flag(mending->ctx, "apply"))
        return EXIT_OK;
    for (guint i = 0; i < steps->len; i++) {
        if (((const Step *)steps->pdata[i])->state == STEP_FAILED)
            return EXIT_FAILED;
    }
    return mending->world->facts->local && was_blind(mending) ? EXIT_INCOMPLETE : EXIT_OK;
}

static int answer(Mending *mending, const GPtrArray *steps)
{
    Context *ctx = mending->ctx;

    for (guint i = 0; i < steps->len; i++) {
        Step *step = steps->pdata[i];
        char *full;

        /* A captured host is not where it can be typed. */
        if (!step->command || ctx->replay)
            continue;
        full = command_for_host(ctx, step->command);
        g_free(step->command);
        step->command = full;
    }
    if (ctx->json) {
        const JsonCollection collections[] = {{"steps", steps, json_of_step}, {0}};

        json_write(stdout, mending->world->facts, collections);
    } else {
        steps_write(stdout, steps, option_flag(ctx, "apply"), ctx->quiet, &ctx->view);
    }
    output_flush();
    world_code(mending->world); /* says what could not be read */
    return code_of(mending, steps);
}

/* Names, also of those that were asked for by UUID. NULL-terminated. */
static GPtrArray *networks_asked(const Context *ctx, const Facts *facts)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < ctx->words->len; i++) {
        const Network *network = facts_network(facts, ctx->words->pdata[i]);

        g_ptr_array_add(names, g_strdup(network ? network->name : ctx->words->pdata[i]));
    }
    g_ptr_array_add(names, NULL);
    return names;
}

static GPtrArray *ids_asked(const Context *ctx)
{
    const GPtrArray *given = option_list(ctx, "id");
    GPtrArray *ids = g_ptr_array_new();

    for (guint i = 0; given && i < given->len; i++)
        g_ptr_array_add(ids, given->pdata[i]);
    g_ptr_array_add(ids, NULL);
    return ids;
}

static GPtrArray *take_steps(Mending *mending, RepairView *view, const RepairAsked *asked)
{
    const RepairHost host = {look, looked, define, waiting, mending};
    GPtrArray *steps;

    if (!mending->ctx->timed)
        mending->ctx->deadline = deadline_in(APPLY_SECONDS);
    progress_begin(&mending->progress, mending->ctx);
    steps = repair_apply(&host, view, asked, mending->ctx->deadline);
    progress_end(&mending->progress);
    return steps;
}

static GPtrArray *plan_or_apply(Mending *mending, GError **error)
{
    Context *ctx = mending->ctx;
    g_autoptr(GPtrArray) networks = NULL;
    g_autoptr(GPtrArray) ids = ids_asked(ctx);
    RepairAsked asked = {.ids = (const char *const *)ids->pdata};
    RepairView view;

    if (!look(&view, mending, error))
        return NULL;
    networks = networks_asked(ctx, view.facts);
    asked.networks = (const char *const *)networks->pdata;
    return option_flag(ctx, "apply") ? take_steps(mending, &view, &asked) : repair_plan(&view, &asked);
}

/* Who changes something locks, looks, acts and looks again. */
static int run_repair(Context *ctx)
{
    g_auto(Mending) mending = {.ctx = ctx};
    g_autoptr(GPtrArray) steps = NULL;
    GError *error = NULL;
    int lock = -1;

    if (!check_ids(ctx, &error) || (option_flag(ctx, "apply") && !file_lock(ctx->deadline, &lock, &error)))
        return report(ctx, error);
    steps = plan_or_apply(&mending, &error);
    file_unlock(lock);
    return steps ? answer(&mending, steps) : report(ctx, error);
}

static const Argument arguments_repair[] = {{"NETWORK", TRUE, COMPLETE_NETWORK}, {0}};

#define REPAIRS_BY_CONSENT                                                                                   \
    "bridge-missing|bridge-netfilter|bridge-stale|firewalld-zone|ip-forward-off|leases-unreadable|"          \
    "mtu-mismatch|network-inactive|network-missing|network-no-autostart|tap-down"

static const Option options_repair[] = {
    {"apply", 0, OPTION_FLAG, NULL, "take the steps that are safe", NULL},
    {"id", 0, OPTION_LIST, "ID", "with --apply: consent to the repair of this check too", REPAIRS_BY_CONSENT},
    {0},
};

const Command command_repair = {
    .name = "repair",
    .group = "Health",
    .summary = "show what can be mended; with --apply, mend it without cutting off a guest",
    .description =
        "Without --apply the plan is printed and nothing is changed. --apply takes the safe steps, --id ID\n"
        "consents to those of one more check. Each fault is looked at again before it is touched, and its "
        "own\n"
        "check has to clear afterwards. Exit code 1: a step failed, or could not be taken.",
    .examples =
        "  vnat repair\n  vnat repair --apply\n  vnat repair --apply --id network-no-autostart default",
    .arguments = arguments_repair,
    .options = options_repair,
    .flags = COMMAND_JSON | COMMAND_MANY,
    .run = run_repair,
};
