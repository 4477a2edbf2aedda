/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "fuzz.h"

#include <string.h>

/* base/xml: whatever the bytes, they are parsed or refused; and what is parsed and written can be parsed
 * again. */

static gboolean skip_some(guint depth, const char *name)
{
    return name[0] == 's' || depth == 3;
}

static void parse_with(const char *bytes, gsize length, const XmlLimits *limits, XmlSkip skip)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = xml_parse_some(bytes, length, limits, skip, &error);

    if ((doc == NULL) != (error != NULL) || (error && error->code != VNAT_ERROR_INVALID))
        g_error("neither a document nor a refusal");
}

static guint count_elements(xmlNodePtr node)
{
    guint count = 1;

    for (xmlNodePtr child = xmlFirstElementChild(node); child; child = xmlNextElementSibling(child))
        count += count_elements(child);
    return count;
}

static void round_trip(xmlDocPtr doc)
{
    static const XmlLimits wide = {.bytes = G_MAXINT,
                                   .depth = 64,
                                   .elements = 8192,
                                   .attributes = 64,
                                   .text = G_MAXINT,
                                   .prefixes = TRUE};
    g_autofree char *text = xml_node_string(doc, xmlDocGetRootElement(doc));
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) again = xml_parse(text, strlen(text), &wide, &error);

    if (!again)
        g_error("%s: %s", error->message, text);
    if (count_elements(xmlDocGetRootElement(doc)) != count_elements(xmlDocGetRootElement(again)))
        g_error("not the same elements after another turn: %s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    g_autoptr(xmlDoc) doc = xml_parse(bytes, size, &XML_LIMITS_FILE, NULL);

    parse_with(bytes, size, &XML_LIMITS_LIBVIRT, NULL);
    parse_with(bytes, size, &XML_LIMITS_FILE, skip_some);
    if (doc)
        round_trip(doc);
    return 0;
}
