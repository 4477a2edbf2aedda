/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a check found. Made by checks/, attached to rows by the model, shown by views/. */

typedef enum { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_UNKNOWN } Level;

/* "ok", "warning", "critical", "unknown". */
const char *level_name(Level level);

typedef enum { OBJECT_HOST, OBJECT_NETWORK, OBJECT_INTERFACE, OBJECT_LEASE } ObjectKind;

const char *object_kind_name(ObjectKind kind);

typedef enum { REPAIR_SAFE, REPAIR_CONSENT, REPAIR_NEVER } RepairClass;

const char *repair_class_name(RepairClass repair);

typedef struct {
    const char *id; /* of the catalogue; static */
    Level level;
    ObjectKind kind;
    char *object;        /* name: the network's, the tap's (or MAC's), the lease's address; the host's */
    char *network;       /* the network it belongs to, or NULL */
    char *domain_uuid;   /* of an interface's domain, or NULL */
    char *message;       /* one sentence */
    GPtrArray *evidence; /* char * */
    char *remedy;        /* next command or step; each check gives one */
    RepairClass repair;
    gboolean by_hand; /* its check's class is not this one's: never */
    gboolean
        unsettled; /* seconds will tell whether it is one: only a later look that is sure of it may tell it */
} Finding;

Finding *finding_new(const char *id, Level level, ObjectKind kind, const char *object);
void finding_free(Finding *finding);
/* Each takes a printf format; message and remedy replace, evidence adds. They return the finding, for
 * chaining. */
Finding *finding_message(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);
Finding *finding_evidence(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);
Finding *finding_remedy(Finding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Worst first, then by network, object and check: the order of checks_run. Compares elements (Finding *) for
 * g_ptr_array_sort. */
gint finding_compare(gconstpointer a, gconstpointer b);
