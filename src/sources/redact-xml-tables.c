/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template.h"
#include "sources/redact-private.h"

/*
 * https://libvirt.org/formatnetwork.html and formatdomain.html, as far as they matter to networks. What is
 * not here goes: disks, graphics, descriptions, the metadata of others, options for programs.
 */

#define WORD(NAME)                                                                                           \
    {                                                                                                        \
        NAME, XML_WORD, 0                                                                                    \
    }
#define NAMED(NAME, KIND)                                                                                    \
    {                                                                                                        \
        NAME, XML_NAME, REDACT_##KIND                                                                        \
    }
#define HELD(NAME, HOLDS)                                                                                    \
    {                                                                                                        \
        NAME, XML_##HOLDS, 0                                                                                 \
    }
#define ATTRS(LIST, ...) static const XmlAttr LIST[] = {__VA_ARGS__, {NULL, XML_DROPPED, 0}}
#define ELEMENTS(LIST, ...) static const XmlElement LIST[] = {__VA_ARGS__, {.name = NULL}}
#define ELEMENT(NAME, ...)                                                                                   \
    {                                                                                                        \
        .name = (NAME), __VA_ARGS__                                                                          \
    }
#define TEXT_NAME(KIND) .text = XML_NAME, .kind = REDACT_##KIND

/* ------------------------------------------------------------------------------------------ shared */

ATTRS(type_attrs, WORD("type"));
ATTRS(name_attrs, WORD("name"));
ATTRS(size_attrs, WORD("size"));
ATTRS(port_attrs, WORD("isolated"));
ATTRS(pci_attrs, WORD("type"), WORD("domain"), WORD("bus"), WORD("slot"), WORD("function"),
      WORD("multifunction"), WORD("cssid"), WORD("ssid"), WORD("devno"));

ATTRS(rate_attrs, WORD("average"), WORD("peak"), WORD("burst"), WORD("floor"));
ELEMENTS(bandwidth_children, ELEMENT("inbound", .attrs = rate_attrs),
         ELEMENT("outbound", .attrs = rate_attrs));

ATTRS(vlan_attrs, WORD("trunk"));
ATTRS(tag_attrs, WORD("id"), WORD("nativeMode"));
ELEMENTS(vlan_children, ELEMENT("tag", .attrs = tag_attrs));

ATTRS(virtualport_parameters, HELD("interfaceid", UUID), HELD("instanceid", UUID), NAMED("profileid", VALUE),
      WORD("managerid"), WORD("typeid"), WORD("typeidversion"));
ELEMENTS(virtualport_children, ELEMENT("parameters", .attrs = virtualport_parameters));

#define BANDWIDTH ELEMENT("bandwidth", .children = bandwidth_children)
#define VLAN ELEMENT("vlan", .attrs = vlan_attrs, .children = vlan_children)
#define VIRTUALPORT ELEMENT("virtualport", .attrs = type_attrs, .children = virtualport_children)

ATTRS(route_attrs, WORD("family"), HELD("address", NET), HELD("netmask", MASK), WORD("prefix"),
      HELD("gateway", IP), WORD("metric"));

/* ----------------------------------------------------------------------------------------- network */

ATTRS(network_attrs, WORD("connections"), WORD("ipv6"), WORD("trustGuestRxFilters"));

ATTRS(template_attrs, NAMED("name", TEMPLATE));
ATTRS(template_parameter_attrs, NAMED("name", PARAMETER), HELD("value", PARAMETER));
ELEMENTS(template_children,
         ELEMENT("parameter", .ns = TEMPLATE_NAMESPACE, .attrs = template_parameter_attrs));
ELEMENTS(metadata_children, ELEMENT("template", .ns = TEMPLATE_NAMESPACE, .attrs = template_attrs,
                                    .children = template_children));

ATTRS(forward_attrs, WORD("mode"), HELD("dev", DEVICE), WORD("managed"));
ATTRS(forward_interface_attrs, HELD("dev", DEVICE), WORD("connections"));
ATTRS(nat_attrs, WORD("ipv6"));
ATTRS(nat_address_attrs, HELD("start", IP), HELD("end", IP));
ATTRS(nat_port_attrs, WORD("start"), WORD("end"));
ELEMENTS(nat_children, ELEMENT("address", .attrs = nat_address_attrs),
         ELEMENT("port", .attrs = nat_port_attrs));
ELEMENTS(forward_children, ELEMENT("nat", .attrs = nat_attrs, .children = nat_children),
         ELEMENT("interface", .attrs = forward_interface_attrs),
         ELEMENT("pf", .attrs = forward_interface_attrs), ELEMENT("driver", .attrs = name_attrs),
         ELEMENT("address", .attrs = pci_attrs));

ATTRS(bridge_attrs, HELD("name", DEVICE), WORD("stp"), WORD("delay"), NAMED("zone", ZONE),
      WORD("macTableManager"));
ATTRS(network_mac_attrs, HELD("address", MAC));
ATTRS(dns_domain_attrs, NAMED("name", DNS), WORD("localOnly"), WORD("register"));

ATTRS(dns_attrs, WORD("enable"), WORD("forwardPlainNames"));
ATTRS(forwarder_attrs, NAMED("domain", DNS), HELD("addr", IP), WORD("port"));
ATTRS(txt_attrs, NAMED("name", DNS), HELD("value", HIDDEN));
ATTRS(srv_attrs, WORD("service"), WORD("protocol"), NAMED("domain", DNS), NAMED("target", HOST), WORD("port"),
      WORD("priority"), WORD("weight"));
ATTRS(dns_host_attrs, HELD("ip", IP));
ELEMENTS(dns_host_children, ELEMENT("hostname", TEXT_NAME(HOST)));
ELEMENTS(dns_children, ELEMENT("forwarder", .attrs = forwarder_attrs), ELEMENT("txt", .attrs = txt_attrs),
         ELEMENT("srv", .attrs = srv_attrs),
         ELEMENT("host", .attrs = dns_host_attrs, .children = dns_host_children));

ATTRS(portgroup_attrs, NAMED("name", PORTGROUP), WORD("default"), WORD("trustGuestRxFilters"));
ELEMENTS(portgroup_children, BANDWIDTH, VLAN, VIRTUALPORT, ELEMENT("port", .attrs = port_attrs));

ATTRS(lease_attrs, WORD("expiry"), WORD("unit"));
ELEMENTS(lease_children, ELEMENT("lease", .attrs = lease_attrs));
ATTRS(range_attrs, HELD("start", IP), HELD("end", IP));
ATTRS(dhcp_host_attrs, HELD("mac", MAC), HELD("id", CLIENT), NAMED("name", HOST), HELD("ip", IP));
ATTRS(bootp_attrs, HELD("file", HIDDEN), NAMED("server", HOST));
ATTRS(tftp_attrs, HELD("root", HIDDEN));
ELEMENTS(dhcp_children, ELEMENT("range", .attrs = range_attrs, .children = lease_children),
         ELEMENT("host", .attrs = dhcp_host_attrs, .children = lease_children),
         ELEMENT("bootp", .attrs = bootp_attrs));
ATTRS(ip_attrs, WORD("family"), HELD("address", NET), HELD("netmask", MASK), WORD("prefix"),
      WORD("localPtr"));
ELEMENTS(ip_children, ELEMENT("tftp", .attrs = tftp_attrs), ELEMENT("dhcp", .children = dhcp_children));

ELEMENTS(network_children, ELEMENT("name", TEXT_NAME(NETWORK)), ELEMENT("uuid", .text = XML_UUID),
         ELEMENT("metadata", .children = metadata_children),
         ELEMENT("forward", .attrs = forward_attrs, .children = forward_children),
         ELEMENT("bridge", .attrs = bridge_attrs), ELEMENT("mtu", .attrs = size_attrs),
         ELEMENT("mac", .attrs = network_mac_attrs), ELEMENT("domain", .attrs = dns_domain_attrs),
         ELEMENT("dns", .attrs = dns_attrs, .children = dns_children), VLAN, BANDWIDTH, VIRTUALPORT,
         ELEMENT("port", .attrs = port_attrs),
         ELEMENT("portgroup", .attrs = portgroup_attrs, .children = portgroup_children),
         ELEMENT("ip", .attrs = ip_attrs, .children = ip_children), ELEMENT("route", .attrs = route_attrs));

const XmlElement redact_network_element = {
    .name = "network", .attrs = network_attrs, .children = network_children};

/* ------------------------------------------------------------------------------------------ domain */

ATTRS(domain_attrs, WORD("type"), WORD("id"));

ATTRS(interface_attrs, WORD("type"), WORD("managed"), WORD("trustGuestRxFilters"));
ATTRS(interface_mac_attrs, HELD("address", MAC), HELD("currentAddress", MAC), WORD("type"), WORD("check"));

/* Their order tells what the source is: see interface_source in libvirt-parse-domain.c. */
ATTRS(source_attrs, NAMED("network", NETWORK), HELD("bridge", DEVICE), HELD("dev", DEVICE),
      HELD("portid", UUID), NAMED("portgroup", PORTGROUP), WORD("mode"), NAMED("name", VALUE),
      HELD("path", DEVICE), WORD("type"), HELD("address", ADDRESS), WORD("port"));
ATTRS(source_address_attrs, WORD("type"), WORD("domain"), WORD("bus"), WORD("slot"), WORD("function"));
ATTRS(source_local_attrs, HELD("address", ADDRESS), WORD("port"));
ELEMENTS(source_children, ELEMENT("address", .attrs = source_address_attrs),
         ELEMENT("local", .attrs = source_local_attrs));

ATTRS(target_attrs, HELD("dev", DEVICE), WORD("managed"));
ATTRS(alias_attrs, NAMED("name", ALIAS));
ATTRS(link_attrs, WORD("state"));
ATTRS(guest_attrs, HELD("dev", DEVICE), HELD("actual", DEVICE));
ATTRS(backend_attrs, WORD("type"));
ATTRS(rom_attrs, WORD("enabled"), WORD("bar"));
ATTRS(boot_attrs, WORD("order"));
ATTRS(teaming_attrs, WORD("type"), NAMED("persistent", ALIAS));

ATTRS(driver_attrs, WORD("name"), WORD("queues"), WORD("txmode"), WORD("ioeventfd"), WORD("event_idx"),
      WORD("rx_queue_size"), WORD("tx_queue_size"), WORD("rss"), WORD("rss_hash_report"), WORD("iommu"),
      WORD("ats"), WORD("packed"), WORD("page_per_vq"));
ATTRS(offload_attrs, WORD("csum"), WORD("gso"), WORD("tso4"), WORD("tso6"), WORD("ecn"), WORD("ufo"),
      WORD("mrg_rxbuf"));
ELEMENTS(driver_children, ELEMENT("host", .attrs = offload_attrs), ELEMENT("guest", .attrs = offload_attrs));

ATTRS(filterref_attrs, NAMED("filter", FILTER));
ATTRS(filter_parameter_attrs, NAMED("name", PARAMETER), HELD("value", PARAMETER));
ELEMENTS(filterref_children, ELEMENT("parameter", .attrs = filter_parameter_attrs));

ATTRS(frames_attrs, WORD("max"));
ELEMENTS(coalesce_rx_children, ELEMENT("frames", .attrs = frames_attrs));
ELEMENTS(coalesce_children, ELEMENT("rx", .children = coalesce_rx_children));
ELEMENTS(tune_children, ELEMENT("sndbuf", .text = XML_WORD));

ATTRS(guest_ip_attrs, WORD("family"), HELD("address", NET), WORD("prefix"), HELD("peer", IP));
ATTRS(port_forward_attrs, WORD("proto"), HELD("address", IP), HELD("dev", DEVICE));
ATTRS(port_range_attrs, WORD("start"), WORD("end"), WORD("to"), WORD("exclude"));
ELEMENTS(port_forward_children, ELEMENT("range", .attrs = port_range_attrs));

ELEMENTS(interface_children, ELEMENT("mac", .attrs = interface_mac_attrs),
         ELEMENT("source", .attrs = source_attrs, .children = source_children),
         ELEMENT("target", .attrs = target_attrs), ELEMENT("model", .attrs = type_attrs),
         ELEMENT("alias", .attrs = alias_attrs), ELEMENT("link", .attrs = link_attrs),
         ELEMENT("mtu", .attrs = size_attrs), ELEMENT("port", .attrs = port_attrs), VLAN, VIRTUALPORT,
         BANDWIDTH, ELEMENT("driver", .attrs = driver_attrs, .children = driver_children),
         ELEMENT("filterref", .attrs = filterref_attrs, .children = filterref_children),
         ELEMENT("coalesce", .children = coalesce_children), ELEMENT("tune", .children = tune_children),
         ELEMENT("guest", .attrs = guest_attrs), ELEMENT("backend", .attrs = backend_attrs),
         ELEMENT("rom", .attrs = rom_attrs), ELEMENT("boot", .attrs = boot_attrs),
         ELEMENT("teaming", .attrs = teaming_attrs), ELEMENT("ip", .attrs = guest_ip_attrs),
         ELEMENT("route", .attrs = route_attrs),
         ELEMENT("portForward", .attrs = port_forward_attrs, .children = port_forward_children),
         ELEMENT("address", .attrs = pci_attrs));

ATTRS(channel_target_attrs, WORD("type"), WORD("name"), WORD("state"));
ELEMENTS(channel_children, ELEMENT("target", .attrs = channel_target_attrs),
         ELEMENT("alias", .attrs = alias_attrs));

ELEMENTS(device_children, ELEMENT("interface", .attrs = interface_attrs, .children = interface_children),
         ELEMENT("channel", .attrs = type_attrs, .children = channel_children));
ELEMENTS(domain_children, ELEMENT("name", TEXT_NAME(DOMAIN)), ELEMENT("uuid", .text = XML_UUID),
         ELEMENT("devices", .children = device_children));

const XmlElement redact_domain_element = {
    .name = "domain", .attrs = domain_attrs, .children = domain_children};
