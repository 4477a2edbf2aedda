/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/world.h"

#include "actions/trace.h"
#include "base/error.h"
#include "base/resolve.h"
#include "base/text.h"
#include "checks/check.h"
#include "views/path.h"

#include <netinet/in.h>
#include <string.h>

#define WANT_WHY                                                                                             \
    (WANT_MAP | WANT_ALL_NETWORKS | WANT_ROUTES | WANT_FIREWALL | WANT_PROC | WANT_PROCESSES | WANT_SOCKETS)

#define SSH_PORT 22

/* "HOST[:PORT[/udp]]", with an IPv6 address in brackets where a port follows. */
typedef struct {
    char *host; /* NULL: none was given */
    guint16 port;
    guint8 protocol; /* 0: no port was given */
} Target;

static void target_clear(Target *target)
{
    g_free(target->host);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

/* ------------------------------------------------------------------------------------ command line */

static gboolean target_bad(const char *text, GError **error)
{
    return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is not HOST[:PORT], nor HOST:PORT/udp", text);
}

static gboolean take_port(const char *text, Target *target)
{
    char *end = NULL;
    guint64 port = g_ascii_isdigit(*text) ? g_ascii_strtoull(text, &end, 10) : 0;

    if (port == 0 || port > G_MAXUINT16)
        return FALSE;
    target->port = (guint16)port;
    target->protocol = strcmp(end, "/udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
    return *end == '\0' || strcmp(end, "/udp") == 0 || strcmp(end, "/tcp") == 0;
}

static gboolean target_parse(const char *text, Target *target, GError **error)
{
    const char *end = *text == '[' ? strchr(text, ']') : strrchr(text, ':');
    Ip ip;

    if (ip_parse(text, &ip) || (!end && *text != '[')) {
        target->host = g_strdup(text);
    } else if (*text == '[' && end) {
        target->host = g_strndup(text + 1, (gsize)(end - text - 1));
        if (!ip_parse(target->host, &ip) || (end[1] && (end[1] != ':' || !take_port(end + 2, target))))
            return target_bad(text, error);
    } else if (end) {
        target->host = g_strndup(text, (gsize)(end - text));
        if (!take_port(end + 1, target))
            return target_bad(text, error);
    }
    return (target->host && target->host[0]) || target_bad(text, error);
}

/* -------------------------------------------------------------------------------------- the other end */

/* A guest by its name: the address that it is known by. */
static gboolean peer_is_guest(const Map *map, const char *name, Ip *ip)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        const Address *address = map_row_address(row);

        if (row->has_domain && g_strcmp0(row->domain, name) == 0 && address) {
            *ip = address->ip;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean find_address(const Context *ctx, const Map *map, const Target *target, Ip *peer,
                             GError **error)
{
    if (!target->host || ip_parse(target->host, peer) || peer_is_guest(map, target->host, peer))
        return TRUE;
    if (!ctx->replay)
        return resolve_host(target->host, ctx->deadline, peer, error);
    vnat_error_set(error, VNAT_ERROR_USAGE,
                   "a captured host resolves no name: '%s' is neither an address nor a guest", target->host);
    return FALSE;
}

/* The host's own name often has an address of its loopback. */
static gboolean find_peer(const Context *ctx, const Map *map, const Target *target, Ip *peer, GError **error)
{
    char text[IP_TEXT];

    if (!find_address(ctx, map, target, peer, error))
        return FALSE;
    if (!target->host || (!ip_is_loopback(peer) && !ip_is_unspecified(peer)))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_USAGE,
                          "'%s' is %s, whoever asks: no packet to or from there is on a network",
                          target->host, ip_format(peer, text));
}

/* ------------------------------------------------------------------------------------------- answering */

static void suggest_domain(const Map *map, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    if (!error || !g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return;
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (!row->has_domain)
            continue;
        /* It is there; what was not found is its interface. */
        if (g_strcmp0(row->domain, name) == 0)
            return;
        g_ptr_array_add(names, row->domain);
    }
    g_ptr_array_add(names, NULL);
    nearest = text_suggest(name, (const char *const *)names->pdata);
    if (nearest)
        vnat_error_hint(error, "did you mean '%s'?", nearest);
    else
        vnat_error_hint(error, "'vnat map' shows the active ones");
}

/* By the facts that were read for the way; what those do not tell is no check's. */
static void blame(const World *world, const Map *map, Path *path)
{
    const CheckScope scope = {.grace = CHECK_GRACE};
    g_autoptr(Health) health = checks_examine(&scope, world->facts, map);

    path_blame(path, health->findings);
}

static void answer(const World *world, const Path *path, const Trace *trace)
{
    const Context *ctx = world->ctx;
    const JsonCollection collections[] = {{"hops", path->hops, json_of_hop}, {NULL, NULL, NULL}};

    if (ctx->json)
        json_write_members(stdout, world->facts, collections, json_of_path(path, trace));
    else
        path_write(stdout, path, ctx->quiet, &ctx->view);
    if (!ctx->json && trace)
        trace_write(stdout, trace, ctx->quiet, &ctx->view);
}

/* What no probe can be sent for. */
static gboolean may_trace(const Context *ctx, GError **error)
{
    if (!option_flag(ctx, "trace"))
        return TRUE;
    if (ctx->replay)
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "--trace sends a packet, and in a captured host nothing does");
    if (ctx->readonly)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "--trace changes something, and --readonly was given");
    if (option_flag(ctx, "inbound"))
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "--trace sends a packet as the guest does: not with --inbound");
    return TRUE;
}

/* Whether the way comes as far as this host's rules; one that ends on the bridge, or stays there, asks none.
 */
static gboolean asks_rules(const Path *path)
{
    for (guint i = 0; i < path->hops->len; i++) {
        const PathHop *hop = path->hops->pdata[i];

        if (hop->kind == PATH_ROUTE || hop->step.table)
            return !path->bridged;
    }
    return FALSE;
}

/* NULL without error: there is nothing to ask the kernel about. */
static Trace *ask_kernel(const World *world, const Path *path, GError **error)
{
    const TraceWanted wanted = {.facts = world->facts, .path = path};
    Trace *trace;

    if (!option_flag(world->ctx, "trace"))
        return NULL;
    if (!asks_rules(path)) {
        warn(world->ctx, "the packet does not come to this host's rules: there is nothing to trace");
        return NULL;
    }
    trace = trace_ask(&wanted, world->ctx->deadline, error);
    if (!trace)
        vnat_error_what(error, "the kernel could not be asked");
    if (!trace && error && g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_DENIED))
        vnat_error_hint(error, "--trace needs root");
    return trace;
}

static int verdict_code(const World *world, PacketVerdict verdict, const Trace *trace)
{
    const int code = world_code(world);

    /* Whom to believe is not known. */
    if (trace && trace->differences->len > 0)
        return EXIT_INCOMPLETE;

    switch (verdict) {
    case PACKET_ACCEPT:
        return code;
    case PACKET_DROP:
    case PACKET_REJECT:
        return EXIT_FAILED;
    case PACKET_UNKNOWN:
        return EXIT_INCOMPLETE;
    }
    return EXIT_INCOMPLETE;
}

static Path *find_path(const Context *ctx, const World *world, const Map *map, const Target *target,
                       GError **error)
{
    PathQuestion question = {
        .domain = argument(ctx, 0),
        .interface = option_value(ctx, "interface"),
        .inbound = option_flag(ctx, "inbound"),
        .protocol = target->protocol,
        .port = target->port,
    };
    Path *path;

    if (question.inbound && question.protocol == 0) {
        question.protocol = IPPROTO_TCP;
        question.port = SSH_PORT;
    }
    if (!find_peer(ctx, map, target, &question.peer, error))
        return NULL;
    path = path_find(world->facts, map, &question, error);
    if (!path)
        suggest_domain(map, question.domain, error);
    return path;
}

static int run_why(Context *ctx)
{
    g_auto(Target) target = {.host = NULL};
    g_autoptr(World) world = NULL;
    g_autoptr(Map) map = NULL;
    g_autoptr(Path) path = NULL;
    g_autoptr(Trace) trace = NULL;
    GError *error = NULL;
    int code;

    if (!may_trace(ctx, &error))
        return report(ctx, error);
    if (argument(ctx, 1) && !target_parse(argument(ctx, 1), &target, &error))
        return report(ctx, error);
    if (!(world = world_open(ctx, &code)))
        return code;
    map = world_map(world, WANT_WHY, &error);
    if (!map)
        return report(ctx, error);
    path = find_path(ctx, world, map, &target, &error);
    if (!path)
        return report(ctx, error);
    blame(world, map, path);
    trace = ask_kernel(world, path, &error);
    answer(world, path, trace);
    if (error)
        return report(ctx, error);
    return verdict_code(world, path->verdict, trace);
}

static const Argument arguments_why[] = {
    {"DOMAIN", FALSE, COMPLETE_DOMAIN}, {"HOST[:PORT]", TRUE, COMPLETE_WHO}, {0}};

static const Option options_why[] = {
    {"inbound", 0, OPTION_FLAG, NULL, "the way from HOST to the domain; default port 22", NULL},
    {"interface", 0, OPTION_VALUE, "TAP|MAC", "by this interface of the domain", NULL},
    {"trace", 0, OPTION_FLAG, NULL, "send such a packet, and compare with the kernel's own trace", NULL},
    {0},
};

const Command command_why = {
    .name = "why",
    .group = "Proof",
    .summary = "show which way a domain's packet takes through this host, and what decides about it",
    .description =
        "Hop by hop, by what is read of this host: tap, bridge, address, routes, every base chain in order\n"
        "with the rule that decides, translation, and the way of the answer; nothing is sent. Without HOST\n"
        "an echo to this host's default gateway; with a port a TCP connection (HOST:PORT/udp: UDP). HOST\n"
        "may be an address, a domain, or a name. --trace asks the kernel too: it sends such a packet from\n"
        "beside the guest, and keeps it from leaving this host. Exit code 0: it gets through, 1: it does\n"
        "not, 6: that hangs on what could not be read or evaluated, or kernel and evaluation differ. With\n"
        "--quiet the verdict alone.",
    .examples = "  vnat why VM1\n  vnat why VM1 --trace\n  vnat why VM1 203.0.113.80:443\n  vnat why VM1 "
                "VM2:22\n  vnat why VM1 --inbound\n"
                "  vnat why VM1 --json | jq -r '.hops[] | select(.verdict != \"pass\") | .detail'",
    .arguments = arguments_why,
    .options = options_why,
    .flags = COMMAND_JSON,
    .run = run_why,
};
