/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "views/json.h"

#include <glib.h>

/*
 * Equality against what a consumer reads: two records are equal exactly if their JSON is. Each case changes
 * one fact and says which members of the JSON differ by it; at the end every member must have had its turn,
 * so that one that is not compared fails.
 */

static inline char *set_text(char **field, const char *value)
{
    g_free(*field);
    return *field = g_strdup(value);
}

/* The names of the members that differ, separated by spaces. */
static inline char *differences(json_t *a, json_t *b)
{
    GString *text = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach(a, key, value)
    {
        if (!json_equal(value, json_object_get(b, key)))
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", key);
    }
    json_decref(a);
    json_decref(b);
    return g_string_free(text, FALSE);
}

static inline void forget(GHashTable *members, const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, " ", -1);

    for (guint i = 0; list[i]; i++)
        g_hash_table_remove(members, list[i]);
}

static inline GHashTable *members_of(json_t *json)
{
    GHashTable *members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *key;
    json_t *value;

    json_object_foreach(json, key, value) g_hash_table_add(members, g_strdup(key));
    json_decref(json);
    return members;
}

static inline void assert_none_left(GHashTable *members)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, members);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_test_message("no case changes \"%s\"", (char *)key);
    g_assert_cmpuint(g_hash_table_size(members), ==, 0);
}
