/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/change.h"

#include <glib.h>
#include <jansson.h>

/*
 * A reader of changes, who knows of the map what he was told and nothing else. A change that does not fit
 * what he knows is wrong; the first such stands in wrong.
 */

/* Texts, as often as they are there. */
typedef struct {
    GHashTable *rows, *leases, *findings;
    GHashTable *networks; /* UUID -> JSON */
    char *wrong;
} Consumer;

void consumer_init(Consumer *consumer);
void consumer_clear(Consumer *consumer);
void consume(Consumer *consumer, const Change *change);
/* Takes the text. */
void wrong(Consumer *consumer, char *text);

/* Takes the text. */
void bag_add(GHashTable *bag, char *text);
char *bag_text(GHashTable *bag);

/* New strings, equal for what is equal to a reader. text_of takes the JSON. */
char *text_of(json_t *json);
char *row_text(const MapRow *row);
char *lease_text(const Lease *lease);
char *finding_text(const Finding *finding);
char *network_text(const NetworkRow *row);
