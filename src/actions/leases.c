/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/leases.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "config.h"
#include "sources/libvirt.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES ((gsize)32 * 1024 * 1024) /* the helper's own limit */
#define HELPER_LOCK "/run/leaseshelper.pid"  /* one for all networks */
#define FILE_MODE 0644                       /* as the helper makes it: readers are anybody */

/* fcntl(2) locks know no deadline: a taken one is tried again, a little later each time. */
#define LOCK_FIRST_WAIT_US 2000
#define LOCK_LAST_WAIT_US 50000

/* ---------------------------------------------------------------------------------------- the bytes */

/* Text that is not UTF-8 came from the guest, which sends it again. */
static json_t *entry_copy(const json_t *entry)
{
    json_t *copy = json_object();
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)entry, key, value)
    {
        g_autofree char *text = json_bytes(value);

        if (json_is_integer(value))
            json_object_set(copy, key, value);
        else if (text && g_utf8_validate(text, -1, NULL))
            json_object_set_new(copy, key, json_string(text));
    }
    return copy;
}

/* Whether the readers take it: asked of the parser of whole files. */
static gboolean entry_is_whole(const json_t *entry)
{
    g_autoptr(json_t) list = json_array();
    g_autoptr(GPtrArray) leases = NULL;
    guint bad = 0;
    char *text;

    json_array_append(list, (json_t *)entry);
    text = json_dumps(list, JSON_COMPACT);
    leases = text ? lease_file_parse(text, strlen(text), &bad, NULL) : NULL;
    free(text);
    return leases && leases->len == 1;
}

static char *entries_text(const json_t *list)
{
    char *dump = json_array_size(list) > 0 ? json_dumps(list, JSON_INDENT(2)) : NULL;
    char *text = dump ? g_strconcat(dump, "\n", NULL) : g_strdup("");

    free(dump);
    return text;
}

char *leases_keep(const char *bytes, gsize length, guint *kept, guint *lost)
{
    g_autoptr(json_t) document = length ? json_parse(bytes, length, JSON_DEPTH, TRUE, NULL) : NULL;
    g_autoptr(json_t) list = json_array();
    json_t *entry;
    gsize i;

    *kept = *lost = 0;
    json_array_foreach(document, i, entry)
    {
        json_t *copy = json_is_object(entry) ? entry_copy(entry) : NULL;
        gboolean whole = copy && entry_is_whole(copy);

        if (whole)
            json_array_append(list, copy);
        *(whole ? kept : lost) += 1;
        json_decref(copy);
    }
    return entries_text(list);
}

/* ---------------------------------------------------------------------------------------- the files */

static gboolean failed(const char *what, const char *path, GError **error)
{
    int number = errno;

    return vnat_error_set(
        error, number == EACCES || number == EPERM || number == EROFS ? VNAT_ERROR_DENIED : VNAT_ERROR_FAILED,
        "cannot %s %s: %s", what, path, g_strerror(number));
}

/*
 * The helper's lock: a write lock on the first byte of its pid file, which is removed by who held it. So a
 * lock counts only while the path still leads to the file that is locked.
 */
static int helper_try(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    struct stat ours, there;

    if (fd < 0)
        return -1;
    if (fcntl(fd, F_SETLK, &whole) == 0 && fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
        ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
        return fd;
    close(fd);
    errno = EAGAIN;
    return -1;
}

static int helper_lock(const char *path, Deadline deadline, GError **error)
{
    gulong pause = LOCK_FIRST_WAIT_US;
    int fd;

    while ((fd = helper_try(path)) < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            failed("open", path, error);
            return -1;
        }
        if (deadline_passed(deadline)) {
            vnat_error_set(error, VNAT_ERROR_DEADLINE, "libvirt's helper holds its lock %s", path);
            return -1;
        }
        g_usleep(pause);
        pause = MIN(pause * 2, LOCK_LAST_WAIT_US);
    }
    return fd;
}

static void helper_unlock(const char *path, int fd)
{
    (void)unlink(path);
    close(fd);
}

static gboolean write_all(int fd, const char *bytes, gsize length)
{
    while (length > 0) {
        gssize done = write(fd, bytes, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return FALSE;
        bytes += done;
        length -= (gsize)done;
    }
    return TRUE;
}

/* A file that was not there before, on the disk when this returns; none is left on failure. */
static gboolean write_new(const char *path, const char *bytes, gsize length, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    gboolean ok;

    if (fd < 0)
        return failed("make", path, error);
    ok = write_all(fd, bytes, length) && fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0;
    if (!ok)
        failed("write", path, error);
    if (close(fd) < 0 && ok)
        ok = failed("write", path, error);
    if (!ok)
        (void)unlink(path);
    return ok;
}

static void sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static gboolean replace(const char *path, const char *text, GError **error)
{
    g_autofree char *fresh = g_strdup_printf("%s.vnat-%d", path, (int)getpid());

    if (!write_new(fresh, text, strlen(text), error))
        return FALSE;
    if (rename(fresh, path) == 0)
        return TRUE;
    failed("replace", path, error);
    (void)unlink(fresh);
    return FALSE;
}

static gboolean keep_whole(const char *path, const char *bytes, gsize length, LeasesMended *mended,
                           GError **error)
{
    g_autofree char *text = leases_keep(bytes, length, &mended->kept, &mended->lost);

    return write_new(mended->aside, bytes, length, error) && replace(path, text, error);
}

/* A link that leads nowhere is no name that is free: write_new leaves it alone. */
static gboolean mend(const char *directory, const char *path, LeasesMended *mended, GError **error)
{
    g_autoptr(GError) unread = NULL;
    g_autofree char *bytes = NULL;
    gsize length = 0;
    gboolean ok;

    if (file_read(path, FILE_BYTES, FALSE, &bytes, &length, &unread)) {
        ok = keep_whole(path, bytes, length, mended, error);
    } else if (g_error_matches(unread, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
        leases_mended_clear(mended);
        ok = write_new(path, "", 0, error);
    } else {
        g_propagate_error(error, g_steal_pointer(&unread));
        ok = FALSE;
    }
    if (ok)
        sync_directory(directory);
    return ok;
}

gboolean leases_mend_in(const char *directory, const char *lock, const char *bridge, gint64 now,
                        LeasesMended *mended, Deadline deadline, GError **error)
{
    g_autofree char *path = g_strconcat(directory, "/", bridge, ".status", NULL);
    int fd = helper_lock(lock, deadline, error);
    gboolean ok;

    if (fd < 0)
        return FALSE;
    *mended = (LeasesMended){.aside = g_strdup_printf("%s.damaged-%" G_GINT64_FORMAT, path, now)};
    ok = mend(directory, path, mended, error);
    helper_unlock(lock, fd);
    if (!ok)
        leases_mended_clear(mended);
    return ok;
}

gboolean leases_mend(const char *bridge, LeasesMended *mended, Deadline deadline, GError **error)
{
    return leases_mend_in(VNAT_LIBVIRT_STATE_DIR "/dnsmasq", HELPER_LOCK, bridge,
                          g_get_real_time() / G_USEC_PER_SEC, mended, deadline, error);
}

void leases_mended_clear(LeasesMended *mended)
{
    g_clear_pointer(&mended->aside, g_free);
}
