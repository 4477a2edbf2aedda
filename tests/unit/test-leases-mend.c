/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/leases.h"
#include "base/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW G_GINT64_CONSTANT(1790000000)
#define GOOD                                                                                                 \
    "{\"ip-address\": \"192.168.122.7\", \"mac-address\": \"52:54:00:00:00:07\", \"hostname\": \"g\", "      \
    "\"expiry-time\": 1790001000}"
#define KEPT                                                                                                 \
    "[\n  {\n    \"ip-address\": \"192.168.122.7\",\n    \"mac-address\": \"52:54:00:00:00:07\",\n"          \
    "    \"hostname\": \"g\",\n    \"expiry-time\": 1790001000\n  }\n]\n"

static void assert_keep(const char *bytes, guint kept, guint lost, const char *expected)
{
    guint have = 99, gone = 99;
    g_autofree char *text = leases_keep(bytes, strlen(bytes), &have, &gone);

    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(have, ==, kept);
    g_assert_cmpuint(gone, ==, lost);
}

static void test_keep(void)
{
    assert_keep("", 0, 0, "");
    assert_keep("garbage", 0, 0, "");
    assert_keep("[" GOOD, 0, 0, "");
    assert_keep("{}", 0, 0, "");
    assert_keep("[" GOOD "]", 1, 0, KEPT);
    assert_keep("[7, " GOOD ", {\"ip-address\": \"192.168.122.8\"}, []]", 1, 3, KEPT);
    assert_keep("[1]", 0, 1, "");
    /* A hostname that is no UTF-8 is the guest's to send again; its lease stays. */
    assert_keep("[{\"ip-address\": \"192.168.122.7\", \"mac-address\": \"52:54:00:00:00:07\", "
                "\"hostname\": \"\xff\xfe\", \"expiry-time\": 0}]",
                1, 0,
                "[\n  {\n    \"ip-address\": \"192.168.122.7\",\n"
                "    \"mac-address\": \"52:54:00:00:00:07\",\n    \"expiry-time\": 0\n  }\n]\n");
}

typedef struct {
    char *directory, *status, *lock;
} Place;

static void place_init(Place *place, const char *content)
{
    place->directory = g_dir_make_tmp("vnat-leases-XXXXXX", NULL);
    place->status = g_build_filename(place->directory, "virbr0.status", NULL);
    place->lock = g_build_filename(place->directory, "helper.pid", NULL);
    if (content)
        g_assert_true(g_file_set_contents(place->status, content, -1, NULL));
}

static void place_clear(Place *place)
{
    g_autoptr(GDir) dir = g_dir_open(place->directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(place->directory, name, NULL);

        g_unlink(path);
    }
    g_rmdir(place->directory);
    g_free(place->directory);
    g_free(place->status);
    g_free(place->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static guint count_files(const Place *place)
{
    g_autoptr(GDir) dir = g_dir_open(place->directory, 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void assert_content(const char *path, const char *expected)
{
    g_autofree char *text = NULL;
    struct stat st;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777U, ==, 0644);
}

static void test_mend(void)
{
    g_auto(Place) place = {0};
    g_autoptr(GError) error = NULL;
    LeasesMended mended = {0};

    place_init(&place, "[7, " GOOD "]");
    g_assert_true(
        leases_mend_in(place.directory, place.lock, "virbr0", NOW, &mended, deadline_in(60), &error));
    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(mended.aside, "/virbr0.status.damaged-1790000000"));
    g_assert_cmpuint(mended.kept, ==, 1);
    g_assert_cmpuint(mended.lost, ==, 1);
    assert_content(mended.aside, "[7, " GOOD "]");
    assert_content(place.status, KEPT);
    g_assert_cmpuint(count_files(&place), ==, 2); /* nothing else is left, nor the lock */
    leases_mended_clear(&mended);
    /* The name of the copy is taken: the file stays as it is. */
    g_assert_false(
        leases_mend_in(place.directory, place.lock, "virbr0", NOW, &mended, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    assert_content(place.status, KEPT);
    g_assert_cmpuint(count_files(&place), ==, 2);
    g_assert_null(mended.aside);
}

/* What is not there becomes what libvirt makes for a new network, and nothing is copied. */
static void test_missing(void)
{
    g_auto(Place) place = {0};
    g_autoptr(GError) error = NULL;
    LeasesMended mended = {0};

    place_init(&place, NULL);
    g_assert_true(
        leases_mend_in(place.directory, place.lock, "virbr0", NOW, &mended, deadline_in(60), &error));
    g_assert_no_error(error);
    g_assert_null(mended.aside);
    g_assert_cmpuint(mended.kept + mended.lost, ==, 0);
    assert_content(place.status, "");
    g_assert_cmpuint(count_files(&place), ==, 1);
}

/* Nothing is made where a link points to, nor in a directory that is not there. */
static void test_missing_elsewhere(void)
{
    g_auto(Place) place = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *target = NULL;
    g_autofree char *nowhere = NULL;
    LeasesMended mended = {0};

    place_init(&place, NULL);
    target = g_build_filename(place.directory, "target", NULL);
    nowhere = g_build_filename(place.directory, "nowhere", NULL);
    g_assert_cmpint(symlink(target, place.status), ==, 0);
    g_assert_false(
        leases_mend_in(place.directory, place.lock, "virbr0", NOW, &mended, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(place.status, G_FILE_TEST_IS_SYMLINK));
    g_clear_error(&error);
    g_assert_false(leases_mend_in(nowhere, place.lock, "virbr0", NOW, &mended, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_assert_null(mended.aside);
    g_assert_cmpuint(count_files(&place), ==, 1);
}

/* The helper's lock is waited for. A lock of this process would not keep it out: another one takes it. */
static void test_locked(void)
{
    g_auto(Place) place = {0};
    g_autoptr(GError) error = NULL;
    LeasesMended mended = {0};
    int ready[2], status;
    char byte;
    pid_t child;

    place_init(&place, "[7]");
    g_assert_cmpint(pipe(ready), ==, 0);
    child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
        int fd = open(place.lock, O_RDWR | O_CREAT, 0644);

        (void)!fcntl(fd, F_SETLK, &lock);
        (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    g_assert_false(
        leases_mend_in(place.directory, place.lock, "virbr0", NOW, &mended, deadline_in(0.05), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpuint(count_files(&place), ==, 2);
    g_clear_error(&error);
    kill(child, SIGKILL);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(
        leases_mend_in(place.directory, place.lock, "virbr0", NOW, &mended, deadline_in(60), &error));
    g_assert_no_error(error);
    assert_content(place.status, "");
    leases_mended_clear(&mended);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    umask(077);
    g_test_add_func("/leases-mend/keep", test_keep);
    g_test_add_func("/leases-mend/mend", test_mend);
    g_test_add_func("/leases-mend/missing", test_missing);
    g_test_add_func("/leases-mend/missing/elsewhere", test_missing_elsewhere);
    g_test_add_func("/leases-mend/locked", test_locked);
    return g_test_run();
}
