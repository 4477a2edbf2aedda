/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/host.h"
#include "base/text.h"

#include <string.h>

/* What holds for the host as a whole; host-packets.c asks what its rules do with packets. */

Finding *host_finding(const Facts *facts, const char *id, Level level, const Network *network,
                      GPtrArray *findings)
{
    Finding *finding = finding_new(id, level, OBJECT_HOST, facts->host ? facts->host : "");

    finding->network = network ? g_strdup(network->name) : NULL;
    g_ptr_array_add(findings, finding);
    return finding;
}

const NetworkIp *host_network_ip(const Network *network, guint8 family)
{
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if (ip->net.ip.family == family)
            return ip;
    }
    return NULL;
}

gboolean host_forwards_for(const Network *network, guint8 family)
{
    static const char *const modes[] = {"nat", "route", NULL};

    return network->active && network->xml_read && network->bridge && network->forward &&
           g_strv_contains(modes, network->forward) && host_network_ip(network, family);
}

/* ------------------------------------------------------------------------------------------ forwarding */

typedef struct {
    guint8 family;
    const char *all;    /* the host's setting */
    const char *bridge; /* a bridge's own, for printf; NULL: it decides nothing */
} Forwarding;

static const Forwarding forwardings[] = {
    {4, "net/ipv4/ip_forward", "net/ipv4/conf/%s/forwarding"},
    /* A device's own says whether it behaves as a router's, not whether packets are forwarded. */
    {6, "net/ipv6/conf/all/forwarding", NULL},
};

static gboolean is_off(const Facts *facts, const char *setting)
{
    g_autofree char *path = g_strconcat("sys/", setting, NULL);

    return g_strcmp0(facts_proc(facts, path), "0") == 0;
}

/* "sysctl -w NAME=1" takes slashes for dots, which a device's name may hold. */
static void report_forward(Finding *finding, const char *setting, const char *message)
{
    g_autofree char *word = text_shell(setting);

    finding_message(finding, "%s", message);
    finding_evidence(finding, "%s is 0", setting);
    finding_remedy(finding, "sysctl -w %s=1", word);
}

/* The names of those that need it: "default, lab". NULL: none. New string. */
static char *forwarded_networks(const Facts *facts, guint8 family)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (host_forwards_for(network, family))
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", network->name);
    }
    return names->len > 0 ? g_string_free(g_steal_pointer(&names), FALSE) : NULL;
}

static void check_bridges_forward(const Facts *facts, const Forwarding *forwarding, GPtrArray *findings)
{
    for (guint i = 0; forwarding->bridge && i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_auto(GStrv) parts = g_strsplit(forwarding->bridge, "%s", 2);
        g_autofree char *setting = NULL;
        g_autofree char *message = NULL;

        if (!host_forwards_for(network, forwarding->family))
            continue;
        setting = g_strconcat(parts[0], network->bridge, parts[1], NULL);
        message =
            g_strdup_printf("this host forwards no IPv%u packets that come from bridge %s of network %s",
                            forwarding->family, network->bridge, network->name);
        if (is_off(facts, setting))
            report_forward(host_finding(facts, "ip-forward-off", LEVEL_CRITICAL, network, findings), setting,
                           message);
    }
}

void check_ip_forward_off(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (gsize i = 0; i < G_N_ELEMENTS(forwardings); i++) {
        g_autofree char *names = forwarded_networks(facts, forwardings[i].family);
        g_autofree char *message = NULL;

        if (!names)
            continue;
        if (!is_off(facts, forwardings[i].all)) {
            check_bridges_forward(facts, &forwardings[i], findings);
            continue;
        }
        message = g_strdup_printf("this host forwards no IPv%u packets: guests of %s reach no other host",
                                  forwardings[i].family, names);
        report_forward(host_finding(facts, "ip-forward-off", LEVEL_CRITICAL, NULL, findings),
                       forwardings[i].all, message);
    }
}

/* ------------------------------------------------------------------------------- generations of iptables */

/* Names of the tables of one generation that hold a rule: "ip filter, ip nat". NULL: none. New string. */
static char *tables_with_rules(const Facts *facts, gboolean legacy)
{
    static const char *const families[] = {"ip", "ip6", "inet", NULL};
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < facts->firewall->len; i++) {
        const FirewallTable *table = facts->firewall->pdata[i];
        gboolean rules = FALSE;

        if ((table->shape == FIREWALL_IPTABLES_LEGACY) != legacy || !g_strv_contains(families, table->family))
            continue;
        for (guint j = 0; j < table->chains->len; j++)
            rules |= ((const FirewallChain *)table->chains->pdata[j])->rules->len > 0;
        if (rules)
            g_string_append_printf(names, "%s%s %s", names->len > 0 ? ", " : "", table->family, table->name);
    }
    return names->len > 0 ? g_string_free(g_steal_pointer(&names), FALSE) : NULL;
}

void check_iptables_mixed(const Facts *facts, const Map *map, GPtrArray *findings)
{
    g_autofree char *legacy = tables_with_rules(facts, TRUE);
    g_autofree char *nft = tables_with_rules(facts, FALSE);
    Finding *finding;

    if (!legacy || !nft)
        return;
    finding = host_finding(facts, "iptables-mixed", LEVEL_WARNING, NULL, findings);
    finding_message(finding, "rules of legacy iptables and of nftables are both in force, and each packet "
                             "meets both");
    finding_evidence(finding, "legacy: %s", legacy);
    finding_evidence(finding, "nftables: %s", nft);
    finding_remedy(finding,
                   "see iptables-legacy-save; then choose one for every program: update-alternatives "
                   "--config iptables");
}
