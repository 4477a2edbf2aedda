/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/flow-row.h"
#include "world.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Flows for tests, written as conntrack writes them: an address, or with a port "10.0.0.1:80",
 * "[fd00::1]:80". */

static inline void flow_tools_end(const char *text, Ip *ip, guint16 *port, gboolean *has_port)
{
    const char *colon = strchr(text, ':') == strrchr(text, ':') || text[0] == '[' ? strrchr(text, ':') : NULL;
    g_autofree char *address = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    char *bare = address;

    if (bare[0] == '[') {
        bare[strlen(bare) - 1] = '\0';
        bare++;
    }
    *ip = world_ip_of(bare);
    *port = colon ? (guint16)atoi(colon + 1) : 0;
    *has_port = colon != NULL;
}

/* "SOURCE DESTINATION" of both directions; TCP with ports, else ICMP. */
static inline Flow flow_tools_make(const char *original, const char *reply)
{
    g_auto(GStrv) there = g_strsplit(original, " ", 2);
    g_auto(GStrv) back = g_strsplit(reply, " ", 2);
    Flow flow;

    flow_init(&flow);
    flow_tools_end(there[0], &flow.source, &flow.source_port, &flow.has_ports);
    flow_tools_end(there[1], &flow.destination, &flow.destination_port, &flow.has_ports);
    flow_tools_end(back[0], &flow.reply_source, &flow.reply_source_port, &flow.has_ports);
    flow_tools_end(back[1], &flow.reply_destination, &flow.reply_destination_port, &flow.has_ports);
    flow.protocol = flow.has_ports ? IPPROTO_TCP : IPPROTO_ICMP;
    return flow;
}

static inline FlowNames *flow_tools_names(const Facts *facts)
{
    g_autoptr(Map) map = map_join(facts);

    return flow_names_new(facts, map->rows);
}

static inline void flow_tools_put(GString *text, const FlowRow *row, const Ip *ip, guint16 port)
{
    char buffer[IP_TEXT];

    g_string_append(text, ip_format(ip, buffer));
    if (row->flow.has_ports)
        g_string_append_printf(text, ":%u", port);
}

/* "VM1 vnet0 default: GUEST > REMOTE as HOST (REMOTE-DOMAIN)"; "<": the remote end began. */
static inline char *flow_tools_text(const FlowRow *row)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s %s %s: ", row->domain ? row->domain : "-", row->tap ? row->tap : "-",
                           row->network ? row->network : "-");
    flow_tools_put(text, row, &row->guest, row->guest_port);
    g_string_append(text, row->inbound ? " < " : " > ");
    flow_tools_put(text, row, &row->remote, row->remote_port);
    if (row->translated) {
        g_string_append(text, " as ");
        flow_tools_put(text, row, &row->host, row->host_port);
    }
    if (row->remote_domain)
        g_string_append_printf(text, " (%s)", row->remote_domain);
    return g_string_free(text, FALSE);
}
