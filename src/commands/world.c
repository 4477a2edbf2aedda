/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "checks/check.h"
#include "commands/globals.h"
#include "sources/firewall.h"
#include "sources/libvirt.h"
#include "sources/links.h"
#include "sources/processes.h"

#include <string.h>

#define USEC_PER_MSEC 1000.0

static void debug_time(const World *world, const char *what, gint64 begun)
{
    if (world->ctx->debug > 0)
        g_printerr("debug: %s: %.1f ms\n", what, (double)(g_get_monotonic_time() - begun) / USEC_PER_MSEC);
}

World *world_open(Context *ctx, int *code)
{
    gboolean readonly = ctx->readonly && !(ctx->command->flags & COMMAND_CHANGES);
    const char *uri = globals_uri(ctx);
    gint64 begun = g_get_monotonic_time();
    World *world;
    GError *error = NULL;
    VirtConn *conn;

    if (ctx->readonly && (ctx->command->flags & COMMAND_CHANGES)) {
        vnat_error_set(&error, VNAT_ERROR_USAGE, "%s changes something, and --readonly was given",
                       ctx->command->name);
        *code = report(ctx, error);
        return NULL;
    }
    conn = virt_open(uri, readonly, ctx->deadline, &error);
    if (!conn) {
        *code = report(ctx, error);
        return NULL;
    }
    world = g_new0(World, 1);
    world->ctx = ctx;
    world->conn = conn;
    world->facts = facts_new();
    world->facts->host = g_strdup(g_get_host_name());
    world->facts->uri = g_strdup(virt_conn_uri(conn));
    world->facts->now = g_get_real_time() / G_USEC_PER_SEC;
    world->facts->local = virt_conn_local(conn);
    ctx->view.now = world->facts->now;
    ctx->downgraded = (ctx->command->flags & COMMAND_CHANGES) && virt_conn_readonly(conn);
    debug_time(world, "connection", begun);
    return world;
}

void world_free(World *world)
{
    if (!world)
        return;
    facts_free(world->facts);
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

/* A kernel fact that could not be read is told by its source's state; the answer goes on without it. */
static void read_links(World *world, Wants wants)
{
    LinksWanted links = 0;
    gint64 begun = g_get_monotonic_time();
    guint sources = 1U << SOURCE_LINKS;

    if (wants & WANT_LINKS)
        links |= LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB;
    if (wants & WANT_ROUTES)
        links |= LINKS_LINKS | LINKS_ROUTES;
    if (wants & WANT_NEIGHBOURS) {
        links |= LINKS_LINKS | LINKS_NEIGHBOURS;
        sources |= 1U << SOURCE_NEIGHBOURS;
    }
    if (links && kernel_readable(world, sources)) {
        links_read(world->facts, links, world->ctx->deadline, NULL);
        debug_time(world, "links", begun);
    }
}

static void read_processes(World *world, Wants wants)
{
    gint64 begun = g_get_monotonic_time();

    if ((wants & (WANT_PROCESSES | WANT_SOCKETS)) && kernel_readable(world, 1U << SOURCE_PROCESSES)) {
        processes_read(world->facts, (wants & WANT_SOCKETS) != 0, world->ctx->deadline, NULL);
        debug_time(world, "processes", begun);
    }
}

static void read_firewall(World *world, Wants wants)
{
    gint64 begun = g_get_monotonic_time();

    if ((wants & WANT_FIREWALL) && kernel_readable(world, 1U << SOURCE_FIREWALL)) {
        firewall_read(world->facts, world->ctx->deadline, NULL);
        debug_time(world, "firewall", begun);
    }
}

static void read_agents(World *world, Wants wants)
{
    gboolean required = (wants & WANT_AGENT_REQUIRED) != 0;

    if (!(wants & (WANT_AGENT | WANT_AGENT_REQUIRED)))
        return;
    if (!virt_conn_readonly(world->conn))
        libvirt_read_agents(world->conn, world->facts, required, world->ctx->deadline);
    else if (required)
        source_status_set(&world->facts->sources[SOURCE_AGENT], SOURCE_DOWN,
                          "agents are asked on a read-write connection only");
}

/* Libvirt first: a tap that its XML names exists by then, so links read later know it. */
static gboolean read_beside(World *world, Wants wants, GError **error)
{
    gint64 begun = g_get_monotonic_time();

    if (wants & WANT_LEASES) {
        GError *local = NULL;

        if (!libvirt_read_leases(world->conn, world->facts, world->ctx->deadline, &local)) {
            /* A connection that died is the command's failure; a file that cannot be read is the source's. */
            if (g_error_matches(local, VNAT_ERROR, VNAT_ERROR_DEADLINE) ||
                g_error_matches(local, VNAT_ERROR, VNAT_ERROR_UNREACHABLE)) {
                g_propagate_error(error, local);
                return FALSE;
            }
            g_clear_error(&local);
        }
        debug_time(world, "leases", begun);
    }
    read_agents(world, wants);
    read_links(world, wants);
    read_processes(world, wants);
    read_firewall(world, wants);
    return TRUE;
}

/* A driver without domains (network:///system) is asked about its networks all the same. That it knows no
 * domain does not mean that the host has none: domains_complete stays FALSE, and no port is called unclaimed.
 */
static gboolean read_domains(World *world, Wants wants, GError **error)
{
    GError *local = NULL;

    if (!(wants & (WANT_DOMAINS | WANT_ALL_DOMAINS)) ||
        libvirt_read_domains(world->conn, world->facts, (wants & WANT_ALL_DOMAINS) != 0, world->ctx->deadline,
                             &local))
        return TRUE;
    if (g_error_matches(local, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED) && world->facts->networks->len > 0) {
        g_clear_error(&local);
        source_status_set(&world->facts->sources[SOURCE_LIBVIRT], SOURCE_LIVE, NULL);
        return TRUE;
    }
    g_propagate_error(error, local);
    return FALSE;
}

gboolean world_read(World *world, Wants wants, GError **error)
{
    Deadline deadline = world->ctx->deadline;
    gint64 begun = g_get_monotonic_time();

    if ((wants & (WANT_NETWORKS | WANT_ALL_NETWORKS)) &&
        !libvirt_read_networks(world->conn, world->facts,
                               wants & WANT_ALL_NETWORKS ? LIBVIRT_NETWORKS_ALL : LIBVIRT_NETWORKS_ACTIVE,
                               deadline, error)) {
        /* A driver without networks has none; its domains are still worth showing. */
        if (!error || !g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED) || !(wants & WANT_DOMAINS))
            return FALSE;
        g_clear_error(error);
    }
    debug_time(world, "networks", begun);
    begun = g_get_monotonic_time();
    if (!read_domains(world, wants, error))
        return FALSE;
    debug_time(world, "domains", begun);
    return read_beside(world, wants, error);
}

/* ----------------------------------------------------------------------------------- one of a kind */

static void suggest(World *world, const char *which, gboolean domains, GError **error)
{
    g_auto(GStrv) names = NULL;
    const char *close;

    if (!error || !g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return;
    names = domains ? libvirt_domain_names(world->conn, world->ctx->deadline, NULL)
                    : libvirt_network_names(world->conn, world->ctx->deadline, NULL);
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
            return libvirt_read_networks(world->conn, world->facts, LIBVIRT_NETWORKS_ACTIVE,
                                         world->ctx->deadline, error);
    }
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        GError *local = NULL;

        if (!iface->network || facts_network(world->facts, iface->network))
            continue;
        if (!libvirt_read_network(world->conn, world->facts, iface->network, FALSE, world->ctx->deadline,
                                  &local)) {
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
        libvirt_read_domain(world->conn, world->facts, which, inactive, world->ctx->deadline, error);

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
    Network *network =
        libvirt_read_network(world->conn, world->facts, which, inactive, world->ctx->deadline, error);

    if (!network) {
        suggest(world, which, FALSE, error);
        return NULL;
    }
    if (!read_domains(world, wants, error))
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

int world_code(const World *world)
{
    int code = EXIT_OK;

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const SourceStatus *status = &world->facts->sources[id];

        if (status->state != SOURCE_STALE && status->state != SOURCE_DOWN)
            continue;
        warn(world->ctx, "%s: %s: %s", source_name(id), source_state_name(status->state),
             status->error ? status->error : "could not be read");
        code = EXIT_INCOMPLETE;
    }
    return code;
}
