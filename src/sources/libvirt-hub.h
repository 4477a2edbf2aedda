/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/follow.h"

#include <glib.h>

/*
 * Where what happens on other threads comes to the main context: workers that have an answer, and callbacks
 * of libvirt, which runs them in whichever thread it likes. It outlives its owner: who holds a reference may
 * go on posting to it, and nobody hears it.
 */
typedef struct LibvirtHub LibvirtHub;

typedef enum { HUB_TOUCH, HUB_CLOSED } HubNoteType;

typedef struct {
    HubNoteType type;
    guint serial;    /* of the line (libvirt-line.h) */
    FollowKind kind; /* TOUCH */
    char uuid[40];   /* TOUCH */
    int reason;      /* CLOSED: a virConnectCloseReason */
} HubNote;

/* run is called on the default main context after something was posted or signalled, once for any number of
 * these, or when the time has come. */
LibvirtHub *libvirt_hub_new(void (*run)(gpointer data), gpointer data);
LibvirtHub *libvirt_hub_ref(LibvirtHub *hub);
void libvirt_hub_unref(LibvirtHub *hub);
/* The owner's end: run is not called any more. Drops its reference. */
void libvirt_hub_close(LibvirtHub *hub);

/* On any thread. Copies the note. */
void libvirt_hub_post(LibvirtHub *hub, const HubNote *note);
void libvirt_hub_signal(LibvirtHub *hub);

/* The oldest note, or NULL; free with g_free. */
HubNote *libvirt_hub_take(LibvirtHub *hub);

/* Run at this monotonic time too; G_MAXINT64: not. Until run is called the next time. */
void libvirt_hub_run_at(LibvirtHub *hub, gint64 when);
/* The same, but not later than it would. */
void libvirt_hub_run_by(LibvirtHub *hub, gint64 when);
