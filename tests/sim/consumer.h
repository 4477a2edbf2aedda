/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/live.h"

#include <glib.h>
#include <jansson.h>

/*
 * A reader of what watch tells, who knows of the map what he was told and nothing else. A change that does
 * not fit what he knows is wrong. Records are kept as texts, equal for what is equal to a reader.
 */

/* A bag is a set of texts, each as often as it is there: text -> how often. */
typedef struct {
    GHashTable *rows, *leases, *findings; /* bags */
    GHashTable *networks;                 /* UUID -> text */
    char *wrong;                          /* the first thing that was; NULL: nothing */
} Consumer;

void consumer_init(Consumer *consumer);
void consumer_clear(Consumer *consumer);
/* He forgets rows, leases and networks for those of the map; findings are told as changes alone. */
void consumer_snapshot(Consumer *consumer, LiveMap *live);
void consumer_change(Consumer *consumer, const Change *change);
/* Takes the text, which is kept if it is the first. */
void consumer_wrong(Consumer *consumer, char *text);

GHashTable *bag_new(void);
/* Takes the text. */
void bag_add(GHashTable *bag, char *text);
/* What a text of a bag is shown as: a new string, or NULL for one that is left out. */
typedef char *(*BagShow)(const char *text, gpointer data);
/* The texts in their order, a line each. show may be NULL: as they are. New string. */
char *bag_text(GHashTable *bag, BagShow show, gpointer data);

/* New strings. text_of takes the JSON. */
char *text_of(json_t *json);
char *row_text(const MapRow *row);
char *lease_text(const Lease *lease);
/* What makes it raised or cleared: evidence may change meanwhile. */
char *finding_text(const Finding *finding);
/* Without its interfaces and the number of its leases: those are told as rows and leases. */
char *network_text(const NetworkRow *row);
