/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/text.h"
#include "views/table.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record is an array of three texts; NULL is a missing value. */
typedef const char *Record[3];

static char *get_first(gconstpointer record, const ViewContext *view)
{
    return g_strdup((*(const Record *)record)[0]);
}

static char *get_second(gconstpointer record, const ViewContext *view)
{
    return g_strdup((*(const Record *)record)[1]);
}

static char *get_third(gconstpointer record, const ViewContext *view)
{
    return g_strdup((*(const Record *)record)[2]);
}

static CellColor color_second(gconstpointer record)
{
    const char *text = (*(const Record *)record)[1];

    return !text ? COLOR_NONE : *text == 'g' ? COLOR_GOOD : *text == 'w' ? COLOR_WARN : COLOR_BAD;
}

static const Column column_table[] = {
    {"first", "First", "the first", get_first, NULL},
    {"second-one", "Second one", "the second", get_second, color_second},
    {"third", "Third", "the third", get_third, NULL},
};

static const ColumnSet set = {column_table, G_N_ELEMENTS(column_table)};

#define ALL "first,second-one,third"

static char *written(const char *standard, const Record *records, gsize count, const ViewContext *view)
{
    g_autoptr(GPtrArray) columns = columns_select(&set, standard, NULL, NULL);
    g_autoptr(GPtrArray) array = g_ptr_array_new();
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (gsize i = 0; i < count; i++)
        g_ptr_array_add(array, (gpointer)&records[i]);
    table_write(out, columns, array, view);
    g_assert_cmpint(fclose(out), ==, 0);
    return text;
}

static void assert_written(const Record *records, gsize count, const ViewContext *view, const char *expected)
{
    char *text = written(ALL, records, count, view);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

/* ------------------------------------------------------------------------------------------- shape */

/* A leading space, three between columns, the last not padded, a rule from the first column on, a line. */
static void test_shape(void)
{
    static const Record records[] = {{"a", "b", "c"}, {"longer than title", "x", "d"}, {"e", "f", "g hij k"}};
    ViewContext view = {0};

    assert_written(records, 3, &view,
                   " First               Second one   Third\n"
                   "-------------------------------------------\n"
                   " a                   b            c\n"
                   " longer than title   x            d\n"
                   " e                   f            g hij k\n"
                   "\n");
}

static void test_empty(void)
{
    ViewContext view = {0};

    assert_written(NULL, 0, &view,
                   " First   Second one   Third\n"
                   "-----------------------------\n"
                   "\n");
    view.noheadings = TRUE;
    assert_written(NULL, 0, &view, "");
    view.csv = TRUE;
    assert_written(NULL, 0, &view, "");
    view.noheadings = FALSE;
    assert_written(NULL, 0, &view, "first,second-one,third\n");
}

static void test_missing(void)
{
    static const Record records[] = {{"a", NULL, NULL}, {NULL, "", "c"}};
    ViewContext view = {0};

    assert_written(records, 2, &view,
                   " First   Second one   Third\n"
                   "-----------------------------\n"
                   " a       -            -\n"
                   " -       -            c\n"
                   "\n");
}

static void test_noheadings(void)
{
    static const Record records[] = {{"a", "b", "c"}, {"aaaaaaaa", "b", "c"}};
    ViewContext view = {.noheadings = TRUE};

    /* Columns keep their titles' widths: output of several runs stays in line. */
    assert_written(records, 2, &view,
                   " a          b            c\n"
                   " aaaaaaaa   b            c\n");
}

static void test_one_column(void)
{
    static const Record records[] = {{"a b", NULL, NULL}, {"abcdefghi", NULL, NULL}};
    ViewContext view = {0};
    char *text = written("first", records, 2, &view);

    g_assert_cmpstr(text, ==,
                    " First\n"
                    "------------\n"
                    " a b\n"
                    " abcdefghi\n"
                    "\n");
    free(text);
}

static void test_wide(void)
{
    static const Record records[] = {{"\xe6\x97\xa5\xe6\x9c\xac", "b", "c"}, {"abcdefg", "e\xcc\x81", "c"}};
    ViewContext view = {.utf8 = TRUE};

    if (!text_locale_is_utf8()) {
        g_test_skip("no UTF-8 locale");
        return;
    }
    assert_written(records, 2, &view,
                   " First     Second one   Third\n"
                   "-------------------------------\n"
                   " \xe6\x97\xa5\xe6\x9c\xac      b            c\n"
                   " abcdefg   e\xcc\x81            c\n"
                   "\n");
}

static void test_color(void)
{
    static const Record records[] = {{"a", "good", "c"}, {"a", "warn", "c"}, {"a", "bad", "c"}};
    ViewContext view = {.color = TRUE, .noheadings = TRUE};
    char *text = written(ALL, records, 3, &view);

    g_assert_nonnull(strstr(text, "\033[32mgood"));
    g_assert_nonnull(strstr(text, "\033[33mwarn"));
    g_assert_nonnull(strstr(text, "\033[31mbad"));
    free(text);
    view.color = FALSE;
    text = written(ALL, records, 3, &view);
    g_assert_null(strchr(text, '\033'));
    free(text);
}

/* --------------------------------------------------------------------------------------------- CSV */

static void test_csv(void)
{
    static const Record records[] = {
        {"plain", "with, comma", "say \"hi\""}, {NULL, "", " space "}, {"line\nfeed", "\xff\\", "\r"}};
    ViewContext view = {.csv = TRUE};

    assert_written(records, 3, &view,
                   "first,second-one,third\n"
                   "plain,\"with, comma\",\"say \"\"hi\"\"\"\n"
                   ",, space \n"
                   "line\\x0afeed,\\xff\\\\,\\x0d\n");
    view.noheadings = TRUE;
    assert_written(records, 1, &view, "plain,\"with, comma\",\"say \"\"hi\"\"\"\n");
}

/* The way back, as RFC 4180 says: fields of one record. */
static GPtrArray *csv_parse(const char *line)
{
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    GString *field = g_string_new(NULL);
    gboolean quoted = FALSE;

    for (const char *p = line;; p++) {
        if (quoted ? *p == '"' && p[1] == '"' : FALSE) {
            g_string_append_c(field, '"');
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p && (quoted || *p != ',')) {
            g_string_append_c(field, *p);
        } else {
            g_ptr_array_add(fields, g_strdup(field->str));
            g_string_truncate(field, 0);
            if (!*p)
                break;
        }
    }
    g_assert_false(quoted);
    g_string_free(field, TRUE);
    return fields;
}

static char *random_text(GRand *rand)
{
    static const char likely[] = ",\"\\\n\r \033\xe2\x80\xae\xc3\xa9";
    gsize length = (gsize)g_rand_int_range(rand, 0, 100);
    char *text = g_malloc0(length + 1);

    for (gsize i = 0; i < length; i++) {
        if (g_rand_boolean(rand))
            text[i] = likely[g_rand_int_range(rand, 0, sizeof(likely) - 1)];
        else
            text[i] = (char)g_rand_int_range(rand, 1, 256);
    }
    return text;
}

static void assert_csv_line(const char *line, const Record *record)
{
    g_autoptr(GPtrArray) fields = csv_parse(line);

    g_assert_cmpuint(fields->len, ==, 3);
    for (guint i = 0; i < fields->len; i++) {
        g_autofree char *raw = text_unescape(fields->pdata[i], NULL);

        g_assert_cmpstr(raw, ==, (*record)[i]);
    }
}

/* ----------------------------------------------------------------------------------------- hostile */

/* No control byte but the line feeds at the ends of lines, no character that turns a line around. */
static void assert_harmless(const char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        g_assert_true(c == '\n' || (c >= 0x20 && (c < 0x7f || c > 0x9f)));
        g_assert_false((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
                       c == 0x200f || c == 0x61c);
    }
}

static void assert_rows(const char *text, const Record *record)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    /* Titles, rule, one row, an empty line, and what follows the last line feed: nothing. */
    g_assert_cmpuint(g_strv_length(lines), ==, 5);
    g_assert_cmpint(lines[2][0], ==, ' ');
    g_assert_cmpuint(text_columns(lines[2]), <=, 1 + 3 * TEXT_CELL_COLUMNS + 2 * 3);
    for (guint i = 0; i < 3; i++) {
        g_autofree char *cell = (*record)[i][0] ? text_cell((*record)[i], TRUE, TEXT_CELL_COLUMNS) : NULL;

        g_assert_nonnull(strstr(lines[2], cell ? cell : "-"));
    }
}

static void test_hostile(void)
{
    guint32 seed = (guint32)g_test_rand_int();

    if (!text_locale_is_utf8()) {
        g_test_skip("no UTF-8 locale");
        return;
    }
    g_test_message("seed %u", seed);
    for (guint round = 0; round < 500; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed + round);
        g_autofree char *a = random_text(rand);
        g_autofree char *b = random_text(rand);
        g_autofree char *c = random_text(rand);
        const Record record = {a, b, c};
        ViewContext view = {.utf8 = TRUE};
        char *table = written(ALL, &record, 1, &view);
        char *csv;

        assert_harmless(table);
        assert_rows(table, &record);
        free(table);
        view.csv = view.noheadings = TRUE;
        csv = written(ALL, &record, 1, &view);
        assert_harmless(csv);
        g_assert_true(strchr(csv, '\n') == csv + strlen(csv) - 1);
        csv[strlen(csv) - 1] = '\0';
        assert_csv_line(csv, &record);
        free(csv);
    }
}

/* A cell is cut at 64 columns, also where the escapes make it longer. */
static void test_cut(void)
{
    g_autofree char *exact = g_strnfill(64, 'a');
    g_autofree char *over = g_strnfill(65, 'b');
    g_autofree char *escaped = g_strnfill(17, '\033');
    const Record record = {exact, over, escaped};
    ViewContext view = {.noheadings = TRUE};
    char *text = written(ALL, &record, 1, &view);
    g_auto(GStrv) cells = g_strsplit(text + 1, "   ", -1);

    g_assert_cmpuint(g_strv_length(cells), ==, 3);
    g_assert_cmpstr(cells[0], ==, exact);
    g_assert_cmpuint(strlen(cells[1]), ==, 64);
    g_assert_true(g_str_has_suffix(cells[1], "b..."));
    g_assert_true(g_str_has_suffix(cells[2], "\\x1b...\n"));
    g_assert_cmpuint(strlen(cells[2]), <=, 64 + 1);
    free(text);
}

/* ---------------------------------------------------------------------------------------- choosing */

static void assert_selected(const char *spec, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) columns = columns_select(&set, "first,third", spec, &error);
    GString *ids = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < columns->len; i++)
        g_string_append_printf(ids, "%s%s", i > 0 ? "," : "", ((const Column *)columns->pdata[i])->id);
    g_assert_cmpstr(ids->str, ==, expected);
    g_string_free(ids, TRUE);
}

static void assert_no_column(const char *spec, const char *message, const char *hint)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(columns_select(&set, "first", spec, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpstr(vnat_error_get_hint(error), ==, hint);
}

static void test_select(void)
{
    assert_selected(NULL, "first,third");
    assert_selected("second-one", "second-one");
    assert_selected("THIRD, First", "third,first");
    assert_selected("first,first", "first,first");
    assert_selected("+second-one", "first,third,second-one");
    assert_no_column("thrid", "no column is called 'thrid'",
                     "did you mean 'third'? --list-columns shows them all");
    assert_no_column("nonsense", "no column is called 'nonsense'", "--list-columns shows them all");
    assert_no_column("first,", "no column is called ''", "--list-columns shows them all");
    assert_no_column("", "no column is called ''", "--list-columns shows them all");
    assert_no_column("+", "no column is called ''", "--list-columns shows them all");
    assert_no_column("first;second-one", "no column is called 'first;second-one'",
                     "--list-columns shows them all");
}

static void test_list(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    columns_list(out, &set);
    fclose(out);
    g_assert_cmpstr(text, ==,
                    "first       the first\n"
                    "second-one  the second\n"
                    "third       the third\n");
    free(text);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/shape", test_shape);
    g_test_add_func("/table/empty", test_empty);
    g_test_add_func("/table/missing", test_missing);
    g_test_add_func("/table/noheadings", test_noheadings);
    g_test_add_func("/table/one-column", test_one_column);
    g_test_add_func("/table/wide", test_wide);
    g_test_add_func("/table/color", test_color);
    g_test_add_func("/table/csv", test_csv);
    g_test_add_func("/table/hostile", test_hostile);
    g_test_add_func("/table/cut", test_cut);
    g_test_add_func("/table/select", test_select);
    g_test_add_func("/table/list", test_list);
    return g_test_run();
}
