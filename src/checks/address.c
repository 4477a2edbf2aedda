/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "checks/check.h"

#include <string.h>

/* Guests without an address, and addresses without a guest. */

/* ----------------------------------------------------------------------------------------- no-address */

static const Domain *domain_of(const Facts *facts, const MapRow *row)
{
    for (guint i = 0; i < facts->domains->len; i++) {
        const Domain *domain = facts->domains->pdata[i];

        if (g_strcmp0(domain->uuid, row->domain_uuid) == 0)
            return domain;
    }
    return NULL;
}

/* Runs, with its link up, on an active network that gives addresses; and has none. */
static gboolean lacks_address(const Facts *facts, const MapRow *row)
{
    const Network *network;

    if (!check_row_has_tap(row) || row->domain_state != DOMAIN_RUNNING || row->link == LINK_DOWN ||
        map_row_address(row))
        return FALSE;
    network = facts_network(facts, row->network);
    return network && network->active && network_has_dhcp(network, 0);
}

static gboolean was_heard(const Facts *facts, const MapRow *row)
{
    for (guint i = 0; i < facts->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(facts->fdb, FdbEntry, i);

        if (!entry->permanent && entry->ifindex == row->ifindex && mac_equal(&entry->mac, &row->mac))
            return TRUE;
    }
    return FALSE;
}

/* How far it got. */
static void report_no_address(const Facts *facts, const MapRow *row, gint64 age, GPtrArray *findings)
{
    Finding *finding = check_of_row(findings, "no-address", LEVEL_WARNING, row);
    g_autofree char *domain = text_shell(row->domain);
    g_autofree char *span = text_span(age);

    finding_message(finding, "%s runs for %s and has no address on %s", row->domain, span, row->network);
    if (row->carrier == 0)
        finding_evidence(finding, "no carrier on %s: the guest has not enabled its interface", row->tap);
    else if (!row->has_mac || !was_heard(facts, row))
        finding_evidence(finding, "no frame seen from it on %s", row->tap);
    else
        finding_evidence(finding, "frames were seen on %s, but no DHCP lease was given", row->tap);
    finding_remedy(finding, "virsh console %s", domain);
}

void scoped_no_address(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        const Domain *domain = lacks_address(facts, row) ? domain_of(facts, row) : NULL;
        const Network *network = domain ? facts_network(facts, row->network) : NULL;

        if (!domain)
            continue;
        if (network->leases_unread)
            check_unknown_of(findings, "no-address", network, "the leases of network %s were not read",
                             network->name);
        else if (!domain->started)
            check_unknown_of(findings, "no-address", network,
                             "since when %s, which has no address, runs cannot be told", domain->name);
        else if (facts->now - domain->started > scope->grace)
            report_no_address(facts, row, facts->now - domain->started, findings);
    }
}

void check_no_address(const Facts *facts, const Map *map, GPtrArray *findings)
{
    static const CheckScope usual = {.grace = CHECK_GRACE};

    scoped_no_address(&usual, facts, map, findings);
}

/* ------------------------------------------------------------------------------------- lease-orphaned */

/* A set of the MACs of every domain that is defined; keys are strings, new. */
static GHashTable *macs_of_domains(const Facts *facts)
{
    GHashTable *macs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < facts->domains->len; i++) {
        const Domain *domain = facts->domains->pdata[i];

        for (guint j = 0; j < domain->interfaces->len; j++) {
            const DomainInterface *iface = domain->interfaces->pdata[j];

            if (iface->has_mac)
                g_hash_table_add(macs, mac_to_string(&iface->mac));
        }
    }
    return macs;
}

static void report_orphan(const Lease *lease, const char *mac, GPtrArray *findings)
{
    char ip[IP_TEXT];
    Finding *finding = finding_new("lease-orphaned", LEVEL_OK, OBJECT_LEASE, ip_format(&lease->ip, ip));
    g_autofree char *network = text_shell(lease->network);

    finding->network = g_strdup(lease->network);
    finding_message(finding, "%s on network %s is leased to %s, which no defined domain has", ip,
                    lease->network, mac);
    if (lease->hostname)
        finding_evidence(finding, "hostname %s", lease->hostname);
    finding_remedy(finding, "vnat net-dhcp-leases %s", network);
    g_ptr_array_add(findings, finding);
}

void check_lease_orphaned(const Facts *facts, const Map *map, GPtrArray *findings)
{
    g_autoptr(GHashTable) macs = macs_of_domains(facts);

    for (guint i = 0; i < facts->leases->len; i++) {
        const Lease *lease = facts->leases->pdata[i];
        char mac[MAC_TEXT];

        if (lease->has_mac && lease_is_live(lease, facts->now) &&
            !g_hash_table_contains(macs, mac_format(&lease->mac, mac)))
            report_orphan(lease, mac, findings);
    }
}
