/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

#include <glib.h>

/*
 * An endpoint is a place on a network's bridge from which packets can be sent as a guest would send them: a
 * network namespace of its own, joined to the bridge by a veth pair whose outer end is a port vnatpN. The
 * inner end has a locally administered MAC of the number N, no address, no IPv6 of its own accord and no
 * offloads, so that every checksum on the wire is a real one.
 *
 * What is left when its owner dies: nothing. The namespace has no name and no process; descriptors alone keep
 * it, so the kernel ends it with its owner, however that ends, and the veth pair with it (some ten
 * milliseconds later; a device of the same number that is still there, known by name and ifalias, is removed
 * by the next endpoint). The number is a slot (actions/endpoint-slot.h), a lock that the kernel frees in the
 * same moment: so two endpoints at once never have the same number, and none takes a living one's device for
 * a leftover. What packets leave in the host beside it (neighbours, connections, leases) its owner notes in
 * the slot before they are sent, and the next one is told of them.
 *
 * Needs CAP_SYS_ADMIN (the namespace), CAP_NET_ADMIN (the pair) and CAP_NET_RAW (raw packets), and says
 * which one is missing. The calling thread, and the process, stay in the namespace that they are in.
 */
typedef struct Endpoint Endpoint;

typedef struct {
    const Link *bridge;    /* as the facts have it */
    const char *alias;     /* behind the ifalias "vnat endpoint: ", for who lists links; one line */
    gboolean isolated;     /* the network has <port isolated='yes'/> */
    gboolean unlearned;    /* the bridge learns no MAC by this port: frames may have somebody else's */
    const char *directory; /* of the slots; NULL: /run/vnat-probe */
} EndpointWanted;

/*
 * Takes a slot, makes namespace and pair, puts the port on the bridge, up and isolated as wanted. It may
 * not forward yet. Errors: DENIED, NOT_FOUND (no such bridge any more), DEADLINE, EXISTS (all slots are
 * taken), FAILED; nothing is left then.
 */
Endpoint *endpoint_open(const EndpointWanted *wanted, Deadline deadline, GError **error);

/*
 * Takes pair and namespace away; a namespace lives on as long as sockets in it are open, but without the
 * pair. Twice is once. Its slot stays until endpoint_free, so that what is to be undone in the host is undone
 * when no further packet can come.
 */
void endpoint_remove(Endpoint *endpoint);
/* Removes it, and gives its slot back. */
void endpoint_free(Endpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Endpoint, endpoint_free)

/* The port's name and index, and the MAC of the inner end, which frames are sent from. */
const char *endpoint_device(const Endpoint *endpoint);
guint endpoint_ifindex(const Endpoint *endpoint);
const Mac *endpoint_mac(const Endpoint *endpoint);
/* The inner end's index in its namespace: the scope of a link-local address there. */
guint endpoint_scope(const Endpoint *endpoint);

/* Whether a MAC is that of any endpoint; pure. */
gboolean endpoint_owns_mac(const Mac *mac);

/*
 * Waits until the bridge forwards what comes in by the port, and this host what it sends there, told by the
 * kernel. cancel: a descriptor; when
 * it is readable the wait ends; -1: none. Errors: DEADLINE, with the state that it is in; NOT_FOUND (the
 * port, or its bridge, is gone), FAILED (also: cancelled).
 */
gboolean endpoint_await_forwarding(Endpoint *endpoint, int cancel, Deadline deadline, GError **error);

/*
 * A socket in the namespace, usable from every thread; its options are SOCK_CLOEXEC and SOCK_NONBLOCK. The
 * caller closes it. -1 with DENIED or FAILED.
 */
int endpoint_socket(Endpoint *endpoint, int domain, int type, int protocol, GError **error);

/*
 * A packet socket bound to the inner end: whole frames, Ethernet header included, in and out. ethertype: of
 * what is received (ETH_P_ARP; ETH_P_ALL), host order. As endpoint_socket.
 */
int endpoint_packet_socket(Endpoint *endpoint, guint16 ethertype, GError **error);

/*
 * Gives the inner end an address, which is not looked for elsewhere first (no duplicate detection), and a
 * default route over a gateway; family 0: none. From then on its kernel answers for the address as a guest's
 * would. Errors: DENIED, DEADLINE, FAILED.
 */
gboolean endpoint_add_address(Endpoint *endpoint, const IpNet *net, const Ip *gateway, Deadline deadline,
                              GError **error);

/*
 * Notes for the next owner, see actions/endpoint-slot.h. endpoint_left: what dead owners noted, a line each;
 * char *, owned by the endpoint. endpoint_forget: all of both is undone.
 */
gboolean endpoint_note(Endpoint *endpoint, const char *note, GError **error);
const GPtrArray *endpoint_left(const Endpoint *endpoint);
void endpoint_forget(Endpoint *endpoint);
