/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "fuzz.h"

#include <string.h>

/*
 * The input as a document, strictly and with raw bytes, next to jansson's own opinion of it; then as a
 * string's bytes, which must come back as they were.
 */

/* MAX asks for the greater one twice: of what lies deep, that would be twice at each level. */
static guint deeper(guint one, guint other)
{
    return one > other ? one : other;
}

static guint depth_of(const json_t *value)
{
    json_t *readable = (json_t *)(gpointer)value; /* jansson's iterators take no const, but change nothing */
    guint deepest = 0;
    const char *key;
    json_t *member;

    for (gsize i = 0; i < json_array_size(value); i++)
        deepest = deeper(deepest, depth_of(json_array_get(value, i)));
    json_object_foreach(readable, key, member)
    {
        deepest = deeper(deepest, depth_of(member));
    }
    return deepest + (json_is_array(value) || json_is_object(value));
}

/* Reads every value as the sources do. */
static void walk(const json_t *value)
{
    json_t *readable = (json_t *)(gpointer)value;
    g_autofree char *bytes = json_bytes(value);
    const char *key;
    json_t *member;

    require(!bytes || json_is_string(value));
    for (gsize i = 0; i < json_array_size(value); i++)
        walk(json_array_get(value, i));
    json_object_foreach(readable, key, member)
    {
        gint64 number = -1;
        gboolean small = json_get_int(value, key, 0, 255, &number);

        require(small ? number >= 0 && number <= 255 : number == -1);
        walk(member);
    }
}

static json_t *parse(const char *bytes, size_t size, guint depth, gboolean raw)
{
    static const char *const rules[] = {"size: ", "depth: ", "nul: ", "encoding: ", "syntax: "};
    g_autoptr(GError) error = NULL;
    json_t *root = json_parse(bytes, size, depth, raw, &error);
    gboolean named = FALSE;

    require((root == NULL) == (error != NULL));
    for (guint i = 0; error && i < G_N_ELEMENTS(rules); i++)
        named |= g_str_has_prefix(error->message, rules[i]);
    require(!error || (named && g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID)));
    return root;
}

/* What is accepted strictly is what jansson accepts, without NUL bytes and not too deep, and means the same.
 */
static void strictly(const char *bytes, size_t size, guint depth, const json_t *root)
{
    g_autoptr(json_t) other = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    g_autoptr(json_t) again = NULL;
    char *text;

    /* jansson passes over a NUL byte behind a number. */
    require((root != NULL) == (other && depth_of(other) <= depth && !memchr(bytes, '\0', size)));
    if (!root)
        return;
    require(json_equal(root, other));
    walk(root);
    text = json_dumps(root, JSON_COMPACT);
    again = text ? parse(text, strlen(text), depth, FALSE) : NULL;
    require(again && json_equal(root, again));
    free(text);
}

/* With raw bytes no less is accepted, and it is as deep as it is. */
static void with_raw_bytes(const char *bytes, size_t size, guint depth, const json_t *strict)
{
    g_autoptr(json_t) root = parse(bytes, size, depth, TRUE);

    require(root || !strict);
    if (!root)
        return;
    require(depth_of(root) <= depth);
    require(strict || memmem(bytes, size, "\\u0000", 6) || !g_utf8_validate(bytes, (gssize)size, NULL));
    walk(root);
}

/* Writes the next character at *at into the document, and steps over it. */
static void put_plain(GString *document, const char **at)
{
    guchar byte = (guchar) * (*at)++;

    if (byte < 0x20 || byte == '"' || byte == '\\')
        fuzz_put_unicode(document, byte);
    else
        g_string_append_c(document, (char)byte);
}

static void put_escaped(GString *document, const char **at)
{
    gunichar c = g_utf8_get_char_validated(*at, -1);

    if (c == (gunichar)-1 || c == (gunichar)-2) {
        put_plain(document, at);
        return;
    }
    if (c > 0xffff)
        fuzz_put_unicode(document, (guint16)(0xd7c0 + (c >> 10)));
    fuzz_put_unicode(document, (guint16)(c > 0xffff ? 0xdc00 + (c & 0x3ff) : c));
    *at = g_utf8_next_char(*at);
}

static void round_trip(const char *bytes, void (*put)(GString *document, const char **at))
{
    g_autoptr(GString) document = g_string_new("[\"");
    g_autofree char *back = NULL;
    g_autoptr(json_t) root = NULL;

    for (const char *at = bytes; *at;)
        put(document, &at);
    g_string_append(document, "\"]");
    root = parse(document->str, document->len, JSON_DEPTH, TRUE);
    back = json_bytes(json_array_get(root, 0));
    require(fuzz_equal(back, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Those that the readers of leases, of our own documents and of nft's use. */
    static const guint depths[] = {4, JSON_DEPTH, 32};
    guint depth = depths[size % G_N_ELEMENTS(depths)];
    g_autofree char *string = g_strndup((const char *)data, size);
    g_autoptr(json_t) strict = parse((const char *)data, size, depth, FALSE);

    strictly((const char *)data, size, depth, strict);
    with_raw_bytes((const char *)data, size, depth, strict);
    round_trip(string, put_plain);
    round_trip(string, put_escaped);
    return 0;
}
