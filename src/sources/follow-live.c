/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/follow-live.h"

#include "base/error.h"
#include "config.h"
#include "sources/definitions-follow.h"
#include "sources/dnsmasq-follow.h"
#include "sources/leases-follow.h"
#include "sources/libvirt-follow.h"
#include "sources/links-follow.h"
#include "sources/links.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <unistd.h>

/*
 * The feeds joined: what they tell goes on to the follower, and one wake follows each batch of it. Nothing is
 * decided here but which feeds a host has:
 *
 *  - the kernel's messages are subscribed to from the first, since what comes before the follower's first
 *    reading must not be missed, and dropped when the connection turns out to be to another host;
 *  - the lease directory, the dnsmasqs, and what libvirt writes down of domains and networks are watched from
 *    the first connection to the daemon whose they are.
 */

/* A timer that nobody waits for: it is there to be cancelled when the wall clock is set. */
#define CLOCK_SECONDS ((time_t)365 * 24 * 3600)

struct FollowLive {
    FollowWorld world; /* first */
    Follower *follower;
    FollowWake wake;
    gpointer wake_data;
    char *host;
    LibvirtFollow *libvirt;
    LinksFollow *links;             /* NULL: cannot be followed, or are another host's */
    char *links_why;                /* why they cannot */
    LeasesFollow *leases;           /* NULL: not on this host */
    DnsmasqFollow *dnsmasqs;        /* likewise */
    DefinitionsFollow *definitions; /* likewise */
    int clock;                      /* a timerfd; -1 */
    guint clock_source;
};

static FollowLive *of_world(FollowWorld *world)
{
    return (FollowLive *)(gpointer)world;
}

/* -------------------------------------------------------------------------------- to the follower */

static const FollowTell tell;

static void on_dnsmasqs(gpointer data)
{
    const FollowLive *live = data;

    live->wake(live->wake_data);
}

/* What the daemon's files tell, where they are here. */
static void follow_files(FollowLive *live, FollowHost *host)
{
    if (!libvirt_follow_files_here(host->uri)) {
        g_clear_pointer(&live->leases, leases_follow_free);
        g_clear_pointer(&live->dnsmasqs, dnsmasq_follow_free);
        g_clear_pointer(&live->definitions, definitions_follow_free);
        host->leases_why = host->local ? "only the system's lease files are watched"
                                       : "its lease files are not on this host";
        return;
    }
    if (!live->leases) {
        live->leases = leases_follow_new(VNAT_LIBVIRT_STATE_DIR "/dnsmasq", &tell, live);
        live->dnsmasqs = dnsmasq_follow_new(VNAT_LIBVIRT_RUN_DIR "/network", follower_live(live->follower),
                                            on_dnsmasqs, live);
        live->definitions =
            definitions_follow_new(VNAT_LIBVIRT_RUN_DIR, VNAT_LIBVIRT_CONFIG_DIR, host->uri, &tell, live);
    }
    host->leases_evented = leases_follow_evented(live->leases, &host->leases_why);
}

static void on_connected(gpointer data, const char *uri, gboolean local)
{
    FollowLive *live = data;
    FollowHost host = {.host = live->host, .uri = uri, .local = local};

    if (!local)
        g_clear_pointer(&live->links, links_follow_free);
    follow_files(live, &host);
    follower_connected(live->follower, &host);
}

static void on_lost(gpointer data, const GError *why)
{
    follower_lost(((FollowLive *)data)->follower, why);
}

static void on_listed(gpointer data, FollowKind kind, GPtrArray *listed, const GError *error)
{
    follower_listed(((FollowLive *)data)->follower, kind, listed, error);
}

static void on_answered(gpointer data, FollowKind kind, const char *uuid, gpointer record,
                        const char *partial, const GError *error)
{
    FollowLive *live = data;

    follower_answered(live->follower, kind, uuid, record, partial, error);
    if (kind == FOLLOW_NETWORK && live->dnsmasqs)
        dnsmasq_follow_touch(live->dnsmasqs);
}

static void on_slow(gpointer data, FollowKind kind, const char *uuid)
{
    follower_slow(((FollowLive *)data)->follower, kind, uuid);
}

static void on_touch(gpointer data, FollowKind kind, const char *uuid)
{
    follower_touch(((FollowLive *)data)->follower, kind, uuid);
}

static void on_touch_named(gpointer data, FollowKind kind, const char *name)
{
    follower_touch_named(((FollowLive *)data)->follower, kind, name);
}

static void on_touch_bridge(gpointer data, const char *bridge)
{
    follower_touch_bridge(((FollowLive *)data)->follower, bridge);
}

static void on_evented(gpointer data, gboolean evented, const char *why)
{
    follower_leases_evented(((FollowLive *)data)->follower, evented, why);
}

static void on_link(gpointer data, Link *link)
{
    follower_link(((FollowLive *)data)->follower, link);
}

static void on_link_gone(gpointer data, guint ifindex)
{
    follower_link_gone(((FollowLive *)data)->follower, ifindex);
}

static void on_address(gpointer data, const LinkAddress *address, gboolean gone)
{
    follower_address(((FollowLive *)data)->follower, address, gone);
}

static void on_neighbour(gpointer data, const Neighbour *neighbour, gboolean gone)
{
    follower_neighbour(((FollowLive *)data)->follower, neighbour, gone);
}

static void on_fdb(gpointer data, const FdbEntry *entry, gboolean gone)
{
    follower_fdb(((FollowLive *)data)->follower, entry, gone);
}

static void on_doubt(gpointer data, SourceId source)
{
    follower_doubt(((FollowLive *)data)->follower, source);
}

static void on_news(gpointer data)
{
    const FollowLive *live = data;

    live->wake(live->wake_data);
}

static const FollowTell tell = {
    .connected = on_connected,
    .lost = on_lost,
    .listed = on_listed,
    .answered = on_answered,
    .slow = on_slow,
    .touch = on_touch,
    .touch_named = on_touch_named,
    .touch_bridge = on_touch_bridge,
    .evented = on_evented,
    .link = on_link,
    .link_gone = on_link_gone,
    .address = on_address,
    .neighbour = on_neighbour,
    .fdb = on_fdb,
    .doubt = on_doubt,
    .news = on_news,
};

/* ----------------------------------------------------------------------------- from the follower */

static void live_connect(FollowWorld *world)
{
    libvirt_follow_connect(of_world(world)->libvirt);
}

static void live_list(FollowWorld *world, FollowKind kind)
{
    libvirt_follow_list(of_world(world)->libvirt, kind);
}

static void live_read(FollowWorld *world, FollowKind kind, const char *uuid)
{
    libvirt_follow_read(of_world(world)->libvirt, kind, uuid);
}

static void live_flush(FollowWorld *world)
{
    libvirt_follow_flush(of_world(world)->libvirt);
}

static void live_drain(FollowWorld *world)
{
    const FollowLive *live = of_world(world);

    if (live->links)
        links_follow_drain(live->links);
    if (live->dnsmasqs)
        dnsmasq_follow_run(live->dnsmasqs);
}

/* What cannot be followed is not read either: it would be true for a moment. */
static gboolean live_read_kernel(FollowWorld *world, Facts *facts, gint64 within, GError **error)
{
    const FollowLive *live = of_world(world);

    if (!live->links)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s",
                              live->links_why ? live->links_why : "the links are another host's");
    return links_read(facts, LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB | LINKS_NEIGHBOURS,
                      deadline_in((double)within / G_TIME_SPAN_SECOND), error);
}

static double live_random(FollowWorld *world G_GNUC_UNUSED)
{
    return g_random_double();
}

static const FollowWorldOps live_ops = {
    .connect = live_connect,
    .list = live_list,
    .read = live_read,
    .flush = live_flush,
    .drain = live_drain,
    .read_kernel = live_read_kernel,
    .random = live_random,
};

/* ------------------------------------------------------------------------------------------- clock */

static void clock_arm(const FollowLive *live)
{
    struct itimerspec far = {.it_value = {.tv_sec = time(NULL) + CLOCK_SECONDS}};

    (void)timerfd_settime(live->clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

/* Set: reading says ECANCELED. Or a year has passed. */
static gboolean on_clock(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    const FollowLive *live = data;
    guint64 times;
    gboolean was_set = read(fd, &times, sizeof(times)) < 0 && errno == ECANCELED;

    clock_arm(live);
    if (was_set) {
        follower_clock_set(live->follower);
        live->wake(live->wake_data);
    }
    return G_SOURCE_CONTINUE;
}

static void clock_watch(FollowLive *live)
{
    live->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (live->clock < 0)
        return;
    clock_arm(live);
    live->clock_source = g_unix_fd_add(live->clock, G_IO_IN, on_clock, live);
}

/* -------------------------------------------------------------------------------------------- life */

static char *host_name(void)
{
    struct utsname name;

    return uname(&name) == 0 ? g_strdup(name.nodename) : NULL;
}

FollowLive *follow_live_new(const char *uri, gboolean readonly, FollowWake wake, gpointer wake_data,
                            GError **error G_GNUC_UNUSED)
{
    FollowLive *live = g_new0(FollowLive, 1);
    g_autoptr(GError) cause = NULL;

    live->world.ops = &live_ops;
    live->wake = wake;
    live->wake_data = wake_data;
    live->host = host_name();
    live->links = links_follow_new(0, &tell, live, &cause);
    live->links_why = cause ? g_strdup(cause->message) : NULL;
    live->libvirt =
        libvirt_follow_new(uri, readonly, NULL, VNAT_LIBVIRT_RUN_DIR "/virtnetworkd-sock", &tell, live);
    clock_watch(live);
    return live;
}

FollowWorld *follow_live_world(FollowLive *live)
{
    return &live->world;
}

void follow_live_attach(FollowLive *live, Follower *follower)
{
    live->follower = follower;
}

const GError *follow_live_failure(const FollowLive *live)
{
    return libvirt_follow_failure(live->libvirt);
}

void follow_live_free(FollowLive *live)
{
    if (!live)
        return;
    libvirt_follow_free(live->libvirt);
    links_follow_free(live->links);
    leases_follow_free(live->leases);
    dnsmasq_follow_free(live->dnsmasqs);
    definitions_follow_free(live->definitions);
    if (live->clock >= 0) {
        g_source_remove(live->clock_source);
        close(live->clock);
    }
    g_free(live->links_why);
    g_free(live->host);
    g_free(live);
}
