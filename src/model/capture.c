/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/capture.h"

const char *capture_part_name(CapturePart part)
{
    static const char *const names[] = {
        [CAPTURE_CONNECTION] = "connection",
        [CAPTURE_NETWORKS] = "networks",
        [CAPTURE_DOMAINS] = "domains",
        [CAPTURE_LEASES] = "leases",
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == CAPTURE_PARTS);

    return names[part];
}

Capture *capture_new(void)
{
    Capture *capture = g_new0(Capture, 1);

    capture->facts = facts_new();
    capture->facts->keep = TRUE;
    capture->versions = json_object();
    return capture;
}

void capture_free(Capture *capture)
{
    if (!capture)
        return;
    facts_free(capture->facts);
    for (guint part = 0; part < CAPTURE_PARTS; part++)
        g_clear_error(&capture->failed[part]);
    json_decref(capture->versions);
    g_free(capture);
}
