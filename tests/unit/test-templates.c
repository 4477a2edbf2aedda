/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "config.h"
#include "remove-tree.h"
#include "sources/templates.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD "<network xmlns:vnat='urn:vnat:template:1'><vnat:description>%s</vnat:description></network>"

/* The world of the tests: three directories in a temporary one. $XDG_CONFIG_HOME is fixed before GLib reads
 * it. */
static char *top, *given, *path, *config;

static char *make_dir(const char *name)
{
    char *dir = g_build_filename(top, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
    return dir;
}

static char *put(const char *dir, const char *name, const char *content)
{
    char *file = g_build_filename(dir, name, NULL);

    g_assert_true(g_file_set_contents(file, content, -1, NULL));
    g_assert_cmpint(g_chmod(file, 0644), ==, 0);
    return file;
}

static void put_template(const char *dir, const char *name, const char *description)
{
    g_autofree char *content = g_strdup_printf(GOOD, description);

    g_free(put(dir, name, content));
}

static void remove_from(const char *dir, const char *name)
{
    g_autofree char *file = g_build_filename(dir, name, NULL);

    g_remove(file);
}

static void check_found(const char *dir, const char *name, const char *description)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Template) tmpl = templates_find(dir, name, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(template_description(tmpl), ==, description);
}

static void check_not_found(const char *name, VnatError code, const char *message, const char *hint)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(templates_find(given, name, &error));
    g_assert_error(error, VNAT_ERROR, (gint)code);
    if (!g_str_has_prefix(error->message, message))
        g_error("'%s' does not begin with '%s'", error->message, message);
    if (hint)
        g_assert_cmpstr(vnat_error_get_hint(error), ==, hint);
}

static void test_order(void)
{
    put_template(config, "t-order.xml", "config");
    check_found(given, "t-order", "config");
    put_template(path, "t-order.xml", "path");
    check_found(given, "t-order", "path");
    put_template(given, "t-order.xml", "given");
    check_found(given, "t-order", "given");
    check_found(NULL, "t-order", "path");
    check_found("/nonexistent", "t-order", "path");
}

static void test_list(void)
{
    g_autoptr(GPtrArray) files = NULL;
    g_autofree char *expected = g_build_filename(given, "t-list.xml", NULL);
    guint seen = 0;

    put_template(config, "t-list.xml", "config");
    put_template(given, "t-list.xml", "given");
    g_free(put(path, "t-bad.xml", "<network>"));
    put_template(path, "t-list.xml.orig", "no template's name");
    put_template(path, ".t-hidden.xml", "no template's name");
    put_template(path, "t name.xml", "no template's name");
    files = templates_list(given);
    for (guint i = 0; i < files->len; i++) {
        const TemplateFile *file = g_ptr_array_index(files, i);

        g_assert_null(strstr(file->name, "hidden"));
        g_assert_null(strchr(file->name, ' '));
        if (i > 0)
            g_assert_cmpstr(((TemplateFile *)g_ptr_array_index(files, i - 1))->name, <=, file->name);
        if (strcmp(file->name, "t-bad") == 0) {
            g_assert_null(file->tmpl);
            g_assert_true(g_str_has_prefix(file->error, "syntax: "));
            seen++;
        }
        if (strcmp(file->name, "t-list") != 0)
            continue;
        seen++;
        g_assert_null(file->error);
        g_assert_cmpint(file->shadowed, ==, strcmp(file->path, expected) != 0);
        g_assert_cmpstr(template_description(file->tmpl), ==, file->shadowed ? "config" : "given");
    }
    g_assert_cmpuint(seen, ==, 3);
    remove_from(path, "t-bad.xml");
}

static void test_not_found(void)
{
    put_template(path, "t-office.xml", "x");
    check_not_found("t-ofice", VNAT_ERROR_NOT_FOUND, "no template 't-ofice'", "did you mean 't-office'?");
    check_not_found("t-zzzzzzzzzz", VNAT_ERROR_NOT_FOUND, "no template 't-zzzzzzzzzz'", "vnat template list");
    check_not_found("../t-office", VNAT_ERROR_INVALID, "name: '../t-office' is no", NULL);
    check_not_found("", VNAT_ERROR_INVALID, "name: ", NULL);
    check_not_found("-h", VNAT_ERROR_INVALID, "name: ", NULL);
}

/* A hit that is no good is not passed over: it would be another template than the one that list shows. */
static void test_bad_hit(void)
{
    g_autoptr(GError) error = NULL;

    put_template(config, "t-hit.xml", "good");
    g_free(put(given, "t-hit.xml", "<!DOCTYPE x><network/>"));
    check_not_found("t-hit", VNAT_ERROR_INVALID, "doctype: ", NULL);
    g_assert_null(templates_find(given, "t-hit", &error));
    g_assert_nonnull(strstr(vnat_error_get_what(error), "/t-hit.xml"));
    remove_from(given, "t-hit.xml");
    check_found(given, "t-hit", "good");
}

/* ------------------------------------------------------------------------------------------- files */

static void file_refused(const char *file, VnatError code, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(templates_read_file(file, &error));
    g_assert_error(error, VNAT_ERROR, (gint)code);
    if (!g_str_has_prefix(error->message, message))
        g_error("'%s' does not begin with '%s'", error->message, message);
}

static void test_files(void)
{
    g_autofree char *fifo = g_build_filename(top, "fifo.xml", NULL),
                    *missing = g_build_filename(top, "no.xml", NULL);
    g_autofree char *big = g_build_filename(top, "big.xml", NULL),
                    *nul = g_build_filename(top, "nul.xml", NULL);
    g_autofree char *empty = put(top, "empty.xml", ""),
                    *good = put(top, "good.xml", "<network><name>x</name></network>");
    g_autofree char *megabytes = g_strnfill(10 * 1000 * 1000, ' ');
    g_autoptr(GError) error = NULL;
    g_autoptr(Template) tmpl = NULL;

    g_assert_cmpint(mkfifo(fifo, 0644), ==, 0);
    g_assert_true(g_file_set_contents(big, megabytes, 10 * 1000 * 1000, NULL));
    g_assert_true(g_file_set_contents(nul, "<network>\0</network>", 20, NULL));
    file_refused(fifo, VNAT_ERROR_INVALID, "type: ");
    file_refused(top, VNAT_ERROR_INVALID, "type: ");
    file_refused("/dev/zero", VNAT_ERROR_INVALID, "type: ");
    file_refused("/dev/null", VNAT_ERROR_INVALID, "type: ");
    file_refused(big, VNAT_ERROR_INVALID, "size: ");
    file_refused(nul, VNAT_ERROR_INVALID, "nul: ");
    file_refused(empty, VNAT_ERROR_INVALID, "syntax: ");
    file_refused(missing, VNAT_ERROR_NOT_FOUND, missing);
    tmpl = templates_read_file(good, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(template_params(tmpl)->len, ==, 0);
}

static void test_trust(void)
{
    g_autofree char *content = g_strdup_printf(GOOD, "x"), *file = put(given, "t-trust.xml", content);

    if (geteuid() != 0) {
        g_test_skip("who is not root trusts as the kernel does");
        return;
    }
    check_found(given, "t-trust", "x");
    g_assert_cmpint(g_chmod(file, 0666), ==, 0);
    check_not_found("t-trust", VNAT_ERROR_INVALID, "mode: ", NULL);
    file_refused(file, VNAT_ERROR_INVALID, "mode: ");
    g_assert_cmpint(g_chmod(file, 0644), ==, 0);
    g_assert_cmpint(chown(file, 65534, 65534), ==, 0);
    check_not_found("t-trust", VNAT_ERROR_INVALID, "mode: ", NULL);
    /* Named by its path, another user's file is the caller's choice. */
    template_free(templates_read_file(file, NULL));
    g_assert_cmpint(chown(file, 0, 0), ==, 0);
    g_assert_cmpint(g_chmod(given, 0777), ==, 0);
    check_not_found("t-trust", VNAT_ERROR_INVALID, "mode: ", NULL);
    g_assert_cmpint(g_chmod(given, 01777), ==, 0);
    check_found(given, "t-trust", "x");
    g_assert_cmpint(g_chmod(given, 0755), ==, 0);
    g_assert_cmpint(chown(given, 65534, 0), ==, 0);
    check_not_found("t-trust", VNAT_ERROR_INVALID, "mode: ", NULL);
    g_assert_cmpint(chown(given, 0, 0), ==, 0);
}

/* -------------------------------------------------------------------------------------- validating */

static void test_validate(void)
{
    g_autoptr(GError) error = NULL;

    if (access(VNAT_LIBVIRT_SCHEMA_DIR "/network.rng", R_OK) < 0) {
        g_assert_true(templates_validate("<network><nme/></network>", &error));
        g_test_skip("libvirt's schemas are not installed");
        return;
    }
    g_assert_true(templates_validate("<network><name>x</name></network>", &error));
    g_assert_no_error(error);
    g_assert_false(templates_validate("<network><name>x</name><brigde/></network>", &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    g_assert_true(g_str_has_prefix(error->message, "schema: "));
    g_assert_nonnull(strstr(error->message, "brigde"));
}

/* What the shipped templates make, as test-template has recorded it. */
static void test_validate_shipped(void)
{
    g_autoptr(GDir) dir = g_dir_open(TEST_DATA "/template", 0, NULL);
    const char *entry;
    guint count = 0;

    while ((entry = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(TEST_DATA, "template", entry, NULL), *xml = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_get_contents(file, &xml, NULL, NULL));
        g_assert_true(templates_validate(xml, &error));
        g_assert_no_error(error);
        count++;
    }
    g_assert_cmpuint(count, >=, 12);
}

int main(int argc, char **argv)
{
    int status;

    top = g_dir_make_tmp("vnat-templates-XXXXXX", NULL);
    given = make_dir("given");
    path = make_dir("path");
    g_setenv("XDG_CONFIG_HOME", top, TRUE);
    config = make_dir("vnat/xml");
    g_setenv("VNAT_TEMPLATE_PATH", path, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/templates/order", test_order);
    g_test_add_func("/templates/list", test_list);
    g_test_add_func("/templates/not-found", test_not_found);
    g_test_add_func("/templates/bad-hit", test_bad_hit);
    g_test_add_func("/templates/files", test_files);
    g_test_add_func("/templates/trust", test_trust);
    g_test_add_func("/templates/validate", test_validate);
    g_test_add_func("/templates/validate-shipped", test_validate_shipped);
    status = g_test_run();
    remove_tree(top);
    return status;
}
