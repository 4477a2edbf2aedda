/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/reader.h"
#include "world.h"

#include <string.h>

/* What a captured host answers when it is asked for a part, for what was not whole then, or for all of it. */

#define MAC_NOW "52:54:00:00:00:aa"
#define MAC_NEXT "52:54:00:00:00:bb"

typedef struct {
    Capture *capture; /* the reader's */
    Reader *reader;
    Facts *facts;
} Host;

static char *network_xml(const Network *network, const char *domain)
{
    return g_markup_printf_escaped(
        "<network><name>%s</name><uuid>%s</uuid><forward mode='%s'/><bridge name='%s'/><domain name='%s'/>"
        "</network>",
        network->name, network->uuid, network->forward, network->bridge, domain);
}

static char *domain_xml(const Domain *domain, const char *mac)
{
    return g_markup_printf_escaped(
        "<domain><name>%s</name><uuid>%s</uuid><devices><interface type='network'><mac address='%s'/>"
        "<source network='default'/></interface></devices></domain>",
        domain->name, domain->uuid, mac);
}

/* world_host, captured: what runs has another definition for its next start. */
static void host_set_up(Host *host, gconstpointer data)
{
    Capture *capture = capture_new();

    facts_free(capture->facts);
    capture->facts = world_host();
    for (guint i = 0; i < capture->facts->networks->len; i++) {
        Network *network = capture->facts->networks->pdata[i];

        network->xml = network_xml(network, "now");
        network->xml_inactive = network_xml(network, "next");
    }
    for (guint i = 0; i < capture->facts->domains->len; i++) {
        Domain *domain = capture->facts->domains->pdata[i];

        domain->xml = domain_xml(domain, MAC_NOW);
        domain->xml_inactive = domain->id >= 0 ? domain_xml(domain, MAC_NEXT) : NULL;
    }
    host->capture = capture;
    host->reader = reader_replay(capture);
    host->facts = facts_new();
    host->facts->now = WORLD_NOW;
    host->facts->local = TRUE;
}

static void host_tear_down(Host *host, gconstpointer data)
{
    facts_free(host->facts);
    reader_free(host->reader);
}

static Network *captured_network(const Host *host, const char *name)
{
    return facts_network(host->capture->facts, name);
}

static Domain *captured_domain(const Host *host, guint i)
{
    return host->capture->facts->domains->pdata[i];
}

static gboolean read_networks(Host *host, LibvirtNetworks which, GError **error)
{
    return host->reader->ops->networks(host->reader, host->facts, which, DEADLINE_NEVER, error);
}

static gboolean read_leases(Host *host, GError **error)
{
    return host->reader->ops->leases(host->reader, host->facts, DEADLINE_NEVER, error);
}

static void assert_state(const Host *host, SourceId id, SourceState state)
{
    g_assert_cmpint(host->facts->sources[id].state, ==, state);
}

/* ----------------------------------------------------------------------------------- a part of them */

static void test_active_only(Host *host, gconstpointer data)
{
    captured_network(host, "lab")->active = FALSE;
    g_assert_true(read_networks(host, LIBVIRT_NETWORKS_ACTIVE, NULL));
    g_assert_cmpuint(host->facts->networks->len, ==, 1);
    g_assert_cmpstr(((const Network *)host->facts->networks->pdata[0])->name, ==, "default");
    g_assert_true(read_networks(host, LIBVIRT_NETWORKS_ALL, NULL));
    g_assert_cmpuint(host->facts->networks->len, ==, 2);
    g_assert_true(host->reader->ops->domains(host->reader, host->facts, FALSE, DEADLINE_NEVER, NULL));
    g_assert_cmpuint(host->facts->domains->len, ==, 3);
    g_assert_true(host->reader->ops->domains(host->reader, host->facts, TRUE, DEADLINE_NEVER, NULL));
    g_assert_cmpuint(host->facts->domains->len, ==, 4);
}

/* Only what was asked for is touched. */
static void test_links(Host *host, gconstpointer data)
{
    const Facts *captured = host->capture->facts;

    host->reader->ops->links(host->reader, host->facts, LINKS_ROUTES, DEADLINE_NEVER);
    g_assert_cmpuint(host->facts->routes->len, ==, captured->routes->len);
    g_assert_cmpuint(host->facts->links->len, ==, 0);
    g_assert_cmpuint(host->facts->addresses->len, ==, 0);
    assert_state(host, SOURCE_LINKS, SOURCE_REPLAYED);
    assert_state(host, SOURCE_NEIGHBOURS, SOURCE_UNREAD);
    host->reader->ops->links(host->reader, host->facts, LINKS_LINKS | LINKS_NEIGHBOURS, DEADLINE_NEVER);
    g_assert_cmpuint(host->facts->links->len, ==, captured->links->len);
    g_assert_cmpuint(host->facts->neighbours->len, ==, captured->neighbours->len);
    g_assert_cmpuint(host->facts->addresses->len, ==, 0);
    assert_state(host, SOURCE_NEIGHBOURS, SOURCE_REPLAYED);
}

/* Leases and processes of networks that were not read belong to nobody; an expired lease is none. */
static void test_of_network(Host *host, gconstpointer data)
{
    Lease *expired = world_lease(host->capture->facts, "lab", MAC_NOW, "10.20.30.150", 60);

    expired->expiry = WORLD_NOW - 1;
    g_assert_nonnull(
        host->reader->ops->network(host->reader, host->facts, "lab", FALSE, DEADLINE_NEVER, NULL));
    g_assert_true(read_leases(host, NULL));
    g_assert_cmpuint(host->facts->leases->len, ==, 1);
    g_assert_cmpstr(((const Lease *)host->facts->leases->pdata[0])->network, ==, "lab");
    host->reader->ops->processes(host->reader, host->facts, FALSE, DEADLINE_NEVER);
    g_assert_cmpuint(host->facts->dnsmasqs->len, ==, 1);
    g_assert_cmpstr(((const Dnsmasq *)host->facts->dnsmasqs->pdata[0])->network, ==, "lab");
    g_assert_cmpuint(host->facts->sockets->len, ==, 0);
    g_assert_false(host->facts->sockets_read);
    host->reader->ops->processes(host->reader, host->facts, TRUE, DEADLINE_NEVER);
    g_assert_cmpuint(host->facts->sockets->len, ==, host->capture->facts->sockets->len);
    g_assert_true(host->facts->sockets_read);
}

/* Sorted, those that do not run too. */
static void test_names(Host *host, gconstpointer data)
{
    static const char *const networks[] = {"aaa", "default", NULL};
    static const char *const domains[] = {"VM1", "VM2", "VM3", "VM4", NULL};
    Network *network = captured_network(host, "lab");
    g_auto(GStrv) network_names = NULL;
    g_auto(GStrv) domain_names = NULL;

    g_free(network->name);
    network->name = g_strdup("aaa");
    network->active = FALSE;
    network_names = host->reader->ops->network_names(host->reader, DEADLINE_NEVER, NULL);
    domain_names = host->reader->ops->domain_names(host->reader, DEADLINE_NEVER, NULL);
    g_assert_cmpstrv(network_names, networks);
    g_assert_cmpstrv(domain_names, domains);
}

/* ------------------------------------------------------------------------------- now and next start */

static void test_network_next(Host *host, gconstpointer data)
{
    const ReaderOps *ops = host->reader->ops;
    g_autofree char *now = ops->network_xml(host->reader, "default", FALSE, DEADLINE_NEVER, NULL);
    g_autofree char *next = ops->network_xml(host->reader, "default", TRUE, DEADLINE_NEVER, NULL);
    g_autofree char *only = NULL;
    const Network *network = ops->network(host->reader, host->facts, "default", TRUE, DEADLINE_NEVER, NULL);

    g_assert_nonnull(strstr(now, "name='now'"));
    g_assert_nonnull(strstr(next, "name='next'"));
    g_assert_cmpstr(network->domain_name, ==, "next");
    /* One that does not run has one definition. */
    g_clear_pointer(&captured_network(host, "lab")->xml_inactive, g_free);
    only = ops->network_xml(host->reader, "lab", TRUE, DEADLINE_NEVER, NULL);
    g_assert_nonnull(strstr(only, "name='now'"));
}

static void assert_mac(const Domain *domain, const char *expected)
{
    const DomainInterface *iface = domain->interfaces->pdata[0];
    char mac[MAC_TEXT];

    g_assert_cmpstr(mac_format(&iface->mac, mac), ==, expected);
}

static void test_domain_next(Host *host, gconstpointer data)
{
    const ReaderOps *ops = host->reader->ops;

    assert_mac(ops->domain(host->reader, host->facts, "VM1", FALSE, DEADLINE_NEVER, NULL), MAC_NOW);
    assert_mac(ops->domain(host->reader, host->facts, "VM1", TRUE, DEADLINE_NEVER, NULL), MAC_NEXT);
    assert_mac(ops->domain(host->reader, host->facts, "VM4", TRUE, DEADLINE_NEVER, NULL), MAC_NOW);
    /* The other domain stayed; this one is there once. */
    g_assert_cmpuint(host->facts->domains->len, ==, 2);
}

static const char *name_of_domain(Host *host, const char *which)
{
    return host->reader->ops->domain(host->reader, host->facts, which, FALSE, DEADLINE_NEVER, NULL)->name;
}

/* An id before a name: "3" is VM3, though another is called so and stands before it. */
static void test_domain_id(Host *host, gconstpointer data)
{
    Domain *named = captured_domain(host, 0);

    g_free(named->name);
    named->name = g_strdup("3");
    g_assert_cmpstr(name_of_domain(host, "3"), ==, "VM3");
    captured_domain(host, 2)->id = 7;
    g_assert_cmpstr(name_of_domain(host, "3"), ==, "3");
}

/* --------------------------------------------------------------------------------- what was missing */

/* A network whose XML could not be read is one yet, and says why where it is asked for. */
static void test_network_unread(Host *host, gconstpointer data)
{
    Network *captured = captured_network(host, "lab");
    const ReaderOps *ops = host->reader->ops;
    g_autoptr(GError) error = NULL;
    const Network *network;

    g_clear_pointer(&captured->xml, g_free);
    g_clear_pointer(&captured->xml_inactive, g_free);
    captured->xml_read = FALSE;
    captured->xml_error = g_strdup("it hangs");
    g_assert_true(read_networks(host, LIBVIRT_NETWORKS_ALL, NULL));
    network = facts_network(host->facts, "lab");
    g_assert_false(network->xml_read);
    g_assert_true(network->active);
    assert_state(host, SOURCE_LIBVIRT, SOURCE_STALE);
    g_assert_null(ops->network(host->reader, host->facts, "lab", FALSE, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, "it hangs");
    g_clear_error(&error);
    g_assert_null(ops->network_xml(host->reader, "lab", FALSE, DEADLINE_NEVER, &error));
    g_assert_cmpstr(error->message, ==, "it hangs");
    /* What is read well after it does not make the whole of it good. */
    g_assert_nonnull(ops->network(host->reader, host->facts, "default", FALSE, DEADLINE_NEVER, NULL));
    assert_state(host, SOURCE_LIBVIRT, SOURCE_STALE);
}

static void test_unreachable(Host *host, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    vnat_error_set(&host->capture->failed[CAPTURE_CONNECTION], VNAT_ERROR_UNREACHABLE, "no socket");
    g_assert_null(
        host->reader->ops->network(host->reader, host->facts, "lab", FALSE, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_UNREACHABLE);
    g_assert_cmpstr(vnat_error_get_what(error), ==, "failed to get network 'lab'");
    assert_state(host, SOURCE_LIBVIRT, SOURCE_DOWN);
}

static void test_no_domains(Host *host, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    vnat_error_set(&host->capture->failed[CAPTURE_DOMAINS], VNAT_ERROR_DENIED, "no rights");
    g_assert_false(host->reader->ops->domains(host->reader, host->facts, TRUE, DEADLINE_NEVER, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DENIED);
    g_assert_cmpuint(host->facts->domains->len, ==, 0);
    assert_state(host, SOURCE_LIBVIRT, SOURCE_DOWN);
}

/* A driver without leases has none to read: absent, and no fault. What was read before is older then. */
static void test_failed_states(Host *host, gconstpointer data)
{
    GError **failed = &host->capture->failed[CAPTURE_LEASES];

    vnat_error_set(failed, VNAT_ERROR_UNSUPPORTED, "not supported");
    g_assert_false(read_leases(host, NULL));
    assert_state(host, SOURCE_LEASES, SOURCE_ABSENT);
    g_clear_error(failed);
    vnat_error_set(failed, VNAT_ERROR_FAILED, "broken");
    g_assert_false(read_leases(host, NULL));
    assert_state(host, SOURCE_LEASES, SOURCE_DOWN);
    host->facts->sources[SOURCE_LEASES].generation = 1;
    g_assert_false(read_leases(host, NULL));
    assert_state(host, SOURCE_LEASES, SOURCE_STALE);
}

/* That a part of the leases was missing is of no matter to who asks for the other part. */
static void test_leases_partly(Host *host, gconstpointer data)
{
    SourceStatus *status = &host->capture->facts->sources[SOURCE_LEASES];

    source_status_set(status, SOURCE_STALE, "lab: damaged");
    captured_network(host, "lab")->leases_unread = TRUE;
    g_assert_nonnull(
        host->reader->ops->network(host->reader, host->facts, "default", FALSE, DEADLINE_NEVER, NULL));
    g_assert_true(read_leases(host, NULL));
    assert_state(host, SOURCE_LEASES, SOURCE_REPLAYED);
    g_assert_nonnull(
        host->reader->ops->network(host->reader, host->facts, "lab", FALSE, DEADLINE_NEVER, NULL));
    g_assert_true(read_leases(host, NULL));
    assert_state(host, SOURCE_LEASES, SOURCE_STALE);
    g_assert_cmpstr(host->facts->sources[SOURCE_LEASES].error, ==, "lab: damaged");
}

/* Of a network whose leases could not be read at all nothing is known, whatever others had. */
static void test_leases_of_one(Host *host, gconstpointer data)
{
    source_status_set(&host->capture->facts->sources[SOURCE_LEASES], SOURCE_STALE, "lab: damaged");
    g_ptr_array_set_size(host->capture->facts->leases, 0);
    captured_network(host, "lab")->leases_unread = TRUE;
    g_assert_nonnull(
        host->reader->ops->network(host->reader, host->facts, "lab", FALSE, DEADLINE_NEVER, NULL));
    g_assert_true(read_leases(host, NULL));
    assert_state(host, SOURCE_LEASES, SOURCE_DOWN);
    g_assert_cmpstr(host->facts->sources[SOURCE_LEASES].error, ==, "lab: damaged");
}

/* ------------------------------------------------------------------------------------------- agents */

/* Asked, an agent of a domain that runs tells what it told; its status counts where it had to answer. */
static void test_agents(Host *host, gconstpointer data)
{
    AgentAddress said = {world_mac_of(MAC_NOW), world_net_of("192.168.122.9/24")};
    const ReaderOps *ops = host->reader->ops;

    for (guint i = 0; i < host->capture->facts->domains->len; i++)
        g_array_append_val(captured_domain(host, i)->agent, said);
    g_assert_true(ops->domains(host->reader, host->facts, TRUE, DEADLINE_NEVER, NULL));
    for (guint i = 0; i < host->facts->domains->len; i++)
        g_assert_cmpuint(((const Domain *)host->facts->domains->pdata[i])->agent->len, ==, 0);
    ops->agents(host->reader, host->facts, FALSE, DEADLINE_NEVER);
    for (guint i = 0; i < host->facts->domains->len; i++) {
        const Domain *domain = host->facts->domains->pdata[i];

        g_assert_cmpuint(domain->agent->len, ==, domain->state == DOMAIN_RUNNING);
    }
    assert_state(host, SOURCE_AGENT, SOURCE_UNREAD);
    ops->agents(host->reader, host->facts, TRUE, DEADLINE_NEVER);
    assert_state(host, SOURCE_AGENT, SOURCE_REPLAYED);
}

/* --------------------------------------------------------------------------------------------- keep */

/* Facts that keep their texts can be captured again: a capture of a capture. */
static void test_keep(Host *host, gconstpointer data)
{
    const ReaderOps *ops = host->reader->ops;
    const Facts *captured = host->capture->facts;

    g_ptr_array_add(captured->firewall_texts, firewall_text_new("iptables-nft-save", "*filter\nCOMMIT\n"));
    ((Dnsmasq *)captured->dnsmasqs->pdata[0])->options = g_strdup("interface=virbr0\n");
    for (gint keep = 0; keep < 2; keep++) {
        const Network *network;
        const Domain *domain;

        host->facts->keep = keep;
        g_assert_true(read_networks(host, LIBVIRT_NETWORKS_ALL, NULL));
        g_assert_true(ops->domains(host->reader, host->facts, TRUE, DEADLINE_NEVER, NULL));
        ops->processes(host->reader, host->facts, TRUE, DEADLINE_NEVER);
        ops->firewall(host->reader, host->facts, DEADLINE_NEVER);
        network = facts_network(host->facts, "default");
        domain = host->facts->domains->pdata[0];
        g_assert_cmpstr(network->xml, ==, keep ? captured_network(host, "default")->xml : NULL);
        g_assert_cmpstr(network->xml_inactive, ==,
                        keep ? captured_network(host, "default")->xml_inactive : NULL);
        g_assert_cmpstr(domain->xml, ==, keep ? captured_domain(host, 0)->xml : NULL);
        g_assert_cmpstr(domain->xml_inactive, ==, keep ? captured_domain(host, 0)->xml_inactive : NULL);
        g_assert_cmpuint(host->facts->firewall_texts->len, ==, keep);
        g_assert_cmpuint(host->facts->firewall->len, ==, 1);
    }
    g_assert_cmpstr(((const Dnsmasq *)host->facts->dnsmasqs->pdata[0])->options, ==, "interface=virbr0\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/replay/" name, Host, NULL, host_set_up, function, host_tear_down)
    ADD("active-only", test_active_only);
    ADD("links", test_links);
    ADD("of-network", test_of_network);
    ADD("names", test_names);
    ADD("network-next", test_network_next);
    ADD("domain-next", test_domain_next);
    ADD("domain-id", test_domain_id);
    ADD("network-unread", test_network_unread);
    ADD("unreachable", test_unreachable);
    ADD("no-domains", test_no_domains);
    ADD("failed-states", test_failed_states);
    ADD("leases-partly", test_leases_partly);
    ADD("leases-of-one", test_leases_of_one);
    ADD("agents", test_agents);
    ADD("keep", test_keep);
#undef ADD
    return g_test_run();
}
