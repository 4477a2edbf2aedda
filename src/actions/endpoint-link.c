/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/endpoint-link.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* ----------------------------------------------------------------------------------------- the pair */

static void put_text(NetlinkRequest *request, guint16 type, const char *text)
{
    netlink_request_put(request, type, text, strlen(text) + 1);
}

static void put_end(NetlinkRequest *request, const char *name, const Mac *mac, guint mtu)
{
    put_text(request, IFLA_IFNAME, name);
    netlink_request_put(request, IFLA_ADDRESS, mac->bytes, sizeof(mac->bytes));
    if (mtu)
        netlink_request_put_u32(request, IFLA_MTU, mtu);
}

gboolean endpoint_link_make(Netlink *netlink, const EndpointPair *pair, Deadline deadline, GError **error)
{
    const struct ifinfomsg body = {.ifi_family = AF_UNSPEC};
    struct nlattr *info, *data, *peer;
    NetlinkRequest request;

    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    put_end(&request, pair->outer, &pair->outer_mac, pair->mtu);
    info = netlink_request_nest(&request, IFLA_LINKINFO);
    put_text(&request, IFLA_INFO_KIND, "veth");
    data = netlink_request_nest(&request, IFLA_INFO_DATA);
    peer = netlink_request_nest(&request, VETH_INFO_PEER);
    netlink_request_put_header(&request, &body, sizeof(body));
    put_end(&request, pair->inner, &pair->inner_mac, pair->mtu);
    netlink_request_put_u32(&request, IFLA_NET_NS_FD, (guint32)pair->ns);
    netlink_request_nest_end(&request, peer);
    netlink_request_nest_end(&request, data);
    netlink_request_nest_end(&request, info);
    return netlink_change(netlink, &request, NLM_F_CREATE | NLM_F_EXCL, deadline, error);
}

static void link_request(NetlinkRequest *request, guint16 type, int family, guint ifindex)
{
    const struct ifinfomsg body = {.ifi_family = (guint8)family, .ifi_index = (int)ifindex};

    netlink_request_init(request, type, &body, sizeof(body));
}

gboolean endpoint_link_delete(Netlink *netlink, guint ifindex, Deadline deadline, GError **error)
{
    NetlinkRequest request;

    link_request(&request, RTM_DELLINK, AF_UNSPEC, ifindex);
    return netlink_change(netlink, &request, 0, deadline, error);
}

/* ----------------------------------------------------------------------------------------- its ends */

gboolean endpoint_link_up(Netlink *netlink, guint ifindex, Deadline deadline, GError **error)
{
    const struct ifinfomsg body = {.ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_SETLINK, &body, sizeof(body));
    return netlink_change(netlink, &request, 0, deadline, error);
}

gboolean endpoint_link_alias(Netlink *netlink, guint ifindex, const char *alias, Deadline deadline,
                             GError **error)
{
    NetlinkRequest request;

    link_request(&request, RTM_SETLINK, AF_UNSPEC, ifindex);
    netlink_request_put(&request, IFLA_IFALIAS, alias, strlen(alias));
    return netlink_change(netlink, &request, 0, deadline, error);
}

gboolean endpoint_link_master(Netlink *netlink, guint ifindex, guint bridge, Deadline deadline,
                              GError **error)
{
    NetlinkRequest request;

    link_request(&request, RTM_SETLINK, AF_UNSPEC, ifindex);
    netlink_request_put_u32(&request, IFLA_MASTER, bridge);
    return netlink_change(netlink, &request, 0, deadline, error);
}

/* A flag of a bridge's port: IFLA_BRPORT_*. */
static gboolean port_set(Netlink *netlink, guint ifindex, guint16 flag, guint8 value, Deadline deadline,
                         GError **error)
{
    NetlinkRequest request;
    struct nlattr *port;

    link_request(&request, RTM_SETLINK, AF_BRIDGE, ifindex);
    port = netlink_request_nest(&request, IFLA_PROTINFO | NLA_F_NESTED);
    netlink_request_put_u8(&request, flag, value);
    netlink_request_nest_end(&request, port);
    return netlink_change(netlink, &request, 0, deadline, error);
}

gboolean endpoint_link_isolate(Netlink *netlink, guint ifindex, Deadline deadline, GError **error)
{
    return port_set(netlink, ifindex, IFLA_BRPORT_ISOLATED, 1, deadline, error);
}

gboolean endpoint_link_unlearn(Netlink *netlink, guint ifindex, Deadline deadline, GError **error)
{
    return port_set(netlink, ifindex, IFLA_BRPORT_LEARNING, 0, deadline, error);
}

gboolean endpoint_link_quiet(Netlink *netlink, guint ifindex, Deadline deadline, GError **error)
{
    NetlinkRequest request;
    struct nlattr *families, *v6;

    link_request(&request, RTM_SETLINK, AF_UNSPEC, ifindex);
    families = netlink_request_nest(&request, IFLA_AF_SPEC);
    v6 = netlink_request_nest(&request, AF_INET6);
    netlink_request_put_u8(&request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    netlink_request_nest_end(&request, v6);
    netlink_request_nest_end(&request, families);
    return netlink_change(netlink, &request, 0, deadline, error);
}

/* -------------------------------------------------------------------------------- address and route */

static gsize ip_length(const Ip *ip)
{
    return ip->family == 4 ? 4 : 16;
}

gboolean endpoint_link_address(Netlink *netlink, guint ifindex, const IpNet *net, Deadline deadline,
                               GError **error)
{
    const gboolean v4 = net->ip.family == 4;
    const struct ifaddrmsg body = {.ifa_family = v4 ? AF_INET : AF_INET6,
                                   .ifa_prefixlen = net->prefix,
                                   .ifa_flags = v4 ? 0 : IFA_F_NODAD,
                                   .ifa_index = ifindex};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_NEWADDR, &body, sizeof(body));
    netlink_request_put(&request, IFA_LOCAL, net->ip.bytes, ip_length(&net->ip));
    netlink_request_put(&request, IFA_ADDRESS, net->ip.bytes, ip_length(&net->ip));
    return netlink_change(netlink, &request, NLM_F_CREATE | NLM_F_REPLACE, deadline, error);
}

gboolean endpoint_link_default_route(Netlink *netlink, guint ifindex, const Ip *gateway, Deadline deadline,
                                     GError **error)
{
    const struct rtmsg body = {.rtm_family = gateway->family == 4 ? AF_INET : AF_INET6,
                               .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_scope = RT_SCOPE_UNIVERSE,
                               .rtm_type = RTN_UNICAST};
    NetlinkRequest request;

    netlink_request_init(&request, RTM_NEWROUTE, &body, sizeof(body));
    netlink_request_put(&request, RTA_GATEWAY, gateway->bytes, ip_length(gateway));
    netlink_request_put_u32(&request, RTA_OIF, ifindex);
    return netlink_change(netlink, &request, NLM_F_CREATE | NLM_F_REPLACE, deadline, error);
}
