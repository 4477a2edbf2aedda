/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/redact.h"

/* What the files of the redactor share. */

typedef struct {
    GHashTable *tokens; /* name -> replacement */
    guint count, width; /* names that were numbered; digits of a number, at least */
} RedactNames;

struct Redactor {
    GHmac *keyed;        /* the key, and nothing hashed yet */
    GHashTable *answers; /* set of Answer: what was asked of the key before */
    RedactNames names[REDACT_KIND_COUNT];
    GHashTable *known;    /* first word in lower case -> GPtrArray of RedactKnown, longest first */
    GPtrArray *patterns;  /* RedactPattern: beginnings of devices' names, longest first */
    GRegex *device_names; /* those that stay */
};

/* A name to be found in text. */
typedef struct {
    RedactKind kind;
    gsize length;
    char *name, *token;
} RedactKnown;

/* A beginning of devices' names that a rule speaks of. */
typedef struct {
    char *stem, *shown; /* what it was, and what stands for it */
    char *token;        /* what the names of devices begin with that begin with stem, and do not stay */
} RedactPattern;

#define REDACT_DIGEST_BYTES 32

/* ---------------------------------------------------------------------------------- random functions */

/* Of the key, of a label that says what for, and of bytes. */
void redact_digest(Redactor *redactor, char label, gconstpointer bytes, gsize length,
                   guint8 digest[static REDACT_DIGEST_BYTES]);
/* Of a number, with a second one that says what for; cached. */
guint64 redact_random(Redactor *redactor, char label, guint n, guint64 number);
/* A random permutation of the numbers of so many bits (even, at most 64) without a fixed point; cached. */
guint64 redact_permute(Redactor *redactor, guint bits, guint64 number);

/* ------------------------------------------------------------------------------------------- names */

/* The replacement that this name has already, or NULL. Owned by the redactor. */
const char *redact_lookup(const Redactor *redactor, RedactKind kind, const char *name);
/* Remembers it, also for redact_text. Returns token. */
const char *redact_remember(Redactor *redactor, RedactKind kind, const char *name, const char *token);
/* A name's replacement where text[at] begins a word, the longest; NULL: none begins there. *length: of the
 * name. */
const RedactKnown *redact_find_known(const Redactor *redactor, const char *text, gsize length, gsize at);

/*
 * The length of the words that the name of a chain, a table or a set begins with and that tell of nobody:
 * libvirt's, iptables', those of programs that make rules ("ufw-user-" of "ufw-user-acme", all of
 * "KUBE-SERVICES"), devices' names that stay.
 */
gsize redact_rules_words(Redactor *redactor, const char *name);

/* Whether it is one of the kernel's or of a well-known program. */
gboolean redact_device_stays(Redactor *redactor, const char *name);
void redact_pattern_free(RedactPattern *pattern);

/* ---------------------------------------------------------------------------------------- patterns */

/*
 * At text + at: a UUID, a MAC, octets, an IP address with or without prefix, a reverse zone. Appends the
 * replacement and returns the number of bytes that it stands for; 0: none of these begins there.
 */
gsize redact_pattern(Redactor *redactor, const char *text, gsize length, gsize at, GString *out);
