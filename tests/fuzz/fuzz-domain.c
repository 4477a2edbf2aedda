/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "fuzz.h"
#include "sources/libvirt.h"

#include <string.h>

/*
 * A domain's XML: refused, or a domain whose text is UTF-8. The parser leaves out of the tree what it does
 * not want; a tree of the whole document must say the same.
 */

static void require_text(const char *text)
{
    require(!text || g_utf8_validate(text, -1, NULL));
}

static void require_interface(const DomainInterface *iface, xmlNodePtr node)
{
    g_autofree char *type = xml_attr(node, "type");
    g_autofree char *target = xml_attr(xml_child(node, "target"), "dev");
    g_autofree char *network = xml_attr(xml_child(node, "source"), "network");
    g_autofree char *model = xml_attr(xml_child(node, "model"), "type");
    g_autofree char *address = xml_attr(xml_child(node, "mac"), "address");
    Mac mac;

    require(fuzz_equal(iface->type, type) && fuzz_equal(iface->target, target));
    require(fuzz_equal(iface->network, network) && fuzz_equal(iface->model, model));
    require(iface->has_mac || !address || !mac_parse(address, &mac));
    require(iface->mtu <= G_MAXUINT16);
    require(iface->link == LINK_UNSET || iface->link == LINK_UP || iface->link == LINK_DOWN);
    require_text(iface->alias);
    require_text(iface->source);
    require_text(iface->bridge);
    require_text(iface->portid);
}

static gboolean has_agent(xmlNodePtr devices)
{
    gboolean connected = FALSE;

    for (xmlNodePtr node = xml_child(devices, "channel"); node; node = xml_next(node, "channel")) {
        xmlNodePtr target = xml_child(node, "target");

        connected |= xml_attr_is(target, "name", "org.qemu.guest_agent.0") &&
                     xml_attr_is(target, "state", "connected");
    }
    return connected;
}

static void require_domain(const Domain *domain, xmlDocPtr doc)
{
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr name = xml_child(root, "name");
    xmlNodePtr node = xml_child(xml_child(root, "devices"), "interface");

    require(domain->name && domain->uuid && domain->id >= -1 && domain->xml_read && !domain->xml_error);
    require(domain->agent_connected == has_agent(xml_child(root, "devices")));
    require_text(domain->name);
    require_text(domain->uuid);
    if (name->children && !name->children->next && name->children->type == XML_TEXT_NODE)
        require(strcmp(domain->name, (const char *)name->children->content) == 0);
    for (guint i = 0; i < domain->interfaces->len; i++, node = xml_next(node, "interface")) {
        require(node);
        require_interface(domain->interfaces->pdata[i], node);
    }
    require(!node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) domain = libvirt_parse_domain((const char *)data, size, &error);
    g_autoptr(xmlDoc) doc = domain ? xml_parse((const char *)data, size, &XML_LIMITS_LIBVIRT, NULL) : NULL;

    require((domain == NULL) == (error != NULL));
    require(!error || g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID));
    require((domain == NULL) == (doc == NULL));
    if (domain)
        require_domain(domain, doc);
    return 0;
}
