/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/repair-private.h"

#include "actions/interface.h"
#include "actions/leases.h"
#include "actions/links.h"
#include "actions/network.h"
#include "actions/verify.h"
#include "base/error.h"
#include "base/run.h"
#include "model/network.h"
#include "sources/libvirt.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/*
 * The single steps. Each was described a moment ago from the same facts, and nothing forbids it. That it
 * helped is seen by the finding's own check; what is said here is what was done.
 */

#define OUTPUT_BYTES 4096

static const Network *network_of(const RepairCase *about)
{
    return facts_network(about->view->facts, about->finding->network);
}

static gboolean vanished(GError **error)
{
    return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "what it is about is not there any more");
}

/* -------------------------------------------------------------------------------------------- taps */

gboolean repair_run_tap(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    LinkAttachment how;
    RepairTap tap;

    if (!repair_tap_of(about, &tap) || !tap.bridge)
        return vanished(error);
    how = (LinkAttachment){.mtu = repair_tap_mtu(&tap), .isolated = repair_tap_isolated(&tap)};
    if (!link_reattach(tap.tap, tap.bridge, &how, repair->deadline, error))
        return FALSE;
    step_add(step, "it is on %s, with MTU %u%s", tap.bridge->name, how.mtu, how.isolated ? ", isolated" : "");
    return TRUE;
}

gboolean repair_run_up(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const InterfaceScope live = {.live = TRUE};
    char mac[MAC_TEXT];
    RepairTap tap;

    if (!repair_tap_of(about, &tap))
        return vanished(error);
    if (!(tap.tap->flags & IFF_UP) && !link_set_up(tap.tap, repair->deadline, error))
        return FALSE;
    return tap.iface->link != LINK_DOWN ||
           interface_set_link(about->view->conn, tap.row->domain_uuid, mac_format(&tap.iface->mac, mac), TRUE,
                              live, repair->deadline, error);
}

gboolean repair_run_mtu(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const Link *bridge;
    RepairTap tap;

    bridge = repair_tap_of(about, &tap) ? facts_link(about->view->facts, tap.tap->master) : NULL;
    return bridge ? link_set_mtu(tap.tap, bridge->mtu, repair->deadline, error) : vanished(error);
}

/* ------------------------------------------------------------------------------------------ bridge */

gboolean repair_run_bridge(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const Facts *facts = about->view->facts;
    const Network *network = network_of(about);
    const Link *bridge = network ? facts_link_named(facts, network->bridge) : NULL;
    g_autoptr(GPtrArray) missing = bridge ? repair_addresses_missing(facts, network, bridge) : NULL;

    if (!bridge)
        return vanished(error);
    for (guint i = 0; i < missing->len; i++) {
        const NetworkIp *ip = missing->pdata[i];

        if (!link_add_address(bridge, &ip->net, repair->deadline, error))
            return FALSE;
    }
    return (bridge->flags & IFF_UP) || link_set_up(bridge, repair->deadline, error);
}

gboolean repair_run_stale(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const Network *network = network_of(about);
    const Link *bridge = network ? facts_link_named(about->view->facts, network->bridge) : NULL;

    return bridge ? link_delete_bridge(bridge, repair->deadline, error) : vanished(error);
}

/* ---------------------------------------------------------------------------------------- settings */

/* path: below /, of names that were checked. */
static gboolean write_setting(const char *path, const char *value, GError **error)
{
    g_autofree char *full = g_strconcat("/", path, NULL);
    int fd = open(full, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    const gsize length = strlen(value);
    int failed = 0;

    if (fd < 0 || write(fd, value, length) != (gssize)length)
        failed = errno;
    if (fd >= 0)
        close(fd);
    if (!failed)
        return TRUE;
    return vnat_error_set(
        error, failed == EACCES || failed == EPERM || failed == EROFS ? VNAT_ERROR_DENIED : VNAT_ERROR_FAILED,
        "%s: %s", full, g_strerror(failed));
}

gboolean repair_run_forwarding(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    g_autoptr(GPtrArray) paths = repair_forwarding_off(about->view->facts);

    for (guint i = 0; i < paths->len; i++) {
        g_autofree char *path = g_strconcat("proc/", paths->pdata[i], NULL);

        if (!write_setting(path, "1", error))
            return FALSE;
    }
    return TRUE;
}

gboolean repair_run_filter(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    g_autoptr(GPtrArray) paths = repair_filter_on(about);

    for (guint i = 0; i < paths->len; i++) {
        if (!write_setting(paths->pdata[i], "0", error))
            return FALSE;
    }
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- networks */

static void tell_missing(const GPtrArray *missing, gpointer data)
{
    const RepairHost *host = data;

    if (host->waiting)
        host->waiting(missing->pdata[0], host->data);
}

/* As net-start: it is started only when it works. */
static gboolean start(const Repair *repair, const RepairCase *about, const char *name, GError **error)
{
    g_autoptr(Facts) facts = facts_new();
    VirtConn *conn = about->view->conn;
    const Network *network;

    facts->now = about->view->facts->now;
    network = facts_network(about->view->facts, name);
    if (!network_start(conn, name, NULL, repair->deadline, error)) {
        if (network && about->view->facts->local)
            network_start_explain(about->view->facts, network, error);
        return FALSE;
    }
    network = libvirt_read_network(conn, facts, name, FALSE, repair->deadline, error);
    if (!network)
        return FALSE;
    return !about->view->facts->local || verify_network(facts, network, tell_missing, (gpointer)repair->host,
                                                        repair->deadline, NULL, error);
}

gboolean repair_run_start(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    return start(repair, about, about->finding->object, error);
}

/* libvirt forgets the ports of guests, and makes them anew for a guest that starts, and for all when its
 * daemon does. */
gboolean repair_run_remake(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const char *name = about->finding->object;
    guint ports = 0;

    if (!network_count_ports(about->view->conn, name, &ports, repair->deadline, error) ||
        !network_destroy(about->view->conn, name, repair->deadline, error))
        return FALSE;
    if (ports > 0)
        step_add(step, "libvirt forgot the port%s of %u interface%s, until its daemon starts again",
                 ports == 1 ? "" : "s", ports, ports == 1 ? "" : "s");
    return start(repair, about, name, error);
}

gboolean repair_run_define(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const char *name = about->finding->object;

    return repair->host->define(name, repair->host->data, error) && start(repair, about, name, error);
}

gboolean repair_run_autostart(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    return network_autostart(about->view->conn, about->finding->object, TRUE, repair->deadline, error);
}

/* -------------------------------------------------------------------------------- leases, firewalld */

gboolean repair_run_leases(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const Network *network = network_of(about);
    LeasesMended mended = {0};

    if (!network || !leases_mend(network->bridge, &mended, repair->deadline, error))
        return network ? FALSE : vanished(error);
    if (mended.aside)
        step_add(step, "the damaged file is %s; %u lease%s kept%s", mended.aside, mended.kept,
                 mended.kept == 1 ? " was" : "s were",
                 mended.lost > 0 || mended.kept == 0 ? ", the others come back when their guests renew" : "");
    else
        step_add(step, "it is empty; the leases come back when their guests renew");
    leases_mended_clear(&mended);
    return TRUE;
}

gboolean repair_run_zone(const Repair *repair, const RepairCase *about, Step *step, GError **error)
{
    const Network *network = network_of(about);
    g_autofree char *zone =
        network ? g_strconcat("--zone=", network_zone(about->view->facts, network), NULL) : NULL;
    g_autofree char *bridge = network ? g_strconcat("--change-interface=", network->bridge, NULL) : NULL;
    const char *const argv[] = {"firewall-cmd", zone, bridge, NULL};
    g_autofree char *output = NULL;

    return network ? run_program(argv, OUTPUT_BYTES, repair->deadline, &output, NULL, error)
                   : vanished(error);
}
