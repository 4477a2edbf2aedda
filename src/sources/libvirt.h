/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt.h"
#include "model/facts.h"

/*
 * libvirt's side of the facts. Each reader fills its part of facts (replacing what was there) and sets the
 * source's status; on FALSE nothing of facts' data was changed, the status is down (stale where facts were
 * read before; absent where the driver has no networks) and *error says why. Partial answers (one domain's
 * XML hangs) return TRUE with the source stale. Networks and domains are one source: reading the networks
 * begins anew, reading domains after them can only make it worse.
 */

typedef enum { LIBVIRT_NETWORKS_ACTIVE, LIBVIRT_NETWORKS_ALL } LibvirtNetworks;

/* All networks of that kind into facts->networks, by name. */
gboolean libvirt_read_networks(VirtConn *conn, Facts *facts, LibvirtNetworks which, Deadline deadline,
                               GError **error);

/*
 * One network by name or UUID, added to facts->networks unless it is there already. inactive: read the
 * persistent definition instead of the live one. Errors: VNAT_ERROR_NOT_FOUND.
 */
Network *libvirt_read_network(VirtConn *conn, Facts *facts, const char *name_or_uuid, gboolean inactive,
                              Deadline deadline, GError **error);

/* All active domains (running or paused) with their interfaces, by name; all: the inactive ones too. */
gboolean libvirt_read_domains(VirtConn *conn, Facts *facts, gboolean all, Deadline deadline, GError **error);

/*
 * One domain by id, UUID or name (virsh's order), added to facts->domains. inactive: the persistent
 * definition's interfaces. Errors: VNAT_ERROR_NOT_FOUND.
 */
Domain *libvirt_read_domain(VirtConn *conn, Facts *facts, const char *which, gboolean inactive,
                            Deadline deadline, GError **error);

/* Names of all domains / networks, for completion and suggestions. NULL-terminated; free with g_strfreev. */
char **libvirt_domain_names(VirtConn *conn, Deadline deadline, GError **error);
char **libvirt_network_names(VirtConn *conn, Deadline deadline, GError **error);

/*
 * Leases of the networks in facts->networks that have an <ip>, into facts->leases, through libvirt's API; of
 * an inactive one too, unless its bridge is another's now. Where the API refuses a file as a whole because of
 * one bad entry and the host is local, the status file is read instead (lease_file_parse): good entries are
 * taken, and the source is stale. A driver without leases: absent.
 */
gboolean libvirt_read_leases(VirtConn *conn, Facts *facts, Deadline deadline, GError **error);

/*
 * Asks the guest agents of the running domains in facts->domains whose agent is connected for their addresses
 * (at most this many seconds); needs a read-write connection. Domains that do not answer keep an empty list.
 * With required, the source's status tells of those; without, the status is left alone.
 */
void libvirt_read_agents(VirtConn *conn, Facts *facts, gboolean required, Deadline deadline);

/* The network's XML as libvirt gives it. Errors: VNAT_ERROR_NOT_FOUND. */
char *libvirt_network_xml(VirtConn *conn, const char *name_or_uuid, gboolean inactive, Deadline deadline,
                          GError **error);

/* -------------------------------------------- pure parsers (unit-tested on recorded bytes, fuzzed) */

/* <domain>: name, uuid, id, interfaces, agent channel. length in bytes, at most 4 MiB. Errors:
 * VNAT_ERROR_INVALID. */
Domain *libvirt_parse_domain(const char *xml, gsize length, GError **error);

/* <network>. active, persistent and autostart are not in XML and stay FALSE. Errors: VNAT_ERROR_INVALID. */
Network *libvirt_parse_network(const char *xml, gsize length, GError **error);

/*
 * A status file of libvirt's leases helper (/var/lib/libvirt/dnsmasq/BRIDGE.status): a JSON array of objects
 * with ip-address, mac-address, hostname, client-id, iaid, expiry-time. An empty file is an empty list.
 * Entries that are not of that form are skipped and counted in *bad. Returns Leases (network fields unset);
 * NULL with VNAT_ERROR_INVALID for a document that is not one.
 */
GPtrArray *lease_file_parse(const char *json, gsize length, guint *bad, GError **error);
