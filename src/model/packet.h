/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/firewall.h"

/*
 * What this host's rules do with one packet at one hook of the kernel's IP stack, evaluated as the kernel
 * does it: every base chain of that hook, of nftables and of both generations of iptables, in the order of
 * priorities, with jumps, gotos, returns and policies. An accept ends its base chain only, a drop ends all.
 *
 * A rule that cannot be evaluated may match or not: both ways are followed. Where they lead to one verdict
 * that is the verdict, else it is PACKET_UNKNOWN and the rule is among the doubts.
 *
 * The packet is taken to be the first that these rules see: what limits a rate or a number of connections is
 * not yet used up. It is whole (no fragment, no IPv6 extension headers) and no part of IPsec.
 */

typedef enum { PACKET_ACCEPT, PACKET_DROP, PACKET_REJECT, PACKET_UNKNOWN } PacketVerdict;

/* "accept", "drop", "reject", "unknown". */
const char *packet_verdict_name(PacketVerdict verdict);

/* Connection tracking's word for it. */
typedef enum { PACKET_NEW, PACKET_ESTABLISHED, PACKET_RELATED, PACKET_INVALID, PACKET_UNTRACKED } PacketState;

/* To whom its frame was sent. */
typedef enum { PACKET_TO_HOST, PACKET_TO_ALL, PACKET_TO_GROUP } PacketCast;

/*
 * Who looks at it. A packet is a frame, too, on a bridge and a device: there its devices are the bridge's
 * ports, or the device.
 */
typedef enum {
    PACKET_AT_IP,     /* the kernel's IP stack: families ip, ip6, inet */
    PACKET_AT_ARP,    /* its ARP: family arp */
    PACKET_AT_BRIDGE, /* a bridge: family bridge */
    PACKET_AT_DEVICE, /* a device, where frames come in or go out: family netdev, and inet */
} PacketPlace;

/* All zero means: not there, or the usual. Texts are borrowed. */
typedef struct {
    PacketPlace place;
    gboolean arp; /* it is a request or answer of ARP: src and dst, of family 4, are what it says of both, mac
                     and mac_to likewise, operation 1 or 2; no IP, and no protocol */
    guint8 family;             /* 4 or 6 */
    const char *in, *out;      /* devices; NULL: none at that hook */
    guint in_index, out_index; /* theirs; 0: not known */
    const char *in_port;       /* the bridge's port that it came in by; NULL: not known, or none */
    gboolean bridged;          /* goes from port to port of one bridge, whose filter asks these rules */
    Ip src, dst;               /* family 0: not known */
    guint8 protocol;           /* IPPROTO_TCP, UDP, ICMP, ICMPV6 */
    guint16 sport, dport;      /* 0: not known */
    guint8 icmp_type, icmp_code;
    gboolean has_mac; /* mac is known */
    Mac mac;          /* the frame's source */
    gboolean has_mac_to;
    Mac mac_to;         /* its destination */
    const char *bridge; /* of PACKET_AT_BRIDGE */
    guint8 operation;   /* of ARP */
    PacketState state;
    gboolean reply; /* goes against the direction in which its connection was begun */
    Tri snat, dnat; /* whether its connection's source or destination is translated */
    PacketCast cast;
    guint32 mark, mark_unknown; /* the mark, and those of its bits that are not known */
} Packet;

/* Where a verdict comes from. Tables, chains and rules are the facts' own. */
typedef struct {
    PacketVerdict verdict;
    const FirewallTable *table;
    const FirewallChain *base;  /* the chain at the hook */
    const FirewallChain *chain; /* where it was decided: base, or one that it led to */
    const FirewallRule *rule;   /* which rule of chain; NULL: base's policy */
    gboolean unsure;   /* the verdict is certain, but an earlier rule that could not be evaluated may be what
                          decides */
    const char *owner; /* who makes such chains: "Docker", "ufw", "firewalld", …; NULL: not known. Static */
} PacketStep;

typedef struct {
    PacketVerdict verdict;
    Tri blocked;     /* TRI_YES: dropped or rejected, whichever; TRI_UNKNOWN: it may pass or not */
    GArray *steps;   /* PacketStep: each base chain that it reached, in order, up to the one that ended it */
    GArray *doubts;  /* PacketStep: rules that could not be evaluated, of which PACKET_UNKNOWN comes */
    const char *why; /* of PACKET_UNKNOWN where no single rule is to blame; else NULL. Static */
    guint32 mark, mark_unknown; /* the packet's mark behind the hook, as in Packet */
    PacketState state;          /* and its state: a rule may have said not to track it */
} PacketResult;

/*
 * hook: "prerouting", "input", "forward", "output", "postrouting"; of ARP "input" and "output"; of a device
 * "ingress" and "egress". Facts that are used: firewall; routes for
 * what asks for the type of an address; links for the kind of a device; proc for what bridges hand to the
 * filter. Without facts of the firewall the verdict is unknown; where they are partial or old (stale) an
 * accept is. Time and memory are bounded whatever the rules are. New result; free with packet_result_free.
 */
PacketResult *packet_evaluate(const Facts *facts, const char *hook, const Packet *packet);

/*
 * The same of a part of the hook's base chains. Translating is one step of a hook, at a place of its own,
 * whatever the priorities of the chains are that decide about it; what stands behind it sees the new
 * addresses.
 */
typedef enum { PACKET_BEFORE_NAT, PACKET_NAT, PACKET_BEHIND_NAT, PACKET_WHOLE } PacketPart;
PacketResult *packet_evaluate_part(const Facts *facts, const char *hook, const Packet *packet,
                                   PacketPart part);
void packet_result_free(PacketResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacketResult, packet_result_free)

/* The step that refused the packet, or the first doubt; NULL: it was accepted, or why says more. */
const PacketStep *packet_cause(const PacketResult *result);

/* "table ip filter, chain FORWARD: policy drop (Docker)", "table inet f, chain c: ip saddr 10.0.0.1 drop".
 * New string. */
char *packet_step_text(const PacketStep *step);

/*
 * The type of an address as the kernel's routing tables have it: the number of a ROUTE_*. device: "as seen
 * from that one", by index; 0: from any. -1: the facts do not tell.
 */
gint packet_address_type(const Facts *facts, const Ip *ip, guint device);
