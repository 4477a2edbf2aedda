/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"

#include <string.h>

static json_t *parse(const char *text, gsize length, guint depth, gboolean raw, GError **error)
{
    /* A copy of just this size, so that AddressSanitizer sees a read behind the end. */
    g_autofree char *copy = g_memdup2(length ? text : "x", length ? length : 1);

    return json_parse(copy, length, depth, raw, error);
}

static void assert_refused(const char *text, gsize length, guint depth, gboolean raw, const char *rule)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) root = parse(text, length, depth, raw, &error);

    g_assert_null(root);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    if (!g_str_has_prefix(error->message, rule))
        g_error("'%s' does not begin with '%s'", error->message, rule);
}

static void assert_taken(const char *text, guint depth)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) root = parse(text, strlen(text), depth, FALSE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(root);
}

static void test_strict(void)
{
    assert_taken("[]", 1);
    assert_taken(" {\"a\": [1, -2, 0.5, true, null, \"\\u00e9\xc3\xa9\"]}\n", 2);
    assert_refused("", 0, 8, FALSE, "syntax:");
    assert_refused("[] []", 5, 8, FALSE, "syntax: line 1:");
    assert_refused("[1,]", 4, 8, FALSE, "syntax:");
    assert_refused("[\"a", 3, 8, FALSE, "syntax:");
    assert_refused("[\"\\", 3, 8, TRUE, "syntax:");
    assert_refused("[\n\n{]", 5, 8, FALSE, "syntax: line 3:");
    assert_refused("{\"a\":1,\"a\":2}", 13, 8, FALSE, "syntax:");
    assert_refused("5", 1, 8, FALSE, "syntax:");
    assert_refused("[\"\\ud800\"]", 10, 8, TRUE, "syntax:");
    assert_refused("[\"\\uzzzz\"]", 10, 8, TRUE, "syntax:");
    /* What closes nothing makes no room for more. */
    assert_refused("]][", 3, 8, FALSE, "syntax:");
    /* A backslash takes no byte along that has to be looked at. */
    assert_refused("[\"\\\xff\"]", 6, 8, FALSE, "encoding: byte 3");
    assert_refused("[\"\\\xff\"]", 6, 8, TRUE, "syntax:");
    assert_refused("[99999999999999999999]", 22, 8, FALSE, "syntax:");
    assert_refused("[1]\0", 4, 8, FALSE, "nul: byte 3");
    assert_refused("[\"\\\0\"]", 6, 8, TRUE, "nul: byte 3");
    assert_refused("[\"\xff\"]", 5, 8, FALSE, "encoding: byte 2");
    /* Truncated, overlong, a surrogate. */
    assert_refused("[\"\xc3", 3, 8, FALSE, "encoding:");
    assert_refused("[\"\xc0\x80\"]", 6, 8, FALSE, "encoding:");
    assert_refused("[\"\xed\xa0\x80\"]", 7, 8, FALSE, "encoding:");
}

static void test_depth(void)
{
    g_autofree char *deep = g_strnfill(1000000, '[');
    g_autoptr(GString) balanced = g_string_new(NULL);

    assert_taken("[[{\"a\":[]}]]", 4);
    assert_refused("[[{\"a\":[]}]]", 12, 3, FALSE, "depth: more than 3");
    /* Siblings and brackets in strings are no depth; an escaped quote does not end the string. */
    assert_taken("[[],[],{\"[[[\\\"[[[\":\"{{{\\\\\"}]", 2);
    assert_refused(deep, 1000000, 8, FALSE, "depth:");
    assert_refused(deep, 1000000, G_MAXUINT, FALSE, "depth: more than 256");
    for (guint i = 0; i < 256; i++)
        g_string_append_c(balanced, '[');
    for (guint i = 0; i < 256; i++)
        g_string_append_c(balanced, ']');
    assert_taken(balanced->str, 256);
}

static void test_size(void)
{
    gsize length = 32 * 1024 * 1024 + 1;
    g_autofree char *text = g_strnfill(length, ' ');
    g_autoptr(json_t) root = NULL;

    text[0] = '[';
    text[length - 2] = ']';
    assert_refused(text, length, 8, FALSE, "size: more than 32 MiB");
    root = parse(text, length - 1, 8, FALSE, NULL);
    g_assert_nonnull(root);
}

static void assert_bytes(const char *document, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) root = parse(document, strlen(document), 8, TRUE, &error);
    g_autofree char *bytes = NULL;

    g_assert_no_error(error);
    bytes = json_bytes(json_array_get(root, 0));
    g_assert_cmpstr(bytes, ==, expected);
}

static void test_raw_bytes(void)
{
    assert_bytes("[\"plain\"]", "plain");
    assert_bytes("[\"\"]", "");
    assert_bytes("[\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7\"]",
                 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
    assert_bytes("[\"\xff\xfe\x80\"]", "\xff\xfe\x80");
    /* Latin 1; truncated sequences before a quote and before ASCII; overlong; a surrogate; beyond Unicode. */
    assert_bytes("[\"M\xfcller\"]", "M\xfcller");
    assert_bytes("[\"\xe2\x82\"]", "\xe2\x82");
    assert_bytes("[\"\xf0\x9fz\"]", "\xf0\x9fz");
    assert_bytes("[\"\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\"]", "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80");
    assert_bytes("[\"a\\\"\xff\\\\\xfe\\u001b[31m\\n\"]", "a\"\xff\\\xfe\x1b[31m\n");
    /* Before the first invalid byte there is text to keep. */
    assert_bytes("[\"first\", \"\xff\"]", "first");
}

static void test_raw_bytes_own_markers(void)
{
    /* U+10FE80, U+10FEFF: the code points that the mapping uses, in UTF-8 and as escapes. */
    assert_bytes("[\"\xf4\x8f\xba\x80\xf4\x8f\xbb\xbf\"]", "\xf4\x8f\xba\x80\xf4\x8f\xbb\xbf");
    assert_bytes("[\"\\udbff\\ude80\\uDBFF\\uDEFF\"]", "\xf4\x8f\xba\x80\xf4\x8f\xbb\xbf");
    /* Their neighbours are nothing special, and an escaped backslash starts no escape. */
    assert_bytes("[\"\\udbff\\ude7f\\udbff\\udf00\"]", "\xf4\x8f\xb9\xbf\xf4\x8f\xbc\x80");
    assert_bytes("[\"\\\\udbff\\\\ude80\"]", "\\udbff\\ude80");
    /* The half of one stands for nothing, whatever comes behind it. */
    assert_refused("[\"\\udbffxude80\"]", 16, 8, TRUE, "syntax:");
    assert_refused("[\"\\udbff\\xde80\"]", 16, 8, TRUE, "syntax:");
    assert_refused("[\"\\udbff\\ude8g\"]", 16, 8, TRUE, "syntax:");
    assert_refused("[\"\\udbff\\ude8", 13, 8, TRUE, "syntax:");
}

static void test_raw_bytes_every_pair(void)
{
    for (guint first = 1; first < 256; first++) {
        for (guint second = 1; second < 256; second++) {
            char bytes[3] = {(char)first, (char)second, '\0'};
            g_autofree char *document = g_strdup_printf("[\"%s\"]", bytes);

            if (first >= 0x20 && second >= 0x20 && !strpbrk(bytes, "\"\\"))
                assert_bytes(document, bytes);
        }
    }
}

static void test_nul(void)
{
    const char *text = "[\"a\\u0000b\", \"c\"]";
    g_autoptr(json_t) root = parse(text, strlen(text), 8, TRUE, NULL);
    g_autofree char *second = NULL;

    assert_refused(text, strlen(text), 8, FALSE, "syntax:");
    assert_refused("{\"a\\u0000\":1}", 13, 8, TRUE, "syntax:");
    g_assert_nonnull(root);
    g_assert_null(json_bytes(json_array_get(root, 0)));
    second = json_bytes(json_array_get(root, 1));
    g_assert_cmpstr(second, ==, "c");
    g_assert_null(json_bytes(NULL));
    g_assert_null(json_bytes(root));
}

static void test_int(void)
{
    const char *text =
        "{\"i\":5,\"neg\":-1,\"real\":5.0,\"text\":\"5\",\"yes\":true,\"max\":9223372036854775807}";
    g_autoptr(json_t) root = parse(text, strlen(text), 8, FALSE, NULL);
    gint64 value = 42;

    g_assert_true(json_get_int(root, "i", 5, 5, &value));
    g_assert_cmpint(value, ==, 5);
    g_assert_false(json_get_int(root, "i", 6, 10, &value));
    g_assert_false(json_get_int(root, "neg", 0, 10, &value));
    g_assert_false(json_get_int(root, "real", 0, 10, &value));
    g_assert_false(json_get_int(root, "text", 0, 10, &value));
    g_assert_false(json_get_int(root, "yes", 0, 10, &value));
    g_assert_false(json_get_int(root, "none", 0, 10, &value));
    g_assert_false(json_get_int(NULL, "i", 0, 10, &value));
    g_assert_cmpint(value, ==, 5);
    g_assert_true(json_get_int(root, "max", 0, G_MAXINT64, &value));
    g_assert_cmpint(value, ==, G_MAXINT64);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/strict", test_strict);
    g_test_add_func("/json/depth", test_depth);
    g_test_add_func("/json/size", test_size);
    g_test_add_func("/json/raw-bytes", test_raw_bytes);
    g_test_add_func("/json/raw-bytes/own-markers", test_raw_bytes_own_markers);
    g_test_add_func("/json/raw-bytes/every-pair", test_raw_bytes_every_pair);
    g_test_add_func("/json/nul", test_nul);
    g_test_add_func("/json/int", test_int);
    return g_test_run();
}
