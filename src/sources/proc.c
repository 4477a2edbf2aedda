/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/proc.h"

#include "base/file.h"
#include "base/name.h"

#include <string.h>

#define VALUE_BYTES 4096

static const char *const host_paths[] = {
    "net/ip6_tables_names",
    "net/ip_tables_names",
    "sys/net/bridge/bridge-nf-call-arptables",
    "sys/net/bridge/bridge-nf-call-ip6tables",
    "sys/net/bridge/bridge-nf-call-iptables",
    "sys/net/ipv4/conf/all/rp_filter",
    "sys/net/ipv4/ip_forward",
    "sys/net/ipv6/conf/all/disable_ipv6",
    "sys/net/ipv6/conf/all/forwarding",
    "sys/net/netfilter/nf_conntrack_acct",
    "sys/net/netfilter/nf_conntrack_count",
    "sys/net/netfilter/nf_conntrack_max",
    "sys/net/netfilter/nf_conntrack_timestamp",
    "uptime",
};

static const char *const bridge_paths[] = {
    "sys/net/ipv4/conf/%s/forwarding",   "sys/net/ipv4/conf/%s/rp_filter",  "sys/net/ipv6/conf/%s/accept_ra",
    "sys/net/ipv6/conf/%s/disable_ipv6", "sys/net/ipv6/conf/%s/forwarding",
};

/* Where links and addresses were read. */
static const char *const device_paths[] = {
    "sys/net/ipv4/conf/%s/forwarding",
    "sys/net/ipv4/conf/%s/rp_filter",
};

static void read_value(Facts *facts, const char *path)
{
    g_autofree char *full = g_strconcat("/proc/", path, NULL);
    gsize length = 0;
    g_autofree char *value = file_read_proc(full, VALUE_BYTES, &length);

    if (value && length > 0 && value[length - 1] == '\n')
        value[length - 1] = '\0';
    g_ptr_array_add(facts->proc, proc_value_new(path, value));
}

/* "%s" is the only thing that is replaced: a bridge's name may hold no slash, but a percent sign. */
static void read_bridge_value(Facts *facts, const char *form, const char *bridge)
{
    const char *gap = strstr(form, "%s");
    g_autofree char *before = g_strndup(form, (gsize)(gap - form));
    g_autofree char *path = g_strconcat(before, bridge, gap + strlen("%s"), NULL);

    read_value(facts, path);
}

/* More devices than a host has that routes lead to. */
#define DEVICES_MAX 64

static gboolean has_address(const Facts *facts, const Link *link)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        if (g_array_index(facts->addresses, LinkAddress, i).ifindex == link->ifindex)
            return TRUE;
    }
    return FALSE;
}

/* The other devices that packets may come in by: no port of a bridge, and with an address. */
static void read_device_values(Facts *facts)
{
    guint count = 0;

    for (guint i = 0; i < facts->links->len && count < DEVICES_MAX; i++) {
        const Link *link = facts->links->pdata[i];

        if (link->is_port || facts_network_of_bridge(facts, link->name) || !name_is_ifname(link->name) ||
            !has_address(facts, link))
            continue;
        count++;
        for (guint k = 0; k < G_N_ELEMENTS(device_paths); k++)
            read_bridge_value(facts, device_paths[k], link->name);
    }
}

static gint compare_values(gconstpointer a, gconstpointer b)
{
    return strcmp((*(ProcValue *const *)a)->path, (*(ProcValue *const *)b)->path);
}

void proc_read(Facts *facts)
{
    g_ptr_array_set_size(facts->proc, 0);
    for (guint i = 0; i < G_N_ELEMENTS(host_paths); i++)
        read_value(facts, host_paths[i]);
    for (guint i = 0; i < facts->networks->len; i++) {
        const char *bridge = ((const Network *)facts->networks->pdata[i])->bridge;

        for (guint k = 0; bridge && name_is_ifname(bridge) && k < G_N_ELEMENTS(bridge_paths); k++)
            read_bridge_value(facts, bridge_paths[k], bridge);
    }
    read_device_values(facts);
    g_ptr_array_sort(facts->proc, compare_values);
}

const char *proc_value(const Facts *facts, const char *path)
{
    return facts_proc(facts, path);
}
