/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "redact-leaks.h"
#include "sources/libvirt.h"
#include "sources/redact-sources.h"

/* XML of networks and domains: what remains of it, and that it says the same of other names. */

static const guint8 fixed_key[REDACT_KEY_BYTES + 1] = "a key that is the same each time";

typedef char *(*RedactXml)(Redactor *redactor, const char *xml, GError **error);

static char *redacted(Redactor *redactor, RedactXml redact, const char *xml)
{
    g_autoptr(GError) error = NULL;
    char *text = redact(redactor, xml, &error);

    g_assert_no_error(error);
    return text;
}

/* ---------------------------------------------------------------------------------- whole documents */

/* Every element and attribute that is known, and some that are not: byte for byte. */
static void assert_document(RedactXml redact, const char *before_file, const char *after_file)
{
    static const char *const secrets[] = {"secret", "acme", "sons", "urn:", "/srv", "com.", NULL};
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *before = read_test_data(before_file);
    g_autofree char *after = read_test_data(after_file);
    g_autofree char *text = redacted(redactor, redact, before);
    g_autofree char *ours = g_strdup(strstr(text, "urn:vnat"));

    g_assert_cmpstr(text, ==, after);
    assert_no_leaks(before, text);
    if (ours)
        memset(strstr(text, "urn:vnat"), 'x', strlen("urn:vnat"));
    assert_none_of(secrets, text);
}

static void test_network_document(void)
{
    assert_document(redact_network_xml, "redact/network.xml", "redact/network-redacted.xml");
}

static void test_domain_document(void)
{
    assert_document(redact_domain_xml, "redact/domain.xml", "redact/domain-redacted.xml");
}

/* The same redactor says the same again; what it made is as any other text. */
static void test_redacted_twice(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *before = read_test_data("redact/network.xml");
    g_autofree char *once = redacted(redactor, redact_network_xml, before);
    g_autofree char *again = redacted(redactor, redact_network_xml, before);
    g_autofree char *twice = redacted(redactor, redact_network_xml, once);

    g_assert_cmpstr(once, ==, again);
    assert_no_leaks(once, twice);
}

/* ------------------------------------------------------------------------------- what the parsers say */

static Network *parse_network(const char *xml)
{
    g_autoptr(GError) error = NULL;
    Network *network = libvirt_parse_network(xml, strlen(xml), &error);

    g_assert_no_error(error);
    return network;
}

static void assert_name(Redactor *redactor, RedactKind kind, const char *before, const char *after)
{
    g_autofree char *token = redact_name(redactor, kind, before);

    g_assert_cmpstr(token, ==, after);
}

static void assert_uuid(Redactor *redactor, const char *before, const char *after)
{
    g_autofree char *token = redact_uuid(redactor, before);

    g_assert_cmpstr(token, ==, after);
}

static void assert_ranges(Redactor *redactor, const NetworkIp *before, const NetworkIp *after)
{
    g_assert_cmpuint(before->ranges->len, ==, after->ranges->len);
    for (guint i = 0; i < before->ranges->len; i++) {
        DhcpRange range = g_array_index(before->ranges, DhcpRange, i);
        const DhcpRange *other = &g_array_index(after->ranges, DhcpRange, i);

        g_assert_cmpuint(ip_range_size(&range.first, &range.last), ==,
                         ip_range_size(&other->first, &other->last));
        redact_ip(redactor, &range.first);
        g_assert_true(ip_equal(&range.first, &other->first));
        g_assert_true(ipnet_contains(&after->net, &other->first));
        g_assert_true(ipnet_contains(&after->net, &other->last));
    }
}

static void assert_ips(Redactor *redactor, const Network *before, const Network *after)
{
    g_assert_cmpuint(before->ips->len, ==, after->ips->len);
    for (guint i = 0; i < before->ips->len; i++) {
        const NetworkIp *ip = before->ips->pdata[i];
        const NetworkIp *other = after->ips->pdata[i];
        IpNet net = ip->net;

        redact_net(redactor, &net);
        g_assert_true(ip_equal(&net.ip, &other->net.ip));
        g_assert_cmpuint(net.prefix, ==, other->net.prefix);
        g_assert_cmpint(ip->dhcp, ==, other->dhcp);
        g_assert_cmpint(ip->has_host, ==, other->has_host);
        assert_ranges(redactor, ip, other);
    }
}

static void assert_same_network(Redactor *redactor, const Network *before, const Network *after)
{
    assert_name(redactor, REDACT_NETWORK, before->name, after->name);
    assert_name(redactor, REDACT_IFNAME, before->bridge, after->bridge);
    assert_name(redactor, REDACT_DNS, before->domain_name, after->domain_name);
    assert_name(redactor, REDACT_ZONE, before->zone, after->zone);
    assert_name(redactor, REDACT_TEMPLATE, before->template_name, after->template_name);
    assert_uuid(redactor, before->uuid, after->uuid);
    g_assert_cmpstr(before->forward, ==, after->forward);
    g_assert_cmpint(before->nat_ipv6, ==, after->nat_ipv6);
    g_assert_cmpint(before->nat_start != NULL, ==, after->nat_start != NULL);
    g_assert_cmpint(before->stp, ==, after->stp);
    g_assert_cmpfloat(before->delay, ==, after->delay);
    g_assert_cmpint(before->mac_table_libvirt, ==, after->mac_table_libvirt);
    g_assert_cmpuint(before->mtu, ==, after->mtu);
    g_assert_cmpint(before->dns_enabled, ==, after->dns_enabled);
    g_assert_cmpint(before->tftp, ==, after->tftp);
    g_assert_cmpint(before->port_isolated, ==, after->port_isolated);
    g_assert_cmpuint(before->template_values->len, ==, after->template_values->len);
    assert_ips(redactor, before, after);
}

static Domain *parse_domain(const char *xml)
{
    g_autoptr(GError) error = NULL;
    Domain *domain = libvirt_parse_domain(xml, strlen(xml), &error);

    g_assert_no_error(error);
    return domain;
}

/* The source is one of its attributes. */
static void assert_source(Redactor *redactor, const DomainInterface *before, const DomainInterface *after)
{
    if (before->source && g_strcmp0(before->source, before->network) == 0)
        g_assert_cmpstr(after->source, ==, after->network);
    else if (before->source && g_strcmp0(before->source, before->bridge) == 0)
        g_assert_cmpstr(after->source, ==, after->bridge);
    else if (before->source && !strchr(before->source, '/') && g_strcmp0(before->type, "internal") != 0)
        assert_name(redactor, REDACT_IFNAME, before->source, after->source);
    else
        g_assert_cmpint(before->source != NULL, ==, after->source != NULL);
}

static void assert_same_interface(Redactor *redactor, const DomainInterface *before,
                                  const DomainInterface *after)
{
    Mac mac = before->mac;

    redact_mac(redactor, &mac);
    g_assert_cmpint(before->has_mac, ==, after->has_mac);
    g_assert_true(!before->has_mac || mac_equal(&mac, &after->mac));
    assert_source(redactor, before, after);
    assert_name(redactor, REDACT_NETWORK, before->network, after->network);
    assert_name(redactor, REDACT_IFNAME, before->bridge, after->bridge);
    assert_name(redactor, REDACT_IFNAME, before->target, after->target);
    assert_name(redactor, REDACT_ALIAS, before->alias, after->alias);
    assert_uuid(redactor, before->portid, after->portid);
    g_assert_cmpstr(before->type, ==, after->type);
    g_assert_cmpint(before->model != NULL, ==, after->model != NULL);
    g_assert_cmpuint(before->mtu, ==, after->mtu);
    g_assert_cmpint(before->isolated, ==, after->isolated);
    g_assert_cmpint(before->has_vlan, ==, after->has_vlan);
    g_assert_cmpint(before->has_virtualport, ==, after->has_virtualport);
    g_assert_cmpint(before->link, ==, after->link);
}

static void assert_same_domain(Redactor *redactor, const Domain *before, const Domain *after)
{
    assert_name(redactor, REDACT_DOMAIN, before->name, after->name);
    assert_uuid(redactor, before->uuid, after->uuid);
    g_assert_cmpint(before->id, ==, after->id);
    g_assert_cmpint(before->agent_connected, ==, after->agent_connected);
    g_assert_cmpuint(before->interfaces->len, ==, after->interfaces->len);
    for (guint i = 0; i < before->interfaces->len; i++)
        assert_same_interface(redactor, before->interfaces->pdata[i], after->interfaces->pdata[i]);
}

static void test_networks_parsed(void)
{
    static const char *const files[] = {
        "libvirt/net-full.xml",     "libvirt/net-live.xml",    "libvirt/net-inactive.xml",
        "libvirt/net-isolated.xml", "libvirt/net-bridge.xml",  "libvirt/net-route.xml",
        "libvirt/net-open.xml",     "libvirt/net-macvtap.xml", "libvirt/net-passthrough.xml",
        "redact/network.xml",
    };
    g_autoptr(Redactor) redactor = redactor_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *before = read_test_data(files[i]);
        g_autofree char *after = redacted(redactor, redact_network_xml, before);
        g_autoptr(Network) network = parse_network(before);
        g_autoptr(Network) other = parse_network(after);

        assert_same_network(redactor, network, other);
    }
}

static void test_domains_parsed(void)
{
    static const char *const files[] = {"libvirt/live.xml", "libvirt/inactive.xml", "redact/domain.xml"};
    g_autoptr(Redactor) redactor = redactor_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *before = read_test_data(files[i]);
        g_autofree char *after = redacted(redactor, redact_domain_xml, before);
        g_autoptr(Domain) domain = parse_domain(before);
        g_autoptr(Domain) other = parse_domain(after);

        assert_same_domain(redactor, domain, other);
    }
}

/* The value of a parameter is what the field is that it went into. */
static void test_parameters_parsed(void)
{
    g_autoptr(Redactor) redactor = redactor_new(NULL);
    g_autofree char *before = read_test_data("redact/network.xml");
    g_autofree char *after = redacted(redactor, redact_network_xml, before);
    g_autoptr(Network) network = parse_network(after);

    for (guint i = 0; i < network->template_values->len; i++) {
        const TemplateValue *value = network->template_values->pdata[i];

        if (strcmp(value->name, "name") == 0)
            g_assert_cmpstr(value->value, ==, network->name);
        if (strcmp(value->name, "bridge") == 0)
            g_assert_cmpstr(value->value, ==, network->bridge);
    }
}

/* ------------------------------------------------------------------------------------------- refusals */

static void test_refused(void)
{
    static const char *const documents[] = {
        "",
        "secret",
        "<network>",
        "<!DOCTYPE x><network><name>x</name></network>",
        "<network><name>\xff</name></network>",
        "<network><name>x</network>",
    };
    static const RedactXml redact[] = {redact_network_xml, redact_domain_xml};

    for (gsize i = 0; i < G_N_ELEMENTS(documents) * 2; i++) {
        g_autoptr(Redactor) redactor = redactor_new(fixed_key);
        g_autoptr(GError) error = NULL;

        g_assert_null(redact[i % 2](redactor, documents[i / 2], &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

static void test_no_leaks(void)
{
    static const char *const networks[] = {"libvirt/net-full.xml",     "libvirt/net-live.xml",
                                           "libvirt/net-isolated.xml", "libvirt/net-route.xml",
                                           "libvirt/net-open.xml",     "redact/network.xml"};
    static const char *const domains[] = {"libvirt/live.xml", "libvirt/inactive.xml", "redact/domain.xml"};
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(networks) + G_N_ELEMENTS(domains); i++) {
        gboolean network = i < G_N_ELEMENTS(networks);
        g_autofree char *before = read_test_data(network ? networks[i] : domains[i - G_N_ELEMENTS(networks)]);
        g_autofree char *after = redacted(redactor, network ? redact_network_xml : redact_domain_xml, before);

        assert_no_leaks(before, after);
    }
}

/* Something else that is XML: nothing of it remains. */
static void test_other_document(void)
{
    static const char *const documents[] = {
        "<domain secret='x'><name>secret</name></domain>",
        "<x:network xmlns:x='urn:secret'><name>secret</name></x:network>",
        "<network><secret/><x:name xmlns:x='urn:secret'>secret</x:name><?secret x?><!-- secret --></network>",
        "<network xmlns:x='urn:secret' x:connections='secret'/>",
        "<network xmlns='urn:secret'><name>secret</name></network>",
    };
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *text = redacted(redactor, redact_network_xml, documents[i]);

        g_assert_cmpstr(text, ==, "<network/>\n");
    }
}

/* An attribute of the same name in somebody else's namespace. */
static void test_other_attribute(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *text =
        redacted(redactor, redact_network_xml,
                 "<network xmlns:x='urn:secret' connections='2' x:connections='secret'/>");

    g_assert_cmpstr(text, ==, "<network connections=\"2\"/>\n");
}

/* Values that are markup, or no value at all. */
static void test_hostile_values(void)
{
    static const char before[] =
        "<network connections='&lt;secret'><name>&lt;secret&gt;&amp;\"'</name><uuid/>"
        "<bridge name='&#10;secret' stp='' delay='1 secret'/><mtu size='9&#9;0'/>"
        "<ip address='' prefix='99'/><ip address='10.0.0.1' netmask='255.0.255.0'/></network>";
    static const char after[] = "<network connections=\"(redacted)\">\n"
                                "  <name>network-1</name>\n"
                                "  <uuid></uuid>\n"
                                "  <bridge name=\"if1\" stp=\"\" delay=\"(redacted)\"/>\n"
                                "  <mtu size=\"(redacted)\"/>\n"
                                "  <ip address=\"(redacted)\" prefix=\"99\"/>\n"
                                "  <ip address=\"10.143.0.1\" netmask=\"(redacted)\"/>\n"
                                "</network>\n";
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *text = redacted(redactor, redact_network_xml, before);

    g_assert_cmpstr(text, ==, after);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redact-xml/network", test_network_document);
    g_test_add_func("/redact-xml/domain", test_domain_document);
    g_test_add_func("/redact-xml/twice", test_redacted_twice);
    g_test_add_func("/redact-xml/networks-parsed", test_networks_parsed);
    g_test_add_func("/redact-xml/domains-parsed", test_domains_parsed);
    g_test_add_func("/redact-xml/parameters-parsed", test_parameters_parsed);
    g_test_add_func("/redact-xml/leaks", test_no_leaks);
    g_test_add_func("/redact-xml/refused", test_refused);
    g_test_add_func("/redact-xml/other", test_other_document);
    g_test_add_func("/redact-xml/other-attribute", test_other_attribute);
    g_test_add_func("/redact-xml/hostile", test_hostile_values);
    return g_test_run();
}
