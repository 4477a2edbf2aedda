/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/command.h"
#include "commands/world.h"
#include "model/template.h"

/* What net-define, net-start and template have in common: where a template comes from, and its values. */

/* -D and --vars, for the option tables of those commands. */
#define OPTIONS_VALUES                                                                                        \
    {"define", 'D', OPTION_LIST, "NAME=VALUE", "set a parameter of the template", NULL},                      \
        {"vars",       0, OPTION_VALUE, "FILE", "read parameters from a file: NAME=VALUE a line, # comments", \
         COMPLETE_FILE},                                                                                      \
    {                                                                                                         \
        "template-dir", 0, OPTION_VALUE, "DIR", "look for templates here first", COMPLETE_FILE                \
    }

/* --vars, then -D, which wins: name -> value, strings. Errors: VNAT_ERROR_USAGE. */
GHashTable *values_parse(const Context *ctx, GError **error);

/* A path (has '/' or ends in ".xml") is a file, everything else a template's name. */
gboolean values_is_path(const char *which);

/* The template that which names. Errors as templates_find's. */
Template *values_template(const Context *ctx, const char *which, GError **error);

/*
 * Renders for definition: world (may be NULL: then it is read, if a value is "auto") tells what "auto" must
 * avoid. Checks that the network's name and bridge are of the forms we define. *network (may be NULL) gets
 * the parsed result.
 */
char *values_render(World *world, const Template *tmpl, const char *which, GHashTable *values,
                    Network **network, GError **error);
