/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/path.h"

#include "base/text.h"
#include "views/json.h"
#include "views/mark.h"

#include <netinet/in.h>
#include <string.h>

/* Longer names do not widen the column. */
#define NAME_MAX_WIDTH 40

static const char *verdict_color(PacketVerdict verdict)
{
    switch (verdict) {
    case PACKET_ACCEPT:
        return MARK_GREEN;
    case PACKET_DROP:
    case PACKET_REJECT:
        return MARK_RED;
    case PACKET_UNKNOWN:
        return MARK_MAGENTA;
    }
    return MARK_PLAIN;
}

/* ------------------------------------------------------------------------------------------------- text */

static void put_title(FILE *out, const Path *path, PathLeg leg, const ViewContext *view)
{
    g_autofree char *guest = path->guest.family ? ip_to_string(&path->guest) : NULL;
    g_autofree char *peer = ip_to_string(&path->peer);
    g_autofree char *host = path->outside.family ? ip_to_string(&path->outside) : NULL;
    g_autofree char *text = NULL;

    switch (leg) {
    case PATH_THERE:
        text = g_strdup_printf("From %s to %s:", path->row->domain, peer);
        break;
    case PATH_BACK:
        text = g_strdup_printf("The answer, back to %s:", path->row->domain);
        break;
    case PATH_TO_GUEST:
        text = g_strdup_printf("From %s to %s itself, %s:", peer, path->row->domain, guest);
        break;
    case PATH_FROM_GUEST:
        text = g_strdup_printf("The answer of %s:", path->row->domain);
        break;
    case PATH_TO_HOST:
    case PATH_LEGS:
        text = g_strdup_printf("From %s to this host in its place, %s:", peer, host ? host : "-");
        break;
    }
    mark_escaped(out, text, view);
    fputs("\n", out);
}

/* The name as it will stand there, for the width of its column. New string. */
static char *shown_name(const PathHop *hop, const ViewContext *view)
{
    return text_escape(hop->name, -1, view->utf8);
}

static guint name_width(const Path *path, const ViewContext *view)
{
    guint width = 0;

    for (guint i = 0; i < path->hops->len; i++) {
        g_autofree char *name = shown_name(path->hops->pdata[i], view);

        width = MAX(width, (guint)g_utf8_strlen(name, -1));
    }
    return MIN(width, NAME_MAX_WIDTH);
}

static void put_hop(FILE *out, const PathHop *hop, guint width, const ViewContext *view)
{
    g_autofree char *name = shown_name(hop, view);
    const char *verdict = path_verdict_name(hop->verdict);
    const glong length = g_utf8_strlen(name, -1);

    fputs("  ", out);
    mark_colored(out, verdict_color(hop->verdict), verdict, view);
    fprintf(out, "%*s  %-7s  %s%*s  ", (int)(strlen("unknown") - strlen(verdict)), "",
            path_kind_name(hop->kind), name, (int)MAX((glong)width - length, 0), "");
    mark_escaped(out, hop->detail, view);
    if (hop->owner)
        fprintf(out, " (%s)", hop->owner);
    fputs("\n", out);
    if (!hop->rule)
        return;
    fprintf(out, "                    %*s  ", (int)width, "");
    mark_escaped(out, hop->rule, view);
    fputs("\n", out);
}

static void put_sentence(FILE *out, const char *text, const char *color, const ViewContext *view)
{
    g_autofree char *shown = text_escape(text, -1, view->utf8);

    if (g_ascii_islower(shown[0]))
        shown[0] = g_ascii_toupper(shown[0]);
    if (color && view->color)
        fprintf(out, "\033[%sm%s\033[%sm.\n", color, shown, MARK_PLAIN);
    else
        fprintf(out, "%s.\n", shown);
}

static void put_checks(FILE *out, const Path *path, const ViewContext *view)
{
    for (guint i = 0; i < path->checks->len; i++)
        fprintf(out, "%s%s%s", i == 0 ? "  check: " : ", ", (const char *)path->checks->pdata[i],
                i + 1 == path->checks->len ? "\n" : "");
    if (!path->remedy)
        return;
    fputs("  try: ", out);
    mark_escaped(out, path->remedy, view);
    fputs("\n", out);
}

/* Who asked for a domain may have meant another of its interfaces. */
static void put_others(FILE *out, const Path *path, const ViewContext *view)
{
    for (guint i = 0; i < path->others->len; i++) {
        const MapRow *row = path->others->pdata[i];
        g_autofree char *mac = row->has_mac ? mac_to_string(&row->mac) : g_strdup("-");
        const char *where = row->network ? row->network : row->bridge;

        fputs(i == 0 ? "  other interfaces: " : ", ", out);
        mark_escaped(out, row->tap ? row->tap : mac, view);
        if (where) {
            fputs(" (", out);
            mark_escaped(out, where, view);
            fputs(")", out);
        }
    }
    if (path->others->len > 0)
        fputs("\n", out);
}

void path_write(FILE *out, const Path *path, gboolean brief, const ViewContext *view)
{
    const guint width = name_width(path, view);
    PathLeg leg = PATH_LEGS;

    for (guint i = 0; !brief && i < path->hops->len; i++) {
        const PathHop *hop = path->hops->pdata[i];

        if (hop->leg != leg)
            put_title(out, path, hop->leg, view);
        leg = hop->leg;
        put_hop(out, hop, width, view);
    }
    if (!brief)
        fputs("\n", out);
    put_sentence(out, path->summary, brief ? NULL : verdict_color(path->verdict), view);
    if (brief)
        return;
    if (path->lesson)
        put_sentence(out, path->lesson, NULL, view);
    for (guint i = 0; i < path->forwards->len; i++) {
        fputs("Forwards to it: ", out);
        mark_escaped(out, path->forwards->pdata[i], view);
        fputs("\n", out);
    }
    put_checks(out, path, view);
    put_others(out, path, view);
}

/* ------------------------------------------------------------------------------------------------ trace */

static char *trace_sentence(const Trace *trace)
{
    if (trace->differences->len > 0)
        return g_strdup_printf("evaluation and kernel differ: %s",
                               (const char *)trace->differences->pdata[0]);
    if (trace->verdict == PACKET_ACCEPT)
        return g_strdup("the kernel says the same: its chains let the probe through");
    if (trace->verdict == PACKET_DROP)
        return g_strdup("the kernel says the same: it dropped the probe there");
    return g_strdup("the kernel says the same: none of its chains refused the probe, and it came to no end");
}

void trace_write(FILE *out, const Trace *trace, gboolean brief, const ViewContext *view)
{
    g_autofree char *sentence = trace_sentence(trace);

    if (!brief)
        fputs("\nThe kernel's own trace:\n", out);
    for (guint i = 0; !brief && i < trace->lines->len; i++) {
        fputs("  ", out);
        mark_escaped(out, trace->lines->pdata[i], view);
        fputs("\n", out);
    }
    if (!brief)
        fputs("\n", out);
    put_sentence(out, sentence, trace->differences->len > 0 ? MARK_RED : NULL, view);
}

/* ------------------------------------------------------------------------------------------------- JSON */

static void put_ip(json_t *obj, const char *key, const Ip *ip)
{
    char buffer[IP_TEXT];

    json_object_set_new(obj, key, ip->family ? json_string(ip_format(ip, buffer)) : json_null());
}

static void put_text_or_null(json_t *obj, const char *key, const char *text)
{
    json_object_set_new(obj, key, text ? json_string(text) : json_null());
}

json_t *json_of_hop(gconstpointer path_hop)
{
    const PathHop *hop = path_hop;
    const FirewallRule *rule = hop->step.table ? hop->step.rule : NULL;
    json_t *obj = json_object();

    put_text_or_null(obj, "leg", path_leg_name(hop->leg));
    put_text_or_null(obj, "hop", path_kind_name(hop->kind));
    json_put_text(obj, "name", hop->name);
    put_text_or_null(obj, "verdict", path_verdict_name(hop->verdict));
    json_put_text(obj, "rule", hop->rule);
    put_text_or_null(obj, "owner", hop->owner);
    json_put_text(obj, "detail", hop->detail);
    put_text_or_null(obj, "hook", hop->hook);
    json_put_text(obj, "chain", hop->step.table ? hop->step.chain->name : NULL);
    json_object_set_new(obj, "handle", rule && rule->handle ? json_integer(rule->handle) : json_null());
    return obj;
}

static const char *protocol_name(guint8 protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMP:
        return "icmp";
    default:
        return "icmpv6";
    }
}

static json_t *json_of_packet(const Path *path)
{
    json_t *obj = json_object();

    put_text_or_null(obj, "protocol", protocol_name(path->packet.protocol));
    put_ip(obj, "source", &path->packet.src);
    put_ip(obj, "destination", &path->packet.dst);
    json_object_set_new(obj, "port", path->packet.dport ? json_integer(path->packet.dport) : json_null());
    return obj;
}

static json_t *json_of_lines(const GPtrArray *lines)
{
    json_t *array = json_array();

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *text = text_utf8(lines->pdata[i], NULL);

        json_array_append_new(array, json_string(text));
    }
    return array;
}

static json_t *json_of_trace(const Trace *trace)
{
    json_t *obj = trace ? json_object() : json_null();

    if (!trace)
        return obj;
    put_text_or_null(obj, "verdict", path_verdict_name(trace->verdict));
    json_object_set_new(obj, "agrees", json_boolean(trace->differences->len == 0));
    json_object_set_new(obj, "decisions", json_of_lines(trace->lines));
    json_object_set_new(obj, "differences", json_of_lines(trace->differences));
    return obj;
}

json_t *json_of_path(const Path *path, const Trace *trace)
{
    json_t *obj = json_object();

    put_text_or_null(obj, "verdict", path_verdict_name(path->verdict));
    json_put_text(obj, "summary", path->summary);
    json_put_text(obj, "lesson", path->lesson);
    json_put_text(obj, "domain", path->row->domain);
    json_put_text(obj, "tap", path->row->tap);
    json_put_text(obj, "network", path->row->network);
    json_object_set_new(obj, "inbound", json_boolean(path->inbound));
    put_ip(obj, "guest_address", &path->guest);
    put_ip(obj, "host_address", &path->outside);
    put_ip(obj, "peer", &path->peer);
    json_object_set_new(obj, "packet", json_of_packet(path));
    json_object_set_new(obj, "forwards", json_of_lines(path->forwards));
    json_object_set_new(obj, "checks", json_of_lines(path->checks));
    json_put_text(obj, "remedy", path->remedy);
    json_object_set_new(obj, "trace", json_of_trace(trace));
    return obj;
}
