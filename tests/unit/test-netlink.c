/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/netlink-private.h"
#include "own-netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* A frame in memory that ends where it ends, so that the sanitizers see a step too far. */
typedef struct {
    guint8 bytes[512];
    gsize length;
} Builder;

static void put(Builder *builder, const void *bytes, gsize length)
{
    g_assert_cmpuint(builder->length + length, <=, sizeof(builder->bytes));
    memcpy(builder->bytes + builder->length, bytes, length);
    builder->length += length;
}

static void put_attr(Builder *builder, guint16 type, const void *value, gsize length)
{
    const struct nlattr attr = {.nla_len = (guint16)(sizeof(attr) + length), .nla_type = type};

    put(builder, &attr, sizeof(attr));
    put(builder, value, length);
    builder->length = NLA_ALIGN(builder->length);
}

static struct nlmsghdr *finish(const Builder *builder, guint16 type, guint16 flags)
{
    struct nlmsghdr *message = g_malloc0(NLMSG_HDRLEN + builder->length);

    message->nlmsg_len = (guint32)(NLMSG_HDRLEN + builder->length);
    message->nlmsg_type = type;
    message->nlmsg_flags = flags;
    message->nlmsg_seq = 7;
    memcpy((guint8 *)message + NLMSG_HDRLEN, builder->bytes, builder->length);
    return message;
}

static void count_message(const struct nlmsghdr *message, gpointer data)
{
    guint *sum = data;

    *sum += message->nlmsg_len;
}

/* --------------------------------------------------------------------------------------- the bytes */

static void test_each(void)
{
    struct {
        struct nlmsghdr first;
        guint8 odd[4];
        struct nlmsghdr second;
    } both = {.first.nlmsg_len = 17, .second.nlmsg_len = 16};
    guint sum = 0;

    g_assert_true(netlink_each(&both, sizeof(both), count_message, &sum));
    g_assert_cmpuint(sum, ==, 33);
    /* Bytes behind the last message are no message. */
    sum = 0;
    g_assert_false(netlink_each(&both, sizeof(both) - 1, count_message, &sum));
    g_assert_cmpuint(sum, ==, 17);
    /* Padding may be missing at the end. */
    sum = 0;
    g_assert_true(netlink_each(&both, 17, count_message, &sum));
    g_assert_cmpuint(sum, ==, 17);
    g_assert_true(netlink_each(&both, 0, count_message, &sum));
    g_assert_cmpuint(sum, ==, 17);
}

static void test_each_hostile(void)
{
    static const guint32 lengths[] = {0, 1, 15, 17, 0x7fffffff, 0xffffffff};

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree struct nlmsghdr *message = g_new0(struct nlmsghdr, 1);
        guint sum = 0;

        message->nlmsg_len = lengths[i];
        g_assert_false(netlink_each(message, sizeof(*message), count_message, &sum));
        g_assert_cmpuint(sum, ==, 0);
    }
}

static void test_body(void)
{
    const Builder builder = {.length = 12};
    g_autofree struct nlmsghdr *message = finish(&builder, RTM_NEWROUTE, 0);

    g_assert_true(netlink_body(message, 12) == (guint8 *)message + NLMSG_HDRLEN);
    g_assert_null(netlink_body(message, 13));
    message->nlmsg_len = NLMSG_HDRLEN;
    g_assert_null(netlink_body(message, 1));
}

static void test_attrs(void)
{
    const struct nlattr *attrs[4];
    Builder builder = {.length = 4};
    g_autofree struct nlmsghdr *message = NULL;
    guint8 copy[6];

    put_attr(&builder, 1, "\x2a", 1);
    put_attr(&builder, 2 | NLA_F_NESTED, "\x01\x02\x03\x04", 4);
    put_attr(&builder, 3, "text", 5);
    put_attr(&builder, 9, "beyond the table", 16);
    put_attr(&builder, 1, "\x2b", 1);
    message = finish(&builder, RTM_NEWLINK, 0);
    netlink_attrs(message, 4, attrs, G_N_ELEMENTS(attrs));
    g_assert_null(attrs[0]);
    g_assert_cmpuint(netlink_attr_u8(attrs[1], 0), ==, 0x2b);
    g_assert_cmphex(netlink_attr_u32(attrs[2], 0), ==, GUINT32_FROM_LE(0x04030201));
    g_assert_cmpstr(netlink_attr_string(attrs[3]), ==, "text");
    /* Another length, or none at all, is not a number. */
    g_assert_cmpuint(netlink_attr_u8(attrs[2], 99), ==, 99);
    g_assert_cmpuint(netlink_attr_u16(attrs[2], 98), ==, 98);
    g_assert_cmpuint(netlink_attr_u32(attrs[1], 97), ==, 97);
    g_assert_cmpuint(netlink_attr_u32(NULL, 96), ==, 96);
    /* Four bytes without a NUL are no text. */
    g_assert_null(netlink_attr_string(attrs[2]));
    g_assert_null(netlink_attr_string(NULL));
    g_assert_true(netlink_attr_copy(attrs[2], copy, 3));
    g_assert_cmpmem(copy, 3, "\x01\x02\x03", 3);
    g_assert_false(netlink_attr_copy(attrs[2], copy, 5));
    g_assert_false(netlink_attr_copy(NULL, copy, 1));
}

/* At every length the attributes that are wholly inside are found, and no byte behind is read. */
static void test_attrs_cut(void)
{
    Builder builder = {0};

    put_attr(&builder, 1, "\x01\x02\x03\x04", 4);
    put_attr(&builder, 2, "x", 2);
    for (gsize length = 0; length <= builder.length; length++) {
        g_autofree guint8 *bytes = g_memdup2(builder.bytes, length);
        const struct nlattr *attrs[3];

        netlink_attrs_in(bytes, length, attrs, G_N_ELEMENTS(attrs));
        g_assert_true((attrs[1] != NULL) == (length >= 8));
        g_assert_true((attrs[2] != NULL) == (length >= 14));
    }
}

static void test_attrs_hostile(void)
{
    static const guint16 lengths[] = {0, 3, 9, 0xffff};
    const struct nlattr *attrs[2];

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        struct {
            struct nlattr attr;
            guint32 value;
        } one = {.attr = {.nla_len = lengths[i], .nla_type = 1}};

        netlink_attrs_in(&one, sizeof(one), attrs, G_N_ELEMENTS(attrs));
        g_assert_null(attrs[1]);
    }
    netlink_attrs_nested(NULL, attrs, G_N_ELEMENTS(attrs));
    g_assert_null(attrs[1]);
}

static void test_attrs_nested(void)
{
    const struct nlattr *outer[2], *inner[3];
    Builder builder = {0}, nested = {0};

    put_attr(&nested, 2, "in", 3);
    put_attr(&builder, 1, nested.bytes, nested.length);
    netlink_attrs_in(builder.bytes, builder.length, outer, G_N_ELEMENTS(outer));
    netlink_attrs_nested(outer[1], inner, G_N_ELEMENTS(inner));
    g_assert_cmpstr(netlink_attr_string(inner[2]), ==, "in");
}

static void test_request(void)
{
    const struct ifinfomsg body = {.ifi_index = 5};
    const struct nlattr *attrs[IFLA_LINKINFO + 1], *inner[IFLA_INFO_KIND + 1];
    NetlinkRequest request;
    const struct nlmsghdr *message = (const struct nlmsghdr *)request.words;
    struct nlattr *nest;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    netlink_request_put_u32(&request, IFLA_MTU, 1400);
    netlink_request_put_u8(&request, IFLA_OPERSTATE, 6);
    nest = netlink_request_nest(&request, IFLA_LINKINFO);
    netlink_request_put(&request, IFLA_INFO_KIND, "veth", 5);
    netlink_request_nest_end(&request, nest);
    g_assert_cmpuint(message->nlmsg_type, ==, RTM_SETLINK);
    g_assert_cmpmem(netlink_body(message, sizeof(body)), sizeof(body), &body, sizeof(body));
    netlink_attrs(message, sizeof(body), attrs, G_N_ELEMENTS(attrs));
    g_assert_cmpuint(netlink_attr_u32(attrs[IFLA_MTU], 0), ==, 1400);
    g_assert_cmpuint(netlink_attr_u8(attrs[IFLA_OPERSTATE], 0), ==, 6);
    netlink_attrs_nested(attrs[IFLA_LINKINFO], inner, G_N_ELEMENTS(inner));
    g_assert_cmpstr(netlink_attr_string(inner[IFLA_INFO_KIND]), ==, "veth");
}

/* ------------------------------------------------------------------------------------ the exchange */

static void test_exchange_done(void)
{
    guint sum = 0;
    g_auto(NetlinkExchange) exchange = {.sequence = 7, .take = count_message, .data = &sum};
    const Builder zero = {.length = 4};
    g_autofree struct nlmsghdr *part = finish(&zero, RTM_NEWLINK, NLM_F_MULTI);
    g_autofree struct nlmsghdr *noop = finish(&zero, NLMSG_NOOP, 0);
    g_autofree struct nlmsghdr *done = finish(&zero, NLMSG_DONE, NLM_F_MULTI);

    netlink_exchange_take(part, &exchange);
    netlink_exchange_take(noop, &exchange);
    g_assert_cmpuint(sum, ==, 20);
    /* The rest of another exchange. */
    part->nlmsg_seq = 6;
    netlink_exchange_take(part, &exchange);
    g_assert_cmpuint(sum, ==, 20);
    g_assert_false(exchange.finished);
    netlink_exchange_take(done, &exchange);
    g_assert_true(exchange.finished);
    g_assert_false(exchange.torn);
    g_assert_cmpint(exchange.error, ==, 0);
    part->nlmsg_seq = 7;
    netlink_exchange_take(part, &exchange);
    g_assert_cmpuint(sum, ==, 20);
}

static void test_exchange_torn(void)
{
    const Builder zero = {.length = 4};
    static const guint16 types[] = {RTM_NEWLINK, NLMSG_DONE};

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_auto(NetlinkExchange) exchange = {.sequence = 7};
        g_autofree struct nlmsghdr *message = finish(&zero, types[i], NLM_F_DUMP_INTR);

        netlink_exchange_take(message, &exchange);
        g_assert_true(exchange.torn);
    }
}

static void test_exchange_error(void)
{
    static const struct {
        int result, expected;
    } cases[] = {{0, 0},       {-EPERM, EPERM},     {-ENODEV, ENODEV},
                 {5, EBADMSG}, {G_MININT, EBADMSG}, {-5000, EBADMSG}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(NetlinkExchange) error = {.sequence = 7}, done = {.sequence = 7};
        const struct nlmsgerr answer = {.error = cases[i].result};
        Builder builder = {0};
        g_autofree struct nlmsghdr *error_message = NULL, *done_message = NULL;

        put(&builder, &answer, sizeof(answer));
        error_message = finish(&builder, NLMSG_ERROR, 0);
        netlink_exchange_take(error_message, &error);
        g_assert_true(error.finished);
        g_assert_cmpint(error.error, ==, cases[i].expected);
        g_assert_null(error.cause);
        done_message = finish(&builder, NLMSG_DONE, 0);
        netlink_exchange_take(done_message, &done);
        g_assert_cmpint(done.error, ==, cases[i].expected);
    }
}

/* The kernel's text stands behind the request, which is repeated whole or as its header only. */
static void test_exchange_cause(void)
{
    for (guint capped = 0; capped < 2; capped++) {
        g_auto(NetlinkExchange) exchange = {.sequence = 7};
        const struct nlmsgerr answer = {.error = -EINVAL, .msg = {.nlmsg_len = NLMSG_HDRLEN + 8}};
        Builder builder = {0};
        g_autofree struct nlmsghdr *message = NULL;

        put(&builder, &answer, sizeof(answer));
        if (!capped)
            put(&builder, "\0\0\0\0\0\0\0\0", 8);
        put_attr(&builder, NLMSGERR_ATTR_MSG, "no such thing", 14);
        message = finish(&builder, NLMSG_ERROR, NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
        netlink_exchange_take(message, &exchange);
        g_assert_cmpstr(exchange.cause, ==, "no such thing");
    }
}

static void test_exchange_error_cut(void)
{
    g_auto(NetlinkExchange) exchange = {.sequence = 7}, lying = {.sequence = 7};
    const struct nlmsgerr answer = {.error = -EINVAL, .msg = {.nlmsg_len = 0xffffffff}};
    Builder builder = {.length = 3};
    g_autofree struct nlmsghdr *cut = finish(&builder, NLMSG_ERROR, NLM_F_ACK_TLVS);
    g_autofree struct nlmsghdr *message = NULL;

    netlink_exchange_take(cut, &exchange);
    g_assert_cmpint(exchange.error, ==, EBADMSG);
    /* The request it claims to repeat would be longer than the message. */
    builder.length = 0;
    put(&builder, &answer, sizeof(answer));
    message = finish(&builder, NLMSG_ERROR, NLM_F_ACK_TLVS);
    netlink_exchange_take(message, &lying);
    g_assert_cmpint(lying.error, ==, EINVAL);
    g_assert_null(lying.cause);
}

/* -------------------------------------------------------------------------------------- the kernel */

static Netlink *open_route(void)
{
    g_autoptr(GError) error = NULL;
    Netlink *netlink = netlink_open(NETLINK_ROUTE, &error);

    g_assert_no_error(error);
    return netlink;
}

static void request_links(NetlinkRequest *request)
{
    const struct ifinfomsg body = {0};

    netlink_request_init(request, RTM_GETLINK, &body, sizeof(body));
}

static void test_socket(void)
{
    g_autoptr(Netlink) netlink = open_route();
    g_autoptr(GError) error = NULL;
    int bytes = 0;
    socklen_t length = sizeof(bytes);

    g_assert_true(fcntl(netlink_fd(netlink), F_GETFD) & FD_CLOEXEC);
    g_assert_true(fcntl(netlink_fd(netlink), F_GETFL) & O_NONBLOCK);
    g_assert_cmpint(getsockopt(netlink_fd(netlink), SOL_SOCKET, SO_RCVBUF, &bytes, &length), ==, 0);
    if (geteuid() == 0)
        g_assert_cmpint(bytes, >=, (gint64)8 * 1024 * 1024);
    g_assert_null(netlink_open(255, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED);
    netlink_close(NULL);
}

static void test_dump(void)
{
    g_autoptr(Netlink) netlink = open_route();
    g_autoptr(GError) error = NULL;
    NetlinkRequest request;

    request_links(&request);
    /* A socket serves one dump after another. */
    for (guint i = 0; i < 3; i++) {
        guint sum = 0;

        g_assert_cmpint(netlink_dump(netlink, &request, count_message, &sum, deadline_in(60), &error), !=,
                        NETLINK_FAILED);
        g_assert_no_error(error);
        g_assert_cmpuint(sum, >, NLMSG_HDRLEN);
    }
}

static void test_dump_refused(void)
{
    const guint8 body[4] = {0};
    g_autoptr(Netlink) netlink = open_route();
    g_autoptr(GError) error = NULL;
    NetlinkRequest request;

    netlink_request_init(&request, RTM_GETROUTE, body, sizeof(body));
    g_assert_cmpint(netlink_dump(netlink, &request, NULL, NULL, deadline_in(60), &error), ==, NETLINK_FAILED);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
}

static void test_deadline(void)
{
    g_autoptr(Netlink) netlink = open_route();
    g_autoptr(GError) error = NULL;
    NetlinkRequest request;

    request_links(&request);
    g_assert_cmpint(netlink_dump(netlink, &request, NULL, NULL, deadline_in(0), &error), ==, NETLINK_FAILED);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_false(netlink_wait(netlink, deadline_in(0.02)));
    g_assert_cmpint(netlink_drain(netlink, NULL, NULL), ==, NETLINK_QUIET);
}

static void test_change_refused(void)
{
    const struct ifinfomsg body = {.ifi_index = G_MAXINT};
    g_autoptr(Netlink) netlink = open_route();
    g_autoptr(GError) error = NULL;
    NetlinkRequest request;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    g_assert_false(netlink_change(netlink, &request, 0, deadline_in(60), &error));
    if (geteuid() == 0)
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    else
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DENIED);
}

static gboolean set_loopback(Netlink *netlink, gboolean up)
{
    const struct ifinfomsg body = {.ifi_index = 1, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};
    g_autoptr(GError) error = NULL;
    NetlinkRequest request;
    gboolean done;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    done = netlink_change(netlink, &request, 0, deadline_in(60), &error);
    g_assert_no_error(error);
    return done;
}

static void test_subscription(void)
{
    g_autoptr(Netlink) follower = NULL, changer = NULL;
    g_autoptr(GError) error = NULL;
    const int little = 4096;
    guint sum = 0;

    if (!in_own_netns())
        return;
    follower = open_route();
    changer = open_route();
    g_assert_true(netlink_join(follower, RTNLGRP_LINK, &error));
    g_assert_false(netlink_join(follower, 100000, NULL));
    g_assert_true(set_loopback(changer, TRUE));
    g_assert_true(netlink_wait(follower, deadline_in(60)));
    g_assert_cmpint(netlink_drain(follower, count_message, &sum), ==, NETLINK_NEWS);
    g_assert_cmpuint(sum, >, 0);
    g_assert_cmpint(netlink_drain(follower, NULL, NULL), ==, NETLINK_QUIET);
    /* More than the buffer holds: said once, and then it goes on. */
    g_assert_cmpint(setsockopt(netlink_fd(follower), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), ==, 0);
    for (guint i = 0; i < 100; i++)
        set_loopback(changer, i % 2 == 1);
    g_assert_cmpint(netlink_drain(follower, NULL, NULL), ==, NETLINK_OVERRUN);
    set_loopback(changer, FALSE);
    g_assert_cmpint(netlink_drain(follower, NULL, NULL), ==, NETLINK_NEWS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netlink/each", test_each);
    g_test_add_func("/netlink/each-hostile", test_each_hostile);
    g_test_add_func("/netlink/body", test_body);
    g_test_add_func("/netlink/attrs", test_attrs);
    g_test_add_func("/netlink/attrs-cut", test_attrs_cut);
    g_test_add_func("/netlink/attrs-hostile", test_attrs_hostile);
    g_test_add_func("/netlink/attrs-nested", test_attrs_nested);
    g_test_add_func("/netlink/request", test_request);
    g_test_add_func("/netlink/exchange-done", test_exchange_done);
    g_test_add_func("/netlink/exchange-torn", test_exchange_torn);
    g_test_add_func("/netlink/exchange-error", test_exchange_error);
    g_test_add_func("/netlink/exchange-cause", test_exchange_cause);
    g_test_add_func("/netlink/exchange-error-cut", test_exchange_error_cut);
    g_test_add_func("/netlink/socket", test_socket);
    g_test_add_func("/netlink/dump", test_dump);
    g_test_add_func("/netlink/dump-refused", test_dump_refused);
    g_test_add_func("/netlink/deadline", test_deadline);
    g_test_add_func("/netlink/change-refused", test_change_refused);
    g_test_add_func("/netlink/subscription", test_subscription);
    return g_test_run();
}
