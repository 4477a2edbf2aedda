/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/firewall.h"

#include <string.h>

/*
 * The recordings under data/firewall are of nft 1.0.6 and iptables 1.8.9 with libvirt 9.0: "default" with one
 * NAT network; "many" with six networks (default, six with NAT for IPv6, snat, routed, iso, six4 with IPv6
 * that is not translated), rules as Docker and ufw make them, and native tables; "stopped" the same after the
 * networks were stopped; "mixed" an iptables table into which nft put rules of its own; "libvirt-nft" the
 * tables of libvirt's nftables backend, "recreated" after virbr0 was deleted and made again; "legacy" of
 * iptables-legacy.
 */

static inline char *data(const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(TEST_DATA, "firewall", name, NULL);
    char *bytes = NULL;

    g_assert_true(g_file_get_contents(path, &bytes, length, NULL));
    return bytes;
}

static inline GPtrArray *nft_of(const char *name)
{
    gsize length = 0;
    g_autofree char *bytes = data(name, &length);
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_nft(bytes, length, &error);

    g_assert_no_error(error);
    return tables;
}

static inline GPtrArray *save_of(const char *name, FirewallShape shape, const char *family)
{
    gsize length = 0;
    g_autofree char *bytes = data(name, &length);
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_save(bytes, length, shape, family, &error);

    g_assert_no_error(error);
    return tables;
}

static inline FirewallTable *table_of(GPtrArray *tables, const char *family, const char *name)
{
    FirewallTable *found = NULL;

    for (guint i = 0; i < tables->len; i++) {
        FirewallTable *table = tables->pdata[i];

        if (strcmp(table->family, family) != 0 || strcmp(table->name, name) != 0)
            continue;
        g_assert_null(found);
        found = table;
    }
    g_assert_nonnull(found);
    return found;
}

static inline FirewallChain *chain_of(GPtrArray *tables, const char *family, const char *table,
                                      const char *name)
{
    FirewallChain *chain = firewall_table_chain(table_of(tables, family, table), name);

    g_assert_nonnull(chain);
    return chain;
}

static inline GPtrArray *merged(const char *name)
{
    g_autofree char *nft = g_strdup_printf("%s-nft.json", name);
    g_autofree char *save = g_strdup_printf("%s-save4.txt", name);
    g_autofree char *save6 = g_strdup_printf("%s-save6.txt", name);
    g_autofree char *path6 = g_build_filename(TEST_DATA, "firewall", save6, NULL);
    GPtrArray *tables = nft_of(nft);
    g_autoptr(GPtrArray) saved = save_of(save, FIREWALL_IPTABLES_NFT, "ip");

    g_assert_true(firewall_merge_save(tables, saved));
    if (g_file_test(path6, G_FILE_TEST_EXISTS)) {
        g_autoptr(GPtrArray) saved6 = save_of(save6, FIREWALL_IPTABLES_NFT, "ip6");

        g_assert_true(firewall_merge_save(tables, saved6));
    }
    return tables;
}
