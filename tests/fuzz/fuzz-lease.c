/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "fuzz.h"
#include "sources/libvirt.h"

#include <string.h>

/*
 * A lease file: refused, or every entry is a lease or counted as bad. Then one lease whose guest chose the
 * input for its hostname and client id: the lease is there, with those bytes.
 */

static void require_lease(const Lease *lease)
{
    require(lease->ip.family == 4 || lease->ip.family == 6);
    require(lease->has_mac && lease->expiry >= 0);
    require(!lease->network && !lease->bridge);
}

static void file(const char *bytes, gsize size)
{
    g_autoptr(GError) error = NULL;
    guint bad = 0;
    g_autoptr(GPtrArray) leases = lease_file_parse(bytes, size, &bad, &error);
    g_autoptr(json_t) root = json_parse(bytes, size, JSON_DEPTH, TRUE, NULL);

    require((leases == NULL) == (error != NULL));
    require(!error || g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID));
    if (!leases)
        return;
    require(size == 0 ? leases->len == 0 : json_is_array(root));
    require(leases->len + bad == json_array_size(root));
    for (guint i = 0; i < leases->len; i++)
        require_lease(leases->pdata[i]);
}

/* As json-c writes a string: bytes over 0x7f as they are. */
static void put_string(GString *document, const char *bytes)
{
    g_string_append_c(document, '"');
    for (; *bytes; bytes++) {
        if ((guchar)*bytes < 0x20 || *bytes == '"' || *bytes == '\\')
            fuzz_put_unicode(document, (guchar)*bytes);
        else
            g_string_append_c(document, *bytes);
    }
    g_string_append_c(document, '"');
}

static void hostname(const char *bytes)
{
    g_autoptr(GString) document = g_string_new("[{\"ip-address\":\"192.0.2.1\",\"mac-address\":\"52:54:00:00:"
                                               "00:01\",\"expiry-time\":1,\"hostname\":");
    guint bad = 0;
    g_autoptr(GPtrArray) leases = NULL;
    const Lease *lease;

    put_string(document, bytes);
    g_string_append(document, ",\"client-id\":");
    put_string(document, bytes);
    g_string_append(document, "}]");
    leases = lease_file_parse(document->str, document->len, &bad, NULL);
    require(leases && leases->len == 1 && bad == 0);
    lease = leases->pdata[0];
    require(fuzz_equal(lease->hostname, bytes) && fuzz_equal(lease->client_id, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *string = g_strndup((const char *)data, size);

    file((const char *)data, size);
    hostname(string);
    return 0;
}
