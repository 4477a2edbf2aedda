/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <linux/netlink.h>

/*
 * Netlink messages that are well-formed, whatever the bytes: a fuzzer that has to guess lengths seldom gets
 * inside.
 */

/* Bytes that are used up from the front. */
typedef struct {
    const guint8 *at;
    gsize left;
} FuzzBytes;

/* The next byte; 0 when none is left. */
guint8 fuzz_byte(FuzzBytes *bytes);

/*
 * A message of this type with a fixed header of so many bytes, which come first, and attributes: of each its
 * type (the topmost bit: it holds attributes), its length, its bytes. What is missing is zero. The number of
 * the exchange is 1. Exactly as large as it says, so that the sanitizers see a byte too far; free with
 * g_free.
 */
struct nlmsghdr *fuzz_message(guint16 type, gsize fixed, FuzzBytes *bytes);

/* A copy of the message that ends where the message ends. Free with g_free. */
struct nlmsghdr *fuzz_message_copy(const struct nlmsghdr *message);
