/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"
#include "model/redact.h"

#include <glib.h>
#include <string.h>

/*
 * What must not be found after redaction: every UUID, MAC and IP address that the text held before. Special
 * ones stay; of a wide network, as 10.0.0.0/8 or 128.0.0.0/1, the first bits may be the same by chance.
 */

static inline gboolean leak_counts(const char *found)
{
    g_autoptr(Redactor) redactor = redactor_new(NULL);
    g_autofree char *other = redact_address(redactor, found);

    return other && strcmp(other, found) != 0 && !g_str_has_suffix(found, ".0.0.0");
}

static inline void assert_no_leaks(const char *before, const char *after)
{
    g_autoptr(GRegex) regex =
        g_regex_new("(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|"
                    "(?<![0-9a-f:])[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?![0-9a-f:])|"
                    "(?<![0-9.])(?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?![0-9])|"
                    "(?<![0-9a-f:])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![0-9a-f:])",
                    G_REGEX_CASELESS | G_REGEX_RAW, 0, NULL);
    GMatchInfo *match = NULL;

    for (g_regex_match(regex, before, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *found = g_match_info_fetch(match, 0);

        if (leak_counts(found) && strstr(after, found))
            g_error("%s is still in:\n%s", found, after);
    }
    g_match_info_free(match);
}

/* Nor any of these, whatever their case; NULL-terminated. */
static inline void assert_none_of(const char *const *secrets, const char *after)
{
    g_autofree char *lower = g_ascii_strdown(after, -1);

    for (guint i = 0; secrets[i]; i++) {
        g_autofree char *secret = g_ascii_strdown(secrets[i], -1);

        if (strstr(lower, secret))
            g_error("%s is still in:\n%s", secrets[i], after);
    }
}

static inline char *read_test_data(const char *name)
{
    g_autofree char *path = g_build_filename(TEST_DATA, name, NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}
