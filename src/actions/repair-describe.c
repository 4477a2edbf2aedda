/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/repair-private.h"

#include "base/name.h"
#include "base/text.h"
#include "model/network.h"
#include "model/packet-guest.h"
#include "model/setting.h"
#include "sources/proc.h"

#include <net/if.h>
#include <string.h>

/*
 * What would be done about a finding, and what forbids it: pure functions of what was read. A refusal names
 * what stands in the way; it is looked for in the facts and never in a finding's words.
 */

static const Network *network_of(const RepairCase *about)
{
    return facts_network(about->view->facts, about->finding->network);
}

static char *list_of(GPtrArray *texts, const char *between)
{
    g_ptr_array_add(texts, NULL);
    return g_strjoinv(between, (char **)texts->pdata);
}

/* -------------------------------------------------------------------------------------------- taps */

static const MapRow *row_of(const RepairCase *about)
{
    const GPtrArray *rows = about->view->map->rows;

    for (guint i = 0; i < rows->len; i++) {
        const MapRow *row = rows->pdata[i];
        g_autofree char *name = map_row_name(row);

        if (row->has_domain && g_strcmp0(name, about->finding->object) == 0 &&
            g_strcmp0(row->domain_uuid, about->finding->domain_uuid) == 0)
            return row;
    }
    return NULL;
}

gboolean repair_tap_of(const RepairCase *about, RepairTap *tap)
{
    const Facts *facts = about->view->facts;

    *tap = (RepairTap){.row = row_of(about)};
    if (!tap->row)
        return FALSE;
    tap->iface = map_row_interface(facts, tap->row);
    tap->network = facts_network(facts, tap->row->network);
    tap->tap = tap->row->ifindex ? facts_link(facts, tap->row->ifindex) : NULL;
    tap->bridge = facts_link_named(facts, tap->row->network_bridge);
    return tap->iface && tap->tap;
}

guint repair_tap_mtu(const RepairTap *tap)
{
    if (tap->iface->mtu)
        return tap->iface->mtu;
    return tap->network && tap->network->mtu ? tap->network->mtu : tap->bridge->mtu;
}

gboolean repair_tap_isolated(const RepairTap *tap)
{
    return tap->iface->isolated || (tap->network && tap->network->port_isolated);
}

/* libvirt gives a tap its guest's MAC with another first byte, so that the bridge never takes it for its own.
 */
static gboolean tap_is_the_guests(const RepairTap *tap)
{
    const guint8 *guest = tap->iface->mac.bytes, *host = tap->tap->mac.bytes;

    return g_strcmp0(tap->tap->kind, "tun") == 0 && tap->iface->has_mac && tap->tap->has_mac &&
           memcmp(guest + 1, host + 1, sizeof(tap->tap->mac.bytes) - 1) == 0 &&
           host[0] == (guest[0] == 0xfe ? 0xfa : 0xfe);
}

static char *refuse_interface(const RepairTap *tap)
{
    const Tri plain = network_port_plain(tap->network, tap->iface);

    if (plain == TRI_UNKNOWN)
        return g_strdup_printf("the definition of its network %s is not known", tap->row->network);
    if (plain == TRI_NO)
        return g_strdup("it is no plain port of a NAT, routed or isolated network");
    if (g_strcmp0(tap->iface->target, tap->tap->name) != 0 || !tap_is_the_guests(tap))
        return g_strdup_printf("%s does not have the MAC address that libvirt gives a tap of %s: it may be "
                               "another's",
                               tap->tap->name, tap->row->domain);
    return NULL;
}

gboolean repair_tap_waits(const RepairCase *about)
{
    RepairTap tap;
    g_autofree char *refusal = repair_tap_of(about, &tap) ? refuse_interface(&tap) : NULL;

    return tap.iface && tap.tap && !refusal && !tap.bridge;
}

static char *refuse_tap(const RepairCase *about, const RepairTap *tap)
{
    char *refusal = refuse_interface(tap);

    if (refusal)
        return refusal;
    if (!tap->bridge)
        return g_strdup_printf("its bridge %s does not exist", tap->row->network_bridge);
    if (!tap->bridge->is_bridge)
        return g_strdup_printf("%s is no bridge", tap->bridge->name);
    /* Putting it back sets it up: who set it down may have meant to cut off this guest. */
    if (!(tap->tap->flags & IFF_UP) && !repair_consented(about->asked, "tap-down"))
        return g_strdup_printf("%s is set down, which may be meant: this needs --id tap-down too",
                               tap->tap->name);
    return NULL;
}

char *repair_describe_tap(const RepairCase *about, char **refusal)
{
    RepairTap tap;

    if (!repair_tap_of(about, &tap)) {
        *refusal = g_strdup("there is no such tap any more");
        return g_strdup_printf("put %s back on its bridge", about->finding->object);
    }
    *refusal = refuse_tap(about, &tap);
    return g_strdup_printf("put %s of %s back on %s", tap.tap->name, tap.row->domain,
                           tap.row->network_bridge);
}

char *repair_describe_up(const RepairCase *about, char **refusal)
{
    RepairTap tap;

    if (!repair_tap_of(about, &tap)) {
        *refusal = g_strdup("there is no such tap any more");
        return g_strdup_printf("set %s up", about->finding->object);
    }
    if (!(tap.tap->flags & IFF_UP))
        return g_strdup_printf("set %s up", tap.tap->name);
    return g_strdup_printf("set the link of %s on %s up in libvirt", tap.row->domain, tap.tap->name);
}

char *repair_describe_mtu(const RepairCase *about, char **refusal)
{
    const Link *bridge = NULL;
    RepairTap tap = {0};

    if (about->finding->kind == OBJECT_INTERFACE && repair_tap_of(about, &tap))
        bridge = facts_link(about->view->facts, tap.tap->master);
    if (!bridge || bridge->mtu == tap.tap->mtu) {
        *refusal = g_strdup("it is no difference between a tap and its bridge");
        return g_strdup("make the MTU one on the whole way");
    }
    return g_strdup_printf("set the MTU of %s to %u, that of %s", tap.tap->name, bridge->mtu, bridge->name);
}

/* ------------------------------------------------------------------------------------------ bridge */

GPtrArray *repair_addresses_missing(const Facts *facts, const Network *network, const Link *bridge)
{
    GPtrArray *missing = g_ptr_array_new();

    for (guint i = 0; i < network->ips->len; i++) {
        NetworkIp *ip = network->ips->pdata[i];

        if (!facts_link_has(facts, bridge, &ip->net))
            g_ptr_array_add(missing, ip);
    }
    return missing;
}

char *repair_describe_bridge(const RepairCase *about, char **refusal)
{
    const Facts *facts = about->view->facts;
    const Network *network = network_of(about);
    const Link *bridge = network ? facts_link_named(facts, network->bridge) : NULL;
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) missing = NULL;

    if (!bridge || !bridge->is_bridge) {
        *refusal = g_strdup("there is no such bridge any more");
        return g_strdup_printf("set the bridge of network %s up", about->finding->object);
    }
    missing = repair_addresses_missing(facts, network, bridge);
    for (guint i = 0; i < missing->len; i++) {
        g_autofree char *address = ipnet_to_string(&((const NetworkIp *)missing->pdata[i])->net);

        g_ptr_array_add(parts, g_strdup_printf("give %s its address %s", bridge->name, address));
    }
    if (!(bridge->flags & IFF_UP))
        g_ptr_array_add(parts, g_strdup_printf("set %s up", bridge->name));
    return list_of(parts, ", ");
}

/* A bridge that something may use: a port, a running guest, a dnsmasq, or what could not be looked at. */
static char *bridge_user(const RepairView *view, const Network *network, const Link *link)
{
    const Dnsmasq *dnsmasq = network_dnsmasq(view->facts, network);

    for (guint i = 0; i < view->facts->links->len; i++) {
        const Link *port = view->facts->links->pdata[i];

        if (port->master == link->ifindex)
            return g_strdup_printf("%s is on it", port->name);
    }
    for (guint i = 0; i < view->map->rows->len; i++) {
        const MapRow *row = view->map->rows->pdata[i];

        if (row->domain_id >= 0 && g_strcmp0(row->network_bridge, link->name) == 0)
            return g_strdup_printf("the running guest %s is to be on it", row->domain);
    }
    if (dnsmasq && (dnsmasq->alive || dnsmasq->unknown))
        return g_strdup("a dnsmasq may serve it");
    return view->facts->domains_complete ? NULL : g_strdup("not all guests could be read");
}

char *repair_describe_stale(const RepairCase *about, char **refusal)
{
    const Network *network = network_of(about);
    const Link *link = network ? facts_link_named(about->view->facts, network->bridge) : NULL;

    if (!link || network->active)
        *refusal = g_strdup("there is no bridge left behind any more");
    else if (!link->is_bridge)
        *refusal = g_strdup_printf("%s is no bridge", link->name);
    else
        *refusal = bridge_user(about->view, network, link);
    return g_strdup_printf("delete the bridge %s, which nothing uses",
                           link ? link->name : about->finding->object);
}

/* ---------------------------------------------------------------------------------------- settings */

/* Takes the path. */
static void add_once(GPtrArray *paths, char *path)
{
    if (g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL))
        g_free(path);
    else
        g_ptr_array_add(paths, path);
}

static void add_if(const Facts *facts, GPtrArray *paths, const char *value, char *path)
{
    if (g_strcmp0(proc_value(facts, path), value) == 0)
        add_once(paths, path);
    else
        g_free(path);
}

static gboolean network_forwards(const Network *network)
{
    return network->active &&
           (g_strcmp0(network->forward, "nat") == 0 || g_strcmp0(network->forward, "route") == 0);
}

static gboolean network_has_family(const Network *network, guint8 family)
{
    for (guint i = 0; i < network->ips->len; i++) {
        if (((const NetworkIp *)network->ips->pdata[i])->net.ip.family == family)
            return TRUE;
    }
    return FALSE;
}

/* Those of the whole host first: they set the devices' too. */
GPtrArray *repair_forwarding_off(const Facts *facts)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    for (guint pass = 0; pass < 2; pass++) {
        for (guint i = 0; i < facts->networks->len; i++) {
            const Network *network = facts->networks->pdata[i];

            if (!network_forwards(network) || !network->bridge || !name_is_ifname(network->bridge))
                continue;
            if (network_has_family(network, 4))
                add_if(facts, paths, "0",
                       pass == 0 ? g_strdup("sys/net/ipv4/ip_forward")
                                 : g_strdup_printf("sys/net/ipv4/conf/%s/forwarding", network->bridge));
            if (network_has_family(network, 6))
                add_if(facts, paths, "0",
                       pass == 0 ? g_strdup("sys/net/ipv6/conf/all/forwarding")
                                 : g_strdup_printf("sys/net/ipv6/conf/%s/forwarding", network->bridge));
        }
    }
    return paths;
}

#define CLASS_NET "sys/class/net/"

/* A setting as people know it: the kernel's, or one of a bridge's files below /sys. New string. */
static char *word_of_setting(const char *path)
{
    g_auto(GStrv) parts = g_str_has_prefix(path, CLASS_NET) ? g_strsplit(path, "/", -1) : NULL;

    if (parts && g_strv_length(parts) > 5)
        return g_strdup_printf("%s of %s", parts[5], parts[3]);
    return setting_name(path);
}

static char *describe_settings(const GPtrArray *paths, const char *value, char **refusal)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *list = NULL;

    for (guint i = 0; i < paths->len; i++)
        g_ptr_array_add(names, word_of_setting(paths->pdata[i]));
    if (names->len == 0)
        *refusal = g_strdup("no setting is as the check says any more");
    list = list_of(names, ", ");
    return g_strdup_printf("set %s to %s", *list ? list : "it", value);
}

char *repair_describe_forwarding(const RepairCase *about, char **refusal)
{
    g_autoptr(GPtrArray) paths = repair_forwarding_off(about->view->facts);

    return describe_settings(paths, "1", refusal);
}

static void add_bridge_filter(GPtrArray *paths, const Link *link, guint8 family)
{
    if (family == 4 ? link->bridge_info.nf_call_iptables : link->bridge_info.nf_call_ip6tables)
        g_ptr_array_add(paths, g_strdup_printf(CLASS_NET "%s/bridge/%s", link->name,
                                               family == 4 ? "nf_call_iptables" : "nf_call_ip6tables"));
}

/* Of each family that a network's guests talk: the host's, and the bridges' own. */
GPtrArray *repair_filter_on(const RepairCase *about)
{
    const Facts *facts = about->view->facts;
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    for (guint8 family = 4; family <= 6; family += 2) {
        for (guint i = 0; i < facts->networks->len; i++) {
            const Network *network = facts->networks->pdata[i];
            const Link *link = network->active ? facts_link_named(facts, network->bridge) : NULL;
            const char *setting = NULL;

            if (!link || !link->is_bridge || !network_owns_bridge(network) || !name_is_ifname(link->name) ||
                !network_has_family(network, family) ||
                packet_bridge_asks(facts, link, family, &setting) != TRI_YES)
                continue;
            if (setting)
                add_once(paths, g_strconcat("proc/", setting, NULL));
            add_bridge_filter(paths, link, family);
        }
    }
    return paths;
}

char *repair_describe_filter(const RepairCase *about, char **refusal)
{
    g_autoptr(GPtrArray) paths = repair_filter_on(about);

    return describe_settings(paths, "0", refusal);
}

/* ------------------------------------------------------------------------------------------ daemon */

static gboolean id_is_of_rules(const char *id)
{
    return strcmp(id, "nat-rules-missing") == 0 || strcmp(id, "forward-rules-missing") == 0;
}

gboolean repair_needs_restart(const Facts *facts, const char *id)
{
    return id_is_of_rules(id) && !firewall_frame_stands(facts);
}

/* Why a network must not be started now: a route or device in the way. NULL: it may. */
static char *start_refusal(const Facts *facts, const Network *network)
{
    const Link *link = facts_link_named(facts, network->bridge);
    g_autoptr(GArray) subnets = NULL;
    g_autoptr(GPtrArray) overlaps = NULL;

    if (!network->xml_read)
        return g_strdup_printf("its definition cannot be read: %s", network->xml_error);
    if (network_owns_bridge(network) && link)
        return g_strdup_printf("a device %s exists already", link->name);
    subnets = network_subnets(network);
    overlaps = network_overlaps(facts, subnets, network->name, network->bridge);
    if (overlaps->len > 0 && ((const SubnetOverlap *)overlaps->pdata[0])->critical)
        return network_overlap_text(overlaps->pdata[0]);
    return NULL;
}

/* Networks that a reload would start though nobody asked, for people; NULL: none. One that is asked for would
 * be started anyway, unless something is in its way. */
static char *reload_starts(const RepairView *view, const RepairAsked *asked)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < view->facts->networks->len; i++) {
        Network *network = view->facts->networks->pdata[i];
        g_autofree char *refusal = NULL;

        if (network->active || !network->autostart)
            continue;
        refusal = start_refusal(view->facts, network);
        if (!repair_covers(asked, network->name) || refusal)
            g_ptr_array_add(names, network->name);
    }
    return names->len > 0 ? list_of(names, ", ") : NULL;
}

char *repair_describe_daemon(const RepairCase *about, char **refusal)
{
    g_autofree char *started = reload_starts(about->view, about->asked);

    if (started)
        *refusal = g_strdup_printf("it would also start what does not run and was not asked for, or cannot: "
                                   "network %s",
                                   started);
    if (repair_needs_restart(about->view->facts, about->finding->id))
        return g_strdup("restart the network daemon, whose chains are gone");
    return g_strdup("reload the network daemon");
}

/* ---------------------------------------------------------------------------------------- networks */

char *repair_describe_start(const RepairCase *about, char **refusal)
{
    const Network *network = network_of(about);

    if (!network)
        *refusal = g_strdup("there is no such network any more");
    else if (!network->active)
        *refusal = start_refusal(about->view->facts, network);
    return g_strdup_printf("start network %s", about->finding->object);
}

/* Its guests are cut off already. A stop makes libvirt forget their ports, as does every way to a new bridge;
 * their taps are put back when it is there. */
char *repair_describe_remake(const RepairCase *about, char **refusal)
{
    const Network *network = network_of(about);

    if (!network)
        *refusal = g_strdup("there is no such network any more");
    else if (!network->persistent)
        *refusal = g_strdup("it is transient: stopped, it would be gone");
    else
        *refusal = start_refusal(about->view->facts, network);
    return g_strdup_printf("stop network %s and start it, so that its bridge is made anew",
                           about->finding->object);
}

char *repair_describe_define(const RepairCase *about, char **refusal)
{
    return g_strdup_printf("define network %s from the template of its name, and start it",
                           about->finding->object);
}

char *repair_describe_autostart(const RepairCase *about, char **refusal)
{
    return g_strdup_printf("have network %s started with the host", about->finding->object);
}

/* -------------------------------------------------------------------------------- leases, firewalld */

char *repair_describe_leases(const RepairCase *about, char **refusal)
{
    const Network *network = network_of(about);
    const Dnsmasq *dnsmasq = network ? network_dnsmasq(about->view->facts, network) : NULL;

    if (!network || !network->bridge || !name_is_ifname(network->bridge)) {
        *refusal = g_strdup("it has no lease file of its own");
        return g_strdup("keep of the lease file what can be read");
    }
    if (dnsmasq && dnsmasq->no_lease_file)
        return g_strdup_printf("make an empty %s.status, for it is gone", network->bridge);
    return g_strdup_printf("copy %s.status aside, and keep of it what can be read", network->bridge);
}

char *repair_describe_zone(const RepairCase *about, char **refusal)
{
    const Network *network = network_of(about);

    if (!network || !network->bridge || !name_is_ifname(network->bridge)) {
        *refusal = g_strdup("it has no bridge of its own");
        return g_strdup("put its bridge into firewalld's zone");
    }
    return g_strdup_printf("put %s into zone %s of firewalld, until that starts again", network->bridge,
                           network_zone(about->view->facts, network));
}
