/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * A rule's expressions (nft's JSON array) as nft writes rules, for people: "iifname \"virbr0\" counter
 * accept". What has no form here is shown as its JSON. comment may be NULL. New string.
 */
char *firewall_nft_text(const json_t *expr, const char *comment);
