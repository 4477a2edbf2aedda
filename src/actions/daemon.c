/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/daemon.h"

#include "base/error.h"
#include "base/file.h"
#include "base/run.h"
#include "config.h"
#include "sources/processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PID_FILE_BYTES 64
#define CMDLINE_BYTES ((gsize)64 * 1024)
#define STAT_BYTES 4096
#define OUTPUT_BYTES 4096

/* The network driver's own file comes first: whoever runs that driver holds it. */
static const char *const pid_files[] = {
    VNAT_LIBVIRT_RUN_DIR "/network/driver.pid",
    "/run/virtnetworkd.pid",
    "/run/libvirtd.pid",
};

/* Its sd_booted(3). */
#define SYSTEMD_DIR "/run/systemd/system"

static gint pid_read(const char *path)
{
    g_autofree char *text = NULL;
    guint64 pid;
    gsize length;

    if (!file_read(path, PID_FILE_BYTES, FALSE, &text, &length, NULL) ||
        !g_ascii_string_to_unsigned(g_strstrip(text), 10, 1, G_MAXINT, &pid, NULL))
        return 0;
    return (gint)pid;
}

static const char *program_known(const char *name)
{
    static const char *const programs[] = {"virtnetworkd", "libvirtd"};

    for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
        if (strcmp(programs[i], name) == 0)
            return programs[i];
    }
    return NULL;
}

const char *network_daemon_program(const char *exe)
{
    static const char deleted[] = " (deleted)";
    g_autofree char *path = g_strdup(exe);
    g_autofree char *name = NULL;

    if (g_str_has_suffix(path, deleted))
        path[strlen(path) - strlen(deleted)] = '\0';
    name = g_path_get_basename(path);
    return program_known(name);
}

/* Only root may see what another's process runs; its command line anybody, but a process can change that. */
static const char *program_of(gint pid)
{
    g_autofree char *exe_path = g_strdup_printf("/proc/%d/exe", pid);
    g_autofree char *cmdline_path = g_strdup_printf("/proc/%d/cmdline", pid);
    g_autofree char *exe = g_file_read_link(exe_path, NULL);
    g_autofree char *cmdline = exe ? NULL : file_read_proc(cmdline_path, CMDLINE_BYTES, NULL);

    if (exe)
        return network_daemon_program(exe);
    return cmdline && *cmdline ? network_daemon_program(cmdline) : NULL;
}

/* The descriptor first, then the look at what it is: the other way round another process could come between.
 */
static NetworkDaemon *daemon_of(gint pid, GError **error)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    const char *program;
    NetworkDaemon *daemon;

    if (pidfd < 0 && errno == ENOSYS)
        vnat_error_set(error, VNAT_ERROR_UNSUPPORTED, "this kernel has no pidfd_open");
    if (pidfd < 0)
        return NULL;
    program = program_of(pid);
    if (!program) {
        close(pidfd);
        return NULL;
    }
    daemon = g_new0(NetworkDaemon, 1);
    daemon->pid = pid;
    daemon->pidfd = pidfd;
    daemon->program = g_strdup(program);
    return daemon;
}

NetworkDaemon *network_daemon_find(GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(pid_files); i++) {
        gint pid = pid_read(pid_files[i]);
        GError *failed = NULL;
        NetworkDaemon *daemon = pid ? daemon_of(pid, &failed) : NULL;

        if (daemon)
            return daemon;
        if (failed) {
            g_propagate_error(error, failed);
            return NULL;
        }
    }
    vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "no pid file of this host names a virtnetworkd or libvirtd");
    return NULL;
}

void network_daemon_free(NetworkDaemon *daemon)
{
    if (!daemon)
        return;
    close(daemon->pidfd);
    g_free(daemon->program);
    g_free(daemon);
}

static gboolean send_signal(int pidfd, int number, const char *program, GError **error)
{
    int failed;

    if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0)
        return TRUE;
    failed = errno;
    return vnat_error_set(error,
                          failed == EPERM   ? VNAT_ERROR_DENIED
                          : failed == ESRCH ? VNAT_ERROR_NOT_FOUND
                                            : VNAT_ERROR_FAILED,
                          "cannot send %s to %s: %s", number == SIGHUP ? "SIGHUP" : "SIGTERM", program,
                          g_strerror(failed));
}

gboolean network_daemon_reload(const NetworkDaemon *daemon, GError **error)
{
    return send_signal(daemon->pidfd, SIGHUP, daemon->program, error);
}

/* --------------------------------------------------------------------------------------- restarting */

static gboolean systemd_runs(void)
{
    return access(SYSTEMD_DIR, F_OK) == 0;
}

char *network_daemon_restart_command(const NetworkDaemon *daemon)
{
    return systemd_runs() ? g_strdup_printf("systemctl restart %s", daemon->program)
                          : g_strdup_printf("service %s restart", daemon->program);
}

/* One that was started in another way would stay beside the unit's. */
static gboolean is_its_units(const NetworkDaemon *daemon, Deadline deadline, GError **error)
{
    const char *const argv[] = {"systemctl", "show", "--property=MainPID", "--value", daemon->program, NULL};
    g_autofree char *output = NULL;
    guint64 pid;

    if (!run_program(argv, OUTPUT_BYTES, deadline, &output, NULL, error))
        return FALSE;
    if (g_ascii_string_to_unsigned(g_strstrip(output), 10, 0, G_MAXINT, &pid, NULL) &&
        pid == (guint64)daemon->pid)
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_UNSUPPORTED, "%s (pid %d) was not started by systemd",
                          daemon->program, daemon->pid);
}

gboolean network_daemon_restart(const NetworkDaemon *daemon, Deadline deadline, GError **error)
{
    const char *const argv[] = {"systemctl", "restart", daemon->program, NULL};
    g_autofree char *command = network_daemon_restart_command(daemon);
    g_autofree char *output = NULL;
    gboolean ok;

    if (!systemd_runs())
        ok = vnat_error_set(error, VNAT_ERROR_UNSUPPORTED,
                            "%s (pid %d) has to be restarted, and no systemd runs here to do it",
                            daemon->program, daemon->pid);
    else
        ok = is_its_units(daemon, deadline, error) &&
             run_program(argv, OUTPUT_BYTES, deadline, &output, NULL, error);
    if (!ok)
        vnat_error_hint(error, "%s", command);
    return ok;
}

/* ------------------------------------------------------------------------------------------ dnsmasq */

static gboolean is_dnsmasq(gint pid, const char *config)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", pid);
    gsize length = 0;
    g_autofree char *cmdline = file_read_proc(path, CMDLINE_BYTES, &length);

    return cmdline && dnsmasq_cmdline_matches(cmdline, length, config);
}

/* A pidfd is readable when its process has ended. */
static gboolean await_end(int pidfd, gint pid, Deadline deadline, GError **error)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    while (poll(&end, 1, deadline_poll_ms(deadline)) < 1) {
        if (deadline_passed(deadline))
            return vnat_error_set(error, VNAT_ERROR_DEADLINE, "dnsmasq (pid %d) does not end", pid);
    }
    return TRUE;
}

gboolean dnsmasq_end(gint pid, const char *config, Deadline deadline, GError **error)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    gboolean ok;

    if (pidfd < 0)
        return vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "there is no process %d any more", pid);
    if (is_dnsmasq(pid, config))
        ok = send_signal(pidfd, SIGTERM, "dnsmasq", error) && await_end(pidfd, pid, deadline, error);
    else
        ok = vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "process %d is not that dnsmasq", pid);
    close(pidfd);
    return ok;
}

gboolean process_lives(gint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    gsize length = 0;
    g_autofree char *text = pid > 0 ? file_read_proc(path, STAT_BYTES, &length) : NULL;
    char state = 0;

    if (text)
        state = proc_stat_state(text, length);
    return state && state != 'Z' && state != 'X' && state != 'x';
}
