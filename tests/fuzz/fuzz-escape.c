/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "fuzz.h"
#include "views/json.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes on their way out: to a terminal they are reversible, valid UTF-8 and without a control character;
 * a cell keeps its width; JSON comes back from another reader as it went in.
 */

#define CELL 16

static void require(gboolean holds)
{
    if (!holds)
        abort();
}

/* What a terminal gets: nothing that it acts on, nothing that turns a line around. */
static void require_harmless(const char *text)
{
    require(g_utf8_validate(text, -1, NULL));
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        require(c >= 0x20 && (c < 0x7f || c > 0x9f) && g_unichar_isprint(c));
        require(!(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
                !(c >= 0x2060 && c <= 0x206f) && c != 0x61c && c != 0xfeff);
    }
}

static void escape(const char *bytes, gsize size, gboolean utf8)
{
    g_autofree char *text = text_escape(bytes, (gssize)size, utf8);
    gsize length;
    g_autofree char *back = text_unescape(text, &length);

    require_harmless(text);
    require(utf8 || g_str_is_ascii(text));
    require(back && length == size && memcmp(back, bytes, size) == 0);
}

static void cell(const char *string, gboolean utf8)
{
    g_autofree char *whole = text_escape(string, -1, utf8);
    g_autofree char *text = text_cell(string, utf8, CELL);
    gboolean cut = strcmp(text, whole) != 0;
    g_autofree char *back = NULL;

    require_harmless(text);
    require(text_columns(text) <= CELL);
    require(cut == (text_columns(whole) > CELL));
    require(!cut || g_str_has_suffix(text, "..."));
    back = text_unescape(text, NULL); /* no escape was split */
    require(back != NULL);
}

static void json(const char *string)
{
    json_t *obj = json_object();
    gboolean valid = g_utf8_validate(string, -1, NULL);
    char *dump;
    json_t *back;
    const char *hex;

    json_put_text(obj, "t", string);
    dump = json_dumps(obj, JSON_ENSURE_ASCII);
    require(dump && g_str_is_ascii(dump));
    back = json_loads(dump, 0, NULL);
    require(back && json_equal(obj, back));
    require(!valid || strcmp(json_string_value(json_object_get(back, "t")), string) == 0);
    hex = json_string_value(json_object_get(back, "t_hex"));
    require(valid == (hex == NULL) && (valid || strlen(hex) == strlen(string) * 2));
    free(dump);
    json_decref(obj);
    json_decref(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *string = g_strndup((const char *)data, size);

    for (gint utf8 = 0; utf8 < 2; utf8++) {
        escape((const char *)data, size, utf8);
        cell(string, utf8);
    }
    json(string);
    g_free(text_unescape(string, NULL));
    return 0;
}
