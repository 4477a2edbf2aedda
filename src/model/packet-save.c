/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/*
 * A rule as iptables-save writes it: options with their values, each perhaps behind "!", the module that an
 * option belongs to named before it ("-m tcp --dport 80"), then the target. All options must hold. An option
 * that is not in the table, or has no function there, may hold or not; how many words belong to it is told by
 * the table, or else by where the next word with a dash is.
 */

typedef struct {
    const Walk *walk;
    const char *value; /* its first word; "" for none */
} Option;

typedef Match (*Holds)(const Option *option);

/* ------------------------------------------------------------------------------------------- addresses */

static Match address_masked(const Ip *ip, const char *address, const char *mask)
{
    Ip wanted, bits;

    if (!ip_parse(address, &wanted) || !ip_parse(mask, &bits) || wanted.family != ip->family ||
        bits.family != ip->family)
        return MATCH_MAYBE;
    for (gsize i = 0; i < sizeof(bits.bytes); i++) {
        if ((wanted.bytes[i] ^ ip->bytes[i]) & bits.bytes[i])
            return MATCH_NO;
    }
    return MATCH_YES;
}

/* An address, alone, with a prefix, or with a mask, which may have holes. */
static Match address_match(const Option *option, const Ip *ip)
{
    g_auto(GStrv) parts = g_strsplit(option->value, "/", 2);
    IpNet net;

    if (ip->family == 0)
        return MATCH_MAYBE;
    if (parts[0] && !parts[1])
        return ip_parse(parts[0], &net.ip) ? match_of(ip_equal(&net.ip, ip)) : MATCH_MAYBE;
    if (ipnet_parse(option->value, &net))
        return match_of(ipnet_contains(&net, ip));
    return parts[0] ? address_masked(ip, parts[0], parts[1]) : MATCH_MAYBE;
}

static Match range_match(const Option *option, const Ip *ip)
{
    g_auto(GStrv) ends = g_strsplit(option->value, "-", 2);
    Ip first, last;

    if (ip->family == 0 || !ends[0] || !ends[1] || !ip_parse(ends[0], &first) || !ip_parse(ends[1], &last))
        return MATCH_MAYBE;
    return match_of(ip_compare(&first, ip) <= 0 && ip_compare(ip, &last) <= 0);
}

static const Ip *source_of(const Option *option)
{
    static const Ip none = {0};

    return option->walk->now.rewritten ? &none : &option->walk->packet->src;
}

static const Ip *destination_of(const Option *option)
{
    static const Ip none = {0};

    return option->walk->now.rewritten ? &none : &option->walk->packet->dst;
}

static Match opt_source(const Option *option)
{
    return address_match(option, source_of(option));
}

static Match opt_destination(const Option *option)
{
    return address_match(option, destination_of(option));
}

static Match opt_src_range(const Option *option)
{
    return range_match(option, source_of(option));
}

static Match opt_dst_range(const Option *option)
{
    return range_match(option, destination_of(option));
}

/* ---------------------------------------------------------------------------------- devices, protocol */

static Match opt_in(const Option *option)
{
    return packet_device_is(option->walk->packet->in, option->value, '+');
}

static Match opt_out(const Option *option)
{
    return packet_device_is(option->walk->packet->out, option->value, '+');
}

/* A protocol that has no word here is none that a Packet may be of. */
static Match opt_protocol(const Option *option)
{
    guint64 number;

    if (g_ascii_strcasecmp(option->value, "all") == 0)
        return MATCH_YES;
    return match_of(words_number(WORDS_PROTOCOL, option->value, &number) &&
                    (number == option->walk->packet->protocol || number == 0));
}

static Match opt_never(const Option *option)
{
    return MATCH_NO;
}

static Match opt_always(const Option *option)
{
    return MATCH_YES;
}

/* ----------------------------------------------------------------------------------------------- ports */

/* "80", "80:90", ":90", "80:"; FALSE for anything else. */
static gboolean port_range(const char *text, guint64 *first, guint64 *last)
{
    g_auto(GStrv) ends = g_strsplit(text, ":", 2);

    *first = 0;
    *last = G_MAXUINT16;
    if (!ends[0] || (*ends[0] && !words_digits(ends[0], first)))
        return FALSE;
    if (!ends[1]) {
        *last = *first;
        return *ends[0] != '\0';
    }
    return !*ends[1] || words_digits(ends[1], last);
}

static Match port_in(const Option *option, const char *text, guint16 port)
{
    guint64 first, last;

    if (option->walk->now.rewritten || port == 0 || !port_range(text, &first, &last))
        return MATCH_MAYBE;
    return match_of(port >= first && port <= last);
}

static Match port_in_list(const Option *option, guint16 port)
{
    g_auto(GStrv) items = g_strsplit(option->value, ",", -1);
    Match match = MATCH_NO;

    for (gsize i = 0; items[i]; i++)
        match = match_or(match, port_in(option, items[i], port));
    return match;
}

static Match opt_sport(const Option *option)
{
    return port_in(option, option->value, option->walk->packet->sport);
}

static Match opt_dport(const Option *option)
{
    return port_in(option, option->value, option->walk->packet->dport);
}

static Match opt_sports(const Option *option)
{
    return port_in_list(option, option->walk->packet->sport);
}

static Match opt_dports(const Option *option)
{
    return port_in_list(option, option->walk->packet->dport);
}

static Match opt_ports(const Option *option)
{
    return match_or(opt_sports(option), opt_dports(option));
}

static gboolean flags_number(const char *list, guint64 *flags)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);

    *flags = 0;
    for (gsize i = 0; names[i]; i++) {
        guint64 flag;

        if (!words_number(WORDS_TCP_FLAGS, names[i], &flag))
            return FALSE;
        *flags |= flag;
    }
    return TRUE;
}

/* Two words: which flags are looked at, and which of them are set. The second stands behind the first. */
static Match tcp_flags_match(const Option *option, const char *set)
{
    guint64 mask, wanted;

    if (!flags_number(option->value, &mask) || !flags_number(set, &wanted))
        return MATCH_MAYBE;
    return match_of((packet_tcp_flags(option->walk->packet) & mask) == wanted);
}

/* "8", "3/1", "any". */
static Match icmp_match(const Option *option, Words words)
{
    g_auto(GStrv) parts = g_strsplit(option->value, "/", 2);
    const Packet *packet = option->walk->packet;
    guint64 type, code;

    if (g_strcmp0(parts[0], "any") == 0 || g_strcmp0(parts[0], "255") == 0)
        return MATCH_YES;
    if (!words_number(words, parts[0], &type) || (parts[1] && !words_digits(parts[1], &code)))
        return MATCH_MAYBE;
    return match_of(type == packet->icmp_type && (!parts[1] || code == packet->icmp_code));
}

static Match opt_icmp(const Option *option)
{
    return icmp_match(option, WORDS_ICMP);
}

static Match opt_icmp6(const Option *option)
{
    return icmp_match(option, WORDS_ICMP6);
}

/* --------------------------------------------------------------------------------- connection tracking */

/* SNAT and DNAT among the states are bits of the status. */
static Match state_is(const Option *option, const char *name)
{
    guint64 bit;
    guint known = 0;
    guint status;

    if (words_number(WORDS_STATE, name, &bit))
        return match_of(packet_state_bit(option->walk->now.state) & bit);
    if (!words_number(WORDS_STATUS, name, &bit))
        return MATCH_MAYBE;
    if (!packet_is_tracked(option->walk))
        return MATCH_NO;
    status = packet_status(option->walk, &known);
    return known & bit ? match_of(status & bit) : MATCH_MAYBE;
}

static Match opt_state(const Option *option)
{
    g_auto(GStrv) names = g_strsplit(option->value, ",", -1);
    Match match = MATCH_NO;

    for (gsize i = 0; names[i]; i++)
        match = match_or(match, state_is(option, names[i]));
    return match;
}

static Match opt_ctstatus(const Option *option)
{
    g_auto(GStrv) names = g_strsplit(option->value, ",", -1);
    guint known = 0;
    guint status = packet_status(option->walk, &known);
    guint64 bits = 0;

    if (!packet_is_tracked(option->walk))
        return MATCH_NO;
    for (gsize i = 0; names[i]; i++) {
        guint64 bit;

        if (g_ascii_strcasecmp(names[i], "none") == 0)
            return status ? MATCH_NO : MATCH_MAYBE;
        if (!words_number(WORDS_STATUS, names[i], &bit))
            return MATCH_MAYBE;
        bits |= bit;
    }
    if (status & known & bits)
        return MATCH_YES;
    return bits & ~(guint64)known ? MATCH_MAYBE : MATCH_NO;
}

static Match opt_ctdir(const Option *option)
{
    guint64 direction;

    if (!words_number(WORDS_DIRECTION, option->value, &direction))
        return MATCH_MAYBE;
    return match_of(packet_is_tracked(option->walk) &&
                    direction == (guint64)(option->walk->packet->reply != FALSE));
}

static Match tuple_address(const Option *option, gboolean reply, gboolean source)
{
    Tuple tuple = packet_tuple(option->walk, reply);

    return packet_is_tracked(option->walk) ? address_match(option, source ? &tuple.src : &tuple.dst)
                                           : MATCH_NO;
}

static Match tuple_port(const Option *option, gboolean reply, gboolean source)
{
    Tuple tuple = packet_tuple(option->walk, reply);

    return packet_is_tracked(option->walk)
               ? port_in(option, option->value, source ? tuple.sport : tuple.dport)
               : MATCH_NO;
}

static Match opt_ctorigsrc(const Option *option)
{
    return tuple_address(option, FALSE, TRUE);
}

static Match opt_ctorigdst(const Option *option)
{
    return tuple_address(option, FALSE, FALSE);
}

static Match opt_ctreplsrc(const Option *option)
{
    return tuple_address(option, TRUE, TRUE);
}

static Match opt_ctrepldst(const Option *option)
{
    return tuple_address(option, TRUE, FALSE);
}

static Match opt_ctorigsrcport(const Option *option)
{
    return tuple_port(option, FALSE, TRUE);
}

static Match opt_ctorigdstport(const Option *option)
{
    return tuple_port(option, FALSE, FALSE);
}

static Match opt_ctreplsrcport(const Option *option)
{
    return tuple_port(option, TRUE, TRUE);
}

static Match opt_ctrepldstport(const Option *option)
{
    return tuple_port(option, TRUE, FALSE);
}

/* Only a connection that another one foretold has a helper's master. */
static Match opt_helper(const Option *option)
{
    return option->walk->now.state == PACKET_RELATED ? MATCH_MAYBE : MATCH_NO;
}

/* ------------------------------------------------------------------------------------------- the others */

/* "0x1/0xff"; FALSE for anything else. */
static gboolean mark_parse(const char *text, guint32 *value, guint32 *mask)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    guint64 number, bits = G_MAXUINT32;

    if (!words_digits(parts[0], &number) || (parts[1] && !words_digits(parts[1], &bits)))
        return FALSE;
    *value = (guint32)number;
    *mask = (guint32)bits;
    return TRUE;
}

static Match mark_match(const Option *option, guint32 mark, guint32 known)
{
    guint32 value, mask;

    if (!mark_parse(option->value, &value, &mask))
        return MATCH_MAYBE;
    return match_bits(mark & mask, ~(guint64)mask | known, value);
}

static Match opt_mark(const Option *option)
{
    return mark_match(option, option->walk->now.mark, option->walk->now.mark_known);
}

static Match opt_connmark(const Option *option)
{
    const WalkState *now = &option->walk->now;

    return packet_is_tracked(option->walk) ? mark_match(option, now->ct_mark, now->ct_mark_known) : MATCH_NO;
}

static Match opt_pkttype(const Option *option)
{
    guint64 type;

    if (!words_number(WORDS_CAST, option->value, &type))
        return MATCH_MAYBE;
    return match_of(type == option->walk->packet->cast);
}

static Match opt_mac(const Option *option)
{
    const Packet *packet = option->walk->packet;
    Mac mac;

    if (!packet->has_mac || !mac_parse(option->value, &mac))
        return MATCH_MAYBE;
    return match_of(mac_equal(&mac, &packet->mac));
}

/* Whether a frame came in by a bridge's port: of a packet that leaves the bridge by itself the filter is told
 * so where bridges ask it. */
static Match came_by_port(const Option *option)
{
    const Packet *packet = option->walk->packet;
    const Link *link = packet->in ? facts_link_named(option->walk->facts, packet->in) : NULL;
    const char *asks = facts_proc(option->walk->facts, "sys/net/bridge/bridge-nf-call-iptables");

    if (packet->bridged || packet->in_port)
        return MATCH_YES;
    if (link && !link->is_bridge)
        return MATCH_NO;
    return g_strcmp0(asks, "1") == 0 ? MATCH_MAYBE : MATCH_NO;
}

static Match opt_physdev_in(const Option *option)
{
    const Packet *packet = option->walk->packet;

    if (packet->in_port)
        return packet_device_is(packet->in_port, option->value, '+');
    return match_and(came_by_port(option), MATCH_MAYBE);
}

static Match opt_physdev_out(const Option *option)
{
    return option->walk->packet->bridged ? MATCH_MAYBE : MATCH_NO;
}

static Match opt_physdev_bridged(const Option *option)
{
    return match_of(option->walk->packet->bridged);
}

static Match type_match(const Option *option, const Ip *ip)
{
    g_auto(GStrv) names = g_strsplit(option->value, ",", -1);
    gint type = packet_address_type(option->walk->facts, ip, 0);
    Match match = MATCH_NO;

    if (type < 0)
        return MATCH_MAYBE;
    for (gsize i = 0; names[i]; i++) {
        guint64 number;

        if (!words_number(WORDS_ADDRESS_TYPE, names[i], &number))
            match = match_or(match, MATCH_MAYBE);
        else
            match = match_or(match, match_of(number == (guint64)type));
    }
    return match;
}

static Match opt_src_type(const Option *option)
{
    return type_match(option, source_of(option));
}

static Match opt_dst_type(const Option *option)
{
    return type_match(option, destination_of(option));
}

/* This is the only connection. */
static Match opt_connlimit_above(const Option *option)
{
    guint64 limit;

    return words_digits(option->value, &limit) ? match_of(limit < 1) : MATCH_MAYBE;
}

static Match opt_connlimit_upto(const Option *option)
{
    return match_not(opt_connlimit_above(option));
}

static Match opt_policy(const Option *option)
{
    return match_of(strcmp(option->value, "none") == 0);
}

/* The module may not be of one name with the option that it has: NULL is any. */
static const struct {
    const char *module, *name;
    guint words; /* that belong to it */
    Holds holds; /* NULL: not known here */
} options[] = {
    {NULL, "-s", 1, opt_source},
    {NULL, "-d", 1, opt_destination},
    {NULL, "-i", 1, opt_in},
    {NULL, "-o", 1, opt_out},
    {NULL, "-p", 1, opt_protocol},
    {NULL, "-f", 0, opt_never},
    {"tcp", "--sport", 1, opt_sport},
    {"tcp", "--dport", 1, opt_dport},
    {"tcp", "--tcp-option", 1, NULL},
    {"udp", "--sport", 1, opt_sport},
    {"udp", "--dport", 1, opt_dport},
    {"icmp", "--icmp-type", 1, opt_icmp},
    {"icmp6", "--icmpv6-type", 1, opt_icmp6},
    {"multiport", "--sports", 1, opt_sports},
    {"multiport", "--dports", 1, opt_dports},
    {"multiport", "--ports", 1, opt_ports},
    {"iprange", "--src-range", 1, opt_src_range},
    {"iprange", "--dst-range", 1, opt_dst_range},
    {"comment", "--comment", 1, opt_always},
    {"state", "--state", 1, opt_state},
    {"conntrack", "--ctstate", 1, opt_state},
    {"conntrack", "--ctstatus", 1, opt_ctstatus},
    {"conntrack", "--ctdir", 1, opt_ctdir},
    {"conntrack", "--ctproto", 1, opt_protocol},
    {"conntrack", "--ctorigsrc", 1, opt_ctorigsrc},
    {"conntrack", "--ctorigdst", 1, opt_ctorigdst},
    {"conntrack", "--ctreplsrc", 1, opt_ctreplsrc},
    {"conntrack", "--ctrepldst", 1, opt_ctrepldst},
    {"conntrack", "--ctorigsrcport", 1, opt_ctorigsrcport},
    {"conntrack", "--ctorigdstport", 1, opt_ctorigdstport},
    {"conntrack", "--ctreplsrcport", 1, opt_ctreplsrcport},
    {"conntrack", "--ctrepldstport", 1, opt_ctrepldstport},
    {"conntrack", "--ctexpire", 1, NULL},
    {"helper", "--helper", 1, opt_helper},
    {"mark", "--mark", 1, opt_mark},
    {"connmark", "--mark", 1, opt_connmark},
    {"pkttype", "--pkt-type", 1, opt_pkttype},
    {"mac", "--mac-source", 1, opt_mac},
    {"physdev", "--physdev-in", 1, opt_physdev_in},
    {"physdev", "--physdev-out", 1, opt_physdev_out},
    {"physdev", "--physdev-is-in", 0, came_by_port},
    {"physdev", "--physdev-is-out", 0, opt_physdev_bridged},
    {"physdev", "--physdev-is-bridged", 0, opt_physdev_bridged},
    {"addrtype", "--src-type", 1, opt_src_type},
    {"addrtype", "--dst-type", 1, opt_dst_type},
    {"limit", "--limit", 1, opt_always},
    {"limit", "--limit-burst", 1, opt_always},
    {"hashlimit", "--hashlimit-upto", 1, opt_always},
    {"hashlimit", "--hashlimit-above", 1, opt_never},
    {"hashlimit", "--hashlimit-burst", 1, opt_always},
    {"hashlimit", "--hashlimit-mode", 1, opt_always},
    {"hashlimit", "--hashlimit-name", 1, opt_always},
    {"hashlimit", "--hashlimit-srcmask", 1, opt_always},
    {"hashlimit", "--hashlimit-dstmask", 1, opt_always},
    {"hashlimit", "--hashlimit-htable-size", 1, opt_always},
    {"hashlimit", "--hashlimit-htable-max", 1, opt_always},
    {"hashlimit", "--hashlimit-htable-gcinterval", 1, opt_always},
    {"hashlimit", "--hashlimit-htable-expire", 1, opt_always},
    {"hashlimit", "--hashlimit-rate-interval", 1, opt_always},
    {"hashlimit", "--hashlimit-rate-match", 0, NULL},
    {"connlimit", "--connlimit-above", 1, opt_connlimit_above},
    {"connlimit", "--connlimit-upto", 1, opt_connlimit_upto},
    {"connlimit", "--connlimit-mask", 1, opt_always},
    {"connlimit", "--connlimit-saddr", 0, opt_always},
    {"connlimit", "--connlimit-daddr", 0, opt_always},
    {"recent", "--set", 0, opt_always},
    {"recent", "--name", 1, opt_always},
    {"recent", "--mask", 1, opt_always},
    {"recent", "--rsource", 0, opt_always},
    {"recent", "--rdest", 0, opt_always},
    {"policy", "--dir", 1, opt_always},
    {"policy", "--pol", 1, opt_policy},
    {"policy", "--strict", 0, opt_always},
    {"policy", "--next", 0, opt_always},
    {"policy", "--reqid", 1, opt_never},
    {"policy", "--spi", 1, opt_never},
    {"policy", "--proto", 1, opt_never},
    {"policy", "--mode", 1, opt_never},
    {"policy", "--tunnel-src", 1, opt_never},
    {"policy", "--tunnel-dst", 1, opt_never},
    {"string", "--string", 1, NULL},
    {"string", "--hex-string", 1, NULL},
    {"set", "--match-set", 2, NULL},
};

/* Modules that match nothing of a packet without IPv6 extension headers, whatever their options are. */
static Match module_match(const char *module)
{
    static const char *const headers[] = {"frag", "rt", "hbh", "dst", "ah", "esp", "mh", NULL};

    return g_strv_contains(headers, module) ? MATCH_NO : MATCH_YES;
}

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

    if (strcmp(option, "--set-xmark") != 0 || !mark_parse(value, &bits, &mask))
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

static gint option_find(const char *module, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].name, name) == 0 &&
            (!options[i].module || g_strcmp0(options[i].module, module) == 0))
            return (gint)i;
    }
    return -1;
}

/* How many words follow the one at argv that belong to it, as far as can be told. */
static guint words_behind(char **argv)
{
    guint count = 0;

    while (argv[count + 1] && argv[count + 1][0] != '-' && strcmp(argv[count + 1], "!") != 0)
        count++;
    return count;
}

/* The option at argv, which has at least its words behind it. *words: how many are its own. */
static Match option_match(const Walk *walk, const char *module, char **argv, guint *words)
{
    gint found = option_find(module, argv[0]);
    Option option = {.walk = walk, .value = argv[1] ? argv[1] : ""};

    *words = found < 0 ? words_behind(argv) : MIN(options[found].words, g_strv_length(argv + 1));
    /* The only one of two words that is known. */
    if (g_strcmp0(module, "tcp") == 0 && strcmp(argv[0], "--tcp-flags") == 0 && argv[1] && argv[2]) {
        *words = 2;
        return tcp_flags_match(&option, argv[2]);
    }
    return found >= 0 && options[found].holds ? options[found].holds(&option) : MATCH_MAYBE;
}

Outcome save_walk(Walk *walk, const At *at, char **argv)
{
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
            match = module_match(module);
        } else {
            match = option_match(walk, module, argv + i, &words);
            i += words;
        }
        here.live = match_and(here.live, negated ? match_not(match) : match);
        if (here.live == MATCH_NO)
            return walk_next();
    }
    return walk_next();
}
