/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"

#include "base/text.h"
#include "model/network.h"

#include <net/if.h>
#include <string.h>

#define PROBE_PREFIX "vnatp" /* endpoints that vnat itself puts on a bridge */

Finding *check_of_row(GPtrArray *findings, const char *id, Level level, const MapRow *row)
{
    g_autofree char *name = map_row_name(row);
    Finding *finding = finding_new(id, level, OBJECT_INTERFACE, name);

    finding->network = g_strdup(row->network);
    finding->domain_uuid = g_strdup(row->domain_uuid);
    g_ptr_array_add(findings, finding);
    return finding;
}

/* As finding_of_row, critical, or the one of this row with that message that is there already. */
static Finding *finding_once(GPtrArray *findings, const char *id, const MapRow *row, const char *message)
{
    g_autofree char *name = map_row_name(row);

    for (guint i = 0; i < findings->len; i++) {
        Finding *known = findings->pdata[i];

        if (strcmp(known->id, id) == 0 && g_strcmp0(known->object, name) == 0 &&
            g_strcmp0(known->domain_uuid, row->domain_uuid) == 0 && g_strcmp0(known->message, message) == 0)
            return known;
    }
    return finding_message(check_of_row(findings, id, LEVEL_CRITICAL, row), "%s", message);
}

static gboolean row_is_active(const MapRow *row)
{
    return row->has_domain && row->interface_known && row->domain_id >= 0;
}

/* Interfaces whose other end is a device of this host that libvirt names. */
gboolean check_row_has_tap(const MapRow *row)
{
    return row_is_active(row) && row->tap &&
           (g_strcmp0(row->type, "network") == 0 || g_strcmp0(row->type, "bridge") == 0);
}

void check_tap_missing(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (!check_row_has_tap(row) || row->ifindex)
            continue;
        finding_remedy(finding_message(check_of_row(findings, "tap-missing", LEVEL_CRITICAL, row),
                                       "%s's tap %s does not exist", row->domain, row->tap),
                       "detach the interface from %s and attach it again, or restart the guest", row->domain);
    }
}

/* Without its bridge there is nothing to put the tap on: the network comes first, if it is one of libvirt's.
 */
static void remedy_orphaned(const Facts *facts, const MapRow *row, const Link *bridge, Finding *finding)
{
    const Network *network = facts_network(facts, row->network);
    g_autofree char *tap = check_device(row->tap);
    g_autofree char *master = check_device(row->network_bridge);
    g_autofree char *name = text_shell(row->network);

    if (bridge)
        finding_remedy(finding, "ip link set %s master %s", tap, master);
    else if (row->network && network && network->active)
        finding_remedy(finding, "vnat net-destroy %s && vnat net-start %s && ip link set %s master %s", name,
                       name, tap, master);
    else if (row->network)
        finding_remedy(finding, "vnat net-start %s && ip link set %s master %s", name, tap, master);
    else
        finding_remedy(finding, "make the bridge %s, then put %s on it", row->network_bridge, row->tap);
}

/* Where its network was not read nobody knows; repair says so then. */
static gboolean port_is_by_hand(const Facts *facts, const MapRow *row)
{
    const DomainInterface *iface = map_row_interface(facts, row);

    return iface && network_port_plain(facts_network(facts, row->network), iface) == TRI_NO;
}

void check_tap_orphaned(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        const Link *bridge;
        Finding *finding;

        if (!check_row_has_tap(row) || !row->ifindex || !row->network_bridge ||
            g_strcmp0(row->bridge, row->network_bridge) == 0)
            continue;
        /* A switch that is no bridge of the kernel's, as Open vSwitch's, is nobody's master. */
        bridge = facts_link_named(facts, row->network_bridge);
        if (bridge && !bridge->is_bridge)
            continue;
        finding = check_of_row(findings, "tap-orphaned", LEVEL_CRITICAL, row);
        finding_message(finding, "%s's tap %s is not on its bridge %s", row->domain, row->tap,
                        row->network_bridge);
        finding_evidence(finding, "master of %s: %s", row->tap, row->bridge ? row->bridge : "none");
        finding->by_hand = port_is_by_hand(facts, row);
        remedy_orphaned(facts, row, bridge, finding);
    }
}

static void remedy_down(const MapRow *row, gboolean in_kernel, Finding *finding)
{
    g_autofree char *device = check_device(row->tap);
    g_autofree char *domain = text_shell(row->domain);
    g_autofree char *tap = text_shell(row->tap);

    if (in_kernel)
        finding_remedy(finding, "ip link set %s up", device);
    else
        finding_remedy(finding, "virsh domif-setlink %s %s up", domain, tap);
}

void check_tap_down(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        const Link *link = row->ifindex ? facts_link(facts, row->ifindex) : NULL;
        gboolean down = link && !(link->flags & IFF_UP);
        Finding *finding;

        if (!check_row_has_tap(row) || (!down && row->link != LINK_DOWN))
            continue;
        finding = check_of_row(findings, "tap-down", LEVEL_WARNING, row);
        if (down)
            finding_message(finding, "%s's tap %s is down", row->domain, row->tap);
        else
            finding_message(finding, "the link of %s on %s is set down in libvirt", row->domain, row->tap);
        remedy_down(row, down, finding);
    }
}

void check_tap_unclaimed(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        const Link *link = row->ifindex ? facts_link(facts, row->ifindex) : NULL;
        g_autofree char *tap = NULL;
        Finding *finding;

        if (row->has_domain || !link || g_str_has_prefix(link->name, PROBE_PREFIX) ||
            (g_strcmp0(link->kind, "tun") != 0 && g_strcmp0(link->kind, "veth") != 0))
            continue;
        tap = check_device(row->tap);
        finding = check_of_row(findings, "tap-unclaimed", LEVEL_WARNING, row);
        finding_message(finding, "%s is on bridge %s, but no domain claims it", row->tap, row->bridge);
        finding_evidence(finding, "kind %s, ifindex %u", link->kind, link->ifindex);
        finding_remedy(finding, "ip -d link show %s", tap);
    }
}

static gboolean rows_clash(const MapRow *a, const MapRow *b)
{
    return a != b && row_is_active(a) && row_is_active(b) && a->has_mac && b->has_mac && a->network &&
           mac_equal(&a->mac, &b->mac) && g_strcmp0(a->network, b->network) == 0;
}

/* Rows are sorted by network, not by MAC: an index keeps 10,000 of them cheap. */
static GHashTable *rows_by_mac(const Map *map)
{
    GHashTable *table =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        char *key;
        GPtrArray *rows;

        if (!row_is_active(row) || !row->has_mac)
            continue;
        key = mac_to_string(&row->mac);
        rows = g_hash_table_lookup(table, key);
        if (!rows) {
            rows = g_ptr_array_new();
            g_hash_table_insert(table, key, rows);
        } else {
            g_free(key);
        }
        g_ptr_array_add(rows, (gpointer)row);
    }
    return table;
}

static void duplicate_mac_of_rows(const GPtrArray *rows, GPtrArray *findings)
{
    for (guint i = 0; i < rows->len; i++) {
        const MapRow *row = rows->pdata[i];
        Finding *finding = NULL;
        char mac[MAC_TEXT];

        for (guint j = 0; j < rows->len; j++) {
            const MapRow *other = rows->pdata[j];

            if (!rows_clash(row, other))
                continue;
            if (!finding) {
                finding = check_of_row(findings, "duplicate-mac", LEVEL_CRITICAL, row);
                finding_message(finding, "MAC %s of %s is used twice on network %s",
                                mac_format(&row->mac, mac), row->domain, row->network);
                finding_remedy(finding, "give one of them another MAC address");
            }
            finding_evidence(finding, "also on %s of %s", other->tap ? other->tap : "-", other->domain);
        }
    }
}

static const MapRow *map_row_of_link(const Map *map, guint ifindex)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (row->ifindex == ifindex)
            return row;
    }
    return NULL;
}

/* One side of it; the other is on the other port. */
static void duplicate_mac_of_port(const Facts *facts, const Map *map, const FdbEntry *entry,
                                  const FdbEntry *other, GPtrArray *findings)
{
    const MapRow *row = map_row_of_link(map, entry->ifindex);
    const Link *port = facts_link(facts, other->ifindex);
    g_autofree char *message = NULL;
    char mac[MAC_TEXT];

    if (!row || !port)
        return;
    message = g_strdup_printf("MAC %s was learned on two ports of %s", mac_format(&entry->mac, mac),
                              row->bridge ? row->bridge : "one bridge");
    finding_remedy(finding_evidence(finding_once(findings, "duplicate-mac", row, message), "also on port %s",
                                    port->name),
                   "give one of them another MAC address");
}

/* A MAC learned on two ports of one bridge at once: two frames with one source came from two places. */
static void duplicate_mac_of_fdb(const Facts *facts, const Map *map, GPtrArray *findings)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < facts->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(facts->fdb, FdbEntry, i);
        char mac[MAC_TEXT];
        g_autofree char *key = NULL;
        const FdbEntry *first;

        if (entry->permanent || !entry->master)
            continue;
        key = g_strdup_printf("%u %u %s", entry->master, entry->vlan, mac_format(&entry->mac, mac));
        first = g_hash_table_lookup(seen, key);
        if (!first) {
            g_hash_table_insert(seen, g_steal_pointer(&key), (gpointer)entry);
            continue;
        }
        if (first->ifindex == entry->ifindex)
            continue;
        duplicate_mac_of_port(facts, map, first, entry, findings);
        duplicate_mac_of_port(facts, map, entry, first, findings);
    }
}

void check_duplicate_mac(const Facts *facts, const Map *map, GPtrArray *findings)
{
    g_autoptr(GHashTable) table = rows_by_mac(map);
    GHashTableIter iter;
    gpointer rows;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &rows))
        duplicate_mac_of_rows(rows, findings);
    duplicate_mac_of_fdb(facts, map, findings);
}

/* The active network that owns the bridge with this index. */
static const Network *network_of_ifindex(const Facts *facts, guint ifindex)
{
    const Link *link = facts_link(facts, ifindex);
    const Network *network = link ? facts_network_of_bridge(facts, link->name) : NULL;

    return network && network->active ? network : NULL;
}

/* Whether somebody answers with the address, or may within seconds. */
static gboolean neighbour_counts(const Neighbour *neighbour)
{
    return neighbour_is_fresh(neighbour) || neighbour_is_asked(neighbour);
}

static void duplicate_address_by_neighbour(const Facts *facts, const MapLease *record, GPtrArray *findings)
{
    const Lease *lease = record->lease;

    for (guint i = 0; i < facts->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(facts->neighbours, Neighbour, i);
        const Network *network;
        Finding *finding;
        char ip[IP_TEXT], ours[MAC_TEXT], theirs[MAC_TEXT];

        if (!neighbour_counts(neighbour) || !ip_equal(&neighbour->ip, &lease->ip) ||
            mac_equal(&neighbour->mac, &lease->mac))
            continue;
        network = network_of_ifindex(facts, neighbour->ifindex);
        if (!network || g_strcmp0(network->name, lease->network) != 0)
            continue;
        finding = check_of_row(findings, "duplicate-address", LEVEL_CRITICAL, record->row);
        finding->unsettled = neighbour_is_asked(neighbour);
        finding_message(finding, "%s is claimed by two MACs", ip_format(&lease->ip, ip));
        finding_evidence(finding, "lease: %s; answers now: %s", mac_format(&lease->mac, ours),
                         mac_format(&neighbour->mac, theirs));
        finding_remedy(finding, "give the guest with %s an address of its own, outside the DHCP range",
                       theirs);
    }
}

static void duplicate_client_of(const MapLease *record, const char *message, GPtrArray *findings)
{
    Finding *finding = finding_once(findings, "duplicate-address", record->row, message);

    if (finding->evidence->len == 0)
        finding_evidence(finding, "client-id %s", record->lease->client_id);
    finding_remedy(finding, "give each guest its own client-id: a clone wants a new /etc/machine-id");
}

/* DHCPv6 DUIDs name a host, not an interface: two of its MACs may share one. An IPv4 client-id may not be
 * shared. */
static void duplicate_address_by_client(const Map *map, const MapLease *record, guint from,
                                        GPtrArray *findings)
{
    const Lease *lease = record->lease;

    for (guint i = from; i < map->leases->len; i++) {
        const MapLease *other = map->leases->pdata[i];

        if (other->row && other->lease->client_id && lease->ip.family == 4 && other->lease->ip.family == 4 &&
            g_strcmp0(other->lease->network, lease->network) == 0 &&
            strcmp(other->lease->client_id, lease->client_id) == 0 &&
            !mac_equal(&other->lease->mac, &lease->mac)) {
            g_autofree char *message =
                g_strdup_printf("%s and %s use one DHCP client-id", record->row->domain, other->row->domain);

            duplicate_client_of(record, message, findings);
            duplicate_client_of(other, message, findings);
        }
    }
}

void check_duplicate_address(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->leases->len; i++) {
        const MapLease *record = map->leases->pdata[i];

        if (!record->row)
            continue;
        duplicate_address_by_neighbour(facts, record, findings);
        if (record->lease->client_id)
            duplicate_address_by_client(map, record, i + 1, findings);
    }
}

void check_mac_mismatch(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(facts->fdb, FdbEntry, i);
        const MapRow *row;
        char ours[MAC_TEXT], theirs[MAC_TEXT];

        if (entry->permanent)
            continue;
        row = map_row_of_link(map, entry->ifindex);
        if (row && check_row_has_tap(row) && row->has_mac && !mac_equal(&entry->mac, &row->mac))
            finding_remedy(
                finding_evidence(finding_message(check_of_row(findings, "mac-mismatch", LEVEL_WARNING, row),
                                                 "%s sends on %s with a MAC that its XML does not have",
                                                 row->domain, row->tap),
                                 "XML: %s; learned on %s: %s", mac_format(&row->mac, ours), row->tap,
                                 mac_format(&entry->mac, theirs)),
                "let the guest use the MAC address of its XML, or give its XML this one");
    }
}

static gboolean in_dhcp_range(const Network *network, const Ip *ip)
{
    for (guint i = 0; i < network->ips->len; i++) {
        if (network_ip_offers(network->ips->pdata[i], ip))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_leased(const Facts *facts, const Network *network, const Neighbour *neighbour)
{
    for (guint i = 0; i < facts->leases->len; i++) {
        const Lease *lease = facts->leases->pdata[i];

        if (g_strcmp0(lease->network, network->name) == 0 && lease_is_live(lease, facts->now) &&
            ip_equal(&lease->ip, &neighbour->ip))
            return TRUE;
    }
    return FALSE;
}

static const MapRow *row_that_sent(const Facts *facts, const Map *map, const Neighbour *neighbour)
{
    for (guint i = 0; i < facts->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(facts->fdb, FdbEntry, i);

        if (!entry->permanent && entry->master == neighbour->ifindex &&
            mac_equal(&entry->mac, &neighbour->mac))
            return map_row_of_link(map, entry->ifindex);
    }
    return NULL;
}

/* That no lease is known of says something only where they are known. */
static gboolean leases_are_known(const Facts *facts, const Network *network)
{
    const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);

    return !network->leases_unread && !(dnsmasq && dnsmasq->no_lease_file);
}

static void report_unleased(const MapRow *row, const Network *network, const Neighbour *neighbour,
                            GPtrArray *findings)
{
    Finding *finding = check_of_row(findings, "address-unleased", LEVEL_WARNING, row);
    char ip[IP_TEXT];

    finding->unsettled = neighbour_is_asked(neighbour);
    finding_message(finding, "%s uses %s of %s's DHCP range without a lease",
                    row->domain ? row->domain : row->tap, ip_format(&neighbour->ip, ip), network->name);
    finding_remedy(finding, "choose an address outside the range, or reserve it with <host mac= ip=>");
}

void check_address_unleased(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(facts->neighbours, Neighbour, i);
        const Network *network = network_of_ifindex(facts, neighbour->ifindex);
        const MapRow *row;

        if (!network || !neighbour_counts(neighbour) || !in_dhcp_range(network, &neighbour->ip) ||
            !leases_are_known(facts, network) || is_leased(facts, network, neighbour))
            continue;
        row = row_that_sent(facts, map, neighbour);
        if (row)
            report_unleased(row, network, neighbour, findings);
    }
}
