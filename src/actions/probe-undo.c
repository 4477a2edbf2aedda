/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack.h"
#include "actions/links.h"
#include "actions/probe-private.h"
#include "sources/links.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * What the host remembers of an endpoint when its port has gone: neighbours of its addresses (also of one
 * that dnsmasq asked for in vain before it offered it), tracked connections, and a lease. So a line of notes
 * is written before any of it can come to be, and whoever finds the notes of a dead one undoes them:
 *
 *     NAMESPACE address IFINDEX ADDRESS
 *     NAMESPACE lease IFINDEX MAC ADDRESS SERVER
 *     NAMESPACE lease6 IFINDEX MAC ADDRESS DUID
 *
 * NAMESPACE is the number of the host's network namespace: in another one they say nothing, and are left out.
 * An address may be a guest's by the time that a dead one's notes are read: what the host knows of a
 * neighbour with another MAC stays, and so do its connections.
 */

#define UNDO_SECONDS 3.0

typedef struct {
    guint ifindex;
    Ip ip;
} Used;

GArray *probe_used_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(Used));
}

static guint64 own_namespace(void)
{
    struct stat info;

    return stat("/proc/self/ns/net", &info) == 0 ? info.st_ino : 0;
}

static gboolean note(Probe *probe, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean note(Probe *probe, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    line = g_strdup_printf("%" G_GUINT64_FORMAT " %s", own_namespace(), text);
    return endpoint_note(probe->endpoint, line, error);
}

static void add_used(Probe *probe, guint ifindex, const Ip *ip)
{
    const Used used = {ifindex, *ip};

    g_array_append_val(probe->used, used);
}

gboolean probe_will_use(Probe *probe, const Ip *ip, GError **error)
{
    char text[IP_TEXT];

    add_used(probe, probe->bridge->ifindex, ip);
    return note(probe, error, "address %u %s", probe->bridge->ifindex, ip_format(ip, text));
}

static gboolean was_there(const Probe *probe, guint ifindex, const Ip *ip)
{
    for (guint i = 0; i < probe->facts->neighbours->len; i++) {
        const Neighbour *before = &g_array_index(probe->facts->neighbours, Neighbour, i);

        if (before->ifindex == ifindex && ip_equal(&before->ip, ip))
            return TRUE;
    }
    return FALSE;
}

gboolean probe_will_lease(Probe *probe, const DhcpMessage *lease, GError **error)
{
    char mac[MAC_TEXT], address[IP_TEXT], server[IP_TEXT];

    return note(probe, error, "lease %u %s %s %s", probe->bridge->ifindex, mac_format(&lease->mac, mac),
                ip_format(&lease->address, address), ip_format(&lease->server, server));
}

gboolean probe_will_lease6(Probe *probe, const Dhcp6Message *lease, GError **error)
{
    char mac[MAC_TEXT], address[IP_TEXT];
    g_autoptr(GString) duid = g_string_new(NULL);

    for (gsize i = 0; i < lease->server_length; i++)
        g_string_append_printf(duid, "%02x", lease->server[i]);
    return note(probe, error, "lease6 %u %s %s %s", probe->bridge->ifindex, mac_format(&lease->mac, mac),
                ip_format(&lease->address, address), duid->str);
}

/* ---------------------------------------------------------------------------------- notes of the dead */

/* The words of a note that holds in this namespace and begins so, with that many in all; NULL: another. */
static char **note_words(const char *line, const char *kind, guint count)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    if (g_strv_length(words) != count || strcmp(words[1], kind) != 0 ||
        g_ascii_strtoull(words[0], NULL, 10) != own_namespace())
        return NULL;
    return g_steal_pointer(&words);
}

static void release_left4(Probe *probe, const char *line)
{
    g_auto(GStrv) words = note_words(line, "lease", 6);
    DhcpMessage lease = {0};

    if (words && strtoul(words[2], NULL, 10) == probe->bridge->ifindex && mac_parse(words[3], &lease.mac) &&
        ip_parse(words[4], &lease.address) && ip_parse(words[5], &lease.server))
        probe_send_release4(probe, &lease);
}

static gboolean duid_parse(const char *text, Dhcp6Message *lease)
{
    const gsize digits = strlen(text);

    if (digits == 0 || digits % 2 || digits / 2 > sizeof(lease->server))
        return FALSE;
    lease->server_length = digits / 2;
    for (gsize i = 0; i < digits; i++) {
        const int value = g_ascii_xdigit_value(text[i]);

        if (value < 0)
            return FALSE;
        lease->server[i / 2] = (guint8)(lease->server[i / 2] << 4 | value);
    }
    return TRUE;
}

static void release_left6(Probe *probe, const char *line)
{
    g_auto(GStrv) words = note_words(line, "lease6", 6);
    Dhcp6Message lease = {0};

    if (words && probe->speaks_ipv6 && strtoul(words[2], NULL, 10) == probe->bridge->ifindex &&
        mac_parse(words[3], &lease.mac) && ip_parse(words[4], &lease.address) && duid_parse(words[5], &lease))
        probe_send_release6(probe, &lease);
}

void probe_release_left(Probe *probe)
{
    const GPtrArray *left = endpoint_left(probe->endpoint);

    for (guint i = 0; i < left->len; i++) {
        release_left4(probe, left->pdata[i]);
        release_left6(probe, left->pdata[i]);
    }
}

void probe_release(Probe *probe)
{
    if (probe->lease.type)
        probe_send_release4(probe, &probe->lease);
    if (probe->lease6.server_length > 0)
        probe_send_release6(probe, &probe->lease6);
    probe->lease.type = 0;
    probe->lease6.server_length = 0;
}

/* ---------------------------------------------------------------------------------------------- undoing */

/* A lease of another network's is given back by its own network's next run. */
static gboolean is_others_lease(const Probe *probe, const char *line)
{
    g_auto(GStrv) words = note_words(line, "lease", 6);
    g_auto(GStrv) words6 = words ? NULL : note_words(line, "lease6", 6);
    char **either = words ? words : words6;

    return either && strtoul(either[2], NULL, 10) != probe->bridge->ifindex;
}

/* Keeps of the notes what this run could not undo. */
static void forget_notes(Probe *probe)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    const GPtrArray *left = endpoint_left(probe->endpoint);

    for (guint i = 0; i < left->len; i++) {
        if (is_others_lease(probe, left->pdata[i]))
            g_ptr_array_add(kept, g_strdup(left->pdata[i]));
    }
    endpoint_forget(probe->endpoint);
    for (guint i = 0; i < kept->len; i++)
        (void)endpoint_note(probe->endpoint, kept->pdata[i], NULL);
}

static void add_left(Probe *probe)
{
    const GPtrArray *left = endpoint_left(probe->endpoint);

    for (guint i = 0; i < left->len; i++) {
        g_auto(GStrv) words = note_words(left->pdata[i], "address", 4);
        Ip ip;

        if (words && ip_parse(words[3], &ip))
            add_used(probe, (guint)strtoul(words[2], NULL, 10), &ip);
    }
}

/* A DISCOVER was sent and its offer not awaited: which address dnsmasq looks for in vain to offer it, only
 * the neighbour table tells. */
static void add_looked_for(Probe *probe, Deadline deadline)
{
    g_autoptr(Facts) now = facts_new();

    if (!probe->has_dhcp_traces || probe->offered || !links_read(now, LINKS_NEIGHBOURS, deadline, NULL))
        return;
    for (guint i = 0; i < now->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(now->neighbours, Neighbour, i);

        if (neighbour->ifindex == probe->bridge->ifindex && !neighbour->has_mac &&
            network_ip_of(probe->network, &neighbour->ip) &&
            !was_there(probe, neighbour->ifindex, &neighbour->ip))
            add_used(probe, neighbour->ifindex, &neighbour->ip);
    }
}

void probe_undo(Probe *probe)
{
    const Deadline deadline = deadline_in(UNDO_SECONDS);
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(Ip));

    endpoint_remove(probe->endpoint);
    add_left(probe);
    add_looked_for(probe, deadline);
    for (guint i = 0; i < probe->used->len; i++) {
        const Used *used = &g_array_index(probe->used, Used, i);
        gboolean others = FALSE;

        (void)link_forget_neighbour(used->ifindex, &used->ip, endpoint_owns_mac, &others, deadline, NULL);
        if (!others)
            g_array_append_val(gone, used->ip);
    }
    if (gone->len > 0 || probe->has_dhcp_traces)
        (void)conntrack_forget_addresses(gone, probe->has_dhcp_traces, deadline, NULL);
    forget_notes(probe);
}
