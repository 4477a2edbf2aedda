/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "model/facts.h"
#include "model/record.h"

#include <string.h>

/* Every table of records: what is written reads back equal, and what is no record is refused by name. */

static const struct {
    const char *name;
    const RecordField *fields;
    gsize size;
} tables[] = {
    {"network", network_fields, sizeof(Network)},
    {"domain", domain_fields, sizeof(Domain)},
    {"agent", agent_address_fields, sizeof(AgentAddress)},
    {"lease", lease_fields, sizeof(Lease)},
    {"link", link_fields, sizeof(Link)},
    {"address", link_address_fields, sizeof(LinkAddress)},
    {"neighbour", neighbour_fields, sizeof(Neighbour)},
    {"fdb", fdb_entry_fields, sizeof(FdbEntry)},
    {"route", route_fields, sizeof(Route)},
    {"dnsmasq", dnsmasq_fields, sizeof(Dnsmasq)},
    {"socket", socket_fields, sizeof(Socket)},
    {"proc", proc_value_fields, sizeof(ProcValue)},
    {"flow", flow_fields, sizeof(Flow)},
};

static char *random_text(GRand *rand)
{
    guint length = (guint)g_rand_int_range(rand, 0, 12);
    char *text = g_malloc0(length + 1);

    for (guint i = 0; i < length; i++)
        text[i] = (char)g_rand_int_range(rand, 1, 256);
    return text;
}

static void random_bytes(GRand *rand, gpointer bytes, gsize length)
{
    for (gsize i = 0; i < length; i++)
        ((guint8 *)bytes)[i] = (guint8)g_rand_int(rand);
}

static void random_ip(GRand *rand, Ip *ip)
{
    guint8 raw[16];

    random_bytes(rand, raw, sizeof raw);
    g_assert_true(ip_from_bytes(raw, g_rand_boolean(rand) ? 4 : 16, ip));
}

static void random_number(GRand *rand, const RecordField *field, guint8 *at)
{
    static const gsize sizes[] = {
        [NUMBER_U8] = 1,  [NUMBER_U16] = 2, [NUMBER_U32] = 4,
        [NUMBER_I32] = 4, [NUMBER_U64] = 8, [NUMBER_I64] = 8,
    };

    random_bytes(rand, at, sizes[field->number]);
    if (field->number == NUMBER_U64)
        *(guint64 *)(gpointer)at &= G_MAXINT64;
}

static void random_field(GRand *rand, const RecordField *field, guint8 *record)
{
    guint8 *at = record + field->offset;

    switch (field->kind) {
    case RECORD_TEXT:
        *(char **)(gpointer)at = random_text(rand);
        break;
    case RECORD_WORDS:
        *(char ***)(gpointer)at = g_new0(char *, 3);
        (*(char ***)(gpointer)at)[0] = random_text(rand);
        (*(char ***)(gpointer)at)[1] = random_text(rand);
        break;
    case RECORD_BOOL:
        *(gboolean *)(gpointer)at = g_rand_boolean(rand);
        break;
    case RECORD_NUMBER:
        random_number(rand, field, at);
        break;
    case RECORD_BRIDGE_ID:
        random_bytes(rand, at, 8);
        break;
    case RECORD_MAC:
        random_bytes(rand, at, sizeof(Mac));
        if (field->flag)
            *(gboolean *)(gpointer)(record + field->flag) = TRUE;
        break;
    case RECORD_IP:
        random_ip(rand, (Ip *)(gpointer)at);
        break;
    case RECORD_NET:
        random_ip(rand, &((IpNet *)(gpointer)at)->ip);
        ((IpNet *)(gpointer)at)->prefix =
            (guint8)g_rand_int_range(rand, 0, (gint)ip_bits(&((IpNet *)(gpointer)at)->ip) + 1);
        break;
    }
}

/* The record as the JSON that it is written as, through the text that a file would hold. */
static json_t *through_text(const RecordField *fields, gconstpointer record)
{
    g_autoptr(json_t) object = record_write(fields, record);
    g_autoptr(GError) error = NULL;
    char *text = json_dumps(object, JSON_COMPACT);
    json_t *parsed;

    for (const char *c = text; *c; c++)
        g_assert_cmpint((guchar)*c, >=, ' ');
    parsed = json_parse(text, strlen(text), JSON_DEPTH, FALSE, &error);
    g_assert_no_error(error);
    free(text);
    return parsed;
}

static void record_release(const RecordField *fields, gpointer record)
{
    for (const RecordField *field = fields; field->name; field++) {
        if (field->kind == RECORD_TEXT)
            g_free(G_STRUCT_MEMBER(char *, record, field->offset));
        else if (field->kind == RECORD_WORDS)
            g_strfreev(G_STRUCT_MEMBER(char **, record, field->offset));
    }
    g_free(record);
}

static void assert_same(const RecordField *fields, gconstpointer a, gconstpointer b)
{
    g_autoptr(json_t) left = record_write(fields, a);
    g_autoptr(json_t) right = record_write(fields, b);

    g_assert_true(json_equal(left, right));
    for (const RecordField *field = fields; field->name; field++) {
        if (field->kind == RECORD_TEXT)
            g_assert_cmpstr(G_STRUCT_MEMBER(char *, a, field->offset), ==,
                            G_STRUCT_MEMBER(char *, b, field->offset));
    }
}

static void test_round_trip(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261122);

    for (guint i = 0; i < G_N_ELEMENTS(tables) * 200; i++) {
        const RecordField *fields = tables[i % G_N_ELEMENTS(tables)].fields;
        gsize size = tables[i % G_N_ELEMENTS(tables)].size;
        gpointer record = g_malloc0(size), back = g_malloc0(size), copy = g_malloc0(size);
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) object = NULL;

        for (const RecordField *field = fields; field->name; field++)
            random_field(rand, field, record);
        object = through_text(fields, record);
        record_read(fields, object, back, &error);
        g_assert_no_error(error);
        assert_same(fields, record, back);
        record_copy(fields, record, copy);
        assert_same(fields, record, copy);
        record_release(fields, record);
        record_release(fields, back);
        record_release(fields, copy);
    }
}

/* A constructor's record says nothing, and nothing is a record of nothing. */
static void test_none(void)
{
    g_autoptr(Link) link = link_new();
    g_autoptr(Link) back = g_new0(Link, 1);
    g_autoptr(json_t) object = record_write(link_fields, link);
    Neighbour neighbour = {.confirmed = 7, .ifindex = 3};
    g_autoptr(json_t) least = json_pack("{s:s}", "address", "::1");

    g_assert_cmpuint(json_object_size(object), ==, 0);
    json_object_set_new(object, "name", json_string(""));
    g_assert_true(record_read(link_fields, object, back, NULL));
    g_assert_cmpint(back->carrier, ==, -1);
    g_assert_cmpint(back->operstate, ==, -1);
    g_assert_false(back->has_mac);
    g_assert_true(record_read(neighbour_fields, least, &neighbour, NULL));
    g_assert_cmpuint(neighbour.confirmed, ==, G_MAXUINT32);
    g_assert_cmpuint(neighbour.ifindex, ==, 0);
}

/* What is none is left out, and a number that JSON's readers cannot count is the greatest that they can. */
static void test_bounds(void)
{
    Route route = {.family = 4};
    Socket socket = {.local = {.family = 4}, .inode = G_MAXUINT64};
    g_autoptr(json_t) no_net = record_write(route_fields, &route);
    g_autoptr(json_t) large = record_write(socket_fields, &socket);
    g_autoptr(json_t) truth = json_pack("{s:s, s:b, s:b}", "name", "a", "is_port", 0, "is_bridge", 1);
    g_autoptr(Link) link = link_new();

    g_assert_null(json_object_get(no_net, "dst"));
    g_assert_cmpint(json_integer_value(json_object_get(large, "inode")), ==, G_MAXINT64);
    g_assert_true(record_read(link_fields, truth, link, NULL));
    g_assert_false(link->is_port);
    g_assert_true(link->is_bridge);
}

/* A command line has so many words at most. */
static void test_words(void)
{
    for (guint more = 0; more < 2; more++) {
        g_autoptr(json_t) words = json_array();
        g_autoptr(json_t) object = json_pack("{s:s, s:O}", "network", "n", "argv", words);
        gpointer dnsmasq = g_malloc0(sizeof(Dnsmasq));

        for (guint i = 0; i < 4096 + more; i++)
            json_array_append_new(words, json_string("w"));
        g_assert_cmpint(record_read(dnsmasq_fields, object, dnsmasq, NULL), ==, !more);
        record_release(dnsmasq_fields, dnsmasq);
    }
}

static void test_form(void)
{
    Mac mac = {{0xfe, 0x54, 0, 0x12, 0x34, 0x56}};
    g_autoptr(Link) link = link_new();
    g_autoptr(json_t) object = NULL;
    char *text;

    link->ifindex = 7;
    link->name = g_strdup("vnet\n\xff");
    link->has_mac = TRUE;
    link->mac = mac;
    link->carrier = 0;
    link->bridge_info.id[0] = 0x80;
    link->bridge_info.id[7] = 0x56;
    object = record_write(link_fields, link);
    text = json_dumps(object, JSON_COMPACT);
    g_assert_cmpstr(text, ==,
                    "{\"ifindex\":7,\"name\":\"vnet\\\\x0a\\\\xff\",\"mac\":\"fe:54:00:12:34:56\","
                    "\"carrier\":0,\"bridge_id\":\"8000.000000000056\"}");
    free(text);
}

static void test_refused(void)
{
    static const struct {
        const RecordField *fields;
        const char *json, *message;
    } cases[] = {
        {link_fields, "{\"ifindex\":-1}", "'ifindex' is no number from 0 to 4294967295"},
        {link_fields, "{\"ifindex\":4294967296}", "'ifindex' is no number from 0 to 4294967295"},
        {link_fields, "{\"ifindex\":\"7\"}", "'ifindex' is no number from 0 to 4294967295"},
        {link_fields, "{\"name\":\"\",\"carrier\":2147483648}",
         "'carrier' is no number from -2147483648 to 2147483647"},
        {link_fields, "{\"name\":\"\",\"port_no\":65536}", "'port_no' is no number from 0 to 65535"},
        {link_fields, "{\"name\":\"\",\"port_state\":256}", "'port_state' is no number from 0 to 255"},
        {link_fields, "{\"name\":7}", "'name' is no text"},
        {link_fields, "{\"name\":\"a\\\\x0\"}", "'name' is no text"},
        {link_fields, "{\"name\":\"a\\\\x00b\"}", "'name' is no text"},
        {link_fields, "{\"name\":\"\",\"mac\":\"52:54\"}", "'mac' is no MAC address"},
        {link_fields, "{\"name\":\"\",\"mac\":null}", "'mac' is no MAC address"},
        {link_fields, "{\"name\":\"\",\"is_port\":1}", "'is_port' is no truth value"},
        {link_fields, "{\"name\":\"\",\"bridge_id\":\"8000.52\"}", "'bridge_id' is no bridge id"},
        {link_fields, "{\"name\":\"\",\"bridge_id\":\"8000.5254001234567\"}", "'bridge_id' is no bridge id"},
        {link_fields, "{\"name\":\"\",\"bridge_id\":\"80.0052540012345g\"}", "'bridge_id' is no bridge id"},
        {lease_fields, "{\"network\":\"\",\"network_uuid\":\"\",\"address\":\"192.168.122\"}",
         "'address' is no IP address"},
        {lease_fields, "{\"network\":\"\",\"network_uuid\":\"\",\"address\":7}",
         "'address' is no IP address"},
        {link_address_fields, "{\"address\":\"192.168.122.1\"}",
         "'address' is no IP address with its prefix"},
        {link_address_fields, "{\"address\":[]}", "'address' is no IP address with its prefix"},
        {link_fields, "{\"name\":\"\",\"bridge_id\":null}", "'bridge_id' is no bridge id"},
        {link_fields, "{\"name\":\"\",\"is_port\":null}", "'is_port' is no truth value"},
        {fdb_entry_fields, "{\"ifindex\":3}", "'mac' is missing"},
        {link_fields, "{\"ifindex\":3}", "'name' is missing"},
        {route_fields, "{}", "'dst' is missing"},
        {dnsmasq_fields, "{\"network\":\"\",\"argv\":\"dnsmasq\"}", "'argv' is no list of texts"},
        {dnsmasq_fields, "{\"network\":\"\",\"argv\":[\"dnsmasq\",1]}", "'argv' is no list of texts"},
        {socket_fields, "{\"local\":\"::\",\"inode\":-1}",
         "'inode' is no number from 0 to 9223372036854775807"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) object = json_loads(cases[i].json, 0, NULL);
        g_autoptr(GError) error = NULL;
        gpointer record = g_malloc0(MAX(sizeof(Link), sizeof(Dnsmasq)));

        g_assert_nonnull(object);
        g_assert_false(record_read(cases[i].fields, object, record, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, cases[i].message);
        record_release(cases[i].fields, record);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/none", test_none);
    g_test_add_func("/record/bounds", test_bounds);
    g_test_add_func("/record/words", test_words);
    g_test_add_func("/record/form", test_form);
    g_test_add_func("/record/refused", test_refused);
    return g_test_run();
}
