/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>

/*
 * A damaged lease file of libvirt's. Its readers refuse the whole of it for one bad entry; the helper that
 * writes it keeps what it does not understand. So it is copied aside, and replaced by one that has the
 * entries which are whole; the others come back when their guests renew. Where there is none any more it
 * becomes an empty one, as libvirt makes it for a new network.
 */
typedef struct {
    char *aside;      /* path of the copy; NULL: there was no file */
    guint kept, lost; /* entries; of a file that is no JSON nobody knows how many were lost, and lost is 0 */
} LeasesMended;

/*
 * Mends the file of that bridge, whose name has been checked (base/name.h), under the lock of libvirt's
 * helper. Errors: DENIED, INVALID (no regular file, over 32 MiB), DEADLINE, FAILED. On failure the file is as
 * it was.
 */
gboolean leases_mend(const char *bridge, LeasesMended *mended, Deadline deadline, GError **error);
void leases_mended_clear(LeasesMended *mended);

/* The same of a directory and with a lock of the caller's; now: seconds since the epoch, for the copy's name.
 */
gboolean leases_mend_in(const char *directory, const char *lock, const char *bridge, gint64 now,
                        LeasesMended *mended, Deadline deadline, GError **error);

/* What is kept of a file's bytes: the text of a new one (new string; "" for none). Pure. */
char *leases_keep(const char *bytes, gsize length, guint *kept, guint *lost);
