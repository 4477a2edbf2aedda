/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/*
 * A captured host: all the facts of one moment, with the text that they were made of (Facts.keep), and what
 * could not be read. sources/capture.h writes and reads one as a directory, sources/replay.h answers from it.
 */

/* What libvirt is asked for; each of them can fail as a whole. */
typedef enum {
    CAPTURE_CONNECTION,
    CAPTURE_NETWORKS,
    CAPTURE_DOMAINS,
    CAPTURE_LEASES,
    CAPTURE_PARTS
} CapturePart;

/* "connection", "networks", "domains", "leases". */
const char *capture_part_name(CapturePart part);

typedef struct {
    Facts *facts;
    GError *failed[CAPTURE_PARTS]; /* of VNAT_ERROR, or NULL */
    gboolean redacted;
    json_t *versions; /* program -> its version, texts; for people */
} Capture;

/* With empty facts that keep. */
Capture *capture_new(void);
void capture_free(Capture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Capture, capture_free)
