/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

/*
 * XML of other people. One pass over the bytes refuses, before libxml2 sees them: a NUL byte, a UTF-16 or
 * UTF-32 byte order mark, a declared encoding other than UTF-8 or US-ASCII, bytes that are not UTF-8, a
 * DOCTYPE (before its content is read), and what is over the limits. So a refusal costs time and memory of
 * the order of the bytes given. Never: network, external entities, DTDs, recovery, huge mode. CDATA sections
 * become plain text.
 */

typedef struct {
    gsize bytes;       /* of the document, at most */
    guint depth;       /* of elements in one another; the document element is 1 */
    guint elements;    /* in the document */
    guint attributes;  /* on an element, namespace declarations among them */
    gsize text;        /* bytes, as written, of an attribute's value and of text between two tags */
    gboolean prefixes; /* refuse a prefix that is not declared */
} XmlLimits;

/* Files of people: templates and network XML, 64 KiB; depth 32, 4,096 elements, 64 attributes, 4 KiB of text.
 */
extern const XmlLimits XML_LIMITS_FILE;
/* XML that libvirt hands out: 4 MiB, more elements, 1,024 attributes (its metadata is anybody's). */
extern const XmlLimits XML_LIMITS_LIBVIRT;

/*
 * Parses. Errors: VNAT_ERROR_INVALID, message beginning with the rule's name ("doctype: …", "depth: …",
 * "encoding: …", "syntax: line 3: …"). Free the document with xmlFreeDoc. Safe to call from several threads.
 */
xmlDocPtr xml_parse(const char *bytes, gsize length, const XmlLimits *limits, GError **error);

/*
 * As xml_parse, with all its checks, but leaves out of the tree each element for which skip returns TRUE,
 * with what it holds, and all comments. depth is 2 for a child of the document element. Of a domain's XML, of
 * which the interfaces are wanted, the tree is most of the cost.
 */
typedef gboolean (*XmlSkip)(guint depth, const char *name);
xmlDocPtr xml_parse_some(const char *bytes, gsize length, const XmlLimits *limits, XmlSkip skip,
                         GError **error);

/* First child element of that name, without a namespace. NULL if there is none; parent may be NULL. */
xmlNodePtr xml_child(xmlNodePtr parent, const char *name);
/* Next sibling element of that name, without a namespace. NULL if there is none; node may be NULL. */
xmlNodePtr xml_next(xmlNodePtr node, const char *name);
/* An attribute's value (without namespace), new string or NULL; node may be NULL. */
char *xml_attr(xmlNodePtr node, const char *name);
/* The element's text content, new string or NULL; node may be NULL. */
char *xml_text(xmlNodePtr node);
/* An attribute equal to value? */
gboolean xml_attr_is(xmlNodePtr node, const char *name, const char *value);

/* A node of doc as indented text (mixed content stays as it is); what is not ASCII may stand as character
 * references. New string. */
char *xml_node_string(xmlDocPtr doc, xmlNodePtr node);

/*
 * Validates a document against the RELAX NG schema in that file (trusted; it may include others beside it).
 * Errors: VNAT_ERROR_INVALID with "schema: " and the validator's first messages; VNAT_ERROR_FAILED if the
 * schema is not readable.
 */
gboolean xml_validate(xmlDocPtr doc, const char *schema, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
