/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/virt-dial.h"

#include "base/error.h"
#include "base/virt-call.h"
#include "base/virt.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <unistd.h>

/* Workers for bulk reads. From libvirt 11 reading a domain's XML may wait for the job that another holds. */
#define BULK_WIDTH 8
#define BULK_WIDTH_JOBS 4
#define LIBVIRT_XML_TAKES_JOB 11000000

static void be_silent(void *user_data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

void virt_silence(void)
{
    virSetErrorFunc(NULL, be_silent);
}

void virt_dialled_init(VirtDialled *dialled, const char *uri, gboolean readonly)
{
    *dialled = (VirtDialled){.uri = g_strdup(uri), .readonly = readonly};
}

void virt_dialled_clear(VirtDialled *dialled)
{
    g_free(dialled->uri);
    free(dialled->reported);
}

/* Asks on a terminal as virsh does; elsewhere nobody would answer. */
static virConnectAuthPtr dial_auth(void)
{
    static virConnectAuth mute;

    return isatty(STDIN_FILENO) ? virConnectAuthPtrDefault : &mute;
}

virConnectPtr virt_dial(VirtDialled *dialled, GError **error)
{
    gboolean rights = FALSE;
    GError *cause = NULL;
    virConnectPtr conn =
        virConnectOpenAuth(dialled->uri, dial_auth(), dialled->readonly ? VIR_CONNECT_RO : 0);

    if (conn)
        return conn;
    virt_error_take_open(dialled->uri, &rights, &cause);
    if (!dialled->readonly && rights)
        conn = virConnectOpenAuth(dialled->uri, dial_auth(), VIR_CONNECT_RO);
    if (!conn) {
        virResetLastError();
        g_propagate_error(error, cause);
        return NULL;
    }
    g_clear_error(&cause);
    dialled->readonly = TRUE;
    return conn;
}

gboolean virt_hello(virConnectPtr conn, VirtDialled *dialled, GError **error)
{
    char *reported = virConnectGetURI(conn);

    if (!reported)
        return virt_error_take(error);
    free(dialled->reported);
    dialled->reported = reported;
    if (virConnectGetLibVersion(conn, &dialled->libversion) < 0)
        dialled->libversion = 0;
    return TRUE;
}

guint virt_bulk_width(unsigned long libversion)
{
    return libversion < LIBVIRT_XML_TAKES_JOB ? BULK_WIDTH : BULK_WIDTH_JOBS;
}

gboolean virt_error_no_answer(const char *uri, GError **error)
{
    gboolean local = virt_uri_is_local(uri);

    vnat_error_set(error, VNAT_ERROR_DEADLINE, "no answer from libvirt in time: %s",
                   local ? "its daemon hangs or is stopped"
                         : "its host, the way there or its daemon is down, or slow");
    vnat_error_what(error, "failed to connect to '%s'", uri);
    if (local)
        vnat_error_hint(error, "systemctl status libvirtd virtqemud");
    return FALSE;
}
