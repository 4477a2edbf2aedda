/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/virt.h"

#include <glib.h>

/* Changes of a domain's interfaces. config and live as virsh's --config and --live; both FALSE: the current
 * state. */
typedef struct {
    gboolean live, config;
} InterfaceScope;

/*
 * The <interface> element for attach-interface, through the XML tree. type: "network", "bridge", "direct",
 * "hostdev" or "user"; source NULL where the type has none; mac, model, target may be NULL. Errors: USAGE for
 * another type, a source that is missing or no PCI address, a malformed MAC; INVALID for what is not UTF-8.
 */
char *interface_xml(const char *type, const char *source, const char *mac, const char *model,
                    const char *target, GError **error);

gboolean interface_attach(VirtConn *conn, const char *domain, const char *xml, InterfaceScope scope,
                          Deadline deadline, GError **error);

/*
 * Detaches the interface of that type (and MAC, if not NULL). Errors: NOT_FOUND; USAGE if several match and
 * no MAC was given (as virsh).
 */
gboolean interface_detach(VirtConn *conn, const char *domain, const char *type, const char *mac,
                          InterfaceScope scope, Deadline deadline, GError **error);

/*
 * Moves one interface to a network by virDomainUpdateDeviceFlags: the one with this MAC in live and/or
 * persistent XML. MAC, model, alias, address and link state are kept; source becomes the network. Errors:
 * NOT_FOUND.
 */
gboolean interface_connect(VirtConn *conn, const char *domain, const char *mac, const char *network,
                           InterfaceScope scope, Deadline deadline, GError **error);

/* Sets the link of the interface with this MAC up or down in libvirt, as virsh domif-setlink does. Errors:
 * NOT_FOUND. */
gboolean interface_set_link(VirtConn *conn, const char *domain, const char *mac, gboolean up,
                            InterfaceScope scope, Deadline deadline, GError **error);
