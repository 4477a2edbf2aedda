/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include "checks/check.h"

#include <string.h>

/*
 * What may not be.
 *
 * At every line: a row that joins a guest with a link that, since the guest's XML was last asked for, never
 * bore a name of it. A change of a row that the consumer does not have. Generations that go back.
 *
 * At rest: rows other than the join of the true facts, in the map or at the consumer; other leases and
 * networks; a source that is not live, unless something hangs, and then it alone is named; a mismatch, for
 * nothing was missed unnoticed; more records than there are objects; more readings than events explain.
 */

static gboolean guest_hangs(const SimGuest *guest)
{
    return guest->hangs == SIM_FOREVER;
}

static guint sim_hung(const Sim *sim)
{
    guint count = 0;

    for (guint i = 0; i < SIM_GUESTS; i++)
        count += guest_hangs(&sim->guests[i]);
    return count;
}

/* ----------------------------------------------------------------------------------- pairs of guest and link
 */

static gboolean pair_is_so(const Sim *sim, const SimPair *pair)
{
    const Domain *domain = sim->guests[pair->guest].running;

    for (guint i = 0; domain && i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        const Link *link = iface->target ? host_link_named(sim, iface->target) : NULL;

        if (link && link->ifindex == pair->ifindex)
            return TRUE;
    }
    return FALSE;
}

static gboolean pair_is_open(const Sim *sim, guint guest, guint ifindex)
{
    for (guint i = 0; i < sim->pairs->len; i++) {
        const SimPair *pair = &g_array_index(sim->pairs, SimPair, i);

        if (pair->guest == guest && pair->ifindex == ifindex && pair->to == SIM_FOREVER)
            return TRUE;
    }
    return FALSE;
}

static void pairs_open(Sim *sim, guint guest)
{
    const Domain *domain = sim->guests[guest].running;

    for (guint i = 0; domain && i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        const Link *link = iface->target ? host_link_named(sim, iface->target) : NULL;
        SimPair pair = {.guest = guest, .to = SIM_FOREVER};

        if (!link || pair_is_open(sim, guest, link->ifindex))
            continue;
        pair.ifindex = link->ifindex;
        g_array_append_val(sim->pairs, pair);
    }
}

void check_pairs(Sim *sim)
{
    for (guint i = 0; i < sim->pairs->len; i++) {
        SimPair *pair = &g_array_index(sim->pairs, SimPair, i);

        if (pair->to == SIM_FOREVER && !pair_is_so(sim, pair))
            pair->to = sim->now;
    }
    for (guint i = 0; i < SIM_GUESTS; i++)
        pairs_open(sim, i);
}

static gboolean pair_was(const Sim *sim, guint guest, guint ifindex)
{
    for (guint i = 0; i < sim->pairs->len; i++) {
        const SimPair *pair = &g_array_index(sim->pairs, SimPair, i);

        if (pair->guest == guest && pair->ifindex == ifindex && pair->to >= sim->guests[guest].read_asked)
            return TRUE;
    }
    return FALSE;
}

static void check_row(Sim *sim, const MapRow *row)
{
    /* Messages that could not be made good are told of by the source's state. */
    if (!row->has_domain || !row->ifindex ||
        live_map_source(follower_live(sim->follower), SOURCE_LINKS)->state != SOURCE_LIVE)
        return;
    for (guint i = 0; i < SIM_GUESTS; i++) {
        if (g_strcmp0(sim->guests[i].uuid, row->domain_uuid) == 0 && !pair_was(sim, i, row->ifindex))
            sim_fail(sim, "a row joins %s with %s (%u), which never was its", row->domain, row->tap,
                     row->ifindex);
    }
}

/* ------------------------------------------------------------------------------------ what is told */

/* Findings come and go a second later than what they are about. */
static void log_word(Sim *sim, const char *word)
{
    if (sim->log && !g_str_has_prefix(word, "check."))
        g_string_append_printf(sim->log, "%s ", word);
}

void check_snapshot(LiveMap *live, gboolean resync, gpointer data)
{
    Sim *sim = data;
    g_autoptr(GPtrArray) rows = live_map_rows(live);

    if (resync != (sim->snapshots > 0))
        sim_fail(sim, "the first line is the snapshot, and no other");
    sim->snapshots++;
    sim->resyncs += resync;
    log_word(sim, resync ? "resync" : "snapshot");
    for (guint i = 0; i < rows->len; i++)
        check_row(sim, rows->pdata[i]);
    consumer_snapshot(&sim->consumer, live);
}

static void check_change(Sim *sim, const Change *change)
{
    if (change->type == CHANGE_INTERFACE_ADDED || change->type == CHANGE_INTERFACE_CHANGED)
        check_row(sim, change->row);
    if (change->type == CHANGE_AUDIT_MISMATCH) {
        g_free(sim->mismatch);
        sim->mismatch = g_strdup(change->text);
    }
    consumer_change(&sim->consumer, change);
    if (sim->consumer.wrong)
        sim_fail(sim, "%s", sim->consumer.wrong);
}

void check_changes(LiveMap *live, const GPtrArray *changes, gpointer data)
{
    Sim *sim = data;

    if (sim->snapshots == 0)
        sim_fail(sim, "changes before the snapshot");
    for (guint i = 0; i < changes->len; i++) {
        const Change *change = changes->pdata[i];

        sim->lines++;
        log_word(sim, change_name(change->type));
        check_change(sim, change);
    }
}

void check_run(Sim *sim)
{
    LiveMap *live = follower_live(sim->follower);

    for (SourceId id = 0; id < SOURCE_COUNT; id++) {
        const SourceStatus *status = live_map_source(live, id);

        if (status->generation < sim->generations[id])
            sim_fail(sim, "the generation of %s goes back", source_name(id));
        sim->generations[id] = status->generation;
    }
    if (live_map_generation(live) < sim->generation)
        sim_fail(sim, "the generation of names goes back");
    sim->generation = live_map_generation(live);
}

/* --------------------------------------------------------------------------------------------- at rest */

/* Of a guest whose calls hang the map may know what was; so too of its ports. */
static gboolean row_counts(const Sim *sim, const char *row)
{
    for (guint i = 0; i < SIM_GUESTS; i++) {
        if (guest_hangs(&sim->guests[i]) && strstr(row, sim->guests[i].uuid))
            return FALSE;
    }
    return strstr(row, "\"domain\":null") == NULL;
}

/* What of a row can be told while guests hang: whom a guest clashes with is not known of one whose calls do.
 */
static char *row_shown(const char *text, gpointer data)
{
    const Sim *sim = data;
    char *row = sim_hung(sim) == 0 || row_counts(sim, text) ? g_strdup(text) : NULL;
    char *from = row && sim_hung(sim) > 0 ? strstr(row, "\"problems\":[") : NULL;
    const char *to = from ? strchr(from, ']') : NULL;

    if (to)
        memmove(from, to, strlen(to) + 1);
    return row;
}

static char *rows_text(Sim *sim, const GPtrArray *rows)
{
    g_autoptr(GHashTable) bag = bag_new();

    for (guint i = 0; i < rows->len; i++)
        bag_add(bag, row_text(rows->pdata[i]));
    return bag_text(bag, row_shown, sim);
}

char *check_rows(Sim *sim)
{
    g_autoptr(GPtrArray) rows = live_map_rows(follower_live(sim->follower));

    return rows_text(sim, rows);
}

static gboolean leases_count(const Sim *sim, const Lease *lease)
{
    const Network *network = facts_network(sim->truth, lease->network_uuid);

    return network &&
           network_leases(network, facts_network_of_bridge(sim->truth, network->bridge)) == LEASES_OWN &&
           lease_is_live(lease, sim->truth->now);
}

/* The true facts as the follower may know them: without leases that cannot be asked for. */
static Facts *true_facts(Sim *sim)
{
    Facts *facts = facts_new();
    LiveMap *live = follower_live(sim->follower);

    sim->truth->now = facts->now = sim_wall(sim) / SIM_SECOND;
    facts->local = facts->domains_complete = TRUE;
    for (SourceId id = 0; id < SOURCE_COUNT; id++)
        facts->sources[id].state = live_map_source(live, id)->state;
    for (guint i = 0; i < sim->truth->domains->len; i++)
        g_ptr_array_add(facts->domains, host_copy_domain(sim->truth->domains->pdata[i]));
    for (guint i = 0; i < sim->truth->networks->len; i++)
        g_ptr_array_add(facts->networks, host_copy_network(sim->truth->networks->pdata[i]));
    for (guint i = 0; i < sim->truth->links->len; i++)
        g_ptr_array_add(facts->links, host_copy_link(sim->truth->links->pdata[i]));
    for (guint i = 0; i < sim->truth->leases->len; i++) {
        if (leases_count(sim, sim->truth->leases->pdata[i]))
            g_ptr_array_add(facts->leases, host_copy_lease(sim->truth->leases->pdata[i]));
    }
    g_array_append_vals(facts->neighbours, sim->truth->neighbours->data, sim->truth->neighbours->len);
    g_array_append_vals(facts->addresses, sim->truth->addresses->data, sim->truth->addresses->len);
    g_array_append_vals(facts->fdb, sim->truth->fdb->data, sim->truth->fdb->len);
    return facts;
}

static void compare(Sim *sim, const char *what, const char *is, const char *should)
{
    if (strcmp(is, should) != 0)
        sim_fail(sim, "%s\n--- is\n%s--- should be\n%s", what, is, should);
}

static void check_map(Sim *sim, const Facts *facts)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    g_autofree char *is = check_rows(sim);
    g_autofree char *has = bag_text(sim->consumer.rows, row_shown, sim);
    g_autofree char *should = NULL;

    map_attach(map, findings);
    should = rows_text(sim, map->rows);
    compare(sim, "the map is not the host's", is, should);
    compare(sim, "the consumer has another map", has, is);
}

static void check_leases(Sim *sim, const Facts *facts)
{
    g_autoptr(GHashTable) leases = bag_new();
    g_autofree char *has = bag_text(sim->consumer.leases, NULL, NULL);
    g_autofree char *should = NULL;

    for (guint i = 0; i < facts->leases->len; i++)
        bag_add(leases, lease_text(facts->leases->pdata[i]));
    should = bag_text(leases, NULL, NULL);
    compare(sim, "the consumer has other leases", has, should);
}

static void check_findings(Sim *sim)
{
    g_autoptr(GPtrArray) findings = live_map_findings(follower_live(sim->follower));
    g_autoptr(GHashTable) raised = bag_new();
    g_autofree char *has = bag_text(sim->consumer.findings, NULL, NULL);
    g_autofree char *should = NULL;

    for (guint i = 0; i < findings->len; i++)
        bag_add(raised, finding_text(findings->pdata[i]));
    should = bag_text(raised, NULL, NULL);
    compare(sim, "the consumer has other findings", has, should);
}

static char *network_line(const Network *network)
{
    return g_strdup_printf("%s %d %d %d %s", network->name, network->active, network->persistent,
                           network->autostart, network->bridge);
}

static char *networks_text(const Facts *facts)
{
    g_autoptr(GHashTable) networks = bag_new();

    for (guint i = 0; i < facts->networks->len; i++)
        bag_add(networks, network_line(facts->networks->pdata[i]));
    return bag_text(networks, NULL, NULL);
}

static void check_networks(Sim *sim, const Facts *facts)
{
    g_autoptr(Facts) known = live_map_facts(follower_live(sim->follower));
    g_autoptr(GPtrArray) rows = network_rows(known);
    g_autofree char *is = networks_text(known);
    g_autofree char *should = networks_text(facts);

    compare(sim, "the map has other networks", is, should);
    for (guint i = 0; i < rows->len; i++) {
        const NetworkRow *row = rows->pdata[i];
        const char *has = g_hash_table_lookup(sim->consumer.networks, row->network->uuid);
        g_autofree char *text = network_text(row);

        compare(sim, "the consumer has another network", has ? has : "", text);
    }
}

static void check_sources(Sim *sim)
{
    static const SourceId followed[] = {SOURCE_LIBVIRT, SOURCE_LINKS, SOURCE_NEIGHBOURS, SOURCE_LEASES};
    guint hung = sim_hung(sim);

    for (guint i = 0; i < G_N_ELEMENTS(followed); i++) {
        const SourceStatus *status = live_map_source(follower_live(sim->follower), followed[i]);

        if (status->state == SOURCE_LIVE && !status->error)
            continue;
        if (followed[i] != SOURCE_LIBVIRT || hung == 0 || status->state != SOURCE_STALE)
            sim_fail(sim, "%s is %s at rest: %s", source_name(followed[i]), source_state_name(status->state),
                     status->error ? status->error : "-");
    }
    for (guint i = 0; i < SIM_GUESTS; i++) {
        const char *error = live_map_source(follower_live(sim->follower), SOURCE_LIBVIRT)->error;

        if (!guest_hangs(&sim->guests[i]) && error && strstr(error, sim->guests[i].name))
            sim_fail(sim, "%s does not hang, but libvirt is stale: %s", sim->guests[i].name, error);
    }
}

static void check_cost(Sim *sim)
{
    const Facts *truth = sim->truth;
    guint objects = truth->domains->len + truth->networks->len + truth->leases->len + truth->links->len +
                    truth->addresses->len + truth->neighbours->len + truth->fdb->len;
    FollowStats stats;

    /* Leases of a network that another has the bridge of, and what hangs, are a few more; so are interfaces,
     * which may count by themselves. */
    if (live_map_size(follower_live(sim->follower)) > 3 * objects + 40)
        sim_fail(sim, "%u records of %u objects", live_map_size(follower_live(sim->follower)), objects);
    follower_stats(sim->follower, &stats);
    if (stats.mismatches > 0)
        sim_fail(sim, "%" G_GUINT64_FORMAT " mismatches, though nothing was missed: %s", stats.mismatches,
                 sim->mismatch ? sim->mismatch : "in a resync");
    if (stats.reads > 20 * (sim->told + 20) || stats.runs > 5 * sim->told + 200 + sim->timer_runs)
        sim_fail(sim,
                 "%" G_GUINT64_FORMAT " readings in %" G_GUINT64_FORMAT " runs, of %" G_GUINT64_FORMAT
                 " words",
                 stats.reads, stats.runs, sim->told);
}

void check_settled(Sim *sim)
{
    g_autoptr(Facts) facts = true_facts(sim);

    facts_sort_links(facts);
    if (sim->snapshots == 0)
        sim_fail(sim, "no snapshot");
    check_map(sim, facts);
    if (sim_hung(sim) == 0) {
        check_leases(sim, facts);
        check_networks(sim, facts);
    }
    check_findings(sim);
    check_sources(sim);
    check_cost(sim);
}

void check_init(Sim *sim)
{
    sim->pairs = g_array_new(FALSE, FALSE, sizeof(SimPair));
    consumer_init(&sim->consumer);
}

void check_clear(Sim *sim)
{
    g_array_unref(sim->pairs);
    consumer_clear(&sim->consumer);
    g_free(sim->mismatch);
    if (sim->log)
        g_string_free(sim->log, TRUE);
}
