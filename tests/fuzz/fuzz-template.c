/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "fuzz.h"
#include "model/template.h"
#include "sources/libvirt.h"

#include <string.h>

/*
 * The template language: lines "NAME=VALUE" up to an empty line, then the template. Whatever both are, the
 * rendering is refused, or is XML with as many elements as the template at most, the record of what was used,
 * and nothing else of our namespace. A network that was rendered tells the values that it was made with, and
 * those make it again.
 */

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

static void require_rendered(const char *xml, const char *text, gsize length)
{
    g_autoptr(xmlDoc) doc = xml_parse(text, strlen(text), &RENDERED, NULL);
    g_autoptr(xmlDoc) source = xml_parse(xml, length, &XML_LIMITS_FILE, NULL);
    gboolean ours, source_ours;

    require(doc && source);
    require(count_document(doc, &ours) <= count_document(source, &source_ours));
    require(!ours);
}

/* What libvirt's parser finds in the rendering's metadata is what was used. */
static void require_record(const char *recorded, const GPtrArray *used)
{
    g_autoptr(Network) network = libvirt_parse_network(recorded, strlen(recorded), NULL);

    if (!network)
        return; /* a template without a name */
    require(fuzz_equal(network->template_name, "name"));
    require(network->template_values->len == used->len);
    for (guint i = 0; i < used->len; i++) {
        const TemplateValue *value = used->pdata[i];
        const TemplateValue *found = network->template_values->pdata[i];

        require(fuzz_equal(value->name, found->name) && fuzz_equal(value->value, found->value));
    }
}

/* The canonical values give the same text; what was chosen at random is among them. */
static void require_again(const Template *tmpl, const GPtrArray *used, const char *recorded)
{
    g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *again = NULL;

    for (guint i = 0; i < used->len; i++) {
        const TemplateValue *value = used->pdata[i];

        g_hash_table_insert(values, value->name, value->value);
    }
    again = template_render(tmpl, values, NULL, "name", NULL, NULL);
    require(fuzz_equal(again, recorded));
}

static void render(const Template *tmpl, GHashTable *values, const char *xml, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) used = NULL;
    g_autofree char *plain = template_render(tmpl, values, NULL, NULL, NULL, &error);
    g_autofree char *recorded = template_render(tmpl, values, NULL, "name", &used, NULL);

    require((plain == NULL) == (error != NULL));
    require((plain == NULL) == (recorded == NULL));
    if (!plain)
        return;
    require_rendered(xml, plain, length);
    require_rendered(xml, recorded, length);
    require_record(recorded, used);
    require_again(tmpl, used, recorded);
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

    require((tmpl == NULL) == (error != NULL));
    require(!error || g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID));
    if (!tmpl)
        return 0;
    if (empty)
        *empty = '\0';
    values = read_values(empty ? head : "");
    render(tmpl, values, xml, size - start);
    return 0;
}
