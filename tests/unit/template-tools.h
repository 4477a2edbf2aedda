/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/template.h"

#include <string.h>

/* Templates written as text, and values as words, for the tests of the template language. */

#define NS " xmlns:vnat='" TEMPLATE_NAMESPACE "'"

/* The template; it must parse. */
static inline Template *parsed(const char *xml)
{
    g_autoptr(GError) error = NULL;
    Template *tmpl = template_parse(xml, strlen(xml), &error);

    g_assert_no_error(error);
    g_assert_nonnull(tmpl);
    return tmpl;
}

/* "k=v" words to a table. */
static inline GHashTable *values_of(const char *text)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) words = g_strsplit(text ? text : "", " ", -1);

    for (gsize i = 0; words[i]; i++) {
        char *equals = strchr(words[i], '=');

        if (equals)
            g_hash_table_insert(values, g_strndup(words[i], (gsize)(equals - words[i])),
                                g_strdup(equals + 1));
    }
    return values;
}

/* What comes of it with these values, on a host where nothing is in use; it must render. */
static inline char *rendered(const char *xml, const char *values)
{
    g_autoptr(Template) tmpl = parsed(xml);
    g_autoptr(GHashTable) table = values_of(values);
    g_autoptr(GError) error = NULL;
    char *text = template_render(tmpl, table, NULL, NULL, NULL, &error);

    g_assert_no_error(error);
    return text;
}
