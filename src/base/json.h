/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Levels of arrays and objects in libvirt's lease files and in our own documents, with room. */
#define JSON_DEPTH 8

/*
 * JSON of others, strictly: at most 32 MiB and depth levels (256 at most), an array or object; duplicate
 * keys, trailing bytes and NUL bytes refused. Returns a new reference; NULL with VNAT_ERROR_INVALID, whose
 * message begins with the rule's name
 * ("size: …", "depth: …", "nul: …", "encoding: …", "syntax: line 3: " and jansson's cause).
 *
 * libvirt's lease files may hold hostnames as raw bytes: with raw_bytes, text that is not UTF-8 is taken byte
 * by byte (each invalid byte becomes a private marker, described in json.c, that json_bytes undoes); without,
 * it is refused. A string that holds an escaped NUL is refused with the whole document without raw_bytes, and
 * taken with it.
 */
json_t *json_parse(const char *bytes, gsize length, guint depth, gboolean raw_bytes, GError **error);

/*
 * A string value of a document parsed with raw_bytes, as its bytes were; new string, or NULL if value is
 * NULL, no string, or holds a NUL.
 */
char *json_bytes(const json_t *value);

/* obj[key] as an integer within [min, max]; accepts a JSON integer only. *value is untouched on FALSE; obj
 * may be NULL. */
gboolean json_get_int(const json_t *obj, const char *key, gint64 min, gint64 max, gint64 *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)
