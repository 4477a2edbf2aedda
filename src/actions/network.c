/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/network.h"

#include "base/error.h"
#include "base/text.h"
#include "base/virt-call.h"
#include "model/network.h"
#include "sources/libvirt-lookup.h"
#include "sources/libvirt.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- from XML */

typedef virNetworkPtr (*NetworkMake)(virConnectPtr conn, const char *xml, unsigned int flags);

typedef struct {
    NetworkMake make;
    unsigned int flags;
    char *xml;
    char *name; /* the answer */
} Making;

static void making_free(gpointer data)
{
    Making *making = data;

    g_free(making->xml);
    g_free(making->name);
    g_free(making);
}

static gboolean network_is_there(virConnectPtr conn, const char *xml)
{
    g_autoptr(Network) wanted = libvirt_parse_network(xml, strlen(xml), NULL);
    g_autoptr(virNetwork) known = NULL;

    if (!wanted)
        return FALSE;
    known = virNetworkLookupByName(conn, wanted->name);
    virResetLastError();
    return known != NULL;
}

/*
 * libvirt says "already exists with uuid" by the code of any failed operation, and by no other: so it is a
 * second look that tells whether a network of that name is there (a clash of UUIDs with another one stays a
 * failure). XML that it does not accept is the fault of who wrote it.
 */
static gboolean making_failed(virConnectPtr conn, const Making *making, GError **error)
{
    const virError *failure = virGetLastError();
    int code = failure ? failure->code : VIR_ERR_OK;

    virt_error_take(error);
    if (code == VIR_ERR_XML_ERROR || code == VIR_ERR_XML_DETAIL || code == VIR_ERR_XML_INVALID_SCHEMA)
        (*error)->code = VNAT_ERROR_INVALID;
    else if (code == VIR_ERR_OPERATION_FAILED && network_is_there(conn, making->xml))
        (*error)->code = VNAT_ERROR_EXISTS;
    return FALSE;
}

static gboolean making_call(virConnectPtr conn, gpointer data, GError **error)
{
    Making *making = data;
    g_autoptr(virNetwork) network = making->make(conn, making->xml, making->flags);

    if (!network)
        return making_failed(conn, making, error);
    making->name = g_strdup(virNetworkGetName(network));
    return TRUE;
}

static gboolean network_make(VirtConn *conn, const char *what, NetworkMake make, unsigned int flags,
                             const char *xml, char **name, Deadline deadline, GError **error)
{
    Making *making = g_new0(Making, 1);

    making->make = make;
    making->flags = flags;
    making->xml = g_strdup(xml);
    if (!virt_call(conn, what, making_call, making, making_free, deadline, error))
        return FALSE;
    if (name)
        *name = g_steal_pointer(&making->name);
    making_free(making);
    return TRUE;
}

gboolean network_define(VirtConn *conn, const char *xml, char **name, Deadline deadline, GError **error)
{
    return network_make(conn, "virNetworkDefineXML", virNetworkDefineXMLFlags, VIR_NETWORK_DEFINE_VALIDATE,
                        xml, name, deadline, error);
}

gboolean network_create_xml(VirtConn *conn, const char *xml, char **name, Deadline deadline, GError **error)
{
    return network_make(conn, "virNetworkCreateXML", virNetworkCreateXMLFlags, VIR_NETWORK_CREATE_VALIDATE,
                        xml, name, deadline, error);
}

/* ----------------------------------------------------------------------------------------- by name */

/* A step on a network. */
typedef struct Step Step;
struct Step {
    gboolean (*run)(virNetworkPtr network, Step *step, GError **error);
    char *name;
    gboolean on;         /* autostart: wanted */
    gboolean was_active; /* start: the answer */
    guint ports;         /* count_ports: the answer */
};

static void step_free(gpointer data)
{
    Step *step = data;

    g_free(step->name);
    g_free(step);
}

static gboolean step_call(virConnectPtr conn, gpointer data, GError **error)
{
    Step *step = data;
    g_autoptr(virNetwork) network = libvirt_lookup_network(conn, step->name, error);

    return network && step->run(network, step, error);
}

static Step *step_new(const char *name, gboolean (*run)(virNetworkPtr, Step *, GError **))
{
    Step *step = g_new0(Step, 1);

    step->run = run;
    step->name = g_strdup(name);
    return step;
}

static gboolean step_take(VirtConn *conn, const char *what, Step *step, gboolean *was_active,
                          Deadline deadline, GError **error)
{
    if (!virt_call(conn, what, step_call, step, step_free, deadline, error))
        return FALSE;
    if (was_active)
        *was_active = step->was_active;
    step_free(step);
    return TRUE;
}

/* libvirt's answers of 0 and -1. */
static gboolean step_result(int result, GError **error)
{
    return result == 0 ? TRUE : virt_error_take(error);
}

/* Somebody else may be first: what counts is that it is active. */
static gboolean run_start(virNetworkPtr network, Step *step, GError **error)
{
    gboolean invalid;

    if (virNetworkCreate(network) == 0)
        return TRUE;
    invalid = virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID;
    virt_error_take(error);
    step->was_active = invalid && virNetworkIsActive(network) == 1;
    if (step->was_active)
        g_clear_error(error);
    return step->was_active;
}

static gboolean run_destroy(virNetworkPtr network, Step *step G_GNUC_UNUSED, GError **error)
{
    return step_result(virNetworkDestroy(network), error);
}

static gboolean run_undefine(virNetworkPtr network, Step *step G_GNUC_UNUSED, GError **error)
{
    return step_result(virNetworkUndefine(network), error);
}

static gboolean run_autostart(virNetworkPtr network, Step *step, GError **error)
{
    return step_result(virNetworkSetAutostart(network, step->on), error);
}

gboolean network_start(VirtConn *conn, const char *name, gboolean *was_active, Deadline deadline,
                       GError **error)
{
    return step_take(conn, "virNetworkCreate", step_new(name, run_start), was_active, deadline, error);
}

static void explain_left_behind(const Network *network, const Dnsmasq *left, GError **error)
{
    g_autofree char *libvirts = g_strchomp(g_strdup((*error)->message));
    g_autofree char *name = text_shell(network->name);

    g_free((*error)->message);
    (*error)->message = g_strdup_printf(
        "%s; dnsmasq (pid %d, --conf-file=%s) of this network was left behind, and takes its ports", libvirts,
        left->pid, left->config);
    vnat_error_hint(error, "kill %d && vnat net-start %s", left->pid, name);
}

void network_start_explain(const Facts *facts, const Network *network, GError **error)
{
    const Dnsmasq *left = network_left_behind(facts, network);
    g_autoptr(GPtrArray) rivals = network_port_rivals(facts, network);
    GString *list;

    if (!network_wants_dnsmasq(network) || !error || !*error)
        return;
    if (left && !network_others_rival(rivals, left)) {
        explain_left_behind(network, left, error);
        return;
    }
    if (rivals->len == 0)
        return;
    list = g_string_new(NULL);
    for (guint i = 0; i < rivals->len; i++) {
        g_autofree char *text = network_socket_text(rivals->pdata[i]);

        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", text);
    }
    vnat_error_hint(error, "%s is held; stop that program or bind it to its own interfaces", list->str);
    g_string_free(list, TRUE);
}

gboolean network_destroy(VirtConn *conn, const char *name, Deadline deadline, GError **error)
{
    return step_take(conn, "virNetworkDestroy", step_new(name, run_destroy), NULL, deadline, error);
}

gboolean network_undefine(VirtConn *conn, const char *name, Deadline deadline, GError **error)
{
    return step_take(conn, "virNetworkUndefine", step_new(name, run_undefine), NULL, deadline, error);
}

gboolean network_autostart(VirtConn *conn, const char *name, gboolean on, Deadline deadline, GError **error)
{
    Step *step = step_new(name, run_autostart);

    step->on = on;
    return step_take(conn, "virNetworkSetAutostart", step, NULL, deadline, error);
}

static gboolean run_count_ports(virNetworkPtr network, Step *step, GError **error)
{
    virNetworkPortPtr *ports = NULL;
    int count = virNetworkListAllPorts(network, &ports, 0);

    if (count < 0)
        return virt_error_take(error);
    step->ports = (guint)count;
    for (int i = 0; i < count; i++)
        virNetworkPortFree(ports[i]);
    free(ports);
    return TRUE;
}

gboolean network_count_ports(VirtConn *conn, const char *name, guint *count, Deadline deadline,
                             GError **error)
{
    Step *step = step_new(name, run_count_ports);

    if (!virt_call(conn, "virNetworkListAllPorts", step_call, step, step_free, deadline, error))
        return FALSE;
    *count = step->ports;
    step_free(step);
    return TRUE;
}
