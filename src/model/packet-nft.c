/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <netinet/in.h>
#include <string.h>

/*
 * A rule of nftables is a list of statements, executed in their order: a condition that does not hold ends
 * the rule, a verdict ends it too, and what else there is changes nothing that matters here, or the marks.
 */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ------------------------------------------------------------------------------------------- conditions */

static gboolean key_is_absent(const Key *key)
{
    for (guint i = 0; i < key->count; i++) {
        if (key->parts[i].kind == VALUE_ABSENT)
            return TRUE;
    }
    return FALSE;
}

/* Whether one of these flags is set. */
static Match flags_match(const Value *value, const json_t *right)
{
    guint64 flags;

    if (value->kind != VALUE_NUMBER || !nft_number(value->words, right, &flags))
        return MATCH_MAYBE;
    if (value->number & value->known & flags)
        return MATCH_YES;
    return flags & ~value->known ? MATCH_MAYBE : MATCH_NO;
}

static Match order_match(const Value *value, const char *op, const json_t *right)
{
    guint64 number;
    int order;
    Ip ip;

    if (value->kind == VALUE_ADDRESS) {
        if (!json_is_string(right) || !ip_parse(json_string_value(right), &ip))
            return MATCH_MAYBE;
        order = ip_compare(&value->ip, &ip);
    } else {
        if (value->kind != VALUE_NUMBER || value->known != G_MAXUINT64 ||
            !nft_number(value->words, right, &number))
            return MATCH_MAYBE;
        order = value->number < number ? -1 : value->number > number;
    }
    if (op[1] == '=' && order == 0)
        return MATCH_YES;
    return match_of(op[0] == '<' ? order < 0 : order > 0);
}

/* Flags against flags that are written out, not against a set of values. */
static gboolean compares_flags(const Key *key, const json_t *right)
{
    const Words words = key->parts[0].words;
    const char *text = json_string_value(right);

    return !key->concat && (words == WORDS_STATE || words == WORDS_STATUS || words == WORDS_TCP_FLAGS) &&
           !json_object_get(right, "set") && !(text && *text == '@');
}

static Match compare(Walk *walk, const char *op, const json_t *right, const Key *key)
{
    const Value *value = &key->parts[0];
    gboolean single = compares_flags(key, right);

    if (strcmp(op, "==") == 0)
        return nft_element(walk, key, right);
    if (strcmp(op, "!=") == 0)
        return match_not(nft_element(walk, key, right));
    if (strcmp(op, "in") == 0)
        return single ? flags_match(value, right) : nft_element(walk, key, right);
    if (strcmp(op, "!") == 0)
        return single ? match_not(flags_match(value, right)) : MATCH_MAYBE;
    if (op[0] == '<' || op[0] == '>')
        return key->concat ? MATCH_MAYBE : order_match(value, op, right);
    return MATCH_MAYBE;
}

static Match match_statement(Walk *walk, const json_t *body)
{
    Key key;

    if (!nft_key(walk, json_object_get(body, "left"), &key))
        return MATCH_MAYBE;
    if (key_is_absent(&key))
        return MATCH_NO;
    return compare(walk, text_of(body, "op"), json_object_get(body, "right"), &key);
}

/* A rate that is not used up: then "over" it, which inv says, no packet is yet. Which of both one is that
 * has a name is not in the rule. */
static Match limit_statement(Walk *walk, const json_t *body)
{
    if (!json_object_get(body, "rate"))
        return MATCH_MAYBE;
    return json_is_true(json_object_get(body, "inv")) ? MATCH_NO : MATCH_YES;
}

/* This is the only connection: more than val is it only over none. */
static Match ct_count_statement(Walk *walk, const json_t *body)
{
    gboolean over = json_integer_value(json_object_get(body, "val")) < 1;

    return match_of(json_is_true(json_object_get(body, "inv")) == over);
}

/* Puts the packet into a set, perhaps as far as a limit allows. */
static Match set_statement(Walk *walk, const json_t *body)
{
    const char *name = text_of(body, "set");
    const json_t *set = nft_set(walk, *name == '@' ? name + 1 : name);
    const json_t *inner = json_object_get(body, "stmt");
    Match match = MATCH_YES;

    if (set)
        g_hash_table_add(walk->touched, (gpointer)set);
    for (gsize i = 0; i < json_array_size(inner); i++) {
        const json_t *limit = json_object_get(json_array_get(inner, i), "limit");
        const json_t *count = json_object_get(json_array_get(inner, i), "ct count");

        if (limit)
            match = match_and(match, limit_statement(walk, limit));
        else if (count)
            match = match_and(match, ct_count_statement(walk, count));
        else if (!json_object_get(json_array_get(inner, i), "counter"))
            match = match_and(match, MATCH_MAYBE);
    }
    return match;
}

static Match xt_statement(Walk *walk, const json_t *body)
{
    return strcmp(text_of(body, "name"), "comment") == 0 ? MATCH_YES : MATCH_MAYBE;
}

static Match unknown_statement(Walk *walk, const json_t *body)
{
    return MATCH_MAYBE;
}

static const struct {
    const char *key;
    Match (*holds)(Walk *walk, const json_t *body);
} conditions[] = {
    {"match", match_statement}, {"limit", limit_statement},   {"ct count", ct_count_statement},
    {"set", set_statement},     {"quota", unknown_statement}, {"meter", unknown_statement},
};

/* --------------------------------------------------------------------------------------------- mangling */

static void mangle_mark(Walk *walk, const json_t *value, Match live, guint32 *mark, guint32 *known)
{
    guint64 number;
    Value now;

    if (nft_number(WORDS_NONE, value, &number)) {
        walk_set_mark(mark, known, G_MAXUINT32, (guint32)number, G_MAXUINT32, live);
        return;
    }
    now = nft_value(walk, value);
    if (now.kind == VALUE_NUMBER)
        walk_set_mark(mark, known, G_MAXUINT32, (guint32)now.number, (guint32)now.known, live);
    else if (now.kind != VALUE_ABSENT)
        walk_set_mark(mark, known, G_MAXUINT32, 0, 0, live);
}

static void mangle(Walk *walk, const json_t *body, Match live)
{
    const json_t *key = json_object_get(body, "key");
    const json_t *value = json_object_get(body, "value");
    const json_t *payload = json_object_get(key, "payload");
    const char *field = text_of(payload, "field");
    WalkState *now = &walk->now;

    if (strcmp(text_of(json_object_get(key, "meta"), "key"), "mark") == 0)
        mangle_mark(walk, value, live, &now->mark, &now->mark_known);
    else if (strcmp(text_of(json_object_get(key, "ct"), "key"), "mark") == 0)
        mangle_mark(walk, value, live, &now->ct_mark, &now->ct_mark_known);
    else if (payload)
        now->rewritten |= g_str_has_suffix(field, "addr") || g_str_has_suffix(field, "port") || !*field;
}

/* ---------------------------------------------------------------------------------------------- verdicts */

/* 0: nothing that a statement of this key decides. */
static guint plain_verdict(const char *key)
{
    static const struct {
        const char *key;
        guint may;
    } verdicts[] = {
        {"accept", MAY_ACCEPT},
        {"drop", MAY_DROP},
        {"return", MAY_RETURN},
        {"continue", MAY_NEXT},
        {"masquerade", MAY_ACCEPT},
        {"snat", MAY_ACCEPT},
        {"dnat", MAY_ACCEPT},
        {"redirect", MAY_ACCEPT},
        {"queue", MAY_ACCEPT | MAY_DROP},
        {"fwd", MAY_ACCEPT | MAY_DROP}, /* out by another device, past everything else */
        {"synproxy", MAY_ACCEPT | MAY_DROP | MAY_NEXT},
        {"tproxy", MAY_ACCEPT | MAY_NEXT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        if (strcmp(verdicts[i].key, key) == 0)
            return verdicts[i].may;
    }
    return 0;
}

/* nft leaves out the condition that a kind of answer implies. */
static gboolean reject_applies(const Packet *packet, const json_t *body)
{
    const char *type = text_of(body, "type");

    if (strcmp(type, "tcp reset") == 0)
        return packet->protocol == IPPROTO_TCP;
    if (strcmp(type, "icmp") == 0)
        return packet->family == 4 && !packet->arp;
    return strcmp(type, "icmpv6") != 0 || packet->family == 6;
}

static const char *only_key(const json_t *object)
{
    /* jansson's iterator takes no const, but changes nothing. */
    json_t *readable = (json_t *)(gpointer)object;

    return json_object_size(object) == 1 ? json_object_iter_key(json_object_iter(readable)) : NULL;
}

/* Of a statement, or of a map's element. FALSE: it is no verdict. */
static gboolean verdict(Walk *walk, const At *at, const json_t *statement, Outcome *outcome)
{
    const char *key = only_key(statement);
    const json_t *body = key ? json_object_get(statement, key) : NULL;
    guint may = key ? plain_verdict(key) : 0;

    if (may)
        *outcome = may == MAY_NEXT ? walk_next() : walk_verdict(walk, at, may);
    else if (key && (strcmp(key, "jump") == 0 || strcmp(key, "goto") == 0))
        *outcome = walk_jump(walk, at, text_of(body, "target"), *key == 'j');
    else if (key && strcmp(key, "reject") == 0)
        *outcome = reject_applies(walk->packet, body) ? walk_verdict(walk, at, MAY_REJECT) : walk_next();
    else
        return FALSE;
    return TRUE;
}

/* -------------------------------------------------------------------------------------- maps of verdicts */

static const json_t *map_elements(const Walk *walk, const json_t *data)
{
    const char *name = json_string_value(data);

    if (name && name[0] == '@')
        return json_object_get(nft_set(walk, name + 1), "elem");
    return json_object_get(data, "set");
}

static gboolean is_catch_all(const json_t *pair)
{
    const char *text = json_string_value(nft_bare(json_array_get(pair, 0)));

    return text && strcmp(text, "*") == 0;
}

/* Takes one way more that the packet may go. */
static void add_way(Walk *walk, const At *at, const json_t *pair, Match match, Outcome *sum)
{
    WalkState before = walk->now;
    At way = *at;
    Outcome outcome;

    way.live = match_and(at->live, match);
    if (!verdict(walk, &way, json_array_get(pair, 1), &outcome))
        outcome = walk_verdict(walk, &way, MAY_END | MAY_NEXT);
    if (way.live != MATCH_YES)
        walk_merge(&walk->now, &before);
    sum->may |= outcome.may;
    sum->chain = outcome.chain;
    sum->rule = outcome.rule;
}

/*
 * The element that matches has the verdict; where none does the rule ends. catch_all: "*", which is for what
 * no other element matches.
 */
static Outcome vmap(Walk *walk, const At *at, const json_t *body)
{
    const json_t *elements = map_elements(walk, json_object_get(body, "data"));
    const json_t *catch_all = NULL;
    Outcome outcome = {.may = 0};
    Key key;

    if (!nft_key(walk, json_object_get(body, "key"), &key) || !json_is_array(elements))
        return walk_verdict(walk, at, MAY_END | MAY_NEXT);
    for (gsize i = 0; i < json_array_size(elements) && !key_is_absent(&key); i++) {
        const json_t *pair = json_array_get(elements, i);
        Match match;

        if (is_catch_all(pair)) {
            catch_all = pair;
            continue;
        }
        match = nft_element(walk, &key, json_array_get(pair, 0));
        if (match == MATCH_NO)
            continue;
        add_way(walk, at, pair, match, &outcome);
        if (match == MATCH_YES)
            return outcome;
    }
    if (catch_all)
        add_way(walk, at, catch_all, outcome.may ? MATCH_MAYBE : MATCH_YES, &outcome);
    else
        outcome.may |= MAY_NEXT;
    return outcome;
}

/* ------------------------------------------------------------------------------------------------ rules */

/* Statements that decide nothing about this packet. */
static gboolean is_harmless(const char *key)
{
    static const char *const harmless[] = {
        "counter",        "log",     "dup",  "flow", "ct helper", "ct timeout",
        "ct expectation", "secmark", "last", "map",  NULL,
    };

    return g_strv_contains(harmless, key);
}

static Match condition(Walk *walk, const char *key, const json_t *body)
{
    for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++) {
        if (strcmp(conditions[i].key, key) == 0)
            return conditions[i].holds(walk, body);
    }
    return is_harmless(key) ? MATCH_YES : MATCH_MAYBE;
}

/* Executes one statement. TRUE: the rule is over, *outcome says how. */
static gboolean statement(Walk *walk, At *at, const json_t *object, Outcome *outcome)
{
    const char *key = only_key(object);
    const json_t *body = key ? json_object_get(object, key) : NULL;

    if (!key) {
        at->live = match_and(at->live, MATCH_MAYBE);
        return FALSE;
    }
    if (verdict(walk, at, object, outcome))
        return TRUE;
    if (strcmp(key, "vmap") == 0) {
        *outcome = vmap(walk, at, body);
        return TRUE;
    }
    if (strcmp(key, "xt") == 0 && strcmp(text_of(body, "type"), "target") == 0) {
        *outcome = save_target(walk, at, text_of(body, "name"));
        return TRUE;
    }
    if (strcmp(key, "mangle") == 0)
        mangle(walk, body, at->live);
    else if (strcmp(key, "notrack") == 0)
        walk->now.state = at->live == MATCH_YES ? PACKET_UNTRACKED : walk->now.state;
    else
        at->live = match_and(at->live,
                             strcmp(key, "xt") == 0 ? xt_statement(walk, body) : condition(walk, key, body));
    if (at->live != MATCH_NO)
        return FALSE;
    *outcome = walk_next();
    return TRUE;
}

Outcome nft_walk(Walk *walk, const At *at, const json_t *expr)
{
    At here = *at;
    Outcome outcome;

    for (gsize i = 0; i < json_array_size(expr); i++) {
        if (statement(walk, &here, json_array_get(expr, i), &outcome))
            return outcome;
    }
    return walk_next();
}
