/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact-private.h"

#include <string.h>

/*
 * Addresses are leaves of a binary tree, and each of its nodes either swaps its two branches or does not
 * (Xu, Fan, Ammar, Moon: "Prefix-preserving IP address anonymization", 2002). What lies in one subtree lies
 * in one afterwards, and nothing meets. The key says for each node whether it swaps, except:
 *
 *  - a node on the way to a special range never does, so that such a range is its own image, and nothing else
 *    gets into it;
 *  - the last node that may swap always does, so that no address is its own image. The one range of which
 *    every such node is on the way to a special one (169.255/16 beside 169.254/16) swaps one bit further
 *    down; beside ranges of IPv6 that nobody has (0:0:0:1::/64) nothing is done.
 */

typedef struct {
    guint64 prefix;     /* in the upper bits */
    guint from, length; /* which bits of it count, from the front */
    gboolean open;      /* what is inside may change */
} Special;

typedef struct {
    char label;
    guint changed; /* depth of the leaves, as far as the tree is concerned: the bits behind stay */
    const Special *specials;
    gsize count;
} Tree;

static const Special specials4[] = {
    {G_GUINT64_CONSTANT(0x00) << 56, 0, 8, FALSE},
    {G_GUINT64_CONSTANT(0x7f) << 56, 0, 8, FALSE},
    {G_GUINT64_CONSTANT(0xa9fe) << 48, 0, 16, FALSE},
    {G_GUINT64_CONSTANT(0xe0) << 56, 0, 3, FALSE},
};
static const Tree tree4 = {'4', 16, specials4, G_N_ELEMENTS(specials4)};

#define UPPER_ZERO 0                                        /* ::/64 */
#define UPPER_NAT64 (G_GUINT64_CONSTANT(0x0064ff9b) << 32)  /* 64:ff9b::/64 */
#define UPPER_LINK_LOCAL (G_GUINT64_CONSTANT(0xfe80) << 48) /* fe80::/10 */
#define UPPER_MULTICAST (G_GUINT64_CONSTANT(0xff00) << 48)  /* ff00::/8 */

static const Special specials6[] = {
    {UPPER_ZERO, 0, 64, FALSE},
    {UPPER_NAT64, 0, 64, FALSE},
    {UPPER_LINK_LOCAL, 0, 10, FALSE},
    {UPPER_MULTICAST, 0, 8, FALSE},
    {G_GUINT64_CONSTANT(0xfd) << 56, 0, 8, TRUE},
    {G_GUINT64_CONSTANT(0x20) << 56, 0, 3, TRUE},
};
static const Tree tree6 = {'6', 64, specials6, G_N_ELEMENTS(specials6)};

/* Octets 4 and 5 of an interface identifier that was made of a MAC, and the bit that differs (RFC 4291, A).
 */
#define EUI64_MARK 0xfffe
#define EUI64_UNIVERSAL 0x02

/* The low half of an IPv6 address: no number below 65536, and none made of a MAC, may come of another. */
static const Special specials_id[] = {
    {0, 0, 48, FALSE},
    {(guint64)EUI64_MARK << 24, 24, 40, FALSE},
};
static const Tree tree_id = {'i', 48, specials_id, G_N_ELEMENTS(specials_id)};

/* The upper count bits. */
static guint64 upper(guint64 bits, guint count)
{
    return count == 0 ? 0 : bits >> (64 - count) << (64 - count);
}

/* Whether the bits agree with the special ones as far as this depth. */
static gboolean special_agrees(const Special *special, guint64 bits, guint depth)
{
    return upper((bits ^ special->prefix) << special->from, depth - special->from) == 0;
}

/* Whether the node of bits at this depth may not swap. */
static gboolean node_is_fixed(const Tree *tree, guint64 bits, guint depth)
{
    for (gsize i = 0; i < tree->count; i++) {
        const Special *special = &tree->specials[i];

        if (depth < special->from)
            continue;
        if (depth < special->length && special_agrees(special, bits, depth))
            return TRUE;
        if (depth >= special->length && !special->open && special_agrees(special, bits, special->length))
            return TRUE;
    }
    return FALSE;
}

static guint64 bit_at(guint depth)
{
    return G_GUINT64_CONSTANT(1) << (63 - depth);
}

static guint64 tree_map(Redactor *redactor, const Tree *tree, guint64 bits)
{
    guint64 result = bits;

    for (guint depth = 0; depth < tree->changed; depth++) {
        if (node_is_fixed(tree, bits, depth))
            continue;
        if (depth == tree->changed - 1 || redact_random(redactor, tree->label, depth, upper(bits, depth)) & 1)
            result ^= bit_at(depth);
    }
    return result;
}

/* ---------------------------------------------------------------------------------------------- IPv4 */

static void ip4_map(Redactor *redactor, guint8 *bytes)
{
    guint64 bits = (guint64)bytes[0] << 56 | (guint64)bytes[1] << 48 | (guint64)bytes[2] << 40;
    guint64 result = tree_map(redactor, &tree4, bits);

    if (result == bits && !node_is_fixed(&tree4, bits, tree4.changed))
        result ^= bit_at(tree4.changed);
    bytes[0] = (guint8)(result >> 56);
    bytes[1] = (guint8)(result >> 48);
    bytes[2] = (guint8)(result >> 40);
}

/* ---------------------------------------------------------------------------------------------- IPv6 */

static guint64 half_get(const guint8 *bytes)
{
    guint64 half = 0;

    for (guint i = 0; i < 8; i++)
        half = half << 8 | bytes[i];
    return half;
}

static void half_put(guint8 *bytes, guint64 half)
{
    for (guint i = 8; i-- > 0; half >>= 8)
        bytes[i] = (guint8)half;
}

static gboolean id_is_eui64(guint64 id)
{
    return (id >> 24 & 0xffff) == EUI64_MARK;
}

static guint64 eui64_map(Redactor *redactor, guint64 id)
{
    Mac mac = {{(guint8)((id >> 56) ^ EUI64_UNIVERSAL), (guint8)(id >> 48), (guint8)(id >> 40),
                (guint8)(id >> 16), (guint8)(id >> 8), (guint8)id}};
    const guint8 *b = mac.bytes;

    redact_mac(redactor, &mac);
    return (guint64)(b[0] ^ EUI64_UNIVERSAL) << 56 | (guint64)b[1] << 48 | (guint64)b[2] << 40 |
           (guint64)EUI64_MARK << 24 | (guint64)b[3] << 16 | (guint64)b[4] << 8 | (guint64)b[5];
}

static guint64 id_map(Redactor *redactor, guint64 id)
{
    return id_is_eui64(id) ? eui64_map(redactor, id) : tree_map(redactor, &tree_id, id);
}

/* An IPv4 address in the low half: of ::ffff:0:0/96, ::ffff:0:0:0/96, 64:ff9b::/96, ::/96. */
static gboolean holds_ip4(guint64 high, guint64 low)
{
    guint64 front = low >> 32;

    return (high == UPPER_ZERO || high == UPPER_NAT64) &&
           (front == 0 || front == 0xffff || front == 0xffff0000);
}

/*
 * The last 24 bits of ff02::1:ff00:0/104 are those of an address, of a MAC as a rule. Where a network gave a
 * group its prefix (RFC 3306: ff3x:00LL, prefix, group) that prefix is replaced.
 */
static void multicast_map(Redactor *redactor, guint8 *bytes)
{
    static const guint8 solicited[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};
    guint64 tail = (guint64)bytes[13] << 16 | (guint64)bytes[14] << 8 | bytes[15];

    if (memcmp(bytes, solicited, sizeof(solicited)) == 0) {
        tail = redact_permute(redactor, 24, tail);
        bytes[13] = (guint8)(tail >> 16);
        bytes[14] = (guint8)(tail >> 8);
        bytes[15] = (guint8)tail;
    } else if ((bytes[1] & 0xf0) == 0x30) {
        half_put(bytes + 4, tree_map(redactor, &tree6, half_get(bytes + 4)));
    }
}

static void ip6_map(Redactor *redactor, guint8 *bytes)
{
    guint64 high = half_get(bytes);
    guint64 low = half_get(bytes + 8);

    if (bytes[0] == 0xff) {
        multicast_map(redactor, bytes);
    } else if (holds_ip4(high, low)) {
        ip4_map(redactor, bytes + 12);
    } else if (high != UPPER_ZERO && high != UPPER_NAT64) {
        half_put(bytes, tree_map(redactor, &tree6, high));
        half_put(bytes + 8, id_map(redactor, low));
    }
}

/* ------------------------------------------------------------------------------------------- interface */

void redact_ip(Redactor *redactor, Ip *ip)
{
    if (ip->family == 4)
        ip4_map(redactor, ip->bytes);
    else if (ip->family == 6)
        ip6_map(redactor, ip->bytes);
}

void redact_net(Redactor *redactor, IpNet *net)
{
    IpNet network = ipnet_network(net);
    gboolean is_network = ip_equal(&network.ip, &net->ip);

    redact_ip(redactor, &net->ip);
    if (is_network)
        *net = ipnet_network(net);
}

void redact_range(Redactor *redactor, Ip *first, Ip *last)
{
    gboolean ordered = ip_compare(first, last) <= 0;

    redact_ip(redactor, first);
    redact_ip(redactor, last);
    if (first->family == last->family && ordered != (ip_compare(first, last) <= 0)) {
        Ip swapped = *first;

        *first = *last;
        *last = swapped;
    }
}
