/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/packet.h"

/* What a rule of a chain of type nat makes of a connection's addresses; of either shape. */

typedef enum {
    TRANSLATE_NONE,       /* the rule translates nothing: it accepts, returns, drops */
    TRANSLATE_MASQUERADE, /* the source becomes the way out's own address */
    TRANSLATE_SOURCE,
    TRANSLATE_TARGET,
    TRANSLATE_HERE, /* redirect: the target becomes this host */
} TranslateKind;

typedef struct {
    TranslateKind kind;
    Ip first, last;          /* the new address, or a range of which one is taken; family 0: none is told */
    guint16 port, port_last; /* likewise; 0: none */
    gboolean untold;         /* the address hangs on what is not in the rule, or could not be read */
} Translation;

Translation translation_of(const FirewallRule *rule);

/* "masquerade", "snat", "dnat", "redirect"; NULL for none. Static. */
const char *translation_name(TranslateKind kind);
