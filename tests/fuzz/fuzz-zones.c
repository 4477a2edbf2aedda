/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "sources/firewalld.h"

#include <string.h>

/* What firewall-cmd printed: each interface and its zone is a word of it, and printed again they are the
 * same. */

static GPtrArray *again(const GPtrArray *zones)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < zones->len; i++) {
        const FirewalldZone *zone = zones->pdata[i];

        g_string_append_printf(text, "%s\n  interfaces: %s\n", zone->zone, zone->interface);
    }
    return firewalld_parse_zones(text->str, text->len, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) zones = firewalld_parse_zones((const char *)data, size, &error);
    g_autoptr(GPtrArray) same = NULL;

    require((zones == NULL) == (error != NULL));
    if (!zones)
        return 0;
    same = again(zones);
    require(same && same->len == zones->len);
    for (guint i = 0; i < zones->len; i++) {
        const FirewalldZone *zone = zones->pdata[i], *other = same->pdata[i];

        require(*zone->zone && *zone->interface && !strpbrk(zone->interface, " \t\r\n"));
        require(memmem(data, size, zone->interface, strlen(zone->interface)));
        require(fuzz_equal(zone->zone, other->zone) && fuzz_equal(zone->interface, other->interface));
    }
    return 0;
}
