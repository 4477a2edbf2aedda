/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/name.h"

#include <string.h>

#define IFNAME_MAX 15
#define NETWORK_MAX 50
#define UUID_LENGTH 36

static gboolean name_is_plain(const char *name, gsize most)
{
    gsize length = name ? strlen(name) : 0;

    if (length == 0 || length > most || !g_ascii_isalnum(name[0]))
        return FALSE;
    for (gsize i = 1; i < length; i++) {
        if (!g_ascii_isalnum(name[i]) && !strchr("_.-", name[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean name_is_ifname(const char *name)
{
    return name_is_plain(name, IFNAME_MAX);
}

gboolean name_is_network(const char *name)
{
    return name_is_plain(name, NETWORK_MAX);
}

gboolean name_is_uuid(const char *name)
{
    return name && strlen(name) == UUID_LENGTH && g_uuid_string_is_valid(name);
}

/* The entity that stands for the letter; NULL: it stands for itself. */
static const char *entity_of(char letter)
{
    switch (letter) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    default:
        return NULL;
    }
}

char *name_pid_file(const char *name)
{
    GString *file = g_string_new(NULL);

    for (const char *letter = name; *letter; letter++) {
        const char *entity = entity_of(*letter);

        if (entity)
            g_string_append(file, entity);
        else
            g_string_append_c(file, *letter);
    }
    g_string_append(file, ".pid");
    return g_string_free(file, FALSE);
}
