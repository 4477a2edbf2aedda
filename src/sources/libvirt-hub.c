/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-hub.h"

/* The lock guards all of it but run and data, which only the main context and the owner use. Under it at most
 * the main context's own lock is taken. */
struct LibvirtHub {
    GMutex lock;
    GSource *source; /* NULL: closed */
    gboolean signalled;
    GQueue notes; /* HubNote */
    void (*run)(gpointer data);
    gpointer data;
};

/* No file descriptor: the source's time is all that is set. */
static gboolean hub_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

static GSourceFuncs hub_source = {NULL, NULL, hub_dispatch, NULL, NULL, NULL};

static gboolean hub_run(gpointer data)
{
    LibvirtHub *hub = libvirt_hub_ref(data);

    g_mutex_lock(&hub->lock);
    hub->signalled = FALSE;
    g_mutex_unlock(&hub->lock);
    hub->run(hub->data);
    libvirt_hub_unref(hub);
    return G_SOURCE_CONTINUE;
}

LibvirtHub *libvirt_hub_new(void (*run)(gpointer data), gpointer data)
{
    LibvirtHub *hub = g_atomic_rc_box_new0(LibvirtHub);

    g_mutex_init(&hub->lock);
    g_queue_init(&hub->notes);
    hub->run = run;
    hub->data = data;
    hub->source = g_source_new(&hub_source, sizeof(GSource));
    g_source_set_name(hub->source, "libvirt-hub");
    g_source_set_callback(hub->source, hub_run, hub, NULL);
    g_source_attach(hub->source, NULL);
    return hub;
}

LibvirtHub *libvirt_hub_ref(LibvirtHub *hub)
{
    return g_atomic_rc_box_acquire(hub);
}

static void hub_clear(gpointer data)
{
    LibvirtHub *hub = data;

    g_queue_clear_full(&hub->notes, g_free);
    g_mutex_clear(&hub->lock);
}

void libvirt_hub_unref(LibvirtHub *hub)
{
    g_atomic_rc_box_release_full(hub, hub_clear);
}

void libvirt_hub_close(LibvirtHub *hub)
{
    GSource *source;

    g_mutex_lock(&hub->lock);
    source = g_steal_pointer(&hub->source);
    g_mutex_unlock(&hub->lock);
    g_source_destroy(source);
    g_source_unref(source);
    libvirt_hub_unref(hub);
}

/* Wakes the main context once, however often it is called before that has looked. */
static void hub_signal_locked(LibvirtHub *hub)
{
    if (!hub->source || hub->signalled)
        return;
    hub->signalled = TRUE;
    g_source_set_ready_time(hub->source, 0);
}

void libvirt_hub_post(LibvirtHub *hub, const HubNote *note)
{
    g_mutex_lock(&hub->lock);
    if (hub->source)
        g_queue_push_tail(&hub->notes, g_memdup2(note, sizeof(*note)));
    hub_signal_locked(hub);
    g_mutex_unlock(&hub->lock);
}

void libvirt_hub_signal(LibvirtHub *hub)
{
    g_mutex_lock(&hub->lock);
    hub_signal_locked(hub);
    g_mutex_unlock(&hub->lock);
}

HubNote *libvirt_hub_take(LibvirtHub *hub)
{
    HubNote *note;

    g_mutex_lock(&hub->lock);
    note = g_queue_pop_head(&hub->notes);
    g_mutex_unlock(&hub->lock);
    return note;
}

void libvirt_hub_run_at(LibvirtHub *hub, gint64 when)
{
    g_mutex_lock(&hub->lock);
    if (hub->source && !hub->signalled)
        g_source_set_ready_time(hub->source, when == G_MAXINT64 ? -1 : when);
    g_mutex_unlock(&hub->lock);
}

void libvirt_hub_run_by(LibvirtHub *hub, gint64 when)
{
    gint64 now_set;

    g_mutex_lock(&hub->lock);
    now_set = hub->source ? g_source_get_ready_time(hub->source) : 0;
    if (hub->source && !hub->signalled && (now_set < 0 || now_set > when))
        g_source_set_ready_time(hub->source, when == G_MAXINT64 ? -1 : when);
    g_mutex_unlock(&hub->lock);
}
