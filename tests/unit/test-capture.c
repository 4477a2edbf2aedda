/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/map.h"
#include "remove-tree.h"
#include "sources/capture.h"
#include "sources/reader.h"
#include "world.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Captures of a made-up host (world_host): written, read, replayed, and damaged in each way that the reader
 * has to see. Captures of real hosts are in tests/cases.
 */

typedef struct {
    char *top;
    char *path; /* of a capture of the host */
} Place;

/* The XML that says no more than who it is. */
static char *plain_xml(const char *kind, const char *name, const char *uuid)
{
    return g_markup_printf_escaped("<%s><name>%s</name><uuid>%s</uuid></%s>", kind, name, uuid, kind);
}

static void capture_add_texts(Facts *facts)
{
    static const char nft[] =
        "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\", \"json_schema_version\": 1}}, {\"table\": "
        "{\"family\": "
        "\"ip\", \"name\": \"filter\", \"handle\": 1}}, {\"chain\": {\"family\": \"ip\", "
        "\"table\": \"filter\", \"name\": \"FORWARD\", \"handle\": 2, \"type\": \"filter\", "
        "\"hook\": \"forward\", \"prio\": 0, \"policy\": \"drop\"}}]}\n";
    static const char save[] = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n";

    for (guint i = 0; i < facts->networks->len; i++) {
        Network *network = facts->networks->pdata[i];

        network->xml = plain_xml("network", network->name, network->uuid);
        network->xml_inactive = network->active ? g_strdup(network->xml) : NULL;
    }
    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];

        domain->xml = plain_xml("domain", domain->name, domain->uuid);
        domain->xml_inactive = domain->id >= 0 ? g_strdup(domain->xml) : NULL;
    }
    g_ptr_array_add(facts->firewall_texts, firewall_text_new("nft", nft));
    g_ptr_array_add(facts->firewall_texts, firewall_text_new("iptables-nft-save", save));
    g_ptr_array_add(facts->proc, proc_value_new("sys/net/ipv4/ip_forward", "1"));
    g_ptr_array_add(facts->proc, proc_value_new("net/ip_tables_names", NULL));
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->options = g_strdup("interface=virbr0\n");
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->argv = g_strsplit("dnsmasq --conf-file=x", " ", 0);
}

static void capture_add_flow(Facts *facts)
{
    Flow flow;

    flow_init(&flow);
    flow.source = flow.reply_destination = world_ip_of("192.168.122.10");
    flow.destination = flow.reply_source = world_ip_of("203.0.113.1");
    flow.protocol = 1;
    flow.sent_bytes = 84;
    g_array_append_val(facts->flows, flow);
    source_status_set(&facts->sources[SOURCE_CONNTRACK], SOURCE_LIVE, NULL);
}

static Capture *make_capture(void)
{
    Capture *capture = capture_new();
    AgentAddress agent = {world_mac_of("52:54:00:00:00:01"), world_net_of("192.168.122.9/24")};
    Domain *domain;

    facts_free(capture->facts);
    capture->facts = world_host();
    g_free(capture->facts->host);
    capture->facts->host = g_strdup("host\x1b[1m");
    capture_add_texts(capture->facts);
    source_status_set(&capture->facts->sources[SOURCE_FIREWALLD], SOURCE_LIVE, NULL);
    g_ptr_array_add(capture->facts->zones, firewalld_zone_new("virbr0", "libvirt"));
    capture_add_flow(capture->facts);
    domain = capture->facts->domains->pdata[0];
    g_array_append_val(domain->agent, agent);
    json_object_set_new(capture->versions, "nft", json_string("1.0.6"));
    return capture;
}

static void write_to(const Capture *capture, const char *path)
{
    g_autoptr(NewDirectory) directory = new_directory_begin(path, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(directory);
    capture_write(capture, directory, &error);
    g_assert_no_error(error);
    new_directory_commit(directory, &error);
    g_assert_no_error(error);
}

static Capture *read_from(const char *path)
{
    g_autoptr(GError) error = NULL;
    Capture *capture = capture_read(path, &error);

    g_assert_no_error(error);
    return capture;
}

static void place_set_up(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Capture) capture = make_capture();

    place->top = g_dir_make_tmp("vnat-capture-XXXXXX", NULL);
    place->path = g_build_filename(place->top, "host", NULL);
    write_to(capture, place->path);
}

static void place_tear_down(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    remove_tree(place->top);
    g_free(place->path);
    g_free(place->top);
}

/* ---------------------------------------------------------------------------------- there and back */

static void assert_same_tree(const char *a, const char *b)
{
    g_autoptr(GDir) dir = g_dir_open(a, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *left = g_build_filename(a, name, NULL);
        g_autofree char *right = g_build_filename(b, name, NULL);
        g_autofree char *left_bytes = NULL;
        g_autofree char *right_bytes = NULL;

        if (g_file_test(left, G_FILE_TEST_IS_DIR)) {
            assert_same_tree(left, right);
            continue;
        }
        g_assert_true(g_file_get_contents(left, &left_bytes, NULL, NULL));
        g_assert_true(g_file_get_contents(right, &right_bytes, NULL, NULL));
        g_assert_cmpstr(left_bytes, ==, right_bytes);
        for (const char *c = left_bytes; *c; c++)
            g_assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
    }
}

static void test_there_and_back(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Capture) made = make_capture();
    g_autoptr(Capture) capture = read_from(place->path);
    g_autofree char *again = g_build_filename(place->top, "again", NULL);
    const Domain *domain = capture->facts->domains->pdata[0];

    g_assert_cmpstr(capture->facts->host, ==, made->facts->host);
    g_assert_cmpint(capture->facts->now, ==, WORLD_NOW);
    g_assert_cmpuint(capture->facts->networks->len, ==, made->facts->networks->len);
    g_assert_cmpuint(capture->facts->links->len, ==, made->facts->links->len);
    g_assert_cmpuint(capture->facts->routes->len, ==, made->facts->routes->len);
    g_assert_cmpuint(domain->agent->len, ==, 1);
    g_assert_cmpstr(((const Dnsmasq *)capture->facts->dnsmasqs->pdata[0])->options, ==, "interface=virbr0\n");
    g_assert_cmpuint(capture->facts->firewall_texts->len, ==, 2);
    g_assert_null(capture->failed[CAPTURE_CONNECTION]);
    write_to(capture, again);
    assert_same_tree(place->path, again);
    assert_same_tree(again, place->path);
}

/* ------------------------------------------------------------------------------------------ replay */

static Facts *facts_of(const Capture *capture)
{
    Facts *facts = facts_new();

    facts->now = capture->facts->now;
    facts->local = capture->facts->local;
    facts->host = g_strdup(capture->facts->host);
    return facts;
}

static void read_everything(Reader *reader, Facts *facts)
{
    const ReaderOps *ops = reader->ops;

    g_assert_true(ops->networks(reader, facts, LIBVIRT_NETWORKS_ALL, DEADLINE_NEVER, NULL));
    g_assert_true(ops->domains(reader, facts, TRUE, DEADLINE_NEVER, NULL));
    g_assert_true(ops->leases(reader, facts, DEADLINE_NEVER, NULL));
    ops->agents(reader, facts, FALSE, DEADLINE_NEVER);
    ops->links(reader, facts, LINKS_LINKS | LINKS_ADDRESSES | LINKS_FDB | LINKS_ROUTES | LINKS_NEIGHBOURS,
               DEADLINE_NEVER);
    ops->processes(reader, facts, TRUE, DEADLINE_NEVER);
    ops->firewall(reader, facts, DEADLINE_NEVER);
    ops->proc(reader, facts);
    ops->firewalld(reader, facts, DEADLINE_NEVER);
    ops->conntrack(reader, facts, DEADLINE_NEVER);
    ops->guests(reader, facts);
}

static void test_replay(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    Capture *capture = read_from(place->path);
    Reader *reader = reader_replay(capture);
    g_autoptr(Facts) facts = facts_of(capture);
    g_auto(GStrv) names = reader->ops->domain_names(reader, DEADLINE_NEVER, NULL);

    /* Twice: what was read before is replaced. */
    read_everything(reader, facts);
    read_everything(reader, facts);
    g_assert_cmpuint(facts->networks->len, ==, capture->facts->networks->len);
    g_assert_cmpuint(facts->domains->len, ==, capture->facts->domains->len);
    g_assert_cmpuint(g_strv_length(names), ==, facts->domains->len);
    g_assert_cmpuint(facts->links->len, ==, capture->facts->links->len);
    g_assert_cmpuint(facts->routes->len, ==, capture->facts->routes->len);
    g_assert_cmpuint(facts->neighbours->len, ==, capture->facts->neighbours->len);
    g_assert_cmpuint(facts->sockets->len, ==, capture->facts->sockets->len);
    g_assert_cmpuint(facts->firewall->len, ==, 1);
    g_assert_null(((const Network *)facts->networks->pdata[0])->xml);
    g_assert_cmpstr(facts_zone(facts, "virbr0"), ==, "libvirt");
    g_assert_cmpuint(facts->flows->len, ==, 1);
    g_assert_cmpint(g_array_index(facts->flows, Flow, 0).sent_bytes, ==, 84);
    g_assert_cmpint(g_array_index(facts->flows, Flow, 0).reply_bytes, ==, -1);
    g_assert_cmpint(((const Domain *)facts->domains->pdata[0])->started, ==, WORLD_NOW - 3600);
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        if (id != SOURCE_AGENT)
            g_assert_cmpint(facts->sources[id].state, ==, SOURCE_REPLAYED);
    }
    /* No lease has expired in the world, and one that had would be none. */
    for (guint i = 0; i < facts->leases->len; i++)
        g_assert_true(lease_is_live(facts->leases->pdata[i], facts->now));
    reader_free(reader);
}

static void test_replay_one(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    Capture *capture = read_from(place->path);
    Reader *reader = reader_replay(capture);
    const ReaderOps *ops = reader->ops;
    const Domain *first = capture->facts->domains->pdata[0];
    g_autofree char *id = g_strdup_printf("%d", first->id);
    g_autoptr(Facts) facts = facts_of(capture);
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;
    Network *network;
    Domain *domain;

    network = ops->network(reader, facts, "default", FALSE, DEADLINE_NEVER, NULL);
    g_assert_cmpstr(network->name, ==, "default");
    g_assert_true(network->active);
    g_assert_true(ops->network(reader, facts, network->uuid, FALSE, DEADLINE_NEVER, NULL) == network);
    domain = ops->domain(reader, facts, id, FALSE, DEADLINE_NEVER, NULL);
    g_assert_cmpstr(domain->name, ==, first->name);
    domain = ops->domain(reader, facts, first->uuid, TRUE, DEADLINE_NEVER, NULL);
    g_assert_cmpstr(domain->name, ==, first->name);
    g_assert_cmpuint(facts->domains->len, ==, 1);
    /* Only what belongs to the networks that were read. */
    g_assert_true(ops->leases(reader, facts, DEADLINE_NEVER, NULL));
    for (guint i = 0; i < facts->leases->len; i++)
        g_assert_cmpstr(((const Lease *)facts->leases->pdata[i])->network, ==, "default");
    g_assert_null(ops->network(reader, facts, "nosuch", FALSE, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(ops->domain(reader, facts, "nosuch", FALSE, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    xml = ops->network_xml(reader, "default", TRUE, DEADLINE_NEVER, NULL);
    g_assert_true(g_str_has_prefix(xml, "<network>"));
    reader_free(reader);
}

/* What failed then fails now, with the same words and the same exit code. */
static void test_replay_failures(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = g_build_filename(place->top, "failed", NULL);
    g_autoptr(Capture) made = make_capture();
    Domain *unread = made->facts->domains->pdata[0];
    Capture *capture;
    Reader *reader;
    g_autoptr(Facts) facts = NULL;
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&unread->xml, g_free);
    g_clear_pointer(&unread->xml_inactive, g_free);
    unread->xml_error = g_strdup("it hangs");
    made->facts->domains_complete = FALSE;
    vnat_error_set(&made->failed[CAPTURE_LEASES], VNAT_ERROR_DENIED, "no %s", "rights\xff");
    vnat_error_what(&made->failed[CAPTURE_LEASES], "failed to read");
    vnat_error_hint(&made->failed[CAPTURE_LEASES], "sudo");
    source_status_set(&made->facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, "needs CAP_NET_ADMIN");
    write_to(made, path);
    capture = read_from(path);
    reader = reader_replay(capture);
    facts = facts_of(capture);
    g_assert_true(reader->ops->networks(reader, facts, LIBVIRT_NETWORKS_ALL, DEADLINE_NEVER, NULL));
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_REPLAYED);
    g_assert_true(reader->ops->domains(reader, facts, FALSE, DEADLINE_NEVER, NULL));
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_STALE);
    g_assert_nonnull(strstr(facts->sources[SOURCE_LIBVIRT].error, "it hangs"));
    g_assert_false(facts->domains_complete);
    g_assert_null(reader->ops->domain(reader, facts, unread->name, FALSE, DEADLINE_NEVER, &error));
    g_assert_cmpstr(error->message, ==, "it hangs");
    g_clear_error(&error);
    g_assert_false(reader->ops->leases(reader, facts, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DENIED);
    g_assert_cmpstr(error->message, ==, "no rights\xff");
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to read");
    g_assert_cmpstr(vnat_error_get_hint(error), ==, "sudo");
    g_assert_cmpint(facts->sources[SOURCE_LEASES].state, ==, SOURCE_DOWN);
    reader->ops->firewall(reader, facts, DEADLINE_NEVER);
    g_assert_cmpint(facts->sources[SOURCE_FIREWALL].state, ==, SOURCE_DOWN);
    g_assert_cmpstr(facts->sources[SOURCE_FIREWALL].error, ==, "needs CAP_NET_ADMIN");
    reader_free(reader);
}

static void test_replay_unreachable(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = g_build_filename(place->top, "unreachable", NULL);
    g_autoptr(Capture) made = make_capture();
    Capture *capture;
    Reader *reader;
    g_autoptr(Facts) facts = NULL;
    g_autoptr(GError) error = NULL;

    vnat_error_set(&made->failed[CAPTURE_CONNECTION], VNAT_ERROR_UNREACHABLE, "no such socket");
    write_to(made, path);
    capture = read_from(path);
    reader = reader_replay(capture);
    facts = facts_of(capture);
    g_assert_false(reader->ops->networks(reader, facts, LIBVIRT_NETWORKS_ALL, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_UNREACHABLE);
    g_assert_cmpint(facts->sources[SOURCE_LIBVIRT].state, ==, SOURCE_DOWN);
    g_clear_error(&error);
    g_assert_null(reader->ops->domain(reader, facts, "VM1", FALSE, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_UNREACHABLE);
    reader_free(reader);
}

/* ----------------------------------------------------------------------------------------- damaged */

#define FLOW "[{\"source\":\"10.0.0.1\",\"destination\":\"10.0.0.2\",\"reply_source\":\"10.0.0.2\""

static void test_damaged(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    static const char manifest[] =
        "{\"format\":\"vnat-capture\",\"version\":1,\"host\":\"h\",\"versions\":{}";
    static const char network[] = "[{\"name\":\"n\",\"uuid\":\"00000000-0000-0000-0000-000000000001\"";
    static const struct {
        const char *file;
        const char *before, *content, *message;
    } cases[] = {
        {"manifest.json", "", "", "manifest.json: syntax: "},
        {"manifest.json", "", "[]", "manifest.json: is not that of a capture"},
        {"manifest.json", "", "{\"format\":\"tar\"}", "manifest.json: is not that of a capture"},
        {"manifest.json", "", "{\"format\":\"vnat-capture\",\"version\":2}", "does not know"},
        {"manifest.json", "", "{\"format\":\"vnat-capture\",\"version\":\"1\"}", "does not know"},
        {"manifest.json", "", "{\"format\":\"vnat-capture\",\"version\":1}",
         "manifest.json: 'host' is missing"},
        {"manifest.json", "", "{\"format\":\"vnat-capture\",\"version\":1,\"host\":\"h\"}", "'versions'"},
        {"manifest.json", "",
         "{\"format\":\"vnat-capture\",\"version\":1,\"host\":\"h\",\"versions\":{\"a\":1}}", "'versions'"},
        {"manifest.json", manifest, ",\"time_epoch\":9223372036854775807}",
         "manifest.json: 'time_epoch' is no time"},
        {"manifest.json", manifest, ",\"sources\":{\"links\":{\"state\":\"fine\"}}}",
         "manifest.json: source 'links': 'state' is no state of a source"},
        {"manifest.json", manifest, ",\"sources\":{\"links\":7}}", "'state' is no state of a source"},
        {"manifest.json", manifest, ",\"sources\":{\"links\":{\"state\":\"live\",\"error\":7}}}",
         "manifest.json: source 'links': 'error' is no text"},
        {"manifest.json", manifest, ",\"failed\":{\"leases\":{\"message\":\"x\"}}}",
         "manifest.json: failed 'leases': 'code' is missing"},
        {"manifest.json", manifest, ",\"failed\":{\"leases\":{\"message\":\"x\",\"code\":\"odd\"}}}",
         "'code' is no word for an error"},
        {"leases.json", "", "{}", "leases.json: is no list of records"},
        {"leases.json", "", "[7]", "leases.json: record 1 is no object"},
        {"leases.json", "", "[{}]", "leases.json: record 1: 'network' is missing"},
        {"leases.json", "", "[", "leases.json: syntax: "},
        {"leases.json", "",
         "[{\"network\":\"n\",\"network_uuid\":\"u\",\"address\":\"192.168.1.2\",\"prefix\":33}]",
         "leases.json: record 1: 'prefix' is longer"},
        {"links.json", "", "[{\"name\":\"a\"},{\"name\":1}]", "links.json: record 2: 'name' is no text"},
        {"routes.json", "", "[{\"family\":6,\"dst\":\"10.0.0.0/8\"}]", "routes.json: record 1: 'dst'"},
        {"networks.json", "", "[{\"name\":\"n\"}]", "networks.json: record 1: 'uuid' is missing"},
        {"networks.json", network, "}]", "networks.json: record 1: 'file' is missing"},
        {"networks.json", network, ",\"file\":7}]", "networks.json: record 1: 'file' is no name"},
        {"networks.json", network, ",\"file\":\"../x\"}]", "networks.json: record 1: name: "},
        {"networks.json", network, ",\"file\":\"networks/none.xml\"}]", "networks/none.xml: No such file"},
        {"networks.json", network, ",\"file\":\"networks/default.xml\"}]",
         "networks/default.xml: is the XML of another network"},
        {"networks.json", "",
         "[{\"name\":\"n\",\"uuid\":\"0885548a-0000-4000-8000-000000000000\",\"file\":\"networks/"
         "default.xml\"}]",
         "networks/default.xml: is the XML of another network"},
        {"networks.json", "", "[{\"name\":\"default\",\"uuid\":\"u\",\"file\":\"networks/default.xml\"}]",
         "networks/default.xml: is the XML of another network"},
        {"networks.json", "",
         "[{\"name\":\"default\",\"uuid\":\"0885548a-0000-4000-8000-000000000000\","
         "\"file\":\"networks/default.xml\",\"inactive\":\"networks/default.xml\"}]",
         "networks.json: record 1: another record has the file networks/default.xml, too"},
        {"networks.json", network, ",\"file\":\"manifest.json\"}]",
         "networks.json: record 1: manifest.json: "},
        {"networks.json", network,
         ",\"error\":\"x\"},{\"name\":\"m\",\"uuid\":\"00000000-0000-0000-0000-000000000001\",\"error\":"
         "\"x\"}]",
         "networks.json: record 2: another one has its UUID"},
        {"domains.json", "",
         "[{\"name\":\"n\",\"uuid\":\"u\",\"error\":\"x\"},{\"name\":\"n\",\"uuid\":\"v\",\"error\":\"x\"}]",
         "domains.json: record 2: another one has its name"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\",\"state\":99,\"error\":\"x\"}]",
         "domains.json: record 1: no domain is in such a state"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\",\"id\":-2,\"error\":\"x\"}]",
         "domains.json: record 1: no domain is in such a state"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\"}]",
         "domains.json: record 1: 'file' is missing"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\",\"agent\":7}]",
         "'agent' is no list of records"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\",\"agent\":[7]}]", "agent: 'mac' is missing"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\",\"file\":\"domains/VM1.xml\"}]",
         "domains/VM1.xml: is the XML of another domain"},
        {"domains.json", "",
         "[{\"name\":\"n\",\"uuid\":\"0b882ad9-0000-4000-8000-000000000000\",\"file\":\"domains/VM1.xml\"}]",
         "domains/VM1.xml: is the XML of another domain"},
        {"domains.json", "", "[{\"name\":\"VM1\",\"uuid\":\"u\",\"file\":\"domains/VM1.xml\"}]",
         "domains/VM1.xml: is the XML of another domain"},
        {"domains.json", "", "[{\"name\":\"n\",\"uuid\":\"u\",\"file\":\"links.json\"}]",
         "domains.json: record 1: links.json: "},
        {"firewalld.json", "", "[{\"interface\":\"virbr0\"}]", "firewalld.json: record 1: 'zone' is missing"},
        {"conntrack.json", FLOW, "}]", "conntrack.json: record 1: 'reply_destination' is missing"},
        {"conntrack.json", FLOW, ",\"reply_destination\":\"::1\"}]",
         "conntrack.json: record 1: no entry of the kernel's"},
        {"conntrack.json", FLOW, ",\"reply_destination\":\"10.0.0.3\",\"source_port\":1}]",
         "conntrack.json: record 1: no entry of the kernel's"},
        {"conntrack.json", FLOW, ",\"reply_destination\":\"10.0.0.3\",\"sent_bytes\":-2}]",
         "conntrack.json: record 1: no entry of the kernel's"},
        {"conntrack.json", FLOW, ",\"reply_destination\":\"10.0.0.3\",\"source_port\":65536}]",
         "conntrack.json: record 1: 'source_port' is no number from 0 to 65535"},
        {"dnsmasq.json", "", "[{\"network\":\"n\",\"argv\":7}]", "dnsmasq.json: record 1: 'argv'"},
        {"dnsmasq.json", "", "[{\"network\":\"n\"}]", "dnsmasq.json: record 1: 'config' is missing"},
        {"dnsmasq.json", "", "[{\"network\":\"n\",\"unknown\":true,\"file\":\"a b\"}]",
         "dnsmasq.json: record 1: name: "},
        {"firewall/nft.json", "", "[", "firewall/nft.json: nft: syntax: "},
        {"firewall/iptables-nft-save.txt", "", "*filter\n-A X",
         "firewall/iptables-nft-save.txt: iptables-nft-save: "},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *file = g_build_filename(place->path, cases[i].file, NULL);
        g_autofree char *text = g_strconcat(cases[i].before, cases[i].content, NULL);
        g_autofree char *good = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s: %s", cases[i].file, text);
        g_assert_true(g_file_get_contents(file, &good, NULL, NULL));
        g_assert_true(g_file_set_contents(file, text, -1, NULL));
        g_assert_null(capture_read(place->path, &error));
        /* Either is exit code 1. */
        g_assert_true(g_error_matches(error, VNAT_ERROR, VNAT_ERROR_FAILED) ||
                      g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND));
        g_assert_nonnull(vnat_error_get_what(error));
        if (!strstr(error->message, cases[i].message))
            g_error("%s, not %s", error->message, cases[i].message);
        g_assert_true(g_file_set_contents(file, good, -1, NULL));
    }
    capture_free(read_from(place->path));
}

/* Who has a capture of a version to come is told what he needs. */
static void test_to_come(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *manifest = g_build_filename(place->path, "manifest.json", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(
        manifest, "{\"format\":\"vnat-capture\",\"version\":2,\"vnat\":\"7.0\"}", -1, NULL));
    g_assert_null(capture_read(place->path, &error));
    g_assert_true(g_str_has_prefix(vnat_error_get_hint(error), "it was captured by vnat 7.0, and this is "));
}

/* A list that the first captures did not have may be missing where its source gave no facts, and there alone.
 */
static void assert_newer_list(const Place *place, const char *name, SourceId source)
{
    g_autofree char *base = g_strconcat(name, ".json", NULL);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", name);
    g_autofree char *file = g_build_filename(place->path, base, NULL);
    g_autofree char *manifest = g_build_filename(place->path, "manifest.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Capture) capture = NULL;
    GString *without;

    g_assert_cmpint(g_unlink(file), ==, 0);
    g_assert_null(capture_read(place->path, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_assert_true(g_file_get_contents(manifest, &text, NULL, NULL));
    without = g_string_new(text);
    g_assert_cmpuint(g_string_replace(without, quoted, "\"something\"", 0), ==, 1);
    g_assert_true(g_file_set_contents(manifest, without->str, -1, NULL));
    capture = read_from(place->path);
    g_assert_cmpint(capture->facts->sources[source].state, ==, SOURCE_UNREAD);
    g_assert_true(g_file_set_contents(manifest, text, -1, NULL));
    g_assert_true(g_file_set_contents(file, "[]", -1, NULL));
    g_string_free(without, TRUE);
}

/* That there is nothing is another thing than that nobody knows. */
static void test_missing(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const files[] = {"manifest.json", "leases.json",  "links.json",   "routes.json",
                                        "networks.json", "domains.json", "dnsmasq.json", "sockets.json"};
    g_autofree char *nft = g_build_filename(place->path, "firewall", "nft.json", NULL);
    g_autofree char *save = g_build_filename(place->path, "firewall", "iptables-nft-save.txt", NULL);
    g_autoptr(GError) none = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = g_build_filename(place->path, files[i], NULL);
        g_autofree char *good = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_get_contents(file, &good, NULL, NULL));
        g_assert_cmpint(g_unlink(file), ==, 0);
        g_assert_null(capture_read(place->path, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
        g_assert_true(g_str_has_prefix(error->message, files[i]));
        g_assert_true(g_file_set_contents(file, good, -1, NULL));
    }
    assert_newer_list(place, "firewalld", SOURCE_FIREWALLD);
    assert_newer_list(place, "conntrack", SOURCE_CONNTRACK);
    /* The programs that list rules depend on the host; one there is, where the rules were read. */
    g_assert_cmpint(g_unlink(nft), ==, 0);
    capture_free(read_from(place->path));
    g_assert_cmpint(g_unlink(save), ==, 0);
    g_assert_null(capture_read(place->path, &none));
    g_assert_error(none, VNAT_ERROR, VNAT_ERROR_FAILED);
}

/* Names that can be no file's, and two of which one is the other's UUID. */
static void test_names(Place *place, gconstpointer data G_GNUC_UNUSED)
{
    static const char uuid[] = "11111111-2222-3333-4444-555555555555";
    g_autofree char *path = g_build_filename(place->top, "names", NULL);
    g_autoptr(Capture) made = capture_new();
    g_autoptr(Capture) capture = NULL;
    const char *const names[] = {"../../etc/passwd", "a\nb", uuid, "--help", "\xe2\x80\xae", ""};

    made->facts->host = g_strdup("h");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        Network *network = network_new();

        network->name = g_strdup(names[i]);
        network->uuid = i == 0 ? g_strdup(uuid) : g_strdup_printf("no uuid %u", i);
        network->xml_read = FALSE;
        network->xml_error = g_strdup("why");
        g_ptr_array_add(made->facts->networks, network);
    }
    ((Network *)made->facts->networks->pdata[0])->xml = plain_xml("network", names[0], uuid);
    ((Network *)made->facts->networks->pdata[2])->xml =
        g_markup_printf_escaped("<network><name>%s</name></network>", names[2]);
    write_to(made, path);
    capture = read_from(path);
    g_assert_cmpuint(capture->facts->networks->len, ==, G_N_ELEMENTS(names));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpstr(((const Network *)capture->facts->networks->pdata[i])->name, ==, names[i]);
    g_assert_true(((const Network *)capture->facts->networks->pdata[0])->xml_read);
    g_assert_true(((const Network *)capture->facts->networks->pdata[2])->xml_read);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME, FUNC) g_test_add("/capture/" NAME, Place, NULL, place_set_up, FUNC, place_tear_down)
    ADD("there-and-back", test_there_and_back);
    ADD("replay", test_replay);
    ADD("replay-one", test_replay_one);
    ADD("replay-failures", test_replay_failures);
    ADD("replay-unreachable", test_replay_unreachable);
    ADD("damaged", test_damaged);
    ADD("to-come", test_to_come);
    ADD("missing", test_missing);
    ADD("names", test_names);
    return g_test_run();
}
