/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "template-tools.h"

/* Values of the template language: their types, what is made of a subnet, how a free one is chosen. */

/* A template of one required parameter whose value is the name; checks canonical form, or refusal (NULL). */
static void check_value(const char *type, const char *value, const char *expected)
{
    g_autofree char *xml =
        g_strdup_printf("<network" NS "><vnat:param name='p' type='%s'/><name>${p}</name></network>", type);
    g_autoptr(Template) tmpl = parsed(xml);
    g_autoptr(GHashTable) table = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) used = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    g_hash_table_insert(table, (gpointer) "p", (gpointer)value);
    text = template_render(tmpl, table, NULL, NULL, &used, &error);
    if (expected) {
        g_assert_no_error(error);
        g_assert_cmpuint(used->len, ==, 1);
        g_assert_cmpstr(((TemplateValue *)g_ptr_array_index(used, 0))->value, ==, expected);
        return;
    }
    g_assert_null(text);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "parameter 'p' ("));
    g_assert_nonnull(strstr(error->message, value));
}

/* ------------------------------------------------------------------------------------------- types */

static void test_types(void)
{
    static const struct {
        const char *type, *value, *expected;
    } values[] = {
        {"name", "default", "default"},
        {"name", "0a_.-Z", "0a_.-Z"},
        {"name", "-a", NULL},
        {"name", "", NULL},
        {"name", "a/b", NULL},
        {"name", "a\nb", NULL},
        {"name", "a'/><x", NULL},
        {"ifname", "virbr12", "virbr12"},
        {"ifname", "fifteen-letters", "fifteen-letters"},
        {"ifname", "sixteen-letters-", NULL},
        {"ifname", "virbr%d", NULL},
        {"mac", "52:54:00:AB:cd:EF", "52:54:00:ab:cd:ef"},
        {"mac", "53:54:00:ab:cd:ef", NULL},
        {"mac", "52-54-00-ab-cd-ef", NULL},
        {"uuid", "123E4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"},
        {"uuid", "123e4567e89b42d3a456426614174000", NULL},
        {"ip4", "10.0.0.1", "10.0.0.1"},
        {"ip4", "10.0.0.256", NULL},
        {"ip4", "10.1", NULL},
        {"ip4", "fd00::1", NULL},
        {"cidr4", "10.0.0.0/24", "10.0.0.0/24"},
        {"cidr4", "10.0.0.5/24", "10.0.0.5/24"},
        {"cidr4", "10.0.0.0/024", "10.0.0.0/24"},
        {"cidr4", "10.0.0.0/30", "10.0.0.0/30"},
        {"cidr4", "10.0.0.0/31", NULL},
        {"cidr4", "10.0.0.0/8", "10.0.0.0/8"},
        {"cidr4", "10.0.0.0/7", NULL},
        {"cidr4", "10.0.0.255/24", NULL},
        {"cidr4", "10.0.0.0", NULL},
        {"cidr4", "10.0.0.0/33", NULL},
        {"cidr4", "10.0.0.0/-1", NULL},
        {"cidr4", "127.0.0.0/24", NULL},
        {"cidr4", "224.0.0.0/24", NULL},
        {"cidr4", "255.255.255.0/24", NULL},
        {"cidr4", "0.0.0.0/8", NULL},
        {"cidr4", "169.254.3.0/24", NULL},
        {"cidr4", "fd00::/64", NULL},
        {"cidr4", "AUTO", NULL},
        {"cidr6", "FD00:0::/64", "fd00::/64"},
        {"cidr6", "fd00::/112", "fd00::/112"},
        {"cidr6", "fd00::/113", NULL},
        {"cidr6", "fd00::/15", NULL},
        {"cidr6", "fe80::/64", NULL},
        {"cidr6", "ff02::/64", NULL},
        {"cidr6", "::ffff:10.0.0.0/112", NULL},
        {"cidr6", "10.0.0.0/24", NULL},
        {"port", "1", "1"},
        {"port", "65535", "65535"},
        {"port", "0", NULL},
        {"port", "65536", NULL},
        {"port", " 80", NULL},
        {"int", "0", "0"},
        {"int", "007", "7"},
        {"int", "2147483648", NULL},
        {"int", "1e3", NULL},
        {"int", "0x10", NULL},
        {"bool", "on", "yes"},
        {"bool", "0", "no"},
        {"bool", "YES", NULL},
        {"domain", "example.org", "example.org"},
        {"domain", "a-1", "a-1"},
        {"domain", "", NULL},
        {"domain", ".", NULL},
        {"domain", "a.", NULL},
        {"domain", "a..b", NULL},
        {"domain", "-a.b", NULL},
        {"domain", "a-.b", NULL},
        {"domain", "a_b", NULL},
        {"domain", "\xc3\xa4.org", NULL},
        {"text", "", ""},
        {"text", "\xc3\xa4 <&'\">", "\xc3\xa4 <&'\">"},
        {"text", "a\nb", NULL},
        {"text", "a\tb", NULL},
        {"text", "\x1b[31m", NULL},
        {"text", "\x7f", NULL},
        {"text", "\xc2\x85", NULL},
        {"text", "\xe2\x80\xa8", NULL},
        {"text", "\xe2\x80\xa9", NULL},
        {"text", "\xef\xbf\xbe", NULL},
        {"text", "\xef\xbf\xbf", NULL},
        {"text", "\xff", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        check_value(values[i].type, values[i].value, values[i].expected);
}

static void test_long_values(void)
{
    g_autofree char *text1024 = g_strnfill(1024, 'x'), *text1025 = g_strnfill(1025, 'x');
    g_autofree char *label63 = g_strnfill(63, 'x'), *label64 = g_strnfill(64, 'x');
    g_autofree char *domain253 = g_strdup_printf("%s.%s.%s.%.61s", label63, label63, label63, label63);
    g_autofree char *domain254 = g_strdup_printf("%s.%s.%s.%.62s", label63, label63, label63, label63);

    check_value("text", text1024, text1024);
    check_value("text", text1025, NULL);
    check_value("domain", label63, label63);
    check_value("domain", label64, NULL);
    check_value("domain", domain253, domain253);
    check_value("domain", domain254, NULL);
}

static void check_cidr(const char *value, const char *expected)
{
    gboolean v6 = strchr(value, ':') != NULL;
    g_autofree char *xml = g_strdup_printf(
        "<network" NS
        "><vnat:param name='s' type='%s'/><a>${s} ${s.address} ${s.network} ${s.prefix} %s ${s.gateway} "
        "${s.first} ${s.last}</a></network>",
        v6 ? "cidr6" : "cidr4", v6 ? "-" : "${s.netmask}");
    g_autofree char *values = g_strconcat("s=", value, NULL), *text = rendered(xml, values);
    g_autofree char *whole = g_strdup_printf("<network>\n  <a>%s</a>\n</network>\n", expected);

    g_assert_cmpstr(text, ==, whole);
}

/* value, address, network, prefix, netmask, gateway, first, last */
static void test_cidr(void)
{
    check_cidr("192.168.122.0/24", "192.168.122.0/24 192.168.122.0 192.168.122.0 24 255.255.255.0 "
                                   "192.168.122.1 192.168.122.2 192.168.122.254");
    check_cidr("192.168.122.1/24", "192.168.122.1/24 192.168.122.1 192.168.122.0 24 255.255.255.0 "
                                   "192.168.122.1 192.168.122.2 192.168.122.254");
    check_cidr("10.0.0.254/24",
               "10.0.0.254/24 10.0.0.254 10.0.0.0 24 255.255.255.0 10.0.0.254 10.0.0.1 10.0.0.253");
    /* 127 addresses before, 126 after; and one further down, 126 before, 127 after. */
    check_cidr("10.0.0.128/24",
               "10.0.0.128/24 10.0.0.128 10.0.0.0 24 255.255.255.0 10.0.0.128 10.0.0.1 10.0.0.127");
    check_cidr("10.0.0.127/24",
               "10.0.0.127/24 10.0.0.127 10.0.0.0 24 255.255.255.0 10.0.0.127 10.0.0.128 10.0.0.254");
    check_cidr("10.0.0.4/30", "10.0.0.4/30 10.0.0.4 10.0.0.4 30 255.255.255.252 10.0.0.5 10.0.0.6 10.0.0.6");
    check_cidr("10.0.0.6/30", "10.0.0.6/30 10.0.0.6 10.0.0.4 30 255.255.255.252 10.0.0.6 10.0.0.5 10.0.0.5");
    check_cidr("10.0.0.0/16", "10.0.0.0/16 10.0.0.0 10.0.0.0 16 255.255.0.0 10.0.0.1 10.0.0.2 10.0.255.254");
    check_cidr("10.0.0.0/8", "10.0.0.0/8 10.0.0.0 10.0.0.0 8 255.0.0.0 10.0.0.1 10.0.0.2 10.0.255.255");
    check_cidr(
        "10.255.255.254/8",
        "10.255.255.254/8 10.255.255.254 10.0.0.0 8 255.0.0.0 10.255.255.254 10.255.0.0 10.255.255.253");
    check_cidr(
        "fd00:1:2:3::/64",
        "fd00:1:2:3::/64 fd00:1:2:3:: fd00:1:2:3:: 64 - fd00:1:2:3::1 fd00:1:2:3::1000 fd00:1:2:3::1fff");
    check_cidr("fd00::1800/64", "fd00::1800/64 fd00::1800 fd00:: 64 - fd00::1800 fd00::2000 fd00::2fff");
    check_cidr("fd00::2500/64", "fd00::2500/64 fd00::2500 fd00:: 64 - fd00::2500 fd00::1000 fd00::1fff");
    check_cidr("fd00::ab:0/112",
               "fd00::ab:0/112 fd00::ab:0 fd00::ab:0 112 - fd00::ab:1 fd00::ab:1000 fd00::ab:1fff");
}

/* -------------------------------------------------------------------------------------------- auto */

static GArray *nets(const char *text)
{
    GArray *used = g_array_new(FALSE, FALSE, sizeof(IpNet));
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (gsize i = 0; words[i]; i++) {
        IpNet net;

        if (*words[i]) {
            g_assert_true(ipnet_parse(words[i], &net));
            g_array_append_val(used, net);
        }
    }
    return used;
}

/* The subnets chosen for s and t of a template, given what is in use. */
static char *chosen(const char *used, const char *values, GError **error)
{
    g_autoptr(Template) tmpl = parsed("<network" NS "><vnat:param name='s' type='cidr4' default='auto'/>"
                                      "<vnat:param name='t' type='cidr4' optional='yes'/></network>");
    g_autoptr(GArray) taken = nets(used);
    TemplateWorld world = {.used = taken};
    g_autoptr(GHashTable) table = values_of(values);
    g_autoptr(GPtrArray) used_values = NULL;
    g_autofree char *text = template_render(tmpl, table, &world, NULL, &used_values, error);
    GString *joined;

    if (!text)
        return NULL;
    joined = g_string_new(NULL);
    for (guint i = 0; i < used_values->len; i++)
        g_string_append_printf(joined, "%s%s", i ? " " : "",
                               ((TemplateValue *)g_ptr_array_index(used_values, i))->value);
    return g_string_free(joined, FALSE);
}

static void check_auto(const char *used, const char *values, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = chosen(used, values, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void test_auto(void)
{
    g_autoptr(GError) error = NULL;

    check_auto("", "", "192.168.122.0/24");
    check_auto("0.0.0.0/0 0.0.0.0/1 128.0.0.0/1 ::/0", "", "192.168.122.0/24");
    check_auto("192.168.122.1/32", "", "192.168.123.0/24");
    check_auto("192.168.122.1/24 192.168.124.0/23", "", "192.168.123.0/24");
    check_auto("192.168.122.0/23 192.168.124.0/23", "", "192.168.126.0/24");
    check_auto("192.168.253.0/24 192.168.122.0/24 192.168.123.200/29 192.168.124.0/22 192.168.128.0/18 "
               "192.168.192.0/19 "
               "192.168.224.0/20 192.168.240.0/21 192.168.248.0/22 192.168.252.0/24",
               "", "192.168.254.0/24");
    check_auto("192.168.0.0/16", "", "10.0.0.0/24");
    /* It reaches to the end of the address space, behind which there is nothing. */
    check_auto("192.0.0.0/2", "", "10.0.0.0/24");
    check_auto("192.168.0.0/16 10.0.0.1/32 10.0.1.0/25 10.0.2.0/23", "", "10.0.4.0/24");
    check_auto("192.168.0.0/16 10.0.0.0/9", "", "10.128.0.0/24");
    check_auto("", "t=auto", "192.168.122.0/24 192.168.123.0/24");
    check_auto("", "t=192.168.122.77/25", "192.168.123.0/24 192.168.122.77/25");
    check_auto("", "s=172.16.0.0/24 t=auto", "172.16.0.0/24 192.168.122.0/24");
    g_assert_null(chosen("192.168.0.0/16 10.0.0.0/8", "", &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, "parameter 's' (cidr4): no free /24"));
    g_clear_error(&error);
    g_assert_null(chosen("192.0.0.0/3 8.0.0.0/6", "", &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
}

/* Only "auto" of a subnet that counts makes what is rendered depend on the host. */
static void test_has_auto(void)
{
    static const struct {
        const char *params, *values;
        gboolean expected;
    } cases[] = {
        {"<vnat:param name='s' type='cidr4' default='auto'/>", "", TRUE},
        {"<vnat:param name='s' type='cidr4' default='auto'/>", "s=10.0.0.0/24", FALSE},
        {"<vnat:param name='s' type='cidr4' default='10.0.0.0/24'/>", "", FALSE},
        {"<vnat:param name='s' type='cidr4' default='10.0.0.0/24'/>", "s=auto", TRUE},
        {"<vnat:param name='s' type='cidr4' optional='yes'/>", "", FALSE},
        {"<vnat:param name='a' type='int'/><vnat:param name='s' type='cidr6'/>", "s=auto", TRUE},
        {"<vnat:param name='s' type='text' default='auto'/>", "", FALSE},
        {"", "", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<network" NS ">%s</network>", cases[i].params);
        g_autoptr(Template) tmpl = parsed(xml);
        g_autoptr(GHashTable) values = values_of(cases[i].values);

        g_assert_cmpint(template_has_auto(tmpl, values), ==, cases[i].expected);
        if (!*cases[i].values)
            g_assert_cmpint(template_has_auto(tmpl, NULL), ==, cases[i].expected);
    }
}

/* 3,000 subnets in use are passed in as many steps. */
static void test_auto_crowded(void)
{
    g_autoptr(GString) used = g_string_new("192.168.0.0/16");

    for (guint i = 0; i < 3000; i++)
        g_string_append_printf(used, " 10.%u.%u.0/24", i / 256, i % 256);
    check_auto(used->str, "", "10.11.184.0/24");
}

static void test_auto6(void)
{
    g_autoptr(Template) tmpl = parsed(
        "<network" NS "><vnat:param name='s' type='cidr6' default='auto'/><a>${s.prefix}</a></network>");
    g_autoptr(GPtrArray) one = NULL, two = NULL;
    g_autoptr(GArray) all = nets("fd00::/8 ::/0");
    TemplateWorld world = {.used = all};
    g_autoptr(GError) error = NULL;
    const char *first, *second;
    IpNet net, ours;

    g_free(template_render(tmpl, NULL, NULL, NULL, &one, NULL));
    g_free(template_render(tmpl, NULL, NULL, NULL, &two, NULL));
    first = ((TemplateValue *)g_ptr_array_index(one, 0))->value;
    second = ((TemplateValue *)g_ptr_array_index(two, 0))->value;
    g_assert_true(ipnet_parse(first, &net) && ipnet_parse("fd00::/8", &ours));
    g_assert_cmpint(net.prefix, ==, 64);
    g_assert_true(ipnet_covers(&ours, &net));
    g_assert_cmpstr(first, !=, second);
    g_assert_null(template_render(tmpl, NULL, &world, NULL, NULL, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/template-values/types", test_types);
    g_test_add_func("/template-values/long-values", test_long_values);
    g_test_add_func("/template-values/cidr", test_cidr);
    g_test_add_func("/template-values/auto", test_auto);
    g_test_add_func("/template-values/has-auto", test_has_auto);
    g_test_add_func("/template-values/auto-crowded", test_auto_crowded);
    g_test_add_func("/template-values/auto6", test_auto6);
    return g_test_run();
}
