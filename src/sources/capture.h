/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/directory.h"
#include "model/capture.h"

/*
 * A captured host as a directory of files for people and for diff(1):
 *
 * - manifest.json: what it is, of which host and moment, versions, state of each source, what failed
 * - networks.json: a network a line: what is not in its XML, and the file that has it
 * - networks/NAME.xml: as libvirt gave it; networks/inactive/NAME.xml: what it will be when it starts again
 * - domains.json, domains/: likewise
 * - leases.json: a lease a line, as libvirt's API gives them
 * - links.json, addresses.json, neighbours.json, fdb.json, routes.json: rtnetlink's records, all tables
 * - route-rules.json: the rules that choose a table; older captures have none
 * - firewall/nft.json: `nft -j list ruleset`, an object a line
 * - firewall/PROGRAM.txt: what iptables-nft-save and its like print
 * - dnsmasq.json, dnsmasq/NAME.conf: process and command line; configuration
 * - sockets.json: who listens on 53, 67 and 547
 * - proc.json: settings and counters below /proc
 * - firewalld.json: interfaces and their zones
 * - conntrack.json: connections of guests
 *
 * A name that cannot be a file's name is replaced by the object's UUID, or its number in the list. Records
 * are those of model/record.h; XML is harmless on a terminal (text_xml). All lists are there, also empty
 * ones; of firewall/ what there was.
 */
#define CAPTURE_FORMAT "vnat-capture"
#define CAPTURE_VERSION 1

/* Fills the directory; the caller commits it. Errors: as new_directory_write's. */
gboolean capture_write(const Capture *capture, NewDirectory *directory, GError **error);

/*
 * Reads all of it and refuses what is not of the form. Errors: NOT_FOUND, DENIED, FAILED (damaged, or of a
 * version that is not known: the message names the file).
 */
Capture *capture_read(const char *path, GError **error);
