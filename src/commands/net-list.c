/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "sources/libvirt.h"
#include "views/columns.h"
#include "views/screen.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------- net-list */

/* Two opposite filters: neither or both given, as with virsh, keep everything. */
static gboolean pair_keeps(const Context *ctx, const char *with, const char *without, gboolean is)
{
    gboolean wanted = option_flag(ctx, with);
    gboolean unwanted = option_flag(ctx, without);

    return wanted == unwanted || wanted == is;
}

static gboolean list_keeps(const Context *ctx, const Network *network)
{
    /* --all wins over --inactive, as with virsh */
    if (!option_flag(ctx, "all") && network->active == option_flag(ctx, "inactive"))
        return FALSE;
    return pair_keeps(ctx, "autostart", "no-autostart", network->autostart) &&
           pair_keeps(ctx, "persistent", "transient", network->persistent);
}

/* As virsh sorts: by name, without regard to case. */
static gint compare_names(gconstpointer a, gconstpointer b)
{
    const char *left = (*(NetworkRow *const *)a)->network->name;
    const char *right = (*(NetworkRow *const *)b)->network->name;
    gint order = g_ascii_strcasecmp(left, right);

    return order ? order : strcmp(left, right);
}

static void drop_networks(const Context *ctx, Facts *facts)
{
    for (guint i = facts->networks->len; i-- > 0;) {
        if (!list_keeps(ctx, facts->networks->pdata[i]))
            g_ptr_array_remove_index(facts->networks, i);
    }
}

/* --name and --uuid: one a line and nothing else, for loops of a shell. */
static void print_plain(const Context *ctx, const GPtrArray *rows)
{
    for (guint i = 0; i < rows->len; i++) {
        const Network *network = ((const NetworkRow *)rows->pdata[i])->network;

        print_text(ctx, option_flag(ctx, "name") ? network->name : network->uuid);
    }
    puts("");
}

/* JSON has every field; the table reads no more than its columns show. */
static Wants list_wants(const Context *ctx)
{
    if (ctx->json)
        return WANT_LEASES | WANT_LINKS | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL;
    if (option_flag(ctx, "name") || option_flag(ctx, "uuid"))
        return 0;
    return WANT_LEASES | WANT_LINKS;
}

static int run_net_list(Context *ctx)
{
    gboolean all = option_flag(ctx, "all") || option_flag(ctx, "inactive");
    g_autoptr(World) world = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    GError *error = NULL;
    int code;

    if (option_flag(ctx, "name") && option_flag(ctx, "uuid")) {
        vnat_error_set(&error, VNAT_ERROR_USAGE, "--name and --uuid exclude each other");
        return report(ctx, error);
    }
    if (!(world = world_open(ctx, &code)))
        return code;
    if (!world_read(world, (all ? WANT_ALL_NETWORKS : WANT_NETWORKS) | list_wants(ctx), &error))
        return report(ctx, error);
    drop_networks(ctx, world->facts);
    rows = network_rows(world->facts);
    g_ptr_array_sort(rows, compare_names);
    if (ctx->json) {
        const JsonCollection collections[] = {{"networks", rows, json_of_network}, {0}};

        return write_json(world, collections);
    }
    if (option_flag(ctx, "name") || option_flag(ctx, "uuid"))
        print_plain(ctx, rows);
    else
        write_table(ctx, rows);
    return world_code(world);
}

static const Option options_net_list[] = {
    {"all", 0, OPTION_FLAG, NULL, "inactive networks too", NULL},
    {"inactive", 0, OPTION_FLAG, NULL, "inactive networks only", NULL},
    {"name", 0, OPTION_FLAG, NULL, "names only", NULL},
    {"uuid", 0, OPTION_FLAG, NULL, "UUIDs only", NULL},
    {"autostart", 0, OPTION_FLAG, NULL, "networks that start with the host", NULL},
    {"no-autostart", 0, OPTION_FLAG, NULL, "networks that do not", NULL},
    {"persistent", 0, OPTION_FLAG, NULL, "networks that have a definition", NULL},
    {"transient", 0, OPTION_FLAG, NULL, "networks that have none", NULL},
    {0},
};

const Command command_net_list = {
    .name = "net-list",
    .group = "Networks",
    .summary = "list networks, as virsh does, with bridge, subnet, ports and leases",
    .description = "Those that are active, unless --all or --inactive says otherwise.",
    .examples = "  vnat net-list --all\n  vnat net-list --json | jq -r '.networks[].bridge'\n"
                "  for n in $(vnat net-list --name); do vnat net-info \"$n\"; done",
    .options = options_net_list,
    .flags = COMMAND_JSON,
    .columns = &network_columns,
    .standard = COLUMNS_NET_LIST,
    .run = run_net_list,
};

/* --------------------------------------------------------------------------------- net-dhcp-leases */

typedef struct {
    const char *network_uuid;
    gboolean has_mac;
    Mac mac;
} LeaseFilter;

static GPtrArray *leases_where(const Map *map, const LeaseFilter *filter)
{
    GPtrArray *leases = g_ptr_array_new();

    for (guint i = 0; i < map->leases->len; i++) {
        const MapLease *record = map->leases->pdata[i];

        if (g_strcmp0(record->lease->network_uuid, filter->network_uuid) != 0)
            continue;
        if (!filter->has_mac || (record->lease->has_mac && mac_equal(&record->lease->mac, &filter->mac)))
            g_ptr_array_add(leases, (gpointer)record);
    }
    return leases;
}

static int run_net_dhcp_leases(Context *ctx)
{
    const char *mac = argument(ctx, 1);
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) leases = NULL;
    LeaseFilter filter = {.has_mac = mac != NULL};
    const Network *network;
    GError *error = NULL;
    int code;

    if (mac && !mac_parse(mac, &filter.mac)) {
        vnat_error_set(&error, VNAT_ERROR_USAGE, "'%s' is no MAC address", mac);
        return report(ctx, error);
    }
    if (!(world = world_open(ctx, &code)))
        return code;
    network = world_read_network(world, argument(ctx, 0), FALSE, WANT_ALL_DOMAINS | WANT_LEASES, &error);
    if (!network)
        return report(ctx, error);
    map = map_join(world->facts);
    filter.network_uuid = network->uuid;
    leases = leases_where(map, &filter);
    if (ctx->json) {
        const JsonCollection collections[] = {{"leases", leases, json_of_lease}, {0}};

        return write_json(world, collections);
    }
    write_table(ctx, leases);
    return world_code(world);
}

static const Argument arguments_leases[] = {{"NETWORK", FALSE, COMPLETE_NETWORK}, {"MAC", TRUE, NULL}, {0}};

static const Option options_leases[] = {
    {"mac", 0, OPTION_VALUE, "MAC", "leases of this MAC only", NULL},
    {0},
};

const Command command_net_dhcp_leases = {
    .name = "net-dhcp-leases",
    .group = "Networks",
    .summary = "list a network's DHCP leases, as virsh does, with domain and tap",
    .description =
        "A lease is a guest's claim. It is attributed to a domain only if the domain's XML has its MAC\n"
        "on this network and its address lies inside the network.",
    .examples = "  vnat net-dhcp-leases default\n  vnat net-dhcp-leases default 52:54:00:a1:b2:c3",
    .arguments = arguments_leases,
    .options = options_leases,
    .flags = COMMAND_JSON,
    .columns = &lease_columns,
    .standard = COLUMNS_LEASES,
    .run = run_net_dhcp_leases,
};

/* ------------------------------------------------------------------------------------- net-dumpxml */

static int run_net_dumpxml(Context *ctx)
{
    g_autoptr(World) world = NULL;
    g_autofree char *xml = NULL;
    g_autofree char *shown = NULL;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    if (!world_read_network(world, argument(ctx, 0), FALSE, 0, &error))
        return report(ctx, error);
    xml = world->reader->ops->network_xml(world->reader, argument(ctx, 0), option_flag(ctx, "inactive"),
                                          ctx->deadline, &error);
    if (!xml) {
        vnat_error_what(&error, "failed to get the XML of network '%s'", argument(ctx, 0));
        return report(ctx, error);
    }
    shown = text_xml(xml);
    puts(shown);
    return EXIT_OK;
}

static const Argument arguments_network[] = {{"NETWORK", FALSE, COMPLETE_NETWORK}, {0}};

static const Option options_net_dumpxml[] = {
    {"inactive", 0, OPTION_FLAG, NULL, "the persistent definition", NULL},
    {0},
};

const Command command_net_dumpxml = {
    .name = "net-dumpxml",
    .group = "Networks",
    .summary = "print a network's XML",
    .examples = "  vnat net-dumpxml default\n  vnat net-dumpxml --inactive default",
    .arguments = arguments_network,
    .options = options_net_dumpxml,
    .run = run_net_dumpxml,
};

/* ---------------------------------------------------------------------------------------- net-info */

static int run_net_info(Context *ctx)
{
    g_autoptr(World) world = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    if (!world_read_network(world, argument(ctx, 0), FALSE,
                            WANT_LEASES | WANT_LINKS | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL, &error))
        return report(ctx, error);
    rows = network_rows(world->facts);
    if (ctx->json) {
        const JsonCollection collections[] = {{"networks", rows, json_of_network}, {0}};

        return write_json(world, collections);
    }
    screen_net_info(stdout, rows->pdata[0], &ctx->view);
    return world_code(world);
}

const Command command_net_info = {
    .name = "net-info",
    .group = "Networks",
    .summary = "show one network, as virsh does, with its parts and where it came from",
    .description =
        "Its addresses and DHCP ranges, the ports of its bridge, its dnsmasq, its NAT rules and the\n"
        "template it was defined from. NETWORK is a name or a UUID, here and elsewhere.",
    .examples = "  vnat net-info default\n  vnat net-info default --json | jq '.networks[0].dnsmasq'",
    .arguments = arguments_network,
    .flags = COMMAND_JSON,
    .run = run_net_info,
};
