/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/packet.h"

/*
 * The parts of the evaluation: packet.c orders the base chains, packet-walk.c walks a chain, packet-nft.c and
 * packet-save.c read a rule of either shape, packet-value.c and packet-words.c what nftables compares.
 */

/* ------------------------------------------------------------------------------------ whether it matches */

typedef enum { MATCH_NO, MATCH_MAYBE, MATCH_YES } Match;

#define match_of(holds) ((holds) ? MATCH_YES : MATCH_NO)
#define match_not(match) ((Match)(MATCH_YES - (match)))
#define match_and(a, b) MIN(a, b)
#define match_or(a, b) MAX(a, b)

/* The kernel's numbers for families (linux/netfilter.h). */
enum {
    PACKET_NFPROTO_IPV4 = 2,
    PACKET_NFPROTO_ARP = 3,
    PACKET_NFPROTO_NETDEV = 5,
    PACKET_NFPROTO_BRIDGE = 7,
    PACKET_NFPROTO_IPV6 = 10,
};

/* Bits of a number of which only those in known are certain, against what they should be. */
Match match_bits(guint64 value, guint64 known, guint64 wanted);

/* --------------------------------------------------------------------------------------------- the walk */

/* Where a packet may go from a rule or a chain; several where that could not be told. */
enum {
    MAY_ACCEPT = 1 << 0,
    MAY_DROP = 1 << 1,
    MAY_REJECT = 1 << 2,
    MAY_RETURN = 1 << 3, /* leaves the chain: to the caller, or to the base chain's policy */
    MAY_NEXT = 1 << 4,   /* to the next rule */
    MAY_END = MAY_ACCEPT | MAY_DROP | MAY_REJECT,
};

/* What rules change of the packet, and what is known of it then. */
typedef struct {
    guint32 mark, mark_known;
    guint32 ct_mark, ct_mark_known;
    PacketState state;
    gboolean rewritten; /* addresses or ports may be others by now */
} WalkState;

/* chain and rule: where it ended for certain; NULL where it may go on. */
typedef struct {
    guint may;
    const FirewallChain *chain;
    const FirewallRule *rule;
} Outcome;

/* A rule that could not be evaluated, and what it may have done. */
typedef struct {
    PacketStep step;
    guint may;
} Doubt;

typedef struct {
    const Facts *facts;
    const Packet *packet;
    const char *hook;
    WalkState now;
    const FirewallTable *table;
    const FirewallChain *base;
    GHashTable *touched; /* sets (json_t *) that rules may have put the packet into */
    GArray *doubts;      /* Doubt, of this base chain */
    gint64 budget;       /* what may still be looked at, over all chains */
} Walk;

/* The rule that is being evaluated. */
typedef struct {
    const FirewallChain *chain;
    const FirewallRule *rule;
    guint depth; /* chains that led here */
    Match live;  /* whether its conditions up to here hold */
} At;

/* Takes from the budget; FALSE where it is used up: then everything may be. */
gboolean walk_spend(Walk *walk, guint amount);

/* The base chain itself, up to the verdict of a rule or its policy: bits of MAY_END, which are never none. */
Outcome walk_base(Walk *walk, const FirewallChain *base);

/* What a rule's verdict makes of the packet, under the conditions in at->live. */
Outcome walk_verdict(Walk *walk, const At *at, guint may);
/* The packet goes to another chain of the table; back is FALSE for a goto. */
Outcome walk_jump(Walk *walk, const At *at, const char *target, gboolean back);
/* The rule says nothing more: to the next one. */
Outcome walk_next(void);
/* What of two ways is known is what both agree on. */
void walk_merge(WalkState *state, const WalkState *other);
/* Sets the bits of a mark under a condition. mask: those that are set; known: those of them that value has.
 */
void walk_set_mark(guint32 *mark, guint32 *mark_known, guint32 mask, guint32 value, guint32 known,
                   Match live);

/* Who is behind a step, or NULL. Static. */
const char *packet_owner(const PacketStep *step);

/* A rule of either shape. */
Outcome nft_walk(Walk *walk, const At *at, const json_t *expr);
Outcome save_walk(Walk *walk, const At *at, char **argv);
/* The outcome of a target of iptables that is known by its name alone, or of a chain of that name. */
Outcome save_target(Walk *walk, const At *at, const char *name);

/* A match module of iptables by itself: MATCH_NO where it never holds. */
Match save_module(const char *module);
/* The option at argv, with what stands behind it. *words: how many of those are its own. */
Match save_option(const Walk *walk, const char *module, char **argv, guint *words);
/* The same in ebtables' words. */
Match ebtables_option(const Walk *walk, char **argv, guint *words);
/* How many words follow the one at argv that belong to it, as far as can be told. */
guint save_words(char **argv);
/* An address, alone, with a prefix, or with a mask, which may have holes. */
Match save_address(const char *text, const Ip *ip);
/* "80", "80:90", ":90", "80:". */
Match save_port(const Walk *walk, const char *text, guint16 port);
/* "0x1/0xff"; FALSE for anything else. */
gboolean save_mark_parse(const char *text, guint32 *value, guint32 *mask);

/* ------------------------------------------------------------------------------------ facts of the packet */

Match packet_device_is(const char *device, const char *pattern, char wildcard);
guint packet_tcp_flags(const Packet *packet);
/* Bits of connection tracking's status as nf_conntrack_common.h has them; *known: those that are certain. */
guint packet_status(const Walk *walk, guint *known);
guint packet_state_bit(PacketState state);
/* One end of the connection's two tuples; family or port 0: not known. */
typedef struct {
    Ip src, dst;
    guint16 sport, dport;
} Tuple;
Tuple packet_tuple(const Walk *walk, gboolean reply);
/* Whether the packet was before connection tracking by now, which bridges have too, and devices do not. */
gboolean packet_is_seen(const Walk *walk);
/* Whom its frame was sent to, PACKET_* of linux/if_packet.h. FALSE: what a port takes it for is not told. */
gboolean packet_cast(const Packet *packet, guint64 *number);
/* Whether connection tracking knows the packet at all. */
gboolean packet_is_tracked(const Walk *walk);

/* ------------------------------------------------------------------------------------------------- words */

/* What a number's names are. */
typedef enum {
    WORDS_NONE,
    WORDS_PROTOCOL,
    WORDS_FAMILY,
    WORDS_ETHERTYPE,
    WORDS_ARP,
    WORDS_STATE,
    WORDS_STATUS,
    WORDS_DIRECTION,
    WORDS_TCP_FLAGS,
    WORDS_ICMP,
    WORDS_ICMP6,
    WORDS_ICMP_CODE,
    WORDS_ICMP6_CODE,
    WORDS_CAST,
    WORDS_ADDRESS_TYPE,
} Words;

/* The number of a name, in any case; FALSE if it is none of these words. */
gboolean words_number(Words words, const char *name, guint64 *number);
/* A decimal, octal or hexadecimal number and nothing behind it. */
gboolean words_digits(const char *text, guint64 *number);

/* --------------------------------------------------------------------------------- nftables' expressions */

typedef enum {
    VALUE_UNKNOWN,
    VALUE_ABSENT,
    VALUE_NUMBER,
    VALUE_ADDRESS,
    VALUE_DEVICE,
    VALUE_INDEX
} ValueKind;

/* What an expression is of this packet. VALUE_ABSENT: it has no such thing, and the rule does not match. */
typedef struct {
    ValueKind kind;
    guint64 number, known; /* known: the bits that are certain */
    Words words;
    Ip ip;
    const char *device; /* of VALUE_DEVICE and VALUE_INDEX; "" for none */
    guint index;
} Value;

#define VALUE_PARTS 8

/* A value, or several that are concatenated. */
typedef struct {
    Value parts[VALUE_PARTS];
    guint count;
    gboolean concat;
} Key;

/* FALSE if it is no expression known here, or of too many parts: anything is possible. */
gboolean nft_key(const Walk *walk, const json_t *expression, Key *key);
Value nft_value(const Walk *walk, const json_t *expression);
/* A number that is written out, or bits of flags. FALSE if it is none. */
gboolean nft_number(Words words, const json_t *right, guint64 *number);
/* Whether the packet's value is this element: a plain one, a prefix, range, set or list of such, or "@set".
 */
Match nft_element(Walk *walk, const Key *key, const json_t *element);
/* A set or map of the walk's table by its name without "@", or NULL. */
const json_t *nft_set(const Walk *walk, const char *name);
/* An element without what stands beside it (counters, timeouts). */
const json_t *nft_bare(const json_t *element);
