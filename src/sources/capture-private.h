/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/capture.h"
#include "model/record.h"

/* What the writer and the reader of captures share. */

/* A file of records without a file of their own: an array in Facts and its table. */
typedef struct {
    const char *file;
    const RecordField *fields;
    gsize offset;             /* of the array in Facts */
    gsize size;               /* of a record in a GArray; 0: a GPtrArray */
    gpointer (*create)(void); /* of a GPtrArray's */
    SourceId newer; /* of a source that the first captures did not have: where the manifest does not have it
                       either, the file may be missing; 0 (no such source): it may not */
    gboolean optional; /* of a list that the first captures did not have, of a source that they had */
} CaptureList;

extern const CaptureList capture_lists[];
extern const guint capture_lists_count;

/* Programs whose output is kept, and their files; ends with a NULL. */
typedef struct {
    const char *program, *file;
} CaptureText;
extern const CaptureText capture_texts[];

/* Keys beside a record's own fields. */
#define CAPTURE_KEY_FILE "file"
#define CAPTURE_KEY_INACTIVE "inactive"
#define CAPTURE_KEY_AGENT "agent"

/*
 * What the XML of a captured network or domain says, with what stands beside it in the list; inactive: what
 * it will be when it starts again. Without its texts and agent. Where there is no XML, xml_read is FALSE.
 */
Network *capture_network(const Network *captured, gboolean inactive);
Domain *capture_domain(const Domain *captured, gboolean inactive);

/* An error in the manifest. */
typedef struct {
    char *code; /* a word for its VnatError */
    char *what, *message, *hint;
} CaptureFailure;
extern const RecordField capture_failure_fields[];

/* An error as a record of its own, and back into an error. */
json_t *capture_failure_write(const GError *failed);
gboolean capture_failure_read(const json_t *object, GError **failed, GError **error);
