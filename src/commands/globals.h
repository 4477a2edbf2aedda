/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/command.h"

/* Options before the command; ends with a NULL name. */
extern const Option options_global[];

/*
 * Parses the global options and removes them: on return the command follows (*argv)[0]. *show_help
 * and *show_version are set where asked for. Errors: VNAT_ERROR_USAGE.
 */
gboolean globals_parse(Context *ctx, int *argc, char ***argv, gboolean *show_help, gboolean *show_version,
                       GError **error);

/* The connection's URI: option, $VNAT_CONNECT, $VIRSH_DEFAULT_CONNECT_URI, $LIBVIRT_DEFAULT_URI,
 * qemu:///system. */
const char *globals_uri(const Context *ctx);

/* Says that there is no such command, with the nearest one; returns EXIT_USAGE. */
int unknown_command(Context *ctx, char **words);
