/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "base/text.h"
#include "views/watch-private.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------- changes */

static void put_pair(json_t *changes, const char *key, json_t *before, json_t *now)
{
    json_object_set_new(
        changes, key,
        json_pack("[o,o]", before ? json_incref(before) : json_null(), now ? json_incref(now) : json_null()));
}

json_t *watch_changes(json_t *before, json_t *now)
{
    json_t *changes = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(now, key, value)
    {
        json_t *old = json_object_get(before, key);

        if (!old || !json_equal(old, value))
            put_pair(changes, key, old, value);
    }
    json_object_foreach(before, key, value)
    {
        if (!json_object_get(now, key))
            put_pair(changes, key, value, NULL);
    }
    return changes;
}

/* A copy of a network's <ip>s without the number of leases. */
static json_t *ips_alone(json_t *network)
{
    json_t *ips = json_deep_copy(json_object_get(network, "ips"));
    json_t *ip;
    gsize i;

    json_array_foreach(ips, i, ip)
    {
        json_t *dhcp = json_object_get(ip, "dhcp");

        if (json_is_object(dhcp))
            json_object_del(dhcp, "leases");
    }
    return ips;
}

json_t *watch_network_changes(const NetworkRow *before, const NetworkRow *now)
{
    g_autoptr(json_t) old = json_of_network(before);
    g_autoptr(json_t) new = json_of_network(now);
    g_autoptr(json_t) old_ips = ips_alone(old);
    g_autoptr(json_t) new_ips = ips_alone(new);
    json_t *changes = watch_changes(old, new);

    json_object_del(changes, "interfaces");
    if (json_equal(old_ips, new_ips))
        json_object_del(changes, "ips");
    return changes;
}

/* ------------------------------------------------------------------------------------------- lines */

/* RFC 3339 like every time, but with microseconds: between an event and its line there are few of them. */
static json_t *json_of_moment(gint64 usec)
{
    gint64 part = usec % G_USEC_PER_SEC;
    gint64 seconds = usec / G_USEC_PER_SEC;
    g_autofree char *whole = NULL;
    g_autofree char *text = NULL;

    if (part < 0) {
        part += G_USEC_PER_SEC;
        seconds--;
    }
    whole = text_time_utc(seconds);
    if (!whole)
        return json_null();
    whole[strlen(whole) - 1] = '\0'; /* the Z */
    text = g_strdup_printf("%s.%06dZ", whole, (int)part);
    return json_string(text);
}

json_t *watch_line_new(WatchStamp *stamp, const char *type)
{
    json_t *line = json_object();

    json_object_set_new(line, "schema", json_integer(JSON_SCHEMA));
    json_object_set_new(line, "seq", json_integer((json_int_t)stamp->seq++));
    json_object_set_new(line, "time", json_of_moment(stamp->wall_usec));
    json_object_set_new(line, "type", json_string(type));
    return line;
}

void watch_line_write(FILE *out, json_t *line)
{
    json_write_value(out, line);
    fputc('\n', out);
    json_decref(line);
}

/* What there is to say of a source beside its state: why it is not live, or what a live one cannot do. */
static json_t *json_of_notes(const Facts *facts)
{
    json_t *notes = json_object();

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const SourceStatus *status = &facts->sources[id];

        if (status->state != SOURCE_UNREAD && status->error)
            json_put_text(notes, source_name(id), status->error);
    }
    return notes;
}

void watch_line_open(FILE *out, json_t *line, const Facts *facts)
{
    const char *separator = "{";
    const char *key;
    json_t *value;

    json_put_text(line, "host", facts->host);
    json_put_text(line, "uri", facts->uri);
    json_object_set_new(line, "sources", json_of_sources(facts));
    json_object_set_new(line, "notes", json_of_notes(facts));
    json_object_foreach(line, key, value)
    {
        fputs(separator, out);
        json_write_member(out, key, json_incref(value));
        separator = ",";
    }
    json_decref(line);
}

void watch_line_records(FILE *out, const char *name, const GPtrArray *records,
                        json_t *(*make)(gconstpointer record))
{
    fprintf(out, ",\"%s\":[", name);
    for (guint i = 0; i < records->len; i++) {
        json_t *record = make(records->pdata[i]);

        if (i > 0)
            fputc(',', out);
        json_write_value(out, record);
        json_decref(record);
    }
    fputc(']', out);
}

void watch_line_close(FILE *out)
{
    fputs("}\n", out);
}

void watch_json_snapshot(FILE *out, WatchStamp *stamp, const Facts *facts, const GPtrArray *rows,
                         const GPtrArray *networks, gboolean resync)
{
    watch_line_open(out, watch_line_new(stamp, resync ? "resync" : "snapshot"), facts);
    watch_line_records(out, "interfaces", rows, json_of_interface);
    watch_line_records(out, "networks", networks, json_of_network);
    watch_line_close(out);
}

static void put_interface(json_t *line, const Change *change)
{
    json_object_set_new(line, "interface", json_of_interface(change->row));
    if (change->type == CHANGE_INTERFACE_CHANGED) {
        g_autoptr(json_t) before = json_of_interface(change->before);

        json_object_set_new(line, "changes", watch_changes(before, json_object_get(line, "interface")));
    }
}

static void put_lease(json_t *line, const Change *change)
{
    MapLease now = {.lease = change->lease, .row = change->row};

    json_object_set_new(line, "lease", json_of_lease(&now));
    json_object_set_new(line, "interface", change->row ? json_of_interface(change->row) : json_null());
    if (change->type == CHANGE_LEASE_RENEWED) {
        MapLease then = {.lease = change->lease_before, .row = change->row};
        g_autoptr(json_t) before = json_of_lease(&then);

        json_object_set_new(line, "changes", watch_changes(before, json_object_get(line, "lease")));
    }
}

static void put_network(json_t *line, const Change *change)
{
    json_object_set_new(line, "network", json_of_network(change->network));
    if (change->type == CHANGE_NETWORK_CHANGED)
        json_object_set_new(line, "changes", watch_network_changes(change->network_before, change->network));
}

static void put_source(json_t *line, const Change *change, const char *text)
{
    json_object_set_new(line, "source", json_string(source_name(change->source)));
    json_put_text(line, text, change->text);
}

void watch_json_change(FILE *out, WatchStamp *stamp, const Change *change)
{
    json_t *line = watch_line_new(stamp, change_name(change->type));

    switch (change->type) {
    case CHANGE_INTERFACE_ADDED:
    case CHANGE_INTERFACE_CHANGED:
    case CHANGE_INTERFACE_REMOVED:
        put_interface(line, change);
        break;
    case CHANGE_LEASE_ADDED:
    case CHANGE_LEASE_RENEWED:
    case CHANGE_LEASE_REMOVED:
        put_lease(line, change);
        break;
    case CHANGE_NETWORK_DEFINED:
    case CHANGE_NETWORK_UNDEFINED:
    case CHANGE_NETWORK_STARTED:
    case CHANGE_NETWORK_STOPPED:
    case CHANGE_NETWORK_CHANGED:
        put_network(line, change);
        break;
    case CHANGE_SOURCE_LIVE:
    case CHANGE_SOURCE_STALE:
    case CHANGE_SOURCE_DOWN:
        put_source(line, change, "error");
        break;
    case CHANGE_AUDIT_MISMATCH:
        put_source(line, change, "detail");
        break;
    case CHANGE_CHECK_RAISED:
    case CHANGE_CHECK_CLEARED:
        json_object_set_new(line, "finding", json_of_finding(change->finding));
        break;
    case CHANGE_COUNT:
        break;
    }
    watch_line_write(out, line);
}
