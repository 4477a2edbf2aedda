/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/dnsmasq-search.h"

#include "base/file.h"
#include "sources/processes.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Theory of operation.
 *
 * dnsmasq writes its pid file when it starts, and never looks again. Without the file it serves on, and
 * libvirt, which reads it when its daemon starts, then knows nothing of it: it will neither end it nor start
 * another on its ports. So it is looked for by what it is: /proc/PID/comm says who may be one (a read that
 * never waits for the process, as one of its command line can), and the command line whose.
 *
 * Two that look the same are not it:
 *  - The helper that dnsmasq forks before it gives up its rights, to run the lease script as root: same name,
 *    same command line, no socket. It is the child of a dnsmasq. When that is killed it ends too, but only
 * when its script has; meanwhile it is an orphan that runs as root and has no helper itself.
 *  - That of a libvirt in a container, which has the same paths: it is of a pid namespace below, or of
 * another network namespace.
 */

#define COMM "dnsmasq\n"
#define COMM_BYTES 256
#define STAT_BYTES 4096
#define STATUS_BYTES ((gsize)64 * 1024)
#define CMDLINE_BYTES ((gsize)64 * 1024)
#define PARENT_FIELD 4 /* of /proc/PID/stat */
#define LINK_BYTES 64

struct DnsmasqSearch {
    GPtrArray *processes; /* NULL: not listed yet */
    gboolean all;
};

/* ------------------------------------------------------------------------------------ pure parts */

static gboolean has_child(const GPtrArray *processes, const DnsmasqProcess *process)
{
    for (guint i = 0; i < processes->len; i++) {
        if (((const DnsmasqProcess *)processes->pdata[i])->parent == process->pid)
            return TRUE;
    }
    return FALSE;
}

static gboolean is_child(const GPtrArray *processes, const DnsmasqProcess *process)
{
    for (guint i = 0; i < processes->len; i++) {
        if (((const DnsmasqProcess *)processes->pdata[i])->pid == process->parent)
            return TRUE;
    }
    return FALSE;
}

const DnsmasqProcess *dnsmasq_processes_pick(const GPtrArray *processes, const char *config, gboolean helps)
{
    for (guint i = 0; i < processes->len; i++) {
        const DnsmasqProcess *process = processes->pdata[i];

        if (process->usable && dnsmasq_cmdline_matches(process->cmdline, process->length, config) &&
            !is_child(processes, process) && (process->uid != 0 || !helps || has_child(processes, process)))
            return process;
    }
    return NULL;
}

gboolean proc_status_is_here(const char *status)
{
    const char *line = strstr(status, "\nNSpid:\t");

    if (!line)
        return TRUE;
    line += strlen("\nNSpid:\t");
    return strspn(line, "0123456789") == strcspn(line, "\n");
}

/* ------------------------------------------------------------------------------------------ listing */

static char *proc_read(gint pid, const char *file, gsize most, gsize *length)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, file);

    return file_read_proc(path, most, length);
}

static gboolean read_net_link(const char *path, char target[LINK_BYTES])
{
    ssize_t length = readlink(path, target, LINK_BYTES - 1);

    target[MAX(length, 0)] = '\0';
    return length > 0;
}

/* Of another user's process only root is told; then its pid namespace has to do. */
static gboolean is_in_our_network(gint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", pid);
    char own[LINK_BYTES], its[LINK_BYTES];

    return !read_net_link("/proc/self/ns/net", own) || !read_net_link(path, its) || strcmp(own, its) == 0;
}

static void process_free(gpointer data)
{
    DnsmasqProcess *process = data;

    g_free(process->cmdline);
    g_free(process);
}

/* NULL: it has gone. */
static DnsmasqProcess *process_read(gint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d", pid);
    gsize stat_length = 0, status_length = 0;
    g_autofree char *line = proc_read(pid, "stat", STAT_BYTES, &stat_length);
    g_autofree char *status = proc_read(pid, "status", STATUS_BYTES, &status_length);
    DnsmasqProcess *process;
    guint64 parent = 0;
    struct stat entry;

    if (!line || !status || !proc_stat_number(line, stat_length, PARENT_FIELD, &parent) ||
        stat(path, &entry) < 0)
        return NULL;
    process = g_new0(DnsmasqProcess, 1);
    process->pid = pid;
    process->parent = (gint)parent;
    process->uid = entry.st_uid;
    process->cmdline = proc_read(pid, "cmdline", CMDLINE_BYTES, &process->length);
    process->usable = process->cmdline && proc_state_lives(proc_stat_state(line, stat_length)) &&
                      proc_status_is_here(status) && is_in_our_network(pid);
    return process;
}

static void list(DnsmasqSearch *search)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    guint64 pid;

    search->processes = g_ptr_array_new_with_free_func(process_free);
    /* With hidepid the first process is hidden, like all those of others. */
    search->all = directory && access("/proc/1/stat", R_OK) == 0;
    while (directory && (entry = readdir(directory))) {
        g_autofree char *comm = NULL;
        gsize length;
        DnsmasqProcess *process;

        if (!g_ascii_string_to_unsigned(entry->d_name, 10, 1, G_MAXINT, &pid, NULL))
            continue;
        comm = proc_read((gint)pid, "comm", COMM_BYTES, &length);
        process = comm && strcmp(comm, COMM) == 0 ? process_read((gint)pid) : NULL;
        if (process)
            g_ptr_array_add(search->processes, process);
    }
    if (directory)
        (void)closedir(directory);
}

DnsmasqSearch *dnsmasq_search_new(void)
{
    return g_new0(DnsmasqSearch, 1);
}

void dnsmasq_search_free(DnsmasqSearch *search)
{
    if (search && search->processes)
        g_ptr_array_unref(search->processes);
    g_free(search);
}

gint dnsmasq_search(DnsmasqSearch *search, const char *config, gboolean helps, gboolean *all)
{
    const DnsmasqProcess *found;

    if (!search->processes)
        list(search);
    *all = search->all;
    found = dnsmasq_processes_pick(search->processes, config, helps);
    return found ? found->pid : 0;
}
