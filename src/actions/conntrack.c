/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack.h"

#include "actions/conntrack-private.h"
#include "base/error.h"
#include "sources/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- what to forget */

static gboolean ip_is_own(const Facts *facts, const Ip *ip)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        if (ip_equal(&g_array_index(facts->addresses, LinkAddress, i).net.ip, ip))
            return TRUE;
    }
    return ip_is_loopback(ip);
}

static gboolean ip_is_broadcast(const Ip *ip)
{
    static const guint8 all[] = {255, 255, 255, 255};

    return ip->family == 4 && memcmp(ip->bytes, all, sizeof(all)) == 0;
}

gboolean flow_wants_nat(const Facts *facts, const Network *network, const Ip *source, const Ip *destination)
{
    const NetworkIp *own = network_ip_of(network, source);

    if (!own || g_strcmp0(network->forward, "nat") != 0 || (source->family == 6 && !network->nat_ipv6))
        return FALSE;
    return !ipnet_contains(&own->net, destination) && !ip_is_multicast(destination) &&
           !ip_is_link_local(destination) && !ip_is_broadcast(destination) && !ip_is_own(facts, destination);
}

typedef struct {
    const Facts *facts;
    const Network *network;
} Search;

/* Not translated: answers come back to the source itself. */
static gboolean is_untranslated(const Flow *flow, gconstpointer data)
{
    const Search *search = data;

    return ip_equal(&flow->source, &flow->reply_destination) &&
           flow_wants_nat(search->facts, search->network, &flow->source, &flow->destination);
}

/* -------------------------------------------------------------------------------------- its deletion */

/* A tuple of IPv6 has 92 bytes. */
#define ATTR_MOST 128

/* As the kernel wrote it. */
static gboolean put_again(NetlinkRequest *request, const struct nlattr *attr)
{
    gsize length;
    const void *bytes = netlink_attr_bytes(attr, &length);

    if (length > ATTR_MOST)
        return FALSE;
    if (bytes)
        netlink_request_put(request, attr->nla_type, bytes, length);
    return TRUE;
}

gboolean conntrack_deletion(const struct nlmsghdr *entry, NetlinkRequest *request)
{
    const struct nfgenmsg *written = netlink_body(entry, sizeof(*written));
    const struct nlattr *attrs[CTA_MAX + 1];
    struct nfgenmsg body = {.version = NFNETLINK_V0};
    Flow flow;

    if (!written || !conntrack_parse(entry, &flow))
        return FALSE;
    body.nfgen_family = written->nfgen_family;
    netlink_request_init(request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, &body, sizeof(body));
    netlink_attrs(entry, sizeof(body), attrs, G_N_ELEMENTS(attrs));
    return put_again(request, attrs[CTA_TUPLE_ORIG]) && put_again(request, attrs[CTA_ZONE]) &&
           put_again(request, attrs[CTA_ID]);
}

/* *gone: there was none any more. */
static gboolean forget_one(Netlink *netlink, const struct nlmsghdr *entry, gboolean *gone, Deadline deadline,
                           GError **error)
{
    g_autoptr(GError) cause = NULL;
    NetlinkRequest request;

    *gone = FALSE;
    if (!conntrack_deletion(entry, &request))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "an entry is not as the kernel writes them");
    if (netlink_change(netlink, &request, 0, deadline, &cause))
        return TRUE;
    /* ENOENT. What else has this code would have kept the entry from being read. */
    *gone = g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_UNSUPPORTED);
    if (!*gone)
        g_propagate_error(error, g_steal_pointer(&cause));
    return *gone;
}

gboolean conntrack_forget_entries(const GPtrArray *entries, guint *deleted, Deadline deadline, GError **error)
{
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_NETFILTER, error);
    gboolean gone;

    *deleted = 0;
    for (guint i = 0; netlink && i < entries->len; i++) {
        if (!forget_one(netlink, entries->pdata[i], &gone, deadline, error))
            return FALSE;
        *deleted += !gone;
    }
    return netlink != NULL;
}

/* The entries that are wanted; *deleted may be more than 0 also where it fails. */
static gboolean forget_wanted(ConntrackWanted wanted, gconstpointer data, guint *deleted, Deadline deadline,
                              GError **error)
{
    g_autoptr(GPtrArray) entries = NULL;

    *deleted = 0;
    entries = conntrack_find(wanted, data, deadline, error);
    if (!entries) {
        g_prefix_error(error, "cannot read the kernel's connections: ");
        return FALSE;
    }
    if (conntrack_forget_entries(entries, deleted, deadline, error))
        return TRUE;
    g_prefix_error(error, "cannot delete one of the kernel's connections: ");
    return FALSE;
}

/* What does it by hand, for whoever may. */
static void hint_by_hand(const Network *network, GError **error)
{
    const NetworkIp *first = network->ips->len > 0 ? network->ips->pdata[0] : NULL;

    if (first) {
        const IpNet subnet = ipnet_network(&first->net);
        g_autofree char *text = ipnet_to_string(&subnet);

        vnat_error_hint(error, "conntrack -D -s %s", text);
    }
}

gboolean conntrack_forget_untranslated(const Facts *facts, const Network *network, guint *deleted,
                                       Deadline deadline, GError **error)
{
    const Search search = {facts, network};

    if (forget_wanted(is_untranslated, &search, deleted, deadline, error))
        return TRUE;
    hint_by_hand(network, error);
    return FALSE;
}

/* ------------------------------------------------------------------------------------ of an address */

#define PORT_DHCP_CLIENT 68

typedef struct {
    const GArray *addresses; /* Ip */
    gboolean dhcp;
} Gone;

static gboolean is_one_of(const GArray *addresses, const Ip *ip)
{
    for (guint i = 0; i < addresses->len; i++) {
        if (ip_equal(&g_array_index(addresses, Ip, i), ip))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_dhcp(const Flow *flow)
{
    return flow->protocol == IPPROTO_UDP && ip_is_broadcast(&flow->destination) &&
           ((flow->source_port == PORT_DHCP_CLIENT && flow->destination_port == PORT_DHCP4) ||
            (flow->source_port == PORT_DHCP4 && flow->destination_port == PORT_DHCP_CLIENT));
}

static gboolean is_of_gone(const Flow *flow, gconstpointer data)
{
    const Gone *gone = data;

    return is_one_of(gone->addresses, &flow->source) || is_one_of(gone->addresses, &flow->destination) ||
           (gone->dhcp && is_dhcp(flow));
}

gboolean conntrack_forget_addresses(const GArray *addresses, gboolean dhcp, Deadline deadline, GError **error)
{
    const Gone gone = {addresses, dhcp};
    guint deleted;

    return forget_wanted(is_of_gone, &gone, &deleted, deadline, error);
}

/* -------------------------------------------------------------------------------------- of one flow */

static gboolean is_flow(const Flow *flow, gconstpointer data)
{
    const ConntrackFlow *asked = data;

    return flow->protocol == asked->protocol && ip_equal(&flow->source, &asked->source) &&
           ip_equal(&flow->destination, &asked->destination) &&
           (!flow->has_ports ||
            (flow->source_port == asked->source_port && flow->destination_port == asked->destination_port));
}

gboolean conntrack_translation(const ConntrackFlow *flow, Ip *address, guint16 *port, Deadline deadline,
                               GError **error)
{
    g_autoptr(GPtrArray) entries = conntrack_find(is_flow, flow, deadline, error);
    Flow found;

    if (!entries)
        return FALSE;
    if (entries->len == 0 || !conntrack_parse(entries->pdata[0], &found))
        return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "the kernel does not track this connection");
    *address = found.reply_destination;
    *port = found.reply_destination_port;
    return TRUE;
}
