/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/dns.h"

#include "model/wire.h"

#include <string.h>

#define LABEL_MAX 63
#define NAME_MAX_BYTES 253
#define FLAG_ANSWER 0x8000
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSE 0x0100
#define POINTER 0xc0

static gboolean put_name(GByteArray *bytes, const char *name)
{
    g_autofree char *bare = g_strndup(name, strlen(name) - (g_str_has_suffix(name, ".") ? 1 : 0));
    g_auto(GStrv) labels = g_strsplit(bare, ".", -1);

    if (strlen(bare) > NAME_MAX_BYTES || !labels[0])
        return FALSE;
    for (guint i = 0; labels[i]; i++) {
        const gsize length = strlen(labels[i]);

        if (length == 0 || length > LABEL_MAX)
            return FALSE;
        wire_put_u8(bytes, (guint8)length);
        g_byte_array_append(bytes, (const guint8 *)labels[i], (guint)length);
    }
    wire_put_u8(bytes, 0);
    return TRUE;
}

GByteArray *dns_query(guint16 id, const char *name, guint16 type, guint16 class)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    wire_put_u16(bytes, id);
    wire_put_u16(bytes, FLAG_RECURSE);
    wire_put_u16(bytes, 1);
    wire_put_zeros(bytes, 6);
    if (!put_name(bytes, name))
        return NULL;
    wire_put_u16(bytes, type);
    wire_put_u16(bytes, class);
    return g_steal_pointer(&bytes);
}

/* Leaves a name behind, which ends with an empty label or a pointer to the rest of it. */
static void skip_name(Wire *wire)
{
    while (!wire->bad) {
        const guint8 length = wire_u8(wire);

        if ((length & POINTER) == POINTER) {
            (void)wire_u8(wire);
            return;
        }
        if (length == 0)
            return;
        if (length > LABEL_MAX)
            wire->bad = TRUE;
        (void)wire_take(wire, length);
    }
}

static void take_text(Wire *data, DnsAnswer *answer)
{
    const gsize length = wire_u8(data);
    const guint8 *text = wire_take(data, length);

    if (!text || answer->text[0])
        return;
    memcpy(answer->text, text, MIN(length, sizeof(answer->text) - 1));
}

static void take_record(Wire *wire, guint16 type, DnsAnswer *answer)
{
    guint16 kind;
    Wire data;

    skip_name(wire);
    kind = wire_u16(wire);
    (void)wire_take(wire, 6);
    data = wire_part(wire, wire_u16(wire));
    if (wire->bad || kind != type)
        return;
    if (kind == DNS_TYPE_TXT)
        take_text(&data, answer);
    else if (answer->address.family == 0 && data.left == (kind == DNS_TYPE_A ? 4 : 16))
        answer->address = wire_ip(&data, data.left);
}

gboolean dns_parse(const void *bytes, gsize length, guint16 id, guint16 type, DnsAnswer *answer)
{
    Wire wire = {bytes, length, FALSE};
    const guint16 answered = wire_u16(&wire);
    const guint16 flags = wire_u16(&wire);
    const guint16 questions = wire_u16(&wire);

    *answer = (DnsAnswer){.code = flags & 0x0f, .truncated = (flags & FLAG_TRUNCATED) != 0};
    answer->answers = wire_u16(&wire);
    (void)wire_take(&wire, 4);
    if (answered != id || !(flags & FLAG_ANSWER) || questions > 1 || wire.bad)
        return FALSE;
    if (questions == 1) {
        skip_name(&wire);
        if (wire_u16(&wire) != type || wire_u16(&wire) == 0)
            return FALSE;
    }
    for (guint i = 0; i < answer->answers && !wire.bad; i++)
        take_record(&wire, type, answer);
    return !wire.bad || answer->truncated;
}

const char *dns_code_text(guint8 code)
{
    switch (code) {
    case DNS_DONE:
        return "done";
    case DNS_FAILED:
        return "the server failed";
    case DNS_NO_NAME:
        return "no such name";
    case DNS_REFUSED:
        return "refused";
    default:
        return "not answered";
    }
}
