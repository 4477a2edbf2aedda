/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml.h"

/*
 * Reads a document's markup once, without building anything, and refuses what xml.h says. TRUE means: the
 * bytes are UTF-8, have no DOCTYPE, keep the limits, and every tag is closed in the shape XML gives it (names
 * are not compared).
 */
gboolean xml_scan(const char *bytes, gsize length, const XmlLimits *limits, GError **error);
