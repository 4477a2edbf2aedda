/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follow-tools.h"

#include <string.h>

/* What the follower makes of the kernel's word, of leases, and of what nobody told: see test-follow.c. */

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

/* While messages are missing, what came is not told either. */
static void test_overrun_holds(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    for (guint i = 0; i < 2; i++) {
        sim->losing = 1;
        host_link_tell(sim, host_tap(sim, 0));
        sim_advance(sim, SIM_MS);
    }
    g_string_truncate(sim->log, 0);
    host_link_master(sim, host_tap(sim, 1), 0);
    sim_advance(sim, 50 * SIM_MS);
    assert_log(sim, "");
    sim_advance(sim, 100 * SIM_MS);
    assert_log(sim, "resync");
    g_assert_cmpstr(row_of(sim, 1).bridge, ==, NULL);
    assert_settled(sim);
}

/* A tap came, moved and went unseen: its domain may have another network. */
static void test_moved_unseen(void)
{
    g_autoptr(Sim) sim = guests_new(0);

    sim->kernel_fails = sim->now + 3 * SIM_SECOND;
    sim->losing = 100;
    host_start(sim, 0);
    sim_advance(sim, SIM_SECOND);
    g_assert_true(host_connect(sim, 0, 1));
    host_link_remove(sim, host_tap(sim, 0));
    sim->losing = 0;
    sim_advance(sim, 10 * SIM_SECOND);
    g_assert_cmpstr(row_of(sim, 0).network, ==, "net1");
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

/* Devices come and go faster than they are listed: an audit does without, for nothing was lost. */
static void test_kernel_torn(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    guint64 reads = stats_of(sim).kernel_reads;

    sim->kernel_takes = SIM_SECOND;
    sim_advance(sim, 35 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).kernel_reads - reads, ==, 1);
    assert_source(sim, SOURCE_LINKS, SOURCE_LIVE, NULL);
    host_link_master(sim, host_tap(sim, 0), 0);
    sim_advance(sim, SIM_MS);
    g_assert_cmpstr(row_of(sim, 0).bridge, ==, NULL);
    g_assert_cmpuint(sim->resyncs, ==, 0);
    sim->kernel_takes = 0;
    assert_settled(sim);
}

/* Something was lost, too: a second after it has become quiet it is read, however long that was tried. */
static void test_kernel_torn_lost(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    sim->kernel_takes = 3 * SIM_SECOND;
    sim->losing = 1;
    host_link_master(sim, host_tap(sim, 0), 0);
    sim_advance(sim, 60 * SIM_SECOND);
    assert_source(sim, SOURCE_LINKS, SOURCE_STALE, "the kernel does not come to an end");
    g_assert_cmpstr(row_of(sim, 0).bridge, !=, NULL);
    sim->kernel_takes = 0;
    sim_advance(sim, 1100 * SIM_MS);
    assert_source(sim, SOURCE_LINKS, SOURCE_LIVE, NULL);
    g_assert_cmpstr(row_of(sim, 0).bridge, ==, NULL);
    g_assert_cmpuint(sim->resyncs, ==, 1);
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
    /* When it is there again all are read, and nothing was lost. */
    host_lease(sim, 0, 3600);
    g_sequence_remove_range(g_sequence_get_begin_iter(sim->agenda), g_sequence_get_end_iter(sim->agenda));
    follower_leases_evented(sim->follower, TRUE, NULL);
    sim_doubt(sim, SOURCE_LEASES);
    sim_advance(sim, 100 * SIM_MS);
    assert_source(sim, SOURCE_LEASES, SOURCE_LIVE, NULL);
    assert_log(sim, "source.live lease.added interface.changed");
    /* Its events ran over: that is another thing. */
    sim_doubt(sim, SOURCE_LEASES);
    sim_advance(sim, 100 * SIM_MS);
    assert_log(sim, "resync");
    assert_settled(sim);
}

/* The file bears the bridge's name: who has the bridge has the leases, and who had it has them again. */
static void test_others(void)
{
    g_autoptr(Sim) sim = guests_new(1);

    host_lease(sim, 0, 3600);
    host_net_stop(sim, 0);
    sim_advance(sim, SIM_SECOND);
    g_string_truncate(sim->log, 0);
    g_assert_true(host_net_start(sim, 3));
    sim_advance(sim, SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "lease.removed"));
    assert_settled(sim);
    host_net_stop(sim, 3);
    sim_advance(sim, SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "lease.added"));
    assert_settled(sim);
    /* With the network they go. */
    g_string_truncate(sim->log, 0);
    g_assert_true(host_net_undefine(sim, 0));
    sim_advance(sim, SIM_SECOND);
    g_assert_nonnull(strstr(sim->log->str, "lease.removed"));
    g_assert_null(live_map_leases(follower_live(sim->follower), sim->networks[0].uuid));
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

/* The kernel tells of an address when duplicate detection is done; before that a reading has it. */
static void test_audit_tentative(void)
{
    g_autoptr(Sim) sim = guests_new(1);
    LinkAddress address = {.ifindex = host_tap(sim, 0)->ifindex, .flags = LINK_ADDRESS_TENTATIVE};

    g_assert_true(ipnet_parse("fe80::1/64", &address.net));
    g_array_append_val(sim->truth->addresses, address);
    sim_advance(sim, 62 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
    /* Known, and tentative again. */
    g_array_index(sim->truth->addresses, LinkAddress, sim->truth->addresses->len - 1).flags = 0;
    follower_address(sim->follower, &address, FALSE);
    sim_advance(sim, 62 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
    /* Known as tentative, and gone. */
    follower_address(sim->follower, &address, FALSE);
    g_array_set_size(sim->truth->addresses, sim->truth->addresses->len - 1);
    sim_advance(sim, 62 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
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

/* What was lost with a connection, and is not read again yet, is no mismatch either. */
static void test_audit_after_loss(void)
{
    g_autoptr(Sim) sim = guests_new(2);

    sim_kill(sim);
    host_destroy(sim, 1);
    sim_advance(sim, 100 * SIM_MS);
    sim->list_hangs = sim->now + 60 * SIM_SECOND;
    sim_revive(sim);
    sim_advance(sim, 40 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).audits, >=, 1);
    g_assert_cmpuint(rows_count(sim), ==, 2);
    assert_source(sim, SOURCE_LIBVIRT, SOURCE_STALE,
                  "the list of domains: no answer for a second (and 1 more)");
    sim_advance(sim, 30 * SIM_SECOND);
    g_assert_cmpuint(rows_count(sim), ==, 1);
    assert_settled(sim);
}

/* A list of before an event was lost comes late, and what it lacks is asked for. */
static void test_audit_late_list(void)
{
    g_autoptr(Sim) sim = guests_new(0);

    sim_advance(sim, 27900 * SIM_MS);
    sim->list_hangs = sim->now + 2 * SIM_SECOND;
    sim_advance(sim, 200 * SIM_MS);
    sim->losing_events = TRUE;
    g_assert_true(host_net_undefine(sim, 3));
    sim->networks[3].hangs = sim->now + 2500 * SIM_MS;
    sim_advance(sim, 10 * SIM_SECOND);
    g_assert_cmpuint(stats_of(sim).audits, ==, 1);
    g_assert_cmpuint(stats_of(sim).mismatches, ==, 0);
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
    g_test_add_func("/follow/kernel/overrun", test_overrun);
    g_test_add_func("/follow/kernel/overrun-holds", test_overrun_holds);
    g_test_add_func("/follow/kernel/moved-unseen", test_moved_unseen);
    g_test_add_func("/follow/kernel/overrun-steady", test_overrun_steady);
    g_test_add_data_func("/follow/kernel/name-reused", NULL, test_reused);
    g_test_add_data_func("/follow/kernel/index-reused", "same", test_reused);
    g_test_add_func("/follow/kernel/fails", test_kernel_fails);
    g_test_add_func("/follow/kernel/torn", test_kernel_torn);
    g_test_add_func("/follow/kernel/torn-lost", test_kernel_torn_lost);
    g_test_add_func("/follow/kernel/remote", test_remote);
    g_test_add_func("/follow/leases/clock", test_clock);
    g_test_add_func("/follow/leases/expires", test_expires);
    g_test_add_func("/follow/leases/unreadable", test_unreadable);
    g_test_add_func("/follow/leases/directory", test_directory);
    g_test_add_func("/follow/leases/others", test_others);
    g_test_add_func("/follow/leases/unsupported", test_no_leases);
    g_test_add_func("/follow/audit/domains", test_audit_domains);
    g_test_add_func("/follow/audit/kernel", test_audit_kernel);
    g_test_add_func("/follow/audit/leases", test_audit_leases);
    g_test_add_func("/follow/audit/tentative", test_audit_tentative);
    g_test_add_func("/follow/audit/late-list", test_audit_late_list);
    g_test_add_func("/follow/audit/late-event", test_audit_late_event);
    g_test_add_func("/follow/audit/after-loss", test_audit_after_loss);
    g_test_add_func("/follow/audit/without-event", test_audit_without_event);
    return g_test_run();
}
