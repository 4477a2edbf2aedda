/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/columns.h"

#include "base/text.h"
#include "model/network.h"

static char *yes_no(gboolean value)
{
    return g_strdup(value ? "yes" : "no");
}

static char *get_name(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->name);
}

static char *get_uuid(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->uuid);
}

static char *get_state(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->active ? "active" : "inactive");
}

static char *get_autostart(gconstpointer record, const ViewContext *view)
{
    return yes_no(((const NetworkRow *)record)->network->autostart);
}

static char *get_persistent(gconstpointer record, const ViewContext *view)
{
    return yes_no(((const NetworkRow *)record)->network->persistent);
}

static char *get_bridge(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->bridge);
}

static char *get_forward(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->forward);
}

static char *get_subnet(gconstpointer record, const ViewContext *view)
{
    const NetworkRow *row = record;
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < row->pools->len; i++) {
        const NetworkPool *pool = row->pools->pdata[i];
        IpNet subnet = ipnet_network(&pool->ip->net);
        g_autofree char *one = ipnet_to_string(&subnet);

        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", one);
    }
    return g_string_free(text, text->len == 0);
}

static char *get_interfaces(gconstpointer record, const ViewContext *view)
{
    const NetworkRow *row = record;

    return row->interfaces && row->network->active ? g_strdup_printf("%u", row->interfaces->len) : NULL;
}

static char *get_leases(gconstpointer record, const ViewContext *view)
{
    const NetworkRow *row = record;

    return row->leases >= 0 && row->network->active ? g_strdup_printf("%" G_GINT64_FORMAT, row->leases)
                                                    : NULL;
}

static char *get_template(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->template_name);
}

static char *get_dns_domain(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const NetworkRow *)record)->network->domain_name);
}

static CellColor color_state(gconstpointer record)
{
    return ((const NetworkRow *)record)->network->active ? COLOR_GOOD : COLOR_WARN;
}

static const Column network_table[] = {
    {"name", "Name", "network's name", get_name, NULL},
    {"uuid", "UUID", "network's UUID", get_uuid, NULL},
    {"state", "State", "active or inactive", get_state, color_state},
    {"autostart", "Autostart", "whether it starts with the host", get_autostart, NULL},
    {"persistent", "Persistent", "whether it has a definition", get_persistent, NULL},
    {"bridge", "Bridge", "bridge in libvirt's definition", get_bridge, NULL},
    {"forward", "Forward", "nat, route, open, isolated, …", get_forward, NULL},
    {"subnet", "Subnet", "subnets of its addresses", get_subnet, NULL},
    {"interfaces", "Interfaces", "ports on the bridge now", get_interfaces, NULL},
    {"leases", "Leases", "live leases", get_leases, NULL},
    {"template", "Template", "template it was defined from", get_template, NULL},
    {"dns-domain", "Domain", "DNS domain", get_dns_domain, NULL},
};

const ColumnSet network_columns = {network_table, G_N_ELEMENTS(network_table)};

/* ------------------------------------------------------------------------------------------ leases */

static char *get_lease_expires(gconstpointer record, const ViewContext *view)
{
    const Lease *lease = ((const MapLease *)record)->lease;

    return lease->expiry == 0 ? g_strdup("never") : text_time_local(lease->expiry);
}

static char *get_lease_left(gconstpointer record, const ViewContext *view)
{
    const Lease *lease = ((const MapLease *)record)->lease;

    return lease->expiry == 0 ? g_strdup("never") : text_span(lease->expiry - view->now);
}

static char *get_lease_mac(gconstpointer record, const ViewContext *view)
{
    const Lease *lease = ((const MapLease *)record)->lease;

    return lease->has_mac ? mac_to_string(&lease->mac) : NULL;
}

static char *get_lease_protocol(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapLease *)record)->lease->ip.family == 6 ? "ipv6" : "ipv4");
}

static char *get_lease_address(gconstpointer record, const ViewContext *view)
{
    const Lease *lease = ((const MapLease *)record)->lease;
    char buffer[IP_TEXT];

    return g_strdup_printf("%s/%u", ip_format(&lease->ip, buffer), lease->prefix);
}

static char *get_lease_hostname(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapLease *)record)->lease->hostname);
}

static char *get_lease_client(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapLease *)record)->lease->client_id);
}

static char *get_lease_iaid(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapLease *)record)->lease->iaid);
}

static char *get_lease_network(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const MapLease *)record)->lease->network);
}

static char *get_lease_domain(gconstpointer record, const ViewContext *view)
{
    const MapLease *lease = record;

    return lease->row ? g_strdup(lease->row->domain) : NULL;
}

static char *get_lease_tap(gconstpointer record, const ViewContext *view)
{
    const MapLease *lease = record;

    return lease->row ? g_strdup(lease->row->tap) : NULL;
}

static const Column lease_table[] = {
    {"expires", "Expiry Time", "end of the lease, local time", get_lease_expires, NULL},
    {"mac", "MAC address", "hardware address of the lease", get_lease_mac, NULL},
    {"protocol", "Protocol", "ipv4 or ipv6", get_lease_protocol, NULL},
    {"address", "IP address", "address and prefix", get_lease_address, NULL},
    {"hostname", "Hostname", "name the guest gave", get_lease_hostname, NULL},
    {"client-id", "Client ID or DUID", "as the guest sent it", get_lease_client, NULL},
    {"domain", "Domain", "domain whose XML has this MAC on this network", get_lease_domain, NULL},
    {"tap", "Tap", "that interface's tap", get_lease_tap, NULL},
    {"iaid", "IAID", "DHCPv6 identity of the association", get_lease_iaid, NULL},
    {"left", "Left", "time left", get_lease_left, NULL},
    {"network", "Network", "network of the lease", get_lease_network, NULL},
};

const ColumnSet lease_columns = {lease_table, G_N_ELEMENTS(lease_table)};

/* --------------------------------------------------------------------------------------- templates */

static char *get_template_name(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const TemplateRecord *)record)->name);
}

static char *get_template_parameters(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const TemplateRecord *)record)->parameters);
}

static char *get_template_description(gconstpointer record, const ViewContext *view)
{
    const TemplateRecord *tmpl = record;

    return tmpl->error ? g_strdup_printf("unusable: %s", tmpl->error) : g_strdup(tmpl->description);
}

static char *get_template_path(gconstpointer record, const ViewContext *view)
{
    return g_strdup(((const TemplateRecord *)record)->path);
}

static char *get_template_shadowed(gconstpointer record, const ViewContext *view)
{
    return yes_no(((const TemplateRecord *)record)->shadowed);
}

static const Column template_table[] = {
    {"name", "Name", "name to define it by", get_template_name, NULL},
    {"parameters", "Parameters", "parameters it declares", get_template_parameters, NULL},
    {"description", "Description", "what it is for", get_template_description, NULL},
    {"path", "Path", "file", get_template_path, NULL},
    {"shadowed", "Shadowed", "whether a template of that name comes first", get_template_shadowed, NULL},
};

const ColumnSet template_columns = {template_table, G_N_ELEMENTS(template_table)};
