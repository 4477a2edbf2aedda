/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack.h"
#include "actions/probe-private.h"
#include "base/error.h"
#include "base/text.h"
#include "model/dns.h"
#include "model/frame.h"
#include "sources/links-route.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* What is asked with an address, by ordinary sockets: the gateway's name server, and the target. */

#define DNS_TRIES 2
#define DNS_SECONDS 1.5
#define FORWARDER_TRIES 2
#define FORWARDER_SECONDS 2.5
#define TARGET_SECONDS 5.0
/* Where this host's rules refuse the packet already, an answer would be a surprise: one more SYN is sent. */
#define REFUSED_SECONDS 2.0
#define ECHO_TRIES 5
#define ECHO_SECONDS 1.0
#define REFUSED_ECHO_TRIES 2

/* The name by which dnsmasq says what it is; it asks nobody for it. */
#define OWN_NAME "version.bind"
#define OWN_TEXT "dnsmasq"

#define UNTRANSLATED "%s, but to %s itself: nothing translates the guest's address"

/* ----------------------------------------------------------------------------------------- the address */

gboolean probe_answers_return(Probe *probe, ProbeStage *stage)
{
    const Ip any = {0};
    g_autoptr(GError) error = NULL;
    char text[IP_TEXT];
    const Link *link;
    guint out;

    if (!probe->has_address)
        return TRUE;
    ip_format(&probe->own.ip, text);
    if (!links_route(&probe->own.ip, &any, 0, &out, probe->deadline, &error)) {
        probe_stage_end(stage, TRI_NO, "this host has no way back to %s: %s", text, error->message);
        return FALSE;
    }
    if (out == probe->bridge->ifindex)
        return TRUE;
    link = facts_link(probe->facts, out);
    probe_stage_end(stage, TRI_NO, "this host sends answers to %s by %s, not by %s", text,
                    link ? link->name : "another device", probe->bridge->name);
    return FALSE;
}

/* Gives the inner end its address and route; ends the stage if that fails. */
static gboolean configure(Probe *probe, ProbeStage *stage)
{
    g_autoptr(GError) error = NULL;

    if (probe->configured)
        return TRUE;
    probe->configured =
        endpoint_add_address(probe->endpoint, &probe->own, &probe->router, probe->deadline, &error);
    if (!probe->configured)
        probe_stage_end(stage, TRI_UNKNOWN, "the endpoint cannot be given its address: %s", error->message);
    return probe->configured;
}

/* ------------------------------------------------------------------------------------------------ DNS */

typedef struct {
    const char *name;
    guint16 type, class, id;
    int error; /* of the socket: nobody listens */
    DnsAnswer answer;
} Query;

static gboolean send_query(Probe *probe, int fd, gpointer data)
{
    Query *query = data;
    g_autoptr(GByteArray) bytes = dns_query(query->id, query->name, query->type, query->class);

    if (!bytes)
        return FALSE;
    if (send(fd, bytes->data, bytes->len, 0) < 0)
        query->error = errno;
    return TRUE;
}

static gboolean take_dns(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    Query *query = data;

    if (length == 0) {
        query->error = ECONNREFUSED;
        return FALSE;
    }
    return dns_parse(bytes, length, query->id, query->type, &query->answer);
}

/* Of the gateway, and of nobody else: the socket is connected to it. */
static gboolean ask_gateway(Probe *probe, Query *query, guint tries, double seconds)
{
    const int fd =
        endpoint_socket(probe->endpoint, probe->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0, NULL);
    struct sockaddr_storage address;
    const socklen_t length = probe_sockaddr(probe, &probe->ip->net.ip, PORT_DNS, &address);
    gboolean answered;

    if (fd < 0)
        return FALSE;
    query->id = (guint16)g_random_int();
    answered = connect(fd, (const struct sockaddr *)&address, length) == 0 &&
               probe_exchange(probe, fd, tries, seconds, send_query, take_dns, query);
    close(fd);
    return answered;
}

static gboolean resolve(Probe *probe, const char *name, Query *query)
{
    *query =
        (Query){.name = name, .type = probe->family == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA, .class = DNS_CLASS_IN};
    return ask_gateway(probe, query, FORWARDER_TRIES, FORWARDER_SECONDS);
}

/* A name that was asked of the gateway: not answered is the fault of whom it asks. */
static void end_lookup(const Query *query, gboolean answered, ProbeStage *stage)
{
    char text[IP_TEXT];

    if (answered && query->answer.code == DNS_DONE && query->answer.address.family != 0) {
        probe_stage_end(stage, TRI_YES, "%s; %s is %s", stage->detail, query->name,
                        ip_format(&query->answer.address, text));
        return;
    }
    stage->remedy = g_strdup("look at whom dnsmasq asks: /etc/resolv.conf, or <forwarder> of the network");
    if (!answered)
        probe_stage_end(stage, TRI_NO, "the gateway answers, but not for %s: those whom it asks are silent",
                        query->name);
    else if (query->answer.code == DNS_DONE)
        probe_stage_end(stage, TRI_NO, "the gateway knows %s, but no IPv%u address of it", query->name,
                        stage->family);
    else
        probe_stage_end(stage, TRI_NO, "the gateway answers for %s: %s", query->name,
                        dns_code_text(query->answer.code));
}

static void ask_own_name(Probe *probe, ProbeStage *stage)
{
    Query query = {.name = OWN_NAME, .type = DNS_TYPE_TXT, .class = DNS_CLASS_CHAOS};
    char text[IP_TEXT];

    ip_format(&probe->ip->net.ip, text);
    if (!ask_gateway(probe, &query, DNS_TRIES, DNS_SECONDS))
        probe_stage_end(stage, TRI_NO,
                        query.error == ECONNREFUSED ? "nobody listens on port 53 of %s"
                                                    : "the name server %s does not answer",
                        text);
    else if (query.answer.text[0] && !g_str_has_prefix(query.answer.text, OWN_TEXT))
        probe_stage_end(stage, TRI_NO, "on port 53 of %s answers '%s', which is not the network's dnsmasq",
                        text, query.answer.text);
    else
        probe_stage_end(stage, TRI_YES, "%s of %s answers",
                        query.answer.text[0] ? query.answer.text : "the name server", text);
}

/* required: that it has no address of the family is a fault. Returns the address; family 0: none. */
static Ip look_up(Probe *probe, const char *name, gboolean required, ProbeStage *stage)
{
    Query query;
    const gboolean answered = resolve(probe, name, &query);

    if (!required && answered && query.answer.code == DNS_DONE && query.answer.address.family == 0)
        probe_stage_end(stage, TRI_YES, "%s; %s has no IPv%u address", stage->detail, query.name,
                        probe->family);
    else
        end_lookup(&query, answered, stage);
    return query.answer.address;
}

void probe_dns(Probe *probe, ProbeStage *stage)
{
    const ProbeTarget *target = probe->asked->target;
    const char *name = probe->asked->name;
    const gboolean resolves = target && target->ip.family == 0 && probe->resolved.family == 0;

    if (!probe->network->dns_enabled) {
        stage->ms = -1;
        probe_stage_end(stage, TRI_UNKNOWN, "the network has no DNS");
        return;
    }
    if (!configure(probe, stage))
        return;
    ask_own_name(probe, stage);
    /* One that is the target's too is asked for once. */
    if (stage->ok == TRI_YES && name && !(resolves && g_ascii_strcasecmp(name, target->host) == 0))
        look_up(probe, name, FALSE, stage);
    /* That the target has no address of IPv4 is no fault while IPv6 is to come. */
    if (stage->ok == TRI_YES && resolves)
        probe->resolved = look_up(probe, target->host, !probe->more_families, stage);
}

/* ----------------------------------------------------------------------------------------- the target */

/* Whether a packet to there has to be. */
static gboolean is_translated(const Probe *probe, const Ip *to)
{
    return g_strcmp0(probe->network->forward, "nat") == 0 &&
           (probe->family == 4 || probe->network->nat_ipv6) &&
           !probe_stays_here(probe->facts, probe->network, to);
}

/* The target has answered: as whom does it know the guest? */
static void end_answered(Probe *probe, const ConntrackFlow *flow, const char *answer, ProbeStage *stage)
{
    char seen[IP_TEXT], own[IP_TEXT];
    g_autoptr(GError) error = NULL;
    guint16 port;
    Ip address;

    ip_format(&flow->source, own);
    if (!conntrack_translation(flow, &address, &port, deadline_in(1), &error)) {
        /* Translation has the kernel track what it translates. */
        if (is_translated(probe, &flow->destination) &&
            g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
            probe_stage_end(stage, TRI_NO, UNTRANSLATED, answer, own);
            return;
        }
        probe_stage_end(stage, TRI_YES, "%s; as whom it knows the guest cannot be told: %s", answer,
                        error->message);
        return;
    }
    ip_format(&address, seen);
    if (!ip_equal(&address, &flow->source) && flow->protocol == IPPROTO_TCP)
        probe_stage_end(stage, TRI_YES, "%s; outside, %s port %u is %s port %u", answer, own,
                        flow->source_port, seen, port);
    else if (!ip_equal(&address, &flow->source))
        probe_stage_end(stage, TRI_YES, "%s; outside, %s is %s", answer, own, seen);
    else if (is_translated(probe, &flow->destination))
        probe_stage_end(stage, TRI_NO, UNTRANSLATED, answer, own);
    else
        probe_stage_end(stage, TRI_YES, "%s; outside, the guest has its own address %s", answer, own);
}

static double target_seconds(const Probe *probe)
{
    return probe->passes == TRI_NO ? REFUSED_SECONDS : TARGET_SECONDS;
}

static void put_port(int fd, guint16 *port)
{
    /* Cut to the length of IPv4's, which has the port at the same place. */
    struct sockaddr_in here = {0};
    socklen_t length = sizeof(here);

    *port = getsockname(fd, (struct sockaddr *)&here, &length) == 0 ? g_ntohs(here.sin_port) : 0;
}

/* The kernel of the endpoint had no way to send anything: that proves nothing of what is on the way. */
static void end_unsent(const Probe *probe, int number, const Ip *ip, ProbeStage *stage)
{
    g_autofree char *network = text_shell(probe->network->name);
    char text[IP_TEXT];

    ip_format(ip, text);
    stage->settled = TRUE;
    if (probe->router.family != 0) {
        probe_stage_end(stage, TRI_NO, "nothing was sent to %s: %s", text, g_strerror(number));
        return;
    }
    probe_stage_end(stage, TRI_NO, "nothing was sent: the network names its guests no router to %s", text);
    stage->remedy = g_strdup_printf("look for dnsmasq's options in virsh net-dumpxml %s", network);
}

/* *sent: whether anything was. */
static int connect_result(Probe *probe, int fd, const Ip *ip, gboolean *sent)
{
    struct sockaddr_storage address;
    const socklen_t length = probe_sockaddr(probe, ip, probe->asked->target->port, &address);
    int number = 0;
    socklen_t size = sizeof(number);

    *sent = connect(fd, (const struct sockaddr *)&address, length) == 0;
    if (*sent)
        return 0;
    *sent = errno == EINPROGRESS;
    if (!*sent)
        return errno;
    if (!probe_wait(probe, fd, POLLOUT, probe_until(probe, target_seconds(probe))))
        return ETIMEDOUT;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size);
    return number;
}

static void try_connection(Probe *probe, int fd, const Ip *ip, ProbeStage *stage)
{
    const struct linger at_once = {.l_onoff = 1};
    ConntrackFlow flow = {.protocol = IPPROTO_TCP,
                          .source = probe->own.ip,
                          .destination = *ip,
                          .destination_port = probe->asked->target->port};
    gboolean sent;
    const int number = connect_result(probe, fd, ip, &sent);
    g_autofree char *answer = NULL;
    char text[IP_TEXT];

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    put_port(fd, &flow.source_port);
    ip_format(ip, text);
    if (!sent) {
        end_unsent(probe, number, ip, stage);
    } else if (number == 0) {
        answer = g_strdup_printf("%s accepts a connection to port %u", text, flow.destination_port);
        end_answered(probe, &flow, answer, stage);
    } else if (number == ECONNREFUSED && probe->passes == TRI_YES) {
        /* No rule of this host made that up: packets got there and back. The kernel keeps no track of it. */
        probe_stage_end(stage, TRI_YES, "%s refuses a connection to port %u, so packets get there and back",
                        text, flow.destination_port);
    } else if (number == ETIMEDOUT) {
        probe_stage_end(stage, TRI_NO, "%s does not answer on port %u within %g s", text,
                        flow.destination_port, target_seconds(probe));
    } else {
        probe_stage_end(stage, TRI_NO, "no connection to port %u of %s: %s", flow.destination_port, text,
                        g_strerror(number));
    }
}

typedef struct {
    Ip to;
    guint16 id, sequence;
    guint8 code;
    EchoKind came;
} Echo;

static gboolean send_echo(Probe *probe, int fd, gpointer data)
{
    Echo *echo = data;
    g_autoptr(GByteArray) bytes = echo_request(probe->family, echo->id, ++echo->sequence);

    (void)!send(fd, bytes->data, bytes->len, 0);
    return TRUE;
}

static gboolean take_echo(Probe *probe, const guint8 *bytes, gsize length, gpointer data)
{
    Echo *echo = data;

    echo->came = echo_parse(probe->family, bytes, length, echo->id, &echo->code);
    return echo->came != ECHO_NOTHING;
}

static void try_echo(Probe *probe, int fd, const Ip *ip, ProbeStage *stage)
{
    Echo echo = {.to = *ip, .id = (guint16)(g_random_int() | 1)};
    const ConntrackFlow flow = {.protocol = probe->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
                                .source = probe->own.ip,
                                .destination = *ip,
                                .source_port = echo.id};
    struct sockaddr_storage address;
    const socklen_t length = probe_sockaddr(probe, ip, 0, &address);
    g_autofree char *answer = NULL;
    char text[IP_TEXT];

    ip_format(ip, text);
    if (connect(fd, (const struct sockaddr *)&address, length) < 0) {
        end_unsent(probe, errno, ip, stage);
        return;
    }
    (void)probe_exchange(probe, fd, probe->passes == TRI_NO ? REFUSED_ECHO_TRIES : ECHO_TRIES, ECHO_SECONDS,
                         send_echo, take_echo, &echo);
    if (echo.came == ECHO_ANSWER) {
        answer = g_strdup_printf("%s answers an echo", text);
        end_answered(probe, &flow, answer, stage);
    } else if (echo.came == ECHO_UNREACHABLE) {
        probe_stage_end(stage, TRI_NO, "%s is not reached: unreachable, code %u", text, echo.code);
    } else {
        probe_stage_end(stage, TRI_NO, "%s does not answer echoes: %u were sent", text, echo.sequence);
    }
}

void probe_nat(Probe *probe, ProbeStage *stage)
{
    const ProbeTarget *target = probe->asked->target;
    const Ip *ip = target->ip.family ? &target->ip : &probe->resolved;
    const int domain = probe->family == 4 ? AF_INET : AF_INET6;
    const int raw = probe->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    g_autoptr(GError) error = NULL;
    int fd;

    if (!configure(probe, stage))
        return;
    fd = target->port ? endpoint_socket(probe->endpoint, domain, SOCK_STREAM, 0, &error)
                      : endpoint_socket(probe->endpoint, domain, SOCK_RAW, raw, &error);
    if (fd < 0) {
        probe_stage_end(stage, TRI_UNKNOWN, "%s", error->message);
        return;
    }
    if (target->port)
        try_connection(probe, fd, ip, stage);
    else
        try_echo(probe, fd, ip, stage);
    close(fd);
}
