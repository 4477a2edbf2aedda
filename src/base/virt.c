/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/virt.h"

#include "base/error.h"
#include "base/virt-pool.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Workers for bulk reads. From libvirt 11 reading a domain's XML may wait for the job that another holds. */
#define BULK_WIDTH 8
#define BULK_WIDTH_JOBS 4
#define LIBVIRT_XML_TAKES_JOB 11000000

struct VirtConn {
    VirtPool *pool;
    char *uri;
    gboolean readonly, local;
    unsigned long libversion;
};

/*
 * How to connect, and what the first call learned; owned by the pool, so that an abandoned first call may
 * still write to it. readonly may turn TRUE at the first dial.
 */
typedef struct {
    char *uri;
    gboolean readonly;
    char *reported; /* URI */
    unsigned long libversion;
} Dial;

static void dial_free(gpointer data)
{
    Dial *dial = data;

    g_free(dial->uri);
    free(dial->reported);
    g_free(dial);
}

/* Errors are returned; libvirt would print them too. */
static void be_silent(void *user_data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

/* Asks on a terminal as virsh does; elsewhere nobody would answer. */
static virConnectAuthPtr dial_auth(void)
{
    static virConnectAuth mute;

    return isatty(STDIN_FILENO) ? virConnectAuthPtrDefault : &mute;
}

static virConnectPtr dial_open(gpointer data, GError **error)
{
    Dial *dial = data;
    gboolean rights = FALSE;
    virConnectPtr conn = virConnectOpenAuth(dial->uri, dial_auth(), dial->readonly ? VIR_CONNECT_RO : 0);

    if (conn)
        return conn;
    virt_error_take_open(dial->uri, &rights, error);
    if (dial->readonly || !rights)
        return NULL;
    conn = virConnectOpenAuth(dial->uri, dial_auth(), VIR_CONNECT_RO);
    if (!conn) {
        virResetLastError();
        return NULL;
    }
    g_clear_error(error);
    dial->readonly = TRUE;
    return conn;
}

/* ------------------------------------------------------------------------------------- open, close */

/* What is asked of a new connection. */
static gboolean hello_call(virConnectPtr conn, gpointer data, GError **error)
{
    Dial *dial = data;

    dial->reported = virConnectGetURI(conn);
    if (!dial->reported)
        return virt_error_take(error);
    if (virConnectGetLibVersion(conn, &dial->libversion) < 0)
        dial->libversion = 0;
    return TRUE;
}

/*
 * SCHEME[+TRANSPORT]://[HOST]/PATH. The drivers listed work on the kernel of the machine their daemon runs
 * on; without a host the daemon is here.
 */
gboolean virt_uri_is_local(const char *uri)
{
    static const char *const drivers[] = {"qemu", "lxc", "network", NULL};
    g_autofree char *scheme = g_uri_parse_scheme(uri);
    const char *rest = scheme ? uri + strlen(scheme) + 1 : NULL;
    char *transport;

    if (!scheme || (g_str_has_prefix(rest, "//") && rest[2] != '/' && rest[2] != '?' && rest[2] != '\0'))
        return FALSE;
    transport = strchr(scheme, '+');
    if (transport)
        *transport++ = '\0';
    return g_strv_contains(drivers, scheme) && (!transport || g_str_equal(transport, "unix"));
}

static void conn_adopt(VirtConn *conn, const Dial *dial)
{
    conn->uri = g_strdup(dial->reported);
    conn->libversion = dial->libversion;
    conn->readonly = dial->readonly;
    conn->local = virt_uri_is_local(conn->uri);
    virt_pool_set_width(conn->pool, conn->libversion < LIBVIRT_XML_TAKES_JOB ? BULK_WIDTH : BULK_WIDTH_JOBS);
}

static void open_error_complete(GError **error, const char *uri)
{
    if (!g_error_matches(*error, VNAT_ERROR, VNAT_ERROR_DEADLINE))
        return;
    g_clear_error(error);
    vnat_error_set(error, VNAT_ERROR_DEADLINE,
                   "no answer from libvirt in time: its daemon hangs or is stopped");
    vnat_error_what(error, "failed to connect to '%s'", uri);
    vnat_error_hint(error, "systemctl status libvirtd virtqemud");
}

VirtConn *virt_open(const char *uri, gboolean readonly, Deadline deadline, GError **error)
{
    Dial *dial = g_new0(Dial, 1);
    GError *failure = NULL;
    VirtConn *conn = g_new0(VirtConn, 1);

    virSetErrorFunc(NULL, be_silent);
    dial->uri = g_strdup(uri);
    dial->readonly = readonly;
    conn->pool = virt_pool_new(dial_open, dial, dial_free);
    if (!virt_call(conn, "virConnectOpen", hello_call, dial, NULL, deadline, &failure)) {
        open_error_complete(&failure, uri);
        g_propagate_error(error, failure);
        virt_close(conn);
        return NULL;
    }
    conn_adopt(conn, dial);
    return conn;
}

/* Set once, by whoever closes a connection; read at the end of the process. */
static gint calls_hang;

gboolean virt_calls_hang(void)
{
    return g_atomic_int_get(&calls_hang);
}

void virt_close(VirtConn *conn)
{
    if (!conn)
        return;
    if (!virt_pool_close(conn->pool))
        g_atomic_int_set(&calls_hang, TRUE);
    g_free(conn->uri);
    g_free(conn);
}

gboolean virt_conn_readonly(const VirtConn *conn)
{
    return conn->readonly;
}

const char *virt_conn_uri(const VirtConn *conn)
{
    return conn->uri;
}

gboolean virt_conn_local(const VirtConn *conn)
{
    return conn->local;
}

unsigned long virt_conn_libversion(const VirtConn *conn)
{
    return conn->libversion;
}

/* ------------------------------------------------------------------------------------------- calls */

/* One call's outcome. */
typedef struct {
    GError *error;
    gboolean returned;
} Outcome;

static void call_collect(gpointer item G_GNUC_UNUSED, const GError *error, gboolean returned,
                         gpointer user_data)
{
    Outcome *outcome = user_data;

    outcome->returned = returned;
    outcome->error = error ? g_error_copy(error) : NULL;
}

/* Nothing is begun for a caller who has no time left. */
static gboolean too_late(Deadline deadline, const char *what, GError **error)
{
    if (!deadline_passed(deadline))
        return FALSE;
    vnat_error_set(error, VNAT_ERROR_DEADLINE, "%s: no time left to ask libvirt", what);
    return TRUE;
}

gboolean virt_call(VirtConn *conn, const char *what, VirtFunc func, gpointer data, GDestroyNotify free_data,
                   Deadline deadline, GError **error)
{
    Outcome outcome = {NULL, TRUE};
    VirtBatch *batch;

    if (!too_late(deadline, what, &outcome.error)) {
        batch = virt_batch_submit(conn->pool, what, func, &data, 1, free_data, 1, NULL, NULL);
        virt_batch_wait(batch, call_collect, &outcome, deadline);
        virt_batch_end(batch, call_collect, &outcome);
    }
    if (!outcome.error)
        return TRUE;
    if (outcome.returned && free_data)
        free_data(data);
    g_propagate_error(error, outcome.error);
    return FALSE;
}

typedef struct {
    VirtDone done;
    gpointer user_data;
    GDestroyNotify free_item;
} Each;

static void each_collect(gpointer item, const GError *error, gboolean returned, gpointer user_data)
{
    const Each *each = user_data;

    each->done(item, error, each->user_data);
    if (returned && each->free_item)
        each->free_item(item);
}

void virt_call_each(VirtConn *conn, const char *what, VirtFunc func, GPtrArray *items,
                    GDestroyNotify free_item, guint parallel, VirtDone done, gpointer user_data,
                    Deadline deadline)
{
    Each each = {done, user_data, free_item};
    g_autoptr(GError) late = NULL;
    VirtBatch *batch;

    if (too_late(deadline, what, &late)) {
        for (guint i = 0; i < items->len; i++)
            each_collect(items->pdata[i], late, TRUE, &each);
        return;
    }
    batch =
        virt_batch_submit(conn->pool, what, func, items->pdata, items->len, free_item, parallel, NULL, NULL);
    virt_batch_wait(batch, each_collect, &each, deadline);
    virt_batch_end(batch, each_collect, &each);
}
