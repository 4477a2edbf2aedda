/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/columns.h"
#include "views/json.h"

#include <string.h>

static json_t *json_of_mac(gboolean has, const Mac *mac)
{
    char buffer[MAC_TEXT];

    return has ? json_string(mac_format(mac, buffer)) : json_null();
}

static json_t *json_of_ip(const Ip *ip)
{
    char buffer[IP_TEXT];

    return json_string(ip_format(ip, buffer));
}

static const char *family_name(const Ip *ip)
{
    return ip->family == 6 ? "ipv6" : "ipv4";
}

static json_t *integer_or_null(gboolean has, gint64 value)
{
    return has ? json_integer(value) : json_null();
}

static json_t *json_of_tri(Tri tri)
{
    return tri == TRI_UNKNOWN ? json_null() : json_boolean(tri == TRI_YES);
}

/* Sizes of IPv6 ranges may pass what JSON's readers can count. */
static json_t *json_of_size(guint64 size)
{
    return json_integer((json_int_t)MIN(size, (guint64)G_MAXINT64));
}

static json_t *json_of_strings(const GPtrArray *strings)
{
    json_t *array = json_array();

    for (guint i = 0; i < strings->len; i++) {
        json_t *holder = json_object();

        json_put_text(holder, "text", strings->pdata[i]);
        json_array_append(array, json_object_get(holder, "text"));
        json_decref(holder);
    }
    return array;
}

/* -------------------------------------------------------------------------------------- interfaces */

static json_t *json_of_address(const Address *address)
{
    json_t *obj = json_object();
    json_t *sources = json_array();

    for (guint source = 0; source < ADDRESS_SOURCE_COUNT; source++) {
        if (address->sources & (1U << source))
            json_array_append_new(sources, json_string(address_source_name(source)));
    }
    json_object_set_new(obj, "address", json_of_ip(&address->ip));
    json_object_set_new(obj, "family", json_string(family_name(&address->ip)));
    json_object_set_new(obj, "prefix", integer_or_null(address->prefix >= 0, address->prefix));
    json_object_set_new(obj, "source", json_string(address_source_name(address->source)));
    json_object_set_new(obj, "sources", sources);
    json_put_text(obj, "hostname", address->hostname);
    json_put_text(obj, "client_id", address->client_id);
    json_put_time(obj, "expires", address->has_expiry, address->expiry);
    return obj;
}

static json_t *json_of_link_claim(const MapRow *row)
{
    if (!row->interface_known)
        return json_null();
    return json_string(row->link == LINK_DOWN ? "down" : "up");
}

static void put_interface_identity(json_t *obj, const MapRow *row)
{
    json_put_text(obj, "domain", row->domain);
    json_put_text(obj, "domain_uuid", row->domain_uuid);
    json_object_set_new(obj, "domain_id",
                        integer_or_null(row->has_domain && row->domain_id >= 0, row->domain_id));
    json_put_text(obj, "domain_state", row->has_domain ? domain_state_name(row->domain_state) : NULL);
    json_put_text(obj, "alias", row->alias);
    json_put_text(obj, "type", row->type);
    json_put_text(obj, "source", row->source);
    json_put_text(obj, "network", row->network);
    json_put_text(obj, "model", row->model);
    json_object_set_new(obj, "mac", json_of_mac(row->has_mac, &row->mac));
}

static void put_interface_link(json_t *obj, const MapRow *row)
{
    json_put_text(obj, "tap", row->tap);
    json_object_set_new(obj, "ifindex", integer_or_null(row->ifindex != 0, row->ifindex));
    json_object_set_new(obj, "host_mac", json_of_mac(row->has_host_mac, &row->host_mac));
    json_put_text(obj, "bridge", row->bridge);
    json_put_text(obj, "network_bridge", row->network_bridge);
    json_object_set_new(obj, "mtu", integer_or_null(row->mtu != 0, row->mtu));
    json_object_set_new(obj, "link", json_of_link_claim(row));
    json_object_set_new(obj, "carrier", row->carrier < 0 ? json_null() : json_boolean(row->carrier));
}

json_t *json_of_interface(gconstpointer map_row)
{
    const MapRow *row = map_row;
    json_t *obj = json_object();
    json_t *addresses = json_array();

    put_interface_identity(obj, row);
    put_interface_link(obj, row);
    json_object_set_new(obj, "problems", json_of_strings(row->problems));
    for (guint i = 0; i < row->addresses->len; i++)
        json_array_append_new(addresses, json_of_address(row->addresses->pdata[i]));
    json_object_set_new(obj, "addresses", addresses);
    return obj;
}

/* ---------------------------------------------------------------------------------------- networks */

static json_t *json_of_pool(const NetworkPool *pool)
{
    const NetworkIp *ip = pool->ip;
    json_t *obj = json_object();
    json_t *dhcp = json_null();

    json_object_set_new(obj, "address", json_of_ip(&ip->net.ip));
    json_object_set_new(obj, "prefix", json_integer(ip->net.prefix));
    json_object_set_new(obj, "family", json_string(family_name(&ip->net.ip)));
    if (ip->dhcp) {
        json_t *ranges = json_array();

        for (guint i = 0; i < ip->ranges->len; i++) {
            const DhcpRange *range = &g_array_index(ip->ranges, DhcpRange, i);
            json_t *item = json_object();

            json_object_set_new(item, "start", json_of_ip(&range->first));
            json_object_set_new(item, "end", json_of_ip(&range->last));
            json_array_append_new(ranges, item);
        }
        dhcp = json_object();
        json_object_set_new(dhcp, "ranges", ranges);
        json_object_set_new(dhcp, "size", json_of_size(pool->size));
        json_object_set_new(dhcp, "leases", integer_or_null(pool->leases >= 0, pool->leases));
    }
    json_object_set_new(obj, "dhcp", dhcp);
    return obj;
}

static json_t *json_of_template_use(const Network *network)
{
    json_t *obj, *parameters;

    if (!network->template_name)
        return json_null();
    obj = json_object();
    parameters = json_object();
    json_put_text(obj, "name", network->template_name);
    for (guint i = 0; i < network->template_values->len; i++) {
        const TemplateValue *value = network->template_values->pdata[i];

        json_put_text(parameters, value->name, value->value);
    }
    json_object_set_new(obj, "parameters", parameters);
    return obj;
}

static json_t *json_of_dnsmasq(const NetworkRow *row)
{
    const Dnsmasq *dnsmasq = row->dnsmasq;
    json_t *obj;

    if (!row->wants_dnsmasq || !dnsmasq)
        return json_null();
    obj = json_object();
    json_object_set_new(obj, "pid", integer_or_null(dnsmasq->alive && dnsmasq->pid > 0, dnsmasq->pid));
    json_put_text(obj, "user", dnsmasq->alive ? dnsmasq->user : NULL);
    json_put_text(obj, "config", dnsmasq->config);
    json_object_set_new(obj, "running", json_of_tri(row->dnsmasq_running));
    json_object_set_new(obj, "listening", json_of_tri(row->dnsmasq_listening));
    return obj;
}

static json_t *json_of_nat(const NetworkRow *row)
{
    gboolean is_nat = g_strcmp0(row->network->forward, "nat") == 0;
    json_t *obj = json_object();

    json_put_text(obj, "backend", is_nat ? row->backend : NULL);
    json_object_set_new(obj, "present", json_of_tri(row->nat));
    return obj;
}

static void put_network_bridge(json_t *obj, const NetworkRow *row)
{
    const Network *network = row->network;
    const Link *link = row->link;
    gboolean owns = network_owns_bridge(network);
    g_autofree char *id = link ? network_bridge_id(link) : NULL;

    json_put_text(obj, "bridge", network->bridge);
    json_put_text(obj, "bridge_id", id);
    json_object_set_new(obj, "stp",
                        !owns ? json_null() : json_boolean(link ? link->bridge_info.stp : network->stp));
    json_object_set_new(obj, "forward_delay",
                        !owns ? json_null()
                              : json_real(link ? link->bridge_info.forward_delay / 100.0 : network->delay));
    json_object_set_new(obj, "mtu",
                        link ? json_integer(link->mtu) : integer_or_null(network->mtu != 0, network->mtu));
}

json_t *json_of_network(gconstpointer network_row)
{
    const NetworkRow *row = network_row;
    const Network *network = row->network;
    json_t *obj = json_object();
    json_t *ips = json_array();

    json_put_text(obj, "name", network->name);
    json_put_text(obj, "uuid", network->uuid);
    json_object_set_new(obj, "active", json_boolean(network->active));
    json_object_set_new(obj, "persistent", json_boolean(network->persistent));
    json_object_set_new(obj, "autostart", json_boolean(network->autostart));
    json_put_text(obj, "forward", network->forward ? network->forward : "unknown");
    put_network_bridge(obj, row);
    json_put_text(obj, "dns_domain", network->domain_name);
    json_object_set_new(obj, "interfaces", row->interfaces ? json_of_strings(row->interfaces) : json_array());
    json_object_set_new(obj, "template", json_of_template_use(network));
    for (guint i = 0; i < row->pools->len; i++)
        json_array_append_new(ips, json_of_pool(row->pools->pdata[i]));
    json_object_set_new(obj, "ips", ips);
    json_object_set_new(obj, "dnsmasq", json_of_dnsmasq(row));
    json_object_set_new(obj, "nat", json_of_nat(row));
    return obj;
}

/* ------------------------------------------------------------------------------------------ leases */

json_t *json_of_lease(gconstpointer map_lease)
{
    const MapLease *record = map_lease;
    const Lease *lease = record->lease;
    const MapRow *row = record->row;
    json_t *obj = json_object();

    json_put_text(obj, "network", lease->network);
    json_put_text(obj, "bridge", lease->bridge);
    json_object_set_new(obj, "mac", json_of_mac(lease->has_mac, &lease->mac));
    json_object_set_new(obj, "address", json_of_ip(&lease->ip));
    json_object_set_new(obj, "family", json_string(family_name(&lease->ip)));
    json_object_set_new(obj, "prefix", integer_or_null(lease->prefix != 0, lease->prefix));
    json_put_text(obj, "hostname", lease->hostname);
    json_put_text(obj, "client_id", lease->client_id);
    json_put_text(obj, "iaid", lease->iaid);
    json_put_time(obj, "expires", lease->expiry != 0, lease->expiry);
    json_put_text(obj, "domain", row ? row->domain : NULL);
    json_put_text(obj, "tap", row ? row->tap : NULL);
    json_object_set_new(obj, "attributed", json_boolean(row != NULL));
    return obj;
}

/* ---------------------------------------------------------------------------------------- findings */

json_t *json_of_finding(gconstpointer finding_record)
{
    const Finding *finding = finding_record;
    json_t *obj = json_object();
    json_t *object = json_object();

    json_object_set_new(obj, "id", json_string(finding->id));
    json_object_set_new(obj, "level", json_string(level_name(finding->level)));
    json_object_set_new(object, "kind", json_string(object_kind_name(finding->kind)));
    json_put_text(object, "name", finding->object);
    json_object_set_new(obj, "object", object);
    json_put_text(obj, "message", finding->message);
    json_object_set_new(obj, "evidence", json_of_strings(finding->evidence));
    json_put_text(obj, "remedy", finding->remedy);
    json_object_set_new(obj, "repair", json_string(repair_class_name(finding->repair)));
    return obj;
}

/* ------------------------------------------------------------------------------------------- flows */

static void put_flow_figures(json_t *obj, const FlowRow *row)
{
    const gint64 bytes = flow_row_bytes(row), packets = flow_row_packets(row);
    const gint64 sent = flow_row_sent(row), received = flow_row_received(row);

    json_object_set_new(obj, "bytes", integer_or_null(bytes >= 0, bytes));
    json_object_set_new(obj, "packets", integer_or_null(packets >= 0, packets));
    json_object_set_new(obj, "sent_bytes", integer_or_null(sent >= 0, sent));
    json_object_set_new(obj, "received_bytes", integer_or_null(received >= 0, received));
    json_object_set_new(obj, "age", integer_or_null(row->age >= 0, row->age));
    json_put_time(obj, "started", row->flow.started > 0, row->flow.started / G_USEC_PER_SEC);
}

json_t *json_of_flow(gconstpointer flow_row)
{
    const FlowRow *row = flow_row;
    const gboolean ports = row->flow.has_ports;
    char buffer[FLOW_PROTOCOL_TEXT];
    json_t *obj = json_object();

    json_object_set_new(obj, "protocol", json_string(flow_protocol_name(row->flow.protocol, buffer)));
    json_object_set_new(obj, "family", json_string(family_name(&row->guest)));
    json_object_set_new(obj, "guest_address", json_of_ip(&row->guest));
    json_object_set_new(obj, "guest_port", integer_or_null(ports, row->guest_port));
    json_object_set_new(obj, "host_address", row->translated ? json_of_ip(&row->host) : json_null());
    json_object_set_new(obj, "host_port", integer_or_null(ports && row->translated, row->host_port));
    json_object_set_new(obj, "remote_address", json_of_ip(&row->remote));
    json_object_set_new(obj, "remote_port", integer_or_null(ports, row->remote_port));
    json_object_set_new(obj, "began", json_string(row->inbound ? "remote" : "guest"));
    json_put_text(obj, "state", flow_state_name(&row->flow));
    json_object_set_new(obj, "replied", json_boolean(row->flow.replied));
    put_flow_figures(obj, row);
    json_put_text(obj, "domain", row->domain);
    json_put_text(obj, "tap", row->tap);
    json_put_text(obj, "network", row->network);
    json_put_text(obj, "remote_domain", row->remote_domain);
    json_object_set_new(obj, "id", json_integer(row->flow.id));
    return obj;
}

/* --------------------------------------------------------------------------------------- templates */

json_t *json_of_template(gconstpointer template_record)
{
    const TemplateRecord *record = template_record;
    const GPtrArray *params = record->tmpl ? template_params(record->tmpl) : NULL;
    json_t *obj = json_object();
    json_t *parameters = json_array();

    for (guint i = 0; params && i < params->len; i++) {
        const TemplateParam *param = params->pdata[i];
        json_t *item = json_object();

        json_put_text(item, "name", param->name);
        json_object_set_new(item, "type", json_string(param_type_name(param->type)));
        json_put_text(item, "default", param->default_value);
        json_object_set_new(item, "optional", json_boolean(param->optional));
        json_array_append_new(parameters, item);
    }
    json_put_text(obj, "name", record->name);
    json_put_text(obj, "path", record->path);
    json_put_text(obj, "description", record->description);
    json_object_set_new(obj, "parameters", parameters);
    json_object_set_new(obj, "shadowed", json_boolean(record->shadowed));
    json_put_text(obj, "error", record->error);
    return obj;
}
