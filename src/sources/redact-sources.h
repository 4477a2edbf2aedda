/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/capture.h"
#include "model/redact.h"

/*
 * Redaction of what the sources gave, in the form in which a capture keeps it: what comes out is read by the
 * same parsers, and says the same of other names and addresses. What is not known to be harmless goes.
 *
 * Names get their numbers where they are met first. redact_capture meets them in an order that does not
 * depend on what else is in the capture; whoever calls the others alone sees to that order.
 */

/*
 * Of XML only elements and attributes that redact-xml-tables.c names remain: what vnat reads, and what else
 * matters to a network. New string. Errors: INVALID, as xml_parse.
 */
char *redact_network_xml(Redactor *redactor, const char *xml, GError **error);
char *redact_domain_xml(Redactor *redactor, const char *xml, GError **error);

/*
 * `nft -j list ruleset`: addresses, devices, comments and prefixes of logs are replaced; names of chains,
 * tables and sets stay, but for known names and addresses in theirs. Every rule remains, in its place. New
 * string. Errors: INVALID.
 */
char *redact_nft(Redactor *redactor, const char *json, GError **error);

/*
 * What iptables-save printed, likewise; counters of packets are set to 0, of comments only the first line's
 * version remains. New string. Errors: INVALID, as firewall_parse_save.
 */
char *redact_save(Redactor *redactor, const char *text, GError **error);
/* The same of ebtables-save. */
char *redact_ebtables(Redactor *redactor, const char *text, GError **error);

/*
 * dnsmasq's configuration, a setting a line: the value of one that is not known becomes "(redacted)",
 * comments go. New string.
 */
char *redact_dnsmasq_conf(Redactor *redactor, const char *text);
/* A word of its command line, likewise: "--key=value", or the path of the program. New string. */
char *redact_dnsmasq_argument(Redactor *redactor, const char *word);

/*
 * All of it, in place. The facts must have been read with keep: what came of texts is made anew of the
 * redacted ones. A text that cannot be redacted goes; an object's xml_error says so.
 */
void redact_facts(Facts *facts, Redactor *redactor);
/* Also what failed; redacted becomes TRUE. Versions stay. */
void redact_capture(Capture *capture, Redactor *redactor);
