/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/network.h"
#include "base/name.h"
#include "base/text.h"
#include "checks/check.h"
#include "config.h"
#include "model/route.h"

#include <net/if.h>

#define RELOAD "reload the network daemon: systemctl reload libvirtd (or virtnetworkd)"

#define PID_FILES VNAT_LIBVIRT_RUN_DIR "/network/"

#define STP_DELAY_LIMIT 200 /* 1/100 s; the kernel's least delay with STP on */

static void add_evidence(Finding *finding, const char *prefix, const GPtrArray *texts)
{
    for (guint i = 0; i < texts->len; i++)
        finding_evidence(finding, "%s%s", prefix, (const char *)texts->pdata[i]);
}

void check_nothing(const Facts *facts G_GNUC_UNUSED, const Map *map G_GNUC_UNUSED,
                   GPtrArray *findings G_GNUC_UNUSED)
{
}

/* Who names a network wants it to be there. */
void scoped_network_inactive(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        gboolean wanted = network->autostart || check_scope_names(scope, network);
        g_autofree char *name = NULL;
        Finding *finding;

        if (network->active)
            continue;
        name = text_shell(network->name);
        finding =
            check_of_network(findings, "network-inactive", wanted ? LEVEL_CRITICAL : LEVEL_WARNING, network);
        finding_message(finding, "network %s is not active", network->name);
        finding_remedy(finding, "vnat net-start %s", name);
        if (network->autostart)
            finding->repair = REPAIR_SAFE;
    }
}

void check_network_inactive(const Facts *facts, const Map *map, GPtrArray *findings)
{
    static const CheckScope none = {0};

    scoped_network_inactive(&none, facts, map, findings);
}

void check_network_no_autostart(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autofree char *name = text_shell(network->name);

        if (network->active && network->persistent && !network->autostart)
            finding_remedy(
                finding_message(check_of_network(findings, "network-no-autostart", LEVEL_WARNING, network),
                                "network %s does not start with the host", network->name),
                "vnat net-autostart %s", name);
    }
}

/* Stopped, a transient network is gone: what it was is kept first. */
static void report_bridge_missing(const Network *network, GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "bridge-missing", LEVEL_CRITICAL, network);
    g_autofree char *name = text_shell(network->name);

    finding_message(finding, "network %s is active, but its bridge %s does not exist", network->name,
                    network->bridge);
    if (network->persistent)
        finding_remedy(finding, "vnat net-destroy %s && vnat net-start %s", name, name);
    else
        finding_remedy(
            finding,
            "vnat net-dumpxml %s >network.xml && vnat net-destroy %s && virsh net-create network.xml", name,
            name);
}

void check_bridge_missing(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (network->active && network_owns_bridge(network) &&
            network_bridge_present(facts, network) == TRI_NO)
            report_bridge_missing(network, findings);
    }
}

/* The commands that put it right, with "&&" between them. */
static void remedy_bridge_down(const Facts *facts, const Network *network, Finding *finding)
{
    const Link *link = facts_link_named(facts, network->bridge);
    g_autofree char *bridge = check_device(network->bridge);
    GString *text = g_string_new(NULL);

    if (!(link->flags & IFF_UP))
        g_string_append_printf(text, "ip link set %s up", bridge);
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        g_autofree char *address = ipnet_to_string(&ip->net);

        if (!facts_link_has(facts, link, &ip->net))
            g_string_append_printf(text, "%sip address add %s dev %s", text->len > 0 ? " && " : "", address,
                                   bridge);
    }
    finding_remedy(finding, "%s", text->str);
    g_string_free(text, TRUE);
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
        finding = check_of_network(findings, "bridge-down", LEVEL_CRITICAL, network);
        finding_message(finding, "bridge %s of network %s is not as it should be", network->bridge,
                        network->name);
        add_evidence(finding, "missing: ", missing);
        remedy_bridge_down(facts, network, finding);
    }
}

/* Ports on it, or a running guest that is to be there: then it is in use, whatever libvirt says. */
static gboolean bridge_is_used(const Facts *facts, const Map *map, const Link *link)
{
    for (guint i = 0; i < facts->links->len; i++) {
        if (((const Link *)facts->links->pdata[i])->master == link->ifindex)
            return TRUE;
    }
    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];

        if (row->domain_id >= 0 && g_strcmp0(row->network_bridge, link->name) == 0)
            return TRUE;
    }
    return !facts->domains_complete;
}

static void report_stale(const Network *network, const Link *link, gboolean used, GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "bridge-stale", LEVEL_WARNING, network);
    g_autofree char *bridge = check_device(link->name);

    finding_message(finding, "network %s is not active, but a device %s exists", network->name, link->name);
    if (link->is_bridge && !used)
        finding_remedy(finding, "ip link delete %s", bridge);
    else
        finding_remedy(finding, "give network %s another bridge name: %s is in use", network->name,
                       link->name);
}

void check_bridge_stale(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        const Link *link = network->active ? NULL : facts_link_named(facts, network->bridge);

        if (link && network_owns_bridge(network) &&
            facts_network_of_bridge(facts, network->bridge) == network)
            report_stale(network, link, bridge_is_used(facts, map, link), findings);
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
                finding_message(check_of_network(findings, "bridge-stp-delay", LEVEL_WARNING, network),
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

        if (!network->active || !network_wants_dnsmasq(network) || !dnsmasq)
            continue;
        if (dnsmasq->unknown)
            check_unknown_of(findings, "dnsmasq-dead", network,
                             "the process of network %s's dnsmasq cannot be told", network->name);
        if (dnsmasq->unknown || dnsmasq->alive)
            continue;
        finding = check_of_network(findings, "dnsmasq-dead", LEVEL_CRITICAL, network);
        finding_message(finding, "network %s has no live dnsmasq: no DHCP, no DNS", network->name);
        if (dnsmasq->pid)
            finding_evidence(finding, "pid file says %d, which is no dnsmasq of %s", dnsmasq->pid,
                             dnsmasq->config);
        else
            finding_evidence(finding, "no pid file that names one, and no process with %s", dnsmasq->config);
        finding_remedy(finding, RELOAD);
    }
}

/* It serves. But a daemon that is restarted will not know of it: neither end it with the network, nor start
 * another beside it, nor tell it of a change. */
static void report_lost(const Network *network, const Dnsmasq *dnsmasq, GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "dnsmasq-lost", LEVEL_WARNING, network);
    g_autofree char *file = name_pid_file(network->name);
    g_autofree char *path = g_strconcat(PID_FILES, file, NULL);
    g_autofree char *word = text_shell(path);

    finding_message(finding, "dnsmasq of network %s (pid %d) serves, but its pid file does not name it",
                    network->name, dnsmasq->pid);
    finding_evidence(finding, "pid %d has --conf-file=%s", dnsmasq->pid, dnsmasq->config);
    if (dnsmasq->claimed)
        finding_evidence(finding, "%s says %d", path, dnsmasq->claimed);
    else
        finding_evidence(finding, "%s is missing, or holds no number", path);
    finding_evidence(finding, "a network daemon that is restarted does not find it, and so does not end it "
                              "with the network");
    finding_remedy(finding, "echo %d >%s; if the network daemon was restarted since, restart it once more",
                   dnsmasq->pid, word);
}

void check_dnsmasq_lost(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);

        if (network->active && network_wants_dnsmasq(network) && dnsmasq && dnsmasq->lost)
            report_lost(network, dnsmasq, findings);
    }
}

/* Whose the sockets are. */
static void unknown_sockets(const Facts *facts, const Network *network, GPtrArray *findings, const char *id)
{
    if (facts->sockets_read && !facts->socket_owners_known)
        check_unknown_of(
            findings, id, network,
            "to see whose sockets those on ports 53 and 67 are takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
    else
        check_unknown_of(findings, id, network, "the sockets on ports 53 and 67 cannot be told");
}

void check_dnsmasq_not_listening(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Dnsmasq *dnsmasq = network_dnsmasq(facts, network);
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
        Finding *finding;
        Tri listening;

        /* What is bound to a bridge that is not there is that check's (bridge-missing). */
        if (!network->active || !network_wants_dnsmasq(network) || !dnsmasq ||
            network_bridge_present(facts, network) == TRI_NO)
            continue;
        listening = network_dnsmasq_listening(facts, network, missing);
        if (listening == TRI_UNKNOWN)
            unknown_sockets(facts, network, findings, "dnsmasq-not-listening");
        if (listening != TRI_NO || !dnsmasq->alive)
            continue;
        finding = check_of_network(findings, "dnsmasq-not-listening", LEVEL_CRITICAL, network);
        finding_message(finding, "dnsmasq of network %s (pid %d) does not listen where it should",
                        network->name, dnsmasq->pid);
        add_evidence(finding, "missing: ", missing);
        finding_remedy(finding, RELOAD);
    }
}

static void add_sockets(Finding *finding, const GPtrArray *sockets)
{
    for (guint i = 0; i < sockets->len; i++) {
        g_autofree char *text = network_socket_text(sockets->pdata[i]);

        finding_evidence(finding, "%s", text);
    }
}

static void report_left_behind(const Network *network, const Dnsmasq *left, Finding *finding)
{
    g_autofree char *name = text_shell(network->name);

    finding_message(finding,
                    "a dnsmasq of network %s itself was left behind, and takes the ports of the next one",
                    network->name);
    finding_remedy(finding, "kill %d && vnat net-start %s", left->pid, name);
}

/* left: the network's own dnsmasq that was left behind; NULL: none. */
static void report_conflict(const Network *network, const GPtrArray *rivals, const Dnsmasq *left,
                            GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "port-conflict",
                                        network->active ? LEVEL_WARNING : LEVEL_CRITICAL, network);

    add_sockets(finding, rivals);
    if (left)
        finding_evidence(finding, "pid %d has --conf-file=%s: libvirt has forgotten it", left->pid,
                         left->config);
    if (left && !network_others_rival(rivals, left)) {
        report_left_behind(network, left, finding);
        return;
    }
    finding_message(finding, "another process holds a port that dnsmasq of network %s needs", network->name);
    finding_remedy(finding,
                   "bind that program to its own interfaces, or set <dns enable='no'/> in the network");
}

void check_port_conflict(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        const Dnsmasq *left = network_left_behind(facts, network);
        g_autoptr(GPtrArray) rivals = NULL;

        if (!network_wants_dnsmasq(network))
            continue;
        rivals = network_port_rivals(facts, network);
        if (!facts->sockets_read || !facts->socket_owners_known)
            unknown_sockets(facts, network, findings, "port-conflict");
        if (rivals->len > 0 || (left && network->dns_enabled))
            report_conflict(network, rivals, left, findings);
    }
}

static void remedy_rules(const Facts *facts, Finding *finding)
{
    if (firewall_frame_stands(facts))
        finding_remedy(finding, RELOAD);
    else
        finding_remedy(finding,
                       "restart the network daemon, whose chains are gone: systemctl restart libvirtd "
                       "(or virtnetworkd)");
}

/* What was found of the network's rules; the message is "BEFORE network NAME AFTER". */
static void report_rules(const Facts *facts, const Network *network, const char *id, Tri present,
                         const GPtrArray *missing, const char *before, const char *after, GPtrArray *findings)
{
    Finding *finding;

    /* Rules that were read in part only: the one that was looked for may be among the others. */
    if (present == TRI_UNKNOWN)
        check_unknown_of(findings, id, network,
                         "the rules of network %s are not among those that could be read", network->name);
    if (present != TRI_NO)
        return;
    finding = check_of_network(findings, id, LEVEL_CRITICAL, network);
    finding_message(finding, "%s network %s%s", before, network->name, after);
    add_evidence(finding, "", missing);
    remedy_rules(facts, finding);
}

void check_nat_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

        if (network->active && g_strcmp0(network->forward, "nat") == 0)
            report_rules(facts, network, "nat-rules-missing", firewall_nat_present(facts, network, missing),
                         missing, "no masquerade rule for", ": its guests reach this host only", findings);
    }
}

/* No chain that the hook leads to accepts the bridge's packets as it is now: an index that libvirt's nftables
 * rules hold may be that of a bridge that is gone. */
void check_forward_rules_missing(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

        if (network->active && network_owns_bridge(network) &&
            network_bridge_present(facts, network) == TRI_YES)
            report_rules(facts, network, "forward-rules-missing",
                         firewall_forward_present(facts, network, missing), missing,
                         "rules that let packets of", " through this host are missing", findings);
    }
}

/* A subnet is changed by making the network anew: what stands in the way goes first. */
static void remedy_overlap(const Network *network, Finding *finding)
{
    g_autofree char *name = text_shell(network->name);
    g_autofree char *tmpl = text_shell(network->template_name ? network->template_name : "TEMPLATE");
    GString *text = g_string_new(NULL);

    if (network->active)
        g_string_append_printf(text, "vnat net-destroy %s && ", name);
    if (network->persistent)
        g_string_append_printf(text, "vnat net-undefine %s && ", name);
    finding_remedy(finding, "%svnat net-start --template %s -D subnet=auto %s", text->str, tmpl, name);
    g_string_free(text, TRUE);
}

/* As ip route shows it. */
static void add_route(Finding *finding, const SubnetOverlap *overlap)
{
    g_autofree char *route = ipnet_to_string(&overlap->other);
    g_autofree char *table = route_table_name(overlap->table);

    finding_evidence(finding, "route %s%s%s table %s", route, overlap->device ? " dev " : "",
                     overlap->device ? overlap->device : "", table);
}

static void report_overlap(const Network *network, const SubnetOverlap *overlap, GPtrArray *findings)
{
    g_autofree char *text = network_overlap_text(overlap);
    Finding *finding = check_of_network(findings, "subnet-overlap",
                                        overlap->critical ? LEVEL_CRITICAL : LEVEL_WARNING, network);

    finding_message(finding, "%s", text);
    if (!overlap->network)
        add_route(finding, overlap);
    remedy_overlap(network, finding);
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
        g_autofree char *name = text_shell(network->name);

        for (guint j = 0; network->bridge && j < facts->networks->len; j++) {
            const Network *other = facts->networks->pdata[j];

            if (i == j || !network_owns_bridge(network) || !network_owns_bridge(other) ||
                g_strcmp0(network->bridge, other->bridge) != 0)
                continue;
            finding_remedy(
                finding_message(check_of_network(findings, "bridge-name-clash", LEVEL_CRITICAL, network),
                                "networks %s and %s both name bridge %s", network->name, other->name,
                                network->bridge),
                "virsh net-edit %s", name);
            break;
        }
    }
}
