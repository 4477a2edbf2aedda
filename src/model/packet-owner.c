/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/packet-private.h"

#include <string.h>

/*
 * Who makes the chains and tables of such names. A guess, but of names that these programs keep for
 * themselves.
 */

static const struct {
    const char *prefix, *owner;
} chains[] = {
    {"LIBVIRT_", "libvirt"},
    {"DOCKER", "Docker"},
    {"ufw-", "ufw"},
    {"ufw6-", "ufw"},
    {"KUBE-", "Kubernetes"},
    {"cali-", "Calico"},
    {"CILIUM_", "Cilium"},
    {"FLANNEL-", "flannel"},
    {"CNI-", "CNI"},
    {"NETAVARK", "Podman"},
    {"f2b-", "fail2ban"},
    {"nixos-", "NixOS"},
    {"ts-", "Tailscale"},
    {"lxd_", "LXD"},
    {"SHOREWALL", "Shorewall"},
    {"FWDI_", "firewalld"},
    {"FWDO_", "firewalld"},
    {"FORWARD_direct", "firewalld"},
    {"INPUT_direct", "firewalld"},
    {"FORWARD_IN_ZONES", "firewalld"},
    {"INPUT_ZONES", "firewalld"},
};

static const struct {
    const char *prefix, *owner;
} tables[] = {
    {"libvirt_network", "libvirt"},
    {"firewalld", "firewalld"},
    {"docker-bridges", "Docker"},
    {"nixos-fw", "NixOS"},
    {"kube-", "Kubernetes"},
    {"lxd", "LXD"},
    {"incus", "Incus"},
    {"netavark", "Podman"},
    {"f2b-", "fail2ban"},
    {"fw4", "OpenWrt"},
};

static const char *owner_of_chain(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(chains); i++) {
        if (g_str_has_prefix(name, chains[i].prefix))
            return chains[i].owner;
    }
    return NULL;
}

static const char *owner_of_table(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (g_str_has_prefix(name, tables[i].prefix))
            return tables[i].owner;
    }
    return NULL;
}

/*
 * libvirt's nwfilter: ebtables' chains of a tap ("libvirt-I-vnet0", and "I-vnet0-mac" below it), iptables' of
 * frames that bridges hand on ("libvirt-in", "FI-vnet0").
 */
static gboolean begins_with_one(const char *name, const char *const *prefixes)
{
    for (; *prefixes; prefixes++) {
        if (g_str_has_prefix(name, *prefixes))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_of_nwfilter(const FirewallTable *table, const FirewallChain *chain)
{
    static const char *const above[] = {"libvirt-I-", "libvirt-O-",  "libvirt-J-",      "libvirt-P-",
                                        "libvirt-in", "libvirt-out", "libvirt-host-in", NULL};
    static const char *const below[] = {"I-",  "O-",  "J-",  "P-",  "FI-", "FO-",
                                        "HI-", "FJ-", "FP-", "HJ-", NULL};
    gboolean made = begins_with_one(chain->name, above);

    for (guint i = 0; !made && begins_with_one(chain->name, below) && i < table->chains->len; i++)
        made = begins_with_one(((const FirewallChain *)table->chains->pdata[i])->name, above);
    return made;
}

static gboolean table_has_chains_of(const FirewallTable *table, const char *owner)
{
    for (guint i = 0; i < table->chains->len; i++) {
        if (g_strcmp0(owner_of_chain(((const FirewallChain *)table->chains->pdata[i])->name), owner) == 0)
            return TRUE;
    }
    return FALSE;
}

/*
 * A policy of iptables' own chains says not who set it. ufw sets those of input and forward, Docker that of
 * forward.
 */
static const char *owner_of_policy(const FirewallTable *table, const FirewallChain *base)
{
    if (strcmp(table->name, "filter") != 0)
        return NULL;
    if (table_has_chains_of(table, "ufw"))
        return "ufw";
    if (g_strcmp0(base->hook, "forward") == 0 && table_has_chains_of(table, "Docker"))
        return "Docker";
    return table_has_chains_of(table, "NixOS") ? "NixOS" : NULL;
}

const char *packet_owner(const PacketStep *step)
{
    const char *owner = owner_of_table(step->table->name);

    if (!owner)
        owner = owner_of_chain(step->chain->name);
    if (!owner && is_of_nwfilter(step->table, step->chain))
        owner = "libvirt nwfilter";
    if (!owner && !step->rule && step->verdict != PACKET_ACCEPT)
        owner = owner_of_policy(step->table, step->base);
    return owner;
}
