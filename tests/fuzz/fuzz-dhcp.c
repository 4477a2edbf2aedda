/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/dhcp.h"

#include <string.h>

/* The input as a server's message, of both families; the transaction and MAC are those of the input, so that
 * all of the parser is reached. */

static void try_four(const uint8_t *data, size_t size)
{
    Mac mac = {{0}};
    DhcpMessage message;
    guint32 transaction = 0;

    if (size >= 34) {
        memcpy(mac.bytes, data + 28, sizeof(mac.bytes));
        memcpy(&transaction, data + 4, sizeof(transaction));
    }
    if (!dhcp_parse(data, size, GUINT32_FROM_BE(transaction), &mac, &message))
        return;
    require(message.type == DHCP_OFFER || message.type == DHCP_ACK || message.type == DHCP_NAK);
    require(message.type == DHCP_NAK || (message.address.family == 4 && message.server.family == 4));
    require(mac_equal(&message.mac, &mac));
    {
        g_autoptr(GByteArray) built = dhcp_build(&message);

        require(built->len >= 300);
    }
}

static void try_six(const uint8_t *data, size_t size)
{
    static const Mac mac = {{0x02, 'v', 'n', 'a', 't', 0}};
    const guint32 transaction = size >= 4 ? (guint32)data[1] << 16 | (guint32)data[2] << 8 | data[3] : 0;
    Dhcp6Message message, again;
    g_autoptr(GByteArray) built = NULL;

    if (!dhcp6_parse(data, size, transaction, &mac, &message))
        return;
    require(message.server_length > 0 && message.server_length <= DHCP6_DUID);
    built = dhcp6_build(&message);
    require(dhcp6_parse(built->data, built->len, transaction, &mac, &again));
    require(again.type == message.type && ip_equal(&again.address, &message.address));
    require(again.server_length == message.server_length &&
            memcmp(again.server, message.server, again.server_length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_malloc(size + 1);

    memcpy(copy, data, size);
    try_four(data, size);
    try_six(data, size);
    require(memcmp(copy, data, size) == 0);
    return 0;
}
