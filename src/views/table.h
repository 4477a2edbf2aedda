/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "views/view.h"

#include <glib.h>
#include <stdio.h>

/*
 * Tables as virsh prints them (title row, rule of dashes, rows, an empty line), by libsmartcols, and the same
 * columns as CSV (RFC 4180). A column is a function from a record to text; the set of columns of a record
 * type is one table.
 */

typedef enum { COLOR_NONE, COLOR_GOOD, COLOR_WARN, COLOR_BAD } CellColor;

typedef struct {
    const char *id;    /* as in -o and --list-columns, and CSV's first line */
    const char *title; /* of the title row */
    const char *help;
    /* The cell's text as raw bytes (the table escapes), a new string; NULL for a missing value. */
    char *(*get)(gconstpointer record, const ViewContext *view);
    CellColor (*color)(gconstpointer record); /* NULL: none */
} Column;

typedef struct {
    const Column *columns;
    guint count;
} ColumnSet;

/*
 * Which columns to show: spec is "A,B", or "+C,D" to add to standard ("A,B,C" of ids); NULL gives the
 * standard ones. Case does not matter. Returns an array of const Column *; NULL with VNAT_ERROR_USAGE for an
 * unknown name.
 */
GPtrArray *columns_select(const ColumnSet *set, const char *standard, const char *spec, GError **error);

/* Writes the records with these columns. */
void table_write(FILE *out, const GPtrArray *columns, const GPtrArray *records, const ViewContext *view);

/* --list-columns: a line for each column, id and help. */
void columns_list(FILE *out, const ColumnSet *set);
