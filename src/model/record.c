/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/record.h"

#include "base/error.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

#define BRIDGE_ID_BYTES 8
#define WORDS_MAX 4096

/* A field of a record, by its type. */
#define AT(record, field, type) G_STRUCT_MEMBER(type, record, (field)->offset)
#define AT_CONST(record, field, type)                                                                        \
    (*(type const *)(gconstpointer)((const guint8 *)(record) + (field)->offset))

/* ----------------------------------------------------------------------------------------- numbers */

/* What a number of each type can be. */
static const struct {
    gint64 min, max;
} ranges[] = {
    [NUMBER_U8] = {0, G_MAXUINT8},   [NUMBER_U16] = {0, G_MAXUINT16},
    [NUMBER_U32] = {0, G_MAXUINT32}, [NUMBER_I32] = {G_MININT32, G_MAXINT32},
    [NUMBER_U64] = {0, G_MAXINT64},  [NUMBER_I64] = {G_MININT64, G_MAXINT64},
};

static gint64 number_get(const RecordField *field, gconstpointer record)
{
    switch (field->number) {
    case NUMBER_U8:
        return AT_CONST(record, field, guint8);
    case NUMBER_U16:
        return AT_CONST(record, field, guint16);
    case NUMBER_U32:
        return AT_CONST(record, field, guint32);
    case NUMBER_I32:
        return AT_CONST(record, field, gint32);
    case NUMBER_U64:
        return (gint64)MIN(AT_CONST(record, field, guint64), (guint64)G_MAXINT64);
    case NUMBER_I64:
        break;
    }
    return AT_CONST(record, field, gint64);
}

/* value is in the type's range. */
static void number_set(const RecordField *field, gpointer record, gint64 value)
{
    switch (field->number) {
    case NUMBER_U8:
        AT(record, field, guint8) = (guint8)value;
        return;
    case NUMBER_U16:
        AT(record, field, guint16) = (guint16)value;
        return;
    case NUMBER_U32:
        AT(record, field, guint32) = (guint32)value;
        return;
    case NUMBER_I32:
        AT(record, field, gint32) = (gint32)value;
        return;
    case NUMBER_U64:
        AT(record, field, guint64) = (guint64)value;
        return;
    case NUMBER_I64:
        break;
    }
    AT(record, field, gint64) = value;
}

/* ----------------------------------------------------------------------------------------- writing */

static json_t *text_write(const char *text)
{
    g_autofree char *escaped = text_escape(text, -1, TRUE);

    return json_string(escaped);
}

static json_t *words_write(char *const *words)
{
    json_t *array = json_array();

    for (guint i = 0; words[i]; i++)
        json_array_append_new(array, text_write(words[i]));
    return array;
}

static json_t *net_write(const IpNet *net)
{
    g_autofree char *text = ipnet_to_string(net);

    return json_string(text);
}

static json_t *bridge_id_write(const guint8 *id)
{
    static const guint8 none[BRIDGE_ID_BYTES];

    if (memcmp(id, none, sizeof none) == 0)
        return NULL;
    return json_sprintf("%02x%02x.%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2], id[3], id[4], id[5], id[6],
                        id[7]);
}

/* NULL for a field that is its none. */
static json_t *field_write(const RecordField *field, gconstpointer record)
{
    char text[MAX(IP_TEXT, MAC_TEXT)];

    switch (field->kind) {
    case RECORD_TEXT:
        return AT_CONST(record, field, char *) ? text_write(AT_CONST(record, field, char *)) : NULL;
    case RECORD_WORDS:
        return AT_CONST(record, field, char **) ? words_write(AT_CONST(record, field, char **)) : NULL;
    case RECORD_BOOL:
        return AT_CONST(record, field, gboolean) ? json_true() : NULL;
    case RECORD_MAC:
        if (field->flag && !G_STRUCT_MEMBER(const gboolean, record, field->flag))
            return NULL;
        return json_string(mac_format(&AT_CONST(record, field, Mac), text));
    case RECORD_IP:
        return AT_CONST(record, field, Ip).family ? json_string(ip_format(&AT_CONST(record, field, Ip), text))
                                                  : NULL;
    case RECORD_NET:
        return AT_CONST(record, field, IpNet).ip.family ? net_write(&AT_CONST(record, field, IpNet)) : NULL;
    case RECORD_BRIDGE_ID:
        return bridge_id_write(&AT_CONST(record, field, guint8));
    case RECORD_NUMBER:
        break;
    }
    return number_get(field, record) == field->none ? NULL : json_integer(number_get(field, record));
}

json_t *record_write(const RecordField *fields, gconstpointer record)
{
    json_t *object = json_object();

    for (const RecordField *field = fields; field->name; field++) {
        json_t *value = field_write(field, record);

        if (value)
            json_object_set_new(object, field->name, value);
    }
    return object;
}

/* ----------------------------------------------------------------------------------------- reading */

/* NULL if it is no text of ours. New string. */
static char *text_read(const json_t *value)
{
    gsize length = 0;
    char *text = json_is_string(value) ? text_unescape(json_string_value(value), &length) : NULL;

    if (text && strlen(text) != length)
        g_clear_pointer(&text, g_free);
    return text;
}

static char **words_read(const json_t *value)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    if (!json_is_array(value) || json_array_size(value) > WORDS_MAX)
        return NULL;
    for (gsize i = 0; i < json_array_size(value); i++) {
        char *word = text_read(json_array_get(value, i));

        if (!word)
            return NULL;
        g_ptr_array_add(words, word);
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_steal(words, NULL);
}

static gboolean bridge_id_read(const char *text, guint8 *id)
{
    guint digits = 0;

    for (; *text; text++) {
        gint digit = g_ascii_xdigit_value(*text);

        if (*text == '.' && digits == 4)
            continue;
        if (digit < 0 || digits == 2 * BRIDGE_ID_BYTES)
            return FALSE;
        id[digits / 2] = (guint8)(id[digits / 2] << 4 | digit);
        digits++;
    }
    return digits == 2 * BRIDGE_ID_BYTES;
}

static gboolean number_read(const RecordField *field, const json_t *object, gpointer record, GError **error)
{
    gint64 min = ranges[field->number].min, max = ranges[field->number].max;
    gint64 number = 0;

    if (!json_get_int(object, field->name, min, max, &number))
        return vnat_error_set(error, VNAT_ERROR_INVALID,
                              "'%s' is no number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->name,
                              min, max);
    number_set(field, record, number);
    return TRUE;
}

/* What a value of the kind is, for the message that it is none. */
static const char *kind_noun(RecordKind kind)
{
    switch (kind) {
    case RECORD_TEXT:
        return "text";
    case RECORD_WORDS:
        return "list of texts";
    case RECORD_BOOL:
        return "truth value";
    case RECORD_MAC:
        return "MAC address";
    case RECORD_IP:
        return "IP address";
    case RECORD_NET:
        return "IP address with its prefix";
    case RECORD_BRIDGE_ID:
        return "bridge id";
    case RECORD_NUMBER:
        break;
    }
    return "number";
}

/* A field that is no number. FALSE if the value is not of its kind. */
static gboolean value_read(const RecordField *field, const json_t *value, gpointer record)
{
    const char *text = json_string_value(value);

    switch (field->kind) {
    case RECORD_TEXT:
        return (AT(record, field, char *) = text_read(value)) != NULL;
    case RECORD_WORDS:
        return (AT(record, field, char **) = words_read(value)) != NULL;
    case RECORD_BOOL:
        AT(record, field, gboolean) = json_is_true(value);
        return json_is_boolean(value);
    case RECORD_MAC:
        if (field->flag)
            G_STRUCT_MEMBER(gboolean, record, field->flag) = TRUE;
        return text && mac_parse(text, &AT(record, field, Mac));
    case RECORD_IP:
        return text && ip_parse(text, &AT(record, field, Ip));
    case RECORD_NET:
        return text && ipnet_parse(text, &AT(record, field, IpNet));
    case RECORD_BRIDGE_ID:
        return text && bridge_id_read(text, &AT(record, field, guint8));
    case RECORD_NUMBER:
        break;
    }
    return FALSE;
}

static gboolean field_missing(const RecordField *field, gpointer record, GError **error)
{
    if (field->required)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "'%s' is missing", field->name);
    if (field->kind == RECORD_NUMBER)
        number_set(field, record, field->none);
    return TRUE;
}

static gboolean field_read(const RecordField *field, const json_t *object, gpointer record, GError **error)
{
    const json_t *value = json_object_get(object, field->name);

    if (!value)
        return field_missing(field, record, error);
    if (field->kind == RECORD_NUMBER)
        return number_read(field, object, record, error);
    return value_read(field, value, record) ||
           vnat_error_set(error, VNAT_ERROR_INVALID, "'%s' is no %s", field->name, kind_noun(field->kind));
}

gboolean record_read(const RecordField *fields, const json_t *object, gpointer record, GError **error)
{
    for (const RecordField *field = fields; field->name; field++) {
        if (!field_read(field, object, record, error))
            return FALSE;
    }
    return TRUE;
}

/* ----------------------------------------------------------------------------------------- copying */

static void field_copy(const RecordField *field, gconstpointer from, gpointer to)
{
    switch (field->kind) {
    case RECORD_TEXT:
        AT(to, field, char *) = g_strdup(AT_CONST(from, field, char *));
        return;
    case RECORD_WORDS:
        AT(to, field, char **) = g_strdupv(AT_CONST(from, field, char **));
        return;
    case RECORD_BOOL:
        AT(to, field, gboolean) = AT_CONST(from, field, gboolean);
        return;
    case RECORD_MAC:
        AT(to, field, Mac) = AT_CONST(from, field, Mac);
        if (field->flag)
            G_STRUCT_MEMBER(gboolean, to, field->flag) = G_STRUCT_MEMBER(const gboolean, from, field->flag);
        return;
    case RECORD_IP:
        AT(to, field, Ip) = AT_CONST(from, field, Ip);
        return;
    case RECORD_NET:
        AT(to, field, IpNet) = AT_CONST(from, field, IpNet);
        return;
    case RECORD_BRIDGE_ID:
        memcpy(&AT(to, field, guint8), &AT_CONST(from, field, guint8), BRIDGE_ID_BYTES);
        return;
    case RECORD_NUMBER:
        break;
    }
    number_set(field, to, number_get(field, from));
}

void record_copy(const RecordField *fields, gconstpointer from, gpointer to)
{
    for (const RecordField *field = fields; field->name; field++)
        field_copy(field, from, to);
}
