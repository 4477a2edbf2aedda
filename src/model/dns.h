/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>

/* A question to a name server and its answer (RFC 1035), as the payload of UDP. Pure. */

enum { DNS_TYPE_A = 1, DNS_TYPE_TXT = 16, DNS_TYPE_AAAA = 28 };
enum { DNS_CLASS_IN = 1, DNS_CLASS_CHAOS = 3 };
/* Answers: done, server failed, no such name, refused. */
enum { DNS_DONE = 0, DNS_FAILED = 2, DNS_NO_NAME = 3, DNS_REFUSED = 5 };

/* New bytes (g_byte_array_unref); NULL: the name is none (labels of 1 to 63 bytes, 253 in all). */
GByteArray *dns_query(guint16 id, const char *name, guint16 type, guint16 class);

#define DNS_TEXT 64

typedef struct {
    guint8 code;         /* DNS_DONE … */
    gboolean truncated;  /* the rest is to be asked for by TCP */
    guint16 answers;     /* records in the answer */
    Ip address;          /* the first of A or AAAA; family 0: none */
    char text[DNS_TEXT]; /* the first of TXT, cut; "": none. Bytes as they came */
} DnsAnswer;

/* TRUE for a whole, well-formed answer to the query with that id and that question. */
gboolean dns_parse(const void *bytes, gsize length, guint16 id, guint16 type, DnsAnswer *answer);

/* "no such name", "the server failed", "refused", …. Static. */
const char *dns_code_text(guint8 code);
