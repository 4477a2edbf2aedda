/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "base/text.h"
#include "fuzz.h"
#include "views/json.h"
#include "views/table.h"
#include "views/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes through the writers of documents: a JSON document comes back from two readers as it went in, CSV
 * has the bytes in its fields, a table has a line for each record, a line of watch is one line; and none has
 * a byte that a terminal acts on.
 */

#define RECORDS 2

static char *get_bytes(gconstpointer record, const ViewContext *view)
{
    return g_strdup(record);
}

static char *get_fixed(gconstpointer record, const ViewContext *view)
{
    return g_strdup("fixed");
}

static const Column columns[] = {
    {"bytes", "Bytes", "", get_bytes, NULL},
    {"fixed", "Fixed", "", get_fixed, NULL},
    {"again", "Again", "", get_bytes, NULL},
};
static const ColumnSet column_set = {columns, G_N_ELEMENTS(columns)};

/* Writes the records as a table or CSV into a new string. */
static char *write_records(const GPtrArray *records, const ViewContext *view)
{
    g_autoptr(GPtrArray) selected = columns_select(&column_set, "bytes,fixed,again", NULL, NULL);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    table_write(out, selected, records, view);
    require(fclose(out) == 0 && strlen(text) == size);
    return text;
}

static guint count_lines(const char *text)
{
    guint lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* A table's cells are cut, so of the bytes no more can be said than that text_cell made them. */
static void table(const GPtrArray *records, gboolean utf8, gboolean noheadings)
{
    ViewContext view = {.utf8 = utf8, .noheadings = noheadings};
    const char *bytes = records->pdata[0];
    g_autofree char *cell = *bytes ? text_cell(bytes, utf8, TEXT_CELL_COLUMNS) : g_strdup("-");
    char *text = write_records(records, &view);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    fuzz_require_harmless(text, utf8, "\n");
    require(count_lines(text) == RECORDS + (noheadings ? 0 : 3));
    for (guint i = 0; i < RECORDS; i++) {
        const char *line = lines[i + (noheadings ? 0 : 2)];

        require(line[0] == ' ' && g_str_has_prefix(line + 1, cell) && strstr(line, "   fixed   "));
    }
    free(text);
}

/* The next field of CSV, without its quotes; *at stands behind its comma or line feed then. */
static char *csv_field(const char **at, char end)
{
    GString *field = g_string_new(NULL);
    const char *p = *at;
    gboolean quoted = *p == '"';

    for (p += quoted; *p && (quoted || *p != end); p++) {
        if (quoted && *p == '"' && *++p != '"')
            break;
        require(quoted || (*p != ',' && *p != '"'));
        g_string_append_c(field, *p);
    }
    require(*p == end);
    *at = p + 1;
    return g_string_free(field, FALSE);
}

static void csv(const GPtrArray *records, gboolean utf8)
{
    ViewContext view = {.utf8 = utf8, .csv = TRUE, .noheadings = TRUE};
    char *text = write_records(records, &view);
    const char *at = text;

    fuzz_require_harmless(text, utf8, "\n");
    require(count_lines(text) == RECORDS);
    for (guint i = 0; i < RECORDS * G_N_ELEMENTS(columns); i++) {
        guint column = i % G_N_ELEMENTS(columns);
        g_autofree char *field = csv_field(&at, column + 1 < G_N_ELEMENTS(columns) ? ',' : '\n');
        g_autofree char *back = text_unescape(field, NULL);

        require(fuzz_equal(back, column == 1 ? "fixed" : records->pdata[0]));
    }
    require(*at == '\0');
    free(text);
}

static json_t *make_record(gconstpointer record)
{
    json_t *object = json_object();

    json_put_text(object, "t", record);
    json_put_time(object, "when", TRUE, (gint64)strlen(record));
    return object;
}

/* obj[key] is the text, and obj[key_hex] its bytes if it is not all of them. */
static void require_text(const json_t *object, const char *key, const char *bytes)
{
    g_autofree char *hex_key = g_strconcat(key, "_hex", NULL);
    g_autofree char *hex = text_hex(bytes);
    const char *text = json_string_value(json_object_get(object, key));
    const char *text_bytes = json_string_value(json_object_get(object, hex_key));

    if (g_utf8_validate(bytes, -1, NULL))
        require(fuzz_equal(text, bytes) && !text_bytes);
    else
        require(text && fuzz_equal(text_bytes, hex));
}

static void json(const GPtrArray *records)
{
    const JsonCollection collections[] = {{"records", records, make_record}, {0}};
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(json_t) root = NULL;
    g_autoptr(json_t) ours = NULL;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    facts->host = g_strdup(records->pdata[0]);
    facts->uri = g_strdup(records->pdata[0]);
    json_write(out, facts, collections);
    require(fclose(out) == 0 && strlen(text) == size);
    fuzz_require_harmless(text, FALSE, "\n");
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ours = json_parse(text, size, JSON_DEPTH, FALSE, NULL);
    require(root && ours && json_equal(root, ours));
    require(json_array_size(json_object_get(root, "records")) == RECORDS);
    for (guint i = 0; i < RECORDS; i++)
        require_text(json_array_get(json_object_get(root, "records"), i), "t", records->pdata[0]);
    require(g_utf8_validate(records->pdata[0], -1, NULL) ==
            fuzz_equal(json_string_value(json_object_get(root, "host")), records->pdata[0]));
    free(text);
}

/* A row, a lease, a network and a finding, all of whose texts are these. */
typedef struct {
    MapRow row, before;
    Lease lease, lease_before;
    Network network;
    NetworkRow network_row;
    Finding finding;
    Change change;
} News;

static void news_of(News *news, char *bytes)
{
    const Ip ip = {.family = 4, .bytes = {192, 0, 2, 1}};

    *news = (News){
        .row = {.domain = bytes, .domain_uuid = bytes, .has_domain = TRUE, .alias = bytes, .tap = bytes}};
    news->row.interface_known = TRUE;
    news->row.ifindex = 7;
    news->row.network = news->row.source = news->row.type = news->row.bridge = bytes;
    news->row.addresses = g_ptr_array_new();
    news->row.problems = g_ptr_array_new();
    news->before = news->row;
    news->before.domain = news->before.bridge = news->before.tap = news->before.source = (char *)"x";
    news->lease = (Lease){.network = bytes, .ip = ip, .hostname = bytes, .client_id = bytes, .iaid = bytes};
    news->lease_before = (Lease){.network = bytes, .ip = ip};
    news->network =
        (Network){.name = bytes, .uuid = bytes, .bridge = bytes, .forward = bytes, .active = TRUE};
    news->network_row = (NetworkRow){.network = &news->network, .pools = g_ptr_array_new()};
    news->finding = (Finding){.id = "tap-down", .object = bytes, .message = bytes, .remedy = bytes};
    news->finding.evidence = g_ptr_array_new();
    news->change = (Change){.row = &news->row, .before = &news->before, .lease = &news->lease};
    news->change.lease_before = &news->lease_before;
    news->change.network = news->change.network_before = &news->network_row;
    news->change.finding = &news->finding;
    news->change.text = bytes;
}

static void news_clear(News *news)
{
    g_ptr_array_unref(news->row.addresses);
    g_ptr_array_unref(news->row.problems);
    g_ptr_array_unref(news->network_row.pools);
    g_ptr_array_unref(news->finding.evidence);
}

static void watch_json(News *news)
{
    WatchStamp stamp = {.seq = 1};
    g_autoptr(json_t) root = NULL;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    watch_json_change(out, &stamp, &news->change);
    require(fclose(out) == 0 && strlen(text) == size && stamp.seq == 2);
    require(count_lines(text) == 1 && text[size - 1] == '\n');
    fuzz_require_harmless(text, FALSE, "\n");
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    require(root &&
            fuzz_equal(json_string_value(json_object_get(root, "type")), change_name(news->change.type)));
    free(text);
}

static void watch_text(News *news, gboolean utf8)
{
    const WatchStamp stamp = {.seq = 1};
    const ViewContext view = {.utf8 = utf8};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    guint lines = watch_text_change(out, &stamp, &view, &news->change);

    require(fclose(out) == 0 && strlen(text) == size);
    require(count_lines(text) == lines);
    fuzz_require_harmless(text, utf8, "\n");
    free(text);
}

static void watch(char *bytes, gboolean utf8)
{
    News news;

    news_of(&news, bytes);
    for (guint type = 0; type < CHANGE_COUNT; type++) {
        news.change.type = type;
        watch_json(&news);
        watch_text(&news, utf8);
    }
    news_clear(&news);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *string = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) records = g_ptr_array_new();
    gboolean utf8 = size % 2 != 0 && text_locale_is_utf8();

    for (guint i = 0; i < RECORDS; i++)
        g_ptr_array_add(records, string);
    table(records, utf8, size % 3 == 0);
    csv(records, utf8);
    json(records);
    watch(string, utf8);
    return 0;
}
