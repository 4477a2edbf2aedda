/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow-feed.h"

/*
 * The kernel's word of links, addresses, neighbours and forwarding tables, by rtnetlink's groups; needs no
 * rights. Of FollowTell: link, link_gone, address, neighbour, fdb, doubt, news.
 */
typedef struct LinksFollow LinksFollow;

/*
 * Subscribes; from here on nothing is missed without doubt. receive: bytes for the socket's buffer, 0 for the
 * 8 MiB of netlink_open (or what the system allows). Errors: as netlink_open.
 */
LinksFollow *links_follow_new(guint receive, const FollowTell *tell, gpointer data, GError **error);
/* NULL is allowed. */
void links_follow_free(LinksFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LinksFollow, links_follow_free)

/*
 * Tells what is queued, in its order, and at most 4,096 messages of it, so that a storm leaves time for other
 * things. Called on the main context by itself when something is queued, with news at the end; without it
 * here.
 */
void links_follow_drain(LinksFollow *follow);
