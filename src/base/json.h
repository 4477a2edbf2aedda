/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * JSON of others, strictly: at most 32 MiB, depth 8 (or as given), duplicate keys and trailing bytes refused. Returns a new reference; NULL with
 * VNAT_ERROR_INVALID and jansson's line and cause. libvirt's leases helper writes hostnames as raw bytes: text that is not UTF-8 is
 * taken byte by byte when latin is set (each invalid byte becomes the private marker described in json.c, undone by
 * json_bytes), refused otherwise.
 */
json_t *json_parse(const char *bytes, gsize length, guint depth, gboolean raw_bytes, GError **error);

/* A string value's bytes as they stood in the document (see raw_bytes); new string, or NULL if value is no string or holds a NUL. */
char *json_bytes(const json_t *value);

/* obj[key] as an integer within [min, max]; accepts a JSON integer only. */
gboolean json_get_int(const json_t *obj, const char *key, gint64 min, gint64 max, gint64 *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)
