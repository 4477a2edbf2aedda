/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"

/* What a rule of either shape says, as far as libvirt's own rules go. */

typedef enum {
    RULE_NONE, /* no verdict: counts, logs, or something not known here */
    RULE_ACCEPT,
    RULE_REFUSE, /* drop or reject */
    RULE_RETURN,
    RULE_JUMP, /* jump or goto; see target */
    RULE_SNAT, /* masquerade or SNAT */
} RuleVerdict;

typedef struct {
    gboolean set, negated;
    IpNet net;
} RuleAddress;

typedef struct {
    const char *name; /* as the rule has it, perhaps with a wildcard at the end; NULL: any device */
    gboolean negated;
    gboolean wildcard; /* name is what the device's begins with */
} RuleDevice;

typedef struct {
    gboolean exact; /* all of its conditions are below; FALSE: it has others, and matches fewer packets */
    RuleAddress src, dst;
    RuleDevice in, out;
    gboolean replies; /* only packets of established or related connections */
    RuleVerdict verdict;
    const char *target; /* the chain of RULE_JUMP */
} RuleView;

/*
 * Reads a rule of table; the texts in view are the rule's own. A device that an nftables rule names by index
 * is known by the name that the index had when the ruleset was listed, or by the number where it had none.
 */
void firewall_rule_view(const FirewallTable *table, const FirewallRule *rule, RuleView *view);

/* Whether the condition holds for this device; TRUE for a condition that is not there. */
gboolean rule_device_is(const RuleDevice *device, const char *name);
