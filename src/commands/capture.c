/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/world.h"

#include "base/error.h"
#include "model/flow-row.h"
#include "sources/capture.h"
#include "sources/redact-sources.h"
#include "sources/versions.h"

#include <signal.h>

/* Looking for versions is no reason to miss the deadline. */
#define VERSIONS_SECONDS 2.0

static const int ending_signals[] = {SIGHUP, SIGINT, SIGTERM};

/* The one that came while they were held, or 0. */
static volatile sig_atomic_t signal_held;

static void signal_hold(int number)
{
    signal_held = number;
}

/*
 * While the directory is filled, in a moment: it is there whole or not at all, also for Ctrl-C. By handlers,
 * as a mask is a thread's own: another thread, that waits for a libvirtd which hangs, would take the signal.
 */
static void signals_hold(struct sigaction *before)
{
    const struct sigaction hold = {.sa_handler = signal_hold, .sa_flags = SA_RESTART};

    for (guint i = 0; i < G_N_ELEMENTS(ending_signals); i++) {
        sigaction(ending_signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(ending_signals[i], &hold, NULL);
    }
}

static void signals_release(const struct sigaction *before)
{
    for (guint i = 0; i < G_N_ELEMENTS(ending_signals); i++)
        sigaction(ending_signals[i], &before[i], NULL);
    if (signal_held)
        raise(signal_held);
}

static gboolean write_capture(const Capture *capture, const char *path, GError **error)
{
    struct sigaction before[G_N_ELEMENTS(ending_signals)];
    NewDirectory *directory;
    gboolean ok;

    signals_hold(before);
    directory = new_directory_begin(path, error);
    ok = directory && capture_write(capture, directory, error) && new_directory_commit(directory, error);
    new_directory_free(directory);
    signals_release(before);
    return ok;
}

/* What only a connection knows, or the first capture did. */
static json_t *get_versions(const World *world)
{
    if (world->capture)
        return json_deep_copy(world->capture->versions);
    return versions_read(world->conn ? virt_conn_libversion(world->conn) : 0,
                         deadline_within(world->ctx->deadline, VERSIONS_SECONDS));
}

/* Each capture has its own key, which nobody keeps. */
static void redact(Capture *capture)
{
    g_autoptr(Redactor) redactor = redactor_new(NULL);

    redact_capture(capture, redactor);
}

/* A file of a capture may have 32 MiB; a flow takes up to 400 bytes of it. */
#define FLOWS_MAX 50000

/* The host's own connections are nobody's business. */
static void keep_flows(Facts *facts)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(FlowNames) names = flow_names_new(facts, map->rows);

    if (flows_keep_guests(facts, names, FLOWS_MAX))
        source_status_set(&facts->sources[SOURCE_CONNTRACK], SOURCE_STALE,
                          "there were more connections than a capture holds: the first 50000 are there");
}

static int run_capture(Context *ctx)
{
    const char *path = argument(ctx, 0);
    g_autoptr(World) world = NULL;
    g_autoptr(Capture) capture = NULL;
    GError *error = NULL;
    gboolean ok;
    int code;

    if (!new_directory_possible(path, &error)) {
        vnat_error_what(&error, "failed to capture to '%s'", path);
        return report(ctx, error);
    }
    capture = capture_new();
    world = world_open_partly(ctx, &capture->failed[CAPTURE_CONNECTION], &error);
    if (!world)
        return report(ctx, error);
    world_read_all(world, capture);
    keep_flows(world->facts);
    json_decref(capture->versions);
    capture->versions = get_versions(world);
    capture->redacted = world->capture && world->capture->redacted;
    /* What could not be read is told by its own name. */
    code = world_capture_code(world);
    facts_free(capture->facts);
    capture->facts = g_steal_pointer(&world->facts);
    if (option_flag(ctx, "redact"))
        redact(capture);
    ok = write_capture(capture, path, &error);
    world->facts = g_steal_pointer(&capture->facts);
    if (!ok) {
        vnat_error_what(&error, "failed to capture to '%s'", path);
        return report(ctx, error);
    }
    say(ctx, "Captured to %s%s: networks %u, domains %u, leases %u, links %u", path,
        capture->redacted ? ", redacted" : "", world->facts->networks->len, world->facts->domains->len,
        world->facts->leases->len, world->facts->links->len);
    return code;
}

static const Argument arguments_capture[] = {{"DIR", FALSE, COMPLETE_FILE}, {0}};

static const Option options_capture[] = {
    {"redact", 0, OPTION_FLAG, NULL, "replace names, addresses and UUIDs, each by the same one everywhere",
     NULL},
    {0},
};

const Command command_capture = {
    .name = "capture",
    .group = "Who is behind what",
    .summary = "write the facts of this host to a directory, for --replay",
    .description =
        "Everything that the commands that only read would look at: libvirt's XML, leases, links and\n"
        "routes, the packet filter, dnsmasq and its sockets, a few settings of the kernel, the\n"
        "connections of guests. Text and JSON, a record a line. What could not be read is recorded as such\n"
        "(exit code 6). Refuses to overwrite.",
    .examples = "  sudo vnat capture /tmp/myhost\n  vnat --replay /tmp/myhost status\n"
                "  sudo vnat capture --redact /tmp/report",
    .arguments = arguments_capture,
    .options = options_capture,
    .run = run_capture,
};
