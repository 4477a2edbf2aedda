/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/firewalld.h"

#include "base/error.h"
#include "base/run.h"

#include <string.h>
#include <unistd.h>

/*
 * firewall-cmd is a Python program that asks firewalld over the system bus: a quarter of a second, so it is
 * run once for all interfaces, and not at all where there is no bus that firewalld could be on.
 */

#define ZONES_BYTES ((gsize)1024 * 1024)
#define SYSTEM_BUS "/run/dbus/system_bus_socket"

gboolean firewalld_is_off(const char *complaint)
{
    return strstr(complaint, "not running") != NULL;
}

/* One line; *zone is the one that it belongs to, and what it begins, new. */
static gboolean take_line(GPtrArray *zones, char **zone, const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t\r", -1);
    gboolean indented = g_ascii_isspace(line[0]);
    gboolean interfaces = FALSE;

    for (guint i = 0; words[i]; i++) {
        if (!*words[i])
            continue;
        if (!indented) {
            g_free(*zone);
            *zone = g_strdup(words[i]);
            return TRUE;
        }
        if (!interfaces) {
            if (strcmp(words[i], "interfaces:") != 0)
                return TRUE;
            if (!*zone)
                return vnat_error_set(error, VNAT_ERROR_INVALID, "form: interfaces of no zone");
            interfaces = TRUE;
            continue;
        }
        g_ptr_array_add(zones, firewalld_zone_new(words[i], *zone));
    }
    return TRUE;
}

GPtrArray *firewalld_parse_zones(const char *text, gsize length, GError **error)
{
    g_autoptr(GPtrArray) zones = g_ptr_array_new_with_free_func((GDestroyNotify)firewalld_zone_free);
    g_autofree char *whole = g_strndup(text, length);
    g_auto(GStrv) lines = g_strsplit(whole, "\n", -1);
    g_autofree char *zone = NULL;

    if (strlen(whole) != length) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "nul: a NUL byte in it");
        return NULL;
    }
    for (guint i = 0; lines[i]; i++) {
        if (!take_line(zones, &zone, lines[i], error))
            return NULL;
    }
    return g_steal_pointer(&zones);
}

static void status_failed(SourceStatus *status, const GError *error)
{
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND) || firewalld_is_off(error->message))
        source_status_set(status, SOURCE_ABSENT, error->message);
    else
        source_status_set(status, status->generation ? SOURCE_STALE : SOURCE_DOWN, error->message);
}

void firewalld_read(Facts *facts, Deadline deadline)
{
    static const char *const argv[] = {"firewall-cmd", "--get-active-zones", NULL};
    SourceStatus *status = &facts->sources[SOURCE_FIREWALLD];
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    GPtrArray *zones = NULL;
    gsize length = 0;

    if (access(SYSTEM_BUS, F_OK) < 0) {
        source_status_set(status, SOURCE_ABSENT, "firewalld does not run: there is no system bus");
        return;
    }
    if (run_program(argv, ZONES_BYTES, deadline, &text, &length, &error))
        zones = firewalld_parse_zones(text, length, &error);
    if (!zones) {
        status_failed(status, error);
        return;
    }
    g_ptr_array_unref(facts->zones);
    facts->zones = zones;
    status->generation++;
    status->time = facts->now;
    source_status_set(status, SOURCE_LIVE, NULL);
}
