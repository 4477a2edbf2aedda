/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-tools.h"
#include "model/flow-live.h"

/* What is told goes into a text, a line each. */

typedef struct {
    GString *told;
    Facts *facts;
    FlowLive *live;
    gint64 monotonic;
} Run;

static void on_began(gpointer data, const FlowRow *row)
{
    g_autofree char *text = flow_tools_text(row);

    g_string_append_printf(((Run *)data)->told, "+ %s\n", text);
}

static void on_ended(gpointer data, const FlowRow *row)
{
    g_autofree char *text = flow_tools_text(row);

    g_string_append_printf(((Run *)data)->told, "- %s %" G_GINT64_FORMAT " s\n", text, row->age);
}

static const FlowSink sink = {on_began, on_ended};

static FlowMoment moment(const Run *run)
{
    return (FlowMoment){run->monotonic, WORLD_NOW * G_USEC_PER_SEC + run->monotonic};
}

static void run_names(Run *run)
{
    const FlowMoment at = moment(run);

    flow_live_set_names(run->live, flow_tools_names(run->facts), &at);
}

static void run_set_up(Run *run, gconstpointer scope)
{
    static const FlowScope all = {NULL, NULL};

    run->told = g_string_new(NULL);
    run->facts = world_host();
    run->live = flow_live_new(scope ? scope : &all, &sink, run);
    run_names(run);
}

static void run_tear_down(Run *run, gconstpointer scope G_GNUC_UNUSED)
{
    flow_live_free(run->live);
    facts_free(run->facts);
    g_string_free(run->told, TRUE);
}

static Flow tcp(const char *guest, guint port)
{
    g_autofree char *there = g_strdup_printf("%s:%u 203.0.113.1:80", guest, port);
    g_autofree char *back = g_strdup_printf("203.0.113.1:80 %s:%u", guest, port);
    Flow flow = flow_tools_make(there, back);

    flow.id = port;
    return flow;
}

static void begins(Run *run, const char *guest, guint port)
{
    const Flow flow = tcp(guest, port);
    const FlowMoment at = moment(run);

    flow_live_began(run->live, &flow, &at);
}

static void ends(Run *run, const char *guest, guint port)
{
    const Flow flow = tcp(guest, port);
    const FlowMoment at = moment(run);

    flow_live_ended(run->live, &flow, &at);
}

static void passes(Run *run, gint64 seconds)
{
    FlowMoment at;

    run->monotonic += seconds * G_USEC_PER_SEC;
    at = moment(run);
    flow_live_settle(run->live, &at);
}

/* A reading of VM1's flows with these ports, which end with a 0. */
static void reads(Run *run, gboolean quiet, const guint *ports)
{
    g_autoptr(GArray) flows = g_array_new(FALSE, FALSE, sizeof(Flow));
    const FlowMoment at = moment(run);

    for (; *ports; ports++) {
        const Flow flow = tcp("192.168.122.11", *ports);

        g_array_append_val(flows, flow);
    }
    flow_live_read_begin(run->live);
    flow_live_read(run->live, flows, &at, quiet);
    flow_live_read_end(run->live, &at, quiet);
}

static void assert_told(Run *run, const char *expected)
{
    g_assert_cmpstr(run->told->str, ==, expected);
    g_string_set_size(run->told, 0);
}

#define VM1_1 "VM1 vnet0 default: 192.168.122.11:1 > 203.0.113.1:80"
#define VM1_2 "VM1 vnet0 default: 192.168.122.11:2 > 203.0.113.1:80"
#define NOBODY_1 "- - default: 192.168.122.99:1 > 203.0.113.1:80"

static void test_events(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    begins(run, "192.168.122.11", 1);
    begins(run, "192.168.122.11", 1);
    assert_told(run, "+ " VM1_1 "\n");
    /* The kernel keeps no times: those of what it told count. */
    passes(run, 7);
    ends(run, "192.168.122.11", 1);
    ends(run, "192.168.122.11", 1);
    ends(run, "192.168.122.11", 2);
    assert_told(run, "- " VM1_1 " 7 s\n");
    /* The host's own. */
    begins(run, "203.0.113.2", 1);
    ends(run, "203.0.113.2", 1);
    assert_told(run, "");
    g_assert_cmpuint(flow_live_size(run->live), ==, 0);
}

/* Somebody's lease is read a moment after the first packet. */
static void test_hold(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpint(flow_live_due(run->live), ==, G_MAXINT64);
    begins(run, "192.168.122.99", 1);
    g_assert_cmpint(flow_live_due(run->live), ==, run->monotonic + FLOW_HOLD);
    assert_told(run, "");
    world_neighbour(run->facts, 10, "192.168.122.99", "52:54:00:00:00:02", NEIGHBOUR_REACHABLE);
    run_names(run);
    assert_told(run, "+ VM2 vnet1 default: 192.168.122.99:1 > 203.0.113.1:80\n");
    g_assert_cmpint(flow_live_due(run->live), ==, G_MAXINT64);
    /* Gone meanwhile, it keeps its name. */
    g_array_set_size(run->facts->neighbours, 0);
    run_names(run);
    ends(run, "192.168.122.99", 1);
    assert_told(run, "- VM2 vnet1 default: 192.168.122.99:1 > 203.0.113.1:80 0 s\n");
}

static void test_hold_over(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    begins(run, "192.168.122.99", 1);
    passes(run, 0);
    assert_told(run, "");
    passes(run, 1);
    assert_told(run, "+ " NOBODY_1 "\n");
    /* A name that comes too late is there at the end, and not told for itself. */
    world_neighbour(run->facts, 10, "192.168.122.99", "52:54:00:00:00:02", NEIGHBOUR_REACHABLE);
    run_names(run);
    assert_told(run, "");
    ends(run, "192.168.122.99", 1);
    assert_told(run, "- VM2 vnet1 default: 192.168.122.99:1 > 203.0.113.1:80 1 s\n");
    /* An end does not come before its beginning. */
    begins(run, "192.168.122.98", 1);
    ends(run, "192.168.122.98", 1);
    assert_told(run, "+ - - default: 192.168.122.98:1 > 203.0.113.1:80\n"
                     "- - - default: 192.168.122.98:1 > 203.0.113.1:80 0 s\n");
    g_assert_cmpint(flow_live_due(run->live), ==, G_MAXINT64);
}

/* What was told stays, also when its network goes. */
static void test_network_gone(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    begins(run, "192.168.122.99", 1);
    begins(run, "192.168.122.98", 1);
    passes(run, 1);
    begins(run, "192.168.122.97", 1);
    facts_network(run->facts, "default")->active = FALSE;
    run_names(run);
    g_string_set_size(run->told, 0);
    passes(run, 1);
    assert_told(run, "");
    ends(run, "192.168.122.99", 1);
    assert_told(run, "- " NOBODY_1 " 2 s\n");
    g_assert_cmpuint(flow_live_size(run->live), ==, 1);
}

static void test_readings(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) rows = NULL;

    /* The first one is told by who asks. */
    reads(run, TRUE, (guint[]){1, 2, 0});
    assert_told(run, "");
    rows = flow_live_rows(run->live, WORLD_NOW);
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpint(((const FlowRow *)rows->pdata[0])->age, ==, -1);
    reads(run, FALSE, (guint[]){1, 2, 0});
    assert_told(run, "");
    reads(run, FALSE, (guint[]){2, 3, 0});
    assert_told(run, "+ VM1 vnet0 default: 192.168.122.11:3 > 203.0.113.1:80\n- " VM1_1 " -1 s\n");
    reads(run, TRUE, (guint[]){0});
    assert_told(run, "");
    g_assert_cmpuint(flow_live_size(run->live), ==, 0);
}

/* What is told while the table is read is newer than the reading. */
static void test_reading_and_events(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GArray) flows = g_array_new(FALSE, FALSE, sizeof(Flow));
    const Flow first = tcp("192.168.122.11", 1);
    const FlowMoment at = moment(run);

    g_array_append_val(flows, first);
    flow_live_read_begin(run->live);
    begins(run, "192.168.122.11", 2);
    flow_live_read(run->live, flows, &at, FALSE);
    ends(run, "192.168.122.11", 1);
    flow_live_read_end(run->live, &at, FALSE);
    assert_told(run, "+ " VM1_2 "\n+ " VM1_1 "\n- " VM1_1 " -1 s\n");
    g_assert_cmpuint(flow_live_size(run->live), ==, 1);
}

/* A reading has newer figures; a state that an event does not tell is not forgotten. */
static void test_figures(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GArray) flows = g_array_new(FALSE, FALSE, sizeof(Flow));
    g_autoptr(GPtrArray) rows = NULL;
    Flow flow = tcp("192.168.122.11", 1);
    const FlowMoment at = moment(run);
    const FlowRow *row;

    begins(run, "192.168.122.11", 1);
    flow.sent_bytes = 11;
    flow.state = 3;
    g_array_append_val(flows, flow);
    flow_live_read_begin(run->live);
    flow_live_read(run->live, flows, &at, FALSE);
    flow_live_read_end(run->live, &at, FALSE);
    rows = flow_live_rows(run->live, WORLD_NOW + 3);
    row = rows->pdata[0];
    g_assert_cmpint(flow_row_bytes(row), ==, 11);
    g_assert_cmpint(row->age, ==, 3);
    g_assert_cmpstr(flow_state_name(&row->flow), ==, "ESTABLISHED");
}

static const FlowScope of_vm2 = {.domain = "VM2"};

/* Of a domain that is asked for: what may yet prove to be its. */
static void test_scope(Run *run, gconstpointer data G_GNUC_UNUSED)
{
    begins(run, "192.168.122.11", 1);
    begins(run, "192.168.122.99", 1);
    begins(run, "192.168.122.98", 1);
    g_assert_cmpuint(flow_live_size(run->live), ==, 2);
    passes(run, 2);
    assert_told(run, "");
    world_neighbour(run->facts, 10, "192.168.122.99", "52:54:00:00:00:02", NEIGHBOUR_REACHABLE);
    world_neighbour(run->facts, 10, "192.168.122.98", "52:54:00:00:00:01", NEIGHBOUR_REACHABLE);
    run_names(run);
    assert_told(run, "+ VM2 vnet1 default: 192.168.122.99:1 > 203.0.113.1:80\n");
    g_assert_cmpuint(flow_live_size(run->live), ==, 1);
    ends(run, "192.168.122.98", 1);
    ends(run, "192.168.122.11", 1);
    assert_told(run, "");
}

#define ADD(NAME, SCOPE, FUNCTION)                                                                           \
    g_test_add("/flow-live/" NAME, Run, SCOPE, run_set_up, FUNCTION, run_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("events", NULL, test_events);
    ADD("hold", NULL, test_hold);
    ADD("hold-over", NULL, test_hold_over);
    ADD("network-gone", NULL, test_network_gone);
    ADD("readings", NULL, test_readings);
    ADD("reading-and-events", NULL, test_reading_and_events);
    ADD("figures", NULL, test_figures);
    ADD("scope", &of_vm2, test_scope);
    return g_test_run();
}
