/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------ bridge */

static const Link *network_link(const Facts *facts, const Network *network)
{
    const Link *link = facts_link_named(facts, network->bridge);

    return link && link->is_bridge ? link : NULL;
}

Tri network_bridge_present(const Facts *facts, const Network *network)
{
    if (!facts_has(facts, SOURCE_LINKS))
        return TRI_UNKNOWN;
    return network_link(facts, network) ? TRI_YES : TRI_NO;
}

static void missing_add(GPtrArray *missing, char *text)
{
    if (missing)
        g_ptr_array_add(missing, text);
    else
        g_free(text);
}

Tri network_bridge_up(const Facts *facts, const Network *network, GPtrArray *missing)
{
    const Link *link = network_link(facts, network);
    Tri up = TRI_YES;

    if (!facts_has(facts, SOURCE_LINKS))
        return TRI_UNKNOWN;
    if (!link) {
        missing_add(missing, g_strdup_printf("device %s", network->bridge));
        return TRI_NO;
    }
    if (!(link->flags & IFF_UP)) {
        missing_add(missing, g_strdup_printf("%s is not up", network->bridge));
        up = TRI_NO;
    }
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if (!facts_link_has(facts, link, &ip->net)) {
            g_autofree char *text = ipnet_to_string(&ip->net);

            missing_add(missing, g_strdup_printf("address %s on %s", text, network->bridge));
            up = TRI_NO;
        }
    }
    return up;
}

char *network_bridge_id(const Link *link)
{
    const guint8 *id = link->bridge_info.id;

    return g_strdup_printf("%02x%02x.%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2], id[3], id[4], id[5],
                           id[6], id[7]);
}

Tri network_port_plain(const Network *network, const DomainInterface *iface)
{
    static const char *const modes[] = {"nat", "route", "isolated", NULL};

    if (g_strcmp0(iface->type, "network") != 0 || iface->has_vlan || iface->has_virtualport)
        return TRI_NO;
    if (!network || !network->xml_read)
        return TRI_UNKNOWN;
    return network->forward && g_strv_contains(modes, network->forward) && !network->mac_table_libvirt
               ? TRI_YES
               : TRI_NO;
}

/* ----------------------------------------------------------------------------------------- dnsmasq */

const Dnsmasq *network_dnsmasq(const Facts *facts, const Network *network)
{
    for (guint i = 0; i < facts->dnsmasqs->len; i++) {
        const Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[i];

        if (g_strcmp0(dnsmasq->network, network->name) == 0)
            return dnsmasq;
    }
    return NULL;
}

/*
 * Whose a socket is can be told by pid alone: dnsmasq binds as root and drops its rights after, so that its
 * sockets do not bear its uid.
 */
static Tri socket_is_of(const Facts *facts, const Socket *socket, const Dnsmasq *dnsmasq)
{
    if (socket->pid)
        return socket->pid == dnsmasq->pid ? TRI_YES : TRI_NO;
    return facts->socket_owners_known ? TRI_NO : TRI_UNKNOWN;
}

/* On the address itself, or on a wildcard; bound to the device, or to none. */
static gboolean socket_serves(const Socket *socket, guint8 protocol, guint16 port, const Ip *ip,
                              guint ifindex)
{
    if (socket->protocol != protocol || socket->port != port)
        return FALSE;
    if (socket->ifindex && socket->ifindex != ifindex)
        return FALSE;
    if (ip_is_unspecified(&socket->local))
        return socket->local.family == ip->family || (socket->local.family == 6 && !socket->v6only);
    return ip_equal(&socket->local, ip);
}

Tri network_port_served(const Facts *facts, guint8 protocol, guint16 port, const Ip *ip, guint ifindex)
{
    for (guint i = 0; facts->sockets_read && i < facts->sockets->len; i++) {
        if (socket_serves(facts->sockets->pdata[i], protocol, port, ip, ifindex))
            return TRI_YES;
    }
    return facts->sockets_read ? TRI_NO : TRI_UNKNOWN;
}

/* TRI_UNKNOWN: somebody holds it, and who cannot be read. */
static Tri dnsmasq_holds(const Facts *facts, const Dnsmasq *dnsmasq, guint8 protocol, guint16 port,
                         const Ip *ip, guint ifindex)
{
    Tri best = TRI_NO;

    for (guint i = 0; i < facts->sockets->len; i++) {
        const Socket *socket = facts->sockets->pdata[i];
        Tri own;

        if (!socket_serves(socket, protocol, port, ip, ifindex))
            continue;
        own = socket_is_of(facts, socket, dnsmasq);
        if (own == TRI_YES)
            return TRI_YES;
        if (own == TRI_UNKNOWN)
            best = TRI_UNKNOWN;
    }
    return best;
}

/* dnsmasq binds an IPv6 address only once it is usable: that takes carrier, so a guest. */
static gboolean address_is_bindable(const Facts *facts, const Link *link, const Ip *ip)
{
    const LinkAddress *address = facts_link_address(facts, link, ip);

    if (ip->family == 4)
        return TRUE;
    return link->carrier == 1 && address && !(address->flags & LINK_ADDRESS_TENTATIVE);
}

typedef struct {
    guint8 protocol;
    guint16 port;
    Ip ip;
    gboolean on_device; /* a wildcard socket, bound to the bridge */
} WantedSocket;

static void wanted_add(GArray *wanted, guint8 protocol, guint16 port, const Ip *ip, gboolean on_device)
{
    WantedSocket socket = {.protocol = protocol, .port = port, .ip = *ip, .on_device = on_device};

    g_array_append_val(wanted, socket);
}

/* What the network's dnsmasq has to hold. */
static GArray *network_wanted_sockets(const Facts *facts, const Network *network, const Link *link)
{
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(WantedSocket));

    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if (network->dns_enabled && address_is_bindable(facts, link, &ip->net.ip)) {
            wanted_add(wanted, IPPROTO_UDP, PORT_DNS, &ip->net.ip, FALSE);
            wanted_add(wanted, IPPROTO_TCP, PORT_DNS, &ip->net.ip, FALSE);
        }
        if (ip->dhcp && (ip->ranges->len > 0 || ip->has_host))
            wanted_add(wanted, IPPROTO_UDP, ip->net.ip.family == 4 ? PORT_DHCP4 : PORT_DHCP6, &ip->net.ip,
                       TRUE);
    }
    return wanted;
}

static char *wanted_text(const WantedSocket *wanted, const char *bridge)
{
    const char *protocol = wanted->protocol == IPPROTO_UDP ? "udp" : "tcp";
    char buffer[IP_TEXT];

    if (wanted->on_device)
        return g_strdup_printf("%s %s%%%s:%u", protocol, wanted->ip.family == 4 ? "0.0.0.0" : "[::]", bridge,
                               wanted->port);
    ip_format(&wanted->ip, buffer);
    return g_strdup_printf(wanted->ip.family == 4 ? "%s %s:%u" : "%s [%s]:%u", protocol, buffer,
                           wanted->port);
}

Tri network_dnsmasq_listening(const Facts *facts, const Network *network, GPtrArray *missing)
{
    const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);
    const Link *link = network_link(facts, network);
    g_autoptr(GArray) wanted = NULL;
    Tri listening = TRI_YES;

    if (!facts->sockets_read || !dnsmasq || dnsmasq->unknown || !link)
        return TRI_UNKNOWN;
    if (!dnsmasq->alive)
        return TRI_NO;
    wanted = network_wanted_sockets(facts, network, link);
    for (guint i = 0; i < wanted->len; i++) {
        const WantedSocket *socket = &g_array_index(wanted, WantedSocket, i);
        Tri holds = dnsmasq_holds(facts, dnsmasq, socket->protocol, socket->port, &socket->ip, link->ifindex);

        if (holds == TRI_NO)
            missing_add(missing, wanted_text(socket, network->bridge));
        if (holds == TRI_NO || (holds == TRI_UNKNOWN && listening == TRI_YES))
            listening = holds;
    }
    return listening;
}

const Dnsmasq *network_left_behind(const Facts *facts, const Network *network)
{
    const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);

    return dnsmasq && dnsmasq->alive && !network->active ? dnsmasq : NULL;
}

/* Where the network's own process could not be told, any socket may be its. One that ends has no command line
 * any more, but its sockets for a moment yet. */
static gboolean may_be_its_own(const Facts *facts, const Network *network, const Socket *socket)
{
    const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);

    if (!dnsmasq || network_left_behind(facts, network))
        return FALSE;
    if (dnsmasq->unknown || dnsmasq->alive)
        return dnsmasq->unknown || socket_is_of(facts, socket, dnsmasq) != TRI_NO;
    return socket->pid && socket->pid == dnsmasq->pid && g_strcmp0(socket->program, "dnsmasq") == 0;
}

GPtrArray *network_port_rivals(const Facts *facts, const Network *network)
{
    const Link *link = network_link(facts, network);
    GPtrArray *rivals = g_ptr_array_new();

    for (guint i = 0; i < facts->sockets->len; i++) {
        Socket *socket = facts->sockets->pdata[i];
        gboolean found = FALSE;

        if (may_be_its_own(facts, network, socket))
            continue;
        for (guint j = 0; j < network->ips->len && !found; j++) {
            const NetworkIp *ip = network->ips->pdata[j];
            guint ifindex = link ? link->ifindex : 0;

            found = (network->dns_enabled &&
                     (socket_serves(socket, IPPROTO_UDP, PORT_DNS, &ip->net.ip, ifindex) ||
                      socket_serves(socket, IPPROTO_TCP, PORT_DNS, &ip->net.ip, ifindex))) ||
                    (ip->dhcp && ip->net.ip.family == 4 &&
                     socket_serves(socket, IPPROTO_UDP, PORT_DHCP4, &ip->net.ip, ifindex));
        }
        if (found)
            g_ptr_array_add(rivals, socket);
    }
    return rivals;
}

gboolean network_others_rival(const GPtrArray *rivals, const Dnsmasq *dnsmasq)
{
    for (guint i = 0; i < rivals->len; i++) {
        const Socket *socket = rivals->pdata[i];

        if (socket->pid && socket->pid != dnsmasq->pid)
            return TRUE;
    }
    return FALSE;
}

char *network_socket_text(const Socket *socket)
{
    const char *protocol = socket->protocol == IPPROTO_UDP ? "udp" : "tcp";
    GString *text = g_string_new(NULL);
    char buffer[IP_TEXT];

    ip_format(&socket->local, buffer);
    g_string_printf(text, socket->local.family == 4 ? "%s %s:%u" : "%s [%s]:%u", protocol, buffer,
                    socket->port);
    if (socket->pid && socket->program)
        g_string_append_printf(text, " (pid %d, %s)", socket->pid, socket->program);
    else
        g_string_append_printf(text, " (uid %u)", socket->uid);
    return g_string_free(text, FALSE);
}

/* -------------------------------------------------------------------------------------------- rows */

static void network_row_free(NetworkRow *row)
{
    if (row->interfaces)
        g_ptr_array_unref(row->interfaces);
    g_ptr_array_unref(row->pools);
    g_free(row);
}

static gint compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *network_ports(const Facts *facts, const Link *bridge)
{
    GPtrArray *ports = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; bridge && i < facts->links->len; i++) {
        const Link *link = facts->links->pdata[i];

        if (link->master == bridge->ifindex)
            g_ptr_array_add(ports, g_strdup(link->name));
    }
    g_ptr_array_sort(ports, compare_strings);
    return ports;
}

static gboolean lease_is_of(const Lease *lease, const Network *network)
{
    if (lease->network_uuid && network->uuid)
        return strcmp(lease->network_uuid, network->uuid) == 0;
    return g_strcmp0(lease->network, network->name) == 0;
}

/* Live leases of the network, in the DHCP ranges of ip (NULL: all); -1: unknown. Older ones, or a part of
 * them, count (the source says so), but to know of none where they could not be read is not to know that
 * there is none. */
static gint64 network_lease_count(const Facts *facts, const Network *network, const NetworkIp *ip)
{
    gint64 count = 0;

    for (guint i = 0; i < facts->leases->len; i++) {
        const Lease *lease = facts->leases->pdata[i];

        count += lease_is_of(lease, network) && lease_is_live(lease, facts->now) &&
                 (!ip || network_ip_offers(ip, &lease->ip));
    }
    return count == 0 && network->leases_unread ? -1 : count;
}

static void network_row_pools(NetworkRow *row, const Facts *facts)
{
    gboolean known = facts_has(facts, SOURCE_LEASES);

    row->leases = known ? network_lease_count(facts, row->network, NULL) : -1;
    for (guint i = 0; i < row->network->ips->len; i++) {
        NetworkPool *pool = g_new0(NetworkPool, 1);

        pool->ip = row->network->ips->pdata[i];
        pool->leases = known ? network_lease_count(facts, row->network, pool->ip) : -1;
        for (guint j = 0; j < pool->ip->ranges->len; j++) {
            const DhcpRange *range = &g_array_index(pool->ip->ranges, DhcpRange, j);
            guint64 size = ip_range_size(&range->first, &range->last);

            pool->size = pool->size > G_MAXUINT64 - size ? G_MAXUINT64 : pool->size + size;
        }
        g_ptr_array_add(row->pools, pool);
    }
}

/* libvirt ends it with the network: where nothing is seen of it, that is what is known. */
static Tri network_dnsmasq_running(const Network *network, const Dnsmasq *dnsmasq)
{
    if (dnsmasq && !dnsmasq->unknown)
        return dnsmasq->alive ? TRI_YES : TRI_NO;
    return network->active || !network->xml_read ? TRI_UNKNOWN : TRI_NO;
}

static NetworkRow *network_row_new(const Facts *facts, const Network *network)
{
    NetworkRow *row = g_new0(NetworkRow, 1);
    gboolean is_nat = g_strcmp0(network->forward, "nat") == 0;

    row->network = network;
    row->pools = g_ptr_array_new_with_free_func(g_free);
    row->link = network_link(facts, network);
    if (facts_has(facts, SOURCE_LINKS) && network->xml_read)
        row->interfaces = network_ports(facts, row->link);
    network_row_pools(row, facts);
    row->wants_dnsmasq = network_wants_dnsmasq(network);
    row->dnsmasq = row->wants_dnsmasq ? network_dnsmasq(facts, network) : NULL;
    row->dnsmasq_listening = row->dnsmasq ? network_dnsmasq_listening(facts, network, NULL) : TRI_UNKNOWN;
    row->dnsmasq_running = network_dnsmasq_running(network, row->dnsmasq);
    row->nat = is_nat && network->active ? firewall_nat_present(facts, network, NULL) : TRI_UNKNOWN;
    row->backend = firewall_backend(facts);
    return row;
}

GPtrArray *network_rows(const Facts *facts)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)network_row_free);

    for (guint i = 0; i < facts->networks->len; i++)
        g_ptr_array_add(rows, network_row_new(facts, facts->networks->pdata[i]));
    return rows;
}

const char *network_zone(const Facts *facts, const Network *network)
{
    if (network->zone)
        return network->zone;
    for (guint i = 0; g_strcmp0(network->forward, "route") == 0 && i < facts->zones->len; i++) {
        if (g_strcmp0(((const FirewalldZone *)facts->zones->pdata[i])->zone, "libvirt-routed") == 0)
            return "libvirt-routed";
    }
    return "libvirt";
}
