/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/directory-follow.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*
 * Theory of operation.
 *
 * The directory itself may go away and come back. A watch is on an inode, so beside the one on the directory
 * there is one on what is above it: on its parent, or the nearest that exists. Something that happens there
 * to the next name on the way down, or to either of the two watched ones themselves, makes both watches anew:
 * inotify_add_watch gives the number it gave before if it finds the same inode. Another one, or one where
 * there was none, is a directory of which nothing is known.
 */

#define WATCH_FILES                                                                                          \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |  \
     IN_ONLYDIR)
#define WATCH_ABOVE                                                                                          \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |       \
     IN_ONLYDIR)
#define WATCH_GONE (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
#define NO_WATCH (-1)

struct DirectoryFollow {
    const DirectoryTell *tell;
    gpointer data;
    char *directory;
    int fd;       /* -1: there is no inotify for us */
    guint source; /* of the main context */
    int files, above;
    char *next; /* the name below the one above, on the way to the directory */
    char *why;  /* NULL: evented */
    gboolean told;
};

/* ----------------------------------------------------------------------------------------- watches */

/* The nearest that exists of what is above the directory. Leaves the name below it in next. */
static int watch_above(DirectoryFollow *follow)
{
    g_autofree char *path = g_strdup(follow->directory);
    int watch = NO_WATCH;

    while (watch == NO_WATCH && !g_str_equal(path, "/") && !g_str_equal(path, ".")) {
        char *above = g_path_get_dirname(path);

        g_free(follow->next);
        follow->next = g_path_get_basename(path);
        watch = inotify_add_watch(follow->fd, above, WATCH_ABOVE);
        g_free(path);
        path = above;
    }
    return watch;
}

static void watch_replace(const DirectoryFollow *follow, int *watch, int found)
{
    if (*watch != NO_WATCH && *watch != found)
        (void)inotify_rm_watch(follow->fd, *watch);
    *watch = found;
}

/*
 * The one above first: what appears after that is either found by the other, or an event of the first.
 * Returns whether the directory is another one now, or gone.
 */
static gboolean watch_renew(DirectoryFollow *follow)
{
    int before = follow->files;
    int found, number;

    watch_replace(follow, &follow->above, watch_above(follow));
    found = inotify_add_watch(follow->fd, follow->directory, WATCH_FILES);
    number = errno;
    watch_replace(follow, &follow->files, found);
    g_free(follow->why);
    follow->why = found == NO_WATCH ? g_strdup_printf("%s: %s", follow->directory, g_strerror(number)) : NULL;
    return found != before;
}

/* ------------------------------------------------------------------------------------------ events */

static void tell_file(DirectoryFollow *follow, const char *name)
{
    if (follow->tell->file(follow->data, name))
        follow->told = TRUE;
}

static void tell_renewed(DirectoryFollow *follow)
{
    gboolean was_evented = follow->why == NULL;
    gboolean other = watch_renew(follow);

    if (!other && was_evented == (follow->why == NULL))
        return;
    follow->told = TRUE;
    follow->tell->changed(follow->data, follow->why);
}

/* One event; returns whether the watches may stand on the wrong places now. */
static gboolean take_event(DirectoryFollow *follow, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        follow->told = TRUE;
        follow->tell->missed(follow->data);
        return TRUE;
    }
    if (event->wd == follow->files && !(event->mask & WATCH_GONE)) {
        if (event->len > 0)
            tell_file(follow, event->name);
        return FALSE;
    }
    if (event->wd == follow->files) {
        /* The kernel has removed it, or we do: the number is not used again. */
        if (!(event->mask & IN_IGNORED))
            (void)inotify_rm_watch(follow->fd, follow->files);
        follow->files = NO_WATCH;
        return TRUE;
    }
    if (event->wd != follow->above)
        return FALSE;
    if (event->mask & IN_IGNORED)
        follow->above = NO_WATCH;
    return (event->mask & WATCH_GONE) || (event->len > 0 && g_str_equal(event->name, follow->next));
}

/* At most so many reads at a time: somebody may replace files for ever. */
static void follow_read(DirectoryFollow *follow)
{
    char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    gboolean misplaced = FALSE;

    for (guint i = 0; i < 16; i++) {
        ssize_t got = read(follow->fd, buffer, sizeof(buffer));

        if (got <= 0)
            break;
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);

            misplaced = take_event(follow, event) || misplaced;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    if (misplaced)
        tell_renewed(follow);
}

static gboolean on_queued(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    DirectoryFollow *follow = data;

    follow->told = FALSE;
    follow_read(follow);
    if (follow->told)
        follow->tell->news(follow->data);
    return G_SOURCE_CONTINUE;
}

/* -------------------------------------------------------------------------------------------- life */

DirectoryFollow *directory_follow_new(const char *directory, const DirectoryTell *tell, gpointer data)
{
    DirectoryFollow *follow = g_new0(DirectoryFollow, 1);

    follow->tell = tell;
    follow->data = data;
    follow->directory = g_strdup(directory);
    follow->files = NO_WATCH;
    follow->above = NO_WATCH;
    follow->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (follow->fd < 0) {
        follow->why = g_strdup_printf("inotify: %s", g_strerror(errno));
        return follow;
    }
    watch_renew(follow);
    follow->source = g_unix_fd_add(follow->fd, G_IO_IN, on_queued, follow);
    return follow;
}

void directory_follow_free(DirectoryFollow *follow)
{
    if (!follow)
        return;
    if (follow->fd >= 0) {
        g_source_remove(follow->source);
        close(follow->fd);
    }
    g_free(follow->directory);
    g_free(follow->next);
    g_free(follow->why);
    g_free(follow);
}

gboolean directory_follow_evented(const DirectoryFollow *follow, const char **why)
{
    if (why)
        *why = follow->why;
    return follow->why == NULL;
}
