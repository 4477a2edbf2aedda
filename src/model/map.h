/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"

#include <glib.h>

/*
 * The map: who is behind what. One row for each interface of a domain and for each port of a libvirt bridge
 * that no domain claims. The join is pure: the same facts and time give the same map, byte for byte.
 *
 * What a row says of a fact that was not read or not given is "none" (NULL, 0, -1), never a guess:
 *  - tap is libvirt's word; ifindex, host_mac, bridge, carrier are the kernel's, set only where links were
 * read and a link of the tap's name exists;
 *  - a lease is a guest's claim: it is attributed only if its MAC is in a domain's XML on that lease's
 * network and its address lies inside that network, and to one domain only: the one that runs;
 *  - a domain that does not run has no addresses, though a lease may be attributed to it; on a network that
 * is not active a lease is no address;
 *  - a neighbour entry counts if it is on the network's bridge, has the interface's MAC, and is neither
 * FAILED nor INCOMPLETE.
 */

typedef enum { ADDRESS_LEASE, ADDRESS_AGENT, ADDRESS_NEIGHBOUR, ADDRESS_SOURCE_COUNT } AddressSource;

/* "lease", "agent", "neighbour". */
const char *address_source_name(AddressSource source);

typedef struct {
    Ip ip;
    gint prefix;          /* -1: unknown */
    AddressSource source; /* the best evidence */
    guint sources;        /* all evidence: bits 1 << AddressSource */
    char *hostname;       /* from the lease; NULL */
    char *client_id;      /* from the lease; NULL */
    gboolean has_expiry;  /* FALSE: no lease, or an infinite one */
    gint64 expiry;
} Address;

typedef struct {
    char *domain, *domain_uuid;
    gint domain_id;           /* -1: none */
    gboolean has_domain;      /* FALSE: a port that no domain claims */
    gboolean interface_known; /* FALSE: the domain's XML could not be read */
    DomainState domain_state;
    guint order; /* position in the domain's XML */
    char *alias, *type, *source;
    char *network, *network_uuid; /* the libvirt network: by name, or by the bridge it sits on */
    char *model;
    gboolean has_mac;
    Mac mac;
    char *tap;
    guint ifindex; /* 0: unknown */
    gboolean has_host_mac;
    Mac host_mac;
    char *bridge;         /* the kernel's */
    char *network_bridge; /* libvirt's */
    guint mtu;            /* the kernel's; 0: unknown */
    LinkClaim link;
    gint carrier;         /* 1, 0, -1 */
    GPtrArray *addresses; /* Address: lease (latest expiry first), agent, neighbour; link-local last */
    GPtrArray *problems;  /* const char *: ids of checks */
} MapRow;

void map_row_free(MapRow *row);

/* The map's order of rows: by network, domain, XML order, tap. Compares elements (MapRow *) for
 * g_ptr_array_sort. */
gint map_row_compare(gconstpointer a, gconstpointer b);

/* Best evidence first: lease (latest expiry first), agent, neighbour. Compares elements (Address *) for
 * g_ptr_array_sort. */
gint address_compare_evidence(gconstpointer a, gconstpointer b);

/* A lease as net-dhcp-leases shows it, with whom it was attributed to. */
typedef struct {
    const Lease *lease; /* in facts, which must outlive the record */
    const MapRow *row;  /* in the map; NULL: not attributed */
} MapLease;

typedef struct {
    GPtrArray
        *rows; /* MapRow: by network, domain, XML order; unclaimed ports after the domains of their network */
    GPtrArray *leases; /* MapLease: by network, MAC, address */
} Map;

/* Joins. The result refers to facts through MapLease alone; everything else is its own. */
Map *map_join(const Facts *facts);
void map_free(Map *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Map, map_free)

/* Puts the ids of findings about interfaces into the problems of their rows. */
void map_attach(Map *map, const GPtrArray *findings);

/* Whether the text is the id of a row's running domain, as virsh has it. */
gboolean map_row_has_id(const MapRow *row, const char *text);

/* Whether a row is what the text names: its tap, MAC, an address, a hostname, the domain's name, id or
 * UUID. */
gboolean map_row_matches(const MapRow *row, const char *text);

/*
 * Whether a row is on the network of this name: the domain's XML names it, or the row's bridge is its. By
 * name, for where the network was not read, a row knows no more of it.
 */
gboolean map_row_is_on(const MapRow *row, const char *network);

/* The rows on a network (NULL: all), and those that map_row_matches takes, in the map's order. They stay the
 * map's; free with g_ptr_array_unref. */
GPtrArray *map_rows_on(const Map *map, const char *network);
GPtrArray *map_rows_matching(const Map *map, const char *text);

/* The interface in facts that the row was joined from; NULL: none, or its domain is not among them. */
const DomainInterface *map_row_interface(const Facts *facts, const MapRow *row);

/* What a finding calls the row: its tap, else its MAC, else its alias or domain. New string. */
char *map_row_name(const MapRow *row);

/* The row's best address, or NULL; skips link-local ones. */
const Address *map_row_address(const MapRow *row);
