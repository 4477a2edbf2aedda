/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/endpoint.h"

#include "actions/endpoint-link.h"
#include "actions/endpoint-slot.h"
#include "base/error.h"
#include "base/netlink.h"
#include "sources/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_bridge.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Theory of operation.
 *
 * A namespace belongs to a thread, and a socket to the namespace of the thread that made it, for ever. So all
 * that has to be done inside is done by threads that live for one call: they enter, make a socket, and end;
 * the socket is used from outside. The first of them makes the namespace and leaves a descriptor of it.
 *
 * The pair is made with its inner end in the namespace already, in one message, so that there is no moment in
 * which it could outlive us. The order after that is that of actions/links.c: MTU before master, and up last,
 * for a port forwards from then on where STP is off, and an isolated one must be isolated by then. The outer
 * end's MAC is fe:…, as a tap's of libvirt: a bridge without a MAC of its own takes the lowest of its ports'.
 */

#define INNER "eth0"
#define OPERSTATE_UP 6 /* of RFC 2863, as the kernel numbers it */
#define ALIAS "vnat endpoint: "
#define REMOVE_SECONDS 2.0

struct Endpoint {
    EndpointSlot *slot;
    GPtrArray *left; /* char * */
    char name[IF_NAMESIZE];
    Mac mac;
    guint ifindex; /* 0: no pair */
    guint inner;   /* index inside */
    int ns;        /* -1: none */
    Netlink *inside;
};

/* ----------------------------------------------------------------------------- in the namespace */

/* What a thread does in there. */
typedef gboolean (*Inside)(gpointer data, GError **error);

typedef struct {
    int ns; /* -1: a new one */
    Inside func;
    gpointer data;
    GError *error;
    gboolean ok;
} Visit;

static gboolean needs(GError **error, int number, const char *what, const char *capability)
{
    if (number == EPERM || number == EACCES)
        return vnat_error_set(error, VNAT_ERROR_DENIED, "%s needs %s", what, capability);
    return vnat_error_set(error, VNAT_ERROR_FAILED, "%s: %s", what, g_strerror(number));
}

static gpointer visit_thread(gpointer data)
{
    Visit *visit = data;
    const int entered = visit->ns < 0 ? unshare(CLONE_NEWNET) : setns(visit->ns, CLONE_NEWNET);

    visit->ok = entered == 0 ? visit->func(visit->data, &visit->error)
                             : needs(&visit->error, errno, "a network namespace", "CAP_SYS_ADMIN");
    return NULL;
}

static gboolean inside(int ns, Inside func, gpointer data, GError **error)
{
    Visit visit = {.ns = ns, .func = func, .data = data};
    GThread *thread = g_thread_try_new("endpoint", visit_thread, &visit, error);

    if (!thread)
        return FALSE;
    g_thread_join(thread);
    if (visit.error)
        g_propagate_error(error, visit.error);
    /* cppcheck-suppress memleak; joining frees it */
    return visit.ok;
}

/* -------------------------------------------------------------------------------------- the pair */

static Mac slot_mac(guint number)
{
    return (Mac){{0x02, 'v', 'n', 'a', 't', (guint8)number}};
}

gboolean endpoint_owns_mac(const Mac *mac)
{
    const Mac first = slot_mac(0);

    return memcmp(mac->bytes, first.bytes, sizeof(first.bytes) - 1) == 0 &&
           mac->bytes[sizeof(mac->bytes) - 1] < ENDPOINT_SLOTS;
}

static Mac outer_mac(const Mac *inner)
{
    Mac mac = *inner;

    mac.bytes[0] = 0xfe;
    return mac;
}

/* A driver that leaves no checksum out needs nothing switched off. */
static void offload_off(int fd, const char *name)
{
    static const guint32 commands[] = {ETHTOOL_SGRO, ETHTOOL_SGSO, ETHTOOL_STSO, ETHTOOL_SSG,
                                       ETHTOOL_STXCSUM};

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        struct ethtool_value value = {.cmd = commands[i]};
        struct ifreq request = {0};

        g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
        request.ifr_data = (char *)&value;
        (void)ioctl(fd, SIOCETHTOOL, &request);
    }
}

/* ------------------------------------------------------------------------------------- inside it */

/* Left to the kernel, an advertisement would configure the inner end. Where /proc/sys cannot be written to
 * it may, which only adds addresses that nothing uses. */
static void refuse_advertisements(void)
{
    static const char off[] = "0\n";
    const int fd = open("/proc/sys/net/ipv6/conf/" INNER "/accept_ra", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, off, strlen(off));
    close(fd);
}

static gboolean make_namespace(gpointer data, GError **error)
{
    Endpoint *endpoint = data;

    endpoint->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (endpoint->ns < 0)
        return needs(error, errno, "a network namespace", "CAP_SYS_ADMIN");
    endpoint->inside = netlink_open(NETLINK_ROUTE, error);
    return endpoint->inside != NULL;
}

static gboolean prepare_inner(gpointer data, GError **error)
{
    Endpoint *endpoint = data;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return needs(error, errno, "a socket", "CAP_SYS_ADMIN");
    endpoint->inner = if_nametoindex(INNER);
    offload_off(fd, INNER);
    close(fd);
    refuse_advertisements();
    if (endpoint->inner == 0)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "the device of the endpoint is gone");
    return TRUE;
}

/* ------------------------------------------------------------------------------------- the whole */

/* A device of ours by its name that is still there: its owner's lock is ours now, so its owner is dead. */
static gboolean remove_leftover(const char *name, Netlink *netlink, Deadline deadline, GError **error)
{
    const guint ifindex = if_nametoindex(name);
    g_autoptr(Facts) facts = facts_new();
    const Link *link;

    if (ifindex == 0)
        return TRUE;
    if (!links_read(facts, LINKS_LINKS, deadline, error))
        return FALSE;
    link = facts_link_named(facts, name);
    /* It went by itself: the kernel needs a moment to end a namespace. */
    if (!link)
        return TRUE;
    if (g_strcmp0(link->kind, "veth") != 0 || (link->alias && !g_str_has_prefix(link->alias, ALIAS)))
        return vnat_error_set(error, VNAT_ERROR_EXISTS, "there is a device %s that is not vnat's", name);
    return endpoint_link_delete(netlink, link->ifindex, deadline, NULL) || if_nametoindex(name) == 0 ||
           vnat_error_set(error, VNAT_ERROR_FAILED, "the leftover %s cannot be removed", name);
}

static void add_left(Endpoint *endpoint, const EndpointSlot *slot)
{
    const char *left = endpoint_slot_left(slot);
    g_auto(GStrv) lines = left ? g_strsplit(left, "\n", -1) : NULL;

    for (guint i = 0; lines && lines[i]; i++) {
        if (lines[i][0])
            g_ptr_array_add(endpoint->left, g_strdup(lines[i]));
    }
}

/* The notes of all dead owners become this one's, so that they are not lost should it be killed as well. */
static gboolean inherit(Endpoint *endpoint, const char *directory, GError **error)
{
    g_autoptr(GPtrArray) slots = endpoint_slots_left(directory);

    add_left(endpoint, endpoint->slot);
    for (guint i = 0; i < slots->len; i++) {
        EndpointSlot *slot = slots->pdata[i];
        const guint before = endpoint->left->len;

        add_left(endpoint, slot);
        for (guint k = before; k < endpoint->left->len; k++) {
            if (!endpoint_slot_note(endpoint->slot, endpoint->left->pdata[k], error))
                return FALSE;
        }
        endpoint_slot_forget(slot);
    }
    return TRUE;
}

static gboolean same_bridge(const Link *bridge, GError **error)
{
    char name[IF_NAMESIZE];

    if (if_indextoname(bridge->ifindex, name) && strcmp(name, bridge->name) == 0)
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "there is no bridge %s with index %u any more",
                          bridge->name, bridge->ifindex);
}

static void offload_off_outside(const Endpoint *endpoint)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    offload_off(fd, endpoint->name);
    close(fd);
}

static gboolean join_bridge(Endpoint *endpoint, const EndpointWanted *wanted, Netlink *netlink,
                            Deadline deadline, GError **error)
{
    g_autofree char *alias = g_strdup_printf(ALIAS "%.200s", wanted->alias);

    offload_off_outside(endpoint);
    return endpoint_link_alias(netlink, endpoint->ifindex, alias, deadline, error) &&
           inside(endpoint->ns, prepare_inner, endpoint, error) &&
           endpoint_link_quiet(endpoint->inside, endpoint->inner, deadline, error) &&
           endpoint_link_up(endpoint->inside, endpoint->inner, deadline, error) &&
           same_bridge(wanted->bridge, error) &&
           endpoint_link_master(netlink, endpoint->ifindex, wanted->bridge->ifindex, deadline, error) &&
           (!wanted->isolated || endpoint_link_isolate(netlink, endpoint->ifindex, deadline, error)) &&
           (!wanted->unlearned || endpoint_link_unlearn(netlink, endpoint->ifindex, deadline, error)) &&
           endpoint_link_up(netlink, endpoint->ifindex, deadline, error);
}

static gboolean make_endpoint(Endpoint *endpoint, const EndpointWanted *wanted, Deadline deadline,
                              GError **error)
{
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    EndpointPair pair = {.outer = endpoint->name,
                         .inner = INNER,
                         .outer_mac = outer_mac(&endpoint->mac),
                         .inner_mac = endpoint->mac,
                         .mtu = wanted->bridge->mtu};
    g_autoptr(GError) refused = NULL;

    if (!netlink || !same_bridge(wanted->bridge, error) ||
        !remove_leftover(endpoint->name, netlink, deadline, error))
        return FALSE;
    pair.ns = endpoint->ns;
    if (!endpoint_link_make(netlink, &pair, deadline, &refused)) {
        if (g_error_matches(refused, VNAT_ERROR, VNAT_ERROR_DENIED))
            return needs(error, EPERM, "a port on a bridge", "CAP_NET_ADMIN");
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    endpoint->ifindex = if_nametoindex(endpoint->name);
    return join_bridge(endpoint, wanted, netlink, deadline, error);
}

/* The namespace first, for whose want of rights nothing else has been touched. */
Endpoint *endpoint_open(const EndpointWanted *wanted, Deadline deadline, GError **error)
{
    g_autoptr(Endpoint) endpoint = g_new0(Endpoint, 1);

    endpoint->ns = -1;
    endpoint->left = g_ptr_array_new_with_free_func(g_free);
    if (!inside(-1, make_namespace, endpoint, error))
        return NULL;
    endpoint->slot = endpoint_slot_take(wanted->directory, error);
    if (!endpoint->slot)
        return NULL;
    endpoint->mac = slot_mac(endpoint_slot_number(endpoint->slot));
    g_snprintf(endpoint->name, sizeof(endpoint->name), "vnatp%u", endpoint_slot_number(endpoint->slot));
    if (!inherit(endpoint, wanted->directory, error) || !make_endpoint(endpoint, wanted, deadline, error))
        return NULL;
    return g_steal_pointer(&endpoint);
}

void endpoint_remove(Endpoint *endpoint)
{
    g_autoptr(Netlink) netlink = endpoint->ifindex ? netlink_open(NETLINK_ROUTE, NULL) : NULL;
    char name[IF_NAMESIZE];

    /* With its bridge it may be gone, and its number somebody else's. */
    if (netlink && if_indextoname(endpoint->ifindex, name) && strcmp(name, endpoint->name) == 0)
        endpoint_link_delete(netlink, endpoint->ifindex, deadline_in(REMOVE_SECONDS), NULL);
    endpoint->ifindex = 0;
    netlink_close(endpoint->inside);
    endpoint->inside = NULL;
    if (endpoint->ns >= 0)
        close(endpoint->ns);
    endpoint->ns = -1;
}

void endpoint_free(Endpoint *endpoint)
{
    if (!endpoint)
        return;
    endpoint_remove(endpoint);
    endpoint_slot_free(endpoint->slot);
    g_ptr_array_unref(endpoint->left);
    g_free(endpoint);
}

const char *endpoint_device(const Endpoint *endpoint)
{
    return endpoint->name;
}

guint endpoint_ifindex(const Endpoint *endpoint)
{
    return endpoint->ifindex;
}

const Mac *endpoint_mac(const Endpoint *endpoint)
{
    return &endpoint->mac;
}

guint endpoint_scope(const Endpoint *endpoint)
{
    return endpoint->inner;
}

gboolean endpoint_note(Endpoint *endpoint, const char *note, GError **error)
{
    return endpoint_slot_note(endpoint->slot, note, error);
}

const GPtrArray *endpoint_left(const Endpoint *endpoint)
{
    return endpoint->left;
}

void endpoint_forget(Endpoint *endpoint)
{
    endpoint_slot_forget(endpoint->slot);
    g_ptr_array_set_size(endpoint->left, 0);
}

/* ------------------------------------------------------------------------------------ its use */

static const char *port_state(guint8 state)
{
    static const char *const names[] = {
        [BR_STATE_DISABLED] = "disabled", [BR_STATE_LISTENING] = "listening",
        [BR_STATE_LEARNING] = "learning", [BR_STATE_FORWARDING] = "forwarding",
        [BR_STATE_BLOCKING] = "blocking",
    };

    return state < G_N_ELEMENTS(names) ? names[state] : "in an unknown state";
}

/* TRUE: something is readable; FALSE: the deadline, or cancelled. */
static gboolean wait_news(Netlink *news, int cancel, Deadline deadline)
{
    struct pollfd ready[] = {{.fd = netlink_fd(news), .events = POLLIN}, {.fd = cancel, .events = POLLIN}};
    int count;

    do
        count = poll(ready, G_N_ELEMENTS(ready), deadline_poll_ms(deadline));
    while (count < 0 && errno == EINTR && !deadline_passed(deadline));
    return count > 0 && !ready[1].revents;
}

/* A bridge whose first port this is has had no carrier until now, and drops what this host sends by it until
 * the kernel has noticed, up to a second later. */
static gboolean is_operative(const Link *bridge)
{
    return bridge && bridge->operstate == OPERSTATE_UP;
}

/* *state: of the port. *ready: it forwards, both ways. */
static gboolean read_port(const Endpoint *endpoint, Deadline deadline, guint8 *state, gboolean *ready,
                          GError **error)
{
    g_autoptr(Facts) facts = facts_new();
    const Link *link;

    if (!links_read(facts, LINKS_LINKS, deadline, error))
        return FALSE;
    link = facts_link(facts, endpoint->ifindex);
    if (!link || !link->is_port)
        return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "%s is on no bridge any more", endpoint->name);
    *state = link->port_info.state;
    *ready = *state == BR_STATE_FORWARDING && is_operative(facts_link(facts, link->master));
    return TRUE;
}

gboolean endpoint_await_forwarding(Endpoint *endpoint, int cancel, Deadline deadline, GError **error)
{
    g_autoptr(Netlink) news = netlink_open(NETLINK_ROUTE, error);
    guint8 state = BR_STATE_DISABLED;
    gboolean ready = FALSE;

    if (!news || !netlink_join(news, RTNLGRP_LINK, error))
        return FALSE;
    for (;;) {
        netlink_drain(news, NULL, NULL);
        if (!read_port(endpoint, deadline, &state, &ready, error))
            return FALSE;
        if (ready)
            return TRUE;
        if (wait_news(news, cancel, deadline))
            continue;
        return vnat_error_set(error, deadline_passed(deadline) ? VNAT_ERROR_DEADLINE : VNAT_ERROR_FAILED,
                              "the port is still %s", port_state(state));
    }
}

typedef struct {
    int domain, type, protocol;
    int fd;
} SocketCall;

static gboolean make_socket(gpointer data, GError **error)
{
    SocketCall *call = data;

    call->fd = socket(call->domain, call->type | SOCK_CLOEXEC | SOCK_NONBLOCK, call->protocol);
    return call->fd >= 0 || needs(error, errno, "a raw socket", "CAP_NET_RAW");
}

int endpoint_socket(Endpoint *endpoint, int domain, int type, int protocol, GError **error)
{
    SocketCall call = {domain, type, protocol, -1};

    return inside(endpoint->ns, make_socket, &call, error) ? call.fd : -1;
}

int endpoint_packet_socket(Endpoint *endpoint, guint16 ethertype, GError **error)
{
    const struct sockaddr_ll place = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ethertype), .sll_ifindex = (int)endpoint->inner};
    /* With protocol 0 it receives nothing before it is bound: never a frame of another device. */
    const int fd = endpoint_socket(endpoint, AF_PACKET, SOCK_RAW, 0, error);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&place, sizeof(place)) == 0)
        return fd;
    needs(error, errno, "a raw socket", "CAP_NET_RAW");
    close(fd);
    return -1;
}

gboolean endpoint_add_address(Endpoint *endpoint, const IpNet *net, const Ip *gateway, Deadline deadline,
                              GError **error)
{
    return endpoint_link_address(endpoint->inside, endpoint->inner, net, deadline, error) &&
           (gateway->family == 0 ||
            endpoint_link_default_route(endpoint->inside, endpoint->inner, gateway, deadline, error));
}
