/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml.h"
#include "model/template.h"

/* What the parts of the template language share; see template.c for how they fit together. */

struct Template {
    xmlDocPtr doc;
    char *
        source; /* the bytes as given, for a document that is no template (not of our namespace); else NULL */
    GPtrArray *params; /* TemplateParam */
    char *description;
};

/* Whether an element, attribute or declaration is of the template vocabulary. ns may be NULL. */
gboolean template_is_ours(const xmlNs *ns);

/* ------------------------------------------------------------------------------- template-params.c */

/*
 * Takes the declarations (vnat:param, vnat:description) out of the tree and into the template. Errors:
 * INVALID, with the rule "param: " or "description: ".
 */
gboolean template_take_declarations(Template *tmpl, GError **error);

/* -------------------------------------------------------------------------------- template-value.c */

/* Longest value, in bytes. */
#define PARAM_VALUE_MAX 1024

/* The value in its canonical form (new string), or NULL if it is not of the parameter's type. "auto" stays as
 * it is. */
char *param_canonical(const TemplateParam *param, const char *value);

/* What a value of this parameter looks like, for messages. New string. */
char *param_expectation(const TemplateParam *param);

/* "auto", where the type knows it. */
gboolean param_is_auto(const TemplateParam *param, const char *value);

/* Whether ${param.field} exists for the type, and its value from a canonical value (new string). */
gboolean param_has_field(ParamType type, const char *field);
char *param_field(ParamType type, const char *value, const char *field);

/* --------------------------------------------------------------------------------- template-auto.c */

/* A free subnet as a new string; used: IpNets. Errors: FAILED when there is none. */
char *template_auto(ParamType type, const GArray *used, GError **error);

/* ------------------------------------------------------------------------------- template-expand.c */

/*
 * Checks, in the tree without its declarations, that nothing of our vocabulary is there but vnat:if, and that
 * each vnat:if and ${reference} names a declared parameter. Errors: INVALID, with the rule "vocabulary: ",
 * "if: " or "reference: ".
 */
gboolean template_check_tree(const Template *tmpl, GError **error);

/*
 * Expands a copy of the template's tree: drops what vnat:if switches off, replaces references by values
 * (canonical; a parameter without an entry is unset), removes what is ours. Errors: USAGE for an unset
 * parameter in a kept element, INVALID ("size: …") for a result over its limit.
 */
gboolean template_expand_tree(const Template *tmpl, xmlDocPtr copy, GHashTable *values, GError **error);
