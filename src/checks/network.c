/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "checks/check.h"

#define STP_DELAY_LIMIT 200 /* 1/100 s; the kernel's least delay with STP on */
#define POOL_WARNING 80     /* percent of the range */
#define POOL_CRITICAL 95

static Finding *finding_of_network(GPtrArray *findings, const char *id, Level level, const Network *network)
{
    Finding *finding = finding_new(id, level, OBJECT_NETWORK, network->name);

    finding->network = g_strdup(network->name);
    g_ptr_array_add(findings, finding);
    return finding;
}

static void add_evidence(Finding *finding, const char *prefix, const GPtrArray *texts)
{
    for (guint i = 0; i < texts->len; i++)
        finding_evidence(finding, "%s%s", prefix, (const char *)texts->pdata[i]);
}

void check_network_inactive(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        Finding *finding;

        if (network->active)
            continue;
        finding = finding_of_network(findings, "network-inactive",
                                     network->autostart ? LEVEL_CRITICAL : LEVEL_WARNING, network);
        finding_message(finding, "network %s is not active", network->name);
        finding_remedy(finding, "vnat net-start %s", network->name);
        if (network->autostart)
            finding->repair = REPAIR_SAFE;
    }
}

void check_network_no_autostart(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (network->active && network->persistent && !network->autostart)
            finding_remedy(
                finding_message(finding_of_network(findings, "network-no-autostart", LEVEL_WARNING, network),
                                "network %s does not start with the host", network->name),
                "vnat net-autostart %s", network->name);
    }
}

void check_bridge_missing(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (network->active && network_owns_bridge(network) &&
            network_bridge_present(facts, network) == TRI_NO)
            finding_remedy(
                finding_message(finding_of_network(findings, "bridge-missing", LEVEL_CRITICAL, network),
                                "network %s is active, but its bridge %s does not exist", network->name,
                                network->bridge),
                "vnat net-destroy %s, then vnat net-start %s", network->name, network->name);
    }
}

void check_bridge_down(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
        Finding *finding;

        if (!network->active || !network_owns_bridge(network) ||
            network_bridge_present(facts, network) != TRI_YES ||
            network_bridge_up(facts, network, missing) != TRI_NO)
            continue;
        finding = finding_of_network(findings, "bridge-down", LEVEL_CRITICAL, network);
        finding_message(finding, "bridge %s of network %s is not as it should be", network->bridge,
                        network->name);
        add_evidence(finding, "missing: ", missing);
        finding_remedy(finding, "ip link set %s up; ip address add the missing address", network->bridge);
    }
}

void check_bridge_stale(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (!network->active && network_owns_bridge(network) && network->bridge &&
            facts_network_of_bridge(facts, network->bridge) == network &&
            facts_link_named(facts, network->bridge))
            finding_remedy(
                finding_message(finding_of_network(findings, "bridge-stale", LEVEL_WARNING, network),
                                "network %s is not active, but a device %s exists", network->name,
                                network->bridge),
                "ip -d link show %s; if nothing uses it: ip link del %s", network->bridge, network->bridge);
    }
}

void check_bridge_stp_delay(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Link *link = network->active ? facts_link_named(facts, network->bridge) : NULL;

        if (link && link->is_bridge && link->bridge_info.stp &&
            link->bridge_info.forward_delay > STP_DELAY_LIMIT)
            finding_remedy(
                finding_message(finding_of_network(findings, "bridge-stp-delay", LEVEL_WARNING, network),
                                "bridge %s keeps a new port silent for %u s", network->bridge,
                                link->bridge_info.forward_delay * 2 / 100),
                "set <bridge delay='0'/> in the network's XML");
    }
}

void check_dnsmasq_dead(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);
        Finding *finding;

        if (!network->active || !network_wants_dnsmasq(network) || !dnsmasq || dnsmasq->unknown ||
            dnsmasq->alive)
            continue;
        finding = finding_of_network(findings, "dnsmasq-dead", LEVEL_CRITICAL, network);
        finding_message(finding, "network %s has no live dnsmasq: no DHCP, no DNS", network->name);
        if (dnsmasq->pid)
            finding_evidence(finding, "pid file says %d, which is no dnsmasq of %s", dnsmasq->pid,
                             dnsmasq->config);
        else
            finding_evidence(finding, "no pid file; expected a process with %s", dnsmasq->config);
        finding_remedy(finding, "reload the network daemon: systemctl reload libvirtd (or virtnetworkd)");
    }
}

void check_dnsmasq_not_listening(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
        Finding *finding;

        if (!network->active || !network_wants_dnsmasq(network) || !dnsmasq || !dnsmasq->alive ||
            network_dnsmasq_listening(facts, network, missing) != TRI_NO)
            continue;
        finding = finding_of_network(findings, "dnsmasq-not-listening", LEVEL_CRITICAL, network);
        finding_message(finding, "dnsmasq of network %s (pid %d) does not listen where it should",
                        network->name, dnsmasq->pid);
        add_evidence(finding, "missing: ", missing);
        finding_remedy(finding, "reload the network daemon: systemctl reload libvirtd (or virtnetworkd)");
    }
}

void check_port_conflict(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autoptr(GPtrArray) rivals = NULL;
        Finding *finding;

        if (!network_wants_dnsmasq(network))
            continue;
        rivals = network_port_rivals(facts, network);
        if (rivals->len == 0)
            continue;
        finding = finding_of_network(findings, "port-conflict",
                                     network->active ? LEVEL_WARNING : LEVEL_CRITICAL, network);
        finding_message(finding, "another process holds a port that dnsmasq of network %s needs",
                        network->name);
        for (guint j = 0; j < rivals->len; j++) {
            g_autofree char *text = network_socket_text(rivals->pdata[j]);

            finding_evidence(finding, "%s", text);
        }
        finding_remedy(finding,
                       "bind that program to its own interfaces, or set <dns enable='no'/> in the network");
    }
}

void check_nat_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (network->active && g_strcmp0(network->forward, "nat") == 0 &&
            firewall_nat_present(facts, network) == TRI_NO)
            finding_remedy(
                finding_message(finding_of_network(findings, "nat-rules-missing", LEVEL_CRITICAL, network),
                                "no masquerade rule for network %s: its guests reach this host only",
                                network->name),
                "reload the network daemon: systemctl reload libvirtd (or virtnetworkd)");
    }
}

static void report_overlap(const Network *network, const SubnetOverlap *overlap, GPtrArray *findings)
{
    g_autofree char *text = network_overlap_text(overlap);
    Finding *finding = finding_of_network(findings, "subnet-overlap",
                                          overlap->critical ? LEVEL_CRITICAL : LEVEL_WARNING, network);

    finding_message(finding, "%s", text);
    finding_remedy(finding,
                   "give network %s another subnet: vnat net-define TEMPLATE -D name=%s -D subnet=auto",
                   network->name, network->name);
}

void check_subnet_overlap(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autoptr(GArray) subnets = network_subnets(network);
        g_autoptr(GPtrArray) overlaps = network_overlaps(facts, subnets, network->name, network->bridge);

        for (guint j = 0; j < overlaps->len; j++)
            report_overlap(network, overlaps->pdata[j], findings);
    }
}

void check_bridge_name_clash(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        for (guint j = 0; network->bridge && j < facts->networks->len; j++) {
            const Network *other = facts->networks->pdata[j];

            if (i == j || !network_owns_bridge(network) || !network_owns_bridge(other) ||
                g_strcmp0(network->bridge, other->bridge) != 0)
                continue;
            finding_remedy(
                finding_message(finding_of_network(findings, "bridge-name-clash", LEVEL_CRITICAL, network),
                                "networks %s and %s both name bridge %s", network->name, other->name,
                                network->bridge),
                "virsh net-edit %s", network->name);
            break;
        }
    }
}

void check_dhcp_pool_low(const Facts *facts, const Map *map, GPtrArray *findings)
{
    g_autoptr(GPtrArray) rows = network_rows(facts);

    for (guint i = 0; i < rows->len; i++) {
        const NetworkRow *row = rows->pdata[i];

        for (guint j = 0; j < row->pools->len; j++) {
            const NetworkPool *pool = row->pools->pdata[j];
            guint64 percent;

            if (!row->network->active || pool->size == 0 || pool->size > G_MAXUINT32 || pool->leases <= 0)
                continue;
            percent = (guint64)pool->leases * 100 / pool->size;
            if (percent < POOL_WARNING)
                continue;
            finding_message(finding_of_network(findings, "dhcp-pool-low",
                                               percent >= POOL_CRITICAL ? LEVEL_CRITICAL : LEVEL_WARNING,
                                               row->network),
                            "DHCP range of network %s: %" G_GINT64_FORMAT " of %" G_GUINT64_FORMAT
                            " addresses are leased",
                            row->network->name, pool->leases, pool->size);
        }
    }
}
