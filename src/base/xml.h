/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

/*
 * XML of other people. Refused before libxml2 sees it: a NUL byte, a UTF-16 or UTF-32 byte order mark, a declared encoding
 * other than UTF-8 or US-ASCII. Never: network, external entities, DTDs (a document with a DOCTYPE is refused before its content is
 * read), recovery, huge mode. Limits: depth 32, 4,096 elements, 64 attributes an element, 4 KiB of text a node.
 */

typedef struct {
    gsize bytes;        /* at most so many */
    guint depth, elements, attributes;
    gsize text;
} XmlLimits;

/* Files of people: templates and network XML, 64 KiB. */
extern const XmlLimits XML_LIMITS_FILE;
/* XML that libvirt hands out: 4 MiB, more elements. */
extern const XmlLimits XML_LIMITS_LIBVIRT;

/*
 * Parses. Errors: VNAT_ERROR_INVALID, message beginning with the rule's name ("doctype: …", "depth: …", "encoding: …", "syntax: line
 * 3: …"). Free the document with xmlFreeDoc. Safe to call from several threads.
 */
xmlDocPtr xml_parse(const char *bytes, gsize length, const XmlLimits *limits, GError **error);

/* First child element of that name (any namespace but none is required: compares the local name of nodes without a namespace). NULL. */
xmlNodePtr xml_child(xmlNodePtr parent, const char *name);
/* Next sibling element of that name. */
xmlNodePtr xml_next(xmlNodePtr node, const char *name);
/* An attribute's value (without namespace), new string or NULL; node may be NULL. */
char *xml_attr(xmlNodePtr node, const char *name);
/* The element's text content, new string or NULL; node may be NULL. */
char *xml_text(xmlNodePtr node);
/* An attribute equal to value? */
gboolean xml_attr_is(xmlNodePtr node, const char *name, const char *value);

/* A node or a whole document as text, indented. New string. */
char *xml_node_string(xmlDocPtr doc, xmlNodePtr node);
char *xml_doc_string(xmlDocPtr doc);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
