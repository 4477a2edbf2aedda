/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/columns.h"

#include "base/text.h"

#include <string.h>

/* All addresses but link-local ones, best first. */
static char *get_ip(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];
        char buffer[IP_TEXT];

        if (!ip_is_link_local(&address->ip))
            g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", ip_format(&address->ip, buffer));
    }
    return g_string_free(text, text->len == 0);
}

static char *get_evidence(gconstpointer record, const ViewContext *view)
{
    const Address *address = map_row_address(record);

    return address ? g_strdup(address_source_name(address->source)) : NULL;
}

static char *get_hostname(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        if (address->hostname)
            return g_strdup(address->hostname);
    }
    return NULL;
}

/* Time left of the best address's lease. */
static char *get_lease(gconstpointer record, const ViewContext *view)
{
    const Address *address = map_row_address(record);

    if (!address || address->source != ADDRESS_LEASE)
        return NULL;
    return address->has_expiry ? text_span(address->expiry - view->now) : g_strdup("never");
}

static char *get_expires(gconstpointer record, const ViewContext *view)
{
    const Address *address = map_row_address(record);

    if (!address || address->source != ADDRESS_LEASE)
        return NULL;
    return address->has_expiry ? text_time_local(address->expiry) : g_strdup("never");
}

static char *get_network(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->network);
}

static char *get_domain(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->domain);
}

static char *get_uuid(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->domain_uuid);
}

static char *get_id(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->has_domain && row->domain_id >= 0 ? g_strdup_printf("%d", row->domain_id) : NULL;
}

static char *get_state(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    if (!row->has_domain)
        return NULL;
    return g_strdup(domain_state_name(row->domain_state));
}

static char *get_tap(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->tap);
}

static char *get_type(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->type);
}

static char *get_source(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->source);
}

static char *get_model(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->model);
}

static char *get_mac(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->has_mac ? mac_to_string(&row->mac) : NULL;
}

static char *get_host_mac(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->has_host_mac ? mac_to_string(&row->host_mac) : NULL;
}

static char *get_bridge(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->bridge);
}

static char *get_network_bridge(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->network_bridge);
}

static char *get_alias(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapRow *)record)->alias);
}

static char *get_ifindex(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->ifindex ? g_strdup_printf("%u", row->ifindex) : NULL;
}

static char *get_mtu(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->mtu ? g_strdup_printf("%u", row->mtu) : NULL;
}

static char *get_link(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->interface_known ? g_strdup(row->link == LINK_DOWN ? "down" : "up") : NULL;
}

static char *get_carrier(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;

    return row->carrier < 0 ? NULL : g_strdup(row->carrier ? "yes" : "no");
}

static char *get_problems(gconstpointer record, const ViewContext *view)
{
    const MapRow *row = record;
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < row->problems->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", (const char *)row->problems->pdata[i]);
    return g_string_free(text, text->len == 0);
}

static CellColor color_problems(gconstpointer record)
{
    return ((const MapRow *)record)->problems->len > 0 ? COLOR_BAD : COLOR_NONE;
}

static CellColor color_state(gconstpointer record)
{
    const MapRow *row = record;

    return row->domain_state == DOMAIN_RUNNING ? COLOR_GOOD : row->has_domain ? COLOR_WARN : COLOR_NONE;
}

static const Column interface_table[] = {
    {"network", "Network", "libvirt network", get_network, NULL},
    {"domain", "Domain", "domain's name", get_domain, NULL},
    {"uuid", "UUID", "domain's UUID", get_uuid, NULL},
    {"id", "Id", "domain's id while it runs", get_id, NULL},
    {"state", "State", "domain's state", get_state, color_state},
    {"tap", "Interface", "tap: the host's end", get_tap, NULL},
    {"type", "Type", "kind of interface in the domain's XML", get_type, NULL},
    {"source", "Source", "network, bridge or device it is plugged into", get_source, NULL},
    {"model", "Model", "device model", get_model, NULL},
    {"mac", "MAC", "the guest's hardware address", get_mac, NULL},
    {"host-mac", "Host MAC", "the tap's own hardware address", get_host_mac, NULL},
    {"bridge", "Bridge", "bridge the kernel has the tap on", get_bridge, NULL},
    {"network-bridge", "Network bridge", "bridge the tap should be on, as libvirt says", get_network_bridge,
     NULL},
    {"alias", "Alias", "libvirt's alias of the device", get_alias, NULL},
    {"ifindex", "Index", "the tap's interface index", get_ifindex, NULL},
    {"mtu", "MTU", "the tap's MTU", get_mtu, NULL},
    {"link", "Link", "link state set in libvirt", get_link, NULL},
    {"carrier", "Carrier", "whether the guest's end is open", get_carrier, NULL},
    {"ip", "IP", "addresses, best evidence first, without link-local ones", get_ip, NULL},
    {"evidence", "Evidence", "where the first address is known from", get_evidence, NULL},
    {"hostname", "Hostname", "name the guest gave for its lease", get_hostname, NULL},
    {"lease", "Lease", "time left of the lease", get_lease, NULL},
    {"expires", "Expires", "end of the lease, local time", get_expires, NULL},
    {"problems", "Problems", "checks that fail for this interface", get_problems, color_problems},
};

const ColumnSet interface_columns = {interface_table, G_N_ELEMENTS(interface_table)};

/* --------------------------------------------------------------------------------------- domifaddr */

static char *get_address_name(gconstpointer record, const ViewContext *view)
{
    const AddressRecord *entry = record;

    return entry->repeated ? NULL : g_strdup(entry->row->tap);
}

static char *get_address_mac(gconstpointer record, const ViewContext *view)
{
    const AddressRecord *entry = record;

    return entry->repeated ? NULL : get_mac(entry->row, view);
}

static char *get_address_protocol(gconstpointer record, const ViewContext *view)
{
    const AddressRecord *entry = record;

    if (!entry->address)
        return g_strdup("N/A");
    return g_strdup(entry->address->ip.family == 6 ? "ipv6" : "ipv4");
}

/* virsh writes a prefix that it does not know as 0. */
static char *get_address_address(gconstpointer record, const ViewContext *view)
{
    const AddressRecord *entry = record;
    char buffer[IP_TEXT];

    if (!entry->address)
        return g_strdup("N/A");
    return g_strdup_printf("%s/%d", ip_format(&entry->address->ip, buffer), MAX(entry->address->prefix, 0));
}

static char *get_address_source(gconstpointer record, const ViewContext *view)
{
    const AddressRecord *entry = record;

    return entry->address ? g_strdup(address_source_name(entry->address->source)) : NULL;
}

static char *get_address_domain(gconstpointer record, const ViewContext *view)
{
    return get_domain(((const AddressRecord *)record)->row, view);
}

static char *get_address_hostname(gconstpointer record, const ViewContext *view)
{
    const AddressRecord *entry = record;

    return entry->address ? g_strdup(entry->address->hostname) : NULL;
}

static const Column address_table[] = {
    {"name", "Name", "tap: the host's end", get_address_name, NULL},
    {"mac", "MAC address", "the guest's hardware address", get_address_mac, NULL},
    {"protocol", "Protocol", "ipv4 or ipv6", get_address_protocol, NULL},
    {"address", "Address", "address and prefix (0: not known)", get_address_address, NULL},
    {"source", "Source", "where the address is known from", get_address_source, NULL},
    {"domain", "Domain", "domain's name", get_address_domain, NULL},
    {"hostname", "Hostname", "name the guest gave for its lease", get_address_hostname, NULL},
};

const ColumnSet address_columns = {address_table, G_N_ELEMENTS(address_table)};
