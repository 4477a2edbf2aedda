/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact.h"

#include "base/name.h"
#include "model/redact-private.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/*
 * All replacements come from HMAC-SHA-256 under the key. A permutation is a Feistel network with it, turned
 * into one without fixed points: x -> F^-1(F(x) + 1) is one cycle through all numbers.
 */

#define ROUNDS 6
#define QEMU_OCTETS 0x5400

typedef struct {
    guint64 number;
    guint label, n;
    guint64 answer;
} Answer;

/* Most numbers differ in a few neighbouring bits only: all of them have to count. */
static guint answer_hash(gconstpointer key)
{
    const Answer *answer = key;
    guint64 mixed = answer->number ^ (guint64)answer->label << 56 ^ (guint64)answer->n << 48;

    mixed = (mixed ^ mixed >> 32) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint)(mixed >> 32);
}

static gboolean answer_equal(gconstpointer a, gconstpointer b)
{
    const Answer *left = a;
    const Answer *right = b;

    return left->number == right->number && left->label == right->label && left->n == right->n;
}

static void known_list_free(gpointer list)
{
    g_ptr_array_unref(list);
}

static void random_key(guint8 *key)
{
    ssize_t got;

    do
        got = getrandom(key, REDACT_KEY_BYTES, 0);
    while (got < 0 && errno == EINTR);
    if (got != REDACT_KEY_BYTES)
        g_error("getrandom: %s", g_strerror(errno));
}

Redactor *redactor_new(const guint8 *key)
{
    Redactor *redactor = g_new0(Redactor, 1);
    guint8 own[REDACT_KEY_BYTES];

    if (key)
        memcpy(own, key, sizeof(own));
    else
        random_key(own);
    redactor->keyed = g_hmac_new(G_CHECKSUM_SHA256, own, sizeof(own));
    memset(own, 0, sizeof(own));
    redactor->answers = g_hash_table_new_full(answer_hash, answer_equal, g_free, NULL);
    for (guint kind = 0; kind < REDACT_KIND_COUNT; kind++)
        redactor->names[kind].tokens = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    redactor->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_list_free);
    redactor->patterns = g_ptr_array_new_with_free_func((GDestroyNotify)redact_pattern_free);
    return redactor;
}

void redactor_free(Redactor *redactor)
{
    if (!redactor)
        return;
    g_hmac_unref(redactor->keyed);
    g_hash_table_unref(redactor->answers);
    for (guint kind = 0; kind < REDACT_KIND_COUNT; kind++)
        g_hash_table_unref(redactor->names[kind].tokens);
    g_hash_table_unref(redactor->known);
    g_ptr_array_unref(redactor->patterns);
    if (redactor->device_names)
        g_regex_unref(redactor->device_names);
    g_free(redactor);
}

/* ---------------------------------------------------------------------------------- random functions */

void redact_digest(Redactor *redactor, char label, gconstpointer bytes, gsize length,
                   guint8 digest[static REDACT_DIGEST_BYTES])
{
    GHmac *hmac = g_hmac_copy(redactor->keyed);
    gsize size = REDACT_DIGEST_BYTES;

    g_hmac_update(hmac, (const guchar *)&label, 1);
    g_hmac_update(hmac, bytes, (gssize)length);
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
}

static guint64 number_of(const guint8 *bytes, gsize count)
{
    guint64 number = 0;

    for (gsize i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void number_put(guint8 *bytes, gsize count, guint64 number)
{
    for (gsize i = count; i-- > 0; number >>= 8)
        bytes[i] = (guint8)number;
}

static guint64 random_number(Redactor *redactor, char label, guint n, guint64 number)
{
    guint8 question[9], digest[REDACT_DIGEST_BYTES];

    question[0] = (guint8)n;
    number_put(question + 1, 8, number);
    redact_digest(redactor, label, question, sizeof(question), digest);
    return number_of(digest, 8);
}

/* The cached answer to a question, if it was asked before; else made by make. */
static guint64 cached(Redactor *redactor, char label, guint n, guint64 number,
                      guint64 (*make)(Redactor *redactor, char label, guint n, guint64 number))
{
    Answer question = {.number = number, .label = (guint)label, .n = n};
    const Answer *known = g_hash_table_lookup(redactor->answers, &question);

    if (known)
        return known->answer;
    question.answer = make(redactor, label, n, number);
    g_hash_table_add(redactor->answers, g_memdup2(&question, sizeof(question)));
    return question.answer;
}

guint64 redact_random(Redactor *redactor, char label, guint n, guint64 number)
{
    return cached(redactor, label, n, number, random_number);
}

static guint64 feistel(Redactor *redactor, guint bits, guint64 number, gboolean back)
{
    guint half = bits / 2;
    guint64 mask = (G_GUINT64_CONSTANT(1) << half) - 1;
    guint64 left = number >> half;
    guint64 right = number & mask;

    for (guint i = 0; i < ROUNDS; i++) {
        guint64 round = back ? ROUNDS - 1 - i : i;
        guint64 mixed = back ? left : right;
        /* Of numbers of 24 bits a round can ask for 4096 answers only: soon all of them are known. */
        guint64 other =
            (back ? right : left) ^ (redact_random(redactor, 'f', bits, round << 32 | mixed) & mask);

        left = back ? other : mixed;
        right = back ? mixed : other;
    }
    return left << half | right;
}

static guint64 permuted(Redactor *redactor, char label, guint bits, guint64 number)
{
    guint64 mask = bits < 64 ? (G_GUINT64_CONSTANT(1) << bits) - 1 : G_MAXUINT64;

    return feistel(redactor, bits, (feistel(redactor, bits, number, FALSE) + 1) & mask, TRUE);
}

guint64 redact_permute(Redactor *redactor, guint bits, guint64 number)
{
    return cached(redactor, 'p', bits, number, permuted);
}

/* ------------------------------------------------------------------------------------- MAC addresses */

static gboolean mac_is_zero(const Mac *mac)
{
    return number_of(mac->bytes, sizeof(mac->bytes)) == 0;
}

/* Of the 65,535 values of octets 2 and 3 that are not QEMU's: its place in the cycle is skipped. */
static guint64 vendor_permute(Redactor *redactor, guint64 octets)
{
    if (octets == QEMU_OCTETS)
        return octets;
    do
        octets = redact_permute(redactor, 16, octets);
    while (octets == QEMU_OCTETS);
    return octets;
}

void redact_mac(Redactor *redactor, Mac *mac)
{
    static const guint8 solicited[3] = {0x33, 0x33, 0xff};
    gboolean follows = memcmp(mac->bytes, solicited, sizeof(solicited)) == 0;

    if (mac_is_zero(mac) || (mac->bytes[0] & 1 && !follows))
        return;
    if (!follows)
        number_put(mac->bytes + 1, 2, vendor_permute(redactor, number_of(mac->bytes + 1, 2)));
    number_put(mac->bytes + 3, 3, redact_permute(redactor, 24, number_of(mac->bytes + 3, 3)));
}

void redact_bridge_id(Redactor *redactor, guint8 id[static 8])
{
    Mac mac;

    memcpy(mac.bytes, id + 2, sizeof(mac.bytes));
    redact_mac(redactor, &mac);
    memcpy(id + 2, mac.bytes, sizeof(mac.bytes));
}

/* --------------------------------------------------------------------------------------------- UUIDs */

#define UUID_BYTES 16
#define VERSION_BYTE 6
#define VARIANT_BYTE 8

/* 16 bytes; version and variant stay. */
static void uuid_replace(Redactor *redactor, guint8 *uuid)
{
    static const guint8 nil[UUID_BYTES];
    guint8 digest[REDACT_DIGEST_BYTES];

    if (memcmp(uuid, nil, UUID_BYTES) == 0)
        return;
    redact_digest(redactor, 'u', uuid, UUID_BYTES, digest);
    digest[VERSION_BYTE] = (uuid[VERSION_BYTE] & 0xf0) | (digest[VERSION_BYTE] & 0x0f);
    digest[VARIANT_BYTE] = (uuid[VARIANT_BYTE] & 0xc0) | (digest[VARIANT_BYTE] & 0x3f);
    memcpy(uuid, digest, UUID_BYTES);
}

static void uuid_parse(const char *text, guint8 *uuid)
{
    guint digits = 0;

    for (; *text; text++) {
        if (*text == '-')
            continue;
        uuid[digits / 2] = (guint8)(uuid[digits / 2] << 4 | g_ascii_xdigit_value(*text));
        digits++;
    }
}

static char *uuid_format(const guint8 *uuid)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < UUID_BYTES; i++)
        g_string_append_printf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
    return g_string_free(text, FALSE);
}

char *redact_uuid(Redactor *redactor, const char *uuid)
{
    guint8 bytes[REDACT_DIGEST_BYTES] = {0};

    if (!uuid || !*uuid)
        return g_strdup(uuid);
    if (name_is_uuid(uuid)) {
        uuid_parse(uuid, bytes);
        uuid_replace(redactor, bytes);
    } else {
        redact_digest(redactor, 'U', uuid, strlen(uuid), bytes);
        bytes[VERSION_BYTE] = 0x40 | (bytes[VERSION_BYTE] & 0x0f);
        bytes[VARIANT_BYTE] = 0x80 | (bytes[VARIANT_BYTE] & 0x3f);
    }
    return uuid_format(bytes);
}

/* ---------------------------------------------------------------------------------- ids of DHCP clients */

#define MAC_BYTES 6
#define CLIENT_BYTES 255 /* of an id, at most: a DHCP option's */

enum { CLIENT_ETHERNET = 1, CLIENT_RFC4361 = 255 };
enum { DUID_LLT = 1, DUID_EN, DUID_LL, DUID_UUID };

/* Bytes of which nothing is known. */
static void opaque_replace(Redactor *redactor, guint8 *bytes, gsize count)
{
    guint8 digest[REDACT_DIGEST_BYTES];

    if (count == 0)
        return;
    if (count <= 8) {
        number_put(bytes, count, redact_permute(redactor, (guint)count * 8, number_of(bytes, count)));
        return;
    }
    redact_digest(redactor, 'o', bytes, count, digest);
    for (gsize done = 0; done < count; done += REDACT_DIGEST_BYTES) {
        memcpy(bytes + done, digest, MIN(count - done, REDACT_DIGEST_BYTES));
        redact_digest(redactor, 'O', digest, sizeof(digest), digest);
    }
}

static void mac_replace(Redactor *redactor, guint8 *bytes)
{
    Mac mac;

    memcpy(mac.bytes, bytes, MAC_BYTES);
    redact_mac(redactor, &mac);
    memcpy(bytes, mac.bytes, MAC_BYTES);
}

/* RFC 8415, 11: a type of two octets; then, as the type says, hardware type, time and MAC, or a UUID. */
static void duid_replace(Redactor *redactor, guint8 *duid, gsize count)
{
    guint64 type = count >= 2 ? number_of(duid, 2) : 0;

    if (type == DUID_LLT && count == 8 + MAC_BYTES) {
        opaque_replace(redactor, duid + 4, 4);
        mac_replace(redactor, duid + 8);
    } else if (type == DUID_LL && count == 4 + MAC_BYTES) {
        mac_replace(redactor, duid + 4);
    } else if (type == DUID_UUID && count == 2 + UUID_BYTES) {
        uuid_replace(redactor, duid + 2);
    } else if (type == DUID_EN && count > 6) {
        opaque_replace(redactor, duid + 6, count - 6);
    } else if (count > 0) {
        opaque_replace(redactor, duid + 1, count - 1);
    }
}

static void client_replace(Redactor *redactor, guint8 *id, gsize count)
{
    if (id[0] == CLIENT_ETHERNET && count == 1 + MAC_BYTES) {
        mac_replace(redactor, id + 1);
    } else if (id[0] == CLIENT_RFC4361 && count > 5) {
        opaque_replace(redactor, id + 1, 4);
        duid_replace(redactor, id + 5, count - 5);
    } else {
        duid_replace(redactor, id, count);
    }
}

/* Number of octets in "01:52:…"; 0: it is no such list. */
static gsize octets_parse(const char *text, guint8 octets[static CLIENT_BYTES])
{
    gsize count = 0;

    for (const char *at = text;; at += 3) {
        gint high = g_ascii_xdigit_value(at[0]);
        gint low = high < 0 ? -1 : g_ascii_xdigit_value(at[1]);

        if (low < 0 || count == CLIENT_BYTES)
            return 0;
        octets[count++] = (guint8)(high << 4 | low);
        if (at[2] == '\0')
            return count;
        if (at[2] != ':')
            return 0;
    }
}

static char *octets_format(const guint8 *octets, gsize count)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < count; i++)
        g_string_append_printf(text, i ? ":%02x" : "%02x", octets[i]);
    return g_string_free(text, FALSE);
}

/* "1193046", or with a T in front for temporary addresses. NULL if it is none. */
static char *iaid_replace(Redactor *redactor, const char *text)
{
    const char *digits = *text == 'T' ? text + 1 : text;
    guint64 number;

    if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT32, &number, NULL))
        return NULL;
    return g_strdup_printf("%.*s%" G_GUINT64_FORMAT, (int)(digits - text), text,
                           redact_permute(redactor, 32, number));
}

char *redact_client_id(Redactor *redactor, const char *id)
{
    guint8 octets[CLIENT_BYTES];
    char *iaid;
    gsize count;

    if (!id || !*id || strcmp(id, "*") == 0)
        return g_strdup(id);
    iaid = iaid_replace(redactor, id);
    if (iaid)
        return iaid;
    count = octets_parse(id, octets);
    if (count == 0)
        return redact_name(redactor, REDACT_CLIENT, id);
    client_replace(redactor, octets, count);
    return octets_format(octets, count);
}
