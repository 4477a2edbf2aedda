/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/facts.h"
#include "model/finding.h"
#include "model/flow-row.h"
#include "model/map.h"
#include "model/network.h"

#include <jansson.h>
#include <stdio.h>

/*
 * JSON, as docs/schema/ describes it. Records are made one at a time and written at once: a map of 10,000
 * rows needs the memory of one. Text is valid UTF-8, everything outside ASCII is \u-escaped; where bytes were
 * not UTF-8, <field>_hex has them.
 */

/* The version of the interface: "schema" of every document. */
#define JSON_SCHEMA 1

/* Sets obj[key] to the text, or null for NULL; adds key_hex where bytes were lost. */
void json_put_text(json_t *obj, const char *key, const char *bytes);
/* Sets obj[key] to RFC 3339 and obj[key_epoch] to the number; has FALSE sets both to null. */
void json_put_time(json_t *obj, const char *key, gboolean has, gint64 epoch);

/* One object for each record; new references. */
json_t *json_of_interface(gconstpointer map_row);
json_t *json_of_network(gconstpointer network_row);
json_t *json_of_lease(gconstpointer map_lease);
json_t *json_of_finding(gconstpointer finding_record);
json_t *json_of_flow(gconstpointer flow_row);
json_t *json_of_template(gconstpointer template_record); /* TemplateRecord of views/columns.h */

/* Each source that was read, and its state; a new reference. */
json_t *json_of_sources(const Facts *facts);
/* Writes a value without line feeds. Errors stay in the stream. */
void json_write_value(FILE *out, json_t *value);
/* "name":value, the name being one of ours; takes the reference. */
void json_write_member(FILE *out, const char *name, json_t *value);

typedef struct {
    const char *name; /* "interfaces" */
    const GPtrArray *records;
    json_t *(*make)(gconstpointer record);
} JsonCollection;

/*
 * The document: {"schema":1,"host":…,"uri":…,"time":…,"sources":{…}, collections…}, one record a line.
 * collections ends with a NULL name.
 */
void json_write(FILE *out, const Facts *facts, const JsonCollection *collections);
/* The same with each member of an object at the end; takes the reference. */
void json_write_members(FILE *out, const Facts *facts, const JsonCollection *collections, json_t *members);
/* The same with one member, "name"; takes the reference. */
void json_write_with(FILE *out, const Facts *facts, const JsonCollection *collections, const char *name,
                     json_t *value);
