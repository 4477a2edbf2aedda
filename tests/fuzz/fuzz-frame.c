/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/frame.h"

#include <string.h>

/* The input as a frame, and as each message that a raw socket gives. */

static void try_udp(const uint8_t *data, size_t size)
{
    UdpFrame frame, again;
    g_autoptr(GByteArray) bytes = NULL;

    if (!udp_frame_parse(data, size, &frame))
        return;
    require(frame.payload >= data && frame.length <= size && frame.payload + frame.length <= data + size);
    bytes = udp_frame(&frame);
    require(udp_frame_parse(bytes->data, bytes->len, &again));
    require(again.length == frame.length && memcmp(again.payload, frame.payload, frame.length) == 0);
    require(again.from_port == frame.from_port && ip_equal(&again.to, &frame.to));
}

static void try_discovery(const uint8_t *data, size_t size)
{
    RouterAdvertisement router;
    Ip target;
    Mac mac;

    if (router_advertisement_parse(data, size, &router)) {
        require(size >= 16);
        require(!router.has_prefix || (router.prefix.prefix <= 128 && router.prefix.ip.family == 6));
    }
    if (neighbour_advertisement_parse(data, size, &target, &mac))
        require(size >= 32 && target.family == 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ArpMessage arp;
    guint8 code;

    try_udp(data, size);
    try_discovery(data, size);
    if (arp_parse(data, size, &arp))
        require(size >= 42 && arp.from.family == 4 && arp.to.family == 4);
    for (guint8 family = 4; family <= 6; family += 2) {
        if (echo_parse(family, data, size, 0x1234, &code) != ECHO_NOTHING)
            require(size >= 6);
    }
    return 0;
}
