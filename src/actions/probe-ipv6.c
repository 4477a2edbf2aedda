/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/probe-private.h"
#include "model/frame.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/*
 * The endpoint has a link-local address of its MAC, and its kernel answers for it; what is asked goes by
 * ordinary sockets. On a bridge that had no carrier before, the host's address is tentative for a second or
 * two, and dnsmasq does not serve it yet: hence the number of tries.
 */
#define ROUTER_TRIES 8U
#define ROUTER_SECONDS 1.0
#define ADDRESS_TRIES 5
#define ADDRESS_SECONDS 1.0
#define NEIGHBOUR_TRIES 3
#define NEIGHBOUR_SECONDS 0.7
#define HOPS 255 /* discovery's messages come from the link itself */

static const Ip link_local = {.family = 6, .bytes = {0xfe, 0x80}};
static const Ip all_routers = {.family = 6, .bytes = {0xff, 0x02, [15] = 2}};
static const Ip all_servers = {.family = 6, .bytes = {0xff, 0x02, [13] = 1, [15] = 2}};

static gboolean send_to(Probe *probe, int fd, const GByteArray *bytes, const Ip *to, guint16 port)
{
    struct sockaddr_storage address;
    const socklen_t length = probe_sockaddr(probe, to, port, &address);

    (void)!sendto(fd, bytes->data, bytes->len, 0, (const struct sockaddr *)&address, length);
    return TRUE;
}

/* A raw ICMPv6 socket that gets messages of one type only. */
static int discovery_socket(Probe *probe, guint8 type, GError **error)
{
    const int fd = endpoint_socket(probe->endpoint, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, error);
    struct icmp6_filter filter;
    const int hops = HOPS;

    if (fd < 0)
        return -1;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(type, &filter);
    (void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    return fd;
}

/* ----------------------------------------------------------------------------------- advertisements */

static gboolean send_solicitation(Probe *probe, int fd, gpointer data)
{
    g_autoptr(GByteArray) bytes = router_solicitation(endpoint_mac(probe->endpoint));

    return send_to(probe, fd, bytes, &all_routers, 0);
}

static gboolean take_advertisement(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    return router_advertisement_parse(bytes, length, data);
}

static gboolean await_router(Probe *probe, RouterAdvertisement *router, ProbeStage *stage)
{
    g_autoptr(GError) error = NULL;
    const int fd = discovery_socket(probe, ND_ROUTER_ADVERT, &error);
    gboolean came;

    if (fd < 0) {
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
        return FALSE;
    }
    came = probe_exchange(probe, fd, ROUTER_TRIES, ROUTER_SECONDS, send_solicitation, take_advertisement,
                          router);
    close(fd);
    if (!came)
        probe_stage_end(stage, TRI_NO, "no router advertises itself: %u solicitations were not answered",
                        ROUTER_TRIES);
    return came;
}

/* ------------------------------------------------------------------------------------------ DHCPv6 */

typedef struct {
    Dhcp6Message ask, answer;
} Talk;

static gboolean send_ask(Probe *probe, int fd, gpointer data)
{
    const Talk *talk = data;
    g_autoptr(GByteArray) bytes = dhcp6_build(&talk->ask);

    return send_to(probe, fd, bytes, &all_servers, DHCP6_SERVER);
}

static gboolean take_answer(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    Talk *talk = data;

    return dhcp6_parse(bytes, length, talk->ask.transaction, &talk->ask.mac, &talk->answer) &&
           (talk->ask.type == DHCP6_SOLICIT) == (talk->answer.type == DHCP6_ADVERTISE);
}

static int client_socket(Probe *probe, GError **error)
{
    const int fd = endpoint_socket(probe->endpoint, AF_INET6, SOCK_DGRAM, 0, error);
    const Ip any = {.family = 6};
    struct sockaddr_storage here;
    const socklen_t length = probe_sockaddr(probe, &any, DHCP6_CLIENT, &here);

    if (fd >= 0)
        (void)bind(fd, (const struct sockaddr *)&here, length);
    return fd;
}

static gboolean ask(Probe *probe, int fd, Talk *talk)
{
    talk->ask.transaction = g_random_int() & 0xffffff;
    return probe_exchange(probe, fd, ADDRESS_TRIES, ADDRESS_SECONDS, send_ask, take_answer, talk) &&
           talk->answer.status == 0 && talk->answer.address.family == 6;
}

/* Solicits an address, and with request takes it. FALSE ended the stage. */
static gboolean solicit(Probe *probe, int fd, Ip *address, ProbeStage *stage)
{
    Talk talk = {.ask = {.type = DHCP6_SOLICIT, .mac = *endpoint_mac(probe->endpoint)}};
    g_autoptr(GError) error = NULL;

    if (!ask(probe, fd, &talk)) {
        probe_stage_end(stage, TRI_NO, "a router advertises DHCPv6, but nobody offered an address");
        return FALSE;
    }
    *address = talk.answer.address;
    if (!probe->asked->request)
        return TRUE;
    talk.ask = talk.answer;
    talk.ask.type = DHCP6_REQUEST;
    if (!probe_will_lease6(probe, &talk.ask, &error)) {
        probe_stage_end(stage, TRI_NO, "no lease was asked for: %s", error->message);
        return FALSE;
    }
    probe->lease6 = talk.ask;
    if (!ask(probe, fd, &talk)) {
        probe_stage_end(stage, TRI_NO, "an address was offered, but the request for it was not granted");
        return FALSE;
    }
    return TRUE;
}

static gboolean dhcp6_address(Probe *probe, Ip *address, ProbeStage *stage)
{
    g_autoptr(GError) error = NULL;
    const int fd = client_socket(probe, &error);
    gboolean ok;

    if (fd < 0) {
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
        return FALSE;
    }
    ok = solicit(probe, fd, address, stage);
    close(fd);
    return ok;
}

void probe_send_release6(Probe *probe, const Dhcp6Message *lease)
{
    Talk talk = {.ask = *lease};
    const int fd = client_socket(probe, NULL);

    if (fd < 0)
        return;
    talk.ask.type = DHCP6_RELEASE;
    talk.ask.transaction = g_random_int() & 0xffffff;
    (void)probe_exchange(probe, fd, 2, 0.5, send_ask, take_answer, &talk);
    close(fd);
}

/* -------------------------------------------------------------------------------------- the stages */

static gboolean use_link_local(Probe *probe, ProbeStage *stage)
{
    const IpNet own = {interface_address(&link_local, endpoint_mac(probe->endpoint)), 64};
    const Ip none = {0};
    g_autoptr(GError) error = NULL;

    probe->speaks_ipv6 = probe_will_use(probe, &own.ip, &error) &&
                         endpoint_add_address(probe->endpoint, &own, &none, probe->deadline, &error);
    if (!probe->speaks_ipv6)
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
    return probe->speaks_ipv6;
}

void probe_dhcp6(Probe *probe, ProbeStage *stage)
{
    RouterAdvertisement router = {0};
    char text[IP_TEXT];
    g_autoptr(GError) error = NULL;
    Ip address = {0};

    if (!use_link_local(probe, stage) || !await_router(probe, &router, stage))
        return;
    if (router.managed && !dhcp6_address(probe, &address, stage))
        return;
    if (!router.managed && router.has_prefix)
        address = interface_address(&router.prefix.ip, endpoint_mac(probe->endpoint));
    if (address.family != 6 || !ipnet_contains(&probe->ip->net, &address)) {
        probe_stage_end(stage, TRI_NO, "a router advertises itself, but no address of the network's subnet");
        return;
    }
    if (!probe_will_use(probe, &address, &error)) {
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
        return;
    }
    probe->own = (IpNet){address, probe->ip->net.prefix};
    probe->has_address = TRUE;
    if (router.lifetime > 0)
        probe->router = probe->ip->net.ip;
    probe_stage_end(stage, TRI_YES, "%s is %s", ip_format(&address, text),
                    !router.managed         ? "made of the advertised prefix"
                    : probe->asked->request ? "leased by DHCPv6"
                                            : "offered by DHCPv6");
}

typedef struct {
    Ip target;
    Mac mac;
} Question;

static gboolean send_question(Probe *probe, int fd, gpointer data)
{
    const Question *question = data;
    const Ip group = solicited_group(&question->target);
    g_autoptr(GByteArray) bytes = neighbour_solicitation(endpoint_mac(probe->endpoint), &question->target);

    return send_to(probe, fd, bytes, &group, 0);
}

static gboolean take_neighbour(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    Question *question = data;
    Ip target;

    return neighbour_advertisement_parse(bytes, length, &target, &question->mac) &&
           ip_equal(&target, &question->target);
}

void probe_gateway6(Probe *probe, ProbeStage *stage)
{
    Question question = {.target = probe->ip->net.ip};
    char text[IP_TEXT], mac_text[MAC_TEXT];
    g_autoptr(GError) error = NULL;
    const int fd = discovery_socket(probe, ND_NEIGHBOR_ADVERT, &error);
    gboolean answered;

    if (fd < 0) {
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
        return;
    }
    answered = probe_exchange(probe, fd, NEIGHBOUR_TRIES, NEIGHBOUR_SECONDS, send_question, take_neighbour,
                              &question);
    close(fd);
    ip_format(&question.target, text);
    mac_format(&question.mac, mac_text);
    if (!answered) {
        probe_stage_end(stage, TRI_NO, "nobody answers for the gateway's address %s", text);
    } else if (probe->bridge->has_mac && !mac_equal(&question.mac, &probe->bridge->mac)) {
        probe_stage_end(stage, TRI_NO, "%s answers for the gateway's address %s, and is not the bridge",
                        mac_text, text);
        g_ptr_array_add(stage->checks, (gpointer) "duplicate-address");
    } else if (probe_answers_return(probe, stage)) {
        probe_stage_end(stage, TRI_YES, "%s answers for %s", mac_text, text);
    }
}
