/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml.h"

#include "base/error.h"
#include "base/xml-private.h"

#include <libxml/parser.h>
#include <libxml/SAX2.h>
#include <string.h>

const XmlLimits XML_LIMITS_FILE = {
    .bytes = (gsize)64 * 1024,
    .depth = 32,
    .elements = 4096,
    .attributes = 64,
    .text = 4096,
    .prefixes = TRUE,
};
/* A description or other people's metadata may be long; libvirt has parsed it before. */
const XmlLimits XML_LIMITS_LIBVIRT = {
    .bytes = (gsize)4 * 1024 * 1024,
    .depth = 64,
    .elements = 65536,
    .attributes = 1024,
    .text = (gsize)4 * 1024 * 1024,
    .prefixes = FALSE,
};

/* Whether this thread is inside xml_parse. */
static _Thread_local gboolean xml_parsing;
static xmlExternalEntityLoader xml_loader_before;

/*
 * The loader is one for the process, and libvirt's drivers that run in it (test, embedded ones) read their
 * own files and schemas through it. So nothing is loaded for a document of ours, and others keep what they
 * had. It is the second line: without a DOCTYPE, and xml_scan refuses one, a document has no external entity
 * to load.
 */
static xmlParserInputPtr xml_load_external(const char *url, const char *id, xmlParserCtxtPtr context)
{
    if (xml_parsing)
        return NULL;
    return xml_loader_before(url, id, context);
}

static gpointer xml_init_once(gpointer unused)
{
    xmlInitParser();
    xml_loader_before = xmlGetExternalEntityLoader();
    xmlSetExternalEntityLoader(xml_load_external);
    return NULL;
}

static void xml_init(void)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, xml_init_once, NULL);
}

static void xml_take_error(xmlParserCtxtPtr context, GError **error)
{
    const xmlError *last = xmlCtxtGetLastError(context);
    g_autofree char *text = g_strdup(last && last->message ? last->message : "not well-formed");

    vnat_error_set(error, VNAT_ERROR_INVALID, "syntax: line %d: %s", last ? last->line : 0, g_strchomp(text));
}

/*
 * Leaving out: the parser's private pointer is NULL, or points at this. The default tree builder is not told
 * of an element that skip names, nor of what is inside, until the element's end.
 */
typedef struct {
    XmlSkip skip;
    guint depth;   /* of elements open */
    guint skipped; /* depth of the element that is being left out; 0: none is */
} XmlPruning;

static void prune_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                        int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
                        const xmlChar **attributes)
{
    XmlPruning *pruning = ((xmlParserCtxtPtr)data)->_private;

    pruning->depth++;
    if (pruning->skipped == 0 && pruning->depth > 1 && pruning->skip(pruning->depth, (const char *)name))
        pruning->skipped = pruning->depth;
    if (pruning->skipped == 0)
        xmlSAX2StartElementNs(data, name, prefix, uri, n_namespaces, namespaces, n_attributes, n_defaulted,
                              attributes);
}

static void prune_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    XmlPruning *pruning = ((xmlParserCtxtPtr)data)->_private;

    if (pruning->skipped == 0)
        xmlSAX2EndElementNs(data, name, prefix, uri);
    else if (pruning->skipped == pruning->depth)
        pruning->skipped = 0;
    pruning->depth--;
}

static void prune_characters(void *data, const xmlChar *text, int length)
{
    XmlPruning *pruning = ((xmlParserCtxtPtr)data)->_private;

    if (pruning->skipped == 0)
        xmlSAX2Characters(data, text, length);
}

static void prune(xmlParserCtxtPtr context, XmlPruning *pruning)
{
    context->_private = pruning;
    context->sax->startElementNs = prune_start;
    context->sax->endElementNs = prune_end;
    context->sax->characters = prune_characters;
    context->sax->cdataBlock = prune_characters;
    context->sax->comment = NULL;
    context->sax->processingInstruction = NULL;
}

xmlDocPtr xml_parse_some(const char *bytes, gsize length, const XmlLimits *limits, XmlSkip skip,
                         GError **error)
{
    const int options =
        XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOERROR | XML_PARSE_NOCDATA | XML_PARSE_NOBLANKS;
    XmlPruning pruning = {.skip = skip};
    xmlParserCtxtPtr context;
    xmlDocPtr doc;

    if (!xml_scan(bytes, length, limits, error))
        return NULL;
    xml_init();
    context = xmlNewParserCtxt();
    if (!context)
        g_error("out of memory");
    if (skip)
        prune(context, &pruning);
    xml_parsing = TRUE;
    doc = xmlCtxtReadMemory(context, bytes, (int)length, NULL, NULL, options);
    xml_parsing = FALSE;
    /* Well-formed all the same: the prefix would become a part of the name. */
    if (doc && limits->prefixes && !context->nsWellFormed) {
        xmlFreeDoc(doc);
        doc = NULL;
    }
    if (!doc)
        xml_take_error(context, error);
    xmlFreeParserCtxt(context);
    return doc;
}

xmlDocPtr xml_parse(const char *bytes, gsize length, const XmlLimits *limits, GError **error)
{
    return xml_parse_some(bytes, length, limits, NULL, error);
}

static gboolean xml_is(xmlNodePtr node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !node->ns && strcmp((const char *)node->name, name) == 0;
}

static xmlNodePtr xml_first(xmlNodePtr node, const char *name)
{
    while (node && !xml_is(node, name))
        node = node->next;
    return node;
}

xmlNodePtr xml_child(xmlNodePtr parent, const char *name)
{
    return parent ? xml_first(parent->children, name) : NULL;
}

xmlNodePtr xml_next(xmlNodePtr node, const char *name)
{
    return node ? xml_first(node->next, name) : NULL;
}

/* Text of an attribute or element: nearly always one text node, or none. */
static char *xml_content(xmlNodePtr children, xmlNodePtr whole)
{
    g_autoptr(GString) joined = NULL;
    xmlChar *content;

    if (!children)
        return g_strdup("");
    if (!children->next && children->type == XML_TEXT_NODE)
        return g_strdup((const char *)children->content);
    content = xmlNodeGetContent(whole);
    joined = g_string_new((const char *)content);
    xmlFree(content);
    return g_string_free(g_steal_pointer(&joined), FALSE);
}

static xmlAttrPtr xml_find_attr(xmlNodePtr node, const char *name)
{
    for (xmlAttrPtr attr = node ? node->properties : NULL; attr; attr = attr->next) {
        if (!attr->ns && strcmp((const char *)attr->name, name) == 0)
            return attr;
    }
    return NULL;
}

char *xml_attr(xmlNodePtr node, const char *name)
{
    xmlAttrPtr attr = xml_find_attr(node, name);

    return attr ? xml_content(attr->children, (xmlNodePtr)attr) : NULL;
}

char *xml_text(xmlNodePtr node)
{
    return node ? xml_content(node->children, node) : NULL;
}

gboolean xml_attr_is(xmlNodePtr node, const char *name, const char *value)
{
    g_autofree char *found = xml_attr(node, name);

    return found && strcmp(found, value) == 0;
}

char *xml_node_string(xmlDocPtr doc, xmlNodePtr node)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    char *text;

    if (xmlNodeDump(buffer, doc, node, 0, 1) < 0)
        g_error("out of memory");
    text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}
