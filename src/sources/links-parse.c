/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/links-parse.h"

#include "base/netlink.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------ values */

/* 0 where ip(8) would know neither: other families have no place in the facts. */
static guint8 family_number(int family)
{
    return family == AF_INET ? 4 : family == AF_INET6 ? 6 : 0;
}

/* An address of this family (4 or 6): no other length will do. */
static gboolean attr_ip(const struct nlattr *attr, guint8 family, Ip *ip)
{
    gsize length;
    const void *bytes = netlink_attr_bytes(attr, &length);

    return bytes && ip_from_bytes(bytes, length, ip) && ip->family == family;
}

static gboolean attr_mac(const struct nlattr *attr, Mac *mac)
{
    gsize length;

    netlink_attr_bytes(attr, &length);
    return length == sizeof(mac->bytes) && netlink_attr_copy(attr, mac->bytes, sizeof(mac->bytes));
}

/* The kernel tells ages in USER_HZ, which sysconf calls clock ticks. */
static guint32 seconds_of_ticks(guint32 ticks)
{
    long per_second = sysconf(_SC_CLK_TCK);

    return per_second > 0 ? (guint32)(ticks / (gulong)per_second) : G_MAXUINT32;
}

/* ------------------------------------------------------------------------------------------- links */

static void bridge_parse(const struct nlattr *data, BridgeInfo *info)
{
    const struct nlattr *attrs[IFLA_BR_MAX + 1];

    netlink_attrs_nested(data, attrs, G_N_ELEMENTS(attrs));
    netlink_attr_copy(attrs[IFLA_BR_BRIDGE_ID], info->id, sizeof(info->id));
    /* 1 is the kernel's own protocol, 2 a daemon's; ports are held back by both. */
    info->stp = netlink_attr_u32(attrs[IFLA_BR_STP_STATE], 0) != 0;
    info->forward_delay = netlink_attr_u32(attrs[IFLA_BR_FORWARD_DELAY], 0);
    info->nf_call_iptables = netlink_attr_u8(attrs[IFLA_BR_NF_CALL_IPTABLES], 0) != 0;
    info->nf_call_ip6tables = netlink_attr_u8(attrs[IFLA_BR_NF_CALL_IP6TABLES], 0) != 0;
    info->vlan_filtering = netlink_attr_u8(attrs[IFLA_BR_VLAN_FILTERING], 0) != 0;
}

static void port_parse(const struct nlattr *data, PortInfo *info)
{
    const struct nlattr *attrs[IFLA_BRPORT_MAX + 1];

    netlink_attrs_nested(data, attrs, G_N_ELEMENTS(attrs));
    info->state = netlink_attr_u8(attrs[IFLA_BRPORT_STATE], 0);
    info->isolated = netlink_attr_u8(attrs[IFLA_BRPORT_ISOLATED], 0) != 0;
    info->learning = netlink_attr_u8(attrs[IFLA_BRPORT_LEARNING], 0) != 0;
    info->unicast_flood = netlink_attr_u8(attrs[IFLA_BRPORT_UNICAST_FLOOD], 0) != 0;
    info->port_no = netlink_attr_u16(attrs[IFLA_BRPORT_NO], 0);
}

static void link_parse_kind(const struct nlattr *linkinfo, Link *link)
{
    const struct nlattr *attrs[IFLA_INFO_MAX + 1];
    const char *slave_kind;

    netlink_attrs_nested(linkinfo, attrs, G_N_ELEMENTS(attrs));
    link->kind = g_strdup(netlink_attr_string(attrs[IFLA_INFO_KIND]));
    link->is_bridge = g_strcmp0(link->kind, "bridge") == 0;
    if (link->is_bridge)
        bridge_parse(attrs[IFLA_INFO_DATA], &link->bridge_info);
    slave_kind = netlink_attr_string(attrs[IFLA_INFO_SLAVE_KIND]);
    link->is_port = g_strcmp0(slave_kind, "bridge") == 0;
    if (link->is_port)
        port_parse(attrs[IFLA_INFO_SLAVE_DATA], &link->port_info);
}

/* -1 where the attribute is missing. */
static gint attr_u8_or_unknown(const struct nlattr *attr)
{
    gsize length;

    netlink_attr_bytes(attr, &length);
    return length == sizeof(guint8) ? netlink_attr_u8(attr, 0) : -1;
}

static gboolean link_name_is_sane(const char *name)
{
    return name && name[0] && strlen(name) < IFNAMSIZ;
}

Link *link_parse(const struct nlmsghdr *message)
{
    const struct nlattr *attrs[IFLA_MAX + 1];
    const struct ifinfomsg *body = netlink_body(message, sizeof(*body));
    g_autoptr(Link) link = NULL;

    if (message->nlmsg_type != RTM_NEWLINK || !body || body->ifi_family != AF_UNSPEC || body->ifi_index <= 0)
        return NULL;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    if (!link_name_is_sane(netlink_attr_string(attrs[IFLA_IFNAME])))
        return NULL;
    link = link_new();
    link->ifindex = (guint)body->ifi_index;
    link->flags = body->ifi_flags;
    link->name = g_strdup(netlink_attr_string(attrs[IFLA_IFNAME]));
    link->alias = g_strdup(netlink_attr_string(attrs[IFLA_IFALIAS]));
    link->mtu = netlink_attr_u32(attrs[IFLA_MTU], 0);
    link->master = netlink_attr_u32(attrs[IFLA_MASTER], 0);
    link->carrier = attr_u8_or_unknown(attrs[IFLA_CARRIER]);
    link->operstate = attr_u8_or_unknown(attrs[IFLA_OPERSTATE]);
    /* The loopback has six bytes too, and no hardware. */
    link->has_mac = body->ifi_type == ARPHRD_ETHER && attr_mac(attrs[IFLA_ADDRESS], &link->mac);
    link_parse_kind(attrs[IFLA_LINKINFO], link);
    return g_steal_pointer(&link);
}

/* --------------------------------------------------------------------------------------- addresses */

gboolean link_address_parse(const struct nlmsghdr *message, LinkAddress *address)
{
    const struct nlattr *attrs[IFA_MAX + 1];
    const struct ifaddrmsg *body = netlink_body(message, sizeof(*body));
    const struct nlattr *own;
    guint8 family;

    memset(address, 0, sizeof(*address));
    if (message->nlmsg_type != RTM_NEWADDR || !body || body->ifa_index == 0)
        return FALSE;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    family = family_number(body->ifa_family);
    /* With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL ours; IPv6 without one has no IFA_LOCAL. */
    own = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
    if (family == 0 || !attr_ip(own, family, &address->net.ip) ||
        body->ifa_prefixlen > ip_bits(&address->net.ip))
        return FALSE;
    address->ifindex = body->ifa_index;
    address->net.prefix = body->ifa_prefixlen;
    address->scope = body->ifa_scope;
    /* The header has room for the first eight flags only. */
    address->flags = netlink_attr_u32(attrs[IFA_FLAGS], body->ifa_flags);
    return TRUE;
}

/* ----------------------------------------------------------------------- neighbours and forwarding */

gboolean neighbour_parse(const struct nlmsghdr *message, Neighbour *neighbour)
{
    const struct nlattr *attrs[NDA_MAX + 1];
    const struct ndmsg *body = netlink_body(message, sizeof(*body));
    struct nda_cacheinfo ages;
    guint8 family;

    memset(neighbour, 0, sizeof(*neighbour));
    if (message->nlmsg_type != RTM_NEWNEIGH || !body || body->ndm_ifindex <= 0 ||
        (body->ndm_flags & NTF_PROXY))
        return FALSE;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    family = family_number(body->ndm_family);
    if (family == 0 || !attr_ip(attrs[NDA_DST], family, &neighbour->ip))
        return FALSE;
    neighbour->ifindex = (guint)body->ndm_ifindex;
    neighbour->state = body->ndm_state;
    neighbour->has_mac = attr_mac(attrs[NDA_LLADDR], &neighbour->mac);
    neighbour->confirmed = netlink_attr_copy(attrs[NDA_CACHEINFO], &ages, sizeof(ages))
                               ? seconds_of_ticks(ages.ndm_confirmed)
                               : G_MAXUINT32;
    return TRUE;
}

gboolean fdb_entry_parse(const struct nlmsghdr *message, FdbEntry *entry)
{
    const struct nlattr *attrs[NDA_MAX + 1];
    const struct ndmsg *body = netlink_body(message, sizeof(*body));
    struct nda_cacheinfo ages;

    memset(entry, 0, sizeof(*entry));
    if (message->nlmsg_type != RTM_NEWNEIGH || !body || body->ndm_family != AF_BRIDGE ||
        body->ndm_ifindex <= 0 || (body->ndm_flags & NTF_SELF))
        return FALSE;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    entry->master = netlink_attr_u32(attrs[NDA_MASTER], 0);
    if (entry->master == 0 || !attr_mac(attrs[NDA_LLADDR], &entry->mac))
        return FALSE;
    entry->ifindex = (guint)body->ndm_ifindex;
    entry->vlan = netlink_attr_u16(attrs[NDA_VLAN], 0);
    /* A bridge says PERMANENT for its ports' own addresses and NOARP for "static" ones: both were not
     * learned. */
    entry->permanent = (body->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
    entry->updated = netlink_attr_copy(attrs[NDA_CACHEINFO], &ages, sizeof(ages))
                         ? seconds_of_ticks(ages.ndm_updated)
                         : G_MAXUINT32;
    return TRUE;
}

/* ------------------------------------------------------------------------------------------ routes */

/* RTA_GATEWAY of the route's family, or RTA_VIA, which tells its own (an IPv4 route through an IPv6 gateway).
 */
static gboolean gateway_parse(const struct nlattr *const *attrs, guint8 family, Ip *gateway)
{
    struct rtvia via;
    gsize length;
    const guint8 *bytes;

    if (attrs[RTA_GATEWAY])
        return attr_ip(attrs[RTA_GATEWAY], family, gateway);
    if (!attrs[RTA_VIA])
        return TRUE;
    if (!netlink_attr_copy(attrs[RTA_VIA], &via, sizeof(via)))
        return FALSE;
    bytes = netlink_attr_bytes(attrs[RTA_VIA], &length);
    return ip_from_bytes(bytes + sizeof(via), length - sizeof(via), gateway) &&
           gateway->family == family_number(via.rtvia_family);
}

/* One struct rtnexthop of RTA_MULTIPATH, with its own attributes, into a Route that has the rest already. */
static gboolean nexthop_parse(const struct rtnexthop *hop, Route *route)
{
    const struct nlattr *attrs[RTA_MAX + 1];

    netlink_attrs_in(hop + 1, hop->rtnh_len - sizeof(*hop), attrs, G_N_ELEMENTS(attrs));
    route->ifindex = hop->rtnh_ifindex > 0 ? (guint)hop->rtnh_ifindex : 0;
    route->flags |= hop->rtnh_flags;
    return gateway_parse(attrs, route->family, &route->gateway);
}

static gboolean multipath_parse(const struct nlattr *multipath, const Route *common, GArray *routes)
{
    gsize length;
    const guint8 *at = netlink_attr_bytes(multipath, &length);

    while (length >= sizeof(struct rtnexthop)) {
        const struct rtnexthop *hop = (const struct rtnexthop *)(const void *)at;
        Route route = *common;
        gsize step;

        if (hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > length || !nexthop_parse(hop, &route))
            return FALSE;
        g_array_append_val(routes, route);
        step = MIN(RTNH_ALIGN((gsize)hop->rtnh_len), length);
        at += step;
        length -= step;
    }
    return length == 0;
}

/* The destination: without RTA_DST everything, which only a prefix of 0 may say. */
static gboolean destination_parse(const struct nlattr *attr, const struct rtmsg *body, Route *route)
{
    route->dst.ip.family = route->family;
    route->dst.prefix = body->rtm_dst_len;
    if (!attr)
        return body->rtm_dst_len == 0;
    return attr_ip(attr, route->family, &route->dst.ip) && body->rtm_dst_len <= ip_bits(&route->dst.ip);
}

static guint route_mtu(const struct nlattr *metrics)
{
    const struct nlattr *attrs[RTAX_MAX + 1];

    netlink_attrs_nested(metrics, attrs, G_N_ELEMENTS(attrs));
    return netlink_attr_u32(attrs[RTAX_MTU], 0);
}

gboolean route_parse(const struct nlmsghdr *message, int family, GArray *routes)
{
    const struct nlattr *attrs[RTA_MAX + 1];
    const struct rtmsg *body = netlink_body(message, sizeof(*body));
    guint before = routes->len;
    Route route = {.family = family_number(family)};

    if (message->nlmsg_type != RTM_NEWROUTE || !body || body->rtm_family != family || route.family == 0 ||
        (body->rtm_flags & RTM_F_CLONED))
        return FALSE;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    if (!destination_parse(attrs[RTA_DST], body, &route))
        return FALSE;
    /* The header's table is one byte; numbers over 255 are in the attribute alone. */
    route.table = netlink_attr_u32(attrs[RTA_TABLE], body->rtm_table);
    route.type = body->rtm_type;
    route.scope = body->rtm_scope;
    route.protocol = body->rtm_protocol;
    route.flags = body->rtm_flags;
    route.priority = netlink_attr_u32(attrs[RTA_PRIORITY], 0);
    route.mtu = route_mtu(attrs[RTA_METRICS]);
    if (attrs[RTA_MULTIPATH]) {
        if (multipath_parse(attrs[RTA_MULTIPATH], &route, routes) && routes->len > before)
            return TRUE;
        g_array_set_size(routes, before);
        return FALSE;
    }
    route.ifindex = netlink_attr_u32(attrs[RTA_OIF], 0);
    if (!gateway_parse(attrs, route.family, &route.gateway))
        return FALSE;
    g_array_append_val(routes, route);
    return TRUE;
}

/* ------------------------------------------------------------------------------------------- rules */

/* FALSE: there is a prefix that is none. */
static gboolean rule_net(const struct nlattr *attr, guint8 length, guint8 family, IpNet *net)
{
    if (length == 0)
        return TRUE;
    net->prefix = length;
    return attr && attr_ip(attr, family, &net->ip) && length <= ip_bits(&net->ip);
}

static void rule_ports(const struct nlattr *attr, RouteRule *rule, guint16 *first, guint16 *last)
{
    struct fib_rule_port_range range = {0};

    if (!attr)
        return;
    if (!netlink_attr_copy(attr, &range, sizeof(range)))
        rule->strange = TRUE;
    *first = range.start;
    *last = range.end;
}

static char *rule_device(const struct nlattr *attr, RouteRule *rule)
{
    const char *name = netlink_attr_string(attr);

    if (attr && !link_name_is_sane(name)) {
        rule->strange = TRUE;
        return NULL;
    }
    return g_strdup(name);
}

/* Conditions that few use, and that are not told by what a packet is. */
static gboolean rule_asks_more(const struct nlattr *const *attrs, const struct fib_rule_hdr *body)
{
    static const guint16 others[] = {FRA_FLOW, FRA_TUN_ID, FRA_SUPPRESS_IFGROUP, FRA_UID_RANGE, FRA_L3MDEV};

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        /* The kernel writes "no group" as -1. */
        if (attrs[others[i]] &&
            (others[i] != FRA_SUPPRESS_IFGROUP || netlink_attr_u32(attrs[others[i]], 0) != G_MAXUINT32))
            return TRUE;
    }
    return body->tos != 0;
}

static gboolean rule_action_known(guint8 action)
{
    return action == ROUTE_RULE_TABLE || action == ROUTE_RULE_GOTO || action == ROUTE_RULE_NOP ||
           (action >= ROUTE_RULE_BLACKHOLE && action <= ROUTE_RULE_PROHIBIT);
}

RouteRule *route_rule_parse(const struct nlmsghdr *message, int family)
{
    const struct nlattr *attrs[FRA_MAX + 1];
    const struct fib_rule_hdr *body = netlink_body(message, sizeof(*body));
    RouteRule *rule;

    if (message->nlmsg_type != RTM_NEWRULE || !body || body->family != family || family_number(family) == 0)
        return NULL;
    netlink_attrs(message, sizeof(*body), attrs, G_N_ELEMENTS(attrs));
    rule = route_rule_new();
    rule->family = family_number(family);
    rule->strange = !rule_net(attrs[FRA_SRC], body->src_len, rule->family, &rule->src) ||
                    !rule_net(attrs[FRA_DST], body->dst_len, rule->family, &rule->dst) ||
                    rule_asks_more(attrs, body) || !rule_action_known(body->action);
    rule->priority = netlink_attr_u32(attrs[FRA_PRIORITY], 0);
    rule->iif = rule_device(attrs[FRA_IIFNAME], rule);
    rule->oif = rule_device(attrs[FRA_OIFNAME], rule);
    rule->mark = netlink_attr_u32(attrs[FRA_FWMARK], 0);
    rule->mark_mask = netlink_attr_u32(attrs[FRA_FWMASK], 0);
    rule->protocol = netlink_attr_u8(attrs[FRA_IP_PROTO], 0);
    rule_ports(attrs[FRA_SPORT_RANGE], rule, &rule->sport, &rule->sport_last);
    rule_ports(attrs[FRA_DPORT_RANGE], rule, &rule->dport, &rule->dport_last);
    rule->action = body->action;
    rule->table = netlink_attr_u32(attrs[FRA_TABLE], body->table);
    rule->target = netlink_attr_u32(attrs[FRA_GOTO], 0);
    rule->suppress_prefix = (gint)netlink_attr_u32(attrs[FRA_SUPPRESS_PREFIXLEN], G_MAXUINT32);
    rule->invert = (body->flags & FIB_RULE_INVERT) != 0;
    return rule;
}
