/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "sources/libvirt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;

    domain_free(libvirt_parse_domain((const char *)data, size, &error));
    return 0;
}
