/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/run.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A Run is a child process, the read ends of its two pipes, and a pidfd that turns readable when it ends: so
 * its end is waited for by poll(2) with the deadline, and no handler of SIGCHLD is needed. The program's end,
 * not the pipes', ends the run: a grandchild that keeps a pipe open must not hold us. What the program wrote
 * before its end is in the pipe by then, and read last.
 *
 * pid is 0 once the child was reaped; then the number may be another process's, and is never used again.
 */

#define RUN_PATH "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
/* Of stderr only the end is kept: the last line is what is quoted. */
#define RUN_STDERR_BYTES 4096
/* How long a killed process may take to go; one that hangs in the kernel is left to it. */
#define RUN_KILL_SECONDS 0.2

typedef struct {
    int fd; /* -1 once at its end */
    GString *text;
} RunPipe;

struct Run {
    char *name;
    pid_t pid;
    int pidfd;
    RunPipe out, err;
};

static void run_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void run_pipe_clear(RunPipe *pipe)
{
    run_close(&pipe->fd);
    if (pipe->text)
        g_string_free(pipe->text, TRUE);
    pipe->text = NULL;
}

/* ---------------------------------------------------------------------------------------- starting */

/* The program's file, or NULL. */
static char *run_search(const char *name)
{
    g_auto(GStrv) dirs = g_strsplit(RUN_PATH, ":", -1);

    if (g_path_is_absolute(name))
        return g_file_test(name, G_FILE_TEST_IS_REGULAR) ? g_strdup(name) : NULL;
    if (strchr(name, '/'))
        return NULL;
    for (gsize i = 0; dirs[i]; i++) {
        g_autofree char *path = g_build_filename(dirs[i], name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && access(path, X_OK) == 0)
            return g_steal_pointer(&path);
    }
    return NULL;
}

/*
 * The child's side, up to exec: /dev/null and the pipes as its descriptors 0 to 2, nothing above; its own
 * process group, so that its children can be killed with it; no signal blocked or ignored, SIGPIPE above all.
 */
static int run_spawn(const char *path, const char *const *argv, int out, int err, pid_t *pid)
{
    const char *const env[] = {"PATH=" RUN_PATH, "LC_ALL=C", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    sigset_t all;
    int status;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    /* POSIX has the strings not const for C's sake only; they are not written to. */
    status =
        posix_spawn(pid, path, &actions, &attr, (char *const *)(gpointer)argv, (char *const *)(gpointer)env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

/* Makes a pipe whose read end, ours, does not block; 0 or errno. */
static int run_pipe_open(RunPipe *end, int *child_end)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return errno;
    end->fd = fds[0];
    end->text = g_string_new(NULL);
    *child_end = fds[1];
    return fcntl(end->fd, F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

/* Spawns into run, which is empty but for its name; 0 or errno. */
static int run_launch(Run *run, const char *path, const char *const *argv)
{
    int out = -1;
    int err = -1;
    int status = run_pipe_open(&run->out, &out);

    if (!status)
        status = run_pipe_open(&run->err, &err);
    if (!status)
        status = run_spawn(path, argv, out, err, &run->pid);
    run_close(&out);
    run_close(&err);
    if (status) {
        run->pid = 0;
        return status;
    }
    run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    return run->pidfd < 0 ? errno : 0;
}

Run *run_start(const char *const *argv, GError **error)
{
    g_autofree char *path = run_search(argv[0]);
    Run *run;
    int status;

    if (!path) {
        vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "%s: no such program is installed", argv[0]);
        return NULL;
    }
    run = g_new0(Run, 1);
    run->name = g_strdup(argv[0]);
    run->pidfd = run->out.fd = run->err.fd = -1;
    status = run_launch(run, path, argv);
    if (!status)
        return run;
    vnat_error_set(error, status == EACCES || status == EPERM ? VNAT_ERROR_DENIED : VNAT_ERROR_FAILED,
                   "%s: cannot be run: %s", argv[0], g_strerror(status));
    run_free(run);
    return NULL;
}

/* --------------------------------------------------------------------------------------- finishing */

/*
 * Waits for the end of the process until the deadline and reaps it; FALSE if it still lives. Without a pidfd
 * (the kernel gave none: run_start failed, and the process was killed) it waits as long as it takes.
 */
static gboolean run_reap(Run *run, Deadline deadline, int *status)
{
    struct pollfd end = {.fd = run->pidfd, .events = POLLIN};
    pid_t got;

    while (run->pidfd >= 0 && poll(&end, 1, deadline_poll_ms(deadline)) < 0 && errno == EINTR)
        ;
    do
        got = waitpid(run->pid, status, run->pidfd >= 0 ? WNOHANG : 0);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return FALSE;
    /* Somebody else's wait took the status: count it as a clean end, the output says what it is worth. */
    if (got < 0)
        *status = 0;
    run->pid = 0;
    return TRUE;
}

static void run_kill(Run *run)
{
    int status;

    if (run->pid <= 0)
        return;
    kill(-run->pid, SIGKILL);
    run_reap(run, deadline_in(RUN_KILL_SECONDS), &status);
}

void run_free(Run *run)
{
    if (!run)
        return;
    run_kill(run);
    run_close(&run->pidfd);
    run_pipe_clear(&run->out);
    run_pipe_clear(&run->err);
    g_free(run->name);
    g_free(run);
}

/* Reads once. TRUE if something came, FALSE at the pipe's end or if it is empty for now. */
static gboolean run_pipe_read(RunPipe *pipe)
{
    char chunk[65536];
    gssize got;

    if (pipe->fd < 0)
        return FALSE;
    do
        got = read(pipe->fd, chunk, sizeof(chunk));
    while (got < 0 && errno == EINTR);
    if (got > 0)
        g_string_append_len(pipe->text, chunk, got);
    else if (got == 0 || errno != EAGAIN)
        run_close(&pipe->fd);
    return got > 0;
}

static void run_keep_stderr(RunPipe *err)
{
    if (err->text->len > RUN_STDERR_BYTES)
        g_string_erase(err->text, 0, (gssize)(err->text->len - RUN_STDERR_BYTES));
}

static gboolean run_read(Run *run, gsize max_bytes, GError **error)
{
    gboolean more = run_pipe_read(&run->out);

    more |= run_pipe_read(&run->err);
    run_keep_stderr(&run->err);
    if (run->out.text->len > max_bytes)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s: printed more than %" G_GSIZE_FORMAT " bytes",
                              run->name, max_bytes);
    return more;
}

/*
 * Reads until the process ended and both pipes are empty. FALSE with an error set at the deadline or the
 * limit. A poll that fails otherwise than by a signal cannot happen with descriptors that are ours; the
 * deadline would catch it.
 */
static gboolean run_communicate(Run *run, gsize max_bytes, Deadline deadline, GError **error)
{
    gboolean ended = FALSE;
    GError *failure = NULL;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = run->out.fd, .events = POLLIN},
            {.fd = run->err.fd, .events = POLLIN},
            {.fd = run->pidfd, .events = POLLIN},
        };
        gboolean more;

        if (!ended && poll(fds, G_N_ELEMENTS(fds), deadline_poll_ms(deadline)) >= 0)
            ended = fds[2].revents != 0;
        more = run_read(run, max_bytes, &failure);
        if (failure) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        if (ended && !more)
            return TRUE;
        if (deadline_passed(deadline))
            return vnat_error_set(error, VNAT_ERROR_DEADLINE, "%s: did not end in time", run->name);
    }
}

/* The last line that is not empty, without its line feed; new string. */
static char *run_last_line(const GString *text)
{
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);

    for (gsize i = g_strv_length(lines); i-- > 0;) {
        if (*g_strstrip(lines[i]))
            return g_strdup(lines[i]);
    }
    return NULL;
}

/* How netfilter's programs, and the C library, say that rights are missing. */
static gboolean run_was_denied(const char *text)
{
    static const char *const words[] = {"Operation not permitted", "Permission denied", "you must be root"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strstr(text, words[i]))
            return TRUE;
    }
    return FALSE;
}

static gboolean run_judge(const Run *run, int status, GError **error)
{
    g_autofree char *line = NULL;
    VnatError code;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    if (WIFSIGNALED(status))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s: killed by signal %d", run->name,
                              WTERMSIG(status));
    line = run_last_line(run->err.text);
    if (!line)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s: exit status %d", run->name, WEXITSTATUS(status));
    code = run_was_denied(run->err.text->str) ? VNAT_ERROR_DENIED : VNAT_ERROR_FAILED;
    return vnat_error_set(error, code, "%s: %s", run->name, line);
}

gboolean run_finish(Run *run, gsize max_bytes, Deadline deadline, char **output, gsize *length,
                    GError **error)
{
    int status = 0;

    /* The process has ended by now, so this does not wait. */
    if (!run_communicate(run, max_bytes, deadline, error)) {
        run_kill(run);
        return FALSE;
    }
    if (!run_reap(run, deadline_in(RUN_KILL_SECONDS), &status))
        return vnat_error_set(error, VNAT_ERROR_FAILED, "%s: cannot be waited for", run->name);
    if (!run_judge(run, status, error))
        return FALSE;
    if (length)
        *length = run->out.text->len;
    *output = g_string_free(g_steal_pointer(&run->out.text), FALSE);
    return TRUE;
}

gboolean run_program(const char *const *argv, gsize max_bytes, Deadline deadline, char **output,
                     gsize *length, GError **error)
{
    g_autoptr(Run) run = NULL;

    /* No time is no time, also for a program that would have ended at once. */
    if (deadline_passed(deadline))
        return vnat_error_set(error, VNAT_ERROR_DEADLINE, "%s: did not end in time", argv[0]);
    run = run_start(argv, error);
    return run && run_finish(run, max_bytes, deadline, output, length, error);
}
