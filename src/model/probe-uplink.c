/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-guest.h"
#include "model/probe.h"
#include "model/setting.h"

#include <netinet/in.h>
#include <string.h>

/*
 * What this host would do with a packet, told without sending one. The order is the packet's: routed in
 * (which the kernel refuses at once where it does not forward), the forward chains out and back, and the
 * translation behind them. The first that refuses ends the stage.
 */

static gboolean is_nat(const Network *network, guint8 family)
{
    return g_strcmp0(network->forward, "nat") == 0 && (family == 4 || network->nat_ipv6);
}

/* What follows of it the check says. */
static gboolean forwarding_is_off(const Facts *facts, const Network *network, guint8 family,
                                  ProbeStage *stage)
{
    g_autofree char *off = setting_forwards_not(facts, network, family, NULL);
    g_autofree char *name = off ? setting_name(off) : NULL;

    if (name)
        probe_stage_end(stage, TRI_NO, "%s is 0", name);
    return name != NULL;
}

static Packet packet_of(const Facts *facts, const Network *network, const ProbePacket *asked, const Link *out)
{
    const Outside outside = {.device = out->name, .ifindex = out->ifindex, .peer = asked->to};
    Packet packet = packet_from_guest(facts, network, &asked->guest, &outside,
                                      asked->to.family && !asked->port ? GUEST_ECHO : GUEST_WEB);

    if (asked->port)
        packet.dport = asked->port;
    return packet;
}

/* Of both ways: what refuses the packet for certain, or what it hangs on. New text, or NULL: it passes. */
static char *refusal_of(const Facts *facts, const Packet packets[2], const char *const hooks[2], Tri *refused)
{
    *refused = TRI_NO;
    for (guint i = 0; i < 2; i++) {
        g_autoptr(PacketResult) result = packet_evaluate(facts, hooks[i], &packets[i]);
        const PacketStep *cause = packet_cause(result);

        if (result->blocked == TRI_NO)
            continue;
        *refused = result->blocked;
        return cause ? packet_step_text(cause) : g_strdup(result->why ? result->why : "rules were not read");
    }
    return NULL;
}

static char *refusing_rule(const Facts *facts, const Network *network, const ProbePacket *asked,
                           const Link *out, Tri *refused)
{
    static const char *const hooks[] = {"forward", "forward"};
    Packet packets[2];

    packets[0] = packet_of(facts, network, asked, out);
    packets[1] = packet_reply(&packets[0]);
    if (is_nat(network, asked->family))
        packets[1].snat = TRI_YES;
    return refusal_of(facts, packets, hooks, refused);
}

/* An address of this host's own: what comes for it goes no further, and is not translated. */
static void end_here(const Facts *facts, const Network *network, const ProbePacket *asked, const Link *out,
                     ProbeStage *stage)
{
    static const char *const hooks[] = {"input", "output"};
    Packet packets[2];
    g_autofree char *rule = NULL;
    char to[IP_TEXT];
    Tri refused;

    packets[0] = packet_of(facts, network, asked, out);
    packets[0].out = NULL;
    packets[0].out_index = 0;
    packets[1] = packet_reply(&packets[0]);
    rule = refusal_of(facts, packets, hooks, &refused);
    ip_format(&asked->to, to);
    if (refused == TRI_YES)
        probe_stage_end(stage, TRI_NO, "%s is this host's own, and its rules refuse packets to it: %s", to,
                        rule);
    else if (refused == TRI_UNKNOWN)
        probe_stage_end(stage, TRI_UNKNOWN,
                        "%s is this host's own; whether its rules let packets in hangs on %s", to, rule);
    else
        probe_stage_end(stage, TRI_YES,
                        "%s is this host's own: packets to it go no further; nothing was sent", to);
}

gboolean probe_stays_here(const Facts *facts, const Network *network, const Ip *to)
{
    return network_ip_of(network, to) || packet_address_type(facts, to, 0) == ROUTE_LOCAL;
}

static void end_isolated(const Facts *facts, const Network *network, const ProbePacket *asked,
                         const Link *out, ProbeStage *stage)
{
    Tri refused = TRI_YES;
    g_autofree char *rule = out ? refusing_rule(facts, network, asked, out, &refused) : NULL;

    if (refused == TRI_NO)
        probe_stage_end(stage, TRI_NO, "the network is isolated, but no rule keeps its packets from %s",
                        out->name);
    else if (refused == TRI_UNKNOWN)
        probe_stage_end(stage, TRI_UNKNOWN, "whether the network is kept isolated hangs on %s", rule);
    else
        probe_stage_end(stage, TRI_YES, "the network is isolated, and ends here as it must%s%s",
                        rule ? ": " : "", rule ? rule : "");
}

static void end_translation(const Facts *facts, const Network *network, const ProbePacket *asked,
                            const Link *out, ProbeStage *stage)
{
    const Tri nat = is_nat(network, asked->family) ? firewall_nat_present(facts, network, NULL) : TRI_YES;

    if (nat == TRI_NO)
        probe_stage_end(stage, TRI_NO, "packets would leave by %s untranslated, so no answer finds back",
                        out->name);
    else if (nat == TRI_UNKNOWN)
        probe_stage_end(stage, TRI_UNKNOWN, "whether packets are translated cannot be told: %s",
                        "the rules were not read whole");
    else
        probe_stage_end(stage, TRI_YES, "packets would leave by %s%s; nothing was sent", out->name,
                        is_nat(network, asked->family) ? ", translated" : ", with the guest's address");
}

void probe_uplink(const Facts *facts, const Network *network, const ProbePacket *asked, ProbeStage *stage)
{
    const Link *out = asked->out ? facts_link(facts, asked->out) : NULL;
    const gboolean isolated = g_strcmp0(network->forward, "isolated") == 0;
    g_autofree char *rule = NULL;
    char to[IP_TEXT];
    Tri refused;

    if (out && asked->to.family && packet_address_type(facts, &asked->to, 0) == ROUTE_LOCAL) {
        end_here(facts, network, asked, out, stage);
        return;
    }
    if (asked->to.family && network_ip_of(network, &asked->to)) {
        probe_stage_end(stage, TRI_YES, "%s is in the network itself: packets to it stay on its bridge",
                        ip_format(&asked->to, to));
        return;
    }
    if (isolated) {
        end_isolated(facts, network, asked, out, stage);
        return;
    }
    if (forwarding_is_off(facts, network, asked->family, stage))
        return;
    if (!out) {
        probe_stage_end(stage, TRI_NO, "this host knows no way out for IPv%u packets of guests%s%s",
                        asked->family, asked->refusal ? ": " : "", asked->refusal ? asked->refusal : "");
        stage->remedy = g_strdup(asked->family == 4 ? "ip route" : "ip -6 route");
        return;
    }
    rule = refusing_rule(facts, network, asked, out, &refused);
    if (refused == TRI_YES)
        probe_stage_end(stage, TRI_NO, "rules of this host refuse packets to %s: %s", out->name, rule);
    else if (refused == TRI_UNKNOWN)
        probe_stage_end(stage, TRI_UNKNOWN, "whether rules let packets out by %s hangs on %s", out->name,
                        rule);
    else
        end_translation(facts, network, asked, out, stage);
}
