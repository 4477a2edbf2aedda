/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include "base/error.h"

#include <string.h>

/* What libvirt says when it is asked, the truth of that moment; and how the kernel's messages are handed out.
 */

SimGuest *sim_guest(Sim *sim, const char *uuid)
{
    for (guint i = 0; i < SIM_GUESTS; i++) {
        if (strcmp(sim->guests[i].uuid, uuid) == 0)
            return &sim->guests[i];
    }
    return NULL;
}

SimNetwork *sim_network(Sim *sim, const char *uuid)
{
    for (guint i = 0; i < SIM_NETWORKS; i++) {
        if (strcmp(sim->networks[i].uuid, uuid) == 0)
            return &sim->networks[i];
    }
    return NULL;
}

void sim_refuse(SimCall *call, VnatError code, const char *why)
{
    g_set_error_literal(&call->error, VNAT_ERROR, (gint)code, why);
}

static void sample_domain(Sim *sim, SimCall *call)
{
    const SimGuest *guest = sim_guest(sim, call->uuid);

    if (!guest) {
        sim_refuse(call, VNAT_ERROR_NOT_FOUND, "no domain");
    } else if (sim->now < guest->fails) {
        sim_refuse(call, VNAT_ERROR_FAILED, "out of order");
    } else if (guest->running) {
        call->record = host_copy_domain(guest->running);
    } else {
        Domain *domain = domain_new();

        domain->uuid = g_strdup(guest->uuid);
        domain->name = g_strdup(guest->name);
        domain->xml_read = TRUE;
        domain->state = DOMAIN_SHUTOFF;
        call->record = domain;
    }
}

static void sample_leases(Sim *sim, SimCall *call, const SimNetwork *network)
{
    GPtrArray *leases;

    if (sim->no_leases) {
        sim_refuse(call, VNAT_ERROR_UNSUPPORTED, "no leases here");
        return;
    }
    if (sim->now < network->unreadable) {
        sim_refuse(call, VNAT_ERROR_FAILED, "not to be read");
        return;
    }
    leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    for (guint i = 0; i < sim->truth->leases->len; i++) {
        const Lease *lease = sim->truth->leases->pdata[i];

        if (strcmp(lease->network_uuid, network->uuid) == 0 &&
            lease_is_live(lease, sim_wall(sim) / SIM_SECOND))
            g_ptr_array_add(leases, host_copy_lease(lease));
    }
    call->record = leases;
}

static void sample_network(Sim *sim, SimCall *call)
{
    const SimNetwork *network = sim_network(sim, call->uuid);

    if (!network || !network->network)
        sim_refuse(call, VNAT_ERROR_NOT_FOUND, "no network");
    else if (call->kind == FOLLOW_LEASES)
        sample_leases(sim, call, network);
    else
        call->record = host_copy_network(network->network);
}

static void sample_list(Sim *sim, SimCall *call)
{
    call->listed = g_ptr_array_new_with_free_func((GDestroyNotify)follow_listed_free);
    for (guint i = 0; call->kind == FOLLOW_DOMAIN && i < SIM_GUESTS; i++) {
        const Domain *domain = sim->guests[i].running;
        FollowListed *listed;

        if (!domain)
            continue;
        listed = follow_listed_new(domain->uuid, domain->name);
        listed->active = listed->persistent = TRUE;
        listed->id = domain->id;
        listed->state = domain->state;
        g_ptr_array_add(call->listed, listed);
    }
    for (guint i = 0; call->kind == FOLLOW_NETWORK && i < SIM_NETWORKS; i++) {
        const Network *network = sim->networks[i].network;
        FollowListed *listed;

        if (!network)
            continue;
        listed = follow_listed_new(network->uuid, network->name);
        listed->active = network->active;
        listed->persistent = network->persistent;
        listed->autostart = network->autostart;
        g_ptr_array_add(call->listed, listed);
    }
}

void sim_sample(Sim *sim, SimCall *call)
{
    if (!call->uuid)
        sample_list(sim, call);
    else if (call->kind == FOLLOW_DOMAIN)
        sample_domain(sim, call);
    else
        sample_network(sim, call);
}

void sim_tell(Sim *sim, SimMessage *message)
{
    switch (message->type) {
    case MESSAGE_LINK:
        follower_link(sim->follower, message->link);
        break;
    case MESSAGE_LINK_GONE:
        follower_link_gone(sim->follower, message->ifindex);
        break;
    case MESSAGE_ADDRESS:
        follower_address(sim->follower, &message->address, message->gone);
        break;
    case MESSAGE_NEIGHBOUR:
        follower_neighbour(sim->follower, &message->neighbour, message->gone);
        break;
    case MESSAGE_FDB:
        follower_fdb(sim->follower, &message->fdb, message->gone);
        break;
    }
    g_free(message);
}
