/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/table.h"

#include "base/error.h"
#include "base/text.h"

#include <libsmartcols.h>
#include <string.h>

#define MISSING "-"
#define SEPARATOR "   "
#define SEPARATOR_COLUMNS 3

static const Column *column_find(const ColumnSet *set, const char *id)
{
    for (guint i = 0; i < set->count; i++) {
        if (g_ascii_strcasecmp(set->columns[i].id, id) == 0)
            return &set->columns[i];
    }
    return NULL;
}

static gboolean column_unknown(const ColumnSet *set, const char *id, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    const char *close;

    for (guint i = 0; i < set->count; i++)
        g_ptr_array_add(known, (gpointer)set->columns[i].id);
    g_ptr_array_add(known, NULL);
    close = text_suggest(id, (const char *const *)known->pdata);
    vnat_error_set(error, VNAT_ERROR_USAGE, "no column is called '%s'", id);
    if (close)
        vnat_error_hint(error, "did you mean '%s'? --list-columns shows them all", close);
    else
        vnat_error_hint(error, "--list-columns shows them all");
    return FALSE;
}

static gboolean columns_add(const ColumnSet *set, const char *list, GPtrArray *columns, GError **error)
{
    g_auto(GStrv) ids = g_strsplit(list, ",", -1);

    if (!ids[0]) /* of an empty list g_strsplit makes no word at all */
        return column_unknown(set, "", error);
    for (guint i = 0; ids[i]; i++) {
        const Column *column = column_find(set, g_strstrip(ids[i]));

        if (!column)
            return column_unknown(set, ids[i], error);
        g_ptr_array_add(columns, (gpointer)column);
    }
    return TRUE;
}

GPtrArray *columns_select(const ColumnSet *set, const char *standard, const char *spec, GError **error)
{
    g_autoptr(GPtrArray) columns = g_ptr_array_new();
    const char *list = spec ? spec : standard;

    if (list[0] == '+') {
        if (!columns_add(set, standard, columns, error))
            return NULL;
        list++;
    }
    if (!columns_add(set, list, columns, error))
        return NULL;
    return g_steal_pointer(&columns);
}

void columns_list(FILE *out, const ColumnSet *set)
{
    guint width = 0;

    for (guint i = 0; i < set->count; i++)
        width = MAX(width, (guint)strlen(set->columns[i].id));
    for (guint i = 0; i < set->count; i++)
        fprintf(out, "%-*s  %s\n", (int)width, set->columns[i].id, set->columns[i].help);
}

/* --------------------------------------------------------------------------------------------- CSV */

static void csv_write_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* An empty field is a missing value. Escaped text has no line feed, so a record stays a line. */
static void csv_write(FILE *out, const GPtrArray *columns, const GPtrArray *records, const ViewContext *view)
{
    for (guint i = 0; !view->noheadings && i < columns->len; i++) {
        const Column *column = columns->pdata[i];

        fprintf(out, "%s%s", i > 0 ? "," : "", column->id);
    }
    if (!view->noheadings)
        fputs("\n", out);
    for (guint r = 0; r < records->len; r++) {
        for (guint i = 0; i < columns->len; i++) {
            const Column *column = columns->pdata[i];
            g_autofree char *raw = column->get(records->pdata[r], view);
            g_autofree char *text = text_escape(raw, -1, view->utf8);

            if (i > 0)
                fputc(',', out);
            csv_write_field(out, text);
        }
        fputs("\n", out);
    }
}

/* ------------------------------------------------------------------------------------------- table */

static const char *color_name(CellColor color)
{
    switch (color) {
    case COLOR_NONE:
        return NULL;
    case COLOR_GOOD:
        return "green";
    case COLOR_WARN:
        return "brown";
    case COLOR_BAD:
        return "red";
    }
    return NULL;
}

static void table_fill(struct libscols_table *table, const GPtrArray *columns, const GPtrArray *records,
                       const ViewContext *view)
{
    for (guint r = 0; r < records->len; r++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        for (guint i = 0; line && i < columns->len; i++) {
            const Column *column = columns->pdata[i];
            g_autofree char *raw = column->get(records->pdata[r], view);
            g_autofree char *text = raw && *raw ? text_cell(raw, view->utf8, TEXT_CELL_COLUMNS) : NULL;

            scols_line_set_data(line, i, text ? text : MISSING);
            if (view->color && column->color)
                scols_cell_set_color(scols_line_get_cell(line, i),
                                     color_name(column->color(records->pdata[r])));
        }
    }
}

/* smartcols knows no rule below its titles: its text is written line by line, with virsh's leading space and
 * rule. */
static void table_write_lines(FILE *out, const char *text, guint rule, gboolean headings)
{
    gboolean first = headings;

    while (*text) {
        const char *end = strchrnul(text, '\n');

        fprintf(out, " %.*s\n", (int)(end - text), text);
        if (first) {
            for (guint i = 0; i < rule; i++)
                fputc('-', out);
            fputs("\n", out);
            first = FALSE;
        }
        text = *end ? end + 1 : end;
    }
}

static guint table_rule(struct libscols_table *table, guint count)
{
    guint rule = 0;

    for (guint i = 0; i < count; i++)
        rule += (guint)scols_column_get_width(scols_table_get_column(table, i)) + SEPARATOR_COLUMNS;
    return rule;
}

/* smartcols prints nothing at all for a table without lines; virsh prints its titles. */
static void table_write_titles(FILE *out, const GPtrArray *columns)
{
    guint rule = 0;

    for (guint i = 0; i < columns->len; i++) {
        const Column *column = columns->pdata[i];

        fprintf(out, "%s%s", i > 0 ? SEPARATOR : " ", column->title);
        rule += (guint)strlen(column->title) + SEPARATOR_COLUMNS;
    }
    fputs("\n", out);
    for (guint i = 0; i < rule; i++)
        fputc('-', out);
    fputs("\n", out);
}

static struct libscols_table *table_new(const GPtrArray *columns, const ViewContext *view)
{
    struct libscols_table *table = scols_new_table();

    if (!table)
        g_error("out of memory");
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    scols_table_enable_noencoding(table,
                                  1); /* cells are escaped already; its own form would escape the escapes */
    scols_table_enable_noheadings(table, view->noheadings);
    scols_table_enable_colors(table, view->color);
    scols_table_set_column_separator(table, SEPARATOR);
    for (guint i = 0; i < columns->len; i++)
        scols_table_new_column(table, ((const Column *)columns->pdata[i])->title, 0, 0);
    return table;
}

void table_write(FILE *out, const GPtrArray *columns, const GPtrArray *records, const ViewContext *view)
{
    struct libscols_table *table;
    char *text = NULL;

    if (view->csv) {
        csv_write(out, columns, records, view);
        return;
    }
    if (records->len == 0) {
        if (!view->noheadings)
            table_write_titles(out, columns);
    } else {
        table = table_new(columns, view);
        table_fill(table, columns, records, view);
        if (scols_print_table_to_string(table, &text) == 0 && text)
            table_write_lines(out, text, table_rule(table, columns->len), !view->noheadings);
        free(text);
        scols_unref_table(table);
    }
    if (!view->noheadings)
        fputs("\n", out);
}
