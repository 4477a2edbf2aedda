/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/redact.h"

/* What the files of redaction share. */

#define REDACTED "(redacted)"

/* What an attribute or the text of an element holds. */
typedef enum {
    XML_DROPPED,
    XML_WORD,   /* stays if it is harmless */
    XML_NAME,   /* a name of the kind */
    XML_DEVICE, /* a device, or the path of one */
    XML_MAC,
    XML_IP,
    XML_NET, /* of an element with prefix or netmask */
    XML_MASK,
    XML_UUID,
    XML_CLIENT,
    XML_PARAMETER, /* the value of a parameter, whose name stands beside it */
    XML_ADDRESS,   /* any of the addresses */
    XML_HIDDEN,    /* that it is there matters, and nothing else */
} XmlHolds;

typedef struct {
    const char *name; /* NULL ends a list */
    XmlHolds holds;
    RedactKind kind;
} XmlAttr;

typedef struct XmlElement {
    const char *name; /* NULL ends a list */
    const char *ns;   /* NULL: none */
    const XmlAttr *attrs;
    const struct XmlElement *children;
    XmlHolds text;
    RedactKind kind; /* of the text */
} XmlElement;

/* The document elements. */
extern const XmlElement redact_network_element, redact_domain_element;

/* The value of a parameter of a template or of a network filter. New string. */
char *redact_parameter(Redactor *redactor, const char *parameter, const char *value);
