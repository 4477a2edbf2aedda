/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact-private.h"

#include <string.h>

/* ------------------------------------------------------------------------------- what a name becomes */

/* What libvirt, firewalld and distributions call so. */
static const char *const zones[] = {
    "block",          "dmz",       "docker", "drop",    "external", "home", "internal", "libvirt",
    "libvirt-routed", "nm-shared", "public", "trusted", "work",     NULL};
static const char *const users[] = {"dnsmasq", "libvirt-dnsmasq", "nobody", "root", NULL};
/* As /proc/PID/comm has them: 15 bytes. */
static const char *const programs[] = {
    "avahi-daemon", "containerd", "coredns",         "dhcpd",           "dnsmasq",
    "docker-proxy", "dockerd",    "kea-dhcp4",       "kea-dhcp6",       "kresd",
    "libvirtd",     "named",      "pdns_recursor",   "pdns_server",     "qemu-system-x86",
    "rootlessport", "systemd",    "systemd-network", "systemd-resolve", "unbound",
    "virtnetworkd", NULL};
static const char *const hosts[] = {"localhost", NULL};
static const char *const filters[] = {"allow-arp",
                                      "allow-dhcp",
                                      "allow-dhcp-server",
                                      "allow-dhcpv6",
                                      "allow-dhcpv6-server",
                                      "allow-incoming-ipv4",
                                      "allow-incoming-ipv6",
                                      "allow-ipv4",
                                      "allow-ipv6",
                                      "clean-traffic",
                                      "clean-traffic-gateway",
                                      "no-arp-ip-spoofing",
                                      "no-arp-mac-spoofing",
                                      "no-arp-spoofing",
                                      "no-ip-multicast",
                                      "no-ip-spoofing",
                                      "no-ipv6-multicast",
                                      "no-ipv6-spoofing",
                                      "no-mac-broadcast",
                                      "no-mac-spoofing",
                                      "no-other-l2-traffic",
                                      "no-other-rarp-traffic",
                                      "qemu-announce-self",
                                      "qemu-announce-self-rarp",
                                      NULL};
/* Those of xml/; their parameters, and those of libvirt's own filters. */
static const char *const templates[] = {"default", "isolated", "nat", "nat-dns", "nat-ipv6", "routed", NULL};
static const char *const parameters[] = {"CTRL_IP_LEARNING",
                                         "DHCPSERVER",
                                         "GATEWAY_MAC",
                                         "IP",
                                         "IPV6",
                                         "MAC",
                                         "bridge",
                                         "dev",
                                         "dhcp",
                                         "dhcp6",
                                         "domain",
                                         "forward-plain",
                                         "forwarder",
                                         "forwarder2",
                                         "host",
                                         "host-address",
                                         "lease",
                                         "mtu",
                                         "name",
                                         "subnet",
                                         "subnet6",
                                         "zone",
                                         "zone-forwarder",
                                         NULL};

static const struct {
    const char *before, *behind; /* of the number */
    const char *const *keep;     /* what stays; NULL: nothing */
    gboolean silent;             /* redact_text does not look for it */
} kinds[] = {
    [REDACT_NETWORK] = {"network-", "", NULL, FALSE},
    [REDACT_DOMAIN] = {"domain-", "", NULL, FALSE},
    [REDACT_HOST] = {"host-", "", hosts, FALSE},
    [REDACT_IFNAME] = {"if", "", NULL, FALSE},
    [REDACT_DNS] = {"dns-", ".example", hosts, FALSE},
    [REDACT_TEMPLATE] = {"template-", "", templates, FALSE},
    [REDACT_PARAMETER] = {"parameter-", "", parameters, TRUE},
    [REDACT_ZONE] = {"zone-", "", zones, FALSE},
    [REDACT_USER] = {"user-", "", users, FALSE},
    [REDACT_PROGRAM] = {"program-", "", programs, FALSE},
    [REDACT_FILTER] = {"filter-", "", filters, FALSE},
    [REDACT_PORTGROUP] = {"portgroup-", "", NULL, FALSE},
    [REDACT_ALIAS] = {"alias-", "", NULL, TRUE},
    [REDACT_CLIENT] = {"client-", "", NULL, TRUE},
    [REDACT_CHAIN] = {"own-", "", NULL, TRUE},
    [REDACT_COMMENT] = {"comment-", "", NULL, TRUE},
    [REDACT_VALUE] = {"value-", "", NULL, TRUE},
};
G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == REDACT_KIND_COUNT);

/* "net0", "hostdev1": libvirt's own. */
static gboolean alias_is_known(const char *name)
{
    static const char *const stems[] = {"net", "hostdev", "channel", NULL};

    for (guint i = 0; stems[i]; i++) {
        const char *digits = name + strlen(stems[i]);

        if (g_str_has_prefix(name, stems[i]) && *digits && digits[strspn(digits, "0123456789")] == '\0')
            return TRUE;
    }
    return FALSE;
}

/* Its words are all of libvirt's, of iptables' or of a well-known program's. */
static gboolean chain_is_known(Redactor *redactor, const char *name)
{
    return name[redact_rules_words(redactor, name)] == '\0';
}

static gboolean name_stays(Redactor *redactor, RedactKind kind, const char *name)
{
    if (kinds[kind].keep && g_strv_contains(kinds[kind].keep, name))
        return TRUE;
    if (kind == REDACT_USER)
        return name[strspn(name, "0123456789")] == '\0';
    return (kind == REDACT_CHAIN && chain_is_known(redactor, name)) ||
           (kind == REDACT_ALIAS && alias_is_known(name));
}

void redact_expect(Redactor *redactor, RedactKind kind, guint count)
{
    guint width = 1;

    for (; count > 9; count /= 10)
        width++;
    redactor->names[kind].width = width;
}

/* The words of a chain's name that are known stay in front: they tell whose it is. */
static char *name_number(Redactor *redactor, RedactKind kind, const char *name)
{
    RedactNames *names = &redactor->names[kind];
    gsize words = kind == REDACT_CHAIN ? redact_rules_words(redactor, name) : 0;

    return g_strdup_printf("%.*s%s%0*u%s", (int)words, name, kinds[kind].before, (int)names->width,
                           ++names->count, kinds[kind].behind);
}

char *redact_name(Redactor *redactor, RedactKind kind, const char *name)
{
    const char *known;
    g_autofree char *token = NULL;

    if (!name || !*name || name_stays(redactor, kind, name))
        return g_strdup(name);
    if (kind == REDACT_IFNAME)
        return redact_device(redactor, name, '\0');
    known = redact_lookup(redactor, kind, name);
    if (known)
        return g_strdup(known);
    token = name_number(redactor, kind, name);
    return g_strdup(redact_remember(redactor, kind, name, token));
}

/* --------------------------------------------------------------------------- what a name is known by */

const char *redact_lookup(const Redactor *redactor, RedactKind kind, const char *name)
{
    return g_hash_table_lookup(redactor->names[kind].tokens, name);
}

/* A byte of a word. None of UTF-8: a quotation mark may be what stands around a name. */
static gboolean is_word(char byte)
{
    return g_ascii_isalnum(byte);
}

/* Length of the word that begins here; at least 1, for what is no letter. */
static gsize word_length(const char *text, gsize length)
{
    gsize end = 0;

    while (end < length && is_word(text[end]))
        end++;
    return MAX(end, 1);
}

static void known_free(gpointer data)
{
    RedactKnown *known = data;

    g_free(known->name);
    g_free(known->token);
    g_free(known);
}

/* The longest first, and of one length the kinds in their order. */
static gboolean known_is_before(const RedactKnown *left, const RedactKnown *right)
{
    if (left->length != right->length)
        return left->length > right->length;
    return left->kind < right->kind;
}

/* Ten thousand guests may have names that begin with one word. */
static guint known_place(const GPtrArray *list, const RedactKnown *known)
{
    guint low = 0;
    guint high = list->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (known_is_before(known, list->pdata[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Punctuation and small numbers tell of nobody, and would be found everywhere. */
static gboolean name_is_telling(const char *name)
{
    guint digits = 0;

    for (; *name; name++) {
        if (g_ascii_isdigit(*name))
            digits++;
        else if (!g_ascii_ispunct(*name) && !g_ascii_isspace(*name))
            return TRUE;
    }
    return digits > 3;
}

static void known_add(Redactor *redactor, RedactKind kind, const char *name, const char *token)
{
    gsize length = strlen(name);
    g_autofree char *first = NULL;
    GPtrArray *list;
    RedactKnown *known;

    if (!name_is_telling(name))
        return;
    first = g_ascii_strdown(name, (gssize)word_length(name, length));
    list = g_hash_table_lookup(redactor->known, first);
    if (!list) {
        list = g_ptr_array_new_with_free_func(known_free);
        g_hash_table_insert(redactor->known, g_steal_pointer(&first), list);
    }
    known = g_new0(RedactKnown, 1);
    *known = (RedactKnown){.kind = kind, .length = length, .name = g_strdup(name), .token = g_strdup(token)};
    g_ptr_array_insert(list, (gint)known_place(list, known), known);
}

/*
 * Under what other names it goes: libvirt cuts the name of a domain to 20 bytes in the names of files, a host
 * is known by the first part of its name, and its domain tells too.
 */
static void known_add_forms(Redactor *redactor, RedactKind kind, const char *name, const char *token)
{
    const gsize cut = 20;
    const char *dot = strchr(name, '.');

    known_add(redactor, kind, name, token);
    if (kind == REDACT_DOMAIN && strlen(name) > cut) {
        g_autofree char *begin = g_strndup(name, cut);

        known_add(redactor, kind, begin, token);
    }
    if (kind == REDACT_HOST && dot) {
        g_autofree char *begin = g_strndup(name, (gsize)(dot - name));

        if (!name_stays(redactor, kind, begin))
            known_add(redactor, kind, begin, token);
        if (strchr(dot + 1, '.'))
            g_free(redact_name(redactor, REDACT_DNS, dot + 1));
    }
}

const char *redact_remember(Redactor *redactor, RedactKind kind, const char *name, const char *token)
{
    char *kept = g_strdup(token);

    g_hash_table_insert(redactor->names[kind].tokens, g_strdup(name), kept);
    if (!kinds[kind].silent)
        known_add_forms(redactor, kind, name, token);
    return kept;
}

const RedactKnown *redact_find_known(const Redactor *redactor, const char *text, gsize length, gsize at)
{
    gsize left = length - at;
    g_autofree char *first = NULL;
    const RedactKnown *folded = NULL;
    const GPtrArray *list;

    if (at > 0 && is_word(text[at]) && is_word(text[at - 1]))
        return NULL;
    first = g_ascii_strdown(text + at, (gssize)word_length(text + at, left));
    list = g_hash_table_lookup(redactor->known, first);
    for (guint i = 0; list && i < list->len; i++) {
        const RedactKnown *known = list->pdata[i];

        if (folded && known->length < folded->length)
            break;
        if (known->length > left || g_ascii_strncasecmp(text + at, known->name, known->length) != 0)
            continue;
        if (known->length < left && is_word(known->name[known->length - 1]) &&
            is_word(text[at + known->length]))
            continue;
        if (strncmp(text + at, known->name, known->length) == 0)
            return known;
        if (!folded)
            folded = known;
    }
    return folded;
}
