/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/lines.h"

#include <stdio.h>
#include <string.h>

gboolean lines_options(Lines *lines, const Context *ctx, GError **error)
{
    const char *count = option_value(ctx, "count");

    lines->has_count = count != NULL;
    lines->left = count ? g_ascii_strtoull(count, NULL, 10) : 0;
    return following_seconds(ctx, "for", &lines->seconds, error);
}

void lines_clear(Lines *lines)
{
    if (lines->timer)
        g_source_remove(lines->timer);
    lines->timer = 0;
}

static gboolean on_time(gpointer data)
{
    Lines *lines = data;

    lines->timer = 0;
    if (lines->ending)
        lines->ending(lines->data);
    following_end(lines->following, EXIT_OK);
    return G_SOURCE_REMOVE;
}

void lines_begin(Lines *lines)
{
    lines->begun = TRUE;
    if (lines->seconds > 0)
        lines->timer = following_at(deadline_in(lines->seconds), on_time, lines);
    if (lines->has_count && lines->left == 0)
        following_end(lines->following, EXIT_OK);
}

gboolean lines_done(Lines *lines)
{
    if (!following_flush(lines->following))
        return FALSE;
    if (!lines->begun || !lines->has_count || --lines->left > 0)
        return TRUE;
    following_end(lines->following, EXIT_OK);
    return FALSE;
}

void lines_print(Lines *lines, char *text)
{
    const char *line = text ? text : "";

    while (*line && !following_ended(lines->following)) {
        const char *end = strchr(line, '\n') + 1;

        fwrite(line, 1, (gsize)(end - line), stdout);
        lines_done(lines);
        line = end;
    }
    g_free(text);
}
