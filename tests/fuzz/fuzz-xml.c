/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "fuzz.h"

#include <string.h>

/*
 * base/xml: whatever the bytes, they are parsed or refused, by the wider limits no more often than by the
 * narrow ones; what is left out is left out and nothing else; and what is parsed and written is the same when
 * it is parsed again.
 */

static const XmlLimits wide = {.bytes = G_MAXINT,
                               .depth = 64,
                               .elements = 65536,
                               .attributes = 1024,
                               .text = G_MAXINT,
                               .prefixes = TRUE};

static gboolean skip_some(guint depth, const char *name)
{
    return name[0] == 's' || depth == 3;
}

static xmlDocPtr parse(const char *bytes, gsize length, const XmlLimits *limits, XmlSkip skip)
{
    g_autoptr(GError) error = NULL;
    xmlDocPtr doc = xml_parse_some(bytes, length, limits, skip, &error);

    require((doc == NULL) == (error != NULL));
    require(!error ||
            (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID) && strstr(error->message, ": ")));
    return doc;
}

/* Elements from here down, without those that skip leaves out; also how deep they are and how many attributes
 * one has at most. */
typedef struct {
    guint elements, depth, attributes;
} Counts;

static void count(xmlNodePtr node, guint depth, XmlSkip skip, Counts *counts)
{
    guint attributes = 0;

    if (skip && depth > 1 && skip(depth, (const char *)node->name))
        return;
    for (xmlAttrPtr attr = node->properties; attr; attr = attr->next)
        attributes++;
    for (xmlNsPtr ns = node->nsDef; ns; ns = ns->next)
        attributes++;
    counts->elements++;
    counts->depth = MAX(counts->depth, depth);
    counts->attributes = MAX(counts->attributes, attributes);
    for (xmlNodePtr child = xmlFirstElementChild(node); child; child = xmlNextElementSibling(child))
        count(child, depth + 1, skip, counts);
}

static Counts count_document(xmlDocPtr doc, XmlSkip skip)
{
    Counts counts = {0};

    count(xmlDocGetRootElement(doc), 1, skip, &counts);
    return counts;
}

static void require_limits(xmlDocPtr doc, const XmlLimits *limits)
{
    Counts counts = count_document(doc, NULL);

    require(counts.elements <= limits->elements && counts.depth <= limits->depth);
    require(counts.attributes <= limits->attributes);
    require(!doc->intSubset && !doc->extSubset);
}

/* Same elements, attributes and text, but for blanks that the writer's indentation is made of. */
static void require_same(xmlNodePtr a, xmlNodePtr b)
{
    xmlNodePtr child_a = xmlFirstElementChild(a);
    xmlNodePtr child_b = xmlFirstElementChild(b);
    xmlAttrPtr attr_b = b->properties;

    require(strcmp((const char *)a->name, (const char *)b->name) == 0);
    require(fuzz_equal(a->ns ? (const char *)a->ns->href : NULL, b->ns ? (const char *)b->ns->href : NULL));
    for (xmlAttrPtr attr_a = a->properties; attr_a; attr_a = attr_a->next, attr_b = attr_b->next) {
        g_autofree char *value_a = NULL;
        g_autofree char *value_b = NULL;

        require(attr_b && strcmp((const char *)attr_a->name, (const char *)attr_b->name) == 0);
        value_a = xml_text((xmlNodePtr)attr_a);
        value_b = xml_text((xmlNodePtr)attr_b);
        require(fuzz_equal(value_a, value_b));
    }
    require(!attr_b);
    if (!child_a && !child_b) {
        g_autofree char *text_a = xml_text(a);
        g_autofree char *text_b = xml_text(b);

        require(fuzz_equal(text_a, text_b));
    }
    for (; child_a && child_b;
         child_a = xmlNextElementSibling(child_a), child_b = xmlNextElementSibling(child_b))
        require_same(child_a, child_b);
    require(!child_a && !child_b);
}

static void round_trip(xmlDocPtr doc)
{
    g_autofree char *text = xml_node_string(doc, xmlDocGetRootElement(doc));
    g_autoptr(xmlDoc) again = parse(text, strlen(text), &wide, NULL);

    require(again);
    require_same(xmlDocGetRootElement(doc), xmlDocGetRootElement(again));
}

static void left_out(const char *bytes, gsize length, xmlDocPtr doc)
{
    g_autoptr(xmlDoc) some = parse(bytes, length, &XML_LIMITS_FILE, skip_some);

    require((some == NULL) == (doc == NULL));
    if (doc)
        require(count_document(some, NULL).elements == count_document(doc, skip_some).elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    g_autoptr(xmlDoc) doc = parse(bytes, size, &XML_LIMITS_FILE, NULL);
    g_autoptr(xmlDoc) libvirt = parse(bytes, size, &XML_LIMITS_LIBVIRT, NULL);

    require(libvirt || !doc);
    left_out(bytes, size, doc);
    if (libvirt)
        require_limits(libvirt, &XML_LIMITS_LIBVIRT);
    if (doc) {
        require_limits(doc, &XML_LIMITS_FILE);
        round_trip(doc);
    }
    return 0;
}
