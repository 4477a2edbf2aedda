/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/path.h"
#include "model/route.h"
#include "model/translation.h"

/*
 * The parts of a way: path.c asks what the packet is and puts the legs together, path-bridge.c goes from and
 * to taps, path-frame.c by the rules that ask for frames, path-host.c through this host's IP stack: chains,
 * translation, routes. path-text.c has the sentences.
 */

/* On its way: the packet as it is by now. A leg that is over goes no further. */
typedef struct {
    const Facts *facts;
    const Map *map;
    Path *path;
    const Link *bridge; /* of path->network; NULL: there is none */
    PathLeg leg;
    Packet packet;
    gboolean over;
    Tri translated;     /* whether the source of its connection is translated */
    gboolean forwarded; /* its target was translated */
    Ip source, target;  /* the addresses before that, which the answer gets back */
    Ip next;            /* where its route sends it first: a gateway, or its target */
} PathWalk;

/* Adds a hop; takes a printf format for its detail. The hop is the path's. */
PathHop *path_add(PathWalk *walk, PathKind kind, PacketVerdict verdict, const char *name, const char *format,
                  ...) G_GNUC_PRINTF(5, 6);

/* ------------------------------------------------------------------------------------------------ bridge */

/* The guest's own tap, bridge and address, on which its packets begin. */
void path_leave_guest(PathWalk *walk);
/* From the bridge to the guest that has the packet's target. From this host, or (bridged) from another port.
 */
void path_reach_guest(PathWalk *walk, const Link *bridge, const char *from_port);

/* The row of the map with this address on this bridge, or NULL. */
const MapRow *path_row_of(const Map *map, const char *bridge, const Ip *ip);

/* Whether this host asked there for the address's MAC, and nobody answered. */
gboolean path_is_silent(const Facts *facts, const Link *link, const Ip *ip);

/* ------------------------------------------------------------------------------------------------ frames */

/* The guest asks for its gateway's MAC, before its first packet. */
void path_ask_gateway(PathWalk *walk);
/* The packet comes in by its device, up to the IP stack: from a guest's tap, or an uplink. */
void path_enter(PathWalk *walk);
/* And leaves by its device, behind the IP stack. To the path's own guest, where the way begins elsewhere,
 * this host asks for its MAC first. */
void path_leave(PathWalk *walk);
/* From one guest of the path's bridge to another one; the first asks for the other's MAC on the leg there. */
void path_cross(PathWalk *walk);

/* -------------------------------------------------------------------------------------------------- host */

/* A base chain that the packet came to, and what it did. The hop is the path's. */
PathHop *path_step_hop(PathWalk *walk, const char *hook, const PacketResult *result, const PacketStep *step);

/* Every base chain of a hook, and what they translate. */
void path_hook(PathWalk *walk, const char *hook);
/* The same for frames from port to port, where the bridge asks these rules. */
void path_bridged(PathWalk *walk);
/* A packet that came in: to a socket of this host, or out by another device. */
void path_route(PathWalk *walk);
/* An answer of this host itself. */
void path_send(PathWalk *walk);
/* Turns the packet round: what came there goes back. */
void path_turn(PathWalk *walk, PathLeg leg);

/* ------------------------------------------------------------------------------------------------ words */

/* Summary, verdict and lesson of a way whose hops are known. */
void path_tell(const Facts *facts, const Map *map, Path *path);
/* Rules of this host that lead to the guest. */
void path_add_forwards(PathWalk *walk);
