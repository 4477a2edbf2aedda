/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * Facts as JSON and back: one table for each kind of record says which fields there are, and both directions,
 * copies and redaction read that table, so that they cannot drift apart.
 *
 * A field that is its "none" is left out, and a field that is left out is its "none"; what a reader does not
 * know is passed over, so that records can gain fields. Text is in text_escape's form: any byte survives, and
 * none reaches a terminal raw. A record's members are one JSON object.
 */

typedef enum {
    RECORD_TEXT,      /* char *; none: NULL */
    RECORD_WORDS,     /* char **, an array of texts; none: NULL */
    RECORD_BOOL,      /* gboolean */
    RECORD_NUMBER,    /* of the type that number says; none: the field's own */
    RECORD_MAC,       /* Mac; none: the gboolean at flag is FALSE (required, if flag is 0) */
    RECORD_IP,        /* Ip; none: family 0 */
    RECORD_NET,       /* IpNet; none: family 0 */
    RECORD_BRIDGE_ID, /* guint8[8]: "8000.525400123456"; none: all zero */
} RecordKind;

/* The type of a RECORD_NUMBER. */
typedef enum {
    NUMBER_U8,  /* guint8 */
    NUMBER_U16, /* guint16 */
    NUMBER_U32, /* guint32, guint */
    NUMBER_I32, /* gint, enumerations */
    NUMBER_U64, /* guint64, at most G_MAXINT64 */
    NUMBER_I64, /* gint64 */
} RecordNumber;

/* What a text tells of, for whoever has to replace it. MACs, addresses and bridge ids tell by their kind. */
typedef enum {
    MEANS_NOTHING, /* a word of libvirt's, the kernel's or our own */
    MEANS_NETWORK, /* a network's name */
    MEANS_DOMAIN,
    MEANS_HOST, /* a host name */
    MEANS_IFNAME,
    MEANS_UUID,
    MEANS_CLIENT_ID, /* or DUID, or IAID */
    MEANS_TEXT,      /* anything, with any of these in it */
    MEANS_COMMENT,   /* what somebody wrote for people */
    MEANS_USER,
    MEANS_PROGRAM,
    MEANS_ARGUMENT,   /* a word of dnsmasq's command line */
    MEANS_PROC_PATH,  /* below /proc */
    MEANS_PROC_VALUE, /* numbers, or names of tables */
    MEANS_ZONE,       /* of firewalld */
} RecordMeaning;

typedef struct {
    const char *name; /* in JSON; NULL ends a table */
    RecordKind kind;
    gsize offset;
    RecordNumber number;
    gint64 none; /* of a number */
    gsize flag;  /* of the gboolean that says whether a RECORD_MAC is there */
    RecordMeaning meaning;
    gboolean required; /* a record without it is none: not for numbers and truth values */
} RecordField;

/* A new object; every text in it is valid UTF-8. */
json_t *record_write(const RecordField *fields, gconstpointer record);

/*
 * Fills the fields of a record that was made with zeros or by its constructor; texts that it holds are not
 * freed. Errors: INVALID ("'mtu' is no number from 0 to 4294967295"); what was filled by then stays and is
 * the record's to free.
 */
gboolean record_read(const RecordField *fields, const json_t *object, gpointer record, GError **error);

/* Copies the fields, texts anew, into a record as record_read takes it. */
void record_copy(const RecordField *fields, gconstpointer from, gpointer to);

/* ------------------------------------------------------------------------------- tables of the facts */

/* Of the facts as a whole: what is not a record of its own; of a source: all but its state. */
extern const RecordField facts_fields[], source_status_fields[];
/* Of a network and a domain: what is not in their XML. */
extern const RecordField network_fields[], domain_fields[];
extern const RecordField agent_address_fields[], lease_fields[], link_fields[], link_address_fields[];
extern const RecordField neighbour_fields[], fdb_entry_fields[], route_fields[], route_rule_fields[];
extern const RecordField dnsmasq_fields[], socket_fields[], proc_value_fields[], firewalld_zone_fields[];
extern const RecordField flow_fields[];
