/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "sources/redact-private.h"
#include "sources/redact-sources.h"

#include <stdlib.h>
#include <string.h>

/*
 * A ruleset is a tree of objects (libnftables-json(5)), and it is copied member by member. What a text in it
 * is, the member's name tells (table of members below), or, of the values of rules and sets, the expression
 * that the value is compared with: so a copy is made together with the expression or type that it is "of".
 */

/* As deep as the parser of rules goes. */
#define NFT_JSON_DEPTH 32
#define RAW_SMALL 65535 /* of a field of a packet that is named by its place, what is no address */

static json_t *copy_value(Redactor *redactor, const json_t *value, const json_t *of);
static json_t *copy_member(Redactor *redactor, const char *name, const json_t *value, const json_t *of);

static const char *get_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Takes text. */
static json_t *new_text(char *text)
{
    json_t *value = json_string(text);

    g_free(text);
    return value ? value : json_string(REDACTED);
}

/* ------------------------------------------------------------------------------------- what it is of */

/* The first operand of "ip saddr & 255.255.0.0". */
static const json_t *operand_of(const json_t *of)
{
    static const char *const operators[] = {"&", "|", "^", "<<", ">>"};

    for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
        const json_t *operands = json_object_get(of, operators[i]);

        if (operands)
            return json_array_get(operands, 0);
    }
    return NULL;
}

/* A device: of an expression like {"meta": {"key": "iifname"}}, or a set's type "ifname". */
static gboolean is_of_device(const json_t *of)
{
    static const char *const names[] = {"iif",     "iifname", "oif",      "oifname", "ibriport",    "ibrname",
                                        "obrname", "sdif",    "sdifname", "ifname",  "iface_index", NULL};
    const json_t *fib = json_object_get(of, "fib");
    const char *name = json_string_value(of);

    if (!name)
        name = get_text(json_object_get(of, "meta"), "key");
    if (!name && fib)
        name = get_text(fib, "result");
    return name && g_strv_contains(names, name);
}

/* A part of the packet that is known by its place: {"payload": {"base": "nh", "offset": 96, "len": 32}}. */
static gboolean is_of_raw(const json_t *of)
{
    const json_t *operand = operand_of(of);

    return json_object_get(json_object_get(operand ? operand : of, "payload"), "base") != NULL;
}

/* The type of a set by its expression: {"typeof": …}, as newer versions print it. */
static const json_t *type_of(const json_t *type)
{
    const json_t *expression = json_object_get(type, "typeof");

    return expression ? expression : type;
}

/* The part at this place of a concatenation. */
static const json_t *part_of(const json_t *of, gsize place)
{
    const json_t *parts = json_object_get(of, "concat");

    parts = parts ? parts : of;
    return json_is_array(parts) ? json_array_get(parts, place) : NULL;
}

/* ----------------------------------------------------------------------------------------- values */

static json_t *copy_text(Redactor *redactor, const char *text, const json_t *of)
{
    char *address;

    if (*text == '@') {
        g_autofree char *set = redact_name(redactor, REDACT_CHAIN, text + 1);

        return new_text(g_strconcat("@", set, NULL));
    }
    if (is_of_device(of))
        return new_text(redact_device(redactor, text, '*'));
    address = redact_address(redactor, text);
    if (address)
        return new_text(address);
    if (strcmp(text, "*") == 0 || redact_is_harmless(text))
        return json_string(text);
    return new_text(redact_name(redactor, REDACT_VALUE, text));
}

/* A prefix: {"addr": "10.0.0.0", "len": 8}. */
static json_t *copy_prefix(Redactor *redactor, const json_t *prefix)
{
    const json_t *length = json_object_get(prefix, "len");
    const char *address = get_text(prefix, "addr");
    json_t *copy = json_object();
    IpNet net = {0};

    if (address && json_is_integer(length) && ip_parse(address, &net.ip) && json_integer_value(length) >= 0 &&
        json_integer_value(length) <= ip_bits(&net.ip)) {
        net.prefix = (guint8)json_integer_value(length);
        redact_net(redactor, &net);
        json_object_set_new(copy, "addr", new_text(ip_to_string(&net.ip)));
    } else {
        json_object_set_new(copy, "addr", copy_value(redactor, json_object_get(prefix, "addr"), NULL));
    }
    json_object_set_new(copy, "len", copy_value(redactor, length, NULL));
    return copy;
}

static json_t *copy_array(Redactor *redactor, const json_t *array, const json_t *of)
{
    json_t *copy = json_array();

    for (gsize i = 0; i < json_array_size(array); i++)
        json_array_append_new(copy, copy_value(redactor, json_array_get(array, i), of));
    return copy;
}

/* Two ends, in their order. */
static json_t *copy_range(Redactor *redactor, const json_t *range, const json_t *of)
{
    const char *first = json_string_value(json_array_get(range, 0));
    const char *last = json_string_value(json_array_get(range, 1));
    json_t *copy;
    Ip a, b;

    if (!first || !last || !ip_parse(first, &a) || !ip_parse(last, &b))
        return copy_array(redactor, range, of);
    redact_range(redactor, &a, &b);
    copy = json_array();
    json_array_append_new(copy, new_text(ip_to_string(&a)));
    json_array_append_new(copy, new_text(ip_to_string(&b)));
    return copy;
}

static json_t *copy_concat(Redactor *redactor, const json_t *parts, const json_t *of)
{
    json_t *copy = json_array();

    for (gsize i = 0; i < json_array_size(parts); i++)
        json_array_append_new(copy, copy_value(redactor, json_array_get(parts, i), part_of(of, i)));
    return copy;
}

/* Elements of a set, or of a map: pairs of an element and what it leads to. */
static json_t *copy_elements(Redactor *redactor, const json_t *elements, const json_t *of, const json_t *to)
{
    json_t *copy = json_array();

    for (gsize i = 0; i < json_array_size(elements); i++) {
        const json_t *element = json_array_get(elements, i);
        json_t *pair;

        if (json_is_array(element)) {
            pair = json_array();
            json_array_append_new(pair, copy_value(redactor, json_array_get(element, 0), of));
            json_array_append_new(pair, copy_value(redactor, json_array_get(element, 1), to));
            json_array_append_new(copy, pair);
        } else {
            json_array_append_new(copy, copy_value(redactor, element, of));
        }
    }
    return copy;
}

/* A value of a rule or a set, of such an expression or type. New value, never NULL. */
static json_t *copy_value(Redactor *redactor, const json_t *value, const json_t *of)
{
    json_t *copy;
    const char *name;
    json_t *member;

    if (json_is_string(value))
        return copy_text(redactor, json_string_value(value), of);
    if (json_is_integer(value) && is_of_raw(of) && llabs(json_integer_value(value)) > RAW_SMALL)
        return json_integer(0);
    if (json_is_array(value))
        return copy_array(redactor, value, of);
    if (!json_is_object(value))
        return value ? json_incref((json_t *)(gpointer)value) : json_null();
    copy = json_object();
    json_object_foreach((json_t *)(gpointer)value, name, member)
    {
        json_object_set_new(copy, name, copy_member(redactor, name, member, of));
    }
    return copy;
}

/* ----------------------------------------------------------------------------------------- members */

/* "ipv4_addr", "tcp option", "==": of a form that no address has. */
static gboolean is_language(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- ";

    return text[strspn(text, letters)] == '\0' || text[strspn(text, "=!<>")] == '\0';
}

/* Words of nft's own language, names of fields and types among them. */
static json_t *member_word(Redactor *redactor, const json_t *value, const json_t *of)
{
    const char *text = json_string_value(value);
    json_t *copy;

    if (json_is_array(value)) {
        copy = json_array();
        for (gsize i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, member_word(redactor, json_array_get(value, i), of));
        return copy;
    }
    return text && is_language(text) ? json_string(text) : copy_value(redactor, value, of);
}

/* nft's version and its name. */
static json_t *member_version(Redactor *redactor, const json_t *value, const json_t *of)
{
    return json_is_string(value) ? json_string(json_string_value(value)) : copy_value(redactor, value, of);
}

static json_t *member_chain(Redactor *redactor, const json_t *value, const json_t *of)
{
    const char *text = json_string_value(value);

    return text ? new_text(redact_name(redactor, REDACT_CHAIN, text)) : copy_value(redactor, value, of);
}

static json_t *member_device(Redactor *redactor, const json_t *value, const json_t *of)
{
    g_autoptr(json_t) device = json_string("ifname");

    return copy_value(redactor, value, device);
}

static json_t *member_comment(Redactor *redactor, const json_t *value, const json_t *of)
{
    const char *text = json_string_value(value);

    return text ? new_text(redact_name(redactor, REDACT_COMMENT, text)) : copy_value(redactor, value, of);
}

/* Of an address, or of a line of the log. */
static json_t *member_prefix(Redactor *redactor, const json_t *value, const json_t *of)
{
    return json_is_object(value) ? copy_prefix(redactor, value) : member_comment(redactor, value, of);
}

static json_t *member_range(Redactor *redactor, const json_t *value, const json_t *of)
{
    return copy_range(redactor, value, of);
}

static json_t *member_concat(Redactor *redactor, const json_t *value, const json_t *of)
{
    return copy_concat(redactor, value, of);
}

/* The expressions that a rule compares are words of the language throughout. */
static json_t *member_expression(Redactor *redactor, const json_t *value, const json_t *of)
{
    json_t *copy;
    const char *name;
    json_t *member;

    if (!json_is_object(value))
        return member_word(redactor, value, of);
    copy = json_object();
    json_object_foreach((json_t *)(gpointer)value, name, member)
    {
        json_object_set_new(copy, name, member_word(redactor, member, of));
    }
    return copy;
}

/* An extension of iptables: what kind it is, and its name. */
static json_t *member_xt(Redactor *redactor, const json_t *value, const json_t *of)
{
    const char *type = get_text(value, "type");
    const char *name = get_text(value, "name");

    return type && name ? json_pack("{s:s, s:s}", "type", type, "name", name) : json_null();
}

/* Members with others beside them: what they are of stands there. */
typedef struct {
    const char *expression, *value; /* value is of expression */
} Sibling;

static json_t *copy_siblings(Redactor *redactor, const json_t *object, const Sibling *sibling,
                             const json_t *of)
{
    json_t *copy = json_object();
    const json_t *expression = type_of(json_object_get(object, sibling->expression));
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(gpointer)object, name, member)
    {
        gboolean is_of = strcmp(name, sibling->value) == 0;

        json_object_set_new(copy, name,
                            is_of ? copy_value(redactor, member, expression)
                                  : copy_member(redactor, name, member, of));
    }
    return copy;
}

static json_t *member_match(Redactor *redactor, const json_t *value, const json_t *of)
{
    static const Sibling match = {"left", "right"};

    return copy_siblings(redactor, value, &match, of);
}

static json_t *member_map(Redactor *redactor, const json_t *value, const json_t *of)
{
    static const Sibling map = {"key", "data"};

    return json_is_object(value) && json_object_get(value, "key") && json_object_get(value, "data")
               ? copy_siblings(redactor, value, &map, of)
               : member_word(redactor, value, of);
}

static json_t *member_mangle(Redactor *redactor, const json_t *value, const json_t *of)
{
    static const Sibling mangle = {"key", "value"};

    return copy_siblings(redactor, value, &mangle, of);
}

/* A set or a map of a table: its type tells what its elements are. */
static json_t *copy_named_set(Redactor *redactor, const json_t *set, const json_t *of)
{
    const json_t *type = type_of(json_object_get(set, "type"));
    const json_t *to = type_of(json_object_get(set, "map"));
    json_t *copy = json_object();
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(gpointer)set, name, member)
    {
        gboolean is_elements = strcmp(name, "elem") == 0 && json_is_array(member);

        json_object_set_new(copy, name,
                            is_elements ? copy_elements(redactor, member, type, to)
                                        : copy_member(redactor, name, member, of));
    }
    return copy;
}

/* Three things are called so: a set of a table; one without a name, in a rule; and a statement. */
static json_t *member_set(Redactor *redactor, const json_t *value, const json_t *of)
{
    if (json_is_array(value))
        return copy_elements(redactor, value, of, NULL);
    return json_is_object(value) ? copy_named_set(redactor, value, of) : copy_value(redactor, value, of);
}

/* A map of a table is like a set; one in a rule has a key. */
static json_t *member_map_or_set(Redactor *redactor, const json_t *value, const json_t *of)
{
    return get_text(value, "name") ? member_set(redactor, value, of) : member_map(redactor, value, of);
}

static json_t *member_value(Redactor *redactor, const json_t *value, const json_t *of)
{
    return copy_value(redactor, value, of);
}

static const struct {
    const char *name;
    json_t *(*copy)(Redactor *redactor, const json_t *value, const json_t *of);
} members[] = {
    {"comment", member_comment},
    {"prefix", member_prefix},
    {"range", member_range},
    {"concat", member_concat},
    {"match", member_match},
    {"vmap", member_map},
    {"map", member_map_or_set},
    {"mangle", member_mangle},
    {"set", member_set},
    {"val", member_value},
    {"elem", member_value},
    /* Names of what the ruleset consists of. */
    {"table", member_chain},
    {"chain", member_chain},
    {"name", member_chain},
    {"target", member_chain},
    {"counter", member_chain},
    {"quota", member_chain},
    {"limit", member_chain},
    {"ct helper", member_chain},
    {"ct timeout", member_chain},
    {"ct expectation", member_chain},
    {"dev", member_device},
    {"device", member_device},
    /* nft's own words. */
    {"meta", member_expression},
    {"payload", member_expression},
    {"ct", member_expression},
    {"fib", member_expression},
    {"rt", member_expression},
    {"ipsec", member_expression},
    {"tcp option", member_expression},
    {"ip option", member_expression},
    {"exthdr", member_expression},
    {"socket", member_expression},
    {"osf", member_expression},
    {"numgen", member_expression},
    {"xt", member_xt},
    {"version", member_version},
    {"release_name", member_version},
    {"family", member_word},
    {"hook", member_word},
    {"type", member_word},
    {"policy", member_word},
    {"op", member_word},
    {"flags", member_word},
    {"per", member_word},
    {"rate_unit", member_word},
    {"burst_unit", member_word},
    {"used_unit", member_word},
    {"level", member_word},
};

static json_t *copy_member(Redactor *redactor, const char *name, const json_t *value, const json_t *of)
{
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        if (strcmp(members[i].name, name) == 0)
            return members[i].copy(redactor, value, of);
    }
    return copy_value(redactor, value, of);
}

/* ----------------------------------------------------------------------------------------- ruleset */

char *redact_nft(Redactor *redactor, const char *json, GError **error)
{
    const char *const texts[] = {json, NULL};
    g_autoptr(json_t) ruleset = json_parse(json, strlen(json), NFT_JSON_DEPTH, FALSE, error);
    g_autoptr(json_t) copy = NULL;
    char *dump, *text;

    if (!ruleset)
        return NULL;
    redact_device_patterns(redactor, texts);
    copy = copy_value(redactor, ruleset, NULL);
    dump = json_dumps(copy, JSON_COMPACT);
    text = g_strconcat(dump, "\n", NULL);
    free(dump);
    return text;
}
