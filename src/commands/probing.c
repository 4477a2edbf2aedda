/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/probing.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The usual one does for all but slow hosts. */
guint probing_timeout(const Context *ctx)
{
    const gboolean shorter = ctx->timed && ctx->timeout < PROBE_SECONDS;

    return shorter ? PROBE_SECONDS : 2 * (ctx->timed ? (guint)ctx->timeout : PROBE_SECONDS);
}

/* ------------------------------------------------------------------------------------------- signals */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

/* Written to by the handler, which may run on any thread. */
static int wake_end = -1;
static volatile sig_atomic_t came;
static int wait_end = -1;
static struct sigaction before[G_N_ELEMENTS(ending)];

static void on_signal(int number)
{
    const int kept = errno;

    came = number;
    (void)!write(wake_end, "", 1);
    errno = kept;
}

int probing_begin(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    wait_end = ends[0];
    wake_end = ends[1];
    came = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(ending); i++) {
        sigaction(ending[i], NULL, &before[i]);
        /* Who started it with a signal ignored (nohup) meant it. */
        if (before[i].sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    }
    return wait_end;
}

/* The pipe stays open: a handler may be about to write. */
int probing_end(void)
{
    for (gsize i = 0; wait_end >= 0 && i < G_N_ELEMENTS(ending); i++)
        sigaction(ending[i], &before[i], NULL);
    return came;
}

/* ------------------------------------------------------------------------------------ several networks */

typedef struct {
    const Facts *facts;
    const ProbeAsked *asked;
    Deadline deadline;
    ProbeReport *report;
} Job;

static gpointer run_job(gpointer data)
{
    Job *job = data;

    g_autoptr(GError) error = NULL;

    job->report->stages = probe_run(job->facts, job->report->network, job->asked, job->deadline, &error);
    if (!job->report->stages)
        job->report->error = g_strdup(error->message);
    if (job->report->stages ? probe_late(job->report->stages) != NULL
                            : g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        job->report->timeout = job->asked->timeout;
    return NULL;
}

static gboolean is_named(const Network *network, const char *const *names)
{
    for (guint i = 0; names && names[i]; i++) {
        if (strcmp(names[i], network->name) == 0 ||
            (network->uuid && g_ascii_strcasecmp(names[i], network->uuid) == 0))
            return TRUE;
    }
    return names == NULL;
}

static void start(GPtrArray *threads, Job *job)
{
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_try_new("probe", run_job, job, &error);

    if (thread)
        g_ptr_array_add(threads, thread);
    else
        job->report->error = g_strdup(error->message);
}

GPtrArray *probing_run(const Facts *facts, const char *const *names, const ProbeAsked *asked,
                       Deadline deadline)
{
    GPtrArray *reports = g_ptr_array_new_with_free_func((GDestroyNotify)probe_report_free);
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        Job *job;

        if (!probe_can(network, NULL) || !is_named(network, names))
            continue;
        job = g_new0(Job, 1);
        g_ptr_array_add(jobs, job);
        *job = (Job){facts, asked, deadline, g_new0(ProbeReport, 1)};
        job->report->network = network;
        g_ptr_array_add(reports, job->report);
        start(threads, job);
    }
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    return reports;
}
