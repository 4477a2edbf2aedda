/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

#include <glib.h>

/*
 * Random records over a universe so small that everything meets: names, MACs and addresses are used twice,
 * bridges are ports, networks bear one name. What follows from a seed is always the same.
 */

#define RANDOM_UUIDS 4
extern const char *const random_uuids[RANDOM_UUIDS]; /* of domains, and of networks */

#define PICK(rand, list) (list)[g_rand_int_range(rand, 0, G_N_ELEMENTS(list))]
gboolean chance(GRand *rand, gint percent);

Domain *random_domain(GRand *rand, const char *uuid);
Network *random_network(GRand *rand, guint which);
GPtrArray *random_leases(GRand *rand, gint64 now);
Link *random_link(GRand *rand, guint ifindex);
LinkAddress random_address(GRand *rand);
Neighbour random_neighbour(GRand *rand);
FdbEntry random_fdb(GRand *rand);
Facts *random_kernel(GRand *rand);
GPtrArray *random_dnsmasqs(GRand *rand);

Domain *copy_domain(const Domain *domain);
Network *copy_network(const Network *network);
Link *copy_link(const Link *link);
Lease *copy_lease(const Lease *lease);

/* One field becomes another, or the same: what is not compared would be missed. */
void alter_link(GRand *rand, Link *link);
void alter_domain(GRand *rand, Domain *domain);
void alter_network(GRand *rand, Network *network);
