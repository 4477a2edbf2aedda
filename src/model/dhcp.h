/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>

/*
 * The messages of a DHCP client, for IPv4 (RFC 2131, 2132) and IPv6 (RFC 8415), as the payload of UDP.
 * Builders return new bytes (g_byte_array_unref). Parsers take bytes of anybody and say TRUE only for a
 * server's whole, well-formed message to this client. Pure.
 */

#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP6_SERVER 547
#define DHCP6_CLIENT 546

typedef enum {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
    DHCP_RELEASE = 7,
} DhcpType;

typedef struct {
    DhcpType type;
    guint32 transaction;
    Mac mac;
    Ip address;      /* offered, asked for, given back; family 0: none */
    Ip server;       /* its identifier */
    Ip router;       /* family 0: none */
    Ip dns;          /* the first; family 0: none */
    Ip mask;         /* family 0: none */
    guint32 seconds; /* of the lease; 0: not said */
} DhcpMessage;

/*
 * A client's message: DISCOVER, REQUEST (address and server of the offer), RELEASE (likewise). Answers are
 * asked for as broadcasts, so that the server teaches its host no neighbour.
 */
GByteArray *dhcp_build(const DhcpMessage *message);
/* transaction and mac: of the client whose answer it has to be. */
gboolean dhcp_parse(const void *bytes, gsize length, guint32 transaction, const Mac *mac,
                    DhcpMessage *message);

typedef enum {
    DHCP6_SOLICIT = 1,
    DHCP6_ADVERTISE = 2,
    DHCP6_REQUEST = 3,
    DHCP6_REPLY = 7,
    DHCP6_RELEASE = 8,
} Dhcp6Type;

#define DHCP6_DUID 130 /* at most, RFC 8415 11.1 */

typedef struct {
    Dhcp6Type type;
    guint32 transaction; /* 24 bits */
    Mac mac;             /* the client's, of which its identifiers are made */
    Ip address;          /* family 0: none */
    guint8 server[DHCP6_DUID];
    gsize server_length; /* 0: none */
    Ip dns;              /* the first; family 0: none */
    guint16 status;      /* of the message or of its address; 0: success */
} Dhcp6Message;

GByteArray *dhcp6_build(const Dhcp6Message *message);
gboolean dhcp6_parse(const void *bytes, gsize length, guint32 transaction, const Mac *mac,
                     Dhcp6Message *message);
