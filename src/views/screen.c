/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/screen.h"

#include "views/mark.h"

#include <string.h>

#define INFO_COLUMN 15 /* virsh's */
#define STATUS_COLUMN 12

static void info_line(FILE *out, const char *label, const char *text, const ViewContext *view)
{
    fprintf(out, "%-*s ", INFO_COLUMN, label);
    mark_escaped(out, text ? text : "-", view);
    fputs("\n", out);
}

static const char *yes_no(gboolean value)
{
    return value ? "yes" : "no";
}

/* ---------------------------------------------------------------------------------- parts of a row */

static char *dnsmasq_text(const NetworkRow *row)
{
    const Dnsmasq *dnsmasq = row->dnsmasq;
    const char *listening = row->dnsmasq_listening == TRI_YES  ? ", listening"
                            : row->dnsmasq_listening == TRI_NO ? ", NOT listening where it should"
                                                               : "";

    if (!row->network->xml_read)
        return g_strdup("unknown");
    if (!row->wants_dnsmasq)
        return g_strdup("none needed");
    if (row->dnsmasq_running == TRI_NO && !row->network->active)
        return g_strdup("not running (network is not active)");
    if (!dnsmasq || row->dnsmasq_running == TRI_UNKNOWN)
        return g_strdup("unknown");
    if (row->dnsmasq_running == TRI_NO)
        return g_strdup_printf("NOT running (%s)", dnsmasq->config);
    return g_strdup_printf("pid %d, user %s%s, %s", dnsmasq->pid, dnsmasq->user ? dnsmasq->user : "?",
                           listening, dnsmasq->config);
}

static char *nat_text(const Facts *facts, const NetworkRow *row)
{
    if (!row->network->xml_read)
        return g_strdup("unknown");
    if (g_strcmp0(row->network->forward, "nat") != 0)
        return g_strdup_printf("none (forward mode %s)", row->network->forward);
    if (!row->network->active)
        return g_strdup("no rules (network is not active)");
    if (row->nat == TRI_UNKNOWN)
        return g_strdup_printf(
            "unknown%s%s", facts && facts->sources[SOURCE_FIREWALL].error ? ": " : "",
            facts && facts->sources[SOURCE_FIREWALL].error ? facts->sources[SOURCE_FIREWALL].error : "");
    if (row->nat == TRI_NO)
        return g_strdup("masquerade rules MISSING");
    return g_strdup_printf("masquerade, %s", row->backend ? row->backend : "unknown backend");
}

static char *pool_text(const NetworkPool *pool)
{
    g_autofree char *subnet = ipnet_to_string(&pool->ip->net);
    GString *text = g_string_new(subnet);

    for (guint i = 0; i < pool->ip->ranges->len; i++) {
        const DhcpRange *range = &g_array_index(pool->ip->ranges, DhcpRange, i);
        char first[IP_TEXT], last[IP_TEXT];

        g_string_append_printf(text, "%s %s - %s", i == 0 ? ", DHCP" : ",", ip_format(&range->first, first),
                               ip_format(&range->last, last));
    }
    if (pool->ip->ranges->len > 0 && pool->leases >= 0)
        g_string_append_printf(text, ", %" G_GINT64_FORMAT " of %" G_GUINT64_FORMAT " leased", pool->leases,
                               pool->size);
    return g_string_free(text, FALSE);
}

static char *bridge_text(const NetworkRow *row)
{
    const Link *link = row->link;
    g_autofree char *id = link ? network_bridge_id(link) : NULL;

    if (!row->network->bridge)
        return g_strdup(row->network->xml_read ? "-" : "unknown");
    if (!link && !row->network->active)
        return g_strdup_printf("%s (not there: network is not active)", row->network->bridge);
    if (!row->interfaces)
        return g_strdup(row->network->bridge);
    if (!link)
        return g_strdup_printf("%s MISSING", row->network->bridge);
    return g_strdup_printf("%s, id %s, STP %s, forward delay %.2f s, MTU %u", link->name, id,
                           link->bridge_info.stp ? "on" : "off", link->bridge_info.forward_delay / 100.0,
                           link->mtu);
}

static char *ports_text(const NetworkRow *row)
{
    GString *text = g_string_new(NULL);

    if (!row->interfaces)
        return g_string_free(g_string_append(text, "unknown"), FALSE);
    g_string_append_printf(text, "%u", row->interfaces->len);
    for (guint i = 0; i < row->interfaces->len; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? ": " : " ", (const char *)row->interfaces->pdata[i]);
    return g_string_free(text, FALSE);
}

static char *template_text(const Network *network)
{
    GString *text = g_string_new(network->template_name);

    for (guint i = 0; i < network->template_values->len; i++) {
        const TemplateValue *value = network->template_values->pdata[i];

        g_string_append_printf(text, "%s%s=%s", i == 0 ? ": " : " ", value->name, value->value);
    }
    return g_string_free(text, FALSE);
}

/* ---------------------------------------------------------------------------------------- net-info */

void screen_net_info(FILE *out, const NetworkRow *row, const ViewContext *view)
{
    const Network *network = row->network;
    g_autofree char *ports = ports_text(row);
    g_autofree char *dnsmasq = dnsmasq_text(row);
    g_autofree char *nat = nat_text(NULL, row);

    info_line(out, "Name:", network->name, view);
    info_line(out, "UUID:", network->uuid, view);
    info_line(out, "Active:", yes_no(network->active), view);
    info_line(out, "Persistent:", yes_no(network->persistent), view);
    info_line(out, "Autostart:", yes_no(network->autostart), view);
    if (network->bridge)
        info_line(out, "Bridge:", network->bridge, view);
    info_line(out, "Forward:", network->forward ? network->forward : "unknown", view);
    for (guint i = 0; i < row->pools->len; i++) {
        g_autofree char *pool = pool_text(row->pools->pdata[i]);

        info_line(out, "Address:", pool, view);
    }
    if (network->domain_name)
        info_line(out, "DNS domain:", network->domain_name, view);
    info_line(out, "Ports:", ports, view);
    info_line(out, "dnsmasq:", dnsmasq, view);
    info_line(out, "NAT:", nat, view);
    if (network->template_name) {
        g_autofree char *template = template_text(network);

        info_line(out, "Template:", template, view);
    }
    fputs("\n", out);
}

/* ------------------------------------------------------------------------------------------ status */

static void status_line(FILE *out, const char *label, const char *text, const ViewContext *view)
{
    fprintf(out, "  %-*s ", STATUS_COLUMN, label);
    mark_escaped(out, text, view);
    fputs("\n", out);
}

static char *guest_text(const MapRow *row)
{
    const Address *address = map_row_address(row);
    char ip[IP_TEXT], mac[MAC_TEXT];

    if (!row->has_domain)
        return g_strdup_printf("%s: no domain claims it", row->tap);
    return g_strdup_printf("%s (%s) %s %s %s%s%s", row->domain, domain_state_name(row->domain_state),
                           row->tap ? row->tap : "-", row->has_mac ? mac_format(&row->mac, mac) : "-",
                           address ? ip_format(&address->ip, ip) : "no address known",
                           address && address->hostname ? " " : "",
                           address && address->hostname ? address->hostname : "");
}

static void status_guests(FILE *out, const Network *network, const Map *map, const ViewContext *view)
{
    const char *label = "guests:";

    for (guint i = 0; i < map->rows->len; i++) {
        const MapRow *row = map->rows->pdata[i];
        g_autofree char *text = NULL;

        if (!map_row_is_on(row, network->name))
            continue;
        text = guest_text(row);
        status_line(out, label, text, view);
        label = "";
    }
    if (*label)
        status_line(out, label, network->active ? "none" : "-", view);
}

static void status_network(FILE *out, const Facts *facts, const NetworkRow *row, const Map *map,
                           const ViewContext *view)
{
    const Network *network = row->network;
    g_autofree char *bridge = bridge_text(row);
    g_autofree char *ports = ports_text(row);
    g_autofree char *dnsmasq = dnsmasq_text(row);
    g_autofree char *nat = nat_text(facts, row);

    mark_colored(out, MARK_BOLD, network->name, view);
    fprintf(out, ": ");
    mark_colored(out, network->active ? MARK_GREEN : MARK_YELLOW, network->active ? "active" : "inactive",
                 view);
    fprintf(out, ", %s, autostart %s\n", network->persistent ? "persistent" : "transient",
            yes_no(network->autostart));
    if (!network->xml_read)
        status_line(out, "XML:", network->xml_error ? network->xml_error : "could not be read", view);
    status_line(out, "bridge:", bridge, view);
    if (network->active)
        status_line(out, "ports:", ports, view);
    for (guint i = 0; i < row->pools->len; i++) {
        g_autofree char *pool = pool_text(row->pools->pdata[i]);

        status_line(out, i == 0 ? "addresses:" : "", pool, view);
    }
    status_line(out, "dnsmasq:", dnsmasq, view);
    status_line(out, "NAT:", nat, view);
    status_guests(out, network, map, view);
}

static void status_finding(FILE *out, const Finding *finding, const ViewContext *view)
{
    fputs("  ", out);
    mark_colored(out, mark_level_code(finding->level), level_name(finding->level), view);
    fprintf(out, ": %s: ", finding->id);
    mark_escaped(out, finding->message, view);
    fputs("\n", out);
    mark_finding_details(out, 4, finding, view);
}

void screen_status(FILE *out, const Facts *facts, const GPtrArray *networks, const Map *map,
                   const GPtrArray *findings, const ViewContext *view)
{
    for (guint i = 0; i < networks->len; i++)
        status_network(out, facts, networks->pdata[i], map, view);
    if (networks->len == 0)
        fputs("no networks\n", out);
    fputs(findings->len > 0 ? "problems:\n" : "problems: none\n", out);
    for (guint i = 0; i < findings->len; i++)
        status_finding(out, findings->pdata[i], view);
}
