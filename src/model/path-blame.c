/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/path.h"

#include <string.h>

/* Which checks look at what a hop of each kind is decided by. */
static const char *const looked_at[][8] = {
    [PATH_TAP] = {"tap-missing", "tap-orphaned", "tap-down", "bridge-down", "bridge-missing"},
    [PATH_BRIDGE] = {"bridge-missing", "bridge-down", "tap-orphaned", "duplicate-mac", "mac-mismatch"},
    [PATH_ADDRESS] = {"no-address", "duplicate-address", "address-unleased", "dnsmasq-dead",
                      "dnsmasq-not-listening"},
    [PATH_ROUTE] = {"ip-forward-off", "subnet-overlap", "bridge-down", "bridge-missing"},
    [PATH_CHAIN] = {"forward-blocked", "input-blocked", "forward-rules-missing", "bridge-netfilter",
                    "firewalld-zone"},
    [PATH_NAT] = {"nat-rules-missing"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(looked_at) == PATH_NAT + 1);

/* The table's own copy of the id; NULL: no such check looks there. */
static const char *check_of(PathKind kind, const char *id)
{
    for (guint i = 0; i < G_N_ELEMENTS(looked_at[kind]) && looked_at[kind][i]; i++) {
        if (strcmp(looked_at[kind][i], id) == 0)
            return looked_at[kind][i];
    }
    return NULL;
}

/* Whether it is about the path's own interface or network, or the host. */
static gboolean concerns(const Path *path, const Finding *finding)
{
    g_autofree char *object = map_row_name(path->row);

    if (finding->kind == OBJECT_INTERFACE)
        return g_strcmp0(finding->domain_uuid, path->row->domain_uuid) == 0 &&
               g_strcmp0(finding->object, object) == 0;
    return !finding->network || (path->network && strcmp(finding->network, path->network->name) == 0);
}

void path_blame(Path *path, const GPtrArray *findings)
{
    if (!path->cause || path->cause->frame || path->inbound || path->verdict == PACKET_UNKNOWN)
        return;
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        const char *id = check_of(path->cause->kind, finding->id);

        if (!id || (finding->level != LEVEL_CRITICAL && finding->level != LEVEL_WARNING) ||
            !concerns(path, finding))
            continue;
        if (!g_ptr_array_find(path->checks, id, NULL))
            g_ptr_array_add(path->checks, (gpointer)id);
        if (!path->remedy)
            path->remedy = g_strdup(finding->remedy);
    }
}
