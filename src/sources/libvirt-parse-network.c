/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "model/template.h"
#include "sources/libvirt-private.h"

#include <string.h>

/* The format: https://libvirt.org/formatnetwork.html. */

/* Without <forward> a network reaches its host alone; <forward/> means NAT. */
static char *network_parse_mode(xmlNodePtr forward)
{
    char *mode = xml_attr(forward, "mode");

    if (mode)
        return mode;
    return g_strdup(forward ? "nat" : "isolated");
}

static void network_parse_forward(Network *network, xmlNodePtr forward)
{
    xmlNodePtr nat = xml_child(forward, "nat");

    network->forward = network_parse_mode(forward);
    network->forward_dev = xml_attr(forward, "dev");
    network->nat_ipv6 = xml_attr_is(nat, "ipv6", "yes");
    network->nat_start = xml_attr(xml_child(nat, "address"), "start");
}

static double attr_seconds(xmlNodePtr node, const char *name)
{
    g_autofree char *text = xml_attr(node, name);
    char *end = NULL;
    double value = text ? g_ascii_strtod(text, &end) : 0;

    return text && *end == '\0' && value >= 0 && value <= G_MAXINT32 ? value : 0;
}

static void network_parse_bridge(Network *network, xmlNodePtr bridge)
{
    network->bridge = xml_attr(bridge, "name");
    network->stp = !xml_attr_is(bridge, "stp", "off");
    network->delay = attr_seconds(bridge, "delay");
    network->zone = xml_attr(bridge, "zone");
    network->mac_table_libvirt = xml_attr_is(bridge, "macTableManager", "libvirt");
}

static void dhcp_parse(NetworkIp *ip, xmlNodePtr dhcp)
{
    ip->dhcp = dhcp != NULL;
    ip->has_host = xml_child(dhcp, "host") != NULL;
    for (xmlNodePtr node = xml_child(dhcp, "range"); node; node = xml_next(node, "range")) {
        g_autofree char *first = xml_attr(node, "start");
        g_autofree char *last = xml_attr(node, "end");
        DhcpRange range;

        if (first && last && ip_parse(first, &range.first) && ip_parse(last, &range.last))
            g_array_append_val(ip->ranges, range);
    }
}

/* An <ip> of a form that libvirt would not have accepted is passed over: there is nothing to say about it. */
static void network_parse_ip(Network *network, xmlNodePtr node)
{
    g_autofree char *address = xml_attr(node, "address");
    g_autofree char *netmask = xml_attr(node, "netmask");
    g_autofree char *prefix = xml_attr(node, "prefix");
    IpNet net;
    NetworkIp *ip;

    if (!address || !ipnet_from_xml(address, netmask, prefix, &net))
        return;
    ip = network_ip_new();
    ip->net = net;
    network->tftp |= xml_child(node, "tftp") != NULL;
    dhcp_parse(ip, xml_child(node, "dhcp"));
    g_ptr_array_add(network->ips, ip);
}

static gboolean node_is_ours(xmlNodePtr node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns && strcmp((const char *)node->name, name) == 0 &&
           strcmp((const char *)node->ns->href, TEMPLATE_NAMESPACE) == 0;
}

static void network_parse_parameter(Network *network, xmlNodePtr node)
{
    g_autofree char *name = xml_attr(node, "name");
    g_autofree char *value = xml_attr(node, "value");
    TemplateValue *parameter;

    if (!name || !value)
        return;
    parameter = g_new0(TemplateValue, 1);
    parameter->name = g_steal_pointer(&name);
    parameter->value = g_steal_pointer(&value);
    g_ptr_array_add(network->template_values, parameter);
}

/*
 * <metadata><vnat:template xmlns:vnat='urn:vnat:template:1' name='default'>
 *   <vnat:parameter name='subnet' value='192.168.122.0/24'/></vnat:template></metadata>, as model/template
 * writes it.
 */
static void network_parse_metadata(Network *network, xmlNodePtr metadata)
{
    xmlNodePtr tmpl = metadata ? metadata->children : NULL;

    while (tmpl && !node_is_ours(tmpl, "template"))
        tmpl = tmpl->next;
    if (!tmpl)
        return;
    network->template_name = xml_attr(tmpl, "name");
    for (xmlNodePtr node = tmpl->children; node; node = node->next) {
        if (node_is_ours(node, "parameter"))
            network_parse_parameter(network, node);
    }
}

static void network_parse_body(Network *network, xmlNodePtr root)
{
    network_parse_forward(network, xml_child(root, "forward"));
    network_parse_bridge(network, xml_child(root, "bridge"));
    network_parse_metadata(network, xml_child(root, "metadata"));
    network->mtu = libvirt_attr_uint(xml_child(root, "mtu"), "size", G_MAXUINT16);
    network->domain_name = xml_attr(xml_child(root, "domain"), "name");
    network->dns_enabled = !xml_attr_is(xml_child(root, "dns"), "enable", "no");
    network->port_isolated = xml_attr_is(xml_child(root, "port"), "isolated", "yes");
    for (xmlNodePtr node = xml_child(root, "ip"); node; node = xml_next(node, "ip"))
        network_parse_ip(network, node);
}

Network *libvirt_parse_network(const char *xml, gsize length, GError **error)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, length, &XML_LIMITS_LIBVIRT, error);
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
    g_autoptr(Network) network = NULL;

    if (!doc)
        return NULL;
    network = network_new();
    network->name = xml_text(xml_child(root, "name"));
    network->uuid = xml_text(xml_child(root, "uuid"));
    if (strcmp((const char *)root->name, "network") != 0 || !network->name) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "network: no <network> with a name");
        return NULL;
    }
    network_parse_body(network, root);
    return g_steal_pointer(&network);
}
