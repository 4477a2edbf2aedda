/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "consumer.h"
#include "random-facts.h"
#include "world.h"

#include "model/live.h"
#include "views/json.h"

#include <string.h>

/*
 * Random facts in random order. After every settle a consumer that applied the changes knows what the map
 * knows; when all is quiet, the map is map_join() and checks_run() of its facts. A sequence that fails is
 * made as short as it can be and still fail. LIVE_RUNS: how many; LIVE_SEED: the first one's seed.
 */

#define RUNS 300
#define STEPS 200
#define START (100 * G_TIME_SPAN_SECOND)

typedef enum {
    OP_DOMAIN,
    OP_DOMAIN_GONE,
    OP_NETWORK,
    OP_NETWORK_GONE,
    OP_LEASES,
    OP_LINK,
    OP_LINK_GONE,
    OP_ADDRESS,
    OP_NEIGHBOUR,
    OP_FDB,
    OP_KERNEL,
    OP_SOURCE,
    OP_LISTED,
    OP_DNSMASQS,
    OP_SETTLE,
    OP_KINDS
} OpKind;

static const char *const op_names[] = {"domain", "domain-gone", "network", "network-gone", "leases",
                                       "link",   "link-gone",   "address", "neighbour",    "fdb",
                                       "kernel", "source",      "listed",  "dnsmasqs",     "settle"};
G_STATIC_ASSERT(G_N_ELEMENTS(op_names) == OP_KINDS);

/* Everything else about it follows from the seed. */
typedef struct {
    OpKind kind;
    guint32 seed;
} Op;

/* --------------------------------------------------------------------------------------------- run */

typedef struct {
    LiveMap *live;
    Consumer consumer;
    gint64 monotonic, now;
    guint64 generation; /* an older one */
} Run;

static void compare(Run *run, const char *what, char *expected, char *actual)
{
    if (strcmp(expected, actual) != 0)
        consumer_wrong(&run->consumer,
                       g_strdup_printf("%s: expected\n%sbut there is\n%s", what, expected, actual));
    g_free(expected);
    g_free(actual);
}

static GHashTable *bag_of(const GPtrArray *records, char *(*text)(gconstpointer record))
{
    GHashTable *bag = bag_new();

    for (guint i = 0; i < records->len; i++)
        bag_add(bag, text(records->pdata[i]));
    return bag;
}

static char *row_text_any(gconstpointer record)
{
    return row_text(record);
}

static char *finding_text_any(gconstpointer record)
{
    return finding_text(record);
}

static char *finding_full_text(gconstpointer record)
{
    return text_of(json_of_finding(record));
}

static guint settle(Run *run)
{
    const GPtrArray *changes = live_map_settle(run->live, run->monotonic, run->now);
    g_autoptr(GPtrArray) rows = live_map_rows(run->live);
    g_autoptr(GPtrArray) findings = live_map_findings(run->live);
    g_autoptr(GHashTable) row_bag = bag_of(rows, row_text_any);
    g_autoptr(GHashTable) finding_bag = bag_of(findings, finding_text_any);

    for (guint i = 0; i < changes->len; i++)
        consumer_change(&run->consumer, changes->pdata[i]);
    compare(run, "rows after changes", bag_text(row_bag, NULL, NULL),
            bag_text(run->consumer.rows, NULL, NULL));
    compare(run, "findings after changes", bag_text(finding_bag, NULL, NULL),
            bag_text(run->consumer.findings, NULL, NULL));
    return changes->len;
}

/* A record of what is known, or NULL. */
static gconstpointer any_of(GRand *rand, const GPtrArray *records)
{
    return records->len > 0 ? records->pdata[g_rand_int_range(rand, 0, (gint32)records->len)] : NULL;
}

static void op_domain(Run *run, GRand *rand, const char *uuid)
{
    g_autoptr(Facts) facts = live_map_facts(run->live);
    const Domain *known = chance(rand, 50) ? any_of(rand, facts->domains) : NULL;
    Domain *domain = known ? copy_domain(known) : random_domain(rand, uuid);

    if (known)
        alter_domain(rand, domain);
    live_map_put_domain(run->live, domain,
                        chance(rand, 60) ? live_map_generation(run->live) : run->generation);
}

static void op_network(Run *run, GRand *rand, guint which)
{
    g_autoptr(Facts) facts = live_map_facts(run->live);
    const Network *known = chance(rand, 50) ? any_of(rand, facts->networks) : NULL;
    Network *network = known ? copy_network(known) : random_network(rand, which);

    if (known)
        alter_network(rand, network);
    live_map_put_network(run->live, network);
}

static void op_link(Run *run, GRand *rand)
{
    g_autoptr(Facts) facts = live_map_facts(run->live);
    const Link *known = chance(rand, 60) ? any_of(rand, facts->links) : NULL;
    Link *link = known ? copy_link(known) : random_link(rand, (guint)g_rand_int_range(rand, 1, 8));

    if (known)
        alter_link(rand, link);
    live_map_put_link(run->live, link);
}

static void op_neighbour(Run *run, GRand *rand)
{
    g_autoptr(Facts) facts = live_map_facts(run->live);
    Neighbour neighbour = random_neighbour(rand);

    if (facts->neighbours->len > 0 && chance(rand, 50)) {
        const Neighbour *known = &g_array_index(facts->neighbours, Neighbour,
                                                g_rand_int_range(rand, 0, (gint32)facts->neighbours->len));

        neighbour.ifindex = known->ifindex;
        neighbour.ip = known->ip;
        neighbour.has_mac = known->has_mac;
        neighbour.mac = known->mac;
        neighbour.state = chance(rand, 50) ? known->state : neighbour.state;
    }
    if (chance(rand, 75))
        live_map_put_neighbour(run->live, &neighbour);
    else
        live_map_remove_neighbour(run->live, neighbour.ifindex, &neighbour.ip);
}

static void op_fdb(Run *run, GRand *rand)
{
    FdbEntry entry = random_fdb(rand);

    if (chance(rand, 75))
        live_map_put_fdb(run->live, &entry);
    else
        live_map_remove_fdb(run->live, &entry);
}

static void op_address(Run *run, GRand *rand)
{
    LinkAddress address = random_address(rand);

    if (chance(rand, 75))
        live_map_put_address(run->live, &address);
    else
        live_map_remove_address(run->live, &address);
}

static void op_settle(Run *run, GRand *rand)
{
    static const gint64 clocks[] = {0, 0, 1, 3, 20, -10};

    run->monotonic += g_rand_int_range(rand, 0, 3) * G_TIME_SPAN_SECOND / 2;
    run->now += PICK(rand, clocks);
    settle(run);
    if (chance(rand, 30))
        run->generation = live_map_generation(run->live);
}

static void op_kernel(Run *run, GRand *rand)
{
    g_autoptr(Facts) facts = random_kernel(rand);

    live_map_put_kernel(run->live, facts);
}

static void apply(Run *run, const Op *op)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(op->seed);
    guint which = (guint)g_rand_int_range(rand, 0, RANDOM_UUIDS);

    switch (op->kind) {
    case OP_DOMAIN:
        op_domain(run, rand, random_uuids[which]);
        break;
    case OP_DOMAIN_GONE:
        live_map_remove_domain(run->live, random_uuids[which]);
        break;
    case OP_NETWORK:
        op_network(run, rand, which);
        break;
    case OP_NETWORK_GONE:
        live_map_remove_network(run->live, random_uuids[which]);
        break;
    case OP_LEASES:
        live_map_put_leases(run->live, random_uuids[which], random_leases(rand, run->now), chance(rand, 20));
        break;
    case OP_LINK:
        op_link(run, rand);
        break;
    case OP_LINK_GONE:
        live_map_remove_link(run->live, (guint)g_rand_int_range(rand, 1, 8));
        break;
    case OP_ADDRESS:
        op_address(run, rand);
        break;
    case OP_NEIGHBOUR:
        op_neighbour(run, rand);
        break;
    case OP_FDB:
        op_fdb(run, rand);
        break;
    case OP_KERNEL:
        op_kernel(run, rand);
        break;
    case OP_SOURCE:
        live_map_set_source(
            run->live, (SourceId)g_rand_int_range(rand, 0, SOURCE_COUNT),
            chance(rand, 70) ? SOURCE_LIVE : (SourceState)g_rand_int_range(rand, 0, SOURCE_ABSENT + 1), NULL);
        break;
    case OP_LISTED:
        live_map_set_domains_listed(run->live, chance(rand, 70));
        break;
    case OP_DNSMASQS:
        live_map_put_dnsmasqs(run->live, random_dnsmasqs(rand));
        break;
    case OP_SETTLE:
        op_settle(run, rand);
        break;
    case OP_KINDS:
        break;
    }
}

/* ------------------------------------------------------------------------------------ at rest, equal */

static char *rows_text(const GPtrArray *rows)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        g_autofree char *row = row_text(rows->pdata[i]);

        g_string_append_printf(text, "%s\n", row);
    }
    return g_string_free(text, FALSE);
}

static void believe_doubtful(LiveMap *live)
{
    g_autoptr(GPtrArray) doubtful = live_map_doubtful(live);

    for (guint i = 0; doubtful && i < doubtful->len; i++) {
        const Domain *domain = live_map_domain(live, doubtful->pdata[i]);

        g_assert_nonnull(domain);
        live_map_put_domain(live, copy_domain(domain), live_map_generation(live));
    }
}

/* Until nothing waits but the ageing of neighbours. */
static void rest(Run *run)
{
    for (guint i = 0; i < 4; i++) {
        believe_doubtful(run->live);
        run->monotonic += LIVE_GRACE;
        settle(run);
    }
    if (settle(run) != 0)
        consumer_wrong(&run->consumer, g_strdup("a second settle tells changes"));
    if (live_map_is_dirty(run->live))
        consumer_wrong(&run->consumer, g_strdup("dirty after settle"));
}

static void check_rest(Run *run)
{
    g_autoptr(Facts) facts = live_map_facts(run->live);
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) interfaces = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    g_autoptr(GPtrArray) all = checks_run(facts, map, 1U << OBJECT_INTERFACE | 1U << OBJECT_NETWORK);
    g_autoptr(GPtrArray) networks = network_rows(facts);
    g_autoptr(GPtrArray) rows = live_map_rows(run->live);
    g_autoptr(GPtrArray) findings = live_map_findings(run->live);
    g_autoptr(GHashTable) expected = bag_of(all, finding_full_text);
    g_autoptr(GHashTable) actual = bag_of(findings, finding_full_text);
    g_autoptr(GHashTable) leases = bag_new();

    map_attach(map, interfaces);
    compare(run, "rows", rows_text(map->rows), rows_text(rows));
    compare(run, "findings", bag_text(expected, NULL, NULL), bag_text(actual, NULL, NULL));
    for (guint i = 0; i < facts->leases->len; i++) {
        if (lease_is_live(facts->leases->pdata[i], facts->now))
            bag_add(leases, lease_text(facts->leases->pdata[i]));
    }
    compare(run, "leases", bag_text(leases, NULL, NULL), bag_text(run->consumer.leases, NULL, NULL));
    for (guint i = 0; i < networks->len; i++) {
        const NetworkRow *row = networks->pdata[i];
        const char *known = g_hash_table_lookup(run->consumer.networks, row->network->uuid);

        compare(run, "network", network_text(row), g_strdup(known ? known : "(none)"));
    }
}

static void shuffle(GPtrArray *array, GRand *rand)
{
    for (guint i = array->len; i > 1; i--) {
        guint j = (guint)g_rand_int_range(rand, 0, (gint32)i);
        gpointer other = array->pdata[j];

        array->pdata[j] = array->pdata[i - 1];
        array->pdata[i - 1] = other;
    }
}

typedef struct {
    char kind;
    gpointer record;
} Put;

static void puts_add(GPtrArray *puts_of, char kind, gpointer record)
{
    Put put = {kind, record};

    g_ptr_array_add(puts_of, g_memdup2(&put, sizeof(put)));
}

static void put_one(LiveMap *live, const Facts *facts, const Put *put)
{
    GPtrArray *leases;

    switch (put->kind) {
    case 'd':
        live_map_put_domain(live, copy_domain(put->record), G_MAXUINT64);
        break;
    case 'n':
        live_map_put_network(live, copy_network(put->record));
        break;
    case 'l':
        live_map_put_link(live, copy_link(put->record));
        break;
    case 'h':
        live_map_put_neighbour(live, put->record);
        break;
    case 'f':
        live_map_put_fdb(live, put->record);
        break;
    case 'a':
        live_map_put_address(live, put->record);
        break;
    default:
        leases = g_ptr_array_new();
        for (guint i = facts->leases->len; i-- > 0;) {
            const Lease *lease = facts->leases->pdata[i];

            if (strcmp(lease->network_uuid, put->record) == 0)
                g_ptr_array_add(leases, copy_lease(lease));
        }
        live_map_put_leases(live, put->record, leases, FALSE);
    }
}

static GPtrArray *puts_of_facts(const Facts *facts)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < facts->domains->len; i++)
        puts_add(all, 'd', facts->domains->pdata[i]);
    for (guint i = 0; i < facts->networks->len; i++)
        puts_add(all, 'n', facts->networks->pdata[i]);
    for (guint i = 0; i < facts->links->len; i++)
        puts_add(all, 'l', facts->links->pdata[i]);
    for (guint i = 0; i < facts->neighbours->len; i++)
        puts_add(all, 'h', &g_array_index(facts->neighbours, Neighbour, i));
    for (guint i = 0; i < facts->fdb->len; i++)
        puts_add(all, 'f', &g_array_index(facts->fdb, FdbEntry, i));
    for (guint i = 0; i < facts->addresses->len; i++)
        puts_add(all, 'a', &g_array_index(facts->addresses, LinkAddress, i));
    for (guint i = 0; i < RANDOM_UUIDS; i++)
        puts_add(all, 's', (gpointer)random_uuids[i]);
    return all;
}

/* The same facts in another order. */
static void check_order(Run *run, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autoptr(Facts) facts = live_map_facts(run->live);
    g_autoptr(LiveMap) other = live_map_new(checks_run);
    g_autoptr(GPtrArray) all = puts_of_facts(facts);
    g_autoptr(GPtrArray) rows = live_map_rows(run->live);
    g_autoptr(GPtrArray) others = NULL;

    for (guint id = 0; id < SOURCE_COUNT; id++)
        live_map_set_source(other, id, facts->sources[id].state, NULL);
    live_map_set_domains_listed(other, facts->domains_complete);
    shuffle(all, rand);
    for (guint i = 0; i < all->len; i++) {
        put_one(other, facts, all->pdata[i]);
        if (chance(rand, 10))
            live_map_settle(other, run->monotonic, run->now);
    }
    live_map_settle(other, run->monotonic, run->now);
    live_map_settle(other, run->monotonic + LIVE_GRACE, run->now);
    others = live_map_rows(other);
    compare(run, "rows in another order", rows_text(rows), rows_text(others));
    if (live_map_size(other) != live_map_size(run->live))
        consumer_wrong(&run->consumer, g_strdup_printf("%u records, in another order %u",
                                                       live_map_size(run->live), live_map_size(other)));
}

/* NULL: nothing is wrong; else what. pause: after how many operations all may come to rest, and is looked at.
 */
static char *run_ops(const GArray *ops, guint pause)
{
    Run run = {.monotonic = START, .now = WORLD_NOW};
    char *result;

    consumer_init(&run.consumer);
    run.live = live_map_new(checks_run);
    live_map_set_domains_listed(run.live, TRUE);
    for (guint id = 0; id < SOURCE_COUNT; id++)
        live_map_set_source(run.live, id, SOURCE_LIVE, NULL);
    for (guint i = 0; i < ops->len && !run.consumer.wrong; i++) {
        apply(&run, &g_array_index(ops, Op, i));
        if (i % pause == 0 || i + 1 == ops->len) {
            rest(&run);
            check_rest(&run);
        }
    }
    if (!run.consumer.wrong)
        check_order(&run, ops->len);
    live_map_free(run.live);
    result = g_steal_pointer(&run.consumer.wrong);
    consumer_clear(&run.consumer);
    return result;
}

/* ------------------------------------------------------------------------------------------- shrink */

static GArray *without(const GArray *ops, guint from, guint count)
{
    GArray *less = g_array_new(FALSE, FALSE, sizeof(Op));

    for (guint i = 0; i < ops->len; i++) {
        if (i < from || i >= from + count)
            g_array_append_val(less, g_array_index(ops, Op, i));
    }
    return less;
}

/* Drops what it can while it still fails. Takes ops. */
static GArray *shrink(GArray *ops, guint pause)
{
    for (guint size = ops->len / 2; size > 0; size /= 2) {
        for (guint at = 0; at + size <= ops->len;) {
            GArray *less = without(ops, at, size);
            g_autofree char *failed = run_ops(less, pause);

            if (failed) {
                g_array_unref(ops);
                ops = less;
            } else {
                g_array_unref(less);
                at += size;
            }
        }
    }
    return ops;
}

static void report(guint32 seed, GArray *ops, guint pause)
{
    g_autofree char *failed = NULL;

    ops = shrink(ops, pause);
    failed = run_ops(ops, pause);
    g_test_message("seed %u, %u operations:", seed, ops->len);
    for (guint i = 0; i < ops->len; i++)
        g_test_message("  %s %u", op_names[g_array_index(ops, Op, i).kind], g_array_index(ops, Op, i).seed);
    g_test_message("%s", failed);
    g_array_unref(ops);
    g_test_fail();
}

static OpKind random_kind(GRand *rand)
{
    static const guint8 weights[OP_KINDS] = {14, 4, 8, 2, 8, 18, 5, 2, 9, 12, 1, 1, 1, 1, 14};
    gint at = g_rand_int_range(rand, 0, 100);
    guint kind = 0;

    for (; kind + 1 < OP_KINDS && at >= weights[kind]; kind++)
        at -= weights[kind];
    return kind;
}

static GArray *random_ops(guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    GArray *ops = g_array_new(FALSE, FALSE, sizeof(Op));

    for (guint i = 0; i < STEPS; i++) {
        Op op = {.kind = random_kind(rand), .seed = g_rand_int(rand)};

        g_array_append_val(ops, op);
    }
    return ops;
}

static guint64 number_of(const char *name, guint64 otherwise)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void test_random(void)
{
    guint64 runs = number_of("LIVE_RUNS", RUNS);
    guint64 seed = number_of("LIVE_SEED", 1);

    for (guint64 i = 0; i < runs && !g_test_failed(); i++) {
        static const guint pauses[] = {1, 3, 20, 60};
        guint pause = pauses[(seed + i) % G_N_ELEMENTS(pauses)];
        g_autoptr(GArray) ops = random_ops((guint32)(seed + i));
        g_autofree char *failed = run_ops(ops, pause);

        if (failed)
            report((guint32)(seed + i), g_array_ref(ops), pause);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live/random", test_random);
    return g_test_run();
}
