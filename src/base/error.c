/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

typedef struct {
    char *what;
    char *hint;
} VnatErrorPrivate;

static void vnat_error_private_init(VnatErrorPrivate *priv)
{
    priv->what = NULL;
    priv->hint = NULL;
}

static void vnat_error_private_copy(const VnatErrorPrivate *src, VnatErrorPrivate *dest)
{
    dest->what = g_strdup(src->what);
    dest->hint = g_strdup(src->hint);
}

static void vnat_error_private_clear(VnatErrorPrivate *priv)
{
    g_free(priv->what);
    g_free(priv->hint);
}

G_DEFINE_EXTENDED_ERROR(VnatError, vnat_error)

gboolean vnat_error_set(GError **error, VnatError code, const char *format, ...)
{
    va_list args;

    if (!error)
        return FALSE;
    va_start(args, format);
    *error = g_error_new_valist(VNAT_ERROR, (gint)code, format, args);
    va_end(args);
    return FALSE;
}

/* Errors of GLib's own domains have no room for the lines: they become ours, as plain failures. */
static VnatErrorPrivate *vnat_error_adopt(GError **error)
{
    if (!g_error_matches(*error, VNAT_ERROR, (*error)->code)) {
        GError *ours = g_error_new_literal(VNAT_ERROR, VNAT_ERROR_FAILED, (*error)->message);

        g_error_free(*error);
        *error = ours;
    }
    return vnat_error_get_private(*error);
}

void vnat_error_what(GError **error, const char *format, ...)
{
    VnatErrorPrivate *priv;
    va_list args;

    if (!error || !*error)
        return;
    priv = vnat_error_adopt(error);
    if (priv->what) {
        g_prefix_error(error, "%s: ", priv->what);
        g_free(priv->what);
    }
    va_start(args, format);
    priv->what = g_strdup_vprintf(format, args);
    va_end(args);
}

void vnat_error_hint(GError **error, const char *format, ...)
{
    VnatErrorPrivate *priv;
    va_list args;

    if (!error || !*error)
        return;
    priv = vnat_error_adopt(error);
    if (priv->hint)
        return;
    va_start(args, format);
    priv->hint = g_strdup_vprintf(format, args);
    va_end(args);
}

static const VnatErrorPrivate *vnat_error_peek(const GError *error)
{
    if (!error || error->domain != VNAT_ERROR)
        return NULL;
    return vnat_error_get_private(error);
}

const char *vnat_error_get_what(const GError *error)
{
    const VnatErrorPrivate *priv = vnat_error_peek(error);

    return priv ? priv->what : NULL;
}

const char *vnat_error_get_hint(const GError *error)
{
    const VnatErrorPrivate *priv = vnat_error_peek(error);

    return priv ? priv->hint : NULL;
}
