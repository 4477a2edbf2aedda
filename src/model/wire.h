/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>
#include <string.h>

/*
 * Reading bytes of others in network order, each read inside what is left: one that is not makes the reader
 * bad, gives zero, and so do all after it; a parser looks once, at its end.
 */
typedef struct {
    const guint8 *at;
    gsize left;
    gboolean bad;
} Wire;

static inline const guint8 *wire_take(Wire *wire, gsize length)
{
    const guint8 *at = wire->at;

    if (wire->bad || length > wire->left) {
        wire->bad = TRUE;
        wire->left = 0;
        return NULL;
    }
    wire->at += length;
    wire->left -= length;
    return at;
}

static inline guint8 wire_u8(Wire *wire)
{
    const guint8 *at = wire_take(wire, 1);

    return at ? *at : 0;
}

static inline guint16 wire_u16(Wire *wire)
{
    const guint8 *at = wire_take(wire, 2);

    return at ? (guint16)(at[0] << 8 | at[1]) : 0;
}

static inline guint32 wire_u32(Wire *wire)
{
    const guint32 high = wire_u16(wire);

    return high << 16 | wire_u16(wire);
}

/* length: 4 or 16; family 0 where it is not there. */
static inline Ip wire_ip(Wire *wire, gsize length)
{
    const guint8 *at = wire_take(wire, length);
    Ip ip = {0};

    if (at)
        ip_from_bytes(at, length, &ip);
    return ip;
}

static inline Mac wire_mac(Wire *wire)
{
    const guint8 *at = wire_take(wire, sizeof(Mac));
    Mac mac = {{0}};

    if (at)
        memcpy(mac.bytes, at, sizeof(mac.bytes));
    return mac;
}

/* A reader of the next length bytes, which this one leaves behind. */
static inline Wire wire_part(Wire *wire, gsize length)
{
    const guint8 *at = wire_take(wire, length);

    return (Wire){at, at ? length : 0, at == NULL};
}

/* The other way: appending to bytes. */
static inline void wire_put_u8(GByteArray *bytes, guint8 value)
{
    g_byte_array_append(bytes, &value, 1);
}

static inline void wire_put_u16(GByteArray *bytes, guint16 value)
{
    const guint8 two[] = {(guint8)(value >> 8), (guint8)value};

    g_byte_array_append(bytes, two, sizeof(two));
}

static inline void wire_put_u32(GByteArray *bytes, guint32 value)
{
    wire_put_u16(bytes, (guint16)(value >> 16));
    wire_put_u16(bytes, (guint16)value);
}

static inline void wire_put_ip(GByteArray *bytes, const Ip *ip)
{
    g_byte_array_append(bytes, ip->bytes, ip->family == 4 ? 4 : 16);
}

static inline void wire_put_mac(GByteArray *bytes, const Mac *mac)
{
    g_byte_array_append(bytes, mac->bytes, sizeof(mac->bytes));
}

static inline void wire_put_zeros(GByteArray *bytes, guint count)
{
    const guint length = bytes->len;

    g_byte_array_set_size(bytes, length + count);
    memset(bytes->data + length, 0, count);
}
