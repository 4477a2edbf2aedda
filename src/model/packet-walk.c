/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <string.h>

/*
 * A chain is walked once, from its first rule to the one where the packet must have ended. What a rule may do
 * is a set of outcomes: one where it could be evaluated, that and MAY_NEXT where its conditions could not. So
 * both ways are followed at once, and the walk is no longer than the rules are; that two rules may depend on
 * the same unknown is not seen, which can only make an outcome less certain, never wrong.
 *
 * What rules change of the packet (its marks) is kept the same way: bits that differ between two ways are not
 * known behind them.
 */

/* Longer than the kernel's own (NFT_JUMP_STACK_SIZE is 16, and it refuses loops); ends a walk of rules that
 * no kernel would take. */
#define DEPTH_MAX 64

#define COST_RULE 8

/* More than these are of no use to a reader. */
#define DOUBTS_MAX 32

gboolean walk_spend(Walk *walk, guint amount)
{
    if (walk->budget < 0)
        return FALSE;
    walk->budget -= amount;
    return walk->budget >= 0;
}

Match match_bits(guint64 value, guint64 known, guint64 wanted)
{
    if ((value ^ wanted) & known)
        return MATCH_NO;
    return known == G_MAXUINT64 ? MATCH_YES : MATCH_MAYBE;
}

/* --------------------------------------------------------------------------------- the packet's changes */

void walk_merge(WalkState *state, const WalkState *other)
{
    state->mark_known &= other->mark_known & ~(state->mark ^ other->mark);
    state->ct_mark_known &= other->ct_mark_known & ~(state->ct_mark ^ other->ct_mark);
    state->rewritten |= other->rewritten;
    /* Only notrack changes it, and what matters is whether some rule did. */
    if (other->state == PACKET_UNTRACKED)
        state->state = PACKET_UNTRACKED;
}

void walk_set_mark(guint32 *mark, guint32 *mark_known, guint32 mask, guint32 value, guint32 known, Match live)
{
    guint32 after = (*mark & ~mask) | (value & mask);
    guint32 after_known = (*mark_known & ~mask) | (known & mask);

    if (live != MATCH_YES)
        after_known &= *mark_known & ~(*mark ^ after);
    *mark = after;
    *mark_known = after_known;
}

/* --------------------------------------------------------------------------------------------- outcomes */

Outcome walk_next(void)
{
    return (Outcome){.may = MAY_NEXT};
}

static void walk_doubt(Walk *walk, const At *at, guint may)
{
    Doubt doubt = {.step = {.verdict = PACKET_UNKNOWN,
                            .table = walk->table,
                            .base = walk->base,
                            .chain = at->chain,
                            .rule = at->rule},
                   .may = may & MAY_END};

    for (guint i = 0; i < walk->doubts->len; i++) {
        Doubt *known = &g_array_index(walk->doubts, Doubt, i);

        if (known->step.rule == at->rule) {
            known->may |= doubt.may;
            return;
        }
    }
    if (walk->doubts->len < DOUBTS_MAX)
        g_array_append_val(walk->doubts, doubt);
}

Outcome walk_verdict(Walk *walk, const At *at, guint may)
{
    Outcome outcome = {.may = may, .chain = at->chain, .rule = at->rule};

    /* One verdict at a time is certain; several are of a statement that is not understood. */
    if (at->live != MATCH_YES) {
        outcome.may |= MAY_NEXT;
        if (may & ~MAY_NEXT)
            walk_doubt(walk, at, may & MAY_RETURN ? MAY_END : may);
    } else if (may & (may - 1)) {
        walk_doubt(walk, at, may);
    }
    return outcome;
}

static Outcome walk_chain(Walk *walk, const FirewallChain *chain, guint depth);

Outcome walk_jump(Walk *walk, const At *at, const char *target, gboolean back)
{
    const FirewallChain *chain = firewall_table_chain(walk->table, target);
    WalkState before = walk->now;
    Outcome outcome;

    if (!chain || at->depth >= DEPTH_MAX)
        return walk_verdict(walk, at, MAY_END | MAY_NEXT);
    outcome = walk_chain(walk, chain, at->depth + 1);
    if (back && (outcome.may & MAY_RETURN))
        outcome.may = (outcome.may & ~(guint)MAY_RETURN) | MAY_NEXT;
    if (at->live == MATCH_YES)
        return outcome;
    walk_merge(&walk->now, &before);
    if (outcome.may & ~(guint)MAY_NEXT)
        walk_doubt(walk, at, outcome.may & MAY_RETURN ? MAY_END : outcome.may);
    outcome.may |= MAY_NEXT;
    return outcome;
}

static Outcome walk_rule(Walk *walk, const FirewallChain *chain, const FirewallRule *rule, guint depth)
{
    At at = {.chain = chain, .rule = rule, .depth = depth, .live = MATCH_YES};

    if (!walk_spend(walk, COST_RULE))
        return (Outcome){.may = MAY_END | MAY_RETURN};
    if (rule->argv)
        return save_walk(walk, &at, rule->argv);
    return nft_walk(walk, &at, rule->expr);
}

/* Ends with outcomes that are not MAY_NEXT; MAY_RETURN for the end of the chain too. */
static Outcome walk_chain(Walk *walk, const FirewallChain *chain, guint depth)
{
    WalkState left = walk->now;
    guint may = 0;

    for (guint i = 0; i < chain->rules->len; i++) {
        Outcome outcome = walk_rule(walk, chain, chain->rules->pdata[i], depth);

        /* Who may have left here carries the marks of here. */
        if ((outcome.may & MAY_RETURN) && (may & MAY_RETURN))
            walk_merge(&left, &walk->now);
        else if (outcome.may & MAY_RETURN)
            left = walk->now;
        may |= outcome.may & ~(guint)MAY_NEXT;
        if (outcome.may & MAY_NEXT)
            continue;
        if (may & MAY_RETURN)
            walk_merge(&walk->now, &left);
        outcome.may = may;
        return outcome;
    }
    if (may & MAY_RETURN)
        walk_merge(&walk->now, &left);
    return (Outcome){.may = may | MAY_RETURN};
}

Outcome walk_base(Walk *walk, const FirewallChain *base)
{
    Outcome outcome = walk_chain(walk, base, 0);

    if (!(outcome.may & MAY_RETURN))
        return outcome;
    outcome.may &= ~(guint)MAY_RETURN;
    outcome.may |= g_strcmp0(base->policy, "drop") == 0 ? MAY_DROP : MAY_ACCEPT;
    outcome.chain = base;
    outcome.rule = NULL;
    return outcome;
}

/* -------------------------------------------------------------------------------------- facts of packets */

Match packet_device_is(const char *device, const char *pattern, char wildcard)
{
    gsize length = strlen(pattern);
    const char *name = device ? device : "";

    if (length > 0 && pattern[length - 1] == wildcard)
        return match_of(strncmp(name, pattern, length - 1) == 0);
    return match_of(strcmp(name, pattern) == 0);
}

guint packet_tcp_flags(const Packet *packet)
{
    enum { SYN = 2, ACK = 16 };

    if (packet->state == PACKET_NEW)
        return SYN;
    return packet->reply ? SYN | ACK : ACK;
}

guint packet_state_bit(PacketState state)
{
    switch (state) {
    case PACKET_INVALID:
        return 1;
    case PACKET_ESTABLISHED:
        return 2;
    case PACKET_RELATED:
        return 4;
    case PACKET_NEW:
        return 8;
    case PACKET_UNTRACKED:
        return 64;
    }
    return 1;
}

gboolean packet_is_seen(const Walk *walk)
{
    enum { CONNTRACK_PRIORITY = -200 }; /* NF_IP_PRI_CONNTRACK, also on bridges */

    switch (walk->packet->place) {
    case PACKET_AT_IP:
        return TRUE;
    case PACKET_AT_BRIDGE:
        return strcmp(walk->hook, "prerouting") != 0 || walk->base->priority > CONNTRACK_PRIORITY;
    case PACKET_AT_ARP:
    case PACKET_AT_DEVICE:
        return FALSE;
    }
    return FALSE;
}

gboolean packet_cast(const Packet *packet, guint64 *number)
{
    *number = packet->cast;
    return packet->place == PACKET_AT_IP || packet->cast != PACKET_TO_HOST;
}

gboolean packet_is_tracked(const Walk *walk)
{
    return walk->now.state != PACKET_INVALID && walk->now.state != PACKET_UNTRACKED;
}

static guint nat_bit(Tri translated, guint bit, guint *known)
{
    if (translated == TRI_UNKNOWN)
        *known &= ~bit;
    return translated == TRI_YES ? bit : 0;
}

guint packet_status(const Walk *walk, guint *known)
{
    enum { EXPECTED = 1, SEEN_REPLY = 2, ASSURED = 4, CONFIRMED = 8, SNAT = 16, DNAT = 32, DYING = 512 };
    const Packet *packet = walk->packet;
    guint status = 0;

    *known = EXPECTED | SEEN_REPLY | ASSURED | CONFIRMED | SNAT | DNAT | DYING;
    if (walk->now.state == PACKET_ESTABLISHED) {
        status |= SEEN_REPLY | CONFIRMED;
        *known &= ~(guint)ASSURED;
    }
    if (walk->now.state == PACKET_RELATED)
        *known &= ~(guint)(EXPECTED | SEEN_REPLY | ASSURED | CONFIRMED);
    return status | nat_bit(packet->snat, SNAT, known) | nat_bit(packet->dnat, DNAT, known);
}

static Tuple tuple_turned(const Tuple *tuple)
{
    return (Tuple){.src = tuple->dst, .dst = tuple->src, .sport = tuple->dport, .dport = tuple->sport};
}

/*
 * The packet's own addresses are the guest's and the peer's as long as nothing is translated. Where the
 * source is, the original tuple has the untranslated one, and the reply's destination is the translation; the
 * destination likewise the other way round.
 */
Tuple packet_tuple(const Walk *walk, gboolean reply)
{
    const Packet *packet = walk->packet;
    Tuple tuple = {.src = packet->src, .dst = packet->dst, .sport = packet->sport, .dport = packet->dport};

    if (packet->reply)
        tuple = tuple_turned(&tuple);
    if (!reply && packet->dnat != TRI_NO) {
        tuple.dst.family = 0;
        tuple.dport = 0;
    }
    if (reply && packet->snat != TRI_NO && packet->state != PACKET_NEW) {
        tuple.src.family = 0;
        tuple.sport = 0;
    }
    if (walk->now.rewritten)
        return (Tuple){.sport = 0};
    return reply ? tuple_turned(&tuple) : tuple;
}
