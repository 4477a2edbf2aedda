/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/values.h"
#include "commands/world.h"

#include "actions/network.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The network that the command's first word names, or NULL with *code to leave with. */
static Network *named_network(Context *ctx, World *world, Wants wants, int *code)
{
    GError *error = NULL;
    Network *network = world_read_network(world, argument(ctx, 0), FALSE, wants, &error);

    if (!network)
        *code = report(ctx, error);
    return network;
}

/* What a command that changed a network says when it is done. */
static int done(Context *ctx, World *world, const char *name, const char *verb)
{
    if (ctx->json)
        return write_network_after(world, name);
    say(ctx, "Network %s %s", name, verb);
    return EXIT_OK;
}

static int failed(Context *ctx, const char *verb, const char *name, GError *error)
{
    vnat_error_what(&error, "failed to %s network '%s'", verb, name);
    return report(ctx, error);
}

/* -------------------------------------------------------------------------------------- net-define */

static gboolean define(World *world, const Template *tmpl, const char *which, GHashTable *values, char **name,
                       GError **error)
{
    g_autofree char *xml = NULL;

    /* What "auto" must avoid can change until we have defined: the caller holds the lock. */
    if (!world_read(world, WANT_ALL_NETWORKS | WANT_ROUTES, error))
        return FALSE;
    xml = values_render(world, tmpl, which, values, NULL, error);
    if (!xml || !network_define(world->conn, xml, name, world->ctx->deadline, error))
        return FALSE;
    if (option_flag(world->ctx, "autostart"))
        return network_autostart(world->conn, *name, TRUE, world->ctx->deadline, error);
    return TRUE;
}

static int run_net_define(Context *ctx)
{
    const char *which = argument(ctx, 0);
    g_autoptr(World) world = NULL;
    g_autoptr(GHashTable) values = NULL;
    g_autoptr(Template) tmpl = NULL;
    g_autofree char *name = NULL;
    GError *error = NULL;
    int code, lock;

    values = values_parse(ctx, &error);
    tmpl = values ? values_template(ctx, which, &error) : NULL;
    if (!tmpl) {
        vnat_error_what(&error, "failed to define a network from '%s'", which);
        return report(ctx, error);
    }
    if (!(world = world_open(ctx, &code)))
        return code;
    if (!file_lock(ctx->deadline, &lock, &error))
        return report(ctx, error);
    if (!define(world, tmpl, which, values, &name, &error)) {
        file_unlock(lock);
        vnat_error_what(&error, "failed to define a network from '%s'", which);
        return report(ctx, error);
    }
    file_unlock(lock);
    if (ctx->json)
        return write_network_after(world, name);
    say(ctx, "Network %s defined from %s", name, which);
    return EXIT_OK;
}

static const Argument arguments_define[] = {{"FILE|TEMPLATE", FALSE, COMPLETE_TEMPLATE_OR_FILE}, {0}};

static const Option options_define[] = {
    OPTIONS_VALUES,
    {"autostart", 0, OPTION_FLAG, NULL, "start it with the host", NULL},
    {"validate", 0, OPTION_FLAG, NULL, "as with virsh; it is checked in any case", NULL},
    {0},
};

const Command command_net_define = {
    .name = "net-define",
    .group = "Networks",
    .summary = "define a persistent network from a template or an XML file",
    .description =
        "A name with '/' or ending in '.xml' is a file, everything else a template (see template list).\n"
        "The network is checked against libvirt's schema before it is defined.",
    .examples = "  vnat net-define nat -D name=lab -D subnet=10.20.0.0/24\n"
                "  vnat net-define isolated -D name=quiet -D subnet=auto --autostart\n"
                "  vnat net-define ./my-network.xml",
    .arguments = arguments_define,
    .options = options_define,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_net_define,
};

/* ------------------------------------------------------------------------------------- net-destroy */

/* The guests that would be cut off; a domain that cannot be read may be one. */
static char *guests_on(const Facts *facts, const Map *map, const Network *network)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        g_autofree char *name = NULL;

        if (!row->has_domain)
            continue;
        if (!row->interface_known)
            name = g_strdup_printf("%s (its interfaces cannot be read)", row->domain);
        else if (map_row_is_on(row, network->name))
            name = g_strdup(row->domain);
        if (name && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    /* A connection that serves no domains cannot say whose the ports are. */
    if (!facts->domains_complete && names->len == 0)
        g_ptr_array_add(names, g_strdup("unknown, as the domains cannot be read"));
    if (names->len == 0)
        return NULL;
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}

/* Only a person at a terminal can be asked, and may take the time to think. */
static gboolean ask_person(Context *ctx, const char *guests)
{
    gint64 asked = g_get_monotonic_time();
    g_autofree char *shown = text_escape(guests, -1, ctx->view.utf8);
    char answer[8];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return FALSE;
    fprintf(stderr, "This cuts off running guests: %s\nGo on? [y/N] ", shown);
    if (!fgets(answer, sizeof(answer), stdin) || (answer[0] != 'y' && answer[0] != 'Y'))
        return FALSE;
    if (ctx->deadline != DEADLINE_NEVER)
        ctx->deadline += g_get_monotonic_time() - asked;
    return TRUE;
}

static gboolean may_cut_off(Context *ctx, const char *guests, const char *network, GError **error)
{
    g_autofree char *quoted = text_shell(network);

    if (!guests || option_flag(ctx, "yes") || ask_person(ctx, guests))
        return TRUE;
    vnat_error_set(error, VNAT_ERROR_FAILED, "running guests would be cut off: %s", guests);
    vnat_error_hint(error, "vnat net-destroy --yes %s", quoted);
    return FALSE;
}

static int run_net_destroy(Context *ctx)
{
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autofree char *name = NULL;
    g_autofree char *guests = NULL;
    const Network *network;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    network = named_network(ctx, world, WANT_DOMAINS, &code);
    if (!network)
        return code;
    name = g_strdup(network->name);
    if (!network->active) {
        vnat_error_set(&error, VNAT_ERROR_FAILED, "network '%s' is not active", name);
        return failed(ctx, "destroy", name, error);
    }
    map = map_join(world->facts);
    guests = guests_on(world->facts, map, network);
    if (!may_cut_off(ctx, guests, name, &error) || !network_destroy(world->conn, name, ctx->deadline, &error))
        return failed(ctx, "destroy", name, error);
    if (guests)
        say(ctx, "Cut off: %s", guests);
    return done(ctx, world, name, "destroyed");
}

static const Argument arguments_network[] = {{"NETWORK", FALSE, COMPLETE_NETWORK}, {0}};

static const Option options_destroy[] = {
    {"yes", 'y', OPTION_FLAG, NULL, "stop it even if running guests are cut off", NULL},
    {0},
};

const Command command_net_destroy = {
    .name = "net-destroy",
    .group = "Networks",
    .summary = "stop a network; names the running guests it cuts off",
    .description =
        "While guests run on the network, --yes or a confirmation at the terminal is needed. Starting the\n"
        "network again does not put their taps back on the bridge: 'vnat status' shows them as\n"
        "tap-orphaned.",
    .examples = "  vnat net-destroy default\n  vnat net-destroy --yes default",
    .arguments = arguments_network,
    .options = options_destroy,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_net_destroy,
};

/* --------------------------------------------------------------------- net-undefine, net-autostart */

typedef gboolean (*NetworkChange)(World *world, const Network *network, GError **error);

/* One step on the network that the command names. verb and past are for messages. */
static int change_network(Context *ctx, NetworkChange change, const char *verb, const char *past)
{
    g_autoptr(World) world = NULL;
    g_autofree char *name = NULL;
    const Network *network;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    network = named_network(ctx, world, 0, &code);
    if (!network)
        return code;
    name = g_strdup(network->name);
    if (!change(world, network, &error))
        return failed(ctx, verb, name, error);
    return done(ctx, world, name, past);
}

static gboolean undefine(World *world, const Network *network, GError **error)
{
    if (!network_undefine(world->conn, network->name, world->ctx->deadline, error))
        return FALSE;
    if (network->active)
        say(world->ctx, "It stays active, as a transient network, until it is destroyed");
    return TRUE;
}

static int run_net_undefine(Context *ctx)
{
    return change_network(ctx, undefine, "undefine", "has been undefined");
}

const Command command_net_undefine = {
    .name = "net-undefine",
    .group = "Networks",
    .summary = "remove a network's definition",
    .description = "An active network stays active, as a transient one, until it is destroyed.",
    .examples = "  vnat net-undefine lab",
    .arguments = arguments_network,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_net_undefine,
};

static gboolean set_autostart(World *world, const Network *network, GError **error)
{
    return network_autostart(world->conn, network->name, !option_flag(world->ctx, "disable"),
                             world->ctx->deadline, error);
}

static int run_net_autostart(Context *ctx)
{
    if (option_flag(ctx, "disable"))
        return change_network(ctx, set_autostart, "unmark as autostarted", "unmarked as autostarted");
    return change_network(ctx, set_autostart, "mark as autostarted", "marked as autostarted");
}

static const Option options_autostart[] = {
    {"disable", 0, OPTION_FLAG, NULL, "no longer start it with the host", NULL},
    {0},
};

const Command command_net_autostart = {
    .name = "net-autostart",
    .group = "Networks",
    .summary = "start a network with the host, or no longer",
    .examples = "  vnat net-autostart default\n  vnat net-autostart --disable default",
    .arguments = arguments_network,
    .options = options_autostart,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_net_autostart,
};
