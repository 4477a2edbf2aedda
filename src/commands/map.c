/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "views/columns.h"

/* --------------------------------------------------------------------------------------------- map */

static int run_map(Context *ctx)
{
    g_autofree char *name = NULL;
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    const Network *network;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    /* Looked up first, so that a wrong name is told at once; the map is read whole, for claims across
     * networks. */
    if (argument(ctx, 0)) {
        network = world_read_network(world, argument(ctx, 0), FALSE, 0, &error);
        if (!network)
            return report(ctx, error);
        name = g_strdup(network->name);
    }
    map = world_map(world, WANT_MAP, &error);
    if (!map)
        return report(ctx, error);
    rows = map_rows_on(map, name);
    return write_interfaces(ctx, world, rows);
}

static const Argument arguments_map[] = {{"NETWORK", TRUE, COMPLETE_NETWORK}, {0}};

const Command command_map = {
    .name = "map",
    .group = "Who is behind what",
    .summary = "show every interface of every active domain: tap, MAC, bridge, address, name",
    .description =
        "Also shows ports of libvirt's bridges that no domain claims. Addresses come from leases,\n"
        "guest agents and the kernel's neighbour table; 'problems' names the checks that fail.",
    .examples = "  vnat map\n  vnat map default\n  vnat map -o domain,tap,ip -n\n"
                "  vnat map --json | jq -r '.interfaces[] | select(.problems != []) | .tap'",
    .arguments = arguments_map,
    .flags = COMMAND_JSON,
    .columns = &interface_columns,
    .standard = COLUMNS_MAP,
    .run = run_map,
};

/* --------------------------------------------------------------------------------------------- who */

/* An address can be leased to a MAC that no domain has: a container's, or a guest's of yesterday. */
static void hint_at_lease(Context *ctx, const Map *map, const char *text)
{
    Ip ip;
    Mac mac;
    gboolean is_mac = mac_parse(text, &mac);

    ip_parse(text, &ip);
    for (guint i = 0; i < map->leases->len; i++) {
        const Lease *lease = ((const MapLease *)map->leases->pdata[i])->lease;

        if (ip_equal(&lease->ip, &ip) || (is_mac && lease->has_mac && mac_equal(&lease->mac, &mac)) ||
            g_strcmp0(lease->hostname, text) == 0) {
            g_autofree char *network = text_shell(lease->network);

            hint(ctx, "vnat net-dhcp-leases %s (there is a lease, but no active domain has its MAC)",
                 network);
            return;
        }
    }
    hint(ctx, "'vnat map' shows everybody");
}

static int run_who(Context *ctx)
{
    const char *text = argument(ctx, 0);
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    map = world_map(world, WANT_MAP, &error);
    if (!map)
        return report(ctx, error);
    rows = map_rows_matching(map, text);
    if (rows->len > 0)
        return write_interfaces(ctx, world, rows);
    code = ctx->json ? write_interfaces(ctx, world, rows) : world_code(world);
    warn(ctx, "nobody is known by '%s'", text);
    hint_at_lease(ctx, map, text);
    /* Where a source was missing, "nobody" is not known either. */
    return code == EXIT_INCOMPLETE ? code : EXIT_FAILED;
}

static const Argument arguments_who[] = {{"TAP|MAC|ADDRESS|HOSTNAME|DOMAIN|UUID", FALSE, COMPLETE_WHO}, {0}};

const Command command_who = {
    .name = "who",
    .group = "Who is behind what",
    .summary = "show who is behind a tap, MAC, address, hostname, domain or UUID",
    .description = "Exit code 1 if nobody is.",
    .examples = "  vnat who vnet7\n  vnat who 52:54:00:a1:b2:c3\n  vnat who 192.168.122.6",
    .arguments = arguments_who,
    .flags = COMMAND_JSON,
    .columns = &interface_columns,
    .standard = COLUMNS_MAP,
    .run = run_who,
};

/* --------------------------------------------------------------------------------------- domiflist */

static int run_domiflist(Context *ctx)
{
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    map = world_domain_map(world, argument(ctx, 0), option_flag(ctx, "inactive"),
                           WANT_LEASES | WANT_LINKS | WANT_NEIGHBOURS | WANT_AGENT, &error);
    if (!map)
        return report(ctx, error);
    return write_interfaces(ctx, world, map->rows);
}

static const Argument arguments_domain[] = {{"DOMAIN", FALSE, COMPLETE_DOMAIN}, {0}};

static const Option options_domiflist[] = {
    {"inactive", 0, OPTION_FLAG, NULL, "the interfaces of the persistent definition", NULL},
    {0},
};

const Command command_domiflist = {
    .name = "domiflist",
    .group = "Who is behind what",
    .summary = "list a domain's interfaces, as virsh does, with bridge, address and lease",
    .examples = "  vnat domiflist VM1\n  vnat domiflist VM1 --json | jq '.interfaces[0].addresses'\n"
                "  vnat domiflist VM1 | awk 'NR>2 && NF {print $1, $5}'",
    .arguments = arguments_domain,
    .options = options_domiflist,
    .flags = COMMAND_JSON,
    .columns = &interface_columns,
    .standard = COLUMNS_DOMIFLIST,
    .run = run_domiflist,
};

/* --------------------------------------------------------------------------------------- domifaddr */

typedef enum { ASK_LEASE, ASK_AGENT, ASK_NEIGHBOUR, ASK_ALL } Ask;

static gboolean parse_ask(const char *text, Ask *ask, GError **error)
{
    static const struct {
        const char *name;
        Ask ask;
    } names[] = {{"lease", ASK_LEASE},
                 {"agent", ASK_AGENT},
                 {"arp", ASK_NEIGHBOUR},
                 {"neighbour", ASK_NEIGHBOUR},
                 {"all", ASK_ALL}};

    *ask = ASK_LEASE;
    for (guint i = 0; text && i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(names[i].name, text) == 0) {
            *ask = names[i].ask;
            return TRUE;
        }
    }
    if (text)
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "--source takes lease, agent, neighbour, arp or all, not '%s'", text);
    return TRUE;
}

static Wants ask_wants(Ask ask)
{
    switch (ask) {
    case ASK_LEASE:
        return WANT_LEASES;
    case ASK_AGENT:
        return WANT_AGENT_REQUIRED;
    case ASK_NEIGHBOUR:
        return WANT_LINKS | WANT_NEIGHBOURS;
    case ASK_ALL:
        return WANT_LEASES | WANT_AGENT | WANT_LINKS | WANT_NEIGHBOURS;
    }
    return 0;
}

static void add_address_records(const MapRow *row, gboolean full, GPtrArray *records)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        AddressRecord *record = g_new0(AddressRecord, 1);

        record->row = row;
        record->address = row->addresses->pdata[i];
        record->repeated = i > 0 && !full;
        g_ptr_array_add(records, record);
    }
}

/* As virsh: a domain that does not run has no address, whatever a lease from its last run says. */
static gboolean is_running(const World *world, GError **error)
{
    const Domain *domain = world->facts->domains->pdata[0];

    if (domain->id >= 0)
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_FAILED, "domain '%s' is not running", domain->name);
}

static int run_domifaddr(Context *ctx)
{
    const char *only = argument(ctx, 1);
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;
    Ask ask;
    int code;

    if (!parse_ask(option_value(ctx, "source"), &ask, &error))
        return report(ctx, error);
    if (!(world = world_open(ctx, &code)))
        return code;
    /* JSON has the whole row of the map, the tap's link with it. */
    map = world_domain_map(world, argument(ctx, 0), FALSE, ask_wants(ask) | (ctx->json ? WANT_LINKS : 0),
                           &error);
    if (!map || !is_running(world, &error))
        return report(ctx, error);
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (only && g_strcmp0(row->tap, only) != 0)
            continue;
        g_ptr_array_add(rows, (gpointer)row);
        add_address_records(row, option_flag(ctx, "full"), records);
    }
    if (ctx->json)
        return write_interfaces(ctx, world, rows);
    write_table(ctx, records);
    return world_code(world);
}

static const Argument arguments_domifaddr[] = {
    {"DOMAIN", FALSE, COMPLETE_DOMAIN}, {"INTERFACE", TRUE, NULL}, {0}};

static const Option options_domifaddr[] = {
    {"source", 0, OPTION_VALUE, "SOURCE", "lease (default), agent, neighbour (or arp), all",
     "lease|agent|neighbour|arp|all"},
    {"interface", 0, OPTION_VALUE, "TAP", "this interface only", NULL},
    {"full", 0, OPTION_FLAG, NULL, "repeat name and MAC on every line", NULL},
    {0},
};

const Command command_domifaddr = {
    .name = "domifaddr",
    .group = "Who is behind what",
    .summary = "list the addresses of a domain's interfaces, as virsh does, with their source",
    .examples = "  vnat domifaddr VM1\n  vnat domifaddr VM1 --source all",
    .arguments = arguments_domifaddr,
    .options = options_domifaddr,
    .flags = COMMAND_JSON,
    .columns = &address_columns,
    .standard = COLUMNS_DOMIFADDR,
    .run = run_domifaddr,
};

/* ---------------------------------------------------------------------------------------------- ip */

static int run_ip(Context *ctx)
{
    g_autofree char *quoted = text_shell(argument(ctx, 0));
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();
    GError *error = NULL;
    int code;

    if (!(world = world_open(ctx, &code)))
        return code;
    map = world_domain_map(world, argument(ctx, 0), FALSE,
                           WANT_LEASES | WANT_LINKS | WANT_NEIGHBOURS | WANT_AGENT, &error);
    if (!map || !is_running(world, &error))
        return report(ctx, error);
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        for (guint j = 0; j < row->addresses->len; j++) {
            if (!ip_is_link_local(&((const Address *)row->addresses->pdata[j])->ip))
                g_ptr_array_add(addresses, row->addresses->pdata[j]);
        }
    }
    /* One list over all interfaces: the order of evidence holds for the domain as a whole. */
    g_ptr_array_sort(addresses, address_compare_evidence);
    for (guint i = 0; i < addresses->len; i++) {
        char buffer[IP_TEXT];

        puts(ip_format(&((const Address *)addresses->pdata[i])->ip, buffer));
    }
    code = world_code(world);
    if (addresses->len > 0)
        return code;
    warn(ctx, "no address of domain '%s' is known", argument(ctx, 0));
    hint(ctx, "vnat domiflist %s", quoted);
    return code == EXIT_INCOMPLETE ? code : EXIT_FAILED;
}

const Command command_ip = {
    .name = "ip",
    .group = "Who is behind what",
    .summary = "print a domain's addresses, best first, and nothing else",
    .description = "Never prints link-local addresses. Exit code 1 if no address is known.",
    .examples = "  ssh root@$(vnat ip VM1 | head -1)",
    .arguments = arguments_domain,
    .run = run_ip,
};
