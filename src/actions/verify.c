/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/verify.h"

#include "base/error.h"
#include "model/firewall.h"
#include "model/network.h"
#include "sources/firewall.h"
#include "sources/links.h"
#include "sources/processes.h"

/*
 * The kernel tells when a link or an address changes, and that is mostly what is waited for. That dnsmasq
 * bound a socket, or that a rule came, is told by nobody: after RECHECK seconds without word it is looked at
 * again.
 */
#define RECHECK 0.1

static void add_unread(char **unread, const char *what)
{
    char *list = *unread ? g_strdup_printf("%s; %s", *unread, what) : g_strdup(what);

    g_free(*unread);
    *unread = list;
}

static void look_at_dnsmasq(Facts *facts, const Network *network, Deadline deadline, GPtrArray *missing,
                            char **unread)
{
    const Dnsmasq *dnsmasq;
    guint before = missing->len;

    if (!network_wants_dnsmasq(network) || !processes_read(facts, TRUE, deadline, NULL))
        return;
    dnsmasq = network_dnsmasq(facts, network);
    if (!dnsmasq || dnsmasq->unknown) {
        add_unread(unread, "its dnsmasq");
        return;
    }
    if (!dnsmasq->alive) {
        g_ptr_array_add(missing, g_strdup_printf("dnsmasq (%s)", dnsmasq->config));
        return;
    }
    if (network_dnsmasq_listening(facts, network, missing) == TRI_UNKNOWN)
        add_unread(unread, "whose the sockets of DNS and DHCP are");
    for (guint i = before; i < missing->len; i++) {
        char *socket = missing->pdata[i];

        missing->pdata[i] = g_strdup_printf("dnsmasq's socket %s", socket);
        g_free(socket);
    }
}

static void look_at_firewall(Facts *facts, const Network *network, Deadline deadline, GPtrArray *missing,
                             char **unread)
{
    GError *error = NULL;

    if (g_strcmp0(network->forward, "nat") != 0)
        return;
    if (!firewall_read(facts, deadline, &error)) {
        g_autofree char *what = g_strdup_printf("its NAT rules: %s", error ? error->message : "unreadable");

        add_unread(unread, what);
        g_clear_error(&error);
        return;
    }
    if (firewall_nat_present(facts, network) == TRI_NO)
        g_ptr_array_add(missing, g_strdup("masquerade rules"));
}

static GPtrArray *look(Facts *facts, const Network *network, Deadline deadline, char **unread)
{
    GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);

    if (links_read(facts, LINKS_LINKS | LINKS_ADDRESSES, deadline, NULL))
        network_bridge_up(facts, network, missing);
    look_at_dnsmasq(facts, network, deadline, missing, unread);
    look_at_firewall(facts, network, deadline, missing, unread);
    return missing;
}

gboolean verify_network(Facts *facts, const Network *network, VerifyWaiting waiting, gpointer user_data,
                        Deadline deadline, char **unread, GError **error)
{
    g_autoptr(LinksMonitor) monitor = links_monitor_new(NULL);

    for (;;) {
        g_autofree char *unseen = NULL;
        g_autoptr(GPtrArray) missing = look(facts, network, deadline, &unseen);

        if (missing->len == 0) {
            if (unread)
                *unread = g_steal_pointer(&unseen);
            return TRUE;
        }
        if (deadline_passed(deadline)) {
            g_autofree char *list = NULL;

            g_ptr_array_add(missing, NULL);
            list = g_strjoinv(", ", (char **)missing->pdata);
            return vnat_error_set(error, VNAT_ERROR_FAILED, "libvirt started it, but this is missing: %s",
                                  list);
        }
        if (waiting)
            waiting(missing, user_data);
        if (monitor)
            links_monitor_wait(monitor, deadline_within(deadline, RECHECK));
        else
            g_usleep((gulong)(RECHECK * G_USEC_PER_SEC));
    }
}
