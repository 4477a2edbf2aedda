/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-socket.h"

#include "config.h"

#include <string.h>
#include <unistd.h>

char *libvirt_socket(const char *uri, gboolean readonly)
{
    const char *suffix = readonly ? "-ro" : "";
    const char *driver_end = uri ? strstr(uri, ":///system") : NULL;
    g_autofree char *driver = NULL;
    g_autofree char *modular = NULL;

    if (!driver_end || driver_end[strlen(":///system")] != '\0' ||
        strspn(uri, "abcdefghijklmnopqrstuvwxyz") != (gsize)(driver_end - uri))
        return NULL;
    driver = g_strndup(uri, (gsize)(driver_end - uri));
    modular = g_strdup_printf("%s/virt%sd-sock%s", VNAT_LIBVIRT_RUN_DIR, driver, suffix);
    if (access(modular, F_OK) == 0)
        return g_steal_pointer(&modular);
    return g_strdup_printf("%s/libvirt-sock%s", VNAT_LIBVIRT_RUN_DIR, suffix);
}
