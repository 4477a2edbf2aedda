/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "fuzz.h"
#include "model/firewall-rule.h"
#include "sources/firewall.h"

#include <string.h>

/* iptables-save's text: refused, or tables which are the same again when they are written with every word in
 * quotes. */

static void put_word(GString *text, const char *before, const char *word)
{
    g_string_append_printf(text, "\"%s", before);
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *word);
    }
    g_string_append(text, "\" ");
}

static void put_table(GString *text, const FirewallTable *table)
{
    put_word(text, "*", table->name);
    g_string_append(text, "\n");
    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        put_word(text, ":", chain->name);
        put_word(text, "", chain->policy ? chain->policy : "-");
        g_string_append(text, "[0:0]\n");
    }
    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        for (guint j = 0; j < chain->rules->len; j++) {
            const FirewallRule *rule = chain->rules->pdata[j];

            g_string_append(text, "-A ");
            put_word(text, "", chain->name);
            for (guint k = 0; rule->argv[k]; k++)
                put_word(text, "", rule->argv[k]);
            g_string_append(text, "\n");
        }
    }
    g_string_append(text, fuzz_equal(table->family, "bridge") ? "# Completed\n" : "COMMIT\n");
}

static void require_rules(const FirewallTable *table, const FirewallChain *chain, const FirewallChain *again)
{
    require(chain->rules->len == again->rules->len);
    for (guint i = 0; i < chain->rules->len; i++) {
        const FirewallRule *rule = chain->rules->pdata[i];
        const FirewallRule *other = again->rules->pdata[i];
        RuleView view;

        require(rule->argv && !rule->expr && rule->text);
        require(g_strv_equal((const char *const *)rule->argv, (const char *const *)other->argv));
        firewall_rule_view(table, rule, &view);
        require((view.verdict == RULE_JUMP) == (view.target != NULL));
    }
}

static void require_same(const FirewallTable *table, const FirewallTable *again)
{
    require(fuzz_equal(table->name, again->name) && fuzz_equal(table->family, again->family));
    require(table->chains->len == again->chains->len);
    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];
        const FirewallChain *other = again->chains->pdata[i];

        require(fuzz_equal(chain->name, other->name) && fuzz_equal(chain->policy, other->policy));
        require(fuzz_equal(chain->hook, other->hook) && chain->priority == other->priority);
        require_rules(table, chain, other);
    }
}

/* What is read is read equal when it is written again; what is refused says why. */
static void read_as(const uint8_t *data, size_t size, const char *family)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) tables =
        firewall_parse_save((const char *)data, size, FIREWALL_IPTABLES_NFT, family, &error);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GPtrArray) again = NULL;

    require((tables == NULL) == (error != NULL));
    require(!error || g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID));
    if (!tables)
        return;
    for (guint i = 0; i < tables->len; i++)
        put_table(text, tables->pdata[i]);
    again = firewall_parse_save(text->str, text->len, FIREWALL_IPTABLES_NFT, family, NULL);
    require(again && again->len == tables->len);
    for (guint i = 0; i < tables->len; i++)
        require_same(tables->pdata[i], again->pdata[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as(data, size, "ip");
    read_as(data, size, "bridge");
    return 0;
}
