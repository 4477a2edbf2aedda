/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>

/*
 * Knocks at a TCP port of several addresses until one takes a connection, which is closed at once. That a
 * program in a guest begins to listen makes no event on the host, so it is tried again: after a refusal in
 * 250 ms, doubling to a second; an attempt that gets no answer is given up after 3 s. On the default
 * GMainContext; nothing blocks.
 */
typedef struct PortProbe PortProbe;

/* Told once, on the main context: this address took it. */
typedef void (*PortOpen)(const Ip *ip, gpointer data);

PortProbe *port_probe_new(guint16 port, PortOpen open, gpointer data);
/* NULL is allowed. */
void port_probe_free(PortProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PortProbe, port_probe_free)

/* Knocks there (Ip) and nowhere else from now on; those that it knocks at already go on. */
void port_probe_set(PortProbe *probe, const GArray *addresses);

/* The last answer that was none: where, and why. FALSE: there was nothing yet. */
gboolean port_probe_last(const PortProbe *probe, Ip *ip, const char **error);
