/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/path-private.h"

#include <netinet/in.h>
#include <string.h>

#define LEG(leg) (1U << (leg))

/* ---------------------------------------------------------------------------------------------- verdict */

/* The higher, the more it decides. */
static guint weight(PacketVerdict verdict)
{
    switch (verdict) {
    case PACKET_ACCEPT:
        return 0;
    case PACKET_UNKNOWN:
        return 1;
    case PACKET_DROP:
    case PACKET_REJECT:
        return 2;
    }
    return 1;
}

/* The worst of the hops of these legs: bits 1 << PathLeg. *cause: the hop that it comes from; NULL: all pass.
 */
static PacketVerdict worst_verdict(const Path *path, guint legs, const PathHop **cause)
{
    PacketVerdict verdict = PACKET_ACCEPT;

    *cause = NULL;
    for (guint i = 0; i < path->hops->len; i++) {
        const PathHop *hop = path->hops->pdata[i];

        if (!(legs & LEG(hop->leg)) || weight(hop->verdict) <= weight(verdict))
            continue;
        verdict = hop->verdict;
        *cause = hop;
    }
    return verdict;
}

/* ---------------------------------------------------------------------------------------------- phrases */

static const char *protocol_name(guint8 protocol)
{
    return protocol == IPPROTO_TCP ? "TCP" : "UDP";
}

/* "an echo", "a TCP connection to port 22". */
static char *probe_text(const Packet *packet)
{
    if (packet->protocol == IPPROTO_TCP)
        return g_strdup_printf("a TCP connection to port %u", packet->dport);
    if (packet->protocol == IPPROTO_UDP)
        return g_strdup_printf("a %s packet to port %u", protocol_name(packet->protocol), packet->dport);
    return g_strdup("an echo");
}

/* "table ip filter, chain FORWARD drops it: policy drop (Docker)". */
static char *cause_text(const PathHop *cause)
{
    g_autofree char *step = NULL;

    if (!cause->step.table)
        return g_strdup_printf("%s: %s", cause->name, cause->detail);
    step = packet_step_text(&cause->step);
    if (cause->verdict == PACKET_DROP || cause->verdict == PACKET_REJECT)
        return g_strdup_printf("%s%s%s by %s", cause->of ? cause->of : "", cause->of ? " is " : "",
                               cause->verdict == PACKET_DROP ? "dropped" : "rejected", step);
    return g_strdup_printf("%s: %s", cause->detail, step);
}

/* "VM1 (192.168.122.10)". New string. */
static char *guest_text(const Path *path)
{
    g_autofree char *address = path->guest.family ? ip_to_string(&path->guest) : NULL;

    return address ? g_strdup_printf("%s (%s)", path->row->domain, address) : g_strdup(path->row->domain);
}

static char *way_text(const Path *path)
{
    g_autofree char *probe = probe_text(&path->packet);
    g_autofree char *guest = guest_text(path);
    g_autofree char *peer = ip_to_string(&path->peer);

    return path->inbound ? g_strdup_printf("%s of %s from %s", probe, guest, peer)
                         : g_strdup_printf("%s from %s to %s", probe, guest, peer);
}

/* ---------------------------------------------------------------------------------------------- summary */

static void sum_up_outbound(Path *path)
{
    g_autofree char *way = way_text(path);
    g_autofree char *outside =
        path->outside.family && !ip_equal(&path->outside, &path->guest) ? ip_to_string(&path->outside) : NULL;
    g_autofree char *why = NULL;
    const PathHop *cause;

    path->verdict = worst_verdict(path, LEG(PATH_THERE) | LEG(PATH_BACK), &cause);
    path->cause = cause;
    why = cause ? cause_text(cause) : NULL;
    if (!cause)
        path->summary = g_strdup_printf("%s gets through%s%s, and its answer comes back", way,
                                        outside ? ", as " : "", outside ? outside : "");
    else if (path->verdict == PACKET_UNKNOWN)
        path->summary = g_strdup_printf("whether %s gets through is not known: %s", way, why);
    else if (cause->leg == PATH_BACK)
        path->summary = g_strdup_printf("%s gets out%s%s, but its answer does not come back: %s", way,
                                        outside ? ", as " : "", outside ? outside : "", why);
    else
        path->summary = g_strdup_printf("%s does not get through: %s", way, why);
}

static void sum_up_inbound(Path *path)
{
    g_autofree char *way = way_text(path);
    g_autofree char *why = NULL;
    const PathHop *cause, *forward_cause;
    PacketVerdict forward = worst_verdict(path, LEG(PATH_TO_HOST), &forward_cause);

    path->verdict = worst_verdict(path, LEG(PATH_TO_GUEST) | LEG(PATH_FROM_GUEST), &cause);
    if (path->verdict != PACKET_ACCEPT && path->forwarded &&
        (forward == PACKET_ACCEPT || path->verdict != PACKET_UNKNOWN)) {
        path->verdict = forward;
        cause = forward_cause;
    }
    path->cause = cause;
    why = cause ? cause_text(cause) : NULL;
    if (!cause)
        path->summary =
            g_strdup_printf("%s gets through%s", way,
                            path->forwarded ? ", by a rule that forwards it from this host's address" : "");
    else if (path->verdict == PACKET_UNKNOWN)
        path->summary = g_strdup_printf("whether %s gets through is not known: %s", way, why);
    else
        path->summary = g_strdup_printf("%s does not get through: %s", way, why);
}

/* ----------------------------------------------------------------------------------------------- lesson */

/* The address that the peer knows the guest by, as the guest's own packets go out; family 0: not told. */
static Ip seen_from_outside(const Facts *facts, const Map *map, const Path *path)
{
    const PathQuestion question = {
        .domain = path->row->domain_uuid ? path->row->domain_uuid : path->row->domain,
        .interface = path->row->tap,
        .peer = path->peer,
    };
    g_autoptr(Path) out = path_find(facts, map, &question, NULL);

    return out ? out->outside : (Ip){.family = 0};
}

/* What keeps what comes for the host's address. */
static char *host_keeps(const Path *path)
{
    const PathHop *cause;
    g_autofree char *why = NULL;

    if (worst_verdict(path, LEG(PATH_TO_HOST), &cause) == PACKET_ACCEPT)
        return g_strdup("what comes for it this host answers itself");
    why = cause_text(cause);
    return g_strdup_printf("what comes for it goes no further than this host (%s)", why);
}

static void draw_lesson(const Facts *facts, const Map *map, Path *path)
{
    Ip seen = seen_from_outside(facts, map, path);
    g_autofree char *guest = ip_to_string(&path->guest);
    g_autofree char *host =
        path->outside.family ? ip_to_string(&path->outside) : g_strdup("this host's address");
    g_autofree char *as = seen.family ? ip_to_string(&seen) : NULL;
    g_autofree char *keeps = NULL;

    if (path->forwarded) {
        path->lesson = g_strdup_printf("a rule of this host leads what comes for %s on to %s", host, guest);
        return;
    }
    if (as && ip_equal(&seen, &path->guest)) {
        gboolean nat = g_strcmp0(path->network->forward, "nat") == 0;

        path->lesson = g_strdup_printf(
            "nothing stands in for %s: the outside sees it as it is, for %s network is of mode %s%s", guest,
            nat ? "no rule translates it, though its" : "its", path->network->forward,
            path->verdict == PACKET_ACCEPT ? ", and what has a route to it gets there" : "");
        return;
    }
    keeps = host_keeps(path);
    if (as)
        path->lesson = g_strdup_printf(
            "%s stands in for %s: what %s sends goes out as this host's, and answers come back "
            "by that; but %s, and no rule leads it on to the guest",
            as, guest, path->row->domain, keeps);
    else
        path->lesson = g_strdup_printf("no rule leads what comes for %s on to %s: %s", host, guest, keeps);
}

void path_tell(const Facts *facts, const Map *map, Path *path)
{
    if (!path->inbound) {
        sum_up_outbound(path);
        return;
    }
    sum_up_inbound(path);
    /* What hangs on what is not known teaches nothing. */
    if (path->guest.family && path->verdict != PACKET_UNKNOWN && !path->from_host)
        draw_lesson(facts, map, path);
}

/* --------------------------------------------------------------------------------------------- forwards */

static gboolean leads_to(const Translation *translation, const Ip *guest)
{
    return translation->kind == TRANSLATE_TARGET && translation->first.family == guest->family &&
           ip_compare(&translation->first, guest) <= 0 && ip_compare(guest, &translation->last) <= 0;
}

void path_add_forwards(PathWalk *walk)
{
    const Ip *guest = &walk->path->guest;

    for (guint i = 0; i < walk->facts->firewall->len; i++) {
        const FirewallTable *table = walk->facts->firewall->pdata[i];

        for (guint k = 0; table->dormant != 1 && k < table->chains->len; k++) {
            const FirewallChain *chain = table->chains->pdata[k];

            for (guint n = 0; n < chain->rules->len; n++) {
                const FirewallRule *rule = chain->rules->pdata[n];
                const PacketStep step = {.table = table, .base = chain, .chain = chain, .rule = rule};
                Translation translation = translation_of(rule);

                if (leads_to(&translation, guest))
                    g_ptr_array_add(walk->path->forwards, packet_step_text(&step));
            }
        }
    }
}
