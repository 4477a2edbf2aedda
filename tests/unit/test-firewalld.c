/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/firewalld.h"

#include <string.h>

/* What firewall-cmd --get-active-zones prints, as firewall-cmd(1) describes it, and as it prints it from
 * firewalld 1.3 on, where the default zone is marked. */

static char *zones_text(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) zones = firewalld_parse_zones(text, strlen(text), &error);
    GString *out = g_string_new(NULL);

    if (!zones)
        g_string_printf(out, "error: %s", error->message);
    for (guint i = 0; zones && i < zones->len; i++) {
        const FirewalldZone *zone = zones->pdata[i];

        g_string_append_printf(out, "%s=%s ", zone->interface, zone->zone);
    }
    return g_string_free(out, FALSE);
}

static void test_zones(void)
{
    static const struct {
        const char *text, *zones;
    } cases[] = {
        {"libvirt\n  interfaces: virbr0 virbr1\npublic\n  interfaces: eth0\n",
         "virbr0=libvirt virbr1=libvirt eth0=public "},
        {"libvirt\n  interfaces: virbr0\npublic (default)\n  interfaces: eth0\n  sources: 10.0.0.0/8\n",
         "virbr0=libvirt eth0=public "},
        {"trusted\n  sources: 192.0.2.1\nlibvirt\n  interfaces: virbr0\n", "virbr0=libvirt "},
        {"docker\n\tinterfaces:  br-1\t docker0 \r\n", "br-1=docker docker0=docker "},
        /* A source may look like anything; a zone too. */
        {"a\n  sources: ipset:interfaces: x\n", ""},
        {"interfaces:\n  interfaces: virbr0\n", "virbr0=interfaces: "},
        {"libvirt\n  interfaces:\n", ""},
        {"", ""},
        {"\n\n", ""},
        {"  interfaces: virbr0\n", "error: form: interfaces of no zone"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *zones = zones_text(cases[i].text);

        g_assert_cmpstr(zones, ==, cases[i].zones);
    }
}

static void test_nul(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(firewalld_parse_zones("a\n  interfaces: b\0c\n", 20, &error));
    g_assert_cmpstr(error->message, ==, "nul: a NUL byte in it");
}

static void test_off(void)
{
    g_assert_true(firewalld_is_off("firewall-cmd: FirewallD is not running"));
    g_assert_false(firewalld_is_off("firewall-cmd: Authorization failed."));
    g_assert_false(firewalld_is_off("firewall-cmd: did not end in time"));
}

static void test_lookup(void)
{
    g_autoptr(Facts) facts = facts_new();

    g_ptr_array_add(facts->zones, firewalld_zone_new("virbr0", "libvirt"));
    g_ptr_array_add(facts->zones, firewalld_zone_new("virbr1", "public"));
    g_assert_cmpstr(facts_zone(facts, "virbr1"), ==, "public");
    g_assert_null(facts_zone(facts, "virbr2"));
    g_assert_null(facts_zone(facts, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewalld/zones", test_zones);
    g_test_add_func("/firewalld/nul", test_nul);
    g_test_add_func("/firewalld/off", test_off);
    g_test_add_func("/firewalld/lookup", test_lookup);
    return g_test_run();
}
