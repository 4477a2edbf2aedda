/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/packet.h"

/*
 * Packets of guests that are typical of a network, for questions that are about no certain one. Texts of a
 * packet are those of the facts and the network, which must outlive it.
 */

/* What a guest sends to find out whether it gets through. */
typedef enum { GUEST_WEB, GUEST_SHELL, GUEST_NAMES, GUEST_ECHO, GUEST_PROBES } GuestProbe;

/* The side that is not the guest's: where a packet leaves this host to, or comes from. */
typedef struct {
    const char *device;
    guint ifindex;
    Ip peer; /* an address there; family 0: any, one of the public internet */
} Outside;

/*
 * Where packets of the network's guests leave this host: by the device that <forward dev=> names, else by the
 * route of the main table to the public internet, else by its widest route of a device that is no bridge.
 * FALSE: there is no such route, or routes and links were not read.
 */
gboolean packet_outside(const Facts *facts, const Network *network, guint8 family, Outside *outside);

/* A well-known host of the internet, for questions about what has no address of its own. Nothing is sent
 * there. */
Ip packet_public_address(guint8 family);

/*
 * An address that a guest yet to come may get: the first of the DHCP ranges that nobody has, without a range
 * the next to the gateway's. Rules for one guest do not speak of it. Where many from the first on are taken,
 * the first. FALSE: the network has no subnet of that family.
 */
gboolean packet_guest_address(const Facts *facts, const Network *network, guint8 family, Ip *address);
/* That one, and behind it those that are leased, up to a number that is enough for a rule about all. New
 * array of Ip; empty where the above is FALSE. */
GArray *packet_guest_addresses(const Facts *facts, const Network *network, guint8 family);

/* A new connection from a guest to the outside, at the forward hook. */
Packet packet_from_guest(const Facts *facts, const Network *network, const Ip *guest, const Outside *outside,
                         GuestProbe probe);
/* The same from a guest to another one to come, as a frame that the bridge hands to the filter. */
Packet packet_to_neighbour(const Facts *facts, const Network *network, const Ip *guest, GuestProbe probe);
/*
 * Whether frames from port to port of this bridge are handed to the filter of that family. setting (may be
 * NULL): what says so, a path of facts->proc; NULL: the bridge's own setting.
 */
Tri packet_bridge_asks(const Facts *facts, const Link *bridge, guint8 family, const char **setting);

/* The answer to a packet: addresses, ports and devices change sides. */
Packet packet_reply(const Packet *packet);

/* What a guest asks the host itself for, at the input hook: DHCP (67, 547), and DNS (53) of gateway. */
Packet packet_for_dhcp(const Facts *facts, const Network *network, guint8 family);
Packet packet_for_dns(const Facts *facts, const Network *network, const Ip *guest, const Ip *gateway);

/*
 * A packet of a guest as the frame that the network's bridge sees first, at its prerouting and input hooks.
 * It comes by the port of a guest that is yet to be started: rules for one port alone do not speak of it.
 */
Packet packet_as_frame(const Facts *facts, const Network *network, const Packet *packet);
