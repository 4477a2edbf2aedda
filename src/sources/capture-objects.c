/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/capture-private.h"
#include "sources/libvirt.h"

#include <string.h>

/* The name and UUID of the XML are freed, for record_copy fills those of the list in, which are the same. */

Network *capture_network(const Network *captured, gboolean inactive)
{
    const char *xml = inactive && captured->xml_inactive ? captured->xml_inactive : captured->xml;
    Network *network = xml ? libvirt_parse_network(xml, strlen(xml), NULL) : NULL;

    if (network) {
        g_free(network->name);
        g_free(network->uuid);
    } else {
        network = network_new();
        network->xml_read = FALSE;
    }
    record_copy(network_fields, captured, network);
    return network;
}

Domain *capture_domain(const Domain *captured, gboolean inactive)
{
    const char *xml = inactive && captured->xml_inactive ? captured->xml_inactive : captured->xml;
    Domain *domain = xml ? libvirt_parse_domain(xml, strlen(xml), NULL) : NULL;

    if (domain) {
        g_free(domain->name);
        g_free(domain->uuid);
    } else {
        domain = domain_new();
    }
    record_copy(domain_fields, captured, domain);
    return domain;
}
