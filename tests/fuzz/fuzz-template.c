/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "fuzz.h"
#include "model/template.h"

#include <string.h>

/*
 * The template language: lines "NAME=VALUE" up to an empty line, then the template. Whatever both are, the
 * rendering is refused, or is XML with as many elements as the template at most, the record of what was used,
 * and nothing else of our namespace.
 */

static void fail_if(gboolean wrong, const char *what, const char *text)
{
    if (wrong)
        g_error("%s: %s", what, text);
}

static GHashTable *read_values(const char *head)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(head, "\n", 64);

    for (gsize i = 0; lines[i]; i++) {
        char *equals = strchr(lines[i], '=');

        if (equals)
            g_hash_table_insert(values, g_strndup(lines[i], (gsize)(equals - lines[i])),
                                g_strdup(equals + 1));
    }
    return values;
}

static gboolean is_ours(const xmlNs *ns)
{
    return ns && strcmp((const char *)ns->href, TEMPLATE_NAMESPACE) == 0;
}

/* Elements outside the metadata, where nothing of ours may be left. */
static guint count_elements(xmlNodePtr node, xmlNodePtr metadata, gboolean *ours)
{
    guint count = 1;

    *ours = *ours || is_ours(node->ns);
    for (xmlAttrPtr attr = node->properties; attr; attr = attr->next)
        *ours = *ours || is_ours(attr->ns);
    for (xmlNsPtr ns = node->nsDef; ns; ns = ns->next)
        *ours = *ours || is_ours(ns);
    for (xmlNodePtr child = xmlFirstElementChild(node); child; child = xmlNextElementSibling(child)) {
        if (child != metadata)
            count += count_elements(child, metadata, ours);
    }
    return count;
}

static guint count_document(xmlDocPtr doc, gboolean *ours)
{
    xmlNodePtr root = xmlDocGetRootElement(doc);

    *ours = FALSE;
    return count_elements(root, xml_child(root, "metadata"), ours);
}

/* The bounds of a rendering, larger than those of a template: its values may be a kilobyte each. */
static const XmlLimits RENDERED = {
    .bytes = (gsize)4 * 1024 * 1024,
    .depth = 32,
    .elements = 8192,
    .attributes = 64,
    .text = (gsize)4 * 1024 * 1024,
    .prefixes = TRUE,
};

static void check_rendered(const char *xml, const char *text, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = xml_parse(text, strlen(text), &RENDERED, &error);
    g_autoptr(xmlDoc) source = xml_parse(xml, length, &XML_LIMITS_FILE, NULL);
    gboolean ours, source_ours;

    fail_if(!doc, error ? error->message : "not XML", text);
    fail_if(count_document(doc, &ours) > count_document(source, &source_ours), "more elements than before",
            text);
    fail_if(ours, "a trace of the template", text);
}

static void render(const Template *tmpl, GHashTable *values, const char *xml, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) used = NULL;
    g_autofree char *plain = template_render(tmpl, values, NULL, NULL, NULL, &error);
    g_autofree char *recorded = template_render(tmpl, values, NULL, "name", &used, NULL);

    fail_if((plain == NULL) != (error != NULL), "neither text nor error", "");
    fail_if((plain == NULL) != (recorded == NULL), "the record makes a difference", plain ? plain : recorded);
    if (!plain)
        return;
    check_rendered(xml, plain, length);
    check_rendered(xml, recorded, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *head = g_strndup((const char *)data, size);
    char *empty = strstr(head, "\n\n");
    gsize start = empty ? (gsize)(empty - head) + 2 : 0;
    const char *xml = (const char *)data + start;
    g_autoptr(GHashTable) values = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Template) tmpl = template_parse(xml, size - start, &error);

    fail_if((tmpl == NULL) != (error != NULL), "neither template nor error", head);
    if (!tmpl)
        return 0;
    if (empty)
        *empty = '\0';
    values = read_values(empty ? head : "");
    render(tmpl, values, xml, size - start);
    return 0;
}
