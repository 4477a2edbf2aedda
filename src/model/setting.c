/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/setting.h"

#include <string.h>

#define ROOT "sys/"

char *setting_name(const char *path)
{
    const char *below = g_str_has_prefix(path, "proc/") ? path + strlen("proc/") : path;
    const char *name = below + strlen(ROOT);

    if (!g_str_has_prefix(below, ROOT) || strncmp(below, "sys/class/", strlen("sys/class/")) == 0)
        return g_strdup(path);
    return strchr(name, '.') ? g_strdup(name) : g_strdelimit(g_strdup(name), "/", '.');
}

/* ------------------------------------------------------------------------------------------ forwarding */

static const char *host_setting(guint8 family)
{
    return family == 4 ? "sys/net/ipv4/ip_forward" : "sys/net/ipv6/conf/all/forwarding";
}

char *setting_forwards(const Facts *facts, const char *device, guint8 family)
{
    g_autofree char *own = g_strdup_printf("sys/net/ipv4/conf/%s/forwarding", device ? device : "");

    if (family == 4 && facts_proc(facts, own))
        return g_steal_pointer(&own);
    return g_strdup(host_setting(family));
}

char *setting_forwards_not(const Facts *facts, const Network *network, guint8 family, gboolean *host)
{
    const char *const all = host_setting(family);
    g_autofree char *own = setting_forwards(facts, network->bridge, family);
    const gboolean by_host = g_strcmp0(facts_proc(facts, all), "0") == 0;

    if (host)
        *host = by_host;
    if (by_host)
        return g_strdup(all);
    return g_strcmp0(facts_proc(facts, own), "0") == 0 ? g_steal_pointer(&own) : NULL;
}
