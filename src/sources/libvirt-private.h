/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-call.h"
#include "base/xml.h"
#include "sources/libvirt.h"

/* What the files of this source share. */

/*
 * A reader of a part of the source succeeded; cause says what is missing from it, or is NULL. Networks and
 * domains are one source: a part can only make it worse. What begins a new reading of the whole, which is
 * that of the networks, sets SOURCE_UNREAD before.
 */
void libvirt_source_read(Facts *facts, SourceId id, const char *cause);

/* A reader failed and changed nothing. Takes cause over into error. Returns FALSE. */
gboolean libvirt_source_failed(Facts *facts, SourceId id, GError *cause, GError **error);

/* A parser refused what libvirt handed out: a failure (VNAT_ERROR_FAILED) then, not the user's mistake. */
void libvirt_xml_refused(GError **error);

/* What libvirt handed out, for a capture; that there is none (NULL) is no failure. Takes xml. New string. */
char *libvirt_xml_kept(char *xml);

/* An attribute as a number; 0 where it is absent, no number, or over max. */
guint libvirt_attr_uint(xmlNodePtr node, const char *name, guint max);

/* The names that func adds to the GPtrArray it is called with, sorted. NULL-terminated; free with g_strfreev.
 */
char **libvirt_names(VirtConn *conn, const char *what, VirtFunc func, Deadline deadline, GError **error);
