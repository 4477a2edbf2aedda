/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <string.h>

/*
 * A rule as iptables-save writes it: options with their values, each perhaps behind "!", the module that an
 * option belongs to named before it ("-m tcp --dport 80"), then the target. All options must hold. An option
 * that is not in packet-options.c's table, or has no function there, may hold or not; how many words belong
 * to it is told by the table, or else by where the next word with a dash is.
 */

/* ---------------------------------------------------------------------------------------------- targets */

/* 0: not known here. MAY_NEXT: the packet goes on as it was, for all that matters here. */
static guint target_may(const char *name)
{
    static const struct {
        const char *name;
        guint may;
    } targets[] = {
        {"ACCEPT", MAY_ACCEPT},
        {"DROP", MAY_DROP},
        {"REJECT", MAY_REJECT},
        {"RETURN", MAY_RETURN},
        {"MASQUERADE", MAY_ACCEPT},
        {"SNAT", MAY_ACCEPT},
        {"DNAT", MAY_ACCEPT},
        {"REDIRECT", MAY_ACCEPT},
        {"NETMAP", MAY_ACCEPT},
        {"LOG", MAY_NEXT},
        {"NFLOG", MAY_NEXT},
        {"ULOG", MAY_NEXT},
        {"TRACE", MAY_NEXT},
        {"CHECKSUM", MAY_NEXT},
        {"TCPMSS", MAY_NEXT},
        {"CLASSIFY", MAY_NEXT},
        {"AUDIT", MAY_NEXT},
        {"CONTINUE", MAY_NEXT},
        {"CT", MAY_NEXT},
        {"TOS", MAY_NEXT},
        {"DSCP", MAY_NEXT},
        {"TTL", MAY_NEXT},
        {"HL", MAY_NEXT},
        {"SECMARK", MAY_NEXT},
        {"CONNSECMARK", MAY_NEXT},
        {"IDLETIMER", MAY_NEXT},
        {"TEE", MAY_NEXT},
        {"SET", MAY_NEXT},
        {"ECN", MAY_NEXT},
        {"RATEEST", MAY_NEXT},
        {"LED", MAY_NEXT},
        {"TCPOPTSTRIP", MAY_NEXT},
        {"NFQUEUE", MAY_ACCEPT | MAY_DROP},
        {"QUEUE", MAY_ACCEPT | MAY_DROP},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (strcmp(targets[i].name, name) == 0)
            return targets[i].may;
    }
    return 0;
}

Outcome save_target(Walk *walk, const At *at, const char *name)
{
    guint may = target_may(name);
    WalkState *now = &walk->now;

    if (may == MAY_NEXT)
        return walk_next();
    if (may)
        return walk_verdict(walk, at, may);
    if (strcmp(name, "MARK") == 0 || strcmp(name, "HMARK") == 0 || strcmp(name, "CONNMARK") == 0) {
        now->mark_known = 0;
        now->ct_mark_known = 0;
        return walk_next();
    }
    if (strcmp(name, "NOTRACK") == 0) {
        if (at->live == MATCH_YES)
            now->state = PACKET_UNTRACKED;
        return walk_next();
    }
    if (firewall_table_chain(walk->table, name))
        return walk_jump(walk, at, name, TRUE);
    return walk_verdict(walk, at, MAY_END | MAY_NEXT);
}

/* "--set-xmark 0x1/0xff": clears the mask's bits and turns the value's. */
static gboolean target_mark(Walk *walk, const At *at, const char *option, const char *value)
{
    WalkState *now = &walk->now;
    guint32 bits, mask;

    if (strcmp(option, "--set-xmark") != 0 || !save_mark_parse(value, &bits, &mask))
        return FALSE;
    bits ^= now->mark & ~mask;
    walk_set_mark(&now->mark, &now->mark_known, G_MAXUINT32, bits, mask | now->mark_known, at->live);
    return TRUE;
}

/* argv: the target's name, and its options. */
static Outcome target_walk(Walk *walk, const At *at, char **argv)
{
    if (strcmp(argv[0], "MARK") == 0 && argv[1] && argv[2] && target_mark(walk, at, argv[1], argv[2]))
        return walk_next();
    if (strcmp(argv[0], "CT") == 0 && argv[1] && strcmp(argv[1], "--notrack") == 0)
        return save_target(walk, at, "NOTRACK");
    return save_target(walk, at, argv[0]);
}

/* ------------------------------------------------------------------------------------------------ rules */

Outcome save_walk(Walk *walk, const At *at, char **argv)
{
    const gboolean ebtables = strcmp(walk->table->family, "bridge") == 0;
    const char *module = NULL;
    At here = *at;

    for (guint i = 0; argv[i]; i++) {
        gboolean negated = strcmp(argv[i], "!") == 0 && argv[i + 1];
        guint words = 0;
        Match match;

        if (negated)
            i++;
        if (argv[i + 1] && strcmp(argv[i], "-j") == 0)
            return target_walk(walk, &here, argv + i + 1);
        if (argv[i + 1] && strcmp(argv[i], "-g") == 0)
            return walk_jump(walk, &here, argv[i + 1], FALSE);
        if (argv[i + 1] && strcmp(argv[i], "-m") == 0) {
            module = argv[++i];
            match = save_module(module);
        } else {
            match = ebtables ? ebtables_option(walk, argv + i, &words)
                             : save_option(walk, module, argv + i, &words);
            i += words;
        }
        here.live = match_and(here.live, negated ? match_not(match) : match);
        if (here.live == MATCH_NO)
            return walk_next();
    }
    return walk_next();
}
