/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/libvirt.h"

#include <string.h>

/* Documents recorded from libvirt 9.0: tests/unit/data/libvirt. */

static char *data_read(const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(TEST_DATA, "libvirt", name, NULL);
    g_autoptr(GError) error = NULL;
    char *bytes = NULL;

    g_file_get_contents(path, &bytes, length, &error);
    g_assert_no_error(error);
    return bytes;
}

static Domain *domain_read(const char *name)
{
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    g_autofree char *xml = data_read(name, &length);
    Domain *domain = libvirt_parse_domain(xml, length, &error);

    g_assert_no_error(error);
    return domain;
}

static Network *network_read(const char *name)
{
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    g_autofree char *xml = data_read(name, &length);
    Network *network = libvirt_parse_network(xml, length, &error);

    g_assert_no_error(error);
    return network;
}

/* ----------------------------------------------------------------------------------------- domains */

typedef struct {
    const char *type, *source, *network, *bridge, *model, *target, *alias;
} Expected;

static void assert_interfaces(const Domain *domain, const Expected *expected, guint count)
{
    g_assert_cmpuint(domain->interfaces->len, ==, count);
    for (guint i = 0; i < count; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];

        g_assert_cmpstr(iface->type, ==, expected[i].type);
        g_assert_cmpstr(iface->source, ==, expected[i].source);
        g_assert_cmpstr(iface->network, ==, expected[i].network);
        g_assert_cmpstr(iface->bridge, ==, expected[i].bridge);
        g_assert_cmpstr(iface->model, ==, expected[i].model);
        g_assert_cmpstr(iface->target, ==, expected[i].target);
        g_assert_cmpstr(iface->alias, ==, expected[i].alias);
        g_assert_true(iface->has_mac);
    }
}

static void test_domain_live(void)
{
    static const Expected expected[] = {
        {"network", "default", "default", "virbr0", "virtio", "vnet0", "net0"},
        {"bridge", "br0", NULL, "br0", "e1000", "vnet1", "net1"},
        {"user", NULL, NULL, NULL, "rtl8139", NULL, "net2"},
        {"direct", "dm0", NULL, NULL, "virtio", "macvtap0", "net3"},
        {"network", "second", "second", "virbr7", "virtio", "mytap", "net4"},
        {"ethernet", NULL, NULL, NULL, "rtl8139", "eth-tap", "net5"},
    };
    g_autoptr(Domain) domain = domain_read("live.xml");
    const DomainInterface *iface;
    char mac[MAC_TEXT];

    g_assert_cmpstr(domain->name, ==, "VM1");
    g_assert_cmpstr(domain->uuid, ==, "fd737899-1521-4395-95a4-1f74c57e93ba");
    g_assert_cmpint(domain->id, ==, 1);
    g_assert_true(domain->xml_read);
    g_assert_false(domain->agent_connected);
    assert_interfaces(domain, expected, G_N_ELEMENTS(expected));
    iface = domain->interfaces->pdata[0];
    g_assert_cmpstr(mac_format(&iface->mac, mac), ==, "52:54:00:00:00:01");
    g_assert_cmpstr(iface->portid, ==, "0f551667-f23a-4c82-8e20-98016931a72d");
    g_assert_cmpint(iface->link, ==, LINK_UNSET);
    g_assert_cmpuint(iface->mtu, ==, 0);
    g_assert_false(iface->isolated);
    iface = domain->interfaces->pdata[4];
    g_assert_cmpint(iface->link, ==, LINK_DOWN);
    g_assert_cmpuint(iface->mtu, ==, 1400);
    g_assert_true(iface->isolated);
    g_assert_false(iface->has_vlan);
    g_assert_false(iface->has_virtualport);
}

/* What live XML makes of networks that lend out a bridge or a device of others. */
static void test_domain_actual(void)
{
    static const char xml[] =
        "<domain id='1'><name>x</name><uuid>fd737899-1521-4395-95a4-1f74c57e93ba</uuid><devices>"
        "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
        "<source network='brn' portid='0f551667-f23a-4c82-8e20-98016931a72d' bridge='br0'/>"
        "<target dev='vnet0'/></interface>"
        "<interface type='direct'><mac address='52:54:00:00:00:02'/>"
        "<source network='mv' dev='dm0' mode='bridge'/><target dev='macvtap0'/></interface>"
        "</devices></domain>";
    static const Expected expected[] = {
        {"bridge", "brn", "brn", "br0", NULL, "vnet0", NULL},
        {"direct", "mv", "mv", NULL, NULL, "macvtap0", NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) domain = libvirt_parse_domain(xml, strlen(xml), &error);

    g_assert_no_error(error);
    assert_interfaces(domain, expected, G_N_ELEMENTS(expected));
}

static void test_domain_inactive(void)
{
    static const Expected expected[] = {
        {"network", "default", "default", NULL, "virtio", NULL, NULL},
        {"bridge", "br0", NULL, "br0", "e1000", NULL, NULL},
        {"user", NULL, NULL, NULL, "rtl8139", NULL, NULL},
        {"direct", "dm0", NULL, NULL, "virtio", NULL, NULL},
        {"network", "second", "second", NULL, "virtio", "mytap", NULL},
        {"ethernet", NULL, NULL, NULL, "rtl8139", "eth-tap", NULL},
    };
    g_autoptr(Domain) domain = domain_read("inactive.xml");

    g_assert_cmpint(domain->id, ==, -1);
    assert_interfaces(domain, expected, G_N_ELEMENTS(expected));
}

static Domain *domain_of(const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml =
        g_strdup_printf("<domain id='0'><name>a&#10;b</name><uuid>u</uuid><metadata><x:devices "
                        "xmlns:x='urn:x'><interface type='bridge'/></x:devices></metadata>"
                        "<devices>%s</devices></domain>",
                        devices);
    Domain *domain = libvirt_parse_domain(xml, strlen(xml), &error);

    g_assert_no_error(error);
    return domain;
}

/* What libvirt hardly writes, and what it does elsewhere in its documents. */
static void test_domain_odd(void)
{
    g_autoptr(Domain) domain = domain_of(
        "<interface type='network'><mac address='52:54:00:00:00:01' currentAddress='02:00:00:00:00:02'/>"
        "<source portgroup='p' network='n'/><vlan/><virtualport type='openvswitch'/><link "
        "state='up'/></interface>"
        "<interface/>"
        "<interface type='vhostuser'><mac address='nonsense'/><source type='unix' path='/tmp/x' "
        "mode='server'/>"
        "<mtu size='99999999999'/></interface>"
        "<interface type='network'><source network=''/><mac address='52:54:00:00:00:03' "
        "currentAddress='?'/></interface>"
        "<hostdev><interface type='bridge'/></hostdev>"
        "<channel type='unix'><target type='virtio' name='other' state='connected'/></channel>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' "
        "state='connected'/></channel>"
        "<channel type='unix'><target type='virtio' name='com.redhat.spice.0' "
        "state='disconnected'/></channel>");
    const DomainInterface *iface = domain->interfaces->pdata[0];
    char mac[MAC_TEXT];

    g_assert_cmpint(domain->id, ==, 0);
    g_assert_cmpstr(domain->name, ==, "a\nb");
    g_assert_true(domain->agent_connected);
    g_assert_cmpuint(domain->interfaces->len, ==, 4);
    g_assert_cmpstr(mac_format(&iface->mac, mac), ==, "02:00:00:00:00:02");
    g_assert_cmpstr(iface->source, ==, "n");
    g_assert_true(iface->has_vlan);
    g_assert_true(iface->has_virtualport);
    g_assert_cmpint(iface->link, ==, LINK_UP);
    iface = domain->interfaces->pdata[1];
    g_assert_null(iface->type);
    g_assert_false(iface->has_mac);
    iface = domain->interfaces->pdata[2];
    g_assert_cmpstr(iface->source, ==, "/tmp/x");
    g_assert_false(iface->has_mac);
    g_assert_cmpuint(iface->mtu, ==, 0);
    iface = domain->interfaces->pdata[3];
    g_assert_cmpstr(iface->network, ==, "");
    g_assert_cmpstr(mac_format(&iface->mac, mac), ==, "52:54:00:00:00:03");
}

/* The number of a domain that runs, 0 among them; what is no such number says that it does not. */
static void test_domain_id(void)
{
    static const struct {
        const char *id;
        gint expected;
    } cases[] = {{"0", 0},           {"7", 7},   {"2147483647", G_MAXINT},
                 {"2147483648", -1}, {"-1", -1}, {"", -1},
                 {"x", -1},          {"1x", -1}, {" 1", -1}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain id='%s'><name>a</name><uuid>u</uuid></domain>", cases[i].id);
        g_autoptr(Domain) domain = libvirt_parse_domain(xml, strlen(xml), NULL);

        g_assert_cmpint(domain->id, ==, cases[i].expected);
    }
}

/* Attributes and elements of others are not libvirt's, whatever they are called. */
static void test_domain_foreign(void)
{
    g_autoptr(Domain) domain =
        domain_of("<interface type='bridge'><source xmlns:x='urn:x' x:network='no' bridge='br0'/>"
                  "<x:target xmlns:x='urn:x' dev='no'/></interface>");
    const DomainInterface *iface = domain->interfaces->pdata[0];

    g_assert_cmpstr(iface->source, ==, "br0");
    g_assert_null(iface->network);
    g_assert_null(iface->target);
}

static void test_domain_refused(void)
{
    static const char *const documents[] = {
        "",
        "<domain/>",
        "<domain><name>a</name></domain>",
        "<domain><uuid>u</uuid></domain>",
        "<network><name>a</name><uuid>u</uuid></network>",
        "<!DOCTYPE domain><domain><name>a</name><uuid>u</uuid></domain>",
        "<domain xmlns='urn:x'><name>a</name><uuid>u</uuid></domain>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(libvirt_parse_domain(documents[i], strlen(documents[i]), &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

/* Cut anywhere before its end tag it is refused, never half read. */
static void test_domain_truncated(void)
{
    gsize length = 0;
    g_autofree char *xml = data_read("live.xml", &length);
    gsize whole = (gsize)(g_strrstr(xml, "</domain>") - xml) + strlen("</domain>");

    for (gsize i = 0; i < whole; i++) {
        g_autofree char *cut = g_memdup2(xml, MAX(i, 1));
        g_autoptr(GError) error = NULL;

        g_assert_null(libvirt_parse_domain(cut, i, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

/* ---------------------------------------------------------------------------------------- networks */

static void test_network_nat(void)
{
    static const char *const files[] = {"net-live.xml", "net-inactive.xml"};

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(Network) network = network_read(files[i]);
        const NetworkIp *ip = network->ips->pdata[0];
        g_autofree char *net = ipnet_to_string(&ip->net);
        const DhcpRange *range = &g_array_index(ip->ranges, DhcpRange, 0);

        g_assert_cmpstr(network->name, ==, "default");
        g_assert_cmpstr(network->forward, ==, "nat");
        g_assert_cmpstr(network->bridge, ==, "virbr0");
        g_assert_false(network->stp);
        g_assert_false(network->nat_ipv6);
        g_assert_null(network->nat_start);
        g_assert_true(network->dns_enabled);
        g_assert_false(network->active);
        g_assert_null(network->template_name);
        g_assert_cmpuint(network->ips->len, ==, 1);
        g_assert_cmpstr(net, ==, "192.168.122.1/24");
        g_assert_true(ip->dhcp);
        g_assert_false(ip->has_host);
        g_assert_cmpuint(ip->ranges->len, ==, 1);
        g_assert_cmpuint(ip_range_size(&range->first, &range->last), ==, 253);
    }
}

static void test_network_full(void)
{
    g_autoptr(Network) network = network_read("net-full.xml");
    const NetworkIp *v4 = network->ips->pdata[0], *v6 = network->ips->pdata[1];
    const TemplateValue *value;

    g_assert_true(network->nat_ipv6);
    g_assert_cmpstr(network->nat_start, ==, "203.0.113.10");
    g_assert_cmpfloat(network->delay, ==, 3.0);
    g_assert_true(network->mac_table_libvirt);
    g_assert_cmpuint(network->mtu, ==, 9000);
    g_assert_cmpstr(network->domain_name, ==, "lab.test");
    g_assert_false(network->dns_enabled);
    g_assert_true(network->tftp);
    g_assert_true(network->port_isolated);
    g_assert_cmpuint(v4->ranges->len, ==, 2);
    g_assert_true(v4->has_host);
    g_assert_cmpuint(v6->net.ip.family, ==, 6);
    g_assert_cmpuint(v6->net.prefix, ==, 64);
    g_assert_cmpstr(network->template_name, ==, "nat-ipv6");
    g_assert_cmpuint(network->template_values->len, ==, 2);
    value = network->template_values->pdata[1];
    g_assert_cmpstr(value->name, ==, "domain");
    g_assert_cmpstr(value->value, ==, "lab.test");
}

static void test_network_modes(void)
{
    static const struct {
        const char *file, *forward, *bridge;
        gboolean owns;
    } expected[] = {
        {"net-open.xml", "open", "virbr11", TRUE},
        {"net-route.xml", "route", "virbr12", TRUE},
        {"net-isolated.xml", "isolated", "virbr13", TRUE},
        {"net-bridge.xml", "bridge", "br0", FALSE},
        {"net-macvtap.xml", "bridge", NULL, FALSE},
        {"net-passthrough.xml", "passthrough", NULL, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(Network) network = network_read(expected[i].file);

        g_assert_cmpstr(network->forward, ==, expected[i].forward);
        g_assert_cmpstr(network->bridge, ==, expected[i].bridge);
        g_assert_cmpint(network_owns_bridge(network), ==, expected[i].owns);
    }
}

static void test_network_odd(void)
{
    static const char xml[] =
        "<network><name>n</name><forward/><bridge name='b' delay='-1' zone='z'/><mtu size='x'/>"
        "<metadata><template xmlns='urn:other' name='no'/><t:template "
        "xmlns:t='urn:vnat:template:1' name=''><t:parameter name='a'/><parameter name='b' "
        "value='c'/></t:template></metadata>"
        "<ip/><ip address='nonsense'/><ip address='10.0.0.1' netmask='255.0.255.0'/>"
        "<ip address='10.0.0.1' prefix='8'><dhcp><range start='x' end='y'/></dhcp></ip></network>";
    g_autoptr(GError) error = NULL;
    g_autoptr(Network) network = libvirt_parse_network(xml, strlen(xml), &error);

    g_assert_no_error(error);
    g_assert_cmpstr(network->forward, ==, "nat");
    g_assert_true(network->stp);
    g_assert_cmpfloat(network->delay, ==, 0);
    g_assert_cmpstr(network->zone, ==, "z");
    g_assert_cmpuint(network->mtu, ==, 0);
    g_assert_cmpstr(network->template_name, ==, "");
    g_assert_cmpuint(network->template_values->len, ==, 0);
    g_assert_cmpuint(network->ips->len, ==, 1);
    g_assert_true(((const NetworkIp *)network->ips->pdata[0])->dhcp);
    g_assert_cmpuint(((const NetworkIp *)network->ips->pdata[0])->ranges->len, ==, 0);
}

static void test_network_delay(void)
{
    static const struct {
        const char *text;
        double seconds;
    } cases[] = {{"0", 0},          {"2", 2},     {"0.5", 0.5}, {"2147483647", 2147483647.0},
                 {"2147483648", 0}, {"1e300", 0}, {"-1", 0},    {"inf", 0},
                 {"nan", 0},        {"", 0},      {"x", 0},     {"2s", 0},
                 {"0x", 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<network><name>n</name><bridge delay='%s'/></network>", cases[i].text);
        g_autoptr(Network) network = libvirt_parse_network(xml, strlen(xml), NULL);

        g_assert_cmpfloat(network->delay, ==, cases[i].seconds);
    }
}

/* Half a range is none, and does not take the others along. */
static void test_network_ranges(void)
{
    static const char xml[] =
        "<network><name>n</name><ip address='10.0.0.1' prefix='24'><dhcp><range/><range start='10.0.0.2'/>"
        "<range end='10.0.0.3'/><range start='10.0.0.4' end='x'/><range start='10.0.0.5' end='10.0.0.6'/>"
        "</dhcp></ip></network>";
    g_autoptr(Network) network = libvirt_parse_network(xml, strlen(xml), NULL);
    const NetworkIp *ip = network->ips->pdata[0];
    char first[IP_TEXT];

    g_assert_cmpuint(ip->ranges->len, ==, 1);
    g_assert_cmpstr(ip_format(&g_array_index(ip->ranges, DhcpRange, 0).first, first), ==, "10.0.0.5");
}

/* The record of a rendering among what others keep in the metadata; parameters with a name and a value. */
static void test_network_record(void)
{
    static const char xml[] =
        "<network><name>n</name><metadata>text<template name='no namespace'/>"
        "<t:other xmlns:t='urn:vnat:template:1' name='other'/>"
        "<t:template xmlns:t='urn:vnat:template:1' name='nat'>text<t:parameter name='a' value='1'/>"
        "<t:parameter name='b'/><t:parameter value='2'/><t:parameters name='c' value='3'/>"
        "<o:parameter xmlns:o='urn:o' name='d' value='4'/><t:parameter name='e' value=''/></t:template>"
        "<t:template xmlns:t='urn:vnat:template:1' name='second'/></metadata></network>";
    g_autoptr(Network) network = libvirt_parse_network(xml, strlen(xml), NULL);
    const GPtrArray *values = network->template_values;

    g_assert_cmpstr(network->template_name, ==, "nat");
    g_assert_cmpuint(values->len, ==, 2);
    g_assert_cmpstr(((const TemplateValue *)values->pdata[0])->name, ==, "a");
    g_assert_cmpstr(((const TemplateValue *)values->pdata[0])->value, ==, "1");
    g_assert_cmpstr(((const TemplateValue *)values->pdata[1])->name, ==, "e");
    g_assert_cmpstr(((const TemplateValue *)values->pdata[1])->value, ==, "");
}

static void test_network_refused(void)
{
    static const char *const documents[] = {
        "",
        "<network/>",
        "<network><uuid>u</uuid></network>",
        "<domain><name>a</name><uuid>u</uuid></domain>",
        "<network xmlns='urn:x'><name>n</name></network>",
        "<!DOCTYPE network><network><name>n</name></network>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(libvirt_parse_network(documents[i], strlen(documents[i]), &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

static void test_network_truncated(void)
{
    gsize length = 0;
    g_autofree char *xml = data_read("net-full.xml", &length);
    gsize whole = (gsize)(g_strrstr(xml, "</network>") - xml) + strlen("</network>");

    for (gsize i = 0; i < whole; i++) {
        g_autofree char *cut = g_memdup2(xml, MAX(i, 1));
        g_autoptr(GError) error = NULL;

        g_assert_null(libvirt_parse_network(cut, i, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

/* ------------------------------------------------------------------------------------------ leases */

static void test_leases(void)
{
    static const struct {
        const char *ip, *mac, *hostname;
    } expected[] = {
        {"192.168.122.214", "52:54:00:11:11:04", NULL},
        {"192.168.122.212", "52:54:00:11:11:02", "e\x1b[31mvil"},
        {"192.168.122.213", "52:54:00:11:11:03", "a\nb\"c"},
        {"192.168.122.211", "52:54:00:11:11:01", "plain"},
    };
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    g_autofree char *json = data_read("leases.status", &length);
    guint bad = 9;
    g_autoptr(GPtrArray) leases = lease_file_parse(json, length, &bad, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(bad, ==, 0);
    g_assert_cmpuint(leases->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];
        char ip[IP_TEXT], mac[MAC_TEXT];

        g_assert_cmpstr(ip_format(&lease->ip, ip), ==, expected[i].ip);
        g_assert_cmpstr(mac_format(&lease->mac, mac), ==, expected[i].mac);
        g_assert_true(lease->has_mac);
        g_assert_cmpstr(lease->hostname, ==, expected[i].hostname);
        g_assert_nonnull(lease->client_id);
        g_assert_cmpint(lease->expiry, ==, 1795354464);
        g_assert_null(lease->network);
    }
}

static void test_leases_bad(void)
{
#define GOOD "\"ip-address\": \"10.0.0.1\", \"mac-address\": \"52:54:00:00:00:01\""
    static const struct {
        const char *json;
        guint good, bad;
    } expected[] = {
        {"", 0, 0},
        {"[]", 0, 0},
        {"[{" GOOD ", \"expiry-time\": 0}]", 1, 0},
        {"[{" GOOD ", \"expiry-time\": 0, \"hostname\": \"x\xe2\x80\xae\xff\"}]", 1, 0},
        {"[{" GOOD ", \"expiry-time\": 0, \"hostname\": 7, \"client-id\": null}]", 1, 0},
        {"[{" GOOD "}]", 0, 1},
        {"[{" GOOD ", \"expiry-time\": -1}]", 0, 1},
        {"[{" GOOD ", \"expiry-time\": \"1\"}]", 0, 1},
        {"[{" GOOD ", \"expiry-time\": 1.5}]", 0, 1},
        {"[{\"ip-address\": \"10.0.0.1\", \"expiry-time\": 0}]", 0, 1},
        {"[{\"ip-address\": \"10.0.0.1\", \"mac-address\": \"52:54:00\", \"expiry-time\": 0}]", 0, 1},
        {"[{\"mac-address\": \"52:54:00:00:00:01\", \"expiry-time\": 0}]", 0, 1},
        {"[{\"ip-address\": \"10.0.0.1/8\", \"mac-address\": \"52:54:00:00:00:01\", \"expiry-time\": 0}]", 0,
         1},
        {"[1, null, [], {}, {" GOOD ", \"expiry-time\": 1}]", 1, 4},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        guint bad = 9;
        g_autoptr(GPtrArray) leases =
            lease_file_parse(expected[i].json, strlen(expected[i].json), &bad, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(leases->len, ==, expected[i].good);
        g_assert_cmpuint(bad, ==, expected[i].bad);
    }
}

static void test_leases_raw(void)
{
    static const char json[] = "[{" GOOD ", \"expiry-time\": 0, \"hostname\": \"x\xe2\x80\xae\xff\x01\"}]";
    guint bad = 0;
    g_autoptr(GPtrArray) leases = lease_file_parse(json, sizeof json - 1, &bad, NULL);

    /* A raw control byte is no JSON: then there is no list at all. */
    g_assert_null(leases);
}

static void test_leases_truncated(void)
{
    gsize length = 0;
    g_autofree char *json = data_read("leases.status", &length);
    gsize whole = (gsize)(g_strrstr(json, "]") - json) + 1;

    for (gsize i = 1; i < whole; i++) {
        g_autofree char *cut = g_memdup2(json, i);
        g_autoptr(GError) error = NULL;
        guint bad = 0;

        g_assert_null(lease_file_parse(cut, i, &bad, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

static void test_leases_refused(void)
{
    static const char *const documents[] = {
        "{}", "null", "1", "[] []", "[{\"a\": 1, \"a\": 2}]", "[[[[[[[[[[]]]]]]]]]]", "\xff", "[\"", "\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;
        guint bad = 0;

        g_assert_null(lease_file_parse(documents[i], strlen(documents[i]), &bad, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-parse/domain/live", test_domain_live);
    g_test_add_func("/libvirt-parse/domain/actual", test_domain_actual);
    g_test_add_func("/libvirt-parse/domain/inactive", test_domain_inactive);
    g_test_add_func("/libvirt-parse/domain/odd", test_domain_odd);
    g_test_add_func("/libvirt-parse/domain/id", test_domain_id);
    g_test_add_func("/libvirt-parse/domain/foreign", test_domain_foreign);
    g_test_add_func("/libvirt-parse/domain/refused", test_domain_refused);
    g_test_add_func("/libvirt-parse/domain/truncated", test_domain_truncated);
    g_test_add_func("/libvirt-parse/network/nat", test_network_nat);
    g_test_add_func("/libvirt-parse/network/full", test_network_full);
    g_test_add_func("/libvirt-parse/network/modes", test_network_modes);
    g_test_add_func("/libvirt-parse/network/odd", test_network_odd);
    g_test_add_func("/libvirt-parse/network/delay", test_network_delay);
    g_test_add_func("/libvirt-parse/network/ranges", test_network_ranges);
    g_test_add_func("/libvirt-parse/network/record", test_network_record);
    g_test_add_func("/libvirt-parse/network/refused", test_network_refused);
    g_test_add_func("/libvirt-parse/network/truncated", test_network_truncated);
    g_test_add_func("/libvirt-parse/leases", test_leases);
    g_test_add_func("/libvirt-parse/leases/bad", test_leases_bad);
    g_test_add_func("/libvirt-parse/leases/raw", test_leases_raw);
    g_test_add_func("/libvirt-parse/leases/truncated", test_leases_truncated);
    g_test_add_func("/libvirt-parse/leases/refused", test_leases_refused);
    return g_test_run();
}
