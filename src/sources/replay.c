/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/name.h"
#include "sources/capture-private.h"
#include "sources/firewall.h"
#include "sources/reader.h"

#include <string.h>

/*
 * Answers from a capture, which capture_read has checked: so no parser of its texts can fail here. A reading
 * hands out copies, since a command may read twice; XML is parsed anew for each, as it is on a host.
 */

typedef struct {
    Reader reader;
    Capture *capture;
} Replay;

static const Capture *replay_of(Reader *reader)
{
    return ((Replay *)(gpointer)reader)->capture;
}

/* ------------------------------------------------------------------------------------------ status */

/* The source is as it was when it was captured. */
static void status_again(const Capture *capture, Facts *facts, SourceId id)
{
    const SourceStatus *then = &capture->facts->sources[id];
    SourceStatus *now = &facts->sources[id];
    gboolean whole = then->state == SOURCE_LIVE || then->state == SOURCE_REPLAYED;

    now->generation++;
    now->time = then->time;
    source_status_set(now, whole ? SOURCE_REPLAYED : then->state, then->error);
}

/* libvirt's, of which several parts are read: cause says what is missing of one, or is NULL. */
static void libvirt_status(const Capture *capture, Facts *facts, const char *cause)
{
    SourceStatus *status = &facts->sources[SOURCE_LIBVIRT];

    status->generation++;
    status->time = capture->facts->sources[SOURCE_LIBVIRT].time;
    if (cause)
        source_status_set(status, SOURCE_STALE, cause);
    else if (status->state != SOURCE_STALE)
        source_status_set(status, SOURCE_REPLAYED, NULL);
}

/* FALSE, with the error of then, if the part could not be read when it was captured. */
static gboolean part_failed(const Capture *capture, Facts *facts, CapturePart part, SourceId id,
                            GError **error)
{
    const GError *failed =
        capture->failed[CAPTURE_CONNECTION] ? capture->failed[CAPTURE_CONNECTION] : capture->failed[part];
    SourceStatus *status = &facts->sources[id];
    gboolean none = failed && g_error_matches(failed, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED);

    if (!failed)
        return FALSE;
    source_status_set(status,
                      none                 ? SOURCE_ABSENT
                      : status->generation ? SOURCE_STALE
                                           : SOURCE_DOWN,
                      failed->message);
    g_propagate_error(error, g_error_copy(failed));
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- networks */

static Network *network_again(const Network *captured, gboolean inactive, gboolean keep)
{
    Network *network = capture_network(captured, inactive);

    if (keep) {
        network->xml = g_strdup(captured->xml);
        network->xml_inactive = g_strdup(captured->xml_inactive);
    }
    return network;
}

static gboolean replay_networks(Reader *reader, Facts *facts, LibvirtNetworks which,
                                Deadline deadline G_GNUC_UNUSED, GError **error)
{
    const Capture *capture = replay_of(reader);
    g_autofree char *cause = NULL;

    if (part_failed(capture, facts, CAPTURE_NETWORKS, SOURCE_LIBVIRT, error))
        return FALSE;
    g_ptr_array_set_size(facts->networks, 0);
    for (guint i = 0; i < capture->facts->networks->len; i++) {
        const Network *captured = capture->facts->networks->pdata[i];

        if (captured->active || which == LIBVIRT_NETWORKS_ALL)
            g_ptr_array_add(facts->networks, network_again(captured, FALSE, facts->keep));
    }
    source_status_set(&facts->sources[SOURCE_LIBVIRT], SOURCE_UNREAD, NULL);
    cause = networks_unread(facts->networks);
    libvirt_status(capture, facts, cause);
    return TRUE;
}

/* The network of that name or UUID in the capture, looked up as on a host. */
static const Network *find_network(const Capture *capture, const char *which, GError **error)
{
    for (guint pass = name_is_uuid(which) ? 0 : 1; pass < 2; pass++) {
        for (guint i = 0; i < capture->facts->networks->len; i++) {
            const Network *network = capture->facts->networks->pdata[i];

            if (pass == 0 ? g_ascii_strcasecmp(network->uuid, which) == 0 : strcmp(network->name, which) == 0)
                return network;
        }
    }
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "Network not found: no network with matching name '%s'",
                   which);
    return NULL;
}

/* The same, or why it is not: it was not there, it could not be read then, or none could. */
static const Network *get_network(const Capture *capture, Facts *facts, const char *which, GError **error)
{
    const Network *captured = NULL;

    if (!part_failed(capture, facts, CAPTURE_NETWORKS, SOURCE_LIBVIRT, error)) {
        captured = find_network(capture, which, error);
        if (captured && !captured->xml_read) {
            vnat_error_set(error, VNAT_ERROR_FAILED, "%s", captured->xml_error);
            captured = NULL;
        }
    }
    if (!captured)
        vnat_error_what(error, "failed to get network '%s'", which);
    return captured;
}

static Network *replay_network(Reader *reader, Facts *facts, const char *name_or_uuid, gboolean inactive,
                               Deadline deadline G_GNUC_UNUSED, GError **error)
{
    const Capture *capture = replay_of(reader);
    const Network *captured = get_network(capture, facts, name_or_uuid, error);
    Network *network;

    if (!captured)
        return NULL;
    libvirt_status(capture, facts, NULL);
    network = facts_network(facts, captured->uuid);
    if (!network) {
        network = network_again(captured, inactive, facts->keep);
        g_ptr_array_add(facts->networks, network);
    }
    return network;
}

static char *replay_network_xml(Reader *reader, const char *name_or_uuid, gboolean inactive,
                                Deadline deadline G_GNUC_UNUSED, GError **error)
{
    g_autoptr(Facts) nowhere = facts_new();
    const Network *captured = get_network(replay_of(reader), nowhere, name_or_uuid, error);

    if (!captured)
        return NULL;
    return g_strdup(inactive && captured->xml_inactive ? captured->xml_inactive : captured->xml);
}

/* ----------------------------------------------------------------------------------------- domains */

static Domain *domain_again(const Domain *captured, gboolean inactive, gboolean keep)
{
    Domain *domain = capture_domain(captured, inactive);

    domain->started = 0;
    if (keep) {
        domain->xml = g_strdup(captured->xml);
        domain->xml_inactive = g_strdup(captured->xml_inactive);
    }
    return domain;
}

static gboolean replay_domains(Reader *reader, Facts *facts, gboolean all, Deadline deadline G_GNUC_UNUSED,
                               GError **error)
{
    const Capture *capture = replay_of(reader);
    g_autofree char *cause = NULL;

    if (part_failed(capture, facts, CAPTURE_DOMAINS, SOURCE_LIBVIRT, error))
        return FALSE;
    g_ptr_array_set_size(facts->domains, 0);
    for (guint i = 0; i < capture->facts->domains->len; i++) {
        const Domain *captured = capture->facts->domains->pdata[i];

        if (captured->id >= 0 || all)
            g_ptr_array_add(facts->domains, domain_again(captured, FALSE, facts->keep));
    }
    facts->domains_complete = capture->facts->domains_complete;
    cause = domains_unread(facts->domains);
    libvirt_status(capture, facts, cause);
    return TRUE;
}

/* By id, UUID or name, in virsh's order. */
static const Domain *find_domain(const Capture *capture, const char *which, GError **error)
{
    guint64 id = 0;
    gboolean is_id = g_ascii_string_to_unsigned(which, 10, 0, G_MAXINT, &id, NULL);

    for (guint pass = 0; pass < 3; pass++) {
        for (guint i = 0; i < capture->facts->domains->len; i++) {
            const Domain *domain = capture->facts->domains->pdata[i];

            if ((pass == 0 && is_id && domain->id == (gint)id) ||
                (pass == 1 && g_ascii_strcasecmp(domain->uuid, which) == 0) ||
                (pass == 2 && strcmp(domain->name, which) == 0))
                return domain;
        }
    }
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "Domain not found: no domain with matching name '%s'", which);
    return NULL;
}

static Domain *replay_domain(Reader *reader, Facts *facts, const char *which, gboolean inactive,
                             Deadline deadline G_GNUC_UNUSED, GError **error)
{
    const Capture *capture = replay_of(reader);
    const Domain *captured = NULL;
    Domain *domain;

    if (!part_failed(capture, facts, CAPTURE_DOMAINS, SOURCE_LIBVIRT, error))
        captured = find_domain(capture, which, error);
    if (captured && !captured->xml_read) {
        vnat_error_set(error, VNAT_ERROR_FAILED, "%s", captured->xml_error);
        captured = NULL;
    }
    if (!captured) {
        vnat_error_what(error, "failed to get domain '%s'", which);
        return NULL;
    }
    for (guint i = facts->domains->len; i > 0; i--) {
        if (g_strcmp0(((const Domain *)facts->domains->pdata[i - 1])->uuid, captured->uuid) == 0)
            g_ptr_array_remove_index(facts->domains, i - 1);
    }
    domain = domain_again(captured, inactive, facts->keep);
    g_ptr_array_add(facts->domains, domain);
    libvirt_status(capture, facts, NULL);
    return domain;
}

/* Captured domains whose agent answered, by UUID; borrowed. */
static GHashTable *agents_by_uuid(const Facts *captured)
{
    GHashTable *agents = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < captured->domains->len; i++) {
        const Domain *domain = captured->domains->pdata[i];

        if (domain->agent->len > 0)
            g_hash_table_insert(agents, domain->uuid, domain->agent);
    }
    return agents;
}

/* An agent's word is told only where it is asked for. */
static void replay_agents(Reader *reader, Facts *facts, gboolean required, Deadline deadline G_GNUC_UNUSED)
{
    const Capture *capture = replay_of(reader);
    g_autoptr(GHashTable) agents = agents_by_uuid(capture->facts);

    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];
        GArray *agent = g_hash_table_lookup(agents, domain->uuid);

        if (!agent || domain->state != DOMAIN_RUNNING)
            continue;
        g_array_unref(domain->agent);
        domain->agent = g_array_copy(agent);
    }
    if (required)
        status_again(capture, facts, SOURCE_AGENT);
}

/* ------------------------------------------------------------------------------------------ leases */

/*
 * A part of the networks is asked: what the state was then may have been another's fault, and where nothing
 * at all is known of those that are asked now, it is down.
 */
static void leases_status(const Capture *capture, Facts *facts)
{
    SourceStatus *status = &facts->sources[SOURCE_LEASES];
    guint asked = 0, unread = 0;

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        asked += network->ips->len > 0 || !network->xml_read;
        unread += network->leases_unread;
    }
    status_again(capture, facts, SOURCE_LEASES);
    if (status->state == SOURCE_STALE && unread == 0)
        source_status_set(status, SOURCE_REPLAYED, NULL);
    else if (status->state == SOURCE_STALE && unread >= asked && facts->leases->len == 0)
        source_status_set(status, SOURCE_DOWN, status->error);
}

static gboolean replay_leases(Reader *reader, Facts *facts, Deadline deadline G_GNUC_UNUSED, GError **error)
{
    const Capture *capture = replay_of(reader);

    if (part_failed(capture, facts, CAPTURE_LEASES, SOURCE_LEASES, error))
        return FALSE;
    g_ptr_array_set_size(facts->leases, 0);
    for (guint i = 0; i < capture->facts->leases->len; i++) {
        const Lease *captured = capture->facts->leases->pdata[i];
        Lease *lease;

        if (!facts_network(facts, captured->network_uuid) || !lease_is_live(captured, facts->now))
            continue;
        lease = lease_new();
        record_copy(lease_fields, captured, lease);
        g_ptr_array_add(facts->leases, lease);
    }
    leases_status(capture, facts);
    return TRUE;
}

/* ---------------------------------------------------------------------------------- the kernel's part */

static void array_again(GArray **to, const GArray *from)
{
    g_array_unref(*to);
    *to = g_array_copy((GArray *)(gpointer)from);
}

static void links_again(Facts *facts, const Facts *captured)
{
    g_ptr_array_set_size(facts->links, 0);
    for (guint i = 0; i < captured->links->len; i++) {
        Link *link = link_new();

        record_copy(link_fields, captured->links->pdata[i], link);
        g_ptr_array_add(facts->links, link);
    }
}

static void route_rules_again(Facts *facts, const Facts *captured)
{
    g_ptr_array_set_size(facts->route_rules, 0);
    for (guint i = 0; i < captured->route_rules->len; i++) {
        RouteRule *rule = route_rule_new();

        record_copy(route_rule_fields, captured->route_rules->pdata[i], rule);
        g_ptr_array_add(facts->route_rules, rule);
    }
}

static void replay_links(Reader *reader, Facts *facts, LinksWanted wanted, Deadline deadline G_GNUC_UNUSED)
{
    const Capture *capture = replay_of(reader);

    if (wanted & LINKS_LINKS)
        links_again(facts, capture->facts);
    if (wanted & LINKS_ADDRESSES)
        array_again(&facts->addresses, capture->facts->addresses);
    if (wanted & LINKS_FDB)
        array_again(&facts->fdb, capture->facts->fdb);
    if (wanted & LINKS_ROUTES)
        array_again(&facts->routes, capture->facts->routes);
    if (wanted & LINKS_RULES)
        route_rules_again(facts, capture->facts);
    status_again(capture, facts, SOURCE_LINKS);
    if (wanted & LINKS_NEIGHBOURS) {
        array_again(&facts->neighbours, capture->facts->neighbours);
        status_again(capture, facts, SOURCE_NEIGHBOURS);
    }
}

static void sockets_again(Facts *facts, const Facts *captured)
{
    g_ptr_array_set_size(facts->sockets, 0);
    for (guint i = 0; i < captured->sockets->len; i++) {
        Socket *socket = g_new0(Socket, 1);

        record_copy(socket_fields, captured->sockets->pdata[i], socket);
        g_ptr_array_add(facts->sockets, socket);
    }
    facts->sockets_read = captured->sockets_read;
    facts->socket_owners_known = captured->socket_owners_known;
}

static void replay_processes(Reader *reader, Facts *facts, gboolean sockets, Deadline deadline G_GNUC_UNUSED)
{
    const Capture *capture = replay_of(reader);

    g_ptr_array_set_size(facts->dnsmasqs, 0);
    for (guint i = 0; i < capture->facts->dnsmasqs->len; i++) {
        const Dnsmasq *captured = capture->facts->dnsmasqs->pdata[i];
        Dnsmasq *dnsmasq;

        if (!facts_network(facts, captured->network))
            continue;
        dnsmasq = dnsmasq_new();
        record_copy(dnsmasq_fields, captured, dnsmasq);
        dnsmasq->options = g_strdup(captured->options);
        g_ptr_array_add(facts->dnsmasqs, dnsmasq);
    }
    if (sockets)
        sockets_again(facts, capture->facts);
    status_again(capture, facts, SOURCE_PROCESSES);
}

static void replay_firewall(Reader *reader, Facts *facts, Deadline deadline G_GNUC_UNUSED)
{
    const Capture *capture = replay_of(reader);
    GPtrArray *tables;

    if (firewall_parse_texts(capture->facts->firewall_texts, &tables, NULL)) {
        g_ptr_array_unref(facts->firewall);
        facts->firewall = tables;
    }
    if (facts->keep) {
        g_ptr_array_unref(facts->firewall_texts);
        facts->firewall_texts = g_ptr_array_ref(capture->facts->firewall_texts);
    }
    status_again(capture, facts, SOURCE_FIREWALL);
}

static void replay_proc(Reader *reader, Facts *facts)
{
    g_ptr_array_unref(facts->proc);
    facts->proc = g_ptr_array_ref(replay_of(reader)->facts->proc);
}

static void replay_firewalld(Reader *reader, Facts *facts, Deadline deadline G_GNUC_UNUSED)
{
    const Capture *capture = replay_of(reader);

    g_ptr_array_unref(facts->zones);
    facts->zones = g_ptr_array_ref(capture->facts->zones);
    status_again(capture, facts, SOURCE_FIREWALLD);
}

/* A capture that was made before connections were captured says nothing of them. */
static void replay_conntrack(Reader *reader, Facts *facts, Deadline deadline G_GNUC_UNUSED)
{
    const Capture *capture = replay_of(reader);

    if (capture->facts->sources[SOURCE_CONNTRACK].state == SOURCE_UNREAD) {
        source_status_set(&facts->sources[SOURCE_CONNTRACK], SOURCE_DOWN,
                          "the capture has no connections: it was made by an older vnat");
        return;
    }
    array_again(&facts->flows, capture->facts->flows);
    status_again(capture, facts, SOURCE_CONNTRACK);
}

/* As with the agents: told only where it is asked for. */
static void replay_guests(Reader *reader, Facts *facts)
{
    const GPtrArray *captured = replay_of(reader)->facts->domains;
    g_autoptr(GHashTable) domains = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < captured->len; i++)
        g_hash_table_insert(domains, ((Domain *)captured->pdata[i])->uuid, captured->pdata[i]);
    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];
        const Domain *then = g_hash_table_lookup(domains, domain->uuid);

        domain->started = then ? then->started : 0;
    }
}

/* ------------------------------------------------------------------------------------------- names */

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **names_end(GPtrArray *names)
{
    g_ptr_array_sort(names, names_compare);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static char **replay_network_names(Reader *reader, Deadline deadline G_GNUC_UNUSED,
                                   GError **error G_GNUC_UNUSED)
{
    const GPtrArray *networks = replay_of(reader)->facts->networks;
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < networks->len; i++)
        g_ptr_array_add(names, g_strdup(((const Network *)networks->pdata[i])->name));
    return names_end(names);
}

static char **replay_domain_names(Reader *reader, Deadline deadline G_GNUC_UNUSED,
                                  GError **error G_GNUC_UNUSED)
{
    const GPtrArray *domains = replay_of(reader)->facts->domains;
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < domains->len; i++)
        g_ptr_array_add(names, g_strdup(((const Domain *)domains->pdata[i])->name));
    return names_end(names);
}

/* ------------------------------------------------------------------------------------------ reader */

static void replay_free(Reader *reader)
{
    Replay *replay = (Replay *)(gpointer)reader;

    capture_free(replay->capture);
    g_free(replay);
}

static const ReaderOps replay_ops = {
    .networks = replay_networks,
    .network = replay_network,
    .domains = replay_domains,
    .domain = replay_domain,
    .leases = replay_leases,
    .agents = replay_agents,
    .links = replay_links,
    .processes = replay_processes,
    .firewall = replay_firewall,
    .proc = replay_proc,
    .firewalld = replay_firewalld,
    .conntrack = replay_conntrack,
    .guests = replay_guests,
    .network_xml = replay_network_xml,
    .network_names = replay_network_names,
    .domain_names = replay_domain_names,
    .free = replay_free,
};

Reader *reader_replay(Capture *capture)
{
    Replay *replay = g_new0(Replay, 1);

    replay->reader.ops = &replay_ops;
    replay->capture = capture;
    return &replay->reader;
}
