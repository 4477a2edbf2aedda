/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/json.h"

#include "base/text.h"

#include <string.h>

#define DELETE_CHARACTER 0x7f

void json_put_text(json_t *obj, const char *key, const char *bytes)
{
    gboolean lossy = FALSE;
    g_autofree char *text = NULL;

    if (!bytes) {
        json_object_set_new(obj, key, json_null());
        return;
    }
    text = text_utf8(bytes, &lossy);
    json_object_set_new(obj, key, json_string(text));
    if (lossy) {
        g_autofree char *hex_key = g_strconcat(key, "_hex", NULL);
        g_autofree char *hex = text_hex(bytes);

        json_object_set_new(obj, hex_key, json_string(hex));
    }
}

void json_put_time(json_t *obj, const char *key, gboolean has, gint64 epoch)
{
    g_autofree char *epoch_key = g_strconcat(key, "_epoch", NULL);
    g_autofree char *text = has ? text_time_utc(epoch) : NULL;

    json_object_set_new(obj, key, text ? json_string(text) : json_null());
    json_object_set_new(obj, epoch_key, has ? json_integer(epoch) : json_null());
}

/* DEL is the one control character that JSON lets stand as it is; inside a string it may be escaped like the
 * others. */
static int json_dump_chunk(const char *buffer, size_t size, void *data)
{
    FILE *out = data;

    while (size > 0) {
        const char *del = memchr(buffer, DELETE_CHARACTER, size);
        size_t plain = del ? (size_t)(del - buffer) : size;

        fwrite(buffer, 1, plain, out);
        if (!del)
            break;
        fputs("\\u007f", out);
        buffer += plain + 1;
        size -= plain + 1;
    }
    return 0; /* write errors stay in the stream, whose owner looks at the end */
}

void json_write_value(FILE *out, json_t *value)
{
    json_dump_callback(value, json_dump_chunk, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
}

void json_write_member(FILE *out, const char *name, json_t *value)
{
    fprintf(out, "\"%s\":", name);
    json_write_value(out, value);
    json_decref(value);
}

json_t *json_of_sources(const Facts *facts)
{
    json_t *sources = json_object();

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        SourceState state = facts->sources[id].state;

        if (state != SOURCE_UNREAD)
            json_object_set_new(sources, source_name(id), json_string(source_state_name(state)));
    }
    return sources;
}

static void json_write_records(FILE *out, const JsonCollection *collection)
{
    fprintf(out, ",\n\"%s\":[", collection->name);
    for (guint i = 0; i < collection->records->len; i++) {
        json_t *record = collection->make(collection->records->pdata[i]);

        fputs(i > 0 ? ",\n" : "\n", out);
        json_write_value(out, record);
        json_decref(record);
    }
    fputs(collection->records->len > 0 ? "\n]" : "]", out);
}

void json_write_members(FILE *out, const Facts *facts, const JsonCollection *collections, json_t *members)
{
    const char *name;
    json_t *value;
    g_autofree char *time = text_time_utc(facts->now);
    json_t *head = json_object();

    json_put_text(head, "host", facts->host);
    json_put_text(head, "uri", facts->uri);
    json_put_text(head, "time", time);
    fprintf(out, "{\"schema\":%d,", JSON_SCHEMA);
    json_object_foreach(head, name, value)
    {
        json_write_member(out, name, json_incref(value));
        fputs(strcmp(name, "time") == 0 ? ",\n" : ",", out);
    }
    json_decref(head);
    json_write_member(out, "sources", json_of_sources(facts));
    for (; collections->name; collections++)
        json_write_records(out, collections);
    json_object_foreach(members, name, value)
    {
        fputs(",\n", out);
        json_write_member(out, name, json_incref(value));
    }
    json_decref(members);
    fputs("}\n", out);
}

void json_write_with(FILE *out, const Facts *facts, const JsonCollection *collections, const char *name,
                     json_t *value)
{
    json_t *members = json_object();

    json_object_set_new(members, name, value);
    json_write_members(out, facts, collections, members);
}

void json_write(FILE *out, const Facts *facts, const JsonCollection *collections)
{
    json_write_members(out, facts, collections, NULL);
}
