/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/template-private.h"

#include <string.h>

/* A template of 64 KiB can name one value thousands of times; what comes of it is bounded too. */
#define RESULT_MAX ((gsize)256 * 1024)

/*
 * The two passes over the tree, checking and expanding, read a text by the same function and differ in what
 * they do with a reference. A checking pass has no values.
 */
typedef struct {
    const Template *tmpl;
    GHashTable *values; /* NULL while checking */
    gsize length;       /* of all texts expanded so far */
} Expansion;

/* -------------------------------------------------------------------------------------- references */

static gboolean bad_reference(xmlNodePtr node, const char *reference, const char *why, GError **error)
{
    return vnat_error_set(error, VNAT_ERROR_INVALID, "reference: line %ld: %s: %s", xmlGetLineNo(node),
                          reference, why);
}

static gboolean put_value(Expansion *expansion, const TemplateParam *param, const char *field, GString *out,
                          GError **error)
{
    const char *value = g_hash_table_lookup(expansion->values, param->name);
    g_autofree char *part = NULL;

    if (!value) {
        vnat_error_set(error, VNAT_ERROR_USAGE, "parameter '%s' (%s) is used and has no value", param->name,
                       param_type_name(param->type));
        vnat_error_hint(error, "give it one with -D %s=VALUE", param->name);
        return FALSE;
    }
    if (field)
        part = param_field(param->type, value, field);
    g_string_append(out, field ? part : value);
    return TRUE;
}

/* inside: what stands between the braces. */
static gboolean put_reference(Expansion *expansion, xmlNodePtr node, const char *inside, GString *out,
                              GError **error)
{
    g_auto(GStrv) parts = g_strsplit(inside, ".", 2);
    const TemplateParam *param = parts[0] ? template_param(expansion->tmpl, parts[0]) : NULL;
    g_autofree char *reference = g_strdup_printf("${%s}", inside);
    const char *field = param ? parts[1] : NULL;

    if (!param)
        return bad_reference(node, reference, "no such parameter is declared", error);
    if (field && !param_has_field(param->type, field))
        return bad_reference(node, reference, "the parameter's type has no such part", error);
    return !expansion->values || put_value(expansion, param, field, out, error);
}

/* Appends text to out with its references replaced; in one pass, so a value is never read again. */
static gboolean expand_text(Expansion *expansion, xmlNodePtr node, const char *text, GString *out,
                            GError **error)
{
    while (*text) {
        const char *close;
        g_autofree char *inside = NULL;

        if (g_str_has_prefix(text, "$${")) {
            g_string_append(out, "${");
            text += strlen("$${");
            continue;
        }
        if (!g_str_has_prefix(text, "${")) {
            g_string_append_c(out, *text++);
            continue;
        }
        text += strlen("${");
        close = strchr(text, '}');
        if (!close)
            return bad_reference(node, "${", "there is no closing brace", error);
        inside = g_strndup(text, (gsize)(close - text));
        if (!put_reference(expansion, node, inside, out, error))
            return FALSE;
        text = close + 1;
    }
    return TRUE;
}

/* The expanded text as a new string; NULL with an error. *changed says whether it differs. */
static char *expanded(Expansion *expansion, xmlNodePtr node, const char *text, gboolean *changed,
                      GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    *changed = FALSE;
    if (!strchr(text, '$'))
        return g_strdup(text);
    if (!expand_text(expansion, node, text, out, error))
        return NULL;
    expansion->length += out->len;
    if (expansion->length > RESULT_MAX) {
        vnat_error_set(error, VNAT_ERROR_INVALID,
                       "size: the values make more than %" G_GSIZE_FORMAT " bytes of text", RESULT_MAX);
        return NULL;
    }
    *changed = expansion->values && strcmp(out->str, text) != 0;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean expand_attribute(Expansion *expansion, xmlAttrPtr attr, GError **error)
{
    xmlChar *content = xmlNodeGetContent((xmlNodePtr)attr);
    gboolean changed = FALSE;
    g_autofree char *text = expanded(expansion, attr->parent, (const char *)content, &changed, error);

    xmlFree(content);
    if (!text)
        return FALSE;
    /* Takes the value as text: nothing in it is markup. */
    if (changed && !xmlSetNsProp(attr->parent, attr->ns, attr->name, (const xmlChar *)text))
        g_error("out of memory");
    return TRUE;
}

static void drop_node(xmlNodePtr node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

static gboolean expand_text_node(Expansion *expansion, xmlNodePtr node, GError **error)
{
    gboolean changed = FALSE;
    g_autofree char *text = expanded(expansion, node, (const char *)node->content, &changed, error);

    if (!text)
        return FALSE;
    /* Of a text node, the content is taken as it is. */
    if (changed && *text)
        xmlNodeSetContent(node, (const xmlChar *)text);
    if (changed && !*text)
        drop_node(node);
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- elements */

/* Its vnat:if; check_vocabulary let no other attribute of ours through. */
static xmlAttrPtr condition_of(xmlNodePtr node)
{
    for (xmlAttrPtr attr = node->properties; attr; attr = attr->next) {
        if (template_is_ours(attr->ns))
            return attr;
    }
    return NULL;
}

/* Whether the element stays; then its vnat:if is gone. */
static gboolean meets_condition(const Expansion *expansion, xmlNodePtr node)
{
    xmlAttrPtr attr = condition_of(node);
    const TemplateParam *param;
    const char *value;
    xmlChar *name;

    if (!attr)
        return TRUE;
    name = xmlNodeGetContent((xmlNodePtr)attr);
    param = template_param(expansion->tmpl, (const char *)name);
    xmlFree(name);
    xmlRemoveProp(attr);
    value = param ? g_hash_table_lookup(expansion->values, param->name) : NULL;
    return value && !(param->type == PARAM_BOOL && strcmp(value, "no") == 0);
}

static gboolean check_condition(const Template *tmpl, xmlNodePtr node, xmlAttrPtr attr, GError **error)
{
    xmlChar *name = xmlNodeGetContent((xmlNodePtr)attr);
    gboolean declared = template_param(tmpl, (const char *)name) != NULL;

    if (!declared)
        vnat_error_set(error, VNAT_ERROR_INVALID, "if: line %ld: no parameter '%s' is declared",
                       xmlGetLineNo(node), (const char *)name);
    else if (node == xmlDocGetRootElement(tmpl->doc))
        vnat_error_set(error, VNAT_ERROR_INVALID, "if: line %ld: the document element always stays",
                       xmlGetLineNo(node));
    xmlFree(name);
    return declared && node != xmlDocGetRootElement(tmpl->doc);
}

static gboolean check_vocabulary(const Template *tmpl, xmlNodePtr node, GError **error)
{
    if (template_is_ours(node->ns))
        return vnat_error_set(error, VNAT_ERROR_INVALID,
                              "vocabulary: line %ld: unknown or misplaced element '%s'", xmlGetLineNo(node),
                              (const char *)node->name);
    for (xmlAttrPtr attr = node->properties; attr; attr = attr->next) {
        if (!template_is_ours(attr->ns))
            continue;
        if (strcmp((const char *)attr->name, "if") != 0)
            return vnat_error_set(error, VNAT_ERROR_INVALID, "vocabulary: line %ld: unknown attribute '%s'",
                                  xmlGetLineNo(node), (const char *)attr->name);
        if (!check_condition(tmpl, node, attr, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean expand_attributes(Expansion *expansion, xmlNodePtr node, GError **error)
{
    for (xmlAttrPtr attr = node->properties; attr; attr = attr->next) {
        if (!template_is_ours(attr->ns) && !expand_attribute(expansion, attr, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean expand_element(Expansion *expansion, xmlNodePtr node, GError **error);

/* An element that its condition switches off is dropped before anything in it is looked at. */
static gboolean expand_child(Expansion *expansion, xmlNodePtr node, GError **error)
{
    if (node->type == XML_TEXT_NODE)
        return expand_text_node(expansion, node, error);
    if (node->type != XML_ELEMENT_NODE)
        return TRUE;
    if (expansion->values && !meets_condition(expansion, node)) {
        drop_node(node);
        return TRUE;
    }
    return expand_element(expansion, node, error);
}

/* Recursion is bounded by the depth that xml_parse lets through. */
static gboolean expand_element(Expansion *expansion, xmlNodePtr node, GError **error)
{
    xmlNodePtr next;

    if (!expansion->values && !check_vocabulary(expansion->tmpl, node, error))
        return FALSE;
    if (!expand_attributes(expansion, node, error))
        return FALSE;
    for (xmlNodePtr child = node->children; child; child = next) {
        next = child->next;
        if (!expand_child(expansion, child, error))
            return FALSE;
    }
    return TRUE;
}

/* Once nothing of ours uses them, the declarations of our namespace go. */
static void drop_namespace(xmlNodePtr node)
{
    for (xmlNsPtr *at = &node->nsDef; *at;) {
        xmlNsPtr ns = *at;

        if (!template_is_ours(ns)) {
            at = &ns->next;
            continue;
        }
        *at = ns->next;
        xmlFreeNs(ns);
    }
    for (xmlNodePtr child = xmlFirstElementChild(node); child; child = xmlNextElementSibling(child))
        drop_namespace(child);
}

gboolean template_check_tree(const Template *tmpl, GError **error)
{
    Expansion expansion = {.tmpl = tmpl};

    return expand_element(&expansion, xmlDocGetRootElement(tmpl->doc), error);
}

gboolean template_expand_tree(const Template *tmpl, xmlDocPtr copy, GHashTable *values, GError **error)
{
    Expansion expansion = {.tmpl = tmpl, .values = values};
    xmlNodePtr root = xmlDocGetRootElement(copy);

    if (!expand_element(&expansion, root, error))
        return FALSE;
    drop_namespace(root);
    return TRUE;
}
