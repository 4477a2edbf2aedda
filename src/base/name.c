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
