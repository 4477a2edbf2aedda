/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/name.h"
#include "model/template-private.h"

#include <string.h>

#define AUTO "auto"
#define DOMAIN_MAX 253
#define LABEL_MAX 63

/* Room for the network, the gateway, a guest and the broadcast address. */
#define CIDR4_PREFIX_MIN 8
#define CIDR4_PREFIX_MAX 30
/* Room for ::1000 to ::2fff, from which the DHCP range is taken. */
#define CIDR6_PREFIX_MIN 16
#define CIDR6_PREFIX_MAX 112

/* ----------------------------------------------------------------------------------------- subnets */

/* No network of guests can be there: this host, loopback, link-local, multicast and above; mapped addresses.
 */
static const char *const reserved[] = {
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/16", "fe80::/10", "ff00::/8",
};

static gboolean cidr_is_reserved(const IpNet *net)
{
    for (gsize i = 0; i < G_N_ELEMENTS(reserved); i++) {
        IpNet other;

        if (ipnet_parse(reserved[i], &other) && ipnet_overlaps(net, &other))
            return TRUE;
    }
    return FALSE;
}

/* Host bits are the gateway; an IPv4 one that is the broadcast address can be none. */
static gboolean cidr_parse(const char *value, guint8 family, guint8 least, guint8 most, IpNet *net)
{
    Ip last;

    if (!ipnet_parse(value, net) || net->ip.family != family || net->prefix < least || net->prefix > most)
        return FALSE;
    last = ipnet_last(net);
    return !cidr_is_reserved(net) && !(family == 4 && ip_equal(&last, &net->ip));
}

static gboolean cidr4_parse(const char *value, IpNet *net)
{
    return cidr_parse(value, 4, CIDR4_PREFIX_MIN, CIDR4_PREFIX_MAX, net);
}

static gboolean cidr6_parse(const char *value, IpNet *net)
{
    return cidr_parse(value, 6, CIDR6_PREFIX_MIN, CIDR6_PREFIX_MAX, net);
}

/* Stays inside the subnet, and so inside the family, by the arithmetic of those who call. */
static Ip step(const Ip *ip, gint64 n)
{
    Ip result;

    return ip_add(ip, n, &result) ? result : *ip;
}

static Ip cidr_gateway(const IpNet *net)
{
    IpNet network = ipnet_network(net);

    return ip_equal(&network.ip, &net->ip) ? step(&network.ip, 1) : net->ip;
}

/*
 * The DHCP range of an IPv4 subnet: the longer run of its host addresses beside the gateway (an odd number is
 * left, so the two are never equal). libvirt refuses a range that leaves a /16, so the run is cut to that of
 * its end beside the gateway.
 */
static DhcpRange cidr4_range(const IpNet *net)
{
    IpNet network = ipnet_network(net), near = {.prefix = 16};
    Ip gateway = cidr_gateway(net), broadcast = ipnet_last(net);
    DhcpRange after = {.first = step(&gateway, 1), .last = step(&broadcast, -1)};
    DhcpRange before = {.first = step(&network.ip, 1), .last = step(&gateway, -1)};
    Ip bound;

    if (ip_range_size(&after.first, &after.last) >= ip_range_size(&before.first, &before.last)) {
        near.ip = after.first;
        bound = ipnet_last(&near);
        return ip_compare(&bound, &after.last) < 0 ? (DhcpRange){after.first, bound} : after;
    }
    near.ip = before.last;
    bound = ipnet_network(&near).ip;
    return ip_compare(&bound, &before.first) > 0 ? (DhcpRange){bound, before.last} : before;
}

/* The 4,096 addresses from ::1000 on; from ::2000 on if the gateway is among them. */
static DhcpRange cidr6_range(const IpNet *net)
{
    IpNet network = ipnet_network(net);
    Ip gateway = cidr_gateway(net);
    DhcpRange range = {.first = step(&network.ip, 0x1000), .last = step(&network.ip, 0x1fff)};

    if (ip_compare(&gateway, &range.first) < 0 || ip_compare(&gateway, &range.last) > 0)
        return range;
    return (DhcpRange){.first = step(&network.ip, 0x2000), .last = step(&network.ip, 0x2fff)};
}

static DhcpRange cidr_range(const IpNet *net)
{
    return net->ip.family == 4 ? cidr4_range(net) : cidr6_range(net);
}

static char *field_address(IpNet net)
{
    return ip_to_string(&net.ip);
}

static char *field_network(IpNet net)
{
    IpNet network = ipnet_network(&net);

    return ip_to_string(&network.ip);
}

static char *field_prefix(IpNet net)
{
    return g_strdup_printf("%u", net.prefix);
}

static char *field_netmask(IpNet net)
{
    Ip mask = ipnet_mask(&net);

    return ip_to_string(&mask);
}

static char *field_gateway(IpNet net)
{
    Ip gateway = cidr_gateway(&net);

    return ip_to_string(&gateway);
}

static char *field_first(IpNet net)
{
    DhcpRange range = cidr_range(&net);

    return ip_to_string(&range.first);
}

static char *field_last(IpNet net)
{
    DhcpRange range = cidr_range(&net);

    return ip_to_string(&range.last);
}

static const struct {
    const char *name;
    gboolean cidr6; /* an IPv6 subnet has it too */
    char *(*value)(IpNet net);
} fields[] = {
    {"address", TRUE, field_address},  {"network", TRUE, field_network}, {"prefix", TRUE, field_prefix},
    {"netmask", FALSE, field_netmask}, {"gateway", TRUE, field_gateway}, {"first", TRUE, field_first},
    {"last", TRUE, field_last},
};

/* The index of a field; G_N_ELEMENTS(fields) if there is none of that name. */
static gsize field_index(const char *name)
{
    gsize i = 0;

    while (i < G_N_ELEMENTS(fields) && strcmp(fields[i].name, name) != 0)
        i++;
    return i;
}

gboolean param_has_field(ParamType type, const char *field)
{
    gsize i = field_index(field);

    if (i == G_N_ELEMENTS(fields))
        return FALSE;
    return type == PARAM_CIDR4 || (type == PARAM_CIDR6 && fields[i].cidr6);
}

char *param_field(ParamType type, const char *value, const char *field)
{
    IpNet net;

    g_return_val_if_fail(param_has_field(type, field) && ipnet_parse(value, &net), NULL);
    return fields[field_index(field)].value(net);
}

/* ---------------------------------------------------------------------- a type each: value to form */

static char *canonical_name(const TemplateParam *param, const char *value)
{
    return name_is_network(value) ? g_strdup(value) : NULL;
}

static char *canonical_ifname(const TemplateParam *param, const char *value)
{
    return name_is_ifname(value) ? g_strdup(value) : NULL;
}

static char *canonical_mac(const TemplateParam *param, const char *value)
{
    const guint8 multicast = 0x01;
    Mac mac;

    return mac_parse(value, &mac) && !(mac.bytes[0] & multicast) ? mac_to_string(&mac) : NULL;
}

static char *canonical_uuid(const TemplateParam *param, const char *value)
{
    return name_is_uuid(value) ? g_ascii_strdown(value, -1) : NULL;
}

static char *canonical_ip4(const TemplateParam *param, const char *value)
{
    Ip ip;

    return ip_parse(value, &ip) && ip.family == 4 ? ip_to_string(&ip) : NULL;
}

static char *canonical_cidr4(const TemplateParam *param, const char *value)
{
    IpNet net;

    if (strcmp(value, AUTO) == 0)
        return g_strdup(value);
    return cidr4_parse(value, &net) ? ipnet_to_string(&net) : NULL;
}

static char *canonical_cidr6(const TemplateParam *param, const char *value)
{
    IpNet net;

    if (strcmp(value, AUTO) == 0)
        return g_strdup(value);
    return cidr6_parse(value, &net) ? ipnet_to_string(&net) : NULL;
}

static char *canonical_number(const char *value, gint64 min, gint64 max)
{
    gint64 number;

    if (!g_ascii_string_to_signed(value, 10, min, max, &number, NULL))
        return NULL;
    return g_strdup_printf("%" G_GINT64_FORMAT, number);
}

static char *canonical_port(const TemplateParam *param, const char *value)
{
    return canonical_number(value, 1, 65535);
}

static char *canonical_int(const TemplateParam *param, const char *value)
{
    return canonical_number(value, param->min, param->max);
}

static char *canonical_bool(const TemplateParam *param, const char *value)
{
    static const char *const yes[] = {"yes", "true", "on", "1", NULL}, *const no[] = {"no", "false", "off",
                                                                                      "0", NULL};

    if (g_strv_contains(yes, value))
        return g_strdup("yes");
    return g_strv_contains(no, value) ? g_strdup("no") : NULL;
}

static char *canonical_enum(const TemplateParam *param, const char *value)
{
    return g_strv_contains((const char *const *)param->values, value) ? g_strdup(value) : NULL;
}

static gboolean is_dns_label(const char *label)
{
    gsize length = strlen(label);

    if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isalnum(label[i]) && label[i] != '-')
            return FALSE;
    }
    return TRUE;
}

static char *canonical_domain(const TemplateParam *param, const char *value)
{
    g_auto(GStrv) labels = g_strsplit(value, ".", -1);

    if (strlen(value) > DOMAIN_MAX || !labels[0])
        return NULL;
    for (gsize i = 0; labels[i]; i++) {
        if (!is_dns_label(labels[i]))
            return NULL;
    }
    return g_strdup(value);
}

/* What XML can hold, less what would begin a new line in a configuration file made of it. */
static char *canonical_text(const TemplateParam *param, const char *value)
{
    if (!g_utf8_validate(value, -1, NULL))
        return NULL;
    for (const char *p = value; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029 || c == 0xfffe || c == 0xffff)
            return NULL;
    }
    return g_strdup(value);
}

/* ------------------------------------------------------------------------------------------- types */

static const struct {
    const char *name;
    char *(*canonical)(const TemplateParam *param, const char *value);
    const char *expectation; /* NULL: depends on the declaration */
} types[] = {
    [PARAM_NAME] = {"name", canonical_name, "up to 50 of A-Z a-z 0-9 _ . - beginning with a letter or digit"},
    [PARAM_IFNAME] = {"ifname", canonical_ifname,
                      "up to 15 of A-Z a-z 0-9 _ . - beginning with a letter or digit"},
    [PARAM_MAC] = {"mac", canonical_mac, "a unicast MAC address such as 52:54:00:12:34:56"},
    [PARAM_UUID] = {"uuid", canonical_uuid, "a UUID such as 123e4567-e89b-42d3-a456-426614174000"},
    [PARAM_IP4] = {"ip4", canonical_ip4, "an IPv4 address such as 192.168.122.1"},
    [PARAM_CIDR4] = {"cidr4", canonical_cidr4,
                     "an IPv4 subnet such as 192.168.122.0/24, of prefix 8 to 30 (a gateway and a guest must "
                     "fit), or auto"},
    [PARAM_CIDR6] = {"cidr6", canonical_cidr6,
                     "an IPv6 subnet such as fd00:1:2:3::/64, of prefix 16 to 112, or auto"},
    [PARAM_PORT] = {"port", canonical_port, "a number from 1 to 65535"},
    [PARAM_INT] = {"int", canonical_int, NULL},
    [PARAM_BOOL] = {"bool", canonical_bool, "yes or no"},
    [PARAM_ENUM] = {"enum", canonical_enum, NULL},
    [PARAM_DOMAIN] = {"domain", canonical_domain, "a DNS domain such as example.org"},
    [PARAM_TEXT] = {"text", canonical_text, "UTF-8 text without control characters, up to 1024 bytes"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(types) == PARAM_TYPE_COUNT);

const char *param_type_name(ParamType type)
{
    return types[type].name;
}

char *param_canonical(const TemplateParam *param, const char *value)
{
    if (strlen(value) > PARAM_VALUE_MAX)
        return NULL;
    return types[param->type].canonical(param, value);
}

char *param_expectation(const TemplateParam *param)
{
    g_autofree char *values = NULL;

    if (types[param->type].expectation)
        return g_strdup(types[param->type].expectation);
    if (param->type == PARAM_INT)
        return g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, param->min,
                               param->max);
    values = g_strjoinv(", ", param->values);
    return g_strdup_printf("one of %s", values);
}

gboolean param_is_auto(const TemplateParam *param, const char *value)
{
    return (param->type == PARAM_CIDR4 || param->type == PARAM_CIDR6) && strcmp(value, AUTO) == 0;
}
