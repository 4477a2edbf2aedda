/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * What keeps the guests' connections while the network daemon puts its rules back. It takes them away and
 * adds them one by one: for a moment its REJECT stands without the ACCEPT before it, and where no other rule
 * needs connection tracking the kernel switches that off, and translation with it. Seen with libvirt 9.0: of
 * twelve TCP connections that talked during a reload each was reset; with the guard, of six none. It drops
 * what the networks' bridges forward meanwhile, and a sender that hears nothing sends again.
 *
 * It is a table of nftables, inet vnat_repair, whose set of devices forgets them after GUARD_SECONDS by
 * itself: whoever is killed in between cuts nobody off for longer, and leaves a table without effect, which
 * the next guard replaces.
 */
#define GUARD_SECONDS 15

typedef struct Guard Guard;

/* For the bridges of all active networks that libvirt made. NULL: there is none. Errors: NOT_FOUND (no
 * program nft), DENIED, DEADLINE, FAILED. */
Guard *guard_raise(const Facts *facts, Deadline deadline, GError **error);

/*
 * Takes it away, and frees it. Before, with await, waits until the rules have changed since it was raised,
 * are as many again and stay so, or it takes too long. NULL is allowed.
 */
void guard_lower(Guard *guard, gboolean await, Deadline deadline);

/* The commands that raise it, one argument of nft; NULL if there is no bridge to guard. Pure; new string. */
char *guard_commands(const Facts *facts);
