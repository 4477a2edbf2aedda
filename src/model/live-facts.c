/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live-private.h"

/* A Facts whose records are those of nodes, in an order that does not depend on how they came. */

void facts_borrow(Facts *facts)
{
    GPtrArray *const arrays[] = {facts->networks, facts->domains, facts->leases, facts->links,
                                 facts->dnsmasqs};

    for (guint i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_ptr_array_set_free_func(arrays[i], NULL);
}

void facts_empty(Facts *facts)
{
    GPtrArray *const arrays[] = {facts->networks, facts->domains, facts->leases, facts->links,
                                 facts->dnsmasqs};
    GArray *const values[] = {facts->addresses, facts->neighbours, facts->fdb};

    for (guint i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_ptr_array_set_size(arrays[i], 0);
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        g_array_set_size(values[i], 0);
}

Neighbour neighbour_now(const LiveMap *live, const NeighbourNode *node)
{
    Neighbour neighbour = node->neighbour;
    gint64 passed = node->stamp == G_MAXINT64 ? 0 : (live->monotonic - node->stamp) / G_TIME_SPAN_SECOND;

    if (neighbour.confirmed != G_MAXUINT32)
        neighbour.confirmed += (guint32)CLAMP(passed, 0, (gint64)(G_MAXUINT32 - 1 - neighbour.confirmed));
    return neighbour;
}

void facts_take_node(LiveMap *live, Facts *facts, const Node *node)
{
    Neighbour neighbour;

    switch (node->kind) {
    case NODE_DOMAIN:
        g_ptr_array_add(facts->domains, ((const DomainNode *)node)->domain);
        break;
    case NODE_NETWORK:
        g_ptr_array_add(facts->networks, ((const NetworkNode *)node)->network);
        break;
    case NODE_LINK:
        g_ptr_array_add(facts->links, ((const LinkNode *)node)->link);
        break;
    case NODE_LEASE:
        g_ptr_array_add(facts->leases, (gpointer)((const LeaseNode *)node)->lease);
        break;
    case NODE_ADDRESS:
        g_array_append_val(facts->addresses, ((const AddressNode *)node)->address);
        break;
    case NODE_NEIGHBOUR:
        neighbour = neighbour_now(live, (const NeighbourNode *)node);
        g_array_append_val(facts->neighbours, neighbour);
        break;
    case NODE_FDB:
        g_array_append_val(facts->fdb, ((const FdbNode *)node)->entry);
        break;
    case NODE_KINDS:
        break;
    }
}

void facts_order(Facts *facts)
{
    g_ptr_array_sort(facts->networks, network_order);
    g_ptr_array_sort(facts->domains, domain_order);
    g_ptr_array_sort(facts->leases, lease_order);
    facts_sort_links(facts);
    g_array_sort(facts->addresses, address_order);
    g_array_sort(facts->neighbours, neighbour_order);
    g_array_sort(facts->fdb, fdb_order);
}
