/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "netlink-frames.h"
#include "own-netns.h"
#include "sources/conntrack-follow.h"
#include "sources/conntrack.h"
#include "world.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

/* The recorded table (data/conntrack/record) against what conntrack said of it (dump.txt). */

static void take_flow(const struct nlmsghdr *message, gpointer data)
{
    Flow flow;

    g_assert_true(conntrack_parse(message, &flow));
    g_assert_true(flow_is_sound(&flow));
    g_array_append_val((GArray *)data, flow);
}

static GArray *read_flows(const char *name)
{
    GArray *flows = g_array_new(FALSE, FALSE, sizeof(Flow));

    frames_each(name, take_flow, flows);
    return flows;
}

static char *end_text(const Ip *ip)
{
    char buffer[INET6_ADDRSTRLEN];

    /* conntrack and vnat both write addresses as inet_ntop does. */
    return g_strdup(ip_format(ip, buffer));
}

/* As conntrack -L -o extended,id,ktimestamp has it, without what a flow does not keep. */
static char *line_of(const Flow *flow)
{
    char buffer[FLOW_PROTOCOL_TEXT];
    g_autofree char *source = end_text(&flow->source);
    g_autofree char *destination = end_text(&flow->destination);
    g_autofree char *reply_source = end_text(&flow->reply_source);
    g_autofree char *reply_destination = end_text(&flow->reply_destination);
    const char *state = flow_state_name(flow);
    GString *line = g_string_new(flow->source.family == 6 ? "ipv6 " : "ipv4 ");

    g_string_append(line, flow_protocol_name(flow->protocol, buffer));
    if (state)
        g_string_append_printf(line, " %s", state);
    g_string_append_printf(line, " src=%s dst=%s", source, destination);
    if (flow->has_ports)
        g_string_append_printf(line, " sport=%u dport=%u", flow->source_port, flow->destination_port);
    if (flow->sent_bytes >= 0)
        g_string_append_printf(line, " packets=%" G_GINT64_FORMAT " bytes=%" G_GINT64_FORMAT,
                               flow->sent_packets, flow->sent_bytes);
    if (!flow->replied)
        g_string_append(line, " [UNREPLIED]");
    g_string_append_printf(line, " src=%s dst=%s", reply_source, reply_destination);
    if (flow->has_ports)
        g_string_append_printf(line, " sport=%u dport=%u", flow->reply_source_port,
                               flow->reply_destination_port);
    if (flow->reply_bytes >= 0)
        g_string_append_printf(line, " packets=%" G_GINT64_FORMAT " bytes=%" G_GINT64_FORMAT,
                               flow->reply_packets, flow->reply_bytes);
    if (flow->zone)
        g_string_append_printf(line, " zone=%u", flow->zone);
    g_string_append_printf(line, " id=%u", flow->id);
    return g_string_free(line, FALSE);
}

/* The same words of a line of conntrack's. */
static char *words_of(const char *line)
{
    static const char *const kept[] = {
        "src=", "dst=", "sport=", "dport=", "packets=", "bytes=", "zone=", "[UNREPLIED]"};
    g_auto(GStrv) words = g_strsplit_set(line, " ", -1);
    GString *out = g_string_new(NULL);
    guint seen = 0;
    gboolean icmp = strstr(line, " type=") != NULL;

    for (guint i = 0; words[i]; i++) {
        gboolean keep = FALSE;

        if (!*words[i])
            continue;
        /* ipv4 2 tcp 6 600 ESTABLISHED: names, not numbers. */
        seen++;
        keep = seen == 1 || seen == 3 || (seen == 6 && g_ascii_isupper(words[i][0]));
        for (guint k = 0; k < G_N_ELEMENTS(kept); k++)
            keep = keep || g_str_has_prefix(words[i], kept[k]);
        /* Of ICMP, id= is that of the packets; the entry's comes last. */
        keep = keep || (g_str_has_prefix(words[i], "id=") && (!icmp || seen > 20));
        if (keep)
            g_string_append_printf(out, "%s%s", out->len ? " " : "", words[i]);
    }
    return g_string_free(out, FALSE);
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted(GPtrArray *lines)
{
    g_ptr_array_sort(lines, compare_lines);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

static void test_dump(void)
{
    g_autoptr(GArray) flows = read_flows("conntrack/dump.bin");
    g_autoptr(GPtrArray) ours = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) theirs = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = g_build_filename(TEST_DATA, "conntrack/dump.txt", NULL);
    g_autofree char *text = NULL;
    g_autofree char *left = NULL;
    g_autofree char *right = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (guint i = 0; i < flows->len; i++)
        g_ptr_array_add(ours, line_of(&g_array_index(flows, Flow, i)));
    for (guint i = 0; lines[i]; i++)
        g_ptr_array_add(theirs, words_of(lines[i]));
    left = sorted(ours);
    right = sorted(theirs);
    g_assert_cmpstr(left, ==, right);
    g_assert_cmpuint(flows->len, >=, 8);
}

/* Times: nanoseconds there, microseconds here. */
static void test_times(void)
{
    g_autoptr(GArray) flows = read_flows("conntrack/dump.bin");

    for (guint i = 0; i < flows->len; i++) {
        const Flow *flow = &g_array_index(flows, Flow, i);

        g_assert_cmpint(flow->started / G_USEC_PER_SEC, >, G_GINT64_CONSTANT(1500000000));
        g_assert_cmpint(flow->started / G_USEC_PER_SEC, <, G_GINT64_CONSTANT(4000000000));
        g_assert_cmpint(flow->stopped, ==, 0);
    }
}

/* A translated TCP connection and an echo, each begins and ends. */
static void test_events(void)
{
    g_autoptr(GArray) flows = read_flows("conntrack/events.bin");
    const Flow *began = &g_array_index(flows, Flow, 0);
    const Flow *ended = &g_array_index(flows, Flow, 2);
    char buffer[IP_TEXT];

    g_assert_cmpuint(flows->len, ==, 4);
    g_assert_true(flow_equal(began, ended));
    g_assert_cmpuint(flow_hash(began), ==, flow_hash(ended));
    g_assert_false(flow_equal(began, &g_array_index(flows, Flow, 1)));
    g_assert_cmpstr(ip_format(&began->reply_destination, buffer), ==, "203.0.113.2");
    g_assert_cmpuint(began->reply_destination_port, ==, 1024);
    g_assert_cmpint(ended->stopped, >=, ended->started);
    g_assert_cmpint(g_array_index(flows, Flow, 3).sent_packets, ==, 2);
}

/* Cut short, of another subsystem, of another type: no entry, and nothing outside is read. */
static void test_damaged(void)
{
    g_auto(Frames) frames = frames_load("conntrack/dump.bin");
    g_autofree struct nlmsghdr *whole = frames_copy(&frames, 0);
    Flow flow;

    for (gsize length = sizeof(struct nlmsghdr); length < whole->nlmsg_len; length++) {
        g_autofree struct nlmsghdr *cut = frame_cut(whole, length);

        if (conntrack_parse(cut, &flow))
            g_assert_true(flow_is_sound(&flow));
        if (length < sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg) + 8)
            g_assert_false(conntrack_parse(cut, &flow));
    }
    whole->nlmsg_type = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_CT_NEW;
    g_assert_false(conntrack_parse(whole, &flow));
    whole->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS;
    g_assert_false(conntrack_parse(whole, &flow));
}

/* ------------------------------------------------------------------------------- this kernel's own */

static void take_nothing(gpointer data G_GNUC_UNUSED, const Flow *flow G_GNUC_UNUSED)
{
}

static void lost_nothing(gpointer data G_GNUC_UNUSED)
{
}

static void test_live(void)
{
    static const ConntrackTell tell = {take_nothing, take_nothing, lost_nothing, lost_nothing};
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(ConntrackFollow) follow = NULL;

    if (!in_own_netns())
        return;
    conntrack_read(facts, DEADLINE_NEVER);
    g_assert_cmpint(facts->sources[SOURCE_CONNTRACK].state, ==, SOURCE_LIVE);
    g_assert_cmpuint(facts->sources[SOURCE_CONNTRACK].generation, ==, 1);
    g_assert_cmpuint(facts->flows->len, ==, 0);
    follow = conntrack_follow_new(&tell, NULL, &error);
    g_assert_no_error(error);
    conntrack_follow_drain(follow);
    /* A deadline that has passed: what was read is older now. */
    conntrack_read(facts, deadline_in(0));
    g_assert_cmpint(facts->sources[SOURCE_CONNTRACK].state, ==, SOURCE_STALE);
}

static void test_denied(void)
{
    g_autoptr(GError) error = NULL;

    vnat_error_set(&error, VNAT_ERROR_DENIED, "netlink: Operation not permitted");
    conntrack_explain(&error);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "CAP_NET_ADMIN"));
    g_assert_cmpstr(vnat_error_get_hint(error), ==, "sudo vnat flows");
    g_clear_error(&error);
    vnat_error_set(&error, VNAT_ERROR_DEADLINE, "late");
    conntrack_explain(&error);
    g_assert_cmpstr(error->message, ==, "late");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conntrack-parse/dump", test_dump);
    g_test_add_func("/conntrack-parse/times", test_times);
    g_test_add_func("/conntrack-parse/events", test_events);
    g_test_add_func("/conntrack-parse/damaged", test_damaged);
    g_test_add_func("/conntrack-parse/live", test_live);
    g_test_add_func("/conntrack-parse/denied", test_denied);
    return g_test_run();
}
