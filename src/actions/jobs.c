/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/jobs.h"

#include "base/error.h"
#include "base/virt-call.h"
#include "base/xml.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

static void jobs_free(gpointer data)
{
    g_ptr_array_unref(data);
}

/* A domain that ended meanwhile has no job. */
static gboolean gone(GError **error)
{
    if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN || virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID) {
        virResetLastError();
        return TRUE;
    }
    return virt_error_take(error);
}

/* An incoming migration is a domain that is paused for it; of others the job tells. */
static gboolean domain_job(virDomainPtr domain, GPtrArray *busy, GError **error)
{
    virDomainJobInfo info = {0};
    int state = 0, reason = 0;

    if (virDomainGetState(domain, &state, &reason, 0) < 0 || virDomainGetJobInfo(domain, &info) < 0)
        return gone(error);
    if (info.type == VIR_DOMAIN_JOB_BOUNDED || info.type == VIR_DOMAIN_JOB_UNBOUNDED ||
        (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION))
        g_ptr_array_add(busy, g_strdup_printf("%s (a migration, save or dump)", virDomainGetName(domain)));
    return TRUE;
}

static gboolean disk_job(virDomainPtr domain, const char *disk, GPtrArray *busy, GError **error)
{
    virDomainBlockJobInfo info;
    int found = virDomainGetBlockJobInfo(domain, disk, &info, 0);

    if (found < 0)
        return gone(error);
    if (found > 0)
        g_ptr_array_add(busy, g_strdup_printf("%s (a block job on %s)", virDomainGetName(domain), disk));
    return TRUE;
}

static gboolean disk_jobs(virDomainPtr domain, GPtrArray *busy, GError **error)
{
    char *xml = virDomainGetXMLDesc(domain, 0);
    g_autoptr(xmlDoc) doc = NULL;
    xmlNodePtr devices;

    if (!xml)
        return gone(error);
    doc = xml_parse(xml, strlen(xml), &XML_LIMITS_LIBVIRT, error);
    free(xml);
    if (!doc)
        return FALSE;
    devices = xml_child(xmlDocGetRootElement(doc), "devices");
    for (xmlNodePtr disk = xml_child(devices, "disk"); disk; disk = xml_next(disk, "disk")) {
        g_autofree char *target = xml_attr(xml_child(disk, "target"), "dev");

        if (target && !disk_job(domain, target, busy, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean jobs_call(virConnectPtr conn, gpointer data, GError **error)
{
    GPtrArray *busy = data;
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    gboolean ok = TRUE;

    if (count < 0)
        return virt_error_take(error);
    for (int i = 0; i < count; i++) {
        ok = ok && domain_job(domains[i], busy, error) && disk_jobs(domains[i], busy, error);
        virDomainFree(domains[i]);
    }
    free(domains);
    return ok;
}

gboolean jobs_running(VirtConn *conn, char **busy, Deadline deadline, GError **error)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

    *busy = NULL;
    if (!virt_call(conn, "virDomainGetJobInfo", jobs_call, found, jobs_free, deadline, error))
        return FALSE;
    if (found->len > 0) {
        g_ptr_array_add(found, NULL);
        *busy = g_strjoinv(", ", (char **)found->pdata);
    }
    g_ptr_array_unref(found);
    return TRUE;
}
