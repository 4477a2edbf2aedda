/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-tools.h"
#include "sources/firewall-text.h"

/* Rules in nft's words. */

/* ------------------------------------------------------------------------------- as nft writes them */

/* data/firewall/forms.nft, as nft 1.0.6 lists it in JSON: every rule of every chain is here. */
static const char *const values[] = {
    "tcp dport vmap { 22 : accept, 23 : drop, 80-90 : jump web, 443 : goto web }",
    "ip saddr . tcp dport vmap { 10.0.0.1 . 22 : accept }",
    "iifname @ifs accept",
    "oifname != @ifs drop",
    "iifname \"vir*\" accept",
    "iif \"lo\" accept",
    "meta iifgroup 7 accept",
    "ct original ip saddr 10.0.0.0/8 accept",
    "ct direction reply accept",
    "ct helper ftp accept",
    "th dport 53 accept",
    "@nh,96,32 167772161 drop",
    "tcp flags & syn,ack == syn accept",
    "tcp flags & syn,ack == syn,ack accept",
    "ip saddr 10.1.0.0/16 drop",
    "meta mark & 255 == 1 accept",
    "meta mark 2 accept",
    "ip saddr != { 10.0.0.1, 10.0.0.9 } drop",
    "tcp dport >= 1024 accept",
    "ip dscp cs1 accept",
    "icmp type echo-request accept",
    "meta day Monday accept",
    "meta hour 08:00-17:00 accept",
    "{\"fib\":{\"flags\":[\"saddr\",\"iif\"],\"result\":\"oif\"}} false drop",
    "ip saddr { 10.0.0.3, 10.0.0.4 } accept",
    NULL,
};
static const char *const statements[] = {
    "counter",
    "counter name \"seen\"",
    "limit rate 5/second accept",
    "limit rate over 1 mbytes/second drop",
    "limit name \"slow\" drop",
    "log",
    "log prefix \"x y \"",
    "log level debug",
    "log prefix \"g\"",
    "reject with icmpx port-unreachable",
    "reject with icmpx admin-prohibited",
    "meta l4proto tcp reject with tcp reset",
    "meta mark set 7",
    "ct mark set meta mark",
    "meta nftrace set 1",
    "ip ttl set 5",
    "{\"set\":{\"elem\":{\"elem\":{\"timeout\":300,\"val\":{\"payload\":{\"field\":\"saddr\",\"protocol\":"
    "\"ip\"}}}},\"op\":\"update\",\"set\":\"@hosts\"}}",
    "notrack",
    "return",
    "continue",
    "drop comment \"the end\"",
    NULL,
};
static const char *const nat[] = {
    "masquerade",
    "ip protocol tcp masquerade to :1024-65535",
    "snat to 203.0.113.1",
    "snat to 203.0.113.1-203.0.113.5",
    "ip protocol tcp snat to 203.0.113.2:1000",
    NULL,
};
static const char *const dest[] = {
    "tcp dport 80 dnat to 10.0.0.1:8080",
    "tcp dport 81 redirect to :8081",
    "tcp dport 82 redirect",
    "dnat to fd00::1",
    NULL,
};

static void test_forms(void)
{
    static const struct {
        const char *chain;
        const char *const *rules;
    } chains[] = {{"values", values}, {"statements", statements}, {"nat", nat}, {"dest", dest}};
    g_autoptr(GPtrArray) tables = nft_of("forms-nft.json");

    for (gsize i = 0; i < G_N_ELEMENTS(chains); i++) {
        const FirewallChain *chain = chain_of(tables, "inet", "forms", chains[i].chain);

        for (guint k = 0; chains[i].rules[k]; k++) {
            g_assert_cmpuint(k, <, chain->rules->len);
            g_assert_cmpstr(((const FirewallRule *)chain->rules->pdata[k])->text, ==, chains[i].rules[k]);
        }
        g_assert_cmpuint(chain->rules->len, ==, g_strv_length((char **)(gpointer)chains[i].rules));
    }
}

/* ---------------------------------------------------------------------------- as it would not write */

/* What another release may say, or what has no form here, is shown and does no harm. */
static void test_odd(void)
{
    static const struct {
        const char *expr, *text;
    } cases[] = {
        {"[]", ""},
        {"[1, null, \"x\", [], {}]", "1 null \"x\" [] {}"},
        {"[{\"drop\":null,\"accept\":null}]", "{\"accept\":null,\"drop\":null}"},
        {"[{\"teleport\":{\"to\":\"mars\"}}]", "{\"teleport\":{\"to\":\"mars\"}}"},
        {"[{\"match\":{}}]", " "},
        {"[{\"match\":{\"left\":{\"meta\":{}},\"right\":1}}]", "meta  1"},
        {"[{\"match\":{\"op\":\"in\",\"left\":{\"ct\":{\"key\":\"state\"}},\"right\":[\"new\"]}}]",
         "ct state new"},
        {"[{\"match\":{\"op\":\"!=\",\"left\":{\"|\":[1,2]},\"right\":3}}]", "1 | 2 != 3"},
        {"[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iif\"}},\"right\":7}}]", "iif 7"},
        {"[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":\"\"}}]",
         "iifname \"\""},
        {"[{\"match\":{\"left\":{\"meta\":{\"key\":\"oif\"}},\"right\":{\"set\":\"@d\"}}}]", "oif @d"},
        {"[{\"match\":{\"left\":{\"meta\":{\"key\":\"day\"}},\"right\":\"\"}}]", "meta day \"\""},
        {"[{\"match\":{\"left\":{\"meta\":{\"key\":\"day\"}},\"right\":\"a b\"}}]", "meta day \"a b\""},
        {"[{\"match\":{\"left\":{\"ct\":{}},\"right\":1}}]", "ct  1"},
        {"[{\"match\":{\"left\":1,\"right\":{\"set\":[]}}}]", "1 {  }"},
        {"[{\"match\":{\"left\":{\"range\":1},\"right\":{\"x\":1,\"y\":2}}}]", " {\"x\":1,\"y\":2}"},
        {"[{\"limit\":{\"rate\":1,\"per\":\"day\",\"inv\":false}}]", "limit rate 1/day"},
        {"[{\"limit\":{\"map\":1}}]", "limit name {\"map\":1}"},
        {"[{\"log\":{}}, {\"reject\":{}}, {\"xt\":{}}]", "log reject xt  "},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_t *expr = json_loads(cases[i].expr, 0, NULL);
        g_autofree char *text = firewall_nft_text(expr, NULL);

        g_assert_nonnull(expr);
        g_assert_cmpstr(text, ==, cases[i].text);
        json_decref(expr);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall-text/forms", test_forms);
    g_test_add_func("/firewall-text/odd", test_odd);
    return g_test_run();
}
