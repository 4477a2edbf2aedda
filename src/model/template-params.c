/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/template-private.h"

#include <string.h>

#define PARAM_NAME_MAX 50
#define INT_MAX_DEFAULT G_MAXINT32

static gboolean refuse(xmlNodePtr node, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean refuse(xmlNodePtr node, GError **error, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    return vnat_error_set(error, VNAT_ERROR_INVALID, "param: line %ld: %s", xmlGetLineNo(node), what);
}

static void param_free(gpointer data)
{
    TemplateParam *param = data;

    g_free(param->name);
    g_free(param->default_value);
    g_strfreev(param->values);
    g_free(param);
}

/* [A-Za-z][A-Za-z0-9_-]*: what -D NAME=VALUE and ${NAME.FIELD} can tell from the rest. */
static gboolean is_param_name(const char *name)
{
    if (!g_ascii_isalpha(name[0]) || strlen(name) > PARAM_NAME_MAX)
        return FALSE;
    for (const char *p = name; *p; p++) {
        if (!g_ascii_isalnum(*p) && *p != '_' && *p != '-')
            return FALSE;
    }
    return TRUE;
}

static gboolean read_name(TemplateParam *param, const Template *tmpl, xmlNodePtr node, GError **error)
{
    param->name = xml_attr(node, "name");
    if (!param->name)
        return refuse(node, error, "a parameter without a name");
    if (!is_param_name(param->name))
        return refuse(node, error,
                      "'%s' is no parameter name (letters, digits, _ and -, beginning with a letter)",
                      param->name);
    if (template_param(tmpl, param->name))
        return refuse(node, error, "'%s' is declared twice", param->name);
    return TRUE;
}

static gboolean read_type(TemplateParam *param, xmlNodePtr node, GError **error)
{
    g_autofree char *type = xml_attr(node, "type");

    if (!type)
        return refuse(node, error, "'%s' has no type", param->name);
    for (guint i = 0; i < PARAM_TYPE_COUNT; i++) {
        param->type = (ParamType)i;
        if (strcmp(type, param_type_name(param->type)) == 0)
            return TRUE;
    }
    return refuse(node, error, "'%s' has the unknown type '%s'", param->name, type);
}

static gboolean read_optional(TemplateParam *param, xmlNodePtr node, GError **error)
{
    g_autofree char *optional = xml_attr(node, "optional");

    param->optional = optional && strcmp(optional, "yes") == 0;
    if (optional && !param->optional && strcmp(optional, "no") != 0)
        return refuse(node, error, "optional='%s' of '%s' is neither yes nor no", optional, param->name);
    return TRUE;
}

static gboolean read_bound(const TemplateParam *param, xmlNodePtr node, const char *which, gint64 *bound,
                           GError **error)
{
    g_autofree char *text = xml_attr(node, which);

    if (!text)
        return TRUE;
    if (param->type != PARAM_INT)
        return refuse(node, error, "'%s' is no int, so it has no %s", param->name, which);
    if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, bound, NULL))
        return refuse(node, error, "%s='%s' of '%s' is no number", which, text, param->name);
    return TRUE;
}

static gboolean read_bounds(TemplateParam *param, xmlNodePtr node, GError **error)
{
    param->max = INT_MAX_DEFAULT;
    if (!read_bound(param, node, "min", &param->min, error) ||
        !read_bound(param, node, "max", &param->max, error))
        return FALSE;
    if (param->min > param->max)
        return refuse(node, error, "min of '%s' is over its max", param->name);
    return TRUE;
}

/* The words of an enum, without the empty strings that a split leaves. */
static char **split_words(const char *text)
{
    g_auto(GStrv) parts = g_strsplit_set(text, " \t\r\n", -1);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    for (gsize i = 0; parts[i]; i++) {
        if (*parts[i])
            g_strv_builder_add(words, parts[i]);
    }
    return g_strv_builder_end(words);
}

static gboolean read_values(TemplateParam *param, xmlNodePtr node, GError **error)
{
    g_autofree char *values = xml_attr(node, "values");

    if (values && param->type != PARAM_ENUM)
        return refuse(node, error, "'%s' is no enum, so it has no values", param->name);
    if (param->type != PARAM_ENUM)
        return TRUE;
    param->values = split_words(values ? values : "");
    if (!param->values[0])
        return refuse(node, error, "the enum '%s' has no values", param->name);
    return TRUE;
}

static gboolean read_default(TemplateParam *param, xmlNodePtr node, GError **error)
{
    g_autofree char *given = xml_attr(node, "default");
    g_autofree char *expectation = NULL;

    if (!given)
        return TRUE;
    if (strstr(given, "${"))
        return refuse(node, error, "the default of '%s' refers to a parameter", param->name);
    param->default_value = param_canonical(param, given);
    if (param->default_value)
        return TRUE;
    expectation = param_expectation(param);
    return refuse(node, error, "the default '%s' of '%s' (%s) is not %s", given, param->name,
                  param_type_name(param->type), expectation);
}

static gboolean check_attributes(xmlNodePtr node, GError **error)
{
    static const char *const known[] = {"name", "type", "default", "optional", "min", "max", "values", NULL};

    for (xmlAttrPtr attr = node->properties; attr; attr = attr->next) {
        if (attr->ns || !g_strv_contains(known, (const char *)attr->name))
            return refuse(node, error, "unknown attribute '%s'", (const char *)attr->name);
    }
    if (node->children)
        return refuse(node, error, "a declaration holds nothing but attributes");
    return TRUE;
}

static gboolean take_param(Template *tmpl, xmlNodePtr node, GError **error)
{
    TemplateParam *param = g_new0(TemplateParam, 1);

    if (check_attributes(node, error) && read_name(param, tmpl, node, error) &&
        read_type(param, node, error) && read_optional(param, node, error) &&
        read_bounds(param, node, error) && read_values(param, node, error) &&
        read_default(param, node, error)) {
        g_ptr_array_add(tmpl->params, param);
        return TRUE;
    }
    param_free(param);
    return FALSE;
}

static gboolean take_description(Template *tmpl, xmlNodePtr node, GError **error)
{
    g_autofree char *text = xml_text(node);

    if (tmpl->description)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "description: line %ld: there are two",
                              xmlGetLineNo(node));
    if (node->properties || xmlChildElementCount(node) > 0)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "description: line %ld: it holds text only",
                              xmlGetLineNo(node));
    tmpl->description = g_strdup(g_strstrip(text));
    return TRUE;
}

gboolean template_take_declarations(Template *tmpl, GError **error)
{
    xmlNodePtr next;

    tmpl->params = g_ptr_array_new_with_free_func(param_free);
    for (xmlNodePtr node = xmlDocGetRootElement(tmpl->doc)->children; node; node = next) {
        next = node->next;
        if (node->type != XML_ELEMENT_NODE || !template_is_ours(node->ns))
            continue;
        if (strcmp((const char *)node->name, "param") == 0) {
            if (!take_param(tmpl, node, error))
                return FALSE;
        } else if (strcmp((const char *)node->name, "description") == 0) {
            if (!take_description(tmpl, node, error))
                return FALSE;
        } else {
            /* template_check_tree refuses it. */
            continue;
        }
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
    return TRUE;
}
