/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/name.h"
#include "base/text.h"
#include "checks/check.h"
#include "model/network.h"

#include <string.h>

/* Faults of what the facts come from: libvirt, the leases, firewalld; and networks that are not there. */

/* --------------------------------------------------------------------------- libvirt-unreachable */

/* Where a remote URI leads. */
typedef struct {
    char *user, *host, *transport; /* user: NULL: none is named */
    gint port;                     /* -1: none is named */
} FarEnd;

static void far_end_clear(FarEnd *far)
{
    g_free(far->user);
    g_free(far->host);
    g_free(far->transport);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FarEnd, far_end_clear)

/* DRIVER[+TRANSPORT]://[USER@]HOST[:PORT]/PATH; libvirt's own default is TLS. FALSE: it names no host. */
static gboolean far_end_parse(const Facts *facts, FarEnd *far)
{
    g_autofree char *scheme = NULL;
    const char *plus;

    *far = (FarEnd){.port = -1};
    if (facts->local || !facts->uri ||
        !g_uri_split(facts->uri, G_URI_FLAGS_NONE, &scheme, &far->user, &far->host, &far->port, NULL, NULL,
                     NULL, NULL))
        return FALSE;
    plus = scheme ? strchr(scheme, '+') : NULL;
    far->transport = g_strdup(plus ? plus + 1 : "tls");
    return far->host && *far->host;
}

static gboolean says_one_of(const char *message, const char *const *texts)
{
    for (guint i = 0; texts[i]; i++) {
        if (strstr(message, texts[i]))
            return TRUE;
    }
    return FALSE;
}

static const char *const denials[] = {"Permission denied", "authentication", "polkit", "access denied", NULL};

/* The text is libvirt's, in the C locale. */
static char *unreachable_near(const GError *error)
{
    static const char *const absences[] = {"No such file", "Connection refused", NULL};

    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        return g_strdup("libvirt does not answer: its daemon hangs or is stopped");
    if (says_one_of(error->message, denials))
        return g_strdup("libvirt does not let this user in");
    if (says_one_of(error->message, absences))
        return g_strdup("libvirt cannot be reached: nothing listens on its socket");
    return g_strdup("libvirt cannot be reached");
}

/* The text is libvirt's, or that of ssh which it passes on. */
static char *unreachable_far(const FarEnd *far, const GError *error)
{
    static const struct {
        const char *texts[4];
        const char *why;
    } causes[] = {
        {{"resolve"}, "the name of that host leads to no address"},
        {{"Host key verification failed"}, "ssh does not know the key of that host"},
        {{"certificate"}, "a certificate is missing, or not accepted"},
        {{"Connection refused"}, "nothing listens for it there"},
        {{"No route to host", "Network is unreachable", "timed out"}, "there is no way to that host"},
    };

    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        return g_strdup_printf(
            "libvirt on %s does not answer by %s: that host, the way there or its daemon is "
            "down, or slow",
            far->host, far->transport);
    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++) {
        if (says_one_of(error->message, causes[i].texts))
            return g_strdup_printf("libvirt on %s cannot be reached by %s: %s", far->host, far->transport,
                                   causes[i].why);
    }
    if (says_one_of(error->message, denials))
        return g_strdup_printf("libvirt on %s does not let this user in by %s", far->host, far->transport);
    return g_strdup_printf("libvirt on %s cannot be reached by %s", far->host, far->transport);
}

/* What tells whether it is the way or the daemon. */
static char *remedy_far(const Facts *facts, const FarEnd *far)
{
    g_autofree char *there = far->user ? g_strconcat(far->user, "@", far->host, NULL) : g_strdup(far->host);
    g_autofree char *host = text_shell(there);
    g_autofree char *port = far->port > 0 ? g_strdup_printf("-p %d ", far->port) : g_strdup("");
    g_autofree char *uri = text_shell(facts->uri);

    if (strstr(far->transport, "ssh"))
        return g_strdup_printf("ssh %s%s virsh -c qemu:///system version", port, host);
    if (strcmp(far->transport, "tcp") == 0 || strcmp(far->transport, "tls") == 0)
        return g_strdup_printf("on that host: systemctl status libvirtd-%s.socket virtproxyd-%s.socket",
                               far->transport, far->transport);
    return g_strdup_printf("virsh -c %s version", uri);
}

char *check_unreachable_remedy(const Facts *facts, const GError *error)
{
    g_auto(FarEnd) far = {0};
    const char *hint = vnat_error_get_hint(error);

    if (hint)
        return g_strdup(hint);
    return far_end_parse(facts, &far) ? remedy_far(facts, &far)
                                      : g_strdup("systemctl status libvirtd virtqemud");
}

void scoped_libvirt_unreachable(const CheckScope *scope, const Facts *facts, const Map *map,
                                GPtrArray *findings)
{
    const GError *error = scope->unreachable;
    g_auto(FarEnd) far = {0};
    g_autofree char *words = NULL;
    g_autofree char *remedy = NULL;
    Finding *finding;

    if (!error)
        return;
    words = far_end_parse(facts, &far) ? unreachable_far(&far, error) : unreachable_near(error);
    remedy = check_unreachable_remedy(facts, error);
    finding = finding_new("libvirt-unreachable", LEVEL_CRITICAL, OBJECT_HOST, facts->host);
    finding_message(finding, "%s", words);
    if (facts->uri)
        finding_evidence(finding, "connection %s", facts->uri);
    if (facts->local && scope->socket && !strstr(error->message, scope->socket))
        finding_evidence(finding, "socket %s", scope->socket);
    finding_evidence(finding, "%s", error->message);
    finding_remedy(finding, "%s", remedy);
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
