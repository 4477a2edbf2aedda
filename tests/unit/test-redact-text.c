/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact.h"
#include "model/template.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* Names, devices, and text with anything of it inside. */

static const guint8 fixed_key[REDACT_KEY_BYTES + 1] = "a key that is the same each time";

/* A host with a few names, numbered in this order. */
static Redactor *host(void)
{
    static const struct {
        RedactKind kind;
        const char *name;
    } names[] = {
        {REDACT_NETWORK, "default"},
        {REDACT_NETWORK, "my net"},
        {REDACT_DOMAIN, "VM1"},
        {REDACT_DOMAIN, "web-01"},
        {REDACT_DOMAIN, "web"},
        {REDACT_HOST, "hv1.acme.example"},
        {REDACT_DOMAIN, "a-name-that-is-longer-than-twenty-bytes"},
        {REDACT_DOMAIN, "J\xc3\xbcrgen"},
        {REDACT_HOST, "guest7"},
        {REDACT_IFNAME, "acme0"},
        {REDACT_DOMAIN, "7"},
        {REDACT_DOMAIN, "47112"},
        {REDACT_HOST, "."},
        {REDACT_NETWORK, "it' s"},
    };
    Redactor *redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(redact_name(redactor, names[i].kind, names[i].name));
    return redactor;
}

static void assert_text(Redactor *redactor, const char *before, const char *after)
{
    g_autofree char *text = redact_text(redactor, before);

    g_assert_cmpstr(text, ==, after);
}

/* The word itself, as redact_address has it. */
static char *address_of(Redactor *redactor, const char *word)
{
    char *token = redact_address(redactor, word);

    g_assert_nonnull(token);
    g_assert_cmpstr(token, !=, word);
    return token;
}

/* ------------------------------------------------------------------------------------------- names */

typedef struct {
    RedactKind kind;
    const char *name, *token;
} NameCase;

static const NameCase name_cases[] = {
    {REDACT_NETWORK, "default", "network-1"},
    {REDACT_NETWORK, "lab", "network-2"},
    {REDACT_NETWORK, "default", "network-1"},
    {REDACT_NETWORK, "", ""},
    {REDACT_DOMAIN, "default", "domain-1"},
    {REDACT_DOMAIN, "Default", "domain-2"},
    {REDACT_HOST, "localhost", "localhost"},
    {REDACT_HOST, "vm1\n\x1b[31m\xff", "host-1"},
    {REDACT_DNS, "lab.test", "dns-1.example"},
    {REDACT_TEMPLATE, "nat-dns", "nat-dns"},
    {REDACT_TEMPLATE, "acme", "template-1"},
    {REDACT_ZONE, "libvirt", "libvirt"},
    {REDACT_ZONE, "acme", "zone-1"},
    {REDACT_USER, "nobody", "nobody"},
    {REDACT_USER, "1000", "1000"},
    {REDACT_USER, "alice", "user-1"},
    {REDACT_PROGRAM, "systemd-resolve", "systemd-resolve"},
    {REDACT_PROGRAM, "acme-dnsd", "program-1"},
    {REDACT_FILTER, "clean-traffic", "clean-traffic"},
    {REDACT_FILTER, "acme", "filter-1"},
    {REDACT_PORTGROUP, "acme", "portgroup-1"},
    {REDACT_ALIAS, "net12", "net12"},
    {REDACT_ALIAS, "net", "alias-1"},
    {REDACT_ALIAS, "ua-acme", "alias-2"},
    {REDACT_COMMENT, "for Alice", "comment-1"},
    {REDACT_VALUE, "x", "value-1"},
    {REDACT_CHAIN, "LIBVIRT_FWI", "LIBVIRT_FWI"},
    {REDACT_CHAIN, "customers", "own-1"},
    {REDACT_CHAIN, "lab-in", "own-2"},
    {REDACT_CHAIN, "customers", "own-1"},
    {REDACT_CHAIN, "input", "input"},
    {REDACT_CHAIN, "TCPOPTSTRIP", "TCPOPTSTRIP"},
    {REDACT_CHAIN, "FORWARD_IN_ZONES", "FORWARD_IN_ZONES"},
    {REDACT_CHAIN, "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-1"},
    {REDACT_CHAIN, "ufw6-user-limit-accept", "ufw6-user-limit-accept"},
    {REDACT_CHAIN, "filter_FWD_public_allow", "filter_FWD_public_allow"},
    {REDACT_CHAIN, "filter_FWD_acme_allow", "filter_FWD_own-3"},
    {REDACT_CHAIN, "FWDI_acme", "FWDI_own-4"},
    {REDACT_CHAIN, "f2b-acme", "f2b-own-5"},
    {REDACT_CHAIN, "KUBE-SVC-ERIFXISQEP7F7OF4", "KUBE-SVC-own-6"},
    {REDACT_CHAIN, "fwd.lxdbr0", "fwd.lxdbr0"},
    {REDACT_CHAIN, "libvirt-J-vnet0", "libvirt-J-vnet0"},
    {REDACT_CHAIN, "I-vnet0-arpmac", "I-vnet0-arpmac"},
    {REDACT_CHAIN, "FI-acme0", "FI-own-7"},
    {REDACT_CHAIN, "drop-10.20.30.40", "drop-own-8"},
    {REDACT_CHAIN, "drop-1.2.3.4", "drop-own-9"},
    {REDACT_CHAIN, "drop-1-2", "drop-own-10"},
    {REDACT_CHAIN, "7", "own-11"},
    {REDACT_CHAIN, "in--out", "in-own-12"},
    {REDACT_CHAIN, "drop-525400123456", "drop-own-13"},
    {REDACT_CHAIN, "x-5254.0012.3456", "own-14"},
    {REDACT_CHAIN, "own-1", "own-15"},
    {REDACT_CHAIN, "input\n", "own-16"},
    {REDACT_IFNAME, "acme0", "if1"},
};

static void test_names(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(name_cases); i++) {
        g_autofree char *token = redact_name(redactor, name_cases[i].kind, name_cases[i].name);

        g_assert_cmpstr(token, ==, name_cases[i].token);
    }
    g_assert_null(redact_name(redactor, REDACT_DOMAIN, NULL));
}

/* Numbers are as wide as the last one, so the order by name stays. */
static void test_expected(void)
{
    static const struct {
        guint count;
        const char *token;
    } widths[] = {{0, "domain-1"}, {9, "domain-1"}, {10, "domain-01"}, {10000, "domain-00001"}};

    for (gsize i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_autoptr(Redactor) redactor = redactor_new(fixed_key);
        g_autofree char *token = NULL;

        redact_expect(redactor, REDACT_DOMAIN, widths[i].count);
        token = redact_name(redactor, REDACT_DOMAIN, "x");
        g_assert_cmpstr(token, ==, widths[i].token);
    }
}

/* A chain's name is what it was at its first place, whatever gets known later. */
static void test_chain_once(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *before = redact_name(redactor, REDACT_CHAIN, "vm9-in");
    g_autofree char *name = redact_name(redactor, REDACT_DOMAIN, "vm9");
    g_autofree char *after = redact_name(redactor, REDACT_CHAIN, "vm9-in");

    g_assert_cmpstr(name, ==, "domain-1");
    g_assert_cmpstr(before, ==, "own-1");
    g_assert_cmpstr(after, ==, before);
}

/* The names that stay because vnat brings them are those that it brings. */
static void test_shipped_templates(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autoptr(GDir) directory = g_dir_open(SOURCE_ROOT "/xml", 0, NULL);
    guint count = 0;

    for (const char *file = g_dir_read_name(directory); file; file = g_dir_read_name(directory)) {
        g_autofree char *path = g_build_filename(SOURCE_ROOT, "xml", file, NULL);
        g_autofree char *name = g_strndup(file, strcspn(file, "."));
        g_autofree char *token = redact_name(redactor, REDACT_TEMPLATE, name);
        g_autofree char *text = NULL;
        g_autoptr(Template) tmpl = NULL;
        g_autoptr(GError) error = NULL;
        gsize length;

        if (!g_str_has_suffix(file, ".xml"))
            continue;
        g_assert_true(g_file_get_contents(path, &text, &length, NULL));
        tmpl = template_parse(text, length, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(token, ==, name);
        for (guint i = 0; i < template_params(tmpl)->len; i++) {
            const TemplateParam *param = template_params(tmpl)->pdata[i];
            g_autofree char *kept = redact_name(redactor, REDACT_PARAMETER, param->name);

            g_assert_cmpstr(kept, ==, param->name);
        }
        count++;
    }
    g_assert_cmpuint(count, >=, 6);
}

/* ----------------------------------------------------------------------------------------- devices */

static void test_devices_stay(void)
{
    static const char *const names[] = {
        "lo",     "eth0",        "eth12.100", "enp1s0",   "enp65s0f0np0", "eno1",       "ens3",    "wlan0",
        "wlp2s0", "wwan0",       "enP4p65s0", "em1",      "p1p1",         "bond0",      "bond0.7", "br0",
        "virbr0", "virbr0-nic",  "vnet17",    "macvtap3", "tap0",         "tun0",       "wg0",     "docker0",
        "veth1",  "veth9a8b7c6", "vnatp",     "vnatp3",   "dummy0",       "ovs-system", "ib0",     "team1",
        "vlan5",  "usb0",        "ip6tnl0",   "",
    };
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *token = redact_name(redactor, REDACT_IFNAME, names[i]);

        g_assert_cmpstr(token, ==, names[i]);
    }
}

static void test_devices_replaced(void)
{
    static const struct {
        const char *name, *token;
    } cases[] = {
        {"acme", "if1"},        {"acme0", "if2"},        {"br-9f3c2a1b77", "if3"},
        {"virbr-lab", "if4"},   {"eth", "if5"},          {"acme", "if1"},
        {"eth0x", "if6"},       {"enp1s0secret", "if7"}, {"vethacme", "if8"},
        {"if1", "if9"},         {"eth0\n", "if10"},      {"lo0", "if11"},
        {"vnet123456", "if12"}, {"\xff", "if13"},        {"a name over fifteen", "if14"},
    };
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *token = redact_name(redactor, REDACT_IFNAME, cases[i].name);

        g_assert_cmpstr(token, ==, cases[i].token);
    }
}

static void test_device_of_mac(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *token = redact_device(redactor, "enx525400123456", '\0');
    g_autofree char *other = redact_device(redactor, "acx525400123456", '\0');
    Mac mac = world_mac_of("52:54:00:12:34:56");
    g_autofree char *expected = NULL;

    redact_mac(redactor, &mac);
    expected = g_strdup_printf("enx525400%02x%02x%02x", mac.bytes[3], mac.bytes[4], mac.bytes[5]);
    g_assert_cmpstr(token, ==, expected);
    g_assert_cmpstr(other, ==, "if1");
}

static gboolean pattern_matches(const char *pattern, const char *name)
{
    return strncmp(pattern, name, strlen(pattern) - 1) == 0;
}

/* Whichever devices a pattern of a rule matched, it matches afterwards. */
static void test_device_patterns(void)
{
    static const char *const names[] = {"acme",   "acme0",     "acme1", "acme12", "acm",  "other0",
                                        "virbr0", "virbr-lab", "vnet3", "vpn-x",  "eth0", "external",
                                        "br-aa",  "br-bb",     "br0",   "br1",    "if3x4"};
    static const char *const patterns[] = {"acme+", "acme1+", "ac+", "virbr+", "v+",   "e+",
                                           "eth0+", "br-+",   "br+", "en+",    "if3+", "b+"};
    g_autofree char *rules = g_strjoinv(" -j ACCEPT\n-A X -i ", (char **)patterns);
    g_autofree char *ended = g_strconcat(rules, " -j DROP\n", NULL);
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    redact_device_patterns(redactor, (const char *[]){ended, NULL});
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = redact_device(redactor, names[i], '+');

        g_assert_cmpuint(strlen(name), <=, 15);
        for (gsize j = 0; j < G_N_ELEMENTS(patterns); j++) {
            g_autofree char *pattern = redact_device(redactor, patterns[j], '+');

            g_assert_cmpint(pattern_matches(patterns[j], names[i]), ==, pattern_matches(pattern, name));
        }
    }
}

/* A host's devices: in their order, by numbers of one width; those that stay count for nothing. */
static void test_devices_in_order(void)
{
    static const char *const names[] = {"lo", "z9", "box2", "eth0", "a",     "b",    "c",
                                        "d",  "e",  "f",    "g",    "box10", "vnet7"};
    static const char *const expected[] = {"lo",   "if10", "if04", "eth0", "if01", "if02", "if05",
                                           "if06", "if07", "if08", "if09", "if03", "vnet7"};
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_ptr_array_add(devices, (gpointer)names[i]);
    redact_devices(redactor, devices);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autofree char *token = redact_device(redactor, names[i], '\0');

        g_assert_cmpstr(token, ==, expected[i]);
    }
}

static void test_device_patterns_odd(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *any = redact_device(redactor, "+", '+');
    const char *const texts[] = {"*filter \"a*\" \"ab*\" \"abc*\" \"abcd*\" \"abcde*\"",
                                 "\"abcdef*\" \"abcdefg*\" \"abcdefgh*\" \"abcdefghi*\" +", NULL};
    g_autofree char *star = NULL;
    g_autofree char *deep = NULL;

    g_assert_cmpstr(any, ==, "+");
    redact_device_patterns(redactor, texts);
    star = redact_device(redactor, "abc*", '*');
    g_assert_true(g_str_has_suffix(star, "x*"));
    /* Stems in stems in stems: the name is short all the same. */
    deep = redact_device(redactor, "abcdefghij", '\0');
    g_assert_cmpuint(strlen(deep), <=, 15);
}

/* -------------------------------------------------------------------------------------------- text */

static void test_text_names(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"", ""},
        {"nothing of anybody", "nothing of anybody"},
        {"no domain VM1 on default", "no domain domain-1 on network-1"},
        {"domain 'web-01' and web", "domain 'domain-2' and domain-3"},
        {"my net is a network; my network is not", "network-2 is a network; my network is not"},
        {"VM10 xVM1 VM1x", "VM10 xVM1 VM1x"},
        {"vm1, VM1. (VM1) VM1-VM1_VM1", "domain-1, domain-1. (domain-1) domain-1-domain-1_domain-1"},
        {"\xc2\xbbVM1\xc2\xab J\xc3\xbcrgen", "\xc2\xbb"
                                              "domain-1\xc2\xab domain-5"},
        {"on hv1.acme.example, hv1, x.acme.example", "on host-1, host-1, x.dns-1.example"},
        {"domain-4-a-name-that-is-longe/monitor", "domain-4-domain-4/monitor"},
        {"acme0 and acme1", "if1 and acme1"},
        {"line 7 of 47112.", "line 7 of domain-7."},
        {"it's the guests' own", "it's the guests' own"},
        {"network 'nobody-knows-it' has 'mtu' \"1500\"", "network '(redacted)' has 'mtu' \"1500\""},
        {"'' \"\" ' x", "'' \"\" ' x"},
        {"'network my net' 'no such thing'", "'network network-2' '(redacted)'"},
        {"'Bob's net'", "'(redacted)'"},
        {"network 'it' s' is not active", "network 'network-3' is not active"},
        {"fe80::1%acme0 fe80::1%secret", "fe80::1%if1 fe80::1%if2"},
        {"`acme' `acme0'", "`(redacted)' `if1'"},
        {"'eth0' 'lo' '0.0.0.0' '255.255.255.0'", "'eth0' 'lo' '0.0.0.0' '255.255.255.0'"},
    };
    g_autoptr(Redactor) redactor = host();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_text(redactor, cases[i].before, cases[i].after);
    g_assert_null(redact_text(redactor, NULL));
}

static void test_text_paths(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"/var/lib/libvirt/dnsmasq/default.conf", "/var/lib/libvirt/dnsmasq/network-1.conf"},
        {"--conf-file=/var/lib/libvirt/dnsmasq/default.conf",
         "--conf-file=/var/lib/libvirt/dnsmasq/network-1.conf"},
        {"/var/lib/libvirt/dnsmasq/unknown.conf", "/var/lib/libvirt/dnsmasq/(redacted)"},
        {"/usr/lib/libvirt/libvirt_leaseshelper", "/usr/lib/libvirt/libvirt_leaseshelper"},
        {"/usr/sbin/dnsmasq", "/usr/sbin/dnsmasq"},
        {"cannot open '/srv/acme/disk.qcow2': denied", "cannot open '/(redacted)': denied"},
        {"see /home/alice/x, /etc/resolv.conf.", "see /(redacted), /etc/resolv.conf."},
        {"/proc/sys/net/ipv4/conf/acme0/forwarding", "/proc/sys/net/ipv4/conf/if1/(redacted)"},
        {"/run/libvirt/network/virbr0.pid and/or tcp/53", "/run/libvirt/network/virbr0.pid and/or tcp/53"},
        {"/ is a path", "/ is a path"},
        {"/run/libvirt/network/my net.pid", "/run/libvirt/network/network-2.pid"},
        {"--conf-file=/var/lib/libvirt/dnsmasq/my net.conf --x",
         "--conf-file=/var/lib/libvirt/dnsmasq/network-2.conf --x"},
        {"/run/libvirt/qemu/domain-4-my net/x of my net", "/run/libvirt/qemu/(redacted) of network-2"},
    };
    g_autoptr(Redactor) redactor = host();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_text(redactor, cases[i].before, cases[i].after);
}

static void test_text_uris(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"qemu:///system", "qemu:///system"},
        {"qemu:///session", "qemu:///session"},
        {"test:///default", "test:///default"},
        {"test:///home/alice/world.xml", "test:///(redacted)"},
        {"qemu+ssh://alice@hv7.acme.example/system", "qemu+ssh://user-1@host-4/system"},
        {"qemu+tls://hv1.acme.example:16514/system?pkipath=/secret",
         "qemu+tls://host-1:16514/system?(redacted)"},
        {"at qemu+tcp://hv8/system: refused", "at qemu+tcp://host-5/system: refused"},
        {"guest7+ssh://guest7/system", "guest7+ssh://host-2/system"},
        {"web:///system on web", "web:///system on domain-3"},
        {"://", "://"},
    };
    g_autoptr(Redactor) redactor = host();
    g_autofree char *ip = address_of(redactor, "192.168.122.7");
    g_autofree char *expected = g_strconcat("qemu+ssh://root@", ip, ":22/system", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_text(redactor, cases[i].before, cases[i].after);
    assert_text(redactor, "qemu+ssh://root@192.168.122.7:22/system", expected);
}

/* $4, $6, $M, $U, $N: an address of each kind, and a network; the same in both. */
static const char *const pattern_texts[] = {
    "$4",
    "$4.",
    "from $4 to $4:53, $4-$4",
    "x$4 $4x v$4",
    "[$6]:53 $6, $6.",
    "$6",
    "$6%virbr0",
    "$M",
    "mac=$M,$4",
    "x$M and $Mx",
    "52$M",
    "$U",
    "{$U}",
    "/var/run/$U",
    "$N",
    "-s $N -d $N",
    "'$4' \"$M\"",
    "dhcp-host=$M,$4,guest7",
};

static char *filled(const char *pattern, const char *const *values)
{
    static const char letters[] = "46MUN";
    GString *text = g_string_new(NULL);

    for (const char *at = pattern; *at; at++) {
        const char *letter = *at == '$' ? strchr(letters, at[1]) : NULL;

        if (letter) {
            g_string_append(text, values[letter - letters]);
            at++;
        } else {
            g_string_append_c(text, *at);
        }
    }
    return g_string_free(text, FALSE);
}

static void test_text_patterns(void)
{
    const char *const before[] = {"192.168.122.7", "2001:db8::1:2:3:4", "52:54:00:12:34:56",
                                  "fd737899-1521-4395-95a4-1f74c57e93ba", "10.1.0.0/16"};
    g_autoptr(Redactor) redactor = host();
    g_autofree char *ip4 = address_of(redactor, before[0]);
    g_autofree char *ip6 = address_of(redactor, before[1]);
    g_autofree char *mac = address_of(redactor, before[2]);
    g_autofree char *uuid = address_of(redactor, before[3]);
    g_autofree char *net = address_of(redactor, before[4]);
    const char *const after[] = {ip4, ip6, mac, uuid, net};

    for (gsize i = 0; i < G_N_ELEMENTS(pattern_texts); i++) {
        g_autofree char *text = filled(pattern_texts[i], before);
        g_autofree char *expected = filled(pattern_texts[i], after);
        g_autofree char *guest = g_strdup(strstr(expected, "guest7"));

        if (guest)
            g_strlcpy(strstr(expected, guest), "host-2", strlen(guest) + 1);
        assert_text(redactor, text, expected);
    }
}

/* Other ways to write them. */
static void test_text_forms(void)
{
    g_autoptr(Redactor) redactor = host();
    g_autofree char *mac = address_of(redactor, "52:54:00:12:34:56");
    g_autofree char *uuid = redact_uuid(redactor, "fd737899-1521-4395-95a4-1f74c57e93ba");
    g_autofree char *client = redact_client_id(redactor, "01:52:54:00:12:34:56");
    g_autofree char *long_client = redact_client_id(redactor, "00:01:00:01:2d:0c:1f:b4:52:54:00:11:11:04");
    g_autofree char *client_colon = g_strconcat(client, ": x", NULL);
    g_auto(GStrv) octets = g_strsplit(mac, ":", -1);
    g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
    g_autofree char *dashes = g_strjoinv("-", octets);
    g_autofree char *digits = g_strjoinv("", octets);
    g_autofree char *uuid_digits = g_strjoinv("", parts);
    g_autofree char *bridge = g_strconcat("8000.", digits, NULL);
    Ip ip = world_ip_of("192.168.122.7");
    g_autofree char *dashed = NULL;
    g_autofree char *reverse = NULL;
    g_autofree char *zone = NULL;

    redact_ip(redactor, &ip);
    dashed = g_strdup_printf("ip-%u-%u-122-7.x", ip.bytes[0], ip.bytes[1]);
    reverse = g_strdup_printf("7.122.%u.%u.in-addr.arpa", ip.bytes[1], ip.bytes[0]);
    zone = g_strdup_printf("zone 122.%u.%u.IN-ADDR.ARPA", ip.bytes[1], ip.bytes[0]);
    assert_text(redactor, "52:54:00:12:34:56", mac);
    assert_text(redactor, "52-54-00-12-34-56", dashes);
    assert_text(redactor, "525400123456", digits);
    assert_text(redactor, "8000.525400123456", bridge);
    assert_text(redactor, "fd7378991521439595a41f74c57e93ba", uuid_digits);
    assert_text(redactor, "01:52:54:00:12:34:56", client);
    assert_text(redactor, "00:01:00:01:2d:0c:1f:b4:52:54:00:11:11:04", long_client);
    assert_text(redactor, "01:52:54:00:12:34:56: x", client_colon);
    assert_text(redactor, "ip-192-168-122-7.x", dashed);
    assert_text(redactor, "7.122.168.192.in-addr.arpa", reverse);
    assert_text(redactor, "zone 122.168.192.IN-ADDR.ARPA", zone);
}

static void test_text_reverse6(void)
{
    g_autoptr(Redactor) redactor = host();
    IpNet net = world_net_of("2001:db8:1200::/48");
    g_autoptr(GString) expected = g_string_new(NULL);
    const guint8 *b = net.ip.bytes;

    redact_net(redactor, &net);
    for (guint i = 6; i-- > 0;)
        g_string_append_printf(expected, "%x.%x.", (guint)(b[i] & 15), (guint)(b[i] >> 4));
    g_string_append(expected, "ip6.arpa");
    assert_text(redactor, "0.0.2.1.8.b.d.0.1.0.0.2.ip6.arpa", expected->str);
}

/* What only looks so. */
static void test_text_unlike(void)
{
    static const char *const same[] = {
        "version 9.0.0 at 12:30:45",
        "2026-11-22 15:04:05",
        "std::string",
        "1.2.3 and 300.1.2",
        "add bad face",
        "10 / 8",
        "a:b:c:d",
        "in-addr.arpa",
        "x.ip6.arpa",
        "::1 and ::",
        "127.0.0.1:53",
        "0x7f",
        "deadbeef",
        "fe80::1%virbr0",
        "256.in-addr.arpa",
        "1192.168.1.1",
    };
    g_autoptr(Redactor) redactor = host();

    for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
        assert_text(redactor, same[i], same[i]);
}

/* No byte is lost and nothing read beyond the end, whatever stands there. */
static void test_text_hostile(void)
{
    static const char pieces[] = "0123456789abcdef:.-/%'\"` \n[]{}()<>=,;@?*+xyzVM\xff\xc3\xbc\\\x1b";

    for (guint i = 0; i < 3000; i++) {
        g_autoptr(Redactor) redactor = redactor_new(fixed_key);
        g_autoptr(GString) text = g_string_new(NULL);
        guint length = (guint)g_test_rand_int_range(0, 80);
        g_autofree char *result = NULL;

        for (guint j = 0; j < length; j++)
            g_string_append_c(text, pieces[g_test_rand_int_range(0, (gint)sizeof(pieces) - 1)]);
        result = redact_text(redactor, text->str);
        g_assert_nonnull(result);
        g_free(redact_address(redactor, text->str));
        redact_device_patterns(redactor, (const char *[]){text->str, NULL});
        g_free(redact_device(redactor, text->str, '+'));
        g_free(redact_client_id(redactor, text->str));
        redact_is_harmless(text->str);
    }
}

/* ------------------------------------------------------------------------------------------- words */

static void test_addresses(void)
{
    static const char *const none[] = {"",           "tcp", "lo",  "eth0",   "10",
                                       "1024-65535", "-",   "a-b", "10.0.0", "fe80"};
    static const char *const some[] = {"10.0.0.1",          "10.7.0.0/16",     "10.1.0.0/255.255.0.0",
                                       "10.0.0.1-10.0.0.9", "10.0.0.1:53",     "10.0.0.1:53-60",
                                       "[2001:db8::1]:53",  "2001:db8::/32",   "52:54:00:00:00:01",
                                       "10.0.0.1,10.0.0.2", "fd00::1-fd00::1f"};
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
        g_assert_null(redact_address(redactor, none[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(some); i++)
        g_free(address_of(redactor, some[i]));
}

/* The mask of a network says how much of its address counts. */
static void test_address_mask(void)
{
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);
    g_autofree char *prefix = redact_address(redactor, "10.0.0.0/8");
    g_autofree char *mask = redact_address(redactor, "10.0.0.0/255.0.0.0");
    g_autofree char *end = redact_text(redactor, "in 10.0.0.0/8.");

    g_assert_true(g_str_has_suffix(prefix, ".0.0.0/8"));
    g_assert_true(g_str_has_suffix(mask, ".0.0.0/255.0.0.0"));
    g_assert_true(strncmp(prefix, mask, strcspn(prefix, "/")) == 0);
    g_assert_true(strncmp(end + 3, prefix, strlen(prefix)) == 0);
}

static void test_address_range(void)
{
    for (guint i = 0; i < 50; i++) {
        g_autoptr(Redactor) redactor = redactor_new(NULL);
        g_autofree char *range = address_of(redactor, "10.0.0.2-10.200.0.254");
        g_auto(GStrv) ends = g_strsplit(range, "-", 2);
        Ip first = world_ip_of(ends[0]);
        Ip last = world_ip_of(ends[1]);

        g_assert_cmpint(ip_compare(&first, &last), <, 0);
    }
}

static void test_harmless(void)
{
    static const char *const yes[] = {
        "",        "80",     "0x4000/0x4000", "1024-65535",      "RELATED,ESTABLISHED",
        "3/hour",  "virtio", "2.5",           "FIN,SYN,RST,ACK", "ipv4",
        "802.1Qbh"};
    static const char *const no[] = {"acme",  "80x", "10.0.0.1", "web-01",   "yes sir", "0x",
                                     "1-2-3", "-",   "udp tcp",  "nat,acme", "\xff"};

    for (gsize i = 0; i < G_N_ELEMENTS(yes); i++)
        g_assert_true(redact_is_harmless(yes[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(no); i++)
        g_assert_false(redact_is_harmless(no[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redact/name/kinds", test_names);
    g_test_add_func("/redact/name/expected", test_expected);
    g_test_add_func("/redact/name/chain", test_chain_once);
    g_test_add_func("/redact/name/templates", test_shipped_templates);
    g_test_add_func("/redact/device/stays", test_devices_stay);
    g_test_add_func("/redact/device/replaced", test_devices_replaced);
    g_test_add_func("/redact/device/of-mac", test_device_of_mac);
    g_test_add_func("/redact/device/patterns", test_device_patterns);
    g_test_add_func("/redact/device/in-order", test_devices_in_order);
    g_test_add_func("/redact/device/patterns-odd", test_device_patterns_odd);
    g_test_add_func("/redact/text/names", test_text_names);
    g_test_add_func("/redact/text/paths", test_text_paths);
    g_test_add_func("/redact/text/uris", test_text_uris);
    g_test_add_func("/redact/text/patterns", test_text_patterns);
    g_test_add_func("/redact/text/forms", test_text_forms);
    g_test_add_func("/redact/text/reverse6", test_text_reverse6);
    g_test_add_func("/redact/text/unlike", test_text_unlike);
    g_test_add_func("/redact/text/hostile", test_text_hostile);
    g_test_add_func("/redact/address", test_addresses);
    g_test_add_func("/redact/address/mask", test_address_mask);
    g_test_add_func("/redact/address/range", test_address_range);
    g_test_add_func("/redact/harmless", test_harmless);
    return g_test_run();
}
