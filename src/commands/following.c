/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/following.h"

#include "base/error.h"
#include "base/virt.h"
#include "checks/check.h"
#include "commands/globals.h"
#include "commands/patient.h"
#include "sources/follow-live.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The follower wants to be run at a time that it names, or earlier if its world has told it something. So it
 * is one GSource: its ready time is the earlier of both. Within a run the world may tell more: woken keeps
 * that, so that setting the next time does not lose it.
 */
typedef struct {
    GSource source;
    Following *following;
} Runner;

struct Following {
    Context *ctx;
    const FollowingOps *ops;
    gpointer data;
    GMainLoop *loop;
    FollowLive *live;
    Follower *follower;
    GSource *runner;
    GArray *sources; /* guint: ids, of signals, deadline and standard output */
    guint deadline;
    gboolean woken;
    gboolean known; /* the first snapshot was given */
    gboolean ended;
    int code;
};

#define SIGNAL_BASE 128
#define SIGNAL_SECONDS 1 /* for a clean end */

void following_end(Following *following, int code)
{
    if (following->ended)
        return;
    following->ended = TRUE;
    following->code = code;
    g_main_loop_quit(following->loop);
}

gboolean following_ended(const Following *following)
{
    return following->ended;
}

LiveMap *following_live(const Following *following)
{
    return follower_live(following->follower);
}

static void following_fail(Following *following, GError *error)
{
    if (following->ended)
        g_error_free(error);
    else
        following_end(following, report(following->ctx, error));
}

/* ---------------------------------------------------------------------------------------- the runs */

static void following_wake(gpointer data)
{
    Following *following = data;

    following->woken = TRUE;
    if (following->runner)
        g_source_set_ready_time(following->runner, 0);
}

/*
 * Before anything is known, a connection that cannot be had is the command's failure; later it is news. One
 * that is slow in coming is waited for up to the command's own deadline.
 */
static void look_for_failure(Following *following)
{
    const GError *failure = following->known ? NULL : follow_live_failure(following->live);

    if (failure && !g_error_matches(failure, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        following_fail(following, g_error_copy(failure));
}

static gboolean runner_dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
    Following *following = ((Runner *)source)->following;
    gint64 next;

    following->woken = FALSE;
    next = follower_run(following->follower, g_get_monotonic_time(), g_get_real_time());
    g_source_set_ready_time(source, following->woken ? 0 : next == G_MAXINT64 ? -1 : next);
    look_for_failure(following);
    if (following->known && !following->ended && following->ops->ran)
        following->ops->ran(follower_live(following->follower), following->data);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs runner_funcs = {.dispatch = runner_dispatch};

static void on_snapshot(LiveMap *live, gboolean resync, gpointer data)
{
    Following *following = data;

    if (!following->known && following->deadline) {
        g_source_remove(following->deadline);
        following->deadline = 0;
    }
    following->known = TRUE;
    if (!following->ended && following->ops->sink.snapshot)
        following->ops->sink.snapshot(live, resync, following->data);
}

static void on_changes(LiveMap *live, const GPtrArray *changes, gpointer data)
{
    Following *following = data;

    if (!following->ended && following->ops->sink.changes)
        following->ops->sink.changes(live, changes, following->data);
}

static void on_domain_gone(const char *uuid, gpointer data)
{
    Following *following = data;

    if (!following->ended && following->ops->sink.domain_gone)
        following->ops->sink.domain_gone(uuid, following->data);
}

void following_ask(Following *following, const char *domain_uuid)
{
    follower_touch(following->follower, FOLLOW_DOMAIN, domain_uuid);
    following_wake(following);
}

static gboolean at_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    callback(data);
    return G_SOURCE_REMOVE;
}

static GSourceFuncs at_funcs = {.dispatch = at_dispatch};

guint following_at(Deadline when, GSourceFunc function, gpointer data)
{
    g_autoptr(GSource) source = NULL;

    if (when == DEADLINE_NEVER)
        return 0;
    source = g_source_new(&at_funcs, sizeof(GSource));
    g_source_set_callback(source, function, data, NULL);
    g_source_set_ready_time(source, MAX(when, 0));
    return g_source_attach(source, NULL);
}

static const FollowSink own_sink = {
    .snapshot = on_snapshot, .changes = on_changes, .domain_gone = on_domain_gone};

/* --------------------------------------------------------------------------------- what ends it */

static void following_keep(Following *following, guint id)
{
    g_array_append_val(following->sources, id);
}

/*
 * A signal ends the loop by way of a pipe. But the loop may not run: standard output blocks while its reader
 * does not read. So a clock is set as well, and when it rings the process leaves, with the same exit code.
 */
static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t signal_caught;

static void on_signal(int number)
{
    int kept = errno;

    signal_caught = number;
    if (write(signal_pipe[1], "", 1) < 0)
        errno = 0; /* full: it has been told already */
    alarm(SIGNAL_SECONDS);
    errno = kept;
}

static void on_alarm(int number)
{
    _exit(SIGNAL_BASE + signal_caught);
}

static gboolean on_signal_told(gint fd, GIOCondition condition, gpointer data)
{
    following_end(data, SIGNAL_BASE + signal_caught);
    return G_SOURCE_CONTINUE;
}

static void catch_signal(int number, void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static gboolean catch_signals(Following *following, GError **error)
{
    if (!g_unix_open_pipe(signal_pipe, FD_CLOEXEC, error) ||
        !g_unix_set_fd_nonblocking(signal_pipe[1], TRUE, error))
        return FALSE;
    following_keep(following, g_unix_fd_add(signal_pipe[0], G_IO_IN, on_signal_told, following));
    catch_signal(SIGALRM, on_alarm);
    catch_signal(SIGINT, on_signal);
    catch_signal(SIGTERM, on_signal);
    return TRUE;
}

static gboolean on_reader_gone(gint fd, GIOCondition condition, gpointer data)
{
    following_end(data, EXIT_PIPE);
    return G_SOURCE_CONTINUE;
}

static gboolean on_deadline(gpointer data)
{
    Following *following = data;
    GError *error = NULL;

    following->deadline = 0;
    vnat_error_set(&error, VNAT_ERROR_DEADLINE,
                   "no answer from libvirt in time: its daemon hangs, is stopped or has much to do");
    vnat_error_what(&error, "failed to read what '%s' has", globals_uri(following->ctx));
    if (virt_uri_is_local(globals_uri(following->ctx)))
        vnat_error_hint(&error, "systemctl status libvirtd virtqemud");
    following_fail(following, error);
    return G_SOURCE_REMOVE;
}

/* A reader that goes while nothing happens would otherwise be noticed at the next line. */
static void watch_reader(Following *following)
{
    struct stat status;

    if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
        following_keep(following,
                       g_unix_fd_add(STDOUT_FILENO, G_IO_ERR | G_IO_HUP, on_reader_gone, following));
}

gboolean following_flush(Following *following)
{
    GError *error = NULL;
    int reason;

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return TRUE;
    reason = errno;
    clearerr(stdout); /* it is told here, once */
    if (reason == EPIPE) {
        following_end(following, EXIT_PIPE);
        return FALSE;
    }
    vnat_error_set(&error, VNAT_ERROR_FAILED, "%s", g_strerror(reason ? reason : EIO));
    vnat_error_what(&error, "failed to write the output");
    following_fail(following, error);
    return FALSE;
}

/* ------------------------------------------------------------------------------------------ its life */

static gboolean refuse_replay(Context *ctx, int *code)
{
    GError *error = NULL;

    if (!ctx->replay)
        return FALSE;
    vnat_error_set(&error, VNAT_ERROR_USAGE, "%s follows what happens, and in a captured host nothing does",
                   ctx->command->name);
    *code = report(ctx, error);
    return TRUE;
}

/*
 * For a program that runs for months. Records are allocated by a worker and freed here. What glibc keeps of
 * them in fast bins is not merged with its neighbours, and each worker's arena is fragmented by itself: at 50
 * events a second that grew by 35 KiB a minute and more, with as much in use as before. Before the first
 * worker is there.
 */
static void memory_stays_whole(void)
{
#ifdef __GLIBC__
    mallopt(M_MXFAST, 0);
    mallopt(M_ARENA_MAX, 1);
#endif
}

Following *following_new(Context *ctx, const FollowingOps *ops, gpointer data, int *code)
{
    Following *following;
    GError *error = NULL;

    if (refuse_replay(ctx, code))
        return NULL;
    memory_stays_whole();
    following = g_new0(Following, 1);
    following->ctx = ctx;
    following->ops = ops;
    following->data = data;
    following->loop = g_main_loop_new(NULL, FALSE);
    following->sources = g_array_new(FALSE, FALSE, sizeof(guint));
    following->live = follow_live_new(globals_uri(ctx), ctx->readonly, following_wake, following, &error);
    if (!following->live) {
        *code = report(ctx, error);
        following_free(following);
        return NULL;
    }
    following->follower = follower_new(follow_live_world(following->live), &own_sink, following, checks_run);
    follow_live_attach(following->live, following->follower);
    return following;
}

void following_free(Following *following)
{
    if (!following)
        return;
    if (following->runner) {
        g_source_destroy(following->runner);
        g_source_unref(following->runner);
    }
    if (following->deadline)
        g_source_remove(following->deadline);
    for (guint i = 0; i < following->sources->len; i++)
        g_source_remove(g_array_index(following->sources, guint, i));
    g_array_unref(following->sources);
    follower_free(following->follower);
    follow_live_free(following->live);
    g_main_loop_unref(following->loop);
    g_free(following);
}

int following_run(Following *following)
{
    GError *error = NULL;

    patient_output();
    following->deadline = following_at(following->ctx->deadline, on_deadline, following);
    if (!catch_signals(following, &error))
        following_fail(following, error);
    watch_reader(following);
    following->runner = g_source_new(&runner_funcs, sizeof(Runner));
    ((Runner *)following->runner)->following = following;
    g_source_set_ready_time(following->runner, 0);
    g_source_attach(following->runner, NULL);
    if (!following->ended)
        g_main_loop_run(following->loop);
    return following->code;
}

gboolean following_seconds(const Context *ctx, const char *option, double *seconds, GError **error)
{
    const char *text = option_value(ctx, option);
    double value;
    char *end;

    if (!text)
        return TRUE;
    value = g_ascii_strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value <= 0)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "--%s takes seconds, not '%s'", option, text);
    *seconds = value;
    return TRUE;
}
