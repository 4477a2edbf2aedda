/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "base/xml.h"
#include "fuzz.h"

#include <string.h>

/*
 * Any bytes on their way out: to a terminal they are reversible and harmless, a cell keeps its width, a word
 * of a shell is that word again, and XML means what it meant.
 */

static void escape(const char *bytes, gsize size, gboolean utf8)
{
    g_autofree char *text = text_escape(bytes, (gssize)size, utf8);
    gsize length;
    g_autofree char *back = text_unescape(text, &length);

    fuzz_require_harmless(text, utf8, "");
    require(back && length == size && memcmp(back, bytes, size) == 0);
}

static void cell(const char *string, gboolean utf8, guint width)
{
    g_autofree char *whole = text_escape(string, -1, utf8);
    g_autofree char *text = text_cell(string, utf8, width);
    gboolean cut = strcmp(text, whole) != 0;
    gsize kept = strlen(text) - (cut ? strlen("...") : 0);
    g_autofree char *start = NULL;
    g_autofree char *back = NULL;

    fuzz_require_harmless(text, utf8, "");
    require(text_columns(text) <= width);
    require(cut == (text_columns(whole) > width));
    require(!cut || g_str_has_suffix(text, "..."));
    /* What was kept is the beginning, and no escape was split. */
    require(strncmp(text, whole, kept) == 0);
    start = g_strndup(text, kept);
    back = text_unescape(start, NULL);
    require(back && g_str_has_prefix(string, back));
}

/* What claims to be escaped text, and need not be. */
static void unescape(const char *string)
{
    gsize length = 0;
    g_autofree char *bytes = text_unescape(string, &length);
    g_autofree char *again = bytes ? text_escape(bytes, (gssize)length, FALSE) : NULL;
    gsize length_again = 0;
    g_autofree char *back = again ? text_unescape(again, &length_again) : NULL;

    require(!bytes || (back && length == length_again && memcmp(bytes, back, length) == 0));
}

static void utf8_and_hex(const char *string)
{
    gboolean valid = g_utf8_validate(string, -1, NULL);
    gboolean lossy;
    g_autofree char *text = text_utf8(string, &lossy);
    g_autofree char *hex = text_hex(string);
    gsize length = strlen(string);

    require(g_utf8_validate(text, -1, NULL));
    require(lossy == !valid);
    require(lossy || strcmp(text, string) == 0);
    require(strlen(hex) == 2 * length);
    for (gsize i = 0; i < length; i++)
        require(g_ascii_xdigit_value(hex[2 * i]) * 16 + g_ascii_xdigit_value(hex[2 * i + 1]) ==
                (guchar)string[i]);
}

/* The next piece of a quoted word: something in single quotes, or one in double quotes. FALSE for anything
 * else. */
static gboolean shell_piece(const char **at, GString *word)
{
    const char *end;

    if (g_str_has_prefix(*at, "\"'\"")) {
        g_string_append_c(word, '\'');
        *at += 3;
        return TRUE;
    }
    end = **at == '\'' ? strchr(*at + 1, '\'') : NULL;
    if (!end)
        return FALSE;
    g_string_append_len(word, *at + 1, end - *at - 1);
    *at = end + 1;
    return TRUE;
}

/* One word as POSIX has it: plain letters, or quoted pieces. NULL for anything else. */
static char *shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@%+=,-";
    g_autoptr(GString) word = g_string_new(NULL);

    if (*text && text[strspn(text, plain)] == '\0')
        return g_strdup(text);
    while (*text) {
        if (!shell_piece(&text, word))
            return NULL;
    }
    return g_string_free(g_steal_pointer(&word), FALSE);
}

static void shell(const char *string)
{
    g_autofree char *text = text_shell(string);
    gboolean option = string[0] == '-';
    g_autofree char *word = NULL;
    g_auto(GStrv) argv = NULL;
    int argc = 0;

    require(!option || g_str_has_prefix(text, "-- "));
    word = shell_word(text + (option ? strlen("-- ") : 0));
    require(*text != '\0' && fuzz_equal(word, string));
    /* Somebody else's reading of it. */
    require(g_shell_parse_argv(text, &argc, &argv, NULL));
    require(argc == 1 + option && strcmp(argv[argc - 1], string) == 0);
}

static gboolean is_xml_character(gunichar c)
{
    return c == '\t' || c == '\n' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

/* Text of a document, made of what XML can say of the bytes. A carriage return is left out: a parser reads a
 * line feed in its place, unless it is a reference. */
static char *xml_content(const char *string)
{
    g_autofree char *valid = text_utf8(string, NULL);
    GString *content = g_string_new("x");

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (is_xml_character(c))
            g_string_append_unichar(content, c);
    }
    return g_string_free(content, FALSE);
}

static void xml(const char *string)
{
    g_autofree char *content = xml_content(string);
    g_autofree char *line = g_strdelimit(g_strdup(content), "\n\t", ' ');
    g_autofree char *document = g_markup_printf_escaped("<a b=\"%s\">%s</a>", line, content);
    g_autofree char *text = text_xml(document);
    g_autofree char *any = text_xml(string);
    g_autoptr(xmlDoc) doc = xml_parse(text, strlen(text), &XML_LIMITS_LIBVIRT, NULL);
    g_autofree char *attribute = NULL;
    g_autofree char *back = NULL;

    fuzz_require_harmless(any, TRUE, "\n\t");
    fuzz_require_harmless(text, TRUE, "\n\t");
    require(doc);
    attribute = xml_attr(xmlDocGetRootElement(doc), "b");
    back = xml_text(xmlDocGetRootElement(doc));
    require(fuzz_equal(attribute, line) && fuzz_equal(back, content));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *string = g_strndup((const char *)data, size);
    gboolean utf8 = size % 2 != 0;

    escape((const char *)data, size, utf8);
    cell(string, utf8, 3 + (guint)size % 29);
    unescape(string);
    utf8_and_hex(string);
    shell(string);
    xml(string);
    return 0;
}
