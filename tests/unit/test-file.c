/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    char *dir, *path;
} Place;

static void place_init(Place *place, gconstpointer data)
{
    place->dir = g_dir_make_tmp("vnat-file-XXXXXX", NULL);
    g_assert_nonnull(place->dir);
    place->path = g_build_filename(place->dir, "file", NULL);
}

static void place_clear(Place *place, gconstpointer data)
{
    g_remove(place->path);
    g_rmdir(place->dir);
    g_free(place->path);
    g_free(place->dir);
}

static void write_file(const Place *place, const char *bytes, gsize length)
{
    g_assert_true(g_file_set_contents(place->path, bytes, (gssize)length, NULL));
}

static void assert_refused(const char *path, gsize max, gboolean trusted, VnatError code, const char *rule)
{
    g_autoptr(GError) error = NULL;
    char *bytes = (char *)"untouched";
    gsize length = 7;

    g_assert_false(file_read(path, max, trusted, &bytes, &length, &error));
    g_assert_error(error, VNAT_ERROR, (gint)code);
    g_assert_true(g_str_has_prefix(error->message, rule));
    g_assert_cmpstr(bytes, ==, "untouched");
    g_assert_cmpuint(length, ==, 7);
}

static void assert_read(const char *path, gsize max, gboolean trusted, const char *expected,
                        gsize expected_length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize length = 0;

    g_assert_true(file_read(path, max, trusted, &bytes, &length, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(bytes, length, expected, expected_length);
    g_assert_true(bytes[length] == '\0');
}

static void test_read(Place *place, gconstpointer data)
{
    g_autofree char *large = g_strnfill(100000, 'x');

    write_file(place, "a\0b\n", 4);
    assert_read(place->path, 100, FALSE, "a\0b\n", 4);
    assert_read(place->path, 4, FALSE, "a\0b\n", 4);
    assert_read(place->path, G_MAXSIZE, FALSE, "a\0b\n", 4);
    assert_refused(place->path, 3, FALSE, VNAT_ERROR_INVALID, "size:");
    write_file(place, "", 0);
    assert_read(place->path, 0, FALSE, "", 0);
    write_file(place, large, 100000);
    assert_read(place->path, 100000, FALSE, large, 100000);
    assert_refused(place->path, 99999, FALSE, VNAT_ERROR_INVALID, "size:");
}

static void test_types(Place *place, gconstpointer data)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_refused(place->path, 10, FALSE, VNAT_ERROR_NOT_FOUND, "");
    assert_refused("/dev/null/file", 10, FALSE, VNAT_ERROR_NOT_FOUND, "");
    assert_refused(place->dir, 10, FALSE, VNAT_ERROR_INVALID, "type:");
    assert_refused("/dev/zero", 10, FALSE, VNAT_ERROR_INVALID, "type:");
    g_assert_cmpint(mkfifo(place->path, 0600), ==, 0);
    assert_refused(place->path, 10, FALSE, VNAT_ERROR_INVALID, "type:");
    g_unlink(place->path);
    g_strlcpy(address.sun_path, place->path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    assert_refused(place->path, 10, FALSE, VNAT_ERROR_INVALID, "type:");
    close(fd);
}

static void test_denied(Place *place, gconstpointer data)
{
    if (geteuid() == 0) {
        g_test_skip("root may read everything");
        return;
    }
    write_file(place, "x", 1);
    g_chmod(place->path, 0);
    assert_refused(place->path, 10, FALSE, VNAT_ERROR_DENIED, "");
}

static void test_trust(Place *place, gconstpointer data)
{
    write_file(place, "x", 1);
    g_chmod(place->path, 0666);
    if (geteuid() != 0) {
        assert_read(place->path, 10, TRUE, "x", 1);
        return;
    }
    assert_refused(place->path, 10, TRUE, VNAT_ERROR_INVALID, "mode:");
    assert_read(place->path, 10, FALSE, "x", 1);
    g_chmod(place->path, 0664);
    assert_read(place->path, 10, TRUE, "x", 1);
    g_assert_cmpint(chown(place->path, 0, 12345), ==, 0);
    assert_refused(place->path, 10, TRUE, VNAT_ERROR_INVALID, "mode:");
    g_chmod(place->path, 0644);
    assert_read(place->path, 10, TRUE, "x", 1);
    g_assert_cmpint(chown(place->path, 12345, 0), ==, 0);
    assert_refused(place->path, 10, TRUE, VNAT_ERROR_INVALID, "mode:");
}

static void test_proc(void)
{
    gsize length = 0;
    g_autofree char *whole = file_read_proc("/proc/self/stat", 4096, &length);
    g_autofree char *cut = file_read_proc("/proc/self/stat", 3, NULL);

    g_assert_cmpuint(length, >, 3);
    g_assert_cmpuint(length, ==, strlen(whole));
    g_assert_cmpuint(strlen(cut), ==, 3);
    g_assert_null(file_read_proc("/proc/none", 10, &length));
    g_assert_null(file_read_proc("/proc", 10, &length));
}

typedef struct {
    int fd;
    gulong hold_us;
} Holder;

static gpointer release_later(gpointer data)
{
    const Holder *holder = data;

    g_usleep(holder->hold_us);
    file_unlock(holder->fd);
    return NULL;
}

/* Where the lock is, and nobody else's: as root in a /run of our own, else in a runtime directory; NULL if
 * that can't be. */
static char *lock_place(const Place *place)
{
    if (geteuid() != 0) {
        g_setenv("XDG_RUNTIME_DIR", place->dir, TRUE);
        return g_build_filename(place->dir, "vnat.lock", NULL);
    }
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/run", "tmpfs", 0, NULL) < 0) {
        g_test_skip("no mount namespace of our own");
        return NULL;
    }
    return g_strdup("/run/vnat.lock");
}

static void test_lock(Place *place, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GThread) thread = NULL;
    g_autofree char *lock = lock_place(place);
    Holder holder = {.hold_us = 100000};
    int second = 5;

    if (!lock)
        return;
    g_assert_true(file_lock(deadline_in(60), &holder.fd, &error));
    g_assert_cmpint(holder.fd, >=, 0);
    g_assert_false(file_lock(deadline_in(0.05), &second, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpint(second, ==, -1);
    thread = g_thread_new("holder", release_later, &holder);
    g_assert_true(file_lock(deadline_in(60), &second, NULL));
    g_thread_join(g_steal_pointer(&thread));
    g_assert_cmpint(second, >=, 0);
    file_unlock(second);
    file_unlock(-1);
    g_assert_cmpint(g_remove(lock), ==, 0);
}

/* Without a runtime directory there is nothing to lock, and a link in its place is not followed. */
static void test_lock_none(Place *place, gconstpointer data)
{
    g_autofree char *lock = lock_place(place);
    g_autoptr(GError) error = NULL;
    int fd = 5;

    if (!lock)
        return;
    g_assert_cmpint(symlink(place->path, lock), ==, 0);
    g_assert_false(file_lock(deadline_in(0), &fd, &error));
    g_assert_cmpint(fd, ==, -1);
    g_assert_false(g_file_test(place->path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_remove(lock), ==, 0);
    if (geteuid() == 0)
        return;
    g_unsetenv("XDG_RUNTIME_DIR");
    g_assert_true(file_lock(deadline_in(0), &fd, NULL));
    g_assert_cmpint(fd, ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/file/read", Place, NULL, place_init, test_read, place_clear);
    g_test_add("/file/types", Place, NULL, place_init, test_types, place_clear);
    g_test_add("/file/denied", Place, NULL, place_init, test_denied, place_clear);
    g_test_add("/file/trust", Place, NULL, place_init, test_trust, place_clear);
    g_test_add_func("/file/proc", test_proc);
    g_test_add("/file/no-lock", Place, NULL, place_init, test_lock_none, place_clear);
    /* Last: it starts a thread. */
    g_test_add("/file/lock", Place, NULL, place_init, test_lock, place_clear);
    return g_test_run();
}
