/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "fuzz.h"
#include "model/firewall-rule.h"
#include "sources/firewall.h"

#include <string.h>

/* nft's JSON: refused, or a ruleset with every table, chain and rule that the document has. */

#define DEPTH 32

/* How many objects of the list are of this kind. */
static guint count_objects(const json_t *root, const char *kind)
{
    const json_t *list = json_object_get(root, "nftables");
    guint count = 0;

    for (gsize i = 0; i < json_array_size(list); i++)
        count += json_object_get(json_array_get(list, i), kind) != NULL;
    return count;
}

static void require_rule(const FirewallTable *table, const FirewallRule *rule)
{
    RuleView view;

    require(json_is_array(rule->expr) && !rule->argv && rule->text && rule->handle >= 0);
    require(g_utf8_validate(rule->text, -1, NULL));
    firewall_rule_view(table, rule, &view);
    require((view.verdict == RULE_JUMP) == (view.target != NULL));
}

/* Returns its number of rules. */
static guint require_chain(const FirewallTable *table, const FirewallChain *chain)
{
    require(chain->name && firewall_table_chain(table, chain->name) == chain);
    for (guint i = 0; i < chain->rules->len; i++)
        require_rule(table, chain->rules->pdata[i]);
    return chain->rules->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) tables = firewall_parse_nft((const char *)data, size, &error);
    g_autoptr(json_t) root = tables ? json_parse((const char *)data, size, DEPTH, FALSE, NULL) : NULL;
    guint chains = 0;
    guint rules = 0;

    require((tables == NULL) == (error != NULL));
    require(!error || g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID));
    if (!tables)
        return 0;
    for (guint i = 0; i < tables->len; i++) {
        const FirewallTable *table = tables->pdata[i];

        require(table->family && table->name && table->shape == FIREWALL_NFT);
        firewall_table_is_iptables(table);
        chains += table->chains->len;
        for (guint j = 0; j < table->chains->len; j++)
            rules += require_chain(table, table->chains->pdata[j]);
    }
    require(tables->len == count_objects(root, "table"));
    require(chains == count_objects(root, "chain") && rules == count_objects(root, "rule"));
    return 0;
}
