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

typedef struct {
    GPtrArray *missing;   /* char * */
    char *unread;         /* what could not be looked at, or NULL */
    gboolean out_of_time; /* the deadline came while looking: missing is not whole */
} Look;

static void add_unread(char **unread, const char *what)
{
    char *list = *unread ? g_strdup_printf("%s; %s", *unread, what) : g_strdup(what);

    g_free(*unread);
    *unread = list;
}

/* What could not be read is not "nothing missing": for want of time it ends the look, else it is told. */
static void look_failed(Look *look, const char *what, GError *error)
{
    g_autofree char *text = g_strdup_printf("%s: %s", what, error ? error->message : "unreadable");

    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        look->out_of_time = TRUE;
    else
        add_unread(&look->unread, text);
    g_clear_error(&error);
}

static void look_at_bridge(Look *look, Facts *facts, const Network *network, Deadline deadline)
{
    GError *error = NULL;

    if (!links_read(facts, LINKS_LINKS | LINKS_ADDRESSES, deadline, &error))
        look_failed(look, "its bridge", error);
    else if (network_owns_bridge(network))
        network_bridge_up(facts, network, look->missing);
    else if (network->bridge && !facts_link_named(facts, network->bridge))
        g_ptr_array_add(look->missing, g_strdup_printf("device %s", network->bridge));
}

static void look_at_dnsmasq(Look *look, Facts *facts, const Network *network, Deadline deadline)
{
    const Dnsmasq *dnsmasq;
    guint before = look->missing->len;
    GError *error = NULL;

    if (!network_wants_dnsmasq(network))
        return;
    if (!processes_read(facts, TRUE, deadline, &error)) {
        look_failed(look, "its dnsmasq", error);
        return;
    }
    dnsmasq = network_dnsmasq(facts, network);
    if (!dnsmasq || dnsmasq->unknown) {
        add_unread(&look->unread, "its dnsmasq");
        return;
    }
    if (!dnsmasq->alive) {
        g_ptr_array_add(look->missing, g_strdup_printf("dnsmasq (%s)", dnsmasq->config));
        return;
    }
    if (network_dnsmasq_listening(facts, network, look->missing) == TRI_UNKNOWN)
        add_unread(&look->unread, "whose the sockets of DNS and DHCP are");
    for (guint i = before; i < look->missing->len; i++) {
        char *socket = look->missing->pdata[i];

        look->missing->pdata[i] = g_strdup_printf("dnsmasq's socket %s", socket);
        g_free(socket);
    }
}

static void look_at_firewall(Look *look, Facts *facts, const Network *network, Deadline deadline)
{
    GError *error = NULL;

    if (g_strcmp0(network->forward, "nat") != 0)
        return;
    if (!firewall_read(facts, deadline, &error))
        look_failed(look, "its NAT rules", error);
    else if (firewall_nat_present(facts, network, NULL) == TRI_NO)
        g_ptr_array_add(look->missing, g_strdup("masquerade rules"));
}

static void look(Look *look, Facts *facts, const Network *network, Deadline deadline)
{
    look->missing = g_ptr_array_new_with_free_func(g_free);
    look_at_bridge(look, facts, network, deadline);
    look_at_dnsmasq(look, facts, network, deadline);
    look_at_firewall(look, facts, network, deadline);
}

static void look_clear(Look *look)
{
    g_ptr_array_unref(look->missing);
    g_free(look->unread);
}

char *verify_once(Facts *facts, const Network *network, Deadline deadline)
{
    Look now = {0};
    char *list = NULL;

    look(&now, facts, network, deadline);
    if (now.missing->len > 0 && !now.out_of_time) {
        g_ptr_array_add(now.missing, NULL);
        list = g_strjoinv(", ", (char **)now.missing->pdata);
    }
    look_clear(&now);
    return list;
}

static gboolean not_in_time(const char *missing, GError **error)
{
    if (missing)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "libvirt started it, but this is missing: %s",
                              missing);
    return vnat_error_set(error, VNAT_ERROR_DEADLINE,
                          "libvirt started it, but no time was left to see whether it works");
}

static void wait_for_news(LinksMonitor *monitor, Deadline deadline)
{
    gint64 left = deadline - g_get_monotonic_time();

    if (monitor)
        links_monitor_wait(monitor, deadline);
    else if (left > 0)
        g_usleep((gulong)left);
}

gboolean verify_network(Facts *facts, const Network *network, VerifyWaiting waiting, gpointer user_data,
                        Deadline deadline, char **unread, GError **error)
{
    g_autoptr(LinksMonitor) monitor = links_monitor_new(NULL);
    g_autofree char *missing = NULL; /* as of the last whole look */

    while (!deadline_passed(deadline)) {
        Look now = {0};

        look(&now, facts, network, deadline);
        if (now.out_of_time) {
            look_clear(&now);
            break;
        }
        if (now.missing->len == 0) {
            if (unread)
                *unread = g_steal_pointer(&now.unread);
            look_clear(&now);
            return TRUE;
        }
        if (waiting)
            waiting(now.missing, user_data);
        g_ptr_array_add(now.missing, NULL);
        g_free(missing);
        missing = g_strjoinv(", ", (char **)now.missing->pdata);
        look_clear(&now);
        wait_for_news(monitor, deadline_within(deadline, RECHECK));
    }
    return not_in_time(missing, error);
}
