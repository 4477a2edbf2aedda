/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "model/facts.h"

/*
 * The packet filter as facts->firewall, by programs: `nft -j list ruleset` for hooks, priorities, policies and native
 * tables; `iptables-nft-save` and `ip6tables-nft-save` for the tables that iptables-nft keeps (nft's JSON has no details of
 * their xt expressions), `iptables-legacy-save` only if /proc/net/ip_tables_names is not empty. Needs CAP_NET_ADMIN;
 * without it the source is down and its error says so. Sets SOURCE_FIREWALL.
 */
gboolean firewall_read(Facts *facts, Deadline deadline, GError **error);

/* ---------------------------------------------------------------------------------------------- pure parsers */

/*
 * nft's JSON (libnftables-json(5)): tables with chains and rules, shape FIREWALL_NFT. Tables kept by iptables-nft are
 * included too, for their hooks; *xt_tables (may be NULL) counts those that hold xt expressions.
 */
GPtrArray *firewall_parse_nft(const char *json, gsize length, GError **error);

/*
 * iptables-save's text: "*table", ":CHAIN POLICY [p:b]", "-A CHAIN words", "COMMIT", comments. Words may be quoted with
 * double quotes and backslash. shape and family ("ip", "ip6") are filled into the tables. Built-in chains get their
 * hook, type and the priority that iptables gives them.
 */
GPtrArray *firewall_parse_save(const char *text, gsize length, FirewallShape shape, const char *family, GError **error);
