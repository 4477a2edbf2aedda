/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "checks/host.h"
#include "model/packet-guest.h"
#include "model/setting.h"

#include <string.h>

/*
 * What this host's rules do with packets that are typical of a network. A finding only where every probe is
 * refused for certain: rules that let some kinds through are somebody's intention, and what could not be
 * evaluated or read is no fault; so are rules for some guests and not for others. What libvirt's own rules
 * refuse is told by the checks of those rules.
 *
 * The probes are connections by TCP, without which next to nothing works. Echoes are not asked about: ufw
 * lets them through by default and nothing else, which helps no guest; nor are questions for names, which the
 * network's own dnsmasq answers.
 */

/* One probe that was refused, and the result that says by what. */
typedef struct {
    const char *what; /* of which packets: for evidence */
    PacketResult *result;
} Refusal;

typedef struct {
    GArray *refusals; /* Refusal */
    char *doubt;      /* what the first verdict that is not certain hangs on; NULL: all are */
} Answers;

static void refusal_clear(Refusal *refusal)
{
    packet_result_free(refusal->result);
}

static void answers_init(Answers *answers)
{
    *answers = (Answers){.refusals = g_array_new(FALSE, TRUE, sizeof(Refusal))};
    g_array_set_clear_func(answers->refusals, (GDestroyNotify)refusal_clear);
}

static void answers_clear(Answers *answers)
{
    g_array_unref(answers->refusals);
    g_free(answers->doubt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answers, answers_clear)

static void answers_doubt(Answers *answers, const PacketResult *result, const PacketStep *cause)
{
    if (!answers->doubt)
        answers->doubt = cause ? packet_step_text(cause) : g_strdup(result->why ? result->why : "");
}

/* Whether the packet is refused; by libvirt's own rules counts as no. Keeps what was answered. */
static Tri refused(const Facts *facts, const char *hook, const Packet *packet, const char *what,
                   Answers *answers)
{
    Refusal refusal = {.what = what, .result = packet_evaluate(facts, hook, packet)};
    const PacketStep *cause = packet_cause(refusal.result);
    Tri blocked = refusal.result->blocked;

    if (blocked == TRI_YES && cause && g_strcmp0(cause->owner, "libvirt") != 0) {
        g_array_append_val(answers->refusals, refusal);
        return TRI_YES;
    }
    if (blocked == TRI_UNKNOWN)
        answers_doubt(answers, refusal.result, cause);
    packet_result_free(refusal.result);
    return blocked == TRI_UNKNOWN ? TRI_UNKNOWN : TRI_NO;
}

/* Of a way there and back: refused if one of both is, open if both are. */
static Tri either(Tri there, Tri back)
{
    if (there == TRI_YES || back == TRI_YES)
        return TRI_YES;
    return there == TRI_NO && back == TRI_NO ? TRI_NO : TRI_UNKNOWN;
}

/* The check cannot tell what the rules do with some of the probes. */
static void report_doubt(const Answers *answers, const char *id, const Network *network, GPtrArray *findings)
{
    check_unknown_of(findings, id, network, "what the rules do with packets of network %s hangs on %s",
                     network->name, answers->doubt);
}

/* Evidence: each refusal once, with where it comes from. */
static void add_refusals(Finding *finding, const Answers *answers)
{
    for (guint i = 0; i < answers->refusals->len; i++) {
        const Refusal *refusal = &g_array_index(answers->refusals, Refusal, i);
        g_autofree char *step = packet_step_text(packet_cause(refusal->result));
        g_autofree char *text = g_strdup_printf("%s: %s", refusal->what, step);

        if (!g_ptr_array_find_with_equal_func(finding->evidence, text, g_str_equal, NULL))
            finding_evidence(finding, "%s", text);
    }
}

static const PacketStep *first_cause(const Answers *answers)
{
    return packet_cause(g_array_index(answers->refusals, Refusal, 0).result);
}

/* "chain FORWARD of table ip filter (Docker)". New string. */
static char *cause_text(const PacketStep *cause)
{
    return g_strdup_printf("chain %s of table %s %s%s%s%s", cause->chain->name, cause->table->family,
                           cause->table->name, cause->owner ? " (" : "", cause->owner ? cause->owner : "",
                           cause->owner ? ")" : "");
}

/* Whether a network's packets of a family can be asked about: its bridge is there. */
static gboolean network_is_there(const Facts *facts, const Network *network, guint8 family)
{
    return network->active && network->xml_read && network->bridge && network_owns_bridge(network) &&
           host_network_ip(network, family) && facts_link_named(facts, network->bridge);
}

/* -------------------------------------------------------------------------------------------- remedies */

static const char *iptables_program(const FirewallTable *table)
{
    gboolean six = strcmp(table->family, "ip6") == 0;

    if (table->shape == FIREWALL_IPTABLES_LEGACY)
        return six ? "ip6tables-legacy" : "iptables-legacy";
    return six ? "ip6tables" : "iptables";
}

/* Two rules in front of a chain of iptables: out, and what answers. */
static void remedy_iptables(Finding *finding, const FirewallTable *table, const char *chain,
                            const char *bridge)
{
    const char *program = iptables_program(table);

    finding_remedy(finding,
                   "%s -I %s -i %s -j ACCEPT && %s -I %s -o %s -m conntrack --ctstate RELATED,ESTABLISHED "
                   "-j ACCEPT",
                   program, chain, bridge, program, chain, bridge);
}

/* nft takes a name of letters as it is, and any in quotes that the shell has to leave alone. */
static void remedy_nft(Finding *finding, const PacketStep *cause, const char *bridge)
{
    g_autofree char *table = text_shell(cause->table->name);
    g_autofree char *base = text_shell(cause->base->name);

    finding_remedy(
        finding,
        "nft insert rule %s %s %s iifname %s accept && nft insert rule %s %s %s oifname %s ct state "
        "established,related accept",
        cause->table->family, table, base, bridge, cause->table->family, table, base, bridge);
}

static gboolean is_owner(const PacketStep *cause, const char *owner)
{
    return g_strcmp0(cause->owner, owner) == 0;
}

static void remedy_forward(Finding *finding, const PacketStep *cause, const Network *network)
{
    g_autofree char *bridge = text_shell(network->bridge);

    if (is_owner(cause, "ufw"))
        finding_remedy(finding, "ufw route allow in on %s && ufw route allow out on %s", bridge, bridge);
    else if (is_owner(cause, "firewalld"))
        finding_remedy(finding, "firewall-cmd --zone=%s --change-interface=%s",
                       network->zone ? network->zone : "libvirt", bridge);
    else if (is_owner(cause, "Docker") && firewall_table_chain(cause->table, "DOCKER-USER"))
        remedy_iptables(finding, cause->table, "DOCKER-USER", bridge);
    else if (cause->table->shape == FIREWALL_NFT)
        remedy_nft(finding, cause, bridge);
    else
        remedy_iptables(finding, cause->table, cause->base->name, bridge);
}

/* ebtables' own tables, which it no longer reads once nft has put a rule there. */
static gboolean is_ebtables(const PacketStep *cause)
{
    return g_ascii_isupper(cause->base->name[0]) &&
           (strcmp(cause->table->name, "filter") == 0 || strcmp(cause->table->name, "nat") == 0);
}

/* All frames from the bridge's guests: with the packets alone nobody would learn this host's MAC. */
static void remedy_frames(Finding *finding, const PacketStep *cause, const char *bridge)
{
    g_autofree char *table = text_shell(cause->table->name);
    g_autofree char *base = text_shell(cause->base->name);

    if (is_ebtables(cause))
        finding_remedy(finding, "ebtables -t %s -I %s --logical-in %s -j ACCEPT", table, base, bridge);
    else
        finding_remedy(finding, "nft insert rule bridge %s %s meta ibrname %s accept", table, base, bridge);
}

static void remedy_input(Finding *finding, const PacketStep *cause, const Network *network)
{
    g_autofree char *bridge = text_shell(network->bridge);
    g_autofree char *table = text_shell(cause->table->name);
    g_autofree char *base = text_shell(cause->base->name);

    if (strcmp(cause->table->family, "bridge") == 0)
        remedy_frames(finding, cause, bridge);
    else if (is_owner(cause, "ufw"))
        finding_remedy(finding, "ufw allow in on %s", bridge);
    else if (is_owner(cause, "firewalld"))
        finding_remedy(finding, "firewall-cmd --zone=%s --change-interface=%s",
                       network->zone ? network->zone : "libvirt", bridge);
    else if (cause->table->shape == FIREWALL_NFT)
        finding_remedy(finding,
                       "nft insert rule %s %s %s iifname %s meta l4proto '{ tcp, udp }' th dport "
                       "'{ 53, 67, 547 }' accept",
                       cause->table->family, table, base, bridge);
    else
        finding_remedy(finding, "%s -I %s -i %s -p udp -m multiport --dports 53,67,547 -j ACCEPT",
                       iptables_program(cause->table), base, bridge);
}

/* --------------------------------------------------------------------------------------------- forward */

/* One probe out, and its answer back. */
static Tri path_is_refused(const Facts *facts, const Network *network, const Packet *packet, Answers *answers)
{
    Packet reply = packet_reply(packet);
    Tri out = refused(facts, "forward", packet, "new connections to the outside", answers);

    if (g_strcmp0(network->forward, "nat") == 0 && (packet->family == 4 || network->nat_ipv6))
        reply.snat = TRI_YES;
    return either(out, refused(facts, "forward", &reply, "replies from the outside", answers));
}

static void report_forward_blocked(const Facts *facts, const Network *network, guint8 family,
                                   const Answers *answers, GPtrArray *findings)
{
    g_autofree char *cause = cause_text(first_cause(answers));
    Finding *finding = host_finding(facts, "forward-blocked", LEVEL_CRITICAL, network, findings);

    finding_message(finding,
                    "guests of network %s do not reach the outside by IPv%u: %s refuses their packets",
                    network->name, family, cause);
    add_refusals(finding, answers);
    remedy_forward(finding, first_cause(answers), network);
}

/* All that this guest tries. */
static Tri guest_is_refused(const Facts *facts, const Network *network, const Ip *guest,
                            const Outside *outside, Answers *answers)
{
    Tri refusal = TRI_YES;

    for (GuestProbe probe = GUEST_WEB; probe < GUEST_NAMES; probe++) {
        Packet packet = packet_from_guest(facts, network, guest, outside, probe);
        Tri path = path_is_refused(facts, network, &packet, answers);

        if (path == TRI_NO)
            return TRI_NO;
        if (path == TRI_UNKNOWN)
            refusal = TRI_UNKNOWN;
    }
    return refusal;
}

static void check_forward(const Facts *facts, const Network *network, guint8 family, GPtrArray *findings)
{
    g_auto(Answers) answers;
    g_autoptr(GArray) guests = packet_guest_addresses(facts, network, family);
    gboolean doubtful = FALSE;
    Outside outside;

    answers_init(&answers);
    if (!host_forwards_for(network, family) || !network_is_there(facts, network, family) ||
        !packet_outside(facts, network, family, &outside) || guests->len == 0)
        return;
    for (guint i = 0; i < guests->len; i++) {
        Tri refusal = guest_is_refused(facts, network, &g_array_index(guests, Ip, i), &outside, &answers);

        if (refusal == TRI_NO)
            return;
        doubtful |= refusal == TRI_UNKNOWN;
    }
    if (doubtful)
        report_doubt(&answers, "forward-blocked", network, findings);
    else
        report_forward_blocked(facts, network, family, &answers, findings);
}

void check_forward_blocked(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        check_forward(facts, facts->networks->pdata[i], 4, findings);
        check_forward(facts, facts->networks->pdata[i], 6, findings);
    }
}

/* ----------------------------------------------------------------------------------------------- input */

/* On its way to this host a packet is a frame first, and the bridge's rules are asked. */
static gboolean host_refuses(const Facts *facts, const Network *network, const Packet *packet,
                             const char *what, Answers *answers)
{
    Packet frame = packet_as_frame(facts, network, packet);

    return refused(facts, "prerouting", &frame, what, answers) == TRI_YES ||
           refused(facts, "input", &frame, what, answers) == TRI_YES ||
           refused(facts, "input", packet, what, answers) == TRI_YES;
}

/* Refused to all guests that are asked about, or to none. */
static void ask_dns(const Facts *facts, const Network *network, guint8 family, Answers *answers)
{
    const NetworkIp *ip = host_network_ip(network, family);
    g_autoptr(GArray) guests = packet_guest_addresses(facts, network, family);
    const guint before = answers->refusals->len;

    for (guint i = 0; i < guests->len; i++) {
        Packet dns = packet_for_dns(facts, network, &g_array_index(guests, Ip, i), &ip->net.ip);

        if (!host_refuses(facts, network, &dns, "DNS, UDP port 53", answers)) {
            g_array_set_size(answers->refusals, before);
            return;
        }
    }
}

static void ask_input(const Facts *facts, const Network *network, guint8 family, Answers *answers)
{
    Packet dhcp = packet_for_dhcp(facts, network, family);

    if (network_has_dhcp(network, family))
        host_refuses(facts, network, &dhcp, family == 4 ? "DHCP, UDP port 67" : "DHCPv6, UDP port 547",
                     answers);
    if (network->dns_enabled)
        ask_dns(facts, network, family, answers);
}

static void check_input(const Facts *facts, const Network *network, guint8 family, GPtrArray *findings)
{
    g_auto(Answers) answers;
    g_autofree char *cause = NULL;
    Finding *finding;

    answers_init(&answers);
    if (!network_is_there(facts, network, family) || !network_wants_dnsmasq(network))
        return;
    ask_input(facts, network, family, &answers);
    if (answers.refusals->len == 0) {
        if (answers.doubt)
            report_doubt(&answers, "input-blocked", network, findings);
        return;
    }
    cause = cause_text(first_cause(&answers));
    finding = host_finding(facts, "input-blocked", LEVEL_CRITICAL, network, findings);
    finding_message(finding,
                    "what guests of network %s ask this host for by IPv%u does not reach its dnsmasq: %s "
                    "refuses it",
                    network->name, family, cause);
    add_refusals(finding, &answers);
    remedy_input(finding, first_cause(&answers), network);
}

void check_input_blocked(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        check_input(facts, facts->networks->pdata[i], 4, findings);
        check_input(facts, facts->networks->pdata[i], 6, findings);
    }
}

/* ------------------------------------------------------------------------------------- bridged packets */

typedef struct {
    guint8 family;
    const char *setting;
} BridgeFilter;

static const BridgeFilter bridge_filters[] = {
    {4, "nf_call_iptables"},
    {6, "nf_call_ip6tables"},
};

static void report_bridged(const Facts *facts, const Network *network, const BridgeFilter *filter,
                           const char *setting, const Answers *answers, GPtrArray *findings)
{
    g_autofree char *bridge = check_device(network->bridge);
    g_autofree char *cause = cause_text(first_cause(answers));
    Finding *finding = host_finding(facts, "bridge-netfilter", LEVEL_WARNING, network, findings);

    finding_message(finding,
                    "guests of network %s do not reach one another by IPv%u: %s refuses their packets",
                    network->name, filter->family, cause);
    if (setting) {
        g_autofree char *name = setting_name(setting);

        finding_evidence(finding, "%s is 1", name);
        finding_remedy(finding, "sysctl -w %s=0", name);
    } else {
        finding_evidence(finding, "%s of the bridge is 1", filter->setting);
        finding_remedy(finding, "ip link set %s type bridge %s 0", bridge, filter->setting);
    }
    add_refusals(finding, answers);
}

static void check_bridged(const Facts *facts, const Network *network, const BridgeFilter *filter,
                          GPtrArray *findings)
{
    g_auto(Answers) answers;
    gboolean doubtful = FALSE;
    const char *setting;
    Ip guest;

    answers_init(&answers);
    if (!network_is_there(facts, network, filter->family) || network->port_isolated ||
        packet_bridge_asks(facts, facts_link_named(facts, network->bridge), filter->family, &setting) !=
            TRI_YES ||
        !packet_guest_address(facts, network, filter->family, &guest))
        return;
    for (GuestProbe probe = GUEST_WEB; probe < GUEST_NAMES; probe++) {
        Packet packet = packet_to_neighbour(facts, network, &guest, probe);
        Packet reply = packet_reply(&packet);
        Tri path = refused(facts, "forward", &packet, "from guest to guest", &answers);

        if (path != TRI_YES)
            path = either(path, refused(facts, "forward", &reply, "replies from guest to guest", &answers));
        if (path == TRI_NO)
            return;
        doubtful |= path == TRI_UNKNOWN;
    }
    if (doubtful)
        report_doubt(&answers, "bridge-netfilter", network, findings);
    else
        report_bridged(facts, network, filter, setting, &answers, findings);
}

void check_bridge_netfilter(const Facts *facts, const Map *map, GPtrArray *findings)
{
    for (guint i = 0; i < facts->networks->len; i++) {
        for (gsize k = 0; k < G_N_ELEMENTS(bridge_filters); k++)
            check_bridged(facts, facts->networks->pdata[i], &bridge_filters[k], findings);
    }
}
