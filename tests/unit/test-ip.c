/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ip.h"

#include <string.h>

static Ip ip_of(const char *text)
{
    Ip ip;

    g_assert_true(ip_parse(text, &ip));
    return ip;
}

static IpNet net_of(const char *text)
{
    IpNet net;

    g_assert_true(ipnet_parse(text, &net));
    return net;
}

static void assert_ip(const Ip *ip, const char *expected)
{
    g_autofree char *text = ip_to_string(ip);

    g_assert_cmpstr(text, ==, expected);
}

static void test_parse(void)
{
    static const char *const wrong[] = {"",         "1.2.3",    "1.2.3.4.5", "1.2.3.256",
                                        "01.2.3.4", " 1.2.3.4", "1.2.3.4 ",  "1.2.3.4/8",
                                        "::1%lo",   ":::",      "1:2",       "0x7f.1"};
    Ip ip;

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(ip_parse(wrong[i], &ip));
        g_assert_cmpuint(ip.family, ==, 0);
    }
    g_assert_false(ip_parse(NULL, &ip));
    ip = ip_of("192.168.122.1");
    g_assert_cmpuint(ip.family, ==, 4);
    g_assert_cmpuint(ip_bits(&ip), ==, 32);
    assert_ip(&ip, "192.168.122.1");
    ip = ip_of("FD00:0:0::1");
    g_assert_cmpuint(ip.family, ==, 6);
    g_assert_cmpuint(ip_bits(&ip), ==, 128);
    assert_ip(&ip, "fd00::1");
    ip = (Ip){0};
    assert_ip(&ip, "");
    g_assert_cmpuint(ip_bits(&ip), ==, 0);
}

static void test_from_bytes(void)
{
    static const guint8 bytes[17] = {10, 1, 2, 3};
    Ip ip;

    g_assert_true(ip_from_bytes(bytes, 4, &ip));
    assert_ip(&ip, "10.1.2.3");
    g_assert_true(ip_from_bytes(bytes, 16, &ip));
    assert_ip(&ip, "a01:203::");
    for (gsize length = 0; length < sizeof(bytes); length++)
        g_assert_cmpint(ip_from_bytes(bytes, length, &ip), ==, length == 4 || length == 16);
}

static void test_compare(void)
{
    static const char *const ascending[] = {
        "0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "fe80::1"};

    for (gsize i = 0; i < G_N_ELEMENTS(ascending); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(ascending); j++) {
            Ip a = ip_of(ascending[i]);
            Ip b = ip_of(ascending[j]);

            g_assert_cmpint(ip_compare(&a, &b) < 0, ==, i < j);
            g_assert_cmpint(ip_equal(&a, &b), ==, i == j);
        }
    }
}

enum { LINK_LOCAL = 1, MULTICAST = 2, LOOPBACK = 4, UNSPECIFIED = 8 };

static void test_kinds(void)
{
    static const struct {
        const char *text;
        guint kinds;
    } cases[] = {
        {"169.254.0.1", LINK_LOCAL},
        {"169.253.0.1", 0},
        {"169.255.0.1", 0},
        {"254.169.0.1", 0},
        {"fe80::1", LINK_LOCAL},
        {"febf::1", LINK_LOCAL},
        {"fec0::1", 0},
        {"fe7f::1", 0},
        {"224.0.0.1", MULTICAST},
        {"239.1.1.1", MULTICAST},
        {"223.0.0.1", 0},
        {"240.0.0.1", 0},
        {"ff02::1", MULTICAST},
        {"feff::1", 0},
        {"127.0.0.1", LOOPBACK},
        {"127.9.9.9", LOOPBACK},
        {"128.0.0.1", 0},
        {"::1", LOOPBACK},
        {"::2", 0},
        {"1::1", 0},
        {"0.0.0.0", UNSPECIFIED},
        {"::", UNSPECIFIED},
        {"0.0.0.1", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Ip ip = ip_of(cases[i].text);
        guint kinds = (ip_is_link_local(&ip) ? LINK_LOCAL : 0) | (ip_is_multicast(&ip) ? MULTICAST : 0) |
                      (ip_is_loopback(&ip) ? LOOPBACK : 0) | (ip_is_unspecified(&ip) ? UNSPECIFIED : 0);

        if (kinds != cases[i].kinds)
            g_error("%s: %x", cases[i].text, kinds);
    }
}

static void assert_add(const char *text, gint64 n, const char *expected)
{
    Ip ip = ip_of(text);
    Ip result;

    g_assert_cmpint(ip_add(&ip, n, &result), ==, expected != NULL);
    if (expected)
        assert_ip(&result, expected);
}

/* An address that is none is of no kind, whatever its bytes, and has no neighbours. */
static void test_none(void)
{
    Ip link_local = ip_of("fe80::1"), multicast = ip_of("ff02::1"), loopback = ip_of("::1"), result;

    link_local.family = multicast.family = loopback.family = 0;
    g_assert_false(ip_is_link_local(&link_local));
    g_assert_false(ip_is_multicast(&multicast));
    g_assert_false(ip_is_loopback(&loopback));
    g_assert_false(ip_add(&loopback, 0, &result));
}

static void test_add(void)
{
    assert_add("10.0.0.1", 0, "10.0.0.1");
    assert_add("10.0.0.255", 1, "10.0.1.0");
    assert_add("10.0.1.0", -1, "10.0.0.255");
    assert_add("10.0.0.0", -65537, "9.254.255.255");
    assert_add("0.0.0.0", G_MAXUINT32, "255.255.255.255");
    assert_add("0.0.0.1", G_MAXUINT32, NULL);
    assert_add("0.0.0.0", -1, NULL);
    assert_add("255.255.255.255", 1, NULL);
    assert_add("10.0.0.0", G_GINT64_CONSTANT(1) << 40, NULL);
    assert_add("10.0.0.0", G_MININT64, NULL);
    assert_add("fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::");
    assert_add("fd00:0:0:1::", -1, "fd00::ffff:ffff:ffff:ffff");
    assert_add("::", G_MAXINT64, "::7fff:ffff:ffff:ffff");
    assert_add("::1:0:0:0:0", G_MININT64, "::8000:0:0:0");
    assert_add("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL);
}

static void test_net_parse(void)
{
    static const char *const wrong[] = {"10.0.0.0",     "10.0.0.0/",   "10.0.0.0/33", "10.0.0.0/-1",
                                        "10.0.0.0/ 8",  "10.0.0.0/+8", "/8",          "fd00::/129",
                                        "10.0.0.0/8/8", "10.0.0.0/8 "};
    g_autofree char *text = NULL;
    IpNet net;

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        if (ipnet_parse(wrong[i], &net))
            g_error("'%s' was taken", wrong[i]);
    }
    g_assert_false(ipnet_parse(NULL, &net));
    net = net_of("10.1.2.3/8");
    text = ipnet_to_string(&net);
    g_assert_cmpstr(text, ==, "10.1.2.3/8");
    g_assert_cmpuint(net_of("::/128").prefix, ==, 128);
    g_assert_cmpuint(net_of("0.0.0.0/0").prefix, ==, 0);
}

static void assert_from_xml(const char *address, const char *netmask, const char *prefix, gint expected)
{
    IpNet net;
    gboolean ok = ipnet_from_xml(address, netmask, prefix, &net);

    g_assert_cmpint(ok ? net.prefix : -1, ==, expected);
}

static void test_net_from_xml(void)
{
    assert_from_xml("192.168.122.1", "255.255.255.0", NULL, 24);
    assert_from_xml("192.168.122.1", "0.0.0.0", NULL, 0);
    assert_from_xml("192.168.122.1", "255.255.255.255", NULL, 32);
    assert_from_xml("192.168.122.1", "255.255.254.0", NULL, 23);
    assert_from_xml("192.168.122.1", "255.0.255.0", NULL, -1);
    assert_from_xml("192.168.122.1", "255.255.255.1", NULL, -1);
    assert_from_xml("192.168.122.1", "0.0.0.255", NULL, -1);
    assert_from_xml("192.168.122.1", "ffff::", NULL, -1);
    assert_from_xml("192.168.122.1", "24", NULL, -1);
    assert_from_xml("192.168.122.1", NULL, "28", 28);
    assert_from_xml("192.168.122.1", "255.255.0.0", "28", 28);
    assert_from_xml("192.168.122.1", NULL, "33", -1);
    assert_from_xml("192.168.122.1", NULL, "", -1);
    assert_from_xml("10.0.0.1", NULL, NULL, 8);
    assert_from_xml("127.255.0.1", NULL, NULL, 8);
    assert_from_xml("128.0.0.1", NULL, NULL, 16);
    assert_from_xml("191.255.0.1", NULL, NULL, 16);
    assert_from_xml("192.0.0.1", NULL, NULL, 24);
    assert_from_xml("fd00::1", NULL, NULL, 64);
    assert_from_xml("fd00::1", NULL, "120", 120);
    assert_from_xml("fd00::1", NULL, "129", -1);
    assert_from_xml("fd00::1", "255.255.255.0", NULL, -1);
    assert_from_xml("nonsense", NULL, "8", -1);
    assert_from_xml(NULL, NULL, "8", -1);
}

static void assert_ends(const char *text, const char *network, const char *last, const char *mask)
{
    IpNet net = net_of(text);
    IpNet start = ipnet_network(&net);
    Ip end = ipnet_last(&net);
    Ip bits = ipnet_mask(&net);

    assert_ip(&start.ip, network);
    g_assert_cmpuint(start.prefix, ==, net.prefix);
    assert_ip(&end, last);
    assert_ip(&bits, mask);
}

static void test_net_ends(void)
{
    assert_ends("192.168.122.77/24", "192.168.122.0", "192.168.122.255", "255.255.255.0");
    assert_ends("192.168.123.77/23", "192.168.122.0", "192.168.123.255", "255.255.254.0");
    assert_ends("10.1.2.3/0", "0.0.0.0", "255.255.255.255", "0.0.0.0");
    assert_ends("10.1.2.3/32", "10.1.2.3", "10.1.2.3", "255.255.255.255");
    assert_ends("10.1.2.3/31", "10.1.2.2", "10.1.2.3", "255.255.255.254");
    assert_ends("200.1.2.3/1", "128.0.0.0", "255.255.255.255", "128.0.0.0");
    assert_ends("fd00:1:2:3:4::5/65", "fd00:1:2:3::", "fd00:1:2:3:7fff:ffff:ffff:ffff",
                "ffff:ffff:ffff:ffff:8000::");
}

static void test_net_relations(void)
{
    static const struct {
        const char *a, *b;
        gboolean covers, overlaps;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8", TRUE, TRUE},     {"10.0.0.0/8", "10.255.0.0/16", TRUE, TRUE},
        {"10.255.0.0/16", "10.0.0.0/8", FALSE, TRUE}, {"10.0.0.0/9", "10.128.0.0/9", FALSE, FALSE},
        {"0.0.0.0/0", "10.0.0.0/8", TRUE, TRUE},      {"0.0.0.0/0", "::/0", FALSE, FALSE},
        {"::/0", "10.0.0.0/8", FALSE, FALSE},         {"10.0.0.0/31", "10.0.0.1/32", TRUE, TRUE},
        {"10.0.0.0/31", "10.0.0.2/32", FALSE, FALSE}, {"10.0.0.7/24", "10.0.0.99/24", TRUE, TRUE},
        {"fd00::/64", "fd00::1/128", TRUE, TRUE},     {"fd00::/64", "fd00:0:0:1::/64", FALSE, FALSE},
        {"fd00::/63", "fd00:0:0:1::/64", TRUE, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        IpNet a = net_of(cases[i].a);
        IpNet b = net_of(cases[i].b);

        if (ipnet_covers(&a, &b) != cases[i].covers || ipnet_overlaps(&a, &b) != cases[i].overlaps ||
            ipnet_overlaps(&b, &a) != cases[i].overlaps)
            g_error("%s and %s", cases[i].a, cases[i].b);
    }
}

static void test_contains_none(void)
{
    IpNet net = {0};
    Ip none = {0};

    g_assert_false(ipnet_contains(&net, &none));
}

/* Containment by bytes against the same question asked of the ends of the subnet. */
static void test_net_random(void)
{
    guint32 seed = g_test_rand_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_test_message("seed %u", seed);
    for (guint i = 0; i < 20000; i++) {
        gboolean four = g_rand_boolean(rand);
        IpNet net = {.ip.family = four ? 4 : 6, .prefix = (guint8)g_rand_int_range(rand, 0, four ? 33 : 129)};
        Ip ip = {.family = net.ip.family};
        IpNet start;
        Ip last;

        /* Few different bytes, so that both answers are frequent. */
        for (gsize j = 0; j < (four ? 4 : 16); j++) {
            net.ip.bytes[j] = (guint8)g_rand_int_range(rand, 0, 2);
            ip.bytes[j] = (guint8)g_rand_int_range(rand, 0, 2);
        }
        start = ipnet_network(&net);
        last = ipnet_last(&net);
        g_assert_cmpint(ipnet_contains(&net, &ip), ==,
                        ip_compare(&start.ip, &ip) <= 0 && ip_compare(&ip, &last) <= 0);
    }
}

static void assert_range(const char *first, const char *last, guint64 size)
{
    Ip a = ip_of(first);
    Ip b = ip_of(last);

    g_assert_cmpuint(ip_range_size(&a, &b), ==, size);
}

static void test_range(void)
{
    assert_range("192.168.122.2", "192.168.122.254", 253);
    assert_range("192.168.122.2", "192.168.122.2", 1);
    assert_range("192.168.122.3", "192.168.122.2", 0);
    assert_range("10.0.0.255", "10.0.1.0", 2);
    assert_range("0.0.0.0", "255.255.255.255", G_GUINT64_CONSTANT(1) << 32);
    assert_range("10.0.0.1", "::1", 0);
    assert_range("fd00::ff", "fd00::100", 2);
    assert_range("fd00::", "fd00::7fff:ffff:ffff:ffff", G_GUINT64_CONSTANT(1) << 63);
    assert_range("fd00::", "fd00::8000:0:0:ff", (G_GUINT64_CONSTANT(1) << 63) + 256);
    assert_range("fd00::2", "fd00::ffff:ffff:ffff:ffff", G_MAXUINT64 - 1);
    assert_range("fd00::2", "fd00:0:0:1::", G_MAXUINT64);
    assert_range("fd00::3", "fd00:0:0:1::", G_MAXUINT64 - 1);
    assert_range("fd00::1", "fd00::ffff:ffff:ffff:ffff", G_MAXUINT64);
    assert_range("fd00::", "fd00::ffff:ffff:ffff:ffff", G_MAXUINT64);
    assert_range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", G_MAXUINT64);
}

static void test_mac(void)
{
    static const char *const wrong[] = {"",
                                        "52:54:00:12:34",
                                        "52:54:00:12:34:5",
                                        "52:54:00:12:34:567",
                                        "52-54-00-12-34-56",
                                        "52:54:00:12:34:5g",
                                        "5 :54:00:12:34:56",
                                        "52:g4:00:12:34:56"};
    g_autofree char *text = NULL;
    Mac mac, other;

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(mac_parse(wrong[i], &mac));
    g_assert_false(mac_parse(NULL, &mac));
    g_assert_true(mac_parse("52:54:00:AB:cd:0F", &mac));
    text = mac_to_string(&mac);
    g_assert_cmpstr(text, ==, "52:54:00:ab:cd:0f");
    g_assert_true(mac_parse("52:54:00:ab:cd:10", &other));
    g_assert_cmpint(mac_compare(&mac, &other), <, 0);
    g_assert_false(mac_equal(&mac, &other));
    g_assert_true(mac_equal(&mac, &mac));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/parse", test_parse);
    g_test_add_func("/ip/from-bytes", test_from_bytes);
    g_test_add_func("/ip/compare", test_compare);
    g_test_add_func("/ip/kinds", test_kinds);
    g_test_add_func("/ip/none", test_none);
    g_test_add_func("/ip/add", test_add);
    g_test_add_func("/ip/range", test_range);
    g_test_add_func("/ipnet/parse", test_net_parse);
    g_test_add_func("/ipnet/from-xml", test_net_from_xml);
    g_test_add_func("/ipnet/ends", test_net_ends);
    g_test_add_func("/ipnet/relations", test_net_relations);
    g_test_add_func("/ipnet/contains-none", test_contains_none);
    g_test_add_func("/ipnet/random", test_net_random);
    g_test_add_func("/mac", test_mac);
    return g_test_run();
}
