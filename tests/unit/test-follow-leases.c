/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "remove-tree.h"
#include "sources/leases-follow.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of the test's own in place of libvirt's. */

typedef struct {
    char *top, *above, *directory; /* top/above/dnsmasq */
    LeasesFollow *follow;
    GString *touched; /* "virbr0 virbr1 " */
    guint doubts, news, evented;
    gboolean is_evented;
    char *why;
} Ear;

static void on_touch_bridge(gpointer data, const char *bridge)
{
    Ear *ear = data;
    g_autofree char *word = g_strconcat(bridge, " ", NULL);

    if (!strstr(ear->touched->str, word))
        g_string_append(ear->touched, word);
}

static void on_evented(gpointer data, gboolean evented, const char *why)
{
    Ear *ear = data;

    ear->evented++;
    ear->is_evented = evented;
    g_free(ear->why);
    ear->why = g_strdup(why);
}

static void on_doubt(gpointer data, SourceId source)
{
    g_assert_cmpint(source, ==, SOURCE_LEASES);
    ((Ear *)data)->doubts++;
}

static void on_news(gpointer data)
{
    ((Ear *)data)->news++;
}

static const FollowTell tell = {
    .touch_bridge = on_touch_bridge,
    .evented = on_evented,
    .doubt = on_doubt,
    .news = on_news,
};

static void ear_init(Ear *ear, gboolean exists)
{
    memset(ear, 0, sizeof *ear);
    ear->top = g_dir_make_tmp("vnat-leases-XXXXXX", NULL);
    ear->above = g_build_filename(ear->top, "libvirt", NULL);
    ear->directory = g_build_filename(ear->above, "dnsmasq", NULL);
    ear->touched = g_string_new(NULL);
    if (exists)
        g_assert_cmpint(g_mkdir_with_parents(ear->directory, 0755), ==, 0);
    ear->follow = leases_follow_new(ear->directory, &tell, ear);
}

static void ear_clear(Ear *ear)
{
    leases_follow_free(ear->follow);
    remove_tree(ear->top);
    g_free(ear->top);
    g_free(ear->above);
    g_free(ear->directory);
    g_free(ear->why);
    g_string_free(ear->touched, TRUE);
}

/* All that is queued; inotify queues before the system call returns that makes the event. */
static void hear(Ear *ear)
{
    g_string_truncate(ear->touched, 0);
    ear->doubts = ear->news = ear->evented = 0;
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    FILE *file = fopen(path, "we");

    g_assert_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void move_file(const char *directory, const char *from, const char *to)
{
    g_autofree char *old = g_build_filename(directory, from, NULL);
    g_autofree char *new = g_build_filename(directory, to, NULL);

    g_assert_cmpint(g_rename(old, new), ==, 0);
}

static void remove_file(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

#define assert_heard(ear, bridges, doubt_count, evented_count)                                               \
    do {                                                                                                     \
        hear(ear);                                                                                           \
        g_assert_cmpstr((ear)->touched->str, ==, bridges);                                                   \
        g_assert_cmpuint((ear)->doubts, ==, doubt_count);                                                    \
        g_assert_cmpuint((ear)->evented, ==, evented_count);                                                 \
    } while (0)

/* ------------------------------------------------------------------------------------------- files */

static void test_files(void)
{
    Ear ear;

    ear_init(&ear, TRUE);
    g_assert_true(leases_follow_evented(ear.follow, NULL));
    /* As the helper does. Its first name is nobody's. */
    write_file(ear.directory, "virbr0.status.new", "[]");
    assert_heard(&ear, "", 0, 0);
    g_assert_cmpuint(ear.news, ==, 0);
    move_file(ear.directory, "virbr0.status.new", "virbr0.status");
    assert_heard(&ear, "virbr0 ", 0, 0);
    g_assert_cmpuint(ear.news, ==, 1);
    /* In place, another one, away, removed. */
    write_file(ear.directory, "virbr0.status", "damaged");
    assert_heard(&ear, "virbr0 ", 0, 0);
    write_file(ear.directory, "virbr1.status", "");
    assert_heard(&ear, "virbr1 ", 0, 0);
    move_file(ear.directory, "virbr1.status", "elsewhere");
    assert_heard(&ear, "virbr1 ", 0, 0);
    remove_file(ear.directory, "virbr0.status");
    assert_heard(&ear, "virbr0 ", 0, 0);
    ear_clear(&ear);
}

/* Names that no bridge has, and the other files of the directory. */
static void test_names(void)
{
    static const char *const names[] = {".status",        "a name.status",   "abcdefghijklmnopq.status",
                                        "default.conf",   "virbr0.macs",     "virbr0.statuses",
                                        "-virbr0.status", "vir\nbr0.status", "status"};
    Ear ear;

    ear_init(&ear, TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        write_file(ear.directory, names[i], "[]");
    assert_heard(&ear, "", 0, 0);
    ear_clear(&ear);
}

/* --------------------------------------------------------------------------------------- directory */

static void test_directory_replaced(void)
{
    Ear ear;

    ear_init(&ear, TRUE);
    /* Gone and there again before anybody looks: what is in it now is not known. */
    g_assert_cmpint(g_rmdir(ear.directory), ==, 0);
    g_assert_cmpint(g_mkdir(ear.directory, 0755), ==, 0);
    write_file(ear.directory, "virbr0.status", "[]");
    assert_heard(&ear, "", 1, 1);
    g_assert_true(ear.is_evented);
    write_file(ear.directory, "virbr0.status", "[]");
    assert_heard(&ear, "virbr0 ", 0, 0);
    /* Moved away, which leaves the inode and its watch. */
    move_file(ear.above, "dnsmasq", "old");
    assert_heard(&ear, "", 1, 1);
    g_assert_false(ear.is_evented);
    g_assert_nonnull(strstr(ear.why, g_strerror(ENOENT)));
    {
        g_autofree char *old = g_build_filename(ear.above, "old", NULL);

        write_file(old, "virbr0.status", "[]");
        assert_heard(&ear, "", 0, 0);
    }
    /* And back. */
    move_file(ear.above, "old", "dnsmasq");
    assert_heard(&ear, "", 1, 1);
    g_assert_true(ear.is_evented);
    g_assert_null(ear.why);
    write_file(ear.directory, "virbr0.status", "[]");
    assert_heard(&ear, "virbr0 ", 0, 0);
    ear_clear(&ear);
}

/* With all that is above it, and in steps. */
static void test_directory_late(void)
{
    const char *why = NULL;
    Ear ear;

    ear_init(&ear, FALSE);
    g_assert_false(leases_follow_evented(ear.follow, &why));
    g_assert_nonnull(strstr(why, ear.directory));
    assert_heard(&ear, "", 0, 0);
    g_assert_cmpint(g_mkdir(ear.above, 0755), ==, 0);
    assert_heard(&ear, "", 0, 0);
    /* What is beside it is none of its business. */
    write_file(ear.above, "something", "");
    assert_heard(&ear, "", 0, 0);
    g_assert_cmpint(g_mkdir(ear.directory, 0755), ==, 0);
    assert_heard(&ear, "", 1, 1);
    g_assert_true(leases_follow_evented(ear.follow, NULL));
    /* All at once. */
    remove_tree(ear.above);
    assert_heard(&ear, "", 1, 1);
    g_assert_false(ear.is_evented);
    g_assert_cmpint(g_mkdir_with_parents(ear.directory, 0755), ==, 0);
    write_file(ear.directory, "virbr0.status", "[]");
    assert_heard(&ear, "", 1, 1);
    g_assert_true(ear.is_evented);
    write_file(ear.directory, "virbr0.status", "[]");
    assert_heard(&ear, "virbr0 ", 0, 0);
    ear_clear(&ear);
}

/* Rights come and go too; root has them all. */
static void test_directory_denied(void)
{
    Ear ear;

    if (geteuid() == 0 && seteuid(65534) < 0) {
        g_test_skip("cannot be another user");
        return;
    }
    ear_init(&ear, TRUE);
    g_assert_cmpint(g_chmod(ear.directory, 0), ==, 0);
    assert_heard(&ear, "", 1, 1);
    g_assert_false(ear.is_evented);
    g_assert_cmpint(g_chmod(ear.directory, 0755), ==, 0);
    assert_heard(&ear, "", 1, 1);
    g_assert_cmpint(g_chmod(ear.directory, 0), ==, 0);
    leases_follow_free(ear.follow);
    ear.follow = leases_follow_new(ear.directory, &tell, &ear);
    g_assert_false(leases_follow_evented(ear.follow, NULL));
    g_assert_cmpint(g_chmod(ear.directory, 0755), ==, 0);
    assert_heard(&ear, "", 1, 1);
    g_assert_true(ear.is_evented);
    ear_clear(&ear);
    if (getuid() == 0)
        g_assert_cmpint(seteuid(0), ==, 0);
}

/* ---------------------------------------------------------------------------------------- overflow */

static gint64 max_queued(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &text, NULL, NULL))
        return G_MAXINT64;
    return g_ascii_strtoll(text, NULL, 10);
}

/* Alternating names, for the kernel joins equal events; nobody listens meanwhile. */
static void test_overflow(void)
{
    gint64 count = max_queued();
    guint doubts = 0;
    Ear ear;

    if (count > 100000) {
        g_test_skip("the queue is too long to be filled");
        return;
    }
    ear_init(&ear, TRUE);
    for (gint64 i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("%s/virbr%d.status", ear.directory, (int)(i % 2));
        int fd = g_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        g_assert_cmpint(fd, >=, 0);
        close(fd);
    }
    hear(&ear);
    doubts = ear.doubts;
    g_assert_cmpuint(doubts, ==, 1);
    g_assert_cmpuint(ear.evented, ==, 0);
    write_file(ear.directory, "virbr2.status", "[]");
    assert_heard(&ear, "virbr2 ", 0, 0);
    ear_clear(&ear);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow-leases/files", test_files);
    g_test_add_func("/follow-leases/names", test_names);
    g_test_add_func("/follow-leases/directory/replaced", test_directory_replaced);
    g_test_add_func("/follow-leases/directory/late", test_directory_late);
    g_test_add_func("/follow-leases/directory/denied", test_directory_denied);
    g_test_add_func("/follow-leases/overflow", test_overflow);
    return g_test_run();
}
