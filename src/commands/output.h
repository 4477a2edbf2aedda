/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/command.h"
#include "commands/world.h"
#include "views/json.h"

/* Answers that several commands give alike; each returns the exit code. */

/* Interfaces as the command's table, or as JSON. rows: MapRow. */
int write_interfaces(Context *ctx, World *world, const GPtrArray *rows);

/* One JSON document with these collections (ends with a NULL name). */
int write_json(World *world, const JsonCollection *collections);

/* For a command that changed a network, with --json: its record after the change (none if it is gone). */
int write_network_after(World *world, const char *name);

/*
 * Commands of vnat and virsh in the remedies of findings are there to be pasted: where another connection was
 * asked by -c, they get that option too.
 */
void remedies_for_host(const Context *ctx, const GPtrArray *findings);

/* The same for one remedy. New string; NULL for none. */
char *remedy_for_host(const Context *ctx, const char *remedy);

/* The map of one domain, with the problems of its interfaces. */
Map *world_domain_map(World *world, const char *which, gboolean inactive, Wants wants, GError **error);
