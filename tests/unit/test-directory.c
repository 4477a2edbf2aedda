/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/directory.h"
#include "base/error.h"
#include "remove-tree.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test has a directory of its own, which it leaves empty. */
typedef struct {
    char *top;
} Place;

static void place_set_up(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    place->top = g_dir_make_tmp("vnat-directory-XXXXXX", NULL);
    g_assert_nonnull(place->top);
}

static void place_tear_down(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    remove_tree(place->top);
    g_free(place->top);
}

static char *inside(const Place *place, const char *name)
{
    return g_build_filename(place->top, name, NULL);
}

static guint count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void test_names(void)
{
    static const char *const good[] = {"a", "manifest.json", "networks/default.xml", "a/b/c", "-x", "_", "1"};
    static const char *const bad[] = {"",   "/",   "/etc/passwd", "..",   "../x", "a/../b",   "a//b", "a/",
                                      ".x", "a/.", "a b",         "a\nb", "a\\b", "\xc3\xa4", "a/b/"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(directory_name_valid(good[i]));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(directory_name_valid(bad[i]));
}

static void test_whole(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = inside(place, "new");
    g_autofree char *slashed = g_strconcat(path, "///", NULL);
    g_autoptr(NewDirectory) made = new_directory_begin(slashed, NULL);
    g_autoptr(Directory) read = NULL;
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    struct stat entry;

    g_assert_nonnull(made);
    g_assert_true(new_directory_write(made, "b/c/two", "two\0!", 5, &error));
    g_assert_true(new_directory_write(made, "one", "", 0, &error));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(new_directory_commit(made, &error));
    g_clear_pointer(&made, new_directory_free);
    g_assert_cmpuint(count_entries(place->top), ==, 1);
    g_assert_cmpint(stat(path, &entry), ==, 0);
    g_assert_cmpuint(entry.st_mode & 07777, ==, 0700);
    read = directory_open(path, &error);
    g_assert_true(directory_read(read, "b/c/two", 5, &bytes, &length, &error));
    g_assert_cmpmem(bytes, length, "two\0!", 5);
    g_clear_pointer(&bytes, g_free);
    g_assert_true(directory_read(read, "one", 5, &bytes, &length, &error));
    g_assert_cmpuint(length, ==, 0);
}

static void test_many(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = inside(place, "new");
    g_autoptr(NewDirectory) made = new_directory_begin(path, NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 150; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        g_assert_true(new_directory_write(made, name, name, strlen(name), &error));
    }
    g_assert_true(new_directory_commit(made, &error));
    g_assert_cmpuint(count_entries(path), ==, 150);
    g_assert_cmpuint(count_entries(place->top), ==, 1);
}

static void test_not_at_all(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = inside(place, "new");
    g_autoptr(NewDirectory) made = new_directory_begin(path, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(new_directory_write(made, "b/c/two", "x", 1, NULL));
    g_assert_true(new_directory_write(made, "b/one", "x", 1, NULL));
    g_assert_false(new_directory_write(made, "b/one", "y", 1, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_false(new_directory_write(made, "../x", "y", 1, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    g_clear_pointer(&made, new_directory_free);
    g_assert_cmpuint(count_entries(place->top), ==, 0);
}

/* What is there is not touched, whether it was there before or came meanwhile; an empty directory may be. */
static void test_taken(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = inside(place, "new");
    g_autofree char *inner = inside(place, "new/kept");
    g_autoptr(NewDirectory) made = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
    made = new_directory_begin(path, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_set_contents(inner, "kept", -1, NULL));
    g_assert_false(new_directory_commit(made, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
    g_clear_error(&error);
    g_clear_pointer(&made, new_directory_free);
    g_assert_cmpuint(count_entries(place->top), ==, 1);
    g_assert_true(g_file_test(inner, G_FILE_TEST_EXISTS));
    g_assert_false(new_directory_possible(path, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_null(new_directory_begin(path, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_null(new_directory_begin(inner, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_cmpint(g_unlink(inner), ==, 0);
    made = new_directory_begin(path, &error);
    g_assert_true(new_directory_write(made, "one", "1", 1, NULL));
    g_assert_true(new_directory_commit(made, &error));
    g_assert_no_error(error);
}

static void test_nowhere(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *missing = inside(place, "no/new");
    g_autofree char *file = inside(place, "file");
    g_autofree char *below = inside(place, "file/new");
    g_autoptr(GError) error = NULL;

    g_assert_false(new_directory_possible(missing, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(new_directory_begin(missing, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_false(new_directory_possible(below, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(directory_open(file, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(directory_open(missing, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
}

/* Links that lead out, and what is no file. */
static void test_hostile(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *name;
        VnatError code;
    } cases[] = {
        {"link", VNAT_ERROR_INVALID},       {"folder/inner", VNAT_ERROR_INVALID},
        {"fifo", VNAT_ERROR_INVALID},       {"directory", VNAT_ERROR_INVALID},
        {"file/below", VNAT_ERROR_INVALID}, {"../file", VNAT_ERROR_INVALID},
        {"missing", VNAT_ERROR_NOT_FOUND},  {"missing/file", VNAT_ERROR_NOT_FOUND},
        {"big", VNAT_ERROR_INVALID},
    };
    g_autofree char *link = inside(place, "link");
    g_autofree char *folder = inside(place, "folder");
    g_autofree char *fifo = inside(place, "fifo");
    g_autofree char *directory = inside(place, "directory");
    g_autofree char *file = inside(place, "file");
    g_autofree char *inner = inside(place, "directory/inner");
    g_autofree char *big = inside(place, "big");
    g_autoptr(Directory) read = directory_open(place->top, NULL);
    g_autofree char *bytes = NULL;
    g_autofree char *again = NULL;
    gsize length;

    /* Both lead to what could be read: it is the link that is refused. */
    g_assert_cmpint(symlink(file, link), ==, 0);
    g_assert_cmpint(symlink(directory, folder), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_true(g_file_set_contents(inner, "", 0, NULL));
    g_assert_true(directory_read(read, "file", 4, &bytes, &length, NULL));
    g_assert_true(directory_read(read, "directory/inner", 4, &again, &length, NULL));
    g_assert_true(g_file_set_contents(big, "12345", 5, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *none = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s", cases[i].name);
        g_assert_false(directory_read(read, cases[i].name, 4, &none, &length, &error));
        g_assert_error(error, VNAT_ERROR, (gint)cases[i].code);
        g_assert_nonnull(strstr(error->message, cases[i].name));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/directory/names", test_names);
#define ADD(NAME, FUNC) g_test_add("/directory/" NAME, Place, NULL, place_set_up, FUNC, place_tear_down)
    ADD("whole", test_whole);
    ADD("many", test_many);
    ADD("not-at-all", test_not_at_all);
    ADD("taken", test_taken);
    ADD("nowhere", test_nowhere);
    ADD("hostile", test_hostile);
    return g_test_run();
}
