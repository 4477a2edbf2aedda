/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/trace-frame.h"
#include "netlink-frames.h"
#include "packet-tools.h"
#include "sources/trace.h"

/*
 * The kernel's reports, as they were recorded (data/trace/README.md), and the frame that they are about.
 */

static void take_event(const struct nlmsghdr *message, gpointer data)
{
    TraceEvent event;

    g_assert_true(trace_event_parse(message, &event));
    g_array_append_val((GArray *)data, event);
}

static void clear_event(gpointer event)
{
    trace_event_clear(event);
}

static GArray *events_of(const char *name)
{
    GArray *events = g_array_new(FALSE, FALSE, sizeof(TraceEvent));

    g_array_set_clear_func(events, clear_event);
    frames_each(name, take_event, events);
    return events;
}

static void assert_decisions(const GArray *events, const TraceKey *key, const char *const *expected)
{
    g_autoptr(GArray) decisions = trace_decisions(events, key);

    for (guint i = 0; i < decisions->len; i++) {
        const TraceDecision *decision = &g_array_index(decisions, TraceDecision, i);
        g_autofree char *text =
            g_strdup_printf("%s %s %s %s %s", decision->family, decision->table, decision->chain,
                            decision->handle ? "rule" : "policy", packet_verdict_name(decision->verdict));

        g_assert_cmpstr(text, ==, expected[i]);
    }
    g_assert_null(expected[decisions->len]);
}

/* Of the packets that were recorded. */
static const TraceKey key_pass = {7093, 0xe7fb1b16}, key_reject = {33624, 0x8f72cbc2};

/* A guest of libvirt 9.0's network to the outside: forwarded, translated, and taken away by our own rule. */
static void test_recorded_pass(void)
{
    static const char *const expected[] = {
        "ip filter LIBVIRT_FWO rule accept",
        "ip mangle POSTROUTING policy accept",
        "ip nat LIBVIRT_PRT rule accept",
        NULL,
    };
    g_autoptr(GArray) events = events_of("trace/pass.bin");

    assert_decisions(events, &key_pass, expected);
    g_assert_true(trace_is_over(events, &key_pass));
    g_assert_false(trace_is_over(events, &key_reject));
}

/* The same from an isolated network, whose rules reject it. */
static void test_recorded_reject(void)
{
    static const char *const expected[] = {"ip filter LIBVIRT_FWO rule drop", NULL};
    g_autoptr(GArray) events = events_of("trace/reject.bin");

    assert_decisions(events, &key_reject, expected);
    g_assert_true(trace_is_over(events, &key_reject));
    g_array_set_size(events, events->len - 1);
    g_assert_false(trace_is_over(events, &key_reject));
}

/* Cut anywhere and with any byte changed, it is read inside its bounds. */
static void test_hostile(void)
{
    g_auto(Frames) frames = frames_load("trace/pass.bin");

    for (gsize i = 0; i < frames.length; i++) {
        const struct nlmsghdr *message = (const struct nlmsghdr *)(gconstpointer)frames.bytes;
        const gsize length = MIN(message->nlmsg_len, i);
        g_autofree struct nlmsghdr *cut = g_malloc0(MAX(length, sizeof(*cut)));
        TraceEvent event;

        memcpy(cut, message, length);
        cut->nlmsg_len = (guint32)MAX(length, sizeof(*cut));
        cut->nlmsg_type = message->nlmsg_type;
        if (trace_event_parse(cut, &event))
            trace_event_clear(&event);
    }
}

/* ------------------------------------------------------------------------------------------- comparison */

static TraceEvent event_of(guint32 id, const char *table, const char *chain, TraceKind kind, guint64 handle,
                           gint32 verdict)
{
    return (TraceEvent){.id = id,
                        .family = 2,
                        .table = g_strdup(table),
                        .chain = g_strdup(chain),
                        .kind = kind,
                        .handle = handle,
                        .verdict = verdict};
}

static void add_event(GArray *events, guint32 id, const char *table, const char *chain, TraceKind kind,
                      guint64 handle, gint32 verdict)
{
    TraceEvent event = event_of(id, table, chain, kind, handle, verdict);

    g_array_append_val(events, event);
}

static const TraceKey key = {1, 2};

/* The report that shows the packet, in front of a base chain's others. */
static void add_packet(GArray *events, guint32 id, const TraceKey *shown)
{
    TraceEvent event = event_of(id, "filter", "FORWARD", TRACE_RULE, 3, -3);

    event.has_key = TRUE;
    event.key = *shown;
    g_array_append_val(events, event);
}

/* Another packet that is traced meanwhile is passed over; its number may be used again. Jumps decide nothing.
 */
static void test_decisions(void)
{
    static const char *const expected[] = {"ip filter user rule accept", "ip filter FORWARD policy drop",
                                           NULL};
    static const TraceKey other = {1, 3};
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(TraceEvent));

    g_array_set_clear_func(events, clear_event);
    add_packet(events, 7, &other);
    add_event(events, 7, "other", "x", TRACE_RULE, 1, 0);
    add_packet(events, 8, &key);
    add_event(events, 8, "filter", "PREROUTING", TRACE_RULE, 5, -3);
    add_event(events, 7, "filter", "user", TRACE_RULE, 9, 0);
    add_event(events, 8, "filter", "user", TRACE_RULE, 6, 1);
    add_packet(events, 8, &other);
    add_event(events, 8, "filter", "user", TRACE_RULE, 7, 0);
    g_assert_false(trace_is_over(events, &key));
    add_packet(events, 9, &key);
    add_event(events, 9, "filter", "FORWARD", TRACE_RETURN, 6, -5);
    add_event(events, 9, "filter", "FORWARD", TRACE_POLICY, 0, 0);
    assert_decisions(events, &key, expected);
    g_assert_true(trace_is_over(events, &key));
}

/* An earlier rule of that way may be what decides. */
static gboolean unsure;

/* A way of one chain that drops by a rule of this handle. */
static Path *path_with(FirewallTable *table, FirewallChain *chain, FirewallRule *rule, PacketVerdict verdict)
{
    Path *path = g_new0(Path, 1);
    PathHop *hop = g_new0(PathHop, 1);

    path->hops = g_ptr_array_new_with_free_func(g_free);
    path->others = g_ptr_array_new();
    path->forwards = g_ptr_array_new();
    path->checks = g_ptr_array_new();
    hop->kind = PATH_CHAIN;
    hop->verdict = verdict;
    hop->step = (PacketStep){
        .verdict = verdict, .unsure = unsure, .table = table, .base = chain, .chain = chain, .rule = rule};
    g_ptr_array_add(path->hops, hop);
    return path;
}

static guint differences(PacketVerdict verdict, gint64 handle, TraceKind kind, guint64 kernel_handle,
                         gint32 kernel)
{
    FirewallTable *table = firewall_table_new(FIREWALL_NFT, "ip", "filter");
    FirewallChain *chain = firewall_chain_new("FORWARD");
    FirewallRule *rule = handle ? firewall_rule_new() : NULL;
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(TraceEvent));
    g_autoptr(Path) path = path_with(table, chain, rule, verdict);
    g_autoptr(Trace) trace = NULL;

    g_array_set_clear_func(events, clear_event);
    g_ptr_array_add(table->chains, chain);
    if (rule) {
        rule->handle = handle;
        g_ptr_array_add(chain->rules, rule);
    }
    add_packet(events, 8, &key);
    add_event(events, 8, "filter", "FORWARD", kind, kernel_handle, kernel);
    trace = trace_compare(events, &key, path);
    firewall_table_free(table);
    return trace->differences->len;
}

static void test_compare(void)
{
    g_assert_cmpuint(differences(PACKET_DROP, 4, TRACE_RULE, 4, 0), ==, 0);
    g_assert_cmpuint(differences(PACKET_REJECT, 4, TRACE_RULE, 4, 0), ==, 0);
    g_assert_cmpuint(differences(PACKET_ACCEPT, 0, TRACE_POLICY, 0, 1), ==, 0);
    g_assert_cmpuint(differences(PACKET_UNKNOWN, 4, TRACE_RULE, 9, 0), ==, 0);
    g_assert_cmpuint(differences(PACKET_DROP, 4, TRACE_RULE, 5, 0), ==, 1);
    g_assert_cmpuint(differences(PACKET_DROP, 4, TRACE_RULE, 4, 1), ==, 1);
    g_assert_cmpuint(differences(PACKET_DROP, 4, TRACE_POLICY, 0, 0), ==, 1);
    g_assert_cmpuint(differences(PACKET_ACCEPT, 0, TRACE_RULE, 4, 1), ==, 1);
    unsure = TRUE;
    g_assert_cmpuint(differences(PACKET_DROP, 4, TRACE_RULE, 5, 0), ==, 0);
    g_assert_cmpuint(differences(PACKET_DROP, 4, TRACE_RULE, 5, 1), ==, 1);
    unsure = FALSE;
    /* The kernel said nothing of that chain. */
    g_assert_cmpuint(differences(PACKET_ACCEPT, 0, TRACE_RULE, 4, -1), ==, 1);
}

/* ----------------------------------------------------------------------------------------------- frame */

static void assert_sum(const guint8 *bytes, guint length, guint32 sum)
{
    for (guint i = 0; i + 1 < length; i += 2)
        sum += (guint32)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    g_assert_cmphex(sum, ==, 0xffff);
}

/* Of the pseudo header. */
static guint32 sum_of(const Ip *ip)
{
    guint32 sum = 0;

    for (guint i = 0; i < ip_bits(ip) / 8; i += 2)
        sum += (guint32)ip->bytes[i] << 8 | ip->bytes[i + 1];
    return sum;
}

static void test_frames(void)
{
    for (Ask ask = 0; ask < ASK_COUNT; ask++) {
        Packet packet = packet_of(ask);
        const guint header = packet.family == 4 ? 20 : 40;
        const TraceFrame frame = {.packet = &packet,
                                  .from = {{2, 0, 0, 0, 0, 1}},
                                  .to = {{2, 0, 0, 0, 0, 2}},
                                  .key = {0x1234, 0xdeadbeef}};
        g_autoptr(GByteArray) bytes = trace_frame(&frame);
        const guint8 *body = bytes->data + 14 + header;
        const guint length = bytes->len - 14 - header;
        guint32 pseudo = 0;

        g_assert_cmpmem(bytes->data, 6, frame.to.bytes, 6);
        g_assert_cmpmem(bytes->data + 6, 6, frame.from.bytes, 6);
        if (packet.family == 4)
            assert_sum(bytes->data + 14, header, 0);
        if (packet.protocol != IPPROTO_ICMP)
            pseudo = sum_of(&packet.src) + sum_of(&packet.dst) + length + packet.protocol;
        assert_sum(body, length, pseudo);
        g_assert_nonnull(memmem(body, length, "\xde\xad\xbe\xef", 4));
    }
}

static void test_commands(void)
{
    Packet packet = packet_of(ASK_WEB);
    const TraceFrame frame = {.packet = &packet, .key = {9029, 0xffffffff}};
    g_autofree char *commands = trace_commands(&frame);

    g_assert_true(
        g_str_has_prefix(commands, "add table inet vnat_trace; delete table inet vnat_trace; add table"));
    g_assert_nonnull(strstr(commands, "begin ip id 9029 tcp sequence 4294967295 meta nftrace set 1"));
    g_assert_nonnull(strstr(commands, "end_postrouting ip id 9029 tcp sequence 4294967295 drop"));
    g_assert_nonnull(
        strstr(commands, "mute ip daddr 192.168.122.10 tcp flags & rst == rst tcp ackseq 0 drop"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recorded/pass", test_recorded_pass);
    g_test_add_func("/recorded/reject", test_recorded_reject);
    g_test_add_func("/recorded/hostile", test_hostile);
    g_test_add_func("/decisions", test_decisions);
    g_test_add_func("/compare", test_compare);
    g_test_add_func("/frames", test_frames);
    g_test_add_func("/commands", test_commands);
    return g_test_run();
}
