/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <string.h>

/*
 * What stands on the right of a comparison in nft's JSON, or in a set: plain values, prefixes, ranges, lists,
 * sets by themselves or by name; of a concatenation, a list of one each.
 */

#define COST_ELEMENT 1

/* Sets in sets do not exist; ends what no nft has written. */
#define NESTED_MAX 8

static Match element_match(Walk *walk, const Key *key, const json_t *element, guint depth);

/* ------------------------------------------------------------------------------------------------- sets */

static const char *set_name(const json_t *set)
{
    return json_string_value(json_object_get(set, "name"));
}

const json_t *nft_set(const Walk *walk, const char *name)
{
    for (gsize i = 0; i < json_array_size(walk->table->sets); i++) {
        const json_t *set = json_array_get(walk->table->sets, i);

        if (g_strcmp0(set_name(set), name) == 0)
            return set;
    }
    return NULL;
}

const json_t *nft_bare(const json_t *element)
{
    const json_t *body = json_object_get(element, "elem");

    return body ? json_object_get(body, "val") : element;
}

static Match list_match(Walk *walk, const Key *key, const json_t *list, guint depth)
{
    Match match = MATCH_NO;

    for (gsize i = 0; i < json_array_size(list) && match != MATCH_YES; i++)
        match = match_or(match, element_match(walk, key, json_array_get(list, i), depth + 1));
    return match;
}

static Match set_match(Walk *walk, const Key *key, const char *name, guint depth)
{
    const json_t *set = nft_set(walk, name);
    Match match;

    if (!set || json_object_get(set, "map"))
        return MATCH_MAYBE;
    match = list_match(walk, key, json_object_get(set, "elem"), depth);
    if (match != MATCH_YES && g_hash_table_contains(walk->touched, set))
        return MATCH_MAYBE;
    return match;
}

/* ---------------------------------------------------------------------------------------------- numbers */

static gboolean number_of_mac(const char *text, guint64 *number)
{
    Mac mac;

    if (!mac_parse(text, &mac))
        return FALSE;
    *number = 0;
    for (guint i = 0; i < sizeof(mac.bytes); i++)
        *number = *number << 8 | mac.bytes[i];
    return TRUE;
}

static gboolean number_of_text(Words words, const char *text, guint64 *number)
{
    enum { NO_PROTOCOL_OF_A_PACKET = 0x100 };

    if (words_number(words, text, number) || number_of_mac(text, number))
        return TRUE;
    *number = NO_PROTOCOL_OF_A_PACKET;
    return words == WORDS_PROTOCOL;
}

/* Flags, one by one: ["syn", "ack"], or as a tree of "|" with two each. */
static gboolean number_of_list(Words words, const json_t *list, guint depth, guint64 *number)
{
    guint64 sum = 0;

    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *inner = json_object_get(item, "|");
        guint64 one;

        if (depth > NESTED_MAX ||
            !(inner ? number_of_list(words, inner, depth + 1, &one) : nft_number(words, item, &one)))
            return FALSE;
        sum |= one;
    }
    *number = sum;
    return json_array_size(list) > 0;
}

gboolean nft_number(Words words, const json_t *right, guint64 *number)
{
    const json_t *either = json_object_get(right, "|");

    if (json_is_integer(right)) {
        *number = (guint64)json_integer_value(right);
        return TRUE;
    }
    if (json_is_boolean(right)) {
        *number = json_is_true(right);
        return TRUE;
    }
    if (json_is_string(right))
        return number_of_text(words, json_string_value(right), number);
    if (json_is_array(right) && (words == WORDS_STATE || words == WORDS_STATUS || words == WORDS_TCP_FLAGS))
        return number_of_list(words, right, 0, number);
    return either && number_of_list(words, either, 0, number);
}

static Match number_in_range(const Value *value, const json_t *range)
{
    guint64 first, last;

    if (value->known != G_MAXUINT64 || !nft_number(value->words, json_array_get(range, 0), &first) ||
        !nft_number(value->words, json_array_get(range, 1), &last))
        return MATCH_MAYBE;
    return match_of(value->number >= first && value->number <= last);
}

/* -------------------------------------------------------------------------------------------- addresses */

static Match address_in_prefix(const Value *value, const json_t *prefix)
{
    const char *text = json_string_value(json_object_get(prefix, "addr"));
    const json_t *length = json_object_get(prefix, "len");
    IpNet net;

    if (!text || !ip_parse(text, &net.ip) || !json_is_integer(length) || json_integer_value(length) < 0 ||
        json_integer_value(length) > (json_int_t)ip_bits(&net.ip))
        return MATCH_MAYBE;
    net.prefix = (guint8)json_integer_value(length);
    return match_of(ipnet_contains(&net, &value->ip));
}

static Match address_in_range(const Value *value, const json_t *range)
{
    const char *first = json_string_value(json_array_get(range, 0));
    const char *last = json_string_value(json_array_get(range, 1));
    Ip low, high;

    if (!first || !last || !ip_parse(first, &low) || !ip_parse(last, &high) ||
        low.family != value->ip.family || high.family != value->ip.family)
        return MATCH_MAYBE;
    return match_of(ip_compare(&low, &value->ip) <= 0 && ip_compare(&value->ip, &high) <= 0);
}

static Match address_is(const Value *value, const json_t *element)
{
    const char *text = json_string_value(element);
    Ip ip;

    return text && ip_parse(text, &ip) ? match_of(ip_equal(&ip, &value->ip)) : MATCH_MAYBE;
}

/* ---------------------------------------------------------------------------------------------- devices */

/* A name, where "\*" at the end is an asterisk and "*" any rest. */
static Match device_is(const Value *value, const json_t *element)
{
    const char *text = json_string_value(element);
    g_autofree char *plain = NULL;

    if (!text)
        return MATCH_MAYBE;
    if (!g_str_has_suffix(text, "\\*"))
        return packet_device_is(value->device, text, '*');
    plain = g_strdup(text);
    plain[strlen(plain) - 1] = '\0';
    plain[strlen(plain) - 1] = '*';
    return packet_device_is(value->device, plain, '\0');
}

/* nft says the name that the index has now, or the index where there is no such device. */
static Match index_is(const Value *value, const json_t *element)
{
    const char *text = json_string_value(element);
    guint64 index;

    if (text && strcmp(text, value->device) == 0)
        return MATCH_YES;
    if (json_is_integer(element))
        index = (guint64)json_integer_value(element);
    else if (!words_digits(text, &index))
        return text ? MATCH_NO : MATCH_MAYBE;
    if (value->index == 0 && *value->device)
        return MATCH_MAYBE;
    return match_of(index == value->index);
}

/* --------------------------------------------------------------------------------------------- elements */

static Match plain_match(const Value *value, const json_t *element)
{
    guint64 number;

    switch (value->kind) {
    case VALUE_UNKNOWN:
        return MATCH_MAYBE;
    case VALUE_ABSENT:
        return MATCH_NO;
    case VALUE_NUMBER:
        return nft_number(value->words, element, &number) ? match_bits(value->number, value->known, number)
                                                          : MATCH_MAYBE;
    case VALUE_ADDRESS:
        return address_is(value, element);
    case VALUE_DEVICE:
        return device_is(value, element);
    case VALUE_INDEX:
        return index_is(value, element);
    }
    return MATCH_MAYBE;
}

/* One value against what is no set. */
static Match value_match(const Value *value, const json_t *element)
{
    const json_t *prefix = json_object_get(element, "prefix");
    const json_t *range = json_object_get(element, "range");

    if (value->kind == VALUE_ABSENT)
        return MATCH_NO;
    if (prefix)
        return value->kind == VALUE_ADDRESS ? address_in_prefix(value, prefix) : MATCH_MAYBE;
    if (range && value->kind == VALUE_ADDRESS)
        return address_in_range(value, range);
    if (range)
        return value->kind == VALUE_NUMBER ? number_in_range(value, range) : MATCH_MAYBE;
    return plain_match(value, element);
}

static Match concat_match(const Key *key, const json_t *element)
{
    const json_t *parts = json_object_get(element, "concat");
    Match match = MATCH_YES;

    if (json_array_size(parts) != key->count)
        return MATCH_MAYBE;
    for (guint i = 0; i < key->count; i++)
        match = match_and(match, value_match(&key->parts[i], nft_bare(json_array_get(parts, i))));
    return match;
}

static Match element_match(Walk *walk, const Key *key, const json_t *element, guint depth)
{
    const char *text = json_string_value(element);
    const json_t *set = json_object_get(element, "set");
    const json_t *bare = nft_bare(element);

    if (depth > NESTED_MAX || !walk_spend(walk, COST_ELEMENT))
        return MATCH_MAYBE;
    if (bare != element)
        return element_match(walk, key, bare, depth + 1);
    if (text && text[0] == '@')
        return set_match(walk, key, text + 1, depth);
    /* What a set has for all that is not in it. */
    if (text && strcmp(text, "*") == 0)
        return MATCH_YES;
    if (json_is_array(set))
        return list_match(walk, key, set, depth);
    if (set)
        return element_match(walk, key, set, depth + 1);
    return key->concat ? concat_match(key, element) : value_match(&key->parts[0], element);
}

Match nft_element(Walk *walk, const Key *key, const json_t *element)
{
    return element_match(walk, key, element, 0);
}
