/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack-private.h"
#include "actions/conntrack.h"
#include "actions/guard.h"
#include "base/error.h"
#include "netlink-frames.h"
#include "own-netns.h"
#include "sources/conntrack.h"
#include "world.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

static gboolean wants(const Facts *facts, const char *from, const char *to)
{
    const Ip source = world_ip_of(from), destination = world_ip_of(to);

    return flow_wants_nat(facts, facts_network(facts, "default"), &source, &destination);
}

static void test_wants(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = facts_network(facts, "default");

    g_assert_true(wants(facts, "192.168.122.10", "203.0.113.1"));
    g_assert_true(wants(facts, "192.168.122.10", "192.168.121.1"));
    /* Another subnet's, and what stays on this one or this host. */
    g_assert_false(wants(facts, "192.168.121.10", "203.0.113.1"));
    g_assert_false(wants(facts, "203.0.113.1", "192.168.122.10"));
    g_assert_false(wants(facts, "192.168.122.10", "192.168.122.11"));
    g_assert_false(wants(facts, "192.168.122.10", "192.168.122.1"));
    g_assert_false(wants(facts, "192.168.122.10", "127.0.0.1"));
    g_assert_false(wants(facts, "192.168.122.10", "224.0.0.251"));
    g_assert_false(wants(facts, "192.168.122.10", "255.255.255.255"));
    /* IPv6 where it is translated. */
    world_ip(network, "fd00:122::1/64", NULL, NULL);
    g_assert_false(wants(facts, "fd00:122::7", "2001:db8::1"));
    network->nat_ipv6 = TRUE;
    g_assert_true(wants(facts, "fd00:122::7", "2001:db8::1"));
    g_assert_false(wants(facts, "fd00:122::7", "fe80::1"));
    g_free(network->forward);
    network->forward = g_strdup("route");
    g_assert_false(wants(facts, "192.168.122.10", "203.0.113.1"));
}

/* An own address of this host, of whatever device. */
static void test_own(void)
{
    g_autoptr(Facts) facts = world_host();
    const LinkAddress uplink = {.ifindex = 2, .net = world_net_of("198.51.100.7/24")};

    g_assert_true(wants(facts, "192.168.122.10", "198.51.100.7"));
    g_array_append_val(facts->addresses, uplink);
    g_assert_false(wants(facts, "192.168.122.10", "198.51.100.7"));
    g_assert_true(wants(facts, "192.168.122.10", "198.51.100.8"));
}

/* -------------------------------------------------------------------------------------- the deletion */

/* The attributes of a message of connection tracking's. */
static void attrs_of(const struct nlmsghdr *message, const struct nlattr **attrs)
{
    netlink_attrs(message, sizeof(struct nfgenmsg), attrs, CTA_MAX + 1);
}

static void assert_same(const struct nlattr *left, const struct nlattr *right)
{
    if (!left || !right)
        g_assert_true(left == right);
    else
        g_assert_cmpmem(left, left->nla_len, right, right->nla_len);
}

/* What names the entry, as the kernel wrote it, and nothing else. */
static void check_deletion(const struct nlmsghdr *entry, gpointer data)
{
    const struct nfgenmsg *written = netlink_body(entry, sizeof(*written));
    const struct nlattr *theirs[CTA_MAX + 1], *ours[CTA_MAX + 1];
    const struct nlmsghdr *message;
    const struct nfgenmsg *body;
    NetlinkRequest request;

    g_assert_true(conntrack_deletion(entry, &request));
    message = (const struct nlmsghdr *)request.words;
    body = netlink_body(message, sizeof(*body));
    g_assert_cmpuint(message->nlmsg_type, ==, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
    g_assert_cmpuint(body->nfgen_family, ==, written->nfgen_family);
    attrs_of(entry, theirs);
    attrs_of(message, ours);
    for (guint type = 0; type <= CTA_MAX; type++) {
        if (type == CTA_TUPLE_ORIG || type == CTA_ZONE || type == CTA_ID)
            assert_same(theirs[type], ours[type]);
        else
            g_assert_null(ours[type]);
    }
    g_assert_nonnull(ours[CTA_TUPLE_ORIG]);
    g_assert_nonnull(ours[CTA_ID]);
    *(guint *)data += ours[CTA_ZONE] != NULL;
}

static void test_deletion(void)
{
    guint zones = 0;

    frames_each("conntrack/dump.bin", check_deletion, &zones);
    g_assert_cmpuint(zones, >, 0);
}

/* Without a tuple the kernel would empty its table. */
static void test_deletion_damaged(void)
{
    g_auto(Frames) frames = frames_load("conntrack/dump.bin");
    g_autofree struct nlmsghdr *whole = frames_copy(&frames, 0);
    const struct nlattr *attrs[CTA_MAX + 1];
    NetlinkRequest request;

    for (gsize length = sizeof(struct nlmsghdr); length < whole->nlmsg_len; length++) {
        g_autofree struct nlmsghdr *cut = frame_cut(whole, length);
        Flow flow;

        g_assert_true(conntrack_deletion(cut, &request) == conntrack_parse(cut, &flow));
        if (conntrack_parse(cut, &flow)) {
            attrs_of((const struct nlmsghdr *)request.words, attrs);
            g_assert_nonnull(attrs[CTA_TUPLE_ORIG]);
        }
    }
}

/* A zone that is longer than a request: read as none, and no entry to delete. */
static void test_deletion_long(void)
{
    static const guint8 much[600];
    g_auto(Frames) frames = frames_load("conntrack/dump.bin");
    g_autofree struct nlmsghdr *whole = frames_copy(&frames, 0);
    const struct nlattr zone = {.nla_len = NLA_HDRLEN + sizeof(much), .nla_type = CTA_ZONE};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct nlmsghdr *grown;
    NetlinkRequest request;
    Flow flow;

    g_byte_array_append(bytes, (const guint8 *)whole, NLMSG_ALIGN(whole->nlmsg_len));
    g_byte_array_append(bytes, (const guint8 *)&zone, sizeof(zone));
    g_byte_array_append(bytes, much, sizeof(much));
    grown = (struct nlmsghdr *)(void *)bytes->data;
    grown->nlmsg_len = bytes->len;
    g_assert_true(conntrack_parse(grown, &flow));
    g_assert_false(conntrack_deletion(grown, &request));
}

/* ------------------------------------------------------------------------------------ the kernel's own */

typedef struct {
    const char *from, *to, *back; /* back: to whom answers go */
    guint8 protocol;
    guint16 port; /* of an echo its number */
    guint16 zone;
} Entry;

static void put_be16(NetlinkRequest *request, guint16 type, guint16 value)
{
    const guint16 number = g_htons(value);

    netlink_request_put(request, type, &number, sizeof(number));
}

static void put_ends(NetlinkRequest *request, const char *from, const char *to)
{
    const Ip source = world_ip_of(from), destination = world_ip_of(to);
    const gboolean v4 = source.family == 4;
    struct nlattr *nest = netlink_request_nest(request, CTA_TUPLE_IP | NLA_F_NESTED);

    netlink_request_put(request, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, source.bytes, v4 ? 4 : 16);
    netlink_request_put(request, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, destination.bytes, v4 ? 4 : 16);
    netlink_request_nest_end(request, nest);
}

static void put_protocol(NetlinkRequest *request, const Entry *entry, gboolean reply)
{
    struct nlattr *nest = netlink_request_nest(request, CTA_TUPLE_PROTO | NLA_F_NESTED);

    netlink_request_put_u8(request, CTA_PROTO_NUM, entry->protocol);
    if (entry->protocol == IPPROTO_ICMP) {
        netlink_request_put_u8(request, CTA_PROTO_ICMP_TYPE, reply ? 0 : 8);
        netlink_request_put_u8(request, CTA_PROTO_ICMP_CODE, 0);
        put_be16(request, CTA_PROTO_ICMP_ID, entry->port);
    } else {
        put_be16(request, CTA_PROTO_SRC_PORT, reply ? 80 : entry->port);
        put_be16(request, CTA_PROTO_DST_PORT, reply ? entry->port : 80);
    }
    netlink_request_nest_end(request, nest);
}

static void put_tuple(NetlinkRequest *request, const Entry *entry, gboolean reply)
{
    struct nlattr *nest =
        netlink_request_nest(request, (reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG) | NLA_F_NESTED);

    put_ends(request, reply ? entry->to : entry->from, reply ? entry->back : entry->to);
    put_protocol(request, entry, reply);
    netlink_request_nest_end(request, nest);
}

static void make_entry(const Entry *entry)
{
    const Ip source = world_ip_of(entry->from);
    const struct nfgenmsg body = {.nfgen_family = source.family == 4 ? AF_INET : AF_INET6,
                                  .version = NFNETLINK_V0};
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, &error);
    NetlinkRequest request;

    g_assert_no_error(error);
    netlink_request_init(&request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, &body, sizeof(body));
    put_tuple(&request, entry, FALSE);
    put_tuple(&request, entry, TRUE);
    netlink_request_put_u32(&request, CTA_TIMEOUT, g_htonl(600));
    if (entry->zone)
        put_be16(&request, CTA_ZONE, entry->zone);
    netlink_change(netlink, &request, NLM_F_CREATE | NLM_F_EXCL, deadline_in(60), &error);
    g_assert_no_error(error);
}

static void assert_left(guint count)
{
    g_autoptr(GArray) flows = g_array_new(FALSE, FALSE, sizeof(Flow));
    g_autoptr(GError) error = NULL;

    conntrack_dump(flows, deadline_in(60), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(flows->len, ==, count);
}

static void assert_forgotten(const Facts *facts, guint count)
{
    g_autoptr(GError) error = NULL;
    guint deleted = 99;

    conntrack_forget_untranslated(facts, facts_network(facts, "default"), &deleted, deadline_in(60), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(deleted, ==, count);
}

/* Of any protocol and zone, and none but those. */
static void test_forget(void)
{
    static const Entry entries[] = {
        {"192.168.122.10", "203.0.113.1", "192.168.122.10", IPPROTO_TCP, 5000, 0},
        {"192.168.122.10", "203.0.113.1", "192.168.122.10", IPPROTO_TCP, 5000, 7},
        {"192.168.122.10", "203.0.113.1", "192.168.122.10", IPPROTO_UDP, 5000, 0},
        {"192.168.122.10", "203.0.113.1", "192.168.122.10", IPPROTO_ICMP, 77, 0},
        /* Translated, of another subnet, within this one. */
        {"192.168.122.10", "203.0.113.1", "203.0.113.2", IPPROTO_TCP, 5001, 0},
        {"192.168.122.10", "203.0.113.1", "203.0.113.2", IPPROTO_ICMP, 78, 0},
        {"192.168.121.10", "203.0.113.1", "192.168.121.10", IPPROTO_TCP, 5000, 0},
        {"192.168.122.10", "192.168.122.1", "192.168.122.10", IPPROTO_UDP, 5000, 0},
        {"fd00:122::7", "2001:db8::1", "fd00:122::7", IPPROTO_TCP, 5000, 0},
    };
    g_autoptr(Facts) facts = world_host();
    Network *network = facts_network(facts, "default");

    if (!in_own_netns())
        return;
    assert_forgotten(facts, 0);
    for (guint i = 0; i < G_N_ELEMENTS(entries); i++)
        make_entry(&entries[i]);
    assert_forgotten(facts, 4);
    assert_left(G_N_ELEMENTS(entries) - 4);
    world_ip(network, "fd00:122::1/64", NULL, NULL);
    network->nat_ipv6 = TRUE;
    assert_forgotten(facts, 1);
    assert_left(G_N_ELEMENTS(entries) - 5);
}

static gboolean want_all(const Flow *flow G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
    return TRUE;
}

/* The attribute of an entry, to be changed. */
static guint32 *id_of(struct nlmsghdr *entry)
{
    const struct nlattr *attrs[CTA_MAX + 1];

    attrs_of(entry, attrs);
    return (guint32 *)((guint8 *)entry + ((const guint8 *)attrs[CTA_ID] - (const guint8 *)entry) +
                       NLA_HDRLEN);
}

/* One that ended meanwhile is no failure, and one that came into its place stays. */
static void test_gone(void)
{
    static const Entry entry = {"192.168.122.10", "203.0.113.1", "192.168.122.10", IPPROTO_TCP, 5000, 0};
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GError) error = NULL;
    guint deleted = 99;

    if (!in_own_netns())
        return;
    make_entry(&entry);
    entries = conntrack_find(want_all, NULL, deadline_in(60), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(entries->len, ==, 1);
    *id_of(entries->pdata[0]) ^= 1;
    g_assert_true(conntrack_forget_entries(entries, &deleted, deadline_in(60), &error));
    g_assert_cmpuint(deleted, ==, 0);
    assert_left(1);
    *id_of(entries->pdata[0]) ^= 1;
    g_assert_true(conntrack_forget_entries(entries, &deleted, deadline_in(60), &error));
    g_assert_cmpuint(deleted, ==, 1);
    assert_left(0);
    g_assert_true(conntrack_forget_entries(entries, &deleted, deadline_in(60), &error));
    g_assert_cmpuint(deleted, ==, 0);
    g_assert_no_error(error);
}

/* No time left: nothing was deleted, and the hint is the command that does it. */
static void test_late(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Facts) facts = world_host();
    guint deleted = 99;

    if (!in_own_netns())
        return;
    g_assert_false(conntrack_forget_untranslated(facts, facts_network(facts, "default"), &deleted,
                                                 deadline_in(0), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_true(g_str_has_prefix(error->message, "cannot read the kernel's connections: "));
    g_assert_cmpstr(vnat_error_get_hint(error), ==, "conntrack -D -s 192.168.122.0/24");
    g_assert_cmpuint(deleted, ==, 0);
}

/* Devices of active networks that libvirt made, whose names are plain; each is forgotten by itself. */
static void test_guard(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autofree char *commands = guard_commands(facts);
    g_autofree char *one = NULL;
    g_autofree char *none = NULL;

    g_assert_nonnull(strstr(commands, "{ \"virbr0\" timeout 15s, \"virbr1\" timeout 15s }"));
    g_assert_nonnull(strstr(commands, "hook forward priority -10"));
    facts_network(facts, "lab")->active = FALSE;
    one = guard_commands(facts);
    g_assert_nonnull(strstr(one, "{ \"virbr0\" timeout 15s }"));
    g_free(facts_network(facts, "default")->bridge);
    facts_network(facts, "default")->bridge = g_strdup("\" }; x");
    none = guard_commands(facts);
    g_assert_null(none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conntrack/wants", test_wants);
    g_test_add_func("/conntrack/own", test_own);
    g_test_add_func("/conntrack/deletion", test_deletion);
    g_test_add_func("/conntrack/deletion-damaged", test_deletion_damaged);
    g_test_add_func("/conntrack/deletion-long", test_deletion_long);
    g_test_add_func("/conntrack/forget", test_forget);
    g_test_add_func("/conntrack/gone", test_gone);
    g_test_add_func("/conntrack/late", test_late);
    g_test_add_func("/conntrack/guard", test_guard);
    return g_test_run();
}
