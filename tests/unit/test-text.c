/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *bytes, *ascii, *utf8; /* utf8 NULL: the same */
} EscapeCase;

static const EscapeCase escapes[] = {
    {"", "", NULL},
    {" ~plain~ ", " ~plain~ ", NULL},
    {"back\\slash\\x41", "back\\\\slash\\\\x41", NULL},
    {"\033[31m\a\n\r\t\x7f", "\\x1b[31m\\x07\\x0a\\x0d\\x09\\x7f", NULL},
    {"caf\xc3\xa9", "caf\\xc3\\xa9", "caf\xc3\xa9"},
    {"\xe6\x97\xa5\xf0\x9f\x90\xa7", "\\xe6\\x97\\xa5\\xf0\\x9f\\x90\\xa7", "\xe6\x97\xa5\xf0\x9f\x90\xa7"},
    /* C1: U+009B is a terminal's CSI. */
    {"\xc2\x9b", "\\xc2\\x9b", NULL},
    /* Not UTF-8: a lone byte, cut short, overlong, a surrogate, beyond the last code point. */
    {"\xff", "\\xff", NULL},
    {"\xc3", "\\xc3", NULL},
    {"\xe6\x97", "\\xe6\\x97", NULL},
    {"\xc0\x8a", "\\xc0\\x8a", NULL},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", NULL},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", NULL},
    /* A valid character right behind a broken one still passes. */
    {"\xe6\xc3\xa9", "\\xe6\\xc3\\xa9", "\\xe6\xc3\xa9"},
};

static void test_escape(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(escapes); i++) {
        const EscapeCase *c = &escapes[i];
        g_autofree char *ascii = text_escape(c->bytes, -1, FALSE);
        g_autofree char *utf8 = text_escape(c->bytes, -1, TRUE);

        g_assert_cmpstr(ascii, ==, c->ascii);
        g_assert_cmpstr(utf8, ==, c->utf8 ? c->utf8 : c->ascii);
    }
}

static void test_escape_length(void)
{
    g_autofree char *nul = text_escape("a\0b", 3, FALSE);
    g_autofree char *cut = text_escape("caf\xc3\xa9", 4, TRUE);
    g_autofree char *none = text_escape(NULL, -1, TRUE);
    g_autofree char *empty = text_escape("abc", 0, TRUE);

    g_assert_cmpstr(nul, ==, "a\\x00b");
    g_assert_cmpstr(cut, ==, "caf\\xc3");
    g_assert_cmpstr(none, ==, "");
    g_assert_cmpstr(empty, ==, "");
}

/* The ends of each span of code points that never reach a terminal, and their neighbours that do. */
static const struct {
    gunichar code;
    gboolean shown;
} code_points[] = {
    {0x80, FALSE},    {0x9f, FALSE},     {0xa1, TRUE},     {0x61b, TRUE},    {0x61c, FALSE},
    {0x61e, TRUE},    {0x200b, FALSE},   {0x200f, FALSE},  {0x2010, TRUE},   {0x2027, TRUE},
    {0x2028, FALSE},  {0x202a, FALSE},   {0x202e, FALSE},  {0x2030, TRUE},   {0x205e, TRUE},
    {0x2060, FALSE},  {0x2066, FALSE},   {0x206f, FALSE},  {0x2070, TRUE},   {0xd7a3, TRUE},
    {0xe000, FALSE},  {0xf8ff, FALSE},   {0xf900, TRUE},   {0xfdcf, TRUE},   {0xfdd0, FALSE},
    {0xfdef, FALSE},  {0xfdf0, TRUE},    {0xfe00, FALSE},  {0xfe0f, FALSE},  {0xfe10, TRUE},
    {0xfefc, TRUE},   {0xfeff, FALSE},   {0xff01, TRUE},   {0xfff9, FALSE},  {0xfffb, FALSE},
    {0xfffd, TRUE},   {0xfffe, FALSE},   {0xffff, FALSE},  {0x10000, TRUE},  {0x1f427, TRUE},
    {0x1fffe, FALSE}, {0x1ffff, FALSE},  {0xe0000, FALSE}, {0xe0001, FALSE}, {0xe007f, FALSE},
    {0xe0100, FALSE}, {0xe01ef, FALSE},  {0xf0000, FALSE}, {0xffffd, FALSE}, {0x100000, FALSE},
    {0xad, FALSE},    {0x10ffff, FALSE},
};

static void test_hidden(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(code_points); i++) {
        char bytes[7] = {0};
        g_autofree char *text = NULL;

        g_unichar_to_utf8(code_points[i].code, bytes);
        text = text_escape(bytes, -1, TRUE);
        if (code_points[i].shown != (strcmp(text, bytes) == 0))
            g_error("U+%04X gives '%s'", code_points[i].code, text);
        g_assert_true(code_points[i].shown || g_str_is_ascii(text));
    }
}

/* Any bytes come back, and what goes out is UTF-8 without control characters. */
static void test_escape_random(void)
{
    guint32 seed = g_test_rand_int();

    g_test_message("seed %u", seed);
    for (guint round = 0; round < 3000; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed + round);
        char bytes[64];
        gsize length = (gsize)g_rand_int_range(rand, 0, sizeof(bytes));

        for (gsize i = 0; i < length; i++)
            bytes[i] = (char)g_rand_int_range(rand, 0, 256);
        for (gint utf8 = 0; utf8 < 2; utf8++) {
            g_autofree char *text = text_escape(bytes, (gssize)length, utf8);
            gsize back_length = 0;
            g_autofree char *back = text_unescape(text, &back_length);

            g_assert_cmpmem(back, back_length, bytes, length);
            g_assert_true(utf8 ? g_utf8_validate(text, -1, NULL) : g_str_is_ascii(text));
            for (const char *p = text; *p; p++)
                g_assert_true((guchar)*p >= 0x20 && *p != 0x7f);
        }
    }
}

static void test_unescape(void)
{
    static const char *const wrong[] = {"\\", "\\y", "\\x", "\\x4", "\\x4g", "\\xg4", "ok\\", NULL};
    gsize length;
    g_autofree char *mixed = text_unescape("\\x1B\\\\x\\x00z", &length);

    g_assert_cmpmem(mixed, length, "\033\\x\0z", 5);
    for (gsize i = 0; wrong[i]; i++)
        g_assert_null(text_unescape(wrong[i], NULL));
}

static void test_columns(void)
{
    g_assert_cmpuint(text_columns(""), ==, 0);
    g_assert_cmpuint(text_columns("abc"), ==, 3);
    g_assert_cmpuint(text_columns("\xe6\x97\xa5\xe6\x9c\xac"), ==, 4);
    g_assert_cmpuint(text_columns("e\xcc\x81"), ==, 1);
}

static void assert_cell(const char *bytes, gboolean utf8, guint columns, const char *expected)
{
    g_autofree char *cell = text_cell(bytes, utf8, columns);

    g_assert_cmpstr(cell, ==, expected);
    g_assert_cmpuint(text_columns(cell), <=, columns);
}

static void test_cell(void)
{
    assert_cell("abcdefgh", FALSE, 8, "abcdefgh");
    assert_cell("abcdefghi", FALSE, 8, "abcde...");
    assert_cell("", FALSE, 8, "");
    assert_cell(NULL, FALSE, 8, "");
    /* An escape is whole or not there. */
    assert_cell("a\x01zzzzz", FALSE, 8, "a\\x01...");
    assert_cell("ab\x01zzzzz", FALSE, 8, "ab...");
    assert_cell("abc\\ffff", FALSE, 8, "abc\\\\...");
    assert_cell("abcd\\fff", FALSE, 8, "abcd...");
    /* So is a wide character. */
    assert_cell("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", TRUE, 8,
                "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5");
    assert_cell("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5!", TRUE, 8, "\xe6\x97\xa5\xe6\x97\xa5...");
}

static void assert_utf8(const char *bytes, const char *expected, gboolean lost)
{
    gboolean lossy = !lost;
    g_autofree char *text = text_utf8(bytes, &lossy);

    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpint(lossy, ==, lost);
}

#define LOST "\xef\xbf\xbd"

static void test_utf8(void)
{
    assert_utf8("", "", FALSE);
    assert_utf8("caf\xc3\xa9\n", "caf\xc3\xa9\n", FALSE);
    assert_utf8("a\xff", "a" LOST, TRUE);
    assert_utf8("\xe6\x97z", LOST LOST "z", TRUE);
    assert_utf8("\xed\xa0\x80", LOST LOST LOST, TRUE);
    assert_utf8("\xff\xc3\xa9\xff", LOST "\xc3\xa9" LOST, TRUE);
    assert_utf8(LOST, LOST, FALSE);
}

static void test_hex(void)
{
    g_autofree char *hex = text_hex("\x01z\xff");

    g_assert_cmpstr(hex, ==, "017aff");
}

static void test_time(void)
{
    g_autofree char *utc = text_time_utc(1790000000);
    g_autofree char *zero = text_time_utc(0);
    g_autofree char *local = NULL;

    g_assert_cmpstr(utc, ==, "2026-09-21T14:13:20Z");
    g_assert_cmpstr(zero, ==, "1970-01-01T00:00:00Z");
    g_assert_null(text_time_utc(G_MAXINT64));
    g_assert_null(text_time_local(G_MAXINT64));
    local = text_time_local(1790000000);
    g_assert_cmpstr(local, ==, "2026-09-21 16:13:20");
}

static void test_span(void)
{
    static const struct {
        gint64 seconds;
        const char *text;
    } spans[] = {
        {-86401, "0s"}, {-1, "0s"},       {0, "0s"},        {59, "59s"},
        {60, "1m"},     {61, "1m1s"},     {3552, "59m12s"}, {3599, "59m59s"},
        {3600, "1h"},   {3601, "1h"},     {3660, "1h1m"},   {86399, "23h59m"},
        {86400, "1d"},  {183600, "2d3h"}, {86459, "1d"},    {G_MAXINT64, "106751991167300d15h"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(spans); i++) {
        g_autofree char *text = text_span(spans[i].seconds);

        g_assert_cmpstr(text, ==, spans[i].text);
    }
}

static void test_suggest(void)
{
    static const char *const names[] = {"net-list", "net-info", "map", "VM2", "VM1", NULL};
    g_autofree char *long_name = g_strnfill(200, 'a');
    const char *const long_names[] = {long_name, NULL};

    g_assert_cmpstr(text_suggest("net-lsit", names), ==, "net-list");
    g_assert_cmpstr(text_suggest("netlist", names), ==, "net-list");
    g_assert_cmpstr(text_suggest("net-lists", names), ==, "net-list");
    g_assert_cmpstr(text_suggest("nett-inffo", names), ==, "net-info");
    g_assert_cmpstr(text_suggest("mpa", names), ==, "map");
    g_assert_cmpstr(text_suggest("amp", names), ==, "map");
    /* One that differs in case only is nearer than one that differs in a letter, wherever it stands. */
    g_assert_cmpstr(text_suggest("vm1", names), ==, "VM1");
    /* Of two that are equally near, the first. */
    g_assert_cmpstr(text_suggest("map", (const char *const[]){"map", "MAP", NULL}), ==, "map");
    /* What is too long to compare is passed over, however near it is. */
    g_assert_null(text_suggest(long_name + 72, (const char *const[]){long_name + 71, NULL}));
    g_assert_cmpstr(text_suggest("mpa", (const char *const[]){long_name, "map", NULL}), ==, "map");
    g_assert_null(text_suggest("nfo", names));
    g_assert_null(text_suggest("xyz", names));
    g_assert_null(text_suggest("", names));
    g_assert_null(text_suggest(long_name, long_names));
    g_assert_null(text_suggest("a", (const char *const[]){"b", NULL}));
}

static void test_shell(void)
{
    static const struct {
        const char *name, *word;
    } names[] = {
        {"default", "default"}, {"VM1_a.b:c/d@e%f+g=h,i-j", "VM1_a.b:c/d@e%f+g=h,i-j"},
        {NULL, "''"},           {"", "''"},
        {"my net", "'my net'"}, {"it's", "'it'\"'\"'s'"},
        {"'", "''\"'\"''"},     {"$(reboot)", "'$(reboot)'"},
        {"a;b", "'a;b'"},       {"~root", "'~root'"},
        {"=ls", "'=ls'"},       {"a=ls", "a=ls"},
        {"a\nb", "'a\nb'"},     {"b\xc3\xbc", "'b\xc3\xbc'"},
        {"-r", "-- -r"},        {"--help", "-- --help"},
        {"- x", "-- '- x'"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *word = text_shell(names[i].name);

        g_assert_cmpstr(word, ==, names[i].word);
    }
}

static void test_xml(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"<a b='\xc3\xa4'>x\n\ty</a>\n", "<a b='\xc3\xa4'>x\n\ty</a>\n"},
        {"A\xc2\x9b"
         "31mB",
         "A&#x9B;31mB"},
        {"A\xe2\x80\xae"
         "B",
         "A&#x202E;B"},
        {"\x7f", "&#x7F;"},
        {"\r", "&#xD;"},
        {"bad \xff", "bad \xef\xbf\xbd"},
        {"cut \xe6\x97", "cut \xef\xbf\xbd\xef\xbf\xbd"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = text_xml(cases[i].in);

        g_assert_cmpstr(out, ==, cases[i].out);
    }
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC-2", TRUE);
    tzset();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/escape", test_escape);
    g_test_add_func("/text/escape-length", test_escape_length);
    g_test_add_func("/text/hidden", test_hidden);
    g_test_add_func("/text/escape-random", test_escape_random);
    g_test_add_func("/text/unescape", test_unescape);
    g_test_add_func("/text/columns", test_columns);
    g_test_add_func("/text/cell", test_cell);
    g_test_add_func("/text/utf8", test_utf8);
    g_test_add_func("/text/hex", test_hex);
    g_test_add_func("/text/shell", test_shell);
    g_test_add_func("/text/time", test_time);
    g_test_add_func("/text/span", test_span);
    g_test_add_func("/text/suggest", test_suggest);
    g_test_add_func("/text/xml", test_xml);
    return g_test_run();
}
