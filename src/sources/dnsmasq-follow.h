/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/live.h"

/*
 * The dnsmasqs of a host's networks, kept in a live map: read when somebody says that networks may have
 * changed, when one of them ends (pidfd_open(2)), and when a pid file in libvirt's run directory is replaced.
 * libvirt itself does not notice that one died.
 */
typedef struct DnsmasqFollow DnsmasqFollow;

/* run_directory: libvirt's for networks, with NETWORK.pid in it. changed is told on the main context when the
 * map got something that it did not have. live stays the caller's. */
DnsmasqFollow *dnsmasq_follow_new(const char *run_directory, LiveMap *live, void (*changed)(gpointer data),
                                  gpointer data);
/* NULL is allowed. */
void dnsmasq_follow_free(DnsmasqFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsmasqFollow, dnsmasq_follow_free)

/* Networks may have changed: reads them soon, when the map has that. */
void dnsmasq_follow_touch(DnsmasqFollow *follow);
/* The follower is being run: what was touched before its last run is read now. */
void dnsmasq_follow_run(DnsmasqFollow *follow);
