/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/world.h"
#include "model/flow-row.h"

/* What both forms of `vnat flows` share. */

/* Whom it was asked for; both NULL: everybody. */
typedef struct {
    char *domain, *network;
    gboolean running; /* the domain runs */
} FlowsTarget;

void flows_target_clear(FlowsTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FlowsTarget, flows_target_clear)

/*
 * Looks who is meant by the name, id or UUID (NULL: everybody). Errors: NOT_FOUND, with the nearest name;
 * USAGE, where it is both a domain and a network; libvirt's.
 */
gboolean flows_find_target(World *world, const char *which, FlowsTarget *target, GError **error);

FlowScope flows_scope(const FlowsTarget *target);

/* --follow. Returns the exit code. */
int flows_follow(Context *ctx);
