/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/interface.h"

#include "base/error.h"
#include "base/ip.h"
#include "base/virt-call.h"
#include "base/xml.h"
#include "sources/libvirt-lookup.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

/* Trees that this file makes hold strings of its callers; libxml2 copies them. */
#define X(text) ((const xmlChar *)(text))

/* --------------------------------------------------------------------------------------------- XML */

typedef struct {
    const char *type;
    const char *attribute; /* of <source>; NULL: no source */
} InterfaceType;

/* What virsh attach-interface knows, and "user". */
static const InterfaceType interface_types[] = {
    {"network", "network"}, {"bridge", "bridge"}, {"direct", "dev"}, {"user", NULL}, {"hostdev", "address"},
};

static const InterfaceType *interface_type(const char *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(interface_types); i++) {
        if (strcmp(interface_types[i].type, type) == 0)
            return &interface_types[i];
    }
    return NULL;
}

/* libxml2 would take other bytes for ISO-8859-1. */
static gboolean text_check(const char *what, const char *text, GError **error)
{
    if (!text || g_utf8_validate(text, -1, NULL))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_INVALID, "the %s is not UTF-8", what);
}

static void add_element(xmlNodePtr parent, const char *name, const char *attribute, const char *value)
{
    if (value)
        xmlNewProp(xmlNewChild(parent, NULL, X(name), NULL), X(attribute), X(value));
}

/* "DDDD:BB:SS.F" in hexadecimal, as lspci -D prints it. */
static gboolean add_pci_source(xmlNodePtr root, const char *source, GError **error)
{
    static const char *const names[] = {"domain", "bus", "slot", "function"};
    g_autoptr(GRegex) form = g_regex_new("^([[:xdigit:]]{4}):([[:xdigit:]]{2}):([01][[:xdigit:]])\\.([0-7])$",
                                         G_REGEX_DOLLAR_ENDONLY, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    xmlNodePtr address;

    if (!g_regex_match(form, source, 0, &match))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is no PCI address of the form 0000:00:00.0",
                              source);
    address = xmlNewChild(xmlNewChild(root, NULL, X("source"), NULL), NULL, X("address"), NULL);
    xmlNewProp(address, X("type"), X("pci"));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *digits = g_match_info_fetch(match, (gint)i + 1);
        g_autofree char *value = g_strconcat("0x", digits, NULL);

        xmlNewProp(address, X(names[i]), X(value));
    }
    return TRUE;
}

static gboolean interface_check(const char *type, const char *source, const char *mac, GError **error)
{
    const InterfaceType *known = interface_type(type);
    Mac parsed;

    if (!known) {
        vnat_error_set(error, VNAT_ERROR_USAGE,
                       "no interface type '%s': network, bridge, direct, hostdev or user", type);
        vnat_error_hint(error, "'virsh attach-device' takes libvirt's other types, as XML in a file");
        return FALSE;
    }
    if (known->attribute && (!source || !*source))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "an interface of type %s needs a source", type);
    if (mac && !mac_parse(mac, &parsed))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is no MAC address", mac);
    return TRUE;
}

char *interface_xml(const char *type, const char *source, const char *mac, const char *model,
                    const char *target, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    const InterfaceType *known = interface_type(type);
    xmlNodePtr root;

    if (!interface_check(type, source, mac, error) || !text_check("source", source, error) ||
        !text_check("model", model, error) || !text_check("target", target, error))
        return NULL;
    doc = xmlNewDoc(X("1.0"));
    root = xmlNewNode(NULL, X("interface"));
    xmlDocSetRootElement(doc, root);
    xmlNewProp(root, X("type"), X(type));
    if (strcmp(type, "hostdev") == 0) {
        if (!add_pci_source(root, source, error))
            return NULL;
    } else if (known->attribute) {
        add_element(root, "source", known->attribute, source);
    }
    add_element(root, "target", "dev", target);
    add_element(root, "mac", "address", mac);
    add_element(root, "model", "type", model);
    return xml_node_string(doc, root);
}

/* ---------------------------------------------------------------------------- finding an interface */

/* A search in a domain's XML. type or mac may be NULL: any. */
typedef struct {
    char *type, *mac;
    gboolean has_mac;
    Mac address;
} Wanted;

static gboolean mac_is(xmlNodePtr mac, const char *attribute, const Mac *wanted)
{
    g_autofree char *text = xml_attr(mac, attribute);
    Mac address;

    return text && mac_parse(text, &address) && mac_equal(&address, wanted);
}

static gboolean interface_matches(xmlNodePtr node, const Wanted *wanted)
{
    xmlNodePtr mac = xml_child(node, "mac");

    if (wanted->type && !xml_attr_is(node, "type", wanted->type))
        return FALSE;
    return !wanted->has_mac || mac_is(mac, "address", &wanted->address) ||
           mac_is(mac, "currentAddress", &wanted->address);
}

/* The messages are virsh's. */
static gboolean wanted_missing(const Wanted *wanted, guint of_type, guint found, GError **error)
{
    if (of_type == 0)
        return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "No interface found whose type is %s",
                              wanted->type);
    if (found == 0)
        return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "No interface with MAC address %s was found",
                              wanted->mac);
    if (wanted->has_mac)
        return vnat_error_set(error, VNAT_ERROR_USAGE,
                              "Domain has multiple interfaces matching MAC address %s", wanted->mac);
    return vnat_error_set(error, VNAT_ERROR_USAGE,
                          "Domain has %u interfaces. Please specify which one to detach using --mac", found);
}

static xmlNodePtr interface_find(xmlDocPtr doc, const Wanted *wanted, GError **error)
{
    const Wanted any_mac = {.type = wanted->type};
    xmlNodePtr devices = xml_child(xmlDocGetRootElement(doc), "devices");
    xmlNodePtr found = NULL;
    guint of_type = 0, count = 0;

    for (xmlNodePtr node = xml_child(devices, "interface"); node; node = xml_next(node, "interface")) {
        of_type += (guint)interface_matches(node, &any_mac);
        if (!interface_matches(node, wanted))
            continue;
        found = node;
        count++;
    }
    if (count == 1)
        return found;
    wanted_missing(wanted, wanted->type ? of_type : 1, count, error);
    return NULL;
}

/* ------------------------------------------------------------------------------------ changing one */

/* One change of one domain. device or wanted says of what. */
typedef struct Change Change;
struct Change {
    int (*apply)(virDomainPtr domain, const char *xml, unsigned int flags);
    void (*rewrite)(xmlNodePtr node, const Change *change); /* may be NULL */
    char *domain;
    InterfaceScope scope;
    char *device; /* the <interface> itself, or NULL: the one that is wanted */
    Wanted wanted;
    char *network; /* for rewrite_source */
    gboolean up;   /* for rewrite_link */
};

static void change_free(gpointer data)
{
    Change *change = data;

    g_free(change->domain);
    g_free(change->device);
    g_free(change->wanted.type);
    g_free(change->wanted.mac);
    g_free(change->network);
    g_free(change);
}

static Change *change_new(int (*apply)(virDomainPtr, const char *, unsigned int), const char *domain,
                          InterfaceScope scope)
{
    Change *change = g_new0(Change, 1);

    change->apply = apply;
    change->domain = g_strdup(domain);
    change->scope = scope;
    return change;
}

/* The wanted <interface> as it stands in that description of the domain, changed. New string, or NULL. */
static char *change_device(virDomainPtr domain, const Change *change, unsigned int xml_flags, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    xmlNodePtr node;
    char *xml = virDomainGetXMLDesc(domain, xml_flags);

    if (!xml) {
        virt_error_take(error);
        return NULL;
    }
    doc = xml_parse(xml, strlen(xml), &XML_LIMITS_LIBVIRT, error);
    free(xml);
    node = doc ? interface_find(doc, &change->wanted, error) : NULL;
    if (!node)
        return NULL;
    if (change->rewrite)
        change->rewrite(node, change);
    return xml_node_string(doc, node);
}

static gboolean change_apply(virDomainPtr domain, const Change *change, const char *device,
                             unsigned int flags, GError **error)
{
    return change->apply(domain, device, flags) == 0 ? TRUE : virt_error_take(error);
}

/*
 * The two descriptions of a domain may hold an interface in two forms (one has a tap, an alias and a port),
 * so that each gets its own. Both are found before either is changed; the live one goes first, as it is the
 * one that may be refused.
 */
static gboolean change_wanted(virDomainPtr domain, const Change *change, GError **error)
{
    gboolean current = !change->scope.live && !change->scope.config;
    g_autofree char *live = NULL;
    g_autofree char *config = NULL;

    if (change->scope.live || current)
        live = change_device(domain, change, 0, error);
    if (change->scope.config && (live || !change->scope.live))
        config = change_device(domain, change, VIR_DOMAIN_XML_INACTIVE, error);
    if (((change->scope.live || current) && !live) || (change->scope.config && !config))
        return FALSE;
    if (live && !change_apply(domain, change, live,
                              current ? VIR_DOMAIN_AFFECT_CURRENT : VIR_DOMAIN_AFFECT_LIVE, error))
        return FALSE;
    return !config || change_apply(domain, change, config, VIR_DOMAIN_AFFECT_CONFIG, error);
}

static gboolean change_call(virConnectPtr conn, gpointer data, GError **error)
{
    const Change *change = data;
    g_autoptr(virDomain) domain = libvirt_lookup_domain(conn, change->domain, error);
    unsigned int flags = (change->scope.live ? VIR_DOMAIN_AFFECT_LIVE : 0U) |
                         (change->scope.config ? VIR_DOMAIN_AFFECT_CONFIG : 0U);

    if (!domain)
        return FALSE;
    if (change->device)
        return change_apply(domain, change, change->device, flags, error);
    return change_wanted(domain, change, error);
}

static gboolean change_run(VirtConn *conn, const char *what, Change *change, Deadline deadline,
                           GError **error)
{
    if (!virt_call(conn, what, change_call, change, change_free, deadline, error))
        return FALSE;
    change_free(change);
    return TRUE;
}

static gboolean change_want_mac(Change *change, const char *mac, GError **error)
{
    change->wanted.mac = g_strdup(mac);
    change->wanted.has_mac = mac && mac_parse(mac, &change->wanted.address);
    if (mac && !change->wanted.has_mac)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is no MAC address", mac);
    return TRUE;
}

gboolean interface_attach(VirtConn *conn, const char *domain, const char *xml, InterfaceScope scope,
                          Deadline deadline, GError **error)
{
    Change *change = change_new(virDomainAttachDeviceFlags, domain, scope);

    change->device = g_strdup(xml);
    return change_run(conn, "virDomainAttachDevice", change, deadline, error);
}

gboolean interface_detach(VirtConn *conn, const char *domain, const char *type, const char *mac,
                          InterfaceScope scope, Deadline deadline, GError **error)
{
    Change *change = change_new(virDomainDetachDeviceFlags, domain, scope);

    change->wanted.type = g_strdup(type);
    if (!change_want_mac(change, mac, error)) {
        change_free(change);
        return FALSE;
    }
    return change_run(conn, "virDomainDetachDevice", change, deadline, error);
}

static void remove_child(xmlNodePtr node, const char *name)
{
    xmlNodePtr child = xml_child(node, name);

    if (!child)
        return;
    xmlUnlinkNode(child);
    xmlFreeNode(child);
}

/*
 * The source becomes the network; with it go what belonged to the old source: the port that libvirt made
 * (portid, bridge), and how it was plugged in there. The rest stays, so that the guest sees the same card.
 */
static void rewrite_source(xmlNodePtr node, const Change *change)
{
    remove_child(node, "source");
    remove_child(node, "virtualport");
    xmlSetProp(node, X("type"), X("network"));
    add_element(node, "source", "network", change->network);
}

gboolean interface_connect(VirtConn *conn, const char *domain, const char *mac, const char *network,
                           InterfaceScope scope, Deadline deadline, GError **error)
{
    Change *change = change_new(virDomainUpdateDeviceFlags, domain, scope);

    change->rewrite = rewrite_source;
    change->network = g_strdup(network);
    if (!text_check("network", network, error) || !change_want_mac(change, mac, error)) {
        change_free(change);
        return FALSE;
    }
    return change_run(conn, "virDomainUpdateDevice", change, deadline, error);
}

static void rewrite_link(xmlNodePtr node, const Change *change)
{
    remove_child(node, "link");
    add_element(node, "link", "state", change->up ? "up" : "down");
}

gboolean interface_set_link(VirtConn *conn, const char *domain, const char *mac, gboolean up,
                            InterfaceScope scope, Deadline deadline, GError **error)
{
    Change *change = change_new(virDomainUpdateDeviceFlags, domain, scope);

    change->rewrite = rewrite_link;
    change->up = up;
    if (!change_want_mac(change, mac, error)) {
        change_free(change);
        return FALSE;
    }
    return change_run(conn, "virDomainUpdateDevice", change, deadline, error);
}
