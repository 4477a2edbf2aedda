/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt.h"
#include "commands/command.h"
#include "model/facts.h"
#include "model/map.h"
#include "sources/reader.h"

/*
 * The world as a command sees it: one host, this one or a captured one, and one set of facts, read as far as
 * the command needs them. Every command reads through here, so that they cannot disagree.
 */
typedef struct {
    Context *ctx;
    VirtConn *conn; /* NULL with --replay; what changes something, which is refused then, goes over it */
    Reader *reader;
    const Capture *capture; /* the reader's, with --replay; else NULL */
    Facts *facts;
} World;

typedef enum {
    WANT_NETWORKS = 1 << 0,     /* active networks */
    WANT_ALL_NETWORKS = 1 << 1, /* inactive ones too */
    WANT_DOMAINS = 1 << 2,      /* active domains */
    WANT_ALL_DOMAINS = 1 << 3,  /* inactive ones too */
    WANT_LEASES = 1 << 4,
    WANT_LINKS = 1 << 5, /* links, addresses, forwarding table */
    WANT_ROUTES = 1 << 6,
    WANT_NEIGHBOURS = 1 << 7,
    WANT_AGENT = 1 << 8, /* what agents say, as a bonus: their silence makes no answer incomplete */
    WANT_AGENT_REQUIRED = 1 << 9,
    WANT_PROCESSES = 1 << 10,
    WANT_SOCKETS = 1 << 11,
    WANT_FIREWALL = 1 << 12,
    WANT_PROC = 1 << 13, /* the kernel's settings */
    WANT_FIREWALLD = 1 << 14,
    WANT_GUESTS = 1 << 15, /* since when guests run */
    WANT_CONNTRACK = 1 << 16,
} Wants;

/* Everything that `map` and its relatives read. */
#define WANT_MAP (WANT_NETWORKS | WANT_DOMAINS | WANT_LEASES | WANT_LINKS | WANT_NEIGHBOURS | WANT_AGENT)

/* Opens the connection. NULL: *code is the exit code, the error has been printed. */
World *world_open(Context *ctx, int *code);
/* Likewise without printing: *error says why, and nothing is left. For a command that reads again and again,
 * also after the daemon was restarted. */
World *world_open_again(Context *ctx, GError **error);
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/*
 * The same for who goes on without libvirt: where it cannot be reached, in the better part of the time, the
 * world has no connection, and *failed says why. NULL: the captured host that is to be read cannot be.
 */
World *world_open_partly(Context *ctx, GError **failed, GError **error);

/*
 * Reads what is wanted as far as it can be read. failed, one for each CapturePart: CAPTURE_CONNECTION says
 * why there is no connection (world_open_partly), the others get what could not be read of libvirt; what else
 * could not be read stands in the sources' states. Libvirt has the better part of the time that is left.
 */
void world_read_partly(World *world, Wants wants, GError *failed[CAPTURE_PARTS]);

/* The same of everything, and keeps the text of it. */
void world_read_all(World *world, Capture *capture);

/*
 * Reads what is wanted. FALSE: libvirt itself could not be read, *error says why. What else could not be read
 * stands in the sources' states.
 */
gboolean world_read(World *world, Wants wants, GError **error);

/*
 * One domain with everything about it: its interfaces (persistent ones with inactive), its networks, their
 * leases, links, neighbours, agent. Errors: NOT_FOUND with a suggestion.
 */
Domain *world_read_domain(World *world, const char *which, gboolean inactive, Wants wants, GError **error);

/* One network with what is wanted beside it. Errors: NOT_FOUND with a suggestion. */
Network *world_read_network(World *world, const char *which, gboolean inactive, Wants wants, GError **error);

/*
 * The map of what was read, with the problems that its facts show. A guest that starts or ends between two
 * readings looks like a fault: where one shows, everything is read once more.
 */
Map *world_map(World *world, Wants wants, GError **error);

/*
 * The exit code of an answer: EXIT_OK, or EXIT_INCOMPLETE with a line on stderr for each source that was
 * stale or down.
 */
int world_code(const World *world);
/* The same after world_read_all, which asks agents whether there are any or not. */
int world_capture_code(const World *world);
