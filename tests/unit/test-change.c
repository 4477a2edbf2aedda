/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include "model/change.h"
#include "model/network.h"
#include "views/json.h"

#include <stdlib.h>
#include <string.h>

/*
 * Equality against what a consumer reads: two records are equal exactly if their JSON is. Each case changes
 * one fact of a host and says which members of the JSON differ by it, so that a member that is not compared
 * fails; a test at the end counts that every member had its turn.
 */

static char *set_text(char **field, const char *value)
{
    g_free(*field);
    return *field = g_strdup(value);
}

/* The names of the members that differ, separated by spaces. */
static char *differences(json_t *a, json_t *b)
{
    GString *text = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach(a, key, value)
    {
        if (!json_equal(value, json_object_get(b, key)))
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", key);
    }
    json_decref(a);
    json_decref(b);
    return g_string_free(text, FALSE);
}

static void forget(GHashTable *members, const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, " ", -1);

    for (guint i = 0; list[i]; i++)
        g_hash_table_remove(members, list[i]);
}

static GHashTable *members_of(json_t *json)
{
    GHashTable *members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *key;
    json_t *value;

    json_object_foreach(json, key, value) g_hash_table_add(members, g_strdup(key));
    json_decref(json);
    return members;
}

static void assert_none_left(GHashTable *members)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, members);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_test_message("no case changes \"%s\"", (char *)key);
    g_assert_cmpuint(g_hash_table_size(members), ==, 0);
}

/* -------------------------------------------------------------------------------------------- rows */

static Address *first_address(MapRow *row)
{
    return row->addresses->pdata[0];
}

static void row_domain(MapRow *row)
{
    set_text(&row->domain, "other");
}

static void row_uuid(MapRow *row)
{
    set_text(&row->domain_uuid, "other");
}

static void row_id(MapRow *row)
{
    row->domain_id = 77;
}

static void row_state(MapRow *row)
{
    row->domain_state = DOMAIN_PAUSED;
}

static void row_alias(MapRow *row)
{
    set_text(&row->alias, NULL);
}

static void row_type(MapRow *row)
{
    set_text(&row->type, "bridge");
}

static void row_source(MapRow *row)
{
    set_text(&row->source, "elsewhere");
}

static void row_network(MapRow *row)
{
    set_text(&row->network, "other");
}

static void row_model(MapRow *row)
{
    set_text(&row->model, "e1000");
}

static void row_mac(MapRow *row)
{
    row->mac.bytes[5] ^= 1;
}

static void row_no_mac(MapRow *row)
{
    row->has_mac = FALSE;
}

static void row_tap(MapRow *row)
{
    set_text(&row->tap, "vnet99");
}

static void row_ifindex(MapRow *row)
{
    row->ifindex++;
}

static void row_host_mac(MapRow *row)
{
    row->host_mac.bytes[5] ^= 1;
}

static void row_no_host_mac(MapRow *row)
{
    row->has_host_mac = FALSE;
}

static void row_bridge(MapRow *row)
{
    set_text(&row->bridge, NULL);
}

static void row_network_bridge(MapRow *row)
{
    set_text(&row->network_bridge, "virbr9");
}

static void row_mtu(MapRow *row)
{
    row->mtu = 1400;
}

static void row_link(MapRow *row)
{
    row->link = LINK_DOWN;
}

static void row_unknown(MapRow *row)
{
    row->interface_known = FALSE;
}

static void row_carrier(MapRow *row)
{
    row->carrier = 0;
}

static void row_carrier_unknown(MapRow *row)
{
    row->carrier = -1;
}

static void row_problem(MapRow *row)
{
    g_ptr_array_add(row->problems, (gpointer) "tap-down");
}

static void row_one_less(MapRow *row)
{
    g_ptr_array_set_size(row->addresses, 0);
}

static void row_ip(MapRow *row)
{
    first_address(row)->ip = world_ip_of("192.168.122.99");
}

static void row_prefix(MapRow *row)
{
    first_address(row)->prefix = -1;
}

static void row_evidence(MapRow *row)
{
    first_address(row)->source = ADDRESS_AGENT;
}

static void row_evidences(MapRow *row)
{
    first_address(row)->sources ^= 1U << ADDRESS_AGENT;
}

static void row_hostname(MapRow *row)
{
    set_text(&first_address(row)->hostname, "h");
}

static void row_client(MapRow *row)
{
    set_text(&first_address(row)->client_id, "c");
}

static void row_expiry(MapRow *row)
{
    first_address(row)->expiry += 60;
}

static void row_infinite(MapRow *row)
{
    first_address(row)->has_expiry = FALSE;
}

static void row_unset_is_up(MapRow *row)
{
    row->link = LINK_UP;
}

static void row_place(MapRow *row)
{
    row->order++;
}

typedef struct {
    void (*change)(MapRow *row);
    const char *members; /* "": none */
} RowCase;

static const RowCase row_cases[] = {
    {row_domain, "domain"},
    {row_uuid, "domain_uuid"},
    {row_id, "domain_id"},
    {row_state, "domain_state"},
    {row_alias, "alias"},
    {row_type, "type"},
    {row_source, "source"},
    {row_network, "network"},
    {row_model, "model"},
    {row_mac, "mac"},
    {row_no_mac, "mac"},
    {row_tap, "tap"},
    {row_ifindex, "ifindex"},
    {row_host_mac, "host_mac"},
    {row_no_host_mac, "host_mac"},
    {row_bridge, "bridge"},
    {row_network_bridge, "network_bridge"},
    {row_mtu, "mtu"},
    {row_link, "link"},
    {row_unknown, "link"},
    {row_carrier, "carrier"},
    {row_carrier_unknown, "carrier"},
    {row_problem, "problems"},
    {row_one_less, "addresses"},
    {row_ip, "addresses"},
    {row_prefix, "addresses"},
    {row_evidence, "addresses"},
    {row_evidences, "addresses"},
    {row_hostname, "addresses"},
    {row_client, "addresses"},
    {row_expiry, "addresses"},
    {row_infinite, "addresses"},
    {row_unset_is_up, ""},
    {row_place, ""},
};

static void test_rows(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    const MapRow *row = world_row(map, "vnet0");
    g_autoptr(GHashTable) members = members_of(json_of_interface(row));

    for (guint i = 0; i < G_N_ELEMENTS(row_cases); i++) {
        g_autoptr(Map) other = map_join(facts);
        MapRow *changed = world_row(other, "vnet0");
        g_autofree char *names = NULL;

        g_assert_true(map_row_equal(row, changed));
        row_cases[i].change(changed);
        names = differences(json_of_interface(row), json_of_interface(changed));
        g_assert_cmpstr(names, ==, row_cases[i].members);
        g_assert_cmpint(map_row_equal(row, changed), ==, names[0] == '\0');
        g_assert_cmpint(map_row_equal(changed, row), ==, names[0] == '\0');
        forget(members, names);
    }
    assert_none_left(members);
}

static void test_rows_order(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(Map) other = map_join(facts);
    const MapRow *row = world_row(map, "vnet1");
    MapRow *turned = world_row(other, "vnet1");
    gpointer first = turned->addresses->pdata[0];

    g_assert_cmpuint(turned->addresses->len, >, 1);
    turned->addresses->pdata[0] = turned->addresses->pdata[1];
    turned->addresses->pdata[1] = first;
    g_assert_false(map_row_equal(row, turned));
}

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

/* ------------------------------------------------------------------------------------------ leases */

static void lease_network(Lease *lease)
{
    set_text(&lease->network, "other");
}

static void lease_bridge(Lease *lease)
{
    set_text(&lease->bridge, "other");
}

static void lease_mac(Lease *lease)
{
    lease->mac.bytes[5] ^= 1;
}

static void lease_no_mac(Lease *lease)
{
    lease->has_mac = FALSE;
}

static void lease_ip(Lease *lease)
{
    lease->ip.bytes[3] ^= 1;
}

static void lease_family(Lease *lease)
{
    lease->ip = world_ip_of("fd00::1");
}

static void lease_prefix(Lease *lease)
{
    lease->prefix = 0;
}

static void lease_hostname(Lease *lease)
{
    set_text(&lease->hostname, "other");
}

static void lease_client(Lease *lease)
{
    set_text(&lease->client_id, "other");
}

static void lease_iaid(Lease *lease)
{
    set_text(&lease->iaid, "7");
}

static void lease_expiry(Lease *lease)
{
    lease->expiry++;
}

typedef struct {
    void (*change)(Lease *lease);
    const char *members;
} LeaseCase;

static const LeaseCase lease_cases[] = {
    {lease_network, "network"},
    {lease_bridge, "bridge"},
    {lease_mac, "mac"},
    {lease_no_mac, "mac"},
    {lease_ip, "address"},
    {lease_family, "address family"},
    {lease_prefix, "prefix"},
    {lease_hostname, "hostname"},
    {lease_client, "client_id"},
    {lease_iaid, "iaid"},
    {lease_expiry, "expires expires_epoch"},
};

static void test_leases(void)
{
    g_autoptr(Facts) facts = world_host();
    const Lease *lease = facts->leases->pdata[0];
    MapLease record = {.lease = lease};
    g_autoptr(GHashTable) members = members_of(json_of_lease(&record));

    /* Whose it is stands in the row. */
    forget(members, "domain tap attributed");
    for (guint i = 0; i < G_N_ELEMENTS(lease_cases); i++) {
        g_autoptr(Facts) others = world_host();
        Lease *other = others->leases->pdata[0];
        MapLease changed = {.lease = other};
        g_autofree char *names = NULL;

        g_assert_true(lease_equal(lease, other));
        lease_cases[i].change(other);
        names = differences(json_of_lease(&record), json_of_lease(&changed));
        g_assert_cmpstr(names, ==, lease_cases[i].members);
        g_assert_false(lease_equal(lease, other));
        forget(members, names);
    }
    assert_none_left(members);
}

/* ------------------------------------------------------------------------------------------- names */

static void test_names(void)
{
    g_assert_cmpstr(change_name(CHANGE_INTERFACE_ADDED), ==, "interface.added");
    g_assert_cmpstr(change_name(CHANGE_LEASE_RENEWED), ==, "lease.renewed");
    g_assert_cmpstr(change_name(CHANGE_NETWORK_UNDEFINED), ==, "network.undefined");
    g_assert_cmpstr(change_name(CHANGE_SOURCE_STALE), ==, "source.stale");
    g_assert_cmpstr(change_name(CHANGE_AUDIT_MISMATCH), ==, "audit.mismatch");
    g_assert_cmpstr(change_name(CHANGE_CHECK_CLEARED), ==, "check.cleared");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/change/names", test_names);
    g_test_add_func("/change/rows", test_rows);
    g_test_add_func("/change/rows/order", test_rows_order);
    g_test_add_func("/change/networks", test_networks);
    g_test_add_func("/change/networks/parts", test_network_parts);
    g_test_add_func("/change/networks/claims", test_network_claims);
    g_test_add_func("/change/leases", test_leases);
    return g_test_run();
}
