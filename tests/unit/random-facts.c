/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random-facts.h"

#include "world.h"

#include <net/if.h>

const char *const random_uuids[RANDOM_UUIDS] = {"u0", "u1", "u2", "u3"};
static const char *const network_names[] = {"net0", "net1", "net2", "net0"};
static const char *const bridges[] = {"br0", "br1", "tap0"};
static const char *const names[] = {"tap0", "tap1", "tap2", "tap3", "br0", "br1", "vnatp0"};
static const char *const macs[] = {"52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"};
static const char *const ips[] = {"10.0.0.5", "10.0.0.6", "10.0.1.5", "fe80::1", "224.0.0.1"};

gboolean chance(GRand *rand, gint percent)
{
    return g_rand_int_range(rand, 0, 100) < percent;
}

/* ---------------------------------------------------------------------------------------- records */

static DomainInterface *random_interface(GRand *rand)
{
    DomainInterface *iface = domain_interface_new();

    iface->alias = chance(rand, 60) ? g_strdup(chance(rand, 50) ? "net0" : "net1") : NULL;
    iface->network = chance(rand, 70) ? g_strdup(PICK(rand, network_names)) : NULL;
    iface->type = g_strdup(iface->network ? "network" : "bridge");
    iface->bridge = chance(rand, 50) ? g_strdup(PICK(rand, bridges)) : NULL;
    iface->has_mac = chance(rand, 90);
    iface->mac = world_mac_of(PICK(rand, macs));
    iface->target = chance(rand, 85) ? g_strdup(names[g_rand_int_range(rand, 0, 4)]) : NULL;
    iface->link = (LinkClaim)g_rand_int_range(rand, 0, 3);
    return iface;
}

Domain *random_domain(GRand *rand, const char *uuid)
{
    Domain *domain = domain_new();
    gint count = g_rand_int_range(rand, 0, 3);

    domain->uuid = g_strdup(uuid);
    domain->name = g_strdup_printf("VM%s", chance(rand, 80) ? uuid : "");
    domain->id = chance(rand, 95) ? g_rand_int_range(rand, 1, 3) : -1;
    domain->state = chance(rand, 80) ? DOMAIN_RUNNING : DOMAIN_PAUSED;
    domain->xml_read = chance(rand, 92);
    for (gint i = 0; domain->xml_read && i < count; i++)
        g_ptr_array_add(domain->interfaces, random_interface(rand));
    if (chance(rand, 20)) {
        AgentAddress address = {.mac = world_mac_of(PICK(rand, macs)), .net.prefix = 24};

        address.net.ip = world_ip_of(PICK(rand, ips));
        g_array_append_val(domain->agent, address);
    }
    return domain;
}

Network *random_network(GRand *rand, guint which)
{
    static const char *const modes[] = {"nat", "nat", "isolated", "bridge"};
    Network *network = network_new();
    gint count = g_rand_int_range(rand, 0, 3);

    network->uuid = g_strdup(random_uuids[which]);
    network->name = g_strdup(chance(rand, 85) ? network_names[which] : PICK(rand, network_names));
    network->active = chance(rand, 70);
    network->persistent = !network->active || chance(rand, 70);
    network->autostart = chance(rand, 50);
    network->forward = g_strdup(PICK(rand, modes));
    network->bridge = chance(rand, 90) ? g_strdup(PICK(rand, bridges)) : NULL;
    for (gint i = 0; i < count; i++) {
        gboolean first = chance(rand, 70);

        if (chance(rand, 70))
            world_ip(network, first ? "10.0.0.1/24" : "10.0.1.1/24", first ? "10.0.0.5" : "10.0.1.5",
                     first ? "10.0.0.6" : "10.0.1.6");
        else
            world_ip(network, first ? "10.0.0.1/16" : "10.0.1.1/24", NULL, NULL);
    }
    return network;
}

GPtrArray *random_leases(GRand *rand, gint64 now)
{
    GPtrArray *leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    gint count = g_rand_int_range(rand, 0, 5);

    for (gint i = 0; i < count; i++) {
        Lease *lease = lease_new();

        lease->network = g_strdup(PICK(rand, network_names));
        lease->bridge = g_strdup("br0");
        lease->ip = world_ip_of(ips[g_rand_int_range(rand, 0, 4)]);
        lease->prefix = chance(rand, 80) ? 24 : 0;
        lease->has_mac = chance(rand, 90);
        lease->mac = world_mac_of(PICK(rand, macs));
        lease->hostname = chance(rand, 50) ? g_strdup("host") : NULL;
        lease->client_id = chance(rand, 50) ? g_strdup(chance(rand, 70) ? "c1" : "c2") : NULL;
        lease->expiry = chance(rand, 30) ? 0 : now + g_rand_int_range(rand, -5, 30);
        g_ptr_array_add(leases, lease);
    }
    return leases;
}

Link *random_link(GRand *rand, guint ifindex)
{
    Link *link = link_new();

    link->ifindex = ifindex;
    link->name = g_strdup(PICK(rand, names));
    link->is_bridge = g_str_has_prefix(link->name, "br") ? chance(rand, 90) : chance(rand, 10);
    link->kind = g_strdup(link->is_bridge ? "bridge" : chance(rand, 80) ? "tun" : "dummy");
    link->flags = chance(rand, 80) ? IFF_UP : 0;
    link->mtu = chance(rand, 80) ? 1500 : 1400;
    link->has_mac = chance(rand, 80);
    link->mac = world_mac_of(PICK(rand, macs));
    link->master = !link->is_bridge && chance(rand, 75) ? (guint)g_rand_int_range(rand, 1, 8) : 0;
    link->carrier = g_rand_int_range(rand, -1, 2);
    link->operstate = g_rand_int_range(rand, 0, 7);
    link->bridge_info.stp = chance(rand, 50);
    link->bridge_info.forward_delay = chance(rand, 50) ? 200 : 1500;
    return link;
}

LinkAddress random_address(GRand *rand)
{
    LinkAddress address = {.ifindex = (guint)g_rand_int_range(rand, 1, 8)};

    address.net = world_net_of(chance(rand, 50) ? "10.0.0.1/24" : "10.0.1.1/24");
    return address;
}

Neighbour random_neighbour(GRand *rand)
{
    static const guint16 states[] = {NEIGHBOUR_REACHABLE, NEIGHBOUR_STALE,     NEIGHBOUR_STALE,
                                     NEIGHBOUR_FAILED,    NEIGHBOUR_PERMANENT, NEIGHBOUR_NOARP};
    static const guint32 ages[] = {0, 30, 59, 100, G_MAXUINT32};
    Neighbour neighbour = {.ifindex = (guint)g_rand_int_range(rand, 1, 8)};

    neighbour.ip = world_ip_of(PICK(rand, ips));
    neighbour.state = PICK(rand, states);
    neighbour.has_mac = chance(rand, 90);
    neighbour.mac = world_mac_of(PICK(rand, macs));
    neighbour.confirmed = PICK(rand, ages);
    return neighbour;
}

FdbEntry random_fdb(GRand *rand)
{
    FdbEntry entry = {.ifindex = (guint)g_rand_int_range(rand, 1, 8),
                      .master = (guint)g_rand_int_range(rand, 1, 8),
                      .vlan = chance(rand, 80) ? 0 : 7,
                      .permanent = chance(rand, 10)};

    entry.mac = world_mac_of(PICK(rand, macs));
    return entry;
}

Facts *random_kernel(GRand *rand)
{
    Facts *facts = facts_new();

    for (guint ifindex = 1; ifindex < 8; ifindex++) {
        if (chance(rand, 60))
            g_ptr_array_add(facts->links, random_link(rand, ifindex));
    }
    for (guint i = 0; i < 4; i++) {
        LinkAddress address = random_address(rand);
        Neighbour neighbour = random_neighbour(rand);
        FdbEntry entry = random_fdb(rand);

        g_array_append_val(facts->addresses, address);
        g_array_append_val(facts->neighbours, neighbour);
        g_array_append_val(facts->fdb, entry);
    }
    return facts;
}

GPtrArray *random_dnsmasqs(GRand *rand)
{
    GPtrArray *dnsmasqs = g_ptr_array_new_with_free_func((GDestroyNotify)dnsmasq_free);

    for (guint i = 0; i < 3; i++) {
        Dnsmasq *dnsmasq = dnsmasq_new();

        dnsmasq->network = g_strdup(network_names[i]);
        dnsmasq->config = g_strdup("conf");
        dnsmasq->pid = chance(rand, 80) ? g_rand_int_range(rand, 1, 3) : 0;
        dnsmasq->alive = chance(rand, 60);
        g_ptr_array_add(dnsmasqs, dnsmasq);
    }
    return dnsmasqs;
}

/* ------------------------------------------------------------------------------------------- copies */

Domain *copy_domain(const Domain *domain)
{
    Domain *copy = domain_new();
    GPtrArray *interfaces = copy->interfaces;
    GArray *agent = copy->agent;

    *copy = *domain;
    copy->name = g_strdup(domain->name);
    copy->uuid = g_strdup(domain->uuid);
    copy->interfaces = interfaces;
    copy->agent = agent;
    g_array_append_vals(agent, domain->agent->data, domain->agent->len);
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        DomainInterface *own = g_memdup2(iface, sizeof(*iface));

        own->alias = g_strdup(iface->alias);
        own->type = g_strdup(iface->type);
        own->source = g_strdup(iface->source);
        own->network = g_strdup(iface->network);
        own->bridge = g_strdup(iface->bridge);
        own->target = g_strdup(iface->target);
        own->model = g_strdup(iface->model);
        g_ptr_array_add(interfaces, own);
    }
    return copy;
}

Network *copy_network(const Network *network)
{
    Network *copy = network_new();
    GPtrArray *ips_of = copy->ips;
    GPtrArray *values = copy->template_values;

    *copy = *network;
    copy->ips = ips_of;
    copy->template_values = values;
    copy->name = g_strdup(network->name);
    copy->uuid = g_strdup(network->uuid);
    copy->forward = g_strdup(network->forward);
    copy->bridge = g_strdup(network->bridge);
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        NetworkIp *own = network_ip_new();

        own->net = ip->net;
        own->dhcp = ip->dhcp;
        g_array_append_vals(own->ranges, ip->ranges->data, ip->ranges->len);
        g_ptr_array_add(ips_of, own);
    }
    return copy;
}

Link *copy_link(const Link *link)
{
    Link *copy = g_memdup2(link, sizeof(*link));

    copy->name = g_strdup(link->name);
    copy->kind = g_strdup(link->kind);
    return copy;
}

Lease *copy_lease(const Lease *lease)
{
    Lease *copy = g_memdup2(lease, sizeof(*lease));

    copy->network = g_strdup(lease->network);
    copy->network_uuid = g_strdup(lease->network_uuid);
    copy->bridge = g_strdup(lease->bridge);
    copy->hostname = g_strdup(lease->hostname);
    copy->client_id = g_strdup(lease->client_id);
    return copy;
}

/* -------------------------------------------------------------------------------------- one thing else */

/* A copy of what is known, of which one field is another: what is not compared would be missed. */

void alter_link(GRand *rand, Link *link)
{
    switch (g_rand_int_range(rand, 0, 9)) {
    case 0:
        link->carrier = g_rand_int_range(rand, -1, 2);
        break;
    case 1:
        link->flags ^= IFF_UP;
        break;
    case 2:
        link->mtu = link->mtu == 1500 ? 1400 : 1500;
        break;
    case 3:
        link->master = (guint)g_rand_int_range(rand, 0, 8);
        break;
    case 4:
        g_free(link->name);
        link->name = g_strdup(PICK(rand, names));
        break;
    case 5:
        link->mac = world_mac_of(PICK(rand, macs));
        break;
    case 6:
        link->is_bridge = !link->is_bridge;
        break;
    case 7:
        g_free(link->kind);
        link->kind = g_strdup(chance(rand, 50) ? "tun" : "dummy");
        break;
    default:
        link->bridge_info.stp = !link->bridge_info.stp;
        link->operstate++;
    }
}

static void alter_interface(GRand *rand, DomainInterface *iface)
{
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        g_free(iface->target);
        iface->target = g_strdup(names[g_rand_int_range(rand, 0, 4)]);
        break;
    case 1:
        iface->mac = world_mac_of(PICK(rand, macs));
        break;
    case 2:
        g_free(iface->network);
        iface->network = g_strdup(PICK(rand, network_names));
        break;
    case 3:
        g_free(iface->bridge);
        iface->bridge = g_strdup(PICK(rand, bridges));
        break;
    case 4:
        iface->link = (LinkClaim)g_rand_int_range(rand, 0, 3);
        break;
    default:
        g_free(iface->model);
        iface->model = g_strdup(chance(rand, 50) ? "virtio" : "e1000");
    }
}

void alter_domain(GRand *rand, Domain *domain)
{
    if (domain->interfaces->len > 0 && chance(rand, 70))
        alter_interface(
            rand, domain->interfaces->pdata[g_rand_int_range(rand, 0, (gint32)domain->interfaces->len)]);
    else if (chance(rand, 50))
        domain->state = domain->state == DOMAIN_PAUSED ? DOMAIN_RUNNING : DOMAIN_PAUSED;
    else if (domain->agent->len > 0)
        g_array_index(domain->agent, AgentAddress, 0).net.prefix ^= 1;
    else
        domain->id++;
}

void alter_network(GRand *rand, Network *network)
{
    NetworkIp *ip = network->ips->len > 0 ? network->ips->pdata[0] : NULL;

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        network->active = !network->active;
        network->persistent = TRUE; /* or it would not be there any more */
        break;
    case 1:
        g_free(network->bridge);
        network->bridge = g_strdup(PICK(rand, bridges));
        break;
    case 2:
        g_free(network->name);
        network->name = g_strdup(PICK(rand, network_names));
        break;
    case 3:
        network->autostart = !network->autostart;
        break;
    case 4:
        if (ip)
            ip->net.prefix = ip->net.prefix == 24 ? 16 : 24;
        break;
    default:
        g_free(network->forward);
        network->forward = g_strdup(chance(rand, 50) ? "nat" : "isolated");
    }
}
