/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/netlink.h"

#include "base/error.h"
#include "base/netlink-private.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <string.h>

/*
 * Theory of operation.
 *
 * A dump is one request and a train of datagrams, each with several messages, that ends in NLMSG_DONE. The
 * kernel builds the next datagram when the last was received, so a slow reader loses nothing, but the table
 * may change between two datagrams: it then sets NLM_F_DUMP_INTR on what follows. That is read to the end all
 * the same, because a socket in the middle of a dump refuses the next one.
 *
 * Messages of an exchange carry its sequence number; others (the rest of an exchange that failed) are passed
 * over. Only datagrams of port 0, the kernel, are looked at.
 *
 * A subscription is the contrary: the kernel sends whether we read or not, and when the buffer is full it
 * drops and says ENOBUFS once. That is no failure, but the loss of an unknown number of messages.
 */

/* A dump's datagram is at most 32 KiB unless one message alone is longer. */
#define BUFFER_BYTES ((gsize)64 * 1024)
#define RECEIVE_BYTES (8 * 1024 * 1024)
/* A storm may go on for ever, so one call of netlink_drain does not. */
#define DRAIN_DATAGRAMS 4096

struct Netlink {
    struct mnl_socket *socket;
    guint32 sequence;
    guint8 *buffer; /* BUFFER_BYTES */
};

typedef enum { RECEIVED, RECEIVED_NOTHING, RECEIVED_OVERRUN, RECEIVED_ERROR } Received;

/* -------------------------------------------------------------------------------------- the socket */

/* cause may be NULL. */
static gboolean error_from_errno(GError **error, int number, const char *cause)
{
    VnatError code = VNAT_ERROR_FAILED;

    if (number == EPERM || number == EACCES)
        code = VNAT_ERROR_DENIED;
    else if (number == EOPNOTSUPP || number == EPROTONOSUPPORT || number == EAFNOSUPPORT || number == ENOENT)
        code = VNAT_ERROR_UNSUPPORTED;
    else if (number == ENODEV || number == ENXIO)
        code = VNAT_ERROR_NOT_FOUND;
    else if (number == EEXIST)
        code = VNAT_ERROR_EXISTS;
    if (cause)
        return vnat_error_set(error, code, "%s: %s", g_strerror(number), cause);
    return vnat_error_set(error, code, "%s", g_strerror(number));
}

/* All of these only make things better: a kernel or a user without one of them is served as well. */
static void socket_tune(const struct mnl_socket *socket)
{
    const int bytes = RECEIVE_BYTES;
    int on = 1;
    int fd = mnl_socket_get_fd(socket);

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    (void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
    (void)mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
    (void)mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

Netlink *netlink_open(int family, GError **error)
{
    struct mnl_socket *socket = mnl_socket_open2(family, SOCK_CLOEXEC | SOCK_NONBLOCK);
    Netlink *netlink;

    if (!socket) {
        error_from_errno(error, errno, NULL);
        return NULL;
    }
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        error_from_errno(error, errno, "binding");
        mnl_socket_close(socket);
        return NULL;
    }
    socket_tune(socket);
    netlink = g_new0(Netlink, 1);
    netlink->socket = socket;
    netlink->buffer = g_malloc(BUFFER_BYTES);
    return netlink;
}

void netlink_close(Netlink *netlink)
{
    if (!netlink)
        return;
    mnl_socket_close(netlink->socket);
    g_free(netlink->buffer);
    g_free(netlink);
}

int netlink_fd(const Netlink *netlink)
{
    return mnl_socket_get_fd(netlink->socket);
}

gboolean netlink_join(Netlink *netlink, guint group, GError **error)
{
    int number = (int)group;

    if (mnl_socket_setsockopt(netlink->socket, NETLINK_ADD_MEMBERSHIP, &number, sizeof(number)) < 0)
        return error_from_errno(error, errno, "subscribing");
    return TRUE;
}

gboolean netlink_wait(Netlink *netlink, Deadline deadline)
{
    struct pollfd ready = {.fd = netlink_fd(netlink), .events = POLLIN};
    int count;

    do
        count = poll(&ready, 1, deadline_poll_ms(deadline));
    while (count < 0 && errno == EINTR);
    return count > 0;
}

/* One datagram of the kernel into the buffer. RECEIVED_ERROR leaves errno. */
static Received netlink_receive(Netlink *netlink, gsize *length)
{
    struct sockaddr_nl from = {0};
    struct iovec part = {.iov_base = netlink->buffer, .iov_len = BUFFER_BYTES};
    struct msghdr datagram = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
    ssize_t got;

    *length = 0;
    do
        got = recvmsg(netlink_fd(netlink), &datagram, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == ENOBUFS)
        return RECEIVED_OVERRUN;
    if (got < 0)
        return errno == EAGAIN ? RECEIVED_NOTHING : RECEIVED_ERROR;
    if (datagram.msg_flags & MSG_TRUNC) {
        errno = EMSGSIZE;
        return RECEIVED_ERROR;
    }
    /* Another process may send to our port; it has nothing to say here. */
    if (datagram.msg_namelen == sizeof(from) && from.nl_pid == 0)
        *length = (gsize)got;
    return RECEIVED;
}

/* ------------------------------------------------------------------------------------- the request */

static struct nlmsghdr *request_header(NetlinkRequest *request)
{
    return (struct nlmsghdr *)request->words;
}

void netlink_request_init(NetlinkRequest *request, guint16 type, const void *body, gsize length)
{
    struct nlmsghdr *header;

    memset(request, 0, sizeof(*request));
    g_assert(NLMSG_SPACE(length) <= sizeof(request->words));
    header = mnl_nlmsg_put_header(request->words);
    header->nlmsg_type = type;
    memcpy(mnl_nlmsg_put_extra_header(header, length), body, length);
}

void netlink_request_put(NetlinkRequest *request, guint16 type, const void *value, gsize length)
{
    gboolean fits = mnl_attr_put_check(request_header(request), sizeof(request->words), type, length, value);

    g_assert(fits);
}

void netlink_request_put_u8(NetlinkRequest *request, guint16 type, guint8 value)
{
    netlink_request_put(request, type, &value, sizeof(value));
}

void netlink_request_put_u32(NetlinkRequest *request, guint16 type, guint32 value)
{
    netlink_request_put(request, type, &value, sizeof(value));
}

struct nlattr *netlink_request_nest(NetlinkRequest *request, guint16 type)
{
    struct nlattr *nest = mnl_attr_nest_start_check(request_header(request), sizeof(request->words), type);

    g_assert(nest);
    return nest;
}

void netlink_request_nest_end(NetlinkRequest *request, struct nlattr *nest)
{
    mnl_attr_nest_end(request_header(request), nest);
}

void netlink_request_put_header(NetlinkRequest *request, const void *header, gsize length)
{
    struct nlmsghdr *message = request_header(request);

    g_assert(message->nlmsg_len + NLMSG_ALIGN(length) <= sizeof(request->words));
    memcpy(mnl_nlmsg_get_payload_tail(message), header, length);
    message->nlmsg_len += NLMSG_ALIGN((guint32)length);
}

/* ------------------------------------------------------------------------------------ the exchange */

/* The kernel's explanation (NLMSGERR_ATTR_MSG) behind a header of this length, or NULL. */
static char *extended_cause(const struct nlmsghdr *message, gsize body)
{
    const struct nlattr *attrs[NLMSGERR_ATTR_MSG + 1];

    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
        return NULL;
    netlink_attrs(message, body, attrs, G_N_ELEMENTS(attrs));
    return g_strdup(netlink_attr_string(attrs[NLMSGERR_ATTR_MSG]));
}

/* The kernel's results are 0 or a negative errno. */
static int errno_of_result(int result)
{
    return result <= 0 && result >= -4095 ? -result : EBADMSG;
}

/* NLMSG_ERROR: a negative errno, 0 for an acknowledgement; then the request, or only its header
 * (NETLINK_CAP_ACK). */
static void exchange_take_error(NetlinkExchange *exchange, const struct nlmsghdr *message)
{
    const struct nlmsgerr *answer = netlink_body(message, sizeof(*answer));
    gsize body = sizeof(*answer);

    exchange->finished = TRUE;
    exchange->error = answer ? errno_of_result(answer->error) : EBADMSG;
    if (!answer || exchange->error == 0)
        return;
    if (!(message->nlmsg_flags & NLM_F_CAPPED) && answer->msg.nlmsg_len > sizeof(answer->msg))
        body += answer->msg.nlmsg_len - sizeof(answer->msg);
    exchange->cause = extended_cause(message, body);
}

/* NLMSG_DONE: the end of a dump, with the negative errno that ended it early. */
static void exchange_take_done(NetlinkExchange *exchange, const struct nlmsghdr *message)
{
    const int *result = netlink_body(message, sizeof(*result));

    exchange->finished = TRUE;
    exchange->error = result ? errno_of_result(*result) : 0;
    if (exchange->error)
        exchange->cause = extended_cause(message, sizeof(*result));
}

void netlink_exchange_take(const struct nlmsghdr *message, gpointer data)
{
    NetlinkExchange *exchange = data;

    if (message->nlmsg_seq != exchange->sequence || exchange->finished)
        return;
    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        exchange->torn = TRUE;
    if (message->nlmsg_type == NLMSG_ERROR)
        exchange_take_error(exchange, message);
    else if (message->nlmsg_type == NLMSG_DONE)
        exchange_take_done(exchange, message);
    else if (message->nlmsg_type == NLMSG_OVERRUN)
        exchange->torn = TRUE;
    else if (message->nlmsg_type >= NLMSG_MIN_TYPE && exchange->take)
        exchange->take(message, exchange->data);
}

static gboolean exchange_send(Netlink *netlink, NetlinkRequest *request, guint16 flags,
                              NetlinkExchange *exchange, GError **error)
{
    struct nlmsghdr *header = request_header(request);

    /* 0 is the number of messages that nobody asked for. */
    if (++netlink->sequence == 0)
        netlink->sequence = 1;
    exchange->sequence = netlink->sequence;
    header->nlmsg_seq = netlink->sequence;
    header->nlmsg_flags = NLM_F_REQUEST | flags;
    if (mnl_socket_sendto(netlink->socket, header, header->nlmsg_len) < 0)
        return error_from_errno(error, errno, "sending");
    return TRUE;
}

/* One datagram, or the deadline. */
static gboolean exchange_step(Netlink *netlink, NetlinkExchange *exchange, Deadline deadline, GError **error)
{
    gsize length;

    /* Looked at first: poll() always succeeds while datagrams keep coming. */
    if (deadline_passed(deadline) || !netlink_wait(netlink, deadline))
        return vnat_error_set(error, VNAT_ERROR_DEADLINE, "netlink: the kernel's answer did not end in time");
    switch (netlink_receive(netlink, &length)) {
    case RECEIVED:
        if (!netlink_each(netlink->buffer, length, netlink_exchange_take, exchange))
            return error_from_errno(error, EBADMSG, NULL);
        return TRUE;
    case RECEIVED_NOTHING:
        return TRUE;
    case RECEIVED_OVERRUN:
        exchange->torn = TRUE;
        return TRUE;
    case RECEIVED_ERROR:
        break;
    }
    return error_from_errno(error, errno, "receiving");
}

static gboolean exchange_run(Netlink *netlink, NetlinkRequest *request, guint16 flags,
                             NetlinkExchange *exchange, Deadline deadline, GError **error)
{
    if (deadline_passed(deadline))
        return vnat_error_set(error, VNAT_ERROR_DEADLINE, "netlink: no time was left to ask");
    if (!exchange_send(netlink, request, flags, exchange, error))
        return FALSE;
    while (!exchange->finished) {
        if (!exchange_step(netlink, exchange, deadline, error))
            return FALSE;
    }
    if (exchange->error)
        return error_from_errno(error, exchange->error, exchange->cause);
    return TRUE;
}

NetlinkDump netlink_dump(Netlink *netlink, NetlinkRequest *request, NetlinkTake take, gpointer data,
                         Deadline deadline, GError **error)
{
    g_auto(NetlinkExchange) exchange = {.take = take, .data = data};

    if (!exchange_run(netlink, request, NLM_F_DUMP, &exchange, deadline, error))
        return NETLINK_FAILED;
    return exchange.torn ? NETLINK_TORN : NETLINK_WHOLE;
}

/* With an acknowledgement behind the answer, so that there is an end. */
gboolean netlink_get(Netlink *netlink, NetlinkRequest *request, NetlinkTake take, gpointer data,
                     Deadline deadline, GError **error)
{
    g_auto(NetlinkExchange) exchange = {.take = take, .data = data};

    return exchange_run(netlink, request, NLM_F_ACK, &exchange, deadline, error);
}

gboolean netlink_change(Netlink *netlink, NetlinkRequest *request, guint16 flags, Deadline deadline,
                        GError **error)
{
    g_auto(NetlinkExchange) exchange = {0};

    return exchange_run(netlink, request, NLM_F_ACK | flags, &exchange, deadline, error);
}

/* -------------------------------------------------------------------------------- the subscription */

typedef struct {
    NetlinkTake take;
    gpointer data;
    gboolean any;
} Drain;

static void drain_take(const struct nlmsghdr *message, gpointer data)
{
    Drain *drain = data;

    if (message->nlmsg_type < NLMSG_MIN_TYPE)
        return;
    drain->any = TRUE;
    if (drain->take)
        drain->take(message, drain->data);
}

NetlinkNews netlink_drain(Netlink *netlink, NetlinkTake take, gpointer data)
{
    Drain drain = {.take = take, .data = data};
    gboolean overrun = FALSE;

    for (guint i = 0; i < DRAIN_DATAGRAMS; i++) {
        gsize length;
        Received received = netlink_receive(netlink, &length);

        if (received == RECEIVED_NOTHING)
            break;
        /* A datagram that cannot be read whole is a loss like any other. */
        if (received != RECEIVED || !netlink_each(netlink->buffer, length, drain_take, &drain))
            overrun = TRUE;
    }
    return overrun ? NETLINK_OVERRUN : drain.any ? NETLINK_NEWS : NETLINK_QUIET;
}

/* --------------------------------------------------------------------------------------- the bytes */

gboolean netlink_each(const void *bytes, gsize length, NetlinkTake take, gpointer data)
{
    const guint8 *at = bytes;

    while (length >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)at;
        gsize step;

        if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > length)
            return FALSE;
        take(message, data);
        /* The padding of the last message may be left out. */
        step = MIN(NLMSG_ALIGN((gsize)message->nlmsg_len), length);
        at += step;
        length -= step;
    }
    return length == 0;
}

const void *netlink_body(const struct nlmsghdr *message, gsize length)
{
    if (message->nlmsg_len < NLMSG_HDRLEN + length)
        return NULL;
    return mnl_nlmsg_get_payload(message);
}

void netlink_attrs_in(const void *bytes, gsize length, const struct nlattr **attrs, guint count)
{
    const guint8 *at = bytes;

    for (guint i = 0; i < count; i++)
        attrs[i] = NULL;
    while (length >= sizeof(struct nlattr)) {
        const struct nlattr *attr = (const struct nlattr *)(const void *)at;
        gsize step;

        if (attr->nla_len < sizeof(*attr) || attr->nla_len > length)
            return;
        if (mnl_attr_get_type(attr) < count)
            attrs[mnl_attr_get_type(attr)] = attr;
        step = MIN(NLA_ALIGN((gsize)attr->nla_len), length);
        at += step;
        length -= step;
    }
}

void netlink_attrs(const struct nlmsghdr *message, gsize body, const struct nlattr **attrs, guint count)
{
    gsize start = NLMSG_HDRLEN + NLMSG_ALIGN(body);
    gsize length = message->nlmsg_len > start ? message->nlmsg_len - start : 0;

    netlink_attrs_in((const guint8 *)message + (length ? start : 0), length, attrs, count);
}

void netlink_attrs_nested(const struct nlattr *nest, const struct nlattr **attrs, guint count)
{
    gsize length;
    const void *bytes = netlink_attr_bytes(nest, &length);

    netlink_attrs_in(bytes, length, attrs, count);
}

const void *netlink_attr_bytes(const struct nlattr *attr, gsize *length)
{
    *length = attr ? mnl_attr_get_payload_len(attr) : 0;
    return attr ? mnl_attr_get_payload(attr) : NULL;
}

gboolean netlink_attr_copy(const struct nlattr *attr, void *value, gsize length)
{
    gsize have;
    const void *bytes = netlink_attr_bytes(attr, &have);

    if (have < length || !bytes)
        return FALSE;
    memcpy(value, bytes, length);
    return TRUE;
}

guint8 netlink_attr_u8(const struct nlattr *attr, guint8 missing)
{
    guint8 value = missing;

    if (attr && mnl_attr_get_payload_len(attr) == sizeof(value))
        netlink_attr_copy(attr, &value, sizeof(value));
    return value;
}

guint16 netlink_attr_u16(const struct nlattr *attr, guint16 missing)
{
    guint16 value = missing;

    if (attr && mnl_attr_get_payload_len(attr) == sizeof(value))
        netlink_attr_copy(attr, &value, sizeof(value));
    return value;
}

guint32 netlink_attr_u32(const struct nlattr *attr, guint32 missing)
{
    guint32 value = missing;

    if (attr && mnl_attr_get_payload_len(attr) == sizeof(value))
        netlink_attr_copy(attr, &value, sizeof(value));
    return value;
}

const char *netlink_attr_string(const struct nlattr *attr)
{
    gsize length;
    const char *bytes = netlink_attr_bytes(attr, &length);

    return length > 0 && memchr(bytes, '\0', length) ? bytes : NULL;
}
