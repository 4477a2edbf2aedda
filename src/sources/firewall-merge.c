/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/firewall.h"

#include <string.h>

/*
 * Two readings of one ruleset, and neither is the whole truth. nft's JSON says of an xt expression nothing
 * but its name. iptables-nft-save leaves out of a rule what iptables has no words for: "ip saddr @blocked
 * drop" comes out as "-j DROP" (seen with 1.8.9), and it prints built-in chains that do not exist. Both print
 * a chain's rules in the same order, one for one. So nft's reading is the frame, with chains, hooks,
 * priorities and policies, and a rule is taken from the save text where that can be right: where it holds xt
 * expressions (then iptables made it), or only such expressions as both can say. ebtables and family bridge
 * are as iptables and IPv4 are.
 */

/* --------------------------------------------------------------------------------- what rules hold */

static gboolean rule_has_xt(const FirewallRule *rule)
{
    for (gsize i = 0; i < json_array_size(rule->expr); i++) {
        if (json_object_get(json_array_get(rule->expr, i), "xt"))
            return TRUE;
    }
    return FALSE;
}

static gboolean chain_has_xt(const FirewallChain *chain)
{
    for (guint i = 0; i < chain->rules->len; i++) {
        if (rule_has_xt(chain->rules->pdata[i]))
            return TRUE;
    }
    return FALSE;
}

/* A table with iptables' name whose base chains have its names: made by iptables-nft, or as if. */
static gboolean table_looks_like_iptables(const FirewallTable *table)
{
    static const char *const names[] = {"raw", "mangle", "nat", "filter", "security", NULL};
    static const char *const hooks[] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING", NULL};
    gboolean any = FALSE;

    if (!g_strv_contains(names, table->name))
        return FALSE;
    for (guint i = 0; i < table->chains->len; i++) {
        const FirewallChain *chain = table->chains->pdata[i];

        if (chain->hook && !g_strv_contains(hooks, chain->name))
            return FALSE;
        any |= chain->hook != NULL;
    }
    return any;
}

gboolean firewall_table_is_iptables(const FirewallTable *table)
{
    gboolean bridge = strcmp(table->family, "bridge") == 0;

    if (!bridge && strcmp(table->family, "ip") != 0 && strcmp(table->family, "ip6") != 0)
        return FALSE;
    for (guint i = 0; i < table->chains->len; i++) {
        if (chain_has_xt(table->chains->pdata[i]))
            return TRUE;
    }
    return !bridge && table_looks_like_iptables(table);
}

static gboolean string_in(const json_t *value, const char *const *words)
{
    const char *string = json_string_value(value);

    return string && g_strv_contains(words, string);
}

/* A number, an address, a subnet or a name: no set, no range, no list. */
static gboolean operand_is_plain(const json_t *right)
{
    const char *string = json_string_value(right);

    return json_is_integer(right) || json_object_get(right, "prefix") || (string && string[0] != '@');
}

/* Addresses, protocol, ports and the names of devices: what iptables itself makes without xt. */
static gboolean match_is_plain(const json_t *match)
{
    static const char *const protocols[] = {"ip", "ip6", "tcp", "udp", NULL};
    static const char *const fields[] = {"saddr", "daddr", "protocol", "sport", "dport", NULL};
    static const char *const keys[] = {"iifname", "oifname", "l4proto", NULL};
    const json_t *left = json_object_get(match, "left");
    const json_t *payload = json_object_get(left, "payload");

    if (!operand_is_plain(json_object_get(match, "right")))
        return FALSE;
    if (payload)
        return string_in(json_object_get(payload, "protocol"), protocols) &&
               string_in(json_object_get(payload, "field"), fields);
    return string_in(json_object_get(json_object_get(left, "meta"), "key"), keys);
}

static gboolean rule_is_plain(const FirewallRule *rule)
{
    static const char *const statements[] = {"counter", "accept", "drop", "return", "jump", "goto"};

    for (gsize i = 0; i < json_array_size(rule->expr); i++) {
        const json_t *statement = json_array_get(rule->expr, i);
        const json_t *match = json_object_get(statement, "match");
        gboolean plain = match && match_is_plain(match);

        for (gsize k = 0; k < G_N_ELEMENTS(statements) && !plain; k++)
            plain = json_object_get(statement, statements[k]) != NULL;
        if (!plain)
            return FALSE;
    }
    return TRUE;
}

/* ----------------------------------------------------------------------------------------- merging */

static FirewallTable *find_table(GPtrArray *tables, const char *family, const char *name)
{
    for (guint i = 0; i < tables->len; i++) {
        FirewallTable *table = tables->pdata[i];

        if (strcmp(table->family, family) == 0 && strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

/* Makes rule what saved is; its handle stays. */
static void rule_take(FirewallRule *rule, FirewallRule *saved)
{
    json_decref(g_steal_pointer(&rule->expr));
    g_free(rule->text);
    rule->text = g_steal_pointer(&saved->text);
    rule->argv = g_steal_pointer(&saved->argv);
}

/* ebtables knows policies of users' chains too: to nft such a one is one rule more, the last. */
static gboolean chain_is_same(const FirewallChain *chain, const FirewallChain *saved)
{
    guint policy = !chain->hook && saved->policy && chain->rules->len > saved->rules->len;

    return chain->rules->len == saved->rules->len + policy;
}

static gboolean chain_merge(FirewallChain *chain, FirewallChain *saved)
{
    if (!chain_is_same(chain, saved)) {
        if (chain_has_xt(chain)) {
            GPtrArray *rules = chain->rules;

            chain->rules = saved->rules;
            saved->rules = rules;
        }
        return FALSE;
    }
    for (guint i = 0; i < saved->rules->len; i++) {
        FirewallRule *rule = chain->rules->pdata[i];

        if (rule_has_xt(rule) || rule_is_plain(rule))
            rule_take(rule, saved->rules->pdata[i]);
    }
    return TRUE;
}

/* A chain that the save text lacks is one that iptables finds foreign, and stays as it is. */
static gboolean table_merge(FirewallTable *table, const FirewallTable *saved)
{
    gboolean same = TRUE;

    table->shape = saved->shape;
    for (guint i = 0; i < table->chains->len; i++) {
        FirewallChain *chain = table->chains->pdata[i];
        FirewallChain *other = firewall_table_chain(saved, chain->name);

        if (other)
            same &= chain_merge(chain, other);
    }
    return same;
}

gboolean firewall_merge_save(GPtrArray *tables, GPtrArray *saved)
{
    gboolean same = TRUE;

    for (guint i = 0; i < saved->len;) {
        FirewallTable *from = saved->pdata[i];
        FirewallTable *table = find_table(tables, from->family, from->name);

        if (table) {
            same &= table_merge(table, from);
            i++;
        } else {
            g_ptr_array_add(tables, g_ptr_array_steal_index(saved, i));
        }
    }
    return same;
}
