/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include <net/if.h>
#include <string.h>

/*
 * Random sequences. An operation that cannot be, as things are, is left out when its turn comes: so any part
 * of a sequence is one too, which is what makes it possible to shrink it.
 */

typedef gboolean (*Operate)(Sim *sim, guint a, guint b);

/* ------------------------------------------------------------------------------------------- guests */

static gboolean op_start(Sim *sim, guint a, guint b)
{
    sim->reuse_ifindex = b % 2 ? 10 + b % 16 : 0;
    return host_start(sim, a % SIM_GUESTS);
}

static gboolean op_destroy(Sim *sim, guint a, guint b)
{
    return host_destroy(sim, a % SIM_GUESTS);
}

/* One goes, and another gets its names, within a millisecond. */
static gboolean op_replace(Sim *sim, guint a, guint b)
{
    const Link *tap = host_tap(sim, a % SIM_GUESTS);
    guint ifindex = tap ? tap->ifindex : 0;

    if (!host_destroy(sim, a % SIM_GUESTS))
        return FALSE;
    sim->reuse_ifindex = b % 2 ? ifindex : 0;
    sim_advance(sim, SIM_MS / 2);
    host_start(sim, (a + 1 + b % 3) % SIM_GUESTS);
    return TRUE;
}

static gboolean op_plug(Sim *sim, guint a, guint b)
{
    return host_plug(sim, a % SIM_GUESTS, b % SIM_NETWORKS);
}

static gboolean op_unplug(Sim *sim, guint a, guint b)
{
    return host_unplug(sim, a % SIM_GUESTS);
}

static gboolean op_connect(Sim *sim, guint a, guint b)
{
    return host_connect(sim, a % SIM_GUESTS, b % SIM_NETWORKS);
}

static gboolean op_pause(Sim *sim, guint a, guint b)
{
    return host_pause(sim, a % SIM_GUESTS);
}

static gboolean op_set_link(Sim *sim, guint a, guint b)
{
    return host_set_link(sim, a % SIM_GUESTS);
}

/* --------------------------------------------------------------------------------------------- taps */

static gboolean op_rename(Sim *sim, guint a, guint b)
{
    Link *tap = host_tap(sim, a % SIM_GUESTS);
    g_autofree char *name = g_strdup_printf("vnet%u", b % 6);

    if (!tap || host_link_named(sim, name))
        return FALSE;
    host_link_rename(sim, tap, name);
    return TRUE;
}

static gboolean op_recreate(Sim *sim, guint a, guint b)
{
    Link *tap = host_tap(sim, a % SIM_GUESTS);
    g_autofree char *name = tap ? g_strdup(tap->name) : NULL;
    guint ifindex = tap ? tap->ifindex : 0;
    guint master = tap ? tap->master : 0;

    if (!tap)
        return FALSE;
    host_link_remove(sim, tap);
    sim->reuse_ifindex = b % 3 == 0 ? ifindex : 0;
    host_tap_add(sim, name, b % 2 ? master : 0, NULL);
    return TRUE;
}

/* Somebody's tap, of a name that a guest may get or have. */
static gboolean op_stray(Sim *sim, guint a, guint b)
{
    g_autofree char *name = g_strdup_printf("vnet%u", a % 6);
    const Link *bridge = host_bridge(sim, b % SIM_NETWORKS);
    Link *link = host_link_named(sim, name);

    if (link && b % 4 == 0)
        host_link_remove(sim, link);
    else if (!link && sim->truth->links->len < 16)
        host_tap_add(sim, name, bridge ? bridge->ifindex : 0, NULL);
    else
        return FALSE;
    return TRUE;
}

static gboolean op_move(Sim *sim, guint a, guint b)
{
    Link *tap = host_tap(sim, a % SIM_GUESTS);
    const Link *bridge = b % 5 ? host_bridge(sim, b % SIM_NETWORKS) : NULL;

    if (!tap)
        return FALSE;
    host_link_master(sim, tap, bridge ? bridge->ifindex : 0);
    return TRUE;
}

static gboolean op_down(Sim *sim, guint a, guint b)
{
    Link *tap = host_tap(sim, a % SIM_GUESTS);

    if (!tap)
        return FALSE;
    tap->flags ^= IFF_UP;
    tap->carrier = tap->flags & IFF_UP ? 1 : 0;
    host_link_tell(sim, tap);
    return TRUE;
}

static gboolean op_mtu(Sim *sim, guint a, guint b)
{
    Link *tap = host_tap(sim, a % SIM_GUESTS);

    if (!tap)
        return FALSE;
    tap->mtu = b % 2 ? 1500 : 1400;
    host_link_tell(sim, tap);
    return TRUE;
}

static gboolean op_learn(Sim *sim, guint a, guint b)
{
    const Link *tap = host_tap(sim, a % SIM_GUESTS);
    Mac mac = {{0x52, 0x54, 0, 0, (guint8)(b % 4 ? a % SIM_GUESTS : b % SIM_GUESTS), 0}};

    if (!tap)
        return FALSE;
    host_learn(sim, tap, &mac);
    return TRUE;
}

static gboolean op_neighbour(Sim *sim, guint a, guint b)
{
    static const guint16 states[] = {NEIGHBOUR_REACHABLE, NEIGHBOUR_STALE, NEIGHBOUR_FAILED, 0};
    const Link *bridge = host_bridge(sim, b % SIM_NETWORKS);
    Mac mac = {{0x52, 0x54, 0, 0, (guint8)(a % SIM_GUESTS), 0}};
    guint16 state = states[b / SIM_NETWORKS % G_N_ELEMENTS(states)];
    g_autofree char *text =
        g_strdup_printf("192.168.%u.%u", 100 + b % SIM_NETWORKS, 10 + (a / SIM_GUESTS) % SIM_GUESTS);
    Ip ip;

    if (!bridge)
        return FALSE;
    g_assert_true(ip_parse(text, &ip));
    host_neighbour(sim, bridge, &ip, state == NEIGHBOUR_FAILED ? NULL : &mac, state);
    return TRUE;
}

/* --------------------------------------------------------------------------------- networks and leases */

static gboolean op_lease(Sim *sim, guint a, guint b)
{
    static const gint64 seconds[] = {3600, 3, 0, 90000};

    return host_lease(sim, a % SIM_GUESTS, seconds[b % G_N_ELEMENTS(seconds)]);
}

static gboolean op_release(Sim *sim, guint a, guint b)
{
    return host_release(sim, a % SIM_GUESTS);
}

static gboolean op_net_start(Sim *sim, guint a, guint b)
{
    return host_net_start(sim, a % SIM_NETWORKS);
}

static gboolean op_net_stop(Sim *sim, guint a, guint b)
{
    return host_net_stop(sim, a % SIM_NETWORKS);
}

static gboolean op_net_define(Sim *sim, guint a, guint b)
{
    return host_net_define(sim, a % SIM_NETWORKS);
}

static gboolean op_net_undefine(Sim *sim, guint a, guint b)
{
    return host_net_undefine(sim, a % SIM_NETWORKS);
}

static gboolean op_net_autostart(Sim *sim, guint a, guint b)
{
    return host_net_autostart(sim, a % SIM_NETWORKS);
}

/* ------------------------------------------------------------------------------------------- faults */

static gboolean op_kill(Sim *sim, guint a, guint b)
{
    if (sim->away)
        return FALSE;
    sim_kill(sim);
    return TRUE;
}

static gboolean op_revive(Sim *sim, guint a, guint b)
{
    if (!sim->away)
        return FALSE;
    sim_revive(sim);
    return TRUE;
}

static gboolean op_lose_messages(Sim *sim, guint a, guint b)
{
    sim->losing += 1 + a % 5;
    return TRUE;
}

static gboolean op_lose_event(Sim *sim, guint a, guint b)
{
    sim->losing_events = TRUE;
    return TRUE;
}

static gboolean op_doubt_leases(Sim *sim, guint a, guint b)
{
    sim_doubt(sim, SOURCE_LEASES);
    return TRUE;
}

static gboolean op_hang(Sim *sim, guint a, guint b)
{
    if (sim->guests[a % SIM_GUESTS].hangs == SIM_FOREVER)
        return FALSE;
    sim->guests[a % SIM_GUESTS].hangs = sim->now + (gint64)(1 + b % 8) * SIM_SECOND;
    return TRUE;
}

/* At most one: five would be another story. */
static gboolean op_hang_for_ever(Sim *sim, guint a, guint b)
{
    for (guint i = 0; i < SIM_GUESTS; i++) {
        if (sim->guests[i].hangs == SIM_FOREVER)
            return FALSE;
    }
    sim->guests[a % SIM_GUESTS].hangs = SIM_FOREVER;
    return TRUE;
}

static gboolean op_hang_leases(Sim *sim, guint a, guint b)
{
    sim->networks[a % SIM_NETWORKS].hangs = sim->now + (gint64)(1 + b % 4) * SIM_SECOND;
    return TRUE;
}

static gboolean op_hang_lists(Sim *sim, guint a, guint b)
{
    sim->list_hangs = sim->now + (gint64)(1 + b % 4) * SIM_SECOND;
    return TRUE;
}

static gboolean op_fail(Sim *sim, guint a, guint b)
{
    sim->guests[a % SIM_GUESTS].fails = sim->now + (gint64)(1 + b % 3) * SIM_SECOND;
    return TRUE;
}

static gboolean op_unreadable(Sim *sim, guint a, guint b)
{
    sim->networks[a % SIM_NETWORKS].unreadable = sim->now + (gint64)(1 + b % 3) * SIM_SECOND;
    sim_lease_event(sim, sim->networks[a % SIM_NETWORKS].bridge);
    return TRUE;
}

static gboolean op_kernel_fails(Sim *sim, guint a, guint b)
{
    sim->kernel_fails = sim->now + (gint64)(1 + b % 3) * SIM_SECOND;
    return TRUE;
}

static gboolean op_clock(Sim *sim, guint a, guint b)
{
    sim_clock(sim, b % 2 ? 86400 : -86400);
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- the table */

static const struct {
    const char *name;
    Operate operate;
    guint weight;
} table[] = {
    {"start", op_start, 18},
    {"destroy", op_destroy, 6},
    {"replace", op_replace, 5},
    {"plug", op_plug, 4},
    {"unplug", op_unplug, 4},
    {"connect", op_connect, 4},
    {"pause", op_pause, 2},
    {"domif-setlink", op_set_link, 3},
    {"rename tap", op_rename, 4},
    {"recreate tap", op_recreate, 4},
    {"stray tap", op_stray, 4},
    {"move tap", op_move, 4},
    {"tap down/up", op_down, 2},
    {"tap mtu", op_mtu, 2},
    {"learn", op_learn, 5},
    {"neighbour", op_neighbour, 5},
    {"lease", op_lease, 6},
    {"release", op_release, 3},
    {"net-start", op_net_start, 7},
    {"net-stop", op_net_stop, 2},
    {"net-define", op_net_define, 4},
    {"net-undefine", op_net_undefine, 1},
    {"net-autostart", op_net_autostart, 3},
    {"kill libvirtd", op_kill, 2},
    {"revive libvirtd", op_revive, 12},
    {"lose messages", op_lose_messages, 3},
    {"lose an event", op_lose_event, 2},
    {"doubt leases", op_doubt_leases, 1},
    {"hang", op_hang, 2},
    {"hang for ever", op_hang_for_ever, 1},
    {"hang leases", op_hang_leases, 1},
    {"hang lists", op_hang_lists, 1},
    {"fail", op_fail, 1},
    {"unreadable", op_unreadable, 1},
    {"kernel fails", op_kernel_fails, 1},
    {"set clock", op_clock, 2},
};

char *operation_text(const SimOperation *operation)
{
    return g_strdup_printf("after %" G_GINT64_FORMAT " ms: %s %u %u", operation->gap / SIM_MS,
                           table[operation->type].name, operation->a, operation->b);
}

static guint random_type(GRand *random)
{
    guint total = 0;
    guint at;

    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        total += table[i].weight;
    at = (guint)g_rand_int_range(random, 0, (gint32)total);
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        if (at < table[i].weight)
            return i;
        at -= table[i].weight;
    }
    return 0;
}

/* Often at once, sometimes within a reading's time, seldom long after. */
static gint64 random_gap(GRand *random)
{
    double kind = g_rand_double(random);

    if (kind < 0.3)
        return 0;
    if (kind < 0.7)
        return g_rand_int_range(random, 0, 30) * SIM_MS;
    return g_rand_int_range(random, 0, kind < 0.97 ? 500 : 20000) * SIM_MS;
}

GArray *operations_new(guint32 seed, guint most)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    GArray *operations = g_array_new(FALSE, TRUE, sizeof(SimOperation));
    guint count = (guint)(1 + (double)most * g_rand_double(random) * g_rand_double(random));

    for (guint i = 0; i < count; i++) {
        SimOperation operation = {.type = random_type(random),
                                  .a = g_rand_int(random) % 1000,
                                  .b = g_rand_int(random) % 1000,
                                  .gap = random_gap(random)};

        g_array_append_val(operations, operation);
    }
    return operations;
}

/* ------------------------------------------------------------------------------------------- running */

/* What would never end by itself, but for one that hangs for ever. */
static void come_to_rest(Sim *sim)
{
    sim_revive(sim);
    /* What it would lose is not to come. */
    if (sim->losing_events)
        sim_doubt(sim, SOURCE_LIBVIRT);
    sim->losing_events = FALSE;
    sim->losing = 0;
    for (guint i = 0; i < SIM_NETWORKS; i++) {
        SimNetwork *network = &sim->networks[i];

        if (network->unreadable > sim->now)
            sim_lease_event(sim, network->bridge);
        network->unreadable = network->hangs = 0;
    }
    /* Calls that hang already go on to. */
    for (guint i = 0; i < SIM_GUESTS; i++) {
        if (sim->guests[i].hangs != SIM_FOREVER)
            sim->guests[i].hangs = 0;
    }
    sim->list_hangs = 0;
    /* So that whatever was leased for some seconds has ended. */
    sim_advance(sim, 5 * SIM_SECOND);
    sim_quiesce(sim, 60 * SIM_SECOND);
}

char *operations_run(const GArray *operations, guint32 seed, char **rows)
{
    g_autoptr(Sim) sim = sim_new(seed, FALSE);

    /* Half of the sequences begin before the follower has seen anything, half in the middle of things. */
    if (seed % 2)
        sim_advance(sim, SIM_SECOND);
    for (guint i = 0; i < operations->len && !sim->failure; i++) {
        const SimOperation *operation = &g_array_index(operations, SimOperation, i);

        sim_advance(sim, operation->gap);
        if (!sim->failure)
            table[operation->type].operate(sim, operation->a, operation->b);
    }
    if (!sim->failure)
        come_to_rest(sim);
    if (!sim->failure)
        check_settled(sim);
    if (rows)
        *rows = sim->failure ? NULL : check_rows(sim);
    return g_steal_pointer(&sim->failure);
}

/* The sequence without count operations from that one. */
static GArray *without(const GArray *operations, guint from, guint count)
{
    GArray *less = g_array_new(FALSE, TRUE, sizeof(SimOperation));

    g_array_append_vals(less, operations->data, from);
    if (from + count < operations->len)
        g_array_append_vals(less, &g_array_index(operations, SimOperation, from + count),
                            operations->len - from - count);
    return less;
}

/* The first part of that length that can go; NULL: each is needed. */
static GArray *shrink_once(const GArray *operations, guint32 seed, guint count)
{
    for (guint from = 0; from < operations->len; from += count) {
        g_autoptr(GArray) less = without(operations, from, count);
        g_autofree char *failure = operations_run(less, seed, NULL);

        if (failure)
            return g_steal_pointer(&less);
    }
    return NULL;
}

GArray *operations_shrink(const GArray *operations, guint32 seed)
{
    GArray *best = without(operations, 0, 0);
    guint count = MAX(best->len / 2, 1);

    for (;;) {
        GArray *less = best->len > 0 ? shrink_once(best, seed, count) : NULL;

        if (less) {
            g_array_unref(best);
            best = less;
            count = MIN(count, MAX(best->len / 2, 1));
        } else if (count > 1) {
            count /= 2;
        } else {
            return best;
        }
    }
}
