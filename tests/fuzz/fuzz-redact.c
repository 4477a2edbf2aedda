/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/redact.h"

#include <string.h>

/*
 * The input's first bytes are addresses, the rest is text. Two addresses never become one, none stays that is
 * not said to, and what shares a prefix shares one afterwards; in a text they become the same as by
 * themselves; and of any text no word that is an address stays what it is.
 */

static const guint8 key[REDACT_KEY_BYTES] = {1, 2, 3};

typedef struct {
    Ip v4[2], v6[2];
    Mac mac[2];
    char *uuid[2];
} Things;

/* Copies the next bytes, and zeros where there are no more. */
static void take(const uint8_t **data, size_t *size, void *bytes, gsize length)
{
    gsize part = MIN(length, *size);

    memset(bytes, 0, length);
    memcpy(bytes, *data, part);
    *data += part;
    *size -= part;
}

static char *format_uuid(const guint8 b[static 16])
{
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                           b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                           b[15]);
}

static void take_things(const uint8_t **data, size_t *size, Things *things)
{
    guint8 bytes[16];

    for (guint i = 0; i < 2; i++) {
        take(data, size, bytes, 4);
        ip_from_bytes(bytes, 4, &things->v4[i]);
        take(data, size, bytes, 16);
        ip_from_bytes(bytes, 16, &things->v6[i]);
        take(data, size, things->mac[i].bytes, 6);
        take(data, size, bytes, 16);
        things->uuid[i] = format_uuid(bytes);
    }
}

/* How many bits from the front are the same in both. */
static guint common_bits(const Ip *a, const Ip *b)
{
    guint bits = 0;

    while (bits < ip_bits(a) && !((a->bytes[bits / 8] ^ b->bytes[bits / 8]) & (0x80 >> bits % 8)))
        bits++;
    return bits;
}

static gboolean v4_stays(const Ip *ip)
{
    return ip->bytes[0] == 0 || ip->bytes[0] == 127 || ip->bytes[0] >= 224 ||
           (ip->bytes[0] == 169 && ip->bytes[1] == 254);
}

static void addresses(Redactor *redactor, const Things *things)
{
    Ip v4[2] = {things->v4[0], things->v4[1]};
    Ip v6[2] = {things->v6[0], things->v6[1]};
    guint upper = MIN(common_bits(&v6[0], &v6[1]), 64);

    for (guint i = 0; i < 2; i++) {
        redact_ip(redactor, &v4[i]);
        redact_ip(redactor, &v6[i]);
        require(v4[i].family == 4 && v6[i].family == 6);
        require(ip_equal(&v4[i], &things->v4[i]) == v4_stays(&things->v4[i]));
        require(memcmp(v4[i].bytes + 2, things->v4[i].bytes + 2, 2) == 0 || things->v4[i].bytes[0] == 169);
        require(ip_is_multicast(&v6[i]) == ip_is_multicast(&things->v6[i]));
        require(ip_is_link_local(&v6[i]) == ip_is_link_local(&things->v6[i]));
    }
    require(common_bits(&v4[0], &v4[1]) == common_bits(&things->v4[0], &things->v4[1]));
    require(MIN(common_bits(&v6[0], &v6[1]), 64) == upper);
    require(ip_equal(&v6[0], &v6[1]) == ip_equal(&things->v6[0], &things->v6[1]));
}

static void macs(Redactor *redactor, const Things *things)
{
    static const Mac zero;
    Mac mac[2] = {things->mac[0], things->mac[1]};

    for (guint i = 0; i < 2; i++) {
        redact_mac(redactor, &mac[i]);
        require(mac[i].bytes[0] == things->mac[i].bytes[0]);
        require(!mac_equal(&mac[i], &things->mac[i]) || (mac[i].bytes[0] & 1) || mac_equal(&mac[i], &zero));
    }
    require(mac_equal(&mac[0], &mac[1]) == mac_equal(&things->mac[0], &things->mac[1]));
}

static void uuids(Redactor *redactor, const Things *things)
{
    g_autofree char *first = redact_uuid(redactor, things->uuid[0]);
    g_autofree char *second = redact_uuid(redactor, things->uuid[1]);

    require(g_uuid_string_is_valid(first) && g_uuid_string_is_valid(second));
    require(fuzz_equal(first, second) == fuzz_equal(things->uuid[0], things->uuid[1]));
    require(!fuzz_equal(first, things->uuid[0]) || strspn(first, "0-") == strlen(first));
}

static char *sentence(const Things *things, guint i)
{
    char v4[IP_TEXT], v6[IP_TEXT], mac[MAC_TEXT];

    return g_strdup_printf("%s of %s (%s), to %s", ip_format(&things->v4[i], v4),
                           mac_format(&things->mac[i], mac), things->uuid[i], ip_format(&things->v6[i], v6));
}

/* In a text everything becomes what it becomes by itself. */
static void sentences(Redactor *redactor, const Things *things)
{
    for (guint i = 0; i < 2; i++) {
        Things alone = *things;
        g_autofree char *before = sentence(things, i);
        g_autofree char *after = redact_text(redactor, before);
        g_autofree char *expected = NULL;

        redact_ip(redactor, &alone.v4[i]);
        redact_ip(redactor, &alone.v6[i]);
        redact_mac(redactor, &alone.mac[i]);
        alone.uuid[i] = redact_uuid(redactor, things->uuid[i]);
        expected = sentence(&alone, i);
        g_free(alone.uuid[i]);
        require(fuzz_equal(after, expected));
    }
}

/* A word that has a replacement is not there afterwards, but where it is another one's replacement. The same
 * key gives the same text; not the same redactor, which knows names from the first time on. */
static void any_text(Redactor *redactor, const char *text)
{
    g_autofree char *after = redact_text(redactor, text);
    g_autoptr(Redactor) other = redactor_new(key);
    g_autofree char *again = redact_text(other, text);
    g_auto(GStrv) words = g_strsplit_set(text, " \n\t", 64);
    g_auto(GStrv) left = g_strsplit_set(after, " \n\t", -1);
    g_autoptr(GHashTable) replacements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    require(fuzz_equal(after, again));
    for (guint i = 0; words[i]; i++) {
        char *replacement = redact_address(redactor, words[i]);

        if (replacement)
            g_hash_table_add(replacements, replacement);
    }
    for (guint i = 0; words[i]; i++) {
        g_autofree char *replacement = redact_address(redactor, words[i]);

        if (replacement && !g_hash_table_contains(replacements, words[i]))
            require(!g_strv_contains((const char *const *)left, words[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Redactor) redactor = redactor_new(key);
    Things things;
    g_autofree char *text = NULL;

    take_things(&data, &size, &things);
    addresses(redactor, &things);
    macs(redactor, &things);
    uuids(redactor, &things);
    sentences(redactor, &things);
    text = g_strndup((const char *)data, size);
    any_text(redactor, text);
    for (guint i = 0; i < 2; i++)
        g_free(things.uuid[i]);
    return 0;
}
