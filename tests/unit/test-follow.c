/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include <string.h>

/*
 * The follower on a simulated host, fault by fault. Time there is virtual; on a calm host everything is told
 * and answered at once. What holds at every line (no row of a link that never was the guest's, a consumer
 * that has the same rows) is checked by the simulation itself.
 */

static Sim *calm_new(void)
{
    Sim *sim = sim_new(1, TRUE);

    sim->log = g_string_new(NULL);
    return sim;
}

/* A calm host with guests VM1 to VMn, followed. */
static Sim *guests_new(guint count)
{
    Sim *sim = calm_new();

    for (guint i = 0; i < count; i++)
        g_assert_true(host_start(sim, i));
    sim_advance(sim, 2 * SIM_SECOND);
    g_assert_cmpuint(sim->snapshots, ==, 1);
    g_string_truncate(sim->log, 0);
    return sim;
}

static void assert_fine(Sim *sim)
{
    g_assert_cmpstr(sim->failure, ==, NULL);
}

static void assert_settled(Sim *sim)
{
    sim_quiesce(sim, 60 * SIM_SECOND);
    check_settled(sim);
    assert_fine(sim);
}

/* The words of the log are these, and it is empty after. */
static void assert_log(Sim *sim, const char *words)
{
    g_assert_cmpstr(g_strstrip(sim->log->str), ==, words);
    g_string_truncate(sim->log, 0);
}

static void assert_source(Sim *sim, SourceId id, SourceState state, const char *why)
{
    const SourceStatus *status = live_map_source(follower_live(sim->follower), id);

    g_assert_cmpstr(source_state_name(status->state), ==, source_state_name(state));
    g_assert_cmpstr(status->error, ==, why);
}

static FollowStats stats_of(Sim *sim)
{
    FollowStats stats;

    follower_stats(sim->follower, &stats);
    return stats;
}

static guint rows_count(Sim *sim)
{
    g_autoptr(GPtrArray) rows = live_map_rows(follower_live(sim->follower));

    return rows->len;
}

/* The first row of a guest, by value but for its text. */
static MapRow row_of(Sim *sim, guint guest)
{
    g_autoptr(GPtrArray) rows = live_map_rows_of(follower_live(sim->follower), sim->guests[guest].uuid);

    g_assert_cmpuint(rows->len, >, 0);
    return *(MapRow *)rows->pdata[0];
}

/* ------------------------------------------------------------------------------------- in health */

static void test_snapshot_first(void)
{
    g_autoptr(Sim) sim = calm_new();

    host_start(sim, 0);
    sim_advance(sim, SIM_MS);
    assert_log(sim, "snapshot");
    g_assert_cmpuint(rows_count(sim), ==, 1);
    host_start(sim, 1);
    sim_advance(sim, 100 * SIM_MS);
    g_assert_nonnull(strstr(sim->log->str, "interface.added"));
    assert_settled(sim);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_LIVE, NULL);
}

/* The list comes when the domain was told of, read, and is known. */
static void test_event_before_list(void)
{
    g_autoptr(Sim) sim = calm_new();

    sim->list_hangs = 500 * SIM_MS;
    sim_advance(sim, 100 * SIM_MS);
    host_start(sim, 0);
    sim_advance(sim, 300 * SIM_MS);
    g_assert_cmpuint(sim->snapshots, ==, 0);
    sim_advance(sim, 200 * SIM_MS);
    assert_log(sim, "snapshot");
    g_assert_cmpuint(rows_count(sim), ==, 1);
    assert_settled(sim);
}

/* An answer may be older than an event that came while it was on its way: it is asked again, once. */
static void test_event_during_read(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint64 reads = stats_of(sim).reads;

    sim->guests[0].hangs = sim->now + 300 * SIM_MS;
    host_pause(sim, 0);
    sim_advance(sim, 100 * SIM_MS);
    host_pause(sim, 0);
    host_pause(sim, 0);
    sim_advance(sim, 100 * SIM_MS);
    g_assert_cmpuint(stats_of(sim).reads, ==, reads + 1);
    g_assert_cmpuint(stats_of(sim).reading, ==, 1);
    sim_advance(sim, SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).reads, ==, reads + 2);
    assert_settled(sim);
}

/* A thousand events in a second are some twenty readings, and the last state. */
static void test_storm(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint64 reads = stats_of(sim).reads;

    for (guint i = 0; i < 1001; i++) {
        host_pause(sim, 0);
        sim_advance(sim, SIM_MS);
        /* Never more than half a second behind. */
        g_assert_cmpint(sim->guests[0].read_asked, >=, sim->now - 501 * SIM_MS);
    }
    sim_advance(sim, 100 * SIM_MS);
    g_assert_cmpuint(stats_of(sim).reads - reads, <=, 22);
    g_assert_cmpuint(stats_of(sim).reads - reads, >=, 10);
    g_assert_cmpint(row_of(sim, 0).domain_state, ==, DOMAIN_PAUSED);
    assert_settled(sim);
}

/* A reading that takes long is made less often, but twice a second. */
static void test_storm_slow(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint64 reads = stats_of(sim).reads;

    for (guint i = 0; i < 3000; i++) {
        sim->guests[0].hangs = sim->now + 40 * SIM_MS;
        sim_event(sim, FOLLOW_DOMAIN, sim->guests[0].uuid);
        sim_advance(sim, SIM_MS);
    }
    g_assert_cmpuint(stats_of(sim).reads - reads, <=, 10);
    g_assert_cmpuint(stats_of(sim).reads - reads, >=, 6);
    sim->guests[0].hangs = 0;
    assert_settled(sim);
}

/* libvirt tells nothing when an interface is connected to another network; the tap does. */
static void test_connect(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    g_assert_true(host_connect(sim, 0, 1));
    sim_advance(sim, 100 * SIM_MS);
    g_assert_cmpstr(row_of(sim, 0).network, ==, "net1");
    g_assert_cmpstr(row_of(sim, 0).bridge, ==, "virbr1");
    assert_settled(sim);
}

/* Ten minutes: only the audit wakes up, and finds nothing. */
static void test_quiet(void)
{
    g_autoptr(Sim) sim = guests_new(4);
    FollowStats before, after;
    guint64 timer_runs;

    host_lease(sim, 0, 3600);
    sim_quiesce(sim, 10 * SIM_SECOND);
    before = stats_of(sim);
    timer_runs = sim->timer_runs;
    g_string_truncate(sim->log, 0);
    sim_advance(sim, 600 * SIM_SECOND);
    after = stats_of(sim);
    g_assert_cmpuint(after.audits - before.audits, >=, 19);
    g_assert_cmpuint(sim->timer_runs - timer_runs, <=, after.audits - before.audits + 1);
    /* Each audit asks for a list of each kind, the leases of three networks, and four domains. */
    g_assert_cmpuint(after.lists - before.lists, ==, 2 * (after.audits - before.audits));
    g_assert_cmpuint(after.reads - before.reads, ==, 7 * (after.audits - before.audits));
    g_assert_cmpuint(after.mismatches, ==, 0);
    assert_log(sim, "");
    assert_settled(sim);
}

/* ---------------------------------------------------------------------------------------- connection */

static void test_away(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    host_lease(sim, 0, 3600);
    sim_advance(sim, SIM_SECOND);
    g_string_truncate(sim->log, 0);
    sim_kill(sim);
    sim_advance(sim, 5 * SIM_SECOND);
    assert_log(sim, "source.stale source.stale");
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE, "nobody listens");
    assert_source(sim, SOURCE_LINKS, SOURCE_LIVE, NULL);
    host_link_master(sim, host_tap(sim, 0), 0);
    sim_advance(sim, 100 * SIM_MS);
    assert_log(sim, "interface.changed");
    host_destroy(sim, 1);
    sim_advance(sim, 25 * SIM_SECOND);
    g_assert_cmpuint(rows_count(sim), ==, 2);
    /* 0.5 s, 1, 2, 4, 8, 10, each by half to whole. */
    g_assert_cmpuint(sim->refused, >=, 4);
    g_assert_cmpuint(sim->refused, <=, 9);
    g_string_truncate(sim->log, 0);
    sim_revive(sim);
    sim_advance(sim, 10 * SIM_SECOND);
    g_assert_true(g_str_has_prefix(sim->log->str, "resync source.live source.live"));
    g_assert_cmpuint(rows_count(sim), ==, 1);
    assert_settled(sim);
}

/* Never a wait of more than ten seconds, nor one of less than a quarter of one. */
static void test_backoff(void)
{
    g_autoptr(Sim) sim = guests_new(0);
    guint refused;
    gint64 last;

    sim_kill(sim);
    last = sim->now;
    refused = sim->refused;
    while (sim->refused < refused + 12) {
        guint before = sim->refused;

        sim_advance(sim, 10 * SIM_MS);
        if (sim->refused == before)
            continue;
        g_assert_cmpint(sim->now - last, <=, 10 * SIM_SECOND + 20 * SIM_MS);
        g_assert_cmpint(sim->now - last, >=, 250 * SIM_MS);
        if (sim->refused > refused + 6)
            g_assert_cmpint(sim->now - last, >=, 5 * SIM_SECOND - 20 * SIM_MS);
        last = sim->now;
    }
    sim_revive(sim);
    sim_advance(sim, 41 * SIM_SECOND);
    assert_settled(sim);
    /* It lasted: the next loss is the first again. */
    sim_kill(sim);
    sim_revive(sim);
    sim_advance(sim, 600 * SIM_MS);
    g_assert_true(sim->connected);
    assert_settled(sim);
}

/* Killed fifty times in a storm, and right soon after. */
static void test_killed_often(void)
{
    g_autoptr(Sim) sim = sim_new(7, FALSE);

    for (guint i = 0; i < 50; i++) {
        host_start(sim, i % SIM_GUESTS);
        sim_kill(sim);
        host_destroy(sim, (i + 1) % SIM_GUESTS);
        sim_advance(sim, 300 * SIM_MS);
        sim_revive(sim);
        sim_advance(sim, (gint64)(i % 10) * 200 * SIM_MS);
    }
    assert_settled(sim);
}

/* Events of networks were lost, as of a connection of their own. */
static void test_events_lost(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->losing_events = TRUE;
    host_net_stop(sim, 2);
    sim_advance(sim, SIM_SECOND);
    g_assert_true(g_str_has_prefix(sim->log->str, "resync"));
    g_assert_cmpuint(sim->resyncs, ==, 1);
    assert_settled(sim);
}

/* ----------------------------------------------------------------------------------------- hanging calls */

static void test_hung_one(void)
{
    g_autoptr(Sim) sim = calm_new();

    host_start(sim, 0);
    host_start(sim, 1);
    sim->guests[0].hangs = 5 * SIM_SECOND;
    sim_advance(sim, 900 * SIM_MS);
    g_assert_cmpuint(sim->snapshots, ==, 0);
    sim_advance(sim, 200 * SIM_MS);
    assert_log(sim, "snapshot");
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE, "domain 'VM1': no answer for a second");
    g_assert_false(row_of(sim, 0).interface_known);
    g_assert_cmpint(row_of(sim, 0).domain_id, ==, 1);
    g_assert_cmpstr(row_of(sim, 1).bridge, ==, "virbr1");
    /* The others are right, and on time. */
    host_pause(sim, 1);
    sim_advance(sim, 100 * SIM_MS);
    g_assert_cmpint(row_of(sim, 1).domain_state, ==, DOMAIN_PAUSED);
    sim_advance(sim, 4 * SIM_SECOND);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_LIVE, NULL);
    assert_settled(sim);
}

static void test_hung_all(void)
{
    g_autoptr(Sim) sim = guests_new(4);

    for (guint i = 0; i < SIM_GUESTS; i++) {
        sim->guests[i].hangs = SIM_FOREVER;
        sim_event(sim, FOLLOW_DOMAIN, sim->guests[i].uuid);
    }
    sim_advance(sim, 1100 * SIM_MS);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE, "domain 'VM1': no answer for a second (and 3 more)");
    /* Their last facts stay, the kernel's are live, networks too. */
    host_link_master(sim, host_tap(sim, 0), 0);
    host_net_stop(sim, 2);
    sim_advance(sim, 100 * SIM_MS);
    g_assert_cmpstr(row_of(sim, 0).bridge, ==, NULL);
    g_assert_cmpstr(row_of(sim, 0).tap, ==, "vnet0");
    /* That one is gone a list can tell. */
    host_destroy(sim, 1);
    sim_advance(sim, SIM_SECOND);
    g_assert_cmpuint(rows_count(sim), ==, 4);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE, "domain 'VM1': no answer for a second (and 2 more)");
    /* No call is made twice: the simulation would say so. */
    sim_advance(sim, 100 * SIM_SECOND);
    assert_fine(sim);
}

/* Told of, never read, and not in any list yet: its name comes from one. */
static void test_hung_new(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->guests[1].hangs = sim->now + 3 * SIM_SECOND;
    host_start(sim, 1);
    sim_advance(sim, 1600 * SIM_MS);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE, "domain 'VM2': no answer for a second");
    g_assert_false(row_of(sim, 1).interface_known);
    assert_settled(sim);
}

static void test_hung_lists(void)
{
    g_autoptr(Sim) sim = calm_new();

    host_start(sim, 0);
    sim->list_hangs = 3 * SIM_SECOND;
    sim_advance(sim, 1100 * SIM_MS);
    assert_log(sim, "snapshot");
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_DOWN,
                  "the list of domains: no answer for a second (and 1 more)");
    sim_advance(sim, 2 * SIM_SECOND);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_LIVE, NULL);
    g_assert_cmpuint(rows_count(sim), ==, 1);
    assert_settled(sim);
}

/* An error of one domain is tried again by itself; what is known of it stays. */
static void test_failing(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    sim->guests[0].fails = sim->now + 4 * SIM_SECOND;
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[0].uuid);
    sim_advance(sim, 100 * SIM_MS);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE, "domain 'VM1': out of order");
    g_assert_cmpstr(row_of(sim, 0).bridge, ==, "virbr0");
    sim_advance(sim, 8 * SIM_SECOND);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_LIVE, NULL);
    g_assert_cmpuint(stats_of(sim).reads, <, 30);
    assert_settled(sim);
}

/* -------------------------------------------------------------------------------------------- kernel */

static void test_overrun(void)
{
    g_autoptr(Sim) sim = guests_new(3);

    sim->losing = 5000;
    for (guint i = 0; i < 5000; i++)
        host_link_tell(sim, host_tap(sim, i % 3));
    host_link_rename(sim, host_tap(sim, 0), "vnet9");
    sim->losing = 0;
    sim_advance(sim, 100 * SIM_MS);
    g_assert_cmpuint(sim->resyncs, ==, 1);
    g_assert_cmpuint(stats_of(sim).kernel_reads, ==, 2);
    assert_settled(sim);
}

/* Overrun again and again: it is not read without end, and right when it ends. */
static void test_overrun_steady(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint64 reads = stats_of(sim).kernel_reads;

    for (guint i = 0; i < 1000; i++) {
        sim->losing = 1;
        host_link_tell(sim, host_tap(sim, 0));
        sim_advance(sim, SIM_MS);
    }
    g_assert_cmpuint(stats_of(sim).kernel_reads - reads, <=, 12);
    assert_settled(sim);
}

/* The name is another guest's within a millisecond, the index too; told in every order. */
static void test_reused(gconstpointer same_index)
{
    for (guint32 seed = 0; seed < 200; seed++) {
        g_autoptr(Sim) sim = sim_new(seed, FALSE);
        const Link *tap;

        host_start(sim, 0);
        sim_advance(sim, SIM_SECOND);
        tap = host_tap(sim, 0);
        sim->reuse_ifindex = same_index ? tap->ifindex : 0;
        host_destroy(sim, 0);
        sim_advance(sim, SIM_MS / 2);
        g_assert_true(host_start(sim, 2));
        assert_settled(sim);
    }
}

static void test_kernel_fails(void)
{
    g_autoptr(Sim) sim = calm_new();

    host_start(sim, 0);
    sim->kernel_fails = 2500 * SIM_MS;
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "snapshot");
    assert_source(sim, SOURCE_LINKS, SOURCE_DOWN, "the kernel does not answer");
    g_assert_cmpuint(row_of(sim, 0).ifindex, ==, 0);
    sim_advance(sim, 4 * SIM_SECOND);
    assert_source(sim, SOURCE_LINKS, SOURCE_LIVE, NULL);
    g_assert_true(g_str_has_prefix(sim->log->str, "resync source.live source.live"));
    g_assert_cmpuint(row_of(sim, 0).ifindex, !=, 0);
    assert_settled(sim);
}

static void test_remote(void)
{
    g_autoptr(Sim) sim = calm_new();

    sim->remote = TRUE;
    host_start(sim, 0);
    sim_advance(sim, SIM_SECOND);
    assert_source(sim, SOURCE_LINKS, SOURCE_ABSENT, "the host is another one");
    assert_source(sim, SOURCE_NEIGHBOURS, SOURCE_ABSENT, "the host is another one");
    assert_source(sim, SOURCE_LEASES, SOURCE_LIVE, "of another host");
    g_assert_cmpuint(stats_of(sim).kernel_reads, ==, 0);
    g_assert_cmpuint(row_of(sim, 0).ifindex, ==, 0);
    assert_fine(sim);
}

/* -------------------------------------------------------------------------------------------- leases */

static void test_clock(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    host_lease(sim, 0, 3600);
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "lease.added interface.changed");
    sim_clock(sim, 86400);
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "lease.removed interface.changed");
    sim_clock(sim, -2 * 86400);
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "lease.added interface.changed");
    sim_clock(sim, 86400);
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "");
    assert_settled(sim);
}

static void test_expires(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    host_lease(sim, 0, 5);
    sim_advance(sim, 3 * SIM_SECOND);
    assert_log(sim, "lease.added interface.changed");
    /* By itself, and in time. */
    sim_advance(sim, 2 * SIM_SECOND + 10 * SIM_MS);
    assert_log(sim, "lease.removed interface.changed");
    assert_settled(sim);
}

static void test_unreadable(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    host_lease(sim, 0, 3600);
    sim_advance(sim, SIM_SECOND);
    sim->networks[0].unreadable = SIM_FOREVER;
    sim_lease_event(sim, "virbr0");
    sim_advance(sim, 20 * SIM_SECOND);
    assert_source(sim, SOURCE_LEASES, SOURCE_STALE, "network 'net0': not to be read");
    g_assert_cmpuint(row_of(sim, 0).addresses->len, ==, 1);
    sim->networks[0].unreadable = 0;
    sim_lease_event(sim, "virbr0");
    sim_advance(sim, 100 * SIM_MS);
    assert_source(sim, SOURCE_LEASES, SOURCE_LIVE, NULL);
    assert_settled(sim);
}

/* The directory goes: leases are read after what happens to domains, and with the audit; it comes back. */
static void test_directory(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    follower_leases_evented(sim->follower, FALSE, "the directory is gone");
    follower_doubt(sim->follower, SOURCE_LEASES);
    sim_event(sim, FOLLOW_NETWORK, sim->networks[1].uuid);
    sim_advance(sim, 100 * SIM_MS);
    assert_source(sim, SOURCE_LEASES, SOURCE_LIVE, "the directory is gone");
    /* Nothing tells of the lease itself. */
    host_lease(sim, 0, 3600);
    g_sequence_remove_range(g_sequence_get_begin_iter(sim->agenda), g_sequence_get_end_iter(sim->agenda));
    g_string_truncate(sim->log, 0);
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[0].uuid);
    sim_advance(sim, 1200 * SIM_MS);
    assert_log(sim, "lease.added interface.changed");
    host_release(sim, 0);
    g_sequence_remove_range(g_sequence_get_begin_iter(sim->agenda), g_sequence_get_end_iter(sim->agenda));
    sim_advance(sim, 31 * SIM_SECOND);
    assert_log(sim, "lease.removed interface.changed");
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
    follower_leases_evented(sim->follower, TRUE, NULL);
    sim_doubt(sim, SOURCE_LEASES);
    sim_advance(sim, 100 * SIM_MS);
    assert_source(sim, SOURCE_LEASES, SOURCE_LIVE, NULL);
    g_assert_true(g_str_has_prefix(sim->log->str, "resync"));
    assert_settled(sim);
}

static void test_no_leases(void)
{
    g_autoptr(Sim) sim = calm_new();

    sim->no_leases = TRUE;
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "snapshot");
    assert_source(sim, SOURCE_LEASES, SOURCE_ABSENT, "no leases here");
    assert_fine(sim);
}

/* --------------------------------------------------------------------------------------------- audit */

/* What was on its way to the follower does not arrive, and nobody notices. */
static void lose_silently(Sim *sim)
{
    g_sequence_remove_range(g_sequence_get_begin_iter(sim->agenda), g_sequence_get_end_iter(sim->agenda));
    while (!g_queue_is_empty(&sim->kernel)) {
        SimMessage *message = g_queue_pop_head(&sim->kernel);

        link_free(message->link);
        g_free(message);
    }
}

/* Within an audit and a second; told, counted, adopted. */
static void assert_found(Sim *sim, guint mismatches, const char *words)
{
    guint64 before = stats_of(sim).mismatches;

    lose_silently(sim);
    sim_advance(sim, 31 * SIM_SECOND + 200 * SIM_MS);
    g_assert_cmpuint(stats_of(sim).mismatches - before, ==, mismatches);
    g_assert_cmpstr(sim->log->str, !=, "");
    if (!g_str_has_prefix(sim->log->str, words))
        assert_log(sim, words);
    g_string_truncate(sim->log, 0);
}

static void test_audit_domains(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    host_pause(sim, 0);
    assert_found(sim, 1, "audit.mismatch interface.changed");
    /* The tap that is gone makes its domain doubtful: that is found by itself then. */
    host_destroy(sim, 1);
    assert_found(sim, 1, "audit.mismatch interface.changed");
    g_assert_cmpuint(rows_count(sim), ==, 1);
    host_start(sim, 3);
    lose_silently(sim);
    sim_advance(sim, 33 * SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "audit.mismatch"));
    g_assert_cmpuint(rows_count(sim), ==, 2);
    assert_fine(sim);
}

static void test_audit_kernel(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    host_link_master(sim, host_tap(sim, 0), 0);
    assert_found(sim, 1, "audit.mismatch interface.changed");
    host_neighbour(sim, host_bridge(sim, 0), &(Ip){4, {192, 168, 100, 10}},
                   &((DomainInterface *)sim->guests[0].running->interfaces->pdata[0])->mac, NEIGHBOUR_STALE);
    assert_found(sim, 1, "audit.mismatch interface.changed");
    assert_fine(sim);
}

static void test_audit_leases(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    host_lease(sim, 0, 3600);
    assert_found(sim, 1, "audit.mismatch lease.added interface.changed");
    assert_fine(sim);
}

/* A difference that an event explains is none. */
static void test_audit_late_event(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim_advance(sim, 27900 * SIM_MS);
    host_pause(sim, 0);
    lose_silently(sim);
    sim_advance(sim, 500 * SIM_MS);
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[0].uuid);
    sim_advance(sim, 60 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
    g_assert_cmpuint(stats_of(sim).audits, ==, 3);
    assert_settled(sim);
}

/* What libvirt has no event for is adopted without a word about the audit. */
static void test_audit_without_event(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->networks[1].network->autostart = TRUE;
    sim_advance(sim, 32 * SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "network.changed"));
    g_string_truncate(sim->log, 0);
    ((DomainInterface *)sim->guests[0].running->interfaces->pdata[0])->link = LINK_DOWN;
    sim_advance(sim, 32 * SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "interface.changed"));
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
    assert_settled(sim);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow/snapshot-first", test_snapshot_first);
    g_test_add_func("/follow/event-before-list", test_event_before_list);
    g_test_add_func("/follow/event-during-read", test_event_during_read);
    g_test_add_func("/follow/storm", test_storm);
    g_test_add_func("/follow/storm/slow", test_storm_slow);
    g_test_add_func("/follow/connect", test_connect);
    g_test_add_func("/follow/quiet", test_quiet);
    g_test_add_func("/follow/away", test_away);
    g_test_add_func("/follow/away/backoff", test_backoff);
    g_test_add_func("/follow/away/often", test_killed_often);
    g_test_add_func("/follow/events-lost", test_events_lost);
    g_test_add_func("/follow/hung/one", test_hung_one);
    g_test_add_func("/follow/hung/all", test_hung_all);
    g_test_add_func("/follow/hung/new", test_hung_new);
    g_test_add_func("/follow/hung/lists", test_hung_lists);
    g_test_add_func("/follow/failing", test_failing);
    g_test_add_func("/follow/kernel/overrun", test_overrun);
    g_test_add_func("/follow/kernel/overrun-steady", test_overrun_steady);
    g_test_add_data_func("/follow/kernel/name-reused", NULL, test_reused);
    g_test_add_data_func("/follow/kernel/index-reused", "same", test_reused);
    g_test_add_func("/follow/kernel/fails", test_kernel_fails);
    g_test_add_func("/follow/kernel/remote", test_remote);
    g_test_add_func("/follow/leases/clock", test_clock);
    g_test_add_func("/follow/leases/expires", test_expires);
    g_test_add_func("/follow/leases/unreadable", test_unreadable);
    g_test_add_func("/follow/leases/directory", test_directory);
    g_test_add_func("/follow/leases/unsupported", test_no_leases);
    g_test_add_func("/follow/audit/domains", test_audit_domains);
    g_test_add_func("/follow/audit/kernel", test_audit_kernel);
    g_test_add_func("/follow/audit/leases", test_audit_leases);
    g_test_add_func("/follow/audit/late-event", test_audit_late_event);
    g_test_add_func("/follow/audit/without-event", test_audit_without_event);
    return g_test_run();
}
