/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"

#include <glib.h>
#include <linux/netlink.h>

/*
 * Talking to the kernel over a netlink socket (netlink(7), rtnetlink(7), sock_diag(7)): dumps, single
 * requests and subscriptions, each with a deadline; and reading what came, with every length checked.
 *
 * The room has two halves. The upper one owns a socket. The lower one is pure: netlink_each() walks bytes and
 * hands out whole messages, netlink_attrs() finds their attributes, and the readers return a value only where
 * the attribute has that value's length. So a parser built of these never reads outside a message, whatever
 * is in it.
 */

/* -------------------------------------------------------------------------------------- the socket */

typedef struct Netlink Netlink;

/*
 * family: NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER. The socket is O_CLOEXEC and non-blocking, asks
 * for 8 MiB to receive into (the default holds about 90 link messages; without CAP_NET_ADMIN it gets what
 * net.core.rmem_max allows), for strict checking of requests and for error texts. Errors: DENIED, UNSUPPORTED
 * (the kernel has no such family), FAILED.
 */
Netlink *netlink_open(int family, GError **error);
void netlink_close(Netlink *netlink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Netlink, netlink_close)

/* For a main loop; owned by the Netlink. */
int netlink_fd(const Netlink *netlink);

/* A request under construction, small and by value. Initialise with netlink_request_init. */
typedef struct {
    guint32 words[128]; /* aligned for struct nlmsghdr */
} NetlinkRequest;

/* type: RTM_…, SOCK_DIAG_BY_FAMILY; body: the fixed header that follows (struct ifinfomsg, …). */
void netlink_request_init(NetlinkRequest *request, guint16 type, const void *body, gsize length);
/* Appends an attribute. What does not fit into a NetlinkRequest is a broken invariant of the caller. */
void netlink_request_put(NetlinkRequest *request, guint16 type, const void *value, gsize length);
void netlink_request_put_u8(NetlinkRequest *request, guint16 type, guint8 value);
void netlink_request_put_u32(NetlinkRequest *request, guint16 type, guint32 value);
/* Opens and closes an attribute that holds attributes. */
struct nlattr *netlink_request_nest(NetlinkRequest *request, guint16 type);
void netlink_request_nest_end(NetlinkRequest *request, struct nlattr *nest);
/* Appends a fixed header, with which some attributes that hold attributes begin (VETH_INFO_PEER). */
void netlink_request_put_header(NetlinkRequest *request, const void *header, gsize length);

/*
 * Receives one message, not one of netlink's own (DONE, ERROR, …). message->nlmsg_len bytes may be read; they
 * are gone when the function returns.
 */
typedef void (*NetlinkTake)(const struct nlmsghdr *message, gpointer data);

typedef enum {
    NETLINK_FAILED, /* *error is set */
    NETLINK_TORN, /* all was read, but it changed meanwhile (NLM_F_DUMP_INTR): what was taken is not a state;
                     read again */
    NETLINK_WHOLE,
} NetlinkDump;

/*
 * Asks for a dump and reads it to its end. After NETLINK_FAILED the socket may still hold the rest of a dump:
 * close it. Errors: DEADLINE; DENIED, UNSUPPORTED, NOT_FOUND, EXISTS, FAILED with the kernel's own text where
 * it gave one.
 */
NetlinkDump netlink_dump(Netlink *netlink, NetlinkRequest *request, NetlinkTake take, gpointer data,
                         Deadline deadline, GError **error);

/* Asks for one object, which take gets; returns when the kernel has answered. Errors as netlink_dump's. */
gboolean netlink_get(Netlink *netlink, NetlinkRequest *request, NetlinkTake take, gpointer data,
                     Deadline deadline, GError **error);

/*
 * A request for a change; returns when the kernel has acknowledged it. flags are added (NLM_F_CREATE,
 * NLM_F_EXCL). Errors as netlink_dump's.
 */
gboolean netlink_change(Netlink *netlink, NetlinkRequest *request, guint16 flags, Deadline deadline,
                        GError **error);

/* Subscribes to a multicast group (RTNLGRP_LINK, …). */
gboolean netlink_join(Netlink *netlink, guint group, GError **error);

typedef enum {
    NETLINK_QUIET,   /* nothing more is queued */
    NETLINK_NEWS,    /* at least one message was taken */
    NETLINK_OVERRUN, /* messages were lost (ENOBUFS): whoever follows must read everything again */
} NetlinkNews;

/* Takes what is queued, without waiting; take may be NULL. After an overrun what is left in the queue is
 * taken too. */
NetlinkNews netlink_drain(Netlink *netlink, NetlinkTake take, gpointer data);

/* Waits until something is queued. FALSE at the deadline. */
gboolean netlink_wait(Netlink *netlink, Deadline deadline);

/* --------------------------------------------------------------------------------------- the bytes */

/*
 * Hands out the messages in bytes, which must be aligned as malloc aligns. Stops at the first message that is
 * not wholly inside; FALSE then, TRUE if the bytes were messages to their end.
 */
gboolean netlink_each(const void *bytes, gsize length, NetlinkTake take, gpointer data);

/* The fixed header of this length after struct nlmsghdr, or NULL if the message is shorter. */
const void *netlink_body(const struct nlmsghdr *message, gsize length);

/*
 * The attributes after a fixed header of this length: attrs[type] for type < count, NULL where there is none;
 * of several of one type the last, as in the kernel. Ends at the first attribute that is not wholly inside
 * the message.
 */
void netlink_attrs(const struct nlmsghdr *message, gsize body, const struct nlattr **attrs, guint count);
/* The same for the attributes inside an attribute; all NULL if nest is NULL. */
void netlink_attrs_nested(const struct nlattr *nest, const struct nlattr **attrs, guint count);
/* The same for plain bytes. */
void netlink_attrs_in(const void *bytes, gsize length, const struct nlattr **attrs, guint count);

/* Payload and its length; NULL and 0 for a NULL attribute. */
const void *netlink_attr_bytes(const struct nlattr *attr, gsize *length);
/* The number, in host order; missing if attr is NULL or has another length. */
guint8 netlink_attr_u8(const struct nlattr *attr, guint8 missing);
guint16 netlink_attr_u16(const struct nlattr *attr, guint16 missing);
guint32 netlink_attr_u32(const struct nlattr *attr, guint32 missing);
/* Copies the first length bytes; FALSE (and value untouched) if attr is NULL or shorter. Kernel structs may
 * grow. */
gboolean netlink_attr_copy(const struct nlattr *attr, void *value, gsize length);
/* The text inside the message, or NULL if attr is NULL or not NUL-terminated. */
const char *netlink_attr_string(const struct nlattr *attr);
