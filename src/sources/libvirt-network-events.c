/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-network-events.h"

#define RETRY_FIRST (G_TIME_SPAN_SECOND / 2)
#define RETRY_LAST (10 * G_TIME_SPAN_SECOND)

struct NetworkEvents {
    LibvirtHub *hub;
    char *uri;
    const LibvirtCalls *calls;
    guint *serial;
    const FollowTell *tell;
    gpointer data;
    LibvirtSession *session; /* NULL: waits for the time below */
    gint64 retry;
    gint64 delay;
    gboolean connected, settled, broken;
};

static void network_events_connect(NetworkEvents *events)
{
    events->session =
        libvirt_session_new(events->hub, events->uri, TRUE, LINE_NETWORKS, ++*events->serial, events->calls);
    libvirt_session_ask(events->session, ASK_HELLO, FOLLOW_KINDS, NULL);
    libvirt_session_flush(events->session);
    libvirt_hub_signal(events->hub);
}

NetworkEvents *network_events_new(LibvirtHub *hub, const char *uri, const LibvirtCalls *calls, guint *serial,
                                  const FollowTell *tell, gpointer data)
{
    NetworkEvents *events = g_new0(NetworkEvents, 1);

    events->hub = libvirt_hub_ref(hub);
    events->uri = g_strdup(uri);
    events->calls = calls;
    events->serial = serial;
    events->tell = tell;
    events->data = data;
    events->delay = RETRY_FIRST;
    network_events_connect(events);
    return events;
}

void network_events_free(NetworkEvents *events)
{
    if (!events)
        return;
    libvirt_session_close(events->session);
    libvirt_hub_unref(events->hub);
    g_free(events->uri);
    g_free(events);
}

gboolean network_events_closed(NetworkEvents *events, const HubNote *note)
{
    if (!events->session || note->serial != libvirt_line_serial(libvirt_session_line(events->session)))
        return FALSE;
    events->broken = TRUE;
    return TRUE;
}

/* The hello's answer is all that is ever asked. */
static void on_answer(LibvirtAsk *ask G_GNUC_UNUSED, const GError *error, gpointer data)
{
    NetworkEvents *events = data;

    if (error)
        events->broken = TRUE;
    else
        events->connected = TRUE;
}

static void on_slow(const LibvirtAsk *ask G_GNUC_UNUSED, gpointer data)
{
    ((NetworkEvents *)data)->settled = TRUE;
}

static void network_events_break(NetworkEvents *events, gint64 now)
{
    g_clear_pointer(&events->session, libvirt_session_close);
    if (events->connected)
        events->delay = RETRY_FIRST;
    events->connected = FALSE;
    events->broken = FALSE;
    events->settled = TRUE;
    events->retry = now + (gint64)((double)events->delay * g_random_double_range(0.5, 1.0));
    events->delay = MIN(2 * events->delay, RETRY_LAST);
}

gint64 network_events_run(NetworkEvents *events, gint64 now, gboolean *told)
{
    static const LibvirtHear hear = {on_answer, on_slow};
    gboolean was_connected = events->connected;
    gboolean doubtful = FALSE;
    gint64 next;

    if (!events->session && now < events->retry)
        return events->retry;
    if (!events->session)
        network_events_connect(events);
    next = libvirt_session_run(events->session, now, &hear, events);
    /* Between its predecessor's end, or the list that did not wait for it, and now events were missed. */
    if (events->connected && !was_connected) {
        doubtful = events->settled;
        events->settled = TRUE;
    }
    if (events->broken) {
        doubtful = doubtful || events->connected;
        network_events_break(events, now);
        next = events->retry;
    }
    if (doubtful) {
        events->tell->doubt(events->data, SOURCE_LIBVIRT);
        *told = TRUE;
    }
    return next;
}

gboolean network_events_settled(const NetworkEvents *events)
{
    return events->settled;
}
