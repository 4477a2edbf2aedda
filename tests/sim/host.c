/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include <net/if.h>
#include <string.h>

/*
 * The true host: its facts are records of the model, so that the join of them is the truth that the follower
 * must arrive at. Names of taps are the first that is free, as adverse as can be: a name that went is the
 * next to come.
 */

/* ------------------------------------------------------------------------------------------- kernel */

Link *host_link_named(const Sim *sim, const char *name)
{
    return facts_link_named(sim->truth, name);
}

void host_link_tell(Sim *sim, const Link *link)
{
    SimMessage message = {.type = MESSAGE_LINK, .link = host_copy_link(link)};

    sim_message(sim, &message);
    check_pairs(sim);
}

static guint take_ifindex(Sim *sim)
{
    guint reuse = sim->reuse_ifindex;

    sim->reuse_ifindex = 0;
    if (reuse && !facts_link(sim->truth, reuse))
        return reuse;
    while (facts_link(sim->truth, sim->next_ifindex))
        sim->next_ifindex++;
    return sim->next_ifindex++;
}

static Link *link_add(Sim *sim, const char *name, const char *kind)
{
    Link *link = link_new();

    link->ifindex = take_ifindex(sim);
    link->name = g_strdup(name);
    link->kind = g_strdup(kind);
    link->flags = IFF_UP;
    link->mtu = 1500;
    link->carrier = 1;
    g_ptr_array_add(sim->truth->links, link);
    facts_sort_links(sim->truth);
    return link;
}

Link *host_tap_add(Sim *sim, const char *name, guint master, const Mac *guest)
{
    Link *link = link_add(sim, name, "tun");

    if (guest) {
        link->has_mac = TRUE;
        link->mac = *guest;
        link->mac.bytes[0] = 0xfe;
    }
    host_link_tell(sim, link);
    if (master)
        host_link_master(sim, link, master);
    return link;
}

void host_forget(Sim *sim, guint ifindex)
{
    for (guint i = sim->truth->fdb->len; i > 0; i--) {
        const FdbEntry *entry = &g_array_index(sim->truth->fdb, FdbEntry, i - 1);
        SimMessage message = {.type = MESSAGE_FDB, .gone = TRUE, .fdb = *entry};

        if (entry->ifindex != ifindex)
            continue;
        sim_message(sim, &message);
        g_array_remove_index(sim->truth->fdb, i - 1);
    }
}

void host_link_master(Sim *sim, Link *link, guint master)
{
    host_forget(sim, link->ifindex);
    link->master = master;
    link->is_port = master != 0;
    host_link_tell(sim, link);
}

void host_link_rename(Sim *sim, Link *link, const char *name)
{
    g_free(link->name);
    link->name = g_strdup(name);
    host_link_tell(sim, link);
}

/* What hangs on the device goes with it; the kernel does not tell of everything. */
static void link_remove_things(Sim *sim, guint ifindex)
{
    Facts *truth = sim->truth;

    host_forget(sim, ifindex);
    for (guint i = truth->addresses->len; i > 0; i--) {
        if (g_array_index(truth->addresses, LinkAddress, i - 1).ifindex == ifindex)
            g_array_remove_index(truth->addresses, i - 1);
    }
    for (guint i = truth->neighbours->len; i > 0; i--) {
        if (g_array_index(truth->neighbours, Neighbour, i - 1).ifindex == ifindex)
            g_array_remove_index(truth->neighbours, i - 1);
    }
}

void host_link_remove(Sim *sim, Link *link)
{
    SimMessage message = {.type = MESSAGE_LINK_GONE, .ifindex = link->ifindex};

    link_remove_things(sim, link->ifindex);
    for (guint i = 0; i < sim->truth->links->len; i++) {
        Link *port = sim->truth->links->pdata[i];

        if (port->master == link->ifindex)
            host_link_master(sim, port, 0);
    }
    sim_message(sim, &message);
    g_ptr_array_remove(sim->truth->links, link);
    facts_sort_links(sim->truth);
    check_pairs(sim);
}

void host_learn(Sim *sim, const Link *port, const Mac *mac)
{
    FdbEntry entry = {.ifindex = port->ifindex, .master = port->master, .mac = *mac};
    SimMessage message = {.type = MESSAGE_FDB, .fdb = entry};

    if (!port->master)
        return;
    /* A bridge has an address once: it moves. */
    for (guint i = sim->truth->fdb->len; i > 0; i--) {
        const FdbEntry *known = &g_array_index(sim->truth->fdb, FdbEntry, i - 1);

        if (known->master == entry.master && mac_equal(&known->mac, mac))
            g_array_remove_index(sim->truth->fdb, i - 1);
    }
    g_array_append_val(sim->truth->fdb, entry);
    sim_message(sim, &message);
}

void host_neighbour(Sim *sim, const Link *bridge, const Ip *ip, const Mac *mac, guint16 state)
{
    Neighbour neighbour = {.ifindex = bridge->ifindex, .ip = *ip, .state = state, .has_mac = mac != NULL};
    SimMessage message = {.type = MESSAGE_NEIGHBOUR, .gone = state == 0};
    GArray *neighbours = sim->truth->neighbours;

    neighbour.confirmed = state & NEIGHBOUR_REACHABLE ? 0 : G_MAXUINT32;
    if (mac)
        neighbour.mac = *mac;
    for (guint i = neighbours->len; i > 0; i--) {
        const Neighbour *known = &g_array_index(neighbours, Neighbour, i - 1);

        if (known->ifindex == bridge->ifindex && ip_equal(&known->ip, ip))
            g_array_remove_index(neighbours, i - 1);
    }
    if (state)
        g_array_append_val(neighbours, neighbour);
    message.neighbour = neighbour;
    sim_message(sim, &message);
}

Link *host_bridge(const Sim *sim, guint network)
{
    Link *link = host_link_named(sim, sim->networks[network].bridge);

    return link && link->is_bridge ? link : NULL;
}

Link *host_tap(const Sim *sim, guint guest)
{
    const Domain *domain = sim->guests[guest].running;
    const DomainInterface *iface;

    if (!domain || domain->interfaces->len == 0)
        return NULL;
    iface = domain->interfaces->pdata[0];
    return iface->target ? host_link_named(sim, iface->target) : NULL;
}

/* ------------------------------------------------------------------------------------------- guests */

/* The same time, however what happens is told. */
static void host_takes(Sim *sim, gint64 most)
{
    if (!sim->calm)
        sim_advance(sim, (gint64)((double)most * g_rand_double(sim->pace)));
}

static char *free_tap_name(const Sim *sim)
{
    for (guint i = 0;; i++) {
        char *name = g_strdup_printf("vnet%u", i);

        if (!host_link_named(sim, name))
            return name;
        g_free(name);
    }
}

static Mac new_mac(guint guest, guint nic)
{
    Mac mac = {{0x52, 0x54, 0, 0, (guint8)guest, (guint8)nic}};

    return mac;
}

static void claim_network(Sim *sim, DomainInterface *iface, guint network)
{
    g_free(iface->network);
    g_free(iface->source);
    g_free(iface->bridge);
    iface->network = g_strdup(sim->networks[network].name);
    iface->source = g_strdup(iface->network);
    iface->bridge = g_strdup(sim->networks[network].bridge);
}

static void guest_plug(Sim *sim, guint guest, guint network)
{
    Domain *domain = sim->guests[guest].running;
    DomainInterface *iface = domain_interface_new();
    guint nic = domain->interfaces->len;
    const Link *bridge = host_bridge(sim, network);

    iface->alias = g_strdup_printf("net%u", nic);
    iface->type = g_strdup("network");
    iface->has_mac = TRUE;
    iface->mac = new_mac(guest, nic);
    iface->target = free_tap_name(sim);
    claim_network(sim, iface, network);
    host_tap_add(sim, iface->target, bridge ? bridge->ifindex : 0, &iface->mac);
    g_ptr_array_add(domain->interfaces, iface);
    check_pairs(sim);
}

static gboolean network_is_active(const Sim *sim, guint network)
{
    return sim->networks[network].network && sim->networks[network].network->active;
}

gboolean host_launch(Sim *sim, guint guest)
{
    SimGuest *it = &sim->guests[guest];
    Domain *domain;

    if (it->running || sim->away)
        return FALSE;
    for (guint i = 0; i < it->nics->len; i++) {
        if (!network_is_active(sim, g_array_index(it->nics, guint, i)))
            return FALSE;
    }
    domain = domain_new();
    domain->name = g_strdup(it->name);
    domain->uuid = g_strdup(it->uuid);
    domain->id = ++sim->next_id;
    domain->state = DOMAIN_RUNNING;
    domain->persistent = TRUE;
    domain->xml_read = TRUE;
    it->running = domain;
    for (guint i = 0; i < it->nics->len; i++)
        guest_plug(sim, guest, g_array_index(it->nics, guint, i));
    g_ptr_array_add(sim->truth->domains, domain);
    check_pairs(sim);
    return TRUE;
}

gboolean host_start(Sim *sim, guint guest)
{
    if (!host_launch(sim, guest))
        return FALSE;
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[guest].uuid);
    sim_event(sim, FOLLOW_DOMAIN, sim->guests[guest].uuid);
    return TRUE;
}

/* The tap of the interface goes, whatever its name is by now: one that was renamed stays, nobody's. */
static void guest_drop_tap(Sim *sim, const DomainInterface *iface)
{
    Link *link = host_link_named(sim, iface->target);

    if (link && !link->is_bridge)
        host_link_remove(sim, link);
}

gboolean host_destroy(Sim *sim, guint guest)
{
    SimGuest *it = &sim->guests[guest];

    if (!it->running)
        return FALSE;
    for (guint i = 0; i < it->running->interfaces->len; i++)
        guest_drop_tap(sim, it->running->interfaces->pdata[i]);
    /* qemu is dead, and libvirt about to notice. */
    host_takes(sim, 3 * SIM_MS);
    g_ptr_array_remove(sim->truth->domains, it->running);
    it->running = NULL;
    check_pairs(sim);
    sim_event(sim, FOLLOW_DOMAIN, it->uuid);
    sim_event(sim, FOLLOW_DOMAIN, it->uuid);
    return TRUE;
}

gboolean host_plug(Sim *sim, guint guest, guint network)
{
    const SimGuest *it = &sim->guests[guest];

    if (!it->running || sim->away || it->running->interfaces->len >= 3 || !network_is_active(sim, network))
        return FALSE;
    guest_plug(sim, guest, network);
    sim_event(sim, FOLLOW_DOMAIN, it->uuid);
    return TRUE;
}

gboolean host_unplug(Sim *sim, guint guest)
{
    Domain *domain = sim->guests[guest].running;

    if (!domain || sim->away || domain->interfaces->len == 0)
        return FALSE;
    guest_drop_tap(sim, domain->interfaces->pdata[domain->interfaces->len - 1]);
    g_ptr_array_remove_index(domain->interfaces, domain->interfaces->len - 1);
    check_pairs(sim);
    sim_event(sim, FOLLOW_DOMAIN, domain->uuid);
    return TRUE;
}

/* libvirt tells nothing of this: only the kernel does. */
gboolean host_connect(Sim *sim, guint guest, guint network)
{
    Domain *domain = sim->guests[guest].running;
    const Link *bridge = host_bridge(sim, network);
    Link *tap = host_tap(sim, guest);

    if (!tap || !bridge || sim->away || !network_is_active(sim, network) || tap->master == bridge->ifindex)
        return FALSE;
    host_link_master(sim, tap, bridge->ifindex);
    /* libvirt writes its XML when that is done. */
    host_takes(sim, 600 * SIM_MS);
    claim_network(sim, domain->interfaces->pdata[0], network);
    return TRUE;
}

gboolean host_pause(Sim *sim, guint guest)
{
    Domain *domain = sim->guests[guest].running;

    if (!domain || sim->away)
        return FALSE;
    domain->state = domain->state == DOMAIN_RUNNING ? DOMAIN_PAUSED : DOMAIN_RUNNING;
    sim_event(sim, FOLLOW_DOMAIN, domain->uuid);
    return TRUE;
}

gboolean host_set_link(Sim *sim, guint guest)
{
    Domain *domain = sim->guests[guest].running;
    DomainInterface *iface = domain && domain->interfaces->len > 0 ? domain->interfaces->pdata[0] : NULL;

    if (!iface || sim->away)
        return FALSE;
    iface->link = iface->link == LINK_DOWN ? LINK_UP : LINK_DOWN;
    sim_written(sim, FOLLOW_DOMAIN, domain->name);
    return TRUE;
}

/* ----------------------------------------------------------------------------------------- networks */

gboolean host_net_define(Sim *sim, guint network)
{
    SimNetwork *it = &sim->networks[network];
    g_autofree char *cidr = g_strdup_printf("192.168.%u.1/24", 100 + network);
    Network *record;
    NetworkIp *ip;

    if (it->network || sim->away)
        return FALSE;
    record = network_new();
    record->name = g_strdup(it->name);
    record->uuid = g_strdup(it->uuid);
    record->bridge = g_strdup(it->bridge);
    record->forward = g_strdup("nat");
    record->persistent = TRUE;
    ip = network_ip_new();
    ip->dhcp = TRUE;
    g_assert_true(ipnet_parse(cidr, &ip->net));
    g_ptr_array_add(record->ips, ip);
    it->network = record;
    g_ptr_array_add(sim->truth->networks, record);
    sim_event(sim, FOLLOW_NETWORK, it->uuid);
    return TRUE;
}

gboolean host_net_start(Sim *sim, guint network)
{
    SimNetwork *it = &sim->networks[network];
    SimMessage message = {.type = MESSAGE_ADDRESS};
    Link *bridge;

    if (!it->network || it->network->active || sim->away || host_link_named(sim, it->bridge))
        return FALSE;
    bridge = link_add(sim, it->bridge, "bridge");
    bridge->is_bridge = TRUE;
    host_link_tell(sim, bridge);
    message.address.ifindex = bridge->ifindex;
    message.address.net = ((NetworkIp *)it->network->ips->pdata[0])->net;
    g_array_append_val(sim->truth->addresses, message.address);
    sim_message(sim, &message);
    it->network->active = TRUE;
    sim_event(sim, FOLLOW_NETWORK, it->uuid);
    return TRUE;
}

gboolean host_net_stop(Sim *sim, guint network)
{
    SimNetwork *it = &sim->networks[network];
    Link *bridge;

    if (!it->network || !it->network->active || sim->away)
        return FALSE;
    bridge = host_bridge(sim, network);
    if (bridge)
        host_link_remove(sim, bridge);
    it->network->active = FALSE;
    sim_event(sim, FOLLOW_NETWORK, it->uuid);
    return TRUE;
}

gboolean host_net_undefine(Sim *sim, guint network)
{
    SimNetwork *it = &sim->networks[network];
    GPtrArray *leases = sim->truth->leases;

    if (!it->network || it->network->active || sim->away)
        return FALSE;
    for (guint i = leases->len; i > 0; i--) {
        if (g_strcmp0(((Lease *)leases->pdata[i - 1])->network_uuid, it->uuid) == 0)
            g_ptr_array_remove_index(leases, i - 1);
    }
    g_ptr_array_remove(sim->truth->networks, it->network);
    it->network = NULL;
    sim_event(sim, FOLLOW_NETWORK, it->uuid);
    sim_lease_event(sim, it->bridge);
    return TRUE;
}

gboolean host_net_autostart(Sim *sim, guint network)
{
    Network *it = sim->networks[network].network;

    if (!it || sim->away)
        return FALSE;
    it->autostart = !it->autostart;
    sim_written(sim, FOLLOW_NETWORK, it->name);
    return TRUE;
}

/* ------------------------------------------------------------------------------------------- leases */

static SimNetwork *network_named(Sim *sim, const char *name)
{
    for (guint i = 0; i < SIM_NETWORKS; i++) {
        if (g_strcmp0(sim->networks[i].name, name) == 0)
            return &sim->networks[i];
    }
    return NULL;
}

static Lease *lease_find(const Sim *sim, const SimNetwork *network, const Ip *ip)
{
    for (guint i = 0; i < sim->truth->leases->len; i++) {
        Lease *lease = sim->truth->leases->pdata[i];

        if (g_strcmp0(lease->network_uuid, network->uuid) == 0 && ip_equal(&lease->ip, ip))
            return lease;
    }
    return NULL;
}

/* The network of the guest's first interface, if it gives leases, and the address that it gives to it. */
static SimNetwork *lease_place(Sim *sim, guint guest, Ip *ip)
{
    const Domain *domain = sim->guests[guest].running;
    const DomainInterface *iface =
        domain && domain->interfaces->len > 0 ? domain->interfaces->pdata[0] : NULL;
    SimNetwork *network = iface ? network_named(sim, iface->network) : NULL;

    if (!network || !network->network || !network->network->active)
        return NULL;
    *ip = ((NetworkIp *)network->network->ips->pdata[0])->net.ip;
    ip->bytes[3] = (guint8)(10 + guest);
    return network;
}

gboolean host_lease(Sim *sim, guint guest, gint64 seconds)
{
    Ip ip;
    SimNetwork *network = lease_place(sim, guest, &ip);
    const DomainInterface *iface;
    Lease *lease;

    if (!network)
        return FALSE;
    iface = sim->guests[guest].running->interfaces->pdata[0];
    lease = lease_find(sim, network, &ip);
    if (!lease) {
        lease = lease_new();
        g_ptr_array_add(sim->truth->leases, lease);
        lease->network = g_strdup(network->name);
        lease->network_uuid = g_strdup(network->uuid);
        lease->bridge = g_strdup(network->bridge);
        lease->hostname = g_strdup(sim->guests[guest].name);
        lease->ip = ip;
        lease->prefix = 24;
    }
    lease->has_mac = TRUE;
    lease->mac = iface->mac;
    lease->expiry = seconds ? sim_wall(sim) / SIM_SECOND + seconds : 0;
    sim_lease_event(sim, network->bridge);
    return TRUE;
}

gboolean host_release(Sim *sim, guint guest)
{
    Ip ip;
    SimNetwork *network = lease_place(sim, guest, &ip);
    Lease *lease = network ? lease_find(sim, network, &ip) : NULL;

    if (!lease)
        return FALSE;
    g_ptr_array_remove(sim->truth->leases, lease);
    sim_lease_event(sim, network->bridge);
    return TRUE;
}

/* ---------------------------------------------------------------------------------------------- host */

static void guest_init(SimGuest *guest, guint index)
{
    guint first = index % 2;

    guest->name = g_strdup_printf("VM%u", index + 1);
    guest->uuid = g_strdup_printf("%08x-1111-4000-8000-000000000000", index + 1);
    guest->nics = g_array_new(FALSE, FALSE, sizeof(guint));
    g_array_append_val(guest->nics, first);
    if (index == 2) {
        guint second = 2;

        g_array_append_val(guest->nics, second);
    }
}

void host_init(Sim *sim)
{
    sim->truth = facts_new();
    sim->truth->local = TRUE;
    sim->truth->domains_complete = TRUE;
    sim->next_ifindex = 10;
    sim->pace = g_rand_new_with_seed(1);
    for (guint i = 0; i < SIM_GUESTS; i++)
        guest_init(&sim->guests[i], i);
    for (guint i = 0; i < SIM_NETWORKS; i++) {
        SimNetwork *network = &sim->networks[i];

        network->name = g_strdup_printf("net%u", i);
        network->uuid = g_strdup_printf("%08x-2222-4000-8000-000000000000", i + 1);
        network->bridge = g_strdup_printf("virbr%u", i % (SIM_NETWORKS - 1));
        host_net_define(sim, i);
    }
    for (guint i = 0; i < SIM_NETWORKS - 1; i++)
        host_net_start(sim, i);
}

void host_clear(Sim *sim)
{
    for (guint i = 0; i < SIM_GUESTS; i++) {
        g_free(sim->guests[i].name);
        g_free(sim->guests[i].uuid);
        g_array_unref(sim->guests[i].nics);
    }
    for (guint i = 0; i < SIM_NETWORKS; i++) {
        g_free(sim->networks[i].name);
        g_free(sim->networks[i].uuid);
        g_free(sim->networks[i].bridge);
    }
    facts_free(sim->truth);
    g_rand_free(sim->pace);
}
