/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"
#include "model/facts.h"

#include <glib.h>

/*
 * Templates: network XML with ${parameter} in text and attribute values, parsed first and substituted in the
 * tree after. The language is vnat-template(5). Pure: bytes and values in, XML out.
 */
typedef struct Template Template;

#define TEMPLATE_NAMESPACE "urn:vnat:template:1"

typedef enum {
    PARAM_NAME,
    PARAM_IFNAME,
    PARAM_MAC,
    PARAM_UUID,
    PARAM_IP4,
    PARAM_CIDR4,
    PARAM_CIDR6,
    PARAM_PORT,
    PARAM_INT,
    PARAM_BOOL,
    PARAM_ENUM,
    PARAM_DOMAIN,
    PARAM_TEXT,
    PARAM_TYPE_COUNT
} ParamType;

const char *param_type_name(ParamType type);

typedef struct {
    char *name;
    ParamType type;
    char *default_value; /* canonical, or "auto"; NULL: none */
    gboolean optional;
    gint64 min, max; /* PARAM_INT */
    char **values;   /* PARAM_ENUM */
} TemplateParam;

/*
 * Parses and checks. A network document that does not declare the template namespace is no template: it has
 * no parameters, and is rendered as it is. Errors: VNAT_ERROR_INVALID; the message begins with the rule's
 * name ("doctype: …", see base/xml.h; "root", "param", "description", "vocabulary", "if", "reference").
 */
Template *template_parse(const char *xml, gsize length, GError **error);
void template_free(Template *tmpl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Template, template_free)

/* Its parameters (TemplateParam), in order of declaration; and its vnat:description, or NULL. Owned by the
 * template. */
const GPtrArray *template_params(const Template *tmpl);
const TemplateParam *template_param(const Template *tmpl, const char *name);
const char *template_description(const Template *tmpl);

/*
 * Whether a subnet is to be chosen ("auto", given or by default): then what comes of the template depends on
 * the host. values: as for template_render.
 */
gboolean template_has_auto(const Template *tmpl, GHashTable *values);

/* What the choice of an automatic subnet must avoid: subnets and routes in use (IpNet). Prefixes 0 and 1,
 * default routes, are ignored. */
typedef struct {
    const GArray *used;
} TemplateWorld;

/*
 * The network XML with values (name to value, strings; explicit ones, defaults fill in; NULL: none). A cidr
 * of "auto" is chosen against world (NULL: nothing is in use) and the other values. name_for_metadata: the
 * template's name to be kept in <metadata>, with the values used; NULL keeps none. used_values (may be NULL)
 * gets a GPtrArray of TemplateValue, in order of declaration and canonical form ("yes" for "on"), for the
 * caller to unref; untouched on failure. Errors: VNAT_ERROR_USAGE for an undeclared, missing or malformed
 * value, named; FAILED where no subnet is free; INVALID
 * ("size: …") if the result is over 256 KiB of text.
 */
char *template_render(const Template *tmpl, GHashTable *values, const TemplateWorld *world,
                      const char *name_for_metadata, GPtrArray **used_values, GError **error);
