/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-call.h"
#include "model/facts.h"

/*
 * One key of libvirt's at a time, for a follower; the readers of a whole host (sources/libvirt.h) are made of
 * the same parts. All of these call libvirt, so they run on workers. Errors are as virt_error_take gives
 * them, NOT_FOUND and UNSUPPORTED among them.
 */

/* Adds a FollowListed (sources/follow.h) for each active domain, with its state and id. */
gboolean libvirt_list_domains(virConnectPtr conn, GPtrArray *listed, GError **error);

/* The same of all networks, with whether each is active, persistent and started at boot. */
gboolean libvirt_list_networks(virConnectPtr conn, GPtrArray *listed, GError **error);

/* A domain by its UUID alone, with its state; one that is not active has the id -1. NULL with *error set. */
Domain *libvirt_fetch_domain(virConnectPtr conn, const char *uuid, GError **error);

/* A network by its UUID alone. NULL with *error set. */
Network *libvirt_fetch_network(virConnectPtr conn, const char *uuid, GError **error);

/*
 * All live leases (Lease) of a network, by its UUID. files: the daemon's files are on this host, so that the
 * status file is read where libvirt refuses it as a whole. *partial: why there may be more than these, or
 * NULL; a new string. NULL with *error set.
 */
GPtrArray *libvirt_fetch_leases(virConnectPtr conn, const char *uuid, gboolean files, char **partial,
                                GError **error);

/* What the guest's agent says of its addresses (AgentAddress); may wait for the guest. NULL with *error set.
 */
GArray *libvirt_fetch_agent(virConnectPtr conn, const char *uuid, GError **error);

/* Whether a connection's daemon keeps its files in this host's system directory: SCHEME:///system. */
gboolean libvirt_files_here(const char *uri);
