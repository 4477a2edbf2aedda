/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include <stdlib.h>

/*
 * Random sequences of up to 200 operations on a simulated host, each with faults: whatever comes, at rest the
 * map is the host's. SIM_RUNS: how many (tests/soak runs ten times as many); SIM_SEED: the first one's seed.
 */

#define RUNS 1000
#define SEED 20260921
#define LONGEST 200
#define OTHERWISE(seed) ((seed) ^ 0x5a5a5a5aU)

static guint number_of(const char *name, guint otherwise)
{
    const char *text = g_getenv(name);
    guint64 number = otherwise;

    if (text && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &number, NULL))
        g_error("%s is no number: %s", name, text);
    return (guint)number;
}

/* seed: of how things were told; first: of the sequence. */
static void explain(const GArray *operations, guint32 seed, guint32 first)
{
    g_autoptr(GArray) least = operations_shrink(operations, seed);
    g_autofree char *failure = operations_run(least, seed, NULL);

    g_test_message("SIM_SEED=%u SIM_RUNS=1%s, shrunk from %u operations to %u:", first,
                   seed == first ? "" : " (told otherwise)", operations->len, least->len);
    for (guint i = 0; i < least->len; i++) {
        g_autofree char *text = operation_text(&g_array_index(least, SimOperation, i));

        g_test_message("  %s", text);
    }
    g_test_message("%s", failure ? failure : "(it does not fail again)");
}

/* The same operations, told otherwise: the same rows. */
static void run_again(const GArray *operations, guint32 seed, const char *rows)
{
    g_autofree char *others = NULL;
    g_autofree char *failure = operations_run(operations, OTHERWISE(seed), &others);

    if (failure) {
        explain(operations, OTHERWISE(seed), seed);
        g_test_fail();
    } else {
        g_assert_cmpstr(others, ==, rows);
    }
}

static void test_sequences(void)
{
    guint runs = number_of("SIM_RUNS", RUNS);
    guint32 first = number_of("SIM_SEED", SEED);

    for (guint i = 0; i < runs && !g_test_failed(); i++) {
        guint32 seed = first + i;
        g_autoptr(GArray) operations = operations_new(seed, LONGEST);
        g_autofree char *rows = NULL;
        g_autofree char *failure = operations_run(operations, seed, &rows);

        if (failure) {
            explain(operations, seed, seed);
            g_test_fail();
        } else if (i % 10 == 0 || runs == 1) {
            run_again(operations, seed, rows);
        }
    }
    g_test_message("%u sequences from seed %u", runs, first);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/follow/random", test_sequences);
    return g_test_run();
}
