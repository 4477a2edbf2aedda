/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>

/*
 * Frames and messages that an endpoint sends and receives, as bytes: ARP (RFC 826), UDP over IPv4 over
 * Ethernet (RFC 768, 791), echoes (RFC 792, 4443), router and neighbour discovery (RFC 4861). Builders return
 * new bytes, to be freed with g_byte_array_unref. Parsers take bytes of anybody, and say TRUE only for a
 * whole, well-formed message of their kind; what they return is a copy. Pure.
 */

extern const Mac mac_broadcast;

/* ---------------------------------------------------------------------------------------- ARP, IPv4 */

typedef struct {
    guint16 operation; /* 1 request, 2 answer */
    Mac from_mac, to_mac;
    Ip from, to;
} ArpMessage;

/* A request by mac for to, to everybody. from unspecified ("0.0.0.0"): only asks, and teaches nobody (RFC
 * 5227). */
GByteArray *arp_request(const Mac *mac, const Ip *from, const Ip *to);
gboolean arp_parse(const void *bytes, gsize length, ArpMessage *message);

typedef struct {
    Mac from_mac, to_mac;
    Ip from, to;
    guint16 from_port, to_port;
    const guint8 *payload; /* in the bytes that were parsed */
    gsize length;
} UdpFrame;

/* Both checksums are made. */
GByteArray *udp_frame(const UdpFrame *frame);
/* IPv4's checksum must be right, UDP's where there is one; no fragments. */
gboolean udp_frame_parse(const void *bytes, gsize length, UdpFrame *frame);

/* -------------------------------------------------------------------------------------------- echoes */

/* An echo request of ICMP (family 4; with its checksum) or ICMPv6 (6: the kernel makes the checksum). */
GByteArray *echo_request(guint8 family, guint16 id, guint16 sequence);

typedef enum { ECHO_NOTHING, ECHO_ANSWER, ECHO_UNREACHABLE } EchoKind;

/*
 * What came in by a raw socket of that family (of IPv4 with its header): the answer to that request, or an
 * error about it. code: of ECHO_UNREACHABLE, ICMP's own.
 */
EchoKind echo_parse(guint8 family, const void *bytes, gsize length, guint16 id, guint8 *code);

/* --------------------------------------------------------------------------------------- discovery */

/* ICMPv6 messages without checksum, which the kernel makes. */
GByteArray *router_solicitation(const Mac *mac);
GByteArray *neighbour_solicitation(const Mac *mac, const Ip *target);

typedef struct {
    gboolean managed;    /* addresses by DHCPv6 */
    guint16 lifetime;    /* seconds as a default router; 0: none */
    gboolean has_prefix; /* one that addresses may be made of (A) */
    IpNet prefix;
} RouterAdvertisement;

gboolean router_advertisement_parse(const void *bytes, gsize length, RouterAdvertisement *message);
/* target: whose MAC it tells. FALSE also where it tells none. */
gboolean neighbour_advertisement_parse(const void *bytes, gsize length, Ip *target, Mac *mac);

/* The group that a neighbour listens to for questions about its address. */
Ip solicited_group(const Ip *target);
/* The address of an interface with this MAC in a prefix (RFC 4291, appendix A); fe80::/64: link-local. */
Ip interface_address(const Ip *prefix, const Mac *mac);
