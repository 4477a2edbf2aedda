/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml-private.h"

#include <string.h>

/*
 * The scan before the parse.
 *
 * libxml2's own limits are far above ours, and callbacks come too late: it collects all attributes of a start
 * tag, comparing each with each, before it tells of the element (200,000 of them took minutes), and reads a
 * DOCTYPE's entities before anyone may object. So one linear pass over the bytes goes first. It knows XML's
 * lexical level only: comments, CDATA sections, processing instructions, tags with quoted attribute values,
 * text. It accepts no tag that libxml2 would split in another way, so what it counted is what libxml2 will
 * see; whether names match, entities exist and namespaces are declared is libxml2's to say.
 *
 * What must hold: scan->at never passes scan->end; a function that returns TRUE leaves it behind what it
 * read.
 */

typedef struct {
    const char *start, *at, *end;
    const XmlLimits *limits;
    guint depth, elements;
} Scan;

static guint scan_line(const Scan *scan)
{
    guint line = 1;

    for (const char *p = scan->start; p < scan->at; p++) {
        if (*p == '\n')
            line++;
    }
    return line;
}

static gboolean scan_syntax(const Scan *scan, const char *what, GError **error)
{
    return vnat_error_set(error, VNAT_ERROR_INVALID, "syntax: line %u: %s", scan_line(scan), what);
}

static gboolean scan_limit(const Scan *scan, const char *rule, gsize most, const char *of, GError **error)
{
    return vnat_error_set(error, VNAT_ERROR_INVALID, "%s: line %u: more than %" G_GSIZE_FORMAT " %s", rule,
                          scan_line(scan), most, of);
}

/* Whether the token, a literal, comes next. */
#define scan_sees(scan, token) scan_sees_bytes((scan), (token), sizeof(token) - 1)

static inline gboolean scan_sees_bytes(const Scan *scan, const char *token, gsize length)
{
    return (gsize)(scan->end - scan->at) >= length && memcmp(scan->at, token, length) == 0;
}

static gboolean is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static gboolean scan_space(Scan *scan)
{
    const char *before = scan->at;

    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
    return scan->at > before;
}

/* Bytes that end a name: space and markup. Which of the others a name may hold is libxml2's to say. */
static const guint8 name_ends[256] = {
    [' '] = 1, ['\t'] = 1, ['\n'] = 1, ['\r'] = 1, ['<'] = 1, ['>'] = 1, ['='] = 1,
    ['/'] = 1, ['"'] = 1,  ['\''] = 1, ['&'] = 1,  ['?'] = 1, ['!'] = 1,
};

static gboolean scan_name(Scan *scan)
{
    const char *before = scan->at;

    while (scan->at < scan->end && !name_ends[(guint8)*scan->at])
        scan->at++;
    return scan->at > before;
}

/* Moves behind the next token; opening is what is not closed otherwise. */
static gboolean scan_past(Scan *scan, const char *token, const char *opening, GError **error)
{
    const char *found = g_strstr_len(scan->at, scan->end - scan->at, token);

    if (!found) {
        g_autofree char *what = g_strdup_printf("%s is not closed", opening);

        return scan_syntax(scan, what, error);
    }
    scan->at = found + strlen(token);
    return TRUE;
}

/* NAME = "value", as in tags and in the XML declaration. */
static gboolean scan_attribute(Scan *scan, const char **value, gsize *length, GError **error)
{
    const char *close;

    if (!scan_name(scan))
        return scan_syntax(scan, "a tag is not closed, or an attribute's name is missing", error);
    scan_space(scan);
    if (!scan_sees(scan, "="))
        return scan_syntax(scan, "an attribute has no value", error);
    scan->at++;
    scan_space(scan);
    if (!scan_sees(scan, "\"") && !scan_sees(scan, "'"))
        return scan_syntax(scan, "an attribute's value is not quoted", error);
    *value = scan->at + 1;
    close = memchr(*value, *scan->at, (gsize)(scan->end - *value));
    if (!close)
        return scan_syntax(scan, "an attribute's value is not closed", error);
    *length = (gsize)(close - *value);
    if (memchr(*value, '<', *length))
        return scan_syntax(scan, "an attribute's value holds '<'", error);
    scan->at = close + 1;
    return TRUE;
}

static gboolean encoding_is_ours(const char *name, gsize length)
{
    static const char *const ours[] = {"UTF-8", "US-ASCII", "ASCII"};

    for (gsize i = 0; i < G_N_ELEMENTS(ours); i++) {
        if (strlen(ours[i]) == length && g_ascii_strncasecmp(ours[i], name, length) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean scan_declaration(Scan *scan, GError **error)
{
    scan->at += strlen("<?xml");
    while (scan_space(scan) && !scan_sees(scan, "?>")) {
        const char *name = scan->at, *value = NULL;
        gsize length = 0;

        if (!scan_attribute(scan, &value, &length, error))
            return FALSE;
        if (g_str_has_prefix(name, "encoding") && !encoding_is_ours(value, length))
            return vnat_error_set(error, VNAT_ERROR_INVALID,
                                  "encoding: the document is in %.*s, not in UTF-8", (int)MIN(length, 40),
                                  value);
    }
    if (!scan_sees(scan, "?>"))
        return scan_syntax(scan, "the XML declaration is not closed", error);
    scan->at += strlen("?>");
    return TRUE;
}

static gboolean scan_start_tag(Scan *scan, GError **error)
{
    guint attributes = 0;

    scan->at++;
    if (!scan_name(scan))
        return scan_syntax(scan, "'<' without a name", error);
    if (++scan->elements > scan->limits->elements)
        return scan_limit(scan, "elements", scan->limits->elements, "elements", error);
    if (scan->depth >= scan->limits->depth)
        return scan_limit(scan, "depth", scan->limits->depth, "elements inside one another", error);
    for (;;) {
        gboolean space = scan_space(scan);
        const char *value = NULL;
        gsize length = 0;

        if (scan_sees(scan, "/>")) {
            scan->at += strlen("/>");
            return TRUE;
        }
        if (scan_sees(scan, ">")) {
            scan->at++;
            scan->depth++;
            return TRUE;
        }
        if (!space)
            return scan_syntax(scan, "a tag is not closed", error);
        if (++attributes > scan->limits->attributes)
            return scan_limit(scan, "attributes", scan->limits->attributes, "attributes on an element",
                              error);
        if (!scan_attribute(scan, &value, &length, error))
            return FALSE;
        if (length > scan->limits->text)
            return scan_limit(scan, "text", scan->limits->text, "bytes in an attribute", error);
    }
}

static gboolean scan_end_tag(Scan *scan, GError **error)
{
    if (scan->depth == 0)
        return scan_syntax(scan, "an end tag without a start tag", error);
    scan->at += strlen("</");
    if (!scan_name(scan))
        return scan_syntax(scan, "an end tag without a name", error);
    scan_space(scan);
    if (!scan_sees(scan, ">"))
        return scan_syntax(scan, "an end tag is not closed", error);
    scan->at++;
    scan->depth--;
    return TRUE;
}

static gboolean scan_text(Scan *scan, GError **error)
{
    const char *next = memchr(scan->at, '<', (gsize)(scan->end - scan->at));

    if (!next)
        next = scan->end;
    if (scan->depth > 0 && (gsize)(next - scan->at) > scan->limits->text)
        return scan_limit(scan, "text", scan->limits->text, "bytes of text", error);
    if (scan->depth == 0) {
        scan_space(scan);
        if (scan->at < next)
            return scan_syntax(scan, "text outside the document element", error);
    }
    scan->at = next;
    return TRUE;
}

static gboolean scan_cdata(Scan *scan, GError **error)
{
    const char *before = scan->at;

    if (scan->depth == 0)
        return scan_syntax(scan, "text outside the document element", error);
    if (!scan_past(scan, "]]>", "a CDATA section", error))
        return FALSE;
    if ((gsize)(scan->at - before) > scan->limits->text)
        return scan_limit(scan, "text", scan->limits->text, "bytes of text", error);
    return TRUE;
}

static gboolean scan_comment(Scan *scan, GError **error)
{
    scan->at += strlen("<!--");
    return scan_past(scan, "-->", "a comment", error);
}

static gboolean scan_markup(Scan *scan, GError **error)
{
    if (scan_sees(scan, "</"))
        return scan_end_tag(scan, error);
    if (scan_sees(scan, "<!--"))
        return scan_comment(scan, error);
    if (scan_sees(scan, "<![CDATA["))
        return scan_cdata(scan, error);
    if (scan_sees(scan, "<!DOCTYPE"))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "doctype: line %u: a DOCTYPE is not accepted",
                              scan_line(scan));
    if (scan_sees(scan, "<!"))
        return scan_syntax(scan, "'<!' that is no comment", error);
    if (scan_sees(scan, "<?"))
        return scan_past(scan, "?>", "a processing instruction", error);
    return scan_start_tag(scan, error);
}

/* What libxml2 would take in its stride: other encodings, and bytes after a NUL. */
static gboolean scan_bytes(Scan *scan, GError **error)
{
    gsize length = (gsize)(scan->end - scan->start);
    const char *bad = NULL;

    if (length > scan->limits->bytes)
        return vnat_error_set(error, VNAT_ERROR_INVALID,
                              "size: %" G_GSIZE_FORMAT " bytes, more than %" G_GSIZE_FORMAT, length,
                              scan->limits->bytes);
    if (length >= 2 && (memcmp(scan->start, "\xff\xfe", 2) == 0 || memcmp(scan->start, "\xfe\xff", 2) == 0))
        return vnat_error_set(error, VNAT_ERROR_INVALID,
                              "encoding: the document is in UTF-16 or UTF-32, not in UTF-8");
    if (memchr(scan->start, '\0', length))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "nul: the document holds a NUL byte");
    if (!g_utf8_validate_len(scan->start, length, &bad)) {
        scan->at = bad;
        return vnat_error_set(error, VNAT_ERROR_INVALID, "encoding: line %u: not UTF-8", scan_line(scan));
    }
    return TRUE;
}

gboolean xml_scan(const char *bytes, gsize length, const XmlLimits *limits, GError **error)
{
    Scan scan = {.start = bytes, .at = bytes, .end = bytes + length, .limits = limits};

    if (!scan_bytes(&scan, error))
        return FALSE;
    if (scan_sees(&scan, "\xef\xbb\xbf"))
        scan.at += 3;
    if (scan_sees(&scan, "<?xml") && length > 8 && is_space(scan.at[5]) && !scan_declaration(&scan, error))
        return FALSE;
    while (scan.at < scan.end) {
        if (*scan.at == '<' ? !scan_markup(&scan, error) : !scan_text(&scan, error))
            return FALSE;
    }
    if (scan.depth > 0)
        return scan_syntax(&scan, "the document ends inside an element", error);
    if (scan.elements == 0)
        return scan_syntax(&scan, "there is no element", error);
    return TRUE;
}
