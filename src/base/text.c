/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <langinfo.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define MARK "..."

typedef struct {
    gunichar first, last;
} Span;

/* What a terminal, a bidirectional line or a reader's eye would take for something else than it is. */
static const Span hidden[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x061c, 0x061c},   {0x180e, 0x180e},    {0x200b, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f}, {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},    {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe01ef}, {0xf0000, 0x10ffff},
};

static gboolean is_hidden(gunichar c)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hidden); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last)
            return TRUE;
    }
    /* The last two code points of every plane are noncharacters. */
    return (c & 0xfffe) == 0xfffe || !g_unichar_isprint(c);
}

/* Length of the printable UTF-8 character that begins here, 0 if these bytes are to be escaped. */
static gsize plain_utf8(const char *bytes, gsize left)
{
    gunichar c = g_utf8_get_char_validated(bytes, (gssize)left);

    if (c == (gunichar)-1 || c == (gunichar)-2 || c < 0x80 || is_hidden(c))
        return 0;
    return (gsize)(g_utf8_next_char(bytes) - bytes);
}

/* Of hostile names this is most of what there is to write. */
static void append_hex(GString *out, guchar byte)
{
    static const char digits[] = "0123456789abcdef";

    g_string_append_c(out, digits[byte >> 4]);
    g_string_append_c(out, digits[byte & 0xf]);
}

char *text_escape(const char *bytes, gssize length, gboolean utf8)
{
    gsize left = !bytes ? 0 : length < 0 ? strlen(bytes) : (gsize)length;
    GString *out = g_string_sized_new(left + 1);

    while (left > 0) {
        guchar byte = (guchar)*bytes;
        gsize step = 1;

        if (byte == '\\') {
            g_string_append(out, "\\\\");
        } else if (byte >= 0x20 && byte < 0x7f) {
            g_string_append_c(out, (char)byte);
        } else if (utf8 && (step = plain_utf8(bytes, left)) > 0) {
            g_string_append_len(out, bytes, (gssize)step);
        } else {
            step = 1;
            g_string_append(out, "\\x");
            append_hex(out, byte);
        }
        bytes += step;
        left -= step;
    }
    return g_string_free(out, FALSE);
}

char *text_xml(const char *xml)
{
    GString *out = g_string_sized_new(strlen(xml) + 1);

    while (*xml) {
        gunichar c = g_utf8_get_char_validated(xml, -1);
        gsize step = 1;

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append(out, REPLACEMENT); /* no XML is so, and a terminal should not see it */
        } else {
            step = (gsize)(g_utf8_next_char(xml) - xml);
            if (c != '\n' && c != '\t' && is_hidden(c))
                g_string_append_printf(out, "&#x%X;", c);
            else
                g_string_append_len(out, xml, (gssize)step);
        }
        xml += step;
    }
    return g_string_free(out, FALSE);
}

char *text_unescape(const char *text, gsize *length)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        if (*p != '\\') {
            g_string_append_c(out, *p);
        } else if (p[1] == '\\') {
            g_string_append_c(out, '\\');
            p++;
        } else if (p[1] == 'x' && g_ascii_isxdigit(p[2]) && g_ascii_isxdigit(p[3])) {
            g_string_append_c(out, (char)(g_ascii_xdigit_value(p[2]) * 16 + g_ascii_xdigit_value(p[3])));
            p += 3;
        } else {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
    if (length)
        *length = out->len;
    return g_string_free(out, FALSE);
}

static guint char_columns(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint text_columns(const char *text)
{
    guint columns = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p))
        columns += char_columns(g_utf8_get_char(p));
    return columns;
}

/* The next unit of an escaped text that must not be split: an escape, or a character. */
static gsize unit_length(const char *text)
{
    if (text[0] == '\\' && text[1] == 'x')
        return 4;
    if (text[0] == '\\')
        return 2;
    return (gsize)(g_utf8_next_char(text) - text);
}

char *text_cell(const char *bytes, gboolean utf8, guint columns)
{
    g_autofree char *text = text_escape(bytes, -1, utf8);
    guint mark = (guint)strlen(MARK);
    gsize keep = 0;
    guint used = 0;

    if (text_columns(text) <= columns)
        return g_steal_pointer(&text);
    for (gsize step = 0; text[keep]; keep += step) {
        guint wide;

        step = unit_length(text + keep);
        wide = text[keep] == '\\' ? (guint)step : char_columns(g_utf8_get_char(text + keep));
        if (used + wide + mark > columns)
            break;
        used += wide;
    }
    return g_strdup_printf("%.*s" MARK, (int)keep, text);
}

char *text_utf8(const char *bytes, gboolean *lossy)
{
    GString *out = g_string_new(NULL);
    gboolean lost = FALSE;

    while (*bytes) {
        const char *end;

        if (g_utf8_validate(bytes, -1, &end)) {
            g_string_append(out, bytes);
            break;
        }
        g_string_append_len(out, bytes, end - bytes);
        g_string_append(out, REPLACEMENT);
        bytes = end + 1;
        lost = TRUE;
    }
    if (lossy)
        *lossy = lost;
    return g_string_free(out, FALSE);
}

char *text_hex(const char *bytes)
{
    GString *out = g_string_new(NULL);

    for (const guchar *p = (const guchar *)bytes; *p; p++)
        append_hex(out, *p);
    return g_string_free(out, FALSE);
}

static gboolean is_plain_word(const char *name)
{
    for (const char *p = name; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr("_.:/@%+=,-", *p))
            return FALSE;
    }
    /* zsh looks for a program by the name behind '='. */
    return *name != '\0' && *name != '=';
}

/* Without a backslash, which is doubled on its way to a terminal. New string. */
static char *shell_quote(const char *name)
{
    GString *out = g_string_new("'");

    for (const char *p = name; *p; p++) {
        if (*p == '\'')
            g_string_append(out, "'\"'\"'");
        else
            g_string_append_c(out, *p);
    }
    return g_string_free(g_string_append_c(out, '\''), FALSE);
}

char *text_shell(const char *name)
{
    const char *word = name ? name : "";
    g_autofree char *quoted = is_plain_word(word) ? g_strdup(word) : shell_quote(word);

    return g_strconcat(*word == '-' ? "-- " : "", quoted, NULL);
}

gboolean text_locale_is_utf8(void)
{
    return g_ascii_strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

char *text_time_utc(gint64 epoch)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(epoch);

    return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

char *text_time_local(gint64 epoch)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(epoch);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;
}

char *text_span(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

    for (gsize i = 0; i + 1 < G_N_ELEMENTS(units); i++) {
        gint64 whole = seconds / units[i].seconds;
        gint64 rest = seconds % units[i].seconds / units[i + 1].seconds;

        if (whole <= 0)
            continue;
        if (rest == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT "%c", whole, units[i].letter);
        return g_strdup_printf("%" G_GINT64_FORMAT "%c%" G_GINT64_FORMAT "%c", whole, units[i].letter, rest,
                               units[i + 1].letter);
    }
    return g_strdup_printf("%" G_GINT64_FORMAT "s", MAX(seconds, 0));
}

#define SUGGEST_LONGEST 128 /* the table below grows with the square */

/* Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost one
 * each. Both strings are at most SUGGEST_LONGEST bytes. */
static guint edit_distance(const char *a, const char *b)
{
    guint d[SUGGEST_LONGEST + 1][SUGGEST_LONGEST + 1];
    gsize n = strlen(a);
    gsize m = strlen(b);

    for (gsize i = 0; i <= n; i++)
        d[i][0] = (guint)i;
    for (gsize j = 0; j <= m; j++)
        d[0][j] = (guint)j;
    for (gsize i = 1; i <= n; i++) {
        for (gsize j = 1; j <= m; j++) {
            guint cost = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);
            guint best = MIN(MIN(d[i - 1][j] + 1, d[i][j - 1] + 1), d[i - 1][j - 1] + cost);

            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *text_suggest(const char *name, const char *const *candidates)
{
    gsize length = strlen(name);
    guint nearest = (guint)MAX(length / 3, 1) + 1;
    const char *best = NULL;

    if (length == 0 || length > SUGGEST_LONGEST)
        return NULL;
    for (; *candidates; candidates++) {
        guint distance;

        if (strlen(*candidates) > SUGGEST_LONGEST)
            continue;
        distance = edit_distance(name, *candidates);
        if (distance < nearest && distance < strlen(*candidates)) {
            best = *candidates;
            nearest = distance;
        }
    }
    return best;
}
