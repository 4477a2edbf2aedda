/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow-feed.h"

/*
 * The files in which libvirt keeps its domains and networks, by inotify(7): hints where it has no event, as
 * when a guest's link is set (virsh domif-setlink), a network is changed (virsh net-update), or is to start
 * with the host. Their names say whose they are; they are not read. Of FollowTell: touch_named, news.
 *
 * No source depends on it: what cannot be watched, for want of rights to a directory, the audit finds.
 */
typedef struct DefinitionsFollow DefinitionsFollow;

/* run, config: libvirt's own directories (/run/libvirt, /etc/libvirt). uri: of the system's daemon, which
 * says where the domains are. */
DefinitionsFollow *definitions_follow_new(const char *run, const char *config, const char *uri,
                                          const FollowTell *tell, gpointer data);
/* NULL is allowed. */
void definitions_follow_free(DefinitionsFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DefinitionsFollow, definitions_follow_free)
