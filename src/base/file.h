/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <fcntl.h>
#include <glib.h>

/*
 * Reads a regular file of at most max_bytes: opened O_RDONLY|O_CLOEXEC|O_NOCTTY|O_NONBLOCK and fstat'ed
 * first, so that a FIFO, a device or a directory is refused at once. trusted: as root, refuse a file that
 * others may write (or that is owned by another than root or the caller). Errors: NOT_FOUND, DENIED, INVALID
 * (with the rule's name: "size: …", "type: …", "mode: …").
 */
gboolean file_read(const char *path, gsize max_bytes, gboolean trusted, char **bytes, gsize *length,
                   GError **error);

/* How a file of others is opened: nothing is waited for, and no terminal taken. */
#define FILE_OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/*
 * The same of a descriptor opened so, which it closes. fd -1: what could not be opened was a socket. path:
 * for messages.
 */
gboolean file_read_fd(int fd, const char *path, gsize max_bytes, char **bytes, gsize *length, GError **error);

/* /proc and /sys files: their size is 0 until read. At most max_bytes; NULL-terminated. NULL if not readable.
 */
char *file_read_proc(const char *path, gsize max_bytes, gsize *length);

/*
 * The lock that commands which change something take: flock on /run/vnat.lock as root, else on
 * $XDG_RUNTIME_DIR/vnat.lock (without that variable, or where it names no directory of ours: none is taken,
 * TRUE). Waits to the deadline. Never unlinked; released by file_unlock or the end of the process. *fd is -1
 * where none is taken. Errors: DEADLINE, FAILED.
 */
gboolean file_lock(Deadline deadline, int *fd, GError **error);
void file_unlock(int fd);
