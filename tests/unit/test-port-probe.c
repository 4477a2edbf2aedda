/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/port-probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Doors are ports of this machine's loopback, whose numbers the kernel chooses. */
typedef struct {
    GMainLoop *loop;
    PortProbe *probe;
    int fd;
    guint16 port;
    GArray *addresses;
    char opened[IP_TEXT];
    guint guard;
} Desk;

static gboolean on_guard(gpointer data)
{
    g_error("nothing came in 20 s");
    return G_SOURCE_REMOVE;
}

static void on_open(const Ip *ip, gpointer data)
{
    Desk *desk = data;

    g_assert_cmpstr(desk->opened, ==, "");
    ip_format(ip, desk->opened);
    g_main_loop_quit(desk->loop);
}

/* A port that is bound, so that nobody else gets it, and does not listen yet. */
static void desk_set_up(Desk *desk, gconstpointer data)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    desk->loop = g_main_loop_new(NULL, FALSE);
    desk->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(desk->fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(getsockname(desk->fd, (struct sockaddr *)&address, &length), ==, 0);
    desk->port = ntohs(address.sin_port);
    desk->addresses = g_array_new(FALSE, FALSE, sizeof(Ip));
    desk->probe = port_probe_new(desk->port, on_open, desk);
    desk->guard = g_timeout_add_seconds(100, on_guard, NULL);
}

static void desk_tear_down(Desk *desk, gconstpointer data)
{
    port_probe_free(desk->probe);
    g_source_remove(desk->guard);
    close(desk->fd);
    g_array_unref(desk->addresses);
    g_main_loop_unref(desk->loop);
    g_assert_false(g_main_context_pending(NULL));
}

static void desk_knock(Desk *desk, const char *address)
{
    Ip ip;

    g_assert_true(ip_parse(address, &ip));
    g_array_append_val(desk->addresses, ip);
    port_probe_set(desk->probe, desk->addresses);
}

/* Runs the loop until there was an answer that is none. */
static const char *desk_refusal(Desk *desk)
{
    const char *error;
    Ip ip;

    while (!port_probe_last(desk->probe, &ip, &error))
        g_main_context_iteration(NULL, TRUE);
    return error;
}

static void test_open(Desk *desk, gconstpointer data)
{
    const char *error;
    Ip ip;

    g_assert_cmpint(listen(desk->fd, 1), ==, 0);
    desk_knock(desk, "127.0.0.1");
    g_main_loop_run(desk->loop);
    g_assert_cmpstr(desk->opened, ==, "127.0.0.1");
    g_assert_false(port_probe_last(desk->probe, &ip, &error));
    /* It was told once, and that was it. */
    desk_knock(desk, "127.0.0.2");
    g_assert_false(g_main_context_pending(NULL));
}

/* A program that begins to listen later is found; nothing tells of it. */
static void test_opens_later(Desk *desk, gconstpointer data)
{
    desk_knock(desk, "127.0.0.1");
    g_assert_cmpstr(desk_refusal(desk), ==, "Connection refused");
    g_assert_cmpstr(desk->opened, ==, "");
    g_assert_cmpint(listen(desk->fd, 1), ==, 0);
    g_main_loop_run(desk->loop);
    g_assert_cmpstr(desk->opened, ==, "127.0.0.1");
}

/* Of several addresses the one that answers; those that are gone from the list are left alone. */
static void test_several(Desk *desk, gconstpointer data)
{
    int ipv6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(desk->port)};

    desk_knock(desk, "127.0.0.2");
    desk_refusal(desk);
    address.sin6_addr = in6addr_loopback;
    if (ipv6 < 0 || bind(ipv6, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(ipv6, 1) < 0) {
        close(ipv6);
        g_test_skip("no IPv6 loopback");
        return;
    }
    desk_knock(desk, "::1");
    g_main_loop_run(desk->loop);
    g_assert_cmpstr(desk->opened, ==, "::1");
    close(ipv6);
}

static void test_taken_back(Desk *desk, gconstpointer data)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(Ip));

    g_assert_cmpint(listen(desk->fd, 1), ==, 0);
    desk_knock(desk, "127.0.0.1");
    port_probe_set(desk->probe, none);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    g_assert_cmpstr(desk->opened, ==, "");
}

#define ADD(name, function) g_test_add("/port-probe/" name, Desk, NULL, desk_set_up, function, desk_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("open", test_open);
    ADD("opens-later", test_opens_later);
    ADD("several", test_several);
    ADD("taken-back", test_taken_back);
    return g_test_run();
}
