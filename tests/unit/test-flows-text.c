/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-tools.h"
#include "views/columns.h"
#include "views/flows.h"

#include <stdio.h>
#include <stdlib.h>

/* world_host: VM1 has 192.168.122.11 on vnet0, VM2 192.168.122.22; nobody has 192.168.122.99. */

static const WatchStamp stamp = {.seq = 1, .wall_usec = WORLD_NOW * G_USEC_PER_SEC};

static FlowRow *row_of(const Facts *facts, const Flow *flow)
{
    g_autoptr(FlowNames) names = flow_tools_names(facts);
    FlowRow *row = flow_row_new(names, flow, NULL, facts->now);

    g_assert_nonnull(row);
    return row;
}

static FlowRow *row_between(const char *original, const char *reply)
{
    g_autoptr(Facts) facts = world_host();
    const Flow flow = flow_tools_make(original, reply);

    return row_of(facts, &flow);
}

static void assert_line(const ViewContext *view, FlowEvent event, const FlowRow *row, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    flows_text_event(out, &stamp, view, event, row);
    fclose(out);
    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void assert_told(FlowEvent event, const FlowRow *row, const char *expected)
{
    const ViewContext view = {.now = WORLD_NOW};

    assert_line(&view, event, row, expected);
}

static void test_end(void)
{
    static const struct {
        const char *ip, *alone, *text;
    } ends[] = {
        {"192.168.122.6", "192.168.122.6", "192.168.122.6:80"},
        {"fd00::6", "fd00::6", "[fd00::6]:80"},
        /* The longest that there is. */
        {"fd00:1111:2222:3333:4444:5555:6666:7777", "fd00:1111:2222:3333:4444:5555:6666:7777",
         "[fd00:1111:2222:3333:4444:5555:6666:7777]:80"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        const Ip ip = world_ip_of(ends[i].ip);
        g_autofree char *alone = flow_end_to_string(&ip, FALSE, 80);
        g_autofree char *text = flow_end_to_string(&ip, TRUE, 80);

        g_assert_cmpstr(alone, ==, ends[i].alone);
        g_assert_cmpstr(text, ==, ends[i].text);
    }
}

/* Translated or not, from either side, without ports, of one that nobody knows. */
static void test_ends(void)
{
    g_autoptr(FlowRow) out =
        row_between("192.168.122.11:4000 203.0.113.1:80", "203.0.113.1:80 203.0.113.2:1024");
    g_autoptr(FlowRow) in =
        row_between("192.168.122.1:4000 192.168.122.11:22", "192.168.122.11:22 192.168.122.1:4000");
    g_autoptr(FlowRow) echo = row_between("192.168.122.11 203.0.113.1", "203.0.113.1 203.0.113.2");
    g_autoptr(FlowRow) stray =
        row_between("192.168.122.99:1 203.0.113.1:80", "203.0.113.1:80 192.168.122.99:1");

    assert_told(FLOW_BEGAN, out,
                "14:13:20 VM1 vnet0 began tcp 192.168.122.11:4000 to 203.0.113.1:80 as 203.0.113.2:1024\n");
    assert_told(FLOW_HAS, in, "14:13:20 VM1 vnet0 has tcp 192.168.122.11:22 from 192.168.122.1:4000\n");
    assert_told(FLOW_BEGAN, echo,
                "14:13:20 VM1 vnet0 began icmp 192.168.122.11 to 203.0.113.1 as 203.0.113.2\n");
    assert_told(FLOW_BEGAN, stray, "14:13:20 default began tcp 192.168.122.99:1 to 203.0.113.1:80\n");
}

/* What was counted, and only that; of one that ends. */
static void test_figures(void)
{
    g_autoptr(FlowRow) row = row_between("192.168.122.11 203.0.113.1", "203.0.113.1 192.168.122.11");

#define LINE "14:13:20 VM1 vnet0 ended icmp 192.168.122.11 to 203.0.113.1"
    assert_told(FLOW_ENDED, row, LINE "\n");
    row->age = 122;
    assert_told(FLOW_ENDED, row, LINE ", 2m2s\n");
    row->flow.sent_bytes = 800;
    row->flow.reply_bytes = 42;
    row->flow.sent_packets = 10;
    row->flow.reply_packets = 0;
    assert_told(FLOW_ENDED, row, LINE ", 842 bytes, 10 packets, 2m2s\n");
    row->flow.sent_bytes = row->flow.reply_bytes = 0;
    row->age = 0;
    assert_told(FLOW_ENDED, row, LINE ", 0 bytes, 10 packets, 0s\n");
    assert_told(FLOW_BEGAN, row, "14:13:20 VM1 vnet0 began icmp 192.168.122.11 to 203.0.113.1\n");
#undef LINE
}

static void rename_row(FlowRow *row, const char *domain, const char *tap)
{
    g_clear_pointer(&row->domain, g_ref_string_release);
    g_clear_pointer(&row->tap, g_ref_string_release);
    row->domain = g_ref_string_new(domain);
    row->tap = g_ref_string_new(tap);
}

/* Names are others': no control character reaches the terminal, no line break begins a line, and what is long
 * is cut. */
static void test_hostile(void)
{
    g_autoptr(FlowRow) row = row_between("192.168.122.11 203.0.113.1", "203.0.113.1 192.168.122.11");
    g_autofree char *endless = g_strnfill(5000, 'x');
    const ViewContext view = {.now = WORLD_NOW, .utf8 = TRUE};
    char *text = NULL;
    size_t size;
    FILE *out;

    rename_row(row, "a\x1b[31m\nb\xff", "t\xe2\x80\xae\r");
    assert_line(
        &view, FLOW_BEGAN, row,
        "14:13:20 a\\x1b[31m\\x0ab\\xff t\\xe2\\x80\\xae\\x0d began icmp 192.168.122.11 to 203.0.113.1\n");
    rename_row(row, endless, "vnet0");
    out = open_memstream(&text, &size);
    flows_text_event(out, &stamp, &view, FLOW_BEGAN, row);
    fclose(out);
    g_assert_cmpuint(size, <, 500);
    g_assert_nonnull(strstr(text, " vnet0 began icmp "));
    free(text);
}

/* What began is news, and green; what was there is not. */
#define TIME "\x1b[2m14:13:20\x1b[0m"
static void test_color(void)
{
    g_autoptr(FlowRow) row = row_between("192.168.122.11 203.0.113.1", "203.0.113.1 192.168.122.11");
    const ViewContext view = {.now = WORLD_NOW, .color = TRUE};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_line(&view, FLOW_BEGAN, row,
                TIME " VM1 vnet0 \x1b[32mbegan \x1b[0micmp 192.168.122.11 to 203.0.113.1\n");
    assert_line(&view, FLOW_HAS, row, TIME " VM1 vnet0 has icmp 192.168.122.11 to 203.0.113.1\n");
    flows_text_resync(out, &stamp, &view);
    fclose(out);
    g_assert_cmpstr(text, ==, TIME " \x1b[33mread again\x1b[0m, for something was missed\n");
    free(text);
}

/* ------------------------------------------------------------------------------------------- the table */

static char *table_of(const char *ids, const FlowRow *row, const ViewContext *view)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_autoptr(GPtrArray) columns = columns_select(&flow_columns, ids, NULL, NULL);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    g_ptr_array_add(rows, (gpointer)row);
    table_write(out, columns, rows, view);
    fclose(out);
    return text;
}

static void assert_cells(const char *ids, const FlowRow *row, const char *expected)
{
    const ViewContext view = {.now = WORLD_NOW, .csv = TRUE, .noheadings = TRUE};
    char *text = table_of(ids, row, &view);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void test_columns(void)
{
    g_autoptr(FlowRow) out =
        row_between("192.168.122.11:4000 203.0.113.1:80", "203.0.113.1:80 203.0.113.2:1024");
    g_autoptr(FlowRow) echo = row_between("192.168.122.11 192.168.122.22", "192.168.122.22 192.168.122.11");

    assert_cells("network,domain,tap,protocol,guest,host,remote,began", out,
                 "default,VM1,vnet0,tcp,192.168.122.11:4000,203.0.113.2:1024,203.0.113.1:80,guest\n");
    assert_cells("guest-address,guest-port,host-address,host-port,remote-address,remote-port", out,
                 "192.168.122.11,4000,203.0.113.2,1024,203.0.113.1,80\n");
    /* Neither ports nor translation, and nothing counted. */
    assert_cells("guest,guest-port,host,host-address,host-port,remote,remote-port,remote-domain", echo,
                 "192.168.122.11,,,,,192.168.122.22,,VM2\n");
    assert_cells("bytes,packets,sent,received,age,started", echo, ",,,,,\n");
    /* A protocol without states: whether there was an answer. */
    assert_cells("state", echo, "UNREPLIED\n");
    echo->flow.replied = TRUE;
    assert_cells("state", echo, "\n");
    out->flow.state = 3;
    assert_cells("state", out, "ESTABLISHED\n");
    out->flow.sent_bytes = 0;
    out->flow.reply_bytes = 7;
    out->age = 90061;
    assert_cells("bytes,sent,received,age", out, "7,0,7,1d1h\n");
}

/* A column is as wide as what stands in it: an address of full length is not cut. */
static void test_width(void)
{
    g_autoptr(FlowRow) row =
        row_between("192.168.122.11:4000 203.0.113.1:80", "203.0.113.1:80 192.168.122.11:4000");
    const ViewContext view = {.now = WORLD_NOW, .noheadings = TRUE};
    char *text;

    row->remote = world_ip_of("2001:1111:2222:3333:4444:5555:6666:7777");
    text = table_of("remote,protocol", row, &view);
    g_assert_nonnull(strstr(text, " [2001:1111:2222:3333:4444:5555:6666:7777]:80   tcp"));
    free(text);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flows-text/end", test_end);
    g_test_add_func("/flows-text/ends", test_ends);
    g_test_add_func("/flows-text/figures", test_figures);
    g_test_add_func("/flows-text/hostile", test_hostile);
    g_test_add_func("/flows-text/color", test_color);
    g_test_add_func("/flows-text/columns", test_columns);
    g_test_add_func("/flows-text/width", test_width);
    return g_test_run();
}
