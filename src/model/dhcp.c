/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/dhcp.h"

#include "model/wire.h"

#include <string.h>

/* -------------------------------------------------------------------------------------------- IPv4 */

#define BOOT_REQUEST 1
#define BOOT_REPLY 2
#define HARDWARE_ETHERNET 1
#define FLAG_BROADCAST 0x8000
#define COOKIE 0x63825363
/* BOOTP's shortest message; some relays and servers drop shorter ones. */
#define SHORTEST 300
#define HARDWARE_FIELD 16
#define NAME_FIELDS (64 + 128)

enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_ADDRESS = 50,
    OPTION_SECONDS = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WANTED = 55,
    OPTION_END = 255,
};

static void put_ip_option(GByteArray *bytes, guint8 option, const Ip *ip)
{
    if (ip->family != 4)
        return;
    wire_put_u8(bytes, option);
    wire_put_u8(bytes, 4);
    wire_put_ip(bytes, ip);
}

static void put_wanted(GByteArray *bytes)
{
    static const guint8 wanted[] = {OPTION_WANTED, 4, OPTION_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_SECONDS};

    g_byte_array_append(bytes, wanted, sizeof(wanted));
}

GByteArray *dhcp_build(const DhcpMessage *message)
{
    const gboolean release = message->type == DHCP_RELEASE;
    GByteArray *bytes = g_byte_array_new();

    wire_put_u8(bytes, BOOT_REQUEST);
    wire_put_u8(bytes, HARDWARE_ETHERNET);
    wire_put_u8(bytes, sizeof(Mac));
    wire_put_u8(bytes, 0);
    wire_put_u32(bytes, message->transaction);
    wire_put_u16(bytes, 0);
    wire_put_u16(bytes, release ? 0 : FLAG_BROADCAST);
    if (release)
        wire_put_ip(bytes, &message->address);
    else
        wire_put_zeros(bytes, 4);
    wire_put_zeros(bytes, 12);
    wire_put_mac(bytes, &message->mac);
    wire_put_zeros(bytes, HARDWARE_FIELD - sizeof(Mac) + NAME_FIELDS);
    wire_put_u32(bytes, COOKIE);
    wire_put_u8(bytes, OPTION_TYPE);
    wire_put_u8(bytes, 1);
    wire_put_u8(bytes, (guint8)message->type);
    if (message->type == DHCP_REQUEST)
        put_ip_option(bytes, OPTION_ADDRESS, &message->address);
    if (message->type != DHCP_DISCOVER)
        put_ip_option(bytes, OPTION_SERVER, &message->server);
    if (!release)
        put_wanted(bytes);
    wire_put_u8(bytes, OPTION_END);
    if (bytes->len < SHORTEST)
        wire_put_zeros(bytes, SHORTEST - bytes->len);
    return bytes;
}

static void take_option(guint8 option, Wire *value, DhcpMessage *message)
{
    switch (option) {
    case OPTION_TYPE:
        message->type = wire_u8(value);
        break;
    case OPTION_MASK:
        message->mask = wire_ip(value, 4);
        break;
    case OPTION_ROUTER:
        message->router = wire_ip(value, 4);
        break;
    case OPTION_DNS:
        message->dns = wire_ip(value, 4);
        break;
    case OPTION_SERVER:
        message->server = wire_ip(value, 4);
        break;
    case OPTION_SECONDS:
        message->seconds = wire_u32(value);
        break;
    default:
        break;
    }
}

static gboolean take_options(Wire *wire, DhcpMessage *message)
{
    while (wire->left > 0) {
        const guint8 option = wire_u8(wire);
        Wire value;

        if (option == OPTION_PAD)
            continue;
        if (option == OPTION_END)
            return TRUE;
        value = wire_part(wire, wire_u8(wire));
        if (wire->bad)
            return FALSE;
        take_option(option, &value, message);
    }
    return !wire->bad;
}

gboolean dhcp_parse(const void *bytes, gsize length, guint32 transaction, const Mac *mac,
                    DhcpMessage *message)
{
    Wire wire = {bytes, length, FALSE};
    gboolean mine;

    *message = (DhcpMessage){0};
    mine =
        wire_u8(&wire) == BOOT_REPLY && wire_u8(&wire) == HARDWARE_ETHERNET && wire_u8(&wire) == sizeof(Mac);
    (void)wire_u8(&wire);
    message->transaction = wire_u32(&wire);
    (void)wire_take(&wire, 8);
    message->address = wire_ip(&wire, 4);
    (void)wire_take(&wire, 8);
    message->mac = wire_mac(&wire);
    (void)wire_take(&wire, HARDWARE_FIELD - sizeof(Mac) + NAME_FIELDS);
    mine = mine && wire_u32(&wire) == COOKIE && !wire.bad && message->transaction == transaction &&
           mac_equal(&message->mac, mac) && take_options(&wire, message);
    if (ip_is_unspecified(&message->address))
        message->address.family = 0;
    return mine &&
           (message->type == DHCP_NAK || ((message->type == DHCP_OFFER || message->type == DHCP_ACK) &&
                                          message->address.family == 4 && message->server.family == 4));
}

/* -------------------------------------------------------------------------------------------- IPv6 */

enum {
    OPTION6_CLIENT = 1,
    OPTION6_SERVER = 2,
    OPTION6_IA = 3,
    OPTION6_ADDRESS = 5,
    OPTION6_WANTED = 6,
    OPTION6_ELAPSED = 8,
    OPTION6_STATUS = 13,
    OPTION6_DNS = 23,
};
#define DUID_LL 3 /* made of a link-layer address alone */
#define CLIENT_DUID (4 + sizeof(Mac))
#define ADDRESS_OPTION (16 + 4 + 4)

static void put_duid(GByteArray *bytes, const Mac *mac)
{
    wire_put_u16(bytes, DUID_LL);
    wire_put_u16(bytes, HARDWARE_ETHERNET);
    wire_put_mac(bytes, mac);
}

/* The identity association, of one address at most. */
static void put_association(GByteArray *bytes, const Dhcp6Message *message)
{
    const gboolean named = message->address.family == 6;

    wire_put_u16(bytes, OPTION6_IA);
    wire_put_u16(bytes, (guint16)(12 + (named ? 4 + ADDRESS_OPTION : 0)));
    wire_put_u32(bytes, 1);
    wire_put_u32(bytes, 0);
    wire_put_u32(bytes, 0);
    if (!named)
        return;
    wire_put_u16(bytes, OPTION6_ADDRESS);
    wire_put_u16(bytes, ADDRESS_OPTION);
    wire_put_ip(bytes, &message->address);
    wire_put_u32(bytes, 0);
    wire_put_u32(bytes, 0);
}

GByteArray *dhcp6_build(const Dhcp6Message *message)
{
    GByteArray *bytes = g_byte_array_new();

    wire_put_u32(bytes, (guint32)message->type << 24 | (message->transaction & 0xffffff));
    wire_put_u16(bytes, OPTION6_CLIENT);
    wire_put_u16(bytes, CLIENT_DUID);
    put_duid(bytes, &message->mac);
    if (message->server_length > 0) {
        wire_put_u16(bytes, OPTION6_SERVER);
        wire_put_u16(bytes, (guint16)message->server_length);
        g_byte_array_append(bytes, message->server, (guint)message->server_length);
    }
    put_association(bytes, message);
    wire_put_u16(bytes, OPTION6_ELAPSED);
    wire_put_u16(bytes, 2);
    wire_put_u16(bytes, 0);
    wire_put_u16(bytes, OPTION6_WANTED);
    wire_put_u16(bytes, 2);
    wire_put_u16(bytes, OPTION6_DNS);
    return bytes;
}

static gboolean next_option(Wire *wire, guint16 *option, Wire *value)
{
    if (wire->left == 0 || wire->bad)
        return FALSE;
    *option = wire_u16(wire);
    *value = wire_part(wire, wire_u16(wire));
    return !wire->bad;
}

static void take_status(Wire *value, Dhcp6Message *message)
{
    const guint16 status = wire_u16(value);

    if (message->status == 0)
        message->status = status;
}

/* Addresses stand in the association, and a status in both. */
static gboolean take_association(Wire *wire, Dhcp6Message *message)
{
    Wire value, address;
    guint16 option;

    (void)wire_take(wire, 12);
    while (next_option(wire, &option, &value)) {
        if (option == OPTION6_STATUS)
            take_status(&value, message);
        if (option != OPTION6_ADDRESS)
            continue;
        address = value;
        if (message->address.family == 0)
            message->address = wire_ip(&address, 16);
    }
    return !wire->bad;
}

static gboolean is_own_duid(const Wire *value, const Mac *mac)
{
    g_autoptr(GByteArray) own = g_byte_array_new();

    put_duid(own, mac);
    return value->left == own->len && memcmp(value->at, own->data, own->len) == 0;
}

gboolean dhcp6_parse(const void *bytes, gsize length, guint32 transaction, const Mac *mac,
                     Dhcp6Message *message)
{
    Wire wire = {bytes, length, FALSE};
    const guint32 head = wire_u32(&wire);
    gboolean mine = FALSE;
    gboolean whole = TRUE;
    guint16 option;
    Wire value;

    *message = (Dhcp6Message){.type = head >> 24, .transaction = head & 0xffffff, .mac = *mac};
    while (next_option(&wire, &option, &value)) {
        if (option == OPTION6_CLIENT) {
            mine = is_own_duid(&value, mac);
        } else if (option == OPTION6_SERVER && value.left > 0 && value.left <= DHCP6_DUID) {
            memcpy(message->server, value.at, value.left);
            message->server_length = value.left;
        } else if (option == OPTION6_IA) {
            whole = take_association(&value, message) && whole;
        } else if (option == OPTION6_STATUS) {
            take_status(&value, message);
        } else if (option == OPTION6_DNS) {
            message->dns = wire_ip(&value, 16);
        }
    }
    return mine && whole && !wire.bad && message->server_length > 0 && message->transaction == transaction &&
           (message->type == DHCP6_ADVERTISE || message->type == DHCP6_REPLY);
}
