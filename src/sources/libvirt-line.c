/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-line.h"

#include <libvirt/virterror.h>

/*
 * Theory of operation.
 *
 * A callback holds a reference to its connection, so that a connection with callbacks never closes: what was
 * registered at the dial is deregistered at the hang-up. Both run on workers.
 *
 * Callbacks run in whichever thread libvirt likes, so they post to the hub and do nothing else. What they are
 * given (Subscriber) has a reference to the hub: a callback may still be under way when the line's owner has
 * gone.
 *
 * A driver that knows no networks, a server that knows no such event (libvirt 11.2 has one for a guest's new
 * MAC, 9.8 one for a network's metadata): those are not registered, which is no failure. What they would have
 * told is found by the audit.
 */

/* A daemon that is stopped is noticed after 10 to 15 s. Drivers without a wire know no keepalive. */
#define KEEPALIVE_SECONDS 5
#define KEEPALIVE_COUNT 2

typedef struct {
    LibvirtHub *hub;
    guint serial;
} Subscriber;

/* What was registered on one connection. */
typedef struct {
    virConnectPtr conn;
    GArray *domains, *networks; /* int */
    gboolean close;
} Registered;

/* Owned by the pool. The lock guards what follows it. */
typedef struct {
    VirtDialled dialled;
    Subscriber *subscriber;
    LineEvents events;
    LineDial dial;
    GMutex lock;
    GPtrArray *registered; /* Registered */
    virConnectPtr newest;
} Dial;

struct LibvirtLine {
    VirtPool *pool;
    Dial *dial; /* the pool's */
    guint serial;
};

/* -------------------------------------------------------------------------------------- subscribers */

static Subscriber *subscriber_new(LibvirtHub *hub, guint serial)
{
    Subscriber *subscriber = g_atomic_rc_box_new0(Subscriber);

    subscriber->hub = libvirt_hub_ref(hub);
    subscriber->serial = serial;
    return subscriber;
}

static void subscriber_clear(gpointer data)
{
    libvirt_hub_unref(((Subscriber *)data)->hub);
}

static void subscriber_unref(gpointer data)
{
    g_atomic_rc_box_release_full(data, subscriber_clear);
}

static void touch_domain(virDomainPtr domain, const Subscriber *subscriber)
{
    HubNote note = {.type = HUB_TOUCH, .serial = subscriber->serial, .kind = FOLLOW_DOMAIN};

    G_STATIC_ASSERT(sizeof(note.uuid) >= VIR_UUID_STRING_BUFLEN);
    if (virDomainGetUUIDString(domain, note.uuid) == 0)
        libvirt_hub_post(subscriber->hub, &note);
}

static void touch_network(virNetworkPtr network, const Subscriber *subscriber)
{
    HubNote note = {.type = HUB_TOUCH, .serial = subscriber->serial, .kind = FOLLOW_NETWORK};

    if (virNetworkGetUUIDString(network, note.uuid) == 0)
        libvirt_hub_post(subscriber->hub, &note);
}

/* --------------------------------------------------------------------------------------- callbacks */

static int on_domain_lifecycle(virConnectPtr conn G_GNUC_UNUSED, virDomainPtr domain, int event G_GNUC_UNUSED,
                               int detail G_GNUC_UNUSED, void *opaque)
{
    touch_domain(domain, opaque);
    return 0;
}

static void on_domain_device(virConnectPtr conn G_GNUC_UNUSED, virDomainPtr domain,
                             const char *alias G_GNUC_UNUSED, void *opaque)
{
    touch_domain(domain, opaque);
}

static void on_domain_agent(virConnectPtr conn G_GNUC_UNUSED, virDomainPtr domain, int state G_GNUC_UNUSED,
                            int reason G_GNUC_UNUSED, void *opaque)
{
    touch_domain(domain, opaque);
}

static void on_domain_metadata(virConnectPtr conn G_GNUC_UNUSED, virDomainPtr domain, int type G_GNUC_UNUSED,
                               const char *uri G_GNUC_UNUSED, void *opaque)
{
    touch_domain(domain, opaque);
}

#if LIBVIR_CHECK_VERSION(11, 2, 0)
static void on_domain_mac(virConnectPtr conn G_GNUC_UNUSED, virDomainPtr domain,
                          const char *alias G_GNUC_UNUSED, const char *old G_GNUC_UNUSED,
                          const char *new G_GNUC_UNUSED, void *opaque)
{
    touch_domain(domain, opaque);
}
#endif

static void on_network_lifecycle(virConnectPtr conn G_GNUC_UNUSED, virNetworkPtr network,
                                 int event G_GNUC_UNUSED, int detail G_GNUC_UNUSED, void *opaque)
{
    touch_network(network, opaque);
}

#if LIBVIR_CHECK_VERSION(9, 8, 0)
static void on_network_metadata(virConnectPtr conn G_GNUC_UNUSED, virNetworkPtr network,
                                int type G_GNUC_UNUSED, const char *uri G_GNUC_UNUSED, void *opaque)
{
    touch_network(network, opaque);
}
#endif

static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} domain_events[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_domain_lifecycle)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_domain_device)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_domain_device)},
    {VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_domain_agent)},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_domain_metadata)},
#if LIBVIR_CHECK_VERSION(11, 2, 0)
    {VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_domain_mac)},
#endif
};

static const struct {
    int id;
    virConnectNetworkEventGenericCallback callback;
} network_events[] = {
    {VIR_NETWORK_EVENT_ID_LIFECYCLE, VIR_NETWORK_EVENT_CALLBACK(on_network_lifecycle)},
#if LIBVIR_CHECK_VERSION(9, 8, 0)
    {VIR_NETWORK_EVENT_ID_METADATA_CHANGE, VIR_NETWORK_EVENT_CALLBACK(on_network_metadata)},
#endif
};

/* ----------------------------------------------------------------------------------- dial, hang up */

static void registered_free(gpointer data)
{
    Registered *registered = data;

    g_array_unref(registered->domains);
    g_array_unref(registered->networks);
    g_free(registered);
}

/* Each callback has its reference to the subscriber, which libvirt drops with the callback. */
static void register_domains(Registered *registered, Subscriber *subscriber)
{
    for (gsize i = 0; i < G_N_ELEMENTS(domain_events); i++) {
        int id = virConnectDomainEventRegisterAny(registered->conn, NULL, domain_events[i].id,
                                                  domain_events[i].callback,
                                                  g_atomic_rc_box_acquire(subscriber), subscriber_unref);

        if (id >= 0)
            g_array_append_val(registered->domains, id);
        else
            subscriber_unref(subscriber);
    }
}

static void register_networks(Registered *registered, Subscriber *subscriber)
{
    for (gsize i = 0; i < G_N_ELEMENTS(network_events); i++) {
        int id = virConnectNetworkEventRegisterAny(registered->conn, NULL, network_events[i].id,
                                                   network_events[i].callback,
                                                   g_atomic_rc_box_acquire(subscriber), subscriber_unref);

        if (id >= 0)
            g_array_append_val(registered->networks, id);
        else
            subscriber_unref(subscriber);
    }
}

static void on_close(virConnectPtr conn, int reason, void *opaque);

/* What on_close is given: a dial lives as long as its pool, and the pool until all of its lines were hung up.
 */
static gboolean register_close(virConnectPtr conn, Dial *dial)
{
    return virConnectRegisterCloseCallback(conn, on_close, dial, NULL) == 0;
}

static void on_close(virConnectPtr conn, int reason, void *opaque)
{
    Dial *dial = opaque;
    HubNote note = {.type = HUB_CLOSED, .serial = dial->subscriber->serial, .reason = reason};
    gboolean newest;

    g_mutex_lock(&dial->lock);
    newest = conn == dial->newest;
    g_mutex_unlock(&dial->lock);
    if (newest)
        libvirt_hub_post(dial->subscriber->hub, &note);
}

static virConnectPtr line_dial(gpointer data, GError **error)
{
    Dial *dial = data;
    virConnectPtr conn = dial->dial(&dial->dialled, error);
    Registered *registered;

    if (!conn)
        return NULL;
    registered = g_new0(Registered, 1);
    registered->conn = conn;
    registered->domains = g_array_new(FALSE, FALSE, sizeof(int));
    registered->networks = g_array_new(FALSE, FALSE, sizeof(int));
    g_mutex_lock(&dial->lock);
    g_ptr_array_add(dial->registered, registered);
    dial->newest = conn;
    g_mutex_unlock(&dial->lock);
    registered->close = register_close(conn, dial);
    virConnectSetKeepAlive(conn, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
    if (dial->events & LINE_DOMAINS)
        register_domains(registered, dial->subscriber);
    if (dial->events & LINE_NETWORKS)
        register_networks(registered, dial->subscriber);
    virResetLastError();
    return conn;
}

static Registered *dial_forget(Dial *dial, virConnectPtr conn)
{
    Registered *found = NULL;

    g_mutex_lock(&dial->lock);
    for (guint i = 0; i < dial->registered->len && !found; i++) {
        if (((Registered *)dial->registered->pdata[i])->conn == conn)
            found = g_ptr_array_steal_index_fast(dial->registered, i);
    }
    if (dial->newest == conn)
        dial->newest = NULL;
    g_mutex_unlock(&dial->lock);
    return found;
}

static void line_hangup(virConnectPtr conn, gpointer data)
{
    Registered *registered = dial_forget(data, conn);

    if (registered->close)
        virConnectUnregisterCloseCallback(conn, on_close);
    for (guint i = 0; i < registered->domains->len; i++)
        virConnectDomainEventDeregisterAny(conn, g_array_index(registered->domains, int, i));
    for (guint i = 0; i < registered->networks->len; i++)
        virConnectNetworkEventDeregisterAny(conn, g_array_index(registered->networks, int, i));
    virResetLastError();
    registered_free(registered);
}

/* -------------------------------------------------------------------------------------------- life */

static void dial_free(gpointer data)
{
    Dial *dial = data;

    virt_dialled_clear(&dial->dialled);
    subscriber_unref(dial->subscriber);
    g_ptr_array_unref(dial->registered);
    g_mutex_clear(&dial->lock);
    g_free(dial);
}

LibvirtLine *libvirt_line_new(LibvirtHub *hub, const char *uri, gboolean readonly, LineEvents events,
                              guint serial, LineDial dial)
{
    LibvirtLine *line = g_new0(LibvirtLine, 1);

    line->dial = g_new0(Dial, 1);
    line->serial = serial;
    virt_dialled_init(&line->dial->dialled, uri, readonly);
    line->dial->subscriber = subscriber_new(hub, serial);
    line->dial->events = events;
    line->dial->dial = dial ? dial : virt_dial;
    line->dial->registered = g_ptr_array_new_with_free_func(registered_free);
    g_mutex_init(&line->dial->lock);
    line->pool = virt_pool_new(line_dial, line->dial, dial_free);
    virt_pool_set_hangup(line->pool, line_hangup);
    return line;
}

void libvirt_line_close(LibvirtLine *line)
{
    if (!line)
        return;
    virt_pool_close_aside(line->pool);
    g_free(line);
}

VirtPool *libvirt_line_pool(LibvirtLine *line)
{
    return line->pool;
}

VirtDialled *libvirt_line_dialled(LibvirtLine *line)
{
    return &line->dial->dialled;
}

guint libvirt_line_serial(const LibvirtLine *line)
{
    return line->serial;
}

const char *libvirt_close_reason(int reason)
{
    switch ((virConnectCloseReason)reason) {
    case VIR_CONNECT_CLOSE_REASON_EOF:
        return "libvirt's daemon closed the connection";
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
        return "libvirt's daemon does not answer: it hangs or is stopped";
    case VIR_CONNECT_CLOSE_REASON_CLIENT:
        return "the connection to libvirt was closed";
    case VIR_CONNECT_CLOSE_REASON_ERROR:
    default:
        return "the connection to libvirt broke";
    }
}
