/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/directory.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYNC_EACH_MAX 100
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

static gboolean errno_error(GError **error, const char *path, int errnum)
{
    VnatError code = VNAT_ERROR_FAILED;

    if (errnum == ENOENT)
        code = VNAT_ERROR_NOT_FOUND;
    else if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
        code = VNAT_ERROR_DENIED;
    else if (errnum == EEXIST || errnum == ENOTEMPTY)
        code = VNAT_ERROR_EXISTS;
    else if (errnum == ELOOP || errnum == ENOTDIR)
        code = VNAT_ERROR_INVALID;
    if (code == VNAT_ERROR_INVALID)
        return vnat_error_set(error, code, "type: %s is a symbolic link, or lies in no directory", path);
    return vnat_error_set(error, code, "%s: %s", path, g_strerror(errnum));
}

static gboolean component_valid(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '_' && text[i] != '-' && (text[i] != '.' || i == 0))
            return FALSE;
    }
    return length > 0;
}

gboolean directory_name_valid(const char *name)
{
    if (strlen(name) > DIRECTORY_NAME_MAX)
        return FALSE;
    for (;;) {
        gsize length = strcspn(name, "/");

        if (!component_valid(name, length))
            return FALSE;
        if (!name[length])
            return TRUE;
        name += length + 1;
    }
}

static gboolean name_check(const char *name, GError **error)
{
    if (directory_name_valid(name))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_INVALID, "name: '%.64s' is no name of a file in a directory",
                          name);
}

typedef void (*FolderMade)(gpointer data, const char *name, gsize length);

/* FALSE with errno set if the folder is not there afterwards. */
static gboolean folder_make(int outer, const char *component, const char *name, gsize length, FolderMade made,
                            gpointer data)
{
    if (mkdirat(outer, component, S_IRWXU) < 0)
        return errno == EEXIST;
    made(data, name, length);
    return TRUE;
}

/*
 * Opens the folder that the last component of a checked name lies in, component by component; *last is that
 * component. make: folders that are missing are made, and told of by made. Returns a descriptor, or -1 with
 * errno set.
 */
static int folder_open(int top, const char *name, FolderMade made, gpointer data, const char **last)
{
    const char *rest = name;
    const char *slash;
    int folder = fcntl(top, F_DUPFD_CLOEXEC, 0);

    while (folder >= 0 && (slash = strchr(rest, '/'))) {
        g_autofree char *component = g_strndup(rest, (gsize)(slash - rest));
        int outer = folder;
        int errnum;

        folder = -1;
        if (!made || folder_make(outer, component, name, (gsize)(slash - name), made, data))
            folder = openat(outer, component, OPEN_FOLDER);
        errnum = errno;
        close(outer);
        errno = errnum;
        rest = slash + 1;
    }
    *last = rest;
    return folder;
}

/* ----------------------------------------------------------------------------------------- reading */

struct Directory {
    int fd;
};

Directory *directory_open(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    Directory *directory;

    if (fd < 0) {
        if (errno == ENOTDIR)
            vnat_error_set(error, VNAT_ERROR_INVALID, "type: %s is not a directory", path);
        else
            errno_error(error, path, errno);
        return NULL;
    }
    directory = g_new0(Directory, 1);
    directory->fd = fd;
    return directory;
}

void directory_close(Directory *directory)
{
    if (!directory)
        return;
    close(directory->fd);
    g_free(directory);
}

gboolean directory_read(Directory *directory, const char *name, gsize max_bytes, char **bytes, gsize *length,
                        GError **error)
{
    const char *last;
    int folder, fd, errnum;

    if (!name_check(name, error))
        return FALSE;
    folder = folder_open(directory->fd, name, NULL, NULL, &last);
    if (folder < 0)
        return errno_error(error, name, errno);
    fd = openat(folder, last, FILE_OPEN_FLAGS | O_NOFOLLOW);
    errnum = errno;
    close(folder);
    if (fd < 0 && errnum != ENXIO)
        return errno_error(error, name, errnum);
    return file_read_fd(fd, name, max_bytes, bytes, length, error);
}

/* ----------------------------------------------------------------------------------------- writing */

/*
 * made: what stands in the directory, folders before what is in them, so that it can be taken away backwards.
 * Until the commit the directory has the name temporary; after it, temporary is NULL and nothing is removed.
 */
struct NewDirectory {
    char *path;
    char *temporary;
    int fd;
    GPtrArray *made; /* names (char *) */
};

/* Without the slashes that a shell's completion leaves: they would make another directory of it. */
static char *path_clean(const char *path)
{
    gsize length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return g_strndup(path, length);
}

/* What cannot be made is a failure; only what is read can be of the wrong type. */
static gboolean place_error(GError **error, const char *path, int errnum)
{
    if (errnum == ENOTDIR || errnum == ELOOP)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s: %s", path, g_strerror(errnum));
    return errno_error(error, path, errnum);
}

/* The rename decides in the end. */
static gboolean place_is_free(const char *path, GError **error)
{
    g_autoptr(GDir) existing = NULL;
    struct stat entry;

    if (lstat(path, &entry) < 0)
        return errno == ENOENT || place_error(error, path, errno);
    if (S_ISDIR(entry.st_mode))
        existing = g_dir_open(path, 0, NULL);
    if (existing && !g_dir_read_name(existing))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_EXISTS, "%s exists already", path);
}

gboolean new_directory_possible(const char *path, GError **error)
{
    g_autofree char *clean = path_clean(path);
    g_autofree char *parent = g_path_get_dirname(clean);

    if (!place_is_free(clean, error))
        return FALSE;
    return access(parent, W_OK | X_OK) == 0 || place_error(error, parent, errno);
}

NewDirectory *new_directory_begin(const char *path, GError **error)
{
    g_autofree char *clean = path_clean(path);
    g_autofree char *parent = g_path_get_dirname(clean);
    g_autofree char *temporary = g_build_filename(parent, ".new-XXXXXX", NULL);
    NewDirectory *directory;
    int fd;

    if (!place_is_free(clean, error))
        return NULL;
    if (!g_mkdtemp_full(temporary, S_IRWXU)) {
        place_error(error, parent, errno);
        return NULL;
    }
    fd = open(temporary, OPEN_FOLDER);
    if (fd < 0) {
        errno_error(error, temporary, errno);
        (void)rmdir(temporary);
        return NULL;
    }
    directory = g_new0(NewDirectory, 1);
    directory->path = g_steal_pointer(&clean);
    directory->temporary = g_steal_pointer(&temporary);
    directory->fd = fd;
    directory->made = g_ptr_array_new_with_free_func(g_free);
    return directory;
}

static void folder_made(gpointer data, const char *name, gsize length)
{
    NewDirectory *directory = data;

    g_ptr_array_add(directory->made, g_strndup(name, length));
}

static gboolean write_all(int fd, const char *bytes, gsize length)
{
    while (length > 0) {
        gssize put = write(fd, bytes, length);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return FALSE;
        bytes += put;
        length -= (gsize)put;
    }
    return TRUE;
}

gboolean new_directory_write(NewDirectory *directory, const char *name, const char *bytes, gsize length,
                             GError **error)
{
    const char *last;
    int folder, fd, errnum;
    gboolean ok;

    if (!name_check(name, error))
        return FALSE;
    folder = folder_open(directory->fd, name, folder_made, directory, &last);
    if (folder < 0)
        return errno_error(error, name, errno);
    fd = openat(folder, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    errnum = errno;
    close(folder);
    if (fd < 0)
        return errno_error(error, name, errnum);
    g_ptr_array_add(directory->made, g_strdup(name));
    ok = write_all(fd, bytes, length);
    errnum = errno;
    if (close(fd) < 0 && ok) {
        errnum = errno;
        ok = FALSE;
    }
    return ok || errno_error(error, name, errnum);
}

/* After everything was written: the first fsync brings the file system's journal up to date, and the many
 * that follow find little to do. */
static gboolean sync_entry(int top, const char *name, GError **error)
{
    int fd = name ? openat(top, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : top;
    gboolean ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        errno_error(error, name ? name : ".", errno);
    if (fd >= 0 && name)
        close(fd);
    return ok;
}

static gboolean sync_parent(const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        errno_error(error, parent, errno);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Of many files each fsync would cost what the one of the whole file system does: a minute for 20,000 of
 * them. */
static gboolean sync_all(const NewDirectory *directory, GError **error)
{
    if (directory->made->len > SYNC_EACH_MAX)
        return syncfs(directory->fd) == 0 || errno_error(error, directory->path, errno);
    for (guint i = 0; i < directory->made->len; i++) {
        if (!sync_entry(directory->fd, directory->made->pdata[i], error))
            return FALSE;
    }
    return sync_entry(directory->fd, NULL, error);
}

gboolean new_directory_commit(NewDirectory *directory, GError **error)
{
    if (!sync_all(directory, error))
        return FALSE;
    /* Replaces an empty directory, and nothing else: the kernel sees to that. */
    if (rename(directory->temporary, directory->path) < 0) {
        if (errno == ENOTDIR || errno == EEXIST || errno == ENOTEMPTY)
            return vnat_error_set(error, VNAT_ERROR_EXISTS, "%s exists already", directory->path);
        return errno_error(error, directory->path, errno);
    }
    g_clear_pointer(&directory->temporary, g_free);
    return sync_parent(directory->path, error);
}

void new_directory_free(NewDirectory *directory)
{
    if (!directory)
        return;
    for (guint i = directory->made->len; directory->temporary && i > 0; i--) {
        const char *name = directory->made->pdata[i - 1];

        if (unlinkat(directory->fd, name, 0) < 0)
            (void)unlinkat(directory->fd, name, AT_REMOVEDIR);
    }
    if (directory->temporary)
        (void)rmdir(directory->temporary);
    close(directory->fd);
    g_ptr_array_unref(directory->made);
    g_free(directory->path);
    g_free(directory->temporary);
    g_free(directory);
}
