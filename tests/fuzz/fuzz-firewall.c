/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/firewall.h"
#include "sources/firewall.h"

#include <string.h>

/*
 * The input as nft's JSON, followed by an iptables-save text from the first line that begins with "#" on;
 * each by itself, merged, and then asked as the program asks. Either part may be missing.
 */

static Network *network(void)
{
    Network *result = network_new();
    NetworkIp *ip = network_ip_new();

    g_free(result->forward);
    result->forward = g_strdup("nat");
    result->bridge = g_strdup("virbr0");
    ipnet_parse("192.168.122.1/24", &ip->net);
    g_ptr_array_add(result->ips, ip);
    return result;
}

/* Takes the tables. */
static void ask(GPtrArray *tables)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(Network) nat = network();

    for (guint i = 0; i < tables->len; i++)
        firewall_table_is_iptables(tables->pdata[i]);
    g_ptr_array_unref(facts->firewall);
    facts->firewall = tables;
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_LIVE, NULL);
    firewall_nat_present(facts, nat);
    firewall_forward_present(facts, nat);
    firewall_backend(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *split = size ? memmem(bytes, size, "\n#", 2) : NULL;
    gsize first = split ? (gsize)(split - bytes) : size;
    g_autoptr(GPtrArray) saved =
        firewall_parse_save(bytes + first, size - first, FIREWALL_IPTABLES_NFT, "ip", NULL);
    GPtrArray *tables = firewall_parse_nft(bytes, first, NULL);

    if (tables && saved)
        firewall_merge_save(tables, saved);
    if (tables)
        ask(tables);
    if (saved)
        ask(g_steal_pointer(&saved));
    return 0;
}
