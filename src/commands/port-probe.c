/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/port-probe.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_DELAY 250 /* milliseconds */
#define LAST_DELAY 1000
#define PATIENCE 3000

/*
 * A door is either being knocked at (fd open, answer waits for it, timer gives it up) or at rest (fd -1,
 * timer knocks again).
 */
typedef struct {
    PortProbe *probe;
    Ip ip;
    int fd;
    guint answer, timer; /* sources; 0: none */
    guint delay;
} Door;

struct PortProbe {
    guint16 port;
    PortOpen open;
    gpointer data;
    GPtrArray *doors; /* Door */
    gboolean is_open;
    gboolean has_last;
    Ip last;
    int last_error;
};

static void door_stop(Door *door)
{
    if (door->answer)
        g_source_remove(door->answer);
    if (door->timer)
        g_source_remove(door->timer);
    if (door->fd >= 0)
        close(door->fd);
    door->answer = door->timer = 0;
    door->fd = -1;
}

static void door_free(gpointer data)
{
    door_stop(data);
    g_free(data);
}

static void door_knock(Door *door);

static gboolean on_again(gpointer data)
{
    Door *door = data;

    door->timer = 0;
    door_knock(door);
    return G_SOURCE_REMOVE;
}

static void door_refused(Door *door, int error)
{
    PortProbe *probe = door->probe;

    door_stop(door);
    probe->has_last = TRUE;
    probe->last = door->ip;
    probe->last_error = error;
    door->timer = g_timeout_add(door->delay, on_again, door);
    door->delay = MIN(door->delay * 2, LAST_DELAY);
}

static void door_opened(Door *door)
{
    PortProbe *probe = door->probe;
    Ip ip = door->ip;

    probe->is_open = TRUE;
    g_ptr_array_set_size(probe->doors, 0); /* frees door */
    probe->open(&ip, probe->data);
}

static gboolean on_patience(gpointer data)
{
    Door *door = data;

    door->timer = 0;
    door_refused(door, ETIMEDOUT);
    return G_SOURCE_REMOVE;
}

static gboolean on_answer(gint fd, GIOCondition condition, gpointer data)
{
    Door *door = data;
    socklen_t length = sizeof(int);
    int error = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    door->answer = 0;
    if (error)
        door_refused(door, error);
    else
        door_opened(door);
    return G_SOURCE_REMOVE;
}

static int door_connect(const Door *door)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(door->probe->port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(door->probe->port)};

    if (door->ip.family == 4) {
        memcpy(&four.sin_addr, door->ip.bytes, sizeof(four.sin_addr));
        return connect(door->fd, (struct sockaddr *)&four, sizeof(four));
    }
    memcpy(&six.sin6_addr, door->ip.bytes, sizeof(six.sin6_addr));
    return connect(door->fd, (struct sockaddr *)&six, sizeof(six));
}

static void door_knock(Door *door)
{
    door->fd =
        socket(door->ip.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (door->fd < 0 || (door_connect(door) < 0 && errno != EINPROGRESS)) {
        door_refused(door, errno);
        return;
    }
    /* One that is connected already is writable at once. */
    door->answer = g_unix_fd_add(door->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_answer, door);
    door->timer = g_timeout_add(PATIENCE, on_patience, door);
}

static Door *door_find(const PortProbe *probe, const Ip *ip)
{
    for (guint i = 0; i < probe->doors->len; i++) {
        Door *door = probe->doors->pdata[i];

        if (ip_equal(&door->ip, ip))
            return door;
    }
    return NULL;
}

static gboolean is_among(const Ip *ip, const GArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++) {
        if (ip_equal(&g_array_index(addresses, Ip, i), ip))
            return TRUE;
    }
    return FALSE;
}

void port_probe_set(PortProbe *probe, const GArray *addresses)
{
    for (guint i = probe->doors->len; i > 0; i--) {
        if (!is_among(&((const Door *)probe->doors->pdata[i - 1])->ip, addresses))
            g_ptr_array_remove_index(probe->doors, i - 1);
    }
    for (guint i = 0; i < addresses->len && !probe->is_open; i++) {
        const Ip *ip = &g_array_index(addresses, Ip, i);
        Door *door;

        if (door_find(probe, ip))
            continue;
        door = g_new0(Door, 1);
        *door = (Door){.probe = probe, .ip = *ip, .fd = -1, .delay = FIRST_DELAY};
        g_ptr_array_add(probe->doors, door);
        door_knock(door);
    }
}

gboolean port_probe_last(const PortProbe *probe, Ip *ip, const char **error)
{
    if (!probe->has_last)
        return FALSE;
    *ip = probe->last;
    *error = g_strerror(probe->last_error);
    return TRUE;
}

PortProbe *port_probe_new(guint16 port, PortOpen open, gpointer data)
{
    PortProbe *probe = g_new0(PortProbe, 1);

    probe->port = port;
    probe->open = open;
    probe->data = data;
    probe->doors = g_ptr_array_new_with_free_func(door_free);
    return probe;
}

void port_probe_free(PortProbe *probe)
{
    if (!probe)
        return;
    g_ptr_array_unref(probe->doors);
    g_free(probe);
}
