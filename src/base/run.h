/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>

/*
 * Runs a program without a shell: argv[0] is searched in a fixed path (/usr/sbin:/usr/bin:/sbin:/bin, then
 * /usr/local's), never the caller's, or is an absolute path; environment of PATH and LC_ALL=C alone; stdin
 * /dev/null; no descriptor of ours inherited; stderr captured for the error message. At the deadline it is
 * killed, with what it started. *output is its whole standard output (at most max_bytes, more is an error), a
 * new string, NUL-terminated; untouched on failure. length may be NULL. Errors: NOT_FOUND (no such program),
 * DENIED (it said it may not: exit status and stderr tell), DEADLINE, FAILED with the last line of its
 * stderr. Every message names the program.
 */
gboolean run_program(const char *const *argv, gsize max_bytes, Deadline deadline, char **output,
                     gsize *length, GError **error);

/*
 * The same in two halves, for programs that run side by side: start them all, then finish one after the
 * other. A program whose output fills its pipe waits until it is finished. run_free kills one that was not;
 * NULL is allowed.
 */
typedef struct Run Run;
Run *run_start(const char *const *argv, GError **error);
gboolean run_finish(Run *run, gsize max_bytes, Deadline deadline, char **output, gsize *length,
                    GError **error);
void run_free(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)
