/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template.h"

#include "base/error.h"
#include "base/text.h"
#include "model/template-private.h"

#include <string.h>

/*
 * How a template becomes a network.
 *
 * template_parse: bytes -> tree (base/xml, with its limits); comments and processing instructions go, and the
 * vnat:template of an earlier rendering; the declarations are taken out of the tree (template-params.c); what
 * is left is checked (template-expand.c): nothing of our vocabulary but vnat:if, every reference declared. So
 * a template that parses can fail to render for its values alone.
 *
 * template_render: values -> their canonical forms, by type (template-value.c); "auto" last, so that it
 * avoids the subnets given by hand; then a copy of the tree is expanded, and what was used is written into
 * its <metadata>.
 *
 * A value enters the tree as text, after the parse: whatever it holds, it never becomes an element or an
 * attribute.
 *
 * A document that has nothing of our namespace (outside <metadata>, where a network keeps what it was made
 * of) is no template: it has no parameters, and goes through byte by byte, "${" and all.
 */

gboolean template_is_ours(const xmlNs *ns)
{
    return ns && ns->href && strcmp((const char *)ns->href, TEMPLATE_NAMESPACE) == 0;
}

void template_free(Template *tmpl)
{
    if (!tmpl)
        return;
    if (tmpl->doc)
        xmlFreeDoc(tmpl->doc);
    if (tmpl->params)
        g_ptr_array_unref(tmpl->params);
    g_free(tmpl->source);
    g_free(tmpl->description);
    g_free(tmpl);
}

/* ----------------------------------------------------------------------------------------- parsing */

static gboolean declares_ours(xmlNodePtr node)
{
    for (xmlNsPtr ns = node->nsDef; ns; ns = ns->next) {
        if (template_is_ours(ns))
            return TRUE;
    }
    return FALSE;
}

/* Whether the namespace is declared on the element or inside; metadata of the document element does not
 * count. */
static gboolean uses_namespace(xmlNodePtr node, xmlNodePtr metadata)
{
    if (declares_ours(node))
        return TRUE;
    for (xmlNodePtr child = xmlFirstElementChild(node); child; child = xmlNextElementSibling(child)) {
        if (child != metadata && uses_namespace(child, metadata))
            return TRUE;
    }
    return FALSE;
}

/* libvirt keeps no comments, and one may name a parameter or the template language. */
static void drop_comments(xmlNodePtr node)
{
    xmlNodePtr next;

    for (xmlNodePtr child = node->children; child; child = next) {
        next = child->next;
        if (child->type == XML_ELEMENT_NODE) {
            drop_comments(child);
        } else if (child->type == XML_COMMENT_NODE || child->type == XML_PI_NODE) {
            xmlUnlinkNode(child);
            xmlFreeNode(child);
        }
    }
}

/* Removes the record of an earlier rendering from the metadata; node may be NULL. */
static void drop_record(xmlNodePtr metadata)
{
    xmlNodePtr next;

    for (xmlNodePtr child = metadata ? metadata->children : NULL; child; child = next) {
        next = child->next;
        if (child->type == XML_ELEMENT_NODE && template_is_ours(child->ns) &&
            strcmp((const char *)child->name, "template") == 0) {
            xmlUnlinkNode(child);
            xmlFreeNode(child);
        }
    }
}

static gboolean template_read(Template *tmpl, const char *xml, gsize length, GError **error)
{
    xmlNodePtr root, metadata;

    tmpl->doc = xml_parse(xml, length, &XML_LIMITS_FILE, error);
    if (!tmpl->doc)
        return FALSE;
    root = xmlDocGetRootElement(tmpl->doc);
    if (root->ns || strcmp((const char *)root->name, "network") != 0)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "root: the document element is <%s>, not <network>",
                              (const char *)root->name);
    metadata = xml_child(root, "metadata");
    if (!uses_namespace(root, metadata)) {
        tmpl->source = g_strndup(xml, length);
        tmpl->params = g_ptr_array_new();
        return TRUE;
    }
    drop_comments(root);
    drop_record(metadata);
    return template_take_declarations(tmpl, error) && template_check_tree(tmpl, error);
}

Template *template_parse(const char *xml, gsize length, GError **error)
{
    Template *tmpl = g_new0(Template, 1);

    if (template_read(tmpl, xml, length, error))
        return tmpl;
    template_free(tmpl);
    return NULL;
}

const GPtrArray *template_params(const Template *tmpl)
{
    return tmpl->params;
}

const TemplateParam *template_param(const Template *tmpl, const char *name)
{
    for (guint i = 0; i < tmpl->params->len; i++) {
        const TemplateParam *param = g_ptr_array_index(tmpl->params, i);

        if (strcmp(param->name, name) == 0)
            return param;
    }
    return NULL;
}

const char *template_description(const Template *tmpl)
{
    return tmpl->description;
}

/* ------------------------------------------------------------------------------------------ values */

static char **param_names(const Template *tmpl)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    for (guint i = 0; i < tmpl->params->len; i++) {
        const TemplateParam *param = g_ptr_array_index(tmpl->params, i);

        g_strv_builder_add(names, param->name);
    }
    return g_strv_builder_end(names);
}

static gboolean refuse_undeclared(const Template *tmpl, const char *name, GError **error)
{
    g_auto(GStrv) names = param_names(tmpl);
    const char *near = text_suggest(name, (const char *const *)names);
    g_autofree char *list = g_strjoinv(", ", names);

    vnat_error_set(error, VNAT_ERROR_USAGE, "the template has no parameter '%s'", name);
    if (near)
        vnat_error_hint(error, "did you mean '%s'? It has: %s", near, list);
    else if (names[0])
        vnat_error_hint(error, "it has: %s", list);
    else
        vnat_error_hint(error, "it has none");
    return FALSE;
}

/* By name, so that of several the same one is named each time. */
static gboolean check_declared(const Template *tmpl, GHashTable *values, GError **error)
{
    g_autoptr(GList) names = values ? g_hash_table_get_keys(values) : NULL;

    names = g_list_sort(names, (GCompareFunc)strcmp);
    for (GList *at = names; at; at = at->next) {
        if (!template_param(tmpl, at->data))
            return refuse_undeclared(tmpl, at->data, error);
    }
    return TRUE;
}

/* As given, else by default; NULL: neither. */
static const char *value_of(const TemplateParam *param, GHashTable *values)
{
    const char *given = values ? g_hash_table_lookup(values, param->name) : NULL;

    return given ? given : param->default_value;
}

gboolean template_has_auto(const Template *tmpl, GHashTable *values)
{
    for (guint i = 0; i < tmpl->params->len; i++) {
        const TemplateParam *param = g_ptr_array_index(tmpl->params, i);
        const char *value = value_of(param, values);

        if (value && param_is_auto(param, value))
            return TRUE;
    }
    return FALSE;
}

/* The canonical value into resolved, unless the parameter is optional and unset. */
static gboolean resolve(const TemplateParam *param, GHashTable *values, GHashTable *resolved, GError **error)
{
    const char *value = value_of(param, values);
    g_autofree char *canonical = value ? param_canonical(param, value) : NULL;
    g_autofree char *expectation = NULL;

    if (canonical) {
        g_hash_table_insert(resolved, param->name, g_steal_pointer(&canonical));
        return TRUE;
    }
    if (!value && param->optional)
        return TRUE;
    expectation = param_expectation(param);
    if (value)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "parameter '%s' (%s): '%s' is not %s", param->name,
                              param_type_name(param->type), value, expectation);
    vnat_error_set(error, VNAT_ERROR_USAGE, "parameter '%s' (%s) has no value", param->name,
                   param_type_name(param->type));
    vnat_error_hint(error, "give it one with -D %s=VALUE: %s", param->name, expectation);
    return FALSE;
}

/* All subnets to keep clear of: the world's and those among the values. */
static GArray *taken_subnets(GHashTable *resolved, const TemplateWorld *world)
{
    GArray *taken = g_array_new(FALSE, FALSE, sizeof(IpNet));
    GHashTableIter iter;
    gpointer value;

    if (world)
        g_array_append_vals(taken, world->used->data, world->used->len);
    g_hash_table_iter_init(&iter, resolved);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        IpNet net;

        if (ipnet_parse(value, &net))
            g_array_append_val(taken, net);
    }
    return taken;
}

/* Chooses the subnets left at "auto", in order of declaration. */
static gboolean resolve_autos(const Template *tmpl, GHashTable *resolved, const TemplateWorld *world,
                              GError **error)
{
    for (guint i = 0; i < tmpl->params->len; i++) {
        const TemplateParam *param = g_ptr_array_index(tmpl->params, i);
        const char *value = g_hash_table_lookup(resolved, param->name);
        g_autoptr(GArray) taken = NULL;
        char *chosen;

        if (!value || !param_is_auto(param, value))
            continue;
        taken = taken_subnets(resolved, world);
        chosen = template_auto(param->type, taken, error);
        if (!chosen) {
            g_prefix_error(error, "parameter '%s' (%s): ", param->name, param_type_name(param->type));
            return FALSE;
        }
        g_hash_table_insert(resolved, param->name, chosen);
    }
    return TRUE;
}

/* Parameter name (the template's own string) to canonical value; NULL with an error. */
static GHashTable *resolve_all(const Template *tmpl, GHashTable *values, const TemplateWorld *world,
                               GError **error)
{
    g_autoptr(GHashTable) resolved = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    if (!check_declared(tmpl, values, error))
        return NULL;
    for (guint i = 0; i < tmpl->params->len; i++) {
        if (!resolve(g_ptr_array_index(tmpl->params, i), values, resolved, error))
            return NULL;
    }
    if (!resolve_autos(tmpl, resolved, world, error))
        return NULL;
    return g_steal_pointer(&resolved);
}

static GPtrArray *used_values_new(const Template *tmpl, GHashTable *resolved)
{
    GPtrArray *used = g_ptr_array_new_with_free_func((GDestroyNotify)template_value_free);

    for (guint i = 0; i < tmpl->params->len; i++) {
        const TemplateParam *param = g_ptr_array_index(tmpl->params, i);
        const char *text = g_hash_table_lookup(resolved, param->name);
        TemplateValue *value;

        if (!text)
            continue;
        value = g_new0(TemplateValue, 1);
        value->name = g_strdup(param->name);
        value->value = g_strdup(text);
        g_ptr_array_add(used, value);
    }
    return used;
}

/* --------------------------------------------------------------------------------------- rendering */

static xmlNodePtr new_element(xmlNodePtr parent, xmlNsPtr ns, const char *name)
{
    xmlNodePtr node = xmlNewDocNode(parent->doc, ns, (const xmlChar *)name, NULL);

    if (!node || !xmlAddChild(parent, node))
        g_error("out of memory");
    return node;
}

/* As text: nothing in the value is markup. */
static void set_attribute(xmlNodePtr node, const char *name, const char *value)
{
    if (!xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value))
        g_error("out of memory");
}

/* The network's <metadata>; a new one stands where libvirt puts it, behind name and UUID. */
static xmlNodePtr metadata_of(xmlNodePtr root)
{
    xmlNodePtr metadata = xml_child(root, "metadata"), before = xml_child(root, "uuid");

    if (metadata)
        return metadata;
    if (!before)
        before = xml_child(root, "name");
    metadata = new_element(root, NULL, "metadata");
    if (before)
        xmlAddNextSibling(before, metadata);
    return metadata;
}

/*
 * <vnat:template xmlns:vnat='urn:vnat:template:1' name='NAME'> with a <vnat:parameter name= value=/> for each
 * value. What libvirt_parse_network reads back.
 */
static void write_record(xmlNodePtr root, const char *name, const GPtrArray *used)
{
    xmlNodePtr metadata = metadata_of(root), record;
    xmlNsPtr ns;

    drop_record(metadata);
    record = new_element(metadata, NULL, "template");
    ns = xmlNewNs(record, (const xmlChar *)TEMPLATE_NAMESPACE, (const xmlChar *)"vnat");
    if (!ns)
        g_error("out of memory");
    xmlSetNs(record, ns);
    set_attribute(record, "name", name);
    for (guint i = 0; i < used->len; i++) {
        const TemplateValue *value = g_ptr_array_index(used, i);
        xmlNodePtr parameter = new_element(record, ns, "parameter");

        set_attribute(parameter, "name", value->name);
        set_attribute(parameter, "value", value->value);
    }
}

static char *render_tree(const Template *tmpl, GHashTable *resolved, const char *name, const GPtrArray *used,
                         GError **error)
{
    g_autoptr(xmlDoc) copy = xmlCopyDoc(tmpl->doc, 1);
    g_autofree char *text = NULL;
    xmlNodePtr root;

    if (!copy)
        g_error("out of memory");
    if (!tmpl->source && !template_expand_tree(tmpl, copy, resolved, error))
        return NULL;
    root = xmlDocGetRootElement(copy);
    if (name)
        write_record(root, name, used);
    text = xml_node_string(copy, root);
    return g_strconcat(text, "\n", NULL);
}

char *template_render(const Template *tmpl, GHashTable *values, const TemplateWorld *world,
                      const char *name_for_metadata, GPtrArray **used_values, GError **error)
{
    g_autoptr(GHashTable) resolved = resolve_all(tmpl, values, world, error);
    g_autoptr(GPtrArray) used = NULL;
    char *text;

    if (!resolved)
        return NULL;
    used = used_values_new(tmpl, resolved);
    if (tmpl->source && !name_for_metadata)
        text = g_strdup(tmpl->source);
    else
        text = render_tree(tmpl, resolved, name_for_metadata, used, error);
    if (text && used_values)
        *used_values = g_steal_pointer(&used);
    return text;
}
