/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "base/netlink.h"

/*
 * The request that deletes an entry (IPCTNL_MSG_CT_DELETE), of the message in which the kernel told of it. It
 * names the entry in the kernel's own words: its original tuple, whatever the protocol puts there (ports, an
 * echo's number, the keys of GRE), its zone, and its number, so that a later one between the same ends stays.
 * FALSE: the message is none that conntrack_parse takes, or longer than any kernel writes it. A request
 * without a tuple would empty the whole table; none such is made. Pure.
 */
gboolean conntrack_deletion(const struct nlmsghdr *entry, NetlinkRequest *request);

/*
 * Deletes the entries of conntrack_find. *deleted: how many, also where it fails; one that ended by itself
 * meanwhile is passed over. Errors: as netlink_change's, but none for an entry that is gone.
 */
gboolean conntrack_forget_entries(const GPtrArray *entries, guint *deleted, Deadline deadline,
                                  GError **error);
