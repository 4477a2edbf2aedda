/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "sources/libvirt-private.h"

#include <string.h>

/* The format: https://libvirt.org/formatdomain.html; live XML has more than what a person wrote. */

#define AGENT_CHANNEL "org.qemu.guest_agent.0"

/* What is wanted of a domain's XML, by depth: the rest is most of it, and is left out of the tree. */
static gboolean domain_skip(guint depth, const char *name)
{
    static const char *const top[] = {"name", "uuid", "devices", NULL};
    static const char *const devices[] = {"interface", "channel", NULL};
    static const char *const details[] = {"mac", "source", "target", "model",       "alias", "link",
                                          "mtu", "port",   "vlan",   "virtualport", NULL};

    switch (depth) {
    case 2:
        return !g_strv_contains(top, name);
    case 3:
        return !g_strv_contains(devices, name);
    case 4:
        return !g_strv_contains(details, name);
    default:
        return TRUE;
    }
}

/* As virsh domiflist: the first of these attributes, in the order of the document. */
static char *interface_source(xmlNodePtr source)
{
    static const char *const names[] = {"network", "bridge", "dev", "name", "path", NULL};

    for (xmlAttrPtr attr = source ? source->properties : NULL; attr; attr = attr->next) {
        if (!attr->ns && g_strv_contains(names, (const char *)attr->name))
            return xml_attr(source, (const char *)attr->name);
    }
    return NULL;
}

/* A MAC that the guest has set itself is what its frames carry. */
static void interface_parse_mac(DomainInterface *iface, xmlNodePtr mac)
{
    g_autofree char *current = xml_attr(mac, "currentAddress");
    g_autofree char *address = xml_attr(mac, "address");

    iface->has_mac =
        (current && mac_parse(current, &iface->mac)) || (address && mac_parse(address, &iface->mac));
}

static LinkClaim interface_link(xmlNodePtr link)
{
    if (xml_attr_is(link, "state", "down"))
        return LINK_DOWN;
    return xml_attr_is(link, "state", "up") ? LINK_UP : LINK_UNSET;
}

static DomainInterface *interface_parse(xmlNodePtr node)
{
    DomainInterface *iface = domain_interface_new();
    xmlNodePtr source = xml_child(node, "source");

    iface->type = xml_attr(node, "type");
    iface->alias = xml_attr(xml_child(node, "alias"), "name");
    iface->source = interface_source(source);
    /* Live XML of a network in mode bridge or macvtap has type bridge or direct, and the network yet. */
    iface->network = xml_attr(source, "network");
    iface->bridge = xml_attr(source, "bridge");
    iface->portid = xml_attr(source, "portid");
    iface->model = xml_attr(xml_child(node, "model"), "type");
    iface->target = xml_attr(xml_child(node, "target"), "dev");
    iface->mtu = libvirt_attr_uint(xml_child(node, "mtu"), "size", G_MAXUINT16);
    iface->isolated = xml_attr_is(xml_child(node, "port"), "isolated", "yes");
    iface->has_vlan = xml_child(node, "vlan") != NULL;
    iface->has_virtualport = xml_child(node, "virtualport") != NULL;
    iface->link = interface_link(xml_child(node, "link"));
    interface_parse_mac(iface, xml_child(node, "mac"));
    return iface;
}

static gboolean channel_is_agent(xmlNodePtr channel)
{
    xmlNodePtr target = xml_child(channel, "target");

    return xml_attr_is(target, "name", AGENT_CHANNEL) && xml_attr_is(target, "state", "connected");
}

static void domain_parse_devices(Domain *domain, xmlNodePtr devices)
{
    for (xmlNodePtr node = xml_child(devices, "interface"); node; node = xml_next(node, "interface"))
        g_ptr_array_add(domain->interfaces, interface_parse(node));
    for (xmlNodePtr node = xml_child(devices, "channel"); node; node = xml_next(node, "channel"))
        domain->agent_connected |= channel_is_agent(node);
}

/* A running domain has an id, 0 (Xen's first) among them; an inactive one has no attribute. */
static gint domain_parse_id(xmlNodePtr root)
{
    g_autofree char *text = xml_attr(root, "id");
    guint64 id = 0;

    return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &id, NULL) ? (gint)id : -1;
}

Domain *libvirt_parse_domain(const char *xml, gsize length, GError **error)
{
    g_autoptr(xmlDoc) doc = xml_parse_some(xml, length, &XML_LIMITS_LIBVIRT, domain_skip, error);
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
    g_autoptr(Domain) domain = NULL;

    if (!doc)
        return NULL;
    domain = domain_new();
    domain->name = xml_text(xml_child(root, "name"));
    domain->uuid = xml_text(xml_child(root, "uuid"));
    if (strcmp((const char *)root->name, "domain") != 0 || !domain->name || !domain->uuid) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "domain: no <domain> with a name and a UUID");
        return NULL;
    }
    domain->id = domain_parse_id(root);
    domain->xml_read = TRUE;
    domain_parse_devices(domain, xml_child(root, "devices"));
    return g_steal_pointer(&domain);
}
