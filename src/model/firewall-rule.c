/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/firewall-rule.h"

#include <string.h>

/* An address with or without prefix; FALSE for anything else (an iptables mask with holes). */
static gboolean address_set(RuleAddress *address, const char *text, gboolean negated)
{
    if (address->set || !text)
        return FALSE;
    if (!ipnet_parse(text, &address->net)) {
        if (!ip_parse(text, &address->net.ip))
            return FALSE;
        address->net.prefix = (guint8)ip_bits(&address->net.ip);
    }
    address->set = TRUE;
    address->negated = negated;
    return TRUE;
}

/* end: the byte that stands for any rest at the end of a name, '+' in iptables, '*' in nftables. */
static gboolean device_set(RuleDevice *device, const char *name, char end, gboolean negated)
{
    gsize length = name ? strlen(name) : 0;

    if (device->name || length == 0)
        return FALSE;
    *device = (RuleDevice){.name = name, .negated = negated, .wildcard = name[length - 1] == end};
    return TRUE;
}

gboolean rule_device_is(const RuleDevice *device, const char *name)
{
    gboolean same;

    if (!device->name)
        return TRUE;
    if (device->wildcard)
        same = strncmp(device->name, name, strlen(device->name) - 1) == 0;
    else
        same = strcmp(device->name, name) == 0;
    return same != device->negated;
}

/* Whether a list of connection tracking's states takes in every reply. */
static gboolean states_hold_replies(const char *const *states)
{
    for (gsize i = 0; states[i]; i++) {
        if (g_ascii_strcasecmp(states[i], "established") == 0)
            return TRUE;
    }
    return FALSE;
}

/* ---------------------------------------------------------------------------------------- iptables */

static void save_target(const FirewallTable *table, const char *name, RuleView *view)
{
    static const struct {
        const char *name;
        RuleVerdict verdict;
    } targets[] = {
        {"ACCEPT", RULE_ACCEPT}, {"DROP", RULE_REFUSE},     {"REJECT", RULE_REFUSE},
        {"RETURN", RULE_RETURN}, {"MASQUERADE", RULE_SNAT}, {"SNAT", RULE_SNAT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (strcmp(targets[i].name, name) == 0)
            view->verdict = targets[i].verdict;
    }
    if (view->verdict == RULE_NONE && firewall_table_chain(table, name)) {
        view->verdict = RULE_JUMP;
        view->target = name;
    }
}

static gboolean save_states(const char *list, RuleView *view)
{
    g_auto(GStrv) states = g_strsplit(list, ",", -1);

    view->replies = states_hold_replies((const char *const *)states);
    return view->replies;
}

/* A match module's name: those whose options are understood, or mean nothing. */
static gboolean save_module(const char *name)
{
    static const char *const modules[] = {"conntrack", "state", "comment", NULL};

    return g_strv_contains(modules, name);
}

/* One option with its value. FALSE if the rule has a condition that RuleView cannot say. */
static gboolean save_option(const char *option, const char *value, gboolean negated, RuleView *view)
{
    if (strcmp(option, "-s") == 0)
        return address_set(&view->src, value, negated);
    if (strcmp(option, "-d") == 0)
        return address_set(&view->dst, value, negated);
    if (strcmp(option, "-i") == 0)
        return device_set(&view->in, value, '+', negated);
    if (strcmp(option, "-o") == 0)
        return device_set(&view->out, value, '+', negated);
    if (strcmp(option, "-m") == 0)
        return save_module(value);
    if (strcmp(option, "--comment") == 0)
        return TRUE;
    if (strcmp(option, "--ctstate") == 0 || strcmp(option, "--state") == 0)
        return !negated && save_states(value, view);
    return FALSE;
}

/* What follows the target are its own options, no conditions. */
static void save_view(const FirewallTable *table, char **argv, RuleView *view)
{
    gboolean negated = FALSE;

    for (gsize i = 0; argv[i]; i++) {
        const char *value = argv[i + 1];

        if (strcmp(argv[i], "!") == 0) {
            negated = TRUE;
            continue;
        }
        if (value && (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "-g") == 0)) {
            save_target(table, value, view);
            return;
        }
        if (argv[i][0] == '-' && value && save_option(argv[i], value, negated, view))
            i++;
        else
            view->exact = FALSE;
        negated = FALSE;
    }
}

/* ---------------------------------------------------------------------------------------- nftables */

static const char *json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static gboolean nft_address(RuleAddress *address, const json_t *right, gboolean negated)
{
    const json_t *prefix = json_object_get(right, "prefix");
    g_autofree char *text = NULL;

    if (!prefix)
        return address_set(address, json_string_value(right), negated);
    text = g_strdup_printf("%s/%" JSON_INTEGER_FORMAT,
                           json_text(prefix, "addr") ? json_text(prefix, "addr") : "",
                           json_integer_value(json_object_get(prefix, "len")));
    return address_set(address, text, negated);
}

static gboolean nft_states(const json_t *right, RuleView *view)
{
    g_autoptr(GPtrArray) states = g_ptr_array_new();

    if (json_is_string(right))
        g_ptr_array_add(states, (gpointer)json_string_value(right));
    for (gsize i = 0; i < json_array_size(right); i++) {
        const char *state = json_string_value(json_array_get(right, i));

        g_ptr_array_add(states, (gpointer)(state ? state : ""));
    }
    g_ptr_array_add(states, NULL);
    view->replies = states_hold_replies((const char *const *)states->pdata);
    return view->replies;
}

static gboolean nft_payload(const json_t *payload, const json_t *right, gboolean negated, RuleView *view)
{
    const char *protocol = json_text(payload, "protocol");
    const char *field = json_text(payload, "field");

    if (!protocol || !field || (strcmp(protocol, "ip") != 0 && strcmp(protocol, "ip6") != 0))
        return FALSE;
    if (strcmp(field, "saddr") == 0)
        return nft_address(&view->src, right, negated);
    return strcmp(field, "daddr") == 0 && nft_address(&view->dst, right, negated);
}

static gboolean nft_meta(const char *key, const json_t *right, gboolean negated, RuleView *view)
{
    const char *name = json_string_value(right);

    /* An index has no wildcard. */
    if (g_strcmp0(key, "iif") == 0)
        return device_set(&view->in, name, '\0', negated);
    if (g_strcmp0(key, "oif") == 0)
        return device_set(&view->out, name, '\0', negated);
    if (g_strcmp0(key, "iifname") == 0)
        return device_set(&view->in, name, '*', negated);
    return g_strcmp0(key, "oifname") == 0 && device_set(&view->out, name, '*', negated);
}

static gboolean nft_match(const json_t *match, RuleView *view)
{
    const char *op = json_text(match, "op");
    const json_t *left = json_object_get(match, "left");
    const json_t *right = json_object_get(match, "right");
    const json_t *payload = json_object_get(left, "payload");
    const json_t *meta = json_object_get(left, "meta");
    gboolean negated = g_strcmp0(op, "!=") == 0;

    if (g_strcmp0(json_text(json_object_get(left, "ct"), "key"), "state") == 0)
        return g_strcmp0(op, "in") == 0 && nft_states(right, view);
    if (!negated && g_strcmp0(op, "==") != 0)
        return FALSE;
    if (payload)
        return nft_payload(payload, right, negated, view);
    return meta && nft_meta(json_text(meta, "key"), right, negated, view);
}

/* The name of an xt target says what it does; an xt match says too little. */
static gboolean nft_xt(const FirewallTable *table, const json_t *xt, RuleView *view)
{
    const char *name = json_text(xt, "name");

    if (!name || g_strcmp0(json_text(xt, "type"), "target") != 0)
        return FALSE;
    save_target(table, name, view);
    return TRUE;
}

static gboolean nft_jump(const json_t *body, RuleView *view)
{
    view->target = json_text(body, "target");
    if (view->target)
        view->verdict = RULE_JUMP;
    return view->target != NULL;
}

/* FALSE if the statement is a condition that RuleView cannot say, or not known. */
static gboolean nft_statement(const FirewallTable *table, const json_t *statement, RuleView *view)
{
    static const struct {
        const char *key;
        RuleVerdict verdict;
    } words[] = {
        {"accept", RULE_ACCEPT}, {"drop", RULE_REFUSE},     {"reject", RULE_REFUSE}, {"return", RULE_RETURN},
        {"snat", RULE_SNAT},     {"masquerade", RULE_SNAT}, {"counter", RULE_NONE},  {"log", RULE_NONE},
    };
    const json_t *body;

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!json_object_get(statement, words[i].key))
            continue;
        view->verdict = words[i].verdict;
        return TRUE;
    }
    if ((body = json_object_get(statement, "match")))
        return nft_match(body, view);
    if ((body = json_object_get(statement, "jump")) || (body = json_object_get(statement, "goto")))
        return nft_jump(body, view);
    body = json_object_get(statement, "xt");
    return body && nft_xt(table, body, view);
}

/* What stands behind a verdict the packet does not come to. */
static void nft_view(const FirewallTable *table, const json_t *expr, RuleView *view)
{
    for (gsize i = 0; i < json_array_size(expr) && view->verdict == RULE_NONE; i++) {
        if (!nft_statement(table, json_array_get(expr, i), view))
            view->exact = FALSE;
    }
}

void firewall_rule_view(const FirewallTable *table, const FirewallRule *rule, RuleView *view)
{
    *view = (RuleView){.exact = TRUE};
    if (rule->argv)
        save_view(table, rule->argv, view);
    else
        nft_view(table, rule->expr, view);
}
