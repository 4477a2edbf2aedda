/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a fuzz target defines: libFuzzer calls it with inputs of its own, replay.c with those of the corpus.
 * It keeps nothing from one input to the next, and touches nothing outside $TMPDIR. Returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Called once before the first input, by both. Makes a complaint of GLib's a finding, and the locale UTF-8
 * where there is one. Returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Says what did not hold, and aborts: the input is a finding then. */
G_NORETURN void fuzz_fail(const char *file, int line, const char *what);
#define require(holds) ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds))

/* Whether a and b are both NULL, or equal strings. */
gboolean fuzz_equal(const char *a, const char *b);

/*
 * Requires text that may go to a terminal: valid UTF-8 (ASCII without utf8) in which nothing acts on the
 * terminal, turns a line around or cannot be seen; except the characters in allowed ("\n").
 */
void fuzz_require_harmless(const char *text, gboolean utf8, const char *allowed);

/* Appends JSON's escape of a unit of UTF-16, \uXXXX; faster than a format. */
void fuzz_put_unicode(GString *document, guint16 unit);
