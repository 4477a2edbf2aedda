/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"

#include <libxml/relaxng.h>
#include <libxml/xmlerror.h>
#include <string.h>
#include <unistd.h>

/* The validator repeats itself on the way up the tree: its first messages are the ones that help. */
#define MESSAGES_MAX 3

typedef struct {
    GString *text;
    guint count;
} SchemaMessages;

#if LIBXML_VERSION >= 21200
typedef const xmlError *SchemaError;
#else
typedef xmlErrorPtr SchemaError;
#endif

static void schema_message(void *user_data, SchemaError error)
{
    SchemaMessages *messages = user_data;
    g_autofree char *line = g_strdup(error->message ? error->message : "not valid");

    if (messages->count++ >= MESSAGES_MAX)
        return;
    g_string_append_printf(messages->text, "%s%s", messages->text->len > 0 ? "; " : "", g_strchomp(line));
}

static xmlRelaxNGPtr schema_load(const char *path, SchemaMessages *messages, GError **error)
{
    xmlRelaxNGParserCtxtPtr context = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNGPtr schema;

    if (!context)
        g_error("out of memory");
    xmlRelaxNGSetParserStructuredErrors(context, schema_message, messages);
    schema = xmlRelaxNGParse(context);
    xmlRelaxNGFreeParserCtxt(context);
    if (!schema)
        vnat_error_set(error, VNAT_ERROR_FAILED, "the schema %s cannot be read: %s", path,
                       messages->text->str);
    return schema;
}

static gboolean schema_apply(xmlRelaxNGPtr schema, xmlDocPtr doc, SchemaMessages *messages, GError **error)
{
    xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(schema);
    int result;

    if (!context)
        g_error("out of memory");
    xmlRelaxNGSetValidStructuredErrors(context, schema_message, messages);
    result = xmlRelaxNGValidateDoc(context, doc);
    xmlRelaxNGFreeValidCtxt(context);
    if (result != 0)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "schema: %s", messages->text->str);
    return TRUE;
}

gboolean xml_validate(xmlDocPtr doc, const char *schema, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SchemaMessages messages = {.text = text};
    /* This thread's handler for what has none of its own: an included file that is missing. */
    xmlStructuredErrorFunc before = xmlStructuredError;
    void *before_data = xmlStructuredErrorContext;
    xmlRelaxNGPtr compiled;
    gboolean valid = FALSE;

    xmlSetStructuredErrorFunc(&messages, schema_message);
    compiled = schema_load(schema, &messages, error);
    if (compiled) {
        g_string_truncate(text, 0);
        messages.count = 0;
        valid = schema_apply(compiled, doc, &messages, error);
        xmlRelaxNGFree(compiled);
    }
    xmlSetStructuredErrorFunc(before_data, before);
    return valid;
}
