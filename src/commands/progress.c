/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/progress.h"

#include "base/text.h"

#include <stdio.h>
#include <unistd.h>

#define PATIENCE 300000 /* microseconds before anything is shown */
#define WIPE "\r\033[K"

void progress_begin(Progress *progress, const Context *ctx)
{
    progress->wanted = !ctx->quiet && isatty(STDERR_FILENO);
    progress->shown = FALSE;
    progress->begun = g_get_monotonic_time();
}

void progress_show(Progress *progress, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *escaped = NULL;
    va_list args;

    if (!progress->wanted || g_get_monotonic_time() - progress->begun < PATIENCE)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    escaped = text_cell(text, FALSE, TEXT_CELL_COLUMNS);
    fprintf(stderr, WIPE "%s", escaped);
    fflush(stderr);
    progress->shown = TRUE;
}

void progress_end(Progress *progress)
{
    if (progress->shown)
        fputs(WIPE, stderr);
    progress->shown = FALSE;
}
