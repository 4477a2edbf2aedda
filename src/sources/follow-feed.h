/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "sources/follow.h"

/*
 * Whom the feeds of sources/follow-live.h tell: the functions of sources/follow.h, behind a table, so that
 * each feed can be tried by itself. All are called on the main context; ownership is as there. A feed calls
 * no function that its owner leaves NULL without need: each says which it uses.
 */
typedef struct {
    /* libvirt-follow. What is told of leases at connecting is the owner's to add. */
    void (*connected)(gpointer data, const char *uri, gboolean local);
    void (*lost)(gpointer data, const GError *why);
    void (*listed)(gpointer data, FollowKind kind, GPtrArray *listed, const GError *error);
    void (*answered)(gpointer data, FollowKind kind, const char *uuid, gpointer record, const char *partial,
                     const GError *error);
    void (*slow)(gpointer data, FollowKind kind, const char *uuid);
    void (*touch)(gpointer data, FollowKind kind, const char *uuid);
    /* definitions-follow; name NULL: all of this kind */
    void (*touch_named)(gpointer data, FollowKind kind, const char *name);
    /* leases-follow */
    void (*touch_bridge)(gpointer data, const char *bridge);
    void (*evented)(gpointer data, gboolean evented, const char *why);
    /* links-follow */
    void (*link)(gpointer data, Link *link);
    void (*link_gone)(gpointer data, guint ifindex);
    void (*address)(gpointer data, const LinkAddress *address, gboolean gone);
    void (*neighbour)(gpointer data, const Neighbour *neighbour, gboolean gone);
    void (*fdb)(gpointer data, const FdbEntry *entry, gboolean gone);
    /* all */
    void (*doubt)(gpointer data, SourceId source);
    /* Something was told since the last time, and nothing more is at hand. The feed is in no state of
     * between: its functions may be called from here. */
    void (*news)(gpointer data);
} FollowTell;
