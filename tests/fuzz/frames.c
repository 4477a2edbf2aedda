/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frames.h"

#include <string.h>

#define NESTED 0x80
#define DEPTH 4

guint8 fuzz_byte(FuzzBytes *bytes)
{
    if (bytes->left == 0)
        return 0;
    bytes->left--;
    return *bytes->at++;
}

/* The next length bytes as bytes of their own; fewer where fewer are left. */
static FuzzBytes take(FuzzBytes *bytes, gsize length)
{
    FuzzBytes part = {bytes->at, MIN(length, bytes->left)};

    bytes->at += part.left;
    bytes->left -= part.left;
    return part;
}

static void put_zeros(GByteArray *out, gsize count)
{
    static const guint8 zeros[128]; /* more than any fixed header has */

    g_assert(count <= sizeof(zeros));
    g_byte_array_append(out, zeros, (guint)count);
}

static void put_attributes(GByteArray *out, FuzzBytes *bytes, guint depth)
{
    while (bytes->left > 0) {
        guint start = out->len;
        guint8 type = fuzz_byte(bytes);
        FuzzBytes part = take(bytes, fuzz_byte(bytes));
        struct nlattr header = {.nla_type = type & (guint8)~NESTED};

        put_zeros(out, sizeof(header));
        if ((type & NESTED) && depth < DEPTH)
            put_attributes(out, &part, depth + 1);
        else
            g_byte_array_append(out, part.at, (guint)part.left);
        header.nla_len = (guint16)(out->len - start);
        memcpy(out->data + start, &header, sizeof(header));
        put_zeros(out, NLA_ALIGN(out->len) - out->len);
    }
}

struct nlmsghdr *fuzz_message(guint16 type, gsize fixed, FuzzBytes *bytes)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_seq = 1};
    FuzzBytes part = take(bytes, fixed);

    put_zeros(out, sizeof(header));
    g_byte_array_append(out, part.at, (guint)part.left);
    put_zeros(out, NLMSG_ALIGN(fixed) - part.left);
    /* An attribute's length has 16 bits. */
    part = take(bytes, G_MAXUINT16 / 4);
    put_attributes(out, &part, 0);
    header.nlmsg_len = out->len;
    memcpy(out->data, &header, sizeof(header));
    return g_memdup2(out->data, out->len);
}

struct nlmsghdr *fuzz_message_copy(const struct nlmsghdr *message)
{
    return g_memdup2(message, message->nlmsg_len);
}
