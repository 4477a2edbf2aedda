/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>

/*
 * A flow: an entry of the kernel's connection tracking (nf_conntrack), as a plain fact. It has two directions
 * of two ends each. The original one is that of its first packet; the reply's is where answers come from and
 * go to. Where nothing is translated, the reply is the original turned round; source NAT shows in the reply's
 * destination, destination NAT in the reply's source.
 */
typedef struct {
    Ip source, destination;
    Ip reply_source, reply_destination;
    gboolean has_ports; /* TCP, UDP and their like; the four that follow are 0 without */
    guint16 source_port, destination_port;
    guint16 reply_source_port, reply_destination_port;
    guint8 protocol; /* IPPROTO_* */
    guint8 state;    /* the kernel's number of the protocol's state; FLOW_NO_STATE: it has none */
    gboolean replied;
    guint32 id;         /* the kernel's number of the entry; another one may have it later */
    guint16 zone;       /* of connection tracking; 0 for all that did not ask for another */
    gint64 sent_bytes;  /* in the original direction; -1: not counted (nf_conntrack_acct) */
    gint64 reply_bytes; /* likewise, as all four */
    gint64 sent_packets, reply_packets;
    gint64 started; /* epoch microseconds; 0: not kept (nf_conntrack_timestamp) */
    gint64 stopped; /* likewise, of one that has ended */
} Flow;

#define FLOW_NO_STATE G_MAXUINT8

/* A flow of which nothing is known. */
void flow_init(Flow *flow);

/* What holds of all flows: ends of one family, ports only where it has them, no figure below its "none". */
gboolean flow_is_sound(const Flow *flow);

/* "tcp", "udp", "icmp", …, as /etc/protocols has them; the number of one that has no name here. buffer may be
 * what is returned. */
#define FLOW_PROTOCOL_TEXT 4
const char *flow_protocol_name(guint8 protocol, char buffer[static FLOW_PROTOCOL_TEXT]);

/* "ESTABLISHED", "TIME_WAIT", …: the kernel's words; NULL for a protocol without states, or a number that is
 * not known. */
const char *flow_state_name(const Flow *flow);

/* Whether it is the same entry of the table: number, zone, protocol and the original direction's ends. For a
 * GHashTable of Flow. */
guint flow_hash(gconstpointer flow);
gboolean flow_equal(gconstpointer a, gconstpointer b);
