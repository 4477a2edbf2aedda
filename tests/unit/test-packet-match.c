/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packet-tools.h"

/*
 * Conditions, each in a rule that drops: data/packet/nft has what nft 1.0.6 printed of them on Linux 6.18,
 * data/packet/save4 and save6 what iptables-nft-save 1.8.9 did. In front of each stands for which packets it
 * holds, in the order of Ask: y, n, or ? where it cannot be known; of the save files, for those of the
 * family. That the kernel thinks so too is tests/integration/packets-kernel's.
 */

static char **lines_of(const char *name)
{
    g_autofree char *path = g_build_filename(TEST_DATA, "packet", name, NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_strsplit(g_strchomp(text), "\n", -1);
}

/* A host with 192.168.122.1 on virbr0 and 203.0.113.2 on eth0; bridges ask the filter. */
static Facts *host(void)
{
    static const struct {
        const char *net;
        guint ifindex;
        guint8 type;
    } routes[] = {
        {"0.0.0.0/0", 2, ROUTE_UNICAST},       {"::/0", 2, ROUTE_UNICAST},
        {"192.168.122.1/32", 10, ROUTE_LOCAL}, {"192.168.122.255/32", 10, ROUTE_BROADCAST},
        {"203.0.113.2/32", 2, ROUTE_LOCAL},    {"127.0.0.0/8", 1, ROUTE_LOCAL},
    };
    Facts *facts = facts_new();

    for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
        Route route = {.ifindex = routes[i].ifindex, .table = 255, .type = routes[i].type};

        g_assert_true(ipnet_parse(routes[i].net, &route.dst));
        route.family = route.dst.ip.family;
        g_array_append_val(facts->routes, route);
    }
    g_ptr_array_add(facts->proc, proc_value_new("sys/net/bridge/bridge-nf-call-iptables", "0"));
    return facts;
}

static char letter_of(const Facts *facts, Ask ask)
{
    g_autoptr(PacketResult) result = asked(facts, "forward", ask);

    switch (result->verdict) {
    case PACKET_DROP:
        g_assert_cmpuint(result->doubts->len, ==, 0);
        return 'y';
    case PACKET_ACCEPT:
        return 'n';
    case PACKET_UNKNOWN:
        g_assert_cmpuint(result->doubts->len, >, 0);
        return '?';
    case PACKET_REJECT:
        break;
    }
    return '!';
}

static void assert_letters(const Facts *facts, Ask first, Ask end, const char *wanted, const char *rule)
{
    g_autoptr(GString) letters = g_string_new(NULL);

    for (Ask ask = first; ask < end; ask++)
        g_string_append_c(letters, letter_of(facts, ask));
    if (strcmp(letters->str, wanted) != 0)
        g_test_message("%s: %s, not %s", rule, letters->str, wanted);
    g_assert_cmpstr(letters->str, ==, wanted);
}

/* "yynnnn RULE", and nft's expression of it on the next line. The first line is the table's sets. */
static void test_nft(void)
{
    g_auto(GStrv) lines = lines_of("nft");

    for (guint i = 1; lines[i] && lines[i + 1]; i += 2) {
        g_autoptr(Facts) facts = host();
        g_autofree char *letters = g_strndup(lines[i], ASK_COUNT);
        g_autofree char *objects = g_strdup_printf(
            "{\"table\":{\"family\":\"inet\",\"name\":\"t\"}},%s,"
            "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"c\",\"type\":\"filter\",\"prio\":0,"
            "\"hook\":\"forward\",\"policy\":\"accept\"}},"
            "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"c\",\"expr\":[%.*s,{\"drop\":null}]}"
            "}",
            lines[0], (int)strlen(lines[i + 1]) - 2, lines[i + 1] + 1);

        add_nft(facts, objects);
        assert_letters(facts, ASK_WEB, ASK_COUNT, letters, lines[i]);
    }
}

/* "yynn -s 10.0.0.1/32": behind the letters what stands between "-A FORWARD" and "-j DROP". */
static void save_file(const char *name, const char *family, Ask first, Ask end)
{
    g_auto(GStrv) lines = lines_of(name);

    for (guint i = 0; lines[i]; i++) {
        g_autoptr(Facts) facts = host();
        g_autofree char *letters = g_strndup(lines[i], end - first);
        g_autofree char *text =
            g_strdup_printf("*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n-A FORWARD%s -j DROP\nCOMMIT\n",
                            lines[i] + (end - first));

        add_save(facts, i % 2 ? FIREWALL_IPTABLES_NFT : FIREWALL_IPTABLES_LEGACY, family, text);
        assert_letters(facts, first, end, letters, lines[i]);
    }
}

static void test_save4(void)
{
    save_file("save4", "ip", ASK_WEB, ASK_WEB6);
}

static void test_save6(void)
{
    save_file("save6", "ip6", ASK_WEB6, ASK_COUNT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet-match/nft", test_nft);
    g_test_add_func("/packet-match/save4", test_save4);
    g_test_add_func("/packet-match/save6", test_save6);
    return g_test_run();
}
