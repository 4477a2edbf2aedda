/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "sources/libvirt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    guint bad = 0;
    g_autoptr(GPtrArray) leases = lease_file_parse((const char *)data, size, &bad, &error);

    g_assert_true((leases == NULL) == (error != NULL));
    return 0;
}
