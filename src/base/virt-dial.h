/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-pool.h"

#include <glib.h>
#include <libvirt/libvirt.h>

/*
 * How a connection is made: shared by those who wait for one (virt.c) and those who are told of it (a
 * follower). The functions that call libvirt run on workers of a pool.
 */
typedef struct {
    char *uri;
    gboolean readonly;        /* asked for; TRUE too where read-write was refused for want of rights */
    char *reported;           /* libvirt's own URI for it, by virt_hello */
    unsigned long libversion; /* at the other end, by virt_hello; 0 if unknown */
} VirtDialled;

/* Switches libvirt's own printing off: errors are returned. */
void virt_silence(void);

void virt_dialled_init(VirtDialled *dialled, const char *uri, gboolean readonly);
void virt_dialled_clear(VirtDialled *dialled);

/*
 * Opens it, read-only where read-write is refused for want of rights. NULL: VNAT_ERROR_UNREACHABLE as
 * virt_error_take_open gives it. On a terminal libvirt may ask for a password, as with virsh.
 */
virConnectPtr virt_dial(VirtDialled *dialled, GError **error);

/* The first thing that is asked of a connection: who it is. */
gboolean virt_hello(virConnectPtr conn, VirtDialled *dialled, GError **error);

/* How many calls at once are good for bulk reads from a libvirt of that version. */
guint virt_bulk_width(unsigned long libversion);

/* VNAT_ERROR_DEADLINE with words for a connection that is not made in time, and a hint where its daemon is
 * one of this host. Returns FALSE. */
gboolean virt_error_no_answer(const char *uri, GError **error);
