/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/netlink.h"

#include <string.h>

/* Recorded and hand-made frames for the tests of what parses netlink. */

typedef struct {
    char *bytes; /* from malloc, so aligned */
    gsize length;
} Frames;

static inline void frames_clear(Frames *frames)
{
    g_free(frames->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Frames, frames_clear)

static inline Frames frames_load(const char *name)
{
    g_autofree char *path = g_build_filename(TEST_DATA, name, NULL);
    Frames frames = {0};
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &frames.bytes, &frames.length, &error);
    g_assert_no_error(error);
    return frames;
}

/* All frames of a file; fails if they do not fill it. */
static inline void frames_each(const char *name, NetlinkTake take, gpointer data)
{
    g_auto(Frames) frames = frames_load(name);

    g_assert_true(netlink_each(frames.bytes, frames.length, take, data));
}

static inline void frames_find(const struct nlmsghdr *message, gpointer data)
{
    gpointer *wanted = data;
    gsize *skip = wanted[0];

    if ((*skip)-- == 0)
        wanted[1] = g_memdup2(message, message->nlmsg_len);
}

/* A copy of the frame of that number, in memory that ends where it ends; free with g_free. */
static inline struct nlmsghdr *frames_copy(const Frames *frames, gsize number)
{
    gpointer wanted[2] = {&number, NULL};

    netlink_each(frames->bytes, frames->length, frames_find, wanted);
    g_assert_nonnull(wanted[1]);
    return wanted[1];
}

/* A copy cut to length bytes that says so itself: what a kernel with shorter messages would send. */
static inline struct nlmsghdr *frame_cut(const struct nlmsghdr *frame, gsize length)
{
    struct nlmsghdr *cut = g_memdup2(frame, length);

    cut->nlmsg_len = (guint32)length;
    return cut;
}
