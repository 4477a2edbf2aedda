/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "model/network.h"
#include "model/template.h"
#include "views/columns.h"
#include "views/json.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The keys of an object, in order. */
static void assert_keys(const json_t *obj, const char *expected)
{
    GString *keys = g_string_new(NULL);
    void *iter;

    g_assert_true(json_is_object(obj));
    for (iter = json_object_iter((json_t *)(gpointer)obj); iter;
         iter = json_object_iter_next((json_t *)(gpointer)obj, iter))
        g_string_append_printf(keys, "%s%s", keys->len > 0 ? " " : "", json_object_iter_key(iter));
    g_assert_cmpstr(keys->str, ==, expected);
    g_string_free(keys, TRUE);
}

/* A member as compact JSON; path is "a.b", or "a.0.b" for the first of an array. */
static char *member(const json_t *value, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    char *text;
    char *copy;

    for (guint i = 0; names[i]; i++)
        value = json_is_array(value) ? json_array_get(value, (gsize)g_ascii_strtoull(names[i], NULL, 10))
                                     : json_object_get(value, names[i]);
    text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    copy = g_strdup(text);
    free(text);
    return copy;
}

static void assert_member(const json_t *obj, const char *path, const char *expected)
{
    g_autofree char *text = member(obj, path);

    if (g_strcmp0(text, expected) != 0)
        g_error("%s is %s, not %s", path, text, expected);
}

/* The whole document, by a reader that is not ours. */
static json_t *document(const Facts *facts, const JsonCollection *collections, char **bytes)
{
    json_error_t error;
    json_t *root;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    json_write(out, facts, collections);
    fclose(out);
    root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        g_error("%s: %s", error.text, text);
    if (bytes)
        *bytes = g_strdup(text);
    free(text);
    return root;
}

/* ------------------------------------------------------------------------------------------ fields */

#define INTERFACE_KEYS                                                                                       \
    "domain domain_uuid domain_id domain_state alias type source network model mac tap ifindex host_mac "    \
    "bridge network_bridge mtu link carrier problems addresses"
#define ADDRESS_KEYS "address family prefix source sources hostname client_id expires expires_epoch"
#define NETWORK_KEYS                                                                                         \
    "name uuid active persistent autostart forward bridge bridge_id stp forward_delay mtu dns_domain "       \
    "interfaces template ips dnsmasq nat"
#define LEASE_KEYS                                                                                           \
    "network bridge mac address family prefix hostname client_id iaid expires expires_epoch domain tap "     \
    "attributed"

static void test_interface(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(json_t) row = NULL;

    g_ptr_array_add(world_row(map, "vnet0")->problems, (gpointer) "tap-down");
    row = json_of_interface(world_row(map, "vnet0"));
    assert_keys(row, INTERFACE_KEYS);
    assert_member(row, "domain", "\"VM1\"");
    assert_member(row, "domain_id", "1");
    assert_member(row, "domain_state", "\"running\"");
    assert_member(row, "mac", "\"52:54:00:00:00:01\"");
    assert_member(row, "host_mac", "\"fe:54:00:00:00:01\"");
    assert_member(row, "ifindex", "11");
    assert_member(row, "mtu", "1500");
    assert_member(row, "link", "\"up\"");
    assert_member(row, "carrier", "true");
    assert_member(row, "problems", "[\"tap-down\"]");
    assert_keys(json_array_get(json_object_get(row, "addresses"), 0), ADDRESS_KEYS);
    assert_member(row, "addresses.0.address", "\"192.168.122.11\"");
    assert_member(row, "addresses.0.family", "\"ipv4\"");
    assert_member(row, "addresses.0.prefix", "24");
    assert_member(row, "addresses.0.source", "\"lease\"");
    assert_member(row, "addresses.0.sources", "[\"lease\",\"neighbour\"]");
    assert_member(row, "addresses.0.hostname", "\"vm1\"");
    assert_member(row, "addresses.0.expires", "\"2026-09-21T15:03:20Z\"");
    assert_member(row, "addresses.0.expires_epoch", "1790003000");
    assert_member(row, "addresses.1.family", "\"ipv6\"");
    assert_member(row, "addresses.1.prefix", "null");
    assert_member(row, "addresses.1.expires", "null");
    assert_member(row, "addresses.1.expires_epoch", "null");
}

static void test_interface_unknown(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "default", "nat", "virbr0");
    Domain *domain = world_domain(facts, "VM", -1);
    g_autoptr(Map) map = NULL;
    g_autoptr(json_t) port = NULL;
    g_autoptr(json_t) unread = NULL;
    static const char *const nulls[] = {"alias", "type",      "source",   "model", "mac",
                                        "link",  "domain_id", "host_mac", NULL};

    world_bridge(facts, network, 10);
    world_tap(facts, 11, "stray", 10, NULL)->carrier = -1;
    domain->xml_read = FALSE;
    map = map_join(facts);
    port = json_of_interface(map->rows->pdata[0]);
    unread = json_of_interface(map->rows->pdata[1]);
    assert_keys(port, INTERFACE_KEYS);
    assert_keys(unread, INTERFACE_KEYS);
    for (gsize i = 0; nulls[i]; i++) {
        assert_member(port, nulls[i], "null");
        assert_member(unread, nulls[i], "null");
    }
    assert_member(port, "domain", "null");
    assert_member(port, "domain_uuid", "null");
    assert_member(port, "domain_state", "null");
    assert_member(port, "carrier", "null");
    assert_member(port, "addresses", "[]");
    assert_member(port, "problems", "[]");
    assert_member(port, "tap", "\"stray\"");
    assert_member(unread, "domain_state", "\"shut off\"");
    assert_member(unread, "tap", "null");
    assert_member(unread, "ifindex", "null");
    assert_member(unread, "mtu", "null");
}

static void test_network(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = facts->networks->pdata[0];
    TemplateValue *value = g_new0(TemplateValue, 1);
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(json_t) row = NULL;

    network->template_name = g_strdup("nat");
    value->name = g_strdup("bridge");
    value->value = g_strdup("virbr0");
    g_ptr_array_add(network->template_values, value);
    rows = network_rows(facts);
    row = json_of_network(rows->pdata[0]);
    assert_keys(row, NETWORK_KEYS);
    assert_member(row, "active", "true");
    assert_member(row, "forward", "\"nat\"");
    assert_member(row, "bridge_id", "\"0000.000000000000\"");
    assert_member(row, "stp", "true");
    assert_member(row, "forward_delay", "2.0");
    assert_member(row, "mtu", "1500");
    assert_member(row, "dns_domain", "null");
    assert_member(row, "interfaces", "[\"vnatp0\",\"vnet0\",\"vnet1\",\"vnet3\"]");
    assert_member(row, "template", "{\"name\":\"nat\",\"parameters\":{\"bridge\":\"virbr0\"}}");
    assert_member(row, "ips",
                  "[{\"address\":\"192.168.122.1\",\"prefix\":24,\"family\":\"ipv4\",\"dhcp\":{\"ranges\":"
                  "[{\"start\":\"192.168.122.2\",\"end\":\"192.168.122.254\"}],\"size\":253,\"leases\":3}}]");
    assert_member(row, "dnsmasq",
                  "{\"pid\":1000,\"user\":\"nobody\",\"config\":\"/var/lib/libvirt/dnsmasq/default.conf\","
                  "\"running\":true,\"listening\":true}");
    assert_member(row, "nat", "{\"backend\":\"iptables\",\"present\":true}");
}

static void test_network_unknown(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *bridged = world_network(facts, "bridged", "bridge", NULL);
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(json_t) row = NULL;
    g_autoptr(json_t) plain = NULL;

    bridged->mtu = 9000;
    dnsmasq->alive = FALSE;
    dnsmasq->unknown = TRUE;
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, NULL);
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_DOWN, NULL);
    rows = network_rows(facts);
    row = json_of_network(rows->pdata[0]);
    assert_keys(row, NETWORK_KEYS);
    assert_member(row, "dnsmasq",
                  "{\"pid\":null,\"user\":null,\"config\":\"/var/lib/libvirt/dnsmasq/default.conf\","
                  "\"running\":null,\"listening\":null}");
    assert_member(row, "nat", "{\"backend\":null,\"present\":null}");
    assert_member(row, "ips.0.dhcp.leases", "null");
    plain = json_of_network(rows->pdata[2]);
    assert_keys(plain, NETWORK_KEYS);
    assert_member(plain, "bridge", "null");
    assert_member(plain, "bridge_id", "null");
    assert_member(plain, "stp", "null");
    assert_member(plain, "forward_delay", "null");
    assert_member(plain, "mtu", "9000");
    assert_member(plain, "template", "null");
    assert_member(plain, "ips", "[]");
    assert_member(plain, "dnsmasq", "null");
    assert_member(plain, "nat", "{\"backend\":null,\"present\":null}");
    assert_member(plain, "interfaces", "[]");
}

/* Of a network that is not active it is known what does not run; of one without XML hardly anything is. */
static void test_network_inactive(void)
{
    g_autoptr(Facts) facts = world_host();
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(json_t) row = NULL;
    g_autoptr(json_t) bare = NULL;

    ((Network *)facts->networks->pdata[0])->active = FALSE;
    dnsmasq->alive = FALSE;
    dnsmasq->pid = 0;
    world_network(facts, "bare", NULL, NULL)->xml_read = FALSE;
    rows = network_rows(facts);
    row = json_of_network(rows->pdata[0]);
    assert_member(row, "dnsmasq.running", "false");
    assert_member(row, "nat", "{\"backend\":\"iptables\",\"present\":null}");
    bare = json_of_network(rows->pdata[2]);
    assert_keys(bare, NETWORK_KEYS);
    assert_member(bare, "forward", "\"unknown\"");
    assert_member(bare, "dnsmasq", "null");
    assert_member(bare, "nat", "{\"backend\":null,\"present\":null}");
}

static void test_lease(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = NULL;
    g_autoptr(json_t) owned = NULL;
    g_autoptr(json_t) stray = NULL;
    Lease *lease = world_lease(facts, "default", NULL, "192.168.122.77", 0);

    lease->prefix = 0;
    lease->iaid = g_strdup("12");
    map = map_join(facts);
    stray = json_of_lease(map->leases->pdata[0]); /* it has no MAC: first */
    owned = json_of_lease(map->leases->pdata[1]);
    assert_keys(owned, LEASE_KEYS);
    assert_member(owned, "network", "\"default\"");
    assert_member(owned, "bridge", "\"virbr0\"");
    assert_member(owned, "prefix", "24");
    assert_member(owned, "domain", "\"VM1\"");
    assert_member(owned, "tap", "\"vnet0\"");
    assert_member(owned, "attributed", "true");
    assert_keys(stray, LEASE_KEYS);
    assert_member(stray, "mac", "null");
    assert_member(stray, "prefix", "null");
    assert_member(stray, "iaid", "\"12\"");
    assert_member(stray, "expires", "null");
    assert_member(stray, "expires_epoch", "null");
    assert_member(stray, "domain", "null");
    assert_member(stray, "attributed", "false");
}

static void test_finding(void)
{
    Finding *finding = finding_new("tap-down", LEVEL_WARNING, OBJECT_INTERFACE, "vnet0");
    g_autoptr(json_t) obj = NULL;

    finding_message(finding, "it is down");
    finding_evidence(finding, "flags");
    obj = json_of_finding(finding);
    assert_keys(obj, "id level object message evidence remedy repair");
    assert_member(obj, "object", "{\"kind\":\"interface\",\"name\":\"vnet0\"}");
    assert_member(obj, "level", "\"warning\"");
    assert_member(obj, "evidence", "[\"flags\"]");
    assert_member(obj, "remedy", "null");
    assert_member(obj, "repair", "\"never\"");
    finding_free(finding);
}

static void test_template(void)
{
    static const char xml[] =
        "<network xmlns:vnat='urn:vnat:template:1'><vnat:param name='subnet' type='cidr4' "
        "default='10.0.0.0/24'/>"
        "<vnat:param name='bridge' type='ifname' optional='yes'/><name>x</name></network>";
    g_autoptr(GError) error = NULL;
    g_autoptr(Template) tmpl = template_parse(xml, strlen(xml), &error);
    TemplateRecord record = {.name = "nat", .path = "/x/nat.xml", .tmpl = tmpl};
    g_autoptr(json_t) obj = NULL;

    g_assert_no_error(error);
    obj = json_of_template(&record);
    assert_keys(obj, "name path description parameters shadowed error");
    assert_member(obj, "parameters",
                  "[{\"name\":\"subnet\",\"type\":\"cidr4\",\"default\":\"10.0.0.0/24\",\"optional\":false},"
                  "{\"name\":\"bridge\",\"type\":\"ifname\",\"default\":null,\"optional\":true}]");
    assert_member(obj, "shadowed", "false");
    assert_member(obj, "error", "null");
}

/* ---------------------------------------------------------------------------------------- document */

static void test_document(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    const JsonCollection collections[] = {
        {"interfaces", map->rows, json_of_interface}, {"leases", none, json_of_lease}, {NULL, NULL, NULL}};
    g_autofree char *bytes = NULL;
    g_autoptr(json_t) root = NULL;
    guint lines = 0;

    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_STALE, "late");
    source_status_set(&facts->sources[SOURCE_AGENT], SOURCE_UNREAD, NULL);
    root = document(facts, collections, &bytes);
    assert_keys(root, "schema host uri time sources interfaces leases");
    assert_member(root, "schema", "1");
    assert_member(root, "host", "\"host\"");
    assert_member(root, "uri", "\"qemu:///system\"");
    assert_member(root, "time", "\"2026-09-21T14:13:20Z\"");
    assert_member(root, "sources",
                  "{\"libvirt\":\"live\",\"links\":\"live\",\"neighbours\":\"live\",\"leases\":\"stale\","
                  "\"firewall\":\"live\",\"processes\":\"live\"}");
    assert_member(root, "leases", "[]");
    g_assert_cmpuint(json_array_size(json_object_get(root, "interfaces")), ==, map->rows->len);
    /* One record a line, so that grep and diff are of use. */
    for (const char *p = bytes; (p = strstr(p, "\n{\"domain\":")); p++)
        lines++;
    g_assert_cmpuint(lines, ==, map->rows->len);
    g_assert_true(g_str_has_suffix(bytes, "}\n"));
}

/* Who named the host need not have done it in UTF-8. */
static void test_document_lossy(void)
{
    g_autoptr(Facts) facts = world_new();
    g_autoptr(json_t) root = NULL;

    g_free(facts->host);
    facts->host = g_strdup("lab\xff");
    root = document(facts, (const JsonCollection[]){{NULL, NULL, NULL}}, NULL);
    assert_member(root, "host", "\"lab\xef\xbf\xbd\"");
    assert_member(root, "host_hex", "\"6c6162ff\"");
    g_assert_null(json_object_get(root, "uri_hex"));
}

static void test_document_bare(void)
{
    g_autoptr(Facts) facts = facts_new();
    const JsonCollection collections[] = {{NULL, NULL, NULL}};
    g_autoptr(json_t) root = document(facts, collections, NULL);

    assert_keys(root, "schema host uri time sources");
    assert_member(root, "host", "null");
    assert_member(root, "uri", "null");
    assert_member(root, "sources", "{}");
}

/* -------------------------------------------------------------------------------------------- text */

static void test_text(void)
{
    g_autoptr(json_t) obj = json_object();

    json_put_text(obj, "plain", "caf\xc3\xa9");
    json_put_text(obj, "none", NULL);
    json_put_text(obj, "raw", "a\xff\x7f");
    assert_keys(obj, "plain none raw raw_hex");
    assert_member(obj, "none", "null");
    assert_member(obj, "raw_hex", "\"61ff7f\"");
    g_assert_cmpstr(json_string_value(json_object_get(obj, "raw")), ==, "a\xef\xbf\xbd\x7f");
    g_assert_cmpstr(json_string_value(json_object_get(obj, "plain")), ==, "caf\xc3\xa9");
}

static void test_time(void)
{
    g_autoptr(json_t) obj = json_object();

    json_put_time(obj, "at", TRUE, 0);
    json_put_time(obj, "never", FALSE, 7);
    json_put_time(obj, "far", TRUE, G_MAXINT64);
    assert_keys(obj, "at at_epoch never never_epoch far far_epoch");
    assert_member(obj, "at", "\"1970-01-01T00:00:00Z\"");
    assert_member(obj, "at_epoch", "0");
    assert_member(obj, "never", "null");
    assert_member(obj, "never_epoch", "null");
    assert_member(obj, "far", "null");
    assert_member(obj, "far_epoch", "9223372036854775807");
}

static const Lease *hostile_lease(Facts *facts, const char *bytes)
{
    Lease *lease = world_lease(facts, "default", "52:54:00:00:00:01", "192.168.122.11", 60);

    lease->hostname = g_strdup(bytes);
    lease->client_id = g_strdup(bytes);
    return lease;
}

/* The document of a lease whose texts are these bytes: printable ASCII but for line feeds between records. */
static json_t *hostile_document(const char *bytes, char **text)
{
    g_autoptr(Facts) facts = world_new();
    g_autoptr(Map) map = NULL;
    JsonCollection collections[] = {{"leases", NULL, json_of_lease}, {NULL, NULL, NULL}};
    json_t *root;

    world_network(facts, "default", "nat", "virbr0");
    hostile_lease(facts, bytes);
    g_free(facts->host);
    facts->host = g_strdup(bytes);
    map = map_join(facts);
    collections[0].records = map->leases;
    root = document(facts, collections, text);
    for (const char *p = *text; *p; p++)
        g_assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    return root;
}

static void test_escapes(void)
{
    g_autofree char *text = NULL;
    g_autoptr(json_t) root = hostile_document("\x7f\xe2\x80\xae\033\"\\\n\xc2\x9b\xf0\x9f\x90\xa7", &text);

    g_assert_nonnull(strstr(text, "\"\\u007f\\u202E\\u001B\\\"\\\\\\n\\u009B\\uD83D\\uDC27\""));
    g_assert_null(strstr(text, "_hex"));
    g_assert_true(json_is_object(root));
}

static void test_random(void)
{
    guint32 seed = (guint32)g_test_rand_int();

    g_test_message("seed %u", seed);
    for (guint round = 0; round < 2000; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed + round);
        char bytes[24] = {0};
        g_autofree char *text = NULL;
        g_autofree char *path = NULL;
        g_autoptr(json_t) root = NULL;
        gboolean valid;

        for (gint i = g_rand_int_range(rand, 0, sizeof(bytes)) - 1; i >= 0; i--)
            bytes[i] = (char)g_rand_int_range(rand, 1, g_rand_boolean(rand) ? 0x80 : 0x100);
        valid = g_utf8_validate(bytes, -1, NULL);
        root = hostile_document(bytes, &text);
        path = member(root, "leases.0.hostname_hex");
        if (valid) {
            json_t *lease = json_array_get(json_object_get(root, "leases"), 0);

            g_assert_null(path);
            g_assert_cmpstr(json_string_value(json_object_get(lease, "hostname")), ==, bytes);
        } else {
            g_autoptr(GString) hex = g_string_new("\"");

            for (const char *p = bytes; *p; p++)
                g_string_append_printf(hex, "%02x", (guchar)*p);
            g_string_append_c(hex, '"');
            g_assert_cmpstr(path, ==, hex->str);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view-json/interface", test_interface);
    g_test_add_func("/view-json/interface/unknown", test_interface_unknown);
    g_test_add_func("/view-json/network", test_network);
    g_test_add_func("/view-json/network/unknown", test_network_unknown);
    g_test_add_func("/view-json/network/inactive", test_network_inactive);
    g_test_add_func("/view-json/lease", test_lease);
    g_test_add_func("/view-json/finding", test_finding);
    g_test_add_func("/view-json/template", test_template);
    g_test_add_func("/view-json/document", test_document);
    g_test_add_func("/view-json/document/bare", test_document_bare);
    g_test_add_func("/view-json/document/lossy", test_document_lossy);
    g_test_add_func("/view-json/text", test_text);
    g_test_add_func("/view-json/time", test_time);
    g_test_add_func("/view-json/escapes", test_escapes);
    g_test_add_func("/view-json/random", test_random);
    return g_test_run();
}
