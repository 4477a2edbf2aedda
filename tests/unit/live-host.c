/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-host.h"

#include <string.h>

gpointer last_of(GPtrArray *array)
{
    return g_ptr_array_steal_index(array, array->len - 1);
}

/* ------------------------------------------------------------------------------------------ the host */

void put_network_of(Host *host, const char *name, const char *bridge, gboolean active)
{
    Network *network = world_network(host->parts, name, "nat", bridge);

    world_ip(network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    network->active = active;
    live_map_put_network(host->live, last_of(host->parts->networks));
}

Link *make_bridge(Host *host, guint ifindex, const char *name)
{
    Link *link = world_link(host->parts, ifindex, name, "bridge");

    link->is_bridge = TRUE;
    return last_of(host->parts->links);
}

void put_tap(Host *host, guint ifindex, const char *name, guint master)
{
    world_tap(host->parts, ifindex, name, master, MAC_A);
    live_map_put_link(host->live, last_of(host->parts->links));
}

void put_address(Host *host, guint ifindex)
{
    LinkAddress address = {.ifindex = ifindex, .net = world_net_of("192.168.122.1/24")};

    live_map_put_address(host->live, &address);
}

Domain *make_guest(Host *host, const char *name, const char *network, const char *mac, const char *tap)
{
    Domain *domain = world_domain(host->parts, name, 1);

    if (mac)
        world_nic(domain, network, network ? NULL : "virbr0", mac, tap);
    return last_of(host->parts->domains);
}

void put_guest(Host *host, const char *name, const char *mac, const char *tap)
{
    live_map_put_domain(host->live, make_guest(host, name, "default", mac, tap),
                        live_map_generation(host->live));
}

char *uuid_of(Host *host, const char *name)
{
    g_autoptr(Domain) domain = make_guest(host, name, NULL, NULL, NULL);

    return g_strdup(domain->uuid);
}

void remove_guest(Host *host, const char *name)
{
    g_autofree char *uuid = uuid_of(host, name);

    live_map_remove_domain(host->live, uuid);
}

char *network_uuid(Host *host, const char *name)
{
    g_autoptr(Network) network = NULL;

    world_network(host->parts, name, "nat", NULL);
    network = last_of(host->parts->networks);
    return g_strdup(network->uuid);
}

void put_leases(Host *host, const char *network, const Leased *leased)
{
    GPtrArray *leases = g_ptr_array_new();
    g_autofree char *uuid = network_uuid(host, network);

    for (; leased && leased->ip; leased++) {
        Lease *lease = lease_new();

        lease->network = g_strdup(network);
        lease->ip = world_ip_of(leased->ip);
        lease->has_mac = TRUE;
        lease->mac = world_mac_of(leased->mac);
        lease->expiry = leased->expiry;
        lease->hostname = g_strdup(leased->hostname);
        lease->client_id = g_strdup(leased->client);
        g_ptr_array_add(leases, lease);
    }
    live_map_put_leases(host->live, uuid, leases, FALSE);
}

void put_learned(Host *host, guint port, const char *mac)
{
    FdbEntry entry = {.ifindex = port, .master = 10, .mac = world_mac_of(mac)};

    live_map_put_fdb(host->live, &entry);
}

Neighbour neighbour_of(guint ifindex, const char *ip, const char *mac, guint16 state, guint32 confirmed)
{
    Neighbour neighbour = {.ifindex = ifindex, .ip = world_ip_of(ip), .state = state, .confirmed = confirmed};

    neighbour.has_mac = TRUE;
    neighbour.mac = world_mac_of(mac);
    return neighbour;
}

void put_neighbour(Host *host, const char *ip, const char *mac, guint16 state, guint32 confirmed)
{
    Neighbour neighbour = neighbour_of(10, ip, mac, state, confirmed);

    live_map_put_neighbour(host->live, &neighbour);
}

/* ------------------------------------------------------------------------------------------- changes */

static void change_text(GString *text, const Change *change)
{
    char ip[IP_TEXT];

    g_string_append_printf(text, "%s", change_name(change->type));
    if (change->lease)
        g_string_append_printf(text, " %s", ip_format(&change->lease->ip, ip));
    if (change->row)
        g_string_append_printf(text, " %s/%s", change->row->domain ? change->row->domain : "-",
                               change->row->tap ? change->row->tap : "-");
    if (change->network)
        g_string_append_printf(text, " %s", change->network->network->name);
    if (change->finding)
        g_string_append_printf(text, " %s %s", change->finding->id, change->finding->object);
    if (change->type == CHANGE_SOURCE_LIVE || change->type == CHANGE_SOURCE_STALE ||
        change->type == CHANGE_SOURCE_DOWN || change->type == CHANGE_AUDIT_MISMATCH)
        g_string_append_printf(text, " %s: %s", source_name(change->source), change->text);
    g_string_append(text, "\n");
}

/* What is told after these microseconds, a line each. */
char *told_after(Host *host, gint64 passed)
{
    GString *text = g_string_new(NULL);
    const GPtrArray *changes;

    host->monotonic += passed;
    host->now += passed / SECOND;
    changes = live_map_settle(host->live, host->monotonic, host->now);
    for (guint i = 0; i < changes->len; i++)
        change_text(text, changes->pdata[i]);
    return g_string_free(text, FALSE);
}

void settle(Host *host)
{
    g_free(told_after(host, 0));
}

void rest(Host *host)
{
    for (guint i = 0; i < 4; i++)
        g_free(told_after(host, LIVE_GRACE));
}

/* "VM/vnet0/11/virbr0 ip…", sorted as the map. */
char *rows_text(Host *host)
{
    g_autoptr(GPtrArray) rows = live_map_rows(host->live);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const MapRow *row = rows->pdata[i];
        char ip[IP_TEXT];

        g_string_append_printf(text, "%s%s/%s/%u/%s", i > 0 ? "; " : "", row->domain ? row->domain : "-",
                               row->tap ? row->tap : "-", row->ifindex, row->bridge ? row->bridge : "-");
        for (guint j = 0; j < row->addresses->len; j++)
            g_string_append_printf(text, " %s", ip_format(&((Address *)row->addresses->pdata[j])->ip, ip));
        for (guint j = 0; j < row->problems->len; j++)
            g_string_append_printf(text, " !%s", (const char *)row->problems->pdata[j]);
    }
    return g_string_free(text, FALSE);
}

guint count_lines(const char *text, const char *line)
{
    guint count = 0;

    for (const char *at = text; (at = strstr(at, line)) != NULL; at += strlen(line))
        count++;
    return count;
}

/* A network "default" on virbr0 (10), VM with vnet0 (11), everything told. */
void host_init(Host *host)
{
    memset(host, 0, sizeof(*host));
    host->live = live_map_new(checks_run);
    host->parts = world_new();
    host->monotonic = 100 * SECOND;
    host->now = WORLD_NOW;
    for (guint id = 0; id < SOURCE_FIREWALLD; id++) /* which is not followed */
        live_map_set_source(host->live, id,
                            id == SOURCE_FIREWALL || id == SOURCE_PROCESSES ? SOURCE_UNREAD : SOURCE_LIVE,
                            NULL);
    live_map_set_domains_listed(host->live, TRUE);
    put_network_of(host, "default", "virbr0", TRUE);
    live_map_put_link(host->live, make_bridge(host, 10, "virbr0"));
    put_address(host, 10);
    put_tap(host, 11, "vnet0", 10);
    put_guest(host, "VM", MAC_A, "vnet0");
    rest(host);
}

void host_clear(Host *host)
{
    live_map_free(host->live);
    facts_free(host->parts);
}
