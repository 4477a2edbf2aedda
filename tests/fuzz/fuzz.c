/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* A critical message is a broken promise to GLib. And g_error() would end in a trap, which libFuzzer does not
 * take for a finding. */
static void complain(const char *domain, GLogLevelFlags level, const char *message, gpointer unused)
{
    fprintf(stderr, "%s: %s\n", domain ? domain : "vnat", message);
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* whose tables know how wide a character is */
    g_log_set_default_handler(complain, NULL);
    return 0;
}

gboolean fuzz_equal(const char *a, const char *b)
{
    return g_strcmp0(a, b) == 0;
}

/* The branches of an oracle are no coverage, and recording them takes time. */
#ifdef __clang__
#define UNTRACED __attribute__((no_sanitize("coverage")))
#else
#define UNTRACED
#endif

/* Written down once more, apart from the list that the escapers use. */
UNTRACED static gboolean is_harmless(gunichar c)
{
    static const struct {
        gunichar first, last;
    } harmful[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},     {0x200b, 0x200f},    {0x2028, 0x202e},
        {0x2060, 0x206f}, {0xe000, 0xf8ff}, {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},    {0xfeff, 0xfeff},
        {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe01ef}, {0xf0000, 0x10ffff},
    };

    if (c >= 0x20 && c < 0x7f)
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(harmful); i++) {
        if (c >= harmful[i].first && c <= harmful[i].last)
            return FALSE;
    }
    return g_unichar_isprint(c);
}

UNTRACED void fuzz_require_harmless(const char *text, gboolean utf8, const char *allowed)
{
    require(g_utf8_validate(text, -1, NULL));
    require(utf8 || g_str_is_ascii(text));
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        require(is_harmless(g_utf8_get_char(p)) || strchr(allowed, *p));
}

void fuzz_put_unicode(GString *document, guint16 unit)
{
    static const char upper[] = "0123456789ABCDEF";
    static const char lower[] = "0123456789abcdef";
    const char *digits = unit & 1 ? upper : lower;
    const char text[] = {
        '\\', 'u', digits[unit >> 12], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};

    g_string_append_len(document, text, sizeof(text));
}
