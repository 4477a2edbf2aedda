/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/* The input as a document, strictly and with raw bytes; then as a string's bytes, which must come back as
 * they were. */

static void walk(const json_t *value)
{
    /* jansson's iterators take no const, but change nothing. */
    json_t *readable = (json_t *)(gpointer)value;
    const char *key;
    json_t *member;

    g_free(json_bytes(value));
    for (gsize i = 0; i < json_array_size(value); i++)
        walk(json_array_get(value, i));
    json_object_foreach(readable, key, member)
    {
        gint64 number;

        json_get_int(value, key, G_MININT64, G_MAXINT64, &number);
        walk(member);
    }
}

static void round_trip(const uint8_t *data, size_t size)
{
    g_autoptr(GString) document = g_string_new("[\"");
    g_autofree char *bytes = g_strndup((const char *)data, size);
    g_autofree char *back = NULL;
    g_autoptr(json_t) root = NULL;

    for (const char *at = bytes; *at; at++) {
        if ((guchar)*at < 0x20 || *at == '"' || *at == '\\')
            g_string_append_printf(document, "\\u%04x", (guint)*at);
        else
            g_string_append_c(document, *at);
    }
    g_string_append(document, "\"]");
    root = json_parse(document->str, document->len, JSON_DEPTH, TRUE, NULL);
    back = json_bytes(json_array_get(root, 0));
    if (!back || strcmp(back, bytes) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (gint raw = 0; raw < 2; raw++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) root = json_parse((const char *)data, size, JSON_DEPTH, raw, &error);

        if ((root == NULL) != (error != NULL))
            abort();
        if (root)
            walk(root);
    }
    round_trip(data, size);
    return 0;
}
