/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact.h"
#include "world.h"

#include <string.h>

/* Addresses, MACs, UUIDs, ids: properties that hold under every key, tried with random inputs. */

#define TRIES 2000

static const guint8 fixed_key[REDACT_KEY_BYTES + 1] = "a key that is the same each time";

/* A key of the test's seed: another in each run, and to be had again with --seed. */
static Redactor *random_redactor(void)
{
    guint8 key[REDACT_KEY_BYTES];

    for (gsize i = 0; i < sizeof(key); i++)
        key[i] = (guint8)g_test_rand_int_range(0, 256);
    return redactor_new(key);
}

static void random_bytes(guint8 *bytes, gsize count)
{
    for (gsize i = 0; i < count; i++)
        bytes[i] = (guint8)g_test_rand_int_range(0, 256);
}

/* ------------------------------------------------------------------------------------------- MACs */

static char *mac_of(Redactor *redactor, const char *text)
{
    Mac mac = world_mac_of(text);

    redact_mac(redactor, &mac);
    return mac_to_string(&mac);
}

static void test_mac_stays(void)
{
    static const char *const same[] = {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb",
                                       "33:33:00:00:00:01", "01:80:c2:00:00:0e"};
    g_autoptr(Redactor) redactor = random_redactor();

    for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *result = mac_of(redactor, same[i]);

        g_assert_cmpstr(result, ==, same[i]);
    }
}

static void test_mac_of_tap(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        Mac guest = {{0x52, 0x54, 0x00}};
        Mac tap;

        random_bytes(guest.bytes + 3, 3);
        tap = guest;
        tap.bytes[0] = 0xfe;
        redact_mac(redactor, &guest);
        redact_mac(redactor, &tap);
        g_assert_cmpmem(guest.bytes, 3, "\x52\x54\x00", 3);
        g_assert_cmphex(tap.bytes[0], ==, 0xfe);
        g_assert_cmpmem(guest.bytes + 1, 5, tap.bytes + 1, 5);
    }
}

static void test_mac_one_to_one(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < TRIES; i++) {
        Mac before, after;
        char *text;
        const char *other;

        random_bytes(before.bytes, sizeof(before.bytes));
        before.bytes[0] = 0x52;
        /* Near to one another, and some of QEMU's. */
        before.bytes[3] = 0;
        if (i % 2)
            memcpy(before.bytes + 1, "\x54\x00", 2);
        after = before;
        redact_mac(redactor, &after);
        g_assert_true(memcmp(before.bytes + 3, after.bytes + 3, 3) != 0);
        g_assert_true((memcmp(before.bytes + 1, "\x54\x00", 2) == 0) ==
                      (memcmp(after.bytes + 1, "\x54\x00", 2) == 0));
        text = mac_to_string(&after);
        other = g_hash_table_lookup(seen, text);
        if (other) {
            char again[MAC_TEXT];

            g_assert_cmpstr(other, ==, mac_format(&before, again));
        }
        g_hash_table_insert(seen, text, mac_to_string(&before));
    }
}

/* All values of octets 2 and 3: a permutation, QEMU's the only fixed point. */
static void test_mac_vendors(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree guint8 *seen = g_new0(guint8, 65536);

    for (guint i = 0; i < 65536; i++) {
        Mac mac = {{0x02, (guint8)(i >> 8), (guint8)i, 1, 2, 3}};
        guint result;

        redact_mac(redactor, &mac);
        result = (guint)mac.bytes[1] << 8 | mac.bytes[2];
        g_assert_cmpuint(seen[result], ==, 0);
        seen[result] = 1;
        g_assert_true((result == i) == (i == 0x5400));
    }
}

static void test_mac_solicited(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    g_autofree char *mac = mac_of(redactor, "52:54:00:12:34:56");
    g_autofree char *group = mac_of(redactor, "33:33:ff:12:34:56");
    Ip ip = world_ip_of("ff02::1:ff12:3456");
    g_autofree char *text = NULL;

    g_assert_cmpstr(group + strlen("33:33:ff"), ==, mac + strlen("52:54:00"));
    g_assert_true(g_str_has_prefix(group, "33:33:ff:"));
    redact_ip(redactor, &ip);
    text = g_strdup_printf("33:33:ff:%02x:%02x:%02x", ip.bytes[13], ip.bytes[14], ip.bytes[15]);
    g_assert_cmpstr(text, ==, group);
}

static void test_bridge_id(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    Mac mac = world_mac_of("52:54:00:a6:b8:6a");
    guint8 id[8] = {0x80, 0x00};

    memcpy(id + 2, mac.bytes, sizeof(mac.bytes));
    redact_bridge_id(redactor, id);
    redact_mac(redactor, &mac);
    g_assert_cmpmem(id, 2, "\x80\x00", 2);
    g_assert_cmpmem(id + 2, 6, mac.bytes, 6);
}

/* -------------------------------------------------------------------------------------- addresses */

static Ip mapped(Redactor *redactor, Ip ip)
{
    redact_ip(redactor, &ip);
    return ip;
}

static void assert_ip(Redactor *redactor, const char *before, const char *after)
{
    Ip ip = mapped(redactor, world_ip_of(before));
    char text[IP_TEXT];

    g_assert_cmpstr(ip_format(&ip, text), ==, after);
}

static void test_ip_special(void)
{
    static const char *const same[] = {
        "0.0.0.0",         "0.1.2.3",     "127.0.0.1",     "127.255.0.1",    "169.254.0.1",
        "169.254.169.254", "224.0.0.251", "239.255.255.1", "240.0.0.1",      "255.255.255.0",
        "255.255.255.255", "::",          "::1",           "fe80::1",        "fe80::ffff",
        "ff02::fb",        "ff05::1:3",   "ff02::1",       "::ffff:0.0.0.0", "::ffff:127.0.0.1",
        "64:ff9b::"};

    for (guint key = 0; key < 20; key++) {
        g_autoptr(Redactor) redactor = random_redactor();

        for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
            assert_ip(redactor, same[i], same[i]);
    }
}

static gboolean ip4_is_special(const Ip *ip)
{
    return ip->bytes[0] == 0 || ip->bytes[0] == 127 || ip->bytes[0] >= 224 || ip_is_link_local(ip);
}

static Ip random_ip4(void)
{
    Ip ip = {.family = 4};

    random_bytes(ip.bytes, 4);
    return ip;
}

/* All 65,536 of the first two octets: one to one, none to itself, none into a special range. */
static void test_ip4_all(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    g_autofree guint8 *seen = g_new0(guint8, 65536);

    for (guint i = 0; i < 65536; i++) {
        Ip before = {.family = 4, .bytes = {(guint8)(i >> 8), (guint8)i, 17, 4}};
        Ip after = mapped(redactor, before);
        guint result = (guint)after.bytes[0] << 8 | after.bytes[1];

        g_assert_cmpuint(seen[result], ==, 0);
        seen[result] = 1;
        g_assert_true(ip4_is_special(&before) == ip4_is_special(&after));
        g_assert_true(ip4_is_special(&before) == ip_equal(&before, &after));
    }
}

static guint common_prefix(const Ip *a, const Ip *b)
{
    guint bits = 0;

    while (bits < ip_bits(a) && !((a->bytes[bits / 8] ^ b->bytes[bits / 8]) & (0x80 >> (bits % 8))))
        bits++;
    return bits;
}

/* A random address that shares so many bits with ip, and not the next. */
static Ip relative(const Ip *ip, guint shared)
{
    Ip other = {.family = ip->family};

    random_bytes(other.bytes, ip_bits(ip) / 8);
    for (guint bit = 0; bit <= shared && bit < ip_bits(ip); bit++) {
        guint8 mask = (guint8)(0x80 >> (bit % 8));

        other.bytes[bit / 8] = (guint8)((other.bytes[bit / 8] & ~mask) | (ip->bytes[bit / 8] & mask));
        if (bit == shared)
            other.bytes[bit / 8] ^= mask;
    }
    return other;
}

static void test_ip4_prefixes(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        Ip a = random_ip4();
        Ip b = relative(&a, i % 33);
        Ip a_after = mapped(redactor, a);
        Ip b_after = mapped(redactor, b);

        /* The last 16 bits of 169.255/16 do not all stay. */
        if (a.bytes[0] == 169 || b.bytes[0] == 169)
            continue;
        g_assert_cmpuint(common_prefix(&a, &b), ==, common_prefix(&a_after, &b_after));
        if (common_prefix(&a, &b) >= 16)
            g_assert_cmpint(ip_compare(&a, &b) < 0, ==, ip_compare(&a_after, &b_after) < 0);
        g_assert_cmpmem(a.bytes + 2, 2, a_after.bytes + 2, 2);
    }
}

static Ip random_ip6(const char *like)
{
    Ip ip = world_ip_of(like);

    random_bytes(ip.bytes + 1, 15);
    return ip;
}

static gboolean is_of_mac(const Ip *ip)
{
    return ip->bytes[11] == 0xff && ip->bytes[12] == 0xfe;
}

/* An interface identifier that is neither small nor of a MAC shares its first bits with its like. */
static void test_ip6_prefixes(void)
{
    static const char *const kinds[] = {"2001:db8::", "fd00::", "fc00::"};
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        Ip a = random_ip6(kinds[i % G_N_ELEMENTS(kinds)]);
        Ip b = relative(&a, i % 128);
        Ip a_after, b_after;

        if (b.bytes[0] != a.bytes[0] || is_of_mac(&a) || is_of_mac(&b))
            continue;
        a_after = mapped(redactor, a);
        b_after = mapped(redactor, b);
        g_assert_false(ip_equal(&a, &a_after));
        g_assert_cmpuint(common_prefix(&a, &b), ==, common_prefix(&a_after, &b_after));
        if (common_prefix(&a, &b) >= 112)
            g_assert_cmpint(ip_compare(&a, &b) < 0, ==, ip_compare(&a_after, &b_after) < 0);
    }
}

static void test_ip6_kinds(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        Ip global = mapped(redactor, random_ip6("2001::"));
        Ip local = mapped(redactor, random_ip6("fd00::"));
        Ip link = random_ip6("fe80::");

        link.bytes[1] = 0x80;
        memset(link.bytes + 2, 0, 6);
        link = mapped(redactor, link);
        g_assert_cmphex(global.bytes[0] & 0xe0, ==, 0x20);
        g_assert_cmphex(local.bytes[0], ==, 0xfd);
        g_assert_cmpmem(link.bytes, 8, "\xfe\x80\0\0\0\0\0", 8);
    }
}

static Ip eui64_of(const Mac *mac, const char *prefix)
{
    Ip ip = world_ip_of(prefix);

    memcpy(ip.bytes + 8, mac->bytes, 3);
    memcpy(ip.bytes + 13, mac->bytes + 3, 3);
    ip.bytes[8] ^= 2;
    ip.bytes[11] = 0xff;
    ip.bytes[12] = 0xfe;
    return ip;
}

static void test_ip6_of_mac(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        Mac mac = {{0x52, 0x54, 0x00}};
        Ip ip, expected;

        random_bytes(mac.bytes + (i % 2 ? 1 : 3), i % 2 ? 5 : 3);
        ip = mapped(redactor, eui64_of(&mac, "fe80::"));
        redact_mac(redactor, &mac);
        expected = eui64_of(&mac, "fe80::");
        g_assert_true(ip_equal(&ip, &expected));
    }
}

static gboolean id_is_eui64(const Ip *ip)
{
    return ip->bytes[11] == 0xff && ip->bytes[12] == 0xfe;
}

/* Identifiers stay among their own: small, of a MAC, any other. */
static void test_ip6_identifiers(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        Ip before = world_ip_of("fe80::");
        Ip after;

        for (guint byte = 8; byte < 16; byte++)
            before.bytes[byte] = (guint8)(g_test_rand_int_range(0, 3) ? 0 : g_test_rand_int_range(0, 256));
        if (i % 3 == 0)
            memcpy(before.bytes + 10, i % 2 ? "\x00\xff\xfe\x00" : "\x00\xff\xff\x00", 4);
        after = mapped(redactor, before);
        g_assert_true(id_is_eui64(&before) == id_is_eui64(&after));
        g_assert_true((memcmp(before.bytes + 8, "\0\0\0\0\0\0", 6) == 0) ==
                      (memcmp(after.bytes + 8, "\0\0\0\0\0\0", 6) == 0));
    }
}

/* Of all that differ in 16 bits, one is special, and only it becomes so. */
static void test_ip6_special_identifiers(void)
{
    static const struct {
        const char *like;
        guint at;
        guint special;
    } cases[] = {{"fe80::1:2:3:4", 11, 0xfffe}, {"fe80::5", 12, 0}, {"fe80::7:8:0:5", 11, 0xfffe}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Redactor) redactor = random_redactor();
        Ip ip = world_ip_of(cases[i].like);
        guint8 *bytes = ip.bytes + cases[i].at;

        for (guint value = 0; value < 65536; value++) {
            guint result;
            Ip after;

            bytes[0] = (guint8)(value >> 8);
            bytes[1] = (guint8)value;
            after = mapped(redactor, ip);
            result = (guint)after.bytes[cases[i].at] << 8 | after.bytes[cases[i].at + 1];
            g_assert_true((result == cases[i].special) == (value == cases[i].special));
        }
    }
}

static void test_ip6_one_to_one(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    g_autoptr(GHashTable) images = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < TRIES; i++) {
        Ip before = world_ip_of(i % 2 ? "2001:db8::" : "fe80::");
        Ip after;
        char *image;
        const char *other;

        /* Close to one another, so that a meeting would show. */
        before.bytes[7] = (guint8)g_test_rand_int_range(0, 4);
        before.bytes[8] = (guint8)g_test_rand_int_range(0, 4);
        before.bytes[11] = (guint8)g_test_rand_int_range(0xfe, 0x100);
        before.bytes[12] = (guint8)g_test_rand_int_range(0xfd, 0x100);
        before.bytes[13] = (guint8)g_test_rand_int_range(0, 3);
        if (i % 2 == 0)
            before.bytes[7] = 0;
        after = mapped(redactor, before);
        image = ip_to_string(&after);
        other = g_hash_table_lookup(images, image);
        if (other) {
            char again[IP_TEXT];

            g_assert_cmpstr(other, ==, ip_format(&before, again));
        }
        g_hash_table_insert(images, image, ip_to_string(&before));
    }
}

static void test_ip6_holds_ip4(void)
{
    static const char *const fronts[] = {"::ffff:", "64:ff9b::", "::ffff:0:", "::"};
    g_autoptr(Redactor) redactor = random_redactor();
    Ip inner = mapped(redactor, world_ip_of("192.168.122.7"));

    for (gsize i = 0; i < G_N_ELEMENTS(fronts); i++) {
        g_autofree char *text = g_strconcat(fronts[i], "192.168.122.7", NULL);
        Ip before = world_ip_of(text);
        Ip after = mapped(redactor, before);

        g_assert_cmpmem(after.bytes, 12, before.bytes, 12);
        g_assert_cmpmem(after.bytes + 12, 4, inner.bytes, 4);
    }
}

/* A group that holds its network's prefix (RFC 3306). */
static void test_ip6_group(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    Ip network = mapped(redactor, world_ip_of("2001:db8:1:2::"));
    Ip group = mapped(redactor, world_ip_of("ff3e:40:2001:db8:1:2:0:1"));

    g_assert_cmpmem(group.bytes, 4, "\xff\x3e\x00\x40", 4);
    g_assert_cmpmem(group.bytes + 4, 8, network.bytes, 8);
    g_assert_cmpmem(group.bytes + 12, 4, "\0\0\0\1", 4);
}

/* --------------------------------------------------------------------------------------- networks */

static IpNet net_mapped(Redactor *redactor, IpNet net)
{
    redact_net(redactor, &net);
    return net;
}

static void test_nets(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (guint i = 0; i < TRIES; i++) {
        IpNet network = {.ip = i % 2 ? random_ip4() : random_ip6("fd00::"), .prefix = (guint8)(i % 33)};
        IpNet host;
        IpNet after, canonical;

        if (i % 2 == 0)
            network.prefix = (guint8)(8 + i % 105);
        if (i % 2 && network.ip.bytes[0] == 169)
            continue;
        host = network;
        network = ipnet_network(&network);
        after = net_mapped(redactor, network);
        canonical = ipnet_network(&after);
        g_assert_true(ip_equal(&after.ip, &canonical.ip));
        g_assert_cmpuint(after.prefix, ==, network.prefix);
        if (i % 2 == 0 && id_is_eui64(&host.ip))
            continue;
        redact_ip(redactor, &host.ip);
        g_assert_true(ipnet_contains(&after, &host.ip));
    }
}

/* An address with its prefix is the same address. */
static void test_net_of_host(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    IpNet net = net_mapped(redactor, world_net_of("10.20.30.40/8"));
    Ip ip = mapped(redactor, world_ip_of("10.20.30.40"));

    g_assert_true(ip_equal(&net.ip, &ip));
    g_assert_cmpuint(net.prefix, ==, 8);
}

static void test_default_routes(void)
{
    static const char *const same[] = {"0.0.0.0/0", "0.0.0.0/1",     "128.0.0.0/1", "::/0",
                                       "::/1",      "2000::/3",      "224.0.0.0/4", "fe80::/64",
                                       "ff00::/8",  "169.254.0.0/16"};
    g_autoptr(Redactor) redactor = random_redactor();

    for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
        IpNet net = net_mapped(redactor, world_net_of(same[i]));
        g_autofree char *text = ipnet_to_string(&net);

        g_assert_cmpstr(text, ==, same[i]);
    }
}

static void test_ranges(void)
{
    for (guint i = 0; i < 50; i++) {
        g_autoptr(Redactor) redactor = random_redactor();
        Ip first = world_ip_of("10.0.0.2");
        Ip last = world_ip_of("10.200.0.254");
        Ip up = world_ip_of("192.168.122.2");
        Ip down = world_ip_of("192.168.122.1");

        redact_range(redactor, &first, &last);
        g_assert_cmpint(ip_compare(&first, &last), <, 0);
        redact_range(redactor, &up, &down);
        g_assert_cmpuint(up.bytes[3], ==, 2);
        g_assert_cmpuint(down.bytes[3], ==, 1);
    }
}

/* ------------------------------------------------------------------------------------------- ids */

static void test_uuids(void)
{
    static const char uuid[] = "fd737899-1521-4395-95a4-1f74c57e93ba";
    g_autoptr(Redactor) redactor = random_redactor();
    g_autofree char *once = redact_uuid(redactor, uuid);
    g_autofree char *upper = g_ascii_strup(uuid, -1);
    g_autofree char *again = redact_uuid(redactor, upper);
    g_autofree char *none = redact_uuid(redactor, "");
    g_autofree char *nil = redact_uuid(redactor, "00000000-0000-0000-0000-000000000000");
    g_autofree char *odd = redact_uuid(redactor, "no uuid\n");
    g_autofree char *odd_again = redact_uuid(redactor, "no uuid\n");

    g_assert_true(g_uuid_string_is_valid(once));
    g_assert_cmpstr(once, !=, uuid);
    g_assert_cmpstr(once, ==, again);
    /* Version and variant. */
    g_assert_true(once[14] == '4');
    g_assert_nonnull(strchr("89ab", once[19]));
    g_assert_cmpstr(none, ==, "");
    g_assert_null(redact_uuid(redactor, NULL));
    g_assert_cmpstr(nil, ==, "00000000-0000-0000-0000-000000000000");
    g_assert_true(g_uuid_string_is_valid(odd));
    g_assert_cmpstr(odd, ==, odd_again);
}

typedef struct {
    const char *id;
    gsize kept;       /* characters in front that stay */
    const char *mac;  /* at the end, as its replacement; NULL: none */
    const char *uuid; /* likewise, its digits as octets */
} ClientCase;

static const ClientCase client_cases[] = {
    {"01:52:54:00:11:11:04", 3, "52:54:00:11:11:04", NULL},
    {"00:01:00:01:2d:0c:1f:b4:52:54:00:11:11:04", 12, "52:54:00:11:11:04", NULL},
    {"00:03:00:01:52:54:00:11:11:04", 12, "52:54:00:11:11:04", NULL},
    {"00:04:fd:73:78:99:15:21:43:95:95:a4:1f:74:c5:7e:93:ba", 6, NULL,
     "fd737899-1521-4395-95a4-1f74c57e93ba"},
    {"00:02:00:00:ab:11:9d:46:8e:12:aa:bb:cc:dd", 18, NULL, NULL},
    {"ff:00:11:11:04:00:01:00:01:2d:0c:1f:b4:52:54:00:11:11:04", 3, "52:54:00:11:11:04", NULL},
    {"00:67:75:65:73:74:2d:6f:66:2d:6d:69:6e:65", 3, NULL, NULL},
    {"ff:aa", 3, NULL, NULL},
    {"00:01", 3, NULL, NULL},
};

static void test_client_ids(void)
{
    g_autoptr(Redactor) redactor = random_redactor();

    for (gsize i = 0; i < G_N_ELEMENTS(client_cases); i++) {
        const ClientCase *known = &client_cases[i];
        g_autofree char *id = redact_client_id(redactor, known->id);
        g_autofree char *again = redact_client_id(redactor, known->id);

        g_assert_cmpstr(id, ==, again);
        g_assert_cmpstr(id, !=, known->id);
        g_assert_cmpuint(strlen(id), ==, strlen(known->id));
        g_assert_true(strncmp(id, known->id, known->kept) == 0);
        if (known->mac) {
            g_autofree char *mac = mac_of(redactor, known->mac);

            g_assert_true(g_str_has_suffix(id, mac));
        }
        if (known->uuid) {
            g_autofree char *uuid = redact_uuid(redactor, known->uuid);
            g_auto(GStrv) octets = g_strsplit(id + known->kept, ":", -1);
            g_autofree char *digits = g_strjoinv("", octets);
            g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
            g_autofree char *expected = g_strjoinv("", parts);

            g_assert_cmpstr(digits, ==, expected);
        }
    }
}

static void test_client_ids_odd(void)
{
    g_autoptr(Redactor) redactor = random_redactor();
    g_autofree char *star = redact_client_id(redactor, "*");
    g_autofree char *hostile = redact_client_id(redactor, "\x1b[31m\xff:");
    g_autofree char *half = redact_client_id(redactor, "01:5");
    g_autofree char *iaid = redact_client_id(redactor, "1118468");
    g_autofree char *iaid_again = redact_client_id(redactor, "1118468");
    g_autofree char *temporary = redact_client_id(redactor, "T1118468");

    g_assert_cmpstr(star, ==, "*");
    g_assert_cmpstr(hostile, ==, "client-1");
    g_assert_cmpstr(half, ==, "client-2");
    g_assert_null(redact_client_id(redactor, NULL));
    g_assert_cmpstr(iaid, !=, "1118468");
    g_assert_cmpstr(iaid, ==, iaid_again);
    g_assert_true(g_ascii_string_to_unsigned(iaid, 10, 0, G_MAXUINT32, NULL, NULL));
    g_assert_true(temporary[0] == 'T');
    g_assert_cmpstr(temporary + 1, ==, iaid);
}

/* -------------------------------------------------------------------------------------------- keys */

/* One line of everything, under a key. */
static char *sample(const guint8 *key)
{
    g_autoptr(Redactor) redactor = redactor_new(key);
    g_autofree char *mac = mac_of(redactor, "52:54:00:12:34:56");
    g_autofree char *uuid = redact_uuid(redactor, "fd737899-1521-4395-95a4-1f74c57e93ba");
    Ip ip4 = mapped(redactor, world_ip_of("192.168.122.1"));
    Ip ip6 = mapped(redactor, world_ip_of("2001:db8:1::7"));
    char text4[IP_TEXT], text6[IP_TEXT];

    return g_strdup_printf("%s %s %s %s", mac, uuid, ip_format(&ip4, text4), ip_format(&ip6, text6));
}

/* The same key gives the same result, in every version: recorded. */
static void test_fixed_key(void)
{
    g_autofree char *text = sample(fixed_key);

    g_assert_cmpstr(
        text, ==,
        "52:54:00:ec:ef:de 2d6f89dd-a9e3-4489-9b5e-76bc64620796 201.47.122.1 3731:2334:1bd1:5c9f::7");
}

static void test_random_keys(void)
{
    g_autofree char *one = sample(NULL);
    g_autofree char *two = sample(NULL);

    g_assert_cmpstr(one, !=, two);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redact/mac/stays", test_mac_stays);
    g_test_add_func("/redact/mac/tap", test_mac_of_tap);
    g_test_add_func("/redact/mac/one-to-one", test_mac_one_to_one);
    g_test_add_func("/redact/mac/vendors", test_mac_vendors);
    g_test_add_func("/redact/mac/solicited", test_mac_solicited);
    g_test_add_func("/redact/mac/bridge-id", test_bridge_id);
    g_test_add_func("/redact/ip/special", test_ip_special);
    g_test_add_func("/redact/ip4/all", test_ip4_all);
    g_test_add_func("/redact/ip4/prefixes", test_ip4_prefixes);
    g_test_add_func("/redact/ip6/prefixes", test_ip6_prefixes);
    g_test_add_func("/redact/ip6/kinds", test_ip6_kinds);
    g_test_add_func("/redact/ip6/of-mac", test_ip6_of_mac);
    g_test_add_func("/redact/ip6/identifiers", test_ip6_identifiers);
    g_test_add_func("/redact/ip6/special-identifiers", test_ip6_special_identifiers);
    g_test_add_func("/redact/ip6/one-to-one", test_ip6_one_to_one);
    g_test_add_func("/redact/ip6/holds-ip4", test_ip6_holds_ip4);
    g_test_add_func("/redact/ip6/group", test_ip6_group);
    g_test_add_func("/redact/net/contains", test_nets);
    g_test_add_func("/redact/net/host", test_net_of_host);
    g_test_add_func("/redact/net/default", test_default_routes);
    g_test_add_func("/redact/range", test_ranges);
    g_test_add_func("/redact/uuid", test_uuids);
    g_test_add_func("/redact/client-id", test_client_ids);
    g_test_add_func("/redact/client-id/odd", test_client_ids_odd);
    g_test_add_func("/redact/key/fixed", test_fixed_key);
    g_test_add_func("/redact/key/random", test_random_keys);
    return g_test_run();
}
