/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* flock(2) knows no deadline and gives no event: a taken lock is tried again, a little later each time. */
#define LOCK_FIRST_WAIT_US 2000
#define LOCK_LAST_WAIT_US 50000

/* The descriptor of a scope, closed at its end; -1 is none. */
static void fd_clear(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(fd_clear))) int

static gboolean file_errno(GError **error, const char *path, int errnum)
{
    VnatError code = VNAT_ERROR_FAILED;

    if (errnum == ENOENT || errnum == ENOTDIR)
        code = VNAT_ERROR_NOT_FOUND;
    else if (errnum == EACCES || errnum == EPERM)
        code = VNAT_ERROR_DENIED;
    return vnat_error_set(error, code, "%s: %s", path, g_strerror(errnum));
}

/* A file that root reads must not be one that somebody else could have written. Group root is root. */
static gboolean file_check_trust(const char *path, const struct stat *st, GError **error)
{
    if (geteuid() != 0)
        return TRUE;
    if (st->st_uid != 0 && st->st_uid != getuid())
        return vnat_error_set(error, VNAT_ERROR_INVALID, "mode: %s is owned by user %u, not by root", path,
                              (guint)st->st_uid);
    if ((st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "mode: others than root may write %s", path);
    return TRUE;
}

static gboolean file_check(const char *path, int fd, gboolean trusted, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return file_errno(error, path, errno);
    if (!S_ISREG(st.st_mode))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "type: %s is not a regular file", path);
    return !trusted || file_check_trust(path, &st, error);
}

/*
 * Reads to the end of the file, but at most most bytes; the size that fstat gives is no help, because a file
 * may grow and those of /proc claim 0. NUL-terminated. Returns NULL with errno set.
 */
static char *fd_read_most(int fd, gsize most, gsize *length)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char chunk[16384];

    while (text->len < most) {
        gssize got = read(fd, chunk, MIN(sizeof(chunk), most - text->len));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        g_string_append_len(text, chunk, got);
    }
    *length = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Closes fd. */
static gboolean read_checked(int fd, const char *path, gsize max_bytes, gboolean trusted, char **bytes,
                             gsize *length, GError **error)
{
    AUTO_FD own = fd;
    g_autofree char *content = NULL;
    gsize got = 0;

    if (own < 0)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "type: %s is not a regular file", path);
    if (!file_check(path, own, trusted, error))
        return FALSE;
    content = fd_read_most(own, max_bytes < G_MAXSIZE ? max_bytes + 1 : max_bytes, &got);
    if (!content)
        return file_errno(error, path, errno);
    if (got > max_bytes)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "size: %s has more than %" G_GSIZE_FORMAT " bytes",
                              path, max_bytes);
    *bytes = g_steal_pointer(&content);
    *length = got;
    return TRUE;
}

gboolean file_read_fd(int fd, const char *path, gsize max_bytes, char **bytes, gsize *length, GError **error)
{
    return read_checked(fd, path, max_bytes, FALSE, bytes, length, error);
}

gboolean file_read(const char *path, gsize max_bytes, gboolean trusted, char **bytes, gsize *length,
                   GError **error)
{
    int fd = open(path, FILE_OPEN_FLAGS);

    /* ENXIO: a socket cannot be opened at all. */
    if (fd < 0 && errno != ENXIO)
        return file_errno(error, path, errno);
    return read_checked(fd, path, max_bytes, trusted, bytes, length, error);
}

char *file_read_proc(const char *path, gsize max_bytes, gsize *length)
{
    AUTO_FD fd = open(path, FILE_OPEN_FLAGS);
    gsize got = 0;
    char *content;

    if (fd < 0)
        return NULL;
    content = fd_read_most(fd, max_bytes, &got);
    if (content && length)
        *length = got;
    return content;
}

static char *lock_path(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0)
        return g_strdup("/run/vnat.lock");
    if (!runtime || !g_path_is_absolute(runtime))
        return NULL;
    return g_build_filename(runtime, "vnat.lock", NULL);
}

static gboolean lock_wait(int fd, const char *path, Deadline deadline, GError **error)
{
    gulong pause = LOCK_FIRST_WAIT_US;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return file_errno(error, path, errno);
        if (deadline_passed(deadline))
            return vnat_error_set(error, VNAT_ERROR_DEADLINE, "another vnat holds the lock %s", path);
        g_usleep(pause);
        pause = MIN(pause * 2, LOCK_LAST_WAIT_US);
    }
    return TRUE;
}

gboolean file_lock(Deadline deadline, int *fd, GError **error)
{
    g_autofree char *path = lock_path();
    AUTO_FD lock = -1;

    *fd = -1;
    if (!path)
        return TRUE;
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    if (lock < 0) {
        /* A variable that su or cron left pointing at somebody else's directory is as good as none. */
        if (geteuid() != 0 && (errno == EACCES || errno == ENOENT || errno == ENOTDIR))
            return TRUE;
        file_errno(error, path, errno);
        g_prefix_error(error, "cannot open the lock: ");
        return FALSE;
    }
    if (!lock_wait(lock, path, deadline, error))
        return FALSE;
    *fd = g_steal_fd(&lock);
    return TRUE;
}

void file_unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}
