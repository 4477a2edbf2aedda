/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/links.h"

#include "base/error.h"
#include "base/netlink.h"
#include "sources/links.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

/*
 * The order of a re-attachment, and why.
 *
 * 1. MTU before master: a bridge without an MTU of its own takes the smallest of its ports', so a tap that
 * comes with 1500 to a bridge of 9000 would shrink it for all guests.
 * 2. Isolation before master would be right, but the kernel keeps it with the port, which exists only with a
 * master (and applies a message's port settings before its master). A port forwards as soon as it is up,
 * though: at once where STP is off. So a tap that is to be isolated is set down first, and comes up again
 * when it is. It was not on a bridge, so nothing that worked is interrupted; and should isolating fail, it
 * leaves the bridge again rather than stay open.
 * 3. Up last.
 */

/* ---------------------------------------------------------------------------------- single changes */

/* A message about one link, without attributes yet. change: which of flags are meant. */
static void link_request(NetlinkRequest *request, int family, guint ifindex, guint flags, guint change)
{
    const struct ifinfomsg body = {
        .ifi_family = (guint8)family, .ifi_index = (int)ifindex, .ifi_flags = flags, .ifi_change = change};

    netlink_request_init(request, RTM_SETLINK, &body, sizeof(body));
}

static gboolean set_flag_up(Netlink *netlink, guint ifindex, gboolean up, Deadline deadline, GError **error)
{
    NetlinkRequest request;

    link_request(&request, AF_UNSPEC, ifindex, up ? IFF_UP : 0, IFF_UP);
    return netlink_change(netlink, &request, 0, deadline, error);
}

/* type: IFLA_MTU, IFLA_MASTER. */
static gboolean set_number(Netlink *netlink, guint ifindex, guint16 type, guint32 value, Deadline deadline,
                           GError **error)
{
    NetlinkRequest request;

    link_request(&request, AF_UNSPEC, ifindex, 0, 0);
    netlink_request_put_u32(&request, type, value);
    return netlink_change(netlink, &request, 0, deadline, error);
}

static gboolean set_isolated(Netlink *netlink, guint ifindex, gboolean isolated, Deadline deadline,
                             GError **error)
{
    NetlinkRequest request;
    struct nlattr *port;

    link_request(&request, AF_BRIDGE, ifindex, 0, 0);
    port = netlink_request_nest(&request, IFLA_PROTINFO | NLA_F_NESTED);
    netlink_request_put_u8(&request, IFLA_BRPORT_ISOLATED, isolated != FALSE);
    netlink_request_nest_end(&request, port);
    return netlink_change(netlink, &request, 0, deadline, error);
}

/* ----------------------------------------------------------------------------------- looking again */

static Facts *look(LinksWanted wanted, Deadline deadline, GError **error)
{
    g_autoptr(Facts) facts = facts_new();

    return links_read(facts, wanted, deadline, error) ? g_steal_pointer(&facts) : NULL;
}

/* The link as it is now, or NULL with NOT_FOUND. */
static const Link *same_link(const Facts *facts, const Link *link, GError **error)
{
    const Link *now = facts_link(facts, link->ifindex);

    if (now && g_strcmp0(now->name, link->name) == 0)
        return now;
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "there is no device %s with index %u any more", link->name,
                   link->ifindex);
    return NULL;
}

static gboolean is_attached(const Link *tap, const Link *bridge, const LinkAttachment *how)
{
    return tap->master == bridge->ifindex && tap->is_port && (tap->flags & IFF_UP) &&
           (how->mtu == 0 || tap->mtu == how->mtu) && tap->port_info.isolated == (how->isolated != FALSE);
}

/* ------------------------------------------------------------------------------------- the actions */

static gboolean enslave_isolated(Netlink *netlink, guint tap, guint bridge, Deadline deadline, GError **error)
{
    if (!set_flag_up(netlink, tap, FALSE, deadline, error) ||
        !set_number(netlink, tap, IFLA_MASTER, bridge, deadline, error))
        return FALSE;
    if (set_isolated(netlink, tap, TRUE, deadline, error))
        return TRUE;
    /* Not a port that others can reach: as it was before. The deadline may be what failed, so this has its
     * own. */
    (void)set_number(netlink, tap, IFLA_MASTER, 0, deadline_in(1), NULL);
    (void)set_flag_up(netlink, tap, TRUE, deadline_in(1), NULL);
    return FALSE;
}

static gboolean attach(Netlink *netlink, const Link *tap, const Link *bridge, const LinkAttachment *how,
                       Deadline deadline, GError **error)
{
    gboolean there = tap->master == bridge->ifindex;

    if (how->mtu && tap->mtu != how->mtu &&
        !set_number(netlink, tap->ifindex, IFLA_MTU, how->mtu, deadline, error))
        return FALSE;
    if (there && !set_isolated(netlink, tap->ifindex, how->isolated, deadline, error))
        return FALSE;
    if (!there && how->isolated && !enslave_isolated(netlink, tap->ifindex, bridge->ifindex, deadline, error))
        return FALSE;
    if (!there && !how->isolated &&
        !set_number(netlink, tap->ifindex, IFLA_MASTER, bridge->ifindex, deadline, error))
        return FALSE;
    return set_flag_up(netlink, tap->ifindex, TRUE, deadline, error);
}

static gboolean attach_and_look(const Link *tap, const Link *bridge, const LinkAttachment *how,
                                Deadline deadline, GError **error)
{
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    g_autoptr(Facts) after = NULL;
    const Link *now;

    if (!netlink || !attach(netlink, tap, bridge, how, deadline, error))
        return FALSE;
    after = look(LINKS_LINKS, deadline, error);
    now = after ? same_link(after, tap, error) : NULL;
    if (!now)
        return FALSE;
    if (!is_attached(now, bridge, how))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s was changed by somebody else meanwhile",
                              tap->name);
    return TRUE;
}

gboolean link_reattach(const Link *tap, const Link *bridge, const LinkAttachment *how, Deadline deadline,
                       GError **error)
{
    g_autoptr(Facts) before = look(LINKS_LINKS, deadline, error);
    const Link *tap_now = before ? same_link(before, tap, error) : NULL;
    const Link *bridge_now = tap_now ? same_link(before, bridge, error) : NULL;

    if (!bridge_now)
        return FALSE;
    if (!bridge_now->is_bridge)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s is no bridge", bridge->name);
    return is_attached(tap_now, bridge_now, how) ||
           attach_and_look(tap_now, bridge_now, how, deadline, error);
}

gboolean link_set_up(const Link *link, Deadline deadline, GError **error)
{
    g_autoptr(Facts) before = look(LINKS_LINKS, deadline, error);
    const Link *now = before ? same_link(before, link, error) : NULL;
    g_autoptr(Netlink) netlink = now ? netlink_open(NETLINK_ROUTE, error) : NULL;
    g_autoptr(Facts) after = NULL;

    if (!netlink || !set_flag_up(netlink, link->ifindex, TRUE, deadline, error))
        return FALSE;
    after = look(LINKS_LINKS, deadline, error);
    now = after ? same_link(after, link, error) : NULL;
    if (now && !(now->flags & IFF_UP))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s was set down by somebody else meanwhile",
                              link->name);
    return now != NULL;
}

static gboolean has_address(const Facts *facts, guint ifindex, const IpNet *net)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        const LinkAddress *address = &g_array_index(facts->addresses, LinkAddress, i);

        if (address->ifindex == ifindex && address->net.prefix == net->prefix &&
            ip_equal(&address->net.ip, &net->ip))
            return TRUE;
    }
    return FALSE;
}

static gboolean send_address(guint ifindex, const IpNet *net, Deadline deadline, GError **error)
{
    const gboolean v4 = net->ip.family == 4;
    const gsize length = v4 ? 4 : 16;
    const struct ifaddrmsg body = {
        .ifa_family = v4 ? AF_INET : AF_INET6, .ifa_prefixlen = net->prefix, .ifa_index = ifindex};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    const Ip broadcast = ipnet_last(net);
    NetlinkRequest request;

    netlink_request_init(&request, RTM_NEWADDR, &body, sizeof(body));
    netlink_request_put(&request, IFA_LOCAL, net->ip.bytes, length);
    netlink_request_put(&request, IFA_ADDRESS, net->ip.bytes, length);
    /* A /31 and a /32 have none. */
    if (v4 && net->prefix < 31)
        netlink_request_put(&request, IFA_BROADCAST, broadcast.bytes, length);
    return netlink && netlink_change(netlink, &request, NLM_F_CREATE | NLM_F_EXCL, deadline, error);
}

gboolean link_add_address(const Link *link, const IpNet *net, Deadline deadline, GError **error)
{
    const LinksWanted wanted = LINKS_LINKS | LINKS_ADDRESSES;
    g_autoptr(Facts) before = look(wanted, deadline, error);
    g_autoptr(Facts) after = NULL;
    g_autoptr(GError) refused = NULL;

    if (!before || !same_link(before, link, error))
        return FALSE;
    if (has_address(before, link->ifindex, net))
        return TRUE;
    /* Somebody else may have been faster: the second look decides. */
    if (!send_address(link->ifindex, net, deadline, &refused) &&
        !g_error_matches(refused, VNAT_ERROR, VNAT_ERROR_EXISTS)) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    after = look(wanted, deadline, error);
    if (after && !has_address(after, link->ifindex, net))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "the address is not on %s", link->name);
    return after != NULL;
}

gboolean link_set_mtu(const Link *link, guint mtu, Deadline deadline, GError **error)
{
    g_autoptr(Facts) before = look(LINKS_LINKS, deadline, error);
    const Link *now = before ? same_link(before, link, error) : NULL;
    g_autoptr(Netlink) netlink = now ? netlink_open(NETLINK_ROUTE, error) : NULL;
    g_autoptr(Facts) after = NULL;

    if (!netlink || !set_number(netlink, link->ifindex, IFLA_MTU, mtu, deadline, error))
        return FALSE;
    after = look(LINKS_LINKS, deadline, error);
    now = after ? same_link(after, link, error) : NULL;
    if (now && now->mtu != mtu)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "the MTU of %s was set by somebody else meanwhile",
                              link->name);
    return now != NULL;
}

static const Link *port_of(const Facts *facts, const Link *bridge)
{
    for (guint i = 0; i < facts->links->len; i++) {
        const Link *port = facts->links->pdata[i];

        if (port->master == bridge->ifindex)
            return port;
    }
    return NULL;
}

gboolean link_delete_bridge(const Link *bridge, Deadline deadline, GError **error)
{
    const struct ifinfomsg body = {.ifi_family = AF_UNSPEC, .ifi_index = (int)bridge->ifindex};
    g_autoptr(Facts) before = look(LINKS_LINKS, deadline, error);
    g_autoptr(Netlink) netlink = NULL;
    NetlinkRequest request;
    const Link *port;

    if (!before)
        return FALSE;
    if (!facts_link(before, bridge->ifindex))
        return TRUE;
    if (!same_link(before, bridge, error))
        return FALSE;
    port = port_of(before, bridge);
    if (port)
        return vnat_error_set(error, VNAT_ERROR_EXISTS, "%s is on %s", port->name, bridge->name);
    netlink = netlink_open(NETLINK_ROUTE, error);
    netlink_request_init(&request, RTM_DELLINK, &body, sizeof(body));
    return netlink && netlink_change(netlink, &request, 0, deadline, error);
}

static gboolean send_forget(guint ifindex, const Ip *ip, Deadline deadline, GError **error)
{
    const struct ndmsg body = {.ndm_family = ip->family == 4 ? AF_INET : AF_INET6,
                               .ndm_ifindex = (int)ifindex};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, error);
    g_autoptr(GError) refused = NULL;
    NetlinkRequest request;

    netlink_request_init(&request, RTM_DELNEIGH, &body, sizeof(body));
    netlink_request_put(&request, NDA_DST, ip->bytes, ip->family == 4 ? 4 : 16);
    if (!netlink)
        return FALSE;
    if (netlink_change(netlink, &request, 0, deadline, &refused) ||
        g_error_matches(refused, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&refused));
    return FALSE;
}

gboolean link_forget_neighbour(guint ifindex, const Ip *ip, gboolean (*is_own)(const Mac *mac),
                               gboolean *others, Deadline deadline, GError **error)
{
    g_autoptr(Facts) now = look(LINKS_NEIGHBOURS, deadline, error);

    *others = FALSE;
    for (guint i = 0; now && i < now->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(now->neighbours, Neighbour, i);

        if (neighbour->ifindex != ifindex || !ip_equal(&neighbour->ip, ip))
            continue;
        if (!neighbour->has_mac || is_own(&neighbour->mac))
            return send_forget(ifindex, ip, deadline, error);
        *others = TRUE;
    }
    return now != NULL;
}
