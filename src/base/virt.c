/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/virt.h"

#include "base/error.h"
#include "base/virt-dial.h"
#include "base/virt-pool.h"

#include <string.h>

struct VirtConn {
    VirtPool *pool;
    char *uri;
    gboolean readonly, local;
    unsigned long libversion;
};

/* VirtDialled is owned by the pool, so that an abandoned first call may still write to it. */
static void dialled_free(gpointer data)
{
    virt_dialled_clear(data);
    g_free(data);
}

static virConnectPtr dial(gpointer data, GError **error)
{
    return virt_dial(data, error);
}

/* ------------------------------------------------------------------------------------- open, close */

static gboolean hello_call(virConnectPtr conn, gpointer data, GError **error)
{
    return virt_hello(conn, data, error);
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

static void conn_adopt(VirtConn *conn, const VirtDialled *dialled)
{
    conn->uri = g_strdup(dialled->reported);
    conn->libversion = dialled->libversion;
    conn->readonly = dialled->readonly;
    conn->local = virt_uri_is_local(conn->uri);
    virt_pool_set_width(conn->pool, virt_bulk_width(conn->libversion));
}

VirtConn *virt_open(const char *uri, gboolean readonly, Deadline deadline, GError **error)
{
    VirtDialled *dialled = g_new0(VirtDialled, 1);
    GError *failure = NULL;
    VirtConn *conn = g_new0(VirtConn, 1);

    virt_silence();
    virt_dialled_init(dialled, uri, readonly);
    conn->pool = virt_pool_new(dial, dialled, dialled_free);
    if (!virt_call(conn, "virConnectOpen", hello_call, dialled, NULL, deadline, &failure)) {
        if (g_error_matches(failure, VNAT_ERROR, VNAT_ERROR_DEADLINE)) {
            g_clear_error(&failure);
            virt_error_no_answer(uri, &failure);
        }
        g_propagate_error(error, failure);
        virt_close(conn);
        return NULL;
    }
    conn_adopt(conn, dialled);
    return conn;
}

/* Set once, by whoever closes a connection; read at the end of the process. */
static gint calls_hang;

gboolean virt_calls_hang(void)
{
    return g_atomic_int_get(&calls_hang) || !virt_pools_closed(0);
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
