/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/progress.h"
#include "commands/world.h"

#include "actions/interface.h"
#include "base/error.h"
#include "base/text.h"
#include "sources/libvirt.h"
#include "sources/links.h"

#include <string.h>

/*
 * Plugging in and out. libvirt answers before the kernel (attach) or the guest (detach: it has to let go of
 * the device) has done its part, so that a command with --live waits for the fact: the tap on its bridge, or
 * gone. The kernel tells of both; that libvirt's XML has followed is looked at with each news and every
 * RECHECK seconds.
 */
#define RECHECK 0.2

typedef struct {
    Context *ctx;
    World *world;
    const char *domain; /* as the user named it */
    InterfaceScope scope;
    gboolean live; /* whether a running guest is changed */
} Plug;

/* Whether what is waited for has come; *waiting says what is still missing (new string). */
typedef gboolean (*PlugDone)(const Map *map, gconstpointer data, char **waiting);

static gboolean parse_scope(Context *ctx, InterfaceScope *scope, GError **error)
{
    scope->live = option_flag(ctx, "live");
    scope->config = option_flag(ctx, "config");
    if (option_flag(ctx, "current") && (scope->live || scope->config || option_flag(ctx, "persistent")))
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "--current excludes --live, --config and --persistent");
    return TRUE;
}

static Map *plug_read(Plug *plug, GError **error)
{
    Facts *facts = facts_new();

    facts->host = g_strdup(plug->world->facts->host);
    facts->uri = g_strdup(plug->world->facts->uri);
    facts->local = plug->world->facts->local;
    facts->now = plug->world->facts->now;
    facts_free(plug->world->facts);
    plug->world->facts = facts;
    return world_domain_map(plug->world, plug->domain, FALSE, WANT_LINKS | WANT_LEASES | WANT_NEIGHBOURS,
                            error);
}

static void plug_wait_for_news(LinksMonitor *monitor, Deadline deadline)
{
    gint64 left = deadline - g_get_monotonic_time();

    if (monitor)
        links_monitor_wait(monitor, deadline);
    else if (left > 0)
        g_usleep((gulong)left);
}

/* One look; *waiting is replaced by what it found missing. Time that ran out while looking is no error of the
 * look. */
static gboolean plug_look(Plug *plug, PlugDone is_done, gconstpointer data, char **waiting, GError **error)
{
    GError *local = NULL;
    g_autoptr(Map) map = plug_read(plug, &local);
    g_autofree char *now = NULL;

    if (!map) {
        if (*waiting && g_error_matches(local, VNAT_ERROR, VNAT_ERROR_DEADLINE))
            g_clear_error(&local);
        else
            g_propagate_error(error, local);
        return FALSE;
    }
    if (is_done(map, data, &now))
        return TRUE;
    g_free(*waiting);
    *waiting = g_steal_pointer(&now);
    return FALSE;
}

static gboolean plug_wait(Plug *plug, PlugDone is_done, gconstpointer data, GError **error)
{
    g_autoptr(LinksMonitor) monitor = plug->world->facts->local ? links_monitor_new(NULL) : NULL;
    g_autofree char *waiting = NULL;
    GError *failure = NULL;
    gboolean done = FALSE;
    Progress progress;

    progress_begin(&progress, plug->ctx);
    while (!failure && !(done = plug_look(plug, is_done, data, &waiting, &failure)) &&
           !deadline_passed(plug->ctx->deadline) && !failure) {
        progress_show(&progress, "waiting for %s", waiting);
        plug_wait_for_news(monitor, deadline_within(plug->ctx->deadline, RECHECK));
    }
    progress_end(&progress);
    if (failure)
        g_propagate_error(error, failure);
    else if (!done)
        vnat_error_set(error, VNAT_ERROR_FAILED,
                       "libvirt accepted it, but has waited in vain for %s; it may still come", waiting);
    return done;
}

static int plug_finish(Plug *plug, const char *message)
{
    g_autoptr(Map) map = NULL;
    GError *error = NULL;

    if (!plug->ctx->json) {
        say(plug->ctx, "%s", message);
        return EXIT_OK;
    }
    map = plug_read(plug, &error);
    if (!map)
        return report(plug->ctx, error);
    return write_interfaces(plug->ctx, plug->world, map->rows);
}

/* A row is plugged in when its tap exists, on the bridge that libvirt names (where it names one). */
static gboolean row_is_plugged(const MapRow *row, gboolean kernel_known, char **waiting)
{
    if (!row->tap && row->network_bridge) {
        *waiting = g_strdup("a tap for the interface");
        return FALSE;
    }
    if (!kernel_known || !row->tap)
        return TRUE;
    if (!row->ifindex) {
        *waiting = g_strdup_printf("device %s", row->tap);
        return FALSE;
    }
    if (row->network_bridge && g_strcmp0(row->bridge, row->network_bridge) != 0) {
        *waiting = g_strdup_printf("%s on bridge %s", row->tap, row->network_bridge);
        return FALSE;
    }
    return TRUE;
}

/* -------------------------------------------------------------------------------- attach-interface */

typedef struct {
    GHashTable
        *before; /* set of what tells interfaces apart: alias, else tap, else MAC (two may share one) */
    gboolean kernel_known;
} Attached;

static char *identity(const char *alias, const char *tap, const Mac *mac)
{
    return alias ? g_strdup(alias) : tap ? g_strdup(tap) : mac_to_string(mac);
}

static gboolean attach_done(const Map *map, gconstpointer data, char **waiting)
{
    const Attached *attached = data;

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        g_autofree char *known = identity(row->alias, row->tap, &row->mac);

        if (!g_hash_table_contains(attached->before, known))
            return row_is_plugged(row, attached->kernel_known, waiting);
    }
    *waiting = g_strdup("the interface in the domain's XML");
    return FALSE;
}

static GHashTable *interfaces_of(const Domain *domain)
{
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];

        g_hash_table_add(set, identity(iface->alias, iface->target, &iface->mac));
    }
    return set;
}

/* Opens the world and the domain for a change. */
static Domain *plug_open(Plug *plug, int *code)
{
    GError *error = NULL;
    Domain *domain;

    plug->domain = argument(plug->ctx, 0);
    if (!parse_scope(plug->ctx, &plug->scope, &error)) {
        *code = report(plug->ctx, error);
        return NULL;
    }
    plug->world = world_open(plug->ctx, code);
    if (!plug->world)
        return NULL;
    domain = world_read_domain(plug->world, plug->domain, FALSE, 0, &error);
    if (!domain) {
        *code = report(plug->ctx, error);
        return NULL;
    }
    if (option_flag(plug->ctx, "persistent")) {
        plug->scope.config = TRUE;
        plug->scope.live = domain->id >= 0;
    }
    plug->live = domain->id >= 0 && (plug->scope.live || !plug->scope.config);
    return domain;
}

static gboolean attach(Plug *plug, const Domain *domain, const char *xml, GError **error)
{
    g_autoptr(GHashTable) before = interfaces_of(domain);
    Attached attached = {.before = before, .kernel_known = plug->world->facts->local};

    if (!interface_attach(plug->world->conn, plug->domain, xml, plug->scope, plug->ctx->deadline, error))
        return FALSE;
    return !plug->live || plug_wait(plug, attach_done, &attached, error);
}

static int run_attach_interface(Context *ctx)
{
    const char *type = argument(ctx, 1);
    g_autofree char *xml = NULL;
    Plug plug = {.ctx = ctx};
    const Domain *domain;
    GError *error = NULL;
    int code = EXIT_OK;

    xml = interface_xml(type, argument(ctx, 2), option_value(ctx, "mac"), option_value(ctx, "model"),
                        option_value(ctx, "target"), &error);
    if (!xml)
        return report(ctx, error);
    if (option_flag(ctx, "print-xml")) {
        g_autofree char *shown = text_xml(xml);

        puts(shown);
        return EXIT_OK;
    }
    domain = plug_open(&plug, &code);
    if (domain) {
        if (attach(&plug, domain, xml, &error)) {
            code = plug_finish(&plug, "Interface attached successfully");
        } else {
            vnat_error_what(&error, "failed to attach an interface to domain '%s'", plug.domain);
            code = report(ctx, error);
        }
    }
    world_free(plug.world);
    return code;
}

static const Argument arguments_attach[] = {
    {"DOMAIN", FALSE, COMPLETE_DOMAIN},
    {"TYPE", FALSE, "network|bridge|direct|hostdev|user"},
    {"SOURCE", TRUE, COMPLETE_NETWORK},
    {0},
};

#define OPTIONS_SCOPE                                                                                        \
    {"live", 0, OPTION_FLAG, NULL, "change the running guest, and wait until it is done", NULL},             \
        {"config", 0, OPTION_FLAG, NULL, "change the persistent definition", NULL},                          \
        {"persistent", 0, OPTION_FLAG, NULL, "change the definition, and the guest if it runs", NULL},       \
    {                                                                                                        \
        "current", 0, OPTION_FLAG, NULL, "change the guest if it runs, else the definition (default)", NULL  \
    }

static const Option options_attach[] = {
    {"mac", 0, OPTION_VALUE, "MAC", "hardware address; default: libvirt chooses", NULL},
    {"model", 0, OPTION_VALUE, "MODEL", "device model, for example virtio", "virtio|e1000|e1000e|rtl8139"},
    {"target", 0, OPTION_VALUE, "TAP", "name of the tap; default: libvirt chooses vnetN", NULL},
    OPTIONS_SCOPE,
    {"print-xml", 0, OPTION_FLAG, NULL, "print the device's XML and change nothing", NULL},
    {0},
};

const Command command_attach_interface = {
    .name = "attach-interface",
    .group = "Plugging in",
    .summary = "give a domain another interface, as virsh does, and see its tap on the bridge",
    .description =
        "TYPE is network, bridge, direct, hostdev or user; SOURCE is the network, the bridge, the host's\n"
        "network device (direct) or its PCI device (hostdev: 0000:03:00.0); user has none. Libvirt's other\n"
        "types go by 'virsh attach-device', as XML in a file. When a running guest is changed, the command\n"
        "waits until the tap is on the bridge.",
    .examples = "  vnat attach-interface VM1 network default --model virtio --live --config\n"
                "  vnat attach-interface VM1 network default --print-xml",
    .arguments = arguments_attach,
    .options = options_attach,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .columns = NULL,
    .run = run_attach_interface,
};

/* -------------------------------------------------------------------------------- detach-interface */

static gboolean detach_done(const Map *map, gconstpointer data, char **waiting)
{
    const Mac *mac = data;

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (row->has_mac && mac_equal(&row->mac, mac)) {
            *waiting =
                g_strdup_printf("the guest to let go of the device (tap %s)", row->tap ? row->tap : "-");
            return FALSE;
        }
    }
    return TRUE;
}

/* Which interface libvirt will take, so that its going can be seen; NULL where the choice is libvirt's to
 * refuse. */
static const DomainInterface *detached_interface(const Domain *domain, const char *type, const char *mac)
{
    const DomainInterface *found = NULL;
    Mac wanted;

    if (mac && !mac_parse(mac, &wanted))
        return NULL;
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];

        if (g_strcmp0(iface->type, type) == 0 && (!mac || mac_equal(&iface->mac, &wanted)))
            found = iface;
    }
    return found;
}

static int run_detach_interface(Context *ctx)
{
    const char *type = argument(ctx, 1);
    const char *mac = option_value(ctx, "mac");
    Plug plug = {.ctx = ctx};
    const DomainInterface *iface;
    const Domain *domain;
    GError *error = NULL;
    int code = EXIT_OK;

    domain = plug_open(&plug, &code);
    if (domain) {
        Mac gone;

        iface = detached_interface(domain, type, mac);
        gone = iface ? iface->mac : (Mac){{0}};
        if (interface_detach(plug.world->conn, plug.domain, type, mac, plug.scope, ctx->deadline, &error) &&
            (!plug.live || plug_wait(&plug, detach_done, &gone, &error))) {
            code = plug_finish(&plug, "Interface detached successfully");
        } else {
            vnat_error_what(&error, "failed to detach an interface from domain '%s'", plug.domain);
            code = report(ctx, error);
        }
    }
    world_free(plug.world);
    return code;
}

static const Argument arguments_detach[] = {
    {"DOMAIN", FALSE, COMPLETE_DOMAIN},
    {"TYPE", FALSE, "network|bridge|direct|hostdev|user|ethernet"},
    {0},
};

static const Option options_detach[] = {
    {"mac", 0, OPTION_VALUE, "MAC", "the interface with this hardware address; needed if several fit", NULL},
    OPTIONS_SCOPE,
    {0},
};

const Command command_detach_interface = {
    .name = "detach-interface",
    .group = "Plugging in",
    .summary = "take an interface from a domain, as virsh does, and see its tap gone",
    .description =
        "TYPE is any that the domain's XML has. A running guest has to let go of the device; if it does\n"
        "not, the command fails at its deadline and says so. Libvirt may still take it out later.",
    .examples = "  vnat detach-interface VM1 network --mac 52:54:00:a1:b2:c3 --live --config",
    .arguments = arguments_detach,
    .options = options_detach,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_detach_interface,
};

/* ----------------------------------------------------------------------------------------- connect */

typedef struct {
    Mac mac;
    const char *network;
    gboolean kernel_known;
} Connected;

static gboolean connect_done(const Map *map, gconstpointer data, char **waiting)
{
    const Connected *connected = data;

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (row->has_mac && mac_equal(&row->mac, &connected->mac) &&
            g_strcmp0(row->source, connected->network) == 0)
            return row_is_plugged(row, connected->kernel_known, waiting);
    }
    *waiting = g_strdup_printf("network %s in the domain's XML", connected->network);
    return FALSE;
}

static gboolean interface_is(const DomainInterface *iface, const char *which)
{
    Mac mac;

    return g_strcmp0(iface->target, which) == 0 || g_strcmp0(iface->alias, which) == 0 ||
           (mac_parse(which, &mac) && mac_equal(&mac, &iface->mac));
}

/* The interface to move: the one that --interface names, or the only one. */
static const DomainInterface *chosen_interface(const Domain *domain, const char *which, GError **error)
{
    const DomainInterface *found = NULL;
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        char mac[MAC_TEXT];

        g_string_append_printf(all, "%s%s", i > 0 ? ", " : "",
                               iface->target ? iface->target : mac_format(&iface->mac, mac));
        if (!which || interface_is(iface, which))
            found = iface;
    }
    if (domain->interfaces->len == 0)
        vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "the domain has no interface");
    else if (!which && domain->interfaces->len > 1)
        vnat_error_set(error, VNAT_ERROR_USAGE,
                       "the domain has several interfaces: choose one by --interface");
    else if (!found)
        vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "the domain has no interface '%s'", which);
    else
        return found;
    if (domain->interfaces->len > 0)
        vnat_error_hint(error, "it has %s", all->str);
    return NULL;
}

/* The MAC of the interface to move. The definition alone may hold others than the guest that runs. */
static gboolean connect_mac(Plug *plug, const Domain *domain, Mac *mac, GError **error)
{
    g_autoptr(Facts) facts = facts_new();
    const DomainInterface *iface;

    if (!plug->scope.live) {
        domain =
            libvirt_read_domain(plug->world->conn, facts, plug->domain, TRUE, plug->ctx->deadline, error);
        if (!domain)
            return FALSE;
    }
    iface = chosen_interface(domain, option_value(plug->ctx, "interface"), error);
    if (iface)
        *mac = iface->mac;
    return iface != NULL;
}

/* libvirt would only say that there is no such interface, which is there to be seen in the guest that runs.
 */
static gboolean definition_has(Plug *plug, const Mac *mac, GError **error)
{
    g_autoptr(Facts) facts = facts_new();
    g_autofree char *text = mac_to_string(mac);
    const Domain *domain =
        libvirt_read_domain(plug->world->conn, facts, plug->domain, TRUE, plug->ctx->deadline, error);

    if (!domain)
        return FALSE;
    for (guint i = 0; i < domain->interfaces->len; i++) {
        if (mac_equal(&((const DomainInterface *)domain->interfaces->pdata[i])->mac, mac))
            return TRUE;
    }
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "the running guest has interface %s, its definition has not",
                   text);
    vnat_error_hint(error, "--live moves it in the guest alone");
    return FALSE;
}

static gboolean connect_interface(Plug *plug, const Domain *domain, const char *network, GError **error)
{
    Connected connected = {.network = network, .kernel_known = plug->world->facts->local};
    g_autofree char *mac = NULL;

    if (!plug->scope.live && !plug->scope.config) {
        plug->scope.live = domain->id >= 0;
        plug->scope.config = domain->persistent;
    }
    plug->live = plug->scope.live && domain->id >= 0;
    if (!connect_mac(plug, domain, &connected.mac, error) ||
        (plug->live && plug->scope.config && !definition_has(plug, &connected.mac, error)))
        return FALSE;
    mac = mac_to_string(&connected.mac);
    if (!interface_connect(plug->world->conn, plug->domain, mac, network, plug->scope, plug->ctx->deadline,
                           error))
        return FALSE;
    return !plug->live || plug_wait(plug, connect_done, &connected, error);
}

static int run_connect(Context *ctx)
{
    const char *network = argument(ctx, 1);
    g_autofree char *message = NULL;
    Plug plug = {.ctx = ctx};
    const Domain *domain;
    GError *error = NULL;
    int code = EXIT_OK;

    domain = plug_open(&plug, &code);
    if (domain) {
        /* libvirt takes a network that does not exist into a definition; a typing error would show at the
         * next start. */
        if (world_read_network(plug.world, network, FALSE, 0, &error) &&
            connect_interface(&plug, domain, network, &error)) {
            message = g_strdup_printf("Domain %s connected to network %s", plug.domain, network);
            code = plug_finish(&plug, message);
        } else {
            vnat_error_what(&error, "failed to connect domain '%s' to network '%s'", plug.domain, network);
            code = report(ctx, error);
        }
    }
    world_free(plug.world);
    return code;
}

static const Argument arguments_connect[] = {
    {"DOMAIN", FALSE, COMPLETE_DOMAIN},
    {"NETWORK", FALSE, COMPLETE_NETWORK},
    {0},
};

static const Option options_connect[] = {
    {"interface", 0, OPTION_VALUE, "TAP|MAC", "which interface, if the domain has several", NULL},
    {"live", 0, OPTION_FLAG, NULL, "change the running guest, and wait until it is done", NULL},
    {"config", 0, OPTION_FLAG, NULL, "change the persistent definition", NULL},
    {0},
};

const Command command_connect = {
    .name = "connect",
    .group = "Plugging in",
    .summary = "move an interface of a domain to a network",
    .description =
        "Without --live and --config: the guest if it runs, and its definition. The interface keeps its MAC.",
    .examples = "  vnat connect VM1 lab\n  vnat connect VM1 lab --interface vnet3 --live",
    .arguments = arguments_connect,
    .options = options_connect,
    .flags = COMMAND_JSON | COMMAND_CHANGES,
    .run = run_connect,
};
