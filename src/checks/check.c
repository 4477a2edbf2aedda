/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"

#include "base/text.h"

#include <string.h>

#define LIBVIRT (1U << SOURCE_LIBVIRT)
#define LINKS (1U << SOURCE_LINKS)
#define NEIGHBOURS (1U << SOURCE_NEIGHBOURS)
#define LEASES (1U << SOURCE_LEASES)
#define FIREWALL (1U << SOURCE_FIREWALL)
#define PROCESSES (1U << SOURCE_PROCESSES)

static const Check checks[] = {
    {"libvirt-unreachable", OBJECT_HOST, REPAIR_NEVER, 0, "libvirt does not answer", check_nothing},
    {"ip-forward-off", OBJECT_HOST, REPAIR_CONSENT, LIBVIRT, "this host does not forward packets",
     check_ip_forward_off},
    {"forward-blocked", OBJECT_HOST, REPAIR_NEVER, LIBVIRT | LINKS | FIREWALL,
     "rules of this host refuse what guests send to the outside", check_forward_blocked},
    {"input-blocked", OBJECT_HOST, REPAIR_NEVER, LIBVIRT | LINKS | FIREWALL,
     "rules of this host refuse what guests ask its dnsmasq for", check_input_blocked},
    {"bridge-netfilter", OBJECT_HOST, REPAIR_CONSENT, LIBVIRT | LINKS | FIREWALL,
     "rules of this host refuse what guests send to one another", check_bridge_netfilter},
    {"iptables-mixed", OBJECT_HOST, REPAIR_NEVER, FIREWALL, "two generations of rules are in force",
     check_iptables_mixed},
    {"conntrack-full", OBJECT_HOST, REPAIR_NEVER, 0, "connection tracking is nearly full",
     check_conntrack_full},
    {"network-missing", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT, "a network that was named is not defined",
     check_nothing},
    {"network-inactive", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT, "a network is defined but not active",
     check_network_inactive},
    {"network-no-autostart", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT,
     "an active network does not start by itself", check_network_no_autostart},
    {"bridge-missing", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT | LINKS,
     "an active network's bridge does not exist", check_bridge_missing},
    {"bridge-down", OBJECT_NETWORK, REPAIR_SAFE, LIBVIRT | LINKS, "a bridge is down or lacks an address",
     check_bridge_down},
    {"bridge-stale", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT | LINKS,
     "an inactive network's bridge still exists", check_bridge_stale},
    {"bridge-stp-delay", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT | LINKS, "spanning tree delays new ports",
     check_bridge_stp_delay},
    {"dnsmasq-dead", OBJECT_NETWORK, REPAIR_SAFE, LIBVIRT | PROCESSES, "a network's dnsmasq does not run",
     check_dnsmasq_dead},
    {"dnsmasq-lost", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT | PROCESSES,
     "a network's dnsmasq runs, and its pid file does not name it", check_dnsmasq_lost},
    {"dnsmasq-not-listening", OBJECT_NETWORK, REPAIR_SAFE, LIBVIRT | LINKS | PROCESSES,
     "a network's dnsmasq lacks a socket", check_dnsmasq_not_listening},
    {"port-conflict", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT | PROCESSES,
     "another process holds a port of dnsmasq", check_port_conflict},
    {"nat-rules-missing", OBJECT_NETWORK, REPAIR_SAFE, LIBVIRT | FIREWALL, "no masquerade for a NAT network",
     check_nat_rules_missing},
    {"forward-rules-missing", OBJECT_NETWORK, REPAIR_SAFE, LIBVIRT | LINKS | FIREWALL,
     "no rules let a network's packets through", check_forward_rules_missing},
    {"subnet-overlap", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT | LINKS,
     "a subnet collides with a route or a network", check_subnet_overlap},
    {"bridge-name-clash", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT, "two networks name one bridge",
     check_bridge_name_clash},
    {"dhcp-pool-low", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT | LEASES, "a DHCP range is nearly used up",
     check_dhcp_pool_low},
    {"leases-unreadable", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT, "a network's leases cannot be read",
     check_leases_unreadable},
    {"firewalld-zone", OBJECT_NETWORK, REPAIR_CONSENT, LIBVIRT, "a bridge is in a wrong zone of firewalld",
     check_firewalld_zone},
    {"probe-failed", OBJECT_NETWORK, REPAIR_NEVER, LIBVIRT, "a guest's packets do not get through a network",
     check_nothing},
    {"tap-missing", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LINKS, "a guest's tap does not exist",
     check_tap_missing},
    {"tap-orphaned", OBJECT_INTERFACE, REPAIR_SAFE, LIBVIRT | LINKS, "a guest's tap is not on its bridge",
     check_tap_orphaned},
    {"tap-down", OBJECT_INTERFACE, REPAIR_CONSENT, LIBVIRT | LINKS, "a guest's tap or link is down",
     check_tap_down},
    {"tap-unclaimed", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LINKS,
     "a tap on a bridge that no domain claims", check_tap_unclaimed},
    {"no-address", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LINKS | NEIGHBOURS | LEASES,
     "a guest runs and has no address", check_no_address},
    {"duplicate-mac", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LINKS, "one MAC on two interfaces",
     check_duplicate_mac},
    {"duplicate-address", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LEASES, "one address claimed by two MACs",
     check_duplicate_address},
    {"mac-mismatch", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LINKS,
     "a guest sends with another MAC than its own", check_mac_mismatch},
    {"address-unleased", OBJECT_INTERFACE, REPAIR_NEVER, LIBVIRT | LINKS | NEIGHBOURS | LEASES,
     "an address of the DHCP range is used without a lease", check_address_unleased},
    {"lease-orphaned", OBJECT_LEASE, REPAIR_NEVER, LIBVIRT | LEASES, "a lease of nobody's",
     check_lease_orphaned},
    {"mtu-mismatch", OBJECT_INTERFACE, REPAIR_CONSENT, LIBVIRT | LINKS,
     "packets do not fit where they have to pass", check_mtu_mismatch},
};

static const CheckSpecial specials[] = {
    {.id = "libvirt-unreachable", .scoped = scoped_libvirt_unreachable},
    {.id = "ip-forward-off", .scoped = scoped_ip_forward_off},
    {.id = "conntrack-full", .judge = judge_conntrack_full, .warning = "79", .critical = "94"},
    {.id = "network-missing", .scoped = scoped_network_missing, .named = TRUE},
    {.id = "probe-failed", .scoped = scoped_probe_failed, .probed = TRUE},
    {.id = "network-inactive", .scoped = scoped_network_inactive},
    {.id = "dhcp-pool-low", .judge = judge_dhcp_pool_low, .warning = "79", .critical = "94"},
    {.id = "no-address", .scoped = scoped_no_address},
    {.id = "lease-orphaned", .lists = TRUE},
};

const Check *check_table(guint *count)
{
    *count = G_N_ELEMENTS(checks);
    return checks;
}

const Check *check_find(const char *id)
{
    for (guint i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (strcmp(checks[i].id, id) == 0)
            return &checks[i];
    }
    return NULL;
}

const CheckSpecial *check_special(const char *id)
{
    for (guint i = 0; i < G_N_ELEMENTS(specials); i++) {
        if (strcmp(specials[i].id, id) == 0)
            return &specials[i];
    }
    return NULL;
}

Finding *check_of_network(GPtrArray *findings, const char *id, Level level, const Network *network)
{
    Finding *finding = finding_new(id, level, OBJECT_NETWORK, network->name);

    finding->network = g_strdup(network->name);
    g_ptr_array_add(findings, finding);
    return finding;
}

char *check_device(const char *name)
{
    g_autofree char *word = text_shell(name);

    return g_strdup(g_str_has_prefix(word, "-- ") ? word + strlen("-- ") : word);
}

void check_classify(const Check *check, Finding *finding)
{
    if (finding->repair == REPAIR_NEVER && !finding->by_hand)
        finding->repair = check->repair;
}

static gboolean facts_have(const Facts *facts, guint needs)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        if ((needs & (1U << id)) && !facts_has(facts, id))
            return FALSE;
    }
    return TRUE;
}

/* What the function of this check added from first on: of its class, and without what it could not tell, or
 * not yet. */
static void take_findings(const Check *check, GPtrArray *findings, guint first)
{
    for (guint i = findings->len; i-- > first;) {
        Finding *finding = findings->pdata[i];

        if (finding->level == LEVEL_UNKNOWN || finding->unsettled)
            g_ptr_array_remove_index(findings, i);
        else
            check_classify(check, finding);
    }
}

GPtrArray *checks_run(const Facts *facts, const Map *map, guint kinds)
{
    GPtrArray *findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);

    for (guint i = 0; i < G_N_ELEMENTS(checks); i++) {
        guint first = findings->len;

        const CheckSpecial *special = check_special(checks[i].id);

        if (!(kinds & (1U << checks[i].kind)) || (special && special->lists) ||
            !facts_have(facts, checks[i].needs))
            continue;
        checks[i].run(facts, map, findings);
        take_findings(&checks[i], findings, first);
    }
    g_ptr_array_sort(findings, finding_compare);
    return findings;
}
