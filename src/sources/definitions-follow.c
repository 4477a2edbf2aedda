/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/definitions-follow.h"

#include "sources/directory-follow.h"

#include <string.h>
#include <unistd.h>

/*
 * Theory of operation. A file NAME.xml is replaced (virFileRewrite of libvirt: NAME.xml.new, renamed) or, in
 * autostart/, a link of that name comes or goes, while libvirt holds the lock of what it belongs to: so
 * whoever asks libvirt after that event gets what is written there, or newer.
 *
 *   RUN/qemu/              a running domain; written at each change of it, and at the steps of a long job
 *   RUN/network/           an active network
 *   CONFIG/qemu/networks/  a persistent one, as it will start
 *   CONFIG/qemu/networks/autostart/
 *
 * Asking for a domain's XML writes none of them, or a hint would make the next: none of libvirt's queries is
 * among the jobs that it writes down (VIR_DOMAIN_TRACK_JOBS).
 *
 * A directory that came was made together with its first file, perhaps: all of its kind are touched.
 *
 * That a file goes is news in autostart/ alone. Of a domain or network that stops or is undefined libvirt
 * tells when that is done; its file goes first, and whoever asked then would wait until the end.
 */

#define SUFFIX ".xml"
#define NETWORKS "qemu/networks" /* also where the driver of the domains is another one */

/* One directory. */
typedef struct {
    const DefinitionsFollow *owner;
    FollowKind kind;
    char *path;
    gboolean links; /* it is the one with links */
    DirectoryFollow *directory;
} Place;

struct DefinitionsFollow {
    const FollowTell *tell;
    gpointer data;
    Place places[4];
    guint count;
};

/* "default.xml" */
static gboolean on_file(gpointer data, const char *name)
{
    const Place *place = data;
    g_autofree char *file = g_build_filename(place->path, name, NULL);
    g_autofree char *of = NULL;

    if (!g_str_has_suffix(name, SUFFIX) || (!place->links && access(file, F_OK) != 0))
        return FALSE;
    of = g_strndup(name, strlen(name) - strlen(SUFFIX));
    place->owner->tell->touch_named(place->owner->data, place->kind, of);
    return TRUE;
}

static void on_missed(gpointer data)
{
    const Place *place = data;

    place->owner->tell->touch_named(place->owner->data, place->kind, NULL);
}

/* One that went has nothing to tell. */
static void on_changed(gpointer data, const char *why)
{
    if (!why)
        on_missed(data);
}

static void on_news(gpointer data)
{
    const Place *place = data;

    place->owner->tell->news(place->owner->data);
}

static Place *watch(DefinitionsFollow *follow, FollowKind kind, const char *above, const char *below)
{
    static const DirectoryTell hear = {on_file, on_changed, on_missed, on_news};
    Place *place = &follow->places[follow->count++];

    g_assert(follow->count <= G_N_ELEMENTS(follow->places));
    *place = (Place){.owner = follow, .kind = kind, .path = g_build_filename(above, below, NULL)};
    place->directory = directory_follow_new(place->path, &hear, place);
    return place;
}

DefinitionsFollow *definitions_follow_new(const char *run, const char *config, const char *uri,
                                          const FollowTell *tell, gpointer data)
{
    DefinitionsFollow *follow = g_new0(DefinitionsFollow, 1);

    follow->tell = tell;
    follow->data = data;
    if (g_str_has_prefix(uri, "qemu:"))
        watch(follow, FOLLOW_DOMAIN, run, "qemu");
    else if (g_str_has_prefix(uri, "lxc:"))
        watch(follow, FOLLOW_DOMAIN, run, "lxc");
    watch(follow, FOLLOW_NETWORK, run, "network");
    watch(follow, FOLLOW_NETWORK, config, NETWORKS);
    watch(follow, FOLLOW_NETWORK, config, NETWORKS "/autostart")->links = TRUE;
    return follow;
}

void definitions_follow_free(DefinitionsFollow *follow)
{
    if (!follow)
        return;
    for (guint i = 0; i < follow->count; i++) {
        directory_follow_free(follow->places[i].directory);
        g_free(follow->places[i].path);
    }
    g_free(follow);
}
