/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/interface.h"
#include "actions/network.h"
#include "base/error.h"
#include "base/xml.h"
#include "sources/libvirt.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* The source and the actions on libvirt's own test driver, which runs in this process. */

#define DEADLINE deadline_in(20)

static VirtConn *world_open(gboolean readonly)
{
    g_autofree char *uri = g_strdup_printf("test://%s/libvirt/world.xml", TEST_DATA);
    g_autoptr(GError) error = NULL;
    VirtConn *conn = virt_open(uri, readonly, DEADLINE, &error);

    g_assert_no_error(error);
    return conn;
}

/* ----------------------------------------------------------------------------------------- domains */

static void assert_domain(const Domain *domain, const char *name, gint id, DomainState state,
                          guint interfaces)
{
    g_assert_cmpstr(domain->name, ==, name);
    g_assert_cmpint(domain->id, ==, id);
    g_assert_cmpint(domain->state, ==, state);
    g_assert_true(domain->xml_read);
    g_assert_cmpuint(domain->interfaces->len, ==, interfaces);
}

static void test_domains(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    facts->now = 1234;
    g_assert_true(libvirt_read_domains(conn, facts, FALSE, DEADLINE, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(facts->domains->len, ==, 5);
    assert_domain(facts->domains->pdata[0], "7", 3, DOMAIN_CRASHED, 0);
    assert_domain(facts->domains->pdata[1], "VM1", 1, DOMAIN_RUNNING, 13);
    assert_domain(facts->domains->pdata[2], "ending", 4, DOMAIN_SHUTDOWN, 0);
    assert_domain(facts->domains->pdata[3], "guest", 5, DOMAIN_RUNNING, 1);
    assert_domain(facts->domains->pdata[4], "paused", 2, DOMAIN_PAUSED, 0);
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_LIVE);
    g_assert_cmpuint(facts->sources[SOURCE_LIBVIRT].generation, ==, 1);
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].time, ==, 1234);

    g_assert_true(libvirt_read_domains(conn, facts, TRUE, DEADLINE, &error));
    g_assert_cmpuint(facts->domains->len, ==, 6);
    assert_domain(facts->domains->pdata[4], "off", -1, DOMAIN_SHUTOFF, 0);
}

/* virsh domiflist on the same file shows these sources. */
static void test_domain_sources(void)
{
    static const char *const sources[] = {"default",     "br0", "eth0", NULL, NULL, "inner",
                                          "/tmp/v.sock", NULL,  NULL,   NULL, NULL, "/dev/vhost-vdpa-0",
                                          "ovs"};
    g_autoptr(VirtConn) conn = world_open(TRUE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;
    const Domain *domain = libvirt_read_domain(conn, facts, "VM1", FALSE, DEADLINE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(domain->interfaces->len, ==, G_N_ELEMENTS(sources));
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
        g_assert_cmpstr(((const DomainInterface *)domain->interfaces->pdata[i])->source, ==, sources[i]);
}

static void test_domain_one(void)
{
    static const struct {
        const char *which, *name;
    } expected[] = {
        {"1", "VM1"}, {"00000000-0000-4000-8000-0000000000a2", "paused"}, {"off", "off"}, {"7", "7"},
        {"3", "7"},
    };
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        const Domain *domain = libvirt_read_domain(conn, facts, expected[i].which, FALSE, DEADLINE, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(domain->name, ==, expected[i].name);
    }
    /* Read twice, it is there once. */
    g_assert_cmpuint(facts->domains->len, ==, 4);
    assert_domain(facts->domains->pdata[2], "off", -1, DOMAIN_SHUTOFF, 0);
    assert_domain(facts->domains->pdata[3], "7", 3, DOMAIN_CRASHED, 0);
}

static void test_domain_missing(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    g_assert_null(libvirt_read_domain(conn, facts, "no\nsuch", FALSE, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to get domain 'no\nsuch'");
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_LIVE);
}

static void test_deadline(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(libvirt_read_domains(conn, facts, FALSE, DEADLINE, NULL));
    /* Past before it began: what was known stays. */
    g_assert_false(libvirt_read_domains(conn, facts, FALSE, deadline_in(-1), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpuint(facts->domains->len, ==, 5);
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_STALE);
    g_assert_nonnull(facts->sources[SOURCE_LIBVIRT].error);
}

/* ---------------------------------------------------------------------------------------- networks */

static void test_networks(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;
    const Network *network;

    g_assert_true(network_destroy(conn, "a network", DEADLINE, &error));
    g_assert_true(network_autostart(conn, "default", TRUE, DEADLINE, &error));
    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ALL, DEADLINE, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(facts->networks->len, ==, 2);
    network = facts->networks->pdata[0];
    g_assert_cmpstr(network->name, ==, "a network");
    g_assert_cmpstr(network->uuid, ==, "00000000-0000-4000-8000-000000000002");
    g_assert_false(network->active);
    g_assert_true(network->persistent);
    g_assert_false(network->autostart);
    network = facts->networks->pdata[1];
    g_assert_true(network->active);
    g_assert_true(network->autostart);
    g_assert_cmpuint(network->ips->len, ==, 1);

    /* Leases are not read again with them, nor is what is missing of them. */
    facts_network(facts, "default")->leases_unread = TRUE;
    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ALL, DEADLINE, &error));
    g_assert_true(facts_network(facts, "default")->leases_unread);
    g_assert_false(facts_network(facts, "a network")->leases_unread);

    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ACTIVE, DEADLINE, &error));
    g_assert_cmpuint(facts->networks->len, ==, 1);
}

static void test_network_one(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;
    const Network *network = libvirt_read_network(conn, facts, "default", FALSE, DEADLINE, &error);

    g_assert_no_error(error);
    g_assert_true(network->active);
    g_assert_true(network->persistent);
    g_assert_true(libvirt_read_network(conn, facts, network->uuid, FALSE, DEADLINE, &error) == network);
    g_assert_cmpuint(facts->networks->len, ==, 1);
    xml = libvirt_network_xml(conn, "default", FALSE, DEADLINE, &error);
    g_assert_true(g_str_has_prefix(xml, "<network"));
    g_assert_null(libvirt_network_xml(conn, "nosuch", FALSE, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to get network 'nosuch'");
    g_clear_error(&error);
    g_assert_null(libvirt_read_network(conn, facts, "nosuch", FALSE, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
}

#define WORLD_DOMAIN                                                                                         \
    "<domain type='test'><name>%s</name><memory>8192</memory><os><type>hvm</type></os>%s<devices/></domain>"

/* A host with a network and a domain whose metadata is over what we read: their XML cannot be parsed. */
static VirtConn *world_open_unreadable(char **path)
{
    GString *metadata = g_string_new("<metadata><x:x xmlns:x='urn:x'");
    g_autofree char *domain = NULL;
    g_autofree char *xml = NULL;
    g_autofree char *uri = NULL;
    g_autoptr(GError) error = NULL;
    VirtConn *conn;

    for (guint i = 0; i < XML_LIMITS_LIBVIRT.attributes; i++)
        g_string_append_printf(metadata, " a%u=''", i);
    g_string_append(metadata, "/></metadata>");
    domain = g_strdup_printf(WORLD_DOMAIN, "over", metadata->str);
    xml = g_strdup_printf("<node><network><name>good</name><bridge name='virbr5'/></network>"
                          "<network><name>over</name>%s<bridge name='virbr6'/></network>%s</node>",
                          metadata->str, domain);
    g_string_free(metadata, TRUE);
    *path = g_build_filename(g_get_tmp_dir(), "vnat-world-XXXXXX", NULL);
    close(g_mkstemp(*path));
    g_assert_true(g_file_set_contents(*path, xml, -1, NULL));
    uri = g_strdup_printf("test://%s", *path);
    conn = virt_open(uri, FALSE, DEADLINE, &error);
    g_assert_no_error(error);
    return conn;
}

/* It is there, what its XML says is unknown; a failure, and nobody's wrong usage. */
static void test_unreadable(void)
{
    g_autofree char *path = NULL;
    g_autoptr(VirtConn) conn = world_open_unreadable(&path);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;
    const Network *network;

    g_unlink(path);
    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ALL, DEADLINE, &error));
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_STALE);
    g_assert_cmpuint(facts->networks->len, ==, 2);
    network = facts->networks->pdata[0];
    g_assert_true(network->xml_read);
    g_assert_null(network->xml_error);
    network = facts->networks->pdata[1];
    g_assert_cmpstr(network->name, ==, "over");
    g_assert_true(network->active && !network->xml_read && !network->forward);
    g_assert_true(g_str_has_prefix(network->xml_error, "unreadable XML from libvirt: attributes: "));

    g_assert_null(libvirt_read_network(conn, facts, "over", FALSE, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(libvirt_read_domain(conn, facts, "over", FALSE, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_clear_error(&error);

    /* An active domain that nothing is known of may be the one that claims any port. */
    g_assert_true(libvirt_read_domains(conn, facts, FALSE, DEADLINE, &error));
    g_assert_cmpuint(facts->domains->len, ==, 1);
    g_assert_false(facts->domains_complete);
}

/* Stale is what is read now, not what was once: a whole reading without a fault is live again. */
static void test_live_again(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    SourceStatus *status = &facts->sources[SOURCE_LIBVIRT];

    g_assert_true(libvirt_read_domains(conn, facts, FALSE, DEADLINE, NULL));
    g_assert_true(facts->domains_complete);
    g_assert_cmpint(status->state, ==, SOURCE_LIVE);
    source_status_set(status, SOURCE_STALE, "some XML");
    g_assert_true(libvirt_read_domains(conn, facts, FALSE, DEADLINE, NULL));
    g_assert_cmpint(status->state, ==, SOURCE_STALE);
    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ALL, DEADLINE, NULL));
    g_assert_cmpint(status->state, ==, SOURCE_LIVE);
    g_assert_null(status->error);
}

static void test_names(void)
{
    g_autoptr(VirtConn) conn = world_open(TRUE);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) domains = libvirt_domain_names(conn, DEADLINE, &error);
    g_auto(GStrv) networks = libvirt_network_names(conn, DEADLINE, &error);
    g_autofree char *all = g_strjoinv(",", domains);
    g_autofree char *nets = g_strjoinv(",", networks);

    g_assert_cmpstr(all, ==, "7,VM1,ending,guest,off,paused");
    g_assert_cmpstr(nets, ==, "a network,default");
    g_assert_null(libvirt_domain_names(conn, deadline_in(-1), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
}

/* The test driver has no leases: that is complete, and no error. */
static void test_leases_absent(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ACTIVE, DEADLINE, &error));
    g_assert_true(libvirt_read_leases(conn, facts, DEADLINE, &error));
    g_assert_no_error(error);
    g_assert_cmpint(facts->sources[SOURCE_LEASES].state, ==, SOURCE_ABSENT);
    g_assert_nonnull(facts->sources[SOURCE_LEASES].error);
}

/* Leases outlive the network's bridge, unless another has it now. */
static void test_leases_inactive(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(Network) other = network_new();
    Network *network;

    network = libvirt_read_network(conn, facts, "default", FALSE, DEADLINE, NULL);
    network->active = FALSE;
    /* It was asked, and this driver has none. */
    g_assert_true(libvirt_read_leases(conn, facts, DEADLINE, NULL));
    g_assert_cmpint(facts->sources[SOURCE_LEASES].state, ==, SOURCE_ABSENT);
    g_assert_false(network->leases_unread);
    other->name = g_strdup("other");
    other->forward = g_strdup("nat");
    other->bridge = g_strdup(network->bridge);
    other->active = TRUE;
    g_ptr_array_add(facts->networks, g_steal_pointer(&other));
    g_assert_true(libvirt_read_leases(conn, facts, DEADLINE, NULL));
    g_assert_cmpint(facts->sources[SOURCE_LEASES].state, ==, SOURCE_LIVE);
    g_assert_true(network->leases_unread);
}

/* What a network had stays while it cannot be read, less what has expired. */
static void test_leases_stale(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;

    facts->now = 1000;
    g_assert_true(libvirt_read_networks(conn, facts, LIBVIRT_NETWORKS_ACTIVE, DEADLINE, &error));
    g_ptr_array_add(facts->leases, lease_new());
    facts->sources[SOURCE_LEASES].generation = 1;
    g_assert_false(libvirt_read_leases(conn, facts, deadline_in(-1), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpuint(facts->leases->len, ==, 1);
    g_assert_cmpint(facts->sources[SOURCE_LEASES].state, ==, SOURCE_STALE);
}

static void test_agents(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(VirtConn) readonly = world_open(TRUE);
    g_autoptr(Facts) facts = facts_new();
    Domain *domain;

    domain = libvirt_read_domain(conn, facts, "guest", FALSE, DEADLINE, NULL);
    libvirt_read_agents(conn, facts, FALSE, DEADLINE);
    g_assert_cmpint(facts->sources[SOURCE_AGENT].state, ==, SOURCE_UNREAD);
    libvirt_read_agents(conn, facts, TRUE, DEADLINE);
    g_assert_cmpint(facts->sources[SOURCE_AGENT].state, ==, SOURCE_DOWN);
    /* The test driver makes an address up. */
    domain->agent_connected = TRUE;
    libvirt_read_agents(conn, facts, TRUE, DEADLINE);
    g_assert_cmpint(facts->sources[SOURCE_AGENT].state, ==, SOURCE_LIVE);
    g_assert_cmpuint(domain->agent->len, >, 0);
    libvirt_read_agents(readonly, facts, TRUE, DEADLINE);
    g_assert_cmpint(facts->sources[SOURCE_AGENT].state, ==, SOURCE_DOWN);
    g_assert_nonnull(strstr(facts->sources[SOURCE_AGENT].error, "read-write"));
}

/* ----------------------------------------------------------------------------------------- actions */

#define NETWORK_XML "<network><name>%s</name>%s<bridge name='virbr77'/></network>"

static void test_network_life(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autofree char *xml = g_strdup_printf(NETWORK_XML, "fresh", "");
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    gboolean was_active = TRUE;

    g_assert_true(network_define(conn, xml, &name, DEADLINE, &error));
    g_assert_cmpstr(name, ==, "fresh");
    g_assert_true(network_start(conn, "fresh", &was_active, DEADLINE, &error));
    g_assert_false(was_active);
    g_assert_true(network_start(conn, "fresh", &was_active, DEADLINE, &error));
    g_assert_true(was_active);
    g_assert_true(network_autostart(conn, "fresh", TRUE, DEADLINE, &error));
    g_assert_true(network_autostart(conn, "fresh", FALSE, DEADLINE, &error));
    g_assert_true(network_destroy(conn, "fresh", DEADLINE, &error));
    g_assert_true(network_undefine(conn, "fresh", DEADLINE, &error));
    g_assert_no_error(error);
    g_assert_false(network_start(conn, "fresh", &was_active, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(network_create_xml(conn, xml, NULL, DEADLINE, &error));
    g_assert_no_error(error);
    g_assert_true(network_destroy(conn, "fresh", DEADLINE, &error));
}

static void test_network_refused(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(VirtConn) readonly = world_open(TRUE);
    g_autofree char *taken = g_strdup_printf(NETWORK_XML, "default", "");
    g_autofree char *renamed =
        g_strdup_printf(NETWORK_XML, "other", "<uuid>00000000-0000-4000-8000-000000000001</uuid>");
    g_autofree char *fresh = g_strdup_printf(NETWORK_XML, "fresh", "");
    const struct {
        VirtConn *conn;
        const char *xml;
        VnatError code;
    } expected[] = {
        {conn, taken, VNAT_ERROR_EXISTS},
        {conn, renamed, VNAT_ERROR_FAILED}, /* a clash of UUIDs is no network of that name */
        {conn, "<network", VNAT_ERROR_INVALID},
        {conn, "<network><nonsense/></network>", VNAT_ERROR_INVALID},
        {conn, "<network><name>x</name><ip address='1.2.3.4' netmask='x'/></network>", VNAT_ERROR_INVALID},
        {readonly, fresh, VNAT_ERROR_DENIED},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(network_define(expected[i].conn, expected[i].xml, NULL, DEADLINE, &error));
        g_assert_error(error, VNAT_ERROR, (gint)expected[i].code);
    }
}

static void test_interface_xml(void)
{
    static const struct {
        const char *type, *source, *mac, *model, *target, *xml;
    } expected[] = {
        {"network", "a'<&\"", NULL, NULL, NULL,
         "<interface type=\"network\">\n  <source network=\"a'&lt;&amp;&quot;\"/>\n</interface>"},
        {"bridge", "br0", "52:54:00:00:00:01", "virtio", "tap9",
         "<interface type=\"bridge\">\n  <source bridge=\"br0\"/>\n  <target dev=\"tap9\"/>\n"
         "  <mac address=\"52:54:00:00:00:01\"/>\n  <model type=\"virtio\"/>\n</interface>"},
        {"direct", "eth0", NULL, NULL, NULL,
         "<interface type=\"direct\">\n  <source dev=\"eth0\"/>\n</interface>"},
        {"user", "x", NULL, NULL, NULL, "<interface type=\"user\"/>"},
        {"hostdev", "0000:03:1f.1", NULL, NULL, NULL,
         "<interface type=\"hostdev\">\n  <source>\n    <address type=\"pci\" domain=\"0x0000\" bus=\"0x03\" "
         "slot=\"0x1f\" function=\"0x1\"/>\n  </source>\n</interface>"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *xml = interface_xml(expected[i].type, expected[i].source, expected[i].mac,
                                             expected[i].model, expected[i].target, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(xml, ==, expected[i].xml);
    }
}

static void test_interface_xml_refused(void)
{
    static const struct {
        const char *type, *source, *mac;
        VnatError code;
        const char *hint;
    } bad[] = {
        {"bogus", "x", NULL, VNAT_ERROR_USAGE,
         "'virsh attach-device' takes libvirt's other types, as XML in a file"},
        {"ethernet", "x", NULL, VNAT_ERROR_USAGE,
         "'virsh attach-device' takes libvirt's other types, as XML in a file"},
        {"network", NULL, NULL, VNAT_ERROR_USAGE, NULL},
        {"network", "", NULL, VNAT_ERROR_USAGE, NULL},
        {"network", "x", "52:54:00", VNAT_ERROR_USAGE, NULL},
        {"network", "\xff", NULL, VNAT_ERROR_INVALID, NULL},
        {"hostdev", "03:00.0", NULL, VNAT_ERROR_USAGE, NULL},
        {"hostdev", "0000:03:3f.0", NULL, VNAT_ERROR_USAGE, NULL},
        {"hostdev", "0000:03:00.0\n", NULL, VNAT_ERROR_USAGE, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(interface_xml(bad[i].type, bad[i].source, bad[i].mac, NULL, NULL, &error));
        g_assert_error(error, VNAT_ERROR, (gint)bad[i].code);
        g_assert_cmpstr(vnat_error_get_hint(error), ==, bad[i].hint);
    }
}

/* How far one gets without a driver that can plug: the search for the interface, with virsh's messages. */
static void test_interface_search(void)
{
    static const struct {
        const char *type, *mac, *message;
        VnatError code;
    } expected[] = {
        {"network", NULL, "Domain has 2 interfaces. Please specify which one to detach using --mac",
         VNAT_ERROR_USAGE},
        {"foo", NULL, "No interface found whose type is foo", VNAT_ERROR_NOT_FOUND},
        {"network", "52:54:00:00:00:99", "No interface with MAC address 52:54:00:00:00:99 was found",
         VNAT_ERROR_NOT_FOUND},
        {"network", "x", "'x' is no MAC address", VNAT_ERROR_USAGE},
        {"bridge", NULL, NULL, VNAT_ERROR_UNSUPPORTED},
        {"network", "52:54:00:00:00:0D", NULL, VNAT_ERROR_UNSUPPORTED},
    };
    const InterfaceScope scopes[] = {{FALSE, FALSE}, {TRUE, FALSE}, {FALSE, TRUE}, {TRUE, TRUE}};
    g_autoptr(VirtConn) conn = world_open(FALSE);

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        for (gsize k = 0; k < G_N_ELEMENTS(scopes); k++) {
            g_autoptr(GError) error = NULL;

            g_assert_false(interface_detach(conn, "VM1", expected[i].type, expected[i].mac, scopes[k],
                                            DEADLINE, &error));
            g_assert_error(error, VNAT_ERROR, (gint)expected[i].code);
            if (expected[i].message)
                g_assert_cmpstr(error->message, ==, expected[i].message);
        }
    }
}

static void test_interface_connect(void)
{
    g_autoptr(VirtConn) conn = world_open(FALSE);
    g_autoptr(GError) error = NULL;
    const InterfaceScope live = {TRUE, FALSE};

    g_assert_false(interface_connect(conn, "VM1", "52:54:00:00:00:99", "default", live, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(interface_connect(conn, "VM1", "52:54:00:00:00:01", "default", live, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_false(interface_connect(conn, "nosuch", "52:54:00:00:00:01", "default", live, DEADLINE, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt/domains", test_domains);
    g_test_add_func("/libvirt/domain/sources", test_domain_sources);
    g_test_add_func("/libvirt/domain/one", test_domain_one);
    g_test_add_func("/libvirt/domain/missing", test_domain_missing);
    g_test_add_func("/libvirt/deadline", test_deadline);
    g_test_add_func("/libvirt/networks", test_networks);
    g_test_add_func("/libvirt/network/one", test_network_one);
    g_test_add_func("/libvirt/unreadable", test_unreadable);
    g_test_add_func("/libvirt/live-again", test_live_again);
    g_test_add_func("/libvirt/names", test_names);
    g_test_add_func("/libvirt/leases/absent", test_leases_absent);
    g_test_add_func("/libvirt/leases/inactive", test_leases_inactive);
    g_test_add_func("/libvirt/leases/stale", test_leases_stale);
    g_test_add_func("/libvirt/agents", test_agents);
    g_test_add_func("/libvirt/network/life", test_network_life);
    g_test_add_func("/libvirt/network/refused", test_network_refused);
    g_test_add_func("/libvirt/interface/xml", test_interface_xml);
    g_test_add_func("/libvirt/interface/xml/refused", test_interface_xml_refused);
    g_test_add_func("/libvirt/interface/search", test_interface_search);
    g_test_add_func("/libvirt/interface/connect", test_interface_connect);
    return g_test_run();
}
