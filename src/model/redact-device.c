/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact-private.h"

#include <string.h>

#define DEVICE_BYTES 15 /* IFNAMSIZ less the NUL */

/* --------------------------------------------------------------------------------- names that stay */

/* A stem and a number: the kernel's, libvirt's, those of tools. */
#define STEMS                                                                                                \
    "bond|br|bridge|can|cni|docker|dummy|em|erspan|eth|gre|gretap|ib|ifb|ip6_vti|ip6gre|ip6tnl|ip_vti|"      \
    "ipvlan|lxcbr|lxdbr|macvlan|macvtap|nlmon|podman|ppp|sit|tailscale|tap|team|tun|tunl|usb|veth|virbr|"    \
    "vlan|vmnet|vnet|vxlan|wg|wlan|wwan"
/* systemd.net-naming-scheme(7): where a device sits. biosdevname's too. */
#define PLACES                                                                                               \
    "(?:en|ib|sl|wl|ww)(?:[aciosv][0-9]{1,5}|(?:P[0-9]{1,5})?p[0-9]{1,3}s[0-9]{1,3})"                        \
    "(?:[bdfinru][0-9]{1,4}|np[0-9]{1,4})*|p[0-9]{1,3}p[0-9]{1,3}"
/* veth with a random number; vnat's own endpoints of a probe. */
#define OTHERS "lo|ovs-system|veth[0-9a-f]{1,11}|vnatp[0-9a-z]{0,10}"

#define NAMES "^(?:(?:(?:" STEMS ")[0-9]{1,5}|" PLACES ")(?:\\.[0-9]{1,4})?(?:-nic)?|" OTHERS ")\\z"

static const GRegex *device_names(Redactor *redactor)
{
    if (!redactor->device_names)
        redactor->device_names = g_regex_new(NAMES, G_REGEX_OPTIMIZE | G_REGEX_RAW, 0, NULL);
    return redactor->device_names;
}

gboolean redact_device_stays(Redactor *redactor, const char *name)
{
    return strlen(name) <= DEVICE_BYTES && g_regex_match(device_names(redactor), name, 0, NULL);
}

/* Whether a name that stays can begin so. */
static gboolean stem_stays(Redactor *redactor, const char *stem)
{
    GMatchInfo *info = NULL;
    gboolean stays = g_regex_match(device_names(redactor), stem, G_REGEX_MATCH_PARTIAL_HARD, &info) ||
                     g_match_info_is_partial_match(info);

    g_match_info_free(info);
    return stays;
}

/* "enx525400123456": the name of a device that is known by its MAC alone. NULL for another. */
static char *mac_name(Redactor *redactor, const char *name)
{
    const gsize front = 3, digits = 12;
    const char *end = name + MIN(strlen(name), front);
    Mac mac;

    if (strlen(name) != front + digits || end[-1] != 'x' || strspn(end, "0123456789abcdef") != digits)
        return NULL;
    if (strncmp(name, "en", 2) != 0 && strncmp(name, "wl", 2) != 0 && strncmp(name, "ww", 2) != 0)
        return NULL;
    for (gsize i = 0; i < sizeof(mac.bytes); i++)
        mac.bytes[i] = (guint8)(g_ascii_xdigit_value(end[2 * i]) << 4 | g_ascii_xdigit_value(end[2 * i + 1]));
    redact_mac(redactor, &mac);
    return g_strdup_printf("%.3s%02x%02x%02x%02x%02x%02x", name, mac.bytes[0], mac.bytes[1], mac.bytes[2],
                           mac.bytes[3], mac.bytes[4], mac.bytes[5]);
}

/* ----------------------------------------------------------------------------------------- patterns */

/*
 * A rule may speak of all devices whose names begin with a stem: "-i acme+". What begins with it has to begin
 * with one thing afterwards, and nothing else may. A stem that names begin with which stay ("virbr") stays,
 * and what else begins with it gets "virbr-1"; any other becomes "if1x", and what begins with it "if1x2".
 */

void redact_pattern_free(RedactPattern *pattern)
{
    g_free(pattern->stem);
    g_free(pattern->shown);
    g_free(pattern->token);
    g_free(pattern);
}

/* The longest stem that the name begins with, or NULL. */
static const RedactPattern *pattern_of(const Redactor *redactor, const char *name)
{
    for (guint i = 0; i < redactor->patterns->len; i++) {
        const RedactPattern *pattern = redactor->patterns->pdata[i];

        if (g_str_has_prefix(name, pattern->stem))
            return pattern;
    }
    return NULL;
}

static gint pattern_compare(gconstpointer a, gconstpointer b)
{
    gsize left = strlen((*(RedactPattern *const *)a)->stem);
    gsize right = strlen((*(RedactPattern *const *)b)->stem);

    return left > right ? -1 : left < right;
}

/* What a device's name, or a stem, begins with, and the next number. */
static char *number_behind(Redactor *redactor, const RedactPattern *pattern, const char *behind)
{
    RedactNames *names = &redactor->names[REDACT_IFNAME];
    guint number = ++names->count;
    char *token =
        g_strdup_printf("%s%0*u%s", pattern ? pattern->token : "if", (int)names->width, number, behind);

    if (strlen(token) <= DEVICE_BYTES)
        return token;
    g_free(token);
    return g_strdup_printf("if%u%s", number, behind);
}

static const RedactPattern *pattern_add(Redactor *redactor, const char *stem)
{
    const RedactPattern *outer = pattern_of(redactor, stem);
    RedactPattern *pattern;

    if (outer && strcmp(outer->stem, stem) == 0)
        return outer;
    pattern = g_new0(RedactPattern, 1);
    pattern->stem = g_strdup(stem);
    if (stem_stays(redactor, stem)) {
        pattern->shown = g_strdup(stem);
        pattern->token = g_strconcat(stem, "-", NULL);
    } else {
        pattern->shown = number_behind(redactor, outer, "x");
        pattern->token = g_strdup(pattern->shown);
    }
    g_ptr_array_add(redactor->patterns, pattern);
    g_ptr_array_sort(redactor->patterns, pattern_compare);
    return pattern;
}

static gboolean is_device_byte(char byte)
{
    return g_ascii_isalnum(byte) || (byte && strchr("_.-@", byte));
}

static void stems_find(GPtrArray *stems, const char *rules)
{
    for (const char *end = strpbrk(rules, "+*"); end; end = strpbrk(end + 1, "+*")) {
        const char *begin = end;

        while (begin > rules && is_device_byte(begin[-1]))
            begin--;
        if (begin < end && end - begin <= DEVICE_BYTES && !is_device_byte(end[1]))
            g_ptr_array_add(stems, g_strndup(begin, (gsize)(end - begin)));
    }
}

static gint stem_compare(gconstpointer a, gconstpointer b)
{
    gsize left = strlen(*(char *const *)a);
    gsize right = strlen(*(char *const *)b);

    return left < right ? -1 : left > right;
}

void redact_device_patterns(Redactor *redactor, const char *const *rules)
{
    g_autoptr(GPtrArray) stems = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; rules[i]; i++)
        stems_find(stems, rules[i]);
    /* What is in another begins with what that became. */
    g_ptr_array_sort(stems, stem_compare);
    for (guint i = 0; i < stems->len; i++)
        pattern_add(redactor, stems->pdata[i]);
}

/* ------------------------------------------------------------------------------------------- names */

static char *device_name(Redactor *redactor, const char *name)
{
    const char *known = redact_lookup(redactor, REDACT_IFNAME, name);
    g_autofree char *token = NULL;

    if (!*name || redact_device_stays(redactor, name))
        return g_strdup(name);
    if (known)
        return g_strdup(known);
    token = mac_name(redactor, name);
    if (!token)
        token = number_behind(redactor, pattern_of(redactor, name), "");
    return g_strdup(redact_remember(redactor, REDACT_IFNAME, name, token));
}

char *redact_device(Redactor *redactor, const char *name, char end)
{
    gsize length = name ? strlen(name) : 0;
    g_autofree char *stem = NULL;

    if (length == 0)
        return g_strdup(name);
    if (!end || name[length - 1] != end)
        return device_name(redactor, name);
    if (length == 1)
        return g_strdup(name);
    stem = g_strndup(name, length - 1);
    return g_strdup_printf("%s%c", pattern_add(redactor, stem)->shown, end);
}

static gint name_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void redact_devices(Redactor *redactor, GPtrArray *names)
{
    guint count = redactor->names[REDACT_IFNAME].count;

    g_ptr_array_sort(names, name_compare);
    for (guint i = 0; i < names->len; i++)
        count += !redact_device_stays(redactor, names->pdata[i]);
    redact_expect(redactor, REDACT_IFNAME, count);
    for (guint i = 0; i < names->len; i++)
        g_free(device_name(redactor, names->pdata[i]));
}
