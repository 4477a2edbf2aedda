/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/facts.h"
#include "netlink-frames.h"
#include "own-netns.h"
#include "sources/processes.h"
#include "sources/sockets-parse.h"
#include "sources/sockets.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------------------- recorded */

typedef struct {
    GString *text;
    guint8 protocol;
} Listing;

/* "udp 192.168.122.1:53 %0 …" */
static void list_socket(const struct nlmsghdr *message, gpointer data)
{
    Listing *listing = data;
    Socket *one = socket_parse(message, listing->protocol);
    char ip[IP_TEXT];

    g_assert_nonnull(one);
    /* A TCP connection that was not accepted yet has none. */
    if (listing->protocol == IPPROTO_UDP)
        g_assert_cmpuint(one->inode, !=, 0);
    g_assert_cmpuint(one->uid, ==, 0);
    g_string_append_printf(listing->text, "%u %s %u %%%u %d\n", one->protocol, ip_format(&one->local, ip),
                           one->port, one->ifindex, one->v6only);
    socket_free(one);
}

static char *list_sockets(const char *file, guint8 protocol)
{
    g_auto(Frames) frames = frames_load(file);
    Listing listing = {.text = g_string_new(NULL), .protocol = protocol};

    g_assert_true(netlink_each(frames.bytes, frames.length, list_socket, &listing));
    return g_string_free(listing.text, FALSE);
}

static void assert_has(const char *listing, const char *line)
{
    if (!strstr(listing, line))
        g_error("no line %s in:\n%s", line, listing);
}

static void test_recorded(void)
{
    g_autofree char *udp4 = list_sockets("sockets/udp4.bin", IPPROTO_UDP);
    g_autofree char *udp6 = list_sockets("sockets/udp6.bin", IPPROTO_UDP);
    g_autofree char *tcp4 = list_sockets("sockets/tcp4.bin", IPPROTO_TCP);
    g_autofree char *tcp6 = list_sockets("sockets/tcp6.bin", IPPROTO_TCP);

    assert_has(udp4, "17 192.168.122.1 53 %0 0\n");
    assert_has(udp4, "17 0.0.0.0 67 %10 0\n");
    assert_has(udp4, "17 127.0.0.1 5353 %0 0\n");
    assert_has(udp6, "17 :: 547 %10 1\n");
    assert_has(udp6, "17 10.0.0.1 53 %0 0\n");
    assert_has(tcp4, "6 192.168.122.1 53 %0 0\n");
    assert_has(tcp6, "6 2001:db8:122::1 53 %0 1\n");
    assert_has(tcp6, "6 :: 8053 %0 0\n");
}

static void test_refused(void)
{
    g_auto(Frames) frames = frames_load("sockets/udp6.bin");
    g_autofree struct nlmsghdr *message = frames_copy(&frames, 0);
    struct inet_diag_msg *body = NLMSG_DATA(message);

    for (gsize length = NLMSG_HDRLEN; length <= message->nlmsg_len; length++) {
        g_autofree struct nlmsghdr *cut = frame_cut(message, length);
        Socket *one = socket_parse(cut, IPPROTO_UDP);

        g_assert_cmpint(one != NULL, ==, length >= NLMSG_HDRLEN + sizeof(*body));
        socket_free(one);
    }
    body->idiag_family = AF_UNIX;
    g_assert_null(socket_parse(message, IPPROTO_UDP));
    body->idiag_family = AF_INET6;
    message->nlmsg_type = SOCK_DIAG_BY_FAMILY + 1;
    g_assert_null(socket_parse(message, IPPROTO_UDP));
}

static void test_link_inode(void)
{
    static const struct {
        const char *target;
        guint64 inode;
    } cases[] = {{"socket:[12345]", 12345},
                 {"socket:[4294967295]", 4294967295},
                 {"socket:[12345", 0},
                 {"socket:[]", 0},
                 {"socket:[-1]", 0},
                 {"socket:[ 1]", 0},
                 {"socket:[99999999999999999999999]", 0},
                 {"socket:[12]x", 0},
                 {"socket:", 0},
                 {"pipe:[12345]", 0},
                 {"/dev/null", 0},
                 {"", 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(socket_link_inode(cases[i].target), ==, cases[i].inode);
}

/* -------------------------------------------------------------------------------------- the kernel */

static int bind_port(int type, guint16 port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = GUINT16_TO_BE(port)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    if (type == SOCK_STREAM)
        g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

/* 127.0.0.1 is there as soon as the loopback is up. */
static void set_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(ioctl(fd, SIOCSIFFLAGS, &request), ==, 0);
    close(fd);
}

/* A connection has the listener's port too, and is none. */
static void test_listeners_only(void)
{
    const struct sockaddr_in server = {.sin_family = AF_INET,
                                       .sin_port = GUINT16_TO_BE(53),
                                       .sin_addr.s_addr = GUINT32_TO_BE(INADDR_LOOPBACK)};
    g_autoptr(GPtrArray) sockets = NULL;
    g_autoptr(GError) error = NULL;
    int listener, client, accepted;

    if (!in_own_netns())
        return;
    set_loopback_up();
    listener = bind_port(SOCK_STREAM, 53);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(client, (const struct sockaddr *)&server, sizeof(server)), ==, 0);
    accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(accepted, >=, 0);
    sockets = sockets_read(deadline_in(60), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(sockets->len, ==, 1);
    close(accepted);
    close(client);
    close(listener);
}

static void test_owners(void)
{
    g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(gint));
    g_autoptr(GPtrArray) sockets = NULL;
    g_autoptr(GError) error = NULL;
    int dns, dns_tcp, dhcp, other;

    if (!in_own_netns())
        return;
    dns = bind_port(SOCK_DGRAM, 53);
    dns_tcp = bind_port(SOCK_STREAM, 53);
    dhcp = bind_port(SOCK_DGRAM, 67);
    other = bind_port(SOCK_DGRAM, 68);
    sockets = sockets_read(deadline_in(60), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(sockets->len, ==, 3);
    g_assert_true(sockets_find_owners(sockets, first, deadline_in(60)));
    for (guint i = 0; i < sockets->len; i++) {
        const Socket *one = sockets->pdata[i];

        g_assert_cmpint(one->pid, ==, getpid());
        g_assert_cmpstr(one->program, ==, "test-sockets");
        g_assert_true(ip_is_unspecified(&one->local) && one->local.family == 4);
    }
    close(dns);
    close(dns_tcp);
    close(dhcp);
    close(other);
}

/* A socket that no process holds by a descriptor that we may see. */
static void test_owner_unknown(void)
{
    g_autoptr(GPtrArray) sockets = g_ptr_array_new_with_free_func((GDestroyNotify)socket_free);
    g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(gint));
    Socket *lost = g_new0(Socket, 1);

    g_assert_true(sockets_find_owners(sockets, first, deadline_in(60)));
    lost->inode = G_MAXUINT64;
    g_ptr_array_add(sockets, lost);
    g_assert_false(sockets_find_owners(sockets, first, deadline_in(60)));
    g_assert_cmpint(lost->pid, ==, 0);
    g_assert_null(lost->program);
}

/* Whose process ended while it was looked for is closed; what is open and nobody's stays. */
static void test_drop_closed(void)
{
    g_autoptr(GPtrArray) sockets = NULL;
    g_autoptr(GError) error = NULL;
    int dns, dhcp;

    if (!in_own_netns())
        return;
    dns = bind_port(SOCK_DGRAM, 53);
    dhcp = bind_port(SOCK_DGRAM, 67);
    sockets = sockets_read(deadline_in(10), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(sockets->len, ==, 2);
    close(dns);
    g_assert_false(sockets_drop_closed(sockets, deadline_in(10)));
    g_assert_cmpuint(sockets->len, ==, 1);
    g_assert_cmpuint(((Socket *)sockets->pdata[0])->port, ==, 67);
    ((Socket *)sockets->pdata[0])->pid = getpid();
    g_assert_true(sockets_drop_closed(sockets, deadline_in(10)));
    close(dhcp);
    /* Whose it was is known. */
    g_assert_true(sockets_drop_closed(sockets, deadline_in(10)));
    g_assert_cmpuint(sockets->len, ==, 1);
    ((Socket *)sockets->pdata[0])->pid = 0;
    g_assert_false(sockets_drop_closed(sockets, deadline_in(0)));
    g_assert_cmpuint(sockets->len, ==, 1);
    g_assert_true(sockets_drop_closed(sockets, deadline_in(10)));
    g_assert_cmpuint(sockets->len, ==, 0);
}

static void test_source(void)
{
    g_autoptr(Facts) facts = NULL;
    g_autoptr(GError) error = NULL;
    int dhcp;

    if (!in_own_netns())
        return;
    facts = facts_new();
    dhcp = bind_port(SOCK_DGRAM, 67);
    g_assert_true(processes_read(facts, FALSE, deadline_in(60), &error));
    g_assert_false(facts->sockets_read);
    g_assert_cmpuint(facts->sockets->len, ==, 0);
    g_assert_true(processes_read(facts, TRUE, deadline_in(60), &error));
    g_assert_true(facts->sockets_read && facts->socket_owners_known);
    g_assert_cmpuint(facts->sockets->len, ==, 1);
    g_assert_cmpint(facts->sources[SOURCE_PROCESSES].state, ==, SOURCE_LIVE);
    /* No time left: what was known stays, and is called stale. */
    g_assert_true(processes_read(facts, TRUE, deadline_in(0), &error));
    g_assert_no_error(error);
    g_assert_cmpuint(facts->sockets->len, ==, 1);
    g_assert_cmpint(facts->sources[SOURCE_PROCESSES].state, ==, SOURCE_STALE);
    g_assert_nonnull(facts->sources[SOURCE_PROCESSES].error);
    close(dhcp);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sockets/recorded", test_recorded);
    g_test_add_func("/sockets/refused", test_refused);
    g_test_add_func("/sockets/link-inode", test_link_inode);
    g_test_add_func("/sockets/listeners-only", test_listeners_only);
    g_test_add_func("/sockets/owners", test_owners);
    g_test_add_func("/sockets/owner-unknown", test_owner_unknown);
    g_test_add_func("/sockets/drop-closed", test_drop_closed);
    g_test_add_func("/sockets/source", test_source);
    return g_test_run();
}
