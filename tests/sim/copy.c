/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

/* Copies of records: what an answer or a message says stays as it was. */

static DomainInterface *copy_interface(const DomainInterface *iface)
{
    DomainInterface *copy = domain_interface_new();

    *copy = *iface;
    copy->alias = g_strdup(iface->alias);
    copy->type = g_strdup(iface->type);
    copy->source = g_strdup(iface->source);
    copy->network = g_strdup(iface->network);
    copy->bridge = g_strdup(iface->bridge);
    copy->portid = g_strdup(iface->portid);
    copy->model = g_strdup(iface->model);
    copy->target = g_strdup(iface->target);
    return copy;
}

Domain *host_copy_domain(const Domain *domain)
{
    Domain *copy = domain_new();

    copy->name = g_strdup(domain->name);
    copy->uuid = g_strdup(domain->uuid);
    copy->id = domain->id;
    copy->persistent = domain->persistent;
    copy->state = domain->state;
    copy->xml_read = domain->xml_read;
    copy->xml_error = g_strdup(domain->xml_error);
    for (guint i = 0; i < domain->interfaces->len; i++)
        g_ptr_array_add(copy->interfaces, copy_interface(domain->interfaces->pdata[i]));
    return copy;
}

Network *host_copy_network(const Network *network)
{
    Network *copy = network_new();

    copy->name = g_strdup(network->name);
    copy->uuid = g_strdup(network->uuid);
    copy->active = network->active;
    copy->persistent = network->persistent;
    copy->autostart = network->autostart;
    copy->xml_read = network->xml_read;
    copy->xml_error = g_strdup(network->xml_error);
    copy->forward = g_strdup(network->forward);
    copy->bridge = g_strdup(network->bridge);
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *from = network->ips->pdata[i];
        NetworkIp *ip = network_ip_new();

        ip->net = from->net;
        ip->dhcp = from->dhcp;
        g_array_append_vals(ip->ranges, from->ranges->data, from->ranges->len);
        g_ptr_array_add(copy->ips, ip);
    }
    return copy;
}

Lease *host_copy_lease(const Lease *lease)
{
    Lease *copy = lease_new();

    *copy = *lease;
    copy->network = g_strdup(lease->network);
    copy->network_uuid = g_strdup(lease->network_uuid);
    copy->bridge = g_strdup(lease->bridge);
    copy->hostname = g_strdup(lease->hostname);
    copy->client_id = g_strdup(lease->client_id);
    copy->iaid = g_strdup(lease->iaid);
    return copy;
}

Link *host_copy_link(const Link *link)
{
    Link *copy = link_new();

    *copy = *link;
    copy->name = g_strdup(link->name);
    copy->kind = g_strdup(link->kind);
    copy->alias = g_strdup(link->alias);
    return copy;
}
