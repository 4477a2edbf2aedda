/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/firewall.h"
#include "sources/firewall.h"

#include <string.h>

/*
 * The input as nft's JSON, followed by an iptables-save text from the first line that begins with "#" on:
 * merged, and then asked as the program asks. Either part may be missing.
 */

static Network *network_of(const char *mode)
{
    Network *network = network_new();
    NetworkIp *ip = network_ip_new();

    g_free(network->forward);
    network->forward = g_strdup(mode);
    network->bridge = g_strdup("virbr0");
    ipnet_parse("192.168.122.1/24", &ip->net);
    g_ptr_array_add(network->ips, ip);
    return network;
}

/* Every rule has one shape. */
static void require_shapes(const FirewallTable *table)
{
    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        for (guint j = 0; j < chain->rules->len; j++) {
            const FirewallRule *rule = chain->rules->pdata[j];

            require((rule->argv == NULL) != (rule->expr == NULL) && rule->text);
        }
    }
}

/* Takes the tables. */
static void ask(GPtrArray *tables)
{
    static const char *const modes[] = {"nat", "route", "isolated"};
    g_autoptr(Facts) facts = facts_new();
    const char *backend;

    for (guint i = 0; i < tables->len; i++)
        require_shapes(tables->pdata[i]);
    g_ptr_array_unref(facts->firewall);
    facts->firewall = tables;
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_LIVE, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(Network) network = network_of(modes[i]);
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

        require(i > 0 || firewall_nat_present(facts, network, missing) != TRI_UNKNOWN);
        require(firewall_forward_present(facts, network, missing) != TRI_UNKNOWN);
    }
    backend = firewall_backend(facts);
    require(!backend || fuzz_equal(backend, "iptables") || fuzz_equal(backend, "nftables"));
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
    else if (saved)
        ask(g_steal_pointer(&saved));
    return 0;
}
