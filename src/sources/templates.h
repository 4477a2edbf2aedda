/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/template.h"

#include <glib.h>

/*
 * Templates on disk. Search order: dir (--template-dir, may be NULL), $VNAT_TEMPLATE_PATH (colon-separated),
 * $XDG_CONFIG_HOME/vnat/xml or ~/.config/vnat/xml, /etc/vnat/xml, the xml/ of the build tree for a program
 * that runs in one, the installed directory. A name's first hit wins; the later ones are shadowed. As root, a
 * file that others may write is refused, as is one in a directory that others may write (without the sticky
 * bit); in the build tree, both are as trusted as the program beside them.
 */

typedef struct {
    char *name; /* file name less ".xml" */
    char *path;
    gboolean shadowed;
    Template *tmpl; /* NULL if it could not be read */
    char *error;    /* then: why */
} TemplateFile;

void template_file_free(TemplateFile *file);

/*
 * All templates (TemplateFile) of all directories, by name, the winning one first. Directories that do not
 * exist or cannot be entered are passed over. Unref the array.
 */
GPtrArray *templates_list(const char *dir);

/*
 * The template of that name. Errors: NOT_FOUND, with a "did you mean" hint; INVALID for what is no template's
 * name, and for a hit that is none (a later one is not tried).
 */
Template *templates_find(const char *dir, const char *name, GError **error);

/*
 * A file by path: a regular one of at most 64 KiB; it may be a template or plain network XML (see
 * template_parse). Whoever names a file vouches for its owner, but as root one that everybody may write is
 * refused. Errors: as file_read's and template_parse's, prefixed by nothing: they begin with the rule's name.
 */
Template *templates_read_file(const char *path, GError **error);

/*
 * Validates network XML against libvirt's schema (network.rng) where that is installed; TRUE without it.
 * Errors: INVALID, with the validator's message after "schema: ".
 */
gboolean templates_validate(const char *xml, GError **error);
