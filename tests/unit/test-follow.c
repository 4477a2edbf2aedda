/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follow-tools.h"

#include <string.h>

/*
 * The follower on a simulated host, fault by fault. Time there is virtual; on a calm host everything is told
 * and answered at once. What holds at every line (no row of a link that never was the guest's, a consumer
 * that has the same rows) is checked by the simulation itself.
 */

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

    sim->early = TRUE;
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

/* A list of before does not know what was read since. */
static void test_list_old(void)
{
    g_autoptr(Sim) sim = calm_new();

    sim->early = TRUE;
    sim->list_hangs = 3 * SIM_SECOND;
    sim_advance(sim, 100 * SIM_MS);
    host_start(sim, 0);
    sim_advance(sim, 3500 * SIM_MS);
    g_assert_cmpuint(rows_count(sim), ==, 1);
    g_assert_null(strstr(sim->log->str, "interface.removed"));
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

/* One reading that was slow by chance puts off no later event. */
static void test_slow_once(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->guests[0].hangs = sim->now + 300 * SIM_MS;
    host_pause(sim, 0);
    sim_advance(sim, 301 * SIM_MS);
    g_assert_cmpint(row_of(sim, 0).domain_state, ==, DOMAIN_PAUSED);
    host_pause(sim, 0);
    sim_advance(sim, 2 * SIM_MS);
    g_assert_cmpint(row_of(sim, 0).domain_state, ==, DOMAIN_RUNNING);
    assert_settled(sim);
}

/* Nor does what the audit reads: its readings are no events. */
static void test_audit_first(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint64 audits = stats_of(sim).audits;

    while (stats_of(sim).audits == audits)
        sim_advance(sim, SIM_MS);
    sim_advance(sim, 5 * SIM_MS);
    host_pause(sim, 0);
    sim_advance(sim, 2 * SIM_MS);
    g_assert_cmpint(row_of(sim, 0).domain_state, ==, DOMAIN_PAUSED);
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

/* The tap moves first, and its XML says so a little later. */
static void test_connect_late(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    DomainInterface *iface = sim->guests[0].running->interfaces->pdata[0];
    guint64 reads;

    host_link_master(sim, host_tap(sim, 0), host_bridge(sim, 1)->ifindex);
    sim_advance(sim, 300 * SIM_MS);
    g_assert_cmpstr(row_of(sim, 0).network, ==, "net0");
    g_free(iface->network);
    iface->network = g_strdup("net1");
    g_free(iface->bridge);
    iface->bridge = g_strdup("virbr1");
    sim_advance(sim, SIM_SECOND);
    g_assert_cmpstr(row_of(sim, 0).network, ==, "net1");
    reads = stats_of(sim).reads;
    sim_advance(sim, 10 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).reads, ==, reads);
    assert_settled(sim);
}

/* Ten minutes: only the audit wakes up, which is two runs, and finds nothing. */
static void test_quiet(void)
{
    g_autoptr(Sim) sim = guests_new(4);
    FollowStats before, after;
    guint64 timer_runs;

    host_lease(sim, 0, 3600);
    /* What the kernel took is not taken for what libvirt took: domains are not audited the less. */
    sim->kernel_takes = 150 * SIM_MS;
    sim_quiesce(sim, 10 * SIM_SECOND);
    before = stats_of(sim);
    timer_runs = sim->timer_runs;
    g_string_truncate(sim->log, 0);
    sim_advance(sim, 600 * SIM_SECOND);
    after = stats_of(sim);
    g_assert_cmpuint(after.audits - before.audits, >=, 19);
    g_assert_cmpuint(sim->timer_runs - timer_runs, <=, 2 * (after.audits - before.audits) + 1);
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

/* A call that comes back after its domain went says what was: that is not taken for what is. */
static void test_hung_gone(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->early = TRUE;
    sim->guests[0].hangs = sim->now + 4 * SIM_SECOND;
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[0].uuid);
    sim_advance(sim, 2 * SIM_SECOND);
    host_destroy(sim, 0);
    sim_advance(sim, SIM_SECOND);
    g_assert_cmpuint(rows_count(sim), ==, 0);
    g_string_truncate(sim->log, 0);
    sim_advance(sim, 2 * SIM_SECOND);
    assert_log(sim, "");
    assert_settled(sim);
}

/* Where lists hang too, it is told of all the same. */
static void test_hung_nameless(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->guests[1].hangs = sim->list_hangs = sim->now + 4 * SIM_SECOND;
    host_start(sim, 1);
    sim_advance(sim, 1300 * SIM_MS);
    /* And the guest, by its UUID. */
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE,
                  "the list of domains: no answer for a second (and 1 more)");
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

static guint findings_count(Sim *sim, const char *id)
{
    g_autoptr(GPtrArray) findings = live_map_findings(follower_live(sim->follower));
    guint count = 0;

    for (guint i = 0; i < findings->len; i++)
        count += strcmp(((const Finding *)findings->pdata[i])->id, id) == 0;
    return count;
}

/* Qemu takes ten seconds to come up: its tap is nobody's for libvirt's events, but not for who asks. */
static void test_slow_start(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    g_assert_true(host_launch(sim, 1));
    for (guint i = 0; i < 10; i++) {
        sim_advance(sim, SIM_SECOND);
        g_assert_cmpuint(findings_count(sim, "tap-unclaimed"), ==, 0);
    }
    g_assert_cmpuint(row_of(sim, 1).ifindex, ==, host_tap(sim, 1)->ifindex);
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[1].uuid);
    assert_settled(sim);
}

/* What libvirt has been asked about, and knows nothing of, is nobody's. */
static void test_stray_port(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint lists = stats_of(sim).lists;

    host_tap_add(sim, "stray", host_bridge(sim, 0)->ifindex, NULL);
    sim_advance(sim, 5 * SIM_SECOND);
    g_assert_cmpuint(findings_count(sim, "tap-unclaimed"), ==, 1);
    g_assert_cmpuint(stats_of(sim).lists, ==, lists + 1);
    assert_settled(sim);
}

/* What libvirt does not answer is no fault of the lease file. */
/* What libvirt tells nothing of, but writes down under a name. */
static void test_written(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    host_set_link(sim, 0);
    sim_advance(sim, SIM_MS);
    assert_log(sim, "interface.changed");
    g_assert_cmpint(row_of(sim, 0).link, ==, LINK_DOWN);
    host_net_autostart(sim, 0);
    sim_advance(sim, SIM_MS);
    assert_log(sim, "network.changed");
    follower_touch_named(sim->follower, FOLLOW_DOMAIN, "nobody");
    assert_settled(sim);
}

/* Which ones were written was lost: all are read. */
static void test_written_missed(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    sim->losing_events = TRUE;
    host_set_link(sim, 1);
    sim_advance(sim, SIM_MS);
    assert_log(sim, "interface.changed");
    g_assert_cmpint(row_of(sim, 1).link, ==, LINK_DOWN);
    g_assert_cmpuint(sim->resyncs, ==, 0);
    assert_settled(sim);
}

/* `net-define --autostart`: the name is not known before the first answer, which may be from before. */
static void test_written_nameless(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    const guint last = SIM_NETWORKS - 1;

    host_net_undefine(sim, last);
    sim_advance(sim, SIM_SECOND);
    sim->early = TRUE;
    sim->networks[last].hangs = sim->now + 100 * SIM_MS;
    host_net_define(sim, last);
    sim_advance(sim, 50 * SIM_MS);
    host_net_autostart(sim, last);
    sim_advance(sim, SIM_SECOND);
    g_assert_true(live_map_network(follower_live(sim->follower), sim->networks[last].uuid)->autostart);
    assert_settled(sim);
}

/* A transient network that is being stopped: libvirt still answers for it, and once more that it is gone. */
static void test_transient(void)
{
    g_autoptr(Sim) sim = guests_new(0);
    Network *network = sim->networks[0].network;

    network->persistent = FALSE;
    sim_written(sim, FOLLOW_NETWORK, network->name);
    sim_advance(sim, SIM_SECOND);
    assert_log(sim, "network.undefined");
    network->active = FALSE;
    sim_written(sim, FOLLOW_NETWORK, network->name);
    sim_advance(sim, SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "network.stopped"));
    g_assert_null(live_map_network(follower_live(sim->follower), sim->networks[0].uuid));
}

static void on_gone(const char *uuid, gpointer data)
{
    Sim *sim = data;

    g_string_append_printf(sim->log, "gone:%s ", uuid);
}

/* Of a domain that is not active its reading alone tells whether there is one. */
static void test_domain_gone(void)
{
    static const char nobody[] = "00000000-0000-0000-0000-0000000000ff";
    g_autoptr(Sim) sim = guests_new(1);

    sim->sink.domain_gone = on_gone;
    g_assert_true(host_destroy(sim, 0));
    sim_advance(sim, 2 * SIM_SECOND);
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[0].uuid);
    sim_event(sim, FOLLOW_NETWORK, nobody);
    sim_advance(sim, 2 * SIM_SECOND);
    g_assert_null(strstr(sim->log->str, "gone:"));
    g_string_truncate(sim->log, 0);
    sim_event(sim, FOLLOW_DOMAIN, nobody);
    sim_advance(sim, 2 * SIM_SECOND);
    assert_log(sim, "gone:00000000-0000-0000-0000-0000000000ff");
    assert_settled(sim);
}

static void test_leases_late(void)
{
    g_autoptr(Sim) sim = calm_new();

    sim->networks[0].hangs = 5 * SIM_SECOND;
    sim_advance(sim, 4 * SIM_SECOND);
    g_assert_cmpuint(sim->snapshots, ==, 1);
    g_assert_cmpuint(findings_count(sim, "leases-unreadable"), ==, 0);
    assert_settled(sim);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow/snapshot-first", test_snapshot_first);
    g_test_add_func("/follow/event-before-list", test_event_before_list);
    g_test_add_func("/follow/list-old", test_list_old);
    g_test_add_func("/follow/event-during-read", test_event_during_read);
    g_test_add_func("/follow/storm", test_storm);
    g_test_add_func("/follow/storm/slow", test_storm_slow);
    g_test_add_func("/follow/slow-once", test_slow_once);
    g_test_add_func("/follow/audit-first", test_audit_first);
    g_test_add_func("/follow/connect", test_connect);
    g_test_add_func("/follow/connect/late", test_connect_late);
    g_test_add_func("/follow/quiet", test_quiet);
    g_test_add_func("/follow/away", test_away);
    g_test_add_func("/follow/away/backoff", test_backoff);
    g_test_add_func("/follow/away/often", test_killed_often);
    g_test_add_func("/follow/events-lost", test_events_lost);
    g_test_add_func("/follow/hung/one", test_hung_one);
    g_test_add_func("/follow/hung/all", test_hung_all);
    g_test_add_func("/follow/hung/new", test_hung_new);
    g_test_add_func("/follow/hung/gone", test_hung_gone);
    g_test_add_func("/follow/hung/nameless", test_hung_nameless);
    g_test_add_func("/follow/hung/lists", test_hung_lists);
    g_test_add_func("/follow/failing", test_failing);
    g_test_add_func("/follow/slow-start", test_slow_start);
    g_test_add_func("/follow/stray-port", test_stray_port);
    g_test_add_func("/follow/written", test_written);
    g_test_add_func("/follow/written/missed", test_written_missed);
    g_test_add_func("/follow/written/nameless", test_written_nameless);
    g_test_add_func("/follow/transient", test_transient);
    g_test_add_func("/follow/domain-gone", test_domain_gone);
    g_test_add_func("/follow/leases-late", test_leases_late);
    return g_test_run();
}
