/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"
#include "model/live.h"

#include <linux/perf_event.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * live-cost GUESTS EVENTS: what an event costs the live map on a host with so many guests, 100 on a bridge: a
 * line "kind number unit" each. The unit is instructions, or nanoseconds of the processor's time where the
 * kernel counts no instructions for us. live-cost GUESTS EVENTS KIND: events of that kind alone, for tools
 * that count instructions of a whole program.
 */

#define PER_BRIDGE 100
#define FIRST_TAP 1000
#define NOW 1790000000

typedef struct {
    LiveMap *live;
    guint guests;
    gint64 monotonic;
} Host;

/* ----------------------------------------------------------------------------------------- counting */

static int counter = -1;

static void counter_open(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };

    counter = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static guint64 counter_read(void)
{
    struct timespec time;
    guint64 count;

    if (counter >= 0 && read(counter, &count, sizeof(count)) == sizeof(count))
        return count;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (guint64)time.tv_sec * 1000000000U + (guint64)time.tv_nsec;
}

/* ------------------------------------------------------------------------------------------ records */

static Mac mac_of(guint guest)
{
    Mac mac = {{0x52, 0x54, 0, (guint8)(guest >> 16), (guint8)(guest >> 8), (guint8)guest}};

    return mac;
}

static Ip ip_of(guint guest)
{
    guint subnet = guest / PER_BRIDGE;
    Ip ip = {.family = 4,
             .bytes = {10, (guint8)(subnet >> 8), (guint8)subnet, (guint8)(guest % PER_BRIDGE + 2)}};

    return ip;
}

static guint bridge_of(guint guest)
{
    return guest / PER_BRIDGE + 1;
}

static Network *network_make(guint number)
{
    Network *network = network_new();
    NetworkIp *ip = network_ip_new();
    DhcpRange range = {ip_of((number - 1) * PER_BRIDGE), ip_of(number * PER_BRIDGE - 1)};

    network->name = g_strdup_printf("net%u", number);
    network->uuid = g_strdup_printf("network-%u", number);
    network->bridge = g_strdup_printf("virbr%u", number);
    network->forward = g_strdup("nat");
    network->active = network->persistent = network->autostart = TRUE;
    ip->net.ip = ip_of((number - 1) * PER_BRIDGE);
    ip->net.ip.bytes[3] = 1;
    ip->net.prefix = 24;
    ip->dhcp = TRUE;
    g_array_append_val(ip->ranges, range);
    g_ptr_array_add(network->ips, ip);
    return network;
}

static Link *bridge_make(guint number, guint mtu)
{
    Link *link = link_new();

    link->ifindex = number;
    link->name = g_strdup_printf("virbr%u", number);
    link->kind = g_strdup("bridge");
    link->is_bridge = TRUE;
    link->flags = IFF_UP;
    link->mtu = mtu;
    return link;
}

static Link *tap_make(guint guest, gint carrier)
{
    Link *link = link_new();

    link->ifindex = FIRST_TAP + guest;
    link->name = g_strdup_printf("vnet%u", guest);
    link->kind = g_strdup("tun");
    link->master = bridge_of(guest);
    link->is_port = TRUE;
    link->flags = IFF_UP;
    link->mtu = 1500;
    link->carrier = carrier;
    return link;
}

static Domain *domain_make(guint guest, DomainState state)
{
    Domain *domain = domain_new();
    DomainInterface *iface = domain_interface_new();

    domain->name = g_strdup_printf("VM%u", guest);
    domain->uuid = g_strdup_printf("domain-%u", guest);
    domain->id = (gint)guest + 1;
    domain->state = state;
    domain->xml_read = TRUE;
    iface->alias = g_strdup("net0");
    iface->type = g_strdup("network");
    iface->network = g_strdup_printf("net%u", bridge_of(guest));
    iface->source = g_strdup(iface->network);
    iface->bridge = g_strdup_printf("virbr%u", bridge_of(guest));
    iface->model = g_strdup("virtio");
    iface->target = g_strdup_printf("vnet%u", guest);
    iface->has_mac = TRUE;
    iface->mac = mac_of(guest);
    g_ptr_array_add(domain->interfaces, iface);
    return domain;
}

static Neighbour neighbour_make(guint guest, guint16 state)
{
    Neighbour neighbour = {.ifindex = bridge_of(guest), .state = state, .has_mac = TRUE};

    neighbour.ip = ip_of(guest);
    neighbour.mac = mac_of(guest);
    return neighbour;
}

static FdbEntry entry_make(guint guest)
{
    FdbEntry entry = {.ifindex = FIRST_TAP + guest, .master = bridge_of(guest)};

    entry.mac = mac_of(guest);
    return entry;
}

/* All leases of a network, of which that of one guest (G_MAXUINT: none) was renewed. */
static void put_leases(Host *host, guint number, guint renewed, gint64 expiry)
{
    GPtrArray *leases = g_ptr_array_new();
    g_autofree char *uuid = g_strdup_printf("network-%u", number);

    for (guint guest = (number - 1) * PER_BRIDGE; guest < MIN(number * PER_BRIDGE, host->guests); guest++) {
        Lease *lease = lease_new();

        lease->network = g_strdup_printf("net%u", number);
        lease->ip = ip_of(guest);
        lease->prefix = 24;
        lease->has_mac = TRUE;
        lease->mac = mac_of(guest);
        lease->hostname = g_strdup_printf("guest%u", guest);
        lease->client_id = g_strdup_printf("01:%u", guest);
        lease->expiry = guest == renewed ? expiry : NOW + 3600;
        g_ptr_array_add(leases, lease);
    }
    live_map_put_leases(host->live, uuid, leases, FALSE);
}

static void host_fill(Host *host)
{
    guint bridges = (host->guests + PER_BRIDGE - 1) / PER_BRIDGE;

    for (guint id = 0; id < SOURCE_COUNT; id++)
        live_map_set_source(host->live, id, SOURCE_LIVE, NULL);
    for (guint number = 1; number <= bridges; number++) {
        Link *bridge = bridge_make(number, 1500);
        LinkAddress address = {.ifindex = number, .net.prefix = 24};

        address.net.ip = ip_of((number - 1) * PER_BRIDGE);
        address.net.ip.bytes[3] = 1;
        live_map_put_link(host->live, bridge);
        live_map_put_address(host->live, &address);
        live_map_put_network(host->live, network_make(number));
        put_leases(host, number, G_MAXUINT, 0);
    }
    for (guint guest = 0; guest < host->guests; guest++) {
        Neighbour neighbour = neighbour_make(guest, NEIGHBOUR_REACHABLE);
        FdbEntry entry = entry_make(guest);

        live_map_put_link(host->live, tap_make(guest, 1));
        live_map_put_neighbour(host->live, &neighbour);
        live_map_put_fdb(host->live, &entry);
    }
    for (guint guest = 0; guest < host->guests; guest++)
        live_map_put_domain(host->live, domain_make(guest, DOMAIN_RUNNING), live_map_generation(host->live));
    live_map_set_domains_listed(host->live, TRUE);
}

/* ------------------------------------------------------------------------------------------- events */

static void event_link(Host *host, guint guest, guint round)
{
    live_map_put_link(host->live, tap_make(guest, round & 1 ? 1 : 0));
}

static void event_bridge(Host *host, guint guest, guint round)
{
    live_map_put_link(host->live, bridge_make(bridge_of(guest), 1500));
}

static void event_domain(Host *host, guint guest, guint round)
{
    live_map_put_domain(host->live, domain_make(guest, round & 1 ? DOMAIN_RUNNING : DOMAIN_PAUSED),
                        live_map_generation(host->live));
}

static void event_domain_same(Host *host, guint guest, guint round)
{
    live_map_put_domain(host->live, domain_make(guest, DOMAIN_RUNNING), live_map_generation(host->live));
}

static void event_learn(Host *host, guint guest, guint round)
{
    FdbEntry entry = entry_make(guest);

    if (round & 1)
        live_map_put_fdb(host->live, &entry);
    else
        live_map_remove_fdb(host->live, &entry);
}

static void event_neighbour(Host *host, guint guest, guint round)
{
    Neighbour neighbour = neighbour_make(guest, round & 1 ? NEIGHBOUR_REACHABLE : NEIGHBOUR_FAILED);

    live_map_put_neighbour(host->live, &neighbour);
}

static void event_lease(Host *host, guint guest, guint round)
{
    put_leases(host, bridge_of(guest), guest, NOW + 3600 + round);
}

/* The guest goes and comes again, with its tap. */
static void event_guest(Host *host, guint guest, guint round)
{
    Domain *domain = domain_make(guest, DOMAIN_RUNNING);

    if (round & 1) {
        live_map_put_link(host->live, tap_make(guest, 1));
        live_map_put_domain(host->live, domain, live_map_generation(host->live));
        return;
    }
    live_map_remove_domain(host->live, domain->uuid);
    live_map_remove_link(host->live, FIRST_TAP + guest);
    domain_free(domain);
}

typedef struct {
    const char *kind;
    void (*run)(Host *host, guint guest, guint round);
} Event;

static const Event events[] = {
    {"link", event_link},     {"bridge-again", event_bridge},
    {"domain", event_domain}, {"domain-again", event_domain_same},
    {"fdb", event_learn},     {"neighbour", event_neighbour},
    {"lease", event_lease},   {"guest", event_guest},
};

static void forget_doubtful(LiveMap *live)
{
    GPtrArray *doubtful = live_map_doubtful(live);

    if (doubtful)
        g_ptr_array_unref(doubtful);
}

/* Two of a kind for each guest, there and back; guests in steps, so that no cache keeps them warm. */
static guint64 event_cost(Host *host, const Event *event, guint count)
{
    guint64 begun = counter_read();

    for (guint i = 0; i < count; i++) {
        event->run(host, (guint)((guint64)(i / 2) * 7919 % host->guests), i);
        host->monotonic += G_TIME_SPAN_MILLISECOND * 20;
        live_map_settle(host->live, host->monotonic, NOW);
        forget_doubtful(host->live);
    }
    return (counter_read() - begun) / count;
}

static void print_cost(const char *kind, guint64 cost)
{
    printf("%s %" G_GUINT64_FORMAT " %s\n", kind, cost, counter >= 0 ? "instructions" : "nanoseconds");
}

int main(int argc, char **argv)
{
    Host host = {.live = live_map_new(checks_run), .monotonic = G_TIME_SPAN_SECOND};
    guint64 begun;
    guint count;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: live-cost GUESTS EVENTS [KIND]\n");
        return 2;
    }
    host.guests = MAX(1U, (guint)strtoul(argv[1], NULL, 10));
    count = MAX(2U, (guint)strtoul(argv[2], NULL, 10));
    counter_open();
    begun = counter_read();
    host_fill(&host);
    for (guint i = 0; i < 4; i++)
        live_map_settle(host.live, host.monotonic += LIVE_GRACE, NOW);
    print_cost("fill", (counter_read() - begun) / host.guests);
    for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
        if (argc == 3 || strcmp(argv[3], events[i].kind) == 0)
            print_cost(events[i].kind, event_cost(&host, &events[i], count));
    }
    live_map_free(host.live);
    return 0;
}
