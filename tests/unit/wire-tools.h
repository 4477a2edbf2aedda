/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Messages recorded on the bridge of a network while it was probed; and every way to cut one short. */

static inline guint8 *recorded(const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(TEST_DATA, "probe", name, NULL);
    g_autoptr(GError) error = NULL;
    char *bytes;

    g_file_get_contents(path, &bytes, length, &error);
    g_assert_no_error(error);
    return (guint8 *)bytes;
}

/* What was recorded in so many bytes of its own, so that a reader that goes on is seen. */
static inline guint8 *cut(const guint8 *bytes, gsize length)
{
    return length ? g_memdup2(bytes, length) : g_malloc(1);
}
