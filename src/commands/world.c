/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "checks/check.h"
#include "commands/globals.h"
#include "sources/capture.h"

#include <string.h>

#define USEC_PER_MSEC 1000.0

static void debug_time(const World *world, const char *what, gint64 begun)
{
    if (world->ctx->debug > 0)
        g_printerr("debug: %s: %.1f ms\n", what, (double)(g_get_monotonic_time() - begun) / USEC_PER_MSEC);
}

static World *world_new(Context *ctx)
{
    World *world = g_new0(World, 1);

    world->ctx = ctx;
    world->facts = facts_new();
    world->facts->host = g_strdup(g_get_host_name());
    world->facts->now = g_get_real_time() / G_USEC_PER_SEC;
    return world;
}

static gboolean world_connect(World *world, Deadline deadline, GError **error)
{
    Context *ctx = world->ctx;
    const char *uri = globals_uri(ctx);

    world->conn = virt_open(uri, ctx->readonly, deadline, error);
    if (!world->conn) {
        world->facts->uri = g_strdup(uri);
        world->facts->local = virt_uri_is_local(uri);
        return FALSE;
    }
    world->reader = reader_live(world->conn);
    world->facts->uri = g_strdup(virt_conn_uri(world->conn));
    world->facts->local = virt_conn_local(world->conn);
    ctx->downgraded = (ctx->command->flags & COMMAND_CHANGES) && virt_conn_readonly(world->conn);
    return TRUE;
}

/* The capture's host, connection and moment. */
static gboolean world_replay(World *world, GError **error)
{
    Capture *capture = capture_read(world->ctx->replay, error);
    Facts *facts = world->facts;

    if (!capture)
        return FALSE;
    world->reader = reader_replay(capture);
    world->capture = capture;
    g_free(facts->host);
    facts->host = g_strdup(capture->facts->host);
    facts->uri = g_strdup(capture->facts->uri);
    facts->now = capture->facts->now;
    facts->local = capture->facts->local;
    return TRUE;
}

/* A replayed host that libvirt did not answer on does not now. */
static gboolean world_begin(World *world, Deadline deadline, GError **error)
{
    const GError *failed;

    if (!world->ctx->replay)
        return world_connect(world, deadline, error);
    if (!world_replay(world, error))
        return FALSE;
    failed = world->capture->failed[CAPTURE_CONNECTION];
    if (failed)
        g_propagate_error(error, g_error_copy(failed));
    return !failed;
}

World *world_open_again(Context *ctx, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    World *world = world_new(ctx);

    if (!world_begin(world, ctx->deadline, error)) {
        world_free(world);
        return NULL;
    }
    ctx->view.now = world->facts->now;
    debug_time(world, "connection", begun);
    return world;
}

World *world_open(Context *ctx, int *code)
{
    GError *error = NULL;
    World *world;

    if (ctx->readonly && (ctx->command->flags & COMMAND_CHANGES)) {
        vnat_error_set(&error, VNAT_ERROR_USAGE, "%s changes something, and --readonly was given",
                       ctx->command->name);
        *code = report(ctx, error);
        return NULL;
    }
    world = world_open_again(ctx, &error);
    if (!world)
        *code = report(ctx, error);
    return world;
}

/* Kept for the kernel's part, so that it is read when libvirt hangs: so many seconds are plenty on a busy
 * host, and of a short time a share. */
#define KERNEL_SECONDS 2
#define KERNEL_SHARE 0.4

static Deadline libvirt_deadline(const Context *ctx)
{
    return deadline_keeping(ctx->deadline, KERNEL_SECONDS, KERNEL_SHARE);
}

World *world_open_partly(Context *ctx, GError **failed, GError **error)
{
    World *world = world_new(ctx);
    GError *local = NULL;

    if (!world_begin(world, libvirt_deadline(ctx), &local)) {
        if (ctx->replay && !world->reader) {
            g_propagate_error(error, local);
            world_free(world);
            return NULL;
        }
        g_propagate_error(failed, local);
        if (!world->reader)
            world->reader = reader_live(NULL);
    }
    ctx->view.now = world->facts->now;
    return world;
}

void world_free(World *world)
{
    if (!world)
        return;
    facts_free(world->facts);
    reader_free(world->reader);
    virt_close(world->conn);
    g_free(world);
}

/* ----------------------------------------------------------------------------------------- reading */

/* Whether the connection's host is this one; where it is not, its kernel cannot be read from here. */
static gboolean kernel_readable(World *world, guint sources)
{
    if (world->facts->local)
        return TRUE;
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        if (sources & (1U << id))
            source_status_set(&world->facts->sources[id], SOURCE_ABSENT, "the host is another one");
    }
    return FALSE;
}

static void read_links(World *world, Wants wants)
{
    LinksWanted links = 0;
    gint64 begun = g_get_monotonic_time();
    guint sources = 1U << SOURCE_LINKS;

    if (wants & WANT_LINKS)
        links |= LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB;
    if (wants & WANT_ROUTES)
        links |= LINKS_LINKS | LINKS_ROUTES | LINKS_RULES;
    if (wants & WANT_NEIGHBOURS) {
        links |= LINKS_LINKS | LINKS_NEIGHBOURS;
        sources |= 1U << SOURCE_NEIGHBOURS;
    }
    if (links && kernel_readable(world, sources)) {
        world->reader->ops->links(world->reader, world->facts, links, world->ctx->deadline);
        debug_time(world, "links", begun);
    }
}

static void read_processes(World *world, Wants wants)
{
    gint64 begun = g_get_monotonic_time();

    if ((wants & (WANT_PROCESSES | WANT_SOCKETS)) && kernel_readable(world, 1U << SOURCE_PROCESSES)) {
        world->reader->ops->processes(world->reader, world->facts, (wants & WANT_SOCKETS) != 0,
                                      world->ctx->deadline);
        debug_time(world, "processes", begun);
    }
}

static void read_firewall(World *world, Wants wants)
{
    gint64 begun = g_get_monotonic_time();

    if ((wants & WANT_FIREWALL) && kernel_readable(world, 1U << SOURCE_FIREWALL)) {
        world->reader->ops->firewall(world->reader, world->facts, world->ctx->deadline);
        debug_time(world, "firewall", begun);
    }
}

static void read_proc(World *world, Wants wants)
{
    if ((wants & WANT_PROC) && world->facts->local)
        world->reader->ops->proc(world->reader, world->facts);
}

static void read_firewalld(World *world, Wants wants)
{
    gint64 begun = g_get_monotonic_time();

    if ((wants & WANT_FIREWALLD) && kernel_readable(world, 1U << SOURCE_FIREWALLD)) {
        world->reader->ops->firewalld(world->reader, world->facts, world->ctx->deadline);
        debug_time(world, "firewalld", begun);
    }
}

static void read_conntrack(World *world, Wants wants)
{
    gint64 begun = g_get_monotonic_time();

    if ((wants & WANT_CONNTRACK) && kernel_readable(world, 1U << SOURCE_CONNTRACK)) {
        world->reader->ops->conntrack(world->reader, world->facts, world->ctx->deadline);
        debug_time(world, "connections", begun);
    }
}

static void read_guests(World *world, Wants wants)
{
    if ((wants & WANT_GUESTS) && world->facts->local)
        world->reader->ops->guests(world->reader, world->facts);
}

static void read_agents(World *world, Wants wants)
{
    if (wants & (WANT_AGENT | WANT_AGENT_REQUIRED))
        world->reader->ops->agents(world->reader, world->facts, (wants & WANT_AGENT_REQUIRED) != 0,
                                   world->ctx->deadline);
}

/* FALSE where the command cannot go on: the connection died. What cannot be read of a file is the source's
 * failure, which its state tells. */
static gboolean read_leases(World *world, Wants wants, Deadline deadline, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    g_autoptr(GError) local = NULL;

    if (!(wants & WANT_LEASES))
        return TRUE;
    if (!world->reader->ops->leases(world->reader, world->facts, deadline, &local) &&
        (g_error_matches(local, VNAT_ERROR, VNAT_ERROR_DEADLINE) ||
         g_error_matches(local, VNAT_ERROR, VNAT_ERROR_UNREACHABLE))) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    debug_time(world, "leases", begun);
    return TRUE;
}

static void read_kernel(World *world, Wants wants)
{
    read_links(world, wants);
    read_processes(world, wants);
    read_guests(world, wants);
    read_firewall(world, wants);
    read_proc(world, wants);
    read_firewalld(world, wants);
    read_conntrack(world, wants);
}

/* Libvirt first: a tap that its XML names exists by then, so links read later know it. */
static gboolean read_beside(World *world, Wants wants, GError **error)
{
    if (!read_leases(world, wants, world->ctx->deadline, error))
        return FALSE;
    read_agents(world, wants);
    read_kernel(world, wants);
    return TRUE;
}

/* A driver without domains (network:///system) is asked about its networks all the same. That it knows no
 * domain does not mean that the host has none: domains_complete stays FALSE, and no port is called unclaimed.
 */
static gboolean read_domains(World *world, Wants wants, Deadline deadline, GError **error)
{
    GError *local = NULL;

    if (!(wants & (WANT_DOMAINS | WANT_ALL_DOMAINS)) ||
        world->reader->ops->domains(world->reader, world->facts, (wants & WANT_ALL_DOMAINS) != 0, deadline,
                                    &local))
        return TRUE;
    if (g_error_matches(local, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED) && world->facts->networks->len > 0) {
        g_clear_error(&local);
        source_status_set(&world->facts->sources[SOURCE_LIBVIRT],
                          world->capture ? SOURCE_REPLAYED : SOURCE_LIVE, NULL);
        return TRUE;
    }
    g_propagate_error(error, local);
    return FALSE;
}

static gboolean read_networks(World *world, Wants wants, Deadline deadline, GError **error)
{
    if (!(wants & (WANT_NETWORKS | WANT_ALL_NETWORKS)))
        return TRUE;
    return world->reader->ops->networks(
        world->reader, world->facts,
        wants & WANT_ALL_NETWORKS ? LIBVIRT_NETWORKS_ALL : LIBVIRT_NETWORKS_ACTIVE, deadline, error);
}

gboolean world_read(World *world, Wants wants, GError **error)
{
    Deadline deadline = world->ctx->deadline;
    gint64 begun = g_get_monotonic_time();

    if (!read_networks(world, wants, deadline, error)) {
        /* A driver without networks has none; its domains are still worth showing. */
        if (!error || !g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED) || !(wants & WANT_DOMAINS))
            return FALSE;
        g_clear_error(error);
    }
    debug_time(world, "networks", begun);
    begun = g_get_monotonic_time();
    if (!read_domains(world, wants, deadline, error))
        return FALSE;
    debug_time(world, "domains", begun);
    return read_beside(world, wants, error);
}

#define WANT_EVERYTHING                                                                                      \
    (WANT_ALL_NETWORKS | WANT_ALL_DOMAINS | WANT_LEASES | WANT_LINKS | WANT_ROUTES | WANT_NEIGHBOURS |       \
     WANT_AGENT_REQUIRED | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL | WANT_PROC | WANT_FIREWALLD |      \
     WANT_GUESTS | WANT_CONNTRACK)

static void source_failed(Facts *facts, SourceId id, const GError *failed)
{
    source_status_set(&facts->sources[id], SOURCE_DOWN, failed->message);
}

void world_read_partly(World *world, Wants wants, GError *failed[CAPTURE_PARTS])
{
    Deadline deadline = libvirt_deadline(world->ctx);

    if (failed[CAPTURE_CONNECTION]) {
        source_failed(world->facts, SOURCE_LIBVIRT, failed[CAPTURE_CONNECTION]);
        source_failed(world->facts, SOURCE_LEASES, failed[CAPTURE_CONNECTION]);
    } else {
        for (guint part = CAPTURE_NETWORKS; part < CAPTURE_PARTS; part++)
            g_clear_error(&failed[part]);
        read_networks(world, wants, deadline, &failed[CAPTURE_NETWORKS]);
        read_domains(world, wants, deadline, &failed[CAPTURE_DOMAINS]);
        read_leases(world, wants, deadline, &failed[CAPTURE_LEASES]);
        read_agents(world, wants);
    }
    read_kernel(world, wants);
}

void world_read_all(World *world, Capture *capture)
{
    world->facts->keep = TRUE;
    world_read_partly(world, WANT_EVERYTHING, capture->failed);
}

/* ----------------------------------------------------------------------------------- one of a kind */

static void suggest(World *world, const char *which, gboolean domains, GError **error)
{
    g_auto(GStrv) names = NULL;
    const char *close;

    if (!error || !g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return;
    names = domains ? world->reader->ops->domain_names(world->reader, world->ctx->deadline, NULL)
                    : world->reader->ops->network_names(world->reader, world->ctx->deadline, NULL);
    close = names ? text_suggest(which, (const char *const *)names) : NULL;
    if (close)
        vnat_error_hint(error, "did you mean '%s'?", close);
    else
        vnat_error_hint(error, domains ? "'vnat map' shows the active ones, 'virsh list --all' all of them"
                                       : "'vnat net-list --all' shows them all");
}

static gboolean read_networks_of(World *world, const Domain *domain, GError **error)
{
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];

        /* Which network owns a bridge can only be told from all of them. */
        if (!iface->network && iface->bridge)
            return world->reader->ops->networks(world->reader, world->facts, LIBVIRT_NETWORKS_ACTIVE,
                                                world->ctx->deadline, error);
    }
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        GError *local = NULL;

        if (!iface->network || facts_network(world->facts, iface->network))
            continue;
        if (!world->reader->ops->network(world->reader, world->facts, iface->network, FALSE,
                                         world->ctx->deadline, &local)) {
            /* A network that was undefined under its guests is missing, which the row shows. */
            if (!g_error_matches(local, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
                g_propagate_error(error, local);
                return FALSE;
            }
            g_clear_error(&local);
        }
    }
    return TRUE;
}

Domain *world_read_domain(World *world, const char *which, gboolean inactive, Wants wants, GError **error)
{
    Domain *domain =
        world->reader->ops->domain(world->reader, world->facts, which, inactive, world->ctx->deadline, error);

    if (!domain) {
        suggest(world, which, TRUE, error);
        return NULL;
    }
    if (!read_networks_of(world, domain, error) || !read_beside(world, wants, error))
        return NULL;
    return domain;
}

Network *world_read_network(World *world, const char *which, gboolean inactive, Wants wants, GError **error)
{
    Network *network = world->reader->ops->network(world->reader, world->facts, which, inactive,
                                                   world->ctx->deadline, error);

    if (!network) {
        suggest(world, which, FALSE, error);
        return NULL;
    }
    if (!read_domains(world, wants, world->ctx->deadline, error))
        return NULL;
    return read_beside(world, wants, error) ? network : NULL;
}

/* --------------------------------------------------------------------------------------------- map */

/* A tap that is not there, or one that nobody claims: may be a guest that came or went while we read. */
static gboolean is_suspicious(const GPtrArray *findings)
{
    static const char *const transient[] = {"tap-missing", "tap-unclaimed", "tap-orphaned", NULL};

    for (guint i = 0; i < findings->len; i++) {
        if (g_strv_contains(transient, ((const Finding *)findings->pdata[i])->id))
            return TRUE;
    }
    return FALSE;
}

#define WANT_TAPS                                                                                            \
    (WANT_NETWORKS | WANT_ALL_NETWORKS | WANT_DOMAINS | WANT_ALL_DOMAINS | WANT_AGENT | WANT_LINKS)

Map *world_map(World *world, Wants wants, GError **error)
{
    for (guint attempt = 0;; attempt++) {
        g_autoptr(Map) map = NULL;
        g_autoptr(GPtrArray) findings = NULL;

        /* What can have changed under us is libvirt's word and the kernel's (agents' answers go with the
         * domains). */
        if (!world_read(world, attempt == 0 ? wants : wants & WANT_TAPS, error))
            return NULL;
        map = map_join(world->facts);
        findings = checks_run(world->facts, map, 1U << OBJECT_INTERFACE);
        if (attempt > 0 || !is_suspicious(findings)) {
            map_attach(map, findings);
            return g_steal_pointer(&map);
        }
    }
}

/* ignored: bits of sources. */
static int code_of(const World *world, guint ignored)
{
    int code = EXIT_OK;

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const SourceStatus *status = &world->facts->sources[id];

        if ((ignored & (1U << id)) || (status->state != SOURCE_STALE && status->state != SOURCE_DOWN))
            continue;
        warn(world->ctx, "%s: %s: %s", source_name(id), source_state_name(status->state),
             status->error ? status->error : "could not be read");
        code = EXIT_INCOMPLETE;
    }
    return code;
}

int world_code(const World *world)
{
    return code_of(world, 0);
}

int world_capture_code(const World *world)
{
    return code_of(world, 1U << SOURCE_AGENT);
}
