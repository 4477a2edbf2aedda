/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "sources/libvirt.h"

/*
 * The file that libvirt's leases helper writes: an array of objects, one a lease. Hostnames and client ids
 * are a guest's raw bytes, not always UTF-8.
 */

#define LEASE_FILE_DEPTH 4

static gboolean lease_take(const json_t *entry, Lease *lease)
{
    g_autofree char *ip = json_bytes(json_object_get(entry, "ip-address"));
    g_autofree char *mac = json_bytes(json_object_get(entry, "mac-address"));

    if (!ip || !ip_parse(ip, &lease->ip))
        return FALSE;
    if (!mac || !mac_parse(mac, &lease->mac))
        return FALSE;
    if (!json_get_int(entry, "expiry-time", 0, G_MAXINT64, &lease->expiry))
        return FALSE;
    lease->has_mac = TRUE;
    lease->hostname = json_bytes(json_object_get(entry, "hostname"));
    lease->client_id = json_bytes(json_object_get(entry, "client-id"));
    lease->iaid = json_bytes(json_object_get(entry, "iaid"));
    return TRUE;
}

GPtrArray *lease_file_parse(const char *json, gsize length, guint *bad, GError **error)
{
    g_autoptr(GPtrArray) leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    g_autoptr(json_t) document = NULL;
    json_t *entry;
    gsize i;

    *bad = 0;
    /* What a new network has. */
    if (length == 0)
        return g_steal_pointer(&leases);
    document = json_parse(json, length, LEASE_FILE_DEPTH, TRUE, error);
    if (!document)
        return NULL;
    if (!json_is_array(document)) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "form: not an array of leases");
        return NULL;
    }
    json_array_foreach(document, i, entry)
    {
        g_autoptr(Lease) lease = lease_new();

        if (lease_take(entry, lease))
            g_ptr_array_add(leases, g_steal_pointer(&lease));
        else
            (*bad)++;
    }
    return g_steal_pointer(&leases);
}
