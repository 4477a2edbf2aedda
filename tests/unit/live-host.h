/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/live.h"
#include "world.h"

/*
 * A host for tests of the live map: one network and one guest, and what can happen to it. Records are made in
 * parts, by world.h, and then put.
 */

#define MAC_A "52:54:00:00:00:0a"
#define MAC_B "52:54:00:00:00:0b"
#define SECOND G_TIME_SPAN_SECOND

typedef struct {
    LiveMap *live;
    Facts *parts; /* where records are made, before they are put */
    gint64 monotonic, now;
} Host;

/* A network "default" on virbr0 (10), VM with vnet0 (11) and MAC_A on it, everything told. */
void host_init(Host *host);
void host_clear(Host *host);

/* The record that was made last. */
gpointer last_of(GPtrArray *array);

void put_network_of(Host *host, const char *name, const char *bridge, gboolean active);
Link *make_bridge(Host *host, guint ifindex, const char *name);
void put_tap(Host *host, guint ifindex, const char *name, guint master);
void put_address(Host *host, guint ifindex);
Domain *make_guest(Host *host, const char *name, const char *network, const char *mac, const char *tap);
void put_guest(Host *host, const char *name, const char *mac, const char *tap);
char *uuid_of(Host *host, const char *name);
void remove_guest(Host *host, const char *name);
char *network_uuid(Host *host, const char *name);
void put_learned(Host *host, guint port, const char *mac);
Neighbour neighbour_of(guint ifindex, const char *ip, const char *mac, guint16 state, guint32 confirmed);
void put_neighbour(Host *host, const char *ip, const char *mac, guint16 state, guint32 confirmed);

/* expiry in epoch seconds; an ip NULL ends the list. */
typedef struct {
    const char *mac, *ip;
    gint64 expiry;
    const char *hostname, *client;
} Leased;
void put_leases(Host *host, const char *network, const Leased *leased);

/* What is told after these microseconds: "interface.added VM/vnet0", a line each. */
char *told_after(Host *host, gint64 passed);
void settle(Host *host);
/* Until every grace is over. */
void rest(Host *host);

/* "VM/vnet0/11/virbr0 ADDRESS… !PROBLEM…; …", sorted as the map. */
char *rows_text(Host *host);
guint count_lines(const char *text, const char *line);

#define assert_told(host, expected)                                                                          \
    do {                                                                                                     \
        g_autofree char *told_ = told_after(host, 0);                                                        \
        g_assert_cmpstr(told_, ==, expected);                                                                \
    } while (0)

#define assert_told_after(host, passed, expected)                                                            \
    do {                                                                                                     \
        g_autofree char *told_ = told_after(host, passed);                                                   \
        g_assert_cmpstr(told_, ==, expected);                                                                \
    } while (0)

#define assert_rows(host, expected)                                                                          \
    do {                                                                                                     \
        g_autofree char *rows_ = rows_text(host);                                                            \
        g_assert_cmpstr(rows_, ==, expected);                                                                \
    } while (0)
