/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/dns.h"
#include "wire-tools.h"

#include <string.h>

static guint16 id_of(const guint8 *bytes)
{
    return (guint16)(bytes[0] << 8 | bytes[1]);
}

static void test_query(void)
{
    static const char wanted[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1";
    g_autoptr(GByteArray) bytes = dns_query(0x1234, "www.example", DNS_TYPE_A, DNS_CLASS_IN);
    g_autoptr(GByteArray) dotted = dns_query(0x1234, "www.example.", DNS_TYPE_A, DNS_CLASS_IN);

    g_assert_cmpmem(bytes->data, bytes->len, wanted, sizeof(wanted) - 1);
    g_assert_cmpmem(dotted->data, dotted->len, wanted, sizeof(wanted) - 1);
}

static void test_names(void)
{
    g_autofree char *label = g_strnfill(64, 'a');
    g_autofree char *longest = g_strnfill(63, 'a');
    g_autofree char *many = g_strjoin(".", longest, longest, longest, longest, NULL);
    const char *const bad[] = {"", ".", "a..b", ".a", label, many};
    g_autoptr(GByteArray) good = dns_query(1, longest, DNS_TYPE_A, DNS_CLASS_IN);

    g_assert_nonnull(good);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(dns_query(1, bad[i], DNS_TYPE_A, DNS_CLASS_IN));
}

static void test_address(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("dns-address.udp", &length);
    DnsAnswer answer;
    char text[IP_TEXT];

    g_assert_true(dns_parse(bytes, length, id_of(bytes), DNS_TYPE_A, &answer));
    g_assert_cmpuint(answer.code, ==, DNS_DONE);
    g_assert_cmpuint(answer.answers, ==, 1);
    g_assert_cmpstr(ip_format(&answer.address, text), ==, "203.0.113.1");
    g_assert_false(dns_parse(bytes, length, (guint16)(id_of(bytes) + 1), DNS_TYPE_A, &answer));
    g_assert_false(dns_parse(bytes, length, id_of(bytes), DNS_TYPE_AAAA, &answer));
    for (gsize part = 0; part < length; part++) {
        g_autofree guint8 *copy = cut(bytes, part);

        g_assert_false(dns_parse(copy, part, id_of(bytes), DNS_TYPE_A, &answer));
    }
    /* A question is no answer. */
    bytes[2] &= 0x7f;
    g_assert_false(dns_parse(bytes, length, id_of(bytes), DNS_TYPE_A, &answer));
}

static void test_text(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("dns-version.udp", &length);
    DnsAnswer answer;

    g_assert_true(dns_parse(bytes, length, id_of(bytes), DNS_TYPE_TXT, &answer));
    g_assert_cmpstr(answer.text, ==, "dnsmasq-2.90");
}

static void test_nothing(void)
{
    gsize length;
    g_autofree guint8 *bytes = recorded("dns-nothing.udp", &length);
    DnsAnswer answer;

    g_assert_true(dns_parse(bytes, length, id_of(bytes), DNS_TYPE_AAAA, &answer));
    g_assert_cmpuint(answer.code, ==, DNS_DONE);
    g_assert_cmpuint(answer.address.family, ==, 0);
    bytes[3] = (guint8)((bytes[3] & 0xf0) | DNS_NO_NAME);
    g_assert_true(dns_parse(bytes, length, id_of(bytes), DNS_TYPE_AAAA, &answer));
    g_assert_cmpstr(dns_code_text(answer.code), ==, "no such name");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns/query", test_query);
    g_test_add_func("/dns/names", test_names);
    g_test_add_func("/dns/address", test_address);
    g_test_add_func("/dns/text", test_text);
    g_test_add_func("/dns/nothing", test_nothing);
    return g_test_run();
}
