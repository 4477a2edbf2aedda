/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/packet.h"
#include "sources/firewall.h"
#include "sources/links.h"
#include "sources/proc.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What the evaluator says of packets by the rules of the network namespace that it runs in, which it reads as
 * vnat does. A line of standard input is a packet: the hook, then words NAME=VALUE of the table below. The
 * answer is a line: the verdict, and what it comes from. "read" alone reads the rules again, and answers
 * "read".
 */

typedef struct {
    char *hook;
    Packet packet;
} Question;

static gboolean take_number(const char *text, guint64 max, guint64 *number)
{
    char *end = NULL;

    errno = 0;
    *number = g_ascii_strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && *number <= max;
}

static gboolean take_protocol(Packet *packet, const char *text)
{
    static const struct {
        const char *name;
        guint8 number;
    } protocols[] = {
        {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}};

    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (strcmp(protocols[i].name, text) == 0)
            packet->protocol = protocols[i].number;
    }
    return packet->protocol != 0;
}

static gboolean take_state(Packet *packet, const char *text)
{
    static const char *const states[] = {"new", "established", "related", "invalid", "untracked"};

    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i], text) != 0)
            continue;
        packet->state = (PacketState)i;
        return TRUE;
    }
    return FALSE;
}

static gboolean take_text(Question *question, const char *name, const char *value)
{
    Packet *packet = &question->packet;

    if (strcmp(name, "in") == 0) {
        packet->in = g_strdup(value);
        packet->in_index = if_nametoindex(value);
    } else if (strcmp(name, "out") == 0) {
        packet->out = g_strdup(value);
        packet->out_index = if_nametoindex(value);
    } else if (strcmp(name, "src") == 0) {
        return ip_parse(value, &packet->src);
    } else if (strcmp(name, "dst") == 0) {
        return ip_parse(value, &packet->dst);
    } else if (strcmp(name, "proto") == 0) {
        return take_protocol(packet, value);
    } else if (strcmp(name, "state") == 0) {
        return take_state(packet, value);
    } else {
        return FALSE;
    }
    return TRUE;
}

static gboolean take_word(Question *question, const char *name, const char *value)
{
    Packet *packet = &question->packet;
    guint64 number;

    if (!take_number(value, G_MAXUINT32, &number))
        return take_text(question, name, value);
    if (strcmp(name, "family") == 0)
        packet->family = (guint8)number;
    else if (strcmp(name, "sport") == 0)
        packet->sport = (guint16)number;
    else if (strcmp(name, "dport") == 0)
        packet->dport = (guint16)number;
    else if (strcmp(name, "type") == 0)
        packet->icmp_type = (guint8)number;
    else if (strcmp(name, "reply") == 0)
        packet->reply = number != 0;
    else if (strcmp(name, "bridged") == 0)
        packet->bridged = number != 0;
    else if (strcmp(name, "cast") == 0)
        packet->cast = (PacketCast)number;
    else if (strcmp(name, "mark") == 0)
        packet->mark = (guint32)number;
    else
        return take_text(question, name, value);
    return TRUE;
}

static gboolean take_question(const char *line, Question *question)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    *question = (Question){.hook = g_strdup(words[0])};
    for (guint i = 1; words[i]; i++) {
        char *equal = strchr(words[i], '=');

        if (!equal)
            return FALSE;
        *equal = '\0';
        if (!take_word(question, words[i], equal + 1))
            return FALSE;
    }
    return TRUE;
}

static void question_clear(Question *question)
{
    g_free(question->hook);
    g_free((gpointer)question->packet.in);
    g_free((gpointer)question->packet.out);
}

static Facts *facts_of_host(void)
{
    Facts *facts = facts_new();
    GError *error = NULL;

    facts->local = TRUE;
    if (!firewall_read(facts, deadline_in(60), &error) ||
        !links_read(facts, LINKS_LINKS | LINKS_ADDRESSES | LINKS_ROUTES, deadline_in(60), &error)) {
        fprintf(stderr, "packet-verdict: %s\n", error->message);
        exit(1);
    }
    proc_read(facts);
    return facts;
}

static void answer(const Facts *facts, const Question *question)
{
    g_autoptr(PacketResult) result = packet_evaluate(facts, question->hook, &question->packet);
    const PacketStep *cause = packet_cause(result);
    g_autofree char *text = cause ? packet_step_text(cause) : g_strdup(result->why ? result->why : "");

    g_strdelimit(text, "\n", ' ');
    printf("%s %s\n", packet_verdict_name(result->verdict), text);
}

int main(void)
{
    g_autoptr(Facts) facts = NULL;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, stdin)) > 0) {
        Question question = {0};

        g_strchomp(line);
        if (strcmp(line, "read") == 0) {
            facts_free(facts);
            facts = facts_of_host();
            puts("read");
        } else if (facts && take_question(line, &question)) {
            answer(facts, &question);
        } else {
            fprintf(stderr, "packet-verdict: not a packet: %s\n", line);
            return 2;
        }
        question_clear(&question);
        fflush(stdout);
    }
    free(line);
    return 0;
}
