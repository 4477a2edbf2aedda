/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Text that came from elsewhere, on its way out. A guest chooses its hostname byte by byte, so no such text
 * reaches a terminal, a table row or a JSON document without passing here.
 */

/* The widest cell of a table, in columns; what is longer is cut and ends in "...". */
#define TEXT_CELL_COLUMNS 64

/*
 * Makes bytes harmless for a terminal, reversibly: printable ASCII as it is, backslash doubled, every other
 * byte as \xNN. With utf8, well-formed UTF-8 passes as well, except controls (C0, C1, DEL), bidirectional
 * marks and overrides, zero-width and invisible characters, variation selectors, tags, private use and
 * noncharacters. length is in bytes, -1 for a NUL-terminated string. Returns a new string; never NULL (NULL
 * gives "").
 */
char *text_escape(const char *bytes, gssize length, gboolean utf8);

/*
 * The way back. Returns the bytes and their number, NUL-terminated, or NULL if the text is not of
 * text_escape's form.
 */
char *text_unescape(const char *text, gsize *length);

/* text_escape cut to at most columns terminal columns; the cut is marked by "..." and never splits an escape.
 */
char *text_cell(const char *bytes, gboolean utf8, guint columns);

/* Width of an escaped text in terminal columns (as wcwidth counts, without depending on the locale). */
guint text_columns(const char *text);

/*
 * An XML document for any output: characters that text_escape would not let through become character
 * references
 * ("&#x202E;"), which mean the same in text and in attribute values; everything else stays byte for byte.
 * Returns a new string.
 */
char *text_xml(const char *xml);

/*
 * Bytes as valid UTF-8 for JSON: each invalid byte becomes U+FFFD. *lossy says whether one did (may be NULL);
 * then the caller adds a <field>_hex made by text_hex. Returns a new string.
 */
char *text_utf8(const char *bytes, gboolean *lossy);

/* Lower-case hexadecimal digits of a NUL-terminated byte string. Returns a new string. */
char *text_hex(const char *bytes);

/*
 * A name as a word of a command line that somebody may paste into a shell: as it is where a shell sees no
 * more in it than a word, else in single quotes. What begins with '-' comes after "-- ", so that no option is
 * made of it: such a name must be the last word. The name's bytes stay as they are, so the command is escaped
 * on its way out like any other text. Returns a new string; never NULL (NULL gives an empty word).
 */
char *text_shell(const char *name);

/* Whether standard output's locale is UTF-8; setlocale(LC_CTYPE, "") must have been called. */
gboolean text_locale_is_utf8(void);

/* RFC 3339 in UTC, "2026-11-22T12:00:00Z". epoch in seconds. Returns a new string, NULL if out of range. */
char *text_time_utc(gint64 epoch);

/* "%Y-%m-%d %H:%M:%S" in local time, as virsh prints it. Returns a new string, NULL if out of range. */
char *text_time_local(gint64 epoch);

/* A span of seconds for people, two units at most: "59m12s", "1h", "2d3h". Negative gives "0s". */
char *text_span(gint64 seconds);

/*
 * The candidate closest to a mistyped name, or NULL if none is close enough (at most a third of its letters,
 * at least one edit; a swap of neighbours is one edit). candidates is NULL-terminated. Owned by candidates.
 */
const char *text_suggest(const char *name, const char *const *candidates);
