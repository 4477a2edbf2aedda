/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>

/*
 * Runs a program without a shell: argv[0] is searched in a fixed path (/usr/sbin:/usr/bin:/sbin:/bin, then /usr/local's),
 * never the caller's; environment of PATH and LC_ALL=C alone; stdin /dev/null; stderr captured for the error message. At
 * the deadline it is killed. *output is its whole standard output (at most max_bytes, more is an error).
 * Errors: NOT_FOUND (no such program), DENIED (it said it may not: exit status and stderr tell), DEADLINE, FAILED with
 * the last line of its stderr.
 */
gboolean run_program(const char *const *argv, gsize max_bytes, Deadline deadline, char **output, gsize *length, GError **error);
