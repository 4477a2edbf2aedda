/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/screen.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static char *info_of(Facts *facts, guint index, const ViewContext *view)
{
    g_autoptr(GPtrArray) rows = network_rows(facts);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    screen_net_info(out, rows->pdata[index], view);
    fclose(out);
    return text;
}

static char *status_of(Facts *facts, const ViewContext *view)
{
    g_autoptr(GPtrArray) rows = network_rows(facts);
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, G_MAXUINT);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    screen_status(out, facts, rows, map, findings, view);
    fclose(out);
    return text;
}

static void assert_info(Facts *facts, guint index, const char *expected)
{
    ViewContext view = {.now = WORLD_NOW};
    char *text = info_of(facts, index, &view);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void assert_status(Facts *facts, const char *expected)
{
    ViewContext view = {.now = WORLD_NOW};
    char *text = status_of(facts, &view);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

/* Whether a line is somewhere in what status says. */
static void assert_status_line(Facts *facts, const char *line)
{
    ViewContext view = {.now = WORLD_NOW};
    char *text = status_of(facts, &view);
    g_autofree char *whole = g_strdup_printf("\n%s\n", line);

    if (!strstr(text, whole))
        g_error("'%s' is not in:\n%s", line, text);
    free(text);
}

/* virsh's six lines, to the letter, then ours. */
static void test_info(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = facts->networks->pdata[0];
    TemplateValue *value = g_new0(TemplateValue, 1);

    network->template_name = g_strdup("nat");
    value->name = g_strdup("name");
    value->value = g_strdup("default");
    g_ptr_array_add(network->template_values, value);
    network->domain_name = g_strdup("example.org");
    assert_info(facts, 0,
                "Name:           default\n"
                "UUID:           0885548a-0000-4000-8000-000000000000\n"
                "Active:         yes\n"
                "Persistent:     yes\n"
                "Autostart:      yes\n"
                "Bridge:         virbr0\n"
                "Forward:        nat\n"
                "Address:        192.168.122.1/24, DHCP 192.168.122.2 - 192.168.122.254, 3 of 253 leased\n"
                "DNS domain:     example.org\n"
                "Ports:          4: vnatp0 vnet0 vnet1 vnet3\n"
                "dnsmasq:        pid 1000, user nobody, listening, /var/lib/libvirt/dnsmasq/default.conf\n"
                "NAT:            masquerade, iptables\n"
                "Template:       nat: name=default\n"
                "\n");
}

/* What was not read is unknown; without a bridge virsh has no such line. */
static void test_info_unknown(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", "nat", NULL);

    network->autostart = network->persistent = FALSE;
    world_ip(network, "10.0.0.1/24", "10.0.0.2", "10.0.0.9");
    for (guint id = 0; id < SOURCE_COUNT; id++)
        source_status_set(&facts->sources[id], SOURCE_UNREAD, NULL);
    g_free(network->uuid);
    network->uuid = g_strdup("u");
    assert_info(facts, 0,
                "Name:           n\n"
                "UUID:           u\n"
                "Active:         yes\n"
                "Persistent:     no\n"
                "Autostart:      no\n"
                "Forward:        nat\n"
                "Address:        10.0.0.1/24, DHCP 10.0.0.2 - 10.0.0.9\n"
                "Ports:          unknown\n"
                "dnsmasq:        unknown\n"
                "NAT:            unknown\n"
                "\n");
    /* Of an inactive one it is known without a look. */
    network->active = FALSE;
    assert_info(facts, 0,
                "Name:           n\n"
                "UUID:           u\n"
                "Active:         no\n"
                "Persistent:     no\n"
                "Autostart:      no\n"
                "Forward:        nat\n"
                "Address:        10.0.0.1/24, DHCP 10.0.0.2 - 10.0.0.9\n"
                "Ports:          unknown\n"
                "dnsmasq:        not running (network is not active)\n"
                "NAT:            no rules (network is not active)\n"
                "\n");
}

/* Nothing but its name and states is known of a network whose XML could not be read. */
static void test_xml_unread(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", NULL, NULL);

    network->xml_read = FALSE;
    network->xml_error = g_strdup("no answer");
    g_free(network->uuid);
    network->uuid = g_strdup("u");
    assert_info(facts, 0,
                "Name:           n\n"
                "UUID:           u\n"
                "Active:         yes\n"
                "Persistent:     yes\n"
                "Autostart:      yes\n"
                "Forward:        unknown\n"
                "Ports:          unknown\n"
                "dnsmasq:        unknown\n"
                "NAT:            unknown\n"
                "\n");
    assert_status(facts, "n: active, persistent, autostart yes\n"
                         "  XML:         no answer\n"
                         "  bridge:      unknown\n"
                         "  ports:       unknown\n"
                         "  dnsmasq:     unknown\n"
                         "  NAT:         unknown\n"
                         "  guests:      none\n"
                         "problems: none\n");
}

static void test_status(void)
{
    g_autoptr(Facts) facts = world_host();

    g_ptr_array_set_size(facts->domains, 3); /* without the one that is off */
    assert_status(facts,
                  "default: active, persistent, autostart yes\n"
                  "  bridge:      virbr0, id 0000.000000000000, STP on, forward delay 2.00 s, MTU 1500\n"
                  "  ports:       4: vnatp0 vnet0 vnet1 vnet3\n"
                  "  addresses:   192.168.122.1/24, DHCP 192.168.122.2 - 192.168.122.254, 3 of 253 leased\n"
                  "  dnsmasq:     pid 1000, user nobody, listening, /var/lib/libvirt/dnsmasq/default.conf\n"
                  "  NAT:         masquerade, iptables\n"
                  "  guests:      VM1 (running) vnet0 52:54:00:00:00:01 192.168.122.11 vm1\n"
                  "               VM2 (running) vnet1 52:54:00:00:00:02 192.168.122.22 vm2\n"
                  "               VM3 (paused) vnet3 52:54:00:00:00:03 no address known\n"
                  "               vnatp0: no domain claims it\n"
                  "lab: active, persistent, autostart yes\n"
                  "  bridge:      virbr1, id 0000.000000000000, STP on, forward delay 2.00 s, MTU 1500\n"
                  "  ports:       1: vnet2\n"
                  "  addresses:   10.20.30.1/24, DHCP 10.20.30.100 - 10.20.30.199, 1 of 100 leased\n"
                  "               fd00:20::1/64\n"
                  "  dnsmasq:     pid 2000, user nobody, listening, /var/lib/libvirt/dnsmasq/lab.conf\n"
                  "  NAT:         none (forward mode isolated)\n"
                  "  guests:      VM2 (running) vnet2 52:54:00:00:00:22 10.20.30.122\n"
                  "problems: none\n");
}

static void test_status_nothing(void)
{
    g_autoptr(Facts) facts = world_new();

    assert_status(facts, "no networks\nproblems: none\n");
}

static void test_status_inactive(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "n", "nat", "virbr0");

    network->active = network->autostart = network->persistent = FALSE;
    network->dns_enabled = FALSE;
    world_ip(network, "10.0.0.1/24", NULL, NULL);
    assert_status(facts, "n: inactive, transient, autostart no\n"
                         "  bridge:      virbr0 (not there: network is not active)\n"
                         "  addresses:   10.0.0.1/24\n"
                         "  dnsmasq:     none needed\n"
                         "  NAT:         no rules (network is not active)\n"
                         "  guests:      -\n"
                         "problems:\n"
                         "  warning: network-inactive: network n is not active\n"
                         "    try: vnat net-start n\n");
}

static void test_status_faults(void)
{
    g_autoptr(Facts) facts = world_host();
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[0];

    g_ptr_array_set_size(facts->firewall, 0);
    assert_status_line(facts, "  NAT:         masquerade rules MISSING");
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, "nft: not permitted");
    assert_status_line(facts, "  NAT:         unknown: nft: not permitted");
    g_ptr_array_remove_index(facts->sockets, 0);
    assert_status_line(facts, "  dnsmasq:     pid 1000, user nobody, NOT listening where it should, "
                              "/var/lib/libvirt/dnsmasq/default.conf");
    assert_status_line(facts, "      missing: udp 192.168.122.1:53");
    dnsmasq->alive = FALSE;
    assert_status_line(facts, "  dnsmasq:     NOT running (/var/lib/libvirt/dnsmasq/default.conf)");
    dnsmasq->unknown = TRUE;
    assert_status_line(facts, "  dnsmasq:     unknown");
    g_ptr_array_remove(facts->links, facts_link(facts, 10));
    assert_status_line(facts, "  bridge:      virbr0 MISSING");
    source_status_set(&facts->sources[SOURCE_LINKS], SOURCE_DOWN, NULL);
    assert_status_line(facts, "  bridge:      virbr0");
    assert_status_line(facts, "  ports:       unknown");
    g_ptr_array_set_size(facts->domains, 0);
    assert_status_line(facts, "  guests:      none");
}

static void test_color(void)
{
    g_autoptr(Facts) facts = world_host();
    ViewContext view = {.now = WORLD_NOW, .color = TRUE};
    char *text;

    facts_link(facts, 11)->mtu = 1400;
    text = status_of(facts, &view);
    g_assert_true(g_str_has_prefix(text, "\033[1mdefault\033[0m: \033[32mactive\033[0m, "));
    g_assert_nonnull(strstr(text, "  \033[33mwarning\033[0m: mtu-mismatch: "));
    free(text);
}

/* Names, hostnames and errors may hold any bytes. */
static void test_hostile(void)
{
    static const char evil[] = "\033[2J\n\r\xe2\x80\xae\xff";
    g_autoptr(Facts) facts = world_host();
    ViewContext view = {.now = WORLD_NOW, .utf8 = TRUE};
    Network *network = facts->networks->pdata[0];
    char *status;
    char *info;
    guint lines = 0;

    replace(&((Lease *)facts->leases->pdata[0])->hostname, evil);
    replace(&((Domain *)facts->domains->pdata[2])->name, evil);
    network->domain_name = g_strdup(evil);
    network->template_name = g_strdup(evil);
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, evil);
    facts_link(facts, 13)->flags = 0;
    status = status_of(facts, &view);
    info = info_of(facts, 0, &view);
    for (const char *p = status; *p; p++) {
        lines += *p == '\n';
        g_assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    }
    g_assert_cmpuint(lines, ==, 22);
    for (const char *p = info; *p; p++)
        g_assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    g_assert_nonnull(strstr(status, "\\x1b[2J\\x0a\\x0d\\xe2\\x80\\xae\\xff (paused)"));
    free(status);
    free(info);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/screen/info", test_info);
    g_test_add_func("/screen/info/unknown", test_info_unknown);
    g_test_add_func("/screen/xml-unread", test_xml_unread);
    g_test_add_func("/screen/status", test_status);
    g_test_add_func("/screen/status/nothing", test_status_nothing);
    g_test_add_func("/screen/status/inactive", test_status_inactive);
    g_test_add_func("/screen/status/faults", test_status_faults);
    g_test_add_func("/screen/color", test_color);
    g_test_add_func("/screen/hostile", test_hostile);
    return g_test_run();
}
