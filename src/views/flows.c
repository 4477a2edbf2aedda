/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/flows.h"

#include "base/text.h"
#include "views/watch-private.h"
#include "views/watch-words.h"

char *flow_end_to_string(const Ip *ip, gboolean has_port, guint16 port)
{
    char buffer[IP_TEXT];

    ip_format(ip, buffer);
    if (!has_port)
        return g_strdup(buffer);
    return g_strdup_printf(ip->family == 6 ? "[%s]:%u" : "%s:%u", buffer, port);
}

/* -------------------------------------------------------------------------------------------- JSON */

void flows_json_snapshot(FILE *out, WatchStamp *stamp, const Facts *facts, const GPtrArray *rows,
                         gboolean resync)
{
    watch_line_open(out, watch_line_new(stamp, resync ? "resync" : "snapshot"), facts);
    watch_line_records(out, "flows", rows, json_of_flow);
    watch_line_close(out);
}

void flows_json_event(FILE *out, WatchStamp *stamp, FlowEvent event, const FlowRow *row)
{
    json_t *line = watch_line_new(stamp, event == FLOW_ENDED ? "flow.ended" : "flow.began");

    json_object_set_new(line, "flow", json_of_flow(row));
    watch_line_write(out, line);
}

/* ------------------------------------------------------------------------------------------- words */

static void put_end(const Words *words, const char *before, const Ip *ip, const FlowRow *row, guint16 port)
{
    g_autofree char *end = flow_end_to_string(ip, row->flow.has_ports, port);

    words_put(words, before);
    words_put(words, end);
}

/* Whose it is: "VM1 vnet0 ", or "default " of an address that nobody is known by. */
static void put_subject(const Words *words, const FlowRow *row)
{
    const char *first = row->domain ? row->domain : row->network;

    words_name(words, first);
    words_put(words, " ");
    if (row->domain && row->tap) {
        words_name(words, row->tap);
        words_put(words, " ");
    }
}

static void put_figures(const Words *words, const FlowRow *row)
{
    if (flow_row_bytes(row) >= 0)
        fprintf(words->out, ", %" G_GINT64_FORMAT " bytes", flow_row_bytes(row));
    if (flow_row_packets(row) >= 0)
        fprintf(words->out, ", %" G_GINT64_FORMAT " packets", flow_row_packets(row));
    if (row->age >= 0) {
        g_autofree char *age = text_span(row->age);

        fprintf(words->out, ", %s", age);
    }
}

void flows_text_event(FILE *out, const WatchStamp *stamp, const ViewContext *context, FlowEvent event,
                      const FlowRow *row)
{
    static const struct {
        const char *color, *word;
    } events[] = {
        [FLOW_HAS] = {NULL, "has "}, [FLOW_BEGAN] = {MARK_GREEN, "began "}, [FLOW_ENDED] = {NULL, "ended "}};
    Words words = words_new(out, stamp, context);
    char buffer[FLOW_PROTOCOL_TEXT];

    words.news = event != FLOW_HAS;
    words_begin(&words);
    put_subject(&words, row);
    words_colored(&words, events[event].color, events[event].word);
    words_put(&words, flow_protocol_name(row->flow.protocol, buffer));
    put_end(&words, " ", &row->guest, row, row->guest_port);
    put_end(&words, row->inbound ? " from " : " to ", &row->remote, row, row->remote_port);
    if (row->translated)
        put_end(&words, " as ", &row->host, row, row->host_port);
    if (event == FLOW_ENDED)
        put_figures(&words, row);
    words_end(&words);
}

void flows_text_resync(FILE *out, const WatchStamp *stamp, const ViewContext *context)
{
    Words words = words_new(out, stamp, context);

    words_begin(&words);
    words_colored(&words, MARK_YELLOW, "read again");
    words_put(&words, ", for something was missed");
    words_end(&words);
}
