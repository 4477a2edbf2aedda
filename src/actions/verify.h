/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

#include <glib.h>

/*
 * Whether a network that libvirt calls started works on this host: its bridge is up with its addresses, its
 * dnsmasq lives and listens, its NAT rules are there.
 */

/* Told each time something is still missing (strings), for progress; may be NULL. */
typedef void (*VerifyWaiting)(const GPtrArray *missing, gpointer user_data);

/*
 * Reads links, processes and firewall into facts and looks, again and again as the kernel tells of changes,
 * until nothing is missing or the deadline passes. *unread (may be NULL) gets a new string for what could not
 * be looked at for want of rights, else NULL. Returns TRUE if nothing (that can be seen) is missing. Errors:
 * VNAT_ERROR_FAILED, naming what is missing; VNAT_ERROR_DEADLINE if there was no time for one whole look.
 */
gboolean verify_network(Facts *facts, const Network *network, VerifyWaiting waiting, gpointer user_data,
                        Deadline deadline, char **unread, GError **error);

/* One look, without waiting: what is missing, as a list for people (new string), or NULL if nothing is or it
 * could not be seen. */
char *verify_once(Facts *facts, const Network *network, Deadline deadline);
