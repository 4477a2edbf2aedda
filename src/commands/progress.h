/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/command.h"

/*
 * One line on standard error that says what is waited for: only on a terminal, only after 300 ms, not with
 * --quiet; wiped at the end, so that nothing of it stays.
 */
typedef struct {
    gboolean wanted;
    gboolean shown;
    gint64 begun; /* monotonic, microseconds */
} Progress;

void progress_begin(Progress *progress, const Context *ctx);
void progress_show(Progress *progress, const char *format, ...) G_GNUC_PRINTF(2, 3);
void progress_end(Progress *progress);
