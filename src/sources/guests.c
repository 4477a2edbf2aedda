/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"
#include "base/name.h"
#include "config.h"
#include "sources/guests-private.h"
#include "sources/processes.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define PID_FILE_BYTES 64
#define STAT_BYTES 4096
#define CMDLINE_BYTES ((gsize)64 * 1024)
/* NAME_MAX less ".pid". */
#define NAME_BYTES 251
#define START_FIELD 22 /* of /proc/PID/stat */

gboolean guest_stat_start(const char *stat, gsize length, guint64 *ticks)
{
    return proc_stat_number(stat, length, START_FIELD, ticks);
}

gboolean guest_cmdline_matches(const char *cmdline, gsize length, const char *uuid)
{
    /* All of it is copied, NUL bytes too, so that the last word ends. */
    g_autoptr(GString) words = g_string_new_len(length > 0 ? cmdline : "", (gssize)length);
    gboolean named = FALSE;

    for (gsize at = 0; at < length;) {
        const char *word = words->str + at;

        if (named)
            return g_ascii_strcasecmp(word, uuid) == 0;
        named = strcmp(word, "-uuid") == 0;
        at += strlen(word) + 1;
    }
    return FALSE;
}

static gint pid_of(const char *run_dir, const char *name)
{
    g_autofree char *file = name_pid_file(name);
    g_autofree char *path = g_strconcat(run_dir, "/qemu/", file, NULL);
    g_autofree char *text = NULL;
    guint64 pid = 0;
    gsize length;

    if (!file_read(path, PID_FILE_BYTES, FALSE, &text, &length, NULL) ||
        !g_ascii_string_to_unsigned(g_strstrip(text), 10, 1, G_MAXINT, &pid, NULL))
        return 0;
    return (gint)pid;
}

static gboolean name_is_file_name(const char *name)
{
    return name && *name && strlen(name) <= NAME_BYTES && !strchr(name, '/');
}

double guest_start(const char *run_dir, const Domain *domain)
{
    gint pid = name_is_file_name(domain->name) ? pid_of(run_dir, domain->name) : 0;
    g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *cmdline_path = g_strdup_printf("/proc/%d/cmdline", pid);
    g_autofree char *stat = NULL, *cmdline = NULL;
    gsize stat_length = 0, cmdline_length = 0;
    guint64 ticks;

    if (!pid || !domain->uuid)
        return -1;
    cmdline = file_read_proc(cmdline_path, CMDLINE_BYTES, &cmdline_length);
    stat = file_read_proc(stat_path, STAT_BYTES, &stat_length);
    if (!cmdline || !stat || !guest_cmdline_matches(cmdline, cmdline_length, domain->uuid) ||
        !guest_stat_start(stat, stat_length, &ticks))
        return -1;
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static gboolean is_system_qemu(const Facts *facts)
{
    return facts->uri && g_str_has_prefix(facts->uri, "qemu") && g_str_has_suffix(facts->uri, ":///system");
}

void guests_read(Facts *facts)
{
    struct timespec up;

    if (!is_system_qemu(facts) || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
        return;
    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];
        double start = domain->state == DOMAIN_RUNNING ? guest_start(VNAT_LIBVIRT_RUN_DIR, domain) : -1;

        /* Ages are what counts, and the wall clock may have been set since. */
        domain->started = start < 0 ? 0 : facts->now - MAX((gint64)((double)up.tv_sec - start), 0);
    }
}
