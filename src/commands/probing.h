/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "actions/probe.h"
#include "commands/command.h"

#include <glib.h>

/*
 * What probe and check --probe share: signals that ask to end (SIGINT, SIGTERM, SIGHUP) end a probe by its
 * own way out, so that it leaves nothing behind; and probes of several networks at once.
 */

#define PROBE_SECONDS 40 /* of a command that probes, where no --timeout says otherwise */

/* What --timeout to advise, in seconds, should that of this run be too short. */
guint probing_timeout(const Context *ctx);

/* From here on these signals make the descriptor readable that is returned; -1: they end the process. */
int probing_begin(void);
/* Signals do what they did before. Returns the number of one that came; 0: none. */
int probing_end(void);

/*
 * Probes all active networks of the facts that own their bridge, those named alone where names is not NULL
 * (names or UUIDs, NULL-terminated), all at the same time. asked is for each. Returns ProbeReports, free with
 * g_ptr_array_unref.
 */
GPtrArray *probing_run(const Facts *facts, const char *const *names, const ProbeAsked *asked,
                       Deadline deadline);
