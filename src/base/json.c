/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"

#include "base/error.h"

#include <string.h>

/*
 * Everything that jansson would not refuse by itself, or only by recursion, is looked at in one pass over the
 * bytes before it sees them: NUL bytes, depth, text that is not UTF-8. The pass knows strings and escapes,
 * and nothing else of the grammar: up to the first error that jansson finds, both see the same strings, so no
 * bracket is miscounted in a document that parses.
 *
 * Raw bytes. jansson takes only UTF-8. A guest's hostname need not be that, and what libvirt_leaseshelper
 * makes of it depends on its JSON library: with yajl (libvirt 9.0) it fails and records no lease at all;
 * json-c, which later releases are built with, writes and reads such bytes as they are. With raw_bytes, every
 * byte 0xNN that is not part of a well-formed sequence goes into the document as the code point U+10FE00 +
 * NN, its marker; NN is 80 to ff, so the markers are the 128 code points from U+10FE80, private use that
 * nobody has a meaning for. Text that holds such a code point itself has it taken apart: its four bytes
 * become four markers, whether it stood there in UTF-8 or as an escaped surrogate pair. So the mapping is one
 * to one, and json_bytes gives back what the document's string was.
 *
 * Escaped NULs (\u0000). They are valid JSON, but cut a C string short. Refused with the document, as jansson
 * does by default; with raw_bytes only the string that holds one is lost (json_bytes gives NULL), so that one
 * bad entry does not take a whole lease file with it. In a key they are refused always.
 */

#define JSON_MAX_MIB 32
/* jansson goes down by recursion: far below its own limit (2048). */
#define JSON_MAX_DEPTH 256

#define MARKER_BASE 0x10fe00U
#define MARKER_FIRST (MARKER_BASE + 0x80)
#define MARKER_LAST (MARKER_BASE + 0xff)
/* The markers as JSON's escapes have them: a high surrogate, then a low one whose last byte is NN. */
#define MARKER_HIGH_SURROGATE 0xdbffU
#define MARKER_LOW_SURROGATES 0xde00U

typedef struct {
    const char *at, *end;
    gboolean raw_bytes;
    gboolean in_string;
    guint depth, max_depth;
    GString *mapped; /* the document with markers; NULL as long as none was needed */
} Scan;

static gboolean is_marker(gunichar c)
{
    return c >= MARKER_FIRST && c <= MARKER_LAST;
}

/* Copies length bytes as they are. */
static void scan_keep(Scan *scan, gsize length)
{
    if (scan->mapped)
        g_string_append_len(scan->mapped, scan->at, (gssize)length);
    scan->at += length;
}

/* Starts the mapped copy with what was kept so far. */
static void scan_need_copy(Scan *scan, const char *start)
{
    if (scan->mapped)
        return;
    scan->mapped = g_string_sized_new((gsize)(scan->end - start) + 64);
    g_string_append_len(scan->mapped, start, scan->at - start);
}

static void scan_mark(Scan *scan, const char *start, const char *bytes, gsize length)
{
    scan_need_copy(scan, start);
    for (gsize i = 0; i < length; i++)
        g_string_append_unichar(scan->mapped, MARKER_BASE + (guchar)bytes[i]);
}

/* The code point of well-formed UTF-8 at scan->at; 0 if it is not well-formed. *length is its number of
 * bytes. */
static gunichar scan_utf8(const Scan *scan, gsize *length)
{
    gunichar c = g_utf8_get_char_validated(scan->at, scan->end - scan->at);

    if (c == (gunichar)-1 || c == (gunichar)-2)
        return 0;
    *length = (gsize)g_unichar_to_utf8(c, NULL);
    return c;
}

static gboolean scan_high_byte(Scan *scan, const char *start, GError **error)
{
    gsize length = 1;
    gunichar c = scan_utf8(scan, &length);

    if (c && !(scan->raw_bytes && is_marker(c))) {
        scan_keep(scan, length);
        return TRUE;
    }
    if (!scan->raw_bytes)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "encoding: byte %" G_GSIZE_FORMAT " is not UTF-8",
                              (gsize)(scan->at - start));
    scan_mark(scan, start, scan->at, length);
    scan->at += length;
    return TRUE;
}

/* The value of \uXXXX at text, or -1. */
static gint escape_value(const char *text, const char *end)
{
    gint value = 0;

    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (gint i = 2; i < 6; i++) {
        gint digit = g_ascii_xdigit_value(text[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* A backslash in a string: it and what it escapes; a pair that stands for a marker is taken apart. */
static void scan_escape(Scan *scan, const char *start)
{
    gint high = escape_value(scan->at, scan->end);
    gint low = high == MARKER_HIGH_SURROGATE ? escape_value(scan->at + 6, scan->end) : -1;

    if (scan->raw_bytes && low >= 0 && is_marker(MARKER_BASE + (guint)low - MARKER_LOW_SURROGATES)) {
        char bytes[6];
        gint length = g_unichar_to_utf8(MARKER_BASE + (guint)low - MARKER_LOW_SURROGATES, bytes);

        scan_mark(scan, start, bytes, (gsize)length);
        scan->at += 12;
        return;
    }
    scan_keep(scan, 1);
    /* The escaped character may be a quote; a high byte there is malformed, and left to be looked at as such.
     */
    if (scan->at < scan->end && !((guchar)*scan->at & 0x80) && *scan->at)
        scan_keep(scan, 1);
}

static gboolean scan_structure(Scan *scan, GError **error)
{
    char c = *scan->at;

    if (c == '[' || c == '{') {
        if (++scan->depth > scan->max_depth)
            return vnat_error_set(error, VNAT_ERROR_INVALID, "depth: more than %u levels", scan->max_depth);
    } else if ((c == ']' || c == '}') && scan->depth > 0) {
        scan->depth--;
    }
    return TRUE;
}

static gboolean scan_document(Scan *scan, GError **error)
{
    const char *start = scan->at;

    while (scan->at < scan->end) {
        char c = *scan->at;

        if (c == '\0')
            return vnat_error_set(error, VNAT_ERROR_INVALID, "nul: byte %" G_GSIZE_FORMAT " is NUL",
                                  (gsize)(scan->at - start));
        if ((guchar)c & 0x80) {
            if (!scan_high_byte(scan, start, error))
                return FALSE;
            continue;
        }
        if (scan->in_string && c == '\\') {
            scan_escape(scan, start);
            continue;
        }
        if (c == '"')
            scan->in_string = !scan->in_string;
        else if (!scan->in_string && !scan_structure(scan, error))
            return FALSE;
        scan_keep(scan, 1);
    }
    return TRUE;
}

static json_t *json_load(const char *bytes, gsize length, gboolean raw_bytes, GError **error)
{
    gsize flags = JSON_REJECT_DUPLICATES | (raw_bytes ? JSON_ALLOW_NUL : 0);
    json_error_t cause;
    json_t *root = json_loadb(bytes, length, flags, &cause);

    if (!root)
        vnat_error_set(error, VNAT_ERROR_INVALID, "syntax: line %d: %s", cause.line, cause.text);
    return root;
}

json_t *json_parse(const char *bytes, gsize length, guint depth, gboolean raw_bytes, GError **error)
{
    Scan scan = {
        .at = bytes, .end = bytes + length, .raw_bytes = raw_bytes, .max_depth = MIN(depth, JSON_MAX_DEPTH)};
    g_autoptr(GString) mapped = NULL;
    gboolean ok;

    if (length > (gsize)JSON_MAX_MIB * 1024 * 1024) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "size: more than %d MiB", JSON_MAX_MIB);
        return NULL;
    }
    ok = scan_document(&scan, error);
    mapped = scan.mapped;
    if (!ok)
        return NULL;
    return mapped ? json_load(mapped->str, mapped->len, raw_bytes, error)
                  : json_load(bytes, length, raw_bytes, error);
}

char *json_bytes(const json_t *value)
{
    const char *text = json_string_value(value);
    gsize length = json_string_length(value);
    g_autoptr(GString) bytes = NULL;

    if (!text || memchr(text, '\0', length))
        return NULL;
    bytes = g_string_sized_new(length + 1);
    for (const char *at = text; *at;) {
        const char *next = g_utf8_next_char(at);
        gunichar c = g_utf8_get_char(at);

        if (is_marker(c))
            g_string_append_c(bytes, (char)(c - MARKER_BASE));
        else
            g_string_append_len(bytes, at, next - at);
        at = next;
    }
    return g_string_free(g_steal_pointer(&bytes), FALSE);
}

gboolean json_get_int(const json_t *obj, const char *key, gint64 min, gint64 max, gint64 *value)
{
    const json_t *member = json_object_get(obj, key);
    gint64 number;

    if (!json_is_integer(member))
        return FALSE;
    number = json_integer_value(member);
    if (number < min || number > max)
        return FALSE;
    *value = number;
    return TRUE;
}
