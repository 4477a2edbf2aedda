/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/templates.h"

#include "base/error.h"
#include "base/file.h"
#include "base/name.h"
#include "base/text.h"
#include "base/xml.h"
#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".xml"
#define SCHEMA VNAT_LIBVIRT_SCHEMA_DIR "/network.rng"

typedef struct {
    char *path;
    gboolean trusted; /* whoever owns it: nothing in it is refused for that */
} TemplateDir;

static void template_dir_free(gpointer data)
{
    TemplateDir *dir = data;

    g_free(dir->path);
    g_free(dir);
}

void template_file_free(TemplateFile *file)
{
    if (!file)
        return;
    g_free(file->name);
    g_free(file->path);
    g_free(file->error);
    template_free(file->tmpl);
    g_free(file);
}

/* ------------------------------------------------------------------------------------- directories */

/* Takes path. What is there already, or is no directory that can be entered, is left out. */
static void dirs_add(GPtrArray *dirs, char *path, gboolean trusted)
{
    TemplateDir *dir = g_new0(TemplateDir, 1);

    dir->path = path;
    dir->trusted = trusted;
    for (guint i = 0; i < dirs->len; i++) {
        const TemplateDir *other = g_ptr_array_index(dirs, i);

        if (strcmp(other->path, path) == 0) {
            template_dir_free(dir);
            return;
        }
    }
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        g_ptr_array_add(dirs, dir);
    else
        template_dir_free(dir);
}

static void dirs_add_path(GPtrArray *dirs, const char *list)
{
    g_auto(GStrv) paths = g_strsplit(list ? list : "", ":", -1);

    for (gsize i = 0; paths[i]; i++) {
        if (*paths[i])
            dirs_add(dirs, g_strdup(paths[i]), FALSE);
    }
}

/*
 * The xml/ that meson copies into its build tree, found from where the program lies (BUILD/src/vnat), so that
 * no path of the build machine is in an installed program. NULL for a program elsewhere.
 */
static char *build_tree_dir(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *src = program ? g_path_get_dirname(program) : NULL;
    g_autofree char *build = src ? g_path_get_dirname(src) : NULL;
    g_autofree char *mark = build ? g_build_filename(build, "meson-private", NULL) : NULL;

    if (!mark || !g_file_test(mark, G_FILE_TEST_IS_DIR))
        return NULL;
    return g_build_filename(build, "xml", NULL);
}

/* The directories to search, in order. */
static GPtrArray *template_dirs(const char *dir)
{
    GPtrArray *dirs = g_ptr_array_new_with_free_func(template_dir_free);
    char *build = build_tree_dir();

    if (dir)
        dirs_add(dirs, g_strdup(dir), FALSE);
    dirs_add_path(dirs, g_getenv("VNAT_TEMPLATE_PATH"));
    dirs_add(dirs, g_build_filename(g_get_user_config_dir(), "vnat", "xml", NULL), FALSE);
    dirs_add(dirs, g_strdup("/etc/vnat/xml"), FALSE);
    if (build)
        dirs_add(dirs, build, TRUE);
    dirs_add(dirs, g_strdup(VNAT_TEMPLATE_DIR), FALSE);
    return dirs;
}

/* Whoever may write a directory may replace what is in it, unless the sticky bit keeps files to their owners.
 */
static gboolean dir_check_trust(const char *path, GError **error)
{
    const mode_t others = S_IWOTH | S_IWGRP;
    struct stat st;

    if (geteuid() != 0 || stat(path, &st) < 0)
        return TRUE;
    if (st.st_uid != 0 && st.st_uid != getuid())
        return vnat_error_set(error, VNAT_ERROR_INVALID,
                              "mode: the directory %s is owned by user %u, not by root", path,
                              (guint)st.st_uid);
    if ((st.st_mode & S_ISVTX) || !(st.st_mode & others) || (!(st.st_mode & S_IWOTH) && st.st_gid == 0))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_INVALID, "mode: others than root may write the directory %s",
                          path);
}

/* ----------------------------------------------------------------------------------------- reading */

/* dir is where it was found by name; NULL for a file given by path. */
static Template *template_load(const TemplateDir *dir, const char *path, GError **error)
{
    gboolean check = dir && !dir->trusted;
    g_autofree char *bytes = NULL;
    gsize length = 0;

    if (!file_read(path, XML_LIMITS_FILE.bytes, check, &bytes, &length, error))
        return NULL;
    if (check && !dir_check_trust(dir->path, error))
        return NULL;
    return template_parse(bytes, length, error);
}

Template *templates_read_file(const char *path, GError **error)
{
    struct stat st;

    if (geteuid() == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH)) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "mode: everybody may write %s", path);
        return NULL;
    }
    return template_load(NULL, path, error);
}

static char *template_path(const TemplateDir *dir, const char *name)
{
    g_autofree char *base = g_strconcat(name, SUFFIX, NULL);

    return g_build_filename(dir->path, base, NULL);
}

/* ----------------------------------------------------------------------------------------- finding */

/* The template's name in a file name, new string; NULL if it is none's. */
static char *name_of_entry(const char *entry)
{
    g_autofree char *name = NULL;

    if (!g_str_has_suffix(entry, SUFFIX))
        return NULL;
    name = g_strndup(entry, strlen(entry) - strlen(SUFFIX));
    return name_is_network(name) ? g_steal_pointer(&name) : NULL;
}

static TemplateFile *template_file_read(const TemplateDir *dir, const char *name)
{
    TemplateFile *file = g_new0(TemplateFile, 1);
    g_autoptr(GError) error = NULL;

    file->name = g_strdup(name);
    file->path = template_path(dir, name);
    file->tmpl = template_load(dir, file->path, &error);
    if (error)
        file->error = g_strdup(error->message);
    return file;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const TemplateFile *one = *(TemplateFile *const *)a, *other = *(TemplateFile *const *)b;

    return strcmp(one->name, other->name);
}

static void list_dir(GPtrArray *files, const TemplateDir *dir)
{
    g_autoptr(GDir) handle = g_dir_open(dir->path, 0, NULL);
    const char *entry;

    while (handle && (entry = g_dir_read_name(handle))) {
        g_autofree char *name = name_of_entry(entry);

        if (name)
            g_ptr_array_add(files, template_file_read(dir, name));
    }
}

GPtrArray *templates_list(const char *dir)
{
    GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify)template_file_free);
    g_autoptr(GPtrArray) dirs = template_dirs(dir);

    for (guint i = 0; i < dirs->len; i++)
        list_dir(files, g_ptr_array_index(dirs, i));
    /* Stable: of one name, the first directory's stays in front. */
    g_ptr_array_sort(files, by_name);
    for (guint i = 1; i < files->len; i++) {
        const TemplateFile *before = g_ptr_array_index(files, i - 1);
        TemplateFile *file = g_ptr_array_index(files, i);

        file->shadowed = strcmp(before->name, file->name) == 0;
    }
    return files;
}

static Template *not_found(const char *dir, const char *name, GError **error)
{
    g_autoptr(GPtrArray) files = templates_list(dir);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (guint i = 0; i < files->len; i++)
        g_ptr_array_add(names, ((TemplateFile *)g_ptr_array_index(files, i))->name);
    g_ptr_array_add(names, NULL);
    near = text_suggest(name, (const char *const *)names->pdata);
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "no template '%s'", name);
    if (near)
        vnat_error_hint(error, "did you mean '%s'?", near);
    else
        vnat_error_hint(error, "vnat template list");
    return NULL;
}

Template *templates_find(const char *dir, const char *name, GError **error)
{
    g_autoptr(GPtrArray) dirs = NULL;

    if (!name_is_network(name)) {
        vnat_error_set(error, VNAT_ERROR_INVALID,
                       "name: '%s' is no template's name: up to 50 of A-Z a-z 0-9 _ . - beginning with a "
                       "letter or digit",
                       name);
        return NULL;
    }
    dirs = template_dirs(dir);
    for (guint i = 0; i < dirs->len; i++) {
        const TemplateDir *at = g_ptr_array_index(dirs, i);
        g_autofree char *path = template_path(at, name);
        g_autoptr(GError) local = NULL;
        Template *tmpl = template_load(at, path, &local);

        if (tmpl)
            return tmpl;
        if (!g_error_matches(local, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            vnat_error_what(error, "template %s is refused", path);
            return NULL;
        }
    }
    return not_found(dir, name, error);
}

gboolean templates_validate(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;

    if (access(SCHEMA, R_OK) < 0)
        return TRUE;
    doc = xml_parse(xml, strlen(xml), &XML_LIMITS_LIBVIRT, error);
    return doc && xml_validate(doc, SCHEMA, error);
}
