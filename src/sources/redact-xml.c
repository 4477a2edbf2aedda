/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml.h"
#include "sources/redact-private.h"
#include "sources/redact-sources.h"

#include <string.h>

#define BYTES(TEXT) ((const xmlChar *)(TEXT))

/* ------------------------------------------------------------------------------------------ values */

char *redact_parameter(Redactor *redactor, const char *parameter, const char *value)
{
    static const struct {
        const char *parameter;
        RedactKind kind;
    } known[] = {
        {"name", REDACT_NETWORK}, {"bridge", REDACT_IFNAME}, {"dev", REDACT_IFNAME},
        {"domain", REDACT_DNS},   {"zone", REDACT_DNS},      {"host", REDACT_HOST},
    };
    char *address = redact_address(redactor, value);

    for (gsize i = 0; i < G_N_ELEMENTS(known) && !address; i++) {
        if (g_strcmp0(known[i].parameter, parameter) == 0)
            return redact_name(redactor, known[i].kind, value);
    }
    if (address || redact_is_harmless(value))
        return address ? address : g_strdup(value);
    return redact_name(redactor, REDACT_VALUE, value);
}

static char *redact_mac_text(Redactor *redactor, const char *value)
{
    Mac mac;

    if (!mac_parse(value, &mac))
        return g_strdup(REDACTED);
    redact_mac(redactor, &mac);
    return mac_to_string(&mac);
}

static char *redact_ip_text(Redactor *redactor, const char *value)
{
    Ip ip;

    if (!ip_parse(value, &ip))
        return g_strdup(REDACTED);
    redact_ip(redactor, &ip);
    return ip_to_string(&ip);
}

/* An address that may be that of a network: its prefix or netmask tells. */
static char *redact_net_text(Redactor *redactor, xmlNodePtr node, const char *value)
{
    g_autofree char *prefix = xml_attr(node, "prefix");
    g_autofree char *netmask = xml_attr(node, "netmask");
    IpNet net;

    if (!ipnet_from_xml(value, netmask, prefix, &net))
        return redact_ip_text(redactor, value);
    redact_net(redactor, &net);
    return ip_to_string(&net.ip);
}

/* A netmask says how long a prefix is, and nothing else. */
static char *keep_mask(const char *value)
{
    IpNet net;

    return g_strdup(ipnet_from_xml("0.0.0.0", value, NULL, &net) ? value : REDACTED);
}

static char *redact_device_text(Redactor *redactor, const char *value)
{
    return strchr(value, '/') ? redact_path(redactor, value) : redact_device(redactor, value, '\0');
}

static char *redact_parameter_text(Redactor *redactor, xmlNodePtr node, const char *value)
{
    g_autofree char *name = xml_attr(node, "name");

    return redact_parameter(redactor, name, value);
}

static char *redact_address_text(Redactor *redactor, const char *value)
{
    char *address = redact_address(redactor, value);

    return address ? address : g_strdup(REDACTED);
}

/* A host may be named by its address. */
static char *redact_name_text(Redactor *redactor, RedactKind kind, const char *value)
{
    char *address = kind == REDACT_HOST ? redact_address(redactor, value) : NULL;

    return address ? address : redact_name(redactor, kind, value);
}

/* NULL: it goes. New string. */
static char *redact_value(Redactor *redactor, xmlNodePtr node, XmlHolds holds, RedactKind kind,
                          const char *value)
{
    switch (holds) {
    case XML_DROPPED:
        return NULL;
    case XML_WORD:
        return g_strdup(redact_is_harmless(value) ? value : REDACTED);
    case XML_NAME:
        return redact_name_text(redactor, kind, value);
    case XML_DEVICE:
        return redact_device_text(redactor, value);
    case XML_MAC:
        return redact_mac_text(redactor, value);
    case XML_IP:
        return redact_ip_text(redactor, value);
    case XML_NET:
        return redact_net_text(redactor, node, value);
    case XML_MASK:
        return keep_mask(value);
    case XML_UUID:
        return redact_uuid(redactor, value);
    case XML_CLIENT:
        return redact_client_id(redactor, value);
    case XML_PARAMETER:
        return redact_parameter_text(redactor, node, value);
    case XML_ADDRESS:
        return redact_address_text(redactor, value);
    case XML_HIDDEN:
        return g_strdup(REDACTED);
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------- tree */

static void copy_attrs(Redactor *redactor, xmlNodePtr from, const XmlElement *element, xmlNodePtr to)
{
    for (xmlAttrPtr attr = from->properties; attr; attr = attr->next) {
        const char *name = (const char *)attr->name;

        for (const XmlAttr *known = element->attrs; known && known->name && !attr->ns; known++) {
            g_autofree char *value = strcmp(known->name, name) == 0 ? xml_attr(from, name) : NULL;
            g_autofree char *token =
                value ? redact_value(redactor, from, known->holds, known->kind, value) : NULL;

            if (token)
                xmlNewProp(to, attr->name, BYTES(token));
        }
    }
}

static void copy_text(Redactor *redactor, xmlNodePtr from, const XmlElement *element, xmlNodePtr to)
{
    g_autofree char *value = element->text == XML_DROPPED ? NULL : xml_text(from);
    g_autofree char *token = value ? redact_value(redactor, from, element->text, element->kind, value) : NULL;

    /* As text, not as markup. */
    if (token)
        xmlAddChild(to, xmlNewText(BYTES(token)));
}

static gboolean element_is(const XmlElement *element, xmlNodePtr node)
{
    if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, element->name) != 0)
        return FALSE;
    return g_strcmp0(node->ns ? (const char *)node->ns->href : NULL, element->ns) == 0;
}

static const XmlElement *element_of(const XmlElement *elements, xmlNodePtr node)
{
    for (; elements && elements->name; elements++) {
        if (element_is(elements, node))
            return elements;
    }
    return NULL;
}

/* The namespace of our metadata, declared where it is met first. */
static void set_namespace(xmlNodePtr node, const char *uri)
{
    xmlNsPtr ns = xmlSearchNsByHref(node->doc, node, BYTES(uri));

    xmlSetNs(node, ns ? ns : xmlNewNs(node, BYTES(uri), BYTES("vnat")));
}

/* No deeper than the tables. */
static void copy_element(Redactor *redactor, xmlNodePtr from, const XmlElement *element, xmlNodePtr to)
{
    if (element->ns)
        set_namespace(to, element->ns);
    copy_attrs(redactor, from, element, to);
    copy_text(redactor, from, element, to);
    for (xmlNodePtr node = from->children; node; node = node->next) {
        const XmlElement *known = element_of(element->children, node);

        if (known)
            copy_element(redactor, node, known, xmlNewChild(to, NULL, BYTES(known->name), NULL));
    }
}

static char *redact_xml(Redactor *redactor, const char *xml, const XmlElement *root, GError **error)
{
    g_autoptr(xmlDoc) from = xml_parse(xml, strlen(xml), &XML_LIMITS_LIBVIRT, error);
    g_autoptr(xmlDoc) to = NULL;
    g_autofree char *text = NULL;
    xmlNodePtr node;

    if (!from)
        return NULL;
    to = xmlNewDoc(BYTES("1.0"));
    node = xmlNewDocNode(to, NULL, BYTES(root->name), NULL);
    xmlDocSetRootElement(to, node);
    if (element_is(root, xmlDocGetRootElement(from)))
        copy_element(redactor, xmlDocGetRootElement(from), root, node);
    text = xml_node_string(to, node);
    return g_strconcat(text, "\n", NULL);
}

char *redact_network_xml(Redactor *redactor, const char *xml, GError **error)
{
    return redact_xml(redactor, xml, &redact_network_element, error);
}

char *redact_domain_xml(Redactor *redactor, const char *xml, GError **error)
{
    return redact_xml(redactor, xml, &redact_domain_element, error);
}
