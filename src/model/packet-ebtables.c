/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <string.h>

/*
 * The options of ebtables, as ebtables-nft-save writes them (ebtables-nft(8)): those that libvirt's nwfilter
 * makes its rules of, and what else asks for something that a Packet has. "!" may stand before the option or
 * behind it.
 */

typedef Match (*Holds)(const Walk *walk, const char *value);

/* ------------------------------------------------------------------------------------------- addresses */

/* Multicast has the lowest bit of the first byte. */
#define MAC_GROUP 0x01

static Match mac_masked(const Mac *mac, const char *text, const char *mask)
{
    Mac wanted, bits;

    if (!mac_parse(text, &wanted) || !mac_parse(mask, &bits))
        return MATCH_MAYBE;
    for (gsize i = 0; i < sizeof(bits.bytes); i++) {
        if ((wanted.bytes[i] ^ mac->bytes[i]) & bits.bytes[i])
            return MATCH_NO;
    }
    return MATCH_YES;
}

/* "52:54:00:00:00:01", with a mask behind "/", or a name. */
static Match mac_match(gboolean known, const Mac *mac, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);

    if (!known)
        return MATCH_MAYBE;
    if (g_ascii_strcasecmp(text, "Unicast") == 0)
        return match_of(!(mac->bytes[0] & MAC_GROUP));
    if (g_ascii_strcasecmp(text, "Multicast") == 0)
        return match_of(mac->bytes[0] & MAC_GROUP);
    if (g_ascii_strcasecmp(text, "Broadcast") == 0)
        return mac_masked(mac, "ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff");
    if (g_ascii_strcasecmp(text, "BGA") == 0)
        return mac_masked(mac, "01:80:c2:00:00:00", "ff:ff:ff:ff:ff:ff");
    return parts[0] ? mac_masked(mac, parts[0], parts[1] ? parts[1] : "ff:ff:ff:ff:ff:ff") : MATCH_MAYBE;
}

static Match opt_mac_from(const Walk *walk, const char *value)
{
    return mac_match(walk->packet->has_mac, &walk->packet->mac, value);
}

static Match opt_mac_to(const Walk *walk, const char *value)
{
    return mac_match(walk->packet->has_mac_to, &walk->packet->mac_to, value);
}

static Match opt_from(const Walk *walk, const char *value)
{
    return walk->now.rewritten ? MATCH_MAYBE : save_address(value, &walk->packet->src);
}

static Match opt_to(const Walk *walk, const char *value)
{
    return walk->now.rewritten ? MATCH_MAYBE : save_address(value, &walk->packet->dst);
}

/* ---------------------------------------------------------------------------------------------- frames */

/* "IPv4", "ARP", "0x835"; "LENGTH" is of frames that have none. */
static Match opt_ethertype(const Walk *walk, const char *value)
{
    const guint64 own = walk->packet->arp ? 0x0806 : walk->packet->family == 4 ? 0x0800 : 0x86dd;
    guint64 number;

    if (g_ascii_strcasecmp(value, "LENGTH") == 0)
        return MATCH_NO;
    return words_number(WORDS_ETHERTYPE, value, &number) ? match_of(number == own) : MATCH_MAYBE;
}

static Match opt_in(const Walk *walk, const char *value)
{
    return packet_device_is(walk->packet->in, value, '+');
}

static Match opt_out(const Walk *walk, const char *value)
{
    return packet_device_is(walk->packet->out, value, '+');
}

static Match opt_bridge_in(const Walk *walk, const char *value)
{
    return match_and(match_of(walk->packet->in), packet_device_is(walk->packet->bridge, value, '+'));
}

static Match opt_bridge_out(const Walk *walk, const char *value)
{
    return match_and(match_of(walk->packet->out), packet_device_is(walk->packet->bridge, value, '+'));
}

static Match opt_mark(const Walk *walk, const char *value)
{
    guint32 wanted, mask;

    if (!save_mark_parse(value, &wanted, &mask))
        return MATCH_MAYBE;
    return match_bits(walk->now.mark & mask, ~(guint64)mask | walk->now.mark_known, wanted);
}

static Match opt_cast(const Walk *walk, const char *value)
{
    guint64 number, own;

    if (!words_number(WORDS_CAST, value, &number) || !packet_cast(walk->packet, &own))
        return MATCH_MAYBE;
    return match_of(number == own);
}

static Match opt_always(const Walk *walk, const char *value)
{
    return MATCH_YES;
}

/* ------------------------------------------------------------------------------------------ IP and ARP */

static Match opt_protocol(const Walk *walk, const char *value)
{
    guint64 number;

    return words_number(WORDS_PROTOCOL, value, &number) ? match_of(number == walk->packet->protocol)
                                                        : MATCH_MAYBE;
}

static Match opt_sport(const Walk *walk, const char *value)
{
    return save_port(walk, value, walk->packet->sport);
}

static Match opt_dport(const Walk *walk, const char *value)
{
    return save_port(walk, value, walk->packet->dport);
}

/* "echo-request", "3/1". */
static Match opt_icmp(const Walk *walk, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, "/", 2);
    const Words words = walk->packet->family == 4 ? WORDS_ICMP : WORDS_ICMP6;
    guint64 type, code;

    if (!words_number(words, parts[0], &type) || (parts[1] && !words_digits(parts[1], &code)))
        return MATCH_MAYBE;
    return match_of(type == walk->packet->icmp_type && (!parts[1] || code == walk->packet->icmp_code));
}

static Match opt_operation(const Walk *walk, const char *value)
{
    guint64 number;

    return words_number(WORDS_ARP, value, &number) ? match_of(number == walk->packet->operation)
                                                   : MATCH_MAYBE;
}

/* A request does not know whom it asks. */
static Match opt_arp_mac_to(const Walk *walk, const char *value)
{
    static const Mac none = {.bytes = {0}};

    return walk->packet->operation == 1 ? mac_match(TRUE, &none, value) : opt_mac_to(walk, value);
}

/* ---------------------------------------------------------------------------------------------- options */

/* What a frame must be for an option to hold. */
typedef enum { ANY, IPV4, IPV6, ARP } Kind;

static const struct {
    const char *name;
    Kind kind;
    guint words; /* that belong to it */
    Holds holds;
} options[] = {
    {"-p", ANY, 1, opt_ethertype},
    {"-s", ANY, 1, opt_mac_from},
    {"-d", ANY, 1, opt_mac_to},
    {"-i", ANY, 1, opt_in},
    {"-o", ANY, 1, opt_out},
    {"--logical-in", ANY, 1, opt_bridge_in},
    {"--logical-out", ANY, 1, opt_bridge_out},
    {"--mark", ANY, 1, opt_mark},
    {"--pkttype-type", ANY, 1, opt_cast},
    {"--limit", ANY, 1, opt_always},
    {"--limit-burst", ANY, 1, opt_always},
    {"--log", ANY, 0, opt_always},
    {"--log-level", ANY, 1, opt_always},
    {"--log-prefix", ANY, 1, opt_always},
    {"--log-ip", ANY, 0, opt_always},
    {"--log-ip6", ANY, 0, opt_always},
    {"--log-arp", ANY, 0, opt_always},
    {"--nflog-group", ANY, 1, opt_always},
    {"--nflog-prefix", ANY, 1, opt_always},
    {"--ip-src", IPV4, 1, opt_from},
    {"--ip-dst", IPV4, 1, opt_to},
    {"--ip-proto", IPV4, 1, opt_protocol},
    {"--ip-sport", IPV4, 1, opt_sport},
    {"--ip-dport", IPV4, 1, opt_dport},
    {"--ip-icmp-type", IPV4, 1, opt_icmp},
    {"--ip6-src", IPV6, 1, opt_from},
    {"--ip6-dst", IPV6, 1, opt_to},
    {"--ip6-proto", IPV6, 1, opt_protocol},
    {"--ip6-sport", IPV6, 1, opt_sport},
    {"--ip6-dport", IPV6, 1, opt_dport},
    {"--ip6-icmp-type", IPV6, 1, opt_icmp},
    {"--arp-op", ARP, 1, opt_operation},
    {"--arp-ip-src", ARP, 1, opt_from},
    {"--arp-ip-dst", ARP, 1, opt_to},
    {"--arp-mac-src", ARP, 1, opt_mac_from},
    {"--arp-mac-dst", ARP, 1, opt_arp_mac_to},
};

static gboolean packet_is(const Packet *packet, Kind kind)
{
    switch (kind) {
    case ANY:
        return TRUE;
    case IPV4:
        return !packet->arp && packet->family == 4;
    case IPV6:
        return packet->family == 6;
    case ARP:
        return packet->arp;
    }
    return TRUE;
}

/* Of frames that no Packet is: with a tag, with a length, of the spanning tree. */
static gboolean is_of_others(const char *name)
{
    return g_str_has_prefix(name, "--vlan-") || g_str_has_prefix(name, "--802_3-") ||
           g_str_has_prefix(name, "--stp-");
}

Match ebtables_option(const Walk *walk, char **argv, guint *words)
{
    const gboolean negated = g_strcmp0(argv[1], "!") == 0;
    const char *value = argv[1] ? argv[1 + negated] : NULL;
    Match match = MATCH_MAYBE;

    *words = save_words(argv + negated) + negated;
    if (is_of_others(argv[0]))
        return MATCH_NO;
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].name, argv[0]) != 0)
            continue;
        *words = MIN(options[i].words + negated, g_strv_length(argv + 1));
        if (!packet_is(walk->packet, options[i].kind))
            return MATCH_NO;
        match = options[i].holds(walk, value ? value : "");
    }
    return negated ? match_not(match) : match;
}
