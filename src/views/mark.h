/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/finding.h"
#include "views/view.h"

#include <stdio.h>

/* What the views for people have in common: text of others escaped, words in colour, findings. */

/* Codes of escape sequences. */
#define MARK_PLAIN "0"
#define MARK_BOLD "1"
#define MARK_RED "31"
#define MARK_GREEN "32"
#define MARK_YELLOW "33"
#define MARK_MAGENTA "35"

/* Bytes that came from elsewhere, of whatever length (text_escape). */
void mark_escaped(FILE *out, const char *text, const ViewContext *view);

/* Text of our own or of others, escaped, in a colour (MARK_*) where the view has colours. */
void mark_colored(FILE *out, const char *code, const char *text, const ViewContext *view);

/* The colour of a level. */
const char *mark_level_code(Level level);

/* A finding's evidence, a line each, and what to try; indent: blanks before the latter, evidence has two
 * more. */
void mark_finding_details(FILE *out, guint indent, const Finding *finding, const ViewContext *view);
