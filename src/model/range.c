/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/range.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* Digits with one point among them at most: what strtod takes besides ("0x1p3", "nan") is none. */
static gboolean parse_number(const char *text, gsize length, double *number)
{
    g_autofree char *word = g_strndup(text, length);
    const char *digits = word + (*word == '-');
    gsize whole = strspn(digits, "0123456789");
    gsize part = digits[whole] == '.' ? 1 + strspn(digits + whole + 1, "0123456789") : 0;

    if (whole == 0 || part == 1 || digits[whole + part] != '\0' || length > G_ASCII_DTOSTR_BUF_SIZE)
        return FALSE;
    *number = g_ascii_strtod(word, NULL);
    return TRUE;
}

static gboolean parse_start(const char *text, gsize length, double *start)
{
    if (length == 1 && *text == '~') {
        *start = -INFINITY;
        return TRUE;
    }
    return parse_number(text, length, start);
}

static gboolean parse_ends(const char *text, Range *range)
{
    const char *colon = strchr(text, ':');

    range->start = 0;
    range->end = INFINITY;
    if (!colon)
        return parse_number(text, strlen(text), &range->end);
    if (!parse_start(text, (gsize)(colon - text), &range->start))
        return FALSE;
    return !colon[1] || parse_number(colon + 1, strlen(colon + 1), &range->end);
}

gboolean range_parse(const char *text, Range *range, GError **error)
{
    range->inside = *text == '@';
    if (parse_ends(text + range->inside, range) && range->start <= range->end)
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is no range: 10, 10:, ~:10, 10:20 or @10:20", text);
}

gboolean range_alerts(const Range *range, double value)
{
    gboolean within = value >= range->start && value <= range->end;

    return within == range->inside;
}

static void append_number(GString *text, double number)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text, g_ascii_dtostr(buffer, sizeof(buffer), number));
}

char *range_text(const Range *range)
{
    GString *text = g_string_new(range->inside ? "@" : "");

    if (isinf(range->start)) {
        g_string_append(text, "~:");
    } else if (range->start != 0 || isinf(range->end)) {
        append_number(text, range->start);
        g_string_append(text, ":");
    }
    if (!isinf(range->end))
        append_number(text, range->end);
    return g_string_free(text, FALSE);
}
