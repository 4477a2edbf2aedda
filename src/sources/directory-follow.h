/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The files of a directory that are made, replaced, written or removed, by inotify(7), on the default main
 * context. The directory need not exist, and may come, go and be replaced by another.
 */
typedef struct DirectoryFollow DirectoryFollow;

typedef struct {
    /* Something happened to a file of this name. Returns whether that is news. */
    gboolean (*file)(gpointer data, const char *name);
    /* It is another directory now, or came, or went: why NULL if it is watched, else why it is not. */
    void (*changed)(gpointer data, const char *why);
    /* Events were lost. */
    void (*missed)(gpointer data);
    /* After a batch of these. */
    void (*news)(gpointer data);
} DirectoryTell;

/* directory: absolute. tell stays the caller's; it is not told anything here, see directory_follow_evented.
 */
DirectoryFollow *directory_follow_new(const char *directory, const DirectoryTell *tell, gpointer data);
/* NULL is allowed. */
void directory_follow_free(DirectoryFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DirectoryFollow, directory_follow_free)

/* Whether it is watched; else *why (may be NULL) says why not, borrowed until the next event. */
gboolean directory_follow_evented(const DirectoryFollow *follow, const char **why);
