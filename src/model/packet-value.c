/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <netinet/in.h>
#include <string.h>

/*
 * nft's JSON of expressions (libnftables-json(5)): what one is of the packet, and whether that is an element.
 * nft leaves out the conditions that an expression implies ("tcp dport" implies TCP): where they do not hold
 * the value is absent, and no rule matches an absent value, not even by "!=".
 */

static const Value absent = {.kind = VALUE_ABSENT};
static const Value unknown = {.kind = VALUE_UNKNOWN};

static Value number_of(guint64 number, Words words)
{
    return (Value){.kind = VALUE_NUMBER, .number = number, .known = G_MAXUINT64, .words = words};
}

static Value port_of(guint16 port)
{
    return port ? number_of(port, WORDS_NONE) : unknown;
}

static Value address_of(const Ip *ip)
{
    return ip->family ? (Value){.kind = VALUE_ADDRESS, .ip = *ip} : unknown;
}

static Value device_of(ValueKind kind, const char *device, guint index)
{
    return (Value){.kind = kind, .device = device ? device : "", .index = index};
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ----------------------------------------------------------------------------------------- the payload */

typedef enum {
    FIELD_SADDR,
    FIELD_DADDR,
    FIELD_PROTOCOL,
    FIELD_VERSION,
    FIELD_FRAGMENT,
    FIELD_SPORT,
    FIELD_DPORT,
    FIELD_FLAGS,
    FIELD_TYPE,
    FIELD_CODE,
    FIELD_MAC,
    FIELD_MAC_TO,
    FIELD_ETHERTYPE,
    FIELD_OPERATION,
    FIELD_ONE,
} Field;

static const struct {
    const char *protocol, *name;
    Field field;
} fields[] = {
    {"ip", "saddr", FIELD_SADDR},       {"ip", "daddr", FIELD_DADDR},
    {"ip", "protocol", FIELD_PROTOCOL}, {"ip", "version", FIELD_VERSION},
    {"ip", "frag-off", FIELD_FRAGMENT}, {"ip6", "saddr", FIELD_SADDR},
    {"ip6", "daddr", FIELD_DADDR},      {"ip6", "nexthdr", FIELD_PROTOCOL},
    {"ip6", "version", FIELD_VERSION},  {"tcp", "sport", FIELD_SPORT},
    {"tcp", "dport", FIELD_DPORT},      {"tcp", "flags", FIELD_FLAGS},
    {"udp", "sport", FIELD_SPORT},      {"udp", "dport", FIELD_DPORT},
    {"th", "sport", FIELD_SPORT},       {"th", "dport", FIELD_DPORT},
    {"icmp", "type", FIELD_TYPE},       {"icmp", "code", FIELD_CODE},
    {"icmpv6", "type", FIELD_TYPE},     {"icmpv6", "code", FIELD_CODE},
    {"ether", "saddr", FIELD_MAC},      {"ether", "type", FIELD_ETHERTYPE},
    {"ether", "daddr", FIELD_MAC_TO},   {"arp", "operation", FIELD_OPERATION},
    {"arp", "saddr ip", FIELD_SADDR},   {"arp", "daddr ip", FIELD_DADDR},
    {"arp", "saddr ether", FIELD_MAC},  {"arp", "htype", FIELD_ONE},
};

/* Whether the packet has that header at all. */
static gboolean has_header(const Packet *packet, const char *protocol)
{
    static const struct {
        const char *name;
        guint8 family, protocol; /* 0: any */
    } headers[] = {
        {"ip", 4, 0},
        {"ip6", 6, 0},
        {"tcp", 0, IPPROTO_TCP},
        {"udp", 0, IPPROTO_UDP},
        {"icmp", 4, IPPROTO_ICMP},
        {"icmpv6", 6, IPPROTO_ICMPV6},
        {"th", 0, 0},
    };

    if (strcmp(protocol, "ether") == 0 || packet->arp)
        return strcmp(protocol, packet->arp ? "arp" : "ether") == 0 || strcmp(protocol, "ether") == 0;
    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
        if (strcmp(headers[i].name, protocol) == 0)
            return (!headers[i].family || headers[i].family == packet->family) &&
                   (!headers[i].protocol || headers[i].protocol == packet->protocol);
    }
    /* Any other: none of the protocols that a Packet may be of. */
    return FALSE;
}

/* A transport header's ports; of ICMP these bytes are something else. */
static Value field_port(const Packet *packet, guint16 port)
{
    return packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP ? port_of(port) : unknown;
}

/* Six bytes make one number. */
static Value field_mac(gboolean known, const Mac *mac)
{
    guint64 number = 0;

    for (guint i = 0; i < sizeof(mac->bytes); i++)
        number = number << 8 | mac->bytes[i];
    return known ? number_of(number, WORDS_NONE) : unknown;
}

static Value field_ethertype(const Packet *packet)
{
    if (packet->arp)
        return number_of(0x0806, WORDS_ETHERTYPE);
    return number_of(packet->family == 4 ? 0x0800 : 0x86dd, WORDS_ETHERTYPE);
}

static Value field_value(const Packet *packet, Field field)
{
    switch (field) {
    case FIELD_SADDR:
        return address_of(&packet->src);
    case FIELD_DADDR:
        return address_of(&packet->dst);
    case FIELD_PROTOCOL:
        return number_of(packet->protocol, WORDS_PROTOCOL);
    case FIELD_VERSION:
        return number_of(packet->family, WORDS_NONE);
    case FIELD_FRAGMENT:
        /* All but "don't fragment" are those of a whole packet. */
        return (Value){.kind = VALUE_NUMBER, .known = ~(guint64)0x4000};
    case FIELD_SPORT:
        return field_port(packet, packet->sport);
    case FIELD_DPORT:
        return field_port(packet, packet->dport);
    case FIELD_FLAGS:
        return number_of(packet_tcp_flags(packet), WORDS_TCP_FLAGS);
    case FIELD_TYPE:
        return number_of(packet->icmp_type, packet->family == 4 ? WORDS_ICMP : WORDS_ICMP6);
    case FIELD_CODE:
        return number_of(packet->icmp_code, packet->family == 4 ? WORDS_ICMP_CODE : WORDS_ICMP6_CODE);
    case FIELD_MAC:
        return field_mac(packet->has_mac, &packet->mac);
    case FIELD_MAC_TO:
        return field_mac(packet->has_mac_to, &packet->mac_to);
    case FIELD_ETHERTYPE:
        return field_ethertype(packet);
    case FIELD_OPERATION:
        return number_of(packet->operation, WORDS_ARP);
    case FIELD_ONE:
        return number_of(1, WORDS_NONE);
    }
    return unknown;
}

static gboolean field_is_rewritable(Field field)
{
    return field == FIELD_SADDR || field == FIELD_DADDR || field == FIELD_SPORT || field == FIELD_DPORT;
}

static Value payload_value(const Walk *walk, const json_t *body)
{
    const char *protocol = text_of(body, "protocol");
    const char *name = text_of(body, "field");

    if (!*protocol || !*name)
        return unknown;
    if (!has_header(walk->packet, protocol))
        return absent;
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (strcmp(fields[i].protocol, protocol) == 0 && strcmp(fields[i].name, name) == 0)
            return walk->now.rewritten && field_is_rewritable(fields[i].field)
                       ? unknown
                       : field_value(walk->packet, fields[i].field);
    }
    return unknown;
}

/* --------------------------------------------------------------------------------------- meta, ct, fib */

typedef enum {
    META_IIF,
    META_OIF,
    META_IIFNAME,
    META_OIFNAME,
    META_BRIDGE_IN,
    META_BRIDGE_OUT,
    META_L4PROTO,
    META_NFPROTO,
    META_PROTOCOL,
    META_MARK,
    META_PKTTYPE,
    META_IPSEC,
    META_SOCKET,
    META_NFTRACE,
} Meta;

static const struct {
    const char *name;
    Meta meta;
} metas[] = {
    {"iif", META_IIF},         {"oif", META_OIF},           {"iifname", META_IIFNAME},
    {"oifname", META_OIFNAME}, {"l4proto", META_L4PROTO},   {"nfproto", META_NFPROTO},
    {"mark", META_MARK},       {"protocol", META_PROTOCOL}, {"pkttype", META_PKTTYPE},
    {"ipsec", META_IPSEC},     {"skuid", META_SOCKET},      {"skgid", META_SOCKET},
    {"nftrace", META_NFTRACE}, {"ibrname", META_BRIDGE_IN}, {"obrname", META_BRIDGE_OUT},
};

static Value meta_mark(const WalkState *state)
{
    return (Value){
        .kind = VALUE_NUMBER, .number = state->mark, .known = ~(guint64)G_MAXUINT32 | state->mark_known};
}

/* Of the table's hook: bridges and devices have numbers of their own, whatever the packet is. */
static guint64 nfproto_of(const Walk *walk)
{
    const Packet *packet = walk->packet;

    if (packet->place == PACKET_AT_BRIDGE)
        return PACKET_NFPROTO_BRIDGE;
    if (packet->place == PACKET_AT_ARP)
        return PACKET_NFPROTO_ARP;
    if (strcmp(walk->table->family, "netdev") == 0)
        return PACKET_NFPROTO_NETDEV;
    return packet->family == 4 ? PACKET_NFPROTO_IPV4 : PACKET_NFPROTO_IPV6;
}

static Value meta_of(const Walk *walk, Meta meta)
{
    const Packet *packet = walk->packet;
    guint64 number;

    switch (meta) {
    case META_IIF:
        return device_of(VALUE_INDEX, packet->in, packet->in_index);
    case META_OIF:
        return device_of(VALUE_INDEX, packet->out, packet->out_index);
    case META_IIFNAME:
        return device_of(VALUE_DEVICE, packet->in, packet->in_index);
    case META_OIFNAME:
        return device_of(VALUE_DEVICE, packet->out, packet->out_index);
    case META_BRIDGE_IN:
        return packet->in ? device_of(VALUE_DEVICE, packet->bridge, 0) : absent;
    case META_BRIDGE_OUT:
        return packet->out ? device_of(VALUE_DEVICE, packet->bridge, 0) : absent;
    case META_L4PROTO:
        return packet->arp ? absent : number_of(packet->protocol, WORDS_PROTOCOL);
    case META_NFPROTO:
        return number_of(nfproto_of(walk), WORDS_FAMILY);
    case META_PROTOCOL:
        return field_ethertype(packet);
    case META_MARK:
        return meta_mark(&walk->now);
    case META_PKTTYPE:
        return packet_cast(packet, &number) ? number_of(number, WORDS_CAST) : unknown;
    case META_IPSEC:
    case META_NFTRACE:
        return number_of(0, WORDS_NONE);
    case META_SOCKET:
        /* What is forwarded belongs to no socket of this host. */
        return strcmp(walk->hook, "forward") == 0 ? absent : unknown;
    }
    return unknown;
}

static Value meta_value(const Walk *walk, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(metas); i++) {
        if (strcmp(metas[i].name, name) == 0)
            return meta_of(walk, metas[i].meta);
    }
    return unknown;
}

static Value ct_status(const Walk *walk)
{
    guint known = 0;
    guint status = packet_status(walk, &known);

    return (Value){.kind = VALUE_NUMBER, .number = status, .known = known, .words = WORDS_STATUS};
}

/* "ip saddr", "saddr", "proto-dst", of the direction that is asked for. */
static Value ct_tuple(const Walk *walk, const json_t *body, const char *key)
{
    Tuple tuple = packet_tuple(walk, strcmp(text_of(body, "dir"), "reply") == 0);
    const char *field = strrchr(key, ' ') ? strrchr(key, ' ') + 1 : key;

    if (g_str_has_prefix(key, "ip ") && walk->packet->family != 4)
        return absent;
    if (g_str_has_prefix(key, "ip6 ") && walk->packet->family != 6)
        return absent;
    if (strcmp(field, "saddr") == 0)
        return address_of(&tuple.src);
    if (strcmp(field, "daddr") == 0)
        return address_of(&tuple.dst);
    if (strcmp(field, "proto-src") == 0)
        return field_port(walk->packet, tuple.sport);
    return strcmp(field, "proto-dst") == 0 ? field_port(walk->packet, tuple.dport) : unknown;
}

static Value ct_value(const Walk *walk, const json_t *body)
{
    const char *key = text_of(body, "key");
    const WalkState *now = &walk->now;

    if (!packet_is_seen(walk))
        return unknown;
    if (strcmp(key, "state") == 0)
        return number_of(packet_state_bit(now->state), WORDS_STATE);
    if (!packet_is_tracked(walk))
        return absent;
    if (strcmp(key, "status") == 0)
        return ct_status(walk);
    if (strcmp(key, "mark") == 0)
        return (Value){.kind = VALUE_NUMBER,
                       .number = now->ct_mark,
                       .known = ~(guint64)G_MAXUINT32 | now->ct_mark_known};
    if (strcmp(key, "direction") == 0)
        return number_of(walk->packet->reply, WORDS_DIRECTION);
    if (strcmp(key, "zone") == 0)
        return number_of(0, WORDS_NONE);
    if (strcmp(key, "l3proto") == 0)
        return number_of(walk->packet->family == 4 ? 2 : 10, WORDS_FAMILY);
    if (strcmp(key, "protocol") == 0)
        return number_of(walk->packet->protocol, WORDS_PROTOCOL);
    /* Only a connection that another one foretold has a helper's master. */
    if (strcmp(key, "helper") == 0)
        return now->state == PACKET_RELATED ? unknown : absent;
    return ct_tuple(walk, body, key);
}

static gboolean has_flag(const json_t *flags, const char *flag)
{
    for (gsize i = 0; i < json_array_size(flags); i++) {
        if (g_strcmp0(json_string_value(json_array_get(flags, i)), flag) == 0)
            return TRUE;
    }
    return g_strcmp0(json_string_value(flags), flag) == 0;
}

/* Of the results only the type of an address: which route leads where is not evaluated. */
static Value fib_value(const Walk *walk, const json_t *body)
{
    const json_t *flags = json_object_get(body, "flags");
    const Packet *packet = walk->packet;
    guint device = 0;
    gint type;

    if (strcmp(text_of(body, "result"), "type") != 0 || has_flag(flags, "mark") || walk->now.rewritten ||
        packet->place != PACKET_AT_IP)
        return unknown;
    if (has_flag(flags, "iif"))
        device = packet->in_index;
    else if (has_flag(flags, "oif"))
        device = packet->out_index;
    if (device == 0 && (has_flag(flags, "iif") || has_flag(flags, "oif")))
        return unknown;
    type = packet_address_type(walk->facts, has_flag(flags, "saddr") ? &packet->src : &packet->dst, device);
    return type < 0 ? unknown : number_of((guint64)type, WORDS_ADDRESS_TYPE);
}

/* ---------------------------------------------------------------------------------------------- binary */

static Value masked_address(Value value, const json_t *right)
{
    Ip mask;

    if (!json_is_string(right) || !ip_parse(json_string_value(right), &mask) ||
        mask.family != value.ip.family)
        return unknown;
    for (gsize i = 0; i < sizeof(mask.bytes); i++)
        value.ip.bytes[i] &= mask.bytes[i];
    return value;
}

/* The only key of an object, or NULL. */
static const char *only_key(const json_t *object)
{
    /* jansson's iterator takes no const, but changes nothing. */
    json_t *readable = (json_t *)(gpointer)object;

    return json_object_size(object) == 1 ? json_object_iter_key(json_object_iter(readable)) : NULL;
}

static Value binary_value(const Walk *walk, const char *op, const json_t *body)
{
    const json_t *right = json_array_get(body, 1);
    Value value = nft_value(walk, json_array_get(body, 0));
    guint64 number;

    if (json_array_size(body) != 2 || (value.kind != VALUE_NUMBER && value.kind != VALUE_ADDRESS))
        return value.kind == VALUE_ABSENT ? value : unknown;
    if (value.kind == VALUE_ADDRESS)
        return *op == '&' ? masked_address(value, right) : unknown;
    if (!nft_number(value.words, right, &number))
        return unknown;
    if (*op == '&') {
        value.number &= number;
        value.known |= ~number;
    } else if (*op == '|') {
        value.number |= number;
        value.known |= number;
    } else {
        value.number ^= number;
    }
    return value;
}

Value nft_value(const Walk *walk, const json_t *expression)
{
    const char *key = only_key(expression);
    const json_t *body = key ? json_object_get(expression, key) : NULL;

    if (!key)
        return unknown;
    if (strcmp(key, "payload") == 0)
        return payload_value(walk, body);
    if (strcmp(key, "meta") == 0)
        return meta_value(walk, text_of(body, "key"));
    if (strcmp(key, "ct") == 0)
        return ct_value(walk, body);
    if (strcmp(key, "fib") == 0)
        return fib_value(walk, body);
    if (strcmp(key, "&") == 0 || strcmp(key, "|") == 0 || strcmp(key, "^") == 0)
        return binary_value(walk, key, body);
    return unknown;
}

gboolean nft_key(const Walk *walk, const json_t *expression, Key *key)
{
    const json_t *parts = json_object_get(expression, "concat");

    *key = (Key){.count = 1, .concat = parts != NULL};
    if (!parts) {
        key->parts[0] = nft_value(walk, expression);
        return TRUE;
    }
    key->count = (guint)json_array_size(parts);
    if (key->count == 0 || key->count > VALUE_PARTS)
        return FALSE;
    for (guint i = 0; i < key->count; i++)
        key->parts[i] = nft_value(walk, json_array_get(parts, i));
    return TRUE;
}
