/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "remove-tree.h"
#include "sources/definitions-follow.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Directories of the test's own in place of libvirt's. */

typedef struct {
    char *top, *run, *config;
    DefinitionsFollow *follow;
    GString *touched; /* "domain VM1, network default, ": once each; of all: "domain *, " */
    guint news;
} Ear;

static void on_touch_named(gpointer data, FollowKind kind, const char *name)
{
    Ear *ear = data;
    g_autofree char *words =
        g_strdup_printf("%s %s, ", kind == FOLLOW_DOMAIN ? "domain" : "network", name ? name : "*");

    g_assert_true(kind == FOLLOW_DOMAIN || kind == FOLLOW_NETWORK);
    if (!strstr(ear->touched->str, words))
        g_string_append(ear->touched, words);
}

static void on_news(gpointer data)
{
    ((Ear *)data)->news++;
}

static const FollowTell tell = {.touch_named = on_touch_named, .news = on_news};

static void make_directory(const char *above, const char *below)
{
    g_autofree char *path = g_build_filename(above, below, NULL);

    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
}

static void ear_init(Ear *ear, const char *uri)
{
    memset(ear, 0, sizeof *ear);
    ear->top = g_dir_make_tmp("vnat-definitions-XXXXXX", NULL);
    ear->run = g_build_filename(ear->top, "run", NULL);
    ear->config = g_build_filename(ear->top, "etc", NULL);
    ear->touched = g_string_new(NULL);
    make_directory(ear->run, "qemu");
    make_directory(ear->run, "lxc");
    make_directory(ear->run, "network");
    make_directory(ear->config, "qemu/networks");
    ear->follow = definitions_follow_new(ear->run, ear->config, uri, &tell, ear);
}

static void ear_clear(Ear *ear)
{
    definitions_follow_free(ear->follow);
    remove_tree(ear->top);
    g_free(ear->top);
    g_free(ear->run);
    g_free(ear->config);
    g_string_free(ear->touched, TRUE);
}

/* All that is queued; inotify queues before the system call returns that makes the event. */
static void assert_heard(Ear *ear, const char *words)
{
    g_string_truncate(ear->touched, 0);
    ear->news = 0;
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpstr(ear->touched->str, ==, words);
    g_assert_cmpint(ear->news > 0, ==, *words != '\0');
}

/* As virFileRewrite does. */
static void rewrite(const char *above, const char *below)
{
    g_autofree char *path = g_build_filename(above, below, NULL);
    g_autofree char *new = g_strconcat(path, ".new", NULL);

    g_assert_true(g_file_set_contents_full(new, "<x/>", -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    g_assert_cmpint(g_rename(new, path), ==, 0);
}

static void test_files(void)
{
    Ear ear;

    ear_init(&ear, "qemu:///system");
    assert_heard(&ear, "");
    rewrite(ear.run, "qemu/VM1.xml");
    assert_heard(&ear, "domain VM1, ");
    rewrite(ear.run, "qemu/a.xml.xml");
    assert_heard(&ear, "domain a.xml, ");
    rewrite(ear.run, "qemu/VM1.pid");
    rewrite(ear.run, "lxc/VM1.xml");
    rewrite(ear.run, "network/default.pid");
    assert_heard(&ear, "");
    rewrite(ear.run, "network/default.xml");
    assert_heard(&ear, "network default, ");
    rewrite(ear.config, "qemu/networks/lab.xml");
    assert_heard(&ear, "network lab, ");
    ear_clear(&ear);
}

/* While it is stopped, whoever asks libvirt waits: its event comes after. */
static void test_removed(void)
{
    g_autofree char *network = NULL;
    g_autofree char *domain = NULL;
    Ear ear;

    ear_init(&ear, "qemu:///system");
    rewrite(ear.run, "network/default.xml");
    rewrite(ear.run, "qemu/VM1.xml");
    assert_heard(&ear, "domain VM1, network default, ");
    network = g_build_filename(ear.run, "network/default.xml", NULL);
    domain = g_build_filename(ear.run, "qemu/VM1.xml", NULL);
    g_assert_cmpint(g_unlink(network), ==, 0);
    g_assert_cmpint(g_unlink(domain), ==, 0);
    assert_heard(&ear, "");
    ear_clear(&ear);
}

/* libvirt makes the directory for the first that is to start with the host. */
static void test_autostart(void)
{
    g_autofree char *link = NULL;
    Ear ear;

    ear_init(&ear, "qemu:///system");
    make_directory(ear.config, "qemu/networks/autostart");
    link = g_build_filename(ear.config, "qemu/networks/autostart/default.xml", NULL);
    g_assert_cmpint(symlink("../default.xml", link), ==, 0);
    assert_heard(&ear, "network *, ");
    g_assert_cmpint(g_unlink(link), ==, 0);
    assert_heard(&ear, "network default, ");
    g_assert_cmpint(symlink("../default.xml", link), ==, 0);
    assert_heard(&ear, "network default, ");
    ear_clear(&ear);
}

/* Where domains are, the driver says. */
static void test_drivers(void)
{
    Ear ear;

    ear_init(&ear, "lxc:///system");
    rewrite(ear.run, "lxc/box.xml");
    rewrite(ear.run, "qemu/VM1.xml");
    assert_heard(&ear, "domain box, ");
    ear_clear(&ear);
    ear_init(&ear, "network:///system");
    rewrite(ear.run, "qemu/VM1.xml");
    assert_heard(&ear, "");
    rewrite(ear.run, "network/default.xml");
    assert_heard(&ear, "network default, ");
    ear_clear(&ear);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow-definitions/files", test_files);
    g_test_add_func("/follow-definitions/removed", test_removed);
    g_test_add_func("/follow-definitions/autostart", test_autostart);
    g_test_add_func("/follow-definitions/drivers", test_drivers);
    return g_test_run();
}
