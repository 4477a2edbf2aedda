/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "change-tools.h"
#include "world.h"

#include "model/change.h"

/* When two networks are one; change-tools.h says how that is tried. */

/* ----------------------------------------------------------------------------------------- networks */

typedef struct {
    Facts *facts;
    Network *network;
    Link *link;
    Dnsmasq *dnsmasq;
} Host;

static NetworkIp *first_ip(Host *host)
{
    return host->network->ips->pdata[0];
}

static void net_name(Host *host)
{
    set_text(&host->network->name, "other");
    set_text(&host->dnsmasq->network, "other");
}

static void net_uuid(Host *host)
{
    set_text(&host->network->uuid, "other");
}

static void net_active(Host *host)
{
    host->network->active = FALSE;
}

static void net_persistent(Host *host)
{
    host->network->persistent = FALSE;
}

static void net_autostart(Host *host)
{
    host->network->autostart = FALSE;
}

static void net_forward(Host *host)
{
    set_text(&host->network->forward, "route");
}

static void net_bridge(Host *host)
{
    set_text(&host->network->bridge, "virbr7");
    set_text(&host->link->name, "virbr7");
}

static void net_bridge_id(Host *host)
{
    host->link->bridge_info.id[7] ^= 1;
}

static void net_stp(Host *host)
{
    host->link->bridge_info.stp = !host->link->bridge_info.stp;
}

static void net_delay(Host *host)
{
    host->link->bridge_info.forward_delay += 100;
}

static void net_mtu(Host *host)
{
    host->link->mtu = 1400;
}

static void net_bridge_gone(Host *host)
{
    set_text(&host->link->name, "elsewhere");
}

static void net_claims(Host *host)
{
    host->network->stp = !host->network->stp;
    host->network->delay += 1;
    host->network->mtu = 9000;
}

static void net_dns_domain(Host *host)
{
    set_text(&host->network->domain_name, "example");
}

static void net_template(Host *host)
{
    set_text(&host->network->template_name, "nat");
}

static void net_ip(Host *host)
{
    first_ip(host)->net.ip.bytes[3]++;
}

static void net_prefix(Host *host)
{
    first_ip(host)->net.prefix = 25;
}

static void net_range(Host *host)
{
    g_array_index(first_ip(host)->ranges, DhcpRange, 0).last.bytes[3]--;
}

static void net_range_begin(Host *host)
{
    DhcpRange *range = &g_array_index(first_ip(host)->ranges, DhcpRange, 0);

    range->first.bytes[3]++;
    range->last.bytes[3]++;
}

static void net_no_dhcp(Host *host)
{
    first_ip(host)->dhcp = FALSE;
}

static void net_pid(Host *host)
{
    host->dnsmasq->pid++;
}

static void net_user(Host *host)
{
    set_text(&host->dnsmasq->user, "dnsmasq");
}

static void net_config(Host *host)
{
    set_text(&host->dnsmasq->config, "/elsewhere");
}

static void net_dead(Host *host)
{
    host->dnsmasq->alive = FALSE;
}

static void net_no_rules(Host *host)
{
    g_ptr_array_set_size(host->facts->firewall, 0);
}

typedef struct {
    void (*change)(Host *host);
    const char *members;
} NetworkCase;

static const NetworkCase network_cases[] = {
    {net_name, "name"},
    {net_uuid, "uuid"},
    {net_active, "active nat"},
    {net_persistent, "persistent"},
    {net_autostart, "autostart"},
    {net_forward, "forward nat"},
    {net_bridge, "bridge"},
    {net_bridge_id, "bridge_id"},
    {net_stp, "stp"},
    {net_delay, "forward_delay"},
    {net_mtu, "mtu"},
    {net_claims, ""},
    {net_dns_domain, "dns_domain"},
    {net_template, "template"},
    {net_ip, "ips"},
    {net_prefix, "ips"},
    {net_range, "ips"},
    {net_range_begin, "ips"},
    {net_no_dhcp, "ips"},
    {net_pid, "dnsmasq"},
    {net_user, "dnsmasq"},
    {net_config, "dnsmasq"},
    {net_dead, "dnsmasq"},
    {net_no_rules, "nat"},
    {net_bridge_gone, "bridge_id"},
};

static void host_init(Host *host)
{
    host->facts = world_host();
    host->network = facts_network(host->facts, "default");
    host->link = facts_link_named(host->facts, "virbr0");
    host->dnsmasq = (Dnsmasq *)network_dnsmasq(host->facts, host->network);
}

/* Without what has lines of its own: ports that come and go, leases. */
static json_t *network_json(const NetworkRow *row)
{
    json_t *json = json_of_network(row);
    json_t *ips = json_object_get(json, "ips");
    json_t *dnsmasq = json_object_get(json, "dnsmasq");

    json_object_del(json, "interfaces");
    for (gsize i = 0; i < json_array_size(ips); i++) {
        json_t *dhcp = json_object_get(json_array_get(ips, i), "dhcp");

        if (json_is_object(dhcp)) {
            json_object_del(dhcp, "leases");
            json_object_del(dhcp, "size"); /* of the ranges */
        }
    }
    if (json_is_object(dnsmasq))
        json_object_del(dnsmasq, "listening");
    return json;
}

static NetworkRow *row_of(GPtrArray *rows, const Network *network)
{
    for (guint i = 0; i < rows->len; i++) {
        NetworkRow *row = rows->pdata[i];

        if (row->network == network)
            return row;
    }
    g_assert_not_reached();
}

static void test_networks(void)
{
    g_autoptr(GHashTable) members = NULL;
    Host host;

    host_init(&host);
    {
        g_autoptr(GPtrArray) rows = network_rows(host.facts);
        NetworkRow *row = row_of(rows, host.network);

        members = members_of(network_json(row));
        for (guint i = 0; i < G_N_ELEMENTS(network_cases); i++) {
            Host changed;
            g_autoptr(GPtrArray) before = NULL;
            g_autoptr(GPtrArray) after = NULL;
            g_autofree char *names = NULL;
            NetworkRow *other;

            host_init(&changed);
            before = network_rows(changed.facts);
            g_assert_true(network_row_equal(row, row_of(before, changed.network)));
            network_cases[i].change(&changed);
            after = network_rows(changed.facts);
            other = row_of(after, changed.network);
            /* The sockets that it listens on depend on the rest. */
            other->dnsmasq_listening = row->dnsmasq_listening;
            names = differences(network_json(row), network_json(other));
            if (network_cases[i].change == net_bridge_gone)
                g_assert_true(g_str_has_prefix(names, "bridge_id"));
            else
                g_assert_cmpstr(names, ==, network_cases[i].members);
            g_assert_cmpint(network_row_equal(row, other), ==, names[0] == '\0');
            g_assert_cmpint(network_row_equal(other, row), ==, names[0] == '\0');
            forget(members, names);
            facts_free(changed.facts);
        }
    }
    assert_none_left(members);
    facts_free(host.facts);
}

static void test_network_parts(void)
{
    Host host;
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GPtrArray) others = NULL;
    const NetworkRow *row;
    NetworkRow *other;
    TemplateValue *value = g_new0(TemplateValue, 1);

    host_init(&host);
    rows = network_rows(host.facts);
    others = network_rows(host.facts);
    row = row_of(rows, host.network);
    other = row_of(others, host.network);
    g_ptr_array_set_size(other->interfaces, 0);
    other->leases = 7;
    g_assert_true(network_row_equal(row, other));
    other->dnsmasq_listening = TRI_NO;
    g_assert_false(network_row_equal(row, other));
    other->dnsmasq_listening = row->dnsmasq_listening;
    other->dnsmasq_running = TRI_UNKNOWN;
    g_assert_false(network_row_equal(row, other));
    other->dnsmasq_running = row->dnsmasq_running;
    other->dnsmasq = NULL;
    g_assert_false(network_row_equal(row, other));
    other->dnsmasq = row->dnsmasq;
    other->backend = "nftables";
    g_assert_false(network_row_equal(row, other));
    other->backend = row->backend;
    g_assert_true(network_row_equal(row, other));

    {
        Host valued;
        g_autoptr(GPtrArray) with = NULL;

        host_init(&valued);
        value->name = g_strdup("subnet");
        value->value = g_strdup("10.0.0.0/24");
        g_ptr_array_add(valued.network->template_values, value);
        with = network_rows(valued.facts);
        g_assert_false(network_row_equal(row, row_of(with, valued.network)));
        facts_free(valued.facts);
    }
    facts_free(host.facts);
}

/* Without a bridge libvirt's claims are shown. */
static void test_network_claims(void)
{
    Host hosts[4];
    g_autoptr(GPtrArray) rows = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(hosts); i++) {
        host_init(&hosts[i]);
        net_bridge_gone(&hosts[i]);
    }
    hosts[1].network->stp = !hosts[1].network->stp;
    hosts[2].network->delay += 1;
    hosts[3].network->mtu = 9000;
    rows = network_rows(hosts[0].facts);
    for (guint i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autoptr(GPtrArray) others = network_rows(hosts[i].facts);

        g_assert_cmpint(network_row_equal(row_of(rows, hosts[0].network), row_of(others, hosts[i].network)),
                        ==, i == 0);
    }
    for (guint i = 0; i < G_N_ELEMENTS(hosts); i++)
        facts_free(hosts[i].facts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/change/networks", test_networks);
    g_test_add_func("/change/networks/parts", test_network_parts);
    g_test_add_func("/change/networks/claims", test_network_claims);
    return g_test_run();
}
