/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/libvirt-lookup.h"

#include "base/error.h"
#include "base/name.h"

virNetworkPtr libvirt_lookup_network(virConnectPtr conn, const char *name_or_uuid, GError **error)
{
    virNetworkPtr network = NULL;

    if (name_is_uuid(name_or_uuid))
        network = virNetworkLookupByUUIDString(conn, name_or_uuid);
    if (!network)
        network = virNetworkLookupByName(conn, name_or_uuid);
    if (!network)
        virt_error_take(error);
    return network;
}

virDomainPtr libvirt_lookup_domain(virConnectPtr conn, const char *which, GError **error)
{
    virDomainPtr domain = NULL;
    guint64 id = 0;

    if (g_ascii_string_to_unsigned(which, 10, 0, G_MAXINT, &id, NULL))
        domain = virDomainLookupByID(conn, (int)id);
    if (!domain && name_is_uuid(which))
        domain = virDomainLookupByUUIDString(conn, which);
    if (!domain)
        domain = virDomainLookupByName(conn, which);
    if (!domain)
        virt_error_take(error);
    return domain;
}
