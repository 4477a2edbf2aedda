/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * The packet filter as facts->firewall, by programs: `nft -j list ruleset` for everything that nft's JSON can
 * say; `iptables-nft-save` and `ip6tables-nft-save` for the rules with xt expressions, of which it says only
 * the name, and `ebtables-nft-save` where family bridge holds such; `iptables-legacy-save` only if
 * /proc/net/ip_tables_names is not empty (IPv6 likewise). Each table appears once.
 *
 * Sets SOURCE_FIREWALL: live; stale, with the reason, where one program did not answer and what the others
 * said is shown; on FALSE stale with the old tables, or down where there are none. Errors: DENIED (needs
 * CAP_NET_ADMIN), NOT_FOUND (names the program that is not installed), DEADLINE, INVALID, FAILED.
 */
gboolean firewall_read(Facts *facts, Deadline deadline, GError **error);

/*
 * The same from what the programs printed, as firewall_read keeps it in facts->firewall_texts where
 * facts->keep is set. *tables: new array of FirewallTable, untouched on failure. Errors: INVALID, with the
 * program's name.
 */
gboolean firewall_parse_texts(const GPtrArray *texts, GPtrArray **tables, GError **error);

/* ------------------------------------------------------------------------------------ pure parsers */

/*
 * nft's JSON (libnftables-json(5)): every table with its chains, rules, sets and maps; shape FIREWALL_NFT,
 * also for those that iptables-nft keeps. New array of FirewallTable; NULL with INVALID.
 */
GPtrArray *firewall_parse_nft(const char *json, gsize length, GError **error);

/*
 * iptables-save's text: "*table", ":CHAIN POLICY [p:b]", "-A CHAIN words", "COMMIT", comments. Words may be
 * quoted with double quotes and backslash. shape and family ("ip", "ip6"; "bridge": ebtables-save's, which
 * has no "COMMIT") are filled into the tables. Built-in chains get their hook, type and the priority that
 * iptables gives them. New array of FirewallTable; NULL with INVALID ("line 3: …").
 */
GPtrArray *firewall_parse_save(const char *text, gsize length, FirewallShape shape, const char *family,
                               GError **error);

/*
 * Whether iptables-save is wanted to read a table of nft's: of IPv4 or IPv6, and a rule holds an xt
 * expression, or its name and those of its base chains are iptables' own; of family bridge (ebtables-save)
 * only where a rule holds one.
 */
gboolean firewall_table_is_iptables(const FirewallTable *table);

/*
 * Puts what iptables-nft-save says of one family's tables into nft's own reading of them: rules with xt
 * expressions, and plain ones that both can say, become iptables rules (argv); what the save program cannot
 * say stays nft's (expr). A saved table that nft did not list is moved over. FALSE if a chain has not as many
 * rules in both: then they were read at different moments; that chain's rules are the saved ones if it has xt
 * expressions.
 */
gboolean firewall_merge_save(GPtrArray *tables, GPtrArray *saved);
