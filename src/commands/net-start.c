/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/progress.h"
#include "commands/values.h"
#include "commands/world.h"

#include "actions/network.h"
#include "actions/verify.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sources/libvirt.h"
#include "sources/processes.h"
#include "sources/templates.h"

#include <string.h>

/*
 * net-start is a transaction under the lock: look, define if need be, check, start, verify. Whatever the
 * state was, it ends either with the network active and seen to work, or with an error and nothing left
 * behind that was not there before: a definition made here is taken back if the start fails. Other programs
 * do not know the lock; "already exists" and "already active" are therefore success after a second look.
 */

#define TAKE_BACK_SECONDS 2

typedef struct {
    Context *ctx;
    World *world;
    const char *name;
    GHashTable *values;
    gboolean defined_here;
    gboolean was_active;
    guint given;  /* parameters on the command line */
    char *unread; /* what verification could not look at */
} Start;

/* --------------------------------------------------------------------------------------- before it */

/* The command as it was given, with another value for a parameter. */
static void hint_at_value(Start *start, const char *value, GError **error)
{
    const char *which = option_value(start->ctx, "template");
    g_autofree char *name = text_shell(start->name);
    g_autofree char *quoted = which ? text_shell(which) : NULL;

    vnat_error_hint(error, "vnat net-start %s%s%s -D %s", name, quoted ? " --template " : "",
                    quoted ? quoted : "", value);
}

static gboolean refuse_overlap(Start *start, const Network *network, gboolean from_template, GError **error)
{
    const Facts *facts = start->world->facts;
    g_autoptr(GArray) subnets = network_subnets(network);
    g_autoptr(GPtrArray) overlaps = network_overlaps(facts, subnets, network->name, network->bridge);
    const SubnetOverlap *overlap = overlaps->len > 0 ? overlaps->pdata[0] : NULL;
    g_autofree char *text = overlap ? network_overlap_text(overlap) : NULL;

    if (!overlap || !overlap->critical || option_flag(start->ctx, "force"))
        return TRUE;
    vnat_error_set(error, VNAT_ERROR_FAILED, "network %s: %s", network->name, text);
    if (from_template)
        hint_at_value(start, "subnet=auto", error);
    else
        vnat_error_hint(error, "undefine network %s, then define it anew with -D subnet=auto; or --force",
                        network->name);
    return FALSE;
}

/* libvirt would fail on a device of that name, and some versions would delete it while they clean up. */
static gboolean refuse_foreign_bridge(Start *start, const Network *network, gboolean from_template,
                                      GError **error)
{
    const Link *link = facts_link_named(start->world->facts, network->bridge);
    const Network *other;

    if (!network_owns_bridge(network) || !link)
        return TRUE;
    other = facts_network_of_bridge(start->world->facts, network->bridge);
    if (other && other->active && g_strcmp0(other->name, network->name) != 0)
        vnat_error_set(error, VNAT_ERROR_EXISTS, "bridge %s is network %s's already", network->bridge,
                       other->name);
    else
        vnat_error_set(error, VNAT_ERROR_EXISTS,
                       "a device %s exists already (%s), and it is not network %s's", network->bridge,
                       link->kind ? link->kind : "no bridge of libvirt", network->name);
    if (from_template)
        hint_at_value(start, "bridge=NAME", error);
    else
        vnat_error_hint(error, "ip -d link show %s", network->bridge);
    return FALSE;
}

static gboolean precheck(Start *start, const Network *network, gboolean from_template, GError **error)
{
    return refuse_foreign_bridge(start, network, from_template, error) &&
           refuse_overlap(start, network, from_template, error);
}

/* ------------------------------------------------------------------------------------------ define */

static Template *start_template(Start *start, GError **error)
{
    const char *which = option_value(start->ctx, "template");
    g_autoptr(GError) local = NULL;
    Template *tmpl;

    if (which)
        return values_template(start->ctx, which, error);
    if (!option_flag(start->ctx, "no-define")) {
        tmpl = templates_find(option_value(start->ctx, "template-dir"), start->name, &local);
        if (tmpl)
            return tmpl;
        if (!g_error_matches(local, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
    }
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "no network is defined by that name%s",
                   option_flag(start->ctx, "no-define") ? "" : ", and no template is called so");
    return NULL;
}

static void hint_at_names(Start *start, GError **error)
{
    g_auto(GStrv) networks = libvirt_network_names(start->world->conn, start->ctx->deadline, NULL);
    g_autoptr(GPtrArray) templates = templates_list(option_value(start->ctx, "template-dir"));
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *quoted = text_shell(start->name);
    const char *close;

    for (guint i = 0; networks && networks[i]; i++)
        g_ptr_array_add(names, networks[i]);
    for (guint i = 0; i < templates->len; i++)
        g_ptr_array_add(names, ((TemplateFile *)templates->pdata[i])->name);
    g_ptr_array_add(names, NULL);
    close = text_suggest(start->name, (const char *const *)names->pdata);
    if (close && strcmp(close, start->name) != 0)
        vnat_error_hint(error, "did you mean '%s'?", close);
    else if (close)
        vnat_error_hint(error, "vnat net-start %s",
                        quoted); /* a template's name, and --no-define was given */
    else
        vnat_error_hint(error, "vnat net-start %s --template nat", quoted);
}

static gboolean define_from_template(Start *start, GError **error)
{
    const char *which = option_value(start->ctx, "template");
    g_autoptr(Template) tmpl = start_template(start, error);
    g_autoptr(Network) network = NULL;
    g_autofree char *xml = NULL;
    GError *local = NULL;

    if (!tmpl) {
        if (error && g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND) && !which)
            hint_at_names(start, error);
        return FALSE;
    }
    if (template_param(tmpl, "name"))
        g_hash_table_insert(start->values, g_strdup("name"), g_strdup(start->name));
    xml = values_render(start->world, tmpl, which ? which : start->name, start->values, &network, error);
    if (!xml)
        return FALSE;
    if (strcmp(network->name, start->name) != 0)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "the template makes a network '%s', not '%s'",
                              network->name, start->name);
    if (!precheck(start, network, TRUE, error))
        return FALSE;
    start->defined_here = network_define(start->world->conn, xml, NULL, start->ctx->deadline, &local);
    if (!start->defined_here && !g_error_matches(local, VNAT_ERROR, VNAT_ERROR_EXISTS)) {
        g_propagate_error(error, local);
        return FALSE;
    }
    g_clear_error(&local); /* somebody else defined it meanwhile: theirs is started */
    return TRUE;
}

/* ------------------------------------------------------------------------------------------- start */

static gboolean look(Start *start, GError **error)
{
    return world_read(start->world, WANT_ALL_NETWORKS | WANT_ROUTES | WANT_LINKS, error);
}

/* Who is in the way, only this host can tell. */
static void explain(Start *start, GError **error)
{
    Facts *facts = start->world->facts;
    const Network *network = look(start, NULL) ? facts_network(facts, start->name) : NULL;

    if (network && facts->local && processes_read(facts, TRUE, deadline_in(1), NULL))
        network_start_explain(facts, network, error);
}

static void show_missing(const GPtrArray *missing, gpointer progress)
{
    progress_show(progress, "waiting for %s", (const char *)missing->pdata[0]);
}

static gboolean verify(Start *start, GError **error)
{
    g_autoptr(Facts) facts = facts_new();
    Progress progress;
    Network *network;
    gboolean ok;

    facts->now = start->world->facts->now;
    network =
        libvirt_read_network(start->world->conn, facts, start->name, FALSE, start->ctx->deadline, error);
    if (!network)
        return FALSE;
    if (!start->world->facts->local)
        return TRUE;
    progress_begin(&progress, start->ctx);
    ok = verify_network(facts, network, show_missing, &progress, start->ctx->deadline, &start->unread, error);
    progress_end(&progress);
    return ok;
}

static gboolean autostart(Start *start, GError **error)
{
    return !option_flag(start->ctx, "autostart") ||
           network_autostart(start->world->conn, start->name, TRUE, start->ctx->deadline, error);
}

/*
 * A start that failed leaves no definition behind that was made for it. One that libvirt has not answered may
 * still succeed: then the definition is left, and the user told.
 */
static void take_back(Start *start, GError **error)
{
    g_autofree char *name = text_shell(start->name);

    if (error && g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        vnat_error_hint(error, "libvirt may still be starting it: vnat net-info %s", name);
    else if (start->defined_here)
        network_undefine(start->world->conn, start->name, deadline_in(TAKE_BACK_SECONDS), NULL);
}

static gboolean start_network(Start *start, GError **error)
{
    GError *failure = NULL;

    if (!network_start(start->world->conn, start->name, &start->was_active, start->ctx->deadline, &failure)) {
        explain(start, &failure);
        take_back(start, &failure);
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (!autostart(start, error))
        return FALSE;
    return verify(start, error);
}

/* All up to the start itself: ends with the network defined, and active or to be started. */
static gboolean prepare(Start *start, GError **error)
{
    const Network *network;

    if (!look(start, error))
        return FALSE;
    network = facts_network(start->world->facts, start->name);
    start->was_active = network && network->active;
    if (start->was_active)
        return TRUE;
    if (network && !network->xml_read)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "its definition cannot be read: %s",
                              network->xml_error);
    return network ? precheck(start, network, FALSE, error) : define_from_template(start, error);
}

/* Whether the network that was not active a moment ago is now. */
static gboolean became_active(Start *start)
{
    const Network *network = look(start, NULL) ? facts_network(start->world->facts, start->name) : NULL;

    return network && network->active;
}

static gboolean run_transaction(Start *start, GError **error)
{
    GError *refused = NULL;

    if (!prepare(start, &refused)) {
        /* What is in the way, a bridge or a route, is the network's own if somebody who does not know the
         * lock started it while we looked. */
        start->was_active = became_active(start);
        if (!start->was_active) {
            g_propagate_error(error, refused);
            return FALSE;
        }
        g_clear_error(&refused);
    }
    return start->was_active ? autostart(start, error) : start_network(start, error);
}

/* An active network is left alone; that it is broken should not go unsaid. */
static void warn_if_broken(Start *start)
{
    g_autoptr(Facts) facts = facts_new();
    g_autofree char *missing = NULL;
    g_autofree char *name = text_shell(start->name);
    const Network *network;

    facts->now = start->world->facts->now;
    network = start->world->facts->local ? libvirt_read_network(start->world->conn, facts, start->name, FALSE,
                                                                start->ctx->deadline, NULL)
                                         : NULL;
    missing = network ? verify_once(facts, network, start->ctx->deadline) : NULL;
    if (missing) {
        warn(start->ctx, "network %s is active, but this is missing: %s", start->name, missing);
        hint(start->ctx, "vnat status %s", name);
    }
}

/* libvirt does not put the taps of running guests back on a bridge that it made anew. */
static void warn_of_orphans(Start *start)
{
    g_autoptr(Map) map = start->world->facts->local
                             ? world_map(start->world, WANT_NETWORKS | WANT_DOMAINS | WANT_LINKS, NULL)
                             : NULL;
    g_autoptr(GString) taps = g_string_new(NULL);
    g_autofree char *name = text_shell(start->name);

    for (guint i = 0; map && i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (row->tap && map_row_is_on(row, start->name) &&
            g_ptr_array_find_with_equal_func(row->problems, "tap-orphaned", g_str_equal, NULL))
            g_string_append_printf(taps, "%s%s of %s", taps->len > 0 ? ", " : "", row->tap, row->domain);
    }
    if (taps->len > 0) {
        warn(start->ctx, "taps of running guests are not on its bridge: %s", taps->str);
        hint(start->ctx, "vnat repair --apply %s", name);
    }
}

static void say_outcome(Start *start)
{
    Context *ctx = start->ctx;

    if (start->was_active)
        say(ctx, "Network %s already active", start->name);
    else
        say(ctx, start->defined_here ? "Network %s defined and started" : "Network %s started", start->name);
    if (start->given > 0 && !start->defined_here)
        say(ctx, "It was defined already: the parameters given are not used");
    if (start->unread)
        say(ctx, "Not looked at: %s", start->unread);
}

static int finish(Start *start)
{
    int code = EXIT_OK;

    say_outcome(start);
    if (start->was_active)
        warn_if_broken(start);
    else
        warn_of_orphans(start);
    if (start->ctx->json)
        code = write_network_after(start->world, start->name);
    return code;
}

static int run_net_start(Context *ctx)
{
    g_autoptr(World) world = NULL;
    g_autoptr(GHashTable) values = NULL;
    Start start = {.ctx = ctx, .name = argument(ctx, 0)};
    const char *name;
    GError *error = NULL;
    gboolean ok;
    int code, lock;

    start.values = values = values_parse(ctx, &error);
    name = values ? g_hash_table_lookup(values, "name") : NULL;
    if (name && strcmp(name, start.name) != 0)
        vnat_error_set(&error, VNAT_ERROR_USAGE, "-D name=%s contradicts the network's name '%s'", name,
                       start.name);
    if (error)
        return report(ctx, error);
    start.given = g_hash_table_size(values);
    world = world_open(ctx, &code);
    if (!world)
        return code;
    start.world = world;
    if (!file_lock(ctx->deadline, &lock, &error))
        return report(ctx, error);
    ok = run_transaction(&start, &error);
    file_unlock(lock);
    if (!ok) {
        vnat_error_what(&error, "failed to start network '%s'", start.name);
        return report(ctx, error);
    }
    code = finish(&start);
    g_free(start.unread);
    return code;
}

static const Argument arguments_start[] = {{"NETWORK", FALSE, COMPLETE_NETWORK_OR_TEMPLATE}, {0}};

static const Option options_start[] = {
    {"template", 0, OPTION_VALUE, "T", "define it from this template, if it is not defined",
     COMPLETE_TEMPLATE},
    OPTIONS_VALUES,
    {"autostart", 0, OPTION_FLAG, NULL, "start it with the host from now on", NULL},
    {"no-define", 0, OPTION_FLAG, NULL, "fail if it is not defined", NULL},
    {"force", 0, OPTION_FLAG, NULL, "start even if its subnet collides with a route or a network", NULL},
    {0},
};

const Command command_net_start = {
    .name = "net-start",
    .group = "Networks",
    .summary = "start a network, defining it first if need be, and see that it works",
    .description = "An undefined network is defined from the template of its name (or --template). An active "
                   "one is left\n"
                   "alone. Before: its bridge name must be free and its subnet must not collide. After: "
                   "waits until the\n"
                   "bridge is up with its addresses, dnsmasq listens and the NAT rules are there.",
    .examples = "  vnat net-start default\n  vnat net-start default -D subnet=auto --autostart\n"
                "  vnat net-start lab --template nat-ipv6",
    .arguments = arguments_start,
    .options = options_start,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_net_start,
};
