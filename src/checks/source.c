/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/name.h"
#include "base/text.h"
#include "checks/check.h"
#include "model/network.h"

#include <string.h>

/* Faults of what the facts come from: libvirt, the leases, firewalld; and networks that are not there. */

/* --------------------------------------------------------------------------- libvirt-unreachable */

/* The text is libvirt's, in the C locale. */
static const char *unreachable_words(const GError *error)
{
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        return "libvirt does not answer: its daemon hangs or is stopped";
    if (strstr(error->message, "Permission denied") || strstr(error->message, "authentication") ||
        strstr(error->message, "polkit") || strstr(error->message, "access denied"))
        return "libvirt does not let this user in";
    if (strstr(error->message, "No such file") || strstr(error->message, "Connection refused"))
        return "libvirt cannot be reached: nothing listens on its socket";
    return "libvirt cannot be reached";
}

void scoped_libvirt_unreachable(const CheckScope *scope, const Facts *facts, const Map *map,
                                GPtrArray *findings)
{
    const GError *error = scope->unreachable;
    const char *hint = error ? vnat_error_get_hint(error) : NULL;
    Finding *finding;

    if (!error)
        return;
    finding = finding_new("libvirt-unreachable", LEVEL_CRITICAL, OBJECT_HOST, facts->host);
    finding_message(finding, "%s", unreachable_words(error));
    if (facts->uri)
        finding_evidence(finding, "connection %s", facts->uri);
    if (scope->socket && !strstr(error->message, scope->socket))
        finding_evidence(finding, "socket %s", scope->socket);
    finding_evidence(finding, "%s", error->message);
    finding_remedy(finding, "%s", hint ? hint : "systemctl status libvirtd virtqemud");
    g_ptr_array_add(findings, finding);
}

/* -------------------------------------------------------------------------------- network-missing */

static gboolean names_have(const char *const *names, const char *name)
{
    return names && g_strv_contains(names, name);
}

static void add_nearest(const Facts *facts, const char *name, Finding *finding)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    for (guint i = 0; i < facts->networks->len; i++)
        g_ptr_array_add(names, ((const Network *)facts->networks->pdata[i])->name);
    g_ptr_array_add(names, NULL);
    nearest = text_suggest(name, (const char *const *)names->pdata);
    if (nearest)
        finding_evidence(finding, "there is a network %s", nearest);
}

static void report_missing(const CheckScope *scope, const Facts *facts, const char *name, GPtrArray *findings)
{
    Finding *finding = finding_new("network-missing", LEVEL_CRITICAL, OBJECT_NETWORK, name);
    g_autofree char *word = text_shell(name);
    gboolean session = facts->uri && g_str_has_suffix(facts->uri, "/session");

    finding->network = g_strdup(name);
    g_ptr_array_add(findings, finding);
    finding_message(finding, "network %s is not defined", name);
    add_nearest(facts, name, finding);
    if (session)
        finding_evidence(finding, "%s is a session, which has no NAT networks", facts->uri);
    if (session)
        finding_remedy(finding, "vnat -c qemu:///system check %s", word);
    else if (names_have(scope->templates, name))
        finding_remedy(finding, "vnat net-start %s", word);
    else
        finding_remedy(finding, "vnat net-start --template nat %s", word);
}

void scoped_network_missing(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; scope->networks && scope->networks[i]; i++) {
        if (!facts_network(facts, scope->networks[i]))
            report_missing(scope, facts, scope->networks[i], findings);
    }
}

/* ------------------------------------------------------------------------------- leases-unreadable */

#define LEASE_FILE "/var/lib/libvirt/dnsmasq/%s.status"

static void report_leases(const Facts *facts, const Network *network, const char *what, GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "leases-unreadable", LEVEL_WARNING, network);
    const char *why = facts->sources[SOURCE_LEASES].error;
    g_autofree char *path = NULL;

    finding_message(finding, "the leases of network %s %s", network->name, what);
    if (why && network->leases_unread)
        finding_evidence(finding, "%s", why);
    if (network->bridge && name_is_ifname(network->bridge)) {
        path = g_strdup_printf(LEASE_FILE, network->bridge);
        finding_evidence(finding, "file %s", path);
        if (network->leases_unread)
            finding_remedy(finding, "cp -p %s %s.bad && truncate -s 0 %s", path, path, path);
        else
            finding_remedy(finding, "touch %s", path);
    } else {
        finding_remedy(finding, "look into the network's lease file");
    }
}

/* Where libvirt hangs or is away, its leases are not read, and nothing is wrong with them. */
void check_leases_unreadable(const Facts *facts, const Map *map, GPtrArray *findings)
{
    SourceState state = facts->sources[SOURCE_LEASES].state;

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);
        const Network *owner = facts_network_of_bridge(facts, network->bridge);

        if (network->leases_late)
            check_unknown_of(findings, "leases-unreadable", network,
                             "libvirt did not tell the leases of network %s in time", network->name);
        else if (network->leases_unread && (state == SOURCE_STALE || state == SOURCE_DOWN) &&
                 network_leases(network, owner) == LEASES_OWN)
            report_leases(facts, network, "cannot be read", findings);
        else if (network->active && network_has_dhcp(network, 0) && dnsmasq && dnsmasq->no_lease_file)
            report_leases(facts, network, "are gone with their file", findings);
    }
}

/* --------------------------------------------------------------------------------- firewalld-zone */

/* The zones that libvirt itself puts a bridge into. */
static gboolean zone_is_right(const Network *network, const char *zone)
{
    if (network->zone)
        return g_strcmp0(zone, network->zone) == 0;
    return g_strcmp0(zone, "libvirt") == 0 ||
           (g_strcmp0(network->forward, "route") == 0 && g_strcmp0(zone, "libvirt-routed") == 0);
}

static void report_zone(const Facts *facts, const Network *network, const char *zone, GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "firewalld-zone", LEVEL_CRITICAL, network);
    g_autofree char *bridge = text_shell(network->bridge);
    g_autofree char *wanted = text_shell(network_zone(facts, network));

    finding_message(finding, "firewalld does not know bridge %s as one of libvirt's", network->bridge);
    finding_evidence(finding, "zone of %s: %s", network->bridge, zone ? zone : "none, so the default one");
    finding_evidence(finding, "zone that it belongs to: %s", network_zone(facts, network));
    finding_remedy(finding, "firewall-cmd --zone=%s --change-interface=%s", wanted, bridge);
}

void check_firewalld_zone(const Facts *facts, const Map *map, GPtrArray *findings)
{
    const SourceStatus *status = &facts->sources[SOURCE_FIREWALLD];

    if (!facts_has(facts, SOURCE_FIREWALLD)) {
        /* Absent on this host: it does not run, and no bridge needs a zone. */
        if (status->state != SOURCE_ABSENT || !facts->local)
            check_unknown(findings, "firewalld-zone", "firewalld was not asked%s%s",
                          status->error ? ": " : "", status->error ? status->error : "");
        return;
    }
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const char *zone = facts_zone(facts, network->bridge);

        /* Of an open network libvirt asks for none, unless its XML does. */
        if (network->active && network->bridge && network_owns_bridge(network) &&
            (network->zone || g_strcmp0(network->forward, "open") != 0) && !zone_is_right(network, zone))
            report_zone(facts, network, zone, findings);
    }
}
