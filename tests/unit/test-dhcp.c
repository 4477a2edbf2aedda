/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/dhcp.h"
#include "model/frame.h"
#include "wire-tools.h"

#include <string.h>

#define TRANSACTION 0x12474065
#define TRANSACTION6 0x685273

static const Mac mac = {{0x02, 'v', 'n', 'a', 't', 0}};

static void assert_ip(const Ip *ip, const char *wanted)
{
    char text[IP_TEXT];

    g_assert_cmpint(ip->family, !=, 0);
    g_assert_cmpstr(ip_format(ip, text), ==, wanted);
}

static guint8 *payload(const char *name, UdpFrame *frame)
{
    gsize length;
    guint8 *bytes = recorded(name, &length);

    g_assert_true(udp_frame_parse(bytes, length, frame));
    return bytes;
}

static void test_offer(void)
{
    static const char *const names[] = {"dhcp-offer.frame", "dhcp-ack.frame"};
    static const DhcpType types[] = {DHCP_OFFER, DHCP_ACK};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        UdpFrame frame;
        g_autofree G_GNUC_UNUSED guint8 *bytes = payload(names[i], &frame);
        Mac other = mac;
        DhcpMessage message;

        g_assert_cmpuint(frame.from_port, ==, DHCP_SERVER);
        g_assert_cmpuint(frame.to_port, ==, DHCP_CLIENT);
        g_assert_true(dhcp_parse(frame.payload, frame.length, TRANSACTION, &mac, &message));
        g_assert_cmpint(message.type, ==, types[i]);
        assert_ip(&message.address, "192.168.122.64");
        assert_ip(&message.server, "192.168.122.1");
        assert_ip(&message.router, "192.168.122.1");
        assert_ip(&message.dns, "192.168.122.1");
        assert_ip(&message.mask, "255.255.255.0");
        g_assert_cmpuint(message.seconds, ==, 3600);
        g_assert_false(dhcp_parse(frame.payload, frame.length, TRANSACTION + 1, &mac, &message));
        other.bytes[5] = 9;
        g_assert_false(dhcp_parse(frame.payload, frame.length, TRANSACTION, &other, &message));
    }
}

/* Shorter than its options, it is refused, and nothing behind it is read. */
static void test_cut(void)
{
    UdpFrame frame;
    g_autofree G_GNUC_UNUSED guint8 *bytes = payload("dhcp-offer.frame", &frame);

    for (gsize length = 0; length < frame.length; length++) {
        g_autofree guint8 *part = cut(frame.payload, length);
        DhcpMessage message;

        /* The end of options, and padding behind it. */
        if (length < 240 + 3)
            g_assert_false(dhcp_parse(part, length, TRANSACTION, &mac, &message));
        else
            dhcp_parse(part, length, TRANSACTION, &mac, &message);
    }
}

static DhcpMessage offered(void)
{
    UdpFrame frame;
    g_autofree G_GNUC_UNUSED guint8 *bytes = payload("dhcp-offer.frame", &frame);
    DhcpMessage message;

    g_assert_true(dhcp_parse(frame.payload, frame.length, TRANSACTION, &mac, &message));
    return message;
}

static void assert_built(const DhcpMessage *message, const char *name)
{
    UdpFrame frame;
    g_autofree G_GNUC_UNUSED guint8 *bytes = payload(name, &frame);
    g_autoptr(GByteArray) built = dhcp_build(message);
    const guint32 transaction = GUINT32_TO_BE(message->transaction);

    memcpy(bytes + (frame.payload - bytes) + 4, &transaction, 4);
    g_assert_cmpmem(built->data, built->len, frame.payload, frame.length);
}

/* As those that dnsmasq answered. */
static void test_build(void)
{
    DhcpMessage message = {.type = DHCP_DISCOVER, .transaction = TRANSACTION, .mac = mac};

    assert_built(&message, "dhcp-discover.frame");
    message = offered();
    message.type = DHCP_REQUEST;
    assert_built(&message, "dhcp-request.frame");
    message.type = DHCP_RELEASE;
    assert_built(&message, "dhcp-release.frame");
}

static void test_refusal(void)
{
    UdpFrame frame;
    g_autofree G_GNUC_UNUSED guint8 *bytes = payload("dhcp-ack.frame", &frame);
    guint8 *message = bytes + (frame.payload - bytes);
    DhcpMessage parsed;

    message[242] = DHCP_NAK;
    memset(message + 16, 0, 4);
    g_assert_true(dhcp_parse(message, frame.length, TRANSACTION, &mac, &parsed));
    g_assert_cmpint(parsed.type, ==, DHCP_NAK);
    message[242] = DHCP_ACK;
    g_assert_false(dhcp_parse(message, frame.length, TRANSACTION, &mac, &parsed));
    message[242] = DHCP_DISCOVER;
    g_assert_false(dhcp_parse(message, frame.length, TRANSACTION, &mac, &parsed));
}

static void test_advertise(void)
{
    static const char *const names[] = {"dhcp6-advertise.udp", "dhcp6-reply.udp"};
    static const Dhcp6Type types[] = {DHCP6_ADVERTISE, DHCP6_REPLY};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        gsize length;
        g_autofree guint8 *bytes = recorded(names[i], &length);
        const guint32 transaction = (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
        Mac other = mac;
        Dhcp6Message message;

        g_assert_true(dhcp6_parse(bytes, length, transaction, &mac, &message));
        g_assert_cmpint(message.type, ==, types[i]);
        assert_ip(&message.address, "fd39:4cbd:e7c5:aaeb::1178");
        assert_ip(&message.dns, "fd39:4cbd:e7c5:aaeb::1");
        g_assert_cmpuint(message.server_length, ==, 14);
        g_assert_cmpuint(message.status, ==, 0);
        g_assert_false(dhcp6_parse(bytes, length, transaction ^ 1, &mac, &message));
        other.bytes[5] = 9;
        g_assert_false(dhcp6_parse(bytes, length, transaction, &other, &message));
        for (gsize short_of = 0; short_of < 18; short_of++) {
            g_autofree guint8 *part = cut(bytes, short_of);

            g_assert_false(dhcp6_parse(part, short_of, transaction, &mac, &message));
        }
        for (gsize short_of = 18; short_of < length; short_of++) {
            g_autofree guint8 *part = cut(bytes, short_of);

            dhcp6_parse(part, short_of, transaction, &mac, &message);
        }
    }
}

/* "No addresses available", of the association. */
static void test_status(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("dhcp6-advertise.udp", &length);
    Dhcp6Message message;

    /* Behind the association, the message's own status option: 13, 9 bytes, code. */
    for (gsize i = 0; i + 6 <= length; i++) {
        if (memcmp(bytes + i, "\0\15\0\11\0\0", 6) == 0)
            bytes[i + 5] = 2;
    }
    g_assert_true(dhcp6_parse(bytes, length, TRANSACTION6, &mac, &message));
    g_assert_cmpuint(message.status, ==, 2);
}

static void test_build6(void)
{
    const Dhcp6Message solicit = {.type = DHCP6_SOLICIT, .transaction = TRANSACTION6, .mac = mac};
    g_autoptr(GByteArray) bytes = dhcp6_build(&solicit);
    gsize length;
    g_autofree guint8 *advertise = recorded("dhcp6-advertise.udp", &length);
    g_autoptr(GByteArray) request = NULL;
    Dhcp6Message message;

    g_assert_cmpmem(bytes->data, 18, "\1\x68\x52\x73\0\1\0\12\0\3\0\1\2vnat\0", 18);
    g_assert_true(dhcp6_parse(advertise, length, TRANSACTION6, &mac, &message));
    message.type = DHCP6_REQUEST;
    request = dhcp6_build(&message);
    /* As a server's reply it reads back: the identifiers and the address are in it. */
    request->data[0] = DHCP6_REPLY;
    message = (Dhcp6Message){0};
    g_assert_true(dhcp6_parse(request->data, request->len, TRANSACTION6, &mac, &message));
    assert_ip(&message.address, "fd39:4cbd:e7c5:aaeb::1178");
    g_assert_cmpuint(message.server_length, ==, 14);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dhcp/offer", test_offer);
    g_test_add_func("/dhcp/cut", test_cut);
    g_test_add_func("/dhcp/build", test_build);
    g_test_add_func("/dhcp/refusal", test_refusal);
    g_test_add_func("/dhcp/advertise", test_advertise);
    g_test_add_func("/dhcp/status", test_status);
    g_test_add_func("/dhcp/build6", test_build6);
    return g_test_run();
}
