/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/processes.h"

#include "base/error.h"
#include "base/file.h"
#include "base/name.h"
#include "config.h"
#include "sources/processes-private.h"
#include "sources/sockets.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Theory of operation.
 *
 * libvirt does not watch its dnsmasq: a network stays active when it is gone. What there is, is a pid file
 * that stays behind, and a number that the kernel gives to another process some day. So "alive" is only said
 * of a process whose command line names the network's configuration file, and that is no zombie.
 *
 * And "not alive" is only said where processes can be seen. Two things hide them: /proc mounted with hidepid
 * (the kernel still answers kill(pid, 0)), and another pid namespace (a libvirtd in a container whose files
 * are shared). For the latter the daemon's own pid file is the witness: the daemon has just answered, so if
 * its number names no process, the numbers are not ours.
 *
 * A pid file can go, or be overwritten, while its process serves on (dnsmasq-search.c looks for that).
 */

#define PID_FILE_BYTES 64
#define CMDLINE_BYTES ((gsize)64 * 1024)
#define CONFIG_BYTES ((gsize)1024 * 1024)
#define STAT_BYTES 4096
#define PASSWD_BYTES 4096
/* NAME_MAX less the longest ending that is put behind a name. */
#define NAME_BYTES (255 - 8)

/* ------------------------------------------------------------------------------------ pure parsers */

static gboolean word_is_program(const char *word, gsize length, const char *program)
{
    const char *slash = memrchr(word, '/', length);
    gsize skip = slash ? (gsize)(slash - word) + 1 : 0;

    return length - skip == strlen(program) && memcmp(word + skip, program, length - skip) == 0;
}

static gboolean word_is_config(const char *word, gsize length, const char *config)
{
    const gsize option = strlen("--conf-file=");

    return length == option + strlen(config) && memcmp(word, "--conf-file=", option) == 0 &&
           memcmp(word + option, config, length - option) == 0;
}

gboolean dnsmasq_cmdline_matches(const char *cmdline, gsize length, const char *config)
{
    const char *word = cmdline, *past;

    if (length == 0)
        return FALSE; /* a zombie's; the bytes may then be NULL */
    past = cmdline + length;
    while (word < past) {
        const char *nul = memchr(word, '\0', (gsize)(past - word));
        const char *end = nul ? nul : past;

        if (word == cmdline && !word_is_program(word, (gsize)(end - word), "dnsmasq"))
            return FALSE;
        if (word != cmdline && word_is_config(word, (gsize)(end - word), config))
            return TRUE;
        if (!nul)
            break;
        word = end + 1;
    }
    return FALSE;
}

char proc_stat_state(const char *stat, gsize length)
{
    /* "PID (NAME) S …": the name may hold parentheses, the fields after it cannot. */
    const char *name = length ? memchr(stat, '(', length) : NULL;
    const char *paren = name ? memrchr(stat, ')', length) : NULL;
    gsize left = paren ? length - (gsize)(paren - stat) : 0;

    if (!paren || paren < name || left < 3 || paren[1] != ' ' || !g_ascii_isalpha(paren[2]))
        return 0;
    if (left > 3 && paren[3] != ' ' && paren[3] != '\n')
        return 0;
    return paren[2];
}

gboolean proc_state_lives(char state)
{
    return state && state != 'Z' && state != 'X' && state != 'x';
}

gboolean proc_stat_number(const char *stat, gsize length, guint field, guint64 *number)
{
    const guint skipped = 3; /* number, name, state */
    g_autofree char *line = g_strndup(stat, length);
    /* The name in parentheses may hold anything, the fields behind it cannot hold one. */
    const char *name_end = strrchr(line, ')');
    g_auto(GStrv) fields = NULL;

    if (!name_end || name_end[1] != ' ')
        return FALSE;
    fields = g_strsplit(name_end + 2, " ", (gint)(field - skipped) + 2);
    return g_strv_length(fields) > field - skipped &&
           g_ascii_string_to_unsigned(g_strchomp(fields[field - skipped]), 10, 0, G_MAXINT64, number, NULL);
}

/* --------------------------------------------------------------------------------------- processes */

static gboolean process_exists(gint pid)
{
    return kill(pid, 0) == 0 || errno == EPERM;
}

/* FALSE: it may not be read, so that what it says is not known. *pid: 0 where there is none, or no number in
 * it. */
static gboolean pid_file_read(const char *path, gint *pid)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    guint64 number;
    gsize length;

    *pid = 0;
    if (!file_read(path, PID_FILE_BYTES, FALSE, &text, &length, &error))
        return !g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DENIED);
    if (strlen(text) == length &&
        g_ascii_string_to_unsigned(g_strstrip(text), 10, 1, G_MAXINT, &number, NULL))
        *pid = (gint)number;
    return TRUE;
}

/* The user's name, or the number where it has none. */
static char *user_name(uid_t uid)
{
    char space[PASSWD_BYTES];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, space, sizeof(space), &found) == 0 && found)
        return g_strdup(found->pw_name);
    return g_strdup_printf("%u", (guint)uid);
}

static void dnsmasq_set_owner(Dnsmasq *dnsmasq)
{
    g_autofree char *path = g_strdup_printf("/proc/%d", dnsmasq->pid);
    struct stat entry;

    /* The directory itself belongs to the effective user even of a process that may not be dumped. */
    if (stat(path, &entry) < 0)
        return;
    dnsmasq->owner = (gint)entry.st_uid;
    dnsmasq->user = user_name(entry.st_uid);
}

static void dnsmasq_look_at_process(Dnsmasq *dnsmasq)
{
    g_autofree char *cmdline_path = g_strdup_printf("/proc/%d/cmdline", dnsmasq->pid);
    g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", dnsmasq->pid);
    gsize cmdline_length = 0, stat_length = 0;
    g_autofree char *cmdline = file_read_proc(cmdline_path, CMDLINE_BYTES, &cmdline_length);
    g_autofree char *stat_line = file_read_proc(stat_path, STAT_BYTES, &stat_length);
    char state = 0;

    if (stat_line)
        state = proc_stat_state(stat_line, stat_length);
    if (!cmdline || !state) {
        dnsmasq->unknown = process_exists(dnsmasq->pid);
        return;
    }
    dnsmasq->alive =
        proc_state_lives(state) && dnsmasq_cmdline_matches(cmdline, cmdline_length, dnsmasq->config);
}

static gboolean pids_are_foreign(const char *run_dir)
{
    g_autofree char *path = g_build_filename(run_dir, "network", "driver.pid", NULL);
    gint daemon_pid;

    return pid_file_read(path, &daemon_pid) && daemon_pid && !process_exists(daemon_pid);
}

/* Wider than name_is_network: networks that others defined may have blanks in their names. */
static gboolean name_is_file_name(const char *name)
{
    return name[0] && strlen(name) <= NAME_BYTES && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Where the pid file leads to none. It is read again: one that started meanwhile is in it by now. */
static void dnsmasq_search_for(Dnsmasq *dnsmasq, DnsmasqSearch *search, gboolean helps, const char *pid_path)
{
    gboolean all;
    gint pid = dnsmasq_search(search, dnsmasq->config, helps, &all);

    if (!pid) {
        dnsmasq->unknown = !dnsmasq->pid && !all;
        return;
    }
    dnsmasq->alive = TRUE;
    dnsmasq->pid = pid;
    dnsmasq->lost = pid_file_read(pid_path, &dnsmasq->claimed) && dnsmasq->claimed != pid;
    if (!dnsmasq->lost)
        dnsmasq->claimed = 0;
}

Dnsmasq *dnsmasq_look(const char *run_dir, const char *state_dir, const char *network, gboolean helps,
                      DnsmasqSearch *search)
{
    Dnsmasq *dnsmasq = dnsmasq_new();
    g_autofree char *pid_file = NULL;
    g_autofree char *pid_path = NULL;

    dnsmasq->network = g_strdup(network);
    if (!name_is_file_name(network)) {
        dnsmasq->unknown = TRUE;
        return dnsmasq;
    }
    dnsmasq->config = g_strconcat(state_dir, "/dnsmasq/", network, ".conf", NULL);
    pid_file = name_pid_file(network);
    pid_path = g_strconcat(run_dir, "/network/", pid_file, NULL);
    pid_file_read(pid_path, &dnsmasq->pid);
    if (dnsmasq->pid)
        dnsmasq_look_at_process(dnsmasq);
    if (dnsmasq->pid && !dnsmasq->alive && pids_are_foreign(run_dir))
        dnsmasq->unknown = TRUE;
    else if (!dnsmasq->alive && !dnsmasq->unknown)
        dnsmasq_search_for(dnsmasq, search, helps, pid_path);
    if (dnsmasq->alive)
        dnsmasq_set_owner(dnsmasq);
    return dnsmasq;
}

/* -------------------------------------------------------------------------------------- the source */

/* What a capture holds beside. */
static void dnsmasq_keep(Dnsmasq *dnsmasq)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", dnsmasq->pid);
    gsize length = 0;
    g_autofree char *cmdline = dnsmasq->alive ? file_read_proc(path, CMDLINE_BYTES, &length) : NULL;

    if (cmdline && length > 0) {
        g_autoptr(GPtrArray) words = g_ptr_array_new();

        for (gsize at = 0; at < length; at += strlen(cmdline + at) + 1)
            g_ptr_array_add(words, g_strdup(cmdline + at));
        g_ptr_array_add(words, NULL);
        dnsmasq->argv = (char **)g_ptr_array_steal(words, NULL);
    }
    if (dnsmasq->config)
        file_read(dnsmasq->config, CONFIG_BYTES, FALSE, &dnsmasq->options, &length, NULL);
}

static gboolean lease_file_is_gone(const Network *network)
{
    g_autofree char *path = NULL;

    if (!network->bridge || !name_is_ifname(network->bridge))
        return FALSE;
    path = g_strconcat(VNAT_LIBVIRT_STATE_DIR "/dnsmasq/", network->bridge, ".status", NULL);
    return access(path, F_OK) < 0 && errno == ENOENT;
}

static GPtrArray *dnsmasqs_look(const Facts *facts)
{
    GPtrArray *dnsmasqs = g_ptr_array_new_with_free_func((GDestroyNotify)dnsmasq_free);
    g_autoptr(DnsmasqSearch) search = dnsmasq_search_new();

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];
        Dnsmasq *dnsmasq;

        /* Of a network that is not active too: one that was left behind is worth knowing. */
        if (!network->name || !network_wants_dnsmasq(network))
            continue;
        dnsmasq = dnsmasq_look(VNAT_LIBVIRT_RUN_DIR, VNAT_LIBVIRT_STATE_DIR, network->name,
                               network_has_dhcp(network, 0), search);
        dnsmasq->no_lease_file = lease_file_is_gone(network);
        if (facts->keep)
            dnsmasq_keep(dnsmasq);
        g_ptr_array_add(dnsmasqs, dnsmasq);
    }
    return dnsmasqs;
}

static gboolean sockets_replace(Facts *facts, Deadline deadline, GError **error)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(gint));
    GPtrArray *sockets = sockets_read(deadline, error);

    if (!sockets)
        return FALSE;
    for (guint i = 0; i < facts->dnsmasqs->len; i++) {
        const Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[i];

        if (dnsmasq->alive)
            g_array_append_val(pids, dnsmasq->pid);
    }
    facts->socket_owners_known =
        sockets_find_owners(sockets, pids, deadline) || sockets_drop_closed(sockets, deadline);
    facts->sockets_read = TRUE;
    g_ptr_array_unref(facts->sockets);
    facts->sockets = sockets;
    return TRUE;
}

gboolean processes_read(Facts *facts, gboolean sockets, Deadline deadline, GError **error)
{
    SourceStatus *status = &facts->sources[SOURCE_PROCESSES];
    g_autoptr(GError) cause = NULL;

    /* Without /proc nothing at all can be said. */
    if (access("/proc/self/stat", R_OK) < 0) {
        source_status_set(status, status->generation ? SOURCE_STALE : SOURCE_DOWN, "/proc cannot be read");
        return vnat_error_set(error, VNAT_ERROR_FAILED, "/proc cannot be read");
    }
    g_ptr_array_unref(facts->dnsmasqs);
    facts->dnsmasqs = dnsmasqs_look(facts);
    status->generation++;
    status->time = facts->now;
    if (sockets && !sockets_replace(facts, deadline, &cause))
        source_status_set(status, SOURCE_STALE, cause->message);
    else
        source_status_set(status, SOURCE_LIVE, NULL);
    return TRUE;
}
