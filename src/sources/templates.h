/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/template.h"

#include <glib.h>

/*
 * Templates on disk. Search order: dir (--template-dir, may be NULL), $VNAT_TEMPLATE_PATH (colon-separated),
 * $XDG_CONFIG_HOME/vnat/xml or ~/.config/vnat/xml, /etc/vnat/xml, the installed directory (and, for a program that
 * runs in its build tree, the source tree's xml/). A name's first hit wins; the later ones are shadowed. As root, a file that others
 * may write (or whose directory they may write without the sticky bit) is refused.
 */

typedef struct {
    char *name;       /* file name less ".xml" */
    char *path;
    gboolean shadowed;
    Template *tmpl;   /* NULL if it could not be read */
    char *error;      /* then: why */
} TemplateFile;

void template_file_free(TemplateFile *file);

/* All templates of all directories, by name, the winning one first. Directories that do not exist are passed over. */
GPtrArray *templates_list(const char *dir);

/* The template of that name. Errors: NOT_FOUND, with a "did you mean" hint; INVALID. */
Template *templates_find(const char *dir, const char *name, GError **error);

/* A file by path. Opened and checked as robustness.md's practice says: regular, at most 64 KiB, … */
Template *templates_read_file(const char *path, GError **error);

/*
 * Validates network XML against libvirt's schema (network.rng) where that is installed; TRUE without it. Errors:
 * INVALID, with the validator's message.
 */
gboolean templates_validate(const char *xml, GError **error);
