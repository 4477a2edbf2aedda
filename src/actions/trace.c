/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/trace.h"

#include "actions/endpoint.h"
#include "base/error.h"
#include "base/file.h"
#include "base/run.h"
#include "model/trace-frame.h"
#include "sources/trace.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTPUT_BYTES 4096
#define REMOVE_SECONDS 2.0
/* The kernel reports while it works on the packet, which takes microseconds: who waits longer waits for a
 * packet that got lost between two hooks. */
#define REPORT_SECONDS 1.0

static gboolean nft(const char *words, Deadline deadline, GError **error)
{
    const char *const argv[] = {"nft", words, NULL};
    g_autofree char *output = NULL;

    return run_program(argv, OUTPUT_BYTES, deadline, &output, NULL, error);
}

/* ----------------------------------------------------------------------------------------------- signals */

/* Those that end a program, so that it ends when the table is gone. */
static void signals_wait(sigset_t *before)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (gsize i = 0; i < G_N_ELEMENTS(ending); i++)
        sigaddset(&set, ending[i]);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static void signals_come(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ------------------------------------------------------------------------------------------------- asking */

/*
 * Past the queue of a device that was made a moment ago: until the kernel has seen its carrier that queue
 * swallows what is sent, and says nothing. (One probe in 180 was lost so.)
 */
static gboolean send_frame(int fd, const TraceFrame *frame, GError **error)
{
    g_autoptr(GByteArray) bytes = trace_frame(frame);
    const int on = 1;

    (void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
    if (send(fd, bytes->data, bytes->len, 0) == (ssize_t)bytes->len)
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_FAILED, "the probe could not be sent: %s", g_strerror(errno));
}

static Trace *send_and_listen(int fd, const TraceFrame *frame, const Path *path, Deadline deadline,
                              GError **error)
{
    g_autoptr(TraceReader) reader = trace_reader_new(error);
    const GArray *events;
    gboolean lost;

    if (!reader || !send_frame(fd, frame, error))
        return NULL;
    events = trace_reader_wait(reader, &frame->key, deadline_within(deadline, REPORT_SECONDS), &lost);
    if (lost) {
        vnat_error_set(error, VNAT_ERROR_FAILED,
                       "reports of the kernel were lost: too many packets are traced here");
        return NULL;
    }
    if (events->len == 0) {
        vnat_error_set(error, VNAT_ERROR_FAILED, "the kernel reported nothing about the probe");
        return NULL;
    }
    return trace_compare(events, &frame->key, path);
}

/* The table is there for as long as this takes. */
static Trace *trace_with(int fd, const TraceFrame *frame, const Path *path, Deadline deadline, GError **error)
{
    g_autofree char *commands = trace_commands(frame);
    sigset_t before;
    Trace *trace = NULL;

    signals_wait(&before);
    if (nft(commands, deadline, error)) {
        trace = send_and_listen(fd, frame, path, deadline, error);
        nft("delete table inet " TRACE_TABLE, deadline_in(REMOVE_SECONDS), NULL);
    }
    signals_come(&before);
    return trace;
}

static Trace *trace_from(Endpoint *endpoint, const TraceFrame *frame, const Path *path, Deadline deadline,
                         GError **error)
{
    Trace *trace;
    int fd;

    if (!endpoint_await_forwarding(endpoint, -1, deadline, error))
        return NULL;
    fd = endpoint_packet_socket(endpoint, 0, error);
    if (fd < 0)
        return NULL;
    trace = trace_with(fd, frame, path, deadline, error);
    close(fd);
    return trace;
}

/* One at a time: there is one table. */
static Trace *trace_locked(const EndpointWanted *place, const TraceFrame *frame, const Path *path,
                           Deadline deadline, GError **error)
{
    g_autoptr(Endpoint) endpoint = endpoint_open(place, deadline, error);
    Trace *trace;
    int lock;

    if (!endpoint || !file_lock(deadline, &lock, error))
        return NULL;
    trace = trace_from(endpoint, frame, path, deadline, error);
    file_unlock(lock);
    return trace;
}

Trace *trace_ask(const TraceWanted *wanted, Deadline deadline, GError **error)
{
    const Path *path = wanted->path;
    const Link *bridge = path->network ? facts_link_named(wanted->facts, path->network->bridge) : NULL;
    const EndpointWanted place = {
        .bridge = bridge,
        .alias = path->network ? path->network->name : NULL,
        .isolated = path->network && path->network->port_isolated,
        .unlearned = TRUE,
    };
    TraceFrame frame = {
        .packet = &path->packet,
        .from = path->row->mac,
        .key = trace_key_new(path->packet.family),
    };

    if (!bridge || !bridge->has_mac || !path->row->has_mac || !path->guest.family) {
        vnat_error_set(error, VNAT_ERROR_UNSUPPORTED,
                       "there is no bridge of libvirt's that a probe could begin on");
        return NULL;
    }
    frame.to = bridge->mac;
    return trace_locked(&place, &frame, path, deadline, error);
}
