/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/probing.h"
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "checks/check.h"
#include "sources/libvirt-socket.h"
#include "sources/templates.h"
#include "views/health.h"

#include <string.h>

/*
 * Theory of operation.
 *
 * Whatever cannot be read, the rest is looked at: libvirt has the better part of the time, and what has not
 * answered by then is told as unknown. Where a fault shows, all is read once more, after a moment, and only
 * what both looks saw is told: a guest that starts or ends meanwhile is no fault. Where the kernel is asking
 * who has an address, it is looked at until that is known. Nothing is locked, or one user could keep
 * another's monitoring from running.
 */

#define PROBE_CHECK "probe-failed"
#define SIGNAL_BASE 128

#define SECOND_LOOK_USEC (G_TIME_SPAN_SECOND / 5)
/* By then the kernel knows whether a neighbour answers: five seconds of delay, three questions. */
#define SETTLED_USEC (9 * G_TIME_SPAN_SECOND)

#define WANT_CHECK                                                                                           \
    (WANT_MAP | WANT_ALL_NETWORKS | WANT_ROUTES | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL |            \
     WANT_PROC | WANT_FIREWALLD | WANT_GUESTS)

typedef enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_NAGIOS, FORMAT_COUNT } Format;

static const char *const format_names[FORMAT_COUNT] = {"text", "json", "nagios"};

/* What the command line asks for. */
typedef struct {
    Format format;
    CheckScope scope;
    GPtrArray *templates; /* TemplateFile */
    GPtrArray *names;     /* of those, for the scope; borrowed */
} Asked;

static void asked_clear(Asked *asked)
{
    g_clear_pointer(&asked->scope.warning, g_hash_table_unref);
    g_clear_pointer(&asked->scope.critical, g_hash_table_unref);
    g_clear_pointer(&asked->templates, g_ptr_array_unref);
    g_clear_pointer(&asked->names, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

/* ------------------------------------------------------------------------------------ command line */

static gboolean ask_format(const Context *ctx, Asked *asked, GError **error)
{
    const char *name = option_value(ctx, "format");

    asked->format = ctx->json ? FORMAT_JSON : FORMAT_TEXT;
    for (guint i = 0; name && i < FORMAT_COUNT; i++) {
        if (strcmp(name, format_names[i]) != 0)
            continue;
        if (ctx->json && i != FORMAT_JSON)
            return vnat_error_set(error, VNAT_ERROR_USAGE, "--json and --format %s contradict each other",
                                  name);
        asked->format = i;
        return TRUE;
    }
    return !name ||
           vnat_error_set(error, VNAT_ERROR_USAGE, "--format takes text, json or nagios, not '%s'", name);
}

static gboolean unknown_id(const char *id, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    const char *nearest;
    guint count;
    const Check *table = check_table(&count);

    for (guint i = 0; i < count; i++)
        g_ptr_array_add(ids, (gpointer)table[i].id);
    g_ptr_array_add(ids, NULL);
    nearest = text_suggest(id, (const char *const *)ids->pdata);
    vnat_error_set(error, VNAT_ERROR_USAGE, "there is no check '%s'", id);
    if (nearest)
        vnat_error_hint(error, "did you mean '%s'?", nearest);
    return FALSE;
}

/* Ends in a NULL, as does the command's list of words; both belong to the context. */
static const char *const *ask_list(const GPtrArray *values)
{
    if (!values || values->len == 0)
        return NULL;
    g_ptr_array_add((GPtrArray *)(gpointer)values, NULL);
    return (const char *const *)values->pdata;
}

static gboolean ask_ids(const Context *ctx, Asked *asked, GError **error)
{
    const GPtrArray *ids = option_list(ctx, "id");

    for (guint i = 0; ids && i < ids->len; i++) {
        if (!check_find(ids->pdata[i]))
            return unknown_id(ids->pdata[i], error);
    }
    asked->scope.ids = ask_list(ids);
    return TRUE;
}

/* "ID=RANGE" */
static gboolean ask_limit(GHashTable *limits, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *id = equals ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text);
    const CheckSpecial *special = check_special(id);
    Range range;

    if (!check_find(id))
        return unknown_id(id, error);
    if (!special || !special->judge)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "check '%s' has no value that a range could be set to",
                              id);
    if (!equals)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is not ID=RANGE", text);
    if (!range_parse(equals + 1, &range, error))
        return FALSE;
    g_hash_table_insert(limits, (gpointer)special->id, g_memdup2(&range, sizeof(range)));
    return TRUE;
}

static gboolean ask_limits(const Context *ctx, const char *option, GHashTable **limits, GError **error)
{
    const GPtrArray *values = option_list(ctx, option);

    *limits = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    for (guint i = 0; values && i < values->len; i++) {
        if (!ask_limit(*limits, values->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Which networks could be made: asked for only where one was named. */
static void ask_templates(Asked *asked)
{
    if (!asked->scope.networks)
        return;
    asked->templates = templates_list(NULL);
    asked->names = g_ptr_array_new();
    for (guint i = 0; i < asked->templates->len; i++) {
        const TemplateFile *file = asked->templates->pdata[i];

        if (file->tmpl && !file->shadowed)
            g_ptr_array_add(asked->names, file->name);
    }
    g_ptr_array_add(asked->names, NULL);
    asked->scope.templates = (const char *const *)asked->names->pdata;
}

static gboolean ask_probe(const Context *ctx, const Asked *asked, GError **error)
{
    const gboolean probe = option_flag(ctx, "probe");

    if (probe && ctx->replay)
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "--probe sends packets, and a captured host has nothing to send them by");
    if (!probe && asked->scope.ids && g_strv_contains(asked->scope.ids, PROBE_CHECK))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "check '%s' needs --probe", PROBE_CHECK);
    return TRUE;
}

static gboolean ask(const Context *ctx, Asked *asked, GError **error)
{
    const char *grace = option_value(ctx, "grace");

    asked->scope.grace = grace ? g_ascii_strtoll(grace, NULL, 10) : CHECK_GRACE;
    asked->scope.all = option_flag(ctx, "all");
    if (!ask_format(ctx, asked, error) || !ask_ids(ctx, asked, error) ||
        !ask_limits(ctx, "warning", &asked->scope.warning, error) ||
        !ask_limits(ctx, "critical", &asked->scope.critical, error) || !ask_probe(ctx, asked, error))
        return FALSE;
    asked->scope.networks = ask_list(ctx->words);
    ask_templates(asked);
    return TRUE;
}

/* ----------------------------------------------------------------------------------------- looking */

/* What libvirt was asked and did not answer, of all that it was asked. */
static const GError *no_answer(GError *const failed[CAPTURE_PARTS])
{
    if (failed[CAPTURE_CONNECTION])
        return failed[CAPTURE_CONNECTION];
    for (guint part = 0; part < CAPTURE_PARTS; part++) {
        if (g_error_matches(failed[part], VNAT_ERROR, VNAT_ERROR_DEADLINE) ||
            g_error_matches(failed[part], VNAT_ERROR, VNAT_ERROR_UNREACHABLE))
            return failed[part];
    }
    return NULL;
}

static Health *look(World *world, Asked *asked, GError *failed[CAPTURE_PARTS])
{
    const Context *ctx = world->ctx;
    gboolean lists = asked->scope.all || asked->scope.ids;
    g_autofree char *socket = ctx->replay ? NULL : libvirt_socket(world->facts->uri, ctx->readonly);
    g_autoptr(Map) map = NULL;

    world_read_partly(world, WANT_CHECK | (lists ? WANT_ALL_DOMAINS : 0), failed);
    map = map_join(world->facts);
    asked->scope.unreachable = no_answer(failed);
    asked->scope.socket = asked->scope.unreachable ? socket : NULL;
    return checks_examine(&asked->scope, world->facts, map);
}

/* Whether there is a fault that this look does not suffice for, and time enough to see whether it stays; a
 * captured host does not change. took: by the first look. */
static gboolean wants_another_look(const Context *ctx, const Health *health, guint looks, gint64 begun,
                                   gint64 took)
{
    gint64 now = g_get_monotonic_time();

    if (ctx->replay || (health->level != LEVEL_CRITICAL && health->level != LEVEL_WARNING) ||
        ctx->deadline - now <= 2 * took + SECOND_LOOK_USEC)
        return FALSE;
    return looks < 2 || (health_is_unsettled(health) && now - begun < SETTLED_USEC);
}

static Health *examine(World *world, Asked *asked, GError *failed[CAPTURE_PARTS])
{
    gint64 begun = g_get_monotonic_time();
    Health *health = look(world, asked, failed);
    gint64 took = g_get_monotonic_time() - begun;

    for (guint looks = 1;
         !asked->scope.unreachable && wants_another_look(world->ctx, health, looks, begun, took); looks++) {
        g_autoptr(Health) before = health;

        g_usleep(SECOND_LOOK_USEC);
        health = look(world, asked, failed);
        health_confirm(health, before);
    }
    health_settle(health);
    return health;
}

/* Goes a guest's way through the networks, and adds what came of it. Returns the signal that ended it; 0:
 * none. */
static int probe(const World *world, const Asked *asked, Health *health)
{
    const Context *ctx = world->ctx;
    const char *const ids[] = {PROBE_CHECK, NULL};
    CheckScope scope = asked->scope;
    ProbeAsked probing = {
        .timeout = probing_timeout(ctx), .cancel = probing_begin(), .findings = health->findings};
    g_autoptr(GPtrArray) reports = NULL;
    g_autoptr(Map) map = map_join(world->facts);
    g_autoptr(Health) found = NULL;
    int signal_number;

    reports = world->facts->local ? probing_run(world->facts, scope.networks, &probing,
                                                ctx->timed ? ctx->deadline : deadline_in(PROBE_SECONDS))
                                  : g_ptr_array_new();
    signal_number = probing_end();
    scope.ids = ids;
    scope.probes = reports;
    found = checks_examine(&scope, world->facts, map);
    g_ptr_array_extend_and_steal(health->findings, g_steal_pointer(&found->findings));
    found->findings = g_ptr_array_new();
    health->counts[LEVEL_OK] += found->counts[LEVEL_OK];
    health_finish(health);
    return signal_number;
}

static gboolean wants_probe(const Context *ctx, const Asked *asked)
{
    return option_flag(ctx, "probe") &&
           (!asked->scope.ids || g_strv_contains(asked->scope.ids, PROBE_CHECK)) && !asked->scope.unreachable;
}

/* --------------------------------------------------------------------------------------- answering */

static void answer(const World *world, const Asked *asked, const Health *health)
{
    const ViewContext *view = &world->ctx->view;

    switch (asked->format) {
    case FORMAT_JSON:
        health_json(stdout, world->facts, health);
        return;
    case FORMAT_NAGIOS:
        health_nagios(stdout, health, view);
        return;
    case FORMAT_TEXT:
    case FORMAT_COUNT:
        break;
    }
    if (world->ctx->quiet)
        health_line(stdout, health, view);
    else
        health_text(stdout, health, view);
}

/* Levels are Nagios' numbers. */
static int level_code(Level level)
{
    switch (level) {
    case LEVEL_OK:
        return EXIT_OK;
    case LEVEL_WARNING:
        return EXIT_WARNING;
    case LEVEL_CRITICAL:
        return EXIT_CRITICAL;
    case LEVEL_UNKNOWN:
        return EXIT_UNKNOWN;
    }
    return EXIT_UNKNOWN;
}

static int run_check(Context *ctx)
{
    gint64 begun = g_get_monotonic_time();
    GError *failed[CAPTURE_PARTS] = {NULL};
    g_auto(Asked) asked = {0};
    g_autoptr(World) world = NULL;
    g_autoptr(Health) health = NULL;
    GError *error = NULL;
    int signal_number = 0;

    if (!ask(ctx, &asked, &error))
        return report(ctx, error);
    world = world_open_partly(ctx, &failed[CAPTURE_CONNECTION], &error);
    if (!world)
        return report(ctx, error);
    health = examine(world, &asked, failed);
    for (guint part = 0; part < CAPTURE_PARTS; part++)
        g_clear_error(&failed[part]);
    if (wants_probe(ctx, &asked))
        signal_number = probe(world, &asked, health);
    if (signal_number)
        return SIGNAL_BASE + signal_number;
    if (!ctx->replay)
        health->seconds = (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC;
    remedies_for_host(ctx, health->findings);
    answer(world, &asked, health);
    return level_code(health->level);
}

static const Argument arguments_check[] = {{"NETWORK", TRUE, COMPLETE_NETWORK}, {0}};

static const Option options_check[] = {
    {"id", 0, OPTION_LIST, "ID", "only this check; may be given several times", COMPLETE_CHECK},
    {"all", 0, OPTION_FLAG, NULL, "also list what is no fault (lease-orphaned)", NULL},
    {"warning", 'w', OPTION_LIST, "ID=RANGE", "warn when the value of this check is out of the range", NULL},
    {"critical", 'c', OPTION_LIST, "ID=RANGE", "likewise, critical", NULL},
    {"format", 0, OPTION_VALUE, "FORMAT", "text, json or nagios", "text|json|nagios"},
    {"grace", 0, OPTION_NUMBER, "S", "seconds that a guest may run without an address; default 60", NULL},
    {"probe", 0, OPTION_FLAG, NULL, "also go a guest's way through each network, as vnat probe does", NULL},
    {0},
};

const Command command_check = {
    .name = "check",
    .group = "Health",
    .summary = "look for what keeps guests from their network, and name the cause",
    .description =
        "Exit code 0: ok, 1: warning, 2: critical, 3: unknown (something could not be read, or the command\n"
        "line is wrong). Of the networks given, or of all. With --quiet nothing is printed when all is "
        "well,\n"
        "else one line. vnat-checks(7) explains each check. Called as check_vnat, it is a plugin for Nagios.",
    .examples = "  vnat check\n  vnat check default --id dnsmasq-dead --id nat-rules-missing\n"
                "  vnat -q check\n  vnat check --format nagios -w dhcp-pool-low=60 -c dhcp-pool-low=90",
    .arguments = arguments_check,
    .options = options_check,
    .flags = COMMAND_JSON | COMMAND_MANY | COMMAND_LEVELS,
    .run = run_check,
};
