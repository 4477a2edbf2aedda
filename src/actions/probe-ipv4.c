/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/probe-private.h"
#include "model/frame.h"

#include <net/ethernet.h>
#include <string.h>
#include <unistd.h>

/*
 * dnsmasq asks the network for three seconds whether an address is free before it offers it, and a second
 * DISCOVER meanwhile changes nothing; so the second one goes out after that. It does so for one guest after
 * the other, until it has asked for six in half a minute: where many start at once, their offers take longer.
 * That it is at it shows in the host's questions for the MACs of addresses that nobody has, one a second.
 */
#define OFFER_TRIES 2U
#define OFFER_SECONDS 4.0
#define OFFER_TURNS 3U
#define SEARCH_SECONDS 1.2
#define ACK_TRIES 2
#define ACK_SECONDS 1.5
#define ARP_TRIES 3
#define ARP_SECONDS 0.7
/* Whether somebody has the address: a neighbour on one bridge answers in a millisecond. */
#define TAKEN_SECONDS 0.3
#define PICKS 64

static const Ip nobody = {.family = 4};
static const Ip everybody = {.family = 4, .bytes = {255, 255, 255, 255}};

/* -------------------------------------------------------------------------------------------- DHCP */

typedef struct {
    DhcpMessage ask, answer;
} Talk;

static void send_dhcp(int fd, const DhcpMessage *message, const UdpFrame *frame)
{
    g_autoptr(GByteArray) payload = dhcp_build(message);
    UdpFrame whole = *frame;
    g_autoptr(GByteArray) bytes = NULL;

    whole.from_port = DHCP_CLIENT;
    whole.to_port = DHCP_SERVER;
    whole.payload = payload->data;
    whole.length = payload->len;
    bytes = udp_frame(&whole);
    (void)!send(fd, bytes->data, bytes->len, 0);
}

static gboolean send_ask(Probe *probe, int fd, gpointer data)
{
    const Talk *talk = data;
    const UdpFrame frame = {
        .from_mac = *endpoint_mac(probe->endpoint), .to_mac = mac_broadcast, .from = nobody, .to = everybody};

    send_dhcp(fd, &talk->ask, &frame);
    return TRUE;
}

static gboolean take_answer(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    Talk *talk = data;
    UdpFrame frame;

    return udp_frame_parse(bytes, length, &frame) && frame.to_port == DHCP_CLIENT &&
           frame.from_port == DHCP_SERVER &&
           dhcp_parse(frame.payload, frame.length, talk->ask.transaction, &talk->ask.mac, &talk->answer) &&
           (talk->ask.type == DHCP_DISCOVER) == (talk->answer.type == DHCP_OFFER);
}

static gboolean send_nothing(Probe *probe, int fd, gpointer data)
{
    return TRUE;
}

/* The gateway looks for somebody. */
static gboolean take_search(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    ArpMessage message;

    return arp_parse(bytes, length, &message) && message.operation == 1 &&
           ip_equal(&message.from, &probe->ip->net.ip);
}

/* FALSE: nobody offers anything, nor is anybody at it. */
static gboolean discover_in_turn(Probe *probe, int fd, Talk *talk, guint *sent)
{
    gboolean answered = FALSE, busy = TRUE;

    for (guint turn = 0; turn < OFFER_TURNS && busy && !answered; turn++) {
        const int searches = endpoint_packet_socket(probe->endpoint, ETH_P_ARP, NULL);

        answered = probe_exchange(probe, fd, OFFER_TRIES, OFFER_SECONDS, send_ask, take_answer, talk);
        *sent += OFFER_TRIES;
        busy = !answered && searches >= 0 &&
               probe_exchange(probe, searches, 1, SEARCH_SECONDS, send_nothing, take_search, NULL);
        if (searches >= 0)
            close(searches);
    }
    return answered;
}

/* Takes the offered address, and remembers that it is to be given back. FALSE ended the stage. */
static gboolean request(Probe *probe, int fd, const DhcpMessage *offer, ProbeStage *stage)
{
    Talk talk = {.ask = *offer};
    g_autoptr(GError) error = NULL;

    talk.ask.type = DHCP_REQUEST;
    if (!probe_will_lease(probe, offer, &error)) {
        probe_stage_end(stage, TRI_NO, "no lease was asked for: %s", error->message);
        return FALSE;
    }
    probe->lease = *offer;
    if (!probe_exchange(probe, fd, ACK_TRIES, ACK_SECONDS, send_ask, take_answer, &talk)) {
        probe_stage_end(stage, TRI_NO, "an address was offered, but the request for it was not answered");
        return FALSE;
    }
    if (talk.answer.type == DHCP_ACK)
        return TRUE;
    probe->lease.type = 0;
    probe_stage_end(stage, TRI_NO, "an address was offered, but the request for it was refused");
    return FALSE;
}

/* Is the server who should answer? */
static gboolean is_own_server(const Probe *probe, const DhcpMessage *offer, ProbeStage *stage)
{
    char server[IP_TEXT], own[IP_TEXT], address[IP_TEXT];

    if (ip_equal(&offer->server, &probe->ip->net.ip) && ipnet_contains(&probe->ip->net, &offer->address))
        return TRUE;
    probe_stage_end(stage, TRI_NO, "%s offers %s: another DHCP server than the network's %s is on the bridge",
                    ip_format(&offer->server, server), ip_format(&offer->address, address),
                    ip_format(&probe->ip->net.ip, own));
    stage->remedy = g_strdup("vnat map: which guest has that address");
    return FALSE;
}

/* --------------------------------------------------------------------------------------------- ARP */

typedef struct {
    Ip target;
    ArpMessage answer;
} Question;

static gboolean send_question(Probe *probe, int fd, gpointer data)
{
    const Question *question = data;
    g_autoptr(GByteArray) bytes = arp_request(endpoint_mac(probe->endpoint), &nobody, &question->target);

    (void)!send(fd, bytes->data, bytes->len, 0);
    return TRUE;
}

static gboolean take_arp(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    Question *question = data;

    return arp_parse(bytes, length, &question->answer) && question->answer.operation == 2 &&
           ip_equal(&question->answer.from, &question->target) &&
           !mac_equal(&question->answer.from_mac, endpoint_mac(probe->endpoint));
}

static gboolean ask_arp(Probe *probe, const Ip *target, guint tries, double seconds, Mac *mac)
{
    Question question = {.target = *target};
    const int fd = endpoint_packet_socket(probe->endpoint, ETH_P_ARP, NULL);
    gboolean answered;

    if (fd < 0)
        return FALSE;
    answered = probe_exchange(probe, fd, tries, seconds, send_question, take_arp, &question);
    close(fd);
    *mac = question.answer.from_mac;
    return answered;
}

/* Sets the address that the probe is to use; FALSE, and the stage ended, if somebody has it already. */
static gboolean use_address(Probe *probe, const Ip *address, ProbeStage *stage)
{
    char text[IP_TEXT], mac_text[MAC_TEXT];
    Mac mac;

    if (ask_arp(probe, address, 1, TAKEN_SECONDS, &mac)) {
        probe_stage_end(stage, TRI_NO, "%s was offered, but %s has that address already",
                        ip_format(address, text), mac_format(&mac, mac_text));
        g_ptr_array_add(stage->checks, (gpointer) "address-unleased");
        return FALSE;
    }
    probe->own = (IpNet){*address, probe->ip->net.prefix};
    probe->has_address = TRUE;
    return TRUE;
}

/* -------------------------------------------------------------------------------------- the stages */

static void discover(Probe *probe, int fd, ProbeStage *stage)
{
    Talk talk = {
        .ask = {.type = DHCP_DISCOVER, .transaction = g_random_int(), .mac = *endpoint_mac(probe->endpoint)}};
    char address[IP_TEXT], server[IP_TEXT];
    g_autoptr(GError) error = NULL;
    guint sent = 0;

    probe->has_dhcp_traces = TRUE;
    if (!discover_in_turn(probe, fd, &talk, &sent)) {
        probe_stage_end(stage, TRI_NO, "nobody offered an address: %u DHCP DISCOVER were not answered", sent);
        return;
    }
    probe->offered = TRUE;
    if (!probe_will_use(probe, &talk.answer.address, &error)) {
        probe_stage_end(stage, TRI_NO, "%s", error->message);
        return;
    }
    talk.answer.transaction = talk.ask.transaction;
    probe->router = talk.answer.router;
    if (!is_own_server(probe, &talk.answer, stage) ||
        (probe->asked->request && !request(probe, fd, &talk.answer, stage)) ||
        !use_address(probe, &talk.answer.address, stage))
        return;
    probe_stage_end(stage, TRI_YES, "%s %s %s", ip_format(&talk.answer.server, server),
                    probe->asked->request ? "leased" : "offers", ip_format(&talk.answer.address, address));
}

/* Whether anything that the host knows of has the address. */
static gboolean is_known(const Probe *probe, const Ip *ip)
{
    for (guint i = 0; i < probe->facts->leases->len; i++) {
        const Lease *lease = probe->facts->leases->pdata[i];

        if (ip_equal(&lease->ip, ip))
            return TRUE;
    }
    for (guint i = 0; i < probe->facts->neighbours->len; i++) {
        const Neighbour *neighbour = &g_array_index(probe->facts->neighbours, Neighbour, i);

        if (neighbour->has_mac && ip_equal(&neighbour->ip, ip))
            return TRUE;
    }
    return ip_equal(ip, &probe->ip->net.ip);
}

/* Without DHCP: from the end of the subnet, where people seldom begin. */
static void pick(Probe *probe, const char *why, ProbeStage *stage)
{
    Ip last = ipnet_last(&probe->ip->net);
    char text[IP_TEXT];
    g_autoptr(GError) error = NULL;

    for (gint64 back = 1; back <= PICKS; back++) {
        Ip candidate;

        if (!ip_add(&last, -back, &candidate) || !ipnet_contains(&probe->ip->net, &candidate))
            break;
        if (is_known(probe, &candidate))
            continue;
        if (!probe_will_use(probe, &candidate, &error) || !use_address(probe, &candidate, stage))
            return;
        /* Who sets up a guest by hand gives it this one. */
        probe->router = probe->ip->net.ip;
        stage->ms = -1;
        probe_stage_end(stage, TRI_UNKNOWN, "%s; %s is used, which nobody has", why,
                        ip_format(&candidate, text));
        return;
    }
    probe_stage_end(stage, TRI_UNKNOWN, "%s, and no address of it is free", why);
}

/* DHCP is for guests alone that <host> names: then nobody answers the probe, as it must be. */
static gboolean offers_to_named_only(const Network *network)
{
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];

        if (ip->net.ip.family == 4 && ip->ranges->len > 0)
            return FALSE;
    }
    return TRUE;
}

void probe_dhcp4(Probe *probe, ProbeStage *stage)
{
    g_autoptr(GError) error = NULL;
    int fd;

    if (!network_has_dhcp(probe->network, 4)) {
        pick(probe, "the network has no DHCP", stage);
        return;
    }
    if (offers_to_named_only(probe->network)) {
        pick(probe, "the network's DHCP answers none but the guests that its XML names", stage);
        return;
    }
    fd = endpoint_packet_socket(probe->endpoint, ETH_P_IP, &error);
    if (fd < 0) {
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
        return;
    }
    discover(probe, fd, stage);
    close(fd);
}

void probe_gateway4(Probe *probe, ProbeStage *stage)
{
    const Ip *gateway = &probe->ip->net.ip;
    char text[IP_TEXT], mac_text[MAC_TEXT];
    Mac mac;

    if (!ask_arp(probe, gateway, ARP_TRIES, ARP_SECONDS, &mac)) {
        probe_stage_end(stage, TRI_NO, "nobody answers ARP for the gateway's address %s",
                        ip_format(gateway, text));
        return;
    }
    if (probe->bridge->has_mac && !mac_equal(&mac, &probe->bridge->mac)) {
        probe_stage_end(stage, TRI_NO, "%s answers ARP for the gateway's address %s, and is not the bridge",
                        mac_format(&mac, mac_text), ip_format(gateway, text));
        g_ptr_array_add(stage->checks, (gpointer) "duplicate-address");
        return;
    }
    if (probe_answers_return(probe, stage))
        probe_stage_end(stage, TRI_YES, "%s answers for %s", mac_format(&mac, mac_text),
                        ip_format(gateway, text));
}

void probe_send_release4(Probe *probe, const DhcpMessage *lease)
{
    const int fd = endpoint_packet_socket(probe->endpoint, ETH_P_IP, NULL);
    const UdpFrame frame = {.from_mac = *endpoint_mac(probe->endpoint),
                            .to_mac = probe->bridge->mac,
                            .from = lease->address,
                            .to = lease->server};
    DhcpMessage release = *lease;

    if (fd < 0)
        return;
    release.type = DHCP_RELEASE;
    release.transaction = g_random_int();
    send_dhcp(fd, &release, &frame);
    close(fd);
}
