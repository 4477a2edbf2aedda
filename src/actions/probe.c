/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/probe-private.h"
#include "base/error.h"
#include "model/packet-guest.h"
#include "sources/links-route.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Theory of operation.
 *
 * One thread goes through the stages, each of which sends, waits with a deadline and the caller's descriptor
 * beside it, and ends. A stage that another one failed under is skipped where it needs what that one should
 * have given: an address for DNS, an address for the target. The gateway is asked without one. The uplink is
 * told from the host's facts, whatever failed before; where the target then answers all the same, the facts
 * were wrong, and the packet is right.
 *
 * All that the host may remember is undone after the port is gone, whichever way the run ended.
 */

/* Ports of networks as libvirt makes them forward after four seconds of spanning tree. */
#define FORWARDING_SECONDS 5.5
#define BUFFER_BYTES 2048

/* ------------------------------------------------------------------------------------------ waiting */

Deadline probe_until(const Probe *probe, double seconds)
{
    return deadline_within(probe->deadline, seconds);
}

gboolean probe_wait(Probe *probe, int fd, short events, Deadline until)
{
    struct pollfd ready[] = {{.fd = fd, .events = events}, {.fd = probe->asked->cancel, .events = POLLIN}};
    int count;

    do
        count = poll(ready, G_N_ELEMENTS(ready), probe->cancelled ? 0 : deadline_poll_ms(until));
    while (count < 0 && errno == EINTR && !deadline_passed(until));
    if (count > 0 && ready[1].revents)
        probe->cancelled = TRUE;
    return count > 0 && !probe->cancelled && ready[0].revents;
}

/* TRUE: the answer has come. */
static gboolean receive_until(Probe *probe, int fd, Deadline until, ProbeTake take, gpointer data)
{
    guint8 buffer[BUFFER_BYTES];

    while (!deadline_passed(until) && probe_wait(probe, fd, POLLIN, until)) {
        const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

        /* An error of the socket is what the other side said: nothing listens there. */
        if (got < 0 && errno != ECONNREFUSED)
            continue;
        if (take(probe, buffer, got < 0 ? 0 : (gsize)got, data))
            return TRUE;
    }
    return FALSE;
}

gboolean probe_exchange(Probe *probe, int fd, guint tries, double seconds, ProbeSend send, ProbeTake take,
                        gpointer data)
{
    for (guint i = 0; i < tries && !probe->cancelled && !deadline_passed(probe->deadline); i++) {
        if (!send(probe, fd, data))
            return FALSE;
        if (receive_until(probe, fd, probe_until(probe, seconds), take, data))
            return TRUE;
    }
    return FALSE;
}

socklen_t probe_sockaddr(const Probe *probe, const Ip *ip, guint16 port, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (ip->family == 4) {
        four->sin_family = AF_INET;
        four->sin_port = g_htons(port);
        memcpy(&four->sin_addr, ip->bytes, sizeof(four->sin_addr));
        return sizeof(*four);
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = g_htons(port);
    memcpy(&six->sin6_addr, ip->bytes, sizeof(six->sin6_addr));
    if (ip_is_link_local(ip) || ip_is_multicast(ip))
        six->sin6_scope_id = endpoint_scope(probe->endpoint);
    return sizeof(*six);
}

/* ------------------------------------------------------------------------------------------- stages */

static gboolean is_over(const Probe *probe)
{
    return probe->cancelled || deadline_passed(probe->deadline);
}

static void announce(Probe *probe, ProbeStage *stage)
{
    if (stage->ok == TRI_NO)
        probe_stage_blame(stage, probe->stages, probe->asked->findings, probe->network);
    g_ptr_array_add(probe->stages, stage);
    if (probe->asked->done && !probe->cancelled)
        probe->asked->done(stage, probe->asked->data);
}

/* The first that is short of time is late, what comes behind it is not reached. */
static void end_late(Probe *probe, ProbeStage *stage)
{
    probe_stage_end_late(stage, probe->late, probe->asked->timeout);
    if (!probe->late)
        probe->late = stage;
}

/* Runs a stage; its result is for announce. One that time or the caller cut short proves nothing. */
static ProbeStage *try_stage(Probe *probe, ProbeStageId id, void (*run)(Probe *probe, ProbeStage *stage))
{
    ProbeStage *stage = probe_stage_new(id, probe->family);
    const gint64 begun = g_get_monotonic_time();

    stage->ms = 0;
    if (is_over(probe))
        stage->ms = -1;
    else
        run(probe, stage);
    if (stage->ms >= 0)
        stage->ms = (g_get_monotonic_time() - begun) / 1000;
    if (is_over(probe) && stage->ok != TRI_YES && probe->cancelled)
        probe_stage_end(stage, TRI_UNKNOWN, "interrupted");
    else if (is_over(probe) && stage->ok != TRI_YES)
        end_late(probe, stage);
    return stage;
}

/* why: unless time has run out before it. */
static void skip(Probe *probe, ProbeStageId id, const char *why)
{
    ProbeStage *stage = probe_stage_new(id, probe->family);

    if (probe->late)
        end_late(probe, stage);
    else
        probe_stage_end(stage, TRI_UNKNOWN, "%s", why);
    announce(probe, stage);
}

static void run_link(Probe *probe, ProbeStage *stage)
{
    g_autoptr(GError) error = NULL;
    const char *device = endpoint_device(probe->endpoint);
    const gboolean delays = probe->bridge->bridge_info.stp;

    if (endpoint_await_forwarding(probe->endpoint, probe->asked->cancel,
                                  probe_until(probe, FORWARDING_SECONDS), &error)) {
        probe_stage_end(stage, TRI_YES, "%s forwards what comes in by %s", probe->bridge->name, device);
        return;
    }
    probe->cancelled =
        !deadline_passed(probe->deadline) && g_error_matches(error, VNAT_ERROR, VNAT_ERROR_FAILED);
    probe_stage_end(stage, TRI_NO, "%s does not forward what comes in by %s: %s after %g s",
                    probe->bridge->name, device, error->message, FORWARDING_SECONDS);
    if (delays)
        return;
    g_ptr_array_add(stage->checks, (gpointer) "bridge-down");
}

static const Ip *target_of(const Probe *probe)
{
    const ProbeTarget *target = probe->asked->target;

    if (!target)
        return NULL;
    return target->ip.family ? &target->ip : &probe->resolved;
}

static void run_uplink(Probe *probe, ProbeStage *stage)
{
    const ProbeTarget *target = probe->asked->target;
    const Ip *to = target_of(probe);
    ProbePacket packet = {.family = probe->family, .guest = probe->own.ip};
    g_autoptr(GError) error = NULL;
    Ip outside = {0};

    if (!probe->has_address &&
        !packet_guest_address(probe->facts, probe->network, probe->family, &packet.guest)) {
        probe_stage_end(stage, TRI_UNKNOWN, "no address of the network is known");
        return;
    }
    if (to && to->family == probe->family) {
        packet.to = outside = *to;
        packet.port = target->port;
    } else {
        outside = packet_public_address(probe->family);
    }
    if (!links_route(&outside, &packet.guest, probe->bridge->ifindex, &packet.out, probe->deadline, &error))
        packet.refusal = error->message;
    probe_uplink(probe->facts, probe->network, &packet, stage);
}

/* ---------------------------------------------------------------------------------------- a family */

static const NetworkIp *first_ip(const Network *network, guint8 family)
{
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if (ip->net.ip.family == family)
            return ip;
    }
    return NULL;
}

/* The target, of its family, or of the first one that its name has an address of. */
static gboolean wants_target(const Probe *probe)
{
    const Ip *to = target_of(probe);

    return to && (to->family == probe->family || to->family == 0);
}

/* A target that no address of the network's could be sent to from. */
static gboolean is_out_of_family(const Probe *probe)
{
    const ProbeTarget *target = probe->asked->target;

    return target && target->ip.family && !first_ip(probe->network, target->ip.family);
}

static void end_out_of_family(Probe *probe)
{
    ProbeStage *stage = probe_stage_new(PROBE_NAT, probe->family);

    stage->ms = 0;
    stage->settled = TRUE;
    probe_stage_end(stage, TRI_NO,
                    "nothing was sent: the target's address is of IPv%u, and the network has none",
                    probe->asked->target->ip.family);
    stage->remedy = g_strdup_printf("name a target of IPv%u", probe->family);
    announce(probe, stage);
}

/* That nothing leaves an isolated network is as it must be: nothing on the way is to blame. */
static void settle_isolated(const Probe *probe, ProbeStage *nat)
{
    if (nat->ok != TRI_NO || g_strcmp0(probe->network->forward, "isolated") != 0 ||
        (!nat->settled && probe_stays_here(probe->facts, probe->network, target_of(probe))))
        return;
    nat->settled = TRUE;
    g_free(nat->remedy);
    nat->remedy = g_strdup("the network is isolated: guests that need the outside belong on another one");
}

static void try_target(Probe *probe, ProbeStage *uplink)
{
    ProbeStage *nat;

    if (!probe->has_address) {
        announce(probe, uplink);
        skip(probe, PROBE_NAT, "skipped: there is no address to send from");
        return;
    }
    if (target_of(probe)->family == 0) {
        announce(probe, uplink);
        skip(probe, PROBE_NAT, "skipped: the target's name has no address of this family");
        return;
    }
    probe->passes = uplink->ok;
    nat = try_stage(probe, PROBE_NAT, probe_nat);
    settle_isolated(probe, nat);
    if (nat->ok == TRI_YES && uplink->ok == TRI_NO) {
        g_autofree char *told = g_steal_pointer(&uplink->detail);

        probe_stage_end(uplink, TRI_UNKNOWN, "the target answers, though by this host's facts %s", told);
    }
    announce(probe, uplink);
    announce(probe, nat);
}

static void go_out(Probe *probe)
{
    ProbeStage *uplink = try_stage(probe, PROBE_UPLINK, run_uplink);

    if (wants_target(probe)) {
        try_target(probe, uplink);
        return;
    }
    announce(probe, uplink);
    if (is_out_of_family(probe) && !probe->late)
        end_out_of_family(probe);
    else
        skip(probe, PROBE_NAT,
             probe->asked->target ? "the target has no address of this family"
                                  : "no target was given: nothing is sent out");
}

static void run_family(Probe *probe, guint8 family)
{
    probe->family = family;
    probe->ip = first_ip(probe->network, family);
    probe->has_address = probe->configured = FALSE;
    probe->more_families = family == 4 && first_ip(probe->network, 6);
    probe->router.family = probe->own.ip.family = 0;
    if (!probe->ip)
        return;
    announce(probe, try_stage(probe, PROBE_DHCP, family == 4 ? probe_dhcp4 : probe_dhcp6));
    announce(probe, try_stage(probe, PROBE_GATEWAY, family == 4 ? probe_gateway4 : probe_gateway6));
    if (probe->has_address)
        announce(probe, try_stage(probe, PROBE_DNS, probe_dns));
    else
        skip(probe, PROBE_DNS, "skipped: there is no address to ask from");
    go_out(probe);
}

static void skip_family(Probe *probe, guint8 family)
{
    static const ProbeStageId rest[] = {PROBE_DHCP, PROBE_GATEWAY, PROBE_DNS, PROBE_UPLINK, PROBE_NAT};

    probe->family = family;
    if (!first_ip(probe->network, family))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(rest); i++)
        skip(probe, rest[i], "skipped: nothing gets past the bridge");
}

static void run_stages(Probe *probe)
{
    ProbeStage *link = try_stage(probe, PROBE_LINK, run_link);
    const gboolean forwards = link->ok == TRI_YES;

    announce(probe, link);
    if (forwards)
        probe_release_left(probe);
    for (guint8 family = 4; family <= 6; family += 2) {
        if (forwards)
            run_family(probe, family);
        else
            skip_family(probe, family);
    }
    /* Again: nothing answers a release, and one that is given back already is none any more. */
    if (forwards)
        probe_release_left(probe);
    probe_release(probe);
}

/* --------------------------------------------------------------------------------------------- a run */

gboolean probe_can(const Network *network, GError **error)
{
    if (!network->xml_read)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "network '%s' could not be read: %s", network->name,
                              network->xml_error ? network->xml_error : "libvirt did not answer");
    if (!network_owns_bridge(network) || !network->bridge)
        return vnat_error_set(error, VNAT_ERROR_UNSUPPORTED,
                              "network '%s' has mode %s: its bridge and gateway are not libvirt's",
                              network->name, network->forward ? network->forward : "none");
    if (network->active)
        return TRUE;
    vnat_error_set(error, VNAT_ERROR_FAILED, "network '%s' is not active", network->name);
    return FALSE;
}

static void end_without_bridge(Probe *probe)
{
    ProbeStage *stage = probe_stage_new(PROBE_LINK, 0);

    stage->ms = 0;
    probe_stage_end(stage, TRI_NO, "there is no bridge %s", probe->network->bridge);
    announce(probe, stage);
    skip_family(probe, 4);
    skip_family(probe, 6);
}

GPtrArray *probe_run(const Facts *facts, const Network *network, const ProbeAsked *asked, Deadline deadline,
                     GError **error)
{
    g_autoptr(GPtrArray) stages = g_ptr_array_new_with_free_func((GDestroyNotify)probe_stage_free);
    Probe probe = {.facts = facts,
                   .network = network,
                   .asked = asked,
                   .bridge = facts_link_named(facts, network->bridge),
                   .deadline = deadline,
                   .stages = stages};
    const EndpointWanted wanted = {.bridge = probe.bridge,
                                   .alias = network->bridge,
                                   .isolated = network->port_isolated,
                                   .directory = asked->directory};

    if (!probe.bridge || !probe.bridge->is_bridge) {
        end_without_bridge(&probe);
        return g_steal_pointer(&stages);
    }
    probe.endpoint = endpoint_open(&wanted, deadline, error);
    if (!probe.endpoint)
        return NULL;
    probe.used = probe_used_new();
    run_stages(&probe);
    probe_undo(&probe);
    g_array_unref(probe.used);
    endpoint_free(probe.endpoint);
    return g_steal_pointer(&stages);
}
