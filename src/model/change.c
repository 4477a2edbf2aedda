/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/change.h"

#include <string.h>

static const char *const change_names[] = {
    [CHANGE_INTERFACE_ADDED] = "interface.added",     [CHANGE_INTERFACE_CHANGED] = "interface.changed",
    [CHANGE_INTERFACE_REMOVED] = "interface.removed", [CHANGE_LEASE_ADDED] = "lease.added",
    [CHANGE_LEASE_RENEWED] = "lease.renewed",         [CHANGE_LEASE_REMOVED] = "lease.removed",
    [CHANGE_NETWORK_DEFINED] = "network.defined",     [CHANGE_NETWORK_UNDEFINED] = "network.undefined",
    [CHANGE_NETWORK_STARTED] = "network.started",     [CHANGE_NETWORK_STOPPED] = "network.stopped",
    [CHANGE_NETWORK_CHANGED] = "network.changed",     [CHANGE_SOURCE_LIVE] = "source.live",
    [CHANGE_SOURCE_STALE] = "source.stale",           [CHANGE_SOURCE_DOWN] = "source.down",
    [CHANGE_AUDIT_MISMATCH] = "audit.mismatch",       [CHANGE_CHECK_RAISED] = "check.raised",
    [CHANGE_CHECK_CLEARED] = "check.cleared",
};
G_STATIC_ASSERT(G_N_ELEMENTS(change_names) == CHANGE_COUNT);

const char *change_name(ChangeType type)
{
    return type < CHANGE_COUNT ? change_names[type] : "unknown";
}

static gboolean same_mac(gboolean has_a, const Mac *a, gboolean has_b, const Mac *b)
{
    return has_a == has_b && (!has_a || mac_equal(a, b));
}

/* ------------------------------------------------------------------------------------------- rows */

static gboolean address_equal(const Address *a, const Address *b)
{
    return ip_equal(&a->ip, &b->ip) && a->prefix == b->prefix && a->source == b->source &&
           a->sources == b->sources && g_strcmp0(a->hostname, b->hostname) == 0 &&
           g_strcmp0(a->client_id, b->client_id) == 0 && a->has_expiry == b->has_expiry &&
           (!a->has_expiry || a->expiry == b->expiry);
}

static gboolean row_lists_equal(const MapRow *a, const MapRow *b)
{
    if (a->addresses->len != b->addresses->len || a->problems->len != b->problems->len)
        return FALSE;
    for (guint i = 0; i < a->addresses->len; i++) {
        if (!address_equal(a->addresses->pdata[i], b->addresses->pdata[i]))
            return FALSE;
    }
    for (guint i = 0; i < a->problems->len; i++) {
        if (strcmp(a->problems->pdata[i], b->problems->pdata[i]) != 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean row_domain_equal(const MapRow *a, const MapRow *b)
{
    return a->has_domain == b->has_domain && g_strcmp0(a->domain, b->domain) == 0 &&
           g_strcmp0(a->domain_uuid, b->domain_uuid) == 0 && a->domain_id == b->domain_id &&
           a->domain_state == b->domain_state && a->interface_known == b->interface_known;
}

/* A claim that is not set counts as up. */
static gboolean row_interface_equal(const MapRow *a, const MapRow *b)
{
    return g_strcmp0(a->alias, b->alias) == 0 && g_strcmp0(a->type, b->type) == 0 &&
           g_strcmp0(a->source, b->source) == 0 && g_strcmp0(a->network, b->network) == 0 &&
           g_strcmp0(a->model, b->model) == 0 && same_mac(a->has_mac, &a->mac, b->has_mac, &b->mac) &&
           (a->link == LINK_DOWN) == (b->link == LINK_DOWN);
}

static gboolean row_link_equal(const MapRow *a, const MapRow *b)
{
    return g_strcmp0(a->tap, b->tap) == 0 && a->ifindex == b->ifindex &&
           same_mac(a->has_host_mac, &a->host_mac, b->has_host_mac, &b->host_mac) &&
           g_strcmp0(a->bridge, b->bridge) == 0 && g_strcmp0(a->network_bridge, b->network_bridge) == 0 &&
           a->mtu == b->mtu && a->carrier == b->carrier;
}

gboolean map_row_equal(const MapRow *a, const MapRow *b)
{
    return row_domain_equal(a, b) && row_interface_equal(a, b) && row_link_equal(a, b) &&
           row_lists_equal(a, b);
}

/* ----------------------------------------------------------------------------------------- leases */

gboolean lease_equal(const Lease *a, const Lease *b)
{
    return g_strcmp0(a->network, b->network) == 0 && g_strcmp0(a->network_uuid, b->network_uuid) == 0 &&
           g_strcmp0(a->bridge, b->bridge) == 0 && ip_equal(&a->ip, &b->ip) && a->prefix == b->prefix &&
           same_mac(a->has_mac, &a->mac, b->has_mac, &b->mac) && g_strcmp0(a->hostname, b->hostname) == 0 &&
           g_strcmp0(a->client_id, b->client_id) == 0 && g_strcmp0(a->iaid, b->iaid) == 0 &&
           a->expiry == b->expiry;
}

/* --------------------------------------------------------------------------------------- networks */

static gboolean pool_equal(const NetworkPool *a, const NetworkPool *b)
{
    const NetworkIp *left = a->ip;
    const NetworkIp *right = b->ip;

    if (left->net.prefix != right->net.prefix || !ip_equal(&left->net.ip, &right->net.ip) ||
        left->dhcp != right->dhcp || a->size != b->size || left->ranges->len != right->ranges->len)
        return FALSE;
    for (guint i = 0; i < left->ranges->len; i++) {
        const DhcpRange *one = &g_array_index(left->ranges, DhcpRange, i);
        const DhcpRange *other = &g_array_index(right->ranges, DhcpRange, i);

        if (!ip_equal(&one->first, &other->first) || !ip_equal(&one->last, &other->last))
            return FALSE;
    }
    return TRUE;
}

static gboolean pools_equal(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        if (!pool_equal(a->pdata[i], b->pdata[i]))
            return FALSE;
    }
    return TRUE;
}

static gboolean template_equal(const Network *a, const Network *b)
{
    if (g_strcmp0(a->template_name, b->template_name) != 0 ||
        a->template_values->len != b->template_values->len)
        return FALSE;
    for (guint i = 0; i < a->template_values->len; i++) {
        const TemplateValue *left = a->template_values->pdata[i];
        const TemplateValue *right = b->template_values->pdata[i];

        if (g_strcmp0(left->name, right->name) != 0 || g_strcmp0(left->value, right->value) != 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean definition_equal(const Network *a, const Network *b)
{
    return g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->uuid, b->uuid) == 0 && a->active == b->active &&
           a->persistent == b->persistent && a->autostart == b->autostart &&
           g_strcmp0(a->forward, b->forward) == 0 && g_strcmp0(a->bridge, b->bridge) == 0 &&
           g_strcmp0(a->domain_name, b->domain_name) == 0 && template_equal(a, b);
}

/* What is shown of the bridge is the kernel's word, and libvirt's where there is none. */
static gboolean bridge_equal(const NetworkRow *a, const NetworkRow *b)
{
    const BridgeInfo *left = a->link ? &a->link->bridge_info : NULL;
    const BridgeInfo *right = b->link ? &b->link->bridge_info : NULL;

    if (!left != !right)
        return FALSE;
    if (!left)
        return a->network->stp == b->network->stp && !(a->network->delay < b->network->delay) &&
               !(a->network->delay > b->network->delay) && a->network->mtu == b->network->mtu;
    return memcmp(left->id, right->id, sizeof(left->id)) == 0 && left->stp == right->stp &&
           left->forward_delay == right->forward_delay && a->link->mtu == b->link->mtu;
}

static gboolean dnsmasq_equal(const NetworkRow *a, const NetworkRow *b)
{
    const Dnsmasq *left = a->dnsmasq;
    const Dnsmasq *right = b->dnsmasq;

    if (!left || !right)
        return !left == !right;
    return left->alive == right->alive && a->dnsmasq_running == b->dnsmasq_running &&
           a->dnsmasq_listening == b->dnsmasq_listening && g_strcmp0(left->config, right->config) == 0 &&
           (!left->alive || (left->pid == right->pid && g_strcmp0(left->user, right->user) == 0));
}

gboolean network_row_equal(const NetworkRow *a, const NetworkRow *b)
{
    return definition_equal(a->network, b->network) && bridge_equal(a, b) &&
           pools_equal(a->pools, b->pools) && a->wants_dnsmasq == b->wants_dnsmasq && dnsmasq_equal(a, b) &&
           a->nat == b->nat && g_strcmp0(a->backend, b->backend) == 0;
}
