/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/finding.h"
#include "model/map.h"
#include "model/packet.h"

/*
 * The way of one packet of a guest, or to a guest, through this host, hop by hop, as the facts tell it: tap,
 * bridge, address, routes, base chains, translation, and the way of the answer. A pure function of its
 * arguments: nothing is sent.
 *
 * A hop that cannot be told (facts are missing, a rule cannot be evaluated) is PACKET_UNKNOWN, and the way
 * goes on behind it, for what is refused later is refused all the same. PACKET_DROP and PACKET_REJECT end a
 * way.
 */

typedef enum { PATH_TAP, PATH_BRIDGE, PATH_ADDRESS, PATH_ROUTE, PATH_CHAIN, PATH_NAT } PathKind;

/* "tap", "bridge", "address", "route", "chain", "nat". Static. */
const char *path_kind_name(PathKind kind);

/* "pass" for PACKET_ACCEPT, else packet_verdict_name. Static. */
const char *path_verdict_name(PacketVerdict verdict);

/*
 * The legs of a way: from the guest to the peer and the answer's way back; from the peer to the guest's own
 * address and the answer, and from the peer to the address of this host that stands in for the guest's.
 */
typedef enum { PATH_THERE, PATH_BACK, PATH_TO_GUEST, PATH_FROM_GUEST, PATH_TO_HOST, PATH_LEGS } PathLeg;

/* "there", "back", "to-guest", "from-guest", "to-host". Static. */
const char *path_leg_name(PathLeg leg);

typedef struct {
    PathKind kind;
    PathLeg leg;
    char *name; /* tap, bridge, address, "ip filter FORWARD" */
    PacketVerdict verdict;
    char *rule;        /* the deciding rule as its tool shows it; NULL: none, or a policy */
    const char *owner; /* who makes such rules; static; NULL: not known */
    char *detail;
    const char *hook; /* of a chain or translation; static; else NULL */
    PacketStep step;  /* likewise, in the facts; table NULL for none */
    gboolean frame;   /* it asks for frames, before or behind the IP stack */
    const char *of;   /* of a frame that the packet waits for: "the guest's ARP request"; static; NULL: it is
                         the packet's own */
} PathHop;

typedef struct {
    const char *domain;    /* id, name or UUID of an active domain in the map */
    const char *interface; /* its tap, MAC or alias; NULL: the one that leads to the peer */
    gboolean inbound;      /* from the peer to the guest */
    Ip peer;               /* family 0: this host's default gateway, or without one a host of the internet */
    guint8 protocol;       /* IPPROTO_TCP, UDP; 0: an echo */
    guint16 port;          /* of TCP and UDP: the server's */
} PathQuestion;

typedef struct {
    const MapRow *row;      /* in the map */
    GPtrArray *others;      /* MapRow, in the map: the domain's other interfaces, where none was asked for */
    const Network *network; /* in the facts; NULL: none of libvirt's is known behind the interface */
    gboolean address_known; /* FALSE: guest is one that the network might give it */
    Ip guest, peer;
    gboolean inbound;
    gboolean bridged; /* from port to port of the guest's bridge */
    Packet packet; /* as it begins: from the bridge, or of inbound from the device that leads to the peer */
    gboolean from_host;    /* of inbound: the peer is this host itself */
    gboolean forwarded;    /* of inbound: a rule leads from this host's address to the guest */
    Ip outside;            /* what the peer sees as the guest's address; family 0: not told */
    GPtrArray *hops;       /* PathHop */
    PacketVerdict verdict; /* of the whole way: there and back; inbound: to either address */
    const PathHop *cause;  /* in hops: the one that the verdict comes from; NULL: all pass */
    char *summary;         /* the verdict in one sentence */
    char *lesson;          /* of inbound, but from this host: why it is so, by its facts; else NULL */
    GPtrArray *forwards;   /* of inbound: char *: rules that lead to the guest from an address of this host */
    GPtrArray *checks;     /* ids that found why it is refused, by path_blame; static */
    char *remedy;          /* the first one's; NULL: none has */
} Path;

/* Errors: NOT_FOUND (no such domain or interface), FAILED (it does not run, has no interface). */
Path *path_find(const Facts *facts, const Map *map, const PathQuestion *question, GError **error);
/*
 * Names the checks among findings that look at such hops as the one that refuses the packet, and found
 * something about its host, network or interface. Of inbound none: that nobody gets in is no fault.
 */
void path_blame(Path *path, const GPtrArray *findings);
void path_free(Path *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Path, path_free)
