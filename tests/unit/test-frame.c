/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/frame.h"
#include "wire-tools.h"

#include <string.h>

static const Mac mac = {{0x02, 'v', 'n', 'a', 't', 0}};
static const Mac bridge = {{0x52, 0x54, 0x00, 0x97, 0x49, 0xdb}};

static Ip ip_of(const char *text)
{
    Ip ip;

    g_assert_true(ip_parse(text, &ip));
    return ip;
}

static void test_arp(void)
{
    const Ip from = ip_of("0.0.0.0"), to = ip_of("192.168.122.1");
    g_autoptr(GByteArray) bytes = arp_request(&mac, &from, &to);
    ArpMessage message;

    g_assert_cmpuint(bytes->len, ==, 42);
    g_assert_true(arp_parse(bytes->data, bytes->len, &message));
    g_assert_cmpuint(message.operation, ==, 1);
    g_assert_true(mac_equal(&message.from_mac, &mac) && ip_equal(&message.to, &to));
    g_assert_true(ip_equal(&message.from, &from));
    for (gsize length = 0; length < bytes->len; length++) {
        g_autofree guint8 *part = cut(bytes->data, length);

        g_assert_false(arp_parse(part, length, &message));
    }
    bytes->data[13] = 0;
    g_assert_false(arp_parse(bytes->data, bytes->len, &message));
}

/* What was recorded, taken apart and put together again, differs in nothing. */
static void test_udp(void)
{
    static const char *const names[] = {"dhcp-discover.frame", "dhcp-release.frame"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        gsize length;
        g_autofree guint8 *bytes = recorded(names[i], &length);
        g_autoptr(GByteArray) again = NULL;
        UdpFrame frame;

        g_assert_true(udp_frame_parse(bytes, length, &frame));
        again = udp_frame(&frame);
        g_assert_cmpmem(again->data, again->len, bytes, length);
    }
}

static void test_udp_damaged(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("dhcp-offer.frame", &length);
    UdpFrame frame;

    g_assert_true(udp_frame_parse(bytes, length, &frame));
    g_assert_cmpuint(frame.length, ==, length - 42);
    for (gsize i = 12; i < length; i++) {
        bytes[i] ^= 0x10;
        g_assert_false(udp_frame_parse(bytes, length, &frame));
        bytes[i] ^= 0x10;
    }
    for (gsize part = 0; part < length; part++) {
        g_autofree guint8 *copy = cut(bytes, part);

        g_assert_false(udp_frame_parse(copy, part, &frame));
    }
}

static void test_echo(void)
{
    gsize length;
    g_autofree guint8 *answer = recorded("echo-answer.ip", &length);
    const guint16 id = (guint16)(answer[24] << 8 | answer[25]);
    g_autoptr(GByteArray) request = echo_request(4, id, 1);
    g_autofree guint8 *unreachable = g_malloc0(20 + 8 + 20 + 8);
    guint8 code = 9;

    /* The answer is the request with another type, and so another checksum. */
    g_assert_cmpuint(request->len, ==, length - 20);
    g_assert_cmpmem(request->data + 4, request->len - 4, answer + 24, length - 24);
    g_assert_cmpint(echo_parse(4, answer, length, id, &code), ==, ECHO_ANSWER);
    g_assert_cmpint(echo_parse(4, answer, length, (guint16)(id + 1), &code), ==, ECHO_NOTHING);
    for (gsize part = 0; part < 26; part++) {
        g_autofree guint8 *copy = cut(answer, part);

        g_assert_cmpint(echo_parse(4, copy, part, id, &code), ==, ECHO_NOTHING);
    }
    unreachable[0] = unreachable[28] = 0x45;
    unreachable[20] = 3;
    unreachable[21] = 13;
    memcpy(unreachable + 48, request->data, 8);
    g_assert_cmpint(echo_parse(4, unreachable, 56, id, &code), ==, ECHO_UNREACHABLE);
    g_assert_cmpuint(code, ==, 13);
    unreachable[48] = 0;
    g_assert_cmpint(echo_parse(4, unreachable, 56, id, &code), ==, ECHO_NOTHING);
}

static void test_router(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("router-advertisement.icmp6", &length);
    RouterAdvertisement message;
    char text[IP_TEXT];

    g_assert_true(router_advertisement_parse(bytes, length, &message));
    g_assert_true(message.managed);
    g_assert_cmpuint(message.lifetime, ==, 1800);
    g_assert_false(message.has_prefix);
    /* With the autonomous flag in its prefix option, an address may be made of it. */
    bytes[16 + 3] |= 0x40;
    g_assert_true(router_advertisement_parse(bytes, length, &message));
    g_assert_true(message.has_prefix);
    g_assert_cmpuint(message.prefix.prefix, ==, 64);
    g_assert_cmpstr(ip_format(&message.prefix.ip, text), ==, "fd39:4cbd:e7c5:aaeb::");
    for (gsize part = 0; part < length; part++) {
        g_autofree guint8 *copy = cut(bytes, part);

        g_assert_cmpint(router_advertisement_parse(copy, part, &message), ==,
                        part == 16 || part == 48 || part == 56 || part == 64);
    }
    /* An option without length would be read for ever. */
    bytes[17] = 0;
    g_assert_false(router_advertisement_parse(bytes, length, &message));
}

static void test_neighbour(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("neighbour-advertisement.icmp6", &length);
    const Ip host = ip_of("fd39:4cbd:e7c5:aaeb::1");
    Ip target, group;
    char text[IP_TEXT];
    Mac found;

    g_assert_true(neighbour_advertisement_parse(bytes, length, &target, &found));
    g_assert_true(ip_equal(&target, &host) && mac_equal(&found, &bridge));
    for (gsize part = 0; part < length; part++) {
        g_autofree guint8 *copy = cut(bytes, part);

        g_assert_false(neighbour_advertisement_parse(copy, part, &target, &found));
    }
    group = solicited_group(&host);
    g_assert_cmpstr(ip_format(&group, text), ==, "ff02::1:ff00:1");
}

/* The example of RFC 4291, appendix A. */
static void test_interface_address(void)
{
    const Mac example = {{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
    const Ip prefix = ip_of("fe80::");
    const Ip ip = interface_address(&prefix, &example);
    char text[IP_TEXT];

    g_assert_cmpstr(ip_format(&ip, text), ==, "fe80::3656:78ff:fe9a:bcde");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/arp", test_arp);
    g_test_add_func("/frame/udp", test_udp);
    g_test_add_func("/frame/udp-damaged", test_udp_damaged);
    g_test_add_func("/frame/echo", test_echo);
    g_test_add_func("/frame/router", test_router);
    g_test_add_func("/frame/neighbour", test_neighbour);
    g_test_add_func("/frame/interface-address", test_interface_address);
    return g_test_run();
}
