/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/host.h"
#include "base/text.h"
#include "model/setting.h"

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

/* A bridge's name may hold what a shell takes for something else. */
static void report_forward(Finding *finding, const char *setting, const char *message)
{
    g_autofree char *name = setting_name(setting);
    g_autofree char *word = text_shell(name);

    finding_message(finding, "%s", message);
    finding_evidence(finding, "%s is 0", name);
    finding_remedy(finding, "sysctl -w %s=1", word);
}

static void report_bridge_forward(const Facts *facts, const Network *network, guint8 family,
                                  const char *setting, GPtrArray *findings)
{
    g_autofree char *message =
        g_strdup_printf("this host forwards no IPv%u packets that come from bridge %s of network %s", family,
                        network->bridge, network->name);

    report_forward(host_finding(facts, "ip-forward-off", LEVEL_CRITICAL, network, findings), setting,
                   message);
}

/* Of the networks that matter: those of whom the bridge's own is off, and the rest together. */
static void check_forward_off(const CheckScope *scope, const Facts *facts, guint8 family, GPtrArray *findings)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autofree char *message = NULL;
    g_autofree char *off = NULL;

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        g_autofree char *setting = NULL;
        gboolean host;

        if (!host_forwards_for(network, family) || !check_scope_covers(scope, network))
            continue;
        setting = setting_forwards_not(facts, network, family, &host);
        if (setting && !host)
            report_bridge_forward(facts, network, family, setting, findings);
        if (!setting || !host)
            continue;
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", network->name);
        g_free(off);
        off = g_steal_pointer(&setting);
    }
    if (!off)
        return;
    message = g_strdup_printf("this host forwards no IPv%u packets: guests of %s reach no other host", family,
                              names->str);
    report_forward(host_finding(facts, "ip-forward-off", LEVEL_CRITICAL, NULL, findings), off, message);
}

void scoped_ip_forward_off(const CheckScope *scope, const Facts *facts, const Map *map, GPtrArray *findings)
{
    check_forward_off(scope, facts, 4, findings);
    check_forward_off(scope, facts, 6, findings);
}

void check_ip_forward_off(const Facts *facts, const Map *map, GPtrArray *findings)
{
    static const CheckScope none = {0};

    scoped_ip_forward_off(&none, facts, map, findings);
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
