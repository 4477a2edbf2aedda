/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Errors of vnat: a GError whose message is the cause, with two optional lines beside it.
 *
 *   error: failed to start network 'default'      <- what (vnat_error_what)
 *   error: bridge virbr0 exists already           <- GError.message
 *   hint: vnat net-start default -D bridge=virbr1 <- hint (vnat_error_hint)
 *
 * Below commands/ functions only fill a GError; commands/ print it, escaped, once. Messages hold bytes as
 * they came (a name with a line feed stays one); whoever prints escapes.
 */
typedef enum {
    VNAT_ERROR_FAILED,      /* exit 1: tried and failed */
    VNAT_ERROR_NOT_FOUND,   /* exit 1: no such network, domain, template, file */
    VNAT_ERROR_EXISTS,      /* exit 1: it is there already */
    VNAT_ERROR_DENIED,      /* exit 1: rights are missing */
    VNAT_ERROR_UNSUPPORTED, /* exit 1: the driver or the kernel cannot do this */
    VNAT_ERROR_USAGE,       /* exit 2: the command line */
    VNAT_ERROR_INVALID, /* exit 2 for templates and names; foreign bytes that are not what they should be */
    VNAT_ERROR_UNREACHABLE, /* exit 4: no connection to libvirt */
    VNAT_ERROR_DEADLINE,    /* exit 4: the deadline passed */
} VnatError;

#define VNAT_ERROR (vnat_error_quark())
GQuark vnat_error_quark(void);

/*
 * Adds the line "what failed" to an error that is set; the outermost caller wins, an earlier line moves in
 * front of the message. Does nothing if error or *error is NULL.
 */
void vnat_error_what(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Adds the line "next command to try"; the innermost wins. Does nothing if error or *error is NULL. */
void vnat_error_hint(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The lines of an error, or NULL where it has none (also for errors of other domains). Owned by the error. */
const char *vnat_error_get_what(const GError *error);
const char *vnat_error_get_hint(const GError *error);

/* Sets an error of VNAT_ERROR. Like g_set_error, with the domain filled in. Always returns FALSE. */
gboolean vnat_error_set(GError **error, VnatError code, const char *format, ...) G_GNUC_PRINTF(3, 4);
