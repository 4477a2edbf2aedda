/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * A slot is the right to one number of an endpoint: its device's name, its MAC. It is a locked file in a
 * directory of root's alone, so it is free again in the moment its owner dies, however that happens. Its
 * owner writes into it what it is about to leave traces of in the host (a neighbour, a lease): whoever takes
 * the slot after one that was killed finds the notes, undoes what they say, and forgets them.
 */
typedef struct EndpointSlot EndpointSlot;

#define ENDPOINT_SLOTS 64U

/*
 * Takes the first slot that is free. directory: made where it is missing; NULL: /run/vnat-probe. Errors:
 * DENIED, EXISTS (all are taken), FAILED.
 */
EndpointSlot *endpoint_slot_take(const char *directory, GError **error);

/* Those whose owners died and left notes. EndpointSlots, this caller's from now on; may be empty. */
GPtrArray *endpoint_slots_left(const char *directory);

guint endpoint_slot_number(const EndpointSlot *slot);

/* What a dead owner noted, one note a line; NULL: nothing. */
const char *endpoint_slot_left(const EndpointSlot *slot);

/* Adds a note, a line without its end. Before what it tells of is done. Errors: FAILED. */
gboolean endpoint_slot_note(EndpointSlot *slot, const char *note, GError **error);

/* All that was noted, by whomever, is undone. */
void endpoint_slot_forget(EndpointSlot *slot);

/* Gives it back; with notes that were not forgotten they stay for the next owner. */
void endpoint_slot_free(EndpointSlot *slot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EndpointSlot, endpoint_slot_free)
