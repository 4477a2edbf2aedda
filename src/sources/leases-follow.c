/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/leases-follow.h"

#include "base/name.h"
#include "sources/directory-follow.h"

#include <string.h>

/*
 * The helper writes BRIDGE.status.new and renames it, so the directory is watched and not the file; a file
 * that is written in place, made or removed is a hint too. Other names are nobody's.
 */

#define SUFFIX ".status"

struct LeasesFollow {
    const FollowTell *tell;
    gpointer data;
    DirectoryFollow *directory;
};

/* "virbr0.status" */
static gboolean on_file(gpointer data, const char *name)
{
    const LeasesFollow *follow = data;
    g_autofree char *bridge = NULL;

    if (!g_str_has_suffix(name, SUFFIX))
        return FALSE;
    bridge = g_strndup(name, strlen(name) - strlen(SUFFIX));
    if (!name_is_ifname(bridge))
        return FALSE;
    follow->tell->touch_bridge(follow->data, bridge);
    return TRUE;
}

static void on_changed(gpointer data, const char *why)
{
    const LeasesFollow *follow = data;

    follow->tell->evented(follow->data, why == NULL, why);
    follow->tell->doubt(follow->data, SOURCE_LEASES);
}

static void on_missed(gpointer data)
{
    const LeasesFollow *follow = data;

    follow->tell->doubt(follow->data, SOURCE_LEASES);
}

static void on_news(gpointer data)
{
    const LeasesFollow *follow = data;

    follow->tell->news(follow->data);
}

LeasesFollow *leases_follow_new(const char *directory, const FollowTell *tell, gpointer data)
{
    static const DirectoryTell hear = {on_file, on_changed, on_missed, on_news};
    LeasesFollow *follow = g_new0(LeasesFollow, 1);

    follow->tell = tell;
    follow->data = data;
    follow->directory = directory_follow_new(directory, &hear, follow);
    return follow;
}

void leases_follow_free(LeasesFollow *follow)
{
    if (!follow)
        return;
    directory_follow_free(follow->directory);
    g_free(follow);
}

gboolean leases_follow_evented(const LeasesFollow *follow, const char **why)
{
    return directory_follow_evented(follow->directory, why);
}
