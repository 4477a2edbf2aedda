/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Directories of files, of which the names within come from a table of contents that may be hostile. A name
 * is of one or more components "[A-Za-z0-9_-][A-Za-z0-9._-]*" with '/' between, at most DIRECTORY_NAME_MAX
 * bytes; none other is opened, and no component is followed if it is a symbolic link: so that nothing outside
 * the directory is ever touched.
 */
#define DIRECTORY_NAME_MAX 255
gboolean directory_name_valid(const char *name);

/* A directory to read. Errors: NOT_FOUND, DENIED, INVALID ("type: …"), FAILED. */
typedef struct Directory Directory;
Directory *directory_open(const char *path, GError **error);
void directory_close(Directory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Directory, directory_close)

/*
 * A regular file in it of at most max_bytes, as file_read; NUL-terminated. Messages begin with the name.
 * Errors: as file_read's, and INVALID for a name that is none.
 */
gboolean directory_read(Directory *directory, const char *name, gsize max_bytes, char **bytes, gsize *length,
                        GError **error);

/*
 * A directory that appears whole or not at all: it is filled under another name beside its place, and
 * renamed. Its files are readable by their owner alone.
 */
typedef struct NewDirectory NewDirectory;

/* Whether path can be made: told before the work of filling it. Errors: as new_directory_begin's. */
gboolean new_directory_possible(const char *path, GError **error);

/* Errors: EXISTS where path is there already and is not an empty directory, NOT_FOUND, DENIED, FAILED. */
NewDirectory *new_directory_begin(const char *path, GError **error);

/* A file in it; folders on the way are made. A name is written once. Errors: INVALID, EXISTS, FAILED. */
gboolean new_directory_write(NewDirectory *directory, const char *name, const char *bytes, gsize length,
                             GError **error);

/* Brings everything to the disk, then to its place. Errors: EXISTS (somebody was quicker), FAILED. */
gboolean new_directory_commit(NewDirectory *directory, GError **error);

/* Removes what was not committed. NULL is allowed. */
void new_directory_free(NewDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NewDirectory, new_directory_free)
