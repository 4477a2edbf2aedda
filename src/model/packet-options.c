/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <netinet/in.h>
#include <string.h>

/* The options of iptables, one by one: a table says to which module each belongs, and what asks the packet.
 */

typedef struct {
    const Walk *walk;
    const char *name;
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

Match save_address(const char *text, const Ip *ip)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    IpNet net = {.prefix = 0};

    if (ip->family == 0)
        return MATCH_MAYBE;
    if (parts[0] && !parts[1])
        return ip_parse(parts[0], &net.ip) ? match_of(ip_equal(&net.ip, ip)) : MATCH_MAYBE;
    if (ipnet_parse(text, &net))
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
    return save_address(option->value, source_of(option));
}

static Match opt_destination(const Option *option)
{
    return save_address(option->value, destination_of(option));
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

Match save_port(const Walk *walk, const char *text, guint16 port)
{
    guint64 first, last;

    if (walk->now.rewritten || port == 0 || !port_range(text, &first, &last))
        return MATCH_MAYBE;
    return match_of(port >= first && port <= last);
}

static Match port_in_list(const Option *option, guint16 port)
{
    g_auto(GStrv) items = g_strsplit(option->value, ",", -1);
    Match match = MATCH_NO;

    for (gsize i = 0; items[i]; i++)
        match = match_or(match, save_port(option->walk, items[i], port));
    return match;
}

static Match opt_sport(const Option *option)
{
    return save_port(option->walk, option->value, option->walk->packet->sport);
}

static Match opt_dport(const Option *option)
{
    return save_port(option->walk, option->value, option->walk->packet->dport);
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

/* "--ctorigsrc", "--ctrepldstport": the name says which of the connection's two tuples, and what of it. */
static Match opt_tuple(const Option *option)
{
    Tuple tuple = packet_tuple(option->walk, g_str_has_prefix(option->name, "--ctrepl"));
    gboolean source = strstr(option->name, "src") != NULL;

    if (!packet_is_tracked(option->walk))
        return MATCH_NO;
    if (g_str_has_suffix(option->name, "port"))
        return save_port(option->walk, option->value, source ? tuple.sport : tuple.dport);
    return save_address(option->value, source ? &tuple.src : &tuple.dst);
}

/* Only a connection that another one foretold has a helper's master. */
static Match opt_helper(const Option *option)
{
    return option->walk->now.state == PACKET_RELATED ? MATCH_MAYBE : MATCH_NO;
}

/* ------------------------------------------------------------------------------------------- the others */

gboolean save_mark_parse(const char *text, guint32 *value, guint32 *mask)
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

    if (!save_mark_parse(option->value, &value, &mask))
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
    {"conntrack", "--ctorigsrc", 1, opt_tuple},
    {"conntrack", "--ctorigdst", 1, opt_tuple},
    {"conntrack", "--ctreplsrc", 1, opt_tuple},
    {"conntrack", "--ctrepldst", 1, opt_tuple},
    {"conntrack", "--ctorigsrcport", 1, opt_tuple},
    {"conntrack", "--ctorigdstport", 1, opt_tuple},
    {"conntrack", "--ctreplsrcport", 1, opt_tuple},
    {"conntrack", "--ctrepldstport", 1, opt_tuple},
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
Match save_module(const char *module)
{
    static const char *const headers[] = {"frag", "rt", "hbh", "dst", "ah", "esp", "mh", NULL};

    return g_strv_contains(headers, module) ? MATCH_NO : MATCH_YES;
}

/* ---------------------------------------------------------------------------------------------- options */

static gint option_find(const char *module, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].name, name) == 0 &&
            (!options[i].module || g_strcmp0(options[i].module, module) == 0))
            return (gint)i;
    }
    return -1;
}

guint save_words(char **argv)
{
    guint count = 0;

    while (argv[count + 1] && argv[count + 1][0] != '-' && strcmp(argv[count + 1], "!") != 0)
        count++;
    return count;
}

/* The option at argv, which has at least its words behind it. *words: how many are its own. */
Match save_option(const Walk *walk, const char *module, char **argv, guint *words)
{
    gint found = option_find(module, argv[0]);
    Option option = {.walk = walk, .name = argv[0], .value = argv[1] ? argv[1] : ""};

    *words = found < 0 ? save_words(argv) : MIN(options[found].words, g_strv_length(argv + 1));
    /* The only one of two words that is known. */
    if (g_strcmp0(module, "tcp") == 0 && strcmp(argv[0], "--tcp-flags") == 0 && argv[1] && argv[2]) {
        *words = 2;
        return tcp_flags_match(&option, argv[2]);
    }
    return found >= 0 && options[found].holds ? options[found].holds(&option) : MATCH_MAYBE;
}
