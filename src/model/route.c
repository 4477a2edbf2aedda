/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/route.h"

#include <string.h>

#define SCOPE_LINK 253      /* RT_SCOPE_LINK: valid on its device only */
#define ADDRESS_SECONDARY 1 /* IFA_F_SECONDARY; of IPv6: a temporary one */
#define ADDRESS_DEPRECATED 0x20

/* ------------------------------------------------------------------------------------------- the rules */

static Tri tri_and(Tri a, Tri b)
{
    if (a == TRI_NO || b == TRI_NO)
        return TRI_NO;
    return a == TRI_YES && b == TRI_YES ? TRI_YES : TRI_UNKNOWN;
}

static Tri tri_of(gboolean holds)
{
    return holds ? TRI_YES : TRI_NO;
}

static Tri address_is(const IpNet *wanted, const Ip *ip)
{
    if (wanted->ip.family == 0)
        return TRI_YES;
    return ip->family == 0 ? TRI_UNKNOWN : tri_of(ipnet_contains(wanted, ip));
}

static Tri port_is(guint16 first, guint16 last, guint16 port)
{
    return first == 0 ? TRI_YES : tri_of(port >= first && port <= last);
}

static Tri mark_is(const RouteRule *rule, const Packet *packet)
{
    if ((packet->mark ^ rule->mark) & rule->mark_mask & ~packet->mark_unknown)
        return TRI_NO;
    return rule->mark_mask & packet->mark_unknown ? TRI_UNKNOWN : TRI_YES;
}

static Tri rule_holds(const RouteRule *rule, const Packet *packet)
{
    /* Where a route is looked up, the way out is not known yet. */
    Tri holds = tri_of(!rule->oif && (!rule->iif || strcmp(rule->iif, packet->in ? packet->in : "lo") == 0));

    holds = tri_and(holds, address_is(&rule->src, &packet->src));
    holds = tri_and(holds, address_is(&rule->dst, &packet->dst));
    holds = tri_and(holds, tri_of(rule->protocol == 0 || rule->protocol == packet->protocol));
    holds = tri_and(holds, port_is(rule->sport, rule->sport_last, packet->sport));
    holds = tri_and(holds, port_is(rule->dport, rule->dport_last, packet->dport));
    holds = tri_and(holds, mark_is(rule, packet));
    if (rule->strange)
        holds = tri_and(holds, TRI_UNKNOWN);
    if (!rule->invert || holds == TRI_UNKNOWN)
        return holds;
    return holds == TRI_YES ? TRI_NO : TRI_YES;
}

/* ------------------------------------------------------------------------------------------- the table */

static gboolean is_better(const Route *route, const Route *best)
{
    if (!best || route->dst.prefix != best->dst.prefix)
        return !best || route->dst.prefix > best->dst.prefix;
    return route->priority < best->priority;
}

/* What the kernel passes over: a next hop of a device that is down. */
static gboolean is_usable(const Route *route)
{
    return !(route->flags & ROUTE_DEAD);
}

static const Route *table_route(const Facts *facts, guint32 table, const Ip *dst, guint *hops)
{
    const Route *best = NULL;

    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (route->table != table || route->family != dst->family || !ipnet_contains(&route->dst, dst) ||
            !is_usable(route))
            continue;
        if (is_better(route, best)) {
            best = route;
            *hops = 1;
        } else if (best && route->dst.prefix == best->dst.prefix && route->priority == best->priority &&
                   route->type == best->type) {
            ++*hops;
        }
    }
    return best;
}

static RouteWay way_of(const Route *route)
{
    switch (route->type) {
    case ROUTE_LOCAL:
    case ROUTE_BROADCAST:
    case ROUTE_ANYCAST:
        return ROUTE_WAY_HERE;
    case ROUTE_UNICAST:
        return ROUTE_WAY_OUT;
    case ROUTE_BLACKHOLE:
    case ROUTE_UNREACHABLE:
    case ROUTE_PROHIBIT:
        return ROUTE_WAY_REFUSED;
    default:
        return ROUTE_WAY_UNKNOWN;
    }
}

/* What a table says. FALSE: nothing, and the next rule is asked. */
static gboolean ask_table(const Facts *facts, guint32 table, gint suppress_prefix, const Ip *dst,
                          RouteChoice *choice)
{
    guint hops = 0;
    const Route *route = table_route(facts, table, dst, &hops);

    if (!route || route->type == ROUTE_THROW ||
        (suppress_prefix >= 0 && route->dst.prefix <= (guint)suppress_prefix))
        return FALSE;
    choice->way = way_of(route);
    choice->route = route;
    choice->hops = hops;
    return TRUE;
}

/* A rule that holds. FALSE: it decides nothing. */
static gboolean ask_rule(const Facts *facts, const RouteRule *rule, const Ip *dst, RouteChoice *choice)
{
    if (rule->action == ROUTE_RULE_TABLE)
        return ask_table(facts, rule->table, rule->suppress_prefix, dst, choice);
    if (rule->action < ROUTE_RULE_BLACKHOLE)
        return FALSE;
    choice->way = ROUTE_WAY_REFUSED;
    return TRUE;
}

static RouteChoice choose_by_rules(const Facts *facts, const Packet *packet)
{
    RouteChoice choice = {.way = ROUTE_WAY_NONE};
    gint64 from = 0;

    for (guint i = 0; i < facts->route_rules->len; i++) {
        const RouteRule *rule = facts->route_rules->pdata[i];
        Tri holds;

        if (rule->family != packet->family || rule->priority < from)
            continue;
        holds = rule_holds(rule, packet);
        if (holds == TRI_NO)
            continue;
        if (holds == TRI_YES && rule->action == ROUTE_RULE_GOTO) {
            /* Rules lead forward only: one that names what was before is not resolved, and does nothing. */
            from = MAX(from, (gint64)rule->target);
            continue;
        }
        choice.rule = rule;
        if (holds == TRI_UNKNOWN) {
            choice.way = ROUTE_WAY_UNKNOWN;
            return choice;
        }
        if (ask_rule(facts, rule, &packet->dst, &choice))
            return choice;
        choice.rule = NULL;
    }
    return choice;
}

static gboolean has_rules(const Facts *facts, guint8 family)
{
    for (guint i = 0; i < facts->route_rules->len; i++) {
        if (((const RouteRule *)facts->route_rules->pdata[i])->family == family)
            return TRUE;
    }
    return FALSE;
}

RouteChoice route_choose(const Facts *facts, const Packet *packet)
{
    static const guint32 tables[] = {ROUTE_TABLE_LOCAL, ROUTE_TABLE_MAIN, ROUTE_TABLE_DEFAULT};
    RouteChoice choice = {.way = ROUTE_WAY_NONE};

    if (!facts_has(facts, SOURCE_LINKS) || packet->dst.family == 0)
        return (RouteChoice){.way = ROUTE_WAY_UNKNOWN};
    if (has_rules(facts, packet->family))
        return choose_by_rules(facts, packet);
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (ask_table(facts, tables[i], -1, &packet->dst, &choice))
            break;
    }
    return choice;
}

/* --------------------------------------------------------------------------------------- own addresses */

static gboolean is_candidate(const LinkAddress *address, guint8 family)
{
    return address->net.ip.family == family && !(address->flags & (ADDRESS_SECONDARY | ADDRESS_DEPRECATED)) &&
           !(address->flags & LINK_ADDRESS_TENTATIVE);
}

gboolean route_own_address(const Facts *facts, guint ifindex, const Ip *next, Ip *address)
{
    const LinkAddress *own = NULL;
    const LinkAddress *other = NULL;

    for (guint i = 0; i < facts->addresses->len; i++) {
        const LinkAddress *candidate = &g_array_index(facts->addresses, LinkAddress, i);

        if (!is_candidate(candidate, next->family) ||
            (ip_is_link_local(&candidate->net.ip) && next->family == 6 && !ip_is_link_local(next)))
            continue;
        if (candidate->ifindex == ifindex && ipnet_contains(&candidate->net, next)) {
            own = candidate;
            break;
        }
        if (candidate->ifindex == ifindex)
            own = own ? own : candidate;
        else if (candidate->scope < SCOPE_LINK && !ip_is_loopback(&candidate->net.ip))
            other = other ? other : candidate;
    }
    if (!own)
        own = other;
    if (own)
        *address = own->net.ip;
    return own != NULL;
}

/* ------------------------------------------------------------------------------------------------ words */

/* "" for a type that needs no word. */
static const char *type_name(guint8 type)
{
    switch (type) {
    case ROUTE_BLACKHOLE:
        return "blackhole";
    case ROUTE_UNREACHABLE:
        return "unreachable";
    case ROUTE_PROHIBIT:
        return "prohibit";
    case ROUTE_THROW:
        return "throw";
    default:
        return "";
    }
}

static void add_net(GString *text, const char *word, const IpNet *net)
{
    g_autofree char *shown = net->ip.family ? ipnet_to_string(net) : g_strdup("all");

    g_string_append_printf(text, "%s %s", word, shown);
}

char *route_table_name(guint32 table)
{
    static const struct {
        guint32 table;
        const char *name;
    } names[] = {{ROUTE_TABLE_LOCAL, "local"}, {ROUTE_TABLE_MAIN, "main"}, {ROUTE_TABLE_DEFAULT, "default"}};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].table == table)
            return g_strdup(names[i].name);
    }
    return g_strdup_printf("%u", table);
}

static void add_table(GString *text, const char *word, guint32 table)
{
    g_autofree char *name = route_table_name(table);

    g_string_append_printf(text, " %s %s", word, name);
}

char *route_text(const Facts *facts, const Route *route)
{
    GString *text = g_string_new(type_name(route->type));
    const Link *link = facts_link(facts, route->ifindex);
    g_autofree char *net = ipnet_to_string(&route->dst);
    char buffer[IP_TEXT];

    if (text->len > 0)
        g_string_append_c(text, ' ');
    if (route->type == ROUTE_LOCAL)
        g_string_append(text, "local ");
    g_string_append(text, route->dst.prefix == 0 ? "default" : net);
    if (route->gateway.family)
        g_string_append_printf(text, " via %s", ip_format(&route->gateway, buffer));
    if (link)
        g_string_append_printf(text, " dev %s", link->name);
    if (route->table != ROUTE_TABLE_MAIN)
        add_table(text, "table", route->table);
    return g_string_free(text, FALSE);
}

static void add_ports(GString *text, const char *word, guint16 first, guint16 last)
{
    if (first && first == last)
        g_string_append_printf(text, " %s %u", word, first);
    else if (first)
        g_string_append_printf(text, " %s %u-%u", word, first, last);
}

static void add_action(GString *text, const RouteRule *rule)
{
    switch (rule->action) {
    case ROUTE_RULE_TABLE:
        add_table(text, "lookup", rule->table);
        return;
    case ROUTE_RULE_GOTO:
        g_string_append_printf(text, " goto %u", rule->target);
        return;
    case ROUTE_RULE_BLACKHOLE:
    case ROUTE_RULE_UNREACHABLE:
    case ROUTE_RULE_PROHIBIT:
        /* The numbers of both are one. */
        g_string_append_printf(text, " %s", type_name(rule->action));
        return;
    default:
        g_string_append_printf(text, " action %u", rule->action);
        return;
    }
}

char *route_rule_text(const RouteRule *rule)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "rule %u: %s", rule->priority, rule->invert ? "not " : "");
    add_net(text, "from", &rule->src);
    if (rule->dst.ip.family)
        add_net(text, " to", &rule->dst);
    if (rule->mark_mask)
        g_string_append_printf(text, " fwmark 0x%x/0x%x", rule->mark, rule->mark_mask);
    if (rule->iif)
        g_string_append_printf(text, " iif %s", rule->iif);
    if (rule->oif)
        g_string_append_printf(text, " oif %s", rule->oif);
    if (rule->protocol)
        g_string_append_printf(text, " ipproto %u", rule->protocol);
    add_ports(text, "sport", rule->sport, rule->sport_last);
    add_ports(text, "dport", rule->dport, rule->dport_last);
    if (rule->strange)
        g_string_append(text, " …");
    add_action(text, rule);
    return g_string_free(text, FALSE);
}
