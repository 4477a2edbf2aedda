/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/network.h"
#include "views/columns.h"
#include "world.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const ViewContext csv = {.now = WORLD_NOW, .csv = TRUE, .noheadings = TRUE};

/* The records' columns as CSV without titles. */
static char *written(const ColumnSet *set, const char *ids, const GPtrArray *records, const ViewContext *view)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) columns = columns_select(set, ids, NULL, &error);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    g_assert_no_error(error);
    table_write(out, columns, records, view);
    fclose(out);
    return text;
}

static void assert_columns(const ColumnSet *set, const char *ids, const GPtrArray *records,
                           const char *expected)
{
    char *text = written(set, ids, records, &csv);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void assert_titles(const ColumnSet *set, const char *ids, const char *expected)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    ViewContext view = {0};
    char *text = written(set, ids, none, &view);

    *strchr(text, '\n') = '\0';
    g_assert_cmpstr(text, ==, expected);
    free(text);
}

/* virsh's leading columns, in its words and order. */
static void test_titles(void)
{
    assert_titles(&interface_columns, COLUMNS_DOMIFLIST,
                  " Interface   Type   Source   Model   MAC   Bridge   IP   Hostname   Lease");
    assert_titles(&network_columns, COLUMNS_NET_LIST,
                  " Name   State   Autostart   Persistent   Bridge   Forward   Subnet   Interfaces   Leases");
    assert_titles(
        &lease_columns, COLUMNS_LEASES,
        " Expiry Time   MAC address   Protocol   IP address   Hostname   Client ID or DUID   Domain   Tap");
    assert_titles(&address_columns, COLUMNS_DOMIFADDR, " Name   MAC address   Protocol   Address   Source");
    assert_titles(&interface_columns, COLUMNS_MAP,
                  " Network   Domain   State   Interface   MAC   Bridge   IP   Hostname   Lease   Problems");
    assert_titles(&template_columns, COLUMNS_TEMPLATES, " Name   Description   Parameters");
}

/* Ids are what scripts write: small letters, once each; every column says what it is. */
static void test_sets(void)
{
    static const ColumnSet *const sets[] = {&interface_columns, &network_columns, &lease_columns,
                                            &address_columns, &template_columns};

    for (gsize s = 0; s < G_N_ELEMENTS(sets); s++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (guint i = 0; i < sets[s]->count; i++) {
            const Column *column = &sets[s]->columns[i];

            g_assert_true(g_hash_table_add(seen, (gpointer)column->id));
            g_assert_cmpuint(strspn(column->id, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen(column->id));
            g_assert_cmpuint(strlen(column->title), >, 0);
            g_assert_cmpuint(strlen(column->help), >, 0);
        }
    }
}

#define EVERY_INTERFACE                                                                                      \
    "network,domain,uuid,id,state,tap,type,source,model,mac,host-mac,bridge,network-bridge,alias,ifindex,"   \
    "mtu,link,carrier,ip,evidence,hostname,lease,expires,problems"

static void test_interface(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_autofree char *expected = NULL;

    facts_link(facts, 11)->mtu = 1400;
    map = map_join(facts);
    g_ptr_array_add(one, world_row(map, "vnet0"));
    g_ptr_array_add(world_row(map, "vnet0")->problems, (gpointer) "mtu-mismatch");
    g_ptr_array_add(world_row(map, "vnet0")->problems, (gpointer) "tap-down");
    expected = g_strdup_printf(
        "default,VM1,%s,1,running,vnet0,network,default,virtio,52:54:00:00:00:01,fe:54:00:00:00:01,virbr0,"
        "virbr0,net0,11,1400,up,yes,192.168.122.11,lease,vm1,50m,2026-09-21 "
        "17:03:20,\"mtu-mismatch,tap-down\"\n",
        ((const Domain *)facts->domains->pdata[0])->uuid);
    assert_columns(&interface_columns, EVERY_INTERFACE, one, expected);
}

/* Unknown is empty: a port that no domain claims, and a domain whose XML was not read. */
static void test_interface_unknown(void)
{
    g_autoptr(Facts) facts = world_new();
    Domain *domain = world_domain(facts, "VM", -1);
    g_autoptr(Map) map = NULL;
    g_autofree char *expected = NULL;

    world_ip(world_network(facts, "default", "nat", "virbr0"), "192.168.122.1/24", NULL, NULL);
    world_bridge(facts, facts->networks->pdata[0], 10);
    world_tap(facts, 11, "stray", 10, NULL)->carrier = 0;
    domain->xml_read = FALSE;
    map = map_join(facts);
    expected = g_strdup_printf("default,,,,,stray,,,,,,virbr0,virbr0,,11,1500,,no,,,,,,\n"
                               ",VM,%s,,shut off,,,,,,,,,,,,,,,,,,,\n",
                               domain->uuid);
    assert_columns(&interface_columns, EVERY_INTERFACE, map->rows, expected);
}

/* Every address but the link-local ones; the first name; the time left of the best one. */
static void test_interface_addresses(void)
{
    g_autoptr(Facts) facts = world_new();
    Domain *domain = world_domain(facts, "VM", 1);
    g_autoptr(Map) map = NULL;
    const char *mac = "52:54:00:00:00:0a";

    world_ip(world_network(facts, "default", "nat", "virbr0"), "192.168.122.1/24", NULL, NULL);
    world_bridge(facts, facts->networks->pdata[0], 10);
    world_nic(domain, "default", "virbr0", mac, "vnet0")->link = LINK_DOWN;
    world_neighbour(facts, 10, "fe80::1", mac, NEIGHBOUR_STALE);
    map = map_join(facts);
    assert_columns(&interface_columns, "ip,evidence,hostname,lease,expires,link", map->rows, ",,,,,down\n");
    map_free(map);
    world_neighbour(facts, 10, "fd00::1", mac, NEIGHBOUR_STALE);
    map = map_join(facts);
    assert_columns(&interface_columns, "ip,evidence,hostname,lease,expires", map->rows,
                   "fd00::1,neighbour,,,\n");
    map_free(map);
    world_lease(facts, "default", mac, "192.168.122.5", 59)->hostname = g_strdup("old");
    world_lease(facts, "default", mac, "192.168.122.6", 0);
    map = map_join(facts);
    assert_columns(&interface_columns, "ip,evidence,hostname,lease,expires", map->rows,
                   "\"192.168.122.6,192.168.122.5,fd00::1\",lease,old,never,never\n");
}

static void test_address(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    const MapRow *row = world_row(map, "vnet1");
    AddressRecord records[] = {{.row = row, .address = row->addresses->pdata[0]},
                               {.row = row, .address = row->addresses->pdata[1], .repeated = TRUE},
                               {.row = world_row(map, "vnet3")}};
    g_autoptr(GPtrArray) array = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(records); i++)
        g_ptr_array_add(array, &records[i]);
    ((Address *)row->addresses->pdata[1])->prefix = -1;
    assert_columns(&address_columns, "name,mac,protocol,address,source,domain,hostname", array,
                   "vnet1,52:54:00:00:00:02,ipv4,192.168.122.22/24,lease,VM2,vm2\n"
                   ",,ipv4,192.168.122.21/0,lease,VM2,\n"
                   "vnet3,52:54:00:00:00:03,N/A,N/A,,VM3,\n");
}

static void assert_colored(const ColumnSet *set, const char *id, gpointer record, const char *code)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    ViewContext view = {.now = WORLD_NOW, .color = TRUE, .noheadings = TRUE};
    g_autofree char *expected = code ? g_strdup_printf("\033[%sm", code) : NULL;
    char *text;

    g_ptr_array_add(one, record);
    text = written(set, id, one, &view);
    g_assert_true(expected ? strstr(text, expected) != NULL : strchr(text, '\033') == NULL);
    free(text);
}

static void test_colors(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) rows = NULL;

    assert_colored(&interface_columns, "state", world_row(map, "vnet0"), "32");
    assert_colored(&interface_columns, "state", world_row(map, "vnet3"), "33"); /* paused */
    assert_colored(&interface_columns, "state", world_row(map, "vnatp0"), NULL);
    assert_colored(&interface_columns, "problems", world_row(map, "vnet0"), NULL);
    g_ptr_array_add(world_row(map, "vnet0")->problems, (gpointer) "tap-down");
    assert_colored(&interface_columns, "problems", world_row(map, "vnet0"), "31");
    ((Network *)facts->networks->pdata[1])->active = FALSE;
    rows = network_rows(facts);
    assert_colored(&network_columns, "state", rows->pdata[0], "32");
    assert_colored(&network_columns, "state", rows->pdata[1], "33");
}

#define EVERY_NETWORK                                                                                        \
    "name,state,autostart,persistent,bridge,forward,subnet,interfaces,leases,template,dns-domain"

static void test_network(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(GPtrArray) rows = NULL;
    Network *off = world_network(facts, "off", "bridge", NULL);

    off->active = off->autostart = off->persistent = FALSE;
    off->template_name = g_strdup("nat");
    off->domain_name = g_strdup("example.org");
    rows = network_rows(facts);
    assert_columns(&network_columns, EVERY_NETWORK, rows,
                   "default,active,yes,yes,virbr0,nat,192.168.122.0/24,4,3,,\n"
                   "lab,active,yes,yes,virbr1,isolated,\"10.20.30.0/24,fd00:20::/64\",1,1,,\n"
                   "off,inactive,no,no,,bridge,,,,nat,example.org\n");
    g_ptr_array_unref(rows);
    source_status_set(&facts->sources[SOURCE_LINKS], SOURCE_DOWN, NULL);
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_DOWN, NULL);
    rows = network_rows(facts);
    g_ptr_array_set_size(rows, 1);
    assert_columns(&network_columns, "name,uuid,interfaces,leases", rows,
                   "default,0885548a-0000-4000-8000-000000000000,,\n");
}

static void test_lease(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = NULL;
    Lease *lease = world_lease(facts, "lab", NULL, "fd00:20::5", 61);

    lease->iaid = g_strdup("7");
    map = map_join(facts);
    assert_columns(
        &lease_columns, "expires,mac,protocol,address,hostname,client-id,domain,tap,iaid,left,network",
        map->leases,
        "2026-09-21 17:03:20,52:54:00:00:00:01,ipv4,192.168.122.11/24,vm1,01:52:54:00:00:00:01,VM1,"
        "vnet0,,50m,default\n"
        "2026-09-21 16:15:00,52:54:00:00:00:02,ipv4,192.168.122.21/24,,,VM2,vnet1,,1m40s,default\n"
        "2026-09-21 17:11:40,52:54:00:00:00:02,ipv4,192.168.122.22/24,vm2,,VM2,vnet1,,58m20s,default\n"
        "2026-09-21 16:14:21,,ipv6,fd00:20::5/64,,,,,7,1m1s,lab\n"
        "never,52:54:00:00:00:22,ipv4,10.20.30.122/24,,,VM2,vnet2,,never,lab\n");
}

static void test_template(void)
{
    TemplateRecord good = {.name = "nat",
                           .description = "a network",
                           .path = "/a/nat.xml",
                           .parameters = (char *)(gpointer) "name,bridge"};
    TemplateRecord bad = {.name = "bad", .error = "syntax: line 1", .path = "/b/bad.xml", .shadowed = TRUE};
    g_autoptr(GPtrArray) array = g_ptr_array_new();

    g_ptr_array_add(array, &good);
    g_ptr_array_add(array, &bad);
    assert_columns(&template_columns, "name,parameters,description,path,shadowed", array,
                   "nat,\"name,bridge\",a network,/a/nat.xml,no\n"
                   "bad,,unusable: syntax: line 1,/b/bad.xml,yes\n");
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC-2", TRUE);
    tzset();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/columns/titles", test_titles);
    g_test_add_func("/columns/sets", test_sets);
    g_test_add_func("/columns/interface", test_interface);
    g_test_add_func("/columns/interface/unknown", test_interface_unknown);
    g_test_add_func("/columns/interface/addresses", test_interface_addresses);
    g_test_add_func("/columns/colors", test_colors);
    g_test_add_func("/columns/address", test_address);
    g_test_add_func("/columns/network", test_network);
    g_test_add_func("/columns/lease", test_lease);
    g_test_add_func("/columns/template", test_template);
    return g_test_run();
}
